import { execFile } from 'node:child_process';

import type { Ended } from './command.js';

/** Runs a program without blocking this process, which may be a server for it. */
export function runAsync(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, ...env }, timeout: 25_000 };
    execFile(program, args, options, (error, stdout, stderr) => {
      const status = typeof error?.code === 'number' ? error.code : null;
      resolve({ status: error === null ? 0 : status, stdout, stderr });
    });
  });
}
