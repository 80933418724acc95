/** Round trips of 64-bit integers through a real QEMU. */

import type { Int64, Json } from '@qapi-ts/runtime';
import { describe, expect, test } from 'vitest';

import { failure } from '../support/client.js';
import { bare, installed, launchQemu, pc } from '../support/servers.js';

const maxInt64 = 2n ** 63n - 1n;
const maxUint64 = 2n ** 64n - 1n;

describe.runIf(installed(['qemu-system-x86_64'], '64-bit integers of a real QEMU'))('64-bit integers', () => {
  test('are exact as properties of objects', async () => {
    await using vm = await launchQemu();
    await vm.objectAdd({ 'qom-type': 'iothread', id: 'io', 'poll-max-ns': 9007199254740993n });
    const property = { path: '/objects/io', property: 'poll-max-ns' };
    expect(await vm.qomGet(property)).toBe(9007199254740993n);
    // Safe integers are returned as numbers, however they were sent.
    const values: [given: Int64, want: Json][] = [
      [0, 0],
      [1_000n, 1000],
      [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
      [2n ** 53n, 2n ** 53n],
      [maxInt64, maxInt64],
    ];
    for (const [value, want] of values) {
      await vm.qomSet({ ...property, value });
      expect(await vm.qomGet(property)).toBe(want);
    }
    expect(await vm.queryIothreads()).toMatchObject([{ id: 'io', 'poll-max-ns': maxInt64 }]);
  });

  test('are exact as typed members', async () => {
    await using vm = await launchQemu();
    for (const value of [maxUint64, 2n ** 53n + 1n, 1]) {
      await vm.migrateSetParameters({ 'max-bandwidth': value });
      expect(await vm.queryMigrateParameters()).toMatchObject({ 'max-bandwidth': value });
    }
  });

  test('are exact where only the server has them', async () => {
    await using vm = await launchQemu(pc);
    expect(await vm.qomGet({ path: '/machine/unattached/system[0]', property: 'size' })).toBe(maxUint64);
  });

  test('that are invalid are rejected before they are sent', async () => {
    const sent: string[] = [];
    await using vm = await launchQemu(bare, {
      trace: (direction, text) => direction === 'out' && sent.push(text),
    });
    sent.length = 0;
    const values: [value: Int64, message: RegExp][] = [
      [2n ** 64n, /max-bandwidth.*64.*18446744073709551616/u],
      [-(2n ** 63n) - 1n, /max-bandwidth.*64.*-9223372036854775809/u],
      [2 ** 53, /max-bandwidth.*bigint/u],
      [NaN, /max-bandwidth.*NaN/u],
      [Infinity, /max-bandwidth.*Infinity/u],
    ];
    for (const [value, message] of values) {
      const error = await failure(vm.migrateSetParameters({ 'max-bandwidth': value }));
      expect(error).toMatchObject({ code: 'ERR_QMP_ARGUMENTS', message: expect.stringMatching(message) });
    }
    expect(sent).toEqual([]);
  });
});
