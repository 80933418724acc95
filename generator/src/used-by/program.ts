/** Creates the programs of a `tsconfig.json` in memory, optionally with other generated code. */

import { statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import type { ts } from 'ts-morph';

import { UsageError } from '../errors.js';
import { readNamed } from '../sources/files.js';
import { toolchainOf, type Compiler, type Toolchain } from './compiler.js';

/** The replaced files of directories of generated code, by directory and name. */
export type Replacements = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** The program of one configuration. */
export class Configured {
  readonly files: readonly string[];
  readonly options: ts.CompilerOptions;
  readonly compiler: Compiler;
  readonly #library: Toolchain['library'];
  readonly #parsed: ts.ParsedCommandLine;
  /** Unreplaced files, which are parsed only once. */
  readonly #cache = new Map<string, ts.SourceFile>();

  constructor({ compiler, library }: Toolchain, parsed: ts.ParsedCommandLine) {
    this.compiler = compiler;
    this.#library = library;
    this.#parsed = parsed;
    this.files = parsed.fileNames;
    // Before TypeScript 6, a configuration without `types` included every installed `@types` package. The bundled
    // compiler may stand in for any version. For later versions, including them only adds declarations.
    const types = parsed.options.types ?? (library ? ['*'] : undefined);
    this.options = { ...parsed.options, ...(types && { types }), noEmit: true, skipLibCheck: true };
  }

  /** @param isBlank returns whether to treat the files of a directory as empty */
  program(replacements: Replacements, isBlank: (folder: string) => boolean = () => false): ts.Program {
    const { projectReferences } = this.#parsed;
    return this.compiler.createProgram({
      rootNames: this.files,
      options: this.options,
      host: this.#host(replacements, isBlank),
      ...(projectReferences && { projectReferences }),
    });
  }

  #host(replacements: Replacements, isBlank: (folder: string) => boolean): ts.CompilerHost {
    const host = this.compiler.createCompilerHost(this.options);
    const replaced = (path: string): string | undefined => replacements.get(dirname(path))?.get(basename(path));
    const isReplaced = (path: string): boolean => replacements.has(dirname(path));
    return {
      ...host,
      ...this.#library?.host,
      fileExists: (path) => (isReplaced(path) ? replaced(path) !== undefined : host.fileExists(path)),
      readFile: (path) => (isReplaced(path) ? replaced(path) : host.readFile(path)),
      getSourceFile: (path, version, onError) => {
        const text = replaced(path) ?? (isBlank(dirname(path)) ? '' : undefined);
        if (text !== undefined) return this.compiler.createSourceFile(path, text, version);
        let file = this.#cache.get(path);
        if (!file) {
          const own = this.#library?.textOf(path);
          file =
            own === undefined
              ? host.getSourceFile(path, version, onError)
              : this.compiler.createSourceFile(path, own, version);
          if (file) this.#cache.set(path, file);
        }
        return file;
      },
      // Parse only the JSDoc comments that contain types, in JavaScript.
      jsDocParsingMode: this.compiler.JSDocParsingMode.ParseForTypeErrors,
      // The build output of a referenced project may be stale or missing.
      ...{ useSourceOfProjectReferenceRedirect: () => true },
    };
  }
}

/**
 * Reads a configuration and those that it references. Configurations without files are omitted.
 *
 * @param tsconfig the path of the configuration, or of the directory with its `tsconfig.json`
 * @throws FileError if a configuration cannot be read; UsageError if it is invalid
 */
export async function readConfigurations(tsconfig: string): Promise<Configured[]> {
  const path = resolve(tsconfig);
  const root = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, 'tsconfig.json') : path;
  const toolchain = await toolchainOf(dirname(root));
  const { compiler } = toolchain;
  const seen = new Set<string>();
  const found: Configured[] = [];
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const parsed = parseConfiguration(compiler, file);
    const { fileNames, projectReferences = [] } = parsed;
    if (fileNames.length > 0) found.push(new Configured(toolchain, parsed));
    for (const reference of projectReferences) visit(resolve(compiler.resolveProjectReferencePath(reference)));
  };
  visit(root);
  return found;
}

/** Error codes for options, and values of options, that only newer versions of TypeScript have. */
const newerOptions = new Set([5023, 5025, 6046]);

/**
 * Error codes "No inputs were found" and "The 'files' list is empty", which are expected of a configuration that only
 * references others.
 */
const noInputs = new Set([18_002, 18_003]);

/** A configuration has at least one of these. (A package.json may have `files`, too.) */
const keys = ['compilerOptions', 'extends', 'files', 'include', 'exclude', 'references'];

function parseConfiguration(compiler: Compiler, path: string): ts.ParsedCommandLine {
  const explain = ({ messageText }: ts.Diagnostic): UsageError =>
    new UsageError(`'${path}': ${compiler.flattenDiagnosticMessageText(messageText, ' ')}`);
  const { config, error } = compiler.parseConfigFileTextToJson(path, readText(path));
  if (error) throw explain(error);
  const names = Object.keys((config ?? {}) as object);
  if (basename(path) === 'package.json' || (names.length > 0 && !keys.some((key) => names.includes(key)))) {
    throw new UsageError(`'${path}' is not a TypeScript configuration: expected a tsconfig.json or its directory`);
  }
  const parsed = compiler.parseJsonConfigFileContent(config, compiler.sys, dirname(path), undefined, path);
  const { errors, projectReferences = [] } = parsed;
  const isExpected = ({ code }: ts.Diagnostic): boolean =>
    newerOptions.has(code) || (noInputs.has(code) && projectReferences.length > 0);
  const unexpected = errors.find((one) => !isExpected(one));
  if (unexpected) throw explain(unexpected);
  return parsed;
}

function readText(path: string): string {
  return new TextDecoder().decode(readNamed(path));
}
