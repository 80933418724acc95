/** A server that does whatever it likes: every call ends, nothing is left, and nothing is thrown where nobody could catch it. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';

import { struct } from '../../runtime/src/index.js';
import type { Protocol } from '../../runtime/src/session.js';
import { agent, connectPeer, connectTo, failure, monitor, settled, type AnyClient } from '../support/client.js';
import { Peer, type PeerRequest } from '../support/peer.js';

afterEach(() => void vi.useRealTimers());

/** A client, a server, and what goes on between them. */
class World {
  readonly peer: Peer;
  readonly waiting: PeerRequest[] = [];
  readonly aborts: AbortController[] = [];
  /** What has to end: how often it was begun, and how often it ended. */
  begun = 0;
  ended = 0;
  vm: AnyClient | undefined;
  #iterator: AsyncIterator<unknown> | undefined;

  constructor(kind: 'monitor' | 'agent', oob: boolean) {
    this.peer = new Peer({ kind, oob });
    for (const command of ['call', 'set_password']) this.peer.on(command, (request) => void this.waiting.push(request));
  }

  begin(promise: Promise<unknown> | undefined): void {
    if (!promise) return;
    this.begun += 1;
    const end = (): void => void (this.ended += 1);
    promise.then(end, end);
  }

  call(options: object): void {
    this.begin(this.vm?.execute('call', { n: 1 }, options));
  }

  abortable(): AbortSignal {
    const abort = new AbortController();
    this.aborts.push(abort);
    return abort.signal;
  }

  get iterator(): AsyncIterator<unknown> | undefined {
    return (this.#iterator ??= this.vm?.events(['A', 'B'], { limit: 10 })[Symbol.asyncIterator]());
  }
}

/** What either side may do, with a number for what there is to choose. */
const actions: Record<string, (world: World, n: number) => unknown> = {
  // The client
  call: (world) => world.call({}),
  burst: (world) => Array.from({ length: 20 }, () => world.call({})),
  callWithTimeout: (world, n) => world.call({ timeout: n % 5 }),
  callWithSignal: (world) => world.call({ signal: world.abortable() }),
  callOutOfBand: (world) => world.call({ oob: true, signal: world.abortable() }),
  callUntil: (world, n) => world.call({ until: ['A', 'B'], timeout: 10 + (n % 10), where: () => n % 3 > 0 }),
  callUntilAndThrow: (world) =>
    world.call({
      until: ['A'],
      timeout: 20,
      where: () => {
        throw new Error('mine');
      },
    }),
  callWithSecret: (world) => world.begin(world.vm?.execute('set_password', { password: 'x' })),
  callWithNonsense: (world) => world.begin(world.vm?.execute('call', { n: NaN })),
  abort: (world) => world.aborts.shift()?.abort(),
  next: (world) => world.begin(world.iterator?.next()),
  leave: (world) => world.begin(world.iterator?.return?.()),
  listen: (world) =>
    world.vm?.on('*', () => {
      throw new Error('mine');
    }),
  callFromListener: (world) => world.vm?.once('A', () => world.call({ timeout: 5 })),
  closeFromListener: (world) => world.vm?.once('B', () => world.begin(world.vm?.close())),
  close: (world, n) => n % 5 === 0 && world.begin(world.vm?.close()),
  // The server
  answer: (world, n) => world.waiting.splice(n % 8, 1)[0]?.return({ n }),
  answerAll: (world) =>
    world.waiting
      .splice(0)
      .toReversed()
      .forEach((request) => request.return(1)),
  fail: (world, n) => world.waiting.splice(n % 3, 1)[0]?.fail('x'.repeat(n % 100)),
  failWithoutId: ({ peer }) => peer.send({ error: { class: 'GenericError', desc: 'what?' } }),
  answerWithoutId: ({ peer }) => peer.send({ return: {} }),
  answerTwice: (world) => [1, 2].map(() => world.waiting[0]?.return()),
  answerAnything: ({ peer }, n) => peer.send({ return: n, id: n % 40 }),
  answerOddly: ({ peer }, n) =>
    peer.write(`{"return": 1, "id": ${['null', '"1"', '1.5', '{}', '1e999', '[[]]', '2'][n % 7]}}\n`),
  event: ({ peer }, n) => peer.event(n % 2 === 0 ? 'A' : 'B', { n }),
  flood: ({ peer }) => peer.write('{"event": "A"}\r\n'.repeat(500)),
  oddEvent: ({ peer }, n) => peer.send({ event: ['*', 'disconnected', '__proto__', ''][n % 4] ?? '', data: null }),
  greetAgain: ({ peer }) => peer.greet(),
  prototype: ({ peer }) =>
    peer.write('{"__proto__": {"return": 1}, "id": 2, "event": "A", "data": {"__proto__": {"x": 1}}}\n'),
  pause: ({ peer }) => peer.socket.pause(),
  resume: ({ peer }) => peer.socket.resume(),
  half: ({ peer }, n) => n % 3 === 0 && peer.write('{"return": {"a": "b'.slice(0, n % 20)),
  blank: ({ peer }) => peer.write('\r\n \n\n'),
  // Its end, which should not come too often
  garbage: ({ peer }, n) =>
    n % 7 === 0 && peer.write(Buffer.from(Array.from({ length: n % 100 }, (_, at) => (at * n * 31) % 256))),
  noMessage: ({ peer }, n) => n % 7 === 0 && peer.write(['[]\n', 'null\n', '{}\n', '"x"\n', '}{\n'][n % 5] ?? ''),
  long: ({ peer }, n) => n % 7 === 0 && peer.write(`{"return": "${'x'.repeat(20_000)}"`),
  deep: ({ peer }, n) => n % 7 === 0 && peer.write(`{"return": ${'['.repeat(3000)}${']'.repeat(3000)}}\n`),
  delimiter: ({ peer }, n) => n % 5 === 0 && peer.write(Buffer.from(`\xff{"return": ${n}}\n`, 'latin1')),
  end: ({ peer }, n) => n % 9 === 0 && peer.end(),
  reset: ({ peer }, n) => n % 9 === 0 && peer.reset(),
  break: ({ peer }, n) => n % 9 === 0 && peer.client.destroy(new Error('EIO')),
};

describe('whatever happens', () => {
  const step = fc.record({
    action: fc.constantFrom(...Object.keys(actions)),
    n: fc.nat(1000),
    /** How long until the next: in the same moment, in the same turn, when all has arrived, or later. */
    pause: fc.constantFrom('none', 'microtask', 'settled', 'later'),
  });

  test.each(['monitor', 'agent'] as const)('a %s leaves every call ended, and nothing else', async (kind) => {
    const problems: unknown[] = [];
    const note = (problem: unknown): void => void problems.push(problem);
    process.on('unhandledRejection', note).on('uncaughtException', note);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, oob) => {
        const world = new World(kind, oob);
        const stream = world.peer.stream();
        const listeners = counts(stream);
        const protocol = kind === 'agent' ? agent : monitor;
        const vm = await connectTo(stream, { log: () => {}, trace: () => {}, messageLimit: 10_000 }, protocol);
        world.vm = vm;
        for (const { action, n, pause } of steps) {
          actions[action]?.(world, n);
          if (pause === 'microtask') await Promise.resolve();
          if (pause === 'settled') await settled();
          if (pause === 'later') await vi.advanceTimersByTimeAsync(n % 10);
        }
        await settled();
        world.begin(vm.close());
        await settled();
        await vi.advanceTimersByTimeAsync(10_000);
        await settled();

        expect(world.ended).toBe(world.begun);
        expect(vi.getTimerCount()).toBe(0);
        expect(stream.destroyed).toBe(true);
        expect(counts(stream)).toEqual(listeners);
        expect(problems).toEqual([]);
        expect(await failure(vm.execute('call'))).toMatchObject({ code: 'ERR_QMP_NOT_SENT' });
        await world.peer[Symbol.asyncDispose]();
      }),
      { numRuns: 1500 },
    );
    process.off('unhandledRejection', note).off('uncaughtException', note);
  });

  test('while connecting, that ends in time, too', async () => {
    const opening = fc.array(
      fc.oneof(
        fc.constantFrom(
          '{"QMP": {"version": {}, "capabilities": []}}\r\n',
          '{"QMP": {"version": {}, "capabilities": ["oob"]}}\r\n',
          '{"event": "A"}\r\n',
          '{"return": {}, "id": 1}\r\n',
          '{"error": {}, "id": 1}\r\n',
          '{"error": {}}\r\n',
          '{"QMP": 1}\n',
          '{"QMP',
          '\r\n',
          '\xff{"return": 1}\n',
        ),
        fc.string({ unit: 'binary', maxLength: 20 }),
      ),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(
        opening,
        fc.constantFrom(monitor, agent),
        fc.constantFrom('stay', 'end', 'reset'),
        async (texts, protocol, end) => {
          await using peer = new Peer({ greets: false });
          peer.on('qmp_capabilities', () => {});
          const stream = peer.stream();
          const listeners = counts(stream);
          const connecting = connectTo(stream, { connectTimeout: 5 }, protocol).then(
            (vm) => vm.close(),
            (error: { code: string }) => expect(['ERR_QMP_CONNECT', 'ERR_QMP_PROTOCOL']).toContain(error.code),
          );
          for (const text of texts) peer.write(Buffer.from(text, protocol === agent ? 'latin1' : 'utf8'));
          if (end === 'end') peer.end();
          if (end === 'reset') peer.reset();
          await connecting;
          await settled();
          expect(stream.destroyed).toBe(true);
          expect(counts(stream)).toEqual(listeners);
        },
      ),
      { numRuns: 200 },
    );
  });

  function counts(stream: NodeJS.EventEmitter): Record<string, number> {
    const names = ['data', 'drain', 'error', 'end', 'close', 'readable', 'finish'];
    return Object.fromEntries(names.map((name) => [name, stream.listenerCount(name)]));
  }
});

test('no resource is left of many clients', async () => {
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
    // Those of the test runner come and go.
    return { PipeWrap: counted['PipeWrap'] ?? 0, TCPSocketWrap: counted['TCPSocketWrap'] ?? 0 };
  }
});

describe('memory is bounded', () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;

  /** By how many megabytes the heap has grown. */
  async function growth(run: () => Promise<void>): Promise<number> {
    gc();
    const before = process.memoryUsage();
    await run();
    await settled();
    gc();
    // What is outside the heap goes a little later.
    await settled();
    gc();
    const after = process.memoryUsage();
    const sum = ({ heapUsed, external }: NodeJS.MemoryUsage): number => heapUsed + external;
    return (sum(after) - sum(before)) / 1e6;
  }

  /** Makes calls and gives them up, with arguments that would be seen if they were kept. */
  async function giveUp(vm: AnyClient, count: number): Promise<void> {
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
    ['with it', true],
  ])('when a server never answers, %s', async (_, oob) => {
    await using peer = new Peer({ oob });
    await using vm = await connectPeer(peer);
    peer.on('hangs', () => {});
    await giveUp(vm, 1000);
    peer.forget();
    expect(
      await growth(async () => {
        await giveUp(vm, 10_000);
        peer.forget();
      }),
    ).toBeLessThan(6);
  });

  test('when a server does not even read', async () => {
    await using peer = new Peer({ oob: true });
    await using vm = await connectPeer(peer);
    peer.socket.pause();
    await giveUp(vm, 1000);
    expect(await growth(() => giveUp(vm, 10_000))).toBeLessThan(3);
    peer.reset();
  });

  test('when an agent never answers', async () => {
    await using peer = new Peer({ kind: 'agent' });
    await using ga = await connectPeer(peer, {}, agent);
    peer.on('hangs', () => {});
    peer.on('guest-sync-delimited', () => {});
    await giveUp(ga, 1000);
    peer.forget();
    expect(
      await growth(async () => {
        await giveUp(ga, 10_000);
        peer.forget();
      }),
    ).toBeLessThan(3);
  });

  test('when iterators are left, and calls waited for events', async () => {
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

  test('when unknown names are long, and told', async () => {
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

  test('when events flood whoever does not read', async () => {
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
