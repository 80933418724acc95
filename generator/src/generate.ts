/** What `qapi-ts generate` writes and `qapi-ts check` compares. */

import { basename, join } from 'node:path';

import { conditionTest } from './condition.js';
import { currentVersion, embeddedRoot, manualAddress, resolveVersion, servers } from './embedded.js';
import type { Format } from './emit/format.js';
import { emitPackage, hasProse } from './emit/package.js';
import { loadSchema } from './frontend/load.js';
import { FormatThread } from './format-thread.js';
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
  /** The conditions that hold; without any, all do. */
  readonly define: readonly string[];
}

/** One schema, read and emitted. */
export interface Generated extends Output {
  /** `QEMU 10.2.2`, or the name of the root file. */
  readonly origin: string;
  readonly schema: Schema;
  /** In milliseconds: from the files to the model, and from there to the text. */
  readonly time: { readonly front: number; readonly emit: number };
}

/** @throws SchemaError, UsageError for an unknown version, FileError, errors of the file system */
export async function generate(options: GenerateOptions): Promise<Generated[]> {
  const thread = new FormatThread();
  try {
    return await Promise.all(jobs(options).map((job) => generateOne(job, options, thread.format)));
  } finally {
    await thread.dispose();
  }
}

/** One schema to be read, and what its output is. */
interface Job {
  readonly root: string;
  readonly folder: string;
  readonly origin: string;
  readonly manual?: (definition: Definition) => string;
}

function jobs({ schema, qemu, out }: GenerateOptions): Job[] {
  if (schema !== undefined) return [{ root: schema, folder: out, origin: basename(schema) }];
  const version = qemu === undefined ? currentVersion() : resolveVersion(qemu);
  return servers.map((server) => ({
    root: embeddedRoot(version, server),
    folder: join(out, server.name),
    origin: `QEMU ${version}`,
    manual: (definition) => manualAddress(server, definition),
  }));
}

async function generateOne(
  { root, folder, origin, manual }: Job,
  options: GenerateOptions,
  format: Format,
): Promise<Generated> {
  const begin = performance.now();
  const whole = loadSchema(root);
  const schema = options.define.length === 0 ? whole : narrow(whole, conditionTest(options.define));
  const middle = performance.now();
  const docs = options.docs ?? hasProse(schema);
  const emitOptions = { origin, generator: generatorVersion(), docs, ...optional('manual', manual) };
  const files = await emitPackage(schema, emitOptions, format);
  return { folder, files, origin, schema, time: { front: middle - begin, emit: performance.now() - middle } };
}
