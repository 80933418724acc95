/** With hostile servers, every call settles, nothing is left behind, and no exception goes uncaught. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';

import { struct } from '../../runtime/src/index.js';
import type { Protocol } from '../../runtime/src/session.js';
import { agent, connectPeer, connectTo, failure, monitor, settled, type AnyClient } from '../support/client.js';
import { Peer } from '../support/peer.js';
import { whateverHappens, whateverOpens } from '../support/world.js';

afterEach(() => void vi.useRealTimers());

describe('whatever happens', () => {
  test.each([
    { what: 'a monitor', kind: 'monitor', ids: true },
    { what: 'an agent', kind: 'agent', ids: true },
    { what: 'an old agent', kind: 'agent', ids: false },
  ] as const)('every call to $what settles, and nothing is left behind', async ({ kind, ids }) => {
    const problems: unknown[] = [];
    const note = (problem: unknown): void => void problems.push(problem);
    process.on('unhandledRejection', note).on('uncaughtException', note);
    await fc.assert(whateverHappens(kind, ids), { numRuns: 1500 });
    expect(problems).toEqual([]);
    process.off('unhandledRejection', note).off('uncaughtException', note);
  });

  test('connecting ends in time, and nothing is left behind', async () => {
    await fc.assert(whateverOpens(), { numRuns: 200 });
  });
});

test('many clients leave no resource behind', async () => {
  await using peer = new Peer();
  peer.on('x', 1);
  peer.on('hangs', () => {});
  const address = await peer.listenUnix();
  const before = resources();
  for (let n = 0; n < 20; n += 1) {
    const vm = await connectTo(address, { reconnect: true });
    const events = vm.events(['A']);
    await Promise.all([vm.execute('x'), failure(vm.execute('hangs', {}, { timeout: 1, until: ['A'] }))]);
    if (n % 2 === 0) peer.reset();
    else await events.return?.();
    await vm.close();
  }
  await vi.waitFor(() => expect(resources()).toEqual(before));

  function resources(): Record<string, number> {
    const counted: Record<string, number> = {};
    for (const name of process.getActiveResourcesInfo()) counted[name] = (counted[name] ?? 0) + 1;
    // The test runner's own resources come and go.
    return { PipeWrap: counted['PipeWrap'] ?? 0, TCPSocketWrap: counted['TCPSocketWrap'] ?? 0 };
  }
});

describe('memory is bounded', () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;

  /** Returns by how many megabytes the heap grows. */
  async function growth(run: () => Promise<void>): Promise<number> {
    gc();
    const before = process.memoryUsage();
    await run();
    await settled();
    gc();
    // Memory outside the heap is released later.
    await settled();
    gc();
    const after = process.memoryUsage();
    const sum = ({ heapUsed, external }: NodeJS.MemoryUsage): number => heapUsed + external;
    return (sum(after) - sum(before)) / 1e6;
  }

  /** Makes and aborts calls. Their arguments are so large that it would be noticed if they were kept. */
  async function makeAndAbort(vm: AnyClient, count: number): Promise<void> {
    for (let n = 0; n < count; n += 100) {
      const abort = new AbortController();
      const calls = Array.from({ length: 100 }, (_, index) =>
        vm.execute('hangs', { text: `${n + index}`.padEnd(2000) }, { signal: abort.signal }).catch(() => {}),
      );
      await Promise.resolve();
      if (n % 1000 === 0) await settled();
      abort.abort();
      await Promise.all(calls);
    }
  }

  test.each([
    ['without out-of-band execution', false],
    ['with out-of-band execution', true],
  ])('when a server never answers, %s', async (_, oob) => {
    await using peer = new Peer({ oob });
    await using vm = await connectPeer(peer);
    peer.on('hangs', () => {});
    await makeAndAbort(vm, 1000);
    peer.forget();
    expect(
      await growth(async () => {
        await makeAndAbort(vm, 10_000);
        peer.forget();
      }),
    ).toBeLessThan(6);
  });

  test('when a server does not read', async () => {
    await using peer = new Peer({ oob: true });
    await using vm = await connectPeer(peer);
    peer.socket.pause();
    await makeAndAbort(vm, 1000);
    expect(await growth(() => makeAndAbort(vm, 10_000))).toBeLessThan(3);
    peer.reset();
  });

  test('when an agent never answers', async () => {
    await using peer = new Peer({ kind: 'agent' });
    await using ga = await connectPeer(peer, {}, agent);
    peer.on('hangs', () => {});
    peer.on('guest-sync-delimited', () => {});
    await makeAndAbort(ga, 1000);
    peer.forget();
    expect(
      await growth(async () => {
        await makeAndAbort(ga, 10_000);
        peer.forget();
      }),
    ).toBeLessThan(3);
  });

  test('with abandoned iterators, and calls that waited for events', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x', (request) => {
      request.return();
      peer.event('A');
    });
    const { signal } = new AbortController();
    const use = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n += 1) {
        const events = vm.events(['A', 'B'], { signal });
        await vm.execute('x', {}, { until: ['A', 'B'], signal, timeout: 60_000 });
        await events.return?.();
      }
      peer.forget();
    };
    await use(100);
    expect(await growth(() => use(3000))).toBeLessThan(2);
  });

  test('when unknown names are long and logged', async () => {
    await using peer = new Peer();
    const protocol = {
      ...monitor,
      validators: { commands: {}, events: { E: struct(() => ({})) } },
    } as unknown as Protocol;
    await using vm = await connectPeer(peer, {}, protocol);
    peer.on('x', {});
    const send = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n += 1) peer.event('E', { [`${n}`.padStart(200, 'x') + 'y'.repeat(3_000_000)]: 1 });
      await vm.execute('x');
    };
    await send(1);
    expect(await growth(() => send(20))).toBeLessThan(10);
  });

  test('when a message was large', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x', ({ id }) => {
      peer.write(`{"return": "${'x'.repeat(20_000_000)}"`);
      peer.write(`, "id": ${JSON.stringify(id)}}\n`);
    });
    const length = async (): Promise<void> => expect(await vm.execute('x')).toHaveLength(20_000_000);
    expect(await growth(length)).toBeLessThan(3);
  });

  test('when events flood a slow reader', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    const readers = [vm.events(['A']), vm.events(['A'], { overflow: 'drop' })];
    peer.on('x', {});
    const flood = '{"event": "A", "data": {"text": "0123456789"}}\r\n'.repeat(10_000);
    peer.write(flood);
    await vm.execute('x');
    expect(
      await growth(async () => {
        for (let n = 0; n < 5; n += 1) peer.write(flood);
        await vm.execute('x');
      }),
    ).toBeLessThan(3);
    for (const reader of readers) await reader.return?.();
  });
});
