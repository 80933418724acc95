/** What generated code holds of a schema: all its texts, and nothing but data. */

import fc from 'fast-check';
import { expect } from 'vitest';

import { formatCondition } from '../../generator/src/condition.js';
import type { Format } from '../../generator/src/emit/format.js';
import { emitJsonSchemas } from '../../generator/src/emit/json-schema.js';
import { Names } from '../../generator/src/emit/names.js';
import { emitPackage } from '../../generator/src/emit/package.js';
import { isEmpty } from '../../generator/src/emit/union.js';
import { dialectOf, lenient } from '../../generator/src/frontend/dialect.js';
import type { Command, Condition, Feature, Schema, StructType, Type } from '../../generator/src/model.js';
import { readEmitted, type Emitted, type Value } from './emitted.js';
import { schemaOf } from './schema.js';
import { schemas, type SchemaText } from './schemas.js';

/** Versions between which the rules changed, and the lenient dialect. */
export const dialects = ['5.2', '6.0', '6.2', '7.2', '8.2', '9.2', '10.2', 'any'];

export const asIs: Format = (text) => Promise.resolve(text);

/** @throws Error when the output is more than declarations and data */
export async function emit(schema: Schema, form: Format, origin = 'hostile.json'): Promise<Map<string, Emitted>> {
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

/** Schemas of some dialects, with all that their texts could do, come out as data. */
export function schemasAreData(versions: readonly string[], form: Format): fc.IAsyncProperty<unknown> {
  const ofVersion = (version: string): fc.Arbitrary<readonly [version: string | undefined, schema: SchemaText]> =>
    version === 'any'
      ? schemas(lenient).map((schema) => [undefined, schema])
      : schemas(dialectOf(version)).map((schema) => [version, schema]);
  return fc.asyncProperty(fc.oneof(...versions.map(ofVersion)), async ([version, { text, words }]) => {
    const schema = schemaOf(text, version);
    const files = await emit(schema, form);
    expectAllBack(schema, files);
    const comments = [...files.values()].flatMap((file) => file.comments).join('\n');
    for (const word of words) expect(comments).toContain(word);
    for (const json of emitJsonSchemas(schema, { origin: '', generator: '' }).values()) JSON.parse(json);
  });
}
