#!/usr/bin/env node
// A stress test: calls that are aborted at random, events, and connections that break. `npm run soak`. Fails if a call
// is not settled or has an unexpected outcome, if an event is missing or out of order, if memory grows, or if a
// leftover handle keeps the process alive.
// @ts-check
import assert from 'node:assert/strict';

import { QmpError } from '../../runtime/dist/index.js';
import { connectOurs } from './our-client.js';
import { liveHeap, table } from './report.js';
import { startServer } from './start-server.js';

const connections = 100;
/** The number of loads per connection. Another load, as large as all of them together, is cut off in the middle. */
const loads = 10;
const callsOfLoad = 100;
const eventsOfLoad = 1000;
/** The number of connections before memory is first measured. */
const warmUp = 10;
/** In bytes. */
const allowedGrowth = 512 * 1024;
/** The time limit of every step, in milliseconds. */
const patience = 20_000;

const name = 'BLOCK_JOB_READY';
const counts = { calls: 0, events: 0, read: 0, dropped: 0 };
/** The number of calls by outcome. @type {Record<string, number>} */
const outcomes = {};
/** Unexpected log entries, including errors of listeners. @type {string[]} */
const problems = [];
/** @type {number[]} */
const heaps = [];
let nextEvent = 0;

const begin = performance.now();
const server = await startServer({ oob: true });
const vm = await connectOurs(server.path, { reconnect: { initialDelay: 1, maxDelay: 20 }, log: takeLog });
vm.on(name, (event) => {
  assert.equal(event.data.offset, nextEvent, 'an event is missing, or out of order');
  nextEvent += 1;
  counts.events += 1;
});

for (let connection = 1; connection <= connections; connection += 1) {
  nextEvent = 0;
  const reading = read();
  for (let load = 0; load < loads; load += 1) {
    const calls = [tally(vm.execute('x-emit', { count: eventsOfLoad })), ...callsSomehow(callsOfLoad - 1)];
    await inTime(Promise.all(calls), 'settle the calls');
  }
  const half = (loads * callsOfLoad) / 2;
  const reconnected = new Promise((resolve) => vm.once('reconnected', resolve));
  const calls = [...callsSomehow(half - 1), tally(vm.execute('x-drop')), ...callsSomehow(half)];
  await inTime(Promise.all(calls), 'settle the calls of a broken connection');
  await inTime(reading, 'end the iteration');
  await inTime(reconnected, 'reconnect');
  if (connection === warmUp || connection === connections) heaps.push(liveHeap());
}
await vm.close();
await server.stop();

const [first = 0, last = 0] = heaps;
const seconds = (performance.now() - begin) / 1000;
const rows = [
  ['calls', String(counts.calls)],
  ...Object.entries(outcomes).map(([outcome, count]) => [`  ${outcome}`, String(count)]),
  ['events', String(counts.events)],
  ['  read by iteration', String(counts.read)],
  ['  dropped there, and reported', String(counts.dropped)],
  [`heap after ${warmUp} connections`, `${(first / 1024).toFixed(0)} KB`],
  [`heap after ${connections} connections`, `${(last / 1024).toFixed(0)} KB`],
];
table(`Node ${process.version}, ${connections} connections in ${seconds.toFixed(0)} s`, ['', ''], rows);
const settled = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
assert.deepEqual(problems, []);
assert.equal(counts.calls, connections * loads * callsOfLoad * 2);
assert.equal(settled, counts.calls, 'a call was not settled');
assert.equal(counts.events, connections * loads * eventsOfLoad, 'events are missing');
assert.equal(counts.read + counts.dropped, counts.events, 'events are missing in iteration');
assert.ok(last - first < allowedGrowth, `the heap grew by ${last - first} bytes`);
setTimeout(() => {
  console.error(`The process is kept alive by: ${process.getActiveResourcesInfo().join(', ')}`);
  process.exit(1);
}, 5000).unref();

/** @param {number} count */
function callsSomehow(count) {
  return Array.from({ length: count }, () => tally(callSomehow()));
}

/** @returns {Promise<unknown>} */
function callSomehow() {
  const chance = Math.random();
  const soon = Math.random() * 4;
  if (chance < 0.5) return vm.execute('query-status');
  if (chance < 0.6) return vm.execute('query-block', {}, { timeout: patience });
  if (chance < 0.65) return vm.execute('query-status', {}, { until: [/** @type {never} */ (name)], timeout: soon });
  if (chance < 0.75) return vm.execute('x-later', { delay: Math.random() * 2 }, { timeout: soon });
  const controller = new AbortController();
  if (chance < 0.8) controller.abort();
  else if (chance < 0.85) queueMicrotask(() => controller.abort());
  else if (chance < 0.9) setImmediate(() => controller.abort());
  else setTimeout(() => controller.abort(), soon);
  return vm.execute(chance < 0.95 ? 'query-status' : 'x-later', { delay: 1 }, { signal: controller.signal });
}

/** @param {Promise<unknown>} call */
async function tally(call) {
  counts.calls += 1;
  let outcome = 'result';
  try {
    await call;
  } catch (error) {
    if (!(error instanceof QmpError)) throw error;
    outcome = error.code;
  }
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}

/** Reads events too slowly, until the connection breaks. */
async function read() {
  let next = 0;
  try {
    for await (const event of vm.events([name], { limit: 100, overflow: 'drop' })) {
      assert.ok(Number(event.data.offset) >= next, 'an event is out of order');
      next = Number(event.data.offset) + 1;
      counts.read += 1;
      if (next % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.fail('the iteration ended without an error');
  } catch (error) {
    assert.equal(error instanceof QmpError && error.code, 'ERR_QMP_CONNECTION_LOST', String(error));
  }
}

/** @param {import('../../runtime/dist/index.js').LogEntry} entry */
function takeLog({ level, message, error }) {
  const dropped = /^(\d+) events were dropped/u.exec(message)?.[1];
  counts.dropped += Number(dropped ?? 0);
  const detail = error instanceof Error ? error.message : '';
  if (dropped === undefined && (level === 'warn' || level === 'error')) problems.push(`${message} ${detail}`);
}

/** @param {Promise<unknown>} promise @param {string} what */
async function inTime(promise, what) {
  const timer = setTimeout(() => {
    console.error(`Timed out: ${what}.`);
    process.exit(1);
  }, patience);
  await promise;
  clearTimeout(timer);
}
