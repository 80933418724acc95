/**
 * A schema as a client sees it: commands, events, and the structure of what they carry. It is made from the model, or from what a server
 * tells of itself, which is less.
 *
 * Bases are flattened into the types they are bases of, an absent type is an object without members, and what nothing reaches is not there.
 * Nor are features of bases, and conditions of types: what has such a type has its condition.
 */

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
  type NamedType,
  type ObjectType,
  type Schema,
  type Type,
} from '../model.js';
import { optional } from '../optional.js';

export interface WireSchema {
  /**
   * Made from introspection: then all integers are `int`, there are no conditions (what a build lacks is not there), and nothing is known
   * of further arguments, replies and preconfig.
   */
  readonly isIntrospection: boolean;
  /** By name, as everything here that has a name on the wire, and in the order of the schema. */
  readonly commands: ReadonlyMap<string, WireCommand>;
  readonly events: ReadonlyMap<string, WireEvent>;
}

interface Marked {
  readonly condition?: Condition;
  readonly features: readonly Feature[];
}

export interface WireCommand extends Marked {
  readonly name: string;
  readonly arguments: WireObject;
  readonly result: WireType;
  /** Can be called out of band. */
  readonly oob: boolean;
  /** Takes further arguments than it lists. */
  readonly furtherArguments: boolean;
  /** Sends a reply when it succeeds. */
  readonly replies: boolean;
  /** A server that was started with `-preconfig` does not refuse it. */
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
  /** Not on the wire. In introspection a number; absent for a type that the schema gives no name. */
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
  /** Those of bases first. */
  readonly members: ReadonlyMap<string, WireMember>;
  /** The member which decides what further members there are. */
  readonly discriminator?: string;
  /** By value of the discriminator. */
  readonly branches: ReadonlyMap<string, WireBranch>;
}

export interface WireMember extends Marked {
  readonly name: string;
  readonly type: WireType;
  readonly optional: boolean;
  /** The type which the schema writes it in, perhaps a base. */
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

/** What decides between alternatives. */
export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null' | 'any';

const builtinKinds: Record<BuiltinName, JsonKind> = {
  str: 'string',
  number: 'number',
  int: 'number',
  int8: 'number',
  int16: 'number',
  int32: 'number',
  int64: 'number',
  uint8: 'number',
  uint16: 'number',
  uint32: 'number',
  uint64: 'number',
  size: 'number',
  bool: 'boolean',
  any: 'any',
  null: 'null',
};

export function jsonKind(type: PlainType): JsonKind {
  if (type.kind === 'builtin') return builtinKinds[type.name];
  return type.kind === 'enum' ? 'string' : type.kind;
}

/** No arguments, no result, a branch that adds nothing. */
export const empty: WireObject = { kind: 'object', features: [], members: new Map(), branches: new Map() };

export function isEmpty(type: WireType): boolean {
  return type.kind === 'object' && type.members.size === 0 && type.branches.size === 0;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** @throws SchemaError when unions in unions multiply, as for emission */
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
 * Each type of the model once, so that what is one type there is one here, and circles close. Types are made without what refers to other
 * types, which is filled in later: a chain of members may be longer than the stack is deep.
 */
class ModelTypes {
  readonly #known = new Map<Type, WireType>();
  /** What has not been filled in yet. */
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
    // More types come to the set while it is walked.
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

  /** @returns the object, which has its members now */
  #fillObject(type: ObjectType): WireObject {
    const made: Mutable<WireObject> = this.object(type);
    if (!this.#open.delete(type)) return made;
    // Chains of bases are short: the front end refuses others.
    const base = type.base ? this.#fillObject(type.base).members : new Map<string, WireMember>();
    if (type.kind === 'struct') {
      const own = type.members.map(({ name, type: ownType, optional: isOptional, condition, features }): WireMember => {
        const member = { name, type: this.type(ownType), optional: isOptional, features, owner: made };
        return { ...member, ...optional('condition', condition) };
      });
      made.members = new Map([...base, ...own.map((member) => [member.name, member] as const)]);
      return made;
    }
    // A base that is written in place is a part of the union.
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

/** The name of an implicit type is only that of its owner. */
function nameOf(type: { readonly name: string; readonly implicit?: unknown }): { name?: string } {
  return type.implicit === undefined || type.implicit === 'predefined' ? { name: type.name } : {};
}

/**
 * @param infos what `query-qmp-schema` returns
 * @throws FileError when it is something else
 */
export function wireOfIntrospection(infos: unknown): WireSchema {
  return new IntrospectionReader().read(infos);
}

type JsonObject = Readonly<Record<string, unknown>>;

/** `meta-type` of types, and what is read of each. */
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
  /** All types, at first without what refers to other types. */
  readonly #types = new Map<string, Mutable<WireType>>();
  /** How many ways there are through the branches of each object. */
  readonly #ways = new Map<WireObject, number>();

  read(infos: unknown): WireSchema {
    if (!Array.isArray(infos)) throw malformed('expected an array');
    const entries = infos.map((info, index) => new Entry(info, `entry ${index + 1}`, 'name'));
    for (const entry of entries) this.#declare(entry);
    const commands = new Map<string, WireCommand>();
    const events = new Map<string, WireEvent>();
    for (const entry of entries) {
      if (entry.metaType === 'command') add(commands, entry, this.#command(entry));
      else if (entry.metaType === 'event') add(events, entry, this.#event(entry));
      else this.#fill(entry);
    }
    let ways = 0;
    for (const entry of entries) {
      if (entry.metaType !== 'object') continue;
      const object = this.#object(entry, entry.name);
      const own = this.#countWays(entry, object, 0);
      if (object.branches.size > 0) ways += own;
      if (ways > maxAllLeaves) throw entry.error('too many branches in branches of all objects together');
    }
    if (commands.size === 0) throw malformed('there is no command');
    return { isIntrospection: true, commands, events };
  }

  #declare(entry: Entry): void {
    const kind = Object.hasOwn(typeKinds, entry.metaType) ? typeKinds[entry.metaType] : undefined;
    if (kind !== undefined) {
      if (this.#types.has(entry.name)) throw entry.error('there is another type of that name');
      this.#types.set(entry.name, shell(kind, entry));
    } else if (entry.metaType !== 'command' && entry.metaType !== 'event') {
      throw entry.error(`unknown meta-type '${entry.metaType}'`);
    }
  }

  #command(entry: Entry): WireCommand {
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

  #event(entry: Entry): WireEvent {
    return { name: entry.name, features: entry.features(), data: this.#object(entry, entry.string('arg-type')) };
  }

  /** Adds what refers to other types. */
  #fill(entry: Entry): void {
    const type = this.#type(entry, entry.name);
    switch (type.kind) {
      case 'builtin':
      case 'enum':
        break;
      case 'array': {
        const element = this.#type(entry, entry.string('element-type'));
        if (element.kind === 'array') throw entry.error('an array of arrays');
        (type as Mutable<WireArray>).element = element;
        break;
      }
      case 'alternate': {
        (type as Mutable<WireAlternate>).alternatives = entry.list('members').map((member) => {
          const inner = this.#type(member, member.string('type'));
          if (inner.kind === 'alternate') throw member.error('an alternate within an alternate');
          return { type: inner };
        });
        break;
      }
      case 'object':
        this.#fillObject(entry, type);
        break;
    }
  }

  #fillObject(entry: Entry, type: Mutable<WireObject>): void {
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
    if (members.get(tag)?.type.kind !== 'enum') throw entry.error(`the tag '${tag}' is no member with an enum`);
    type.discriminator = tag;
    const branches = new Map<string, WireBranch>();
    for (const variant of entry.list('variants', 'case')) {
      add(branches, variant, { type: this.#object(variant, variant.string('type')) });
    }
    type.branches = branches;
  }

  /**
   * An object within its own branches would never end, and branches of branches multiply: no server is believed to have more of them than
   * can be followed.
   */
  #countWays(entry: Entry, object: WireObject, depth: number): number {
    const known = this.#ways.get(object);
    if (known !== undefined) return known;
    if (depth > maxDepth) throw entry.error('branches in branches do not end');
    let ways = 0;
    for (const { type } of object.branches.values()) ways += this.#countWays(entry, type, depth + 1);
    if (ways > maxLeaves) throw entry.error('too many branches in branches');
    this.#ways.set(object, Math.max(1, ways));
    return Math.max(1, ways);
  }

  #object(from: Entry, name: string): WireObject {
    const type = this.#type(from, name);
    if (type.kind !== 'object') throw from.error(`the type '${name}' is no object`);
    return type;
  }

  #type(from: Entry, name: string): WireType {
    const type = this.#types.get(name);
    if (!type) throw from.error(`there is no type '${name}'`);
    return type;
  }
}

function shell(kind: WireType['kind'], entry: Entry): WireType {
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

function valuesOf(entry: Entry): Map<string, Marked> {
  const values = new Map<string, Marked>();
  if (entry.has('members')) {
    for (const value of entry.list('members', 'name')) add(values, value, { features: value.features() });
    return values;
  }
  // Before QEMU 6.2 there were the names only.
  for (const name of entry.strings('values')) values.set(name, { features: [] });
  return values;
}

function add<T>(map: Map<string, T>, entry: Entry, value: T): void {
  if (map.has(entry.name)) throw entry.error('is there twice');
  map.set(entry.name, value);
}

/** An object in what a server told, of which nothing is believed. */
class Entry {
  readonly #info: JsonObject;
  readonly #title: string;
  readonly name: string;

  /**
   * @param title what messages call it
   * @param nameKey of its name, if it has one
   */
  constructor(info: unknown, title: string, nameKey?: string) {
    this.#title = title;
    if (typeof info !== 'object' || info === null || Array.isArray(info)) throw this.error('expected an object');
    this.#info = info as JsonObject;
    this.name = nameKey === undefined ? '' : this.string(nameKey);
  }

  get title(): string {
    // Its name may be what is wrong with it.
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
    if (typeof value !== 'string') throw this.error(`expected a string as '${key}'`);
    return value;
  }

  flag(key: string): boolean {
    const value = this.#value(key) ?? false;
    if (typeof value !== 'boolean') throw this.error(`expected true or false as '${key}'`);
    return value;
  }

  strings(key: string): string[] {
    const values = this.#array(key);
    if (!values.every((value) => typeof value === 'string')) throw this.error(`expected strings in '${key}'`);
    return values;
  }

  features(): Feature[] {
    return this.has('features') ? this.strings('features').map((name) => ({ name })) : [];
  }

  /** @param nameKey of the names of what is in the list, if they have names */
  list(key: string, nameKey?: string): Entry[] {
    return this.#array(key).map((info, index) => new Entry(info, `${this.title}: ${key} ${index + 1}`, nameKey));
  }

  error(message: string): FileError {
    return malformed(`${this.title}: ${message}`);
  }

  #array(key: string): unknown[] {
    const value = this.#value(key);
    if (!Array.isArray(value)) throw this.error(`expected an array as '${key}'`);
    return value;
  }

  #value(key: string): unknown {
    return this.has(key) ? this.#info[key] : undefined;
  }
}

function malformed(message: string): FileError {
  return new FileError(`the introspection is malformed: ${message}`);
}
