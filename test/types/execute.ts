/** `execute` calls commands by wire name, with the same types; `executeRaw`, those that are not in the schema. */

import type { BlockdevOptions, Client, Commands, StatusInfo } from '@qapi-ts/qemu/qmp';
import type { Json } from '@qapi-ts/runtime';
import { accept } from './assert.js';

export async function execute(vm: Client, options: BlockdevOptions): Promise<void> {
  accept<StatusInfo>(await vm.execute('query-status'));
  accept<StatusInfo>(await vm.execute('query-status', {}, { timeout: 5 }));
  accept<void>(await vm.execute('blockdev-add', options));
  await vm.execute('blockdev-add', { driver: 'qcow2', 'node-name': 'disk0', file: 'file0' });
  // @ts-expect-error a member of another branch
  await vm.execute('blockdev-add', { driver: 'qcow2', file: 'file0', filename: '/tmp/disk.raw' });
  // @ts-expect-error the arguments are mandatory
  await vm.execute('blockdev-add');
  // @ts-expect-error the arguments are mandatory
  await vm.execute('blockdev-add', undefined, { timeout: 5 });
  // @ts-expect-error the command has no arguments
  await vm.execute('query-status', { x: 1 });
  // @ts-expect-error a typo
  await vm.execute('query-statuses');
  // @ts-expect-error the name of the method, not of the command
  await vm.execute('queryStatus');

  const { result, event } = await vm.execute('system_powerdown', {}, { until: ['POWERDOWN'] });
  accept<void>(result);
  accept<'POWERDOWN'>(event.event);
}

export async function executeRaw(vm: Client, name: string): Promise<void> {
  accept<Json>(await vm.executeRaw(name));
  accept<Json>(await vm.executeRaw('x-not-yet', { 'an-argument': [1n, { a: null }] }, { timeout: 5 }));
  // @ts-expect-error not JSON
  await vm.executeRaw('x-not-yet', { now: new Date() });
  // @ts-expect-error the result may be any JSON
  accept<StatusInfo>(await vm.executeRaw('query-status'));
}

/** A name that is known only at run time. */
export function anyOf(vm: Client, name: keyof Commands & `query-${'status' | 'uuid' | 'version'}`): Promise<object> {
  return vm.execute(name);
}
