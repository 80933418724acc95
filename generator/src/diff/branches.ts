/**
 * Two object types side by side, branch by branch. What a client sees of an object type are the members that can be there together. Whether
 * they come from a base, a branch, or a branch of a branch is nothing to it, so that all of these are followed down on both sides at once.
 */

import { FileError } from '../errors.js';
import { maxLeaves } from '../leaves.js';
import { empty, type WireBranch, type WireMember, type WireObject } from './wire.js';

/** What two types have at the same place; undefined where one has nothing. */
export interface Both<T> {
  readonly old: T | undefined;
  readonly now: T | undefined;
}

/** And for which values of discriminators they have it: as in a path, `(driver=nbd)`, or '' when for all. */
export interface Met<T> extends Both<T> {
  readonly guards: readonly string[];
}

export interface MetBranch extends Met<WireBranch> {
  /** Chooses the branch. */
  readonly value: string;
  readonly unions: Both<WireObject>;
}

interface Comparison {
  readonly members: readonly Met<WireMember>[];
  /** The types themselves, and those of their branches. */
  readonly types: readonly Met<WireObject>[];
  readonly branches: readonly MetBranch[];
  /** How many ways there are through the branches. */
  readonly ends: number;
}

/** @throws FileError when the two have so little in common that all branches of one had to be combined with all of the other */
export function compareBranches(old: WireObject, now: WireObject): Comparison {
  const walk = new Walk();
  walk.enter([''], new Map(), { old: follow(undefined, old, 0), now: follow(undefined, now, 0) }, { old, now });
  return walk.result();
}

/** How far one side was followed: all members on the way, and the type that was reached. */
interface Followed {
  readonly members: ReadonlyMap<string, FollowedMember>;
  readonly last: WireObject;
  /** The type that it began with. */
  readonly first: WireObject;
}

interface FollowedMember {
  readonly member: WireMember;
  /** How many values choose the branch that has it. */
  readonly depth: number;
}

function follow(from: Followed | undefined, type: WireObject, depth: number): Followed {
  const members = new Map(from?.members);
  for (const member of type.members.values()) members.set(member.name, { member, depth });
  return { members, last: type, first: from?.first ?? type };
}

interface Sides {
  readonly old: Followed;
  readonly now: Followed;
}

/** Guards from the shortest, '', to that of all the values. */
type Way = readonly string[];

class Walk {
  /** How many ways end below each guard: tells what is there for all values from what is for some. */
  readonly #ends = new Map<string, number>();
  #endCount = 0;
  readonly #members = new Groups<WireMember>();
  readonly #types = new Groups<WireObject>();
  readonly #branches: MetBranch[] = [];

  /** @param types that are new on the way */
  enter(way: Way, chosen: ReadonlyMap<string, string>, sides: Sides, types: Both<WireObject>): void {
    this.#types.add(types, way, way.length - 1);
    const { old, now } = sides;
    const tag = old.last.discriminator ?? now.last.discriminator;
    let isEnd = true;
    for (const value of tag === undefined ? [] : valuesOf(sides, tag)) {
      if (tag === undefined || (chosen.get(tag) ?? value) !== value) continue;
      this.#choose(way, new Map(chosen).set(tag, value), sides, [tag, value]);
      isEnd = false;
    }
    if (isEnd) this.#end(way, sides);
  }

  result(): Comparison {
    const guards = ({ ways, depth, ...both }: Group<WireMember>): Met<WireMember> => ({
      ...both,
      guards: this.#shortest(ways, depth),
    });
    return {
      members: this.#members.all().map(guards),
      types: this.#types.all().map(({ old, now, ways }) => ({ old, now, guards: ways.map(longest) })),
      branches: this.#branches,
      ends: this.#endCount,
    };
  }

  #choose(way: Way, chosen: ReadonlyMap<string, string>, { old, now }: Sides, [tag, value]: [string, string]): void {
    const guard = `(${[...chosen].map((choice) => choice.join('=')).join(',')})`;
    const deeper = guard === longest(way) ? way : [...way, guard];
    const unions = { old: unionOf(old, tag), now: unionOf(now, tag) };
    const branches = { old: unions.old?.branches.get(value), now: unions.now?.branches.get(value) };
    this.#branches.push({ ...branches, value, unions, guards: [guard] });
    const step = (side: Followed, union: WireObject | undefined, branch: WireBranch | undefined): Followed =>
      union ? follow(side, branch?.type ?? empty, deeper.length - 1) : side;
    const sides = { old: step(old, unions.old, branches.old), now: step(now, unions.now, branches.now) };
    this.enter(deeper, chosen, sides, { old: branches.old?.type, now: branches.now?.type });
  }

  #end(way: Way, { old, now }: Sides): void {
    this.#endCount += 1;
    // On one side alone there are never more.
    if (this.#endCount > maxLeaves) {
      const names = [old, now].map(({ first }) => (first.name === undefined ? 'a union' : `union '${first.name}'`));
      throw new FileError(
        `the branches of ${names.join(' and ')} cannot be compared: together there are more than ${maxLeaves}`,
      );
    }
    for (const guard of way) this.#ends.set(guard, (this.#ends.get(guard) ?? 0) + 1);
    for (const name of new Set([...old.members.keys(), ...now.members.keys()])) {
      const [before, after] = [old.members.get(name), now.members.get(name)];
      const depth = Math.min(before?.depth ?? Infinity, after?.depth ?? Infinity);
      this.#members.add({ old: before?.member, now: after?.member }, way, depth);
    }
  }

  /** The shortest guards that stand for all of the ways and for no other, none shorter than those of the branch it comes from. */
  #shortest(ways: readonly Way[], depth: number): string[] {
    const counts = new Map<string, number>();
    for (const guard of ways.flat()) counts.set(guard, (counts.get(guard) ?? 0) + 1);
    const isWhole = (guard: string, index: number): boolean =>
      index >= depth && counts.get(guard) === this.#ends.get(guard);
    return [...new Set(ways.map((way) => way.find(isWhole) ?? longest(way)))];
  }
}

function longest(way: Way): string {
  return way.at(-1) ?? '';
}

/** The union that a side is at, if that is one of this discriminator. */
function unionOf({ last }: Followed, tag: string): WireObject | undefined {
  return last.discriminator === tag ? last : undefined;
}

/** The values of a discriminator that both sides know; all those of one when it is an enum there only. */
function valuesOf({ old, now }: Sides, tag: string): string[] {
  const [before, after] = [old, now].map(({ members }) => {
    const type = members.get(tag)?.member.type;
    return type?.kind === 'enum' ? type.values : undefined;
  });
  const values = [...(before ?? after ?? new Map<string, unknown>()).keys()];
  return after ? values.filter((value) => after.has(value)) : values;
}

/** Two things that are met together, on all the ways where they are. */
interface Group<T> extends Both<T> {
  readonly ways: Way[];
  readonly depth: number;
}

class Groups<T> {
  readonly #groups = new Map<T | undefined, Map<T | undefined, Group<T>>>();

  add({ old, now }: Both<T>, way: Way, depth: number): void {
    let byNow = this.#groups.get(old);
    if (!byNow) this.#groups.set(old, (byNow = new Map()));
    const group = byNow.get(now);
    if (group) group.ways.push(way);
    else byNow.set(now, { old, now, ways: [way], depth });
  }

  all(): Group<T>[] {
    return [...this.#groups.values()].flatMap((byNow) => [...byNow.values()]);
  }
}
