/** Structures into formatted text. */

import { format, type Options } from 'prettier';
import { Project, QuoteKind, type SourceFileStructure } from 'ts-morph';

/** How generated code is formatted, wherever it lands. */
const style: Options = { parser: 'typescript', singleQuote: true, printWidth: 120 };

export class Printer {
  readonly #project = new Project({
    useInMemoryFileSystem: true,
    manipulationSettings: { quoteKind: QuoteKind.Single },
  });

  /** @param header a comment for the first line */
  async print(path: string, structure: SourceFileStructure, header: string): Promise<string> {
    const text = this.#project.createSourceFile(path, structure).getFullText();
    return format(`${header}\n\n${text}`, style);
  }
}
