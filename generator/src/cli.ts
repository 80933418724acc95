/** The command line. Only this module and those in `commands/` print or decide exit codes. */

import { Command, CommanderError } from 'commander';

import { checkCommand } from './commands/check.js';
import { exitCodes, type Print, type Subcommand } from './commands/command.js';
import { diffCommand } from './commands/diff.js';
import { driftCommand } from './commands/drift.js';
import { helpHint, reportFailure } from './commands/failures.js';
import { fetchCommand } from './commands/fetch.js';
import { generateCommand } from './commands/generate.js';
import { introspectCommand } from './commands/introspect.js';
import { lintCommand } from './commands/lint.js';
import { vendorCommand } from './commands/vendor.js';
import { versionsCommand } from './commands/versions.js';
import { FileError, reasonOf } from './errors.js';
import { generatorVersion } from './version.js';
import { printableLines } from './visible.js';

export { reportBug } from './commands/failures.js';

/** The subcommands by name, in the order of the help. */
const subcommands: Readonly<Record<string, Subcommand>> = {
  generate: generateCommand,
  check: checkCommand,
  lint: lintCommand,
  introspect: introspectCommand,
  vendor: vendorCommand,
  fetch: fetchCommand,
  versions: versionsCommand,
  diff: diffCommand,
  drift: driftCommand,
};

/**
 * Runs a command and returns its exit code.
 *
 * @param args the arguments, without the interpreter and the script
 */
export async function main(args: readonly string[]): Promise<number> {
  // If stderr fails, there is nowhere to report it.
  process.stderr.on('error', () => {});
  // Output is collected and written at the end, so that write errors affect the exit code.
  const stdout: string[] = [];
  const { run, hint } = parse(args, (text) => void stdout.push(text));
  let code = exitCodes.ok;
  const failures: unknown[] = [];
  try {
    code = await run();
  } catch (error) {
    failures.push(error);
  }
  // Even after a failure, write what was printed before it.
  try {
    await writeOut(stdout.join(''));
  } catch (error) {
    failures.push(error);
  }
  // If there are two failures, the first determines the exit code.
  return failures.map((failure) => reportFailure(failure, hint))[0] ?? code;
}

/** A parsed command line. */
interface Invocation {
  readonly run: () => number | Promise<number>;
  /** The last line of a usage error. */
  readonly hint: string;
}

function parse(args: readonly string[], print: Print): Invocation {
  let invocation: Invocation = { run: () => exitCodes.ok, hint: helpHint() };
  const program = new Command('qapi-ts')
    .description("The QAPI schema compiler for TypeScript: generates typed QMP clients from QEMU's schemas.")
    .version(generatorVersion())
    .showHelpAfterError(helpHint())
    // Allows a subcommand to have its own --version.
    .enablePositionalOptions()
    .configureOutput({ writeOut: print, outputError: (text, write) => write(printableLines(text)) })
    .exitOverride();
  for (const [name, { declare, run }] of Object.entries(subcommands)) {
    const hint = helpHint(name);
    declare(program.command(name))
      .showHelpAfterError(hint)
      .action((...parsed: unknown[]) => {
        invocation = { hint, run: () => run(print, ...(parsed as never[])) };
      });
  }
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    // Commander reports its errors itself. It throws after `--help` and `--version`, too.
    if (!(error instanceof CommanderError)) throw error;
    const code = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    invocation = { hint: helpHint(), run: () => code };
  }
  return invocation;
}

/** @throws FileError */
async function writeOut(text: string): Promise<void> {
  if (text === '') return;
  const error = await new Promise<unknown>((resolve) => {
    // The error is also emitted as an event, which would end the process if unhandled.
    process.stdout.on('error', resolve);
    process.stdout.write(text, resolve);
  });
  // EPIPE is not a failure: a reader such as `head` may close the pipe early.
  if (!error || (error as NodeJS.ErrnoException).code === 'EPIPE') return;
  throw new FileError(`cannot write to stdout: ${reasonOf(error)}`, { cause: error });
}
