/** Verifies that generated code contains all text of a schema, and only as data. */

import fc from 'fast-check';
import { expect } from 'vitest';

import { formatCondition } from '../../generator/src/condition.js';
import { diff } from '../../generator/src/diff/compare.js';
import { wireOf, wireOfIntrospection } from '../../generator/src/diff/wire.js';
import { emitJsonSchemas } from '../../generator/src/emit/json-schema.js';
import { Names } from '../../generator/src/emit/names.js';
import { emitPackage } from '../../generator/src/emit/package.js';
import { dialectOf, lenient } from '../../generator/src/frontend/dialect.js';
import { introspect } from '../../generator/src/introspect.js';
import {
  isEmpty,
  type Command,
  type Condition,
  type Definition,
  type Feature,
  type ObjectType,
  type Schema,
  type StructType,
  type Type,
} from '../../generator/src/model.js';
import { visible } from '../../generator/src/visible.js';
import { readEmitted, type Emitted, type Value } from './emitted.js';
import { schemaOf } from './schema.js';
import { prefixMark, schemas, type SchemaFiles } from './schemas.js';

/** The lenient dialect, and versions between which the rules changed. */
export const dialects = ['5.2', '6.0', '6.2', '7.2', '8.2', '9.2', '10.2', '11.1', 'any'];

/** @throws Error if the output contains more than declarations and data */
function emit(schema: Schema, origin: string): Map<string, Emitted> {
  const files = emitPackage(schema, { origin, generator: '0.0.0', docs: true, qemu: '10.2.2' });
  return new Map([...files].map(([file, text]) => [file, readEmitted(text)]));
}

/** Returns the expected constants of the output by name, computed from the model without the emitter. */
class Expectations {
  readonly constants = new Map<string, Value>();
  readonly #names: Names;

  constructor(names: Names, definitions: Iterable<Definition>) {
    this.#names = names;
    for (const definition of definitions) {
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

  /** Returns the expected value of `validators` in the client. */
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
      const own = this.#names.type(type);
      this.constants.set(own, { members: new Map(type.values.map((value) => [value.name, value.name])) });
      const noted = type.values
        .map((value): [string, Value] => [value.name, { members: new Map(notes(value)) }])
        .filter((_, index) => notes(type.values[index] ?? { features: [] }).length > 0);
      const further = noted.length > 0 ? [{ members: new Map(noted) }] : [];
      this.constants.set(name, { call: 'enumeration', args: [{ ref: own }, ...further] });
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
  const { modules, client } = partsOf(files);
  const names = new Names(schema);
  const constants = schema.modules.flatMap((module) => {
    const expected = new Expectations(names, module.definitions).constants;
    return expected.size === 0 ? [] : [[module.name.replaceAll(/[^\w-]/gu, '_').replace(/_+$/u, ''), expected]];
  });
  // Names that clash get a trailing `_`.
  expect([...modules].map(([file, emitted]) => [file.replace(/_*\.ts$/u, ''), emitted.constants])).toEqual(constants);
  expect(client.constants.get('validators')).toEqual(new Expectations(names, []).client(schema));

  const definitions = [...schema.definitions.values()];
  const commands = definitions.filter((definition) => definition.kind === 'command');
  const events = definitions.filter(({ kind }) => kind === 'event').map(({ name }) => name);
  expect([...(client.interfaces.get('Commands')?.keys() ?? [])]).toEqual(commands.map(({ name }) => name));
  expect([...(client.interfaces.get('Events')?.keys() ?? [])]).toEqual(events);
  expect(client.methods).toEqual(new Map(commands.map((command) => [names.method(command), command.name])));
  const silent = commands.filter(({ successResponse }) => !successResponse).map(({ name }) => name);
  const protocol = { handshake: 'greeting', qemu: '10.2.2', withoutReply: silent, validators: { ref: 'validators' } };
  expect(client.constants.get('protocol')).toEqual({ members: new Map(Object.entries(protocol)) });

  const interfaces = new Map([...modules.values()].flatMap((module) => [...module.interfaces]));
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
  expectRemarks(schema, commentsOf(files));
}

type Remarkable = { readonly features?: readonly Feature[]; readonly condition?: Condition };

/** Returns the parts of a definition that get a comment of their own, or a line in one. */
function remarkable(definition: Definition): readonly Remarkable[] {
  const members = (type: ObjectType | undefined): readonly Remarkable[] =>
    type?.kind === 'struct' && type.implicit ? type.members : [];
  switch (definition.kind) {
    case 'enum':
      return [definition, ...definition.values];
    case 'struct':
      return [definition, ...definition.members];
    case 'union':
      return [definition, ...members(definition.base), ...definition.branches];
    case 'alternate':
      return [definition, ...definition.alternatives];
    case 'command':
      return [definition, ...members(definition.arguments)];
    case 'event':
      return [definition, ...members(definition.data)];
  }
}

/** Expects a remark for each condition and feature. */
function expectRemarks(schema: Schema, comments: string): void {
  const written = essence(comments);
  const parts = [...schema.definitions.values()].flatMap(remarkable);
  const features = parts.flatMap((part) => part.features ?? []);
  const conditions = [...parts, ...features].flatMap(({ condition }) =>
    condition ? [essence(`Only in builds with ${visible(formatCondition(condition))}.`)] : [],
  );
  for (const [text, count] of counted(conditions))
    expect(occurrences(written, text), text).toBeGreaterThanOrEqual(count);
  const named = features.map(({ name }) => featureRemarks.get(name) ?? `- \`${name}\``);
  for (const [text, count] of counted(named)) expect(occurrences(comments, text), text).toBeGreaterThanOrEqual(count);
}

const featureRemarks: ReadonlyMap<string, string> = new Map([
  ['deprecated', '@deprecated'],
  ['unstable', '@experimental'],
]);

function counted(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}

/** Returns the text of all comments, without the asterisks at the beginning of lines. */
function commentsOf(files: ReadonlyMap<string, Emitted>): string {
  return [...files.values()]
    .flatMap(({ comments }) => comments)
    .map((comment) => comment.replaceAll(/\n[ \t]*\* ?/gu, '\n'))
    .join('\n');
}

/** Removes what conversion to Markdown changes: whitespace, escapes, code spans and marks of references. */
function essence(text: string): string {
  return text
    .replaceAll('&#96;', '')
    .replaceAll(/[\s\\`@]/gu, '')
    .replaceAll(/::+/gu, ':');
}

/** Expects that all imports exist, and that nothing is declared twice. */
function partsOf(files: ReadonlyMap<string, Emitted>): { modules: Map<string, Emitted>; client: Emitted } {
  const modules = new Map(files);
  const [client, index] = ['client.ts', 'index.ts'].map((file) => {
    const emitted = files.get(file);
    modules.delete(file);
    return emitted;
  });
  if (!client || !index) throw new Error('the client or the index is missing');
  for (const file of files.keys()) expect(file).toMatch(/^[\w-]+\.ts$/u);
  expect(new Set([...files.keys()].map((file) => file.toLowerCase())).size).toBe(files.size);

  const declared = new Map([...files].map(([file, emitted]) => [`./${file.replace(/ts$/u, 'js')}`, namesIn(emitted)]));
  for (const { imports } of files.values()) {
    for (const [from, names] of imports) {
      if (from !== '@qapi-ts/runtime') expect([...(declared.get(from) ?? [])]).toEqual(expect.arrayContaining(names));
    }
  }
  declared.delete('./index.js');
  expect(index.exports.toSorted()).toEqual([...declared.keys(), '@qapi-ts/runtime'].toSorted());
  // The index exports everything from each module.
  const all = [...declared.values()].flatMap((names) => [...names]);
  expect(all.length).toBe(new Set(all).size);
  return { modules, client };
}

function namesIn({ constants, interfaces, aliases }: Emitted): Set<string> {
  return new Set([...constants.keys(), ...interfaces.keys(), ...aliases.keys()]);
}

/**
 * Expects that the output contains the whole schema as data, and that other readers of schemas accept it, too.
 *
 * @throws SchemaError if the schema cannot be emitted
 */
export function holdsAsData(schema: Schema, origin: string): Map<string, Emitted> {
  const files = emit(schema, origin);
  expectAllBack(schema, files);
  const from = essence(visible(origin));
  for (const { comments } of files.values()) expect(essence(comments[0] ?? '')).toContain(from);
  for (const [file, text] of emitJsonSchemas(schema, { origin, generator: '' })) {
    expect(file).toMatch(/^[\w.-]+\.json$/u);
    expect(text).not.toContain(prefixMark);
    expect(essence((JSON.parse(text) as { $comment: string }).$comment)).toContain(from);
  }
  // The prefix of C constants is not emitted.
  for (const { text } of files.values()) expect(text).not.toContain(prefixMark);

  const wire = wireOf(schema);
  expect(diff(wire, wire)).toEqual([]);
  const infos = introspect(schema, () => true);
  // An introspection without commands is rejected.
  if (wire.commands.size > 0) wireOfIntrospection(JSON.parse(JSON.stringify(infos)));
  return files;
}

/** A property: schemas with hostile text are emitted as data. */
export function schemasAreData(versions: readonly string[]): fc.IProperty<unknown> {
  const ofVersion = (version: string): fc.Arbitrary<readonly [version: string | undefined, schema: SchemaFiles]> =>
    version === 'any'
      ? schemas(lenient).map((schema) => [undefined, schema])
      : schemas(dialectOf(version)).map((schema) => [version, schema]);
  return fc.property(fc.oneof(...versions.map(ofVersion)), ([version, { files, origin, sentences }]) => {
    const emitted = holdsAsData(schemaOf(files, version), origin);
    const comments = essence(commentsOf(emitted));
    // Markdown has no NUL, and a line without letters may underline the previous one.
    const lines = sentences.flatMap((sentence) => sentence.replaceAll('\0', '\uFFFD').split(/[\u2028\u2029]/u));
    for (const line of lines.filter((text) => /[a-z]/u.test(text))) {
      expect(comments).toContain(essence(visible(line.replaceAll(/\s/gu, ' '))));
    }
  });
}
