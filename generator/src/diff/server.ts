/** Asks a live server what it has, by the client that generated code is made of. */

import { ServerError, UsageError } from '../errors.js';
import type { ServerName } from './source.js';

/** How long a server may take to greet, and to answer, in milliseconds. */
const patience = 10_000;

interface Answer {
  /** Of `query-qmp-schema`, or of an agent's `guest-info`; as it was sent. */
  readonly result: unknown;
  /** What the server greeted with, such as `10.0.2`; an agent does not greet. */
  readonly version?: string;
  /** Who has built it. */
  readonly build?: string;
}

/**
 * @param address `unix:PATH` or `tcp:HOST:PORT`
 * @throws UsageError when it is neither
 * @throws ServerError
 */
export async function ask(address: string, server: ServerName, timeout = patience): Promise<Answer> {
  const target = parseAddress(address);
  // No other command needs it.
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
    // It is connected, perhaps to a server of another kind.
    const isDoubtful = error instanceof ConnectError && error.cause instanceof ConnectError;
    const other = isAgent ? 'a monitor is asked with --server qmp or qsd' : 'an agent is asked with --server qga';
    throw new ServerError(`${error.message}${isDoubtful ? `; ${other}` : ''}`, { cause: error });
  }
}

/** @param version as the server sent it */
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
  // As for QEMU's own -qmp: an easy mistake.
  if (scheme !== '' && /,\w+=/u.test(rest)) return fail('options of QEMU are no part of an address');
  if (scheme === 'unix') return rest === '' ? fail('there is no path') : { path: rest };
  if (scheme !== 'tcp')
    return fail(scheme === '' || text.includes('/') ? 'that is no address' : `there is no '${scheme}:'`);
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*)):(\d+)$/u.exec(rest) ?? [];
  if (port === undefined) return fail(/^[^[]*:.*:/u.test(rest) ? 'an IPv6 address needs brackets' : 'there is no port');
  const number = Number(port);
  if (number < 1 || number > 65_535) return fail(`there is no port ${port}`);
  return { host: bracketed ?? (plain || 'localhost'), port: number };
}
