/** Generated files on disk: written whole or not at all, and compared. */

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { generatedMark } from './emit/package.js';

/** Files to be in one folder: texts by path relative to it. */
export interface Output {
  readonly folder: string;
  readonly files: ReadonlyMap<string, string>;
}

export interface Difference {
  readonly path: string;
  readonly problem: 'missing' | 'different' | 'not generated any more';
}

/** How what is on disk differs from what should be. Files that are not generated do not count. */
export function compare(outputs: readonly Output[]): Difference[] {
  return outputs.flatMap(({ folder, files }) => {
    const stale = [...files].flatMap(([name, text]): Difference[] => {
      const path = join(folder, name);
      const existing = readIfThere(path);
      if (existing === text) return [];
      return [{ path, problem: existing === undefined ? 'missing' : 'different' }];
    });
    return [
      ...stale,
      ...leftovers(folder, files).map((path) => ({ path, problem: 'not generated any more' as const })),
    ];
  });
}

/** Replaces what differs, and deletes what was generated and is not any more. Nothing changes unless everything could be written. */
export function write(outputs: readonly Output[]): void {
  const staged: { readonly from: string; readonly to: string }[] = [];
  const stages: string[] = [];
  try {
    for (const { folder, files } of outputs) {
      mkdirSync(folder, { recursive: true });
      // In the folder itself, so that it is on the same file system.
      const stage = mkdtempSync(join(folder, '.qapi-ts-'));
      stages.push(stage);
      for (const [name, text] of files) {
        const from = join(stage, name);
        mkdirSync(dirname(from), { recursive: true });
        writeFileSync(from, text);
        staged.push({ from, to: join(folder, name) });
      }
    }
    const old = outputs.flatMap(({ folder, files }) => leftovers(folder, files));
    for (const { from, to } of staged) {
      mkdirSync(dirname(to), { recursive: true });
      renameSync(from, to);
    }
    for (const path of old) rmSync(path);
  } finally {
    for (const stage of stages) rmSync(stage, { recursive: true, force: true });
  }
}

/** Files that an earlier run generated. */
function leftovers(folder: string, files: ReadonlyMap<string, string>): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ts') && !files.has(name))
    .map((name) => join(folder, name))
    .filter((path) => readIfThere(path)?.startsWith(generatedMark));
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
