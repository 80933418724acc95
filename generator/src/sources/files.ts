/**
 * Reads files named by a user or a schema. Only regular files are read, up to a size limit: a FIFO would block, a
 * device may be endless, and opening a device can have side effects.
 */

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  statSync,
  type Stats,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { servers } from '../embedded.js';
import { FileError, reasonOf } from '../errors.js';
import { isWithin } from '../paths.js';

/** Returns the content of a file. */
export type Read = (path: string) => Uint8Array;

/**
 * The size limit of each file, and of all files of a schema together, in bytes. QEMU 10.2's schema is 760 KB with
 * documentation, in files of up to 200 KB; its introspection is 410 KB when indented. Any schema of 4 MiB can be
 * processed in a heap of 512 MB.
 */
export const maxInputSize = 4 << 20;

/**
 * Matches paths of inherited file descriptors, such as those of a shell's `<(command)`. Opening these again would lose
 * data.
 */
const inherited = /^(?:\/dev\/stdin|\/(?:dev|proc\/self)\/fd\/(\d+))$/u;

/**
 * Reads a file named by the user: a regular file, or a pipe from standard input or another inherited descriptor.
 *
 * @throws FileError that names the file
 */
export function readNamed(path: string): Buffer {
  try {
    return readBounded(path);
  } catch (error) {
    throw new FileError(`cannot read '${path}': ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * Returns a function that reads a root schema file and the files that it may include: those in its tree, following
 * symbolic links within it. The tree is the enclosing QEMU source tree, because the schemas of the guest agent and the
 * storage daemon include `../qapi/...` and `../../qapi/...`. Without a source tree, it is the root file's directory.
 */
export function schemaReader(root: string): Read {
  let readInTree: Read | undefined;
  return (path) => {
    if (path === root) return readBounded(root);
    readInTree ??= treeReader(treeOf(root));
    return readInTree(path);
  };
}

/** Returns a function that reads files in a directory. Symbolic links that lead out of it are errors. */
export function treeReader(folder: string): Read {
  const tree = resolve(folder);
  return (path) => {
    // Check before any access: even resolving a path can mount a file system, or block.
    if (!isWithin(tree, resolve(path))) throw new FileError(`it is outside '${tree}', the tree of this schema`);
    const target = realpathSync(path);
    if (!isWithin(realpathSync(tree), target))
      throw new FileError(`it is a symbolic link to outside '${tree}', the tree of this schema`);
    return readBounded(target);
  };
}

/**
 * Returns the nearest parent directory that has the schemas of several QEMU servers. One schema is not enough, because
 * `storage-daemon` has a `qapi/qapi-schema.json`, too.
 */
function treeOf(root: string): string {
  const own = dirname(resolve(root));
  for (let folder = own; ; folder = dirname(folder)) {
    if (servers.filter((server) => existsSync(join(folder, server.root))).length > 1) return folder;
    if (folder === dirname(folder)) return own;
  }
}

function readBounded(path: string): Buffer {
  const [isInherited, number = '0'] = inherited.exec(path) ?? [];
  return isInherited === undefined ? withRegular(path, readAll) : readPipe(Number(number));
}

function readPipe(fd: number): Buffer {
  const stats = fstatSync(fd);
  if (!stats.isFIFO() && !stats.isSocket()) requireRegular(stats);
  return readAll(fd);
}

/**
 * Opens a file for a function, and closes it afterwards.
 *
 * @throws the errors of `openRegular` and of the function
 */
export function withRegular<T>(path: string, read: (fd: number) => T, options?: OpenOptions): T {
  const fd = openRegular(path, options);
  try {
    return read(fd);
  } finally {
    closeSync(fd);
  }
}

interface OpenOptions {
  /** Whether to follow a symbolic link, instead of rejecting it. */
  readonly followLinks?: boolean;
}

/** @throws FileError for anything but a regular file; file system errors */
export function openRegular(path: string, { followLinks = true }: OpenOptions = {}): number {
  // Check before opening, which can start a watchdog or rewind a tape, and again afterwards, because the file may have
  // been replaced.
  requireRegular(followLinks ? statSync(path) : lstatSync(path));
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | (followLinks ? 0 : constants.O_NOFOLLOW));
  try {
    requireRegular(fstatSync(fd));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function requireRegular(stats: Stats): void {
  if (stats.isFile()) return;
  if (stats.isDirectory()) throw new FileError('it is a directory');
  throw new FileError(`it is ${describeKind(stats)}, but only regular files can be read`);
}

/** Returns what is at a path, as part of a sentence. */
export function describeKind(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isFIFO()) return 'a FIFO';
  if (stats.isSocket()) return 'a socket';
  return stats.isFile() ? 'a file' : 'a device';
}

/** Reads up to the limit. A file's reported size cannot be trusted: files in /proc have none, and others grow. */
function readAll(fd: number): Buffer {
  const chunks: Buffer[] = [];
  for (let size = 0; size <= maxInputSize;) {
    const chunk = Buffer.allocUnsafe(1 << 16);
    const length = readSync(fd, chunk);
    if (length === 0) return Buffer.concat(chunks, size);
    chunks.push(chunk.subarray(0, length));
    size += length;
  }
  throw new FileError(`it is larger than ${maxInputSize >> 20} MiB`);
}
