/** Finds the parts of a schema that a server's introspection lacks, because of conditions or the server's version. */

import type { SchemaInfo } from '../../generator/src/introspect.js';
import { allMembers, isObjectType, type Command, type Schema, type Type } from '../../generator/src/model.js';

/** Returns the missing commands, members, branches and enum values, without their parts. */
export function lackingParts(schema: Schema, infos: readonly SchemaInfo[]): Set<object> {
  const walk = new Walk(infos);
  for (const definition of schema.definitions.values()) if (definition.kind === 'command') walk.command(definition);
  return walk.lacking;
}

class Walk {
  readonly lacking = new Set<object>();
  readonly #infos: ReadonlyMap<string, SchemaInfo>;
  readonly #seen = new Set<Type>();

  constructor(infos: readonly SchemaInfo[]) {
    this.#infos = new Map(infos.map((info) => [info.name, info]));
  }

  command(command: Command): void {
    const info = this.#infos.get(command.name);
    if (info?.['meta-type'] !== 'command') this.lacking.add(command);
    else if (command.arguments) this.#type(command.arguments, info['arg-type']);
  }

  /** @param name the name of the type in the introspection */
  #type(type: Type, name: string): void {
    const info = this.#infos.get(name);
    if (this.#seen.has(type) || !info) return;
    this.#seen.add(type);
    switch (info['meta-type']) {
      case 'array':
        if (type.kind === 'array') this.#type(type.element, info['element-type']);
        break;
      case 'enum':
        if (type.kind === 'enum')
          this.#compare(
            type.values,
            info.values.map((value) => [value, '']),
          );
        break;
      case 'alternate':
        // Alternatives have no names, and no QEMU has one with a condition.
        if (type.kind !== 'alternate') break;
        for (const [index, one] of type.alternatives.entries()) this.#type(one.type, info.members[index]?.type ?? '');
        break;
      case 'object':
        if (isObjectType(type))
          this.#compare(
            allMembers(type),
            info.members.map((one) => [one.name, one.type]),
          );
        if (type.kind === 'union')
          this.#compare(
            type.branches,
            (info.variants ?? []).map((one) => [one.case, one.type]),
          );
        break;
      default:
    }
  }

  /** @param there the parts that the server has: their names and types */
  #compare(
    parts: readonly { readonly name: string; readonly type?: Type }[],
    there: readonly (readonly [name: string, type: string])[],
  ): void {
    const types = new Map(there);
    for (const part of parts) {
      if (!types.has(part.name)) this.lacking.add(part);
      else if (part.type) this.#type(part.type, types.get(part.name) ?? '');
    }
  }
}
