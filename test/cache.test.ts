/** `qapi-ts fetch`, the cache that it fills, and the commands that use it. */

import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test, vi } from 'vitest';

import { FileError, ReleaseError, ServerError, UsageError } from '../generator/src/errors.js';
import { cacheFolder, cachedVersions, readCached } from '../generator/src/sources/cache.js';
import { downloadLimits } from '../generator/src/sources/download.js';
import { fetchRelease, releaseAddress, type Fetched } from '../generator/src/sources/fetch.js';
import { digestOf } from '../generator/src/sources/release.js';
import { fault, filesIn, installCopy, temporaryFolder, writeIn, writeQemu, type Ended } from './support/command.js';
import { runAsync } from './support/run.js';
import { tarOf, type TarEntry } from './support/tar.js';
import { redirecting, sending, serve, type Serve, type Web } from './support/web.js';

const version = '9.8.7';
const schema = `##
# @boil:
#
# Boils water in a kettle.
#
# Since: 9.8
##
{ 'command': 'boil' }
`;
/** The schema files of a small QEMU. */
const schemas: Record<string, string> = {
  'docs/interop/firmware.json': "{ 'struct': 'Kettle', 'data': { 'litres': 'int' } }\n",
  'qapi/qapi-schema.json': "{ 'include': 'water.json' }\n",
  'qapi/water.json': schema,
  'qga/qapi-schema.json': schema,
  'storage-daemon/qapi/qapi-schema.json': "{ 'include': '../../qapi/water.json' }\n",
};
/** What coreutils make of them, with the command of `digestOf`. */
const digest = 'f3c70c7adb7dc7c44f0aafb3d1c907a00b1f2b74de9b53cc352d6f889b2e2156';
const otherDigest = 'ab'.repeat(32);

/** Returns a release with these files, or other ones in their place. */
function release(others: Record<string, string> = {}, named = version, further: TarEntry[] = []): Buffer {
  const files = {
    VERSION: `${named}\n`,
    'README.rst': 'QEMU\n',
    'roms/kettle/qapi/qapi-schema.json': '# another\n',
    ...schemas,
    ...others,
  };
  const entries = Object.entries(files).map(([path, text]) => ({ path: `qemu-${named}/${path}`, content: text }));
  return tarOf([...entries, ...further]);
}

let web: Web;
let base: string;
let cache: string;
let served: string;
beforeAll(async () => {
  web = await serve();
  base = temporaryFolder('cache');
});
afterAll(() => rmSync(base, { recursive: true }));

let count = 0;
beforeEach(() => {
  web.served.clear();
  web.requests.length = 0;
  cache = join(base, `cache-${(count += 1)}`, 'qapi-ts');
  served = `/mirror/qemu-${version}.tar.xz`;
  web.served.set(served, sending(release()));
  vi.stubEnv('QAPI_TS_CACHE', cache);
  vi.stubEnv('QAPI_TS_MIRROR', `${web.address}mirror/`);
});
afterEach(() => void vi.unstubAllEnvs());

function content(files: Record<string, string> = schemas, sha256 = digest): Record<string, string> {
  return { digest: `${sha256}\n`, ...files };
}

function cached(): Record<string, Record<string, string>> {
  const names = existsSync(cache) ? readdirSync(cache) : [];
  return Object.fromEntries(names.map((name) => [name, filesIn(join(cache, name))]));
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  return error as Error;
}

test('the digest is that of coreutils', () => {
  const folder = join(base, 'tree');
  for (const [path, text] of Object.entries(schemas)) writeIn(folder, path, text);
  const script = `export LC_ALL=C; ls docs/interop/firmware.json {qapi/*,qga/qapi-schema,storage-daemon/qapi/qapi-schema}.json |
    sort | xargs sha256sum | sha256sum`;
  const { stdout } = spawnSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8' });
  expect(stdout.slice(0, 64)).toBe(digest);
  expect(digestOf(new Map(Object.entries(schemas).map(([path, text]) => [path, Buffer.from(text)])))).toBe(digest);
});

describe('the directory of the cache', () => {
  const home = (): string => '/home/me';
  test.each<[env: NodeJS.ProcessEnv, platform: NodeJS.Platform, home: () => string, want: string | undefined]>([
    [{}, 'linux', home, '/home/me/.cache/qapi-ts'],
    [{ XDG_CACHE_HOME: '/var/cache/me' }, 'linux', home, '/var/cache/me/qapi-ts'],
    [{ XDG_CACHE_HOME: 'relative' }, 'linux', home, '/home/me/.cache/qapi-ts'],
    [{ XDG_CACHE_HOME: '' }, 'freebsd', home, '/home/me/.cache/qapi-ts'],
    [{ XDG_CACHE_HOME: '/x' }, 'darwin', home, '/home/me/Library/Caches/qapi-ts'],
    [{ LOCALAPPDATA: 'D:\\me\\Local', XDG_CACHE_HOME: 'C:\\x' }, 'win32', home, 'D:\\me\\Local\\qapi-ts'],
    [{}, 'win32', () => 'C:\\me', 'C:\\me\\AppData\\Local\\qapi-ts'],
    [{ QAPI_TS_CACHE: '/mine', XDG_CACHE_HOME: '/x' }, 'linux', home, '/mine'],
    [{ QAPI_TS_CACHE: 'mine' }, 'linux', home, join(process.cwd(), 'mine')],
    [{ QAPI_TS_CACHE: '' }, 'linux', home, '/home/me/.cache/qapi-ts'],
    [{}, 'linux', () => '', undefined],
    [
      {},
      'linux',
      () => {
        throw new Error('no entry');
      },
      undefined,
    ],
  ])('with %j on %s', (env, platform, homedir, want) => {
    expect(cacheFolder(env, platform, homedir)).toBe(want);
  });

  it('cannot be found without a home directory', async () => {
    vi.stubEnv('QAPI_TS_CACHE', '');
    vi.stubEnv('XDG_CACHE_HOME', '');
    vi.stubEnv('HOME', '');
    expect(cachedVersions()).toEqual([]);
    await expect(fetchRelease(version, { digest })).rejects.toThrow('set QAPI_TS_CACHE');
  });
});

function compress(bytes: Buffer): Buffer {
  return spawnSync('xz', ['-c'], { input: bytes }).stdout;
}

describe('fetch', () => {
  test.each<[what: string, make: (bytes: Buffer) => Buffer]>([
    ['with xz', compress],
    ['with gzip', gzipSync],
    ['not', (bytes) => bytes],
  ])('takes a tarball that is compressed %s', async (_, make) => {
    web.served.set(served, sending(make(release())));
    const fetched: Fetched = { version, folder: join(cache, version), isNew: true };
    expect(await fetchRelease(version, { digest: digest.toUpperCase() })).toEqual(fetched);
    expect(cached()).toEqual({ [version]: content() });
    expect(web.requests).toEqual([`GET ${served}`]);
  });

  it('asks only the first time', async () => {
    await fetchRelease(version, { digest });
    web.served.clear();
    vi.stubEnv('QAPI_TS_MIRROR', 'http://kettle.invalid/');
    const fetched = { version, folder: join(cache, version), isNew: false };
    expect(await fetchRelease(version, { digest })).toEqual(fetched);
    expect(await fetchRelease(version)).toEqual(fetched);
    expect(web.requests).toEqual([`GET ${served}`]);
  });

  it('refuses a release without a digest, and tells the digest that it has', async () => {
    const error = await failure(fetchRelease(version));
    expect(error).toBeInstanceOf(ReleaseError);
    expect(error.message).toContain(
      `QEMU 9.8.7 cannot be verified, because this package does not know its digest. The schemas in this file have the digest ${digest}.`,
    );
    expect(error.message).toContain(`npx qapi-ts fetch 9.8.7 --digest ${digest}`);
    expect(cached()).toEqual({});
  });

  it('replaces a release by that of another digest, only if it has it', async () => {
    await fetchRelease(version, { digest });
    await expect(fetchRelease(version, { digest: otherDigest })).rejects.toThrow(
      `the schemas have the digest ${digest} instead of ${otherDigest}`,
    );
    expect(cached()).toEqual({ [version]: content() });
    const changed = { 'qapi/water.json': schema.replace('kettle', 'pot') };
    web.served.set(served, sending(release(changed)));
    const found = /digest ([0-9a-f]{64}) instead/u.exec(
      (await failure(fetchRelease(version, { digest: otherDigest }))).message,
    )?.[1];
    await fetchRelease(version, { digest: found ?? '' });
    expect(cached()).toEqual({ [version]: content({ ...schemas, ...changed }, found) });
  });

  it('verifies a pinned release by its pin', async () => {
    web.served.set('/mirror/qemu-10.2.2.tar.xz', sending(release({}, '10.2.2')));
    for (const wanted of ['10.2.2', '10.2']) {
      const error = await failure(fetchRelease(wanted));
      expect(error).toBeInstanceOf(ReleaseError);
      expect(error.message).toMatch(
        new RegExp(`qemu-10\\.2\\.2\\.tar\\.xz: the schemas have the digest ${digest} instead of [0-9a-f]{64}$`, 'u'),
      );
    }
    const requests = web.requests.length;
    const error = await failure(fetchRelease('10.2.2', { digest }));
    expect(error).toBeInstanceOf(ReleaseError);
    expect(error.message).toMatch(
      new RegExp(`^the schemas of QEMU 10\\.2\\.2 have the digest [0-9a-f]{64}, not ${digest}$`, 'u'),
    );
    expect(web.requests).toHaveLength(requests);
    expect(cached()).toEqual({});
  });

  test.each<[wanted: string, options: { digest?: string }, want: RegExp]>([
    ['9.8', {}, /expected a full QEMU version such as 8\.2\.0, not '9\.8'/u],
    ['v9.8.7', {}, /expected a full QEMU version/u],
    ['../9.8.7', {}, /expected a full QEMU version/u],
    ['9.8.7-rc1', {}, /expected a full QEMU version/u],
    ['4.2.0', {}, /expected QEMU version 5\.2 or later/u],
    ['9.8.7', { digest: 'abc' }, /--digest requires a SHA-256 digest/u],
    ['9.8.7', { digest: '' }, /--digest requires a SHA-256 digest/u],
  ])('is a usage error: %s %j', async (wanted, options, want) => {
    const error = await failure(fetchRelease(wanted, options));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toMatch(want);
    expect(web.requests).toEqual([]);
  });

  test.each<[mirror: string | undefined, want: string | undefined]>([
    [undefined, 'https://download.qemu.org/qemu-9.8.7.tar.xz'],
    ['', 'https://download.qemu.org/qemu-9.8.7.tar.xz'],
    ['http://mirror.example', 'http://mirror.example/qemu-9.8.7.tar.xz'],
    ['https://mirror.example/a/b//', 'https://mirror.example/a/b/qemu-9.8.7.tar.xz'],
    ['ftp://mirror.example', undefined],
    ['mirror.example', undefined],
    ['/srv/mirror', undefined],
  ])('from the mirror %s', (mirror, want) => {
    const address = (): string => releaseAddress(version, { QAPI_TS_MIRROR: mirror }).href;
    if (want !== undefined) expect(address()).toBe(want);
    else expect(address).toThrow(new UsageError('the environment variable QAPI_TS_MIRROR is not an HTTP address'));
  });

  const root = `qemu-${version}`;
  const big = { path: `${root}/qapi/big.json`, content: Buffer.alloc((4 << 20) + 1) };
  test.each<[what: string, bytes: Uint8Array, want: RegExp]>([
    ['another version', release({ VERSION: '9.8.6\n' }), /it is QEMU 9\.8\.6 instead of 9\.8\.7$/u],
    [
      'no version',
      tarOf([{ path: `${root}/qapi/qapi-schema.json` }]),
      /it is not a release of QEMU: it has no VERSION$/u,
    ],
    ['no schema', tarOf([{ path: `${root}/VERSION`, content: version }]), /it has no qapi\/qapi-schema\.json$/u],
    ['a further schema file', release({ 'qapi/tea.json': '# tea\n' }), /instead of f3c7/u],
    ['a page', Buffer.from('<html>'.repeat(200)), /it is not a tar archive/u],
    ['nothing', Buffer.alloc(0), /it ends unexpectedly$/u],
    ['the beginning of an archive', release().subarray(0, 3000), /it ends unexpectedly$/u],
    ['the beginning of a gzip file', gzipSync(release()).subarray(0, -10), /unexpected end of file$/u],
    ['the beginning of an xz file', compress(release()).subarray(0, -30), /end of input$/u],
    [
      'a link',
      release({}, version, [{ path: `${root}/qapi/x.json`, type: '2', link: '/etc/passwd' }]),
      /it is a symbolic link/u,
    ],
    [
      'a hard link',
      release({}, version, [{ path: `${root}/qapi/x.json`, type: '1', link: '/etc/passwd' }]),
      /it is a hard link/u,
    ],
    ['a FIFO', release({}, version, [{ path: `${root}/qapi/x.json`, type: '6' }]), /it is a FIFO/u],
    ['a file twice', release({}, version, [{ path: `${root}/qapi/water.json`, content: '#\n' }]), /it occurs twice/u],
    ['another release, too', release({}, version, [{ path: 'x/VERSION' }]), /several releases/u],
    ['a large file', release({}, version, [big]), /it is larger than 4194304 bytes/u],
  ])('refuses %s', async (_, bytes, want) => {
    web.served.set(served, sending(bytes));
    const error = await failure(fetchRelease(version, { digest }));
    expect(error).toBeInstanceOf(ReleaseError);
    expect(error.message).toContain(`${web.address}mirror/qemu-9.8.7.tar.xz: `);
    expect(error.message).toMatch(want);
    expect(cached()).toEqual({});
  });

  it('keeps the bytes of files, also if they are not UTF-8', async () => {
    const bytes = Buffer.from('# caf\u00e9\n', 'latin1');
    const further = [{ path: `${root}/qapi/cafe.json`, content: bytes }];
    web.served.set(served, sending(release({}, version, further)));
    const found = /digest ([0-9a-f]{64})\./u.exec((await failure(fetchRelease(version))).message)?.[1];
    await fetchRelease(version, { digest: found ?? '' });
    expect(readFileSync(join(cache, version, 'qapi/cafe.json')).equals(bytes)).toBe(true);
    expect(readCached(version)?.files).toBeDefined();
  });

  it('writes nothing else of an archive, wherever its paths lead', async () => {
    const paths = [
      `${root}/../../evil`,
      `${root}/qapi/../../../evil.json`,
      '/tmp/qapi-ts-evil',
      `${root}/qapi/.x.json`,
      '--to-command=x',
    ];
    const further = [
      ...paths.map((path) => ({ path, content: 'evil' })),
      { path: `${root}/docs`, type: '2', link: '/etc' },
      { path: `${root}/x`, type: '1', link: '../../evil' },
    ];
    web.served.set(served, sending(release({}, version, further)));
    await fetchRelease(version, { digest });
    expect(cached()).toEqual({ [version]: content() });
    expect(readdirSync(join(cache, '..'))).toEqual(['qapi-ts']);
    expect(existsSync('/tmp/qapi-ts-evil')).toBe(false);
  });

  const stalled: Serve = (_, response) => void response.writeHead(200).write(release().subarray(0, 2000));
  test.each<[what: string, serve: Serve, want: RegExp]>([
    ['missing', (_, response) => void response.writeHead(404).end(), /the server responded 404 Not Found$/u],
    ['broken', (_, response) => void response.writeHead(500).end(), /the server responded 500/u],
    [
      'cut',
      (_, response) => void response.writeHead(200, { 'content-length': 9000 }).write('x', () => response.destroy()),
      /closed after \d+ bytes$/u,
    ],
    [
      'cut in xz',
      (_, response) => {
        const bytes = compress(release());
        response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 200));
        setTimeout(() => response.destroy(), 50);
      },
      /closed after 200 bytes$/u,
    ],
    ['stalled', stalled, /the server sent nothing for 0\.3 s$/u],
    ['redirected in a loop', redirecting(`/mirror/qemu-${version}.tar.xz`), /more than 5 times$/u],
  ])('of a release that is %s keeps the cache as it is', async (_, one, want) => {
    await fetchRelease(version, { digest });
    web.served.set(served, one);
    const error = await failure(
      fetchRelease(version, { digest: otherDigest, limits: { ...downloadLimits, silence: 300 } }),
    );
    expect(error).toBeInstanceOf(ServerError);
    expect(error.message).toMatch(want);
    expect(cached()).toEqual({ [version]: content() });
  });

  it('notices before the download that the cache cannot be written', async () => {
    mkdirSync(join(cache, '..'));
    writeFileSync(cache, '');
    await expect(fetchRelease(version, { digest })).rejects.toThrow(/EEXIST|ENOTDIR/u);
    vi.stubEnv('QAPI_TS_CACHE', '/proc/qapi-ts');
    await expect(fetchRelease(version, { digest })).rejects.toThrow(/ENOENT|EACCES/u);
    expect(web.requests).toEqual([]);
  });

  it('leaves alone what is not a directory of a version', async () => {
    mkdirSync(cache, { recursive: true });
    writeFileSync(join(cache, version), 'mine');
    expect(cachedVersions()).toEqual([]);
    await expect(fetchRelease(version, { digest })).rejects.toThrow(
      `'${join(cache, version)}' is not a directory of a version's schemas: delete it`,
    );
    expect(readFileSync(join(cache, version), 'utf8')).toBe('mine');
  });

  it('needs xz only for xz', async () => {
    const compressed = compress(release());
    vi.stubEnv('PATH', base);
    await fetchRelease(version, { digest });
    web.served.set('/mirror/qemu-9.8.8.tar.xz', sending(compressed));
    const error = await failure(fetchRelease('9.8.8', { digest }));
    expect(error).toBeInstanceOf(FileError);
    expect(error.message).toBe(
      `${web.address}mirror/qemu-9.8.8.tar.xz: cannot run xz to decompress it (is xz installed?)`,
    );
  });
});

describe('a damaged version in the cache', () => {
  const water = join(version, 'qapi/water.json');
  const damages: [what: string, damage: () => void][] = [
    ['a changed file', () => appendFileSync(join(cache, water), ' ')],
    ['a cut file', () => writeFileSync(join(cache, water), '')],
    ['a missing file', () => unlinkSync(join(cache, water))],
    ['a further file', () => writeFileSync(join(cache, version, 'qapi/tea.json'), '')],
    [
      'a link to the right content',
      () => {
        const moved = join(base, `moved-${count}`);
        writeFileSync(moved, schema);
        rmSync(join(cache, water));
        symlinkSync(moved, join(cache, water));
      },
    ],
    [
      'a directory for a file',
      () => {
        unlinkSync(join(cache, water));
        mkdirSync(join(cache, water));
      },
    ],
    [
      'a FIFO for a file',
      () => {
        unlinkSync(join(cache, water));
        spawnSync('mkfifo', [join(cache, water)]);
      },
    ],
    [
      'nothing but its directory',
      () => {
        rmSync(join(cache, version), { recursive: true });
        mkdirSync(join(cache, version));
      },
    ],
    ['a changed digest', () => writeFileSync(join(cache, version, 'digest'), otherDigest)],
    ['no digest', () => unlinkSync(join(cache, version, 'digest'))],
    ['a digest that is none', () => writeFileSync(join(cache, version, 'digest'), 'x')],
  ];
  test.each(damages)('is noticed and replaced: %s', async (_, damage) => {
    await fetchRelease(version, { digest });
    expect(readCached(version)?.files).toBeDefined();
    damage();
    expect(cachedVersions()).toEqual([version]);
    expect(readCached(version)?.files).toBeUndefined();
    const damaged: string[] = [];
    const options = { digest, onDamaged: ({ folder }: { folder: string }) => void damaged.push(folder) };
    expect(await fetchRelease(version, options)).toMatchObject({ isNew: true });
    expect(damaged).toEqual([join(cache, version)]);
    expect(cached()).toEqual({ [version]: content() });
  });

  it('is verified by the digest that it was fetched with', async () => {
    await fetchRelease(version, { digest });
    appendFileSync(join(cache, water), ' ');
    expect(await fetchRelease(version)).toMatchObject({ isNew: true });
    expect(cached()).toEqual({ [version]: content() });
  });
});

describe('the commands', () => {
  const prose = 'Boils water in a kettle.';
  const pinned = release({}, '9.0.0');
  let program: string;
  let installed: string;
  let cwd: string;
  beforeAll(() => {
    installed = join(base, 'installed');
    program = installCopy(installed);
    writeQemu(join(installed, 'schema/9.0.0'), `##\n# @boil:\n#\n# Since: 9.8\n##\n{ 'command': 'boil' }`);
    writeIn(installed, 'schema/current', '9.0.0\n');
    writeIn(installed, 'schema/pins.json', JSON.stringify({ '9.0.0': { sha256: digest } }));
  });
  beforeEach(() => {
    cwd = join(base, `work-${count}`);
    mkdirSync(cwd);
    web.served.set('/mirror/qemu-9.0.0.tar.xz', sending(pinned));
  });

  function run(
    args: readonly string[],
    env: Record<string, string> = {},
    options: readonly string[] = [],
  ): Promise<Ended> {
    return runAsync(process.execPath, [...options, program, ...args], env, cwd);
  }

  const client = (): string => readFileSync(join(cwd, 'out/qmp/client.ts'), 'utf8');

  test('fetch prints the directory, and nothing else to stdout', async () => {
    const stdout = `${join(cache, '9.0.0')}\n`;
    expect(await run(['fetch', '9.0'])).toEqual({ status: 0, stdout, stderr: 'QEMU 9.0.0: downloaded and verified\n' });
    expect(await run(['fetch', '9.0'])).toEqual({ status: 0, stdout, stderr: 'QEMU 9.0.0: already in the cache\n' });
    unlinkSync(join(cache, '9.0.0/qapi/water.json'));
    expect(await run(['fetch', '9.0'])).toEqual({
      status: 0,
      stdout,
      stderr: `The schemas of QEMU 9.0.0 in '${join(cache, '9.0.0')}' are damaged: downloading them again.\nQEMU 9.0.0: downloaded and verified\n`,
    });
  });

  test.each<[args: string[], env: Record<string, string>, status: number, stderr: RegExp]>([
    [['9.8.7'], {}, 1, new RegExp(`^error: .*have the digest ${digest}.*\\n$`, 'u')],
    [
      ['9.8.7', '--digest', otherDigest],
      {},
      1,
      new RegExp(`^error: .* digest ${digest} instead of ${otherDigest}\\n$`, 'u'),
    ],
    [['9.8'], {}, 2, /^error: expected a full QEMU version.*\n\(see qapi-ts fetch --help\)\n$/u],
    [[], {}, 2, /missing required argument 'version'/u],
    [['9.8.7'], { QAPI_TS_MIRROR: 'kettle' }, 2, /QAPI_TS_MIRROR is not an HTTP address/u],
    [['9.8.7'], { HTTP_PROXY: 'socks://x', no_proxy: '' }, 2, /HTTP_PROXY is not the address/u],
    [
      ['9.8.9'],
      {},
      3,
      /^error: cannot download http:\S+\/mirror\/qemu-9\.8\.9\.tar\.xz: the server responded 404 Not Found\n$/u,
    ],
    [
      ['9.8.7', '--digest', digest],
      { QAPI_TS_CACHE: '/dev/null/cache' },
      3,
      /^error: cannot open '\/dev\/null\/cache\/9\.8\.7': part of its path is not a directory\n$/u,
    ],
  ])('fetch fails: %j %j', async (args, env, status, stderr) => {
    const { stderr: found, ...others } = await run(['fetch', ...args], env);
    expect(others).toEqual({ status, stdout: '' });
    expect(found).toMatch(stderr);
    expect(cached()).toEqual({});
  });

  test('versions lists what is embedded, cached and current', async () => {
    expect(await run(['versions'])).toEqual({ status: 0, stdout: '9.0.0  embedded  current\n', stderr: '' });
    for (const [one, sha256] of [['9.0.0'], ['9.8.7', digest], ['9.8.10', digest]] as const) {
      web.served.set(`/mirror/qemu-${one}.tar.xz`, sending(release({}, one)));
      await run(['fetch', one, ...(sha256 === undefined ? [] : ['--digest', sha256])]);
    }
    appendFileSync(join(cache, '9.8.7/qapi/water.json'), ' ');
    mkdirSync(join(cache, 'other'));
    writeFileSync(join(cache, '9.9.9'), '');
    expect(await run(['versions'])).toEqual({
      status: 0,
      stdout: '9.0.0   embedded, cached  current\n9.8.7   cached (damaged)\n9.8.10  cached\n',
      stderr: '',
    });
  });

  test('generate uses a cached version like an embedded one, with documentation', async () => {
    expect(await run(['generate', '--qemu', '9.8', '--out', 'out'])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(
        /^error: QEMU 9\.8 is neither embedded \(9\.0\.0\) nor cached \(none\); to download .*, run: npx qapi-ts fetch 9\.8\.0, or another/u,
      ),
    });
    await run(['fetch', version, '--digest', digest]);
    expect(await run(['generate', '--qemu', '9.8', '--out', 'out'])).toMatchObject({ status: 0 });
    expect(client()).toContain(prose);
    expect(client()).toContain('QEMU 9.8.7');
    expect(await run(['check', '--qemu', '9.8', '--out', 'out'])).toMatchObject({ status: 0 });
    expect(await run(['generate', '--qemu', '9.8', '--out', 'out', '--no-docs'])).toMatchObject({ status: 0 });
    expect(client()).not.toContain(prose);
    // The newest of the matching versions.
    web.served.set('/mirror/qemu-9.8.10.tar.xz', sending(release({}, '9.8.10')));
    await run(['fetch', '9.8.10', '--digest', digest]);
    expect(await run(['generate', '--qemu', '9.8', '--out', 'out'])).toMatchObject({ status: 0 });
    expect(client()).toContain('QEMU 9.8.10');
    appendFileSync(join(cache, '9.8.10/qapi/water.json'), ' ');
    expect(await run(['generate', '--qemu', '9.8', '--out', 'out'])).toMatchObject({
      status: 3,
      stderr: `error: the schemas of QEMU 9.8.10 in '${join(cache, '9.8.10')}' are damaged: to download them again, run: npx qapi-ts fetch 9.8.10\n`,
    });
  });

  test('of a version that is both embedded and cached, only --docs uses the cached schemas', async () => {
    const message =
      /^error: the embedded schemas of QEMU 9\.0\.0 have no documentation: .* run: npx qapi-ts fetch 9\.0\.0\n/u;
    for (const command of ['generate', 'check']) {
      expect(await run([command, '--docs', '--out', 'out'])).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(message),
      });
    }
    await run(['fetch', '9.0.0']);
    expect(await run(['generate', '--out', 'out'])).toMatchObject({ status: 0 });
    expect(client()).not.toContain(prose);
    expect(await run(['generate', '--docs', '--out', 'out'])).toMatchObject({ status: 0 });
    expect(client()).toContain(prose);
    expect(await run(['check', '--docs', '--out', 'out'])).toMatchObject({ status: 0 });
    expect(await run(['check', '--out', 'out'])).toMatchObject({ status: 1 });
  });

  test('check finds output that another content of the cache would change', async () => {
    await run(['fetch', version, '--digest', digest]);
    await run(['generate', '--qemu', version, '--out', 'out']);
    const path = join(cache, version);
    const changed = { ...schemas, 'qapi/water.json': schema.replaceAll('boil', 'cool') };
    const sha256 = digestOf(new Map(Object.entries(changed).map(([name, text]) => [name, Buffer.from(text)])));
    writeFileSync(join(path, 'qapi/water.json'), changed['qapi/water.json']);
    writeFileSync(join(path, 'digest'), sha256);
    expect(await run(['check', '--qemu', version, '--out', 'out'])).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('out/qmp/client.ts: different\n'),
    });
  });

  test('diff and drift accept cached versions', async () => {
    const changed = { 'qapi/water.json': schema.replaceAll('boil', 'cool') };
    web.served.set(served, sending(release(changed)));
    const sha256 = digestOf(
      new Map(Object.entries({ ...schemas, ...changed }).map(([path, text]) => [path, Buffer.from(text)])),
    );
    await run(['fetch', version, '--digest', sha256]);
    const { status, stdout } = await run(['diff', '9.0', '9.8', '--format', 'json']);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      old: { title: '9.0.0', kind: 'embedded' },
      new: { title: '9.8.7', kind: 'cached' },
      counts: { breaking: 1 },
    });
    writeFileSync(
      join(cwd, 'reply.json'),
      (await run(['introspect', join(cache, version, 'qapi/qapi-schema.json')])).stdout,
    );
    const drift = ['drift', '--introspection', 'reply.json', '--qemu'];
    expect(await run([...drift, '9.8'])).toMatchObject({ status: 0 });
    expect(await run([...drift, '9.0'])).toMatchObject({ status: 1 });
  });

  test('a run that is killed while it downloads leaves nothing', async () => {
    for (const signal of ['SIGKILL', 'SIGINT'] as const) {
      const started = new Promise<void>((resolve) => {
        web.served.set(served, (_, response) => {
          response.writeHead(200).write(release().subarray(0, 2000), () => resolve());
        });
      });
      const child = spawn(process.execPath, [program, 'fetch', version, '--digest', digest], { cwd, stdio: 'ignore' });
      await started;
      await sleep(50);
      child.kill(signal);
      expect(await once(child, 'exit')).toEqual([null, signal]);
      expect(cached()).toEqual({});
    }
    web.served.set(served, sending(release()));
    expect(await run(['fetch', version, '--digest', digest])).toMatchObject({ status: 0 });
    expect(cached()).toEqual({ [version]: content() });
  });

  test.each([
    ['SIGKILL', null],
    ['ENOSPC', 3],
  ] as const)('a run that ends with %s while it writes leaves all or nothing', async (kind, status) => {
    const countFile = join(cwd, 'count');
    const fetch = ['fetch', version, '--digest', digest];
    await run(fetch, { QAPI_TS_FAULT_COUNT: countFile }, ['--import', fault]);
    const calls = Number(readFileSync(countFile, 'utf8'));
    expect(calls).toBeGreaterThan(30);
    for (let number = 3; number <= calls; number += 12) {
      rmSync(cache, { recursive: true });
      const ended = await run(fetch, { QAPI_TS_FAULT: `${kind}:${number}` }, ['--import', fault]);
      const before = readCached(version)?.files;
      expect(before === undefined || before.size === Object.keys(schemas).length).toBe(true);
      // Some steps after the last move may fail without consequences.
      if (before === undefined) expect(ended).toMatchObject({ status, stdout: '' });
      expect(await run(fetch)).toMatchObject({ status: 0 });
      expect(cached()).toEqual({ [version]: content() });
    }
  });

  test('several runs at once do not disturb each other', async () => {
    const runs = [1, 2, 3].map(() => run(['fetch', version, '--digest', digest]));
    for (const ended of await Promise.all(runs)) {
      expect(ended).toMatchObject({ status: 0, stdout: `${join(cache, version)}\n` });
    }
    expect(cached()).toEqual({ [version]: content() });
  });
});
