export type { Address, Launch } from './address.js';
export {
  Client,
  isKnown,
  type CallOptions,
  type EventOf,
  type ExecuteParameters,
  type OobCallOptions,
  type Outcome,
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
  ResultError,
  TimeoutError,
  type ErrorCode,
} from './errors.js';
export type { EventsOptions, QmpEvent } from './events.js';
export type { Issue, Remark } from './inspect.js';
export { parse, stringify, toNumber, type Int64, type Json, type JsonObject } from './json.js';
export { joined } from './joined.js';
export { launch, type LaunchOptions } from './launch.js';
export type { Log, LogEntry, LogLevel, Trace } from './log.js';
export type { CommandMap, EmptyObject, EventMap, FurtherArguments, UnknownEnumValue } from './maps.js';
export { RangeClient, versionRange, type Granted } from './range.js';
export type { Greeting, Protocol } from './session.js';
export type { Validation } from './validation.js';
export {
  alternate,
  enumeration,
  struct,
  union,
  validatorsOf,
  type CommandValidators,
  type IssuesOptions,
  type Validator,
  type Validators,
} from './validator.js';
export type { VersionRange } from './version.js';
