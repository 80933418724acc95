/** Which conditions a build meets, as far as what it has and lacks tells. */

import { evaluate, formatCondition, namesIn } from '../condition.js';
import type { Condition } from '../model.js';

/** Something with a condition, where nothing but that condition decides whether it is there. */
export interface Observation {
  readonly condition: Condition;
  readonly isThere: boolean;
}

/** Names in conditions, each in one of the lists, sorted. */
export interface Conditions {
  readonly has: readonly string[];
  readonly lacks: readonly string[];
  /** Nothing tells. */
  readonly undecided: readonly string[];
  /** Of what is there or not, some tells one thing and some the other: it is not only conditions that differ. */
  readonly contradicted: readonly string[];
}

interface Inference {
  readonly conditions: Conditions;
  /** Whether something may be there, by what was observed. What was observed to be there always may. */
  readonly allows: (condition: Condition) => boolean;
}

/** What each kind of host defines. A build is for one of them. */
const hosts: readonly (readonly string[])[] = [
  ['CONFIG_LINUX', 'CONFIG_POSIX'],
  ['CONFIG_WIN32'],
  ['CONFIG_FREEBSD', 'CONFIG_POSIX'],
  ['CONFIG_POSIX'],
];

/**
 * What is there proves its condition, unless the build is for another host: another version may have it everywhere. What is not there does
 * not disprove its condition, because another version may be what lacks it: that only counts when nothing contradicts it.
 *
 * @param names all that conditions can mention
 */
export function infer(names: Iterable<string>, observations: readonly Observation[]): Inference {
  const host = hostOf(observations);
  const isPlausible = ({ condition, isThere }: Observation): boolean =>
    evaluate(condition, (name) => host.get(name)) !== !isThere;
  const findings = groupsOf([...observations.filter(isPlausible), ...proofsOf(host)]).map(inferGroup);
  const explained = new Set(
    findings.flatMap((found) => found.explained.map(({ condition }) => formatCondition(condition))),
  );
  const decided = new Map(findings.flatMap((found) => [...found.decided]));
  const allows = (condition: Condition): boolean =>
    !explained.has(formatCondition(condition)) && evaluate(condition, (name) => decided.get(name)) !== false;

  const doubtful = new Set(findings.flatMap((found) => [...found.doubtful]));
  const isContradicted = (name: string): boolean => {
    const about = observations.filter(({ condition }) => namesIn(condition).includes(name));
    const against = about.filter(({ condition, isThere }) => isThere !== allows(condition)).length;
    // In another version, some of what needs it may be gone, and some may not need it any more. The most part tells.
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

/** The names that tell hosts apart, as far as what is there tells the host. Where none fits all of it, it is the one that fits most. */
function hostOf(observations: readonly Observation[]): Map<string, boolean> {
  const there = observations.filter(({ isThere }) => isThere);
  const names = [...new Set(hosts.flat())];
  const misfitsOf = (host: readonly string[]): number => {
    const valueOf = (name: string): boolean | undefined => (names.includes(name) ? host.includes(name) : undefined);
    return there.filter(({ condition }) => evaluate(condition, valueOf) === false).length;
  };
  const misfits = hosts.map(misfitsOf);
  const least = Math.min(...misfits);
  const best = hosts.filter((_, index) => misfits[index] === least);
  const candidates = least === 0 ? best : best.slice(0, 1);
  const known = new Map<string, boolean>();
  for (const name of names) {
    const values = new Set(candidates.map((host) => host.includes(name)));
    if (values.size === 1) known.set(name, values.has(true));
  }
  return known;
}

/** As observations that nothing can contradict. */
function proofsOf(host: ReadonlyMap<string, boolean>): Observation[] {
  return [...host].map(([name, value]) => {
    const condition = { kind: 'defined', name } as const;
    return { condition: value ? condition : { kind: 'not', operand: condition }, isThere: true };
  });
}

/** Observations that have to do with each other, each once: names that no condition links are independent. */
function groupsOf(observations: readonly Observation[]): (readonly Observation[])[] {
  const distinct = new Map(observations.map((one) => [`${one.isThere} ${formatCondition(one.condition)}`, one]));
  let groups: Group[] = [];
  for (const observation of distinct.values()) {
    const names = namesIn(observation.condition);
    const linked = groups.filter((group) => names.some((name) => group.names.has(name)));
    const joined: Group = {
      names: new Set([...linked.flatMap((group) => [...group.names]), ...names]),
      observations: [...linked.flatMap((group) => group.observations), observation],
    };
    groups = [...groups.filter((group) => !linked.includes(group)), joined];
  }
  return groups.map((group) => group.observations);
}

interface Group {
  readonly names: ReadonlySet<string>;
  readonly observations: readonly Observation[];
}

interface Findings {
  /** What is not there because of its condition. */
  readonly explained: readonly Observation[];
  readonly decided: ReadonlyMap<string, boolean>;
  /** Names of which what is there tells both: it is there under conditions that exclude each other. */
  readonly doubtful: ReadonlySet<string>;
}

function inferGroup(group: readonly Observation[]): Findings {
  const there = group.filter(({ isThere }) => isThere);
  const lacking = group.filter(({ isThere }) => !isThere);
  const doubtful = doubtfulNames(there);
  const arePossible = (observations: readonly Observation[]): boolean => isPossible(observations, doubtful);

  const undoubted = lacking.filter(({ condition }) => !namesIn(condition).some((name) => doubtful.has(name)));
  const explained = uncontested(undoubted, (some) => arePossible([...there, ...some]));
  const decided = new Map<string, boolean>();
  for (const name of namesOf(group).filter((candidate) => !doubtful.has(candidate))) {
    const condition = { kind: 'defined', name } as const;
    const canBe = (isThere: boolean): boolean => arePossible([...there, ...explained, { condition, isThere }]);
    if (canBe(true) !== canBe(false)) decided.set(name, canBe(true));
  }
  return { explained, decided, doubtful };
}

function doubtfulNames(there: readonly Observation[]): Set<string> {
  const doubtful = new Set<string>();
  const arePossible = (observations: readonly Observation[]): boolean => isPossible(observations, doubtful);
  while (!arePossible(there)) for (const name of namesOf(smallestConflict(there, arePossible))) doubtful.add(name);
  return doubtful;
}

/** Of what is possible by itself, all that is not part of any conflict. */
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

/** Of observations that are not possible together, some of which each is needed for that. */
function smallestConflict(observations: readonly Observation[], arePossible: Possibility): readonly Observation[] {
  let conflict = observations;
  for (const one of observations) {
    const others = conflict.filter((other) => other !== one);
    if (!arePossible(others)) conflict = others;
  }
  return conflict;
}

/**
 * Whether there can be a build that all was observed of.
 *
 * @param doubtful names that may be defined for one thing, and not for another
 */
function isPossible(observations: readonly Observation[], doubtful: ReadonlySet<string>): boolean {
  const names = namesOf(observations).filter((name) => !doubtful.has(name));
  const values = new Map<string, boolean>();
  const search = (next: number): boolean => {
    const isContradicted = observations.some(
      ({ condition, isThere }) => evaluate(condition, (name) => values.get(name)) === !isThere,
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

/** Those in short conditions first: they decide most. */
function namesOf(observations: readonly Observation[]): string[] {
  const names = observations.map(({ condition }) => namesIn(condition));
  return [...new Set(names.toSorted((a, b) => a.length - b.length).flat())];
}
