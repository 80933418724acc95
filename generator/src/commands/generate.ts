import { Option, type Command } from 'commander';

import { amount } from '../amount.js';
import { servers } from '../embedded.js';
import { UsageError } from '../errors.js';
import type { Generated, GenerateOptions } from '../generate.js';
import type { RecoverOptions } from '../sources/recovered.js';
import { printable } from '../visible.js';
import { defineOption, exitCodes, warnOfUnknown, type Print, type Subcommand } from './command.js';

/** Declares the options that `generate` and `check` share. */
export function declareGenerating(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--schema <file...>',
        'a root schema file instead of the schemas of a version, or one for each version of a range, oldest first',
      ).conflicts(['qemu', 'connect', 'introspection']),
    )
    .addOption(
      new Option(
        '--qemu <version>',
        'an embedded or cached QEMU version, such as 10.0, or a range of embedded ones, such as 7.2..10.0',
      ).conflicts(['connect', 'introspection']),
    )
    .addOption(
      new Option('--connect <address>', 'a live server, unix:PATH or tcp:HOST:PORT').conflicts('introspection'),
    )
    .option('--introspection <file>', 'a saved reply of a server to query-qmp-schema, or of an agent to guest-info')
    .option(
      '--names <source>',
      'an embedded or cached version or a root schema file that names the types of the server',
    )
    .addOption(new Option('--server <server>', 'the kind of server').choices(servers.map(({ name }) => name)))
    .option('--out <directory>', 'the output directory', 'generated')
    .option('--docs', 'include documentation (default: if the schema has any)')
    .option('--no-docs', 'omit documentation; include only facts such as versions and conditions')
    .option('--json-schema', 'also write JSON Schemas of arguments, results and events')
    .addOption(defineOption());
}

export const generateCommand: Subcommand = {
  declare: (command) =>
    declareGenerating(
      command.description('generate TypeScript from a schema or a server (default: the schemas of the current QEMU)'),
    ),
  run,
};

/** The options of the command line. */
export interface GeneratingOptions extends Omit<GenerateOptions, 'recovered'>, RecoverOptions {}

/**
 * Queries the server that the options name, if any.
 *
 * @throws UsageError; and the errors of `recoverServer`
 */
export async function withServer(options: GeneratingOptions): Promise<GenerateOptions> {
  const { connect, introspection, names, server } = options;
  if (connect === undefined && introspection === undefined) {
    if (names !== undefined || server !== undefined) {
      throw new UsageError(`--${names === undefined ? 'server' : 'names'} requires --connect or --introspection`);
    }
    return options;
  }
  const { recoverServer } = await import('../sources/recovered.js');
  return { ...options, recovered: await recoverServer({ connect, introspection, names, server }) };
}

async function run(_print: Print, given: GeneratingOptions): Promise<number> {
  // Loaded on demand: these modules take longer to load than other commands take to run.
  const { generate } = await import('../generate.js');
  const { write } = await import('../output.js');
  const { keepReceipt } = await import('../receipts.js');
  const begin = performance.now();
  const options = await withServer(given);
  const results = generate(options);
  warnOfUnknown(
    options.define,
    results.flatMap(({ conditions }) => [...conditions]),
  );
  await write(options.out, results);
  keepReceipt(options, results);
  for (const result of results) process.stderr.write(`${printable(summary(result))}\n`);
  for (const note of options.recovered?.notes ?? []) process.stderr.write(`  ${printable(note)}\n`);
  process.stderr.write(`total time, including writing: ${(performance.now() - begin).toFixed(0)} ms\n`);
  return exitCodes.ok;
}

function summary({ folder, origin, schema, files, time }: Generated): string {
  const count = (kind: string): number =>
    [...schema.definitions.values()].filter((definition) => definition.kind === kind).length;
  const contents = [
    amount(schema.modules.length, 'module'),
    amount(count('command'), 'command'),
    amount(count('event'), 'event'),
    amount(schema.definitions.size - count('command') - count('event'), 'type'),
  ];
  return `${folder}: ${origin}: ${contents.join(', ')}; ${amount(files.size, 'file')}; read in ${time.read.toFixed(0)} ms, emitted in ${time.emit.toFixed(0)} ms`;
}
