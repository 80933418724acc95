/** Finds the schemas of a QEMU version: those embedded in this package, or those in the cache. */

import { currentVersion, embeddedFolder, embeddedVersions } from '../embedded.js';
import { FileError, UsageError } from '../errors.js';
import { relativePath } from '../paths.js';
import { newestMatch } from '../qemu-version.js';
import { cachedFolder, cachedVersions, readCached } from './cache.js';
import { treeReader, type Read } from './files.js';
import { fullVersion } from './release.js';

/** Where the schemas of a version are. */
export interface Location {
  /** The full version. */
  readonly version: string;
  readonly kind: 'embedded' | 'cached';
  /** The directory of the schemas. */
  readonly folder: string;
}

/**
 * Finds the schemas of a version. If a version is both embedded and cached, the embedded schemas are used.
 *
 * @param wanted a full version, or a prefix, which selects the newest version that is embedded or cached; by default,
 * the current one
 * @param needsProse whether only schemas with documentation will do, which are never embedded
 * @throws UsageError if there are none
 */
export function locateVersion(wanted?: string, needsProse = false): Location {
  const version = wanted === undefined ? currentVersion() : resolveVersion(wanted);
  if (!needsProse && embeddedVersions().includes(version)) {
    return { version, kind: 'embedded', folder: embeddedFolder(version) };
  }
  if (cachedVersions().includes(version)) return { version, kind: 'cached', folder: cachedFolder(version) };
  throw new UsageError(`the embedded schemas of QEMU ${version} have no documentation: ${fetchHint(version)}`);
}

/**
 * Returns the newest embedded or cached version that a full version or a prefix matches.
 *
 * @throws UsageError if there is none
 */
export function resolveVersion(wanted: string): string {
  const [embedded, cached] = [embeddedVersions(), cachedVersions()];
  const newest = newestMatch([...embedded, ...cached], wanted);
  if (newest !== undefined) return newest;
  const list = `neither embedded (${embedded.join(', ')}) nor cached (${cached.join(', ') || 'none'})`;
  throw new UsageError(`QEMU ${wanted} is ${list}${/^\d+(?:\.\d+)+$/u.test(wanted) ? `; ${fetchHint(wanted)}` : ''}`);
}

function fetchHint(version: string): string {
  const command = 'to download a release with its documentation, run: npx qapi-ts fetch';
  return fullVersion.test(version) ? `${command} ${version}` : `${command} ${version}.0, or another full version`;
}

/**
 * Returns a function that reads the schema files of a version.
 *
 * @throws FileError if they are cached, but damaged
 */
export function openVersion({ version, kind, folder }: Location): Read {
  if (kind === 'embedded') return treeReader(folder);
  const files = readCached(version)?.files;
  if (!files) {
    throw new FileError(
      `the schemas of QEMU ${version} in '${folder}' are damaged: to download them again, run: npx qapi-ts fetch ${version}`,
    );
  }
  return (path) => {
    const bytes = files.get(relativePath(folder, path));
    if (!bytes) throw new FileError('no such file');
    return bytes;
  };
}
