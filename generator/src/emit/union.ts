/** The shape that unions have in TypeScript. */

import { isEmpty, type Branch, type ObjectType, type UnionType } from '../model.js';

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

function emptyName(union: UnionType): string {
  let name = 'empty';
  while (union.branches.some((branch) => branch.name === name)) name += '_';
  return name;
}
