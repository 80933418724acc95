/** Introspections, and what can be compared of them. */

import type { SchemaInfo } from '../../generator/src/introspect.js';
import type { Definition, NamedType, Schema, Type } from '../../generator/src/model.js';

/** Any object of an introspection. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/**
 * Returns the same introspection with other numbers for the types: those of a walk from the commands and events in the order
 * of their names, through members, branches and alternatives in their order. Entries are sorted, and `values`, which repeats
 * what `members` says, is omitted.
 */
export function renumbered(infos: readonly unknown[]): unknown[] {
  const entries = infos as readonly Record<string, Json>[];
  const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
  const kindOf = (entry: Record<string, Json>): string => textOf(entry['meta-type']);
  const isEntryPoint = (entry: Record<string, Json>): boolean => ['command', 'event'].includes(kindOf(entry));
  const types = new Map(entries.filter((entry) => !isEntryPoint(entry)).map((entry) => [entry['name'], entry]));
  const numbers = new Map<Json | undefined, string>();
  const found: Json[] = [];
  const rename = (name: Json): string => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    const type = types.get(name);
    if (!type) throw new Error(`there is no type ${JSON.stringify(name)}`);
    const kind = kindOf(type);
    const number = kind === 'builtin' ? textOf(name) : `${kind} ${numbers.size}`;
    numbers.set(name, number);
    const { values: _, ...entry } = type;
    const isOld = kind === 'enum' && !('members' in type);
    const members = isOld && { members: (type['values'] as string[]).map((value) => ({ name: value })) };
    found.push({ ...convert({ ...entry, ...members }), name: number });
    return number;
  };
  const convert = (value: Record<string, Json>): Record<string, Json> =>
    Object.fromEntries(
      Object.entries(value)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, inner]) => [key, convertValue(key, inner)]),
    );
  const convertValue = (key: string, value: Json): Json => {
    if (typeKeys.has(key)) return rename(value);
    if (Array.isArray(value)) return value.map((one: Json) => convertValue('', one));
    return typeof value === 'object' && value !== null ? convert(value as Record<string, Json>) : value;
  };
  const entryPoints = entries.filter(isEntryPoint).toSorted((a, b) => (textOf(a['name']) < textOf(b['name']) ? -1 : 1));
  return [...entryPoints.map(convert), ...found];
}

/** Returns the same introspection with numbers and an order that say nothing about the types. */
export function shuffled(infos: readonly SchemaInfo[]): SchemaInfo[] {
  const masks = infos.map(({ name }) => name).filter((name) => /^\d+$/u.test(name));
  const others = new Map(masks.map((mask, index) => [mask, String(1000 + ((index * 7919) % masks.length))]));
  const rename = (name: string): string => name.replace(/\d+/u, (mask) => others.get(mask) ?? mask);
  const convert = (value: Json, key?: string): Json => {
    if (typeof value === 'string') return key !== undefined && typeKeys.has(key) ? rename(value) : value;
    if (Array.isArray(value)) return value.map((one: Json) => convert(one));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, convert(one, name)]));
  };
  const isType = ({ 'meta-type': kind }: SchemaInfo): boolean => kind !== 'command' && kind !== 'event';
  return infos
    .map(
      (info) =>
        convert(
          isType(info) ? ({ ...info, name: rename(info.name) } as Json) : (info as Json),
        ) as unknown as SchemaInfo,
    )
    .toReversed();
}

/** The keys whose values are names of types. */
const typeKeys = new Set(['arg-type', 'ret-type', 'type', 'element-type']);

/** Returns a schema without what no command or event uses, and without conditions. */
export function visible(schema: Schema): Schema {
  const clone = withoutConditions(schema);
  const used = new Set<Definition>();
  const use = (type: Type | undefined): void => {
    if (type?.kind === 'array') return use(type.element);
    if (!type || type.kind === 'builtin' || used.has(type)) return;
    used.add(type);
    for (const inner of typesIn(type)) use(inner);
  };
  for (const definition of clone.definitions.values()) {
    if (definition.kind !== 'command' && definition.kind !== 'event') continue;
    used.add(definition);
    if (definition.kind === 'event') use(definition.data);
    else for (const type of [definition.arguments, definition.returns]) use(type);
  }
  return {
    ...clone,
    modules: clone.modules.map((module) => ({
      ...module,
      definitions: module.definitions.filter((one) => used.has(one)),
    })),
    definitions: new Map([...clone.definitions].filter(([, definition]) => used.has(definition))),
  };
}

function typesIn(type: NamedType): (Type | undefined)[] {
  switch (type.kind) {
    case 'enum':
      return [];
    case 'struct':
      return [type.base, ...type.members.map((member) => member.type)];
    case 'union':
      return [type.base, ...type.branches.map((branch) => branch.type)];
    case 'alternate':
      return type.alternatives.map((alternative) => alternative.type);
  }
}

function withoutConditions<T>(value: T, known = new Map<unknown, unknown>()): T {
  if (typeof value !== 'object' || value === null) return value;
  if (known.has(value)) return known.get(value) as T;
  const copy: unknown = Array.isArray(value) ? [] : value instanceof Map ? new Map() : {};
  known.set(value, copy);
  if (copy instanceof Map)
    for (const [key, one] of value as unknown as ReadonlyMap<unknown, unknown>)
      copy.set(key, withoutConditions(one, known));
  else
    for (const [key, one] of Object.entries(value)) {
      if (key !== 'condition') (copy as Record<string, unknown>)[key] = withoutConditions(one as unknown, known);
    }
  return copy as T;
}
