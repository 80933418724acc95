/**
 * The types of a schema at run time, as validators use them: built-in types, arrays and structs. Types can be
 * recursive, so generated code describes them by functions that are called on first use. The terms are those of QEMU's
 * manual: "How to use the QAPI code generator".
 */

import type { Check, Compiler } from './compile.js';
import { kindOf, own, read, readingOf, type Inspector, type Notes } from './inspect.js';
import { flawOf, inheritedNames, lengthOf, limits, maxDepthInMessage, tokensOf, type JsonKind } from './json.js';
import { didYouMean } from './suggest.js';
import { noParts, type Type } from './type.js';

type Range = readonly [min: bigint, max: bigint];

const integerRanges = /* @__PURE__ */ (() => {
  const int64: Range = [-(2n ** 63n), 2n ** 63n - 1n];
  // QEMU accepts a negative 64-bit number as the unsigned number with the same bits.
  const uint64: Range = [-(2n ** 63n), 2n ** 64n - 1n];
  return {
    int: int64,
    int8: [-128n, 127n],
    int16: [-32768n, 32767n],
    int32: [-(2n ** 31n), 2n ** 31n - 1n],
    int64,
    uint8: [0n, 255n],
    uint16: [0n, 65535n],
    uint32: [0n, 2n ** 32n - 1n],
    uint64,
    size: uint64,
  } as const satisfies Record<string, Range>;
})();

export type IntegerName = keyof typeof integerRanges;
export type BuiltinName = IntegerName | 'str' | 'number' | 'bool' | 'any' | 'null';

/** The part of a validator that identifies its type. */
export interface Typed {
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

interface MemberNotes extends Notes {
  /**
   * The versions in which an optional member is mandatory, in code for a range of versions. A member whose name does not
   * end in `?` is mandatory in all versions.
   */
  readonly mandatoryIn?: string;
}

interface Noted extends MemberNotes {
  readonly type: TypeRef;
}

// Built-in types

export class BuiltinType implements Type {
  readonly isScalar = true;
  readonly parts = noParts;

  constructor(readonly name: BuiltinName) {}

  get jsonKind(): JsonKind | undefined {
    switch (this.name) {
      case 'any':
        return undefined;
      case 'str':
        return 'string';
      case 'bool':
        return 'boolean';
      case 'null':
        return 'null';
      default:
        return 'number';
    }
  }

  get expectation(): string {
    const { name } = this;
    return isInteger(name) ? integerExpectation(integerRanges[name]) : (this.jsonKind ?? 'JSON');
  }

  get takesNull(): boolean {
    return this.name === 'null' || this.name === 'any';
  }

  test(compiler: Compiler, variable: string): string {
    const isOut = compiler.mode === 'out';
    const { name, jsonKind } = this;
    switch (name) {
      case 'str':
      case 'bool': {
        const test = `typeof ${variable} === '${jsonKind}'`;
        return isOut && name === 'str' ? `${test} && ${compiler.constant(flawOf)}(${variable}) === undefined` : test;
      }
      case 'null':
        return `${variable} === null`;
      case 'number':
        return `Number.isFinite(${variable})`;
      case 'any':
        return isOut ? `${compiler.constant(isSimple)}(${variable})` : `${variable} !== undefined`;
      default:
        return testOfInteger(integerRanges[name], variable);
    }
  }

  inspect(inspector: Inspector, value: unknown): void {
    const { name } = this;
    switch (name) {
      case 'any':
        inspectAny(inspector, value);
        break;
      case 'str':
        inspectString(inspector, value);
        break;
      case 'number':
        if (typeof value === 'bigint' && inspector.mends) inspector.replace(Number(value));
        else if (!Number.isFinite(value)) inspector.mismatch(name, value);
        break;
      case 'bool':
      case 'null':
        if (kindOf(value) !== this.jsonKind) inspector.mismatch(this.expectation, value);
        break;
      default:
        inspectInteger(inspector, integerRanges[name], value);
    }
  }
}

function isInteger(name: BuiltinName): name is IntegerName {
  return Object.hasOwn(integerRanges, name);
}

function integerExpectation([min, max]: Range): string {
  if (max <= Number.MAX_SAFE_INTEGER) return `integer from ${min} to ${max}`;
  return max === integerRanges.int64[1] ? '64-bit signed integer' : '64-bit integer';
}

function testOfInteger([min, max]: Range, m: string): string {
  if (max <= Number.MAX_SAFE_INTEGER) return `Number.isInteger(${m}) && ${m} >= ${min} && ${m} <= ${max}`;
  return `(Number.isSafeInteger(${m}) || typeof ${m} === 'bigint' && ${m} >= ${min}n && ${m} <= ${max}n)`;
}

function inspectInteger(inspector: Inspector, range: Range, value: unknown): void {
  const [min, max] = range;
  const expected = integerExpectation(range);
  // Integers that always fit into a number are never a bigint.
  const isLong = max > Number.MAX_SAFE_INTEGER;
  if (typeof value === 'bigint' && !isLong) inspector.mismatch(expected, value, ': use a number');
  else if (typeof value !== 'bigint' && !Number.isInteger(value)) inspector.mismatch(expected, value);
  else if (typeof value === 'number' && isLong && !Number.isSafeInteger(value)) {
    inspector.mismatch(expected, value, ', which is not exact: use a bigint');
  } else if ((value as number) < min || (value as number) > max) inspector.mismatch(expected, value);
}

function inspectString(inspector: Inspector, value: unknown): void {
  if (typeof value !== 'string') inspector.mismatch('string', value);
  else if (inspector.isOut) {
    const flaw = flawOf(value);
    if (flaw !== undefined) inspector.add('mismatch', 'string', `string with ${flaw}`);
  }
}

/** Accepts any JSON with exact integers. Received values are always of that form. */
function inspectAny(inspector: Inspector, value: unknown): void {
  if (!inspector.isOut) return;
  switch (kindOf(value)) {
    case 'array':
      inspectArray(inspector, typeOf('any'), value);
      break;
    case 'object':
      inspectObject(inspector, emptyStruct, value, true);
      break;
    case 'string':
      inspectString(inspector, value);
      break;
    case 'number':
      if (typeof value === 'bigint' || Number.isInteger(value)) inspectInteger(inspector, integerRanges.uint64, value);
      else if (!Number.isFinite(value)) inspector.mismatch('number', value);
      break;
    case undefined:
      inspector.mismatch('JSON', value);
      break;
    default:
  }
}

/** Returns whether a value is valid JSON other than an object or array. */
function isSimple(value: unknown): boolean {
  if (typeof value === 'string') return flawOf(value) === undefined;
  if (typeof value !== 'number') return typeof value === 'boolean' || value === null;
  return Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
}

// Arrays

export class ArrayType implements Type {
  readonly jsonKind = 'array';
  readonly expectation = 'array';
  readonly takesNull = false;
  readonly isScalar = false;

  constructor(readonly element: Type) {}

  get parts(): Iterable<Type> {
    return [this.element];
  }

  compile(compiler: Compiler): Check {
    const each = tokensOf.element + (compiler.mode === 'out' ? 0 : tokensOf.object);
    return compiler.function(`if (!Array.isArray(v) || d === ${maxDepthInMessage}) return false;
const n = v.length >>> 0;
if (Object.getPrototypeOf(v) !== Array.prototype) return false;
if (!(${compiler.spent(`n * ${each}`)})) return false;
for (let i = 0; i < n; i++) {
  const e = v[i];
  if (!(${compiler.test(this.element, 'e')})) return false;
}
return true;`);
  }

  inspect(inspector: Inspector, value: unknown): void {
    inspectArray(inspector, this.element, value);
  }
}

function inspectArray(inspector: Inspector, element: Type, array: unknown): void {
  if (!inspector.enter('array', array)) return;
  const length = lengthOf(array);
  if (length * tokensOf.element > limits[inspector.direction].tokens) {
    inspector.add('mismatch', 'array', `array of ${length} elements, which is too many`);
    inspector.leave();
    return;
  }
  inspector.spend(length * tokensOf.element);
  for (let index = 0; index < length; index += 1) {
    inspector.path.push(index);
    const value = array[index];
    element.inspect(inspector, value);
    inspector.path.pop();
    // A sparse array may have millions of holes. One issue is enough.
    if (value === undefined && !(index in array)) break;
  }
  inspector.leave();
}

// Structs

export interface Member extends MemberNotes {
  readonly name: string;
  readonly type: Type;
  readonly optional: boolean;
}

/** A struct or a union. */
export interface ObjectType extends Type {
  /** The members of a struct, or of a union's base. */
  readonly ownMembers: readonly Member[];
  /**
   * @param outer the members of the enclosing unions
   * @param tags members already read and tested: the discriminators
   */
  compile(compiler: Compiler, outer?: readonly Member[], tags?: ReadonlySet<Member>): Check;
  /** @param find returns the value of a member */
  shape(find: (name: string) => unknown): Shape;
  select(find: (name: string) => unknown): Selection;
  /** Returns a hint about where else a member exists, if an object has it in the wrong place. */
  elsewhere(object: object, name: string): string;
}

/** The structs and unions whose members make up an object, as selected by its discriminators. */
export interface Selection {
  /** Identifies the selection: the values of the discriminators, outermost first. */
  readonly key: string;
  readonly parts: readonly ObjectType[];
  /** Whether the branch is unknown. */
  readonly isOpen: boolean;
}

/** The members of an object, as selected by its discriminators. */
export interface Shape {
  readonly members: ReadonlyMap<string, Member>;
  readonly mandatory: readonly Member[];
  /** True if the branch is unknown, so that any further members are accepted. */
  readonly isOpen: boolean;
}

export function shapeOf(all: readonly Member[], isOpen: boolean): Shape {
  const members = new Map(all.map((member) => [member.name, member]));
  return { members, mandatory: all.filter(({ optional }) => !optional), isOpen };
}

export class StructType implements ObjectType {
  readonly jsonKind = 'object';
  readonly expectation = 'object';
  readonly takesNull = false;
  readonly isScalar = false;
  readonly #define: () => MemberRefs;
  readonly #base: (() => Typed) | undefined;
  #members: readonly Member[] | undefined;
  #shape: Shape | undefined;

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

  get ownMembers(): readonly Member[] {
    return this.members;
  }

  get parts(): Iterable<Type> {
    return this.members.map(({ type }) => type);
  }

  get isFlat(): boolean {
    return this.members.every(({ type }) => type.isScalar);
  }

  compile(compiler: Compiler, outer: readonly Member[] = [], tags?: ReadonlySet<Member>): Check {
    const members = [...outer, ...this.members];
    const isStrict = compiler.mode !== 'open';
    const mandatory = members.filter(({ optional }) => !optional).length;
    const untested = members
      .filter((member) => !tags?.has(member))
      .toSorted((a, b) => Number(a.optional) - Number(b.optional));
    // Reading a member first lets the engine know the object's shape, which makes the prototype test free.
    const [first] = untested;
    const tests = untested.map((member) => {
      const get = member === first ? '' : `m = ${reading(member.name)};`;
      const failing = `if (!(${compiler.test(member.type, 'm')})) return false;`;
      return member.optional ? `${get} if (m !== undefined) { ${failing} n--; }` : `${get} ${failing}`;
    });
    // An extra member is unknown unless its value is undefined.
    return compiler.function(`${objectOnly()}
let m, n = 0;
${first ? `m = ${reading(first.name)};` : ''}
if (Object.getPrototypeOf(v) !== Object.prototype) return false;
${isStrict ? 'const all = Object.getOwnPropertyNames(v).length;' : ''}
${counting(compiler, members)}
${isStrict ? `n = all - ${mandatory};` : ''}
${tests.join('\n')}
${isStrict ? 'if (n > 0) for (const k in v) if (v[k] === undefined) n--;' : ''}
return ${isStrict ? 'n === 0' : 'true'};`);
  }

  inspect(inspector: Inspector, value: unknown, further?: boolean): void {
    inspectObject(inspector, this, value, further);
  }

  shape(): Shape {
    return (this.#shape ??= shapeOf(this.members, false));
  }

  select(): Selection {
    return { key: '', parts: [this], isOpen: false };
  }

  elsewhere(): string {
    return '';
  }
}

export const emptyStruct = /* @__PURE__ */ new StructType(() => ({}));

/** Returns the source that begins every check of objects. */
export function objectOnly(): string {
  return `if (typeof v !== 'object' || v === null || d === ${maxDepthInMessage}) return false;`;
}

/** Only arrays, and objects at this depth or deeper, count tokens: fewer levels of objects cannot contain too many. */
const freeDepth = 8;

/** Rejects a value with too many tokens. Received objects are counted by the object or array that contains them. */
function counting(compiler: Compiler, members: readonly Member[]): string {
  if (compiler.mode === 'out') return `if (!(${compiler.spent(`all * ${tokensOf.member}`)})) return false;`;
  const holders = members.filter(({ type }) => !type.isScalar).length;
  if (holders === 0) return '';
  return `if (d >= ${freeDepth} && !(${compiler.spent(String(holders * tokensOf.object))})) return false;`;
}

/** Returns an expression for a member. Names that every object inherits have to be tested for ownership. */
export function reading(name: string): string {
  const text = JSON.stringify(name);
  return inheritedNames.has(name) ? `(Object.hasOwn(v, ${text}) ? v[${text}] : undefined)` : `v[${text}]`;
}

/** @param further whether the object may have members beyond those of its type */
export function inspectObject(inspector: Inspector, type: ObjectType, object: unknown, further = false): void {
  if (!inspector.enter('object', object)) return;
  const { isOut, path } = inspector;
  const names = Object.keys(object);
  // Code that reads a member also sees one that is not enumerable. Arguments are inspected again in the form in which
  // they are sent.
  const find = (name: string): unknown => (isOut ? own : readingOf)(object, name);
  const { members, mandatory, isOpen } = type.shape(find);
  // Compiled checks do not descend into unknown members of received values.
  const unknown = Math.max(names.length - members.size, 0);
  inspector.spend(isOut ? names.length * tokensOf.member : tokensOf.object + unknown);
  let missing = mandatory.length;
  for (const name of names) {
    path.push(name);
    const value = read(object, name);
    const member = members.get(name);
    if (value !== undefined) {
      if (member) inspectMember(inspector, member, value);
      else if (isOpen || further) {
        inspectString(inspector, name);
        inspectAny(inspector, value);
      } else reportUnknown(inspector, type, object, members, name);
      if (member && !member.optional) missing -= 1;
    }
    path.pop();
  }
  if (missing > 0) {
    const enumerated = new Set(names.filter((name) => own(object, name) !== undefined));
    for (const member of mandatory) {
      if (enumerated.has(member.name)) continue;
      path.push(member.name);
      const value = find(member.name);
      if (value === undefined) reportMissing(inspector, member);
      else inspectMember(inspector, member, value);
      path.pop();
    }
  }
  inspector.leave();
}

function inspectMember(inspector: Inspector, member: Member, value: unknown): void {
  const { type, optional } = member;
  inspector.remark(member);
  if (value === null && optional && !type.takesNull) {
    inspector.mismatch(type.expectation, value, '; leave it out instead');
  } else type.inspect(inspector, value);
}

function reportMissing(inspector: Inspector, { type: { expectation } }: Member): void {
  inspector.issue('mismatch', expectation, 'nothing', `missing, expected ${expectation}`);
}

function reportUnknown(
  inspector: Inspector,
  type: ObjectType,
  object: object,
  members: ReadonlyMap<string, Member>,
  name: string,
): void {
  if (!inspector.isWanted('unknown')) return;
  const absent = (): string[] => [...members.keys()].filter((candidate) => own(object, candidate) === undefined);
  const hint = inspector.isOut ? type.elsewhere(object, name) || didYouMean(name, absent()) : '';
  const found = kindOf(own(object, name)) ?? 'not JSON';
  inspector.issue('unknown', 'no member of this name', found, `unknown member${hint}`);
}

// References

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
