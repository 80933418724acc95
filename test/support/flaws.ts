/** Flaws: changes that make one part of a valid value invalid. */

import {
  allMembers,
  isObjectType,
  type BuiltinName,
  type EnumType,
  type Member,
  type ObjectType,
  type Type,
} from '../../generator/src/model.js';
import { isSafe, widths, type IntegerName } from './integers.js';

export type Path = readonly (string | number)[];

/** Flaws that consist of an unknown part. In results and events, QMP requires clients to accept these. */
export const flawsOfUnknown = [
  'unknown member',
  'member of another branch',
  'unknown value',
  'unknown discriminator',
] as const;
/** All flaws that JSON can have. Those that do not consist of an unknown part contradict the schema. */
export const flawsOfJson = [
  ...flawsOfUnknown,
  'missing member',
  'missing discriminator',
  'null for an optional',
  'wrong kind',
  'fraction',
  'out of range',
] as const;
/** Flaws that JSON text cannot have, or that disappear when a value is converted to text. */
export const flawsOfJavaScript = [
  'unsafe number',
  'bigint for a short integer',
  'no character',
  'hole',
  'undefined element',
  'not JSON',
] as const;
export const allFlaws = [...flawsOfJson, ...flawsOfJavaScript] as const;
export type Flaw = (typeof allFlaws)[number];

export function isOfUnknown(flaw: Flaw): boolean {
  return (flawsOfUnknown as readonly Flaw[]).includes(flaw);
}

export interface Flawed {
  readonly value: unknown;
  /** The path of the flaw or, for a missing member, of the absent value. */
  readonly path: Path;
  readonly flaw: Flaw;
  /** Whether it is a flaw only in arguments, not in results and events. */
  readonly outgoing: boolean;
}

/** A change that introduces a flaw. */
type Change = Omit<Flawed, 'value'> & { readonly put: unknown };

/** A part of a valid value. */
export interface Place {
  readonly type: Type;
  readonly value: unknown;
  readonly path: Path;
  readonly role: 'root' | 'element' | 'mandatory' | 'optional' | 'discriminator';
  /** Whether an object may have members that are not in its type. */
  readonly further?: boolean;
}

type JsonKind = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object';

const ofKind: Readonly<Record<JsonKind, unknown>> = {
  null: null,
  boolean: true,
  number: 1,
  string: '1',
  array: [],
  object: {},
};
const jsonKinds = Object.keys(ofKind) as JsonKind[];

/** A placeholder for removing a value. */
const nothing = Symbol('nothing');
const unknownNames = ['no-such-member', '', '__proto__', 'constructor', 'toString'];
const unknownValues = ['no-such-value', '', '__proto__', 'constructor'];
const notJson = [NaN, Infinity, Symbol('not JSON'), () => 1, new Date(0), new Map()];

/** Returns all parts of a valid value, starting with the value itself. */
export function placesIn(type: Type, value: unknown, further: boolean): Place[] {
  const places: Place[] = [{ type, value, path: [], role: 'root', further }];
  // The loop also visits parts that it adds.
  for (const place of places) places.push(...placesWithin(place));
  return places;
}

function placesWithin({ type: declared, value, path }: Place): Place[] {
  const type = chosen(declared, value);
  if (isObjectType(type)) {
    const { members, discriminators } = layoutOf(type, value as object);
    return [...members.values()].flatMap((member): Place[] => {
      const inner = own(value as object, member.name);
      const role = discriminators.has(member.name) ? 'discriminator' : member.optional ? 'optional' : 'mandatory';
      return inner === undefined ? [] : [{ type: member.type, value: inner, path: [...path, member.name], role }];
    });
  }
  if (type.kind === 'array' || (isAny(type) && Array.isArray(value))) {
    const element = type.kind === 'array' ? type.element : type;
    return (value as unknown[]).map((one, index) => ({
      type: element,
      value: one,
      path: [...path, index],
      role: 'element',
    }));
  }
  if (isAny(type) && kindOf(value) === 'object') {
    const entries = Object.entries(value as object);
    return entries.map(([name, one]) => ({ type, value: one, path: [...path, name], role: 'optional' }));
  }
  return [];
}

/** Returns the changes that introduce a flaw in a part itself, not in parts of it. */
export function changesAt({ type: declared, value, path, role, further }: Place): Change[] {
  const type = chosen(declared, value);
  const changes: Change[] = [];
  const add = (flaw: Flaw, puts: readonly unknown[], outgoing = isAny(type)): void => {
    changes.push(...puts.map((put) => ({ flaw, path, put, outgoing })));
  };

  if (role === 'mandatory') add('missing member', [nothing, undefined], false);
  if (role === 'discriminator') add('missing discriminator', [nothing, undefined], false);
  if (role === 'element') {
    add('hole', [nothing]);
    add('undefined element', [undefined]);
  }
  const kinds = kindsOf(declared);
  for (const kind of jsonKinds.filter((one) => !kinds.has(one))) {
    add(kind === 'null' && role === 'optional' ? 'null for an optional' : 'wrong kind', [ofKind[kind]]);
  }
  add('not JSON', notJson);

  if (type.kind === 'builtin') {
    if (type.name === 'str' || type.name === 'any')
      add('no character', ['\ud800', 'a\udc00', '\ufffe', '\u{1ffff}'], true);
    if (type.name === 'any') add('unsafe number', [2 ** 53, -1e300]);
    if (isInteger(type.name)) for (const [flaw, puts] of wrongIntegers(...widths[type.name])) add(flaw, puts);
  }
  if (type.kind === 'enum') add(role === 'discriminator' ? 'unknown discriminator' : 'unknown value', unknownOf(type));
  if (isObjectType(type) && !further) {
    const { members, others } = layoutOf(type, value as object);
    const addMembers = (flaw: Flaw, names: Iterable<string>, puts: (name: string) => readonly unknown[]): void => {
      for (const name of names) {
        if (members.has(name)) continue;
        changes.push(...puts(name).map((put) => ({ flaw, path: [...path, name], put, outgoing: false })));
      }
    };
    addMembers('unknown member', [...unknownNames, ...[...members.keys()].flatMap(misspelled)], () => [1, null]);
    addMembers('member of another branch', others.keys(), (name) => [sampleOf(others.get(name))]);
  }
  return changes;
}

function wrongIntegers(min: bigint, max: bigint): [Flaw, unknown[]][] {
  const short = isSafe(max);
  return [
    ['fraction', [0.5, -1.5, 1e-7]],
    ['out of range', short ? [Number(min) - 1, Number(max) + 1, 2 ** 53] : [min - 1n, max + 1n, 10n ** 30n]],
    // Short integers are always numbers, never bigints.
    short ? ['bigint for a short integer', [1n]] : ['unsafe number', [2 ** 53, -(2 ** 53), 2 ** 63, 1e300]],
  ];
}

function unknownOf({ values }: EnumType): string[] {
  const names = values.map(({ name }) => name);
  return [...unknownValues, ...names.flatMap(misspelled)].filter((name) => !names.includes(name));
}

function misspelled(name: string): string[] {
  return [name.toUpperCase(), `${name}s`, name.includes('-') ? name.replaceAll('-', '_') : name.replaceAll('_', '-')];
}

/** Returns a possible value of a member. */
function sampleOf(member: Member | undefined): unknown {
  const type = member?.type;
  if (type?.kind === 'enum') return type.values[0]?.name;
  const [kind = 'null'] = type ? kindsOf(type) : [];
  return ofKind[kind];
}

export function withFlaw(value: unknown, { put, ...flaw }: Change): Flawed {
  return { ...flaw, value: changed(value, flaw.path, put) };
}

function changed(value: unknown, [step, ...path]: Path, put: unknown): unknown {
  if (step === undefined) return put;
  if (Array.isArray(value)) {
    const copy: unknown[] = [...(value as unknown[])];
    copy[step as number] = changed(copy[step as number], path, put);
    if (copy[step as number] === nothing) Reflect.deleteProperty(copy, step);
    return copy;
  }
  const members = new Map(Object.entries(value as object));
  const member = changed(members.get(step as string), path, put);
  if (member === nothing) members.delete(step as string);
  else members.set(step as string, member);
  return Object.fromEntries(members);
}

interface Layout {
  /** The possible members by name. */
  readonly members: ReadonlyMap<string, Member>;
  readonly discriminators: ReadonlySet<string>;
  /** The members, by name, that are possible only with other discriminators. */
  readonly others: ReadonlyMap<string, Member>;
}

function layoutOf(type: ObjectType, value: object): Layout {
  const members = new Map<string, Member>();
  const discriminators = new Set<string>();
  const others = new Map<string, Member>();
  for (let part: ObjectType | undefined = type; part;) {
    for (const member of allMembers(part)) members.set(member.name, member);
    if (part.kind === 'struct') break;
    discriminators.add(part.discriminator.name);
    const tag = own(value, part.discriminator.name);
    for (const branch of part.branches) {
      if (branch.name !== tag && branch.type)
        for (const member of everyMember(branch.type)) others.set(member.name, member);
    }
    part = part.branches.find(({ name }) => name === tag)?.type;
  }
  return { members, discriminators, others };
}

function everyMember(type: ObjectType): Member[] {
  const inner =
    type.kind === 'union' ? type.branches.flatMap((branch) => (branch.type ? everyMember(branch.type) : [])) : [];
  return [...allMembers(type), ...inner];
}

/** Returns the type, or the alternative that a value selects. */
function chosen(type: Type, value: unknown): Type {
  if (type.kind !== 'alternate') return type;
  return type.alternatives.find((one) => kindsOf(one.type).has(kindOf(value)))?.type ?? type;
}

function kindsOf(type: Type): ReadonlySet<JsonKind> {
  switch (type.kind) {
    case 'builtin':
      return new Set(type.name === 'any' ? jsonKinds : [kindOfBuiltin(type.name)]);
    case 'enum':
      return new Set(['string']);
    case 'array':
      return new Set(['array']);
    case 'alternate':
      return new Set(type.alternatives.flatMap((one) => [...kindsOf(one.type)]));
    default:
      return new Set(['object']);
  }
}

function kindOfBuiltin(name: BuiltinName): JsonKind {
  if (name === 'str') return 'string';
  if (name === 'bool') return 'boolean';
  return name === 'null' ? 'null' : 'number';
}

/** Returns the JSON kind of a valid value. */
function kindOf(value: unknown): JsonKind {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  const kind = typeof value;
  return kind === 'bigint' ? 'number' : (kind as JsonKind);
}

function isAny(type: Type): boolean {
  return type.kind === 'builtin' && type.name === 'any';
}

function isInteger(name: BuiltinName): name is IntegerName {
  return name in widths;
}

function own(object: object, name: string): unknown {
  return Object.hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined;
}
