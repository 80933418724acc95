/**
 * One connection from its greeting to its end: requests out, replies matched to them, events handed on. Knows no schema.
 * QEMU's manual: "QEMU Machine Protocol Specification".
 */

import type { Duplex } from 'node:stream';

import { CommandError, ConnectionLostError, NotSentError, ProtocolError, type QmpError } from './errors.js';
import { Framer, FramingError } from './framing.js';
import { toWire, type Json, type JsonObject, type Wire } from './json.js';
import type { Log, Trace } from './log.js';
import type { Secret } from './masking.js';
import { Queue } from './queue.js';
import { hasSecretResult, hideSecrets, secretsIn, secretsOf, shownRequest } from './secrets.js';
import type { AnyValidators } from './validator.js';

/** What a schema says of its commands that matters to the protocol, by wire name. */
export interface Protocol {
  /**
   * How a connection begins: a monitor greets, and wants its capabilities negotiated; an agent says nothing, and is brought to a
   * known state by a command.
   */
  readonly handshake: 'greeting' | 'sync';
  /** Commands that send no reply when they succeed. */
  readonly withoutReply: readonly string[];
  /** The version of QEMU that the schema is of: `10.2.2`. */
  readonly qemu?: string;
  readonly validators?: AnyValidators;
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
export type Settled = { readonly result: Json } | { readonly failure: () => Error };

/** Resolves the promise of a caller. */
export type Resolve = (value: unknown) => void;

/** Settles a request. It gets the request's `resolve` and `command`, so that one function can do it for any number of them. */
export type Settle = (outcome: Settled, resolve: Resolve, command: string) => void;

export interface Request {
  readonly command: string;
  readonly args: Wire | undefined;
  readonly oob: boolean;
  readonly settle: Settle;
  readonly resolve: Resolve;
}

/** A request on its way. */
export interface Entry {
  /** Its number in the queue that it is in; once it is sent, that is its id. */
  id: number;
  readonly command: string;
  readonly oob: boolean;
  /** The arguments as they go onto the wire; dropped when they have. */
  args: string | undefined;
  /** What a server may repeat, and nobody should see. */
  readonly secrets: readonly Secret[];
  /** Whether nobody should see its result. */
  readonly hasSecretResult: boolean;
  /** Does nothing when nobody waits any more. */
  settle: Settle;
  resolve: Resolve;
  sent: boolean;
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
  readonly #inFlight = new Queue<Entry>();
  /** Of those, the ones that hold secrets. */
  readonly #secretive = new Set<Entry>();
  /** Not sent yet; those out of band pass the others. */
  readonly #inBand = new Queue<Entry>();
  readonly #outOfBand = new Queue<Entry>();
  #inBandInFlight = 0;
  #inBandLimit = Infinity;
  #flushScheduled = false;
  #ended = false;
  /** Waits for the greeting, or for an agent's first echo. */
  #opening: { resolve(greeting: Greeting | undefined): void; reject(error: QmpError): void } | undefined;
  /** The number that an agent has to echo before anything else counts. */
  #echo: number | undefined;
  #greeted = false;
  #oob = false;
  readonly #listeners = {
    data: (chunk: Uint8Array | string) => this.#receive(typeof chunk === 'string' ? Buffer.from(chunk) : chunk),
    drain: () => this.#flush(),
    error: (error: Error) =>
      this.#end(new ConnectionLostError(`the connection failed: ${error.message}`, { cause: error })),
    end: () => this.#end(new ConnectionLostError('the server closed the connection')),
    close: () => this.#end(new ConnectionLostError('the connection is closed')),
  };

  constructor(stream: Duplex, options: SessionOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#framer = new Framer(options.messageLimit);
    for (const [name, listener] of Object.entries(this.#listeners)) stream.on(name, listener);
  }

  /** Whether out-of-band execution has been agreed upon. */
  get oob(): boolean {
    return this.#oob;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get greeted(): boolean {
    return this.#greeted;
  }

  /**
   * Does what a connection begins with.
   *
   * @returns the greeting, of servers that have one
   * @throws QmpError when it ends before
   */
  async open(): Promise<Greeting | undefined> {
    const { destroyed, readableEnded, writableEnded } = this.#stream;
    if (destroyed || readableEnded || writableEnded) throw new ConnectionLostError('the stream has ended already');
    const opened = new Promise<Greeting | undefined>((resolve, reject) => {
      this.#opening = { resolve, reject };
    });
    if (this.#options.protocol.handshake === 'sync') {
      this.#inBandLimit = 1;
      this.#sync();
    }
    const greeting = await opened;
    if (!greeting) return undefined;
    const oob = greeting.capabilities.includes('oob');
    await this.#negotiate(oob ? { enable: ['oob'] } : undefined);
    if (oob) this.#inBandLimit = inBandLimit;
    this.#oob = oob;
    return greeting;
  }

  /**
   * Queues a request. It is settled exactly once, whatever happens.
   *
   * @returns what can be abandoned
   */
  send({ command, args, oob, settle, resolve }: Request): Entry {
    const entry: Entry = {
      id: 0,
      command,
      args: args?.text,
      oob,
      secrets: secretsOf(command, args?.value),
      hasSecretResult: hasSecretResult(command, args?.value),
      settle,
      resolve,
      sent: false,
    };
    if (this.#ended) {
      settle({ failure: () => new NotSentError(`${command}: there is no connection`) }, resolve, command);
    } else {
      entry.id = this.#queueOf(entry).push(entry);
      this.#schedule();
    }
    return entry;
  }

  /** Gives a request up: it is not sent any more, or its reply is dropped; it is not settled then. */
  abandon(entry: Entry): void {
    if (this.#ended) return;
    entry.settle = entry.resolve = () => {};
    if (!entry.sent) this.#queueOf(entry).remove(entry.id);
    if (this.#options.protocol.handshake === 'greeting') return;
    // Nobody knows whether the agent is still busy with it, was started anew, or is gone: what comes next has to begin anew.
    const isSyncDue = this.#echo === undefined ? entry.sent : !this.#stream.writableNeedDrain;
    if (entry.sent) this.#remove(entry);
    if (isSyncDue) this.#sync();
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
    const { protocol, trace } = this.#options;
    while (!this.#ended && this.#echo === undefined && !this.#stream.writableNeedDrain) {
      const silent: Entry[] = [];
      let batch = '';
      while (batch.length < writeSize) {
        const entry = this.#takeNext();
        if (!entry) break;
        const text = textOf(entry);
        batch += `${text}\n`;
        if (protocol.withoutReply.includes(entry.command)) silent.push(entry);
        trace?.('out', shownRequest(entry.command, text));
        entry.args = undefined;
      }
      if (batch === '') return;
      this.#stream.write(batch, (error) => {
        if (!error) for (const entry of silent) this.#finish(entry, { result: {} });
      });
    }
  }

  /** The next that may be sent now, which is in flight from now on. */
  #takeNext(): Entry | undefined {
    const mayPass = this.#inBandInFlight < this.#inBandLimit;
    const entry = this.#outOfBand.shift() ?? (mayPass ? this.#inBand.shift() : undefined);
    if (!entry) return undefined;
    entry.id = this.#inFlight.push(entry);
    entry.sent = true;
    if (!entry.oob) this.#inBandInFlight += 1;
    if (entry.secrets.length > 0) this.#secretive.add(entry);
    return entry;
  }

  #queueOf({ oob }: Entry): Queue<Entry> {
    return oob ? this.#outOfBand : this.#inBand;
  }

  // In

  #receive(chunk: Uint8Array): void {
    try {
      this.#framer.push(chunk, (message, text) => this.#message(message, text));
    } catch (error) {
      // What has gone wrong is quoted without secrets, so the error that has all of it goes no further.
      if (error instanceof FramingError) this.#violation(error.message, error.text);
      else this.#violation(String(error), '', error);
    }
  }

  #message(message: Json, text: string): void {
    if (this.#ended) return;
    this.#options.trace?.('in', this.#hide(text.trimEnd(), this.#secretsIn(message)));
    if (typeof message !== 'object' || message === null || Array.isArray(message)) {
      this.#violation('the server sent what is no message', text);
    } else if (message['return'] !== undefined || message['error'] !== undefined) {
      this.#reply(message);
    } else if (typeof message['event'] === 'string') {
      this.#options.onEvent(message['event'], message);
    } else if (message['QMP'] !== undefined) {
      this.#greeting(message['QMP']);
    } else {
      this.#violation('the server sent what is no message', text);
    }
  }

  #reply(message: JsonObject): void {
    if (this.#echo !== undefined) {
      if (message['return'] === this.#echo) this.#synced();
      // Else it is the reply to something that was given up, or to an earlier connection.
      return;
    }
    const entry = this.#entryOf(message);
    if (!entry) {
      this.#unmatched(message);
      return;
    }
    const { error } = message;
    const outcome =
      error === undefined ? { result: message['return'] ?? null } : { failure: () => toCommandError(entry, error) };
    this.#finish(entry, outcome);
  }

  /** Replies carry the id of their command; but for those to what the server could not parse, and those of old agents. */
  #entryOf({ id }: JsonObject): Entry | undefined {
    if (typeof id === 'number') return this.#inFlight.get(id);
    if (id !== undefined || this.#inFlight.length !== 1) return undefined;
    return this.#inFlight.first;
  }

  #unmatched({ id, error }: JsonObject): void {
    const { errorClass, desc } = errorOf(error ?? null);
    // With an id it is about a command whose secrets are not known any more.
    const shown = id === undefined ? this.#hide(desc) : undefined;
    const content = error === undefined ? { id } : { id, class: errorClass, desc: shown };
    this.#options.log({ level: 'warn', message: 'a reply that belongs to no command was dropped', content });
  }

  /** A text from the server, without secrets that it repeats. */
  #hide(text: string, further: readonly Secret[] = []): string {
    return hideSecrets(text, [...further, ...[...this.#secretive].flatMap(({ secrets }) => secrets)]);
  }

  #secretsIn(message: Json): readonly Secret[] {
    const reply = (message ?? {}) as JsonObject;
    return secretsIn(reply['return'], this.#entryOf(reply)?.hasSecretResult ?? false);
  }

  #finish(entry: Entry, outcome: Settled): void {
    if (!this.#remove(entry)) return;
    entry.settle(outcome, entry.resolve, entry.command);
    if (this.#inBand.length > 0) this.#schedule();
  }

  #remove(entry: Entry): boolean {
    if (!this.#inFlight.remove(entry.id)) return false;
    this.#secretive.delete(entry);
    if (!entry.oob) this.#inBandInFlight -= 1;
    return true;
  }

  #greeting(greeting: Json): void {
    const opening = this.#opening;
    if (!opening || this.#greeted || this.#options.protocol.handshake === 'sync') {
      this.#options.log({ level: 'warn', message: 'a greeting that nobody expects was dropped', content: greeting });
      return;
    }
    const { version, capabilities } = (typeof greeting === 'object' ? (greeting ?? {}) : {}) as Partial<
      Record<keyof Greeting, unknown>
    >;
    if (typeof version !== 'object' || version === null || !Array.isArray(capabilities)) {
      this.#violation('the greeting has no version or no capabilities');
      return;
    }
    this.#opening = undefined;
    this.#greeted = true;
    opening.resolve({
      version: version as Greeting['version'],
      capabilities: capabilities.filter((name) => typeof name === 'string'),
    });
  }

  // The begin and the end

  async #negotiate(args: object | undefined): Promise<void> {
    const outcome = await new Promise<Settled>((resolve) => {
      const settle: Settle = (settled) => resolve(settled);
      this.send({ command: 'qmp_capabilities', args: args && toWire(args), oob: false, settle, resolve: () => {} });
    });
    if ('failure' in outcome) throw outcome.failure();
  }

  /**
   * An agent may be in the middle of what an earlier connection left, or busy with what was given up. The delimiter ends the one, and the
   * echo of a number the other. QEMU's manual: "Guest Agent Protocol", `guest-sync-delimited`.
   */
  #sync(): void {
    this.#echo = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
    this.#framer.resync();
    const { text } = toWire({ execute: 'guest-sync-delimited', arguments: { id: this.#echo } });
    this.#stream.write(Buffer.concat([Buffer.from([0xff]), Buffer.from(`${text}\n`)]));
    this.#options.trace?.('out', text);
  }

  #synced(): void {
    this.#echo = undefined;
    this.#opening?.resolve(undefined);
    this.#opening = undefined;
    this.#schedule();
  }

  #violation(problem: string, text = '', cause?: unknown): void {
    const message = text === '' ? problem : `${problem}: ${excerpt(this.#hide(text))}`;
    this.#options.log({ level: 'error', message: `the connection is closed: ${message}` });
    this.#end(new ProtocolError(message, { cause }));
  }

  #end(error: QmpError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#detach();
    const cause = error ?? new ConnectionLostError('the connection was closed by this side');
    this.#opening?.reject(cause);
    this.#opening = undefined;
    const entries = [...this.#inFlight.takeAll(), ...this.#outOfBand.takeAll(), ...this.#inBand.takeAll()];
    this.#secretive.clear();
    for (const { command, sent, settle, resolve } of entries) {
      const failure = (): QmpError =>
        sent
          ? new ConnectionLostError(`${command}: ${cause.message}; whether it was executed is unknown`, { cause })
          : new NotSentError(`${command}: ${cause.message}; it was not sent`, { cause });
      // The end of the connection is what a command without a reply is for.
      const isSuccess = sent && this.#options.protocol.withoutReply.includes(command);
      settle(isSuccess ? { result: {} } : { failure }, resolve, command);
    }
    this.#options.onEnd(error);
  }

  #detach(): void {
    const stream = this.#stream;
    for (const [name, listener] of Object.entries(this.#listeners)) stream.off(name, listener);
    // What fails after the end is of no interest.
    const ignore = (): void => {};
    stream.on('error', ignore).once('close', () => stream.off('error', ignore));
    stream.destroy();
  }
}

/** A request as it goes onto the wire. */
function textOf({ id, command, args, oob }: Entry): string {
  const name = `"${oob ? 'exec-oob' : 'execute'}":${JSON.stringify(command)}`;
  return args === undefined ? `{${name},"id":${id}}` : `{${name},"arguments":${args},"id":${id}}`;
}

function toCommandError({ command, secrets }: Entry, error: Json): CommandError {
  const { errorClass, desc } = errorOf(error);
  return new CommandError(command, hideSecrets(errorClass, secrets), hideSecrets(desc, secrets));
}

function errorOf(error: Json): { errorClass: string; desc: string } {
  const { class: errorClass, desc } = (typeof error === 'object' && error !== null ? error : {}) as JsonObject;
  return {
    errorClass: typeof errorClass === 'string' ? errorClass : 'GenericError',
    desc: typeof desc === 'string' ? desc : 'the server gave no description',
  };
}

function excerpt(text: string): string {
  const shown = text.trim();
  const start = JSON.stringify(shown.slice(0, 60));
  return shown.length > 60 ? `${start}...` : start;
}
