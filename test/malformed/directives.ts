/** Includes and pragmas. */

import type { Table } from './case.js';

export const directives: Table = {
  'Include directives': [
    ["{ 'include': 'nowhere.json' }", "1:14: cannot read include file 'nowhere.json': no such file"],
    ["{ 'include': '' }", "1:14: cannot read include file '.': no such file"],
    ["{ 'include': true }", "1:14: 'include' takes a string, the path of a file"],
    ["{ 'include': [ 'a.json', 'b.json' ] }", "1:14: 'include' takes a string, the path of a file"],
    ["{ 'include': { 'file': 'a.json' } }", "1:14: 'include' takes a string, the path of a file"],
    ["{ 'include': 'test.json' }", "1:14: 'test.json' includes itself"],
    ["{ 'include': './sub/../test.json' }", "1:14: './sub/../test.json' includes itself"],
    [
      { 'test.json': "{ 'include': 'a.json' }", 'a.json': "# here\n{ 'include': 'test.json' }" },
      "a.json:2:14: 'test.json' includes itself",
    ],
    [
      {
        'test.json': "{ 'include': 'a.json' }",
        'a.json': "{ 'include': 'b.json' }",
        'b.json': "{ 'include': 'c.json' }",
        'c.json': "{ 'include': 'a.json' }",
      },
      "c.json:1:14: 'a.json' includes itself",
    ],
    [
      { 'test.json': "{ 'include': 'sub/a.json' }", 'sub/a.json': "{ 'include': 'b.json' }", 'b.json': '' },
      "sub/a.json:1:14: cannot read include file 'sub/b.json': no such file",
    ],
    [
      { 'test.json': "{ 'include': 'a.json', 'struct': 'Foo', 'data': {} }", 'a.json': '' },
      "test.json:1:24: a directive has only one key, but this one has 'include' and 'struct'",
    ],
    [
      { 'test.json': "{ 'include': 'a.json',\n  'if': 'X' }", 'a.json': '' },
      "test.json:2:3: a directive has only one key, but this one has 'include' and 'if'",
    ],
    [
      { 'test.json': "{ 'struct': 'Foo', 'include': 'a.json' }", 'a.json': '' },
      "test.json:1:3: a directive has only one key, but this one has 'include' and 'struct'",
    ],
    [
      { 'test.json': "{ 'include': 'a.json', 'pragma': {} }", 'a.json': '' },
      "test.json:1:24: a directive has only one key, but this one has 'include' and 'pragma'",
    ],
    [
      { 'test.json': "##\n# @Foo:\n##\n{ 'include': 'a.json' }\n{ 'struct': 'Foo', 'data': {} }", 'a.json': '' },
      "test.json:1:1: the definition of 'Foo' must follow its documentation immediately",
    ],
    [
      {
        'test.json': "{ 'include': 'a.json' }\n{ 'struct': 'Foo', 'data': }",
        'a.json': "{ 'struct': 'Foo', 'data': {} }\n{ 'enum': 'Bar',\n  'data': }",
      },
      "a.json:3:11: expected '{', '[', a string, 'true' or 'false', found '}'",
    ],
    [
      {
        'test.json': "{ 'include': 'a.json' }",
        'a.json': "{ 'struct': 'Foo', 'data': {} }\n{ 'enum': 'Bar',\n  'data': true }",
      },
      "a.json:3:11: in enum 'Bar': 'data' of an enum must be an array of values, not true",
    ],
    [
      {
        'test.json': "{ 'include': 'sub/a.json' }",
        'sub/a.json': "{ 'include': 'b.json' }\n{ 'include': '../c.json' }",
        'sub/b.json': '',
        'c.json': "{ 'struct': 'Foo' }",
      },
      "c.json:1:1: in struct 'Foo': struct 'Foo' lacks the key 'data'",
    ],
  ],
  'Pragma directives': [
    ["{ 'pragma': [] }", "1:13: 'pragma' takes an object"],
    ["{ 'pragma': 'doc-required' }", "1:13: 'pragma' takes an object"],
    ["{ 'pragma': true }", "1:13: 'pragma' takes an object"],
    ["{ 'pragma': {}, 'extra': {} }", "1:17: a directive has only one key, but this one has 'pragma' and 'extra'"],
    ["{ 'event': 'FOO', 'pragma': {} }", "1:3: a directive has only one key, but this one has 'pragma' and 'event'"],
    [
      "##\n# @Foo:\n##\n{ 'pragma': {} }\n{ 'struct': 'Foo', 'data': {} }",
      "1:1: the definition of 'Foo' must follow its documentation immediately",
    ],
    ["{ 'pragma': { 'doc-required': 'yes' } }", "1:31: pragma 'doc-required' takes true or false"],
    ["{ 'pragma': { 'doc-required': [] } }", "1:31: pragma 'doc-required' takes true or false"],
    ["{ 'pragma': { 'doc-required': true,\n              'vanilla': true } }", "2:15: unknown pragma 'vanilla'"],
    ["{ 'pragma': { 'doc-require': true } }", "1:15: unknown pragma 'doc-require' (did you mean 'doc-required'?)"],
    ["{ 'pragma': { 'doc-required': {} } }", "1:31: pragma 'doc-required' takes true or false"],
    [
      "{ 'pragma': { 'command-name-exceptions': 'foo' } }",
      "1:42: pragma 'command-name-exceptions' takes an array of strings",
    ],
    [
      "{ 'pragma': { 'command-name-exceptions': [ 'foo', true ] } }",
      "1:51: pragma 'command-name-exceptions' takes an array of strings",
    ],
    [
      "{ 'pragma': { 'command-returns-exceptions': {} } }",
      "1:45: pragma 'command-returns-exceptions' takes an array of strings",
    ],
    [
      "{ 'pragma': { 'command-returns-exceptions': [ [ 'foo' ] ] } }",
      "1:47: pragma 'command-returns-exceptions' takes an array of strings",
    ],
    [
      "{ 'pragma': { 'documentation-exceptions': false } }",
      "1:43: pragma 'documentation-exceptions' takes an array of strings",
    ],
    [
      "{ 'pragma': { 'documentation-exceptions': [ {} ] } }",
      "1:45: pragma 'documentation-exceptions' takes an array of strings",
    ],
    [
      "{ 'pragma': { 'member-name-exceptions': 'Foo' } }",
      "1:41: pragma 'member-name-exceptions' takes an array of strings",
    ],
    [
      "{ 'pragma': { 'member-name-exceptions': [ false ] } }",
      "1:43: pragma 'member-name-exceptions' takes an array of strings",
    ],
    [
      "{ 'pragma': { 'member-name-exception': [] } }",
      "1:15: unknown pragma 'member-name-exception' (did you mean 'member-name-exceptions'?)",
      { dialect: '10.2' },
    ],
    ["{ 'pragma': { 'returns-whitelist': [] } }", "1:15: unknown pragma 'returns-whitelist'", { dialect: '10.2' }],
    ["{ 'pragma': { 'name-case-whitelist': [] } }", "1:15: unknown pragma 'name-case-whitelist'", { dialect: '7.2' }],
    [
      "{ 'pragma': { 'returns-whitelist': 'foo' } }",
      "1:36: pragma 'returns-whitelist' takes an array of strings",
      { dialect: '5.2' },
    ],
    [
      "{ 'pragma': { 'name-case-whitelist': [ true ] } }",
      "1:40: pragma 'name-case-whitelist' takes an array of strings",
      { dialect: '5.2' },
    ],
    [
      "{ 'pragma': { 'command-returns-exceptions': [] } }",
      "1:15: unknown pragma 'command-returns-exceptions'",
      { dialect: '5.2' },
    ],
    [
      "{ 'pragma': { 'command-name-exceptions': [] } }",
      "1:15: unknown pragma 'command-name-exceptions'",
      { dialect: '5.2' },
    ],
    [
      "{ 'pragma': { 'member-name-exceptions': [] } }",
      "1:15: unknown pragma 'member-name-exceptions'",
      { dialect: '5.2' },
    ],
    [
      "{ 'pragma': { 'documentation-exceptions': [] } }",
      "1:15: unknown pragma 'documentation-exceptions'",
      { dialect: '7.2' },
    ],
  ],
};
