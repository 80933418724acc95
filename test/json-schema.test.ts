/** The output of `generate --json-schema`: whether validators support it, what they then accept, and its files. */

import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Ajv2020 } from 'ajv/dist/2020.js';
import { check } from 'prettier';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

import { embeddedRoot, embeddedVersions, servers } from '../generator/src/embedded.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import { isType, type Schema } from '../generator/src/model.js';
import { narrow } from '../generator/src/narrow.js';
import { repository } from './support/compile.js';
import { ajvOptions, JsonSchemaValidator, jsonSchemaTexts, type JsonSchema } from './support/json-schema.js';
import { schemaOf } from './support/schema.js';

describe('whole schemas', () => {
  const embedded = embeddedVersions().flatMap((version) =>
    servers.map((server) => ({
      title: `${version} ${server.name}`,
      schema: () => loadSchema(embeddedRoot(version, server)),
    })),
  );
  const nasty = loadSchema(join(repository, 'test/nasty/nasty.json'));
  const cases: { title: string; schema: () => Schema }[] = [
    ...embedded,
    { title: 'nasty', schema: () => nasty },
    { title: 'nasty without conditions', schema: () => narrow(nasty, () => false) },
    { title: 'empty', schema: () => schemaOf('') },
  ];

  it.each(cases)('$title: a strict validator supports it, and formatting changes nothing', async ({ schema: load }) => {
    const schema = load();
    const entries = [...schema.definitions.values()].filter((definition) => !isType(definition));
    const commands = entries.filter(({ kind }) => kind === 'command').map(({ name }) => name);
    const names = { arguments: commands, results: entries.map(({ name }) => name) };
    for (const [direction, text] of Object.entries(jsonSchemaTexts(schema))) {
      const root = JSON.parse(text) as JsonSchema;
      expect(Object.keys(root.$defs)).toEqual(expect.arrayContaining(names[direction as keyof typeof names]));
      const ajv = new Ajv2020(ajvOptions);
      expect(ajv.validateSchema(root), ajv.errorsText()).toBe(true);
      const all = Object.keys(root.$defs).map((name) => [name, { $ref: `#/$defs/${name}` }]);
      ajv.compile({ ...root, type: 'object', properties: Object.fromEntries(all) });
      expect(await check(text, { parser: 'json', printWidth: 120 })).toBe(true);
    }
  });

  it('depends only on the schema', () => {
    const root = join(repository, 'test/nasty/nasty.json');
    expect(jsonSchemaTexts(loadSchema(root))).toEqual(jsonSchemaTexts(nasty));
  });
});

/** The values that a member of a type accepts. Results accept everything that arguments accept. */
interface Construct {
  readonly title?: string;
  readonly type: string;
  /** The definition of the type, unless it is built in. */
  readonly schema?: string;
  readonly both: readonly unknown[];
  readonly results?: readonly unknown[];
  readonly neither: readonly unknown[];
}

const constructs: readonly Construct[] = [
  { type: 'str', both: ['', 'a'], neither: [1, null, true, {}, []] },
  { type: 'bool', both: [true, false], neither: [0, 'true', null] },
  { type: 'number', both: [0, -1, 1.5, 1e300], neither: ['1', true, null] },
  { type: 'any', both: [null, 1.5, 'a', [], { a: [{}] }], neither: [] },
  { type: 'int8', both: [-128, 127], neither: [-129, 128, 1.5, '1', true, null] },
  { type: 'int16', both: [-32768, 32767], neither: [-32769, 32768] },
  { type: 'int32', both: [-2147483648, 2147483647], neither: [-2147483649, 2147483648] },
  { type: 'int64', both: [-(2 ** 63), 2 ** 62], neither: [-1e19, 1e19, 1.5, '1', null] },
  { type: 'int', both: [-(2 ** 63), 2 ** 62], neither: [-1e19, 1e19, 1.5, '1', null] },
  { type: 'uint8', both: [0, 255], neither: [-1, 256, 1.5, '1'] },
  { type: 'uint16', both: [0, 65535], neither: [-1, 65536] },
  { type: 'uint32', both: [0, 4294967295], neither: [-1, 4294967296] },
  { type: 'uint64', both: [-(2 ** 63), -1, 2 ** 63], neither: [-1e19, 1e20, 1.5, '1'] },
  { type: 'size', both: [-(2 ** 63), -1, 2 ** 63], neither: [-1e19, 1e20, 1.5, '1'] },
  { title: 'array', type: `['uint8']`, both: [[], [1, 2]], neither: [[1, 256], [null], {}, 1, null] },
  { title: 'array of any', type: `['any']`, both: [[], [1, null, {}]], neither: [{}] },
  {
    type: 'Enum',
    schema: `{ 'enum': 'Enum', 'data': ['on', '5'] }`,
    both: ['on', '5'],
    results: ['', 'off', 'On'],
    neither: [5, true, null],
  },
  { title: "QAPI's predefined enum", type: 'QType', both: ['none', 'qdict'], results: ['qlong'], neither: [0] },
  {
    title: 'enum without values',
    type: 'None',
    schema: `{ 'enum': 'None', 'data': [] }`,
    both: [],
    results: ['a'],
    neither: [1],
  },
  {
    type: 'Struct',
    schema: `{ 'struct': 'Struct', 'data': { 'a': 'str', '*b': 'bool', '*constructor': 'str' } }`,
    both: [{ a: '' }, { a: '', b: true }, { a: '', constructor: 'x' }],
    results: [
      { a: '', c: 1 },
      { a: '', toString: null },
    ],
    neither: [{}, { a: 5 }, { b: true }, { a: '', b: null }, { a: '', constructor: 1 }, [], null, 'a'],
  },
  {
    title: 'required member with the name of an inherited one',
    type: 'Struct',
    schema: `{ 'struct': 'Struct', 'data': { 'constructor': 'any' } }`,
    both: [{ constructor: 1 }],
    neither: [{}],
  },
  {
    title: 'struct without members',
    type: 'Empty',
    schema: `{ 'struct': 'Empty', 'data': {} }`,
    both: [{}],
    results: [{ a: 1 }],
    neither: [null, []],
  },
  {
    title: 'base',
    type: 'Leaf',
    schema: `
      { 'struct': 'Root', 'data': { 'a': 'str' } }
      { 'struct': 'Stem', 'base': 'Root', 'data': { '*b': 'str' } }
      { 'struct': 'Leaf', 'base': 'Stem', 'data': { 'c': 'str' } }`,
    both: [
      { a: '', c: '' },
      { a: '', b: '', c: '' },
    ],
    results: [{ a: '', c: '', d: '' }],
    neither: [{ a: '' }, { c: '' }, { a: '', b: 1, c: '' }],
  },
  {
    title: 'recursive struct',
    type: 'Tree',
    schema: `{ 'struct': 'Tree', 'data': { 'name': 'str', '*next': 'Tree', '*all': ['Tree'] } }`,
    both: [{ name: 'a', next: { name: 'b', all: [{ name: 'c' }] } }],
    results: [{ name: 'a', all: [{ name: 'b', colour: 'green' }] }],
    neither: [
      { name: 'a', next: { name: 'b', all: [{}] } },
      { name: 'a', next: null },
    ],
  },
  {
    title: 'union',
    type: 'Union',
    schema: `
      { 'enum': 'Kind', 'data': ['full', 'other', 'empty', 'unnamed'] }
      { 'struct': 'Full', 'data': { 'a': 'str' } }
      { 'struct': 'Other', 'data': { '*a': 'int', '*b': 'int' } }
      { 'struct': 'Empty', 'data': {} }
      { 'union': 'Union', 'base': { 'kind': 'Kind', '*o': 'int8' }, 'discriminator': 'kind',
        'data': { 'full': 'Full', 'other': 'Other', 'empty': 'Empty' } }`,
    both: [
      { kind: 'full', a: '' },
      { kind: 'other' },
      { kind: 'other', a: 1, o: 1 },
      { kind: 'empty', o: 1 },
      { kind: 'unnamed' },
    ],
    results: [
      { kind: 'full', a: '', b: 1 },
      { kind: 'empty', a: 1 },
      { kind: 'unnamed', b: 1 },
      { kind: 'new', a: {}, o: 1 },
    ],
    neither: [
      { kind: 'full' },
      { kind: 'full', a: 1 },
      { kind: 'other', a: '' },
      { kind: 'empty', o: 128 },
      { kind: 'new', o: 128 },
      { kind: 5 },
      { kind: null },
      { a: '' },
      {},
      [],
      'full',
    ],
  },
  {
    title: 'union with a named base',
    type: 'Union',
    schema: `
      { 'enum': 'Kind', 'data': ['only'] }
      { 'struct': 'Root', 'data': { 'kind': 'Kind' } }
      { 'struct': 'Base', 'base': 'Root', 'data': { 'b': 'str' } }
      { 'struct': 'Only', 'base': 'Extra', 'data': { 'c': 'str' } }
      { 'struct': 'Extra', 'data': { 'd': 'str' } }
      { 'union': 'Union', 'base': 'Base', 'discriminator': 'kind', 'data': { 'only': 'Only' } }`,
    both: [{ kind: 'only', b: '', c: '', d: '' }],
    results: [
      { kind: 'more', b: '' },
      { kind: 'only', b: '', c: '', d: '', e: '' },
    ],
    neither: [{ kind: 'only', b: '', c: '' }, { kind: 'only', c: '', d: '' }, { kind: 'more' }],
  },
  {
    title: 'nested union',
    type: 'Outer',
    schema: `
      { 'enum': 'OuterKind_', 'data': ['in', 'out', 'nothing'] }
      { 'enum': 'InnerKind_', 'data': ['deep', 'flat', 'bare'] }
      { 'struct': 'Out', 'data': { 'way': 'str' } }
      { 'struct': 'Deep', 'data': { 'again': ['Outer'] } }
      { 'struct': 'Flat', 'data': { '*way': 'int' } }
      { 'union': 'Inner', 'base': { 'inner': 'InnerKind_', '*i': 'int' }, 'discriminator': 'inner',
        'data': { 'deep': 'Deep', 'flat': 'Flat' } }
      { 'union': 'Outer', 'base': { 'outer': 'OuterKind_', '*o': 'int' }, 'discriminator': 'outer',
        'data': { 'in': 'Inner', 'out': 'Out' } }`,
    both: [
      { outer: 'nothing', o: 1 },
      { outer: 'out', way: '' },
      { outer: 'in', inner: 'flat', o: 1, i: 1, way: 1 },
      { outer: 'in', inner: 'bare' },
      { outer: 'in', inner: 'deep', again: [{ outer: 'in', inner: 'deep', again: [] }] },
    ],
    results: [
      { outer: 'nothing', inner: 'flat' },
      { outer: 'in', inner: 'new', way: [] },
      { outer: 'in', inner: 'bare', again: 1 },
      { outer: 'new', inner: 1 },
    ],
    neither: [
      { outer: 'in' },
      { outer: 'in', inner: 'flat', way: '' },
      { outer: 'in', inner: 'deep' },
      { outer: 'in', inner: 'deep', again: [{ outer: 'in' }] },
      { outer: 'in', inner: 'new', i: '' },
      { outer: 'in', inner: 'flat', o: '' },
      { outer: 'new', o: '' },
      { inner: 'flat' },
    ],
  },
  {
    title: 'union without a discriminator, as in QEMU 5.2',
    type: 'Simple',
    schema: `{ 'union': 'Simple', 'data': { 'number': 'int', 'list': ['str'], 'self': 'Simple' } }`,
    both: [
      { type: 'number', data: 1 },
      { type: 'self', data: { type: 'list', data: [''] } },
    ],
    results: [{ type: 'new' }, { type: 'number', data: 1, more: 1 }],
    neither: [
      { type: 'number' },
      { type: 'number', data: '' },
      { type: 'self', data: { type: 'list', data: '' } },
      { data: 1 },
    ],
  },
  {
    title: 'alternate of an object and others',
    type: 'Alternate',
    schema: `
      { 'struct': 'Object', 'data': { 'a': 'str', '*again': 'Alternate' } }
      { 'alternate': 'Alternate', 'data': { 'object': 'Object', 'name': 'str', 'nothing': 'null' } }`,
    both: ['', null, { a: '' }, { a: '', again: { a: '', again: null } }],
    results: [{ a: '', b: 1 }],
    neither: [{}, { a: 1 }, { a: '', again: 1 }, 1, true, []],
  },
  {
    title: 'alternate of an enum and others',
    type: 'Alternate',
    schema: `
      { 'enum': 'Word', 'data': ['auto', 'never'] }
      { 'alternate': 'Alternate', 'data': { 'word': 'Word', 'number': 'uint8', 'list': ['Word'] } }`,
    both: ['auto', 0, 255, [], ['never']],
    results: ['always', ['always']],
    neither: [256, -1, 1.5, true, null, {}, [1]],
  },
  {
    title: 'alternate of a union and a number',
    type: 'Alternate',
    schema: `
      { 'enum': 'Word', 'data': ['auto', 'never'] }
      { 'struct': 'Auto', 'data': { 'a': 'Alternate' } }
      { 'union': 'Union', 'base': { 'word': 'Word' }, 'discriminator': 'word', 'data': { 'auto': 'Auto' } }
      { 'alternate': 'Alternate', 'data': { 'union': 'Union', 'number': 'number', 'bool': 'bool' } }`,
    both: [1.5, true, { word: 'never' }, { word: 'auto', a: { word: 'auto', a: 1 } }],
    results: [{ word: 'always' }],
    neither: ['auto', null, {}, { word: 'auto' }, { word: 'auto', a: { word: 'auto', a: '' } }],
  },
  {
    title: 'alternate with one alternative',
    type: 'One',
    schema: `{ 'alternate': 'One', 'data': { 'one': 'int8' } }`,
    both: [1],
    neither: [128, {}],
  },
];

/** Returns whether a command's arguments, its result, and an event's data accept a value as their only member. */
function verdictsOf({ type, schema = '' }: Construct): (value: unknown) => unknown {
  const member = `{ 'x': ${type.startsWith('[') ? type : `'${type}'`} }`;
  const validator = new JsonSchemaValidator(
    schemaOf(`
      ${schema}
      { 'struct': 'TheResult', 'data': ${member} }
      { 'command': 'give', 'returns': 'TheResult' }
      { 'command': 'take', 'data': ${member} }
      { 'event': 'GIVEN', 'data': ${member} }`),
  );
  return (x) => ({
    arguments: validator.errors('arguments', 'take', { x }).length === 0,
    result: validator.errors('results', 'give', { x }).length === 0,
    data: validator.errors('results', 'GIVEN', { x }).length === 0,
  });
}

test.each(constructs.map((construct) => ({ ...construct, title: construct.title ?? construct.type })))(
  'values: $title',
  (construct) => {
    const verdict = verdictsOf(construct);
    for (const value of construct.both) {
      expect(verdict(value), JSON.stringify(value)).toEqual({ arguments: true, result: true, data: true });
    }
    for (const value of construct.results ?? []) {
      expect(verdict(value), JSON.stringify(value)).toEqual({ arguments: false, result: true, data: true });
    }
    for (const value of construct.neither) {
      expect(verdict(value), JSON.stringify(value)).toEqual({ arguments: false, result: false, data: false });
    }
  },
);

describe('commands and events', () => {
  const validator = new JsonSchemaValidator(
    schemaOf(`
      { 'pragma': { 'command-returns-exceptions': ['list', 'scalar'] } }
      { 'struct': 'Struct', 'data': { 'a': 'str', '*inner': 'Inner' } }
      { 'struct': 'Inner', 'data': { '*a': 'str' } }
      { 'enum': 'Kind', 'data': ['x', 'y', 'z'] }
      { 'union': 'Outer', 'base': { 'kind': 'Kind' }, 'discriminator': 'kind', 'data': { 'x': 'Struct', 'y': 'Middle' } }
      { 'union': 'Middle', 'base': { 'middle': 'Kind' }, 'discriminator': 'middle', 'data': { 'x': 'Inner' } }
      { 'command': 'nothing' }
      { 'command': 'named', 'data': 'Struct' }
      { 'command': 'boxed', 'data': 'Outer', 'boxed': true, 'returns': 'Outer' }
      { 'command': 'list', 'returns': ['Inner'] }
      { 'command': 'scalar', 'returns': 'int' }
      { 'command': 'open', 'data': 'Struct', 'gen': false }
      { 'command': 'open-union', 'data': 'Outer', 'boxed': true, 'gen': false }
      { 'command': 'nothing-open', 'gen': false }
      { 'event': 'NOTHING' }
      { 'event': 'BOXED', 'data': 'Outer', 'boxed': true }`),
  );
  const cases = [
    { of: 'arguments', name: 'nothing', valid: [{}], not: [{ a: 1 }, null] },
    { of: 'arguments', name: 'named', valid: [{ a: '' }], not: [{}, { a: '', b: 1 }] },
    { of: 'arguments', name: 'boxed', valid: [{ kind: 'z' }, { kind: 'x', a: '' }], not: [{}, { kind: 'z', a: '' }] },
    // The command accepts further arguments, but other uses of the type do not.
    {
      of: 'arguments',
      name: 'open',
      valid: [{ a: '', b: 1 }],
      not: [{ b: 1 }, { a: 1, b: 1 }, { a: '', inner: { b: 1 } }],
    },
    {
      of: 'arguments',
      name: 'open-union',
      valid: [
        { kind: 'z', b: 1 },
        { kind: 'x', a: '', b: 1 },
        { kind: 'y', middle: 'x', b: 1 },
        { kind: 'y', middle: 'z', b: 1 },
      ],
      not: [
        { b: 1 },
        { kind: 'new' },
        { kind: 'x', a: '', inner: { b: 1 } },
        { kind: 'y', b: 1 },
        { kind: 'y', middle: 'x', a: 1 },
      ],
    },
    { of: 'arguments', name: 'nothing-open', valid: [{}], not: [null, { a: 1 }] },
    { of: 'results', name: 'nothing', valid: [{}, { a: 1 }], not: [null, [], ''] },
    { of: 'results', name: 'boxed', valid: [{ kind: 'x', a: '' }, { kind: 'new' }], not: [{}, { kind: 'x' }] },
    { of: 'results', name: 'list', valid: [[], [{ a: '', b: 1 }]], not: [{}, [{ a: 1 }]] },
    { of: 'results', name: 'scalar', valid: [1], not: ['1', {}] },
    { of: 'results', name: 'NOTHING', valid: [{}, { a: 1 }], not: [null, []] },
    {
      of: 'results',
      name: 'BOXED',
      valid: [{ kind: 'y', middle: 'x', a: '' }],
      not: [{ kind: 'y', middle: 'x', a: 1 }],
    },
  ] as const;
  test.each(cases)('$of of $name', ({ of, name, valid, not }) => {
    for (const value of valid) expect(validator.errors(of, name, value), JSON.stringify(value)).toEqual([]);
    for (const value of not) expect(validator.errors(of, name, value), JSON.stringify(value)).not.toEqual([]);
  });
});

test('errors are about the branch or alternative of the value', () => {
  const server = servers.find(({ name }) => name === 'qmp') as (typeof servers)[number];
  const validator = new JsonSchemaValidator(loadSchema(embeddedRoot('10.2.2', server)));
  const cases: [unknown, string][] = [
    [{ driver: 'qcow2', file: { driver: 'file', filename: 5 } }, '/file/filename must be string'],
    [{ driver: 'qcow2', file: 'a', filename: 'b' }, ' must NOT have additional properties'],
    [{ driver: 'qcow2' }, " must have required property 'file'"],
    [{ driver: 'qcow3' }, '/driver must be equal to one of the allowed values'],
    [{}, " must have required property 'driver'"],
  ];
  for (const [value, first] of cases) {
    const told = validator
      .errors('arguments', 'blockdev-add', value)
      .filter(({ keyword }) => keyword !== 'if')
      .map(({ instancePath, message }) => `${instancePath} ${message}`);
    expect(told, JSON.stringify(value)).toEqual([first]);
  }
});

test('limits are exact', () => {
  const members = ['int', 'int64', 'uint64', 'size', 'int8'].map((type) => `'${type}': '${type}'`);
  const { arguments: text } = jsonSchemaTexts(schemaOf(`{ 'command': 'c', 'data': { ${members.join(', ')} } }`));
  const limits = [...text.matchAll(/"(\w+)": \{ "type": "integer", "minimum": (\S+), "maximum": (\S+) \}/gu)];
  expect(limits.map(([, type, minimum, maximum]) => [type, minimum, maximum])).toEqual([
    ['int', '-9223372036854775808', '9223372036854775807'],
    ['int64', '-9223372036854775808', '9223372036854775807'],
    ['uint64', '-9223372036854775808', '18446744073709551615'],
    ['size', '-9223372036854775808', '18446744073709551615'],
    ['int8', '-128', '127'],
  ]);
});

test('each branch of a union is defined under its own name', () => {
  const texts = jsonSchemaTexts(
    schemaOf(`
      { 'enum': 'Kind', 'data': ['a', 'b', 'c'] }
      { 'struct': 'A', 'data': { 'x': 'str' } }
      { 'struct': 'Empty', 'data': {} }
      { 'union': 'Union', 'base': { 'kind': 'Kind' }, 'discriminator': 'kind', 'data': { 'a': 'A', 'b': 'Empty' } }
      { 'command': 'c', 'data': 'Union', 'boxed': true, 'returns': 'Union' }`),
  );
  // oxlint-disable-next-line unicorn/no-thenable -- nothing awaits it
  const when = (condition: object, schema: object): object => ({ if: condition, then: schema });
  const isKind = (value: object): object => ({ properties: { kind: value }, required: ['kind'] });
  const union = { type: 'object', ...isKind({ $ref: '#/$defs/Kind' }) };
  const x = { x: { type: 'string' } };
  expect((JSON.parse(texts.arguments) as JsonSchema).$defs).toEqual({
    Kind: { type: 'string', enum: ['a', 'b', 'c'] },
    Union: {
      ...union,
      allOf: [
        when(isKind({ const: 'a' }), { $ref: '#/$defs/Union:a' }),
        when(isKind({ enum: ['b', 'c'] }), { $ref: '#/$defs/Union:empty' }),
      ],
    },
    'Union:a': {
      type: 'object',
      properties: { kind: { const: 'a' }, ...x },
      required: ['kind', 'x'],
      additionalProperties: false,
    },
    'Union:empty': { type: 'object', ...isKind({ enum: ['b', 'c'] }), additionalProperties: false },
    c: { $ref: '#/$defs/Union' },
  });
  expect((JSON.parse(texts.results) as JsonSchema).$defs).toEqual({
    A: { type: 'object', properties: x, required: ['x'] },
    Kind: { type: 'string', examples: ['a', 'b', 'c'] },
    Union: { ...union, allOf: [when(isKind({ const: 'a' }), { $ref: '#/$defs/A' })] },
    c: { $ref: '#/$defs/Union' },
  });
});

test('deprecated parts are marked', () => {
  const texts = jsonSchemaTexts(
    schemaOf(`
      { 'struct': 'Old', 'data': { 'a': { 'type': 'str', 'features': ['deprecated'] }, 'b': 'str' } }
      { 'command': 'old', 'data': { 'x': { 'type': 'any', 'features': ['unstable', 'deprecated'] } }, 'returns': 'Old',
        'features': ['deprecated'] }
      { 'command': 'new', 'data': 'Old', 'features': ['unstable'] }
      { 'event': 'OLD', 'features': ['deprecated'] }`),
  );
  const properties = { a: { type: 'string', deprecated: true }, b: { type: 'string' } };
  const old = { type: 'object', properties, required: ['a', 'b'] };
  expect((JSON.parse(texts.arguments) as JsonSchema).$defs).toEqual({
    Old: { ...old, additionalProperties: false },
    old: {
      type: 'object',
      properties: { x: { deprecated: true } },
      required: ['x'],
      additionalProperties: false,
      deprecated: true,
    },
    new: { $ref: '#/$defs/Old' },
  });
  expect((JSON.parse(texts.results) as JsonSchema).$defs).toEqual({
    Old: old,
    old: { $ref: '#/$defs/Old', deprecated: true },
    new: { type: 'object' },
    OLD: { type: 'object', deprecated: true },
  });
});

test('only types in use are defined', () => {
  const texts = jsonSchemaTexts(
    schemaOf(`
      { 'struct': 'In', 'data': { 'both': 'Both' } }
      { 'struct': 'Out', 'data': { 'both': 'Both' } }
      { 'enum': 'Both', 'data': ['a', 'b'] }
      { 'struct': 'Nowhere', 'data': { 'both': 'Both' } }
      { 'command': 'c', 'data': 'In', 'returns': 'Out' }
      { 'event': 'E' }`),
  );
  const names = (text: string): string[] => Object.keys((JSON.parse(text) as JsonSchema).$defs);
  expect(names(texts.arguments)).toEqual(['Both', 'In', 'c']);
  expect(names(texts.results)).toEqual(['Both', 'E', 'Out', 'c']);
});

test('parts that a build of QEMU lacks are omitted', () => {
  const schema = schemaOf(`
    { 'enum': 'Kind', 'data': ['a', 'b', { 'name': 'c', 'if': 'GONE' }] }
    { 'struct': 'Branch', 'data': { 'x': 'int', 'y': { 'type': 'int', 'if': 'GONE' } } }
    { 'union': 'Union', 'base': { 'kind': 'Kind' }, 'discriminator': 'kind',
      'data': { 'a': { 'type': 'Branch', 'if': 'GONE' }, 'b': 'Branch', 'c': { 'type': 'Branch', 'if': 'GONE' } } }
    { 'command': 'c', 'data': 'Union', 'boxed': true }`);
  const validator = new JsonSchemaValidator(narrow(schema, () => false));
  const isValid = (value: unknown): boolean => validator.errors('arguments', 'c', value).length === 0;
  expect(isValid({ kind: 'b', x: 1 })).toBe(true);
  expect(isValid({ kind: 'b', x: 1, y: 1 })).toBe(false);
  expect(isValid({ kind: 'c', x: 1, y: 1 })).toBe(false);
  // The value remains, although its branch is omitted.
  expect(isValid({ kind: 'a' })).toBe(true);
  expect(isValid({ kind: 'a', x: 1 })).toBe(false);
});

describe('generate and check', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'qapi-ts-json-schema-'));
    writeFileSync(join(folder, 'some.json'), `{ 'command': 'c' }`);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } => {
    const bin = join(repository, 'generator/bin/qapi-ts.js');
    const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], { cwd: folder, encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  const files = (out: string): string[] => readdirSync(join(folder, out)).toSorted();
  const typescript = ['client.ts', 'index.ts'];
  const schemas = ['arguments.schema.json', 'results.schema.json'];
  const mend = (count: number, ...options: string[]): string =>
    `${count === 1 ? '1 generated file is' : `${count} generated files are`} stale. ` +
    `To fix this, run: npx qapi-ts generate ${options.join(' ')}\n`;

  it('writes the schemas next to the TypeScript, and finds them up to date', () => {
    const options = ['--schema', 'some.json', '--out', 'one', '--json-schema'];
    expect(run('generate', ...options)).toMatchObject({ status: 0, stderr: expect.stringContaining('; 4 files; ') });
    expect(files('one')).toEqual([...schemas, ...typescript].toSorted());
    expect(run('check', ...options)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(readFileSync(join(folder, 'one/arguments.schema.json'), 'utf8')).toMatch(
      /^\{\n {2}"\$comment": "Generated by qapi-ts [\d.]+ from some\.json, schema [\da-f]{16}\. Do not edit\.",\n/u,
    );
  });

  it('lists stale files, and the command that fixes them', () => {
    const options = ['--schema', 'some.json', '--out', 'two', '--json-schema', '-D', 'X'];
    run('generate', ...options);
    appendFileSync(join(folder, 'two/arguments.schema.json'), '\n');
    rmSync(join(folder, 'two/results.schema.json'));
    expect(run('check', ...options)).toEqual({
      status: 1,
      stdout: 'two/arguments.schema.json: different\ntwo/results.schema.json: missing\n',
      stderr: mend(2, ...options),
    });
    run('generate', ...options);
    expect(run('check', ...options)).toMatchObject({ status: 0 });
  });

  it('deletes only the schemas if they are no longer generated', () => {
    const options = ['--schema', 'some.json', '--out', 'three'];
    run('generate', ...options, '--json-schema');
    const others = ['my.schema.json', 'package.json'];
    for (const name of others) writeFileSync(join(folder, 'three', name), `{ "$comment": "mine" }\n`);
    // As another formatter might write it.
    writeFileSync(
      join(folder, 'three/gone.schema.json'),
      `{\n\t"$comment": "Generated by qapi-ts 0.0.1 from something."\n}\n`,
    );
    const gone = [schemas[0], 'gone.schema.json', schemas[1]];
    expect(run('check', ...options)).toEqual({
      status: 1,
      stdout: gone.map((name) => `three/${name}: no longer generated\n`).join(''),
      stderr: mend(3, ...options),
    });
    expect(run('generate', ...options)).toMatchObject({ status: 0 });
    expect(files('three')).toEqual([...typescript, ...others].toSorted());
  });

  it('does not overwrite other files', () => {
    const options = ['--schema', 'some.json', '--out', 'four'];
    run('generate', ...options);
    writeFileSync(join(folder, 'four/results.schema.json'), '{}\n');
    expect(run('generate', ...options, '--json-schema')).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/results\.schema\.json' is not a generated file/u),
    });
    expect(files('four')).toEqual(['client.ts', 'index.ts', 'results.schema.json']);
  });

  it('writes the schemas of all servers of an embedded QEMU', () => {
    expect(run('generate', '--qemu', '10.2', '--out', 'all', '--json-schema')).toMatchObject({ status: 0 });
    for (const server of servers) {
      const texts = schemas.map((name) => readFileSync(join(folder, 'all', server.name, name), 'utf8'));
      const wanted = Object.values(jsonSchemaTexts(loadSchema(embeddedRoot('10.2.2', server))));
      const withoutComment = (text: string): string => text.replace(/"\$comment": .*/u, '');
      expect(texts.map(withoutComment)).toEqual(wanted.map(withoutComment));
    }
  });
});
