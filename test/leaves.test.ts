import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { bin, runNode, temporaryFolder } from './support/command.js';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder('leaves');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('nested unions', () => {
  /** Returns nested unions of ten branches, each of which is the next union. */
  const nested = (levels: number, tag: string): string => {
    const list = (text: (value: string) => string): string =>
      Array.from({ length: 10 }, (_, value) => text(`${tag}${value}`)).join(', ');
    const unions = Array.from({ length: levels }, (_, level) => {
      const inner = level === levels - 1 ? 'Leaf' : `Union${level + 1}`;
      const discriminator = `${tag}${'x'.repeat(level + 1)}`;
      return `{ 'enum': 'Enum${level}', 'data': [ ${list((value) => `'${value}'`)} ] }
        { 'union': 'Union${level}', 'base': { '${discriminator}': 'Enum${level}' }, 'discriminator': '${discriminator}',
          'data': { ${list((value) => `'${value}': '${inner}'`)} } }`;
    });
    return `{ 'struct': 'Leaf', 'data': { 'm': 'int' } }\n${unions.join('\n')}\n{ 'command': 'c', 'boxed': true, 'data': 'Union0' }\n`;
  };
  /** Returns a number of unions with 10,000 leaves. */
  const many = (count: number): string => {
    const union = (_: unknown, at: number): string =>
      `{ 'union': 'Many${at}', 'base': { 'many': 'Enum0' }, 'discriminator': 'many',
        'data': { ${Array.from({ length: 10 }, (_value, value) => `'a${value}': 'Union0'`).join(', ')} } }`;
    return `${nested(3, 'a')}${Array.from({ length: count }, union).join('\n')}`;
  };
  const refusal =
    /error: union 'Union0' has 100000 branches with nested unions expanded, more than the limit of 10000/u;
  const cases: { title: string; old: string; newer: string; status: number; stderr: RegExp }[] = [
    { title: 'few enough', old: nested(3, 'a'), newer: nested(3, 'a'), status: 0, stderr: /^$/u },
    { title: 'too many', old: nested(5, 'a'), newer: nested(3, 'a'), status: 1, stderr: refusal },
    {
      title: 'too many in several unions',
      old: many(20),
      newer: many(1),
      status: 1,
      stderr:
        /: error: with union 'Many1', the schema's unions have 21110 branches with nested unions expanded, more than the limit of 20000$/mu,
    },
    { title: 'too many on the new side', old: nested(3, 'a'), newer: nested(5, 'a'), status: 1, stderr: refusal },
    {
      title: 'very many',
      old: nested(60, 'a'),
      newer: nested(60, 'a'),
      status: 1,
      stderr: /union 'Union0' has [\d.]+e\+60 branches/u,
    },
    {
      title: 'too many when combined',
      old: nested(3, 'a'),
      newer: nested(3, 'b'),
      status: 3,
      stderr:
        /^error: cannot compare union 'Union0' to union 'Union0': their branches have more than 10000 combinations$/mu,
    },
  ];
  it.each(cases)('diff supports what generate supports: $title', ({ old, newer, status, stderr }) => {
    writeFileSync(join(folder, 'nested old.json'), old);
    writeFileSync(join(folder, 'nested new.json'), newer);
    const begin = performance.now();
    const result = runNode([bin, 'diff', 'nested old.json', 'nested new.json'], { cwd: folder });
    expect(result).toMatchObject({ status });
    expect(result.stderr).toMatch(stderr);
    expect(performance.now() - begin).toBeLessThan(20_000);
  });
});
