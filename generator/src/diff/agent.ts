/** What a guest agent tells of itself, by `guest-info`: the names of its commands. */

import { FileError } from '../errors.js';
import { optional } from '../optional.js';
import type { WireCommand, WireObject, WireSchema } from './wire.js';

export interface Agent {
  readonly version: string;
  readonly wire: WireSchema;
  /** Commands that it has, and refuses to execute. */
  readonly disabled: readonly string[];
}

interface GuestInfo {
  readonly supported_commands: unknown;
  readonly version?: unknown;
}

/** Whether this is a result of `guest-info`, and not of `query-qmp-schema`. */
export function isGuestInfo(result: unknown): result is GuestInfo {
  return typeof result === 'object' && result !== null && 'supported_commands' in result;
}

/** @throws FileError when it is malformed */
export function readGuestInfo({ supported_commands: commands, version }: GuestInfo): Agent {
  if (!Array.isArray(commands) || !commands.every(isCommandInfo)) throw malformed("'supported_commands' are none");
  if (typeof version !== 'string') throw malformed('there is no version');
  return {
    version,
    wire: {
      isIntrospection: true,
      commands: new Map(commands.map(({ name }) => [name, nameOnly({ name })])),
      events: new Map(),
    },
    disabled: commands.flatMap(({ name, enabled }) => (enabled ? [] : [name])).toSorted(),
  };
}

interface CommandInfo {
  readonly name: string;
  readonly enabled: boolean;
}

function isCommandInfo(info: unknown): info is CommandInfo {
  const { name, enabled } = (info ?? {}) as Record<string, unknown>;
  return typeof name === 'string' && typeof enabled === 'boolean';
}

function malformed(problem: string): FileError {
  return new FileError(`the result of guest-info is malformed: ${problem}`);
}

/** What an agent could tell of a schema. */
export function namesOnly({ isIntrospection, commands }: WireSchema): WireSchema {
  return {
    isIntrospection,
    commands: new Map([...commands].map(([name, command]) => [name, nameOnly(command)])),
    events: new Map(),
  };
}

const unknown: WireObject = { kind: 'object', features: [], members: new Map(), branches: new Map() };

function nameOnly({ name, condition }: Pick<WireCommand, 'name' | 'condition'>): WireCommand {
  return {
    name,
    ...optional('condition', condition),
    features: [],
    arguments: unknown,
    result: unknown,
    oob: false,
    furtherArguments: false,
    replies: true,
    preconfig: false,
  };
}
