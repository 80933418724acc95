/**
 * A scriptable QMP server within the test's own process.
 *
 *     await using peer = new Peer({ oob: true });
 *     peer.on('query-status', { status: 'running', running: true });
 *     peer.on('cont', () => { peer.event('RESUME'); return {}; });
 *     const vm = await connect(peer.stream());              // or connect(await peer.listenUnix())
 *     await vm.cont();
 *     expect(peer.received.at(-1)?.command).toBe('cont');
 *
 * It is as independent of the client as possible: a mistake that both make would not be found.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, Socket, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

import { duplexPair } from './duplex-pair.js';

/** A value that a peer sends: JSON, with `bigint` for large integers. Members that are `undefined` are omitted. */
export type PeerValue =
  null | boolean | string | number | bigint | readonly PeerValue[] | { readonly [name: string]: PeerValue | undefined };

/**
 * The reply to a command: a value, or a function that returns one, synchronously or not. A function that returns
 * `undefined` sends its own reply, or none.
 */
export type PeerReply =
  PeerValue | ((request: PeerRequest) => PeerValue | undefined | void | Promise<PeerValue | void>);

export interface PeerOptions {
  /** A `monitor` (the default) sends a greeting and expects a negotiation; an `agent` sends nothing by itself. */
  kind?: 'monitor' | 'agent';
  /** Whether a monitor sends its greeting by itself; if not, call `greet`. True by default. */
  greets?: boolean;
  /** The version of QEMU in a monitor's greeting; `10.2.0` by default. */
  version?: string;
  /** Whether a monitor offers out-of-band execution. False by default. */
  oob?: boolean;
  /** Whether replies have the ids of their commands, which old agents omit. True by default. */
  ids?: boolean;
  /** The end of a line. By default, `\r\n` for a monitor and `\n` for an agent. */
  newline?: '\r\n' | '\n';
  /** Whether messages span lines, as with `pretty=on`. */
  pretty?: boolean;
  /** Splits sent data into the chunks to write. By default, data is written as it is sent. */
  cut?: (bytes: Uint8Array) => readonly Uint8Array[];
}

/** A request that a client has sent. */
export class PeerRequest {
  /** The text as received, without its newline. */
  readonly text: string;
  readonly command: string;
  readonly arguments: Readonly<Record<string, unknown>> | undefined;
  readonly id: PeerValue | undefined;
  /** Whether it is to be executed out of band. */
  readonly oob: boolean;
  readonly #link: Link;

  constructor(text: string, link: Link) {
    const message = JSON.parse(text) as Record<string, unknown>;
    this.text = text;
    this.oob = 'exec-oob' in message;
    this.command = String(message['exec-oob'] ?? message['execute']);
    this.arguments = message['arguments'] as PeerRequest['arguments'];
    this.id = message['id'] as PeerValue | undefined;
    this.#link = link;
  }

  /** Sends a result. */
  return(value: PeerValue = {}): void {
    const mark = this.command === 'guest-sync-delimited' ? '\xff' : '';
    this.#link.send({ return: value, id: this.#link.options.ids ? this.id : undefined }, mark);
  }

  /** Sends an error. */
  fail(desc: string, errorClass = 'GenericError'): void {
    this.#link.send({ error: { class: errorClass, desc }, id: this.#link.options.ids ? this.id : undefined });
  }
}

/** A server for any number of connections. It sends to the latest one. */
export class Peer implements AsyncDisposable {
  /** The requests received over all connections. */
  readonly received: PeerRequest[] = [];
  readonly #options: Required<PeerOptions>;
  readonly #replies = new Map<string, PeerReply>();
  readonly #links: Link[] = [];
  /** The received requests that `request` has not returned yet. */
  readonly #untaken: PeerRequest[] = [];
  readonly #onReceived: (() => void)[] = [];
  #server: Server | undefined;
  #client: Duplex | undefined;
  /** The folder of the Unix socket. */
  #folder: string | undefined;

  constructor(options: PeerOptions = {}) {
    const { kind = 'monitor' } = options;
    this.#options = {
      kind,
      greets: kind === 'monitor',
      version: '10.2.0',
      oob: false,
      ids: true,
      newline: kind === 'monitor' ? '\r\n' : '\n',
      pretty: false,
      cut: (bytes) => [bytes],
      ...options,
    };
    this.on('qmp_capabilities', {});
    if (kind === 'agent') {
      this.on('guest-sync-delimited', (request) => request.arguments?.['id'] as number);
    }
  }

  // Scripts

  /** Sets the version in further greetings. */
  set version(version: string) {
    this.#options.version = version;
  }

  /** Sets the reply to a command. Other commands are rejected as unknown. */
  on(command: string, reply: PeerReply): this {
    this.#replies.set(command, reply);
    return this;
  }

  // Connections

  /** Creates a connection within the process. @returns the client's end */
  stream(): Duplex {
    const [client, server] = duplexPair();
    this.#client = client;
    this.serve(server);
    return client;
  }

  /** Serves an existing connection. */
  serve(stream: Duplex): void {
    const link = new Link(stream, this.#options, (request) => this.#receive(request));
    this.#links.push(link);
    if (this.#options.greets) link.send(greetingOf(this.#options));
  }

  /** Listens on a Unix socket; by default, in a temporary directory. */
  async listenUnix(path?: string): Promise<{ path: string }> {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'qmp-peer-'));
    const at = path ?? join(this.#folder, 'socket');
    await this.#listen({ path: at });
    return { path: at };
  }

  /** Listens on a TCP port of this host. */
  async listenTcp(port = 0): Promise<{ host: string; port: number }> {
    const server = await this.#listen({ host: '127.0.0.1', port });
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  }

  /** Accepts no more connections. Existing ones stay open. */
  stopListening(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** The number of connections so far. */
  get connections(): number {
    return this.#links.length;
  }

  /** The stream that `stream` returned last. */
  get client(): Duplex {
    if (!this.#client) throw new Error('the peer has no connection within the process');
    return this.#client;
  }

  /** The server's end of the latest connection. */
  get socket(): Duplex {
    return this.#link.stream;
  }

  // Sending

  /** Sends a greeting; see the option `greets`. */
  greet(greeting?: PeerValue): void {
    this.send(greeting ?? greetingOf(this.#options));
  }

  /** Sends an event. By default, its time is on 2001-09-09. */
  event(
    name: string,
    data?: PeerValue,
    timestamp: PeerValue = { seconds: 1_000_000_000, microseconds: 500_000 },
  ): void {
    this.send({ event: name, data, timestamp });
  }

  /** Sends any message, in the peer's style. */
  send(message: PeerValue): void {
    this.#link.send(message);
  }

  /** Sends bytes, or a string in UTF-8, unchanged. */
  write(bytes: Uint8Array | string): void {
    this.#link.write(Buffer.from(bytes as string));
  }

  /** Closes the sending side of the connection. The peer still reads. */
  end(): void {
    this.socket.end();
  }

  /** Ends the connection abruptly: over TCP, with a reset. */
  reset(): void {
    const { socket } = this;
    if (socket instanceof Socket && socket.remoteFamily !== undefined) socket.resetAndDestroy();
    else socket.destroy();
  }

  // Receiving

  /** Waits for the next request, for a given command or for any. Returns each request once. */
  async request(command?: string): Promise<PeerRequest> {
    for (;;) {
      const at = this.#untaken.findIndex((request) => command === undefined || request.command === command);
      const [request] = at === -1 ? [] : this.#untaken.splice(at, 1);
      if (request) return request;
      await new Promise<void>((resolve) => this.#onReceived.push(resolve));
    }
  }

  /** The received commands, in order. */
  get commands(): string[] {
    return this.received.map(({ command }) => command);
  }

  /** All bytes received over all connections. */
  get bytes(): Buffer {
    return Buffer.concat(this.#links.flatMap(({ bytes }) => bytes));
  }

  /** Forgets all received data, for tests that measure memory. */
  forget(): void {
    this.received.length = 0;
    this.#untaken.length = 0;
    for (const { bytes } of this.#links) bytes.length = 0;
  }

  /** Ends all connections, and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stopListening();
    for (const { stream } of this.#links) stream.destroy();
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true });
    await new Promise(setImmediate);
  }

  get #link(): Link {
    const link = this.#links.at(-1);
    if (!link) throw new Error('the peer has no connection');
    return link;
  }

  #listen(where: { path: string } | { host: string; port: number }): Promise<Server> {
    const server = createServer({ allowHalfOpen: true }, (socket) => this.serve(socket));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(where, () => resolve(server));
    });
  }

  #receive(request: PeerRequest): void {
    this.received.push(request);
    this.#untaken.push(request);
    for (const resolve of this.#onReceived.splice(0)) resolve();
    void this.#answer(request);
  }

  async #answer(request: PeerRequest): Promise<void> {
    const reply = this.#replies.get(request.command);
    if (reply === undefined) {
      request.fail(`The command ${request.command} has not been found`, 'CommandNotFound');
      return;
    }
    const answer = typeof reply === 'function' ? reply(request) : reply;
    // Do not await a value that is not a promise: it is sent synchronously.
    const value = answer instanceof Promise ? await answer : answer;
    if (value !== undefined) request.return(value);
  }
}

/** The server's side of one connection. */
class Link {
  readonly stream: Duplex;
  readonly options: Required<PeerOptions>;
  readonly bytes: Buffer[] = [];
  readonly #onRequest: (request: PeerRequest) => void;
  #line = Buffer.alloc(0);

  constructor(stream: Duplex, options: Required<PeerOptions>, onRequest: (request: PeerRequest) => void) {
    this.stream = stream;
    this.options = options;
    this.#onRequest = onRequest;
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('end', () => stream.end());
    // A client may disconnect at any time.
    stream.on('error', () => {});
    if (stream instanceof Socket) stream.setNoDelay(true);
  }

  send(message: PeerValue, mark = ''): void {
    const { pretty, newline } = this.options;
    const lines = print(message, pretty ? '\n' : undefined).replaceAll('\n', newline);
    this.write(Buffer.concat([Buffer.from(mark, 'latin1'), Buffer.from(lines + newline)]));
  }

  write(bytes: Uint8Array): void {
    if (this.stream.destroyed || this.stream.writableEnded) return;
    for (const chunk of this.options.cut(bytes)) this.stream.write(chunk);
  }

  #receive(chunk: Buffer): void {
    this.bytes.push(chunk);
    this.#line = Buffer.concat([this.#line, chunk]);
    for (let end = this.#line.indexOf('\n'); end !== -1; end = this.#line.indexOf('\n')) {
      const line = this.#line.subarray(0, end);
      this.#line = this.#line.subarray(end + 1);
      this.#receiveLine(line);
    }
  }

  #receiveLine(line: Buffer): void {
    const delimiter = line.lastIndexOf(0xff);
    // Real agents report the byte as a syntax error.
    if (delimiter !== -1) this.#failToParse();
    const text = line.subarray(delimiter + 1).toString();
    if (text.trim() === '') return;
    let request: PeerRequest;
    try {
      request = new PeerRequest(text, this);
    } catch {
      this.#failToParse();
      return;
    }
    this.#onRequest(request);
  }

  #failToParse(): void {
    this.send({ error: { class: 'GenericError', desc: 'JSON parse error' } });
  }
}

function greetingOf({ oob, version }: Required<PeerOptions>): PeerValue {
  const [major = 0, minor = 0, micro = 0] = version.split('.').map(Number);
  const qemu = { major, minor, micro };
  return { QMP: { version: { qemu, package: 'peer' }, capabilities: oob ? ['oob'] : [] } };
}

/**
 * Formats JSON in QEMU's style.
 *
 * @param newline a newline and the current indentation; undefined to print everything on one line
 */
function print(value: PeerValue, newline: string | undefined): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = newline === undefined ? undefined : `${newline}    `;
  const [open, close, members] = Array.isArray(value)
    ? ['[', ']', (value as readonly PeerValue[]).map((element) => print(element, inner))]
    : ['{', '}', Object.entries(value).flatMap(([name, member]) => printMember(name, member, inner))];
  if (members.length === 0) return open + close;
  return `${open}${inner ?? ''}${members.join(inner === undefined ? ', ' : `,${inner}`)}${newline ?? ''}${close}`;
}

function printMember(name: string, value: PeerValue | undefined, newline: string | undefined): string[] {
  return value === undefined ? [] : [`${JSON.stringify(name)}: ${print(value, newline)}`];
}
