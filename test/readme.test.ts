/** The README's examples. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { compile, repository } from './support/compile.js';

const readme = readFileSync(join(repository, 'README.md'), 'utf8');
let folder: string;
beforeAll(() => {
  mkdirSync(join(repository, '.cache'), { recursive: true });
  folder = mkdtempSync(join(repository, '.cache/readme-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('the TypeScript compiles', async () => {
  const examples = [...readme.matchAll(/```ts\n([^]*?)```/gu)].map(([, text = '']) => text);
  expect(examples.length).toBeGreaterThan(0);
  for (const [index, text] of examples.entries()) writeFileSync(join(folder, `example${index}.ts`), text);
  const options = { paths: { '@qapi-ts/qemu/*': [join(repository, 'generated/*/index.ts')] } };
  expect(await compile({ compiler: '7.0', include: [folder], options })).toBe('');
});

test('the diagnostic matches the output of lint', () => {
  const shown = /\$ npx qapi-ts lint bad\.json\n((?: {4}.*\n)+)/u.exec(readme)?.[1]?.replaceAll(/^ {4}/gmu, '');
  writeFileSync(join(folder, 'bad.json'), "{ 'command': 'resize',\n  'data': { 'a': 'Sizes' } }\n");
  const bin = join(repository, 'generator/bin/qapi-ts.js');
  const { stderr } = spawnSync(process.execPath, [bin, 'lint', 'bad.json'], { cwd: folder, encoding: 'utf8' });
  expect(stderr).toBe(shown);
});

test('the table lists every command', () => {
  const bin = join(repository, 'generator/bin/qapi-ts.js');
  const { stdout } = spawnSync(process.execPath, [bin, '--help'], { encoding: 'utf8' });
  const listed = stdout.slice(stdout.indexOf('Commands:'));
  const commands = [...listed.matchAll(/^ {2}([a-z]+)/gmu)].map(([, name]) => name).filter((name) => name !== 'help');
  expect(commands.length).toBeGreaterThan(4);
  for (const name of commands) expect(readme).toContain(`\`qapi-ts ${name}`);
});
