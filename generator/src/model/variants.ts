/** Facts about types that differ between the versions of a range. */

import {
  allMembers,
  type EnumValue,
  type Feature,
  type Member,
  type NamedType,
  type Part,
  type StructType,
  type Type,
  type UnionType,
  type Variant,
} from '../model.js';
import { Joiner } from './join.js';
import { newestOf, type Versions } from './versions.js';

/** Returns whether a type is that of a place with several types. */
export function isJoined(type: Type): type is NamedType & { readonly variants: readonly Variant[] } {
  return 'implicit' in type && type.implicit === 'joined';
}

/**
 * Returns one type instead of several, if one of them says the same as all together: a type that was replaced by another of
 * the same structure.
 */
export function simplified<T extends Type>(type: T): T {
  if (!isJoined(type)) return type;
  const named = type.variants.map((variant) => variant.type).filter((variant) => isNamed(variant));
  const same = named.findLast((variant) => isEqual(type, variant));
  return (same as T | undefined) ?? type;
}

function isNamed(type: Type): boolean {
  return type.kind !== 'builtin' && type.kind !== 'array' && !('implicit' in type);
}

function isEqual(joined: NamedType, type: Type): boolean {
  if (joined.kind === 'enum' && type.kind === 'enum') return haveEqual(joined.values, type.values, () => true);
  if (joined.kind !== 'struct' || type.kind !== 'struct' || type.variants) return false;
  return haveEqual(joined.members, allMembers(type), isEqualMember);
}

function haveEqual<T extends Member | EnumValue>(
  some: readonly T[],
  others: readonly T[],
  test: (one: T, other: T) => boolean,
): boolean {
  const byName = new Map(others.map((other) => [other.name, other]));
  const isSame = (one: T): boolean => {
    const other = byName.get(one.name);
    return other !== undefined && one.in === undefined && other.in === undefined && test(one, other);
  };
  return some.length === others.length && some.every(isSame);
}

function isEqualMember(one: Member, other: Member): boolean {
  return (
    one.optional === other.optional &&
    one.optionalIn === undefined &&
    other.optionalIn === undefined &&
    isSameType(one.type, other.type)
  );
}

function isSameType(one: Type, other: Type): boolean {
  if (one.kind === 'array') return other.kind === 'array' && isSameType(one.element, other.element);
  if (one.kind === 'builtin') return other.kind === 'builtin' && one.name === other.name;
  return one === other;
}

/**
 * Returns the variants that a user sees: `str` adds nothing to an enum, which has an unknown value, and no type adds anything
 * to an alternate that has it.
 */
export function seen(variants: readonly Variant[]): Type[] {
  const types = variants.map(({ type }) => simplified(type));
  const alternatives = types.flatMap((type) =>
    type.kind === 'alternate' ? type.alternatives.map((one) => one.type) : [],
  );
  const isString = (type: Type): boolean => type.kind === 'builtin' && type.name === 'str';
  const hasEnum = [...types, ...alternatives].some(({ kind }) => kind === 'enum');
  return types.filter((type) => {
    if (isString(type) && hasEnum) return false;
    return !alternatives.some((alternative) => isSameType(type, alternative));
  });
}

/**
 * Returns the features of a part in the newest version that has it.
 *
 * @param owner the versions that have the part's owner
 */
export function newestFeatures(part: Part & { readonly features: readonly Feature[] }, owner: Versions): Feature[] {
  const newest = 2 ** newestOf(part.in ?? owner);
  return part.features.filter(({ in: versions }) => versions === undefined || (versions & newest) !== 0);
}

/** A type that was a struct in some versions, and a union in others. */
export interface StructOrUnion {
  readonly struct: Variant & { readonly type: StructType };
  readonly union: Variant & { readonly type: UnionType };
}

/** Returns the variants of a type that is a struct in some versions and a union in all others. */
export function structOrUnion({ variants = [] }: NamedType): StructOrUnion | undefined {
  const [first, second, ...others] = variants;
  if (!first || !second || others.length > 0) return undefined;
  const [struct, union] = first.type.kind === 'struct' ? [first, second] : [second, first];
  return struct.type.kind === 'struct' && union.type.kind === 'union'
    ? { struct: { ...struct, type: struct.type }, union: { ...union, type: union.type } }
    : undefined;
}

/**
 * Returns a union that describes both: in the versions of the struct, no branch has members. Returns undefined if the struct
 * lacks the discriminator.
 */
export function asUnion({ struct, union }: StructOrUnion): UnionType | undefined {
  const { type } = union;
  const members = allMembers(struct.type);
  const tag = members.find(({ name }) => name === type.discriminator.name);
  if (!tag || tag.optional) return undefined;
  const joiner = new Joiner();
  const all = struct.in | union.in;
  const both = [
    { parts: members, in: struct.in },
    { parts: allMembers(type), in: union.in },
  ];
  const base: StructType = {
    kind: 'struct',
    name: type.name,
    module: type.module,
    position: type.position,
    features: [],
    implicit: 'base',
    members: joiner.members(both, all, type),
  };
  const branches = type.branches.map((branch) => {
    if (!branch.type) return branch;
    const variants = [{ type: branch.type, in: union.in & (branch.in ?? union.in) }];
    return { ...branch, type: joiner.join(variants, all, type) as StructType };
  });
  joiner.finish();
  return { ...type, base, branches };
}
