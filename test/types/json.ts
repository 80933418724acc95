/** QAPI's `any` is JSON with exact integers. TypeScript's `any` occurs nowhere. */

import type * as qga from '@qapi-ts/qemu/qga';
import type * as qmp from '@qapi-ts/qemu/qmp';
import type * as qsd from '@qapi-ts/qemu/qsd';
import type { Json } from '@qapi-ts/runtime';
import { accept, type Expect, type IsAny, type Same } from './assert.js';

export async function any(vm: qmp.Client): Promise<void> {
  const value = await vm.qomGet({ path: '/machine', property: 'type' });
  accept<Json>(value);
  // @ts-expect-error it may be any JSON
  accept<string>(value);
  // @ts-expect-error it may have no members
  accept(value.length);
  await vm.qomSet({ path: '/machine', property: 'x', value: { list: [1, 2n ** 64n, 'text', null, true, {}] } });
  // @ts-expect-error not JSON
  await vm.qomSet({ path: '/machine', property: 'x', value: () => 1 });
  // @ts-expect-error not JSON
  await vm.qomSet({ path: '/machine', property: 'x', value: new Date() });
}

/** The names of commands or events with a part that is `any`, or has a member that is `any`. */
type HavingAny<M> = {
  [N in keyof M]: { [Part in keyof M[N]]: HasAny<M[N][Part]> }[keyof M[N]] extends false ? never : N;
}[keyof M];
type HasAny<T> = IsAny<T> extends true ? true : true extends MembersAreAny<T> ? true : false;
type MembersAreAny<T> = T extends object ? { [Member in keyof T]-?: IsAny<T[Member]> }[keyof T] : false;

export type Nowhere = [
  Expect<Same<HavingAny<qmp.Commands>, never>>,
  Expect<Same<HavingAny<qmp.Events>, never>>,
  Expect<Same<HavingAny<qga.Commands>, never>>,
  Expect<Same<HavingAny<qga.Events>, never>>,
  Expect<Same<HavingAny<qsd.Commands>, never>>,
  Expect<Same<HavingAny<qsd.Events>, never>>,
  // Proves that `HavingAny` finds it.
  // oxlint-disable-next-line typescript/no-explicit-any
  Expect<Same<HavingAny<{ a: { result: any }; b: { result: { deep: any } }; c: { result: string } }>, 'a' | 'b'>>,
];
