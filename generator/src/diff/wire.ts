/**
 * A schema as a client sees it: commands, events, and the structure of their arguments, results and data. It is made
 * from the model or from introspection, which contains less.
 *
 * Members of a base are listed in every type with that base. Absent arguments, results and branches are empty objects.
 * Unreachable types, the features of bases, and the conditions of types are omitted: a use of a type has the type's
 * condition.
 */

import { kindOfBuiltin, type JsonKind } from '../builtins.js';
import { FileError } from '../errors.js';
import { maxAllLeaves, maxLeaves, refuseLeaves } from '../leaves.js';
import {
  takesFurtherArguments,
  type AlternateType,
  type BuiltinName,
  type Command,
  type Condition,
  type EnumValue,
  type Event,
  type Feature,
  type Mutable,
  type NamedType,
  type ObjectType,
  type Schema,
  type Type,
} from '../model.js';
import { optional } from '../optional.js';

export interface WireSchema {
  /**
   * Whether this is made from introspection. Then all integers are `int`, there are no conditions (what a build lacks
   * is missing), and `furtherArguments`, `replies` and `preconfig` are unknown.
   */
  readonly isIntrospection: boolean;
  /** By wire name, in the order of the schema. */
  readonly commands: ReadonlyMap<string, WireCommand>;
  readonly events: ReadonlyMap<string, WireEvent>;
}

export interface Marked {
  readonly condition?: Condition;
  readonly features: readonly Feature[];
}

export interface WireCommand extends Marked {
  readonly name: string;
  readonly arguments: WireObject;
  readonly result: WireType;
  /** Whether the command can be called out of band. */
  readonly oob: boolean;
  /** Whether the command takes arguments that are not in the schema. */
  readonly furtherArguments: boolean;
  /** Whether the command sends a reply on success. */
  readonly replies: boolean;
  /** Whether the command can be called before the machine is created, if the server was started with `-preconfig`. */
  readonly preconfig: boolean;
}

export interface WireEvent extends Marked {
  readonly name: string;
  readonly data: WireObject;
}

export type WireType = WireBuiltin | WireArray | WireEnum | WireObject | WireAlternate;

interface WireBuiltin {
  readonly kind: 'builtin';
  readonly name: BuiltinName;
}

interface WireArray {
  readonly kind: 'array';
  readonly element: WireType;
}

interface WireNamed {
  /** Not part of the protocol. A number in introspection; absent for an implicit type. */
  readonly name?: string;
  readonly features: readonly Feature[];
}

export interface WireEnum extends WireNamed {
  readonly kind: 'enum';
  readonly values: ReadonlyMap<string, Marked>;
}

/** A struct or a union. */
export interface WireObject extends WireNamed {
  readonly kind: 'object';
  /** By name. Members of bases come first. */
  readonly members: ReadonlyMap<string, WireMember>;
  readonly discriminator?: string;
  /** By discriminator value. */
  readonly branches: ReadonlyMap<string, WireBranch>;
}

export interface WireMember extends Marked {
  readonly name: string;
  readonly type: WireType;
  readonly optional: boolean;
  /** The type that defines the member, which may be a base. */
  readonly owner: WireObject;
}

export interface WireBranch {
  readonly type: WireObject;
  readonly condition?: Condition;
}

export interface WireAlternate extends WireNamed {
  readonly kind: 'alternate';
  readonly alternatives: readonly WireAlternative[];
}

export type PlainType = Exclude<WireType, WireAlternate>;

export interface WireAlternative {
  readonly type: PlainType;
  readonly condition?: Condition;
}

export function jsonKind(type: PlainType): JsonKind {
  if (type.kind === 'builtin') return kindOfBuiltin(type.name);
  return type.kind === 'enum' ? 'string' : type.kind;
}

/** Returns alternatives by JSON kind. A type that is not an alternate is its own only alternative. */
export function alternativesOf(type: WireType): Map<JsonKind, WireAlternative> {
  const alternatives = type.kind === 'alternate' ? type.alternatives : [{ type }];
  return new Map(alternatives.map((alternative) => [jsonKind(alternative.type), alternative]));
}

/** An absent type: no arguments, no result, or a branch without members. */
export const empty: WireObject = { kind: 'object', features: [], members: new Map(), branches: new Map() };

export function isEmpty(type: WireType): boolean {
  return type.kind === 'object' && type.members.size === 0 && type.branches.size === 0;
}

/**
 * Converts the model.
 *
 * @throws SchemaError if nested unions have too many branches
 */
export function wireOf(schema: Schema): WireSchema {
  refuseLeaves(schema);
  const types = new ModelTypes();
  const commands = new Map<string, WireCommand>();
  const events = new Map<string, WireEvent>();
  for (const definition of schema.definitions.values()) {
    if (definition.kind === 'command') commands.set(definition.name, commandOf(definition, types));
    if (definition.kind === 'event') events.set(definition.name, eventOf(definition, types));
  }
  types.fill();
  return { isIntrospection: false, commands, events };
}

function commandOf(command: Command, types: ModelTypes): WireCommand {
  return {
    name: command.name,
    ...optional('condition', command.condition),
    features: command.features,
    arguments: command.arguments ? types.object(command.arguments) : empty,
    result: command.returns ? types.type(command.returns) : empty,
    oob: command.allowOob,
    furtherArguments: takesFurtherArguments(command),
    replies: command.successResponse,
    preconfig: command.allowPreconfig,
  };
}

function eventOf(event: Event, types: ModelTypes): WireEvent {
  return {
    name: event.name,
    ...optional('condition', event.condition),
    features: event.features,
    data: event.data ? types.object(event.data) : empty,
  };
}

/**
 * Converts each type of the model once. Types are created first, and filled with references to other types later,
 * because they may be recursive, and chains of members may be longer than the stack is deep.
 */
class ModelTypes {
  readonly #known = new Map<Type, WireType>();
  /** The types that are not yet filled. */
  readonly #open = new Set<ObjectType | AlternateType>();

  type(type: Type): WireType {
    switch (type.kind) {
      case 'builtin':
        return type;
      case 'array':
        return { kind: 'array', element: this.type(type.element) };
      case 'struct':
      case 'union':
        return this.object(type);
      case 'enum':
        return this.#once(type, () => {
          const marks = ({ condition, features }: EnumValue): Marked => ({
            ...optional('condition', condition),
            features,
          });
          const values = new Map(type.values.map((value) => [value.name, marks(value)]));
          return { kind: 'enum', ...nameOf(type), features: type.features, values };
        });
      case 'alternate':
        return this.#once(type, () => {
          this.#open.add(type);
          return { kind: 'alternate', name: type.name, features: type.features, alternatives: [] };
        });
    }
  }

  object(type: ObjectType): WireObject {
    return this.#once(type, () => {
      this.#open.add(type);
      return { kind: 'object', ...nameOf(type), features: type.features, members: new Map(), branches: new Map() };
    });
  }

  fill(): void {
    // The loop adds more types.
    for (const type of this.#open) {
      if (type.kind === 'alternate') this.#fillAlternate(type);
      else this.#fillObject(type);
    }
  }

  #once<T extends WireType>(type: NamedType, make: () => T): T {
    const known = this.#known.get(type);
    if (known) return known as T;
    const made = make();
    this.#known.set(type, made);
    return made;
  }

  #fillAlternate(type: AlternateType): void {
    const made: Mutable<WireAlternate> = this.type(type) as WireAlternate;
    made.alternatives = type.alternatives.map(({ type: inner, condition }) => ({
      type: this.type(inner) as PlainType,
      ...optional('condition', condition),
    }));
  }

  /** Returns the filled object. */
  #fillObject(type: ObjectType): WireObject {
    const made: Mutable<WireObject> = this.object(type);
    if (!this.#open.delete(type)) return made;
    // This recursion is safe, because the front end limits chains of bases.
    const base = type.base ? this.#fillObject(type.base).members : new Map<string, WireMember>();
    if (type.kind === 'struct') {
      const own = type.members.map(({ name, type: ownType, optional: isOptional, condition, features }): WireMember => {
        const member = { name, type: this.type(ownType), optional: isOptional, features, owner: made };
        return { ...member, ...optional('condition', condition) };
      });
      made.members = new Map([...base, ...own.map((member) => [member.name, member] as const)]);
      return made;
    }
    // An inline base is part of the union.
    const isOwn = type.base.implicit !== undefined;
    made.members = isOwn ? new Map([...base].map(([name, member]) => [name, { ...member, owner: made }])) : base;
    made.discriminator = type.discriminator.name;
    made.branches = new Map(
      type.branches.map(({ name, type: branch, condition }) => [
        name,
        { type: branch ? this.object(branch) : empty, ...optional('condition', condition) },
      ]),
    );
    return made;
  }
}

/** Returns the name of a type, unless it is implicit and derived from its owner's. */
function nameOf(type: { readonly name: string; readonly implicit?: unknown }): { name?: string } {
  return type.implicit === undefined || type.implicit === 'predefined' ? { name: type.name } : {};
}

/**
 * Reads an introspection.
 *
 * @param infos the result of `query-qmp-schema`, unchecked
 * @throws FileError if it is malformed
 */
export function wireOfIntrospection(infos: unknown): WireSchema {
  return new IntrospectionReader().read(infos);
}

type JsonObject = Readonly<Record<string, unknown>>;

/** The kinds of types by `meta-type`. */
const typeKinds: Readonly<Record<string, WireType['kind']>> = {
  builtin: 'builtin',
  array: 'array',
  enum: 'enum',
  object: 'object',
  alternate: 'alternate',
};

const builtinsOf: Readonly<Record<string, BuiltinName>> = {
  string: 'str',
  number: 'number',
  int: 'int',
  boolean: 'bool',
  value: 'any',
  null: 'null',
};

const maxDepth = 100;

class IntrospectionReader {
  /** All types, initially without references to other types. */
  readonly #types = new Map<string, Mutable<WireType>>();
  /** The number of combinations of branches of each object. */
  readonly #leaves = new Map<WireObject, number>();

  read(infos: unknown): WireSchema {
    if (!Array.isArray(infos)) throw malformed('it is not an array');
    const entries = infos.map((info, index) => new InfoReader(info, `entry ${index + 1}`, 'name'));
    for (const entry of entries) this.#declare(entry);
    const commands = new Map<string, WireCommand>();
    const events = new Map<string, WireEvent>();
    for (const entry of entries) {
      if (entry.metaType === 'command') add(commands, entry, this.#command(entry));
      else if (entry.metaType === 'event') add(events, entry, this.#event(entry));
      else this.#fill(entry);
    }
    let all = 0;
    for (const entry of entries) {
      if (entry.metaType !== 'object') continue;
      const object = this.#object(entry, entry.name);
      const own = this.#countLeaves(entry, object, 0);
      if (object.branches.size > 0) all += own;
      if (all > maxAllLeaves) throw entry.error('all objects together have too many nested branches');
    }
    if (commands.size === 0) throw malformed('it has no commands');
    return { isIntrospection: true, commands, events };
  }

  #declare(entry: InfoReader): void {
    const kind = Object.hasOwn(typeKinds, entry.metaType) ? typeKinds[entry.metaType] : undefined;
    if (kind !== undefined) {
      if (this.#types.has(entry.name)) throw entry.error('another type has the same name');
      this.#types.set(entry.name, shell(kind, entry));
    } else if (entry.metaType !== 'command' && entry.metaType !== 'event') {
      throw entry.error(`unknown meta-type '${entry.metaType}'`);
    }
  }

  #command(entry: InfoReader): WireCommand {
    return {
      name: entry.name,
      features: entry.features(),
      arguments: this.#object(entry, entry.string('arg-type')),
      result: this.#type(entry, entry.string('ret-type')),
      oob: entry.flag('allow-oob'),
      furtherArguments: false,
      replies: true,
      preconfig: false,
    };
  }

  #event(entry: InfoReader): WireEvent {
    return { name: entry.name, features: entry.features(), data: this.#object(entry, entry.string('arg-type')) };
  }

  /** Adds the references to other types. */
  #fill(entry: InfoReader): void {
    const type = this.#type(entry, entry.name);
    switch (type.kind) {
      case 'builtin':
      case 'enum':
        break;
      case 'array': {
        const element = this.#type(entry, entry.string('element-type'));
        if (element.kind === 'array') throw entry.error('an array cannot contain an array');
        (type as Mutable<WireArray>).element = element;
        break;
      }
      case 'alternate': {
        (type as Mutable<WireAlternate>).alternatives = entry.list('members').map((member) => {
          const inner = this.#type(member, member.string('type'));
          if (inner.kind === 'alternate') throw member.error('an alternate cannot contain an alternate');
          return { type: inner };
        });
        break;
      }
      case 'object':
        this.#fillObject(entry, type);
        break;
    }
  }

  #fillObject(entry: InfoReader, type: Mutable<WireObject>): void {
    const members = new Map<string, WireMember>();
    for (const member of entry.list('members', 'name')) {
      add(members, member, {
        name: member.name,
        type: this.#type(member, member.string('type')),
        optional: member.has('default'),
        features: member.features(),
        owner: type,
      });
    }
    type.members = members;
    if (!entry.has('tag') && !entry.has('variants')) return;
    const tag = entry.string('tag');
    if (members.get(tag)?.type.kind !== 'enum') throw entry.error(`the tag '${tag}' is not a member with an enum type`);
    type.discriminator = tag;
    const branches = new Map<string, WireBranch>();
    for (const variant of entry.list('variants', 'case')) {
      add(branches, variant, { type: this.#object(variant, variant.string('type')) });
    }
    type.branches = branches;
  }

  /**
   * Refuses objects that are nested within their own branches, and objects whose nested branches multiply beyond what
   * can be compared.
   */
  #countLeaves(entry: InfoReader, object: WireObject, depth: number): number {
    const known = this.#leaves.get(object);
    if (known !== undefined) return known;
    if (depth > maxDepth) throw entry.error('branches are nested too deeply');
    let leaves = 0;
    for (const { type } of object.branches.values()) leaves += this.#countLeaves(entry, type, depth + 1);
    if (leaves > maxLeaves) throw entry.error('too many nested branches');
    this.#leaves.set(object, Math.max(1, leaves));
    return Math.max(1, leaves);
  }

  #object(from: InfoReader, name: string): WireObject {
    const type = this.#type(from, name);
    if (type.kind !== 'object') throw from.error(`type '${name}' is not an object`);
    return type;
  }

  #type(from: InfoReader, name: string): WireType {
    const type = this.#types.get(name);
    if (!type) throw from.error(`unknown type '${name}'`);
    return type;
  }
}

function shell(kind: WireType['kind'], entry: InfoReader): WireType {
  const named = { name: entry.name, features: entry.features() };
  switch (kind) {
    case 'builtin': {
      const jsonType = entry.string('json-type');
      const name = Object.hasOwn(builtinsOf, jsonType) ? builtinsOf[jsonType] : undefined;
      if (name === undefined) throw entry.error(`unknown json-type '${jsonType}'`);
      return { kind, name };
    }
    case 'array':
      return { kind, element: empty };
    case 'enum':
      return { kind, ...named, values: valuesOf(entry) };
    case 'object':
      return { kind, ...named, members: new Map(), branches: new Map() };
    case 'alternate':
      return { kind, ...named, alternatives: [] };
  }
}

function valuesOf(entry: InfoReader): Map<string, Marked> {
  const values = new Map<string, Marked>();
  if (entry.has('members')) {
    for (const value of entry.list('members', 'name')) add(values, value, { features: value.features() });
    return values;
  }
  // Before QEMU 6.2, there were only names.
  for (const name of entry.strings('values')) values.set(name, { features: [] });
  return values;
}

function add<T>(map: Map<string, T>, entry: InfoReader, value: T): void {
  if (map.has(entry.name)) throw entry.error('duplicate name');
  map.set(entry.name, value);
}

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
    return this.has('features') ? this.strings('features').map((name) => ({ name })) : [];
  }

  /** @param nameKey the key of the elements' names, if they have names */
  list(key: string, nameKey?: string): InfoReader[] {
    return this.#array(key).map((info, index) => new InfoReader(info, `${this.title}: ${key} ${index + 1}`, nameKey));
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
