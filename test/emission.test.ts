/** No text from a schema becomes code, and all of it is in the output, unchanged. */

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import * as fc from 'fast-check';
import { format } from 'prettier';
import { ts } from 'ts-morph';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { code, docComment, identifier, join as joined, lineComment, propertyName } from '../generator/src/emit/code.js';
import { dialects, schemasAreData } from './support/as-data.js';
import { repository } from './support/compile.js';
import { readEmitted } from './support/emitted.js';

test.each(dialects)('schemas of dialect %s are data in the output', { timeout: 60_000 }, (version) => {
  fc.assert(schemasAreData([version]), { numRuns: 30 });
});

describe('the reader of the output rejects', () => {
  const runtime = `import { struct, type Validator } from '@qapi-ts/runtime';\n`;
  test.each([
    ['an undeclared value', `export const a = process;`, `no value 'process'`],
    ['an undeclared member', `export const a = { process };`, `no value 'process'`],
    ['a function that is not imported', `export const a = struct(() => ({}));`, `no value 'struct'`],
    ['a type as a value', `${runtime}export const a = Validator;`, `no value 'Validator'`],
    ['an undeclared type', `export type A = Evil[];`, `no type 'Evil'`],
    ['an undeclared base', `export interface A extends Evil {}`, `no type 'Evil'`],
    ['the type of an undeclared value', `export type A = (typeof evil)[keyof typeof evil];`, `no value 'evil'`],
    ['two constants', `export const a = 'x'; export const a = 'y';`, `'a' is declared twice`],
    ['two interfaces', `export interface A {} export interface A {}`, `'A' is declared twice`],
    ['two types', `export interface A {} export type A = string;`, `'A' is declared twice`],
    ['a declaration of an imported name', `${runtime}export const struct = 'x';`, `'struct' is declared twice`],
    ['two properties', `export interface A { a: string; a: string }`, `there are two entries 'a'`],
    ['two members', `export const a = { a: 'x', ['a']: 'y' };`, `there are two entries 'a'`],
    [
      'two methods',
      `export class Client { ${`a(): void { return this.execute('a', args, options); }`.repeat(2)} }`,
      `there are two entries 'a'`,
    ],
  ])('%s', (_, text, message) => {
    expect(() => readEmitted(text)).toThrow(message);
  });
});

describe('the writer', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(
        fc.constantFrom(
          '\\',
          "'",
          '"',
          '`',
          '${',
          '\n',
          '\r',
          '\0',
          '1',
          '\u2028',
          '\uD800',
          '\uDC00',
          '</script',
          '<!--',
          '*/',
          '//',
          '#',
          '@',
          '/*',
          '\u202E',
          'u0041',
          'x',
        ),
      )
      .map((parts) => parts.join('')),
  );

  function parse(text: string): ts.SourceFile & { readonly parseDiagnostics: readonly unknown[] } {
    return ts.createSourceFile('a.ts', text, ts.ScriptTarget.Latest, true) as ReturnType<typeof parse>;
  }

  test('writes text as literals with the same value, as prettier would', async () => {
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const written = String(code`x = ${text};`);
        expect(written).toMatch(/^[ -~]*$/u);
        expect(written).not.toMatch(/<\/script|<!--/iu);
        expect(await format(written, { parser: 'babel-ts', singleQuote: true, printWidth: 10_000 })).toContain(written);
        const [statement] = parse(written).statements;
        const expression = statement && ts.isExpressionStatement(statement) ? statement.expression : undefined;
        const right = expression && ts.isBinaryExpression(expression) ? expression.right : undefined;
        expect(right && ts.isStringLiteral(right) && right.text).toBe(text);
      }),
    );
  });

  test('writes any text as a property name', () => {
    fc.assert(
      fc.property(fc.oneof(texts, fc.constantFrom('__proto__', 'constructor', 'a-b', 'class', '1')), (text) => {
        // oxlint-disable-next-line typescript/no-implied-eval -- the test is about its behaviour
        const object = new Function(String(code`return { ${propertyName(text)}: 1 }`))() as object;
        expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
        expect(Object.keys(object)).toEqual([text]);
      }),
    );
  });

  test('rejects text that is not an identifier', () => {
    fc.assert(
      fc.property(fc.oneof(texts, fc.string(), fc.constantFrom('a-b', '', '1a', 'class', 'await', 'a b')), (text) => {
        let written: string;
        try {
          written = String(identifier(text));
        } catch {
          return;
        }
        expect(written).toBe(text);
        const file = parse(`'use strict'; let ${written};`);
        expect([file.parseDiagnostics, file.statements.length]).toEqual([[], 2]);
      }),
    );
    for (const text of ['', 'a b', 'a;b', '1', 'class', 'a\u2028', 'é'])
      expect(() => identifier(text)).toThrow('not an identifier');
  });

  test('writes any text as one comment', () => {
    fc.assert(
      fc.property(texts, (text) => {
        for (const comment of [docComment(text), code`${lineComment(text)}\n`].map(String)) {
          const file = parse(`${comment}let a;`);
          expect([file.parseDiagnostics, file.statements.length]).toEqual([[], 1]);
          expect(ts.getLeadingCommentRanges(file.text, 0)).toEqual([
            expect.objectContaining({ pos: 0, end: comment.length - 1 }),
          ]);
          expect(comment).not.toMatch(/\/\/[#@]|(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}]/u);
        }
      }),
    );
  });

  test('does not accept strings as code', () => {
    // @ts-expect-error -- a string is not code
    expect(() => joined(['a'], ', ')).not.toThrow();
    // @ts-expect-error -- an object with the same members is not code
    const looksAlike: ReturnType<typeof identifier> = { toString: () => 'evil()' };
    expect(() => code`${looksAlike}`).toThrow(TypeError);
  });
});

describe('injection', () => {
  const run = promisify(execFile);
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'qapi-ts-emission-'));
    mkdirSync(join(folder, 'node_modules/@qapi-ts/runtime'), { recursive: true });
    // A stub of the runtime, so that generated code can be imported without it.
    const stub = ['alternate', 'enumeration', 'struct', 'union', 'validatorsOf'].map(
      (name) => `export const ${name} = (...a) => a;`,
    );
    const classes = ['Client', 'Connection'].map((name) => `export class ${name} {}`);
    writeFileSync(join(folder, 'node_modules/@qapi-ts/runtime/index.js'), [...stub, ...classes].join('\n'));
    writeFileSync(
      join(folder, 'node_modules/@qapi-ts/runtime/package.json'),
      '{ "type": "module", "main": "index.js" }',
    );
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const struct = (members: string): string => `{ 'struct': 'Foo', 'data': { ${members} } }`;

  test.each([
    {
      what: 'a condition that ends a literal, and one that contains code',
      text: struct(
        `'a': { 'type': 'str', 'if': 'x\\\\' }, 'b': { 'type': 'Bar', 'if': '} })); console.log("PWNED"); //' }`,
      ),
      conditions: ['x\\', '} })); console.log("PWNED"); //'],
    },
    {
      what: 'backslashes',
      text: struct(
        `'a': { 'type': 'str', 'if': 'x\\\\' }, 'b': { 'type': 'str', 'if': 'x\\\\n' }, 'c': { 'type': 'str', 'if': '\\\\\\\\' }`,
      ),
      conditions: ['x\\', 'x\\n', '\\\\'],
    },
    {
      what: 'templates, comments and scripts',
      text: struct(`'a': { 'type': 'str', 'if': '\`\${console.log("PWNED")}\` */ /* </script> <!--' }`),
      conditions: ['`${console.log("PWNED")}` */ /* </script> <!--'],
    },
    {
      what: 'a condition of an enum value',
      text: `{ 'enum': 'Foo', 'data': [ { 'name': 'a', 'if': 'x\\\\' }, { 'name': 'b', 'if': '} }); console.log("PWNED"); //' } ] }`,
      conditions: ['x\\', '} }); console.log("PWNED"); //'],
    },
    {
      what: 'a condition of a command',
      text: `{ 'command': 'a', 'if': 'x\\\\' } { 'command': 'b', 'if': '} }); console.log("PWNED"); //' }`,
      conditions: ['x\\', '} }); console.log("PWNED"); //'],
    },
    { what: 'a file name with quotes', file: 'x";evil.json', text: struct(`'a': 'str'`), conditions: [] },
    {
      what: 'a file name with a directive',
      file: '# sourceMappingURL=x\n@ts-nocheck.json',
      text: struct(`'a': 'str'`),
      conditions: [],
    },
    {
      what: 'a file name with newlines',
      file: 'x\nconsole.log("PWNED");\u2028console.log("PWNED");//.json',
      text: struct(`'a': 'str'`),
      conditions: [],
    },
  ])('$what', { timeout: 60_000 }, async ({ file = 'evil.json', text, conditions }) => {
    const place = mkdtempSync(join(folder, 'case-'));
    const root = join(place, file);
    mkdirSync(dirname(root), { recursive: true });
    const bar = `{ 'struct': 'Bar', 'data': {} } { 'command': 'use', 'data': { 'bar': 'Bar' } }`;
    writeFileSync(root, `${text}\n${bar}\n`);
    const out = join(place, 'out');
    await run(process.execPath, [
      join(repository, 'generator/bin/qapi-ts.js'),
      'generate',
      '--json-schema',
      '--schema',
      root,
      '--out',
      out,
    ]);
    for (const name of readdirSync(out).filter((one) => one.endsWith('.ts'))) {
      const source = readFileSync(join(out, name), 'utf8');
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
      });
      // The stub lacks exports of the runtime that the index exports again.
      const runnable =
        name === 'index.ts' ? outputText.replace(/export \{[^}]*\} from '@qapi-ts\/runtime';/u, '') : outputText;
      writeFileSync(join(out, name.replace('.ts', '.js')), runnable);
      readEmitted(source);
    }
    const { stdout, stderr } = await run(process.execPath, [join(out, 'index.js')]);
    expect([stdout, stderr]).toEqual(['', '']);
    const found = readdirSync(out)
      .filter((one) => one.endsWith('.ts'))
      .flatMap((one) => strings(readFileSync(join(out, one), 'utf8')));
    for (const condition of conditions) expect(found).toContain(condition);
  });
});

function strings(text: string): string[] {
  const visit = (node: ts.Node): string[] => [
    ...(ts.isStringLiteral(node) ? [node.text] : []),
    ...node.getChildren().flatMap(visit),
  ];
  return visit(ts.createSourceFile('a.ts', text, ts.ScriptTarget.Latest, true));
}
