// @ts-check
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';

import { download, downloadLimits, shown } from '../generator/dist/sources/download.js';
import { releasesAddress } from '../generator/dist/sources/fetch.js';
import { Failure, listSources, makeTemporaryFolder, messageOf, upstreamVersion } from './debian.js';

/** A listing is much smaller than a release. */
const limits = { ...downloadLimits, time: 30_000, size: 1 << 24 };

/**
 * Returns the version of the newest QEMU that upstream lists or, if upstream cannot be reached, Debian. Release
 * candidates do not count.
 *
 * @returns {Promise<string>} a full version
 */
export async function newestRelease() {
  const upstream = releasesAddress();
  /** @type {[name: string, list: () => Promise<string[]>][]} */
  const sources = [
    [shown(upstream), () => listUpstream(upstream)],
    ["Debian's source packages", listDebian],
  ];
  const tried = [];
  for (const [name, list] of sources) {
    try {
      const newest = (await list()).toSorted(compareVersions).at(-1);
      if (newest !== undefined) return newest;
      tried.push(`  ${name}: no releases`);
    } catch (error) {
      tried.push(`  ${name}: ${messageOf(error).replaceAll('\n', '\n    ')}`);
    }
  }
  throw new Failure(3, `cannot find the newest release of QEMU. Tried:\n${tried.join('\n')}`);
}

/**
 * @param {string} a
 * @param {string} b
 */
export function compareVersions(a, b) {
  return a.localeCompare(b, 'en', { numeric: true });
}

/**
 * @param {URL} address
 * @returns {Promise<string[]>}
 */
async function listUpstream(address) {
  const page = await download(address, text, { limits });
  return [...page.matchAll(/\bqemu-(\d{1,3}\.\d{1,3}\.\d{1,3})\.tar\.xz(?![.\w])/g)].map(([, version = '']) => version);
}

/** @returns {Promise<string[]>} */
async function listDebian() {
  const { versions, problem } = await listSources(makeTemporaryFolder(tmpdir()));
  if (versions.length === 0) throw new Error(problem);
  return versions.flatMap((version) => upstreamVersion(version) ?? []);
}
