/** The changes between two schemas, as clients of the server see them. */

import type { Path } from './path.js';

/** Worst first. */
export const verdicts = ['breaking', 'notable', 'harmless'] as const;

/**
 * What a change means for a client that was written for the old schema. `breaking`: a valid call is rejected, or
 * something that readers rely on is missing. `notable`: nothing fails, but the change deserves attention. `harmless`:
 * the change matters only to clients that want to use what is new.
 */
export type Verdict = (typeof verdicts)[number];

/** The clients that a change affects: callers send arguments; readers receive results and events. */
export type Side = 'callers' | 'readers';

export interface Change {
  /** Machine-readable. */
  readonly kind: ChangeKind;
  readonly verdict: Verdict;
  readonly side: Side;
  /** Human-readable: a sentence without its period, such as `argument 'size' is now mandatory`. */
  readonly text: string;
  /** Where the change affects clients, shortest path first. A change to a type used in forty places is one change. */
  readonly uses: readonly [Use, ...Use[]];
  readonly place: Place;
}

const changeKinds = [
  'command-added',
  'command-removed',
  'event-added',
  'event-removed',
  'member-added',
  'member-removed',
  'member-optional',
  'member-mandatory',
  'type-changed',
  'value-added',
  'value-removed',
  'alternative-added',
  'alternative-removed',
  'feature-added',
  'feature-removed',
  'condition-changed',
  'oob-granted',
  'oob-withdrawn',
  'further-arguments-changed',
  'reply-changed',
  'preconfig-granted',
  'preconfig-withdrawn',
] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** A command or event, or a path into its arguments, result or data. */
export interface Use {
  readonly subject: 'command' | 'event';
  /** The wire name of the command or event. */
  readonly name: string;
  /** Absent if the change concerns the command or event itself. */
  readonly role?: 'arguments' | 'result' | 'data';
  /** The path from there; empty for the whole. */
  readonly path: Path;
}

/** The location of a change in the schemas. Absent properties do not apply. */
export interface Place {
  /** The QAPI type that has the member, value or alternative in the old schema; absent if it is new. */
  readonly oldType?: string;
  /** The type that has it in the new schema; absent if it was removed. */
  readonly newType?: string;
  readonly member?: string;
  /** A value of an enum, or the discriminator value of a branch. */
  readonly value?: string;
  /** The JSON kind of an alternative, such as `string`. */
  readonly alternative?: string;
  readonly feature?: string;
}

/** Returns text such as `blockdev-add: arguments.file(driver=nbd).server`, or only the name of a command or event. */
export function formatUse({ name, role, path }: Use): string {
  return role === undefined ? name : `${name}: ${role}${path.text}`;
}
