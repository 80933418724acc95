/** What the versions of a range have. Only code that is generated for a range of versions contains this module. */

import { AlternateType } from './alternate.js';
import { Client, type ExecuteParameters, type Outcome } from './client.js';
import { compiled } from './compile.js';
import type { Connection } from './connection.js';
import { EnumType } from './enum.js';
import { NotSentError } from './errors.js';
import { inspect, isFailure, type InspectOptions, type Issue, type Notes } from './inspect.js';
import { JoinedType } from './joined.js';
import type { CommandMap, EventMap } from './maps.js';
import { ArrayType, StructType, type Member, type MemberRefs, type Typed } from './schema.js';
import type { Type } from './type.js';
import { UnionType } from './union.js';
import { passes, type AnyValidators, type IssuesOptions, type UsedCommand, type Validator } from './validator.js';
import { minorOf, numberOf, type ServerValidators, type VersionRange } from './version.js';

// Versions

/** Consecutive versions, both ends inclusive. An end is empty if it is that of the range. */
interface Span {
  readonly from: string;
  readonly to: string;
}

/** @param note the versions that have a part: `7.2..9.0, 11.0..` */
function spansOf(note: string): Span[] {
  return note.split(',').map((span) => {
    const [from = '', to = ''] = span.trim().split('..');
    return { from, to };
  });
}

function isIn(note: string | undefined, version: string): boolean {
  if (note === undefined) return true;
  const number = numberOf(version);
  const isAfter = (from: string): boolean => from === '' || numberOf(from) <= number;
  const isBefore = (to: string): boolean => to === '' || number <= numberOf(to);
  return spansOf(note).some(({ from, to }) => isAfter(from) && isBefore(to));
}

/** Returns whether any of several versions has a part with a note. */
function isInAny(note: string | undefined, versions: readonly string[]): boolean {
  return versions.some((version) => isIn(note, version));
}

/** Versions from this micro version on lead to the next release. */
const firstDevelopment = 50;

class Versions implements VersionRange {
  readonly text: string;
  readonly #versions: readonly string[];

  constructor(versions: readonly string[]) {
    this.#versions = versions;
    this.text = `${versions[0]} to ${versions.at(-1)}`;
  }

  covers(server: string): boolean {
    const number = numberOf(server);
    return numberOf(this.#versions[0] ?? '') <= number && number <= numberOf(this.#versions.at(-1) ?? '');
  }

  validators({ commands, events }: AnyValidators, server: string | undefined): ServerValidators {
    const ofServer = this.#versionsOf(server);
    // A server may have a command or event that its version lacks, as of any version.
    const versionsWith = ({ in: note }: Notes = {}): readonly string[] =>
      isInAny(note, ofServer) ? ofServer : this.#versions;
    return {
      command: byName(commands, ({ arguments: args, result }) => {
        const versions = versionsWith(args.notes);
        return {
          arguments: this.#argumentsFor(args, versions, server),
          result: { type: forVersions(result.type, versions) },
        };
      }),
      event: byName(events, ({ type, notes }) => forVersions(type, versionsWith(notes))),
    };
  }

  #argumentsFor(
    all: Validator<unknown>,
    versions: readonly string[],
    server: string | undefined,
  ): UsedCommand['arguments'] {
    const type = forVersions(all.type, versions);
    const { notes: { further: versionsWithFurther, in: _, ...notes } = {} } = all;
    const further = Boolean(versionsWithFurther);
    const hasFurther = typeof versionsWithFurther === 'string' ? isInAny(versionsWithFurther, versions) : further;
    const onNotes: InspectOptions['onNotes'] = (inspector, part, subject) => {
      const absence = this.absence(part, server);
      if (absence !== undefined) inspector.issue('version', 'what the server has', 'more', `${subject}${absence}`);
    };
    const issues = (value: unknown, { remarks = [] }: IssuesOptions = {}): Issue[] => {
      if (remarks.length === 0 && passes(compiled(type, 'out'), value, 'out')) return [];
      const found = inspect(all.type, value, { direction: 'out', further, remarks, notes, onNotes }).issues;
      if (found.some((issue) => isFailure(issue, 'out'))) return found;
      const { issues: ofServer } = inspect(type, value, { direction: 'out', further: hasFurther });
      // The notes explain what the server's version does not accept.
      const explained = ofServer.map((issue) => explain(issue, found, server));
      return [...found.filter(({ kind }) => kind !== 'version'), ...explained];
    };
    return { issues, ...(all.notes && { notes: all.notes }) };
  }

  absence({ in: note }: Notes, server: string | undefined): string | undefined {
    if (note === undefined || server === undefined) return undefined;
    if (isInAny(note, this.#versionsOf(server))) return undefined;
    const spans = spansOf(note);
    const past = spans.findLast(({ to }) => to !== '' && numberOf(to) < numberOf(server));
    const history = past ? `was removed after QEMU ${past.to}` : `came with QEMU ${spans[0]?.from}`;
    return `${history}, this server is ${minorOf(server)}`;
  }

  /**
   * Returns the versions whose schemas are those of a server: the same minor version, or else its neighbours, since the
   * server may have what either has.
   */
  #versionsOf(server: string | undefined): readonly string[] {
    const versions = this.#versions;
    if (server === undefined) return versions;
    const number = numberOf(server);
    const isReleased = Number(server.split('.')[2]) < firstDevelopment;
    const older = versions.findLast((version) => numberOf(version) <= number);
    const newer = versions.find((version) => numberOf(version) >= (isReleased ? number : number + 1));
    return [...new Set([older ?? newer, newer ?? older])].filter((version) => version !== undefined);
  }
}

/** Returns a function that returns what a value becomes, by its name. Each is created on first use. */
function byName<V, W>(values: Readonly<Record<string, V>>, create: (value: V) => W): (name: string) => W | undefined {
  const created = new Map<string, W>();
  return (name) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) return undefined;
    const known = created.get(name) ?? create(value);
    created.set(name, known);
    return known;
  };
}

/**
 * Describes the versions of a range. Used by generated code.
 *
 * @param versions the full versions, oldest first
 */
export function versionRange(versions: readonly string[]): VersionRange {
  return new Versions(versions);
}

/**
 * Explains why the server's version does not accept a part of a value, although another does.
 *
 * @param notes the issues of kind `version`, among others
 */
function explain(issue: Issue, notes: readonly Issue[], server = ''): Issue {
  const version = `QEMU ${minorOf(server)}`;
  if (issue.found === 'nothing') return { ...issue, message: `${issue.message}, which ${version} requires` };
  const place = issue.path.join('\0');
  const note = notes.find(({ kind, path }) => kind === 'version' && path.join('\0') === place);
  return note ?? { ...issue, kind: 'version', message: `${version} does not accept it: ${issue.message}` };
}

// Types

/** The types for versions, by the versions. */
const known = /* @__PURE__ */ new Map<string, WeakMap<Type, Type>>();

/**
 * Returns the type of some versions: what none of them has is removed, and what all of them require is mandatory.
 *
 * @param versions `10.0.13`; only the major and minor version count
 */
export function forVersions(type: Type, versions: readonly string[]): Type {
  const key = versions.map(minorOf).join(' ');
  const types = known.get(key) ?? new WeakMap<Type, Type>();
  known.set(key, types);
  const narrowed = types.get(type) ?? narrow(type, versions);
  types.set(type, narrowed);
  return narrowed;
}

function narrow(type: Type, versions: readonly string[]): Type {
  // Types can be recursive, so their parts are narrowed on first use.
  const refTo = (part: Type): Typed => Object.assign(() => true, { type: forVersions(part, versions) });
  const has = ({ in: note }: Notes = {}): boolean => isInAny(note, versions);
  if (type instanceof ArrayType) return new ArrayType(forVersions(type.element, versions));
  if (type instanceof AlternateType) return new AlternateType(() => [...type.parts].map(refTo));
  if (type instanceof EnumType) {
    const values = [...type.values].filter((value) => has(type.notes.get(value)));
    return new EnumType(Object.fromEntries(values.map((value) => [value, value])), Object.fromEntries(type.notes));
  }
  if (type instanceof StructType) {
    const entry = ({ name, optional, type: part, ...notes }: Member): [string, MemberRefs[string]] => {
      const { mandatoryIn } = notes;
      const isMandatory = !optional || (mandatoryIn !== undefined && isInAll(mandatoryIn, versions));
      return [isMandatory ? name : `${name}?`, { ...notes, type: refTo(part) }];
    };
    return new StructType(() => Object.fromEntries(type.members.filter(has).map(entry)));
  }
  if (type instanceof UnionType) {
    return new UnionType(type.discriminator, () => {
      const tag = type.base.members.find(({ name }) => name === type.discriminator);
      const { values } = forVersions(tag?.type as EnumType, versions) as EnumType;
      const branches = [...type.branches].filter(([value]) => values.has(value));
      return [refTo(type.base), Object.fromEntries(branches.map(([value, branch]) => [value, refTo(branch)]))];
    });
  }
  if (type instanceof JoinedType) {
    const variants = type.variants.filter(has);
    const [first, ...others] = variants;
    if (first && others.length === 0) return forVersions(first.type, versions);
    // A server may have what its version lacks, of any variant.
    const all = first ? variants : type.variants;
    return new JoinedType(() => all.map((variant) => [refTo(variant.type), variant.in]));
  }
  return type;
}

function isInAll(note: string, versions: readonly string[]): boolean {
  return versions.every((version) => isIn(note, version));
}

// Clients

declare const granted: unique symbol;

/** What `has` grants. */
export interface Granted<N extends string> {
  readonly [granted]: { readonly [K in N]: true };
}

/** A name, but not a union of names: the answer for one would grant all of them. */
export type Single<N extends string, M extends string = N> = N extends unknown
  ? [M] extends [N]
    ? N
    : 'ask for one command at a time'
  : never;

/**
 * A client of a server whose version is one of a range.
 *
 * @typeParam O the commands that not every version has
 */
export class RangeClient<C extends CommandMap<C>, E extends EventMap<E>, O extends string> extends Client<C, E> {
  declare readonly [granted]: {};
  readonly #connection: Connection;

  constructor(connection: Connection) {
    super(connection);
    this.#connection = connection;
  }

  /**
   * Returns whether the server has a command that not every version has, and lets the compiler accept calls of it. The
   * answer is the server's own, as of the time of connecting, or of the last reconnect.
   */
  override has<N extends O>(name: Single<N>): this is this & Granted<N> {
    return super.has(name);
  }

  /**
   * Executes a command of the schema by its wire name. Ask for those that not every version has first: see `has`.
   *
   * @throws QmpError, or TypeError for an invalid option
   */
  override execute<N extends keyof C & string, U extends keyof E = never>(
    this: Granted<Extract<N, O>>,
    name: N,
    ...parameters: ExecuteParameters<C, E, N, U>
  ): Promise<Outcome<C[N]['result'], E, U>> {
    const client = this as unknown as RangeClient<C, E, O>;
    const problem = client.#connection.lack(name);
    if (problem !== undefined) return Promise.reject(new NotSentError(`${name}: ${problem}`));
    return Client.prototype.execute.call(client, name as never, ...(parameters as unknown as [])) as never;
  }
}
