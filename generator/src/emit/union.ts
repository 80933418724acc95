/** The structure of unions in TypeScript. */

import { isEmpty, type Branch, type ObjectType, type UnionType } from '../model.js';
import { simplified } from '../model/variants.js';

/** Branches that share a type in TypeScript: a single branch with members, or all branches without members. */
export interface BranchGroup {
  /** The value of the discriminator, or `empty` for several. */
  readonly name: string;
  readonly branches: readonly [Branch, ...Branch[]];
  /** Absent if the branches have no members. */
  readonly type?: ObjectType;
}

export function branchGroups(union: UnionType): BranchGroup[] {
  const groups = union.branches.flatMap((branch): BranchGroup[] => {
    const type = branch.type && simplified(branch.type);
    return type && !isEmpty(type) ? [{ name: branch.name, branches: [branch], type }] : [];
  });
  const [first, ...others] = union.branches.filter(({ type }) => !type || isEmpty(type));
  if (first) groups.push({ name: others.length === 0 ? first.name : emptyName(union), branches: [first, ...others] });
  return groups;
}

/**
 * Returns the paths from a union to its leaves, as names of groups. An interface cannot extend a union, so a branch
 * that is itself a union is replaced by its branches.
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
