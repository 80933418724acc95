/** QEMU's own schemas and compiler, where scripts/fetch-qemu has brought them. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = process.env['QAPI_TS_CACHE'] ?? fileURLToPath(new URL('../../.cache/qemu/', import.meta.url));

/** The folder of a version's tree, or undefined when it is not there, which is then told. */
export function qemuTree(version: string, leftOut: string): string | undefined {
  const tree = join(cache, version);
  if (existsSync(tree)) return tree;
  console.warn(`LEFT OUT, for want of QEMU ${version} (scripts/fetch-qemu ${version}): ${leftOut}`);
  return undefined;
}
