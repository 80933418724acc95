/**
 * Checks as fast as if they were written by hand: for each type, the text of a function is made when it is first needed, and compiled.
 * Such a check knows only values that fit in the most usual form; of any other, `inspect` says what is wrong, or that nothing is. Where
 * code cannot be made from strings (`--disallow-code-generation-from-strings`), there are none, and `inspect` does all the work.
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
 * What passes: `out` is to be sent, and has to fit exactly. `in` has come, and has nothing that the schema does not know; `open` may have
 * that, too.
 */
export type Mode = 'out' | 'in' | 'open';

/** Whether a value fits for sure. `depth` says how many objects and arrays hold it. */
type Check = (value: unknown, depth: number) => boolean;

/** Holds the check of a type: first one that makes the real one. */
export interface Cell {
  check: Check;
  /** Whether it counts tokens, which takes as long as a small check. */
  readonly counts: boolean;
}

const cells: Record<Mode, WeakMap<Type, Cell>> = { out: new WeakMap(), in: new WeakMap(), open: new WeakMap() };

/** @returns undefined where code cannot be made from strings */
export function compiled(type: Type, mode: Mode): Cell | undefined {
  compiles ??= canCompile();
  return compiles ? cellOf(type, mode) : undefined;
}

/** The tokens that what is being checked may still have: objects that share others could have any number. */
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
  // What is compiled is made of names of the schema, as literals of JSON, and of nothing that comes from a value.
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

/** Writes one function: of `v` and `d`, a value and its depth. */
class Compiler {
  readonly #mode: Mode;
  /** What the function refers to: `c0`, `c1` and so on. */
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

  /** @param outer the members of the unions that have it as a branch */
  object(type: ObjectType, outer: readonly Member[], tags: ReadonlySet<Member> = none): Check {
    return type.kind === 'struct' ? this.#struct([...outer, ...type.members], tags) : this.#union(type, outer, tags);
  }

  /** @param tags members that have been read and tested: discriminators */
  #struct(members: readonly Member[], tags: ReadonlySet<Member>): Check {
    const isStrict = this.#mode !== 'open';
    const mandatory = members.filter(({ optional }) => !optional).length;
    const untested = members
      .filter((member) => !tags.has(member))
      .toSorted((a, b) => Number(a.optional) - Number(b.optional));
    // What a member has been read of is known to be an object of some shape, and to find its prototype then costs nothing.
    const [first] = untested;
    const tests = untested.map((member) => {
      const read = member === first ? '' : `m = ${reading(member.name)};`;
      const failing = `if (!(${this.#test(member.type, 'm')})) return false;`;
      return member.optional ? `${read} if (m !== undefined) { ${failing} n--; }` : `${read} ${failing}`;
    });
    // A member too many is unknown, if it is not undefined.
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

  /** A statement that fails when there are too many tokens. Objects that come are counted by the object or array that holds them. */
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

  /** An expression that is true when what a variable holds fits. */
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

  /** An expression that is true while there are not too many tokens. */
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

/** What objects above this depth hold is not counted: arrays are counted at any depth, and without them there cannot be many. */
const freeDepth = 8;

/** All objects have some names, which are not theirs. */
function reading(name: string): string {
  const text = JSON.stringify(name);
  return inheritedNames.has(name) ? `(Object.hasOwn(v, ${text}) ? v[${text}] : undefined)` : `v[${text}]`;
}

/** Conditions may leave out all values of an enum. */
function anyOf(tests: readonly string[]): string {
  return tests.length === 0 ? 'false' : `(${tests.join(' || ')})`;
}

/** Whether a value is JSON that can be sent, and no object or array. */
function isSimple(value: unknown): boolean {
  if (typeof value === 'string') return flawOf(value) === undefined;
  if (typeof value !== 'number') return typeof value === 'boolean' || value === null;
  return Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
}
