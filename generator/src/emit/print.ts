/** Structures into text. */

import { Project, QuoteKind, type SourceFileStructure } from 'ts-morph';

export class Printer {
  readonly #project = new Project({
    useInMemoryFileSystem: true,
    manipulationSettings: { quoteKind: QuoteKind.Single },
  });

  /** Not formatted yet. */
  print(path: string, structure: SourceFileStructure): string {
    return this.#project.createSourceFile(path, structure).getFullText();
  }
}
