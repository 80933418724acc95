/** Calls and events over a connection that may end, and come again. */

import { constants } from 'node:buffer';
import type { ChildProcess } from 'node:child_process';

import { onAbort } from './abort.js';
import { addressOf, canBeFoundAgain, open, type Address, type Ending, type Opened } from './address.js';
import {
  AbortedError,
  ConnectError,
  ConnectionLostError,
  NotSentError,
  ProtocolError,
  QmpError,
  TimeoutError,
} from './errors.js';
import { Events, waitingLimit, type EventReader, type EventsOptions, type Listener, type QmpEvent } from './events.js';
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
  type Entry,
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
  /** In milliseconds, for the connection, the greeting and the negotiation together; 10000 by default. `Infinity` means no limit. */
  connectTimeout?: number | undefined;
  /**
   * The largest message that is read, in bytes: 64 MiB from a monitor, 65 MiB from an agent by default. Such a message may have a million
   * values from a monitor, and 262144 from an agent; a larger limit raises that in proportion. At most the longest string of Node, which
   * is 512 MiB.
   */
  messageLimit?: number | undefined;
  /** Gets what happens beside results; without it, warnings become warnings of the process. */
  log?: Log | undefined;
  /** Gets every message. */
  trace?: Trace | undefined;
  /** How arguments, results and events are checked; `false` checks nothing. */
  validate?: boolean | Validation | undefined;
  /** Warns, by the log, when the server is of another minor version of QEMU than the generated code. */
  checkVersion?: boolean | undefined;
  /** Connects again to a path or port when the connection is lost. What was in flight is lost all the same: nothing is sent twice. */
  reconnect?: boolean | ReconnectOptions | undefined;
}

/**
 * Delays in milliseconds, at least 1. Each is up to twice the one before, at random between half of it and all. They start again
 * from `initialDelay` only after a connection that lasted for ten seconds, or for `maxDelay` if that is shorter: otherwise a server that
 * greets and dies would be retried without a pause.
 */
export interface ReconnectOptions {
  /** 100 by default, or `maxDelay` where that is shorter. */
  initialDelay?: number | undefined;
  /** 10000 by default, or `initialDelay` where that is longer. */
  maxDelay?: number | undefined;
}

/** What a call may be told; see the typed form in `client.ts`. */
export interface RawCallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeout?: number | undefined;
  readonly until?: readonly string[] | undefined;
  readonly where?: ((event: never) => boolean) | undefined;
  readonly oob?: boolean | undefined;
  readonly validate?: boolean | Validation | undefined;
}

/** Delays before attempts to connect again. */
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
const noOptions: RawCallOptions = {};
/** Of calls whose arguments and results are not checked. */
const unchecked = /* @__PURE__ */ validationOf(false);

/** What happens to the connection itself. */
export interface ConnectionEvents {
  /** The connection is lost. With `reconnect`, another is being made. */
  disconnected: { readonly error: QmpError };
  /** There is a connection again. Events in between were missed: ask again for what you follow. */
  reconnected: { readonly attempts: number; readonly greeting: Greeting | undefined };
}

/** A connection that lasted this long, in milliseconds, resets the delay before the next attempt. */
const steadyTime = 10_000;
/** How long `close` waits for calls in flight. */
const drainTimeout = 5000;

export class Connection {
  readonly #address: Address;
  readonly #protocol: Protocol;
  readonly #options: ConnectOptions;
  readonly #delays: Delays | undefined;
  /** The delay before the next attempt to reconnect, in milliseconds. */
  #delay = 0;
  /** When the connection was established. */
  #connectedAt = 0;
  readonly #log: Log;
  readonly #trace: Trace | undefined;
  readonly #events: Events;
  readonly #validation: Validation;
  readonly #checks: Checks;
  /** That of the server, until the connection ends: the next server may be another. */
  #inventory: Inventory;
  #session: Session | undefined;
  #opened: Opened | undefined;
  #greeting: Greeting | undefined;
  /** Events that came before anybody could listen. */
  #held: Backlog<Parameters<SessionOptions['onEvent']>> | undefined = new Backlog(waitingLimit);
  /** How many there was no room for. */
  #notHeld = 0;
  #closing: Promise<void> | undefined;
  /** Set when no more events can come. */
  #over: { readonly error: QmpError | undefined } | undefined;
  #reconnecting: Promise<void> | undefined;
  /** Ends the pause before the next attempt to connect. */
  readonly #stop = new AbortController();
  #unsettledCalls = 0;
  /** Called when there are none any more. */
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
    this.#checks = new Checks(protocol.validators, this.#log, Object.keys(callChecks));
    this.#inventory = this.#newInventory();
  }

  /** @throws QmpError when no connection comes about in time, or TypeError for an invalid address or option */
  static async open(address: Address, protocol: Protocol, options?: ConnectOptions): Promise<Connection> {
    const connection = new Connection(addressOf(address), protocol, optionsOf(options, connectChecks));
    if (connection.#delays && !canBeFoundAgain(connection.#address)) {
      throw new ConnectError('only a path or a port can be connected to again: leave out reconnect');
    }
    await connection.#connect();
    // Whoever waits for this has had a chance to listen before anything else is read.
    setImmediate(() => connection.#release());
    return connection;
  }

  /** What the server said of itself; undefined for an agent. */
  get greeting(): Greeting | undefined {
    return this.#greeting;
  }

  /** The server, when it was launched. */
  get process(): ChildProcess | undefined {
    return this.#opened?.process;
  }

  /**
   * Executes a command.
   *
   * @returns its result; with `until`, `{ result, event }`
   * @throws QmpError, or TypeError for an invalid option
   */
  call(command: string, args?: object, options?: RawCallOptions): Promise<unknown> {
    return new Promise((resolve) => {
      const given = options === undefined ? noOptions : callOptionsOf(options, callChecks);
      this.#start(command, args, given, validationOf(given.validate, this.#validation), resolve);
    });
  }

  /** Executes a command without checking its arguments or its result. */
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

  /** Whether the server has a command or an event, or a part of it. */
  supports(name: string, part?: Part, bounds?: Pick<RawCallOptions, 'signal' | 'timeout'>): Promise<boolean> {
    return this.#inventory.has(name, part, bounds);
  }

  /** @throws TypeError */
  addListener(name: string, listener: Listener, once = false): void {
    this.#events.checkListener(name, listener);
    this.#events.add(name, listener, once);
  }

  removeListener(name: string, listener: Listener): void {
    this.#events.remove(name, listener);
  }

  /** @throws TypeError */
  read(names: readonly string[], options?: EventsOptions): EventReader {
    const reader = this.#events.reader(names, options);
    if (this.#over) reader.end(this.#over.error);
    return reader;
  }

  /**
   * Takes no more calls, waits for those in flight (five seconds at the most), and ends the connection; a server that was launched
   * is ended, too.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** One function for all calls that do not say how they are checked: there may be very many in flight. */
  readonly #check: Settle = (outcome, resolve, command) => {
    this.#settle(this.#checks.result(command, outcome, this.#validation), resolve);
  };

  #settle(outcome: Settled, resolve: Resolve): void {
    resolve('failure' in outcome ? fail(outcome.failure) : outcome.result);
    this.#unsettledCalls -= 1;
    if (this.#unsettledCalls === 0) this.#onIdle?.();
  }

  /** Counts the call last: a call that is counted must be settled, and what throws before rejects it. */
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
      const settle: Settle = (outcome) => this.#settle(this.#checks.result(command, outcome, validation), resolve);
      session.send({
        command,
        args: wire,
        oob,
        settle: validation === this.#validation ? this.#check : settle,
        resolve,
      });
    } else {
      this.#sendBounded(session, { command, args: wire, oob, resolve }, options, until ?? [], validation);
    }
  }

  /** What a call can be sent by; or else why it cannot. */
  #sessionFor(command: string, { signal, oob }: RawCallOptions): Session | (() => QmpError) {
    const session = this.#session;
    const notSent = (why: string) => () => new NotSentError(`${command}: ${why}`);
    if (signal?.aborted) {
      return () => new AbortedError(`${command}: the call was given up before it was sent`, { cause: signal.reason });
    }
    if (this.#closing) return notSent('the connection is being closed');
    if (!session || session.ended) return notSent('there is no connection');
    if (oob && !session.oob) return notSent('the server does not execute out of band');
    return session;
  }

  /** A call that a signal or the time may end, or that goes on until an event. */
  #sendBounded(
    session: Session,
    request: Omit<Request, 'settle'>,
    { signal, timeout, where }: RawCallOptions,
    until: readonly string[],
    validation: Validation,
  ): void {
    const { command, resolve } = request;
    let isSettled = false;
    let result: Settled | undefined;
    let event: QmpEvent | undefined;
    let entry: Entry | undefined;
    const clean: (() => void)[] = [];
    const finish = (outcome: Settled): void => {
      if (isSettled) return;
      isSettled = true;
      this.#settle(outcome, resolve);
      for (const undo of clean.splice(0)) undo();
    };
    const abandon = (failure: () => Error, isLate = false): void => {
      if (entry) session.abandon(entry, isLate);
      finish({ failure });
    };
    const progress = (): void => {
      if (!result || (until.length > 0 && !event)) return;
      if ('failure' in result || until.length === 0) finish(result);
      else finish({ result: { result: result.result, event } as never });
    };
    const settle: Settle = (outcome) => {
      result = this.#checks.result(command, outcome, validation);
      if ('failure' in result) finish(result);
      else progress();
    };
    this.#unsettledCalls += 1;
    if (until.length > 0) {
      const listener = (candidate: QmpEvent): void => {
        try {
          if (event || (where && !isMatch(where, candidate))) return;
        } catch (error) {
          abandon(() => error as Error);
          return;
        }
        event = candidate;
        progress();
      };
      for (const name of until) this.#events.add(name, listener);
      const removeEnding = this.#events.whenEnded((error) => {
        const problem = `${command}: the connection ended before ${until.join(' or ')} came`;
        finish({ failure: () => new ConnectionLostError(problem, { cause: error }) });
      });
      clean.push(removeEnding, () => until.forEach((name) => this.#events.remove(name, listener)));
    }
    if (timeout !== undefined && timeout !== Infinity) {
      const late = (): void => {
        const what = result ? until.join(' or ') : 'reply';
        abandon(() => new TimeoutError(`${command}: no ${what} within ${timeout} ms`), true);
      };
      const timer = setTimeout(late, timeout);
      clean.push(() => clearTimeout(timer));
    }
    try {
      if (signal) {
        const abort = (): void =>
          abandon(() => new AbortedError(`${command}: the call was given up`, { cause: signal.reason }));
        clean.push(onAbort(signal, abort));
      }
      if (!isSettled) entry = session.send({ ...request, settle });
    } catch (error) {
      // The signal need not be Node's own.
      abandon(() => error as Error);
    }
  }

  // Connecting

  async #connect(): Promise<void> {
    const { connectTimeout = 10_000, messageLimit, checkVersion } = this.#options;
    // AbortSignal.any of AbortSignal.timeout is lost to the garbage collector in Node 20.
    const controller = new AbortController();
    const end = (): void => controller.abort();
    const timer = connectTimeout === Infinity ? undefined : setTimeout(end, connectTimeout);
    const removeStop = onAbort(this.#stop.signal, end);
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
      // To start a server may have taken all the time.
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
      // What became of the connection says more than what became of the command that was in flight.
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
      removeStop();
    }
  }

  #newInventory(): Inventory {
    // What contradicts the schema would be no ground for an answer.
    const validate: Validation = { results: 'throw' };
    return new Inventory(this.#protocol.handshake === 'sync', (command, bounds) =>
      this.call(command, undefined, { ...bounds, validate }),
    );
  }

  /** Keeps nobody waiting: an agent has to be asked, and may not answer. */
  async #checkVersion(timeout: number): Promise<void> {
    const session = this.#session;
    try {
      const message = await versionProblem(this.#protocol.qemu, () => this.#serverVersion(timeout));
      if (message !== undefined) this.#log({ level: 'warn', message });
    } catch (error) {
      // That a connection has ended is told elsewhere.
      if (session !== this.#session) return;
      this.#log({ level: 'warn', message: 'the server does not tell its version', error });
    }
  }

  async #serverVersion(timeout: number): Promise<unknown> {
    if (!this.#greeting) return ((await this.call('guest-info', undefined, { timeout })) as JsonObject)['version'];
    const { major, minor, micro } = this.#greeting.version.qemu;
    return `${major}.${minor}.${micro}`;
  }

  /** Why the server may have said nothing. */
  #silence(session: Session | undefined, timeout: number): string {
    const address = this.#address;
    if (this.#protocol.handshake === 'sync') return `no answer within ${timeout} ms: the agent may not be running`;
    if (session?.greeted) return `the server greeted, but did not answer within ${timeout} ms`;
    const problem = `no greeting within ${timeout} ms`;
    if ('launch' in address) return problem;
    const others = lacksTls(address) ? ', be no monitor, or expect TLS' : ', or be no monitor';
    return `${problem}: the server may have another client${others}`;
  }

  /** Why a server may have closed the connection without a greeting. */
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
    const message = `${this.#notHeld} events were dropped because they came before anybody could listen`;
    this.#log({ level: 'warn', message });
  }

  #onEnd(session: Session | undefined, error: QmpError | undefined): void {
    // One that did not come about is told by whoever has made it.
    if (!session || session !== this.#session) return;
    this.#session = undefined;
    this.#inventory = this.#newInventory();
    const delays = this.#closing ? undefined : this.#delays;
    if (error) {
      this.#log({ level: 'info', message: 'the connection ended', error });
      this.#events.emit('disconnected', { error } satisfies ConnectionEvents['disconnected']);
    }
    // Calls that wait for an event may have missed it.
    this.#events.end(error);
    if (this.#opened?.ended) void this.#tellEnding(this.#opened.ended);
    if (delays) this.#reconnecting = this.#reconnect(delays);
    else this.#over = { error };
  }

  /** The last words of a server that has ended by itself are worth knowing. */
  async #tellEnding(ended: Promise<Ending>): Promise<void> {
    const { text, orderly } = await ended;
    this.#log({ level: orderly ? 'info' : 'warn', message: text });
  }

  async #reconnect({ initialDelay, maxDelay }: Delays): Promise<void> {
    const isSteady = performance.now() - this.#connectedAt >= Math.min(steadyTime, maxDelay);
    if (isSteady || this.#delay === 0) this.#delay = initialDelay;
    for (let attempts = 1; ; attempts += 1) {
      const delay = this.#delay;
      this.#delay = Math.min(delay * 2, maxDelay);
      await pause(delay * (0.5 + Math.random() / 2), this.#stop.signal);
      if (this.#closing) return;
      try {
        await this.#connect();
      } catch (error) {
        this.#log({ level: 'info', message: `attempt ${attempts} to connect again failed`, error });
        continue;
      }
      if (this.#closing) return;
      const greeting = this.#greeting;
      this.#events.emit('reconnected', { attempts, greeting } satisfies ConnectionEvents['reconnected']);
      return;
    }
  }

  async #close(): Promise<void> {
    this.#stop.abort();
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

/** Whether a server may expect TLS, and does not get it. */
function lacksTls(address: Address): boolean {
  return 'port' in address && !address.tls;
}

/** @returns undefined if a lost connection is not replaced */
function delaysOf(option: unknown): Delays | undefined {
  if (option === undefined || option === false) return undefined;
  if (option !== true && typeof option !== 'object') throw mistake('reconnect', 'boolean or object', option);
  const given: ReconnectOptions = option === true ? {} : optionsOf(option, reconnectChecks, 'reconnect.');
  const { initialDelay = Math.min(100, given.maxDelay ?? 100) } = given;
  const { maxDelay = Math.max(10_000, initialDelay) } = given;
  if (maxDelay < initialDelay) throw mistake('reconnect.maxDelay', `initialDelay (${initialDelay}) or more`, maxDelay);
  return { initialDelay, maxDelay };
}

/** Does what `optionsOf` does, in half the time, because there may be very many calls. */
function callOptionsOf(given: RawCallOptions, checks: typeof rawCallChecks): RawCallOptions {
  checkNames(given, checks);
  const { signal, timeout, until, where, oob, validate } = given as RawCallOptions;
  if (signal !== undefined) checkParameter('signal', signal, checks.signal);
  if (timeout !== undefined) checkParameter('timeout', timeout, checks.timeout);
  if (where !== undefined) checkParameter('where', where, checks.where);
  if (oob !== undefined) checkParameter('oob', oob, checks.oob);
  return { signal, timeout, until, where, oob, validate };
}

/** @throws what `where` throws */
function isMatch(where: (event: never) => unknown, event: QmpEvent): boolean {
  const answer = where(event as never);
  // A promise is always true.
  if (answer instanceof Promise) {
    answer.catch(() => {});
    throw new TypeError('where: expected a function that returns a boolean, but it returned a promise');
  }
  return Boolean(answer);
}

/** Resolves after a time, or when the signal says so. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      removeAbort();
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    const removeAbort = onAbort(signal, done);
    if (signal.aborted) done();
  });
}

/**
 * Rejects. The error is made behind an `await`, so that its stack leads to whoever awaits the call, and calls that succeed need none.
 * It takes two of them: a promise that is resolved with this one waits for it only from the first on.
 */
async function fail(failure: () => Error): Promise<never> {
  await Promise.resolve();
  await Promise.resolve();
  throw failure();
}
