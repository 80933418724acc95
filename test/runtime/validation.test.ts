/** Validation by a connection. */

import { describe, expect, test } from 'vitest';

import {
  ArgumentsError,
  Client,
  Connection,
  ResultError,
  struct,
  validatorsOf,
  type ConnectOptions,
  type Json,
  type JsonObject,
  type LogEntry,
} from '../../runtime/src/index.js';
import { connectPeer, failure, settled, type AnyClient } from '../support/client.js';
import { Peer } from '../support/peer.js';

const isBlock = struct(() => ({ device: 'str', size: 'int', 'speed?': 'number' }));
const validators = validatorsOf<
  Record<'resize' | 'query' | 'old', { arguments: JsonObject; result: Json }>,
  Record<'RESIZED' | 'STOP', { data: JsonObject }>
>(
  {
    resize: { arguments: isBlock },
    query: { result: [isBlock] },
    old: { arguments: struct(() => ({ 'gone?': { type: 'str', unstable: true } })), deprecated: true },
  },
  { RESIZED: isBlock, STOP: undefined },
);

interface Connected {
  readonly vm: AnyClient;
  readonly peer: Peer;
  /** The level and message of log entries. */
  readonly logged: string[];
}

async function connected(options: ConnectOptions, use: (context: Connected) => Promise<void>): Promise<void> {
  await using peer = new Peer();
  const logged: string[] = [];
  const log = ({ level, message }: LogEntry): void => void logged.push(`${level}: ${message}`);
  const protocol = { handshake: 'greeting', withoutReply: [], validators } as const;
  await using vm = await connectPeer(peer, { log, ...options }, protocol);
  await use({ vm, peer, logged });
}

const executed = ({ received }: Peer): string[] => received.slice(1).map(({ command }) => command);

describe('arguments', () => {
  test('that are invalid are not sent', () =>
    connected({}, async ({ vm, peer }) => {
      const error = await failure(vm.execute('resize', { devic: 'a', size: 2 ** 60 }));
      expect(error).toBeInstanceOf(ArgumentsError);
      expect(error.message).toBe(
        "resize: arguments.devic: unknown member; did you mean 'device'?\n" +
          'arguments.size: expected 64-bit signed integer, found number 1152921504606847000, which is not exact: use a bigint\n' +
          'arguments.device: missing, expected string',
      );
      expect(error['code']).toBe('ERR_QMP_ARGUMENTS');
      expect((error as unknown as ArgumentsError).issues.map(({ path }) => path)).toEqual([
        ['devic'],
        ['size'],
        ['device'],
      ]);
      // The error's stack leads to the caller.
      expect(error.stack).toContain('validation.test.ts');
      expect(executed(peer)).toEqual([]);
    }));

  test('that lack a mandatory member are not sent', () =>
    connected({}, async ({ vm }) => {
      expect((await failure(vm.execute('resize'))).message).toMatch(/^resize: arguments\.device: missing/u);
    }));

  test('with many issues are reported with the first ten', () =>
    connected({}, async ({ vm }) => {
      const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`member${index}`, 1]));
      const lines = (await failure(vm.execute('query', many))).message.split('\n');
      expect(lines.length).toBe(11);
      expect(lines.at(-1)).toBe('and 40 more');
    }));

  test.each<[what: string, options: ConnectOptions, call: { validate?: boolean | object }, sent: boolean]>([
    ['not validated if the connection disables validation', { validate: false }, {}, true],
    ['not validated if the connection disables only that', { validate: { arguments: false } }, {}, true],
    ['validated if the connection disables only that of results', { validate: { results: 'ignore' } }, {}, false],
    ['not validated if the call disables validation', {}, { validate: false }, true],
    ['not validated if the call disables only that', {}, { validate: { arguments: false } }, true],
    ['validated if the call enables validation', { validate: false }, { validate: true }, false],
  ])('are %s', (_, options, call, sent) =>
    connected(options, async ({ vm, peer }) => {
      peer.on('resize', {});
      const outcome = vm.execute('resize', { size: 'x' }, call);
      if (sent) await outcome;
      else expect(await failure(outcome)).toBeInstanceOf(ArgumentsError);
      expect(executed(peer)).toEqual(sent ? ['resize'] : []);
    }),
  );

  test('of executeRaw and of unknown commands are not validated', () =>
    connected({}, async ({ vm, peer }) => {
      peer.on('resize', {}).on('unheard-of', {}).on('constructor', {});
      await vm.executeRaw('resize', { size: 'x' });
      await vm.execute('unheard-of', { size: 'x' });
      await vm.execute('constructor', { size: 'x' });
      expect(executed(peer)).toEqual(['resize', 'unheard-of', 'constructor']);
    }));

  test('cause remarks on request, once, as do commands', () =>
    connected({ validate: { remarks: ['deprecated', 'unstable'] } }, async ({ vm, peer, logged }) => {
      peer.on('old', {});
      for (let time = 0; time < 2; time += 1) await vm.execute('old', { gone: 'x' });
      expect(logged).toEqual(['warn: old: deprecated', 'warn: old: arguments.gone: unstable']);
      expect(executed(peer)).toEqual(['old', 'old']);
    }));
});

test('null is not accepted as arguments', () =>
  connected({}, async ({ vm, peer }) => {
    const error = await failure(vm.execute('query', null as never));
    expect(error.message).toBe('query: arguments: expected object, found null');
    expect(executed(peer)).toEqual([]);
  }));

test('odd names are escaped in messages', () =>
  connected({}, async ({ vm }) => {
    const error = await failure(vm.execute('query', { 'a\n\u001B[31mb': 1 }));
    expect(error.message).toBe(String.raw`query: arguments."a\n\u001b[31mb": unknown member`);
  }));

describe('invalid validation options', () => {
  test.each<[validate: unknown, message: string]>([
    [
      { results: 'Throw' },
      "validate.results: expected one of 'throw', 'warn', 'ignore', found string 'Throw'; did you mean 'throw'?",
    ],
    [{ result: 'throw' }, "validate.result: unknown member; did you mean 'results'?"],
    [{ remarks: 'deprecated' }, "validate.remarks: expected array, found string 'deprecated'"],
    ['throw', "validate: expected object, found string 'throw'"],
    [null, 'validate: expected object, found null'],
  ])('%o', async (validate, message) => {
    await expect(connected({ validate: validate as never }, async () => {})).rejects.toThrow(new TypeError(message));
    await connected({}, async ({ vm, peer }) => {
      expect(await failure(vm.execute('query', {}, { validate: validate as never }))).toEqual(new TypeError(message));
      expect(executed(peer)).toEqual([]);
    });
  });
});

test('a call overrides only what it specifies', () =>
  connected({ validate: { arguments: false, results: 'throw' } }, async ({ vm, peer }) => {
    peer.on('query', ['x']);
    expect(await failure(vm.execute('query', { x: 1 }, { validate: {} }))).toBeInstanceOf(ResultError);
    expect(await failure(vm.execute('query', { x: 1 }, { validate: { arguments: true } }))).toBeInstanceOf(
      ArgumentsError,
    );
    expect(await vm.execute('query', { x: 1 }, { validate: { results: 'warn' } })).toEqual(['x']);
  }));

describe('a result that contradicts the schema', () => {
  const result = [
    { device: 'a', size: 1 },
    { device: 5, size: 1, more: 1 },
    { device: 6, size: 1 },
  ];

  test('is returned, and logged once', () =>
    connected({}, async ({ vm, peer, logged }) => {
      peer.on('query', result);
      for (let time = 0; time < 2; time += 1) expect(await vm.execute('query')).toEqual(result);
      expect(logged).toEqual([
        'warn: query: result[1].device: expected string, found number 5',
        'info: query: result[1].more: unknown member',
      ]);
    }));

  test('is not validated again once nothing new is found', () =>
    connected({}, async ({ vm, peer, logged }) => {
      const results = [[{ size: 1 }], [{ size: 1 }], [{ size: 'x' }]];
      peer.on('query', () => results.shift());
      for (let time = 0; time < 3; time += 1) await vm.execute('query', {}, { validate: { results: 'warn' } });
      expect(logged).toEqual(['warn: query: result[0].device: missing, expected string']);
    }));

  test('is thrown as an error with the whole result', () =>
    connected({ validate: { results: 'throw' } }, async ({ vm, peer, logged }) => {
      peer.on('query', result);
      const error = await failure(vm.execute('query'));
      expect(error).toBeInstanceOf(ResultError);
      expect(error).toMatchObject({ code: 'ERR_QMP_RESULT', result });
      expect(error.message).toBe(
        'query: result[1].device: expected string, found number 5\nresult[2].device: expected string, found number 6',
      );
      expect(logged).toEqual(['info: query: result[1].more: unknown member']);
    }));

  test('is also thrown if the call waits for an event', () =>
    connected({ validate: { results: 'throw' } }, async ({ vm, peer }) => {
      peer.on('query', result);
      const error = await failure(vm.execute('query', {}, { until: ['STOP'], timeout: 1000 }));
      expect(error).toBeInstanceOf(ResultError);
    }));

  test.each<[what: string, options: ConnectOptions, call: { validate?: boolean | object; timeout?: number }]>([
    ['the connection', { validate: false }, {}],
    ['the connection, only for results,', { validate: { results: 'ignore' } }, {}],
    ['the call', { validate: { results: 'throw' } }, { validate: false }],
    ['the call, with other options,', { validate: { results: 'throw' } }, { validate: false, timeout: 1000 }],
  ])('is neither logged nor thrown if %s disables validation', (_, options, call) =>
    connected(options, async ({ vm, peer, logged }) => {
      peer.on('query', result);
      expect(await vm.execute('query', {}, call)).toEqual(result);
      expect(logged).toEqual([]);
    }),
  );
});

test('unknown members are never thrown', () =>
  connected({ validate: { results: 'throw' } }, async ({ vm, peer, logged }) => {
    peer.on('query', [{ device: 'a', size: 1, more: 1 }]);
    expect(await vm.execute('query')).toEqual([{ device: 'a', size: 1, more: 1 }]);
    expect(logged).toEqual(['info: query: result[0].more: unknown member']);
  }));

test('unknown members are logged for the first result that has any', () =>
  connected({}, async ({ vm, peer, logged }) => {
    const results: Json[] = [[], [{ more: 1 }, { other: 1 }], [{ more: 1, yet: 1 }], [{ device: 5, yet: 1 }]];
    peer.on('query', () => (results.shift() as JsonObject[]).map((block) => ({ device: 'a', size: 1, ...block })));
    for (let time = 0; time < 4; time += 1) await vm.execute('query');
    expect(logged).toEqual([
      'info: query: result[0].more: unknown member',
      'info: query: result[1].other: unknown member',
      'warn: query: result[0].device: expected string, found number 5',
    ]);
  }));

test('unknown members of one command do not affect another', () =>
  connected({}, async ({ vm, peer, logged }) => {
    for (const command of ['resize', 'old']) peer.on(command, { more: 1 });
    for (const command of ['resize', 'old'] as const) {
      await vm.execute(command, command === 'old' ? {} : { device: 'a', size: 1 }, { validate: { results: 'ignore' } });
      await vm.execute(command, command === 'old' ? {} : { device: 'a', size: 1 });
    }
    expect(logged).toEqual(['info: resize: result.more: unknown member', 'info: old: result.more: unknown member']);
  }));

test('however much a server sends, little is logged', () =>
  connected({}, async ({ vm, peer, logged }) => {
    const more = Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`${index} ${'x'.repeat(1000)}`, 1]));
    peer.on('query', [{ device: 'a', size: 1, ...more }]).on('resize', 'x');
    await vm.execute('query');
    expect(logged.length).toBe(500);
    expect(Math.max(...logged.map(({ length }) => length))).toBeLessThan(200);
    // There is room for warnings.
    await vm.execute('resize', { device: 'a', size: 1 });
    expect(logged.at(-1)).toBe("warn: resize: result: expected object, found string 'x'");
  }));

describe('an event that contradicts the schema', () => {
  test.each<[options: ConnectOptions, ...want: string[]]>([
    [{}, "warn: RESIZED: data.size: expected 64-bit signed integer, found string 'x'"],
    [{ validate: { results: 'throw' } }, "warn: RESIZED: data.size: expected 64-bit signed integer, found string 'x'"],
    [{ validate: { results: 'ignore' } }],
    [{ validate: false }],
  ])('is delivered with %o', (options, ...want) =>
    connected(options, async ({ vm, peer, logged }) => {
      const heard: unknown[] = [];
      await settled();
      vm.on('*', ({ data }) => heard.push(data));
      peer.event('RESIZED', { device: 'a', size: 'x' });
      peer.event('STOP');
      peer.event('UNHEARD_OF', { x: 1 });
      await settled();
      expect(heard).toEqual([{ device: 'a', size: 'x' }, {}, { x: 1 }]);
      expect(logged).toEqual(want);
    }),
  );
});

// A double of 2^60 is written without a decimal point, like an unsafe integer.
describe('a large double is a number', () => {
  const block = { device: 'a', size: 2n ** 60n, speed: 2n ** 60n };
  const want = { device: 'a', size: 2n ** 60n, speed: 2 ** 60 };

  test.each<[ConnectOptions['validate']]>([[true], [false], [{ results: 'throw' }]])('with validate: %o', (validate) =>
    connected({ validate }, async ({ vm, peer, logged }) => {
      const heard: unknown[] = [];
      await settled();
      vm.on('RESIZED', ({ data }) => heard.push(data));
      peer.on('query', [block]).on('resize', {});
      peer.event('RESIZED', block);
      expect(await vm.execute('query')).toEqual([want]);
      expect(heard).toEqual([want]);
      expect(logged).toEqual([]);
    }),
  );
});

describe('a large double can be sent', () => {
  test.each([2 ** 60, 1e300])('%d', (speed) =>
    connected({}, async ({ vm, peer }) => {
      peer.on('resize', {});
      await vm.execute('resize', { device: 'a', size: 1, speed });
      expect(peer.received.at(-1)?.text).toContain(`"speed":${JSON.stringify(speed)}`);
      expect((await failure(vm.execute('resize', { device: 'a', size: speed }))).message).toContain('use a bigint');
    }),
  );
});

test('a client without validators validates nothing', async () => {
  await using peer = new Peer();
  peer.on('resize', 'anything');
  const connection = await Connection.open(peer.stream(), { handshake: 'greeting', withoutReply: [] });
  await using vm = new Client<Record<'resize', { arguments: JsonObject; result: Json }>, Record<string, never>>(
    connection,
  );
  expect(await vm.execute('resize', { size: 'x' })).toBe('anything');
});
