/** What a guest agent reports about itself with `guest-info`: the names of its commands. */

import { FileError } from '../errors.js';
import { optional } from '../optional.js';
import { empty, type WireCommand, type WireSchema } from './wire.js';

export interface Agent {
  readonly version: string;
  readonly wire: WireSchema;
  /** The commands that the agent has, but refuses to execute. */
  readonly disabled: readonly string[];
}

interface GuestInfo {
  readonly supported_commands: unknown;
  readonly version?: unknown;
}

/** Returns whether a value is a result of `guest-info`, as opposed to `query-qmp-schema`. */
export function isGuestInfo(result: unknown): result is GuestInfo {
  return typeof result === 'object' && result !== null && 'supported_commands' in result;
}

/** Reads a result of `guest-info`. Throws a FileError if it is malformed. */
export function readGuestInfo({ supported_commands: commands, version }: GuestInfo): Agent {
  if (!Array.isArray(commands) || !commands.every(isCommandInfo)) {
    throw malformed("'supported_commands' is not a list of commands");
  }
  if (typeof version !== 'string') throw malformed("'version' is not a string");
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

/** Returns the part of a schema that an agent reports: commands, without arguments, results or features. */
export function namesOnly({ isIntrospection, commands }: WireSchema): WireSchema {
  return {
    isIntrospection,
    commands: new Map([...commands].map(([name, command]) => [name, nameOnly(command)])),
    events: new Map(),
  };
}

function nameOnly({ name, condition }: Pick<WireCommand, 'name' | 'condition'>): WireCommand {
  return {
    name,
    ...optional('condition', condition),
    features: [],
    arguments: empty,
    result: empty,
    oob: false,
    furtherArguments: false,
    replies: true,
    preconfig: false,
  };
}
