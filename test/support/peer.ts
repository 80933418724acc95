/**
 * A scriptable QMP server within the test's own process: it answers, and misbehaves, as scripted.
 *
 *     await using peer = new Peer({ oob: true });
 *     peer.on('query-status', { status: 'running', running: true });
 *     peer.on('cont', () => { peer.event('RESUME'); return {}; });
 *     const vm = await connect(peer.stream());              // or connect(await peer.listenUnix())
 *     await vm.cont();
 *     expect(peer.received.at(-1)?.command).toBe('cont');
 *
 * It is as independent of the client as it can be: a mistake that both made would not be found.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, Socket, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

import { duplexPair } from './duplex-pair.js';

/** What a peer sends: JSON, with `bigint` for large integers. Members that are `undefined` are left out. */
export type PeerValue =
  null | boolean | string | number | bigint | readonly PeerValue[] | { readonly [name: string]: PeerValue | undefined };

/**
 * How a command is answered: by a value, or by a function that returns one, at once or later. A function that returns `undefined` has
 * answered by itself, or never will.
 */
export type PeerReply =
  PeerValue | ((request: PeerRequest) => PeerValue | undefined | void | Promise<PeerValue | void>);

export interface PeerOptions {
  /** A `monitor` greets, and wants its capabilities negotiated; an `agent` says nothing until it is asked. `monitor` by default. */
  kind?: 'monitor' | 'agent';
  /** Whether a monitor greets by itself; otherwise, call `greet`. True by default. */
  greets?: boolean;
  /** Whether a monitor offers out-of-band execution. False by default. */
  oob?: boolean;
  /** Whether replies have the ids of their commands, which old agents omit. True by default. */
  ids?: boolean;
  /** The end of a line; by default, `\r\n` for a monitor and `\n` for an agent. */
  newline?: '\r\n' | '\n';
  /** Whether messages span lines, as with `pretty=on`. */
  pretty?: boolean;
  /** Splits sent data into the chunks to write. By default, data is written as it is sent. */
  cut?: (bytes: Uint8Array) => readonly Uint8Array[];
}

/** What a client has sent. */
export class PeerRequest {
  /** As it came, without its newline. */
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

  /** Answers with success. */
  return(value: PeerValue = {}): void {
    const mark = this.command === 'guest-sync-delimited' ? '\xff' : '';
    this.#link.send({ return: value, id: this.#link.options.ids ? this.id : undefined }, mark);
  }

  /** Answers with an error. */
  fail(desc: string, errorClass = 'GenericError'): void {
    this.#link.send({ error: { class: errorClass, desc }, id: this.#link.options.ids ? this.id : undefined });
  }
}

/** A server of any number of connections; what it sends goes to the latest one. */
export class Peer implements AsyncDisposable {
  /** What has been received, over all connections. */
  readonly received: PeerRequest[] = [];
  readonly #options: Required<PeerOptions>;
  readonly #replies = new Map<string, PeerReply>();
  readonly #links: Link[] = [];
  /** Of received requests, those that `request` has not returned yet. */
  readonly #untaken: PeerRequest[] = [];
  readonly #onReceived: (() => void)[] = [];
  #server: Server | undefined;
  #client: Duplex | undefined;
  /** Where a socket is. */
  #folder: string | undefined;

  constructor(options: PeerOptions = {}) {
    const { kind = 'monitor' } = options;
    this.#options = {
      kind,
      greets: kind === 'monitor',
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

  /** Tells how a command is answered from now on. One that was never told of is answered like one that QEMU does not have. */
  on(command: string, reply: PeerReply): this {
    this.#replies.set(command, reply);
    return this;
  }

  // Connections

  /** A new connection within the process. @returns the client's end of it */
  stream(): Duplex {
    const [client, server] = duplexPair();
    this.#client = client;
    this.serve(server);
    return client;
  }

  /** Serves a connection that there is already. */
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

  /** Takes no more connections; those that there are stay. */
  stopListening(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** How many connections there have been. */
  get connections(): number {
    return this.#links.length;
  }

  /** What `stream` has last returned. */
  get client(): Duplex {
    if (!this.#client) throw new Error('the peer has no connection within the process');
    return this.#client;
  }

  /** The server's end of the latest connection. */
  get socket(): Duplex {
    return this.#link.stream;
  }

  // Sending

  /** Greets; `greets` tells whether a monitor does it by itself. */
  greet(greeting?: PeerValue): void {
    this.send(greeting ?? greetingOf(this.#options));
  }

  /** Sends an event; its time is that of 2001-09-09, unless another is given. */
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

  /** Sends bytes, or a text in UTF-8, as they are. */
  write(bytes: Uint8Array | string): void {
    this.#link.write(Buffer.from(bytes as string));
  }

  /** Says that nothing more will be sent; it still reads. */
  end(): void {
    this.socket.end();
  }

  /** Ends the connection without ceremony: with a reset where there is such a thing. */
  reset(): void {
    const { socket } = this;
    if (socket instanceof Socket && socket.remoteFamily !== undefined) socket.resetAndDestroy();
    else socket.destroy();
  }

  // Receiving

  /** The next request for a command, or for any, that this has not returned before. */
  async request(command?: string): Promise<PeerRequest> {
    for (;;) {
      const at = this.#untaken.findIndex((request) => command === undefined || request.command === command);
      const [request] = at === -1 ? [] : this.#untaken.splice(at, 1);
      if (request) return request;
      await new Promise<void>((resolve) => this.#onReceived.push(resolve));
    }
  }

  /** The commands that were received, in order. */
  get commands(): string[] {
    return this.received.map(({ command }) => command);
  }

  /** Every byte that was received, over all connections. */
  get bytes(): Buffer {
    return Buffer.concat(this.#links.flatMap(({ bytes }) => bytes));
  }

  /** Forgets what was received, for tests that measure memory. */
  forget(): void {
    this.received.length = 0;
    this.#untaken.length = 0;
    for (const { bytes } of this.#links) bytes.length = 0;
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stopListening();
    for (const { stream } of this.#links) stream.destroy();
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true });
    await new Promise(setImmediate);
  }

  get #link(): Link {
    const link = this.#links.at(-1);
    if (!link) throw new Error('nobody is connected to the peer');
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
    // What need not be waited for is sent at once.
    const value = answer instanceof Promise ? await answer : answer;
    if (value !== undefined) request.return(value);
  }
}

/** One connection, seen from the server. */
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
    // A client that goes is nothing to complain about.
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
    // Real agents take the byte for a syntax error, and say so.
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

function greetingOf({ oob }: Required<PeerOptions>): PeerValue {
  const version = { qemu: { major: 10, minor: 2, micro: 0 }, package: 'peer' };
  return { QMP: { version, capabilities: oob ? ['oob'] : [] } };
}

/**
 * JSON in the style of QEMU.
 *
 * @param newline with the indentation of where the value is; undefined for all in one line
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
