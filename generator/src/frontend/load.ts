/** Loads a root schema file, and the files that it includes, into the model. */

import { createHash } from 'node:crypto';
import { basename, dirname, isAbsolute, join, resolve as resolvePath } from 'node:path';

import { FileError, reasonOf } from '../errors.js';
import type { Definition, Module, Position, Schema } from '../model.js';
import { relativePath } from '../paths.js';
import { maxInputSize, schemaReader, type Read } from '../sources/files.js';
import type { Expression, LocatedExpression, ValueNode } from './ast.js';
import { checkDefinitions } from './definitions/check.js';
import { resolve } from './definitions/resolve.js';
import { lenient, type Dialect } from './dialect.js';
import { readDefinition } from './expressions/definition.js';
import { parse, refuseDoc } from './parser.js';
import { defaultPragmas, setPragmas, type Pragmas } from './pragmas.js';
import { Reporter } from './reporter.js';
import { Source } from './source.js';

interface LoadOptions {
  /** The rules to apply. By default, the lenient dialect. */
  readonly dialect?: Dialect;
  /** Reads a file. By default, from the file system, and only in the root's tree. */
  readonly read?: Read;
  /** The expressions of parsed files, by absolute path. Files in the map are not parsed again; others are added. */
  readonly parsed?: Map<string, readonly Expression[]>;
}

/** A schema before its names are resolved. */
export interface ParsedSchema {
  /** In the order of first inclusion, the root first. */
  readonly files: readonly ParsedFile[];
  /** All expressions except directives, with includes expanded in place. */
  readonly definitions: readonly LocatedExpression[];
  readonly pragmas: Pragmas;
}

export interface ParsedFile {
  readonly source: Source;
  readonly expressions: readonly Expression[];
}

/** The maximum nesting of includes: deeper nesting could exhaust the stack. */
const maxIncludes = 100;

/**
 * @throws SchemaError with the first error if it is in the syntax or a directive, otherwise with all errors
 * @throws FileError if the root file cannot be read
 */
export function loadSchema(root: string, options: LoadOptions = {}): Schema {
  return resolveSchema(root, parseSchema(root, options), options);
}

/** @throws SchemaError with the first error in the syntax or a directive; FileError if the root file cannot be read */
export function parseSchema(root: string, options: LoadOptions = {}): ParsedSchema {
  const loader = new Loader(options.dialect ?? lenient, options.read ?? schemaReader(root), options.parsed);
  loader.loadRoot(root);
  return loader;
}

/** @throws SchemaError with all errors of the definitions */
export function resolveSchema(
  root: string,
  { files, definitions: expressions, pragmas }: ParsedSchema,
  { dialect = lenient }: Pick<LoadOptions, 'dialect'>,
): Schema {
  const rules = { dialect, pragmas };
  const reporter = new Reporter();
  const syntaxes = expressions
    .map((expression) => readDefinition(expression, rules, reporter))
    .filter((syntax) => syntax !== undefined);
  const resolution = resolve(syntaxes, ({ source }) => moduleName(source), dialect, reporter);
  checkDefinitions(syntaxes, resolution, rules, reporter);
  reporter.throwIfAny();
  const definitions = resolution.definitions.map(({ definition }) => definition);
  const modules = new Map(files.map(({ source }) => [source.file, toModule(root, source)]));
  for (const definition of definitions) modules.get(definition.position.file)?.definitions.push(definition);
  return {
    modules: [...modules.values()],
    digest: digest(root, files),
    definitions: new Map(definitions.map((definition) => [definition.name, definition])),
  };
}

function digest(root: string, files: readonly ParsedFile[]): string {
  const hash = createHash('sha256');
  for (const { source } of files) hash.update(JSON.stringify([toModule(root, source).path, source.text]));
  return hash.digest('hex');
}

function toModule(root: string, source: Source): Module & { definitions: Definition[] } {
  return { name: moduleName(source), path: relativePath(dirname(root), source.file), definitions: [] };
}

function moduleName({ file }: Source): string {
  return basename(file, '.json');
}

class Loader implements ParsedSchema {
  readonly files: ParsedFile[] = [];
  readonly definitions: LocatedExpression[] = [];
  readonly pragmas = defaultPragmas();
  readonly #dialect: Dialect;
  readonly #read: Read;
  readonly #parsed: Map<string, readonly Expression[]>;
  readonly #included = new Set<string>();
  #size = 0;

  constructor(dialect: Dialect, read: Read, parsed: Map<string, readonly Expression[]> = new Map()) {
    this.#dialect = dialect;
    this.#read = read;
    this.#parsed = parsed;
  }

  loadRoot(file: string): void {
    this.#load(file, [], (reason) => {
      throw new FileError(`cannot read '${file}': ${reason}`);
    });
  }

  #load(file: string, includedFrom: readonly Position[], refuse: (reason: string) => never): void {
    let bytes: Uint8Array;
    try {
      bytes = this.#read(file);
    } catch (error) {
      return refuse(reasonOf(error));
    }
    this.#size += bytes.length;
    if (this.#size > maxInputSize) refuse(`the schema is larger than ${maxInputSize >> 20} MiB`);
    this.#loadText(decode(file, bytes, includedFrom));
  }

  #loadText(source: Source): void {
    const path = resolvePath(source.file);
    this.#included.add(path);
    const expressions: Expression[] = [];
    this.files.push({ source, expressions });
    for (const expression of this.#parsed.get(path) ?? parse(source, this.#dialect)) {
      expressions.push(expression);
      if (!this.#directive(source, expression)) this.#definition(source, expression);
    }
    this.#parsed.set(path, expressions);
  }

  /** Processes a directive. Returns false if the expression is a definition. */
  #directive(source: Source, { object, doc }: Expression): boolean {
    const name = (['include', 'pragma'] as const).find((key) => object.members.has(key));
    const value = name && object.members.get(name)?.value;
    if (!value) return false;
    if (doc) refuseDoc(source, doc);
    for (const [key, { offset }] of object.members) {
      if (key !== name) source.fail(offset, `a directive has only one key, but this one has '${name}' and '${key}'`);
    }
    if (name === 'include') this.#include(source, value);
    else setPragmas(this.pragmas, source, value, this.#dialect);
    return true;
  }

  #definition(source: Source, expression: Expression): void {
    const { doc } = expression;
    if (doc && doc.symbol === undefined) {
      source.fail(doc.offset, "the comment before a definition must document it: its first line must be '# @NAME:'");
    }
    this.definitions.push({ source, ...expression });
  }

  #include(source: Source, node: ValueNode): void {
    if (node.kind !== 'string') return source.fail(node.offset, "'include' takes a string, the path of a file");
    const file = isAbsolute(node.value) ? node.value : join(dirname(source.file), node.value);
    const path = resolvePath(file);
    if ([source.file, ...source.includedFrom.map((from) => from.file)].some((open) => resolvePath(open) === path)) {
      source.fail(node.offset, `'${node.value}' includes itself`);
    }
    if (this.#included.has(path)) return;
    if (source.includedFrom.length === maxIncludes)
      source.fail(node.offset, `includes are nested more than ${maxIncludes} levels deep`);
    this.#load(file, [source.position(node.offset), ...source.includedFrom], (reason) =>
      source.fail(node.offset, `cannot read include file '${file}': ${reason}`),
    );
  }
}

/** @throws SchemaError at the first byte that is not UTF-8 */
function decode(file: string, bytes: Uint8Array, includedFrom: readonly Position[]): Source {
  const toSource = (fatal: boolean): Source => {
    const text = new TextDecoder('utf-8', { ignoreBOM: true, fatal }).decode(bytes);
    return new Source(file, text.includes('\r') ? text.replaceAll(/\r\n?/gu, '\n') : text, includedFrom);
  };
  try {
    return toSource(true);
  } catch {
    // Bytes that are not UTF-8 become U+FFFD, which no schema contains.
    const source = toSource(false);
    return source.fail(source.text.indexOf('\uFFFD'), 'this file is not UTF-8');
  }
}
