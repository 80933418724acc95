/**
 * The rules in which QEMU's schema compilers differ, each with the versions that have it. A rule forbids something.
 *
 * A dialect is the set of rules of one QEMU version. The lenient dialect has none of them, only what every QEMU from 5.2 on
 * enforces: it takes any schema that any of them took.
 */

import { UsageError } from '../errors.js';

export interface Version {
  readonly major: number;
  readonly minor: number;
}

/** Enforced from `since` on and before `until`. Rules without a row here hold in every version. */
interface Span {
  readonly since?: string;
  readonly until?: string;
}

const rules = {
  /** Type names are CamelCase, event names upper case, all others lower case; `_` only in events. */
  'naming-conventions': { since: '6.0' },
  /** Before those: lower case in names of members, values, features and alternatives. */
  'lower-case-members': { until: '6.0' },
  /** Optional members, too, are not called `u`, and not `has-` anything. */
  'reserved-optional-names': { since: '6.0' },
  /** Any name, not only a type's, must not end in `List`. */
  'list-suffix-on-all': { until: '6.0' },
  /** No name ends in `Kind`, the suffix of implicit enums of unions without discriminator. */
  'kind-suffix': { until: '6.2' },
  /** No pragmas named `*-whitelist`. */
  'no-whitelist-pragmas': { since: '6.0' },
  /** No pragmas named `*-exceptions`. */
  'no-exceptions-pragmas': { until: '6.0' },
  /** No pragma `documentation-exceptions`. */
  'no-documentation-exceptions': { until: '9.0' },
  /** Members are documented, unless that pragma excepts their definition. */
  'members-documented': { since: '9.0' },
  /** Conditions are no C preprocessor expressions, nor lists of them. */
  'no-text-conditions': { since: '6.2' },
  /** Conditions are no objects. */
  'no-structured-conditions': { until: '6.2' },
  /** Unions name a discriminator. */
  'union-needs-discriminator': { since: '6.2' },
  /** Branch names of unions are checked as names, not only as values of the discriminator. */
  'branch-names': { until: '6.2' },
  /** Enum values have no features. */
  'no-value-features': { until: '6.2' },
  /** Types do not have the feature `unstable`. */
  'no-unstable-types': { since: '6.2' },
  /** Alternatives are no arrays. */
  'no-array-alternatives': { until: '7.1' },
  /** Branches are structs, not unions. */
  'no-union-branches': { until: '8.1' },
  /** Arguments with conditional members are boxed. */
  'conditional-arguments-boxed': { since: '8.1' },
  /** A schema has at most 64 different features. */
  'feature-limit': { since: '10.0' },
  /** A continuation line of a description is indented like the description's text on its first line. */
  'doc-indent-as-first-line': { until: '8.1' },
  /** A continuation line of a description is indented like the first continuation line. */
  'doc-indent-as-second-line': { since: '8.1', until: '9.0' },
  /** Sections begin after a blank line, and their text is indented; `Errors:` is one. */
  'doc-sections': { since: '9.0' },
  /** No space between a described name and its colon. Before that, such a line was text. */
  'doc-colon-after-name': { since: '8.1' },
  /** `Note:` and `Example:` are no sections. */
  'doc-no-notes': { since: '9.1' },
  /** `=` begins a heading, which is for free-form comments. */
  'doc-equals-headings': { until: '10.1' },
  /** At most 70 characters on a line. */
  'doc-line-length': { since: '10.2' },
  /** Two spaces between sentences. */
  'doc-sentence-spacing': { since: '10.2' },
} as const satisfies Record<string, Span>;

export type Rule = keyof typeof rules;

export interface Dialect {
  /** A version, or undefined for the lenient dialect. */
  readonly version?: Version;
  enforces(rule: Rule): boolean;
}

/** The newest QEMU whose rules are known. */
export const newestDialect = '10.2';
/** The oldest one. */
export const oldestDialect = '5.2';

export const lenient: Dialect = { enforces: () => false };

/** @throws UsageError when the text is no version, or one before {@link oldestDialect} */
export function dialectOf(text: string): Dialect {
  const version = parseVersion(text);
  if (!version || compare(version, known(oldestDialect)) < 0) {
    throw new UsageError(
      `unknown dialect '${text}': give a QEMU version from ${oldestDialect} on, such as ${newestDialect}`,
    );
  }
  return {
    version,
    enforces: (rule) => {
      const { since, until }: Span = rules[rule];
      return (!since || compare(version, known(since)) >= 0) && (!until || compare(version, known(until)) < 0);
    },
  };
}

/** `10.2` or `10.2.2`; what follows the minor number makes no difference. */
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
