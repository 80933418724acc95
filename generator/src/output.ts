/** Generated files on disk: written whole or not at all, and compared. */

import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname, join } from 'node:path';

import { jsonSchemaMark, jsonSchemaSuffix } from './emit/json-schema.js';
import { generatedMark } from './emit/package.js';
import { FileError, UsageError } from './errors.js';
import { relativePath } from './paths.js';
import { replaceWhole, type Content } from './staged-write.js';

/** Files to be in one folder: texts by path relative to it. */
export interface Output<T = string> {
  readonly folder: string;
  readonly files: ReadonlyMap<string, T>;
}

/** The bytes that a file should have, as a buffer of them or otherwise. */
export interface Expectation {
  readonly length: number;
  equals(bytes: Buffer): boolean;
}

export interface Difference {
  readonly path: string;
  /** What follows the path in a sentence. */
  readonly problem: string;
}

/**
 * How what is on disk differs from what should be. Files that are not generated do not count.
 *
 * @throws FileError when there is no such folder, but something else; errors of the file system
 */
export function compare(root: string, outputs: readonly Output<string | Expectation>[]): Difference[] {
  requireFolders(root, outputs);
  return outputs.flatMap(({ folder, files }) => {
    const stale = [...files].flatMap(([name, content]): Difference[] => {
      const path = join(folder, name);
      const problem = problemWith(path, typeof content === 'string' ? Buffer.from(content) : content);
      return problem === undefined ? [] : [{ path, problem }];
    });
    const leftovers = generatedBefore(folder, files).map((name) => join(folder, name));
    return [...stale, ...leftovers.map((path) => ({ path, problem: 'not generated any more' }))];
  });
}

/**
 * Replaces what is there, and deletes what was generated and is not any more. When anything fails, everything is as before.
 *
 * @param root the folder that all outputs are in
 * @throws FileError when something that is not generated stands in the way; InterruptError when a signal came; errors of the file system
 */
export async function write(root: string, outputs: readonly Output[]): Promise<void> {
  requireFolders(root, outputs);
  await replaceWhole({
    root,
    folders: outputs.map(({ folder }) => folder).filter((folder) => folder !== root),
    plan: () => {
      const planned = outputs.flatMap(({ folder, files }): [string, Content][] => {
        const path = (name: string): string => relativePath(root, join(folder, name));
        return [
          ...[...files].map(([name, text]): [string, Content] => [path(name), text]),
          ...generatedBefore(folder, files).map((name): [string, Content] => [path(name), undefined]),
        ];
      });
      return new Map(planned);
    },
    verify: (path) => {
      if (isGenerated(path)) return;
      const stat = lstatSync(path);
      const found = stat.isFile() ? 'not a generated file' : `${kindOf(stat)}, not a generated file`;
      throw new FileError(`'${path}' is ${found}: delete it, or let the output go elsewhere with --out`);
    },
  });
}

/** @throws UsageError, FileError for what is not a folder, and cannot become one */
function requireFolders(root: string, outputs: readonly Output<unknown>[]): void {
  if (root === '') throw new UsageError('--out takes the path of a folder, not an empty one');
  requireFoldersTo(root);
  // Within the root, a link would lead out of it.
  for (const { folder } of outputs) {
    if (folder !== root) requireFolder(folder, lstatSync(folder, { throwIfNoEntry: false }));
  }
}

/** From the top, so that what is in the way is found where it is. A link to a folder is as good as the folder. */
function requireFoldersTo(path: string): void {
  const parent = dirname(path);
  if (parent !== path) requireFoldersTo(parent);
  requireFolder(path, statSync(path, { throwIfNoEntry: false }) ?? lstatSync(path, { throwIfNoEntry: false }));
}

function requireFolder(path: string, stat: Stats | undefined): void {
  if (!stat || stat.isDirectory()) return;
  const found = stat.isSymbolicLink() ? 'a symbolic link' : kindOf(stat);
  throw new FileError(`'${path}' is ${found}, not a folder: delete it, or let the output go elsewhere with --out`);
}

function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return 'a folder';
  if (stat.isSymbolicLink()) return 'a symbolic link';
  if (stat.isFIFO()) return 'a FIFO';
  if (stat.isSocket()) return 'a socket';
  return stat.isFile() ? 'a file' : 'a device';
}

/** The names of files that an earlier run generated. */
function generatedBefore(folder: string, files: ReadonlyMap<string, unknown>): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder)
    .filter((name) => (name.endsWith('.ts') || name.endsWith(jsonSchemaSuffix)) && !files.has(name))
    .filter((name) => isGenerated(join(folder, name)));
}

/** The marks of generated files stand at the beginning. */
const headLength = 1024;

function isGenerated(path: string): boolean {
  const head = fromFile(path, (descriptor) => {
    const bytes = Buffer.alloc(headLength);
    return bytes.toString('utf8', 0, readSync(descriptor, bytes));
  });
  return typeof head === 'string' && (head.startsWith(generatedMark) || jsonSchemaMark.test(head));
}

/** @returns undefined when the file has the bytes */
function problemWith(path: string, expected: Expectation): string | undefined {
  const isSame = fromFile(
    path,
    (descriptor, { size }) => size === expected.length && expected.equals(readFileSync(descriptor)),
  );
  if (typeof isSame === 'object') return `${kindOf(isSame)}, not a file`;
  return isSame === undefined ? 'missing' : isSame ? undefined : 'different';
}

/**
 * Reads from a regular file, and from nothing else: a FIFO or a device may never end.
 *
 * @returns undefined when there is nothing at the path; what there is when that is not a regular file
 */
function fromFile<T>(path: string, read: (descriptor: number, stat: Stats) => T): T | Stats | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile()) return stat;
  // Whatever has taken its place since, opening it does not wait.
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0));
  try {
    const opened = fstatSync(descriptor);
    return opened.isFile() ? read(descriptor, opened) : opened;
  } finally {
    closeSync(descriptor);
  }
}
