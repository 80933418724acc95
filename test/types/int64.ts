/** 64-bit integers are exact: `number | bigint`, which must be narrowed for arithmetic. */

import type { Client as Agent } from '@qapi-ts/qemu/qga';
import type { Client, NumaNodeOptions } from '@qapi-ts/qemu/qmp';
import type { Int64 } from '@qapi-ts/runtime';
import { accept, type Expect, type Same } from './assert.js';

export type IsNumberOrBigint = Expect<Same<Int64, number | bigint>>;
export type SmallIntegersAreNumbers = Expect<Same<NumaNodeOptions['nodeid'], number | undefined>>;
export type ArraysToo = Expect<Same<NumaNodeOptions['cpus'], number[] | undefined>>;

export async function integers(vm: Client, agent: Agent): Promise<void> {
  await vm.blockResize({ 'node-name': 'disk0', size: 1024 });
  await vm.blockResize({ 'node-name': 'disk0', size: 1024n });
  // @ts-expect-error a string is not an integer
  await vm.blockResize({ 'node-name': 'disk0', size: '1024' });

  const { 'base-memory': size } = await vm.queryMemorySizeSummary();
  // @ts-expect-error it may be a bigint
  accept<number>(size);
  // @ts-expect-error it may be a bigint
  accept<number>(size / 2);
  if (typeof size === 'number') accept<number>(size / 2);
  else accept<bigint>(size / 2n);
  accept<boolean>(size === 1024 || size > 4096n);
  accept<Map<Int64, string>>(new Map([[size, 'a key']]));

  accept<Int64>(await agent.guestGetTime());
}
