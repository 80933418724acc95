/**
 * One connection from its greeting to its end: sends requests, matches replies to them, and passes events on. Does not
 * know the schema. QEMU's manual: "QEMU Machine Protocol Specification".
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
import { Framer, FramingError, type MessageLimits } from './framing.js';
import { isObject, toWire, type Json, type JsonObject, type Wire } from './json.js';
import { Repeats, type Log, type Trace } from './log.js';
import type { Secret } from './masking.js';
import { PastSecrets } from './past-secrets.js';
import { Queue } from './queue.js';
import { hasSecretResult, hideSecrets, secretsIn, secretsOf, shownRequest } from './secrets.js';
import { shortened } from './text.js';
import type { AnyValidators } from './validator.js';
import type { Versioned } from './version.js';

/** The facts about a schema that the protocol depends on. */
export interface Protocol extends Versioned {
  /**
   * How a connection begins. `greeting`: a monitor sends a greeting and requires negotiation of capabilities. `sync`:
   * an agent sends nothing, and is resynchronized by a command.
   */
  readonly handshake: 'greeting' | 'sync';
  /** The wire names of commands that send no reply on success. */
  readonly withoutReply: readonly string[];
  readonly validators?: AnyValidators;
}

/** The greeting of a monitor. The version has the form of `query-version`'s result. */
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
  /** Whether a server that sends no greeting is asked whether it is a guest agent. */
  readonly mayBeAgent: boolean;
  readonly log: Log;
  readonly trace?: Trace | undefined;
  /** Receives an event and the length of its text. */
  readonly onEvent: (name: string, message: JsonObject, length: number) => void;
  /** Called once, when nothing more can arrive. There is no error if this side closed the connection. */
  readonly onEnd: (error: QmpError | undefined) => void;
}

/** The outcome of a request. Errors are created where they are thrown, so that their stack leads to the caller. */
export type Settled = { readonly result: Json } | { readonly failure: () => Error };

/** Resolves the caller's promise. */
export type Resolve = (value: unknown) => void;

/**
 * Settles a request. Receives the request's `resolve` and `command`, so that one function can serve any number of
 * requests.
 */
export type Settle = (outcome: Settled, resolve: Resolve, command: string) => void;

export interface Request {
  readonly command: string;
  readonly args: Wire | undefined;
  readonly oob: boolean;
  readonly settle: Settle;
  readonly resolve: Resolve;
}

/**
 * The state of a request. `queued`: not sent. `sent`: waiting for its reply. `written`: passed to the system; no
 * reply is expected, so only an error can make it fail. `ended`: settled or abandoned; a reply is dropped.
 */
type EntryState = 'queued' | 'sent' | 'written' | 'ended';

/** A request and its state. */
export interface Entry {
  state: EntryState;
  /** The entry's number in its queue; once it is sent, its id on the wire. */
  id: number;
  readonly command: string;
  readonly oob: boolean;
  /** The arguments in wire format; dropped once they are sent. */
  args: string | undefined;
  /** Secrets in the arguments, which the server may repeat. */
  readonly secrets: readonly Secret[];
  /** Whether the result is secret. */
  readonly hasSecretResult: boolean;
  /** Does nothing once the request is abandoned. */
  settle: Settle;
  resolve: Resolve;
  /** The timer after which a request that is `written` succeeds. */
  grace: NodeJS.Timeout | undefined;
}

/**
 * The number of commands that a monitor with out-of-band execution queues. With one more, it stops reading, and an
 * out-of-band command would have to wait.
 */
const inBandLimit = 8;
/** The maximum number of commands in flight. More are queued until the server replies. */
const inFlightLimit = 65_536;
/** The number of characters written at once. */
const writeSize = 64 * 1024;
/** How long to wait for an error of a command that has no reply, in milliseconds. */
const graceTime = 1000;
/**
 * How long to wait for a monitor's greeting before asking whether the server is a guest agent, in milliseconds. A slower
 * monitor replies with an error after its greeting, and a monitor that serves another client does not reply.
 */
const agentDelay = 500;
/** Asks whether the server is an agent. A monitor reads it only after it has sent its greeting. */
const agentQuestion = { execute: 'guest-ping', id: 'qapi-ts: is this an agent?' };
const isAgentProblem =
  "this is a guest agent, not a monitor: connect with the client of its schema, such as '@qapi-ts/qemu/qga'";
const noGreetingProblem =
  'this is a monitor whose greeting is missing: another program, or the one that opened the stream, has read it';
/** The beginning of a monitor's first message, a greeting or an event, with any indentation. */
const greetingStart = /^\s*\{\s*"(?:QMP|timestamp|event)"/u;
/** The number of bytes that are searched for `greetingStart`. */
const greetingStartLimit = 64;
const isMonitorProblem =
  "this is a monitor, not a guest agent: connect with the client of its schema, such as '@qapi-ts/qemu/qmp', " +
  "or '@qapi-ts/qemu/qsd' for a storage daemon";
/** The maximum length of a greeting in characters. A real one has about 200. */
const greetingLimit = 64 * 1024;
/** The maximum length of an error's description in characters. */
const descriptionLimit = 16 * 1024;
/**
 * The number of characters that are searched for secrets before text is truncated to `descriptionLimit`. It is larger
 * so that no secret is cut in two.
 */
const searchedLength = 8 * descriptionLimit;

/**
 * The default limits of a message.
 *
 * A monitor of QEMU 7.2 with 1000 block nodes replies to `query-blockstats` with 1.0 MB and 47,000 values, and to
 * `query-named-block-nodes` with half of that; the latter grows with the square of the length of a backing chain (100
 * images: 2.5 MB, 100,000 values). No reply has less than 13 bytes per value. The longest replies are text: that to
 * `xp` of a megabyte is 7.6 MB long.
 *
 * An agent's reply to a `guest-file-read` of the maximum, 48 MiB, is 64 MiB plus 69 bytes long, and that to a
 * `guest-exec-status` with the maximum output is 45 MB long, each with a handful of values. `guest-get-memory-blocks`
 * has the most values: three per block.
 *
 * With these limits, no message exhausts a heap of 512 MB.
 */
const defaultLimits: Readonly<Record<Protocol['handshake'], MessageLimits>> = {
  greeting: { bytes: 64 * 1024 * 1024, values: 1024 * 1024 },
  sync: { bytes: 65 * 1024 * 1024, values: 256 * 1024 },
};

/** A higher `messageLimit` raises the limit on values in proportion; a lower one does not reduce it. */
function limitsOf({ handshake }: Protocol, messageLimit: number | undefined): MessageLimits {
  const { bytes, values } = defaultLimits[handshake];
  return messageLimit === undefined
    ? { bytes, values }
    : { bytes: messageLimit, values: Math.ceil(values * Math.max(1, messageLimit / bytes)) };
}

export class Session {
  readonly #stream: Duplex;
  readonly #options: SessionOptions;
  readonly #framer: Framer;
  /** Requests without a reply, in the order of sending. */
  readonly #inFlight = new Queue<Entry>();
  /** Requests with secrets that wait for their reply or, once abandoned, for the agent to be resynchronized. */
  readonly #secretive = new Set<Entry>();
  /** The secrets of requests that have ended; a server may still repeat them. */
  readonly #pastSecrets = new PastSecrets();
  /** The secrets of abandoned requests, whose outcome an agent may still report as if it were that of another. */
  readonly #abandonedSecrets = new PastSecrets();
  readonly #repeats: Repeats;
  /** Requests that are not sent yet. Those out of band overtake the others. */
  readonly #inBand = new Queue<Entry>();
  readonly #outOfBand = new Queue<Entry>();
  #inBandInFlight = 0;
  #inBandLimit = Infinity;
  #flushScheduled = false;
  #ended = false;
  /** Settles the handshake, when the greeting or an agent's first echo arrives. */
  #opening: { resolve(greeting: Greeting | undefined): void; reject(error: QmpError): void } | undefined;
  /**
   * Whether the agent's replies can be relied upon. `due`: the agent has to be resynchronized before the next command.
   * A number: the agent has to echo it, and all other messages are dropped until it does.
   */
  #synchrony: 'synced' | 'due' | number = 'synced';
  /** Whether a command was sent to find out which earlier one the server could not parse. */
  #isProbing = false;
  #greeted = false;
  #oob = false;
  /** Fires if a monitor's greeting is late. */
  #agentTimer: NodeJS.Timeout | undefined;
  #isAgentAsked = false;
  /** The first bytes from an agent, as text. */
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

  /** Whether out-of-band execution was negotiated. */
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
   * Performs the handshake.
   *
   * @returns the greeting, if the server has one
   * @throws QmpError if the connection ends first
   */
  async open(): Promise<Greeting | undefined> {
    const { destroyed, readableEnded, writableEnded } = this.#stream;
    if (destroyed || readableEnded || writableEnded) throw new ConnectionLostError('the stream has already ended');
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
    await this.request('qmp_capabilities', oob ? { enable: ['oob'] } : undefined);
    if (oob) this.#inBandLimit = inBandLimit;
    this.#oob = oob;
    return greeting;
  }

  /**
   * Queues a request. It is settled exactly once, unless it is abandoned.
   *
   * @returns the entry, for `abandon`
   */
  send(request: Request): Entry {
    const entry = newEntry(request);
    const { command, settle, resolve } = request;
    if (this.#ended) {
      entry.state = 'ended';
      settle({ failure: () => new NotSentError(`${command}: not connected`) }, resolve, command);
    } else {
      entry.id = this.#queueOf(entry).push(entry);
      this.#schedule();
    }
    return entry;
  }

  /**
   * Executes a command of the connection itself.
   *
   * @throws QmpError if the command fails or the connection ends
   */
  async request(command: string, args?: object): Promise<Json> {
    const outcome = await new Promise<Settled>((resolve) => {
      const settle: Settle = (settled) => resolve(settled);
      this.send({ command, args: args && toWire(args), oob: false, settle, resolve: () => {} });
    });
    if ('failure' in outcome) throw outcome.failure();
    return outcome.result;
  }

  /** Ends a request whose time limit expired. It succeeds if it was only waiting for a possible error. */
  expire(entry: Entry): void {
    if (entry.state === 'written') this.#endGrace(entry);
    else this.abandon(entry);
  }

  /** Abandons a request: it is not sent, or its reply is dropped. It is not settled. */
  abandon(entry: Entry): void {
    const { state } = entry;
    if (state === 'ended' || this.#ended) return;
    entry.settle = entry.resolve = () => {};
    if (state === 'queued') {
      this.#queueOf(entry).remove(entry.id);
      entry.state = 'ended';
    }
    // A monitor replies, and the reply has an id.
    if (this.#options.protocol.handshake === 'greeting') return;
    // The agent may still be busy with the command, may have been restarted, or may be gone. Resynchronize before the
    // next command. Until then, keep the request's secrets.
    if (state !== 'queued') this.#remove(entry);
    const isWaitingForEcho = typeof this.#synchrony === 'number';
    if (isWaitingForEcho ? !this.#stream.writableNeedDrain : state !== 'queued') this.#sync();
  }

  /** Ends the connection. Requests in flight fail as lost, queued requests as not sent. */
  destroy(error?: QmpError): void {
    this.#end(error);
  }

  // Sending

  #schedule(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    // Calls made in the same tick are written together.
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const { protocol, trace } = this.#options;
    const isSyncDue = this.#synchrony === 'due' && this.#inBand.length > 0;
    if (isSyncDue && !this.#ended && !this.#stream.writableNeedDrain) this.#sync();
    while (!this.#ended && this.#synchrony === 'synced' && !this.#stream.writableNeedDrain) {
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
      this.#write(batch, (error) => {
        if (!error) for (const entry of silent) this.#beginGrace(entry);
      });
    }
  }

  /** Takes the next request that may be sent now, and counts it as in flight. */
  #takeNext(): Entry | undefined {
    if (this.#inFlight.length >= inFlightLimit) return undefined;
    const mayPass = this.#inBandInFlight < this.#inBandLimit;
    const entry = this.#outOfBand.shift() ?? (mayPass ? this.#inBand.shift() : undefined);
    if (!entry) return undefined;
    entry.id = this.#inFlight.push(entry);
    entry.state = 'sent';
    if (!entry.oob) this.#inBandInFlight += 1;
    if (isSecretive(entry)) this.#secretive.add(entry);
    return entry;
  }

  #queueOf({ oob }: Entry): Queue<Entry> {
    return oob ? this.#outOfBand : this.#inBand;
  }

  /** Starts the timer of a command without a reply, which may still fail. */
  #beginGrace(entry: Entry): void {
    if (entry.state !== 'sent') return;
    entry.state = 'written';
    entry.grace = setTimeout(() => this.#endGrace(entry), graceTime);
  }

  #endGrace(entry: Entry): void {
    const isAgent = this.#options.protocol.handshake === 'sync';
    // An error that arrives even later must not be mistaken for that of the next command, and may repeat secrets.
    if (isAgent) this.#synchrony = 'due';
    this.#finish(entry, { result: {} }, isAgent);
  }

  // Receiving

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
      // A framing error has the unmasked text, so it must not become the cause. Its message is quoted with secrets
      // hidden.
      if (error instanceof FramingError) this.#violation(error.message, error.text);
      else this.#violation(String(error), '', error);
    }
  }

  #message(message: Json, text: string): void {
    if (this.#ended) return;
    this.#options.trace?.('in', this.#hide(text.trimEnd(), this.#secretsIn(message)));
    if (!isObject(message)) {
      this.#violation('the server sent an invalid message', text);
    } else if (message['return'] !== undefined || message['error'] !== undefined) {
      this.#reply(message);
    } else if (typeof message['event'] === 'string') {
      // Before its echo, an agent may send leftovers of an earlier connection.
      if (typeof this.#synchrony !== 'number') this.#options.onEvent(message['event'], message, text.length);
    } else if (message['QMP'] !== undefined) {
      this.#greeting(message['QMP'], text.length);
    } else {
      this.#violation('the server sent an invalid message', text);
    }
  }

  #reply(message: JsonObject): void {
    if (typeof this.#synchrony === 'number') {
      if (message['return'] === this.#synchrony) this.#synced();
      // Otherwise, it is the reply to an abandoned request, or to one of an earlier connection.
      return;
    }
    const { id, error } = message;
    if (this.#isAgentAsked && !this.#greeted) {
      this.#recognize(message);
      return;
    }
    if (this.#isAgentAsked && id === agentQuestion.id) return;
    const entry = this.#entryOf(message);
    if (entry) {
      this.#finish(entry, error === undefined ? { result: message['return'] ?? null } : this.#failure(entry, error));
    } else if (id === undefined && error !== undefined && this.#inFlight.length > 0) {
      this.#probe(error);
    } else {
      this.#unmatched(message);
    }
  }

  /**
   * Returns the request that a reply belongs to. A reply has the request's id, except for errors of requests that a
   * monitor could not parse, and replies of old agents.
   */
  #entryOf({ id }: JsonObject): Entry | undefined {
    if (typeof id === 'number') return this.#inFlight.get(id);
    // An agent is sent one command at a time.
    return id === undefined && this.#options.protocol.handshake === 'sync' ? this.#inFlight.first : undefined;
  }

  /**
   * Finds the command that a monitor could not parse, whose error has no id. The monitor replies in order, so when it
   * has replied to one more command, the unparsable one is any earlier command without a reply. One command may cause
   * several such errors, all of them before that reply.
   */
  #probe(given: Json): void {
    if (this.#isProbing) return;
    this.#isProbing = true;
    // The error may quote the arguments of any of them.
    const { errorClass, desc } = errorOf(given);
    const error = { class: this.#hide(errorClass), desc: this.#hide(desc) };
    const settle: Settle = () => {
      this.#isProbing = false;
      if (this.#ended) return;
      if (!this.#inFlight.first || this.#inFlight.first.id > probe.id) this.#unmatched({ error });
      for (let first = this.#inFlight.first; first && first.id < probe.id; first = this.#inFlight.first) {
        this.#finish(first, this.#failure(first, error));
      }
    };
    const probe = newEntry({ command: 'query-version', args: undefined, oob: false, settle, resolve: () => {} });
    // The probe has to overtake the commands that are queued behind the unparsable one.
    probe.id = this.#outOfBand.push(probe);
    this.#schedule();
  }

  #unmatched({ id, error }: JsonObject): void {
    const { errorClass, desc } = errorOf(error ?? null);
    // A reply with an id belongs to an abandoned command, whose secrets are no longer known.
    const shown = id === undefined ? shortened(this.#hide(desc), descriptionLimit) : undefined;
    // A server may send anything as an id.
    const own = typeof id === 'number' ? { id } : {};
    const content =
      error === undefined
        ? own
        : { ...own, class: this.#hide(errorClass), ...(shown !== undefined && { desc: shown }) };
    this.#repeats.log({ level: 'warn', message: 'a reply that matches no command was dropped', content });
  }

  #failure(entry: Entry, error: Json): Settled {
    return { failure: () => this.#commandError(entry, error) };
  }

  #commandError({ command, secrets }: Entry, error: Json): CommandError {
    const { errorClass, desc } = errorOf(error);
    const known = [...secrets, ...this.#abandonedSecrets.all];
    return new CommandError(
      command,
      hideSecrets(errorClass, known),
      shortened(hideSecrets(desc, known), descriptionLimit),
    );
  }

  /** Hides secrets in text from the server. */
  #hide(text: string, further: readonly Secret[] = []): string {
    const pending = [...this.#secretive].flatMap(({ secrets }) => secrets);
    const past = [...this.#pastSecrets.all, ...this.#abandonedSecrets.all];
    return hideSecrets(text, [...further, ...pending], past);
  }

  #secretsIn(message: Json): readonly Secret[] {
    const reply = (message ?? {}) as JsonObject;
    const entry = this.#entryOf(reply);
    return secretsIn(reply['return'], entry ? entry.hasSecretResult : this.#mayHaveSecretResult());
  }

  /** Returns whether a result without a matching request may be secret: it may belong to one that has ended. */
  #mayHaveSecretResult(): boolean {
    const isPastSecret = this.#pastSecrets.hasResult || this.#abandonedSecrets.hasResult;
    return isPastSecret || [...this.#secretive].some(({ hasSecretResult: isSecret }) => isSecret);
  }

  /** @param keepsSecrets whether to keep the request's secrets until the agent is resynchronized */
  #finish(entry: Entry, outcome: Settled, keepsSecrets = false): void {
    if (!this.#remove(entry)) return;
    if (!keepsSecrets && isSecretive(entry)) {
      this.#secretive.delete(entry);
      this.#pastSecrets.add(entry.secrets, entry.hasSecretResult);
    }
    entry.settle(outcome, entry.resolve, entry.command);
    if (this.#inBand.length > 0) this.#schedule();
  }

  #remove(entry: Entry): boolean {
    if (!this.#inFlight.remove(entry.id)) return false;
    entry.state = 'ended';
    if (entry.grace) clearTimeout(entry.grace);
    if (!entry.oob) this.#inBandInFlight -= 1;
    return true;
  }

  #greeting(greeting: Json, length: number): void {
    const opening = this.#opening;
    if (!opening || this.#greeted || this.#options.protocol.handshake === 'sync') {
      this.#repeats.log({ level: 'warn', message: 'an unexpected greeting was dropped' });
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
    this.#agentTimer = undefined;
    opening.resolve({
      version: version as Greeting['version'],
      capabilities: capabilities.filter((name) => typeof name === 'string'),
    });
  }

  // Beginning and end

  #askAgent(): void {
    this.#isAgentAsked = true;
    const text = JSON.stringify(agentQuestion);
    this.#write(`${text}\n`);
    this.#options.trace?.('out', text);
  }

  /** Ends the connection to a server that replies to the question without a greeting. */
  #recognize({ id, error }: JsonObject): void {
    // A reply with another id is to a command of an earlier connection.
    if (id !== undefined && id !== agentQuestion.id) return;
    // Only a monitor demands this command.
    const isMonitor = error !== undefined && errorOf(error).desc.includes('qmp_capabilities');
    this.#end(new ConnectError(isMonitor ? noGreetingProblem : isAgentProblem));
  }

  /** Writes to the stream, which may throw if a program implements it. */
  #write(text: string, done?: (error?: Error | null) => void): void {
    try {
      this.#stream.write(text, done);
    } catch (error) {
      this.#end(new ConnectionLostError('the connection failed: the stream cannot be written to', { cause: error }));
    }
  }

  /**
   * Resynchronizes an agent, which may hold part of a message of an earlier connection, or be busy with an abandoned
   * command. The delimiter discards the former; the echo shows that the latter is done. QEMU's manual: "QEMU Guest
   * Agent Protocol Reference", `guest-sync-delimited`.
   */
  #sync(): void {
    const echo = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
    this.#synchrony = echo;
    this.#framer.resync();
    const { text } = toWire({ execute: 'guest-sync-delimited', arguments: { id: echo } });
    this.#stream.write(Buffer.concat([Buffer.from([0xff]), Buffer.from(`${text}\n`)]));
    this.#options.trace?.('out', text);
  }

  #synced(): void {
    this.#synchrony = 'synced';
    for (const { secrets, hasSecretResult: isSecret } of this.#secretive) this.#abandonedSecrets.add(secrets, isSecret);
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
    const cause = error ?? new ConnectionLostError('the client closed the connection');
    this.#opening?.reject(cause);
    this.#opening = undefined;
    const entries = [...this.#inFlight.takeAll(), ...this.#outOfBand.takeAll(), ...this.#inBand.takeAll()];
    this.#secretive.clear();
    for (const entry of entries) {
      const { command, state, grace, settle, resolve } = entry;
      entry.state = 'ended';
      clearTimeout(grace);
      const failure = (): QmpError =>
        state === 'sent'
          ? new ConnectionLostError(`${command}: ${cause.message}; whether it was executed is unknown`, { cause })
          : new NotSentError(`${command}: ${cause.message}; it was not sent`, { cause });
      // A command without a reply may end the connection when it succeeds.
      settle(state === 'written' ? { result: {} } : { failure }, resolve, command);
    }
    this.#repeats.end();
    this.#options.onEnd(error);
  }

  #detach(): void {
    const stream = this.#stream;
    for (const [name, listener] of Object.entries(this.#listeners)) stream.off(name, listener);
    // Errors after the end are ignored.
    const ignore = (): void => {};
    stream.on('error', ignore).once('close', () => stream.off('error', ignore));
    stream.destroy();
  }
}

function newEntry({ command, args, oob, settle, resolve }: Request): Entry {
  return {
    state: 'queued',
    id: 0,
    command,
    args: args?.text,
    oob,
    secrets: secretsOf(command, args?.value),
    hasSecretResult: hasSecretResult(command, args?.value),
    settle,
    resolve,
    grace: undefined,
  };
}

/** Returns whether a server may repeat a secret of the request, or its result is one. */
function isSecretive({ secrets, hasSecretResult: isSecret }: Entry): boolean {
  return isSecret || secrets.length > 0;
}

/** Returns a request in wire format. */
function textOf({ id, command, args, oob }: Entry): string {
  const name = `"${oob ? 'exec-oob' : 'execute'}":${JSON.stringify(command)}`;
  return args === undefined ? `{${name},"id":${id}}` : `{${name},"arguments":${args},"id":${id}}`;
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
