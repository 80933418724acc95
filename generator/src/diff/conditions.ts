/** Infers which conditions a build meets, from what it has and what it lacks. */

import { evaluate, formatCondition, namesIn } from '../condition.js';
import type { Condition } from '../model.js';

/** Whether a server has a part with a condition. It has the part's container, so only the condition matters. */
export interface Observation {
  readonly condition: Condition;
  readonly exists: boolean;
}

/** The names in conditions, sorted. Each name is in one list. */
export interface Conditions {
  readonly has: readonly string[];
  readonly lacks: readonly string[];
  /** Names that the observations do not decide. */
  readonly undecided: readonly string[];
  /** Names with observations both for and against them: the server differs in more than its conditions. */
  readonly contradicted: readonly string[];
}

interface Inference {
  readonly conditions: Conditions;
  /** Returns whether something with a condition can exist in the build. */
  readonly allows: (condition: Condition) => boolean;
}

/** The names that each kind of host defines. A build is for one kind. */
const hosts: readonly (readonly string[])[] = [
  ['CONFIG_LINUX', 'CONFIG_POSIX'],
  ['CONFIG_WIN32'],
  ['CONFIG_FREEBSD', 'CONFIG_POSIX'],
  ['CONFIG_POSIX'],
];

/**
 * Infers conditions from observations. What exists proves its condition, unless the build is for another host: another
 * version may have it on all hosts. What does not exist disproves its condition only if nothing contradicts that,
 * because another version may lack it.
 *
 * @param names all names that occur in conditions
 * @param refused observations of commands that an agent has, but refuses: perhaps because its host does not support
 * them
 */
export function infer(
  names: Iterable<string>,
  observations: readonly Observation[],
  refused: readonly Observation[] = [],
): Inference {
  const { known: host, disputed } = hostOf(observations, refused);
  const isPlausible = ({ condition, exists }: Observation): boolean =>
    evaluate(condition, (name) => host.get(name)) !== !exists;
  const groups = groupsOf([...observations.filter(isPlausible), ...proofsOf(host)]).map((group) =>
    inferGroup(group, disputed),
  );
  const explained = new Set(
    groups.flatMap((group) => group.explained.map(({ condition }) => formatCondition(condition))),
  );
  const decided = new Map(groups.flatMap((group) => [...group.decided]));
  const allows = (condition: Condition): boolean =>
    !explained.has(formatCondition(condition)) && evaluate(condition, (name) => decided.get(name)) !== false;

  const doubtful = new Set(groups.flatMap((group) => [...group.doubtful]));
  const isContradicted = (name: string): boolean => {
    const about = observations.filter(({ condition }) => namesIn(condition).includes(name));
    const against = about.filter(({ condition, exists }) => exists !== allows(condition)).length;
    // Another version may lack some parts that depend on the name, or have them without it. The majority decides.
    if (host.has(name)) return false;
    return doubtful.has(name) || (decided.has(name) ? 2 * against >= about.length : against > 0);
  };
  const all = [...new Set(names)].toSorted();
  const contradicted = new Set(all.filter(isContradicted));
  const decidedAs = (value: boolean): string[] =>
    all.filter((name) => !contradicted.has(name) && decided.get(name) === value);
  const conditions = {
    has: decidedAs(true),
    lacks: decidedAs(false),
    undecided: all.filter((name) => !contradicted.has(name) && !decided.has(name)),
    contradicted: [...contradicted],
  };
  return { conditions, allows };
}

/** What is known about the names that hosts define. */
interface Host {
  readonly known: ReadonlyMap<string, boolean>;
  /** Names that cannot be decided, because the server has parts of several hosts. */
  readonly disputed: ReadonlySet<string>;
}

/**
 * Finds the hosts that fit all that exists. If there are none, another version has parts of a host elsewhere, too. Then
 * a host is ruled out only if another one fits clearly better.
 */
function hostOf(observations: readonly Observation[], refused: readonly Observation[]): Host {
  const names = [...new Set(hosts.flat())];
  const fits = hosts.map((host) => {
    const count = (some: readonly Observation[], value: boolean): number =>
      some.filter(({ condition }) => {
        return evaluate(condition, (name) => (names.includes(name) ? host.includes(name) : undefined)) === value;
      }).length;
    const [present, absent] = [true, false].map((value) => observations.filter(({ exists }) => exists === value));
    return { host, unexpected: count(present ?? [], false) + count(refused, true), missing: count(absent ?? [], true) };
  });
  type Fit = (typeof fits)[number];
  const isBetter = (one: Fit, other: Fit): boolean => {
    const [unexpected, missing] = [other.unexpected - one.unexpected, other.missing - one.missing];
    return unexpected >= 0 && missing >= 0 && (unexpected > 0 || missing > 1);
  };
  const least = Math.min(...fits.map(({ unexpected }) => unexpected));
  const candidates = fits.filter((fit) => {
    if (least === 0) return fit.unexpected === 0;
    return fit.unexpected <= least + 1 && !fits.some((other) => isBetter(other, fit));
  });

  const known = new Map<string, boolean>();
  for (const name of names) {
    const values = new Set(candidates.map(({ host }) => host.includes(name)));
    if (values.size === 1) known.set(name, values.has(true));
  }
  const open = names.filter((name) => !known.has(name));
  const isContested = observations.some(
    ({ condition, exists }) => exists && namesIn(condition).some((name) => open.includes(name)),
  );
  return { known, disputed: new Set(least > 0 && isContested ? open : []) };
}

/** Returns what is known about the host, as observations that cannot be contradicted. */
function proofsOf(host: ReadonlyMap<string, boolean>): Observation[] {
  return [...host].map(([name, value]) => {
    const condition = { kind: 'defined', name } as const;
    return { condition: value ? condition : { kind: 'not', operand: condition }, exists: true };
  });
}

/** Groups distinct observations by the names in their conditions. Groups without common names are independent. */
function groupsOf(observations: readonly Observation[]): (readonly Observation[])[] {
  const distinct = new Map(observations.map((one) => [`${one.exists} ${formatCondition(one.condition)}`, one]));
  let groups: LinkedObservations[] = [];
  for (const observation of distinct.values()) {
    const names = namesIn(observation.condition);
    const linked = groups.filter((group) => names.some((name) => group.names.has(name)));
    const joined: LinkedObservations = {
      names: new Set([...linked.flatMap((group) => [...group.names]), ...names]),
      observations: [...linked.flatMap((group) => group.observations), observation],
    };
    groups = [...groups.filter((group) => !linked.includes(group)), joined];
  }
  return groups.map((group) => group.observations);
}

interface LinkedObservations {
  readonly names: ReadonlySet<string>;
  readonly observations: readonly Observation[];
}

interface GroupInference {
  /** Observations of what is missing because of its condition. */
  readonly explained: readonly Observation[];
  readonly decided: ReadonlyMap<string, boolean>;
  /** Names in conditions that exclude each other, although something exists under each. */
  readonly doubtful: ReadonlySet<string>;
}

function inferGroup(group: readonly Observation[], disputed: ReadonlySet<string>): GroupInference {
  const present = group.filter(({ exists }) => exists);
  const absent = group.filter(({ exists }) => !exists);
  const doubtful = doubtfulNames(
    present,
    namesOf(group).filter((name) => disputed.has(name)),
  );
  const arePossible = (observations: readonly Observation[]): boolean => isPossible(observations, doubtful);

  const undoubted = absent.filter(({ condition }) => !namesIn(condition).some((name) => doubtful.has(name)));
  const explained = uncontested(undoubted, (some) => arePossible([...present, ...some]));
  const decided = new Map<string, boolean>();
  for (const name of namesOf(group).filter((candidate) => !doubtful.has(candidate))) {
    const condition = { kind: 'defined', name } as const;
    const canBe = (exists: boolean): boolean => arePossible([...present, ...explained, { condition, exists }]);
    if (canBe(true) !== canBe(false)) decided.set(name, canBe(true));
  }
  return { explained, decided, doubtful };
}

/** @param disputed names that are known to be doubtful */
function doubtfulNames(present: readonly Observation[], disputed: readonly string[]): Set<string> {
  const doubtful = new Set(disputed);
  const arePossible = (observations: readonly Observation[]): boolean => isPossible(observations, doubtful);
  while (!arePossible(present)) for (const name of namesOf(smallestConflict(present, arePossible))) doubtful.add(name);
  return doubtful;
}

/** Returns the observations that are possible on their own and not part of any conflict. */
function uncontested(observations: readonly Observation[], arePossible: Possibility): readonly Observation[] {
  const possible = observations.filter((one) => arePossible([one]));
  let left = possible;
  for (;;) {
    const contrary = possible.find((one) => !arePossible([...left, one]));
    if (!contrary) return left;
    const conflict = smallestConflict([...new Set([...left, contrary])], arePossible);
    left = left.filter((one) => !conflict.includes(one));
  }
}

type Possibility = (observations: readonly Observation[]) => boolean;

/** Returns a minimal conflict: without any one of its observations, there would be none. */
function smallestConflict(observations: readonly Observation[], arePossible: Possibility): readonly Observation[] {
  let conflict = observations;
  for (const one of observations) {
    const others = conflict.filter((other) => other !== one);
    if (!arePossible(others)) conflict = others;
  }
  return conflict;
}

/**
 * Returns whether some build has all of the observations.
 *
 * @param doubtful names that may be defined in one place and undefined in another
 */
function isPossible(observations: readonly Observation[], doubtful: ReadonlySet<string>): boolean {
  const names = namesOf(observations).filter((name) => !doubtful.has(name));
  const values = new Map<string, boolean>();
  const search = (next: number): boolean => {
    const isContradicted = observations.some(
      ({ condition, exists }) => evaluate(condition, (name) => values.get(name)) === !exists,
    );
    if (isContradicted) return false;
    const name = names[next];
    if (name === undefined) return true;
    for (const value of [true, false]) {
      values.set(name, value);
      if (search(next + 1)) return true;
    }
    values.delete(name);
    return false;
  };
  return search(0);
}

/** Returns the names in conditions. Those in short conditions come first, because they restrict the search most. */
function namesOf(observations: readonly Observation[]): string[] {
  const names = observations.map(({ condition }) => namesIn(condition));
  return [...new Set(names.toSorted((a, b) => a.length - b.length).flat())];
}
