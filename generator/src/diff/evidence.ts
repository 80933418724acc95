/** Determines which conditional parts of a schema a server has. */

import { formatCondition } from '../condition.js';
import type { Condition, Feature } from '../model.js';
import { optional } from '../optional.js';
import type { Use } from './change.js';
import type { Observation } from './conditions.js';
import { Path } from './path.js';
import type { Conditional, LackingPart } from './report.js';
import {
  alternativesOf,
  type WireAlternate,
  type WireEnum,
  type WireObject,
  type WireSchema,
  type WireType,
} from './wire.js';

/** The observation of one part whose owner exists. */
interface PartObservation extends Observation {
  readonly part: LackingPart;
}

/** Compares what both schemas have in common. Each conditional part is observed once, with the shortest path to it. */
export function observe(schema: WireSchema, server: WireSchema): PartObservation[] {
  const search = new Search();
  for (const [name, command] of schema.commands) {
    const serverCommand = server.commands.get(name);
    const use: Use = { subject: 'command', name, path: Path.whole };
    search.part('command', name, command, serverCommand, undefined, use);
    if (!serverCommand) continue;
    search.follow(command.arguments, serverCommand.arguments, { ...use, role: 'arguments' });
    search.follow(command.result, serverCommand.result, { ...use, role: 'result' });
  }
  for (const [name, event] of schema.events) {
    const serverEvent = server.events.get(name);
    const use: Use = { subject: 'event', name, path: Path.whole };
    search.part('event', name, event, serverEvent, undefined, use);
    if (serverEvent) search.follow(event.data, serverEvent.data, { ...use, role: 'data' });
  }
  return search.run();
}

/** Groups parts by condition. */
export function byCondition(observations: readonly PartObservation[]): Conditional[] {
  const groups = new Map<string, LackingPart[]>();
  for (const { condition, part } of observations) {
    const text = formatCondition(condition);
    const parts = groups.get(text);
    if (parts) parts.push(part);
    else groups.set(text, [part]);
  }
  return [...groups]
    .map(([condition, parts]) => ({ condition, parts }))
    .toSorted((a, b) => (a.condition < b.condition ? -1 : 1));
}

/** Anything that can have a condition. */
interface Part {
  readonly condition?: Condition;
  readonly features?: readonly Feature[];
}

class Search {
  readonly #observations: PartObservation[] = [];
  /** The parts observed so far, by whether they exist. A member of a base occurs in many types. */
  readonly #observed = { true: new Set<Part>(), false: new Set<Part>() };
  /** Pairs of types, nearest first. */
  readonly #pairs: (readonly [type: WireType, serverType: WireType, use: Use])[] = [];
  readonly #followed = new Map<WireType, Set<WireType>>();

  run(): PartObservation[] {
    // The walk adds more pairs.
    for (const [type, serverType, use] of this.#pairs) this.#types(type, serverType, use);
    return this.#observations;
  }

  /**
   * Adds a pair of types that occur in the same place.
   *
   * @param serverType the server's type
   */
  follow(type: WireType, serverType: WireType, use: Use): void {
    if (type.kind === 'array' && serverType.kind === 'array') {
      this.follow(type.element, serverType.element, within(use, Path.elements));
      return;
    }
    const followed = this.#followed.get(type) ?? new Set();
    if (followed.has(serverType)) return;
    this.#followed.set(type, followed.add(serverType));
    this.#pairs.push([type, serverType, use]);
  }

  /**
   * Records a part and its features.
   *
   * @param serverPart the same part on the server, if it exists
   * @param owner the use of what contains the part
   * @param use the use of the part itself
   */
  part(
    kind: LackingPart['kind'],
    name: string,
    part: Part,
    serverPart: Part | undefined,
    owner: Use | undefined,
    use: Use,
  ): void {
    const { condition, features = [] } = part;
    const exists = serverPart !== undefined;
    const observed = this.#observed[`${exists}`];
    if (condition && !observed.has(part)) {
      observed.add(part);
      this.#observations.push({ condition, exists, part: { kind, name, ...optional('use', owner) } });
    }
    if (serverPart) this.#features(features, serverPart.features, use);
  }

  #features(features: readonly Feature[], serverFeatures: readonly Feature[] = [], use: Use): void {
    for (const feature of features) {
      const serverFeature = serverFeatures.find(({ name }) => name === feature.name);
      this.part('feature', feature.name, feature, serverFeature, use, use);
    }
  }

  #types(type: WireType, serverType: WireType, use: Use): void {
    if (type.kind === 'enum' && serverType.kind === 'enum') this.#enum(type, serverType, use);
    else if (type.kind === 'object' && serverType.kind === 'object') this.#object(type, serverType, use);
    else if (type.kind === 'alternate' && serverType.kind === 'alternate') this.#alternate(type, serverType, use);
  }

  #enum(type: WireEnum, serverType: WireEnum, use: Use): void {
    this.#features(type.features, serverType.features, use);
    for (const [name, value] of type.values) {
      this.part('value', name, value, serverType.values.get(name), use, within(use, Path.value(name)));
    }
  }

  #object(type: WireObject, serverType: WireObject, use: Use): void {
    this.#features(type.features, serverType.features, use);
    for (const [name, member] of type.members) {
      const serverMember = serverType.members.get(name);
      const ownUse = within(use, Path.member(name));
      this.part('member', name, member, serverMember, use, ownUse);
      if (serverMember) this.follow(member.type, serverMember.type, ownUse);
    }
    const { discriminator } = type;
    if (discriminator === undefined || serverType.discriminator !== discriminator) return;
    const values = serverType.members.get(discriminator)?.type;
    for (const [name, branch] of type.branches) {
      // Without its discriminator value, a branch cannot exist, whatever its condition.
      if (values?.kind !== 'enum' || !values.values.has(name)) continue;
      const serverBranch = serverType.branches.get(name);
      const ownUse = within(use, Path.branch([{ discriminator, value: name }]));
      this.part('branch', name, branch, serverBranch, use, ownUse);
      if (serverBranch) this.follow(branch.type, serverBranch.type, ownUse);
    }
  }

  #alternate(type: WireAlternate, serverType: WireAlternate, use: Use): void {
    this.#features(type.features, serverType.features, use);
    const serverAlternatives = alternativesOf(serverType);
    // Alternatives have no names on the wire.
    for (const [kind, alternative] of alternativesOf(type)) {
      const serverAlternative = serverAlternatives.get(kind);
      this.part('alternative', kind, alternative, serverAlternative, use, use);
      if (serverAlternative) this.follow(alternative.type, serverAlternative.type, use);
    }
  }
}

function within(use: Use, path: Path): Use {
  return { ...use, path: use.path.concat(path) };
}
