/** What can go wrong with a connection or a call, each kind with a stable `code`. */

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
 * All errors of this package are of this class. In `message`, and so in `stack`, control characters and the like are escaped, such as
 * `\u{001b}`, because a peer may have chosen the text; the other members are exact.
 */
export abstract class QmpError extends Error {
  abstract readonly code: ErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(visibleLines(message), options);
  }
}

/** The server refused or failed to execute the command. QEMU's manual: "QMP Specification", "error". */
export class CommandError extends QmpError {
  override readonly name = 'CommandError';
  readonly code = 'ERR_QMP_COMMAND';

  /**
   * @param command its name
   * @param errorClass `GenericError`, `CommandNotFound`, `DeviceNotActive`, `DeviceNotFound`, `KVMMissingCap`, or one of a newer server
   * @param desc for people, and not stable; exactly as the server sent it, but for secrets, and so not safe to print
   */
  constructor(
    readonly command: string,
    readonly errorClass: string,
    readonly desc: string,
  ) {
    super(visible(`${command}: ${desc}`));
  }
}

/** No connection came about. */
export class ConnectError extends QmpError {
  override readonly name = 'ConnectError';
  readonly code = 'ERR_QMP_CONNECT';
}

/** The connection ended after the command was sent: whether it was executed is unknown. */
export class ConnectionLostError extends QmpError {
  override readonly name = 'ConnectionLostError';
  readonly code = 'ERR_QMP_CONNECTION_LOST';
}

/** The connection ended before the command was sent, or there is none: the command was not executed. */
export class NotSentError extends QmpError {
  override readonly name = 'NotSentError';
  readonly code = 'ERR_QMP_NOT_SENT';
}

/** Time ran out. If the command was sent, it may still be executed. */
export class TimeoutError extends QmpError {
  override readonly name = 'TimeoutError';
  readonly code = 'ERR_QMP_TIMEOUT';
}

/** The caller's signal gave the call up; `cause` is the signal's reason. If the command was sent, it may still be executed. */
export class AbortedError extends QmpError {
  override readonly name = 'AbortError';
  readonly code = 'ERR_QMP_ABORTED';
}

/** The peer does not speak QMP, or no longer; the connection is closed. */
export class ProtocolError extends QmpError {
  override readonly name = 'ProtocolError';
  readonly code = 'ERR_QMP_PROTOCOL';
}

/** The arguments do not fit the schema, or are no JSON: nothing was sent. */
export class ArgumentsError extends QmpError {
  override readonly name = 'ArgumentsError';
  readonly code = 'ERR_QMP_ARGUMENTS';

  /** @param issues what does not fit; none when they are no JSON */
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

  /** @param result as the server sent it */
  constructor(
    readonly command: string,
    problem: string,
    readonly result: Json,
    readonly issues: readonly Issue[],
  ) {
    super(`${command}: ${problem}`);
  }
}

/** A reader of events was so slow that some were dropped. */
export class EventsDroppedError extends QmpError {
  override readonly name = 'EventsDroppedError';
  readonly code = 'ERR_QMP_EVENTS_DROPPED';

  constructor(readonly count: number) {
    super(`${count} events were dropped because they were not read in time`);
  }
}
