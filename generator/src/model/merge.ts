/**
 * Merges the schemas of several versions into one, whose parts know the versions that have them. `only` is the inverse.
 * CONTRIBUTING.md has the rules.
 *
 * The types that correspond to each other form a group: those of the same name, and those that were renamed, which
 * `pairTypes` finds. A group never contains two types of one version.
 */

import { createHash } from 'node:crypto';

import {
  allMembers,
  commandFlags,
  isType,
  type AlternateType,
  type Alternative,
  type Branch,
  type Command,
  type CommandFlag,
  type Definition,
  type EnumType,
  type Event,
  type Member,
  type Module,
  type Mutable,
  type NamedType,
  type ObjectType,
  type Schema,
  type StructType,
  type Type,
  type UnionType,
  type Variant,
} from '../model.js';
import { optional } from '../optional.js';
import {
  combine,
  combineConditions,
  combineDocs,
  combineFeatures,
  combineValues,
  inOrder,
  Joiner,
  rangedIn,
  unionOf,
  type Entries,
  type Entry,
} from './join.js';
import { isImplicit, kindOf, pairTypes } from './pairs.js';
import { allVersions, indicesOf, versionAt, type Versions } from './versions.js';

/** The schema of one version. */
export interface Versioned {
  readonly version: string;
  readonly schema: Schema;
}

/**
 * Merges schemas.
 *
 * @param versioned the schemas, oldest first. They are not ranges themselves
 * @throws UsageError if there are too many
 */
export function merge(versioned: readonly Versioned[]): Schema {
  return new Merger(versioned).run();
}

/** Types that correspond to each other, by the index of their version. */
class Group {
  readonly types: (NamedType | undefined)[];

  constructor(count: number) {
    this.types = Array.from({ length: count });
  }

  keys(): string[] {
    return this.types.flatMap((type) => (type ? [keyOf(type)] : []));
  }

  /** Returns the types of some versions, the newest first. */
  entries(versions: Versions): Entry<NamedType>[] {
    const indices = indicesOf(versions).toReversed();
    return indices.flatMap((index) => {
      const part = this.types[index];
      return part ? [{ part, in: versionAt(index) }] : [];
    });
  }
}

type Facts = Pick<Command, 'doc' | 'features' | 'in' | 'condition' | 'conditions'>;

class Merger {
  readonly #schemas: readonly Schema[];
  readonly #versions: readonly string[];
  readonly #all: Versions;
  readonly #groups: Group[] = [];
  readonly #groupOf = new Map<NamedType, Group>();
  readonly #merged = new Map<Group, Mutable<NamedType>>();
  readonly #joiner = new Joiner();

  constructor(versioned: readonly Versioned[]) {
    this.#schemas = versioned.map(({ schema }) => schema);
    this.#versions = versioned.map(({ version }) => version);
    this.#all = allVersions(versioned.length);
  }

  run(): Schema {
    this.#group();
    for (const group of this.#groups) this.#merged.set(group, shellOf(group.entries(this.#all)));
    for (const group of this.#groups) this.#fillGroup(group);
    const entryPoints = this.#entryPoints();
    this.#joiner.finish();
    return this.#assemble(entryPoints);
  }

  // Grouping

  #group(): void {
    const last = this.#schemas.length - 1;
    for (let index = last; index >= 0; index -= 1) {
      const schema = this.#schemas[index] as Schema;
      const newer = this.#schemas[index + 1];
      const pairs = newer ? pairTypes(schema, newer, { byName: true }) : undefined;
      const types = typesOf(schema);
      const [unread, unreadNewer] = [unreadIn(schema), unreadIn(newer)];
      for (const type of types) {
        const partner = pairs?.get(type);
        const isSame = partner && (!unread.has(type) || unreadNewer.has(partner));
        const group = isSame ? this.#groupOf.get(partner) : undefined;
        if (group) this.#assign(type, index, group);
      }
      // A type that was removed and added again, or whose kind changed.
      const byName = new Map(this.#groups.flatMap((group) => group.keys().map((key) => [key, group] as const)));
      for (const type of types) {
        if (this.#groupOf.has(type)) continue;
        const group = isPartOfUnion(type) ? undefined : byName.get(keyOf(type));
        this.#assign(type, index, group && !group.types[index] ? group : this.#newGroup());
      }
    }
  }

  #newGroup(): Group {
    const group = new Group(this.#schemas.length);
    this.#groups.push(group);
    return group;
  }

  #assign(type: NamedType, index: number, group: Group): void {
    group.types[index] = type;
    this.#groupOf.set(type, group);
  }

  // Types

  #type<T extends Type>(type: T): T {
    if (type.kind === 'builtin') return type;
    if (type.kind === 'array') return { ...type, element: this.#type(type.element) };
    const group = this.#groupOf.get(type);
    return this.#merged.get(group as Group) as Type as T;
  }

  #fillGroup(group: Group): void {
    const merged = this.#merged.get(group) as Mutable<NamedType>;
    const entries = group.entries(this.#all);
    Object.assign(merged, this.#facts(entries, this.#all));
    const byKind = kindsOf(entries);
    if (byKind.length === 1) {
      this.#fill(merged, entries, unionOf(entries));
      return;
    }
    merged.variants = byKind.map((some): Variant => {
      const type = shellOf(some);
      Object.assign(type, this.#facts(some, unionOf(some)));
      this.#fill(type, some, unionOf(some));
      return { type, in: unionOf(some) };
    });
    this.#joiner.add(merged, unionOf(entries));
  }

  /** Sets the parts of a type that is of the same kind in all versions. */
  #fill(merged: Mutable<NamedType>, entries: readonly Entry<NamedType>[], all: Versions): void {
    switch (merged.kind) {
      case 'enum': {
        const types = entries as readonly Entry<EnumType>[];
        merged.values = combineValues(
          types.map(({ part, in: versions }) => ({ parts: part.values, in: versions })),
          all,
        );
        break;
      }
      case 'struct':
        this.#fillStruct(merged, entries as readonly Entry<StructType>[], all);
        break;
      case 'union':
        this.#fillUnion(merged, entries as readonly Entry<UnionType>[], all);
        break;
      case 'alternate':
        merged.alternatives = this.#alternatives(merged, entries as readonly Entry<AlternateType>[], all);
        break;
    }
  }

  #fillStruct(merged: Mutable<StructType>, entries: readonly Entry<StructType>[], all: Versions): void {
    const base = this.#commonBase(entries);
    const inherited = new Set(
      base && entries.flatMap(({ part }) => allMembers(part.base as StructType)).map(({ name }) => name),
    );
    const isClash = entries.some(({ part }) => part.members.some(({ name }) => inherited.has(name)));
    const isKept = base !== undefined && !isClash;
    delete merged.base;
    if (isKept) merged.base = base;
    const membersOf = isKept ? (type: StructType) => type.members : allMembers;
    merged.members = this.#members(
      merged,
      entries.map(({ part, in: own }) => ({ part: membersOf(part), in: own })),
      all,
    );
    if (!isKept) {
      const docs = entries.flatMap(({ part }) => lineage(part)).map(({ doc }) => doc);
      const doc = combineDocs([merged.doc, ...docs]);
      if (doc) merged.doc = doc;
    }
  }

  /** Returns the base, if it is the same in all versions. */
  #commonBase(entries: readonly Entry<StructType>[]): StructType | undefined {
    const groups = new Set(entries.map(({ part }) => part.base && this.#groupOf.get(part.base)));
    const [group] = groups;
    const merged = groups.size === 1 && group ? this.#merged.get(group) : undefined;
    const isPure = group !== undefined && kindsOf(group.entries(this.#all)).length === 1;
    return isPure && merged?.kind === 'struct' ? merged : undefined;
  }

  #members(owner: NamedType, entries: readonly Entry<readonly Member[]>[], all: Versions): Member[] {
    const contributions = entries.map(({ part, in: versions }) => ({
      parts: part.map((member) => ({ ...member, type: this.#type(member.type) })),
      in: versions,
    }));
    return this.#joiner.members(contributions, all, owner);
  }

  #fillUnion(merged: Mutable<UnionType>, entries: readonly Entry<UnionType>[], all: Versions): void {
    const bases = entries.map(({ part, in: versions }) => ({ part: part.base, in: versions }));
    merged.base = this.#unionBase(merged, bases, all);
    const { name } = (entries[0] as Entry<UnionType>).part.discriminator;
    const tags = entries.map(({ part, in: own }) => ({
      parts: [{ ...part.discriminator, type: this.#type(part.discriminator.type) }],
      in: own,
    }));
    merged.discriminator = this.#joiner
      .members(tags, all, merged)
      .find((member) => member.name === name) as UnionType['discriminator'];
    const branches = entries.map(({ part, in: versions }) => ({ parts: part.branches, in: versions }));
    merged.branches = combine<Branch>(branches, all, (some) => {
      const placed = some.flatMap(({ part, in: own }) => (part.type ? [{ type: this.#type(part.type), in: own }] : []));
      const type = this.#joiner.join(placed, unionOf(some), merged) as ObjectType | undefined;
      return { name: some[0].part.name, ...optional('type', type) };
    });
  }

  #unionBase(union: UnionType, bases: readonly Entry<StructType>[], all: Versions): StructType {
    const [first, ...others] = new Set(bases.map(({ part }) => this.#groupOf.get(part)));
    const merged = first && others.length === 0 ? this.#merged.get(first) : undefined;
    if (merged?.kind === 'struct' && !merged.variants) return merged;
    const { name, module, position } = union;
    const base: Mutable<StructType> = {
      kind: 'struct',
      name,
      module,
      position,
      features: [],
      members: [],
      implicit: 'base',
    };
    base.members = this.#members(
      base,
      bases.map(({ part, in: own }) => ({ part: allMembers(part), in: own })),
      all,
    );
    return base;
  }

  /** Alternatives correspond if their values are of the same JSON kind. */
  #alternatives(owner: NamedType, entries: readonly Entry<AlternateType>[], all: Versions): Alternative[] {
    const contributions = entries.map(({ part, in: versions }) => ({
      parts: part.alternatives.map((alternative) => ({
        ...alternative,
        name: kindOf(alternative.type),
        own: alternative.name,
      })),
      in: versions,
    }));
    return combine(contributions, all, (some) => {
      const placed = some.map(({ part, in: own }) => ({ type: this.#type(part.type), in: own }));
      const type = this.#joiner.join(placed, unionOf(some), owner) as Alternative['type'];
      return { name: some[0].part.name, own: some[0].part.own, type };
    }).map(({ own, ...alternative }) => ({ ...alternative, name: own }));
  }

  // Commands and events

  #entryPoints(): Map<Definition, Mutable<Command | Event>> {
    const byKey = new Map<string, Entry<Command | Event>[]>();
    for (const [index, { definitions }] of this.#schemas.entries()) {
      for (const definition of definitions.values()) {
        if (isType(definition)) continue;
        const key = `${definition.kind} ${definition.name}`;
        byKey.set(key, [{ part: definition, in: versionAt(index) }, ...(byKey.get(key) ?? [])]);
      }
    }
    const merged = new Map<Definition, Mutable<Command | Event>>();
    for (const entries of byKey.values()) {
      const one = this.#entryPoint(entries as Entry<Command | Event>[] & Entries<Command | Event>);
      for (const { part } of entries) merged.set(part, one);
    }
    return merged;
  }

  #entryPoint(entries: Entries<Command | Event>): Mutable<Command | Event> {
    const all = unionOf(entries);
    const [{ part: newest }] = entries;
    const merged: Mutable<Command | Event> = { ...newest, ...this.#facts(entries, this.#all) };
    const place = (typeOf: (part: Command | Event) => Type | undefined): Type | undefined => {
      const placed = entries.flatMap(({ part, in: own }) => {
        const type = typeOf(part);
        return type ? [{ type: this.#type(type), in: own }] : [];
      });
      return this.#joiner.join(placed, all, newest);
    };
    const contents = asArguments(
      place((part) => (part.kind === 'command' ? part.arguments : part.data)) as ObjectType | undefined,
      newest,
    );
    if (merged.kind === 'event') {
      delete merged.data;
      return Object.assign(merged, optional('data', contents));
    }
    delete merged.arguments;
    delete merged.returns;
    const returns = place((part) => (part.kind === 'command' ? part.returns : undefined));
    return Object.assign(
      merged,
      optional('arguments', contents),
      optional('returns', returns),
      flagsOf(entries as Entries<Command>),
    );
  }

  // The schema

  /** Returns what all definitions have, from those that become one. */
  #facts(entries: readonly Entry<Definition>[], all: Versions): Facts {
    const docs = optional('doc', combineDocs(entries.map(({ part }) => part.doc)));
    return { ...docs, features: combineFeatures(entries), ...combineConditions(entries), ...rangedIn(entries, all) };
  }

  #assemble(entryPoints: ReadonlyMap<Definition, Mutable<Command | Event>>): Schema {
    const mergedOf = (definition: Definition): Definition =>
      isType(definition) ? this.#type(definition) : (entryPoints.get(definition) as Definition);
    const newestFirst = this.#schemas.toReversed();
    const definitions = inOrder(newestFirst.map((schema) => [...schema.definitions.values()].map(mergedOf)));
    const modules = inOrder(newestFirst.map((schema) => schema.modules.map(({ path }) => path))).map((path): Module => {
      const versions = newestFirst.flatMap((schema) => schema.modules.filter((module) => module.path === path));
      const lists = versions.map((module) => module.definitions.map(mergedOf));
      return { ...(versions[0] as Module), definitions: inOrder(lists) };
    });
    this.#placeOnce(modules, mergedOf);
    rename(definitions);
    return {
      modules,
      digest: digestOf(this.#schemas),
      definitions: new Map(definitions.filter((one) => !isImplicit(one)).map((one) => [one.name, one])),
      versions: this.#versions,
    };
  }

  /** Removes each definition from all modules but that of its newest version. */
  #placeOnce(modules: readonly Mutable<Module>[], mergedOf: (definition: Definition) => Definition): void {
    const home = new Map<Definition, string>();
    for (const schema of this.#schemas) {
      for (const { path, definitions } of schema.modules) {
        for (const definition of definitions) home.set(mergedOf(definition), path);
      }
    }
    for (const module of modules) {
      module.definitions = module.definitions.filter((one) => !isImplicit(one) && home.get(one) === module.path);
    }
  }
}

/**
 * Gives distinct names to types that have the same name in different versions without corresponding to each other. Types
 * have no wire name.
 */
function rename(definitions: readonly Mutable<Definition>[]): void {
  const taken = new Set(definitions.filter((one) => !isType(one)).map(({ name }) => name));
  for (const type of definitions.filter(isType)) {
    let { name } = type;
    while (taken.has(name)) name += '_older';
    taken.add(name);
    if (name !== type.name)
      for (const form of [type, ...(type.variants ?? []).map((one) => one.type)]) setName(form, name);
  }
}

/** Renames a type, and the implicit types that are named after it. */
function setName(type: Mutable<Type>, name: string): void {
  if (type.kind === 'builtin' || type.kind === 'array') return;
  type.name = name;
  if (type.kind !== 'union') return;
  if (type.base.implicit) setName(type.base, name);
  if (type.discriminator.type.implicit) setName(type.discriminator.type, `${name}Kind`);
}

/**
 * Returns the implicit types of arguments that no generated code reads. They say so little that they are not versions of the
 * types that replaced them.
 */
function unreadIn(schema: Schema | undefined): Set<Type | undefined> {
  const commands = [...(schema?.definitions.values() ?? [])].filter((definition) => definition.kind === 'command');
  const types = commands.filter(({ gen }) => !gen).map((command) => command.arguments);
  return new Set(types.filter((type) => type?.kind === 'struct' && type.implicit));
}

/** Names arguments after their command even if some versions of it have none. */
function asArguments(type: ObjectType | undefined, owner: Definition): ObjectType | undefined {
  const variants = type?.variants ?? [];
  const isTheirs =
    variants.length === 1 && variants.every((one) => 'implicit' in one.type && one.type.implicit === 'arguments');
  // The members follow later.
  return type?.kind === 'struct' && isTheirs ? Object.assign(type, { implicit: 'arguments', name: owner.name }) : type;
}

/** Returns the types of a schema, including implicit ones. */
function typesOf({ definitions }: Schema): Set<NamedType> {
  const types = new Set<NamedType>();
  const add = (type: Type | undefined): void => {
    if (type?.kind === 'array') add(type.element);
    else if (type && type.kind !== 'builtin') types.add(type);
  };
  for (const definition of definitions.values()) {
    if (isType(definition)) types.add(definition);
    else if (definition.kind === 'event') add(definition.data);
    else for (const type of [definition.arguments, definition.returns]) add(type);
  }
  // The loop also visits types that it adds.
  for (const type of types) {
    if (type.kind === 'struct') for (const part of [{ type: type.base }, ...type.members]) add(part.type);
    if (type.kind === 'union')
      for (const part of [{ type: type.base }, type.discriminator, ...type.branches]) add(part.type);
    if (type.kind === 'alternate') for (const part of type.alternatives) add(part.type);
  }
  return types;
}

/** Returns whether a type belongs to a union without discriminator. It corresponds to others only if the union does. */
function isPartOfUnion(type: NamedType): boolean {
  return 'implicit' in type && (type.implicit === 'wrapper' || type.implicit === 'discriminator');
}

/** Returns the name by which types of different versions correspond if they are of compatible kinds. */
function keyOf(type: NamedType): string {
  const implicit = 'implicit' in type ? type.implicit : undefined;
  const kind = type.kind === 'struct' || type.kind === 'union' ? 'object' : type.kind;
  return `${implicit === 'arguments' || implicit === 'base' ? implicit : kind} ${type.name}`;
}

/** Groups types by their kinds, and unions also by their discriminators. The newest kind comes first. */
function kindsOf(entries: readonly Entry<NamedType>[]): (readonly Entry<NamedType>[])[] {
  const byKind = new Map<string, Entry<NamedType>[]>();
  for (const entry of entries) {
    const { part } = entry;
    const kind = part.kind === 'union' ? `union ${part.discriminator.name}` : part.kind;
    byKind.set(kind, [...(byKind.get(kind) ?? []), entry]);
  }
  return [...byKind.values()];
}

/** Returns a type without its parts. Its name is the newest that it has, if it has one. */
function shellOf(entries: readonly Entry<NamedType>[]): Mutable<NamedType> {
  const [newest] = entries.map(({ part }) => part);
  const named = entries.map(({ part }) => part).find((type) => !('implicit' in type)) ?? newest;
  if (!newest || !named) throw new Error('a type without versions');
  const { name, module, position } = named;
  const shell: Mutable<NamedType> = { ...newest, name, module, position };
  if ('implicit' in shell && !('implicit' in named)) delete shell.implicit;
  if (kindsOf(entries).length === 1) return shell;
  return { kind: 'struct', name, module, position, features: [], members: [] };
}

/** Returns a struct's bases, the nearest first. */
function lineage({ base }: StructType): StructType[] {
  return base ? [base, ...lineage(base)] : [];
}

/** Flags that a command of a range has if any version has them. The others are those of the newest. */
const permissive: ReadonlySet<CommandFlag> = new Set(['allowOob', 'allowPreconfig']);

function flagsOf(entries: Entries<Command>): Partial<Command> {
  const all = unionOf(entries);
  const flags: Partial<Record<CommandFlag, boolean>> = {};
  const flagsIn: Partial<Record<CommandFlag, Versions>> = {};
  for (const flag of commandFlags) {
    const versions = unionOf(entries.filter(({ part }) => part[flag]));
    // Waiting for a reply that some version does not send could take forever.
    const isNeeded = flag === 'successResponse' ? versions === all : entries[0].part[flag];
    flags[flag] = permissive.has(flag) ? versions !== 0 : isNeeded;
    if (versions !== 0 && versions !== all) flagsIn[flag] = versions;
  }
  return { ...flags, ...(Object.keys(flagsIn).length > 0 && { flagsIn }) };
}

/** Returns a digest that schemas determine, in this order. */
function digestOf(schemas: readonly Schema[]): string {
  const hash = createHash('sha256');
  for (const { digest } of schemas) hash.update(`${digest}\n`);
  return hash.digest('hex');
}
