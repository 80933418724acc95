/** Compares what an introspection shows to what a schema has. */

import { allMembers, type Definition, type Feature, type Schema, type Type } from '../model.js';
import { countUses, formOf, type Pairs } from './pairs.js';

/**
 * Returns whether an introspection shows only what a schema has, too, so that its server may have been built from the schema.
 *
 * @param pairs the partners in the schema of the types in the introspection
 */
export function isCovered(server: Schema, schema: Schema, pairs: Pairs): boolean {
  const types = [...countUses(server).keys()].filter((type) => !('implicit' in type));
  return (
    [...server.definitions.values()].every((one) => isWithin(one, schema.definitions.get(one.name))) &&
    types.every((type) => isWithin(type, pairs.get(type)))
  );
}

function isWithin(one: Definition, other: Definition | undefined): boolean {
  if (!other) return false;
  const facts = new Set(factsOf(other));
  return factsOf(one).every((fact) => facts.has(fact));
}

/** Returns what introspection shows of a definition, apart from the types within the types that it uses. */
function factsOf(definition: Definition): string[] {
  const facts = [definition.kind, ...featuresOf(definition)];
  switch (definition.kind) {
    case 'command':
      if (definition.allowOob) facts.push('oob');
      return [...facts, fact('arguments', definition.arguments), fact('result', definition.returns)];
    case 'event':
      return [...facts, fact('data', definition.data)];
    case 'enum':
      return [...facts, ...definition.values.map((value) => [`value ${value.name}`, ...featuresOf(value)].join(' '))];
    case 'alternate':
      return [...facts, ...definition.alternatives.map(({ type }) => fact('', type))];
    case 'struct':
    case 'union': {
      const members = allMembers(definition).map((member) =>
        [fact(member.name, member.type), member.optional, ...featuresOf(member)].join(' '),
      );
      const branches = definition.kind === 'union' ? definition.branches : [];
      return [...facts, ...members, ...branches.map(({ name, type }) => fact(`branch ${name}`, type))];
    }
  }
}

function featuresOf({ features }: { readonly features: readonly Feature[] }): string[] {
  return features.map(({ name }) => `feature ${name}`);
}

function fact(place: string, type: Type | undefined): string {
  return `${place}: ${type ? formOf(type) : 'nothing'}`;
}
