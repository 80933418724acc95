/** Commands and events. */

import type { Table } from './case.js';

export const commands: Table = {
  'Commands: arguments': [
    [
      "{ 'command': 'foo', 'data': true }",
      "1:29: in command 'foo': 'data' must be the name of a type or an object of members, not true",
    ],
    [
      "{ 'command': 'foo', 'data': [] }",
      "1:29: in command 'foo': 'data' must be the name of a type or an object of members, not an empty array",
    ],
    [
      "{ 'command': 'foo', 'data': [ 'Bar' ] }",
      "1:29: in command 'foo': 'data' must be the name of a type or an object of members, not an array",
    ],
    ["{ 'command': 'foo', 'data': 'Bar' }", "1:29: in command 'foo': 'data' of the command uses unknown type 'Bar'"],
    ["{ 'command': 'foo', 'data': 'int' }", "1:29: in command 'foo': 'data' must be a struct or union, not 'int'"],
    ["{ 'command': 'foo', 'data': 'any' }", "1:29: in command 'foo': 'data' must be a struct or union, not 'any'"],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'command': 'foo', 'data': 'Color' }",
      "2:29: in command 'foo': 'data' must be a struct or union, not the enum 'Color'",
    ],
    [
      "{ 'alternate': 'Bar', 'data': { 'a': 'int' } }\n{ 'command': 'foo', 'data': 'Bar' }",
      "2:29: in command 'foo': 'data' must be a struct or union, not the alternate 'Bar'",
    ],
    [
      "{ 'command': 'foo', 'data': 'foo' }",
      "1:29: in command 'foo': 'data' of the command uses unknown type 'foo'; 'foo' is a command",
    ],
    ["{ 'command': 'foo', 'data': { 'a': 'Bar' } }", "1:36: in command 'foo': member 'a' uses unknown type 'Bar'"],
    [
      "{ 'command': 'foo', 'data': { 'a-b': 'int', 'a_b': 'int' } }",
      "1:45: in command 'foo': member 'a_b' collides with member 'a-b'",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Bar', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': {} }\n{ 'command': 'foo', 'data': 'Bar' }",
      "3:29: in command 'foo': 'data' can be the union 'Bar' only with 'boxed': true",
    ],
    ["{ 'command': 'foo', 'boxed': true }", "1:21: in command 'foo': 'boxed' requires 'data'"],
    [
      "{ 'command': 'foo', 'boxed': true, 'data': { 'a': 'int' } }",
      "1:44: in command 'foo': 'data' must be the name of a type when 'boxed' is true",
    ],
    [
      "{ 'command': 'foo', 'boxed': true, 'data': {} }",
      "1:44: in command 'foo': 'data' must be the name of a type when 'boxed' is true",
    ],
    [
      "{ 'command': 'foo', 'boxed': true, 'data': 'str' }",
      "1:44: in command 'foo': 'data' must be a struct or union, not 'str'",
    ],
    [
      "{ 'command': 'foo', 'boxed': true, 'data': [ 'Bar' ] }",
      "1:44: in command 'foo': 'data' must be the name of a type, not an array",
    ],
    [
      "{ 'struct': 'Bar', 'data': {} }\n{ 'command': 'foo', 'boxed': false, 'data': 'Bar' }",
      "2:30: in command 'foo': 'boxed' can only be true; omit it for the default",
    ],
    [
      "{ 'command': 'foo', 'data': { 'a': { 'type': 'int', 'if': 'IF_A' } } }",
      "1:31: in command 'foo': member 'a' is conditional: that requires 'boxed': true",
      { dialect: '10.2' },
    ],
    [
      "{ 'struct': 'Bar', 'data': { 'a': { 'type': 'int', 'if': 'IF_A' } } }\n{ 'command': 'foo', 'data': 'Bar' }",
      "2:29: in command 'foo': member 'a' is conditional: that requires 'boxed': true",
      { dialect: '10.2' },
    ],
    [
      "{ 'struct': 'Bar', 'data': { 'a': { 'type': 'int', 'if': 'IF_A' } } }\n{ 'struct': 'Baz', 'base': 'Bar', 'data': {} }\n{ 'command': 'foo', 'data': 'Baz' }",
      "3:29: in command 'foo': member 'a' is conditional: that requires 'boxed': true",
      { dialect: '10.0' },
    ],
  ],
  'Commands: return type': [
    [
      "{ 'command': 'foo', 'returns': true }",
      "1:32: in command 'foo': 'returns' must be the name of a type or an array such as [ 'str' ], not true",
    ],
    [
      "{ 'command': 'foo', 'returns': { 'a': 'int' } }",
      "1:32: in command 'foo': 'returns' must be the name of a type or an array such as [ 'str' ], not an object",
    ],
    [
      "{ 'command': 'foo', 'returns': [] }",
      "1:32: in command 'foo': 'returns' must be an array that holds the name of one type",
    ],
    [
      "{ 'command': 'foo', 'returns': [ [ 'Bar' ] ] }",
      "1:34: in command 'foo': 'returns' must be an array that holds the name of one type",
    ],
    [
      "{ 'command': 'foo', 'returns': [ 'Bar', 'Bar' ] }",
      "1:41: in command 'foo': 'returns' must be an array that holds the name of one type",
    ],
    ["{ 'command': 'foo', 'returns': 'Bar' }", "1:32: in command 'foo': 'returns' uses unknown type 'Bar'"],
    ["{ 'command': 'foo', 'returns': [ 'Bar' ] }", "1:34: in command 'foo': 'returns' uses unknown type 'Bar'"],
    [
      "{ 'command': 'foo', 'returns': 'int' }",
      "1:32: in command 'foo': a command must return an object or an array of objects, not 'int' (pragma 'command-returns-exceptions' allows it)",
    ],
    [
      "{ 'command': 'foo', 'returns': [ 'str' ] }",
      "1:34: in command 'foo': a command must return an object or an array of objects, not an array of 'str' (pragma 'command-returns-exceptions' allows it)",
    ],
    [
      "{ 'command': 'foo', 'returns': 'any' }",
      "1:32: in command 'foo': a command must return an object or an array of objects, not 'any' (pragma 'command-returns-exceptions' allows it)",
    ],
    [
      "{ 'command': 'foo', 'returns': 'null' }",
      "1:32: in command 'foo': a command must return an object or an array of objects, not 'null' (pragma 'command-returns-exceptions' allows it)",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'command': 'foo', 'returns': 'Color' }",
      "2:32: in command 'foo': a command must return an object or an array of objects, not the enum 'Color' (pragma 'command-returns-exceptions' allows it)",
    ],
    [
      "{ 'alternate': 'Bar', 'data': { 'a': 'int' } }\n{ 'command': 'foo', 'returns': [ 'Bar' ] }",
      "2:34: in command 'foo': a command must return an object or an array of objects, not an array of 'Bar' (pragma 'command-returns-exceptions' allows it)",
    ],
    [
      "{ 'pragma': { 'command-returns-exceptions': [ 'foo' ] } }\n{ 'command': 'food', 'returns': 'int' }",
      "2:33: in command 'food': a command must return an object or an array of objects, not 'int' (pragma 'command-returns-exceptions' allows it)",
      { dialect: '10.2' },
    ],
  ],
  'Commands: flags': [
    ["{ 'command': 'foo', 'gen': true }", "1:28: in command 'foo': 'gen' can only be false; omit it for the default"],
    ["{ 'command': 'foo', 'gen': 'no' }", "1:28: in command 'foo': 'gen' can only be false; omit it for the default"],
    [
      "{ 'command': 'foo', 'success-response': true }",
      "1:41: in command 'foo': 'success-response' can only be false; omit it for the default",
    ],
    [
      "{ 'command': 'foo', 'success-response': [] }",
      "1:41: in command 'foo': 'success-response' can only be false; omit it for the default",
    ],
    [
      "{ 'command': 'foo', 'allow-oob': false }",
      "1:34: in command 'foo': 'allow-oob' can only be true; omit it for the default",
    ],
    [
      "{ 'command': 'foo', 'allow-preconfig': false }",
      "1:40: in command 'foo': 'allow-preconfig' can only be true; omit it for the default",
    ],
    [
      "{ 'command': 'foo', 'allow-preconfig': {} }",
      "1:40: in command 'foo': 'allow-preconfig' can only be true; omit it for the default",
    ],
    [
      "{ 'command': 'foo', 'coroutine': false }",
      "1:34: in command 'foo': 'coroutine' can only be true; omit it for the default",
    ],
    [
      "{ 'command': 'foo', 'coroutine': 'true' }",
      "1:34: in command 'foo': 'coroutine' can only be true; omit it for the default",
    ],
    [
      "{ 'command': 'foo', 'coroutine': true,\n  'allow-oob': true }",
      "1:21: in command 'foo': a command cannot have both 'allow-oob' and 'coroutine'",
    ],
    [
      "{ 'command': 'foo', 'sucess-response': false }",
      "1:21: in command 'foo': command 'foo' has no key 'sucess-response' (did you mean 'success-response'?)",
    ],
    [
      "{ 'command': 'foo', 'base': 'Bar' }",
      "1:21: in command 'foo': command 'foo' has no key 'base'; it can have 'command', 'data', 'returns', 'boxed', 'if', 'features', 'gen', 'success-response', 'allow-oob', 'allow-preconfig', 'coroutine'",
    ],
  ],
  Events: [
    [
      "{ 'event': 'FOO', 'data': true }",
      "1:27: in event 'FOO': 'data' must be the name of a type or an object of members, not true",
    ],
    [
      "{ 'event': 'FOO', 'data': [ 'Bar' ] }",
      "1:27: in event 'FOO': 'data' must be the name of a type or an object of members, not an array",
    ],
    ["{ 'event': 'FOO', 'data': 'Bar' }", "1:27: in event 'FOO': 'data' of the event uses unknown type 'Bar'"],
    ["{ 'event': 'FOO', 'data': 'int' }", "1:27: in event 'FOO': 'data' must be a struct or union, not 'int'"],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'event': 'FOO', 'data': 'Color' }",
      "2:27: in event 'FOO': 'data' must be a struct or union, not the enum 'Color'",
    ],
    ["{ 'event': 'FOO', 'data': { 'a': 'Bar' } }", "1:34: in event 'FOO': member 'a' uses unknown type 'Bar'"],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Bar', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': {} }\n{ 'event': 'FOO', 'data': 'Bar' }",
      "3:27: in event 'FOO': 'data' can be the union 'Bar' only with 'boxed': true",
    ],
    ["{ 'event': 'FOO', 'boxed': true }", "1:19: in event 'FOO': 'boxed' requires 'data'"],
    [
      "{ 'event': 'FOO', 'boxed': true, 'data': { 'a': 'int' } }",
      "1:42: in event 'FOO': 'data' must be the name of a type when 'boxed' is true",
    ],
    [
      "{ 'event': 'FOO', 'boxed': true, 'data': 'str' }",
      "1:42: in event 'FOO': 'data' must be a struct or union, not 'str'",
    ],
    [
      "{ 'struct': 'Bar', 'data': {} }\n{ 'event': 'FOO', 'boxed': 'yes', 'data': 'Bar' }",
      "2:28: in event 'FOO': 'boxed' can only be true; omit it for the default",
    ],
    [
      "{ 'event': 'FOO', 'returns': 'Bar' }",
      "1:19: in event 'FOO': event 'FOO' has no key 'returns'; it can have 'event', 'data', 'boxed', 'if', 'features'",
    ],
    [
      "{ 'event': 'FOO', 'gen': false }",
      "1:19: in event 'FOO': event 'FOO' has no key 'gen'; it can have 'event', 'data', 'boxed', 'if', 'features'",
    ],
    [
      "{ 'event': 'FOO', 'data': { 'a': { 'type': 'int', 'if': 'IF_A' } } }",
      "1:29: in event 'FOO': member 'a' is conditional: that requires 'boxed': true",
      { dialect: '10.2' },
    ],
    [
      "{ 'struct': 'Bar', 'data': { 'a': { 'type': 'int', 'if': 'IF_A' } } }\n{ 'event': 'FOO', 'data': 'Bar' }",
      "2:27: in event 'FOO': member 'a' is conditional: that requires 'boxed': true",
      { dialect: '10.2' },
    ],
  ],
};
