/** Errors other than errors in a schema, which are a `SchemaError`. */

/** The user asked for something that does not exist or is invalid. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'ERR_QAPI_USAGE';
}

/** A file could not be read or written. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly code = 'ERR_QAPI_FILE';
}

/** An archive is damaged, or exceeds a limit. */
export class ArchiveError extends FileError {}

/** Something is not the release of QEMU that it should be. */
export class ReleaseError extends Error {
  override readonly name = 'ReleaseError';
  readonly code = 'ERR_QAPI_RELEASE';
}

/** A program that is needed could not be run. */
export class ProgramError extends FileError {}

/** A server could not be queried, or is not the expected one. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code = 'ERR_QAPI_SERVER';
}

/** A signal arrived while files were being written. Either none or all of them have been replaced. */
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
  EDQUOT: 'disk quota exceeded',
  EEXIST: 'it already exists',
  EFBIG: 'it is too large',
  EIO: 'input/output error',
  EISDIR: 'it is a directory',
  ELOOP: 'symbolic links form a loop',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'its name is too long',
  ENOENT: 'no such file',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'part of its path is not a directory',
  ENXIO: 'it is not a file',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  EXDEV: 'it is on another file system',
};

/** Returns the reason for a system error, as part of a sentence. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return (code !== undefined && reasons[code]) || error.message;
}

/** The actions of system calls, for messages. */
const verbs: Readonly<Record<string, string>> = {
  fsync: 'write',
  mkdir: 'create the directory',
  mkdtemp: 'create the directory',
  read: 'read',
  rename: 'move',
  rm: 'delete',
  rmdir: 'delete',
  scandir: 'list',
  unlink: 'delete',
  write: 'write',
};

/** Returns a message, or undefined if the error is not a system error. */
export function describeSystemError(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { syscall, code, path, dest } = error as NodeJS.ErrnoException & { readonly dest?: string };
  // Node detects some errors without a system call, such as files that are too large.
  if (syscall === undefined && !code?.startsWith('ERR_FS_')) return undefined;
  if (code === undefined || !Object.hasOwn(reasons, code)) return error.message;
  const what = [path, dest].filter((place) => place !== undefined).map((place) => `'${place}'`);
  const verb = syscall?.startsWith('spawn') ? 'run' : (verbs[syscall ?? ''] ?? 'open');
  return `cannot ${verb}${what.length > 0 ? ` ${what.join(' as ')}` : ''}: ${reasonOf(error)}`;
}
