/** Absent is not null. */

import type {
  BlockdevOptions_qcow2,
  BlockdevRefOrNull,
  Client,
  MigrationParameters,
  StrOrNull,
  XBlockdevSetIothreadArguments,
} from '@qapi-ts/qemu/qmp';
import { accept, type Expect, type Same } from './assert.js';

export async function absent(vm: Client, id: string | undefined): Promise<void> {
  await vm.deviceAdd({ driver: 'virtio-net-pci' });
  await vm.deviceAdd({ driver: 'virtio-net-pci', id });
  // @ts-expect-error null is not absent
  await vm.deviceAdd({ driver: 'virtio-net-pci', id: null });
  // @ts-expect-error the driver is mandatory
  await vm.deviceAdd({ id: 'net0' });
  // @ts-expect-error it may be undefined, but is mandatory
  await vm.deviceAdd({ driver: id });
}

export type NullIsAValue = Expect<Same<StrOrNull, string | null>>;
accept<XBlockdevSetIothreadArguments>({ 'node-name': 'disk0', iothread: null });
accept<XBlockdevSetIothreadArguments>({ 'node-name': 'disk0', iothread: 'thread0' });
// @ts-expect-error mandatory
accept<XBlockdevSetIothreadArguments>({ 'node-name': 'disk0' });
// @ts-expect-error mandatory
accept<XBlockdevSetIothreadArguments>({ 'node-name': 'disk0', iothread: undefined });

accept<MigrationParameters[]>([{}, { 'tls-creds': undefined }, { 'tls-creds': null }, { 'tls-creds': '' }]);

accept<BlockdevOptions_qcow2[]>([
  { driver: 'qcow2', file: 'file0' },
  { driver: 'qcow2', file: 'file0', backing: undefined },
  { driver: 'qcow2', file: 'file0', backing: null },
  { driver: 'qcow2', file: 'file0', backing: 'base' },
  { driver: 'qcow2', file: 'file0', backing: { driver: 'null-co' } },
  // @ts-expect-error BlockdevRef does not include null
  { driver: 'qcow2', file: null },
]);

export function distinguish(backing: BlockdevRefOrNull | undefined): string {
  if (backing === undefined) return 'as in the image';
  if (backing === null) return 'none';
  return typeof backing === 'string' ? backing : backing.driver;
}
