/** scripts/bump-qemu, and the workflow that runs it, with the releases of a small QEMU. */

import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import {
  fault,
  filesIn,
  installCopy,
  repository,
  runProgram,
  temporaryFolder,
  writeIn,
  type Ended,
} from './support/command.js';
import { tarOf } from './support/tar.js';
import { serveProxy } from './support/web.js';

const releases: Readonly<Record<string, string>> = {
  '9.0.0': `{ 'command': 'query-x' } { 'command': 'query-y' }`,

  '9.1.0': `{ 'command': 'query-x', 'data': { 'a': 'int', '*b': 'int' } }`,
};

/** A program that keeps its arguments. */
const gh = `printf '%s\\n' "$@" > "\${0%/*}/gh.arguments"`;

/** The paths of upstream's server. */
let served: Map<string, string | Buffer>;
const server = createServer((request, response) => {
  const content = served.get(request.url ?? '');
  response.writeHead(content === undefined ? 404 : 200).end(content);
});

let folder: string;
beforeAll(async () => {
  folder = temporaryFolder('bump');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  serve();
  await makeTemplate(join(folder, 'template'));
}, 60_000);
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(serve);

function serve(): void {
  served = new Map([['/', listing('9.1.0')]]);
  for (const [version, schema] of Object.entries(releases)) {
    const root = `qemu-${version}`;
    const roots = ['qapi', 'qga', 'storage-daemon/qapi'].map((path) => ({
      path: `${root}/${path}/qapi-schema.json`,
      content: schema,
    }));
    served.set(`/${root}.tar.xz`, tarOf([...roots, { path: `${root}/VERSION`, content: `${version}\n` }]));
  }
}

/** Returns upstream's page with older releases, a release candidate and signatures. */
function listing(newest: string): string {
  const names = [newest, '9.0.1', '8.2.10', '9.2.0-rc1', '9.0.0'].map((version) => `qemu-${version}.tar.xz`);
  return [...names, 'qemu-99.0.0.tar.xz.sig', 'qemu-98.0.0.tar.bz2', 'vgabios-97.0.0.tar.xz']
    .map((name) => `<a href="${name}">${name}</a> 2026-01-01`)
    .join('\n');
}

/** Writes a repository with the scripts, the generator and QEMU 9.0.0. Its apt has no archives. */
async function makeTemplate(base: string): Promise<void> {
  mkdirSync(base);
  installCopy(base);
  for (const script of ['bump-qemu', 'newest.js', 'debian.js', 'fetch-qemu']) {
    cpSync(join(repository, 'scripts', script), join(base, 'scripts', script));
  }
  writeScript(base, 'scripts/install', 'true');
  const prettier = join(repository, 'node_modules/prettier/bin/prettier.cjs');
  const program = `case $1 in qapi-ts) program=\${0%/*}/../generator/bin/qapi-ts.js;; *) program='${prettier}';; esac`;
  writeScript(base, 'bin/npx', `${program}; shift; exec '${process.execPath}' "$program" "$@"`);
  writeScript(base, 'bin/apt-config', 'true');
  writeScript(base, 'bin/gh', gh);
  writeIn(base, '.gitignore', '/node_modules\n/generator\n/bin\n/.cache\n');
  writeIn(base, 'package.json', '{ "type": "module" }');
  writeIn(base, 'schema/pins.json', '{}');
  writeIn(base, 'schema/current', '9.0.0\n');
  writeIn(base, 'README.md', 'its output for QEMU 9.0\n\n`--qemu` accepts an embedded\nversion: 9.0.\n');
  writeIn(base, 'CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n- An entry.\n\n## 1.0.0\n\n- An older one.\n');
  const steps = `tree=$(scripts/fetch-qemu --pin 9.0.0); npx qapi-ts vendor "$tree" --version 9.0.0; npx qapi-ts generate`;
  const { status, stderr } = await shell(base, steps);
  expect(status, stderr).toBe(0);
}

function copy(from: string, to: string): string {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  return to;
}

function makeRepository(name: string): string {
  return copy(join(folder, 'template'), join(folder, name));
}

function writeScript(base: string, path: string, text: string): void {
  writeIn(base, path, `#!/bin/sh\n${text}\n`);
  execFileSync('chmod', ['+x', join(base, path)]);
}

/** Runs commands as a step of a workflow does. */
function shell(base: string, script: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { port } = server.address() as AddressInfo;
  const all = {
    ...process.env,
    PATH: `${join(base, 'bin')}:${process.env['PATH'] ?? ''}`,
    QAPI_TS_MIRROR: `http://127.0.0.1:${port}`,
    QAPI_TS_CACHE: join(base, '.cache'),
    ...env,
  };
  return new Promise((resolve) => {
    execFile('bash', ['-e', '-c', script], { cwd: base, env: all, timeout: 120_000 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : typeof error.code === 'number' ? error.code : null, stdout, stderr });
    });
  });
}

const changes = `### QEMU 9.0.0 to 9.1.0

#### Monitor

3 changes: 2 breaking, 0 notable, 1 harmless.

##### Breaking

- \`query-x: arguments.a\`: mandatory argument \`a\` is new: calls that omit it are rejected
- \`query-y\`: the command was removed

##### Harmless

- \`query-x: arguments.b\`: optional argument \`b\` is new

#### Guest agent

3 changes: 2 breaking, 0 notable, 1 harmless. All are listed above.

#### Storage daemon

3 changes: 2 breaking, 0 notable, 1 harmless. All are listed above.
`;

describe('bump-qemu', { timeout: 240_000 }, () => {
  it('does nothing more in a second run, and prints what breaks', async () => {
    const base = makeRepository('twice');
    const bumped = await shell(base, 'scripts/bump-qemu 9.1.0');
    const [, pin = ''] =
      /"9\.1\.0": \{\s*"sha256": "([0-9a-f]{64})"/u.exec(filesIn(base)['schema/pins.json'] ?? '') ?? [];
    expect(bumped.stdout).toBe(`Bump QEMU from 9.0.0 to 9.1.0

Pinned in schema/pins.json: 9.1.0, sha256
${pin}

CHANGELOG.md lists these changes for clients, and the harmless ones.

Monitor: 3 changes: 2 breaking, 0 notable, 1 harmless.

Breaking:

- \`query-x: arguments.a\`: mandatory argument \`a\` is new: calls that omit it are rejected
- \`query-y\`: the command was removed

Guest agent: 3 changes: 2 breaking, 0 notable, 1 harmless. All are listed above.

Storage daemon: 3 changes: 2 breaking, 0 notable, 1 harmless. All are listed above.
`);
    const files = filesOf(base);
    expect(files).toMatchObject({
      'CHANGELOG.md': `# Changelog\n\n## Unreleased\n\n- An entry.\n\n${changes}\n## 1.0.0\n\n- An older one.\n`,
      'README.md': 'its output for QEMU 9.1\n\n`--qemu` accepts an embedded\nversion: 9.0 or 9.1.\n',
      'schema/current': '9.1.0\n',
    });
    expect(files['generated/qmp/client.ts']).toMatch(/^\/\/ .*QEMU 9\.1\.0/u);

    expect((await shell(base, 'scripts/bump-qemu 9.1.0')).stdout).toBe(bumped.stdout);
    expect(filesOf(base)).toEqual(files);
  });

  it('is completed by running it again, if interrupted, and check reports it until then', async () => {
    const base = makeRepository('interrupted');
    const bump = 'scripts/bump-qemu 9.1.0';
    // The changelog has been moved, but schema/current has not.
    const env = { QAPI_TS_FAULT: 'SIGKILL:5:renameSync' };
    const killed = await shell(base, `exec '${process.execPath}' --import '${fault}' ${bump}`, env);
    expect(killed.status).toBe(null);
    expect(readFileSync(join(base, 'CHANGELOG.md'), 'utf8')).toContain('### QEMU 9.0.0 to 9.1.0\n');
    expect(readFileSync(join(base, 'schema/current'), 'utf8')).toBe('9.0.0\n');
    expect(await shell(base, 'npx qapi-ts check')).toMatchObject({
      status: 1,
      stderr:
        'A run of bump-qemu was interrupted: its output may be incomplete. ' +
        'To fix this, run: scripts/bump-qemu VERSION\n',
    });
    expect(await shell(base, bump)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Bump QEMU from 9\.0\.0 to 9\.1\.0\n/u),
    });
    expect(readFileSync(join(base, 'CHANGELOG.md'), 'utf8')).toContain(changes);
    expect(readFileSync(join(base, 'schema/current'), 'utf8')).toBe('9.1.0\n');
    expect(readdirSync(base).filter((name) => name.startsWith('.qapi-ts'))).toEqual([]);
    expect(await shell(base, 'npx qapi-ts check')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });
});

it.each(['9.1.0', '--newest'])('a signal that ends a step of bump-qemu %s ends the script', async (argument) => {
  const base = makeRepository(`signal${argument}`);
  writeScript(base, 'scripts/install', 'kill -TERM $$');
  expect((await shell(base, `scripts/bump-qemu ${argument} || echo $?`)).stdout).toBe('143\n');
});

describe('--newest', { timeout: 60_000 }, () => {
  /** The stand-in's apt has one archive, with these versions of QEMU's source package. */
  function addApt(base: string, versions: readonly string[]): void {
    const sources = join(base, 'bin/sources.list');
    writeIn(base, 'bin/sources.list', 'deb http://archive.example/debian sid main\n');
    writeScript(base, 'bin/apt-config', `echo "LIST='${sources}'"; echo "PARTS='/nowhere'"`);
    writeScript(base, 'bin/apt-get', 'true');
    writeScript(base, 'bin/apt-cache', `printf 'Package: qemu\\nVersion: %s\\n\\n' ${versions.join(' ')}`);
  }

  let base: string;
  beforeAll(() => {
    base = makeRepository('newest');
  });

  const cases: { title: string; listed?: string; debian?: string[]; status: number; stderr: RegExp }[] = [
    {
      title: 'an older release',
      listed: '8.10.99',
      status: 0,
      stderr: /QEMU 9\.0\.1 is current: the newest release is 9\.0\.1\n$/u,
    },
    {
      title: "Debian's packages, without upstream",
      debian: ['1:8.2.0+ds-1', '1:9.0+dfsg-1', '1:9.1.0~rc1+ds-1'],
      status: 0,
      stderr: /QEMU 9\.0\.1 is current: the newest release is 9\.0\.0\n$/u,
    },
    {
      title: 'neither',
      status: 3,
      stderr:
        /Tried:\n {2}http:.*: the server responded 404 Not Found\n {2}Debian's source packages: .* no QEMU at all\n$/u,
    },
    {
      title: 'an empty list',
      listed: '',
      status: 3,
      stderr: /\/: no releases\n {2}Debian's source packages: .* no QEMU at all\n$/u,
    },
  ];
  it.each(cases)('changes nothing: $title', async ({ listed, debian = [], status, stderr }) => {
    writeIn(base, 'schema/current', '9.0.1\n');
    addApt(base, debian);
    served.delete('/');
    if (listed !== undefined) served.set('/', listed === '' ? 'Please log in.' : listing(listed));
    const before = filesOf(base);
    expect(await shell(base, 'scripts/bump-qemu --newest')).toEqual({
      status,
      stdout: '',
      stderr: expect.stringMatching(stderr),
    });
    expect(filesOf(base)).toEqual(before);
  });

  it('uses the user name and password of the mirror, and does not print them', async () => {
    const { port } = server.address() as AddressInfo;
    writeIn(base, 'schema/current', '9.0.1\n');
    addApt(base, []);
    const env = { QAPI_TS_MIRROR: `http://me:secret@127.0.0.1:${port}` };
    served.set('/', listing('8.10.99'));
    expect(await shell(base, 'scripts/bump-qemu --newest', env)).toMatchObject({ status: 0 });
    served.delete('/');
    const { status, stderr } = await shell(base, 'scripts/bump-qemu --newest', env);
    expect(status).toBe(3);
    expect(stderr).not.toContain('secret');
  });

  it('uses proxies', async () => {
    const proxy = await serveProxy();
    const { port } = server.address() as AddressInfo;
    writeIn(base, 'schema/current', '9.0.1\n');
    served.set('/', listing('8.10.99'));
    const env = { http_proxy: proxy.address, no_proxy: '' };
    expect(await shell(base, 'scripts/bump-qemu --newest', env)).toMatchObject({ status: 0 });
    expect(proxy.requests).toEqual([`GET http://127.0.0.1:${port}/`]);
  });
});

describe('the workflow', { timeout: 240_000 }, () => {
  const path = '.github/workflows/bump-qemu.yml';
  /** The commands of its steps. Formatting the file proves that it is YAML. */
  const steps = [
    ...readFileSync(join(repository, path), 'utf8').matchAll(/^ {8}run: (?:\|\n((?:(?: {10}.*)?\n)+)|(.*)\n)/gmu),
  ].map(([, block = '', line = '']) => line || block.replaceAll(/^ {10}/gmu, ''));

  /** Runs the steps in a clone of the repository, as on a fresh machine. */
  async function runIn(clone: string, base: string): Promise<{ message: string; ended: Ended[] }> {
    execFileSync('git', ['clone', '--quiet', '--depth=1', `file://${base}.git`, clone]);
    // What is not committed, such as installed programs.
    for (const name of ['generator', 'bin', 'node_modules']) copy(join(base, name), join(clone, name));
    const ended: Ended[] = [];
    for (const step of steps) ended.push(await shell(clone, step, { MESSAGE: `${clone}.message`, GH_TOKEN: 'none' }));
    return { message: readFileSync(`${clone}.message`, 'utf8'), ended };
  }

  it('has its steps checked by the shell', () => {
    expect(steps).toHaveLength(2);
    for (const step of steps)
      expect(runProgram('bash', ['-n', '-c', step], { cwd: folder })).toMatchObject({ status: 0, stderr: '' });
  });

  it('proposes a new release once, the same on every machine, with the changes and the pin in the text', async () => {
    const base = makeRepository('workflow');
    const git = (...args: string[]): string => execFileSync('git', ['-C', base, ...args], { encoding: 'utf8' });
    git('init', '--quiet', '--initial-branch=main');
    git('add', '--all');
    git('-c', 'user.name=x', '-c', 'user.email=x@example.com', 'commit', '--quiet', '--message=Initial');
    git('clone', '--quiet', '--bare', '.', `${base}.git`);

    const inOrigin = (...args: string[]): string =>
      execFileSync('git', ['-C', `${base}.git`, ...args], { encoding: 'utf8' });
    // Without the permission to create pull requests, the next run tries again.
    writeScript(base, 'bin/gh', 'exit 1');
    expect((await runIn(`${base}-0`, base)).ended).toMatchObject([{ status: 0 }, { status: 1 }]);
    expect(inOrigin('branch').trim()).toBe('* main');
    writeScript(base, 'bin/gh', gh);

    const first = await runIn(`${base}-1`, base);
    expect(
      first.ended.map(({ status }) => status),
      first.ended.map(({ stderr }) => stderr).join('\n'),
    ).toEqual([0, 0]);
    expect(first.message).toMatch(/^Bump QEMU from 9\.0\.0 to 9\.1\.0\n\n/u);
    expect(inOrigin('log', '-1', '--format=%B', 'bump-qemu-9.1.0').trim()).toBe(first.message.trim());
    expect(inOrigin('show', 'bump-qemu-9.1.0:schema/current')).toBe('9.1.0\n');
    const changed = inOrigin('diff', '--name-only', 'main', 'bump-qemu-9.1.0').trim().split('\n');
    expect(changed).toEqual(
      expect.arrayContaining([
        'CHANGELOG.md',
        'generated/qmp/client.ts',
        'schema/9.1.0/qapi/qapi-schema.json',
        'schema/pins.json',
      ]),
    );
    expect(changed.filter((name) => !/^(?:CHANGELOG\.md|README\.md|generated\/.*|schema\/.*)$/u.test(name))).toEqual(
      [],
    );

    const [, , , branch, , title, , bodyFile = ''] = readFileSync(`${base}-1/bin/gh.arguments`, 'utf8').split('\n');
    expect({ branch, title }).toEqual({ branch: 'bump-qemu-9.1.0', title: 'Bump QEMU from 9.0.0 to 9.1.0' });
    const body = readFileSync(bodyFile, 'utf8');
    expect(body).toContain(first.message.split('\n').slice(2).join('\n'));
    expect(body).toMatch(/^[0-9a-f]{64}$/mu);
    expect(body).toContain(`<details><summary>All changes</summary>\n\n${changes}\n\n</details>\n`);

    // A week later, it is still under review.
    const second = await runIn(`${base}-2`, base);
    expect(second).toMatchObject({ message: first.message, ended: [{ status: 0 }, { status: 0 }] });
    expect(existsSync(`${base}-2/bin/gh.arguments`)).toBe(false);
    expect(filesOf(`${base}-2`)).toEqual(filesOf(`${base}-1`));

    // After it has been merged.
    inOrigin('update-ref', 'refs/heads/main', 'bump-qemu-9.1.0');
    inOrigin('branch', '--quiet', '-D', 'bump-qemu-9.1.0');
    expect(await runIn(`${base}-3`, base)).toMatchObject({ message: '', ended: [{ status: 0 }, { status: 0 }] });
    expect(existsSync(`${base}-3/bin/gh.arguments`)).toBe(false);
    expect(inOrigin('branch').trim()).toBe('* main');
  });
});

function filesOf(base: string): Record<string, string> {
  const files = ['schema', 'generated'].map((name) =>
    Object.entries(filesIn(join(base, name))).map(([path, text]): [string, string] => [`${name}/${path}`, text]),
  );
  const others = ['CHANGELOG.md', 'README.md'].map((name): [string, string] => [
    name,
    readFileSync(join(base, name), 'utf8'),
  ]);
  return Object.fromEntries([...files.flat(), ...others]);
}
