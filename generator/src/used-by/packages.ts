/** The generated packages of a program, and what takes their place in order to check it against other schemas. */

import { basename } from 'node:path';

import type { ts } from 'ts-morph';

import { conditionTest } from '../condition.js';
import { compareBranches } from '../diff/branches.js';
import { jsonKind, wireOf, type WireSchema, type WireType } from '../diff/wire.js';
import { Names } from '../emit/names.js';
import { emitPackage, generatedMark } from '../emit/package.js';
import type { Command, Event, ObjectType, Schema } from '../model.js';
import { narrow } from '../narrow.js';
import { folderOf, markEnums } from './code.js';
import type { Compiler } from './compiler.js';

/** The output for one schema, as a program imports it. */
export interface Package {
  readonly folder: string;
  /** What its first line says of its source; empty in declaration files, which do not keep it. */
  readonly header: string;
  readonly extension: string;
  readonly commands: ReadonlySet<string>;
  readonly files: ReadonlyMap<string, string>;
}

export interface Sides {
  /** Absent for an introspection, which has no types. */
  readonly old?: Schema;
  readonly new?: Schema;
}

export function packagesIn(compiler: Compiler, program: ts.Program): Package[] {
  const clients = program.getSourceFiles().filter(({ fileName }) => /^client(?:\.d)?\.ts$/u.test(basename(fileName)));
  return clients.flatMap((client) => {
    const interfaces = client.statements.filter(compiler.isInterfaceDeclaration);
    const maps = ['Commands', 'Events'].map((wanted) => interfaces.find(({ name }) => name.text === wanted));
    const isClient = client.statements.some((one) => compiler.isClassDeclaration(one) && one.name?.text === 'Client');
    const [commands, events] = maps;
    if (!commands || !events || !isClient) return [];
    const folder = folderOf(client);
    const files = program.getSourceFiles().filter((file) => folderOf(file) === folder);
    const [header = ''] = client.text.split('\n', 1);
    return [
      {
        folder,
        header: header.startsWith(generatedMark) ? header : '',
        extension: client.fileName.slice(folder.length + '/client'.length),
        commands: new Set(commands.members.map(({ name }) => (name && 'text' in name ? name.text : ''))),
        files: new Map(files.map((file) => [basename(file.fileName), file.text])),
      },
    ];
  });
}

/** Those of the packages that a comparison is about: of the same server, and of the old version where there are several. */
export function packagesOf(packages: readonly Package[], commands: ReadonlySet<string>, old?: Schema): Package[] {
  const alike = packages.filter((one) => {
    const common = [...one.commands].filter((name) => commands.has(name)).length;
    return common * 2 >= Math.max(one.commands.size, commands.size);
  });
  const own = old ? alike.filter(({ header }) => header.includes(old.digest.slice(0, 16))) : [];
  return own.length > 0 ? own : alike;
}

/** The files of a package as the generator makes them of another schema. */
export async function filesFor({ header, extension }: Package, schema: Schema): Promise<Map<string, string>> {
  const defined = [...header.matchAll(/-D (\w+)/gu)].map(([, name = '']) => name);
  const narrowed = defined.length === 0 ? schema : narrow(schema, conditionTest(defined));
  const options = { origin: 'a comparison', generator: '0', docs: false };
  const emitted = await emitPackage(narrowed, options, (text) => Promise.resolve(text));
  return new Map([...emitted].map(([name, text]) => [name.replace(/\.ts$/u, extension), text]));
}

export function marked(files: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...files].map(([name, text]) => [name, markEnums(text)]));
}

/** Exports types under the names that they have in the old schema, too: a name is not on the wire. */
export function withOldNames(files: ReadonlyMap<string, string>, old: Schema, now: Schema): Map<string, string> {
  const aliases = [...renamed(old, now)].flatMap(([before, after]) => [
    `  ${after} as ${before},\n`,
    `  is${after} as is${before},\n`,
  ]);
  const text = `export {\n${aliases.join('')}} from './index.js';\n`;
  const isIndex = (name: string): boolean => name.startsWith('index.');
  return new Map([...files].map(([name, own]) => [name, isIndex(name) && aliases.length > 0 ? `${own}${text}` : own]));
}

/** The names of old types, with those of the types that are in their place. */
function renamed(old: Schema, now: Schema): Map<string, string> {
  const [before, after] = [new Names(old), new Names(now)];
  const found = new Map<string, string>();
  for (const [name, otherName] of pairedNames(wireOf(old), wireOf(now))) {
    const [type, other] = [old.definitions.get(name), now.definitions.get(otherName)];
    if (!type || !other || now.definitions.has(name) || !('module' in type)) continue;
    found.set(before.type(type as ObjectType), after.type(other as ObjectType));
  }
  // Arguments and data may be of a type of their own on one side only.
  for (const [name, definition] of old.definitions) {
    const [data, other] = [definition, now.definitions.get(name)].map(dataOf);
    if (!data || !other) continue;
    const names = [before.type(data), after.type(other)] as const;
    if (names[0] !== names[1] && data.kind === 'struct' && data.implicit) found.set(...names);
  }
  return found;
}

function dataOf(
  definition: Schema['definitions'] extends ReadonlyMap<string, infer D> ? D | undefined : never,
): ObjectType | undefined {
  if (definition?.kind === 'command') return (definition as Command).arguments;
  return definition?.kind === 'event' ? (definition as Event).data : undefined;
}

/** The names of types that are met at the same places. */
function pairedNames(old: WireSchema, now: WireSchema): Map<string, string> {
  const names = new Map<string, string>();
  const seen = new Map<WireType, Set<WireType>>();
  const visit = (one: WireType, other: WireType): void => {
    if (one.kind === 'array' && other.kind === 'array') return visit(one.element, other.element);
    const others = seen.get(one) ?? new Set();
    if (others.has(other) || one.kind !== other.kind || one.kind === 'builtin') return;
    seen.set(one, others.add(other));
    if ('name' in one && 'name' in other && one.name !== undefined && other.name !== undefined) {
      if (!names.has(one.name)) names.set(one.name, other.name);
    }
    if (one.kind === 'alternate' && other.kind === 'alternate') {
      for (const { type } of one.alternatives) {
        const same = other.alternatives.find((candidate) => jsonKind(candidate.type) === jsonKind(type));
        if (same) visit(type, same.type);
      }
    }
    if (one.kind !== 'object' || other.kind !== 'object') return;
    const { members, types } = compareBranches(one, other);
    for (const both of types) if (both.old && both.now) visit(both.old, both.now);
    for (const both of members) if (both.old && both.now) visit(both.old.type, both.now.type);
  };
  for (const [name, command] of old.commands) {
    const same = now.commands.get(name);
    if (same) visit(command.arguments, same.arguments);
    if (same) visit(command.result, same.result);
  }
  for (const [name, event] of old.events) {
    const same = now.events.get(name);
    if (same) visit(event.data, same.data);
  }
  return names;
}
