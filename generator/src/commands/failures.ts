/** Reports errors on stderr, and returns their exit codes. */

import { constants } from 'node:os';
import { inspect } from 'node:util';

import { SchemaError, formatDiagnostic } from '../diagnostic.js';
import { describeSystemError, FileError, InterruptError, ReleaseError, ServerError, UsageError } from '../errors.js';
import { generatorVersion } from '../version.js';
import { printable, printableLines } from '../visible.js';
import { exitCodes } from './command.js';

/**
 * Reports an error and returns the exit code.
 *
 * @param hint the last line of a usage error
 */
export function reportFailure(error: unknown, hint = helpHint()): number {
  if (error instanceof SchemaError) {
    const colour = isColoured(process.stderr);
    for (const diagnostic of error.diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic, colour)}\n`);
    return exitCodes.failed;
  }
  if (error instanceof UsageError) {
    process.stderr.write(`error: ${printable(error.message)}\n${hint}\n`);
    return exitCodes.usage;
  }
  if (error instanceof InterruptError) {
    // End by the same signal, as if it had not been caught.
    process.kill(process.pid, error.signal);
    return signalled + constants.signals[error.signal];
  }
  if (error instanceof ReleaseError) {
    process.stderr.write(`error: ${printable(error.message)}\n`);
    return exitCodes.failed;
  }
  const isOurs = error instanceof FileError || error instanceof ServerError;
  const problem = isOurs ? error.message : describeSystemError(error);
  if (problem !== undefined) {
    process.stderr.write(`error: ${printable(problem)}\n`);
    return exitCodes.io;
  }
  return reportBug(error);
}

/** The base of exit codes in shells for processes that were ended by a signal. The signal's number is added to it. */
const signalled = 128;

/** Reports an unexpected error and returns the exit code. */
export function reportBug(error: unknown): number {
  const text = error instanceof Error ? (error.stack ?? error.message) : inspect(error);
  process.stderr.write(
    `error: this is a bug in qapi-ts ${generatorVersion()}. ` +
      `Please report it with the command, the schema, and this text:\n${printableLines(text)}\n`,
  );
  return exitCodes.internal;
}

/** Returns the last line of a usage error. */
export function helpHint(command?: string): string {
  return `(see qapi-ts ${command === undefined ? '' : `${command} `}--help)`;
}

export function isColoured(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && !process.env['NO_COLOR'];
}
