/** Sets of the versions of a range, and how they are written. */

import { UsageError } from '../errors.js';
import { minorOf } from '../qemu-version.js';

/** A set of versions: bit `i` is set for the version at index `i` of `Schema.versions`, whose oldest is at 0. */
export type Versions = number;

/** Bits of a number that are safe to combine. */
const maxVersions = 31;

/** @throws UsageError if there are too many */
export function allVersions(count: number): Versions {
  if (count > maxVersions) throw new UsageError(`a range has at most ${maxVersions} versions, not ${count}`);
  return 2 ** count - 1;
}

export function versionAt(index: number): Versions {
  return 2 ** index;
}

/** Returns the indices of the versions, oldest first. */
export function indicesOf(versions: Versions): number[] {
  const indices: number[] = [];
  for (let index = 0; versionAt(index) <= versions; index += 1) {
    if ((versions & versionAt(index)) !== 0) indices.push(index);
  }
  return indices;
}

/** Returns the index of the newest version, or -1 for none. */
export function newestOf(versions: Versions): number {
  return 31 - Math.clz32(versions);
}

/** Consecutive versions of a range. An end is absent if it is that of the range. */
interface Span {
  readonly from?: string;
  readonly to?: string;
}

/** Returns the spans of consecutive versions, oldest first. Versions are shortened to major and minor. */
function spansOf(versions: Versions, all: readonly string[]): Span[] {
  const has = (index: number): boolean => (versions & versionAt(index)) !== 0;
  const begins = indicesOf(versions).filter((index) => index === 0 || !has(index - 1));
  return begins.map((begin) => {
    let end = begin;
    while (end + 1 < all.length && has(end + 1)) end += 1;
    return {
      ...(begin > 0 && { from: minorOf(all[begin] ?? '') }),
      ...(end + 1 < all.length && { to: minorOf(all[end] ?? '') }),
    };
  });
}

/** Formats versions for the runtime: `10.0..`, `7.2..9.0`, `..9.0, 11.0..`. */
export function formatVersions(versions: Versions, all: readonly string[]): string {
  return spansOf(versions, all)
    .map(({ from = '', to = '' }) => `${from}..${to}`)
    .join(', ');
}

/** Describes versions in words: `QEMU 10.0 and newer`, `QEMU 7.2 to 9.0`, `QEMU 9.0 and older, 11.0 and newer`. */
export function describeVersions(versions: Versions, all: readonly string[]): string {
  const words = spansOf(versions, all).map(({ from, to }) => {
    if (from === undefined) return to === undefined ? 'all versions' : `${to} and older`;
    if (to === undefined) return `${from} and newer`;
    return from === to ? from : `${from} to ${to}`;
  });
  return `QEMU ${words.join(', ')}`;
}
