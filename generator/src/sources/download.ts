/** Downloads a file over HTTP or HTTPS, directly or through a proxy, within limits. */

import { once } from 'node:events';
import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { isIP, isIPv6, type Socket } from 'node:net';
import tls from 'node:tls';

import { ServerError, UsageError } from '../errors.js';
import { generatorVersion } from '../version.js';
import type { Chunks } from './tarball.js';

export interface DownloadLimits {
  /** The maximum time without data, in milliseconds. */
  readonly silence: number;
  /** The maximum time in total, in milliseconds. */
  readonly time: number;
  /** The size of the file, in bytes. */
  readonly size: number;
  readonly redirects: number;
}

/** A release of QEMU is 130 MB. */
export const downloadLimits: DownloadLimits = { silence: 30_000, time: 3_600_000, size: 1 << 29, redirects: 5 };

interface DownloadOptions {
  readonly limits?: DownloadLimits;
  /** The environment variables, which may name proxies. */
  readonly env?: NodeJS.ProcessEnv;
  /**
   * Called for each chunk.
   *
   * @param received the number of bytes
   * @param total the size of the file, in bytes, if the server reported it
   */
  readonly onProgress?: (received: number, total?: number) => void;
}

/**
 * Downloads a file, and passes it to a function as it arrives.
 *
 * @param url an `http:` or `https:` address, which may contain a user name and password
 * @throws ServerError if the file cannot be downloaded completely; UsageError if an environment variable names an invalid
 * proxy; the errors of the function
 */
export async function download<T>(
  url: URL,
  use: (chunks: Chunks) => Promise<T>,
  { limits = downloadLimits, env = process.env, onProgress = () => {} }: DownloadOptions = {},
): Promise<T> {
  const proxy = proxyFor(url, env);
  const what = `${shown(url)}${proxy ? ` through the proxy ${shown(proxy)}` : ''}`;
  const controller = new AbortController();
  const { signal } = controller;
  const end = (problem: string): void => controller.abort(new ServerError(problem));
  const silence = setTimeout(() => end(`the server sent nothing for ${limits.silence / 1000} s`), limits.silence);
  const time = setTimeout(() => end(`it took longer than ${limits.time / 1000} s`), limits.time);
  /** Adds the address to errors of the network. */
  const located = (error: unknown): unknown => {
    const cause: unknown = signal.aborted ? signal.reason : error;
    // Errors without a code are bugs in this code.
    if (!(cause instanceof Error) || !('code' in cause) || cause instanceof UsageError) return cause;
    return new ServerError(`cannot download ${what}: ${messageOf(cause)}`, { cause });
  };

  async function* chunksOf(response: IncomingMessage): Chunks {
    let received = 0;
    const total = Number(response.headers['content-length'] ?? Number.NaN);
    const requireFit = (size: number): void => {
      if (size > limits.size) throw new ServerError(`it is larger than ${limits.size} bytes`);
    };
    try {
      requireFit(total);
      for await (const chunk of response as AsyncIterable<Buffer>) {
        silence.refresh();
        requireFit((received += chunk.length));
        onProgress(received, Number.isNaN(total) ? undefined : total);
        yield chunk;
      }
    } catch (error) {
      const isCut = (error as NodeJS.ErrnoException).code === 'ECONNRESET';
      throw located(isCut ? new ServerError(`the connection was closed after ${received} bytes`) : error);
    }
  }

  try {
    const context = { env, signal, onResponse: () => void silence.refresh() };
    const response = await follow(url, limits.redirects, context).catch((error: unknown) => {
      throw located(error);
    });
    return await use(chunksOf(response));
  } finally {
    clearTimeout(silence);
    clearTimeout(time);
    // Close the connection if the file was not read to the end.
    end('it is no longer needed');
  }
}

function messageOf(error: Error): string {
  // The errors of connecting to each of a host's addresses.
  if (error instanceof AggregateError) return (error.errors as Error[]).map(messageOf).join('; ');
  return error.message;
}

/** Returns an address without its password, for messages. */
export function shown(url: URL): string {
  return withoutUser(url).href;
}

/** Returns an address without the user, and without the fragment, which is not sent to servers. */
function withoutUser(url: URL): URL {
  const copy = new URL(url);
  copy.username = '';
  copy.password = '';
  copy.hash = '';
  return copy;
}

interface Context {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly onResponse: () => void;
}

/** Requests an address, and follows redirects. */
async function follow(url: URL, redirects: number, context: Context): Promise<IncomingMessage> {
  let current = url;
  for (let count = 0; ; count++) {
    const response = await request(current, context);
    context.onResponse();
    const { statusCode = 0, statusMessage = '', headers } = response;
    if (statusCode === 200) return response;
    response.destroy();
    if (!isRedirect.has(statusCode) || headers.location === undefined)
      throw new ServerError(`the server responded ${`${statusCode} ${statusMessage}`.trimEnd()}`);
    if (count === redirects) throw new ServerError(`the server redirected more than ${redirects} times`);
    const next = URL.canParse(headers.location, current.href) ? new URL(headers.location, current) : undefined;
    if (!next || !isHttp(next)) throw new ServerError('the server redirected to something other than an HTTP address');
    if (url.protocol === 'https:' && next.protocol === 'http:')
      throw new ServerError(`the server redirected to ${shown(next)}, which is not encrypted`);
    current = next;
  }
}

const isRedirect = new Set([301, 302, 303, 307, 308]);

export function isHttp({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:';
}

async function request(url: URL, { env, signal }: Context): Promise<IncomingMessage> {
  const proxy = proxyFor(url, env);
  const target = withoutUser(url);
  const headers = {
    accept: '*/*',
    host: url.host,
    'user-agent': `qapi-ts/${generatorVersion()}`,
    ...authorization('authorization', url),
  };
  if (!proxy) return await responseTo(target, { headers, signal, agent: false });
  if (url.protocol === 'http:') {
    // The path of a request to a proxy is the whole address.
    const all = { ...headers, ...authorization('proxy-authorization', proxy) };
    return await responseTo(withoutUser(proxy), { headers: all, signal, agent: false, path: target.href });
  }
  const socket = await tunnel(proxy, url, signal);
  const host = unbracketed(url.hostname);
  const createConnection = (): Socket => tls.connect({ socket, host, servername: isIP(host) === 0 ? host : '' });
  return await responseTo(target, { headers, signal, createConnection });
}

async function responseTo(url: URL, options: RequestOptions): Promise<IncomingMessage> {
  const [response] = (await eventOf('response', url, options)) as [IncomingMessage];
  return response;
}

/** Returns a connection to the server of an address, through a proxy. */
async function tunnel(proxy: URL, { hostname, port }: URL, signal: AbortSignal): Promise<Socket> {
  const path = `${hostname}:${port || 443}`;
  const headers = { host: path, ...authorization('proxy-authorization', proxy) };
  const options = { method: 'CONNECT', path, headers, signal, agent: false };
  const [response, socket] = (await eventOf('connect', withoutUser(proxy), options)) as [IncomingMessage, Socket];
  if (response.statusCode === 200) return socket;
  socket.destroy();
  throw new ServerError(`the proxy responded ${response.statusCode} ${response.statusMessage}`);
}

/** Sends a request, and waits for an event of it. Returns the event's arguments. */
async function eventOf(event: 'response' | 'connect', url: URL, options: RequestOptions): Promise<unknown[]> {
  const sent = (url.protocol === 'https:' ? https : http).request(url, options);
  const ended = once(sent, 'close').then(() => {
    // Node reports no error if the server switches to another protocol.
    throw new ServerError('the connection was closed without a response');
  });
  // After the event, errors are also errors of the response's body.
  sent.on('error', () => {});
  const waiting = once(sent, event);
  sent.end();
  return await Promise.race([waiting, ended]);
}

function authorization(header: string, { username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const credentials = [username, password].map(decode).join(':');
  return { [header]: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

/** Decodes the user name or password of a URL. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/u, '$1');
}

/**
 * Returns the proxy for an address. As with curl, the variables are `http_proxy`, `https_proxy` and `no_proxy`, or the
 * same in upper case.
 *
 * @throws UsageError if the proxy is not an HTTP address
 */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): URL | undefined {
  const read = (name: string): string => env[name] ?? env[name.toUpperCase()] ?? '';
  const variable = `${url.protocol.slice(0, -1)}_proxy`;
  const proxy = read(variable).trim();
  if (proxy === '' || isExempt(url, read('no_proxy'))) return undefined;
  const address = proxy.includes('://') ? proxy : `http://${proxy}`;
  const parsed = URL.canParse(address) ? new URL(address) : undefined;
  if (parsed && isHttp(parsed)) return parsed;
  throw new UsageError(`the environment variable ${variable.toUpperCase()} is not the address of an HTTP proxy`);
}

/**
 * Returns whether an address is to be requested directly.
 *
 * @param list hosts, which include their subdomains, with or without a port, separated by commas or spaces; `*` matches
 * all
 */
function isExempt({ hostname, port, protocol }: URL, list: string): boolean {
  const own = { host: unbracketed(hostname), port: port || (protocol === 'https:' ? '443' : '80') };
  return list.split(/[\s,]+/u).some((entry) => {
    if (entry === '' || entry === '*') return entry === '*';
    const [, host = entry, wantedPort = own.port] = isIPv6(entry) ? [] : (/^(.*?)(?::(\d+))?$/u.exec(entry) ?? []);
    const name = unbracketed(host.toLowerCase().replace(/^\*?\./u, ''));
    return wantedPort === own.port && (own.host === name || own.host.endsWith(`.${name}`));
  });
}
