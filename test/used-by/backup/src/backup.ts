/** Copies the disks of a running machine to files: completely the first time, later only what has changed. */

import { connect, type BlockdevBackup, type Client, type MirrorSyncMode } from '@qapi-ts/qemu/qmp';

import { follow } from './progress.js';
import type { Journal } from './journal.js';

const bitmap = 'backup0';

export interface Disk {
  readonly device: string;
  readonly node: string;
  readonly size: number;
}

export async function backup(path: string, folder: string, journal: Journal): Promise<void> {
  await using vm = await connect({ path });
  for (const disk of await disks(vm)) {
    const target = `target-${disk.device}`;
    await vm.blockdevAdd({
      driver: 'qcow2',
      'node-name': target,
      file: { driver: 'file', filename: `${folder}/${disk.device}.qcow2`, aio: 'threads' },
    });
    await copy(vm, disk, target);
    await vm.blockdevDel({ 'node-name': target });
  }
  journal.add(await vm.queryNamedBlockNodes({ flat: true }));
}

async function disks(vm: Client): Promise<Disk[]> {
  const found: Disk[] = [];
  for (const { device, inserted, removable } of await vm.queryBlock()) {
    if (!inserted || removable || inserted.ro) continue;
    const { 'virtual-size': size } = inserted.image;
    found.push({ device, node: inserted['node-name'] ?? device, size: Number(size) });
  }
  return found;
}

async function copy(vm: Client, disk: Disk, target: string): Promise<void> {
  const sync: MirrorSyncMode = (await hasBitmap(vm, disk)) ? 'incremental' : 'full';
  const job: BlockdevBackup = { 'job-id': `job-${disk.device}`, device: disk.node, target, sync };
  if (sync === 'incremental') job.bitmap = bitmap;
  else await vm.execute('block-dirty-bitmap-add', { node: disk.node, name: bitmap, persistent: true });
  job['auto-dismiss'] = false;
  const { event } = await vm.blockdevBackup(job, {
    until: ['BLOCK_JOB_COMPLETED', 'BLOCK_JOB_CANCELLED'],
    where: ({ data }) => data.device === job['job-id'],
  });
  if (event.event === 'BLOCK_JOB_COMPLETED' && event.data.error !== undefined) throw new Error(event.data.error);
  await follow(vm, `job-${disk.device}`);
  await vm.execute('block-job-dismiss', { id: `job-${disk.device}` });
}

async function hasBitmap(vm: Client, { node }: Disk): Promise<boolean> {
  const nodes = await vm.queryNamedBlockNodes();
  const bitmaps = nodes.find((one) => one['node-name'] === node)?.['dirty-bitmaps'] ?? [];
  return bitmaps.some(({ name, busy }) => name === bitmap && !busy);
}
