/** What can go wrong beside errors in a schema; those are a `SchemaError`. */

/** Somebody asked for what there is not. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'ERR_QAPI_USAGE';
}

/** A file cannot be read or written. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly code = 'ERR_QAPI_FILE';
}

/** A server cannot be asked, or is not the one that was meant. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code = 'ERR_QAPI_SERVER';
}

/** A signal came while files were being written. They are as before or whole. */
export class InterruptError extends Error {
  override readonly name = 'InterruptError';
  readonly code = 'ERR_QAPI_INTERRUPT';

  constructor(readonly signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBUSY: 'it is in use',
  EDQUOT: 'the quota of the disk is used up',
  EEXIST: 'it is there already',
  EFBIG: 'it is too large',
  EIO: 'the device has failed',
  EISDIR: 'it is a directory',
  ELOOP: 'symbolic links lead in a circle',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'its name is too long',
  ENOENT: 'no such file',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'a part of its path is not a folder',
  ENXIO: 'it is not a file',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  EXDEV: 'it is on another file system',
};

/** Why the system refuses something, as a part of a sentence. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return (code !== undefined && reasons[code]) || error.message;
}

/** By system call. */
const verbs: Readonly<Record<string, string>> = {
  fsync: 'write',
  mkdir: 'make the folder',
  mkdtemp: 'make the folder',
  read: 'read',
  rename: 'move',
  rm: 'delete',
  rmdir: 'delete',
  scandir: 'list',
  unlink: 'delete',
  write: 'write',
};

/** @returns a sentence, or undefined for what is not an error of the system */
export function describeSystemError(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { syscall, code, path, dest } = error as NodeJS.ErrnoException & { readonly dest?: string };
  // Node finds some errors by itself, such as that a file is too large.
  if (syscall === undefined && !code?.startsWith('ERR_FS_')) return undefined;
  if (code === undefined || !Object.hasOwn(reasons, code)) return error.message;
  const what = [path, dest].filter((place) => place !== undefined).map((place) => `'${place}'`);
  const verb = syscall?.startsWith('spawn') ? 'run' : (verbs[syscall ?? ''] ?? 'open');
  return `cannot ${verb}${what.length > 0 ? ` ${what.join(' as ')}` : ''}: ${reasonOf(error)}`;
}
