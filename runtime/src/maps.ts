/** What generated types are made of, and how they say which commands and events there are. */

import type { Json } from './json.js';

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
