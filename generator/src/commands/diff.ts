import { notesOnIntrospections } from '../diff/report.js';
import type { Print, Subcommand } from './command.js';
import { declareJudging, judge, type JudgingOptions } from './judge.js';

export const diffCommand: Subcommand = {
  declare: (command) =>
    declareJudging(
      command
        .description('list the changes between two schemas that affect clients, and which of them are breaking')
        .argument(
          '<old>',
          'an embedded or cached version such as 10.0, a root schema file, a saved introspection, or a server: unix:PATH or tcp:HOST:PORT',
        )
        .argument('<new>', 'the same kinds of source as <old>'),
    ),
  run,
};

async function run(print: Print, oldText: string, newText: string, options: JudgingOptions): Promise<number> {
  const { loadInput, schemasOf } = await import('../diff/input.js');
  const { diff } = await import('../diff/compare.js');
  const [old, newer] = [await loadInput(oldText, options.server), await loadInput(newText, options.server)];
  const changes = diff(old.wire, newer.wire);
  const report = { old, new: newer, changes, notes: notesOnIntrospections([old, newer]) };
  return await judge(print, report, options, () => {
    const [oldSchema, newSchema] = schemasOf(old, newer);
    return { commands: new Set(old.wire.commands.keys()), old: oldSchema, new: newSchema };
  });
}
