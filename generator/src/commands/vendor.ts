import { schemaFolder, servers } from '../embedded.js';
import { exitCodes, type Print, type Subcommand } from './command.js';

export const vendorCommand: Subcommand = {
  declare: (command) =>
    command
      .description('embed the schemas of a QEMU source tree or release tarball, without documentation')
      .argument('<source>', 'the tree or tarball')
      .requiredOption('--version <version>', 'the full QEMU version, such as 10.2.2'),
  run,
};

async function run(_print: Print, source: string, { version }: { readonly version: string }): Promise<number> {
  const { vendor } = await import('../vendor.js');
  const paths = await vendor(source, version, schemaFolder());
  const titles = servers.map(({ title }) => title).join(', ');
  process.stderr.write(`${version}: ${paths.length} files with the schemas of ${titles}\n`);
  return exitCodes.ok;
}
