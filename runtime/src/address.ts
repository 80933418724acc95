/** Where a server is, and how a stream of bytes to it comes about. */

import type { ChildProcess } from 'node:child_process';
import type { NetConnectOpts, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { ConnectionOptions as TlsOptions } from 'node:tls';

import { onAbort } from './abort.js';
import { ConnectError } from './errors.js';
import { aName, anObject, integer, mistake, optionsOf, type OptionChecks } from './options.js';

/** Where a server is. */
export type Address =
  /** A Unix socket, an abstract one (`\0name`; Node 20 fills names up, which QEMU calls `tight=off`), or a named pipe of Windows. */
  | { readonly path: string; readonly tls?: TlsOptions | undefined }
  /** TCP; `localhost` unless told. `tls` for a monitor with `tls-creds`: its `ca`, and `cert` and `key` of a client certificate. */
  | { readonly host?: string | undefined; readonly port: number; readonly tls?: TlsOptions | undefined }
  /** A connected socket that this process has inherited. */
  | { readonly fd: number }
  /** Any stream that is connected already. It is destroyed when the client is closed. */
  | Duplex
  /** A server to be started; see `launch`. */
  | Launch;

/** Starts a server. */
export interface Launch {
  readonly launch: () => Promise<Opened>;
}

export interface Opened {
  readonly stream: Duplex;
  /** Where the server is, for people. */
  readonly where: string;
  readonly process?: ChildProcess;
  /** Resolves when that has ended. */
  readonly ended?: Promise<Ending>;
  /** Ends what was started. */
  readonly dispose?: () => Promise<void>;
  /** Ends what was started because it failed. @returns what it has to say of that */
  readonly fail?: (error: Error) => Promise<string>;
}

/** How a process has ended. */
export interface Ending {
  /** For people, with its last words. */
  readonly text: string;
  /** Whether it was meant to end. */
  readonly orderly: boolean;
}

/** The members of all addresses that are neither a stream nor launched. */
interface Members {
  readonly path?: string;
  readonly host?: string;
  readonly port?: number;
  readonly fd?: number;
  readonly tls?: TlsOptions;
}

const addressChecks: OptionChecks<Members> = {
  path: aName,
  host: aName,
  port: integer(1, 65535),
  fd: integer(0, 2 ** 31 - 1),
  tls: anObject,
};

/**
 * Checks an address, and copies the members that are not undefined.
 *
 * @throws TypeError if it is not an address
 */
export function addressOf(given: unknown): Address {
  const { write, read, destroy, on, launch } = (given ?? {}) as Partial<Record<string, unknown>>;
  const isStream = [write, read, destroy, on].every((method) => typeof method === 'function');
  if (isStream || typeof launch === 'function') return given as Duplex | Launch;
  if (typeof given !== 'object' || given === null || typeof on === 'function') {
    // A URL may hold a password.
    const isPath = typeof given === 'string' && given !== '' && !given.includes('://') && given.length <= 200;
    const hint = isPath ? `; did you mean { path: '${given}' }?` : '';
    throw mistake('address', '{ path }, { port, host }, { fd }, a Duplex, or what launch returns', given, hint);
  }
  const address = optionsOf(given, addressChecks, 'address.');
  const { path, host, port, fd, tls } = address;
  const kinds = Object.entries({ path, port, fd }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (kinds.length !== 1) {
    throw new TypeError(`address: expected one of path, port and fd, found ${kinds.join(' and ') || 'none'}`);
  }
  if (host !== undefined && port === undefined)
    throw new TypeError(`address.host: goes with port, not with ${kinds[0]}`);
  if (tls !== undefined && fd !== undefined) throw new TypeError('address.tls: goes with path or port, not with fd');
  return address as Address;
}

/** @throws ConnectError when it fails, or the signal ends it */
export async function open(address: Address, signal: AbortSignal): Promise<Opened> {
  // Streams may have members such as a path, too.
  if ('write' in address) {
    if (address.destroyed || address.readableEnded) throw new ConnectError('the stream has ended already');
    return { stream: address, where: 'the stream' };
  }
  if ('launch' in address) return address.launch();
  const where = nameOf(address);
  try {
    return { stream: 'fd' in address ? await inherited(address.fd) : await connect(address, signal), where };
  } catch (error) {
    throw new ConnectError(`cannot connect to ${where}: ${reasonOf(error).replaceAll('\0', '@')}`, { cause: error });
  }
}

/** Whether another connection can be made when one has ended. */
export function canBeFoundAgain(address: Address): boolean {
  return !('write' in address) && ('path' in address || 'port' in address);
}

type SocketAddress = Extract<Address, { path: string } | { port: number }>;

function nameOf(address: SocketAddress | { readonly fd: number }): string {
  if ('fd' in address) return `file descriptor ${address.fd}`;
  if ('port' in address) return `${address.host ?? 'localhost'}:${address.port}`;
  return address.path.startsWith('\0') ? `@${address.path.replaceAll('\0', '')}` : address.path;
}

// What a program may never need is loaded when it does: it takes as long as all of this package.

async function inherited(fd: number): Promise<Socket> {
  const { Socket } = await import('node:net');
  return new Socket({ fd });
}

async function connect(address: SocketAddress, signal: AbortSignal): Promise<Socket> {
  for (;;) {
    try {
      return await attempt(address, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      if (signal.aborted) throw new Error('too many clients wait for it', { cause: error });
      // There is no more room among those who wait for the server. A blocking call would wait for that, too.
      await pause(20);
    }
  }
}

async function attempt(address: SocketAddress, signal: AbortSignal): Promise<Socket> {
  const target: NetConnectOpts =
    'path' in address ? { path: address.path } : { host: address.host ?? 'localhost', port: address.port };
  const { tls } = address;
  const { Socket } = await import('node:net');
  // One of our own, because `net.connect` loses an open socket when it throws.
  const socket = new Socket();
  try {
    // Requests are small, and each is waited for.
    if ('port' in address) socket.setNoDelay(true).setKeepAlive(true, 30_000);
    await ready(socket.connect({ ...target, ...tls } as NetConnectOpts), 'connect', signal);
    if (!tls) return socket;
    const secured = (await import('node:tls')).connect({ ...target, ...tls, socket } as TlsOptions);
    return await ready(secured, 'secureConnect', signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Waits for an event of a socket; destroys the socket when it fails, or the signal ends the wait. */
function ready<T extends Socket>(socket: T, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      done();
      socket.destroy();
      reject(error);
    };
    const late = (): void => fail(new Error('it takes too long'));
    const succeed = (): void => {
      done();
      resolve(socket);
    };
    const done = (): void => {
      socket.off('error', fail).off(event, succeed);
      removeAbort();
      // What fails after a failure is of no interest.
      socket.on('error', () => {});
    };
    socket.once('error', fail).once(event, succeed);
    const removeAbort = onAbort(signal, late);
    if (signal.aborted) late();
  });
}

function reasonOf(error: unknown): string {
  // A host with several addresses gives an error for each, and no message.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
