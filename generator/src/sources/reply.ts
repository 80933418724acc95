/** What servers report about themselves: results of `query-qmp-schema` or, from agents, `guest-info`. */

import type { ServerName } from '../embedded.js';
import { FileError, ServerError, UsageError } from '../errors.js';
import { readNamed } from './files.js';
import { isGuestInfo } from './guest-info.js';
import { query } from './server.js';

/** A server, or a file with its reply. */
export interface ReplyOptions {
  /** `unix:PATH` or `tcp:HOST:PORT` */
  readonly connect?: string | undefined;
  /** The path of a saved reply to `query-qmp-schema` or, from an agent, to `guest-info`. */
  readonly introspection?: string | undefined;
  /** The kind of server to connect to. */
  readonly server: ServerName;
}

export interface Reply {
  /** The unchecked result of `query-qmp-schema` or `guest-info`. */
  readonly result: unknown;
  /** The version in the server's greeting, if there was one. */
  readonly version?: string;
  /** The vendor's name for the build, if the greeting had one. */
  readonly build?: string;
  /** The address or file, for messages. */
  readonly origin: string;
  readonly kind: 'server' | 'introspection';
}

/**
 * Queries a server, or reads a saved reply.
 *
 * @throws UsageError for an invalid address; ServerError if the server cannot be queried; FileError for a file that cannot be
 *   read, or is not a reply
 */
export async function loadReply({ connect, introspection, server }: ReplyOptions): Promise<Reply> {
  if (connect !== undefined && introspection === undefined) {
    return { ...(await query(connect, server)), origin: connect, kind: 'server' };
  }
  if (introspection !== undefined && connect === undefined) {
    const content = new TextDecoder().decode(readNamed(introspection));
    return { result: parseReply(introspection, content), origin: introspection, kind: 'introspection' };
  }
  throw new UsageError('expected either --connect ADDRESS or --introspection FILE');
}

/**
 * Reads a reply with a function, and adds its origin to errors about its content.
 *
 * @throws FileError; ServerError
 */
export function readReply<T>({ origin, kind, result }: Reply, read: (result: unknown) => T): T {
  return locating(origin, kind === 'server' ? ServerError : FileError, () => read(result));
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

/** Returns the result in a file that contains either the result or the whole reply. */
function parseReply(file: string, content: string): unknown {
  return guestInfoIn(content) ?? parseIntrospection(file, content);
}

function guestInfoIn(content: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return undefined;
  }
  const result = typeof value === 'object' && value !== null && 'return' in value ? value.return : value;
  return isGuestInfo(result) ? result : undefined;
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

export function isWholeJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
