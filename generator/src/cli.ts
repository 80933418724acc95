/** The command line: the only place that prints and decides about exit codes. */

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
import type { ServerName } from './diff/source.js';
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

/** Other people's scripts rely on these. The last one is that of sysexits.h for a fault of the program itself. */
const exitCodes = { ok: 0, failed: 1, usage: 2, io: 3, internal: 70 };

/** @param args without the interpreter and the script */
export async function main(args: readonly string[]): Promise<number> {
  let exitCode = exitCodes.ok;
  // There is nowhere else to tell.
  process.stderr.on('error', () => {});
  // Written at the end, as a whole, so that an error is noticed.
  const stdout: string[] = [];
  const print = (text: string): void => void stdout.push(text);
  const program = new Command('qapi-ts')
    .description('The QAPI schema compiler for TypeScript: the schema language of QEMU in, a typed QMP client out.')
    .version(generatorVersion())
    .showHelpAfterError(helpHint())
    // So that a subcommand can have a --version of its own.
    .enablePositionalOptions()
    .configureOutput({ writeOut: print, outputError: (text, write) => write(printableLines(text)) })
    .exitOverride();

  const generating = (command: Command): Command =>
    command
      .addOption(new Option('--schema <file>', 'a root schema file, instead of the embedded ones').conflicts('qemu'))
      .addOption(new Option('--qemu <version>', 'an embedded version of QEMU, such as 10.0'))
      .option('--out <folder>', 'where the output goes', 'generated')
      .option('--docs', 'write out the documentation (default: when the schema has any)')
      .option('--no-docs', 'write only facts: since when, deprecated, conditions')
      .option('--json-schema', 'write JSON Schemas of arguments, results and events, too')
      .option(...defineOption);

  generating(program.command('generate'))
    .description('write TypeScript for a schema; without options, for those of the current QEMU')
    .action(async (options: GenerateOptions) => {
      const { generate, keepReceipt, write } = await generation();
      const begin = performance.now();
      const results = generate(options);
      warnOfUnknown(options.define, results);
      await write(options.out, results);
      keepReceipt(options, results);
      for (const result of results) process.stderr.write(`${printable(summary(result))}\n`);
      process.stderr.write(`with writing: ${(performance.now() - begin).toFixed(0)} ms\n`);
    });

  generating(program.command('check'))
    .description('tell whether the output of generate with the same options is up to date')
    .action(async (options: GenerateOptions) => {
      const { findDifferences } = await generation();
      const interrupted = interruptedRuns(options);
      for (const { path, isBegun, what, command } of interrupted) {
        print(`${printable(path)}: left by an interrupted run of ${what}\n`);
        const state = isBegun ? 'what it replaces may be old in part and new in part' : 'it had changed nothing yet';
        process.stderr.write(`A run of ${what} was interrupted: ${state}. Mend it with: ${printable(command)}\n`);
      }
      // Then there may be no schema to compare with.
      const isBegun = interrupted.some((interruptedRun) => interruptedRun.isBegun);
      const differences = isBegun ? [] : findDifferences(options);
      for (const { path, problem } of differences) print(`${printable(path)}: ${problem}\n`);
      if (differences.length > 0) {
        const stale = differences.length === 1 ? '1 generated file is' : `${differences.length} generated files are`;
        process.stderr.write(`${stale} stale. Mend it with: ${printable(generateCommand(options))}\n`);
      }
      if (differences.length > 0 || interrupted.length > 0) exitCode = exitCodes.failed;
    });

  program
    .command('lint')
    .description('check schemas by the rules of a version of QEMU')
    .argument('<file...>', 'root schema files')
    .option('--dialect <version>', 'the version of QEMU whose rules apply', newestDialect)
    .action((files: string[], options: { dialect: string }) => {
      const dialect = dialectOf(options.dialect);
      for (const file of files) {
        const code = reporting(() => void loadSchema(file, { dialect }));
        exitCode = Math.max(exitCode, code);
      }
    });

  program
    .command('introspect')
    .description('print what query-qmp-schema of a QEMU built from a schema returns')
    .argument('<file>', 'a root schema file')
    .option(...defineOption)
    .action((file: string, { define }: { define: string[] }) => {
      const schema = loadSchema(file);
      warnOfUnknown(define, [{ conditions: conditionNames(schema) }]);
      print(`${JSON.stringify(introspect(schema, conditionTest(define)), undefined, 2)}\n`);
    });

  program
    .command('vendor')
    .description('reduce the schemas of a QEMU source tree or release tarball to facts, and embed them')
    .argument('<source>', 'the tree or tarball')
    .requiredOption('--version <version>', "the QEMU's full version, such as 10.2.2")
    .action(async (source: string, { version }: { version: string }) => {
      const { vendor } = await import('./vendor.js');
      const paths = await vendor(source, version, schemaFolder());
      process.stderr.write(
        `${version}: ${paths.length} files with the schemas of ${servers.map(({ title }) => title).join(', ')}\n`,
      );
    });

  const judging = (command: Command): Command =>
    command
      .addOption(
        new Option('--format <format>', 'for people, programs or a changelog').choices(formats).default('text'),
      )
      .addOption(
        new Option('--fail-on <threshold>', 'which changes make the exit code 1')
          .choices(thresholds)
          .default('breaking'),
      )
      .option('--used-by <tsconfig>', 'keep what touches the program of a tsconfig.json')
      .addOption(
        new Option('--server <server>', 'which server it is about: for embedded versions')
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
    .description('tell what changes for clients from one schema to another, and whether it breaks them')
    .argument('<old>', 'an embedded version such as 10.0, a root schema file, or a saved introspection')
    .argument('<new>', 'another')
    .action(async (oldText: string, newText: string, options: JudgingOptions) => {
      const { loadSide } = await import('./diff/source.js');
      const { diff } = await import('./diff/compare.js');
      const [old, latter] = [loadSide(oldText, options.server), loadSide(newText, options.server)];
      const changes = diff(old.wire, latter.wire);
      await judge({ old, new: latter, changes, notes: notesOnIntrospections([old, latter]) }, options, {
        commands: new Set(old.wire.commands.keys()),
        ...optional('old', old.schema),
        ...optional('new', latter.schema),
      });
    });

  const drifting = program
    .command('drift')
    .description('tell how a server differs from its schema, and which conditions its build meets')
    .addOption(
      new Option('--connect <address>', 'a live server: unix:PATH or tcp:HOST:PORT').conflicts('introspection'),
    )
    .option('--introspection <file>', "a server's saved reply to query-qmp-schema, or an agent's to guest-info")
    .addOption(new Option('--schema <file>', 'a root schema file, instead of the embedded ones').conflicts('qemu'))
    .option('--qemu <version>', 'an embedded version of QEMU, such as 10.0 (default: the current one)');
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
  // What was found before a failure is not lost.
  try {
    await writeOut(stdout.join(''));
  } catch (error) {
    failures.push(error);
  }
  // Of two failures, the exit code tells the first.
  return failures.map((failure) => tell(failure, hint))[0] ?? exitCode;
}

/** The last line of a usage error. */
function helpHint(command?: Command): string {
  return `(see qapi-ts ${command ? `${command.name()} ` : ''}--help)`;
}

/** @throws FileError */
async function writeOut(text: string): Promise<void> {
  if (text === '') return;
  const error = await new Promise<unknown>((resolve) => {
    // It comes as an event, too, which would end the process.
    process.stdout.on('error', resolve);
    process.stdout.write(text, resolve);
  });
  // A reader that has seen enough, such as `head`, changes nothing about what was found.
  if (!error || (error as NodeJS.ErrnoException).code === 'EPIPE') return;
  throw new FileError(`cannot write to stdout: ${reasonOf(error)}`, { cause: error });
}

interface InterruptedRun extends Leftover {
  readonly what: string;
  /** Mends it. */
  readonly command: string;
}

const bumpScript = 'scripts/bump-qemu';

/** Runs that may have left the output, or the schemas that it is made from, half way. */
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
    // Only in the repository, and not in the published package.
    ...(existsSync(join(repository, bumpScript)) ? runs(repository, 'bump-qemu', `${bumpScript} VERSION`) : []),
  ];
}

/** What `diff` and `drift` have in common. */
interface JudgingOptions {
  readonly format: Format;
  readonly failOn: Threshold;
  readonly usedBy?: string;
  readonly server: ServerName;
}

/** What reads programs takes longer to load than a comparison without them. */
async function withUses(report: Report, compared: Omit<Compared, 'changes'>, tsconfig: string): Promise<Report> {
  const { usedBy: find } = await import('./used-by/used-by.js');
  const { usedBy, notes } = await find({ changes: report.changes, ...compared }, tsconfig);
  return { ...report, notes: [...report.notes, ...notes], usedBy };
}

/** What `generate` and `check` need takes longer to load than the other commands run. */
async function generation(): Promise<typeof generateModule & typeof outputModule & typeof receiptsModule> {
  return { ...(await import('./generate.js')), ...(await import('./output.js')), ...(await import('./receipts.js')) };
}

const collect = (value: string, previous: string[]): string[] => [...previous, value];
const defineOption = [
  '-D, --define <name>',
  'a condition that holds, such as CONFIG_LINUX; repeatable (default: all hold)',
  collect,
  [],
] as [string, string, typeof collect, string[]];

/** Runs something, and tells what went wrong. */
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
 * @param hint where a usage error points to
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
    // Whoever waits for this process sees the signal, as if it had not been held back.
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

/** Shells give this code and the number of the signal for a process that a signal has ended. */
const signalled = 128;

/**
 * Tells of an error that nobody has foreseen.
 *
 * @returns the exit code
 */
export function tellFault(error: unknown): number {
  const text = error instanceof Error ? (error.stack ?? error.message) : inspect(error);
  process.stderr.write(
    `error: this is a fault of qapi-ts ${generatorVersion()}, not of what it was given. ` +
      `Please report it, with the command, the schema, and this text:\n${printableLines(text)}\n`,
  );
  return exitCodes.internal;
}

/** A name that is mistyped would leave out more than was meant. */
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

/** A command for a shell. */
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
