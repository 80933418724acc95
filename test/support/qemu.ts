/** QEMU's own schemas and compiler, as downloaded by scripts/fetch-qemu. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll } from 'vitest';

import { sharedFile } from './shared.js';

const cache = fileURLToPath(new URL('../../.cache/qemu/', import.meta.url));

/** Returns the directory of a version's source tree, or undefined, with a warning, if it is missing. */
export function qemuTree(version: string, leftOut: string): string | undefined {
  const tree = join(cache, version);
  if (existsSync(tree)) return tree;
  console.warn(`SKIPPED, missing QEMU ${version} (scripts/fetch-qemu ${version}): ${leftOut}`);
  return undefined;
}

/**
 * Like `qemuTree`, but for tests that need only the schemas, which may also be next to the repository. Call it where
 * suites are defined.
 */
export function qemuSchemas(version: string, leftOut: string): string | undefined {
  const tarball = sharedFile(`qemu/qemu-${version}-qapi.tar.xz`);
  if (existsSync(join(cache, version)) || tarball === undefined) return qemuTree(version, leftOut);
  const folder = mkdtempSync(join(tmpdir(), 'qapi-ts-qemu-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  execFileSync('tar', ['-xf', tarball, '-C', folder]);
  return join(folder, `qemu-${version}`);
}
