/** The shape that unions have in TypeScript. */

import type { Diagnostic } from '../diagnostic.js';
import type { Branch, ObjectType, UnionType } from '../model.js';

/** Branches that are one type: one with members of its own, or all those without. */
export interface BranchGroup {
  /** The discriminator's value, or a name for several. */
  readonly name: string;
  readonly branches: readonly [Branch, ...Branch[]];
  /** What the branches add to the union's base. */
  readonly type?: ObjectType;
}

export function branchGroups(union: UnionType): BranchGroup[] {
  const groups = union.branches.flatMap((branch): BranchGroup[] => {
    return branch.type && !isEmpty(branch.type) ? [{ name: branch.name, branches: [branch], type: branch.type }] : [];
  });
  const [first, ...others] = union.branches.filter(({ type }) => !type || isEmpty(type));
  if (first) groups.push({ name: others.length === 0 ? first.name : emptyName(union), branches: [first, ...others] });
  return groups;
}

/**
 * The ways from a union to what is no union, as names of groups: an interface cannot extend a union, so a branch that is one is
 * replaced by its branches.
 */
export function leafPaths(union: UnionType): string[][] {
  return branchGroups(union).flatMap(groupPaths);
}

export function groupPaths({ name, type }: BranchGroup): string[][] {
  return type?.kind === 'union' ? leafPaths(type).map((path) => [name, ...path]) : [[name]];
}

/** More than any schema has: each becomes an interface, and is compared with others. */
export const maxLeaves = 10_000;

/** @returns what is wrong with a union that has more leaves */
export function refuseLeaves(union: UnionType, known: Map<UnionType, number>): Diagnostic | undefined {
  const leaves = leafCount(union, known);
  if (leaves <= maxLeaves) return undefined;
  const problem = `has ${leaves} branches when those that are unions are replaced by theirs: more than ${maxLeaves}`;
  return { message: `union '${union.name}' ${problem}`, place: union.position, includedFrom: [] };
}

/** How many paths there are, without making them: unions in unions multiply. */
function leafCount(union: UnionType, known: Map<UnionType, number>): number {
  const before = known.get(union);
  if (before !== undefined) return before;
  const count = branchGroups(union).reduce(
    (sum, { type }) => sum + (type?.kind === 'union' ? leafCount(type, known) : 1),
    0,
  );
  known.set(union, count);
  return count;
}

/** Whether a type has no members at all, not even through its base. */
export function isEmpty(type: ObjectType): boolean {
  return type.kind === 'struct' && type.members.length === 0 && (!type.base || isEmpty(type.base));
}

function emptyName(union: UnionType): string {
  let name = 'empty';
  while (union.branches.some((branch) => branch.name === name)) name += '_';
  return name;
}
