/** A slow guest agent. It executes one command at a time, like QEMU's, and does not echo ids, like old ones. */

import type { Duplex } from 'node:stream';

import fc from 'fast-check';
import { expect, vi } from 'vitest';

import { agent, connectTo, failure, settled } from './client.js';
import { duplexPair } from './duplex-pair.js';

interface Request {
  readonly execute: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
}

class SlowAgent {
  /** How long each of the next commands takes, in milliseconds. The last delay applies to all further commands. */
  readonly delays: number[];
  readonly executed: Request[] = [];
  readonly #stream: Duplex;
  #text = '';
  #last = Promise.resolve();

  constructor(stream: Duplex, delays: readonly number[]) {
    this.#stream = stream;
    this.delays = [...delays];
    stream.on('data', (chunk: Buffer) => this.#receive(chunk.toString('latin1'))).on('error', () => {});
  }

  #receive(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) this.#last = this.#last.then(() => this.#take(line));
  }

  async #take(line: string): Promise<void> {
    const [garbage, ...others] = line.split('\xff');
    const isDelimited = others.length > 0;
    if (isDelimited) this.#fail(`JSON parse error, ${garbage}`);
    const request = JSON.parse(others.at(-1) ?? line) as Request;
    this.executed.push(request);
    const delay = (this.delays.length > 1 ? this.delays.shift() : this.delays[0]) ?? 0;
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    if (request.execute === 'guest-sync-delimited') this.#send(`\xff{"return": ${String(request.arguments?.['id'])}}`);
    else if (request.execute === 'fail') this.#fail(`call ${String(request.arguments?.['call'])}`);
    else if (request.execute === 'call') this.#send(`{"return": {"call": ${String(request.arguments?.['call'])}}}`);
    else if (request.arguments?.['fails'] === true) this.#fail('guest-shutdown failed');
  }

  #fail(desc: string): void {
    this.#send(JSON.stringify({ error: { class: 'GenericError', desc } }));
  }

  #send(line: string): void {
    if (!this.#stream.destroyed) this.#stream.write(Buffer.from(`${line}\n`, 'latin1'));
  }
}

type Step =
  | { readonly kind: 'call' | 'fail'; readonly timeout: number }
  | { readonly kind: 'guest-shutdown'; readonly fails: boolean; readonly timeout: number }
  | { readonly kind: 'wait'; readonly time: number };

/** A property: each call receives its own result or error, even if other calls time out or have no reply. */
export function slowAgent(): fc.IAsyncProperty<unknown> {
  const timeout = fc.oneof(fc.constant(60_000), fc.nat(3000));
  const step = fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ kind: fc.constantFrom('call', 'fail'), timeout }),
    fc.record({ kind: fc.constant('guest-shutdown'), fails: fc.boolean(), timeout }),
    fc.record({ kind: fc.constant('wait'), time: fc.nat(2000) }),
  );
  const delays = fc.array(fc.oneof(fc.constant(0), fc.nat(5), fc.nat(2500)), { minLength: 1, maxLength: 12 });
  return fc
    .asyncProperty(fc.array(step, { maxLength: 15 }), delays, async (steps, taken) => {
      const [ours, theirs] = duplexPair();
      const peer = new SlowAgent(theirs, [0, ...taken]);
      const ga = await connectTo(ours, { connectTimeout: 100_000 }, agent);
      const problems: string[] = [];
      let waiting = 0;
      const expectOwn = (call: number, promise: Promise<unknown>, isExpected: (outcome: unknown) => boolean): void => {
        waiting += 1;
        const take = (outcome: unknown): void => {
          waiting -= 1;
          const { code } = outcome as { code?: string };
          if (code === 'ERR_QMP_TIMEOUT' || code === 'ERR_QMP_NOT_SENT' || isExpected(outcome)) return;
          problems.push(`call ${call}: ${code ?? ''} ${String(outcome)} ${JSON.stringify(outcome)}`);
        };
        promise.then(take, take);
      };
      for (const [call, one] of steps.entries()) {
        if (one.kind === 'wait') {
          await vi.advanceTimersByTimeAsync(one.time);
        } else if (one.kind === 'guest-shutdown') {
          const promise = ga.execute(one.kind, { call, fails: one.fails }, { timeout: one.timeout });
          const isExpected = (outcome: unknown): boolean =>
            outcome instanceof Error ? one.fails && outcome.message.endsWith('guest-shutdown failed') : true;
          expectOwn(call, promise, isExpected);
        } else {
          const promise = ga.execute(one.kind, { call }, { timeout: one.timeout });
          const isExpected = (outcome: unknown): boolean =>
            one.kind === 'fail'
              ? outcome instanceof Error && outcome.message === `fail: call ${call}`
              : (outcome as { call?: number }).call === call;
          expectOwn(call, promise, isExpected);
        }
      }
      await vi.advanceTimersByTimeAsync(120_000);
      await settled();
      expect(problems).toEqual([]);
      expect(waiting).toBe(0);
      // The client is usable again.
      peer.delays.splice(0, peer.delays.length, 0);
      const again = ga.execute('call', { call: -1 });
      await vi.advanceTimersByTimeAsync(5000);
      expect(await again).toEqual({ call: -1 });

      const closing = ga.close();
      await vi.advanceTimersByTimeAsync(10_000);
      await closing;
      expect(vi.getTimerCount()).toBe(0);
      expect(await failure(ga.execute('call'))).toMatchObject({ code: 'ERR_QMP_NOT_SENT' });
    })
    .beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
    .afterEach(() => void vi.useRealTimers());
}
