/**
 * Generates values of the types of a schema. They are derived only from the model, independently of the validators and
 * servers that they test.
 */

import fc, { type Arbitrary } from 'fast-check';

import {
  allMembers,
  type AlternateType,
  type ArrayType,
  type BuiltinName,
  type Command,
  type EnumType,
  type Event,
  type Member,
  type ObjectType,
  type StructType,
  type Type,
  type UnionType,
} from '../../generator/src/model.js';
import { changesAt, placesIn, withFlaw, type Flaw, type Flawed } from './flaws.js';
import { isSafe, widths } from './integers.js';

export interface ValueOptions {
  /** The maximum nesting of arrays and objects, unless the type requires more. */
  readonly depth?: number;
  readonly strings?: Arbitrary<string>;
  /** Whether to generate only integers that are small or at the limits of their type. */
  readonly extremes?: boolean;
  /** Whether to generate only values that `JSON.parse` returns: no bigints, no `undefined`, and no null prototypes. */
  readonly json?: boolean;
  /** Returns whether to omit a member, branch, enum value or alternative, because not all builds have it. */
  readonly leaveOut?: (part: object) => boolean;
}

const empty: StructType = {
  kind: 'struct',
  name: 'empty',
  module: '',
  position: { file: '', line: 1, column: 1 },
  features: [],
  members: [],
};

export function argumentsOf(command: Command): ObjectType {
  return command.arguments ?? empty;
}

/** Returns the type of a command's result. By default, it is an empty object. */
export function resultOf(command: Command): Type {
  return command.returns ?? empty;
}

export function dataOf(event: Event): ObjectType {
  return event.data ?? empty;
}

/** Words that are not the name of anything in a schema. */
export const words = fc.string({
  unit: fc.constantFrom(...Array.from('bcdfghjklmnpqrstvwxz')),
  minLength: 5,
  maxLength: 8,
});

/** QEMU rejects text that contains any of these. */
const noncharacter = /\p{Noncharacter_Code_Point}/u;

const texts = fc.oneof(
  { weight: 3, arbitrary: words },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }).filter((text) => !noncharacter.test(text)) },
  { weight: 1, arbitrary: fc.constantFrom('', 'null', '1', '__proto__', '\0') },
);

/** Generates values of the types of a schema. */
export class Values {
  readonly #depth: number;
  readonly #strings: Arbitrary<string>;
  readonly #extremes: boolean;
  readonly #json: boolean;
  readonly #leaveOut: (part: object) => boolean;
  readonly #any: Arbitrary<unknown>;
  readonly #made = new Map<Type, Map<number, Arbitrary<unknown>>>();
  readonly #fitting = new Map<Type, Map<number, boolean>>();

  constructor(options: ValueOptions = {}) {
    this.#depth = options.depth ?? 8;
    this.#strings = options.strings ?? texts;
    this.#extremes = options.extremes ?? false;
    this.#json = options.json ?? false;
    this.#leaveOut = options.leaveOut ?? (() => false);
    this.#any = anyJson(this.#strings, this.#json);
  }

  /** Returns valid values. */
  valid(type: Type): Arbitrary<unknown> {
    let depth = this.#depth;
    while (!this.#fits(type, depth)) depth += 1;
    return this.#value(type, depth);
  }

  /**
   * Returns values with one flaw, all kinds equally often, or undefined for values that cannot have any.
   *
   * @param kinds the kinds of flaws
   */
  flawed(
    type: Type,
    kinds: readonly Flaw[],
    { further = false }: { further?: boolean } = {},
  ): Arbitrary<Flawed | undefined> {
    return fc.tuple(this.valid(type), fc.nat(), fc.nat(), fc.nat()).map(([value, flaw, place, choice]) => {
      const changes = rotated(placesIn(type, value, further), place).map((one) => changesAt(one));
      for (const kind of rotated(kinds, flaw)) {
        for (const there of changes) {
          const [change] = rotated(
            there.filter((one) => one.flaw === kind),
            choice,
          );
          if (change) return withFlaw(value, change);
        }
      }
      return undefined;
    });
  }

  /** Returns whether a type has values of at most the given depth. */
  #fits(type: Type, depth: number): boolean {
    if (type.kind === 'builtin' || type.kind === 'enum') return true;
    if (depth === 0) return false;
    return remembered(this.#fitting, type, depth, () => {
      switch (type.kind) {
        case 'array':
          return true;
        case 'alternate':
          return this.#alternatives(type, depth).length > 0;
        default:
          return this.#membersFit(type, depth - 1);
      }
    });
  }

  #membersFit(type: ObjectType, depth: number): boolean {
    const fit = allMembers(type).every((member) => member.optional || this.#fits(member.type, depth));
    return fit && (type.kind === 'struct' || this.#branches(type, depth).length > 0);
  }

  #alternatives(type: AlternateType, depth: number): AlternateType['alternatives'] {
    return type.alternatives.filter((one) => !this.#leaveOut(one) && this.#fits(one.type, depth));
  }

  #branches({ branches, discriminator }: UnionType, depth: number): UnionType['branches'] {
    const values = this.#valuesOf(discriminator.type);
    const fits = (type: ObjectType | undefined): boolean => !type || this.#membersFit(type, depth);
    return branches.filter((branch) => !this.#leaveOut(branch) && values.includes(branch.name) && fits(branch.type));
  }

  #valuesOf(type: EnumType): string[] {
    return type.values.filter((value) => !this.#leaveOut(value)).map(({ name }) => name);
  }

  #value(type: Type, depth: number): Arbitrary<unknown> {
    return remembered(this.#made, type, depth, () => {
      switch (type.kind) {
        case 'builtin':
          return this.#builtin(type.name);
        case 'enum':
          return fc.constantFrom(...this.#valuesOf(type));
        case 'array':
          return this.#array(type, depth);
        case 'alternate':
          return fc.oneof(...this.#alternatives(type, depth).map((one) => this.#value(one.type, depth)));
        default:
          return this.#object(type, new Map(), depth);
      }
    });
  }

  #builtin(name: BuiltinName): Arbitrary<unknown> {
    switch (name) {
      case 'str':
        return this.#strings;
      case 'bool':
        return fc.boolean();
      case 'null':
        return fc.constant(null);
      case 'any':
        return this.#any;
      case 'number':
        return fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer());
      default:
        return this.#integer(...widths[name]);
    }
  }

  #integer(min: bigint, max: bigint): Arbitrary<unknown> {
    const bounds = { min: isSafe(min) ? Number(min) : -(2 ** 53) + 1, max: isSafe(max) ? Number(max) : 2 ** 53 - 1 };
    const numbers = [fc.integer({ min: Math.max(bounds.min, -9), max: 99 }), fc.constantFrom(bounds.min, bounds.max)];
    if (!this.#extremes) numbers.push(fc.integer(bounds));
    if (this.#json || (isSafe(min) && isSafe(max))) return fc.oneof(...numbers);
    const bigints = [fc.constantFrom(min, max, 1n)];
    if (!this.#extremes) bigints.push(fc.bigInt({ min, max }));
    return fc.oneof(...numbers, ...bigints);
  }

  #array({ element }: ArrayType, depth: number): Arbitrary<unknown> {
    if (!this.#fits(element, depth - 1)) return fc.constant([]);
    return fc.array(this.#value(element, depth - 1), { maxLength: 3 });
  }

  /** @param around the members, by name, of the unions that the type is a branch of */
  #object(type: ObjectType, around: ReadonlyMap<string, Member>, depth: number): Arbitrary<unknown> {
    const members = new Map(around);
    for (const member of allMembers(type)) members.set(member.name, member);
    if (type.kind === 'struct') return this.#record(members, depth - 1);
    const { discriminator } = type;
    const choices = this.#branches(type, depth - 1).map((branch) => {
      const values = discriminator.type.values.filter(({ name }) => name === branch.name);
      members.set(discriminator.name, { ...discriminator, type: { ...discriminator.type, values } });
      return branch.type ? this.#object(branch.type, members, depth) : this.#record(members, depth - 1);
    });
    return fc.oneof(...choices);
  }

  #record(members: ReadonlyMap<string, Member>, depth: number): Arbitrary<unknown> {
    const usable = [...members.values()].filter((member) => !this.#leaveOut(member) && this.#fits(member.type, depth));
    const required = usable.filter(({ optional }) => !optional).map(({ name }) => name);
    const entries = usable.map(({ name, type, optional }): [string, Arbitrary<unknown>] => {
      const value = this.#value(type, depth);
      return [name, optional && !this.#json ? fc.option(value, { nil: undefined, freq: 9 }) : value];
    });
    // A member with the value undefined counts as absent, so it is not unknown.
    if (!this.#json) entries.push(['no-such-member', fc.constant(undefined)]);
    return fc.record(Object.fromEntries(entries), { requiredKeys: required, noNullPrototype: this.#json });
  }
}

function anyJson(strings: Arbitrary<string>, parsed: boolean): Arbitrary<unknown> {
  const simple: unknown[] = [null, true, false, 0, -1, 1.5];
  if (!parsed) simple.push(2n ** 64n - 1n, -(2n ** 63n));
  return fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(...simple),
      fc.maxSafeInteger(),
      strings,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(strings, tie('value'), { maxKeys: 3, noNullPrototype: parsed }),
    ),
  })).value;
}

function remembered<T>(known: Map<Type, Map<number, T>>, type: Type, depth: number, make: () => T): T {
  const byDepth = known.get(type) ?? new Map<number, T>();
  known.set(type, byDepth);
  let thing = byDepth.get(depth);
  if (thing === undefined) {
    thing = make();
    byDepth.set(depth, thing);
  }
  return thing;
}

/** Returns an array rotated by a number of elements. */
function rotated<T>(array: readonly T[], by: number): T[] {
  const first = array.length === 0 ? 0 : by % array.length;
  return [...array.slice(first), ...array.slice(0, first)];
}
