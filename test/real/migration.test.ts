/** Migration of real QEMUs, and out-of-band commands. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';

import type { Client } from '@qapi-ts/qemu/qmp';
import { describe, expect, test } from 'vitest';

import { failure } from '../support/client.js';
import { closeWithTest, installed, launchQemu, pc, temporaryFolder } from '../support/servers.js';

async function enableMigrationEvents(vm: Client): Promise<void> {
  await vm.migrateSetCapabilities({ capabilities: [{ capability: 'events', state: true }] });
}

describe.runIf(installed(['qemu-system-x86_64'], 'migration of real QEMUs'))('migration', () => {
  test('moves a guest over a Unix socket to another QEMU', async () => {
    const uri = `unix:${join(temporaryFolder(), 'migration')}`;
    await using source = await launchQemu(pc);
    await using destination = await launchQemu([...pc, '-incoming', 'defer']);
    await Promise.all([source, destination].map(enableMigrationEvents));
    await source.cont();
    expect(await destination.queryStatus()).toMatchObject({ status: 'inmigrate' });

    const arrived = destination.events(['MIGRATION']);
    await destination.migrateIncoming({ uri });
    const { event } = await source.migrate(
      { uri },
      { until: ['MIGRATION'], where: ({ data }) => ['completed', 'failed'].includes(data.status), timeout: 20_000 },
    );
    expect(event.data.status).toBe('completed');
    for await (const { data } of arrived) if (data.status === 'completed') break;

    expect(await source.queryMigrate()).toMatchObject({ status: 'completed' });
    // The event arrives a moment before the state changes.
    await expect.poll(() => source.queryStatus()).toMatchObject({ status: 'postmigrate' });
    await expect.poll(() => destination.queryStatus()).toMatchObject({ status: 'paused' });
    await destination.cont({}, { until: ['RESUME'] });
    expect(await destination.queryStatus()).toMatchObject({ status: 'running' });
  });

  test('that hangs is released out of band', async () => {
    const path = join(temporaryFolder(), 'migration');
    // Accepts the connection and reads nothing.
    const hole = createServer({ pauseOnConnect: true }).listen(path);
    closeWithTest(hole);
    await once(hole, 'listening');

    await using vm = await launchQemu(pc);
    await enableMigrationEvents(vm);
    await vm.migrate({ uri: `unix:${path}` }, { until: ['MIGRATION'], where: ({ data }) => data.status === 'active' });
    expect(await vm.queryYank({}, { oob: true })).toContainEqual({ type: 'migration' });
    await vm.yank(
      { instances: [{ type: 'migration' }] },
      { oob: true, until: ['MIGRATION'], where: ({ data }) => data.status === 'failed', timeout: 10_000 },
    );
    expect(await vm.queryMigrate()).toMatchObject({ status: 'failed' });
  });
});

describe.runIf(installed(['qemu-system-x86_64'], 'out-of-band execution in a real QEMU'))(
  'out-of-band execution',
  () => {
    test('overtakes queued commands', async () => {
      await using vm = await launchQemu(pc);
      const order: (number | 'oob')[] = [];
      const waiting = Array.from({ length: 40 }, async (_, index) => {
        await vm.queryQmpSchema();
        order.push(index);
      });
      await vm.queryYank({}, { oob: true });
      order.push('oob');
      await Promise.all(waiting);
      expect(order.filter((one) => one !== 'oob')).toEqual(waiting.map((_, index) => index));
      expect(order.indexOf('oob')).toBeLessThan(10);
    });

    test('is not available for every command', async () => {
      await using vm = await launchQemu(pc);
      expect(await failure(vm.executeRaw('query-status', {}, { oob: true }))).toMatchObject({
        code: 'ERR_QMP_COMMAND',
        errorClass: 'GenericError',
      });
      expect(await failure(vm.migratePause({}, { oob: true }))).toMatchObject({ code: 'ERR_QMP_COMMAND' });
    });
  },
);
