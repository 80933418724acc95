/** Consecutive runs that are killed, interrupted or out of space at any step. All files are old, or all are new. */

import { execFile } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import fc from 'fast-check';
import { beforeAll, expect } from 'vitest';

import { leftoversIn } from '../../generator/src/staged-write.js';
import { fuzz } from './fuzz.js';

const support = fileURLToPath(new URL('../support', import.meta.url));

interface Run {
  readonly label: 'old' | 'new';
  readonly fault: 'SIGKILL' | 'SIGTERM' | 'SIGINT' | 'ENOSPC' | 'EIO';
  /** The fault happens before this call, counted among those that change the file system. */
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
    // The next run completes or undoes what they left, and then writes its own files.
    await write(root, 'new');
    expect(filesIn(root)).toEqual(written('new'));
    for (const run of taken) {
      const before = filesIn(root);
      await writeWithFault(root, run);
      if (run.fault !== 'SIGKILL') {
        expect([before, written(run.label)]).toContainEqual(leftBy(run, root));
        if (!leftoversIn(root).length) continue;
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
}

const finished: End = { code: 0, signal: null, stderr: '' };

/** The minimum number of steps of a run, for signals and for errors: the files are up to date, and no stage is left. */
const fewest = { signal: 0, error: 0 };
beforeAll(async () => {
  const root = mkdtempSync(join(tmpdir(), 'qapi-ts-fuzz-'));
  const count = join(root, 'count');
  await write(root, 'old');
  for (const [kind, fault] of [['signal', 'SIGKILL:0'] as const, ['error', 'EIO:0'] as const]) {
    await start(root, 'old', fault, count);
    fewest[kind] = Number(readFileSync(count, 'utf8'));
    rmSync(count);
  }
  rmSync(root, { recursive: true });
});

async function write(root: string, label: string): Promise<void> {
  expect(await start(root, label)).toEqual(finished);
}

/** Expects that the run ends by the signal, or prints one line about the error, or has too few steps and succeeds. */
async function writeWithFault(root: string, { label, fault, step }: Run): Promise<void> {
  const isRecovering = leftoversIn(root).length > 0;
  const end = await start(root, label, `${fault}:${step}`);
  const isSignal = fault.startsWith('SIG');
  if (end.code === 0) {
    expect(end).toEqual(finished);
    // An error in the last step only prevents removal of the stage, as does one in removing the stage of an earlier run.
    if (isSignal || !isRecovering) expect(step).toBeGreaterThan(isSignal ? fewest.signal : fewest.error - 1);
    expect(leftBy({ fault }, root)).toEqual(written(label));
  } else if (isSignal) {
    expect(end).toEqual({ code: null, signal: fault, stderr: '' });
  } else {
    expect(end).toEqual({ code: 3, signal: null, stderr: expect.stringMatching(/^[^\n]+\n$/u) });
    expect(end.stderr).toContain(fault);
  }
}

function start(root: string, label: string, fault?: string, count?: string): Promise<End> {
  const env = {
    ...process.env,
    QAPI_TS_FAULT: fault ?? '',
    ...(count !== undefined && { QAPI_TS_FAULT_COUNT: count }),
  };
  const args = ['--import', join(support, 'fault.mjs'), join(support, 'write-set.mjs'), root, label];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { env }, (_error, _stdout, stderr) => {
      resolve({ code: child.exitCode, signal: child.signalCode, stderr });
    });
  });
}

/** Returns the files that write-set.mjs writes. Folders are null. */
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

/**
 * Returns the files left by a run that was not killed. It leaves no stage, unless the disk failed to confirm that the
 * stage's journal was removed; the next run then removes the stage.
 */
function leftBy({ fault }: Pick<Run, 'fault'>, root: string): Record<string, string | null> {
  if (fault.startsWith('SIG')) return filesIn(root);
  expect(leftoversIn(root).filter(({ isBegun }) => isBegun)).toEqual([]);
  return outsideStages(root);
}

function outsideStages(root: string): Record<string, string | null> {
  return Object.fromEntries(Object.entries(filesIn(root)).filter(([path]) => !path.startsWith('.qapi-ts-')));
}
