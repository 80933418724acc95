/** HTTP servers and proxies on this host, for tests of downloads. */

import { once } from 'node:events';
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';

import { afterAll } from 'vitest';

/** Serves a path of the server. */
export type Serve = (request: IncomingMessage, response: ServerResponse) => void;

export interface Web {
  /** The address, with a `/` at its end. */
  readonly address: string;
  readonly port: number;
  /** What the server has, by path. Other paths are 404. */
  readonly served: Map<string, Serve>;
  /** The requests that arrived, as `METHOD TARGET`. */
  readonly requests: string[];
}

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Starts a server until the end of the tests of this file. */
export async function serve(certificate?: Certificate): Promise<Web> {
  const served = new Map<string, Serve>();
  const requests: string[] = [];
  const listener: RequestListener = (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const one = served.get(request.url ?? '');
    if (one) one(request, response);
    else response.writeHead(404).end('<html>not here</html>');
  };
  return { ...(await start(listener, certificate)), served, requests };
}

interface Proxy extends Omit<Web, 'served'> {
  readonly headers: http.IncomingHttpHeaders[];
}

/**
 * Starts a proxy for plain requests and for tunnels.
 *
 * @param answer the status of the answer to requests for tunnels
 */
export async function serveProxy({
  answer = 200,
  certificate,
}: { answer?: number; certificate?: Certificate } = {}): Promise<Proxy> {
  const requests: string[] = [];
  const headers: http.IncomingHttpHeaders[] = [];
  const note = (request: IncomingMessage): void => {
    requests.push(`${request.method} ${request.url}`);
    headers.push(request.headers);
  };
  const listener: RequestListener = (request, response) => {
    note(request);
    http.get(request.url ?? '', (from) => {
      response.writeHead(from.statusCode ?? 0, from.headers);
      from.pipe(response);
    });
  };
  const { server, ...address } = await start(listener, certificate);
  server.on('connect', (request, client: Socket) => {
    note(request);
    if (answer !== 200) {
      client.end(`HTTP/1.1 ${answer} Refused\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const target = net.connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.pipe(client).pipe(target);
    });
    for (const socket of [client, target]) {
      socket.on('error', () => {
        client.destroy();
        target.destroy();
      });
    }
  });
  return { ...address, requests, headers };
}

async function start(
  listener: RequestListener,
  certificate?: Certificate,
): Promise<{ server: http.Server; address: string; port: number }> {
  const server = certificate ? https.createServer(certificate, listener) : http.createServer(listener);
  const port = await listen(server);
  afterAll(() => server.closeAllConnections());
  return { server, address: `${certificate ? 'https' : 'http'}://127.0.0.1:${port}/`, port };
}

async function listen(server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Returns a port of this host where a server accepts connections, but never answers. */
export async function silentPort(): Promise<number> {
  return await listen(net.createServer((socket) => void socket.on('error', () => {}).unref()));
}

/** Returns a port of this host where nothing listens. */
export async function closedPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Sends a file as a whole. */
export function sending(content: string | Uint8Array, headers: http.OutgoingHttpHeaders = {}): Serve {
  return (_, response) => {
    response.writeHead(200, headers).end(content);
  };
}

/** Redirects to an address. */
export function redirecting(location: string, status = 302): Serve {
  return (_, response) => {
    response.writeHead(status, { location }).end('moved');
  };
}
