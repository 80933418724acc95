/** Brings a QEMU release's schemas, with their documentation, into the cache: `qapi-ts fetch`. */

import { ArchiveError, FileError, ProgramError, ReleaseError, UsageError } from '../errors.js';
import { dialectOf } from '../frontend/dialect.js';
import { newestMatch } from '../qemu-version.js';
import { cachedFolder, prepareCache, readCached, writeCached } from './cache.js';
import { download, isHttp, shown, type DownloadLimits } from './download.js';
import { digestOf, fullVersion, isSchemaFile, readPins, sha256Pattern, verifyRelease, type Files } from './release.js';
import { readReleaseFrom } from './tarball.js';

const upstream = 'https://download.qemu.org';

export interface FetchOptions {
  /** The SHA-256 digest of the schemas. It is required for a version that is not pinned. */
  readonly digest?: string;
  /** By default, those of `download`. */
  readonly limits?: DownloadLimits;
  /** See `download`. */
  readonly onProgress?: (received: number, total?: number) => void;
  /** Called if the version is in the cache, but damaged. */
  readonly onDamaged?: (damaged: Pick<Fetched, 'version' | 'folder'>) => void;
}

export interface Fetched {
  /** The full version. */
  readonly version: string;
  /** The directory of the schemas in the cache. */
  readonly folder: string;
  /** Whether they were downloaded, rather than found in the cache. */
  readonly isNew: boolean;
}

/**
 * Downloads the schemas of a version into the cache, unless they are there already.
 *
 * @param wanted a full version, or a prefix, which selects the newest pinned version that begins with it
 * @throws UsageError; ReleaseError if the release is not what it should be, or cannot be verified; ServerError if it cannot
 * be downloaded; InterruptError if a signal arrived; FileError; file system errors
 */
export async function fetchRelease(wanted: string, options: FetchOptions = {}): Promise<Fetched> {
  const pins = readPins();
  const version = resolvePinned(wanted, pins);
  const known = knownDigest(version, pins.get(version), options.digest);
  const cached = readCached(version);
  const expected = known ?? cached?.digest;
  const fetched = { version, folder: cachedFolder(version) };
  if (cached?.files && cached.digest === expected) return { ...fetched, isNew: false };
  if (cached && !cached.files) options.onDamaged?.(fetched);
  // Before the download, so that an error of the cache's directory is noticed early.
  prepareCache();
  const files = await releaseAt(releaseAddress(version), version, expected, options);
  await writeCached(version, digestOf(files), files);
  return { ...fetched, isNew: true };
}

/** Returns the digest that is pinned, or given by the user. */
function knownDigest(version: string, pinned: string | undefined, given: string | undefined): string | undefined {
  const digest = given?.toLowerCase();
  if (digest === undefined) return pinned;
  if (!sha256Pattern.test(digest))
    throw new UsageError('--digest requires a SHA-256 digest, which has 64 hexadecimal digits');
  if (pinned === undefined || pinned === digest) return digest;
  throw new ReleaseError(`the schemas of QEMU ${version} have the digest ${pinned}, not ${digest}`);
}

/** @throws UsageError if the text is not a version that can be fetched */
function resolvePinned(wanted: string, pins: ReadonlyMap<string, string>): string {
  if (!fullVersion.test(wanted)) {
    const newest = newestMatch([...pins.keys()], wanted);
    if (newest !== undefined) return newest;
    throw new UsageError(`expected a full QEMU version such as 8.2.0, not '${wanted}'`);
  }
  // Rejects versions whose schemas cannot be read.
  dialectOf(wanted);
  return wanted;
}

/** Returns the address of a version's tarball. */
export function releaseAddress(version: string, env: NodeJS.ProcessEnv = process.env): URL {
  return new URL(`qemu-${version}.tar.xz`, releasesAddress(env));
}

/** Returns the address of all releases: upstream's, or the mirror named by QAPI_TS_MIRROR. */
export function releasesAddress(env: NodeJS.ProcessEnv = process.env): URL {
  const base = (env['QAPI_TS_MIRROR'] || upstream).replace(/\/*$/u, '/');
  const address = URL.canParse(base) ? new URL(base) : undefined;
  if (address && isHttp(address)) return address;
  throw new UsageError('the environment variable QAPI_TS_MIRROR is not an HTTP address');
}

/** Downloads and verifies a release. */
async function releaseAt(
  address: URL,
  version: string,
  digest: string | undefined,
  options: FetchOptions,
): Promise<Files> {
  const isWanted = (path: string): boolean => path === 'VERSION' || isSchemaFile(path);
  try {
    const { files } = await download(address, (chunks) => readReleaseFrom(chunks, isWanted), options);
    requireDigest(version, verifyRelease(files, version), digest);
    return files;
  } catch (error) {
    const isVerdict = error instanceof ReleaseError || error instanceof ArchiveError;
    if (isVerdict) throw new ReleaseError(`${shown(address)}: ${error.message}`, { cause: error });
    throw error instanceof ProgramError
      ? new FileError(`${shown(address)}: ${error.message}`, { cause: error })
      : error;
  }
}

function requireDigest(version: string, found: string, expected: string | undefined): void {
  if (found === expected) return;
  throw new ReleaseError(
    expected === undefined
      ? `QEMU ${version} cannot be verified, because this package does not know its digest. The schemas in this file ` +
          `have the digest ${found}. If another source confirms it, run: npx qapi-ts fetch ${version} --digest ${found}`
      : `the schemas have the digest ${found} instead of ${expected}`,
  );
}
