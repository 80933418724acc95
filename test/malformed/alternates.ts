/** Alternates. */

import type { Malformed, Table } from './case.js';

const types = `{ 'struct': 'Point', 'data': {} }
{ 'struct': 'Circle', 'data': {} }
{ 'enum': 'Color', 'data': [ 'red' ] }
{ 'enum': 'Switch', 'data': [ 'on', 'auto' ] }
{ 'enum': 'Off', 'data': [ 'off' ] }
{ 'enum': 'Digit', 'data': [ 'a', '5x' ] }
{ 'union': 'Shape', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': {} }`;

/** Pairs of types that cannot be in the same alternate. The dialect is one that allows arrays. */
const conflicts: readonly (readonly [one: string, other: string, dialect?: string])[] = [
  ["'Point'", "'Circle'"],
  ["'Point'", "'Point'"],
  ["'Point'", "'Shape'"],
  ["'Shape'", "'Shape'"],
  ["'str'", "'str'"],
  ["'str'", "'int'"],
  ["'number'", "'str'"],
  ["'str'", "'size'"],
  ["'str'", "'bool'"],
  ["'str'", "'Color'"],
  ["'Color'", "'Switch'"],
  ["'Switch'", "'bool'"],
  ["'bool'", "'Off'"],
  ["'Digit'", "'int'"],
  ["'uint8'", "'Digit'"],
  ["'int'", "'number'"],
  ["'int'", "'int64'"],
  ["'bool'", "'bool'"],
  ["'null'", "'null'"],
  ["[ 'int' ]", "[ 'str' ]", '10.2'],
  ["[ 'Point' ]", "[ 'Point' ]", '7.2'],
];

function conflict([one, other, dialect]: (typeof conflicts)[number]): Malformed {
  return [
    `${types}\n{ 'alternate': 'Foo',\n  'data': { 'a': ${one},\n            'b': ${other} } }`,
    "10:13: in alternate 'Foo': alternative 'b' cannot be distinguished from 'a' by its JSON kind",
    { ...(dialect !== undefined && { dialect }) },
  ];
}

export const alternates: Table = {
  'Alternate types: their form': [
    ["{ 'alternate': 'Foo' }", "1:1: in alternate 'Foo': alternate 'Foo' lacks the key 'data'"],
    ["{ 'alternate': 'Foo', 'data': {} }", "1:31: in alternate 'Foo': an alternate needs at least one alternative"],
    [
      "{ 'alternate': 'Foo', 'data': [ 'int', 'null' ] }",
      "1:31: in alternate 'Foo': 'data' must be an object with one member for each alternative, not an array",
    ],
    [
      "{ 'alternate': 'Foo', 'data': 'int' }",
      "1:31: in alternate 'Foo': 'data' must be an object with one member for each alternative, not the string 'int'",
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': 'int' }, 'base': 'Bar' }",
      "1:47: in alternate 'Foo': alternate 'Foo' has no key 'base'; it can have 'alternate', 'data', 'if', 'features'",
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': 'int' }, 'discriminator': 'a' }",
      "1:47: in alternate 'Foo': alternate 'Foo' has no key 'discriminator'; it can have 'alternate', 'data', 'if', 'features'",
    ],
    ["{ 'alternate': 'Foo', 'data': { 'a': {} } }", "1:33: in alternate 'Foo': alternative 'a' lacks the key 'type'"],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': { 'type': 'int', 'features': [] } } }",
      "1:55: in alternate 'Foo': alternative 'a' has no key 'features'; it can have 'type', 'if'",
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': { 'type': { 'b': 'int' } } } }",
      "1:48: in alternate 'Foo': the type of alternative 'a' must be the name of a type or an array such as [ 'str' ], not an object",
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': true } }",
      "1:38: in alternate 'Foo': the type of alternative 'a' must be the name of a type or an array such as [ 'str' ], not true",
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': [] } }",
      "1:38: in alternate 'Foo': the type of alternative 'a' must be an array that holds the name of one type",
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': [ 'int', 'str' ] } }",
      "1:47: in alternate 'Foo': the type of alternative 'a' must be an array that holds the name of one type",
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': [ 'int' ] } }",
      "1:38: in alternate 'Foo': the type of alternative 'a' must be the name of a type, not an array",
      { dialect: '5.2' },
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': 'Bar' } }",
      "1:38: in alternate 'Foo': alternative 'a' uses unknown type 'Bar'",
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': [ 'Bar' ] } }",
      "1:40: in alternate 'Foo': alternative 'a' uses unknown type 'Bar'",
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': 'any' } }",
      "1:38: in alternate 'Foo': alternative 'a' cannot be 'any': it has no JSON kind of its own",
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': 'Foo' } }",
      "1:38: in alternate 'Foo': alternative 'a' cannot be the alternate 'Foo': it has no JSON kind of its own",
    ],
    [
      "{ 'alternate': 'Bar', 'data': { 'a': 'int' } }\n{ 'alternate': 'Foo', 'data': { 'a': 'Bar' } }",
      "2:38: in alternate 'Foo': alternative 'a' cannot be the alternate 'Bar': it has no JSON kind of its own",
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'a-b': 'int', 'a_b': 'null' } }",
      "1:47: in alternate 'Foo': alternative 'a_b' collides with alternative 'a-b'",
    ],
  ],
  'Alternate types: types with the same form on the wire': conflicts.map(conflict),
};
