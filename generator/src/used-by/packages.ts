/** Finds the generated packages of a program, and creates replacements to check the program with other schemas. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { conditionTest } from '../condition.js';
import { compareBranches } from '../diff/branches.js';
import { alternativesOf, wireOf, type WireSchema, type WireType } from '../diff/wire.js';
import { Names } from '../emit/names.js';
import { emitPackage, generatedMark, narrowedBy } from '../emit/package.js';
import { isType, type Definition, type ObjectType, type Schema } from '../model.js';
import { narrow } from '../narrow.js';
import { markEnums } from './code.js';

/** The output for one schema, as imported by a program. */
export interface Package {
  readonly folder: string;
  /** The first line of the output, which names its source; empty for declaration files, which do not keep it. */
  readonly header: string;
  readonly extension: string;
  readonly commands: ReadonlySet<string>;
}

/**
 * Recognizes directories of generated packages by the text of `client.ts`: parsing all their files would take longer
 * than replacing them.
 */
export class PackageFinder {
  readonly #known = new Map<string, Package | undefined>();

  get found(): Package[] {
    return [...this.#known.values()].filter((one) => one !== undefined);
  }

  readonly has = (folder: string): boolean => {
    if (!this.#known.has(folder)) this.#known.set(folder, readPackage(folder));
    return this.#known.get(folder) !== undefined;
  };
}

function readPackage(folder: string): Package | undefined {
  const extension = ['.ts', '.d.ts'].find((one) => existsSync(join(folder, `client${one}`)));
  if (extension === undefined) return undefined;
  const text = readFileSync(join(folder, `client${extension}`), 'utf8');
  const [, commands] = /^export interface Commands \{\n(.*?)^ *\}$/msu.exec(text) ?? [];
  if (commands === undefined || !/^export (?:declare )?class Client extends (?:Base|Range)Client</mu.test(text))
    return undefined;
  const names = [...commands.matchAll(/^ *'?([\w.-]+)'?: \{/gmu)].map(([, name = '']) => name);
  const [header = ''] = text.split('\n', 1);
  return { folder, header: header.startsWith(generatedMark) ? header : '', extension, commands: new Set(names) };
}

/**
 * Selects the packages that a comparison concerns: those of the same server and, if there are several versions, of the
 * old one.
 */
export function packagesOf(packages: readonly Package[], commands: ReadonlySet<string>, old: Schema): Package[] {
  const alike = packages.filter((one) => {
    const common = [...one.commands].filter((name) => commands.has(name)).length;
    return common * 2 >= Math.max(one.commands.size, commands.size);
  });
  const own = alike.filter(({ header }) => header.includes(old.digest.slice(0, 16)));
  return own.length > 0 ? own : alike;
}

/** Generates the files of a package from another schema. */
export function filesFor({ header, extension }: Package, schema: Schema): Map<string, string> {
  const defined = narrowedBy(header);
  const narrowed = defined.length === 0 ? schema : narrow(schema, conditionTest(defined));
  const options = { origin: 'a comparison', generator: '0', docs: false, declarations: true };
  const emitted = emitPackage(narrowed, options);
  return new Map([...emitted].map(([name, text]) => [name.replace(/\.ts$/u, extension), text]));
}

export function withMarkedEnums(files: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...files].map(([name, text]) => [name, markEnums(text)]));
}

/** Adds aliases for renamed types, because names of types are not part of the protocol. */
export function withOldNames(files: ReadonlyMap<string, string>, old: Schema, newer: Schema): Map<string, string> {
  const aliases = [...renamed(old, newer)].flatMap(([oldName, newName]) => [
    `  ${newName} as ${oldName},\n`,
    `  is${newName} as is${oldName},\n`,
  ]);
  const text = `export {\n${aliases.join('')}} from './index.js';\n`;
  const isIndex = (name: string): boolean => name.startsWith('index.');
  return new Map([...files].map(([name, own]) => [name, isIndex(name) && aliases.length > 0 ? `${own}${text}` : own]));
}

/** Returns the new names of renamed types, by old name. */
function renamed(old: Schema, newer: Schema): Map<string, string> {
  const [oldNames, newNames] = [new Names(old), new Names(newer)];
  const found = new Map<string, string>();
  for (const [oldName, newName] of pairedNames(wireOf(old), wireOf(newer))) {
    const [oldType, newType] = [old.definitions.get(oldName), newer.definitions.get(newName)];
    if (!oldType || !newType || !isType(oldType) || !isType(newType) || newer.definitions.has(oldName)) continue;
    found.set(oldNames.type(oldType), newNames.type(newType));
  }
  // Arguments or data may have an implicit type on one side, and a named type on the other.
  for (const [name, definition] of old.definitions) {
    const [oldData, newData] = [definition, newer.definitions.get(name)].map(dataOf);
    if (!oldData || !newData) continue;
    const names = [oldNames.type(oldData), newNames.type(newData)] as const;
    if (names[0] !== names[1] && oldData.kind === 'struct' && oldData.implicit) found.set(...names);
  }
  return found;
}

function dataOf(definition: Definition | undefined): ObjectType | undefined {
  if (definition?.kind === 'command') return definition.arguments;
  return definition?.kind === 'event' ? definition.data : undefined;
}

/** Returns the new names of types that occur in the same places, by old name. */
function pairedNames(old: WireSchema, newer: WireSchema): Map<string, string> {
  const names = new Map<string, string>();
  const seen = new Map<WireType, Set<WireType>>();
  const visit = (oldType: WireType | undefined, newType: WireType | undefined): void => {
    if (!oldType || oldType.kind === 'builtin' || oldType.kind !== newType?.kind) return;
    const newTypes = seen.get(oldType) ?? new Set();
    if (newTypes.has(newType)) return;
    seen.set(oldType, newTypes.add(newType));
    const [oldName, newName] = [oldType, newType].map((type) => ('name' in type ? type.name : undefined));
    if (oldName !== undefined && newName !== undefined && !names.has(oldName)) names.set(oldName, newName);
    for (const [oldInner, newInner] of typesWithin(oldType, newType)) visit(oldInner, newInner);
  };
  for (const [name, command] of old.commands) {
    visit(command.arguments, newer.commands.get(name)?.arguments);
    visit(command.result, newer.commands.get(name)?.result);
  }
  for (const [name, event] of old.events) visit(event.data, newer.events.get(name)?.data);
  return names;
}

/** Returns the pairs of types that occur in the same place within two types of one kind. */
function typesWithin(old: WireType, newer: WireType): (readonly [WireType | undefined, WireType | undefined])[] {
  if (old.kind === 'array' && newer.kind === 'array') return [[old.element, newer.element]];
  if (old.kind === 'alternate' && newer.kind === 'alternate') {
    const newTypes = alternativesOf(newer);
    return [...alternativesOf(old)].map(([kind, { type }]) => [type, newTypes.get(kind)?.type]);
  }
  if (old.kind !== 'object' || newer.kind !== 'object') return [];
  const { members, types } = compareBranches(old, newer);
  return [
    ...types.map((pair) => [pair.old, pair.newer] as const),
    ...members.map((pair) => [pair.old?.type, pair.newer?.type] as const),
  ];
}
