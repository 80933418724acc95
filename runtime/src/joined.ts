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
      inspector.remark({ in: best.in }, 'this type ');
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
  let [best] = variants;
  if (variants.length <= 1) return best;
  const trials = trialsOf(inspector);
  let fewest = Infinity;
  for (const variant of variants) {
    const weight = trials.weightOf(inspector, variant.type, value, further);
    if (weight < fewest) [best, fewest] = [variant, weight];
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
    const known = weights.get(value);
    if (known !== undefined) return known;
    // A value may contain itself, which the trial finds.
    weights.set(value, 0);
    const weight = this.#try(inspector, type, value, further);
    weights.set(value, weight);
    return weight;
  }

  #try({ mends, direction }: Inspector, type: Type, value: unknown, further: boolean | undefined): number {
    if (this.#tokens > limits[direction].tokens) return Infinity;
    const trial = new Trial({ direction, mend: mends, further }, value);
    trialsOfInspectors.set(trial, this);
    trial.inspect(type);
    this.#tokens += trial.tokens;
    const failures = trial.issues.filter((issue) => isFailure(issue, direction)).length;
    return failures * weightOfFailure + trial.issues.length - failures;
  }
}

/** An inspection and its trials share theirs. */
const trialsOfInspectors = /* @__PURE__ */ new WeakMap<Inspector, Trials>();

function trialsOf(inspector: Inspector): Trials {
  const trials = trialsOfInspectors.get(inspector) ?? new Trials();
  trialsOfInspectors.set(inspector, trials);
  return trials;
}

/** Leaves the value as it is, and counts its tokens. */
class Trial extends Inspector {
  tokens = 1;

  override replace(): void {}

  override spend(tokens: number): void {
    this.tokens += tokens;
    super.spend(tokens);
  }
}
