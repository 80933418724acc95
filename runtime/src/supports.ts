/**
 * Determines what a server has, by `query-qmp-schema` for a monitor (QEMU's manual: "How to use the QAPI code
 * generator", "Client JSON Protocol introspection"), and by `guest-info` for an agent.
 */

import type { CommandMap, EventMap } from './maps.js';
import { aDuration, anAbortSignal, aString, checkParameter, optionsOf, type OptionChecks } from './options.js';

/** The part of a command or event to look for. If several members are given, all of them must match. */
export interface Part {
  readonly argument?: string | undefined;
  readonly result?: string | undefined;
  readonly data?: string | undefined;
  readonly value?: string | undefined;
  readonly feature?: string | undefined;
}

/** The names of an object's members, of any branch; for an array, those of its elements. */
type MemberNames<T> = ObjectNames<T extends readonly (infer Element)[] ? Element : T>;
type ObjectNames<T> = T extends readonly unknown[] ? never : T extends object ? keyof T & string : never;

/**
 * Editors complete the known names. Other strings are allowed, too: the server may have more, and paths lead to nested
 * members.
 */
type Path<T> = MemberNames<T> | (string & {});

/** A query about the command or event itself. */
interface Whole {
  /** A feature of the command or event, such as `deprecated`. */
  readonly feature: string;
  readonly value?: undefined;
}

interface WholeCommand extends Whole {
  readonly argument?: undefined;
  readonly result?: undefined;
}

interface WholeEvent extends Whole {
  readonly data?: undefined;
}

/** A query about a member. */
interface OfMember {
  /** An enum value of the member, its elements or its alternatives. */
  readonly value?: string | undefined;
  /** A feature of the member or its type, or of `value` if that is given. */
  readonly feature?: string | undefined;
}

interface Argument<T> extends OfMember {
  /** An argument, such as `size`, or a nested member: `file.filename`, `file(driver=nbd).server`. */
  readonly argument: Path<T>;
  readonly result?: undefined;
}

interface Result<T> extends OfMember {
  /** A member of the result or of its elements: `inserted.image`. */
  readonly result: Path<T>;
  readonly argument?: undefined;
}

interface Data<T> extends OfMember {
  /** A member of the event's data. */
  readonly data: Path<T>;
}

/** The name of a command or event. Editors complete the known names. */
export type AnyName<C, E> = (keyof C & string) | (keyof E & string) | (string & {});

/** The parts that a command or event of this name can be queried for. */
export type PartOf<C extends CommandMap<C>, E extends EventMap<E>, N> = N extends keyof C
  ? WholeCommand | Argument<C[N]['arguments']> | Result<C[N]['result']>
  : N extends keyof E
    ? WholeEvent | Data<E[N]['data']>
    : Part;

/** Limits how long to wait. */
interface Bounds {
  readonly signal?: AbortSignal | undefined;
  readonly timeout?: number | undefined;
}

const partChecks: OptionChecks<Part> = {
  argument: aString,
  result: aString,
  data: aString,
  value: aString,
  feature: aString,
};
const boundsChecks: OptionChecks<Bounds> = { signal: anAbortSignal, timeout: aDuration };

/** The command that reports the names of all commands. */
export function commandsQuery(isAgent: boolean): string {
  return isAgent ? 'guest-info' : 'query-commands';
}

/**
 * Returns the names of a server's commands.
 *
 * @param reply the reply to `commandsQuery`
 */
export function commandsIn(reply: unknown): ReadonlySet<string> {
  const { supported_commands: commands = reply } = (reply ?? {}) as Partial<GuestInfo>;
  const names = Array.isArray(commands) ? commands.map((command: Partial<Info> | null) => command?.name) : [];
  return new Set(names.filter((name) => typeof name === 'string'));
}

/** The commands, events and types of one server, for the duration of a connection. */
export class Inventory {
  readonly #isAgent: boolean;
  readonly #ask: (command: string, bounds: Bounds) => Promise<unknown>;
  #asked: Promise<unknown> | undefined;
  #known: Introspection | undefined;

  /** @param ask executes a command without arguments */
  constructor(isAgent: boolean, ask: (command: string, bounds: Bounds) => Promise<unknown>) {
    this.#isAgent = isAgent;
    this.#ask = ask;
  }

  async has(name: string, givenPart?: Part, givenBounds?: Bounds): Promise<boolean> {
    checkParameter('name', name, aString);
    const part = optionsOf(givenPart, partChecks, 'part.');
    const bounds = optionsOf(givenBounds, boundsChecks);
    if (!this.#isAgent) return (await this.#introspection(bounds)).has(name, part);
    if (Object.values(part).some((detail) => detail !== undefined)) {
      throw new TypeError(
        `${name}: an agent reports only the names of its commands, without arguments, results or features`,
      );
    }
    // Not cached: commands are disabled while file systems are frozen, and the guest may run another agent after a
    // reboot.
    const { supported_commands: commands } = (await this.#ask(commandsQuery(true), bounds)) as GuestInfo;
    return commands.some((command) => command.name === name && command.enabled);
  }

  async #introspection(bounds: Bounds): Promise<Introspection> {
    if (this.#known) return this.#known;
    const ask = (): Promise<unknown> => this.#ask('query-qmp-schema', bounds);
    const isBounded = bounds.signal !== undefined || bounds.timeout !== undefined;
    try {
      // A call with a signal or timeout sends its own query, so that aborting it does not affect others.
      const infos = await (isBounded ? ask() : (this.#asked ??= ask()));
      return (this.#known ??= new Introspection(infos as Info[]));
    } finally {
      if (!isBounded) this.#asked = undefined;
    }
  }
}

interface GuestInfo {
  readonly supported_commands: readonly { readonly name: string; readonly enabled: boolean }[];
}

/** A `SchemaInfo`, or a member, alternative, branch or enum value of one. */
interface Info {
  readonly name?: string;
  readonly 'meta-type'?: string;
  readonly 'arg-type'?: string;
  readonly 'ret-type'?: string;
  readonly 'element-type'?: string;
  readonly members?: readonly Info[];
  readonly tag?: string;
  readonly variants?: readonly Info[];
  readonly case?: string;
  readonly type?: string;
  readonly values?: readonly string[];
  readonly features?: readonly string[];
}

class Introspection {
  readonly #infos: ReadonlyMap<string | undefined, Info>;

  constructor(infos: readonly Info[]) {
    this.#infos = new Map(infos.map((info) => [info.name, info]));
  }

  has(name: string, { argument, result, data, value, feature }: Part): boolean {
    const path = argument ?? result ?? data;
    const steps = path === undefined ? undefined : stepsOf(path);
    const entry = this.#infos.get(name);
    const kind = entry?.['meta-type'];
    // The names of types are arbitrary.
    if (!entry || (kind !== 'command' && kind !== 'event')) return false;
    let found = new Set([entry]);
    if (steps) {
      if ((kind === 'event') !== (data !== undefined)) return false;
      found = new Set();
      this.#add(entry[result === undefined ? 'arg-type' : 'ret-type'], found);
      for (const [step = '', branch] of steps) {
        found = branch === undefined ? this.#member(found, step) : this.#branch(found, step, branch);
      }
    }
    if (value !== undefined) found = valuesOf(found, value);
    return [...found].some(({ features }) => feature === undefined || features?.includes(feature));
  }

  /** Adds a type and, recursively, the types of its elements or alternatives. */
  #add(type: string | undefined, found: Set<Info>): void {
    // A hostile server may nest types in a cycle.
    for (const types = [type]; types.length > 0;) {
      const info = this.#infos.get(types.pop());
      if (!info || found.has(info)) continue;
      found.add(info);
      types.push(info['element-type']);
      if (info['meta-type'] === 'alternate') for (const alternative of info.members ?? []) types.push(alternative.type);
    }
  }

  /** Returns the members with a name, in any branch, and their types. */
  #member(types: ReadonlySet<Info>, name: string): Set<Info> {
    const found = new Set<Info>();
    const objects = new Set([...types].filter(isObjectType));
    // The loop also visits the branches that it adds to the set.
    for (const { members = [], variants = [] } of objects) {
      for (const { type } of variants) this.#add(type, objects);
      for (const member of members.filter((candidate) => candidate.name === name)) {
        found.add(member);
        this.#add(member.type, found);
      }
    }
    return found;
  }

  /** Returns the objects of one branch, with the members of their base. */
  #branch(types: ReadonlySet<Info>, discriminator: string, branch: string): Set<Info> {
    const found = new Set<Info>();
    for (const { tag, members = [], variants = [] } of [...types].filter(isObjectType)) {
      const variant = tag === discriminator && variants.find((candidate) => candidate.case === branch);
      const type = variant ? this.#infos.get(variant.type) : undefined;
      if (type) found.add({ ...type, members: [...members, ...(type.members ?? [])] });
    }
    return found;
  }
}

function isObjectType(info: Info): boolean {
  return info['meta-type'] === 'object';
}

/** Returns the enum values with a name. */
function valuesOf(types: ReadonlySet<Info>, name: string): Set<Info> {
  const enums = [...types].filter((info) => info['meta-type'] === 'enum');
  // Before QEMU 6.2, enum values were plain names without features.
  const values = enums.flatMap(
    ({ members, values: names = [] }) => members ?? names.map((value): Info => ({ name: value })),
  );
  return new Set(values.filter((value) => value.name === name));
}

/** A name contains a period only in a vendor prefix: `__com.redhat_name`. */
const stepPattern = /* @__PURE__ */ (() => {
  const name = String.raw`(?:__[A-Za-z0-9.-]+_)?[A-Za-z0-9][\w-]*`;
  const choice = `${name}=${name}`;
  return new RegExp(String.raw`\.?(${name})|\((${choice}(?:,${choice})*)\)|\[\]`, 'gu');
})();

/**
 * Splits a path into steps: to a member (its name), or into a branch of a union (the names of the discriminator and its
 * value).
 */
function stepsOf(path: string): string[][] {
  const matches = [...path.matchAll(stepPattern)];
  if (matches.map(([text]) => text).join('') !== path) {
    throw new TypeError(`'${path}' is not a path to a member: expected a path like file(driver=nbd).server`);
  }
  // `[]` is optional: array elements are always entered.
  return matches.flatMap(([, member, choices]) =>
    member === undefined ? (choices?.split(',') ?? []).map((choice) => choice.split('=')) : [[member]],
  );
}
