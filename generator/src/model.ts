/**
 * The resolved schema: what a QAPI schema says, as readonly data.
 *
 * The front end makes it; emitters, introspection and the drift tools read it. References between types are object references,
 * so the graph is cyclic (`BlockdevOptions` holds `BlockdevRef` holds `BlockdevOptions`). Nothing here knows TypeScript or JSON
 * text. Words are those of QEMU's "How to use the QAPI code generator" (docs/devel/qapi-code-gen.rst).
 */

/** A place in a schema source file; line and column count from 1, columns in UTF-16 code units. */
export interface Position {
  /** The file as it was reached: the root as given, includes relative to it. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A whole schema: all modules that the root file reaches. */
export interface Schema {
  /** In the order of their first inclusion, the root first. */
  readonly modules: readonly Module[];
  /** SHA-256 of the modules' paths and texts, in hexadecimal digits: says whether two schemas are the same. */
  readonly digest: string;
  /** Every named definition, in source order with includes expanded in place, by name. */
  readonly definitions: ReadonlyMap<string, Definition>;
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
/** What has a name of its own, or that of its owner. */
export type NamedType = EnumType | StructType | UnionType | AlternateType;
export type Type = BuiltinType | NamedType | ArrayType;
/** What QAPI calls an object type. */
export type ObjectType = StructType | UnionType;

/** What all named definitions have. */
interface DefinitionBase {
  readonly name: string;
  readonly module: string;
  readonly position: Position;
  readonly condition?: Condition;
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
}

export interface ArrayType {
  readonly kind: 'array';
  readonly element: Exclude<Type, ArrayType>;
}

export interface EnumType extends DefinitionBase {
  readonly kind: 'enum';
  readonly values: readonly EnumValue[];
  /** Prefix of the C constants; nothing on the wire. */
  readonly prefix?: string;
  /** Set when the schema does not write the type. */
  readonly implicit?: Implicit;
}

export interface EnumValue {
  readonly name: string;
  readonly condition?: Condition;
  readonly features: readonly Feature[];
}

export interface StructType extends DefinitionBase {
  readonly kind: 'struct';
  readonly base?: StructType;
  /** Its own members, without those of its base. */
  readonly members: readonly Member[];
  /** Set when the type has no name in the schema, because it was written in place. `name` is then the name of its owner. */
  readonly implicit?: Implicit;
}

/**
 * Why an implicit type exists: it is the inline `data` of a command or event, the inline `base` of a union, or, for a union
 * without discriminator (QEMU before 6.2), its enum of branches or the `{ data }` around a branch's type; or it is QAPI's own
 * enum of JSON kinds, `QType`.
 */
export type Implicit = 'arguments' | 'base' | 'discriminator' | 'wrapper' | 'predefined';

export interface Member {
  readonly name: string;
  readonly type: Type;
  readonly optional: boolean;
  readonly condition?: Condition;
  readonly features: readonly Feature[];
}

export interface UnionType extends DefinitionBase {
  readonly kind: 'union';
  /** Named, or implicit when the schema writes it in place. Unions have no members of their own. */
  readonly base: StructType;
  /** A member of `base`, or of a base of that. */
  readonly discriminator: Member & { readonly type: EnumType };
  /** One for each value of the discriminator: first those that the schema writes, then those without a branch. */
  readonly branches: readonly Branch[];
}

export interface Branch {
  /** A value of the discriminator. */
  readonly name: string;
  /** Absent for a value for which the schema names no type: no further members. */
  readonly type?: ObjectType;
  readonly condition?: Condition;
}

export interface AlternateType extends DefinitionBase {
  readonly kind: 'alternate';
  readonly alternatives: readonly Alternative[];
}

export interface Alternative {
  /** Nothing on the wire: the type's JSON kind decides. */
  readonly name: string;
  readonly type: Exclude<Type, AlternateType>;
  readonly condition?: Condition;
}

export interface Command extends DefinitionBase {
  readonly kind: 'command';
  readonly arguments?: ObjectType;
  readonly returns?: Type;
  readonly boxed: boolean;
  /** False: QEMU's compiler writes no code that reads the arguments; see `takesFurtherArguments`. */
  readonly gen: boolean;
  /** False: the server sends no reply when the command succeeds. */
  readonly successResponse: boolean;
  readonly allowOob: boolean;
  readonly allowPreconfig: boolean;
  readonly coroutine: boolean;
}

export interface Event extends DefinitionBase {
  readonly kind: 'event';
  readonly data?: ObjectType;
  readonly boxed: boolean;
}

export interface Feature {
  readonly name: string;
  readonly condition?: Condition;
}

/** Which builds of QEMU have a thing: `if` in the schema. */
export type Condition =
  | { readonly kind: 'defined'; readonly name: string }
  | { readonly kind: 'not'; readonly operand: Condition }
  | { readonly kind: 'all' | 'any'; readonly operands: readonly Condition[] };

/** A definition's documentation comment. Texts are reStructuredText, the older conventions of QEMU included. */
export interface Doc {
  readonly position: Position;
  /** The paragraphs that belong to no section, in order, examples cut out. */
  readonly body: string;
  readonly members: ReadonlyMap<string, DocEntry>;
  readonly features: ReadonlyMap<string, DocEntry>;
  readonly returns?: string;
  readonly errors?: string;
  /** The QEMU version that brought the definition: `2.10`. */
  readonly since?: string;
  readonly examples: readonly DocExample[];
}

/** What the documentation says of one member, value or feature. */
export interface DocEntry {
  readonly text: string;
  /** Of "(since 2.10)" in the text. */
  readonly since?: string;
}

/** An example of use: an exchange of `-> {...}` and `<- {...}`, or other text, as written, without its indentation. */
export interface DocExample {
  readonly title?: string;
  readonly text: string;
  /** Set when the text is reStructuredText, with the exchange in literal blocks of it. */
  readonly annotated?: true;
}

/** All members of a struct with those of its bases, those first; of a union, those of its base. */
export function allMembers(type: ObjectType): Member[] {
  if (type.kind === 'union') return allMembers(type.base);
  return type.base ? [...allMembers(type.base), ...type.members] : [...type.members];
}

/** Whether a type has no members at all, not even through its base. */
export function isEmpty(type: ObjectType): boolean {
  return type.kind === 'struct' && type.members.length === 0 && (!type.base || isEmpty(type.base));
}

/**
 * Whether a command may take other arguments than those of the schema. A command without arguments takes none, even where no code is
 * generated for it: up to QEMU 5.2, that was so for `query-qmp-schema`.
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
