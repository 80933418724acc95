/** What of a schema a server has and lacks, where that depends on a condition. */

import { formatCondition } from '../condition.js';
import type { Condition, Feature } from '../model.js';
import { optional } from '../optional.js';
import type { Use } from './change.js';
import type { Observation } from './conditions.js';
import type { Conditional, LackingPart } from './report.js';
import {
  jsonKind,
  type WireAlternate,
  type WireEnum,
  type WireObject,
  type WireSchema,
  type WireType,
} from './wire.js';

/** Of something whose owner is there. */
export interface Finding extends Observation {
  readonly part: LackingPart;
}

/** Goes through both, as far as both have the same. Each part of the schema is told where the way to it is shortest. */
export function findConditional(schema: WireSchema, server: WireSchema): Finding[] {
  const search = new Search();
  for (const [name, command] of schema.commands) {
    const there = server.commands.get(name);
    const use: Use = { subject: 'command', name, path: '' };
    search.part('command', name, command, there, undefined, use);
    if (!there) continue;
    search.follow(command.arguments, there.arguments, { ...use, role: 'arguments' });
    search.follow(command.result, there.result, { ...use, role: 'result' });
  }
  for (const [name, event] of schema.events) {
    const there = server.events.get(name);
    const use: Use = { subject: 'event', name, path: '' };
    search.part('event', name, event, there, undefined, use);
    if (there) search.follow(event.data, there.data, { ...use, role: 'data' });
  }
  return search.run();
}

/** Parts that are not there, by their condition. */
export function byCondition(findings: readonly Finding[]): Conditional[] {
  const groups = new Map<string, LackingPart[]>();
  for (const { condition, part } of findings) {
    const text = formatCondition(condition);
    const parts = groups.get(text);
    if (parts) parts.push(part);
    else groups.set(text, [part]);
  }
  return [...groups]
    .map(([condition, parts]) => ({ condition, parts }))
    .toSorted((a, b) => (a.condition < b.condition ? -1 : 1));
}

/** What can have a condition. */
interface Part {
  readonly condition?: Condition;
  readonly features?: readonly Feature[];
}

class Search {
  readonly #findings: Finding[] = [];
  /** What has been told, by whether it is there. A member of a base is met in many types. */
  readonly #told = { true: new Set<Part>(), false: new Set<Part>() };
  /** Pairs of types, in the order in which they are met, which is that of their distance. */
  readonly #pairs: (readonly [type: WireType, there: WireType, use: Use])[] = [];
  readonly #followed = new Map<WireType, Set<WireType>>();

  run(): Finding[] {
    // More pairs come while they are walked.
    for (const [type, there, use] of this.#pairs) this.#types(type, there, use);
    return this.#findings;
  }

  /** @param use of the type, in the schema */
  follow(type: WireType, there: WireType, use: Use): void {
    if (type.kind === 'array' && there.kind === 'array') {
      this.follow(type.element, there.element, { ...use, path: `${use.path}[]` });
      return;
    }
    const followed = this.#followed.get(type) ?? new Set();
    if (followed.has(there)) return;
    this.#followed.set(type, followed.add(there));
    this.#pairs.push([type, there, use]);
  }

  /**
   * @param there the same in the server
   * @param owner what has it
   * @param use of itself
   */
  part(
    kind: LackingPart['kind'],
    name: string,
    part: Part,
    there: Part | undefined,
    owner: Use | undefined,
    use: Use,
  ): void {
    const { condition, features = [] } = part;
    const isThere = there !== undefined;
    const told = this.#told[`${isThere}`];
    if (condition && !told.has(part)) {
      told.add(part);
      this.#findings.push({ condition, isThere, part: { kind, name, ...optional('use', owner) } });
    }
    if (there) this.#features(features, there.features, use);
  }

  #features(features: readonly Feature[], there: readonly Feature[] = [], use: Use): void {
    for (const feature of features) {
      const same = there.find(({ name }) => name === feature.name);
      this.part('feature', feature.name, feature, same, use, use);
    }
  }

  #types(type: WireType, there: WireType, use: Use): void {
    if (type.kind === 'enum' && there.kind === 'enum') this.#enum(type, there, use);
    else if (type.kind === 'object' && there.kind === 'object') this.#object(type, there, use);
    else if (type.kind === 'alternate' && there.kind === 'alternate') this.#alternate(type, there, use);
  }

  #enum(type: WireEnum, there: WireEnum, use: Use): void {
    this.#features(type.features, there.features, use);
    for (const [name, value] of type.values) {
      this.part('value', name, value, there.values.get(name), use, within(use, `(${name})`));
    }
  }

  #object(type: WireObject, there: WireObject, use: Use): void {
    this.#features(type.features, there.features, use);
    for (const [name, member] of type.members) {
      const same = there.members.get(name);
      const ownUse = within(use, `.${name}`);
      this.part('member', name, member, same, use, ownUse);
      if (same) this.follow(member.type, same.type, ownUse);
    }
    const { discriminator } = type;
    if (discriminator === undefined || there.discriminator !== discriminator) return;
    const values = there.members.get(discriminator)?.type;
    for (const [name, branch] of type.branches) {
      // Without its value there can be no branch, whatever its condition.
      if (values?.kind !== 'enum' || !values.values.has(name)) continue;
      const same = there.branches.get(name);
      const ownUse = within(use, `(${discriminator}=${name})`);
      this.part('branch', name, branch, same, use, ownUse);
      if (same) this.follow(branch.type, same.type, ownUse);
    }
  }

  #alternate(type: WireAlternate, there: WireAlternate, use: Use): void {
    this.#features(type.features, there.features, use);
    for (const alternative of type.alternatives) {
      // They have no names on the wire.
      const kind = jsonKind(alternative.type);
      const same = there.alternatives.find((candidate) => jsonKind(candidate.type) === kind);
      this.part('alternative', kind, alternative, same, use, use);
      if (same) this.follow(alternative.type, same.type, use);
    }
  }
}

function within(use: Use, step: string): Use {
  return { ...use, path: `${use.path}${step}` };
}
