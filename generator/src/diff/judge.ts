/**
 * What a difference means to a client. The rules are those of QEMU's manual: what goes out may be taken more freely, what comes in may
 * become more (docs/devel/qapi-code-gen.rst, "Compatibility considerations"; docs/interop/qmp-spec.rst on what clients must not rely on).
 */

import type { ChangeKind, Side, Verdict } from './change.js';

/**
 * How the values of a type became those of another. `wider`: all that were, and others. `narrower`: none but those that were, and not
 * all. `different`: neither. `open`: wider, but of strings where there were the values of an enum. `unsigned`: wider, but what was a
 * negative number is now a large one. `gone`: there are none.
 */
export type Fit = 'wider' | 'narrower' | 'different' | 'open' | 'unsigned' | 'gone';

/** A difference, as far as its verdict needs it. */
export type Difference =
  | { readonly kind: 'member-added'; readonly mandatory: boolean }
  | { readonly kind: 'type-changed'; readonly fit: Fit }
  | { readonly kind: 'feature-added' | 'feature-removed'; readonly feature: string }
  /** `weaker`: every build that had it has it still. */
  | { readonly kind: 'condition-changed'; readonly weaker: boolean }
  /** `now`: the command takes further arguments now, or sends a reply. */
  | { readonly kind: 'further-arguments-changed' | 'reply-changed'; readonly now: boolean }
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
  /** Why, where the difference itself does not say it: a clause for people. */
  readonly reason?: string;
}

const harmless: Judgement = { verdict: 'harmless' };
const gone: Judgement = { verdict: 'breaking' };

export function judge(difference: Difference, side: Side): Judgement {
  const rule = rules[difference.kind] as (difference: Difference, isTaken: boolean) => Judgement;
  return rule(difference, side === 'callers');
}

type Rules = {
  readonly [K in ChangeKind]: (difference: Extract<Difference, { kind: K }>, isTaken: boolean) => Judgement;
};

/** By whether it is about what callers send, or about what readers find. */
const rules: Rules = {
  'command-added': () => harmless,
  'command-removed': () => gone,
  'event-added': () => harmless,
  'event-removed': () => gone,
  'oob-granted': () => harmless,
  'oob-withdrawn': () => breaking('out-of-band calls are refused'),
  'preconfig-granted': () => harmless,
  'preconfig-withdrawn': () => breaking("a server that was started with '-preconfig' refuses it until that is over"),
  'further-arguments-changed': ({ now }) =>
    now ? harmless : breaking('calls with arguments that are not in the schema are refused'),
  'reply-changed': ({ now }) =>
    now
      ? notable('who does not expect it may take it for the reply to another call')
      : breaking('who waits for it waits in vain'),
  'member-added': ({ mandatory }, isTaken) =>
    isTaken && mandatory ? breaking('calls without it are refused') : harmless,
  'member-removed': (_, isTaken) => (isTaken ? breaking('calls with it are refused') : gone),
  'member-optional': (_, isTaken) => (isTaken ? harmless : breaking('readers may not find it')),
  'member-mandatory': (_, isTaken) => (isTaken ? breaking('calls without it are refused') : harmless),
  'type-changed': ({ fit }, isTaken) => (isTaken ? judgeTaken(fit) : judgeRead(fit)),
  'value-added': (_, isTaken) => (isTaken ? harmless : notable('readers may find it')),
  'value-removed': (_, isTaken) =>
    isTaken ? breaking('calls with it are refused') : notable('readers do not find it'),
  'alternative-added': (_, isTaken) => (isTaken ? harmless : breaking('readers may find what they do not know')),
  'alternative-removed': (_, isTaken) => (isTaken ? breaking('calls with it are refused') : harmless),
  'feature-added': ({ feature }) => judgeNewFeature(feature),
  'feature-removed': ({ feature }) =>
    isWarning(feature) ? harmless : notable('programs that ask for it do not find it'),
  'condition-changed': ({ weaker }) => (weaker ? harmless : notable('a server may lack it')),
};

/** Of arguments: whether what was sent is still taken. */
function judgeTaken(fit: Fit): Judgement {
  switch (fit) {
    case 'wider':
    case 'open':
      return harmless;
    case 'unsigned':
      return notable('negative numbers are taken for large ones');
    case 'narrower':
    case 'different':
    case 'gone':
      return breaking('some values are refused');
  }
}

/** Of results and events: whether what comes was known. */
function judgeRead(fit: Fit): Judgement {
  switch (fit) {
    case 'narrower':
      return harmless;
    case 'open':
      return notable('readers may find any string');
    case 'gone':
      return gone;
    case 'wider':
    case 'unsigned':
    case 'different':
      return breaking('readers may find what they do not know');
  }
}

function judgeNewFeature(feature: string): Judgement {
  if (feature === 'deprecated') return notable('a later version may lack it');
  return feature === 'unstable' ? notable('any version may change it') : harmless;
}

/** Features that warn of a thing, rather than tell what it can do. */
export function isWarning(feature: string): boolean {
  return feature === 'deprecated' || feature === 'unstable';
}

function breaking(reason: string): Judgement {
  return { verdict: 'breaking', reason };
}

function notable(reason: string): Judgement {
  return { verdict: 'notable', reason };
}
