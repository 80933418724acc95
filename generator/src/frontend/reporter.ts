/** Collects errors in definitions, so that all of them are reported. */

import type { Diagnostic } from '../diagnostic.js';
import { SchemaError } from '../diagnostic.js';
import { optional } from '../optional.js';
import { didYouMean } from '../suggest.js';
import type { DefinitionSyntax } from './expressions/syntax.js';
import type { Source } from './source.js';

/** The maximum number of errors with suggestions. Finding a suggestion is slow in a schema with many names. */
const maxHints = 20;

/** The definition that contains an error. */
interface ErrorContext {
  readonly source: Source;
  /** The title in messages, such as `struct 'Foo'`. Absent while the definition's name is unknown. */
  readonly title?: string;
  /** The offset of the definition. */
  readonly offset: number;
}

/** Reports an error at an offset in the source of a definition. */
export type ReportAt = (offset: number, message: string, related?: Diagnostic['related']) => void;

export class Reporter {
  readonly #diagnostics: Diagnostic[] = [];
  #hints = 0;

  get count(): number {
    return this.#diagnostics.length;
  }

  /** Returns a function that reports errors in one definition. */
  in({ source, title, offset: start }: ErrorContext): ReportAt {
    return (offset, message, related) => {
      this.#diagnostics.push({
        ...source.diagnostic(offset, message),
        ...(title !== undefined && { definition: { title, position: source.position(start) } }),
        ...optional('related', related),
      });
    };
  }

  inDefinition({ source, offset, meta, name }: DefinitionSyntax): ReportAt {
    return this.in({ source, offset, title: `${meta} '${name}'` });
  }

  /** Returns the text of `didYouMean`, or an empty string after too many errors. */
  hint(name: string, names: Iterable<string>): string {
    this.#hints += 1;
    return this.#hints > maxHints ? '' : didYouMean(name, names);
  }

  /**
   * @throws SchemaError with all errors, by file in the order of their first errors, and by position
   */
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
