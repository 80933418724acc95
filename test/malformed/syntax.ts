/** Objects, arrays and the top level. */

import type { Table } from './case.js';

export const syntax: Table = {
  'Schema syntax: objects and arrays': [
    ["{ 'struct' }", "1:12: expected ':', found '}'"],
    ["{ 'struct': }", "1:13: expected '{', '[', a string, 'true' or 'false', found '}'"],
    ["{ 'struct': 'Foo', 'data' {} }", "1:27: expected ':', found '{'"],
    ["{ 'struct': 'Foo' 'data': {} }", "1:19: expected ',' or '}', found 'data'"],
    ["{ 'struct': 'Foo', 'data': {}, }", "1:32: expected a string, found '}'"],
    ["{ , 'struct': 'Foo', 'data': {} }", "1:3: expected a string or '}', found ','"],
    ["{ 'struct': 'Foo',, 'data': {} }", "1:19: expected a string, found ','"],
    ["{ 'struct': 'Foo', 'data': { 'a': 'int' }", "1:42: expected ',' or '}', found the end of the file"],
    ["{ 'struct': 'Foo', 'data': { 'a': 'int' ] }", "1:41: expected ',' or '}', found ']'"],
    ["{ 'struct': 'Foo',", '1:19: expected a string, found the end of the file'],
    ['{', "1:2: expected a string or '}', found the end of the file"],
    ["{ true: 'Foo' }", "1:3: expected a string or '}', found 'true'"],
    ["{ [ 'struct' ]: 'Foo' }", "1:3: expected a string or '}', found '['"],
    ["{ 'struct': 'Foo', { 'data': {} } }", "1:20: expected a string, found '{'"],
    ["{ 'enum': 'Foo', 'data': [ 'a' 'b' ] }", "1:32: expected ',' or ']', found 'b'"],
    ["{ 'enum': 'Foo', 'data': [ 'a', 'b', ] }", "1:38: expected '{', '[', a string, 'true' or 'false', found ']'"],
    ["{ 'enum': 'Foo', 'data': [ , 'a' ] }", "1:28: expected '{', '[', a string, 'true' or 'false', found ','"],
    ["{ 'enum': 'Foo', 'data': [ 'a',, 'b' ] }", "1:32: expected '{', '[', a string, 'true' or 'false', found ','"],
    ["{ 'enum': 'Foo', 'data': [ 'a', 'b' }", "1:37: expected ',' or ']', found '}'"],
    ["{ 'enum': 'Foo', 'data': [ 'a', 'b'\n\n# the end\n", "3:10: expected ',' or ']', found the end of the file"],
    ["{ 'enum': 'Foo', 'data': [", "1:27: expected '{', '[', a string, 'true' or 'false', found the end of the file"],
    ["{ 'enum': 'Foo', 'data': : }", "1:26: expected '{', '[', a string, 'true' or 'false', found ':'"],
    [
      "{ 'struct': 'Foo', 'data':\n##\n# text\n##\n {} }",
      "2:1: expected '{', '[', a string, 'true' or 'false', found a documentation comment",
    ],
    [
      `{ 'enum': 'Foo', 'data': ${'['.repeat(101)}${']'.repeat(101)} }`,
      '1:125: this expression is nested more than 100 levels deep',
    ],
  ],
  'Schema syntax: the top level': [
    [
      "[ { 'struct': 'Foo', 'data': {} } ]",
      "1:1: expected '{' at the beginning of a directive or definition, found '['",
    ],
    ["'struct'", "1:1: expected '{' at the beginning of a directive or definition, found 'struct'"],
    ['true', "1:1: expected '{' at the beginning of a directive or definition, found 'true'"],
    [
      "{ 'struct': 'Foo', 'data': {} } }",
      "1:33: expected '{' at the beginning of a directive or definition, found '}'",
    ],
    [
      "{ 'struct': 'Foo', 'data': {} },\n{ 'struct': 'Bar', 'data': {} }",
      "1:32: expected '{' at the beginning of a directive or definition, found ','",
    ],
    [": { 'struct': 'Foo', 'data': {} }", "1:1: expected '{' at the beginning of a directive or definition, found ':'"],
    [
      '{}',
      "1:1: this is not a definition: it needs one of the keys 'enum', 'struct', 'union', 'alternate', 'command', 'event'",
    ],
  ],
  'RFC 8259: names within an object are unique': [
    ["{ 'struct': 'Foo', 'struct': 'Bar', 'data': {} }", "1:20: duplicate key 'struct'"],
    ["{ 'struct': 'Foo',\n  'data': { 'a': 'int',\n            'b': 'int', 'a': 'str' } }", "3:25: duplicate key 'a'"],
    ["{ 'struct': 'Foo', 'data': { '__proto__': 'int', '__proto__': 'str' } }", "1:50: duplicate key '__proto__'"],
    ["{ 'enum': 'Foo', 'data': [ { 'name': 'a', 'name': 'b' } ] }", "1:43: duplicate key 'name'"],
    ["{ 'struct': 'Foo', 'data': { 'a': { 'type': 'int', 'if': 'A', 'if': 'A' } } }", "1:63: duplicate key 'if'"],
    ["{ 'pragma': { 'doc-required': true, 'doc-required': false } }", "1:37: duplicate key 'doc-required'"],
  ],
};
