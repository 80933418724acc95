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

/** Commands of any name, and events of any name. */
export type AnyClient = Client<
  Record<string, { arguments: JsonObject; result: Json; oob: true }>,
  Record<string, { data: JsonObject }>
>;

export interface Logged {
  readonly log: (entry: LogEntry) => void;
  readonly entries: LogEntry[];
}

/** A client over any address. By default, its log entries are dropped. */
export async function connectTo(
  address: Address,
  options: ConnectOptions = {},
  protocol: Protocol = monitor,
): Promise<AnyClient> {
  return new Client(await Connection.open(address, protocol, { log: () => {}, connectTimeout: 2000, ...options }));
}

/** A client over a new connection to a peer. */
export function connectPeer(peer: Peer, options?: ConnectOptions, protocol?: Protocol): Promise<AnyClient> {
  return connectTo(peer.stream(), options, protocol);
}

/** What a promise is rejected with. */
export async function failure(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome) return outcome.error as Error & Record<string, unknown>;
  throw new Error('it did not fail', { cause: outcome.value });
}

/** Lets everything that is on its way arrive. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}
