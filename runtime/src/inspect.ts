/**
 * Finds every violation of a type in a value, where QEMU's input visitor stops at the first. A value to send must match
 * the schema exactly. In a received value, unknown members and enum values are issues of a separate kind, because QMP
 * requires clients to accept them. QEMU's manual: "QEMU Machine Protocol Specification", "Compatibility
 * Considerations".
 */

import { hidden, holdsCredential, isSecretMember } from './credentials.js';
import {
  classOf,
  flawOf,
  inheritedNames,
  kindOfObject,
  lengthOf,
  limits,
  maxDepthInMessage,
  tokensOf,
} from './json.js';
import {
  ArrayType,
  BuiltinType,
  emptyStruct,
  integerRanges,
  type BuiltinName,
  type EnumType,
  type IntegerName,
  type JsonKind,
  type Member,
  type Notes,
  type ObjectType,
  type StructType,
  type Type,
} from './schema.js';
import { didYouMean } from './suggest.js';
import { shortened } from './text.js';
import { visible } from './visible.js';

/** Reasons to warn about the use of a known part of the schema. */
export type Remark = 'deprecated' | 'unstable' | 'conditional';

/** A finding about one place in a value. */
export interface Issue {
  /**
   * `mismatch`: the value contradicts the schema. `unknown`: the member or enum value is not in the schema. The others
   * are remarks: the schema has it, but it is deprecated, unstable, or missing from some builds of QEMU.
   */
  readonly kind: 'mismatch' | 'unknown' | Remark;
  /** The path from the value to the place, as member names and array indices: `['file', 'filename']`. */
  readonly path: readonly (string | number)[];
  /** What the schema requires: `string`, `integer from 0 to 255`, `one of 'on', 'off'`. */
  readonly expected: string;
  /** What the value has instead: `number 5`, `array`, `nothing`. Secrets are hidden. */
  readonly found: string;
  /** A description for people, safe to print: `expected string, found number 5`. */
  readonly message: string;
}

/** `out`: a value to send. `in`: a received value. */
export type Direction = 'in' | 'out';

export interface InspectOptions {
  readonly direction: Direction;
  /** Whether the object may have members beyond those of its type, like the arguments of some commands. */
  readonly further?: boolean | undefined;
  readonly remarks?: readonly Remark[] | undefined;
  /** The notes of the command or event itself. */
  readonly notes?: Notes | undefined;
  /** Whether to replace a `bigint` in the place of a `number`: on the wire, large doubles look like integers. */
  readonly mend?: boolean | undefined;
  /** Whether to ignore unknown members and enum values. */
  readonly ignoreUnknown?: boolean | undefined;
}

export interface Inspection {
  readonly issues: Issue[];
  /** The value, or its replacement. */
  readonly value: unknown;
}

/** The maximum number of issues of each kind. */
const maxIssues = 1000;
/** The number of characters of a value that are shown. */
const maxShown = 40;
/** The number of values of an enum that are listed. */
const maxValues = 12;

/** Inspects a value. Never throws. */
export function inspect(type: Type, value: unknown, options: InspectOptions): Inspection {
  const inspector = new Inspector(options, value);
  inspector.inspect(type);
  return inspector;
}

/** Returns whether an issue makes the value invalid. */
export function isFailure({ kind }: Issue, direction: Direction): boolean {
  return kind === 'mismatch' || (kind === 'unknown' && direction === 'out');
}

/**
 * Inspects one value. Values nest up to a thousand levels deep, so there are no callbacks in the recursion: the stack
 * has to suffice.
 */
class Inspector {
  readonly issues: Issue[] = [];
  value: unknown;
  readonly #options: InspectOptions;
  readonly #counts = new Map<Issue['kind'], number>();
  readonly #path: (string | number)[] = [];
  /** The objects and arrays on the path, outermost first. */
  readonly #holders: object[] = [];
  /** The number of tokens inspected. Without a limit, objects that share others could have any number. */
  #tokens = 1;

  constructor(options: InspectOptions, value: unknown) {
    this.#options = options;
    this.value = value;
  }

  inspect(type: Type): void {
    this.#remark(this.#options.notes);
    try {
      this.#value(type, this.value, this.#options.further);
    } catch (error) {
      // A getter or proxy threw. The path leads to it.
      if (error !== tooMuch) this.#add('mismatch', 'a readable value', 'a value that throws when read');
    }
  }

  /** @param further whether an object may have members beyond those of its type */
  #value(type: Type, value: unknown, further = false): void {
    switch (type.kind) {
      case 'builtin':
        if (type.name === 'any') this.#any(value);
        else this.#builtin(type.name, value);
        break;
      case 'enum':
        this.#enum(type, value);
        break;
      case 'array':
        if (this.#enter('array', value)) this.#array(type, value);
        break;
      case 'alternate': {
        const alternative = type.alternatives.get(kindOf(value) as JsonKind);
        if (alternative) this.#value(alternative, value);
        else this.#mismatch(expectation(type), value);
        break;
      }
      default:
        this.#object(type, value, further);
    }
  }

  #array({ element }: ArrayType, array: readonly unknown[]): void {
    const length = lengthOf(array);
    const { tokens } = limits[this.#options.direction];
    if (length * tokensOf.element > tokens) {
      this.#add('mismatch', 'array', `array of ${length} elements, which is too many`);
      this.#holders.pop();
      return;
    }
    this.#spend(length * tokensOf.element);
    for (let index = 0; index < length; index += 1) {
      this.#path.push(index);
      const value = array[index];
      this.#value(element, value);
      this.#path.pop();
      // A sparse array may have millions of holes. One issue is enough.
      if (value === undefined && !(index in array)) break;
    }
    this.#holders.pop();
  }

  #object(type: ObjectType, value: unknown, further: boolean): void {
    if (!this.#enter('object', value)) return;
    const names = Object.keys(value);
    // Code that reads a member also sees one that is not enumerable. Arguments are inspected again as they are sent.
    const find = (name: string): unknown => (this.#isOut ? own : readingOf)(value, name);
    const { members, mandatory, isOpen } = shapeOf(type, find);
    // Compiled checks do not descend into unknown members of received values.
    const unknown = Math.max(names.length - members.size, 0);
    this.#spend(this.#isOut ? names.length * tokensOf.member : tokensOf.object + unknown);
    let missing = mandatory.length;
    for (const name of names) {
      this.#path.push(name);
      const place = read(value, name);
      const member = members.get(name);
      if (place !== undefined) {
        if (member) this.#member(member, place);
        else if (isOpen || further) {
          this.#builtin('str', name);
          this.#any(place);
        } else this.#unknown(type, value, members, name);
        if (member && !member.optional) missing -= 1;
      }
      this.#path.pop();
    }
    if (missing > 0) {
      const enumerated = new Set(names.filter((name) => own(value, name) !== undefined));
      for (const member of mandatory) if (!enumerated.has(member.name)) this.#hidden(member, find(member.name));
    }
    this.#holders.pop();
  }

  /** Accepts any JSON with exact integers. Received values are nothing else. */
  #any(value: unknown): void {
    if (!this.#isOut) return;
    switch (kindOf(value)) {
      case 'array':
        this.#value(arrayOfAny, value);
        break;
      case 'object':
        this.#value(emptyStruct, value, true);
        break;
      case 'string':
        this.#builtin('str', value);
        break;
      case 'number':
        this.#builtin(typeof value === 'bigint' || Number.isInteger(value) ? 'uint64' : 'number', value);
        break;
      case undefined:
        this.#mismatch('JSON', value);
        break;
      default:
    }
  }

  #builtin(name: Exclude<BuiltinName, 'any'>, value: unknown): void {
    switch (name) {
      case 'str':
        if (typeof value !== 'string') this.#mismatch('string', value);
        else if (this.#isOut) {
          const flaw = flawOf(value);
          if (flaw !== undefined) this.#add('mismatch', 'string', `string with ${flaw}`);
        }
        break;
      case 'bool':
        if (typeof value !== 'boolean') this.#mismatch('boolean', value);
        break;
      case 'null':
        if (value !== null) this.#mismatch('null', value);
        break;
      case 'number':
        if (typeof value === 'bigint' && this.#options.mend) this.#replace(Number(value));
        else if (!Number.isFinite(value)) this.#mismatch('number', value);
        break;
      default:
        this.#integer(integerRanges[name], value);
    }
  }

  #integer(range: Range, value: unknown): void {
    const [min, max] = range;
    const expected = integerExpectation(range);
    // Integers that always fit into a number are never a bigint.
    const isLong = max > Number.MAX_SAFE_INTEGER;
    if (typeof value === 'bigint' && !isLong) this.#mismatch(expected, value, ': use a number');
    else if (typeof value !== 'bigint' && !Number.isInteger(value)) this.#mismatch(expected, value);
    else if (typeof value === 'number' && isLong && !Number.isSafeInteger(value)) {
      this.#mismatch(expected, value, ', which is not exact: use a bigint');
    } else if ((value as number) < min || (value as number) > max) this.#mismatch(expected, value);
  }

  #enum({ values, notes }: EnumType, value: unknown): void {
    if (typeof value !== 'string') this.#mismatch(oneOf(values), value);
    else if (values.has(value)) this.#remark(notes.get(value));
    else if (this.#isWanted('unknown')) {
      this.#add('unknown', oneOf(values), display(value), this.#isOut ? didYouMean(value, values) : '');
    }
  }

  #member(member: Member, value: unknown): void {
    const { type, optional } = member;
    this.#remark(member);
    if (value === null && optional && !takesNull(type)) {
      this.#mismatch(expectation(type), value, '; leave it out instead');
    } else this.#value(type, value);
  }

  /** Inspects a mandatory member that is not enumerable or is missing. */
  #hidden(member: Member, value: unknown): void {
    const expected = expectation(member.type);
    this.#path.push(member.name);
    if (value === undefined) this.#issue('mismatch', expected, 'nothing', `missing, expected ${expected}`);
    else this.#member(member, value);
    this.#path.pop();
  }

  #unknown(type: ObjectType, object: object, members: ReadonlyMap<string, Member>, name: string): void {
    if (!this.#isWanted('unknown')) return;
    const absent = (): string[] => [...members.keys()].filter((candidate) => own(object, candidate) === undefined);
    const hint = this.#isOut ? elsewhere(type, object, name) || didYouMean(name, absent()) : '';
    const found = kindOf(own(object, name)) ?? 'not JSON';
    this.#issue('unknown', 'no member of this name', found, `unknown member${hint}`);
  }

  /** Begins an object or array. Returns false, with an issue, for other kinds, cycles, and excessive depth. */
  #enter(kind: 'array', value: unknown): value is readonly unknown[];
  #enter(kind: 'object', value: unknown): value is Record<string, unknown>;
  #enter(kind: 'array' | 'object', value: unknown): boolean {
    if (kindOf(value) !== kind) this.#mismatch(kind, value);
    else if (this.#holders.includes(value as object)) this.#add('mismatch', kind, `${kind} that contains itself`);
    else if (this.#holders.length === maxDepthInMessage)
      this.#add('mismatch', kind, `${kind} that is nested too deeply`);
    else return this.#holders.push(value as object) > 0;
    return false;
  }

  #replace(value: number): void {
    const step = this.#path.at(-1);
    if (step === undefined) this.value = value;
    else (this.#holders.at(-1) as Record<string | number, unknown>)[step] = value;
  }

  /** @throws `tooMuch` when the tokens exceed the limit */
  #spend(tokens: number): void {
    const limit = limits[this.#options.direction].tokens;
    this.#tokens += Math.max(tokens, 1);
    if (this.#tokens <= limit) return;
    // Report the issue for the whole value.
    this.#path.length = 0;
    const hint = this.#isOut ? ', which QEMU does not accept in one message' : '';
    this.#add('mismatch', `at most ${limit} tokens of JSON`, 'more', hint);
    throw tooMuch;
  }

  get #isOut(): boolean {
    return this.#options.direction === 'out';
  }

  /** Returns whether to report more issues of a kind. */
  #isWanted(kind: Issue['kind']): boolean {
    if (kind === 'unknown' && this.#options.ignoreUnknown) return false;
    return (this.#counts.get(kind) ?? 0) < maxIssues;
  }

  // Reporting

  /** @param hint advice for the author of the value */
  #mismatch(expected: string, value: unknown, hint = ''): void {
    this.#add('mismatch', expected, this.#found(value), this.#isOut ? hint : '');
  }

  #remark(notes: Notes = {}): void {
    for (const remark of this.#options.remarks ?? []) {
      const isDue = remark === 'conditional' ? notes.if !== undefined : notes[remark];
      const message = remark === 'conditional' ? `only where ${notes.if ?? ''}` : remark;
      if (isDue)
        this.#issue(
          remark,
          remark === 'conditional' ? 'something that every build has' : `nothing ${remark}`,
          remark,
          message,
        );
    }
  }

  #add(kind: Issue['kind'], expected: string, found: string, hint = ''): void {
    this.#issue(kind, expected, found, `expected ${expected}, found ${found}${hint}`);
  }

  #issue(kind: Issue['kind'], expected: string, found: string, message: string): void {
    if (!this.#isWanted(kind)) return;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    this.issues.push({ kind, path: [...this.#path], expected, found: visible(found), message: visible(message) });
  }

  /** Returns whether the current place is a member with a secret name, or an element of one. */
  #isSecret(): boolean {
    return isSecretMember(this.#path.findLast((step) => typeof step === 'string'));
  }

  #found(value: unknown): string {
    const isHidden = typeof value !== 'object' && value !== undefined && this.#isSecret();
    return isHidden ? typeof value : describeValue(value);
  }
}

/** Replaces a member that throws when it is read. */
const unreadable = /* @__PURE__ */ new (class {
  readonly [Symbol.toStringTag] = 'a value that throws when read';
})();

/** Thrown to end an inspection. */
const tooMuch = /* @__PURE__ */ new Error('too many tokens');

const any = /* @__PURE__ */ new BuiltinType('any');
const arrayOfAny = /* @__PURE__ */ new ArrayType(any);

/** The members of an object, as selected by its discriminators. */
interface Shape {
  readonly members: ReadonlyMap<string, Member>;
  readonly mandatory: readonly Member[];
  /** True if the branch is unknown, so that any further members are accepted. */
  readonly isOpen: boolean;
}

/** Shapes by the values of the discriminators, outermost first. */
const shapes = new WeakMap<ObjectType, Map<string, Shape>>();

/** @param find returns the value of a member */
function shapeOf(type: ObjectType, find: (name: string) => unknown): Shape {
  const parts: ObjectType[] = [];
  let key = '';
  let isOpen = false;
  let part: ObjectType | undefined = type;
  while (part && !isOpen) {
    parts.push(part.kind === 'union' ? part.base : part);
    if (part.kind === 'struct') break;
    const tag = find(part.discriminator);
    isOpen = typeof tag !== 'string' || !part.values.has(tag);
    key += isOpen ? '?' : `${tag as string} `;
    part = part.branches.get(tag as string);
  }
  const ofType = shapes.get(type) ?? new Map<string, Shape>();
  shapes.set(type, ofType);
  let shape = ofType.get(key);
  if (!shape) {
    const all = parts.flatMap((one) => (one as StructType).members);
    const members = new Map(all.map((member) => [member.name, member]));
    shape = { members, mandatory: all.filter(({ optional }) => !optional), isOpen };
    ofType.set(key, shape);
  }
  return shape;
}

/** Returns the kind of a value, followed by the value itself if it is a scalar. */
export function describeValue(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  return typeof value === 'object' ? (kindOf(value) ?? nameOf(value)) : display(value);
}

/** Formats a scalar with its type. A text with credentials is hidden; a long one is truncated. */
function display(value: unknown): string {
  if (typeof value === 'function' || typeof value === 'symbol') return typeof value;
  const text = `${value as string | number | boolean | bigint}`;
  const short = holdsCredential(text) ? hidden : shortened(text, maxShown);
  return typeof value === 'string' ? `string '${short}'` : `${typeof value} ${short}`;
}

/** Returns undefined if the value is not JSON. */
function kindOf(value: unknown): JsonKind | undefined {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value as JsonKind;
    case 'bigint':
      return 'number';
    case 'object':
      return value === null ? 'null' : kindOfObject(value);
    default:
      return undefined;
  }
}

/** Returns the class name of an object that is not JSON. */
function nameOf(value: object): string {
  const name = classOf(value).slice(0, maxShown);
  return name === 'Object' ? 'an object with a misleading Symbol.toStringTag' : name;
}

/** Returns the value of a member, or what stands for it if its getter throws. */
function read(object: object, name: string): unknown {
  try {
    return (object as Record<string, unknown>)[name];
  } catch {
    return unreadable;
  }
}

function own(object: object, name: string): unknown {
  return Object.hasOwn(object, name) ? read(object, name) : undefined;
}

/** Returns `object.name`, ignoring members inherited from `Object.prototype`. */
function readingOf(object: object, name: string): unknown {
  return inheritedNames.has(name) ? own(object, name) : read(object, name);
}

function takesNull(type: Type): boolean {
  if (type.kind === 'alternate') return type.alternatives.has('null');
  return type.kind === 'builtin' && (type.name === 'null' || type.name === 'any');
}

function expectation(type: Type): string {
  switch (type.kind) {
    case 'builtin':
      return builtinExpectation(type.name);
    case 'enum':
      return oneOf(type.values);
    case 'alternate':
      return [...type.alternatives.keys()].join(' or ');
    case 'array':
      return 'array';
    default:
      return 'object';
  }
}

function builtinExpectation(name: BuiltinName): string {
  switch (name) {
    case 'str':
      return 'string';
    case 'bool':
      return 'boolean';
    case 'any':
      return 'JSON';
    case 'null':
    case 'number':
      return name;
    default:
      return integerExpectation(integerRanges[name]);
  }
}

type Range = (typeof integerRanges)[IntegerName];

function integerExpectation([min, max]: Range): string {
  if (max <= Number.MAX_SAFE_INTEGER) return `integer from ${min} to ${max}`;
  return max === integerRanges.int64[1] ? 'signed integer of 64 bits' : 'integer of 64 bits';
}

function oneOf(values: ReadonlySet<string>): string {
  const all = [...values].map((value) => `'${value}'`);
  if (all.length <= maxValues) return `one of ${all.join(', ')}`;
  return `one of ${all.slice(0, maxValues).join(', ')} and ${all.length - maxValues} more`;
}

/** Describes the other branches that have a member. */
function elsewhere(type: ObjectType, object: object, name: string): string {
  if (type.kind === 'struct') return '';
  const tag = own(object, type.discriminator) as string;
  const current = type.branches.get(tag);
  if (current?.kind === 'union') return elsewhere(current, object, name);
  const others = [...type.branches].filter(([, branch]) => hasMember(branch, name)).map(([value]) => `'${value}'`);
  if (others.length === 0) return '';
  const shown = others.length <= 3 ? others.join(', ') : `${others.slice(0, 3).join(', ')} and others`;
  return ` of ${type.discriminator} '${tag}'; ${shown} ${others.length === 1 ? 'has' : 'have'} it`;
}

function hasMember(type: ObjectType, name: string): boolean {
  return (type.kind === 'union' ? type.base : type).members.some((member) => member.name === name);
}
