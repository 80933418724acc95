/** Schemas that try to break the generated code: those in nasty/, and names that clash. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { pathToFileURL } from 'node:url';

import { Client as BaseClient } from '@qapi-ts/runtime';
import { ts } from 'ts-morph';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { conditionTest } from '../generator/src/condition.js';
import { SchemaError } from '../generator/src/diagnostic.js';
import { emitPackage } from '../generator/src/emit/package.js';
import { builtinNames, type Schema } from '../generator/src/model.js';
import { narrow } from '../generator/src/narrow.js';
import { compile, repository } from './support/compile.js';
import { Peer } from './support/peer.js';
import { schemaOf } from './support/schema.js';

const folder = join(repository, 'test/nasty');
/** The paths where code in a temporary directory finds the runtime. */
const runtime = { '@qapi-ts/runtime': [join(repository, 'runtime/dist/index.d.ts')] };

/** Returns the files of nasty/, the root first. */
function texts(): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.json'));
  const sorted = ['nasty.json', ...paths.filter((path) => path !== 'nasty.json').toSorted()];
  return Object.fromEntries(sorted.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

function emit(schema: Schema, options: { docs?: boolean; origin?: string } = {}): Map<string, string> {
  return emitPackage(schema, { origin: 'nasty.json', generator: '0.0.0', docs: true, ...options });
}

const nasty = schemaOf(texts());
let files: Map<string, string>;
beforeAll(() => {
  files = emit(nasty);
});

let out: string;
beforeAll(() => {
  out = mkdtempSync(join(tmpdir(), 'qapi-ts-nasty-'));
});
afterAll(() => rmSync(out, { recursive: true }));

function write(name: string, contents: ReadonlyMap<string, string>): string {
  const target = join(out, name);
  mkdirSync(target);
  writeFileSync(join(target, 'package.json'), '{ "type": "module" }');
  for (const [file, text] of contents) writeFileSync(join(target, file), text);
  return target;
}

describe('the code from nasty.json', () => {
  test.each(['5.4', '7.0'] as const)(
    'passes the type checks of TypeScript %s',
    { timeout: 60_000 },
    async (compiler) => {
      // A name with a period would be mistaken for a file.
      const code = write(compiler.replace('.', '_'), files);
      const paths = { ...runtime, nasty: [join(code, 'index.ts')] };
      const isolated = compiler !== '5.4' && { declaration: true, isolatedDeclarations: true };
      const options = { paths, ...isolated };
      expect(await compile({ compiler, include: ['test/nasty/usage.ts', code], options })).toBe('');
    },
  );

  describe('at run time', () => {
    let module: Loaded;
    beforeAll(async () => {
      const scripts = [...files].map(([file, text]) => [file.replace('.ts', '.js'), toJavaScript(text)] as const);
      module = (await import(pathToFileURL(join(write('js', new Map(scripts)), 'index.js')).href)) as Loaded;
    });

    test('has the values of enums', () => {
      const enums = Object.entries(module).filter(
        ([name, value]) => typeof value === 'object' && name !== 'validators',
      );
      const byThemselves = (values: readonly string[]): object => Object.fromEntries(values.map((one) => [one, one]));
      const expected: Record<string, string[]> = {
        Digits: ['0', '5', '2_5', '10base-t', 'empty', '__org.qemu_x-value', 'constructor'],
        Events_: ['STOP'],
        EvilEnum: ['one', 'two', 'three'],
        InnerWay: ['in', 'out', 'nowhere'],
        Letters: ['a', 'b'],
        MiddleWay: ['in', 'out', 'nowhere', 'anywhere'],
        NeverSo: ['value'],
        Nothing: [],
        Object: ['object'],
        OuterWay: ['in', 'out', 'nowhere', 'anywhere'],
        Same: ['a'],
        SimpleKind: ['int', 'list', 'self', 'tree', 'nothing'],
        as_: ['const'],
        protocol_: ['QMP'],
      };
      expect(Object.fromEntries(enums)).toEqual(
        Object.fromEntries(Object.entries(expected).map(([name, values]) => [name, byThemselves(values)])),
      );
    });

    test('sends commands by wire name', async () => {
      const { Client, connect } = module;
      await using peer = new Peer();
      // Awaiting a client must not send `then`.
      const vm = await connect(peer.stream(), { validate: false });
      expect(vm.constructor).toBe(Client);

      const methods = Object.getOwnPropertyNames(Client.prototype).filter((name) => name !== 'constructor');
      await Promise.allSettled(methods.map(async (name) => vm[name]?.({})));
      const [, ...sent] = peer.commands;
      const commands = [...nasty.definitions.values()].filter(({ kind }) => kind === 'command');
      expect(sent).toEqual(commands.map(({ name }) => name));
      expect(Object.fromEntries(methods.map((name, index) => [name, sent[index]]))).toMatchObject({
        then_: 'then',
        constructor_: 'constructor',
        hasOwnProperty_: 'has-own-property',
        orgQemuXCommand: '__org.qemu_x-command',
        _3comCommand: '__3com_command',
        stop: 'stop',
      });
      await vm['close']?.();
    });
  });
});

interface Loaded {
  readonly [name: string]: unknown;
  readonly Client: { readonly prototype: object };
  readonly connect: (address: Duplex, options: object) => Promise<Record<string, (args?: object) => Promise<unknown>>>;
}

describe('documentation', () => {
  test('does not affect the code', () => {
    const plain = emit(nasty, { docs: false });
    expect(mapValues(files, tokens)).toEqual(mapValues(plain, tokens));
  });

  test('has only tags that the generator writes', () => {
    const tags = new Set([...files.values()].flatMap(jsDocTags));
    expect([...tags].toSorted()).toEqual(['example', 'experimental', 'returns', 'since', 'throws']);
  });

  test('does not depend on line endings', () => {
    for (const end of ['\r\n', '\r']) {
      const changed = Object.entries(texts()).map(([path, text]) => [path, text.replaceAll('\n', end)]);
      expect(emit(schemaOf(Object.fromEntries(changed)))).toEqual(files);
    }
  });

  test('names its origin on one line', () => {
    const [text = ''] = emit(schemaOf(`{ 'struct': 'A', 'data': {} }`), { origin: 'a\n;b\u2028;c' }).values();
    expect(text.split('\n')[0]).toMatch(/^\/\/ Generated by qapi-ts .* from a\\u\{000a\};b\\u\{2028\};c, /u);
  });
});

describe('a type may have the name of any keyword, and of anything in the generated code', () => {
  const definitions = {
    struct: (word: string, index: number) => [
      `{ 'struct': '${word}', 'data': { '*self': '${word}' } }`,
      `{ 'struct': 'Derived${index}', 'base': '${word}', 'data': {} }`,
      `{ 'event': 'EVENT_${index}', 'data': '${word}' }`,
    ],
    enum: (word: string) => [`{ 'enum': '${word}', 'data': [ 'value' ] }`],
  };

  test.each(['struct', 'enum'] as const)('as %s', { timeout: 60_000 }, async (kind) => {
    const lines = words().flatMap((word, index) => [
      ...definitions[kind](word, index),
      `{ 'struct': 'Members${index}', 'data': { 'one': '${word}', '*two': '${word}', 'three': [ '${word}' ] } }`,
      `{ 'alternate': 'Alternate${index}', 'data': { 'only': '${word}' } }`,
      `{ 'command': 'command-${index}', 'data': { 'x': '${word}' }, 'returns': [ '${word}' ] }`,
    ]);
    const exceptions = words().map((_, index) => `'command-${index}'`);
    const pragma = `{ 'pragma': { 'command-returns-exceptions': [ ${exceptions.join(', ')} ] } }`;
    const code = write(kind, emit(schemaOf([pragma, ...lines].join('\n'))));
    expect(await compile({ compiler: '7.0', include: [code], options: { paths: runtime } })).toBe('');
  });

  function words(): string[] {
    const kinds = Object.keys(ts.SyntaxKind).filter((kind) => kind.endsWith('Keyword'));
    const keywords = kinds.map((kind) => kind.replace('Keyword', '').toLowerCase());
    const used = tokens(files.get('client.ts') ?? '').match(/(?<!['.\w])[A-Za-z]\w*/gu) ?? [];
    const taken = new Set<string>(builtinNames);
    // Exclude names of validators, which clash with the validator of a type in this schema.
    const isFree = (word: string): boolean => !taken.has(word) && !/_$|^is[A-Z]/u.test(word);
    return [...new Set([...keywords, ...used])].filter(isFree);
  }
});

test('types that narrowing leaves empty become never', () => {
  const narrowed = emit(narrow(nasty, conditionTest(['NOTHING'])));
  // The types are kept, because unconditional commands refer to them.
  expect(narrowed.get('conditions.ts')).toContain('export type NeverAny = never;');
  expect(narrowed.get('conditions.ts')).toContain('export type NeverOne = never;');
});

describe('files', () => {
  const struct = (name: string): string => `{ 'struct': '${name}', 'data': { '*root': 'Root' } }\n`;

  test.each([
    { modules: ['a.json'], want: ['a'] },
    { modules: ['index.json', 'client.json'], want: ['index_', 'client_'] },
    { modules: ['index.json', 'index_.json'], want: ['index_', 'index__'] },
    { modules: ['a/x.json', 'b/x.json', 'c/x.json'], want: ['x', 'x_', 'x__'] },
    { modules: ['x.json', 'X.json', 'Client.json'], want: ['x', 'X_', 'Client_'] },
    { modules: ['a.d.json', 'a b.json', '"`.json'], want: ['a_d', 'a_b', '__'] },
  ])('of $modules', ({ modules, want }) => {
    const includes = modules.map((path) => `{ 'include': '${path}' }\n`).join('');
    const members = modules.map((_, index) => `'m${index}': 'S${index}'`).join(', ');
    const schema = schemaOf({
      'root.json': `${includes}{ 'struct': 'Root', 'data': { ${members} } }\n`,
      ...Object.fromEntries(modules.map((path, index) => [path, struct(`S${index}`)])),
    });
    const emitted = emit(schema);
    expect([...emitted.keys()]).toEqual(['root', ...want, 'client', 'index'].map((file) => `${file}.ts`));
    for (const [index, file] of want.entries()) {
      expect(emitted.get('root.ts')).toContain(`import { type S${index}, isS${index} } from './${file}.js';`);
      expect(emitted.get(`${file}.ts`)).toContain("import { type Root, isRoot } from './root.js';");
      expect(emitted.get('index.ts')).toContain(`export * from './${file}.js';`);
    }
  });
});

describe('names that clash', () => {
  const best = 'rename one of them in the schema, preferably a type, because types have no wire name';
  const struct = (name: string): string => `{ 'struct': '${name}', 'data': {} }`;
  const union = (branches: string): string =>
    `{ 'union': 'Foo', 'base': { 'on': 'On' }, 'discriminator': 'on', 'data': { ${branches} } }`;

  test.each([
    {
      what: 'two commands',
      schema: [`{ 'command': 'foo-bar' }`, `{ 'command': 'foo_bar' }`],
      want: `2:1: error: command 'foo_bar' and command 'foo-bar' both become the method 'fooBar': rename one of them in the schema
  { 'command': 'foo_bar' }
  ^
test.json:2: in command 'foo_bar'
test.json:1: the other definition is here`,
    },
    {
      what: 'a renamed command, and one with its new name',
      schema: [`{ 'command': 'then_' }`, `{ 'command': 'then' }`],
      want: `2:1: error: command 'then' and command 'then_' both become the method 'then_'`,
    },
    {
      what: 'arguments and a type',
      schema: [`{ 'command': 'foo', 'data': { 'x': 'str' } }`, struct('FooArguments')],
      want: `2:1: error: struct 'FooArguments' and the arguments of command 'foo' both become 'FooArguments' in TypeScript: ${best}
  { 'struct': 'FooArguments', 'data': {} }
  ^
test.json:2: in struct 'FooArguments'
test.json:1: the other definition is here`,
    },
    {
      what: 'data and a type',
      schema: [struct('FooBarEvent'), `{ 'event': 'FOO_BAR', 'data': { 'x': 'str' } }`],
      want: `2:1: error: the data of event 'FOO_BAR' and struct 'FooBarEvent' both become 'FooBarEvent' in TypeScript: ${best}`,
    },
    {
      what: 'arguments and arguments',
      schema: [`{ 'command': 'fooBar', 'data': { 'x': 'str' } }`, `{ 'command': 'foo-bar', 'data': { 'x': 'str' } }`],
      want: `2:1: error: the arguments of command 'foo-bar' and the arguments of command 'fooBar' both become 'FooBarArguments' in TypeScript`,
    },
    {
      what: 'a base and a type',
      schema: [`{ 'enum': 'On', 'data': [ 'a', 'b' ] }`, struct('FooBase'), union('')],
      want: `3:1: error: the base of union 'Foo' and struct 'FooBase' both become 'FooBase' in TypeScript: ${best}`,
    },
    {
      what: 'a branch and a type',
      schema: [
        `{ 'enum': 'On', 'data': [ 'a', 'b' ] }`,
        union(`'a': 'A'`),
        `{ 'struct': 'A', 'data': { 'x': 'str' } }`,
        struct('Foo_a'),
      ],
      want: `4:1: error: struct 'Foo_a' and branch 'a' of union 'Foo' both become 'Foo_a' in TypeScript: ${best}
  { 'struct': 'Foo_a', 'data': {} }
  ^
test.json:4: in struct 'Foo_a'
test.json:2: the other definition is here`,
    },
    {
      what: 'branches without members and a type',
      schema: [struct('Foo_empty'), `{ 'enum': 'On', 'data': [ 'a', 'b' ] }`, union('')],
      want: `3:1: error: branch 'empty' of union 'Foo' and struct 'Foo_empty' both become 'Foo_empty' in TypeScript: ${best}`,
    },
    {
      what: 'the enum of a union without a discriminator and a type',
      schema: [struct('FooKind'), `{ 'union': 'Foo', 'data': { 'a': 'str' } }`],
      want: `2:1: error: the branches of union 'Foo' and struct 'FooKind' both become 'FooKind' in TypeScript: ${best}`,
    },
    {
      what: 'types with vendor prefixes',
      schema: [struct('__org.qemu_Foo'), struct('__org-qemu_Foo')],
      want: `2:1: error: struct '__org-qemu_Foo' and struct '__org.qemu_Foo' both become '__org_qemu_Foo' in TypeScript: ${best}`,
    },
    {
      what: 'a renamed type, and one with its new name',
      schema: [struct('Client_'), struct('Client')],
      want: `2:1: error: struct 'Client' and struct 'Client_' both become 'Client_' in TypeScript: ${best}`,
    },
    {
      what: 'a branch and a branch of a branch',
      schema: [
        `{ 'enum': 'On', 'data': [ 'a', 'a-empty' ] }`,
        `{ 'enum': 'Off', 'data': [ 'b', 'c', 'd' ] }`,
        `{ 'struct': 'A', 'data': { 'x': 'str' } }`,
        `{ 'union': 'Inner', 'base': { 'off': 'Off' }, 'discriminator': 'off', 'data': { 'b': 'A' } }`,
        union(`'a': 'Inner', 'a-empty': 'A'`),
      ],
      want: `5:1: error: branch 'a-empty' of union 'Foo' and branch 'a.empty' of union 'Foo' both become 'Foo_a_empty' in TypeScript: ${best}`,
    },
  ])('$what', ({ schema, want }) => {
    const failing = (): unknown => emit(schemaOf(schema.join('\n')));
    expect(failing).toThrow(SchemaError);
    expect(failing).toThrow(`test.json:${want}`);
  });

  test('are reported before there are millions of branches', () => {
    const level = (index: number): string =>
      `{ 'union': 'Level${index}', 'base': { 'on${index}': 'On' }, 'discriminator': 'on${index}', 'data': { 'a': 'Level${index + 1}', 'b': 'Level${index + 1}' } }`;
    const schema = [
      `{ 'enum': 'On', 'data': [ 'a', 'b' ] }`,
      ...Array.from({ length: 40 }, (_, index) => level(index)),
      struct('Level40'),
    ];
    expect(() => emit(schemaOf(schema.join('\n')))).toThrow(
      "test.json:2:1: error: union 'Level0' has 549755813888 branches with nested unions expanded, more than the limit of 10000",
    );
  });

  test('are all reported', () => {
    const commands = ['a-b', 'a_b', 'c-d', 'c_d'].map((name) => `{ 'command': '${name}' }`);
    expect(() => emit(schemaOf(commands.join('\n')))).toThrow(
      expect.objectContaining({ diagnostics: expect.objectContaining({ length: 2 }) }),
    );
  });
});

test('no command hides a member of the client or of Object', () => {
  const members = [BaseClient.prototype, Object.prototype].flatMap((prototype) =>
    Object.getOwnPropertyNames(prototype),
  );
  const names = [...new Set(members)].filter((name) => /^[a-z]/iu.test(name));
  const client = emit(schemaOf(names.map((name) => `{ 'command': '${name}' }`).join('\n'))).get('client.ts');
  for (const name of names) expect(client).toContain(`  ${name}_<`);
});

function toJavaScript(text: string): string {
  const url = pathToFileURL(join(repository, 'runtime/dist/index.js')).href;
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
  });
  return outputText.replace("'@qapi-ts/runtime'", `'${url}'`);
}

function mapValues<T>(map: ReadonlyMap<string, string>, f: (value: string) => T): Map<string, T> {
  return new Map([...map].map(([key, value]) => [key, f(value)]));
}

/** Removes comments, whitespace, and the commas that depend on line breaks. */
function tokens(text: string): string {
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, true, ts.LanguageVariant.Standard, text);
  const found: string[] = [];
  while (scanner.scan() !== ts.SyntaxKind.EndOfFileToken) found.push(scanner.getTokenText());
  return found.join(' ').replaceAll(' , ]', ' ]');
}

function jsDocTags(text: string): string[] {
  const source = ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): string[] => [
    ...ts.getJSDocTags(node).map((tag) => tag.tagName.text),
    ...node.getChildren().flatMap(visit),
  ];
  return visit(source);
}
