/** Guest agents in comparisons: they report only the names of their commands. */

import { optional } from '../optional.js';
import type { AgentInfo } from '../sources/guest-info.js';
import { empty, type WireCommand, type WireSchema } from './wire.js';

export function wireOfAgent({ commands }: AgentInfo): WireSchema {
  return {
    isIntrospection: true,
    commands: new Map(commands.map(({ name }) => [name, nameOnly({ name })])),
    events: new Map(),
  };
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
