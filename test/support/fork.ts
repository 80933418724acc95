/** A fork of QEMU: commands, types, members and values of its own, and types that it calls by other names. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { embeddedFolder, serverOf } from '../../generator/src/embedded.js';
import type { Schema } from '../../generator/src/model.js';
import { schemaOf } from './schema.js';

/** The names of the fork for types of QEMU: structs, enums, a base, a union and an alternate. */
export const renamed: Readonly<Record<string, string>> = {
  SnapshotInfo: 'ForkSnapshot',
  RunState: 'ForkState',
  BlockdevOptionsGenericFormat: 'ForkFormat',
  SetPasswordOptions: 'ForkPassword',
  BlockdevRef: 'ForkReference',
  // Only bases, which no introspection shows.
  BlockdevOptionsCurlBase: 'ForkCurlBase',
  QCryptoBlockInfoBase: 'ForkCryptoBase',
};

const ownDefinitions = `
{ 'enum': 'ForkMode', 'data': [ 'slow', 'fast' ] }
{ 'struct': 'ForkLoad', 'data': { 'average': 'number', 'mode': 'ForkMode' } }
{ 'struct': 'ForkItem', 'data': { 'name': 'str', '*load': 'ForkLoad', 'bytes': 'uint64' } }
{ 'struct': 'ForkInfo', 'data': { 'items': [ 'ForkItem' ], 'status': 'StatusInfo' } }
{ 'struct': 'ForkTarget', 'data': { 'host': 'str', '*port': 'uint16' } }
{ 'union': 'ForkOptions', 'base': { 'mode': 'ForkMode' }, 'discriminator': 'mode', 'data': { 'fast': 'ForkTarget' } }
{ 'command': 'query-fork', 'returns': [ 'ForkInfo' ] }
{ 'command': 'fork-start', 'data': { 'name': 'str', '*target': 'ForkTarget' } }
{ 'command': 'fork-set', 'boxed': true, 'data': 'ForkOptions' }
{ 'event': 'FORK_DONE', 'data': { 'load': 'ForkLoad' } }
`;

/** Replacements, each of which applies once. */
const edits: readonly (readonly [RegExp, string])[] = [
  [/('struct': 'StatusInfo',\s*'data': \{)/u, "$1 '*fork-load': 'ForkLoad', '*fork-count': 'uint8', "],
  [/('enum': 'RunState',\s*'data': \[)/u, "$1 'forked', "],
];

/** Returns the fork's schema of the monitor. @param version the QEMU version that the fork is made from */
export function fork(version: string): Schema {
  const folder = embeddedFolder(version);
  const [part = '', name = ''] = serverOf('qmp').root.split('/');
  const files = new Map(
    readdirSync(join(folder, part)).map((file) => [file, readFileSync(join(folder, part, file), 'utf8')]),
  );
  for (const [from, to] of edits) {
    const found = [...files].filter(([, text]) => from.test(text));
    if (found.length !== 1) throw new Error(`not found once: ${from.source}`);
    for (const [file, text] of found) files.set(file, text.replace(from, to));
  }
  const names = new RegExp(`(?<=['@])(?:${Object.keys(renamed).join('|')})(?=[':])`, 'gu');
  const own = [...files].map(([file, text]) => [file, text.replaceAll(names, (one) => renamed[one] ?? one)] as const);
  const texts = new Map(own);
  const pragmas = texts.get('pragma.json') ?? '';
  texts.set('pragma.json', pragmas.replaceAll(/'doc-required': true/gu, "'doc-required': false"));
  return schemaOf({
    [name]: `${texts.get(name) ?? ''}${ownDefinitions}`,
    ...Object.fromEntries([...texts].filter(([file]) => file !== name)),
  });
}
