import { main } from '../../generator/src/cli.js';
import { vi } from 'vitest';

import type { Ended } from './command.js';

/** Runs the command line in this process, which takes a tenth of the time of another one. */
export async function runMain(args: readonly string[], cwd: string): Promise<Ended> {
  const streams = [process.stdout, process.stderr] as const;
  const listeners = streams.map((stream) => stream.listeners('error'));
  const [stdout, stderr] = streams.map((stream) => {
    const texts: string[] = [];
    const write = (text: unknown, ...others: unknown[]): boolean => {
      texts.push(String(text));
      const done = others.at(-1);
      if (typeof done === 'function') done();
      return true;
    };
    vi.spyOn(stream, 'write').mockImplementation(write);
    return texts;
  });
  const directory = process.cwd();
  process.chdir(cwd);
  try {
    const status = await main(args);
    return { status, stdout: stdout?.join('') ?? '', stderr: stderr?.join('') ?? '' };
  } finally {
    process.chdir(directory);
    vi.restoreAllMocks();
    for (const [index, stream] of streams.entries()) {
      const added = stream.listeners('error').filter((one) => !listeners[index]?.includes(one));
      for (const listener of added) stream.off('error', listener as () => void);
    }
  }
}
