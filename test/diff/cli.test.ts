/** `qapi-ts diff` as a program. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { repository } from '../support/compile.js';
import { runMain } from '../support/main.js';
import { scratchFolder } from '../support/scratch.js';

const bin = fileURLToPath(new URL('../../generator/bin/qapi-ts.js', import.meta.url));
let folder: string;
beforeAll(() => {
  // Inside the repository, so that generated code finds the runtime.
  folder = scratchFolder();
  const files: Record<string, string> = {
    'old.json': `{ 'command': 'c', 'data': { '*a': 'str' } }`,
    // A breaking change and a harmless one.
    'new.json': `{ 'command': 'c', 'data': { 'a': 'str' } } { 'command': 'd' }`,
    'more.json': `{ 'command': 'c', 'data': { '*a': 'str' } } { 'command': 'd' }`,
    'bad.json': `{ 'command': 'c',\n  'data': 'B' }`,
    'words.json': 'struct A',
    'empty.json': '\n',
    'infos.json': '[]',
    'null.json': 'null',
    'object.json': '{ "a": 1 }',
    'cut.json': '[{"name": "c", "meta-',
    'greeting.json': '{"QMP": {"version": {}, "capabilities": []}}',
    'session.json': '{"QMP": {"version": {}, "capabilities": []}}\r\n{"return": {}}\r\n{"return": []}\r\n',
    'refused.json': '{"error": {"class": "CommandNotFound", "desc": "unknown"}}',
    'status.json': '{"return": {"status": "running"}}',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const { stdout } = run('introspect', 'old.json');
  writeFileSync(join(folder, 'saved.json'), stdout);
  writeFileSync(join(folder, 'reply.json'), `\uFEFF{"return": ${stdout}, "id": 1}`);
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, GITHUB_WORKSPACE: realpathSync(folder) };
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('the command line', () => {
  const nothing = /^$/u;
  const expected = 'expected a root schema file or a saved introspection \\(the reply to query-qmp-schema';
  const cases: { args: string[]; status: number; stdout?: RegExp; stderr?: RegExp }[] = [
    { args: [], status: 2, stderr: /missing required argument 'old'/u },
    { args: ['old.json'], status: 2, stderr: /missing required argument 'new'/u },
    { args: ['old.json', 'old.json'], status: 0, stdout: /^old\.json -> old\.json: no changes\n$/u, stderr: nothing },
    {
      args: ['old.json', 'new.json'],
      status: 1,
      stdout: /^old\.json -> new\.json: 2 changes: 1 br[^]*\n\nbreaking\n {2}c: /,
    },
    { args: ['old.json', 'more.json'], status: 0, stdout: /: 1 change: 0 breaking, 0 notable, 1 harmless\n/u },
    { args: ['old.json', 'more.json', '--fail-on', 'any'], status: 1 },
    { args: ['old.json', 'old.json', '--fail-on', 'any'], status: 0 },
    { args: ['old.json', 'new.json', '--fail-on', 'never'], status: 0, stdout: /1 breaking/u },
    {
      args: ['old.json', 'new.json', '--fail-on', 'notable'],
      status: 2,
      stderr: /Allowed choices are breaking, any, never/u,
    },
    { args: ['old.json', 'new.json', '--format', 'json'], status: 1, stdout: /^\{\n {2}"old": [^]*\}\n$/u },
    {
      args: ['old.json', 'new.json', '--format', 'markdown'],
      status: 1,
      stdout: /^## From `old\.json` to `new\.json`\n/u,
    },
    {
      args: ['old.json', 'new.json', '--format', 'github'],
      status: 1,
      stdout: /^::notice [^]*\n::error title=.*::c: /,
    },
    {
      args: ['old.json', 'new.json', '--format', 'html'],
      status: 2,
      stderr: /Allowed choices are text, json, markdown, github/u,
    },
    {
      args: ['saved.json', 'old.json'],
      status: 0,
      stdout: /no changes\nnot compared, because 'saved\.json' is an intro/u,
    },
    {
      args: ['old.json', 'reply.json'],
      status: 0,
      stdout: /no changes\nnot compared, because 'reply\.json' is an intro/u,
    },
    { args: ['saved.json', 'reply.json'], status: 0, stdout: /'saved\.json' and 'reply\.json' are introspections/u },
    { args: ['saved.json', 'new.json'], status: 1, stdout: /2 changes: 1 breaking/u },
    { args: ['10.2', '10.2.2'], status: 0, stdout: /^10\.2\.2 -> 10\.2\.2: no changes\n$/u },
    {
      args: ['10.2', '10.2', '--server', 'qga'],
      status: 0,
      stdout: /^10\.2\.2 \(qga\) -> 10\.2\.2 \(qga\): no changes\n$/u,
    },
    { args: ['10.2', '10.2', '--server', 'qsd'], status: 0, stdout: /^10\.2\.2 \(qsd\) -> / },
    { args: ['10.2', '10.2', '--server', 'vnc'], status: 2, stderr: /Allowed choices are qmp, qga, qsd/u },
    {
      args: ['10.1', 'old.json'],
      status: 2,
      stderr:
        /^error: QEMU 10\.1 is neither embedded \(.*7\.2\.0, .*\) nor cached \(none\); to download .*: npx qapi-ts fetch 10\.1\.0, .*\n\(see qapi-ts diff --help\)\n$/u,
    },
    {
      args: ['old.json', 'v10.0'],
      status: 2,
      stderr: /^error: QEMU v10\.0 is neither embedded \(.*7\.2\.0, .*\) nor cached \(none\)\n/u,
    },
    { args: ['old.json', 'missing.json'], status: 3, stderr: /^error: cannot read 'missing\.json': no such file\n$/u },
    { args: ['10.json', 'old.json'], status: 3, stderr: /^error: cannot read '10\.json': no such file\n$/u },
    { args: ['.', 'old.json'], status: 3, stderr: /^error: cannot read '\.': it is a directory\n$/u },
    {
      args: ['bad.json', 'old.json'],
      status: 1,
      stdout: nothing,
      stderr: /^bad\.json:2:11: error: .*unknown type 'B'/u,
    },
    {
      args: ['words.json', 'old.json'],
      status: 1,
      stdout: nothing,
      stderr: /^words\.json:1:1: error: stray 'struct'/u,
    },
    ...Object.entries({
      'empty.json': 'empty',
      'null.json': 'JSON, but neither an array nor an object',
      'object.json': "a JSON object without 'return'",
      'greeting.json': "a server's greeting",
      'session.json': 'a sequence of JSON values',
      'refused.json': 'an error reply',
      'status.json': 'the reply to another command',
    }).map(([file, found]) => ({
      args: [file, 'old.json'],
      status: 3,
      stdout: nothing,
      stderr: new RegExp(`^error: '${file}' is ${found}: ${expected}`, 'u'),
    })),
    {
      args: ['cut.json', 'old.json'],
      status: 3,
      stderr: /^error: 'cut\.json' is neither a schema nor valid JSON \(.*\): expected/u,
    },
    { args: ['infos.json', 'old.json'], status: 3, stderr: /^error: 'infos\.json': the introspection is malformed: / },
  ];
  it.each(cases.map((row) => ({ line: row.args.join(' '), ...row })))(
    'qapi-ts diff $line',
    async ({ args, status, stdout, stderr }) => {
      const result = await runMain(['diff', ...args], folder);
      expect(result).toMatchObject({ status });
      if (stdout) expect(result.stdout).toMatch(stdout);
      if (stderr) expect(result.stderr).toMatch(stderr);
    },
  );

  it('reads a pipe', () => {
    const shell = `"$0" "$1" introspect old.json | "$0" "$1" diff /dev/stdin old.json`;
    const { status, stdout } = spawnSync('sh', ['-c', shell, process.execPath, bin], { cwd: folder, encoding: 'utf8' });
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringMatching(/no changes/u) });
  });
});

describe('embedded versions', () => {
  const cases = [
    { args: ['5.2', '11.0'], title: '5.2.0 -> 11.0.1' },
    { args: ['10.0', '10.2'], title: '10.0.13 -> 10.2.2' },
    { args: ['7.2', '10.2'], title: '7.2.0 -> 10.2.2' },
    { args: ['7.2', '10.0', '--server', 'qga'], title: '7.2.0 (qga) -> 10.0.13 (qga)' },
    { args: ['7.2', '10.2', '--server', 'qsd'], title: '7.2.0 (qsd) -> 10.2.2 (qsd)' },
  ];
  it.each(cases)('$title', ({ args, title }) => {
    const { status, stdout, stderr } = run('diff', ...args);
    const [, total, breaking] = /^.*: (\d+) changes: (\d+) breaking, \d+ notable, \d+ harmless\n/u.exec(stdout) ?? [];
    expect(stdout.slice(0, title.length)).toBe(title);
    expect(Number(total)).toBeGreaterThan(10);
    expect({ status, stderr }).toEqual({ status: Number(breaking) > 0 ? 1 : 0, stderr: '' });
  });
});

describe('--used-by', () => {
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2022', 'esnext.disposable'],
    types: [],
    strict: true,
  };
  const used = (...args: string[]): ReturnType<typeof run> => run('diff', 'old.json', 'new.json', '--used-by', ...args);
  beforeAll(() => {
    run('generate', '--schema', 'old.json', '--out', 'src/qmp');
    const sources: Record<string, string> = {
      'calls.ts': `import type { Client } from './qmp/index.js';\n\nexport const call = (vm: Client) => vm.c();\n`,
      'idle.ts': `import type { Client } from './qmp/index.js';\n\nexport const close = (vm: Client) => vm.close();\n`,
    };
    for (const [name, text] of Object.entries(sources)) {
      writeFileSync(join(folder, 'src', name), text);
      const config = { compilerOptions, files: [`src/${name}`] };
      writeFileSync(join(folder, name.replace('.ts', '.tsconfig.json')), JSON.stringify(config));
    }
  });

  const touched = 'old.json -> new.json: 2 changes: 1 breaking, 0 notable, 1 harmless\n';
  it('keeps the changes that affect the program', () => {
    const { status, stdout } = used('calls.tsconfig.json');
    const where = "c: arguments.a: argument 'a' is now mandatory: calls that omit it are rejected";
    expect(stdout).toBe(
      `${touched}affecting 'calls.tsconfig.json': 1 change: 1 breaking, 0 notable, 0 harmless\n\n` +
        `breaking\n  ${where}\n    in src/calls.ts:3\n`,
    );
    expect(status).toBe(1);
  });

  it('finds the same with the introspection of the new side', () => {
    writeFileSync(join(folder, 'saved-new.json'), run('introspect', 'new.json').stdout);
    const { status, stdout } = run('diff', 'old.json', 'saved-new.json', '--used-by', 'calls.tsconfig.json');
    expect(stdout).toMatch(
      /^breaking\n  c: arguments\.a: argument 'a' is now mandatory: .*\n    in \S*src\/calls\.ts:3\n/mu,
    );
    expect(status).toBe(1);
  });

  it('finds the same in a drift', () => {
    writeFileSync(join(folder, 'server.json'), run('introspect', 'new.json').stdout);
    const args = ['--schema', 'old.json', '--introspection', 'server.json', '--used-by', 'calls.tsconfig.json'];
    const { status, stdout } = run('drift', ...args);
    expect(stdout).toMatch(
      /^breaking\n  c: arguments\.a: argument 'a' is mandatory .*\n    in \S*src\/calls\.ts:3\n/mu,
    );
    expect(status).toBe(1);
  });

  it('ignores all others', () => {
    const { status, stdout } = used('idle.tsconfig.json', '--fail-on', 'any');
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${touched}affecting 'idle.tsconfig.json': no changes\n` });
  });

  it('annotates the line', () => {
    expect(used('calls.tsconfig.json', '--format', 'github').stdout).toMatch(
      /^::error file=src\/calls\.ts,line=3,title=/mu,
    );
  });

  it('reports a program without generated code', () => {
    writeFileSync(join(folder, 'src/alone.ts'), 'export const one = 1;\n');
    writeFileSync(join(folder, 'alone.tsconfig.json'), JSON.stringify({ compilerOptions, files: ['src/alone.ts'] }));
    expect(used('alone.tsconfig.json').stdout).toBe(
      `${touched}affecting 'alone.tsconfig.json': no changes\n` +
        `the program of 'alone.tsconfig.json' imports no generated code\n`,
    );
  });

  it('requires a program', () => {
    expect(used('missing.tsconfig.json')).toMatchObject({ status: 3, stdout: '' });
    writeFileSync(join(folder, 'package.json'), '{ "name": "a", "files": [] }');
    const { status, stdout, stderr } = used('package.json');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^error: '.*package\.json' is not a TypeScript configuration/u);
    rmSync(join(folder, 'package.json'));
  });
});

describe('loads ts-morph only when needed', () => {
  beforeAll(() => {
    mkdirSync(join(folder, 'own/node_modules'), { recursive: true });
    symlinkSync(join(repository, 'node_modules/typescript-6.0'), join(folder, 'own/node_modules/typescript'));
    writeFileSync(join(folder, 'own/tsconfig.json'), '{ "extends": "../idle.tsconfig.json" }');
  });
  const cases = [
    { args: ['check', '--schema', 'old.json'], isLoaded: false },
    { args: ['diff', 'old.json', 'new.json'], isLoaded: false },
    { args: ['diff', 'old.json', 'new.json', '--used-by', 'idle.tsconfig.json'], isLoaded: true },
    { args: ['diff', 'old.json', 'new.json', '--used-by', 'own/tsconfig.json'], isLoaded: false },
    { args: ['drift', '--schema', 'old.json', '--introspection', 'saved.json'], isLoaded: false },
  ];
  it.each(cases)('qapi-ts $args: $isLoaded', ({ args, isLoaded }) => {
    const script = `import(process.argv[1])
      .then(({ main }) => main(process.argv.slice(2)))
      .then(() => console.error(Object.keys(require.cache).some((path) => path.includes('ts-morph'))))`;
    const cli = new URL('../../generator/dist/cli.js', import.meta.url).href;
    const { stderr } = spawnSync(process.execPath, ['-e', script, cli, ...args], { cwd: folder, encoding: 'utf8' });
    expect(stderr).toMatch(new RegExp(`^${isLoaded}\n$`, 'mu'));
  });
});
