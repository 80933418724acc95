/** Narrows a schema to one build of QEMU, by removing everything whose condition does not hold. */

import type { Condition, Definition, Feature, Mutable, Schema, Type } from './model.js';

/**
 * Returns a narrowed copy of a schema. A type that is still referenced is kept even if its own condition does not hold.
 * No QEMU could be built with such conditions, but the result is complete.
 */
export function narrow(schema: Schema, holds: (condition: Condition) => boolean): Schema {
  const narrower = new Narrower(holds);
  const all = [...schema.definitions.values()];
  for (const definition of all) if (narrower.keeps(definition)) narrower.copy(definition);
  narrower.narrowCopies();
  const kept = (definitions: readonly Definition[]): Definition[] =>
    definitions.map((definition) => narrower.copied(definition)).filter((copy) => copy !== undefined);
  return {
    ...schema,
    modules: schema.modules.map((module) => ({ ...module, definitions: kept(module.definitions) })),
    definitions: new Map(kept(all).map((definition) => [definition.name, definition])),
  };
}

class Narrower {
  readonly #holds: (condition: Condition) => boolean;
  readonly #copies = new Map<Definition, Mutable<Definition>>();

  constructor(holds: (condition: Condition) => boolean) {
    this.#holds = holds;
  }

  readonly keeps = ({ condition }: { readonly condition?: Condition }): boolean => !condition || this.#holds(condition);

  copied(definition: Definition): Definition | undefined {
    return this.#copies.get(definition);
  }

  /** Narrows all copies, and copies what they refer to. */
  narrowCopies(): void {
    // The loop also visits copies that it adds to the map.
    for (const copy of this.#copies.values()) this.#narrowParts(copy);
  }

  /** Returns the copy of a definition, which is not necessarily narrowed yet. */
  copy<T extends Definition>(definition: T): T {
    const known = this.#copies.get(definition);
    if (known) return known as T;
    const copy: Mutable<Definition> = { ...definition, features: this.#features(definition.features) };
    this.#copies.set(definition, copy);
    return copy as T;
  }

  #narrowParts(copy: Mutable<Definition>): void {
    switch (copy.kind) {
      case 'enum':
        copy.values = this.#parts(copy.values);
        break;
      case 'struct':
        copy.members = this.#typed(copy.members);
        if (copy.base) copy.base = this.copy(copy.base);
        break;
      case 'union': {
        const values = new Set(this.#parts(copy.discriminator.type.values).map(({ name }) => name));
        copy.base = this.copy(copy.base);
        copy.discriminator = { ...copy.discriminator, type: this.copy(copy.discriminator.type) };
        copy.branches = copy.branches
          .filter((branch) => this.keeps(branch) && values.has(branch.name))
          .map((branch) => (branch.type ? { ...branch, type: this.copy(branch.type) } : branch));
        break;
      }
      case 'alternate':
        copy.alternatives = this.#typed(copy.alternatives);
        break;
      case 'command':
        if (copy.arguments) copy.arguments = this.copy(copy.arguments);
        if (copy.returns) copy.returns = this.#type(copy.returns);
        break;
      case 'event':
        if (copy.data) copy.data = this.copy(copy.data);
        break;
    }
  }

  #typed<T extends { readonly type: Type; readonly condition?: Condition; readonly features?: readonly Feature[] }>(
    things: readonly T[],
  ): T[] {
    return this.#parts(things).map((thing) => ({ ...thing, type: this.#type(thing.type) }));
  }

  #parts<T extends { readonly condition?: Condition; readonly features?: readonly Feature[] }>(
    things: readonly T[],
  ): T[] {
    return things
      .filter(this.keeps)
      .map((thing) => (thing.features ? { ...thing, features: this.#features(thing.features) } : thing));
  }

  #features(features: readonly Feature[]): Feature[] {
    return features.filter(this.keeps);
  }

  #type<T extends Type>(type: T): T {
    if (type.kind === 'builtin') return type;
    if (type.kind === 'array') return { ...type, element: this.#type(type.element) };
    return this.copy(type as T & Definition);
  }
}
