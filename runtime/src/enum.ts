/** Enums. */

import { anyOf, type Compiler } from './compile.js';
import { display, type Inspector, type Notes } from './inspect.js';
import { didYouMean } from './suggest.js';
import { noParts, type Type } from './type.js';

/**
 * How generated code describes an enum: an object that maps each value to itself. Integer-like values come first,
 * regardless of their order in the schema.
 */
export type EnumValues = Readonly<Record<string, string>>;

/** The number of values that are listed in an issue. */
const maxValues = 12;

export class EnumType implements Type {
  readonly values: ReadonlySet<string>;
  readonly notes: ReadonlyMap<string, Notes>;
  readonly jsonKind = 'string';
  readonly takesNull = false;
  readonly isScalar = true;
  readonly parts = noParts;

  constructor(values: EnumValues, notes: Readonly<Record<string, Notes>>) {
    this.values = new Set(Object.keys(values));
    this.notes = new Map(Object.entries(notes));
  }

  get expectation(): string {
    const all = [...this.values].map((value) => `'${value}'`);
    if (all.length <= maxValues) return `one of ${all.join(', ')}`;
    return `one of ${all.slice(0, maxValues).join(', ')} and ${all.length - maxValues} more`;
  }

  test(compiler: Compiler, variable: string): string {
    const { values } = this;
    if (compiler.mode === 'open') return `typeof ${variable} === 'string'`;
    if (values.size > 16) return `${compiler.constant(values)}.has(${variable})`;
    return anyOf([...values].map((value) => `${variable} === ${JSON.stringify(value)}`));
  }

  inspect(inspector: Inspector, value: unknown): void {
    const { values } = this;
    if (typeof value !== 'string') inspector.mismatch(this.expectation, value);
    else if (values.has(value)) inspector.remark(this.notes.get(value), `'${value}' `);
    else if (inspector.isWanted('unknown')) {
      const hint = inspector.isOut ? didYouMean(value, values) : '';
      inspector.add('unknown', this.expectation, display(value), hint);
    }
  }
}
