/** Merging the schemas of several versions into one: what the merged schema says, and that it says it of each version. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { conditionTest } from '../generator/src/condition.js';
import { embeddedRoot, embeddedVersions, servers, type Server } from '../generator/src/embedded.js';
import { emitPackage } from '../generator/src/emit/package.js';
import { lenient } from '../generator/src/frontend/dialect.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import { introspect } from '../generator/src/introspect.js';
import type { Definition, Member, Schema, Type } from '../generator/src/model.js';
import { merge } from '../generator/src/model/merge.js';
import { only } from '../generator/src/model/only.js';
import { formatVersions } from '../generator/src/model/versions.js';
import { renumbered } from './support/renumbered.js';
import { schemaOf } from './support/schema.js';
import { schemas, type SchemaFiles } from './support/schemas.js';

/** Merges schemas, given as text, as the versions 1.0, 2.0 and so on. */
function merged(...texts: readonly string[]): Schema {
  return merge(texts.map((text, index) => ({ version: `${index + 1}.0.0`, schema: schemaOf(text) })));
}

/** Returns the parts of a merged schema as lines: each with its type, and the versions that have it. */
function linesOf({ definitions, versions = [] }: Schema): string[] {
  const lines: string[] = [];
  const during = (set: number | undefined): string => (set === undefined ? '' : ` ${formatVersions(set, versions)}`);
  const typeOf = (type: Type | undefined): string => {
    if (!type) return 'nothing';
    if (type.kind === 'builtin') return type.name;
    if (type.kind === 'array') return `[${typeOf(type.element)}]`;
    const { variants } = type;
    const isPlace = 'implicit' in type && type.implicit !== undefined;
    if (isPlace && variants) return variants.map((one) => `${typeOf(one.type)}${during(one.in)}`).join(' | ');
    return isPlace && type.implicit ? type.implicit : type.name;
  };
  const memberOf = (owner: string, { name, type, optional, optionalIn, in: set }: Member): string => {
    const flips = optionalIn === undefined ? '' : `, optional${optionalIn === 0 ? ' never' : during(optionalIn)}`;
    return `${owner}.${name}${optional ? '?' : ''}: ${typeOf(type)}${during(set)}${flips}`;
  };
  const add = (name: string, definition: Definition): void => {
    switch (definition.kind) {
      case 'enum':
        for (const value of definition.values) lines.push(`${name} ${value.name}${during(value.in)}`);
        break;
      case 'struct':
        if (definition.base) lines.push(`${name} extends ${typeOf(definition.base)}`);
        for (const member of definition.members) lines.push(memberOf(name, member));
        break;
      case 'union':
        for (const member of definition.base.members) lines.push(memberOf(name, member));
        for (const branch of definition.branches) {
          lines.push(`${name}(${branch.name}): ${typeOf(branch.type)}${during(branch.in)}`);
        }
        break;
      case 'alternate':
        for (const one of definition.alternatives) lines.push(`${name}: ${typeOf(one.type)}${during(one.in)}`);
        break;
      case 'command':
        lines.push(`${name}(${typeOf(definition.arguments)}): ${typeOf(definition.returns)}${during(definition.in)}`);
        if (definition.arguments?.kind === 'struct' && definition.arguments.implicit === 'arguments') {
          for (const member of definition.arguments.members) lines.push(memberOf(name, member));
        }
        break;
      case 'event':
        lines.push(`${name}: ${typeOf(definition.data)}${during(definition.in)}`);
        break;
    }
  };
  for (const definition of definitions.values()) {
    const forms = definition.variants;
    if (!forms) add(definition.name, definition);
    for (const form of forms ?? []) add(`${definition.name}${during(form.in)}`, form.type as Definition);
  }
  return lines;
}

const use = "{ 'command': 'c', 'data': { 'x': 'T' } }";

const rules: { title: string; schemas: string[]; want: string[] }[] = [
  {
    title: 'a command, event, member, value or branch knows the versions that have it',
    schemas: [
      "{ 'enum': 'T', 'data': [ 'a', 'old' ] } { 'command': 'c', 'data': { 'x': 'T', '*gone': 'int' } } { 'event': 'OLD' }",
      "{ 'enum': 'T', 'data': [ 'a', 'new' ] } { 'command': 'c', 'data': { 'x': 'T', '*more': 'int' } } { 'command': 'd' }",
    ],
    want: [
      'T a',
      'T old ..1.0',
      'T new 2.0..',
      'c(arguments): nothing',
      'c.x: T',
      'c.gone?: int ..1.0',
      'c.more?: int 2.0..',
      'OLD: nothing ..1.0',
      'd(nothing): nothing 2.0..',
    ],
  },
  {
    title: 'what was removed and added again has gaps',
    schemas: ["{ 'command': 'c' } { 'command': 'd' }", "{ 'command': 'c' }", "{ 'command': 'c' } { 'command': 'd' }"],
    want: ['c(nothing): nothing', 'd(nothing): nothing ..1.0, 3.0..'],
  },
  {
    title: 'a type that was removed and added again is one type',
    schemas: [
      "{ 'struct': 'T', 'data': { 'a': 'int' } } { 'command': 'c', 'data': 'T' }",
      "{ 'command': 'c' }",
      "{ 'struct': 'T', 'data': { 'a': 'int', 'b': 'int' } } { 'command': 'c', 'data': 'T' }",
    ],
    want: ['T.a: int', 'T.b?: int 3.0.., optional never', 'c(T ..1.0, 3.0..): nothing'],
  },
  {
    title: 'a member is mandatory if every version that has its owner makes it so',
    schemas: [
      "{ 'struct': 'T', 'data': { 'same': 'int', '*grew': 'int', 'shrank': 'int', '*never': 'int' } }" + use,
      "{ 'struct': 'T', 'data': { 'same': 'int', 'grew': 'int', '*shrank': 'int', '*never': 'int', 'newer': 'int' } }" +
        use,
    ],
    want: [
      'T.same: int',
      'T.grew?: int, optional ..1.0',
      'T.shrank?: int, optional 2.0..',
      'T.never?: int',
      'T.newer?: int 2.0.., optional never',
      'c(arguments): nothing',
      'c.x: T',
    ],
  },
  {
    title: 'a member of an owner that is as new is mandatory',
    schemas: [
      "{ 'command': 'c' }",
      "{ 'command': 'c' } { 'struct': 'N', 'data': { 'a': 'int' } } { 'command': 'd', 'data': 'N' }",
    ],
    want: ['c(nothing): nothing', 'N.a: int', 'd(N): nothing 2.0..'],
  },
  {
    title: 'types that differ are joined, each with its versions',
    schemas: [
      "{ 'struct': 'R', 'data': {} } { 'command': 'c', 'data': { 'i': 'int', 's': 'str', 'l': [ 'str' ], 'm': 'str' }, 'returns': 'R' }",
      "{ 'struct': 'R', 'data': {} } { 'enum': 'E', 'data': [ 'a' ] } { 'command': 'c', 'data': { 'i': 'uint8', 's': 'E', 'l': [ 'E' ], 'm': [ 'str' ] }, 'returns': [ 'R' ] }",
    ],
    want: [
      'E a',
      'c(arguments): R ..1.0 | [R] 2.0..',
      'c.i: int ..1.0 | uint8 2.0..',
      'c.s: str ..1.0 | E 2.0..',
      'c.l: [str ..1.0 | E 2.0..]',
      'c.m: str ..1.0 | [str] 2.0..',
    ],
  },
  {
    title: 'arguments that a version lacks are optional',
    schemas: ["{ 'command': 'c' }", "{ 'command': 'c', 'data': { 'a': 'int', '*b': 'int' } }"],
    want: ['c(arguments 2.0..): nothing', 'c.a?: int 2.0.., optional never', 'c.b?: int 2.0..'],
  },
  {
    title: 'a renamed type is one type, with the newest name',
    schemas: [
      "{ 'enum': 'OldAlgorithm', 'data': [ 'a' ] } { 'command': 'c', 'data': { 'x': 'OldAlgorithm' } }",
      "{ 'enum': 'Algo', 'data': [ 'a', 'b' ] } { 'command': 'c', 'data': { 'x': 'Algo' } }",
    ],
    want: ['Algo a', 'Algo b 2.0..', 'c(arguments): nothing', 'c.x: Algo'],
  },
  {
    title: 'two types of one version never become one',
    schemas: [
      "{ 'struct': 'Set', 'data': { 'a': 'int' } } { 'struct': 'Get', 'data': { 'a': 'int', 'b': 'int' } }" +
        "{ 'command': 'set', 'data': 'Set' } { 'command': 'get', 'returns': 'Get' }",
      "{ 'struct': 'Get', 'data': { '*a': 'int', '*b': 'int' } } { 'command': 'set', 'data': 'Get' } { 'command': 'get', 'returns': 'Get' }",
    ],
    want: [
      'Get.a?: int, optional 2.0..',
      'Get.b?: int, optional 2.0..',
      'set(Set ..1.0 | Get 2.0..): nothing',
      'get(nothing): Get',
      'Set.a: int',
    ].toSorted(),
  },
  {
    title: 'a struct that became a union has both forms',
    schemas: [
      "{ 'struct': 'T', 'data': { 'a': 'int' } } { 'command': 'c', 'returns': 'T' }",
      "{ 'enum': 'K', 'data': [ 'x' ] } { 'struct': 'X', 'data': { 'b': 'int' } }" +
        "{ 'union': 'T', 'base': { 'a': 'int', 'kind': 'K' }, 'discriminator': 'kind', 'data': { 'x': 'X' } } { 'command': 'c', 'returns': 'T' }",
    ],
    want: ['K x', 'X.b: int', 'T 2.0...a: int', 'T 2.0...kind: K', 'T 2.0..(x): X', 'T ..1.0.a: int', 'c(nothing): T'],
  },
  {
    title: 'a base that is not the same in all versions is replaced by its members',
    schemas: [
      "{ 'struct': 'T', 'data': { 'a': 'int', 'b': 'int' } }" + use,
      "{ 'struct': 'B', 'data': { 'a': 'int' } } { 'struct': 'T', 'base': 'B', 'data': { 'b': 'int' } }" + use,
    ],
    want: ['B.a: int', 'T.a: int', 'T.b: int', 'c(arguments): nothing', 'c.x: T'],
  },
  {
    title: 'branches know their versions, and each type that they had',
    schemas: [
      "{ 'enum': 'K', 'data': [ 'x', 'y' ] } { 'struct': 'X', 'data': { 'a': 'int' } }" +
        "{ 'union': 'T', 'base': { 'kind': 'K' }, 'discriminator': 'kind', 'data': { 'x': 'X' } }" +
        use,
      "{ 'enum': 'K', 'data': [ 'x', 'y', 'z' ] } { 'struct': 'X', 'data': { 'a': 'int' } } { 'struct': 'Y', 'data': { 'b': 'int' } }" +
        "{ 'union': 'T', 'base': { 'kind': 'K' }, 'discriminator': 'kind', 'data': { 'x': 'X', 'y': 'Y', 'z': 'Y' } }" +
        use,
    ],
    want: [
      'K x',
      'K y',
      'K z 2.0..',
      'X.a: int',
      'Y.b: int',
      'T.kind: K',
      'T(x): X',
      'T(y): Y 2.0..',
      'T(z): Y 2.0..',
      'c(arguments): nothing',
      'c.x: T',
    ],
  },
  {
    title: 'alternatives correspond by the JSON kind of their values',
    schemas: [
      "{ 'struct': 'S', 'data': {} } { 'alternate': 'T', 'data': { 's': 'str' } }" + use,
      "{ 'struct': 'S', 'data': {} } { 'alternate': 'T', 'data': { 'text': 'str', 'o': 'S' } }" + use,
    ],
    want: ['T: str', 'T: S 2.0..', 'c(arguments): nothing', 'c.x: T'],
  },
];

describe('merge', () => {
  it.each(rules)('$title', ({ schemas: texts, want }) => {
    const lines = linesOf(merged(...texts));
    expect(lines.toSorted()).toEqual(want.toSorted());
  });

  it('gives types that do not correspond different names', () => {
    // The only value of T is renamed to U, and another T is new.
    const schema = merged(
      "{ 'command': 'T' }",
      "{ 'struct': 'T', 'data': { 'a': 'int' } } { 'command': 'c', 'data': 'T' }",
    );
    expect([...schema.definitions.keys()].toSorted()).toEqual(['T', 'T_older', 'c']);
  });

  it.each([
    ['merges two versions', 2],
    ['merges the most versions that fit', 31],
  ])('%s', (_, count) => {
    const schema = merged(...Array.from({ length: count }, () => "{ 'command': 'c' }"));
    expect(schema.definitions.get('c')?.in).toBeUndefined();
  });

  it('refuses more versions than fit', () => {
    expect(() => merged(...Array.from({ length: 32 }, () => "{ 'command': 'c' }"))).toThrow('at most 31 versions');
  });

  it('records flags of commands that differ', () => {
    const schema = merged("{ 'command': 'c', 'allow-oob': true }", "{ 'command': 'c' }");
    expect(schema.definitions.get('c')).toMatchObject({ allowOob: true, flagsIn: { allowOob: 1 } });
  });

  it('does not wait for a reply that some version does not send', () => {
    const schema = merged("{ 'command': 'c', 'success-response': false }", "{ 'command': 'c' }");
    expect(schema.definitions.get('c')).toMatchObject({ successResponse: false, flagsIn: { successResponse: 2 } });
  });

  it('keeps the conditions of each version, and that of the newest for all', () => {
    const schema = merged("{ 'command': 'c', 'if': 'A' }", "{ 'command': 'c', 'if': 'B' }", "{ 'command': 'c' }");
    expect(schema.definitions.get('c')?.condition).toBeUndefined();
    expect([0, 1, 2].map((index) => only(schema, index).definitions.get('c')?.condition)).toEqual([
      { kind: 'defined', name: 'A' },
      { kind: 'defined', name: 'B' },
      undefined,
    ]);
  });
});

it('says what each of any schemas says', { timeout: 60_000 }, () => {
  const range = fc.array(schemas(lenient), { minLength: 2, maxLength: 4 });
  const check = (all: readonly SchemaFiles[]): void => {
    const versioned = all.map(({ files }, index) => ({ version: `${index + 1}.0.0`, schema: schemaOf(files) }));
    const whole = merge(versioned);
    for (const [index, { schema }] of versioned.entries()) {
      for (const holds of [conditionTest([]), conditionTest(['CONFIG_A'])]) {
        expect(renumbered(introspect(only(whole, index), holds))).toEqual(renumbered(introspect(schema, holds)));
      }
    }
  };
  // Shrinking such large values would take hours.
  fc.assert(fc.property(range, check), { numRuns: 40, endOnFailure: true });
});

// Real versions

const versions = embeddedVersions();
const loaded = new Map<string, Schema>();

function load(version: string, server: Server): Schema {
  const root = embeddedRoot(version, server);
  const known = loaded.get(root) ?? loadSchema(root);
  loaded.set(root, known);
  return known;
}

function rangeOf(server: Server, some: readonly string[]): Schema {
  return merge(some.map((version) => ({ version, schema: load(version, server) })));
}

/** All versions, all versions but the oldest, and each pair of neighbours. */
const ranges = [
  versions,
  versions.slice(1),
  ...versions.slice(1).map((version, index) => [versions[index] ?? '', version]),
];

describe.each(servers)('the schemas of $title', (server) => {
  it.each(ranges.map((some) => [some.join(', '), some] as const))('are those of each version again: %s', (_, some) => {
    const range = rangeOf(server, some);
    for (const [index, version] of some.entries()) {
      for (const define of [[], ['CONFIG_LINUX', 'CONFIG_TPM', 'TARGET_I386']]) {
        const holds = conditionTest(define);
        expect(renumbered(introspect(only(range, index), holds)), version).toEqual(
          renumbered(introspect(load(version, server), holds)),
        );
      }
    }
  });

  it.each([versions[0] ?? '', versions.at(-1) ?? ''])('of QEMU %s merged with themselves are the same', (version) => {
    const schema = load(version, server);
    const { versions: _, ...same } = rangeOf(server, [version, version]);
    const options = { origin: 'a test', generator: '0.0.0', docs: false, define: [] };
    const withoutHeaders = (files: Map<string, string>): [string, string][] =>
      [...files].map(([name, text]) => [name, text.slice(text.indexOf('\n'))]);
    expect(withoutHeaders(emitPackage(same, options))).toEqual(withoutHeaders(emitPackage(schema, options)));
  });
});

it('makes the code at most 1.3 times as long as that of the newest version', () => {
  const [server] = servers;
  if (!server) throw new Error('there are no servers');
  const lengthOf = (schema: Schema): number => {
    const files = emitPackage(schema, { origin: 'a test', generator: '0.0.0', docs: false });
    return [...files.values()].reduce((sum, text) => sum + text.length, 0);
  };
  expect(lengthOf(rangeOf(server, versions))).toBeLessThan(1.3 * lengthOf(load(versions.at(-1) ?? '', server)));
});

it('takes less time than reading the schemas', () => {
  const [server] = servers;
  if (!server) throw new Error('there are no servers');
  const timeOf = <T>(action: () => T): { time: number; result: T } => {
    const begin = process.cpuUsage();
    const result = action();
    const { user, system } = process.cpuUsage(begin);
    return { time: user + system, result };
  };
  // The first of each is slower, because the engine has yet to compile the code.
  const times = [0, 1].map(() => {
    const reading = timeOf(() =>
      versions.map((version) => ({ version, schema: loadSchema(embeddedRoot(version, server)) })),
    );
    return { read: reading.time, merge: timeOf(() => merge(reading.result)).time };
  });
  const least = (key: 'read' | 'merge'): number => Math.min(...times.map((time) => time[key]));
  expect(least('merge')).toBeLessThan(least('read'));
});
