/** Calls from the caller's side: sending, aborting, and failing. */

import { inspect } from 'node:util';

import { describe, expect, test, vi } from 'vitest';

import {
  AbortedError,
  ArgumentsError,
  CommandError,
  ConnectionLostError,
  NotSentError,
  QmpError,
  TimeoutError,
  type LogEntry,
} from '../../runtime/src/index.js';
import { connectPeer, failure, settled, type AnyClient } from '../support/client.js';
import { Peer } from '../support/peer.js';

describe('a call', () => {
  test('sends its arguments as they are at the time of the call', async () => {
    await using peer = new Peer({ oob: true });
    await using vm = await connectPeer(peer);
    peer.on('x', () => {});
    const args: Record<string, unknown> = { a: { b: [1] }, size: 18446744073709551615n, none: undefined };
    const calls = Promise.allSettled(Array.from({ length: 10 }, () => vm.execute('x', args as never)));
    args['a'] = NaN;
    delete args['size'];
    await settled();
    peer.received[1]?.return();
    await settled();
    const [first, ...others] = peer.received.slice(1).map(({ text }) => text.replace(/"id":\d+/u, ''));
    expect(first).toBe('{"execute":"x","arguments":{"a":{"b":[1]},"size":18446744073709551615},}');
    // Including those that were queued.
    expect(others.length).toBe(8);
    expect(new Set(others)).toEqual(new Set([first]));
    peer.reset();
    await calls;
  });

  test.each<[what: string, args: unknown, want: string]>([
    ['no arguments', undefined, '{"execute":"x-y","id":2}'],
    ['empty arguments', {}, '{"execute":"x-y","arguments":{},"id":2}'],
    ['undefined members', { a: undefined }, '{"execute":"x-y","arguments":{},"id":2}'],
    ['a member __proto__', JSON.parse('{"__proto__":1}'), '{"execute":"x-y","arguments":{"__proto__":1},"id":2}'],
    // Invalid arguments in QMP, which the server reports.
    ['a string instead of arguments', '', '{"execute":"x-y","arguments":"","id":2}'],
    ['null instead of arguments', null, '{"execute":"x-y","arguments":null,"id":2}'],
    ['non-ASCII characters', { é: '😀"\\\n' }, '{"execute":"x-y","arguments":{"é":"😀\\"\\\\\\n"},"id":2}'],
  ])('with %s', async (_, args, want) => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x-y', {});
    await vm.executeRaw('x-y', args as never);
    expect(peer.received[1]?.text).toBe(want);
  });

  test.each<[what: string, args: unknown, want: string]>([
    ['NaN', { a: [{ b: NaN }] }, 'x: arguments: a[0].b is NaN'],
    [
      'an unsafe integer',
      { size: 2 ** 63 },
      'x: arguments: size is 9223372036854776000, which is not exact: use a bigint',
    ],
    [
      'too large an integer',
      { size: 2n ** 64n },
      'x: arguments: size is 18446744073709551616, which does not fit into 64 bits',
    ],
    ['a lone surrogate', { 'node-name': '\ud800' }, 'x: arguments: node-name is a string with a lone surrogate'],
    ['undefined in an array', { a: [undefined] }, 'x: arguments: a[0] is undefined'],
    ['a function', { a: () => {} }, 'x: arguments: a is a function'],
    ['a function instead of arguments', () => {}, 'x: arguments: the value is a function'],
    [
      'a getter that throws',
      {
        get a() {
          throw new Error('no');
        },
      },
      'x: arguments: a is a value that throws when read',
    ],
  ])('with %s is rejected', async (_, args, message) => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    for (const options of [{}, { timeout: 1000, until: ['STOP'], signal: new AbortController().signal }]) {
      const error = await failure(vm.execute('x', args as never, options));
      expect(error).toBeInstanceOf(ArgumentsError);
      expect(error).toMatchObject({ code: 'ERR_QMP_ARGUMENTS', message, cause: expect.any(Error) });
    }
    await settled();
    expect(peer.commands).toEqual(['qmp_capabilities']);
    // The connection can still be used.
    peer.on('x', 1);
    expect(await vm.execute('x')).toBe(1);
  });
});

describe('a signal', () => {
  test('that is already aborted prevents the call from being sent', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    const reason = new Error('changed my mind');
    const error = await failure(vm.execute('x', {}, { signal: AbortSignal.abort(reason) }));
    expect(error).toBeInstanceOf(AbortedError);
    expect(error).toMatchObject({ code: 'ERR_QMP_ABORTED', name: 'AbortError', cause: reason });
    await settled();
    expect(peer.commands).toEqual(['qmp_capabilities']);
  });

  test('that aborts in the same tick prevents the call from being sent', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    const abort = new AbortController();
    const call = failure(vm.execute('x', {}, { signal: abort.signal }));
    abort.abort();
    expect(await call).toMatchObject({ code: 'ERR_QMP_ABORTED' });
    await settled();
    expect(peer.commands).toEqual(['qmp_capabilities']);
  });

  test('that aborts removes queued calls', async () => {
    await using peer = new Peer({ oob: true });
    await using vm = await connectPeer(peer);
    peer.on('x', () => {});
    const abort = new AbortController();
    const first = Array.from({ length: 8 }, () => vm.execute('x'));
    const queued = Array.from({ length: 100 }, (_, n) =>
      failure(vm.execute('queued', { n }, { signal: abort.signal })),
    );
    peer.on('last', 'last');
    const last = vm.execute('last');
    await settled();
    abort.abort();
    expect(new Set((await Promise.all(queued)).map(({ code }) => code))).toEqual(new Set(['ERR_QMP_ABORTED']));
    for (const request of peer.received.slice(1)) request.return();
    await Promise.all(first);
    expect(await last).toBe('last');
    expect(peer.commands).not.toContain('queued');
  });

  test('rejects a call in flight, and drops its late reply', async () => {
    await using peer = new Peer();
    const entries: LogEntry[] = [];
    await using vm = await connectPeer(peer, { log: (entry) => entries.push(entry) });
    peer.on('x', () => {});
    const abort = new AbortController();
    const calls = [0, 1].map(() => failure(vm.execute('x', {}, { signal: abort.signal })));
    await settled();
    abort.abort('enough');
    expect(await Promise.all(calls)).toMatchObject(
      Array.from({ length: 2 }, () => ({ message: 'x: the call was aborted', cause: 'enough' })),
    );
    const [, first, second] = peer.received;
    first?.return('late');
    second?.fail('late');
    peer.on('y', 'y');
    expect(await vm.execute('y')).toBe('y');
    expect(entries).toEqual([]);
  });

  test('has no listeners left once its calls have settled', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    const { signal, listeners } = spy();
    peer.on('x', 1);
    expect(await vm.execute('x', {}, { signal })).toBe(1);
    peer.on('y', (request) => request.fail('no'));
    await failure(vm.execute('y', {}, { signal }));
    peer.on('z', () => {});
    await failure(vm.execute('z', {}, { signal, timeout: 10 }));
    expect(listeners()).toBe(0);
  });

  test('can be shared by a thousand calls without a warning', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    const warnings: Error[] = [];
    const warn = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warn);
    peer.on('x', () => {});
    const abort = new AbortController();
    const calls = Array.from({ length: 1000 }, () => failure(vm.execute('x', {}, { signal: abort.signal })));
    await settled();
    abort.abort();
    await Promise.all(calls);
    await settled();
    process.off('warning', warn);
    expect(warnings).toEqual([]);
  });

  /** Returns a signal that counts its listeners. */
  function spy(): { signal: AbortSignal; listeners: () => number } {
    const { signal } = new AbortController();
    let count = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      count += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      count -= 1;
      remove(...args);
    };
    return { signal, listeners: () => count };
  }
});

describe('a timeout', () => {
  test('rejects the call, and drops its late reply', async () => {
    await using peer = new Peer();
    const entries: LogEntry[] = [];
    await using vm = await connectPeer(peer, { log: (entry) => entries.push(entry) });
    peer.on('x', () => {});
    const error = await failure(vm.execute('x', {}, { timeout: 20 }));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: 'ERR_QMP_TIMEOUT', message: 'x: no reply within 20 ms' });
    (await peer.request('x')).return('late');
    peer.on('y', 'y');
    expect(await vm.execute('y', {}, { timeout: 1000 })).toBe('y');
    expect(entries).toEqual([]);
  });

  test.each([Infinity, 2 ** 31 - 1])('of %s never expires', async (timeout) => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer, { connectTimeout: timeout });
    peer.on('x', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return 1;
    });
    expect(await vm.execute('x', {}, { timeout })).toBe(1);
  });

  test('leaves no timer if the call settles first', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x', 1);
    peer.on('y', (request) => request.fail('no'));
    peer.on('z', () => {});
    const abort = new AbortController();
    const options = { timeout: 60_000, signal: abort.signal };
    await vm.execute('x', {}, options);
    await failure(vm.execute('y', {}, options));
    await failure(vm.execute('x', { a: NaN }, options));
    const aborted = failure(vm.execute('z', {}, { ...options, until: ['STOP'] }));
    const lost = failure(vm.execute('z', {}, { timeout: 60_000 }));
    await settled();
    abort.abort();
    peer.reset();
    await Promise.all([aborted, lost]);
    const count = vi.getTimerCount();
    vi.useRealTimers();
    expect(count).toBe(0);
  });

  test('of 0 expires before a reply can arrive', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x', () => {});
    expect(await failure(vm.execute('x', {}, { timeout: 0 }))).toMatchObject({ code: 'ERR_QMP_TIMEOUT' });
  });
});

describe('until', () => {
  const ends = ['DEVICE_DELETED', 'DEVICE_UNPLUG_GUEST_ERROR'];
  const isMine = (event: { data: object }): boolean => 'device' in event.data && event.data.device === 'net0';

  test.each<[what: string, run: (peer: Peer) => void, want: object]>([
    [
      'an event before the reply',
      (peer) => peer.event('DEVICE_DELETED', { device: 'net0' }),
      { event: 'DEVICE_DELETED', data: { device: 'net0' } },
    ],
    [
      'an event after the reply',
      (peer) => setTimeout(() => peer.event('DEVICE_DELETED', { device: 'net0' }), 20),
      { event: 'DEVICE_DELETED' },
    ],
    [
      'another event of the list',
      (peer) => setImmediate(() => peer.event('DEVICE_UNPLUG_GUEST_ERROR', { device: 'net0' })),
      { event: 'DEVICE_UNPLUG_GUEST_ERROR' },
    ],
    [
      'only the first of several events',
      (peer) => {
        peer.event('DEVICE_UNPLUG_GUEST_ERROR', { device: 'net0' });
        peer.event('DEVICE_DELETED', { device: 'net0' });
      },
      { event: 'DEVICE_UNPLUG_GUEST_ERROR' },
    ],
    [
      'only an event that matches `where`',
      (peer) => {
        peer.event('STOP');
        peer.event('DEVICE_DELETED', { device: 'net1', path: '/a' });
        peer.event('DEVICE_DELETED');
        setTimeout(() => peer.event('DEVICE_DELETED', { device: 'net0', path: '/b' }), 10);
      },
      { event: 'DEVICE_DELETED', data: { path: '/b' } },
    ],
  ])('resolves with %s', async (_, run, want) => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('device_del', () => {
      run(peer);
      return { fine: true };
    });
    const outcome = await vm.execute('device_del', { id: 'net0' }, { until: ends, where: isMine, timeout: 1000 });
    expect(outcome).toMatchObject({ result: { fine: true }, event: want });
  });

  test('receives an event right after the reply, which a listener would miss', async () => {
    await using peer = new Peer({ cut: (bytes) => [bytes] });
    await using vm = await connectPeer(peer);
    // Both in one chunk.
    peer.on('x', ({ id }) =>
      peer.write(`{"return": {}, "id": ${JSON.stringify(id)}}\r\n{"event": "STOP", "data": {}}\r\n`),
    );
    expect(await vm.execute('x', {}, { until: ['STOP'] })).toMatchObject({ event: { event: 'STOP' } });
  });

  test('rejects if the command fails, even if an event arrives', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x', (request) => {
      peer.event('STOP');
      request.fail('no');
    });
    expect(await failure(vm.execute('x', {}, { until: ['STOP'] }))).toMatchObject({ code: 'ERR_QMP_COMMAND' });
  });

  test.each<[what: string, run: (peer: Peer, vm: AnyClient) => void, want: object]>([
    [
      'the connection is lost',
      (peer) => peer.reset(),
      { code: 'ERR_QMP_CONNECTION_LOST', cause: { code: 'ERR_QMP_CONNECTION_LOST' } },
    ],
    ['the server closes it', (peer) => peer.end(), { code: 'ERR_QMP_CONNECTION_LOST' }],
    [
      'the server violates the protocol',
      (peer) => peer.write('x\n'),
      { code: 'ERR_QMP_CONNECTION_LOST', cause: { code: 'ERR_QMP_PROTOCOL' } },
    ],
  ])('rejects when %s', async (_, run, want) => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x', {});
    const call = failure(vm.execute('x', {}, { until: ['STOP', 'RESUME'] }));
    await settled();
    run(peer, vm);
    expect(await call).toMatchObject({ message: 'x: the connection ended before STOP or RESUME arrived', ...want });
  });

  test('times out with an error that names the events', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x', {});
    peer.on('y', () => peer.event('STOP'));
    const call = (name: string): Promise<Error> =>
      failure(vm.execute(name, {}, { until: ['STOP', 'RESUME'], timeout: 30 }));
    expect((await call('x')).message).toBe('x: no STOP or RESUME within 30 ms');
    expect((await call('y')).message).toBe('y: no reply within 30 ms');
  });

  test('rejects when its signal aborts', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x', {});
    const abort = new AbortController();
    const call = failure(vm.execute('x', {}, { until: ['STOP'], signal: abort.signal }));
    await settled();
    abort.abort();
    expect(await call).toMatchObject({ code: 'ERR_QMP_ABORTED' });
  });

  test('rejects when `where` throws', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x', () => {
      peer.event('STOP');
      return {};
    });
    const problem = new TypeError('no such member');
    const where = (): boolean => {
      throw problem;
    };
    expect(await failure(vm.execute('x', {}, { until: ['STOP'], where }))).toBe(problem);
  });

  test('accepts any event with `*`', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x', {});
    const call = vm.execute('x', {}, { until: ['*'] });
    await settled();
    peer.event('ANYTHING');
    expect(await call).toMatchObject({ event: { event: 'ANYTHING' } });
  });

  test('has no effect with an empty list', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x', 1);
    expect(await vm.execute('x', {}, { until: [] })).toBe(1);
  });
});

describe('an error', () => {
  /** Returns the error of a call, which is made in a function whose name should be in the stack. */
  async function theCaller(
    make: (vm: AnyClient, peer: Peer) => Promise<unknown>,
  ): Promise<Error & Record<string, unknown>> {
    await using peer = new Peer();
    const vm = await connectPeer(peer);
    peer.on('fails', (request) => request.fail('it does not work', 'DeviceNotActive'));
    peer.on('hangs', () => {});
    peer.on('dies', () => peer.reset());
    try {
      await make(vm, peer);
    } catch (error) {
      return error as Error & Record<string, unknown>;
    }
    throw new Error('the call did not fail');
  }

  test.each<
    [
      what: string,
      kind: abstract new (...args: never) => Error,
      name: string,
      code: string,
      make: (vm: AnyClient) => Promise<unknown>,
    ]
  >([
    ['of a command', CommandError, 'CommandError', 'ERR_QMP_COMMAND', (vm) => vm.execute('fails')],
    [
      'of a command unknown to the server',
      CommandError,
      'CommandError',
      'ERR_QMP_COMMAND',
      (vm) => vm.executeRaw('nothing'),
    ],
    ['of a timeout', TimeoutError, 'TimeoutError', 'ERR_QMP_TIMEOUT', (vm) => vm.execute('hangs', {}, { timeout: 10 })],
    [
      'of a signal',
      AbortedError,
      'AbortError',
      'ERR_QMP_ABORTED',
      (vm) => vm.execute('hangs', {}, { signal: AbortSignal.timeout(10) }),
    ],
    [
      'of a signal that is already aborted',
      AbortedError,
      'AbortError',
      'ERR_QMP_ABORTED',
      (vm) => vm.execute('hangs', {}, { signal: AbortSignal.abort() }),
    ],
    [
      'of a lost connection',
      ConnectionLostError,
      'ConnectionLostError',
      'ERR_QMP_CONNECTION_LOST',
      (vm) => vm.execute('dies'),
    ],
    [
      'of a call after the loss of the connection',
      NotSentError,
      'NotSentError',
      'ERR_QMP_NOT_SENT',
      async (vm) => {
        await failure(vm.execute('dies'));
        return await vm.execute('hangs');
      },
    ],
    [
      'of a call after close',
      NotSentError,
      'NotSentError',
      'ERR_QMP_NOT_SENT',
      async (vm) => {
        await vm.close();
        return await vm.execute('hangs');
      },
    ],
    [
      'of invalid arguments',
      ArgumentsError,
      'ArgumentsError',
      'ERR_QMP_ARGUMENTS',
      (vm) => vm.execute('hangs', { a: NaN }),
    ],
  ])('%s has a class, a code, a name, and a stack that leads to the caller', async (_, kind, name, code, make) => {
    const error = await theCaller(make);
    expect(error).toBeInstanceOf(kind);
    expect(error).toBeInstanceOf(QmpError);
    expect(error).toMatchObject({ name, code });
    expect(error.stack).toContain('theCaller');
    expect(error.stack?.startsWith(`${name}: ${error.message}`)).toBe(true);
    expect(inspect(error)).toContain(error.message);
  });

  test("of a command has the server's error", async () => {
    expect(await theCaller((vm) => vm.execute('fails', { a: 1 }))).toMatchObject({
      command: 'fails',
      errorClass: 'DeviceNotActive',
      desc: 'it does not work',
      message: 'fails: it does not work',
    });
  });

  test('of a lost connection has the cause', async () => {
    const error = await theCaller((vm) => vm.execute('dies'));
    expect(error.message).toBe('dies: the server closed the connection; whether it was executed is unknown');
    expect(error.cause).toBeInstanceOf(ConnectionLostError);

    const broken = new Error('EIO');
    const other = await theCaller(async (vm, peer) => {
      const call = vm.execute('hangs');
      await peer.request('hangs');
      peer.client.destroy(broken);
      return await call;
    });
    expect(other.message).toBe('hangs: the connection failed: EIO; whether it was executed is unknown');
    expect(other.cause).toMatchObject({ code: 'ERR_QMP_CONNECTION_LOST', cause: broken });
  });
});
