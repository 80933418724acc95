/** Definitions of the model in one line each: `struct Foo : Base { a: int, b?: [str] if X } if Y [feature]`. */

import { formatCondition } from '../../generator/src/condition.js';
import type {
  Alternative,
  Branch,
  Command,
  Condition,
  Definition,
  Feature,
  Member,
  ObjectType,
  Schema,
  Type,
} from '../../generator/src/model.js';

export function shapes(schema: Schema): string[] {
  return [...schema.definitions.values()].map(shapeOf);
}

export function shapeOf(definition: Definition): string {
  return withoutSuffix(definition) + suffix(definition);
}

function withoutSuffix(definition: Definition): string {
  const head = `${definition.kind} ${definition.name}`;
  switch (definition.kind) {
    case 'enum': {
      const prefix = definition.prefix === undefined ? '' : ` prefix ${definition.prefix}`;
      return `${head}${prefix} ${list(definition.values.map((value) => value.name + suffix(value)))}`;
    }
    case 'struct':
      return `${head}${definition.base ? ` : ${definition.base.name}` : ''} ${members(definition.members)}`;
    case 'union':
      return `${head} : ${type(definition.base)} by ${definition.discriminator.name} ${list(definition.branches.map(choice))}`;
    case 'alternate':
      return `${head} ${list(definition.alternatives.map(choice))}`;
    case 'command': {
      const returns = definition.returns ? ` -> ${type(definition.returns)}` : '';
      return `${head}(${data(definition.arguments)})${returns}${flags(definition)}`;
    }
    case 'event':
      return `${head}(${data(definition.data)})${definition.boxed ? ' boxed' : ''}`;
  }
}

function data(object: ObjectType | undefined): string {
  return object ? type(object) : '';
}

function flags({ boxed, gen, successResponse, allowOob, allowPreconfig, coroutine }: Command): string {
  const words = { boxed, 'no-gen': !gen, 'no-response': !successResponse, oob: allowOob, preconfig: allowPreconfig };
  return Object.entries({ ...words, coroutine })
    .map(([word, is]) => (is ? ` ${word}` : ''))
    .join('');
}

function type(of: Type): string {
  if (of.kind === 'array') return `[${type(of.element)}]`;
  return of.kind === 'struct' && of.implicit ? members(of.members) : of.name;
}

function members(of: readonly Member[]): string {
  return list(of.map((member) => `${member.name}${member.optional ? '?' : ''}: ${type(member.type)}${suffix(member)}`));
}

function choice(of: Branch | Alternative): string {
  return `${of.name}${of.type ? `: ${type(of.type)}` : ''}${suffix(of)}`;
}

function suffix({ condition, features = [] }: { condition?: Condition; features?: readonly Feature[] }): string {
  const names = features.map((feature) => feature.name + suffix(feature)).join(', ');
  return `${condition ? ` if ${formatCondition(condition)}` : ''}${names === '' ? '' : ` [${names}]`}`;
}

function list(parts: readonly string[]): string {
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
}
