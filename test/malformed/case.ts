/** Schemas with one error each. */

import type { Files } from '../support/schema.js';

/**
 * A schema, and what is said of it: `LINE:COLUMN: MESSAGE`, with the file in front where there are several, and
 * `in DEFINITION:` before the message where it is in one.
 */
export type Malformed = readonly [given: string | Files, want: string, more?: More];

interface More {
  /** The version of QEMU whose rules apply; without it, the rules that all versions share. */
  readonly dialect?: string;
  /** QEMU's own compiler accepts it, and why. */
  readonly qemuTakesIt?: string;
}

/** By the section of QEMU's manual, docs/devel/qapi-code-gen.rst, that has the rule. */
export type Table = Readonly<Record<string, readonly Malformed[]>>;
