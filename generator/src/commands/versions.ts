import { currentVersion, embeddedVersions } from '../embedded.js';
import { compareVersions } from '../qemu-version.js';
import { cachedVersions, readCached } from '../sources/cache.js';
import { exitCodes, type Print, type Subcommand } from './command.js';

export const versionsCommand: Subcommand = {
  declare: (command) => command.description('list the QEMU versions that are embedded or cached, and the current one'),
  run,
};

function run(print: Print): number {
  const [embedded, cached, current] = [embeddedVersions(), cachedVersions(), currentVersion()];
  const versions = [...new Set([...embedded, ...cached])].toSorted(compareVersions);
  const width = Math.max(...versions.map((version) => version.length));
  for (const version of versions) {
    const places = [
      ...(embedded.includes(version) ? ['embedded'] : []),
      ...(cached.includes(version) ? [readCached(version)?.files ? 'cached' : 'cached (damaged)'] : []),
    ];
    print(`${version.padEnd(width)}  ${places.join(', ')}${version === current ? '  current' : ''}\n`);
  }
  return exitCodes.ok;
}
