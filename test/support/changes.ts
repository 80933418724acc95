/** Tests the changes between small schemas, and properties that hold for all of them. */

import { describe, expect, it } from 'vitest';

import { formatUse, type Change } from '../../generator/src/diff/change.js';
import { diff } from '../../generator/src/diff/compare.js';
import { wireOf, wireOfIntrospection } from '../../generator/src/diff/wire.js';
import { introspect } from '../../generator/src/introspect.js';
import type { Schema } from '../../generator/src/model.js';
import { schemaOf } from './schema.js';

/** Parses a schema in which the commands may return any type. */
export function schema(text: string): Schema {
  return schemaOf(`{ 'pragma': { 'command-returns-exceptions': [ 'c', 'e' ] } } ${text}`);
}

export function changesOf(old: string, newer: string): Change[] {
  return diff(wireOf(schema(old)), wireOf(schema(newer)));
}

/** Returns a line such as `breaking callers member-removed c: arguments.a`. */
function line({ verdict, side, kind, uses }: Change): string {
  return `${verdict} ${side} ${kind} ${uses.map(formatUse).join(' + ')}`;
}

export interface Case {
  readonly title: string;
  readonly old: string;
  readonly newer: string;
  /** The changes from old to newer. */
  readonly forth: readonly string[];
  /** The changes from newer to old. */
  readonly back: readonly string[];
  /** Whether introspection shows no change, because it does not contain integer widths. */
  readonly isWidth?: true;
}

export const other = `{ 'command': 'other' }`;

/** Returns a command with the given members as arguments. */
export function taking(members: string, types = ''): string {
  return `${types} { 'command': 'c', 'data': { ${members} } }`;
}

/** Returns a command with the given result type. */
export function giving(type: string, types = ''): string {
  return `${types} { 'command': 'c', 'returns': ${type} }`;
}

/** Returns an event with the given members as data. */
export function sending(members: string, types = ''): string {
  return `${types} { 'event': 'E', 'data': { ${members} } } ${other}`;
}

/** Returns a command that both takes and returns a struct with the given members. */
export function both(members: string, types = ''): string {
  return `${types} { 'struct': 'S', 'data': { ${members} } }
    { 'command': 'c', 'data': { 's': 'S' }, 'returns': ['S'] }`;
}

export function enumeration(...values: string[]): string {
  return `{ 'enum': 'V', 'data': [ ${values.join(', ')} ] }`;
}

/** Returns an alternate of the given types. */
export function alternate(...kinds: string[]): string {
  const alternatives = kinds.map((kind, index) => `'a${index}': '${kind}'`);
  return `{ 'alternate': 'A', 'data': { ${alternatives.join(', ')} } }`;
}

/** Returns a union with discriminator `k`, further members of its base, and the members of its branches. */
export function union(base: string, branches: Readonly<Record<string, string>>): string {
  const names = Object.keys(branches);
  const structs = names.map((name) => `{ 'struct': 'B${name}', 'data': { ${branches[name]} } }`);
  return `{ 'enum': 'K', 'data': [ ${names.map((name) => `'${name}'`).join(', ')} ] } ${structs.join(' ')}
    { 'union': 'U', 'base': { 'k': 'K' ${base && `, ${base}`} }, 'discriminator': 'k',
      'data': { ${names.map((name) => `'${name}': 'B${name}'`).join(', ')} } }`;
}

export const takingUnion = (text: string): string => `${text} { 'command': 'c', 'data': 'U', 'boxed': true }`;
export const givingUnion = (text: string): string => `${text} { 'command': 'c', 'returns': 'U' }`;

/** Tests all cases of the tables in both directions. */
export function testChanges(tables: Readonly<Record<string, readonly Case[]>>): void {
  const all = Object.values(tables).flat();

  describe.each(Object.entries(tables))('%s', (_, cases) => {
    it.each(cases)('$title', ({ old, newer, forth, back }) => {
      const lines = (changes: readonly Change[]): string[] => changes.map(line).toSorted();
      expect(lines(changesOf(old, newer))).toEqual(forth.toSorted());
      expect(lines(changesOf(newer, old))).toEqual(back.toSorted());
    });
  });

  describe('all cases', () => {
    const mirrors: Readonly<Record<string, string>> = {
      added: 'removed',
      removed: 'added',
      optional: 'mandatory',
      mandatory: 'optional',
      granted: 'withdrawn',
      withdrawn: 'granted',
    };
    const mirror = (kind: string): string => kind.replace(/\w+$/u, (end) => mirrors[end] ?? end);
    const summary = ({ side, uses, place: { oldType, newType, ...place } }: Change, kind: string): string =>
      JSON.stringify({ side, kind, uses: uses.map(formatUse), types: new Set([oldType, newType]).size, place });

    it.each(all)('mirrors the reverse comparison: $title', ({ old, newer }) => {
      const forth = changesOf(old, newer).map((change) => summary(change, change.kind));
      const back = changesOf(newer, old).map((change) => summary(change, mirror(change.kind)));
      expect(forth.toSorted()).toEqual(back.toSorted());
    });

    it.each(all)('finds no change between equal schemas: $title', ({ old, newer }) => {
      expect([...changesOf(old, old), ...changesOf(newer, newer)]).toEqual([]);
    });

    const hidden = new Set([
      'condition-changed',
      'further-arguments-changed',
      'reply-changed',
      'preconfig-granted',
      'preconfig-withdrawn',
    ]);
    it.each(all.filter(({ isWidth }) => !isWidth))('is the same by introspection: $title', ({ old, newer }) => {
      const [before, after] = [schema(old), schema(newer)];
      const introspected = [before, after].map((one) => wireOfIntrospection(introspect(one, () => true)));
      const [oldWire = wireOf(before), newWire = wireOf(after)] = introspected;
      const want = changesOf(old, newer).filter(({ kind }) => !hidden.has(kind));
      // In introspection, each type has its own copies of the base's members.
      const flat = (changes: readonly Change[]): string[] =>
        changes.flatMap(({ verdict, side, kind, uses }) =>
          uses.map((use) => `${verdict} ${side} ${kind} ${formatUse(use)}`),
        );
      for (const [one, another] of [
        [oldWire, newWire],
        [wireOf(before), newWire],
        [oldWire, wireOf(after)],
      ] as const) {
        expect(flat(diff(one, another)).toSorted()).toEqual(flat(want).toSorted());
      }
    });

    it.each(all.filter(({ isWidth }) => isWidth))('is hidden by introspection: $title', ({ old, newer }) => {
      const newWire = wireOfIntrospection(introspect(schema(newer), () => true));
      expect(diff(wireOf(schema(old)), newWire)).toEqual([]);
    });
  });
}
