/**
 * The rules that only some versions of QEMU's schema compiler enforce.
 *
 * A dialect is the set of rules of one QEMU version. The lenient dialect has none of them, so it accepts every schema
 * that any QEMU since 5.2 accepts.
 */

import { UsageError } from '../errors.js';

interface Version {
  readonly major: number;
  readonly minor: number;
}

/** The versions that enforce a rule: from `since` on, and before `until`. */
interface VersionRange {
  readonly since?: string;
  readonly until?: string;
}

const rules = {
  /** Types have CamelCase names, events upper case, and everything else lower case. Only names of events have `_`. */
  'naming-conventions': { since: '6.0' },
  /** Names of members, values, features and alternatives are lower case. */
  'lower-case-members': { until: '6.0' },
  /** Optional members are not named `u` or `has-*`. All versions forbid this for other members. */
  'reserved-optional-names': { since: '6.0' },
  /** Names of commands and events do not end in `List`. All versions forbid this for types. */
  'list-suffix-on-all': { until: '6.0' },
  /** Names do not end in `Kind`, the suffix of the implicit enum of a union without a discriminator. */
  'kind-suffix': { until: '6.2' },
  /** There are no pragmas named `*-whitelist`. */
  'no-whitelist-pragmas': { since: '6.0' },
  /** There are no pragmas named `*-exceptions`. */
  'no-exceptions-pragmas': { until: '6.0' },
  /** There is no pragma `documentation-exceptions`. */
  'no-documentation-exceptions': { until: '9.0' },
  /** Members are documented, unless their definition is one of the `documentation-exceptions`. */
  'members-documented': { since: '9.0' },
  /** Conditions are not expressions of the C preprocessor, nor lists of them. */
  'no-text-conditions': { since: '6.2' },
  /** Conditions are not objects. */
  'no-structured-conditions': { until: '6.2' },
  /** Unions name a discriminator. */
  'union-needs-discriminator': { since: '6.2' },
  /** Branches of a union with a discriminator obey the rules for names, not only the values of the discriminator. */
  'branch-names': { until: '6.0' },
  /** Enum values have no features. */
  'no-value-features': { until: '6.2' },
  /** Types do not have the feature `unstable`. */
  'no-unstable-types': { since: '6.2' },
  /** Alternatives are not arrays. */
  'no-array-alternatives': { until: '7.1' },
  /** Branches are not unions. */
  'no-union-branches': { until: '8.1' },
  /** Arguments with conditional members are boxed. */
  'conditional-arguments-boxed': { since: '8.1' },
  /** A schema has at most 64 different features. */
  'feature-limit': { since: '10.0' },
  /** The lines of a description are indented like the text on its first line. */
  'doc-indent-as-first-line': { until: '8.1' },
  /** The lines of a description after the first are indented like the second. */
  'doc-indent-as-second-line': { since: '8.1', until: '9.0' },
  /** Sections begin after a blank line, and their text is indented; `Errors:` is one. */
  'doc-sections': { since: '9.0' },
  /** The second line of an indented introduction is indented like the first. Formerly, this was a quotation. */
  'doc-introduction-indent': { since: '11.1' },
  /** There is no space between a described name and its colon. In older versions, such a line is text. */
  'doc-colon-after-name': { since: '8.1' },
  /** There are no sections `Note:` and `Example:`. */
  'doc-no-notes': { since: '9.1' },
  /** A line that begins with `=` is a heading, which only free-form comments have. */
  'doc-equals-headings': { until: '10.1' },
  /** Lines of documentation have at most 70 characters. */
  'doc-line-length': { since: '10.2' },
  /** Sentences are separated by two spaces. */
  'doc-sentence-spacing': { since: '10.2' },
} as const satisfies Record<string, VersionRange>;

export type Rule = keyof typeof rules;

export interface Dialect {
  /** Undefined in the lenient dialect. */
  readonly version?: Version;
  enforces(rule: Rule): boolean;
}

/** The newest QEMU version whose rules are known. */
export const newestDialect = '11.1';
/** The oldest QEMU version whose rules are known. */
export const oldestDialect = '5.2';

export const lenient: Dialect = { enforces: () => false };

/** @throws UsageError if the text is not a version, or is older than {@link oldestDialect} */
export function dialectOf(text: string): Dialect {
  const version = parseVersion(text);
  if (!version || compare(version, known(oldestDialect)) < 0) {
    throw new UsageError(
      `unknown dialect '${text}': expected QEMU version ${oldestDialect} or later, such as ${newestDialect}`,
    );
  }
  const enforced = new Set(Object.entries(rules).flatMap(([rule, range]) => (includes(range, version) ? [rule] : [])));
  return { version, enforces: (rule) => enforced.has(rule) };
}

function includes({ since, until }: VersionRange, version: Version): boolean {
  return (!since || compare(version, known(since)) >= 0) && (!until || compare(version, known(until)) < 0);
}

/** Parses `10.2` or `10.2.2`. Rules do not depend on the third number. */
function parseVersion(text: string): Version | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})(?:\.\d{1,3})?$/u.exec(text);
  return match ? { major: Number(match[1]), minor: Number(match[2]) } : undefined;
}

function known(text: string): Version {
  const version = parseVersion(text);
  if (!version) throw new Error(`not a version: ${text}`);
  return version;
}

function compare(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor;
}
