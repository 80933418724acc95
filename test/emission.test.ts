/** No text of a schema becomes code, and every text of a schema comes back as it was. */

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import * as fc from 'fast-check';
import { ts } from 'ts-morph';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { formatCondition } from '../generator/src/condition.js';
import { code, docComment, identifier, join as joined, lineComment, propertyName } from '../generator/src/emit/code.js';
import { format, type Format } from '../generator/src/emit/format.js';
import { emitJsonSchemas } from '../generator/src/emit/json-schema.js';
import { Names } from '../generator/src/emit/names.js';
import { emitPackage } from '../generator/src/emit/package.js';
import { isEmpty } from '../generator/src/emit/union.js';
import { dialectOf, lenient } from '../generator/src/frontend/dialect.js';
import type { Command, Condition, Feature, Schema, StructType, Type } from '../generator/src/model.js';
import { repository } from './support/compile.js';
import { readEmitted, type Emitted, type Value } from './support/emitted.js';
import { schemaOf } from './support/schema.js';
import { schemas } from './support/schemas.js';

const asIs: Format = (text) => Promise.resolve(text);

async function emit(schema: Schema, form: Format, origin = 'hostile.json'): Promise<Map<string, Emitted>> {
  const files = await emitPackage(schema, { origin, generator: '0.0.0', docs: true, qemu: '10.2.2' }, form);
  return new Map([...files].map(([file, text]) => [file, readEmitted(text)]));
}

/** What the constants of the output must say, by their names; from the model, and not by the emitter. */
class Expectations {
  readonly constants = new Map<string, Value>();
  readonly #names: Names;

  constructor(schema: Schema) {
    this.#names = new Names(schema);
    for (const definition of schema.definitions.values()) {
      if (definition.kind === 'union') {
        const { base, discriminator, branches } = definition;
        if (discriminator.type.implicit === 'discriminator') this.#type(discriminator.type);
        if (base.implicit) this.#type(base);
        const described = branches.flatMap(({ name, type }): [string, Value][] =>
          type && !isEmpty(type) ? [[name, this.#validator(type)]] : [],
        );
        const args = [discriminator.name, { returns: [this.#validator(base), { members: new Map(described) }] }];
        this.constants.set(this.#names.validator(definition), { call: 'union', args });
      } else if (definition.kind === 'command' || definition.kind === 'event') {
        const data = definition.kind === 'command' ? definition.arguments : definition.data;
        if (data?.kind === 'struct' && data.implicit === 'arguments') this.#type(data);
      } else {
        this.#type(definition);
      }
    }
  }

  /** Of `validators` in the client. */
  client(schema: Schema): Value {
    const definitions = [...schema.definitions.values()];
    const commands = definitions.flatMap((definition): [string, Value][] =>
      definition.kind === 'command' ? [[definition.name, { members: new Map(this.#command(definition)) }]] : [],
    );
    const events = definitions.flatMap((definition): [string, Value][] =>
      definition.kind === 'event' ? [[definition.name, definition.data && this.#validator(definition.data)]] : [],
    );
    return { call: 'validatorsOf', args: [{ members: new Map(commands) }, { members: new Map(events) }] };
  }

  #command(command: Command): [string, Value][] {
    return [
      ...(command.arguments ? [['arguments', this.#validator(command.arguments)] as [string, Value]] : []),
      ...(command.returns ? [['result', this.#validator(command.returns)] as [string, Value]] : []),
      ...(command.gen ? [] : [['further', true] as [string, Value]]),
      ...notes(command),
    ];
  }

  #type(type: Exclude<Type, { kind: 'builtin' | 'array' | 'union' }>): void {
    const name = this.#names.validator(type);
    if (type.kind === 'struct') this.constants.set(name, this.#struct(type));
    else if (type.kind === 'alternate') {
      const alternatives = type.alternatives.map((one) => this.#validator(one.type));
      this.constants.set(name, { call: 'alternate', args: [{ returns: alternatives }] });
    } else {
      const list = this.#names.type(type);
      this.constants.set(
        list,
        type.values.map((value) => value.name),
      );
      const noted = type.values
        .map((value): [string, Value] => [value.name, { members: new Map(notes(value)) }])
        .filter((_, index) => notes(type.values[index] ?? { features: [] }).length > 0);
      const further = noted.length > 0 ? [{ members: new Map(noted) }] : [];
      this.constants.set(name, { call: 'enumeration', args: [{ ref: list }, ...further] });
    }
  }

  #struct({ members, base }: StructType): Value {
    const described = members.map((member): [string, Value] => {
      const type = this.#validator(member.type);
      const noted = notes(member);
      const value = noted.length === 0 ? type : { members: new Map([['type', type], ...noted]) };
      return [member.optional ? `${member.name}?` : member.name, value];
    });
    const bases = base ? [{ returns: this.#validator(base) }] : [];
    return { call: 'struct', args: [{ returns: { members: new Map(described) } }, ...bases] };
  }

  #validator(type: Type): Value {
    if (type.kind === 'builtin') return type.name;
    if (type.kind === 'array') return [this.#validator(type.element)];
    if (type.kind === 'struct' && type.implicit === 'wrapper') return this.#struct(type);
    return { ref: this.#names.validator(type) };
  }
}

function notes(part: { readonly features: readonly Feature[]; readonly condition?: Condition }): [string, Value][] {
  const has = (name: string): boolean => part.features.some((feature) => feature.name === name);
  return [
    ...['deprecated', 'unstable'].filter(has).map((name): [string, Value] => [name, true]),
    ...(part.condition ? [['if', formatCondition(part.condition)] as [string, Value]] : []),
  ];
}

function expectAllBack(schema: Schema, files: ReadonlyMap<string, Emitted>): void {
  const expected = new Expectations(schema);
  const { names, modules, client } = partsOf(schema, files);
  expect(new Map(modules.flatMap(({ constants }) => [...constants]))).toEqual(expected.constants);
  expect(client.constants.get('validators')).toEqual(expected.client(schema));

  const definitions = [...schema.definitions.values()];
  const commands = definitions.filter((definition) => definition.kind === 'command');
  const events = definitions.filter(({ kind }) => kind === 'event').map(({ name }) => name);
  expect([...(client.interfaces.get('Commands')?.keys() ?? [])]).toEqual(commands.map(({ name }) => name));
  expect([...(client.interfaces.get('Events')?.keys() ?? [])]).toEqual(events);
  expect(client.methods).toEqual(new Map(commands.map((command) => [names.method(command), command.name])));
  const silent = commands.filter(({ successResponse }) => !successResponse).map(({ name }) => name);
  const protocol = { handshake: 'greeting', qemu: '10.2.2', withoutReply: silent, validators: { ref: 'validators' } };
  expect(client.constants.get('protocol')).toEqual({ members: new Map(Object.entries(protocol)) });

  const interfaces = new Map(modules.flatMap((module) => [...module.interfaces]));
  for (const definition of definitions) {
    if (definition.kind === 'struct' && !isEmpty(definition)) {
      const properties = [...(interfaces.get(names.type(definition)) ?? [])];
      const want = definition.members.map(({ name, optional }) => [name, optional]);
      expect(properties.map(([name, { optional }]) => [name, optional])).toEqual(want);
    } else if (definition.kind === 'union') {
      const { name } = definition.discriminator;
      const tags = [...interfaces]
        .filter(([title]) => title.startsWith(`${names.type(definition)}_`))
        .flatMap(([, properties]) => properties.get(name)?.literals ?? []);
      expect(new Set(tags)).toEqual(new Set(definition.branches.map((branch) => branch.name)));
    }
  }
}

/** Beside that, no import but of what is there. */
function partsOf(
  schema: Schema,
  files: ReadonlyMap<string, Emitted>,
): { names: Names; modules: Emitted[]; client: Emitted } {
  const specifiers = new Set([
    '@qapi-ts/runtime',
    ...[...files.keys()].map((file) => `./${file.replace(/ts$/u, 'js')}`),
  ]);
  for (const { imports, exports } of files.values()) {
    for (const from of [...imports.keys(), ...exports]) expect(specifiers).toContain(from);
  }
  const modules = [...files].flatMap(([file, emitted]) => (/^(?:client|index)\.ts$/u.test(file) ? [] : [emitted]));
  const client = files.get('client.ts');
  if (!client) throw new Error('there is no client');
  return { names: new Names(schema), modules, client };
}

describe.each(['5.2', '6.0', '6.2', '7.2', '8.2', '9.2', '10.2', 'any'])('schemas of dialect %s', (version) => {
  const dialect = version === 'any' ? lenient : dialectOf(version);

  test.each([
    { form: asIs, what: 'as it is written', numRuns: 30 },
    { form: format, what: 'formatted', numRuns: 3 },
  ])('are data in what is generated, $what', { timeout: 60_000 }, async ({ form, numRuns }) => {
    await fc.assert(
      fc.asyncProperty(schemas(dialect), async ({ text, words }) => {
        const schema = schemaOf(text, version === 'any' ? undefined : version);
        const files = await emit(schema, form);
        expectAllBack(schema, files);
        const comments = [...files.values()].flatMap((file) => file.comments).join('\n');
        for (const word of words) expect(comments).toContain(word);
        for (const json of emitJsonSchemas(schema, { origin: '', generator: '' }).values()) JSON.parse(json);
      }),
      { numRuns },
    );
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

  test('makes literals of texts, which come back equal, formatted or not', async () => {
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const written = String(code`x = ${text};`);
        expect(written).toMatch(/^[ -~]*$/u);
        expect(written).not.toMatch(/<\/script|<!--/iu);
        for (const output of [written, await format(written)]) {
          const [statement] = parse(output).statements;
          const expression = statement && ts.isExpressionStatement(statement) ? statement.expression : undefined;
          const right = expression && ts.isBinaryExpression(expression) ? expression.right : undefined;
          expect(right && ts.isStringLiteral(right) && right.text).toBe(text);
        }
      }),
    );
  });

  test('makes names of members of any texts', () => {
    fc.assert(
      fc.property(fc.oneof(texts, fc.constantFrom('__proto__', 'constructor', 'a-b', 'class', '1')), (text) => {
        // oxlint-disable-next-line typescript/no-implied-eval -- what the code says is what counts
        const object = new Function(String(code`return { ${propertyName(text)}: 1 }`))() as object;
        expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
        expect(Object.keys(object)).toEqual([text]);
      }),
    );
  });

  test('refuses what is no identifier', () => {
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

  test('makes one comment of any text', () => {
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

  test('takes no string for code', () => {
    // @ts-expect-error -- a string is not code
    expect(() => joined(['a'], ', ')).not.toThrow();
    // @ts-expect-error -- nor is what looks like code
    const looksAlike: ReturnType<typeof identifier> = { toString: () => 'evil()' };
    expect(() => code`${looksAlike}`).toThrow(TypeError);
  });
});

describe('what has been tried', () => {
  const run = promisify(execFile);
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'qapi-ts-emission-'));
    mkdirSync(join(folder, 'node_modules/@qapi-ts/runtime'), { recursive: true });
    // What generated code calls, so that importing it needs no other package.
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
      what: 'a condition that ends a literal, and one that is code',
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
      what: 'a file name of a directive',
      file: '# sourceMappingURL=x\n@ts-nocheck.json',
      text: struct(`'a': 'str'`),
      conditions: [],
    },
    {
      what: 'a file name of lines',
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
      // Of the runtime, the index exports more than the stub has.
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
