/** Compares the server's version of QEMU to those of the generated code. */

import type { Notes } from './inspect.js';
import type { Type } from './type.js';
import type { AnyValidators, UsedCommand } from './validator.js';

/** The versions that generated code is for. */
export interface CodeVersions {
  /** The versions in words: `10.2.2`, `7.2.0 to 11.1.1`. */
  readonly text: string;
  /** Returns whether the code is for the server's version. */
  covers(server: string): boolean;
}

/** What the versions of a range have. */
export interface VersionRange extends CodeVersions {
  /**
   * Returns the validators for a server. Arguments may have whatever any version accepts, and must have what the server's
   * version requires; what it lacks is an issue of kind `version`. Results and events are those of the server's version.
   *
   * @param server its version, if known
   */
  validators(all: AnyValidators, server: string | undefined): ServerValidators;
  /**
   * Returns why a server may lack a part: `came with QEMU 7.2, this server is 5.2`. Returns undefined if its version has
   * the part, or is unknown.
   */
  absence(notes: Notes, server: string | undefined): string | undefined;
}

/** The validators for one server. */
export interface ServerValidators {
  command(name: string): UsedCommand | undefined;
  /** Returns the type of an event's data. */
  event(name: string): Type | undefined;
}

/** The part of a protocol that names the versions of the generated code. */
export interface Versioned {
  /** The QEMU version of the schema: `10.2.2`. */
  readonly qemu?: string;
  /** The QEMU versions of the schema, if it is for a range of them: made by `versionRange`. */
  readonly versions?: VersionRange;
}

/** Returns the versions that generated code is for, or undefined if it does not name them. */
export function codeVersions({ qemu, versions }: Versioned): CodeVersions | undefined {
  if (versions || qemu === undefined) return versions;
  return { text: qemu, covers: (server) => minorOf(server) === minorOf(qemu) };
}

/** Returns the version in a greeting, which may be anything. */
export function versionOf({ version }: { readonly version: { readonly qemu?: unknown } }): string | undefined {
  const { major, minor, micro } = (version.qemu ?? {}) as Readonly<Record<string, unknown>>;
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
