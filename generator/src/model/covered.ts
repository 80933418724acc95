/** Compares what an introspection shows to what a schema has. */

import { allMembers, isObjectType, isType, type Definition, type Feature, type Schema, type Type } from '../model.js';
import { countUses, formOf, namedIn, type Pairs } from './pairs.js';

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
  return factsOf(one).every((own) => facts.has(own));
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

/**
 * Returns the number of commands and events, and of members of their arguments, results and data, that only a server or only
 * a schema has. What the schema has under a condition may be missing.
 */
export function lackingIn(server: Schema, schema: Schema): number {
  const [own, others] = [visibleFacts(server), visibleFacts(schema)];
  const added = [...own.keys()].filter((one) => !others.has(one)).length;
  const missing = [...others].filter(([one, isConditional]) => !isConditional && !own.has(one)).length;
  return added + missing;
}

/** Returns the facts, each with whether it has a condition. */
function visibleFacts({ definitions }: Schema): Map<string, boolean> {
  const facts = new Map<string, boolean>();
  for (const definition of definitions.values()) {
    if (isType(definition)) continue;
    const title = `${definition.kind} ${definition.name}`;
    const hides = definition.condition !== undefined;
    facts.set(title, hides);
    const types = definition.kind === 'event' ? [definition.data] : [definition.arguments, definition.returns];
    for (const [index, type] of types.entries()) {
      const inner = type && namedIn(type);
      if (!inner || !isObjectType(inner)) continue;
      for (const { name, condition } of allMembers(inner)) {
        facts.set(`${title} ${index} ${name}`, hides || condition !== undefined);
      }
    }
  }
  return facts;
}
