/** Finds out which types of two schemas correspond to each other. */

import { kindOfBuiltin, type JsonKind } from '../builtins.js';
import {
  allMembers,
  isObjectType,
  isType,
  type Condition,
  type Definition,
  type NamedType,
  type Schema,
  type Type,
} from '../model.js';

export interface PairOptions {
  /** Whether types of the same name are a pair wherever they are used, so that only renamed types are paired by place. */
  readonly byName?: boolean;
}

/**
 * Pairs the named types, including implicit ones, that two schemas use in the same places. No type is in two pairs.
 *
 * Only what a server shows determines a place: the names of commands, events, members and branches, and the JSON kinds of
 * alternatives. If a type has different partners in different places, the partner with the most similar structure is
 * chosen, otherwise the one in most places. If this does not decide either, the type has no partner.
 *
 * @returns the partners in `other` of the types in `one`
 */
export function pairTypes(one: Schema, other: Schema, { byName = false }: PairOptions = {}): Pairs {
  const named = byName ? pairNames(one, other) : new Map<NamedType, NamedType>();
  const context = { one, other, named, uses: [countUses(one), countUses(other)] as const };
  let pairs: Pairs | undefined;
  // The places within two types mean nothing if one of them turns out to have another partner.
  for (let round = 0; round < maxRounds; round += 1) {
    const chosen = choose(findCandidates(context, pairs), named);
    if (pairs && isSame(chosen, pairs)) break;
    pairs = chosen;
  }
  return pairs ?? named;
}

export type Pairs = ReadonlyMap<NamedType, NamedType>;

/** A few rounds suffice for QEMU's schemas. The limit is for hostile ones. */
const maxRounds = 10;

interface Context {
  readonly one: Schema;
  readonly other: Schema;
  readonly named: Pairs;
  /** For each schema, the number of places in which each type is used. */
  readonly uses: readonly [Uses, Uses];
}

export type Uses = ReadonlyMap<NamedType, number>;

function pairNames(one: Schema, other: Schema): Map<NamedType, NamedType> {
  const pairs = new Map<NamedType, NamedType>();
  for (const [name, type] of one.definitions) {
    const partner = other.definitions.get(name);
    if (partner && isType(type) && isType(partner) && formOf(type) === formOf(partner)) pairs.set(type, partner);
  }
  return pairs;
}

/** Two types that are used in the same places. */
interface Candidate {
  readonly type: NamedType;
  readonly partner: NamedType;
  /** How similar the structures of the types are: from 0 to 1. */
  readonly likeness: number;
  /** The number of places. */
  places: number;
}

/**
 * Finds the types that are used in the same places, in the order of the places.
 *
 * @param pairs the pairs chosen so far. If one of two types has another partner, the places within them are ignored
 */
function findCandidates({ one, other, named, uses }: Context, pairs?: Pairs): Candidate[] {
  const candidates = new Map<NamedType, Map<NamedType, Candidate>>();
  const partners = new Set(named.values());
  const chosen = new Set(pairs?.values());
  const open: [NamedType, NamedType][] = [...named];
  const within = new Map<NamedType, Set<NamedType>>();
  /** Visits the places within two types once. */
  const enter = (type: NamedType, partner: NamedType): void => {
    const known = within.get(type) ?? new Set<NamedType>();
    if (!known.has(partner)) open.push([type, partner]);
    within.set(type, known.add(partner));
  };
  const mayBePair = (type: NamedType, partner: NamedType): boolean =>
    pairs?.get(type) === partner || (!pairs?.has(type) && !chosen.has(partner));
  // An implicit type has only one place.
  const haveEqualPlaces = (type: NamedType, partner: NamedType): boolean =>
    (!isImplicit(type) || uses[1].get(partner) === 1) && (!isImplicit(partner) || uses[0].get(type) === 1);
  const meet = (first: Type | undefined, second: Type | undefined): void => {
    if (!first || !second || formOf(first) !== formOf(second)) return;
    const [type, partner] = [namedIn(first), namedIn(second)];
    if (!type || !partner || named.has(type) || partners.has(partner)) return;
    if (mayBePair(type, partner)) enter(type, partner);
    if (!haveEqualPlaces(type, partner)) return;
    const known = candidates.get(type) ?? new Map<NamedType, Candidate>();
    const candidate = known.get(partner) ?? { type, partner, likeness: likenessOf(type, partner), places: 0 };
    candidate.places += 1;
    candidates.set(type, known.set(partner, candidate));
  };
  const entries = entryPoints(other);
  for (const [place, type] of entryPoints(one)) meet(type, entries.get(place));
  // The loop also visits pairs that it adds.
  for (const [type, partner] of open) {
    // The members of an implicit base are among those of its union.
    if (isInlineBase(type) || isInlineBase(partner)) continue;
    const parts = partsOf(partner);
    for (const [place, part] of partsOf(type)) meet(part, parts.get(place));
    if (isObjectType(type) && isObjectType(partner)) meet(type.base, partner.base);
  }
  return [...candidates.values()].flatMap((known) => [...known.values()]);
}

/** Chooses candidates so that no type is in two pairs. Where nothing decides between candidates, none is chosen. */
function choose(candidates: readonly Candidate[], named: Pairs): Pairs {
  const pairs = new Map(named);
  const partners = new Set(named.values());
  let open = candidates.filter(({ likeness }) => likeness >= minLikeness);
  // A choice may decide between others.
  for (let round = 0; round < maxRounds; round += 1) {
    const [byType, byPartner] = [groupBy(open, ({ type }) => type), groupBy(open, ({ partner }) => partner)];
    const best = open.filter((one) => wins(one, byType.get(one.type)) && wins(one, byPartner.get(one.partner)));
    if (best.length === 0) break;
    for (const { type, partner } of best) {
      pairs.set(type, partner);
      partners.add(partner);
    }
    open = open.filter(({ type, partner }) => !pairs.has(type) && !partners.has(partner));
  }
  return pairs;
}

/**
 * Returns whether a candidate is clearly more similar than its competitors, or has more places than those that are almost as
 * similar have together. A type that was split or merged has no clear partner.
 */
function wins(candidate: Candidate, all: readonly Candidate[] = []): boolean {
  let places = 0;
  for (const other of all) {
    if (other === candidate || other.likeness < candidate.likeness - margin) continue;
    if (other.likeness > candidate.likeness + margin) return false;
    places += other.places;
  }
  return candidate.places > places;
}

/** The likeness below which types are unlikely to be versions of each other. Versions of QEMU's types have at least 0.5. */
const minLikeness = 0.3;
/** The difference in likeness that decides between candidates. */
const margin = 0.1;

function groupBy<T, K>(all: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group) group.push(one);
    else groups.set(keyOf(one), [one]);
  }
  return groups;
}

/**
 * Returns how similar the structures of two types are, without looking into the types within them. What one of them has only
 * under a condition may be missing in the other.
 */
function likenessOf(type: NamedType, partner: NamedType): number {
  if (isImplicit(type) || isImplicit(partner)) return 1;
  const [shape, other] = [shapeOf(type), shapeOf(partner)];
  let [common, all] = [0, 0];
  for (const [part, { form }] of shape) {
    const same = other.get(part);
    if (same) common += same.form === form ? 2 : 1;
  }
  for (const [one, another] of [
    [shape, other],
    [other, shape],
  ] as const) {
    for (const [part, { isConditional }] of one) if (!isConditional || another.has(part)) all += 1;
  }
  return all === 0 ? 1 : common / all;
}

/** What a type consists of, by place or value. */
type Shape = ReadonlyMap<string, { readonly form: string; readonly isConditional: boolean }>;

const knownShapes = new WeakMap<NamedType, Shape>();

function shapeOf(type: NamedType): Shape {
  const known = knownShapes.get(type);
  if (known) return known;
  const shape = new Map<string, { form: string; isConditional: boolean }>();
  const add = (place: string, { condition }: { readonly condition?: Condition }, part?: Type): void => {
    shape.set(place, { form: part ? formOf(part) : '', isConditional: condition !== undefined });
  };
  if (type.kind === 'enum') for (const value of type.values) add(value.name, value);
  else if (type.kind === 'alternate') for (const one of type.alternatives) add(kindOf(one.type), one, one.type);
  else {
    for (const member of allMembers(type)) add(`member ${member.name}`, member, member.type);
    for (const branch of type.kind === 'union' ? type.branches : []) {
      if (branch.type) add(`branch ${branch.name}`, branch, branch.type);
    }
  }
  knownShapes.set(type, shape);
  return shape;
}

const knownParts = new WeakMap<NamedType, ReadonlyMap<string, Type>>();

/** Returns the types within a type by their places, which have to be visible to clients. */
function partsOf(type: NamedType): ReadonlyMap<string, Type> {
  const known = knownParts.get(type);
  if (known) return known;
  const parts = new Map<string, Type>();
  if (type.kind === 'alternate') {
    for (const alternative of type.alternatives) parts.set(kindOf(alternative.type), alternative.type);
  } else if (type.kind !== 'enum') {
    for (const member of allMembers(type)) parts.set(`member ${member.name}`, member.type);
    for (const branch of type.kind === 'union' ? type.branches : []) {
      if (branch.type) parts.set(`branch ${branch.name}`, branch.type);
    }
  }
  knownParts.set(type, parts);
  return parts;
}

/** Returns the commands' arguments and results, and the events' data, by their places. */
function entryPoints({ definitions }: Schema): Map<string, Type> {
  const types = new Map<string, Type>();
  const add = (place: string, type: Type | undefined): void => void (type && types.set(place, type));
  for (const definition of definitions.values()) {
    if (definition.kind === 'event') add(`data ${definition.name}`, definition.data);
    if (definition.kind !== 'command') continue;
    add(`arguments ${definition.name}`, definition.arguments);
    add(`result ${definition.name}`, definition.returns);
  }
  return types;
}

/** Counts the places of each type. A place that several types inherit from a base counts once. */
export function countUses(schema: Schema): Uses {
  const uses = new Map<NamedType, number>();
  const open: NamedType[] = [];
  const use = (type: Type | undefined): void => {
    const used = type && namedIn(type);
    if (!used) return;
    const count = uses.get(used) ?? 0;
    uses.set(used, count + 1);
    if (count === 0) open.push(used);
  };
  for (const type of entryPoints(schema).values()) use(type);
  // The loop also visits types that it adds.
  for (const type of open) {
    if (isObjectType(type)) use(type.base);
    if (type.kind === 'struct') for (const member of type.members) use(member.type);
    if (type.kind === 'union') for (const branch of type.branches) use(branch.type);
    if (type.kind === 'alternate') for (const alternative of type.alternatives) use(alternative.type);
  }
  return uses;
}

/** Returns the named type that a type is, or that its elements have. */
export function namedIn(type: Type): NamedType | undefined {
  const inner = type.kind === 'array' ? type.element : type;
  return inner.kind === 'builtin' ? undefined : inner;
}

/** Returns the form of a type: all that is known of it without looking into other types. */
export function formOf(type: Type): string {
  if (type.kind === 'array') return `[${formOf(type.element)}]`;
  return type.kind === 'enum' ? 'enum' : kindOf(type);
}

/** Returns the JSON kind of a type's values, unless it is an alternate. */
export function kindOf(type: Type): JsonKind | 'alternate' {
  switch (type.kind) {
    case 'builtin':
      return kindOfBuiltin(type.name);
    case 'enum':
      return 'string';
    case 'struct':
    case 'union':
      return 'object';
    case 'array':
    case 'alternate':
      return type.kind;
  }
}

/** Returns whether a definition is a type without a name of its own, which belongs to its only user. */
export function isImplicit(definition: Definition): boolean {
  return 'implicit' in definition && definition.implicit !== 'predefined';
}

function isInlineBase(type: NamedType): boolean {
  return type.kind === 'struct' && type.implicit === 'base';
}

function isSame(pairs: Pairs, others: Pairs): boolean {
  return pairs.size === others.size && [...pairs].every(([type, partner]) => others.get(type) === partner);
}
