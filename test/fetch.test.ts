import { execFile, execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { fault, runNode } from './support/command.js';
import { tarOf } from './support/tar.js';

const SCRIPTS = fileURLToPath(new URL('../scripts', import.meta.url));
const SCRIPT = join(SCRIPTS, 'fetch-qemu');
const GENERATOR = fileURLToPath(new URL('../generator', import.meta.url));

const WANTED = {
  VERSION: '9.8.7\n',
  'docs/interop/firmware.json': "{ 'struct': 'Kettle', 'data': { 'litres': 'int' } }\n",
  'qapi/blimp.json': "{ 'enum': 'Blimp', 'data': [ 'up', 'down' ] }\n",
  'qapi/qapi-schema.json': "{ 'include': 'blimp.json' }\n",
  'qga/qapi-schema.json': "{ 'command': 'guest-blink' }\n",
  'scripts/qapi-gen.py': 'pass\n',
  'scripts/qapi/main.py': 'pass\n',
  'storage-daemon/qapi/qapi-schema.json': "{ 'include': '../../qapi/blimp.json' }\n",
  'tests/qapi-schema/include/sub.json': '# nothing\n',
  'tests/qapi-schema/top.json': "{ 'include': 'include/sub.json' }\n",
};
const UNWANTED = {
  'docs/interop/kettle.json': '{}\n',
  'qapi/meson.build': '\n',
  'roms/toaster/VERSION': '1.0\n',
  'roms/toaster/qapi/qapi-schema.json': '# another\n',
  'scripts/bake.py': 'pass\n',
};
/** The digest as computed by coreutils, with the command line that the README documents. */
const DIGEST = '007487591dc0346f958c5dbaaaedc8b719d74295ab73009e99f58a2f94e0e152';
const OTHER_DIGEST = 'ab'.repeat(32);

let folder: string;
let tree: string;
let tarball: string;
/** The tarballs on the test's server, by URL path. */
let served: Map<string, string>;
let requests: string[];

const server = createServer((request, response) => {
  requests.push(request.url ?? '');
  const file = served.get(request.url ?? '');
  response.writeHead(file === undefined ? 404 : 200).end(file === undefined ? '' : readFileSync(file));
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fetch-test-'));
  tree = join(folder, 'qemu-9.8.7');
  tarball = join(folder, 'qemu-9.8.7.tar.xz');
  writeFiles(tree, { ...WANTED, ...UNWANTED });
  execFileSync('tar', ['-cJf', tarball, '-C', folder, 'qemu-9.8.7']);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
  served = new Map();
  requests = [];
});

function writeFiles(root: string, files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

function readFiles(root: string): Record<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

function locate(tool: string): string {
  const found = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((part) => join(part, tool))
    .find(existsSync);
  if (found === undefined) throw new Error(`${tool} is needed for this test`);
  return found;
}

interface Result {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A repository with only the script, the generator and pins. PATH has only the given tools: no apt, and no network. */
class Repository {
  readonly root = mkdtempSync(join(folder, 'repository-'));
  readonly cache = join(this.root, '.cache', 'qemu');
  readonly bin = join(this.root, 'bin');

  constructor(pins: Record<string, string>, tools: readonly string[] = ['xz']) {
    const pinned = Object.entries(pins).map(([version, sha256]) => [version, { sha256 }]);
    writeFiles(this.root, { 'schema/pins.json': JSON.stringify(Object.fromEntries(pinned)) });
    mkdirSync(join(this.root, 'scripts'));
    for (const name of ['fetch-qemu', 'debian.js']) copyFileSync(join(SCRIPTS, name), join(this.root, 'scripts', name));
    symlinkSync(GENERATOR, join(this.root, 'generator'));
    mkdirSync(this.bin);
    symlinkSync(process.execPath, join(this.bin, 'node'));
    for (const tool of tools) symlinkSync(locate(tool), join(this.bin, tool));
  }

  get pins(): string {
    return readFileSync(join(this.root, 'schema', 'pins.json'), 'utf8');
  }

  /** Puts substitutes for apt's programs on the PATH, and these files into the machine's apt configuration. */
  addApt(sources: Record<string, string>, debianVersions: readonly string[], pooled: readonly string[] = []): void {
    const etc = join(this.root, 'etc');
    writeFiles(etc, { 'sources.list.d/README': 'deb http://readme.example/debian sid main', ...sources });
    const showsrc = debianVersions
      .map((version) => `Package: qemu\nBinary: qemu-kettle\nVersion: ${version}\n`)
      .join('\n');
    const programs = {
      'apt-config': `console.log("LIST='${etc}/sources.list'\\nPARTS='${etc}/sources.list.d/'\\nMETHODS='${this.bin}/methods'")`,
      'apt-cache': `process.stdout.write(${JSON.stringify(showsrc)})`,
      'apt-get': `
        const fs = require('node:fs');
        const [, configuration, command, ...args] = process.argv.slice(2);
        if (command === 'update') {
          const [, parts] = /Dir::Etc::sourceparts "(.*)"/.exec(fs.readFileSync(configuration, 'utf8'));
          fs.copyFileSync(parts + '/debian.sources', '${this.root}/used.sources');
          console.error('E: one suite is missing');
          process.exit(100);
        }
        fs.writeFileSync('${this.root}/used.args', args.join(' '));
        fs.copyFileSync('${tarball}', 'qemu_1.orig.tar.xz');`,
      'apt-helper': `
        const [command, address, target] = process.argv.slice(2);
        if (command === 'download-file' && ${JSON.stringify(pooled)}.includes(address))
          require('node:fs').copyFileSync('${tarball}', target);
        else {
          console.error('E: Failed to fetch ' + address + '  404  Not Found');
          process.exit(100);
        }`,
    };
    for (const [name, code] of Object.entries(programs)) {
      writeFileSync(join(this.bin, name), `#!/usr/bin/env node\n${code}\n`, { mode: 0o755 });
    }
  }

  run(...args: string[]): Promise<Result> {
    const { port } = server.address() as AddressInfo;
    const env = { PATH: this.bin, QAPI_TS_MIRROR: `http://127.0.0.1:${port}/mirror/` };
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [join(this.root, 'scripts', 'fetch-qemu'), ...args],
        { env },
        (error, stdout, stderr) => {
          resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
        },
      );
    });
  }

  /** Returns the names in the cache directory; none if it does not exist. */
  get cached(): string[] {
    return existsSync(this.cache) ? readdirSync(this.cache) : [];
  }
}

test('it runs as a program', () => {
  expect(execFileSync(SCRIPT, ['--help'], { encoding: 'utf8' })).toMatch(/^Usage: scripts\/fetch-qemu VERSION/);
});

describe('usage errors', () => {
  test.each<[args: string[], message: RegExp]>([
    [[], /expected one VERSION/],
    [['9.8.7', '9.8.6'], /expected one VERSION/],
    [['--fast', '9.8.7'], /'--fast'/],
    [['--pin', '9.8'], /'9.8' is not a full version/],
    [['--pin', '../9.8.7'], /not a full version/],
    [['9.8.1'], /unknown QEMU version '9.8.1'; pinned versions: 9.8.7, 10.0.2\n.*--pin X.Y.Z/],
    [['9'], /unknown QEMU version '9'/],
    [['0.0'], /unknown QEMU version '0.0'/],
  ])('%j', async (args, message) => {
    const result = await new Repository({ '10.0.2': DIGEST, '9.8.7': DIGEST }).run(...args);
    expect(result).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(message) });
  });

  test('a mirror that is not an HTTP address', () => {
    const { root } = new Repository({ '9.8.7': DIGEST });
    const env = { QAPI_TS_MIRROR: 'ftp://mirror.example/' };
    const ended = runNode([join(root, 'scripts/fetch-qemu'), '9.8.7'], { cwd: root, env });
    expect(ended).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('QAPI_TS_MIRROR is not') });
  });
});

describe('--from', () => {
  test.each([
    ['a tree', () => tree],
    ['a tarball', () => tarball],
  ])('%s', async (_, from) => {
    const repository = new Repository({ '9.8.7': DIGEST });
    const result = await repository.run('9.8.7', '--from', from());
    expect(result).toEqual({ exitCode: 0, stdout: `${join(repository.cache, '9.8.7')}\n`, stderr: '' });
    expect(readFiles(join(repository.cache, '9.8.7'))).toEqual(WANTED);
    expect(repository.cached).toEqual(['9.8.7']);
  });

  test('a more complete tree replaces a cached one', async () => {
    const repository = new Repository({ '9.8.7': DIGEST });
    const { 'scripts/qapi-gen.py': _, ...less } = WANTED;
    writeFiles(join(repository.cache, '9.8.7'), less);
    expect(await repository.run('9.8.7', '--from', tree)).toMatchObject({ exitCode: 0 });
    expect(readFiles(join(repository.cache, '9.8.7'))).toEqual(WANTED);
    expect(repository.cached).toEqual(['9.8.7']);
  });

  test.each<[what: string, version: string, files: Record<string, string>, message: RegExp]>([
    ['another version', '9.8.7', { ...WANTED, VERSION: '9.8.6\n' }, /it is QEMU 9\.8\.6 instead of 9\.8\.7/],
    ['no version', '9.8.7', { 'qapi/qapi-schema.json': '' }, /not a release of QEMU/],
    ['no schema', '9.8.7', { VERSION: '9.8.7\n' }, /not a release of QEMU/],
    [
      'a change',
      '9.8.7',
      { ...WANTED, 'qapi/blimp.json': '#\n' },
      new RegExp(`pinned: sha256 ${DIGEST}\\n  found:  sha256 [0-9a-f]{64}`),
    ],
    ['a further schema file', '9.8.7', { ...WANTED, 'qapi/zeppelin.json': '#\n' }, /do not match the pinned digest/],
    [
      'another pin',
      '9.8.6',
      { ...WANTED, VERSION: '9.8.6\n' },
      new RegExp(`pinned: sha256 ${OTHER_DIGEST}\\n  found:  sha256 ${DIGEST}`),
    ],
  ])('rejects %s, and leaves nothing in the cache', async (_, version, files, message) => {
    const repository = new Repository({ '9.8.6': OTHER_DIGEST, '9.8.7': DIGEST });
    writeFiles(join(repository.root, 'given'), files);
    const result = await repository.run(version, '--from', join(repository.root, 'given'));
    expect(result).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringMatching(message) });
    expect(repository.cached).toEqual([]);
  });

  test.each<[what: string, make: (root: string) => void]>([
    ['the tree', (root) => rmSync(join(root, 'qapi'), { recursive: true })],
    ['a file', (root) => rmSync(join(root, 'qapi/blimp.json'))],
    ['the version', (root) => rmSync(join(root, 'VERSION'))],
  ])('does not follow a symbolic link in place of %s', async (_, remove) => {
    const repository = new Repository({ '9.8.7': DIGEST });
    const linked = join(repository.root, 'linked');
    writeFiles(linked, WANTED);
    remove(linked);
    for (const path of ['qapi', 'qapi/blimp.json', 'VERSION']) {
      if (!existsSync(join(linked, path))) symlinkSync(join(tree, path), join(linked, path));
    }
    expect(await repository.run('9.8.7', '--from', linked)).toMatchObject({ exitCode: 1, stdout: '' });
    expect(repository.cached).toEqual([]);
  });

  test('follows no links in a tarball, and treats no names as options', async () => {
    const repository = new Repository({ '9.8.7': DIGEST });
    const hostile = join(repository.root, 'a:b.tar');
    const entries = Object.entries(WANTED).map(([path, content]) => ({ path: `qemu-9.8.7/${path}`, content }));
    const options = ['--to-command=id > PWNED #', '--directory='].map((path) => ({ path: `${path}/VERSION` }));
    writeFileSync(hostile, tarOf([...entries, { path: 'qemu-9.8.7/docs', type: '2', link: '/etc' }]));
    expect(await repository.run('9.8.7', '--from', hostile)).toMatchObject({ exitCode: 0 });
    expect(readFiles(join(repository.cache, '9.8.7'))).toEqual(WANTED);
    writeFileSync(hostile, tarOf([...entries, ...options]));
    expect(await repository.run('9.8.7', '--from', hostile)).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(/several releases/),
    });
    writeFileSync(hostile, tarOf([...entries, { path: 'qemu-9.8.7/qapi/x.json', type: '2', link: '/etc/passwd' }]));
    expect(await repository.run('9.8.7', '--from', hostile)).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(/symbolic link/),
    });
  });

  test('a missing file, or one that is not an archive, is an I/O failure', async () => {
    const repository = new Repository({ '9.8.7': DIGEST });
    expect(await repository.run('9.8.7', '--from', 'nowhere')).toMatchObject({
      exitCode: 3,
      stderr: 'fetch-qemu: nowhere does not exist\n',
    });
    expect(await repository.run('9.8.7', '--from', SCRIPT)).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(/it is not a tar archive/),
    });
  });

  test('a tarball needs xz', async () => {
    const result = await new Repository({ '9.8.7': DIGEST }, []).run('9.8.7', '--from', tarball);
    expect(result).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(/cannot run xz to decompress it/),
    });
  });

  test('the generator has to be built', async () => {
    const repository = new Repository({ '9.8.7': DIGEST });
    rmSync(join(repository.root, 'generator'));
    const result = await repository.run('9.8.7', '--from', tarball);
    expect(result).toMatchObject({
      exitCode: 3,
      stderr: 'fetch-qemu: the generator is not built: run scripts/install first\n',
    });
  });

  test('a tree does not need xz', async () => {
    expect(await new Repository({ '9.8.7': DIGEST }, []).run('9.8.7', '--from', tree)).toMatchObject({ exitCode: 0 });
  });
});

describe('the cache', () => {
  test('is the first source', async () => {
    const repository = new Repository({ '9.8.7': DIGEST });
    writeFiles(join(repository.cache, '9.8.7'), WANTED);
    expect(await repository.run('9.8.7')).toMatchObject({
      exitCode: 0,
      stdout: `${join(repository.cache, '9.8.7')}\n`,
      stderr: '',
    });
    expect(requests).toEqual([]);
  });

  test('a short version means the newest pinned one', async () => {
    const repository = new Repository({ '9.8.7': DIGEST, '9.8.10': DIGEST, '9.80.11': DIGEST });
    writeFiles(join(repository.cache, '9.8.10'), WANTED);
    expect(await repository.run('9.8')).toMatchObject({ exitCode: 0, stdout: `${join(repository.cache, '9.8.10')}\n` });
  });

  test('is repaired if its content does not match the pin', async () => {
    const repository = new Repository({ '9.8.7': DIGEST });
    writeFiles(join(repository.cache, '9.8.7'), { ...WANTED, 'qapi/blimp.json': 'rust' });
    served.set('/mirror/qemu-9.8.7.tar.xz', tarball);
    expect(await repository.run('9.8.7')).toMatchObject({ exitCode: 0 });
    expect(readFiles(join(repository.cache, '9.8.7'))).toEqual(WANTED);
    expect(repository.cached).toEqual(['9.8.7']);
  });

  test('supports several runs at the same time', async () => {
    const repository = new Repository({ '9.8.7': DIGEST });
    served.set('/mirror/qemu-9.8.7.tar.xz', tarball);
    const results = await Promise.all(Array.from({ length: 4 }, () => repository.run('9.8.7')));
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
    expect(readFiles(join(repository.cache, '9.8.7'))).toEqual(WANTED);
    expect(repository.cached).toEqual(['9.8.7']);
  });
});

test.each(['SIGINT', 'SIGTERM'])('%s ends it, and leaves nothing in the cache', (signal) => {
  const { root, cache } = new Repository({ '9.8.7': DIGEST });
  const args = ['--import', fault, join(root, 'scripts/fetch-qemu'), '9.8.7', '--from', tree];
  // While the files are written.
  const ended = runNode(args, { cwd: root, env: { QAPI_TS_FAULT: `${signal}:6` } });
  expect(ended).toEqual({ status: null, stdout: '', stderr: '' });
  expect(existsSync(cache)).toBe(false);
});

describe("upstream's tarball", () => {
  test('is the next source', async () => {
    const repository = new Repository({ '9.8.7': DIGEST });
    served.set('/mirror/qemu-9.8.7.tar.xz', tarball);
    expect(await repository.run('9.8')).toMatchObject({ exitCode: 0, stdout: `${join(repository.cache, '9.8.7')}\n` });
    expect(readFiles(join(repository.cache, '9.8.7'))).toEqual(WANTED);
  });

  test('is rejected if it does not match the pin', async () => {
    const repository = new Repository({ '9.8.7': OTHER_DIGEST });
    served.set('/mirror/qemu-9.8.7.tar.xz', tarball);
    expect(await repository.run('9.8.7')).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringMatching(DIGEST),
    });
    expect(repository.cached).toEqual([]);
  });

  test.each([
    ['is missing', undefined, /the server responded 404 Not Found/],
    ['is something else', SCRIPT, /it is not a tar archive/],
  ])('that %s is reported together with all sources that were tried', async (_, file, reason) => {
    const repository = new Repository({ '9.8.7': DIGEST });
    if (file !== undefined) served.set('/mirror/qemu-9.8.7.tar.xz', file);
    const { exitCode, stderr } = await repository.run('9.8.7');
    const [, report] = stderr.split('is not available from any source.');
    expect(exitCode).toBe(3);
    expect(report).toMatch(/upstream's tarball http:\/\/127\.0\.0\.1:\d+\/mirror\/qemu-9\.8\.7\.tar\.xz: /);
    expect(report).toMatch(reason);
    expect(report).toMatch(/Debian's source package: apt-config is not installed/);
    expect(report).toMatch(/fetch-qemu 9\.8\.7 --from TARBALL_OR_TREE/);
    expect(repository.cached).toEqual([]);
  });
});

describe('--pin', () => {
  test('writes the pin of a new version, in order', async () => {
    const repository = new Repository({ '10.0.2': OTHER_DIGEST, '9.8.6': OTHER_DIGEST });
    served.set('/mirror/qemu-9.8.7.tar.xz', tarball);
    const result = await repository.run('--pin', '9.8.7');
    expect(result).toMatchObject({ exitCode: 0, stdout: `${join(repository.cache, '9.8.7')}\n` });
    expect(repository.pins).toBe(`{
  "9.8.6": {
    "sha256": "${OTHER_DIGEST}"
  },
  "9.8.7": {
    "sha256": "${DIGEST}"
  },
  "10.0.2": {
    "sha256": "${OTHER_DIGEST}"
  }
}
`);
  });

  test('keeps a pin that another run writes during the download', async () => {
    const repository = new Repository({});
    server.once('request', () => {
      writeFiles(repository.root, { 'schema/pins.json': JSON.stringify({ '9.8.6': { sha256: OTHER_DIGEST } }) });
    });
    served.set('/mirror/qemu-9.8.7.tar.xz', tarball);
    expect(await repository.run('--pin', '9.8.7')).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(repository.pins)).toEqual({ '9.8.6': { sha256: OTHER_DIGEST }, '9.8.7': { sha256: DIGEST } });
  });

  test('does not change a pin', async () => {
    const repository = new Repository({ '9.8.7': OTHER_DIGEST });
    const before = repository.pins;
    expect(await repository.run('--pin', '9.8.7', '--from', tree)).toMatchObject({ exitCode: 1 });
    expect(repository.pins).toBe(before);
  });

  test('does not pin another version', async () => {
    const repository = new Repository({});
    expect(await repository.run('--pin', '9.8.8', '--from', tree)).toMatchObject({ exitCode: 1 });
    expect(repository.pins).toBe('{}');
  });
});

describe("Debian's source package", () => {
  const ONE_LINE = 'deb http://one.example/debian bookworm main\n';

  test.each([
    ['9.8.7', ['1:9.8.6+ds-1', '1:9.8.7+ds-0+deb13u1', '1:11.0.0~rc1+ds-1'], '1:9.8.7+ds-0+deb13u1'],
    ['9.8.7', ['1:9.8.7-2~bpo12+1'], '1:9.8.7-2~bpo12+1'],
    ['9.8.0', ['1:9.8~rc3+dfsg-1', '1:9.8+dfsg-7+deb12u18'], '1:9.8+dfsg-7+deb12u18'],
  ])('of %s among %j', async (version, debianVersions, want) => {
    const repository = new Repository({ [version]: DIGEST });
    repository.addApt({ 'sources.list': ONE_LINE }, debianVersions);
    const { exitCode } = await repository.run(version);
    expect(readFileSync(join(repository.root, 'used.args'), 'utf8')).toMatch(
      new RegExp(` qemu=${want.replaceAll('+', '\\+')}$`),
    );
    // The substitute for apt-get always delivers 9.8.7.
    expect(exitCode).toBe(version === '9.8.7' ? 0 : 1);
  });

  test('is reported as missing if no suite has it', async () => {
    const repository = new Repository({ '9.8.7': DIGEST });
    repository.addApt({ 'sources.list': ONE_LINE }, ['1:9.8.6+ds-1', '1:19.8.7+ds-1', '1:9.8.7~rc1+ds-1']);
    const result = await repository.run('9.8.7');
    expect(result).toMatchObject({ exitCode: 3, stdout: '' });
    expect(result.stderr).toMatch(
      /only 1:9\.8\.6\+ds-1, 1:19\.8\.7\+ds-1, 1:9\.8\.7~rc1\+ds-1\n.*E: one suite is missing/,
    );
    expect(result.stderr).toMatch(
      /Debian's pool: .*apt-helper failed: .*one\.example\/debian\/pool\/main\/q\/qemu\/qemu_9\.8\.7\+ds\.orig\.tar\.xz  404/,
    );
  });

  test.each<[pin: string, want: { exitCode: number; cached: string[] }]>([
    [DIGEST, { exitCode: 0, cached: ['9.8.7'] }],
    [OTHER_DIGEST, { exitCode: 1, cached: [] }],
  ])('comes from the pool if no suite has it, verified by the pin %s', async (pin, { exitCode, cached }) => {
    const repository = new Repository({ '9.8.7': pin });
    // The first archive of the two does not have it.
    const sources = { 'sources.list': `${ONE_LINE}deb http://two.example/debian sid main\n` };
    const address = 'http://two.example/debian/pool/main/q/qemu/qemu_9.8.7+ds.orig.tar.xz';
    repository.addApt(sources, ['1:9.8.6+ds-1'], [address]);
    expect((await repository.run('9.8.7')).exitCode).toBe(exitCode);
    expect(repository.cached).toEqual(cached);
  });

  test('is not pinned if it comes from the pool, because nothing verifies it', async () => {
    const repository = new Repository({});
    const address = 'http://one.example/debian/pool/main/q/qemu/qemu_9.8.7+ds.orig.tar.xz';
    repository.addApt({ 'sources.list': ONE_LINE }, ['1:9.8.6+ds-1'], [address]);
    expect(await repository.run('--pin', '9.8.7')).toMatchObject({ exitCode: 3, stdout: '' });
    expect(repository.pins).toBe('{}');
    expect(repository.cached).toEqual([]);
  });

  const stanza = (uri: string, signedBy = '') =>
    `Types: deb-src\nURIs: ${uri}\nSuites: bullseye bookworm trixie sid\nComponents: main\n${signedBy}`;

  test.each<[what: string, sources: Record<string, string>, want: string]>([
    ['one line', { 'sources.list': ONE_LINE }, stanza('http://one.example/debian/')],
    [
      'options and a comment',
      {
        'sources.list':
          '# deb http://off.example/debian sid main\n deb [ arch=amd64 signed-by=/k.gpg ]  http://one.example/debian/ sid contrib main # x\n',
      },
      stanza('http://one.example/debian/', 'Signed-By: /k.gpg\n'),
    ],
    [
      'other archives, and one archive listed twice',
      {
        'sources.list':
          'deb http://other.example/linux/debian bookworm stable\ndeb cdrom:[Debian 12]/ bookworm main\ndeb file:/pool ./\n',
        'sources.list.d/a.list':
          'deb http://one.example/debian trixie main\ndeb-src http://one.example/debian trixie-updates main\n',
        'sources.list.d/b.list':
          'deb http://one.example/security trixie-security main\ndeb http://one.example/debian/ sid main\n',
        'sources.list.d/c.list.disabled': 'deb http://off.example/debian sid main\n',
      },
      stanza('http://one.example/debian/'),
    ],
    [
      'deb822',
      {
        'sources.list.d/debian.sources': `Types: deb
# http://comment.example/debian
URIs: http://one.example/debian http://two.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/some.gpg

Types: deb
URIs: http://one.example/debian-security
Suites: bookworm-security
Components: main
`,
      },
      stanza('http://one.example/debian/', 'Signed-By: /usr/share/keyrings/some.gpg\n'),
    ],
    [
      'deb822 with an inline key, and a disabled stanza',
      {
        'sources.list.d/debian.sources': `
Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: stable
Components: main

enabled: yes
types: deb
uris:
# http://comment.example/debian
 mirror+file:///mirrors
suites: stable
components: main
signed-by:
 -----BEGIN KEY-----
 .
 abc
 -----END KEY-----
`,
      },
      stanza('mirror+file:///mirrors/', 'Signed-By: -----BEGIN KEY-----\n .\n abc\n -----END KEY-----\n'),
    ],
    [
      'two archives',
      { 'sources.list': ONE_LINE, 'sources.list.d/b.list': 'deb http://two.example/debian unstable main\n' },
      `${stanza('http://one.example/debian/')}\n${stanza('http://two.example/debian/')}`,
    ],
  ])('from apt sources with %s', async (_, sources, want) => {
    const repository = new Repository({ '9.8.7': DIGEST });
    repository.addApt(sources, ['1:9.8.7+ds-1']);
    expect(await repository.run('9.8.7')).toMatchObject({
      exitCode: 0,
      stdout: `${join(repository.cache, '9.8.7')}\n`,
    });
    expect(readFileSync(join(repository.root, 'used.sources'), 'utf8')).toBe(want);
  });

  test('requires apt sources with a Debian archive', async () => {
    const repository = new Repository({ '9.8.7': DIGEST });
    repository.addApt({ 'sources.list': 'deb http://archive.example/ubuntu noble main\n' }, []);
    const result = await repository.run('9.8.7');
    expect(result).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(/apt sources of this machine .* do not contain a Debian archive/),
    });
  });
});
