import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { bin, repository, runNode, runShell, temporaryFolder, writeIn, type Ended } from './support/command.js';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder('cli');
  writeIn(folder, 'good.json', `{ 'command': 'c', 'data': { 'a': 'Aa' } }\n{ 'struct': 'Aa', 'data': {} }\n`);
  writeIn(folder, 'bad.json', `{ 'command': 'c',\n  'data': { 'a': 'B', 'b': 'C' } }\n`);
  writeIn(folder, 'old.json', `{ 'struct': 'FooKind', 'data': {}, 'if': 'defined(X)' }\n`);
  writeIn(folder, 'conditions.json', `{ 'event': 'E', 'if': 'CONFIG_E' }\n{ 'event': 'F', 'if': 'CONFIG_F' }\n`);
  writeIn(folder, 'file', '');
  writeIn(folder, 'saved.json', run('introspect', 'good.json').stdout);
  const agentCommands = ['guest-info', 'guest-own'].map((name) => ({ name, enabled: true, 'success-response': true }));
  writeIn(folder, 'agent.json', JSON.stringify({ return: { version: '10.2.0', supported_commands: agentCommands } }));
  writeIn(folder, 'clash.json', run('introspect', 'good.json').stdout.replace('"c"', '"d*/"'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(...args: string[]): Ended {
  return runNode([bin, ...args], { cwd: folder });
}

describe('exit codes and output', () => {
  const nothing = /^$/u;
  const cases: { args: string[]; status: number; stdout?: RegExp; stderr?: RegExp }[] = [
    { args: ['--help'], status: 0, stdout: /Usage: qapi-ts/u },
    { args: ['--version'], status: 0, stdout: /^\d+\.\d+\.\d+\n$/u },
    { args: [], status: 2, stderr: /Usage: qapi-ts/u },
    { args: ['make'], status: 2, stderr: /unknown command 'make'/u },
    { args: ['lint'], status: 2, stderr: /missing required argument 'file'/u },
    { args: ['lint', '--strict', 'good.json'], status: 2, stderr: /unknown option '--strict'/u },
    { args: ['lint', 'good.json'], status: 0, stderr: nothing },
    {
      args: ['lint', 'bad.json'],
      status: 1,
      stderr: /bad\.json:2:18: error: member 'a' uses unknown type 'B'[^]*bad\.json:2:28: error/u,
    },
    { args: ['lint', 'bad.json', 'good.json'], status: 1 },
    { args: ['lint', 'missing.json'], status: 3, stderr: /missing\.json/u },
    { args: ['lint', 'missing.json', 'bad.json'], status: 3, stderr: /bad\.json:2:18/u },
    { args: ['lint', '.'], status: 3, stderr: /^error: cannot read '\.': it is a directory$/mu },
    { args: ['lint', 'old.json'], status: 1, stderr: /'defined\(X\)' is not an identifier/u },
    { args: ['lint', '--dialect', '5.2', 'old.json'], status: 1, stderr: /must not end in 'Kind'/u },
    { args: ['lint', '--dialect', '5.1', 'old.json'], status: 2, stderr: /unknown dialect '5\.1'.*5\.2 or later/u },
    { args: ['introspect', 'old.json'], status: 0, stdout: /^\[\]\n$/u },
    { args: ['introspect', 'good.json'], status: 0, stdout: /"name": "c"/u, stderr: nothing },
    { args: ['introspect', 'conditions.json'], status: 0, stdout: /"name": "E"[^]*"name": "F"/u },
    { args: ['introspect', 'conditions.json', '-D', 'CONFIG_F'], status: 0, stdout: /^(?![^]*"E")[^]*"name": "F"/u },
    {
      args: ['introspect', 'conditions.json', '-D', 'CONFIG_G'],
      status: 0,
      stdout: /^(?![^]*"[EF]")/u,
      stderr: /^warning: no condition mentions 'CONFIG_G' \(did you mean 'CONFIG_[EF]'\?\)\n$/u,
    },
    { args: ['introspect', 'bad.json'], status: 1, stdout: nothing },
    { args: ['introspect', 'missing.json'], status: 3, stderr: /cannot read 'missing\.json': no such file/u },
    { args: ['introspect', 'saved.json'], status: 0, stdout: /"name": "c"/u, stderr: nothing },
    { args: ['introspect', '10.2', '--server', 'qga'], status: 0, stdout: /"name": "guest-info"/u, stderr: nothing },
    { args: ['introspect', 'unix:missing'], status: 3, stdout: nothing, stderr: /^error: .*missing/u },
    {
      args: ['introspect', 'clash.json'],
      status: 3,
      stderr: /'clash\.json': .* \('d\*\/'\): 'd\*\/' is not a valid name/u,
    },
    {
      args: ['generate', '--introspection', 'saved.json', '--names', 'good.json', '--out', 'saved'],
      status: 0,
      stderr:
        /^saved: introspection saved\.json: 1 module, .*\n  names of types, bases and links are those of 'good\.json'\ntotal/u,
    },
    {
      args: ['check', '--introspection', 'saved.json', '--names', 'good.json', '--out', 'saved'],
      status: 0,
      stderr: nothing,
    },
    {
      args: ['check', '--introspection', 'saved.json', '--names', '10.2', '--out', 'saved'],
      status: 1,
      stderr: /npx qapi-ts generate --introspection saved\.json --names 10\.2 --out saved\n$/u,
    },
    {
      args: ['generate', '--introspection', 'agent.json', '--out', 'agent', '--json-schema'],
      status: 0,
      stderr: /^agent: QEMU 10\.2\.0 guest-info: [^]*\n  commands that are not in QEMU 10\.2\.2: guest-own\n/u,
    },
    {
      args: ['generate', '--introspection', 'agent.json', '--server', 'qmp'],
      status: 3,
      stderr: /^error: 'agent\.json': this is the guest agent, not the monitor: use --server qga$/mu,
    },
    { args: ['generate', '--introspection', 'clash.json'], status: 3, stderr: /is not a valid name/u },
    { args: ['generate', '--connect', 'unix:missing'], status: 3, stderr: /^error: .*missing/u },
    { args: ['generate', '--schema', 'bad.json'], status: 1 },
    { args: ['generate', '--schema', 'missing.json'], status: 3 },
    { args: ['generate', '--schema', 'good.json', '--out', 'file'], status: 3 },
    { args: ['generate', '--schema', 'good.json', '--qemu', '10.2'], status: 2, stderr: /cannot be used with/u },
    {
      args: ['generate', '--qemu', '1.0'],
      status: 2,
      stderr: /QEMU 1\.0 is neither embedded \(.*7\.2\.0, .*\) nor cached \(none\)/u,
    },
    { args: ['vendor', 'file', '--version', '9.0.0'], status: 3 },
    { args: ['vendor', '.', '--version', '9.0.0'], status: 2, stderr: /not a QEMU source tree/u },
    { args: ['vendor', '.'], status: 2, stderr: /--version/u },
    { args: ['vendor', '.', '--version', '9'], status: 2, stderr: /full version such as 10\.2\.2, not '9'/u },
  ];
  it.each(cases)('qapi-ts $args', ({ args, status, stdout, stderr }) => {
    const result = run(...args);
    expect(result).toMatchObject({ status });
    if (stdout) expect(result.stdout).toMatch(stdout);
    if (stderr) expect(result.stderr).toMatch(stderr);
  });

  it.each<{ args: string[]; help: string }>([
    { args: ['make'], help: '' },
    { args: ['--strict'], help: '' },
    { args: ['generate', '--strict'], help: 'generate ' },
    { args: ['generate', '--qemu', '1.0'], help: 'generate ' },
    { args: ['check', '--schema', 'good.json', '--qemu', '10.0'], help: 'check ' },
    { args: ['generate', '--connect', 'unix:a', '--introspection', 'b'], help: 'generate ' },
    { args: ['generate', '--connect', 'unix:a', '--qemu', '10.2'], help: 'generate ' },
    { args: ['generate', '--introspection', 'a', '--schema', 'b'], help: 'generate ' },
    { args: ['generate', '--names', '10.2'], help: 'generate ' },
    { args: ['check', '--server', 'qga'], help: 'check ' },
    { args: ['generate', '--connect', 'unix:a', '--names', '1.0'], help: 'generate ' },
    { args: ['lint'], help: 'lint ' },
    { args: ['lint', '--dialect', '5.1', 'good.json'], help: 'lint ' },
    { args: ['introspect'], help: 'introspect ' },
    { args: ['vendor', '.'], help: 'vendor ' },
    { args: ['vendor', '.', '--version', '9'], help: 'vendor ' },
    { args: ['diff', '10.0'], help: 'diff ' },
    { args: ['diff', '10.0', '10.2', '--format', 'xml'], help: 'diff ' },
    { args: ['diff', '10.0', '99.0'], help: 'diff ' },
    { args: ['diff', '10.0', '10.2', '--used-by', 'good.json'], help: 'diff ' },
    { args: ['drift'], help: 'drift ' },
    { args: ['drift', '--connect', '/run/vm.qmp'], help: 'drift ' },
    { args: ['drift', '--connect', 'unix:a', '--introspection', 'b'], help: 'drift ' },
  ])('qapi-ts $args points to its help', ({ args, help }) => {
    const { status, stderr } = run(...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(new RegExp(String.raw`^error: .*\n(?:.*\n)*\(see qapi-ts ${help}--help\)\n$`, 'u'));
  });

  it.each(['generate', 'check', 'introspect'])('%s --help shows the default of -D once', (command) => {
    const { stdout } = run(command, '--help');
    const option = stdout.slice(stdout.indexOf('-D, --define')).replaceAll(/\s+/gu, ' ');
    expect(option.match(/\(default: .*?\)/gu)).toEqual(['(default: all conditions hold)']);
  });

  it('leaves nothing behind when it fails', () => {
    expect(existsSync(join(folder, 'generated'))).toBe(false);
  });

  it('ends without an error if its reader stops early', () => {
    const shell = `"$0" "$1" introspect "$2" | head -c 1`;
    const schema = join(repository, 'schema/10.2.2/qapi/qapi-schema.json');
    expect(runShell(shell, { cwd: folder }, schema)).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('generate and check', () => {
  const files = (out: string): string[] => readdirSync(join(folder, out)).toSorted();

  it('generate writes the output of a schema, and check finds it up to date', () => {
    const options = ['--schema', 'good.json', '--out', 'one'];
    expect(run('generate', ...options)).toMatchObject({
      status: 0,
      stdout: '',
      stderr: expect.stringMatching(
        /^one: good\.json: 1 module, 1 command, 0 events, 1 type; 3 files; read in \d+ ms, emitted in \d+ ms\ntotal time, including writing: \d+ ms\n$/u,
      ),
    });
    expect(files('one')).toEqual(['client.ts', 'good.ts', 'index.ts']);
    expect(run('check', ...options)).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('check lists stale files, and the command that fixes them', () => {
    const options = ['--schema', 'good.json', '--out', 'two', '--no-docs', '-D', 'CONFIG_A'];
    run('generate', ...options);
    appendFileSync(join(folder, 'two/good.ts'), '// edited\n');
    rmSync(join(folder, 'two/index.ts'));
    writeFileSync(join(folder, 'two/gone.ts'), '// Generated by qapi-ts 0.0.1 from something.\n');
    writeFileSync(join(folder, 'two/mine.ts'), '// mine\n');
    expect(run('check', ...options)).toEqual({
      status: 1,
      stdout: 'two/good.ts: different\ntwo/index.ts: missing\ntwo/gone.ts: no longer generated\n',
      stderr: `3 generated files are stale. To fix this, run: npx qapi-ts generate ${options.join(' ')}\n`,
    });
    run('generate', ...options);
    expect(run('check', ...options)).toMatchObject({ status: 0 });
    expect(files('two')).toEqual(['client.ts', 'good.ts', 'index.ts', 'mine.ts']);
  });

  it('quotes the command for a shell', () => {
    const { stderr } = run('check', '--schema', 'good.json', '--out', "it's one");
    expect(stderr).toBe(
      `3 generated files are stale. To fix this, run: npx qapi-ts generate --schema good.json --out 'it'\\''s one'\n`,
    );
  });

  const obstacles = [
    { title: 'a directory', make: (path: string) => mkdirSync(path) },
    { title: 'a file that is not generated', make: (path: string) => writeFileSync(path, 'export const mine = 1;\n') },
  ];
  it.each(obstacles)('changes nothing when $title is in the way', ({ title, make }) => {
    const out = title;
    run('generate', '--schema', 'good.json', '--out', out);
    const before = readFileSync(join(folder, out, 'good.ts'), 'utf8');
    make(join(folder, out, 'zoo.ts'));
    writeFileSync(join(folder, 'zoo.json'), `{ 'struct': 'Other', 'data': { 'a': 'str' } }`);
    writeFileSync(join(folder, 'changed.json'), `{ 'include': 'zoo.json' }\n{ 'command': 'c', 'data': 'Other' }`);
    const result = run('generate', '--schema', 'changed.json', '--out', out);
    expect(result).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/zoo\.ts' is (?:a directory, )?not a generated file/u),
    });
    expect(files(out)).toEqual(['client.ts', 'good.ts', 'index.ts', 'zoo.ts']);
    expect(readFileSync(join(folder, out, 'good.ts'), 'utf8')).toBe(before);
  });

  it('generate writes the committed bytes in any directory', () => {
    expect(run('generate', '--out', 'all')).toMatchObject({ status: 0 });
    for (const name of ['qmp', 'qga', 'qsd']) {
      const texts = (base: string): [string, string][] =>
        readdirSync(join(base, name))
          .filter((file) => file.endsWith('.ts'))
          .map((file) => [file, readFileSync(join(base, name, file), 'utf8')]);
      expect(texts(join(folder, 'all'))).toEqual(texts(join(repository, 'generated')));
    }
    expect(run('check', '--out', 'all')).toMatchObject({ status: 0 });
  });

  it('the first line of each file lists the conditions, regardless of their order', () => {
    const args = ['--schema', 'conditions.json', '--json-schema', '--out', 'some'];
    expect(run('generate', ...args, '-D', 'CONFIG_F', '-D', 'CONFIG_E')).toMatchObject({ status: 0 });
    for (const file of ['index.ts', 'client.ts', 'results.schema.json']) {
      expect(readFileSync(join(folder, 'some', file), 'utf8')).toContain(
        ', narrowed by -D CONFIG_E -D CONFIG_F. Do not edit.',
      );
    }
    expect(run('check', ...args, '-D', 'CONFIG_E', '-D', 'CONFIG_F')).toMatchObject({ status: 0 });
  });

  it('generate supports an embedded version', () => {
    expect(run('generate', '--qemu', '7.2', '--out', 'old')).toMatchObject({ status: 0 });
    expect(readFileSync(join(folder, 'old/qmp/index.ts'), 'utf8')).toMatch(
      /^\/\/ Generated by qapi-ts [\d.]+ from QEMU 7\.2\.0, schema/u,
    );
  });
});
