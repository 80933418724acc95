/** The cache: schemas of QEMU releases, with their documentation, as downloaded by `qapi-ts fetch`. */

import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import nodePath, { basename, join } from 'node:path';

import { FileError } from '../errors.js';
import { compareVersions } from '../qemu-version.js';
import { replaceWhole, requireWritable } from '../staged-write.js';
import { readNamed, treeReader } from './files.js';
import { digestOf, fullVersion, isSchemaFile, readPins, schemaFolders, sha256Pattern, type Files } from './release.js';

/** The file in a version's directory that contains the digest of its schemas. */
const digestFile = 'digest';

/**
 * Returns the directory of the cache: the environment variable QAPI_TS_CACHE, or else this platform's directory for
 * caches of the user.
 *
 * @returns undefined if there is none, because the user has no home directory
 */
export function cacheFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: () => string = homedir,
): string | undefined {
  const { QAPI_TS_CACHE: own, XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = env;
  const path = platform === 'win32' ? nodePath.win32 : nodePath.posix;
  if (own) return path.resolve(own);
  const given = platform === 'win32' ? local : platform === 'darwin' ? undefined : xdg;
  // A relative path would mean another directory for each working directory.
  if (given && path.isAbsolute(given)) return path.join(given, 'qapi-ts');
  const inHome = platform === 'win32' ? 'AppData\\Local' : platform === 'darwin' ? 'Library/Caches' : '.cache';
  const folder = homeOf(home);
  return path.isAbsolute(folder) ? path.join(folder, inHome, 'qapi-ts') : undefined;
}

function homeOf(home: () => string): string {
  try {
    return home();
  } catch {
    // The user is not in the system's database.
    return '';
  }
}

/** Returns the directory of a version in the cache. */
export function cachedFolder(version: string): string {
  return join(requireFolder(), version);
}

function requireFolder(): string {
  const folder = cacheFolder();
  if (folder !== undefined) return folder;
  throw new FileError('there is no directory for the cache, because there is no home directory: set QAPI_TS_CACHE');
}

/** Returns the versions in the cache, oldest first. They may be damaged. */
export function cachedVersions(): string[] {
  const folder = cacheFolder();
  if (folder === undefined) return [];
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && fullVersion.test(entry.name))
      .map(({ name }) => name)
      .toSorted(compareVersions);
  } catch {
    // A cache that cannot be listed must not get in the way of embedded schemas. `fetch` reports the reason.
    return [];
  }
}

/** A version in the cache. */
interface Cached {
  /** The expected digest: the pinned one or, for a version that is not pinned, the one that was given to `fetch`. */
  readonly digest: string | undefined;
  /** Absent if the content does not have the expected digest, or cannot be read. */
  readonly files?: Files;
}

/**
 * Reads and verifies a version in the cache.
 *
 * @returns undefined if the version is not in the cache
 */
export function readCached(version: string): Cached | undefined {
  const folder = cachedFolder(version);
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const digest = readPins().get(version) ?? storedDigest(folder);
  const files = filesIn(folder);
  return { digest, ...(files && digestOf(files) === digest && { files }) };
}

function storedDigest(folder: string): string | undefined {
  try {
    const text = readNamed(join(folder, digestFile)).toString('latin1').trim();
    return sha256Pattern.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Returns undefined if a file cannot be read. */
function filesIn(folder: string): Files | undefined {
  const read = treeReader(folder);
  try {
    const paths = schemaFolders
      .filter((inTree) => existsSync(join(folder, inTree)))
      .flatMap((inTree) => readdirSync(join(folder, inTree)).map((name) => `${inTree}/${name}`))
      .filter(isSchemaFile);
    return new Map(paths.map((path) => [path, read(join(folder, path))]));
  } catch {
    return undefined;
  }
}

/**
 * Creates the cache's directory, if it is missing.
 *
 * @throws file system errors, also if the directory is not writable
 */
export function prepareCache(): void {
  requireWritable(requireFolder());
}

/**
 * Writes a version to the cache, unless it is already there with the same digest.
 *
 * @throws InterruptError if a signal arrived; FileError if something else is in the way; file system errors
 */
export async function writeCached(version: string, digest: string, files: Files): Promise<void> {
  const content = new Map<string, string | Uint8Array>([...files].filter(([path]) => isSchemaFile(path)));
  content.set(digestFile, `${digest}\n`);
  await replaceWhole({
    root: requireFolder(),
    plan: () => {
      // Another run may have written it in the meantime.
      const present = readCached(version);
      if (present?.files && present.digest === digest) return new Map();
      return new Map([[version, content]]);
    },
    verify: verifyVersion,
  });
}

/** @throws FileError for anything but the directory of a version */
function verifyVersion(path: string): void {
  if (fullVersion.test(basename(path)) && lstatSync(path).isDirectory()) return;
  throw new FileError(`'${path}' is not a directory of a version's schemas: delete it`);
}
