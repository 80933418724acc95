/** Documentation comments, and whether they match their definitions. */

import type { Table } from './case.js';

export const documentation: Table = {
  'Documentation comments': [
    [
      "## text\n# more\n##\n{ 'struct': 'Foo', 'data': {} }",
      "1:3: unexpected text after '##', which begins a documentation comment",
    ],
    [
      "##\n# @Foo:\n## ##\n{ 'struct': 'Foo', 'data': {} }",
      "3:3: unexpected text after '##', which ends a documentation comment",
    ],
    ['##\n# @Foo:\n', "2:8: this documentation comment must end with a line '##'"],
    ["##\n# @Foo:\n{ 'struct': 'Foo', 'data': {} }", "3:1: this documentation comment must end with a line '##'"],
    ["##\n#@Foo:\n##\n{ 'struct': 'Foo', 'data': {} }", "2:2: expected a space after '#'"],
    ["##\n# @Foo:\n#text\n##\n{ 'struct': 'Foo', 'data': {} }", "3:2: expected a space after '#'"],
    [
      "##\n# text\n##\n{ 'struct': 'Foo', 'data': {} }",
      "1:1: the comment before a definition must document it: its first line must be '# @NAME:'",
    ],
    [
      "##\n##\n{ 'struct': 'Foo', 'data': {} }",
      "1:1: the comment before a definition must document it: its first line must be '# @NAME:'",
    ],
    [
      '##\n# @a: text\n##\n',
      "2:11: expected ':' at the end of the line that names the definition",
      { dialect: '10.2' },
    ],
    [
      '##\n# text\n# @a: text\n##\n',
      "3:3: unexpected '@a:' in free-form documentation: a definition is named in the first line of its comment",
    ],
  ],
  'Definition documentation: its place': [
    ['##\n# @Foo:\n##', "1:1: the definition of 'Foo' must follow its documentation immediately"],
    [
      "##\n# @Foo:\n##\n\n##\n# text\n##\n{ 'struct': 'Foo', 'data': {} }",
      "1:1: the definition of 'Foo' must follow its documentation immediately",
    ],
    [
      "##\n# @Foo:\n##\n# a comment\n##\n{ 'struct': 'Foo', 'data': {} }",
      "1:1: the definition of 'Foo' must follow its documentation immediately",
    ],
    [
      "##\n# @Bar:\n##\n{ 'struct': 'Foo', 'data': {} }",
      "1:1: in struct 'Foo': this documentation comment is for 'Bar', but the definition is 'Foo'",
    ],
    [
      "##\n# @foo:\n##\n{ 'struct': 'Foo', 'data': {} }",
      "1:1: in struct 'Foo': this documentation comment is for 'foo', but the definition is 'Foo'",
    ],
    [
      "##\n# @Foo :\n##\n{ 'struct': 'Foo', 'data': {} }",
      "1:1: in struct 'Foo': this documentation comment is for 'Foo ', but the definition is 'Foo'",
    ],
    [
      "##\n# @Foo\n##\n{ 'struct': 'Foo', 'data': {} }",
      "2:7: expected ':' at the end of the line that names the definition",
    ],
    [
      "##\n# @Foo: text\n##\n{ 'struct': 'Foo', 'data': {} }",
      "2:13: expected ':' at the end of the line that names the definition",
    ],
    ["##\n# @:\n##\n{ 'struct': 'Foo', 'data': {} }", "2:4: expected a name between '@' and ':'"],
    [
      "{ 'pragma': { 'doc-required': true } }\n{ 'enum': 'Foo', 'data': [] }",
      "2:1: in enum 'Foo': enum 'Foo' needs a documentation comment (pragma 'doc-required')",
    ],
    [
      "{ 'pragma': { 'doc-required': true } }\n{ 'struct': 'Foo', 'data': {} }",
      "2:1: in struct 'Foo': struct 'Foo' needs a documentation comment (pragma 'doc-required')",
    ],
    [
      "{ 'pragma': { 'doc-required': true } }\n{ 'union': 'Foo', 'base': { 't': 'QType' }, 'discriminator': 't', 'data': {} }",
      "2:1: in union 'Foo': union 'Foo' needs a documentation comment (pragma 'doc-required')",
    ],
    [
      "{ 'pragma': { 'doc-required': true } }\n{ 'alternate': 'Foo', 'data': { 'a': 'int' } }",
      "2:1: in alternate 'Foo': alternate 'Foo' needs a documentation comment (pragma 'doc-required')",
    ],
    [
      "{ 'pragma': { 'doc-required': true } }\n{ 'command': 'foo' }",
      "2:1: in command 'foo': command 'foo' needs a documentation comment (pragma 'doc-required')",
    ],
    [
      "{ 'event': 'FOO' }\n{ 'pragma': { 'doc-required': true } }",
      "1:1: in event 'FOO': event 'FOO' needs a documentation comment (pragma 'doc-required')",
    ],
    [
      {
        'test.json': "{ 'include': 'a.json' }\n{ 'command': 'foo' }",
        'a.json': "{ 'pragma': { 'doc-required': true } }",
      },
      "test.json:2:1: in command 'foo': command 'foo' needs a documentation comment (pragma 'doc-required')",
    ],
  ],
  'Definition documentation: members': [
    [
      "##\n# @Foo:\n#\n# @a: text\n##\n{ 'struct': 'Foo', 'data': {} }",
      "4:3: in struct 'Foo': documented member 'a' does not exist",
    ],
    [
      "##\n# @Foo:\n#\n# @ab: text\n# @bc: text\n##\n{ 'struct': 'Foo', 'data': { 'ab': 'int', 'bd': 'int' } }",
      "5:3: in struct 'Foo': documented member 'bc' does not exist (did you mean 'bd'?)",
    ],
    [
      "##\n# @Foo:\n#\n# @red: text\n#\n# @green: text\n#\n# @blue: text\n##\n{ 'enum': 'Foo', 'data': [ 'red', 'green' ] }",
      "8:3: in enum 'Foo': documented value 'blue' does not exist",
    ],
    [
      "##\n# @foo:\n#\n# @a: text\n##\n{ 'command': 'foo' }",
      "4:3: in command 'foo': documented member 'a' does not exist",
    ],
    [
      "{ 'struct': 'Bar', 'data': { 'a': 'int' } }\n##\n# @foo:\n#\n# @a: text\n##\n{ 'command': 'foo', 'data': 'Bar' }",
      "5:3: in command 'foo': documented member 'a' does not exist",
    ],
    [
      "{ 'struct': 'Bar', 'data': { 'a': 'int' } }\n##\n# @FOO:\n#\n# @a: text\n##\n{ 'event': 'FOO', 'data': 'Bar', 'boxed': true }",
      "5:3: in event 'FOO': documented member 'a' does not exist",
    ],
    [
      "{ 'struct': 'Bar', 'data': { 'a': 'int' } }\n##\n# @Foo:\n#\n# @a: text\n##\n{ 'struct': 'Foo', 'base': 'Bar', 'data': {} }",
      "5:3: in struct 'Foo': documented member 'a' does not exist",
    ],
    [
      "{ 'enum': 'Color', 'data': [ 'red', 'green' ] }\n{ 'struct': 'Bar', 'data': {} }\n##\n# @Foo:\n#\n# @c: text\n#\n# @red: text\n##\n{ 'union': 'Foo', 'base': { 'c': 'Color' }, 'discriminator': 'c', 'data': { 'red': 'Bar' } }",
      "8:3: in union 'Foo': documented member 'red' does not exist",
    ],
    [
      "##\n# @Foo:\n#\n# @a: text\n#\n# @b: text\n##\n{ 'alternate': 'Foo', 'data': { 'a': 'int' } }",
      "6:3: in alternate 'Foo': documented alternative 'b' does not exist",
    ],
    [
      "##\n# @Foo:\n#\n# @*a: text\n##\n{ 'struct': 'Foo', 'data': { '*a': 'int' } }",
      "4:3: in struct 'Foo': documented member '*a' does not exist (did you mean 'a'?)",
    ],
    [
      "##\n# @Foo:\n#\n# @a: text\n#\n# @a: text\n##\n{ 'struct': 'Foo', 'data': { 'a': 'int' } }",
      "6:3: duplicate '@a:'",
    ],
    [
      "##\n# @Foo:\n#\n# @a:\n#\n# @b: text\n##\n{ 'struct': 'Foo', 'data': { 'a': 'int', 'b': 'int' } }",
      "4:3: expected text after '@a:'",
    ],
    ["##\n# @Foo:\n#\n# @: text\n##\n{ 'struct': 'Foo', 'data': {} }", "4:4: expected a name between '@' and ':'"],
    [
      "##\n# @Foo:\n#\n# @a : text\n##\n{ 'struct': 'Foo', 'data': { 'a': 'int' } }",
      "4:5: unexpected space in '@a :'",
      { dialect: '10.2' },
    ],
    [
      "##\n# @Foo:\n#\n# Since: 1.0\n#\n# @a: text\n##\n{ 'struct': 'Foo', 'data': { 'a': 'int' } }",
      '6:3: expected descriptions of members before all other sections',
    ],
    [
      "##\n# @Foo:\n#\n# @a: text\n##\n{ 'struct': 'Foo', 'data': { 'a': 'int',\n 'b': 'int' } }",
      "7:2: in struct 'Foo': member 'b' is not documented: add '@b:' to the comment",
      { dialect: '10.2' },
    ],
    [
      "##\n# @Foo:\n#\n# @red: text\n##\n{ 'enum': 'Foo', 'data': [ 'red', { 'name': 'green' } ] }",
      "6:45: in enum 'Foo': value 'green' is not documented: add '@green:' to the comment",
      { dialect: '10.0' },
    ],
    [
      "##\n# @Foo:\n#\n# @a: text\n##\n{ 'alternate': 'Foo', 'data': { 'a': 'int', 'b': 'null' } }",
      "6:45: in alternate 'Foo': alternative 'b' is not documented: add '@b:' to the comment",
      { dialect: '10.2' },
    ],
    [
      "##\n# @foo:\n##\n{ 'command': 'foo', 'data': { 'a': 'int' } }",
      "4:31: in command 'foo': member 'a' is not documented: add '@a:' to the comment",
      { dialect: '10.2' },
    ],
    [
      "##\n# @FOO:\n##\n{ 'event': 'FOO', 'data': { '*a': 'int' } }",
      "4:29: in event 'FOO': member 'a' is not documented: add '@a:' to the comment",
      { dialect: '10.2' },
    ],
    [
      "##\n# @Foo:\n##\n{ 'union': 'Foo', 'base': { 't': 'QType' }, 'discriminator': 't', 'data': {} }",
      "4:29: in union 'Foo': member 't' is not documented: add '@t:' to the comment",
      { dialect: '10.2' },
    ],
  ],
  'Definition documentation: features': [
    [
      "##\n# @Foo:\n##\n{ 'struct': 'Foo', 'data': {}, 'features': [ 'x' ] }",
      "4:46: in struct 'Foo': feature 'x' is not documented: add '@x:' under 'Features:'",
    ],
    [
      "##\n# @foo:\n#\n# Features:\n# @x: text\n##\n{ 'command': 'foo', 'features': [ 'x', 'deprecated' ] }",
      "7:40: in command 'foo': feature 'deprecated' is not documented: add '@deprecated:' under 'Features:'",
    ],
    [
      "##\n# @foo:\n#\n# @a: text\n##\n{ 'command': 'foo', 'data': { 'a': { 'type': 'int', 'features': [ 'x' ] } } }",
      "6:67: in command 'foo': feature 'x' is not documented: add '@x:' under 'Features:'",
    ],
    [
      "##\n# @Foo:\n#\n# @a: text\n##\n{ 'enum': 'Foo', 'data': [ { 'name': 'a', 'features': [ 'x' ] } ] }",
      "6:57: in enum 'Foo': feature 'x' is not documented: add '@x:' under 'Features:'",
      { dialect: '10.2' },
    ],
    [
      "##\n# @Foo:\n#\n# Features:\n# @xy: text\n##\n{ 'struct': 'Foo', 'data': {} }",
      "5:3: in struct 'Foo': documented feature 'xy' does not exist",
    ],
    [
      "##\n# @Foo:\n#\n# Features:\n# @y: text\n# @x: text\n##\n{ 'struct': 'Foo', 'data': {}, 'features': [ 'x' ] }",
      "5:3: in struct 'Foo': documented feature 'y' does not exist",
    ],
    [
      "##\n# @Foo:\n#\n# Features:\n# @x: text\n# @x: text\n##\n{ 'struct': 'Foo', 'data': {}, 'features': [ 'x' ] }",
      "6:3: duplicate '@x:'",
    ],
    [
      "##\n# @Foo:\n#\n# Features:\n#\n# Since: 1.0\n##\n{ 'struct': 'Foo', 'data': {} }",
      "4:3: expected '@name:' and a description after 'Features:'",
      { dialect: '10.2' },
    ],
    [
      "##\n# @Foo:\n#\n# Features:\n#\n# @x: text\n#\n# Features:\n#\n# @y: text\n##\n{ 'struct': 'Foo', 'data': {}, 'features': [ 'x', 'y' ] }",
      "8:3: duplicate 'Features:'",
      { dialect: '10.2' },
    ],
  ],
  'Definition documentation: sections': [
    [
      "##\n# @Foo:\n#\n# Returns: text\n##\n{ 'struct': 'Foo', 'data': {} }",
      "4:3: in struct 'Foo': only commands can have a 'Returns:' section",
    ],
    [
      "##\n# @FOO:\n#\n# Returns: text\n##\n{ 'event': 'FOO' }",
      "4:3: in event 'FOO': only commands can have a 'Returns:' section",
    ],
    [
      "##\n# @foo:\n#\n# Returns: text\n##\n{ 'command': 'foo' }",
      "4:3: in command 'foo': 'Returns:' is documented, but the command returns nothing",
      { dialect: '10.2' },
    ],
    [
      "##\n# @FOO:\n#\n# Errors: text\n##\n{ 'event': 'FOO' }",
      "4:3: in event 'FOO': only commands can have an 'Errors:' section",
      { dialect: '10.2' },
    ],
    [
      "##\n# @Foo:\n#\n# Errors: text\n##\n{ 'struct': 'Foo', 'data': {} }",
      "4:3: in struct 'Foo': only commands can have an 'Errors:' section",
      { dialect: '10.0' },
    ],
    ["##\n# @Foo:\n#\n# Since: 1.0\n#\n# Since: 2.0\n##\n{ 'struct': 'Foo', 'data': {} }", "6:3: duplicate 'Since:'"],
    [
      "##\n# @foo:\n#\n# Returns: text\n#\n# Returns: more\n##\n{ 'struct': 'Bar', 'data': {} }\n{ 'command': 'foo', 'returns': 'Bar' }",
      "6:3: duplicate 'Returns:'",
    ],
    ["##\n# @Foo:\n#\n# Since:\n##\n{ 'struct': 'Foo', 'data': {} }", "4:3: expected text after 'Since:'"],
    ["##\n# @Foo:\n#\n# TODO:\n##\n{ 'struct': 'Foo', 'data': {} }", "4:3: expected text after 'TODO:'"],
    [
      "##\n# @Foo:\n#\n# Note: text\n##\n{ 'struct': 'Foo', 'data': {} }",
      "4:3: QEMU 9.1 removed the section 'Note:': write '.. note::' instead",
      { dialect: '10.2' },
    ],
    [
      "##\n# @Foo:\n#\n# Example: text\n##\n{ 'struct': 'Foo', 'data': {} }",
      "4:3: QEMU 9.1 removed the section 'Example:': write '.. qmp-example::' instead",
      { dialect: '10.0' },
    ],
    [
      "##\n# @Foo:\n#\n# = Heading\n##\n{ 'struct': 'Foo', 'data': {} }",
      "4:3: unexpected '=': a heading belongs in free-form documentation",
      { dialect: '10.0' },
    ],
    [
      "##\n# @Foo:\n#\n# = Heading\n##\n{ 'struct': 'Foo', 'data': {} }",
      "4:3: unexpected '=': a heading belongs in free-form documentation",
      { dialect: '5.2' },
    ],
    [
      '##\n# text\n#\n# = Heading\n##',
      "4:3: unexpected '=': a heading is the first line of its comment",
      { dialect: '10.0' },
    ],
    [
      "##\n# @Foo:\n#\n# @a: text\n#     text\n#   text\n##\n{ 'struct': 'Foo', 'data': { 'a': 'int' } }",
      '6:5: expected this line to be indented by at least 4 spaces, like those above',
      { dialect: '10.2' },
    ],
    [
      "##\n# @Foo:\n#\n# @a: text\n# text\n##\n{ 'struct': 'Foo', 'data': { 'a': 'int' } }",
      '5:3: expected this line to be indented by at least 4 spaces, like those above',
      { dialect: '7.2' },
    ],
  ],
  'Documentation markup': [
    [
      `##\n# ${'word '.repeat(13)}words\n##`,
      '2:71: expected at most 70 characters on a line of documentation',
      { dialect: '10.2' },
    ],
    [
      "##\n# @Foo:\n#\n# A sentence. Another sentence.\n##\n{ 'struct': 'Foo', 'data': {} }",
      '4:14: expected two spaces between sentences',
      { dialect: '10.2' },
    ],
  ],
};
