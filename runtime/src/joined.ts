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
  const trials = trialsOf(inspector);
  let fewest = Infinity;
  for (const candidate of candidates) {
    const weight = trials.weightOf(inspector, candidate.type, value, further);
    if (weight < fewest) [best, fewest] = [candidate, weight];
    if (weight === 0) break;
  }
  return best;
}

/** A mismatch weighs more than any number of unknown members and values. */
const weightOfFailure = 1e6;

/**
 * Tries types. Nested joined types would take exponential time if values were tried more than once, and quadratic time
 * if there were no limit.
 */
class Trials {
  #tokens = 0;
  readonly #weights = new WeakMap<Type, WeakMap<object, number>>();

  /** Returns the weight of a value's issues. */
  weightOf(inspector: Inspector, type: Type, value: unknown, further: boolean | undefined): number {
    if (typeof value !== 'object' || value === null) return this.#try(inspector, type, value, further);
    const weights = this.#weights.get(type) ?? new WeakMap<object, number>();
    this.#weights.set(type, weights);
    const weight = weights.get(value) ?? this.#try(inspector, type, value, further);
    weights.set(value, weight);
    return weight;
  }

  #try({ options, direction, holders }: Inspector, type: Type, value: unknown, further: boolean | undefined): number {
    if (this.#tokens > limits[direction].tokens) return Infinity;
    const depth = holders.length;
    const trial = new Trial({ direction, mend: options.mend, further }, value, holders);
    trial.inspect(type);
    holders.length = depth;
    this.#tokens += trial.tokens;
    const failures = trial.issues.filter((issue) => isFailure(issue, direction)).length;
    return failures * weightOfFailure + trial.issues.length - failures;
  }
}

/** The trials of an inspection, by its holders, which its trials share. */
const trialsByHolders = /* @__PURE__ */ new WeakMap<object[], Trials>();

function trialsOf({ holders }: Inspector): Trials {
  const trials = trialsByHolders.get(holders) ?? new Trials();
  trialsByHolders.set(holders, trials);
  return trials;
}

/** Leaves the value as it is. */
class Trial extends Inspector {
  override replace(): void {}
}
