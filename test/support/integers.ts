/** The integers of QAPI. */

import type { BuiltinName } from '../../generator/src/model.js';

export type IntegerName = Exclude<BuiltinName, 'str' | 'number' | 'bool' | 'any' | 'null'>;

/** The ranges that QEMU's input visitor accepts. */
export const widths: Readonly<Record<IntegerName, readonly [min: bigint, max: bigint]>> = {
  int: [-(2n ** 63n), 2n ** 63n - 1n],
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint8: [0n, 2n ** 8n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  // QEMU accepts a negative number as the unsigned number with the same 64 bits.
  uint64: [-(2n ** 63n), 2n ** 64n - 1n],
  size: [-(2n ** 63n), 2n ** 64n - 1n],
};

/** Returns whether a number represents the integer exactly. */
export function isSafe(integer: bigint): boolean {
  return Number.isSafeInteger(Number(integer));
}
