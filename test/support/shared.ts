/** Material that lies beside the repository on some machines. Tests that want it say loudly when it is not there. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The path of a file in `../shared`, or undefined when it is not there.
 *
 * @param leftOut what is then told to be left out
 */
export function sharedFile(path: string, leftOut?: string): string | undefined {
  const file = fileURLToPath(new URL(`../../../shared/${path}`, import.meta.url));
  if (existsSync(file)) return file;
  if (leftOut !== undefined) console.warn(`LEFT OUT, for want of ../shared/${path}: ${leftOut}`);
  return undefined;
}
