/** Parsing and writing JSON with exact integers. */

import { isDeepStrictEqual } from 'node:util';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { parse, stringify, toNumber, toWire, type Json } from '../../runtime/src/json.js';

const deep = 100_000;

describe('parse', () => {
  test.each<[text: string, want: unknown]>([
    ['0', 0],
    ['-0', -0],
    ['9007199254740991', 9007199254740991],
    ['-9007199254740991', -9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['-9007199254740992', -9007199254740992n],
    ['9007199254740993', 9007199254740993n],
    ['-9007199254740993', -9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
    ['18446744073709551615', 18446744073709551615n],
    // A double with 17 digits looks like an integer. Validation converts it back.
    ['10000000000000000', 10000000000000000n],
    ['1e16', 1e16],
    ['1E+400', Infinity],
    ['1.5e300', 1.5e300],
    ['9007199254740993.0', 9007199254740992],
    [
      '{"a":{"b":[1,{"c":9007199254740993}]},"d":-18446744073709551615}',
      { a: { b: [1, { c: 9007199254740993n }] }, d: -18446744073709551615n },
    ],
    ['[18446744073709551615,18446744073709551615]', [18446744073709551615n, 18446744073709551615n]],
    [
      ' { "a" : [ 9007199254740993 , { } , [ ] , true , false , null ] }\r',
      { a: [9007199254740993n, {}, [], true, false, null] },
    ],
    // Everything else in text with unsafe integers is read as usual.
    ['["9007199254740993",9007199254740993,1e3,-0,-1.5]', ['9007199254740993', 9007199254740993n, 1000, -0, -1.5]],
    [String.raw`["\\",9007199254740993,"\"","]","\u00e9\ud83d\ude00\n"]`, ['\\', 9007199254740993n, '"', ']', 'é😀\n']],
    ['["é😀\u2028",9007199254740993]', ['é😀\u2028', 9007199254740993n]],
    [String.raw`["\ud800",9007199254740993]`, ['\ud800', 9007199254740993n]],
    ['{"a":1,"a":9007199254740993}', { a: 9007199254740993n }],
    // Overwritten members with unsafe integers do no harm.
    ['{"a":9007199254740993,"a":1.0}', { a: 1 }],
  ])('%s', (text, want) => {
    expect(parse(text)).toEqual(want);
  });

  test.each(['1', '9007199254740993'])(
    'reads a member __proto__ as a member, not as the prototype, next to %s',
    (number) => {
      const value = parse(`{"__proto__":{"polluted":true},"constructor":1,"n":${number}}`) as object;
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'n']);
      expect('polluted' in value).toBe(false);
      expect(Object.getOwnPropertyDescriptor(value, '__proto__')).toEqual({
        value: { polluted: true },
        writable: true,
        enumerable: true,
        configurable: true,
      });
    },
  );

  test.each([
    '',
    '{',
    '{"a":}',
    '[1,]',
    "{'a':1}",
    'NaN',
    '01',
    '1n',
    '9007199254740993n',
    '[9007199254740993',
    '\u00a0{}',
  ])('rejects %j', (text) => {
    expect(() => parse(text)).toThrow(SyntaxError);
  });

  test.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('rejects %s that nest too deeply, with its own message', (_, open, close) => {
    for (const number of ['1', '9007199254740993']) {
      expect(() => parse(open.repeat(deep) + number + close.repeat(deep))).toThrow(
        new RangeError("it nests more than 1024 levels deep, which is QEMU's own limit"),
      );
      expect(() => parse(open.repeat(1000) + number + close.repeat(1000))).not.toThrow();
    }
  });

  test('reads long strings next to an unsafe integer', () => {
    const long = 'x\\n'.repeat(8_000_000);
    const [text, number] = parse(`["${long}",9007199254740993]`) as [string, bigint];
    expect(number).toBe(9007199254740993n);
    expect(text.length).toBe(16_000_000);
  });

  test('reads long whitespace next to an unsafe integer', () => {
    expect(parse(`[1,${' \n'.repeat(8_000_000)}9007199254740993]`)).toEqual([1, 9007199254740993n]);
  });

  test('does not waste time on absurdly long integers', () => {
    const digits = '9'.repeat(20_000_000);
    const begin = performance.now();
    // No QAPI integer has more than 64 bits, so this one may be as inexact as with JSON.parse.
    expect(parse(digits)).toBe(Infinity);
    expect(parse('1'.repeat(30))).toBe(Number('1'.repeat(30)));
    expect(performance.now() - begin).toBeLessThan(2000);
  });
});

describe('stringify', () => {
  test.each<[value: unknown, want: string]>([
    [9007199254740991, '9007199254740991'],
    [-9007199254740991, '-9007199254740991'],
    [9007199254740993n, '9007199254740993'],
    [18446744073709551615n, '18446744073709551615'],
    [-9223372036854775808n, '-9223372036854775808'],
    [1n, '1'],
    [-0, '0'],
    [0.1, '0.1'],
    [1e-7, '1e-7'],
    ['é😀"\\\n\u2028\u007f', JSON.stringify('é😀"\\\n\u2028\u007f')],
    [null, 'null'],
    [{ a: undefined, b: 1, c: undefined }, '{"b":1}'],
    [{ a: [1n, { b: null }], 'x-y': true }, '{"a":[1,{"b":null}],"x-y":true}'],
    [JSON.parse('{"__proto__":{"a":1}}'), '{"__proto__":{"a":1}}'],
    [Object.create(null, { a: { value: 1, enumerable: true } }), '{"a":1}'],
    [[], '[]'],
    [{}, '{}'],
  ])('%o', (value, want) => {
    expect(stringify(value)).toBe(want);
    expect(toWire(value).text).toBe(want);
  });

  test.each<[value: unknown, want: string]>([
    [2 ** 53, '9007199254740992'],
    [1e300, '1e+300'],
    [2n ** 64n, '18446744073709551616'],
    ['\ud800', '"\\ud800"'],
  ])('%o, which a server may send, but a client must not', (value, want) => {
    expect(stringify(value)).toBe(want);
    expect(() => toWire(value)).toThrow(TypeError);
  });

  const cyclic: Record<string, unknown> = {};
  cyclic['me'] = { again: cyclic };
  let nested: unknown = 1;
  for (let depth = 0; depth < deep; depth += 1) nested = [nested];

  test.each<[what: string, value: unknown, want: string | RegExp]>([
    ['NaN', { a: NaN }, 'a is NaN'],
    ['an infinity', { a: [1, -Infinity] }, 'a[1] is -Infinity'],
    ['an unsafe number', { size: 2 ** 53 }, 'size is 9007199254740992, which is not exact: use a bigint'],
    ['an unsafe negative number', -(2 ** 53), 'the value is -9007199254740992, which is not exact: use a bigint'],
    ['a large number', { a: { 'b-c': [{ d: 1e300 }] } }, 'a.b-c[0].d is 1e+300, which is not exact: use a bigint'],
    ['a lone surrogate', { a: 'x\ud800' }, 'a is a string with a lone surrogate'],
    ['a lone surrogate in a name', { a: { 'x\udc00': 1 } }, 'a is a string with a lone surrogate'],
    ['undefined', undefined, 'the value is undefined'],
    ['undefined in an array', { a: [1, undefined] }, 'a[1] is undefined'],
    // oxlint-disable-next-line no-sparse-arrays -- that is the point
    ['a hole in an array', { a: [1, , 3] }, 'a[1] is undefined'],
    ['a function', { a: () => 1 }, 'a is a function'],
    ['a symbol', { a: Symbol('x') }, 'a is a symbol'],
    ['an object that contains itself', cyclic, /^me\.again\.me\..* is nested too deeply, or contains itself$/u],
    ['a value that nests too deeply', nested, /^\[0\]\[0\].* is nested too deeply, or contains itself$/u],
    ['a date', { a: new Date(0) }, 'a is a Date'],
    ['a map', { a: new Map([[1, 2]]) }, 'a is a Map'],
    ['bytes', { a: new Uint8Array(2) }, 'a is a Uint8Array'],
    ['a promise', { a: Promise.resolve() }, 'a is a Promise'],
  ])('rejects %s', (_, value, want) => {
    expect(() => toWire(value)).toThrow(typeof want === 'string' ? new TypeError(want) : want);
  });

  test('keeps its message short, however deep the place is', () => {
    let value: unknown = NaN;
    for (let depth = 0; depth < 1000; depth += 1) value = { 'a-long-name': value };
    expect(() => stringify(value)).toThrow(/^.{1,300}$/u);
  });
});

describe('parse and stringify', () => {
  const integer = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).map(canonical),
    fc.constantFrom(...[2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, -(2n ** 53n), 2n ** 64n - 1n]),
  );
  const double = fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true });
  const string = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('__proto__', 'constructor', '"', '\\', '9007199254740993'),
  );
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      integer,
      double,
      string,
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value')),
      fc.array(fc.tuple(string, tie('value'))).map((entries) => Object.fromEntries(entries)),
    ),
  }));

  test('agree', () => {
    fc.assert(
      fc.property(value, (x) => {
        expect(isDeepStrictEqual(parse(stringify(x)), x)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('agree with JSON.parse and JSON.stringify if all integers are safe', () => {
    const safe = fc.json();
    fc.assert(
      fc.property(safe, (text) => {
        const native = JSON.parse(text) as Json;
        fc.pre(!/\d{16}|e\+/u.test(text));
        expect(isDeepStrictEqual(parse(text), native)).toBe(true);
        expect(stringify(native)).toBe(JSON.stringify(native));
      }),
      { numRuns: 1000 },
    );
  });

  function canonical(n: bigint): number | bigint {
    return Number.isSafeInteger(Number(n)) ? Number(n) : n;
  }
});

test.each<[value: number | bigint, want: number | string]>([
  [1, 1],
  [1n, 1],
  [9007199254740991n, 9007199254740991],
  [9007199254740992n, '9007199254740992 cannot be represented exactly as a number'],
  [-18446744073709551615n, '-18446744073709551615 cannot be represented exactly as a number'],
  // Numbers are returned unchanged.
  [1e300, 1e300],
])('toNumber of %s', (value, want) => {
  if (typeof want === 'number') expect(toNumber(value)).toBe(want);
  else expect(() => toNumber(value)).toThrow(new RangeError(want));
});
