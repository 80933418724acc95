/** The programs of a `tsconfig.json`, made in memory: each can be made again with other generated code in place of its own. */

import { statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import type { ts } from 'ts-morph';

import { UsageError } from '../errors.js';
import { readNamed } from '../sources/files.js';
import { compilerOf, libraryHost, libraryText, type Compiler } from './compiler.js';

/** Folders of generated code, each with the files that are there instead of what the disk has. */
export type Replacements = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** One configuration: a program, as far as the configuration has files. */
export class Configured {
  readonly files: readonly string[];
  readonly options: ts.CompilerOptions;
  readonly #parsed: ts.ParsedCommandLine;
  /** Files that no replacement touches are parsed once. */
  readonly #cache = new Map<string, ts.SourceFile>();

  constructor(
    readonly compiler: Compiler,
    parsed: ts.ParsedCommandLine,
  ) {
    this.#parsed = parsed;
    this.files = parsed.fileNames;
    // Before TypeScript 6, all were what a configuration without `types` meant; otherwise they only declare more.
    const types = parsed.options.types ?? (compiler.version.startsWith('6.') ? ['*'] : undefined);
    this.options = { ...parsed.options, ...(types && { types }), noEmit: true, skipLibCheck: true };
  }

  /**
   * @param isBlank whether the files of a folder are taken for empty
   */
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
      ...libraryHost(this.compiler),
      fileExists: (path) => (isReplaced(path) ? replaced(path) !== undefined : host.fileExists(path)),
      readFile: (path) => (isReplaced(path) ? replaced(path) : host.readFile(path)),
      getSourceFile: (path, version, onError) => {
        const text = replaced(path) ?? (isBlank(dirname(path)) ? '' : undefined);
        if (text !== undefined) return this.compiler.createSourceFile(path, text, version);
        let file = this.#cache.get(path);
        if (!file) {
          const own = libraryText(this.compiler, path);
          file =
            own === undefined
              ? host.getSourceFile(path, version, onError)
              : this.compiler.createSourceFile(path, own, version);
          if (file) this.#cache.set(path, file);
        }
        return file;
      },
      // Comments matter as far as they have types in them, in JavaScript.
      jsDocParsingMode: this.compiler.JSDocParsingMode.ParseForTypeErrors,
      // What a referenced project has built may be older than its source, or not be there.
      ...{ useSourceOfProjectReferenceRedirect: () => true },
    };
  }
}

/**
 * A configuration, and those that it refers to, as far as they have files that no earlier one has.
 *
 * @param tsconfig the path of the configuration, or of the folder with its `tsconfig.json`
 * @throws FileError when a configuration cannot be read; UsageError when it is none
 */
export function readConfigurations(tsconfig: string): Configured[] {
  const path = resolve(tsconfig);
  const root = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, 'tsconfig.json') : path;
  const compiler = compilerOf(dirname(root));
  const seen = new Set<string>();
  const found: Configured[] = [];
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const parsed = parseConfiguration(compiler, file);
    const { fileNames, projectReferences = [] } = parsed;
    if (fileNames.length > 0) found.push(new Configured(compiler, parsed));
    for (const reference of projectReferences) visit(resolve(compiler.resolveProjectReferencePath(reference)));
  };
  visit(root);
  return found;
}

/** Options, and values of options, that a newer TypeScript has. */
const newer = new Set([5023, 5025, 6046]);

/** "No inputs were found", and "The 'files' list is empty", which is how a configuration that only refers to others looks. */
const noInputs = new Set([18_002, 18_003]);

/** One of these is in every configuration; a package.json has `files`, too. */
const keys = ['compilerOptions', 'extends', 'files', 'include', 'exclude', 'references'];

function parseConfiguration(compiler: Compiler, path: string): ts.ParsedCommandLine {
  const explain = ({ messageText }: ts.Diagnostic): UsageError =>
    new UsageError(`'${path}': ${compiler.flattenDiagnosticMessageText(messageText, ' ')}`);
  const { config, error } = compiler.parseConfigFileTextToJson(path, readText(path));
  if (error) throw explain(error);
  const names = Object.keys((config ?? {}) as object);
  if (basename(path) === 'package.json' || (names.length > 0 && !keys.some((key) => names.includes(key)))) {
    throw new UsageError(
      `'${path}' is not a TypeScript configuration: expected a tsconfig.json, or the folder that has it`,
    );
  }
  const parsed = compiler.parseJsonConfigFileContent(config, compiler.sys, dirname(path), undefined, path);
  const { errors, projectReferences = [] } = parsed;
  const isExpected = ({ code }: ts.Diagnostic): boolean =>
    newer.has(code) || (noInputs.has(code) && projectReferences.length > 0);
  const unexpected = errors.find((one) => !isExpected(one));
  if (unexpected) throw explain(unexpected);
  return parsed;
}

function readText(path: string): string {
  return new TextDecoder().decode(readNamed(path));
}
