/** Tokens, characters and encoding. */

import type { Table } from './case.js';

export const lexical: Table = {
  'Schema syntax: tokens': [
    [`{ "struct": 'Foo', 'data': {} }`, `1:3: stray '"struct"': strings need single quotes`],
    [`{ 'struct': "Foo", 'data': {} }`, `1:13: stray '"Foo"': strings need single quotes`],
    ["{ 'struct': 'Foo', 'data': 5 }", "1:28: stray '5': the schema language has no numbers"],
    ["{ 'struct': 'Foo', 'data': { 'a': -1.5e3 } }", "1:35: stray '-1.5e3': the schema language has no numbers"],
    ["{ 'enum': 'Foo', 'data': [ .5 ] }", "1:28: stray '.5': the schema language has no numbers"],
    [
      "{ 'command': 'foo', 'data': null }",
      "1:29: stray 'null': the schema language has no null; the type is 'null', in quotes",
    ],
    ["{ 'command': 'foo', 'gen': False }", "1:28: stray 'False': names need single quotes"],
    ["{ struct: 'Foo', 'data': {} }", "1:3: stray 'struct': names need single quotes"],
    ["{ 'struct': Foo, 'data': {} }", "1:13: stray 'Foo': names need single quotes"],
    ["{ 'command': 'foo', 'boxed': truely }", "1:34: stray 'ly': names need single quotes"],
    ["{ 'command': 'foo', 'gen': falsehood }", "1:33: stray 'hood': names need single quotes"],
    ["{ 'enum': 'Foo', 'data': [ NaN ] }", "1:28: stray 'NaN': names need single quotes"],
    ["// a comment\n{ 'struct': 'Foo', 'data': {} }", "1:1: stray '//': comments begin with '#'"],
    ["{ 'struct': 'Foo', 'data': {} }\n/* a comment */", "2:1: stray '/*': comments begin with '#'"],
    ["{ 'struct': 'Foo', 'data': {} };", "1:32: stray ';'"],
    ["{ `struct`: 'Foo', 'data': {} }", "1:3: stray '`struct`': names need single quotes"],
    ["{ 'struct' = 'Foo' }", "1:12: stray '='"],
    ["{ 'struct': 'Foo', 'data': {} }\n@", "2:1: stray '@'"],
  ],
  'Schema syntax: characters': [
    ["\0{ 'struct': 'Foo', 'data': {} }", '1:1: control character U+0000 outside of a comment'],
    ["{ 'struct': 'Foo', 'data': {} }\n\u001B[1m", '2:1: control character U+001B outside of a comment'],
    [
      "\u000C{ 'struct': 'Foo', 'data': {} }",
      '1:1: control character U+000C outside of a comment',
      { qemuTakesIt: 'Python treats it as whitespace' },
    ],
    [
      "{ 'struct': 'Foo', 'data': {} }\n\n  \u00A0",
      '3:3: character U+00A0 outside of a comment',
      { qemuTakesIt: 'Python treats it as whitespace' },
    ],
    [
      "{ 'struct': 'Foo', 'data': {} }\u2028",
      '1:32: character U+2028 outside of a comment',
      { qemuTakesIt: 'Python treats it as whitespace' },
    ],
    ["\uFEFF{ 'struct': 'Foo', 'data': {} }", '1:1: character U+FEFF outside of a comment'],
    ["{ 'struct':\u00E9 'Foo', 'data': {} }", "1:12: character '\u00E9' (U+00E9) outside of a comment"],
    [
      "# caf\u00E9 \u{1F600}\n{ 'struct': 'Foo', \u{1F600} 'data': {} }",
      "2:20: character '\u{1F600}' (U+1F600) outside of a comment",
    ],
    [`\t\t{\t"struct": 'Foo', 'data': {} }`, `1:5: stray '"struct"': strings need single quotes`],
    ["# one\r\n# two\r\n{ 'struct': 'Foo',\r\n  data: {} }\r\n", "4:3: stray 'data': names need single quotes"],
    ["# one\r# two\r{ 'struct': 'Foo',\r  data: {} }\r", "4:3: stray 'data': names need single quotes"],
  ],
  'Schema syntax: strings': [
    [
      "{ 'struct': 'F\u00F6o', 'data': {} }",
      "1:15: character '\u00F6' (U+00F6) in a string: only printable ASCII is allowed",
    ],
    [
      "{ 'enum': 'Foo', 'data': [ '\u{1F600}', 'b' ] }",
      "1:29: character '\u{1F600}' (U+1F600) in a string: only printable ASCII is allowed",
    ],
    [
      "{ 'enum': 'Foo', 'data': [ 'a\tb' ] }",
      '1:30: control character U+0009 in a string: only printable ASCII is allowed',
    ],
    [
      "{ 'enum': 'Foo', 'data': [ 'a\0b' ] }",
      '1:30: control character U+0000 in a string: only printable ASCII is allowed',
    ],
    [
      "{ 'enum': 'Foo', 'data': [ 'a\u0001b' ] }",
      '1:30: control character U+0001 in a string: only printable ASCII is allowed',
    ],
    [
      "{ 'enum': 'Foo', 'data': [ 'a\u007Fb' ] }",
      '1:30: control character U+007F in a string: only printable ASCII is allowed',
    ],
    [
      "{ 'enum': 'Foo', 'data': [ 'a\u0085b' ] }",
      '1:30: control character U+0085 in a string: only printable ASCII is allowed',
    ],
    [
      "{ 'enum': 'Foo', 'data': [ 'a\u2028b' ] }",
      '1:30: character U+2028 in a string: only printable ASCII is allowed',
    ],
    ["{ 'struct': 'Foo\\n', 'data': {} }", "1:17: unknown escape: the only one is '\\\\'"],
    ["{ 'struct': 'Foo\\u0041', 'data': {} }", "1:17: unknown escape: the only one is '\\\\'"],
    ["{ 'struct': 'Foo\\'s', 'data': {} }", "1:17: unknown escape: the only one is '\\\\'"],
    ["{ 'struct': 'Foo\\/', 'data': {} }", "1:17: unknown escape: the only one is '\\\\'"],
    ["{ 'struct': 'Foo\\\u00E9', 'data': {} }", "1:17: unknown escape: the only one is '\\\\'"],
    ["{ 'struct': 'Foo\\\n', 'data': {} }", `1:13: this string has no closing "'" on its line`],
    ["{ 'struct': 'Foo, 'data': {} }\n", "1:20: stray 'data': names need single quotes"],
    ["{ 'struct': 'Foo", `1:13: this string has no closing "'" on its line`],
    ["{ 'struct': 'Foo\\", `1:13: this string has no closing "'" on its line`],
    ["{ 'struct': 'Foo\nBar', 'data': {} }", `1:13: this string has no closing "'" on its line`],
  ],
  'Schema syntax: encoding': [
    [{ 'test.json': Uint8Array.of(0x23, 0x20, 0xff, 0x0a) }, '1:3: this file is not UTF-8'],
    [{ 'test.json': Uint8Array.of(0x23, 0x0a, 0x23, 0x20, 0x61, 0xe2, 0x82) }, '2:4: this file is not UTF-8'],
    [{ 'test.json': Uint8Array.of(0x23, 0xc0, 0x80, 0x0a) }, '1:2: this file is not UTF-8'],
    [{ 'test.json': Uint8Array.of(0x23, 0xed, 0xa0, 0x80, 0x0a) }, '1:2: this file is not UTF-8'],
    [{ 'test.json': Uint8Array.of(0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00) }, '1:1: this file is not UTF-8'],
  ],
};
