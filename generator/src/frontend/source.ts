/** The text of one schema file, and where in it things are. */

import type { Diagnostic, Place } from '../diagnostic.js';
import { SchemaError } from '../diagnostic.js';
import type { Position } from '../model.js';

/** Nobody reads longer lines, and a schema without newlines would be repeated with each error. */
const maxShown = 1000;

export class Source {
  /** Offsets at which lines begin. */
  readonly #lines: readonly number[];
  /** Where `position` looked last; most look-ups are near the one before. */
  #last = 0;

  /**
   * @param file the path shown in diagnostics and used to resolve includes
   * @param text with `\n` line ends
   * @param includedFrom the include directives that lead here, innermost first
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

  place(offset: number): Place {
    const position = this.position(offset);
    const begin = offset - position.column + 1;
    const end = this.#start(position.line) - 1;
    const source = this.text.slice(begin, end);
    return source.length > maxShown ? position : { ...position, source };
  }

  diagnostic(offset: number, message: string): Diagnostic {
    return { message, place: this.place(offset), includedFrom: this.includedFrom };
  }

  /** For what ends the parse. */
  fail(offset: number, message: string): never {
    throw new SchemaError([this.diagnostic(offset, message)]);
  }

  #start(line: number): number {
    return this.#lines[line] ?? Infinity;
  }
}
