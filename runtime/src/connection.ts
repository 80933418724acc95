/** Calls and events over a connection that can be lost and reestablished. */

import { constants } from 'node:buffer';
import type { ChildProcess } from 'node:child_process';

import { delayUnlessAborted, onAbort } from './abort.js';
import { addressOf, canReconnectTo, open, type Address, type Ending, type Opened } from './address.js';
import { BoundedCall, type CallBounds } from './bounded-call.js';
import {
  AbortedError,
  CommandError,
  ConnectError,
  ConnectionLostError,
  NotSentError,
  ProtocolError,
  QmpError,
} from './errors.js';
import { Events, waitingLimit, type EventReader, type EventsOptions, type Listener } from './events.js';
import { isObject, type Json, type JsonObject } from './json.js';
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
import { commandsIn, commandsQuery, Inventory, type Part } from './supports.js';
import { Checks, validationOf, type Validation } from './validation.js';
import { codeVersions, versionIn, versionOf, type CodeVersions } from './version.js';

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
  /**
   * Whether to log a warning if the server's QEMU minor version is not one that the generated code is for; true by
   * default. An agent is asked for its version once it is connected.
   */
  checkVersion?: boolean | undefined;
  /**
   * Whether to ask the server for the names of its commands while connecting, for `has`. Clients of a range of versions
   * always do.
   */
  queryCommands?: boolean | undefined;
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
  queryCommands: aBoolean,
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
/** The maximum time to wait for an agent's version, in milliseconds. */
const versionTimeout = 10_000;
/** How long `close` waits for calls in flight, in milliseconds. */
const drainTimeout = 5000;

export class Connection {
  readonly #address: Address;
  readonly #protocol: Protocol;
  readonly #options: ConnectOptions;
  readonly #delays: Delays | undefined;
  readonly #isAgent: boolean;
  /** The versions that the generated code is for, if it names them. */
  readonly #code: CodeVersions | undefined;
  readonly #checksVersion: boolean;
  readonly #asksCommands: boolean;
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
  #version: string | undefined;
  /** The version that was last logged because the generated code is not for it. */
  #loggedVersion: string | undefined;
  /** The names of the server's commands, if it was asked for them and has replied. */
  #commands: ReadonlySet<string> | undefined;
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
    this.#isAgent = protocol.handshake === 'sync';
    this.#code = codeVersions(protocol);
    this.#checksVersion = options.checkVersion ?? true;
    this.#asksCommands = options.queryCommands ?? protocol.versions !== undefined;
    this.#log = safe(options.log ?? defaultLog);
    this.#trace = options.trace && guarded('trace', options.trace);
    this.#events = new Events(this.#log, protocol.validators?.events);
    this.#validation = validationOf(options.validate);
    this.#checks = new Checks(protocol, this.#log, callOptionNames);
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

  /** The server's version, if it is known. */
  get version(): string | undefined {
    return this.#version;
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

  /**
   * Returns whether the server has a command.
   *
   * @throws TypeError if it was not asked for its commands
   */
  has(name: string): boolean {
    checkParameter('name', name, aString);
    if (!this.#asksCommands) throw new TypeError('has: connect with the option queryCommands, and it can tell');
    return this.#commands?.has(name) ?? false;
  }

  /** Returns why a command cannot be called if the server lacks it, and not every version of a range has it. */
  lack(name: string): string | undefined {
    return !this.#commands || this.#commands.has(name) ? undefined : this.#checks.lack(name);
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

  /** @param explanation why the server may reject the arguments */
  #settleWith(validation: Validation, explanation?: string): Settle {
    return (outcome, resolve, command) =>
      this.#settle(this.#checks.result(command, outcome, validation, explanation), resolve);
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
    const explanation = this.#checks.explanationOf(wire);
    const session = this.#sessionFor(command, options);
    if (typeof session === 'function') {
      resolve(fail(session));
    } else if (!signal && timeout === undefined && !until) {
      this.#unsettledCalls += 1;
      const isOwn = validation === this.#validation && explanation === undefined;
      const settle = isOwn ? this.#settleOwn : this.#settleWith(validation, explanation);
      session.send({ command, args: wire, oob, settle, resolve });
    } else {
      const bounds = { signal, timeout, where: options.where, until: until ?? [] };
      this.#sendBounded(session, { command, args: wire, oob, resolve }, bounds, validation, explanation);
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
  #sendBounded(
    session: Session,
    request: Omit<Request, 'settle'>,
    bounds: CallBounds,
    validation: Validation,
    explanation: string | undefined,
  ): void {
    const { command, resolve } = request;
    const settle = (outcome: Settled): void => this.#settle(outcome, resolve);
    this.#unsettledCalls += 1;
    new BoundedCall(session, this.#events, command, bounds, settle).start(request, (outcome) =>
      this.#checks.result(command, outcome, validation, explanation),
    );
  }

  // Connecting

  async #connect(stop?: AbortSignal): Promise<void> {
    const { connectTimeout = 10_000, messageLimit } = this.#options;
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
      const opening = this.#begin(session).finally(onAbort(deadline, late));
      // Launching the server may have taken all the time.
      if (deadline.aborted) late();
      const version = await opening;
      if (session.ended) throw new ConnectionLostError('the server closed the connection');
      this.#opened = opened;
      this.#session = session;
      this.#connectedAt = performance.now();
      this.#identify(version);
      if (version === undefined) this.#askVersion(session, Math.min(connectTimeout, versionTimeout));
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
    return new Inventory(this.#isAgent, (command, bounds) => this.call(command, undefined, { ...bounds, validate }));
  }

  /**
   * Performs the handshake, and asks the server for its commands if need be.
   *
   * @returns the server's version, if it is known
   */
  async #begin(session: Session): Promise<string | undefined> {
    this.#greeting = await session.open();
    const reported = this.#asksCommands ? await this.#queryCommands(session) : undefined;
    return this.#greeting ? versionOf(this.#greeting) : reported;
  }

  /** @returns the version, if an agent reports it */
  async #queryCommands(session: Session): Promise<string | undefined> {
    this.#commands = undefined;
    try {
      const reply = await session.request(commandsQuery(this.#isAgent));
      this.#commands = commandsIn(reply);
      return versionReported(reply);
    } catch (error) {
      // The policy of a guest may disable the query.
      if (!(error instanceof CommandError)) throw error;
      this.#log({
        level: 'warn',
        message: 'the server does not report its commands, so has() always returns false',
        error,
      });
      return undefined;
    }
  }

  /**
   * Asks an agent for its version, after the calls that the program makes first. `close` does not wait for the reply,
   * because an agent might never reply.
   */
  #askVersion(session: Session, timeout: number): void {
    if (!this.#isAgent || !this.#code || !this.#checksVersion || this.#asksCommands) return;
    const command = commandsQuery(true);
    const settle = (outcome: Settled): void => {
      if (session !== this.#session || session.ended) return;
      if ('result' in outcome) this.#identify(versionReported(outcome.result));
      else this.#log({ level: 'info', message: 'the agent did not report its version', error: outcome.failure() });
    };
    setImmediate(() => {
      const call = new BoundedCall(session, this.#events, command, { timeout, until: [] }, settle);
      call.start({ command, args: undefined, oob: false, resolve: () => {} }, (outcome) => outcome);
    });
  }

  /** Judges by the server's version from now on, and logs it once if the generated code is not for it. */
  #identify(version: string | undefined): void {
    this.#version = version;
    this.#checks.judgeBy(version);
    if (!this.#checksVersion || version === undefined || version === this.#loggedVersion) return;
    if (!this.#code || this.#code.covers(version)) return;
    this.#loggedVersion = version;
    const message = `the server is QEMU ${version}, but the generated code is for ${this.#code.text}: run npx qapi-ts drift to see the differences`;
    this.#log({ level: 'warn', message });
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

/** Returns the version in an agent's reply to `guest-info`, which may be anything. */
function versionReported(reply: Json): string | undefined {
  return isObject(reply) ? versionIn(reply['version']) : undefined;
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
