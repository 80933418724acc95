/** Narrows the schema of a range to some of its versions. */

import type {
  Branch,
  Command,
  Definition,
  Feature,
  Member,
  Mutable,
  NamedType,
  Part,
  Schema,
  StructType,
  Type,
  UnionType,
} from '../model.js';
import { allMembers, commandFlags, isType } from '../model.js';
import { versionAt } from './versions.js';

/**
 * Returns the schema of one version of a range.
 *
 * What the merged schema does not record is that of the newest version: the order of members, documentation, positions, and
 * which members a struct inherits from a base if that differs between versions.
 *
 * @param index the index of the version in `Schema.versions`
 */
export function only(range: Schema, index: number): Schema {
  const { versions: _, ...schema } = range;
  const narrower = new Narrower(versionAt(index));
  const kept = (definitions: readonly Definition[]): Definition[] => {
    return definitions.filter(narrower.has).map((definition) => narrower.definition(definition));
  };
  const definitions = kept([...schema.definitions.values()]);
  const modules = schema.modules.map((module) => ({ ...module, definitions: kept(module.definitions) }));
  narrower.finish();
  return { ...schema, modules, definitions: new Map(definitions.map((definition) => [definition.name, definition])) };
}

class Narrower {
  readonly #version: number;
  readonly #copies = new Map<Definition, Definition>();
  readonly #open = new Set<Mutable<Definition>>();

  constructor(version: number) {
    this.#version = version;
  }

  readonly has = ({ in: versions }: { readonly in?: number }): boolean =>
    versions === undefined || (versions & this.#version) !== 0;

  /** Returns the copy of a definition. `finish` narrows its parts. */
  definition<T extends Definition>(definition: T): T {
    const known = this.#copies.get(definition);
    if (known) return known as T;
    const variant = definition.variants?.find(this.has);
    if (variant) {
      const type = this.#type(variant.type) as T;
      this.#copies.set(definition, type);
      return type;
    }
    const { variants: _, ...facts } = this.#part(definition);
    const copy = facts as unknown as Mutable<Definition>;
    this.#copies.set(definition, copy);
    this.#open.add(copy);
    return copy as T;
  }

  finish(): void {
    // The loop also visits copies that it adds.
    for (const copy of this.#open) {
      if (isType(copy)) this.#narrowType(copy);
      else if (copy.kind === 'command') this.#narrowCommand(copy);
      else if (copy.data) this.#set(copy, 'data', copy.data);
    }
    for (const copy of this.#open) {
      if (copy.kind !== 'union') continue;
      const { name } = copy.discriminator;
      copy.discriminator = allMembers(copy.base).find((member) => member.name === name) as UnionType['discriminator'];
    }
  }

  #narrowType(copy: Mutable<NamedType>): void {
    switch (copy.kind) {
      case 'enum':
        copy.values = this.#parts(copy.values);
        break;
      case 'struct':
        this.#narrowStruct(copy);
        break;
      case 'union':
        this.#narrowUnion(copy);
        break;
      case 'alternate':
        copy.alternatives = this.#parts(copy.alternatives).map((one) => ({ ...one, type: this.#type(one.type) }));
        break;
    }
  }

  #narrowStruct(copy: Mutable<StructType>): void {
    if (copy.base) copy.base = this.definition(copy.base);
    copy.members = this.#parts(copy.members).map((member) => this.#member(member));
  }

  #narrowUnion(copy: Mutable<UnionType>): void {
    copy.base = this.definition(copy.base);
    copy.branches = this.#parts(copy.branches).map((branch): Branch => {
      const { type, ...others } = branch;
      const own = type && this.#typeIn(type);
      return own ? { ...others, type: own } : others;
    });
  }

  #member({ optionalIn, ...member }: Member): Member {
    // A member that is not optional in all versions that have it may be newer than its owner.
    const isOptional = optionalIn === undefined ? member.optional : (optionalIn & this.#version) !== 0;
    return { ...member, optional: isOptional, type: this.#type(member.type) };
  }

  #narrowCommand(copy: Mutable<Command>): void {
    if (copy.arguments) this.#set(copy, 'arguments', copy.arguments);
    if (copy.returns) this.#set(copy, 'returns', copy.returns);
    const { flagsIn = {} } = copy;
    for (const flag of commandFlags) {
      const versions = flagsIn[flag];
      if (versions !== undefined) copy[flag] = (versions & this.#version) !== 0;
    }
    delete copy.flagsIn;
  }

  #set<K extends string, T extends Type>(copy: { [P in K]?: T }, key: K, type: T): void {
    const own = this.#typeIn(type);
    if (own) copy[key] = own;
    else delete copy[key];
  }

  /** Returns the type of a place, or undefined if the version has none there. */
  #typeIn<T extends Type>(type: T): T | undefined {
    const { variants } = type as { readonly variants?: StructType['variants'] };
    return variants && !variants.some(this.has) ? undefined : this.#type(type);
  }

  #type<T extends Type>(type: T): T {
    if (type.kind === 'builtin') return type;
    if (type.kind === 'array') return { ...type, element: this.#type(type.element) };
    return this.definition(type as T & Definition);
  }

  #parts<T extends Part & { readonly features?: readonly Feature[] }>(parts: readonly T[]): T[] {
    return parts.filter(this.has).map((part) => this.#part(part));
  }

  /** Returns a part without what other versions have. */
  #part<T extends Part & { readonly features?: readonly Feature[] }>(part: T): T {
    const { conditions } = part;
    const own = conditions?.find(this.has);
    const copy: Mutable<Part & { features?: readonly Feature[] }> = { ...part };
    delete copy.in;
    delete copy.conditions;
    if (conditions) delete copy.condition;
    if (own?.condition) copy.condition = own.condition;
    if (copy.features) copy.features = this.#parts(copy.features);
    return copy as T;
  }
}
