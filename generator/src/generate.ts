/** What `qapi-ts generate` writes and `qapi-ts check` compares. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { conditionTest } from './condition.js';
import { currentVersion, embeddedRoot, manualAddress, resolveVersion, servers } from './embedded.js';
import { emitPackage, hasProse } from './emit/package.js';
import { loadSchema } from './frontend/load.js';
import type { Schema } from './model.js';
import { narrow } from './narrow.js';
import type { Output } from './output.js';

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
  /** `QEMU 10.2.2`, or the root file. */
  readonly origin: string;
  readonly schema: Schema;
  /** In milliseconds: from the files to the model, and from there to the text. */
  readonly time: { readonly front: number; readonly emit: number };
}

/** @throws SchemaError, RangeError for an unknown version, errors of the file system */
export async function generate(options: GenerateOptions): Promise<Generated[]> {
  const { schema } = options;
  if (schema !== undefined) return [await generateOne(schema, options.out, 'a schema', options)];
  const version = options.qemu === undefined ? currentVersion() : resolveVersion(options.qemu);
  const results: Generated[] = [];
  for (const server of servers) {
    const root = embeddedRoot(version, server);
    const manual = manualAddress.bind(undefined, server);
    results.push(await generateOne(root, join(options.out, server.name), `QEMU ${version}`, options, manual));
  }
  return results;
}

async function generateOne(
  root: string,
  folder: string,
  origin: string,
  options: GenerateOptions,
  manual?: Parameters<typeof emitPackage>[1]['manual'],
): Promise<Generated> {
  const begin = performance.now();
  const whole = loadSchema(root);
  const schema = options.define.length === 0 ? whole : narrow(whole, conditionTest(options.define));
  const middle = performance.now();
  const docs = options.docs ?? hasProse(schema);
  const files = await emitPackage(schema, { origin, generator: generatorVersion(), docs, ...(manual && { manual }) });
  return { folder, files, origin, schema, time: { front: middle - begin, emit: performance.now() - middle } };
}

export function generatorVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}
