/** Schemas recovered from introspections. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, it, onTestFinished, test } from 'vitest';

import {
  currentVersion,
  embeddedRoot,
  embeddedVersions,
  serverOf,
  servers,
  type Server,
} from '../generator/src/embedded.js';
import { conditionTest } from '../generator/src/condition.js';
import { SchemaError } from '../generator/src/diagnostic.js';
import { emitPackage } from '../generator/src/emit/package.js';
import { dialectOf } from '../generator/src/frontend/dialect.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import { introspect } from '../generator/src/introspect.js';
import type { Condition, Definition, Schema, Type } from '../generator/src/model.js';
import { recover, type Recovery } from '../generator/src/model/recover.js';
import { narrow } from '../generator/src/narrow.js';
import { readIntrospection } from '../generator/src/sources/introspection.js';
import { resolveVersion } from '../generator/src/sources/versions.js';
import { recoverServer } from '../generator/src/sources/recovered.js';
import { readEmitted } from './support/emitted.js';
import { fork, renamed } from './support/fork.js';
import { renumbered, shuffled, visible } from './support/introspections.js';
import { schemaOf } from './support/schema.js';
import { schemas } from './support/schemas.js';
import { sharedFile } from './support/shared.js';

const loaded = new Map<string, Schema>();

function embedded(version: string, server: Server): Schema {
  const root = embeddedRoot(version, server);
  const schema = loaded.get(root) ?? loadSchema(root);
  loaded.set(root, schema);
  return schema;
}

/** Recovers a schema from its introspection, whose type numbers say nothing. */
function recovered(schema: Schema, anchor: Schema, isSameVersion?: boolean): Recovery {
  return recover(readIntrospection(shuffled(introspect(schema, () => true))), anchor, isSameVersion);
}

function introspected(schema: Schema): unknown[] {
  return renumbered(introspect(schema, () => true));
}

/** Returns the generated code without the first lines, which name the source. */
function codeOf(schema: Schema): Record<string, string> {
  const files = emitPackage(schema, { origin: '', generator: '', docs: true });
  return Object.fromEntries([...files].map(([name, text]) => [name, text.slice(text.indexOf('\n'))]));
}

interface Match {
  /** The names of the types, each with its name in the schema. */
  readonly names: readonly (readonly [name: string, found: string])[];
  /** The types whose names another type has in the schema. */
  readonly wrong: readonly string[];
}

/** Compares the names of types, which are told apart by their places. */
function match(schema: Schema, found: Schema): Match {
  const types = new Map<Type, Type>();
  const visit = (type: Type | undefined, other: Type | undefined): void => {
    if (!type || !other) return expect(other).toBe(type);
    if (type.kind === 'array' && other.kind === 'array') return visit(type.element, other.element);
    expect(other.kind).toBe(type.kind);
    if (type.kind === 'builtin' || type.kind === 'array' || other.kind === 'builtin' || other.kind === 'array') return;
    if (types.has(type)) return expect(types.get(type)).toBe(other);
    types.set(type, other);
    const [parts, others] = [partsOf(type), partsOf(other)];
    for (const [index, part] of parts.entries()) visit(part, others[index]);
  };
  for (const definition of schema.definitions.values()) {
    const other = found.definitions.get(definition.name);
    if (definition.kind === 'command' && other?.kind === 'command') {
      visit(definition.arguments, other.arguments);
      visit(definition.returns, other.returns);
    }
    if (definition.kind === 'event' && other?.kind === 'event') visit(definition.data, other.data);
  }
  const title = (type: Type): string => {
    const { name = '', implicit } = type as { name?: string; implicit?: unknown };
    return `${implicit === undefined ? '' : 'implicit '}${name}`;
  };
  const names = [...types].map(([type, other]) => [title(type), title(other)] as const);
  const own = new Set(names.map(([name]) => name));
  const wrong = names.filter(([name, other]) => name !== other && own.has(other));
  return { names, wrong: wrong.map(([name, other]) => `${name} is called ${other}`) };
}

/** Returns the types in a type, with those of its base. */
function partsOf(type: Definition): (Type | undefined)[] {
  switch (type.kind) {
    case 'struct':
      return [...(type.base ? partsOf(type.base) : []), ...type.members.map((member) => member.type)];
    case 'union':
      return [...partsOf(type.base), ...type.branches.map((branch) => branch.type)];
    case 'alternate':
      return type.alternatives.map((alternative) => alternative.type);
    default:
      return [];
  }
}

describe.each(servers)('of $title', (server) => {
  it.each(embeddedVersions())('%s is the schema, as far as clients see it', (version) => {
    const schema = embedded(version, server);
    const { schema: found, ...recovery } = recovered(schema, schema);
    expect(recovery).toEqual({ isExact: true, unknown: new Set(), unknownIntegers: 0 });
    expect(introspected(found)).toEqual(introspected(schema));
    expect(codeOf(found)).toEqual(codeOf(visible(schema)));
  });

  it('is the schema, without what the build does not have', () => {
    const schema = embedded(currentVersion(), server);
    const holds = conditionTest(['CONFIG_LINUX']);
    const { schema: found } = recover(readIntrospection(shuffled(introspect(schema, holds))), schema);
    expect(codeOf(found)).toEqual(codeOf(visible(narrow(schema, holds))));
  });

  const versions = embeddedVersions();
  const neighbours = versions.flatMap((version, index) =>
    [versions[index - 1], versions[index + 1]].flatMap((other) =>
      other === undefined ? [] : [[version, other] as const],
    ),
  );
  it.each(neighbours)('%s has the names of types that it has in common with %s', (version, other) => {
    const [schema, anchor] = [visible(embedded(version, server)), embedded(other, server)];
    const { schema: found } = recovered(schema, anchor);
    expect(introspected(found)).toEqual(introspected(schema));
    const { names, wrong } = match(schema, found);
    expect(wrong).toEqual([]);
    const others = visible(anchor).definitions;
    const inBoth = names.filter(([name]) => others.has(name));
    expect(inBoth.length).toBeGreaterThan(30);
    expect(inBoth.filter(([name, own]) => name === own).length / inBoth.length).toBeGreaterThanOrEqual(0.99);
  });
});

describe('of a reply', () => {
  it.each([
    ['qmp-7.2', '7.2'],
    ['qsd-7.2', '7.2'],
    ['qmp-10.0', '10.0'],
    ['qsd-10.0', '10.0'],
  ])('%s takes the names of %s, and has the same introspection', async (reply, version) => {
    const file = sharedFile(`introspection/${reply}.json`, `recovering the schema of a real ${reply}`);
    if (file === undefined) return;
    const infos = JSON.parse(readFileSync(file, 'utf8')) as unknown[];
    const { schema, notes } = await recoverServer({ introspection: file });
    expect(notes).toEqual([expect.stringContaining(` of QEMU ${version}.`)]);
    expect(introspected(schema)).toEqual(renumbered(infos));
    // With any other names, too.
    const { schema: other } = await recoverServer({ introspection: file, names: currentVersion() });
    expect(introspected(other)).toEqual(renumbered(infos));
  });
});

describe('of a saved reply', () => {
  const saved = (schema: Schema, holds: (condition: Condition) => boolean): string => {
    const folder = mkdtempSync(join(tmpdir(), 'qapi-ts-recover-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'saved.json');
    writeFileSync(file, JSON.stringify({ return: shuffled(introspect(schema, holds)) }));
    return file;
  };

  it.each(embeddedVersions())(
    '%s takes the names of its version, although it does not say which it is',
    async (version) => {
      const file = saved(embedded(version, serverOf('qmp')), conditionTest(['CONFIG_LINUX', 'CONFIG_POSIX']));
      const { notes, origin, version: known } = await recoverServer({ introspection: file });
      expect({ notes, origin, known }).toEqual({
        notes: [`names of types, bases and links are those of QEMU ${version}`],
        origin: 'introspection saved.json',
        known: undefined,
      });
    },
  );

  it('of a fork takes the names of the nearest version, and lists what that does not have', async () => {
    const version = resolveVersion('10.2');
    const { manual, notes, schema } = await recoverServer({ introspection: saved(fork(version), () => true) });
    expect(notes).toEqual([
      `names of types, bases and links are those of QEMU ${version}`,
      `integer widths are borrowed from QEMU ${version}: the types have them, but any 64-bit integer is valid`,
      'integers of unknown width, which are of type Int64: 3',
      `commands that are not in QEMU ${version}: fork-set, fork-start, query-fork`,
      `events that are not in QEMU ${version}: FORK_DONE`,
      expect.stringMatching(/^types that are not in .*: ForkDoneEventLoad, .*, QueryForkResultItemItemsItem$/u),
    ]);
    const addressOf = (name: string): string | undefined => {
      const definition = schema.definitions.get(name);
      return definition && manual(definition);
    };
    expect(addressOf('query-status')).toMatch(/#command-QMP-run-state\.query-status$/u);
    expect(addressOf('RunState')).toMatch(/#enum-QMP-run-state\.RunState$/u);
    expect(['query-fork', 'QueryForkResultItem'].map(addressOf)).toEqual([undefined, undefined]);
  });
});

describe('of a fork', () => {
  const version = resolveVersion('10.2');
  const anchor = embedded(version, serverOf('qmp'));
  const schema = fork(version);
  const { schema: found, unknown, ...recovery } = recovered(schema, anchor, true);

  it('has the names of QEMU, even for what the fork calls otherwise', () => {
    expect(introspected(found)).toEqual(introspected(schema));
    const { names, wrong } = match(visible(schema), found);
    expect(wrong).toEqual([]);
    const own = new Map(Object.entries(renamed).map(([name, other]) => [other, name]));
    const known = [...names].filter(
      ([name]) => !/^(?:implicit )?fork-|^Fork|^implicit FORK/u.test(name) || own.has(name),
    );
    expect(known.length).toBeGreaterThan(800);
    expect(known.filter(([name, other]) => other !== (own.get(name) ?? name))).toEqual([]);
    expect(found.definitions.get('BlockdevOptionsCurlHttp')).toMatchObject({
      base: { name: 'BlockdevOptionsCurlBase' },
    });
  });

  it('names what only the fork has after its place', () => {
    const titles = [...unknown].map(({ kind, name, module }) => `${kind} ${name} in ${module}`);
    expect(titles.toSorted()).toEqual([
      'command fork-set in further',
      'command fork-start in further',
      'command query-fork in further',
      'enum ForkSetArgumentsMode in further',
      'event FORK_DONE in further',
      'struct ForkDoneEventLoad in further',
      'struct ForkSetArgumentsFast in further',
      'struct QueryForkResultItem in further',
      'struct QueryForkResultItemItemsItem in further',
      'union ForkSetArguments in further',
    ]);
    // The members `fork-count`, `bytes` and `port`.
    expect(recovery).toEqual({ isExact: true, unknownIntegers: 3 });
  });

  it('has everything else as QEMU has it', () => {
    const [code, plain] = [codeOf(found), codeOf(recovered(anchor, anchor).schema)];
    const changed = Object.keys(plain).filter((file) => code[file] !== plain[file]);
    expect(changed.toSorted()).toEqual(['client.ts', 'index.ts', 'run-state.ts']);
    expect(Object.keys(code).filter((file) => !(file in plain))).toEqual(['further.ts']);
  });
});

/** Returns definitions, and what they use, as lines: `Type: member=Type, ...`. */
function describeSchema({ definitions }: Schema): string[] {
  const nameOf = (type: Type | undefined): string => {
    if (!type) return '-';
    if (type.kind === 'array') return `[${nameOf(type.element)}]`;
    return type.kind === 'builtin' && type.borrowed ? `borrowed ${type.name}` : type.name;
  };
  return [...definitions.values()].map((definition) => {
    const parts = ((): string[] => {
      switch (definition.kind) {
        case 'command':
          return [nameOf(definition.arguments), nameOf(definition.returns)];
        case 'event':
          return [nameOf(definition.data)];
        case 'enum':
          return definition.values.map(({ name }) => name);
        case 'struct':
          return [...(definition.base ? [`base ${definition.base.name}`] : []), ...membersOf(definition.members)];
        case 'union': {
          const { base } = definition;
          const bases = base.implicit ? membersOf(base.members) : [`base ${base.name}`];
          return [...bases, ...definition.branches.map(({ name, type }) => `${name}:${nameOf(type)}`)];
        }
        case 'alternate':
          return definition.alternatives.map(({ name, type }) => `${name}:${nameOf(type)}`);
      }
    })();
    return `${definition.name}: ${parts.join(', ')}`;
  });
  function membersOf(members: readonly { name: string; type: Type }[]): string[] {
    return members.map(({ name, type }) => `${name}=${nameOf(type)}`);
  }
}

const cases: { title: string; server: string; anchor: string; isSameVersion?: boolean; want: string[] }[] = [
  {
    title: 'names results, elements, members, branches and alternatives after their place',
    server: `{ 'enum': 'E', 'data': [ 'x', 'y' ] } { 'struct': 'A', 'data': { 'e': 'E' } } { 'struct': 'B', 'data': { 'a': [ 'A' ] } }
      { 'union': 'U', 'base': { 'e': 'E' }, 'discriminator': 'e', 'data': { 'x': 'C' } } { 'struct': 'C', 'data': { 's': 'str' } }
      { 'alternate': 'Alt', 'data': { 'o': 'D', 's': 'str' } } { 'struct': 'D', 'data': { 'b': 'bool' } }
      { 'command': 'query-b', 'returns': 'B' } { 'command': 'list-u', 'returns': [ 'U' ] } { 'command': 'z', 'data': { 'some-alt': 'Alt' } }`,
    anchor: `{ 'command': 'other' }`,
    want: [
      'ListUResultItem: e=ListUResultItemE, x:ListUResultItemX, y:-',
      'ListUResultItemE: x, y',
      'ListUResultItemX: s=str',
      'QueryBResult: a=[QueryBResultAItem]',
      'QueryBResultAItem: e=ListUResultItemE',
      'ZArgumentsSomeAlt: object:ZArgumentsSomeAltObject, string:str',
      'ZArgumentsSomeAltObject: b=bool',
      'list-u: -, [ListUResultItem]',
      'query-b: -, QueryBResult',
      'z: z, -',
    ],
  },
  {
    title: 'prefers the shallowest place, then the first by name',
    server: `{ 'struct': 'A', 'data': { 'x': 'bool' } } { 'struct': 'B', 'data': { 'a': 'A', 'c': 'C' } } { 'struct': 'C', 'data': { 'y': 'bool' } }
      { 'command': 'a', 'returns': 'B' } { 'command': 'y', 'returns': 'A' } { 'command': 'x', 'returns': [ 'A' ] }`,
    anchor: `{ 'command': 'other' }`,
    want: [
      'AResult: a=XResultItem, c=AResultC',
      'AResultC: y=bool',
      'XResultItem: x=bool',
      'a: -, AResult',
      'x: -, [XResultItem]',
      'y: -, XResultItem',
    ],
  },
  {
    title: 'avoids names of the anchor, used or not, and of implicit types',
    server: `{ 'struct': 'A', 'data': { 'x': 'bool' } } { 'struct': 'B', 'data': { 'a': 'A' } }
      { 'command': 'c', 'returns': 'B' } { 'command': 'd', 'data': { 'arguments': 'A' } }`,
    anchor: `{ 'struct': 'CResult', 'data': { 'y': 'str' } } { 'command': 'other' }`,
    want: ['CResult2: a=CResult2A', 'CResult2A: x=bool', 'c: -, CResult2', 'd: d, -'],
  },
  {
    title: 'restores bases with the members that all derived types have, and chains of them',
    server: `{ 'struct': 'A', 'data': { 'b1': 'str', 'b2': 'str', 'new': 'str', 'c': 'str', 'a': 'str' } }
      { 'struct': 'B', 'data': { 'b1': 'str', 'b2': 'str', 'new': 'str', 'x': 'str' } }
      { 'command': 'a', 'returns': 'A' } { 'command': 'b', 'returns': 'B' }`,
    anchor: `{ 'struct': 'Base', 'data': { 'b1': 'str', 'b2': 'str', 'gone': 'str' } } { 'struct': 'Mid', 'base': 'Base', 'data': { 'c': 'str' } }
      { 'struct': 'TypeA', 'base': 'Mid', 'data': { 'a': 'str' } } { 'struct': 'TypeB', 'base': 'Base', 'data': { 'x': 'str' } }
      { 'command': 'a', 'returns': 'TypeA' } { 'command': 'b', 'returns': 'TypeB' }`,
    want: [
      'Base: b1=str, b2=str, new=str',
      'Mid: base Base, c=str',
      'TypeA: base Mid, a=str',
      'TypeB: base Base, x=str',
      'a: -, TypeA',
      'b: -, TypeB',
    ],
  },
  {
    title: 'gives up a base that a derived type does not have any more',
    server: `{ 'struct': 'A', 'data': { 'b': 'str', 'a': 'str', 'a2': 'str' } } { 'struct': 'B', 'data': { 'x': 'str', 'b': 'str' } }
      { 'command': 'a', 'returns': 'A' } { 'command': 'b', 'returns': 'B' }`,
    anchor: `{ 'struct': 'Base', 'data': { 'b': 'str' } } { 'struct': 'TypeA', 'base': 'Base', 'data': { 'a': 'str', 'a2': 'str' } }
      { 'struct': 'TypeB', 'base': 'Base', 'data': { 'x': 'str' } } { 'command': 'a', 'returns': 'TypeA' } { 'command': 'b', 'returns': 'TypeB' }`,
    want: ['TypeA: b=str, a=str, a2=str', 'TypeB: x=str, b=str', 'a: -, TypeA', 'b: -, TypeB'],
  },
  {
    title: 'uses a base that is used otherwise, too, only where it fits',
    server: `{ 'struct': 'Base', 'data': { 'b': 'str', 'new': 'str' } } { 'struct': 'A', 'data': { 'b': 'str', 'new': 'str', 'a': 'str' } }
      { 'struct': 'B', 'data': { 'b': 'str', 'x': 'str' } }
      { 'command': 'a', 'returns': 'A' } { 'command': 'b', 'returns': 'B' } { 'command': 'c', 'returns': 'Base' }`,
    anchor: `{ 'struct': 'Base', 'data': { 'b': 'str' } } { 'struct': 'TypeA', 'base': 'Base', 'data': { 'a': 'str' } }
      { 'struct': 'TypeB', 'base': 'Base', 'data': { 'x': 'str' } }
      { 'command': 'a', 'returns': 'TypeA' } { 'command': 'b', 'returns': 'TypeB' } { 'command': 'c', 'returns': 'Base' }`,
    want: [
      'Base: b=str, new=str',
      'TypeA: base Base, a=str',
      'TypeB: b=str, x=str',
      'a: -, TypeA',
      'b: -, TypeB',
      'c: -, Base',
    ],
  },
  {
    title: 'restores the base of a union, which has all of its members',
    server: `{ 'enum': 'E', 'data': [ 'x' ] } { 'struct': 'X', 'data': { 's': 'str' } }
      { 'union': 'U', 'base': { 'e': 'E', 'new': 'str' }, 'discriminator': 'e', 'data': { 'x': 'X' } } { 'command': 'c', 'returns': 'U' }`,
    anchor: `{ 'enum': 'Kind', 'data': [ 'x' ] } { 'struct': 'X', 'data': { 's': 'str' } } { 'struct': 'Base', 'data': { 'e': 'Kind' } }
      { 'union': 'U', 'base': 'Base', 'discriminator': 'e', 'data': { 'x': 'X' } } { 'command': 'c', 'returns': 'U' }`,
    want: ['Kind: x', 'X: s=str', 'Base: e=Kind, new=str', 'U: base Base, x:X', 'c: -, U'],
  },
  {
    title: 'has exact widths without knowing the versions, if the anchor has everything',
    server: `{ 'command': 'c', 'data': { 'i': 'int', 'a': [ 'int' ] }, 'returns': 'A' } { 'struct': 'A', 'data': { 'x': 'int' } }`,
    anchor: `{ 'command': 'c', 'data': { 'i': 'uint8', 'a': [ 'int16' ], '*more': 'str' }, 'returns': 'B' } { 'command': 'd' }
      { 'struct': 'B', 'data': { 'x': 'size' } }`,
    want: ['c: c, B', 'B: x=size'],
  },
  {
    title: 'borrows widths if the server has more, or another version',
    server: `{ 'struct': 'A', 'data': { 'i': 'uint32', 'a': [ 'int' ], 'n': 'number' } } { 'command': 'c', 'returns': 'A' } { 'command': 'new' }`,
    anchor: `{ 'struct': 'A', 'data': { 'i': 'uint8', 'a': [ 'int16' ], 'n': 'int' } } { 'command': 'c', 'returns': 'A' }`,
    want: ['A: i=borrowed uint8, a=[borrowed int16], n=number', 'c: -, A', 'new: -, -'],
  },
  {
    title: 'has the arguments of commands in place, as the anchor does, or if nothing else uses them',
    server: `{ 'struct': 'A', 'data': { 'x': 'str' } } { 'struct': 'B', 'data': { 'y': 'str' } }
      { 'command': 'a', 'data': 'A' } { 'command': 'b', 'data': 'B' } { 'command': 'c', 'data': 'B' } { 'event': 'E', 'data': { 'z': 'str' } }`,
    anchor: `{ 'command': 'a', 'data': { 'x': 'str' } }`,
    want: ['a: a, -', 'BArguments: y=str', 'E: E', 'b: BArguments, -', 'c: BArguments, -'],
  },
];

describe('rules', () => {
  it.each(cases)('$title', ({ server, anchor, isSameVersion, want }) => {
    const schema = schemaOf(server);
    const found = recovered(schema, schemaOf(anchor), isSameVersion);
    expect(describeSchema(found.schema)).toEqual(want);
    expect(introspected(found.schema)).toEqual(introspected(schema));
  });

  it('takes what clients do not see from the anchor, and what they see from the server', () => {
    const text = (own: string, flags: string): string =>
      `{ 'command': 'c', 'data': { 'x': 'str' }, 'features': [ '${own}' ]${flags} } { 'command': 'd' }`;
    const anchor = text(
      'deprecated',
      ", 'gen': false, 'success-response': false, 'allow-preconfig': true, 'allow-oob': true",
    );
    const { schema } = recovered(schemaOf(text('unstable', '')), schemaOf(anchor));
    expect(schema.definitions.get('c')).toMatchObject({
      gen: false,
      successResponse: false,
      allowPreconfig: true,
      allowOob: false,
      features: [{ name: 'unstable' }],
    });
  });
});

describe('code', () => {
  it('does not depend on the numbers of types, or on the order of the introspection', () => {
    const anchor = embedded(resolveVersion('10.0'), serverOf('qga'));
    const infos = introspect(embedded(resolveVersion('10.2'), serverOf('qga')), () => true);
    const [one, other] = [infos, shuffled(infos)].map((given) => recover(readIntrospection(given), anchor).schema);
    expect(one?.digest).toBe(other?.digest);
    expect(codeOf(one as Schema)).toEqual(codeOf(other as Schema));
  });

  it('has the type of a borrowed width, but accepts any 64-bit integer', () => {
    const text = (more: string): string => `{ 'command': 'c', 'data': { 'flags': 'uint8' } } ${more}`;
    const code = codeOf(recovered(schemaOf(text("{ 'command': 'd' }")), schemaOf(text(''))).schema);
    expect(code['test.ts']).toMatch(/flags: number;/u);
    expect(code['test.ts']).toMatch(/flags: 'uint64'/u);
  });
});

/** Further commands, which use types that the fork has anyway, and types of their own. */
const additions = fc
  .uniqueArray(
    fc.record({
      name: fc.stringMatching(/^[ax]-[a-z]{1,3}(-[a-z]{1,3})?$/u),
      result: fc.constantFrom("'Known'", "[ 'Known' ]", "'Inner'", "'Own'", "[ 'Own' ]"),
      own: fc.constantFrom("'Known'", "'Inner'", "[ 'Inner' ]", "'bool'"),
    }),
    { minLength: 1, maxLength: 4, selector: ({ name }) => name },
  )
  .map((commands) =>
    commands
      .map(({ name, result, own }, index) => {
        const struct = `{ 'struct': 'Own${index}', 'data': { 'part': ${own}, 'more': 'Flag${index}' } }`;
        const flag = `{ 'enum': 'Flag${index}', 'data': [ 'on', 'off' ] }`;
        return `${flag} ${struct} { 'command': '${name}', 'data': { 'a': ${own} }, 'returns': ${result.replace('Own', `Own${index}`)} }`;
      })
      .join('\n'),
  );

test('names stay when the server gains commands', () => {
  const anchor = `{ 'struct': 'Inner', 'data': { 'i': 'uint8' } } { 'struct': 'Known', 'data': { 'inner': 'Inner' } }
    { 'command': 'known', 'returns': 'Known' } { 'event': 'HAPPENED', 'data': { 'known': [ 'Known' ] } }`;
  const extended = anchor.replace("'inner': 'Inner'", "'inner': 'Inner', 'load': [ 'Load' ], 'mode': 'Mode'");
  const own = `${extended} { 'enum': 'Mode', 'data': [ 'a', 'b' ] } { 'struct': 'Load', 'data': { 'mode': 'Mode', 'i': 'int' } }
    { 'struct': 'Deep', 'data': { 'load': 'Load', 'deeper': 'Deeper' } } { 'struct': 'Deeper', 'data': { 'x': 'str' } }
    { 'command': 'query-deep', 'returns': 'Deep' } { 'command': 'set-deep', 'data': { 'deep': 'Deeper' } }`;
  const linesOf = (text: string): string[] => describeSchema(recovered(schemaOf(text), schemaOf(anchor)).schema);
  const before = linesOf(own);
  expect(before).toContain('Known: inner=Inner, load=[KnownLoadItem], mode=KnownMode');
  fc.assert(
    fc.property(additions, (further) => {
      expect(linesOf(`${own}\n${further}`)).toEqual(expect.arrayContaining(before));
    }),
    { numRuns: 100 },
  );
});

describe('of any schema', () => {
  const dialect = dialectOf('10.2');
  const any = schemas(dialect).map(({ files }) => schemaOf(files));

  it('beside any other, has the same introspection, and emits code', () => {
    fc.assert(
      fc.property(any, any, (schema, anchor) => {
        const { schema: found } = recovered(schema, anchor);
        expect(introspected(found)).toEqual(introspected(schema));
        let code: Record<string, string>;
        try {
          code = codeOf(found);
        } catch (error) {
          // Names may clash in TypeScript.
          if (error instanceof SchemaError) return;
          throw error;
        }
        for (const text of Object.values(code)) readEmitted(text);
      }),
      { numRuns: 100 },
    );
  });

  it('is refused if types without names are nested so deeply that their names become too long', () => {
    const count = 20_000;
    const infos = [
      { name: 'c', 'meta-type': 'command', 'arg-type': 'end', 'ret-type': '0' },
      ...Array.from({ length: count }, (_, index) => {
        const type = index === count - 1 ? 'end' : String(index + 1);
        return { name: String(index), 'meta-type': 'object', members: [{ name: 'next', type }] };
      }),
      { name: 'end', 'meta-type': 'object', members: [] },
    ];
    const server = readIntrospection(infos);
    expect(() => recover(server, schemaOf(`{ 'command': 'd' }`))).toThrow('types are nested too deeply');
  });
});
