import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { check, constantFrom, asyncProperty, array, nat, uint8Array } from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { FileError } from '../generator/src/errors.js';
import { readRelease, readTar, releaseLimits, type Limits } from '../generator/src/sources/tarball.js';
import { sharedFile } from './support/shared.js';
import { entryOf, longName, paxOf, tarEnd, tarOf, type TarEntry } from './support/tar.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'qapi-ts-tarball-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const isSchema = (path: string): boolean => path.endsWith('.json');

/** Divides bytes into chunks of any size. */
async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Buffer, void, undefined> {
  const all = Buffer.from(bytes);
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size);
}

async function read(bytes: Uint8Array, limits: Partial<Limits> = {}, chunk = 65_536): Promise<Record<string, string>> {
  const files = await readTar(cut(bytes, chunk), isSchema, { ...releaseLimits, ...limits });
  return Object.fromEntries([...files].map(([path, content]) => [path, content.toString()]));
}

const file = (path: string, content = path): TarEntry => ({ path, content });
const long = `q/${'long/'.repeat(40)}x.json`;

describe('a tar archive', () => {
  const cases: { title: string; entries: TarEntry[]; want: Record<string, string> }[] = [
    {
      title: 'of wanted files and others',
      entries: [file('q/a.json', 'A'), file('q/b.c'), file('q/c.json', '')],
      want: { 'q/a.json': 'A', 'q/c.json': '' },
    },
    {
      title: 'of whole blocks',
      entries: [file('q/a.json', 'x'.repeat(512)), file('q/b.json', 'y'.repeat(1025))],
      want: { 'q/a.json': 'x'.repeat(512), 'q/b.json': 'y'.repeat(1025) },
    },
    {
      title: 'from before POSIX',
      entries: [
        { ...file('q/a.json', 'A'), type: '\0', magic: '' },
        { path: 'q/d/', type: '\0', magic: '' },
      ],
      want: { 'q/a.json': 'A' },
    },
    {
      title: 'with a long pax name',
      entries: [paxOf({ path: long, mtime: '1.5' }), file('cut.c', 'A'), file('q/b.json', 'B')],
      want: { [long]: 'A', 'q/b.json': 'B' },
    },
    {
      title: 'with a long GNU name',
      entries: [longName(long), { path: 'q/', type: 'K', content: 'a link' }, file('cut.c', 'A'), file('q/b.c')],
      want: { [long]: 'A' },
    },
    {
      title: 'with a pax size',
      entries: [paxOf({ size: '3' }), { ...file('q/a.json', 'abc'), size: 0 }, file('q/b.json', 'B')],
      want: { 'q/a.json': 'abc', 'q/b.json': 'B' },
    },
    {
      title: "with git's comment",
      entries: [paxOf({ comment: '0123' }, 'g'), file('q/a.json', 'A')],
      want: { 'q/a.json': 'A' },
    },
    {
      title: 'with ./ before names',
      entries: [{ path: './', type: '5' }, file('./q/a.json', 'A')],
      want: { 'q/a.json': 'A' },
    },
    {
      title: 'with names that are not plain paths',
      entries: [
        '/q/a.json',
        '../a.json',
        'q/../a.json',
        'q//a.json',
        'q/./a.json',
        'q\\..\\a.json',
        'q/\u001B[31m.json',
        'q/\u009B31m.json',
        'q/\n::error::.json',
        '..',
      ].map((path) => file(path)),
      want: {},
    },
    {
      title: 'with unwanted links, devices and directories',
      entries: ['1', '2', '3', '4', '5', '6'].map((type) => ({ path: `q/${type}`, type, link: '/etc/passwd' })),
      want: {},
    },
    { title: 'with a NUL in a name', entries: [paxOf({ path: 'q/a.json\0.c' }), file('x', 'A')], want: {} },
  ];
  it.each(cases)('$title', async ({ entries, want }) => {
    expect(await read(tarOf(entries))).toEqual(want);
    expect(await read(tarOf(entries), {}, 7)).toEqual(want);
  });

  const refused: { title: string; bytes: Uint8Array; limits?: Partial<Limits>; want: RegExp }[] = [
    { title: 'nothing', bytes: Buffer.alloc(0), want: /^it ends unexpectedly$/u },
    { title: 'something else', bytes: Buffer.from('text '.repeat(1000)), want: /^it is not a tar archive/u },
    {
      title: 'a wrong checksum',
      bytes: tarOf([file('q/a.json'), { ...file('q/b.c'), checksum: 1 }]),
      want: /^it is damaged: no entry header at 1024$/u,
    },
    { title: 'no end', bytes: entryOf(file('q/a.json')), want: /^it ends unexpectedly$/u },
    { title: 'an end in a header', bytes: tarOf([file('q/a.json')]).subarray(0, 300), want: /^it ends unexpectedly$/u },
    { title: 'an end in a file', bytes: entryOf(file('q/a.json')).subarray(0, 600), want: /^it ends unexpectedly$/u },
    { title: 'a false size', bytes: tarOf([{ ...file('q/a.c', ''), size: 1e6 }]), want: /^it ends unexpectedly$/u },
    {
      title: 'a symbolic link with a wanted name',
      bytes: tarOf([{ path: 'q/a.json', type: '2', link: '/etc/passwd' }]),
      want: /^'q\/a\.json': it is a symbolic link, not a regular file$/u,
    },
    {
      title: 'a hard link with a wanted name',
      bytes: tarOf([file('q/b.c'), { path: 'q/a.json', type: '1', link: 'q/b.c' }]),
      want: /it is a hard link/u,
    },
    {
      title: 'a directory with a wanted name',
      bytes: tarOf([{ path: 'q/a.json/', type: '5' }]),
      want: /it is a directory/u,
    },
    { title: 'a device with a wanted name', bytes: tarOf([{ path: 'q/a.json', type: '3' }]), want: /it is a device/u },
    { title: 'a FIFO with a wanted name', bytes: tarOf([{ path: 'q/a.json', type: '6' }]), want: /it is a FIFO/u },
    {
      title: 'a wanted file twice',
      bytes: tarOf([file('q/a.json'), file('./q/a.json', 'other')]),
      want: /^'q\/a\.json': it occurs twice$/u,
    },
    {
      title: 'a link with data',
      bytes: tarOf([{ path: 'q/a', type: '2', content: 'x' }]),
      want: /^it contains a symbolic link with data$/u,
    },
    { title: 'an unknown type', bytes: tarOf([{ path: 'q/a', type: 'S' }]), want: /type "S"/u },
    {
      title: 'a sparse file',
      bytes: tarOf([paxOf({ 'GNU.sparse.major': '1' }), file('q/a')]),
      want: /^it contains a sparse file$/u,
    },
    {
      title: 'a global name',
      bytes: tarOf([paxOf({ path: 'q/a.json' }, 'g'), file('q/b.c')]),
      want: /^it has a global header/u,
    },
    {
      title: 'a size that is not a number',
      bytes: tarOf([paxOf({ size: '0x10' }), file('q/a')]),
      want: /extended header is malformed/u,
    },
    ...['9999999 a=b\n', '7 a=b\n', '0 a=b\n', 'a=b\n', '5 =b\n', '4 ab\n'].map((content) => ({
      title: `a pax header ${JSON.stringify(content)}`,
      bytes: tarOf([{ path: 'p', type: 'x', content }, file('q/a')]),
      want: /extended header is malformed/u,
    })),
    {
      title: 'a negative size',
      bytes: tarOf([paxOf({ size: '-1' }), file('q/a')]),
      want: /extended header is malformed/u,
    },
    {
      title: 'an endless name',
      bytes: tarOf([longName('x'.repeat(2 << 20)), file('q/a')]),
      want: /extended header of more than/u,
    },
    {
      title: 'a large file',
      bytes: entryOf({ path: 'q/a.json', size: 2 ** 32 }),
      want: /^'q\/a\.json': it is larger than 4194304 bytes$/u,
    },
    {
      title: 'large files',
      bytes: tarOf(Array.from({ length: 5 }, (_, i) => file(`q/${i}.json`, 'x'.repeat(100)))),
      limits: { totalSize: 400 },
      want: /^'q\/4\.json': the wanted files exceed 400 bytes in total$/u,
    },
    {
      title: 'many files',
      bytes: tarOf(Array.from({ length: 5 }, (_, i) => file(`q/${i}.json`))),
      limits: { files: 4 },
      want: /more than 4 wanted files/u,
    },
    {
      title: 'many entries',
      bytes: tarOf(Array.from({ length: 5 }, (_, i) => file(`q/${i}.c`))),
      limits: { entries: 4 },
      want: /^it has more than 4 entries$/u,
    },
    {
      title: 'many headers before an entry',
      bytes: tarOf([...Array.from({ length: 5 }, () => longName('x')), file('q/a.c')]),
      limits: { entries: 4 },
      want: /^it has more than 4 entries$/u,
    },
    {
      title: 'too much data',
      bytes: tarOf([file('q/a.c', 'x'.repeat(10_000))]),
      limits: { archiveSize: 9000 },
      want: /^it is larger than 9000 bytes when decompressed$/u,
    },
    {
      title: 'too much data after the end',
      bytes: Buffer.concat([tarEnd, Buffer.alloc(10_000)]),
      limits: { archiveSize: 9000 },
      want: /^it is larger than 9000 bytes/u,
    },
  ];
  it.each(refused)('with $title is rejected', async ({ bytes, limits, want }) => {
    for (const chunk of [65_536, 100]) {
      const error = await read(bytes, limits, chunk).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(FileError);
      expect((error as Error).message).toMatch(want);
    }
  });

  it('with any content yields plain paths, or a FileError', async () => {
    const whole = tarOf([
      paxOf({ path: long }),
      file('x', 'A'),
      file('q/a.json'),
      { path: 'q/b', type: '2', link: 'q' },
      file('q/c.json'),
    ]);
    const edits = array(nat(whole.length - 1), { maxLength: 4 });
    const property = asyncProperty(
      edits,
      uint8Array({ minLength: 4, maxLength: 4 }),
      constantFrom(512, 1000, whole.length),
      async (places, bytes, length) => {
        const edited = Buffer.from(whole.subarray(0, length));
        for (const [i, place] of places.entries()) if (place < length) edited[place] = bytes[i] ?? 0;
        try {
          for (const path of Object.keys(await read(edited)))
            expect(path).toMatch(/^(?!.*(?:^|\/)\.{0,2}(?:\/|$)).*\.json$/su);
        } catch (error) {
          expect(error).toBeInstanceOf(FileError);
        }
      },
    );
    expect(await check(property, { numRuns: 300 })).toMatchObject({ failed: false });
  });
});

describe('a release', () => {
  const release = tarOf([file('q/qapi/a.json', 'A'), file('q/README'), file('q/b.json', 'B')]);
  const write = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const compress = (program: string, bytes: Uint8Array): Buffer => {
    const { stdout, status, error } = spawnSync(program, ['-c'], { input: bytes, maxBuffer: 1 << 28 });
    if (status !== 0) throw error ?? new Error(`${program} failed`);
    return stdout;
  };
  const forms: [name: string, make: (bytes: Uint8Array) => Uint8Array][] = [
    ['q.tar', (bytes) => bytes],
    ['q.tar.gz', gzipSync],
    ['q.tar.xz', (bytes) => compress('xz', bytes)],
    ['a:b.tar', (bytes) => bytes],
    ['localhost:x.tar.xz', (bytes) => compress('xz', bytes)],
    ['-x.tar', (bytes) => bytes],
    ['--to-command=id.tar.xz', (bytes) => compress('xz', bytes)],
  ];
  it.each(forms)('is read from %s', async (name, make) => {
    write(name, make(release));
    const previous = process.cwd();
    process.chdir(folder);
    try {
      const { folder: top, files } = await readRelease(name, isSchema);
      expect(top).toBe('q');
      expect([...files].map(([path, bytes]) => [path, Buffer.from(bytes).toString()])).toEqual([
        ['qapi/a.json', 'A'],
        ['b.json', 'B'],
      ]);
    } finally {
      process.chdir(previous);
    }
  });

  const xz = compress('xz', release);
  const damaged = Buffer.from(xz);
  damaged[damaged.length - 20] = (damaged.at(-20) ?? 0) ^ 0xff;
  const refused: [name: string, bytes: Uint8Array, want: RegExp][] = [
    ['empty.tar', Buffer.alloc(0), /it ends unexpectedly/u],
    ['text.tar.xz', Buffer.from('text '.repeat(200)), /it is not a tar archive/u],
    ['text-in.tar.xz', compress('xz', Buffer.from('text '.repeat(200))), /it is not a tar archive/u],
    ['cut.tar.xz', xz.subarray(0, -30), /xz: .*end of input/u],
    ['damaged.tar.xz', damaged, /xz: .*(?:corrupt|recogni)/u],
    ['cut.tar.gz', gzipSync(release).subarray(0, -10), /unexpected end of file/u],
    ['folders.tar', tarOf([file('q/a.json'), file('r/a.json')]), /it contains several releases: 'q' and 'r'/u],
  ];
  it.each(refused)('is rejected: %s', async (name, bytes, want) => {
    const path = write(name, bytes);
    const error = await readRelease(path, isSchema).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toMatch(want);
    expect((error as Error).message).toContain(`cannot read tarball '${path}': `);
  });

  it('is a regular file', async () => {
    const fifo = join(folder, 'fifo.tar');
    spawnSync('mkfifo', [fifo]);
    await expect(readRelease(fifo, isSchema)).rejects.toThrow(
      `cannot read tarball '${fifo}': it is a FIFO, but only regular files can be read`,
    );
    await expect(readRelease('/dev/zero', isSchema)).rejects.toThrow('it is a device');
    await expect(readRelease(folder, isSchema)).rejects.toThrow('it is a directory');
    await expect(readRelease(join(folder, 'missing'), isSchema)).rejects.toThrow('no such file');
  });

  it('reports that xz is missing', async () => {
    const path = process.env['PATH'];
    write('q.tar.xz', xz);
    process.env['PATH'] = folder;
    try {
      await expect(readRelease(join(folder, 'q.tar.xz'), isSchema)).rejects.toThrow('cannot run xz to decompress it');
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('may be a decompression bomb: 1 MB for 4 GB', async () => {
    const zeros = Buffer.alloc(1 << 24);
    const block = compress('xz', zeros);
    const bomb = Buffer.concat([
      compress('xz', entryOf({ path: 'q/zeros', size: 2 ** 32 })),
      ...Array.from({ length: 256 }, () => block),
      xz,
    ]);
    const path = write('bomb.tar.xz', bomb);
    expect(bomb.length).toBeLessThan(1e6);
    const before = process.memoryUsage().rss;
    await expect(readRelease(path, isSchema, { ...releaseLimits, archiveSize: 2 ** 28 })).rejects.toThrow(
      'larger than 268435456 bytes',
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 27);
  });

  const versions = ['7.2.0', '10.0.13', '10.2.2', '11.1.1'];
  for (const version of versions) {
    const tarball = sharedFile(`qemu/qemu-${version}-qapi.tar.xz`, `the tarball of QEMU ${version}`);
    it.skipIf(!tarball)(`of QEMU ${version} has the same content as tar unpacks`, async () => {
      const out = join(folder, version);
      mkdirSync(out);
      spawnSync('tar', ['-xf', tarball ?? '', '-C', out]);
      const { folder: top, files } = await readRelease(tarball ?? '', isSchema);
      const names = readdirSync(join(out, top), { recursive: true, encoding: 'utf8' }).filter(isSchema);
      expect([...files.keys()].toSorted()).toEqual(names.toSorted());
      for (const [name, bytes] of files) expect(readFileSync(join(out, top, name)).equals(bytes), name).toBe(true);
    });
  }
});
