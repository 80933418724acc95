/** Alternates: one of several JSON kinds, distinguished by `typeof`. */

import type { BlockDirtyBitmapOrStr, Stats, StatsValue } from '@qapi-ts/qemu/qmp';
import type { Int64 } from '@qapi-ts/runtime';
import { accept, type Expect, type Same } from './assert.js';

export type Kinds = Expect<Same<StatsValue, Int64 | boolean | Int64[]>>;

accept<Stats[]>([
  { name: 'exits', value: 1 },
  { name: 'exits', value: 2n ** 63n },
  { name: 'halted', value: true },
  { name: 'histogram', value: [1, 2n] },
  // @ts-expect-error no such alternative
  { name: 'exits', value: '1' },
]);

accept<BlockDirtyBitmapOrStr>('bitmap0');
accept<BlockDirtyBitmapOrStr>({ node: 'disk0', name: 'bitmap0' });
// @ts-expect-error no such alternative
accept<BlockDirtyBitmapOrStr>(null);

export function distinguish({ value }: Stats): Int64 | undefined {
  if (typeof value === 'boolean') return undefined;
  return typeof value === 'object' ? value[0] : value;
}
