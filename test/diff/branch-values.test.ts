/** Changes that several branches of a union share. */

import { describe, expect, test } from 'vitest';

import { groupByBranch } from '../../generator/src/diff/branch-values.js';
import type { Use } from '../../generator/src/diff/change.js';
import { diff } from '../../generator/src/diff/compare.js';
import { wireOf, wireOfIntrospection, type WireSchema } from '../../generator/src/diff/wire.js';
import { introspect } from '../../generator/src/introspect.js';
import { pathOf, type PathPart } from '../support/paths.js';
import { schemaOf } from '../support/schema.js';

describe('changes that several branches share, in introspections', () => {
  const branches = ['a', 'b', 'c', 'd', 'e', 'f'];
  /** Returns two commands that take a union, whose branches have the members of a base and further ones. */
  const union = (base: string, ...others: string[]): string =>
    `{ 'enum': 'Kind', 'data': [ ${branches.map((name) => `'${name}'`).join()} ] } { 'struct': 'Base', 'data': { ${base} } }
    ${branches.map((name, index) => `{ 'struct': 'Of${name.toUpperCase()}', 'base': 'Base', 'data': { ${others[index] ?? ''} } }`).join('\n')}
    { 'union': 'U', 'base': { 'kind': 'Kind' }, 'discriminator': 'kind',
      'data': { ${branches.map((name) => `'${name}': 'Of${name.toUpperCase()}'`).join()} } }
    { 'command': 'c', 'data': { 'of': 'U' } } { 'command': 'd', 'data': 'U', 'boxed': true }`;
  const shownAs = (wire: WireSchema, other: WireSchema): string[] =>
    diff(wire, other).map(({ verdict, kind, uses }) =>
      [verdict, kind, ...groupByBranch(uses, (use) => use).map(({ text }) => text)].join(' '),
    );

  test.each<{ title: string; old: string; newer: string; want: string[] }>([
    {
      title: 'a new member of a base is one change',
      old: union(''),
      newer: union(`'*new': 'int'`),
      want: ['harmless member-added d: arguments(kind=a|b|c|3 more).new c: arguments.of(kind=a|b|c|3 more).new'],
    },
    {
      title: 'a member of a base that becomes mandatory is one change',
      old: union(`'*m': 'int'`),
      newer: union(`'m': 'int'`),
      want: ['breaking member-mandatory d: arguments(kind=a|b|c|3 more).m c: arguments.of(kind=a|b|c|3 more).m'],
    },
    {
      title: 'a different verdict makes a different change',
      old: union(''),
      newer: union('', `'new': 'int'`, `'*new': 'int'`, `'*new': 'int'`),
      want: [
        'breaking member-added d: arguments(kind=a).new c: arguments.of(kind=a).new',
        'harmless member-added d: arguments(kind=b|c).new c: arguments.of(kind=b|c).new',
      ],
    },
    {
      title: 'a different text makes a different change',
      old: union('', `'m': 'int'`, `'m': 'int'`, `'m': 'int'`),
      newer: union('', `'m': 'str'`, `'m': 'str'`, `'m': 'bool'`),
      want: [
        'breaking type-changed d: arguments(kind=a|b).m c: arguments.of(kind=a|b).m',
        'breaking type-changed d: arguments(kind=c).m c: arguments.of(kind=c).m',
      ],
    },
    {
      title: 'a different value makes a different change',
      old: union('', `'m': ['Kind']`, `'m': ['Kind']`),
      newer: `${union('', `'m': ['M']`, `'m': ['N']`)}
        { 'enum': 'M', 'data': [ 'a', 'b', 'c', 'd', 'e' ] } { 'enum': 'N', 'data': [ 'a', 'b', 'c', 'd', 'f' ] }`,
      want: [
        'breaking value-removed d: arguments(kind=a).m[] c: arguments.of(kind=a).m[]',
        'breaking value-removed d: arguments(kind=b).m[] c: arguments.of(kind=b).m[]',
      ],
    },
  ])('$title', ({ old, newer, want }) => {
    const wireBy = (text: string): WireSchema => wireOfIntrospection(introspect(schemaOf(text), () => true));
    const [before, after] = [wireBy(old), wireBy(newer)];
    expect(shownAs(before, after)).toEqual(want);
    expect(shownAs(wireOf(schemaOf(old)), after)).toEqual(want);
    expect(shownAs(before, wireOf(schemaOf(newer)))).toEqual(want);
  });

  test('have no type, but all uses', () => {
    const [before, after] = [``, `'*new': 'int'`].map((base) => introspect(schemaOf(union(base)), () => true));
    const [change] = diff(wireOfIntrospection(before), wireOfIntrospection(after));
    expect(change?.place).toEqual({ member: 'new' });
    expect(change?.uses).toHaveLength(2 * branches.length);
  });
});

test.each<[string, Use[], string[]]>([
  ['nothing', [], []],
  ['no branch', [at('a'), at('b')], ['c: arguments.a', 'c: arguments.b']],
  ['one branch', [at({ k: 'a' }, 'm')], ['c: arguments(k=a).m']],
  ['two', [at({ k: 'a' }, 'm'), at({ k: 'b' }, 'm')], ['c: arguments(k=a|b).m']],
  ['one more than the limit', ['a', 'b', 'c', 'd'].map((k) => at({ k }, 'm')), ['c: arguments(k=a|b|c|d).m']],
  ['more', ['a', 'b', 'c', 'd', 'e'].map((k) => at({ k }, 'm')), ['c: arguments(k=a|b|c|2 more).m']],
  // Introspection may contain any name.
  ['with the characters of a path', [at({ k: 'a,b' }, 'm'), at({ k: 'c)' }, 'm')], ['c: arguments(k=a,b|c)).m']],
  [
    'of other members',
    [at({ k: 'a' }, 'm'), at({ l: 'b' }, 'm'), at({ k: 'b' }, 'n')],
    ['(k=a).m', '(l=b).m', '(k=b).n'].map((path) => `c: arguments${path}`),
  ],
  [
    'of other commands',
    [at({ k: 'a' }, 'm'), { ...at({ k: 'b' }, 'm'), name: 'd' }],
    ['c: arguments(k=a).m', 'd: arguments(k=b).m'],
  ],
  [
    'a command and an event',
    [at({ k: 'a' }, 'm'), { ...at({ k: 'b' }, 'm'), subject: 'event' }],
    ['c: arguments(k=a).m', 'c: arguments(k=b).m'],
  ],
  [
    'two discriminators',
    [at({ k: 'a', l: 'x' }, 'm'), at({ k: 'a', l: 'y' }, 'm'), at({ k: 'b', l: 'z' }, 'm')],
    ['c: arguments(k=a,l=x|y).m', 'c: arguments(k=b,l=z).m'],
  ],
  [
    'the largest group first',
    [
      at({ k: 'a' }, 'n', { l: 'x' }, 'm'),
      at({ k: 'a' }, 'n', { l: 'y' }, 'm'),
      at({ k: 'b' }, 'n', { l: 'x' }, 'm'),
      at({ k: 'c' }, 'n', { l: 'x' }, 'm'),
    ],
    ['c: arguments(k=a|b|c).n(l=x).m', 'c: arguments(k=a).n(l=y).m'],
  ],
])('branches on one line: %s', (_, uses, want) => {
  expect(groupByBranch(uses, (use) => use).map(({ text }) => text)).toEqual(want);
});

function at(...path: PathPart[]): Use {
  return { subject: 'command', name: 'c', role: 'arguments', path: pathOf(...path) };
}
