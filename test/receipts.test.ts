/** `check` by receipts: it is quick, and says what a full run would. */

import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ts } from 'ts-morph';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

const repository = fileURLToPath(new URL('..', import.meta.url));

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'qapi-ts-receipts-'));
  for (const name of ['bin', 'dist', 'package.json']) {
    cpSync(join(repository, 'generator', name), join(base, 'generator', name), { recursive: true });
  }
  mkdirSync(join(base, 'node_modules'));
  cpSync(join(repository, 'node_modules/json5'), join(base, 'node_modules/json5'), { recursive: true });
  for (const name of ['commander', 'prettier']) {
    symlinkSync(join(repository, 'node_modules', name), join(base, 'node_modules', name));
  }
  for (const path of ['qapi', 'qga', 'storage-daemon/qapi']) {
    mkdirSync(join(base, 'schema/9.0.0', path), { recursive: true });
    writeFileSync(join(base, 'schema/9.0.0', path, 'qapi-schema.json'), `{ 'command': 'c', 'if': 'A' }\n`);
  }
  writeFileSync(join(base, 'schema/current'), '9.0.0\n');
});
afterAll(() => rmSync(base, { recursive: true }));

const receipts = 'generator/.cache/receipts.json';
const index = 'out/qmp/index.ts';

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): { status: number | null; stdout: string } {
  const command = [join(base, 'generator/bin/qapi-ts.js'), ...args, '--out', 'out'];
  const { status, stdout } = spawnSync(process.execPath, command, {
    cwd: base,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  return { status, stdout };
}

const fine = { status: 0, stdout: '' };
const edited = { status: 1, stdout: `${index}: different\n` };

/** What `generate` leaves, and where it is kept for the next test. */
const kept = [
  ['out', 'kept/out'],
  ['generator/.cache', 'kept/cache'],
] as const;
beforeAll(() => {
  run(['generate']);
  for (const [path, copy] of kept) cpSync(join(base, path), join(base, copy), { recursive: true });
});
beforeEach(() => {
  for (const [path, copy] of kept) {
    rmSync(join(base, path), { recursive: true, force: true });
    cpSync(join(base, copy), join(base, path), { recursive: true });
  }
});

describe('a receipt counts only for the run that left it', () => {
  /** So that a full run finds a difference, and the receipt none. */
  beforeEach(() => {
    const text = readFileSync(join(base, receipts), 'utf8');
    const exchanged = text.replace(/("client\.ts":)(\[.*?\])(.*?"index\.ts":)(\[.*?\])/u, '$1$4$3$2');
    writeFileSync(join(base, receipts), exchanged);
    const [client, own] = ['out/qmp/client.ts', index].map((path) => readFileSync(join(base, path)));
    writeFileSync(join(base, 'out/qmp/client.ts'), own ?? '');
    writeFileSync(join(base, index), client ?? '');
  });
  const swapped = { status: 1, stdout: `out/qmp/client.ts: different\n${index}: different\n` };

  test('then it is all that counts', () => {
    expect(run(['check'])).toEqual(fine);
  });

  test.each([
    'generator/dist/emit/client.js',
    'generator/dist/receipts.js',
    'generator/package.json',
    'node_modules/json5/lib/parse.js',
    'schema/9.0.0/qga/qapi-schema.json',
  ])('not when a byte of %s has changed', (path) => {
    const content = readFileSync(join(base, path));
    appendFileSync(join(base, path), '\n');
    expect(run(['check']).stdout).toContain(swapped.stdout);
    writeFileSync(join(base, path), content);
  });

  test('not when there is a further file of code', () => {
    const path = join(base, 'generator/dist/further.js');
    writeFileSync(path, '');
    expect(run(['check'])).toEqual(swapped);
    rmSync(path);
  });

  test.each([
    { what: 'documentation', args: ['--docs'], env: {} },
    { what: 'no documentation', args: ['--no-docs'], env: {} },
    { what: 'an option of Node', args: [], env: { NODE_OPTIONS: '--no-deprecation' } },
  ])('not with $what', ({ args, env }) => {
    expect(run(['check', ...args], env)).toEqual(swapped);
  });

  test('not with a definition', () => {
    // All first lines name it.
    expect(run(['check', '-D', 'A']).stdout).toContain('out/qga/index.ts: different\n');
  });

  test('not after another run with the same options', () => {
    expect(run(['generate'])).toEqual(fine);
    expect(run(['check'])).toEqual(fine);
    appendFileSync(join(base, index), '// edited\n');
    expect(run(['check'])).toEqual(edited);
  });
});

test.each([
  { what: 'an edited file', change: () => appendFileSync(join(base, index), ' '), want: 'different' },
  { what: 'another text of the same length', change: () => replaceIn(index, 'launch', 'Launch'), want: 'different' },
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
])('with a receipt, $what is found', ({ change, want }) => {
  change();
  expect(run(['check'])).toEqual({ status: 1, stdout: `${index}: ${want}\n` });
});

test('with a receipt, a generated file too many is found, and one of others is not', () => {
  writeFileSync(join(base, 'out/qga/mine.ts'), '// mine\n');
  expect(run(['check'])).toEqual(fine);
  writeFileSync(join(base, 'out/qga/gone.ts'), '// Generated by qapi-ts 0.0.1 from something.\n');
  expect(run(['check'])).toEqual({ status: 1, stdout: 'out/qga/gone.ts: not generated any more\n' });
});

test.each(['', '{}', '[1]'])('a file of receipts that holds %j does no harm', (text) => {
  writeFileSync(join(base, receipts), text);
  expect(run(['check'])).toEqual(fine);
  appendFileSync(join(base, index), ' ');
  expect(run(['check'])).toEqual(edited);
});

test('no receipt can be kept, and nothing is missing', () => {
  rmSync(join(base, 'generator/.cache'), { recursive: true });
  writeFileSync(join(base, 'generator/.cache'), '');
  expect(run(['generate'])).toEqual(fine);
  expect(run(['check'])).toEqual(fine);
  appendFileSync(join(base, index), ' ');
  expect(run(['check'])).toEqual(edited);
});

test('no receipt is left when the schema changes during the run', () => {
  rmSync(join(base, receipts));
  const hook = join(base, 'hook.mjs');
  const schema = JSON.stringify(join(base, 'schema/9.0.0/qapi/qapi-schema.json'));
  writeFileSync(hook, `import { chmodSync } from 'node:fs'; chmodSync(${schema}, 0o644);`);
  expect(run(['generate'], { NODE_OPTIONS: `--import=${hook}` })).toEqual(fine);
  expect(existsSync(join(base, receipts))).toBe(false);
});

test('a check that finds all well leaves a receipt, and there are not too many', () => {
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

test('the output depends on no packages but those that the key covers', () => {
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
