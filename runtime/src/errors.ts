/** The errors of connections and calls. Each class has a stable `code`. */

import type { Issue } from './inspect.js';
import type { Json } from './json.js';
import { visible, visibleLines } from './visible.js';

export type ErrorCode =
  | 'ERR_QMP_COMMAND'
  | 'ERR_QMP_CONNECT'
  | 'ERR_QMP_CONNECTION_LOST'
  | 'ERR_QMP_NOT_SENT'
  | 'ERR_QMP_TIMEOUT'
  | 'ERR_QMP_ABORTED'
  | 'ERR_QMP_PROTOCOL'
  | 'ERR_QMP_ARGUMENTS'
  | 'ERR_QMP_RESULT'
  | 'ERR_QMP_EVENTS_DROPPED';

/**
 * The base class of all errors of this package. In `message` and `stack`, control and other invisible characters are
 * escaped (`\u{001b}`), because the text may come from the peer. All other members are unescaped.
 */
export abstract class QmpError extends Error {
  abstract readonly code: ErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(visibleLines(message), options);
  }
}

/**
 * The server rejected the command or failed to execute it. QEMU's manual: "QEMU Machine Protocol Specification",
 * "Error".
 */
export class CommandError extends QmpError {
  override readonly name = 'CommandError';
  readonly code = 'ERR_QMP_COMMAND';

  /**
   * @param command the command's name
   * @param errorClass `GenericError`, `CommandNotFound`, `DeviceNotActive`, `DeviceNotFound`, `KVMMissingCap`, or a
   * class of a newer server
   * @param desc a human-readable description, not stable: the server's text with secrets hidden. It is unescaped, so do
   * not print it to a terminal
   * @param explanation why a server of its version may have rejected the command, for the message
   */
  constructor(
    readonly command: string,
    readonly errorClass: string,
    readonly desc: string,
    explanation?: string,
  ) {
    super(visible(`${command}: ${desc}${explanation === undefined ? '' : ` (${explanation})`}`));
  }
}

/** The connection could not be established. */
export class ConnectError extends QmpError {
  override readonly name = 'ConnectError';
  readonly code = 'ERR_QMP_CONNECT';
}

/** The connection ended after the command was sent. It is unknown whether the command was executed. */
export class ConnectionLostError extends QmpError {
  override readonly name = 'ConnectionLostError';
  readonly code = 'ERR_QMP_CONNECTION_LOST';
}

/**
 * The command was not sent, because there is no connection, or it ended first, or the server lacks the command. The
 * command was not executed.
 */
export class NotSentError extends QmpError {
  override readonly name = 'NotSentError';
  readonly code = 'ERR_QMP_NOT_SENT';
}

/** The time limit expired. If the command was sent, it may still be executed. */
export class TimeoutError extends QmpError {
  override readonly name = 'TimeoutError';
  readonly code = 'ERR_QMP_TIMEOUT';
}

/**
 * The caller's signal aborted the call; `cause` is the signal's reason. If the command was sent, it may still be
 * executed.
 */
export class AbortedError extends QmpError {
  override readonly name = 'AbortError';
  readonly code = 'ERR_QMP_ABORTED';
}

/** The peer violated the protocol or does not speak QMP. The connection is closed. */
export class ProtocolError extends QmpError {
  override readonly name = 'ProtocolError';
  readonly code = 'ERR_QMP_PROTOCOL';
}

/** The arguments do not match the schema or are not JSON. Nothing was sent. */
export class ArgumentsError extends QmpError {
  override readonly name = 'ArgumentsError';
  readonly code = 'ERR_QMP_ARGUMENTS';

  /** @param issues the violations of the schema; empty if the arguments are not JSON */
  constructor(
    readonly command: string,
    problem: string,
    readonly issues: readonly Issue[] = [],
    options?: ErrorOptions,
  ) {
    super(`${command}: ${problem}`, options);
  }
}

/** The command succeeded, but its result contradicts the schema. */
export class ResultError extends QmpError {
  override readonly name = 'ResultError';
  readonly code = 'ERR_QMP_RESULT';

  /** @param result the result as sent by the server */
  constructor(
    readonly command: string,
    problem: string,
    readonly result: Json,
    readonly issues: readonly Issue[],
  ) {
    super(`${command}: ${problem}`);
  }
}

/** A reader of events was too slow, and events were dropped. */
export class EventsDroppedError extends QmpError {
  override readonly name = 'EventsDroppedError';
  readonly code = 'ERR_QMP_EVENTS_DROPPED';

  constructor(readonly count: number) {
    super(`${count} events were dropped because they were not read in time`);
  }
}
