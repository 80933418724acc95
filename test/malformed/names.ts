/** Names. */

import type { Table } from './case.js';

export const names: Table = {
  'Naming rules and reserved names: all names': [
    [
      "{ 'struct': '', 'data': {} }",
      "1:13: in struct '': struct name '' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'struct': 'Foo Bar', 'data': {} }",
      "1:13: in struct 'Foo Bar': struct name 'Foo Bar' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'struct': '1Foo', 'data': {} }",
      "1:13: in struct '1Foo': struct name '1Foo' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'struct': '_Foo', 'data': {} }",
      "1:13: in struct '_Foo': struct name '_Foo' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'struct': 'Foo.Bar', 'data': {} }",
      "1:13: in struct 'Foo.Bar': struct name 'Foo.Bar' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'struct': '*Foo', 'data': {} }",
      "1:13: in struct '*Foo': struct name '*Foo' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'struct': 'Foo\\\\', 'data': {} }",
      "1:13: in struct 'Foo\\': struct name 'Foo\\' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'command': 'foo$' }",
      "1:14: in command 'foo$': command name 'foo$' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'command': '-foo' }",
      "1:14: in command '-foo': command name '-foo' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'event': '*FOO' }",
      "1:12: in event '*FOO': event name '*FOO' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'command': 'q_foo' }",
      "1:14: in command 'q_foo': command name 'q_foo' is invalid: names that begin with 'q_' or 'q-' are reserved",
    ],
    [
      "{ 'command': 'q-foo' }",
      "1:14: in command 'q-foo': command name 'q-foo' is invalid: names that begin with 'q_' or 'q-' are reserved",
    ],
    [
      "{ 'enum': 'Foo', 'data': [ 'q_a' ] }",
      "1:28: in enum 'Foo': value 'q_a' is invalid: names that begin with 'q_' or 'q-' are reserved",
    ],
    [
      "{ 'enum': 'Foo', 'data': [ '-a' ] }",
      "1:28: in enum 'Foo': value '-a' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'enum': 'Foo', 'data': [ 'a.b' ] }",
      "1:28: in enum 'Foo': value 'a.b' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'enum': 'Foo', 'data': [ '*a' ] }",
      "1:28: in enum 'Foo': value '*a' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'struct': 'Foo', 'data': { '': 'int' } }",
      "1:30: in struct 'Foo': member name '' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'struct': 'Foo', 'data': { '*': 'int' } }",
      "1:30: in struct 'Foo': member name '' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'struct': 'Foo', 'data': { '**a': 'int' } }",
      "1:30: in struct 'Foo': member name '*a' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'struct': 'Foo', 'data': { '1a': 'int' } }",
      "1:30: in struct 'Foo': member name '1a' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'struct': 'Foo', 'data': { '_a': 'int' } }",
      "1:30: in struct 'Foo': member name '_a' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'a b': 'int' } }",
      "1:30: in struct 'Foo': member name 'a b' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'q_a': 'int' } }",
      "1:30: in struct 'Foo': member name 'q_a' is invalid: names that begin with 'q_' or 'q-' are reserved",
    ],
    [
      "{ 'struct': 'Foo', 'data': { '__proto__': 'int' } }",
      "1:30: in struct 'Foo': member name '__proto__' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'command': 'foo', 'data': { 'a!': 'int' } }",
      "1:31: in command 'foo': member name 'a!' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'event': 'FOO', 'data': { 'a/b': 'int' } }",
      "1:29: in event 'FOO': member name 'a/b' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'struct': 'Foo', 'data': {}, 'features': [ '1a' ] }",
      "1:46: in struct 'Foo': feature '1a' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'alternate': 'Foo', 'data': { '*a': 'int' } }",
      "1:33: in alternate 'Foo': alternative '*a' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'alternate': 'Foo', 'data': { '1a': 'int' } }",
      "1:33: in alternate 'Foo': alternative '1a' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
  ],
  'Naming rules and reserved names: reserved names': [
    [
      "{ 'struct': 'FooList', 'data': {} }",
      "1:13: in struct 'FooList': struct name 'FooList' must not end in 'List', which is reserved for arrays",
    ],
    [
      "{ 'enum': 'FooList', 'data': [] }",
      "1:11: in enum 'FooList': enum name 'FooList' must not end in 'List', which is reserved for arrays",
    ],
    [
      "{ 'alternate': 'FooList', 'data': { 'a': 'int' } }",
      "1:16: in alternate 'FooList': alternate name 'FooList' must not end in 'List', which is reserved for arrays",
    ],
    [
      "{ 'command': 'foo-List' }",
      "1:14: in command 'foo-List': command name 'foo-List' must not end in 'List', which is reserved for arrays",
      { dialect: '5.2' },
    ],
    [
      "{ 'event': 'FOOList' }",
      "1:12: in event 'FOOList': event name 'FOOList' must not end in 'List', which is reserved for arrays",
      { dialect: '5.2' },
    ],
    [
      "{ 'enum': 'FooKind', 'data': [] }",
      "1:11: in enum 'FooKind': enum name 'FooKind' must not end in 'Kind', which is reserved for implicit enums",
      { dialect: '5.2' },
    ],
    [
      "{ 'command': 'fooKind' }",
      "1:14: in command 'fooKind': command name 'fooKind' must not end in 'Kind', which is reserved for implicit enums",
      { dialect: '5.2' },
    ],
    ["{ 'struct': 'Foo', 'data': { 'u': 'int' } }", "1:30: in struct 'Foo': member name 'u' is reserved"],
    [
      "{ 'struct': 'Foo', 'data': { '*u': 'int' } }",
      "1:30: in struct 'Foo': member name 'u' is reserved",
      { dialect: '10.2' },
    ],
    ["{ 'struct': 'Foo', 'data': { 'has_a': 'int' } }", "1:30: in struct 'Foo': member name 'has_a' is reserved"],
    ["{ 'struct': 'Foo', 'data': { 'has-a': 'int' } }", "1:30: in struct 'Foo': member name 'has-a' is reserved"],
    [
      "{ 'command': 'foo', 'data': { '*has-a': 'int' } }",
      "1:31: in command 'foo': member name 'has-a' is reserved",
      { dialect: '7.2' },
    ],
    ["{ 'event': 'FOO', 'data': { 'has-a': 'int' } }", "1:29: in event 'FOO': member name 'has-a' is reserved"],
    [
      "{ 'struct': 'Foo', 'data': {} }\n{ 'union': 'Bar', 'base': { 'u': 'QType' }, 'discriminator': 'u', 'data': { 'qnull': 'Foo' } }",
      "2:29: in union 'Bar': member name 'u' is reserved",
    ],
  ],
  'Naming rules and reserved names: case and word separators': [
    [
      "{ 'struct': 'foo', 'data': {} }",
      "1:13: in struct 'foo': struct name 'foo' must be CamelCase",
      { dialect: '10.2' },
    ],
    ["{ 'enum': 'FOO', 'data': [] }", "1:11: in enum 'FOO': enum name 'FOO' must be CamelCase", { dialect: '7.2' }],
    [
      "{ 'alternate': 'Foo_Bar', 'data': { 'a': 'int' } }",
      "1:16: in alternate 'Foo_Bar': alternate name 'Foo_Bar' must be CamelCase",
      { dialect: '10.0' },
    ],
    ["{ 'struct': 'F', 'data': {} }", "1:13: in struct 'F': struct name 'F' must be CamelCase", { dialect: '10.2' }],
    [
      "{ 'struct': 'Foo-Bar', 'data': {} }",
      "1:13: in struct 'Foo-Bar': struct name 'Foo-Bar' must be CamelCase",
      { dialect: '10.2' },
    ],
    ["{ 'command': 'Foo' }", "1:14: in command 'Foo': command name 'Foo' must be lower case", { dialect: '10.2' }],
    [
      "{ 'command': 'foo_bar' }",
      "1:14: in command 'foo_bar': command name 'foo_bar' must not contain '_': use '-' between words",
      { dialect: '10.2' },
    ],
    [
      "{ 'pragma': { 'command-name-exceptions': [ 'Foo_bar' ] } }\n{ 'command': 'Foo_bar' }",
      "2:14: in command 'Foo_bar': command name 'Foo_bar' must be lower case",
      { dialect: '10.2' },
    ],
    [
      "{ 'event': 'Foo' }",
      "1:12: in event 'Foo': event name 'Foo' must be upper case, with '_' between words",
      { dialect: '10.2' },
    ],
    [
      "{ 'event': 'FOO-BAR' }",
      "1:12: in event 'FOO-BAR': event name 'FOO-BAR' must be upper case, with '_' between words",
      { dialect: '7.2' },
    ],
    [
      "{ 'enum': 'Foo', 'data': [ 'Red' ] }",
      "1:28: in enum 'Foo': value 'Red' must be lower case",
      { dialect: '10.2' },
    ],
    [
      "{ 'enum': 'Foo', 'data': [ 'red_1' ] }",
      "1:28: in enum 'Foo': value 'red_1' must not contain '_': use '-' between words",
      { dialect: '10.2' },
    ],
    ["{ 'enum': 'Foo', 'data': [ '5X' ] }", "1:28: in enum 'Foo': value '5X' must be lower case", { dialect: '10.2' }],
    [
      "{ 'struct': 'Foo', 'data': { 'aB': 'int' } }",
      "1:30: in struct 'Foo': member name 'aB' must be lower case",
      { dialect: '10.2' },
    ],
    [
      "{ 'struct': 'Foo', 'data': { '*a_b': 'int' } }",
      "1:30: in struct 'Foo': member name 'a_b' must not contain '_': use '-' between words",
      { dialect: '10.2' },
    ],
    [
      "{ 'command': 'foo', 'data': { 'a_b': 'int' } }",
      "1:31: in command 'foo': member name 'a_b' must not contain '_': use '-' between words",
      { dialect: '7.2' },
    ],
    [
      "{ 'pragma': { 'member-name-exceptions': [ 'foo' ] } }\n{ 'command': 'foo', 'data': { 'aB': 'int' } }",
      "2:31: in command 'foo': member name 'aB' must be lower case",
      { dialect: '10.2' },
    ],
    [
      "{ 'event': 'FOO', 'data': { 'A': 'int' } }",
      "1:29: in event 'FOO': member name 'A' must be lower case",
      { dialect: '10.2' },
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'union': 'Foo', 'base': { 'A_': 'Color' }, 'discriminator': 'A_', 'data': {} }",
      "2:29: in union 'Foo': member name 'A_' must be lower case",
      { dialect: '10.2' },
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'aB': 'int' } }",
      "1:33: in alternate 'Foo': alternative 'aB' must be lower case",
      { dialect: '10.2' },
    ],
    [
      "{ 'pragma': { 'member-name-exceptions': [ 'Foo' ] } }\n{ 'alternate': 'Foo', 'data': { 'a_b': 'int' } }",
      "2:33: in alternate 'Foo': alternative 'a_b' must not contain '_': use '-' between words",
      { dialect: '10.2' },
    ],
    [
      "{ 'struct': 'Foo', 'data': {}, 'features': [ 'aB' ] }",
      "1:46: in struct 'Foo': feature 'aB' must be lower case",
      { dialect: '10.2' },
    ],
    [
      "{ 'struct': 'Foo', 'data': {}, 'features': [ { 'name': 'a_b' } ] }",
      "1:56: in struct 'Foo': feature 'a_b' must not contain '_': use '-' between words",
      { dialect: '7.2' },
    ],
    [
      "{ 'struct': 'Foo', 'data': { 'aB': 'int' } }",
      "1:30: in struct 'Foo': member name 'aB' must be lower case",
      { dialect: '5.2' },
    ],
    ["{ 'enum': 'Foo', 'data': [ '1A' ] }", "1:28: in enum 'Foo': value '1A' must be lower case", { dialect: '5.2' }],
    [
      "{ 'pragma': { 'name-case-whitelist': [ 'FOO' ] } }\n{ 'event': 'FOO', 'data': { 'aB': 'int' } }",
      "2:29: in event 'FOO': member name 'aB' must be lower case",
      { dialect: '5.2' },
    ],
    [
      "{ 'struct': 'Foo', 'data': {}, 'features': [ 'A' ] }",
      "1:46: in struct 'Foo': feature 'A' must be lower case",
      { dialect: '5.2' },
    ],
    [
      "{ 'alternate': 'Foo', 'data': { 'A': 'int' } }",
      "1:33: in alternate 'Foo': alternative 'A' must be lower case",
      { dialect: '5.2' },
    ],
  ],
  'Downstream extensions': [
    [
      "{ 'command': '__com.example' }",
      "1:14: in command '__com.example': command name '__com.example' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'command': '__com.exa~mple_foo' }",
      "1:14: in command '__com.exa~mple_foo': command name '__com.exa~mple_foo' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'command': '__com.example_' }",
      "1:14: in command '__com.example_': command name '__com.example_' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'command': '__com.example_1' }",
      "1:14: in command '__com.example_1': command name '__com.example_1' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'command': '__com.example_foo.bar' }",
      "1:14: in command '__com.example_foo.bar': command name '__com.example_foo.bar' is invalid: it must begin with a letter, after any prefix '__RFQDN_', and contain only letters, digits, '-' and '_'",
    ],
    [
      "{ 'struct': '__com.example_foo', 'data': {} }",
      "1:13: in struct '__com.example_foo': struct name '__com.example_foo' must be CamelCase",
      { dialect: '10.2' },
    ],
    [
      "{ 'command': '__com.example_foo_bar' }",
      "1:14: in command '__com.example_foo_bar': command name '__com.example_foo_bar' must not contain '_': use '-' between words",
      { dialect: '10.2' },
    ],
    [
      "{ 'event': '__com.example_x-foo' }",
      "1:12: in event '__com.example_x-foo': event name '__com.example_x-foo' must be upper case, with '_' between words",
      { dialect: '10.2' },
    ],
  ],
  'Naming rules and reserved names: one namespace': [
    [
      "{ 'struct': 'Foo', 'data': {} }\n{ 'struct': 'Foo', 'data': {} }",
      "2:13: in struct 'Foo': 'Foo' is already defined",
    ],
    [
      "{ 'enum': 'Foo', 'data': [] }\n\n{ 'struct': 'Foo', 'data': {} }",
      "3:13: in struct 'Foo': 'Foo' is already defined",
    ],
    ["{ 'command': 'foo' }\n{ 'command': 'foo' }", "2:14: in command 'foo': 'foo' is already defined"],
    ["{ 'event': 'FOO' }\n{ 'event': 'FOO' }", "2:12: in event 'FOO': 'FOO' is already defined"],
    ["{ 'command': 'foo' }\n{ 'event': 'foo' }", "2:12: in event 'foo': 'foo' is already defined"],
    ["{ 'struct': 'Foo', 'data': {} }\n{ 'command': 'Foo' }", "2:14: in command 'Foo': 'Foo' is already defined"],
    [
      "{ 'alternate': 'Foo', 'data': { 'a': 'int' } }\n{ 'union': 'Foo', 'base': { 't': 'QType' }, 'discriminator': 't', 'data': {} }",
      "2:12: in union 'Foo': 'Foo' is already defined",
    ],
    ["{ 'struct': 'int', 'data': {} }", "1:13: in struct 'int': 'int' is the name of a built-in type"],
    ["{ 'command': 'str' }", "1:14: in command 'str': 'str' is the name of a built-in type"],
    ["{ 'enum': 'QType', 'data': [] }", "1:11: in enum 'QType': 'QType' is the name of a built-in type"],
    [
      {
        'test.json': "{ 'include': 'a.json' }\n{ 'struct': 'Foo', 'data': {} }",
        'a.json': "# first\n{ 'struct': 'Foo', 'data': {} }",
      },
      "test.json:2:13: in struct 'Foo': 'Foo' is already defined",
    ],
  ],
};
