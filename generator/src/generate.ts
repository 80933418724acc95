/** What `qapi-ts generate` writes and `qapi-ts check` compares. */

import { basename, join } from 'node:path';

import { conditionNames, conditionTest } from './condition.js';
import { SchemaError, type Diagnostic } from './diagnostic.js';
import { currentVersion, embeddedRoot, manualAddress, resolveVersion, servers } from './embedded.js';
import { emitJsonSchemas } from './emit/json-schema.js';
import { emitPackage, hasProse } from './emit/package.js';
import { loadSchema } from './frontend/load.js';
import type { Definition, Schema } from './model.js';
import { narrow } from './narrow.js';
import { optional } from './optional.js';
import type { Output } from './output.js';
import { generatorVersion } from './version.js';

export interface GenerateOptions {
  /** A root schema file; without it, all servers of an embedded QEMU. */
  readonly schema?: string;
  /** An embedded version; without it, the current one. */
  readonly qemu?: string;
  readonly out: string;
  /** Whether texts of documentation are written out; without it, where there are any. */
  readonly docs?: boolean;
  /** Whether there are JSON Schemas, too. */
  readonly jsonSchema?: boolean;
  /** The conditions that hold; without any, all do. */
  readonly define: readonly string[];
}

/** One schema, read and emitted. */
export interface Generated extends Output {
  /** `QEMU 10.2.2`, or the name of the root file. */
  readonly origin: string;
  readonly schema: Schema;
  /** The names in the conditions of the whole schema. */
  readonly conditions: ReadonlySet<string>;
  /** In milliseconds: from the files to the model, and from there to text. */
  readonly time: { readonly read: number; readonly emit: number };
}

/** @throws SchemaError, UsageError for an unknown version, FileError, errors of the file system */
export function generate(options: GenerateOptions): Generated[] {
  const results: Generated[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const job of jobs(options)) {
    try {
      results.push(generateOne(job, options));
    } catch (error) {
      // The errors of all schemas are reported, not only those of the first.
      if (!(error instanceof SchemaError)) throw error;
      diagnostics.push(...error.diagnostics);
    }
  }
  if (diagnostics.length > 0) throw new SchemaError(diagnostics);
  return results;
}

/** One schema to be read, and what its output is. */
interface Job {
  readonly root: string;
  readonly folder: string;
  readonly origin: string;
  readonly qemu?: string;
  readonly manual?: (definition: Definition) => string;
}

function jobs({ schema, qemu, out }: GenerateOptions): Job[] {
  if (schema !== undefined) return [{ root: schema, folder: out, origin: basename(schema) }];
  const version = qemu === undefined ? currentVersion() : resolveVersion(qemu);
  return servers.map((server) => ({
    root: embeddedRoot(version, server),
    folder: join(out, server.name),
    origin: `QEMU ${version}`,
    qemu: version,
    manual: (definition) => manualAddress(server, definition),
  }));
}

function generateOne({ root, folder, origin, qemu, manual }: Job, options: GenerateOptions): Generated {
  const begin = performance.now();
  const whole = loadSchema(root);
  const schema = options.define.length === 0 ? whole : narrow(whole, conditionTest(options.define));
  const middle = performance.now();
  const docs = options.docs ?? hasProse(schema);
  const emitOptions = {
    origin,
    generator: generatorVersion(),
    define: options.define,
    docs,
    ...optional('qemu', qemu),
    ...optional('manual', manual),
  };
  const files = emitPackage(schema, emitOptions);
  // Only then is it known that no union has too many branches.
  const jsonSchemas = options.jsonSchema ? emitJsonSchemas(schema, emitOptions) : [];
  for (const [name, text] of jsonSchemas) files.set(name, text);
  const time = { read: middle - begin, emit: performance.now() - middle };
  return { folder, files, origin, schema, conditions: conditionNames(whole), time };
}
