/**
 * Decides what a change means for clients, by the rules of QEMU's manual: arguments may become more permissive, results
 * and events may gain members (docs/devel/qapi-code-gen.rst, "Compatibility considerations"; docs/interop/qmp-spec.rst
 * lists what clients must not rely on).
 */

import type { ChangeKind, Side, Verdict } from './change.js';
import type { Fit } from './fit.js';

/** The kind of a change, with the facts that determine its verdict. */
export type ChangeDetail =
  | { readonly kind: 'member-added'; readonly mandatory: boolean }
  | { readonly kind: 'type-changed'; readonly fit: Fit }
  | { readonly kind: 'feature-added' | 'feature-removed'; readonly feature: string }
  /** `weaker`: every build that met the old condition meets the new one. */
  | { readonly kind: 'condition-changed'; readonly weaker: boolean }
  /** `isOn`: whether the new command takes further arguments, or sends a reply. */
  | { readonly kind: 'further-arguments-changed' | 'reply-changed'; readonly isOn: boolean }
  | { readonly kind: Exclude<ChangeKind, DetailedKind> };

type DetailedKind =
  | 'member-added'
  | 'type-changed'
  | 'feature-added'
  | 'feature-removed'
  | 'condition-changed'
  | 'further-arguments-changed'
  | 'reply-changed';

interface Judgement {
  readonly verdict: Verdict;
  /** The consequence, as a human-readable clause. Absent if it is obvious. */
  readonly reason?: string;
}

const harmless: Judgement = { verdict: 'harmless' };
const removed: Judgement = { verdict: 'breaking' };
const rejectedIfPassed = breaking('calls that pass it are rejected');
const rejectedIfOmitted = breaking('calls that omit it are rejected');

export function judge(detail: ChangeDetail, side: Side): Judgement {
  const rule = rules[detail.kind] as (detail: ChangeDetail, isSent: boolean) => Judgement;
  return rule(detail, side === 'callers');
}

/** The rule for each kind of change. It may depend on whether clients send or receive what changed. */
type Rules = {
  readonly [K in ChangeKind]: (detail: Extract<ChangeDetail, { kind: K }>, isSent: boolean) => Judgement;
};

const rules: Rules = {
  'command-added': () => harmless,
  'command-removed': () => removed,
  'event-added': () => harmless,
  'event-removed': () => removed,
  'oob-granted': () => harmless,
  'oob-withdrawn': () => breaking('out-of-band calls are rejected'),
  'preconfig-granted': () => harmless,
  'preconfig-withdrawn': () => breaking("a server started with '-preconfig' rejects it until then"),
  'further-arguments-changed': ({ isOn }) =>
    isOn ? harmless : breaking('calls that pass such arguments are rejected'),
  'reply-changed': ({ isOn }) =>
    isOn
      ? notable('clients that do not expect it may mistake it for the reply to another call')
      : breaking('clients that wait for it never receive one'),
  'member-added': ({ mandatory }, isSent) => (isSent && mandatory ? rejectedIfOmitted : harmless),
  'member-removed': (_, isSent) => (isSent ? rejectedIfPassed : removed),
  'member-optional': (_, isSent) => (isSent ? harmless : breaking('readers may not find it')),
  'member-mandatory': (_, isSent) => (isSent ? rejectedIfOmitted : harmless),
  'type-changed': ({ fit }, isSent) => (isSent ? judgeSent(fit) : judgeReceived(fit)),
  'value-added': (_, isSent) => (isSent ? harmless : notable('readers may receive it')),
  'value-removed': (_, isSent) => (isSent ? rejectedIfPassed : notable('readers never receive it')),
  'alternative-added': (_, isSent) => (isSent ? harmless : breaking('readers may receive values they do not expect')),
  'alternative-removed': (_, isSent) => (isSent ? rejectedIfPassed : harmless),
  'feature-added': ({ feature }) => judgeNewFeature(feature),
  'feature-removed': ({ feature }) =>
    isWarning(feature) ? harmless : notable('programs that check for it do not find it'),
  'condition-changed': ({ weaker }) => (weaker ? harmless : notable('some servers may lack it')),
};

/** Judges the type of an argument: whether the values that clients send are still accepted. */
function judgeSent(fit: Fit): Judgement {
  switch (fit) {
    case 'wider':
    case 'open':
      return harmless;
    case 'unsigned':
      return notable('negative numbers are read as large positive ones');
    case 'narrower':
    case 'different':
    case 'gone':
      return breaking('some values are rejected');
  }
}

/** Judges the type in a result or event: whether clients know the values that they receive. */
function judgeReceived(fit: Fit): Judgement {
  switch (fit) {
    case 'narrower':
      return harmless;
    case 'open':
      return notable('readers may receive any string');
    case 'gone':
      return removed;
    case 'wider':
    case 'unsigned':
    case 'different':
      return breaking('readers may receive values they do not expect');
  }
}

function judgeNewFeature(feature: string): Judgement {
  if (feature === 'deprecated') return notable('a later version may remove it');
  return feature === 'unstable' ? notable('any version may change it') : harmless;
}

/** Returns whether a feature is a warning, rather than a capability that programs check for. */
export function isWarning(feature: string): boolean {
  return feature === 'deprecated' || feature === 'unstable';
}

function breaking(reason: string): Judgement {
  return { verdict: 'breaking', reason };
}

function notable(reason: string): Judgement {
  return { verdict: 'notable', reason };
}
