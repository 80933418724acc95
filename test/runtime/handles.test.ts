/** A failed connection leaves no handles open. */

import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Address } from '../../runtime/src/address.js';
import { connectTo, failure } from '../support/client.js';

/** Accepts connections and sends nothing. */
let silent: Server;
const accepted = new Set<Socket>();
const folder = mkdtempSync(join(tmpdir(), 'qapi-ts-handles-'));
const file = openSync(join(folder, 'file'), 'w');

beforeAll(async () => {
  silent = createServer((socket) => {
    accepted.add(socket.on('error', () => {}).once('close', () => accepted.delete(socket)));
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
});

afterAll(() => {
  silent.close();
  closeSync(file);
  rmSync(folder, { recursive: true });
});

const host = '127.0.0.1';
const silentPort = (): number => (silent.address() as AddressInfo).port;
/** Invalid and unreachable addresses, with their errors. */
const cases: [name: string, address: () => Address, message: RegExp][] = [
  ['a port out of range', () => ({ port: 70_000 }), /port/iu],
  ['a port that is not a number', () => ({ port: 'x' as never }), /port/iu],
  ['a host that is not a string', () => ({ host: 1 as never, port: 1 }), /host/u],
  ['a host with an invalid name', () => ({ host: 'a b', port: 1 }), /a b/u],
  ['a port without a server', () => ({ host, port: 1 }), /ECONNREFUSED/u],
  ['a path that does not exist', () => ({ path: join(folder, 'nothing') }), /ENOENT/u],
  ['a path that is too long', () => ({ path: join(folder, 'x'.repeat(200)) }), /./u],
  ['TLS to a port out of range', () => ({ port: 70_000, tls: {} }), /port/iu],
  ['TLS with an invalid certificate', () => ({ host, port: silentPort(), tls: { cert: 'x' } }), /PEM/u],
  ['TLS with an unknown version', () => ({ host, port: silentPort(), tls: { minVersion: 'x' as never } }), /version/u],
  [
    'TLS from an invalid local address',
    () => ({ host, port: silentPort(), tls: { localAddress: 'x' } as never }),
    /x/u,
  ],
  ['TLS to a server without TLS', () => ({ host, port: silentPort(), tls: {} }), /timed out/u],
  ['a server that sends nothing', () => ({ host, port: silentPort() }), /no greeting/u],
  ['a file descriptor of a file', () => ({ fd: file }), /fd|descriptor/u],
  ['a file descriptor that is not open', () => ({ fd: 987_654 }), /fd|descriptor/u],
  ['an invalid file descriptor', () => ({ fd: -1 }), /fd|descriptor/u],
];

test.each(cases)('%s leaves no handle', async (_, address, message) => {
  const before = handles();
  const attempts = Array.from({ length: 20 }, () => failure(connectTo(address(), { connectTimeout: 100 })));
  for (const error of await Promise.all(attempts)) {
    expect(error.message).toMatch(message);
  }
  await expect.poll(() => handles()).toEqual(before);
});

/** Returns the resources that keep a program running, without those of this file's server. */
function handles(): string[] {
  for (const socket of accepted) socket.destroy();
  return process.getActiveResourcesInfo().filter((name) => /TCP|Pipe|TLS|Timeout/u.test(name));
}
