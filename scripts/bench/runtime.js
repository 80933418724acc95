#!/usr/bin/env node
// Measures the runtime: against a minimal client (`bare-client.js`), against other clients where available, and on its
// own. `npm run bench:runtime` runs all sections; arguments select some (calls, others, events, exactness, connections,
// size).
// @ts-check
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

import { parse } from '../../runtime/dist/index.js';
import { connectBare } from './bare-client.js';
import { event, print, results } from './messages.js';
import { connectOurs } from './our-client.js';
import { median, table } from './report.js';
import { startServer } from './start-server.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(repository, '.cache/bench');
const runs = 7;
const sequentialCalls = 5000;
const pipelinedCalls = 100_000;
/** The numbers of concurrent calls. */
const depths = [1000, 20_000];
const events = 200_000;
const connections = 1000;
/** The number of commands that a monitor with out-of-band execution accepts at a time. */
const oobWindow = 8;

const sections = { calls, others, events: eventRates, exactness, connections: manyConnections, size };
const chosen = process.argv.slice(2);
console.log(`Node ${process.version}, median of ${runs} alternating runs`);
for (const [name, section] of Object.entries(sections)) {
  if (chosen.length === 0 || chosen.includes(name)) await section();
}

/** @typedef {{ execute(command: string, args?: object): Promise<any> }} Caller */
/** @typedef {(client: Caller, count: number) => Promise<void>} Task */

/** @param {Caller} client @param {number} count @param {string} [command] */
async function sequence(client, count, command = 'query-status') {
  for (let index = 0; index < count; index += 1) await client.execute(command);
}

/** @param {number} depth the number of concurrent calls @returns {Task} */
function pipeline(depth) {
  return async (client, count) => {
    for (let made = 0; made < count; made += depth) {
      await Promise.all(Array.from({ length: depth }, () => client.execute('query-status')));
    }
  };
}

async function calls() {
  const rows = [];
  for (const oob of [false, true]) {
    const server = await startServer({ oob });
    const ours = await connectOurs(server.path);
    const bare = await connectBare(server.path, oob ? oobWindow : Infinity);
    const how = oob ? ', with oob' : '';
    rows.push(await contest(`sequential${how}`, sequentialCalls, sequence, ours, bare));
    for (const depth of depths) {
      rows.push(await contest(`${depth} at once${how}`, pipelinedCalls, pipeline(depth), ours, bare));
    }
    await ours.close();
    bare.close();
    await server.stop();
  }
  table('query-status, against a bare loop', contestHead('calls', 'bare loop'), rows);
}

async function others() {
  const rows = [];
  const server = await startServer({ oob: false });
  const ours = await connectOurs(server.path);
  const module = await fetched('node-qemu@1.3.0', 'dist/index.mjs');
  if (module) {
    const theirs = new module.QMPClient({ socketPath: server.path });
    await theirs.connect();
    rows.push(await contest('node-qemu 1.3, sequential', sequentialCalls, sequence, ours, theirs));
    rows.push(await contest('node-qemu 1.3, 1000 at once', sequentialCalls, pipeline(1000), ours, theirs));
    await theirs.close();
  }
  const python = await pythonRates(server.path);
  if (python) {
    const mine = {
      sequential: await rateOf(sequence, ours, sequentialCalls),
      pipelined: await rateOf(pipeline(1000), ours, sequentialCalls),
    };
    for (const how of /** @type {const} */ (['sequential', 'pipelined'])) {
      const [a, b] = [mine[how], python[how]];
      const name = how === 'pipelined' ? '1000 at once' : how;
      rows.push([`qemu.qmp of Python, ${name}`, thousands(a), thousands(b), (a / b).toFixed(1), '', '']);
    }
  }
  await ours.close();
  await server.stop();
  if (rows.length > 0) table('query-status, against other clients', contestHead('calls', 'theirs'), rows);
}

async function eventRates() {
  const server = await startServer({ oob: false });
  const ours = await connectOurs(server.path);
  const bare = await connectBare(server.path);
  let seen = 0;
  const listener = () => void (seen += 1);
  ours.on(event.event, listener);
  bare.on(event.event, listener);
  /** @type {Task} */
  const flood = async (client, count) => {
    seen = 0;
    await client.execute('x-flood', { count: count / 1000 });
    if (seen !== count) throw new Error(`only ${seen} of ${count} events arrived`);
  };
  const row = await contest('to one listener', events, flood, ours, bare);
  await ours.close();
  bare.close();
  await server.stop();
  table('events, against a bare loop', contestHead('events', 'bare loop'), [row]);
}

/** Measures the cost of exact integers: compared to JSON.parse, and as a share of a round trip. */
async function exactness() {
  const server = await startServer({ oob: false });
  const ours = await connectOurs(server.path);
  const rows = [];
  const messages = [
    ...Object.entries(results).map(([command, result]) => ({
      name: command,
      command,
      message: { return: result, id: 1 },
    })),
    { name: `event ${event.event}`, command: undefined, message: event },
  ];
  for (const { name, command, message } of messages) {
    const text = print(message);
    const count = Math.ceil(20_000_000 / (text.length + 200));
    /** @type {number[]} */
    const exact = [];
    /** @type {number[]} */
    const native = [];
    for (let run = -1; run < runs; run += 1) {
      const times = [() => parse(text), () => JSON.parse(text)].map((task) => timeOf(task, count));
      // The first run is a warm-up.
      if (run >= 0) [exact, native].forEach((all, index) => all.push(times[index] ?? 0));
    }
    const [a, b] = [median(exact), median(native)];
    const row = [name, String(text.length), a.toFixed(2), b.toFixed(2), percent((a - b) / b)];
    if (command !== undefined) {
      const trips = Math.ceil(2_000_000 / (text.length + 1000));
      const trip = 1e6 / (await rateOf((client, times) => sequence(client, times, command), ours, trips));
      row.push(trip.toFixed(1), percent((a - b) / trip));
    }
    rows.push(row);
  }
  await ours.close();
  await server.stop();
  const head = ['message', 'bytes', 'exact µs', 'JSON.parse µs', 'more', 'round trip µs', 'share'];
  table('exact integers', head, rows);
}

/** Measures a process with as many connections as a host has virtual machines. */
function manyConnections() {
  const script = fileURLToPath(new URL('connections.js', import.meta.url));
  const rows = ['ours', 'bare'].map((who) => {
    const args = ['--expose-gc', script, who, String(connections)];
    const result = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
    const times = [result.connect, result.broadcast].map((ms) => `${ms.toFixed(1)} ms`);
    return [who, ...times, ...[result.heap, result.resident].map((bytes) => `${(bytes / 1024).toFixed(1)} KB`)];
  });
  table(`${connections} connections`, ['', 'to connect', 'to call all', 'heap each', 'resident each'], rows);
}

/** Measures the size of the runtime in a bundle. */
async function size() {
  const rows = [];
  for (const [name, without] of /** @type {const} */ ([
    ['all of it', ''],
    ['without launch', 'launch'],
  ])) {
    const entry = join(repository, 'runtime/dist/index.js');
    const names = Object.keys(await import(pathToFileURL(entry).href)).filter((exported) => exported !== without);
    const { outputFiles } = await build({
      stdin: { contents: `export { ${names.join(', ')} } from ${JSON.stringify(entry)};`, resolveDir: repository },
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      write: false,
    });
    const [bytes = new Uint8Array()] = outputFiles.map(({ contents }) => contents);
    rows.push([name, String(bytes.length), String(gzipSync(bytes, { level: 9 }).length)]);
  }
  table('size of a bundle in bytes', ['', 'minified', 'gzipped'], rows);
}

/**
 * Compares two clients, with alternating runs.
 *
 * @param {string} name @param {number} count @param {Task} task @param {Caller} ours @param {Caller} theirs
 * @returns {Promise<string[]>} a row of a table
 */
async function contest(name, count, task, ours, theirs) {
  /** @type {{ rate: number, cpu: number }[][]} */
  const measured = [[], []];
  for (let run = -1; run < runs; run += 1) {
    for (const [index, client] of [ours, theirs].entries()) {
      const one = await measure(task, client, count);
      // The first run is a warm-up.
      if (run >= 0) measured[index]?.push(one);
    }
  }
  const [a = 0, b = 0] = measured.map((all) => median(all.map(({ rate }) => rate)));
  const [x = 0, y = 0] = measured.map((all) => median(all.map(({ cpu }) => cpu)));
  return [name, thousands(a), thousands(b), (a / b).toFixed(2), x.toFixed(2), y.toFixed(2)];
}

/** @param {string} what @param {string} theirs */
function contestHead(what, theirs) {
  return ['', `ours, ${what}/s`, `${theirs}, ${what}/s`, 'ratio', 'ours, CPU µs', `${theirs}, CPU µs`];
}

/** @param {Task} task @param {Caller} client @param {number} count */
async function measure(task, client, count) {
  globalThis.gc?.();
  const cpu = process.cpuUsage();
  const begin = performance.now();
  await task(client, count);
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { rate: count / seconds, cpu: (user + system) / count };
}

/**
 * @param {Task} task @param {Caller} client @param {number} count @returns {Promise<number>} the median rate per second
 */
async function rateOf(task, client, count) {
  const rates = [];
  for (let run = -1; run < runs; run += 1) rates.push((await measure(task, client, count)).rate);
  return median(rates.slice(1));
}

/** @param {() => unknown} task @param {number} count @returns {number} µs per run */
function timeOf(task, count) {
  const begin = performance.now();
  for (let index = 0; index < count; index += 1) task();
  return ((performance.now() - begin) * 1000) / count;
}

/**
 * Imports a module of a package that is not a dependency. @param {string} specifier @param {string} file @returns
 * {Promise<any>}
 */
async function fetched(specifier, file) {
  const folder = join(cache, 'node_modules', specifier.slice(0, specifier.lastIndexOf('@')));
  try {
    if (!existsSync(folder)) {
      execFileSync('npm', ['install', '--no-save', '--ignore-scripts', '--prefix', cache, specifier], {
        stdio: 'pipe',
      });
    }
    return await import(pathToFileURL(join(folder, file)).href);
  } catch (error) {
    console.log(`\nCONTINUING WITHOUT ${specifier}, which npm cannot install: ${String(error).split('\n')[0]}`);
    return undefined;
  }
}

/** @param {string} path @returns {Promise<Record<'sequential' | 'pipelined', number> | undefined>} calls per second */
async function pythonRates(path) {
  const script = fileURLToPath(new URL('qmp_python.py', import.meta.url));
  const count = String(sequentialCalls / 5);
  try {
    return JSON.parse((await promisify(execFile)('python3', [script, path, count, count])).stdout);
  } catch (error) {
    const { stderr = '' } = /** @type {{ stderr?: string }} */ (error);
    const reason = stderr.trim().split('\n').at(-1) || String(error);
    console.log(
      `\nCONTINUING WITHOUT Python's qemu.qmp (set PYTHONPATH to the directory \`python\` of a QEMU tree): ${reason}`,
    );
    return undefined;
  }
}

/** @param {number} rate */
function thousands(rate) {
  return rate < 100_000 ? `${(rate / 1000).toFixed(1)} k` : `${(rate / 1000).toFixed(0)} k`;
}

/** @param {number} share */
function percent(share) {
  return `${(share * 100).toFixed(1)} %`;
}
