/** A client and a server that both take arbitrary steps. */

import { createHook } from 'node:async_hooks';

import fc from 'fast-check';
import { expect, vi } from 'vitest';

import { Peer, type PeerRequest } from './peer.js';
import { agent, connectTo, failure, monitor, settled, type AnyClient } from './client.js';

/** Identifies the call that a reply was meant for. */
interface Mark {
  /** The number of the call, if the server replied to a call. */
  readonly call?: number;
  /** The id of the reply, if the server made it up. */
  readonly id?: unknown;
}

/** A client, a server, and the state of their conversation. */
export class World {
  readonly peer: Peer;
  readonly waiting: PeerRequest[] = [];
  readonly aborts: AbortController[] = [];
  /** The number of promises that were created, and how often one has settled. */
  begun = 0;
  ended = 0;
  /** Results that belong to another call. */
  readonly strays: unknown[] = [];
  vm: AnyClient | undefined;
  /** The ids of the calls that the server has received, by number of the call. */
  readonly #ids = new Map<number, unknown>();
  #calls = 0;
  #iterator: AsyncIterator<unknown> | undefined;

  constructor(kind: 'monitor' | 'agent', { oob = false, ids = true }: { oob?: boolean; ids?: boolean } = {}) {
    this.peer = new Peer({ kind, oob, ids });
    for (const command of ['call', 'set_password', 'guest-shutdown']) {
      this.peer.on(command, (request) => {
        this.#ids.set(Number(request.arguments?.['call']), request.id);
        this.waiting.push(request);
      });
    }
  }

  begin(promise: Promise<unknown> | undefined): void {
    if (!promise) return;
    this.begun += 1;
    const end = (): void => void (this.ended += 1);
    promise.then(end, end);
  }

  /** Makes a call, and records a result that belongs to another call. */
  call(options: object, command = 'call', args: object = {}): void {
    this.#calls += 1;
    const call = this.#calls;
    const calling = this.vm?.execute(command, { call, ...args }, options);
    this.begin(calling?.then((outcome) => void (this.#isOwn(call, outcome) || this.strays.push(outcome))));
  }

  abortable(): AbortSignal {
    const abort = new AbortController();
    this.aborts.push(abort);
    return abort.signal;
  }

  get iterator(): AsyncIterator<unknown> | undefined {
    return (this.#iterator ??= this.vm?.events(['A', 'B'], { limit: 10 })[Symbol.asyncIterator]());
  }

  #isOwn(call: number, outcome: unknown): boolean {
    const { result = outcome } = (outcome ?? {}) as { result?: unknown };
    const mark = (result ?? {}) as Mark;
    if (mark.call === call) return true;
    if (mark.id === undefined) return false;
    // A server may guess the id of a request that it has not read.
    return this.#ids.has(call) ? mark.id === this.#ids.get(call) : ![...this.#ids.values()].includes(mark.id);
  }
}

/** Sends a request's own result. */
export function answer(request: PeerRequest | undefined): void {
  request?.return({ call: Number(request.arguments?.['call']) });
}

/** What either side may do, given a number that makes the choices. */
export const actions: Readonly<Record<string, (world: World, n: number) => unknown>> = {
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
  callWithSecret: (world) => world.call({}, 'set_password', { password: 'x' }),
  callWithNonsense: (world) => world.call({}, 'call', { n: NaN }),
  callWithoutReply: (world) => world.begin(world.vm?.execute('guest-shutdown')),
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
  answer: (world, n) => answer(world.waiting.splice(n % 8, 1)[0]),
  answerAll: (world) => world.waiting.splice(0).toReversed().forEach(answer),
  fail: (world, n) => world.waiting.splice(n % 3, 1)[0]?.fail('x'.repeat(n % 100)),
  failWithoutId: ({ peer }) => peer.send({ error: { class: 'GenericError', desc: 'what?' } }),
  failToParse: ({ peer }) => peer.send({ error: { class: 'GenericError', desc: 'JSON parse error, invalid' } }),
  answerWithoutId: ({ peer }) => peer.send({ return: {} }),
  answerTwice: (world) => [1, 2].map(() => answer(world.waiting[0])),
  answerAnything: ({ peer }, n) => peer.send({ return: { id: n % 40 }, id: n % 40 }),
  answerOddly: ({ peer }, n) => {
    const id = ['null', '"1"', '1.5', '{}', '1e999', '[[]]', '2'][n % 7];
    peer.write(`{"return": {"id": ${id}}, "id": ${id}}\n`);
  },
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
  // What ends the connection, which should not happen too often
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

export interface Step {
  readonly action: string;
  readonly n: number;
  /** When the next step follows: synchronously, in a microtask, after all messages have arrived, or later. */
  readonly pause: 'none' | 'microtask' | 'settled' | 'later';
}

export const steps = fc.array(
  fc.record<Step>({
    action: fc.constantFrom(...Object.keys(actions)),
    n: fc.nat(1000),
    pause: fc.constantFrom('none', 'microtask', 'settled', 'later'),
  }),
  { maxLength: 40 },
);

/** What a monitor or an agent sends first. */
export const openings = fc.array(
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

/**
 * A property: whatever both sides do, every promise settles once, no call receives the result of another, and nothing
 * is left behind. Agents may omit ids, so the replies of a hostile agent cannot be attributed to calls.
 */
export function whateverHappens(kind: 'monitor' | 'agent', ids: boolean): fc.IAsyncProperty<unknown> {
  return fc
    .asyncProperty(steps, fc.boolean(), async (taken, oob) => {
      const world = new World(kind, { oob, ids });
      const stream = world.peer.stream();
      const listeners = counts(stream);
      const protocol = kind === 'agent' ? agent : monitor;
      const vm = await connectTo(stream, { log: () => {}, trace: () => {}, messageLimit: 10_000 }, protocol);
      world.vm = vm;
      for (const { action, n, pause } of taken) {
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
      if (kind === 'monitor') expect(world.strays).toEqual([]);
      expect(vi.getTimerCount()).toBe(0);
      expect(stream.destroyed).toBe(true);
      expect(counts(stream)).toEqual(listeners);
      expect(await failure(vm.execute('call'))).toMatchObject({ code: 'ERR_QMP_NOT_SENT' });
      await world.peer[Symbol.asyncDispose]();
    })
    .beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
    .afterEach(() => void vi.useRealTimers());
}

/** A property: whatever a peer sends first, connecting ends in time, and nothing is left behind. */
export function whateverOpens(): fc.IAsyncProperty<unknown> {
  return fc.asyncProperty(
    openings,
    fc.constantFrom(monitor, agent),
    fc.constantFrom('stay', 'end', 'reset'),
    async (texts, protocol, end) => {
      await using peer = new Peer({ greets: false });
      peer.on('qmp_capabilities', () => {});
      const stream = peer.stream();
      const listeners = counts(stream);
      using timers = new Timers();
      const connecting = connectTo(stream, { connectTimeout: 5 }, protocol).then(
        (vm) => vm.close(),
        (error: { code: string }) => expect(['ERR_QMP_CONNECT', 'ERR_QMP_PROTOCOL']).toContain(error.code),
      );
      for (const text of texts) peer.write(Buffer.from(text, protocol === agent ? 'latin1' : 'utf8'));
      if (end === 'end') peer.end();
      if (end === 'reset') peer.reset();
      await connecting;
      expect(await timers.left()).toEqual([]);
      expect(stream.destroyed).toBe(true);
      expect(counts(stream)).toEqual(listeners);
    },
  );
}

/** Tracks the timers and immediates that the client creates. Those of the test runner come and go. */
export class Timers implements Disposable {
  /** The stack of each creation. */
  readonly #live = new Map<number, string>();
  readonly #hook = createHook({
    init: (id, type) => {
      if (type !== 'Timeout' && type !== 'Immediate') return;
      const { stack = '' } = new Error(type);
      if (/[/\\]runtime[/\\]src[/\\]/u.test(stack)) this.#live.set(id, stack);
    },
    destroy: (id) => void this.#live.delete(id),
  }).enable();

  /** Returns the live ones. Ended ones are reported only a few turns later. */
  async left(): Promise<string[]> {
    await settled();
    return [...this.#live.values()];
  }

  [Symbol.dispose](): void {
    this.#hook.disable();
  }
}

function counts(stream: NodeJS.EventEmitter): Record<string, number> {
  const names = ['data', 'drain', 'error', 'end', 'close', 'readable', 'finish'];
  return Object.fromEntries(names.map((name) => [name, stream.listenerCount(name)]));
}
