/** Unions: the discriminator selects one named interface. */

import type {
  BlockdevOptions,
  BlockdevOptions_qcow2,
  BlockJobInfo,
  Client,
  KeyValue,
  MigrationAddress,
  MigrationAddress_socket_inet,
  SetPasswordOptions,
  SetPasswordOptions_vnc,
} from '@qapi-ts/qemu/qmp';
import type { Int64 } from '@qapi-ts/runtime';
import { accept } from './assert.js';

accept<SetPasswordOptions>({ protocol: 'vnc', password: 'secret', display: ':0' });
accept<SetPasswordOptions_vnc>({ protocol: 'vnc', password: 'secret' });
// @ts-expect-error a member of another branch
accept<SetPasswordOptions>({ protocol: 'spice', password: 'secret', display: ':0' });
// @ts-expect-error the members of the base are missing
accept<SetPasswordOptions>({ protocol: 'vnc' });
// @ts-expect-error no such branch
accept<SetPasswordOptions>({ protocol: 'rdp', password: 'secret' });
// @ts-expect-error the discriminator is missing
accept<SetPasswordOptions>({ password: 'secret' });

accept<BlockdevOptions>({
  driver: 'qcow2',
  'node-name': 'disk0',
  file: { driver: 'file', filename: '/tmp/disk.qcow2', locking: 'auto' },
  backing: { driver: 'raw', file: { driver: 'null-co', size: 1n } },
});
accept<BlockdevOptions>({
  driver: 'qcow2',
  // @ts-expect-error a branch inside a branch lacks a member
  file: { driver: 'file' },
});

export function narrow(options: BlockdevOptions, key: KeyValue, job: BlockJobInfo): void {
  if (options.driver === 'qcow2') accept<BlockdevOptions_qcow2>(options);
  // @ts-expect-error not every branch has the member
  accept(options.filename);
  if (options.driver === 'file') accept<string>(options.filename);

  switch (key.type) {
    case 'number':
      accept<Int64>(key.data);
      break;
    case 'qcode':
      accept<string>(key.data);
      break;
    // @ts-expect-error discriminators are closed
    case 'keysym':
      break;
  }

  // All values without members share one interface.
  if (job.type === 'mirror') accept<boolean>(job['actively-synced']);
  else accept<'commit' | 'stream' | 'backup' | 'create' | 'amend' | `snapshot-${'load' | 'save' | 'delete'}`>(job.type);
  // @ts-expect-error this branch has no such member
  if (job.type === 'commit') accept(job['actively-synced']);
}

/** The branches of a nested union are selected by both discriminators. */
export function narrowNested(address: MigrationAddress): string {
  if (address.transport !== 'socket') return address.transport;
  switch (address.type) {
    case 'inet':
      accept<MigrationAddress_socket_inet>(address);
      return `${address.host}:${address.port}`;
    case 'unix':
      return address.path;
    case 'vsock':
      return address.cid;
    case 'fd':
      // @ts-expect-error a member of another inner branch
      return address.path;
  }
}

accept<MigrationAddress>({ transport: 'socket', type: 'inet', host: 'localhost', port: '4444' });
accept<MigrationAddress>({ transport: 'rdma', host: 'localhost', port: '4444' });
// @ts-expect-error the inner discriminator is missing
accept<MigrationAddress>({ transport: 'socket', host: 'localhost', port: '4444' });
// @ts-expect-error a member of another branch
accept<MigrationAddress>({ transport: 'exec', args: ['cat'], type: 'inet' });

export async function send(vm: Client): Promise<void> {
  // Branches without members accept none.
  await vm.queryStats({ target: 'vm' });
  await vm.queryStats({ target: 'vcpu', vcpus: ['/machine/unattached/device[0]'] });
  // @ts-expect-error a member of another branch
  await vm.queryStats({ target: 'vm', vcpus: [] });
  await vm.objectAdd({ 'qom-type': 'can-bus', id: 'bus0' });
  // @ts-expect-error a member of another branch
  await vm.objectAdd({ 'qom-type': 'can-bus', id: 'bus0', size: 1 });
}
