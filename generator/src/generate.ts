/** Generates the files that `qapi-ts generate` writes and `qapi-ts check` compares. */

import { basename, join } from 'node:path';

import { conditionNames, conditionTest } from './condition.js';
import { SchemaError, type Diagnostic } from './diagnostic.js';
import { manualAddress, servers } from './embedded.js';
import { emitJsonSchemas } from './emit/json-schema.js';
import { emitPackage, hasProse } from './emit/package.js';
import { loadSchema } from './frontend/load.js';
import type { Definition, Schema } from './model.js';
import { merge } from './model/merge.js';
import { narrow } from './narrow.js';
import { optional } from './optional.js';
import type { Output } from './output.js';
import type { Recovered } from './sources/recovered.js';
import { isRange, versionsInRange, versionsOf } from './sources/range.js';
import { locateVersion, openVersion, type Location } from './sources/versions.js';
import { generatorVersion } from './version.js';

export interface GenerateOptions {
  /**
   * A root schema file, or several of different versions, oldest first. By default, the schemas of all servers of a QEMU
   * version.
   */
  readonly schema?: readonly string[];
  /** An embedded or cached version, or a range of embedded ones: `7.2..11.1`. By default, the current one. */
  readonly qemu?: string;
  /** The schema of a server, instead of any other. */
  readonly recovered?: Recovered;
  readonly out: string;
  /** Whether to include documentation text. By default, if the schema has any. */
  readonly docs?: boolean;
  /** Whether to generate JSON Schemas, too. */
  readonly jsonSchema?: boolean;
  /** The conditions that hold. If empty, all conditions hold. */
  readonly define: readonly string[];
}

/** The output for one schema. */
export interface Generated extends Output {
  /** `QEMU 10.2.2`, or the name of the root file. */
  readonly origin: string;
  readonly schema: Schema;
  /** The names in the conditions of the whole schema. */
  readonly conditions: ReadonlySet<string>;
  /** The time in milliseconds that it took to read the schema, and to emit the output. */
  readonly time: { readonly read: number; readonly emit: number };
}

/**
 * @throws SchemaError; UsageError if the version is unknown, or has no documentation although it is required; FileError;
 * file system errors
 */
export function generate(options: GenerateOptions): Generated[] {
  const results: Generated[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const job of jobs(options)) {
    try {
      results.push(generateOne(job, options));
    } catch (error) {
      // Report the errors of all schemas, not only those of the first.
      if (!(error instanceof SchemaError)) throw error;
      diagnostics.push(...error.diagnostics);
    }
  }
  if (diagnostics.length > 0) throw new SchemaError(diagnostics);
  return results;
}

/** A schema to generate output for, or the schemas of a range of versions. */
interface Job {
  /** Each loads the schema of one version, oldest first. */
  readonly loads: readonly (() => Schema)[];
  readonly folder: string;
  readonly origin: string;
  /** The versions of the schemas, if known. Code for several needs them. */
  readonly versions?: readonly string[];
  readonly manual?: (definition: Definition) => string | undefined;
}

function jobs({ schema, recovered, qemu, out, docs }: GenerateOptions): Job[] {
  if (schema !== undefined) {
    const versions = schema.length > 1 ? versionsOf(schema) : undefined;
    const origin = versions ? `QEMU ${versions.join(', ')}` : schema.map((root) => basename(root)).join();
    const loads = schema.map((root) => () => loadSchema(root));
    return [{ loads, folder: out, origin, ...optional('versions', versions) }];
  }
  if (recovered) {
    const { origin, version, manual } = recovered;
    const versions = version === undefined ? undefined : [version];
    return [{ loads: [() => recovered.schema], folder: out, origin, ...optional('versions', versions), manual }];
  }
  const locations = locate(qemu, docs);
  const versions = locations.map(({ version }) => version);
  const trees = locations.map((location) => ({ ...location, read: openVersion(location) }));
  return servers.map((server) => ({
    loads: trees.map((tree) => () => loadSchema(join(tree.folder, server.root), { read: tree.read })),
    folder: join(out, server.name),
    origin: `QEMU ${versions.join(', ')}`,
    versions,
    manual: (definition) => manualAddress(server, definition),
  }));
}

/**
 * Finds the schemas of a version, or of the versions in a range.
 *
 * @throws UsageError if there are none
 */
export function locate(qemu: string | undefined, docs: boolean | undefined): Location[] {
  if (!isRange(qemu)) return [locateVersion(qemu, docs)];
  return versionsInRange(qemu).map((version) => locateVersion(version, docs));
}

function generateOne({ loads, folder, origin, versions, manual }: Job, options: GenerateOptions): Generated {
  const begin = performance.now();
  const all = loadAll(loads);
  const narrowed = options.define.length === 0 ? all : all.map((one) => narrow(one, conditionTest(options.define)));
  const schema = mergeAll(narrowed, versions);
  const qemu = versions?.length === 1 ? versions[0] : undefined;
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
  // Emitted last, because `emitPackage` verifies that no union has too many leaves.
  const jsonSchemas = options.jsonSchema ? emitJsonSchemas(schema, emitOptions) : [];
  for (const [name, text] of jsonSchemas) files.set(name, text);
  const time = { read: middle - begin, emit: performance.now() - middle };
  const conditions = new Set(all.flatMap((one) => [...conditionNames(one)]));
  return { folder, files, origin, schema, conditions, time };
}

/** @throws SchemaError with the errors of all schemas */
function loadAll(loads: readonly (() => Schema)[]): Schema[] {
  const diagnostics: Diagnostic[] = [];
  const schemas = loads.flatMap((load) => {
    try {
      return [load()];
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      diagnostics.push(...error.diagnostics);
      return [];
    }
  });
  if (diagnostics.length > 0) throw new SchemaError(diagnostics);
  return schemas;
}

/** Merges the schemas of a range, oldest first. */
function mergeAll(schemas: readonly Schema[], versions: readonly string[] = []): Schema {
  const [first, ...others] = schemas;
  if (first && others.length === 0) return first;
  return merge(schemas.map((schema, index) => ({ schema, version: versions[index] ?? '' })));
}
