/** Comparisons of QEMU's schemas, checked against independent ways of finding differences. */

import { readFileSync } from 'node:fs';

import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import { conditionNames, conditionTest } from '../../generator/src/condition.js';
import { formatUse, type Change } from '../../generator/src/diff/change.js';
import { diff } from '../../generator/src/diff/compare.js';
import { wireOf, wireOfIntrospection, type WireSchema } from '../../generator/src/diff/wire.js';
import { embeddedRoot, embeddedVersions, servers } from '../../generator/src/embedded.js';
import { loadSchema } from '../../generator/src/frontend/load.js';
import { introspect, type SchemaInfo } from '../../generator/src/introspect.js';
import type { Schema } from '../../generator/src/model.js';
import { narrow } from '../../generator/src/narrow.js';
import { editKinds, placesOf } from '../support/edits.js';
import { differences, type Difference } from '../support/flat.js';
import { sharedFile } from '../support/shared.js';

interface Loaded {
  readonly schema: Schema;
  readonly wire: WireSchema;
  readonly infos: readonly SchemaInfo[];
}

const loaded = new Map(
  servers.flatMap((server) =>
    embeddedVersions().map((version): [string, Loaded] => {
      const schema = loadSchema(embeddedRoot(version, server));
      return [`${server.name} ${version}`, { schema, wire: wireOf(schema), infos: introspect(schema, () => true) }];
    }),
  ),
);

function load(server: string, version: string): Loaded {
  const found = loaded.get(`${server} ${version}`);
  if (!found) throw new Error(`no ${server} ${version}`);
  return found;
}

/** All versions with themselves and their neighbours, and the oldest with the newest, in both directions. */
const versions = embeddedVersions();
const versionPairs = versions.flatMap((old, index) => {
  const others = versions.filter((_, other) => Math.abs(index - other) % (versions.length - 1) <= 1);
  return others.map((newer) => ({ old, newer }));
});
const pairs = servers.flatMap(({ name }) => versionPairs.map((pair) => ({ server: name, ...pair })));
const differing = pairs.filter(({ old, newer }) => old !== newer);
const forward = differing.filter(({ old, newer }) => old.localeCompare(newer, 'en', { numeric: true }) < 0);

const hidden = new Set([
  'condition-changed',
  'further-arguments-changed',
  'reply-changed',
  'preconfig-granted',
  'preconfig-withdrawn',
]);
const integer = String.raw`'(?:u?int\d*|size)'`;
const isWidth = new RegExp(`changed from ${integer} to ${integer}`, 'u');

/** Returns the changes that introspection can show. */
function shown(changes: readonly Change[]): Change[] {
  return changes.filter(({ kind, text }) => !hidden.has(kind) && !(kind === 'type-changed' && isWidth.test(text)));
}

/** Returns lines that do not depend on how types are divided or named. */
function flat(changes: readonly Change[]): string[] {
  return changes
    .flatMap(({ verdict, side, kind, uses, place: { value, feature } }) =>
      uses.map((use) => [verdict, side, kind, formatUse(use), value, feature].join(' ')),
    )
    .toSorted((a, b) => (a < b ? -1 : 1));
}

describe("QEMU's schemas", () => {
  it.each(pairs.filter(({ old, newer }) => old === newer))('$server $old is the same as itself', ({ server, old }) => {
    const { wire, schema, infos } = load(server, old);
    expect(diff(wire, wire)).toEqual([]);
    expect(diff(wire, wireOf(schema))).toEqual([]);
    expect(diff(wire, wireOfIntrospection(infos))).toEqual([]);
    expect(diff(wireOfIntrospection(infos), wire)).toEqual([]);
  });

  const mirrors = [
    ['added', 'removed'],
    ['optional', 'mandatory'],
    ['granted', 'withdrawn'],
  ] as const;
  const mirror = (kind: string): string => {
    for (const [one, another] of mirrors) {
      if (kind.endsWith(one)) return kind.replace(one, another);
      if (kind.endsWith(another)) return kind.replace(another, one);
    }
    return kind;
  };
  const summaries = (changes: readonly Change[], kindOf: (kind: string) => string): string[] =>
    changes
      .flatMap(({ kind, side, uses, place: { value, feature } }) =>
        uses.map((use) => [kindOf(kind), side, formatUse(use), value, feature].join(' ')),
      )
      .toSorted((a, b) => (a < b ? -1 : 1));

  it.each(differing)('$server $old -> $newer mirrors the reverse comparison', ({ server, old, newer }) => {
    const [before, after] = [load(server, old).wire, load(server, newer).wire];
    expect(summaries(diff(before, after), mirror)).toEqual(summaries(diff(after, before), (kind) => kind));
  });

  it.each(differing)('$server $old -> $newer: no change is listed twice', ({ server, old, newer }) => {
    const changes = diff(load(server, old).wire, load(server, newer).wire);
    const keys = changes.map(({ kind, side, place, text, uses: [first] }) =>
      JSON.stringify([kind, side, place, text, first]),
    );
    expect(new Set(keys).size).toBe(keys.length);
    expect(changes.every(({ uses }) => new Set(uses.map(formatUse)).size === uses.length)).toBe(true);
  });

  it.each(differing)(
    '$server $old -> $newer is the same by introspection, except for what introspection lacks',
    ({ server, old, newer }) => {
      const [before, after] = [load(server, old), load(server, newer)];
      const want = flat(shown(diff(before.wire, after.wire)));
      const [oldWire, newWire] = [wireOfIntrospection(before.infos), wireOfIntrospection(after.infos)];
      expect(flat(diff(oldWire, newWire))).toEqual(want);
      expect(flat(diff(before.wire, newWire))).toEqual(want);
      expect(flat(diff(oldWire, after.wire))).toEqual(want);
    },
  );
});

describe('agrees with a flat list of all paths in introspection', () => {
  /** Returns a pattern for the paths that a use matches, including those with further guards. */
  const pattern = (use: string): RegExp => {
    const tokens = /^([^:]*)(?:: (\w+)(.*))?$/u.exec(use) ?? [];
    const escape = (text: string): string => text.replaceAll(/[.()[\]]/gu, String.raw`\$&`);
    const path = (tokens[3] ?? '').replaceAll(/\(([^)]*)\)|\.([^.([]+)|\[\]/gu, (_, guard, member, at, whole) => {
      if (guard) return String.raw`\(${escape(String(guard))}(?:,[^)]*)?\)`;
      if (!member) return String.raw`\[\]`;
      const isGuarded = String(whole).at(Number(at) - 1) === ')';
      return `${isGuarded ? '' : String.raw`(?:\([^)]*\))?`}\\.${escape(String(member))}`;
    });
    return new RegExp(`^${escape(tokens[1] ?? '')}${tokens[2] === undefined ? '' : `: ${tokens[2]}${path}`}$`, 'u');
  };

  const detailOf = ({ kind, place: { value, feature, alternative } }: Change): string =>
    kind === 'type-changed' ? '' : (feature ?? value ?? alternative ?? '');

  it.each(forward)('$server $old -> $newer', ({ server, old, newer }) => {
    const [before, after] = [load(server, old), load(server, newer)];
    const byKind = new Map<string, Difference[]>();
    const entryOf = (path: string): string => path.replace(/[([.].*/u, '');
    const key = (kind: string, path: string, detail: string): string => [kind, entryOf(path), detail].join(' ');
    const found = differences(before.infos, after.infos);
    for (const difference of found) {
      const at = key(difference.kind, difference.path, difference.detail);
      byKind.set(at, [...(byKind.get(at) ?? []), difference]);
    }

    // Every change is a difference of the lists, at each of its uses.
    const seen = new Set<Difference>();
    const unfounded: string[] = [];
    for (const change of shown(diff(before.wire, after.wire))) {
      for (const use of change.uses.map(formatUse)) {
        const regexp = pattern(use);
        const matching = (byKind.get(key(change.kind, use, detailOf(change))) ?? []).filter(({ path }) =>
          regexp.test(path),
        );
        if (matching.length === 0) unfounded.push(`${change.kind} ${use} ${detailOf(change)}`);
        for (const difference of matching) seen.add(difference);
      }
    }
    expect(unfounded).toEqual([]);

    // Every difference is a change, at this path or at a shorter one from the same command or event to the same types.
    const groupOf = ({ kind, path, detail, owners }: Difference): string =>
      [key(kind, path, detail), owners, kind.startsWith('member') ? path.replace(/.*\./u, '') : ''].join(' ');
    const covered = new Set([...seen].map(groupOf));
    const missed = found.filter((difference) => !covered.has(groupOf(difference)));
    expect(missed).toEqual([]);
  });
});

describe('replies of real servers', () => {
  const files = [
    { file: 'qmp-7.2', server: 'qmp', version: '7.2.0' },
    { file: 'qsd-7.2', server: 'qsd', version: '7.2.0' },
    { file: 'qmp-10.0', server: 'qmp', version: '10.0.13' },
    { file: 'qsd-10.0', server: 'qsd', version: '10.0.13' },
  ] as const;
  const infosOf = (file: string): SchemaInfo[] | undefined => {
    const path = sharedFile(`introspection/${file}.json`, `diff against the reply of a real ${file}`);
    return path === undefined ? undefined : (JSON.parse(readFileSync(path, 'utf8')) as SchemaInfo[]);
  };

  /** Narrows a schema to the conditions that make it most similar to the server's reply. */
  const builtAs = (schema: Schema, infos: readonly SchemaInfo[]): Schema => {
    const real = wireOfIntrospection(infos);
    const names = [...conditionNames(schema)];
    const differs = (has: readonly string[]): number => diff(wireOf(narrow(schema, conditionTest(has))), real).length;
    let has = names;
    let least = differs(has);
    for (const name of names) {
      const without = has.filter((other) => other !== name);
      const count = differs(without);
      if (count < least) [has, least] = [without, count];
    }
    return narrow(schema, conditionTest(has));
  };

  const built = new Map(
    files.map(({ file, server, version }) => {
      const infos = infosOf(file);
      return [file, infos && { infos, schema: builtAs(load(server, version).schema, infos) }] as const;
    }),
  );

  it.each(files)('$file has what its schema says, except for backports', ({ file, version }) => {
    const found = built.get(file);
    if (!found) return;
    const changes = diff(wireOf(found.schema), wireOfIntrospection(found.infos));
    const backported = version === '7.2.0' ? [] : [['breaking', 'member-removed', 'delay-ns']];
    expect(changes.map(({ verdict, kind, place }) => [verdict, kind, place.member])).toEqual(backported);
    expect(changes.every(({ uses: [use] }) => formatUse(use) === delayed)).toBe(true);
  });

  const delayed = 'blockdev-add: arguments(driver=blkdebug).inject-error[].delay-ns';

  it.each([
    { server: 'qmp', old: 'qmp-7.2', newer: 'qmp-10.0' },
    { server: 'qsd', old: 'qsd-7.2', newer: 'qsd-10.0' },
  ] as const)('$server: two replies differ as their schemas do', ({ old, newer }) => {
    const [before, after] = [built.get(old), built.get(newer)];
    if (!before || !after) return;
    const want = flat(shown(diff(wireOf(before.schema), wireOf(after.schema))));
    const found = flat(diff(wireOfIntrospection(before.infos), wireOfIntrospection(after.infos)));
    expect(found).toEqual(want.filter((line) => !line.includes('.delay-ns')));
    expect(found.length).toBeGreaterThan(20);
  });

  test('a schema and the reply of another version differ in the same way, except for conditions', () => {
    const [before, after] = [built.get('qmp-7.2'), built.get('qmp-10.0')];
    if (!before || !after) return;
    const want = flat(shown(diff(wireOf(before.schema), wireOf(after.schema))));
    const found = flat(diff(wireOf(before.schema), wireOfIntrospection(after.infos)));
    expect(found).toEqual(want.filter((line) => !line.includes('.delay-ns')));
  });
});

describe('a single edit of a schema', () => {
  /** Returns text such as `callers member-removed TYPE.member` or `callers feature-added TYPE=value/feature`. */
  const seen = ({ side, kind, uses: [use], place }: Change): string => {
    const { oldType, newType = oldType, member, value, feature } = place;
    const isOfEntry = use.role === undefined;
    const type = isOfEntry ? `${use.name}:` : ((kind.endsWith('-removed') ? oldType : newType) ?? '');
    const parts = [type, member && `.${member}`, value && `=${value}`, feature && `/${feature}`];
    return `${side} ${kind} ${parts.map((part) => part ?? '').join('')}`;
  };

  describe.each([
    { server: 'qmp', runs: 5 },
    { server: 'qsd', runs: 10 },
    { server: 'qga', runs: 50 },
  ])('$server', ({ server, runs }) => {
    // A separate copy, because it is edited in place.
    const schema = loadSchema(embeddedRoot('10.2.2', servers.find(({ name }) => name === server) ?? never()));
    const places = placesOf(schema);
    const before = wireOf(schema);

    it.each(Object.entries(editKinds))('%s: finds exactly the edit', (_, kind) => {
      fc.assert(
        fc.property(fc.nat(100_000), (at) => {
          const edit = kind(places, at);
          if (!edit) return;
          edit.apply();
          try {
            const after = wireOf(schema);
            expect(diff(before, after).map(seen).toSorted(), edit.title).toEqual([...edit.want].toSorted());
            expect(diff(after, before).length, `${edit.title}, undone`).toBe(edit.want.length);
          } finally {
            edit.undo();
          }
        }),
        { numRuns: runs },
      );
    });

    it('leaves the schema unchanged', () => {
      expect(diff(before, wireOf(schema))).toEqual([]);
    });
  });
});

function never(): never {
  throw new Error('there is no such server');
}
