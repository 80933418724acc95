/** Finds out which members of the objects of an introspection, which shows no bases, belong to the bases of a schema. */

import { allMembers, isObjectType, type Member, type NamedType, type ObjectType, type StructType } from '../model.js';
import type { Pairs } from './pairs.js';

/** An object of an introspection, and its partner in the schema. */
type Pair = readonly [type: ObjectType, partner: ObjectType];

/** The members that bases have in the introspection, including those of their own bases. */
export class Bases {
  readonly #members = new Map<StructType, readonly Member[]>();

  /** @param pairs the partners in the schema of the types in the introspection */
  constructor(pairs: Pairs) {
    const derived = new Map<StructType, Pair[]>();
    const types = new Map<NamedType, NamedType>();
    for (const [type, partner] of pairs) {
      if (!isObjectType(type) || !isObjectType(partner)) continue;
      types.set(partner, type);
      for (const base of basesOf(partner)) {
        const known = derived.get(base);
        if (known) known.push([type, partner]);
        else derived.set(base, [[type, partner]]);
      }
    }
    for (const [base, all] of derived) {
      const type = types.get(base);
      if (type?.kind === 'union') continue;
      const members = type?.kind === 'struct' ? type.members : inherited(base, all);
      if (members.length > 0 || allMembers(base).length === 0) this.#members.set(base, members);
    }
  }

  /** Returns the members of a base. */
  members(base: StructType): readonly Member[] {
    return this.#members.get(base) ?? [];
  }

  /**
   * Returns the nearest base of the schema that a type still has.
   *
   * @param kind the kind of the type
   * @param members the members of the type
   * @param partner the type in the schema
   */
  baseOf(kind: ObjectType['kind'], members: readonly Member[], partner: ObjectType): StructType | undefined {
    return basesOf(partner).find((base) => {
      const own = this.#members.get(base);
      // A union has no members of its own.
      const isWhole = kind === 'struct' || own?.length === members.length;
      return own !== undefined && isWhole && commonMembers([own, members]).length === own.length;
    });
  }
}

/** Returns the named bases of a type, nearest first. */
function basesOf(type: ObjectType): StructType[] {
  const bases: StructType[] = [];
  for (let { base } = type; base; { base } = base) if (!base.implicit) bases.push(base);
  return bases;
}

/**
 * Returns the members of a base that is not used otherwise: those with which all derived types begin, up to the last that the
 * base has in the schema.
 */
function inherited(base: StructType, derived: readonly Pair[]): readonly Member[] {
  const known = new Set(allMembers(base).map(({ name }) => name));
  const own = new Set(derived.flatMap(([, partner]) => allMembers(partner).map(({ name }) => name)));
  const common = commonMembers(derived.map(([type]) => allMembers(type)));
  // The members of a union are those of its base.
  const isWhole = derived.some(
    ([type, partner]) =>
      type.kind === 'union' &&
      partner.kind === 'union' &&
      partner.base === base &&
      allMembers(type).length === common.length,
  );
  if (isWhole) return common;
  let end = 0;
  for (const [index, { name }] of common.entries()) {
    if (known.has(name)) end = index + 1;
    else if (own.has(name)) break;
    // A new member that several types have is new in their base.
    else if (derived.length > 1) end = index + 1;
  }
  return common.slice(0, end);
}

/** Returns the members with which all lists begin. */
function commonMembers([first = [], ...others]: readonly (readonly Member[])[]): readonly Member[] {
  const end = first.findIndex((member, index) => !others.every((other) => isSame(member, other[index])));
  return end === -1 ? first : first.slice(0, end);
}

function isSame(member: Member, other: Member | undefined): boolean {
  if (!other || member.name !== other.name || member.optional !== other.optional) return false;
  const features = ({ features: all }: Member): string => all.map(({ name }) => name).join(' ');
  return member.type === other.type && features(member) === features(other);
}
