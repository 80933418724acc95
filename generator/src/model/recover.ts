/**
 * Recovers from an introspection the schema that its server was built from.
 *
 * Introspection masks the names of types and the widths of integers, flattens bases, and omits what clients do not see. All
 * of this is taken from an anchor, the schema of a similar server, where both use types in the same places.
 */

import { createHash } from 'node:crypto';

import { builtins } from '../builtins.js';
import { introspect } from '../introspect.js';
import {
  allMembers,
  isEmpty,
  isObjectType,
  isType,
  type ArrayType,
  type Branch,
  type BuiltinName,
  type BuiltinType,
  type Command,
  type Definition,
  type Event,
  type Implicit,
  type Member,
  type Module,
  type Mutable,
  type NamedType,
  type ObjectType,
  type Schema,
  type StructType,
  type Type,
  type UnionType,
} from '../model.js';
import { optional } from '../optional.js';
import { pascalCase } from '../pascal-case.js';
import { Bases } from './bases.js';
import { isCovered } from './covered.js';
import { countUses, isImplicit, kindOf, pairTypes, type Pairs, type Uses } from './pairs.js';
import { placeNames, type Home, type Owner, type Part } from './place-names.js';

export interface Recovery {
  readonly schema: Schema;
  /** Whether the widths of integers are those of the server. Otherwise, they are borrowed from the anchor. */
  readonly isExact: boolean;
  /** What the anchor does not have. Such types are named after the place where they are used. */
  readonly unknown: ReadonlySet<Definition>;
  /** The number of integers that the anchor does not have, so that their widths are not known at all. */
  readonly unknownIntegers: number;
}

/**
 * Recovers a schema.
 *
 * @param server the introspection
 * @param anchor the schema of a similar server
 * @param isSameVersion whether both have the same major and minor version; undefined if a version is unknown
 */
export function recover(server: Schema, anchor: Schema, isSameVersion?: boolean): Recovery {
  const pairs = pairTypes(server, anchor);
  const isExact = isSameVersion ?? isCovered(server, anchor, pairs);
  return new Recoverer(server, anchor, pairs, isExact).run();
}

/** The module of commands and events that the anchor does not have. */
export const further: Home = { module: 'further', position: { file: 'further', line: 1, column: 1 } };

/** The name of a type, and how it is defined. */
interface Identity extends Home {
  readonly name: string;
  readonly implicit?: Implicit;
}

class Recoverer {
  readonly #server: Schema;
  readonly #anchor: Schema;
  readonly #pairs: Pairs;
  readonly #isExact: boolean;
  readonly #uses: Uses;
  readonly #bases: Bases;
  /** The types of the introspection by their partners. */
  readonly #partners: ReadonlyMap<NamedType, NamedType>;
  readonly #identities = new Map<NamedType, Identity>();
  readonly #types = new Map<NamedType, Mutable<NamedType>>();
  /** The recovered definitions, by those of the anchor. */
  readonly #known = new Map<Definition, Definition>();
  readonly #unknown = new Set<Definition>();
  readonly #builtins = new Map<string, BuiltinType>();
  readonly #arrays = new Map<Type, ArrayType>();
  #unknownIntegers = 0;

  constructor(server: Schema, anchor: Schema, pairs: Pairs, isExact: boolean) {
    this.#server = server;
    this.#anchor = anchor;
    this.#pairs = pairs;
    this.#isExact = isExact;
    this.#uses = countUses(server);
    this.#bases = new Bases(pairs);
    this.#partners = new Map([...pairs].map(([type, partner]) => [partner, type]));
  }

  run(): Recovery {
    // Among the types of an introspection, only bases are implicit.
    const types = [...this.#uses.keys()].filter((type) => !isImplicit(type));
    this.#identify(types);
    for (const type of types) this.#declare(type);
    for (const type of types) this.#fill(type);
    for (const definition of this.#entryPoints()) this.#defineEntryPoint(definition);
    return {
      schema: this.#schema(),
      isExact: this.#isExact,
      unknown: this.#unknown,
      unknownIntegers: this.#unknownIntegers,
    };
  }

  #entryPoints(): (Command | Event)[] {
    return [...this.#server.definitions.values()].filter((definition) => !isType(definition));
  }

  // First step: find names.

  #identify(types: readonly NamedType[]): void {
    const users = usersOf([...this.#entryPoints(), ...types]);
    const owners = usersOf(this.#anchor.definitions.values());
    for (const type of types) {
      const partner = this.#pairs.get(type);
      const user = this.#uses.get(type) === 1 ? users.get(type) : undefined;
      if (partner && (!isImplicit(partner) || this.#isSameUser(user, owners.get(partner)))) {
        const { name, module, position, implicit } = partner as StructType;
        this.#setIdentity(type, { name, module, position, ...optional('implicit', implicit) });
      } else if (user && !isType(user)) {
        this.#setIdentity(type, { name: user.name, ...this.#homeOf(user), implicit: 'arguments' });
      }
    }
    const names = placeNames({
      entryPoints: this.#entryPoints().map((definition) => ({
        title: pascalCase(definition.name),
        home: this.#homeOf(definition),
        parts: partsOfEntryPoint(definition),
      })),
      named: this.#namedOwners(),
      isNamed: (type) => this.#identities.has(type),
      partsOf: (type) => this.#partsOf(type),
      taken: this.#takenNames(),
    });
    for (const [type, { name, home }] of names) this.#identities.set(type, { name, ...home });
  }

  /** Sets the identity of a type, unless the type cannot be implicit. */
  #setIdentity(type: NamedType, identity: Identity): void {
    const { implicit } = identity;
    const isEnum = implicit === 'discriminator' || implicit === 'predefined';
    const isPlain = type.kind === (isEnum ? 'enum' : 'struct') && type.features.length === 0;
    const isEmptyStruct = type.kind === 'struct' && isEmpty(type);
    if (implicit === undefined || (isPlain && !isEmptyStruct)) this.#identities.set(type, identity);
  }

  #isSameUser(user: Definition | undefined, owner: Definition | undefined): boolean {
    if (!user || !owner) return false;
    return isType(user) ? this.#pairs.get(user) === owner : this.#anchorOf(user) === owner;
  }

  /** Returns the types that have names, and the bases that have names of the anchor. */
  #namedOwners(): Owner[] {
    const owners = new Map<StructType | NamedType, Owner>();
    const addBase = (base: StructType | undefined): void => {
      if (!base || owners.has(base) || this.#partners.has(base)) return;
      const { name, module, position } = base;
      const inner = this.#bases.baseOf('struct', this.#bases.members(base), base);
      const parts = this.#ownMembers(this.#bases.members(base), inner).map(toPart);
      owners.set(base, { title: name, home: { module, position }, parts });
      addBase(inner);
    };
    for (const [type, identity] of this.#identities) {
      const { module, position } = identity;
      owners.set(type, { title: this.#titleOf(identity), home: { module, position }, parts: this.#partsOf(type) });
      addBase(this.#baseOf(type));
    }
    return [...owners.values()];
  }

  #titleOf({ name, implicit }: Identity): string {
    if (implicit !== 'arguments') return name;
    const isEvent = this.#server.definitions.get(name)?.kind === 'event';
    return `${pascalCase(name)}${isEvent ? 'Event' : 'Arguments'}`;
  }

  /** Returns the names of the anchor's types, used or not, and those of implicit types. */
  #takenNames(): Set<string> {
    const taken = new Set([...this.#identities.values()].map((identity) => this.#titleOf(identity)));
    for (const definition of this.#anchor.definitions.values()) {
      if (isType(definition)) taken.add(definition.name);
      if (definition.kind === 'union' && definition.base.implicit) taken.add(`${definition.name}Base`);
    }
    return taken;
  }

  /** Returns the types that a type uses itself, without those of its base. */
  #partsOf(type: NamedType): Part[] {
    switch (type.kind) {
      case 'enum':
        return [];
      case 'alternate':
        return type.alternatives.map((alternative) => [kindOf(alternative.type), alternative.type]);
      case 'struct':
      case 'union': {
        const members = this.#ownMembers(allMembers(type), this.#baseOf(type)).map(toPart);
        const branches = type.kind === 'union' ? type.branches : [];
        return [...members, ...branches.flatMap(toBranchPart)];
      }
    }
  }

  #homeOf(definition: Command | Event): Home {
    const { module, position } = this.#anchorOf(definition) ?? further;
    return { module, position };
  }

  #anchorOf<D extends Command | Event>({ kind, name }: D): D | undefined {
    const definition = this.#anchor.definitions.get(name);
    return definition?.kind === kind ? (definition as D) : undefined;
  }

  /** Returns the anchor's base that an object of the introspection still has. */
  #baseOf(type: NamedType): StructType | undefined {
    const partner = this.#pairs.get(type);
    if (!isObjectType(type) || !partner || !isObjectType(partner)) return undefined;
    return this.#bases.baseOf(type.kind, allMembers(type), partner);
  }

  #ownMembers(members: readonly Member[], base: StructType | undefined): readonly Member[] {
    return base ? members.slice(this.#bases.members(base).length) : members;
  }

  // Second step: create all types.

  #declare(type: NamedType): void {
    const { kind, features } = type;
    const partner = this.#pairs.get(type);
    const { name, module, position, implicit } = this.#identities.get(type) ?? { name: type.name, ...further };
    const isKnown = partner !== undefined && partner.name === name;
    const common = { name, module, position, features, ...optional('doc', isKnown ? partner.doc : undefined) };
    const ownImplicit = optional('implicit', implicit);
    const made = ((): Mutable<NamedType> => {
      switch (kind) {
        case 'enum':
          return { kind, ...common, values: type.values, ...ownImplicit };
        case 'struct':
          return { kind, ...common, members: [], ...ownImplicit };
        case 'union':
          return { kind, ...common, base: type.base, discriminator: type.discriminator, branches: [] };
        case 'alternate':
          return { kind, ...common, alternatives: [] };
      }
    })();
    this.#types.set(type, made);
    if (implicit !== undefined) return;
    if (isKnown) this.#known.set(partner, made);
    else this.#unknown.add(made);
  }

  // Third step: add the references to other types.

  #fill(type: NamedType): void {
    const made = this.#types.get(type);
    const partner = this.#pairs.get(type);
    if (type.kind === 'alternate' && made?.kind === 'alternate') {
      const known = new Map(
        partner?.kind === 'alternate' ? partner.alternatives.map((one) => [kindOf(one.type), one]) : [],
      );
      made.alternatives = type.alternatives.map(({ name, type: inner }) => {
        const anchor = known.get(kindOf(inner));
        return {
          name: anchor?.name ?? name,
          type: this.#type(inner, anchor?.type) as Exclude<Type, { kind: 'alternate' }>,
        };
      });
    }
    if (!isObjectType(type) || !made || !isObjectType(made)) return;
    const base = this.#baseOf(type);
    const known = partner && isObjectType(partner) ? allMembers(partner) : [];
    const own = this.#members(this.#ownMembers(allMembers(type), base), known);
    if (type.kind === 'union' && made.kind === 'union') this.#fillUnion(type, made, base && this.#base(base), own);
    if (made.kind !== 'struct') return;
    made.members = own;
    if (base) made.base = this.#base(base);
  }

  #fillUnion(
    type: UnionType,
    made: Mutable<UnionType>,
    base: StructType | undefined,
    members: readonly Member[],
  ): void {
    const { name, module, position } = made;
    made.base = base ?? { kind: 'struct', name, module, position, features: [], members, implicit: 'base' };
    const { discriminator } = type;
    const member = allMembers(made.base).find((one) => one.name === discriminator.name);
    const tags = this.#types.get(discriminator.type);
    if (member && tags?.kind === 'enum') made.discriminator = { ...member, type: tags };
    made.branches = type.branches.map((branch) => ({
      name: branch.name,
      ...optional('type', branch.type && (this.#types.get(branch.type) as ObjectType)),
    }));
  }

  /** Returns the recovered base for a base of the anchor. */
  #base(base: StructType): StructType {
    const type = this.#partners.get(base);
    const used = type && this.#types.get(type);
    if (used) return used as StructType;
    const known = this.#known.get(base);
    if (known) return known as StructType;
    const { kind, name, module, position, features, doc } = base;
    const members = this.#bases.members(base);
    const inner = this.#bases.baseOf('struct', members, base);
    const made: StructType = {
      ...{ kind, name, module, position, features: features.map((feature) => ({ name: feature.name })) },
      ...optional('doc', doc),
      ...optional('base', inner && this.#base(inner)),
      members: this.#members(this.#ownMembers(members, inner), allMembers(base)),
    };
    this.#known.set(base, made);
    return made;
  }

  /** @param known the anchor's members */
  #members(members: readonly Member[], known: readonly Member[]): Member[] {
    const types = new Map(known.map(({ name, type }) => [name, type]));
    return members.map((member) => ({ ...member, type: this.#type(member.type, types.get(member.name)) }));
  }

  /** @param anchor the type that the anchor has in the same place */
  #type(type: Type, anchor: Type | undefined): Type {
    switch (type.kind) {
      case 'builtin': {
        if (type.name !== 'int') return this.#builtin(type.name, false);
        const isKnown = anchor?.kind === 'builtin' && builtins[anchor.name].jsonType === 'int';
        if (!isKnown) this.#unknownIntegers += 1;
        return isKnown ? this.#builtin(anchor.name, !this.#isExact) : this.#builtin('int', true);
      }
      case 'array': {
        const element = this.#type(type.element, anchor?.kind === 'array' ? anchor.element : undefined);
        const array = this.#arrays.get(element) ?? { kind: 'array', element: element as ArrayType['element'] };
        this.#arrays.set(element, array);
        return array;
      }
      default:
        return this.#types.get(type) ?? type;
    }
  }

  #builtin(name: BuiltinName, borrowed: boolean): BuiltinType {
    const key = `${name} ${borrowed}`;
    const builtin = this.#builtins.get(key) ?? { kind: 'builtin', name, ...(borrowed && { borrowed }) };
    this.#builtins.set(key, builtin);
    return builtin;
  }

  #defineEntryPoint(definition: Command | Event): void {
    const anchor = this.#anchorOf(definition);
    const { name, features } = definition;
    const common = { name, ...this.#homeOf(definition), features, ...optional('doc', anchor?.doc) };
    const made: Command | Event =
      definition.kind === 'event'
        ? {
            ...{ kind: 'event', ...common, boxed: anchor?.kind === 'event' && anchor.boxed },
            ...optional('data', definition.data && (this.#type(definition.data, undefined) as ObjectType)),
          }
        : this.#command(definition, anchor?.kind === 'command' ? anchor : undefined, common);
    if (anchor) this.#known.set(anchor, made);
    else this.#unknown.add(made);
  }

  #command(
    { arguments: data, returns, allowOob }: Command,
    anchor: Command | undefined,
    common: Omit<Definition, 'kind'>,
  ): Command {
    return {
      kind: 'command',
      ...common,
      ...optional('arguments', data && (this.#type(data, undefined) as ObjectType)),
      ...optional('returns', returns && this.#type(returns, anchor?.returns)),
      boxed: anchor?.boxed ?? false,
      gen: anchor?.gen ?? true,
      successResponse: anchor?.successResponse ?? true,
      allowOob,
      allowPreconfig: anchor?.allowPreconfig ?? false,
      coroutine: anchor?.coroutine ?? false,
    };
  }

  /** Returns the schema: what the anchor has in its order, then the rest by name. */
  #schema(): Schema {
    const recovered = (definitions: Iterable<Definition>): Definition[] =>
      [...definitions].flatMap((definition) => this.#known.get(definition) ?? []);
    const rest = [...this.#unknown].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const modules = this.#anchor.modules.map((module): Module => {
      const { file } = module.definitions[0]?.position ?? {};
      const own = rest.filter(({ position }) => position.file === file);
      return { ...module, definitions: [...recovered(module.definitions), ...own] };
    });
    const others = rest.filter(({ position }) => position.file === further.position.file);
    const own: Module = { name: further.module, path: further.position.file, definitions: others };
    const schema: Schema = {
      modules: [...modules, own].filter(({ definitions }) => definitions.length > 0),
      digest: '',
      definitions: new Map(
        [...recovered(this.#anchor.definitions.values()), ...rest].map((definition) => [definition.name, definition]),
      ),
    };
    const facts = [introspect(schema, () => true), this.#anchor.digest, this.#isExact];
    return { ...schema, digest: createHash('sha256').update(JSON.stringify(facts)).digest('hex') };
  }
}

/** Returns the commands, events and unions that use types as arguments, data, branches and discriminators. */
function usersOf(definitions: Iterable<Definition>): Map<NamedType, Definition> {
  const users = new Map<NamedType, Definition>();
  for (const definition of definitions) {
    if (definition.kind === 'command' && definition.arguments) users.set(definition.arguments, definition);
    if (definition.kind === 'event' && definition.data) users.set(definition.data, definition);
    if (definition.kind !== 'union') continue;
    users.set(definition.discriminator.type, definition);
    for (const { type } of definition.branches) if (type) users.set(type, definition);
  }
  return users;
}

function partsOfEntryPoint(definition: Command | Event): Part[] {
  const parts: [string, Type | undefined][] =
    definition.kind === 'event'
      ? [['event', definition.data]]
      : [
          ['arguments', definition.arguments],
          ['result', definition.returns],
        ];
  return parts.flatMap(([name, type]): Part[] => (type ? [[name, type]] : []));
}

function toPart({ name, type }: Member): Part {
  return [name, type];
}

function toBranchPart({ name, type }: Branch): Part[] {
  if (!type) return [];
  // In QEMU, `{ type, data }` is a union of such wrappers, and the name without the suffix is that of the data.
  const isWrapper = type.kind === 'struct' && type.members.length === 1 && type.members[0]?.name === 'data';
  return [[isWrapper ? `${name}-wrapper` : name, type]];
}
