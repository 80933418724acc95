/** Collects the errors that do not end the work. */

import type { Diagnostic } from '../diagnostic.js';
import { SchemaError } from '../diagnostic.js';
import type { Position } from '../model.js';
import { didYouMean } from '../suggest.js';
import type { DefinitionSyntax } from './expressions/syntax.js';
import type { Source } from './source.js';

/** Suggestions take long in a schema of many names, so only the first errors have them. */
const maxHints = 20;

/** The definition in which errors are found, as `Diagnostic.definition` has it. */
export interface ErrorContext {
  readonly source: Source;
  /** `struct 'Foo'`; absent while the definition's name is not known. */
  readonly title?: string;
  /** Offset at which the definition begins. */
  readonly offset: number;
}

/** Reports an error at an offset of one definition's source. */
export type ReportAt = (offset: number, message: string, related?: Diagnostic['related']) => void;

export class Reporter {
  readonly #diagnostics: Diagnostic[] = [];
  #hints = 0;

  get count(): number {
    return this.#diagnostics.length;
  }

  /** For errors in one definition. */
  in({ source, title, offset: start }: ErrorContext): ReportAt {
    return (offset, message, related) => {
      const definition: { title: string; position: Position } | undefined =
        title === undefined ? undefined : { title, position: source.position(start) };
      this.#diagnostics.push({
        ...source.diagnostic(offset, message),
        ...(definition && { definition }),
        ...(related && { related }),
      });
    };
  }

  inDefinition({ source, offset, meta, name }: DefinitionSyntax): ReportAt {
    return this.in({ source, offset, title: `${meta} '${name}'` });
  }

  /** Suggests the nearest of some names, as `didYouMean` does. */
  hint(name: string, names: Iterable<string>): string {
    this.#hints += 1;
    return this.#hints > maxHints ? '' : didYouMean(name, names);
  }

  /** @throws SchemaError with all errors: files in the order of their first errors, and each file's from top to bottom */
  throwIfAny(): void {
    if (this.#diagnostics.length === 0) return;
    const files = [...new Set(this.#diagnostics.map(({ position }) => position.file))];
    throw new SchemaError(
      this.#diagnostics.toSorted(
        ({ position: a }, { position: b }) =>
          files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
      ),
    );
  }
}
