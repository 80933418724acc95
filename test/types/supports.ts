/** `supports` takes any name and any path, but the kind of path must suit a known name. `has` takes any name. */

import type { Client } from '@qapi-ts/qemu/qmp';
import { accept } from './assert.js';

export function has(vm: Client, name: string): void {
  accept<boolean>(vm.has('blockdev-add'));
  accept<boolean>(vm.has(name));
  accept<string | undefined>(vm.version);
  // @ts-expect-error a part needs `supports`
  vm.has('blockdev-add', { argument: 'driver' });
}

export async function supports(vm: Client, name: string, signal: AbortSignal): Promise<void> {
  accept<boolean>(await vm.supports('blockdev-add'));
  accept<boolean>(await vm.supports('BLOCK_IO_ERROR', undefined, { signal, timeout: 5 }));
  accept<boolean>(await vm.supports('x-not-yet', { argument: 'an-argument', value: 'x' }));
  accept<boolean>(await vm.supports(name));
  accept<boolean>(await vm.supports(name, { data: 'reason' }));

  await vm.supports('blockdev-add', { argument: 'aio', value: 'io_uring' });
  await vm.supports('blockdev-add', { argument: 'file(driver=nbd).server', feature: 'deprecated' });
  await vm.supports('query-block', { result: 'inserted.image' });
  await vm.supports('BLOCK_IO_ERROR', { data: 'action', value: 'stop' });
  await vm.supports('migrate', { feature: 'deprecated' });
  await vm.supports('device_add', { argument: 'driver' });
  await vm.supports('qom-get', { result: '' });
  await vm.supports('quit', { argument: 'x-not-yet' });

  // @ts-expect-error it is not an event
  await vm.supports('blockdev-add', { data: 'driver' });
  // @ts-expect-error it is not a command
  await vm.supports('STOP', { argument: 'reason' });
  // @ts-expect-error a value needs a path
  await vm.supports('blockdev-add', { value: 'io_uring' });
  // @ts-expect-error a value needs a path
  await vm.supports('STOP', { value: 'io_uring', feature: 'deprecated' });
  // @ts-expect-error only one path at a time
  await vm.supports('query-block', { argument: 'x', result: 'device', feature: 'deprecated' });
  // @ts-expect-error only one path at a time
  await vm.supports('query-block', { argument: 'x', result: 'device' });
  // @ts-expect-error no such property
  await vm.supports('blockdev-add', { member: 'driver' });
  // @ts-expect-error `until` is an option only of calls
  await vm.supports('quit', undefined, { until: ['SHUTDOWN'] });
}
