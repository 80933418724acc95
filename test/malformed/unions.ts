/** Unions. */

import type { Table } from './case.js';

export const unions: Table = {
  'Union types: their form': [
    ["{ 'union': 'Foo' }", "1:1: in union 'Foo': union 'Foo' lacks the key 'data'"],
    [
      "{ 'union': 'Foo', 'data': {} }",
      "1:1: in union 'Foo': union 'Foo' lacks the keys 'base', 'discriminator'",
      { dialect: '10.2' },
    ],
    [
      "{ 'union': 'Foo', 'base': { 't': 'QType' }, 'data': {} }",
      "1:1: in union 'Foo': union 'Foo' lacks the key 'discriminator'",
    ],
    ["{ 'union': 'Foo', 'discriminator': 't', 'data': {} }", "1:1: in union 'Foo': union 'Foo' lacks the key 'base'"],
    [
      "{ 'union': 'Foo', 'base': { 't': 'QType' }, 'discriminator': 't' }",
      "1:1: in union 'Foo': union 'Foo' lacks the key 'data'",
    ],
    [
      "{ 'union': 'Foo', 'base': { 't': 'QType' }, 'discriminator': 't', 'data': [] }",
      "1:75: in union 'Foo': 'data' must be an object with one member for each branch, not an empty array",
    ],
    [
      "{ 'union': 'Foo', 'base': { 't': 'QType' }, 'discriminator': 't', 'data': 'Bar' }",
      "1:75: in union 'Foo': 'data' must be an object with one member for each branch, not the string 'Bar'",
    ],
    [
      "{ 'union': 'Foo', 'base': { 't': 'QType' }, 'discriminator': [ 't' ], 'data': {} }",
      "1:62: in union 'Foo': 'discriminator' must be a member's name, not an array",
    ],
    [
      "{ 'union': 'Foo', 'base': { 't': 'QType' }, 'discriminator': true, 'data': {} }",
      "1:62: in union 'Foo': 'discriminator' must be a member's name, not true",
    ],
    [
      "{ 'union': 'Foo', 'base': [ 'Bar' ], 'discriminator': 't', 'data': {} }",
      "1:27: in union 'Foo': 'base' must be the name of a type or an object of members, not an array",
    ],
    [
      "{ 'union': 'Foo', 'base': true, 'discriminator': 't', 'data': {} }",
      "1:27: in union 'Foo': 'base' must be the name of a type or an object of members, not true",
    ],
    [
      "{ 'union': 'Foo', 'base': { 't': true }, 'discriminator': 't', 'data': {} }",
      "1:34: in union 'Foo': the type of member 't' must be the name of a type or an array such as [ 'str' ], not true",
    ],
    [
      "{ 'union': 'Foo', 'base': { 't': 'QType' }, 'discriminator': 't', 'data': {}, 'boxed': true }",
      "1:79: in union 'Foo': union 'Foo' has no key 'boxed'; it can have 'union', 'data', 'base', 'discriminator', 'if', 'features'",
    ],
    [
      "{ 'union': 'Foo', 'base': { 't': 'QType' }, 'discriminator': 't',\n  'data': { 'qnull': {} } }",
      "2:13: in union 'Foo': branch 'qnull' lacks the key 'type'",
    ],
    [
      "{ 'union': 'Foo', 'base': { 't': 'QType' }, 'discriminator': 't',\n  'data': { 'qnull': { 'type': 'Foo', 'features': [] } } }",
      "2:39: in union 'Foo': branch 'qnull' has no key 'features'; it can have 'type', 'if'",
    ],
    [
      "{ 'union': 'Foo', 'base': { 't': 'QType' }, 'discriminator': 't',\n  'data': { 'qnull': [ 'Foo' ] } }",
      "2:22: in union 'Foo': the type of branch 'qnull' must be the name of a type, not an array",
    ],
    [
      "{ 'union': 'Foo', 'base': { 't': 'QType' }, 'discriminator': 't',\n  'data': { 'qnull': { 'type': { 'a': 'int' } } } }",
      "2:32: in union 'Foo': the type of branch 'qnull' must be the name of a type, not an object",
    ],
    [
      "{ 'union': 'Foo', 'base': { 't': 'QType' }, 'discriminator': 't',\n  'data': { 'qnull': true } }",
      "2:22: in union 'Foo': the type of branch 'qnull' must be the name of a type, not true",
    ],
  ],
  'Union types: base and discriminator': [
    [
      "{ 'union': 'Foo', 'base': 'Bar', 'discriminator': 't', 'data': {} }",
      "1:27: in union 'Foo': 'base' uses unknown type 'Bar'",
    ],
    [
      "{ 'union': 'Foo', 'base': 'int', 'discriminator': 't', 'data': {} }",
      "1:27: in union 'Foo': 'base' must be a struct, not 'int'",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': 'Color', 'discriminator': 't', 'data': {} }",
      "2:27: in union 'Foo': 'base' must be a struct, not the enum 'Color'",
    ],
    [
      "{ 'union': 'Foo', 'base': 'Foo', 'discriminator': 't', 'data': {} }",
      "1:27: in union 'Foo': 'base' must be a struct, not the union 'Foo'",
    ],
    [
      "{ 'union': 'Foo', 'base': {}, 'discriminator': 't', 'data': {} }",
      "1:48: in union 'Foo': discriminator 't' is not a member of 'base'",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { 'color': 'Color' }, 'discriminator': 'colour', 'data': {} }",
      "2:66: in union 'Foo': discriminator 'colour' is not a member of 'base' (did you mean 'color'?)",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'struct': 'Bar', 'data': { 'c': 'Color' } }\n{ 'union': 'Foo', 'base': 'Bar', 'discriminator': 'd', 'data': {} }",
      "3:51: in union 'Foo': discriminator 'd' is not a member of base 'Bar'",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { 'a-b': 'Color' }, 'discriminator': 'a_b', 'data': {} }",
      "2:64: in union 'Foo': discriminator 'a_b' is not a member of 'base' (did you mean 'a-b'?)",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { '*c': 'Color' }, 'discriminator': '*c', 'data': {} }",
      "2:63: in union 'Foo': discriminator '*c' is not a member of 'base' (did you mean 'c'?)",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { '*c': 'Color' }, 'discriminator': 'c', 'data': {} }",
      "2:63: in union 'Foo': discriminator 'c' must not be optional",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { 'c': { 'type': 'Color', 'if': 'IF_C' } }, 'discriminator': 'c', 'data': {} }",
      "2:88: in union 'Foo': discriminator 'c' must not be conditional",
      { dialect: '10.2' },
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { 'c': { 'type': 'Color', 'if': 'defined(C)' } }, 'discriminator': 'c', 'data': {} }",
      "2:94: in union 'Foo': discriminator 'c' must not be conditional",
      { dialect: '5.2' },
    ],
    [
      "{ 'union': 'Foo', 'base': { 'c': 'str' }, 'discriminator': 'c', 'data': {} }",
      "1:60: in union 'Foo': discriminator 'c' must be of an enum type, not 'str'",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { 'c': [ 'Color' ] }, 'discriminator': 'c', 'data': {} }",
      "2:66: in union 'Foo': discriminator 'c' must be of an enum type, not an array of 'Color'",
    ],
    [
      "{ 'struct': 'Bar', 'data': { 'c': 'Bar' } }\n{ 'union': 'Foo', 'base': 'Bar', 'discriminator': 'c', 'data': {} }",
      "2:51: in union 'Foo': discriminator 'c' must be of an enum type, not the struct 'Bar'",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { 'c': 'Color', 'c-d': 'int', 'c_d': 'int' }, 'discriminator': 'c', 'data': {} }",
      "2:57: in union 'Foo': member 'c_d' collides with member 'c-d'",
    ],
  ],
  'Union types: branches': [
    [
      "{ 'enum': 'Bar', 'data': [] }\n{ 'union': 'Foo', 'base': { 'c': 'Bar' }, 'discriminator': 'c', 'data': {} }",
      "2:1: in union 'Foo': union 'Foo' has no branches",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'struct': 'Bar', 'data': {} }\n{ 'union': 'Foo', 'base': { 'c': 'Color' }, 'discriminator': 'c',\n  'data': { 'red': 'Bar', 'gren': 'Bar' } }",
      "4:27: in union 'Foo': branch 'gren' is not a value of enum 'Color' (did you mean 'green'?)",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': { 'red': 'Bar' } }",
      "2:84: in union 'Foo': branch 'red' uses unknown type 'Bar'",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': { 'red': 'int' } }",
      "2:84: in union 'Foo': branch 'red' must be a struct or union, not 'int'",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': { 'red': 'Color' } }",
      "2:84: in union 'Foo': branch 'red' must be a struct or union, not the enum 'Color'",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'alternate': 'Bar', 'data': { 'a': 'int' } }\n{ 'union': 'Foo', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': { 'red': 'Bar' } }",
      "3:84: in union 'Foo': branch 'red' must be a struct or union, not the alternate 'Bar'",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': { 'red': 'any' } }",
      "2:84: in union 'Foo': branch 'red' must be a struct or union, not 'any'",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': { 'red': 'Foo' } }",
      "2:84: in union 'Foo': union 'Foo' contains itself: branch 'red' is 'Foo'",
      { dialect: '10.2' },
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': { 'red': 'Bar' } }\n{ 'union': 'Bar', 'base': { 'd': 'Color' }, 'discriminator': 'd', 'data': { 'green': 'Foo' } }",
      "3:86: in union 'Bar': union 'Bar' contains itself: branch 'green' is 'Foo'",
      { dialect: '10.2' },
    ],
    // A union that loses its only branch is not also reported to have none.
    [
      "{ 'enum': 'Kind', 'data': [ 'a' ] }\n{ 'union': 'Foo', 'base': { 'k': 'Kind' }, 'discriminator': 'k', 'data': { 'a': 'Foo' } }",
      "2:81: in union 'Foo': union 'Foo' contains itself: branch 'a' is 'Foo'",
      { dialect: '10.2' },
    ],
    [
      "{ 'enum': 'Kind', 'data': [ 'a' ] }\n{ 'union': 'Foo', 'base': { 'k': 'Kind' }, 'discriminator': 'k', 'data': { 'a': 'int' } }",
      "2:81: in union 'Foo': branch 'a' must be a struct or union, not 'int'",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Bar', 'base': { 'd': 'Color' }, 'discriminator': 'd', 'data': {} }\n{ 'union': 'Foo', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': { 'red': 'Bar' } }",
      "3:84: in union 'Foo': branch 'red' must be a struct, not the union 'Bar'",
      { dialect: '7.2' },
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Bar', 'base': { 'd': 'Color' }, 'discriminator': 'd', 'data': {} }\n{ 'union': 'Foo', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': { 'red': 'Bar' } }",
      "3:84: in union 'Foo': branch 'red' must be a struct, not the union 'Bar'",
      { dialect: '5.2' },
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'struct': 'Bar', 'data': { 'c': 'int' } }\n{ 'union': 'Foo', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': { 'green': 'Bar' } }",
      "3:77: in union 'Foo': branch 'green': member 'c' of struct 'Bar' collides with member 'c' of 'Foo'",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'struct': 'Base', 'data': { 'c': 'Color', 'a-b': 'int' } }\n{ 'struct': 'Bar', 'base': 'Baz', 'data': {} }\n{ 'struct': 'Baz', 'data': { 'a_b': 'int' } }\n{ 'union': 'Foo', 'base': 'Base', 'discriminator': 'c', 'data': { 'green': 'Bar' } }",
      "5:67: in union 'Foo': branch 'green': member 'a_b' of struct 'Baz' collides with member 'a-b' of struct 'Base'",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'struct': 'Leaf', 'data': { 'c': 'int' } }\n{ 'union': 'Inner', 'base': { 'd': 'Color' }, 'discriminator': 'd', 'data': { 'red': 'Leaf' } }\n{ 'union': 'Outer', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': { 'green': 'Inner' } }",
      "4:79: in union 'Outer': branch 'green': member 'c' of struct 'Leaf' collides with member 'c' of 'Outer'",
      { dialect: '10.2' },
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Inner', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': {} }\n{ 'union': 'Outer', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': { 'green': 'Inner' } }",
      "3:79: in union 'Outer': branch 'green': member 'c' of 'Inner' collides with member 'c' of 'Outer'",
      { dialect: '10.2' },
    ],
    [
      "{ 'enum': 'Digit', 'data': [ '1' ] }\n{ 'struct': 'Bar', 'data': {} }\n{ 'union': 'Foo', 'base': { 'd': 'Digit' }, 'discriminator': 'd', 'data': { '1': 'Bar' } }",
      "3:77: in union 'Foo': branch '1' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
      { dialect: '5.2' },
    ],
  ],
  'Union types without a discriminator, as before QEMU 6.2': [
    ["{ 'union': 'Foo', 'data': {} }", "1:1: in union 'Foo': union 'Foo' has no branches", { dialect: '5.2' }],
    [
      "{ 'union': 'Foo', 'data': [ 'int' ] }",
      "1:27: in union 'Foo': 'data' must be an object with one member for each branch, not an array",
      { dialect: '5.2' },
    ],
    [
      "{ 'union': 'Foo', 'data': { 'a': 'int', 'b': 'Bar' } }",
      "1:46: in union 'Foo': branch 'b' uses unknown type 'Bar'",
      { dialect: '5.2' },
    ],
    [
      "{ 'union': 'Foo', 'data': { 'a-b': 'int', 'a_b': 'str' } }",
      "1:43: in union 'Foo': branch 'a_b' collides with branch 'a-b'",
      { dialect: '5.2' },
    ],
    [
      "{ 'union': 'Foo', 'data': { 'A': 'int' } }",
      "1:29: in union 'Foo': branch 'A' must be lower case",
      { dialect: '5.2' },
    ],
    [
      "{ 'union': 'Foo', 'data': { '*a': 'int' } }",
      "1:29: in union 'Foo': branch '*a' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
      { dialect: '5.2' },
    ],
    [
      "{ 'union': 'Foo', 'data': { 'a': { 'type': 'int', 'features': [ 'x' ] } } }",
      "1:51: in union 'Foo': branch 'a' has no key 'features'; it can have 'type', 'if'",
      { dialect: '5.2' },
    ],
    [
      "{ 'union': 'Foo', 'data': { 'a': [ 'int', 'str' ] } }",
      "1:43: in union 'Foo': the type of branch 'a' must be an array that holds the name of one type",
      { dialect: '5.2' },
    ],
  ],
};
