/** Types of code for a range of versions that differ between versions. */

import { anyOf, type Compiler } from './compile.js';
import { Inspector, isFailure, kindOf, type Notes } from './inspect.js';
import { limits, type JsonKind } from './json.js';
import { typeOf, type TypeRef } from './schema.js';
import type { Type } from './type.js';
import { validator, type Validator } from './validator.js';

/** How generated code describes a joined type: its variants, each with the versions that have it. */
export type JoinedRefs = readonly (readonly [ref: TypeRef, versions: string])[];

interface Variant extends Required<Pick<Notes, 'in'>> {
  readonly type: Type;
}

/** Accepts the values of every variant. */
export class JoinedType implements Type {
  readonly #define: () => JoinedRefs;
  #variants: readonly Variant[] | undefined;

  constructor(define: () => JoinedRefs) {
    this.#define = define;
  }

  get variants(): readonly Variant[] {
    return (this.#variants ??= this.#define().map(([ref, versions]) => ({ type: typeOf(ref), in: versions })));
  }

  get parts(): readonly Type[] {
    return this.variants.map(({ type }) => type);
  }

  get jsonKind(): JsonKind | undefined {
    const [kind, ...others] = new Set(this.parts.map((type) => type.jsonKind));
    return others.length === 0 ? kind : undefined;
  }

  get expectation(): string {
    return [...new Set(this.parts.map(({ expectation }) => expectation))].join(' or ');
  }

  get takesNull(): boolean {
    return this.parts.some(({ takesNull }) => takesNull);
  }

  get isScalar(): boolean {
    return this.parts.every(({ isScalar }) => isScalar);
  }

  test(compiler: Compiler, variable: string): string {
    return anyOf(this.parts.map((type) => `(${compiler.test(type, variable)})`));
  }

  /** Reports the issues of the variant that fits best. */
  inspect(inspector: Inspector, value: unknown, further?: boolean): void {
    const kind = kindOf(value);
    const variants = this.variants.filter(({ type: { jsonKind } }) => jsonKind === undefined || jsonKind === kind);
    const best = bestOf(inspector, variants, value, further);
    if (!best) inspector.mismatch(this.expectation, value);
    else {
      inspector.remark({ in: best.in }, 'this type');
      best.type.inspect(inspector, value, further);
    }
  }
}

export function joined<T>(define: () => JoinedRefs): Validator<T> {
  return validator(new JoinedType(define), 'out');
}

function bestOf(
  inspector: Inspector,
  variants: readonly Variant[],
  value: unknown,
  further: boolean | undefined,
): Variant | undefined {
  const isAbsent = (variant: Variant): boolean => inspector.options.absence?.(variant) !== undefined;
  // Of variants that fit equally, prefer those of the server's version.
  const candidates = variants.toSorted((a, b) => Number(isAbsent(a)) - Number(isAbsent(b)));
  let [best] = candidates;
  if (candidates.length <= 1) return best;
  let fewest = Infinity;
  for (const candidate of candidates) {
    const issues = issuesOf(inspector, candidate.type, value, further);
    if (issues < fewest) [best, fewest] = [candidate, issues];
    if (issues === 0) break;
  }
  return best;
}

/**
 * The tokens of trials, by the holders of the inspection that they belong to. Without a limit, nested joined types
 * would take exponential time.
 */
const tried = /* @__PURE__ */ new WeakMap<object[], number>();

/** How many trials of a message of the maximum size are made. */
const maxTrials = 16;

/** A mismatch weighs more than any number of unknown members and values. */
const weightOfFailure = 1e6;

/** Tries a type, and returns the weight of its issues. */
function issuesOf(inspector: Inspector, type: Type, value: unknown, further: boolean | undefined): number {
  const { options, direction, holders } = inspector;
  const tokens = tried.get(holders) ?? 0;
  if (tokens > maxTrials * limits[direction].tokens) return Infinity;
  const depth = holders.length;
  const trial = new Trial({ direction, mend: options.mend, further }, value, holders);
  trial.inspect(type);
  holders.length = depth;
  tried.set(holders, (tried.get(holders) ?? 0) + trial.tokens);
  const failures = trial.issues.filter((issue) => isFailure(issue, direction)).length;
  return failures * weightOfFailure + trial.issues.length - failures;
}

/** Leaves the value as it is. */
class Trial extends Inspector {
  override replace(): void {}
}
