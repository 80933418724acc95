/** Temporary directories within the repository, from where its packages resolve. */

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { repository } from './compile.js';

export const scratchRoot = join(repository, '.cache/tests');

/** Creates a directory, which the caller removes. Removes those of runs that were killed. */
export function scratchFolder(): string {
  mkdirSync(scratchRoot, { recursive: true });
  const dead = readdirSync(scratchRoot).filter((name) => !isRunning(Number.parseInt(name, 10)));
  for (const name of dead) rmSync(join(scratchRoot, name), { recursive: true, force: true });
  return mkdtempSync(join(scratchRoot, `${process.pid}-`));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
