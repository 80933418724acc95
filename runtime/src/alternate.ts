/** Alternates: the JSON kind of a value selects its type. */

import { anyOf, type Compiler } from './compile.js';
import { kindOf, type Inspector } from './inspect.js';
import type { JsonKind } from './json.js';
import { typeOf, type TypeRef } from './schema.js';
import type { Type } from './type.js';

export class AlternateType implements Type {
  readonly #define: () => readonly TypeRef[];
  #alternatives: ReadonlyMap<JsonKind | undefined, Type> | undefined;
  readonly jsonKind = undefined;
  readonly isScalar = false;

  constructor(define: () => readonly TypeRef[]) {
    this.#define = define;
  }

  /** The types by the kind of their values. No alternative is an alternate or `any`, so each has exactly one kind. */
  get alternatives(): ReadonlyMap<JsonKind | undefined, Type> {
    return (this.#alternatives ??= new Map(
      this.#define()
        .map(typeOf)
        .map((type) => [type.jsonKind, type]),
    ));
  }

  get parts(): Iterable<Type> {
    return this.alternatives.values();
  }

  get takesNull(): boolean {
    return this.alternatives.has('null');
  }

  get expectation(): string {
    return [...this.alternatives.keys()].join(' or ');
  }

  test(compiler: Compiler, variable: string): string {
    return anyOf([...this.parts].map((type) => `(${compiler.test(type, variable)})`));
  }

  inspect(inspector: Inspector, value: unknown): void {
    const kind = kindOf(value);
    const alternative = kind && this.alternatives.get(kind);
    if (alternative) alternative.inspect(inspector, value);
    else inspector.mismatch(this.expectation, value);
  }
}
