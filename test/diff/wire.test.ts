/** Introspection as input. */

import { describe, expect, it } from 'vitest';

import { diff } from '../../generator/src/diff/compare.js';
import { wireOf, wireOfIntrospection } from '../../generator/src/diff/wire.js';
import { schema } from '../support/changes.js';

describe('refuses a malformed introspection', () => {
  const object = { name: '0', 'meta-type': 'object', members: [] };
  const command = { name: 'c', 'meta-type': 'command', 'arg-type': '0', 'ret-type': '0' };
  const bool = { name: 'bool', 'meta-type': 'builtin', 'json-type': 'boolean' };
  const enumOf = { name: '1', 'meta-type': 'enum', values: ['x'] };
  const withMember = (member: unknown): unknown => ({ ...object, members: [member] });
  const malformed: [string, unknown, string][] = [
    ['not an array', {}, 'it is not an array'],
    ['nothing', undefined, 'it is not an array'],
    ['not an object', [null], 'entry 1: must be an object'],
    ['no name', [{ 'meta-type': 'event' }], "entry 1: 'name' must be a string"],
    ['no meta-type', [{ name: 'x' }], "entry 1 ('x'): 'meta-type' must be a string"],
    ['another meta-type', [{ name: 'x', 'meta-type': 'toString' }], "entry 1 ('x'): unknown meta-type 'toString'"],
    ['another json-type', [{ ...bool, 'json-type': 'constructor' }], "('bool'): unknown json-type 'constructor'"],
    ['an unknown type', [{ ...command, 'arg-type': '__proto__' }], "('c'): unknown type '__proto__'"],
    [
      'arguments that are not an object',
      [{ ...command, 'arg-type': 'bool' }, object, bool],
      "type 'bool' is not an object",
    ],
    ['an invalid flag', [{ ...command, 'allow-oob': 1 }, object], "'allow-oob' must be true or false"],
    ['two types with the same name', [command, object, object], "entry 3 ('0'): another type has the same name"],
    ['two commands with the same name', [command, command, object], "entry 2 ('c'): duplicate name"],
    ['no command', [object], 'it has no commands'],
    ['invalid members', [command, { ...object, members: 3 }], "'members' must be an array"],
    ['a member without type', [command, withMember({ name: 'a' })], "('0'): members 1 ('a'): 'type' must be a string"],
    ['invalid features', [{ ...command, features: [1] }, object], "'features' must be an array of strings"],
    ['a tag without variants', [command, { ...object, tag: 'k' }], "the tag 'k' is not a member with an enum type"],
    [
      'an array of arrays',
      [command, object, { name: 'a', 'meta-type': 'array', 'element-type': 'a' }],
      "('a'): an array cannot contain an array",
    ],
    [
      'an alternate that contains itself',
      [command, object, { name: 'a', 'meta-type': 'alternate', members: [{ type: 'a' }] }],
      "('a'): members 1: an alternate cannot contain an alternate",
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
      "('0'): branches are nested too deeply",
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
      'too many nested branches',
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
      "('u200'): all objects together have too many nested branches",
    ],
  ];
  it.each(malformed)('%s', (_, infos, message) => {
    expect(() => wireOfIntrospection(infos)).toThrow(message);
  });

  it('but accepts an older one without features', () => {
    const event = { name: 'E', 'meta-type': 'event', 'arg-type': '2' };
    const data = { name: '2', 'meta-type': 'object', members: [{ name: 'v', type: '1', default: null }] };
    const wire = wireOfIntrospection([command, event, object, enumOf, data]);
    const text = `{ 'enum': 'V', 'data': [ 'x' ] } { 'event': 'E', 'data': { '*v': 'V' } } { 'command': 'c' }`;
    expect(diff(wire, wireOf(schema(text)))).toEqual([]);
  });
});
