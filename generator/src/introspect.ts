/**
 * Computes the `query-qmp-schema` reply of a QEMU built from a schema (QEMU's manual: "How to use the QAPI code
 * generator", "Client JSON Protocol introspection").
 *
 * The reply contains only types that commands and events reach. Type names become numbers, and all integers are
 * `int`. As in QEMU, conditions do not affect the numbers: whatever a build lacks is removed last.
 */

import { builtins } from './builtins.js';
import type { Command, Condition, Event, Feature, Member, ObjectType, Schema, Type } from './model.js';
import { allMembers, isType } from './model.js';

export type SchemaInfo = { readonly name: string; readonly features?: readonly string[] } & (
  | { readonly 'meta-type': 'builtin'; readonly 'json-type': string }
  | {
      readonly 'meta-type': 'enum';
      readonly members: readonly SchemaInfoEnumMember[];
      readonly values: readonly string[];
    }
  | { readonly 'meta-type': 'array'; readonly 'element-type': string }
  | {
      readonly 'meta-type': 'object';
      readonly members: readonly SchemaInfoMember[];
      readonly tag?: string;
      readonly variants?: readonly { readonly case: string; readonly type: string }[];
    }
  | { readonly 'meta-type': 'alternate'; readonly members: readonly { readonly type: string }[] }
  | {
      readonly 'meta-type': 'command';
      readonly 'arg-type': string;
      readonly 'ret-type': string;
      readonly 'allow-oob'?: true;
    }
  | { readonly 'meta-type': 'event'; readonly 'arg-type': string }
);

interface SchemaInfoEnumMember {
  readonly name: string;
  readonly features?: readonly string[];
}

interface SchemaInfoMember {
  readonly name: string;
  readonly type: string;
  /** Present, with the value null, if the member is optional. */
  readonly default?: null;
  readonly features?: readonly string[];
}

/** The type of absent arguments, of an absent result, and of a branch without members. */
const empty = 'empty';
type Used = Type | typeof empty;

/** @param holds returns whether the build meets a condition */
export function introspect(schema: Schema, holds: (condition: Condition) => boolean): SchemaInfo[] {
  return new Introspection(holds).run(schema);
}

class Introspection {
  readonly #holds: (condition: Condition) => boolean;
  /** The types in use, in order of first use, which is also the order of the output. */
  readonly #used = new Set<Used>();
  readonly #masked = new Map<Used, string>();

  constructor(holds: (condition: Condition) => boolean) {
    this.#holds = holds;
  }

  run(schema: Schema): SchemaInfo[] {
    const definitions = schema.modules.flatMap((module) => module.definitions);
    const entryPoints = definitions.filter((definition) => !isType(definition));
    const infos = this.#kept(entryPoints, (definition) => this.#entryPoint(definition));
    // The loop also visits types that it adds to the set.
    for (const type of this.#used) {
      const info = this.#type(type, this.#name(type));
      if (this.#exists(type)) infos.push(info);
    }
    return infos;
  }

  #entryPoint(definition: Command | Event): SchemaInfo {
    const { name, features } = definition;
    if (definition.kind === 'event') {
      return {
        name,
        'meta-type': 'event',
        'arg-type': this.#use(definition.data ?? empty),
        ...this.#features(features),
      };
    }
    return {
      name,
      'meta-type': 'command',
      'arg-type': this.#use(definition.arguments ?? empty),
      'ret-type': this.#use(definition.returns ?? empty),
      ...(definition.allowOob && { 'allow-oob': true }),
      ...this.#features(features),
    };
  }

  #type(type: Used, name: string): SchemaInfo {
    if (type === empty) return { name, 'meta-type': 'object', members: [] };
    switch (type.kind) {
      case 'builtin':
        return { name, 'meta-type': 'builtin', 'json-type': builtins[type.name].jsonType };
      case 'array':
        return { name, 'meta-type': 'array', 'element-type': this.#use(type.element) };
      case 'enum':
        return {
          name,
          'meta-type': 'enum',
          members: this.#kept(type.values, (value) => ({ name: value.name, ...this.#features(value.features) })),
          values: this.#kept(type.values, (value) => value.name),
          ...this.#features(type.features),
        };
      case 'alternate': {
        const members = this.#kept(type.alternatives, (alternative) => ({ type: this.#use(alternative.type) }));
        return { name, 'meta-type': 'alternate', members, ...this.#features(type.features) };
      }
      case 'struct':
      case 'union':
        return { name, 'meta-type': 'object', ...this.#object(type), ...this.#features(type.features) };
    }
  }

  #object(type: ObjectType): {
    members: SchemaInfoMember[];
    tag?: string;
    variants?: { case: string; type: string }[];
  } {
    const members = this.#kept(allMembers(type), (member) => this.#member(member));
    if (type.kind === 'struct') return { members };
    const variants = this.#kept(type.branches, (branch) => ({
      case: branch.name,
      type: this.#use(branch.type ?? empty),
    }));
    return { members, tag: type.discriminator.name, variants };
  }

  #member({ name, type, optional, features }: Member): SchemaInfoMember {
    return { name, type: this.#use(type), ...(optional && { default: null }), ...this.#features(features) };
  }

  #features(features: readonly Feature[]): { features?: string[] } {
    const kept = this.#kept(features, ({ name }) => name);
    return kept.length > 0 ? { features: kept } : {};
  }

  /** Returns the name of a type in the output, and adds the type to the output. */
  #use(type: Used): string {
    const used = type === empty ? type : withPlainIntegers(type);
    this.#used.add(used);
    return this.#name(used);
  }

  #name(type: Used): string {
    if (type !== empty && type.kind === 'builtin') return type.name;
    if (type !== empty && type.kind === 'array') return `[${this.#use(type.element)}]`;
    let name = this.#masked.get(type);
    if (name === undefined) this.#masked.set(type, (name = String(this.#masked.size)));
    return name;
  }

  #exists(type: Used): boolean {
    if (type === empty || type.kind === 'builtin') return true;
    if (type.kind === 'array') return this.#exists(type.element);
    return !type.condition || this.#holds(type.condition);
  }

  /** Converts all parts before filtering them, because the conversion numbers the types. */
  #kept<T extends { readonly condition?: Condition }, I>(things: readonly T[], toInfo: (thing: T) => I): I[] {
    return things.flatMap((thing) => {
      const info = toInfo(thing);
      return !thing.condition || this.#holds(thing.condition) ? [info] : [];
    });
  }
}

const int = { kind: 'builtin', name: 'int' } as const;
const integers = { kind: 'array', element: int } as const;

function withPlainIntegers(type: Type): Type {
  const isInteger = (inner: Type): boolean => inner.kind === 'builtin' && builtins[inner.name].jsonType === 'int';
  if (isInteger(type)) return int;
  return type.kind === 'array' && isInteger(type.element) ? integers : type;
}
