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
const maxDepth = 1024;

/** How deep what is in a message may nest, such as arguments: the message itself is an object, too. */
export const maxDepthInMessage = maxDepth - 1;

/**
 * Like JSON.parse, with integers beyond the safe ones as `bigint`. One of more than 20 digits has more than 64 bits, is none of QAPI's,
 * and becomes a number: to read it exactly takes more than linear time.
 *
 * @throws SyntaxError, and RangeError for what nests more than 1024 deep
 */
export function parse(text: string): Json {
  const value = JSON.parse(text) as Json;
  // Native parsing rounds an unsafe integer to an unsafe number: nearly no text has one, and none is scanned for it.
  return isUnsafe(value, 0) ? new ExactParser(text).parse() : value;
}

function isUnsafe(value: Json | undefined, depth: number): boolean {
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER;
  return typeof value === 'object' && value !== null && hasUnsafe(value, depth + 1);
}

function hasUnsafe(value: Json[] | JsonObject, depth: number): boolean {
  if (depth > maxDepth) throw new RangeError('it nests too deep');
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

/** Parses text that native parsing has accepted, so errors of syntax cannot occur. */
class ExactParser {
  readonly #text: string;
  #at = 0;
  readonly #separators = /[\s,:]*/uy;
  /** Any token but a string: a regular expression would exhaust its stack on a long one. */
  readonly #token = /-?\d[\d.eE+-]*|[a-z]+|[[\]{}]/uy;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Json {
    return this.#value(this.#next(), 0);
  }

  #next(): string {
    const begin = this.#endOf(this.#separators, this.#at);
    const isString = this.#text.charCodeAt(begin) === quote;
    this.#at = isString ? this.#endOfString(begin) : this.#endOf(this.#token, begin);
    return this.#text.slice(begin, this.#at);
  }

  #endOf(pattern: RegExp, begin: number): number {
    pattern.lastIndex = begin;
    pattern.test(this.#text);
    return pattern.lastIndex;
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
    if (depth > maxDepth) throw new RangeError('it nests too deep');
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

/**
 * Like JSON.stringify, with `bigint` as an integer: for what a server has sent. Members that are `undefined` are left out.
 *
 * @throws TypeError for what is no JSON: NaN and infinities, functions, symbols, `undefined` in arrays, a Date, a Map and the like,
 *   and what nests more than 1024 deep or holds itself
 */
export function stringify(value: unknown): string {
  return write(value, '', 0, acceptAny);
}

/**
 * Like `stringify`, for what goes to a server, which would take it for something else or not understand it.
 *
 * @param isChecked whether it has been checked against a schema: then a large number is where a double is wanted
 * @throws TypeError also for integers beyond the safe ones as numbers (use a bigint) and beyond 64 bits, and for strings with what is no
 *   character
 */
export function toWire(value: unknown, isChecked = false): string {
  return write(value, '', 1, isChecked ? acceptChecked : acceptExact);
}

// Within a function, another would be made at each call.
const noncharacter = /\p{Noncharacter_Code_Point}/u;

/** Why QEMU would take a text for no UTF-8. */
export function flawOf(text: string): string | undefined {
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

function write(value: unknown, path: string, depth: number, accept: Accept): string {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint': {
      const problem = typeof value === 'number' && !Number.isFinite(value) ? String(value) : accept(value);
      if (problem !== undefined) throw unfit(path, problem);
      return typeof value === 'bigint' ? String(value) : JSON.stringify(value);
    }
    case 'boolean':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      if (depth === maxDepth) throw unfit(path, 'something that nests too deep, or holds itself');
      if (Array.isArray(value)) return writeArray(value, path, depth + 1, accept);
      if (classOf(value) !== 'Object') throw unfit(path, `a ${classOf(value)}`);
      return writeObject(value, path, depth + 1, accept);
    default:
      throw unfit(path, value === undefined ? 'undefined' : `a ${typeof value}`);
  }
}

function writeArray(array: readonly unknown[], path: string, depth: number, accept: Accept): string {
  // Unlike `map`, this takes a hole for the `undefined` that it is.
  return `[${Array.from(array, (element, index) => write(element, `${path}[${index}]`, depth, accept)).join(',')}]`;
}

function writeObject(object: object, path: string, depth: number, accept: Accept): string {
  let text = '';
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue;
    const inner = path === '' ? name : `${path}.${name}`;
    text += `${text === '' ? '' : ','}${write(name, path, depth, accept)}:${write(value, inner, depth, accept)}`;
  }
  return `{${text}}`;
}

/** What the object is built in as: `Object`, unless it is a `Date`, a `Map`, bytes, and so on. */
export function classOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function unfit(path: string, what: string): TypeError {
  const where = path.length > 200 ? `${path.slice(0, 200)}...` : path;
  return new TypeError(`${where === '' ? 'the value' : where} is ${what}`);
}
