/** Runs that are killed, interrupted or refused space at any step, one after the other: what is there is old or new, and whole. */

import { execFile } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import fc from 'fast-check';
import { expect } from 'vitest';

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
    for (const { label, fault, step } of taken) await write(root, label, `${fault}:${step}`);
    // The next run of all finishes or undoes what they have left, and what it writes is there.
    await write(root, 'new');
    expect(filesIn(root)).toEqual(written('new'));
    for (const { label, fault, step } of taken) {
      const before = filesIn(root);
      await write(root, label, `${fault}:${step}`);
      // A run that is not killed leaves nothing behind, whatever happens to it.
      if (fault === 'SIGKILL') await write(root, label);
      expect([before, written(label)]).toContainEqual(filesIn(root));
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function write(root: string, label: string, fault?: string): Promise<void> {
  const env = { ...process.env, ...(fault !== undefined && { QAPI_TS_FAULT: fault }) };
  const args = ['--import', join(support, 'fault.mjs'), join(support, 'write-set.mjs'), root, label];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env }, () => resolve());
  });
}

/** What write-set.mjs writes. */
function written(label: string): Record<string, string> {
  return Object.fromEntries(['a/one', 'b/two', `only-${label}`, 'tree/inner/file'].map((path) => [path, label]));
}

function filesIn(root: string): Record<string, string> {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted();
  const files = paths.filter((path) => lstatSync(join(root, path)).isFile());
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}
