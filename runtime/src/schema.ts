/**
 * The types of a schema at run time: what validators know of it. Generated code describes them; as they refer to each other in circles,
 * a description is read when it is first needed. Words are those of QEMU's "How to use the QAPI code generator".
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
  // QEMU takes a negative number of 64 bits for the unsigned one of the same bits.
  uint64: [-(2n ** 63n), 2n ** 64n - 1n],
  size: [-(2n ** 63n), 2n ** 64n - 1n],
} as const satisfies Record<string, readonly [bigint, bigint]>;

export type IntegerName = keyof typeof integerRanges;
export type BuiltinName = IntegerName | 'str' | 'number' | 'bool' | 'any' | 'null';

/** What the schema says of a thing beside its type. */
export interface Notes {
  readonly deprecated?: true;
  readonly unstable?: true;
  /** The builds of QEMU that have it. */
  readonly if?: string;
}

/** What has a type: a validator. */
interface Typed {
  (value: unknown): boolean;
  readonly type: Type;
}

/** How generated code refers to a type: a builtin by its name, an array by its element, any other by its validator. */
export type TypeRef = BuiltinName | readonly [TypeRef] | Typed;

/** Members by name, those that are optional with a `?` behind it. */
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

  /** @param base has a struct */
  constructor(define: () => MemberRefs, base?: () => Typed) {
    this.#define = define;
    this.#base = base;
  }

  /** Those of its base first. */
  get members(): readonly Member[] {
    if (!this.#members) {
      const base = this.#base?.().type as StructType | undefined;
      this.#members = [...(base?.members ?? []), ...membersOf(this.#define())];
    }
    return this.#members;
  }
}

export const emptyStruct = /* @__PURE__ */ new StructType(() => ({}));

/** How generated code describes a union: its base, and what has the object types of its branches, by value of the discriminator. */
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

  /** By value of the discriminator; one that has none adds no members. */
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

/** What decides between the alternatives of an alternate. */
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
    // What refers to a type is a string, an array, or a function.
    return isNoted(ref) ? { ...ref, name, optional, type: typeOf(ref.type) } : { name, optional, type: typeOf(ref) };
  });
}

function isNoted(ref: TypeRef | Noted): ref is Noted {
  return typeof ref === 'object' && 'type' in ref;
}

/** An alternative is never an alternate, nor `any`. */
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

/** Whether a value of the type may hold a `number`, at whatever depth. */
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
