/** `diff`: one change at a time. See schemas.test.ts for whole schemas. */

import { describe, expect, it } from 'vitest';

import { diff } from '../../generator/src/diff/compare.js';
import { observe } from '../../generator/src/diff/evidence.js';
import { wireOf, wireOfIntrospection } from '../../generator/src/diff/wire.js';
import { introspect } from '../../generator/src/introspect.js';
import type { Schema } from '../../generator/src/model.js';
import { schemaOf } from '../support/schema.js';
import {
  type Case,
  alternate,
  both,
  changesOf,
  enumeration,
  giving,
  other,
  sending,
  taking,
  testChanges,
} from '../support/changes.js';

const definitions: Case[] = [
  {
    title: 'command',
    old: other,
    newer: `${other} { 'command': 'c', 'data': { 'a': 'str' } }`,
    forth: ['harmless callers command-added c'],
    back: ['breaking callers command-removed c'],
  },
  {
    title: 'event',
    old: other,
    newer: `${other} { 'event': 'E', 'data': { 'a': 'str' } }`,
    forth: ['harmless readers event-added E'],
    back: ['breaking readers event-removed E'],
  },
  {
    title: 'renamed command',
    old: `{ 'command': 'c' }`,
    newer: `{ 'command': 'd' }`,
    forth: ['breaking callers command-removed c', 'harmless callers command-added d'],
    back: ['harmless callers command-added c', 'breaking callers command-removed d'],
  },
  {
    title: 'out-of-band',
    old: `{ 'command': 'c' }`,
    newer: `{ 'command': 'c', 'allow-oob': true }`,
    forth: ['harmless callers oob-granted c'],
    back: ['breaking callers oob-withdrawn c'],
  },
  {
    title: 'preconfig',
    old: `{ 'command': 'c' }`,
    newer: `{ 'command': 'c', 'allow-preconfig': true }`,
    forth: ['harmless callers preconfig-granted c'],
    back: ['breaking callers preconfig-withdrawn c'],
  },
  {
    title: 'further arguments',
    old: taking(`'a': 'str'`),
    newer: `{ 'command': 'c', 'data': { 'a': 'str' }, 'gen': false }`,
    forth: ['harmless callers further-arguments-changed c'],
    back: ['breaking callers further-arguments-changed c'],
  },
  {
    title: 'gen: false for a command without arguments, such as query-qmp-schema before 6.0',
    old: `{ 'command': 'c', 'returns': ['str'], 'gen': false }`,
    newer: `{ 'command': 'c', 'returns': ['str'] }`,
    forth: [],
    back: [],
  },
  {
    title: 'reply',
    old: `{ 'command': 'c', 'success-response': false }`,
    newer: `{ 'command': 'c' }`,
    forth: ['notable readers reply-changed c'],
    back: ['breaking readers reply-changed c'],
  },
  {
    title: 'what clients cannot see: coroutine, boxed, the name of a type, an unused type',
    old: `{ 'struct': 'S', 'data': { 'a': 'str' } } { 'command': 'c', 'data': 'S' }`,
    newer: `{ 'struct': 'X', 'data': { 'a': 'str' } } { 'command': 'c', 'data': 'X', 'boxed': true, 'coroutine': true }
      { 'struct': 'S', 'data': { 'b': 'str' } }`,
    forth: [],
    back: [],
  },
  {
    title: 'a named type instead of inline members',
    old: taking(`'a': 'str', '*b': 'int'`),
    newer: `{ 'struct': 'Base', 'data': { '*b': 'int' } } { 'struct': 'S', 'base': 'Base', 'data': { 'a': 'str' } }
      { 'command': 'c', 'data': 'S' }`,
    forth: [],
    back: [],
  },
  {
    title: 'order',
    old: `${taking(`'a': 'V', 'b': 'A'`, `${enumeration(`'x'`, `'y'`)} ${alternate('int', 'null')}`)} ${other}`,
    newer: `${other} ${taking(`'b': 'A', 'a': 'V'`, `${enumeration(`'y'`, `'x'`)} ${alternate('null', 'int')}`)}`,
    forth: [],
    back: [],
  },
];

const members: Case[] = [
  {
    title: 'optional argument',
    old: `{ 'command': 'c' }`,
    newer: taking(`'*a': 'str'`),
    forth: ['harmless callers member-added c: arguments.a'],
    back: ['breaking callers member-removed c: arguments.a'],
  },
  {
    title: 'mandatory argument',
    old: taking(`'b': 'int'`),
    newer: taking(`'b': 'int', 'a': 'str'`),
    forth: ['breaking callers member-added c: arguments.a'],
    back: ['breaking callers member-removed c: arguments.a'],
  },
  {
    title: 'optional instead of mandatory argument',
    old: taking(`'a': 'str'`),
    newer: taking(`'*a': 'str'`),
    forth: ['harmless callers member-optional c: arguments.a'],
    back: ['breaking callers member-mandatory c: arguments.a'],
  },
  {
    title: 'result member',
    old: giving(`'S'`, `{ 'struct': 'S', 'data': { 'b': 'int' } }`),
    newer: giving(`'S'`, `{ 'struct': 'S', 'data': { 'b': 'int', 'a': 'str' } }`),
    forth: ['harmless readers member-added c: result.a'],
    back: ['breaking readers member-removed c: result.a'],
  },
  {
    title: 'optional result member',
    old: giving(`'S'`, `{ 'struct': 'S', 'data': { 'b': 'int' } }`),
    newer: giving(`'S'`, `{ 'struct': 'S', 'data': { 'b': 'int', '*a': 'str' } }`),
    forth: ['harmless readers member-added c: result.a'],
    back: ['breaking readers member-removed c: result.a'],
  },
  {
    title: 'optional instead of mandatory result member, in an array',
    old: giving(`['S']`, `{ 'struct': 'S', 'data': { 'a': 'int' } }`),
    newer: giving(`['S']`, `{ 'struct': 'S', 'data': { '*a': 'int' } }`),
    forth: ['breaking readers member-optional c: result[].a'],
    back: ['harmless readers member-mandatory c: result[].a'],
  },
  {
    title: 'data member',
    old: `{ 'event': 'E' } ${other}`,
    newer: sending(`'a': 'str'`),
    forth: ['harmless readers member-added E: data.a'],
    back: ['breaking readers member-removed E: data.a'],
  },
  {
    title: 'optional instead of mandatory data member',
    old: sending(`'a': 'str'`),
    newer: sending(`'*a': 'str'`),
    forth: ['breaking readers member-optional E: data.a'],
    back: ['harmless readers member-mandatory E: data.a'],
  },
  {
    title: 'member of a type that is sent and received',
    old: both(`'a': 'int'`),
    newer: both(`'a': 'int', 'b': 'int'`),
    forth: ['breaking callers member-added c: arguments.s.b', 'harmless readers member-added c: result[].b'],
    back: ['breaking callers member-removed c: arguments.s.b', 'breaking readers member-removed c: result[].b'],
  },
  {
    title: 'member of a type in two places: of two paths of the same length, the one that sorts first, in any order',
    old: taking(`'b': 'S', 'a': 'S'`, `{ 'struct': 'S', 'data': { 'x': 'int' } }`),
    newer: taking(`'b': 'S', 'a': 'S'`, `{ 'struct': 'S', 'data': { '*x': 'int' } }`),
    forth: ['harmless callers member-optional c: arguments.a.x'],
    back: ['breaking callers member-mandatory c: arguments.a.x'],
  },
  {
    title: 'renamed member',
    old: both(`'a': 'int'`),
    newer: both(`'b': 'int'`),
    forth: [
      'breaking callers member-removed c: arguments.s.a',
      'breaking callers member-added c: arguments.s.b',
      'breaking readers member-removed c: result[].a',
      'harmless readers member-added c: result[].b',
    ],
    back: [
      'breaking callers member-added c: arguments.s.a',
      'breaking callers member-removed c: arguments.s.b',
      'harmless readers member-added c: result[].a',
      'breaking readers member-removed c: result[].b',
    ],
  },
  {
    title: 'member of a base: one change for all types with the base',
    old: `{ 'struct': 'Base', 'data': { 'a': 'int' } }
      { 'struct': 'S', 'base': 'Base', 'data': { 'b': 'int' } } { 'struct': 'T', 'base': 'Base', 'data': { 'c': 'int' } }
      { 'command': 'c', 'data': 'S' } { 'command': 'd', 'data': { 't': 'T' } }`,
    newer: `{ 'struct': 'Base', 'data': { 'a': 'int', '*x': 'int' } }
      { 'struct': 'S', 'base': 'Base', 'data': { 'b': 'int' } } { 'struct': 'T', 'base': 'Base', 'data': { 'c': 'int' } }
      { 'command': 'c', 'data': 'S' } { 'command': 'd', 'data': { 't': 'T' } }`,
    forth: ['harmless callers member-added c: arguments.x + d: arguments.t.x'],
    back: ['breaking callers member-removed c: arguments.x + d: arguments.t.x'],
  },
  {
    title: 'member that moves into a base',
    old: `{ 'struct': 'Base', 'data': { 'a': 'int' } } { 'struct': 'S', 'base': 'Base', 'data': { 'b': 'int' } }
      { 'command': 'c', 'data': 'S' }`,
    newer: `{ 'struct': 'Base', 'data': { 'b': 'int' } } { 'struct': 'S', 'base': 'Base', 'data': { 'a': 'int' } }
      { 'command': 'c', 'data': 'S' }`,
    forth: [],
    back: [],
  },
  {
    title: 'member that moves elsewhere',
    old: `{ 'struct': 'S', 'data': { 'a': 'int', 'b': 'int' } } { 'command': 'c', 'data': { 's': 'S' } }`,
    newer: `{ 'struct': 'S', 'data': { 'a': 'int' } } { 'command': 'c', 'data': { 's': 'S', 'b': 'int' } }`,
    forth: ['breaking callers member-added c: arguments.b', 'breaking callers member-removed c: arguments.s.b'],
    back: ['breaking callers member-removed c: arguments.b', 'breaking callers member-added c: arguments.s.b'],
  },
];

const types: Case[] = [
  {
    title: 'argument, to another type',
    old: taking(`'a': 'str'`),
    newer: taking(`'a': 'bool'`),
    forth: ['breaking callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'data member, to another type',
    old: sending(`'a': 'str'`),
    newer: sending(`'a': ['str']`),
    forth: ['breaking readers type-changed E: data.a'],
    back: ['breaking readers type-changed E: data.a'],
  },
  {
    title: 'elements of an array',
    old: taking(`'a': ['str']`),
    newer: taking(`'a': ['int']`),
    forth: ['breaking callers type-changed c: arguments.a[]'],
    back: ['breaking callers type-changed c: arguments.a[]'],
  },
  {
    title: 'object to an array of objects',
    old: giving(`'S'`, `{ 'struct': 'S', 'data': { 'a': 'int' } }`),
    newer: giving(`['S']`, `{ 'struct': 'S', 'data': { 'a': 'int' } }`),
    forth: ['breaking readers type-changed c: result'],
    back: ['breaking readers type-changed c: result'],
  },
  {
    title: 'no result to a result',
    old: `{ 'command': 'c' }`,
    newer: giving(`'S'`, `{ 'struct': 'S', 'data': { 'a': 'int' } }`),
    forth: ['harmless readers type-changed c: result'],
    back: ['breaking readers type-changed c: result'],
  },
  {
    title: 'no result to an array',
    old: `{ 'command': 'c' }`,
    newer: giving(`['str']`),
    forth: ['harmless readers type-changed c: result'],
    back: ['breaking readers type-changed c: result'],
  },
  {
    title: 'width of an argument',
    isWidth: true,
    old: taking(`'a': 'uint8'`),
    newer: taking(`'a': 'uint16'`),
    forth: ['harmless callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'width of a result member',
    isWidth: true,
    old: giving(`['uint32']`),
    newer: giving(`['uint64']`),
    forth: ['breaking readers type-changed c: result[]'],
    back: ['harmless readers type-changed c: result[]'],
  },
  {
    title: 'sign of an argument: servers accept negative numbers as unsigned ones',
    isWidth: true,
    old: taking(`'a': 'int'`),
    newer: taking(`'a': 'uint64'`),
    forth: ['notable callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'sign of a result: servers never send negative numbers as unsigned ones',
    isWidth: true,
    old: giving(`['int']`),
    newer: giving(`['size']`),
    forth: ['breaking readers type-changed c: result[]'],
    back: ['breaking readers type-changed c: result[]'],
  },
  {
    title: 'sign of a narrow argument',
    isWidth: true,
    old: taking(`'a': 'int32'`),
    newer: taking(`'a': 'uint32'`),
    forth: ['breaking callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'integer types with the same range',
    old: taking(`'a': 'int', 'b': 'size', 'c': ['int64']`),
    newer: taking(`'a': 'int64', 'b': 'uint64', 'c': ['int']`),
    forth: [],
    back: [],
  },
  {
    title: 'integer to number, argument',
    old: taking(`'a': 'int8'`),
    newer: taking(`'a': 'number'`),
    forth: ['harmless callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'integer to number, data member',
    old: sending(`'a': 'uint64'`),
    newer: sending(`'a': 'number'`),
    forth: ['breaking readers type-changed E: data.a'],
    back: ['harmless readers type-changed E: data.a'],
  },
  {
    title: 'any, argument',
    old: taking(`'a': 'int'`),
    newer: taking(`'a': 'any'`),
    forth: ['harmless callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'any, data member',
    old: sending(`'a': ['int']`),
    newer: sending(`'a': 'any'`),
    forth: ['breaking readers type-changed E: data.a'],
    back: ['harmless readers type-changed E: data.a'],
  },
  {
    title: 'string to enum, argument',
    old: taking(`'a': 'str'`),
    newer: taking(`'a': 'V'`, enumeration(`'x'`)),
    forth: ['breaking callers type-changed c: arguments.a'],
    back: ['harmless callers type-changed c: arguments.a'],
  },
  {
    title: 'string to enum, data member',
    old: sending(`'a': 'str'`),
    newer: sending(`'a': 'V'`, enumeration(`'x'`)),
    forth: ['harmless readers type-changed E: data.a'],
    back: ['notable readers type-changed E: data.a'],
  },
  {
    title: 'renamed enum',
    old: taking(`'a': 'V'`, enumeration(`'x'`)),
    newer: taking(`'a': 'W'`, `{ 'enum': 'W', 'data': [ 'x', 'y' ] }`),
    forth: ['harmless callers value-added c: arguments.a'],
    back: ['breaking callers value-removed c: arguments.a'],
  },
];

const values: Case[] = [
  {
    title: 'of an argument',
    old: taking(`'a': 'V'`, enumeration(`'x'`)),
    newer: taking(`'a': 'V'`, enumeration(`'x'`, `'y'`)),
    forth: ['harmless callers value-added c: arguments.a'],
    back: ['breaking callers value-removed c: arguments.a'],
  },
  {
    title: 'of a result',
    old: giving(`['V']`, enumeration(`'x'`)),
    newer: giving(`['V']`, enumeration(`'x'`, `'y'`)),
    forth: ['notable readers value-added c: result[]'],
    back: ['notable readers value-removed c: result[]'],
  },
  {
    title: 'of an enum in many places: one change, the shortest path first, one for each command',
    old: `{ 'struct': 'S', 'data': { 'deep': 'V' } }
      ${taking(`'a': 'S', 'b': 'V', 'longer': 'V'`, enumeration(`'x'`))} { 'command': 'd', 'data': { 's': ['S'] } }`,
    newer: `{ 'struct': 'S', 'data': { 'deep': 'V' } }
      ${taking(`'a': 'S', 'b': 'V', 'longer': 'V'`, enumeration(`'x'`, `'y'`))} { 'command': 'd', 'data': { 's': ['S'] } }`,
    forth: ['harmless callers value-added c: arguments.b + d: arguments.s[].deep'],
    back: ['breaking callers value-removed c: arguments.b + d: arguments.s[].deep'],
  },
];

const alternates: Case[] = [
  {
    title: 'type to an alternate of it, argument',
    old: taking(`'a': 'str'`),
    newer: taking(`'a': 'A'`, alternate('str', 'null')),
    forth: ['harmless callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'type to an alternate of it, data member',
    old: sending(`'a': 'str'`),
    newer: sending(`'a': 'A'`, alternate('str', 'null')),
    forth: ['breaking readers type-changed E: data.a'],
    back: ['harmless readers type-changed E: data.a'],
  },
  {
    title: 'type to an alternate without it',
    old: taking(`'a': 'bool'`),
    newer: taking(`'a': 'A'`, alternate('str', 'null')),
    forth: ['breaking callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'type to an alternate of only that type',
    old: taking(`'a': 'str'`),
    newer: taking(`'a': 'A'`, alternate('str')),
    forth: [],
    back: [],
  },
  {
    title: 'array to an alternate that includes it',
    old: taking(`'a': ['str']`),
    newer: taking(`'a': 'A'`, `{ 'alternate': 'A', 'data': { 'l': ['str'], 's': 'str' } }`),
    forth: ['harmless callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'string to an alternate with an enum',
    old: taking(`'a': 'str'`),
    newer: taking(`'a': 'A'`, `${enumeration(`'x'`)} ${alternate('V', 'null')}`),
    forth: ['harmless callers type-changed c: arguments.a', 'breaking callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a', 'harmless callers type-changed c: arguments.a'],
  },
  {
    title: 'alternate to any',
    old: taking(`'a': 'A'`, alternate('str', 'null')),
    newer: taking(`'a': 'any'`),
    forth: ['harmless callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'alternative, argument',
    old: taking(`'a': 'A'`, alternate('str', 'null')),
    newer: taking(`'a': 'A'`, alternate('str', 'null', 'S') + `{ 'struct': 'S', 'data': { 'x': 'int' } }`),
    forth: ['harmless callers alternative-added c: arguments.a'],
    back: ['breaking callers alternative-removed c: arguments.a'],
  },
  {
    title: 'alternative, data member',
    old: sending(`'a': ['A']`, alternate('bool', 'null')),
    newer: sending(`'a': ['A']`, alternate('bool', 'null', 'int')),
    forth: ['breaking readers alternative-added E: data.a[]'],
    back: ['harmless readers alternative-removed E: data.a[]'],
  },
  {
    title: 'renamed alternative and alternate',
    old: taking(`'a': 'A'`, `{ 'alternate': 'A', 'data': { 's': 'str', 'n': 'null' } }`),
    newer: taking(`'a': 'X'`, `{ 'alternate': 'X', 'data': { 'text': 'str', 'none': 'null' } }`),
    forth: [],
    back: [],
  },
  {
    title: 'type of an alternative',
    old: taking(`'a': 'A'`, `${enumeration(`'x'`)} ${alternate('str', 'null')}`),
    newer: taking(`'a': 'A'`, `${enumeration(`'x'`)} ${alternate('V', 'null')}`),
    forth: ['breaking callers type-changed c: arguments.a'],
    back: ['harmless callers type-changed c: arguments.a'],
  },
  {
    title: 'member of an object that becomes an alternative',
    old: taking(`'a': 'S'`, `{ 'struct': 'S', 'data': { 'x': 'int' } }`),
    newer: taking(`'a': 'A'`, `{ 'struct': 'S', 'data': { 'x': 'int', 'y': 'int' } } ${alternate('S', 'str')}`),
    forth: ['harmless callers type-changed c: arguments.a', 'breaking callers member-added c: arguments.a.y'],
    back: ['breaking callers type-changed c: arguments.a', 'breaking callers member-removed c: arguments.a.y'],
  },
];

testChanges({ definitions, members, types, values, alternates });

describe('places', () => {
  it('use the names in the schemas', () => {
    const old = both(`'a': 'V', 'b': 'int'`, enumeration(`'x'`));
    const newer = `{ 'enum': 'V', 'data': [ 'x', 'y' ] }
      { 'struct': 'T', 'data': { 'a': 'V', '*b': { 'type': 'int', 'features': [ 'f' ] }, 'c': 'int' } }
      { 'command': 'c', 'data': { 's': 'T' } }`;
    const places = changesOf(old, newer).flatMap(({ side, place }) => (side === 'callers' ? [place] : []));
    expect(places).toEqual([
      { oldType: 'S', newType: 'T', member: 'b' },
      { oldType: 'S', newType: 'T', member: 'b', feature: 'f' },
      { newType: 'T', member: 'c' },
      { oldType: 'V', newType: 'V', value: 'y' },
    ]);
  });
});

describe('large schemas', () => {
  it('compares chains of types that are longer than the stack is deep', () => {
    const count = 5_000;
    const chain = (type: string): Schema =>
      schemaOf(
        [
          `{ 'command': 'c', 'data': { 'm': 'S0x' } }`,
          ...Array.from({ length: count }, (_, at) => `{ 'struct': 'S${at}x', 'data': { '*n': ['S${at + 1}x'] } }`),
          `{ 'struct': 'S${count}x', 'data': { 'a': '${type}', '*b': { 'type': 'int', 'if': 'B' } } }`,
        ].join('\n'),
      );
    const [old, newer] = [chain('int'), chain('str')];
    expect(diff(wireOf(old), wireOf(newer)).map(({ kind }) => kind)).toEqual(['type-changed']);
    const server = wireOfIntrospection(introspect(old, () => false));
    expect(observe(wireOf(old), server)).toMatchObject([{ exists: false, part: { name: 'b' } }]);
  });

  it('refuses unions that are all compared to each other', () => {
    const enumerated = Array.from({ length: 100 }, (_, value) => `'v${value}'`);
    const same = Array.from(
      { length: 50 },
      (_, at) => `{ 'union': 'U${at}', 'base': { 'k': 'K' }, 'discriminator': 'k', 'data': { 'v0': 'L', 'v1': 'L' } }`,
    );
    const unionsText = `{ 'enum': 'K', 'data': [ ${enumerated.join(', ')} ] } { 'struct': 'L', 'data': { 'l': 'int' } } ${same.join('\n')}`;
    const meeting = (choose: (at: number) => number): string =>
      taking(Array.from({ length: 50 * 50 }, (_, at) => `'m${at}': 'U${choose(at)}'`).join(', '), unionsText);
    const [old, newer] = [meeting((at) => at % 50), meeting((at) => Math.floor(at / 50))];
    expect(changesOf(old, old)).toEqual([]);
    expect(() => changesOf(old, newer)).toThrow('the branches of their unions have more than 200000 combinations');
  });
});
