/**
 * One connection from its greeting to its end: requests out, replies matched to them, events handed on. Knows no schema.
 * QEMU's manual: "QEMU Machine Protocol Specification".
 */

import type { Duplex } from 'node:stream';

import {
  CommandError,
  ConnectError,
  ConnectionLostError,
  NotSentError,
  ProtocolError,
  type QmpError,
} from './errors.js';
import { Framer, FramingError, type Limits } from './framing.js';
import { toWire, type Json, type JsonObject, type Wire } from './json.js';
import { Repeats, type Log, type Trace } from './log.js';
import type { Secret } from './masking.js';
import { Queue } from './queue.js';
import { hasSecretResult, hideSecrets, secretsIn, secretsOf, shownRequest } from './secrets.js';
import { shortened } from './text.js';
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
  /** Whether a server that does not greet is asked if it is a guest agent. */
  readonly mayBeAgent: boolean;
  readonly log: Log;
  readonly trace?: Trace | undefined;
  /** Gets an event, and the length of its text. */
  readonly onEvent: (name: string, message: JsonObject, length: number) => void;
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
  /** Ends the time that a command without a reply has for an error. Set when the command was written. */
  grace: NodeJS.Timeout | undefined;
}

/** A monitor with out-of-band execution holds this many commands; one more would keep it from reading an out-of-band one. */
const inBandLimit = 8;
/** How many commands a server may leave without an answer before it gets no more. */
const inFlightLimit = 65_536;
/** How much is written at once. */
const writeSize = 64 * 1024;
/** How long a command without a reply waits for its error, in milliseconds. */
const graceTime = 1000;
/**
 * How long a monitor has for its greeting before it is asked if it is an agent, in milliseconds. A monitor that takes longer answers with
 * an error after its greeting, and one that has another client does not answer.
 */
const agentDelay = 500;
/** Asks that. A monitor reads no such command before it has greeted. */
const agentQuestion = { execute: 'guest-ping', id: 'qapi-ts: is this an agent?' };
const isAgentProblem =
  "this is a guest agent, not a monitor: connect with the client of its schema, such as '@qapi-ts/qemu/qga'";
/** What a monitor sends first, however it is indented. */
const greetingStart = /^\s*\{\s*"QMP"/u;
/** How much of what comes first is searched for that, in bytes. */
const greetingStartLimit = 64;
const isMonitorProblem =
  "this is a monitor, not a guest agent: connect with the client of its schema, such as '@qapi-ts/qemu/qmp', " +
  "or '@qapi-ts/qemu/qsd' for a storage daemon";
/** No greeting is longer, in characters; a real one has about 200. */
const greetingLimit = 64 * 1024;
/** How much of an error's text is kept, in characters. */
const descriptionLimit = 16 * 1024;
/** How much of a text is searched for secrets before it is cut for an error: so much more that none is cut in two. */
const searchedLength = 8 * descriptionLimit;

/**
 * What a message may have at most, unless `messageLimit` says otherwise.
 *
 * What a monitor of QEMU 7.2 with 1000 block nodes sends: 1.0 MB with 47,000 values for `query-blockstats`, and half of that for
 * `query-named-block-nodes`, which grows with the square of a backing chain's length (100 images: 2.5 MB, 100,000 values). No reply has
 * less than 13 bytes a value. The longest are texts for people: `xp` of a megabyte has 7.6 MB.
 *
 * What an agent sends: a `guest-file-read` of the 48 MiB that it allows has 64 MiB and 69 bytes, and a `guest-exec-status` with all
 * output that it keeps has 45 MB, each with a handful of values; the most values are those of `guest-get-memory-blocks`, three a block.
 *
 * Both are such that no message exhausts a heap of 512 MB.
 */
const defaultLimits: Readonly<Record<Protocol['handshake'], Limits>> = {
  greeting: { bytes: 64 * 1024 * 1024, values: 1024 * 1024 },
  sync: { bytes: 65 * 1024 * 1024, values: 256 * 1024 },
};

/** Larger messages may have more values in proportion; smaller ones may have as many as before. */
function limitsOf({ handshake }: Protocol, messageLimit: number | undefined): Limits {
  const { bytes, values } = defaultLimits[handshake];
  return messageLimit === undefined
    ? { bytes, values }
    : { bytes: messageLimit, values: Math.ceil(values * Math.max(1, messageLimit / bytes)) };
}

export class Session {
  readonly #stream: Duplex;
  readonly #options: SessionOptions;
  readonly #framer: Framer;
  /** Sent, and not replied to, in the order of sending. */
  readonly #inFlight = new Queue<Entry>();
  /** Those whose secrets the server may still repeat. */
  readonly #secretive = new Set<Entry>();
  readonly #repeats: Repeats;
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
  /** Whether an agent has to echo a number before it gets the next command. */
  #isSyncDue = false;
  /** Whether a command has been sent to find out which one the server could not parse. */
  #isProbing = false;
  #greeted = false;
  #oob = false;
  /** Ends the time that a monitor has for its greeting. */
  #agentTimer: NodeJS.Timeout | undefined;
  #isAgentAsked = false;
  /** What came first from an agent. */
  #start = '';
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
    this.#framer = new Framer(limitsOf(options.protocol, options.messageLimit));
    this.#repeats = new Repeats(options.log);
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
    } else if (this.#options.mayBeAgent) {
      this.#agentTimer = setTimeout(() => this.#askAgent(), agentDelay);
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
      grace: undefined,
    };
    if (this.#ended) {
      settle({ failure: () => new NotSentError(`${command}: there is no connection`) }, resolve, command);
    } else {
      entry.id = this.#queueOf(entry).push(entry);
      this.#schedule();
    }
    return entry;
  }

  /**
   * Gives a request up: it is not sent any more, or its reply is dropped; it is not settled then.
   *
   * @param isLate whether time is up: a command without a reply, which was written, has succeeded by then, as far as anybody can know
   */
  abandon(entry: Entry, isLate = false): void {
    if (this.#ended) return;
    if (isLate && entry.grace) {
      this.#endGrace(entry);
      return;
    }
    entry.settle = entry.resolve = () => {};
    if (!entry.sent) this.#queueOf(entry).remove(entry.id);
    if (this.#options.protocol.handshake === 'greeting') return;
    // Nobody knows whether the agent is still busy with it, was started anew, or is gone: what comes next has to begin anew.
    const isSyncDue = this.#echo === undefined ? entry.sent : !this.#stream.writableNeedDrain;
    // Its secrets stay hidden until then.
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
    if (this.#isSyncDue && this.#inBand.length > 0 && !this.#ended && !this.#stream.writableNeedDrain) this.#sync();
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
        if (!error) for (const entry of silent) this.#beginGrace(entry);
      });
    }
  }

  /** The next that may be sent now, which is in flight from now on. */
  #takeNext(): Entry | undefined {
    if (this.#inFlight.length >= inFlightLimit) return undefined;
    const mayPass = this.#inBandInFlight < this.#inBandLimit;
    const entry = this.#outOfBand.shift() ?? (mayPass ? this.#inBand.shift() : undefined);
    if (!entry) return undefined;
    entry.id = this.#inFlight.push(entry);
    entry.sent = true;
    if (!entry.oob) this.#inBandInFlight += 1;
    if (entry.secrets.length > 0 || entry.hasSecretResult) this.#secretive.add(entry);
    return entry;
  }

  #queueOf({ oob }: Entry): Queue<Entry> {
    return oob ? this.#outOfBand : this.#inBand;
  }

  /** A command that has no reply when it succeeds may still fail. */
  #beginGrace(entry: Entry): void {
    if (this.#inFlight.get(entry.id) === entry) entry.grace = setTimeout(() => this.#endGrace(entry), graceTime);
  }

  #endGrace(entry: Entry): void {
    if (this.#options.protocol.handshake === 'sync') {
      // An error that is later still must not be taken for the next command's, and may repeat secrets.
      this.#isSyncDue = true;
      this.#finish(entry, { result: {} }, true);
    } else {
      this.#finish(entry, { result: {} });
    }
  }

  // In

  #receive(chunk: Uint8Array): void {
    if (this.#opening && this.#options.protocol.handshake === 'sync') {
      this.#start += Buffer.from(chunk.subarray(0, greetingStartLimit - this.#start.length)).toString('latin1');
      if (greetingStart.test(this.#start)) {
        this.#end(new ConnectError(isMonitorProblem));
        return;
      }
    }
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
      // What an agent says before its echo does not count.
      if (this.#echo === undefined) this.#options.onEvent(message['event'], message, text.length);
    } else if (message['QMP'] !== undefined) {
      this.#greeting(message['QMP'], text.length);
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
    const { id, error } = message;
    if (this.#isAgentAsked && !this.#greeted) {
      this.#end(new ConnectError(isAgentProblem));
      return;
    }
    if (this.#isAgentAsked && id === agentQuestion.id) return;
    const entry = this.#entryOf(message);
    if (entry) {
      const outcome =
        error === undefined ? { result: message['return'] ?? null } : { failure: () => toCommandError(entry, error) };
      this.#finish(entry, outcome);
    } else if (id === undefined && error !== undefined && this.#inFlight.length > 0) {
      this.#probe(error);
    } else {
      this.#unmatched(message);
    }
  }

  /** Replies carry the id of their command; but for those to what a monitor could not parse, and those of old agents. */
  #entryOf({ id }: JsonObject): Entry | undefined {
    if (typeof id === 'number') return this.#inFlight.get(id);
    // An agent gets one command at a time.
    return id === undefined && this.#options.protocol.handshake === 'sync' ? this.#inFlight.first : undefined;
  }

  /**
   * Finds out which command a monitor could not parse. It answers in order, so when it has answered one more command, that which went
   * before and has no reply is the one. Any number of such errors may come of one command, and all of them do before that answer.
   */
  #probe(given: Json): void {
    if (this.#isProbing) return;
    this.#isProbing = true;
    // It may quote the arguments of any of them.
    const { errorClass, desc } = errorOf(given);
    const error = { class: this.#hide(errorClass), desc: this.#hide(desc) };
    const settle: Settle = () => {
      this.#isProbing = false;
      if (this.#ended) return;
      if (!this.#inFlight.first || this.#inFlight.first.id > probe.id) this.#unmatched({ error });
      for (let first = this.#inFlight.first; first && first.id < probe.id; first = this.#inFlight.first) {
        const entry = first;
        this.#finish(entry, { failure: () => toCommandError(entry, error) });
      }
    };
    const probe: Entry = {
      id: 0,
      command: 'query-version',
      args: undefined,
      oob: false,
      secrets: [],
      hasSecretResult: false,
      settle,
      resolve: () => {},
      sent: false,
      grace: undefined,
    };
    // It passes those that wait for the one that it is about.
    probe.id = this.#outOfBand.push(probe);
    this.#schedule();
  }

  #unmatched({ id, error }: JsonObject): void {
    const { errorClass, desc } = errorOf(error ?? null);
    // With an id it is about a command whose secrets are not known any more.
    const shown = id === undefined ? shortened(this.#hide(desc), descriptionLimit) : undefined;
    // A server may echo anything as an id.
    const own = typeof id === 'number' ? { id } : {};
    const content =
      error === undefined
        ? own
        : { ...own, class: this.#hide(errorClass), ...(shown !== undefined && { desc: shown }) };
    this.#repeats.tell({ level: 'warn', message: 'a reply that belongs to no command was dropped', content });
  }

  /** A text from the server, without secrets that it repeats. */
  #hide(text: string, further: readonly Secret[] = []): string {
    return hideSecrets(text, [...further, ...[...this.#secretive].flatMap(({ secrets }) => secrets)]);
  }

  #secretsIn(message: Json): readonly Secret[] {
    const reply = (message ?? {}) as JsonObject;
    // A reply to no call may be that of one that was given up.
    const entries = [this.#entryOf(reply) ?? [...this.#secretive]].flat();
    return secretsIn(
      reply['return'],
      entries.some(({ hasSecretResult: isSecret }) => isSecret),
    );
  }

  /** @param keepsSecrets whether the server may still repeat them */
  #finish(entry: Entry, outcome: Settled, keepsSecrets = false): void {
    if (!this.#remove(entry)) return;
    if (!keepsSecrets) this.#secretive.delete(entry);
    entry.settle(outcome, entry.resolve, entry.command);
    if (this.#inBand.length > 0) this.#schedule();
  }

  #remove(entry: Entry): boolean {
    if (!this.#inFlight.remove(entry.id)) return false;
    clearTimeout(entry.grace);
    if (!entry.oob) this.#inBandInFlight -= 1;
    return true;
  }

  #greeting(greeting: Json, length: number): void {
    const opening = this.#opening;
    if (!opening || this.#greeted || this.#options.protocol.handshake === 'sync') {
      this.#repeats.tell({ level: 'warn', message: 'a greeting that nobody expects was dropped' });
      return;
    }
    if (length > greetingLimit) {
      this.#violation(`a greeting of more than ${greetingLimit} characters`);
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
    clearTimeout(this.#agentTimer);
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

  #askAgent(): void {
    this.#isAgentAsked = true;
    const text = JSON.stringify(agentQuestion);
    this.#stream.write(`${text}\n`);
    this.#options.trace?.('out', text);
  }

  /**
   * An agent may be in the middle of what an earlier connection left, or busy with what was given up. The delimiter ends the one, and the
   * echo of a number the other. QEMU's manual: "Guest Agent Protocol", `guest-sync-delimited`.
   */
  #sync(): void {
    this.#isSyncDue = false;
    this.#echo = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
    this.#framer.resync();
    const { text } = toWire({ execute: 'guest-sync-delimited', arguments: { id: this.#echo } });
    this.#stream.write(Buffer.concat([Buffer.from([0xff]), Buffer.from(`${text}\n`)]));
    this.#options.trace?.('out', text);
  }

  #synced(): void {
    this.#echo = undefined;
    this.#secretive.clear();
    this.#opening?.resolve(undefined);
    this.#opening = undefined;
    this.#schedule();
  }

  #violation(problem: string, text = '', cause?: unknown): void {
    const message = text === '' ? problem : `${problem}: ${excerpt(this.#hide(text.slice(0, searchedLength)))}`;
    this.#options.log({ level: 'error', message: `the connection is closed: ${message}` });
    this.#end(new ProtocolError(message, { cause }));
  }

  #end(error: QmpError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#agentTimer);
    this.#detach();
    const cause = error ?? new ConnectionLostError('the connection was closed by this side');
    this.#opening?.reject(cause);
    this.#opening = undefined;
    const entries = [...this.#inFlight.takeAll(), ...this.#outOfBand.takeAll(), ...this.#inBand.takeAll()];
    this.#secretive.clear();
    for (const { command, sent, grace, settle, resolve } of entries) {
      clearTimeout(grace);
      const failure = (): QmpError =>
        sent
          ? new ConnectionLostError(`${command}: ${cause.message}; whether it was executed is unknown`, { cause })
          : new NotSentError(`${command}: ${cause.message}; it was not sent`, { cause });
      // The end of the connection is what a command without a reply is for.
      settle(grace ? { result: {} } : { failure }, resolve, command);
    }
    this.#repeats.end();
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
  return new CommandError(
    command,
    hideSecrets(errorClass, secrets),
    shortened(hideSecrets(desc, secrets), descriptionLimit),
  );
}

function errorOf(error: Json): { errorClass: string; desc: string } {
  const { class: errorClass, desc } = (typeof error === 'object' && error !== null ? error : {}) as JsonObject;
  return {
    errorClass: typeof errorClass === 'string' ? shortened(errorClass, descriptionLimit) : 'GenericError',
    desc: typeof desc === 'string' ? desc.slice(0, searchedLength) : 'the server gave no description',
  };
}

function excerpt(text: string): string {
  const shown = text.trim();
  const start = JSON.stringify(shown.slice(0, 60));
  return shown.length > 60 ? `${start}...` : start;
}
