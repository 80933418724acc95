/** Splitting bytes into messages. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { Framer, FramingError, type MessageLimits } from '../../runtime/src/framing.js';
import type { Json } from '../../runtime/src/json.js';

function framerOf({ bytes: size = 64 * 1024 * 1024, values = 1024 * 1024 }: Partial<MessageLimits> = {}): Framer {
  return new Framer({ bytes: size, values });
}

/** Returns the messages in the chunks, and the error that ended them. */
function read(chunks: readonly Uint8Array[], framer = framerOf()): { messages: Json[]; problem?: string } {
  const messages: Json[] = [];
  try {
    for (const chunk of chunks) framer.push(chunk, (message) => messages.push(message));
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
    return { messages, problem: error.message };
  }
  return { messages };
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

/** Returns all ways to cut bytes in two, and into single bytes. */
function cuts(whole: Uint8Array): Uint8Array[][] {
  const two = Array.from(whole, (_, at) => [whole.subarray(0, at), whole.subarray(at)]);
  return [...two, Array.from(whole, (_, at) => whole.subarray(at, at + 1))];
}

describe('however it is cut', () => {
  test.each<[what: string, given: string, want: Json[], problem?: string]>([
    ['a message', '{"a":1}\n', [{ a: 1 }]],
    ['a message with CRLF', '{"a":1}\r\n', [{ a: 1 }]],
    ['several messages', '{"a":1}\r\n{"b":[]}\n{"c":"}"}\r\n', [{ a: 1 }, { b: [] }, { c: '}' }]],
    ['a message without a newline yet', '{"a":1}\n{"b":', [{ a: 1 }]],
    ['blank lines', '\n\r\n  \r\n{"a":1}\n\n\n{"b":2}\n', [{ a: 1 }, { b: 2 }]],
    ['surrounding whitespace', '  {"a":1} \r\n\t[1]\n', [{ a: 1 }, [1]]],
    ['all kinds of values', '{}\n[]\n"x"\n1\ntrue\nnull\n', [{}, [], 'x', 1, true, null]],
    [
      'a pretty message',
      '{\r\n    "a": {\r\n        "b": [\r\n            1\r\n        ]\r\n    }\r\n}\r\n{"c":1}\n',
      [{ a: { b: [1] } }, { c: 1 }],
    ],
    ['a pretty message whose first line looks complete', '{"a": {}\n,"b": {}\n}\n', [{ a: {}, b: {} }]],
    ['blank lines within a message', '{\n\n"a"\n:\n\n1\n}\n', [{ a: 1 }]],
    [
      'brackets and escapes in the strings of a pretty message',
      '{\n"]}": "{[\\"\\\\",\n"b\\\\": "\\\\\\"}"\n}\n',
      [{ ']}': '{["\\', 'b\\': '\\"}' }],
    ],
    [
      'an exact integer',
      '{"a":9007199254740993}\n{\n"a":18446744073709551615}\n',
      [{ a: 9007199254740993n }, { a: 18446744073709551615n }],
    ],
    ['UTF-8 of all lengths', '{"é":"ü€😀"}\r\n{\n"😀":\n"\u2028"}\n', [{ é: 'ü€😀' }, { '😀': '\u2028' }]],
    ['garbage', '{"a":1}\nhello\n{"b":1}\n', [{ a: 1 }], 'not JSON'],
    ['an extra bracket', '{"a":1}}\n', [], 'not JSON'],
    ['a wrong bracket', '{"a":[1}}\n', [], 'not JSON'],
    ['brackets in the wrong order', '}{\n', [], 'not JSON'],
    ['two messages on one line', '{"a":1}{"b":1}\n', [], 'not JSON'],
    ['a string that continues on another line', '{"a":"b\n{"c":1}\n', [], 'not JSON'],
    ['a truncated message', '{"a":"b\r\n', [], 'not JSON'],
    ['another protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n', [], 'not JSON'],
  ])('%s', (_, given, messages, problem) => {
    const want = problem === undefined ? { messages } : { messages, problem };
    expect(read([bytes(given)])).toEqual(want);
    for (const chunks of cuts(bytes(given))) expect(read(chunks)).toEqual(want);
  });

  const message = fc.record({
    text: fc.string({ unit: 'binary', maxLength: 20 }),
    value: fc.jsonValue({ maxDepth: 2 }),
  });
  const style = fc.record({ end: fc.constantFrom('\n', '\r\n'), indent: fc.constantFrom(0, 1, 4) });

  test('any messages, in any style', () => {
    const parts = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 30 });
    fc.assert(
      fc.property(fc.array(fc.tuple(message, style), { maxLength: 10 }), parts, (messages, sizes) => {
        const lines = messages.map(
          ([value, { end, indent }]) => JSON.stringify(value, null, indent).replaceAll('\n', end) + end,
        );
        const whole = bytes(lines.join(''));
        const want = messages.map(([value]) => JSON.parse(JSON.stringify(value)) as Json);
        let begin = 0;
        const chunks = sizes.map((size) => whole.subarray(begin, (begin += size)));
        const { messages: got, problem } = read([...chunks, whole.subarray(begin)]);
        expect(problem).toBe(undefined);
        expect(JSON.stringify(got, big)).toBe(JSON.stringify(want));
      }),
      { numRuns: 300 },
    );
  });

  /** Converts integers: large doubles that look like integers are read as bigints. */
  function big(_: string, value: unknown): unknown {
    return typeof value === 'bigint' ? Number(value) : value;
  }
});

test('emits the text with the message', () => {
  const texts: string[] = [];
  framerOf().push(bytes('{"a": 1}\n{\n "b": 9007199254740993\n}\n'), (_, text) => texts.push(text));
  expect(texts).toEqual(['{"a": 1}', '{\n "b": 9007199254740993\n}']);
});

test('accepts a view into a larger buffer', () => {
  const buffer = bytes('xxxx{"a":1}\nyyyy');
  expect(read([new Uint8Array(buffer.buffer, buffer.byteOffset + 4, 8)])).toEqual({ messages: [{ a: 1 }] });
});

test('does not keep chunks, which their owner may reuse', () => {
  const framer = framerOf();
  const chunk = bytes('{"a":');
  framer.push(chunk, () => {});
  chunk.fill(0);
  expect(read([bytes('1}\n')], framer)).toEqual({ messages: [{ a: 1 }] });
});

describe('the limit on bytes', () => {
  const limit = 20;
  const problem = 'a message of more than 20 bytes; raise messageLimit to accept it';
  const fits = '{"a":"0123456789.."}';
  const tooLong = '{"a":"0123456789..."}';

  test.each<[what: string, given: string, want: ReturnType<typeof read>]>([
    ['a message that just fits', `${fits}\n`, { messages: [{ a: '0123456789..' }] }],
    ['a message that does not fit', `${tooLong}\n`, { messages: [], problem }],
    ['an incomplete message', tooLong, { messages: [], problem }],
    [
      'many messages in one chunk',
      `${fits}\n`.repeat(10),
      { messages: Array.from({ length: 10 }, () => ({ a: '0123456789..' })) },
    ],
    ['messages before it', `{"a":1}\n{"b":2}\n${tooLong}\n{"c":3}\n`, { messages: [{ a: 1 }, { b: 2 }], problem }],
    ['messages before an incomplete one', `{"a":1}\n{"b":2}\n${tooLong}`, { messages: [{ a: 1 }, { b: 2 }], problem }],
    ['bytes, not characters', '{"a":"€€€€€€€€"}\n', { messages: [], problem }],
    ['a pretty message that is one byte too long', '{\n"a":"01234567890"\n}\n{\n"a":1\n}\n', { messages: [], problem }],
    ['a pretty message that fits', '{\n"a":"0123456789"\n}\n', { messages: [{ a: '0123456789' }] }],
    ['a pretty message that does not fit', '{\n"a":"012345678901"\n}\n', { messages: [], problem }],
    ['bytes of a pretty message', '{\n"a":"€€€€"\n}\n', { messages: [], problem }],
    ['endless lines', '[\n1\n,\n2\n,\n3\n,\n4\n,\n5\n,\n6\n,', { messages: [], problem }],
    ['endless opening brackets', '['.repeat(100), { messages: [], problem }],
  ])('%s', (_, given, want) => {
    expect(read([bytes(given)], framerOf({ bytes: limit }))).toEqual(want);
    for (const chunks of cuts(bytes(given))) expect(read(chunks, framerOf({ bytes: limit }))).toEqual(want);
  });

  test('applies to whitespace', () => {
    const framer = framerOf();
    const mebibyte = Buffer.alloc(1024 * 1024, ' ');
    expect(read(Array<Buffer>(64).fill(mebibyte), framer)).toEqual({ messages: [] });
    expect(read([bytes(' ')], framer).problem).toContain('more than 67108864 bytes');
  });
});

describe('the limit on values', () => {
  const limits = { bytes: 1000, values: 20 };
  const problem = `cannot read a message: it has more than 20 values; raise messageLimit to accept it`;
  const list = (count: number): string => `{"a":[${Array.from({ length: count }, () => '1').join(',')}]}`;

  test.each<[what: string, given: string, want: ReturnType<typeof read>]>([
    ['a message that just fits', `${list(18)}\n`, { messages: [{ a: Array<number>(18).fill(1) }] }],
    ['a message that does not fit', `${list(19)}\n`, { messages: [], problem }],
    ['an incomplete message', list(19), { messages: [], problem }],
    [
      'a pretty message that just fits',
      `{"a":[${'1,\n'.repeat(17)}1]}\n`,
      { messages: [{ a: Array<number>(18).fill(1) }] },
    ],
    ['a pretty message that does not fit', `{"a":[${'1,\n'.repeat(18)}1]}\n`, { messages: [], problem }],
    ['empty arrays', `{"a":[${'[],'.repeat(9)}1]}\n`, { messages: [], problem }],
    ['empty objects', `{"a":[${'{},'.repeat(9)}1]}\n`, { messages: [], problem }],
    ['nested arrays', `{"a":${'['.repeat(19)}${']'.repeat(19)}}\n`, { messages: [], problem }],
    ['members', `{${Array.from({ length: 20 }, (_, n) => `"${n}":1`).join(',')}}\n`, { messages: [], problem }],
    ['members with the same name', `{${'"a":1,'.repeat(19)}"b":1}\n`, { messages: [], problem }],
    ['not the contents of strings', `{"a":"${'[{,'.repeat(30)}"}\n`, { messages: [{ a: '[{,'.repeat(30) }] }],
    [
      'not the contents of strings with quotes and backslashes',
      String.raw`{"a\\":"\"[,,,,,,,,,,,,\\\"[,,,,,,,,,,,,,,,,,,,\\"}` + '\n',
      { messages: [{ 'a\\': '"[,,,,,,,,,,,,\\"[,,,,,,,,,,,,,,,,,,,\\' }] },
    ],
    [
      'each message separately',
      `${list(15)}\n`.repeat(3),
      { messages: Array.from({ length: 3 }, () => ({ a: Array<number>(15).fill(1) })) },
    ],
    ['messages before it', `{"b":1}\n{"c":\n2}\n${list(19)}\n`, { messages: [{ b: 1 }, { c: 2 }], problem }],
    ['a string over two lines', `{"a":"${'x'.repeat(30)}\\\n${list(30)}\n`, { messages: [], problem: 'not JSON' }],
  ])('%s', (_, given, want) => {
    expect(read([bytes(given)], framerOf(limits))).toEqual(want);
    for (const chunks of cuts(bytes(given))) expect(read(chunks, framerOf(limits))).toEqual(want);
  });

  test('is detected before the message is complete', () => {
    const framer = framerOf();
    const chunk = bytes('[],'.repeat(20_000));
    let count = 0;
    expect(() => {
      for (; count < 1000; count += 1) framer.push(chunk, () => {});
    }).toThrow('more than 1048576 values');
    expect(count * 40_000).toBeLessThan(1_100_000);
  });

  const text = fc.string({ unit: fc.constantFrom('"', '\\', ',', '[', '{', '\n', 'x'), maxLength: 30 });

  test('counts at least the actual number of values, however a message is cut', () => {
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, text, fc.integer(), fc.array(tie('value')), fc.dictionary(text, tie('value'))),
    }));
    fc.assert(
      fc.property(value, fc.constantFrom(0, 1), fc.nat(200), (given, indent, cut) => {
        const whole = bytes(`${JSON.stringify([given], null, indent)}\n`);
        const chunks = [whole.subarray(0, cut), whole.subarray(cut)];
        const count = countOf([given]);
        expect(read(chunks, framerOf({ values: count + emptyOf(given) }))).toEqual({
          messages: [JSON.parse(whole.toString())],
        });
        if (whole.length > count) expect(read(chunks, framerOf({ values: count - 1 })).problem).toContain('values');
      }),
    );
  });

  function countOf(given: unknown): number {
    if (typeof given !== 'object' || given === null) return 1;
    return Object.values(given).reduce((sum: number, inner) => sum + countOf(inner), 1);
  }

  /** An empty container counts as two values. */
  function emptyOf(given: unknown): number {
    if (typeof given !== 'object' || given === null) return 0;
    const inner = Object.values(given);
    return inner.length === 0 ? 1 : inner.reduce((sum: number, one) => sum + emptyOf(one), 0);
  }
});

const tooDeep = "cannot read a message: it nests more than 1024 levels deep, which is QEMU's own limit";

test.each([
  ['arrays', '[', ']'],
  ['objects', '{"a":', '}'],
])('%s that nest too deeply are reported as such', (_, open, close) => {
  for (const end of ['\n', '\r\n']) {
    const text = `{"return":${open.repeat(100_000)}1${close.repeat(100_000)}}${end}`;
    expect(read([bytes(text)])).toEqual({ messages: [], problem: tooDeep });
    const pretty = `{"return":${`${open}\n`.repeat(5000)}1${`${close}\n`.repeat(5000)}}${end}`;
    expect(read([bytes(pretty)])).toEqual({
      messages: [],
      problem: tooDeep,
    });
  }
});

describe('after resync', () => {
  const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');

  test.each<[what: string, given: string, want: ReturnType<typeof read>]>([
    [
      'drops everything before the delimiter',
      'garbage\n{"error":{}}\n{"half\xff{"a":1}\n{"b":2}\n',
      { messages: [{ a: 1 }, { b: 2 }] },
    ],
    ['drops endless input', 'x'.repeat(100_000), { messages: [] }],
    ['a delimiter at the beginning', '\xff{"a":1}\n', { messages: [{ a: 1 }] }],
    ['delimiters in a row', '\xff\xff{"half\xff{"a":1}\n', { messages: [{ a: 1 }] }],
  ])('%s', (_, given, want) => {
    for (const chunks of [[latin1(given)], ...cuts(latin1(given.slice(0, 200)))]) {
      const framer = framerOf({ bytes: 10_000 });
      framer.push(latin1('{"begin":\n'), () => {});
      framer.resync();
      expect(read(chunks, framer)).toEqual(want);
    }
  });

  test('messages after a later delimiter are read, however they are cut', () => {
    // Whether the reply before it is emitted depends on the chunks. It may belong to an earlier connection.
    const given = latin1('\xff{"return":1}\n{"half\xff{"return":2}\n');
    for (const chunks of cuts(given)) {
      const framer = framerOf();
      framer.resync();
      expect(read(chunks, framer).messages.at(-1)).toEqual({ return: 2 });
    }
  });

  test('the rest of the current chunk is dropped', () => {
    const framer = framerOf();
    const messages: Json[] = [];
    const given = latin1('{"a":1}\n{"b":2}\n{"c":');
    framer.push(given, (message) => {
      messages.push(message);
      framer.resync();
    });
    framer.push(latin1('3}\n\xff{"d":4}\n'), (message) => messages.push(message));
    expect(messages).toEqual([{ a: 1 }, { d: 4 }]);
  });

  test('without resync, a delimiter is invalid', () => {
    expect(read([latin1('{"a":1}\n\xff{"b":1}\n')])).toEqual({ messages: [{ a: 1 }], problem: 'not JSON' });
  });
});

describe('takes linear time', { retry: 3 }, () => {
  /** Returns the best time of three, in milliseconds, because the machine may be busy. */
  function time(run: () => void): number {
    const times = [1, 2, 3].map(() => {
      const begin = performance.now();
      run();
      return performance.now() - begin;
    });
    return Math.min(...times);
  }

  function feed(text: string, size: number): void {
    const whole = bytes(text);
    const framer = framerOf();
    let count = 0;
    for (let begin = 0; begin < whole.length; begin += size) {
      framer.push(whole.subarray(begin, begin + size), () => (count += 1));
    }
    expect(count).toBeGreaterThan(0);
  }

  const mebibyte = 1024 * 1024;

  test.each<[what: string, size: number, text: (length: number) => string]>([
    ['a long line in chunks of 1 byte', 1, (length) => `{"return":"${'x'.repeat(length / 8)}"}\n`],
    ['a long line in chunks of 16 bytes', 16, (length) => `{"return":"${'x'.repeat(length)}"}\n`],
    ['a long line in chunks of 64 KiB', 65536, (length) => `{"return":"${'x'.repeat(length)}"}\n`],
    ['a pretty message in chunks of 16 bytes', 16, (length) => `{"return":[\n${'"x",\n'.repeat(length / 8)}1\n]}\n`],
    ['small messages in one chunk', Infinity, (length) => '{"return":{}}\n'.repeat(length / 16)],
    ['small messages in chunks of 16 bytes', 16, (length) => '{"return":{}}\n'.repeat(length / 16)],
    ['many brackets', 16, (length) => `{"return":[${'[[]],'.repeat(length / 32)}1]}\n`],
    ['many quotes in a string', 65536, (length) => `{"return":"${'\\"'.repeat(length / 2)}"}\n`],
    [
      'many backslashes next to a large integer',
      65536,
      (length) => `{"return":["${'\\\\'.repeat(length / 2)}",9007199254740993]}\n`,
    ],
  ])('for %s', (_, size, text) => {
    const small = text(mebibyte);
    const large = text(4 * mebibyte);
    const once = time(() => feed(small, size));
    // Linear time is four times as much; quadratic would be sixteen times.
    expect(time(() => feed(large, size)) / once).toBeLessThan(9);
  });
});
