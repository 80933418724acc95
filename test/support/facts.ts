/** Reduces a schema to facts, without prose and positions, for comparisons. */

import type { Doc, Schema } from '../../generator/src/model.js';

export function facts(schema: Schema): unknown {
  return {
    modules: schema.modules.map(({ name, path, definitions }) => ({
      name,
      path,
      has: definitions.map((one) => one.name),
    })),
    definitions: [...schema.definitions.values()].map((definition) => members(definition)),
  };
}

/** Converts a value in a definition. Named types are replaced by their names. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return 'module' in value && 'name' in value && !('implicit' in value) ? { definition: value.name } : members(value);
}

function members(object: object): unknown {
  const entries = Object.entries(object).filter(([key]) => key !== 'position');
  return Object.fromEntries(entries.map(([key, value]) => [key, key === 'doc' ? ages(value as Doc) : plain(value)]));
}

/** Returns the versions that introduced a definition and its parts, or undefined if the comment has none. */
function ages(doc: Doc): unknown {
  const dated = (entries: Doc['members']): [string, string][] =>
    [...entries].flatMap(([name, { since }]): [string, string][] => (since === undefined ? [] : [[name, since]]));
  const parts = { members: dated(doc.members), features: dated(doc.features) };
  const none = doc.since === undefined && parts.members.length === 0 && parts.features.length === 0;
  return none ? undefined : { since: doc.since, ...parts };
}
