/** The schemas embedded in this package: those of QEMU's servers, as written by `qapi-ts vendor`. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { UsageError } from './errors.js';
import { isType, type Definition } from './model.js';
import { compareVersions } from './qemu-version.js';

export type ServerName = 'qmp' | 'qga' | 'qsd';

/** A QEMU server and its schema. */
export interface Server {
  /** The directory of its generated code. */
  readonly name: ServerName;
  readonly title: string;
  /** The root schema file in a QEMU source tree. */
  readonly root: string;
  /** The page of QEMU's manual, and the namespace of its anchors. */
  readonly manual: { readonly page: string; readonly namespace: string };
}

export const servers: readonly Server[] = [
  {
    name: 'qmp',
    title: 'the monitor',
    root: 'qapi/qapi-schema.json',
    manual: { page: 'qemu-qmp-ref', namespace: 'QMP' },
  },
  {
    name: 'qga',
    title: 'the guest agent',
    root: 'qga/qapi-schema.json',
    manual: { page: 'qemu-ga-ref', namespace: 'QGA' },
  },
  {
    name: 'qsd',
    title: 'the storage daemon',
    root: 'storage-daemon/qapi/qapi-schema.json',
    manual: { page: 'qemu-storage-daemon-qmp-ref', namespace: 'QSD' },
  },
];

/** @throws UsageError if there is no server of this name */
export function serverOf(name: ServerName): Server {
  const found = servers.find((server) => server.name === name);
  if (!found) throw new UsageError(`unknown server '${name}'`);
  return found;
}

/** Returns the address of a definition in QEMU's manual. The anchors are those of QEMU 10.1 and later. */
export function manualAddress({ manual }: Server, definition: Definition): string {
  const { kind } = definition;
  const role = isType(definition) && (kind === 'struct' || kind === 'union') ? 'object' : kind;
  const anchor = `${role}-${manual.namespace}-${definition.module}.${definition.name}`;
  return `https://www.qemu.org/docs/master/interop/${manual.page}.html#${anchor}`;
}

/**
 * Returns the directory of the embedded schemas: next to this code in the published package, at the top level in the
 * repository.
 */
export function schemaFolder(): string {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const folders = ['../schema', '../../schema'].map((path) => join(here, path));
  const folder = folders.find((path) => existsSync(join(path, 'current')));
  if (folder === undefined) throw new Error(`the embedded schemas are missing: looked for ${folders.join(' and ')}`);
  return folder;
}

/** Returns the embedded versions, oldest first. */
export function embeddedVersions(): string[] {
  return (
    readdirSync(schemaFolder(), { withFileTypes: true })
      // The directory may also contain stages of `vendor`.
      .filter((entry) => entry.isDirectory() && /^\d/u.test(entry.name))
      .map((entry) => entry.name)
      .toSorted(compareVersions)
  );
}

/** Returns the path of the file that contains the current version. */
export function currentFile(): string {
  return join(schemaFolder(), 'current');
}

/** Returns the version that `generated/` is made from. */
export function currentVersion(): string {
  return readFileSync(currentFile(), 'utf8').trim();
}

export function embeddedRoot(version: string, server: Server): string {
  return join(embeddedFolder(version), server.root);
}

/** Returns the directory of all schemas of a version. */
export function embeddedFolder(version: string): string {
  return join(schemaFolder(), version);
}
