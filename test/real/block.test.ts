/** Block devices of a real QEMU: jobs and nodes. */

import { join } from 'node:path';

import type { Client } from '@qapi-ts/qemu/qmp';
import { describe, expect, test } from 'vitest';

import { failure } from '../support/client.js';
import { installed, launchQemu, pc, temporaryFolder } from '../support/servers.js';

const size = 16 * 1024 * 1024;

/** Creates an image and returns the states of the job that did it. */
async function create(
  vm: Client,
  job: string,
  options: Parameters<Client['blockdevCreate']>[0]['options'],
): Promise<string[]> {
  const states: string[] = [];
  const changes = vm.events(['JOB_STATUS_CHANGE']);
  await vm.blockdevCreate({ 'job-id': job, options });
  for await (const { data } of changes) {
    if (data.id !== job) continue;
    states.push(data.status);
    if (data.status === 'concluded') break;
  }
  return states;
}

describe.runIf(installed(['qemu-system-x86_64'], 'images of a real QEMU'))('images', () => {
  test('are created, opened, snapshotted, and closed', async () => {
    const folder = temporaryFolder();
    await using vm = await launchQemu(pc);
    const filename = join(folder, 'disk.qcow2');
    expect(await create(vm, 'file', { driver: 'file', filename, size: 0 })).toEqual([
      ...['created', 'running', 'waiting', 'pending', 'concluded'],
    ]);
    await vm.blockdevAdd({ driver: 'file', 'node-name': 'file', filename });
    expect(await create(vm, 'format', { driver: 'qcow2', file: 'file', size })).toContain('concluded');
    expect((await vm.queryJobs()).map(({ id }) => id).toSorted()).toEqual(['file', 'format']);
    for (const id of ['file', 'format']) {
      const { event } = await vm.jobDismiss(
        { id },
        { until: ['JOB_STATUS_CHANGE'], where: ({ data }) => data.id === id },
      );
      expect(event.data.status).toBe('null');
    }

    await vm.blockdevAdd({ driver: 'qcow2', 'node-name': 'disk', file: 'file' });
    await vm.deviceAdd({ driver: 'virtio-blk-pci', id: 'blk', drive: 'disk' });
    await vm.blockdevSnapshotSync({
      'node-name': 'disk',
      'snapshot-file': join(folder, 'overlay.qcow2'),
      'snapshot-node-name': 'overlay',
    });
    const nodes = await vm.queryNamedBlockNodes();
    expect(nodes.find((node) => node['node-name'] === 'overlay')).toMatchObject({
      drv: 'qcow2',
      backing_file: filename,
      image: { 'virtual-size': size },
    });
    expect(await vm.queryBlock()).toMatchObject([{ inserted: { 'node-name': 'overlay' } }]);

    expect(await failure(vm.blockdevDel({ 'node-name': 'overlay' }))).toMatchObject({ code: 'ERR_QMP_COMMAND' });
  });

  test('accept an overlay that is an existing node', async () => {
    const folder = temporaryFolder();
    await using vm = await launchQemu(pc);
    for (const name of ['base', 'overlay']) {
      const filename = join(folder, name);
      await create(vm, `file-${name}`, { driver: 'file', filename, size: 0 });
      await vm.blockdevAdd({ driver: 'file', 'node-name': `file-${name}`, filename });
      await create(vm, name, { driver: 'qcow2', file: `file-${name}`, size });
    }
    await vm.blockdevAdd({ driver: 'qcow2', 'node-name': 'base', file: 'file-base' });
    // Null is not the same as absent: it means no backing file, whatever the image specifies.
    await vm.blockdevAdd({ driver: 'qcow2', 'node-name': 'overlay', file: 'file-overlay', backing: null });
    await vm.blockdevSnapshot({ node: 'base', overlay: 'overlay' });
    for (const name of ['overlay', 'base']) await vm.blockdevDel({ 'node-name': name });
    expect((await vm.queryNamedBlockNodes()).map((node) => node['node-name']).toSorted()).toEqual([
      ...['file-base', 'file-overlay'],
    ]);
  });

  test('that cannot be created leave a job with the reason', async () => {
    await using vm = await launchQemu(pc);
    const filename = join(temporaryFolder(), 'missing', 'disk');
    // The job may have ended before the command's reply.
    const { event } = await vm.blockdevCreate(
      { 'job-id': 'bad', options: { driver: 'file', filename, size: 0 } },
      { until: ['JOB_STATUS_CHANGE'], where: ({ data }) => data.status === 'concluded', timeout: 10_000 },
    );
    expect(event.data.id).toBe('bad');
    expect(await vm.queryJobs()).toMatchObject([{ id: 'bad', error: expect.stringContaining('missing') }]);
  });
});
