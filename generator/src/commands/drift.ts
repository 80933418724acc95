import { Option } from 'commander';

import type { DriftOptions } from '../diff/drift.js';
import type { Print, Subcommand } from './command.js';
import { declareJudging, judge, type JudgingOptions } from './judge.js';

export const driftCommand: Subcommand = {
  declare: (command) =>
    declareJudging(
      command
        .description('list how a server differs from its schema, and the conditions that its build meets')
        .addOption(
          new Option('--connect <address>', 'a live server: unix:PATH or tcp:HOST:PORT').conflicts('introspection'),
        )
        .option('--introspection <file>', 'a saved reply of a server to query-qmp-schema, or of an agent to guest-info')
        .addOption(
          new Option('--schema <file>', 'a root schema file instead of the schema of a version').conflicts('qemu'),
        )
        .option(
          '--qemu <version>',
          'an embedded or cached QEMU version, such as 10.0, or a range, from which the server chooses (default: the current one)',
        ),
    ),
  run,
};

async function run(print: Print, options: DriftOptions & JudgingOptions): Promise<number> {
  const { drift } = await import('../diff/drift.js');
  const report = await drift(options);
  return await judge(print, report, options, async () => {
    const { recoverBeside } = await import('../sources/recovered.js');
    const { narrowed, schema } = report;
    const commands = [...schema.definitions.values()].filter(({ kind }) => kind === 'command');
    return {
      commands: new Set(commands.map(({ name }) => name)),
      // What the server's build does not have is missing on both sides.
      old: narrowed,
      new: recoverBeside(report.reply, narrowed),
    };
  });
}
