/**
 * Compares two object types branch by branch. A client sees which members can occur together, but not whether they come
 * from a base, a branch, or a branch of a branch. All combinations of branches are therefore followed on both sides at
 * once.
 */

import { FileError } from '../errors.js';
import { maxLeaves } from '../leaves.js';
import { Path } from './path.js';
import { empty, type WireBranch, type WireMember, type WireObject } from './wire.js';

/** The parts of two schemas at the same place; undefined for a schema that has nothing there. */
export interface Pair<T> {
  readonly old: T | undefined;
  readonly newer: T | undefined;
}

/** A pair that occurs only for some values of discriminators. */
export interface Guarded<T> extends Pair<T> {
  /** The paths into the branches with the pair; the empty path if the pair always occurs. */
  readonly guards: readonly Path[];
}

export interface GuardedBranch extends Guarded<WireBranch> {
  /** The discriminator value of the branch. */
  readonly value: string;
  readonly unions: Pair<WireObject>;
}

interface Comparison {
  readonly members: readonly Guarded<WireMember>[];
  /** The two types and the types of their branches. */
  readonly types: readonly Guarded<WireObject>[];
  readonly branches: readonly GuardedBranch[];
  /** The number of combinations of branches. */
  readonly leaves: number;
}

/** @throws FileError if the branches of both types have too many combinations */
export function compareBranches(old: WireObject, newer: WireObject): Comparison {
  const walk = new Walk();
  walk.enter(
    [Path.whole],
    new Map(),
    { old: follow(undefined, old, 0), newer: follow(undefined, newer, 0) },
    { old, newer },
  );
  return walk.result();
}

/** What the walk has collected on one side. */
interface Followed {
  /** The members of all types on the path. */
  readonly members: ReadonlyMap<string, FollowedMember>;
  readonly last: WireObject;
  readonly first: WireObject;
}

interface FollowedMember {
  readonly member: WireMember;
  /** The number of discriminator values that select the branch with the member. */
  readonly depth: number;
}

function follow(from: Followed | undefined, type: WireObject, depth: number): Followed {
  const members = new Map(from?.members);
  for (const member of type.members.values()) members.set(member.name, { member, depth });
  return { members, last: type, first: from?.first ?? type };
}

interface BothFollowed {
  readonly old: Followed;
  readonly newer: Followed;
}

/** The guards on the path into branches, from the empty path to the one with all values. Equal guards are identical. */
type GuardPath = readonly Path[];

class Walk {
  /** The number of leaves below each guard, which shows whether something occurs for all values or only for some. */
  readonly #leaves = new Map<Path, number>();
  #leafCount = 0;
  readonly #members = new Groups<WireMember>();
  readonly #types = new Groups<WireObject>();
  readonly #branches: GuardedBranch[] = [];

  /** @param types the types that the last step of the path added */
  enter(path: GuardPath, chosen: ReadonlyMap<string, string>, sides: BothFollowed, types: Pair<WireObject>): void {
    this.#types.add(types, path, path.length - 1);
    const { old, newer } = sides;
    const tag = old.last.discriminator ?? newer.last.discriminator;
    let isLeaf = true;
    for (const value of tag === undefined ? [] : valuesOf(sides, tag)) {
      if (tag === undefined || (chosen.get(tag) ?? value) !== value) continue;
      this.#choose(path, chosen, sides, [tag, value]);
      isLeaf = false;
    }
    if (isLeaf) this.#leaf(path, sides);
  }

  result(): Comparison {
    const guarded = ({ paths, depth, ...pair }: Group<WireMember>): Guarded<WireMember> => ({
      ...pair,
      guards: this.#shortest(paths, depth),
    });
    return {
      members: this.#members.all().map(guarded),
      types: this.#types.all().map(({ old, newer, paths }) => ({ old, newer, guards: paths.map(longest) })),
      branches: this.#branches,
      leaves: this.#leafCount,
    };
  }

  #choose(
    path: GuardPath,
    known: ReadonlyMap<string, string>,
    { old, newer }: BothFollowed,
    [tag, value]: [string, string],
  ): void {
    const chosen = new Map(known).set(tag, value);
    const choices = [...chosen].map(([discriminator, one]) => ({ discriminator, value: one }));
    const deeper = known.has(tag) ? path : [...path, Path.branch(choices)];
    const unions = { old: unionOf(old, tag), newer: unionOf(newer, tag) };
    const branches = { old: unions.old?.branches.get(value), newer: unions.newer?.branches.get(value) };
    this.#branches.push({ ...branches, value, unions, guards: [longest(deeper)] });
    const step = (side: Followed, union: WireObject | undefined, branch: WireBranch | undefined): Followed =>
      union ? follow(side, branch?.type ?? empty, deeper.length - 1) : side;
    const sides = { old: step(old, unions.old, branches.old), newer: step(newer, unions.newer, branches.newer) };
    this.enter(deeper, chosen, sides, { old: branches.old?.type, newer: branches.newer?.type });
  }

  #leaf(path: GuardPath, { old, newer }: BothFollowed): void {
    this.#leafCount += 1;
    // A single type never exceeds the limit, which is checked when a schema is read.
    if (this.#leafCount > maxLeaves) {
      const names = [old, newer].map(({ first }) => (first.name === undefined ? 'a union' : `union '${first.name}'`));
      throw new FileError(
        `cannot compare ${names.join(' to ')}: their branches have more than ${maxLeaves} combinations`,
      );
    }
    for (const guard of path) this.#leaves.set(guard, (this.#leaves.get(guard) ?? 0) + 1);
    for (const name of new Set([...old.members.keys(), ...newer.members.keys()])) {
      const [oldMember, newMember] = [old.members.get(name), newer.members.get(name)];
      const depth = Math.min(oldMember?.depth ?? Infinity, newMember?.depth ?? Infinity);
      this.#members.add({ old: oldMember?.member, newer: newMember?.member }, path, depth);
    }
  }

  /** Returns the shortest guards that cover all of the paths and no others, but none above the member's own branch. */
  #shortest(paths: readonly GuardPath[], depth: number): Path[] {
    const counts = new Map<Path, number>();
    for (const guard of paths.flat()) counts.set(guard, (counts.get(guard) ?? 0) + 1);
    const isCovered = (guard: Path, index: number): boolean =>
      index >= depth && counts.get(guard) === this.#leaves.get(guard);
    return [...new Set(paths.map((path) => path.find(isCovered) ?? longest(path)))];
  }
}

function longest(path: GuardPath): Path {
  return path.at(-1) ?? Path.whole;
}

/** Returns the last type of a side if it is a union with the given discriminator. */
function unionOf({ last }: Followed, tag: string): WireObject | undefined {
  return last.discriminator === tag ? last : undefined;
}

/** Returns the values of a discriminator that both sides have, or all its values if only one side has an enum. */
function valuesOf({ old, newer }: BothFollowed, tag: string): string[] {
  const [oldValues, newValues] = [old, newer].map(({ members }) => {
    const type = members.get(tag)?.member.type;
    return type?.kind === 'enum' ? type.values : undefined;
  });
  const values = [...(oldValues ?? newValues ?? new Map<string, unknown>()).keys()];
  return newValues ? values.filter((value) => newValues.has(value)) : values;
}

/** A pair with all paths to it. */
interface Group<T> extends Pair<T> {
  readonly paths: GuardPath[];
  readonly depth: number;
}

class Groups<T> {
  readonly #groups = new Map<T | undefined, Map<T | undefined, Group<T>>>();

  add({ old, newer }: Pair<T>, path: GuardPath, depth: number): void {
    let byNewer = this.#groups.get(old);
    if (!byNewer) this.#groups.set(old, (byNewer = new Map()));
    const group = byNewer.get(newer);
    if (group) group.paths.push(path);
    else byNewer.set(newer, { old, newer, paths: [path], depth });
  }

  all(): Group<T>[] {
    return [...this.#groups.values()].flatMap((byNewer) => [...byNewer.values()]);
  }
}
