/** Collects the errors that do not end the work. */

import type { Diagnostic } from '../diagnostic.js';
import { SchemaError } from '../diagnostic.js';
import type { Position } from '../model.js';
import { didYouMean } from '../suggest.js';
import type { Source } from './source.js';
import type { DefinitionSyntax } from './syntax.js';

const maxHints = 20;

/** The definition in which errors are found, as `Diagnostic.definition` has it. */
export interface Context {
  readonly source: Source;
  readonly title?: string;
  /** Offset at which the definition begins. */
  readonly offset: number;
}

export function contextOf({ source, offset, meta, name }: DefinitionSyntax): Context {
  return { source, offset, title: `${meta} '${name}'` };
}

export class Reporter {
  readonly #diagnostics: Diagnostic[] = [];
  #hints = 0;

  get count(): number {
    return this.#diagnostics.length;
  }

  report(context: Context, offset: number, message: string, related?: { message: string; position: Position }): void {
    const { source, title } = context;
    this.#diagnostics.push({
      ...source.diagnostic(offset, message),
      ...(title !== undefined && { definition: { title, position: source.position(context.offset) } }),
      ...(related && { related }),
    });
  }

  /** Which of the names was meant: only for the first errors, because it takes long where there are many names. */
  hint(name: string, names: Iterable<string>): string {
    this.#hints += 1;
    return this.#hints > maxHints ? '' : didYouMean(name, names);
  }

  /** @throws SchemaError with all errors, in the order of the files' first errors and then of their lines */
  throwIfAny(): void {
    if (this.#diagnostics.length === 0) return;
    const files = [...new Set(this.#diagnostics.map(({ place }) => place.file))];
    throw new SchemaError(
      this.#diagnostics.toSorted(
        ({ place: a }, { place: b }) =>
          files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
      ),
    );
  }
}
