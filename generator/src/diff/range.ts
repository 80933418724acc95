/** Compares a range of versions to one more version: what changes for a program that supports them all. */

import { embeddedRoot, serverOf, type ServerName } from '../embedded.js';
import { loadSchema } from '../frontend/load.js';
import type { Schema } from '../model.js';
import { merge, type Versioned } from '../model/merge.js';
import { versionsInRange } from '../sources/range.js';
import type { Change } from './change.js';
import { diff } from './compare.js';
import { wireOf } from './wire.js';

/**
 * Loads the embedded schemas of a range, oldest first.
 *
 * @throws UsageError if it is not a range, or there are fewer than two embedded versions in it
 */
export function loadRange(text: string, server: ServerName): Versioned[] {
  return versionsInRange(text).map((version) => ({
    version,
    schema: loadSchema(embeddedRoot(version, serverOf(server))),
  }));
}

/** The range, and the range with the version added. */
export interface Widened {
  readonly old: Schema;
  readonly new: Schema;
  readonly changes: Change[];
}

/**
 * Compares a range to itself and one more version, which is newer.
 *
 * What callers send has to be right for the added version, too, as if they were moving to it from the newest of the range.
 * Readers are affected only by what no version of the range already differs in: a member that some version lacks may be missing
 * from the added version, too.
 */
export function diffRange(range: readonly Versioned[], added: Schema, version: string): Widened {
  const old = merge(range);
  const widened = merge([...range, { version, schema: added }]);
  const newest = range.at(-1)?.schema ?? added;
  const isOptional = (name: string): boolean => old.definitions.get(name)?.in !== undefined;
  const forCallers = diff(wireOf(newest), wireOf(added)).filter(({ side, kind, uses: [{ name }] }) => {
    // A program asks for a command that not every version has, and never relies on an event that some lack.
    if (kind === 'command-removed' || kind === 'event-removed') return !isOptional(name);
    return side === 'callers' || kind === 'event-added';
  });
  const forReaders = diff(wireOf(old), wireOf(widened)).filter(({ side, kind }) => {
    return side === 'readers' && kind !== 'event-added';
  });
  return { old, new: widened, changes: [...forCallers, ...forReaders] };
}
