/** What generated clients are made of: calls by wire name, typed by maps that the generator writes. */

import type { ChildProcess } from 'node:child_process';

import type { Connection, ConnectionEvents, RawCallOptions } from './connection.js';
import type { anyEvent, EventReader, EventsOptions, QmpEvent } from './events.js';
import type { Json, JsonObject } from './json.js';
import type { CommandMap, EventMap } from './maps.js';
import type { Among, DidYouMean } from './near.js';
import type { Greeting } from './session.js';
import type { AnyName, PartOf } from './supports.js';
import type { Validation } from './validation.js';

/**
 * Whether a value is one of an enum's that the generated code knows: `isKnown(RunState, status)`. In a `switch`, `default:` is where the
 * others are.
 *
 * @param values the enum: its values by themselves
 */
export function isKnown<V extends string>(values: Readonly<Record<string, V>>, value: string): value is V {
  return Object.hasOwn(values, value);
}

/** An event of the schema, or one of several: a `switch` over `event` tells them apart. */
export type EventOf<E extends EventMap<E>, N extends keyof E> = {
  [Name in N]: QmpEvent<Name & string, E[Name]['data']>;
}[N];

/**
 * How a call is made.
 *
 * @typeParam E the events of the schema
 * @typeParam U the events that `until` names
 */
export interface CallOptions<E extends EventMap<E>, U extends keyof E = never> {
  /** Gives the call up: it rejects at once, and a command that was not sent yet never is. */
  signal?: AbortSignal | undefined;
  /** In milliseconds, from the call to its end; `Infinity` means no limit. */
  timeout?: number | undefined;
  /** Waits for the first of these events, after the command has succeeded; the call then resolves to `{ result, event }`. */
  until?: readonly U[] | undefined;
  /** Which events of those that `until` names count. */
  where?: ((event: EventOf<E, U>) => boolean) | undefined;
  /** How arguments and result are checked, instead of as the connection was told. */
  validate?: boolean | Validation | undefined;
}

/** Of commands that may be executed out of band, before others that are waiting. */
export interface OobCallOptions<E extends EventMap<E>, U extends keyof E = never> extends CallOptions<E, U> {
  oob?: boolean | undefined;
}

/** What a call resolves to: the command's result, with the event where one was waited for. */
export type Outcome<R, E extends EventMap<E>, U extends keyof E> = [U] extends [never]
  ? R
  : { result: R; event: EventOf<E, U> };

/** The parameters of `execute` behind the name. Arguments can be left out when none are mandatory. */
export type ExecuteParameters<
  C extends CommandMap<C>,
  E extends EventMap<E>,
  N extends keyof C,
  U extends keyof E,
> = {} extends C[N]['arguments']
  ? [args?: C[N]['arguments'] | undefined, options?: OptionsOf<C, E, N, U> | undefined]
  : [args: C[N]['arguments'], options?: OptionsOf<C, E, N, U> | undefined];

type OptionsOf<C extends CommandMap<C>, E extends EventMap<E>, N extends keyof C, U extends keyof E> = C[N] extends {
  oob: true;
}
  ? OobCallOptions<E, U>
  : CallOptions<E, U>;

/** What can be listened to: events of the schema by name, all events by `*`, and what happens to the connection itself. */
export type Listenable<E extends EventMap<E>> = (keyof E & string) | typeof anyEvent | keyof ConnectionEvents;

/** What the compiler says of a mistyped name. No other name is a mistyped `*`. */
type Meant<M extends string, E extends EventMap<E>> = DidYouMean<M, Exclude<Listenable<E>, typeof anyEvent>>;

/** What a listener gets. */
export type Heard<E extends EventMap<E>, N> = N extends keyof ConnectionEvents
  ? ConnectionEvents[N]
  : N extends keyof E
    ? EventOf<E, N>
    : QmpEvent;

/**
 * A client of one server. Generated clients add a method for each command.
 *
 * @typeParam C the schema's commands
 * @typeParam E the schema's events
 */
export class Client<C extends CommandMap<C>, E extends EventMap<E>> implements AsyncDisposable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** What the server said of itself when the connection was made; undefined for a guest agent. */
  get greeting(): Greeting | undefined {
    return this.#connection.greeting;
  }

  /** The server's process, when it was launched. */
  get process(): ChildProcess | undefined {
    return this.#connection.process;
  }

  /**
   * Executes a command of the schema by its wire name.
   *
   * @throws QmpError, or TypeError for an invalid option
   */
  execute<N extends keyof C & string, U extends keyof E = never>(
    name: N,
    ...[args, options]: ExecuteParameters<C, E, N, U>
  ): Promise<Outcome<C[N]['result'], E, U>> {
    return this.#connection.call(name, args, options as RawCallOptions) as Promise<Outcome<C[N]['result'], E, U>>;
  }

  /**
   * Executes any command, known to the schema or not. Neither arguments nor result are checked.
   *
   * @throws QmpError, or TypeError for an invalid option
   */
  executeRaw(name: string, args?: JsonObject, options?: Omit<OobCallOptions<E>, 'validate'>): Promise<Json> {
    return this.#connection.callRaw(name, args, options) as Promise<Json>;
  }

  /**
   * Whether the server has a command or an event: `supports('blockdev-add')`. And whether that has
   * - an argument, a member of the result or, of an event, of the data: `{ argument: 'file.filename' }`, `{ result: 'inserted.image' }`,
   *   `{ data: 'reason' }`. Elements of arrays are stepped into; of a union, a member may be of any branch, or of the one that is
   *   told: `{ argument: 'file(driver=nbd).server' }`;
   * - a value there, of an enum: `{ argument: 'aio', value: 'io_uring' }`;
   * - a feature, of the command or event itself, or of what is told: `{ feature: 'deprecated' }`.
   *
   * What the server does not know is false, and so is what is mistyped. The server is asked for its schema at the first use, once for each
   * connection. An agent is asked each time, and tells only which commands it has, and whether they are enabled.
   *
   * Since version 10.1, QEMU lists the commands of all targets: an x86 QEMU has `dump-skeys`, and fails when it is called.
   *
   * @throws QmpError when the server does not answer, TypeError for an invalid option or path, or for anything but a command of an agent
   */
  supports<N extends AnyName<C, E>>(
    name: N,
    part?: PartOf<C, E, N>,
    options?: Pick<CallOptions<E>, 'signal' | 'timeout'>,
  ): Promise<boolean> {
    return this.#connection.supports(name, part, options);
  }

  /**
   * Calls a listener for every event of a name, for every event (`*`), or when the connection is lost or there again.
   *
   * @throws TypeError for an event that the schema does not have: listen to `*` for those
   */
  on<N extends Listenable<E> | Meant<M, E>, M extends string = never>(
    name: N | Among<M, Listenable<E>>,
    listener: (event: Heard<E, N>) => void,
  ): this {
    this.#connection.addListener(name, listener);
    return this;
  }

  /** Takes a listener back. */
  off<N extends Listenable<E> | Meant<M, E>, M extends string = never>(
    name: N | Among<M, Listenable<E>>,
    listener: (event: Heard<E, N>) => void,
  ): this {
    this.#connection.removeListener(name, listener);
    return this;
  }

  /**
   * Like `on`, for the next one only.
   *
   * @throws TypeError
   */
  once<N extends Listenable<E> | Meant<M, E>, M extends string = never>(
    name: N | Among<M, Listenable<E>>,
    listener: (event: Heard<E, N>) => void,
  ): this {
    this.#connection.addListener(name, listener, true);
    return this;
  }

  /**
   * Reads events of some names with `for await`, from now on, in the order in which they come. It ends when the client is closed, and
   * throws when the connection is lost.
   *
   * @throws TypeError for an event that the schema does not have, or an invalid option
   */
  events<N extends keyof E & string>(
    names: readonly N[],
    options?: EventsOptions,
  ): AsyncIterableIterator<EventOf<E, N>> {
    return this.#connection.read(names, options) satisfies EventReader as unknown as AsyncIterableIterator<
      EventOf<E, N>
    >;
  }

  /** Takes no more calls, waits for those in flight, five seconds at the most, and ends the connection, with the server if it was launched. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
