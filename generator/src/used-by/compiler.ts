/** Selects the TypeScript version that checks a program. */

import { createRequire } from 'node:module';
import { join } from 'node:path';

import type { ts } from 'ts-morph';

export type Compiler = typeof ts;

export interface Toolchain {
  readonly compiler: Compiler;
  /** The library files of the bundled compiler, which are in memory. Any other compiler finds its own on disk. */
  readonly library?: Library;
}

interface Library {
  readonly host: Partial<ts.CompilerHost>;
  /** Returns the text of a file, or undefined if the file is not part of the library. */
  readonly textOf: (path: string) => string | undefined;
}

/**
 * Returns the program's own TypeScript if it has the required API, otherwise the one bundled with ts-morph.
 *
 * @param folder the directory of the program
 */
export async function toolchainOf(folder: string): Promise<Toolchain> {
  try {
    const own = createRequire(join(folder, 'index.js'))('typescript') as Partial<Compiler>;
    const [major = 0, minor = 0] = (own.version ?? '').split('.').map(Number);
    if ((major === 5 && minor >= 4) || (major === 6 && minor === 0)) return { compiler: own as Compiler };
  } catch {
    // The program does not have its own TypeScript.
  }
  return await bundled();
}

/** Loading a compiler takes a while, so the bundled one is loaded only for programs that need it. */
async function bundled(): Promise<Toolchain> {
  const { Project, ts: compiler } = await import('ts-morph');
  const folder = '/node_modules/typescript/lib';
  const files = new Project({ useInMemoryFileSystem: true }).getModuleResolutionHost();
  const library: Library = {
    host: {
      getDefaultLibLocation: () => folder,
      getDefaultLibFileName: (options) => `${folder}/${compiler.getDefaultLibFileName(options)}`,
    },
    textOf: (path) => (path.startsWith(`${folder}/`) ? files.readFile(path) : undefined),
  };
  return { compiler, library };
}
