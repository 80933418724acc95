/**
 * What a server has, as it tells itself: a monitor by `query-qmp-schema` (QEMU's manual: "Client JSON Protocol introspection"), an agent by
 * `guest-info`.
 */

import type { CommandMap, EventMap } from './maps.js';
import { aDuration, anAbortSignal, aString, checkParameter, optionsOf, type OptionChecks } from './options.js';

/** What may be asked of a command or an event. All of it has to hold. */
export interface Part {
  readonly argument?: string | undefined;
  readonly result?: string | undefined;
  readonly data?: string | undefined;
  readonly value?: string | undefined;
  readonly feature?: string | undefined;
}

/** The names of the members that an object has, whichever branch it is of; those of its elements, of an array. */
type MemberNames<T> = ObjectNames<T extends readonly (infer Element)[] ? Element : T>;
type ObjectNames<T> = T extends readonly unknown[] ? never : T extends object ? keyof T & string : never;

/** The known ones can be completed. A server may have others, and those of members are behind a period. */
type Path<T> = MemberNames<T> | (string & {});

/** What is asked of a command or event itself. */
interface Whole {
  /** A feature of it, such as `deprecated`. */
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

/** What is asked of a member. */
interface OfMember {
  /** A value of the enum that the member, or an element or alternative of it, is of. */
  readonly value?: string | undefined;
  /** A feature of the member or its type, or of `value` where that is given. */
  readonly feature?: string | undefined;
}

interface Argument<T> extends OfMember {
  /** An argument, such as `size`, or a member within one: `file.filename`, `file(driver=nbd).server`. */
  readonly argument: Path<T>;
  readonly result?: undefined;
}

interface Result<T> extends OfMember {
  /** A member of the result, or of its elements: `inserted.image`. */
  readonly result: Path<T>;
  readonly argument?: undefined;
}

interface Data<T> extends OfMember {
  /** A member of the event's data. */
  readonly data: Path<T>;
}

/** The names of commands and events; the known ones can be completed. */
export type AnyName<C, E> = (keyof C & string) | (keyof E & string) | (string & {});

/** What may be asked of the command or event of a name. */
export type PartOf<C extends CommandMap<C>, E extends EventMap<E>, N> = N extends keyof C
  ? WholeCommand | Argument<C[N]['arguments']> | Result<C[N]['result']>
  : N extends keyof E
    ? WholeEvent | Data<E[N]['data']>
    : Part;

/** How long somebody waits. */
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

/** What one server has, for as long as one is connected to it. */
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
      throw new TypeError(`${name}: an agent tells which commands it has, and nothing of their arguments or results`);
    }
    // Not kept: commands come and go while file systems are frozen, and when the guest has booted, it is another agent.
    const { supported_commands: commands } = (await this.#ask('guest-info', bounds)) as GuestInfo;
    return commands.some((command) => command.name === name && command.enabled);
  }

  async #introspection(bounds: Bounds): Promise<Introspection> {
    if (this.#known) return this.#known;
    const ask = (): Promise<unknown> => this.#ask('query-qmp-schema', bounds);
    const isBounded = bounds.signal !== undefined || bounds.timeout !== undefined;
    try {
      // Whoever gives up does so alone.
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
    // Types have names, too, which mean nothing.
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

  /** Adds a type, and those of its elements or alternatives. */
  #add(type: string | undefined, found: Set<Info>): void {
    // A server may nest them in each other without end.
    for (const types = [type]; types.length > 0;) {
      const info = this.#infos.get(types.pop());
      if (!info || found.has(info)) continue;
      found.add(info);
      types.push(info['element-type']);
      if (info['meta-type'] === 'alternate') for (const alternative of info.members ?? []) types.push(alternative.type);
    }
  }

  /** The members of a name, whatever branch they are of, and their types. */
  #member(types: ReadonlySet<Info>, name: string): Set<Info> {
    const found = new Set<Info>();
    const objects = new Set([...types].filter(isObject));
    // Branches come to the set while it is walked.
    for (const { members = [], variants = [] } of objects) {
      for (const { type } of variants) this.#add(type, objects);
      for (const member of members.filter((candidate) => candidate.name === name)) {
        found.add(member);
        this.#add(member.type, found);
      }
    }
    return found;
  }

  /** Objects of one branch, with the members of their base. */
  #branch(types: ReadonlySet<Info>, discriminator: string, branch: string): Set<Info> {
    const found = new Set<Info>();
    for (const { tag, members = [], variants = [] } of [...types].filter(isObject)) {
      const variant = tag === discriminator && variants.find((candidate) => candidate.case === branch);
      const type = variant ? this.#infos.get(variant.type) : undefined;
      if (type) found.add({ ...type, members: [...members, ...(type.members ?? [])] });
    }
    return found;
  }
}

function isObject(info: Info): boolean {
  return info['meta-type'] === 'object';
}

/** The values of a name, of those types that are enums. */
function valuesOf(types: ReadonlySet<Info>, name: string): Set<Info> {
  const enums = [...types].filter((info) => info['meta-type'] === 'enum');
  // Before QEMU 6.2, values had no features, and there were only their names.
  const values = enums.flatMap(
    ({ members, values: names = [] }) => members ?? names.map((value): Info => ({ name: value })),
  );
  return new Set(values.filter((value) => value.name === name));
}

/** A name has a period only in the prefix of a vendor: `__com.redhat_name`. */
const stepPattern = /* @__PURE__ */ (() => {
  const name = String.raw`(?:__[A-Za-z0-9.-]+_)?[A-Za-z0-9][\w-]*`;
  const choice = `${name}=${name}`;
  return new RegExp(String.raw`\.?(${name})|\((${choice}(?:,${choice})*)\)|\[\]`, 'gu');
})();

/** Steps to a member, by its name, or into a branch of a union, by the names of the discriminator and its value. */
function stepsOf(path: string): string[][] {
  const matches = [...path.matchAll(stepPattern)];
  if (matches.map(([text]) => text).join('') !== path) {
    throw new TypeError(`'${path}' is no path to a member: it has to be like file(driver=nbd).server`);
  }
  // Elements are stepped into by themselves.
  return matches.flatMap(([, member, choices]) =>
    member === undefined ? (choices?.split(',') ?? []).map((choice) => choice.split('=')) : [[member]],
  );
}
