/** The sentences that describe changes. */

import { describe, expect, it } from 'vitest';

import type { Change } from '../../generator/src/diff/change.js';
import { diff } from '../../generator/src/diff/compare.js';
import { wireOf, wireOfIntrospection } from '../../generator/src/diff/wire.js';
import { introspect } from '../../generator/src/introspect.js';
import { alternate, both, changesOf, enumeration, giving, schema, taking } from '../support/changes.js';

describe('texts', () => {
  const texts: { title: string; old: string; newer: string; want: readonly string[] }[] = [
    {
      title: 'arguments',
      old: taking(`'a': 'int', 'b': 'int', '*c': 'int', 'd': 'int', 'e': ['V']`, enumeration(`'x'`)),
      newer: taking(`'new': 'int', '*n': 'int', '*b': 'int', 'c': 'int', 'd': 'str', 'e': ['str']`),
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
      newer: both(`'a': 'int', 'c': { 'type': 'int', 'if': 'CONFIG_A' }`),
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
      newer: taking(
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
      newer: taking(`'s': 'T'`, `{ 'struct': 'Base', 'data': {} } { 'struct': 'T', 'base': 'Base', 'data': {} }`),
      want: [`member 'a' of 'Base' is gone: calls with it are refused`],
    },
    {
      title: 'values',
      old: giving(`['V']`, enumeration(`{ 'name': 'x', 'features': [ 'unstable' ] }`, `'y'`)),
      newer: giving(`['V']`, enumeration(`'z'`, `{ 'name': 'y', 'if': 'CONFIG_A', 'features': [ 'deprecated' ] }`)),
      want: [
        `'x' is no longer a value of 'V', it was unstable: readers do not find it`,
        `value 'y' of 'V' is now only in builds with 'CONFIG_A': a server may lack it`,
        `value 'y' of 'V' is now deprecated: a later version may lack it`,
        `'z' is a new value of 'V': readers may find it`,
      ],
    },
    {
      title: 'commands and events',
      old: `{ 'command': 'c', 'data': { '*a': 'int' }, 'allow-oob': true, 'if': 'CONFIG_A', 'features': [ 'f' ] } { 'event': 'E', 'if': 'CONFIG_A' }`,
      newer: `{ 'command': 'c', 'data': { '*a': 'int' }, 'gen': false, 'features': [ 'deprecated' ] } { 'event': 'E', 'if': 'CONFIG_B' }`,
      want: [
        `the command is now in every build, was only with 'CONFIG_A'`,
        `the command no longer has the feature 'f': programs that ask for it do not find it`,
        `the command is now deprecated: a later version may lack it`,
        `the command can no longer be called out of band: out-of-band calls are refused`,
        `the command now takes further arguments`,
        `the event is now only in builds with 'CONFIG_B', was with 'CONFIG_A': a server may lack it`,
      ],
    },
    {
      title: 'results',
      old: `{ 'struct': 'S', 'data': { 'a': 'int' } } { 'command': 'c', 'returns': 'S' } { 'command': 'd' } { 'command': 'e', 'returns': ['int'] }`,
      newer: `{ 'struct': 'S', 'data': { 'a': 'int' } } { 'command': 'c' } { 'command': 'd', 'returns': ['S'] } { 'command': 'e', 'returns': 'S' }`,
      want: [
        `the result is gone, it was object 'S'`,
        `the result is new: an array of object 'S'`,
        `the result is now object 'S', was an array of 'int': readers may find what they do not know`,
      ],
    },
    {
      title: 'alternates',
      old: taking(`'a': 'str', 'b': 'A'`, alternate('null', 'str')),
      newer: taking(`'a': 'A', 'b': 'A'`, `${alternate('V', 'int')} ${enumeration(`'x'`)}`).replaceAll(
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
  it.each(texts)('of $title', ({ old, newer, want }) => {
    expect(changesOf(old, newer).map(({ text }) => text)).toEqual(want);
  });

  it('have no number that masks a type', () => {
    const wire = (text: string): ReturnType<typeof wireOf> => wireOfIntrospection(introspect(schema(text), () => true));
    const [old, newer] = [
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
    expect(textsOf(diff(wire(old), wire(newer)))).toEqual(want);
    const named = textsOf(diff(wireOf(schema(old)), wire(newer))).join('\n');
    expect(named).not.toMatch(/\d/u);
    expect(named).toContain(`member 'c' of 'S' is gone`);
  });
});
