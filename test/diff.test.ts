/** `diff`: one change at a time, by hand. See diff-real.test.ts for whole schemas. */

import { describe, expect, it } from 'vitest';

import { formatUse, type Change } from '../generator/src/diff/change.js';
import { diff } from '../generator/src/diff/compare.js';
import { findConditional } from '../generator/src/diff/evidence.js';
import { wireOf, wireOfIntrospection } from '../generator/src/diff/wire.js';
import { introspect } from '../generator/src/introspect.js';
import type { Schema } from '../generator/src/model.js';
import { schemaOf } from './support/schema.js';

/** Of commands that may return anything. */
function schema(text: string): Schema {
  return schemaOf(`{ 'pragma': { 'command-returns-exceptions': [ 'c', 'e' ] } } ${text}`);
}

function changesOf(old: string, now: string): Change[] {
  return diff(wireOf(schema(old)), wireOf(schema(now)));
}

/** `breaking callers member-removed c: arguments.a` */
function line({ verdict, side, kind, uses }: Change): string {
  return `${verdict} ${side} ${kind} ${uses.map(formatUse).join(' + ')}`;
}

interface Case {
  readonly title: string;
  readonly old: string;
  readonly now: string;
  /** The changes from old to now, */
  readonly forth: readonly string[];
  /** and those from now to old. */
  readonly back: readonly string[];
}

const other = `{ 'command': 'other' }`;

/** A command with these arguments, written as members. */
function taking(members: string, types = ''): string {
  return `${types} { 'command': 'c', 'data': { ${members} } }`;
}

/** A command that returns this type. */
function giving(type: string, types = ''): string {
  return `${types} { 'command': 'c', 'returns': ${type} }`;
}

/** An event with this data, written as members. */
function sending(members: string, types = ''): string {
  return `${types} { 'event': 'E', 'data': { ${members} } } ${other}`;
}

/** A struct that is both taken and given. */
function both(members: string, types = ''): string {
  return `${types} { 'struct': 'S', 'data': { ${members} } }
    { 'command': 'c', 'data': { 's': 'S' }, 'returns': ['S'] }`;
}

function enumeration(...values: string[]): string {
  return `{ 'enum': 'V', 'data': [ ${values.join(', ')} ] }`;
}

/** An alternate of these kinds. */
function alternate(...kinds: string[]): string {
  const alternatives = kinds.map((kind, index) => `'a${index}': '${kind}'`);
  return `{ 'alternate': 'A', 'data': { ${alternatives.join(', ')} } }`;
}

/** A union over `k`, with what its branches are made of. */
function union(base: string, branches: Readonly<Record<string, string>>): string {
  const names = Object.keys(branches);
  const structs = names.map((name) => `{ 'struct': 'B${name}', 'data': { ${branches[name]} } }`);
  return `{ 'enum': 'K', 'data': [ ${names.map((name) => `'${name}'`).join(', ')} ] } ${structs.join(' ')}
    { 'union': 'U', 'base': { 'k': 'K' ${base && `, ${base}`} }, 'discriminator': 'k',
      'data': { ${names.map((name) => `'${name}': 'B${name}'`).join(', ')} } }`;
}

const takingUnion = (text: string): string => `${text} { 'command': 'c', 'data': 'U', 'boxed': true }`;
const givingUnion = (text: string): string => `${text} { 'command': 'c', 'returns': 'U' }`;

const definitions: Case[] = [
  {
    title: 'command',
    old: other,
    now: `${other} { 'command': 'c', 'data': { 'a': 'str' } }`,
    forth: ['harmless callers command-added c'],
    back: ['breaking callers command-removed c'],
  },
  {
    title: 'event',
    old: other,
    now: `${other} { 'event': 'E', 'data': { 'a': 'str' } }`,
    forth: ['harmless readers event-added E'],
    back: ['breaking readers event-removed E'],
  },
  {
    title: 'name of a command',
    old: `{ 'command': 'c' }`,
    now: `{ 'command': 'd' }`,
    forth: ['breaking callers command-removed c', 'harmless callers command-added d'],
    back: ['harmless callers command-added c', 'breaking callers command-removed d'],
  },
  {
    title: 'out-of-band',
    old: `{ 'command': 'c' }`,
    now: `{ 'command': 'c', 'allow-oob': true }`,
    forth: ['harmless callers oob-granted c'],
    back: ['breaking callers oob-withdrawn c'],
  },
  {
    title: 'preconfig',
    old: `{ 'command': 'c' }`,
    now: `{ 'command': 'c', 'allow-preconfig': true }`,
    forth: ['harmless callers preconfig-granted c'],
    back: ['breaking callers preconfig-withdrawn c'],
  },
  {
    title: 'further arguments',
    old: taking(`'a': 'str'`),
    now: `{ 'command': 'c', 'data': { 'a': 'str' }, 'gen': false }`,
    forth: ['harmless callers further-arguments-changed c'],
    back: ['breaking callers further-arguments-changed c'],
  },
  {
    title: 'no code for a command without arguments, as query-qmp-schema before 6.0',
    old: `{ 'command': 'c', 'returns': ['str'], 'gen': false }`,
    now: `{ 'command': 'c', 'returns': ['str'] }`,
    forth: [],
    back: [],
  },
  {
    title: 'reply',
    old: `{ 'command': 'c', 'success-response': false }`,
    now: `{ 'command': 'c' }`,
    forth: ['notable readers reply-changed c'],
    back: ['breaking readers reply-changed c'],
  },
  {
    title: 'what no client sees: coroutine, boxed, the name of a type, an unused type',
    old: `{ 'struct': 'S', 'data': { 'a': 'str' } } { 'command': 'c', 'data': 'S' }`,
    now: `{ 'struct': 'X', 'data': { 'a': 'str' } } { 'command': 'c', 'data': 'X', 'boxed': true, 'coroutine': true }
      { 'struct': 'S', 'data': { 'b': 'str' } }`,
    forth: [],
    back: [],
  },
  {
    title: 'a named type for members that were written in place',
    old: taking(`'a': 'str', '*b': 'int'`),
    now: `{ 'struct': 'Base', 'data': { '*b': 'int' } } { 'struct': 'S', 'base': 'Base', 'data': { 'a': 'str' } }
      { 'command': 'c', 'data': 'S' }`,
    forth: [],
    back: [],
  },
  {
    title: 'order',
    old: `${taking(`'a': 'V', 'b': 'A'`, `${enumeration(`'x'`, `'y'`)} ${alternate('int', 'null')}`)} ${other}`,
    now: `${other} ${taking(`'b': 'A', 'a': 'V'`, `${enumeration(`'y'`, `'x'`)} ${alternate('null', 'int')}`)}`,
    forth: [],
    back: [],
  },
];

const members: Case[] = [
  {
    title: 'optional argument',
    old: `{ 'command': 'c' }`,
    now: taking(`'*a': 'str'`),
    forth: ['harmless callers member-added c: arguments.a'],
    back: ['breaking callers member-removed c: arguments.a'],
  },
  {
    title: 'mandatory argument',
    old: taking(`'b': 'int'`),
    now: taking(`'b': 'int', 'a': 'str'`),
    forth: ['breaking callers member-added c: arguments.a'],
    back: ['breaking callers member-removed c: arguments.a'],
  },
  {
    title: 'need of an argument',
    old: taking(`'a': 'str'`),
    now: taking(`'*a': 'str'`),
    forth: ['harmless callers member-optional c: arguments.a'],
    back: ['breaking callers member-mandatory c: arguments.a'],
  },
  {
    title: 'result member',
    old: giving(`'S'`, `{ 'struct': 'S', 'data': { 'b': 'int' } }`),
    now: giving(`'S'`, `{ 'struct': 'S', 'data': { 'b': 'int', 'a': 'str' } }`),
    forth: ['harmless readers member-added c: result.a'],
    back: ['breaking readers member-removed c: result.a'],
  },
  {
    title: 'optional result member',
    old: giving(`'S'`, `{ 'struct': 'S', 'data': { 'b': 'int' } }`),
    now: giving(`'S'`, `{ 'struct': 'S', 'data': { 'b': 'int', '*a': 'str' } }`),
    forth: ['harmless readers member-added c: result.a'],
    back: ['breaking readers member-removed c: result.a'],
  },
  {
    title: 'need of a result member, in an array',
    old: giving(`['S']`, `{ 'struct': 'S', 'data': { 'a': 'int' } }`),
    now: giving(`['S']`, `{ 'struct': 'S', 'data': { '*a': 'int' } }`),
    forth: ['breaking readers member-optional c: result[].a'],
    back: ['harmless readers member-mandatory c: result[].a'],
  },
  {
    title: 'data member',
    old: `{ 'event': 'E' } ${other}`,
    now: sending(`'a': 'str'`),
    forth: ['harmless readers member-added E: data.a'],
    back: ['breaking readers member-removed E: data.a'],
  },
  {
    title: 'need of a data member',
    old: sending(`'a': 'str'`),
    now: sending(`'*a': 'str'`),
    forth: ['breaking readers member-optional E: data.a'],
    back: ['harmless readers member-mandatory E: data.a'],
  },
  {
    title: 'member of a type that is taken and given',
    old: both(`'a': 'int'`),
    now: both(`'a': 'int', 'b': 'int'`),
    forth: ['breaking callers member-added c: arguments.s.b', 'harmless readers member-added c: result[].b'],
    back: ['breaking callers member-removed c: arguments.s.b', 'breaking readers member-removed c: result[].b'],
  },
  {
    title:
      'member of a type in two places: of two paths of one length the one that sorts first, in whatever order they are',
    old: taking(`'b': 'S', 'a': 'S'`, `{ 'struct': 'S', 'data': { 'x': 'int' } }`),
    now: taking(`'b': 'S', 'a': 'S'`, `{ 'struct': 'S', 'data': { '*x': 'int' } }`),
    forth: ['harmless callers member-optional c: arguments.a.x'],
    back: ['breaking callers member-mandatory c: arguments.a.x'],
  },
  {
    title: 'name of a member',
    old: both(`'a': 'int'`),
    now: both(`'b': 'int'`),
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
    title: 'member of a base, once for all that have it',
    old: `{ 'struct': 'Base', 'data': { 'a': 'int' } }
      { 'struct': 'S', 'base': 'Base', 'data': { 'b': 'int' } } { 'struct': 'T', 'base': 'Base', 'data': { 'c': 'int' } }
      { 'command': 'c', 'data': 'S' } { 'command': 'd', 'data': { 't': 'T' } }`,
    now: `{ 'struct': 'Base', 'data': { 'a': 'int', '*x': 'int' } }
      { 'struct': 'S', 'base': 'Base', 'data': { 'b': 'int' } } { 'struct': 'T', 'base': 'Base', 'data': { 'c': 'int' } }
      { 'command': 'c', 'data': 'S' } { 'command': 'd', 'data': { 't': 'T' } }`,
    forth: ['harmless callers member-added c: arguments.x + d: arguments.t.x'],
    back: ['breaking callers member-removed c: arguments.x + d: arguments.t.x'],
  },
  {
    title: 'member that moves into a base',
    old: `{ 'struct': 'Base', 'data': { 'a': 'int' } } { 'struct': 'S', 'base': 'Base', 'data': { 'b': 'int' } }
      { 'command': 'c', 'data': 'S' }`,
    now: `{ 'struct': 'Base', 'data': { 'b': 'int' } } { 'struct': 'S', 'base': 'Base', 'data': { 'a': 'int' } }
      { 'command': 'c', 'data': 'S' }`,
    forth: [],
    back: [],
  },
  {
    title: 'member that moves elsewhere',
    old: `{ 'struct': 'S', 'data': { 'a': 'int', 'b': 'int' } } { 'command': 'c', 'data': { 's': 'S' } }`,
    now: `{ 'struct': 'S', 'data': { 'a': 'int' } } { 'command': 'c', 'data': { 's': 'S', 'b': 'int' } }`,
    forth: ['breaking callers member-added c: arguments.b', 'breaking callers member-removed c: arguments.s.b'],
    back: ['breaking callers member-removed c: arguments.b', 'breaking callers member-added c: arguments.s.b'],
  },
];

const types: Case[] = [
  {
    title: 'argument, to another type',
    old: taking(`'a': 'str'`),
    now: taking(`'a': 'bool'`),
    forth: ['breaking callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'data member, to another type',
    old: sending(`'a': 'str'`),
    now: sending(`'a': ['str']`),
    forth: ['breaking readers type-changed E: data.a'],
    back: ['breaking readers type-changed E: data.a'],
  },
  {
    title: 'elements of an array',
    old: taking(`'a': ['str']`),
    now: taking(`'a': ['int']`),
    forth: ['breaking callers type-changed c: arguments.a[]'],
    back: ['breaking callers type-changed c: arguments.a[]'],
  },
  {
    title: 'object to array of it',
    old: giving(`'S'`, `{ 'struct': 'S', 'data': { 'a': 'int' } }`),
    now: giving(`['S']`, `{ 'struct': 'S', 'data': { 'a': 'int' } }`),
    forth: ['breaking readers type-changed c: result'],
    back: ['breaking readers type-changed c: result'],
  },
  {
    title: 'result that was none',
    old: `{ 'command': 'c' }`,
    now: giving(`'S'`, `{ 'struct': 'S', 'data': { 'a': 'int' } }`),
    forth: ['harmless readers type-changed c: result'],
    back: ['breaking readers type-changed c: result'],
  },
  {
    title: 'result that was none, an array',
    old: `{ 'command': 'c' }`,
    now: giving(`['str']`),
    forth: ['harmless readers type-changed c: result'],
    back: ['breaking readers type-changed c: result'],
  },
  {
    title: 'width of an argument',
    old: taking(`'a': 'uint8'`),
    now: taking(`'a': 'uint16'`),
    forth: ['harmless callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'width of a result member',
    old: giving(`['uint32']`),
    now: giving(`['uint64']`),
    forth: ['breaking readers type-changed c: result[]'],
    back: ['harmless readers type-changed c: result[]'],
  },
  {
    title: 'sign of an argument: a server takes negative numbers for unsigned ones',
    old: taking(`'a': 'int'`),
    now: taking(`'a': 'uint64'`),
    forth: ['notable callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'sign of a result: there are no negative numbers among unsigned ones',
    old: giving(`['int']`),
    now: giving(`['size']`),
    forth: ['breaking readers type-changed c: result[]'],
    back: ['breaking readers type-changed c: result[]'],
  },
  {
    title: 'sign of a narrow argument',
    old: taking(`'a': 'int32'`),
    now: taking(`'a': 'uint32'`),
    forth: ['breaking callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'names of one range',
    old: taking(`'a': 'int', 'b': 'size', 'c': ['int64']`),
    now: taking(`'a': 'int64', 'b': 'uint64', 'c': ['int']`),
    forth: [],
    back: [],
  },
  {
    title: 'integer to number, argument',
    old: taking(`'a': 'int8'`),
    now: taking(`'a': 'number'`),
    forth: ['harmless callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'integer to number, data member',
    old: sending(`'a': 'uint64'`),
    now: sending(`'a': 'number'`),
    forth: ['breaking readers type-changed E: data.a'],
    back: ['harmless readers type-changed E: data.a'],
  },
  {
    title: 'any, argument',
    old: taking(`'a': 'int'`),
    now: taking(`'a': 'any'`),
    forth: ['harmless callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'any, data member',
    old: sending(`'a': ['int']`),
    now: sending(`'a': 'any'`),
    forth: ['breaking readers type-changed E: data.a'],
    back: ['harmless readers type-changed E: data.a'],
  },
  {
    title: 'string to enum, argument',
    old: taking(`'a': 'str'`),
    now: taking(`'a': 'V'`, enumeration(`'x'`)),
    forth: ['breaking callers type-changed c: arguments.a'],
    back: ['harmless callers type-changed c: arguments.a'],
  },
  {
    title: 'string to enum, data member',
    old: sending(`'a': 'str'`),
    now: sending(`'a': 'V'`, enumeration(`'x'`)),
    forth: ['harmless readers type-changed E: data.a'],
    back: ['notable readers type-changed E: data.a'],
  },
  {
    title: 'enum by another name',
    old: taking(`'a': 'V'`, enumeration(`'x'`)),
    now: taking(`'a': 'W'`, `{ 'enum': 'W', 'data': [ 'x', 'y' ] }`),
    forth: ['harmless callers value-added c: arguments.a'],
    back: ['breaking callers value-removed c: arguments.a'],
  },
];

const values: Case[] = [
  {
    title: 'of an argument',
    old: taking(`'a': 'V'`, enumeration(`'x'`)),
    now: taking(`'a': 'V'`, enumeration(`'x'`, `'y'`)),
    forth: ['harmless callers value-added c: arguments.a'],
    back: ['breaking callers value-removed c: arguments.a'],
  },
  {
    title: 'of a result',
    old: giving(`['V']`, enumeration(`'x'`)),
    now: giving(`['V']`, enumeration(`'x'`, `'y'`)),
    forth: ['notable readers value-added c: result[]'],
    back: ['notable readers value-removed c: result[]'],
  },
  {
    title: 'of an enum in many places: one change, the shortest path first, one for each command',
    old: `{ 'struct': 'S', 'data': { 'deep': 'V' } }
      ${taking(`'a': 'S', 'b': 'V', 'longer': 'V'`, enumeration(`'x'`))} { 'command': 'd', 'data': { 's': ['S'] } }`,
    now: `{ 'struct': 'S', 'data': { 'deep': 'V' } }
      ${taking(`'a': 'S', 'b': 'V', 'longer': 'V'`, enumeration(`'x'`, `'y'`))} { 'command': 'd', 'data': { 's': ['S'] } }`,
    forth: ['harmless callers value-added c: arguments.b + d: arguments.s[].deep'],
    back: ['breaking callers value-removed c: arguments.b + d: arguments.s[].deep'],
  },
];

const alternates: Case[] = [
  {
    title: 'type to an alternate of it, argument',
    old: taking(`'a': 'str'`),
    now: taking(`'a': 'A'`, alternate('str', 'null')),
    forth: ['harmless callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'type to an alternate of it, data member',
    old: sending(`'a': 'str'`),
    now: sending(`'a': 'A'`, alternate('str', 'null')),
    forth: ['breaking readers type-changed E: data.a'],
    back: ['harmless readers type-changed E: data.a'],
  },
  {
    title: 'type to an alternate of others',
    old: taking(`'a': 'bool'`),
    now: taking(`'a': 'A'`, alternate('str', 'null')),
    forth: ['breaking callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'type to an alternate of nothing else',
    old: taking(`'a': 'str'`),
    now: taking(`'a': 'A'`, alternate('str')),
    forth: [],
    back: [],
  },
  {
    title: 'array to an alternate with it',
    old: taking(`'a': ['str']`),
    now: taking(`'a': 'A'`, `{ 'alternate': 'A', 'data': { 'l': ['str'], 's': 'str' } }`),
    forth: ['harmless callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'string to an alternate with an enum',
    old: taking(`'a': 'str'`),
    now: taking(`'a': 'A'`, `${enumeration(`'x'`)} ${alternate('V', 'null')}`),
    forth: ['harmless callers type-changed c: arguments.a', 'breaking callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a', 'harmless callers type-changed c: arguments.a'],
  },
  {
    title: 'alternate to any',
    old: taking(`'a': 'A'`, alternate('str', 'null')),
    now: taking(`'a': 'any'`),
    forth: ['harmless callers type-changed c: arguments.a'],
    back: ['breaking callers type-changed c: arguments.a'],
  },
  {
    title: 'alternative, argument',
    old: taking(`'a': 'A'`, alternate('str', 'null')),
    now: taking(`'a': 'A'`, alternate('str', 'null', 'S') + `{ 'struct': 'S', 'data': { 'x': 'int' } }`),
    forth: ['harmless callers alternative-added c: arguments.a'],
    back: ['breaking callers alternative-removed c: arguments.a'],
  },
  {
    title: 'alternative, data member',
    old: sending(`'a': ['A']`, alternate('bool', 'null')),
    now: sending(`'a': ['A']`, alternate('bool', 'null', 'int')),
    forth: ['breaking readers alternative-added E: data.a[]'],
    back: ['harmless readers alternative-removed E: data.a[]'],
  },
  {
    title: 'name of an alternative, and of the alternate',
    old: taking(`'a': 'A'`, `{ 'alternate': 'A', 'data': { 's': 'str', 'n': 'null' } }`),
    now: taking(`'a': 'X'`, `{ 'alternate': 'X', 'data': { 'text': 'str', 'none': 'null' } }`),
    forth: [],
    back: [],
  },
  {
    title: 'type of an alternative',
    old: taking(`'a': 'A'`, `${enumeration(`'x'`)} ${alternate('str', 'null')}`),
    now: taking(`'a': 'A'`, `${enumeration(`'x'`)} ${alternate('V', 'null')}`),
    forth: ['breaking callers type-changed c: arguments.a'],
    back: ['harmless callers type-changed c: arguments.a'],
  },
  {
    title: 'member of an object to which an alternate was added',
    old: taking(`'a': 'S'`, `{ 'struct': 'S', 'data': { 'x': 'int' } }`),
    now: taking(`'a': 'A'`, `{ 'struct': 'S', 'data': { 'x': 'int', 'y': 'int' } } ${alternate('S', 'str')}`),
    forth: ['harmless callers type-changed c: arguments.a', 'breaking callers member-added c: arguments.a.y'],
    back: ['breaking callers type-changed c: arguments.a', 'breaking callers member-removed c: arguments.a.y'],
  },
];

const unions: Case[] = [
  {
    title: 'member of a branch, argument',
    old: takingUnion(union('', { x: `'a': 'int'`, y: `'b': 'int'` })),
    now: takingUnion(union('', { x: `'a': 'int', 'n': 'int'`, y: `'b': 'int'` })),
    forth: ['breaking callers member-added c: arguments(k=x).n'],
    back: ['breaking callers member-removed c: arguments(k=x).n'],
  },
  {
    title: 'member of a branch, result',
    old: givingUnion(union('', { x: `'a': 'int'`, y: `'b': 'int'` })),
    now: givingUnion(union('', { x: `'a': 'int'`, y: `'b': 'int', '*n': 'int'` })),
    forth: ['harmless readers member-added c: result(k=y).n'],
    back: ['breaking readers member-removed c: result(k=y).n'],
  },
  {
    title: 'member of a base',
    old: takingUnion(union('', { x: `'a': 'int'`, y: `'b': 'int'` })),
    now: takingUnion(union(`'*n': 'int'`, { x: `'a': 'int'`, y: `'b': 'int'` })),
    forth: ['harmless callers member-added c: arguments.n'],
    back: ['breaking callers member-removed c: arguments.n'],
  },
  {
    title: 'member that moves from the base to all branches',
    old: takingUnion(union(`'m': 'int'`, { x: `'a': 'int'`, y: `'b': 'int'` })),
    now: takingUnion(union('', { x: `'a': 'int', 'm': 'int'`, y: `'b': 'int', 'm': 'int'` })),
    forth: [],
    back: [],
  },
  {
    title: 'member that moves from the base to one of three branches',
    old: takingUnion(union(`'*m': 'int'`, { x: `'a': 'int'`, y: `'b': 'int'`, z: `'c': 'int'` })),
    now: takingUnion(union('', { x: `'a': 'int', '*m': 'int'`, y: `'b': 'int'`, z: `'c': 'int'` })),
    forth: ['breaking callers member-removed c: arguments(k=y).m + c: arguments(k=z).m'],
    back: ['harmless callers member-added c: arguments(k=y).m + c: arguments(k=z).m'],
  },
  {
    title: 'member that moves to a branch and changes there',
    old: givingUnion(union(`'m': 'int'`, { x: `'a': 'int'`, y: `'b': 'int'` })),
    now: givingUnion(union('', { x: `'a': 'int', '*m': 'int'`, y: `'b': 'int', 'm': 'int'` })),
    forth: ['breaking readers member-optional c: result(k=x).m'],
    back: ['harmless readers member-mandatory c: result(k=x).m'],
  },
  {
    title: 'value with a branch, argument',
    old: takingUnion(union('', { x: `'a': 'int'` })),
    now: takingUnion(union('', { x: `'a': 'int'`, y: `'b': 'int'` })),
    forth: ['harmless callers value-added c: arguments.k'],
    back: ['breaking callers value-removed c: arguments.k'],
  },
  {
    title: 'value with a branch, result',
    old: givingUnion(union('', { x: `'a': 'int'` })),
    now: givingUnion(union('', { x: `'a': 'int'`, y: `'b': 'int'` })),
    forth: ['notable readers value-added c: result.k'],
    back: ['notable readers value-removed c: result.k'],
  },
  {
    title: 'all values at once: members of the base are still compared',
    old: takingUnion(union(`'m': 'int'`, { x: `'a': 'int'` })),
    now: takingUnion(union(`'*m': 'int'`, { y: `'b': 'int'` })),
    forth: [
      'breaking callers value-removed c: arguments.k',
      'harmless callers value-added c: arguments.k',
      'harmless callers member-optional c: arguments.m',
    ],
    back: [
      'breaking callers value-removed c: arguments.k',
      'harmless callers value-added c: arguments.k',
      'breaking callers member-mandatory c: arguments.m',
    ],
  },
  {
    title: 'only value left: what its branch has is still of the branch',
    old: takingUnion(union('', { x: `'a': 'int'`, y: `'b': 'int'` })),
    now: takingUnion(union('', { x: `'a': 'int', '*n': 'int'` })),
    forth: ['breaking callers value-removed c: arguments.k', 'harmless callers member-added c: arguments(k=x).n'],
    back: ['harmless callers value-added c: arguments.k', 'breaking callers member-removed c: arguments(k=x).n'],
  },
  {
    title: 'name of the type of a branch, and a branch without members',
    old: takingUnion(`{ 'enum': 'K', 'data': [ 'x', 'y' ] } { 'struct': 'B', 'data': { 'a': 'int' } } { 'struct': 'N', 'data': {} }
      { 'union': 'U', 'base': { 'k': 'K' }, 'discriminator': 'k', 'data': { 'x': 'B', 'y': 'N' } }`),
    now: takingUnion(`{ 'enum': 'K', 'data': [ 'x', 'y' ] } { 'struct': 'C', 'data': { 'a': 'int' } }
      { 'union': 'U', 'base': { 'k': 'K' }, 'discriminator': 'k', 'data': { 'x': 'C' } }`),
    forth: [],
    back: [],
  },
  {
    title: 'struct of two branches: one change',
    old: takingUnion(`{ 'enum': 'K', 'data': [ 'x', 'y', 'z' ] } { 'struct': 'B', 'data': { 'a': 'int' } }
      { 'union': 'U', 'base': { 'k': 'K' }, 'discriminator': 'k', 'data': { 'x': 'B', 'y': 'B' } }`),
    now: takingUnion(`{ 'enum': 'K', 'data': [ 'x', 'y', 'z' ] } { 'struct': 'B', 'data': { '*a': 'int' } }
      { 'union': 'U', 'base': { 'k': 'K' }, 'discriminator': 'k', 'data': { 'x': 'B', 'y': 'B' } }`),
    forth: ['harmless callers member-optional c: arguments(k=x).a + c: arguments(k=y).a'],
    back: ['breaking callers member-mandatory c: arguments(k=x).a + c: arguments(k=y).a'],
  },
  {
    title: 'struct to a union with its members in the base',
    old: `{ 'enum': 'K', 'data': [ 'x', 'y' ] } ${taking(`'k': 'K', 'm': 'int'`)}`,
    now: takingUnion(union(`'m': 'int'`, { x: '', y: `'*b': 'int'` })),
    forth: ['harmless callers member-added c: arguments(k=y).b'],
    back: ['breaking callers member-removed c: arguments(k=y).b'],
  },
  {
    title: 'struct to a union over a new member',
    old: giving(`'S'`, `{ 'struct': 'S', 'data': { 'a': 'int', 'm': 'int' } }`),
    now: givingUnion(union(`'m': 'int'`, { x: `'a': 'int'`, y: `'b': 'int'` })),
    forth: [
      'harmless readers member-added c: result.k',
      'breaking readers member-removed c: result(k=y).a',
      'harmless readers member-added c: result(k=y).b',
    ],
    back: [
      'breaking readers member-removed c: result.k',
      'harmless readers member-added c: result(k=y).a',
      'breaking readers member-removed c: result(k=y).b',
    ],
  },
  {
    title: 'member of a branch of a branch',
    old: takingUnion(nestedUnion(`'a': 'int'`)),
    now: takingUnion(nestedUnion(`'a': 'int', 'n': 'int'`)),
    forth: ['breaking callers member-added c: arguments(k=x,j=p).n'],
    back: ['breaking callers member-removed c: arguments(k=x,j=p).n'],
  },
  {
    title: 'branches of branches, without the step between',
    old: takingUnion(nestedUnion(`'a': 'int'`, `'j': 'J'`)),
    now: takingUnion(`{ 'enum': 'K', 'data': [ 'x', 'y' ] } { 'struct': 'B', 'data': { 'j': 'J', '*a': 'int' } }
      { 'enum': 'J', 'data': [ 'p', 'q' ] }
      { 'union': 'U', 'base': { 'k': 'K' }, 'discriminator': 'k', 'data': { 'x': 'B' } }`),
    forth: [
      'harmless callers member-optional c: arguments(k=x,j=p).a',
      'harmless callers member-added c: arguments(k=x,j=q).a',
    ],
    back: [
      'breaking callers member-mandatory c: arguments(k=x,j=p).a',
      'breaking callers member-removed c: arguments(k=x,j=q).a',
    ],
  },
  {
    title: 'union as it was written before QEMU 6.2, without a discriminator',
    old: taking(
      `'of': 'U'`,
      `{ 'struct': 'S', 'data': { 'a': 'int' } } { 'union': 'U', 'data': { 'x': 'S', 'y': 'str' } }`,
    ),
    now: taking(
      `'of': 'U'`,
      `{ 'struct': 'S', 'data': { 'a': 'int' } } { 'enum': 'K', 'data': [ 'x', 'y' ] }
        { 'struct': 'X', 'data': { 'data': 'S' } } { 'struct': 'Y', 'data': { 'data': 'str' } }
        { 'union': 'U', 'base': { 'type': 'K' }, 'discriminator': 'type', 'data': { 'x': 'X', 'y': 'Y' } }`,
    ),
    forth: [],
    back: [],
  },
  {
    title: 'type that holds itself',
    old: taking(`'s': 'S'`, `{ 'struct': 'S', 'data': { '*next': 'S', 'a': 'int' } }`),
    now: taking(`'s': 'T'`, `{ 'struct': 'T', 'data': { '*next': 'T', 'a': 'int', '*b': 'str' } }`),
    forth: ['harmless callers member-added c: arguments.s.b'],
    back: ['breaking callers member-removed c: arguments.s.b'],
  },
];

/** A union over `k`, whose branch `x` is one over `j`, whose branch `p` has these members. */
function nestedUnion(inner: string, base = `'j': 'J'`): string {
  return `{ 'enum': 'K', 'data': [ 'x', 'y' ] } { 'enum': 'J', 'data': [ 'p', 'q' ] }
    { 'struct': 'P', 'data': { ${inner} } }
    { 'union': 'Inner', 'base': { ${base} }, 'discriminator': 'j', 'data': { 'p': 'P' } }
    { 'union': 'U', 'base': { 'k': 'K' }, 'discriminator': 'k', 'data': { 'x': 'Inner' } }`;
}

/** What has features and conditions, with a place to write them. */
const marked: readonly {
  readonly title: string;
  readonly text: (marks: string) => string;
  readonly side: 'callers' | 'readers';
  readonly use: string;
  readonly lacks?: 'features' | 'conditions';
}[] = [
  { title: 'command', text: (marks) => `{ 'command': 'c' ${marks} }`, side: 'callers', use: 'c' },
  { title: 'event', text: (marks) => `{ 'event': 'E' ${marks} } ${other}`, side: 'readers', use: 'E' },
  {
    title: 'argument',
    text: (marks) => taking(`'a': { 'type': 'int' ${marks} }`),
    side: 'callers',
    use: 'c: arguments.a',
  },
  {
    title: 'result member',
    text: (marks) => giving(`['S']`, `{ 'struct': 'S', 'data': { 'a': { 'type': 'int' ${marks} } } }`),
    side: 'readers',
    use: 'c: result[].a',
  },
  {
    title: 'data member',
    text: (marks) => sending(`'a': { 'type': 'int' ${marks} }`),
    side: 'readers',
    use: 'E: data.a',
  },
  {
    title: 'value',
    text: (marks) => taking(`'a': 'V'`, enumeration(`{ 'name': 'x' ${marks} }`, `'y'`)),
    side: 'callers',
    use: 'c: arguments.a',
  },
  {
    title: 'value of a result',
    text: (marks) => giving(`['V']`, enumeration(`{ 'name': 'x' ${marks} }`, `'y'`)),
    side: 'readers',
    use: 'c: result[]',
  },
  {
    title: 'struct',
    text: (marks) => taking(`'s': 'S'`, `{ 'struct': 'S', 'data': { 'a': 'int' } ${marks} }`),
    side: 'callers',
    use: 'c: arguments.s',
    lacks: 'conditions',
  },
  {
    title: 'branch',
    text: (marks) =>
      takingUnion(`{ 'enum': 'K', 'data': [ 'x', 'y' ] } { 'struct': 'B', 'data': { 'a': 'int' } ${marks} }
        { 'union': 'U', 'base': { 'k': 'K' }, 'discriminator': 'k', 'data': { 'x': 'B' } }`),
    side: 'callers',
    use: 'c: arguments(k=x)',
    lacks: 'conditions',
  },
  {
    title: 'enum',
    text: (marks) => sending(`'v': 'V'`, `{ 'enum': 'V', 'data': [ 'x' ] ${marks} }`),
    side: 'readers',
    use: 'E: data.v',
    lacks: 'conditions',
  },
  {
    title: 'alternate',
    text: (marks) => taking(`'a': 'A'`, `{ 'alternate': 'A', 'data': { 's': 'str' } ${marks} }`),
    side: 'callers',
    use: 'c: arguments.a',
    lacks: 'conditions',
  },
  {
    title: 'alternative',
    text: (marks) =>
      taking(`'a': 'A'`, `{ 'alternate': 'A', 'data': { 's': { 'type': 'str' ${marks} }, 'n': 'null' } }`),
    side: 'callers',
    use: 'c: arguments.a',
    lacks: 'features',
  },
  {
    title: 'feature',
    text: (marks) => `{ 'command': 'c', 'features': [ { 'name': 'f' ${marks} } ] }`,
    side: 'callers',
    use: 'c',
    lacks: 'features',
  },
  {
    title: 'branch alone',
    text: (marks) =>
      takingUnion(`{ 'enum': 'K', 'data': [ 'x', 'y' ] } { 'struct': 'B', 'data': { 'a': 'int' } }
        { 'union': 'U', 'base': { 'k': 'K' }, 'discriminator': 'k', 'data': { 'x': { 'type': 'B' ${marks} } } }`),
    side: 'callers',
    use: 'c: arguments(k=x)',
    lacks: 'features',
  },
];

const features: Case[] = marked
  .filter(({ lacks }) => lacks !== 'features')
  .flatMap(({ title, text, side, use, lacks }) => {
    const of = (feature: string, forth: string, back: string): Case => ({
      title: `'${feature}' of a ${title}`,
      old: text(''),
      now: text(`, 'features': [ '${feature}' ]`),
      forth: [`${forth} ${side} feature-added ${use}`],
      back: [`${back} ${side} feature-removed ${use}`],
    });
    const warnings = [of('deprecated', 'notable', 'harmless'), of('unstable', 'notable', 'harmless')];
    // Types of their own are never deprecated.
    return [of('savvy', 'harmless', 'notable'), ...(lacks === 'conditions' ? [] : warnings)];
  });

const conditions: Case[] = [
  ...marked
    .filter(({ lacks }) => lacks !== 'conditions')
    .flatMap(({ title, text, side, use }) => [
      {
        title: `of a ${title}`,
        old: text(''),
        now: text(`, 'if': 'CONFIG_A'`),
        forth: [`notable ${side} condition-changed ${use}`],
        back: [`harmless ${side} condition-changed ${use}`],
      },
      {
        title: `of a ${title}, weakened`,
        old: text(`, 'if': { 'all': [ 'CONFIG_A', 'CONFIG_B' ] }`),
        now: text(`, 'if': 'CONFIG_B'`),
        forth: [`harmless ${side} condition-changed ${use}`],
        back: [`notable ${side} condition-changed ${use}`],
      },
      {
        title: `of a ${title}, another`,
        old: text(`, 'if': 'CONFIG_A'`),
        now: text(`, 'if': 'CONFIG_B'`),
        forth: [`notable ${side} condition-changed ${use}`],
        back: [`notable ${side} condition-changed ${use}`],
      },
      {
        title: `of a ${title}, put in another way`,
        old: text(`, 'if': { 'not': { 'any': [ 'CONFIG_A', 'CONFIG_B' ] } }`),
        now: text(`, 'if': { 'all': [ { 'not': 'CONFIG_B' }, { 'not': 'CONFIG_A' }, { 'not': 'CONFIG_B' } ] }`),
        forth: [],
        back: [],
      },
    ]),
  {
    title: 'of a value and its branch: one change',
    old: takingUnion(union('', { x: `'a': 'int'`, y: `'b': 'int'` })),
    now: takingUnion(`{ 'enum': 'K', 'data': [ 'x', { 'name': 'y', 'if': 'CONFIG_A' } ] }
      { 'struct': 'Bx', 'data': { 'a': 'int' } } { 'struct': 'By', 'data': { 'b': 'int' } }
      { 'union': 'U', 'base': { 'k': 'K' }, 'discriminator': 'k',
        'data': { 'x': 'Bx', 'y': { 'type': 'By', 'if': 'CONFIG_A' } } }`),
    forth: ['notable callers condition-changed c: arguments.k'],
    back: ['harmless callers condition-changed c: arguments.k'],
  },
  {
    title: 'as they were written before QEMU 6.2',
    old: `{ 'command': 'c', 'if': ['defined(CONFIG_A)', 'defined(CONFIG_B)'] }`,
    now: `{ 'command': 'c', 'if': { 'all': [ 'CONFIG_A', 'CONFIG_B' ] } }`,
    forth: [],
    back: [],
  },
];

const tables = { definitions, members, types, values, alternates, unions, features, conditions };
const all = Object.values(tables).flat();

describe.each(Object.entries(tables))('%s', (_, cases) => {
  it.each(cases)('$title', ({ old, now, forth, back }) => {
    const lines = (changes: readonly Change[]): string[] => changes.map(line).toSorted();
    expect(lines(changesOf(old, now))).toEqual(forth.toSorted());
    expect(lines(changesOf(now, old))).toEqual(back.toSorted());
  });
});

describe('every pair of the tables', () => {
  const mirrors: Readonly<Record<string, string>> = {
    added: 'removed',
    removed: 'added',
    optional: 'mandatory',
    mandatory: 'optional',
    granted: 'withdrawn',
    withdrawn: 'granted',
  };
  const mirror = (kind: string): string => kind.replace(/\w+$/u, (end) => mirrors[end] ?? end);
  const summary = ({ side, uses, place: { oldType, newType, ...place } }: Change, kind: string): string =>
    JSON.stringify({ side, kind, uses: uses.map(formatUse), types: new Set([oldType, newType]).size, place });

  it.each(all)('is the same in both directions, mirrored: $title', ({ old, now }) => {
    const forth = changesOf(old, now).map((change) => summary(change, change.kind));
    const back = changesOf(now, old).map((change) => summary(change, mirror(change.kind)));
    expect(forth.toSorted()).toEqual(back.toSorted());
  });

  it.each(all)('is no change from itself: $title', ({ old, now }) => {
    expect([...changesOf(old, old), ...changesOf(now, now)]).toEqual([]);
  });

  const hidden = new Set([
    'condition-changed',
    'further-arguments-changed',
    'reply-changed',
    'preconfig-granted',
    'preconfig-withdrawn',
  ]);
  const widths = new Set(types.filter(({ title }) => /^(?:width|sign)/u.test(title)));

  it.each(all.filter((one) => !widths.has(one)))('is the same by introspection: $title', ({ old, now }) => {
    const [before, after] = [schema(old), schema(now)];
    const introspected = [before, after].map((one) => wireOfIntrospection(introspect(one, () => true)));
    const [oldWire = wireOf(before), newWire = wireOf(after)] = introspected;
    const want = changesOf(old, now).filter(({ kind }) => !hidden.has(kind));
    // A member of a base is one of each type there.
    const flat = (changes: readonly Change[]): string[] =>
      changes.flatMap(({ verdict, side, kind, uses }) =>
        uses.map((use) => `${verdict} ${side} ${kind} ${formatUse(use)}`),
      );
    for (const [one, another] of [
      [oldWire, newWire],
      [wireOf(before), newWire],
      [oldWire, wireOf(after)],
    ] as const) {
      expect(flat(diff(one, another)).toSorted()).toEqual(flat(want).toSorted());
    }
  });

  it.each([...widths])('is not seen by introspection: $title', ({ old, now }) => {
    const newWire = wireOfIntrospection(introspect(schema(now), () => true));
    expect(diff(wireOf(schema(old)), newWire)).toEqual([]);
  });
});

describe('texts', () => {
  const texts: { title: string; old: string; now: string; want: readonly string[] }[] = [
    {
      title: 'arguments',
      old: taking(`'a': 'int', 'b': 'int', '*c': 'int', 'd': 'int', 'e': ['V']`, enumeration(`'x'`)),
      now: taking(`'new': 'int', '*n': 'int', '*b': 'int', 'c': 'int', 'd': 'str', 'e': ['str']`),
      want: [
        `argument 'a' is gone: calls with it are refused`,
        `argument 'b' is now optional`,
        `argument 'c' is now mandatory: calls without it are refused`,
        `argument 'd' is now 'str', was 'int': some values are refused`,
        `each of argument 'e' is now 'str', was enum 'V'`,
        `mandatory argument 'new' is new: calls without it are refused`,
        `optional argument 'n' is new`,
      ],
    },
    {
      title: 'members within members',
      old: both(`'a': 'int', 'b': { 'type': 'int', 'features': [ 'deprecated' ] }`),
      now: both(`'a': 'int', 'c': { 'type': 'int', 'if': 'CONFIG_A' }`),
      want: [
        `member 'b' of 'S' is gone, it was deprecated: calls with it are refused`,
        `mandatory member 'c' of 'S' is new: calls without it are refused`,
        `result member 'b' is gone, it was deprecated`,
        `result member 'c' is new`,
      ],
    },
    {
      title: 'a type that another took the place of',
      old: taking(`'s': 'S', 't': 'S'`, `{ 'struct': 'S', 'data': { 'a': 'int', 'b': 'int' } }`),
      now: taking(
        `'s': 'S', 't': 'T'`,
        `{ 'struct': 'S', 'data': { 'a': 'int', 'b': 'int' } } { 'struct': 'T', 'data': { 'b': 'int' } }`,
      ),
      want: [`member 'a' of 'S', now 'T', is gone: calls with it are refused`],
    },
    {
      title: 'a base under a type that another took the place of',
      old: taking(
        `'s': 'S'`,
        `{ 'struct': 'Base', 'data': { 'a': 'int' } } { 'struct': 'S', 'base': 'Base', 'data': {} }`,
      ),
      now: taking(`'s': 'T'`, `{ 'struct': 'Base', 'data': {} } { 'struct': 'T', 'base': 'Base', 'data': {} }`),
      want: [`member 'a' of 'Base' is gone: calls with it are refused`],
    },
    {
      title: 'values',
      old: giving(`['V']`, enumeration(`{ 'name': 'x', 'features': [ 'unstable' ] }`, `'y'`)),
      now: giving(`['V']`, enumeration(`'z'`, `{ 'name': 'y', 'if': 'CONFIG_A', 'features': [ 'deprecated' ] }`)),
      want: [
        `'x' is no longer a value of 'V', it was unstable: readers do not find it`,
        `value 'y' of 'V' is now only in builds with 'CONFIG_A': a server may lack it`,
        `value 'y' of 'V' is deprecated now: a later version may lack it`,
        `'z' is a new value of 'V': readers may find it`,
      ],
    },
    {
      title: 'commands and events',
      old: `{ 'command': 'c', 'data': { '*a': 'int' }, 'allow-oob': true, 'if': 'CONFIG_A', 'features': [ 'f' ] } { 'event': 'E', 'if': 'CONFIG_A' }`,
      now: `{ 'command': 'c', 'data': { '*a': 'int' }, 'gen': false, 'features': [ 'deprecated' ] } { 'event': 'E', 'if': 'CONFIG_B' }`,
      want: [
        `the command is now in every build, was only with 'CONFIG_A'`,
        `the command no longer has the feature 'f': programs that ask for it do not find it`,
        `the command is deprecated now: a later version may lack it`,
        `the command can no longer be called out of band: out-of-band calls are refused`,
        `the command now takes further arguments`,
        `the event is now only in builds with 'CONFIG_B', was with 'CONFIG_A': a server may lack it`,
      ],
    },
    {
      title: 'results',
      old: `{ 'struct': 'S', 'data': { 'a': 'int' } } { 'command': 'c', 'returns': 'S' } { 'command': 'd' } { 'command': 'e', 'returns': ['int'] }`,
      now: `{ 'struct': 'S', 'data': { 'a': 'int' } } { 'command': 'c' } { 'command': 'd', 'returns': ['S'] } { 'command': 'e', 'returns': 'S' }`,
      want: [
        `the result is gone, it was object 'S'`,
        `the result is new: an array of object 'S'`,
        `the result is now object 'S', was an array of 'int': readers may find what they do not know`,
      ],
    },
    {
      title: 'alternates',
      old: taking(`'a': 'str', 'b': 'A'`, alternate('null', 'str')),
      now: taking(`'a': 'A', 'b': 'A'`, `${alternate('V', 'int')} ${enumeration(`'x'`)}`).replaceAll(
        `'a0': 'V'`,
        `'a0': 'V'`,
      ),
      want: [
        `argument 'a' is now alternate 'A', was 'str'`,
        `argument 'a', where it is of kind 'string', is now enum 'V', was 'str': some values are refused`,
        `the alternative of kind 'null' of 'A' is gone: calls with it are refused`,
        `the alternative of kind 'string' of 'A' is now enum 'V', was 'str': some values are refused`,
        `the alternative of kind 'number' of 'A' is new`,
      ],
    },
  ];
  it.each(texts)('of $title', ({ old, now, want }) => {
    expect(changesOf(old, now).map(({ text }) => text)).toEqual(want);
  });

  it('have no number that masks a type', () => {
    const wire = (text: string): ReturnType<typeof wireOf> => wireOfIntrospection(introspect(schema(text), () => true));
    const [old, now] = [
      both(`'a': 'V', 'b': 'A', 'c': 'int'`, `${enumeration(`'x'`)} ${alternate('str', 'null')}`),
      both(`'a': 'str', 'b': 'A', 'd': 'int'`, `${enumeration(`'x'`)} ${alternate('str', 'S')}`),
    ];
    const want = [
      `member 'a' is now 'str', was an enum`,
      `member 'c' is gone: calls with it are refused`,
      `mandatory member 'd' is new: calls without it are refused`,
      `the alternative of kind 'null' is gone: calls with it are refused`,
      `the alternative of kind 'object' is new`,
    ];
    const textsOf = (changes: readonly Change[]): string[] =>
      changes.filter(({ side }) => side === 'callers').map(({ text }) => text);
    expect(textsOf(diff(wire(old), wire(now)))).toEqual(want);
    const named = textsOf(diff(wireOf(schema(old)), wire(now))).join('\n');
    expect(named).not.toMatch(/\d/u);
    expect(named).toContain(`member 'c' of 'S' is gone`);
  });
});

describe('places', () => {
  it('are in the words of the schemas', () => {
    const old = both(`'a': 'V', 'b': 'int'`, enumeration(`'x'`));
    const now = `{ 'enum': 'V', 'data': [ 'x', 'y' ] }
      { 'struct': 'T', 'data': { 'a': 'V', '*b': { 'type': 'int', 'features': [ 'f' ] }, 'c': 'int' } }
      { 'command': 'c', 'data': { 's': 'T' } }`;
    const places = changesOf(old, now).flatMap(({ side, place }) => (side === 'callers' ? [place] : []));
    expect(places).toEqual([
      { oldType: 'S', newType: 'T', member: 'b' },
      { oldType: 'S', newType: 'T', member: 'b', feature: 'f' },
      { newType: 'T', member: 'c' },
      { oldType: 'V', newType: 'V', value: 'y' },
    ]);
  });
});

describe('large schemas', () => {
  it('with chains of types that are longer than the stack is deep', () => {
    const count = 5_000;
    const chain = (type: string): Schema =>
      schemaOf(
        [
          `{ 'command': 'c', 'data': { 'm': 'S0x' } }`,
          ...Array.from({ length: count }, (_, at) => `{ 'struct': 'S${at}x', 'data': { '*n': ['S${at + 1}x'] } }`),
          `{ 'struct': 'S${count}x', 'data': { 'a': '${type}', '*b': { 'type': 'int', 'if': 'B' } } }`,
        ].join('\n'),
      );
    const [old, now] = [chain('int'), chain('str')];
    expect(diff(wireOf(old), wireOf(now)).map(({ kind }) => kind)).toEqual(['type-changed']);
    const server = wireOfIntrospection(introspect(old, () => false));
    expect(findConditional(wireOf(old), server)).toMatchObject([{ isThere: false, part: { name: 'b' } }]);
  });

  it('but not with unions that all meet each other', () => {
    const enumerated = Array.from({ length: 100 }, (_, value) => `'v${value}'`);
    const same = Array.from(
      { length: 50 },
      (_, at) => `{ 'union': 'U${at}', 'base': { 'k': 'K' }, 'discriminator': 'k', 'data': { 'v0': 'L', 'v1': 'L' } }`,
    );
    const unionsText = `{ 'enum': 'K', 'data': [ ${enumerated.join(', ')} ] } { 'struct': 'L', 'data': { 'l': 'int' } } ${same.join('\n')}`;
    const meeting = (choose: (at: number) => number): string =>
      taking(Array.from({ length: 50 * 50 }, (_, at) => `'m${at}': 'U${choose(at)}'`).join(', '), unionsText);
    const [old, now] = [meeting((at) => at % 50), meeting((at) => Math.floor(at / 50))];
    expect(changesOf(old, old)).toEqual([]);
    expect(() => changesOf(old, now)).toThrow('their unions meet in more than 200000 branches');
  });
});

describe('introspection that is none', () => {
  const object = { name: '0', 'meta-type': 'object', members: [] };
  const command = { name: 'c', 'meta-type': 'command', 'arg-type': '0', 'ret-type': '0' };
  const bool = { name: 'bool', 'meta-type': 'builtin', 'json-type': 'boolean' };
  const enumOf = { name: '1', 'meta-type': 'enum', values: ['x'] };
  const withMember = (member: unknown): unknown => ({ ...object, members: [member] });
  const malformed: [string, unknown, string][] = [
    ['no array', {}, 'expected an array'],
    ['nothing', undefined, 'expected an array'],
    ['no object', [null], 'entry 1: expected an object'],
    ['no name', [{ 'meta-type': 'event' }], "entry 1: expected a string as 'name'"],
    ['no meta-type', [{ name: 'x' }], "entry 1 ('x'): expected a string as 'meta-type'"],
    ['another meta-type', [{ name: 'x', 'meta-type': 'toString' }], "entry 1 ('x'): unknown meta-type 'toString'"],
    ['another json-type', [{ ...bool, 'json-type': 'constructor' }], "('bool'): unknown json-type 'constructor'"],
    ['a type that is not there', [{ ...command, 'arg-type': '__proto__' }], "('c'): there is no type '__proto__'"],
    [
      'arguments that are no object',
      [{ ...command, 'arg-type': 'bool' }, object, bool],
      "the type 'bool' is no object",
    ],
    ['a flag that is none', [{ ...command, 'allow-oob': 1 }, object], "expected true or false as 'allow-oob'"],
    ['two types of a name', [command, object, object], "entry 3 ('0'): there is another type of that name"],
    ['two commands of a name', [command, command, object], "entry 2 ('c'): is there twice"],
    ['no command', [object], 'there is no command'],
    ['members that are none', [command, { ...object, members: 3 }], "expected an array as 'members'"],
    [
      'a member without type',
      [command, withMember({ name: 'a' })],
      "('0'): members 1 ('a'): expected a string as 'type'",
    ],
    ['features that are none', [{ ...command, features: [1] }, object], "expected strings in 'features'"],
    ['a tag without variants', [command, { ...object, tag: 'k' }], "the tag 'k' is no member with an enum"],
    [
      'an array of arrays',
      [command, object, { name: 'a', 'meta-type': 'array', 'element-type': 'a' }],
      "('a'): an array of arrays",
    ],
    [
      'an alternate of itself',
      [command, object, { name: 'a', 'meta-type': 'alternate', members: [{ type: 'a' }] }],
      "('a'): members 1: an alternate within an alternate",
    ],
    [
      'an object within its branches',
      [
        command,
        enumOf,
        {
          ...object,
          members: [{ name: 'k', type: '1' }],
          tag: 'k',
          variants: [{ case: 'x', type: '0' }],
        },
      ],
      "('0'): branches in branches do not end",
    ],
    [
      'branches that multiply',
      [
        command,
        object,
        { ...enumOf, values: ['x', 'y'] },
        ...Array.from({ length: 60 }, (_, index) => ({
          name: `u${index}`,
          'meta-type': 'object',
          members: [{ name: `k${index}`, type: '1' }],
          tag: `k${index}`,
          variants: ['x', 'y'].map((value) => ({ case: value, type: index === 59 ? '0' : `u${index + 1}` })),
        })),
      ],
      'too many branches in branches',
    ],
    [
      'too many branches of many objects',
      [
        command,
        object,
        { ...enumOf, values: Array.from({ length: 100 }, (_, value) => `v${value}`) },
        ...Array.from({ length: 201 }, (_, index) => ({
          name: `u${index}`,
          'meta-type': 'object',
          members: [{ name: 'k', type: '1' }],
          tag: 'k',
          variants: Array.from({ length: 100 }, (_variant, value) => ({ case: `v${value}`, type: '0' })),
        })),
      ],
      "('u200'): too many branches in branches of all objects together",
    ],
  ];
  it.each(malformed)('%s', (_, infos, message) => {
    expect(() => wireOfIntrospection(infos)).toThrow(message);
  });

  it('but an older one, without features, is one', () => {
    const event = { name: 'E', 'meta-type': 'event', 'arg-type': '2' };
    const data = { name: '2', 'meta-type': 'object', members: [{ name: 'v', type: '1', default: null }] };
    const wire = wireOfIntrospection([command, event, object, enumOf, data]);
    const text = `{ 'enum': 'V', 'data': [ 'x' ] } { 'event': 'E', 'data': { '*v': 'V' } } { 'command': 'c' }`;
    expect(diff(wire, wireOf(schema(text)))).toEqual([]);
  });
});
