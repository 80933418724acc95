#!/usr/bin/env node
// Compares the generated package's validators to other libraries and to hand-written checks: `npm run bench:validate`.
// All have to agree on what is valid. Each runs in its own process, in turns.
// @ts-check
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { median, table } from './report.js';
import { rows } from './values.js';

const rounds = 9;
/** The minimum duration of a turn. */
const milliseconds = 40;
/** The contenders, with the Node options that they run with. */
const contenders = {
  ours: [],
  'no code generation': ['--disallow-code-generation-from-strings'],
  'hand-written': [],
  ajv: [],
  'ajv, discriminator': [],
  typebox: [],
  zod: [],
};
const names = Object.keys(contenders);

console.log(`Node ${process.version}, median of ${rounds} rounds`);
await compareVerdicts();
await measure();

/** Ends the process if contenders disagree where they should not. */
async function compareVerdicts() {
  /** @type {string[]} */
  const wrong = [];
  /** @type {Set<string>} */
  const limits = new Set();
  for (const name of names) {
    const contender = await start(name);
    for (const { row, change, expected, edge } of await contender.ask('mistakes')) {
      const mistake = `${name} ${expected ? 'refuses' : 'accepts'} ${change}`;
      if (edge) limits.add(mistake);
      else wrong.push(`${mistake}, in ${row}`);
    }
    contender.stop();
  }
  if (wrong.length > 0) {
    console.error(`\nWrong verdicts, so nothing is measured:\n  ${wrong.join('\n  ')}`);
    process.exit(1);
  }
  const count = rows.reduce((sum, { bad, good }) => sum + 1 + bad.length + good.length, 0);
  console.log(`\nAll agree on ${count} valid and invalid values. Some misjudge 64-bit integers:\n`);
  for (const text of limits) console.log(`  ${text}`);
}

async function measure() {
  const processes = [];
  for (const name of names) processes.push(await start(name));
  /** In milliseconds, by contender and row. @type {number[][]} */
  const starts = [];
  for (const contender of processes) starts.push(await contender.ask('starts'));
  /** Checks per second, by contender, row and round. @type {number[][][]} */
  const rates = processes.map(() => rows.map(() => []));
  for (let round = -1; round < rounds; round += 1) {
    for (const row of rows.keys()) {
      for (const [index, contender] of processes.entries()) {
        const rate = await contender.ask({ row, milliseconds });
        // The first round is a warm-up.
        if (round >= 0) rates[index]?.[row]?.push(rate);
      }
    }
  }
  for (const contender of processes) contender.stop();
  reportRates(rates);
  reportStarts(starts);
}

/** @param {number[][][]} rates */
function reportRates(rates) {
  const ratios = rates.map((ofRows) =>
    ofRows.map((ofRounds, row) => median(ofRounds.map((rate, round) => rate / (rates[0]?.[row]?.[round] ?? NaN)))),
  );
  const cells = rows.map(({ name }, row) => [
    name,
    ...rates.map(
      (ofRows, index) => `${short(median(ofRows[row] ?? []))} (${(ratios[index]?.[row] ?? NaN).toFixed(2)})`,
    ),
  ]);
  table('checks per second (and relative to ours)', ['', ...names], cells);
  console.log();
  for (const rival of ['ajv', 'ajv, discriminator']) compare(`floor, as fast as ${rival}`, rival, 1);
  compare('target, half as fast as hand-written', 'hand-written', 2);

  /** @param {string} title @param {string} rival @param {number} limit */
  function compare(title, rival, limit) {
    const missed = rows.filter((_, row) => (ratios[names.indexOf(rival)]?.[row] ?? NaN) > limit);
    console.log(`${title}: ${missed.length === 0 ? 'met' : `missed by ${missed.map(({ name }) => name).join(', ')}`}`);
  }
}

/** @param {number[][]} starts */
function reportStarts(starts) {
  const cells = rows.map(({ name }, row) => [name, ...starts.map((ofRows) => (ofRows[row] ?? NaN).toFixed(2))]);
  table('milliseconds until the first check is done, measured once, in this order', ['', ...names], cells);
}

/** @param {string} name */
async function start(name) {
  const child = fork(fileURLToPath(new URL('contender.js', import.meta.url)), [name], {
    execArgv: contenders[/** @type {keyof typeof contenders} */ (name)],
  });
  child.on('exit', (code) => {
    if (code !== null && code !== 0) process.exit(code);
  });
  await once(child, 'message');
  return {
    /** @param {string | { row: number, milliseconds: number }} question @returns {Promise<any>} */
    ask: async (question) => {
      child.send(question);
      return (await once(child, 'message'))[0];
    },
    stop: () => void child.kill(),
  };
}

/** @param {number} rate */
function short(rate) {
  if (rate >= 1e6) return `${(rate / 1e6).toPrecision(3)} M`;
  return rate >= 1e4 ? `${(rate / 1e3).toPrecision(3)} k` : rate.toFixed(0);
}
