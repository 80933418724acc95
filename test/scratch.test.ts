import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { scratchFolder, scratchRoot } from './support/scratch.js';

test('temporary directories of killed runs are removed by the next one, and those of others are not', () => {
  const ended = spawnSync(process.execPath, ['--version']).pid;
  const [left, used] = [ended, process.ppid].map((pid) => join(scratchRoot, `${pid}-test`));
  for (const path of [left, used]) mkdirSync(join(path ?? '', 'program'), { recursive: true });
  const folder = scratchFolder();
  expect([left, used, folder].map((path) => existsSync(path ?? ''))).toEqual([false, true, true]);
  for (const path of [used, folder]) rmSync(path ?? '', { recursive: true });
});
