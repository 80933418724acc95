/** Reads what `diff` compares: the OLD and NEW of the command line. */

import { join } from 'node:path';

import { serverOf, type ServerName } from '../embedded.js';
import { ServerError } from '../errors.js';
import { loadSchema } from '../frontend/load.js';
import type { Schema } from '../model.js';
import { readNamed, schemaReader } from '../sources/files.js';
import { isGuestInfo } from '../sources/guest-info.js';
import { readIntrospection } from '../sources/introspection.js';
import { recoverBeside } from '../sources/recovered.js';
import { isWholeJson, loadReply, parseIntrospection, readReply, type Reply } from '../sources/reply.js';
import { locateVersion, openVersion, resolveVersion, type Location } from '../sources/versions.js';
import { wireOf, type WireSchema } from './wire.js';

/** A schema, or a server's introspection. */
interface Source {
  readonly kind: Location['kind'] | 'schema' | 'introspection' | 'server';
  /** The full version of an embedded or cached schema, or the file or address as it was given. */
  readonly title: string;
  /** The schema as it was read. That of a server has no names of types. */
  readonly own: Schema;
  /** Set for a server or its saved reply. */
  readonly reply?: Reply;
}

/** One side of a comparison. */
interface Input extends Source {
  readonly wire: WireSchema;
}

/**
 * Reads a schema or an introspection.
 *
 * @param text a version, the address of a server, or the path of a root schema file or saved introspection, told apart by
 *   their content
 * @param server the server whose schema is meant by a version, or the kind of server to connect to
 * @throws SchemaError for a bad schema; UsageError for an unknown version; FileError for a file that cannot be read, or
 *   is not an introspection; ServerError if a server cannot be queried
 */
export async function loadSource(text: string, server: ServerName): Promise<Source> {
  if (/^\d+(\.\d+)*$/u.test(text)) {
    const { kind, title, schema } = loadVersion(text, server);
    return { kind, title, own: schema };
  }
  if (/^(?:unix|tcp):/u.test(text)) return sourceOf(text, await loadReply({ connect: text, server }));
  const bytes = readUnlessVersion(text);
  const content = new TextDecoder().decode(bytes);
  if (isJson(content)) {
    return sourceOf(text, { result: parseIntrospection(text, content), origin: text, kind: 'introspection' });
  }
  // Do not read the root again: a pipe would be empty.
  const read = schemaReader(text);
  const own = loadSchema(text, { read: (path) => (path === text ? bytes : read(path)) });
  return { kind: 'schema', title: text, own };
}

function sourceOf(title: string, reply: Reply): Source {
  if (isGuestInfo(reply.result)) {
    throw new ServerError(`${title}: an agent reports only the names of its commands: use qapi-ts drift`);
  }
  return { kind: reply.kind, title, own: readReply(reply, readIntrospection), reply };
}

/**
 * Reads one side of a comparison, as `loadSource` does.
 *
 * @throws the errors of `loadSource`
 */
export async function loadInput(text: string, server: ServerName): Promise<Input> {
  const source = await loadSource(text, server);
  return { ...source, wire: { ...wireOf(source.own), isIntrospection: source.reply !== undefined } };
}

/**
 * Returns the schemas of both sides, with names for the types of introspections. As far as possible, these are the names of
 * the other side.
 */
export function schemasOf(old: Source, newer: Source): [old: Schema, newer: Schema] {
  const named = ({ own, reply }: Source, anchor?: Schema): Schema => (reply ? recoverBeside(reply, anchor) : own);
  const oldSchema = named(old, newer.reply ? undefined : newer.own);
  return [oldSchema, named(newer, oldSchema)];
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
