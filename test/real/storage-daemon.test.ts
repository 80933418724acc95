/** A real storage daemon. */

import { join } from 'node:path';

import { connect as connectAgent } from '@qapi-ts/qemu/qga';
import { connect, type Client } from '@qapi-ts/qemu/qsd';
import { launch } from '@qapi-ts/runtime';
import { describe, expect, onTestFinished, test } from 'vitest';

import { failure } from '../support/client.js';
import { installed, kill, start, temporaryFolder, whenListening } from '../support/servers.js';

/** Creates an image, and expects that the daemon can use it. */
async function expectToWork(daemon: Client): Promise<void> {
  expect(daemon.greeting?.capabilities).toEqual(['oob']);
  const filename = join(temporaryFolder(), 'image');
  await daemon.blockdevCreate(
    { 'job-id': 'create', options: { driver: 'file', filename, size: 1 << 20 } },
    { until: ['JOB_STATUS_CHANGE'], where: ({ data }) => data.status === 'concluded', timeout: 10_000 },
  );
  expect(await daemon.queryJobs()).toEqual([expect.not.objectContaining({ error: expect.anything() })]);
  await daemon.jobDismiss({ id: 'create' });
  await daemon.blockdevAdd({ driver: 'file', 'node-name': 'image', filename });
  expect(await daemon.queryNamedBlockNodes()).toMatchObject([
    { 'node-name': 'image', drv: 'file', image: { 'virtual-size': 1 << 20 } },
  ]);
  await daemon.blockdevDel({ 'node-name': 'image' });
  expect(await failure(daemon.executeRaw('query-status'))).toMatchObject({ errorClass: 'CommandNotFound' });
}

describe.runIf(installed(['qemu-storage-daemon'], 'a real storage daemon'))('a storage daemon', () => {
  test('that was launched', async () => {
    const daemon = await connect(launch('qemu-storage-daemon', [], { monitor: '--monitor' }));
    onTestFinished(() => kill(daemon.process));
    await expectToWork(daemon);
    await daemon.close();
    expect(daemon.process).toMatchObject({ exitCode: 0 });
  });

  test('on a socket', async () => {
    const path = join(temporaryFolder(), 'monitor');
    start('qemu-storage-daemon', [
      '--chardev',
      `socket,id=c,path=${path},server=on,wait=off`,
      '--monitor',
      'chardev=c',
    ]);
    await (await whenListening(() => connect({ path }))).close();
    expect(await failure(connectAgent({ path }))).toMatchObject({
      message: expect.stringMatching(/this is a monitor, not a guest agent: .*qsd' for a storage daemon/u),
    });
    await using daemon = await connect({ path });
    await expectToWork(daemon);
    const disconnected = new Promise((resolve) => daemon.once('disconnected', resolve));
    await daemon.quit();
    await disconnected;
  });
});
