/**
 * Compiles types to check functions that are as fast as hand-written code. The source of a function is generated on
 * first use.
 *
 * A check accepts only values in their usual form. If it rejects a value, `inspect` decides, and reports the issues.
 * Where code generation is disabled (`--disallow-code-generation-from-strings`), there are no checks, and `inspect`
 * does all the work.
 */

import { flawOf, inheritedNames, maxDepthInMessage, tokensOf } from './json.js';
import {
  emptyStruct,
  integerRanges,
  type AlternateType,
  type BuiltinType,
  type Member,
  type ObjectType,
  type Type,
  type UnionType,
} from './schema.js';

/**
 * What a check accepts. `out`: a value to send, which must match the schema exactly. `in`: a received value without
 * anything unknown to the schema. `open`: a received value that may have unknown members and enum values.
 */
export type Mode = 'out' | 'in' | 'open';

/** Returns true if the value is valid. False means undecided. `depth` is the number of enclosing objects and arrays. */
type Check = (value: unknown, depth: number) => boolean;

/** Holds the check of a type, initially a stub that compiles the check and replaces itself. */
export interface Cell {
  check: Check;
  /** Whether the check counts tokens. Resetting the count takes as long as a small check. */
  readonly counts: boolean;
}

const cells: Record<Mode, WeakMap<Type, Cell>> = { out: new WeakMap(), in: new WeakMap(), open: new WeakMap() };

/** Returns the check of a type, or undefined where code generation is disabled. */
export function compiled(type: Type, mode: Mode): Cell | undefined {
  compiles ??= canCompile();
  return compiles ? cellOf(type, mode) : undefined;
}

/**
 * The number of tokens left for the value being checked. Without a limit, objects that share others could have any
 * number.
 */
export const budget = { left: 0 };

let compiles: boolean | undefined;

function canCompile(): boolean {
  try {
    compile('return true', []);
    return true;
  } catch {
    return false;
  }
}

function compile(body: string, constants: readonly unknown[]): Check {
  const names = constants.map((_, index) => `c${index}`);
  // The source consists of schema names, as JSON literals. No part of a value ever gets into it.
  // oxlint-disable-next-line no-new-func, no-implied-eval
  return new Function(...names, `return function check(v, d) {\n${body}\n}`)(...constants) as Check;
}

function cellOf(type: Type, mode: Mode): Cell {
  let cell = cells[mode].get(type);
  if (!cell) {
    cell = lazy(() => new Compiler(mode).type(type), mode === 'out' || !isFlat(type));
    cells[mode].set(type, cell);
  }
  return cell;
}

function isFlat(type: Type): boolean {
  return type.kind === 'struct' && type.members.every((member) => isScalar(member.type));
}

/** Reports whether no value of a type is an object or an array that a check would go into. */
function isScalar({ kind }: Type): boolean {
  return kind === 'builtin' || kind === 'enum';
}

function lazy(make: () => Check, counts = true): Cell {
  const cell: Cell = {
    counts,
    check(value, depth) {
      cell.check = make();
      return cell.check(value, depth);
    },
  };
  return cell;
}

/** Writes one function of `v`, the value, and `d`, its depth. */
class Compiler {
  readonly #mode: Mode;
  /** The values that the function refers to as `c0`, `c1` and so on. */
  readonly #constants: unknown[] = [];

  constructor(mode: Mode) {
    this.#mode = mode;
  }

  type(type: Type): Check {
    switch (type.kind) {
      case 'struct':
      case 'union':
        return this.object(type, []);
      case 'array':
        return this.#array(type.element);
      default:
        return this.#function(`return ${this.#test(type, 'v')};`);
    }
  }

  /** @param outer the members of the enclosing unions */
  object(type: ObjectType, outer: readonly Member[], tags: ReadonlySet<Member> = none): Check {
    return type.kind === 'struct' ? this.#struct([...outer, ...type.members], tags) : this.#union(type, outer, tags);
  }

  /** @param tags members already read and tested: the discriminators */
  #struct(members: readonly Member[], tags: ReadonlySet<Member>): Check {
    const isStrict = this.#mode !== 'open';
    const mandatory = members.filter(({ optional }) => !optional).length;
    const untested = members
      .filter((member) => !tags.has(member))
      .toSorted((a, b) => Number(a.optional) - Number(b.optional));
    // Reading a member first lets the engine know the object's shape, which makes the prototype test free.
    const [first] = untested;
    const tests = untested.map((member) => {
      const read = member === first ? '' : `m = ${reading(member.name)};`;
      const failing = `if (!(${this.#test(member.type, 'm')})) return false;`;
      return member.optional ? `${read} if (m !== undefined) { ${failing} n--; }` : `${read} ${failing}`;
    });
    // An extra member is unknown unless its value is undefined.
    return this.#function(`${objectOnly}
let m, n = 0;
${first ? `m = ${reading(first.name)};` : ''}
if (Object.getPrototypeOf(v) !== Object.prototype) return false;
${isStrict ? 'const all = Object.getOwnPropertyNames(v).length;' : ''}
${this.#counted(members)}
${isStrict ? `n = all - ${mandatory};` : ''}
${tests.join('\n')}
${isStrict ? 'if (n > 0) for (const k in v) if (v[k] === undefined) n--;' : ''}
return ${isStrict ? 'n === 0' : 'true'};`);
  }

  /** Rejects a value with too many tokens. Received objects are counted by the object or array that contains them. */
  #counted(members: readonly Member[]): string {
    if (this.#mode === 'out') return `if (!(${this.#spent(`all * ${tokensOf.member}`)})) return false;`;
    const holders = members.filter(({ type }) => !isScalar(type)).length;
    if (holders === 0) return '';
    return `if (d >= ${freeDepth} && !(${this.#spent(String(holders * tokensOf.object))})) return false;`;
  }

  #union(union: UnionType, outer: readonly Member[], tags: ReadonlySet<Member>): Check {
    const mode = this.#mode;
    const { base, branches, discriminator } = union;
    const members = [...outer, ...base.members];
    const tag = members.filter(({ name }) => name === discriminator);
    const cellOfBranch = (branch: ObjectType): Cell =>
      lazy(() => new Compiler(mode).object(branch, members, new Set([...tags, ...tag])));
    const empty = cellOfBranch(emptyStruct);
    const byValue = new Map(
      [...union.values].map((value) => {
        const branch = branches.get(value);
        return [value, branch ? cellOfBranch(branch) : empty];
      }),
    );
    const other = mode === 'open' ? this.#constant(lazy(() => new Compiler(mode).object(base, outer))) : 'undefined';
    return this.#function(`${objectOnly}
const cell = ${this.#constant(byValue)}.get(${reading(discriminator)}) ?? ${other};
return cell !== undefined && cell.check(v, d);`);
  }

  #array(element: Type): Check {
    const each = tokensOf.element + (this.#mode === 'out' ? 0 : tokensOf.object);
    return this.#function(`if (!Array.isArray(v) || d === ${maxDepthInMessage}) return false;
const n = v.length >>> 0;
if (Object.getPrototypeOf(v) !== Array.prototype) return false;
if (!(${this.#spent(`n * ${each}`)})) return false;
for (let i = 0; i < n; i++) {
  const e = v[i];
  if (!(${this.#test(element, 'e')})) return false;
}
return true;`);
  }

  /** Returns an expression that is true if the variable's value is valid. */
  #test(type: Type, name: string): string {
    switch (type.kind) {
      case 'builtin':
        return this.#builtin(type, name);
      case 'enum':
        return this.#oneOf(type.values, name);
      case 'alternate':
        return this.#alternate(type, name);
      default:
        return `${this.#constant(cellOf(type, this.#mode))}.check(${name}, d + 1)`;
    }
  }

  #builtin({ name }: BuiltinType, m: string): string {
    const isOut = this.#mode === 'out';
    switch (name) {
      case 'str':
        return `typeof ${m} === 'string'${isOut ? ` && ${this.#constant(flawOf)}(${m}) === undefined` : ''}`;
      case 'bool':
        return `typeof ${m} === 'boolean'`;
      case 'null':
        return `${m} === null`;
      case 'number':
        return `Number.isFinite(${m})`;
      case 'any':
        return isOut ? `${this.#constant(isSimple)}(${m})` : `${m} !== undefined`;
      default:
        return this.#integer(integerRanges[name], m);
    }
  }

  #integer([min, max]: readonly [bigint, bigint], m: string): string {
    if (max <= Number.MAX_SAFE_INTEGER) return `Number.isInteger(${m}) && ${m} >= ${min} && ${m} <= ${max}`;
    return `(Number.isSafeInteger(${m}) || typeof ${m} === 'bigint' && ${m} >= ${min}n && ${m} <= ${max}n)`;
  }

  #oneOf(values: ReadonlySet<string>, m: string): string {
    if (this.#mode === 'open') return `typeof ${m} === 'string'`;
    if (values.size > 16) return `${this.#constant(values)}.has(${m})`;
    return anyOf([...values].map((value) => `${m} === ${JSON.stringify(value)}`));
  }

  #alternate({ alternatives }: AlternateType, m: string): string {
    return anyOf([...alternatives.values()].map((type) => `(${this.#test(type, m)})`));
  }

  /** Returns an expression that is true while the token budget lasts. */
  #spent(tokens: string): string {
    return `(${this.#constant(budget)}.left -= ${tokens} || 1) >= 0`;
  }

  #constant(value: unknown): string {
    const known = this.#constants.indexOf(value);
    return `c${known === -1 ? this.#constants.push(value) - 1 : known}`;
  }

  #function(body: string): Check {
    return compile(body, this.#constants);
  }
}

const none: ReadonlySet<Member> = new Set();

const objectOnly = `if (typeof v !== 'object' || v === null || d === ${maxDepthInMessage}) return false;`;

/** Objects up to this depth do not count what they contain: without arrays, which always do, there cannot be many. */
const freeDepth = 8;

/** Names that every object inherits have to be tested for ownership. */
function reading(name: string): string {
  const text = JSON.stringify(name);
  return inheritedNames.has(name) ? `(Object.hasOwn(v, ${text}) ? v[${text}] : undefined)` : `v[${text}]`;
}

/** Conditions can remove all values of an enum. */
function anyOf(tests: readonly string[]): string {
  return tests.length === 0 ? 'false' : `(${tests.join(' || ')})`;
}

/** Returns whether a value is valid JSON other than an object or array. */
function isSimple(value: unknown): boolean {
  if (typeof value === 'string') return flawOf(value) === undefined;
  if (typeof value !== 'number') return typeof value === 'boolean' || value === null;
  return Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
}
