/** A root schema file, with all that it includes, into the model. */

import { createHash } from 'node:crypto';
import { basename, dirname, isAbsolute, join, resolve as resolvePath } from 'node:path';

import { FileError, reasonOf } from '../errors.js';
import type { Definition, Module, Position, Schema } from '../model.js';
import { relativePath } from '../paths.js';
import { maxInputSize, schemaReader, type Read } from '../sources/files.js';
import { didYouMean } from '../suggest.js';
import { checkExpression, type Expression } from './check.js';
import { lenient, type Dialect } from './dialect.js';
import type { DocComment } from './doc.js';
import { parse, refuseDoc, type Node, type ObjectNode } from './parser.js';
import { Reporter } from './reporter.js';
import { resolve } from './resolve.js';
import { Source } from './source.js';
import type { DefinitionSyntax, Pragmas } from './syntax.js';

interface LoadOptions {
  /** Whose rules apply; without it, those that every QEMU has. */
  readonly dialect?: Dialect;
  /** Without it, the files come from the file system, and from the root's tree only. */
  readonly read?: Read;
}

/** What the front end knows of a schema before names are resolved. */
export interface Parsed {
  /** Includes in the place of their directive. */
  readonly expressions: readonly Expression[];
  /** In the order of their first inclusion, the root first. */
  readonly sources: readonly Source[];
  readonly pragmas: Pragmas;
}

/** Deeper nesting than any schema has would exhaust the stack. */
const maxIncludes = 100;

/**
 * @throws SchemaError when the schema has errors: the first of syntax, or all others
 * @throws FileError when the root cannot be read
 */
export function loadSchema(root: string, options: LoadOptions = {}): Schema {
  const { dialect = lenient } = options;
  const { expressions, sources, pragmas } = parseSchema(root, options);
  const reporter = new Reporter();
  const syntaxes = expressions
    .map((expression) => checkExpression(expression, pragmas, dialect, reporter))
    .filter((syntax) => syntax !== undefined);
  const moduleOf = ({ source }: DefinitionSyntax): string => moduleName(source);
  const definitions = resolve(syntaxes, moduleOf, pragmas, dialect, reporter);
  reporter.throwIfAny();
  const modules = new Map(sources.map((source) => [source.file, toModule(root, source)]));
  for (const definition of definitions) modules.get(definition.position.file)?.definitions.push(definition);
  return {
    modules: [...modules.values()],
    digest: digest(root, sources),
    definitions: new Map(definitions.map((definition) => [definition.name, definition])),
  };
}

function digest(root: string, sources: readonly Source[]): string {
  const hash = createHash('sha256');
  for (const source of sources) hash.update(JSON.stringify([toModule(root, source).path, source.text]));
  return hash.digest('hex');
}

function toModule(root: string, source: Source): Module & { definitions: Definition[] } {
  return { name: moduleName(source), path: relativePath(dirname(root), source.file), definitions: [] };
}

function moduleName({ file }: Source): string {
  return basename(file, '.json');
}

/** @throws like loadSchema, for errors of syntax and directives only */
export function parseSchema(root: string, options: LoadOptions = {}): Parsed {
  const loader = new Loader(options.dialect ?? lenient, options.read ?? schemaReader(root));
  loader.loadRoot(root);
  return loader;
}

class Loader implements Parsed {
  readonly expressions: Expression[] = [];
  readonly sources: Source[] = [];
  readonly pragmas: Pragmas = {
    docRequired: false,
    commandNameExceptions: new Set(),
    commandReturnsExceptions: new Set(),
    documentationExceptions: new Set(),
    memberNameExceptions: new Set(),
  };
  readonly #dialect: Dialect;
  readonly #read: Read;
  readonly #included = new Set<string>();
  #size = 0;

  constructor(dialect: Dialect, read: Read) {
    this.#dialect = dialect;
    this.#read = read;
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
    this.#loadText(file, bytes, includedFrom);
  }

  #loadText(file: string, bytes: Uint8Array, includedFrom: readonly Position[]): void {
    this.#included.add(resolvePath(file));
    const source = decode(file, bytes, includedFrom);
    this.sources.push(source);
    for (const item of parse(source, this.#dialect)) {
      if (item.kind === 'expression') this.#expression(source, item.object, item.doc);
    }
  }

  #expression(source: Source, object: ObjectNode, doc: DocComment | undefined): void {
    for (const directive of ['include', 'pragma'] as const) {
      const entry = object.entries.get(directive);
      if (!entry) continue;
      if (doc) refuseDoc(source, doc);
      const other = [...object.entries].find(([key]) => key !== directive);
      if (other) source.fail(other[1].offset, `'${other[0]}' beside '${directive}': a directive has one key`);
      if (directive === 'include') this.#include(source, entry.value);
      else this.#pragma(source, entry.value);
      return;
    }
    if (doc && doc.symbol === undefined) {
      source.fail(doc.offset, "this comment documents no definition: its first line must be '# @NAME:' before one");
    }
    this.expressions.push({ source, object, ...(doc && { doc }) });
  }

  #include(source: Source, node: Node): void {
    if (node.kind !== 'scalar' || typeof node.value !== 'string')
      return source.fail(node.offset, "'include' takes the path of a file, a string");
    const file = isAbsolute(node.value) ? node.value : join(dirname(source.file), node.value);
    const path = resolvePath(file);
    const position = source.position(node.offset);
    if ([source.file, ...source.includedFrom.map((from) => from.file)].some((open) => resolvePath(open) === path)) {
      source.fail(node.offset, `'${node.value}' includes itself`);
    }
    if (this.#included.has(path)) return;
    if (source.includedFrom.length === maxIncludes)
      source.fail(node.offset, `includes nest more than ${maxIncludes} levels deep`);
    this.#load(file, [position, ...source.includedFrom], (reason) =>
      source.fail(node.offset, `cannot read include file '${file}': ${reason}`),
    );
  }

  #pragma(source: Source, node: Node): void {
    if (node.kind !== 'object') return source.fail(node.offset, "'pragma' takes an object");
    for (const [name, { offset, value }] of node.entries) {
      if (name === 'doc-required') {
        if (value.kind !== 'scalar' || typeof value.value !== 'boolean')
          source.fail(value.offset, `pragma '${name}' takes true or false`);
        else this.pragmas.docRequired = value.value;
        continue;
      }
      const known = this.#listPragmas();
      const key = known.get(name);
      if (!key)
        return source.fail(offset, `unknown pragma '${name}'${didYouMean(name, ['doc-required', ...known.keys()])}`);
      this.pragmas[key] = new Set(strings(source, value, name));
    }
  }

  /** The pragmas that take a list, in the dialect. */
  #listPragmas(): Map<string, Exclude<keyof Pragmas, 'docRequired'>> {
    const pragmas = new Map<string, Exclude<keyof Pragmas, 'docRequired'>>();
    if (!this.#dialect.enforces('no-whitelist-pragmas')) {
      pragmas.set('returns-whitelist', 'commandReturnsExceptions');
      pragmas.set('name-case-whitelist', 'memberNameExceptions');
    }
    if (!this.#dialect.enforces('no-exceptions-pragmas')) {
      pragmas.set('command-name-exceptions', 'commandNameExceptions');
      pragmas.set('command-returns-exceptions', 'commandReturnsExceptions');
      pragmas.set('member-name-exceptions', 'memberNameExceptions');
    }
    if (!this.#dialect.enforces('no-documentation-exceptions'))
      pragmas.set('documentation-exceptions', 'documentationExceptions');
    return pragmas;
  }
}

function strings(source: Source, node: Node, name: string): string[] {
  if (node.kind !== 'array') return source.fail(node.offset, `pragma '${name}' takes an array of strings`);
  return node.elements.map((element) => {
    if (element.kind === 'scalar' && typeof element.value === 'string') return element.value;
    return source.fail(element.offset, `pragma '${name}' takes an array of strings`);
  });
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
    // What cannot be decoded becomes U+FFFD, which no schema holds.
    const source = toSource(false);
    return source.fail(source.text.indexOf('\uFFFD'), 'this file is not UTF-8');
  }
}
