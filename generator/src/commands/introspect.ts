import { Option } from 'commander';

import { conditionNames, conditionTest } from '../condition.js';
import { servers, type ServerName } from '../embedded.js';
import { introspect } from '../introspect.js';
import { defineOption, exitCodes, warnOfUnknown, type Print, type Subcommand } from './command.js';

interface Options {
  readonly define: readonly string[];
  readonly server: ServerName;
}

export const introspectCommand: Subcommand = {
  declare: (command) =>
    command
      .description('print the query-qmp-schema reply of a QEMU built from a schema, or of a server')
      .argument(
        '<source>',
        'a root schema file, an embedded version, a saved introspection, or a server: unix:PATH or tcp:HOST:PORT',
      )
      .addOption(
        new Option('--server <server>', 'the server, for embedded versions and addresses')
          .choices(servers.map(({ name }) => name))
          .default('qmp'),
      )
      .addOption(defineOption()),
  run,
};

async function run(print: Print, source: string, { define, server }: Options): Promise<number> {
  const { loadSource } = await import('../diff/input.js');
  const { own: schema } = await loadSource(source, server);
  warnOfUnknown(define, conditionNames(schema));
  print(`${JSON.stringify(introspect(schema, conditionTest(define)), undefined, 2)}\n`);
  return exitCodes.ok;
}
