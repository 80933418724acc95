/** How a server differs from its schema: `qapi-ts drift`. */

import { conditionNames } from '../condition.js';
import { currentVersion, serverOf } from '../embedded.js';
import { FileError, ServerError, UsageError } from '../errors.js';
import { loadSchema } from '../frontend/load.js';
import type { Schema } from '../model.js';
import { narrow } from '../narrow.js';
import { optional } from '../optional.js';
import { readNamed } from '../sources/files.js';
import { isGuestInfo, namesOnly, readGuestInfo } from './agent.js';
import { diff } from './compare.js';
import { infer, type Conditions } from './conditions.js';
import { byCondition, findConditional } from './evidence.js';
import type { Conditional, Report, SideTitle } from './report.js';
import { ask } from './server.js';
import { loadEmbedded, parseIntrospection, type ServerName } from './source.js';
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
    ...driftOf(ours.schema, theirs.wire, theirs.isAgent ? namesOnly : undefined),
    notes: [...notesOnVersions(ours.version, theirs.version), ...theirs.notes],
  };
}

/**
 * @param server what a server tells of itself
 * @param visible what of the schema it could tell
 */
export function driftOf(
  schema: Schema,
  server: WireSchema,
  visible = (wire: WireSchema): WireSchema => wire,
): Pick<DriftReport, 'changes' | 'conditional' | 'conditions'> {
  const findings = findConditional(visible(wireOf(schema)), server);
  const { conditions, allows } = infer(conditionNames(schema), findings);
  return {
    changes: diff(visible(wireOf(narrow(schema, allows))), server),
    conditional: byCondition(findings.filter(({ condition, isThere }) => !isThere && !allows(condition))),
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
  /** Then there is nothing but the names of commands in it. */
  readonly isAgent: boolean;
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
  if (!isGuestInfo(result)) return { wire: wireOfIntrospection(result), isAgent: false, notes: [hiddenByMonitor] };
  const { version, wire, disabled } = readGuestInfo(result);
  const notes = disabled.length === 0 ? [] : [`disabled by how the agent was started: ${disabled.join(', ')}`];
  return { version, wire, isAgent: true, notes: [hiddenByAgent, ...notes] };
}

const hiddenByMonitor =
  'not compared, because a server does not tell: widths of integers, and whether a command takes further arguments, ' +
  'replies, or is allowed with -preconfig';
const hiddenByAgent =
  'not compared, because an agent tells no more than the names of its commands: arguments, results, features';

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
  return [`the schema is of QEMU ${ours}, the server of ${theirs}`];
}
