/** Calls and events over a connection that may end, and come again. */

import type { ChildProcess } from 'node:child_process';

import { onAbort } from './abort.js';
import { canBeFoundAgain, open, type Address, type Ending, type Opened } from './address.js';
import {
  AbortedError,
  ArgumentsError,
  ConnectError,
  ConnectionLostError,
  NotSentError,
  ProtocolError,
  QmpError,
  TimeoutError,
} from './errors.js';
import { Events, type EventReader, type EventsOptions, type Listener, type QmpEvent } from './events.js';
import type { JsonObject } from './json.js';
import { defaultLog, guarded, type Log, type Trace } from './log.js';
import {
  Session,
  type Entry,
  type Greeting,
  type Protocol,
  type Request,
  type Resolve,
  type Settle,
  type Settled,
} from './session.js';
import { Inventory, type Part } from './supports.js';
import { Checks, validationOf, type Validation } from './validation.js';
import { versionProblem } from './version.js';

export interface ConnectOptions {
  /** In milliseconds, for the connection, the greeting and the negotiation together; 10000 unless told. */
  connectTimeout?: number | undefined;
  /** The largest message that is read, in bytes; 64 MiB unless told. */
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

/** Delays in milliseconds; each is up to twice the one before, at random between half of it and all. */
export interface ReconnectOptions {
  /** 100 unless told. */
  initialDelay?: number | undefined;
  /** 10000 unless told. */
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

/** What happens to the connection itself. */
export interface ConnectionEvents {
  /** The connection is lost. With `reconnect`, another is being made. */
  disconnected: { readonly error: QmpError };
  /** There is a connection again. Events in between were missed: ask again for what you follow. */
  reconnected: { readonly attempts: number; readonly greeting: Greeting | undefined };
}

/** Longer ones end at once; nobody waits for 24 days. */
const longestTimer = 2 ** 31 - 1;
/** How long `close` waits for calls in flight. */
const drainTimeout = 5000;

export class Connection {
  readonly #address: Address;
  readonly #protocol: Protocol;
  readonly #options: ConnectOptions;
  readonly #log: Log;
  readonly #events: Events;
  readonly #validation: Validation;
  readonly #checks: Checks;
  /** That of the server, until the connection ends: the next server may be another. */
  #inventory: Inventory;
  #session: Session | undefined;
  #opened: Opened | undefined;
  #greeting: Greeting | undefined;
  /** Events that came before anybody could listen. */
  #held: (readonly [string, JsonObject])[] | undefined = [];
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
    this.#log = guarded(options.log ?? defaultLog);
    this.#events = new Events(this.#log);
    this.#validation = validationOf(options.validate);
    this.#checks = new Checks(protocol.validators, this.#log);
    this.#inventory = this.#newInventory();
  }

  /** @throws QmpError when no connection comes about in time */
  static async open(address: Address, protocol: Protocol, options: ConnectOptions = {}): Promise<Connection> {
    if (options.reconnect && !canBeFoundAgain(address)) {
      throw new ConnectError('only a path or a port can be connected to again: leave out reconnect');
    }
    const connection = new Connection(address, protocol, options);
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
   * @throws QmpError
   */
  call(command: string, args?: object, options: RawCallOptions = {}): Promise<unknown> {
    return new Promise((resolve) => {
      const validation = validationOf(options.validate, this.#validation);
      this.#unsettledCalls += 1;
      this.#start(command, args, options, validation, resolve);
    });
  }

  /** Whether the server has a command or an event, or a part of it. */
  supports(name: string, part?: Part, bounds?: Pick<RawCallOptions, 'signal' | 'timeout'>): Promise<boolean> {
    return this.#inventory.has(name, part, bounds);
  }

  addListener(name: string, listener: Listener, once = false): void {
    this.#events.add(name, listener, once);
  }

  removeListener(name: string, listener: Listener): void {
    this.#events.remove(name, listener);
  }

  read(names: readonly string[], options: EventsOptions): EventReader {
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

  #start(
    command: string,
    args: object | undefined,
    options: RawCallOptions,
    validation: Validation,
    resolve: Resolve,
  ): void {
    const { signal, timeout, until, oob = false } = options;
    const isChecked = this.#checks.isChecked(command, validation);
    const refusal = isChecked ? this.#checks.arguments(command, args, validation) : undefined;
    const session = refusal ?? this.#sessionFor(command, options);
    if (typeof session === 'function') {
      this.#settle({ failure: session }, resolve);
    } else if (!signal && timeout === undefined && !until) {
      const settle: Settle = (outcome) => this.#settle(this.#checks.result(command, outcome, validation), resolve);
      this.#send(session, {
        command,
        args,
        isChecked,
        oob,
        settle: validation === this.#validation ? this.#check : settle,
        resolve,
      });
    } else {
      this.#sendBounded(session, { command, args, isChecked, oob, resolve }, options, validation);
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

  /** @returns what can be abandoned */
  #send(session: Session, request: Request): Entry | undefined {
    try {
      return session.send(request);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const failure = (): QmpError => new ArgumentsError(request.command, `arguments: ${text}`, [], { cause: error });
      request.settle({ failure }, request.resolve, request.command);
      return undefined;
    }
  }

  /** A call that a signal or the time may end, or that goes on until an event. */
  #sendBounded(
    session: Session,
    request: Omit<Request, 'settle'>,
    { signal, timeout, until = [], where }: RawCallOptions,
    validation: Validation,
  ): void {
    const { command, resolve } = request;
    let isSettled = false;
    let result: Settled | undefined;
    let event: QmpEvent | undefined;
    const clean: (() => void)[] = [];
    const finish = (outcome: Settled): void => {
      for (const undo of clean.splice(0)) undo();
      if (!isSettled) this.#settle(outcome, resolve);
      isSettled = true;
    };
    const progress = (): void => {
      if (!result || (until.length > 0 && !event)) return;
      if ('failure' in result || until.length === 0) finish(result);
      else finish({ result: { result: result.result, event } as never });
    };
    if (until.length > 0) {
      const listener = (candidate: QmpEvent): void => {
        try {
          if (event || (where && !where(candidate as never))) return;
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
    const settle: Settle = (outcome) => {
      result = this.#checks.result(command, outcome, validation);
      if ('failure' in result) finish(result);
      else progress();
    };
    const entry = this.#send(session, { ...request, settle });
    const abandon = (failure: () => Error): void => {
      if (entry) session.abandon(entry);
      finish({ failure });
    };
    if (signal) {
      const abort = (): void =>
        abandon(() => new AbortedError(`${command}: the call was given up`, { cause: signal.reason }));
      clean.push(onAbort(signal, abort));
    }
    if (timeout !== undefined && timeout <= longestTimer) {
      const late = (): void => {
        const what = result ? until.join(' or ') : 'reply';
        abandon(() => new TimeoutError(`${command}: no ${what} within ${timeout} ms`));
      };
      const timer = setTimeout(late, timeout);
      clean.push(() => clearTimeout(timer));
    }
    // It may have ended at once.
    if (result && 'failure' in result) finish(result);
  }

  // Connecting

  async #connect(): Promise<void> {
    const { connectTimeout = 10_000, messageLimit, trace, checkVersion } = this.#options;
    // AbortSignal.any of AbortSignal.timeout is lost to the garbage collector in Node 20.
    const controller = new AbortController();
    const end = (): void => controller.abort();
    const timer = setTimeout(end, Math.min(connectTimeout, longestTimer));
    const removeStop = onAbort(this.#stop.signal, end);
    const deadline = controller.signal;
    let opened: Opened | undefined;
    let session: Session | undefined;
    try {
      opened = await open(this.#address, deadline);
      session = new Session(opened.stream, {
        protocol: this.#protocol,
        log: this.#log,
        trace: trace && guarded(trace),
        onEvent: (name, message) => this.#onEvent(name, message),
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
      if (checkVersion) void this.#checkVersion(connectTimeout);
    } catch (error) {
      session?.destroy();
      if (!opened || !(error instanceof Error)) throw error;
      // What became of the connection says more than what became of the command that was in flight.
      const cause = error instanceof ConnectionLostError && error.cause instanceof QmpError ? error.cause : error;
      const text = opened.fail ? await opened.fail(cause) : `cannot connect to ${opened.where}: ${cause.message}`;
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
    const hint = 'port' in address && !address.tls ? ', or it expects TLS' : '';
    return `${problem}: the server may have another client${hint}`;
  }

  #onEvent(name: string, message: JsonObject): void {
    if (this.#held) {
      this.#held.push([name, message]);
      return;
    }
    this.#checks.event(name, message['data'], this.#validation);
    this.#events.dispatch(name, message);
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const [name, message] of held) this.#onEvent(name, message);
  }

  #onEnd(session: Session | undefined, error: QmpError | undefined): void {
    // One that did not come about is told by whoever has made it.
    if (!session || session !== this.#session) return;
    this.#session = undefined;
    this.#inventory = this.#newInventory();
    const again = this.#options.reconnect && !this.#closing;
    if (error) {
      this.#log({ level: 'info', message: 'the connection ended', error });
      this.#events.emit('disconnected', { error } satisfies ConnectionEvents['disconnected']);
    }
    // Calls that wait for an event may have missed it.
    this.#events.end(error);
    if (this.#opened?.ended) void this.#tellEnding(this.#opened.ended);
    if (again) this.#reconnecting = this.#reconnect();
    else this.#over = { error };
  }

  /** The last words of a server that has ended by itself are worth knowing. */
  async #tellEnding(ended: Promise<Ending>): Promise<void> {
    const { text, orderly } = await ended;
    this.#log({ level: orderly ? 'info' : 'warn', message: text });
  }

  async #reconnect(): Promise<void> {
    const { reconnect } = this.#options;
    const { initialDelay = 100, maxDelay = 10_000 } = typeof reconnect === 'object' ? reconnect : {};
    for (let attempts = 1, delay = initialDelay; ; attempts += 1, delay = Math.min(delay * 2, maxDelay)) {
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
