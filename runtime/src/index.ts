export type { Address, Launch } from './address.js';
export {
  Client,
  isKnown,
  type CallOptions,
  type CommandMap,
  type EmptyObject,
  type EventMap,
  type EventOf,
  type ExecuteParameters,
  type FurtherArguments,
  type OobCallOptions,
  type Outcome,
  type UnknownEnumValue,
} from './client.js';
export { Connection, type ConnectionEvents, type ConnectOptions, type ReconnectOptions } from './connection.js';
export {
  AbortedError,
  ArgumentsError,
  CommandError,
  ConnectError,
  ConnectionLostError,
  EventsDroppedError,
  NotSentError,
  ProtocolError,
  QmpError,
  TimeoutError,
  type ErrorCode,
} from './errors.js';
export type { EventsOptions, QmpEvent } from './events.js';
export { stringify, toNumber, type Int64, type Json, type JsonObject } from './json.js';
export { launch, type LaunchOptions } from './launch.js';
export type { Log, LogEntry, LogLevel, Trace } from './log.js';
export type { Greeting, Protocol } from './session.js';
