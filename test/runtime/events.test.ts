/** Events, for listeners and iterators. */

import { describe, expect, test, vi } from 'vitest';

import type { LogEntry, QmpEvent } from '../../runtime/src/index.js';
import { agent, connectPeer, failure, monitor, settled, type AnyClient } from '../support/client.js';
import { Peer } from '../support/peer.js';

describe('listeners', () => {
  test('receive the events with their name, or all events', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    const heard: string[] = [];
    vm.on('STOP', ({ event }) => heard.push(`on ${event}`));
    vm.on('*', ({ event }) => heard.push(`any ${event}`));
    vm.once('RESUME', ({ event }) => heard.push(`once ${event}`));
    for (const name of ['STOP', 'RESUME', 'RESUME', 'stop', 'STOP']) peer.event(name);
    await settled();
    expect(heard).toEqual([
      'on STOP',
      'any STOP',
      'once RESUME',
      'any RESUME',
      'any RESUME',
      'any stop',
      'on STOP',
      'any STOP',
    ]);
  });

  test('are called in the order in which they were added, as often as they were added', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    const heard: number[] = [];
    const one = (): unknown => heard.push(1);
    vm.on('STOP', one)
      .on('STOP', () => heard.push(2))
      .on('STOP', one)
      .off('STOP', one);
    peer.event('STOP');
    await settled();
    expect(heard).toEqual([2, 1]);
  });

  test('that are removed are not called, however they were added', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    const cases: [what: string, prepare: (listener: () => void) => void, count: number][] = [
      ['on', (f) => vm.on('A', f).off('A', f), 0],
      ['once', (f) => vm.once('A', f).off('A', f), 0],
      ['under another name', (f) => vm.on('A', f).once('B', f).off('A', f), 1],
      ['once, under two names', (f) => vm.once('A', f).once('B', f).off('A', f), 1],
      ['never added', (f) => vm.off('A', f), 0],
      ['twice', (f) => vm.on('A', f).off('A', f).off('A', f), 0],
      ['one of two', (f) => vm.on('A', f).once('A', f).off('A', f), 1],
      ['for all events', (f) => vm.on('*', f).on('A', f).off('*', f), 1],
    ];
    for (const [what, prepare, count] of cases) {
      const listener = vi.fn<() => void>();
      prepare(listener);
      peer.event('A');
      peer.event('B');
      await settled();
      expect(listener, what).toHaveBeenCalledTimes(count);
      vm.off('A', listener).off('B', listener).off('*', listener);
    }
    // Also after the listener was called.
    const again = vi.fn<() => void>();
    vm.once('A', again);
    peer.event('A');
    await settled();
    vm.on('A', again).off('A', again);
    peer.event('A');
    await settled();
    expect(again).toHaveBeenCalledTimes(1);
  });

  test('may add and remove listeners, which has no effect on the current event', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    const heard: string[] = [];
    const last = (): unknown => heard.push('last');
    const first = (): void => {
      heard.push('first');
      vm.off('STOP', first)
        .off('STOP', last)
        .on('STOP', () => heard.push('new'));
    };
    vm.on('STOP', first).on('STOP', last);
    peer.event('STOP');
    peer.event('STOP');
    await settled();
    expect(heard).toEqual(['first', 'last', 'new']);
  });

  test('that throw do not affect others, and are logged', async () => {
    await using peer = new Peer();
    const entries: LogEntry[] = [];
    await using vm = await connectPeer(peer, { log: (entry) => entries.push(entry) });
    const problem = new Error('mine');
    const heard: string[] = [];
    vm.on('STOP', () => {
      throw problem;
    });
    vm.on('STOP', () => heard.push('next'));
    vm.on('*', () => heard.push('any'));
    peer.on('x', () => {
      peer.event('STOP');
      return {};
    });
    expect(await vm.execute('x', {}, { until: ['STOP'] })).toMatchObject({ event: { event: 'STOP' } });
    expect(heard).toEqual(['next', 'any']);
    const message = 'a listener of STOP threw (only the first error is reported)';
    expect(entries).toEqual([{ level: 'error', message, event: 'STOP', error: problem }]);
  });

  test('may make calls and close the client', async () => {
    await using peer = new Peer();
    const vm = await connectPeer(peer);
    peer.on('cont', {});
    const closed = new Promise<void>((resolve, reject) => {
      vm.once('STOP', () => {
        vm.execute('cont')
          .then(() => vm.close())
          .then(resolve, reject);
      });
    });
    peer.event('STOP');
    await closed;
    expect(peer.commands).toEqual(['qmp_capabilities', 'cont']);
  });

  test('receive nothing after the client is closed', async () => {
    await using peer = new Peer();
    const vm = await connectPeer(peer);
    const heard = vi.fn<() => void>();
    vm.on('*', heard);
    await vm.close();
    peer.event('STOP');
    await settled();
    expect(heard).not.toHaveBeenCalled();
  });

  test("for the connection's events are not called for the server's events", async () => {
    await using peer = new Peer();
    const entries: LogEntry[] = [];
    await using vm = await connectPeer(peer, { log: (entry) => entries.push(entry) });
    const heard = vi.fn<() => void>();
    const any: string[] = [];
    vm.on('disconnected', heard)
      .on('reconnected', heard)
      .on('*', ({ event }) => any.push(event));
    for (const name of ['disconnected', 'reconnected', '*', '__proto__', 'constructor', 'STOP']) peer.event(name);
    await settled();
    expect(heard).not.toHaveBeenCalled();
    expect(any).toEqual(['__proto__', 'constructor', 'STOP']);
    await vm.close();
    const message = 'an event with a reserved name was dropped';
    expect(entries.map((entry) => entry.message)).toEqual([message, `${message}, and 2 more like it`]);
  });
});

describe('an event', () => {
  async function received(text: string): Promise<QmpEvent> {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    const event = new Promise<QmpEvent>((resolve) => vm.once('*', resolve));
    peer.write(`${text}\r\n`);
    return await event;
  }

  test.each<[text: string, want: object, date: string | undefined]>([
    [
      '{"timestamp": {"seconds": 1000000000, "microseconds": 123456}, "event": "X", "data": {"a": 18446744073709551615}}',
      { event: 'X', data: { a: 18446744073709551615n }, timestamp: { seconds: 1000000000, microseconds: 123456 } },
      '2001-09-09T01:46:40.123Z',
    ],
    [
      '{"timestamp": {"seconds": -1, "microseconds": -1}, "event": "X"}',
      { event: 'X', data: {}, timestamp: { seconds: -1, microseconds: -1 } },
      undefined,
    ],
    ['{"event": "X"}', { event: 'X', data: {}, timestamp: { seconds: -1, microseconds: -1 } }, undefined],
    [
      '{"event": "X", "data": null, "timestamp": 5}',
      { event: 'X', data: {}, timestamp: { seconds: -1, microseconds: -1 } },
      undefined,
    ],
    ['{"event": "X", "data": [1]}', { event: 'X', data: {}, timestamp: { seconds: -1, microseconds: -1 } }, undefined],
    ['{"event": "X", "timestamp": {"seconds": "now"}}', { timestamp: { seconds: -1, microseconds: -1 } }, undefined],
    [
      '{"event": "X", "timestamp": {"seconds": 1e300, "microseconds": 0}}',
      { timestamp: { seconds: 1e300 } },
      undefined,
    ],
    [
      '{"event": "X", "timestamp": {"seconds": 0, "microseconds": 0}}',
      { timestamp: { seconds: 0 } },
      '1970-01-01T00:00:00.000Z',
    ],
  ])('%s', async (text, want, date) => {
    const event = await received(text);
    expect(event).toMatchObject(want);
    expect(event.date?.toISOString()).toBe(date);
  });

  test('has its name, time and data', async () => {
    const event = await received('{"event": "X", "data": {"a": 1}}');
    expect(JSON.parse(JSON.stringify(event))).toEqual({
      event: 'X',
      data: { a: 1 },
      timestamp: { seconds: -1, microseconds: -1 },
    });
  });
});

test('events that arrive while connecting are delivered to listeners that are added immediately', async () => {
  await using peer = new Peer({ greets: false });
  const connecting = connectPeer(peer);
  peer.event('EARLY');
  peer.greet();
  await using vm = await connecting;
  const heard: string[] = [];
  vm.on('*', ({ event }) => heard.push(event));
  const events = vm.events(['EARLY', 'LATER']);
  peer.on('x', {});
  const call = vm.execute('x', {}, { until: ['EARLY'] });
  peer.event('LATER');
  expect((await events.next()).value).toMatchObject({ event: 'EARLY' });
  expect((await events.next()).value).toMatchObject({ event: 'LATER' });
  expect(await call).toMatchObject({ event: { event: 'EARLY' } });
  expect(heard).toEqual(['EARLY', 'LATER']);
});

describe('events before listeners can be added', () => {
  test.each<[what: string, data: string, count: number]>([
    ['small events', '', 1000],
    ['large events', 'x'.repeat(400_000), 10],
  ])('are bounded: %s', async (_, text, count) => {
    for (const kind of ['monitor', 'agent'] as const) {
      await using peer = new Peer({ kind, greets: false });
      const entries: LogEntry[] = [];
      const flood = (): void => {
        for (let n = 0; n < count + 5; n += 1) peer.event('EARLY', { n, text });
      };
      // An agent's events count only after its echo.
      peer.on('guest-sync-delimited', (request) => {
        request.return(request.arguments?.['id'] as number);
        flood();
      });
      const connecting = connectPeer(peer, { log: (entry) => entries.push(entry) }, kind === 'agent' ? agent : monitor);
      if (kind === 'monitor') {
        flood();
        await settled();
        peer.greet();
      }
      await using vm = await connecting;
      const heard: unknown[] = [];
      vm.on('*', ({ data }) => heard.push(data['n']));
      await settled();
      expect(heard).toEqual(Array.from({ length: count }, (_unused, n) => n));
      expect(entries).toEqual([
        { level: 'warn', message: '5 events were dropped because they arrived before listeners could be added' },
      ]);
    }
  });

  test('are dropped if the agent has not echoed yet', async () => {
    await using peer = new Peer({ kind: 'agent' });
    peer.on('guest-sync-delimited', (request) => {
      peer.write(Buffer.from(`\xff${'{"event": "X"}\n'.repeat(5000)}`, 'latin1'));
      request.return(request.arguments?.['id'] as number);
    });
    const entries: LogEntry[] = [];
    await using ga = await connectPeer(peer, { log: (entry) => entries.push(entry) }, agent);
    const heard = vi.fn<() => void>();
    ga.on('*', heard);
    await settled();
    expect(heard).not.toHaveBeenCalled();
    expect(entries).toEqual([]);
  });
});

describe('an iterator', () => {
  async function names(events: AsyncIterable<{ event: string }>): Promise<string[]> {
    const read: string[] = [];
    for await (const { event } of events) read.push(event);
    return read;
  }

  test('returns events of its names in order, from its creation until the client is closed', async () => {
    await using peer = new Peer();
    const vm = await connectPeer(peer);
    peer.event('BEFORE');
    await settled();
    // A repeated name has no effect.
    const events = vm.events(['STOP', 'RESUME', 'BEFORE', 'STOP']);
    for (const name of ['STOP', 'OTHER', 'RESUME', 'STOP']) peer.event(name);
    await settled();
    const reading = names(events);
    peer.event('RESUME');
    await settled();
    await vm.close();
    expect(await reading).toEqual(['STOP', 'RESUME', 'STOP', 'RESUME']);
    expect(await events.next()).toEqual({ value: undefined, done: true });
  });

  test('serves reads in order', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    const events = vm.events(['A']);
    const reads = Promise.all([events.next(), events.next(), events.next()]);
    for (const n of [0, 1, 2]) peer.event('A', { n });
    expect((await reads).map(({ value }) => value?.data)).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
  });

  test.each<[what: string, end: (vm: AnyClient, peer: Peer, abort: AbortController) => unknown, want: string]>([
    ['its signal', (_, __, abort) => abort.abort(), 'done'],
    ['closing the client', (vm) => vm.close(), 'done'],
    ['the loss of the connection', (_, peer) => peer.reset(), 'ERR_QMP_CONNECTION_LOST'],
    ['the end of the connection', (_, peer) => peer.end(), 'ERR_QMP_CONNECTION_LOST'],
    ['a protocol violation', (_, peer) => peer.write('nonsense\n'), 'ERR_QMP_PROTOCOL'],
  ])('is ended by %s, after the events that had arrived', async (_, end, want) => {
    await using peer = new Peer();
    const vm = await connectPeer(peer);
    const abort = new AbortController();
    const [waiting, filled] = [vm.events(['A'], { signal: abort.signal }), vm.events(['B'], { signal: abort.signal })];
    const read = outcome(waiting.next());
    peer.event('B');
    await settled();
    await end(vm, peer, abort);
    expect(await read).toBe(want);
    expect((await filled.next()).value?.event).toBe('B');
    expect(await outcome(filled.next())).toBe(want);
    // An error is thrown only once.
    for (const events of [waiting, filled]) expect(await outcome(events.next())).toBe('done');
    await vm.close();
  });

  function outcome(read: Promise<IteratorResult<unknown>>): Promise<string> {
    return read.then(
      ({ done }) => (done ? 'done' : 'event'),
      (error: { code: string }) => error.code,
    );
  }

  test('ends with `break`, and keeps no events afterwards', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    const events = vm.events(['A']);
    for (let n = 0; n < 5; n += 1) peer.event('A', { n });
    for await (const { data } of events) {
      expect(data).toEqual({ n: 0 });
      break;
    }
    peer.event('A');
    await settled();
    expect(await events.next()).toEqual({ value: undefined, done: true });
  });

  test('ends with `return` while a read is pending', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    const events = vm.events(['A']);
    const read = events.next();
    expect(await events.return?.()).toEqual({ value: undefined, done: true });
    expect(await read).toEqual({ value: undefined, done: true });
  });

  test('removes its listener from the signal, however it ends', async () => {
    await using peer = new Peer();
    const vm = await connectPeer(peer);
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, 'addEventListener');
    const remove = vi.spyOn(signal, 'removeEventListener');
    const [left, closed] = [vm.events(['A'], { signal }), vm.events(['A'], { signal })];
    await left.return?.();
    await vm.close();
    expect((await closed.next()).done).toBe(true);
    expect(add).toHaveBeenCalledTimes(2);
    expect(remove.mock.calls).toEqual(add.mock.calls);
  });

  test('with an aborted signal ends immediately', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    expect(await names(vm.events(['A'], { signal: AbortSignal.abort() }))).toEqual([]);
  });

  test('of a client without a connection ends immediately', async () => {
    await using peer = new Peer();
    const vm = await connectPeer(peer);
    await vm.close();
    expect(await names(vm.events(['A']))).toEqual([]);

    const lost = await connectPeer(peer);
    peer.reset();
    await settled();
    expect(await failure(names(lost.events(['A'])))).toMatchObject({ code: 'ERR_QMP_CONNECTION_LOST' });
  });

  describe('that is not read in time', () => {
    test('returns the oldest events, then throws and ends', async () => {
      await using peer = new Peer();
      await using vm = await connectPeer(peer);
      const events = vm.events(['A'], { limit: 3 });
      for (let n = 0; n < 10; n += 1) peer.event('A', { n });
      await settled();
      const read: unknown[] = [];
      const error = await failure(
        (async () => {
          for await (const { data } of events) {
            read.push(data['n']);
            // Free room does not make up for dropped events.
            peer.event('A', { n: 'later' });
            await settled();
          }
        })(),
      );
      expect(read).toEqual([0, 1, 2]);
      expect(error).toMatchObject({
        code: 'ERR_QMP_EVENTS_DROPPED',
        name: 'EventsDroppedError',
        count: 10,
        message: '10 events were dropped because they were not read in time',
      });
      expect(error.stack).toContain('events.test.ts');
      expect(await events.next()).toEqual({ value: undefined, done: true });
    });

    test('throws even if the connection is lost', async () => {
      await using peer = new Peer();
      await using vm = await connectPeer(peer);
      const events = vm.events(['A'], { limit: 1 });
      for (let n = 0; n < 3; n += 1) peer.event('A', { n });
      await settled();
      peer.reset();
      await settled();
      expect((await events.next()).value?.data).toEqual({ n: 0 });
      expect(await failure(events.next())).toMatchObject({ code: 'ERR_QMP_EVENTS_DROPPED', count: 2 });
    });

    test('keeps the newest events with `drop`, and logs the number of dropped events', async () => {
      await using peer = new Peer();
      const entries: LogEntry[] = [];
      const vm = await connectPeer(peer, { log: (entry) => entries.push(entry) });
      const events = vm.events(['A'], { limit: 3, overflow: 'drop' });
      for (let n = 0; n < 10; n += 1) peer.event('A', { n });
      await settled();
      for (const n of [7, 8]) expect((await events.next()).value?.data).toEqual({ n });
      expect(entries).toEqual([{ level: 'warn', message: '7 events were dropped because they were not read in time' }]);
      for (let n = 10; n < 14; n += 1) peer.event('A', { n });
      await settled();
      await vm.close();
      for (const n of [11, 12, 13]) expect((await events.next()).value?.data).toEqual({ n });
      expect((await events.next()).done).toBe(true);
      expect(entries.slice(1)).toEqual([
        { level: 'warn', message: '2 events were dropped because they were not read in time' },
      ]);
    });

    test('also logs the number when it ends with `return`', async () => {
      await using peer = new Peer();
      const entries: LogEntry[] = [];
      await using vm = await connectPeer(peer, { log: (entry) => entries.push(entry) });
      const events = vm.events(['A'], { limit: 1, overflow: 'drop' });
      for (let n = 0; n < 3; n += 1) peer.event('A', { n });
      await settled();
      await events.return?.();
      expect(entries).toEqual([{ level: 'warn', message: '2 events were dropped because they were not read in time' }]);
    });

    test('keeps a thousand events by default', async () => {
      await using peer = new Peer();
      await using vm = await connectPeer(peer);
      await settled();
      const events = vm.events(['A']);
      for (let n = 0; n < 1001; n += 1) peer.event('A', { n });
      peer.on('x', {});
      await vm.execute('x');
      for (let n = 0; n < 1000; n += 1) expect((await events.next()).value?.data).toEqual({ n });
      expect(await failure(events.next())).toMatchObject({ code: 'ERR_QMP_EVENTS_DROPPED', count: 1 });
    });

    test.each(['throw', 'drop'] as const)('keeps fewer large events: %s', async (overflow) => {
      await using peer = new Peer();
      await using vm = await connectPeer(peer);
      const events = vm.events(['A'], { limit: 10, overflow });
      for (let n = 0; n < 10; n += 1) peer.event('A', { n, text: 'x'.repeat(10_000) });
      await settled();
      const kept = overflow === 'throw' ? [0, 1, 2] : [7, 8, 9];
      for (const n of kept) expect((await events.next()).value?.data['n']).toBe(n);
      if (overflow === 'throw') expect(await failure(events.next())).toMatchObject({ count: 7 });
    });

    test('can be read in linear time afterwards', { retry: 2 }, async () => {
      await using peer = new Peer();
      await using vm = await connectPeer(peer);
      await settled();
      const time = async (count: number): Promise<number> => {
        const events = vm.events(['A'], { limit: Infinity });
        peer.write('{"event": "A"}\n'.repeat(count));
        peer.on('x', {});
        await vm.execute('x');
        const begin = performance.now();
        for (let n = 0; n < count; n += 1) await events.next();
        await events.return?.();
        return performance.now() - begin;
      };
      await time(10_000);
      const once = await time(20_000);
      expect((await time(80_000)) / once).toBeLessThan(10);
    });
  });
});
