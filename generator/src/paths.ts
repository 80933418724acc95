/** Paths that are compared, hashed or printed: with `/` on every system. */

import nodePath, { type PlatformPath } from 'node:path';

/**
 * The way from a folder to a file. Between drives there is none: then the result is absolute.
 *
 * @param system the rules of paths; those of this system unless given
 */
export function relativePath(folder: string, file: string, system: PlatformPath = nodePath): string {
  return system.relative(folder, file).replaceAll(system.sep, '/');
}

/** Whether a file is in a folder, at any depth. */
export function isWithin(folder: string, file: string, system: PlatformPath = nodePath): boolean {
  const path = system.relative(folder, file);
  return path !== '' && path !== '..' && !path.startsWith(`..${system.sep}`) && !system.isAbsolute(path);
}
