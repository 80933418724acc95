/** The errors of invalid schemas. */

import { describe, expect, it, test } from 'vitest';

import { formatDiagnostic, SchemaError } from '../generator/src/diagnostic.js';
import { checkDefinitions } from '../generator/src/frontend/definitions/check.js';
import { resolve } from '../generator/src/frontend/definitions/resolve.js';
import { dialectOf, lenient, type Dialect } from '../generator/src/frontend/dialect.js';
import { readDefinition } from '../generator/src/frontend/expressions/definition.js';
import { parseSchema, type ParsedSchema } from '../generator/src/frontend/load.js';
import { Reporter } from '../generator/src/frontend/reporter.js';
import { tables } from './malformed/tables.js';
import { briefly, diagnosticsOf, filesOf, readerOf, schemaOf, type Files } from './support/schema.js';

describe.each(Object.entries(tables))('%s', (_section, cases) => {
  for (const [given, want, { dialect } = {}] of cases) {
    test(`${dialect ?? 'any version'}: ${JSON.stringify(given)}`, () => {
      expect(allOf(given, dialect)).toEqual([want]);
    });
  }
});

function allOf(given: string | Files, dialect?: string): string[] {
  return diagnosticsOf(given, dialect).map((diagnostic) => briefly(given, diagnostic));
}

it('checks do not change the model', () => {
  const givens = Object.values(tables).flat();
  for (const [given, , { dialect: version } = {}] of givens) {
    const dialect = version === undefined ? lenient : dialectOf(version);
    const parsed = parsedOf(given, dialect);
    if (!parsed) continue;
    const { definitions, pragmas } = parsed;
    const rules = { dialect, pragmas };
    const reporter = new Reporter();
    const syntaxes = definitions.flatMap((expression) => readDefinition(expression, rules, reporter) ?? []);
    const resolution = resolve(syntaxes, () => '', dialect, reporter);
    for (const { definition } of resolution.definitions) deepFreeze(definition);
    checkDefinitions(syntaxes, resolution, rules, reporter);
  }
});

/** Returns undefined if there are syntax errors. */
function parsedOf(given: string | Files, dialect: Dialect): ParsedSchema | undefined {
  try {
    const files = filesOf(given);
    return parseSchema(Object.keys(files)[0] ?? '', { dialect, read: readerOf(files) });
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
}

describe('several errors', () => {
  it('are all reported, except syntax errors, in the order of the text', () => {
    const schema = `{ 'struct': 'Foo', 'data': { 'a': 'Bar', 'b': [], 'u': 'int' }, 'boxed': true }
{ 'command': 'foo', 'data': 'Foo', 'gen': true,
  'returns': 'int' }
{ 'enum': 'Foo', 'data': {} }
{ 'union': 'Shape', 'base': { 'kind': 'Kinds' }, 'discriminator': 'kind', 'data': {} }
{ 'event': 'FOO', 'data': { 'a': 'Bar', 'a_b': 'int', 'a-b': 'int' } }`;
    expect(allOf(schema)).toEqual([
      "1:35: in struct 'Foo': member 'a' uses unknown type 'Bar'",
      "1:47: in struct 'Foo': the type of member 'b' must be an array that holds the name of one type",
      "1:51: in struct 'Foo': member name 'u' is reserved",
      "1:65: in struct 'Foo': struct 'Foo' has no key 'boxed'; it can have 'struct', 'data', 'base', 'if', 'features'",
      "2:43: in command 'foo': 'gen' can only be false; omit it for the default",
      "3:14: in command 'foo': a command must return an object or an array of objects, not 'int' (pragma 'command-returns-exceptions' allows it)",
      "4:11: in enum 'Foo': 'Foo' is already defined",
      "4:26: in enum 'Foo': 'data' of an enum must be an array of values, not an object",
      "5:39: in union 'Shape': member 'kind' uses unknown type 'Kinds'",
      "6:34: in event 'FOO': member 'a' uses unknown type 'Bar'",
      "6:55: in event 'FOO': member 'a-b' collides with member 'a_b'",
    ]);
  });

  it('end at the first syntax error', () => {
    const schema = `{ 'struct': 'Foo', 'data': { 'a': 'Bar' } }\n{ 'enum': 'Foo', }\n{ 'event' }`;
    expect(allOf(schema)).toEqual(["2:18: expected a string, found '}'"]);
  });

  it('are ordered by file, in the order of inclusion', () => {
    const files = {
      'test.json': "{ 'command': 'foo', 'data': 'Aa' }\n{ 'include': 'b.json' }\n{ 'include': 'a.json' }",
      'a.json': "{ 'struct': 'Bb', 'data': true }",
      'b.json': "{ 'struct': 'Cc', 'data': true }\n{ 'event': 'FOO', 'data': 'Dd' }",
    };
    expect(allOf(files).map((line) => line.split(': ', 1)[0])).toEqual([
      'b.json:1:27',
      'b.json:2:27',
      'a.json:1:27',
      'test.json:1:29',
    ]);
  });

  test.each([
    [
      "{ 'struct': 'Foo', 'daat': {} }",
      [
        "1:1: in struct 'Foo': struct 'Foo' lacks the key 'data'",
        "1:20: in struct 'Foo': struct 'Foo' has no key 'daat' (did you mean 'data'?)",
      ],
    ],
    [
      "{ 'command': 'foo', 'data': { 'a': { 'b': 'int' } } }",
      [
        "1:31: in command 'foo': member 'a' lacks the key 'type'",
        "1:38: in command 'foo': member 'a' has no key 'b'; it can have 'type', 'if', 'features'",
      ],
    ],
    [
      "{ 'union': 'Foo', 'base': 'Bar', 'data': { 'a': 'int' } }\n{ 'struct': 'Bar', 'data': {} }",
      [
        "1:1: in union 'Foo': union 'Foo' lacks the key 'discriminator'",
        "1:49: in union 'Foo': branch 'a' must be a struct or union, not 'int'",
      ],
    ],
  ])('are both reported: %s', (given, want) => {
    expect(allOf(given)).toEqual(want);
  });

  it('do not include consequences of other errors', () => {
    const schema = `{ 'enum': 'Color', 'data': [ 'red', true ] }
{ 'struct': 'Foo', 'data': {} }
##
# @Shape:
#
# @color: The color
#
# @size: The size
##
{ 'union': 'Shape', 'base': 'Base', 'discriminator': 'color', 'data': { 'green': 'Foo' } }
{ 'struct': 'Base', 'base': 'Nothing', 'data': {} }
{ 'union': 'Other', 'base': { 'color': 'Color' }, 'discriminator': 'color', 'data': { 'green': 'Foo' } }`;
    expect(allOf(schema)).toEqual([
      "1:37: in enum 'Color': a value must be a string, or an object with a name, not true",
      "11:29: in struct 'Base': 'base' uses unknown type 'Nothing'",
    ]);
  });
});

describe('did you mean', () => {
  test.each([
    ["{ 'strcut': 'Foo', 'data': {} }", 'struct'],
    ["{ 'inclued': 'foo.json' }", 'include'],
    ["{ 'pragma': { 'command-return-exceptions': [] } }", 'command-returns-exceptions'],
    ["{ 'command': 'foo', 'sucess-response': false }", 'success-response'],
    ["{ 'struct': 'Foo', 'data': { 'a': { 'type': 'int', 'feature': [] } } }", 'features'],
    ["{ 'command': 'foo', 'if': { 'al': [ 'X' ] } }", 'all'],
    ["{ 'struct': 'Foo', 'data': { 'a': 'boolean' } }", undefined],
    ["{ 'struct': 'Foo', 'data': { 'a': 'unit32' } }", 'uint32'],
    ["{ 'struct': 'Foo', 'data': { 'a': 'foo' } }", 'Foo'],
    ["{ 'struct': 'BlockInfo', 'data': { 'a': [ 'BlokcInfo' ] } }", 'BlockInfo'],
    ["{ 'union': 'Foo', 'base': { 'driver': 'QType' }, 'discriminator': 'drivre', 'data': {} }", 'driver'],
    ["{ 'union': 'Foo', 'base': { 't': 'QType' }, 'discriminator': 't', 'data': { 'qdct': 'Foo' } }", 'qdict'],
    ["##\n# @Foo:\n#\n# @nmae: text\n##\n{ 'struct': 'Foo', 'data': { 'name': 'str' } }", 'name'],
    [
      "##\n# @Foo:\n#\n# Features:\n# @fats: text\n# @b: text\n##\n{ 'struct': 'Foo', 'data': {}, 'features': [ 'b' ] }",
      undefined,
    ],
    ["{ 'struct': 'Foo', 'data': { 'a': 'x' } }", undefined],
  ])('%s: %s', (given, want) => {
    const hints = diagnosticsOf(given).flatMap(({ message }) => /\(did you mean '(.*)'\?\)/u.exec(message)?.[1] ?? []);
    expect(hints).toEqual(want === undefined ? [] : [want]);
  });
});

describe('the context of an error', () => {
  it('is the definition that contains it, by its first line', () => {
    const [diagnostic] = diagnosticsOf("# text\n\n  { 'struct': 'Foo',\n  'data': {\n    'a': 'Bar' } }");
    expect(diagnostic?.definition).toMatchObject({
      title: "struct 'Foo'",
      position: { file: 'test.json', line: 3, column: 3 },
    });
    expect(diagnostic?.includedFrom).toEqual([]);
  });

  it('is the previous definition of a name', () => {
    const [diagnostic] = diagnosticsOf({
      'test.json': "{ 'include': 'sub/a.json' }\n{ 'command': 'foo' }",
      'sub/a.json': "\n { 'event': 'foo' }",
    });
    expect(diagnostic?.related).toMatchObject({
      message: "the previous definition of 'foo' is here",
      position: { file: 'sub/a.json', line: 2, column: 2 },
    });
  });

  it.each([
    ['syntax', "{ 'struct': }"],
    ['a directive', "{ 'pragma': true }"],
    ['a definition', "{ 'struct': 'Foo' }"],
    ['encoding', Uint8Array.of(0xff)],
  ])('is the chain of includes, innermost first: %s', (_kind, text) => {
    const [diagnostic] = diagnosticsOf({
      'test.json': "# text\n{ 'include': 'sub/a.json' }",
      'sub/a.json': "{\n 'include':\n  '../b.json' }",
      'b.json': "{ 'include': 'c.json' }",
      'c.json': text,
    });
    expect(diagnostic?.position.file).toBe('c.json');
    expect(diagnostic?.includedFrom).toEqual([
      { file: 'b.json', line: 1, column: 14 },
      { file: 'sub/a.json', line: 3, column: 3 },
      { file: 'test.json', line: 2, column: 14 },
    ]);
  });
});

describe('formatDiagnostic', () => {
  function format(given: string | Files, colour = false): string {
    const [diagnostic] = diagnosticsOf(given);
    if (!diagnostic) throw new Error('no error');
    return formatDiagnostic(diagnostic, colour);
  }

  it('shows the line and a caret', () => {
    expect(format("\n{ 'struct': 'Foo' 'data': {} }\n")).toMatchInlineSnapshot(`
      "test.json:2:19: error: expected ',' or '}', found 'data'
        { 'struct': 'Foo' 'data': {} }
                          ^"
    `);
  });

  it('shows the definition', () => {
    expect(format("{ 'enum': 'Foo',\n  'data': [\n    'a', true ] }")).toMatchInlineSnapshot(`
      "test.json:3:10: error: a value must be a string, or an object with a name, not true
            'a', true ] }
                 ^
      test.json:1: in enum 'Foo'"
    `);
  });

  it('shows a related position and the includes', () => {
    const files = {
      'test.json': "{ 'include': 'a.json' }\n",
      'a.json': "{ 'include': 'b.json' }\n",
      'b.json': "{ 'command': 'foo' }\n{ 'command': 'foo', 'gen': false }\n",
    };
    expect(format(files)).toMatchInlineSnapshot(`
      "b.json:2:14: error: 'foo' is already defined
        { 'command': 'foo', 'gen': false }
                     ^
      b.json:2: in command 'foo'
      b.json:1: the previous definition of 'foo' is here
      a.json:1: included from here
      test.json:1: included from here"
    `);
  });

  it('places the caret below its column, also after tabs', () => {
    expect(format("\t{ 'struct':\t'Foo',\t\"data\": {} }").replaceAll('\t', '→')).toMatchInlineSnapshot(`
      "test.json:1:21: error: stray '"data"': strings need single quotes
        →{ 'struct':→'Foo',→"data": {} }
        →           →      →^"
    `);
  });

  it('shows the end of the text after the last line', () => {
    expect(format("{ 'struct': 'Foo',\n  'data': {}\n")).toMatchInlineSnapshot(`
      "test.json:2:13: error: expected ',' or '}', found the end of the file
          'data': {}
                    ^"
    `);
  });

  it('uses colours', () => {
    expect(format("{ 'struct': 'Foo' }", true).replaceAll('\u001B', 'ESC')).toMatchInlineSnapshot(`
      "ESC[1mtest.json:1:1: ESC[1;31merror:ESC[0mESC[1m struct 'Foo' lacks the key 'data'ESC[0m
        { 'struct': 'Foo' }
        ESC[1;31m^ESC[0m
      test.json:1: in struct 'Foo'"
    `);
  });

  it('forms the message of a SchemaError', () => {
    expect(() => schemaOf("{ 'event': 'FOO', 'gen': false }\n{ 'command': true }")).toThrowErrorMatchingInlineSnapshot(`
      [SchemaError: test.json:1:19: error: event 'FOO' has no key 'gen'; it can have 'event', 'data', 'boxed', 'if', 'features'
        { 'event': 'FOO', 'gen': false }
                          ^
      test.json:1: in event 'FOO'
      test.json:2:14: error: 'command' must be a name, not true
        { 'command': true }
                     ^]
    `);
    try {
      schemaOf("{ 'event': true }");
    } catch (error) {
      expect(error).toBeInstanceOf(SchemaError);
      expect(error).toMatchObject({ name: 'SchemaError', code: 'ERR_QAPI_SCHEMA', diagnostics: [{}] });
    }
  });
});

describe('limits', () => {
  /** Returns structs, each of which has the next as its base. */
  const bases = (count: number): string[] =>
    Array.from({ length: count }, (_, index) =>
      index === count - 1
        ? `{ 'struct': 'Foo${index}', 'data': {} }\n`
        : `{ 'struct': 'Foo${index}', 'base': 'Foo${index + 1}', 'data': {} }\n`,
    );
  /** Returns unions, each of which has the next in two branches, so that the number of paths is exponential. */
  const branches = (count: number): string[] =>
    Array.from({ length: count }, (_, index) =>
      index === count - 1
        ? `{ 'struct': 'Foo${index}', 'data': {} }\n`
        : `{ 'union': 'Foo${index}', 'base': { 'a${index}': 'QType' }, 'discriminator': 'a${index}',
             'data': { 'qnull': 'Foo${index + 1}', 'qnum': 'Foo${index + 1}' } }\n`,
    );

  it.each([
    ['a chain of bases', bases],
    ['a chain of branches', branches],
  ])('a hundred nested types: %s', (_what, types) => {
    const text = (count: number): string => types(count).join('');
    const reversed = (count: number): string => types(count).toReversed().join('');
    expect(diagnosticsOf(text(100))).toEqual([]);
    expect(diagnosticsOf(reversed(100))).toEqual([]);
    expect(diagnosticsOf(text(101))[0]?.message).toContain('is in a chain of more than 100 bases and branches');
    expect(diagnosticsOf(reversed(101))[0]?.message).toContain('is in a chain of more than 100 bases and branches');
  });

  it('no depth exhausts the stack', () => {
    const count = 20_000;
    const deep = bases(count);
    const circle = [...deep.slice(0, -1), `{ 'struct': 'Foo${count - 1}', 'base': 'Foo0', 'data': {} }`];
    const command = "{ 'command': 'foo', 'data': 'Foo0' }\n";
    for (const types of [deep, deep.toReversed(), circle, circle.toReversed()]) {
      expect(diagnosticsOf(command + types.join('')).length).toBeGreaterThan(0);
    }
    const nested = `${'!('.repeat(count)}defined(A)${')'.repeat(count)}`;
    expect(diagnosticsOf(`{ 'command': 'foo', 'if': '${nested}' }`)).toEqual([]);
  });

  it('includes are nested at most a hundred levels deep', () => {
    const files = (count: number): Files =>
      Object.fromEntries(
        Array.from({ length: count + 1 }, (_, index) => [
          `${index}.json`,
          index < count ? `{ 'include': '${index + 1}.json' }` : '',
        ]),
      );
    expect(allOf(files(100))).toEqual([]);
    expect(allOf(files(101))).toEqual(['100.json:1:14: includes are nested more than 100 levels deep']);
  });

  it('lines of more than 1000 characters are not quoted', () => {
    const [diagnostic] = diagnosticsOf(`${' '.repeat(1000)}{ 'struct': true }`);
    expect(diagnostic?.position).toEqual({ file: 'test.json', line: 1, column: 1013 });
  });

  it('only the first errors have suggestions', () => {
    const members = Array.from({ length: 30 }, (_, index) => `'a${index}': 'Fo'`);
    const messages = allOf(`{ 'struct': 'Foo', 'data': { ${members.join(', ')} } }`);
    expect(messages).toHaveLength(30);
    expect(messages.filter((message) => message.includes('did you mean'))).toHaveLength(20);
  });
});
