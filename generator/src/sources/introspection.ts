/** Reads introspections: results of `query-qmp-schema`. A file or a server may contain anything. */

import { FileError } from '../errors.js';
import { maxAllLeaves, maxLeaves } from '../leaves.js';
import {
  isEmpty,
  isObjectType,
  type AlternateType,
  type ArrayType,
  type Branch,
  type BuiltinName,
  type BuiltinType,
  type Command,
  type EnumType,
  type EnumValue,
  type Event,
  type Feature,
  type Member,
  type Mutable,
  type ObjectType,
  type Schema,
  type StructType,
  type Type,
  type UnionType,
} from '../model.js';
import { kindOf } from '../model/pairs.js';

/**
 * Reads an introspection. In the result, the names of types are the numbers that mask them, there are no bases, all integers
 * are `int`, and what introspection does not show, such as `gen`, is as in most schemas.
 *
 * @param infos the result of `query-qmp-schema`, unchecked
 * @throws FileError if it is malformed
 */
export function readIntrospection(infos: unknown): Schema {
  return new IntrospectionReader().read(infos);
}

const builtinsOf: Readonly<Record<string, BuiltinName>> = {
  string: 'str',
  number: 'number',
  int: 'int',
  boolean: 'bool',
  value: 'any',
  null: 'null',
};

const maxDepth = 100;

const origin = { module: 'introspection', position: { file: 'introspection', line: 1, column: 1 } } as const;

/** What is not a command or event. */
type Shell =
  BuiltinType | Mutable<ArrayType> | EnumType | Mutable<StructType> | Mutable<UnionType> | Mutable<AlternateType>;

class IntrospectionReader {
  /** All types by name, at first without references to other types. */
  readonly #types = new Map<string, Shell>();
  /** The number of combinations of branches of each object. */
  readonly #leaves = new Map<ObjectType, number>();
  /** The types of members, elements and alternatives, which are never absent. */
  readonly #present = new Set<Type>();

  read(infos: unknown): Schema {
    if (!Array.isArray(infos)) throw malformed('it is not an array');
    const entries = infos.map((info, index) => new InfoReader(info, `entry ${index + 1}`, 'name'));
    for (const entry of entries) this.#declare(entry);
    const definitions = new Map<string, Mutable<Command> | Mutable<Event>>();
    for (const entry of entries) {
      if (entry.metaType === 'command') add(definitions, entry, this.#command(entry));
      else if (entry.metaType === 'event') add(definitions, entry, this.#event(entry));
      else this.#fill(entry);
    }
    let all = 0;
    for (const entry of entries) {
      if (entry.metaType !== 'object') continue;
      const object = this.#object(entry, entry.name);
      const own = this.#countLeaves(entry, object, 0);
      if (object.kind === 'union') all += own;
      if (all > maxAllLeaves) throw entry.error('all objects together have too many nested branches');
    }
    const entryPoints = [...definitions.values()];
    if (!entryPoints.some(({ kind }) => kind === 'command')) throw malformed('it has no commands');
    this.#removeAbsent(entryPoints);
    return { modules: [{ name: origin.module, path: '', definitions: entryPoints }], digest: '', definitions };
  }

  #declare(entry: InfoReader): void {
    const { metaType, name } = entry;
    if (metaType === 'command' || metaType === 'event') return;
    const shell = shellOf(entry);
    if (this.#types.has(name)) throw entry.error('another type has the same name');
    this.#types.set(name, shell);
  }

  #command(entry: InfoReader): Mutable<Command> {
    return {
      kind: 'command',
      name: entry.wireName,
      ...origin,
      features: entry.features(),
      arguments: this.#object(entry, entry.string('arg-type')),
      returns: this.#type(entry, entry.string('ret-type')),
      boxed: false,
      gen: true,
      successResponse: true,
      allowOob: entry.flag('allow-oob'),
      allowPreconfig: false,
      coroutine: false,
    };
  }

  #event(entry: InfoReader): Mutable<Event> {
    const data = this.#object(entry, entry.string('arg-type'));
    return { kind: 'event', name: entry.wireName, ...origin, features: entry.features(), data, boxed: false };
  }

  /** Adds the references to other types. */
  #fill(entry: InfoReader): void {
    const type = this.#types.get(entry.name);
    switch (type?.kind) {
      case undefined:
      case 'builtin':
      case 'enum':
        break;
      case 'array': {
        const element = this.#presentType(entry, entry.string('element-type'));
        if (element.kind === 'array') throw entry.error('an array cannot contain an array');
        type.element = element;
        break;
      }
      case 'alternate':
        type.alternatives = entry.list('members').map((member) => {
          const inner = this.#presentType(member, member.string('type'));
          if (inner.kind === 'alternate') throw member.error('an alternate cannot contain an alternate');
          return { name: kindOf(inner), type: inner };
        });
        break;
      case 'struct':
        type.members = this.#members(entry);
        break;
      case 'union':
        this.#fillUnion(entry, type);
        break;
    }
  }

  #members(entry: InfoReader): Member[] {
    const members = new Map<string, Member>();
    for (const member of entry.list('members', 'name')) {
      add(members, member, {
        name: member.wireName,
        type: this.#presentType(member, member.string('type')),
        optional: member.has('default'),
        features: member.features(),
      });
    }
    return [...members.values()];
  }

  #fillUnion(entry: InfoReader, union: Mutable<UnionType>): void {
    const members = this.#members(entry);
    const tag = entry.string('tag');
    const discriminator = members.find(({ name }) => name === tag);
    const type = discriminator?.type;
    if (!discriminator || type?.kind !== 'enum') {
      throw entry.error(`the tag '${tag}' is not a member with an enum type`);
    }
    const branches = new Map<string, Branch>();
    for (const variant of entry.list('variants', 'case')) {
      if (!type.values.some(({ name }) => name === variant.name))
        throw variant.error(`not a value of the tag '${tag}'`);
      add(branches, variant, { name: variant.name, type: this.#object(variant, variant.string('type')) });
    }
    union.base = { kind: 'struct', name: union.name, ...origin, features: [], members, implicit: 'base' };
    union.discriminator = { ...discriminator, type };
    union.branches = [...branches.values()];
  }

  /**
   * Refuses objects that are nested within their own branches, and those whose nested branches multiply beyond what can be
   * compared.
   */
  #countLeaves(entry: InfoReader, object: ObjectType, depth: number): number {
    const known = this.#leaves.get(object);
    if (known !== undefined) return known;
    if (depth > maxDepth) throw entry.error('branches are nested too deeply');
    let leaves = 0;
    for (const { type } of object.kind === 'union' ? object.branches : []) {
      leaves += type ? this.#countLeaves(entry, type, depth + 1) : 1;
    }
    if (leaves > maxLeaves) throw entry.error('too many nested branches');
    this.#leaves.set(object, Math.max(1, leaves));
    return Math.max(1, leaves);
  }

  /**
   * Removes arguments, data, results and branches that the schema does not have. Their type is an object without members,
   * which a schema can define, too: then it is the one that is used most.
   */
  #removeAbsent(definitions: readonly (Mutable<Command> | Mutable<Event>)[]): void {
    const uses = new Map<Type, number>();
    const use = (type: Type | undefined): void => {
      if (type?.kind !== 'struct' || !isEmpty(type) || type.features.length > 0 || this.#present.has(type)) return;
      uses.set(type, (uses.get(type) ?? 0) + 1);
    };
    const unions = [...this.#types.values()].filter((type) => type.kind === 'union');
    for (const definition of definitions) for (const type of typesOf(definition)) use(type);
    for (const { branches } of unions) for (const { type } of branches) use(type);
    const [[absent] = []] = [...uses].toSorted(([, a], [, b]) => b - a);
    if (!absent) return;
    for (const definition of definitions) {
      if (definition.kind === 'event') {
        if (definition.data === absent) delete definition.data;
        continue;
      }
      if (definition.arguments === absent) delete definition.arguments;
      if (definition.returns === absent) delete definition.returns;
    }
    for (const union of unions) {
      union.branches = union.branches.map(({ name, type }) => (type && type !== absent ? { name, type } : { name }));
    }
  }

  #object(from: InfoReader, name: string): ObjectType {
    const type = this.#type(from, name);
    if (!isObjectType(type)) throw from.error(`type '${name}' is not an object`);
    return type;
  }

  #presentType(from: InfoReader, name: string): Type {
    const type = this.#type(from, name);
    this.#present.add(type);
    return type;
  }

  #type(from: InfoReader, name: string): Type {
    const type = this.#types.get(name);
    if (!type) throw from.error(`unknown type '${name}'`);
    return type;
  }
}

function typesOf(definition: Command | Event): (Type | undefined)[] {
  return definition.kind === 'event' ? [definition.data] : [definition.arguments, definition.returns];
}

// What shells contain until they are filled.
const unknownType: BuiltinType = { kind: 'builtin', name: 'any' };
const unknownDiscriminator: UnionType['discriminator'] = {
  name: '',
  type: { kind: 'enum', name: '', ...origin, features: [], values: [] },
  optional: false,
  features: [],
};

function shellOf(entry: InfoReader): Shell {
  const { metaType, name } = entry;
  const named = (): Pick<EnumType, 'name' | 'module' | 'position' | 'features'> => ({
    name,
    ...origin,
    features: entry.features(),
  });
  switch (metaType) {
    case 'builtin': {
      const jsonType = entry.string('json-type');
      const builtin = Object.hasOwn(builtinsOf, jsonType) ? builtinsOf[jsonType] : undefined;
      if (builtin === undefined) throw entry.error(`unknown json-type '${jsonType}'`);
      return { kind: 'builtin', name: builtin };
    }
    case 'array':
      return { kind: 'array', element: unknownType };
    case 'enum':
      return { kind: 'enum', ...named(), values: valuesOf(entry) };
    case 'object': {
      const struct: StructType = { kind: 'struct', ...named(), members: [] };
      return entry.has('tag') || entry.has('variants')
        ? { kind: 'union', ...named(), base: struct, discriminator: unknownDiscriminator, branches: [] }
        : struct;
    }
    case 'alternate':
      return { kind: 'alternate', ...named(), alternatives: [] };
    default:
      throw entry.error(`unknown meta-type '${metaType}'`);
  }
}

function valuesOf(entry: InfoReader): EnumValue[] {
  const values = new Map<string, EnumValue>();
  if (entry.has('members')) {
    for (const value of entry.list('members', 'name')) {
      add(values, value, { name: value.checked(value.name, valueName), features: value.features() });
    }
    return [...values.values()];
  }
  // Before QEMU 6.2, there were only names.
  return [...new Set(entry.strings('values'))].map((name) => ({ name: entry.checked(name, valueName), features: [] }));
}

function add<T>(map: Map<string, T>, entry: InfoReader, value: T): void {
  if (map.has(entry.name)) throw entry.error('duplicate name');
  map.set(entry.name, value);
}

// Names become identifiers in generated code. QAPI has these rules, too.
export const wireName = /^(?:__[a-z0-9.-]+_)?[a-z][a-z0-9_-]*$/iu;
const valueName = /^(?:__[a-z0-9.-]+_)?[a-z0-9][a-z0-9_-]*$/iu;

type JsonObject = Readonly<Record<string, unknown>>;

/** An object in an introspection, which may have any content. */
class InfoReader {
  readonly #info: JsonObject;
  readonly #title: string;
  readonly name: string;

  /**
   * @param title the term for the object in messages
   * @param nameKey the key of the object's name, if it has one
   */
  constructor(info: unknown, title: string, nameKey?: string) {
    this.#title = title;
    if (typeof info !== 'object' || info === null || Array.isArray(info)) throw this.error('must be an object');
    this.#info = info as JsonObject;
    this.name = nameKey === undefined ? '' : this.string(nameKey);
  }

  get title(): string {
    // There is no name yet if the name itself is invalid.
    return this.name ? `${this.#title} ('${this.name}')` : this.#title;
  }

  /** The name, if it is that of a command, event or member. */
  get wireName(): string {
    return this.checked(this.name, wireName);
  }

  get metaType(): string {
    return this.string('meta-type');
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#info, key);
  }

  string(key: string): string {
    const value = this.#value(key);
    if (typeof value !== 'string') throw this.error(`'${key}' must be a string`);
    return value;
  }

  flag(key: string): boolean {
    const value = this.#value(key) ?? false;
    if (typeof value !== 'boolean') throw this.error(`'${key}' must be true or false`);
    return value;
  }

  strings(key: string): string[] {
    const values = this.#array(key);
    if (!values.every((value) => typeof value === 'string')) throw this.error(`'${key}' must be an array of strings`);
    return values;
  }

  features(): Feature[] {
    if (!this.has('features')) return [];
    return [...new Set(this.strings('features'))].map((name) => ({ name: this.checked(name, wireName) }));
  }

  /** @param nameKey the key of the elements' names, if they have names */
  list(key: string, nameKey?: string): InfoReader[] {
    return this.#array(key).map((info, index) => new InfoReader(info, `${this.title}: ${key} ${index + 1}`, nameKey));
  }

  checked(name: string, pattern: RegExp): string {
    if (!pattern.test(name)) throw this.error(`'${name}' is not a valid name`);
    return name;
  }

  error(message: string): FileError {
    return malformed(`${this.title}: ${message}`);
  }

  #array(key: string): unknown[] {
    const value = this.#value(key);
    if (!Array.isArray(value)) throw this.error(`'${key}' must be an array`);
    return value;
  }

  #value(key: string): unknown {
    return this.has(key) ? this.#info[key] : undefined;
  }
}

function malformed(message: string): FileError {
  return new FileError(`the introspection is malformed: ${message}`);
}
