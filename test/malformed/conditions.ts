/** Conditions. */

import type { Table } from './case.js';

export const conditions: Table = {
  'Configuring the schema: every place': [
    [
      "{ 'enum': 'Foo', 'data': [], 'if': true }",
      "1:36: in enum 'Foo': 'if' of enum 'Foo' must be a string, a list of strings, or an object with 'all', 'any' or 'not', not true",
    ],
    [
      "{ 'struct': 'Foo', 'data': {}, 'if': true }",
      "1:38: in struct 'Foo': 'if' of struct 'Foo' must be a string, a list of strings, or an object with 'all', 'any' or 'not', not true",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': {}, 'if': true }",
      "2:85: in union 'Foo': 'if' of union 'Foo' must be a string, a list of strings, or an object with 'all', 'any' or 'not', not true",
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': 'int' }, 'if': true }",
      "1:53: in alternate 'Foo': 'if' of alternate 'Foo' must be a string, a list of strings, or an object with 'all', 'any' or 'not', not true",
    ],
    [
      "{ 'command': 'foo', 'if': true }",
      "1:27: in command 'foo': 'if' of command 'foo' must be a string, a list of strings, or an object with 'all', 'any' or 'not', not true",
    ],
    [
      "{ 'event': 'FOO', 'if': false }",
      "1:25: in event 'FOO': 'if' of event 'FOO' must be a string, a list of strings, or an object with 'all', 'any' or 'not', not false",
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'a': { 'type': 'int', 'if': true } } }",
      "1:58: in struct 'Foo': 'if' of member 'a' must be a string, a list of strings, or an object with 'all', 'any' or 'not', not true",
    ],
    [
      "{ 'enum': 'Foo', 'data': [ { 'name': 'a', 'if': true } ] }",
      "1:49: in enum 'Foo': 'if' of value 'a' must be a string, a list of strings, or an object with 'all', 'any' or 'not', not true",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'struct': 'Bar', 'data': {} }\n{ 'union': 'Foo', 'base': { 'c': 'Color' }, 'discriminator': 'c',\n  'data': { 'red': { 'type': 'Bar', 'if': true } } }",
      "4:43: in union 'Foo': 'if' of branch 'red' must be a string, a list of strings, or an object with 'all', 'any' or 'not', not true",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { 'c': 'Color', 'd': { 'type': 'int', 'if': true } }, 'discriminator': 'c',\n  'data': {} }",
      "2:71: in union 'Foo': 'if' of member 'd' must be a string, a list of strings, or an object with 'all', 'any' or 'not', not true",
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': { 'type': 'int', 'if': true } } }",
      "1:61: in alternate 'Foo': 'if' of alternative 'a' must be a string, a list of strings, or an object with 'all', 'any' or 'not', not true",
    ],
    [
      "{ 'struct': 'Foo', 'data': {}, 'features': [ { 'name': 'x', 'if': true } ] }",
      "1:67: in struct 'Foo': 'if' of feature 'x' must be a string, a list of strings, or an object with 'all', 'any' or 'not', not true",
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'a': { 'type': 'int', 'features': [ { 'name': 'x', 'if': true } ] } } }",
      "1:87: in struct 'Foo': 'if' of feature 'x' must be a string, a list of strings, or an object with 'all', 'any' or 'not', not true",
    ],
    [
      "{ 'command': 'foo', 'data': { 'a': { 'type': 'int', 'if': true } } }",
      "1:59: in command 'foo': 'if' of member 'a' must be a string, a list of strings, or an object with 'all', 'any' or 'not', not true",
    ],
    [
      "{ 'event': 'FOO', 'data': { 'a': { 'type': 'int', 'if': true } } }",
      "1:57: in event 'FOO': 'if' of member 'a' must be a string, a list of strings, or an object with 'all', 'any' or 'not', not true",
    ],
  ],
  'Configuring the schema: every form': [
    ["{ 'command': 'foo', 'if': '' }", "1:27: in command 'foo': 'if' of command 'foo' is empty"],
    ["{ 'command': 'foo', 'if': ' ' }", "1:27: in command 'foo': 'if' of command 'foo' is empty"],
    ["{ 'command': 'foo', 'if': [] }", "1:27: in command 'foo': 'if' of command 'foo' must not be an empty list"],
    [
      "{ 'command': 'foo', 'if': [ 'IF_A', true ] }",
      "1:37: in command 'foo': an element of 'if' of command 'foo' must be a string, not true",
    ],
    ["{ 'command': 'foo', 'if': [ '' ] }", "1:29: in command 'foo': 'if' of command 'foo' is empty"],
    [
      "{ 'command': 'foo', 'if': {} }",
      "1:27: in command 'foo': 'if' of command 'foo' needs exactly one of 'all', 'any' and 'not'",
    ],
    [
      "{ 'command': 'foo', 'if': { 'none': [ 'IF_A' ] } }",
      "1:29: in command 'foo': 'if' of command 'foo' has no key 'none'; it can have 'all', 'any', 'not'",
    ],
    [
      "{ 'command': 'foo', 'if': { 'all': [ 'IF_A' ], 'any': [ 'IF_B' ] } }",
      "1:27: in command 'foo': 'if' of command 'foo' needs exactly one of 'all', 'any' and 'not'",
    ],
    [
      "{ 'command': 'foo', 'if': { 'all': 'IF_A' } }",
      "1:36: in command 'foo': 'all' in 'if' of command 'foo' must be an array, not the string 'IF_A'",
    ],
    [
      "{ 'command': 'foo', 'if': { 'any': {} } }",
      "1:36: in command 'foo': 'any' in 'if' of command 'foo' must be an array, not an object",
    ],
    [
      "{ 'command': 'foo', 'if': { 'any': [] } }",
      "1:36: in command 'foo': 'if' of command 'foo' must not be an empty list",
    ],
    [
      "{ 'command': 'foo', 'if': { 'all': [ { 'all': [] } ] } }",
      "1:47: in command 'foo': 'if' of command 'foo' must not be an empty list",
    ],
    [
      "{ 'command': 'foo', 'if': { 'not': true } }",
      "1:36: in command 'foo': 'if' of command 'foo' must be a string, a list of strings, or an object with 'all', 'any' or 'not', not true",
    ],
    [
      "{ 'command': 'foo', 'if': { 'not': [ 'IF_A' ] } }",
      "1:36: in command 'foo': 'if' of command 'foo' must be a string or an object with 'all', 'any' or 'not', not an array",
      { dialect: '10.2' },
    ],
    [
      "{ 'command': 'foo', 'if': [ 'IF_A' ] }",
      "1:27: in command 'foo': 'if' of command 'foo' must be a string or an object with 'all', 'any' or 'not', not an array",
      { dialect: '10.2' },
    ],
    [
      "{ 'command': 'foo', 'if': 'defined(IF_A)' }",
      "1:27: in command 'foo': 'if' of command 'foo': 'defined(IF_A)' is not an identifier such as CONFIG_LINUX",
      { dialect: '10.2' },
    ],
    [
      "{ 'command': 'foo', 'if': 'if_a' }",
      "1:27: in command 'foo': 'if' of command 'foo': 'if_a' is not an identifier such as CONFIG_LINUX",
      { dialect: '7.2' },
    ],
    [
      "{ 'command': 'foo', 'if': '1A' }",
      "1:27: in command 'foo': 'if' of command 'foo': '1A' is not an identifier such as CONFIG_LINUX",
      { dialect: '10.2' },
    ],
    [
      "{ 'command': 'foo', 'if': '_A' }",
      "1:27: in command 'foo': 'if' of command 'foo': '_A' is not an identifier such as CONFIG_LINUX",
      { dialect: '10.2' },
    ],
    [
      "{ 'command': 'foo', 'if': { 'any': [ 'IF_A', { 'not': 'IF-B' } ] } }",
      "1:55: in command 'foo': 'if' of command 'foo': 'IF-B' is not an identifier such as CONFIG_LINUX",
      { dialect: '10.2' },
    ],
    [
      "{ 'command': 'foo', 'if': { 'all': [ 'IF_A', true ] } }",
      "1:46: in command 'foo': 'if' of command 'foo' must be a string or an object with 'all', 'any' or 'not', not true",
      { dialect: '10.2' },
    ],
    [
      "{ 'command': 'foo', 'if': { 'all': [ 'IF_A' ] } }",
      "1:27: in command 'foo': 'if' of command 'foo' must be a string or a list of strings, not an object",
      { dialect: '5.2' },
    ],
    [
      "{ 'command': 'foo', 'if': [ [ 'IF_A' ] ] }",
      "1:29: in command 'foo': an element of 'if' of command 'foo' must be a string, not an array",
      { dialect: '5.2' },
    ],
  ],
};
