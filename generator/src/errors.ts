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
