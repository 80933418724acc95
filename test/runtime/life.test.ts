/** The life cycle of a client: closing and reconnecting. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { afterEach, describe, expect, test, vi } from 'vitest';

import type { ConnectionEvents, LogEntry } from '../../runtime/src/index.js';
import { repository } from '../support/compile.js';
import { connectPeer, connectTo, failure, settled, type AnyClient } from '../support/client.js';
import { Peer } from '../support/peer.js';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('close', () => {
  test('waits for calls in flight', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await using peer = new Peer();
    const vm = await connectPeer(peer);
    peer.on('x', () => {});
    const calls = Promise.all([vm.execute('x'), vm.execute('x')]);
    // In the same tick, before they are written.
    const closing = vm.close();
    const late = failure(vm.execute('y'));
    for (const _ of [0, 1]) {
      const request = await peer.request('x');
      await settled();
      expect(peer.client.destroyed).toBe(false);
      request.return('done');
    }
    expect(await calls).toEqual(['done', 'done']);
    await closing;
    expect(peer.client.destroyed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    expect(await late).toMatchObject({ code: 'ERR_QMP_NOT_SENT', message: 'y: the connection is being closed' });
    expect(peer.commands).not.toContain('y');
  });

  test('waits for calls that wait for an event', async () => {
    await using peer = new Peer();
    const vm = await connectPeer(peer);
    peer.on('x', 1);
    const call = vm.execute('x', {}, { until: ['STOP'] });
    const closing = vm.close();
    await settled();
    peer.event('STOP');
    expect(await call).toMatchObject({ result: 1 });
    await closing;
  });

  test('does not wait forever', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await using peer = new Peer({ oob: true });
    const vm = await connectPeer(peer);
    peer.on('hangs', () => {});
    peer.on('fine', {});
    const calls = Array.from({ length: 10 }, () => failure(vm.execute('hangs')));
    const until = failure(vm.execute('fine', {}, { until: ['STOP'], oob: true }));
    const closing = vm.close();
    await settled();
    await vi.advanceTimersByTimeAsync(4999);
    expect(peer.client.destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await closing;
    const errors = await Promise.all(calls);
    expect(errors.slice(0, 8)).toMatchObject(
      Array.from({ length: 8 }, () => ({
        code: 'ERR_QMP_CONNECTION_LOST',
        message: 'hangs: the client closed the connection; whether it was executed is unknown',
      })),
    );
    expect(errors.slice(8)).toMatchObject(
      Array.from({ length: 2 }, () => ({
        code: 'ERR_QMP_NOT_SENT',
        message: 'hangs: the client closed the connection; it was not sent',
      })),
    );
    expect(await until).toMatchObject({
      code: 'ERR_QMP_CONNECTION_LOST',
      message: 'fine: the connection ended before STOP arrived',
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('resolves immediately if the server disconnects in the meantime', async () => {
    await using peer = new Peer();
    const vm = await connectPeer(peer, { reconnect: false });
    peer.on('x', () => {});
    const call = failure(vm.execute('x'));
    const closing = vm.close();
    await peer.request('x');
    peer.reset();
    expect(await call).toMatchObject({ code: 'ERR_QMP_CONNECTION_LOST' });
    await closing;
  });

  test('may be called repeatedly', async () => {
    await using peer = new Peer();
    const vm = await connectPeer(peer);
    const closing = vm.close();
    expect(vm.close()).toBe(closing);
    await Promise.all([closing, vm.close(), vm[Symbol.asyncDispose]()]);
    await vm.close();
    await vm[Symbol.asyncDispose]();
  });

  test('is called at the end of an `await using` block', async () => {
    await using peer = new Peer();
    {
      await using vm = await connectPeer(peer);
      expect(vm.greeting).toBeDefined();
    }
    expect(peer.client.destroyed).toBe(true);
  });

  test('does not emit disconnected', async () => {
    await using peer = new Peer();
    const entries: LogEntry[] = [];
    const vm = await connectPeer(peer, { log: (entry) => entries.push(entry) });
    const heard = vi.fn<() => void>();
    vm.on('disconnected', heard);
    await vm.close();
    await settled();
    expect(heard).not.toHaveBeenCalled();
    expect(entries).toEqual([]);
  });

  test('leaves no listener on the stream, and ignores later errors', async () => {
    await using peer = new Peer();
    const stream = peer.stream();
    const before = counts(stream);
    const vm = await connectTo(stream);
    await vm.close();
    await settled();
    expect(counts(stream)).toEqual(before);
    expect(stream.destroyed).toBe(true);
  });

  test('of a client without a connection resolves immediately', async () => {
    await using peer = new Peer();
    const vm = await connectPeer(peer);
    peer.reset();
    await settled();
    await vm.close();
  });

  function counts(stream: Duplex): Record<string, number> {
    return Object.fromEntries(
      ['data', 'drain', 'error', 'end', 'close'].map((name) => [name, stream.listenerCount(name)]),
    );
  }
});

describe('the loss of the connection', () => {
  const ways: [what: string, end: (peer: Peer) => void][] = [
    ['by the end of the server', (peer) => peer.socket.destroy()],
    ['by a server that ends its half', (peer) => peer.end()],
    ['by a reset', (peer) => peer.reset()],
  ];

  const transports: [what: string, connect: (peer: Peer) => Promise<AnyClient>][] = [
    ['within the process', (peer) => connectPeer(peer)],
    ['over a Unix socket', async (peer) => connectTo(await peer.listenUnix())],
    ['over TCP', async (peer) => connectTo(await peer.listenTcp())],
  ];

  test.each(transports.flatMap(([where, connect]) => ways.map(([what, end]) => ({ what, where, connect, end }))))(
    '$what $where ends the calls, and emits disconnected',
    async ({ connect, end }) => {
      await using peer = new Peer();
      const vm = await connect(peer);
      const disconnected = new Promise<ConnectionEvents['disconnected']>((resolve) => vm.once('disconnected', resolve));
      peer.on('x', () => {});
      const calls = [failure(vm.execute('x')), failure(vm.execute('x', {}, { until: ['STOP'], timeout: 5000 }))];
      await peer.request('x');
      await peer.request('x');
      end(peer);
      for (const error of await Promise.all(calls)) expect(error).toMatchObject({ code: 'ERR_QMP_CONNECTION_LOST' });
      expect((await disconnected).error).toMatchObject({ code: 'ERR_QMP_CONNECTION_LOST' });
      expect(await failure(vm.execute('x'))).toMatchObject({
        code: 'ERR_QMP_NOT_SENT',
        message: 'x: not connected',
      });
      await vm.close();
    },
  );

  test('does not lose replies that arrived before it', async () => {
    await using peer = new Peer();
    await using vm = await connectTo(await peer.listenUnix());
    peer.on('quit', (request) => {
      peer.event('SHUTDOWN');
      request.return();
      peer.socket.end();
    });
    expect(await vm.execute('quit', {}, { until: ['SHUTDOWN'] })).toMatchObject({ event: { event: 'SHUTDOWN' } });
  });
});

describe('reconnect', () => {
  const reconnect = { initialDelay: 10, maxDelay: 40 };

  function reconnected(vm: AnyClient): Promise<ConnectionEvents['reconnected']> {
    return new Promise((resolve) => vm.once('reconnected', resolve));
  }

  test('reestablishes the connection and everything that belongs to it', async () => {
    await using peer = new Peer({ oob: true });
    await using vm = await connectTo(await peer.listenUnix(), { reconnect });
    const heard: string[] = [];
    vm.on('disconnected', ({ error }) => heard.push(error.code));
    vm.on('reconnected', ({ attempts, greeting }) => heard.push(`${attempts} ${greeting?.capabilities.join()}`));
    vm.on('STOP', () => heard.push('STOP'));
    peer.on('x', () => {});
    const lost = failure(vm.execute('x'));
    await peer.request('x');
    const again = reconnected(vm);
    peer.reset();
    expect(await lost).toMatchObject({ code: 'ERR_QMP_CONNECTION_LOST' });
    const meanwhile = failure(vm.execute('x'));
    expect(await meanwhile).toMatchObject({ code: 'ERR_QMP_NOT_SENT' });
    await again;
    peer.on('x', 'again');
    peer.event('STOP');
    expect(await vm.execute('x', {}, { oob: true })).toBe('again');
    expect(heard).toEqual(['ERR_QMP_CONNECTION_LOST', '1 oob', 'STOP']);
    expect(peer.connections).toBe(2);
    // Nothing was sent twice.
    expect(peer.commands).toEqual(['qmp_capabilities', 'x', 'qmp_capabilities', 'x']);
  });

  test('tries until it succeeds', async () => {
    await using peer = new Peer();
    const address = await peer.listenUnix();
    const entries: LogEntry[] = [];
    await using vm = await connectTo(address, { reconnect, log: (entry) => entries.push(entry) });
    peer.stopListening();
    const again = reconnected(vm);
    peer.reset();
    await vi.waitFor(() => expect(entries.length).toBeGreaterThan(3));
    await peer.listenUnix(address.path);
    const { attempts } = await again;
    expect(attempts).toBeGreaterThan(2);
    const messages = entries.map(({ message }) => message);
    expect(messages.slice(0, 3)).toEqual([
      'the connection ended',
      'reconnection attempt 1 failed',
      'reconnection attempt 2 failed',
    ]);
    peer.on('x', 1);
    expect(await vm.execute('x')).toBe(1);
  });

  test('waits longer each time, at random, up to a limit', async () => {
    await using peer = new Peer();
    const address = await peer.listenUnix();
    const entries: LogEntry[] = [];
    const vm = await connectTo(address, {
      reconnect: { initialDelay: 100, maxDelay: 500 },
      log: (entry) => entries.push(entry),
    });
    peer.stopListening();
    const delays: number[] = [];
    const original = globalThis.setTimeout;
    const spy = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((f: () => void, delay: number) => {
      delays.push(delay);
      return original(f, 1);
    }) as typeof setTimeout);
    peer.reset();
    await vi.waitFor(() => expect(entries.length).toBeGreaterThan(6), { interval: 5 });
    spy.mockRestore();
    await vm.close();
    const ranges = [100, 200, 400, 500, 500];
    const waits = delays.filter((delay) => delay >= 50 && delay <= 500 && delay !== 5).slice(0, ranges.length);
    for (const [index, most] of ranges.entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(most / 2);
      expect(waits[index]).toBeLessThanOrEqual(most);
    }
    expect(waits.every((wait) => Number.isInteger(wait))).toBe(false);
  });

  test('does not try before its delay', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    vi.spyOn(Math, 'random').mockReturnValue(0);
    await using peer = new Peer();
    await using vm = await connectTo(await peer.listenUnix(), { reconnect: { initialDelay: 1000 } });
    const lost = new Promise((resolve) => vm.once('disconnected', resolve));
    peer.reset();
    await lost;
    const again = reconnected(vm);
    await vi.advanceTimersByTimeAsync(499);
    for (let turn = 0; turn < 10; turn += 1) await settled();
    expect(peer.connections).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    await again;
    expect(vi.getTimerCount()).toBe(0);
  });

  test('keeps trying when the server sends no greeting, or rejects the negotiation', async () => {
    await using peer = new Peer();
    const address = await peer.listenUnix();
    await using vm = await connectTo(address, { reconnect, connectTimeout: 50 });
    let refusals = 2;
    peer.on('qmp_capabilities', (request) => {
      refusals -= 1;
      if (refusals === 1) request.fail('not yet');
      else if (refusals < 0) request.return();
    });
    const again = reconnected(vm);
    peer.reset();
    expect((await again).attempts).toBe(3);
    expect(peer.connections).toBe(4);
  });

  test('keeps trying when the server disconnects right after the negotiation', async () => {
    await using peer = new Peer();
    await using vm = await connectTo(await peer.listenUnix(), { reconnect });
    let losses = 3;
    peer.on('qmp_capabilities', (request) => {
      request.return();
      losses -= 1;
      if (losses > 0) peer.socket.end();
    });
    peer.reset();
    peer.on('x', 'at last');
    await vi.waitFor(async () => expect(await vm.execute('x')).toBe('at last'));
  });

  test('ends iterators and calls that wait for events, because events may have been missed', async () => {
    await using peer = new Peer();
    await using vm = await connectTo(await peer.listenUnix(), { reconnect });
    peer.on('x', {});
    const events = vm.events(['STOP']);
    const call = failure(vm.execute('x', {}, { until: ['STOP'] }));
    await peer.request('x');
    await settled();
    const again = reconnected(vm);
    peer.reset();
    expect(await failure(events.next())).toMatchObject({ code: 'ERR_QMP_CONNECTION_LOST' });
    expect(await call).toMatchObject({ code: 'ERR_QMP_CONNECTION_LOST' });
    // An iterator that is created in the meantime waits for the outcome.
    const next = vm.events(['STOP']).next();
    await again;
    peer.event('STOP');
    expect((await next).value?.event).toBe('STOP');
  });

  test('stops when the client is closed between attempts', async () => {
    await using peer = new Peer();
    const vm = await connectTo(await peer.listenUnix(), { reconnect: { initialDelay: 60_000, maxDelay: 60_000 } });
    const lost = new Promise((resolve) => vm.once('disconnected', resolve));
    peer.reset();
    await lost;
    const next = vm.events(['STOP']).next();
    await vm.close();
    expect(await next).toEqual({ value: undefined, done: true });
    expect(await vm.events(['STOP']).next()).toEqual({ value: undefined, done: true });
    await settled();
    expect(peer.connections).toBe(1);
    expect(await failure(vm.execute('x'))).toMatchObject({ code: 'ERR_QMP_NOT_SENT' });
  });

  test('stops when the client is closed during an attempt', async () => {
    await using peer = new Peer();
    const address = await peer.listenUnix();
    const vm = await connectTo(address, { reconnect, connectTimeout: 60_000 });
    peer.on('qmp_capabilities', () => {});
    await peer.request('qmp_capabilities');
    peer.reset();
    await peer.request('qmp_capabilities');
    await vm.close();
    await vi.waitFor(() => expect(peer.socket.readableEnded).toBe(true));
    expect(peer.connections).toBe(2);
  });

  test('does not happen after close, even if a listener for disconnected calls it', async () => {
    await using peer = new Peer();
    const address = await peer.listenUnix();
    const vm = await connectTo(address, { reconnect });
    await vm.close();
    const other = await connectTo(address, { reconnect });
    const closed = new Promise<void>((resolve) => {
      other.on('disconnected', () => void other.close().then(resolve));
    });
    peer.reset();
    await closed;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(peer.connections).toBe(2);
  });

  test('leaves no timer behind after a listener for disconnected calls close', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await using peer = new Peer();
    const vm = await connectTo(await peer.listenUnix(), { reconnect: { initialDelay: 60_000, maxDelay: 60_000 } });
    peer.on('x', {});
    // `close` waits for this call, which ends after the listener returns.
    const call = failure(vm.execute('x', {}, { until: ['STOP'] }));
    await peer.request('x');
    const closed = new Promise<void>((resolve) => {
      vm.on('disconnected', () => void vm.close().then(resolve));
    });
    peer.reset();
    await closed;
    expect(await call).toMatchObject({ code: 'ERR_QMP_CONNECTION_LOST' });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('requires an address that can be reconnected to', async () => {
    await using peer = new Peer();
    const stream = peer.stream();
    expect(await failure(connectTo(stream, { reconnect: true }))).toMatchObject({ code: 'ERR_QMP_CONNECT' });
  });
});

describe('hooks', () => {
  test('receive every message exactly as it is on the wire', async () => {
    await using peer = new Peer({ oob: true });
    const lines: string[] = [];
    const vm = await connectPeer(peer, { trace: (direction, line) => lines.push(`${direction} ${line}`) });
    peer.on('x', () => {
      peer.event('STOP', { n: 18446744073709551615n });
      return 9007199254740993n;
    });
    peer.on('y', (request) => request.fail('no'));
    await vm.execute('x', { size: 9007199254740993n });
    await failure(vm.execute('y', {}, { oob: true }));
    await vm.close();
    expect(lines).toEqual([
      'in {"QMP": {"version": {"qemu": {"major": 10, "minor": 2, "micro": 0}, "package": "peer"}, "capabilities": ["oob"]}}',
      'out {"execute":"qmp_capabilities","arguments":{"enable":["oob"]},"id":1}',
      'in {"return": {}, "id": 1}',
      'out {"execute":"x","arguments":{"size":9007199254740993},"id":2}',
      'in {"event": "STOP", "data": {"n": 18446744073709551615}, "timestamp": {"seconds": 1000000000, "microseconds": 500000}}',
      'in {"return": 9007199254740993, "id": 2}',
      'out {"exec-oob":"y","arguments":{},"id":3}',
      'in {"error": {"class": "GenericError", "desc": "no"}, "id": 3}',
    ]);
  });

  test('that throw do no harm, and cause a warning', async () => {
    await using peer = new Peer();
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const hook = (): never => {
      throw new Error('mine');
    };
    const vm = await connectPeer(peer, { log: hook, trace: hook });
    peer.on('x', 1);
    peer.write('{"return": {}, "id": 99}\n');
    expect(await vm.execute('x')).toBe(1);
    peer.write('nonsense\n');
    await settled();
    await vm.close();
    expect(warn.mock.calls).toEqual([
      ['the trace hook threw (only the first error is reported): mine', 'QmpWarning'],
      ['the log hook threw (only the first error is reported): mine', 'QmpWarning'],
    ]);
  });

  test('are optional: without them, errors and warnings become process warnings', async () => {
    await using peer = new Peer();
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const vm = await connectPeer(peer, { log: undefined });
    vm.on('STOP', () => {
      throw new Error('mine');
    });
    peer.event('STOP');
    peer.write('{"return": {}, "id": 99}\n');
    await settled();
    // The loss is reported only to listeners.
    peer.reset();
    await settled();
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^a reply that matches no command was dropped/u), 'QmpWarning'],
      [
        expect.stringMatching(/^a listener of STOP threw \(only the first error is reported\): Error: mine\n {4}at /u),
        'QmpWarning',
      ],
    ]);
    await vm.close();
  });
});

describe('the time limit for connecting expires', () => {
  test('even if garbage is collected', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    await using peer = new Peer({ greets: false });
    const collecting = setInterval(collect, 20);
    const connecting = failure(connectPeer(peer, { connectTimeout: 200 }));
    expect(await connecting.finally(() => clearInterval(collecting))).toMatchObject({ code: 'ERR_QMP_CONNECT' });
  });

  test('even if launching the server took all of the time', async () => {
    await using peer = new Peer({ greets: false });
    const launch = async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { stream: peer.stream(), where: 'the peer' };
    };
    expect(await failure(connectTo({ launch }, { connectTimeout: 10 }))).toMatchObject({ code: 'ERR_QMP_CONNECT' });
  });
});

describe('nothing keeps Node running', () => {
  /** Runs a program until it ends by itself. Its function `connect` connects to the address. */
  async function run(program: string, address: object): Promise<string> {
    const prelude = `
      import { Client, Connection } from '@qapi-ts/runtime';
      const protocol = { handshake: 'greeting', withoutReply: [] };
      const connect = async (options) => new Client(await Connection.open(${JSON.stringify(address)}, protocol, options));
    `;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', prelude + program], {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 10_000,
    });
    const output = Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = (await once(child, 'exit')) as [number | null];
    return `${(await output).join('')}${code}`;
  }

  test.each<[what: string, program: string, want: string]>([
    ['after close', 'const vm = await connect(); console.log(await vm.execute("x")); await vm.close();', '1\n0'],
    [
      'after dispose',
      'const vm = await connect(); console.log(await vm.execute("x")); await vm[Symbol.asyncDispose]();',
      '1\n0',
    ],
    [
      'after calls, iterators and listeners',
      `const vm = await connect({ reconnect: true });
       const events = vm.events(['STOP']);
       vm.on('*', () => {});
       await vm.execute('hangs', {}, { timeout: 10 }).catch(() => {});
       const abort = new AbortController();
       setTimeout(() => abort.abort(), 10);
       await vm.execute('hangs', {}, { timeout: 60_000, signal: abort.signal, until: ['STOP'] }).catch(() => {});
       await vm.close();
       console.log(await events.next());`,
      '{ value: undefined, done: true }\n0',
    ],
    [
      'when the server disconnects',
      'const vm = await connect(); await vm.execute("dies").catch(({ code }) => console.log(code));',
      'ERR_QMP_CONNECTION_LOST\n0',
    ],
    [
      'when the client is closed while it reconnects',
      `const vm = await connect({ reconnect: { initialDelay: 60_000 } });
       await vm.execute('dies').catch(() => {});
       await vm.close();
       console.log('closed');`,
      'closed\n0',
    ],
    [
      'when no connection is established',
      'await connect({ connectTimeout: 200 }).catch(({ code }) => console.log(code));',
      'ERR_QMP_CONNECT\n0',
    ],
  ])('%s', async (what, program, want) => {
    await using peer = new Peer({ greets: !what.includes('no connection') });
    peer.on('x', 1);
    peer.on('hangs', () => {});
    peer.on('dies', () => peer.reset());
    const address = await peer.listenUnix();
    const begin = performance.now();
    expect(await run(program, address)).toBe(want);
    expect(performance.now() - begin).toBeLessThan(5000);
  });

  test('with an inherited connection', async () => {
    await using peer = new Peer();
    peer.on('x', 1);
    const program = `
      import { Client, Connection } from '@qapi-ts/runtime';
      const protocol = { handshake: 'greeting', withoutReply: [] };
      const vm = new Client(await Connection.open({ fd: 3 }, protocol));
      console.log(await vm.execute('x'));
      await vm.close();`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
      timeout: 10_000,
    });
    peer.serve(child.stdio[3] as Duplex);
    expect(await text(child.stdout as NodeJS.ReadableStream)).toBe('1\n');
  });
});
