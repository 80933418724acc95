/** Kinds of definitions, enums, type references, structs. */

import type { Table } from './case.js';

export const definitions: Table = {
  'Schema syntax: definitions': [
    [
      "{ 'strut': 'Foo', 'data': {} }",
      "1:1: this is not a definition: it needs one of the keys 'enum', 'struct', 'union', 'alternate', 'command', 'event' (did you mean 'struct'?)",
    ],
    [
      "{ 'data': {} }",
      "1:1: this is not a definition: it needs one of the keys 'enum', 'struct', 'union', 'alternate', 'command', 'event'",
    ],
    [
      "{ 'type': 'Foo', 'data': {} }",
      "1:1: this is not a definition: it needs one of the keys 'enum', 'struct', 'union', 'alternate', 'command', 'event'",
    ],
    [
      "{ 'struct': 'Foo', 'command': 'foo', 'data': {} }",
      "1:20: a definition has only one of the keys 'enum', 'struct', 'union', 'alternate', 'command', 'event', but this one has 'struct' and 'command'",
    ],
    [
      "{ 'enum': 'Foo', 'data': [],\n  'alternate': 'Foo' }",
      "2:3: a definition has only one of the keys 'enum', 'struct', 'union', 'alternate', 'command', 'event', but this one has 'enum' and 'alternate'",
    ],
    ["{ 'enum': true, 'data': [] }", "1:11: 'enum' must be a name, not true"],
    ["{ 'struct': [ 'Foo' ], 'data': {} }", "1:13: 'struct' must be a name, not an array"],
    ["{ 'union': { 'name': 'Foo' }, 'data': {} }", "1:12: 'union' must be a name, not an object"],
    ["{ 'alternate': false, 'data': {} }", "1:16: 'alternate' must be a name, not false"],
    ["{ 'command': [] }", "1:14: 'command' must be a name, not an empty array"],
    ["{ 'event': {} }", "1:12: 'event' must be a name, not an object"],
  ],
  'Enumeration types': [
    ["{ 'enum': 'Foo' }", "1:1: in enum 'Foo': enum 'Foo' lacks the key 'data'"],
    [
      "{ 'enum': 'Foo', 'data': {} }",
      "1:26: in enum 'Foo': 'data' of an enum must be an array of values, not an object",
    ],
    [
      "{ 'enum': 'Foo', 'data': 'a' }",
      "1:26: in enum 'Foo': 'data' of an enum must be an array of values, not the string 'a'",
    ],
    ["{ 'enum': 'Foo', 'data': true }", "1:26: in enum 'Foo': 'data' of an enum must be an array of values, not true"],
    [
      "{ 'enum': 'Foo', 'data': [ 'a', true ] }",
      "1:33: in enum 'Foo': a value must be a string, or an object with a name, not true",
    ],
    [
      "{ 'enum': 'Foo', 'data': [ [ 'a' ] ] }",
      "1:28: in enum 'Foo': a value must be a string, or an object with a name, not an array",
    ],
    ["{ 'enum': 'Foo', 'data': [ {} ] }", "1:28: in enum 'Foo': this value lacks the key 'name'"],
    ["{ 'enum': 'Foo', 'data': [ { 'if': 'A' } ] }", "1:28: in enum 'Foo': this value lacks the key 'name'"],
    [
      "{ 'enum': 'Foo', 'data': [ { 'name': [ 'a' ] } ] }",
      "1:38: in enum 'Foo': the name of a value must be a string, not an array",
    ],
    [
      "{ 'enum': 'Foo', 'data': [ { 'name': 'a', 'value': '5' } ] }",
      "1:43: in enum 'Foo': this value has no key 'value'; it can have 'name', 'if', 'features'",
    ],
    [
      "{ 'enum': 'Foo', 'data': [ '' ] }",
      "1:28: in enum 'Foo': value '' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'enum': 'Foo', 'data': [ 'a b' ] }",
      "1:28: in enum 'Foo': value 'a b' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    ["{ 'enum': 'Foo', 'data': [ 'a', 'b',\n 'a' ] }", "2:2: in enum 'Foo': duplicate value 'a'"],
    [
      "{ 'enum': 'Foo', 'data': [ 'a-b', { 'name': 'a_b' } ] }",
      "1:45: in enum 'Foo': value 'a_b' collides with value 'a-b'",
    ],
    ["{ 'enum': 'Foo', 'data': [ 'a' ], 'prefix': true }", "1:45: in enum 'Foo': 'prefix' must be a string, not true"],
    [
      "{ 'enum': 'Foo', 'data': [ 'a' ], 'prefix': [ 'FOO' ] }",
      "1:45: in enum 'Foo': 'prefix' must be a string, not an array",
    ],
    [
      "{ 'enum': 'Foo', 'data': [ 'a' ], 'prefx': 'FOO' }",
      "1:35: in enum 'Foo': enum 'Foo' has no key 'prefx' (did you mean 'prefix'?)",
    ],
    [
      "{ 'enum': 'Foo', 'data': [ 'a' ], 'base': 'Bar' }",
      "1:35: in enum 'Foo': enum 'Foo' has no key 'base'; it can have 'enum', 'data', 'if', 'features', 'prefix'",
    ],
    [
      "{ 'enum': 'Foo', 'data': [ { 'name': 'a', 'features': [] } ] }",
      "1:43: in enum 'Foo': this value has no key 'features'; it can have 'name', 'if'",
      { dialect: '5.2' },
    ],
  ],
  'Type references and array types': [
    [
      "{ 'struct': 'Foo', 'data': { 'a': true } }",
      "1:35: in struct 'Foo': the type of member 'a' must be the name of a type or an array such as [ 'str' ], not true",
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'a': [] } }",
      "1:35: in struct 'Foo': the type of member 'a' must be an array that holds the name of one type",
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'a': [ 'int', 'str' ] } }",
      "1:44: in struct 'Foo': the type of member 'a' must be an array that holds the name of one type",
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'a': [ [ 'int' ] ] } }",
      "1:37: in struct 'Foo': the type of member 'a' must be an array that holds the name of one type",
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'a': [ { 'type': 'int' } ] } }",
      "1:37: in struct 'Foo': the type of member 'a' must be an array that holds the name of one type",
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'a': [ true ] } }",
      "1:37: in struct 'Foo': the type of member 'a' must be an array that holds the name of one type",
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'a': { 'type': [ [ 'int' ] ] } } }",
      "1:47: in struct 'Foo': the type of member 'a' must be an array that holds the name of one type",
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'a': { 'type': { 'b': 'int' } } } }",
      "1:45: in struct 'Foo': the type of member 'a' must be the name of a type or an array such as [ 'str' ], not an object",
    ],
    ["{ 'struct': 'Foo', 'data': { 'a': 'Bar' } }", "1:35: in struct 'Foo': member 'a' uses unknown type 'Bar'"],
    ["{ 'struct': 'Foo', 'data': { 'a': 'string' } }", "1:35: in struct 'Foo': member 'a' uses unknown type 'string'"],
    [
      "{ 'struct': 'Foo', 'data': { 'a': 'uint63' } }",
      "1:35: in struct 'Foo': member 'a' uses unknown type 'uint63' (did you mean 'uint64'?)",
    ],
    ["{ 'struct': 'Foo', 'data': { 'a': [ 'Bar' ] } }", "1:37: in struct 'Foo': member 'a' uses unknown type 'Bar'"],
    [
      "{ 'struct': 'Foo', 'data': { '*a': { 'type': 'foo' } } }",
      "1:46: in struct 'Foo': member 'a' uses unknown type 'foo' (did you mean 'Foo'?)",
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'a': 'bar' } }\n{ 'command': 'bar' }",
      "1:35: in struct 'Foo': member 'a' uses unknown type 'bar'; 'bar' is a command",
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'a': 'BAR' } }\n{ 'event': 'BAR' }",
      "1:35: in struct 'Foo': member 'a' uses unknown type 'BAR'; 'BAR' is an event",
    ],
    ["{ 'struct': 'Foo', 'data': { 'a': '' } }", "1:35: in struct 'Foo': member 'a' uses unknown type ''"],
    [
      "{ 'struct': 'Foo', 'data': { 'a': 'intList' } }",
      "1:35: in struct 'Foo': member 'a' uses unknown type 'intList'",
      { qemuTakesIt: "it treats the C name of [ 'int' ] as a type" },
    ],
    [
      "{ 'command': 'foo', 'returns': 'q_empty' }",
      "1:32: in command 'foo': 'returns' uses unknown type 'q_empty'",
      { qemuTakesIt: 'it treats its own name for the absent type as a type' },
    ],
    [
      "{ 'command': 'foo', 'returns': '' }",
      "1:32: in command 'foo': 'returns' uses unknown type ''",
      { qemuTakesIt: 'it treats an empty name as absent' },
    ],
  ],
  'Struct types': [
    ["{ 'struct': 'Foo' }", "1:1: in struct 'Foo': struct 'Foo' lacks the key 'data'"],
    [
      "{ 'struct': 'Foo', 'data': 'Bar' }",
      "1:28: in struct 'Foo': 'data' must be an object of members, not the string 'Bar'",
    ],
    [
      "{ 'struct': 'Foo', 'data': [ 'int' ] }",
      "1:28: in struct 'Foo': 'data' must be an object of members, not an array",
    ],
    ["{ 'struct': 'Foo', 'data': true }", "1:28: in struct 'Foo': 'data' must be an object of members, not true"],
    [
      "{ 'struct': 'Foo', 'data': {}, 'discriminator': 'a' }",
      "1:32: in struct 'Foo': struct 'Foo' has no key 'discriminator'; it can have 'struct', 'data', 'base', 'if', 'features'",
    ],
    [
      "{ 'struct': 'Foo', 'data': {}, 'boxed': true }",
      "1:32: in struct 'Foo': struct 'Foo' has no key 'boxed'; it can have 'struct', 'data', 'base', 'if', 'features'",
    ],
    ["{ 'struct': 'Foo', 'data': { 'a': {} } }", "1:30: in struct 'Foo': member 'a' lacks the key 'type'"],
    ["{ 'struct': 'Foo', 'data': { 'a': { 'if': 'A' } } }", "1:30: in struct 'Foo': member 'a' lacks the key 'type'"],
    [
      "{ 'struct': 'Foo', 'data': { 'a': { 'type': 'int', 'default': '5' } } }",
      "1:52: in struct 'Foo': member 'a' has no key 'default'; it can have 'type', 'if', 'features'",
    ],
    [
      "{ 'struct': 'Foo', 'data': {}, 'base': [ 'Bar' ] }",
      "1:40: in struct 'Foo': 'base' must be the name of a type, not an array",
    ],
    [
      "{ 'struct': 'Foo', 'data': {}, 'base': { 'a': 'int' } }",
      "1:40: in struct 'Foo': 'base' must be the name of a type, not an object",
    ],
    [
      "{ 'struct': 'Foo', 'data': {}, 'base': true }",
      "1:40: in struct 'Foo': 'base' must be the name of a type, not true",
    ],
    ["{ 'struct': 'Foo', 'data': {}, 'base': 'Bar' }", "1:40: in struct 'Foo': 'base' uses unknown type 'Bar'"],
    ["{ 'struct': 'Foo', 'data': {}, 'base': 'int' }", "1:40: in struct 'Foo': 'base' must be a struct, not 'int'"],
    ["{ 'struct': 'Foo', 'data': {}, 'base': 'any' }", "1:40: in struct 'Foo': 'base' must be a struct, not 'any'"],
    [
      "{ 'struct': 'Foo', 'data': {}, 'base': 'QType' }",
      "1:40: in struct 'Foo': 'base' must be a struct, not the enum 'QType'",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'struct': 'Foo', 'data': {}, 'base': 'Color' }",
      "2:40: in struct 'Foo': 'base' must be a struct, not the enum 'Color'",
    ],
    [
      "{ 'alternate': 'Bar', 'data': { 'a': 'int' } }\n{ 'struct': 'Foo', 'data': {}, 'base': 'Bar' }",
      "2:40: in struct 'Foo': 'base' must be a struct, not the alternate 'Bar'",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'struct': 'Foo', 'data': {} }\n{ 'union': 'Bar', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': { 'red': 'Foo' } }\n{ 'struct': 'Baz', 'data': {}, 'base': 'Bar' }",
      "4:40: in struct 'Baz': 'base' must be a struct, not the union 'Bar'",
    ],
    [
      "{ 'command': 'bar' }\n{ 'struct': 'Foo', 'data': {}, 'base': 'bar' }",
      "2:40: in struct 'Foo': 'base' uses unknown type 'bar'; 'bar' is a command",
    ],
    [
      "{ 'struct': 'Foo', 'data': {}, 'base': 'Foo' }",
      "1:40: in struct 'Foo': struct 'Foo' contains itself: its base is 'Foo'",
    ],
    [
      "{ 'struct': 'Foo', 'base': 'Bar', 'data': {} }\n{ 'struct': 'Bar', 'base': 'Foo', 'data': {} }",
      "2:28: in struct 'Bar': struct 'Bar' contains itself: its base is 'Foo'",
    ],
    [
      "{ 'struct': 'Aa', 'base': 'Bb', 'data': {} }\n{ 'struct': 'Bb', 'base': 'Cc', 'data': {} }\n{ 'struct': 'Cc', 'base': 'Aa', 'data': {} }",
      "3:27: in struct 'Cc': struct 'Cc' contains itself: its base is 'Aa'",
    ],
    ["{ 'struct': 'Foo', 'data': { 'a': 'int', '*a': 'int' } }", "1:42: in struct 'Foo': duplicate member 'a'"],
    [
      "{ 'struct': 'Foo', 'data': { 'a-b': 'int', 'a_b': 'int' } }",
      "1:44: in struct 'Foo': member 'a_b' collides with member 'a-b'",
    ],
    [
      "{ 'struct': 'Bar', 'data': { 'a': 'int' } }\n{ 'struct': 'Foo', 'base': 'Bar',\n  'data': { 'b': 'int', 'a': 'str' } }",
      "3:25: in struct 'Foo': member 'a' collides with member 'a' of struct 'Bar'",
    ],
    [
      "{ 'struct': 'Foo', 'base': 'Bar', 'data': { '*a': 'str' } }\n{ 'struct': 'Bar', 'base': 'Baz', 'data': {} }\n{ 'struct': 'Baz', 'data': { 'a': 'int' } }",
      "1:45: in struct 'Foo': member 'a' collides with member 'a' of struct 'Baz'",
    ],
  ],
};
