/** Queries a live server with the client that generated code uses. */

import type { ServerName } from '../embedded.js';
import { ServerError, UsageError } from '../errors.js';

/** The time limit for the greeting, and for the reply, in milliseconds. */
const defaultTimeout = 10_000;

interface Answer {
  /** The unchecked result of `query-qmp-schema` or, for an agent, `guest-info`. */
  readonly result: unknown;
  /** The version in the greeting, such as `10.0.2`; absent for an agent, which does not greet. */
  readonly version?: string;
  /** The vendor's name for the build, such as `v10.0.2-1`. */
  readonly build?: string;
}

/**
 * Returns what a server reports about itself.
 *
 * @param address `unix:PATH` or `tcp:HOST:PORT`
 * @throws UsageError for any other address; ServerError if the server cannot be reached, or does not answer
 */
export async function query(address: string, server: ServerName, timeout = defaultTimeout): Promise<Answer> {
  const target = parseAddress(address);
  // Loaded on demand, because nothing else in the generator needs the runtime.
  const { ConnectError, Connection, QmpError } = await import('@qapi-ts/runtime');
  const isAgent = server === 'qga';
  try {
    const connection = await Connection.open(
      target,
      { handshake: isAgent ? 'sync' : 'greeting', withoutReply: [] },
      { connectTimeout: timeout, log: () => {}, validate: false },
    );
    try {
      const result = await connection.call(isAgent ? 'guest-info' : 'query-qmp-schema', undefined, { timeout });
      return { result, ...(connection.greeting && versionIn(connection.greeting.version)) };
    } finally {
      await connection.close();
    }
  } catch (error) {
    if (!(error instanceof QmpError)) throw error;
    // The connection was established, but perhaps to another kind of server.
    const mayBeOther = error instanceof ConnectError && error.cause instanceof ConnectError;
    const hint = isAgent ? 'for a monitor, use --server qmp or qsd' : 'for an agent, use --server qga';
    throw new ServerError(`${error.message}${mayBeOther ? `; ${hint}` : ''}`, { cause: error });
  }
}

function versionIn(version: { readonly qemu: unknown; readonly package: unknown }): Omit<Answer, 'result'> {
  const { major, minor, micro } = (version.qemu ?? {}) as Record<string, unknown>;
  const parts = [major, minor, micro];
  const build = version.package;
  return {
    ...(parts.every(Number.isSafeInteger) && { version: parts.join('.') }),
    ...(typeof build === 'string' && build !== '' && { build }),
  };
}

/** @throws UsageError */
export function parseAddress(text: string): { path: string } | { host: string; port: number } {
  const fail = (problem: string): never => {
    throw new UsageError(`--connect '${text}': ${problem}: expected unix:PATH or tcp:HOST:PORT`);
  };
  const [, scheme = '', rest = ''] = /^([a-z]+):(.*)$/u.exec(text) ?? [];
  // A likely mistake is to copy the address from QEMU's -qmp option.
  if (scheme !== '' && /,\w+=/u.test(rest)) return fail("QEMU's socket options are not part of an address");
  if (scheme === 'unix') return rest === '' ? fail('the path is missing') : { path: rest };
  if (scheme !== 'tcp')
    return fail(scheme === '' || text.includes('/') ? 'not an address' : `unknown scheme '${scheme}:'`);
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*)):(\d+)$/u.exec(rest) ?? [];
  if (port === undefined)
    return fail(/^[^[]*:.*:/u.test(rest) ? 'an IPv6 address needs brackets' : 'the port is missing');
  const number = Number(port);
  if (number < 1 || number > 65_535) return fail(`invalid port ${port}`);
  return { host: bracketed ?? (plain || 'localhost'), port: number };
}
