/** Compares a server to its schema: `qapi-ts drift`. */

import { conditionNames } from '../condition.js';
import { serverOf } from '../embedded.js';
import { FileError, ServerError, UsageError } from '../errors.js';
import { loadSchema } from '../frontend/load.js';
import type { Condition, Schema } from '../model.js';
import { narrow } from '../narrow.js';
import { optional } from '../optional.js';
import { readNamed } from '../sources/files.js';
import { isGuestInfo, namesOnly, readGuestInfo, type Agent } from './agent.js';
import { diff } from './compare.js';
import { infer, type Conditions } from './conditions.js';
import { byCondition, observe } from './evidence.js';
import { loadVersion, locating, parseIntrospection, type ServerName } from './input.js';
import type { Conditional, Report, InputLabel } from './report.js';
import { query } from './server.js';
import { ofServer } from './wording.js';
import { wireOf, wireOfIntrospection, type WireSchema } from './wire.js';

/** The options of the command line. */
export interface DriftOptions {
  /** `unix:PATH` or `tcp:HOST:PORT` */
  readonly connect?: string | undefined;
  /** The path of a saved reply to `query-qmp-schema` or, from an agent, to `guest-info`. */
  readonly introspection?: string | undefined;
  /** The path of a root schema file. */
  readonly schema?: string | undefined;
  /** An embedded or cached version, if there is no schema file. Defaults to the current one. */
  readonly qemu?: string | undefined;
  readonly server: ServerName;
}

/** A comparison of a schema, the old side, to a server. The changes are those that conditions do not explain. */
export interface DriftReport extends Report {
  /** The parts that the server lacks because its build does not meet their conditions. */
  readonly conditional: readonly Conditional[];
  readonly conditions: Conditions;
  /** The schema that the server is compared to. */
  readonly schema: Schema;
}

/**
 * Compares a server, or a saved reply, to a schema.
 *
 * @throws SchemaError for a bad schema; UsageError for an invalid address or unknown version; FileError for a file that
 *   cannot be read, or is not an introspection; ServerError if the server cannot be queried, or is of another kind
 */
export async function drift(options: DriftOptions): Promise<DriftReport> {
  const ours = loadOurs(options);
  const theirs = await loadTheirs(options);
  if (ours.version !== undefined) refuseOther(options.server, theirs);

  return {
    old: ours.label,
    new: theirs.label,
    schema: ours.schema,
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
  agent?: Pick<Agent, 'disabled'>,
): Pick<DriftReport, 'changes' | 'conditional' | 'conditions'> {
  const visible = agent ? namesOnly : (wire: WireSchema): WireSchema => wire;
  const observations = observe(visible(wireOf(schema)), server);
  // Older agents also have the commands of other hosts, but disable them.
  const disabled = new Set(agent?.disabled);
  const [refused, evidence] = partition(observations, ({ part, exists }) => exists && disabled.has(part.name));
  // Commands without a condition are disabled only by options, which reveal nothing about the host.
  const conditional = new Set(observations.map(({ part }) => part.name));
  const isByHost = [...disabled].every((name) => conditional.has(name));
  const { conditions, allows } = infer(conditionNames(schema), evidence, isByHost ? refused : []);
  const existing = new Set(observations.filter(({ exists }) => exists).map(({ condition }) => condition));
  // Each part has its own condition object, so a part that exists is kept, whatever its condition says.
  const isKept = (condition: Condition): boolean => existing.has(condition) || allows(condition);
  return {
    changes: diff(visible(wireOf(narrow(schema, isKept))), server, ofServer),
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

interface Theirs {
  readonly label: InputLabel;
  readonly version?: string;
  readonly wire: WireSchema;
  /** Set if `wire` has only the names of commands. */
  readonly agent?: Agent;
  readonly notes: readonly string[];
}

async function loadTheirs({ connect, introspection: file, server }: DriftOptions): Promise<Theirs> {
  if (connect !== undefined && file === undefined) {
    const { result, version, build } = await query(connect, server);
    const theirs = locating(connect, ServerError, () => read(result));
    const known = version ?? theirs.version;
    const what = [
      programs[server],
      ...(known === undefined ? [] : [known]),
      ...(build === undefined ? [] : [`(${build})`]),
    ];
    const label: InputLabel = { kind: 'server', title: `${what.join(' ')} at ${connect}` };
    return { ...theirs, ...optional('version', known), label };
  }
  if (file !== undefined && connect === undefined) {
    const result = load(file);
    return { ...locating(file, FileError, () => read(result)), label: { kind: 'introspection', title: file } };
  }
  throw new UsageError('expected either --connect ADDRESS or --introspection FILE');
}

const programs: Record<ServerName, string> = { qmp: 'QEMU', qga: 'qemu-ga', qsd: 'qemu-storage-daemon' };

/** @param result a result of `query-qmp-schema` or `guest-info`, told apart by its content */
function read(result: unknown): Omit<Theirs, 'label'> {
  if (!isGuestInfo(result)) return { wire: wireOfIntrospection(result), notes: [hiddenByMonitor] };
  const agent = readGuestInfo(result);
  const { version, wire, disabled } = agent;
  const notes = disabled.length === 0 ? [] : [`${disabledBy}: ${disabled.join(', ')}`];
  return { version, wire, agent, notes: [hiddenByAgent, ...notes] };
}

const hiddenByMonitor =
  'not compared, because servers do not report them: integer widths, and whether a command takes arguments that are not in ' +
  'the schema, sends a reply, or is allowed with -preconfig';
const hiddenByAgent =
  'not compared, because agents report only the names of their commands: arguments, results and features';

const disabledBy = "disabled by the agent's options, or because its host does not support them";

/** Returns the result in a file that contains either the result or the whole reply. */
function load(file: string): unknown {
  const content = new TextDecoder().decode(readNamed(file));
  return guestInfoIn(content) ?? parseIntrospection(file, content);
}

function guestInfoIn(content: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return undefined;
  }
  const result = typeof value === 'object' && value !== null && 'return' in value ? value.return : value;
  return isGuestInfo(result) ? result : undefined;
}

/** Refuses to compare a server to the schema of another kind of server: the differences would be meaningless. */
function refuseOther(server: ServerName, { label, wire }: Theirs): void {
  const has = (command: string): boolean => wire.commands.has(command);
  const found = has('guest-info') ? 'qga' : has('query-status') ? 'qmp' : has('block-export-add') ? 'qsd' : server;
  if (found === server) return;
  const problem = `this is ${serverOf(found).title}, not ${serverOf(server).title}: use --server ${found}`;
  throw new ServerError(`${label.title}: ${problem}`);
}

function notesOnVersions(ours: string | undefined, theirs: string | undefined): string[] {
  if (ours === undefined || theirs === undefined || ours === theirs) return [];
  const relation = theirs.localeCompare(ours, 'en', { numeric: true }) < 0 ? 'older' : 'newer';
  return [`the server is QEMU ${theirs}, which is ${relation} than the schema (${ours})`];
}
