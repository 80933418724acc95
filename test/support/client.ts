/** Clients of a peer, without a schema. */

import {
  Client,
  Connection,
  type ConnectOptions,
  type Json,
  type JsonObject,
  type LogEntry,
} from '../../runtime/src/index.js';
import type { Address } from '../../runtime/src/address.js';
import type { Protocol } from '../../runtime/src/session.js';
import type { Peer } from './peer.js';

export const monitor: Protocol = { handshake: 'greeting', withoutReply: [] };
export const agent: Protocol = { handshake: 'sync', withoutReply: ['guest-shutdown'] };

/** A client with commands and events of any name. */
export type AnyClient = Client<
  Record<string, { arguments: JsonObject; result: Json; oob: true }>,
  Record<string, { data: JsonObject }>
>;

export interface Logged {
  readonly log: (entry: LogEntry) => void;
  readonly entries: LogEntry[];
}

/** Connects to an address. By default, log entries are dropped. */
export async function connectTo(
  address: Address,
  options: ConnectOptions = {},
  protocol: Protocol = monitor,
): Promise<AnyClient> {
  return new Client(await Connection.open(address, protocol, { log: () => {}, connectTimeout: 2000, ...options }));
}

/** Connects to a peer. */
export function connectPeer(peer: Peer, options?: ConnectOptions, protocol?: Protocol): Promise<AnyClient> {
  return connectTo(peer.stream(), options, protocol);
}

/** Returns the error that a promise is rejected with. */
export async function failure(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome) return outcome.error as Error & Record<string, unknown>;
  throw new Error('the promise was not rejected', { cause: outcome.value });
}

/** Waits until all messages in transit have arrived. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}
