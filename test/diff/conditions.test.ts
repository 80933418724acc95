/** The inference of the conditions that a build meets from what it has and lacks. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { conditionTest } from '../../generator/src/condition.js';
import { infer, type Conditions, type Observation } from '../../generator/src/diff/conditions.js';
import { parseTextCondition } from '../../generator/src/frontend/expressions/text-condition.js';
import type { Condition } from '../../generator/src/model.js';

const names = ['A', 'B', 'C', 'D'];

/** Parses a condition such as `A && !B`. */
function condition(text: string): Condition {
  return parseTextCondition(text.replaceAll(/\w+/gu, 'defined($&)'));
}

/** Returns observations of existing and missing parts with the given conditions. */
function observations(there: readonly string[], lacking: readonly string[]): Observation[] {
  return [
    ...there.map((text) => ({ condition: condition(text), exists: true })),
    ...lacking.map((text) => ({ condition: condition(text), exists: false })),
  ];
}

describe('inferred conditions', () => {
  const cases: {
    title: string;
    there?: string[];
    lacking?: string[];
    want: Partial<Conditions>;
    /** The conditions of missing parts that only another version explains. */
    unexplained?: string[];
  }[] = [
    { title: 'no observations', want: { undecided: names } },
    { title: 'one name', there: ['A'], lacking: ['B'], want: { has: ['A'], lacks: ['B'], undecided: ['C', 'D'] } },
    { title: 'negations', there: ['!A'], lacking: ['!B'], want: { has: ['B'], lacks: ['A'], undecided: ['C', 'D'] } },
    { title: 'a conjunction that exists', there: ['A && B'], want: { has: ['A', 'B'], undecided: ['C', 'D'] } },
    { title: 'a disjunction that is missing', lacking: ['A || B'], want: { lacks: ['A', 'B'], undecided: ['C', 'D'] } },
    { title: 'a conjunction that is missing proves little', lacking: ['A && B'], want: { undecided: names } },
    {
      title: 'but more together with another observation',
      there: ['A'],
      lacking: ['A && B'],
      want: { has: ['A'], lacks: ['B'], undecided: ['C', 'D'] },
    },
    {
      title: 'a disjunction that exists',
      there: ['A || B'],
      lacking: ['A'],
      want: { has: ['B'], lacks: ['A'], undecided: ['C', 'D'] },
    },
    {
      title: 'both cases imply the same name',
      there: ['A || B', '!A || B'],
      want: { has: ['B'], undecided: ['A', 'C', 'D'] },
    },
    {
      title: 'a chain',
      there: ['A', '!A || B', '!B || C'],
      lacking: ['C && D'],
      want: { has: ['A', 'B', 'C'], lacks: ['D'] },
    },
    {
      title: 'one of two parts is missing',
      there: ['A'],
      lacking: ['A', 'B'],
      want: { lacks: ['B'], undecided: ['C', 'D'], contradicted: ['A'] },
      unexplained: ['A'],
    },
    {
      title: 'one of many parts is missing',
      there: ['A', 'A', '!C', '!C'],
      lacking: ['A', 'B', '!C'],
      want: { has: ['A'], lacks: ['B', 'C'], undecided: ['D'] },
      unexplained: ['A', '!C'],
    },
    {
      title: 'an existing part rules out a reason',
      there: ['A && B', 'A'],
      lacking: ['A', 'B && C'],
      want: { has: ['A', 'B'], lacks: ['C'], undecided: ['D'] },
      unexplained: ['A'],
    },
    {
      title: 'neither of two contradictory conditions is the reason',
      lacking: ['A', '!A', 'B'],
      want: { lacks: ['B'], undecided: ['C', 'D'], contradicted: ['A'] },
      unexplained: ['A', '!A'],
    },
    {
      title: 'nor is a condition that follows from one of them',
      there: ['B', 'B'],
      lacking: ['A', '!A', '!A && B'],
      want: { has: ['B'], undecided: ['C', 'D'], contradicted: ['A'] },
      unexplained: ['A', '!A', '!A && B'],
    },
    {
      title: 'three conditions that contradict each other only together',
      there: ['A || B || C'],
      lacking: ['A', 'B', 'C', 'D'],
      want: { lacks: ['D'], contradicted: ['A', 'B', 'C'] },
      unexplained: ['A', 'B', 'C'],
    },
    {
      title: 'parts that exist under contradictory conditions',
      there: ['A', '!A', 'B'],
      lacking: ['C'],
      want: { has: ['B'], lacks: ['C'], undecided: ['D'], contradicted: ['A'] },
    },
    {
      title: 'a contradicted name explains nothing, but others do',
      there: ['A', '!A', 'B', 'B'],
      lacking: ['A && B', 'A && C', 'A && D', 'D'],
      want: { has: ['B'], lacks: ['D'], contradicted: ['A', 'C'] },
      unexplained: ['A && B', 'A && C'],
    },
  ];
  test.each(cases)('$title', ({ there = [], lacking = [], want, unexplained = [] }) => {
    const { conditions, allows } = infer(names, observations(there, lacking));
    expect(conditions).toEqual({ has: [], lacks: [], undecided: [], contradicted: [], ...want });
    expect(there.filter((text) => !allows(condition(text)))).toEqual([]);
    expect(lacking.filter((text) => allows(condition(text)))).toEqual(unexplained);
  });

  test('of a build are found, as far as they have an effect', () => {
    fc.assert(
      fc.property(fc.array(conditions), fc.subarray(names), (all, defined) => {
        const holds = conditionTest([...defined, 'always']);
        const inferred = infer(
          names,
          all.map((one) => ({ condition: one, exists: holds(one) })),
        );
        const { has, lacks, contradicted } = inferred.conditions;
        expect(has.filter((name) => !defined.includes(name))).toEqual([]);
        expect(lacks.filter((name) => defined.includes(name))).toEqual([]);
        expect(contradicted).toEqual([]);
        for (const one of all) expect(inferred.allows(one)).toBe(holds(one));
      }),
    );
  });

  test('explain nothing that other evidence contradicts', () => {
    const observed = fc.array(fc.record({ condition: conditions, exists: fc.boolean() }), { maxLength: 8 });
    fc.assert(
      fc.property(observed, (all) => {
        const { conditions: found, allows } = infer(names, all);
        expect([...found.has, ...found.lacks, ...found.undecided, ...found.contradicted].toSorted()).toEqual(names);
        const there = all.filter(({ exists }) => exists);
        const explained = all.filter(({ exists, condition: one }) => !exists && !allows(one));
        for (const one of there) expect(allows(one.condition)).toBe(true);
        // Unless the existing parts contradict each other, some build fits all conclusions.
        if (builds.some((holds) => there.every((one) => holds(one.condition)))) {
          const fitting = builds.filter((holds) =>
            [...there, ...explained].every((one) => holds(one.condition) === one.exists),
          );
          expect(fitting).not.toEqual([]);
          for (const name of names) {
            const values = new Set(fitting.map((holds) => holds({ kind: 'defined', name })));
            if (found.has.includes(name)) expect(values).toEqual(new Set([true]));
            if (found.lacks.includes(name)) expect(values).toEqual(new Set([false]));
            if (found.undecided.includes(name)) expect(values).toEqual(new Set([true, false]));
          }
          // Explained parts never contradict other missing parts.
          for (const one of explained) {
            for (const other of all.filter(({ exists }) => !exists)) {
              const fits = (...some: Observation[]): boolean =>
                builds.some((holds) => [...there, ...some].every((each) => holds(each.condition) === each.exists));
              expect(fits(one, other)).toBe(fits(other));
            }
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

const { condition: conditions } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom(...names).map((name): Condition => ({ kind: 'defined', name })),
    tie('condition').map((operand): Condition => ({ kind: 'not', operand })),
    fc
      .record({
        kind: fc.constantFrom('all', 'any'),
        operands: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }),
      })
      .map((one): Condition => one as Condition),
  ),
}));

/** All possible builds. */
const builds = Array.from({ length: 2 ** names.length }, (_, bits) =>
  conditionTest(['always', ...names.filter((_name, index) => (bits >> index) & 1)]),
);
