/** Type-checks programs with several versions of TypeScript. */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const repository = fileURLToPath(new URL('../../', import.meta.url));

/** The packages of TypeScript by version. */
export const compilers = {
  '5.4': 'typescript-5.4',
  '5.9': 'typescript-5.9',
  '6.0': 'typescript-6.0',
  '7.0': 'typescript',
} as const;
export type CompilerVersion = keyof typeof compilers;

export interface Program {
  readonly compiler: CompilerVersion;
  /** Files and directories, relative to the repository or absolute. */
  readonly include: readonly string[];
  readonly options?: Readonly<Record<string, unknown>>;
}

/** The strictest options that a user's project may have. */
const strict = {
  noEmit: true,
  target: 'ES2022',
  lib: ['ES2022', 'ESNext.Disposable'],
  module: 'NodeNext',
  typeRoots: [join(repository, 'node_modules/@types')],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  skipLibCheck: false,
};

/** Returns the compiler's output, which is empty if there are no errors. */
export async function compile({ compiler, include, options }: Program): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'qapi-ts-compile-'));
  try {
    const project = join(folder, 'tsconfig.json');
    const absolute = include.map((path) => resolve(repository, path));
    writeFileSync(project, JSON.stringify({ compilerOptions: { ...strict, ...options }, include: absolute }));
    return await tsc(compiler, ['--project', project, '--pretty', 'false']);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const run = promisify(execFile);

async function tsc(compiler: CompilerVersion, args: readonly string[]): Promise<string> {
  const program = join(repository, 'node_modules', compilers[compiler], 'bin/tsc');
  try {
    return (await run(process.execPath, [program, ...args], { cwd: repository })).stdout;
  } catch (error) {
    const { stdout, message } = error as Error & { stdout?: string };
    return stdout === undefined || stdout === '' ? message : stdout;
  }
}
