/** The issues that validators find: what is wrong with a value, where, and what is expected instead. */

import { spawnSync } from 'node:child_process';

import { beforeAll, describe, expect, test } from 'vitest';

import * as qga from '@qapi-ts/qemu/qga';
import * as qmp from '@qapi-ts/qemu/qmp';

import type { Issue, Validator } from '../runtime/src/index.js';
import { secretMembers } from '../runtime/src/secrets.js';
import { repository } from './support/compile.js';
import { generatedPackage } from './support/generated.js';
import { schemaOf } from './support/schema.js';

const text = `
{ 'enum': 'Way', 'data': [ 'in', 'out', { 'name': 'old', 'features': [ 'deprecated' ] }, { 'name': 'here', 'if': 'CONFIG_HERE' } ] }
{ 'struct': 'Base', 'data': { 'name': 'str', '*note': 'str' } }
{ 'struct': 'Leaf', 'base': 'Base', 'data': { 'way': 'Way', '*leaf': 'Leaf', '*list': [ 'uint8' ], '*any': 'any' } }
{ 'struct': 'Ints', 'data': { '*i8': 'int8', '*u8': 'uint8', '*i16': 'int16', '*u16': 'uint16', '*i32': 'int32', '*u32': 'uint32',
  '*i64': 'int64', '*u64': 'uint64', '*int': 'int', '*size': 'size', '*number': 'number' } }
{ 'struct': 'In', 'data': { 'host': 'str', '*port': 'uint16' } }
{ 'struct': 'Out', 'data': { 'path': 'str' } }
{ 'union': 'Choice', 'base': { 'way': 'Way', '*node-name': 'str' }, 'discriminator': 'way', 'data': { 'in': 'In', 'out': 'Out' } }
{ 'enum': 'Outer', 'data': [ 'choice', 'none' ] }
{ 'union': 'Nested', 'base': { 'outer': 'Outer' }, 'discriminator': 'outer', 'data': { 'choice': 'Choice' } }
{ 'alternate': 'Ref', 'data': { 'definition': 'Choice', 'reference': 'str', 'nothing': 'null' } }
{ 'alternate': 'Number', 'data': { 'list': [ 'uint8' ], 'number': 'number', 'flag': 'bool' } }
{ 'struct': 'Holder', 'data': { '*ref': 'Ref', '*number': 'Number', '*way': 'Way' } }
{ 'struct': 'Old', 'data': { '*gone': { 'type': 'str', 'features': [ 'deprecated', 'unstable' ] }, '*some': { 'type': 'int', 'if': { 'all': [ 'A', { 'not': 'B' } ] } } } }
{ 'command': 'leaf', 'data': 'Leaf', 'boxed': true, 'returns': 'Leaf' }
{ 'command': 'further', 'data': { 'driver': 'str' }, 'gen': false }
{ 'command': 'by-hand', 'gen': false }
{ 'command': 'list', 'returns': [ 'Leaf' ] }
{ 'command': 'none' }
{ 'command': 'old', 'data': 'Old', 'boxed': true, 'features': [ 'deprecated' ], 'if': 'CONFIG_OLD', 'returns': [ 'Choice' ] }
{ 'event': 'HAPPENED', 'data': 'Ints', 'boxed': true }
`;

interface Package {
  readonly [guard: `is${string}`]: Validator<unknown>;
  readonly validators: {
    readonly commands: Record<string, { readonly arguments: Validator<unknown>; readonly result: Validator<unknown> }>;
    readonly events: Record<string, Validator<unknown>>;
  };
}

let generated: Package;
beforeAll(async () => {
  generated = (await generatedPackage(schemaOf(text))) as Package;
});

/** Returns `path: message` for each issue. */
function shown(issues: readonly Issue[]): string[] {
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

const ways = "one of 'in', 'out', 'old', 'here'";

describe('sent values must match the schema', () => {
  test.each<[guard: keyof Package, value: unknown, ...want: string[]]>([
    ['isBase', { name: 'x' }],
    ['isBase', { name: 'x', note: undefined }],
    ['isBase', Object.assign(Object.create(null), { name: 'x' })],
    ['isBase', {}, 'name: missing, expected string'],
    ['isBase', { name: undefined }, 'name: missing, expected string'],
    ['isBase', Object.create({ name: 'inherited' }), 'name: missing, expected string'],
    ['isBase', { name: null }, 'name: expected string, found null'],
    ['isBase', { name: 'x', note: null }, 'note: expected string, found null; leave it out instead'],
    [
      'isBase',
      { name: 5, note: true },
      'name: expected string, found number 5',
      'note: expected string, found boolean true',
    ],
    ['isBase', { nam: 'x' }, "nam: unknown member; did you mean 'name'?", 'name: missing, expected string'],
    ['isBase', { name: 'x', quite: {}, other: () => {} }, 'quite: unknown member', 'other: unknown member'],
    ['isBase', { name: '\ud800' }, 'name: expected string, found string with a lone surrogate'],
    ['isBase', { name: '\u{1fffe}' }, 'name: expected string, found string with a noncharacter such as U+FFFE'],
    ['isBase', undefined, ': expected object, found nothing'],
    ['isBase', null, ': expected object, found null'],
    ['isBase', [], ': expected object, found array'],
    ['isBase', new Map(), ': expected object, found Map'],
    ['isBase', new Date(), ': expected object, found Date'],
    ['isBase', JSON.parse('{ "name": "x", "__proto__": { "polluted": 1 } }'), '__proto__: unknown member'],
    [
      'isBase',
      { name: 'x', constructor: 'y', toString: 'z' },
      'constructor: unknown member',
      'toString: unknown member',
    ],

    ['isLeaf', { name: 'x', way: 'in', leaf: { name: 'y', way: 'out', list: [0, 255], any: { a: [1n, 'b', null] } } }],
    ['isLeaf', { name: 'x', way: 'inn' }, `way: expected ${ways}, found string 'inn'; did you mean 'in'?`],
    ['isLeaf', { name: 'x', way: 'sideways' }, `way: expected ${ways}, found string 'sideways'`],
    ['isLeaf', { name: 'x', way: 'constructor' }, `way: expected ${ways}, found string 'constructor'`],
    ['isLeaf', { name: 'x', way: 1 }, `way: expected ${ways}, found number 1`],
    ['isLeaf', { name: 'x', way: 'in', leaf: 'y' }, "leaf: expected object, found string 'y'"],
    [
      'isLeaf',
      { name: 'x', way: 'in', leaf: { way: 'out', list: [1, '2', 256, undefined, 3] } },
      "leaf.list.1: expected integer from 0 to 255, found string '2'",
      'leaf.list.2: expected integer from 0 to 255, found number 256',
      'leaf.list.3: expected integer from 0 to 255, found nothing',
      'leaf.name: missing, expected string',
    ],
    ['isLeaf', { name: 'x', way: 'in', list: { length: 0 } }, 'list: expected array, found object'],
    ['isLeaf', { name: 'x', way: 'in', any: { a: NaN } }, 'any.a: expected number, found number NaN'],
    ['isLeaf', { name: 'x', way: 'in', any: [new Date()] }, 'any.0: expected JSON, found Date'],
    ['isLeaf', { name: 'x', way: 'in', any: { f: () => {} } }, 'any.f: expected JSON, found function'],
    ['isLeaf', { name: 'x', way: 'in', any: { a: undefined } }],
    ['isLeaf', { name: 'x', way: 'in', any: [undefined] }, 'any.0: expected JSON, found nothing'],
    [
      'isLeaf',
      { name: 'x', way: 'in', any: [2 ** 64] },
      'any.0: expected 64-bit integer, found number 18446744073709552000, which is not exact: use a bigint',
    ],
    ['isLeaf', { name: 'x', way: 'in', any: null }],

    ['isChoice', { way: 'in', host: 'h', port: 1 }],
    ['isChoice', { way: 'old', 'node-name': 'n' }],
    [
      'isChoice',
      { way: 'in', path: 'p' },
      "path: unknown member of way 'in'; 'out' has it",
      'host: missing, expected string',
    ],
    ['isChoice', { way: 'old', path: 'p' }, "path: unknown member of way 'old'; 'out' has it"],
    ['isChoice', { way: 'out', path: 'p', 'node-nam': 'n' }, "node-nam: unknown member; did you mean 'node-name'?"],
    // The other members are then unknown.
    [
      'isChoice',
      { way: 'sideways', path: 5, 'node-name': 5 },
      `way: expected ${ways}, found string 'sideways'`,
      'node-name: expected string, found number 5',
    ],
    ['isChoice', { host: 'h' }, `way: missing, expected ${ways}`],
    ['isChoice', { way: ['in'] }, `way: expected ${ways}, found array`],

    ['isNested', { outer: 'choice', way: 'out', path: 'p' }],
    ['isNested', { outer: 'none' }],
    ['isNested', { outer: 'none', way: 'out' }, "way: unknown member of outer 'none'; 'choice' has it"],
    [
      'isNested',
      { outer: 'choice', way: 'out', host: 'p' },
      "host: unknown member of way 'out'; 'in' has it",
      'path: missing, expected string',
    ],
    ['isNested', { outer: 'choice' }, `way: missing, expected ${ways}`],

    ['isHolder', { ref: 'x' }],
    ['isHolder', { ref: null }],
    ['isHolder', { ref: { way: 'old' }, number: [1] }],
    ['isHolder', { number: 1.5 }],
    ['isHolder', { ref: 5 }, 'ref: expected object or string or null, found number 5'],
    ['isHolder', { ref: { way: 'out' } }, 'ref.path: missing, expected string'],
    ['isHolder', { number: null }, 'number: expected array or number or boolean, found null; leave it out instead'],
    ['isHolder', { number: [256] }, 'number.0: expected integer from 0 to 255, found number 256'],
    ['isHolder', { number: Infinity }, 'number: expected number, found number Infinity'],

    ['isWay', 'in'],
    ['isWay', 'up', `: expected ${ways}, found string 'up'`],
  ])('%s(%o) %o', (guard, value, ...want) => {
    const validator = generated[guard] as Validator<unknown>;
    expect(shown(validator.issues(value))).toEqual(want);
    expect(validator(value)).toBe(want.length === 0);
    const outcome = validator['~standard'].validate(value);
    expect(outcome.issues?.map(({ message }) => message) ?? []).toEqual(
      validator.issues(value).map(({ message }) => message),
    );
  });
});

describe('integers', () => {
  const wide = new Set(['i64', 'int', 'u64', 'size']);

  test.each<[member: string, min: bigint, max: bigint]>([
    ['i8', -128n, 127n],
    ['u8', 0n, 255n],
    ['i16', -32768n, 32767n],
    ['u16', 0n, 65535n],
    ['i32', -2147483648n, 2147483647n],
    ['u32', 0n, 4294967295n],
    ['i64', -9223372036854775808n, 9223372036854775807n],
    ['int', -9223372036854775808n, 9223372036854775807n],
    // As in QEMU, a negative integer means the one with the same bits.
    ['u64', -9223372036854775808n, 18446744073709551615n],
    ['size', -9223372036854775808n, 18446744073709551615n],
  ])('%s from %s to %s', (member, min, max) => {
    const isWide = wide.has(member);
    const fits = (value: unknown): boolean => (generated['isInts'] as Validator<unknown>)({ [member]: value });
    const exact = (value: bigint): number | bigint => (isWide ? value : Number(value));
    for (const value of [min, max, 0n, -0]) expect(fits(typeof value === 'bigint' ? exact(value) : value)).toBe(true);
    for (const value of [exact(min - 1n), exact(max + 1n), 1.5, NaN, '1', true, null, [1], 1e300])
      expect(fits(value)).toBe(false);
    // Types whose values always fit into a number accept no bigints.
    expect(fits(1n)).toBe(isWide);
    expect(fits(2 ** 53)).toBe(false);
    expect(fits(2n ** 53n)).toBe(isWide);
  });

  test('number', () => {
    const fits = (number: unknown): boolean => (generated['isInts'] as Validator<unknown>)({ number });
    for (const value of [0, -0, 1.5, 1e300, 5e-324]) expect(fits(value)).toBe(true);
    for (const value of [NaN, Infinity, 1n, '1']) expect(fits(value)).toBe(false);
  });
});

describe('commands and events', () => {
  test.each<[what: string, value: unknown, fits: boolean, ...want: string[]]>([
    ['leaf.arguments', { name: 'x', way: 'in' }, true],
    ['leaf.arguments', { name: 'x', way: 'in', more: 1 }, false, 'unknown more: unknown member'],
    // Newer servers may send more than the schema knows.
    ['leaf.result', { name: 'x', way: 'in', more: 1 }, true, 'unknown more: unknown member'],
    ['leaf.result', { name: 'x', way: 'up' }, true, `unknown way: expected ${ways}, found string 'up'`],
    ['leaf.result', { way: 'in', any: 1n }, false, 'mismatch name: missing, expected string'],
    ['leaf.result', { name: 'x', way: 'in', note: null }, false, 'mismatch note: expected string, found null'],
    [
      'old.result',
      [
        { way: 'in', host: 'h' },
        { way: 'up', path: 5 },
      ],
      true,
      `unknown 1.way: expected ${ways}, found string 'up'`,
    ],
    [
      'old.result',
      [{ way: 'in', path: 5 }],
      false,
      'unknown 0.path: unknown member',
      'mismatch 0.host: missing, expected string',
    ],
    ['old.result', {}, false, 'mismatch : expected array, found object'],
    ['none.arguments', {}, true],
    ['none.arguments', { a: 1 }, false, 'unknown a: unknown member'],
    ['none.result', {}, true],
    ['none.result', 'x', false, "mismatch : expected object, found string 'x'"],
    ['further.arguments', { driver: 'e1000', mac: '0:0', list: [{ a: 1n }] }, true],
    ['further.arguments', { driver: 'e1000', when: new Date(0) }, false, 'mismatch when: expected JSON, found Date'],
    ['by-hand.arguments', { mac: '0:0' }, false, 'unknown mac: unknown member'],
    ['further.arguments', { mac: '0:0' }, false, 'mismatch driver: missing, expected string'],
    ['HAPPENED', { u8: 5, i64: 2n ** 62n }, true],
    ['HAPPENED', { u8: 256 }, false, 'mismatch u8: expected integer from 0 to 255, found number 256'],
    // Reading JSON exactly yields a bigint here, which the connection replaces by a number.
    ['HAPPENED', { number: 2n ** 53n }, false, 'mismatch number: expected number, found bigint 9007199254740992'],
  ])('%s %o', (what, value, fits, ...want) => {
    const [name, part] = what.split('.') as [string, 'arguments' | 'result' | undefined];
    const { commands, events } = generated.validators;
    const validator = (part ? commands[name]?.[part] : events[name]) as Validator<unknown>;
    expect(validator.issues(value).map((issue) => `${issue.kind} ${shown([issue])[0]}`)).toEqual(want);
    expect(validator(value)).toBe(fits);
    expect(validator['~standard'].validate(value).issues === undefined).toBe(fits);
  });

  test('remarks are made only on request', () => {
    const remarks = ['deprecated', 'unstable', 'conditional'] as const;
    const issues = (command: string, value: unknown, asked: readonly Issue['kind'][]): string[] =>
      (generated.validators.commands[command]?.arguments.issues(value, { remarks: asked as typeof remarks }) ?? []).map(
        (issue) => `${issue.kind} ${shown([issue])[0]}`,
      );
    expect(issues('old', { gone: 'x', some: 1 }, remarks)).toEqual([
      'deprecated : deprecated',
      'conditional : only where CONFIG_OLD',
      'deprecated gone: deprecated',
      'unstable gone: unstable',
      'conditional some: only where A && !B',
    ]);
    expect(issues('old', {}, ['unstable'])).toEqual([]);
    expect(issues('leaf', { name: 'x', way: 'old' }, remarks)).toEqual(['deprecated way: deprecated']);
    expect(issues('leaf', { name: 'x', way: 'here' }, remarks)).toEqual(['conditional way: only where CONFIG_HERE']);
    expect(issues('old', { gone: 'x' }, [])).toEqual([]);
  });
});

describe('hostile input', () => {
  const blockdev = qmp.validators.commands['blockdev-add'].arguments;

  test.each<[what: string, value: () => unknown, want: RegExp]>([
    [
      'an object that contains itself',
      () => cyclic({ driver: 'raw' }, 'file'),
      /^file: .* found object that contains itself$/u,
    ],
    ['one that contains itself twice', () => cyclic(cyclic({ driver: 'raw' }, 'file'), 'backing'), /contains itself/u],
    [
      'an array that contains itself',
      () => ({ driver: 'quorum', 'vote-threshold': 1, children: cyclic([], 0) }),
      /children\.0: /u,
    ],
    ['objects 100,000 deep', () => deep(100_000), /found object that is nested too deeply$/u],
    ['objects 2,000 deep', () => deep(2000), /found object that is nested too deeply$/u],
    [
      'arrays 100,000 deep',
      () => ({ driver: 'raw', file: deepArray(100_000) }),
      /^file: expected object or string, found array$/u,
    ],
    ['a getter that throws', () => hostile({ get: () => fail() }), /^file: .* a value that throws when read$/u],
    [
      'a proxy',
      () => new Proxy({}, { ownKeys: fail, getPrototypeOf: fail, get: fail, getOwnPropertyDescriptor: fail }),
      /./u,
    ],
    ['a proxy for a member', () => ({ driver: 'raw', file: new Proxy({}, { ownKeys: fail, get: fail }) }), /^file: /u],
    ['a revoked proxy', () => revoked(), /./u],
    ['symbols', () => ({ driver: Symbol('raw') }), /found symbol$/u],
  ])('%s', (_, value, want) => {
    expect(shown(blockdev.issues(value())).join('\n')).toMatch(want);
    expect(blockdev(value())).toBe(false);
  });

  // QEMU accepts 1024 levels, of which the message itself is the outermost.
  test.each([
    [1023, true],
    [1024, false],
  ])('%d deep', (depth, fits) => {
    expect(blockdev(deep(depth))).toBe(fits);
    // The same limit applies if the whole value is inspected.
    expect(blockdev.issues(deep(depth), { remarks: ['unstable'] }).length).toBe(fits ? 0 : 1);
  });

  test('a thousand remarks do not hide other issues', () => {
    const blocks = Array.from({ length: 1200 }, () => ({ name: 'x', way: 'in', more: 1 }));
    const value = [...blocks, { name: 5, way: 'in' }];
    const { result } = generated.validators.commands['list'] as { result: Validator<unknown> };
    expect(result(value)).toBe(false);
    expect(result.issues(value).length).toBe(1001);
    expect(result['~standard'].validate(value).issues?.length).toBe(1);
  });

  test('of half a million unknown members, a thousand are reported', { timeout: 60_000 }, () => {
    const members = Array.from({ length: 500_000 }, (_, index) => [`member${index}`, index]);
    const issues = blockdev.issues({ driver: 'null-co', ...Object.fromEntries(members) });
    expect(issues.length).toBe(1000);
    expect(shown(issues).slice(0, 1)).toEqual(['member0: unknown member']);
  });

  // A search for credentials that tried each suffix of a name would take minutes.
  test.each(['=' + 'a'.repeat(4095), '://'.repeat(1365), 'a"'.repeat(2000)])('many strings such as %.9s', (long) => {
    const disks = { name: 'sda', mountpoint: '/', type: 'ext4', disk: [], 'used-bytes': long };
    const result = Array.from({ length: 2000 }, () => ({ ...disks }));
    expect(qga.validators.commands['guest-get-fsinfo'].result.issues(result).length).toBe(1000);
  });

  test('a string of a million letters is not quoted in full', () => {
    const [issue] = blockdev.issues({ driver: 'x'.repeat(1_000_000) });
    expect(issue?.message.length).toBeLessThan(500);
  });

  test('nothing is polluted', () => {
    const value = JSON.parse(
      '{ "driver": "raw", "__proto__": { "x": 1 }, "constructor": { "prototype": { "x": 1 } }, "file": "a" }',
    ) as object;
    expect(blockdev(value)).toBe(false);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  test('a polluted prototype changes no verdict', () => {
    const prototype = Object.prototype as Record<string, unknown>;
    prototype['filename'] = 'inherited';
    try {
      expect(shown(blockdev.issues({ driver: 'file' }))).toEqual(['filename: missing, expected string']);
      expect(blockdev({ driver: 'file', filename: 'own' })).toBe(true);
      expect(blockdev({ driver: 'null-co' })).toBe(true);
    } finally {
      delete prototype['filename'];
    }
  });

  function fail(): never {
    throw new Error('hostile');
  }

  function hostile(descriptor: PropertyDescriptor): object {
    return Object.defineProperty({ driver: 'raw' }, 'file', { enumerable: true, ...descriptor });
  }

  function revoked(): unknown {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  }

  function cyclic<T extends object>(holder: T, name: string | number): T {
    return Object.assign(holder, { [name]: holder });
  }

  function deep(depth: number): object {
    let value: object = { driver: 'null-co' };
    for (let level = 1; level < depth; level += 1) value = { driver: 'raw', file: value };
    return value;
  }

  function deepArray(depth: number): unknown[] {
    let value: unknown[] = [];
    for (let level = 1; level < depth; level += 1) value = [value];
    return value;
  }
});

test('a member whose name is secret elsewhere does not hide its members', () => {
  const { transaction } = qmp.validators.commands;
  const data = { device: 'a', target: 'b', sync: 'ful', speed: 1.5 };
  expect(shown(transaction.arguments.issues({ actions: [{ type: 'blockdev-backup', data }] }))).toEqual([
    "actions.0.data.sync: expected one of 'top', 'full', 'none', 'incremental', 'bitmap', found string 'ful'; did you mean 'full'?",
    'actions.0.data.speed: expected 64-bit signed integer, found number 1.5',
  ]);
  const [issue] = qmp.validators.commands['send-key'].arguments.issues({ keys: [{ type: 'qcode', data: 'retrn' }] });
  expect(issue?.message).toContain("found string 'retrn'");
});

describe('secrets are not shown', () => {
  const secret = 's3cret';
  const all: Record<string, { readonly arguments: Validator<unknown> }> = {
    ...qga.validators.commands,
    ...qmp.validators.commands,
  };
  const known = [...secretMembers].filter(([command]) => command in all);

  test.each(known)('of %s', (command, members) => {
    for (const member of members) {
      for (const value of [secret, { a: secret }, [secret], [{ [member]: secret }]]) {
        for (const holder of [{ [member]: value }, { driver: 'https', file: { driver: 'https', [member]: value } }]) {
          expect(JSON.stringify(all[command]?.arguments.issues(holder))).not.toContain(secret);
        }
      }
    }
    expect(all[command]?.arguments.issues({ [members[0] as string]: 5 })).not.toEqual([]);
  });
});

test('credentials within a value are not shown', () => {
  const url = 'https://me:hunter2@host/';
  const issues = qmp.validators.commands['blockdev-add'].arguments.issues({
    driver: 'https',
    url: 'https://host',
    sslverify: url,
    'node-name': { url },
    discard: url,
  });
  expect(shown(issues).join('\n')).toContain("found string '***'");
  expect(JSON.stringify(issues)).not.toContain('hunter2');
});

test('validators do the same where code generation from strings is disabled', () => {
  const script = `
    import { validators } from '@qapi-ts/qemu/qmp';
    try { new Function(''); process.exit(1); } catch {}
    const { arguments: args } = validators.commands['blockdev-add'];
    console.log(args({ driver: 'null-co' }), args.issues({ driver: 'null-co', size: 'x' })[0].message);`;
  const options = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', script];
  const { stdout, stderr } = spawnSync(process.execPath, options, { cwd: repository, encoding: 'utf8' });
  expect(stdout + stderr).toBe("true expected 64-bit signed integer, found string 'x'\n");
});
