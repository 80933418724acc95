/**
 * Finds the changes between two schemas that affect clients.
 *
 * Types are compared where they occur, starting from commands and events, because their names do not matter to clients.
 * A pair of types is compared once for callers and once for readers. A change is listed once, with all its uses.
 */

import { evaluate, formatCondition, namesIn } from '../condition.js';
import { FileError } from '../errors.js';
import { maxAllLeaves } from '../leaves.js';
import type { Condition, Feature } from '../model.js';
import { optional } from '../optional.js';
import { groupByBranch } from './branch-values.js';
import { compareBranches, type Guarded, type GuardedBranch, type Pair } from './branches.js';
import type { Change, Place, Side, Use } from './change.js';
import { fitOf, plainFit, type Fit } from './fit.js';
import { isWarning, judge, type ChangeDetail } from './judge.js';
import { ofVersions, type Wording } from './wording.js';
import { Path } from './path.js';
import { Container, usesOf, type Occurrence, type RootPath } from './uses.js';
import {
  isEmpty,
  alternativesOf,
  type Marked,
  type PlainType,
  type WireAlternate,
  type WireAlternative,
  type WireCommand,
  type WireEnum,
  type WireEvent,
  type WireMember,
  type WireObject,
  type WireSchema,
  type WireType,
} from './wire.js';

/** The limit for combinations of branches in all comparisons. Each union may be compared to several others. */
const maxLeaves = 10 * maxAllLeaves;

/**
 * Returns changes in the order of the schema; those of new commands and events come last.
 *
 * @throws FileError if the branches of unions have too many combinations
 */
export function diff(old: WireSchema, newer: WireSchema, wording = ofVersions): Change[] {
  return new Comparer(old, newer, wording).run();
}

/** A type that may occur in many places. */
type NamedType = WireEnum | WireObject | WireAlternate;

/** Two named types of one kind that occur in the same place. */
interface TypePair extends Pair<NamedType> {
  readonly container: Container;
  readonly side: Side;
}

/** A change whose uses are not yet known. */
interface Draft {
  readonly detail: ChangeDetail;
  readonly side: Side;
  readonly place: Place;
  readonly text: (title: Title) => string;
  readonly occurrences: Occurrence[];
}

/** A change and its sort keys. */
interface Completed {
  readonly change: Change;
  readonly draft: Draft;
  /** The position of the first use's root among all roots. */
  readonly order: number;
  /** The number of members in the first use's path. */
  readonly steps: number;
}

/**
 * Returns the term for a member, such as `argument 'size'`, which depends on its first use.
 *
 * @param ofType ` of 'Type'`
 */
type Title = (member: string, ofType: string) => string;

/** Two parts that are being compared. */
interface Context {
  readonly side: Side;
  readonly occurrences: readonly [Occurrence, ...Occurrence[]];
  readonly place: Place;
  /** Drafts with the same kind and identity are the same change. */
  readonly identity: readonly unknown[];
  /** Returns the term for what is compared. */
  readonly subject: (title: Title) => string;
}

/** The terms for members that are not nested in others. */
const topLevel = { arguments: 'argument', result: 'result member', data: 'data member' } as const;

class Comparer {
  readonly #old: WireSchema;
  readonly #newer: WireSchema;
  readonly #wording: Wording;
  /** Whether neither side is an introspection, so that everything can be compared. */
  readonly #isExact: boolean;
  readonly #pairs = new Map<string, TypePair>();
  readonly #drafts = new Map<string, Draft>();
  readonly #ids = new Map<unknown, number>();
  #roots = 0;
  /** The number of combinations of branches that have been compared. */
  #leaves = 0;

  constructor(old: WireSchema, newer: WireSchema, wording: Wording) {
    this.#old = old;
    this.#newer = newer;
    this.#wording = wording;
    this.#isExact = !old.isIntrospection && !newer.isIntrospection;
  }

  run(): Change[] {
    for (const pair of named(this.#old.commands, this.#newer.commands)) this.#command(pair);
    for (const pair of named(this.#old.events, this.#newer.events)) this.#event(pair);
    // The loop adds more pairs.
    for (const pair of this.#pairs.values()) this.#compare(pair);
    const completed = [...this.#drafts.values()].map((draft) => this.#complete(draft));
    return this.#joined(completed)
      .toSorted((a, b) => a.order - b.order || a.steps - b.steps)
      .map(({ change }) => change);
  }

  /**
   * Joins changes that several branches of a union share. These occur in introspection, which has no bases but repeats
   * their members in each type.
   */
  #joined(completed: readonly Completed[]): readonly Completed[] {
    if (this.#isExact) return completed;
    const identityOf = ({ change: { kind, side, verdict, text, place } }: Completed): string => {
      const { oldType: _oldType, newType: _newType, ...within } = place;
      return JSON.stringify([kind, side, verdict, text, within]);
    };
    return groupByBranch(completed, ({ change }) => change.uses[0], identityOf).map(({ items }) => {
      if (items.length === 1) return items[0];
      const drafts = items.map(({ draft }) => draft);
      const place = commonPlace(drafts.map((draft) => draft.place));
      return this.#complete({ ...items[0].draft, place, occurrences: drafts.flatMap((draft) => draft.occurrences) });
    });
  }

  #command({ name, old, newer }: Named<WireCommand>): void {
    const context = this.#root('callers', { subject: 'command', name });
    if (!old) return this.#add(context, { kind: 'command-added' }, this.#wording.isNew);
    if (!newer) return this.#add(context, { kind: 'command-removed' }, this.#wording.isGone(warningsOf(old)));
    this.#marks(context, old, newer);
    if (old.oob && !newer.oob) this.#add(context, { kind: 'oob-withdrawn' }, this.#wording.cannotBeCalledOob);
    if (!old.oob && newer.oob) this.#add(context, { kind: 'oob-granted' }, this.#wording.canBeCalledOob);
    if (this.#isExact) this.#flags(context, old, newer);
    const taken = this.#root('callers', { subject: 'command', name, role: 'arguments' });
    this.#reach(taken, old.arguments, newer.arguments);
    const returned = this.#root('readers', { subject: 'command', name, role: 'result' });
    this.#results(returned, old.result, newer.result);
  }

  /** Compares what introspection does not contain. */
  #flags(context: Context, old: WireCommand, newer: WireCommand): void {
    if (old.furtherArguments !== newer.furtherArguments) {
      const verb = newer.furtherArguments ? 'now takes' : 'no longer takes';
      const text = `${verb} arguments that are not in the schema`;
      this.#add(context, { kind: 'further-arguments-changed', isOn: newer.furtherArguments }, text);
    }
    if (old.replies !== newer.replies) {
      const text = `${newer.replies ? 'now sends' : 'no longer sends'} a reply on success`;
      this.#add({ ...context, side: 'readers' }, { kind: 'reply-changed', isOn: newer.replies }, text);
    }
    if (old.preconfig && !newer.preconfig) {
      this.#add(context, { kind: 'preconfig-withdrawn' }, 'can no longer be called before the machine is created');
    }
    if (!old.preconfig && newer.preconfig) {
      this.#add(context, { kind: 'preconfig-granted' }, 'can now be called before the machine is created');
    }
  }

  #event({ name, old, newer }: Named<WireEvent>): void {
    const context = this.#root('readers', { subject: 'event', name });
    if (!old) return this.#add(context, { kind: 'event-added' }, this.#wording.isNew);
    if (!newer) return this.#add(context, { kind: 'event-removed' }, this.#wording.isGone(warningsOf(old)));
    this.#marks(context, old, newer);
    this.#reach(this.#root('readers', { subject: 'event', name, role: 'data' }), old.data, newer.data);
  }

  #root(side: Side, use: Omit<Use, 'path'>): Context {
    const container = new Container({ ...use, order: this.#roots });
    this.#roots += 1;
    const subject = `the ${use.role ?? use.subject}`;
    const occurrences = [{ container, path: Path.whole }] as const;
    return { side, occurrences, place: {}, identity: [container], subject: () => subject };
  }

  #results(context: Context, old: WireType, newer: WireType): void {
    if (isEmpty(old) === isEmpty(newer)) return this.#types(context, old, newer);
    if (isEmpty(newer)) {
      const text = this.#wording.isGoneType(this.#describe(old, this.#old));
      return this.#add(context, { kind: 'type-changed', fit: 'gone' }, text);
    }
    const text = this.#wording.isNewType(this.#describe(newer, this.#newer));
    this.#add(context, { kind: 'type-changed', fit: 'narrower' }, text);
  }

  /** Schedules the comparison of two named types of one kind, unless that was done before. */
  #reach({ side, occurrences }: Context, old: NamedType, newer: NamedType): void {
    const key = this.#key(side, old, newer);
    let pair = this.#pairs.get(key);
    if (!pair) this.#pairs.set(key, (pair = { side, old, newer, container: new Container() }));
    pair.container.occurrences.push(...occurrences);
  }

  #compare({ container, side, old, newer }: TypePair): void {
    const at: Omit<Context, 'subject'> = {
      side,
      occurrences: [{ container, path: Path.whole }],
      place: typesOf(old, newer),
      identity: [old, newer],
    };
    if (old?.kind === 'enum' && newer?.kind === 'enum') this.#enums(at, old, newer);
    else if (old?.kind === 'object' && newer?.kind === 'object') this.#objects(at, old, newer);
    else if (old?.kind === 'alternate' && newer?.kind === 'alternate') this.#alternates(at, old, newer);
  }

  // Types where they occur

  #types(context: Context, old: WireType, newer: WireType): void {
    if (old.kind === 'alternate' && newer.kind === 'alternate') return this.#reach(context, old, newer);
    if (old.kind !== 'alternate' && newer.kind !== 'alternate') return this.#plain(context, old, newer);
    const [oldKinds, newKinds] = [alternativesOf(old), alternativesOf(newer)];
    const fit = fitOf(
      [...oldKinds.keys()].every((kind) => newKinds.has(kind) || newKinds.has('any')),
      [...newKinds.keys()].every((kind) => oldKinds.has(kind) || oldKinds.has('any')),
    );
    if (fit) this.#typeChanged(context, old, newer, fit);
    for (const { name: kind, ...pair } of named(oldKinds, newKinds)) {
      if (!pair.old || !pair.newer) continue;
      const subject = (title: Title): string => `${context.subject(title)} of kind '${kind}'`;
      const place = { ...context.place, alternative: kind };
      const inner = { ...context, place, identity: [...context.identity, kind], subject };
      this.#alternative(inner, pair.old, pair.newer);
    }
  }

  #plain(context: Context, old: PlainType, newer: PlainType): void {
    if (old.kind === 'object' && newer.kind === 'object') return this.#reach(context, old, newer);
    if (old.kind === 'enum' && newer.kind === 'enum') return this.#reach(context, old, newer);
    if (old.kind === 'array' && newer.kind === 'array') return this.#arrays(context, old.element, newer.element);
    const fit = plainFit(old, newer, context.side, this.#isExact);
    if (fit) this.#typeChanged(context, old, newer, fit);
  }

  #arrays(context: Context, old: WireType, newer: WireType): void {
    const [first, ...others] = context.occurrences;
    const inside = (one: Occurrence): Occurrence => ({ ...one, path: one.path.concat(Path.elements) });
    const subject = (title: Title): string => `each element of ${context.subject(title)}`;
    const occurrences = [inside(first), ...others.map(inside)] as const;
    this.#types({ ...context, occurrences, subject, identity: [...context.identity, '[]'] }, old, newer);
  }

  #typeChanged(context: Context, old: WireType, newer: WireType, fit: Fit): void {
    const text = this.#wording.hasType(this.#describe(newer, this.#newer), this.#describe(old, this.#old));
    this.#add(context, { kind: 'type-changed', fit }, text);
  }

  #describe(type: WireType, schema: WireSchema): string {
    if (type.kind === 'builtin') return `'${type.name}'`;
    if (type.kind === 'array') return `an array of ${this.#describeElement(type.element, schema)}`;
    if (type.name !== undefined && !schema.isIntrospection) return `${type.kind} '${type.name}'`;
    return `an ${type.kind}${kindsOf(type)}`;
  }

  #describeElement(type: WireType, schema: WireSchema): string {
    if (type.kind === 'builtin' || type.kind === 'array') return this.#describe(type, schema);
    return type.name === undefined || schema.isIntrospection ? `${type.kind}s${kindsOf(type)}` : `'${type.name}'`;
  }

  // Named types

  #enums(at: Omit<Context, 'subject'>, old: WireEnum, newer: WireEnum): void {
    this.#typeMarks(at, old, newer);
    for (const { name, ...value } of named(old.values, newer.values)) {
      const { place, identity } = at;
      const ofType = this.#of(old, newer);
      const context: Context = {
        ...at,
        place: { ...place, value: name },
        identity: [...identity, name],
        subject: () => `value '${name}'${ofType}`,
      };
      if (!value.old) {
        this.#addText(context, { kind: 'value-added' }, () => `'${name}' ${this.#wording.isNewValue(ofType)}`);
      } else if (!value.newer) {
        const text = `'${name}' ${this.#wording.isGoneValue(ofType, warningsOf(value.old))}`;
        this.#addText(context, { kind: 'value-removed' }, () => text);
      } else this.#marks(context, value.old, value.newer);
    }
  }

  #alternates(at: Omit<Context, 'subject'>, old: WireAlternate, newer: WireAlternate): void {
    this.#typeMarks(at, old, newer);
    const ofType = this.#of(old, newer);
    for (const { name: kind, ...alternative } of named(alternativesOf(old), alternativesOf(newer))) {
      const context: Context = {
        ...at,
        place: { ...at.place, alternative: kind },
        identity: [...at.identity, kind],
        subject: () => `the alternative of kind '${kind}'${ofType}`,
      };
      if (!alternative.old) this.#add(context, { kind: 'alternative-added' }, this.#wording.isNew);
      else if (!alternative.newer) this.#add(context, { kind: 'alternative-removed' }, this.#wording.isGone([]));
      else this.#alternative(context, alternative.old, alternative.newer);
    }
  }

  #alternative(context: Context, old: WireAlternative, newer: WireAlternative): void {
    this.#conditions(context, old.condition, newer.condition);
    this.#plain(context, old.type, newer.type);
  }

  #objects(at: Omit<Context, 'subject'>, old: WireObject, newer: WireObject): void {
    const { members, types, branches, leaves } = compareBranches(old, newer);
    if (branches.length > 0) this.#leaves += leaves;
    if (this.#leaves > maxLeaves) {
      throw new FileError(
        `cannot compare the schemas: the branches of their unions have more than ${maxLeaves} combinations`,
      );
    }
    const [{ container }] = at.occurrences;
    const behind = (guards: readonly Path[], path = Path.whole): [Occurrence, ...Occurrence[]] => {
      const [first = Path.whole, ...others] = guards;
      const occurrence = (guard: Path): Occurrence => ({ container, path: guard.concat(path) });
      return [occurrence(first), ...others.map(occurrence)];
    };
    for (const type of types) {
      const occurrences = behind(type.guards);
      const place = typesOf(type.old, type.newer);
      this.#typeMarks({ side: at.side, occurrences, place, identity: [type.old, type.newer] }, type.old, type.newer);
    }
    for (const branch of branches) this.#branch({ ...at, occurrences: behind(branch.guards) }, branch);
    for (const member of members) {
      const { name } = member.old ?? member.newer ?? { name: '' };
      this.#member({ side: at.side, occurrences: behind(member.guards, Path.member(name)) }, member, { old, newer });
    }
  }

  #branch(at: Omit<Context, 'subject'>, { old, newer, value, unions }: GuardedBranch): void {
    if (!old || !newer || (isEmpty(old.type) && isEmpty(newer.type))) return;
    // A branch usually has the condition of its value, which is compared as part of the enum.
    const isOfValue = (branch: { condition?: Condition }, union: WireObject | undefined): boolean =>
      !branch.condition || relate(branch.condition, conditionOfValue(union, value)) === 'same';
    if (isOfValue(old, unions.old) && isOfValue(newer, unions.newer)) return;
    const place = { ...typesOf(unions.old, unions.newer), value };
    const subject = (): string => `the branch '${value}'${this.#of(unions.old, unions.newer)}`;
    const context = { ...at, place, identity: [unions.old, unions.newer, value, 'branch'], subject };
    this.#conditions(context, old.condition, newer.condition);
  }

  #member(
    at: Pick<Context, 'side' | 'occurrences'>,
    { old, newer }: Guarded<WireMember>,
    pair: Pair<WireObject>,
  ): void {
    const any = old ?? newer;
    if (!any) return;
    const ofType = this.#of(old?.owner, newer?.owner);
    const context: Context = {
      ...at,
      place: { ...typesOf(old?.owner, newer?.owner), member: any.name },
      identity: [old?.owner, newer?.owner, any.name],
      subject: (title) => title(any.name, ofType),
    };
    if (!old) {
      const mandatory = !any.optional;
      const adjective = at.side === 'readers' ? '' : mandatory ? 'mandatory ' : 'optional ';
      const text = (title: Title): string => `${adjective}${context.subject(title)} ${this.#wording.isNew}`;
      return this.#addText(context, { kind: 'member-added', mandatory }, text);
    }
    if (!newer)
      return this.#add(
        this.#replaced(context, old, pair),
        { kind: 'member-removed' },
        this.#wording.isGone(warningsOf(old)),
      );
    if (old.optional && !newer.optional)
      this.#add(context, { kind: 'member-mandatory' }, this.#wording.is('mandatory'));
    if (!old.optional && newer.optional) this.#add(context, { kind: 'member-optional' }, this.#wording.is('optional'));
    this.#marks(context, old, newer);
    this.#types(context, old.type, newer.type);
  }

  /** Returns a context that names both types, if the member is missing because its type was replaced by another. */
  #replaced(context: Context, { name, owner }: WireMember, { old, newer }: Pair<WireObject>): Context {
    if (owner !== old || old.name === newer?.name || old.name === undefined || newer?.name === undefined)
      return context;
    if (this.#old.isIntrospection || this.#newer.isIntrospection) return context;
    const ofTypes = ` of '${old.name}' (now '${newer.name}')`;
    return { ...context, identity: [...context.identity, newer], subject: (title) => title(name, ofTypes) };
  }

  // Features and conditions

  #typeMarks(at: Omit<Context, 'subject'>, old: NamedType | undefined, newer: NamedType | undefined): void {
    const name = this.#nameOf(old, newer);
    const subject = (): string => (name === undefined ? 'the type' : `'${name}'`);
    this.#features({ ...at, subject }, old?.features ?? [], newer?.features ?? []);
  }

  #marks(context: Context, old: Marked, newer: Marked): void {
    this.#conditions(context, old.condition, newer.condition);
    this.#features(context, old.features, newer.features);
  }

  #features(context: Context, old: readonly Feature[], newer: readonly Feature[]): void {
    if (old.length === 0 && newer.length === 0) return;
    const byName = (features: readonly Feature[]): Map<string, Feature> =>
      new Map(features.map((feature) => [feature.name, feature]));
    for (const { name, ...feature } of named(byName(old), byName(newer))) {
      const { place, identity } = context;
      const at = { ...context, place: { ...place, feature: name }, identity: [...identity, 'feature', name] };
      if (!feature.old) {
        const text = isWarning(name) ? this.#wording.hasWarning(name) : this.#wording.hasFeature(name);
        this.#add(at, { kind: 'feature-added', feature: name }, text);
      } else if (!feature.newer) {
        const text = isWarning(name) ? this.#wording.isNot(name) : this.#wording.lacksFeature(name);
        this.#add(at, { kind: 'feature-removed', feature: name }, text);
      } else {
        const subject = (title: Title): string => `the feature '${name}' of ${context.subject(title)}`;
        this.#conditions({ ...at, subject }, feature.old.condition, feature.newer.condition);
      }
    }
  }

  #conditions(context: Context, old: Condition | undefined, newer: Condition | undefined): void {
    if (!this.#isExact) return;
    const relation = relate(old, newer);
    if (relation === 'same') return;
    const [oldBuilds, newBuilds] = [old, newer].map(
      (condition) => condition && `in builds with '${formatCondition(condition)}'`,
    );
    const before = oldBuilds === undefined ? '' : `; previously, only ${oldBuilds}`;
    const text = `${newBuilds === undefined ? 'now exists in every build' : `now exists only ${newBuilds}`}${before}`;
    this.#add(context, { kind: 'condition-changed', weaker: relation === 'weaker' }, text);
  }

  // Results

  /** @param text the predicate of the sentence */
  #add(context: Context, detail: ChangeDetail, text: string): void {
    this.#addText(context, detail, (title) => `${context.subject(title)} ${text}`);
  }

  #addText(context: Context, detail: ChangeDetail, text: Draft['text']): void {
    const { side, occurrences, place, identity } = context;
    const key = this.#key(detail.kind, side, ...identity);
    const known = this.#drafts.get(key);
    if (known) known.occurrences.push(...occurrences);
    else this.#drafts.set(key, { detail, side, place, text, occurrences: [...occurrences] });
  }

  #complete(draft: Draft): Completed {
    const { detail, side, place, text, occurrences } = draft;
    const [first, ...others] = usesOf(occurrences);
    if (!first) throw new Error(`a change without uses: ${JSON.stringify(place)}`);
    const { verdict, reason } = judge(detail, side);
    const sentence = text((member, ofType) => {
      if (first.path.length > 1) return `member '${member}'${ofType}`;
      return `${first.root.role ? topLevel[first.root.role] : 'member'} '${member}'`;
    });
    const change: Change = {
      kind: detail.kind,
      verdict,
      side,
      text: reason === undefined ? sentence : `${sentence}: ${reason}`,
      uses: [toUse(first), ...others.map(toUse)],
      place,
    };
    return { change, draft, order: first.root.order, steps: first.path.length };
  }

  /** Returns ` of 'Type'`, or '' if no name is known. */
  #of(old: NamedType | undefined, newer: NamedType | undefined): string {
    const name = this.#nameOf(old, newer);
    return name === undefined ? '' : ` of '${name}'`;
  }

  /** Returns the new name or, if that is unknown or in an introspection, the old one. */
  #nameOf(old: NamedType | undefined, newer: NamedType | undefined): string | undefined {
    return (
      (this.#newer.isIntrospection ? undefined : newer?.name) ?? (this.#old.isIntrospection ? undefined : old?.name)
    );
  }

  /** Returns a string that identifies a list of strings and objects. */
  #key(...things: readonly unknown[]): string {
    return things
      .map((thing) => {
        if (typeof thing !== 'object') return JSON.stringify(thing) ?? '';
        let id = this.#ids.get(thing);
        if (id === undefined) this.#ids.set(thing, (id = this.#ids.size));
        return id;
      })
      .join(' ');
  }
}

function warningsOf({ features }: Marked): string[] {
  return features.map(({ name }) => name).filter(isWarning);
}

function toUse({ root: { subject, name, role }, path }: RootPath): Use {
  return { subject, name, ...optional('role', role), path };
}

interface Named<T> extends Pair<T> {
  readonly name: string;
}

/** Returns all names in two maps, with both values. */
function named<T>(old: ReadonlyMap<string, T>, newer: ReadonlyMap<string, T>): Named<T>[] {
  const names = [...old.keys(), ...[...newer.keys()].filter((name) => !old.has(name))];
  return names.map((name) => ({ name, old: old.get(name), newer: newer.get(name) }));
}

function typesOf(old: NamedType | undefined, newer: NamedType | undefined): Place {
  return { ...optional('oldType', old?.name), ...optional('newType', newer?.name) };
}

/** Returns the properties that all places have in common. */
function commonPlace(places: readonly Place[]): Place {
  const [first = {}, ...others] = places;
  const isCommon = ([key, value]: [string, string]): boolean =>
    others.every((place) => place[key as keyof Place] === value);
  return Object.fromEntries(Object.entries(first).filter(isCommon));
}

/** Returns text such as ` of string, null` for an alternate. */
function kindsOf(type: WireType): string {
  return type.kind === 'alternate' ? ` of ${[...alternativesOf(type).keys()].join(', ')}` : '';
}

function conditionOfValue(union: WireObject | undefined, value: string): Condition | undefined {
  const type = union?.members.get(union.discriminator ?? '')?.type;
  return type?.kind === 'enum' ? type.values.get(value)?.condition : undefined;
}

/** The number of names up to which all combinations are tried. */
const maxNames = 10;

/** Compares two conditions. The new one is weaker if it holds whenever the old one does. */
function relate(old: Condition | undefined, newer: Condition | undefined): 'same' | 'weaker' | 'other' {
  if (!old || !newer) return old === newer ? 'same' : newer ? 'other' : 'weaker';
  if (formatCondition(old) === formatCondition(newer)) return 'same';
  const names = [...new Set([...namesIn(old), ...namesIn(newer)])];
  if (names.length > maxNames) return 'other';
  let isSame = true;
  for (let chosen = 0; chosen < 2 ** names.length; chosen += 1) {
    const valueOf = (name: string): boolean => (chosen & (1 << names.indexOf(name))) !== 0;
    const [held, holds] = [evaluate(old, valueOf), evaluate(newer, valueOf)];
    if (held && !holds) return 'other';
    isSame &&= held === holds;
  }
  return isSame ? 'same' : 'weaker';
}
