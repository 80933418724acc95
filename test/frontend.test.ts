/** The models of valid schemas. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, test } from 'vitest';

import { FileError, UsageError } from '../generator/src/errors.js';
import { dialectOf, newestDialect, oldestDialect } from '../generator/src/frontend/dialect.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import { allMembers, isObjectType, isType } from '../generator/src/model.js';
import { diagnosticsOf, schemaOf } from './support/schema.js';
import { shapes } from './support/shape.js';

/** A schema, a short form of its last definition, and the only version that accepts it, if any. */
type Row = readonly [given: string, want: string, dialect?: string];

const color = "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }";
const point = "{ 'struct': 'Point', 'data': { 'x': 'int' } }";
const shape = `${color} ${point}
  { 'union': 'Shape', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': { 'red': 'Point' } }`;

const tables: Readonly<Record<string, readonly Row[]>> = {
  enums: [
    ["{ 'enum': 'Foo', 'data': [] }", 'enum Foo {}'],
    ["{ 'enum': 'Foo', 'data': [ 'a', 'b-c', '5', '1-2x' ] }", 'enum Foo { a, b-c, 5, 1-2x }'],
    ["{ 'enum': 'Foo', 'data': [ { 'name': 'b' }, 'a' ] }", 'enum Foo { b, a }'],
    ["{ 'enum': 'Foo', 'data': [ { 'name': 'a', 'if': 'IF_A' } ] }", 'enum Foo { a if IF_A }', '10.2'],
    ["{ 'enum': 'Foo', 'data': [ { 'name': 'a', 'if': 'defined(IF_A)' } ] }", 'enum Foo { a if IF_A }', '5.2'],
    [
      "{ 'enum': 'Foo', 'data': [ { 'name': 'a', 'features': [ 'deprecated', { 'name': 'x' } ] } ] }",
      'enum Foo { a [deprecated, x] }',
      '7.2',
    ],
    ["{ 'enum': 'Foo', 'data': [ 'a' ], 'prefix': 'BAR' }", 'enum Foo prefix BAR { a }'],
    ["{ 'enum': 'Foo', 'data': [], 'if': 'X', 'features': [ 'a' ] }", 'enum Foo {} if X [a]'],
    [
      "{ 'enum': 'Foo', 'data': [ '__org.example_a', 'x-b', 'constructor' ] }",
      'enum Foo { __org.example_a, x-b, constructor }',
    ],
    [
      "{ 'pragma': { 'member-name-exceptions': [ 'Foo' ] } } { 'enum': 'Foo', 'data': [ 'a_b', 'C' ] }",
      'enum Foo { a_b, C }',
      '10.2',
    ],
    [
      "{ 'pragma': { 'name-case-whitelist': [ 'Foo' ] } } { 'enum': 'Foo', 'data': [ 'a_b', 'C' ] }",
      'enum Foo { a_b, C }',
      '5.2',
    ],
  ],
  structs: [
    ["{ 'struct': 'Foo', 'data': {} }", 'struct Foo {}'],
    [
      "{ 'struct': 'Foo', 'data': { 'b': 'int', '*a': 'str', 'c': [ 'bool' ] } }",
      'struct Foo { b: int, a?: str, c: [bool] }',
    ],
    [
      "{ 'struct': 'Foo', 'data': { '*a': { 'type': 'any' }, 'b': { 'type': [ 'null' ] } } }",
      'struct Foo { a?: any, b: [null] }',
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'a': { 'type': 'int', 'if': { 'not': 'X' }, 'features': [ 'b' ] } } }",
      'struct Foo { a: int if !X [b] }',
    ],
    [
      `{ 'struct': 'Foo', 'data': { 'a': 'number', 'b': 'int8', 'c': 'int16', 'd': 'int32', 'e': 'int64', 'f': 'uint8',
        'g': 'uint16', 'h': 'uint32', 'i': 'uint64', 'j': 'size', 'k': 'QType' } }`,
      'struct Foo { a: number, b: int8, c: int16, d: int32, e: int64, f: uint8, g: uint16, h: uint32, i: uint64, j: size, k: QType }',
    ],
    ["{ 'struct': 'Foo', 'data': { '*next': 'Foo', 'all': [ 'Foo' ] } }", 'struct Foo { next?: Foo, all: [Foo] }'],
    [`${point} { 'struct': 'Foo', 'base': 'Point', 'data': { 'y': 'int' } }`, 'struct Foo : Point { y: int }'],
    [
      `{ 'struct': 'Bar', 'base': 'Foo', 'data': {} } { 'struct': 'Foo', 'data': { 'a': 'Bar' } }`,
      'struct Foo { a: Bar }',
    ],
    [
      "{ 'struct': 'String', 'data': { 'constructor': 'int', 'default': 'int' } }",
      'struct String { constructor: int, default: int }',
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'x-a': 'int', '__org.example_b': 'int' } }",
      'struct Foo { x-a: int, __org.example_b: int }',
    ],
    ["{ 'struct': '__org.example_Foo', 'data': {} }", 'struct __org.example_Foo {}', '10.2'],
    [
      "{ 'struct': 'Foo', 'data': {}, 'if': 'X', 'features': [ 'a', { 'name': 'b', 'if': 'Y' } ] }",
      'struct Foo {} if X [a, b if Y]',
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'a': { 'type': 'int', 'features': [ 'deprecated', 'unstable' ] } } }",
      'struct Foo { a: int [deprecated, unstable] }',
    ],
  ],
  unions: [
    [shape, 'union Shape : { c: Color } by c { red: Point, green }'],
    [
      `${color} { 'struct': 'Base', 'data': { 'c': 'Color', '*d': 'int' } }
       { 'union': 'Foo', 'base': 'Base', 'discriminator': 'c', 'data': {} }`,
      'union Foo : Base by c { red, green }',
    ],
    [
      `${color} { 'struct': 'Aa', 'data': { 'c': 'Color' } } { 'struct': 'Bb', 'base': 'Aa', 'data': {} }
       { 'union': 'Foo', 'base': 'Bb', 'discriminator': 'c', 'data': {} }`,
      'union Foo : Bb by c { red, green }',
    ],
    [
      `${color} ${point}
       { 'union': 'Foo', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': { 'green': 'Point', 'red': 'Point' } }`,
      'union Foo : { c: Color } by c { green: Point, red: Point }',
    ],
    [
      `{ 'enum': 'Kind', 'data': [ 'a', { 'name': 'b', 'if': 'IF_B' } ] } ${point}
       { 'union': 'Foo', 'base': { 'k': 'Kind' }, 'discriminator': 'k',
         'data': { 'a': { 'type': 'Point', 'if': 'IF_A' } }, 'if': 'X', 'features': [ 'f' ] }`,
      'union Foo : { k: Kind } by k { a: Point if IF_A, b if IF_B } if X [f]',
    ],
    [
      `${shape} { 'union': 'Foo', 'base': { 'd': 'Color' }, 'discriminator': 'd', 'data': { 'red': 'Shape' } }`,
      'union Foo : { d: Color } by d { red: Shape, green }',
      '10.2',
    ],
    [
      `${point} { 'union': 'Foo', 'base': { 't': 'QType' }, 'discriminator': 't', 'data': { 'qnull': 'Point' } }`,
      'union Foo : { t: QType } by t { qnull: Point, none, qnum, qstring, qdict, qlist, qbool }',
    ],
    [
      `{ 'enum': 'Digit', 'data': [ '1' ] } ${point}
       { 'union': 'Foo', 'base': { 'd': 'Digit' }, 'discriminator': 'd', 'data': { '1': 'Point' } }`,
      'union Foo : { d: Digit } by d { 1: Point }',
      '10.2',
    ],
  ],
  'unions without discriminator': [
    [
      "{ 'union': 'Foo', 'data': { 'a': 'int', 'b': [ 'str' ] } }",
      'union Foo : { type: FooKind } by type { a: { data: int }, b: { data: [str] } }',
      '5.2',
    ],
    [
      `${shape} { 'union': 'Foo', 'data': { 'c': 'Color', 'p': 'Point', 's': 'Shape', 'x': 'any' } }`,
      'union Foo : { type: FooKind } by type { c: { data: Color }, p: { data: Point }, s: { data: Shape }, x: { data: any } }',
      '5.2',
    ],
    [
      "{ 'union': 'Foo', 'data': { 'a': { 'type': 'int', 'if': 'defined(X)' } }, 'if': 'defined(Y)' }",
      'union Foo : { type: FooKind } by type { a: { data: int } if X } if Y',
      '5.2',
    ],
    [
      "{ 'union': 'Foo', 'data': { 'type': 'int', 'data': 'Foo' } }",
      'union Foo : { type: FooKind } by type { type: { data: int }, data: { data: Foo } }',
      '5.2',
    ],
  ],
  alternates: [
    ["{ 'alternate': 'Foo', 'data': { 'a': 'int' } }", 'alternate Foo { a: int }'],
    [
      `${point} { 'alternate': 'Foo', 'data': { 's': 'str', 'o': 'Point', 'n': 'null' } }`,
      'alternate Foo { s: str, o: Point, n: null }',
    ],
    [
      `${shape} { 'alternate': 'Foo', 'data': { 'o': 'Shape', 'b': 'bool', 'n': 'number', 'e': 'Color' } }`,
      'alternate Foo { o: Shape, b: bool, n: number, e: Color }',
    ],
    ["{ 'alternate': 'Foo', 'data': { 's': 'str', 'l': [ 'str' ] } }", 'alternate Foo { s: str, l: [str] }', '10.2'],
    [
      "{ 'enum': 'Switch', 'data': [ 'on', '5' ] } { 'alternate': 'Foo', 'data': { 'e': 'Switch', 'n': 'null' } }",
      'alternate Foo { e: Switch, n: null }',
    ],
    [
      "{ 'struct': 'Bar', 'data': { 'foo': 'Foo' } } { 'alternate': 'Foo', 'data': { 'r': 'str', 'd': 'Bar' } }",
      'alternate Foo { r: str, d: Bar }',
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': { 'type': 'int', 'if': 'X' } }, 'if': 'Y', 'features': [ 'f' ] }",
      'alternate Foo { a: int if X } if Y [f]',
    ],
  ],
  commands: [
    ["{ 'command': 'foo' }", 'command foo()'],
    ["{ 'command': 'foo', 'data': {} }", 'command foo()'],
    ["{ 'command': 'foo', 'data': { 'a': 'int', '*b': [ 'str' ] } }", 'command foo({ a: int, b?: [str] })'],
    [`${point} { 'command': 'foo', 'data': 'Point', 'returns': 'Point' }`, 'command foo(Point) -> Point'],
    [
      `${point} { 'command': 'foo', 'data': 'Point', 'boxed': true, 'returns': [ 'Point' ] }`,
      'command foo(Point) -> [Point] boxed',
    ],
    [
      `${shape} { 'command': 'foo', 'data': 'Shape', 'boxed': true, 'returns': 'Shape' }`,
      'command foo(Shape) -> Shape boxed',
    ],
    ["{ 'command': 'foo', 'gen': false }", 'command foo() no-gen'],
    ["{ 'command': 'foo', 'success-response': false }", 'command foo() no-response'],
    ["{ 'command': 'foo', 'allow-oob': true, 'allow-preconfig': true }", 'command foo() oob preconfig'],
    ["{ 'command': 'foo', 'coroutine': true }", 'command foo() coroutine'],
    [
      "{ 'command': 'foo', 'if': 'X', 'features': [ 'deprecated', 'unstable' ] }",
      'command foo() if X [deprecated, unstable]',
    ],
    [
      "{ 'pragma': { 'command-returns-exceptions': [ 'foo' ] } } { 'command': 'foo', 'returns': [ 'int' ] }",
      'command foo() -> [int]',
      '10.2',
    ],
    [
      `{ 'pragma': { 'returns-whitelist': [ 'foo' ] } } ${color} { 'command': 'foo', 'returns': 'Color' }`,
      'command foo() -> Color',
      '5.2',
    ],
    [
      "{ 'pragma': { 'command-name-exceptions': [ 'foo_bar' ] } } { 'command': 'foo_bar' }",
      'command foo_bar()',
      '10.2',
    ],
    ["{ 'command': '__org.example_x-foo' }", 'command __org.example_x-foo()', '10.2'],
    ["{ 'command': 'foo', 'data': { 'a': { 'type': 'int', 'if': 'X' } } }", 'command foo({ a: int if X })', '7.2'],
    [
      "{ 'struct': 'Bar', 'data': { 'a': { 'type': 'int', 'if': 'X' } } } { 'command': 'foo', 'data': 'Bar', 'boxed': true }",
      'command foo(Bar) boxed',
      '10.2',
    ],
  ],
  events: [
    ["{ 'event': 'FOO' }", 'event FOO()'],
    ["{ 'event': 'FOO_BAR', 'data': {} }", 'event FOO_BAR()'],
    ["{ 'event': 'FOO', 'data': { 'a': 'int' } }", 'event FOO({ a: int })'],
    [`${point} { 'event': 'FOO', 'data': 'Point' }`, 'event FOO(Point)'],
    [`${shape} { 'event': 'FOO', 'data': 'Shape', 'boxed': true }`, 'event FOO(Shape) boxed'],
    [
      "{ 'event': 'FOO', 'if': { 'any': [ 'X', 'Y' ] }, 'features': [ 'unstable' ] }",
      'event FOO() if X || Y [unstable]',
    ],
    ["{ 'event': '__ORG.EXAMPLE_FOO' }", 'event __ORG.EXAMPLE_FOO()', '10.2'],
  ],
  'conditions since QEMU 6.2': [
    ["{ 'command': 'foo', 'if': 'X_1' }", 'command foo() if X_1', '10.2'],
    ["{ 'command': 'foo', 'if': { 'not': 'X' } }", 'command foo() if !X', '10.2'],
    ["{ 'command': 'foo', 'if': { 'all': [ 'X' ] } }", 'command foo() if X', '10.2'],
    [
      "{ 'command': 'foo', 'if': { 'all': [ 'X', { 'any': [ 'Y', { 'not': 'Z' } ] } ] } }",
      'command foo() if X && (Y || !Z)',
      '10.2',
    ],
    ["{ 'command': 'foo', 'if': { 'not': { 'all': [ 'X', 'Y' ] } } }", 'command foo() if !(X && Y)', '7.2'],
  ],
  'conditions before QEMU 6.2': [
    ["{ 'command': 'foo', 'if': 'defined(X)' }", 'command foo() if X', '5.2'],
    ["{ 'command': 'foo', 'if': ' defined X ' }", 'command foo() if X', '5.2'],
    ["{ 'command': 'foo', 'if': [ 'defined(X)', '!defined(Y)' ] }", 'command foo() if X && !Y', '5.2'],
    ["{ 'command': 'foo', 'if': 'defined(X) || defined(Y) && defined(Z)' }", 'command foo() if X || (Y && Z)', '5.2'],
    [
      "{ 'command': 'foo', 'if': '(defined(X) || defined(Y)) && !(defined(Z))' }",
      'command foo() if (X || Y) && !Z',
      '5.2',
    ],
    ["{ 'command': 'foo', 'if': 'FOO > 5' }", 'command foo() if FOO > 5', '5.2'],
    ["{ 'command': 'foo', 'if': [ 'FOO > 5', 'defined(X' ] }", 'command foo() if (FOO > 5) && defined(X', '5.2'],
    ["{ 'command': 'foo', 'if': 'defined(X) defined(Y)' }", 'command foo() if defined(X) defined(Y)', '5.2'],
  ],
  pragmas: [
    ["{ 'pragma': {} } { 'command': 'foo' }", 'command foo()'],
    [
      "{ 'pragma': { 'doc-required': true } } { 'pragma': { 'doc-required': false } } { 'command': 'foo' }",
      'command foo()',
    ],
    [
      "{ 'pragma': { 'doc-required': false, 'command-name-exceptions': [], 'command-returns-exceptions': [], 'documentation-exceptions': [], 'member-name-exceptions': [] } } { 'command': 'foo' }",
      'command foo()',
      '10.2',
    ],
    [
      "{ 'command': 'foo_bar', 'returns': 'str' } { 'pragma': { 'command-name-exceptions': [ 'foo_bar' ], 'command-returns-exceptions': [ 'foo_bar' ] } }",
      'command foo_bar() -> str',
      '7.2',
    ],
    [
      "##\n# @foo:\n##\n{ 'command': 'foo', 'data': { 'a': 'int' } }\n{ 'pragma': { 'documentation-exceptions': [ 'foo' ] } }",
      'command foo({ a: int })',
      '10.2',
    ],
  ],
  'spaces and comments': [
    ["{'command':'foo','data':{'a':['int']}}", 'command foo({ a: [int] })'],
    ["\n\t{ # one\n'command'#two\n:\t'foo'# 'three'\n}# four", 'command foo()'],
    ["# it's '\n{ 'command': # it's\n 'foo' }", 'command foo()'],
    ["{ 'command': 'foo' }{ 'command': 'bar' }", 'command bar()'],
    ["# \u{1F600} caf\u00E9 \u0001\n{ 'command': 'foo' } # \u2028 x", 'command foo()'],
    ["{ # a line separator \u2028 'x\n 'command': 'foo' }", 'command foo()'],
    ["{ 'enum': 'Foo', 'prefix': 'a#b', 'data': [] } # c", 'enum Foo prefix a#b {}'],
    ["{ 'enum': 'Foo', # 'x\n 'prefix': 'a\\\\#\\\\', # 'y\n 'data': [] }", 'enum Foo prefix a\\#\\ {}'],
    ["{ 'enum': 'Foo', 'prefix': '\"{[,:]} true', 'data': [] }", 'enum Foo prefix "{[,:]} true {}'],
    ["{ 'command': 'foo', 'gen':false}", 'command foo() no-gen'],
    ["#\n##\n# text\n##\n{ 'include': 'empty.json' }\n{ 'command': 'foo' }", 'command foo()'],
  ],
};

describe.each(Object.entries(tables))('%s', (_title, rows) => {
  for (const [given, want, dialect] of rows) {
    const files = { 'test.json': given, 'empty.json': '' };
    test(`${dialect ?? 'any version'}: ${JSON.stringify(given)}`, () => {
      expect(shapes(schemaOf(files)).at(-1)).toBe(want);
      if (dialect !== undefined) expect(shapes(schemaOf(files, dialect)).at(-1)).toBe(want);
    });
  }
});

describe('versions of QEMU differ', () => {
  /** The versions around a change of rules. */
  const simple = "{ 'union': 'Foo', 'data': { 'a': 'int' } }";
  /** A union with one branch and a discriminator of type `Foo`. */
  const unionOf = (branch: string): string =>
    `{ 'struct': 'Empty', 'data': {} }
     { 'union': 'Bar', 'base': { 'foo': 'Foo' }, 'discriminator': 'foo', 'data': { '${branch}': 'Empty' } }`;
  const documented = (...lines: string[]): string => ['##', ...lines, '##'].join('\n');
  const about = (...lines: string[]): string => documented('# @Foo:', '#', ...lines);
  const foo = "\n{ 'struct': 'Foo', 'data': {} }";
  const fooA = "\n{ 'struct': 'Foo', 'data': { 'a': 'int' } }";
  const many = Array.from({ length: 63 }, (_, index) => `'f${index}'`).join(', ');

  test.each([
    { rule: 'case of types', given: "{ 'struct': 'foo', 'data': {} }", good: ['5.2'], bad: ['6.0', '10.2'] },
    { rule: 'case of commands', given: "{ 'command': 'Foo' }", good: ['5.2'], bad: ['6.0'] },
    { rule: 'underscores', given: "{ 'command': 'foo_bar' }", good: ['5.2'], bad: ['6.0'] },
    { rule: 'case of events', given: "{ 'event': 'foo' }", good: ['5.2'], bad: ['6.0'] },
    {
      rule: 'names of branches',
      given: `{ 'enum': 'Foo', 'data': [ '5' ] } ${unionOf('5')}`,
      good: ['6.0', '6.1', '6.2', '10.2'],
      bad: ['5.2'],
    },
    {
      rule: 'names of branches that a pragma exempts',
      given: `{ 'pragma': { 'member-name-exceptions': [ 'Foo' ] } }
        { 'enum': 'Foo', 'data': [ 'host_device' ] } ${unionOf('host_device')}`,
      good: ['6.0', '6.1', '6.2', '10.2'],
      bad: ['5.2'],
    },
    {
      rule: 'names of branches without a discriminator',
      given: "{ 'union': 'Foo', 'data': { 'a_b': 'int' } }",
      good: ['5.2'],
      bad: ['6.0', '6.1'],
    },
    { rule: 'case of members', given: "{ 'struct': 'Foo', 'data': { 'A': 'int' } }", good: [], bad: ['5.2', '6.0'] },
    { rule: 'List', given: "{ 'command': 'fooList' }", good: [], bad: ['5.2', '6.0'] },
    { rule: 'List of events', given: "{ 'event': '__FOO_List' }", good: [], bad: ['5.2', '6.0'] },
    { rule: 'Kind', given: "{ 'enum': 'FooKind', 'data': [] }", good: ['6.2', '10.2'], bad: ['5.2', '6.1'] },
    { rule: 'whitelists', given: "{ 'pragma': { 'returns-whitelist': [] } }", good: ['5.2'], bad: ['6.0'] },
    { rule: 'exceptions', given: "{ 'pragma': { 'member-name-exceptions': [] } }", good: ['6.0'], bad: ['5.2'] },
    {
      rule: 'documentation-exceptions',
      given: "{ 'pragma': { 'documentation-exceptions': [] } }",
      good: ['9.0', '10.2'],
      bad: ['5.2', '8.2'],
    },
    { rule: 'undocumented members', given: `${about('# text')}${fooA}`, good: ['5.2', '8.2'], bad: ['9.0', '10.2'] },
    { rule: 'text', given: "{ 'command': 'foo', 'if': 'defined(X)' }", good: ['5.2', '6.1'], bad: ['6.2', '10.2'] },
    {
      rule: 'objects',
      given: "{ 'command': 'foo', 'if': { 'all': ['X'] } }",
      good: ['6.2', '10.2'],
      bad: ['5.2', '6.1'],
    },
    { rule: 'plain names', given: "{ 'command': 'foo', 'if': 'X' }", good: ['5.2', '6.1', '6.2', '10.2'], bad: [] },
    { rule: 'no discriminator', given: simple, good: ['5.2', '6.1'], bad: ['6.2', '10.2'] },
    {
      rule: 'features of values',
      given: "{ 'enum': 'Foo', 'data': [ { 'name': 'a', 'features': [] } ] }",
      good: ['6.2', '10.2'],
      bad: ['5.2', '6.1'],
    },
    {
      rule: 'unstable types',
      given: "{ 'struct': 'Foo', 'data': {}, 'features': [ 'unstable' ] }",
      good: ['5.2', '6.1'],
      bad: ['6.2', '10.2'],
    },
    {
      rule: 'arrays as alternatives',
      given: "{ 'alternate': 'Foo', 'data': { 'a': [ 'int' ] } }",
      good: ['7.1', '10.2'],
      bad: ['5.2', '7.0'],
    },
    {
      rule: 'unions in unions',
      given: `${shape} { 'union': 'Foo', 'base': { 'd': 'Color' }, 'discriminator': 'd', 'data': { 'red': 'Shape' } }`,
      good: ['8.1', '10.2'],
      bad: ['5.2', '8.0'],
    },
    {
      rule: 'conditional arguments',
      given: "{ 'command': 'foo', 'data': { 'a': { 'type': 'int', 'if': 'X' } } }",
      good: ['5.2', '8.0'],
      bad: ['8.1', '10.2'],
    },
    { rule: 'features', given: `{ 'command': 'foo', 'features': [ ${many} ] }`, good: ['9.2'], bad: ['10.0', '10.2'] },
    { rule: 'notes', given: `${about('# Note: text')}${foo}`, good: ['5.2', '9.0'], bad: ['9.1', '10.2'] },
    {
      rule: 'headings',
      given: documented('# text', '#', '# = Heading'),
      good: ['5.2', '8.2', '10.1'],
      bad: ['9.0', '10.0'],
    },
    { rule: 'long lines', given: documented(`# ${'word '.repeat(20)}`), good: ['5.2', '10.1'], bad: ['10.2'] },
    { rule: 'sentences', given: documented('# One. Two.'), good: ['5.2', '10.1'], bad: ['10.2'] },
    { rule: 'Errors', given: `${about('# Errors: text')}${foo}`, good: ['5.2', '8.2'], bad: ['9.0', '10.2'] },
    { rule: 'space before colon', given: `${about('# @a : text')}${fooA}`, good: ['5.2', '8.0'], bad: ['8.1', '10.2'] },
  ])('in $rule', ({ given, good, bad }) => {
    for (const version of good) expect(diagnosticsOf(given, version), version).toEqual([]);
    for (const version of bad) expect(diagnosticsOf(given, version), version).toHaveLength(1);
    expect(diagnosticsOf(given)).toEqual([]);
  });

  it.each(['5.2', '5.2.0', '10.0.13', '11.0', newestDialect, oldestDialect])('knows %s', (version) => {
    expect(dialectOf(version).version).toBeDefined();
  });

  it.each(['', '5', '5.1', '4.2.1', '0.12', 'newest', 'v10.2', '10.2-rc1', '10.2.', '10..2', ' 10.2', '10.2.2.1'])(
    "does not know '%s'",
    (version) => {
      expect(() => dialectOf(version)).toThrow(
        new UsageError(`unknown dialect '${version}': expected QEMU version 5.2 or later, such as ${newestDialect}`),
      );
    },
  );
});

describe('the model', () => {
  it('refers to types by identity', () => {
    const { definitions } = schemaOf(
      `${shape} { 'command': 'foo', 'data': { 'a': [ 'Shape' ], 'b': [ 'Shape' ] }, 'returns': 'Shape' }`,
    );
    const union = definitions.get('Shape');
    const command = definitions.get('foo');
    if (union?.kind !== 'union' || command?.kind !== 'command') throw new Error('other kinds');
    expect(command.returns).toBe(union);
    expect(union.discriminator.type).toBe(definitions.get('Color'));
    expect(union.discriminator).toEqual(allMembers(union)[0]);
    expect(union.branches[0]?.type).toBe(definitions.get('Point'));
    const [a, b] = command.arguments ? allMembers(command.arguments) : [];
    expect(a?.type).toBe(b?.type);
    expect(a?.type).toMatchObject({ kind: 'array', element: union });
  });

  it('has members of bases first', () => {
    const { definitions } = schemaOf(`${point}
      { 'struct': 'Foo', 'base': 'Point', 'data': { 'y': 'int' } }
      { 'struct': 'Bar', 'base': 'Foo', 'data': { 'z': 'int' } }`);
    const bar = definitions.get('Bar');
    if (!bar || !isType(bar) || !isObjectType(bar)) throw new Error('no object');
    expect(allMembers(bar).map(({ name }) => name)).toEqual(['x', 'y', 'z']);
  });

  it.each([
    ["{ 'command': 'foo', 'data': { 'a': 'int' } }", 'arguments'],
    ["{ 'event': 'FOO', 'data': { 'a': 'int' } }", 'arguments'],
  ])('gives the reason why a type is implicit: %s', (given, implicit) => {
    const [definition] = schemaOf(given).definitions.values();
    const object =
      definition?.kind === 'command' ? definition.arguments : definition?.kind === 'event' && definition.data;
    expect(object).toMatchObject({ kind: 'struct', name: definition?.name, implicit });
  });

  it('has the kinds of implicit types of a union without a discriminator', () => {
    const union = schemaOf("{ 'union': 'Foo', 'data': { 'a': 'int' }, 'if': 'X' }").definitions.get('Foo');
    expect(union).toMatchObject({
      base: { name: 'Foo', implicit: 'base' },
      discriminator: {
        name: 'type',
        type: { kind: 'enum', name: 'FooKind', implicit: 'discriminator', condition: { kind: 'defined', name: 'X' } },
      },
      branches: [{ name: 'a', type: { implicit: 'wrapper', members: [{ name: 'data', optional: false }] } }],
    });
  });

  it('has the predefined enum', () => {
    const foo = schemaOf("{ 'struct': 'Foo', 'data': { 'a': 'QType' } }").definitions.get('Foo');
    expect(foo).toMatchObject({ members: [{ type: { name: 'QType', module: 'builtin', implicit: 'predefined' } }] });
  });

  it('keeps the form of conditions', () => {
    const conditionOf = (text: string): unknown =>
      [...schemaOf(`{ 'command': 'foo', 'if': ${text} }`).definitions.values()][0]?.condition;
    const x = { kind: 'defined', name: 'X' };
    const y = { kind: 'defined', name: 'Y' };
    expect(conditionOf("'X'")).toEqual(x);
    expect(conditionOf("'defined(X)'")).toEqual(x);
    expect(conditionOf("{ 'not': 'X' }")).toEqual({ kind: 'not', operand: x });
    expect(conditionOf("'!defined(X)'")).toEqual({ kind: 'not', operand: x });
    expect(conditionOf("{ 'all': [ 'X', 'Y' ] }")).toEqual({ kind: 'all', operands: [x, y] });
    expect(conditionOf("[ 'defined(X)', 'defined(Y)' ]")).toEqual({ kind: 'all', operands: [x, y] });
    expect(conditionOf("{ 'any': [ 'X', 'Y' ] }")).toEqual({ kind: 'any', operands: [x, y] });
    expect(conditionOf("'defined(X) || defined(Y)'")).toEqual({ kind: 'any', operands: [x, y] });
    expect(conditionOf("'X > 1'")).toEqual({ kind: 'defined', name: 'X > 1' });
  });

  it('has only the fields that a definition needs', () => {
    const [definition] = schemaOf("# text\n  { 'event': 'FOO' }").definitions.values();
    expect(definition).toStrictEqual({
      kind: 'event',
      name: 'FOO',
      module: 'test',
      position: expect.objectContaining({ file: 'test.json', line: 2, column: 3 }),
      features: [],
      boxed: false,
    });
  });
});

describe('modules', () => {
  const files = {
    'sub/root.json': `{ 'include': 'a.json' }\n{ 'struct': 'Root', 'data': { 'a': 'Aa' } }\n{ 'include': './../c-d.json' }`,
    'sub/a.json': `{ 'include': 'b/b.json' }\n{ 'struct': 'Aa', 'data': { 'b': 'Bb', 'c': 'Cc' } }`,
    'sub/b/b.json': `{ 'include': '../../c-d.json' }\n{ 'struct': 'Bb', 'data': {} }\n{ 'include': '../../sub/b/../../c-d.json' }`,
    'c-d.json': `{ 'struct': 'Cc', 'data': { 'root': 'Root' } }`,
  };

  it('are in order of first inclusion', () => {
    const schema = schemaOf(files);
    expect(
      schema.modules.map(({ name, path, definitions }) => [name, path, definitions.map((one) => one.name)]),
    ).toEqual([
      ['root', 'root.json', ['Root']],
      ['a', 'a.json', ['Aa']],
      ['b', 'b/b.json', ['Bb']],
      ['c-d', '../c-d.json', ['Cc']],
    ]);
    expect([...schema.definitions.keys()]).toEqual(['Cc', 'Bb', 'Aa', 'Root']);
    expect(
      [...schema.definitions.values()].map(({ module, position }) => `${module} ${position.file}:${position.line}`),
    ).toEqual(['c-d c-d.json:1', 'b sub/b/b.json:2', 'a sub/a.json:2', 'root sub/root.json:2']);
  });

  it('share pragmas', () => {
    const schema = schemaOf(
      {
        'test.json': "{ 'include': 'a.json' }\n{ 'include': 'pragma.json' }",
        'a.json': "{ 'struct': 'Foo', 'data': { 'A_B': 'int' } }",
        'pragma.json': "{ 'pragma': { 'member-name-exceptions': [ 'Foo' ] } }",
      },
      '10.2',
    );
    expect(shapes(schema)).toEqual(['struct Foo { A_B: int }']);
  });

  it('have a digest of their content', () => {
    const digest = (changes: Record<string, string> = {}): string => schemaOf({ ...files, ...changes }).digest;
    expect(digest()).toMatch(/^[0-9a-f]{64}$/u);
    expect(digest()).toBe(digest());
    expect(digest({ 'c-d.json': `${files['c-d.json']}\n` })).not.toBe(digest());
    expect(digest({ 'c-d.json': `${files['c-d.json']}\r\n` })).toBe(digest({ 'c-d.json': `${files['c-d.json']}\n` }));
  });

  it('are read from the file system', () => {
    const folder = mkdtempSync(join(tmpdir(), 'qapi-ts-frontend-'));
    try {
      mkdirSync(join(folder, 'sub/b'), { recursive: true });
      for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
      // As in a QEMU source tree, in which a schema may include any file.
      for (const server of ['qapi', 'qga']) {
        mkdirSync(join(folder, server));
        writeFileSync(join(folder, server, 'qapi-schema.json'), '');
      }
      const schema = loadSchema(join(folder, 'sub/root.json'));
      expect(schema.digest).toBe(schemaOf(files).digest);
      expect(schema.modules.map(({ path }) => path)).toEqual(['root.json', 'a.json', 'b/b.json', '../c-d.json']);
      writeFileSync(
        join(folder, 'absolute.json'),
        `{ 'include': '${join(folder, 'c-d.json')}' } { 'struct': 'Root', 'data': {} }`,
      );
      expect(loadSchema(join(folder, 'absolute.json')).modules.map(({ name }) => name)).toEqual(['absolute', 'c-d']);
      writeFileSync(join(folder, 'folder.json'), "{ 'include': 'sub' }");
      expect(() => loadSchema(join(folder, 'folder.json'))).toThrow(
        /cannot read include file '.*sub': it is a directory/u,
      );
      expect(() => loadSchema(join(folder, 'nowhere.json'))).toThrow(
        new FileError(`cannot read '${join(folder, 'nowhere.json')}': no such file`),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('text', () => {
  const text = `##\n# @Foo:\n#\n# @a: text\n##\n{ 'struct': 'Foo',\n  'data': { 'a': 'int' } }\n\n{ 'event': 'FOO' }\n`;

  it.each([
    ['CRLF', text.replaceAll('\n', '\r\n')],
    ['CR', text.replaceAll('\n', '\r')],
    ['no last newline', text.slice(0, -1)],
    ['tabs', text.replaceAll("'data'", "\t'data'")],
  ])('is the same with %s', (_what, variant) => {
    expect(schemaOf(variant).definitions).toEqual(schemaOf(text).definitions);
  });

  it.each(['', '\n', ' \t\n\n', '#', '# text', '#text\n\n', '##\n##', '##\n# text\n##\n'])(
    'may say nothing: %j',
    (given) => {
      expect(schemaOf(given).definitions.size).toBe(0);
      expect(schemaOf(given).modules).toEqual([{ name: 'test', path: 'test.json', definitions: [] }]);
    },
  );
});

describe('documentation', () => {
  it('belongs to the definition that follows', () => {
    const { definitions } = schemaOf(`##
# text
##

##
# @Foo:
#
# A foo.
#
# @a: its a  (since 2.1)
#
# Features:
#
# @x: its x
#
# Since: 2.0
##
# An ordinary comment.

{ 'struct': 'Foo', 'data': { 'a': 'int' }, 'features': [ 'x' ] }
{ 'struct': 'Bar', 'data': {} }
##
# more text
##`);
    expect(definitions.get('Foo')?.doc).toEqual({
      position: { file: 'test.json', line: 5, column: 1 },
      body: 'A foo.',
      members: new Map([['a', { text: 'its a  (since 2.1)', since: '2.1' }]]),
      features: new Map([['x', { text: 'its x' }]]),
      since: '2.0',
      examples: [],
    });
    expect(definitions.get('Bar')).not.toHaveProperty('doc');
  });

  /** A comment may describe members that are written in the definition, but not inherited ones. */
  test.each([
    ["{ 'enum': 'Foo', 'data': [ 'a', { 'name': 'b' } ] }", ['a', 'b']],
    ["{ 'struct': 'Foo', 'data': { 'a': 'int', '*b': 'int' } }", ['a', 'b']],
    ["{ 'struct': 'Bar', 'data': { 'a': 'int' } } { 'struct': 'Foo', 'base': 'Bar', 'data': { 'b': 'int' } }", ['b']],
    ["{ 'union': 'Foo', 'base': { 't': 'QType', 'b': 'int' }, 'discriminator': 't', 'data': {} }", ['t', 'b']],
    ["{ 'union': 'Foo', 'data': { 'a': 'int' } }", ['type']],
    ["{ 'alternate': 'Foo', 'data': { 'a': 'int', 'n': 'null' } }", ['a', 'n']],
    ["{ 'command': 'Foo', 'data': { 'a': 'int' } }", ['a']],
    ["{ 'event': 'Foo', 'data': { 'a': 'int' } }", ['a']],
    ["{ 'struct': 'Bar', 'data': { 'a': 'int' } } { 'command': 'Foo', 'data': 'Bar' }", []],
  ])('of %s', (given, members) => {
    const at = given.lastIndexOf("{ '", given.indexOf("'Foo'"));
    const comment = ['##', '# @Foo:', ...members.flatMap((name) => ['#', `# @${name}: text`]), '##', ''].join('\n');
    const documented = `${given.slice(0, at)}\n${comment}${given.slice(at)}`;
    expect([...(schemaOf(documented).definitions.get('Foo')?.doc?.members.keys() ?? [])]).toEqual(members);
  });

  it('is required by the pragma', () => {
    const given =
      "{ 'pragma': { 'doc-required': true } }\n##\n# @foo:\n##\n{ 'command': 'foo', 'data': { 'a': 'int' } }";
    expect(diagnosticsOf(given)).toEqual([]);
    expect(diagnosticsOf(given, '8.2')).toEqual([]);
    expect(diagnosticsOf(given, '9.0')).toHaveLength(1);
  });
});
