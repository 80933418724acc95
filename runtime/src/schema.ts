/**
 * The types of a schema at run time, as validators use them. Types can be recursive, so generated code describes them
 * by functions that are called on first use. The terms are those of QEMU's manual: "How to use the QAPI code
 * generator".
 */

export const integerRanges = {
  int: [-(2n ** 63n), 2n ** 63n - 1n],
  int8: [-128n, 127n],
  int16: [-32768n, 32767n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint8: [0n, 255n],
  uint16: [0n, 65535n],
  uint32: [0n, 2n ** 32n - 1n],
  // QEMU accepts a negative 64-bit number as the unsigned number with the same bits.
  uint64: [-(2n ** 63n), 2n ** 64n - 1n],
  size: [-(2n ** 63n), 2n ** 64n - 1n],
} as const satisfies Record<string, readonly [bigint, bigint]>;

export type IntegerName = keyof typeof integerRanges;
export type BuiltinName = IntegerName | 'str' | 'number' | 'bool' | 'any' | 'null';

/** Facts about a definition, member or enum value besides its type. */
export interface Notes {
  readonly deprecated?: true;
  readonly unstable?: true;
  /** The condition that holds in the builds of QEMU that have it. */
  readonly if?: string;
}

/** A validator, reduced to what identifies its type. */
interface Typed {
  (value: unknown): boolean;
  readonly type: Type;
}

/**
 * A reference to a type in generated code: a built-in type by its name, an array by its element, any other type by its
 * validator.
 */
export type TypeRef = BuiltinName | readonly [TypeRef] | Typed;

/** Members by name. The name of an optional member ends in `?`. */
export type MemberRefs = Readonly<Record<string, TypeRef | Noted>>;

interface Noted extends Notes {
  readonly type: TypeRef;
}

export type Type = BuiltinType | ArrayType | EnumType | ObjectType | AlternateType;
export type ObjectType = StructType | UnionType;

export class BuiltinType {
  readonly kind = 'builtin';

  constructor(readonly name: BuiltinName) {}
}

export class ArrayType {
  readonly kind = 'array';

  constructor(readonly element: Type) {}
}

/** How generated code describes an enum: each value by itself. Integer-like values come first, whatever the order of the schema. */
export type EnumValues = Readonly<Record<string, string>>;

export class EnumType {
  readonly kind = 'enum';
  readonly values: ReadonlySet<string>;
  readonly notes: ReadonlyMap<string, Notes>;

  constructor(values: EnumValues, notes: Readonly<Record<string, Notes>>) {
    this.values = new Set(Object.keys(values));
    this.notes = new Map(Object.entries(notes));
  }
}

export interface Member extends Notes {
  readonly name: string;
  readonly type: Type;
  readonly optional: boolean;
}

export class StructType {
  readonly kind = 'struct';
  readonly #define: () => MemberRefs;
  readonly #base: (() => Typed) | undefined;
  #members: readonly Member[] | undefined;

  /** @param base the validator of a struct */
  constructor(define: () => MemberRefs, base?: () => Typed) {
    this.#define = define;
    this.#base = base;
  }

  /** The members, those of the base first. */
  get members(): readonly Member[] {
    if (!this.#members) {
      const base = this.#base?.().type as StructType | undefined;
      this.#members = [...(base?.members ?? []), ...membersOf(this.#define())];
    }
    return this.#members;
  }
}

export const emptyStruct = /* @__PURE__ */ new StructType(() => ({}));

/** The description of a union in generated code: its base, and its branches by value of the discriminator. */
export type UnionRefs = readonly [base: Typed, branches: Readonly<Record<string, Typed>>];

export class UnionType {
  readonly kind = 'union';
  readonly #define: () => UnionRefs;
  #resolved: ResolvedUnion | undefined;

  /** @param discriminator a member of the base */
  constructor(
    readonly discriminator: string,
    define: () => UnionRefs,
  ) {
    this.#define = define;
  }

  get base(): StructType {
    return this.#resolve().base;
  }

  /** All values of the discriminator. */
  get values(): ReadonlySet<string> {
    return this.#resolve().values;
  }

  /** The branches by value of the discriminator. Values without a branch add no members. */
  get branches(): ReadonlyMap<string, ObjectType> {
    return this.#resolve().branches;
  }

  #resolve(): ResolvedUnion {
    if (!this.#resolved) {
      const [{ type }, refs] = this.#define();
      const base = type as StructType;
      const tag = base.members.find(({ name }) => name === this.discriminator) as Member;
      const branches = Object.entries(refs).map(([value, branch]) => [value, branch.type as ObjectType] as const);
      this.#resolved = { base, values: (tag.type as EnumType).values, branches: new Map(branches) };
    }
    return this.#resolved;
  }
}

interface ResolvedUnion {
  readonly base: StructType;
  readonly values: ReadonlySet<string>;
  readonly branches: ReadonlyMap<string, ObjectType>;
}

/** The kind of JSON value, which selects the alternative of an alternate. */
export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

export class AlternateType {
  readonly kind = 'alternate';
  readonly #define: () => readonly TypeRef[];
  #alternatives: ReadonlyMap<JsonKind, Type> | undefined;

  constructor(define: () => readonly TypeRef[]) {
    this.#define = define;
  }

  get alternatives(): ReadonlyMap<JsonKind, Type> {
    return (this.#alternatives ??= new Map(this.#define().map((ref) => [kindOfType(typeOf(ref)), typeOf(ref)])));
  }
}

const builtins = new Map<BuiltinName, BuiltinType>();

export function typeOf(ref: TypeRef): Type {
  if (typeof ref === 'string') {
    const builtin = builtins.get(ref) ?? new BuiltinType(ref);
    builtins.set(ref, builtin);
    return builtin;
  }
  return 'type' in ref ? ref.type : new ArrayType(typeOf(ref[0]));
}

function membersOf(refs: MemberRefs): Member[] {
  return Object.entries(refs).map(([key, ref]) => {
    const optional = key.endsWith('?');
    const name = optional ? key.slice(0, -1) : key;
    // A plain type reference is a string, an array or a function.
    return isNoted(ref) ? { ...ref, name, optional, type: typeOf(ref.type) } : { name, optional, type: typeOf(ref) };
  });
}

function isNoted(ref: TypeRef | Noted): ref is Noted {
  return typeof ref === 'object' && 'type' in ref;
}

/** Returns the JSON kind of an alternative. An alternative is neither an alternate nor `any`. */
function kindOfType(type: Type): JsonKind {
  switch (type.kind) {
    case 'array':
      return 'array';
    case 'enum':
      return 'string';
    case 'builtin':
      return kindOfBuiltin(type.name);
    default:
      return 'object';
  }
}

function kindOfBuiltin(name: BuiltinName): JsonKind {
  if (name === 'str') return 'string';
  if (name === 'bool') return 'boolean';
  return name === 'null' ? 'null' : 'number';
}

/** Returns whether values of the type can contain a `number` at any depth. */
export function holdsNumbers(type: Type, seen: Set<Type> = new Set()): boolean {
  if (seen.has(type)) return false;
  seen.add(type);
  const inside = (types: Iterable<Type>): boolean => [...types].some((part) => holdsNumbers(part, seen));
  switch (type.kind) {
    case 'builtin':
      return type.name === 'number';
    case 'array':
      return inside([type.element]);
    case 'struct':
      return inside(type.members.map((member) => member.type));
    case 'union':
      return inside([type.base, ...type.branches.values()]);
    case 'alternate':
      return inside(type.alternatives.values());
    case 'enum':
      return false;
  }
}
