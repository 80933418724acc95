/**
 * One connection from its greeting to its end: requests out, replies matched to them, events handed on. Knows no schema.
 * QEMU's manual: "QEMU Machine Protocol Specification".
 */

import type { Duplex } from 'node:stream';

import { CommandError, ConnectionLostError, NotSentError, ProtocolError, type QmpError } from './errors.js';
import { Framer, FramingError } from './framing.js';
import { stringify, type Json, type JsonObject } from './json.js';
import type { Log, Trace } from './log.js';
import { hideSecrets, withoutSecrets } from './secrets.js';

/** What a schema says of its commands that matters to the protocol, by wire name. */
export interface Protocol {
  /**
   * How a connection begins: a monitor greets, and wants its capabilities negotiated; an agent says nothing, and is brought to a
   * known state by a command.
   */
  readonly handshake: 'greeting' | 'sync';
  /** Commands that send no reply when they succeed. */
  readonly withoutReply: readonly string[];
  /** Commands that may be executed out of band. */
  readonly outOfBand: readonly string[];
}

/** The version of QEMU, as its greeting and `query-version` have it. */
export interface Greeting {
  readonly version: {
    readonly qemu: { readonly major: number; readonly minor: number; readonly micro: number };
    readonly package: string;
  };
  readonly capabilities: readonly string[];
}

export interface SessionOptions {
  readonly protocol: Protocol;
  readonly messageLimit?: number;
  readonly log: Log;
  readonly trace?: Trace | undefined;
  readonly onEvent: (name: string, message: JsonObject) => void;
  /** Called once, when nothing more can come; without an error when this side has closed it. */
  readonly onEnd: (error: QmpError | undefined) => void;
}

/** How a request ended. Failures are made where they are thrown, so that their stack leads to the caller. */
export type Settled = { readonly result: Json } | { readonly failure: () => QmpError };

export interface Request {
  readonly command: string;
  readonly args: object | undefined;
  readonly oob: boolean;
  settle(outcome: Settled): void;
}

/** A request on its way. */
interface Entry {
  readonly request: Request;
  readonly id: number;
  /** As it goes onto the wire. */
  readonly text: string;
  sent: boolean;
  /** Nobody waits any more; its reply is dropped when it comes. */
  abandoned: boolean;
}

/** A monitor with out-of-band execution holds this many commands; one more would keep it from reading an out-of-band one. */
const inBandLimit = 8;
/** How much is written at once. */
const writeSize = 64 * 1024;

export class Session {
  readonly #stream: Duplex;
  readonly #options: SessionOptions;
  readonly #framer: Framer;
  /** Sent, and not replied to, in the order of sending. */
  readonly #inFlight = new Map<number, Entry>();
  /** Not sent yet. */
  #queue: Entry[] = [];
  #inBandInFlight = 0;
  #inBandLimit = Infinity;
  #nextId = 1;
  #flushScheduled = false;
  #ended = false;
  /** Waits for the greeting. */
  #opening: { resolve(greeting: Greeting): void; reject(error: QmpError): void } | undefined;
  #oob = false;

  constructor(stream: Duplex, options: SessionOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#framer = new Framer(options.messageLimit);
    stream.on('data', (chunk: Uint8Array) => this.#receive(chunk));
    stream.on('drain', () => this.#flush());
    stream.on('error', (error) =>
      this.#end(new ConnectionLostError(`the connection failed: ${error.message}`, { cause: error })),
    );
    // A peer that has said its last word gets ours, too.
    stream.on('end', () => this.#end(new ConnectionLostError('the server closed the connection')));
    stream.on('close', () => this.#end(new ConnectionLostError('the connection is closed')));
  }

  /** Whether out-of-band execution has been agreed upon. */
  get oob(): boolean {
    return this.#oob;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Does what a connection begins with.
   *
   * @returns the greeting, of servers that have one
   * @throws QmpError when it ends before
   */
  async open(): Promise<Greeting | undefined> {
    if (this.#options.protocol.handshake === 'sync') {
      await this.#sync();
      return undefined;
    }
    const greeting = await new Promise<Greeting>((resolve, reject) => {
      this.#opening = { resolve, reject };
    });
    const oob = greeting.capabilities.includes('oob');
    await this.#internal('qmp_capabilities', oob ? { enable: ['oob'] } : undefined);
    if (oob) this.#inBandLimit = inBandLimit;
    this.#oob = oob;
    return greeting;
  }

  /**
   * Queues a request. It is settled exactly once, whatever happens.
   *
   * @returns what gives it up: it is not sent any more, or its reply is dropped; it is not settled then
   * @throws TypeError when the arguments are no JSON
   */
  send(request: Request): () => void {
    const { command, args, oob } = request;
    const id = this.#nextId;
    this.#nextId += 1;
    const head = `{"${oob ? 'exec-oob' : 'execute'}":${stringify(command)}`;
    const text = `${head}${args === undefined ? '' : `,"arguments":${stringify(args)}`},"id":${id}}\n`;
    const entry: Entry = { request, id, text, sent: false, abandoned: false };
    if (this.#ended) {
      request.settle({ failure: () => new NotSentError(`${command}: there is no connection`) });
      return () => {};
    }
    this.#queue.push(entry);
    this.#schedule();
    return () => {
      entry.abandoned = true;
    };
  }

  /** Ends the connection. What is in flight is settled as lost, what is queued as not sent. */
  destroy(error?: QmpError): void {
    this.#end(error);
  }

  // Out

  #schedule(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    // Calls that are made together are written together.
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#queue.length > 0 && !this.#ended && !this.#stream.writableNeedDrain) {
      const batch = this.#takeBatch();
      if (batch.length === 0) return;
      const { withoutReply } = this.#options.protocol;
      const silent = batch.filter(({ request }) => withoutReply.includes(request.command));
      this.#stream.write(batch.map(({ text }) => text).join(''), (error) => {
        if (!error) for (const entry of silent) this.#finish(entry, { result: {} });
      });
      if (this.#options.trace) for (const { request, id } of batch) this.#options.trace('out', traceText(request, id));
    }
  }

  /** What may be sent now, in order; out-of-band requests pass those that have to wait. */
  #takeBatch(): Entry[] {
    const batch: Entry[] = [];
    const rest: Entry[] = [];
    let size = 0;
    for (const entry of this.#queue) {
      if (entry.abandoned) continue;
      const { oob } = entry.request;
      if (size >= writeSize || (!oob && this.#inBandInFlight >= this.#inBandLimit)) {
        rest.push(entry);
        continue;
      }
      size += entry.text.length;
      entry.sent = true;
      if (!oob) this.#inBandInFlight += 1;
      this.#inFlight.set(entry.id, entry);
      batch.push(entry);
    }
    this.#queue = rest;
    return batch;
  }

  // In

  #receive(chunk: Uint8Array): void {
    if (this.#ended) return;
    try {
      this.#framer.push(chunk, (message, text) => this.#message(message, text));
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      this.#violation(error.message, error);
    }
  }

  #message(message: Json, text: string): void {
    if (this.#ended) return;
    this.#options.trace?.('in', text);
    if (typeof message !== 'object' || message === null || Array.isArray(message)) {
      this.#violation(`the server sent what is no message: ${text.slice(0, 60)}`);
    } else if (message['return'] !== undefined || message['error'] !== undefined) {
      this.#reply(message);
    } else if (typeof message['event'] === 'string') {
      this.#options.onEvent(message['event'], message);
    } else if (message['QMP'] !== undefined) {
      this.#greeting(message['QMP']);
    } else {
      this.#violation(`the server sent what is no message: ${text.slice(0, 60)}`);
    }
  }

  #reply(message: JsonObject): void {
    const entry = this.#entryOf(message);
    if (!entry) {
      const content = message['error'] ?? message['id'] ?? null;
      this.#options.log({ level: 'warn', message: 'a reply that belongs to no command was dropped', content });
      return;
    }
    const { error } = message;
    const outcome =
      error === undefined
        ? { result: message['return'] ?? null }
        : { failure: () => toCommandError(entry.request, error) };
    this.#finish(entry, outcome);
  }

  /** Replies carry the id of their command; but for those to what the server could not parse, and those of old agents. */
  #entryOf(message: JsonObject): Entry | undefined {
    const { id } = message;
    if (typeof id === 'number') return this.#inFlight.get(id);
    if (id !== undefined) return undefined;
    const candidates = [...this.#inFlight.values()].filter(({ request }) => !request.oob);
    return candidates.length === 1 || this.#options.protocol.handshake === 'sync' ? candidates[0] : undefined;
  }

  #finish(entry: Entry, outcome: Settled): void {
    if (!this.#inFlight.delete(entry.id)) return;
    if (!entry.request.oob) this.#inBandInFlight -= 1;
    if (!entry.abandoned) entry.request.settle(outcome);
    if (this.#queue.length > 0) this.#flush();
  }

  #greeting(greeting: Json): void {
    const opening = this.#opening;
    if (!opening) {
      this.#options.log({ level: 'warn', message: 'the server greeted again', content: greeting });
      return;
    }
    this.#opening = undefined;
    const { version, capabilities } = greeting as Partial<Record<keyof Greeting, unknown>>;
    if (typeof version !== 'object' || version === null || !Array.isArray(capabilities)) {
      this.#violation('the greeting has no version or no capabilities');
      opening.reject(new ProtocolError('the greeting has no version or no capabilities'));
      return;
    }
    opening.resolve({
      version: version as Greeting['version'],
      capabilities: capabilities.filter((name) => typeof name === 'string'),
    });
  }

  // The begin and the end

  /** One of the session's own requests. */
  async #internal(command: string, args: object | undefined): Promise<Json> {
    const outcome = await new Promise<Settled>((settle) => this.send({ command, args, oob: false, settle }));
    if ('failure' in outcome) throw outcome.failure();
    return outcome.result;
  }

  /**
   * An agent may be in the middle of what an earlier connection left. The delimiter ends that, and everything before the marked reply is
   * dropped. QEMU's manual: "Guest Agent Protocol", `guest-sync-delimited`.
   */
  async #sync(): Promise<void> {
    const id = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
    this.#inBandLimit = 1;
    this.#framer.resync();
    this.#stream.write(Buffer.from([0xff]));
    const echoed = await this.#internal('guest-sync-delimited', { id });
    if (echoed !== id) throw new ProtocolError('the agent did not echo the number that it was given');
  }

  #violation(problem: string, cause?: unknown): void {
    const error = new ProtocolError(problem, { cause });
    this.#options.log({ level: 'error', message: `the connection is closed: ${problem}` });
    this.#end(error);
  }

  #end(error: QmpError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.destroy();
    const cause = error ?? new ConnectionLostError('the connection was closed by this side');
    this.#opening?.reject(cause);
    this.#opening = undefined;
    const entries = [...this.#inFlight.values(), ...this.#queue].filter(({ abandoned }) => !abandoned);
    this.#inFlight.clear();
    this.#queue = [];
    for (const { request, sent } of entries) {
      const { command } = request;
      const failure = (): QmpError =>
        sent
          ? new ConnectionLostError(`${command}: ${cause.message}; whether it was executed is unknown`, { cause })
          : new NotSentError(`${command}: ${cause.message}; it was not sent`, { cause });
      request.settle(this.#endsSuccessfully(request, sent) ? { result: {} } : { failure });
    }
    this.#options.onEnd(error);
  }

  /** The end of the connection is what a command without a reply is for. */
  #endsSuccessfully({ command }: Request, sent: boolean): boolean {
    return sent && this.#options.protocol.withoutReply.includes(command);
  }
}

function toCommandError({ command, args }: Request, error: Json): CommandError {
  const { class: errorClass, desc } = (typeof error === 'object' && error !== null ? error : {}) as JsonObject;
  const text = typeof desc === 'string' ? desc : 'the server gave no description';
  return new CommandError(
    command,
    typeof errorClass === 'string' ? errorClass : 'GenericError',
    hideSecrets(text, command, args),
  );
}

function traceText({ command, args, oob }: Request, id: number): string {
  return stringify({ [oob ? 'exec-oob' : 'execute']: command, arguments: withoutSecrets(command, args), id });
}
