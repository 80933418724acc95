/** The schemas that come with this package: those of QEMU's servers, as `qapi-ts vendor` wrote them. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { UsageError } from './errors.js';
import { isType, type Definition } from './model.js';

/** A server of QEMU, and the schema it speaks. */
export interface Server {
  /** The folder of its generated code. */
  readonly name: 'qmp' | 'qga' | 'qsd';
  readonly title: string;
  /** Its root schema file in a QEMU source tree. */
  readonly root: string;
  /** The page of QEMU's manual, and the name space of the identifiers on it. */
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

/** @throws UsageError when there is none of the name */
export function serverOf(name: Server['name']): Server {
  const found = servers.find((server) => server.name === name);
  if (!found) throw new UsageError(`there is no server '${name}'`);
  return found;
}

/** Where the manual has a definition. Anchors are as QEMU's documentation is built since 10.1. */
export function manualAddress({ manual }: Server, definition: Definition): string {
  const { kind } = definition;
  const role = isType(definition) && (kind === 'struct' || kind === 'union') ? 'object' : kind;
  const anchor = `${role}-${manual.namespace}-${definition.module}.${definition.name}`;
  return `https://www.qemu.org/docs/master/interop/${manual.page}.html#${anchor}`;
}

/** The folder of the embedded schemas: in the published package beside this code, in the repository at its top. */
export function schemaFolder(): string {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const folders = ['../schema', '../../schema'].map((path) => join(here, path));
  const folder = folders.find((path) => existsSync(join(path, 'current')));
  if (folder === undefined) throw new Error(`the embedded schemas are missing: looked for ${folders.join(' and ')}`);
  return folder;
}

/** @throws UsageError when no embedded version has the name */
export function resolveVersion(wanted: string): string {
  const versions = embeddedVersions();
  const found = versions.filter((version) => version === wanted || version.startsWith(`${wanted}.`));
  const newest = found.at(-1);
  if (newest === undefined) throw new UsageError(`no embedded QEMU ${wanted}: there are ${versions.join(', ')}`);
  return newest;
}

/** Oldest first. */
export function embeddedVersions(): string[] {
  return (
    readdirSync(schemaFolder(), { withFileTypes: true })
      // Beside versions there may be what `vendor` works on.
      .filter((entry) => entry.isDirectory() && /^\d/u.test(entry.name))
      .map((entry) => entry.name)
      .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  );
}

/** The version that `generated/` is made from. */
export function currentVersion(): string {
  return readFileSync(join(schemaFolder(), 'current'), 'utf8').trim();
}

export function embeddedRoot(version: string, server: Server): string {
  return join(embeddedFolder(version), server.root);
}

/** The folder of all schemas of a version. */
export function embeddedFolder(version: string): string {
  return join(schemaFolder(), version);
}
