import { Option, type Command } from 'commander';

import { amount } from '../amount.js';
import type { Generated, GenerateOptions } from '../generate.js';
import { printable } from '../visible.js';
import { defineOption, exitCodes, warnOfUnknown, type Print, type Subcommand } from './command.js';

/** Declares the options that `generate` and `check` share. */
export function declareGenerating(command: Command): Command {
  return command
    .addOption(
      new Option('--schema <file>', 'a root schema file instead of the schemas of a version').conflicts('qemu'),
    )
    .addOption(new Option('--qemu <version>', 'an embedded or cached QEMU version, such as 10.0'))
    .option('--out <directory>', 'the output directory', 'generated')
    .option('--docs', 'include documentation (default: if the schema has any)')
    .option('--no-docs', 'omit documentation; include only facts such as versions and conditions')
    .option('--json-schema', 'also write JSON Schemas of arguments, results and events')
    .addOption(defineOption());
}

export const generateCommand: Subcommand = {
  declare: (command) =>
    declareGenerating(
      command.description('generate TypeScript from a schema (default: the schemas of the current QEMU)'),
    ),
  run,
};

async function run(_print: Print, options: GenerateOptions): Promise<number> {
  // Loaded on demand: these modules take longer to load than other commands take to run.
  const { generate } = await import('../generate.js');
  const { write } = await import('../output.js');
  const { keepReceipt } = await import('../receipts.js');
  const begin = performance.now();
  const results = generate(options);
  warnOfUnknown(
    options.define,
    results.flatMap(({ conditions }) => [...conditions]),
  );
  await write(options.out, results);
  keepReceipt(options, results);
  for (const result of results) process.stderr.write(`${printable(summary(result))}\n`);
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
