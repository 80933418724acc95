/** Validators, which generated code creates. */

import { AlternateType } from './alternate.js';
import { budget, compiled, type Cell } from './compile.js';
import { EnumType, type EnumValues } from './enum.js';
import { inspect, isFailure, type Direction, type Issue, type Notes, type Remark } from './inspect.js';
import { limits } from './json.js';
import type { CommandMap, EmptyObject, EventMap } from './maps.js';
import { emptyStruct, StructType, typeOf, type MemberRefs, type TypeRef } from './schema.js';
import type { Type } from './type.js';
import { UnionType, type UnionRefs } from './union.js';

/** Options of `issues`. */
export interface IssuesOptions {
  /** Further findings to report: uses of anything deprecated, unstable, or only in some builds of QEMU. */
  readonly remarks?: readonly Remark[] | undefined;
}

/**
 * A type guard that is also a Standard Schema (https://standardschema.dev).
 *
 * @typeParam T the type
 */
export interface Validator<T> {
  (value: unknown): value is T;
  /** Returns all issues of a value, up to 1000 of each kind. Never throws. */
  issues(value: unknown, options?: IssuesOptions): Issue[];
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: 'qapi-ts';
    readonly validate: (
      value: unknown,
    ) => { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly Issue[] };
    readonly types?: { readonly input: T; readonly output: T } | undefined;
  };
  /** The run-time type, which validators of other types refer to. */
  readonly type: Type;
  /** Facts about the command or event whose arguments or data it validates. */
  readonly notes?: CommandNotes;
}

/**
 * The validators of a command. Arguments must match the schema exactly. Results may have unknown members and enum
 * values from a newer QEMU: these are issues of kind `unknown`, but the guard accepts them.
 */
export interface CommandValidators<A, R> {
  readonly arguments: Validator<A>;
  readonly result: Validator<R>;
}

/** The validators of all commands, and of the data of all events, by wire name. */
export interface Validators<C extends CommandMap<C>, E extends EventMap<E>> {
  readonly commands: {
    readonly [N in keyof C]: CommandValidators<
      C[N]['arguments'],
      C[N]['result'] extends void ? EmptyObject : C[N]['result']
    >;
  };
  readonly events: { readonly [N in keyof E]: Validator<E[N]['data']> };
}

/** Validators by wire name, without their types. */
export interface AnyValidators {
  readonly commands: Readonly<Record<string, CommandValidators<unknown, unknown>>>;
  readonly events: Readonly<Record<string, Validator<unknown>>>;
}

/** The parts of a command's validators that a connection uses. */
export interface UsedCommand {
  readonly arguments: Pick<Validator<unknown>, 'issues' | 'notes'>;
  readonly result: Pick<Validator<unknown>, 'type'>;
}

export interface CommandNotes extends Notes {
  /**
   * Whether the command accepts arguments beyond those of the schema; in code for a range of versions, the versions in
   * which it does.
   */
  readonly further?: boolean | string;
}

/** The description of a command in generated code. Arguments and result are omitted if there are none. */
export interface CommandRefs extends CommandNotes {
  readonly arguments?: TypeRef;
  readonly result?: TypeRef;
}

/** The description of an event that not every version of a range has. */
interface EventRefs extends Notes {
  readonly data?: TypeRef;
  readonly in: string;
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
  events: Readonly<Record<keyof E, TypeRef | EventRefs | undefined>>,
): Validators<C, E> {
  const typeOr = (ref: TypeRef | undefined): Type => (ref === undefined ? emptyStruct : typeOf(ref));
  const ofCommand = ({ arguments: args, result, ...notes }: CommandRefs): CommandValidators<unknown, unknown> => ({
    arguments: validator(typeOr(args), 'out', notes),
    result: validator(typeOr(result), 'in'),
  });
  const ofEvent = (ref: TypeRef | EventRefs | undefined): Validator<unknown> => {
    const { data, ...notes } = typeof ref === 'object' && 'in' in ref ? ref : { data: ref };
    return validator(typeOr(data), 'in', notes);
  };
  return {
    commands: mapValues(commands, ofCommand),
    events: mapValues(events, ofEvent),
  } as unknown as Validators<C, E>;
}

function mapValues<V, W>(record: Readonly<Record<string, V>>, change: (value: V) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

export function validator<T>(type: Type, direction: Direction, notes: CommandNotes = {}): Validator<T> {
  const further = Boolean(notes.further);
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
    notes,
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

// Precomputed: looking them up would take as long as a small check.
const mostOut = /* @__PURE__ */ (() => limits.out.tokens - 1)();
const mostIn = /* @__PURE__ */ (() => limits.in.tokens - 1)();

/** Returns whether a compiled check accepts a value. If not, the value may still be valid. */
export function passes(cell: Cell | undefined, value: unknown, direction: Direction): boolean {
  // If anything enumerable was added to Object.prototype, `inspect` has to decide: it tells own members from inherited
  // ones.
  if (direction === 'out') for (const _ in {}) return false;
  if (cell?.counts) budget.left = direction === 'out' ? mostOut : mostIn;
  try {
    return cell !== undefined && cell.check(value, 0);
  } catch {
    // A getter threw, or the value overflowed the stack.
    return false;
  }
}
