/** Types used by generated code: maps of commands and events, and the building blocks of generated types. */

import type { Json } from './json.js';

/**
 * An enum value that the generated code does not know because the server is newer. No string literal without a leading
 * U+0000 is assignable to it, so a misspelled value is a compile error. Servers never send such a string.
 */
export type UnknownEnumValue = `\0${string}`;

declare const nothing: unique symbol;

/**
 * An object without members. Its only property has a key that nobody can name, so passing or reading any member is a
 * compile error.
 */
export interface EmptyObject {
  readonly [nothing]?: never;
}

/** Arguments that are not in the schema, which some commands accept (`device_add`: the device's properties). */
export interface FurtherArguments {
  [name: string]: Json | undefined;
}

/** Commands by wire name. */
export type CommandMap<C> = { [N in keyof C]: { arguments: object; result: unknown; oob?: true } };

/** Events by wire name. */
export type EventMap<E> = { [N in keyof E]: { data: object } };
