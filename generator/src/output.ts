/** Writes generated files, all of them or none, and compares them to those on disk. */

import { fstatSync, lstatSync, readdirSync, readFileSync, readSync, statSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';

import { jsonSchemaMark, jsonSchemaSuffix } from './emit/json-schema.js';
import { generatedMark } from './emit/package.js';
import { FileError, reasonOf, UsageError } from './errors.js';
import { relativePath } from './paths.js';
import { describeKind, withRegular } from './sources/files.js';
import { replaceWhole, type Content } from './staged-write.js';

/** The files of one directory. */
export interface Output<T = string> {
  readonly folder: string;
  /** The content of the files by name. */
  readonly files: ReadonlyMap<string, T>;
}

/** The expected content of a file: its bytes, or a digest of them. */
export interface Expectation {
  readonly length: number;
  equals(bytes: Buffer): boolean;
}

export interface Difference {
  readonly path: string;
  /** How the file differs, as the end of a line that begins with the path. */
  readonly problem: string;
}

/**
 * Returns the differences between the files on disk and what they should be. Files that were not generated are ignored.
 *
 * @throws FileError if something else is in the place of a directory; file system errors
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
    return [...stale, ...leftovers.map((path) => ({ path, problem: 'no longer generated' }))];
  });
}

/**
 * Replaces generated files, and deletes those that are no longer generated. If anything fails, nothing is changed.
 *
 * @param root the directory that contains all outputs
 * @throws FileError if something that was not generated is in the way; InterruptError if a signal arrived; file system
 * errors
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
      const found = stat.isFile() ? 'not a generated file' : `${describeKind(stat)}, not a generated file`;
      throw new FileError(`'${path}' is ${found}: delete it, or choose another directory with --out`);
    },
  });
}

/** @throws UsageError if the root is empty; FileError if something else is in the place of a directory */
function requireFolders(root: string, outputs: readonly Output<unknown>[]): void {
  if (root === '') throw new UsageError('--out requires the path of a directory');
  requireFoldersTo(root);
  // Symbolic links are not followed here, because they might lead out of the root.
  for (const { folder } of outputs) {
    if (folder !== root) requireFolder(folder, lstatSync(folder, { throwIfNoEntry: false }));
  }
}

/** Checks a path from the top, so that the error names the part in the way. Links to directories are followed. */
function requireFoldersTo(path: string): void {
  const parent = dirname(path);
  if (parent !== path) requireFoldersTo(parent);
  requireFolder(path, statSync(path, { throwIfNoEntry: false }) ?? lstatSync(path, { throwIfNoEntry: false }));
}

function requireFolder(path: string, stat: Stats | undefined): void {
  if (!stat || stat.isDirectory()) return;
  throw new FileError(
    `'${path}' is ${describeKind(stat)}, not a directory: delete it, or choose another directory with --out`,
  );
}

/** Returns the names of files that an earlier run generated, but that are no longer generated. */
function generatedBefore(folder: string, files: ReadonlyMap<string, unknown>): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder)
    .filter((name) => (name.endsWith('.ts') || name.endsWith(jsonSchemaSuffix)) && !files.has(name))
    .filter((name) => isGenerated(join(folder, name)));
}

/** The number of bytes to read from the beginning of a file, where generated files have their mark. */
const headLength = 1024;

function isGenerated(path: string): boolean {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) return false;
  const head = readOpened(path, (fd) => {
    const bytes = Buffer.alloc(headLength);
    return bytes.toString('utf8', 0, readSync(fd, bytes));
  });
  return head.startsWith(generatedMark) || jsonSchemaMark.test(head);
}

/** Returns undefined if the file has the expected content. */
function problemWith(path: string, expected: Expectation): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return 'missing';
  if (!stat.isFile()) return `${describeKind(stat)}, not a file`;
  const isSame = readOpened(path, (fd) => {
    return fstatSync(fd).size === expected.length && expected.equals(readFileSync(fd));
  });
  return isSame ? undefined : 'different';
}

/** @throws FileError */
function readOpened<T>(path: string, read: (fd: number) => T): T {
  try {
    return withRegular(path, read, { followLinks: false });
  } catch (error) {
    throw new FileError(`cannot read '${path}': ${reasonOf(error)}`, { cause: error });
  }
}
