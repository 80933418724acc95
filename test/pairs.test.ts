import { describe, expect, it } from 'vitest';

import { embeddedRoot, embeddedVersions, serverOf, servers } from '../generator/src/embedded.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import type { NamedType, Schema } from '../generator/src/model.js';
import { pairTypes, type PairOptions } from '../generator/src/model/pairs.js';
import { schemaOf } from './support/schema.js';

/** Returns the pairs as `NAME = NAME`, with implicit types as `ROLE NAME`. */
function pairs(one: Schema, other: Schema, options?: PairOptions): string[] {
  const title = (type: NamedType): string =>
    `${'implicit' in type && type.implicit !== undefined ? `${type.implicit} ` : ''}${type.name}`;
  return [...pairTypes(one, other, options)].map(([type, partner]) => `${title(type)} = ${title(partner)}`).toSorted();
}

const kinds = "{ 'enum': 'Kind', 'data': [ 'a', 'b' ] }";

const cases: { title: string; one: string; other: string; options?: PairOptions; want: string[] }[] = [
  {
    title: 'pairs arguments, results and data of the same command or event, whatever they are called',
    one: `{ 'struct': 'A', 'data': { 'x': 'int' } } { 'struct': 'R', 'data': { 'y': 'str' } } { 'struct': 'D', 'data': { 'z': 'str' } }
      { 'command': 'c', 'data': 'A', 'returns': 'R' } { 'event': 'E', 'data': 'D' }`,
    other: `{ 'struct': 'A1', 'data': { 'x': 'int' } } { 'struct': 'R1', 'data': { 'y': 'str' } } { 'struct': 'D1', 'data': { 'z': 'str' } }
      { 'command': 'c', 'data': 'A1', 'returns': 'R1' } { 'event': 'E', 'data': 'D1' }`,
    want: ['A = A1', 'D = D1', 'R = R1'],
  },
  {
    title: 'follows members, elements, branches and alternatives',
    one: `${kinds} { 'struct': 'Leaf', 'data': { 'x': 'int' } } { 'struct': 'Branch', 'data': { 'leaf': [ 'Leaf' ] } }
      { 'union': 'U', 'base': { 'kind': 'Kind' }, 'discriminator': 'kind', 'data': { 'a': 'Branch' } }
      { 'alternate': 'Alt', 'data': { 'object': 'U', 'text': 'str' } }
      { 'command': 'c', 'data': { 'alt': 'Alt' } }`,
    other: `{ 'enum': 'Kind1', 'data': [ 'a', 'b' ] } { 'struct': 'Leaf1', 'data': { 'x': 'int' } }
      { 'struct': 'Branch1', 'data': { 'leaf': [ 'Leaf1' ] } }
      { 'union': 'U1', 'base': { 'kind': 'Kind1' }, 'discriminator': 'kind', 'data': { 'a': 'Branch1' } }
      { 'alternate': 'Alt1', 'data': { 'text': 'str', 'o': 'U1' } }
      { 'command': 'c', 'data': { 'alt': 'Alt1' } }`,
    want: [
      'Alt = Alt1',
      'Branch = Branch1',
      'Kind = Kind1',
      'Leaf = Leaf1',
      'U = U1',
      'arguments c = arguments c',
      'base U = base U1',
    ],
  },
  {
    title: 'never pairs types that have no place in common, however similar',
    one: `{ 'struct': 'A', 'data': { 's': 'str' } } { 'command': 'c', 'returns': 'A' }`,
    other: `{ 'struct': 'A', 'data': { 's': 'str' } } { 'command': 'd', 'returns': 'A' }`,
    want: [],
  },
  {
    title: 'never pairs types of different forms, but a struct with a union',
    one: `${kinds} { 'struct': 'A', 'data': { 'kind': 'Kind' } } { 'struct': 'B', 'data': { 'x': 'int' } }
      { 'command': 'c', 'returns': 'A' } { 'command': 'd', 'returns': [ 'B' ] }`,
    other: `${kinds} { 'struct': 'B', 'data': { 'x': 'int' } }
      { 'union': 'A', 'base': { 'kind': 'Kind' }, 'discriminator': 'kind', 'data': { 'a': 'B' } }
      { 'command': 'c', 'returns': 'A' } { 'command': 'd', 'returns': 'B' }`,
    want: ['A = A', 'Kind = Kind'],
  },
  {
    title: 'never pairs types that have nothing in common',
    one: `{ 'struct': 'A', 'data': { 'x': 'int' } } { 'command': 'c', 'returns': 'A' }`,
    other: `{ 'struct': 'B', 'data': { 'y': 'int' } } { 'command': 'c', 'returns': 'B' }`,
    want: [],
  },
  {
    title: 'pairs types that differ in what depends on conditions',
    one: `{ 'enum': 'A', 'data': [ 'x' ] } { 'command': 'c', 'data': { 'a': 'A' } }`,
    other: `{ 'enum': 'B', 'data': [ 'x', ${Array.from({ length: 20 }, (_, index) => `{ 'name': 'v${index}', 'if': 'C' }`).join()} ] }
      { 'command': 'c', 'data': { 'a': 'B' } }`,
    want: ['A = B', 'arguments c = arguments c'],
  },
  {
    title: 'prefers the more similar of several types, although it has fewer places',
    one: `{ 'struct': 'A', 'data': { 'x': 'int', 'y': 'int' } }
      { 'command': 'c', 'returns': 'A' } { 'command': 'd', 'returns': 'A' } { 'command': 'e', 'returns': 'A' }`,
    other: `{ 'struct': 'A', 'data': { 'x': 'int', 'y': 'int', 'z': 'int' } } { 'struct': 'B', 'data': { 'x': 'int', 'q': 'str' } }
      { 'command': 'c', 'returns': 'A' } { 'command': 'd', 'returns': 'B' } { 'command': 'e', 'returns': 'B' }`,
    want: ['A = A'],
  },
  {
    title: 'prefers the one in most places among those that are equally similar',
    one: `{ 'struct': 'S', 'data': { 's': 'str' } }
      { 'command': 'c', 'returns': 'S' } { 'command': 'd', 'returns': 'S' } { 'command': 'e', 'returns': 'S' }`,
    other: `{ 'struct': 'S', 'data': { 's': 'str' } } { 'struct': 'T', 'data': { 's': 'str' } }
      { 'command': 'c', 'returns': 'T' } { 'command': 'd', 'returns': 'S' } { 'command': 'e', 'returns': 'S' }`,
    want: ['S = S'],
  },
  {
    title: 'leaves a type that was split without a partner',
    one: `{ 'struct': 'S', 'data': { 's': 'str' } }
      { 'command': 'c', 'returns': 'S' } { 'command': 'd', 'returns': 'S' }`,
    other: `{ 'struct': 'T', 'data': { 's': 'str' } } { 'struct': 'U', 'data': { 's': 'str' } }
      { 'command': 'c', 'returns': 'T' } { 'command': 'd', 'returns': 'U' }`,
    want: [],
  },
  {
    title: 'leaves types that were merged without a partner, but pairs the types within them',
    one: `${kinds} { 'struct': 'S', 'data': { 's': 'Kind' } } { 'struct': 'T', 'data': { 's': 'Kind' } }
      { 'command': 'c', 'returns': 'S' } { 'command': 'd', 'returns': 'T' }`,
    other: `{ 'enum': 'Kind1', 'data': [ 'a', 'b', 'c' ] } { 'struct': 'U', 'data': { 's': 'Kind1' } }
      { 'command': 'c', 'returns': 'U' } { 'command': 'd', 'returns': 'U' }`,
    want: ['Kind = Kind1'],
  },
  {
    title: 'ignores places within types that have other partners',
    one: `{ 'struct': 'S', 'data': { 's': 'str' } } { 'struct': 'A', 'data': { 'x': 'int', 'y': 'int', 'in': 'S' } }
      { 'command': 'c', 'returns': 'A' } { 'command': 'd', 'returns': 'A' } { 'command': 'e', 'returns': 'A' }`,
    other: `{ 'struct': 'S', 'data': { 's': 'str' } } { 'struct': 'T', 'data': { 's': 'str' } }
      { 'struct': 'A', 'data': { 'x': 'int', 'y': 'int', 'in': 'S' } } { 'struct': 'B', 'data': { 'x': 'int', 'in': 'T' } }
      { 'command': 'c', 'returns': 'A' } { 'command': 'd', 'returns': 'B' } { 'command': 'e', 'returns': 'B' }`,
    want: ['A = A', 'S = S'],
  },
  {
    title: 'pairs an implicit type with one that has no other place, whatever its members',
    one: `{ 'struct': 'A', 'data': { 'x': 'int' } } { 'command': 'c', 'data': 'A' } { 'command': 'd', 'data': { 'y': 'int' } }`,
    other: `{ 'struct': 'A', 'data': { 'y': 'int' } } { 'command': 'c', 'data': { 'x': 'int', 'z': 'int' } }
      { 'command': 'd', 'data': 'A' } { 'command': 'e', 'data': 'A' }`,
    want: ['A = arguments c'],
  },
  {
    title: 'by name, pairs types of one name first, wherever they are',
    one: `{ 'struct': 'A', 'data': { 'x': 'int' } } { 'struct': 'B', 'data': { 'x': 'int' } } { 'struct': 'Unused', 'data': { } }
      { 'command': 'c', 'returns': 'A' } { 'command': 'd', 'returns': 'B' }`,
    other: `{ 'struct': 'A', 'data': { 'x': 'int' } } { 'struct': 'C', 'data': { 'x': 'int' } } { 'struct': 'Unused', 'data': { 'y': 'int' } }
      { 'command': 'c', 'returns': 'C' } { 'command': 'd', 'returns': 'A' }`,
    options: { byName: true },
    want: ['A = A', 'Unused = Unused'],
  },
  {
    title: 'by name, pairs the renamed by place, within types of one name, too',
    one: `${kinds} { 'struct': 'A', 'data': { 'kind': 'Kind' } } { 'command': 'c', 'returns': 'A' }`,
    other: `{ 'enum': 'Kind1', 'data': [ 'a' ] } { 'struct': 'A', 'data': { 'kind': 'Kind1' } } { 'command': 'd', 'returns': 'A' }`,
    options: { byName: true },
    want: ['A = A', 'Kind = Kind1'],
  },
  {
    title: 'by name, does not pair types of one name and different kinds',
    one: `${kinds} { 'command': 'c', 'data': { 'k': 'Kind' } }`,
    other: `{ 'struct': 'Kind', 'data': { 'a': 'int' } } { 'command': 'c', 'data': { 'k': 'Kind' } }`,
    options: { byName: true },
    want: ['arguments c = arguments c'],
  },
];

describe('pairTypes', () => {
  it.each(cases)('$title', ({ one, other, options, want }) => {
    const schemas = [schemaOf(one), schemaOf(other)] as const;
    expect(pairs(...schemas, options)).toEqual(want);
    // No answer depends on the direction.
    const reversed = want.map((pair) => pair.split(' = ').toReversed().join(' = ')).toSorted();
    expect(pairs(schemas[1], schemas[0], options)).toEqual(reversed);
  });

  it.each([{}, { byName: true }])('pairs each type of a schema with itself, given %j', (options) => {
    const schema = loadSchema(embeddedRoot(embeddedVersions().at(-1) ?? '', serverOf('qmp')));
    const found = pairTypes(schema, schema, options);
    expect(found.size).toBeGreaterThan(700);
    expect([...found].filter(([type, partner]) => type !== partner)).toEqual([]);
  });

  it.each(servers)('finds the types of neighbouring versions of $title without their names', (server) => {
    const schemas = embeddedVersions().map((version) => loadSchema(embeddedRoot(version, server)));
    const neighbours = schemas.flatMap((schema, index) =>
      [schemas[index - 1] ?? [], schemas[index + 1] ?? []].flat().map((other) => [schema, other] as const),
    );
    for (const [one, other] of neighbours) {
      const [types, others] = [reachable(one), reachable(other)];
      // Implicit types have no names of their own.
      const named = [...pairTypes(one, other)].filter(
        ([type, partner]) => one.definitions.get(type.name) === type && other.definitions.get(partner.name) === partner,
      );
      const found = named.map(([type, partner]) => [type.name, partner.name] as const);
      const wrong = found.filter(([name, partner]) => name !== partner && (types.has(partner) || others.has(name)));
      expect(wrong).toEqual([]);
      const both = [...types].filter((name) => others.has(name));
      const right = new Set(found.filter(([name, partner]) => name === partner).map(([name]) => name));
      expect(both.filter((name) => !right.has(name)).length).toBeLessThanOrEqual(both.length / 100);
    }
  });
});

/** Returns the names of the types that commands and events reach. */
function reachable(schema: Schema): Set<string> {
  const all = [...pairTypes(schema, schema).keys()];
  return new Set(all.filter((type) => schema.definitions.get(type.name) === type).map(({ name }) => name));
}
