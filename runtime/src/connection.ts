/** Calls and events over a connection that can be lost and reestablished. */

import { constants } from 'node:buffer';
import type { ChildProcess } from 'node:child_process';

import { delayUnlessAborted, onAbort } from './abort.js';
import { addressOf, canReconnectTo, open, type Address, type Ending, type Opened } from './address.js';
import { BoundedCall, type CallBounds } from './bounded-call.js';
import { AbortedError, ConnectError, ConnectionLostError, NotSentError, ProtocolError, QmpError } from './errors.js';
import { Events, waitingLimit, type EventReader, type EventsOptions, type Listener } from './events.js';
import type { JsonObject } from './json.js';
import { defaultLog, guarded, safe, type Log, type Trace } from './log.js';
import {
  aBoolean,
  aDelay,
  aDuration,
  aFunction,
  anAbortSignal,
  anything,
  aString,
  checkNames,
  checkParameter,
  integer,
  mistake,
  optionsOf,
  type OptionChecks,
} from './options.js';
import { Backlog } from './queue.js';
import {
  Session,
  type Greeting,
  type Protocol,
  type Request,
  type Resolve,
  type SessionOptions,
  type Settle,
  type Settled,
} from './session.js';
import { Inventory, type Part } from './supports.js';
import { Checks, validationOf, type Validation } from './validation.js';
import { versionProblem } from './version.js';

export interface ConnectOptions {
  /**
   * The time limit for connecting, greeting and negotiation together, in milliseconds; 10000 by default. `Infinity`
   * means no limit.
   */
  connectTimeout?: number | undefined;
  /**
   * The maximum size of a received message in bytes; by default, 64 MiB from a monitor and 65 MiB from an agent. A
   * message may contain 1048576 values from a monitor, or 262144 from an agent; a higher limit raises these in
   * proportion. The limit cannot exceed Node's maximum string length, which is 512 MiB.
   */
  messageLimit?: number | undefined;
  /** Receives log entries. Without it, errors and warnings are emitted as process warnings. */
  log?: Log | undefined;
  /** Receives every message. */
  trace?: Trace | undefined;
  /** How to validate arguments, results and events. `false` disables validation. */
  validate?: boolean | Validation | undefined;
  /** Logs a warning if the server's QEMU minor version differs from that of the generated code. */
  checkVersion?: boolean | undefined;
  /**
   * Reconnects to a path or port when the connection is lost. Calls in flight still fail: nothing is sent twice.
   */
  reconnect?: boolean | ReconnectOptions | undefined;
}

/**
 * Delays in milliseconds, at least 1. The delay doubles after each attempt, and each wait is a random time between half
 * the delay and the full delay. Only a connection that lasts for ten seconds, or for `maxDelay` if that is shorter,
 * resets it to `initialDelay`: otherwise, a server that greets and then dies would be retried without pause.
 */
export interface ReconnectOptions {
  /** 100 by default, or `maxDelay` if that is smaller. */
  initialDelay?: number | undefined;
  /** 10000 by default, or `initialDelay` if that is larger. */
  maxDelay?: number | undefined;
}

/** The options of a call. `client.ts` has the typed form. */
export interface RawCallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeout?: number | undefined;
  readonly until?: readonly string[] | undefined;
  readonly where?: ((event: never) => boolean) | undefined;
  readonly oob?: boolean | undefined;
  readonly validate?: boolean | Validation | undefined;
}

/** The delays between attempts to reconnect, in milliseconds. */
interface Delays {
  readonly initialDelay: number;
  readonly maxDelay: number;
}

const connectChecks: OptionChecks<ConnectOptions> = {
  connectTimeout: aDuration,
  messageLimit: (value) => integer(1, constants.MAX_STRING_LENGTH)(value),
  log: aFunction,
  trace: aFunction,
  validate: anything,
  checkVersion: aBoolean,
  reconnect: anything,
};
const reconnectChecks: OptionChecks<ReconnectOptions> = { initialDelay: aDelay, maxDelay: aDelay };
const rawCallChecks: OptionChecks<Omit<RawCallOptions, 'validate'>> = {
  signal: anAbortSignal,
  timeout: aDuration,
  until: anything,
  where: aFunction,
  oob: aBoolean,
};
const callChecks: OptionChecks<RawCallOptions> = /* @__PURE__ */ (() => ({
  ...rawCallChecks,
  validate: anything,
}))();
const callOptionNames = /* @__PURE__ */ (() => Object.keys(callChecks))();
const noOptions: RawCallOptions = {};
/** The validation of `callRaw`. */
const unchecked = /* @__PURE__ */ validationOf(false);

/** The connection's own events. */
export interface ConnectionEvents {
  /** The connection was lost. With `reconnect`, a new connection is attempted. */
  disconnected: { readonly error: QmpError };
  /** The connection was reestablished. Events in between were missed: re-query any state that you track. */
  reconnected: { readonly attempts: number; readonly greeting: Greeting | undefined };
}

/** How long a connection must last to reset the delay before the next attempt, in milliseconds. */
const steadyTime = 10_000;
/** How long `close` waits for calls in flight, in milliseconds. */
const drainTimeout = 5000;

export class Connection {
  readonly #address: Address;
  readonly #protocol: Protocol;
  readonly #options: ConnectOptions;
  readonly #delays: Delays | undefined;
  /** The delay before the next attempt to reconnect, in milliseconds. */
  #delay = 0;
  /** The time at which the connection was established. */
  #connectedAt = 0;
  readonly #log: Log;
  readonly #trace: Trace | undefined;
  readonly #events: Events;
  readonly #validation: Validation;
  readonly #checks: Checks;
  /**
   * Settles calls that use the connection's own validation. They share this function because there may be very many in
   * flight.
   */
  readonly #settleOwn: Settle;
  /** Replaced when the connection ends: the next server may be a different one. */
  #inventory: Inventory;
  #session: Session | undefined;
  #opened: Opened | undefined;
  #greeting: Greeting | undefined;
  /** Events that arrived before listeners could be added. */
  #held: Backlog<Parameters<SessionOptions['onEvent']>> | undefined = new Backlog(waitingLimit);
  /** The number of events that did not fit into `#held`. */
  #notHeld = 0;
  #closing: Promise<void> | undefined;
  /** Set when no more events can arrive. */
  #over: { readonly error: QmpError | undefined } | undefined;
  #reconnecting: Promise<void> | undefined;
  /** Ends reconnecting. */
  #stop: AbortController | undefined;
  #unsettledCalls = 0;
  /** Called when the last call settles. */
  #onIdle: (() => void) | undefined;

  private constructor(address: Address, protocol: Protocol, options: ConnectOptions) {
    this.#address = address;
    this.#protocol = protocol;
    this.#options = options;
    this.#delays = delaysOf(options.reconnect);
    this.#log = safe(options.log ?? defaultLog);
    this.#trace = options.trace && guarded('trace', options.trace);
    this.#events = new Events(this.#log, protocol.validators?.events);
    this.#validation = validationOf(options.validate);
    this.#checks = new Checks(protocol.validators, this.#log, callOptionNames);
    this.#settleOwn = this.#settleWith(this.#validation);
    this.#inventory = this.#newInventory();
  }

  /** @throws QmpError if the connection cannot be established in time; TypeError for an invalid address or option */
  static async open(address: Address, protocol: Protocol, options?: ConnectOptions): Promise<Connection> {
    const connection = new Connection(addressOf(address), protocol, optionsOf(options, connectChecks));
    if (connection.#delays && !canReconnectTo(connection.#address)) {
      throw new ConnectError('only a path or a port can be reconnected to: remove the reconnect option');
    }
    await connection.#connect();
    // The caller can add listeners before the held events are dispatched.
    setImmediate(() => connection.#release());
    return connection;
  }

  /** The server's greeting; undefined for an agent. */
  get greeting(): Greeting | undefined {
    return this.#greeting;
  }

  /** The server's process if it was launched. */
  get process(): ChildProcess | undefined {
    return this.#opened?.process;
  }

  /**
   * Executes a command.
   *
   * @returns its result, or `{ result, event }` if `until` is given
   * @throws QmpError, or TypeError for an invalid option
   */
  call(command: string, args?: object, options?: RawCallOptions): Promise<unknown> {
    return new Promise((resolve) => {
      const given = options === undefined ? noOptions : callOptionsOf(options, callChecks);
      this.#start(command, args, given, validationOf(given.validate, this.#validation), resolve);
    });
  }

  /** Executes a command without validating its arguments or result. */
  callRaw(command: string, args?: object, options?: Omit<RawCallOptions, 'validate'>): Promise<unknown> {
    return new Promise((resolve) => {
      this.#start(
        command,
        args,
        options === undefined ? noOptions : callOptionsOf(options, rawCallChecks),
        unchecked,
        resolve,
      );
    });
  }

  /** Returns whether the server has a command or event, or a part of one. */
  supports(name: string, part?: Part, bounds?: Pick<RawCallOptions, 'signal' | 'timeout'>): Promise<boolean> {
    return this.#inventory.has(name, part, bounds);
  }

  /** @throws TypeError */
  addListener(name: string, listener: Listener, once = false): void {
    this.#events.checkListener(name, listener);
    this.#events.add(name, listener, once);
  }

  /** @throws TypeError for a name that `addListener` rejects */
  removeListener(name: string, listener: Listener): void {
    this.#events.checkListenable(name);
    this.#events.remove(name, listener);
  }

  /** @throws TypeError */
  read(names: readonly string[], options?: EventsOptions): EventReader {
    const reader = this.#events.reader(names, options);
    if (this.#over) reader.end(this.#over.error);
    return reader;
  }

  /**
   * Rejects new calls, waits up to five seconds for calls in flight, and ends the connection. Stops the server if it
   * was launched.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  #settleWith(validation: Validation): Settle {
    return (outcome, resolve, command) => this.#settle(this.#checks.result(command, outcome, validation), resolve);
  }

  #settle(outcome: Settled, resolve: Resolve): void {
    resolve('failure' in outcome ? fail(outcome.failure) : outcome.result);
    this.#unsettledCalls -= 1;
    if (this.#unsettledCalls === 0) this.#onIdle?.();
  }

  /**
   * Starts a call. Counts it only when it is certain to be settled; an exception before that rejects the caller's
   * promise.
   */
  #start(
    command: string,
    args: object | undefined,
    options: RawCallOptions,
    validation: Validation,
    resolve: Resolve,
  ): void {
    checkParameter('command', command, aString);
    const { signal, timeout, oob = false } = options;
    const until = options.until === undefined ? undefined : this.#events.namesOf(options.until, 'until');
    const wire = this.#checks.arguments(command, args, validation);
    if (typeof wire === 'function') {
      resolve(fail(wire));
      return;
    }
    const session = this.#sessionFor(command, options);
    if (typeof session === 'function') {
      resolve(fail(session));
    } else if (!signal && timeout === undefined && !until) {
      this.#unsettledCalls += 1;
      const settle = validation === this.#validation ? this.#settleOwn : this.#settleWith(validation);
      session.send({ command, args: wire, oob, settle, resolve });
    } else {
      const bounds = { signal, timeout, where: options.where, until: until ?? [] };
      this.#sendBounded(session, { command, args: wire, oob, resolve }, bounds, validation);
    }
  }

  /** Returns the session to send a call with, or a function that creates the error. */
  #sessionFor(command: string, { signal, oob }: RawCallOptions): Session | (() => QmpError) {
    const session = this.#session;
    if (signal?.aborted) return abortedBeforeSent(command, signal);
    if (this.#closing) return notSent(command, 'the connection is being closed');
    if (!session || session.ended) return notSent(command, 'not connected');
    if (oob && !session.oob) return notSent(command, 'the server does not support out-of-band execution');
    return session;
  }

  /** Sends a call that has a signal, a timeout, or events to wait for. */
  #sendBounded(session: Session, request: Omit<Request, 'settle'>, bounds: CallBounds, validation: Validation): void {
    const { command, resolve } = request;
    const settle = (outcome: Settled): void => this.#settle(outcome, resolve);
    this.#unsettledCalls += 1;
    new BoundedCall(session, this.#events, command, bounds, settle).start(request, (outcome) =>
      this.#checks.result(command, outcome, validation),
    );
  }

  // Connecting

  async #connect(stop?: AbortSignal): Promise<void> {
    const { connectTimeout = 10_000, messageLimit, checkVersion } = this.#options;
    // Node 20 garbage-collects the result of `AbortSignal.any` when it contains `AbortSignal.timeout`.
    const controller = new AbortController();
    const end = (): void => controller.abort();
    const timer = connectTimeout === Infinity ? undefined : setTimeout(end, connectTimeout);
    const removeStop = stop && onAbort(stop, end);
    const deadline = controller.signal;
    let opened: Opened | undefined;
    let session: Session | undefined;
    try {
      opened = await open(this.#address, deadline);
      session = new Session(opened.stream, {
        protocol: this.#protocol,
        mayBeAgent: !('launch' in this.#address),
        log: this.#log,
        trace: this.#trace,
        onEvent: (name, message, length) => this.#onEvent(name, message, length),
        onEnd: (error) => this.#onEnd(session, error),
        ...(messageLimit !== undefined && { messageLimit }),
      });
      const late = (): void => session?.destroy(new ConnectError(this.#silence(session, connectTimeout)));
      const opening = session.open().finally(onAbort(deadline, late));
      // Launching the server may have taken all the time.
      if (deadline.aborted) late();
      this.#greeting = await opening;
      if (session.ended) throw new ConnectionLostError('the server closed the connection');
      this.#opened = opened;
      this.#session = session;
      this.#connectedAt = performance.now();
      if (checkVersion) void this.#checkVersion(connectTimeout);
    } catch (error) {
      session?.destroy();
      if (!opened || !(error instanceof Error)) throw error;
      // The reason why the connection ended says more than the failure of the command in flight.
      const cause = error instanceof ConnectionLostError && error.cause instanceof QmpError ? error.cause : error;
      const hint = this.#hint(cause, session);
      const text = opened.fail
        ? await opened.fail(cause)
        : `cannot connect to ${opened.where}: ${cause.message}${hint}`;
      throw cause instanceof ProtocolError
        ? new ProtocolError(cause.message, { cause })
        : new ConnectError(text, { cause });
    } finally {
      clearTimeout(timer);
      removeStop?.();
    }
  }

  #newInventory(): Inventory {
    // Never base an answer on an invalid reply.
    const validate: Validation = { results: 'throw' };
    return new Inventory(this.#protocol.handshake === 'sync', (command, bounds) =>
      this.call(command, undefined, { ...bounds, validate }),
    );
  }

  /** Runs in the background, because an agent has to be queried and might never reply. */
  async #checkVersion(timeout: number): Promise<void> {
    const session = this.#session;
    try {
      const message = await versionProblem(this.#protocol.qemu, () => this.#serverVersion(timeout));
      if (message !== undefined) this.#log({ level: 'warn', message });
    } catch (error) {
      // The end of the connection is reported elsewhere.
      if (session !== this.#session) return;
      this.#log({ level: 'warn', message: 'the server did not report its version', error });
    }
  }

  async #serverVersion(timeout: number): Promise<unknown> {
    if (!this.#greeting) return ((await this.call('guest-info', undefined, { timeout })) as JsonObject)['version'];
    const { major, minor, micro } = this.#greeting.version.qemu;
    return `${major}.${minor}.${micro}`;
  }

  /** Returns a description of why the server may have sent nothing. */
  #silence(session: Session | undefined, timeout: number): string {
    const address = this.#address;
    if (this.#protocol.handshake === 'sync') return `no reply within ${timeout} ms: the agent may not be running`;
    if (session?.greeted) return `the server sent a greeting, but did not reply within ${timeout} ms`;
    const problem = `no greeting within ${timeout} ms`;
    if ('launch' in address) return problem;
    const others = lacksTls(address) ? ', may not be a monitor, or may expect TLS' : ', or may not be a monitor';
    return `${problem}: the server may have another client${others}`;
  }

  /** Returns a hint as to why the server may have closed the connection without a greeting. */
  #hint(cause: Error, session: Session | undefined): string {
    const isWithoutGreeting = cause instanceof ConnectionLostError && !session?.greeted;
    return isWithoutGreeting && lacksTls(this.#address) ? '; it may expect TLS' : '';
  }

  #onEvent(name: string, message: JsonObject, length: number): void {
    if (this.#held) {
      if (!this.#held.push([name, message, length], length)) this.#notHeld += 1;
      return;
    }
    this.#checks.event(name, message['data'], this.#validation);
    this.#events.dispatch(name, message, length);
  }

  #release(): void {
    const held = this.#held?.takeAll() ?? [];
    this.#held = undefined;
    for (const event of held) this.#onEvent(...event);
    if (this.#notHeld === 0) return;
    const message = `${this.#notHeld} events were dropped because they arrived before listeners could be added`;
    this.#log({ level: 'warn', message });
  }

  #onEnd(session: Session | undefined, error: QmpError | undefined): void {
    // A session that was never established is reported by `#connect`.
    if (!session || session !== this.#session) return;
    this.#session = undefined;
    this.#inventory = this.#newInventory();
    if (error) {
      this.#log({ level: 'info', message: 'the connection ended', error });
      this.#events.emit('disconnected', { error } satisfies ConnectionEvents['disconnected']);
    }
    // Calls that wait for an event may have missed it.
    this.#events.end(error);
    if (this.#opened?.ended) void this.#logEnding(this.#opened.ended);
    // Test this last: if a listener called `close`, nothing would stop attempts that begin now.
    if (this.#delays && !this.#closing) this.#reconnecting = this.#reconnect(this.#delays);
    else this.#over = { error };
  }

  /** Logs how the server ended. Its last output explains why. */
  async #logEnding(ended: Promise<Ending>): Promise<void> {
    const { text, orderly } = await ended;
    this.#log({ level: orderly ? 'info' : 'warn', message: text });
  }

  async #reconnect({ initialDelay, maxDelay }: Delays): Promise<void> {
    const isSteady = performance.now() - this.#connectedAt >= Math.min(steadyTime, maxDelay);
    if (isSteady || this.#delay === 0) this.#delay = initialDelay;
    const { signal } = (this.#stop ??= new AbortController());
    for (let attempts = 1; ; attempts += 1) {
      const delay = this.#delay;
      this.#delay = Math.min(delay * 2, maxDelay);
      await delayUnlessAborted(delay * (0.5 + Math.random() / 2), signal);
      if (this.#closing) return;
      try {
        await this.#connect(signal);
      } catch (error) {
        this.#log({ level: 'info', message: `reconnection attempt ${attempts} failed`, error });
        continue;
      }
      if (this.#closing) return;
      const greeting = this.#greeting;
      this.#events.emit('reconnected', { attempts, greeting } satisfies ConnectionEvents['reconnected']);
      return;
    }
  }

  async #close(): Promise<void> {
    this.#stop?.abort();
    if (this.#unsettledCalls > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, drainTimeout);
        this.#onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    await this.#reconnecting;
    this.#session?.destroy();
    this.#over ??= { error: undefined };
    this.#events.end(undefined);
    await this.#opened?.dispose?.();
  }
}

/** Returns whether a server might expect TLS on a connection without it. */
function lacksTls(address: Address): boolean {
  return 'port' in address && !address.tls;
}

/** Returns undefined if the client should not reconnect. */
function delaysOf(option: unknown): Delays | undefined {
  if (option === undefined || option === false) return undefined;
  if (option !== true && typeof option !== 'object') throw mistake('reconnect', 'boolean or object', option);
  const given: ReconnectOptions = option === true ? {} : optionsOf(option, reconnectChecks, 'reconnect.');
  const { initialDelay = Math.min(100, given.maxDelay ?? 100) } = given;
  const { maxDelay = Math.max(10_000, initialDelay) } = given;
  if (maxDelay < initialDelay) throw mistake('reconnect.maxDelay', `initialDelay (${initialDelay}) or more`, maxDelay);
  return { initialDelay, maxDelay };
}

function abortedBeforeSent(command: string, signal: AbortSignal): () => AbortedError {
  return () => new AbortedError(`${command}: the call was aborted before it was sent`, { cause: signal.reason });
}

function notSent(command: string, why: string): () => NotSentError {
  return () => new NotSentError(`${command}: ${why}`);
}

/** Does what `optionsOf` does, in half the time: it runs for every call. */
function callOptionsOf(given: RawCallOptions, checks: typeof rawCallChecks): RawCallOptions {
  checkNames(given, checks);
  const { signal, timeout, until, where, oob, validate } = given as RawCallOptions;
  if (signal !== undefined) checkParameter('signal', signal, checks.signal);
  if (timeout !== undefined) checkParameter('timeout', timeout, checks.timeout);
  if (where !== undefined) checkParameter('where', where, checks.where);
  if (oob !== undefined) checkParameter('oob', oob, checks.oob);
  return { signal, timeout, until, where, oob, validate };
}

/**
 * Rejects with an error created only after an `await`, so that its stack leads to the caller that awaits, and calls
 * that succeed never create one. Two awaits are needed: a promise that is resolved with this one subscribes to it only
 * during the first.
 */
async function fail(failure: () => Error): Promise<never> {
  await Promise.resolve();
  await Promise.resolve();
  throw failure();
}
