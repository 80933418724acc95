/** JSON with exact integers: parsing and writing. */

/**
 * An integer of up to 64 bits: QAPI's `int`, `int64`, `uint64` and `size`. It is a `number` if it is a safe integer,
 * and a `bigint` only if a number would be inexact. So `===`, Map keys and printing work as expected.
 */
export type Int64 = number | bigint;

/** Any JSON value. Unsafe integers are `bigint`. */
export type Json = null | boolean | string | Int64 | Json[] | JsonObject;

export interface JsonObject {
  [name: string]: Json | undefined;
}

/** Returns whether a value is an object other than an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

/**
 * Converts an {@link Int64} to a number.
 *
 * @throws RangeError if no number represents it exactly
 */
export function toNumber(value: Int64): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) || typeof value === 'number') return number;
  throw new RangeError(`${value} cannot be represented exactly as a number`);
}

/** The maximum depth of a message: QEMU's own limit for input. Nothing that QEMU sends comes near it. */
export const maxDepth = 1024;

export const depthProblem = `it nests more than ${maxDepth} levels deep, which is QEMU's own limit`;

/** The maximum depth of a value inside a message, such as arguments: the message itself is one level. */
export const maxDepthInMessage = maxDepth - 1;

/**
 * Parses JSON like `JSON.parse`, but reads unsafe integers as `bigint`. An integer of more than 20 digits exceeds 64
 * bits and is not a QAPI value; it becomes a number, because exact conversion takes more than linear time.
 *
 * @throws SyntaxError, or RangeError if the text nests more than 1024 levels deep
 */
export function parse(text: string): Json {
  const value = parseSafe(text);
  return value === undefined ? new ExactParser(text).parse() : value;
}

/**
 * Parses natively, which rounds unsafe integers to unsafe numbers. Almost no text has one, so the result is checked
 * instead of the text.
 *
 * @returns undefined if the text has an unsafe integer. This is a separate function so that the inexact value, which
 * may be large, can be garbage-collected while the exact one is built
 */
function parseSafe(text: string): Json | undefined {
  const value = JSON.parse(text) as Json;
  return isUnsafe(value, 0) ? undefined : value;
}

function isUnsafe(value: Json | undefined, depth: number): boolean {
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER;
  return typeof value === 'object' && value !== null && hasUnsafe(value, depth + 1);
}

function hasUnsafe(value: Json[] | JsonObject, depth: number): boolean {
  if (depth > maxDepth) throw new RangeError(depthProblem);
  if (Array.isArray(value)) {
    let index = 0;
    // Large messages are full of numbers. Without a separate loop, or with an iterator, this would take 50% longer.
    for (let number = value[0]; typeof number === 'number'; number = value[index]) {
      if (Math.abs(number) > Number.MAX_SAFE_INTEGER) return true;
      index += 1;
    }
    for (; index < value.length; index += 1) if (isUnsafe(value[index], depth)) return true;
    return false;
  }
  // oxlint-disable-next-line guard-for-in -- parsed objects have no inherited members, and this is the fastest way
  for (const name in value) if (isUnsafe(value[name], depth)) return true;
  return false;
}

const quote = 0x22;
const backslash = 0x5c;

/** Returns whether a character is whitespace, a comma or a colon. */
function isSeparator(code: number): boolean {
  return code <= 0x20 || code === 0x2c || code === 0x3a;
}

/** Parses text that `JSON.parse` accepted, so there are no syntax errors. */
class ExactParser {
  readonly #text: string;
  #at = 0;
  /** Matches any token except strings and whitespace: long ones would overflow the stack of a regular expression. */
  readonly #token = /-?\d[\d.eE+-]*|[a-z]+|[[\]{}]/uy;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Json {
    return this.#value(this.#next(), 0);
  }

  #next(): string {
    let begin = this.#at;
    // A regular expression would overflow its stack on long whitespace.
    while (isSeparator(this.#text.charCodeAt(begin))) begin += 1;
    this.#at = this.#text.charCodeAt(begin) === quote ? this.#endOfString(begin) : this.#endOfToken(begin);
    return this.#text.slice(begin, this.#at);
  }

  #endOfToken(begin: number): number {
    this.#token.lastIndex = begin;
    this.#token.test(this.#text);
    return this.#token.lastIndex;
  }

  #endOfString(begin: number): number {
    let end = begin;
    let backslashes = 1;
    while (backslashes % 2 === 1) {
      end = this.#text.indexOf('"', end + 1);
      backslashes = 0;
      while (this.#text.charCodeAt(end - 1 - backslashes) === backslash) backslashes += 1;
    }
    return end + 1;
  }

  #value(token: string, depth: number): Json {
    if (depth > maxDepth) throw new RangeError(depthProblem);
    if (token === '{') return this.#object(depth);
    if (token === '[') return this.#array(depth);
    return /^-?\d{1,20}$/u.test(token) ? exactInteger(token) : (JSON.parse(token) as Json);
  }

  #object(depth: number): Json {
    const object: JsonObject = {};
    for (let token = this.#next(); token !== '}'; token = this.#next()) {
      const name = JSON.parse(token) as string;
      const value = this.#value(this.#next(), depth + 1);
      // Assignment would set the prototype.
      if (name === '__proto__')
        Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
      else object[name] = value;
    }
    return object;
  }

  #array(depth: number): Json {
    const array: Json[] = [];
    for (let token = this.#next(); token !== ']'; token = this.#next()) array.push(this.#value(token, depth + 1));
    return array;
  }
}

function exactInteger(digits: string): Int64 {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}

/** The limits of a value that is validated or written. */
interface ValueLimits {
  /** The maximum nesting of objects and arrays. */
  readonly depth: number;
  /**
   * The maximum number of names, values, brackets, colons and commas. A value that contains the same object many times
   * can have more than fit into memory.
   */
  readonly tokens: number;
  /** The maximum length of the text. */
  readonly bytes: number;
}

/**
 * `out` applies to arguments: QEMU and its agent reject larger messages (`MAX_TOKEN_COUNT` and `MAX_TOKEN_SIZE` in
 * QEMU's qobject/json-streamer.c); the margin is for the rest of the message. `in` applies to received values, and
 * `any` to values that are only written. No message of 64 MiB reaches them: QEMU's tokens average five bytes,
 * and validation counts only objects and elements.
 */
export const limits = {
  out: { depth: maxDepthInMessage, tokens: 2 * 1024 * 1024 - 16, bytes: 64 * 1024 * 1024 - 1024 },
  in: { depth: maxDepthInMessage, tokens: 8 * 1024 * 1024, bytes: Infinity },
  any: { depth: maxDepth, tokens: 16 * 1024 * 1024, bytes: Infinity },
} as const satisfies Record<string, ValueLimits>;

/**
 * The tokens of each member (name, colon, value, comma) and of each element (value, comma). A container has one bracket
 * more and one comma less than this counts, which cancel out, so the count is exact, except that an empty container
 * counts as one token.
 */
export const tokensOf = {
  member: 4,
  element: 2,
  /** A received object, whatever its members. */
  object: 4,
} as const;

/** Returns the number of elements of an array. The length of a proxy may be any value. */
export function lengthOf(array: readonly unknown[]): number {
  return array.length >>> 0;
}

/**
 * Writes JSON like `JSON.stringify`, but accepts `bigint` and writes it as an integer. Use it for replies and events.
 * Members that are `undefined` are omitted.
 *
 * @throws TypeError if the value contains anything but JSON (NaN, infinities, functions, symbols, `undefined` in
 * arrays, objects such as Date or Map), is cyclic, nests more than 1024 levels deep, or has more than 16,777,216
 * tokens; RangeError if the text exceeds the maximum string length
 */
export function stringify(value: unknown): string {
  return new Writer(limits.any, acceptAny).textOf(value);
}

/** A value in the form in which it is sent. */
export interface Wire {
  readonly text: string;
  /** A copy of the value that corresponds exactly to the text: no hidden members, no getters. */
  readonly value: unknown;
}

/**
 * Like `stringify`, but rejects what the server would misread or reject. Everything is read only once, so the validated
 * value is the one that is sent.
 *
 * @param isChecked whether the value is also validated against a schema, so that an unsafe number is valid where the
 * schema has a double
 * @throws TypeError as `stringify` does; also for unsafe integers that are numbers (use a bigint), integers beyond 64
 * bits, strings with noncharacters or lone surrogates, and values that exceed QEMU's message limits
 */
export function toWire(value: unknown, isChecked = false): Wire {
  const writer = new Writer(limits.out, isChecked ? acceptChecked : acceptExact, true);
  return { text: writer.textOf(value), value: writer.copy };
}

// At module level because a literal inside a function is created anew on each call.
const noncharacter = /* @__PURE__ */ new RegExp('\\p{Noncharacter_Code_Point}', 'u');
// A single search for code units is faster than the two exact tests, and usually enough.
const suspicious = /[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]/;

/** Returns the reason why QEMU would reject a string as invalid UTF-8. */
export function flawOf(text: string): string | undefined {
  if (!suspicious.test(text)) return undefined;
  if (!text.isWellFormed()) return 'a lone surrogate';
  return noncharacter.test(text) ? 'a noncharacter such as U+FFFE' : undefined;
}

/** Returns the reason why a scalar must not be written, if there is one. */
type Accept = (value: string | number | bigint) => string | undefined;

const acceptAny: Accept = () => undefined;

const acceptChecked: Accept = (value) => (typeof value === 'number' ? undefined : acceptExact(value));

const acceptExact: Accept = (value) => {
  if (typeof value === 'string') {
    const flaw = flawOf(value);
    return flaw === undefined ? undefined : `a string with ${flaw}`;
  }
  if (typeof value === 'bigint') {
    const fits = BigInt.asIntN(64, value) === value || BigInt.asUintN(64, value) === value;
    return fits ? undefined : `${value}, which does not fit into 64 bits`;
  }
  const exact = !Number.isInteger(value) || Number.isSafeInteger(value);
  return exact ? undefined : `${value}, which is not exact: use a bigint`;
};

/** A string that needs no escaping: printable ASCII without quotes and backslashes. */
const literal = /^[ !#-[\]-~]*$/u;

/** The minimum length of a finished part of the text, except for the last. */
const partLength = 64 * 1024;

class Writer {
  /** A copy of the value, if requested. */
  copy: unknown;
  readonly #limits: ValueLimits;
  readonly #accept: Accept;
  readonly #isKept: boolean;
  /** The names and indices that lead to the current value. */
  readonly #path: (string | number)[] = [];
  #tokens = 1;
  /** The finished parts of the text. */
  readonly #parts: string[] = [];
  #length = 0;
  #text = '';

  /** @param isKept whether to make `copy` */
  constructor(valueLimits: ValueLimits, accept: Accept, isKept = false) {
    this.#limits = valueLimits;
    this.#accept = accept;
    this.#isKept = isKept;
  }

  textOf(value: unknown): string {
    try {
      this.copy = this.#write(value);
    } catch (error) {
      if (error instanceof WriteError || error instanceof RangeError) throw error;
      throw this.#errorAt('a value that throws when read', error);
    }
    const text = this.#parts.join('') + this.#text;
    // A UTF-16 code unit takes at most three bytes.
    const mayExceed = text.length * 3 > this.#limits.bytes;
    if (mayExceed && Buffer.byteLength(text) > this.#limits.bytes) throw this.#tooLong();
    return text;
  }

  /** Returns a copy if requested. */
  #write(value: unknown): unknown {
    if (this.#text.length >= partLength) this.#finishPart();
    switch (typeof value) {
      case 'string':
        this.#string(value);
        break;
      case 'number':
      case 'bigint': {
        const problem = typeof value === 'number' && !Number.isFinite(value) ? String(value) : this.#accept(value);
        if (problem !== undefined) throw this.#errorAt(problem);
        // Like JSON.stringify, a template literal writes minus zero as 0.
        this.#text += `${value}`;
        break;
      }
      case 'boolean':
        this.#text += value ? 'true' : 'false';
        break;
      case 'object':
        if (value === null) this.#text += 'null';
        else return this.#container(value);
        break;
      default:
        throw this.#errorAt(value === undefined ? 'undefined' : `a ${typeof value}`);
    }
    return value;
  }

  #string(value: string): void {
    if (literal.test(value)) {
      this.#text += `"${value}"`;
      return;
    }
    const problem = this.#accept(value);
    if (problem !== undefined) throw this.#errorAt(problem);
    this.#text += JSON.stringify(value);
  }

  #container(value: object): unknown {
    if (this.#path.length === this.#limits.depth) throw this.#errorAt('nested too deeply, or contains itself');
    const kind = kindOfObject(value);
    if (kind === undefined) throw this.#errorAt(`a ${classOf(value)}`);
    return kind === 'array' ? this.#array(value as readonly unknown[]) : this.#object(value);
  }

  #array(array: readonly unknown[]): unknown {
    const length = lengthOf(array);
    if (length * tokensOf.element > this.#limits.tokens)
      throw this.#errorAt(`an array of ${length} elements, which is too many`);
    this.#spend(length * tokensOf.element);
    const copy: unknown[] = [];
    const path = this.#path;
    this.#text += '[';
    for (let index = 0; index < length; index += 1) {
      if (index > 0) this.#text += ',';
      path.push(index);
      const element = this.#write(array[index]);
      if (this.#isKept) copy.push(element);
      path.pop();
    }
    this.#text += ']';
    return copy;
  }

  #object(object: object): unknown {
    const copy = membersOf(object, this.#path);
    const names = Object.keys(copy);
    this.#spend(names.length * tokensOf.member);
    const path = this.#path;
    let separator = '{';
    for (const name of names) {
      const value = copy[name];
      if (value === undefined) continue;
      this.#text += separator;
      this.#string(name);
      this.#text += ':';
      path.push(name);
      const member = this.#write(value);
      if (this.#isKept && member !== value) copy[name] = member;
      path.pop();
      separator = ',';
    }
    this.#text += separator === '{' ? '{}' : '}';
    return copy;
  }

  #spend(tokens: number): void {
    this.#tokens += tokens || 1;
    if (this.#tokens > this.#limits.tokens)
      throw new WriteError(`the value has more than ${this.#limits.tokens} tokens of JSON`);
    if (this.#length + this.#text.length > this.#limits.bytes) throw this.#tooLong();
  }

  #finishPart(): void {
    // Until it is read, a concatenated string keeps all its pieces, which take ten times its size.
    this.#text.charCodeAt(0);
    this.#parts.push(this.#text);
    this.#length += this.#text.length;
    this.#text = '';
  }

  #tooLong(): WriteError {
    return new WriteError(`the value has more than ${this.#limits.bytes} bytes of JSON`);
  }

  #errorAt(what: string, cause?: unknown): WriteError {
    const steps = this.#path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`));
    const path = steps.join('').replace(/^\./u, '');
    const where = path.length > 200 ? `${path.slice(0, 200)}...` : path;
    return new WriteError(`${where === '' ? 'the value' : where} is ${what}`, cause === undefined ? {} : { cause });
  }
}

/** A value that cannot be written. Users see it as a TypeError. */
class WriteError extends TypeError {}

/**
 * Returns the own enumerable members of an object. Reads each once.
 *
 * @param path the path to the object; if a member throws, its name is left at the end
 */
function membersOf(object: object, path: (string | number)[]): Record<string, unknown> {
  try {
    // By far the fastest way. It also copies symbols, which are never read.
    return { ...object };
  } catch {
    const members: Record<string, unknown> = {};
    for (const name of Object.keys(object)) {
      path.push(name);
      const value = (object as Record<string, unknown>)[name];
      // Assignment to `__proto__` would set the prototype.
      Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true });
      path.pop();
    }
    return members;
  }
}

/** The names that all objects inherit. They are members only of objects that own them. */
export const inheritedNames: ReadonlySet<string> = /* @__PURE__ */ (() =>
  new Set(Object.getOwnPropertyNames(Object.prototype)))();

/**
 * Returns the JSON kind of an object. Plain objects of any realm, objects without a prototype, and instances of a
 * program's own classes are objects. Instances of built-in classes such as Date or Map are not JSON, whatever their
 * `Symbol.toStringTag`.
 *
 * @returns undefined if it is not JSON
 */
export function kindOfObject(value: object): 'object' | 'array' | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Test this first: compiled checks test only this.
  if (prototype === Object.prototype) return 'object';
  if (Array.isArray(value)) return 'array';
  const isForeign = prototype !== null && (Symbol.toStringTag in value || classOf(value) !== 'Object');
  return isForeign ? undefined : 'object';
}

/** Returns the name of an object's built-in class or its `Symbol.toStringTag`: `Date`, `Map`, `Object`. */
export function classOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
