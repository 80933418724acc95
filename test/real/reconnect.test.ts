/** Reconnection of a client to a restarted server. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { connect } from '@qapi-ts/qemu/qmp';
import { launch, type LogEntry } from '@qapi-ts/runtime';
import { describe, expect, test } from 'vitest';

import { failure } from '../support/client.js';
import { bare, closeWithTest, installed, launchQemu, monitorAt, pc, temporaryFolder } from '../support/servers.js';

describe.runIf(installed(['qemu-system-x86_64'], 'reconnecting to a real QEMU'))('reconnection', () => {
  test('finds a server that was restarted on the same path', async () => {
    const path = join(temporaryFolder(), 'monitor');
    const log: LogEntry[] = [];
    const first = await launchQemu([...bare, ...monitorAt(`path=${path}`)]);
    await using vm = await connect(
      { path },
      { checkVersion: false, reconnect: { initialDelay: 10, maxDelay: 50 }, log: (entry) => log.push(entry) },
    );
    const stops: string[] = [];
    vm.on('STOP', ({ event }) => stops.push(event));
    const happened: unknown[] = [];
    vm.on('disconnected', ({ error }) => happened.push(error.code));
    vm.on('reconnected', ({ greeting }) => happened.push(greeting?.capabilities));
    const events = vm.events(['RESUME']);

    const disconnected = new Promise((resolve) => vm.once('disconnected', resolve));
    await first.close();
    await disconnected;
    expect(await failure(events.next())).toMatchObject({ code: 'ERR_QMP_CONNECTION_LOST' });
    expect(await failure(vm.queryStatus())).toMatchObject({ code: 'ERR_QMP_NOT_SENT' });

    const reconnected = new Promise((resolve) => vm.once('reconnected', resolve));
    await using _ = await launchQemu([...pc, ...monitorAt(`path=${path}`)]);
    await reconnected;
    expect(happened).toEqual(['ERR_QMP_CONNECTION_LOST', ['oob']]);
    // Out-of-band execution is negotiated again, and the listeners are kept.
    await vm.queryYank({}, { oob: true });
    await vm.cont();
    await vm.stop();
    expect(stops).toEqual(['STOP']);
    expect(new Set(log.map(({ level }) => level))).toEqual(new Set(['info']));
  });

  test.each(['between attempts', 'during an attempt'])('ends when the client is closed %s', async (moment) => {
    const path = join(temporaryFolder(), 'monitor');
    const server = await launchQemu([...bare, ...monitorAt(`path=${path}`)]);
    const vm = await connect({ path }, { reconnect: { initialDelay: moment === 'between attempts' ? 10_000 : 1 } });
    const disconnected = new Promise((resolve) => vm.once('disconnected', resolve));
    await server.close();
    await disconnected;
    if (moment === 'during an attempt') {
      // Accepts connections and never sends a greeting.
      const silent = createServer().listen(path);
      closeWithTest(silent);
      await once(silent, 'connection');
    }
    const begin = performance.now();
    await vm.close();
    expect(performance.now() - begin).toBeLessThan(1000);
    expect(await failure(vm.queryStatus())).toMatchObject({ code: 'ERR_QMP_NOT_SENT' });
  });

  test('is rejected for a launched server', async () => {
    expect(await failure(connect(launch('qemu-system-x86_64', bare), { reconnect: true }))).toMatchObject({
      code: 'ERR_QMP_CONNECT',
      message: expect.stringContaining('remove the reconnect option'),
    });
  });
});
