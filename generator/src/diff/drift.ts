/** Compares a server to its schema: `qapi-ts drift`. */

import { conditionNames } from '../condition.js';
import type { ServerName } from '../embedded.js';
import { UsageError } from '../errors.js';
import { loadSchema } from '../frontend/load.js';
import type { Condition, Schema } from '../model.js';
import { narrow } from '../narrow.js';
import { optional } from '../optional.js';
import { compareVersions, minorOf } from '../qemu-version.js';
import { isGuestInfo, readGuestInfo, type AgentInfo } from '../sources/guest-info.js';
import { isRange, versionsInRange } from '../sources/range.js';
import { kindOfServer, refuseOther } from '../sources/recovered.js';
import { loadReply, readReply, type Reply, type ReplyOptions } from '../sources/reply.js';
import { namesOnly, wireOfAgent } from './agent.js';
import { diff } from './compare.js';
import { infer, type Conditions } from './conditions.js';
import { byCondition, observe } from './evidence.js';
import { loadVersion } from './input.js';
import type { Conditional, Report, InputLabel } from './report.js';
import { ofServer } from './wording.js';
import { wireOf, wireOfIntrospection, type WireSchema } from './wire.js';

/** The options of the command line. */
export interface DriftOptions extends ReplyOptions {
  /** The path of a root schema file. */
  readonly schema?: string | undefined;
  /** An embedded or cached version, or a range of embedded ones, if there is no schema file. Defaults to the current one. */
  readonly qemu?: string | undefined;
}

/** A comparison of a schema, the old side, to a server. The changes are those that conditions do not explain. */
export interface DriftReport extends Report {
  /** The parts that the server lacks because its build does not meet their conditions. */
  readonly conditional: readonly Conditional[];
  readonly conditions: Conditions;
  /** The schema that the server is compared to. */
  readonly schema: Schema;
  /** The schema without what the server's build does not have. */
  readonly narrowed: Schema;
  readonly reply: Reply;
}

/**
 * Compares a server, or a saved reply, to a schema.
 *
 * @throws SchemaError for a bad schema; UsageError for an invalid address or unknown version; FileError for a file that
 *   cannot be read, or is not an introspection; ServerError if the server cannot be queried, or is of another kind
 */
export async function drift(options: DriftOptions): Promise<DriftReport> {
  // The server's version chooses from a range.
  const early = isRange(options.qemu) ? undefined : loadOurs(options);
  const reply = await loadReply(options);
  const theirs = theirsOf(reply, options.server);
  const ours = early ?? loadOurs({ ...options, qemu: versionFor(options.qemu ?? '', theirs) });
  const found = kindOfServer((name) => theirs.wire.commands.has(name)) ?? options.server;
  if (ours.version !== undefined) refuseOther(options.server, found, theirs.label.title);

  return {
    old: ours.label,
    new: theirs.label,
    schema: ours.schema,
    reply,
    ...optional('serverVersion', theirs.version),
    ...driftOf(ours.schema, theirs.wire, theirs.agent),
    notes: [...notesOnVersions(ours.version, theirs.version), ...theirs.notes],
  };
}

/**
 * Compares a schema to what a server reports.
 *
 * @param server the server's schema
 * @param agent set if `server` contains only the names of commands
 */
export function driftOf(
  schema: Schema,
  server: WireSchema,
  agent?: Pick<AgentInfo, 'commands'>,
): Pick<DriftReport, 'changes' | 'conditional' | 'conditions' | 'narrowed'> {
  const visible = agent ? namesOnly : (wire: WireSchema): WireSchema => wire;
  const observations = observe(visible(wireOf(schema)), server);
  // Older agents also have the commands of other hosts, but disable them.
  const disabled = new Set(agent && disabledIn(agent));
  const [refused, evidence] = partition(observations, ({ part, exists }) => exists && disabled.has(part.name));
  // Commands without a condition are disabled only by options, which reveal nothing about the host.
  const conditional = new Set(observations.map(({ part }) => part.name));
  const isByHost = [...disabled].every((name) => conditional.has(name));
  const { conditions, allows } = infer(conditionNames(schema), evidence, isByHost ? refused : []);
  const existing = new Set(observations.filter(({ exists }) => exists).map(({ condition }) => condition));
  // Each part has its own condition object, so a part that exists is kept, whatever its condition says.
  const isKept = (condition: Condition): boolean => existing.has(condition) || allows(condition);
  const narrowed = narrow(schema, isKept);
  return {
    narrowed,
    changes: diff(visible(wireOf(narrowed)), server, ofServer),
    conditional: byCondition(observations.filter(({ condition, exists }) => !exists && !isKept(condition))),
    conditions,
  };
}

function partition<T>(all: readonly T[], test: (one: T) => boolean): [T[], T[]] {
  return [all.filter(test), all.filter((one) => !test(one))];
}

interface Ours {
  readonly label: InputLabel;
  readonly schema: Schema;
  /** The version of an embedded or cached schema. */
  readonly version?: string;
}

function loadOurs({ schema: file, qemu, server: name }: DriftOptions): Ours {
  if (file !== undefined) return { label: { title: file, kind: 'schema' }, schema: loadSchema(file) };
  const { title, kind, ...ours } = loadVersion(qemu, name);
  return { label: { title, kind }, ...ours };
}

/**
 * Returns the version of a range that describes a server: that of the same minor version; otherwise the newest that is not
 * newer; otherwise the oldest.
 *
 * @throws UsageError if the version of the server is unknown
 */
function versionFor(range: string, { version, label }: Theirs): string {
  const versions = versionsInRange(range);
  if (version === undefined) {
    throw new UsageError(`the version of ${label.title} is unknown: instead of the range ${range}, use one version`);
  }
  const isNewer = (one: string): boolean => compareVersions(minorOf(one), minorOf(version)) > 0;
  return versions.findLast((one) => !isNewer(one)) ?? versions[0] ?? version;
}

interface Theirs {
  readonly label: InputLabel;
  readonly version?: string;
  readonly wire: WireSchema;
  /** Set if `wire` has only the names of commands. */
  readonly agent?: AgentInfo;
  readonly notes: readonly string[];
}

const programs: Record<ServerName, string> = { qmp: 'QEMU', qga: 'qemu-ga', qsd: 'qemu-storage-daemon' };

function theirsOf(reply: Reply, server: ServerName): Theirs {
  const { origin, kind, build } = reply;
  const theirs = readReply(reply, read);
  const version = reply.version ?? theirs.agent?.version;
  if (kind === 'introspection') return { ...theirs, ...optional('version', version), label: { kind, title: origin } };
  const what = [
    programs[server],
    ...(version === undefined ? [] : [version]),
    ...(build === undefined ? [] : [`(${build})`]),
  ];
  return { ...theirs, ...optional('version', version), label: { kind, title: `${what.join(' ')} at ${origin}` } };
}

/** @param result a result of `query-qmp-schema` or `guest-info`, told apart by its content */
function read(result: unknown): Omit<Theirs, 'label'> {
  if (!isGuestInfo(result)) return { wire: wireOfIntrospection(result), notes: [hiddenByMonitor] };
  const agent = readGuestInfo(result);
  const disabled = disabledIn(agent);
  const notes = disabled.length === 0 ? [] : [`${disabledBy}: ${disabled.join(', ')}`];
  return { wire: wireOfAgent(agent), agent, notes: [hiddenByAgent, ...notes] };
}

function disabledIn({ commands }: Pick<AgentInfo, 'commands'>): string[] {
  return commands.flatMap(({ name, enabled }) => (enabled ? [] : [name])).toSorted();
}

const hiddenByMonitor =
  'not compared, because servers do not report them: integer widths, and whether a command takes arguments that are not in ' +
  'the schema, sends a reply, or is allowed with -preconfig';
const hiddenByAgent =
  'not compared, because agents report only the names of their commands: arguments, results and features';

const disabledBy = "disabled by the agent's options, or because its host does not support them";

function notesOnVersions(ours: string | undefined, theirs: string | undefined): string[] {
  if (ours === undefined || theirs === undefined || ours === theirs) return [];
  const relation = compareVersions(theirs, ours) < 0 ? 'older' : 'newer';
  return [`the server is QEMU ${theirs}, which is ${relation} than the schema (${ours})`];
}
