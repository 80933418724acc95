/** Reads what `diff` compares: the OLD and NEW of the command line. */

import { embeddedRoot, resolveVersion, serverOf, type ServerName } from '../embedded.js';
import { ServerError } from '../errors.js';
import { loadSchema } from '../frontend/load.js';
import type { Schema } from '../model.js';
import { readNamed, schemaReader } from '../sources/files.js';
import { isGuestInfo } from '../sources/guest-info.js';
import { readIntrospection } from '../sources/introspection.js';
import { recoverBeside } from '../sources/recovered.js';
import { isWholeJson, loadReply, parseIntrospection, readReply, type Reply } from '../sources/reply.js';
import { wireOf, type WireSchema } from './wire.js';

/** One side of a comparison. */
export interface Input {
  readonly kind: 'embedded' | 'schema' | 'introspection' | 'server';
  /** The full version of an embedded schema, or the file or address as it was given. */
  readonly title: string;
  readonly wire: WireSchema;
  /** The schema as it was read. That of a server has no names of types. */
  readonly own: Schema;
  /**
   * Returns the schema. That of a server has to be recovered.
   *
   * @param anchor the other side, which names the types of a server; by default, the nearest embedded schema does
   */
  readonly schema: (anchor?: Schema) => Schema;
  /** Whether the schema is that of a server. */
  readonly isRecovered: boolean;
}

/**
 * Reads one side of a comparison.
 *
 * @param text an embedded version, the address of a server, or the path of a root schema file or saved introspection, told
 *   apart by their content
 * @param server the server whose embedded schema is meant, or the kind of server to connect to
 * @throws SchemaError for a bad schema; UsageError for an unknown version; FileError for a file that cannot be read, or is
 *   not an introspection; ServerError if a server cannot be queried
 */
export async function loadInput(text: string, server: ServerName): Promise<Input> {
  if (/^\d+(\.\d+)*$/u.test(text)) {
    const { title, schema } = loadEmbedded(text, server);
    return inputOf('embedded', title, schema);
  }
  if (/^(?:unix|tcp):/u.test(text)) return inputOfReply(text, await loadReply({ connect: text, server }));
  const bytes = readUnlessVersion(text);
  const content = new TextDecoder().decode(bytes);
  if (isJson(content)) {
    return inputOfReply(text, { result: parseIntrospection(text, content), origin: text, kind: 'introspection' });
  }
  // Do not read the root again: a pipe would be empty.
  const read = schemaReader(text);
  return inputOf('schema', text, loadSchema(text, { read: (path) => (path === text ? bytes : read(path)) }));
}

function inputOf(kind: Input['kind'], title: string, schema: Schema): Input {
  return { kind, title, wire: wireOf(schema), own: schema, schema: () => schema, isRecovered: false };
}

function inputOfReply(title: string, reply: Reply): Input {
  if (isGuestInfo(reply.result)) {
    throw new ServerError(`${title}: an agent reports only the names of its commands: use qapi-ts drift`);
  }
  const own = readReply(reply, readIntrospection);
  const wire = { ...wireOf(own), isIntrospection: true };
  return { kind: reply.kind, title, wire, own, schema: (anchor) => recoverBeside(reply, anchor), isRecovered: true };
}

/** @throws UsageError if there is no such embedded version */
export function loadEmbedded(
  wanted: string | undefined,
  name: ServerName,
): { title: string; version: string; schema: Schema } {
  const version = resolveVersion(wanted);
  const title = name === 'qmp' ? version : `${version} (${name})`;
  return { title, version, schema: loadSchema(embeddedRoot(version, serverOf(name))) };
}

/** @throws UsageError with the embedded versions, for a mistyped version such as v10.0 */
function readUnlessVersion(text: string): Uint8Array {
  try {
    return readNamed(text);
  } catch (error) {
    if (/^v?\d[^/\\]*$/u.test(text) && !text.endsWith('.json')) resolveVersion(text);
    throw error;
  }
}

/** Returns whether a file is JSON. A schema is not: its strings are in single quotes, and it contains no top-level array. */
function isJson(content: string): boolean {
  return /^(?:\s*$|\s*\[|\s*\{\s*["}])/u.test(content) || isWholeJson(content);
}
