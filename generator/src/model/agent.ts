/** Recovers the schema of a guest agent, which reports only the names of its commands. */

import { createHash } from 'node:crypto';

import { introspect } from '../introspect.js';
import { isType, type Command, type Definition, type Schema } from '../model.js';
import type { AgentCommand } from '../sources/guest-info.js';
import { readIntrospection } from '../sources/introspection.js';
import { further, recover, type Recovery } from './recover.js';

/**
 * Recovers a schema.
 *
 * @param anchor the schema of a similar agent, from which all types are taken
 * @param isSameVersion whether both have the same major and minor version
 */
export function recoverAgent(commands: readonly AgentCommand[], anchor: Schema, isSameVersion?: boolean): Recovery {
  const infos = new Map(commands.map((command) => [command.name, command]));
  const isListed = (definition: Definition): boolean => isType(definition) || infos.has(definition.name);
  const listed: Schema = {
    ...anchor,
    modules: anchor.modules.map((module) => ({ ...module, definitions: module.definitions.filter(isListed) })),
    definitions: new Map([...anchor.definitions].filter(([, definition]) => isListed(definition))),
  };
  // As an introspection, the anchor has only what these commands use.
  const server = readIntrospection(introspect(listed, () => true));
  const { schema, ...recovery } = recover(server, listed, isSameVersion);
  const unknown = commands.filter(({ name }) => anchor.definitions.get(name)?.kind !== 'command').map(unknownCommand);
  const withReplies = (definition: Definition): Definition =>
    definition.kind === 'command'
      ? { ...definition, successResponse: infos.get(definition.name)?.replies ?? definition.successResponse }
      : definition;
  const definitions = [...[...schema.definitions.values()].map(withReplies), ...unknown];
  const own = { name: further.module, path: further.position.file, definitions: unknown };
  const digest = createHash('sha256')
    .update(JSON.stringify([schema.digest, commands.map(({ name, replies }) => [name, replies])]))
    .digest('hex');
  return {
    ...recovery,
    unknown: new Set(unknown),
    schema: {
      modules: [
        ...schema.modules.map((module) => ({ ...module, definitions: module.definitions.map(withReplies) })),
        ...(unknown.length > 0 ? [own] : []),
      ],
      digest,
      definitions: new Map(definitions.map((definition) => [definition.name, definition])),
    },
  };
}

/** Returns a command with any arguments and any result. */
function unknownCommand({ name, replies }: AgentCommand): Command {
  return {
    kind: 'command',
    name,
    ...further,
    features: [],
    arguments: { kind: 'struct', name, ...further, features: [], members: [], implicit: 'arguments' },
    ...(replies && { returns: { kind: 'builtin', name: 'any' } }),
    boxed: false,
    gen: false,
    successResponse: replies,
    allowOob: false,
    allowPreconfig: false,
    coroutine: false,
  };
}
