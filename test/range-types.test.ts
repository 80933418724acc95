/** The types of code for a range: they compile, and what is legal for each version is legal for the range. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { servers } from '../generator/src/embedded.js';
import { generate } from '../generator/src/generate.js';
import { write } from '../generator/src/output.js';
import { versionsInRange } from '../generator/src/sources/range.js';
import { compile, compilers, repository, type CompilerVersion } from './support/compile.js';

const ranges = ['5.2..11.1', '7.2..11.1', '7.2..10.0'];

/** In the repository, so that the runtime package is found. */
let folder: string;

/** Generated packages are named without periods, which some compilers take for extensions. */
function nameOf(version: string): string {
  return version.replaceAll('.', '_');
}

beforeAll(async () => {
  mkdirSync(join(repository, '.cache'), { recursive: true });
  folder = mkdtempSync(join(repository, '.cache', 'ranges-'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const qemu of [...ranges, ...versionsInRange('5.2..11.1')]) {
    const out = join(folder, nameOf(qemu));
    await write(out, generate({ qemu, out, define: [] }));
  }
}, 120_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

it.each(Object.keys(compilers) as CompilerVersion[])(
  'compile with TypeScript %s',
  { timeout: 240_000 },
  async (compiler) => {
    // The oldest and the newest compiler check all ranges, the others the widest.
    const checked = compiler === '5.4' || compiler === '7.0' ? ranges : ranges.slice(0, 1);
    const isolated = compiler === '5.4' ? {} : { declaration: true, isolatedDeclarations: true };
    const output = await compile({
      compiler,
      include: ['test/types-range', ...checked.map((range) => join(folder, nameOf(range)))],
      options: { ...isolated, paths: { '@qapi-ts/range/*': [join(folder, nameOf('7.2..11.1'), '*/index.ts')] } },
    });
    expect(output).toBe('');
  },
);

/**
 * The commands whose types are narrower than those of some version, by what differs: where an enum replaced `str`, and where
 * an older version did not describe its arguments.
 */
const narrower = {
  arguments: ['expire_password', 'object-add', 'set_password'],
  result: ['query-block-jobs'],
};

// The third has nothing that these do not have.
describe.each(['5.2..11.1', '7.2..10.0'])('code for %s', (range) => {
  it(
    'allows what each version allows, and says of results and events what holds for each',
    { timeout: 240_000 },
    async () => {
      const versions = versionsInRange(range);
      const file = join(folder, `check-${nameOf(range)}.ts`);
      writeFileSync(file, comparison(range, versions));
      expect(await compile({ compiler: '7.0', include: [file] })).toBe('');
    },
  );
});

/** Returns a program with an error for each command or event whose types of a version are not assignable to the range's. */
function comparison(range: string, versions: readonly string[]): string {
  const both = servers.flatMap(({ name }) =>
    versions.map((version) => ({ name, version, id: `${name}_${nameOf(version)}` })),
  );
  const imports = [
    ...servers.map(({ name }) => importOf(nameOf(range), name, name)),
    ...both.map(({ name, version, id }) => importOf(nameOf(version), name, id)),
  ];
  const exceptions = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(' | ');
  const checks = both.flatMap(({ name, id }) => [
    `export const arguments_${id}: Allowed<BadArguments<C_${id}, C_${name}>, ${exceptions(narrower.arguments)}> = true;`,
    `export const results_${id}: Allowed<Bad<C_${id}, C_${name}, 'result'>, ${exceptions(narrower.result)}> = true;`,
    `export const data_${id}: Allowed<Bad<E_${id}, E_${name}, 'data'>, never> = true;`,
    `export const lacking_${id}: Allowed<Exclude<keyof C_${id} | keyof E_${id}, keyof C_${name} | keyof E_${name}>, never> = true;`,
  ]);
  return [...imports, helpers, ...checks].join('\n');
}

function importOf(folderName: string, server: string, id: string): string {
  return `import type { Commands as C_${id}, Events as E_${id} } from './${folderName}/${server}/index.js';`;
}

const helpers = `
/** True, or the names that should not be there. */
type Allowed<Names, Exceptions> = [Exclude<Names, Exceptions>] extends [never] ? true : Exclude<Names, Exceptions>;
type Bad<V, R, Key extends string> = {
  [N in keyof V & keyof R]: V[N] extends Record<Key, infer A> ? (R[N] extends Record<Key, infer B> ? (A extends B ? never : N) : N) : N;
}[keyof V & keyof R];
/** A command without arguments can be called without arguments. */
type BadArguments<V, R> = {
  [N in Bad<V, R, 'arguments'> & keyof V & keyof R]: V[N] extends { arguments: infer A }
    ? string & keyof A extends never ? (R[N] extends { arguments: infer B } ? ({} extends B ? never : N) : N) : N
    : N;
}[Bad<V, R, 'arguments'> & keyof V & keyof R];
`;
