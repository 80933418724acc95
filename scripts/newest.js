// @ts-check
import { tmpdir } from 'node:os';

import { Failure, listSources, makeTemporaryFolder, messageOf, upstreamVersion } from './debian.js';

const UPSTREAM = (process.env['QAPI_TS_MIRROR'] || 'https://download.qemu.org').replace(/\/+$/, '');

/** The longest time to wait for upstream's listing. */
const TIMEOUT_MS = 30_000;

/**
 * Returns the version of the newest QEMU that upstream lists or, if upstream cannot be reached, Debian. Release
 * candidates do not count.
 *
 * @returns {Promise<string>} a full version
 */
export async function newestRelease() {
  /** @type {[name: string, list: () => Promise<string[]>][]} */
  const sources = [
    [`${UPSTREAM}/`, listUpstream],
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

/** @returns {Promise<string[]>} */
async function listUpstream() {
  const response = await fetch(`${UPSTREAM}/`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`the server responded ${response.status} ${response.statusText}`);
  const page = await response.text();
  return [...page.matchAll(/\bqemu-(\d{1,3}\.\d{1,3}\.\d{1,3})\.tar\.xz(?![.\w])/g)].map(([, version = '']) => version);
}

/** @returns {Promise<string[]>} */
async function listDebian() {
  const { versions, problem } = await listSources(makeTemporaryFolder(tmpdir()));
  if (versions.length === 0) throw new Error(problem);
  return versions.flatMap((version) => upstreamVersion(version) ?? []);
}
