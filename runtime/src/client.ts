/** The base of generated clients: calls and events by wire name, typed by maps that the generator writes. */

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
 * Returns whether the generated code knows an enum value: `isKnown(RunState, status)`. In a `switch`, unknown values
 * reach `default:`.
 *
 * @param values the enum's run-time values, as exported by the generated code
 */
export function isKnown<V extends string>(values: Readonly<Record<string, V>>, value: string): value is V {
  return Object.hasOwn(values, value);
}

/** An event of the schema. For several names it is a union: a `switch` over `event` narrows it. */
export type EventOf<E extends EventMap<E>, N extends keyof E> = {
  [Name in N]: QmpEvent<Name & string, E[Name]['data']>;
}[N];

/**
 * Options of a call.
 *
 * @typeParam E the events of the schema
 * @typeParam U the events named in `until`
 */
export interface CallOptions<E extends EventMap<E>, U extends keyof E = never> {
  /** Aborts the call: it rejects immediately, and a command that is still queued is never sent. */
  signal?: AbortSignal | undefined;
  /** The time limit for the whole call, in milliseconds. `Infinity` means no limit. */
  timeout?: number | undefined;
  /**
   * In addition to the result, waits for the first of these events, which may arrive before the result. The call then
   * resolves to `{ result, event }`.
   */
  until?: readonly U[] | undefined;
  /** Filters the events named in `until`: return true for the event to wait for. */
  where?: ((event: EventOf<E, U>) => boolean) | undefined;
  /** How to validate arguments and results. Overrides the connection's `validate` option. */
  validate?: boolean | Validation | undefined;
}

/** Options of commands that can be executed out of band, ahead of queued commands. */
export interface OobCallOptions<E extends EventMap<E>, U extends keyof E = never> extends CallOptions<E, U> {
  oob?: boolean | undefined;
}

/** What a call resolves to: the command's result, or `{ result, event }` if the call has `until`. */
export type Outcome<R, E extends EventMap<E>, U extends keyof E> = [U] extends [never]
  ? R
  : { result: R; event: EventOf<E, U> };

/** The parameters of `execute` after the name. Arguments may be omitted if none are mandatory. */
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

/** The names that can be listened to: the schema's events, `*` for all events, and the connection's own events. */
export type Listenable<E extends EventMap<E>> = (keyof E & string) | typeof anyEvent | keyof ConnectionEvents;

/** The suggestion that the compiler reports for a misspelled name. It never suggests `*`. */
type Meant<M extends string, E extends EventMap<E>> = DidYouMean<M, Exclude<Listenable<E>, typeof anyEvent>>;

/** The argument that a listener receives. */
export type Heard<E extends EventMap<E>, N> = N extends keyof ConnectionEvents
  ? ConnectionEvents[N]
  : N extends keyof E
    ? EventOf<E, N>
    : QmpEvent;

/**
 * A client of one server. Generated clients add a method for each command.
 *
 * @typeParam C the commands of the schema
 * @typeParam E the events of the schema
 */
export class Client<C extends CommandMap<C>, E extends EventMap<E>> implements AsyncDisposable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The server's greeting; undefined for a guest agent, which sends none. */
  get greeting(): Greeting | undefined {
    return this.#connection.greeting;
  }

  /**
   * The server's version of QEMU: `10.2.2`. Undefined for a guest agent until it has reported its version, which it is
   * asked for in the background, and for a server that reports none.
   */
  get version(): string | undefined {
    return this.#connection.version;
  }

  /** The server's process if the client launched it. */
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
   * Executes any command, whether or not the schema has it. Neither the arguments nor the result is validated.
   *
   * @throws QmpError, or TypeError for an invalid option
   */
  executeRaw(name: string, args?: JsonObject, options?: Omit<OobCallOptions<E>, 'validate'>): Promise<Json> {
    return this.#connection.callRaw(name, args, options) as Promise<Json>;
  }

  /**
   * Returns whether the server has a command, synchronously: the server was asked for its commands while connecting, and
   * after each reconnect. A guest agent also has commands that are disabled; `supports` tells whether they are enabled.
   *
   * @throws TypeError if the client was connected without the option `queryCommands`
   */
  has(name: (keyof C & string) | (string & {})): boolean {
    return this.#connection.has(name);
  }

  /**
   * Returns whether the server has a command or an event: `supports('blockdev-add')`. With `part`, returns whether that
   * command or event has
   * - an argument, a member of the result, or (for events) a member of the data: `{ argument: 'file.filename' }`,
   *   `{ result: 'inserted.image' }`, `{ data: 'reason' }`. Array elements need no step of their own. A member of a
   *   union may belong to any branch, or only to the named one: `{ argument: 'file(driver=nbd).server' }`;
   * - an enum value at that place: `{ argument: 'aio', value: 'io_uring' }`;
   * - a feature, of the command or event itself or of the named part: `{ feature: 'deprecated' }`.
   *
   * Resolves to false for anything that the server does not know, including misspelled names. The server's schema is
   * queried once for each connection, on first use. A guest agent does not report a schema: it is queried on
   * each call, and reports only whether a command exists and is enabled.
   *
   * Since version 10.1, QEMU lists the commands of all targets: an x86 QEMU has `dump-skeys`, but the call fails.
   *
   * @throws QmpError if the server does not reply; TypeError for an invalid option or path, or when an agent is queried
   * for anything but a command
   */
  supports<N extends AnyName<C, E>>(
    name: N,
    part?: PartOf<C, E, N>,
    options?: Pick<CallOptions<E>, 'signal' | 'timeout'>,
  ): Promise<boolean> {
    return this.#connection.supports(name, part, options);
  }

  /**
   * Adds a listener for events of one name, for all events (`*`), or for the connection's own events (`disconnected`,
   * `reconnected`).
   *
   * @throws TypeError if the schema does not have the event; use `*` to receive such events
   */
  on<N extends Listenable<E> | Meant<M, E>, M extends string = never>(
    name: N | Among<M, Listenable<E>>,
    listener: (event: Heard<E, N>) => void,
  ): this {
    this.#connection.addListener(name, listener);
    return this;
  }

  /**
   * Removes a listener. Does nothing if the listener was not added.
   *
   * @throws TypeError if the schema does not have the event
   */
  off<N extends Listenable<E> | Meant<M, E>, M extends string = never>(
    name: N | Among<M, Listenable<E>>,
    listener: (event: Heard<E, N>) => void,
  ): this {
    this.#connection.removeListener(name, listener);
    return this;
  }

  /**
   * Like `on`, but the listener is called at most once.
   *
   * @throws TypeError if the schema does not have the event
   */
  once<N extends Listenable<E> | Meant<M, E>, M extends string = never>(
    name: N | Among<M, Listenable<E>>,
    listener: (event: Heard<E, N>) => void,
  ): this {
    this.#connection.addListener(name, listener, true);
    return this;
  }

  /**
   * Returns an async iterator over events with the given names that arrive from now on, in order. The iteration ends
   * when the client is closed, and throws when the connection is lost.
   *
   * @throws TypeError if the schema does not have an event, or for an invalid option
   */
  events<N extends keyof E & string>(
    names: readonly N[],
    options?: EventsOptions,
  ): AsyncIterableIterator<EventOf<E, N>> {
    return this.#connection.read(names, options) satisfies EventReader as unknown as AsyncIterableIterator<
      EventOf<E, N>
    >;
  }

  /**
   * Closes the connection. Rejects new calls, waits up to five seconds for calls in flight, and stops the server if the
   * client launched it.
   */
  close(): Promise<void> {
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
