import { optional } from '../optional.js';
import { printable } from '../visible.js';
import { exitCodes, type Print, type Subcommand } from './command.js';

export const fetchCommand: Subcommand = {
  declare: (command) =>
    command
      .description("download a QEMU release's schemas, with their documentation, into the cache")
      .argument('<version>', 'the full QEMU version, such as 8.2.0')
      .option('--digest <sha256>', 'the digest of the schemas, for a version whose digest this package does not know'),
  run,
};

async function run(print: Print, wanted: string, { digest }: { readonly digest?: string }): Promise<number> {
  // Loaded on demand: no other command needs the network.
  const { fetchRelease } = await import('../sources/fetch.js');
  const progress = process.stderr.isTTY ? new Progress() : undefined;
  try {
    const { version, folder, isNew } = await fetchRelease(wanted, {
      ...optional('digest', digest),
      ...optional('onProgress', progress?.show),
      onDamaged: (damaged) =>
        process.stderr.write(
          `The schemas of QEMU ${damaged.version} in '${printable(damaged.folder)}' are damaged: downloading them again.\n`,
        ),
    });
    progress?.clear();
    process.stderr.write(`QEMU ${version}: ${isNew ? 'downloaded and verified' : 'already in the cache'}\n`);
    print(`${folder}\n`);
    return exitCodes.ok;
  } finally {
    progress?.clear();
  }
}

/** A line on a terminal that shows the progress of a download. */
class Progress {
  #isShown = false;
  #last = 0;

  readonly show = (received: number, total?: number): void => {
    const now = performance.now();
    if (now - this.#last < 200) return;
    this.#last = now;
    this.#isShown = true;
    const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
    const of = total === undefined ? '' : ` of ${megabytes(total)}`;
    process.stderr.write(`\r\u001b[Kdownloading: ${megabytes(received)}${of} MB`);
  };

  clear(): void {
    if (this.#isShown) process.stderr.write('\r\u001b[K');
    this.#isShown = false;
  }
}
