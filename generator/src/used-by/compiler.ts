/** The TypeScript that checks a program: its own where that has the API used here, else the one that comes with ts-morph. */

import { createRequire } from 'node:module';
import { join } from 'node:path';

import { Project, ts as bundled, type ts } from 'ts-morph';

export type Compiler = typeof ts;

/** @param folder of the program */
export function compilerOf(folder: string): Compiler {
  try {
    const own = createRequire(join(folder, 'index.js'))('typescript') as Partial<Compiler>;
    const [major = 0, minor = 0] = (own.version ?? '').split('.').map(Number);
    if ((major === 5 && minor >= 4) || (major === 6 && minor === 0)) return own as Compiler;
  } catch {
    // The program has none.
  }
  return bundled;
}

const libraryFolder = '/node_modules/typescript/lib';
let library: ts.ModuleResolutionHost | undefined;

/** The bundled compiler has its library in memory; any other finds its own on disk. */
export function libraryHost(compiler: Compiler): Partial<ts.CompilerHost> {
  return compiler === bundled
    ? {
        getDefaultLibLocation: () => libraryFolder,
        getDefaultLibFileName: (options) => `${libraryFolder}/${bundled.getDefaultLibFileName(options)}`,
      }
    : {};
}

/** The text of a file of the bundled library. */
export function libraryText(compiler: Compiler, path: string): string | undefined {
  if (compiler !== bundled || !path.startsWith(`${libraryFolder}/`)) return undefined;
  library ??= new Project({ useInMemoryFileSystem: true }).getModuleResolutionHost();
  return library.readFile(path);
}
