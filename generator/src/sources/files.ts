/**
 * Reads the files that a user or a schema names. Only regular files are read, each within a bound: a FIFO would block, a device may
 * have no end, and opening one can have effects.
 */

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
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

/** Gives the bytes of a file. */
export type Read = (path: string) => Uint8Array;

/**
 * How large a file may be, and all files of a schema together, in bytes. The schema of QEMU 10.2 has 760 KB with its documentation, in
 * files of up to 200 KB, and an indented introspection 410 KB. A schema of 4 MiB can be read with a heap of 512 MB, whatever it holds.
 */
export const maxInputSize = 4 << 20;

/** Names a descriptor that this process was started with, as `<(command)` in a shell does. Opening it again would lose data. */
const inherited = /^(?:\/dev\/stdin|\/(?:dev|proc\/self)\/fd\/(\d+))$/u;

/**
 * Reads what a user names: a regular file, or a pipe from standard input or another inherited descriptor.
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
 * Reads a root schema file, and the files that it may include: those in its tree, symbolic links followed. The tree is the QEMU source
 * tree that the root is in, because the roots of the guest agent and the storage daemon include `../qapi/...` and `../../qapi/...`;
 * without one, it is the root's own folder.
 */
export function schemaReader(root: string): Read {
  let readInTree: Read | undefined;
  return (path) => {
    if (path === root) return readBounded(root);
    readInTree ??= treeReader(treeOf(root));
    return readInTree(path);
  };
}

/** Reads files below a folder. A symbolic link that leads out of it is an error. */
export function treeReader(folder: string): Read {
  const tree = resolve(folder);
  return (path) => {
    // Nothing outside is even looked at: that alone can mount a file system, or wait for one.
    if (!isWithin(tree, resolve(path))) throw new FileError(`it is outside '${tree}', the tree of this schema`);
    const target = realpathSync(path);
    if (!isWithin(realpathSync(tree), target))
      throw new FileError(`it is a symbolic link that leads out of '${tree}', the tree of this schema`);
    return readBounded(target);
  };
}

/**
 * The nearest folder above a root schema file that holds the schemas of several of QEMU's servers. One is not enough: `storage-daemon`
 * has a `qapi/qapi-schema.json`, too.
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
  if (isInherited !== undefined) return readPipe(Number(number));
  const fd = openRegular(path);
  try {
    return readAll(fd);
  } finally {
    closeSync(fd);
  }
}

function readPipe(fd: number): Buffer {
  const stats = fstatSync(fd);
  if (!stats.isFIFO() && !stats.isSocket()) requireRegular(stats);
  return readAll(fd);
}

/** @throws FileError for anything but a regular file; errors of the file system */
export function openRegular(path: string): number {
  // Before it is opened, because that can start a watchdog or rewind a tape; and afterwards, because it may be another file by then.
  requireRegular(statSync(path));
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
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
  const kind = stats.isFIFO() ? 'FIFO' : stats.isSocket() ? 'socket' : 'device';
  throw new FileError(`it is a ${kind}, and only regular files are read`);
}

/** The size in a file's status is not enough: those in /proc have none, and others grow. */
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
