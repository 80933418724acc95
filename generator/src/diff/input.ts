/** Reads what `diff` compares: the OLD and NEW of the command line. */

import { join } from 'node:path';

import { serverOf, type Server } from '../embedded.js';
import { FileError, type ServerError } from '../errors.js';
import { loadSchema } from '../frontend/load.js';
import type { Schema } from '../model.js';
import { readNamed, schemaReader } from '../sources/files.js';
import { locateVersion, openVersion, resolveVersion, type Location } from '../sources/versions.js';
import { wireOf, wireOfIntrospection, type WireSchema } from './wire.js';

export type ServerName = Server['name'];

/** One side of a comparison. */
interface Input {
  readonly kind: Location['kind'] | 'schema' | 'introspection';
  /** The full version of an embedded or cached schema, or the path of a file as it was given. */
  readonly title: string;
  readonly wire: WireSchema;
  /** Absent for an introspection. */
  readonly schema?: Schema;
}

/**
 * Reads one side of a comparison.
 *
 * @param text a version, or the path of a root schema file or saved introspection, told apart by their content
 * @param server the server whose schema is meant by a version
 * @throws SchemaError for a bad schema; UsageError for an unknown version; FileError for a file that cannot be read, or
 *   is not an introspection
 */
export function loadInput(text: string, server: ServerName): Input {
  if (/^\d+(\.\d+)*$/u.test(text)) {
    const { kind, title, schema } = loadVersion(text, server);
    return { kind, title, schema, wire: wireOf(schema) };
  }
  const bytes = readUnlessVersion(text);
  const content = new TextDecoder().decode(bytes);
  if (isJson(content)) {
    const infos = parseIntrospection(text, content);
    return { kind: 'introspection', title: text, wire: locating(text, FileError, () => wireOfIntrospection(infos)) };
  }
  // Do not read the root again: a pipe would be empty.
  const read = schemaReader(text);
  const schema = loadSchema(text, { read: (path) => (path === text ? bytes : read(path)) });
  return { kind: 'schema', title: text, schema, wire: wireOf(schema) };
}

/**
 * Loads the schema of an embedded or cached version.
 *
 * @throws UsageError if there is no such version; FileError if it is damaged
 */
export function loadVersion(
  wanted: string | undefined,
  name: ServerName,
): { kind: Location['kind']; title: string; version: string; schema: Schema } {
  const location = locateVersion(wanted);
  const { kind, version, folder } = location;
  const title = name === 'qmp' ? version : `${version} (${name})`;
  const root = join(folder, serverOf(name).root);
  return { kind, title, version, schema: loadSchema(root, { read: openVersion(location) }) };
}

/**
 * Adds the origin of an input to errors about its content.
 *
 * @param origin a file or an address
 */
export function locating<T>(origin: string, Kind: typeof FileError | typeof ServerError, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw error instanceof FileError ? new Kind(`'${origin}': ${error.message}`, { cause: error }) : error;
  }
}

/** @throws UsageError with the versions, for a mistyped version such as v10.0 */
function readUnlessVersion(text: string): Uint8Array {
  try {
    return readNamed(text);
  } catch (error) {
    if (/^v?\d[^/\\]*$/u.test(text) && !text.endsWith('.json')) resolveVersion(text);
    throw error;
  }
}

/** Returns whether a file is JSON. A schema is not: it has single quotes, and no array at the top level. */
function isJson(content: string): boolean {
  return /^(?:\s*$|\s*\[|\s*\{\s*["}])/u.test(content) || isWholeJson(content);
}

function isWholeJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns the elements of a saved introspection: a JSON array of SchemaInfo, or the whole reply to `query-qmp-schema`.
 *
 * @throws FileError
 */
export function parseIntrospection(file: string, content: string): unknown[] {
  const fail = (found: string): never => {
    throw new FileError(
      `'${file}' is ${found}: expected a root schema file or a saved introspection ` +
        '(the reply to query-qmp-schema, or the array in it)',
    );
  };
  if (content.trim() === '') return fail('empty');
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    // This may be the transcript of a session: a greeting, replies, events.
    if (isWholeJson(content.trim().split('\n', 1)[0] ?? '')) return fail('a sequence of JSON values');
    return fail(`neither a schema nor valid JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object' || value === null) return fail('JSON, but neither an array nor an object');
  if ('return' in value) return Array.isArray(value.return) ? value.return : fail('the reply to another command');
  if ('error' in value) return fail('an error reply');
  if ('QMP' in value) return fail("a server's greeting");
  return fail("a JSON object without 'return'");
}
