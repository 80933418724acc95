/**
 * Reads files from untrusted tarballs. Nothing is written to disk, links are not followed, and no name, of an entry or
 * of the archive itself, is passed to a program.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, readSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

import { ArchiveError, FileError, ProgramError, reasonOf } from '../errors.js';
import { maxInputSize, openRegular } from './files.js';

/** Limits, in bytes unless noted. */
export interface Limits {
  /** The size of a wanted file. */
  readonly fileSize: number;
  /** The size of all wanted files. */
  readonly totalSize: number;
  /** The number of wanted files. */
  readonly files: number;
  /** The number of entries of any kind. */
  readonly entries: number;
  /** The size of the whole archive when decompressed. */
  readonly archiveSize: number;
}

/**
 * A release unpacks to 600 MB or more. The schemas, QEMU's compiler and its tests are about 280 of its files, 1.1 MB in
 * total.
 */
export const releaseLimits: Limits = {
  fileSize: maxInputSize,
  totalSize: 32 << 20,
  files: 10_000,
  entries: 1_000_000,
  archiveSize: 4 * 2 ** 30,
};

/** A release, whose files are all in one directory. */
interface Release {
  /** The name of the directory, such as `qemu-10.2.2`. */
  readonly folder: string;
  /** The files by path in the directory, with `/` as separator. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** The bytes of a file, in pieces. */
export type Chunks = AsyncIterable<Buffer>;

/**
 * Reads the wanted files of a release tarball, which may be uncompressed, or compressed with gzip or xz.
 *
 * @param isWanted returns whether to read a path, given relative to the release's directory
 * @throws FileError if the tarball cannot be read; ArchiveError if it is damaged or exceeds a limit, or if a wanted file
 * occurs twice, is not a regular file, or is in a second directory; ProgramError if xz cannot be run
 */
export async function readRelease(
  tarball: string,
  isWanted: (path: string) => boolean,
  limits = releaseLimits,
): Promise<Release> {
  try {
    const fd = openRegular(tarball);
    try {
      return await readReleaseFrom(chunksOf(fd), isWanted, limits);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    // Errors without a code are bugs in this code, not faults of the tarball.
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new FileError(`cannot read tarball '${tarball}': ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * Like {@link readRelease}, for a tarball from any source.
 *
 * @throws the errors of `readRelease`, whose messages do not name the tarball; the errors of the source
 */
export async function readReleaseFrom(
  chunks: Chunks,
  isWanted: (path: string) => boolean,
  limits = releaseLimits,
): Promise<Release> {
  const files = await readCompressed(chunks, (tar) => readTar(tar, (path) => isWanted(inFolder(path)), limits));
  const folders = new Set([...files.keys()].map((path) => path.slice(0, path.indexOf('/'))));
  const [folder = '', other] = folders;
  if (other !== undefined) throw new ArchiveError(`it contains several releases: '${folder}' and '${other}'`);
  return { folder, files: new Map([...files].map(([path, bytes]) => [inFolder(path), bytes])) };
}

/** Removes the first directory from a path. Returns an empty string if there is none. */
function inFolder(path: string): string {
  return path.includes('/') ? path.slice(path.indexOf('/') + 1) : '';
}

/** The first bytes of the compressed formats, in hexadecimal. */
const magic = { gzip: '1f8b', xz: 'fd377a585a00' };

async function readCompressed<T>(chunks: Chunks, use: (chunks: Chunks) => Promise<T>): Promise<T> {
  const { start, all } = await withStart(chunks, magic.xz.length / 2);
  if (start.startsWith(magic.xz)) return await pipeThroughXz(all, use);
  if (!start.startsWith(magic.gzip)) return await use(all);
  try {
    return await pipeline(all, createGunzip(), use);
  } catch (error) {
    throw isZlibError(error) ? new ArchiveError(error.message, { cause: error }) : error;
  }
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && (error as NodeJS.ErrnoException).code?.startsWith('Z_') === true;
}

/**
 * Returns the first bytes, in hexadecimal, and all chunks including these.
 *
 * @param length the number of bytes; there are fewer if the input is shorter
 */
async function withStart(chunks: Chunks, length: number): Promise<{ start: string; all: Chunks }> {
  const rest = chunks[Symbol.asyncIterator]();
  let start: Buffer = Buffer.alloc(0);
  while (start.length < length) {
    const { done, value } = await rest.next();
    if (done) break;
    start = Buffer.concat([start, value]);
  }
  async function* all(): AsyncGenerator<Buffer, void, undefined> {
    yield start;
    yield* { [Symbol.asyncIterator]: () => rest };
  }
  return { start: start.toString('hex', 0, length), all: all() };
}

async function* chunksOf(fd: number): AsyncGenerator<Buffer, void, undefined> {
  for (let position = 0; ;) {
    const chunk = Buffer.allocUnsafe(1 << 16);
    // Synchronous, so that no read is pending when the file is closed.
    const length = readSync(fd, chunk, 0, chunk.length, position);
    if (length === 0) return;
    position += length;
    yield chunk.subarray(0, length);
  }
}

/** Decompresses with the xz program: Node does not support the format. */
async function pipeThroughXz<T>(chunks: Chunks, use: (chunks: Chunks) => Promise<T>): Promise<T> {
  // Limit memory: an archive can request 4 GiB.
  const args = ['--decompress', '--stdout', '--threads=1', '--memlimit-decompress=256MiB'];
  const child = spawn('xz', args, { stdio: 'pipe' });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (complaint.length < 1000) complaint += chunk.toString('latin1');
  });
  let failure: { readonly error: unknown } | undefined;
  async function* source(): Chunks {
    try {
      yield* chunks;
    } catch (error) {
      failure = { error };
      throw error;
    }
  }
  // Only errors of the source matter here. If xz stops reading, its status tells why.
  pipeline(source, child.stdin).catch(() => {});
  const closed = once(child, 'close') as Promise<[code: number | null, signal: string | null]>;
  const used = use(child.stdout).finally(() => {
    child.stdout.destroy();
    child.kill('SIGKILL');
  });
  const [ending, result] = await Promise.allSettled([closed, used]);
  if (ending.status === 'rejected') {
    throw new ProgramError('cannot run xz to decompress it (is xz installed?)', { cause: ending.reason });
  }
  // Report the source's error first, then xz's: they explain why the tar archive ends early.
  if (failure) throw failure.error;
  const [code] = ending.value;
  if (code !== null && code !== 0) throw new ArchiveError(complaint.trim() || `xz exited with status ${code}`);
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

const blockSize = 512;
const endOfArchive = Buffer.alloc(blockSize);
/** The maximum size of an extension header, in bytes. */
const maxExtension = 1 << 20;

/**
 * Reads the wanted files of a tar archive (ustar, pax or GNU).
 *
 * @param isWanted returns whether to read an entry. Its path is relative, with `/` as separator, and has no empty, `.`
 * or `..` segments, control characters or backslashes. Entries with other paths are never read, except that a leading
 * `./` is removed
 * @throws ArchiveError like `readRelease`, without the archive's name
 */
export async function readTar(
  chunks: Chunks,
  isWanted: (path: string) => boolean,
  limits: Limits,
): Promise<Map<string, Buffer>> {
  const input = new Input(chunks, limits.archiveSize);
  const files = new Map<string, Buffer>();
  let totalSize = 0;
  let headers = 0;
  const countHeader = (): void => {
    if (++headers > limits.entries) throw new ArchiveError(`it has more than ${limits.entries} entries`);
  };
  for (let entry = await readEntry(input, countHeader); entry; entry = await readEntry(input, countHeader)) {
    const path = plainPath(entry.path);
    if (path === undefined || !isWanted(path)) {
      await input.skip(padded(entry.size));
      continue;
    }
    const fail = (problem: string): never => {
      throw new ArchiveError(`'${path}': ${problem}`);
    };
    if (entry.kind !== 'file') fail(`it is a ${entry.kind}, not a regular file`);
    if (files.has(path)) fail('it occurs twice');
    if (files.size === limits.files) fail(`there are more than ${limits.files} wanted files`);
    if (entry.size > limits.fileSize) fail(`it is larger than ${limits.fileSize} bytes`);
    totalSize += entry.size;
    if (totalSize > limits.totalSize) fail(`the wanted files exceed ${limits.totalSize} bytes in total`);
    files.set(path, Buffer.from((await input.read(padded(entry.size))).subarray(0, entry.size)));
  }
  // Data after the end of the archive is ignored, but a decompressor verifies checksums only when everything has been
  // read.
  await input.skipAll();
  return files;
}

interface Entry {
  readonly path: string;
  readonly kind: string;
  /** The size of the data that follows, in bytes, without padding. */
  readonly size: number;
}

/** Fields for the next entry, from an extension header. */
interface Extension {
  path?: string;
  size?: number;
}

/** Entry kinds by type flag. Entries of other types have different layouts and are rejected. */
const kinds: Readonly<Record<string, string>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hard link',
  '2': 'symbolic link',
  '3': 'device',
  '4': 'device',
  '5': 'directory',
  '6': 'FIFO',
};

/**
 * Reads the header of the next entry. The caller has to consume the entry's data before reading the next.
 *
 * @returns undefined at the end of the archive
 */
async function readEntry(input: Input, countHeader: () => void): Promise<Entry | undefined> {
  const extension: Extension = {};
  for (;;) {
    const block = await input.read(blockSize);
    if (block.equals(endOfArchive)) return undefined;
    countHeader();
    const header = parseHeader(block, input.position - blockSize);
    const { type, size } = header;
    if (type === 'x') Object.assign(extension, parsePax(await readExtension(input, size)));
    else if (type === 'g') refuseGlobal(parsePax(await readExtension(input, size)));
    else if (type === 'L') extension.path = textOf(await readExtension(input, size));
    else if (type === 'K') await readExtension(input, size);
    else return toEntry(type, { path: header.path, size, ...extension });
  }
}

async function readExtension(input: Input, size: number): Promise<Buffer> {
  if (size > maxExtension) throw new ArchiveError(`it has an extended header of more than ${maxExtension} bytes`);
  return (await input.read(padded(size))).subarray(0, size);
}

function toEntry(type: string, { path, size }: Required<Extension>): Entry {
  const kind = kinds[type];
  if (kind === undefined)
    throw new ArchiveError(`it contains an entry of type ${JSON.stringify(type)}, which is not supported`);
  // Tar implementations disagree on whether data follows such an entry.
  if (kind !== 'file' && size !== 0) throw new ArchiveError(`it contains a ${kind} with data`);
  // Archives from before 1988 have no type for directories.
  return { path, size, kind: kind === 'file' && path.endsWith('/') ? 'directory' : kind };
}

function parseHeader(header: Buffer, position: number): { type: string; size: number; path: string } {
  if (numberAt(header, 148, 8) !== checksum(header)) {
    throw new ArchiveError(
      position === 0
        ? 'it is not a tar archive, uncompressed or compressed with gzip or xz'
        : `it is damaged: no entry header at ${position}`,
    );
  }
  const size = numberAt(header, 124, 12);
  if (size === undefined) throw new ArchiveError(`it is damaged: an entry without a size at ${position}`);
  const name = textOf(header.subarray(0, 100));
  // GNU's format has other fields in place of the prefix.
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? textOf(header.subarray(345, 500)) : '';
  return { type: String.fromCodePoint(header[156] ?? 0), size, path: prefix === '' ? name : `${prefix}/${name}` };
}

/** Computes the sum of the bytes, counting the checksum field as spaces. */
function checksum(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < blockSize; at++) sum += at >= 148 && at < 156 ? 0x20 : (header[at] ?? 0);
  return sum;
}

/** Returns undefined if the field is not a number. */
function numberAt(header: Buffer, offset: number, length: number): number | undefined {
  const field = header.subarray(offset, offset + length);
  // GNU's binary encoding of numbers too large for octal digits.
  if (field[0] === 0x80) {
    const value = field.subarray(1).reduce((total, byte) => total * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const [, digits] = /^ *([0-7]+)[ \0]*$/u.exec(field.toString('latin1')) ?? [];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}

/** Decodes text up to the first NUL. */
function textOf(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? field.length : end);
}

/**
 * Parses the relevant records of a pax header. Each record is `LENGTH KEYWORD=VALUE\n`, where LENGTH is its total
 * length in bytes.
 */
function parsePax(content: Buffer): Extension {
  const fail = (): never => {
    throw new ArchiveError('it is damaged: an extended header is malformed');
  };
  const found: Extension = {};
  for (let at = 0; at < content.length;) {
    const [start = '', digits = ''] = /^(\d{1,7}) /u.exec(content.toString('latin1', at, at + 8)) ?? [];
    const end = at + Number(digits);
    const record = content.toString('utf8', at + start.length, end - 1);
    const equals = record.indexOf('=');
    if (digits === '' || end > content.length || content[end - 1] !== 0x0a || equals < 1) return fail();
    const [keyword, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (keyword === 'path') found.path = value;
    if (keyword === 'size') found.size = /^\d{1,15}$/u.test(value) ? Number(value) : fail();
    if (keyword.startsWith('GNU.sparse.')) throw new ArchiveError('it contains a sparse file');
    at = end;
  }
  return found;
}

/** Rejects a global header, which would apply to all entries, if it has relevant records. */
function refuseGlobal(found: Extension): void {
  if (found.path !== undefined || found.size !== undefined)
    throw new ArchiveError('it has a global header with paths or sizes');
}

/** Normalizes a path. Returns undefined if it may lead elsewhere, or could affect a terminal. */
function plainPath(path: string): string | undefined {
  const plain = path.replace(/^(?:\.\/)+|\/$/gu, '');
  return /(?:^|\/)(?:\.{0,2}(?:\/|$))|[\p{C}\\]/u.test(plain) ? undefined : plain;
}

function padded(size: number): number {
  return Math.ceil(size / blockSize) * blockSize;
}

/** Reads pieces of given sizes from a stream. */
class Input {
  /** The number of bytes consumed. */
  position = 0;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #limit: number;
  #received = 0;
  /** Received but not yet consumed. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: Chunks, limit: number) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#limit = limit;
  }

  /** Consumes bytes. The result may share memory with the input buffer; copy it to keep it. */
  async read(size: number): Promise<Buffer> {
    if (size <= this.#rest.length) return this.#take(size);
    const pieces: Buffer[] = [];
    for (let missing = size; missing > 0;) {
      await this.#fill();
      const piece = this.#take(missing);
      pieces.push(piece);
      missing -= piece.length;
    }
    return Buffer.concat(pieces);
  }

  async skip(size: number): Promise<void> {
    for (let missing = size; missing > 0;) {
      await this.#fill();
      missing -= this.#take(missing).length;
    }
  }

  async skipAll(): Promise<void> {
    while (await this.#receive());
  }

  /** Consumes up to `size` buffered bytes. */
  #take(size: number): Buffer {
    const piece = this.#rest.subarray(0, size);
    this.#rest = this.#rest.subarray(size);
    this.position += piece.length;
    return piece;
  }

  /** Waits until there are buffered bytes. */
  async #fill(): Promise<void> {
    while (this.#rest.length === 0) if (!(await this.#receive())) throw new ArchiveError('it ends unexpectedly');
  }

  /** Returns false at the end. */
  async #receive(): Promise<boolean> {
    const { done, value } = await this.#chunks.next();
    if (done) return false;
    this.#rest = value;
    this.#received += value.length;
    if (this.#received > this.#limit)
      throw new ArchiveError(`it is larger than ${this.#limit} bytes when decompressed`);
    return true;
  }
}
