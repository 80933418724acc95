/**
 * The resolved schema as readonly data.
 *
 * The front end creates it; emitters, introspection and the drift tools read it. References between types are object
 * references, so the graph is cyclic (`BlockdevOptions` contains `BlockdevRef`, which contains `BlockdevOptions`).
 * Nothing here knows TypeScript or JSON text. The terms are those of QEMU's "How to use the QAPI code generator"
 * (docs/devel/qapi-code-gen.rst).
 */

import type { Versions } from './model/versions.js';

/** A position in a schema source file. Lines and columns count from 1, columns in UTF-16 code units. */
export interface Position {
  /** The path of the file: the root as given, includes relative to it. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A schema: all modules that the root file includes, directly or indirectly. */
export interface Schema {
  /** In the order of first inclusion, the root first. */
  readonly modules: readonly Module[];
  /** The SHA-256 of the modules' paths and texts, in hexadecimal. Equal digests mean equal schemas. */
  readonly digest: string;
  /** The named definitions by name, in source order with includes expanded in place. */
  readonly definitions: ReadonlyMap<string, Definition>;
  /** The versions of a range, oldest first. Absent for the schema of one version. See `model/merge.ts`. */
  readonly versions?: readonly string[];
}

/** A part of a schema, which not every version of a range, or not every build, may have. */
export interface Part {
  /** The versions of a range that have it. Absent if all versions that have its owner have it, too. */
  readonly in?: Versions;
  readonly condition?: Condition;
  /** Set if versions of a range have different conditions. `condition` is then that of the newest. */
  readonly conditions?: readonly ConditionIn[];
}

export interface ConditionIn {
  readonly condition?: Condition;
  readonly in: Versions;
}

/**
 * The type of a place, such as a member, whose type differs between the versions of a range, or a type that is of
 * different kinds. It accepts what any of its variants accepts, so that most readers of the model can ignore them.
 */
interface Joined {
  /**
   * The exact types. If they do not cover all versions that have the place, the others have no type there. No version
   * has two.
   */
  readonly variants?: readonly Variant[];
}

export interface Variant {
  readonly type: Type;
  readonly in: Versions;
}

/** One schema file. */
export interface Module {
  /** The file's name without directory and extension: `block-core`. */
  readonly name: string;
  /** The file's path relative to the root file's directory: `../../qapi/block-core.json`. */
  readonly path: string;
  readonly definitions: readonly Definition[];
}

export type Definition = NamedType | Command | Event;
/** Types with a name, either their own or that of their owner. */
export type NamedType = EnumType | StructType | UnionType | AlternateType;
export type Type = BuiltinType | NamedType | ArrayType;
/** QAPI's "object types". */
export type ObjectType = StructType | UnionType;

/** The fields of all named definitions. */
interface DefinitionBase extends Part, Joined {
  readonly name: string;
  readonly module: string;
  readonly position: Position;
  readonly features: readonly Feature[];
  readonly doc?: Doc;
}

export const builtinNames = [
  'str',
  'number',
  'int',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'size',
  'bool',
  'any',
  'null',
] as const;
export type BuiltinName = (typeof builtinNames)[number];

export interface BuiltinType {
  readonly kind: 'builtin';
  readonly name: BuiltinName;
  /** Set for an integer whose width is only known from another version: code has the type, but any 64 bits are valid. */
  readonly borrowed?: true;
}

export interface ArrayType {
  readonly kind: 'array';
  readonly element: Exclude<Type, ArrayType>;
}

export interface EnumType extends DefinitionBase {
  readonly kind: 'enum';
  readonly values: readonly EnumValue[];
  /** The prefix of the C constants; not used on the wire. */
  readonly prefix?: string;
  /** Set if the type is not written in the schema. */
  readonly implicit?: Implicit;
}

export interface EnumValue extends Part {
  readonly name: string;
  readonly features: readonly Feature[];
}

export interface StructType extends DefinitionBase {
  readonly kind: 'struct';
  readonly base?: StructType;
  /** The struct's own members, without those of its base. */
  readonly members: readonly Member[];
  /** Set if the type is written in place and has no name. `name` is then the name of its owner. */
  readonly implicit?: Implicit;
}

/**
 * The origin of an implicit type: the inline `data` of a command or event; the inline `base` of a union; for a union
 * without discriminator (QEMU before 6.2), the enum of its branches, or the `{ data }` around a branch's type; QAPI's
 * predefined enum of JSON kinds, `QType`; or, in a range, the type of a place that has several (see `Joined`).
 */
export type Implicit = 'arguments' | 'base' | 'discriminator' | 'wrapper' | 'predefined' | 'joined';

export interface Member extends Part {
  readonly name: string;
  readonly type: Type;
  /** False in a range only if all versions that have the owner have the member, and make it mandatory. */
  readonly optional: boolean;
  /** The versions that have the member and make it optional. Absent if all or none of those that have it do. */
  readonly optionalIn?: Versions;
  readonly features: readonly Feature[];
}

export interface UnionType extends DefinitionBase {
  readonly kind: 'union';
  /** A named type, or an implicit one if the schema writes it in place. Unions have no members of their own. */
  readonly base: StructType;
  /** A member of `base` or of its bases. */
  readonly discriminator: Member & { readonly type: EnumType };
  /** One for each value of the discriminator: first those in the schema, then the values without a branch. */
  readonly branches: readonly Branch[];
}

export interface Branch extends Part {
  /** The value of the discriminator. */
  readonly name: string;
  /** Absent if the schema names no type for the value, so that there are no further members. */
  readonly type?: ObjectType;
}

export interface AlternateType extends DefinitionBase {
  readonly kind: 'alternate';
  readonly alternatives: readonly Alternative[];
  /** Set if the type is not written in the schema. */
  readonly implicit?: Implicit;
}

export interface Alternative extends Part {
  /** Not used on the wire: the JSON kind selects the alternative. */
  readonly name: string;
  readonly type: Exclude<Type, AlternateType>;
}

export interface Command extends DefinitionBase {
  readonly kind: 'command';
  readonly arguments?: ObjectType;
  readonly returns?: Type;
  readonly boxed: boolean;
  /** False if QEMU's compiler generates no code that reads the arguments; see `takesFurtherArguments`. */
  readonly gen: boolean;
  /** False if the server sends no reply on success. */
  readonly successResponse: boolean;
  readonly allowOob: boolean;
  readonly allowPreconfig: boolean;
  readonly coroutine: boolean;
  /** For each flag that differs between the versions of a range, the versions in which it is true. */
  readonly flagsIn?: Readonly<Partial<Record<CommandFlag, Versions>>>;
}

export const commandFlags = ['boxed', 'gen', 'successResponse', 'allowOob', 'allowPreconfig', 'coroutine'] as const;
export type CommandFlag = (typeof commandFlags)[number];

export interface Event extends DefinitionBase {
  readonly kind: 'event';
  readonly data?: ObjectType;
  readonly boxed: boolean;
}

export interface Feature extends Part {
  readonly name: string;
}

/** A condition on builds of QEMU: `if` in the schema. */
export type Condition =
  | { readonly kind: 'defined'; readonly name: string }
  | { readonly kind: 'not'; readonly operand: Condition }
  | { readonly kind: 'all' | 'any'; readonly operands: readonly Condition[] };

/** A definition's documentation comment. Texts are reStructuredText, including QEMU's older conventions. */
export interface Doc {
  readonly position: Position;
  /** The paragraphs outside of sections, in order, without examples. */
  readonly body: string;
  readonly members: ReadonlyMap<string, DocEntry>;
  readonly features: ReadonlyMap<string, DocEntry>;
  readonly returns?: string;
  readonly errors?: string;
  /** The QEMU version that introduced the definition: `2.10`. */
  readonly since?: string;
  readonly examples: readonly DocExample[];
}

/** The documentation of one member, value or feature. */
export interface DocEntry {
  readonly text: string;
  /** From "(since 2.10)" in the text. */
  readonly since?: string;
}

/** An example: an exchange of `-> {...}` and `<- {...}`, or other text, as written, without its indentation. */
export interface DocExample {
  readonly title?: string;
  readonly text: string;
  /** Set if the text is reStructuredText, with the exchange in literal blocks. */
  readonly annotated?: true;
}

/** Returns all members of a struct, those of its bases first; for a union, those of its base. */
export function allMembers(type: ObjectType): Member[] {
  if (type.kind === 'union') return allMembers(type.base);
  return type.base ? [...allMembers(type.base), ...type.members] : [...type.members];
}

/** Returns whether a type has no members, including those of its base. */
export function isEmpty(type: ObjectType): boolean {
  return type.kind === 'struct' && type.members.length === 0 && (!type.base || isEmpty(type.base));
}

/**
 * Returns whether a command accepts arguments that are not in the schema. A command without arguments does not, even
 * with `'gen': false`, which `query-qmp-schema` had until QEMU 5.2.
 */
export function takesFurtherArguments({ gen, arguments: type }: Pick<Command, 'gen' | 'arguments'>): boolean {
  return !gen && type !== undefined;
}

export function isObjectType(type: Type): type is ObjectType {
  return type.kind === 'struct' || type.kind === 'union';
}

export function isType(definition: Definition): definition is NamedType {
  return definition.kind !== 'command' && definition.kind !== 'event';
}

/** A type with assignable properties, for code that creates the model. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };
