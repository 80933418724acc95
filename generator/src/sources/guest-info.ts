/** What a guest agent reports about itself with `guest-info`: the names of its commands. */

import { FileError } from '../errors.js';
import { wireName } from './introspection.js';

/** An unchecked result of `guest-info`. */
interface GuestInfo {
  readonly supported_commands: unknown;
  readonly version?: unknown;
}

export interface AgentInfo {
  readonly version: string;
  readonly commands: readonly AgentCommand[];
}

export interface AgentCommand {
  readonly name: string;
  /** Whether the agent executes the command. */
  readonly enabled: boolean;
  /** Whether the agent sends a reply on success. */
  readonly replies: boolean;
}

/** Returns whether a value is a result of `guest-info`, as opposed to `query-qmp-schema`. */
export function isGuestInfo(result: unknown): result is GuestInfo {
  return typeof result === 'object' && result !== null && 'supported_commands' in result;
}

/** Reads a result of `guest-info`. Throws a FileError if it is malformed. */
export function readGuestInfo({ supported_commands: infos, version }: GuestInfo): AgentInfo {
  if (!Array.isArray(infos)) throw malformed("'supported_commands' is not a list of commands");
  const commands = new Map(infos.map(commandOf).map((command) => [command.name, command]));
  if (typeof version !== 'string') throw malformed("'version' is not a string");
  return { version, commands: [...commands.values()] };
}

function commandOf(info: unknown): AgentCommand {
  const { name, enabled, 'success-response': replies } = (info ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string' || typeof enabled !== 'boolean') {
    throw malformed("'supported_commands' is not a list of commands");
  }
  if (!wireName.test(name)) throw malformed(`'${name}' is not a valid name`);
  return { name, enabled, replies: replies !== false };
}

function malformed(problem: string): FileError {
  return new FileError(`the result of guest-info is malformed: ${problem}`);
}
