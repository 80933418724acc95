/** Every command has a method, with the types in the map of commands. */

import type * as qga from '@qapi-ts/qemu/qga';
import type * as qmp from '@qapi-ts/qemu/qmp';
import type * as qsd from '@qapi-ts/qemu/qsd';
import type { CallOptions, CommandMap, EmptyObject, EventMap, OobCallOptions } from '@qapi-ts/runtime';
import type { Expect, Same } from './assert.js';

type CamelCase<Name extends string> = Name extends `${infer First}${'-' | '_'}${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Name;

/** Arguments can be omitted if they can be empty. */
type Arguments<A> = {} extends A ? [args?: A] : [args: A];
type Options<Command, E extends EventMap<E>> = Command extends { oob: true } ? OobCallOptions<E> : CallOptions<E>;
type Method<Command extends { arguments: object; result: unknown }, E extends EventMap<E>> = (
  ...parameters: [...Arguments<Command['arguments']>, options?: Options<Command, E>]
) => Promise<Command['result']>;

/** The commands whose method is missing or has another type. */
type Wrong<C extends CommandMap<C>, E extends EventMap<E>, Client> = {
  [Name in keyof C & string]: CamelCase<Name> extends keyof Client
    ? Client[CamelCase<Name>] extends Method<C[Name], E>
      ? never
      : Name
    : Name;
}[keyof C & string];

export type None = [
  Expect<Same<Wrong<qmp.Commands, qmp.Events, qmp.Client>, never>>,
  Expect<Same<Wrong<qga.Commands, qga.Events, qga.Client>, never>>,
  Expect<Same<Wrong<qsd.Commands, qsd.Events, qsd.Client>, never>>,
];

interface Some {
  'of-this': { arguments: { x: string }; result: string };
  'of-that': { arguments: EmptyObject; result: void };
  missing: { arguments: EmptyObject; result: void };
}
interface SomeClient {
  ofThis(args: { x: string }, options?: CallOptions<object>): Promise<number>;
  ofThat(args?: EmptyObject, options?: CallOptions<object>): Promise<void>;
}
/** Proves that `Wrong` finds such commands. */
export type Found = Expect<Same<Wrong<Some, object, SomeClient>, 'of-this' | 'missing'>>;
