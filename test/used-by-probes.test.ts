/** Counts the changes that `--used-by` finds, misses, and reports falsely, in programs generated from schemas. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { formatUse } from '../generator/src/diff/change.js';
import { diff } from '../generator/src/diff/compare.js';
import { wireOf } from '../generator/src/diff/wire.js';
import { emitPackage } from '../generator/src/emit/package.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import { usedBy } from '../generator/src/used-by/used-by.js';
import { repository } from './support/compile.js';
import { mayMeet, probeHeader, probesOf, titleOf } from './support/probes.js';
import { scratchFolder } from './support/scratch.js';

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const embedded = (version: string): string => join(repository, 'schema', version, 'qapi/qapi-schema.json');
const pairs = [
  { from: '5.2', strict: true, oldRoot: embedded('5.2.0'), to: '7.2', newRoot: embedded('7.2.0') },
  { from: '7.2', strict: true, oldRoot: embedded('7.2.0'), to: '10.0', newRoot: embedded('10.0.13') },
  { from: '10.0', strict: true, oldRoot: embedded('10.0.13'), to: '10.2', newRoot: embedded('10.2.2') },
  { from: '10.2', strict: true, oldRoot: embedded('10.2.2'), to: '11.1', newRoot: embedded('11.1.1') },
  // Without strict checks, the compiler finds less.
  { from: '10.0', strict: false, oldRoot: embedded('10.0.13'), to: '10.2', newRoot: embedded('10.2.2') },
];

interface Outcome {
  readonly title: string;
  readonly verdict: string;
  readonly meets: boolean;
  readonly isReported: boolean;
  /** Other reported changes that are not on the probe's path. */
  readonly others: readonly string[];
}

async function probe(name: string, strict: boolean, oldRoot: string, newRoot: string): Promise<Outcome[]> {
  const [old, newer] = [loadSchema(oldRoot), loadSchema(newRoot)];
  const wires = { old: wireOf(old), newer: wireOf(newer) };
  const changes = diff(wires.old, wires.newer);
  const probes = probesOf(changes, old, wires);
  const home = join(folder, `${name}-${strict}`);
  mkdirSync(join(home, 'probed'), { recursive: true });
  const files = emitPackage(old, { origin: name, generator: '0', docs: false });
  for (const [file, text] of files) writeFileSync(join(home, 'probed', file), text);
  const lines = probes.map(({ text }, index) => `export async function probe${index}(): Promise<void> { ${text} }`);
  writeFileSync(join(home, 'program.ts'), `${probeHeader}\n${lines.join('\n')}\n`);
  const compilerOptions = {
    strict,
    target: 'ES2022',
    lib: ['ES2022', 'ESNext.Disposable'],
    module: 'ESNext',
    moduleResolution: 'Bundler',
    types: [],
    paths: { '@qapi-ts/runtime': [join(repository, 'runtime/dist/index.d.ts')], probed: ['./probed/index.ts'] },
  };
  writeFileSync(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
  const commands = new Set(wires.old.commands.keys());
  const { usedBy: found } = await usedBy({ changes, commands, old, new: newer }, home);
  return probes.map((one, index) => {
    const places = found.touched.get(one.change) ?? [];
    const isReported = places.some(({ line }) => line === index + 2);
    const others = [...found.touched]
      .filter(
        ([change, at]) => change !== one.change && at.some(({ line }) => line === index + 2) && !mayMeet(one, change),
      )
      .map(
        ([
          {
            text,
            uses: [use],
          },
        ]) => `${formatUse(use)}: ${text}`,
      );
    return { title: `${titleOf(one)}: ${one.text}`, verdict: one.change.verdict, meets: one.meets, isReported, others };
  });
}

describe.each(pairs)('from $from to $to, strict: $strict', ({ from, strict, oldRoot, to, newRoot }) => {
  let outcomes: Outcome[];
  const of = (verdict: string, meets: boolean): Outcome[] =>
    outcomes.filter((one) => one.verdict === verdict && one.meets === meets);
  const titles = (some: readonly Outcome[]): string[] => some.map(({ title }) => title);
  beforeAll(async () => {
    outcomes = await probe(from, strict, oldRoot, newRoot);
    const figures = (verdict: string): string => {
      const [all, others] = [of(verdict, true), of(verdict, false)];
      const count = (some: readonly Outcome[]): number => some.filter(({ isReported }) => isReported).length;
      return `${verdict}: ${count(all)} of ${all.length} found, ${count(others)} of ${others.length} false`;
    };
    console.info(`probes of ${from} to ${to}: ${figures('breaking')}; ${figures('notable')}`);
  }, 120_000);

  test('finds every breaking change, in every kind of use', () => {
    expect(of('breaking', true).length).toBeGreaterThan(0);
    expect(titles(of('breaking', true).filter(({ isReported }) => !isReported))).toEqual([]);
  });

  test('finds at least 95 percent of the notable changes', () => {
    const missed = of('notable', true).filter(({ isReported }) => !isReported);
    expect(missed.length, titles(missed).join('\n')).toBeLessThanOrEqual(of('notable', true).length * 0.05);
  });

  test('reports no change that the probe does not use', () => {
    expect(titles(outcomes.filter(({ meets, isReported }) => !meets && isReported))).toEqual([]);
    expect(outcomes.flatMap(({ title, others }) => others.map((other) => `${other}: by ${title}`))).toEqual([]);
  });
});
