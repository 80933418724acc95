/**
 * Flattens introspection into a list of facts, one for each path from a command or event, with the members of bases repeated
 * in every branch. Recursive types are not expanded again, except for the members of a struct.
 */

import type { SchemaInfo } from '../../generator/src/introspect.js';

/** A fact, such as: `member c: arguments(k=x).a` is `optional`. */
export interface Fact {
  /** What the fact is about, which determines the kind of change. */
  readonly aspect: 'entry' | 'oob' | 'member' | 'type' | 'alternative' | 'value' | 'feature' | 'result';
  /** A path as in a use, such as `c: arguments(k=x).a`. */
  readonly path: string;
  /** The name of a value or feature, if there are several facts for one path. */
  readonly detail: string;
  readonly state: string;
  /** Identifies the thing that must exist on both sides for the fact to be compared. */
  readonly within: string;
  /** The number of the type that the fact belongs to. */
  readonly owner: string;
}

/** The discriminators of unions by path. */
export type Unions = Map<string, { readonly tag: string; readonly values: readonly string[] }>;

export interface Flat {
  readonly facts: ReadonlyMap<string, Fact>;
  /** Everything that facts can be within. */
  readonly things: ReadonlySet<string>;
  readonly unions: Unions;
}

type Info<T extends SchemaInfo['meta-type']> = Extract<SchemaInfo, { 'meta-type': T }>;

/** @param others the unions of the other side, in whose branches the members of this side's structs are repeated */
export function flatten(infos: readonly SchemaInfo[], others: Unions = new Map()): Flat {
  const types = new Map(infos.filter((info) => !isEntry(info)).map((info) => [info.name, info]));
  const facts = new Map<string, Fact>();
  const things = new Set<string>(['']);
  const unions: Unions = new Map();

  const say = (fact: Fact): void => {
    facts.set([fact.aspect, fact.path, fact.detail, fact.aspect === 'feature' ? fact.within : ''].join(' '), fact);
  };
  const sayFeatures = (path: string, names: readonly string[] | undefined, within: string, owner: string): void => {
    for (const name of names ?? []) say({ aspect: 'feature', path, detail: name, state: '', within, owner });
  };
  const info = (name: string): SchemaInfo => {
    const found = types.get(name);
    if (!found) throw new Error(`no type ${name}`);
    return found;
  };

  /** Adds the facts about a type at a path. */
  const follow = (path: string, name: string, within: string, owner: string, stack: readonly string[]): void => {
    const type = info(name);
    if (type['meta-type'] === 'alternate') {
      say({ aspect: 'type', path, detail: '', state: 'alternate', within, owner });
      things.add(`alternate ${path}`);
      sayFeatures(path, type.features, `alternate ${path}`, name);
      for (const { type: inner } of type.members) {
        const state = precise(info(inner));
        const detail = jsonKind(state);
        say({ aspect: 'alternative', path, detail, state, within: `alternate ${path}`, owner: name });
        inside(path, info(inner), stack);
      }
      return;
    }
    const state = precise(type);
    say({ aspect: 'type', path, detail: '', state, within, owner });
    // If the other side has an alternate, this is its only alternative.
    inside(path, type, stack);
  };

  const inside = (path: string, type: SchemaInfo, stack: readonly string[]): void => {
    if (new Set(stack).size < stack.length) return;
    const meta = type['meta-type'];
    things.add(`${meta} ${path}`);
    if (meta === 'array') return follow(`${path}[]`, type['element-type'], `array ${path}`, '', stack);
    if (meta === 'enum') {
      sayFeatures(path, type.features, `enum ${path}`, type.name);
      for (const { name, features } of type.members) {
        say({ aspect: 'value', path, detail: name, state: '', within: `enum ${path}`, owner: type.name });
        things.add(`value ${path} ${name}`);
        sayFeatures(path, features, `value ${path} ${name}`, type.name);
      }
    }
    if (meta === 'object') {
      sayFeatures(path, type.features, `object ${path}`, type.name);
      const depth = stack.filter((name) => name === type.name).length;
      if (depth === 0 || (depth === 1 && type.tag === undefined)) branch(path, [], type, [], [...stack, type.name]);
    }
  };

  type Located = readonly [member: Info<'object'>['members'][number], owner: string];

  /** Follows all branches, and adds the collected members at the end of each. */
  const branch = (
    path: string,
    choices: readonly string[],
    type: Info<'object'> | undefined,
    collected: readonly Located[],
    stack: readonly string[],
  ): void => {
    const here = `${path}${guard(choices)}`;
    things.add(`branch ${here}`);
    const own = type?.members.map((member): Located => [member, type.name]) ?? [];
    const members = [...collected, ...own];
    if (type?.tag !== undefined) unions.set(here, { tag: type.tag, values: valuesOf(type) });
    const union = unions.get(here) ?? others.get(here);
    for (const value of union?.values ?? []) {
      const next = type?.variants?.find((variant) => variant.case === value);
      const inner = next && (info(next.type) as Info<'object'>);
      const deeper = [...choices, `${union?.tag}=${value}`];
      if (inner) sayFeatures(`${path}${guard(deeper)}`, inner.features, `branch ${path}${guard(deeper)}`, inner.name);
      branch(path, deeper, inner, members, stack);
    }
    if (union) return;
    for (const [{ name, type: memberType, features, ...rest }, owner] of members) {
      const at = `${here}.${name}`;
      const state = 'default' in rest ? 'optional' : 'mandatory';
      say({ aspect: 'member', path: at, detail: name, state, within: `branch ${here}`, owner });
      things.add(`member ${at}`);
      sayFeatures(at, features, `member ${at}`, owner);
      follow(at, memberType, `member ${at}`, owner, stack);
    }
  };

  const valuesOf = (type: Info<'object'>): string[] => {
    const tag = type.members.find(({ name }) => name === type.tag);
    const values = tag && info(tag.type);
    return values?.['meta-type'] === 'enum' ? values.members.map(({ name }) => name) : [];
  };

  const root = (path: string, name: string): void => {
    things.add(`root ${path}`);
    const type = info(name);
    const isResult = path.endsWith('result');
    const isEmpty = type['meta-type'] === 'object' && type.members.length === 0;
    if (isResult)
      say({ aspect: 'result', path, detail: '', state: String(isEmpty), within: `root ${path}`, owner: '' });
    if (!isEmpty || !isResult) follow(path, name, `root ${path}`, '', []);
  };

  for (const entry of infos) {
    if (!isEntry(entry)) continue;
    const { name } = entry;
    const isCommand = entry['meta-type'] === 'command';
    say({ aspect: 'entry', path: name, detail: entry['meta-type'], state: '', within: '', owner: '' });
    things.add(`entry ${name}`);
    sayFeatures(name, entry.features, `entry ${name}`, '');
    root(`${name}: ${isCommand ? 'arguments' : 'data'}`, entry['arg-type']);
    if (entry['meta-type'] !== 'command') continue;
    root(`${name}: result`, entry['ret-type']);
    const state = String(entry['allow-oob'] ?? false);
    say({ aspect: 'oob', path: name, detail: '', state, within: `entry ${name}`, owner: '' });
  }
  return { facts, things, unions };
}

function guard(choices: readonly string[]): string {
  return choices.length > 0 ? `(${choices.join(',')})` : '';
}

function isEntry(info: SchemaInfo): info is Info<'command'> | Info<'event'> {
  return info['meta-type'] === 'command' || info['meta-type'] === 'event';
}

function precise(type: SchemaInfo): string {
  return type['meta-type'] === 'builtin' ? type['json-type'] : type['meta-type'];
}

function jsonKind(type: string): string {
  return type === 'enum' ? 'string' : type === 'int' ? 'number' : type;
}

/** A difference between two flat lists. */
export interface Difference {
  readonly kind: string;
  readonly path: string;
  /** The name of a value or feature. */
  readonly detail: string;
  /** The numbers of the types on both sides. */
  readonly owners: string;
}

export function differences(oldInfos: readonly SchemaInfo[], newInfos: readonly SchemaInfo[]): Difference[] {
  const [plainOld, plainNew] = [flatten(oldInfos), flatten(newInfos)];
  const [old, newer] = [flatten(oldInfos, plainNew.unions), flatten(newInfos, plainOld.unions)];
  const found: Difference[] = [];
  for (const key of new Set([...old.facts.keys(), ...newer.facts.keys()])) {
    const [before, after] = [old.facts.get(key), newer.facts.get(key)];
    const any = before ?? after;
    if (!any || before?.state === after?.state) continue;
    // Facts within something that was added or removed are part of that change.
    if (!old.things.has(any.within) || !newer.things.has(any.within)) continue;
    const { path, aspect } = any;
    const kind = kindOf(any, before?.state, after?.state);
    const detail = ['value', 'feature', 'alternative'].includes(aspect) && kind !== 'type-changed' ? any.detail : '';
    found.push({ kind, path, detail, owners: `${before?.owner} ${after?.owner}` });
  }
  return found;
}

function kindOf({ aspect, detail }: Fact, old: string | undefined, newer: string | undefined): string {
  if (aspect === 'oob') return newer === 'true' ? 'oob-granted' : 'oob-withdrawn';
  if (aspect === 'member' && old && newer) return `member-${newer}`;
  if (old !== undefined && newer !== undefined) return 'type-changed';
  return `${aspect === 'entry' ? detail : aspect}-${newer === undefined ? 'removed' : 'added'}`;
}
