/** Comparisons of schemas to servers. */

import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { conditionNames, conditionTest } from '../../generator/src/condition.js';
import { formatUse, type Change } from '../../generator/src/diff/change.js';
import type { Conditions } from '../../generator/src/diff/conditions.js';
import { drift, driftOf, type DriftOptions, type DriftReport } from '../../generator/src/diff/drift.js';
import { loadVersion } from '../../generator/src/diff/input.js';
import { wireOfIntrospection } from '../../generator/src/diff/wire.js';
import { currentVersion, type ServerName } from '../../generator/src/embedded.js';
import { loadSchema } from '../../generator/src/frontend/load.js';
import { introspect } from '../../generator/src/introspect.js';
import type { Schema } from '../../generator/src/model.js';
import { repository } from '../support/compile.js';
import { schemaOf } from '../support/schema.js';
import { temporaryFolder } from '../support/servers.js';
import { sharedFile } from '../support/shared.js';

const names = ['A', 'B', 'C', 'D'];

/** Returns lines such as `CONFIG_X: value a of c: arguments.b` for parts that are missing because of conditions. */
function lacking({ conditional }: Pick<DriftReport, 'conditional'>): string[] {
  return conditional.flatMap(({ condition: text, parts }) =>
    parts.map(({ kind, name, use }) => `${text}: ${kind} ${name}${use ? ` of ${formatUse(use)}` : ''}`),
  );
}

/** Returns lines such as `member-removed c: arguments.b`. */
function briefly(changes: readonly Change[]): string[] {
  return changes.map(({ kind, uses }) => `${kind} ${formatUse(uses[0])}`);
}

function embedded(version: string, name: ServerName = 'qmp'): Schema {
  return loadVersion(version, name).schema;
}

/** Returns the introspection of a server that is built from a schema. @param defined the conditions that hold */
function built(schema: Schema, defined: readonly string[]): ReturnType<typeof wireOfIntrospection> {
  return wireOfIntrospection(introspect(schema, conditionTest(['always', ...defined])));
}

const hosts = [
  ['CONFIG_LINUX', 'CONFIG_POSIX'],
  ['CONFIG_WIN32'],
  ['CONFIG_FREEBSD', 'CONFIG_POSIX'],
  ['CONFIG_POSIX'],
];

/** Generates sets of conditions that hold on one of the hosts. */
function builds(all: readonly string[]): fc.Arbitrary<string[]> {
  const others = fc.subarray(all.filter((name) => !hosts.flat().includes(name)));
  return fc
    .tuple(fc.constantFrom(...hosts), others)
    .map(([host, defined]) => [...host.filter((name) => all.includes(name)), ...defined]);
}

/** Returns whether all types exist that a build refers to: some conditions depend on others. */
function isWhole(schema: Schema, defined: readonly string[]): boolean {
  try {
    built(schema, defined);
    return true;
  } catch {
    return false;
  }
}

const schema = schemaOf(`
  { 'enum': 'Kind', 'data': [ 'plain', { 'name': 'a', 'if': 'A' }, { 'name': 'ab', 'if': { 'all': [ 'A', 'B' ] } } ] }
  { 'struct': 'OfA', 'data': { '*x': { 'type': 'Kind', 'features': [ { 'name': 'f', 'if': 'B' } ] } } }
  { 'struct': 'Base', 'data': { 'kind': 'Kind', '*base': { 'type': 'int', 'if': 'C' } } }
  { 'union': 'Union', 'base': 'Base', 'discriminator': 'kind',
    'data': { 'a': { 'type': 'OfA', 'if': 'A' }, 'plain': { 'type': 'OfA', 'if': 'D' } } }
  { 'alternate': 'Alternate', 'data': { 'o': 'OfA', 'n': 'null', 'i': { 'type': 'int', 'if': { 'not': 'C' } } },
    'features': [ { 'name': 'g', 'if': { 'any': [ 'A', 'B' ] } } ] }
  { 'command': 'always', 'data': { '*u': [ 'Union' ], '*d': { 'type': 'Alternate', 'if': { 'any': [ 'C', 'D' ] } } } }
  { 'command': 'quite', 'returns': 'Base', 'features': [ 'deprecated', { 'name': 'h', 'if': { 'not': 'D' } } ] }
  { 'command': 'sometimes', 'if': 'D' }
  { 'event': 'SOMETIMES', 'if': { 'all': [ 'C', { 'not': 'D' } ] }, 'data': 'Base' }
`);

describe('a build', () => {
  test.each<{ defined: string[]; conditions: Partial<Conditions>; want: string[] }>([
    {
      defined: ['A', 'B', 'C', 'D'],
      conditions: { has: names },
      want: ['!C: alternative number of always: arguments.d', '!D: feature h of quite', 'C && !D: event SOMETIMES'],
    },
    {
      // Everything that depends on B is nested in missing parts.
      defined: [],
      conditions: { lacks: ['A', 'C', 'D'], undecided: ['B'] },
      want: [
        'A: value a of quite: result.kind',
        'A && B: value ab of quite: result.kind',
        'C: member base of quite: result',
        'C && !D: event SOMETIMES',
        'C || D: member d of always: arguments',
        'D: command sometimes',
        'D: branch plain of always: arguments.u[]',
      ],
    },
    {
      defined: ['D'],
      conditions: { has: ['D'], lacks: ['A', 'B', 'C'] },
      want: [
        '!D: feature h of quite',
        'A: value a of quite: result.kind',
        'A && B: value ab of quite: result.kind',
        'A || B: feature g of always: arguments.d',
        'B: feature f of always: arguments.u[](kind=plain).x',
        'C: member base of quite: result',
        'C && !D: event SOMETIMES',
      ],
    },
  ])('of $defined', ({ defined, conditions: found, want }) => {
    const report = driftOf(schema, built(schema, defined));
    expect(report.changes).toEqual([]);
    expect(report.conditions).toEqual({ has: [], lacks: [], undecided: [], contradicted: [], ...found });
    expect(lacking(report)).toEqual(want);
  });

  test('is distinguished from another version, whatever its conditions', () => {
    fc.assert(
      fc.property(fc.subarray(names), (defined) => {
        const { changes, conditions: found } = driftOf(schema, built(schema, defined));
        expect(changes).toEqual([]);
        expect(found.contradicted).toEqual([]);
        expect(found.has.filter((name) => !defined.includes(name))).toEqual([]);
        expect(found.lacks.filter((name) => defined.includes(name))).toEqual([]);
      }),
    );
  });

  test.each([
    { version: '10.2', server: 'qmp', numRuns: 5 },
    { version: '10.0', server: 'qsd', numRuns: 5 },
    { version: '10.2', server: 'qga', numRuns: 20 },
    { version: '7.2', server: 'qmp', numRuns: 5 },
  ] as const)('of $version ($server)', ({ version, server, numRuns }) => {
    const whole = embedded(version, server);
    fc.assert(
      fc.property(builds([...conditionNames(whole)]), (defined) => {
        fc.pre(isWhole(whole, defined));
        const { changes, conditions: found } = driftOf(whole, built(whole, defined));
        expect(briefly(changes)).toEqual([]);
        expect(found.contradicted).toEqual([]);
        expect(found.has.filter((name) => !defined.includes(name))).toEqual([]);
        expect(found.lacks.filter((name) => defined.includes(name))).toEqual([]);
      }),
      { numRuns },
    );
  });
});

test('a server is not described as newer than the schema', () => {
  const ours = `
    { 'command': 'newer', 'features': [ 'deprecated' ] } { 'event': 'NEWER' }
    { 'enum': 'E', 'data': [ 'a', { 'name': 'newer', 'features': [ 'unstable' ] }, { 'name': 'f', 'features': [ 'x' ] } ] }
    { 'alternate': 'A', 'data': { 's': 'str', 'l': [ 'str' ] } }
    { 'command': 'c', 'returns': 'R', 'allow-oob': true, 'features': [ 'deprecated' ],
      'data': { '*newer': 'int', 'a': 'int', '*b': 'int', 'e': 'E', 't': [ 'str' ], 'alternate': 'A' } }
    { 'struct': 'R', 'data': { 'a': 'int', 'newer': 'int' } }
    { 'command': 'd', 'returns': 'R' } { 'command': 'e' }`;
  const theirs = `
    { 'command': 'older' } { 'event': 'OLDER' }
    { 'enum': 'E', 'data': [ 'a', 'older', { 'name': 'f', 'features': [ 'y' ] } ] }
    { 'alternate': 'A', 'data': { 's': 'str', 'o': 'R' } }
    { 'command': 'c', 'returns': 'R',
      'data': { '*older': 'int', '*a': 'int', 'b': 'int', 'e': 'E', 't': [ 'int' ], 'alternate': 'A' } }
    { 'struct': 'R', 'data': { 'a': 'int', '*older': 'int' } }
    { 'command': 'd' } { 'command': 'e', 'returns': 'R', 'allow-oob': true, 'features': [ 'unstable' ] }`;
  const { changes } = driftOf(schemaOf(ours), built(schemaOf(theirs), []));
  expect(changes.map(({ text, uses: [use] }) => `${formatUse(use)}: ${text}`)).toMatchInlineSnapshot(`
    [
      "newer: the command is missing from the server (in the schema, it is deprecated)",
      "c: the command is not deprecated on the server",
      "c: the command cannot be called out of band on the server: out-of-band calls are rejected",
      "c: arguments.newer: argument 'newer' is missing from the server: calls that pass it are rejected",
      "c: arguments.a: argument 'a' is optional on the server",
      "c: arguments.b: argument 'b' is mandatory on the server: calls that omit it are rejected",
      "c: arguments.t[]: each element of argument 't' is 'int' on the server, but 'str' in the schema: some values are rejected",
      "c: arguments.older: optional argument 'older' is missing from the schema",
      "c: arguments.e: 'newer' is a value of 'E' only in the schema, where it is unstable: calls that pass it are rejected",
      "c: arguments.e: value 'f' of 'E' lacks the feature 'x' on the server: programs that check for it do not find it",
      "c: arguments.e: value 'f' of 'E' has the feature 'y' only on the server",
      "c: arguments.e: 'older' is a value of 'E' only on the server",
      "c: arguments.alternate: the alternative of kind 'array' of 'A' is missing from the server: calls that pass it are rejected",
      "c: arguments.alternate: the alternative of kind 'object' of 'A' is missing from the schema",
      "c: result.newer: result member 'newer' is missing from the server",
      "c: result.older: result member 'older' is missing from the schema",
      "d: result: the result is missing from the server; in the schema, it is object 'R'",
      "e: the command is unstable on the server: any version may change it",
      "e: the command can be called out of band on the server",
      "e: result: the result is missing from the schema; on the server, it is an object",
      "older: the command is missing from the schema",
      "NEWER: the event is missing from the server",
      "OLDER: the event is missing from the schema",
    ]
  `);
});

describe('a host', () => {
  const each = `{ 'command': 'linux', 'if': 'CONFIG_LINUX' } { 'command': 'posix', 'if': 'CONFIG_POSIX' }
    { 'command': 'windows', 'if': 'CONFIG_WIN32' } { 'command': 'windows-too', 'if': 'CONFIG_WIN32' }
    { 'command': 'not-windows', 'if': { 'not': 'CONFIG_WIN32' } } { 'command': 'freebsd', 'if': 'CONFIG_FREEBSD' }
    { 'command': 'always' }`;
  test.each<{
    title: string;
    server: string[];
    changes?: string[];
    lacking: string[];
    conditions: Partial<Conditions>;
  }>([
    {
      title: 'Linux, and another version that has a Windows command on all hosts',
      server: ['linux', 'posix', 'not-windows', 'windows'],
      lacking: ['CONFIG_FREEBSD: command freebsd', 'CONFIG_WIN32: command windows-too'],
      conditions: { has: ['CONFIG_LINUX', 'CONFIG_POSIX'], lacks: ['CONFIG_FREEBSD', 'CONFIG_WIN32'] },
    },
    {
      title: 'Windows, and another version that has a Linux command on all hosts',
      server: ['windows', 'windows-too', 'linux'],
      lacking: ['!CONFIG_WIN32: command not-windows', 'CONFIG_FREEBSD: command freebsd', 'CONFIG_POSIX: command posix'],
      conditions: { has: ['CONFIG_WIN32'], lacks: ['CONFIG_FREEBSD', 'CONFIG_LINUX', 'CONFIG_POSIX'] },
    },
    {
      title: 'Linux, and another version that lacks a command',
      server: ['linux', 'posix'],
      changes: ['command-removed not-windows'],
      lacking: [
        'CONFIG_FREEBSD: command freebsd',
        'CONFIG_WIN32: command windows',
        'CONFIG_WIN32: command windows-too',
      ],
      conditions: { has: ['CONFIG_LINUX', 'CONFIG_POSIX'], lacks: ['CONFIG_FREEBSD', 'CONFIG_WIN32'] },
    },
    {
      title: 'as much evidence for Linux as for Windows',
      server: ['linux', 'windows'],
      changes: ['command-removed posix', 'command-removed windows-too', 'command-removed not-windows'],
      lacking: ['CONFIG_FREEBSD: command freebsd'],
      conditions: { lacks: ['CONFIG_FREEBSD'], contradicted: ['CONFIG_LINUX', 'CONFIG_POSIX', 'CONFIG_WIN32'] },
    },
    {
      title: 'known only not to be Windows',
      server: ['posix', 'not-windows'],
      lacking: [
        'CONFIG_FREEBSD: command freebsd',
        'CONFIG_LINUX: command linux',
        'CONFIG_WIN32: command windows',
        'CONFIG_WIN32: command windows-too',
      ],
      conditions: { has: ['CONFIG_POSIX'], lacks: ['CONFIG_FREEBSD', 'CONFIG_LINUX', 'CONFIG_WIN32'] },
    },
  ])('$title', ({ server, changes = [], ...want }) => {
    const commands = ['always', ...server].map((name) => `{ 'command': '${name}' }`).join(' ');
    const report = driftOf(schemaOf(each), built(schemaOf(commands), []));
    expect(briefly(report.changes)).toEqual(changes);
    expect(lacking(report)).toEqual(want.lacking);
    expect(report.conditions).toEqual({ has: [], lacks: [], undecided: [], contradicted: [], ...want.conditions });
  });
});

describe('a build of another version is never taken for one of another host', () => {
  const [linux = [], windows = [], freebsd = [], macos = []] = hosts;
  const hostNames = new Set(hosts.flat());
  test.each<{ name: string; host: readonly string[]; version: string; server: ServerName; isUnknown?: boolean }>([
    { name: 'Linux', host: linux, version: '7.2', server: 'qmp' },
    { name: 'Windows', host: windows, version: '7.2', server: 'qmp' },
    { name: 'FreeBSD', host: freebsd, version: '7.2', server: 'qmp' },
    { name: 'macOS', host: macos, version: '7.2', server: 'qmp' },
    { name: 'Linux', host: linux, version: '10.0', server: 'qmp' },
    { name: 'Windows', host: windows, version: '10.0', server: 'qmp' },
    { name: 'FreeBSD', host: freebsd, version: '10.0', server: 'qmp' },
    { name: 'macOS', host: macos, version: '10.0', server: 'qmp' },
    { name: 'Linux', host: linux, version: '7.2', server: 'qsd' },
    { name: 'Windows', host: windows, version: '7.2', server: 'qsd' },
    // It has three parts that are only on POSIX now and two that are only on Windows, and lacks newer ones of POSIX.
    { name: 'FreeBSD', host: freebsd, version: '7.2', server: 'qsd', isUnknown: true },
    { name: 'macOS', host: macos, version: '7.2', server: 'qsd', isUnknown: true },
    { name: 'Linux', host: linux, version: '10.0', server: 'qsd' },
    { name: 'Windows', host: windows, version: '10.0', server: 'qsd' },
    { name: 'FreeBSD', host: freebsd, version: '10.0', server: 'qsd' },
    { name: 'macOS', host: macos, version: '10.0', server: 'qsd' },
  ])('$server $version on $name', ({ host, version, server, isUnknown = false }) => {
    const [newer, older] = [embedded('10.2', server), embedded(version, server)];
    const ofHosts = (all: Iterable<string>): string[] => [...all].filter((name) => hostNames.has(name)).toSorted();
    const named = ofHosts(conditionNames(newer));
    const others = [...conditionNames(older)].filter((name) => !hostNames.has(name));
    for (const defined of [host, [...host, ...others]]) {
      const { has, lacks, contradicted } = driftOf(newer, built(older, defined)).conditions;
      const unknown = isUnknown ? ['CONFIG_POSIX', 'CONFIG_WIN32'] : [];
      const known = named.filter((name) => !unknown.includes(name));
      expect({ has: ofHosts(has), lacks: ofHosts(lacks), contradicted: ofHosts(contradicted) }).toEqual({
        has: known.filter((name) => host.includes(name)),
        lacks: known.filter((name) => !host.includes(name)),
        contradicted: unknown,
      });
    }
  });
});

describe('another version', () => {
  const two = `
    { 'command': 'one', 'if': 'A' } { 'command': 'two', 'if': 'A' } { 'command': 'three', 'if': 'A' }
    { 'command': 'other', 'if': 'B' } { 'command': 'always' }`;
  test.each<{ title: string; server: string; changes: string[]; lacking: string[]; conditions: Partial<Conditions> }>([
    {
      title: 'a command with a condition was removed',
      server: `{ 'command': 'one' } { 'command': 'two' } { 'command': 'always' }`,
      changes: ['command-removed three'],
      lacking: ['B: command other'],
      conditions: { has: ['A'], lacks: ['B'] },
    },
    {
      title: 'most commands with a condition were removed',
      server: `{ 'command': 'one' } { 'command': 'always' }`,
      changes: ['command-removed two', 'command-removed three'],
      lacking: ['B: command other'],
      conditions: { lacks: ['B'], contradicted: ['A'] },
    },
    {
      title: 'a command without a condition was removed, and another is new',
      server: `{ 'command': 'one' } { 'command': 'two' } { 'command': 'three' } { 'command': 'new' }`,
      changes: ['command-removed always', 'command-added new'],
      lacking: ['B: command other'],
      conditions: { has: ['A'], lacks: ['B'] },
    },
  ])('$title', ({ server, ...want }) => {
    const report = driftOf(schemaOf(two), built(schemaOf(server), []));
    expect(briefly(report.changes)).toEqual(want.changes);
    expect(lacking(report)).toEqual(want.lacking);
    expect(report.conditions).toEqual({ has: [], lacks: [], undecided: [], contradicted: [], ...want.conditions });
  });

  test('parts that exist under contradictory conditions are kept', () => {
    const report = driftOf(
      schemaOf(`{ 'command': 'a', 'if': 'A' } { 'command': 'b', 'if': { 'not': 'A' } }`),
      built(schemaOf(`{ 'command': 'a' } { 'command': 'b' }`), []),
    );
    expect(report.changes).toEqual([]);
    expect(report.conditions.contradicted).toEqual(['A']);
  });

  test('a value that exists in one place but not in another is not due to a condition', () => {
    const report = driftOf(
      schemaOf(`{ 'enum': 'E', 'data': [ 'e', { 'name': 'f', 'if': 'A' } ] }
        { 'command': 'c', 'data': { 'm': 'E' } } { 'command': 'd', 'data': { 'm': 'E' } }`),
      built(
        schemaOf(`{ 'enum': 'E', 'data': [ 'e', 'f' ] } { 'enum': 'F', 'data': [ 'e' ] }
        { 'command': 'c', 'data': { 'm': 'E' } } { 'command': 'd', 'data': { 'm': 'F' } }`),
        [],
      ),
    );
    expect(briefly(report.changes)).toEqual(['value-removed d: arguments.m']);
    expect(report.conditional).toEqual([]);
    expect(report.conditions.contradicted).toEqual(['A']);
  });

  test('branches of another discriminator are not evidence', () => {
    const unionBy = (discriminator: string): Schema =>
      schemaOf(`{ 'enum': 'E', 'data': [ 'a', 'b' ] } { 'struct': 'B', 'data': { 'x': 'int' } }
        { 'union': 'U', 'base': { 'd': 'E', 'e': 'E' }, 'discriminator': '${discriminator}',
          'data': { 'b': { 'type': 'B', 'if': 'A' } } }
        { 'command': 'c', 'data': 'U', 'boxed': true }`);
    expect(driftOf(unionBy('d'), built(unionBy('d'), ['A'])).conditions.has).toEqual(['A']);
    expect(driftOf(unionBy('d'), built(unionBy('e'), ['A'])).conditions.undecided).toEqual(['A']);
  });

  test('types of another kind are not evidence', () => {
    const report = driftOf(
      schemaOf(`{ 'enum': 'E', 'data': [ 'e', { 'name': 'f', 'if': 'A' } ] } { 'command': 'c', 'data': { 'm': 'E' } }`),
      built(schemaOf(`{ 'command': 'c', 'data': { 'm': 'str' } }`), []),
    );
    expect(briefly(report.changes)).toEqual(['type-changed c: arguments.m']);
    expect(report.conditions.undecided).toEqual(['A']);
  });
});

/** Conditions that Debian's builds for x86 do not meet. */
const foreign = ['CONFIG_BLKIO', 'CONFIG_COCOA', 'CONFIG_VMNET', 'TARGET_ARM', 'TARGET_S390X'];
const later = [
  ...['CONFIG_AF_XDP', 'CONFIG_AUDIO_COREAUDIO', 'CONFIG_AUDIO_DSOUND', 'CONFIG_AUDIO_SNDIO', 'CONFIG_QATZIP'],
  ...['CONFIG_QPL', 'CONFIG_UADK', 'CONFIG_WIN32'],
];
const otherTargets = ['TARGET_LOONGARCH64', 'TARGET_MIPS', 'TARGET_PPC'];
const realReplies: {
  reply: string;
  qemu: string;
  server: ServerName;
  lacks: string[];
  undecided: string[];
  changes: string[];
}[] = [
  { reply: 'qmp-7.2', qemu: '7.2', server: 'qmp', lacks: foreign, undecided: otherTargets, changes: [] },
  { reply: 'qsd-7.2', qemu: '7.2', server: 'qsd', lacks: ['CONFIG_BLKIO'], undecided: [], changes: [] },
  {
    reply: 'qmp-10.0',
    qemu: '10.0',
    server: 'qmp',
    lacks: [...foreign, ...later],
    // Only s390x has members for KVM, and the file descriptor also needs libblkio.
    undecided: [...otherTargets, 'TARGET_RISCV', 'CONFIG_KVM', 'CONFIG_BLKIO_VHOST_VDPA_FD'],
    // The server is 10.0.2, which does not have this member yet.
    changes: ['member-removed blockdev-add: arguments(driver=blkdebug).inject-error[].delay-ns'],
  },
  {
    reply: 'qsd-10.0',
    qemu: '10.0',
    server: 'qsd',
    lacks: ['CONFIG_BLKIO', 'CONFIG_WIN32'],
    undecided: ['CONFIG_BLKIO_VHOST_VDPA_FD'],
    changes: ['member-removed blockdev-add: arguments(driver=blkdebug).inject-error[].delay-ns'],
  },
];

describe('replies of real servers', () => {
  for (const { reply, qemu, server, lacks, undecided, changes } of realReplies) {
    const file = sharedFile(`introspection/${reply}.json`, `drift of a real ${reply}`) ?? '';
    describe.skipIf(file === '')(reply, () => {
      test('against its own schema', async () => {
        const report = await drift({ introspection: file, qemu, server });
        expect(briefly(report.changes)).toEqual(changes);
        const has = [...conditionNames(embedded(qemu, server))].filter(
          (name) => ![...lacks, ...undecided].includes(name),
        );
        expect(report.conditions).toEqual({
          has: has.toSorted(),
          lacks: lacks.toSorted(),
          undecided: undecided.toSorted(),
          contradicted: [],
        });
        expect(report.conditional.length).toBeGreaterThan(0);
      });

      test('against the schema of 10.2', async () => {
        const report = await drift({ introspection: file, qemu: '10.2', server });
        const mine = embedded(qemu, server);
        const theirs = embedded('10.2', server);
        const of = ({ definitions }: Schema, kind: string): string[] =>
          [...definitions.values()].filter((one) => one.kind === kind).map(({ name }) => name);
        const namesOf = (kind: string): string[] =>
          report.changes.filter((change) => change.kind === kind).map(({ uses }) => uses[0].name);
        // Commands and events without a condition that only one schema has.
        for (const kind of ['command', 'event']) {
          const added = of(theirs, kind).filter((name) => !of(mine, kind).includes(name));
          const free = added.filter((name) => theirs.definitions.get(name)?.condition === undefined);
          expect(namesOf(`${kind}-removed`)).toEqual(expect.arrayContaining(free));
          const gone = of(mine, kind).filter((name) => !of(theirs, kind).includes(name));
          expect(namesOf(`${kind}-added`).toSorted()).toEqual(
            gone.filter((name) => mine.definitions.get(name)?.condition === undefined || isIn(file, name)).toSorted(),
          );
        }
        expect(report.changes.some(({ verdict }) => verdict === 'breaking')).toBe(true);
      });
    });
  }
});

function isIn(file: string, name: string): boolean {
  return (JSON.parse(readFileSync(file, 'utf8')) as { name: string }[]).some((info) => info.name === name);
}

describe('an agent', () => {
  /** @param commands names, with the properties that are not the default */
  function guestInfo(commands: Record<string, { enabled?: boolean }>): string {
    const infos = Object.entries(commands).map(([name, info]) => ({
      name,
      enabled: true,
      'success-response': true,
      ...info,
    }));
    return JSON.stringify({ return: { version: '10.0.2', supported_commands: infos } });
  }

  const agent = embedded('10.0', 'qga');
  /** Returns the commands of an agent that was built under some conditions, or all. */
  function commandsOf(...defined: string[]): Record<string, object> {
    const holds = conditionTest(defined);
    const commands = [...agent.definitions.values()].filter(({ kind }) => kind === 'command');
    return Object.fromEntries(
      commands.flatMap(({ name, condition: needed }) => (needed && !holds(needed) ? [] : [[name, {}]])),
    );
  }
  const all = commandsOf();

  test('is compared by its commands only', async () => {
    const report = await driftFrom(guestInfo(all), { qemu: '10.0', server: 'qga' });
    expect(report.changes).toEqual([]);
    expect(report).toMatchObject({ new: { kind: 'introspection' }, serverVersion: '10.0.2', conditional: [] });
    expect(report.notes).toEqual([
      'the server is QEMU 10.0.2, which is older than the schema (10.0.13)',
      expect.stringMatching(/agents report only the names of their commands/u),
    ]);
  });

  test('built for Windows', async () => {
    const report = await driftFrom(guestInfo(commandsOf('CONFIG_WIN32')), { qemu: '10.0', server: 'qga' });
    expect(report.changes).toEqual([]);
    expect(report.conditions).toMatchObject({
      has: ['CONFIG_WIN32'],
      lacks: ['CONFIG_FREEBSD', 'CONFIG_GETLOADAVG', 'CONFIG_LINUX'],
      contradicted: [],
    });
    expect(lacking(report)).toEqual(
      expect.arrayContaining(['CONFIG_GETLOADAVG: command guest-get-load', 'CONFIG_LINUX: command guest-get-cpustats']),
    );
  });

  test('with other commands', async () => {
    const { 'guest-ping': _ping, ...others } = all;
    const report = await driftFrom(guestInfo({ ...others, 'guest-new': {} }), { qemu: '10.0', server: 'qga' });
    expect(briefly(report.changes)).toEqual(['command-removed guest-ping', 'command-added guest-new']);
  });

  test('with disabled commands', async () => {
    const commands = { ...all, 'guest-exec': { enabled: false }, 'guest-file-open': { enabled: false } };
    const report = await driftFrom(guestInfo(commands), { qemu: '10.0', server: 'qga' });
    expect(report.changes).toEqual([]);
    expect(report.notes).toContain(
      "disabled by the agent's options, or because its host does not support them: guest-exec, guest-file-open",
    );
  });
});

/** @param text the content of a saved introspection */
async function driftFrom(text: string, options: Omit<DriftOptions, 'introspection'>): Promise<DriftReport> {
  const introspection = join(temporaryFolder(), 'reply.json');
  writeFileSync(introspection, text);
  return drift({ introspection, ...options });
}

describe('an older agent, which has the commands of all hosts', () => {
  const schema10 = embedded('10.2', 'qga');
  const commands = [...schema10.definitions.values()].filter(({ kind }) => kind === 'command');
  /** Returns the reply of an agent before 9.2, which also has the commands of other hosts. */
  const reply = (host: string, disabled: readonly string[]): string =>
    JSON.stringify({
      version: '9.1.0',
      supported_commands: commands.map(({ name, condition }) => ({
        name,
        enabled: !disabled.includes(name) && (!condition || conditionTest([host])(condition)),
        'success-response': true,
      })),
    });

  test.each([
    { host: 'CONFIG_LINUX', not: 'CONFIG_WIN32' },
    { host: 'CONFIG_WIN32', not: 'CONFIG_LINUX' },
  ])('$host', async ({ host, not }) => {
    const report = await driftFrom(reply(host, ['guest-exec']), { server: 'qga', qemu: '10.2' });
    expect(report.changes).toEqual([]);
    expect(report.conditional).toEqual([]);
    expect(report.conditions.has).toContain(host);
    expect(report.conditions.lacks).toContain(not);
    expect(report.conditions.contradicted).toEqual([]);
    expect(report.notes[0]).toBe('the server is QEMU 9.1.0, which is older than the schema (10.2.2)');
  });

  test('guest-get-devices, disabled or not, does not turn Linux into Windows', async () => {
    const there = commands.filter(({ condition }) => !condition || conditionTest(['CONFIG_LINUX'])(condition));
    for (const enabled of [true, false]) {
      const infos = [...there.map(({ name }) => ({ name, enabled: true })), { name: 'guest-get-devices', enabled }];
      const text = JSON.stringify({ version: '7.2.22', supported_commands: infos });
      const { changes, conditions } = await driftFrom(text, { server: 'qga', qemu: '10.2' });
      expect(briefly(changes)).toEqual([]);
      expect(conditions).toMatchObject({ contradicted: [], has: expect.arrayContaining(['CONFIG_LINUX']) });
      expect(conditions.lacks).toContain('CONFIG_WIN32');
    }
  });
});

describe('an agent of 7.2 on Windows, where some commands of Linux only fail', () => {
  const commands = [...embedded('10.2', 'qga').definitions.values()].filter(({ kind }) => kind === 'command');
  const stubs = ['guest-get-diskstats', 'guest-get-cpustats'];
  const refused = [
    'guest-get-memory-block-info',
    'guest-get-memory-blocks',
    'guest-set-memory-blocks',
    'guest-set-vcpus',
    'guest-suspend-hybrid',
  ];
  const reply = (isEnabled: (name: string) => boolean): string => {
    const there = commands.filter(
      ({ name, condition }) =>
        !condition || conditionTest(['CONFIG_WIN32'])(condition) || [...stubs, ...refused].includes(name),
    );
    const infos = there.map(({ name }) => ({ name, enabled: isEnabled(name), 'success-response': true }));
    return JSON.stringify({ version: '7.2.0', supported_commands: infos });
  };

  test('is recognized by the commands that it refuses', async () => {
    const text = reply((name) => !refused.includes(name));
    const { changes, conditions } = await driftFrom(text, { server: 'qga', qemu: '10.2' });
    expect(briefly(changes)).toEqual([]);
    expect(conditions.has).toContain('CONFIG_WIN32');
    expect(conditions.lacks).toContain('CONFIG_LINUX');
  });

  test('is not recognized by commands that its options disable', async () => {
    const { conditions } = await driftFrom(
      reply((name) => name.startsWith('guest-sync')),
      {
        server: 'qga',
        qemu: '10.2',
      },
    );
    expect(conditions.has).not.toContain('CONFIG_WIN32');
    expect(conditions.has).not.toContain('CONFIG_LINUX');
  });
});

describe('refuses', () => {
  test.each<{ title: string; text: string; server?: ServerName; message: RegExp }>([
    { title: 'text that is not JSON', text: 'no', message: /reply\.json' is neither a schema nor valid JSON/u },
    {
      title: 'the reply to another command',
      text: '{"return": {}}',
      message: /reply\.json' is the reply to another command/u,
    },
    { title: 'an invalid entry', text: '[1]', message: /reply\.json': the introspection is malformed: entry 1/u },
    {
      title: 'no list of commands',
      text: '{"return": {"version": "1", "supported_commands": {}}}',
      server: 'qga',
      message: /reply\.json': the result of guest-info is malformed: 'supported_commands' is not a list of commands/u,
    },
    {
      title: 'invalid commands',
      text: '{"version": "1", "supported_commands": [{"name": "guest-ping"}]}',
      server: 'qga',
      message: /reply\.json': the result of guest-info is malformed: 'supported_commands' is not a list of commands/u,
    },
    {
      title: 'an agent without a version',
      text: '{"supported_commands": []}',
      server: 'qga',
      message: /reply\.json': the result of guest-info is malformed: 'version' is not a string/u,
    },
  ])('$title', async ({ text, server = 'qmp', message }) => {
    await expect(driftFrom(text, { server })).rejects.toThrow(message);
    await expect(driftFrom(text, { server })).rejects.toMatchObject({ code: 'ERR_QAPI_FILE' });
  });

  test.each<{ server: ServerName; asked: ServerName }>([
    { server: 'qmp', asked: 'qsd' },
    { server: 'qmp', asked: 'qga' },
    { server: 'qsd', asked: 'qmp' },
    { server: 'qga', asked: 'qsd' },
  ])('a $server instead of a $asked', async ({ server, asked }) => {
    const text = JSON.stringify(introspect(embedded(currentVersion(), server), () => true));
    const refused = {
      code: 'ERR_QAPI_SERVER',
      message: expect.stringMatching(new RegExp(`use --server ${server}$`, 'u')),
    };
    await expect(driftFrom(text, { server: asked })).rejects.toMatchObject(refused);
    expect((await driftFrom(text, { server })).changes).toEqual([]);
  });

  test('but accepts any server for a schema file', async () => {
    const file = join(temporaryFolder(), 'schema.json');
    writeFileSync(file, `{ 'command': 'guest-info' }`);
    const text = JSON.stringify(introspect(loadSchema(file), () => true));
    expect((await driftFrom(text, { schema: file, server: 'qmp' })).changes).toEqual([]);
  });

  test('a file that cannot be read', async () => {
    const introspection = join(temporaryFolder(), 'missing.json');
    await expect(drift({ introspection, server: 'qmp' })).rejects.toMatchObject({
      code: 'ERR_QAPI_FILE',
      message: expect.stringMatching(/^cannot read '.*missing\.json': no such file/u),
    });
  });

  test('no server and no file, or both', async () => {
    const refused = { code: 'ERR_QAPI_USAGE', message: expect.stringMatching(/either --connect/u) };
    await expect(drift({ server: 'qmp' })).rejects.toMatchObject(refused);
    await expect(drift({ connect: 'unix:a', introspection: 'b', server: 'qmp' })).rejects.toMatchObject(refused);
  });

  test('an unknown version', async () => {
    await expect(driftFrom('[]', { server: 'qmp', qemu: '1.0' })).rejects.toMatchObject({ code: 'ERR_QAPI_USAGE' });
  });
});

test('only a live server loads the runtime', async () => {
  const folder = temporaryFolder();
  const [file, reply] = [join(folder, 'schema.json'), join(folder, 'reply.json')];
  writeFileSync(file, `{ 'command': 'c' }`);
  writeFileSync(reply, JSON.stringify(introspect(loadSchema(file), () => true)));
  const refuse = `export const resolve = (name, context, next) => {
    if (name.includes('@qapi-ts/runtime')) throw new Error('the client is loaded');
    return next(name, context);
  }`;
  const hook = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;
  const register = hook(`import { register } from 'node:module'; register(${JSON.stringify(hook(refuse))});`);
  const run = (...args: string[]): Promise<unknown> =>
    promisify(execFile)(process.execPath, [
      '--import',
      register,
      join(repository, 'generator/bin/qapi-ts.js'),
      ...args,
    ]);

  await run('lint', file);
  await run('introspect', file);
  await run('generate', '--schema', file, '--out', join(folder, 'out'));
  await run('diff', file, reply);
  await run('drift', '--schema', file, '--introspection', reply);
  await expect(run('drift', '--schema', file, '--connect', `unix:${reply}`)).rejects.toThrow('the client is loaded');
});
