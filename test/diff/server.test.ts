/** Queries of live servers, and the addresses of servers. */

import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { drift } from '../../generator/src/diff/drift.js';
import type { ServerName } from '../../generator/src/embedded.js';
import { parseAddress, query } from '../../generator/src/sources/server.js';
import { closeWithTest, temporaryFolder } from '../support/servers.js';

describe('addresses', () => {
  test.each([
    ['unix:/run/vm.qmp', { path: '/run/vm.qmp' }],
    ['unix:vm 1:a,b', { path: 'vm 1:a,b' }],
    ['tcp:localhost:4444', { host: 'localhost', port: 4444 }],
    ['tcp::4444', { host: 'localhost', port: 4444 }],
    ['tcp:10.0.0.1:65535', { host: '10.0.0.1', port: 65_535 }],
    ['tcp:[::1]:1', { host: '::1', port: 1 }],
  ])('%s', (text, want) => {
    expect(parseAddress(text)).toEqual(want);
  });

  test.each([
    ['', /not an address/u],
    ['/run/vm.qmp', /not an address: expected unix:PATH or tcp:HOST:PORT/u],
    ['localhost:4444', /unknown scheme 'localhost:'/u],
    ['http://a:1', /not an address/u],
    ['unix:', /the path is missing/u],
    ['unix:/run/vm.qmp,server=on,wait=off', /QEMU's socket options are not part of an address/u],
    ['tcp:localhost', /the port is missing/u],
    ['tcp:localhost:', /the port is missing/u],
    ['tcp:localhost:http', /the port is missing/u],
    ['tcp:localhost:0', /invalid port 0/u],
    ['tcp:localhost:65536', /invalid port 65536/u],
    ['tcp:::1:4444', /an IPv6 address needs brackets/u],
    ['tcp:::1', /an IPv6 address needs brackets/u],
  ])('not %s', (text, message) => {
    expect(() => parseAddress(text)).toThrow(message);
  });
});

describe('a server that', () => {
  const greeting =
    '{"QMP": {"version": {"qemu": {"major": 10, "minor": 0, "micro": 2}, "package": "v10.0.2-1"}, "capabilities": []}}\n';
  /** Starts a server and returns its address. */
  async function serve(behaviour: {
    greeting?: string;
    answer?: (request: { execute: string; id: number }, socket: Socket) => void;
  }): Promise<string> {
    const path = join(temporaryFolder(), 'socket');
    const server = createServer((socket) => {
      socket.on('error', () => {});
      if (behaviour.greeting !== undefined) socket.write(behaviour.greeting);
      socket.on('data', (data) => {
        for (const line of data
          .toString()
          .split('\n')
          .filter((text) => text.startsWith('{'))) {
          behaviour.answer?.(JSON.parse(line) as { execute: string; id: number }, socket);
        }
      });
    });
    closeWithTest(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return `unix:${path}`;
  }
  const send = (socket: Socket, id: number, content: object): void =>
    void socket.write(`${JSON.stringify({ id, ...content })}\n`);

  test('answers', async () => {
    const address = await serve({
      greeting,
      answer: ({ execute, id }, socket) =>
        send(socket, id, { return: execute === 'query-qmp-schema' ? [execute] : {} }),
    });
    expect(await query(address, 'qmp')).toEqual({
      result: ['query-qmp-schema'],
      version: '10.0.2',
      build: 'v10.0.2-1',
    });
  });

  test('sends an unusual version', async () => {
    const address = await serve({
      greeting: '{"QMP": {"version": {"qemu": {"major": 10, "minor": "0"}, "package": ""}, "capabilities": []}}\n',
      answer: ({ id }, socket) => send(socket, id, { return: [] }),
    });
    expect(await query(address, 'qmp')).toEqual({ result: [] });
  });

  test.each<{
    title: string;
    asked?: ServerName;
    patience?: number;
    serve: Parameters<typeof serve>[0];
    message: RegExp;
  }>([
    {
      title: 'sends nothing',
      serve: {},
      message: /no greeting within 200 ms: .* for an agent, use --server qga$/u,
    },
    {
      title: 'is not an agent',
      asked: 'qga',
      serve: { greeting },
      message: /this is a monitor, not a guest agent: .* for a monitor, use --server qmp or qsd$/u,
    },
    {
      title: 'is an agent',
      patience: 5000,
      serve: { answer: ({ id }, socket) => send(socket, id, { return: {} }) },
      message: /this is a guest agent, not a monitor: .* for an agent, use --server qga$/u,
    },
    { title: 'is busy', serve: { greeting }, message: /sent a greeting, but did not reply within 200 ms/u },
    {
      title: 'never answers the command',
      serve: {
        greeting,
        answer: ({ execute, id }, socket) => void (execute === 'qmp_capabilities' && send(socket, id, { return: {} })),
      },
      message: /query-qmp-schema: no reply within 200 ms$/u,
    },
    {
      title: 'does not know the command',
      serve: {
        greeting,
        answer: ({ execute, id }, socket) =>
          send(
            socket,
            id,
            execute === 'qmp_capabilities' ? { return: {} } : { error: { class: 'CommandNotFound', desc: 'not here' } },
          ),
      },
      message: /query-qmp-schema: not here$/u,
    },
    {
      title: 'closes the connection',
      serve: { greeting, answer: (_, socket) => void socket.end() },
      message: /the server closed the connection/u,
    },
    { title: 'is something else', serve: { greeting: '220 mail\r\n' }, message: /not JSON/u },
    {
      title: 'sends an invalid greeting',
      serve: { greeting: '{"QMP": 1}\n' },
      message: /the greeting has no version/u,
    },
  ])('$title', async ({ asked = 'qmp', patience = 200, serve: behaviour, message }) => {
    const asking = query(await serve(behaviour), asked, patience);
    await expect(asking).rejects.toThrow(message);
    await expect(asking).rejects.toMatchObject({ code: 'ERR_QAPI_SERVER' });
  });

  test('does not exist', async () => {
    await expect(query(`unix:${join(temporaryFolder(), 'none')}`, 'qmp')).rejects.toMatchObject({
      code: 'ERR_QAPI_SERVER',
      message: expect.stringMatching(/^cannot connect to .*none: connect ENOENT/u),
    });
  });

  test('sends an invalid result', async () => {
    const address = await serve({ greeting, answer: ({ id }, socket) => send(socket, id, { return: {} }) });
    await expect(drift({ connect: address, server: 'qmp' })).rejects.toMatchObject({
      code: 'ERR_QAPI_SERVER',
      message: `'${address}': the introspection is malformed: it is not an array`,
    });
  });
});
