export type { Int64, Json, JsonObject } from './json.js';
export {
  Client,
  type CallOptions,
  type CommandMap,
  type Connection,
  type EmptyObject,
  type EventMap,
  type EventOf,
  type ExecuteParameters,
  type FurtherArguments,
  type OobCallOptions,
  type Outcome,
  type Protocol,
  type UnknownEnumValue,
} from './client.js';
