import { conditionNames, conditionTest } from '../condition.js';
import { loadSchema } from '../frontend/load.js';
import { introspect } from '../introspect.js';
import { defineOption, exitCodes, warnOfUnknown, type Print, type Subcommand } from './command.js';

export const introspectCommand: Subcommand = {
  declare: (command) =>
    command
      .description('print the query-qmp-schema reply of a QEMU built from a schema')
      .argument('<file>', 'a root schema file')
      .addOption(defineOption()),
  run,
};

function run(print: Print, file: string, { define }: { readonly define: readonly string[] }): number {
  const schema = loadSchema(file);
  warnOfUnknown(define, conditionNames(schema));
  print(`${JSON.stringify(introspect(schema, conditionTest(define)), undefined, 2)}\n`);
  return exitCodes.ok;
}
