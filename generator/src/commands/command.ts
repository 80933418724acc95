/** The interface between the command line and its commands. */

import { Option, type Command } from 'commander';

import { didYouMean } from '../suggest.js';
import { printable } from '../visible.js';

/** Exit codes are part of the contract with users' scripts. `internal` is EX_SOFTWARE in sysexits.h. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, io: 3, internal: 70 };

/** Prints to stdout. The text is written when the command ends. */
export type Print = (text: string) => void;

export interface Subcommand {
  /** Declares the arguments and options. */
  readonly declare: (command: Command) => Command;
  /** Runs the command and returns its exit code. The parameters are the parsed arguments, followed by the options. */
  readonly run: (print: Print, ...args: never[]) => number | Promise<number>;
}

/** Returns the option `-D`, which can be repeated. */
export function defineOption(): Option {
  return new Option('-D, --define <name>', 'a condition that holds, such as CONFIG_LINUX; repeatable')
    .argParser((value: string, previous: readonly string[]) => [...previous, value])
    .default([], 'all conditions hold');
}

/** Warns about names that occur in no condition: a misspelled name would remove more than intended. */
export function warnOfUnknown(define: readonly string[], conditions: Iterable<string>): void {
  const known = new Set(conditions);
  for (const name of define.filter((candidate) => !known.has(candidate))) {
    process.stderr.write(`warning: no condition mentions '${printable(name)}'${printable(didYouMean(name, known))}\n`);
  }
}
