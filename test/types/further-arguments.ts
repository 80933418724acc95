/** Commands with `'gen': false` take further arguments; all others take only those in the schema. */

import type { Client } from '@qapi-ts/qemu/qmp';

export async function further(vm: Client): Promise<void> {
  await vm.deviceAdd({ driver: 'virtio-net-pci', id: 'net0', netdev: 'hub0', mac: '52:54:00:12:34:56', vectors: 4n });
  await vm.deviceAdd({ driver: 'virtio-blk-pci', 'iothread-vq-mapping': [{ iothread: 'thread0', vqs: [0, 1] }] });
  // @ts-expect-error members in the schema keep their types
  await vm.deviceAdd({ driver: 'virtio-net-pci', id: 5 });
  // @ts-expect-error not JSON
  await vm.deviceAdd({ driver: 'virtio-net-pci', mac: Symbol('mac') });
  await vm.execute('device_add', { driver: 'virtio-net-pci', netdev: 'hub0' });

  // @ts-expect-error no further arguments
  await vm.deviceDel({ id: 'net0', force: true });
  // @ts-expect-error no arguments at all
  await vm.systemReset({ force: true });
}
