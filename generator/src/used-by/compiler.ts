/**
 * Selects the TypeScript version that checks a program: the program's own if it has the required API, otherwise the one
 * bundled with ts-morph.
 */

import { createRequire } from 'node:module';
import { join } from 'node:path';

import { Project, ts as bundled, type ts } from 'ts-morph';

export type Compiler = typeof ts;

/** @param folder the directory of the program */
export function compilerOf(folder: string): Compiler {
  try {
    const own = createRequire(join(folder, 'index.js'))('typescript') as Partial<Compiler>;
    const [major = 0, minor = 0] = (own.version ?? '').split('.').map(Number);
    if ((major === 5 && minor >= 4) || (major === 6 && minor === 0)) return own as Compiler;
  } catch {
    // The program does not have its own TypeScript.
  }
  return bundled;
}

const libraryFolder = '/node_modules/typescript/lib';
let library: ts.ModuleResolutionHost | undefined;

/** Provides the bundled compiler with its library files, which it has in memory. Any other finds its own on disk. */
export function libraryHost(compiler: Compiler): Partial<ts.CompilerHost> {
  return compiler === bundled
    ? {
        getDefaultLibLocation: () => libraryFolder,
        getDefaultLibFileName: (options) => `${libraryFolder}/${bundled.getDefaultLibFileName(options)}`,
      }
    : {};
}

/** Returns the text of a library file of the bundled compiler. */
export function libraryText(compiler: Compiler, path: string): string | undefined {
  if (compiler !== bundled || !path.startsWith(`${libraryFolder}/`)) return undefined;
  library ??= new Project({ useInMemoryFileSystem: true }).getModuleResolutionHost();
  return library.readFile(path);
}
