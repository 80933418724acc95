/** Runs a property with new input until its time is up, and verifies that nothing is left behind in the process. */

import { readdirSync } from 'node:fs';

import fc from 'fast-check';
import { expect, test, vi } from 'vitest';

const firstSeed = Number(process.env['QAPI_TS_FUZZ_SEED'] ?? 1);
const milliseconds = Number(process.env['QAPI_TS_FUZZ_MILLISECONDS'] ?? 1000);

/** How much the live heap may grow, in bytes. This includes code that V8 compiles in the meantime. */
const allowedGrowth = 24 * 1024 * 1024;
/** The number of batches before the heap is first measured: by then, everything has been used once. */
const warmUp = 3;

/** The time limit of a batch, including shrinking, in milliseconds. */
const longestBatch = 60_000;

type Property = fc.IProperty<unknown> | fc.IAsyncProperty<unknown>;

export interface FuzzOptions {
  /** The number of cases in a batch; 100 by default. Each batch has its own seed. */
  readonly batch?: number;
  /** The number by which the file's time is divided, because other targets in the file share it. */
  readonly share?: number;
}

export function fuzz(title: string, property: Property, { batch = 100, share = 1 }: FuzzOptions = {}): void {
  const duration = milliseconds / share;
  test(title, { timeout: duration + 120_000 }, async () => {
    const problems: unknown[] = [];
    const note = (problem: unknown): void => void problems.push(problem);
    process.on('unhandledRejection', note).on('uncaughtException', note);
    const prototypes = shapeOfPrototypes();
    const listeners = listenersOf(process);
    const end = performance.now() + duration;
    let cases = 0;
    let batches = 0;
    let left = leftovers();
    let heap = 0;

    while (performance.now() < end || batches <= warmUp) {
      const seed = (firstSeed + batches) % 2 ** 31;
      const details = await fc.check(property as fc.IAsyncProperty<unknown>, {
        seed,
        numRuns: batch,
        // Shrinking a failure of slow cases would take longer than the test may.
        plugins: [fc.interruptAfterTimeLimit(longestBatch)],
      });
      if (details.failed) {
        throw new Error(`${await fc.asyncDefaultReportMessage(details)}\nTo reproduce it: --seed ${seed}`, {
          cause: details.errorInstance,
        });
      }
      cases += details.numRuns;
      batches += 1;
      if (batches === warmUp) {
        heap = liveHeap();
        left = leftovers();
      }
      expect(problems, `unhandled, with seed ${seed}`).toEqual([]);
      expect(shapeOfPrototypes(), `polluted, with seed ${seed}`).toEqual(prototypes);
    }

    await vi.waitFor(() => expect(moreThan(left, leftovers())).toEqual({}), { timeout: 5000 });
    expect(listenersOf(process)).toEqual(listeners);
    expect(liveHeap() - heap, 'growth of the heap').toBeLessThan(allowedGrowth);
    process.off('unhandledRejection', note).off('uncaughtException', note);
    console.log(`${title}: ${cases} cases in ${(duration / 1000).toFixed(0)} s, seeds from ${firstSeed}`);
  });
}

function liveHeap(): number {
  for (let turn = 0; turn < 3; turn += 1) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Returns the number of resources of each kind that keep the process running, and of open file descriptors. */
function leftovers(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  // The test runner also has timers and immediates, which come and go. `Timers` in world.ts tracks those of the client.
  for (const name of ['Timeout', 'Immediate', 'CloseReq', 'FSReqCallback']) delete counts[name];
  if (process.platform === 'linux') counts['descriptors'] = readdirSync('/proc/self/fd').length;
  return counts;
}

/** Returns the counts that have grown. The test runner also has resources, and may release some at any time. */
function moreThan(before: Record<string, number>, now: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(now).filter(([name, count]) => count > (before[name] ?? 0)));
}

function listenersOf(emitter: NodeJS.EventEmitter): Record<string, number> {
  return Object.fromEntries(emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]));
}

function shapeOfPrototypes(): PropertyKey[][] {
  return [Object, Array, Function, Map, Set, Promise].map(({ prototype }) => Reflect.ownKeys(prototype));
}
