/** Types of code for a range of versions, and the same types as each version has them. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { compiled } from '../../runtime/src/compile.js';
import { inspect, type Direction } from '../../runtime/src/inspect.js';
import { joined } from '../../runtime/src/joined.js';
import { forVersions, versionRange } from '../../runtime/src/range.js';
import { typeOf, type MemberRefs, type TypeRef } from '../../runtime/src/schema.js';
import type { Type } from '../../runtime/src/type.js';
import { alternate, enumeration, passes, struct, union, type Validator } from '../../runtime/src/validator.js';

const versions = ['7.2.0', '9.0.4', '10.0.13', '11.1.1'];

/** Returns the messages of a value's issues, and verifies that the compiled check agrees. */
function issuesOf(type: Type, value: unknown, direction: Direction = 'out'): string[] {
  const issues = inspect(type, value, { direction }).issues.map(
    ({ kind, path, message }) => `${kind} ${path.join('.')}: ${message}`,
  );
  if (passes(compiled(type, direction), value, direction)) expect(issues).toEqual([]);
  return issues;
}

describe('forVersions', () => {
  const isColor = enumeration({ red: 'red', green: 'green' }, { green: { in: '10.0..' } });
  const isBox: Validator<unknown> = struct(() => ({
    id: 'str',
    'size?': { type: 'int', mandatoryIn: '..9.0' },
    'added?': { type: 'str', in: '10.0..', mandatoryIn: '10.0..' },
    'removed?': { type: 'str', in: '..7.2', mandatoryIn: '..7.2' },
    'back?': { type: 'bool', in: '..7.2, 11.1..' },
    'color?': isColor,
    'boxes?': [isBox],
  }));
  const isShape = union('kind', () => [
    struct(() => ({
      kind: enumeration({ dot: 'dot', line: 'line' }, { line: { in: '9.0..10.0' } }),
    })),
    {
      line: struct(() => ({
        length: joined(() => [
          ['uint8', '9.0'],
          ['uint16', '10.0..'],
        ]),
      })),
    },
  ]);
  const isEither = alternate(() => ['str', isBox]);
  const isJoined = joined(() => [
    ['str', '..9.0'],
    [isBox, '10.0..10.0'],
    ['int', '11.1..'],
  ]);
  const box = { id: 'a', size: 1 };

  test.each<[what: string, validator: Validator<unknown>, chosen: string[], value: unknown, want: string[]]>([
    [
      'a member that is mandatory',
      isBox,
      ['9.0.4'],
      { id: 'a' },
      ['mismatch size: missing, expected 64-bit signed integer'],
    ],
    ['a member that is optional', isBox, ['11.1.1'], { id: 'a', added: 'x' }, []],
    ['a member that one of two requires', isBox, ['9.0.4', '10.0.13'], { id: 'a' }, []],
    [
      'a member that both require',
      isBox,
      ['10.0.13', '11.1.1'],
      { id: 'a' },
      ['mismatch added: missing, expected string'],
    ],
    ['a member that came later', isBox, ['9.0.4'], { ...box, added: 'x' }, ['unknown added: unknown member']],
    ['a member that one of two has', isBox, ['9.0.4', '10.0.13'], { ...box, added: 'x' }, []],
    ['a member that was removed', isBox, ['9.0.4'], { ...box, removed: 'x' }, ['unknown removed: unknown member']],
    [
      'a member that is gone for a while',
      isBox,
      ['10.0.13'],
      { ...box, added: 'x', back: true },
      ['unknown back: unknown member'],
    ],
    ['a member that came back', isBox, ['11.1.1'], { ...box, added: 'x', back: true }, []],
    [
      'an enum value',
      isBox,
      ['9.0.4'],
      { ...box, color: 'green' },
      ["unknown color: expected one of 'red', found string 'green'"],
    ],
    ['an enum value in time', isBox, ['10.0.13'], { ...box, added: 'x', color: 'green' }, []],
    [
      'a recursive type',
      isBox,
      ['9.0.4'],
      { ...box, boxes: [{ id: 'b' }] },
      ['mismatch boxes.0.size: missing, expected 64-bit signed integer'],
    ],
    ['a branch', isShape, ['10.0.13'], { kind: 'line', length: 256 }, []],
    [
      'a branch that was removed',
      isShape,
      ['11.1.1'],
      { kind: 'line' },
      ["unknown kind: expected one of 'dot', found string 'line'"],
    ],
    ['an alternative', isEither, ['9.0.4'], { id: 'a' }, ['mismatch size: missing, expected 64-bit signed integer']],
    ['one joined type', isJoined, ['7.2.0'], 5, ['mismatch : expected string, found number 5']],
    ['two joined types', isJoined, ['9.0.4', '10.0.13'], 5, ['mismatch : expected string or object, found number 5']],
    [
      'two joined types, the second',
      isJoined,
      ['9.0.4', '10.0.13'],
      { id: 'a', size: 'x' },
      ["mismatch size: expected 64-bit signed integer, found string 'x'"],
    ],
    ['joined types of other versions', joined(() => [['str', '10.0..']]), ['7.2.0'], 'x', []],
    [
      'a joined element',
      { ...isJoined, type: typeOf([isJoined]) } as never,
      ['11.1.1'],
      [5, 'x'],
      ["mismatch 1: expected 64-bit signed integer, found string 'x'"],
    ],
  ])('%s', (_, { type }, chosen, value, want) => {
    expect(issuesOf(forVersions(type, chosen), value)).toEqual(want);
  });

  test('returns the same type for the same minor versions', () => {
    expect(forVersions(isBox.type, ['9.0.0'])).toBe(forVersions(isBox.type, ['9.0.4']));
    expect(forVersions(isBox.type, ['9.0.0'])).not.toBe(forVersions(isBox.type, ['9.0.0', '10.0.0']));
  });

  test('returns types without versions unchanged', () => {
    expect(forVersions(typeOf('str'), ['9.0.0'])).toBe(typeOf('str'));
  });
});

describe('a joined type', () => {
  const isNode: Validator<unknown> = struct(() => ({ 'next?': isLink, 'a?': 'int' }));
  const isOther: Validator<unknown> = struct(() => ({ 'next?': isLink, 'b?': 'int', 'c?': 'int' }));
  const isLink: Validator<unknown> = joined(() => [
    [isNode, '..9.0'],
    [isOther, '10.0..'],
  ]);

  test.each<[what: string, refs: [TypeRef, string][], value: unknown, want: string[]]>([
    [
      'the variant of the value’s kind',
      [
        ['str', '..9.0'],
        ['int', '10.0..'],
      ],
      1.5,
      ['mismatch : expected 64-bit signed integer, found number 1.5'],
    ],
    [
      'none of its kind',
      [
        ['str', '..9.0'],
        ['int', '10.0..'],
      ],
      true,
      ['mismatch : expected string or 64-bit signed integer, found boolean true'],
    ],
    [
      'the wider integer',
      [
        ['uint8', '..9.0'],
        ['uint16', '10.0..'],
      ],
      256,
      [],
    ],
    [
      'neither integer',
      [
        ['uint8', '..9.0'],
        ['uint16', '10.0..'],
      ],
      -1,
      ['mismatch : expected integer from 0 to 255, found number -1'],
    ],
    [
      'the object with fewer issues',
      [
        [isNode, '..9.0'],
        [isOther, '10.0..'],
      ],
      { b: 'x', c: 1 },
      ["mismatch b: expected 64-bit signed integer, found string 'x'"],
    ],
    [
      'an unknown value of an enum',
      [
        ['str', '..9.0'],
        [enumeration({ on: 'on' }), '10.0..'],
      ],
      'off',
      [],
    ],
    [
      'an alternate',
      [
        ['str', '..9.0'],
        [alternate(() => ['str', 'null']), '10.0..'],
      ],
      null,
      [],
    ],
  ])('reports the issues of %s', (_, refs, value, want) => {
    expect(issuesOf(joined(() => refs).type, value)).toEqual(want);
  });

  test('accepts what only nested variants accept together', () => {
    expect(issuesOf(isLink.type, { next: { b: 1, next: { a: 1 } }, a: 1 })).toEqual([]);
  });

  test('leaves numbers as they are while it tries its variants', () => {
    const value = { a: 2n ** 60n, b: 2n ** 60n, c: 'x' };
    const isFloat = struct(() => ({ a: 'number', b: 'number', c: 'int' }));
    const isInt = struct(() => ({ a: 'int', b: 'number', c: 'str' }));
    const { type } = joined(() => [
      [isFloat, '..9.0'],
      [isInt, '10.0..'],
    ]);
    expect(inspect(type, value, { direction: 'in', mend: true }).issues).toEqual([]);
    expect(value).toEqual({ a: 2n ** 60n, b: 2 ** 60, c: 'x' });
  });

  test.each<[what: string, make: () => unknown, want: string]>([
    ['is nested deeply', () => nested(200), "expected 64-bit signed integer, found string 'x'"],
    ['contains itself', () => cycle(), 'object that contains itself'],
  ])('takes little time to inspect a value that %s', (_, make, want) => {
    const begin = performance.now();
    const issues = inspect(isLink.type, make(), { direction: 'in' }).issues.map(({ message }) => message);
    expect(performance.now() - begin).toBeLessThan(5000);
    expect(issues.join('\n')).toContain(want);
  });

  test('takes little time to inspect many values', () => {
    const values = Array.from({ length: 500 }, () => nested(20));
    const begin = performance.now();
    expect(inspect(typeOf([isLink]), values, { direction: 'in' }).issues.length).toBeGreaterThan(0);
    expect(performance.now() - begin).toBeLessThan(5000);
  });

  function nested(depth: number): unknown {
    let value: object = { a: 'x', b: 'x' };
    for (let level = 0; level < depth; level += 1) value = { next: value, a: 1, b: 1 };
    return value;
  }

  function cycle(): object {
    const value: { next?: object } = {};
    value.next = value;
    return value;
  }
});

describe('versionRange', () => {
  const range = versionRange(versions);

  test.each<[server: string | undefined, note: string | undefined, want: string | undefined]>([
    ['10.0.2', undefined, undefined],
    [undefined, '11.1..', undefined],
    ['10.0.2', '10.0..', undefined],
    ['10.0.2', '..9.0', 'was removed after QEMU 9.0, this server is 10.0'],
    ['10.0.2', '11.1..', 'came with QEMU 11.1, this server is 10.0'],
    ['10.0.2', '..7.2, 11.1..', 'was removed after QEMU 7.2, this server is 10.0'],
    ['9.0.0', '..7.2, 10.0..10.0', 'was removed after QEMU 7.2, this server is 9.0'],
    // Between two versions, what either has is accepted.
    ['9.2.1', '10.0..', undefined],
    ['9.2.1', '..9.0', undefined],
    ['9.2.1', '..7.2', 'was removed after QEMU 7.2, this server is 9.2'],
    ['9.2.1', '11.1..', 'came with QEMU 11.1, this server is 9.2'],
    // A development version leads to the next release.
    ['9.0.50', '10.0..', undefined],
    ['9.0.93', '..9.0', undefined],
    ['9.0.49', '10.0..', 'came with QEMU 10.0, this server is 9.0'],
    // Beyond an end, the end decides.
    ['5.2.0', '..7.2', undefined],
    ['5.2.0', '9.0..', 'came with QEMU 9.0, this server is 5.2'],
    ['12.0.0', '11.1..', undefined],
    ['12.0.0', '..10.0', 'was removed after QEMU 10.0, this server is 12.0'],
    ['11.1.50', '11.1..', undefined],
    // Versions are compared as numbers.
    ['10.10.0', '11.1..', undefined],
  ])('a server of %s and parts in %s: %s', (server, note, want) => {
    expect(range.absence(note === undefined ? {} : { in: note }, server)).toBe(want);
  });

  test.each<[server: string, want: boolean]>([
    ['7.2.22', true],
    ['8.1.0', true],
    ['11.1.5', true],
    ['7.1.9', false],
    ['11.2.0', false],
  ])('covers %s: %s', (server, want) => {
    expect(range.covers(server)).toBe(want);
  });
});

// Random types

/** What versions have of a part, in the order of `versions`. */
type Presence = readonly boolean[];

/** A type as versions have it. */
type Model =
  | { readonly kind: 'builtin'; readonly name: 'str' | 'int' | 'uint8' | 'bool' | 'number' | 'null' }
  | { readonly kind: 'array'; readonly element: Model }
  | { readonly kind: 'enum'; readonly values: readonly Presence[] }
  | { readonly kind: 'struct'; readonly members: readonly MemberModel[] }
  | { readonly kind: 'union'; readonly values: readonly Presence[]; readonly branches: readonly Model[] }
  | { readonly kind: 'alternate'; readonly object: Model }
  | { readonly kind: 'joined'; readonly types: readonly Model[]; readonly indices: readonly number[] };

type StructModel = Model & { readonly kind: 'struct' };
type MemberEntry = readonly [name: string, ref: MemberRefs[string]];

interface MemberModel {
  readonly type: Model;
  /** In each version: whether the member is missing, optional or mandatory. */
  readonly states: readonly ('missing' | 'optional' | 'mandatory')[];
}

const forEachVersion = { minLength: versions.length, maxLength: versions.length };
/** Some version has each part. */
const presence = fc.array(fc.boolean(), forEachVersion).filter((has) => has.includes(true));
const anyStates = fc
  .array(fc.constantFrom('missing' as const, 'optional' as const, 'mandatory' as const), forEachVersion)
  .filter((all) => all.some((state) => state !== 'missing'));

const { model, structModel } = fc.letrec<{ model: Model; structModel: Model & { kind: 'struct' } }>((tie) => ({
  structModel: fc.record({
    kind: fc.constant('struct' as const),
    members: fc.array(fc.record({ type: tie('model'), states: anyStates }), { maxLength: 4 }),
  }),
  model: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({
      kind: fc.constant('builtin' as const),
      name: fc.constantFrom('str' as const, 'int', 'uint8', 'bool', 'number', 'null'),
    }),
    fc.record({ kind: fc.constant('enum' as const), values: fc.array(presence, { minLength: 1, maxLength: 3 }) }),
    tie('structModel'),
    fc.record({ kind: fc.constant('array' as const), element: tie('model') }),
    fc.record({
      kind: fc.constant('union' as const),
      values: fc.array(presence, { minLength: 1, maxLength: 3 }),
      branches: fc.array(tie('structModel'), { minLength: 3, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('alternate' as const), object: tie('structModel') }),
    fc.record({
      kind: fc.constant('joined' as const),
      types: fc.array(tie('model'), { minLength: 3, maxLength: 3 }),
      indices: fc.array(fc.nat(2), forEachVersion),
    }),
  ),
}));

const memberName = (index: number): string => `m${index}`;
const valueName = (index: number): string => `v${index}`;

/** Returns the note for the versions that have a part. */
function noteOf(has: Presence): string {
  return versions
    .map((version) => version.split('.').slice(0, 2).join('.'))
    .flatMap((version, index) => (has[index] ? [`${version}..${version}`] : []))
    .join(', ');
}

function enumOf(values: readonly Presence[], version?: number): TypeRef {
  const names = values.flatMap((has, index) => (version === undefined || has[version] ? [valueName(index)] : []));
  const notes = values.map((has, index) => [valueName(index), { in: noteOf(has) }] as const);
  return enumeration(
    Object.fromEntries(names.map((name) => [name, name])),
    version === undefined ? Object.fromEntries(notes) : {},
  );
}

/** Returns the description of a type: as one version has it, or for the range. */
function describeType(type: Model, version?: number): TypeRef {
  switch (type.kind) {
    case 'builtin':
      return type.name;
    case 'array':
      return [describeType(type.element, version)];
    case 'enum':
      return enumOf(type.values, version);
    case 'struct':
      return structOf(type, version);
    case 'union': {
      const base = struct(() => ({ tag: enumOf(type.values, version) }));
      const branches = type.values.flatMap((has, index) =>
        version === undefined || has[version]
          ? [[valueName(index), structOf(type.branches[index] as never, version)] as const]
          : [],
      );
      return union('tag', () => [base, Object.fromEntries(branches)]);
    }
    case 'alternate':
      return alternate(() => ['str', describeType(type.object, version)]);
    case 'joined': {
      if (version !== undefined) return describeType(type.types[type.indices[version] as number] as Model, version);
      const used = type.types.map((one, index) => ({ one, has: type.indices.map((each) => each === index) }));
      return joined(() =>
        used.flatMap(({ one, has }) => (has.includes(true) ? [[describeType(one), noteOf(has)] as const] : [])),
      );
    }
  }
}

function structOf({ members }: StructModel, version?: number): Validator<unknown> {
  return struct(() => {
    const entries = members.map((member, index) =>
      version === undefined ? rangedMember(member, memberName(index)) : plainMember(member, memberName(index), version),
    );
    return Object.fromEntries(entries.filter((entry) => entry !== undefined));
  });
}

function plainMember({ type, states }: MemberModel, name: string, version: number): MemberEntry | undefined {
  const state = states[version];
  return state === 'missing' ? undefined : [state === 'optional' ? `${name}?` : name, describeType(type, version)];
}

function rangedMember({ type, states }: MemberModel, name: string): MemberEntry {
  const isMandatory = states.every((state) => state === 'mandatory');
  const notes = {
    in: noteOf(states.map((state) => state !== 'missing')),
    ...(states.includes('mandatory') && { mandatoryIn: noteOf(states.map((state) => state === 'mandatory')) }),
  };
  return [isMandatory ? name : `${name}?`, { type: describeType(type), ...notes }];
}

/** Returns values that mostly fit a type as one version has it. */
function valuesOf(type: Model, version: number): fc.Arbitrary<unknown> {
  const junk = fc.constantFrom<unknown>(null, 'v0', 'x', 5, 300, 1.5, true, {}, [], { tag: 'v0' }, { m0: 1 });
  return fc.oneof({ weight: 6, arbitrary: fittingOf(type, version) }, { weight: 1, arbitrary: junk });
}

function fittingOf(type: Model, version: number): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'builtin':
      return {
        str: fc.constantFrom('', 'x'),
        int: fc.constantFrom(0, -1, 300),
        uint8: fc.constantFrom(0, 255),
        bool: fc.boolean(),
        number: fc.constantFrom(0.5, 3),
        null: fc.constant(null),
      }[type.name];
    case 'array':
      return fc.array(valuesOf(type.element, version), { maxLength: 3 });
    case 'enum':
      return fc.nat(type.values.length - 1).map(valueName);
    case 'struct':
      return fc.tuple(...type.members.map((member) => memberOf(member, version))).map((values) => {
        const entries = values.map((value, index) => [memberName(index), value] as const);
        return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
      });
    case 'union':
      return fc.nat(type.values.length - 1).chain((index) =>
        fittingOf(type.branches[index] as Model, version).map((value) => ({
          tag: valueName(index),
          ...(value as object),
        })),
      );
    case 'alternate':
      return fc.oneof(fc.constant('x'), valuesOf(type.object, version));
    case 'joined':
      return valuesOf(type.types[type.indices[version] as number] as Model, version);
  }
}

function memberOf({ type, states }: MemberModel, version: number): fc.Arbitrary<unknown> {
  const value = valuesOf(type, version);
  const none = fc.constant(undefined);
  if (states[version] === 'mandatory') return fc.oneof({ weight: 9, arbitrary: value }, { weight: 1, arbitrary: none });
  return states[version] === 'missing'
    ? fc.oneof({ weight: 1, arbitrary: value }, { weight: 9, arbitrary: none })
    : fc.oneof(value, none);
}

const subjects = fc
  .tuple(fc.oneof(model, structModel), fc.nat(versions.length - 1))
  .chain(([type, version]) => fc.tuple(fc.constant(type), fc.constant(version), valuesOf(type, version)));

describe('for random types and values', () => {
  test('a type for one version is the type of that version', () => {
    fc.assert(
      fc.property(subjects, fc.constantFrom<Direction>('in', 'out'), ([type, , value], direction) => {
        const ranged = typeOf(describeType(type));
        for (const [index, version] of versions.entries()) {
          const plain = typeOf(describeType(type, index));
          expect(issuesOf(forVersions(ranged, [version]), value, direction)).toEqual(issuesOf(plain, value, direction));
        }
      }),
      { numRuns: 400 },
    );
  });

  test('a type for several versions, and that of the range, accept what each version accepts', () => {
    fc.assert(
      fc.property(subjects, fc.constantFrom<Direction>('in', 'out'), ([type, version, value], direction) => {
        if (issuesOf(typeOf(describeType(type, version)), value, direction).length > 0) return;
        const ranged = typeOf(describeType(type));
        expect(issuesOf(ranged, value, direction)).toEqual([]);
        for (const other of versions) {
          expect(issuesOf(forVersions(ranged, [versions[version] ?? '', other]), value, direction)).toEqual([]);
        }
      }),
      { numRuns: 400 },
    );
  });
});
