/** What differs between two schemas, as a client of the server sees it. */

/** Worst first. */
export const verdicts = ['breaking', 'notable', 'harmless'] as const;

/**
 * What a change means to a client that was written for the old schema. `breaking`: a call that worked is refused, or what a reader relies on
 * is no longer there. `notable`: nothing fails, but someone should know. `harmless`: nobody who does not want the new thing needs to know.
 */
export type Verdict = (typeof verdicts)[number];

/** Who may notice: those who send it, or those who read it. */
export type Side = 'callers' | 'readers';

/** One difference. */
export interface Change {
  /** For programs: what kind of difference it is. */
  readonly kind: ChangeKind;
  readonly verdict: Verdict;
  readonly side: Side;
  /** For people, a sentence without its end: `argument 'size' is now mandatory`. */
  readonly text: string;
  /** Where it is met, the shortest path first. A type that is used in forty places is one change. */
  readonly uses: readonly [Use, ...Use[]];
  /** The place in the schemas' own terms; absent parts do not apply. Old names are undefined for what is new, new ones for what is gone. */
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

/** A command or an event, and a way into what it carries. */
export interface Use {
  readonly subject: 'command' | 'event';
  /** Its name on the wire. */
  readonly name: string;
  /** Absent when the change is of the command or event itself. */
  readonly role?: 'arguments' | 'result' | 'data';
  /** From there, as in `.file(driver=nbd).server` or `[].inserted`; empty for the whole. */
  readonly path: string;
}

export interface Place {
  /** The QAPI type which has the member, value or alternative; that of the old schema, or of the new one when the old has none. */
  readonly oldType?: string;
  readonly newType?: string;
  /** A member of it. */
  readonly member?: string;
  /** A value of an enum, or of the discriminator whose branch it is about. */
  readonly value?: string;
  /** The JSON kind that decides for an alternative: `string`. */
  readonly alternative?: string;
  readonly feature?: string;
}

/** `blockdev-add: arguments.file(driver=nbd).server`; the name alone for the command or event itself. */
export function formatUse({ name, role, path }: Use): string {
  return role === undefined ? name : `${name}: ${role}${path}`;
}
