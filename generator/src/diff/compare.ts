/**
 * What differs between two schemas for a client.
 *
 * Types are compared where they are met, starting from commands and events: names of types are nothing to a client. A pair of types is compared
 * once for those who send it and once for those who read it, however often it is met; a difference is told once, with all its uses.
 */

import { evaluate, formatCondition, namesIn } from '../condition.js';
import { FileError } from '../errors.js';
import { maxAllLeaves } from '../leaves.js';
import type { BuiltinName, Condition, Feature } from '../model.js';
import { optional } from '../optional.js';
import { groupByBranch } from './branch-values.js';
import { compareBranches, type Both, type Met, type MetBranch } from './branches.js';
import type { Change, Place, Side, Use } from './change.js';
import { isWarning, judge, type Difference, type Fit } from './judge.js';
import { ofVersions, type Wording } from './wording.js';
import { Node, usesOf, type Reached, type Spot } from './uses.js';
import {
  isEmpty,
  jsonKind,
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

/** Each union of one schema can meet each of the other. Twice as many as there are leaves is what a schema has that is compared with itself. */
const maxEnds = 10 * maxAllLeaves;

/**
 * @returns in the order of the schema, old things before new ones
 * @throws FileError when unions have too many branches together
 */
export function diff(old: WireSchema, now: WireSchema, wording = ofVersions): Change[] {
  return new Comparer(old, now, wording).run();
}

/** Types that have a name, and can be met in many places. */
type NamedType = WireEnum | WireObject | WireAlternate;

/** Two named types of one kind. */
interface Pair extends Both<NamedType> {
  readonly node: Node;
  readonly side: Side;
}

/** What differs, before its uses are known. */
interface Finding {
  readonly difference: Difference;
  readonly side: Side;
  readonly place: Place;
  readonly text: (title: Title) => string;
  readonly spots: Spot[];
}

/** A finding with its uses. */
interface Told {
  readonly change: Change;
  readonly finding: Finding;
  /** Of the command or event of the first use. */
  readonly order: number;
  /** Of the first use. */
  readonly steps: number;
}

/**
 * How a member is called, depending on where it is met first.
 *
 * @param ofType ` of 'Type'`
 */
type Title = (member: string, ofType: string) => string;

/** Where two things are compared. */
interface Position {
  readonly side: Side;
  readonly spots: readonly [Spot, ...Spot[]];
  readonly place: Place;
  /** Says that two findings of one kind and place are the same one. */
  readonly identity: readonly unknown[];
  readonly subject: (title: Title) => string;
}

interface Marked {
  readonly condition?: Condition;
  readonly features: readonly Feature[];
}

/** Members that are not within another. */
const topLevel = { arguments: 'argument', result: 'result member', data: 'data member' } as const;

class Comparer {
  readonly #old: WireSchema;
  readonly #now: WireSchema;
  readonly #wording: Wording;
  /** Both sides are schemas, so that all can be compared. */
  readonly #isExact: boolean;
  readonly #pairs = new Map<string, Pair>();
  readonly #findings = new Map<string, Finding>();
  readonly #ids = new Map<unknown, number>();
  #roots = 0;
  /** Ways through branches that have been compared. */
  #ends = 0;

  constructor(old: WireSchema, now: WireSchema, wording: Wording) {
    this.#old = old;
    this.#now = now;
    this.#wording = wording;
    this.#isExact = !old.isIntrospection && !now.isIntrospection;
  }

  run(): Change[] {
    for (const both of named(this.#old.commands, this.#now.commands)) this.#commands(both);
    for (const both of named(this.#old.events, this.#now.events)) this.#events(both);
    // More pairs come to the map while it is walked.
    for (const pair of this.#pairs.values()) this.#compare(pair);
    const told = [...this.#findings.values()].map((finding) => this.#change(finding));
    return this.#joined(told)
      .toSorted((a, b) => a.order - b.order || a.steps - b.steps)
      .map(({ change }) => change);
  }

  /** In introspection, a base is a part of each type that has it: what is the same in several branches of a union is told once. */
  #joined(told: readonly Told[]): readonly Told[] {
    if (!this.#old.isIntrospection && !this.#now.isIntrospection) return told;
    const identityOf = ({ change: { kind, side, verdict, text, place } }: Told): string => {
      const { oldType: _oldType, newType: _newType, ...within } = place;
      return JSON.stringify([kind, side, verdict, text, within]);
    };
    return groupByBranch(told, ({ change }) => change.uses[0], identityOf).map(({ items }) => {
      if (items.length === 1) return items[0];
      const findings = items.map(({ finding }) => finding);
      const place = commonPlace(findings.map((finding) => finding.place));
      return this.#change({ ...items[0].finding, place, spots: findings.flatMap(({ spots }) => spots) });
    });
  }

  #commands({ name, old, now }: Named<WireCommand>): void {
    const position = this.#root('callers', { subject: 'command', name });
    if (!old) return this.#found(position, { kind: 'command-added' }, this.#wording.isNew);
    if (!now) return this.#found(position, { kind: 'command-removed' }, this.#wording.isGone(warningsOf(old)));
    this.#marks(position, old, now);
    if (old.oob && !now.oob) this.#found(position, { kind: 'oob-withdrawn' }, this.#wording.cannotBeCalledOob);
    if (!old.oob && now.oob) this.#found(position, { kind: 'oob-granted' }, this.#wording.canBeCalledOob);
    if (this.#isExact) this.#flags(position, old, now);
    const taken = this.#root('callers', { subject: 'command', name, role: 'arguments' });
    this.#reach(taken, old.arguments, now.arguments);
    const returned = this.#root('readers', { subject: 'command', name, role: 'result' });
    this.#results(returned, old.result, now.result);
  }

  /** What introspection does not tell of a command. */
  #flags(position: Position, old: WireCommand, now: WireCommand): void {
    if (old.furtherArguments !== now.furtherArguments) {
      const text = now.furtherArguments ? 'now takes further arguments' : 'no longer takes further arguments';
      this.#found(position, { kind: 'further-arguments-changed', now: now.furtherArguments }, text);
    }
    if (old.replies !== now.replies) {
      const text = now.replies ? 'now sends a reply when it succeeds' : 'no longer sends a reply when it succeeds';
      this.#found({ ...position, side: 'readers' }, { kind: 'reply-changed', now: now.replies }, text);
    }
    if (old.preconfig && !now.preconfig) {
      this.#found(position, { kind: 'preconfig-withdrawn' }, 'can no longer be called before the machine is there');
    }
    if (!old.preconfig && now.preconfig) {
      this.#found(position, { kind: 'preconfig-granted' }, 'can now be called before the machine is there');
    }
  }

  #events({ name, old, now }: Named<WireEvent>): void {
    const position = this.#root('readers', { subject: 'event', name });
    if (!old) return this.#found(position, { kind: 'event-added' }, this.#wording.isNew);
    if (!now) return this.#found(position, { kind: 'event-removed' }, this.#wording.isGone(warningsOf(old)));
    this.#marks(position, old, now);
    this.#reach(this.#root('readers', { subject: 'event', name, role: 'data' }), old.data, now.data);
  }

  #root(side: Side, use: Omit<Use, 'path'>): Position {
    const from = new Node({ ...use, order: this.#roots });
    this.#roots += 1;
    const subject = `the ${use.role ?? use.subject}`;
    return { side, spots: [{ from, path: '', steps: 0 }], place: {}, identity: [from], subject: () => subject };
  }

  #results(position: Position, old: WireType, now: WireType): void {
    if (isEmpty(old) === isEmpty(now)) return this.#types(position, old, now);
    if (isEmpty(now)) {
      const text = this.#wording.isGoneType(this.#describe(old, this.#old));
      return this.#found(position, { kind: 'type-changed', fit: 'gone' }, text);
    }
    const text = this.#wording.isNewType(this.#describe(now, this.#now));
    this.#found(position, { kind: 'type-changed', fit: 'narrower' }, text);
  }

  /** Sees to it that two named types of one kind are compared, once. */
  #reach({ side, spots }: Position, old: NamedType, now: NamedType): void {
    const key = this.#key(side, old, now);
    let pair = this.#pairs.get(key);
    if (!pair) this.#pairs.set(key, (pair = { side, old, now, node: new Node() }));
    pair.node.spots.push(...spots);
  }

  #compare({ node, side, old, now }: Pair): void {
    const at: Omit<Position, 'subject'> = {
      side,
      spots: [{ from: node, path: '', steps: 0 }],
      place: typesOf(old, now),
      identity: [old, now],
    };
    if (old?.kind === 'enum' && now?.kind === 'enum') this.#enums(at, old, now);
    else if (old?.kind === 'object' && now?.kind === 'object') this.#objects(at, old, now);
    else if (old?.kind === 'alternate' && now?.kind === 'alternate') this.#alternates(at, old, now);
  }

  // Types where they are met

  #types(position: Position, old: WireType, now: WireType): void {
    if (old.kind === 'alternate' && now.kind === 'alternate') return this.#reach(position, old, now);
    if (old.kind !== 'alternate' && now.kind !== 'alternate') return this.#plain(position, old, now);
    const [before, after] = [alternativesOf(old), alternativesOf(now)];
    const fit = fitOf(
      [...before.keys()].every((kind) => after.has(kind) || after.has('any')),
      [...after.keys()].every((kind) => before.has(kind) || before.has('any')),
    );
    if (fit) this.#typeChanged(position, old, now, fit);
    for (const { name: kind, ...both } of named(before, after)) {
      if (!both.old || !both.now) continue;
      const subject = (title: Title): string => `${position.subject(title)}, where it is of kind '${kind}',`;
      const place = { ...position.place, alternative: kind };
      const inner = { ...position, place, identity: [...position.identity, kind], subject };
      this.#alternative(inner, both.old, both.now);
    }
  }

  #plain(position: Position, old: PlainType, now: PlainType): void {
    if (old.kind === 'object' && now.kind === 'object') return this.#reach(position, old, now);
    if (old.kind === 'enum' && now.kind === 'enum') return this.#reach(position, old, now);
    if (old.kind === 'array' && now.kind === 'array') return this.#arrays(position, old.element, now.element);
    const fit = this.#fit(position.side, old, now);
    if (fit) this.#typeChanged(position, old, now, fit);
  }

  #arrays(position: Position, old: WireType, now: WireType): void {
    const [first, ...others] = position.spots;
    const inside = (spot: Spot): Spot => ({ ...spot, path: `${spot.path}[]` });
    const subject = (title: Title): string => `each of ${position.subject(title)}`;
    const spots = [inside(first), ...others.map(inside)] as const;
    this.#types({ ...position, spots, subject, identity: [...position.identity, '[]'] }, old, now);
  }

  #fit(side: Side, old: PlainType, now: PlainType): Fit | undefined {
    const kinds = [jsonKind(old), jsonKind(now)] as const;
    if (kinds[0] !== kinds[1]) return kinds[1] === 'any' ? 'wider' : kinds[0] === 'any' ? 'narrower' : 'different';
    if (old.kind === 'builtin' && now.kind === 'builtin') {
      return old.name === now.name ? undefined : this.#numberFit(side, old.name, now.name);
    }
    return old.kind === 'enum' ? 'open' : 'narrower';
  }

  #numberFit(side: Side, old: BuiltinName, now: BuiltinName): Fit | undefined {
    const [before, after] = [rangeOf(old, side), rangeOf(now, side)];
    // A number that need not be an integer is beyond all of these.
    if (!before || !after) return before ? 'wider' : 'narrower';
    if (!this.#isExact) return undefined;
    const fit = fitOf(contains(after, before), contains(before, after));
    const turns = side === 'callers' && before.signed && !after.signed;
    return fit === 'wider' && turns ? 'unsigned' : fit;
  }

  #typeChanged(position: Position, old: WireType, now: WireType, fit: Fit): void {
    const text = this.#wording.hasType(this.#describe(now, this.#now), this.#describe(old, this.#old));
    this.#found(position, { kind: 'type-changed', fit }, text);
  }

  #describe(type: WireType, schema: WireSchema): string {
    if (type.kind === 'builtin') return `'${type.name}'`;
    if (type.kind === 'array') return `an array of ${this.#describe(type.element, schema)}`;
    if (type.name !== undefined && !schema.isIntrospection) return `${type.kind} '${type.name}'`;
    const title = type.kind === 'object' ? 'an object' : `an ${type.kind}`;
    return type.kind === 'alternate' ? `${title} of ${[...alternativesOf(type).keys()].join(', ')}` : title;
  }

  // Named types

  #enums(at: Omit<Position, 'subject'>, old: WireEnum, now: WireEnum): void {
    this.#typeMarks(at, old, now);
    for (const { name, ...value } of named(old.values, now.values)) {
      const { place, identity } = at;
      const ofType = this.#of(old, now);
      const position: Position = {
        ...at,
        place: { ...place, value: name },
        identity: [...identity, name],
        subject: () => `value '${name}'${ofType}`,
      };
      if (!value.old)
        this.#tell(position, { kind: 'value-added' }, () => `'${name}' ${this.#wording.isNewValue(ofType)}`);
      else if (!value.now) {
        const text = `'${name}' ${this.#wording.isGoneValue(ofType, warningsOf(value.old))}`;
        this.#tell(position, { kind: 'value-removed' }, () => text);
      } else this.#marks(position, value.old, value.now);
    }
  }

  #alternates(at: Omit<Position, 'subject'>, old: WireAlternate, now: WireAlternate): void {
    this.#typeMarks(at, old, now);
    const ofType = this.#of(old, now);
    for (const { name: kind, ...alternative } of named(alternativesOf(old), alternativesOf(now))) {
      const position: Position = {
        ...at,
        place: { ...at.place, alternative: kind },
        identity: [...at.identity, kind],
        subject: () => `the alternative of kind '${kind}'${ofType}`,
      };
      if (!alternative.old) this.#found(position, { kind: 'alternative-added' }, this.#wording.isNew);
      else if (!alternative.now) this.#found(position, { kind: 'alternative-removed' }, this.#wording.isGone([]));
      else this.#alternative(position, alternative.old, alternative.now);
    }
  }

  #alternative(position: Position, old: WireAlternative, now: WireAlternative): void {
    this.#conditions(position, old.condition, now.condition);
    this.#plain(position, old.type, now.type);
  }

  #objects(at: Omit<Position, 'subject'>, old: WireObject, now: WireObject): void {
    const { members, types, branches, ends } = compareBranches(old, now);
    if (branches.length > 0) this.#ends += ends;
    if (this.#ends > maxEnds) {
      throw new FileError(`the schemas cannot be compared: their unions meet in more than ${maxEnds} branches`);
    }
    const spotsOf = (guards: readonly string[], path: string, steps: number): [Spot, ...Spot[]] => {
      const [first = '', ...others] = guards;
      const spot = (guard: string): Spot => ({ from: at.spots[0].from, path: guard + path, steps });
      return [spot(first), ...others.map(spot)];
    };
    for (const type of types) {
      const spots = spotsOf(type.guards, '', 0);
      const place = typesOf(type.old, type.now);
      this.#typeMarks({ side: at.side, spots, place, identity: [type.old, type.now] }, type.old, type.now);
    }
    for (const branch of branches) this.#branch({ ...at, spots: spotsOf(branch.guards, '', 0) }, branch);
    for (const member of members) {
      const { name } = member.old ?? member.now ?? { name: '' };
      this.#member({ side: at.side, spots: spotsOf(member.guards, `.${name}`, 1) }, member, { old, now });
    }
  }

  #branch(at: Omit<Position, 'subject'>, { old, now, value, unions }: MetBranch): void {
    if (!old || !now || (isEmpty(old.type) && isEmpty(now.type))) return;
    // As a rule a branch has the condition of its value: then that has been compared.
    const isOfValue = (branch: { condition?: Condition }, union: WireObject | undefined): boolean =>
      !branch.condition || relate(branch.condition, conditionOfValue(union, value)) === 'same';
    if (isOfValue(old, unions.old) && isOfValue(now, unions.now)) return;
    const place = { ...typesOf(unions.old, unions.now), value };
    const subject = (): string => `the branch '${value}'${this.#of(unions.old, unions.now)}`;
    const position = { ...at, place, identity: [unions.old, unions.now, value, 'branch'], subject };
    this.#conditions(position, old.condition, now.condition);
  }

  #member(at: Pick<Position, 'side' | 'spots'>, { old, now }: Met<WireMember>, pair: Both<WireObject>): void {
    const any = old ?? now;
    if (!any) return;
    const ofType = this.#of(old?.owner, now?.owner);
    const position: Position = {
      ...at,
      place: { ...typesOf(old?.owner, now?.owner), member: any.name },
      identity: [old?.owner, now?.owner, any.name],
      subject: (title) => title(any.name, ofType),
    };
    if (!old) {
      const mandatory = !any.optional;
      const adjective = at.side === 'readers' ? '' : mandatory ? 'mandatory ' : 'optional ';
      const text = (title: Title): string => `${adjective}${position.subject(title)} ${this.#wording.isNew}`;
      return this.#tell(position, { kind: 'member-added', mandatory }, text);
    }
    if (!now)
      return this.#found(
        this.#replaced(position, old, pair),
        { kind: 'member-removed' },
        this.#wording.isGone(warningsOf(old)),
      );
    if (old.optional && !now.optional)
      this.#found(position, { kind: 'member-mandatory' }, this.#wording.is('mandatory'));
    if (!old.optional && now.optional) this.#found(position, { kind: 'member-optional' }, this.#wording.is('optional'));
    this.#marks(position, old, now);
    this.#types(position, old.type, now.type);
  }

  /** The place of a member that is gone only here: its type may still have it, but there is another type now. */
  #replaced(position: Position, { name, owner }: WireMember, { old, now }: Both<WireObject>): Position {
    if (owner !== old || old.name === now?.name || old.name === undefined || now?.name === undefined) return position;
    if (this.#old.isIntrospection || this.#now.isIntrospection) return position;
    const ofTypes = ` of '${old.name}', now '${now.name}',`;
    return { ...position, identity: [...position.identity, now], subject: (title) => title(name, ofTypes) };
  }

  // What anything may have

  #typeMarks(at: Omit<Position, 'subject'>, old: NamedType | undefined, now: NamedType | undefined): void {
    const name = this.#nameOf(old, now);
    const subject = (): string => (name === undefined ? 'the type' : `'${name}'`);
    this.#features({ ...at, subject }, old?.features ?? [], now?.features ?? []);
  }

  #marks(position: Position, old: Marked, now: Marked): void {
    this.#conditions(position, old.condition, now.condition);
    this.#features(position, old.features, now.features);
  }

  #features(position: Position, old: readonly Feature[], now: readonly Feature[]): void {
    if (old.length === 0 && now.length === 0) return;
    const byName = (features: readonly Feature[]): Map<string, Feature> =>
      new Map(features.map((feature) => [feature.name, feature]));
    for (const { name, ...feature } of named(byName(old), byName(now))) {
      const { place, identity } = position;
      const at = { ...position, place: { ...place, feature: name }, identity: [...identity, 'feature', name] };
      if (!feature.old) {
        const text = isWarning(name) ? this.#wording.hasWarning(name) : this.#wording.hasFeature(name);
        this.#found(at, { kind: 'feature-added', feature: name }, text);
      } else if (!feature.now) {
        const text = isWarning(name) ? this.#wording.isNot(name) : this.#wording.lacksFeature(name);
        this.#found(at, { kind: 'feature-removed', feature: name }, text);
      } else {
        const subject = (title: Title): string => `the feature '${name}' of ${position.subject(title)}`;
        this.#conditions({ ...at, subject }, feature.old.condition, feature.now.condition);
      }
    }
  }

  #conditions(position: Position, old: Condition | undefined, now: Condition | undefined): void {
    if (!this.#isExact) return;
    const relation = relate(old, now);
    if (relation === 'same') return;
    const [before, after] = [old, now].map((condition) => condition && `with '${formatCondition(condition)}'`);
    const text = !after
      ? `is now in every build, was only ${before}`
      : `is now only in builds ${after}${before ? `, was ${before}` : ''}`;
    this.#found(position, { kind: 'condition-changed', weaker: relation === 'weaker' }, text);
  }

  // Findings

  /** @param text what is said of the subject */
  #found(position: Position, difference: Difference, text: string): void {
    this.#tell(position, difference, (title) => `${position.subject(title)} ${text}`);
  }

  #tell(position: Position, difference: Difference, text: Finding['text']): void {
    const { side, spots, place, identity } = position;
    const key = this.#key(difference.kind, side, ...identity);
    const known = this.#findings.get(key);
    if (known) known.spots.push(...spots);
    else this.#findings.set(key, { difference, side, place, text, spots: [...spots] });
  }

  #change(finding: Finding): Told {
    const { difference, side, place, text, spots } = finding;
    const [first, ...others] = usesOf(spots);
    if (!first) throw new Error(`what differs is not in use: ${JSON.stringify(place)}`);
    const { verdict, reason } = judge(difference, side);
    const sentence = text((member, ofType) => {
      if (first.steps > 1) return `member '${member}'${ofType}`;
      return `${first.root.role ? topLevel[first.root.role] : 'member'} '${member}'`;
    });
    const change: Change = {
      kind: difference.kind,
      verdict,
      side,
      text: reason === undefined ? sentence : `${sentence}: ${reason}`,
      uses: [toUse(first), ...others.map(toUse)],
      place,
    };
    return { change, finding, order: first.root.order, steps: first.steps };
  }

  /** ` of 'Type'`, as far as there is a name. */
  #of(old: NamedType | undefined, now: NamedType | undefined): string {
    const name = this.#nameOf(old, now);
    return name === undefined ? '' : ` of '${name}'`;
  }

  /** The new name, unless introspection hides it. */
  #nameOf(old: NamedType | undefined, now: NamedType | undefined): string | undefined {
    return (this.#now.isIntrospection ? undefined : now?.name) ?? (this.#old.isIntrospection ? undefined : old?.name);
  }

  /** The same for the same things. */
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

function toUse({ root: { subject, name, role }, path }: Reached): Use {
  return { subject, name, ...optional('role', role), path };
}

interface Named<T> extends Both<T> {
  readonly name: string;
}

/** All names of two maps, with what each has of it. */
function named<T>(old: ReadonlyMap<string, T>, now: ReadonlyMap<string, T>): Named<T>[] {
  const names = [...old.keys(), ...[...now.keys()].filter((name) => !old.has(name))];
  return names.map((name) => ({ name, old: old.get(name), now: now.get(name) }));
}

function typesOf(old: NamedType | undefined, now: NamedType | undefined): Place {
  return { ...optional('oldType', old?.name), ...optional('newType', now?.name) };
}

/** What all places have in common. */
function commonPlace(places: readonly Place[]): Place {
  const [first = {}, ...others] = places;
  const isCommon = ([key, value]: [string, string]): boolean =>
    others.every((place) => place[key as keyof Place] === value);
  return Object.fromEntries(Object.entries(first).filter(isCommon));
}

/** By what decides between them; any other type is its only alternative. */
function alternativesOf(type: WireType): Map<string, WireAlternative> {
  const alternatives = type.kind === 'alternate' ? type.alternatives : [{ type }];
  return new Map(alternatives.map((alternative) => [jsonKind(alternative.type), alternative]));
}

/** Undefined when both have the same values. */
function fitOf(keepsAll: boolean, addsNone: boolean): Fit | undefined {
  if (keepsAll) return addsNone ? undefined : 'wider';
  return addsNone ? 'narrower' : 'different';
}

interface Range {
  readonly min: bigint;
  readonly max: bigint;
  readonly signed: boolean;
}

/** Undefined for `number`. */
function rangeOf(name: BuiltinName, side: Side): Range | undefined {
  const bits = /\d+$/u.exec(name)?.[0] ?? '64';
  const exponent = BigInt(bits);
  if (name === 'number') return undefined;
  if (!name.startsWith('u') && name !== 'size') {
    return { min: -(2n ** (exponent - 1n)), max: 2n ** (exponent - 1n) - 1n, signed: true };
  }
  // A server takes a negative number of 64 bits for the unsigned one of the same bits, and never sends one.
  const min = side === 'callers' && exponent === 64n ? -(2n ** 63n) : 0n;
  return { min, max: 2n ** exponent - 1n, signed: false };
}

function contains(outer: Range, inner: Range): boolean {
  return outer.min <= inner.min && inner.max <= outer.max;
}

function conditionOfValue(union: WireObject | undefined, value: string): Condition | undefined {
  const type = union?.members.get(union.discriminator ?? '')?.type;
  return type?.kind === 'enum' ? type.values.get(value)?.condition : undefined;
}

/** More names in two conditions than this are not tried in all combinations. */
const maxNames = 10;

/** Whether a condition became another: weaker when what met the old one meets the new one too. */
function relate(old: Condition | undefined, now: Condition | undefined): 'same' | 'weaker' | 'other' {
  if (!old || !now) return old === now ? 'same' : now ? 'other' : 'weaker';
  if (formatCondition(old) === formatCondition(now)) return 'same';
  const names = [...new Set([...namesIn(old), ...namesIn(now)])];
  if (names.length > maxNames) return 'other';
  let isSame = true;
  for (let chosen = 0; chosen < 2 ** names.length; chosen += 1) {
    const valueOf = (name: string): boolean => (chosen & (1 << names.indexOf(name))) !== 0;
    const [before, after] = [evaluate(old, valueOf), evaluate(now, valueOf)];
    if (before && !after) return 'other';
    isSame &&= before === after;
  }
  return isSame ? 'same' : 'weaker';
}
