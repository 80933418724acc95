/** Server addresses, and how to open a byte stream to one. */

import type { ChildProcess } from 'node:child_process';
import type { NetConnectOpts, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { ConnectionOptions as TlsOptions } from 'node:tls';

import { onAbort } from './abort.js';
import { ConnectError } from './errors.js';
import { aName, anObject, integer, mistake, optionsOf, type OptionChecks } from './options.js';

/** The address of a server. */
export type Address =
  /**
   * A Unix socket, an abstract Unix socket (`\0name`; Node 20 pads the name, which QEMU calls `tight=off`), or a
   * Windows named pipe.
   */
  | { readonly path: string; readonly tls?: TlsOptions | undefined }
  /**
   * TCP; `host` defaults to `localhost`. Pass `tls` for a monitor with `tls-creds`: its `ca`, and the `cert` and `key`
   * of a client certificate.
   */
  | { readonly host?: string | undefined; readonly port: number; readonly tls?: TlsOptions | undefined }
  /** A connected socket that this process inherited. */
  | { readonly fd: number }
  /** Any stream that is already connected. It is destroyed when the client is closed. */
  | Duplex
  /** A server to start; see `launch`. */
  | Launch;

/** Starts a server. */
export interface Launch {
  readonly launch: () => Promise<Opened>;
}

export interface Opened {
  readonly stream: Duplex;
  /** A name for the server, used in error messages. */
  readonly where: string;
  readonly process?: ChildProcess;
  /** Resolves when the process has ended. */
  readonly ended?: Promise<Ending>;
  /** Stops the process. */
  readonly dispose?: () => Promise<void>;
  /**
   * Stops the process after a failed connection attempt.
   *
   * @returns a description of the failure
   */
  readonly fail?: (error: Error) => Promise<string>;
}

/** How a process ended. */
export interface Ending {
  /** A description for error messages, including the last lines of standard error. */
  readonly text: string;
  /** Whether the process was expected to end. */
  readonly orderly: boolean;
}

/** The members of all addresses other than streams and launches. */
interface Members {
  readonly path?: string;
  readonly host?: string;
  readonly port?: number;
  readonly fd?: number;
  readonly tls?: TlsOptions;
}

const addressChecks: OptionChecks<Members> = /* @__PURE__ */ (() => ({
  path: aName,
  host: aName,
  port: integer(1, 65535),
  fd: integer(0, 2 ** 31 - 1),
  tls: anObject,
}))();

/**
 * Validates an address and copies its defined members.
 *
 * @throws TypeError if it is not an address
 */
export function addressOf(given: unknown): Address {
  const { write, read, destroy, on, launch } = (given ?? {}) as Partial<Record<string, unknown>>;
  const isStream = [write, read, destroy, on].every((method) => typeof method === 'function');
  if (isStream || typeof launch === 'function') return given as Duplex | Launch;
  if (typeof given !== 'object' || given === null || typeof on === 'function') {
    // Strings with `://` are not quoted: a URL may contain a password.
    const isPath = typeof given === 'string' && given !== '' && !given.includes('://') && given.length <= 200;
    const hint = isPath ? `; did you mean { path: '${given}' }?` : '';
    throw mistake('address', '{ path }, { port, host }, { fd }, a Duplex, or the result of launch', given, hint);
  }
  const address = optionsOf(given, addressChecks, 'address.');
  const { path, host, port, fd, tls } = address;
  const kinds = Object.entries({ path, port, fd }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (kinds.length !== 1) {
    throw new TypeError(`address: expected one of path, port and fd, found ${kinds.join(' and ') || 'none'}`);
  }
  if (host !== undefined && port === undefined)
    throw new TypeError(`address.host: valid only with port, not with ${kinds[0]}`);
  if (tls !== undefined && fd !== undefined)
    throw new TypeError('address.tls: valid only with path or port, not with fd');
  return address as Address;
}

/**
 * Opens a stream to a server.
 *
 * @throws ConnectError if this fails or the signal aborts
 */
export async function open(address: Address, signal: AbortSignal): Promise<Opened> {
  // Check for streams first: a stream may also have a `path`.
  if ('write' in address) {
    if (address.destroyed || address.readableEnded) throw new ConnectError('the stream has already ended');
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

/** Returns whether a lost connection to this address can be reestablished. */
export function canReconnectTo(address: Address): boolean {
  return !('write' in address) && ('path' in address || 'port' in address);
}

type SocketAddress = Extract<Address, { path: string } | { port: number }>;

function nameOf(address: SocketAddress | { readonly fd: number }): string {
  if ('fd' in address) return `file descriptor ${address.fd}`;
  if ('port' in address) return `${address.host ?? 'localhost'}:${address.port}`;
  return address.path.startsWith('\0') ? `@${address.path.replaceAll('\0', '')}` : address.path;
}

// Modules that many programs never need are imported lazily: loading `node:net` takes as long as loading this whole
// package.

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
      if (signal.aborted) throw new Error('too many clients are waiting to connect', { cause: error });
      // The server's listen backlog is full. A blocking `connect` would wait here, too.
      await pause(20);
    }
  }
}

async function attempt(address: SocketAddress, signal: AbortSignal): Promise<Socket> {
  const target: NetConnectOpts =
    'path' in address ? { path: address.path } : { host: address.host ?? 'localhost', port: address.port };
  const { tls } = address;
  const { Socket } = await import('node:net');
  // Do not use `net.connect`: when it throws, it leaks an open socket.
  const socket = new Socket();
  try {
    // Requests are small, and the caller waits for each reply.
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

/** Waits for a socket event. Destroys the socket if it fails or the signal aborts. */
function ready<T extends Socket>(socket: T, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      done();
      socket.destroy();
      reject(error);
    };
    const late = (): void => fail(new Error('timed out'));
    const succeed = (): void => {
      done();
      resolve(socket);
    };
    const done = (): void => {
      socket.off('error', fail).off(event, succeed);
      removeAbort();
      // Errors after the first failure are ignored.
      socket.on('error', () => {});
    };
    socket.once('error', fail).once(event, succeed);
    const removeAbort = onAbort(signal, late);
    if (signal.aborted) late();
  });
}

function reasonOf(error: unknown): string {
  // Connecting to a host with several addresses fails with one error for each, and an empty message.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
