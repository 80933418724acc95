/** What is compared: the OLD and NEW of the command line. */

import { embeddedRoot, resolveVersion, serverOf, type Server } from '../embedded.js';
import { FileError } from '../errors.js';
import { loadSchema } from '../frontend/load.js';
import type { Schema } from '../model.js';
import { readNamed, schemaReader } from '../sources/files.js';
import { wireOf, wireOfIntrospection, type WireSchema } from './wire.js';

export type ServerName = Server['name'];

/** A side of a comparison, and what it was read from. */
export interface Side {
  readonly kind: 'embedded' | 'schema' | 'introspection';
  /** How people call it: the full version of an embedded QEMU, or the path of a file as it was given. */
  readonly title: string;
  readonly wire: WireSchema;
  /** An introspection is of none. */
  readonly schema?: Schema;
}

/**
 * @param text an embedded version, or the path of a root schema file or of a saved introspection, which its content tells
 * @param server whose schema of an embedded version is meant
 * @throws SchemaError for a bad schema
 * @throws UsageError for an unknown version
 * @throws FileError for what cannot be read, or is no introspection
 */
export function loadSide(text: string, server: ServerName): Side {
  if (/^\d+(\.\d+)*$/u.test(text)) {
    const { title, schema } = loadEmbedded(text, server);
    return { kind: 'embedded', title, ...fromSchema(schema) };
  }
  const bytes = readUnlessVersion(text);
  const content = new TextDecoder().decode(bytes);
  if (isJson(content)) {
    return { kind: 'introspection', title: text, wire: fromIntrospection(text, parseIntrospection(text, content)) };
  }
  // The root is not read again: a pipe would be empty.
  const read = schemaReader(text);
  const schema = loadSchema(text, { read: (path) => (path === text ? bytes : read(path)) });
  return { kind: 'schema', title: text, ...fromSchema(schema) };
}

/** @throws UsageError when no embedded version has the name */
export function loadEmbedded(wanted: string, name: ServerName): { title: string; version: string; schema: Schema } {
  const version = resolveVersion(wanted);
  const title = name === 'qmp' ? version : `${version} (${name})`;
  return { title, version, schema: loadSchema(embeddedRoot(version, serverOf(name))) };
}

function fromSchema(schema: Schema): { schema: Schema; wire: WireSchema } {
  return { schema, wire: wireOf(schema) };
}

function fromIntrospection(file: string, infos: readonly unknown[]): WireSchema {
  try {
    return wireOfIntrospection(infos);
  } catch (error) {
    throw error instanceof FileError ? new FileError(`'${file}': ${error.message}`) : error;
  }
}

/** @throws UsageError for a mistyped version, such as v10.0, which names those that there are */
function readUnlessVersion(text: string): Uint8Array {
  try {
    return readNamed(text);
  } catch (error) {
    if (/^v?\d[^/\\]*$/u.test(text) && !text.endsWith('.json')) resolveVersion(text);
    throw error;
  }
}

/** A schema never is: its strings stand in single quotes, and none of its expressions is an array. */
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
 * The infos in a saved introspection: a JSON array of SchemaInfo, or the whole reply to `query-qmp-schema`.
 *
 * @throws FileError
 */
export function parseIntrospection(file: string, content: string): unknown[] {
  const fail = (found: string): never => {
    throw new FileError(
      `'${file}' is ${found}: expected a root schema file, or a saved introspection, ` +
        'which is the reply to query-qmp-schema, or the array in it',
    );
  };
  if (content.trim() === '') return fail('empty');
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    // What a terminal showed: a greeting, replies, events.
    if (isWholeJson(content.trim().split('\n', 1)[0] ?? '')) return fail('JSON of more than one value');
    return fail(`no schema, nor JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object' || value === null) return fail('JSON, but neither an array nor an object');
  if ('return' in value) return Array.isArray(value.return) ? value.return : fail('the reply to another command');
  if ('error' in value) return fail('a reply that tells of an error');
  if ('QMP' in value) return fail('the greeting of a server');
  return fail("a JSON object without 'return'");
}
