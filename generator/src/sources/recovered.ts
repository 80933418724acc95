/** Schemas of servers that are running, recovered from what they report. */

import { basename, join } from 'node:path';

import { embeddedVersions, manualAddress, serverOf, type ServerName } from '../embedded.js';
import { ServerError } from '../errors.js';
import { loadSchema } from '../frontend/load.js';
import { isType, type Definition, type Schema } from '../model.js';
import { recoverAgent } from '../model/agent.js';
import { lackingIn } from '../model/covered.js';
import { recover, type Recovery } from '../model/recover.js';
import { optional } from '../optional.js';
import { minorOf } from '../qemu-version.js';
import { isGuestInfo, readGuestInfo, type AgentInfo } from './guest-info.js';
import { readIntrospection } from './introspection.js';
import { loadReply, readReply, type Reply, type ReplyOptions } from './reply.js';
import { locateVersion, openVersion, type Location } from './versions.js';

export interface RecoverOptions extends Omit<ReplyOptions, 'server'> {
  /** The kind of server. By default, a monitor or storage daemon, told apart by its commands. */
  readonly server?: ServerName | undefined;
  /** A version or a root schema file that names types. By default, the embedded version nearest to the server's. */
  readonly names?: string | undefined;
}

/** A schema that names the types of an introspection. */
interface Anchor {
  /** Such as `QEMU 10.2.2`. */
  readonly title: string;
  readonly schema: Schema;
  /** Set if the schema is embedded or cached. */
  readonly version?: string;
}

/** The schema of a server. */
export interface Recovered {
  /** Such as `QEMU 10.0.2 introspection`. The same server has the same origin at every address. */
  readonly origin: string;
  readonly schema: Schema;
  readonly version?: string;
  /** Returns the address of a definition in QEMU's manual. */
  readonly manual: (definition: Definition) => string | undefined;
  /** What is borrowed, and what could not be recovered: sentences without their periods. */
  readonly notes: readonly string[];
}

/**
 * Recovers the schema of a server from the server or its saved reply.
 *
 * @throws UsageError for an invalid address or unknown version; SchemaError for a bad schema that names types; FileError for a
 *   file that cannot be read, or is not a reply; ServerError if the server cannot be queried, or is of another kind
 */
export async function recoverServer({ server, names, ...options }: RecoverOptions): Promise<Recovered> {
  const named = names === undefined ? undefined : anchorNamed(names);
  const reply = await loadReply({ ...options, server: server ?? 'qmp' });
  const report = readReply(reply, reportIn);
  const found = report.kind ?? server ?? 'qmp';
  refuseOther(server ?? found, found, `'${reply.origin}'`);
  const version = reply.version ?? report.agent?.version;
  const anchor = named ? named(found) : nearest(found, version, report.schema);
  const recovery = recoverReport(report, anchor, version);
  const what = report.agent ? 'guest-info' : 'introspection';
  const unknown = new Set([...recovery.unknown].map(({ name }) => name));
  return {
    origin: version === undefined ? `${what} ${basename(reply.origin)}` : `QEMU ${version} ${what}`,
    schema: recovery.schema,
    ...optional('version', version),
    manual: (definition) =>
      anchor.version === undefined || unknown.has(definition.name)
        ? undefined
        : manualAddress(serverOf(found), definition),
    notes: notesOn(recovery, anchor, report.agent),
  };
}

/**
 * Recovers the schema in a reply.
 *
 * @param anchor the schema that names types. By default, the embedded one that is nearest
 * @throws FileError or ServerError if the reply is malformed
 */
export function recoverBeside(reply: Reply, anchor?: Schema): Schema {
  const report = readReply(reply, reportIn);
  const beside = anchor ? { title: '', schema: anchor } : nearest(report.kind ?? 'qmp', reply.version, report.schema);
  return recoverReport(report, beside, undefined).schema;
}

/** What a reply says. */
type Report = { readonly kind?: ServerName } & (
  { readonly schema: Schema; readonly agent?: undefined } | { readonly agent: AgentInfo; readonly schema?: undefined }
);

/** @param result a result of `query-qmp-schema` or `guest-info`, told apart by its content */
function reportIn(result: unknown): Report {
  if (isGuestInfo(result)) return { kind: 'qga', agent: readGuestInfo(result) };
  const schema = readIntrospection(result);
  return {
    ...optional(
      'kind',
      kindOfServer((name) => schema.definitions.has(name)),
    ),
    schema,
  };
}

function recoverReport({ agent, schema }: Report, anchor: Anchor, version: string | undefined): Recovery {
  const isSame =
    version === undefined || anchor.version === undefined ? undefined : minorOf(version) === minorOf(anchor.version);
  return agent ? recoverAgent(agent.commands, anchor.schema, isSame) : recover(schema, anchor.schema, isSame);
}

/** Returns the kind of the server that has certain commands, if it is known. */
export function kindOfServer(has: (command: string) => boolean): ServerName | undefined {
  if (has('guest-info')) return 'qga';
  if (has('query-status')) return 'qmp';
  return has('block-export-add') ? 'qsd' : undefined;
}

/**
 * Refuses a server of another kind than the expected one.
 *
 * @throws ServerError
 */
export function refuseOther(expected: ServerName, found: ServerName, title: string): void {
  if (found === expected) return;
  const problem = `this is ${serverOf(found).title}, not ${serverOf(expected).title}: use --server ${found}`;
  throw new ServerError(`${title}: ${problem}`);
}

/** Returns a function that loads what `--names` names. Throws a UsageError for an unknown version. */
function anchorNamed(names: string): (server: ServerName) => Anchor {
  if (!/^\d+(\.\d+)*$/u.test(names)) return () => ({ title: `'${names}'`, schema: loadSchema(names) });
  const location = locateVersion(names);
  return (server) => anchorAt(location, server);
}

function anchorAt(location: Location, server: ServerName): Anchor {
  const { version, folder } = location;
  const schema = loadSchema(join(folder, serverOf(server).root), { read: openVersion(location) });
  return { title: `QEMU ${version}`, version, schema };
}

/** Returns the embedded schema of the nearest version or, if the version is unknown, the one that differs least. */
function nearest(server: ServerName, version: string | undefined, schema: Schema | undefined): Anchor {
  const newestFirst = embeddedVersions().toReversed();
  const anchor = (one: string): Anchor => anchorAt(locateVersion(one), server);
  if (version !== undefined || !schema) {
    const wanted = version === undefined ? Infinity : releaseOf(version);
    const distance = (one: string): number => Math.abs(releaseOf(one) - wanted);
    return anchor(newestFirst.reduce((best, one) => (distance(one) < distance(best) ? one : best)));
  }
  const rated = newestFirst.map(anchor).map((one) => ({ one, lacking: lackingIn(schema, one.schema) }));
  return rated.reduce((best, other) => (other.lacking < best.lacking ? other : best)).one;
}

/** Returns the number of a minor release. Each major version of QEMU has three. */
function releaseOf(version: string): number {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major * 3 + minor;
}

/** The number of names that are listed. */
const maxNames = 20;

function notesOn(
  { isExact, unknown, unknownIntegers }: Recovery,
  { title }: Anchor,
  agent: AgentInfo | undefined,
): string[] {
  const listed = (names: readonly string[]): string => {
    const sorted = names.toSorted();
    const more = sorted.length - maxNames;
    return `${sorted.slice(0, maxNames).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  };
  const named = (what: string, test: (definition: Definition) => boolean): string[] => {
    const names = [...unknown].filter(test).map(({ name }) => name);
    return names.length === 0 ? [] : [`${what}: ${listed(names)}`];
  };
  const disabled = agent?.commands.filter(({ enabled }) => !enabled).map(({ name }) => name) ?? [];
  return [
    `names of types, ${agent ? 'types' : 'bases'} and links are those of ${title}`,
    ...(isExact
      ? []
      : [`integer widths are borrowed from ${title}: the types have them, but any 64-bit integer is valid`]),
    ...(unknownIntegers > 0 ? [`integers of unknown width, which are of type Int64: ${unknownIntegers}`] : []),
    ...named(`commands that are not in ${title}`, ({ kind }) => kind === 'command'),
    ...named(`events that are not in ${title}`, ({ kind }) => kind === 'event'),
    ...named(`types that are not in ${title}, and are named after the place where they are used`, isType),
    ...(disabled.length > 0 ? [`commands that the agent does not execute now: ${listed(disabled)}`] : []),
  ];
}
