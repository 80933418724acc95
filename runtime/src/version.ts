/** Compares the server's version of QEMU to those of the generated code. */

import type { Greeting, Protocol } from './session.js';

/** The versions that generated code is for. */
export interface CodeVersions {
  /** The versions in words: `10.2.2`, `7.2.0 to 11.1.1`. */
  readonly text: string;
  /** Returns whether the code is for the server's version. */
  covers(server: string): boolean;
}

/** Returns the versions that generated code is for, or undefined if it does not name them. */
export function codeVersions({ qemu, versions }: Pick<Protocol, 'qemu' | 'versions'>): CodeVersions | undefined {
  if (versions || qemu === undefined) return versions;
  return { text: qemu, covers: (server) => minorOf(server) === minorOf(qemu) };
}

/** Returns the version in a greeting, which may be anything. */
export function versionOf({ version }: Greeting): string | undefined {
  const { major, minor, micro } = (version.qemu ?? {}) as Partial<Greeting['version']['qemu']>;
  const numbers = [major, minor, micro];
  return numbers.every(Number.isSafeInteger) ? numbers.join('.') : undefined;
}

/** Returns the version at the beginning of a text from the server, which may be anything. */
export function versionIn(text: unknown): string | undefined {
  return typeof text === 'string' ? /^\d{1,5}\.\d{1,5}\.\d{1,5}/u.exec(text)?.[0] : undefined;
}

/** Returns a version without its last number: `10.2` for `10.2.2`. */
export function minorOf(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

/** Returns a number by which minor versions can be compared. */
export function numberOf(version: string): number {
  const [major, minor] = version.split('.').map(Number);
  return (major ?? 0) * 1e6 + (minor ?? 0);
}
