/** The sentences that describe changes. */

import { describe, expect, it } from 'vitest';

import type { Change } from '../../generator/src/diff/change.js';
import { diff } from '../../generator/src/diff/compare.js';
import { wireOf, wireOfIntrospection } from '../../generator/src/diff/wire.js';
import { introspect } from '../../generator/src/introspect.js';
import { alternate, both, changesOf, enumeration, giving, schema, taking } from '../support/changes.js';

describe('wording', () => {
  const texts: { title: string; old: string; newer: string; want: readonly string[] }[] = [
    {
      title: 'arguments',
      old: taking(`'a': 'int', 'b': 'int', '*c': 'int', 'd': 'int', 'e': ['V']`, enumeration(`'x'`)),
      newer: taking(`'new': 'int', '*n': 'int', '*b': 'int', 'c': 'int', 'd': 'str', 'e': ['str']`),
      want: [
        `argument 'a' was removed: calls that pass it are rejected`,
        `argument 'b' is now optional`,
        `argument 'c' is now mandatory: calls that omit it are rejected`,
        `argument 'd' changed from 'int' to 'str': some values are rejected`,
        `each element of argument 'e' changed from enum 'V' to 'str'`,
        `mandatory argument 'new' is new: calls that omit it are rejected`,
        `optional argument 'n' is new`,
      ],
    },
    {
      title: 'nested members',
      old: both(`'a': 'int', 'b': { 'type': 'int', 'features': [ 'deprecated' ] }`),
      newer: both(`'a': 'int', 'c': { 'type': 'int', 'if': 'CONFIG_A' }`),
      want: [
        `member 'b' of 'S' was removed (it was deprecated): calls that pass it are rejected`,
        `mandatory member 'c' of 'S' is new: calls that omit it are rejected`,
        `result member 'b' was removed (it was deprecated)`,
        `result member 'c' is new`,
      ],
    },
    {
      title: 'a type that was replaced',
      old: taking(`'s': 'S', 't': 'S'`, `{ 'struct': 'S', 'data': { 'a': 'int', 'b': 'int' } }`),
      newer: taking(
        `'s': 'S', 't': 'T'`,
        `{ 'struct': 'S', 'data': { 'a': 'int', 'b': 'int' } } { 'struct': 'T', 'data': { 'b': 'int' } }`,
      ),
      want: [`member 'a' of 'S' (now 'T') was removed: calls that pass it are rejected`],
    },
    {
      title: 'the base of a type that was replaced',
      old: taking(
        `'s': 'S'`,
        `{ 'struct': 'Base', 'data': { 'a': 'int' } } { 'struct': 'S', 'base': 'Base', 'data': {} }`,
      ),
      newer: taking(`'s': 'T'`, `{ 'struct': 'Base', 'data': {} } { 'struct': 'T', 'base': 'Base', 'data': {} }`),
      want: [`member 'a' of 'Base' was removed: calls that pass it are rejected`],
    },
    {
      title: 'values',
      old: giving(`['V']`, enumeration(`{ 'name': 'x', 'features': [ 'unstable' ] }`, `'y'`)),
      newer: giving(`['V']`, enumeration(`'z'`, `{ 'name': 'y', 'if': 'CONFIG_A', 'features': [ 'deprecated' ] }`)),
      want: [
        `'x' is no longer a value of 'V' (it was unstable): readers never receive it`,
        `value 'y' of 'V' now exists only in builds with 'CONFIG_A': some servers may lack it`,
        `value 'y' of 'V' is now deprecated: a later version may remove it`,
        `'z' is a new value of 'V': readers may receive it`,
      ],
    },
    {
      title: 'commands and events',
      old: `{ 'command': 'c', 'data': { '*a': 'int' }, 'allow-oob': true, 'if': 'CONFIG_A', 'features': [ 'f' ] } { 'event': 'E', 'if': 'CONFIG_A' }`,
      newer: `{ 'command': 'c', 'data': { '*a': 'int' }, 'gen': false, 'features': [ 'deprecated' ] } { 'event': 'E', 'if': 'CONFIG_B' }`,
      want: [
        `the command now exists in every build; previously, only in builds with 'CONFIG_A'`,
        `the command no longer has the feature 'f': programs that check for it do not find it`,
        `the command is now deprecated: a later version may remove it`,
        `the command can no longer be called out of band: out-of-band calls are rejected`,
        `the command now takes arguments that are not in the schema`,
        `the event now exists only in builds with 'CONFIG_B'; previously, only in builds with 'CONFIG_A': some servers may lack it`,
      ],
    },
    {
      title: 'results',
      old: `{ 'struct': 'S', 'data': { 'a': 'int' } } { 'command': 'c', 'returns': 'S' } { 'command': 'd' } { 'command': 'e', 'returns': ['int'] }`,
      newer: `{ 'struct': 'S', 'data': { 'a': 'int' } } { 'command': 'c' } { 'command': 'd', 'returns': ['S'] } { 'command': 'e', 'returns': 'S' }`,
      want: [
        `the result was removed: object 'S'`,
        `the result is new: an array of 'S'`,
        `the result changed from an array of 'int' to object 'S': readers may receive values they do not expect`,
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
        `argument 'a' changed from 'str' to alternate 'A'`,
        `argument 'a' of kind 'string' changed from 'str' to enum 'V': some values are rejected`,
        `the alternative of kind 'null' of 'A' was removed: calls that pass it are rejected`,
        `the alternative of kind 'string' of 'A' changed from 'str' to enum 'V': some values are rejected`,
        `the alternative of kind 'number' of 'A' is new`,
      ],
    },
  ];
  it.each(texts)('of $title', ({ old, newer, want }) => {
    expect(changesOf(old, newer).map(({ text }) => text)).toEqual(want);
  });

  it('contains no type numbers from introspections', () => {
    const wire = (text: string): ReturnType<typeof wireOf> => wireOfIntrospection(introspect(schema(text), () => true));
    const [old, newer] = [
      both(`'a': 'V', 'b': 'A', 'c': 'int'`, `${enumeration(`'x'`)} ${alternate('str', 'null')}`),
      both(`'a': 'str', 'b': 'A', 'd': 'int'`, `${enumeration(`'x'`)} ${alternate('str', 'S')}`),
    ];
    const want = [
      `member 'a' changed from an enum to 'str'`,
      `member 'c' was removed: calls that pass it are rejected`,
      `mandatory member 'd' is new: calls that omit it are rejected`,
      `the alternative of kind 'null' was removed: calls that pass it are rejected`,
      `the alternative of kind 'object' is new`,
    ];
    const textsOf = (changes: readonly Change[]): string[] =>
      changes.filter(({ side }) => side === 'callers').map(({ text }) => text);
    expect(textsOf(diff(wire(old), wire(newer)))).toEqual(want);
    const named = textsOf(diff(wireOf(schema(old)), wire(newer))).join('\n');
    expect(named).not.toMatch(/\d/u);
    expect(named).toContain(`member 'c' of 'S' was removed`);
  });
});
