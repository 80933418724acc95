/** Values that only JavaScript has: whether they look like JSON depends on how they are read. */

import { createContext, runInContext } from 'node:vm';

import { alternate, enumeration, struct, union, validatorsOf, type Validator } from '../../runtime/src/index.js';

/** Returns a different number from 0 (inclusive) to 1 (exclusive) on each call. */
export type Random = () => number;

/** Returns a generator of pseudorandom numbers, which depend only on the seed. */
export function randomOf(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Types that use everything that QAPI has.
const isLeaf = struct(() => ({ name: 'str', 'size?': 'int', 'on?': 'bool', 'toString?': 'str' }));
const isWay = enumeration({ in: 'in', out: 'out' });
const isRef = alternate(() => [isLeaf, 'str', 'null']);
const isMany = alternate(() => [['str'], 'int']);
const isNode: Validator<unknown> = struct(() => ({
  id: 'int',
  'way?': isWay,
  'leaf?': isLeaf,
  'bytes?': ['uint8'],
  'leaves?': [isLeaf],
  'next?': isNode,
  'ref?': isRef,
  'many?': isMany,
  'any?': 'any',
  'speed?': 'number',
}));
const isDriver = enumeration({ file: 'file', raw: 'raw', none: 'none' });
const isBlock: Validator<unknown> = union('driver', () => [
  struct(() => ({ driver: isDriver, 'name?': 'str' })),
  {
    file: struct(() => ({ filename: 'str', 'leaf?': isLeaf })),
    raw: struct(() => ({ file: alternate(() => [isBlock, 'str']), 'size?': 'size' })),
  },
]);

const types = { leaf: isLeaf, node: isNode, block: isBlock, leaves: struct(() => ({ leaves: [isLeaf] })) };
export type OddType = keyof typeof types;
export const oddTypes = Object.keys(types) as OddType[];
/** The validators of each type, for values that are sent and for values that are received. */
export const validators = validatorsOf<Record<OddType, { arguments: object; result: object }>, Record<string, never>>(
  {
    leaf: { arguments: isLeaf, result: isLeaf },
    node: { arguments: isNode, result: isNode },
    block: { arguments: isBlock, result: isBlock },
    leaves: { arguments: types.leaves, result: types.leaves },
  },
  {},
).commands;

type Members = Record<string, unknown>;

const strings = ['', 'a', '__proto__', 'é😀', '"\\\n', '\u2028'];
const wrong = [undefined, null, 5, 'x', true, NaN, {}, [], 1n, Symbol('x'), () => 1, '\ud800', new Date(0), new Map()];

/** Generates values that are often valid, and often odd. */
export class OddValues {
  readonly #random: Random;
  readonly #isSteady: boolean;

  /** @param isSteady whether values are the same each time, and however they are read */
  constructor(random: Random, isSteady: boolean) {
    this.#random = random;
    this.#isSteady = isSteady;
  }

  value(type: OddType): unknown {
    switch (type) {
      case 'leaf':
        return this.#leaf();
      case 'node':
        return this.#node(3);
      case 'block':
        return this.#block(3);
      default:
        return this.#object({ leaves: () => this.#list(() => this.#leaf()) });
    }
  }

  #leaf(): unknown {
    return this.#object({ name: this.#string }, { size: this.#integer, on: () => true, toString: this.#string });
  }

  #node(depth: number): unknown {
    const optional: Record<string, () => unknown> = {
      way: () => 'in',
      leaf: () => this.#leaf(),
      bytes: () => this.#list(() => 255),
      leaves: () => this.#list(() => this.#leaf()),
      ref: () => this.#pick([null, 'x', this.#leaf()]),
      many: () => this.#pick([5, this.#list(this.#string)]),
      any: () => this.#pick([1, 'x', null, this.#leaf(), this.#list(() => this.#leaf())]),
      speed: () => this.#pick([1.5, 0, -0]),
    };
    if (depth > 0) optional['next'] = () => this.#node(depth - 1);
    return this.#object({ id: this.#integer }, optional);
  }

  #block(depth: number): unknown {
    const name = { name: this.#string };
    const driver = this.#pick(depth > 0 ? ['file', 'raw', 'none'] : ['file', 'none']);
    if (driver === 'none') return this.#object({ driver: () => driver }, name);
    if (driver === 'file') {
      const optional = { ...name, leaf: () => this.#leaf() };
      return this.#object({ driver: () => driver, filename: this.#string }, optional);
    }
    const file = (): unknown => this.#pick(['x', this.#block(depth - 1)]);
    return this.#object({ driver: () => driver, file }, { ...name, size: this.#integer });
  }

  readonly #string = (): string => this.#pick(strings);
  readonly #integer = (): unknown => this.#pick([0, 1, -1, 2 ** 40, 2n ** 62n]);

  #pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.#random() * values.length)] as T;
  }

  #object(mandatory: Record<string, () => unknown>, optional: Record<string, () => unknown> = {}): unknown {
    const chosen = Object.entries(optional).filter(() => this.#random() < 0.3);
    const members: Members = {};
    for (const [name, make] of [...Object.entries(mandatory), ...chosen]) {
      members[name] = this.#random() < 0.02 ? this.#pick(wrong) : make();
    }
    if (this.#random() < 0.05) members['unknown'] = this.#pick(wrong);
    return this.#random() < 0.3 ? this.#oddObject(members) : members;
  }

  #list(make: () => unknown): unknown {
    const elements = Array.from({ length: Math.floor(this.#random() * 4) }, make);
    return this.#random() < 0.3 ? this.#oddList(elements) : elements;
  }

  #oddObject(members: Members): unknown {
    const names = Object.keys(members);
    const name = this.#pick(names);
    const value = members[name];
    const define = (descriptor: PropertyDescriptor): Members => Object.defineProperty(members, name, descriptor);
    const unsteady: (() => unknown)[] = [
      () => define({ get: alternating(value, this.#pick(wrong)), enumerable: true }),
      () => new Proxy(members, { get: (target, key) => (this.#random() < 0.9 ? Reflect.get(target, key) : 5) }),
      () => new Proxy(members, { getOwnPropertyDescriptor: fail }),
      () => new Proxy(members, { ownKeys: (target) => Reflect.ownKeys(target).filter(() => this.#random() < 0.9) }),
    ];
    const steady: (() => unknown)[] = [
      () => define({ value, enumerable: false }),
      // As many unknown members as hidden ones.
      () => put(define({ value, enumerable: false }), { 'x-unknown': 1 }),
      () => put(define({ value, enumerable: false }), { 'x-undefined': undefined }),
      () => define({ get: () => value, enumerable: true }),
      () => define({ get: () => value, enumerable: false }),
      () => define({ set: () => {}, enumerable: true }),
      () => define({ get: fail, enumerable: true }),
      () => put(members, { [Symbol('x')]: fail }),
      () => Object.defineProperty(members, Symbol('x'), { get: fail, enumerable: true }),
      () => put(members, { [Symbol.toStringTag]: 'Map' }),
      () => put(put(new Map(), members), { [Symbol.toStringTag]: 'Object' }),
      () => put(new Map(), members),
      () => put(new Date(0), members),
      () => put(new Error('x'), members),
      () => put(Object(this.#pick(['x', 5, true, 1n])) as object, members),
      () => put(Object.setPrototypeOf(new Date(0), Object.prototype) as object, members),
      () => put(Object.setPrototypeOf([], Object.prototype) as object, members),
      () => put([], members),
      () => put(argumentsOf(), members),
      () => put(Object.create(null) as object, members),
      () => put(new Plain(), members),
      () => put(new Derived(), members),
      () => put(put(new Map(), { [Symbol.toStringTag]: undefined }), members),
      () => Object.create(members),
      () => put(Object.create({ [name]: value }) as object, { ...members, [name]: undefined }),
      () => Object.defineProperty(members, 'toJSON', { value: () => ({}) }),
      () => put(members, { toJSON: () => ({}) }),
      () => Object.defineProperty(members, '__proto__', { value: this.#pick([1, {}, undefined]), enumerable: true }),
      () => Object.defineProperty(members, '__proto__', { value: 1 }),
      () => inOtherRealm(`({})`, members),
      () => inOtherRealm(`new Map()`, members),
      () => new Proxy(members, {}),
      () => new Proxy(members, { getPrototypeOf: () => null }),
      () => Object.freeze(members),
      () => put(members, { more: undefined }),
      () => Object.defineProperty(members, 'hidden', { value: 1 }),
    ];
    return this.#pick(this.#isSteady ? steady : [...steady, ...unsteady, ...unsteady, ...unsteady])();
  }

  #oddList(elements: unknown[]): unknown {
    const [first] = elements;
    const define = (descriptor: PropertyDescriptor): unknown[] => Object.defineProperty(elements, 0, descriptor);
    const hidden = { configurable: true, writable: true };
    const unsteady: (() => unknown)[] = [
      () => define({ get: alternating(first, this.#pick(wrong)), enumerable: true }),
      () =>
        new Proxy(elements, {
          get: (target, key) => (key === 'length' ? Math.floor(this.#random() * 4) : Reflect.get(target, key)),
        }),
    ];
    const steady: (() => unknown)[] = [
      () => Object.assign(elements, { length: elements.length + 1 }),
      () => put([], { 3: first }),
      () => define({ get: () => first, enumerable: true }),
      () => define({ value: first, enumerable: false }),
      () => define({ get: fail, enumerable: true }),
      () => Object.defineProperty(elements, Symbol.iterator, { ...hidden, value: () => [].values() }),
      () => Object.defineProperty(elements, 'map', { ...hidden, value: () => ['other'] }),
      () => Object.defineProperty(elements, 'toJSON', { ...hidden, value: () => ['other'] }),
      () => put(elements, { more: 1, [Symbol.toStringTag]: 'Object' }),
      () => List.from(elements),
      () => Object.setPrototypeOf(elements, null),
      () => Object.setPrototypeOf(elements, Object.prototype),
      () => put(Object.create(Array.prototype) as object, elements),
      () => put({ length: elements.length }, elements),
      () => inOtherRealm('[]', elements as unknown as Members),
      () => new Uint8Array(elements.length),
      () => new Set(elements),
      () => new Proxy(elements, {}),
      () => new Proxy(elements, { get: (target, key) => (key === 'length' ? 1 : Reflect.get(target, key)) }),
      () => new Proxy(elements, { get: (target, key) => (key === 'length' ? NaN : Reflect.get(target, key)) }),
      () => Object.freeze(elements),
    ];
    return this.#pick(this.#isSteady ? steady : [...steady, ...unsteady, ...unsteady, ...unsteady])();
  }
}

class Plain {
  get name(): string {
    return 'inherited';
  }
}

class Derived extends Map {}
class List extends Array {}

/** Like `Object.assign`, but redefines existing properties, even those without a setter. */
function put(object: object, members: object): object {
  for (const key of [...Object.keys(members), ...Object.getOwnPropertySymbols(members)]) {
    const value: unknown = Reflect.get(members, key);
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return object;
}

function fail(): never {
  throw new Error('this cannot be read');
}

/** Returns a getter that alternates between two values. */
function alternating(one: unknown, other: unknown): () => unknown {
  let times = 0;
  return () => (times++ % 2 === 0 ? one : other);
}

function argumentsOf(): object {
  // oxlint-disable-next-line prefer-rest-params -- that is the point
  return arguments;
}

const realm = createContext({});

function inOtherRealm(code: string, members: Members): object {
  return put(runInContext(code, realm) as object, members);
}
