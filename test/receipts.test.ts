/** `check` finds the same differences with receipts as without them. */

import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { ts } from 'ts-morph';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { digestOf } from '../generator/src/sources/release.js';
import { filesIn, installCopy, repository, runNode, temporaryFolder, writeIn, writeQemu } from './support/command.js';

let base: string;
let program: string;
beforeAll(() => {
  base = temporaryFolder('receipts');
  program = installCopy(base, ['json5']);
  writeQemu(join(base, 'schema/9.0.0'), `{ 'command': 'c', 'if': 'A' }`);
  writeIn(base, 'schema/current', '9.0.0\n');
  // The same in the cache, for `--docs`.
  writeIn(base, 'schema/pins.json', '{}');
  writeQemu(join(base, 'cache/9.0.0'), `{ 'command': 'c', 'if': 'A' }`);
  const files = Object.entries(filesIn(join(base, 'cache/9.0.0')));
  writeIn(base, 'cache/9.0.0/digest', digestOf(new Map(files.map(([path, text]) => [path, Buffer.from(text)]))));
});
afterAll(() => rmSync(base, { recursive: true }));

const receipts = 'generator/.cache/receipts.json';
const index = 'out/qmp/index.ts';

function run(args: readonly string[], env = {}): { status: number | null; stdout: string } {
  const cache = join(base, 'cache');
  const { status, stdout } = runNode([program, ...args, '--out', 'out'], {
    cwd: base,
    env: { QAPI_TS_CACHE: cache, ...env },
  });
  return { status, stdout };
}

const fine = { status: 0, stdout: '' };
const edited = { status: 1, stdout: `${index}: different\n` };

/** The output of `generate`, and where it is saved for the next test. */
const saved = [
  ['out', 'kept/out'],
  ['generator/.cache', 'kept/cache'],
] as const;
beforeAll(() => {
  run(['generate']);
  for (const [path, copy] of saved) cpSync(join(base, path), join(base, copy), { recursive: true });
});
beforeEach(() => {
  for (const [path, copy] of saved) {
    rmSync(join(base, path), { recursive: true, force: true });
    cpSync(join(base, copy), join(base, path), { recursive: true });
  }
});

describe('a receipt', () => {
  /** Exchanges two files and their digests, so that only a full run finds differences. */
  beforeEach(() => {
    const text = readFileSync(join(base, receipts), 'utf8');
    const exchanged = text.replace(/("client\.ts":)(\[.*?\])(.*?"index\.ts":)(\[.*?\])/u, '$1$4$3$2');
    writeFileSync(join(base, receipts), exchanged);
    const [client, own] = ['out/qmp/client.ts', index].map((path) => readFileSync(join(base, path)));
    writeFileSync(join(base, 'out/qmp/client.ts'), own ?? '');
    writeFileSync(join(base, index), client ?? '');
  });
  const swapped = { status: 1, stdout: `out/qmp/client.ts: different\n${index}: different\n` };

  test('is used if nothing has changed', () => {
    expect(run(['check'])).toEqual(fine);
  });

  test.each([
    'generator/dist/emit/client.js',
    'generator/dist/receipts.js',
    'generator/package.json',
    'node_modules/json5/lib/parse.js',
    'schema/9.0.0/qga/qapi-schema.json',
    'schema/current',
  ])('is not used if a byte of %s has changed', (path) => {
    const content = readFileSync(join(base, path));
    appendFileSync(join(base, path), '\n');
    expect(run(['check']).stdout).toContain(swapped.stdout);
    writeFileSync(join(base, path), content);
  });

  test('is not used if there is another code file', () => {
    const path = join(base, 'generator/dist/further.js');
    writeFileSync(path, '');
    expect(run(['check'])).toEqual(swapped);
    rmSync(path);
  });

  test.each([
    { what: 'documentation', args: ['--docs'], env: {} },
    { what: '--no-docs', args: ['--no-docs'], env: {} },
    { what: 'an option of Node', args: [], env: { NODE_OPTIONS: '--no-deprecation' } },
  ])('is not used with $what', ({ args, env }) => {
    expect(run(['check', ...args], env)).toEqual(swapped);
  });

  test('is not used with a condition', () => {
    // The first line of each file names the condition.
    expect(run(['check', '-D', 'A']).stdout).toContain('out/qga/index.ts: different\n');
  });

  test('is not used after another run with the same options', () => {
    expect(run(['generate'])).toEqual(fine);
    expect(run(['check'])).toEqual(fine);
    appendFileSync(join(base, index), '// edited\n');
    expect(run(['check'])).toEqual(edited);
  });
});

test.each([
  { what: 'an edited file', change: () => appendFileSync(join(base, index), ' '), want: 'different' },
  { what: 'a change that keeps the length', change: () => replaceIn(index, 'launch', 'Launch'), want: 'different' },
  { what: 'a missing file', change: () => rmSync(join(base, index)), want: 'missing' },
  {
    what: 'a link to the right content',
    change: () => {
      cpSync(join(base, index), join(base, 'copy.ts'));
      rmSync(join(base, index));
      symlinkSync('../../copy.ts', join(base, index));
    },
    want: 'a symbolic link, not a file',
  },
])('with a receipt, check finds $what', ({ change, want }) => {
  change();
  expect(run(['check'])).toEqual({ status: 1, stdout: `${index}: ${want}\n` });
});

test('with a receipt, check finds an extra generated file, and ignores other files', () => {
  writeFileSync(join(base, 'out/qga/mine.ts'), '// mine\n');
  expect(run(['check'])).toEqual(fine);
  writeFileSync(join(base, 'out/qga/gone.ts'), '// Generated by qapi-ts 0.0.1 from something.\n');
  expect(run(['check'])).toEqual({ status: 1, stdout: 'out/qga/gone.ts: no longer generated\n' });
});

test('a receipt is not used if cached schemas no longer have the pinned digest', () => {
  expect(run(['generate', '--docs'])).toEqual(fine);
  writeIn(base, 'schema/pins.json', JSON.stringify({ '9.0.0': { sha256: '0'.repeat(64) } }));
  expect(run(['check', '--docs'])).toEqual({ status: 3, stdout: '' });
  writeIn(base, 'schema/pins.json', '{}');
  expect(run(['check', '--docs'])).toEqual(fine);
});

test('a receipt is not affected by other files in the cache, which are not read', () => {
  expect(run(['generate', '--docs'])).toEqual(fine);
  // Reading it would block.
  execFileSync('mkfifo', [join(base, 'cache/9.0.0/pipe')]);
  expect(run(['generate', '--docs'])).toEqual(fine);
  expect(run(['check', '--docs'])).toEqual(fine);
  rmSync(join(base, 'cache/9.0.0/pipe'));
});

test.each(['', '{}', '[1]'])('a file of receipts that contains %j is ignored', (text) => {
  writeFileSync(join(base, receipts), text);
  expect(run(['check'])).toEqual(fine);
  appendFileSync(join(base, index), ' ');
  expect(run(['check'])).toEqual(edited);
});

test('check works if no receipt can be written', () => {
  rmSync(join(base, 'generator/.cache'), { recursive: true });
  writeFileSync(join(base, 'generator/.cache'), '');
  expect(run(['generate'])).toEqual(fine);
  expect(run(['check'])).toEqual(fine);
  appendFileSync(join(base, index), ' ');
  expect(run(['check'])).toEqual(edited);
});

test('no receipt is written if the schema changes during the run', () => {
  rmSync(join(base, receipts));
  const hook = join(base, 'hook.mjs');
  const schema = JSON.stringify(join(base, 'schema/9.0.0/qapi/qapi-schema.json'));
  writeFileSync(hook, `import { chmodSync } from 'node:fs'; chmodSync(${schema}, 0o644);`);
  expect(run(['generate'], { NODE_OPTIONS: `--import=${hook}` })).toEqual(fine);
  expect(existsSync(join(base, receipts))).toBe(false);
});

test('a successful check writes a receipt, and the number of receipts is limited', () => {
  rmSync(join(base, receipts));
  const count = (): number => (JSON.parse(readFileSync(join(base, receipts), 'utf8')) as unknown[]).length;
  expect(run(['check'])).toEqual(fine);
  expect(count()).toBe(1);
  const [receipt] = JSON.parse(readFileSync(join(base, receipts), 'utf8')) as [string, object][];
  const many = Array.from({ length: 16 }, (_, at) => [String(at), receipt?.[1]]);
  writeFileSync(join(base, receipts), JSON.stringify(many));
  expect(run(['check'])).toEqual(fine);
  expect(count()).toBe(16);
});

test('the output depends only on packages that the key covers', () => {
  const dist = join(repository, 'generator/dist');
  const seen = new Set<string>();
  const found = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { fileName } of ts.preProcessFile(readFileSync(path, 'utf8')).importedFiles) {
      if (fileName.startsWith('.')) visit(join(path, '..', fileName));
      else if (!fileName.startsWith('node:')) found.add(fileName.replace(/\/.*/u, ''));
    }
  };
  visit(join(dist, 'generate.js'));
  expect([...found].toSorted()).toEqual(['json5', 'prettier']);
  const dependencies = [...found].map((name) => join(repository, 'node_modules', name, 'package.json'));
  const further = dependencies.flatMap((path) =>
    Object.keys((JSON.parse(readFileSync(path, 'utf8')) as { dependencies?: object }).dependencies ?? {}),
  );
  expect(further).toEqual([]);
  expect(readdirSync(dist)).toContain('receipts.js');
});

function replaceIn(path: string, from: string, to: string): void {
  const text = readFileSync(join(base, path), 'utf8');
  expect(text).toContain(from);
  writeFileSync(join(base, path), text.replace(from, to));
}
