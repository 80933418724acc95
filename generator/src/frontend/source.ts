/** The text of a schema file, and the positions of its offsets. */

import type { Diagnostic, QuotedPosition } from '../diagnostic.js';
import { SchemaError } from '../diagnostic.js';
import type { Position } from '../model.js';

/** Longer lines are not quoted: each error in a schema without newlines would repeat the whole schema. */
const maxQuoted = 1000;

export class Source {
  /** The offsets of the first characters of the lines. */
  readonly #lines: readonly number[];
  /** The line that `position` found last: consecutive calls are usually for the same line or the next. */
  #last = 0;

  /**
   * @param file the path, for diagnostics and for relative includes
   * @param text the text, with lines that end with `\n`
   * @param includedFrom the include directives that lead to the file, innermost first
   */
  constructor(
    readonly file: string,
    readonly text: string,
    readonly includedFrom: readonly Position[] = [],
  ) {
    const lines = [0];
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines.push(at + 1);
    this.#lines = lines;
  }

  position(offset: number): Position {
    let low = 0;
    let high = this.#lines.length - 1;
    if (this.#start(this.#last) <= offset) low = this.#last;
    if (this.#start(low + 1) > offset) high = low;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#start(middle) <= offset) low = middle;
      else high = middle - 1;
    }
    this.#last = low;
    return { file: this.file, line: low + 1, column: offset - this.#start(low) + 1 };
  }

  /** Returns the position with the text of its line. */
  quote(offset: number): QuotedPosition {
    const position = this.position(offset);
    const start = offset - position.column + 1;
    const end = this.#start(position.line) - 1;
    const source = this.text.slice(start, end);
    return source.length > maxQuoted ? position : { ...position, source };
  }

  diagnostic(offset: number, message: string): Diagnostic {
    return { message, position: this.quote(offset), includedFrom: this.includedFrom };
  }

  /** @throws SchemaError */
  fail(offset: number, message: string): never {
    throw new SchemaError([this.diagnostic(offset, message)]);
  }

  #start(line: number): number {
    return this.#lines[line] ?? Infinity;
  }
}
