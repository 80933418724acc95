/** The options that `diff` and `drift` share, and the reporting of changes. */

import { Option, type Command } from 'commander';

import { formatReport, formats, isPast, thresholds, type Format, type Report, type Threshold } from '../diff/report.js';
import { servers, type ServerName } from '../embedded.js';
import { optional } from '../optional.js';
import type { Compared } from '../used-by/used-by.js';
import { exitCodes, type Print } from './command.js';
import { isColoured } from './failures.js';

export interface JudgingOptions {
  readonly format: Format;
  readonly failOn: Threshold;
  readonly usedBy?: string;
  readonly server: ServerName;
}

export function declareJudging(command: Command): Command {
  return command
    .addOption(new Option('--format <format>', 'the output format').choices(formats).default('text'))
    .addOption(
      new Option('--fail-on <threshold>', 'the changes that cause exit code 1').choices(thresholds).default('breaking'),
    )
    .option('--used-by <tsconfig>', 'report only the changes that affect the program of a tsconfig.json')
    .addOption(
      new Option('--server <server>', 'the kind of server, which determines the schema of a version and the protocol')
        .choices(servers.map(({ name }) => name))
        .default('qmp'),
    );
}

type Sides = Omit<Compared, 'changes'>;

/**
 * Prints a report, and returns the exit code for the threshold.
 *
 * @param compared returns what was compared, which is only needed for `--used-by`
 */
export async function judge(
  print: Print,
  report: Report,
  { format, failOn, usedBy }: JudgingOptions,
  compared: () => Sides | Promise<Sides>,
): Promise<number> {
  const judged = usedBy === undefined ? report : await withUses(report, await compared(), usedBy);
  const workspace = process.env['GITHUB_WORKSPACE'];
  print(formatReport(judged, format, { colour: isColoured(process.stdout), ...optional('workspace', workspace) }));
  return isPast(judged, failOn) ? exitCodes.failed : exitCodes.ok;
}

async function withUses(report: Report, compared: Sides, tsconfig: string): Promise<Report> {
  // Loaded on demand: TypeScript takes longer to load than a comparison without it.
  const { usedBy: find } = await import('../used-by/used-by.js');
  const { usedBy, notes } = await find({ changes: report.changes, ...compared }, tsconfig);
  return { ...report, notes: [...report.notes, ...notes], usedBy };
}
