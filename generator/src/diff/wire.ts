/**
 * A schema as a client sees it: commands, events, and the structure of their arguments, results and data. It is made
 * from the model or from introspection, which contains less.
 *
 * Members of a base are listed in every type with that base. Absent arguments, results and branches are empty objects.
 * Unreachable types, the features of bases, and the conditions of types are omitted: a use of a type has the type's
 * condition.
 */

import { kindOfBuiltin, type JsonKind } from '../builtins.js';
import { refuseLeaves } from '../leaves.js';
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
import { readIntrospection } from '../sources/introspection.js';

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
          return { kind: 'alternate', ...nameOf(type), features: type.features, alternatives: [] };
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
  return { ...wireOf(readIntrospection(infos)), isIntrospection: true };
}
