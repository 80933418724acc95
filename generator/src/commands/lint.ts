import { dialectOf, newestDialect } from '../frontend/dialect.js';
import { loadSchema } from '../frontend/load.js';
import { exitCodes, type Print, type Subcommand } from './command.js';
import { reportFailure } from './failures.js';

export const lintCommand: Subcommand = {
  declare: (command) =>
    command
      .description('check schemas against the rules of a QEMU version')
      .argument('<file...>', 'root schema files')
      .option('--dialect <version>', 'the QEMU version whose rules apply', newestDialect),
  run,
};

/** Checks all files, and returns the exit code of the most severe failure. */
function run(_print: Print, files: readonly string[], options: { readonly dialect: string }): number {
  const dialect = dialectOf(options.dialect);
  const codes = files.map((file) => {
    try {
      loadSchema(file, { dialect });
      return exitCodes.ok;
    } catch (error) {
      return reportFailure(error);
    }
  });
  return Math.max(...codes);
}
