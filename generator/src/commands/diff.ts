import { notesOnIntrospections } from '../diff/report.js';
import { UsageError } from '../errors.js';
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
          'an embedded or cached version such as 10.0, or a range of embedded ones such as 7.2..10.0; a root schema file; a saved introspection; or a server: unix:PATH or tcp:HOST:PORT',
        )
        .argument('<new>', 'the same kinds of source as <old>, but not a range'),
    ),
  run,
};

async function run(print: Print, oldText: string, newText: string, options: JudgingOptions): Promise<number> {
  const { loadInput, schemasOf } = await import('../diff/input.js');
  if (isRange(newText)) throw new UsageError(`a range is compared to one version, not to the range ${newText}`);
  if (isRange(oldText)) return await runRange(print, oldText, newText, options);
  const { diff } = await import('../diff/compare.js');
  const [old, newer] = [await loadInput(oldText, options.server), await loadInput(newText, options.server)];
  const changes = diff(old.wire, newer.wire);
  const report = { old, new: newer, changes, notes: notesOnIntrospections([old, newer]) };
  return await judge(print, report, options, () => {
    const [oldSchema, newSchema] = schemasOf(old, newer);
    return { commands: new Set(old.wire.commands.keys()), old: oldSchema, new: newSchema };
  });
}

/** Compares a range to itself and one more version. */
async function runRange(print: Print, rangeText: string, newText: string, options: JudgingOptions): Promise<number> {
  const { loadSource } = await import('../diff/input.js');
  const { diffRange, loadRange } = await import('../diff/range.js');
  const { wireOf } = await import('../diff/wire.js');
  const range = loadRange(rangeText, options.server);
  const { title, kind, own, reply } = await loadSource(newText, options.server);
  if (reply) throw new UsageError(`a range is compared to a schema, not to the introspection '${newText}'`);
  const widened = diffRange(range, own, title);
  const label = options.server === 'qmp' ? rangeText : `${rangeText} (${options.server})`;
  const report = {
    old: { kind: 'embedded' as const, title: label },
    new: { kind, title },
    changes: widened.changes,
    notes: [`for a program that supports ${rangeText} and ${title}`],
  };
  const commands = new Set(wireOf(widened.old).commands.keys());
  return await judge(print, report, options, () => ({ commands, old: widened.old, new: widened.new }));
}
