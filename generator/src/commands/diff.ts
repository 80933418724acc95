import { notesOnIntrospections } from '../diff/report.js';
import { UsageError } from '../errors.js';
import { optional } from '../optional.js';
import { isRange } from '../sources/range.js';
import type { Print, Subcommand } from './command.js';
import { declareJudging, judge, type JudgingOptions } from './judge.js';

export const diffCommand: Subcommand = {
  declare: (command) =>
    declareJudging(
      command
        .description('list the changes between two schemas that affect clients, and which of them are breaking')
        .argument(
          '<old>',
          'an embedded version such as 10.0, or a range of them such as 7.2..10.0; a root schema file; or a saved introspection',
        )
        .argument('<new>', 'the same kinds of source as <old>, but not a range'),
    ),
  run,
};

async function run(print: Print, oldText: string, newText: string, options: JudgingOptions): Promise<number> {
  const { loadInput } = await import('../diff/input.js');
  if (isRange(newText)) throw new UsageError(`a range is compared to one version, not to the range ${newText}`);
  if (isRange(oldText)) return await runRange(print, oldText, newText, options);
  const { diff } = await import('../diff/compare.js');
  const [old, newer] = [loadInput(oldText, options.server), loadInput(newText, options.server)];
  const changes = diff(old.wire, newer.wire);
  const report = { old, new: newer, changes, notes: notesOnIntrospections([old, newer]) };
  return await judge(print, report, options, {
    commands: new Set(old.wire.commands.keys()),
    ...optional('old', old.schema),
    ...optional('new', newer.schema),
  });
}

/** Compares a range to itself and one more version. */
async function runRange(print: Print, rangeText: string, newText: string, options: JudgingOptions): Promise<number> {
  const { loadInput } = await import('../diff/input.js');
  const { diffRange, loadRange } = await import('../diff/range.js');
  const { wireOf } = await import('../diff/wire.js');
  const range = loadRange(rangeText, options.server);
  const { title, kind, schema } = loadInput(newText, options.server);
  if (!schema) throw new UsageError(`a range is compared to a schema, not to the introspection '${newText}'`);
  const widened = diffRange(range, schema, title);
  const label = options.server === 'qmp' ? rangeText : `${rangeText} (${options.server})`;
  const report = {
    old: { kind: 'embedded' as const, title: label },
    new: { kind, title },
    changes: widened.changes,
    notes: [`for a program that supports ${rangeText} and ${title}`],
  };
  const commands = new Set(wireOf(widened.old).commands.keys());
  return await judge(print, report, options, { commands, old: widened.old, new: widened.new });
}
