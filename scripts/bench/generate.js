#!/usr/bin/env node
// Compares a cold `qapi-ts generate` of QEMU's three schemas to QEMU's own compiler. Runs alternate.
// @ts-check
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const version = readFileSync(join(repository, 'schema/current'), 'utf8').trim();
const runs = 7;
const cli = join(repository, 'generator/bin/qapi-ts.js');
const roots = ['qapi/qapi-schema.json', 'qga/qapi-schema.json', 'storage-daemon/qapi/qapi-schema.json'];
const tree = join(repository, '.cache/qemu', version);

if (!existsSync(join(tree, 'scripts/qapi-gen.py')) || spawnSync('python3', ['--version']).status !== 0) {
  console.error(`This benchmark needs python3 and QEMU's compiler: run scripts/fetch-qemu ${version} first.`);
  process.exit(3);
}

const out = mkdtempSync(join(tmpdir(), 'qapi-ts-bench-'));
/** @type {(source: string) => string[][]} */
const qemu = (source) =>
  roots.map((root, index) => [
    'python3',
    join(tree, 'scripts/qapi-gen.py'),
    '-o',
    join(out, `qemu${index}`),
    join(source, root),
  ]);
/** @type {(...args: string[]) => string[]} */
const ours = (...args) => [process.execPath, cli, 'generate', ...args];
const contests = [
  {
    title: `schema/${version} (without documentation), one run for all three schemas`,
    ours: [ours('--qemu', version, '--out', join(out, 'facts'))],
    theirs: qemu(join(repository, 'schema', version)),
  },
  {
    title: `QEMU ${version} as released (with documentation), one run per schema`,
    ours: roots.map((root, index) => ours('--schema', join(tree, root), '--out', join(out, `docs${index}`))),
    theirs: qemu(tree),
  },
  {
    title: `check of up-to-date output, against generate`,
    ours: [[process.execPath, cli, 'check', '--qemu', version, '--out', join(out, 'facts')]],
    theirs: [ours('--qemu', version, '--out', join(out, 'facts'))],
  },
  {
    title: `the same with schemas that are not embedded, for which there are no receipts`,
    ours: roots.map((root, index) => [
      ...[process.execPath, cli, 'check', '--schema', join(tree, root), '--out', join(out, `docs${index}`)],
    ]),
    theirs: roots.map((root, index) => ours('--schema', join(tree, root), '--out', join(out, `docs${index}`))),
  },
];

try {
  for (const { title, ours: mine, theirs } of contests) {
    /** @type {{ wall: number, memory: number }[]} */
    const a = [];
    /** @type {{ wall: number, memory: number }[]} */
    const b = [];
    for (let index = 0; index < runs; index += 1) {
      a.push(await measure(mine));
      b.push(await measure(theirs));
    }
    console.log(`\n${title}; median of ${runs}:`);
    report(a, b);
  }
  console.log('\nCPU profile of the first:');
  shares();
} finally {
  rmSync(out, { recursive: true });
}

/** @param {{ wall: number, memory: number }[]} a @param {{ wall: number, memory: number }[]} b */
function report(a, b) {
  const wall = [a, b].map((all) => median(all.map((one) => one.wall)));
  const memory = [a, b].map((all) => median(all.map((one) => one.memory)));
  const [mine = 0, theirs = 1] = wall;
  console.log(
    `  time:   ${wall.map((ms) => `${(ms / 1000).toFixed(2)} s`).join(' vs. ')}, ratio ${(mine / theirs).toFixed(2)}`,
  );
  console.log(`  memory: ${memory.map((kb) => `${(kb / 1024).toFixed(0)} MB`).join(' vs. ')} at most`);
}

/** Runs commands in sequence. @param {string[][]} commands */
async function measure(commands) {
  const begin = performance.now();
  let memory = 0;
  for (const [command = '', ...args] of commands) memory = Math.max(memory, await run(command, args));
  return { wall: performance.now() - begin, memory };
}

/**
 * @param {string} command @param {string[]} args @returns {Promise<number>} the peak resident size in KB, from Linux's
 * /proc
 */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    let peak = 0;
    child.stderr.on('data', (chunk) => (errors += String(chunk)));
    const timer = setInterval(() => {
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/u.exec(status)?.[1] ?? 0));
      } catch {
        // The process has ended.
      }
    }, 10);
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(timer);
      if (code === 0) resolve(peak);
      else reject(new Error(`${command} ${args.join(' ')} failed: ${errors}`));
    });
  });
}

function shares() {
  const folder = join(out, 'profile');
  const [command = '', ...args] = ours('--qemu', version, '--out', join(out, 'facts'));
  spawnSync(command, ['--cpu-prof', `--cpu-prof-dir=${folder}`, ...args]);
  /** @type {Map<string, number>} */
  const times = new Map();
  for (const file of readdirSync(folder)) {
    const profile = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    /** @type {Map<number, { url: string, functionName: string }>} */
    const frames = new Map(profile.nodes.map((/** @type {any} */ node) => [node.id, node.callFrame]));
    profile.samples.forEach((/** @type {number} */ sample, /** @type {number} */ index) => {
      const pass = passOf(frames.get(sample) ?? { url: '', functionName: '' });
      times.set(pass, (times.get(pass) ?? 0) + profile.timeDeltas[index] / 1000);
    });
  }
  times.delete('idle');
  const total = [...times.values()].reduce((sum, ms) => sum + ms, 0);
  for (const [pass, ms] of [...times].toSorted(([, x], [, y]) => y - x)) {
    console.log(
      `  ${pass.padEnd(42)} ${ms.toFixed(0).padStart(5)} ms ${((ms / total) * 100).toFixed(0).padStart(3)} %`,
    );
  }
}

/** @param {{ url: string, functionName: string }} frame */
function passOf({ url, functionName }) {
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (functionName === '(idle)') return 'idle';
  if (url.includes('/dist/frontend/') || url.includes('/json5/')) return 'front end: text to model';
  if (url.includes('/dist/emit/')) return 'emitters: model to code';
  if (url.includes('/prettier/')) return 'prettier: lines';
  if (url.startsWith('node:') || url === '') return 'Node: start, loading modules, files';
  return 'other';
}

/** @param {number[]} values */
function median(values) {
  return values.toSorted((x, y) => x - y)[Math.floor(values.length / 2)] ?? 0;
}
