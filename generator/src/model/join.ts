/** Joins what the versions of a range have in one place: parts of the same name, and the types of a member or element. */

import { formatCondition } from '../condition.js';
import {
  allMembers,
  isObjectType,
  type Alternative,
  type Condition,
  type Doc,
  type EnumType,
  type EnumValue,
  type Feature,
  type Member,
  type Mutable,
  type NamedType,
  type ObjectType,
  type Part,
  type StructType,
  type Type,
  type Variant,
} from '../model.js';
import { optional } from '../optional.js';
import { newestOf, type Versions } from './versions.js';

/** What some versions have, such as the members of a struct. */
export interface Contribution<T> {
  readonly parts: readonly T[];
  readonly in: Versions;
}

/** One of the parts that become one. */
export interface Entry<T> {
  readonly part: T;
  readonly in: Versions;
}

/** The definition to which an implicit type belongs. */
export type Owner = Pick<StructType, 'name' | 'module' | 'position'>;

/** Creates the types of places, which are equal for equal places. */
export class Joiner {
  readonly #ids = new Map<Type, number>();
  readonly #joined = new Map<string, NamedType>();
  /** The types without their parts, each with the versions that have its place. The parts of their variants come first. */
  readonly #open = new Map<NamedType, Versions>();

  /**
   * Returns the type of a place, or undefined if no version has one there.
   *
   * @param placed the types by version. The versions are distinct
   * @param all the versions that have the place
   */
  join(placed: readonly Variant[], all: Versions, owner: Owner): Type | undefined {
    const variants = this.#distinct(placed);
    const [first, ...others] = variants;
    if (!first) return undefined;
    if (others.length === 0 && first.in === all) return first.type;
    const arrays = variants.flatMap(({ type, in: versions }) =>
      type.kind === 'array' ? [{ type: type.element, in: versions }] : [],
    );
    if (arrays.length === variants.length && unionOf(arrays) === all) {
      const element = this.join(arrays, all, owner);
      if (element && element.kind !== 'array') return { kind: 'array', element };
    }
    const key = `${all}: ${variants.map(({ type, in: versions }) => `${this.#keyOf(type)} ${versions}`).join()}`;
    const known = this.#joined.get(key);
    if (known) return known;
    const joined = emptyJoin(variants, owner);
    this.#joined.set(key, joined);
    this.#open.set(joined, all);
    return joined;
  }

  /** Adds a type with variants, which `finish` completes. */
  add(type: NamedType, all: Versions): void {
    this.#open.set(type, all);
  }

  /** Sets the parts of types with variants: those of all variants. The parts of all other types are complete. */
  finish(): void {
    // The loop also visits types that completing others adds.
    for (const type of this.#open.keys()) this.#complete(type);
  }

  #complete(type: Mutable<NamedType>): void {
    const all = this.#open.get(type);
    if (all === undefined) return;
    this.#open.delete(type);
    const variants = type.variants ?? [];
    if (type.kind === 'enum') {
      const values = variants.map((one) => ({ parts: (one.type as EnumType).values, in: one.in }));
      type.values = combineValues(values, unionOf(variants));
    } else if (type.kind === 'struct') {
      const members = variants.flatMap((variant) => this.#membersOf(variant));
      type.members = this.members(members, all, type);
    } else if (type.kind === 'alternate') {
      type.alternatives = variants.flatMap(alternativesOf);
    }
  }

  /** Returns the members of an object type. Those of a union's branches are optional. */
  #membersOf({ type, in: versions }: Variant): Contribution<Member>[] {
    const object = type as ObjectType;
    this.#complete(object);
    const own = { parts: allMembers(object), in: versions };
    if (object.kind !== 'union') return [own];
    const inBranches = object.branches.flatMap((branch) => {
      const inBranch = versions & (branch.in ?? versions);
      return branch.type ? this.#membersOf({ type: branch.type, in: inBranch }) : [];
    });
    const asOptional = (member: Member): Member => {
      const copy: Mutable<Member> = { ...member, optional: true };
      delete copy.optionalIn;
      return copy;
    };
    return [own, ...inBranches.map(({ parts, in: some }) => ({ parts: parts.map(asOptional), in: some }))];
  }

  /** Combines the members that versions have. */
  members(contributions: readonly Contribution<Member>[], all: Versions, owner: Owner): Member[] {
    return combine(contributions, all, (entries) => {
      const [{ part: newest }] = entries;
      const versions = unionOf(entries);
      const isOptionalIn = (part: Member, own: Versions): Versions =>
        part.optional ? (part.optionalIn ?? own) & own : 0;
      const optionalIn = entries.reduce((set, entry) => set | isOptionalIn(entry.part, entry.in), 0);
      const isOptional = versions !== all || optionalIn !== 0;
      const placed = entries.map((entry) => ({ type: entry.part.type, in: entry.in }));
      return {
        name: newest.name,
        type: this.join(placed, versions, owner) ?? newest.type,
        optional: isOptional,
        ...(isOptional && optionalIn !== versions && { optionalIn }),
        features: combineFeatures(entries),
      };
    });
  }

  /** Merges variants of the same type. */
  #distinct(placed: readonly Variant[]): Variant[] {
    const byKey = new Map<string, Variant>();
    for (const { type, in: versions } of placed.flatMap(flattened)) {
      const key = this.#keyOf(type);
      byKey.set(key, { type, in: versions | (byKey.get(key)?.in ?? 0) });
    }
    return [...byKey.values()].toSorted((a, b) => (a.in & -a.in) - (b.in & -b.in));
  }

  #keyOf(type: Type): string {
    if (type.kind === 'builtin') return type.name;
    if (type.kind === 'array') return `[${this.#keyOf(type.element)}]`;
    const id = this.#ids.get(type) ?? this.#ids.size;
    this.#ids.set(type, id);
    return String(id);
  }
}

function emptyJoin(variants: readonly Variant[], { name, module, position }: Owner): NamedType {
  const facts = { name, module, position, features: [], variants, implicit: 'joined' as const };
  if (variants.every(({ type }) => type.kind === 'enum')) return { kind: 'enum', ...facts, values: [] };
  if (variants.every(({ type }) => isObjectType(type))) return { kind: 'struct', ...facts, members: [] };
  return { kind: 'alternate', ...facts, alternatives: [] };
}

/**
 * Returns the variants of a joined type, or of an array of one. Joined types of joined types would have no end, because types
 * can be recursive.
 */
function flattened({ type, in: versions }: Variant): Variant[] {
  const inner = type.kind === 'array' ? type.element : type;
  if (!('implicit' in inner) || inner.implicit !== 'joined') return [{ type, in: versions }];
  return (inner.variants ?? []).flatMap((variant): Variant[] => {
    const own = variant.in & versions;
    if (own === 0) return [];
    const isElement = type.kind === 'array' && variant.type.kind !== 'array';
    return [{ type: isElement ? { kind: 'array', element: variant.type as typeof inner } : variant.type, in: own }];
  });
}

function alternativesOf({ type, in: versions }: Variant): Alternative[] {
  if (type.kind !== 'alternate') return [{ name: type.kind === 'builtin' ? type.name : type.kind, type, in: versions }];
  return type.alternatives.map((alternative) => ({ ...alternative, in: (alternative.in ?? versions) & versions }));
}

export function combineValues(contributions: readonly Contribution<EnumValue>[], all: Versions): EnumValue[] {
  return combine(contributions, all, (entries) => ({
    name: entries[0].part.name,
    features: combineFeatures(entries),
  }));
}

export function combineFeatures(entries: readonly Entry<{ readonly features: readonly Feature[] }>[]): Feature[] {
  const contributions = entries.map(({ part, in: versions }) => ({ parts: part.features, in: versions }));
  if (contributions.every(({ parts }) => parts.length === 0)) return [];
  return combine(contributions, unionOf(entries), ([{ part }]) => ({ name: part.name }));
}

/** The entries of the same name, the newest first. */
export type Entries<T> = readonly [Entry<T>, ...Entry<T>[]];

/**
 * Combines parts of the same name, in the order of the newest versions. What only older versions have follows what precedes
 * it there.
 *
 * @param all the versions that have the owner of the parts
 * @param make creates a part, without the versions that have it and its condition
 */
export function combine<T extends Part & { readonly name: string }>(
  contributions: readonly Contribution<T>[],
  all: Versions,
  make: (entries: Entries<T>) => Omit<T, keyof Part>,
): T[] {
  const newestFirst = contributions.toSorted((a, b) => newestOf(b.in) - newestOf(a.in));
  const names = inOrder(newestFirst.map(({ parts }) => parts.map(({ name }) => name)));
  const byName = new Map<string, Entry<T>[]>(names.map((name) => [name, []]));
  for (const { parts, in: versions } of newestFirst) {
    for (const part of parts) {
      const own = (part.in ?? versions) & versions;
      if (own !== 0) byName.get(part.name)?.push({ part, in: own });
    }
  }
  return [...byName.values()].flatMap((entries) => {
    const sorted = entries.toSorted((a, b) => newestOf(b.in) - newestOf(a.in));
    return isSome(sorted) ? [{ ...make(sorted), ...combineConditions(sorted), ...rangedIn(sorted, all) } as T] : [];
  });
}

function isSome<T>(entries: readonly Entry<T>[]): entries is Entries<T> {
  return entries.length > 0;
}

/** Returns the versions that have something, unless they are all of those that have its owner. */
export function rangedIn(entries: readonly { readonly in: Versions }[], all: Versions): { in?: Versions } {
  const versions = unionOf(entries);
  return versions === all ? {} : { in: versions };
}

export function unionOf(entries: readonly { readonly in: Versions }[]): Versions {
  return entries.reduce((set, { in: versions }) => set | versions, 0);
}

/** @param entries the newest first */
export function combineConditions(entries: readonly Entry<Part>[]): Pick<Part, 'condition' | 'conditions'> {
  const byText = new Map<string, { condition?: Condition; in: Versions }>();
  for (const { part, in: versions } of entries) {
    for (const { condition, in: own } of part.conditions ?? [
      { ...optional('condition', part.condition), in: versions },
    ]) {
      const text = condition ? formatCondition(condition) : '';
      const known = byText.get(text);
      if (known) known.in |= own & versions;
      else byText.set(text, { ...optional('condition', condition), in: own & versions });
    }
  }
  const conditions = [...byText.values()];
  const newest = optional('condition', entries[0]?.part.condition);
  return conditions.length > 1 ? { ...newest, conditions } : newest;
}

/** Combines documentation. The newest comes first, and has precedence. */
export function combineDocs(docs: readonly (Doc | undefined)[]): Doc | undefined {
  const [newest, ...others] = docs.filter((doc) => doc !== undefined);
  if (!newest || others.length === 0) return newest;
  const all = [newest, ...others];
  const entries = <K extends 'members' | 'features'>(key: K): Doc[K] =>
    new Map(all.toReversed().flatMap((doc) => [...doc[key]]));
  return { ...newest, members: entries('members'), features: entries('features') };
}

/**
 * Merges lists without duplicates. The first determines the order. What only others have follows what precedes it there.
 */
export function inOrder<T>(lists: readonly (readonly T[])[]): T[] {
  const [first = [], ...others] = lists;
  const all = [...first];
  const known = new Set(all);
  for (const list of others) {
    let before: T | undefined;
    for (const one of list) {
      if (!known.has(one)) {
        known.add(one);
        all.splice(before === undefined ? 0 : all.indexOf(before) + 1, 0, one);
      }
      before = one;
    }
  }
  return all;
}
