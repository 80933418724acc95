/** Conditions of builds: their text in old schemas, their text in comments, and their value. */

import { describe, expect, it } from 'vitest';

import { conditionTest, formatCondition } from '../generator/src/condition.js';
import { parseTextCondition } from '../generator/src/frontend/expressions/text-condition.js';
import type { Condition } from '../generator/src/model.js';

const is = (name: string): Condition => ({ kind: 'defined', name });

describe('conditions of old schemas', () => {
  const cases: [string, Condition, string][] = [
    ['defined(A)', is('A'), 'A'],
    ['defined A', is('A'), 'A'],
    ['!defined(A)', { kind: 'not', operand: is('A') }, '!A'],
    ['defined(A) && defined(B)', { kind: 'all', operands: [is('A'), is('B')] }, 'A && B'],
    ['defined(A) || defined(B) || defined(C)', { kind: 'any', operands: [is('A'), is('B'), is('C')] }, 'A || B || C'],
    [
      'defined(A) && (defined(B) || !defined(C))',
      { kind: 'all', operands: [is('A'), { kind: 'any', operands: [is('B'), { kind: 'not', operand: is('C') }] }] },
      'A && (B || !C)',
    ],
    [
      'defined(A) || defined(B) && defined(C)',
      { kind: 'any', operands: [is('A'), { kind: 'all', operands: [is('B'), is('C')] }] },
      'A || (B && C)',
    ],
    ['!(defined(A))', { kind: 'not', operand: is('A') }, '!A'],
    ['VERSION > 3', is('VERSION > 3'), 'VERSION > 3'],
    ['defined(A', is('defined(A'), 'defined(A'],
    ['defined(A) defined(B)', is('defined(A) defined(B)'), 'defined(A) defined(B)'],
    ['!', is('!'), '!'],
  ];
  it.each(cases)('%s', (text, want, formatted) => {
    expect(parseTextCondition(text)).toEqual(want);
    expect(formatCondition(want)).toBe(formatted);
  });
});

describe('conditionTest', () => {
  const all: Condition = { kind: 'all', operands: [is('A'), { kind: 'not', operand: is('B') }] };
  it.each<[string[], Condition, boolean]>([
    [[], { kind: 'not', operand: is('A') }, true],
    [['A'], all, true],
    [['A', 'B'], all, false],
    [['B'], { kind: 'any', operands: [is('A'), is('B')] }, true],
    [['C'], { kind: 'any', operands: [is('A'), is('B')] }, false],
  ])('-D %j: %j is %s', (defined, condition, want) => {
    expect(conditionTest(defined)(condition)).toBe(want);
  });
});
