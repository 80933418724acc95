/** The command line. No other module prints or decides exit codes. */

import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';

import { Command, CommanderError, Option } from 'commander';

import { conditionNames, conditionTest } from './condition.js';
import { SchemaError, formatDiagnostic } from './diagnostic.js';
import type { DriftOptions } from './diff/drift.js';
import {
  formatReport,
  formats,
  isPast,
  notesOnIntrospections,
  thresholds,
  type Format,
  type Report,
  type Threshold,
} from './diff/report.js';
import type { ServerName } from './diff/input.js';
import { schemaFolder, servers } from './embedded.js';
import { describeSystemError, FileError, InterruptError, reasonOf, ServerError, UsageError } from './errors.js';
import { dialectOf, newestDialect } from './frontend/dialect.js';
import { loadSchema } from './frontend/load.js';
import type * as generateModule from './generate.js';
import type { Generated, GenerateOptions } from './generate.js';
import { introspect } from './introspect.js';
import { optional } from './optional.js';
import type * as outputModule from './output.js';
import type * as receiptsModule from './receipts.js';
import { leftoversIn, type Leftover } from './staged-write.js';
import { didYouMean } from './suggest.js';
import type { Compared } from './used-by/used-by.js';
import { generatorVersion } from './version.js';
import { printable, printableLines } from './visible.js';

/** Exit codes are part of the contract with users' scripts. `internal` is EX_SOFTWARE of sysexits.h. */
const exitCodes = { ok: 0, failed: 1, usage: 2, io: 3, internal: 70 };

/**
 * Runs a command and returns its exit code.
 *
 * @param args the arguments, without the interpreter and the script
 */
export async function main(args: readonly string[]): Promise<number> {
  let exitCode = exitCodes.ok;
  // If stderr fails, there is nowhere to report it.
  process.stderr.on('error', () => {});
  // Output is written at the end, as a whole, so that errors are noticed.
  const stdout: string[] = [];
  const print = (text: string): void => void stdout.push(text);
  const program = new Command('qapi-ts')
    .description("The QAPI schema compiler for TypeScript: generates typed QMP clients from QEMU's schemas.")
    .version(generatorVersion())
    .showHelpAfterError(helpHint())
    // Allows a subcommand to have its own --version.
    .enablePositionalOptions()
    .configureOutput({ writeOut: print, outputError: (text, write) => write(printableLines(text)) })
    .exitOverride();

  const generating = (command: Command): Command =>
    command
      .addOption(new Option('--schema <file>', 'a root schema file instead of an embedded schema').conflicts('qemu'))
      .addOption(new Option('--qemu <version>', 'an embedded QEMU version, such as 10.0'))
      .option('--out <directory>', 'the output directory', 'generated')
      .option('--docs', 'include documentation (default: if the schema has any)')
      .option('--no-docs', 'omit documentation; include only facts such as versions and conditions')
      .option('--json-schema', 'also write JSON Schemas of arguments, results and events')
      .option(...defineOption);

  generating(program.command('generate'))
    .description('generate TypeScript from a schema (default: the schemas of the current QEMU)')
    .action(async (options: GenerateOptions) => {
      const { generate, keepReceipt, write } = await generation();
      const begin = performance.now();
      const results = generate(options);
      warnOfUnknown(options.define, results);
      await write(options.out, results);
      keepReceipt(options, results);
      for (const result of results) process.stderr.write(`${printable(summary(result))}\n`);
      process.stderr.write(`total time, including writing: ${(performance.now() - begin).toFixed(0)} ms\n`);
    });

  generating(program.command('check'))
    .description('check that the output of generate with the same options is up to date')
    .action(async (options: GenerateOptions) => {
      const { findDifferences } = await generation();
      const interrupted = interruptedRuns(options);
      for (const { path, isBegun, what, command } of interrupted) {
        print(`${printable(path)}: left behind by an interrupted run of ${what}\n`);
        const state = isBegun ? 'its output may be incomplete' : 'it had not changed anything yet';
        process.stderr.write(`A run of ${what} was interrupted: ${state}. To fix this, run: ${printable(command)}\n`);
      }
      // If a run was interrupted halfway, there may be no complete schema to compare to.
      const isBegun = interrupted.some((interruptedRun) => interruptedRun.isBegun);
      const differences = isBegun ? [] : findDifferences(options);
      for (const { path, problem } of differences) print(`${printable(path)}: ${problem}\n`);
      if (differences.length > 0) {
        const stale = differences.length === 1 ? '1 generated file is' : `${differences.length} generated files are`;
        process.stderr.write(`${stale} stale. To fix this, run: ${printable(generateCommand(options))}\n`);
      }
      if (differences.length > 0 || interrupted.length > 0) exitCode = exitCodes.failed;
    });

  program
    .command('lint')
    .description('check schemas against the rules of a QEMU version')
    .argument('<file...>', 'root schema files')
    .option('--dialect <version>', 'the QEMU version whose rules apply', newestDialect)
    .action((files: string[], options: { dialect: string }) => {
      const dialect = dialectOf(options.dialect);
      for (const file of files) {
        const code = reporting(() => void loadSchema(file, { dialect }));
        exitCode = Math.max(exitCode, code);
      }
    });

  program
    .command('introspect')
    .description('print the query-qmp-schema reply of a QEMU built from a schema')
    .argument('<file>', 'a root schema file')
    .option(...defineOption)
    .action((file: string, { define }: { define: string[] }) => {
      const schema = loadSchema(file);
      warnOfUnknown(define, [{ conditions: conditionNames(schema) }]);
      print(`${JSON.stringify(introspect(schema, conditionTest(define)), undefined, 2)}\n`);
    });

  program
    .command('vendor')
    .description('embed the schemas of a QEMU source tree or release tarball, without documentation')
    .argument('<source>', 'the tree or tarball')
    .requiredOption('--version <version>', 'the full QEMU version, such as 10.2.2')
    .action(async (source: string, { version }: { version: string }) => {
      const { vendor } = await import('./vendor.js');
      const paths = await vendor(source, version, schemaFolder());
      process.stderr.write(
        `${version}: ${paths.length} files with the schemas of ${servers.map(({ title }) => title).join(', ')}\n`,
      );
    });

  const judging = (command: Command): Command =>
    command
      .addOption(new Option('--format <format>', 'the output format').choices(formats).default('text'))
      .addOption(
        new Option('--fail-on <threshold>', 'the changes that cause exit code 1')
          .choices(thresholds)
          .default('breaking'),
      )
      .option('--used-by <tsconfig>', 'report only the changes that affect the program of a tsconfig.json')
      .addOption(
        new Option('--server <server>', 'the server to compare, for embedded versions')
          .choices(servers.map(({ name }) => name))
          .default('qmp'),
      );

  const judge = async (
    report: Report,
    { format, failOn, usedBy }: JudgingOptions,
    compared: Omit<Compared, 'changes'>,
  ): Promise<void> => {
    const judged = usedBy === undefined ? report : await withUses(report, compared, usedBy);
    const formatOptions = {
      colour: isColoured(process.stdout),
      ...optional('workspace', process.env['GITHUB_WORKSPACE']),
    };
    print(formatReport(judged, format, formatOptions));
    if (isPast(judged, failOn)) exitCode = exitCodes.failed;
  };

  judging(program.command('diff'))
    .description('list the changes for clients between two schemas, and which of them are breaking')
    .argument('<old>', 'an embedded version such as 10.0, a root schema file, or a saved introspection')
    .argument('<new>', 'the same kinds of source as <old>')
    .action(async (oldText: string, newText: string, options: JudgingOptions) => {
      const { loadInput } = await import('./diff/input.js');
      const { diff } = await import('./diff/compare.js');
      const [old, newer] = [loadInput(oldText, options.server), loadInput(newText, options.server)];
      const changes = diff(old.wire, newer.wire);
      await judge({ old, new: newer, changes, notes: notesOnIntrospections([old, newer]) }, options, {
        commands: new Set(old.wire.commands.keys()),
        ...optional('old', old.schema),
        ...optional('new', newer.schema),
      });
    });

  const drifting = program
    .command('drift')
    .description('list how a server differs from its schema, and the conditions that its build meets')
    .addOption(
      new Option('--connect <address>', 'a live server: unix:PATH or tcp:HOST:PORT').conflicts('introspection'),
    )
    .option('--introspection <file>', 'a saved reply of a server to query-qmp-schema, or of an agent to guest-info')
    .addOption(new Option('--schema <file>', 'a root schema file instead of an embedded schema').conflicts('qemu'))
    .option('--qemu <version>', 'an embedded QEMU version, such as 10.0 (default: the current one)');
  judging(drifting).action(async (options: DriftOptions & JudgingOptions) => {
    const { drift } = await import('./diff/drift.js');
    const report = await drift(options);
    const commands = [...report.schema.definitions.values()].filter(({ kind }) => kind === 'command');
    await judge(report, options, { commands: new Set(commands.map(({ name }) => name)), old: report.schema });
  });

  let hint = helpHint();
  program.hook('preAction', (_, command) => void (hint = helpHint(command)));
  for (const command of program.commands) command.showHelpAfterError(helpHint(command));

  const failures: unknown[] = [];
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    else failures.push(error);
  }
  // Write what was found before a failure.
  try {
    await writeOut(stdout.join(''));
  } catch (error) {
    failures.push(error);
  }
  // If there are two failures, the first determines the exit code.
  return failures.map((failure) => tell(failure, hint))[0] ?? exitCode;
}

/** Returns the last line of a usage error. */
function helpHint(command?: Command): string {
  return `(see qapi-ts ${command ? `${command.name()} ` : ''}--help)`;
}

/** @throws FileError */
async function writeOut(text: string): Promise<void> {
  if (text === '') return;
  const error = await new Promise<unknown>((resolve) => {
    // The error is also emitted as an event, which would end the process if unhandled.
    process.stdout.on('error', resolve);
    process.stdout.write(text, resolve);
  });
  // EPIPE is no failure: a reader such as `head` may close the pipe early.
  if (!error || (error as NodeJS.ErrnoException).code === 'EPIPE') return;
  throw new FileError(`cannot write to stdout: ${reasonOf(error)}`, { cause: error });
}

interface InterruptedRun extends Leftover {
  readonly what: string;
  /** The command that completes the run. */
  readonly command: string;
}

const bumpScript = 'scripts/bump-qemu';

/** Returns interrupted runs that may have left the output, or the schemas it is made from, incomplete. */
function interruptedRuns(options: GenerateOptions): InterruptedRun[] {
  const runs = (folder: string, what: string, command: string): InterruptedRun[] =>
    leftoversIn(folder).map((leftover) => ({ ...leftover, what, command }));
  const own = runs(options.out, 'generate', generateCommand(options));
  if (options.schema !== undefined) return own;
  const schemas = schemaFolder();
  const repository = dirname(schemas);
  return [
    ...own,
    ...servers.flatMap(({ name }) => runs(join(options.out, name), 'generate', generateCommand(options))),
    ...runs(schemas, 'vendor', 'npx qapi-ts vendor SOURCE --version VERSION'),
    // The script exists only in the repository, not in the published package.
    ...(existsSync(join(repository, bumpScript)) ? runs(repository, 'bump-qemu', `${bumpScript} VERSION`) : []),
  ];
}

/** Options shared by `diff` and `drift`. */
interface JudgingOptions {
  readonly format: Format;
  readonly failOn: Threshold;
  readonly usedBy?: string;
  readonly server: ServerName;
}

/** Loaded on demand: TypeScript takes longer to load than a comparison without it. */
async function withUses(report: Report, compared: Omit<Compared, 'changes'>, tsconfig: string): Promise<Report> {
  const { usedBy: find } = await import('./used-by/used-by.js');
  const { usedBy, notes } = await find({ changes: report.changes, ...compared }, tsconfig);
  return { ...report, notes: [...report.notes, ...notes], usedBy };
}

/** Loaded on demand: these modules take longer to load than other commands run. */
async function generation(): Promise<typeof generateModule & typeof outputModule & typeof receiptsModule> {
  return { ...(await import('./generate.js')), ...(await import('./output.js')), ...(await import('./receipts.js')) };
}

const collect = (value: string, previous: string[]): string[] => [...previous, value];
const defineOption = [
  '-D, --define <name>',
  'a condition that holds, such as CONFIG_LINUX; repeatable (default: all conditions hold)',
  collect,
  [],
] as [string, string, typeof collect, string[]];

/** Runs an action and reports its errors. */
function reporting(action: () => void): number {
  try {
    action();
    return exitCodes.ok;
  } catch (error) {
    return tell(error);
  }
}

function isColoured(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && !process.env['NO_COLOR'];
}

/**
 * Reports an error.
 *
 * @param hint the last line of a usage error
 * @returns the exit code
 */
function tell(error: unknown, hint = helpHint()): number {
  if (error instanceof SchemaError) {
    const colour = isColoured(process.stderr);
    for (const diagnostic of error.diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic, colour)}\n`);
    return exitCodes.failed;
  }
  if (error instanceof UsageError) {
    process.stderr.write(`error: ${printable(error.message)}\n${hint}\n`);
    return exitCodes.usage;
  }
  if (error instanceof InterruptError) {
    // End by the same signal, as if it had not been held back.
    process.kill(process.pid, error.signal);
    return signalled + constants.signals[error.signal];
  }
  const isOurs = error instanceof FileError || error instanceof ServerError;
  const problem = isOurs ? error.message : describeSystemError(error);
  if (problem !== undefined) {
    process.stderr.write(`error: ${printable(problem)}\n`);
    return exitCodes.io;
  }
  return tellFault(error);
}

/** Shells add the signal's number to this for a process ended by a signal. */
const signalled = 128;

/**
 * Reports an unexpected error, which is a bug.
 *
 * @returns the exit code
 */
export function tellFault(error: unknown): number {
  const text = error instanceof Error ? (error.stack ?? error.message) : inspect(error);
  process.stderr.write(
    `error: this is a bug in qapi-ts ${generatorVersion()}. ` +
      `Please report it with the command, the schema, and this text:\n${printableLines(text)}\n`,
  );
  return exitCodes.internal;
}

/** Warns about names that no condition has: a misspelled name would remove more than intended. */
function warnOfUnknown(
  define: readonly string[],
  schemas: readonly { readonly conditions: ReadonlySet<string> }[],
): void {
  const known = new Set(schemas.flatMap(({ conditions }) => [...conditions]));
  for (const name of define.filter((candidate) => !known.has(candidate))) {
    process.stderr.write(`warning: no condition mentions '${printable(name)}'${printable(didYouMean(name, known))}\n`);
  }
}

function summary({ folder, origin, schema, files, time }: Generated): string {
  const count = (kind: string): number =>
    [...schema.definitions.values()].filter((definition) => definition.kind === kind).length;
  const types = schema.definitions.size - count('command') - count('event');
  const read = `${origin}: ${schema.modules.length} modules, ${count('command')} commands, ${count('event')} events, ${types} types`;
  return `${folder}: ${read}; ${files.size} files; read in ${time.read.toFixed(0)} ms, emitted in ${time.emit.toFixed(0)} ms`;
}

/** Returns a shell command. */
function generateCommand({ schema, qemu, out, docs, jsonSchema, define }: GenerateOptions): string {
  return [
    'npx',
    'qapi-ts',
    'generate',
    ...(schema === undefined ? [] : ['--schema', schema]),
    ...(qemu === undefined ? [] : ['--qemu', qemu]),
    ...(out === 'generated' ? [] : ['--out', out]),
    ...(docs === undefined ? [] : [docs ? '--docs' : '--no-docs']),
    ...(jsonSchema ? ['--json-schema'] : []),
    ...define.flatMap((name) => ['-D', name]),
  ]
    .map((word) => (/^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}
