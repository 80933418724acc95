/** Invalid options and other parameters cause a TypeError at the call, and leave nothing behind. */

import { constants } from 'node:buffer';
import { Readable, Writable } from 'node:stream';

import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';

import { Client, Connection, launch, validatorsOf, type JsonObject, type LogEntry } from '../../runtime/src/index.js';
import type { Protocol } from '../../runtime/src/session.js';
import { connectPeer, connectTo, failure, monitor, settled, type AnyClient } from '../support/client.js';
import { Peer } from '../support/peer.js';

afterEach(() => vi.restoreAllMocks());

type AnyCommands = Record<string, { arguments: JsonObject; result: JsonObject; oob: true }>;

/** A schema with a few commands and events. */
const protocol: Protocol = {
  ...monitor,
  validators: validatorsOf<AnyCommands, Record<string, { data: JsonObject }>>(
    { 'query-status': {}, stop: {} },
    { STOP: undefined, RESUME: undefined, DEVICE_DELETED: undefined },
  ),
};

const longest = 2 ** 31 - 1;
const duration = `milliseconds from 0 to ${longest}, or Infinity`;
const pause = `milliseconds from 1 to ${longest}`;
const address = '{ path }, { port, host }, { fd }, a Duplex, or the result of launch';

/** Runs a function with an untyped client. */
async function connected(use: (vm: AnyClient, peer: Peer) => unknown): Promise<void> {
  await using peer = new Peer({ oob: true });
  peer.on('query-status', {}).on('query-qmp-schema', []);
  const vm = await connectPeer(peer, {}, protocol);
  await use(vm, peer);
  // There is no unsettled call, which `close` would wait for.
  const begin = performance.now();
  await vm.close();
  expect(performance.now() - begin).toBeLessThan(2000);
}

describe('connect rejects the address', () => {
  test.each<[given: unknown, message: string]>([
    [undefined, `address: expected ${address}, found nothing`],
    [null, `address: expected ${address}, found null`],
    ['/x.sock', `address: expected ${address}, found string '/x.sock'; did you mean { path: '/x.sock' }?`],
    ['', `address: expected ${address}, found string ''`],
    [4444, `address: expected ${address}, found number 4444`],
    [launch, `address: expected ${address}, found function`],
    [new Readable(), `address: expected ${address}, found object`],
    [new Writable(), `address: expected ${address}, found object`],
    [[], 'address: expected object, found array'],
    [{}, 'address: expected one of path, port and fd, found none'],
    [{ path: undefined }, 'address: expected one of path, port and fd, found none'],
    [{ path: '/x', port: 1 }, 'address: expected one of path, port and fd, found path and port'],
    [{ host: 'localhost' }, 'address: expected one of path, port and fd, found none'],
    [{ path: '/x', host: 'localhost' }, 'address.host: valid only with port, not with path'],
    [{ fd: 3, tls: {} }, 'address.tls: valid only with path or port, not with fd'],
    [{ socket: '/x' }, 'address.socket: unknown option; known options are path, host, port, fd, tls'],
    [{ pth: '/x' }, "address.pth: unknown option; did you mean 'path'?"],
    [{ port: 4444, hosst: 'x' }, "address.hosst: unknown option; did you mean 'host'?"],
    [{ launch: 'qemu' }, 'address.launch: unknown option; known options are path, host, port, fd, tls'],
    [{ path: '' }, "address.path: expected non-empty string, found string ''"],
    [{ path: 5 }, 'address.path: expected non-empty string, found number 5'],
    [{ path: null }, 'address.path: expected non-empty string, found null'],
    [{ port: '4444' }, "address.port: expected integer from 1 to 65535, found string '4444'"],
    [{ port: 70000 }, 'address.port: expected integer from 1 to 65535, found number 70000'],
    [{ port: 0 }, 'address.port: expected integer from 1 to 65535, found number 0'],
    [{ port: NaN }, 'address.port: expected integer from 1 to 65535, found number NaN'],
    [{ port: 1, host: '' }, "address.host: expected non-empty string, found string ''"],
    [{ port: 1, tls: true }, 'address.tls: expected object, found boolean true'],
    [{ fd: -1 }, `address.fd: expected integer from 0 to ${longest}, found number -1`],
    [{ fd: 1.5 }, `address.fd: expected integer from 0 to ${longest}, found number 1.5`],
  ])('%o', async (given, message) => {
    expect(await failure(Connection.open(given as never, monitor))).toEqual(new TypeError(message));
  });
});

test('an undefined member of an address is ignored', async () => {
  await using peer = new Peer();
  const { host, port } = await peer.listenTcp();
  await using vm = await connectTo({ path: undefined, host, port, tls: undefined });
  expect(vm.greeting).toBeDefined();
});

test('an address is read once', async () => {
  await using peer = new Peer();
  const target = { ...(await peer.listenUnix()) };
  await using vm = await connectTo(target, { reconnect: { initialDelay: 1 } });
  target.path = '/nowhere';
  const again = new Promise((resolve) => vm.once('reconnected', resolve));
  peer.reset();
  await again;
});

test('a stream may have members like those of an address', async () => {
  await using peer = new Peer();
  const stream = Object.assign(peer.stream(), { path: 5, port: 'x', timout: 1 });
  await using vm = await connectTo(stream);
  expect(vm.greeting).toBeDefined();
});

describe('connect rejects the options', () => {
  test.each<[given: unknown, message: string]>([
    [null, 'options: expected object, found null'],
    [5000, 'options: expected object, found number 5000'],
    [[], 'options: expected object, found array'],
    [{ conectTimeout: 5 }, "conectTimeout: unknown option; did you mean 'connectTimeout'?"],
    [{ recconect: true }, "recconect: unknown option; did you mean 'reconnect'?"],
    [
      { path: '/x' },
      'path: unknown option; known options are connectTimeout, messageLimit, log, trace, validate, checkVersion, queryCommands, reconnect',
    ],
    [{ constructor: 1 }, expect.stringMatching(/^constructor: unknown option; known options are /u) as never],
    [JSON.parse('{"__proto__": 1}'), expect.stringMatching(/^__proto__: unknown option; known options are /u) as never],
    [{ connectTimeout: NaN }, `connectTimeout: expected ${duration}, found number NaN`],
    [{ connectTimeout: -1 }, `connectTimeout: expected ${duration}, found number -1`],
    [{ connectTimeout: 2 ** 31 }, `connectTimeout: expected ${duration}, found number 2147483648`],
    [{ connectTimeout: '5' }, `connectTimeout: expected ${duration}, found string '5'`],
    [{ connectTimeout: 5n }, `connectTimeout: expected ${duration}, found bigint 5`],
    [{ connectTimeout: null }, `connectTimeout: expected ${duration}, found null`],
    ...[NaN, 0, -1, 1.5, Infinity, constants.MAX_STRING_LENGTH + 1].map((messageLimit): [unknown, string] => [
      { messageLimit },
      `messageLimit: expected integer from 1 to ${constants.MAX_STRING_LENGTH}, found number ${messageLimit}`,
    ]),
    [{ log: 'console' }, "log: expected function, found string 'console'"],
    [{ log: null }, 'log: expected function, found null'],
    [{ log: console }, 'log: expected function, found console'],
    [{ trace: true }, 'trace: expected function, found boolean true'],
    [{ checkVersion: 'yes' }, "checkVersion: expected boolean, found string 'yes'"],
    [{ checkVersion: 1 }, 'checkVersion: expected boolean, found number 1'],
    [{ queryCommands: 1 }, 'queryCommands: expected boolean, found number 1'],
    [{ reconnect: 'yes' }, "reconnect: expected boolean or object, found string 'yes'"],
    [{ reconnect: 1 }, 'reconnect: expected boolean or object, found number 1'],
    [{ reconnect: null }, 'reconnect: expected object, found null'],
    [{ reconnect: { delay: 1 } }, 'reconnect.delay: unknown option; known options are initialDelay, maxDelay'],
    [{ reconnect: { initalDelay: 1 } }, "reconnect.initalDelay: unknown option; did you mean 'initialDelay'?"],
    ...[0, NaN, -1, 2 ** 31, Infinity].flatMap((delay) =>
      ['initialDelay', 'maxDelay'].map((name): [unknown, string] => [
        { reconnect: { [name]: delay } },
        `reconnect.${name}: expected ${pause}, found number ${delay}`,
      ]),
    ),
    [{ reconnect: { maxDelay: '1' } }, `reconnect.maxDelay: expected ${pause}, found string '1'`],
    [
      { reconnect: { initialDelay: 500, maxDelay: 100 } },
      'reconnect.maxDelay: expected initialDelay (500) or more, found number 100',
    ],
    [{ validate: 'throw' }, "validate: expected object, found string 'throw'"],
  ])('%o', async (given, message) => {
    await using peer = new Peer();
    const target = await peer.listenUnix();
    const error = await failure(Connection.open(target, monitor, given as never));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toEqual(message);
    expect(peer.connections).toBe(0);
  });
});

test.each<[options: object]>([
  [{}],
  [{ connectTimeout: Infinity }],
  [{ connectTimeout: longest, messageLimit: constants.MAX_STRING_LENGTH }],
  [{ messageLimit: 1000, checkVersion: false, reconnect: false }],
  [{ reconnect: { initialDelay: 1, maxDelay: longest } }],
  [{ reconnect: { initialDelay: 60_000 } }],
  [{ reconnect: { maxDelay: 5 } }],
  [{ connectTimeout: undefined, messageLimit: undefined, log: undefined, trace: undefined, timout: undefined }],
  [{ validate: undefined, checkVersion: undefined, reconnect: undefined }],
  [{ reconnect: { initialDelay: undefined, maxDelay: undefined } }],
  // Options need not be a literal.
  [Object.create({ connectTimeout: 1000 }) as object],
  [
    new (class {
      get connectTimeout(): number {
        return 1000;
      }
    })(),
  ],
])('connect accepts %o', async (options) => {
  await using peer = new Peer();
  const vm = new Client(await Connection.open(await peer.listenUnix(), monitor, options));
  await vm.close();
});

describe('a call rejects the options', () => {
  const cases: [given: unknown, message: string][] = [
    [null, 'options: expected object, found null'],
    ['STOP', "options: expected object, found string 'STOP'"],
    [() => {}, 'options: expected object, found function'],
    [{ timout: 5 }, "timout: unknown option; did you mean 'timeout'?"],
    [
      { retries: 5 },
      expect.stringMatching(/^retries: unknown option; known options are signal, timeout, until, /u) as never,
    ],
    ...[NaN, -1, 2 ** 31, 1e300, -Infinity].map((timeout): [unknown, string] => [
      { timeout },
      `timeout: expected ${duration}, found number ${timeout}`,
    ]),
    [{ timeout: '5' }, `timeout: expected ${duration}, found string '5'`],
    [{ timeout: null }, `timeout: expected ${duration}, found null`],
    [{ timeout: new Date(5) }, `timeout: expected ${duration}, found Date`],
    [{ signal: {} }, 'signal: expected AbortSignal, found object'],
    [{ signal: null }, 'signal: expected AbortSignal, found null'],
    [{ signal: new AbortController() }, 'signal: expected AbortSignal, found AbortController'],
    [{ signal: { aborted: false, addEventListener() {} } }, 'signal: expected AbortSignal, found object'],
    [{ until: 'STOP' }, "until: expected array of event names, found string 'STOP'"],
    [{ until: 'STOP', timeout: 1 }, "until: expected array of event names, found string 'STOP'"],
    [{ until: null }, 'until: expected array of event names, found null'],
    [{ until: new Set(['STOP']) }, 'until: expected array of event names, found Set'],
    [{ until: [5] }, 'until: expected event name, found number 5'],
    [{ until: ['STOP', undefined] }, 'until: expected event name, found nothing'],
    [{ until: Array(1) }, 'until: expected event name, found nothing'],
    [{ until: ['STOP', ''] }, "until: expected event name, found string ''"],
    [{ until: ['STOPP'] }, "until: unknown event 'STOPP'; did you mean 'STOP'?"],
    [{ until: ['stop'] }, "until: unknown event 'stop'; did you mean 'STOP'?"],
    [{ until: ['X_VENDOR_EVENT'] }, "until: unknown event 'X_VENDOR_EVENT'; '*' matches any event"],
    [{ until: ['disconnected'] }, "until: unknown event 'disconnected'; only listeners receive it"],
    [{ where: 5 }, 'where: expected function, found number 5'],
    [{ until: ['STOP'], where: { device: 'x' } }, 'where: expected function, found object'],
    [{ oob: 'yes' }, "oob: expected boolean, found string 'yes'"],
    [{ oob: 1 }, 'oob: expected boolean, found number 1'],
  ];

  test.each(cases)('%o', (given, message) =>
    connected(async (vm, peer) => {
      for (const execute of [vm.execute.bind(vm), vm.executeRaw.bind(vm)]) {
        const error = await failure(execute('query-status', {}, given as never));
        expect(error).toBeInstanceOf(TypeError);
        expect(error.message).toEqual(message);
        expect(error.stack).toContain('options.test.ts');
      }
      await settled();
      expect(peer.commands).toEqual(['qmp_capabilities']);
    }),
  );

  test('validate, for executeRaw', () =>
    connected(async (vm) => {
      const error = await failure(vm.executeRaw('query-status', {}, { validate: true } as never));
      expect(error.message).toMatch(/^validate: unknown option; known options are /u);
    }));
});

test.each<[options: object]>([
  [{}],
  [{ timeout: undefined, signal: undefined, until: undefined, where: undefined, oob: undefined, validate: undefined }],
  [{ timeout: Infinity }],
  [{ timeout: longest }],
  [{ until: [] }],
  [{ signal: new AbortController().signal, timeout: 1000.5, oob: true, validate: false }],
])('a call accepts %o', (options) =>
  connected(async (vm) => expect(await vm.execute('query-status', {}, options)).toEqual({})),
);

test('an array of events may change after the call', () =>
  connected(async (vm) => {
    const until = ['STOP'];
    const call = failure(vm.execute('query-status', {}, { until, timeout: 50 }));
    until[0] = 'RESUME';
    expect((await call).message).toBe('query-status: no STOP within 50 ms');
  }));

test('the name of a command must be a string', () =>
  connected(async (vm, peer) => {
    for (const [given, found] of [
      [undefined, 'nothing'],
      [5, 'number 5'],
      [null, 'null'],
    ]) {
      for (const execute of [vm.execute.bind(vm), vm.executeRaw.bind(vm)]) {
        expect(await failure(execute(given as never))).toEqual(
          new TypeError(`command: expected string, found ${found}`),
        );
      }
    }
    await settled();
    expect(peer.commands).toEqual(['qmp_capabilities']);
  }));

test.each<[args: object, message: string]>([
  [
    { timeout: 5 },
    "query-status: arguments.timeout: unknown member\n'timeout' is an option of the call: pass options after the arguments",
  ],
  [{ retries: 5 }, 'query-status: arguments.retries: unknown member'],
])('options passed as arguments are recognized: %o', (args, message) =>
  connected(async (vm) => expect((await failure(vm.execute('query-status', args as never))).message).toBe(message)),
);

test('a call with arbitrary options settles, and leaves nothing behind', () =>
  connected(async (vm) => {
    const names = ['signal', 'timeout', 'until', 'where', 'oob', 'validate', 'timout', '__proto__'];
    const options = fc.oneof(
      fc.anything(),
      fc.dictionary(fc.constantFrom(...names), fc.anything({ withBigInt: true, withDate: true, withMap: true })),
    );
    await fc.assert(
      fc.asyncProperty(options, async (given) => {
        await vm.execute('query-status', {}, given as never).catch((error: Error & { code?: string }) => {
          expect(error.code === 'ERR_QMP_TIMEOUT' || error instanceof TypeError).toBe(true);
        });
      }),
      { numRuns: 300 },
    );
  }));

test('a signal whose methods throw ends the call', () =>
  connected(async (vm, peer) => {
    const problem = new Error('mine');
    const signal = {
      aborted: false,
      addEventListener: (): never => {
        throw problem;
      },
      removeEventListener: () => {},
    };
    const options = { signal: signal as never, timeout: 60_000, until: ['STOP'] };
    expect(await failure(vm.execute('query-status', {}, options))).toBe(problem);
    await settled();
    expect(peer.commands).toEqual(['qmp_capabilities']);
  }));

test('arguments that throw a value that cannot be converted to a string end the call', () =>
  connected(async (vm) => {
    const args = {
      get a(): never {
        throw Object.create(null);
      },
    };
    for (const options of [undefined, { timeout: 60_000 }]) {
      expect(await failure(vm.executeRaw('x', args, options))).toMatchObject({ code: 'ERR_QMP_ARGUMENTS' });
    }
  }));

test('an undefined member of validate does not override the connection', async () => {
  await using peer = new Peer();
  peer.on('query-status', 'no object');
  await using vm = await connectPeer(peer, { validate: { results: 'throw', arguments: false } }, protocol);
  for (const validate of [{ results: undefined }, { arguments: undefined }, { remarks: undefined }]) {
    expect(await failure(vm.execute('query-status', { x: 1 }, { validate }))).toMatchObject({ code: 'ERR_QMP_RESULT' });
  }
  const entries: LogEntry[] = [];
  const log = (entry: LogEntry): void => void entries.push(entry);
  await using other = await connectPeer(peer, { log, validate: { results: undefined } }, protocol);
  expect(await other.execute('query-status')).toBe('no object');
  expect(entries).toMatchObject([{ level: 'warn' }]);
});

describe('events throws for', () => {
  test.each<[names: unknown, options: unknown, message: string]>([
    [undefined, undefined, 'names: expected array of event names, found nothing'],
    ['STOP', undefined, "names: expected array of event names, found string 'STOP'"],
    [['STOPP'], undefined, "names: unknown event 'STOPP'; did you mean 'STOP'?"],
    [['STOP', 'REUSME'], undefined, "names: unknown event 'REUSME'; did you mean 'RESUME'?"],
    [['X_VENDOR_EVENT'], undefined, "names: unknown event 'X_VENDOR_EVENT'; '*' matches any event"],
    [['reconnected'], undefined, "names: unknown event 'reconnected'; only listeners receive it"],
    [['toString'], undefined, "names: unknown event 'toString'; '*' matches any event"],
    [[{}], undefined, 'names: expected event name, found object'],
    [['STOP'], null, 'options: expected object, found null'],
    [['STOP'], { limits: 5 }, "limits: unknown option; did you mean 'limit'?"],
    [['STOP'], { timeout: 5 }, 'timeout: unknown option; known options are signal, limit, overflow'],
    ...[0, -1, NaN, 1.5, 2 ** 53].map((limit): [unknown, unknown, string] => [
      ['STOP'],
      { limit },
      `limit: expected positive integer or Infinity, found number ${limit}`,
    ]),
    [['STOP'], { limit: '5' }, "limit: expected positive integer or Infinity, found string '5'"],
    [['STOP'], { overflow: 'Drop' }, "overflow: expected one of 'throw', 'drop', found string 'Drop'"],
    [['STOP'], { overflow: true }, "overflow: expected one of 'throw', 'drop', found boolean true"],
    [['STOP'], { signal: {} }, 'signal: expected AbortSignal, found object'],
  ])('%o, %o', (names, options, message) =>
    connected((vm) => {
      expect(() => vm.events(names as never, options as never)).toThrow(new TypeError(message));
    }),
  );

  test('but not for `*`, which matches any event', () =>
    connected(async (vm, peer) => {
      const events = vm.events(['*'], { limit: undefined, overflow: undefined, signal: undefined });
      peer.event('X_VENDOR_EVENT');
      expect((await events.next()).value?.event).toBe('X_VENDOR_EVENT');
    }));
});

describe('on, once and off throw for', () => {
  test.each<[name: unknown, message: string]>([
    ['STOPP', "name: unknown event 'STOPP'; did you mean 'STOP'?"],
    ['stop', "name: unknown event 'stop'; did you mean 'STOP'?"],
    ['disconnect', "name: unknown event 'disconnect'; did you mean 'disconnected'?"],
    ['X_VENDOR_EVENT', "name: unknown event 'X_VENDOR_EVENT'; '*' matches any event"],
    ['__proto__', "name: unknown event '__proto__'; '*' matches any event"],
    [undefined, 'name: expected event name, found nothing'],
    [Symbol('x'), 'name: expected event name, found symbol'],
    [['STOP'], 'name: expected event name, found array'],
  ])('%o', (name, message) =>
    connected((vm) => {
      expect(() => vm.on(name as never, () => {})).toThrow(new TypeError(message));
      expect(() => vm.once(name as never, () => {})).toThrow(new TypeError(message));
      expect(() => vm.off(name as never, () => {})).toThrow(new TypeError(message));
    }),
  );

  test.each<[listener: unknown, found: string]>([
    [undefined, 'nothing'],
    [null, 'null'],
    [{ handleEvent() {} }, 'object'],
  ])('the listener %o', (listener, found) =>
    connected((vm) => {
      const error = new TypeError(`listener: expected function, found ${found}`);
      expect(() => vm.on('STOP', listener as never)).toThrow(error);
      expect(() => vm.once('STOP', listener as never)).toThrow(error);
      // A listener that was never added can be removed, whatever it is.
      vm.off('STOP', listener as never);
    }),
  );

  test('but not for `*`, which matches any event', () =>
    connected(async (vm, peer) => {
      const heard: string[] = [];
      vm.on('*', ({ event }) => heard.push(event));
      peer.event('X_VENDOR_EVENT');
      await settled();
      expect(heard).toEqual(['X_VENDOR_EVENT']);
    }));

  test('but not for unknown events without a schema', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    const events = vm.events(['X_VENDOR_EVENT']);
    peer.event('X_VENDOR_EVENT');
    expect((await events.next()).value?.event).toBe('X_VENDOR_EVENT');
    expect(() => vm.events(['disconnected'])).toThrow("names: unknown event 'disconnected'; only listeners receive it");
  });
});

describe('supports rejects', () => {
  test.each<[name: unknown, part: unknown, options: unknown, message: string]>([
    [undefined, undefined, undefined, 'name: expected string, found nothing'],
    ['stop', null, undefined, 'part: expected object, found null'],
    ['stop', 'feature', undefined, "part: expected object, found string 'feature'"],
    ['stop', { argumnt: 'x' }, undefined, "part.argumnt: unknown option; did you mean 'argument'?"],
    ['stop', { argument: 5 }, undefined, 'part.argument: expected string, found number 5'],
    [
      'stop',
      { timeout: 5 },
      undefined,
      'part.timeout: unknown option; known options are argument, result, data, value, feature',
    ],
    ['stop', { value: true }, undefined, 'part.value: expected string, found boolean true'],
    ['stop', {}, { timeout: NaN }, `timeout: expected ${duration}, found number NaN`],
    ['stop', {}, { signal: {} }, 'signal: expected AbortSignal, found object'],
    ['stop', {}, { until: ['STOP'] }, 'until: unknown option; known options are signal, timeout'],
    ['stop', {}, null, 'options: expected object, found null'],
  ])('%o, %o, %o', (name, part, options, message) =>
    connected(async (vm, peer) => {
      expect(await failure(vm.supports(name as never, part as never, options as never))).toEqual(
        new TypeError(message),
      );
      expect(peer.commands).toEqual(['qmp_capabilities']);
    }),
  );

  test('but accepts undefined', () =>
    connected(async (vm) => {
      const part = { argument: undefined, value: undefined, feature: undefined };
      expect(await vm.supports('stop', part as never, { timeout: undefined, signal: undefined })).toBe(false);
    }));
});

describe('launch throws for', () => {
  test.each<[parameters: unknown[], message: string]>([
    [[], 'command: expected string, found nothing'],
    [[['qemu']], 'command: expected string, found array'],
    [['qemu', '-nodefaults'], "args: expected array of strings, found string '-nodefaults'"],
    [['qemu', ['-m', 512]], 'args: expected array of strings, found array'],
    [['qemu', [], null], 'options: expected object, found null'],
    [['qemu', [], { stdot: 'pipe' }], "stdot: unknown option; did you mean 'stdout'?"],
    [['qemu', [], { stdout: 'pip' }], "stdout: expected one of 'ignore', 'inherit', 'pipe', found string 'pip'"],
    [['qemu', [], { monitor: true }], "monitor: expected one of '-qmp', '--monitor', found boolean true"],
    [
      ['qemu', [], { parentDeathSignal: 'SIGHUP' }],
      "parentDeathSignal: expected one of 'SIGKILL', 'SIGTERM', found string 'SIGHUP'",
    ],
    [['qemu', [], { cwd: 5 }], 'cwd: expected string, found number 5'],
    [['qemu', [], { env: 'A=1' }], "env: expected object, found string 'A=1'"],
  ])('%o', (parameters, message) => {
    expect(() => (launch as (...parameters: unknown[]) => unknown)(...parameters)).toThrow(new TypeError(message));
  });
});

describe('a hook that throws is reported once', () => {
  const hooks: [what: string, hook: () => unknown][] = [
    [
      'synchronously',
      () => {
        throw new Error('mine');
      },
    ],
    ['asynchronously', () => Promise.reject(new Error('mine'))],
  ];

  test.each(hooks)('as log or trace, %s', async (_, hook) => {
    await using peer = new Peer();
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const target = await peer.listenUnix();
    const vm = await connectTo(target, { log: hook, trace: hook, reconnect: { initialDelay: 1 } });
    const again = new Promise((resolve) => vm.once('reconnected', resolve));
    for (let n = 0; n < 10; n += 1) peer.write('{"return": {}, "id": 99}\n');
    await settled();
    peer.reset();
    await again;
    peer.on('x', 1);
    expect(await vm.execute('x')).toBe(1);
    await vm.close();
    expect(warn.mock.calls.map(([message]) => String(message)).toSorted()).toEqual([
      'the log hook threw (only the first error is reported): mine',
      'the trace hook threw (only the first error is reported): mine',
    ]);
  });

  test.each(hooks)('as a listener, %s', async (_, hook) => {
    await using peer = new Peer();
    const entries: LogEntry[] = [];
    await using vm = await connectPeer(peer, { log: (entry) => entries.push(entry) });
    vm.on('STOP', hook).on('*', hook);
    const other = (): never => {
      throw new Error('other');
    };
    vm.on('STOP', other);
    for (let n = 0; n < 10; n += 1) peer.event('STOP');
    peer.on('x', 1);
    expect(await vm.execute('x')).toBe(1);
    await settled();
    const logged = entries.map(({ message, error }) => `${message}: ${(error as Error).message}`);
    expect(logged.toSorted()).toEqual([
      'a listener of STOP threw (only the first error is reported): mine',
      'a listener of STOP threw (only the first error is reported): other',
    ]);
  });

  test('whatever it throws', async () => {
    await using peer = new Peer();
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const trace = (): never => {
      throw Object.create(null);
    };
    await using vm = await connectPeer(peer, { trace });
    peer.on('x', 1);
    expect(await vm.execute('x')).toBe(1);
    expect(warn.mock.calls).toEqual([
      [
        'the trace hook threw (only the first error is reported): a value that cannot be converted to a string',
        'QmpWarning',
      ],
    ]);
  });

  test('and `where` must not return a promise', () =>
    connected(async (vm, peer) => {
      const where = (): Promise<boolean> => Promise.reject(new Error('mine'));
      const call = failure(vm.execute('query-status', {}, { until: ['STOP'], where: where as never }));
      await settled();
      peer.event('STOP');
      expect(await call).toEqual(
        new TypeError('where: expected a function that returns a boolean, but it returned a promise'),
      );
    }));
});

describe('a server that greets and dies', () => {
  test('is retried with growing delays, until a connection lasts', async () => {
    await using peer = new Peer();
    const target = await peer.listenUnix();
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const delays = new Set([17, 34, 68, 100]);
    const waited = (): number[] =>
      timers.mock.calls.flatMap(([, delay]) => (delays.has(Number(delay)) ? [Number(delay)] : []));
    const vm = await connectTo(target, { reconnect: { initialDelay: 17, maxDelay: 100 } });
    let losses = 5;
    peer.on('qmp_capabilities', (request) => {
      request.return();
      losses -= 1;
      if (losses > 0) peer.socket.end();
    });
    peer.reset();
    await vi.waitFor(() => expect(peer.connections).toBe(6), { timeout: 5000, interval: 7 });
    expect(waited()).toEqual([17, 34, 68, 100, 100]);
    // The connection lasts longer than `maxDelay`.
    await new Promise((resolve) => setTimeout(resolve, 150));
    peer.reset();
    await vi.waitFor(() => expect(peer.connections).toBe(7), { timeout: 5000, interval: 7 });
    expect(waited().slice(5)).toEqual([17]);
    await vm.close();
  });
});
