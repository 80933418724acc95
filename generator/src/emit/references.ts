/** References to types and validators, shared by the emitters of modules and of the client. */

import { validatedAs } from '../builtins.js';
import { formatCondition } from '../condition.js';
import { isJoined, newestFeatures, seen, simplified } from '../model/variants.js';
import { allVersions, formatVersions, type Versions } from '../model/versions.js';
import type {
  BuiltinName,
  Definition,
  EnumType,
  Feature,
  Member,
  Part,
  StructType,
  Type,
  UnionType,
  Variant,
} from '../model.js';
import {
  array,
  arrayType,
  arrow,
  braces,
  call,
  code,
  identifier,
  join,
  object,
  pairs,
  property,
  propertyName,
  union,
  type Code,
} from './code.js';
import type { Comments } from './comment.js';
import type { Names } from './names.js';

/** The parts of a package that its modules share. */
export interface EmitContext {
  readonly names: Names;
  readonly comments: Comments;
  /** Returns the address of a definition in QEMU's manual, or undefined if it has none. */
  readonly manual: (definition: Definition) => string | undefined;
  /** Whether to omit code that only matters at run time. */
  readonly declarations: boolean;
  /** Returns the file name, without extension, of the TypeScript module with a definition's types. */
  readonly file: (definition: Definition) => string;
  /** The versions of a range, oldest first. */
  readonly versions?: readonly string[];
}

/** The TypeScript types of built-in types. Strings are names of types of the runtime. */
const builtinTypes: Record<BuiltinName, Code | 'Int64' | 'Json'> = {
  str: code`string`,
  number: code`number`,
  int: 'Int64',
  int8: code`number`,
  int16: code`number`,
  int32: code`number`,
  int64: 'Int64',
  uint8: code`number`,
  uint16: code`number`,
  uint32: code`number`,
  uint64: 'Int64',
  size: 'Int64',
  bool: code`boolean`,
  any: 'Json',
  null: code`null`,
};

type Noted = Part & { readonly features: readonly Feature[] };

export const runtimePackage = '@qapi-ts/runtime';

/** Emits the references of one file to types and validators, and collects the imports that they need. */
export class References {
  readonly #context: EmitContext;
  readonly #file: string | undefined;
  /** All versions of a range. */
  readonly #all: Versions;
  /** The imported names by module specifier, each with whether it is imported as a value. */
  readonly #imports = new Map<string, Map<string, boolean>>();

  /** @param file the name of the file, without extension, if it defines types itself */
  constructor(context: EmitContext, file?: string) {
    this.#context = context;
    this.#all = allVersions(context.versions?.length ?? 0);
    this.#file = file;
  }

  type(type: Type): Code {
    return union(this.alternatives(type));
  }

  /** Returns the types that a type is a union of. */
  alternatives(type: Type): Code[] {
    const simple = simplified(type);
    if (simple !== type) return this.alternatives(simple);
    if (isJoined(type)) return this.#joinedAlternatives(type.variants);
    switch (type.kind) {
      case 'builtin': {
        const builtin = builtinTypes[type.name];
        return [typeof builtin === 'string' ? this.runtime(builtin) : builtin];
      }
      case 'array':
        return [arrayType(this.alternatives(type.element))];
      default:
        if (type.kind === 'enum' && type.implicit === 'predefined') return literals(type.values);
        return [this.#local(this.#context.names.type(type), type)];
    }
  }

  #joinedAlternatives(variants: readonly Variant[]): Code[] {
    const types = seen(variants).flatMap((type) => {
      if (type.kind === 'enum' && type.implicit) return [...literals(type.values), this.runtime('UnknownEnumValue')];
      return this.alternatives(type);
    });
    const byText = new Map(types.map((type) => [String(type), type]));
    // The wider integers include the narrower.
    if (byText.has('Int64')) byText.delete('number');
    return [...byText.values()];
  }

  /** Returns the interface of a branch. */
  branch(type: UnionType, path: readonly string[]): Code {
    return this.#local(this.#context.names.branch(type, path), type);
  }

  /** Returns a runtime reference to a type: the name of its validator, or a description if the type has no name. */
  validator(type: Type): Code {
    const simple = simplified(type);
    if (simple !== type) return this.validator(simple);
    switch (type.kind) {
      case 'builtin':
        return code`${validatedAs(type)}`;
      case 'array':
        return array([this.validator(type.element)]);
      default: {
        if (type.kind === 'enum' && (type.implicit === 'predefined' || isJoined(type))) {
          return this.enumeration(type);
        }
        if (isJoined(type))
          return this.joined(type.variants.map((variant) => ({ ref: this.validator(variant.type), in: variant.in })));
        if (type.kind === 'struct' && type.implicit === 'wrapper') return this.struct(type);
        return this.#local(this.#context.names.validator(type), type, true);
      }
    }
  }

  /** Returns the runtime description of a type that differs between versions. */
  joined(variants: readonly { readonly ref: Code; readonly in: Versions }[]): Code {
    const described = variants.map(({ ref, in: versions }) => [ref, code`${this.versions(versions)}`] as const);
    return call(this.runtime('joined', true), [arrow(pairs(described))]);
  }

  /** Returns the runtime description of an enum without a name. */
  enumeration(type: EnumType): Code {
    const values = type.values.map(({ name }) => property(propertyName(name), code`${name}`));
    return call(this.runtime('enumeration', true), [object(values), ...this.valueNotes(type)]);
  }

  versions(versions: Versions): string {
    return formatVersions(versions, this.#context.versions ?? []);
  }

  /** Returns the runtime's `Notes` on a definition, member or enum value, as members of an object literal. */
  notes(part: Noted, owner: Versions = this.#all): Code[] {
    const features = newestFeatures(part, owner);
    const has = (name: string): boolean => features.some((feature) => feature.name === name);
    return [
      ...(has('deprecated') ? [code`deprecated: true`] : []),
      ...(has('unstable') ? [code`unstable: true`] : []),
      ...(part.condition ? [property(code`if`, code`${formatCondition(part.condition)}`)] : []),
      ...(part.in === undefined ? [] : [property(code`in`, code`${this.versions(part.in)}`)]),
    ];
  }

  /** Returns an object with the notes on values by name, or nothing if there are none. */
  valueNotes({ values, in: owner }: EnumType): Code[] {
    const entries = values.flatMap((value) => {
      const facts = this.notes(value, owner);
      return facts.length === 0 ? [] : [property(propertyName(value.name), object(facts))];
    });
    return entries.length === 0 ? [] : [object(entries)];
  }

  #memberNotes(member: Member, owner: Versions | undefined): Code[] {
    const { optionalIn, in: versions = this.#all } = member;
    const facts = this.notes(member, owner);
    // The versions that lack the owner do not matter.
    const mandatoryIn = optionalIn === undefined ? 0 : versions & ~optionalIn;
    return mandatoryIn === 0 ? facts : [...facts, property(code`mandatoryIn`, code`${this.versions(mandatoryIn)}`)];
  }

  /** Returns the runtime description of a struct. */
  struct({ members, base, in: owner }: StructType): Code {
    const described = members.map((member) => {
      const { name, type, optional } = member;
      const validator = this.validator(type);
      const facts = this.#memberNotes(member, owner);
      const value = facts.length === 0 ? validator : object([property(code`type`, validator), ...facts]);
      // For a property such as `toString`, the contextual type is the method of `Object`, not the index signature of
      // `MemberRefs`, so TypeScript would widen the literal.
      const isWidened = name in Object.prototype && /^\W/u.test(String(value));
      return property(propertyName(optional ? `${name}?` : name), isWidened ? code`${value} as const` : value);
    });
    const bases = base ? [arrow(this.validator(base))] : [];
    return call(this.runtime('struct', true), [arrow(object(described)), ...bases]);
  }

  /**
   * Returns a name of the runtime package.
   *
   * @param asValue whether the name is used as a value, not only as a type
   */
  runtime(name: string, asValue = false): Code {
    return this.#import(name, runtimePackage, asValue);
  }

  /**
   * Returns the import declarations, packages first.
   *
   * @param further import specifiers to insert before those of the runtime package
   */
  imports(...further: readonly Code[]): Code {
    const key = (from: string): string => (from.startsWith('.') ? `~${from}` : from);
    const declarations = [...this.#imports]
      .toSorted(([a], [b]) => (key(a) < key(b) ? -1 : 1))
      .map(([from, names]) => {
        const isTypeOnly = ![...names.values()].includes(true);
        const imported = [...names]
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, asValue]) => (isTypeOnly || asValue ? identifier(name) : code`type ${identifier(name)}`));
        const all = from === runtimePackage ? [...further, ...imported] : imported;
        return code`import ${isTypeOnly ? code`type ` : code``}${braces(all)} from ${from};`;
      });
    return join(declarations, '\n');
  }

  #local(name: string, definition: Definition, asValue = false): Code {
    const file = this.#context.file(definition);
    return file === this.#file ? identifier(name) : this.#import(name, `./${file}.js`, asValue);
  }

  #import(name: string, from: string, asValue: boolean): Code {
    const names = this.#imports.get(from) ?? new Map<string, boolean>();
    this.#imports.set(from, names.set(name, asValue || (names.get(name) ?? false)));
    return identifier(name);
  }
}

/** Returns the names of enum values or branches as string literals. */
export function literals(values: readonly { readonly name: string }[]): Code[] {
  return values.map(({ name }) => code`${name}`);
}
