/** `supports` takes any name and any path, and what it is asked of has to fit what the name is known for. */

import type { Client } from '@qapi-ts/qemu/qmp';
import { accept } from './assert.js';

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

  // @ts-expect-error it is no event
  await vm.supports('blockdev-add', { data: 'driver' });
  // @ts-expect-error it is no command
  await vm.supports('STOP', { argument: 'reason' });
  // @ts-expect-error a value of what
  await vm.supports('blockdev-add', { value: 'io_uring' });
  // @ts-expect-error a value of what
  await vm.supports('STOP', { value: 'io_uring', feature: 'deprecated' });
  // @ts-expect-error one at a time
  await vm.supports('query-block', { argument: 'x', result: 'device', feature: 'deprecated' });
  // @ts-expect-error one at a time
  await vm.supports('query-block', { argument: 'x', result: 'device' });
  // @ts-expect-error no detail of that name
  await vm.supports('blockdev-add', { member: 'driver' });
  // @ts-expect-error a call, not this, has events to wait for
  await vm.supports('quit', undefined, { until: ['SHUTDOWN'] });
}
