/** The versions that code for a range of versions is generated from. */

import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import { embeddedVersions } from '../embedded.js';
import { UsageError } from '../errors.js';
import { compareVersions, isMatch } from '../qemu-version.js';

const rangePattern = /^(\d+(?:\.\d+)*)\.\.(\d+(?:\.\d+)*)$/u;

/** Returns whether an argument is meant to be a range, `7.2..11.1`, not a version. */
export function isRange(text: string | undefined): text is string {
  return text !== undefined && /^\d[\d.]*\.\.\d[\d.]*$/u.test(text);
}

/**
 * Returns the embedded versions in a range, oldest first. Each end includes all versions that begin with it.
 *
 * @param text `7.2..11.1`
 * @throws UsageError if it is not a range, or there are fewer than two embedded versions in it
 */
export function versionsInRange(text: string): string[] {
  const [, from, to] = rangePattern.exec(text) ?? [];
  if (from === undefined || to === undefined) throw new UsageError(`expected a range such as 7.2..10.0, not '${text}'`);
  const embedded = embeddedVersions();
  const isBetween = (version: string): boolean =>
    (isMatch(version, from) || compareVersions(version, from) > 0) &&
    (isMatch(version, to) || compareVersions(version, to) < 0);
  const versions = embedded.filter(isBetween);
  const [only, ...others] = versions;
  if (others.length > 0) return versions;
  const found = only === undefined ? 'no embedded QEMU' : `only one embedded QEMU, ${only}`;
  throw new UsageError(`${text} contains ${found}: embedded versions are ${embedded.join(', ')}`);
}

/**
 * Returns the versions of the QEMU trees that contain schema files.
 *
 * @param roots the root schema files, oldest version first
 * @throws UsageError if the version of one cannot be determined, or if they are not in order
 */
export function versionsOf(roots: readonly string[]): string[] {
  const versions = roots.map(versionOf);
  for (const [index, version] of versions.entries()) {
    const before = versions[index - 1];
    if (before !== undefined && compareVersions(before, version) >= 0) {
      const problem = `'${roots[index - 1]}' is of QEMU ${before}, and '${roots[index]}' of ${version}`;
      throw new UsageError(`several schemas have to be of different versions, the oldest first: ${problem}`);
    }
  }
  return versions;
}

/** The number of directories above a schema file among which the top of its tree is found. */
const maxDepth = 4;

function versionOf(root: string): string {
  let folder = dirname(resolve(root));
  for (let depth = 0; depth < maxDepth; depth += 1) {
    const version = versionIn(folder);
    if (version !== undefined) return version;
    folder = dirname(folder);
  }
  throw new UsageError(
    `the version of '${root}' is unknown: for a range, each schema has to be in a QEMU tree, which has a file VERSION, ` +
      'or in a directory named after its version, such as 10.0.0/qapi',
  );
}

/** Returns the version of the tree at a folder, from its file `VERSION` or, as `vendor` writes it, from its name. */
function versionIn(folder: string): string | undefined {
  const file = join(folder, 'VERSION');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : basename(folder);
  return /^(\d+\.\d+\.\d+)\s*$/u.exec(text)?.[1];
}
