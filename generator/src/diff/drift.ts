/** How a server differs from its schema: `qapi-ts drift`. */

import { conditionNames } from '../condition.js';
import { currentVersion, serverOf } from '../embedded.js';
import { FileError, ServerError, UsageError } from '../errors.js';
import { loadSchema } from '../frontend/load.js';
import type { Condition, Schema } from '../model.js';
import { narrow } from '../narrow.js';
import { optional } from '../optional.js';
import { readNamed } from '../sources/files.js';
import { isGuestInfo, namesOnly, readGuestInfo, type Agent } from './agent.js';
import { diff } from './compare.js';
import { infer, type Conditions } from './conditions.js';
import { byCondition, findConditional } from './evidence.js';
import type { Conditional, Report, SideTitle } from './report.js';
import { ask } from './server.js';
import { loadEmbedded, parseIntrospection, type ServerName } from './source.js';
import { ofServer } from './wording.js';
import { wireOf, wireOfIntrospection, type WireSchema } from './wire.js';

/** As on the command line. */
export interface DriftOptions {
  /** `unix:PATH` or `tcp:HOST:PORT` */
  readonly connect?: string | undefined;
  /** A file with the reply to `query-qmp-schema`, or of an agent to `guest-info`. */
  readonly introspection?: string | undefined;
  /** A root schema file, */
  readonly schema?: string | undefined;
  /** or an embedded version; the current one unless told. */
  readonly qemu?: string | undefined;
  readonly server: ServerName;
}

/** The old side is the schema, the new one the server. Its changes are those that no condition explains. */
export interface DriftReport extends Report {
  /** What the server lacks because of how it was built. */
  readonly conditional: readonly Conditional[];
  /** What the server tells of the names in conditions. */
  readonly conditions: Conditions;
  /** Of the old side. */
  readonly schema: Schema;
}

/**
 * @throws SchemaError for a bad schema
 * @throws UsageError for an address or a version that is none
 * @throws FileError for what cannot be read, or is no introspection
 * @throws ServerError when a server cannot be asked, or is not the one that was meant
 */
export async function drift(options: DriftOptions): Promise<DriftReport> {
  const ours = loadOurs(options);
  const theirs = await loadTheirs(options);
  if (ours.version !== undefined) refuseOther(options.server, theirs);

  return {
    old: ours.side,
    new: theirs.side,
    schema: ours.schema,
    ...optional('serverVersion', theirs.version),
    ...driftOf(ours.schema, theirs.wire, theirs.agent),
    notes: [...notesOnVersions(ours.version, theirs.version), ...theirs.notes],
  };
}

/**
 * @param server what a server tells of itself
 * @param agent set when that is no more than the names of commands
 */
export function driftOf(
  schema: Schema,
  server: WireSchema,
  agent?: Pick<Agent, 'disabled'>,
): Pick<DriftReport, 'changes' | 'conditional' | 'conditions'> {
  const visible = agent ? namesOnly : (wire: WireSchema): WireSchema => wire;
  const findings = findConditional(visible(wireOf(schema)), server);
  // Older agents have the commands of other hosts, too, and disable them.
  const evidence = findings.filter(({ part, isThere }) => !(isThere && agent?.disabled.includes(part.name)));
  const { conditions, allows } = infer(conditionNames(schema), evidence);
  const there = new Set(findings.filter(({ isThere }) => isThere).map(({ condition }) => condition));
  // What is there stays, whatever its condition: each part has a condition of its own.
  const isKept = (condition: Condition): boolean => there.has(condition) || allows(condition);
  return {
    changes: diff(visible(wireOf(narrow(schema, isKept))), server, ofServer),
    conditional: byCondition(findings.filter(({ condition, isThere }) => !isThere && !isKept(condition))),
    conditions,
  };
}

interface Ours {
  readonly side: SideTitle;
  readonly schema: Schema;
  /** Of an embedded schema. */
  readonly version?: string;
}

function loadOurs({ schema: file, qemu, server: name }: DriftOptions): Ours {
  if (file !== undefined) return { side: { title: file, kind: 'schema' }, schema: loadSchema(file) };
  const { title, ...embedded } = loadEmbedded(qemu ?? currentVersion(), name);
  return { side: { title, kind: 'embedded' }, ...embedded };
}

interface Theirs {
  readonly side: SideTitle;
  readonly version?: string;
  readonly wire: WireSchema;
  /** Set when there is nothing but the names of commands in it. */
  readonly agent?: Agent;
  readonly notes: readonly string[];
}

async function loadTheirs({ connect, introspection: file, server }: DriftOptions): Promise<Theirs> {
  if (connect !== undefined && file === undefined) {
    const { result, version, build } = await ask(connect, server);
    const theirs = locating(connect, ServerError, () => read(result));
    const known = version ?? theirs.version;
    const what = [
      programs[server],
      ...(known === undefined ? [] : [known]),
      ...(build === undefined ? [] : [`(${build})`]),
    ];
    const side: SideTitle = { kind: 'server', title: `${what.join(' ')} at ${connect}` };
    return { ...theirs, ...optional('version', known), side };
  }
  if (file !== undefined && connect === undefined) {
    const result = load(file);
    return { ...locating(file, FileError, () => read(result)), side: { kind: 'introspection', title: file } };
  }
  throw new UsageError('a server is needed: either --connect ADDRESS or --introspection FILE');
}

const programs: Record<ServerName, string> = { qmp: 'QEMU', qga: 'qemu-ga', qsd: 'qemu-storage-daemon' };

/** @param result of `query-qmp-schema` or `guest-info`: it shows of which */
function read(result: unknown): Omit<Theirs, 'side'> {
  if (!isGuestInfo(result)) return { wire: wireOfIntrospection(result), notes: [hiddenByMonitor] };
  const agent = readGuestInfo(result);
  const { version, wire, disabled } = agent;
  const notes = disabled.length === 0 ? [] : [`${disabledBy}: ${disabled.join(', ')}`];
  return { version, wire, agent, notes: [hiddenByAgent, ...notes] };
}

const hiddenByMonitor =
  'not compared, because a server does not tell: widths of integers, and whether a command takes further arguments, ' +
  'replies, or is allowed with -preconfig';
const hiddenByAgent =
  'not compared, because an agent tells no more than the names of its commands: arguments, results, features';

const disabledBy = 'disabled, by how the agent was started or because its host does not support them';

/** The result in a file: by itself, or in the reply. */
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

/** Says in errors what they are about. */
function locating<T>(where: string, Kind: typeof FileError | typeof ServerError, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw error instanceof FileError ? new Kind(`'${where}': ${error.message}`, { cause: error }) : error;
  }
}

/** A monitor is no storage daemon: the differences would be of no use. */
function refuseOther(server: ServerName, { side, wire }: Theirs): void {
  const has = (command: string): boolean => wire.commands.has(command);
  const found = has('guest-info') ? 'qga' : has('query-status') ? 'qmp' : has('block-export-add') ? 'qsd' : server;
  if (found === server) return;
  const problem = `this is ${serverOf(found).title}, and not ${serverOf(server).title}: use --server ${found}`;
  throw new ServerError(`${side.title}: ${problem}`);
}

function notesOnVersions(ours: string | undefined, theirs: string | undefined): string[] {
  if (ours === undefined || theirs === undefined || ours === theirs) return [];
  const relation = theirs.localeCompare(ours, 'en', { numeric: true }) < 0 ? 'older' : 'newer';
  return [`the server is of QEMU ${theirs}, ${relation} than the schema's ${ours}`];
}
