#!/usr/bin/env node
// Measures many connections in one process: `connections.js ours|bare COUNT`, with `--expose-gc`. Prints JSON:
// `connect` and `broadcast` in milliseconds, `heap` and `resident` in bytes per connection.
// @ts-check
import { setTimeout } from 'node:timers/promises';

import { connectBare } from './bare-client.js';
import { connectOurs } from './our-client.js';
import { liveHeap, median } from './report.js';
import { startServer } from './start-server.js';

const [who, count = ''] = process.argv.slice(2);
const connect = who === 'ours' ? connectOurs : (/** @type {string} */ path) => connectBare(path);
const server = await startServer({ oob: true });
const first = await connect(server.path);
await first.execute('query-status');
await setTimeout(100);

const before = { heap: liveHeap(), resident: process.memoryUsage.rss() };
const begin = performance.now();
const clients = await Promise.all(Array.from({ length: Number(count) }, () => connect(server.path)));
const connected = performance.now() - begin;
const heap = (liveHeap() - before.heap) / clients.length;
const resident = (process.memoryUsage.rss() - before.resident) / clients.length;

const broadcasts = [];
for (let run = 0; run < 7; run += 1) {
  const start = performance.now();
  await Promise.all(clients.map((client) => client.execute('query-status')));
  broadcasts.push(performance.now() - start);
}
console.log(JSON.stringify({ connect: connected, broadcast: median(broadcasts), heap, resident }));
for (const client of [first, ...clients]) await client.close();
await server.stop();
