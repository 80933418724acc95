/** What generated clients are made of: calls by wire name, typed by maps that the generator writes. */

import type { Json, JsonObject } from './json.js';

/**
 * The value of an enum that the generated code does not know, because the server is newer. No known text can be assigned to it,
 * so that a mistyped value is a compile error, and no text that a server sends begins with U+0000.
 */
export type UnknownEnumValue = `\0${string}`;

declare const nothing: unique symbol;

/** An object without members. The one that it might have is for nobody to name, so that to give or to read any is a compile error. */
export interface EmptyObject {
  readonly [nothing]?: never;
}

/** Arguments beyond those of the schema, which some commands take (`device_add`: the device's properties). */
export interface FurtherArguments {
  [name: string]: Json | undefined;
}

/** Commands by wire name. */
export type CommandMap<C> = { [N in keyof C]: { arguments: object; result: unknown; oob?: true } };

/** Events by wire name. */
export type EventMap<E> = { [N in keyof E]: { data: object } };

/** An event as the server sent it. */
export type EventOf<E extends EventMap<E>, N extends keyof E> = {
  [Name in N]: {
    readonly event: Name;
    readonly data: E[Name]['data'];
    /** Since 1970; both are -1 when the server has no time. */
    readonly timestamp: { readonly seconds: number; readonly microseconds: number };
  };
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
  /** In milliseconds, from the call to its end. */
  timeout?: number | undefined;
  /** Waits for the first of these events, after the command has succeeded; the call then resolves to `{ result, event }`. */
  until?: readonly U[] | undefined;
  /** Which events of those that `until` names count. */
  where?: ((event: EventOf<E, U>) => boolean) | undefined;
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

/** What a schema says of its commands that matters to the protocol, by wire name. */
export interface Protocol {
  /** Commands that send no reply when they succeed. */
  readonly withoutReply: readonly string[];
  /** Commands that may be executed out of band. */
  readonly outOfBand: readonly string[];
}

/** Carries calls to a server and results back. */
export interface Connection {
  call(name: string, args: object | undefined, options: object | undefined, protocol: Protocol): Promise<unknown>;
}

/**
 * A client of one server. Generated clients add a method for each command.
 *
 * @typeParam C the schema's commands
 * @typeParam E the schema's events
 */
export class Client<C extends CommandMap<C>, E extends EventMap<E>> {
  readonly #connection: Connection;
  readonly #protocol: Protocol;

  constructor(connection: Connection, protocol: Protocol) {
    this.#connection = connection;
    this.#protocol = protocol;
  }

  /** Executes a command of the schema by its wire name. */
  execute<N extends keyof C & string, U extends keyof E = never>(
    name: N,
    ...[args, options]: ExecuteParameters<C, E, N, U>
  ): Promise<Outcome<C[N]['result'], E, U>> {
    return this.#connection.call(name, args, options, this.#protocol) as Promise<Outcome<C[N]['result'], E, U>>;
  }

  /** Executes any command, known to the schema or not. */
  executeRaw(name: string, args?: JsonObject, options?: CallOptions<E>): Promise<Json> {
    return this.#connection.call(name, args, options, this.#protocol) as Promise<Json>;
  }
}
