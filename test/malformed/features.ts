/** Features. */

import type { Table } from './case.js';

export const features: Table = {
  Features: [
    [
      "{ 'command': 'foo', 'features': 'a' }",
      "1:33: in command 'foo': 'features' must be an array, not the string 'a'",
    ],
    [
      "{ 'struct': 'Foo', 'data': {}, 'features': {} }",
      "1:44: in struct 'Foo': 'features' must be an array, not an object",
    ],
    [
      "{ 'struct': 'Foo', 'data': {}, 'features': true }",
      "1:44: in struct 'Foo': 'features' must be an array, not true",
    ],
    [
      "{ 'struct': 'Foo', 'data': {}, 'features': [ true ] }",
      "1:46: in struct 'Foo': a feature must be a string, or an object with a name, not true",
    ],
    [
      "{ 'struct': 'Foo', 'data': {}, 'features': [ [ 'a' ] ] }",
      "1:46: in struct 'Foo': a feature must be a string, or an object with a name, not an array",
    ],
    ["{ 'struct': 'Foo', 'data': {}, 'features': [ {} ] }", "1:46: in struct 'Foo': this feature lacks the key 'name'"],
    [
      "{ 'struct': 'Foo', 'data': {}, 'features': [ { 'name': true } ] }",
      "1:56: in struct 'Foo': the name of a feature must be a string, not true",
    ],
    [
      "{ 'struct': 'Foo', 'data': {}, 'features': [ { 'name': 'a', 'since': '1' } ] }",
      "1:61: in struct 'Foo': this feature has no key 'since'; it can have 'name', 'if'",
    ],
    ["{ 'struct': 'Foo', 'data': {}, 'features': [ 'a', 'b', 'a' ] }", "1:56: in struct 'Foo': duplicate feature 'a'"],
    [
      "{ 'event': 'FOO', 'features': [ 'a', { 'name': 'a', 'if': 'IF_A' } ] }",
      "1:48: in event 'FOO': duplicate feature 'a'",
      { dialect: '10.2' },
    ],
    [
      "{ 'command': 'foo', 'features': [ 'a-b', 'a_b' ] }",
      "1:42: in command 'foo': feature 'a_b' collides with feature 'a-b'",
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'a': { 'type': 'int', 'features': 'x' } } }",
      "1:64: in struct 'Foo': 'features' must be an array, not the string 'x'",
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'a': { 'type': 'int', 'features': [ 'x', 'x' ] } } }",
      "1:71: in struct 'Foo': duplicate feature 'x'",
    ],
    [
      "{ 'command': 'foo', 'data': { 'a': { 'type': 'int', 'features': [ 'x!' ] } } }",
      "1:67: in command 'foo': feature 'x!' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'enum': 'Foo', 'data': [ { 'name': 'a', 'features': true } ] }",
      "1:55: in enum 'Foo': 'features' must be an array, not true",
      { dialect: '10.2' },
    ],
    [
      "{ 'enum': 'Foo', 'data': [ { 'name': 'a', 'features': [ 'q_x' ] } ] }",
      "1:57: in enum 'Foo': feature 'q_x' is invalid: names that begin with 'q_' or 'q-' are reserved",
      { dialect: '7.2' },
    ],
    ["{ 'enum': 'Foo', 'data': [], 'features': [ 'a', 'a' ] }", "1:49: in enum 'Foo': duplicate feature 'a'"],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': 'int' }, 'features': [ 'a', 'a' ] }",
      "1:66: in alternate 'Foo': duplicate feature 'a'",
    ],
    [
      `{ 'command': 'foo', 'features': [\n${Array.from({ length: 63 }, (_, index) => `'f${index}'`).join(',\n')} ] }`,
      "64:1: in command 'foo': a schema can have at most 64 different features",
      { dialect: '10.2' },
    ],
  ],
  'Special features': [
    [
      "{ 'struct': 'Foo', 'data': {}, 'features': [ 'deprecated' ] }",
      "1:46: in struct 'Foo': types cannot have the feature 'deprecated'",
    ],
    [
      "{ 'enum': 'Foo', 'data': [], 'features': [ 'x', 'deprecated' ] }",
      "1:49: in enum 'Foo': types cannot have the feature 'deprecated'",
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': 'int' }, 'features': [ { 'name': 'deprecated' } ] }",
      "1:71: in alternate 'Foo': types cannot have the feature 'deprecated'",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': {}, 'features': [ 'deprecated' ] }",
      "2:93: in union 'Foo': types cannot have the feature 'deprecated'",
    ],
    [
      "{ 'struct': 'Foo', 'data': {}, 'features': [ 'unstable' ] }",
      "1:46: in struct 'Foo': types cannot have the feature 'unstable'",
      { dialect: '10.2' },
    ],
    [
      "{ 'enum': 'Foo', 'data': [], 'features': [ 'unstable' ] }",
      "1:44: in enum 'Foo': types cannot have the feature 'unstable'",
      { dialect: '7.2' },
    ],
  ],
};
