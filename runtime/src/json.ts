/** JSON with exact integers, both ways. */

/**
 * An integer of up to 64 bits, as QAPI's `int`, `int64`, `uint64` and `size` have them: a `number` whenever that is exact (a safe
 * integer), and a `bigint` only where a number would lie. So `===`, keys of a Map and printing do what one expects.
 */
export type Int64 = number | bigint;

/** Any JSON value; integers beyond the safe ones are `bigint`. */
export type Json = null | boolean | string | Int64 | Json[] | JsonObject;

export interface JsonObject {
  [name: string]: Json | undefined;
}

/**
 * An {@link Int64} as a number.
 *
 * @throws RangeError when no number is exact
 */
export function toNumber(value: Int64): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) || typeof value === 'number') return number;
  throw new RangeError(`${value} is not exact as a number`);
}

/** QEMU's own limit for a message that it reads; nothing that it sends comes near it. */
export const maxDepth = 1024;

export const depthProblem = `it nests more than ${maxDepth} deep, which is QEMU's own limit`;

/** How deep what is in a message may nest, such as arguments: the message itself is an object, too. */
export const maxDepthInMessage = maxDepth - 1;

/**
 * Like JSON.parse, with integers beyond the safe ones as `bigint`. One of more than 20 digits has more than 64 bits, is none of QAPI's,
 * and becomes a number: to read it exactly takes more than linear time.
 *
 * @throws SyntaxError, and RangeError for what nests more than 1024 deep
 */
export function parse(text: string): Json {
  const value = parseSafe(text);
  return value === undefined ? new ExactParser(text).parse() : value;
}

/**
 * Native parsing rounds an unsafe integer to an unsafe number: nearly no text has one, and none is scanned for it.
 *
 * @returns undefined for a text with an unsafe integer. It is a function of its own so that nothing holds the inexact value, which may be
 *   large, while the exact one is made.
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
    // Large messages are full of numbers. Without a loop of their own, or with an iterator, they would take half as long again.
    for (let number = value[0]; typeof number === 'number'; number = value[index]) {
      if (Math.abs(number) > Number.MAX_SAFE_INTEGER) return true;
      index += 1;
    }
    for (; index < value.length; index += 1) if (isUnsafe(value[index], depth)) return true;
    return false;
  }
  // oxlint-disable-next-line guard-for-in -- what was parsed has no inherited members, and this is the fastest way
  for (const name in value) if (isUnsafe(value[name], depth)) return true;
  return false;
}

const quote = 0x22;
const backslash = 0x5c;

/** Whether it is space, a comma or a colon. */
function isSeparator(code: number): boolean {
  return code <= 0x20 || code === 0x2c || code === 0x3a;
}

/** Parses text that native parsing has accepted, so errors of syntax cannot occur. */
class ExactParser {
  readonly #text: string;
  #at = 0;
  /** Any token but a string: a regular expression would exhaust its stack on a long one. */
  readonly #token = /-?\d[\d.eE+-]*|[a-z]+|[[\]{}]/uy;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Json {
    return this.#value(this.#next(), 0);
  }

  #next(): string {
    let begin = this.#at;
    // A regular expression would exhaust its stack on much space, too.
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
    return /^-?\d{1,20}$/u.test(token) ? integer(token) : (JSON.parse(token) as Json);
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

function integer(digits: string): Int64 {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}

/** What a value may be at most, to be checked and written. */
interface Limits {
  /** How many objects and arrays may hold each other. */
  readonly depth: number;
  /** How many names, values, brackets, colons and commas its text may have. Objects that share others can have far more than memory. */
  readonly tokens: number;
  /** The length of its text. */
  readonly bytes: number;
}

/**
 * `out`, of arguments: QEMU and its agent refuse a message of more (`MAX_TOKEN_COUNT` and `MAX_TOKEN_SIZE` in QEMU's
 * qobject/json-streamer.c); a little is left for what is around the arguments. `in`, of what has come, and `any`, of what is only written:
 * a message of 64 MiB has fewer, as the tokens of QEMU's are of five bytes on average, and only objects and elements count when it is
 * checked.
 */
export const limits = {
  out: { depth: maxDepthInMessage, tokens: 2 * 1024 * 1024 - 16, bytes: 64 * 1024 * 1024 - 1024 },
  in: { depth: maxDepthInMessage, tokens: 8 * 1024 * 1024, bytes: Infinity },
  any: { depth: maxDepth, tokens: 16 * 1024 * 1024, bytes: Infinity },
} as const satisfies Record<string, Limits>;

/**
 * The tokens that a member and an element have at least: a name, a colon, a value and a comma; a value and a comma. As there is a bracket
 * more than a value has, and a comma less, these are all tokens, but that what is empty has one.
 */
export const tokensOf = {
  member: 4,
  element: 2,
  /** What an object that has come counts for, whatever its members. */
  object: 4,
} as const;

/** The number of elements of an array: a proxy may say anything. */
export function lengthOf(array: readonly unknown[]): number {
  return array.length >>> 0;
}

/**
 * Like JSON.stringify, with `bigint` as an integer: for what a server has sent. Members that are `undefined` are left out.
 *
 * @throws TypeError for what is no JSON: NaN and infinities, functions, symbols, `undefined` in arrays, a Date, a Map and the like,
 *   and what nests more than 1024 deep, holds itself, or has more than 16,777,216 tokens of JSON; RangeError for a text that is longer
 *   than a string can be
 */
export function stringify(value: unknown): string {
  return new Writer(limits.any, acceptAny).textOf(value);
}

/** A value as it goes to a server. */
export interface Wire {
  readonly text: string;
  /** What the text says: a copy, in which nothing can be hidden or change. */
  readonly value: unknown;
}

/**
 * Like `stringify`, for what goes to a server, which would take it for something else or not understand it. Everything is read once, so
 * that what is checked is what is sent.
 *
 * @param isChecked whether it is checked against a schema, too: then a large number is where a double is wanted
 * @throws TypeError also for integers beyond the safe ones as numbers (use a bigint) and beyond 64 bits, for strings with what is no
 *   character, and for more than QEMU takes in one message
 */
export function toWire(value: unknown, isChecked = false): Wire {
  const writer = new Writer(limits.out, isChecked ? acceptChecked : acceptExact, true);
  return { text: writer.textOf(value), value: writer.copy };
}

// Within a function, another would be made at each call.
const noncharacter = /* @__PURE__ */ new RegExp('\\p{Noncharacter_Code_Point}', 'u');
// One search for code units is faster than the two exact tests, which then are hardly ever needed.
const suspicious = /[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]/;

/** Returns the reason why QEMU would refuse a text as invalid UTF-8. */
export function flawOf(text: string): string | undefined {
  if (!suspicious.test(text)) return undefined;
  if (!text.isWellFormed()) return 'half a surrogate pair';
  return noncharacter.test(text) ? 'a code point that is no character, such as U+FFFE' : undefined;
}

/** @returns what is wrong with a value that is JSON */
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
  return exact ? undefined : `${value}, which is not exact as a number: use a bigint`;
};

/** A string that JSON has as it is: printable ASCII without quotes and backslashes. */
const literal = /^[ !#-[\]-~]*$/u;

/** The length of a part of a text. */
const partLength = 64 * 1024;

class Writer {
  /** What has been written, if it is kept. */
  copy: unknown;
  readonly #limits: Limits;
  readonly #accept: Accept;
  readonly #isKept: boolean;
  /** The names and indices that lead to what is being written. */
  readonly #path: (string | number)[] = [];
  #tokens = 1;
  /** What has been written, but for the end of it. */
  readonly #parts: string[] = [];
  #length = 0;
  #text = '';

  /** @param isKept whether `copy` is wanted */
  constructor(most: Limits, accept: Accept, isKept = false) {
    this.#limits = most;
    this.#accept = accept;
    this.#isKept = isKept;
  }

  textOf(value: unknown): string {
    try {
      this.copy = this.#write(value);
    } catch (error) {
      if (error instanceof Unfit || error instanceof RangeError) throw error;
      throw this.#unfit('something that throws when it is read', error);
    }
    const text = this.#parts.join('') + this.#text;
    // No character takes more than three bytes for each unit of its length.
    const mayExceed = text.length * 3 > this.#limits.bytes;
    if (mayExceed && Buffer.byteLength(text) > this.#limits.bytes) throw this.#tooLong();
    return text;
  }

  /** @returns a copy, if it is kept */
  #write(value: unknown): unknown {
    if (this.#text.length >= partLength) this.#cut();
    switch (typeof value) {
      case 'string':
        this.#string(value);
        break;
      case 'number':
      case 'bigint': {
        const problem = typeof value === 'number' && !Number.isFinite(value) ? String(value) : this.#accept(value);
        if (problem !== undefined) throw this.#unfit(problem);
        // That of JSON knows no minus zero, as a text in a template does not.
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
        throw this.#unfit(value === undefined ? 'undefined' : `a ${typeof value}`);
    }
    return value;
  }

  #string(value: string): void {
    if (literal.test(value)) {
      this.#text += `"${value}"`;
      return;
    }
    const problem = this.#accept(value);
    if (problem !== undefined) throw this.#unfit(problem);
    this.#text += JSON.stringify(value);
  }

  #container(value: object): unknown {
    if (this.#path.length === this.#limits.depth) throw this.#unfit('something that nests too deep, or holds itself');
    const kind = kindOfObject(value);
    if (kind === undefined) throw this.#unfit(`a ${classOf(value)}`);
    return kind === 'array' ? this.#array(value as readonly unknown[]) : this.#object(value);
  }

  #array(array: readonly unknown[]): unknown {
    const length = lengthOf(array);
    if (length * tokensOf.element > this.#limits.tokens)
      throw this.#unfit(`an array of ${length} elements, which are too many`);
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
      throw new Unfit(`the value has more than ${this.#limits.tokens} tokens of JSON`);
    if (this.#length + this.#text.length > this.#limits.bytes) throw this.#tooLong();
  }

  #cut(): void {
    // A string that has been put together keeps all its pieces, ten times its size, until it is read.
    this.#text.charCodeAt(0);
    this.#parts.push(this.#text);
    this.#length += this.#text.length;
    this.#text = '';
  }

  #tooLong(): Unfit {
    return new Unfit(`the value has more than ${this.#limits.bytes} bytes of JSON`);
  }

  #unfit(what: string, cause?: unknown): Unfit {
    const steps = this.#path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`));
    const path = steps.join('').replace(/^\./u, '');
    const where = path.length > 200 ? `${path.slice(0, 200)}...` : path;
    return new Unfit(`${where === '' ? 'the value' : where} is ${what}`, cause === undefined ? {} : { cause });
  }
}

/** What cannot be written; to users it is a TypeError. */
class Unfit extends TypeError {}

/**
 * Returns the own enumerable members of an object, each read once.
 *
 * @param path what leads to the object; when a member throws, it leads to that
 */
function membersOf(object: object, path: (string | number)[]): Record<string, unknown> {
  try {
    // By far the fastest way. Symbols come along, and are never looked at.
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

/** What all objects have, and what is therefore no member of theirs unless it is their own. */
export const inheritedNames: ReadonlySet<string> = /* @__PURE__ */ (() =>
  new Set(Object.getOwnPropertyNames(Object.prototype)))();

/**
 * What an object is sent as. Objects are the literals of any realm, what has no prototype, and instances of a program's classes, but not of
 * those of the language and its hosts, such as a Date or a Map, whatever they call themselves.
 *
 * @returns undefined for what is no JSON
 */
export function kindOfObject(value: object): 'object' | 'array' | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Compiled checks look at nothing else, so this goes first.
  if (prototype === Object.prototype) return 'object';
  if (Array.isArray(value)) return 'array';
  const isForeign = prototype !== null && (Symbol.toStringTag in value || classOf(value) !== 'Object');
  return isForeign ? undefined : 'object';
}

/** What the object is built in as, or calls itself: `Date`, `Map`, `Object`. */
export function classOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
