/** What generated code makes validators of, and what they can do. */

import { compiled, type Cell } from './compile.js';
import { inspect, isFailure, type Direction, type Issue, type Remark } from './inspect.js';
import type { CommandMap, EmptyObject, EventMap } from './maps.js';
import {
  AlternateType,
  EnumType,
  StructType,
  typeOf,
  UnionType,
  type MemberRefs,
  type Notes,
  type Type,
  type TypeRef,
} from './schema.js';

/** How a value is looked at. */
export interface IssuesOptions {
  /** What to tell beside what does not fit: uses of what is deprecated, unstable, or only in some builds of QEMU. */
  readonly remarks?: readonly Remark[] | undefined;
  /** Whether to tell of what the schema does not know, in what has come; true unless told. */
  readonly unknown?: boolean | undefined;
  /** Puts a number in place of each `bigint` where the schema has a `number`: on the wire, large ones look like integers. */
  readonly mend?: boolean | undefined;
}

/**
 * Says whether values are of a type. It is a type guard, and a Standard Schema (https://standardschema.dev).
 *
 * @typeParam T the type
 */
export interface Validator<T> {
  (value: unknown): value is T;
  /** All that there is to say of a value, up to 1000 things. Never throws. */
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

export function enumeration<T>(values: readonly string[], notes: Readonly<Record<string, Notes>> = {}): Validator<T> {
  return validator(new EnumType(values, notes), 'out');
}

export function struct<T>(define: () => MemberRefs, base?: () => Validator<unknown>): Validator<T> {
  return validator(new StructType(define, base), 'out');
}

export function union<T>(
  discriminator: string,
  define: () => readonly [base: Validator<unknown>, branches: Readonly<Record<string, Validator<unknown>>>],
): Validator<T> {
  return validator(new UnionType(discriminator, define), 'out');
}

export function alternate<T>(define: () => readonly TypeRef[]): Validator<T> {
  return validator(new AlternateType(define), 'out');
}

export function validatorsOf<C extends CommandMap<C>, E extends EventMap<E>>(
  commands: Readonly<Record<keyof C, CommandRefs>>,
  events: Readonly<Record<keyof E, TypeRef | undefined>>,
): Validators<C, E> {
  const ofCommand = ({ arguments: args, result, ...options }: CommandRefs): CommandValidators<unknown, unknown> => ({
    arguments: validator(typeOf(args ?? nothing), 'out', options),
    result: validator(typeOf(result ?? nothing), 'in'),
  });
  return {
    commands: mapValues(commands, ofCommand),
    events: mapValues(events, (data: TypeRef | undefined) => validator(typeOf(data ?? nothing), 'in')),
  } as unknown as Validators<C, E>;
}

const nothing = { type: new StructType(() => ({})) };

function mapValues<V, W>(record: Readonly<Record<string, V>>, change: (value: V) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

function validator<T>(
  type: Type,
  direction: Direction,
  { further, ...notes }: Notes & { readonly further?: boolean } = {},
): Validator<T> {
  const base = { direction, further, notes };
  let cell: Cell | undefined;
  let openCell: Cell | undefined;
  /** False also when it may fit all the same. */
  const passes = (check: Cell | undefined, value: unknown): value is T => {
    // What all objects inherit would be taken for their own, and is not sent.
    if (direction === 'out') for (const _ in {}) return false;
    try {
      return check !== undefined && check.check(value, 0);
    } catch {
      // A getter has thrown, or the value nests so deep that the stack was not enough.
      return false;
    }
  };
  const fits = (value: unknown): value is T => passes((cell ??= compiled(type, direction)), value);
  const fitsOpenly = (value: unknown): value is T => passes((openCell ??= compiled(type, 'open')), value);
  const failures = (value: unknown): Issue[] =>
    inspect(type, value, base).filter((issue) => isFailure(issue, direction));
  const is = (value: unknown): value is T => fits(value) || failures(value).length === 0;
  return Object.assign(is, {
    type,
    issues: (value: unknown, { remarks, unknown = true, mend }: IssuesOptions = {}): Issue[] => {
      const isOpen = direction === 'in' && !unknown;
      if ((remarks?.length ?? 0) === 0 && (isOpen ? fitsOpenly(value) : fits(value))) return [];
      const issues = inspect(type, value, { ...base, remarks, mend });
      return isOpen ? issues.filter(({ kind }) => kind !== 'unknown') : issues;
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
