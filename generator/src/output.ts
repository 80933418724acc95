/** Generated files on disk: written whole or not at all, and compared. */

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';

import { jsonSchemaMark, jsonSchemaSuffix } from './emit/json-schema.js';
import { generatedMark } from './emit/package.js';
import { FileError } from './errors.js';

/** Files to be in one folder: texts by path relative to it. */
export interface Output {
  readonly folder: string;
  readonly files: ReadonlyMap<string, string>;
}

export interface Difference {
  readonly path: string;
  readonly problem: 'missing' | 'different' | 'not generated any more';
}

/** How what is on disk differs from what should be. Files that are not generated do not count. */
export function compare(outputs: readonly Output[]): Difference[] {
  return outputs.flatMap(({ folder, files }) => {
    const stale = [...files].flatMap(([name, text]): Difference[] => {
      const path = join(folder, name);
      const existing = readIfThere(path);
      if (existing === text) return [];
      return [{ path, problem: existing === undefined ? 'missing' : 'different' }];
    });
    return [
      ...stale,
      ...leftovers(folder, files).map((path) => ({ path, problem: 'not generated any more' as const })),
    ];
  });
}

/**
 * Replaces what is there, and deletes what was generated and is not any more. When anything fails, everything is as before.
 *
 * @throws FileError when something that is not generated stands in the way; errors of the file system
 */
export function write(outputs: readonly Output[]): void {
  const changes: Change[] = [];
  try {
    for (const output of outputs) changes.push(stage(output));
    for (const change of changes) change.apply();
  } catch (error) {
    for (const change of changes.toReversed()) change.undo();
    throw error;
  } finally {
    for (const change of changes) change.clear();
  }
}

interface Change {
  apply(): void;
  undo(): void;
  /** Removes what the change needed. */
  clear(): void;
}

/** Writes the new files beside their places, in the folder itself so that they are on its file system. */
function stage({ folder, files }: Output): Change {
  mkdirSync(folder, { recursive: true });
  const place = mkdtempSync(join(folder, '.qapi-ts-'));
  const moves: { readonly from: string; readonly to: string }[] = [];
  const move = (from: string, to: string): void => {
    renameSync(from, to);
    moves.push({ from, to });
  };
  const clear = (): void => rmSync(place, { recursive: true, force: true });
  try {
    for (const [name, text] of files) writeFileSync(join(place, name), text);
  } catch (error) {
    clear();
    throw error;
  }
  return {
    apply() {
      const old = [...files.keys()].map((name) => join(folder, name)).filter((path) => isGenerated(path) !== undefined);
      const occupied = old.find((path) => !isGenerated(path));
      if (occupied !== undefined)
        throw new FileError(
          `${occupied} is not a generated file: delete it, or let the output go elsewhere with --out`,
        );
      for (const path of [...old, ...leftovers(folder, files)]) move(path, join(place, `old ${basename(path)}`));
      for (const name of files.keys()) move(join(place, name), join(folder, name));
    },
    undo() {
      for (const { from, to } of moves.toReversed()) renameSync(to, from);
    },
    clear,
  };
}

/** Files that an earlier run generated. */
function leftovers(folder: string, files: ReadonlyMap<string, string>): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder)
    .filter((name) => (name.endsWith('.ts') || name.endsWith(jsonSchemaSuffix)) && !files.has(name))
    .map((name) => join(folder, name))
    .filter((path) => isGenerated(path));
}

/** @returns undefined when there is nothing at the path */
function isGenerated(path: string): boolean | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile()) return stat && false;
  const text = readFileSync(path, 'utf8');
  return text.startsWith(generatedMark) || jsonSchemaMark.test(text);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
