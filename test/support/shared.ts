/** Files next to the repository on some machines. Tests that need them warn if they are missing. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Returns the path of a file in `../shared`, or undefined if it is missing.
 *
 * @param leftOut the skipped tests, for the warning
 */
export function sharedFile(path: string, leftOut?: string): string | undefined {
  const file = fileURLToPath(new URL(`../../../shared/${path}`, import.meta.url));
  if (existsSync(file)) return file;
  if (leftOut !== undefined) console.warn(`SKIPPED, missing ../shared/${path}: ${leftOut}`);
  return undefined;
}
