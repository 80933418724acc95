/** Where a server is, and how a stream of bytes to it comes about. */

import type { ChildProcess } from 'node:child_process';
import { connect as connectSocket, Socket, type NetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions as TlsOptions } from 'node:tls';

import { ConnectError } from './errors.js';

/** Where a server is. */
export type Address =
  /** A Unix socket, an abstract one (`\0name`), or a named pipe of Windows. */
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
  /** Ends what was started. */
  readonly dispose?: () => Promise<void>;
  /** Ends what was started because it failed. @returns what it has to say of that */
  readonly fail?: (error: Error) => Promise<string>;
}

/** @throws ConnectError when it fails, or the signal ends it */
export async function open(address: Address, signal: AbortSignal): Promise<Opened> {
  if ('launch' in address) return address.launch();
  if ('fd' in address) return { stream: new Socket({ fd: address.fd }), where: `file descriptor ${address.fd}` };
  if (!('path' in address) && !('port' in address)) return { stream: address, where: 'the stream' };
  const where = 'path' in address ? address.path.replace('\0', '@') : `${address.host ?? 'localhost'}:${address.port}`;
  return { stream: await connect(address, where, signal), where };
}

function connect(
  address: Extract<Address, { path: string } | { port: number }>,
  where: string,
  signal: AbortSignal,
): Promise<Socket> {
  const target: NetConnectOpts =
    'path' in address ? { path: address.path } : { host: address.host ?? 'localhost', port: address.port };
  const { tls } = address;
  return new Promise((resolve, reject) => {
    const socket = tls ? connectTls({ ...target, ...tls } as TlsOptions) : connectSocket(target);
    // Requests are small, and each is waited for.
    if ('port' in address) socket.setNoDelay(true).setKeepAlive(true, 30_000);
    const fail = (error: Error): void => {
      done();
      socket.destroy();
      reject(new ConnectError(`cannot connect to ${where}: ${error.message}`, { cause: error }));
    };
    const late = (): void => fail(new Error('it takes too long'));
    const succeed = (): void => {
      done();
      resolve(socket);
    };
    const done = (): void => {
      socket.off('error', fail).off(tls ? 'secureConnect' : 'connect', succeed);
      signal.removeEventListener('abort', late);
      // What fails after a failure is of no interest.
      socket.on('error', () => {});
    };
    socket.once('error', fail).once(tls ? 'secureConnect' : 'connect', succeed);
    signal.addEventListener('abort', late);
  });
}
