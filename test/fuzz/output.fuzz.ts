/** Runs that are killed, interrupted or refused space at any step, one after the other: what is there is old or new, and whole. */

import { execFile } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import fc from 'fast-check';
import { expect } from 'vitest';

import { leftoversIn } from '../../generator/src/staged-write.js';
import { fuzz } from './fuzz.js';

const support = fileURLToPath(new URL('../support', import.meta.url));

interface Run {
  readonly label: 'old' | 'new';
  readonly fault: 'SIGKILL' | 'SIGTERM' | 'SIGINT' | 'ENOSPC' | 'EIO';
  /** Before which call that changes the file system it happens. */
  readonly step: number;
}

const runs = fc.array(
  fc.record<Run>({
    label: fc.constantFrom('old', 'new'),
    fault: fc.constantFrom('SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT', 'ENOSPC', 'EIO'),
    step: fc.integer({ min: 1, max: 70 }),
  }),
  { minLength: 1, maxLength: 4 },
);

fuzz('output', fc.asyncProperty(runs, isOldOrNew), { batch: 1 });

async function isOldOrNew(taken: readonly Run[]): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'qapi-ts-fuzz-'));
  try {
    await write(root, 'old');
    for (const run of taken) {
      await writeWithFault(root, run);
      const isBegun = leftoversIn(root).some((leftover) => leftover.isBegun);
      if (!isBegun) expect([written('old'), written('new')]).toContainEqual(outsideStages(root));
    }
    // The next run of all finishes or undoes what they have left, and what it writes is there.
    await write(root, 'new');
    expect(filesIn(root)).toEqual(written('new'));
    for (const run of taken) {
      const before = filesIn(root);
      await writeWithFault(root, run);
      // A run that is not killed leaves nothing behind, whatever happens to it.
      if (run.fault !== 'SIGKILL') {
        expect([before, written(run.label)]).toContainEqual(filesIn(root));
        continue;
      }
      await write(root, run.label);
      expect(filesIn(root)).toEqual(written(run.label));
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** How many steps there were, unless it was killed. */
  readonly steps: number;
}

const finished = { code: 0, signal: null, stderr: '' };

async function write(root: string, label: string): Promise<void> {
  expect(await run(root, label)).toMatchObject(finished);
}

/** It finishes when it has fewer steps. Otherwise it ends by the signal, or says in a line what has failed. */
async function writeWithFault(root: string, { label, fault, step }: Run): Promise<void> {
  const end = await run(root, label, `${fault}:${step}`);
  if (fault.startsWith('SIG')) {
    const isOver = end.signal === null && end.steps < step;
    expect(end).toMatchObject(isOver ? finished : { code: null, signal: fault, stderr: '' });
  } else if (end.steps < step) expect(end).toMatchObject(finished);
  else {
    expect(end).toMatchObject({ code: 3, signal: null });
    expect(end.stderr).toMatch(new RegExp(`^.*${fault}.*\\n$`, 'u'));
  }
}

function run(root: string, label: string, fault?: string): Promise<End> {
  const counts = mkdtempSync(join(tmpdir(), 'qapi-ts-fuzz-'));
  const count = join(counts, 'count');
  const env = { ...process.env, QAPI_TS_FAULT_COUNT: count, ...(fault !== undefined && { QAPI_TS_FAULT: fault }) };
  const args = ['--import', join(support, 'fault.mjs'), join(support, 'write-set.mjs'), root, label];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { env }, (_error, _stdout, stderr) => {
      const steps = existsSync(count) ? Number(readFileSync(count, 'utf8')) : NaN;
      rmSync(counts, { recursive: true });
      resolve({ code: child.exitCode, signal: child.signalCode, stderr, steps });
    });
  });
}

/** What write-set.mjs writes. Folders have no text. */
function written(label: string): Record<string, string | null> {
  const files = Object.fromEntries(['a/one', 'b/two', `only-${label}`, 'tree/inner/file'].map((path) => [path, label]));
  return { a: null, b: null, tree: null, 'tree/inner': null, ...files };
}

function filesIn(root: string): Record<string, string | null> {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    paths.map((path) => {
      const full = join(root, path);
      return [path, lstatSync(full).isFile() ? readFileSync(full, 'utf8') : null];
    }),
  );
}

function outsideStages(root: string): Record<string, string | null> {
  return Object.fromEntries(Object.entries(filesIn(root)).filter(([path]) => !path.startsWith('.qapi-ts-')));
}
