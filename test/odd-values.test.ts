/**
 * What is checked is what is sent, however unusual a value is: compiled checks, inspections, and the text that is sent
 * agree on any JavaScript value.
 *
 * `QAPI_TS_RUNS` is the number of values, `QAPI_TS_SEED` the first seed.
 */

import { runInNewContext } from 'node:vm';

import { describe, expect, test } from 'vitest';

import { ArgumentsError, struct, validatorsOf } from '../runtime/src/index.js';
import { stringify, toWire, type JsonObject } from '../runtime/src/json.js';
import type { Validator } from '../runtime/src/validator.js';
import { connectPeer, failure } from './support/client.js';
import { Peer } from './support/peer.js';
import { validators, type OddType } from './support/odd.js';
import { sendsWhatIsChecked, verdictsAgree } from './support/verdicts.js';

const runs = Number(process.env['QAPI_TS_RUNS'] ?? 10_000);
const firstSeed = Number(process.env['QAPI_TS_SEED'] ?? 1);

interface Case {
  readonly type: OddType;
  /** Creates the value anew for each use, because reading it may change it. */
  readonly value: () => object;
  /** What a client sends. Absent if it rejects the value. */
  readonly sent?: string;
  /** Whether a guard accepts the value. By default, if a client sends it. */
  readonly isAccepted?: boolean;
}

const size = { size: 1 };
const hidden = { enumerable: false, configurable: true, writable: true };

const cases: Record<string, Case> = {
  'an unknown member next to a hidden one': {
    type: 'leaf',
    value: () => Object.defineProperty({ name: 'a', unknown: 1 }, 'size', { ...hidden, value: 1 }),
  },
  'a mandatory member that is hidden': {
    type: 'leaf',
    value: () => Object.defineProperty({}, 'name', { ...hidden, value: 'a' }),
    // A program that reads the member finds it.
    isAccepted: true,
  },
  'a hidden member that is optional': {
    type: 'leaf',
    value: () => Object.defineProperty({ name: 'a' }, 'size', { ...hidden, value: 'x' }),
    sent: '{"name":"a"}',
  },
  'a getter whose value changes': {
    type: 'leaf',
    value: () => {
      let times = 0;
      return Object.defineProperty({ name: 'a' }, 'size', { get: () => (times++ === 0 ? 1 : 'x'), enumerable: true });
    },
    sent: '{"name":"a","size":1}',
  },
  'a discriminator whose value changes': {
    type: 'block',
    value: () => {
      let times = 0;
      const get = (): unknown => (times++ === 0 ? 'none' : 5);
      return Object.defineProperty({}, 'driver', { get, enumerable: true });
    },
    sent: '{"driver":"none"}',
  },
  'a proxy that returns something else each time': {
    type: 'leaf',
    value: () => {
      let times = 0;
      return new Proxy({ name: 'a' }, { get: (_, key) => (key !== 'name' ? undefined : times++ === 0 ? 'a' : 5) });
    },
    sent: '{"name":"a"}',
  },
  'an array with its own iterator': {
    type: 'node',
    value: () => ({ id: 1, bytes: Object.assign([1, 2], { [Symbol.iterator]: () => ['x'].values() }) }),
    sent: '{"id":1,"bytes":[1,2]}',
  },
  'an array with its own methods': {
    type: 'node',
    value: () => ({ id: 1, bytes: Object.assign([1], { map: () => ['x'], toJSON: () => 'x', more: 1 }) }),
    sent: '{"id":1,"bytes":[1]}',
  },
  'an array whose length changes': {
    type: 'node',
    value: () => {
      let times = 0;
      const get = (target: object, key: string | symbol): unknown =>
        key === 'length' && times++ > 0 ? 2 : Reflect.get(target, key);
      return { id: 1, bytes: new Proxy([1], { get }) };
    },
    sent: '{"id":1,"bytes":[1]}',
  },
  'a Map that calls itself an Object': {
    type: 'block',
    value: () => ({
      driver: 'raw',
      file: Object.defineProperty(Object.assign(new Map(), { driver: 'none' }), Symbol.toStringTag, {
        value: 'Object',
      }),
    }),
  },
  'an object that calls itself a Map': {
    type: 'leaf',
    value: () => ({ name: 'a', [Symbol.toStringTag]: 'Map' }),
    sent: '{"name":"a"}',
  },
  'an array with the prototype of an object': {
    type: 'node',
    value: () => ({ id: 1, leaf: Object.setPrototypeOf([], Object.prototype) as object }),
  },
  'a date with the prototype of an object': {
    type: 'node',
    value: () => ({ id: 1, any: Object.setPrototypeOf(new Date(0), Object.prototype) as object }),
    sent: '{"id":1,"any":{}}',
  },
  'an instance of a class': {
    type: 'leaf',
    value: () =>
      new (class {
        readonly name = 'a';
        get size(): string {
          return 'x';
        }
      })(),
    sent: '{"name":"a"}',
  },
  'inherited members': { type: 'leaf', value: () => Object.create({ name: 'a' }) as object },
  'no prototype': {
    type: 'leaf',
    value: () => Object.assign(Object.create(null) as object, { name: 'a', ...size }),
    sent: '{"name":"a","size":1}',
  },
  'an object from another realm': {
    type: 'node',
    value: () => runInNewContext('({ id: 1, bytes: [1], leaf: { name: "a" } })') as object,
    sent: '{"id":1,"bytes":[1],"leaf":{"name":"a"}}',
  },
  'a date from another realm': {
    type: 'node',
    value: () => ({ id: 1, any: runInNewContext('new Date()') as unknown }),
  },
  toJSON: { type: 'leaf', value: () => ({ name: 'a', toJSON: () => ({}) }) },
  'a symbol as a name': {
    type: 'leaf',
    value: () => Object.defineProperty({ name: 'a' }, Symbol('size'), { get: fail, enumerable: true }),
    sent: '{"name":"a"}',
  },
  'a string object': { type: 'leaf', value: () => ({ name: new String('a') }) },
  // oxlint-disable-next-line no-sparse-arrays -- that is the point
  'a hole': { type: 'node', value: () => ({ id: 1, bytes: [1, , 2] }) },
};

function fail(): never {
  throw new Error('cannot be read');
}

describe('what is checked is what is sent, for', () => {
  test.each(Object.entries(cases))('%s', async (_, { type, value, sent, isAccepted = sent !== undefined }) => {
    await using peer = new Peer();
    peer.on(type, {});
    const protocol = {
      handshake: 'greeting',
      withoutReply: [],
      validators: { commands: validators, events: {} },
    } as const;
    await using vm = await connectPeer(peer, {}, protocol);
    const call = vm.execute(type, value() as never);
    if (sent === undefined) expect(await failure(call)).toBeInstanceOf(ArgumentsError);
    else await call;
    const texts = peer.received.slice(1).map(({ text }) => text);
    expect(texts).toEqual(sent === undefined ? [] : [expect.stringContaining(`"arguments":${sent}`)]);
    const validator = validators[type].arguments;
    expect(validator(value())).toBe(isAccepted);
    expect(validator.issues(value()).length === 0).toBe(isAccepted);
  });

  test('a getter, which is read once', () => {
    let times = 0;
    const value = {
      name: 'a',
      get size() {
        times += 1;
        return times;
      },
    };
    expect(validators.leaf.arguments(value)).toBe(true);
    expect(times).toBe(1);
    expect(validators.leaf.result(value)).toBe(true);
    expect(times).toBe(2);
    expect(toWire(value, true).text).toBe('{"name":"a","size":3}');
  });
});

describe('values that are larger than they look are rejected quickly', () => {
  const tooMany = /2097136 tokens of JSON|too many/u;

  function holes(length: number): unknown[] {
    return Object.assign([], { length });
  }

  function filled<T>(length: number, element: T): T[] {
    return Array.from({ length }, () => element);
  }

  /** Returns nested objects, each of which contains the next twice. */
  function shared(depth: number, member: string): object {
    let value: object = { driver: 'none' };
    for (let level = 0; level < depth; level += 1) value = { driver: 'raw', [member]: [value, value] };
    return value;
  }

  function sharedNodes(depth: number): object {
    let value: object = { left: {}, right: {} };
    for (let level = 0; level < depth; level += 1) value = { left: value, right: value };
    return value;
  }

  const isTree: Validator<unknown> = struct(() => ({ 'left?': isTree, 'right?': isTree }));
  const { tree } = validatorsOf<Record<'tree', { arguments: object; result: object }>, Record<string, never>>(
    { tree: { arguments: isTree, result: isTree } },
    {},
  ).commands;

  test.each<[what: string, value: () => unknown, validator: Validator<unknown>]>([
    ['a sparse array', () => ({ id: 1, bytes: holes(1e8) }), validators.node.arguments],
    ['a sparse array in a result', () => ({ id: 1, bytes: holes(1e8) }), validators.node.result],
    ['a sparse array of a million', () => ({ id: 1, bytes: holes(1e6) }), validators.node.arguments],
    ['a sparse array in any', () => ({ id: 1, any: [holes(1e6)] }), validators.node.arguments],
    ['shared objects', () => sharedNodes(28), tree.arguments],
    ['shared objects in a result', () => sharedNodes(28), tree.result],
    ['shared objects in any', () => ({ id: 1, any: sharedNodes(28) }), validators.node.arguments],
    ['shared arrays', () => ({ id: 1, any: shared(28, 'x') }), validators.node.arguments],
    [
      'a long shared array',
      () => ({ id: 1, any: filled(1000, filled(1000, filled(1000, 1))) }),
      validators.node.arguments,
    ],
    [
      'an object that contains itself twice',
      () => {
        const self: JsonObject = {};
        return Object.assign(self, { left: self, right: self });
      },
      tree.result,
    ],
  ])('%s', (_, value, validator) => {
    const begin = process.cpuUsage();
    expect(validator(value())).toBe(false);
    const issues = validator.issues(value(), { remarks: ['unstable'] });
    expect(issues.length).toBeGreaterThan(0);
    expect(issues.length).toBeLessThan(1100);
    expect(() => toWire(value(), true)).toThrow(TypeError);
    // CPU time, because the machine may be busy.
    expect(process.cpuUsage(begin).user / 1e6).toBeLessThan(5);
  });

  test('the error names the limit', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    for (const [value, message] of [
      [sharedNodes(28), /^x: arguments: the value has more than 2097136 tokens of JSON$/u],
      [{ a: holes(1e8) }, /^x: arguments: a is an array of 100000000 elements, which is too many$/u],
      [{ a: 'é'.repeat(40_000_000) }, /^x: arguments: the value has more than 67107840 bytes of JSON$/u],
    ] as const) {
      expect((await failure(vm.execute('x', value as never))).message).toMatch(message);
    }
    expect(tree.arguments.issues(sharedNodes(28)).map(({ message }) => message)).toEqual([
      expect.stringMatching(tooMany),
    ]);
    expect(() => stringify(sharedNodes(28))).toThrow('more than 16777216 tokens of JSON');
  });

  test('the largest value that QEMU accepts is sent', () => {
    const bytes = filled(1_048_000, 1);
    expect(toWire({ a: bytes }).text.length).toBe(2_096_007);
    expect(() => toWire({ a: [...bytes, ...bytes] })).toThrow(TypeError);
    expect(validators.node.arguments({ id: 1, bytes })).toBe(true);
    expect(validators.node.arguments({ id: 1, bytes: [...bytes, ...bytes] })).toBe(false);
  });
});

describe('any value', { timeout: 60_000 + runs }, () => {
  test('has one verdict', () => {
    const counts = { fit: 0, unfit: 0, fast: 0 };
    for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
      const { isFit, isFast } = verdictsAgree(seed);
      counts[isFit ? 'fit' : 'unfit'] += 1;
      if (isFast) counts.fast += 1;
    }
    // No outcome is rare.
    for (const count of Object.values(counts)) expect(count / runs).toBeGreaterThan(0.1);
    if (process.env['QAPI_TS_RUNS']) console.log(counts);
  });

  test('is sent as it was checked, even if it changes while it is read', () => {
    let sent = 0;
    for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) if (sendsWhatIsChecked(seed)) sent += 1;
    expect(sent / runs).toBeGreaterThan(0.1);
  });
});
