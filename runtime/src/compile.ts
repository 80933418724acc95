/**
 * Compiles types to check functions that are as fast as hand-written code. The source of a function is generated on
 * first use. Each class that implements `Type` writes the source for its own types.
 *
 * A check accepts only values in their usual form. If it rejects a value, `inspect` decides, and reports the issues.
 * Where code generation is disabled (`--disallow-code-generation-from-strings`), there are no checks, and `inspect`
 * does all the work.
 */

/**
 * The values that a check accepts. `out`: a value to send, which must match the schema exactly. `in`: a received value
 * without anything unknown to the schema. `open`: a received value that may have unknown members and enum values.
 */
export type Mode = 'out' | 'in' | 'open';

/** Returns true if the value is valid. False means undecided. `depth` is the number of enclosing objects and arrays. */
export type Check = (value: unknown, depth: number) => boolean;

/** A type, as the compiler sees it. It has either `test` or `compile`. */
export interface Compilable {
  /** Returns an expression that is true if the value of a variable is valid. */
  test?(compiler: Compiler, variable: string): string;
  /** Compiles a function of its own: types with members or elements can be recursive. */
  compile?(compiler: Compiler): Check;
  /** Whether it is an object type without members that are objects or arrays. */
  readonly isFlat?: boolean;
}

/** Holds the check of a type, initially a stub that compiles the check and replaces itself. */
export interface Cell {
  check: Check;
  /** Whether the check counts tokens. Resetting the count takes as long as a small check. */
  readonly counts: boolean;
}

const cells: Record<Mode, WeakMap<Compilable, Cell>> = { out: new WeakMap(), in: new WeakMap(), open: new WeakMap() };

/** Returns the check of a type, or undefined where code generation is disabled. */
export function compiled(type: Compilable, mode: Mode): Cell | undefined {
  compiles ??= canCompile();
  return compiles ? cellOf(type, mode) : undefined;
}

/**
 * The number of tokens left for the value being checked. Without a limit, a small value that contains the same object
 * many times could have any number.
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
  // The source consists of schema names, as JSON literals. It never contains any part of a value.
  // oxlint-disable-next-line no-new-func, no-implied-eval
  return new Function(...names, `return function check(v, d) {\n${body}\n}`)(...constants) as Check;
}

function cellOf(type: Compilable, mode: Mode): Cell {
  let cell = cells[mode].get(type);
  if (!cell) {
    cell = lazy(() => new Compiler(mode).type(type), mode === 'out' || type.isFlat !== true);
    cells[mode].set(type, cell);
  }
  return cell;
}

/** Returns a cell that makes its check on first use. */
export function lazy(make: () => Check, counts = true): Cell {
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
export class Compiler {
  readonly mode: Mode;
  /** The values that the function refers to as `c0`, `c1` and so on. */
  readonly #constants: unknown[] = [];

  constructor(mode: Mode) {
    this.mode = mode;
  }

  type(type: Compilable): Check {
    return type.compile?.(this) ?? this.function(`return ${this.test(type, 'v')};`);
  }

  /** Returns an expression that is true if the variable's value is valid. */
  test(type: Compilable, variable: string): string {
    return type.test?.(this, variable) ?? `${this.constant(cellOf(type, this.mode))}.check(${variable}, d + 1)`;
  }

  /** Returns an expression that is true while the token budget lasts. */
  spent(tokens: string): string {
    return `(${this.constant(budget)}.left -= ${tokens} || 1) >= 0`;
  }

  /** Returns the name by which the function refers to a value. */
  constant(value: unknown): string {
    const known = this.#constants.indexOf(value);
    return `c${known === -1 ? this.#constants.push(value) - 1 : known}`;
  }

  function(body: string): Check {
    return compile(body, this.#constants);
  }
}

/** Joins tests with `||`. There may be none, because conditions can remove all values of an enum. */
export function anyOf(tests: readonly string[]): string {
  return tests.length === 0 ? 'false' : `(${tests.join(' || ')})`;
}
