// @ts-check
/**
 * Access to Debian's archive for any user, without changing the system. The archive's address and keys come from the
 * machine's apt sources.
 */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/**
 * The suites of the main Debian archive, as apt sources name them. Security and third-party archives have other names.
 */
const DEBIAN_ARCHIVE_SUITE =
  /^(?:bullseye|bookworm|trixie|forky|duke|sid|oldoldstable|oldstable|stable|testing|unstable)$/;

/** The Debian suites to search. Codenames, because the QEMU version of a suite like `stable` changes. */
const DEBIAN_SUITES = ['bullseye', 'bookworm', 'trixie', 'sid'];

/** @typedef {{ uri: string, signedBy: string | undefined }} Archive */

/** An error with an exit status. Its message is for the user. */
export class Failure extends Error {
  /**
   * @param {1 | 2 | 3} exitCode
   * @param {string} message
   */
  constructor(exitCode, message) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** @param {unknown} error */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Returns the code of a system error, such as ENOENT.
 *
 * @param {unknown} error
 * @returns {string | undefined}
 */
export function codeOf(error) {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Runs a program and returns its standard output.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {string} [cwd]
 * @returns {Promise<string>}
 */
export async function run(program, args, cwd) {
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      maxBuffer: 1 << 28,
      ...(cwd !== undefined && { cwd }),
    });
    return stdout;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new Failure(3, `${program} is not installed`);
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Failure(3, `${program} failed: ${stderr || messageOf(error)}`);
  }
}

// Temporary directories

/** @type {string[]} */
const temporaryFolders = [];

/** @param {string} parent */
export function makeTemporaryFolder(parent) {
  if (temporaryFolders.length === 0) {
    process.once('exit', removeTemporaryFolders);
    // By default, a signal ends the process without an 'exit' event.
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => endBy(signal));
  }
  const folder = mkdtempSync(join(parent, '.qapi-ts-'));
  temporaryFolders.push(folder);
  return folder;
}

function removeTemporaryFolders() {
  for (const folder of temporaryFolders) rmSync(folder, { recursive: true, force: true });
}

/** @param {string} signal */
function endBy(signal) {
  removeTemporaryFolders();
  // Something else may be handling it, such as `replaceWhole`, which ends in its own time.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

// Apt

/**
 * Finds the Debian archive in the machine's apt sources.
 *
 * @param {string} text the content of a deb822-style file (`*.sources`)
 * @returns {Archive[]}
 */
function parseDeb822Sources(text) {
  const stanzas = text.replace(/^#.*\n?/gm, '').split(/\n[ \t]*\n/);
  return stanzas.flatMap((stanza) => {
    const fields = new Map(
      [...stanza.matchAll(/^([\w-]+):(.*(?:\n[ \t].*)*)/gm)].map(([, name = '', value = '']) => [
        name.toLowerCase(),
        value,
      ]),
    );
    const words = (/** @type {string} */ name) => (fields.get(name) ?? '').split(/\s+/).filter(Boolean);
    if (/^\s*(?:no|false|without|off|disable|0)\s*$/i.test(fields.get('enabled') ?? '')) return [];
    // Several addresses are mirrors of the same archive.
    return archive(words('uris')[0], words('suites'), words('components'), fields.get('signed-by')?.trim());
  });
}

/**
 * @param {string} text the content of a one-line-style file (`*.list`)
 * @returns {Archive[]}
 */
function parseOneLineSources(text) {
  return [
    ...text.matchAll(/^[ \t]*deb(?:-src)?[ \t]+(?:\[([^\]\n]*)\][ \t]+)?([^\s#]+)[ \t]+([^\s#]+)([^#\n]*)/gm),
  ].flatMap(([, options = '', uri, suite = '', components = '']) =>
    archive(uri, [suite], components.trim().split(/\s+/), /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1]),
  );
}

/**
 * Returns a list of one archive if the source may be the Debian archive, otherwise an empty list.
 *
 * @param {string | undefined} uri
 * @param {string[]} suites
 * @param {string[]} components
 * @param {string | undefined} signedBy
 * @returns {Archive[]}
 */
function archive(uri, suites, components, signedBy) {
  if (!uri || !components.includes('main') || !suites.some((suite) => DEBIAN_ARCHIVE_SUITE.test(suite))) return [];
  return [{ uri: uri.replace(/\/*$/, '/'), signedBy }];
}

/** @returns {Promise<Archive[]>} */
export async function findArchives() {
  const query = ['LIST', 'Dir::Etc::sourcelist/f', 'PARTS', 'Dir::Etc::sourceparts/d'];
  const answer = await run('apt-config', ['shell', ...query]);
  const [, list = ''] = /^LIST='(.*)'$/m.exec(answer) ?? [];
  const [, parts = ''] = /^PARTS='(.*)'$/m.exec(answer) ?? [];
  const files = [list, ...(existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : [])];
  const archives = files.filter(existsSync).flatMap((file) => {
    if (file.endsWith('.sources')) return parseDeb822Sources(readFileSync(file, 'utf8'));
    if (file.endsWith('.list')) return parseOneLineSources(readFileSync(file, 'utf8'));
    return [];
  });
  if (archives.length === 0)
    throw new Error(`the apt sources of this machine (${list}, ${parts}) do not contain a Debian archive`);
  // The same archive is usually listed once per suite.
  return [...new Map(archives.map((found) => [found.uri, found])).values()];
}

/**
 * Writes a configuration that separates apt from the system: its own directories and sources, and no hooks that clean
 * or refresh the system's caches after an update.
 *
 * @param {Archive[]} archives
 * @param {string} folder
 * @param {'deb' | 'deb-src'} type whether to read binary or source packages
 * @param {readonly string[]} suites
 * @returns {string} the configuration file
 */
export function configureApt(archives, folder, type, suites) {
  for (const name of ['sources', 'lists', 'cache']) mkdirSync(join(folder, name));
  // An empty status file, so that no package counts as installed. Apt locks its directory, so /dev/null does not work.
  writeFileSync(join(folder, 'status'), '');
  // If root runs apt, apt downloads as an unprivileged user, who needs access.
  chmodSync(folder, 0o755);
  const stanzas = archives.map(({ uri, signedBy }) => {
    const keys = signedBy === undefined ? '' : `Signed-By: ${signedBy}\n`;
    return `Types: ${type}\nURIs: ${uri}\nSuites: ${suites.join(' ')}\nComponents: main\n${keys}`;
  });
  writeFileSync(join(folder, 'sources', 'debian.sources'), stanzas.join('\n'));
  const config = join(folder, 'apt.conf');
  writeFileSync(
    config,
    `Dir::State "${folder}";
Dir::State::lists "${folder}/lists";
Dir::State::status "${folder}/status";
Dir::Cache "${folder}/cache";
Dir::Cache::archives "${folder}/cache";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "${folder}/sources";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
`,
  );
  return config;
}

/**
 * Lists QEMU's source packages in {@link DEBIAN_SUITES}.
 *
 * @param {string} folder an empty directory
 * @returns {Promise<{ config: string, versions: string[], problem: string }>} apt's configuration; the versions of the
 * packages; and a message for when the wanted version is not among them
 */
export async function listSources(folder) {
  const config = configureApt(await findArchives(), folder, 'deb-src', DEBIAN_SUITES);
  // `update` fails if the archive lacks one of the suites, although it reads the others.
  const updateError = await run('apt-get', ['-c', config, 'update']).then(() => undefined, messageOf);
  const packages = await run('apt-cache', ['-c', config, 'showsrc', '--only-source', 'qemu']).catch(() => '');
  const versions = [...packages.matchAll(/^Version: *(\S+)/gm)].map(([, found = '']) => found);
  const found = versions.length > 0 ? `only ${versions.join(', ')}` : 'no QEMU at all';
  const problem = [
    `${DEBIAN_SUITES.join(', ')} have ${found}`,
    ...(updateError === undefined ? [] : [updateError]),
  ].join('\n');
  return { config, versions, problem };
}

/**
 * @param {string} debianVersion such as `1:7.2+dfsg-7+deb12u1`
 * @returns {string | undefined} the QEMU release, such as `7.2.0`
 */
export function upstreamVersion(debianVersion) {
  const [, release, patch = '.0'] = /^(?:\d+:)?(\d+\.\d+)(\.\d+)?(?:\+[^-]*)?-[^-]*$/.exec(debianVersion) ?? [];
  return release === undefined ? undefined : release + patch;
}

/**
 * Downloads the upstream part of a source package that no suite lists (any more). A pool keeps it for a while. Apt
 * verifies only what a suite lists, so the caller has to verify the content.
 *
 * @param {string} version a full version
 * @param {string} folder the target directory
 * @returns {Promise<string>} the tarball
 */
export async function downloadFromPool(version, folder) {
  // The suffix since QEMU 8.1. The tarballs of older versions have others, and are listed.
  const name = `qemu_${version}+ds.orig.tar.xz`;
  const target = join(folder, name);
  const problems = [];
  // Apt's own downloader supports all addresses and proxies that the machine is configured for. It is not in the PATH.
  const answer = await run('apt-config', ['shell', 'METHODS', 'Dir::Bin::methods/f']);
  const [, methods = ''] = /^METHODS='(.*)'$/m.exec(answer) ?? [];
  const helper = join(dirname(methods), 'apt-helper');
  for (const { uri } of await findArchives()) {
    try {
      await run(helper, ['download-file', `${uri}pool/main/q/qemu/${name}`, target]);
      return target;
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  throw new Error(problems.join('\n'));
}
