/** The form of the tables of schemas with one error each. */

import type { Files } from '../support/schema.js';

/**
 * A schema, and its error: `LINE:COLUMN: MESSAGE`, after the file if there are several, and with `in DEFINITION:`
 * before the message if the error is in a definition.
 */
export type Malformed = readonly [given: string | Files, want: string, more?: More];

interface More {
  /** The QEMU version whose rules apply. By default, the rules that all versions share. */
  readonly dialect?: string;
  /** The reason why QEMU's own compiler accepts the schema, if it does. */
  readonly qemuTakesIt?: string;
}

/** By the section of docs/devel/qapi-code-gen.rst in QEMU's manual that contains the rule. */
export type Table = Readonly<Record<string, readonly Malformed[]>>;
