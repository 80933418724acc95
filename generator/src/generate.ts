/** Generates the files that `qapi-ts generate` writes and `qapi-ts check` compares. */

import { basename, join } from 'node:path';

import { conditionNames, conditionTest } from './condition.js';
import { SchemaError, type Diagnostic } from './diagnostic.js';
import { manualAddress, servers } from './embedded.js';
import { emitJsonSchemas } from './emit/json-schema.js';
import { emitPackage, hasProse } from './emit/package.js';
import { loadSchema } from './frontend/load.js';
import type { Definition, Schema } from './model.js';
import { narrow } from './narrow.js';
import { optional } from './optional.js';
import type { Output } from './output.js';
import type { Recovered } from './sources/recovered.js';
import { locateVersion, openVersion } from './sources/versions.js';
import { generatorVersion } from './version.js';

export interface GenerateOptions {
  /** A root schema file. By default, the schemas of all servers of a QEMU version. */
  readonly schema?: string;
  /** An embedded or cached version. By default, the current one. */
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

/** A schema to generate output for. */
interface Job {
  readonly load: () => Schema;
  readonly folder: string;
  readonly origin: string;
  readonly qemu?: string;
  readonly manual?: (definition: Definition) => string | undefined;
}

function jobs({ schema, recovered, qemu, out, docs }: GenerateOptions): Job[] {
  if (schema !== undefined) return [{ load: () => loadSchema(schema), folder: out, origin: basename(schema) }];
  if (recovered) {
    const { origin, version, manual } = recovered;
    return [{ load: () => recovered.schema, folder: out, origin, ...optional('qemu', version), manual }];
  }
  const location = locateVersion(qemu, docs);
  const { version } = location;
  const read = openVersion(location);
  return servers.map((server) => ({
    load: () => loadSchema(join(location.folder, server.root), { read }),
    folder: join(out, server.name),
    origin: `QEMU ${version}`,
    qemu: version,
    manual: (definition) => manualAddress(server, definition),
  }));
}

function generateOne({ load, folder, origin, qemu, manual }: Job, options: GenerateOptions): Generated {
  const begin = performance.now();
  const whole = load();
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
  // Emitted last, because `emitPackage` verifies that no union has too many leaves.
  const jsonSchemas = options.jsonSchema ? emitJsonSchemas(schema, emitOptions) : [];
  for (const [name, text] of jsonSchemas) files.set(name, text);
  const time = { read: middle - begin, emit: performance.now() - middle };
  return { folder, files, origin, schema, conditions: conditionNames(whole), time };
}
