/** Paths that are compared, hashed or printed use `/` as separator on every system. */

import nodePath, { type PlatformPath } from 'node:path';

/**
 * Returns the relative path from a directory to a file, or an absolute path if they are on different drives.
 *
 * @param system the path rules; by default, those of this system
 */
export function relativePath(folder: string, file: string, system: PlatformPath = nodePath): string {
  return system.relative(folder, file).replaceAll(system.sep, '/');
}

/** Returns whether a file is in a directory, at any depth. */
export function isWithin(folder: string, file: string, system: PlatformPath = nodePath): boolean {
  const path = system.relative(folder, file);
  return path !== '' && path !== '..' && !path.startsWith(`..${system.sep}`) && !system.isAbsolute(path);
}
