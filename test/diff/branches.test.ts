/** Changes in the branches of unions. */

import { type Case, giving, givingUnion, taking, takingUnion, testChanges, union } from '../support/changes.js';

const unions: Case[] = [
  {
    title: 'member of a branch, argument',
    old: takingUnion(union('', { x: `'a': 'int'`, y: `'b': 'int'` })),
    newer: takingUnion(union('', { x: `'a': 'int', 'n': 'int'`, y: `'b': 'int'` })),
    forth: ['breaking callers member-added c: arguments(k=x).n'],
    back: ['breaking callers member-removed c: arguments(k=x).n'],
  },
  {
    title: 'member of a branch, result',
    old: givingUnion(union('', { x: `'a': 'int'`, y: `'b': 'int'` })),
    newer: givingUnion(union('', { x: `'a': 'int'`, y: `'b': 'int', '*n': 'int'` })),
    forth: ['harmless readers member-added c: result(k=y).n'],
    back: ['breaking readers member-removed c: result(k=y).n'],
  },
  {
    title: 'member of a base',
    old: takingUnion(union('', { x: `'a': 'int'`, y: `'b': 'int'` })),
    newer: takingUnion(union(`'*n': 'int'`, { x: `'a': 'int'`, y: `'b': 'int'` })),
    forth: ['harmless callers member-added c: arguments.n'],
    back: ['breaking callers member-removed c: arguments.n'],
  },
  {
    title: 'member that moves from the base to all branches',
    old: takingUnion(union(`'m': 'int'`, { x: `'a': 'int'`, y: `'b': 'int'` })),
    newer: takingUnion(union('', { x: `'a': 'int', 'm': 'int'`, y: `'b': 'int', 'm': 'int'` })),
    forth: [],
    back: [],
  },
  {
    title: 'member that moves from the base to one of three branches',
    old: takingUnion(union(`'*m': 'int'`, { x: `'a': 'int'`, y: `'b': 'int'`, z: `'c': 'int'` })),
    newer: takingUnion(union('', { x: `'a': 'int', '*m': 'int'`, y: `'b': 'int'`, z: `'c': 'int'` })),
    forth: ['breaking callers member-removed c: arguments(k=y).m + c: arguments(k=z).m'],
    back: ['harmless callers member-added c: arguments(k=y).m + c: arguments(k=z).m'],
  },
  {
    title: 'member that moves to a branch and changes there',
    old: givingUnion(union(`'m': 'int'`, { x: `'a': 'int'`, y: `'b': 'int'` })),
    newer: givingUnion(union('', { x: `'a': 'int', '*m': 'int'`, y: `'b': 'int', 'm': 'int'` })),
    forth: ['breaking readers member-optional c: result(k=x).m'],
    back: ['harmless readers member-mandatory c: result(k=x).m'],
  },
  {
    title: 'value with a branch, argument',
    old: takingUnion(union('', { x: `'a': 'int'` })),
    newer: takingUnion(union('', { x: `'a': 'int'`, y: `'b': 'int'` })),
    forth: ['harmless callers value-added c: arguments.k'],
    back: ['breaking callers value-removed c: arguments.k'],
  },
  {
    title: 'value with a branch, result',
    old: givingUnion(union('', { x: `'a': 'int'` })),
    newer: givingUnion(union('', { x: `'a': 'int'`, y: `'b': 'int'` })),
    forth: ['notable readers value-added c: result.k'],
    back: ['notable readers value-removed c: result.k'],
  },
  {
    title: 'all values at once: members of the base are still compared',
    old: takingUnion(union(`'m': 'int'`, { x: `'a': 'int'` })),
    newer: takingUnion(union(`'*m': 'int'`, { y: `'b': 'int'` })),
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
    title: 'only remaining value: members of its branch still belong to the branch',
    old: takingUnion(union('', { x: `'a': 'int'`, y: `'b': 'int'` })),
    newer: takingUnion(union('', { x: `'a': 'int', '*n': 'int'` })),
    forth: ['breaking callers value-removed c: arguments.k', 'harmless callers member-added c: arguments(k=x).n'],
    back: ['harmless callers value-added c: arguments.k', 'breaking callers member-removed c: arguments(k=x).n'],
  },
  {
    title: 'renamed type of a branch, and a branch without members',
    old: takingUnion(`{ 'enum': 'K', 'data': [ 'x', 'y' ] } { 'struct': 'B', 'data': { 'a': 'int' } } { 'struct': 'N', 'data': {} }
      { 'union': 'U', 'base': { 'k': 'K' }, 'discriminator': 'k', 'data': { 'x': 'B', 'y': 'N' } }`),
    newer: takingUnion(`{ 'enum': 'K', 'data': [ 'x', 'y' ] } { 'struct': 'C', 'data': { 'a': 'int' } }
      { 'union': 'U', 'base': { 'k': 'K' }, 'discriminator': 'k', 'data': { 'x': 'C' } }`),
    forth: [],
    back: [],
  },
  {
    title: 'struct of two branches: one change',
    old: takingUnion(`{ 'enum': 'K', 'data': [ 'x', 'y', 'z' ] } { 'struct': 'B', 'data': { 'a': 'int' } }
      { 'union': 'U', 'base': { 'k': 'K' }, 'discriminator': 'k', 'data': { 'x': 'B', 'y': 'B' } }`),
    newer: takingUnion(`{ 'enum': 'K', 'data': [ 'x', 'y', 'z' ] } { 'struct': 'B', 'data': { '*a': 'int' } }
      { 'union': 'U', 'base': { 'k': 'K' }, 'discriminator': 'k', 'data': { 'x': 'B', 'y': 'B' } }`),
    forth: ['harmless callers member-optional c: arguments(k=x).a + c: arguments(k=y).a'],
    back: ['breaking callers member-mandatory c: arguments(k=x).a + c: arguments(k=y).a'],
  },
  {
    title: 'struct to a union with its members in the base',
    old: `{ 'enum': 'K', 'data': [ 'x', 'y' ] } ${taking(`'k': 'K', 'm': 'int'`)}`,
    newer: takingUnion(union(`'m': 'int'`, { x: '', y: `'*b': 'int'` })),
    forth: ['harmless callers member-added c: arguments(k=y).b'],
    back: ['breaking callers member-removed c: arguments(k=y).b'],
  },
  {
    title: 'struct to a union over a new member',
    old: giving(`'S'`, `{ 'struct': 'S', 'data': { 'a': 'int', 'm': 'int' } }`),
    newer: givingUnion(union(`'m': 'int'`, { x: `'a': 'int'`, y: `'b': 'int'` })),
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
    newer: takingUnion(nestedUnion(`'a': 'int', 'n': 'int'`)),
    forth: ['breaking callers member-added c: arguments(k=x,j=p).n'],
    back: ['breaking callers member-removed c: arguments(k=x,j=p).n'],
  },
  {
    title: 'branches of branches, flattened on one side',
    old: takingUnion(nestedUnion(`'a': 'int'`, `'j': 'J'`)),
    newer: takingUnion(`{ 'enum': 'K', 'data': [ 'x', 'y' ] } { 'struct': 'B', 'data': { 'j': 'J', '*a': 'int' } }
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
    title: 'union in the syntax before QEMU 6.2, without a discriminator',
    old: taking(
      `'of': 'U'`,
      `{ 'struct': 'S', 'data': { 'a': 'int' } } { 'union': 'U', 'data': { 'x': 'S', 'y': 'str' } }`,
    ),
    newer: taking(
      `'of': 'U'`,
      `{ 'struct': 'S', 'data': { 'a': 'int' } } { 'enum': 'K', 'data': [ 'x', 'y' ] }
        { 'struct': 'X', 'data': { 'data': 'S' } } { 'struct': 'Y', 'data': { 'data': 'str' } }
        { 'union': 'U', 'base': { 'type': 'K' }, 'discriminator': 'type', 'data': { 'x': 'X', 'y': 'Y' } }`,
    ),
    forth: [],
    back: [],
  },
  {
    title: 'recursive type',
    old: taking(`'s': 'S'`, `{ 'struct': 'S', 'data': { '*next': 'S', 'a': 'int' } }`),
    newer: taking(`'s': 'T'`, `{ 'struct': 'T', 'data': { '*next': 'T', 'a': 'int', '*b': 'str' } }`),
    forth: ['harmless callers member-added c: arguments.s.b'],
    back: ['breaking callers member-removed c: arguments.s.b'],
  },
];

/** Returns a union by `k` whose branch `x` is a union by `j`. The members are those of the branch `p`. */
function nestedUnion(inner: string, base = `'j': 'J'`): string {
  return `{ 'enum': 'K', 'data': [ 'x', 'y' ] } { 'enum': 'J', 'data': [ 'p', 'q' ] }
    { 'struct': 'P', 'data': { ${inner} } }
    { 'union': 'Inner', 'base': { ${base} }, 'discriminator': 'j', 'data': { 'p': 'P' } }
    { 'union': 'U', 'base': { 'k': 'K' }, 'discriminator': 'k', 'data': { 'x': 'Inner' } }`;
}

testChanges({ unions });
