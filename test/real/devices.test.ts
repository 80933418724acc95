/** Hot-plugged devices and memory of a real QEMU. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { failure } from '../support/client.js';
import { installed, launchQemu, pc, temporaryFolder } from '../support/servers.js';

describe.runIf(installed(['qemu-system-x86_64'], 'devices of a real QEMU'))('devices', () => {
  test('are plugged and unplugged, and a call waits until they are gone', async () => {
    await using vm = await launchQemu(pc);
    for (const id of ['first', 'second']) await vm.deviceAdd({ driver: 'usb-kbd', id });
    const { event } = await vm.deviceDel(
      { id: 'second' },
      {
        until: ['DEVICE_DELETED', 'DEVICE_UNPLUG_GUEST_ERROR'],
        where: ({ data }) => data.device === 'second',
        timeout: 10_000,
      },
    );
    expect(event).toMatchObject({ event: 'DEVICE_DELETED', data: { path: '/machine/peripheral/second' } });
    const left = await vm.qomList({ path: '/machine/peripheral' });
    expect(left.map(({ name }) => name)).toEqual(['type', 'first']);
  });

  test('stay if no guest releases them, and the call times out', async () => {
    await using vm = await launchQemu(pc);
    await vm.deviceAdd({ driver: 'virtio-rng-pci', id: 'rng' });
    const error = await failure(vm.deviceDel({ id: 'rng' }, { until: ['DEVICE_DELETED'], timeout: 100 }));
    expect(error).toMatchObject({ code: 'ERR_QMP_TIMEOUT', message: expect.stringContaining('DEVICE_DELETED') });
    // A reset releases the device and causes two events. The first is for a child without an id.
    const { event } = await vm.systemReset(
      {},
      { until: ['DEVICE_DELETED'], where: ({ data }) => data.device === 'rng' },
    );
    expect(event.data).toEqual({ device: 'rng', path: '/machine/peripheral/rng' });
  });

  test('have properties that are not in the schema', async () => {
    await using vm = await launchQemu(pc);
    await vm.blockdevAdd({ driver: 'null-co', 'node-name': 'disk', size: 1 << 20, 'read-zeroes': true });
    await vm.deviceAdd({ driver: 'virtio-blk-pci', id: 'blk', drive: 'disk', serial: 'S1', 'queue-size': 64 });
    expect(await vm.qomGet({ path: '/machine/peripheral/blk', property: 'serial' })).toBe('S1');
    expect(await vm.qomGet({ path: '/machine/peripheral/blk', property: 'queue-size' })).toBe(64);
    expect(await failure(vm.deviceAdd({ driver: 'usb-kbd', colour: 'red' }))).toMatchObject({
      code: 'ERR_QMP_COMMAND',
      desc: expect.stringContaining('colour'),
    });
  });

  test('dump their memory in the background', async () => {
    const file = join(temporaryFolder(), 'memory');
    await using vm = await launchQemu(pc);
    const { event } = await vm.dumpGuestMemory(
      { paging: false, protocol: `file:${file}`, detach: true },
      { until: ['DUMP_COMPLETED'], timeout: 30_000 },
    );
    const { result } = event.data;
    expect(result).toMatchObject({ status: 'completed', completed: result.total });
    expect(readFileSync(file).subarray(0, 4).toString('latin1')).toBe('\x7fELF');
  });
});
