/** Versions of QEMU: `10.0.13`, and prefixes of them. */

/** Compares versions by their numbers, for sorting. */
export function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

/** Returns the first two numbers of a version: `10.0` for `10.0.13`. */
export function minorOf(version: string): string {
  return version.split('.', 2).join('.');
}

/** Returns whether a version is the given one, or begins with the given prefix. */
export function isMatch(version: string, wanted: string): boolean {
  return version === wanted || version.startsWith(`${wanted}.`);
}

/**
 * Returns the newest version that a full version or a prefix matches.
 *
 * @returns undefined if there is none
 */
export function newestMatch(versions: readonly string[], wanted: string): string | undefined {
  const matching = versions.filter((version) => isMatch(version, wanted));
  return matching.toSorted(compareVersions).at(-1);
}
