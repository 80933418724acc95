/** QEMU's own schemas and compiler, where scripts/fetch-qemu has brought them. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll } from 'vitest';

import { sharedFile } from './shared.js';

const cache = process.env['QAPI_TS_CACHE'] ?? fileURLToPath(new URL('../../.cache/qemu/', import.meta.url));

/** The folder of a version's tree, or undefined when it is not there, which is then told. */
export function qemuTree(version: string, leftOut: string): string | undefined {
  const tree = join(cache, version);
  if (existsSync(tree)) return tree;
  console.warn(`LEFT OUT, for want of QEMU ${version} (scripts/fetch-qemu ${version}): ${leftOut}`);
  return undefined;
}

/** Like `qemuTree`, for what needs no more than the schemas: these may also lie beside the repository. To be called where suites are defined. */
export function qemuSchemas(version: string, leftOut: string): string | undefined {
  const tarball = sharedFile(`qemu/qemu-${version}-qapi.tar.xz`);
  if (existsSync(join(cache, version)) || tarball === undefined) return qemuTree(version, leftOut);
  const folder = mkdtempSync(join(tmpdir(), 'qapi-ts-qemu-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  execFileSync('tar', ['-xf', tarball, '-C', folder]);
  return join(folder, `qemu-${version}`);
}
