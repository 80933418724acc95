/** The schemas of a QEMU release, the digest that identifies them, and the digests that are known. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { schemaFolder, servers } from '../embedded.js';
import { FileError, ReleaseError } from '../errors.js';
import { readNamed } from './files.js';

/** The files of a release by path, with `/` as separator. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** The directories that contain schema files. */
export const schemaFolders = ['docs/interop', 'qapi', 'qga', 'storage-daemon/qapi'];

const schemaFile =
  /^(?:qapi\/[\w+-][\w.+-]*\.json|qga\/qapi-schema\.json|storage-daemon\/qapi\/qapi-schema\.json|docs\/interop\/(?:firmware|vhost-user)\.json)$/u;

/** Returns whether a release's digest covers a file. */
export function isSchemaFile(path: string): boolean {
  return schemaFile.test(path);
}

/** Matches full versions. */
export const fullVersion = /^\d{1,3}\.\d{1,3}\.\d{1,3}$/u;
export const sha256Pattern = /^[0-9a-f]{64}$/u;

/**
 * Computes the digest of a release's schema files: the SHA-256 of a list with one line for each file, sorted by path. A
 * line has the SHA-256 of the content in hexadecimal, two spaces, the path, and a newline. A digest of the tarball would
 * not do, because distributions repack it. In the root of a source tree, coreutils compute the same digest:
 *
 *     export LC_ALL=C
 *     ls docs/interop/{firmware,vhost-user}.json {qapi/*,qga/qapi-schema,storage-daemon/qapi/qapi-schema}.json |
 *       sort | xargs sha256sum | sha256sum
 */
export function digestOf(files: Files): string {
  const covered = [...files].filter(([path]) => isSchemaFile(path)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sha256(covered.map(([path, bytes]) => `${sha256(bytes)}  ${path}\n`).join(''));
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/**
 * Verifies that files are those of a version of QEMU.
 *
 * @returns their digest
 * @throws ReleaseError
 */
export function verifyRelease(files: Files, version: string): string {
  const missing = ['VERSION', ...servers.map(({ root }) => root)].find((path) => !files.has(path));
  if (missing !== undefined) throw new ReleaseError(`it is not a release of QEMU: it has no ${missing}`);
  const found = new TextDecoder().decode(files.get('VERSION')).trim();
  if (found !== version) throw new ReleaseError(`it is QEMU ${found} instead of ${version}`);
  return digestOf(files);
}

/**
 * Returns the known digests by version. They are embedded with the schemas.
 *
 * @throws FileError
 */
export function readPins(): ReadonlyMap<string, string> {
  const path = join(schemaFolder(), 'pins.json');
  try {
    const pins = JSON.parse(readNamed(path).toString()) as Readonly<Record<string, { readonly sha256: string }>>;
    return new Map(Object.entries(pins).map(([version, pin]) => [version, pin.sha256]));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new FileError(`cannot read '${path}': ${error.message}`, { cause: error });
  }
}
