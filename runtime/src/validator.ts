/** What generated code makes validators of, and what they can do. */

import { budget, compiled, type Cell } from './compile.js';
import { inspect, isFailure, type Direction, type Issue, type Remark } from './inspect.js';
import { limits } from './json.js';
import type { CommandMap, EmptyObject, EventMap } from './maps.js';
import {
  AlternateType,
  emptyStruct,
  EnumType,
  StructType,
  typeOf,
  UnionType,
  type EnumValues,
  type MemberRefs,
  type Notes,
  type Type,
  type TypeRef,
  type UnionRefs,
} from './schema.js';

/** What is told of a value. */
export interface IssuesOptions {
  /** What to tell beside what does not fit: uses of what is deprecated, unstable, or only in some builds of QEMU. */
  readonly remarks?: readonly Remark[] | undefined;
}

/**
 * Says whether values are of a type. It is a type guard, and a Standard Schema (https://standardschema.dev).
 *
 * @typeParam T the type
 */
export interface Validator<T> {
  (value: unknown): value is T;
  /** All that there is to say of a value, up to 1000 things of each kind. Never throws. */
  issues(value: unknown, options?: IssuesOptions): Issue[];
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: 'qapi-ts';
    readonly validate: (
      value: unknown,
    ) => { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly Issue[] };
    readonly types?: { readonly input: T; readonly output: T } | undefined;
  };
  /** The type, as validators of other types refer to it. */
  readonly type: Type;
}

/**
 * Of a command. Arguments have to fit exactly. Results may have more than the schema knows: members and enum values of a newer QEMU are
 * issues of the kind `unknown`, and do not matter to the guard.
 */
export interface CommandValidators<A, R> {
  readonly arguments: Validator<A>;
  readonly result: Validator<R>;
}

/** Of all commands, and of the data of all events, by wire name. */
export interface Validators<C extends CommandMap<C>, E extends EventMap<E>> {
  readonly commands: {
    readonly [N in keyof C]: CommandValidators<
      C[N]['arguments'],
      C[N]['result'] extends void ? EmptyObject : C[N]['result']
    >;
  };
  readonly events: { readonly [N in keyof E]: Validator<E[N]['data']> };
}

/** Validators by wire name, whatever their types. */
export interface AnyValidators {
  readonly commands: Readonly<Record<string, CommandValidators<unknown, unknown>>>;
  readonly events: Readonly<Record<string, Validator<unknown>>>;
}

/** What generated code says of a command; arguments or a result that it has none of are left out. */
export interface CommandRefs extends Notes {
  readonly arguments?: TypeRef;
  readonly result?: TypeRef;
  /** Whether there may be more arguments. */
  readonly further?: boolean;
}

export function enumeration<T>(values: EnumValues, notes: Readonly<Record<string, Notes>> = {}): Validator<T> {
  return validator(new EnumType(values, notes), 'out');
}

export function struct<T>(define: () => MemberRefs, base?: () => Validator<unknown>): Validator<T> {
  return validator(new StructType(define, base), 'out');
}

export function union<T>(discriminator: string, define: () => UnionRefs): Validator<T> {
  return validator(new UnionType(discriminator, define), 'out');
}

export function alternate<T>(define: () => readonly TypeRef[]): Validator<T> {
  return validator(new AlternateType(define), 'out');
}

export function validatorsOf<C extends CommandMap<C>, E extends EventMap<E>>(
  commands: Readonly<Record<keyof C, CommandRefs>>,
  events: Readonly<Record<keyof E, TypeRef | undefined>>,
): Validators<C, E> {
  const typeOr = (ref: TypeRef | undefined): Type => (ref === undefined ? emptyStruct : typeOf(ref));
  const ofCommand = ({ arguments: args, result, ...options }: CommandRefs): CommandValidators<unknown, unknown> => ({
    arguments: validator(typeOr(args), 'out', options),
    result: validator(typeOr(result), 'in'),
  });
  return {
    commands: mapValues(commands, ofCommand),
    events: mapValues(events, (data: TypeRef | undefined) => validator(typeOr(data), 'in')),
  } as unknown as Validators<C, E>;
}

function mapValues<V, W>(record: Readonly<Record<string, V>>, change: (value: V) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

function validator<T>(
  type: Type,
  direction: Direction,
  { further, ...notes }: Notes & { readonly further?: boolean } = {},
): Validator<T> {
  const inspected = (value: unknown, remarks?: readonly Remark[]): Issue[] =>
    inspect(type, value, { direction, further, notes, remarks }).issues;
  const failures = (value: unknown): Issue[] => inspected(value).filter((issue) => isFailure(issue, direction));
  let check: Cell | undefined;
  const fits = (value: unknown): boolean => {
    check ??= compiled(type, direction === 'in' ? 'open' : 'out');
    return passes(check, value, direction);
  };
  const is = (value: unknown): value is T => fits(value) || failures(value).length === 0;
  return Object.assign(is, {
    type,
    issues: (value: unknown, { remarks = [] }: IssuesOptions = {}): Issue[] => {
      const isFlawless = remarks.length === 0 && passes(compiled(type, direction), value, direction);
      return isFlawless ? [] : inspected(value, remarks);
    },
    '~standard': {
      version: 1,
      vendor: 'qapi-ts',
      validate: (value: unknown) => {
        const issues = fits(value) ? [] : failures(value);
        return issues.length === 0 ? { value: value as T } : { issues };
      },
    },
  } as const);
}

// To look them up would take as long as a small check.
const mostOut = /* @__PURE__ */ (() => limits.out.tokens - 1)();
const mostIn = /* @__PURE__ */ (() => limits.in.tokens - 1)();

/** Whether a compiled check says that a value fits; it may fit all the same. */
export function passes(cell: Cell | undefined, value: unknown, direction: Direction): boolean {
  // What all objects inherit would be taken for their own, and is not sent.
  if (direction === 'out') for (const _ in {}) return false;
  if (cell?.counts) budget.left = direction === 'out' ? mostOut : mostIn;
  try {
    return cell !== undefined && cell.check(value, 0);
  } catch {
    // A getter has thrown, or the value nests so deep that the stack was not enough.
    return false;
  }
}
