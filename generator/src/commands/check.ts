import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { amount } from '../amount.js';
import { schemaFolder, servers } from '../embedded.js';
import { leftoversIn, type Leftover } from '../staged-write.js';
import { printable } from '../visible.js';
import { exitCodes, type Print, type Subcommand } from './command.js';
import { declareGenerating, withServer, type GeneratingOptions } from './generate.js';

export const checkCommand: Subcommand = {
  declare: (command) =>
    declareGenerating(command.description('check that the output of generate with the same options is up to date')),
  run,
};

async function run(print: Print, options: GeneratingOptions): Promise<number> {
  const interrupted = interruptedRuns(options);
  for (const { path, isBegun, what, remedy } of interrupted) {
    print(`${printable(path)}: left behind by an interrupted run of ${what}\n`);
    const state = isBegun ? 'its output may be incomplete' : 'it had not changed anything yet';
    process.stderr.write(`A run of ${what} was interrupted: ${state}. To fix this, run: ${printable(remedy)}\n`);
  }
  // If a run was interrupted halfway, there may be no complete schema to compare to.
  const isStale = !interrupted.some(({ isBegun }) => isBegun) && (await reportStale(print, options));
  return isStale || interrupted.length > 0 ? exitCodes.failed : exitCodes.ok;
}

/** Reports files that are not up to date. Returns whether there are any. */
async function reportStale(print: Print, options: GeneratingOptions): Promise<boolean> {
  // Loaded on demand: it takes longer to load than other commands take to run.
  const { findDifferences } = await import('../receipts.js');
  const differences = findDifferences(await withServer(options));
  for (const { path, problem } of differences) print(`${printable(path)}: ${problem}\n`);
  if (differences.length === 0) return false;
  const stale = `${amount(differences.length, 'generated file')} ${differences.length === 1 ? 'is' : 'are'}`;
  process.stderr.write(`${stale} stale. To fix this, run: ${printable(generateLine(options))}\n`);
  return true;
}

interface InterruptedRun extends Leftover {
  /** The program that was interrupted. */
  readonly what: string;
  /** The command line that completes the run. */
  readonly remedy: string;
}

const bumpScript = 'scripts/bump-qemu';

/** Returns interrupted runs that may have left the output, or the schemas it is made from, incomplete. */
function interruptedRuns(options: GeneratingOptions): InterruptedRun[] {
  const runs = (folder: string, what: string, remedy: string): InterruptedRun[] =>
    leftoversIn(folder).map((leftover) => ({ ...leftover, what, remedy }));
  const own = runs(options.out, 'generate', generateLine(options));
  const { schema, connect, introspection } = options;
  if ([schema, connect, introspection].some((one) => one !== undefined)) return own;
  const schemas = schemaFolder();
  const repository = dirname(schemas);
  return [
    ...own,
    ...servers.flatMap(({ name }) => runs(join(options.out, name), 'generate', generateLine(options))),
    ...runs(schemas, 'vendor', 'npx qapi-ts vendor SOURCE --version VERSION'),
    // The script exists only in the repository, not in the published package.
    ...(existsSync(join(repository, bumpScript)) ? runs(repository, 'bump-qemu', `${bumpScript} VERSION`) : []),
  ];
}

/** Returns the command line, quoted for a shell, that runs `generate` with the same options. */
function generateLine(options: GeneratingOptions): string {
  const { schema, qemu, connect, introspection, names, server, out, docs, jsonSchema, define } = options;
  const valued = Object.entries({ qemu, connect, introspection, names, server });
  return [
    'npx',
    'qapi-ts',
    'generate',
    ...(schema ?? []).flatMap((file) => ['--schema', file]),
    ...valued.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value])),
    ...(out === 'generated' ? [] : ['--out', out]),
    ...(docs === undefined ? [] : [docs ? '--docs' : '--no-docs']),
    ...(jsonSchema ? ['--json-schema'] : []),
    ...define.flatMap((name) => ['-D', name]),
  ]
    .map((word) => (/^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}
