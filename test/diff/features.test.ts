/** Changes of features and conditions, everywhere they can occur. */

import {
  type Case,
  enumeration,
  giving,
  other,
  sending,
  taking,
  takingUnion,
  testChanges,
  union,
} from '../support/changes.js';

/** Everything that can have features or conditions, with a function that inserts them. */
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
    title: 'branch without its value',
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
      newer: text(`, 'features': [ '${feature}' ]`),
      forth: [`${forth} ${side} feature-added ${use}`],
      back: [`${back} ${side} feature-removed ${use}`],
    });
    const warnings = [of('deprecated', 'notable', 'harmless'), of('unstable', 'notable', 'harmless')];
    // QEMU never deprecates whole types.
    return [of('savvy', 'harmless', 'notable'), ...(lacks === 'conditions' ? [] : warnings)];
  });

const conditions: Case[] = [
  ...marked
    .filter(({ lacks }) => lacks !== 'conditions')
    .flatMap(({ title, text, side, use }) => [
      {
        title: `of a ${title}`,
        old: text(''),
        newer: text(`, 'if': 'CONFIG_A'`),
        forth: [`notable ${side} condition-changed ${use}`],
        back: [`harmless ${side} condition-changed ${use}`],
      },
      {
        title: `of a ${title}, weakened`,
        old: text(`, 'if': { 'all': [ 'CONFIG_A', 'CONFIG_B' ] }`),
        newer: text(`, 'if': 'CONFIG_B'`),
        forth: [`harmless ${side} condition-changed ${use}`],
        back: [`notable ${side} condition-changed ${use}`],
      },
      {
        title: `of a ${title}, replaced`,
        old: text(`, 'if': 'CONFIG_A'`),
        newer: text(`, 'if': 'CONFIG_B'`),
        forth: [`notable ${side} condition-changed ${use}`],
        back: [`notable ${side} condition-changed ${use}`],
      },
      {
        title: `of a ${title}, expressed differently`,
        old: text(`, 'if': { 'not': { 'any': [ 'CONFIG_A', 'CONFIG_B' ] } }`),
        newer: text(`, 'if': { 'all': [ { 'not': 'CONFIG_B' }, { 'not': 'CONFIG_A' }, { 'not': 'CONFIG_B' } ] }`),
        forth: [],
        back: [],
      },
    ]),
  {
    title: 'of a value and its branch: one change',
    old: takingUnion(union('', { x: `'a': 'int'`, y: `'b': 'int'` })),
    newer: takingUnion(`{ 'enum': 'K', 'data': [ 'x', { 'name': 'y', 'if': 'CONFIG_A' } ] }
      { 'struct': 'Bx', 'data': { 'a': 'int' } } { 'struct': 'By', 'data': { 'b': 'int' } }
      { 'union': 'U', 'base': { 'k': 'K' }, 'discriminator': 'k',
        'data': { 'x': 'Bx', 'y': { 'type': 'By', 'if': 'CONFIG_A' } } }`),
    forth: ['notable callers condition-changed c: arguments.k'],
    back: ['harmless callers condition-changed c: arguments.k'],
  },
  {
    title: 'in the syntax before QEMU 6.2',
    old: `{ 'command': 'c', 'if': ['defined(CONFIG_A)', 'defined(CONFIG_B)'] }`,
    newer: `{ 'command': 'c', 'if': { 'all': [ 'CONFIG_A', 'CONFIG_B' ] } }`,
    forth: [],
    back: [],
  },
];

testChanges({ features, conditions });
