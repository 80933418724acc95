/** Evaluates and formats the conditions of builds. */

import type { Condition, Definition, Feature, Member, ObjectType, Schema } from './model.js';

/**
 * Returns a function that tests conditions.
 *
 * @param defined the names given with `-D`; if it is empty, every condition holds
 */
export function conditionTest(defined: readonly string[]): (condition: Condition) => boolean {
  if (defined.length === 0) return () => true;
  const names = new Set(defined);
  return (condition) => evaluate(condition, (name) => names.has(name)) === true;
}

/**
 * Evaluates a condition. Returns undefined if the result depends on unknown names.
 *
 * @param valueOf returns whether a name is defined, or undefined if that is unknown
 */
export function evaluate(condition: Condition, valueOf: (name: string) => boolean | undefined): boolean | undefined {
  switch (condition.kind) {
    case 'defined':
      return valueOf(condition.name);
    case 'not': {
      const value = evaluate(condition.operand, valueOf);
      return value === undefined ? undefined : !value;
    }
    case 'all':
    case 'any': {
      // A single operand with this value decides the result.
      const decisive = condition.kind === 'any';
      const values = new Set(condition.operands.map((operand) => evaluate(operand, valueOf)));
      if (values.has(decisive)) return decisive;
      return values.has(undefined) ? undefined : !decisive;
    }
  }
}

/** Returns the names in all conditions of a schema. */
export function conditionNames(schema: Schema): Set<string> {
  const names = new Set<string>();
  const collect = ({ condition }: { readonly condition?: Condition }): void => {
    if (condition) for (const name of namesIn(condition)) names.add(name);
  };
  for (const definition of schema.definitions.values()) for (const part of conditionalParts(definition)) collect(part);
  return names;
}

/** Returns the distinct names in a condition. */
export function namesIn(condition: Condition): string[] {
  if (condition.kind === 'defined') return [condition.name];
  const operands = condition.kind === 'not' ? [condition.operand] : condition.operands;
  return [...new Set(operands.flatMap(namesIn))];
}

/** Returns a definition and its parts that can have a condition. */
function conditionalParts(definition: Definition): readonly Conditional[] {
  const members = (type: ObjectType | undefined): readonly Member[] =>
    type?.kind === 'struct' && (type === definition || type.implicit) ? type.members : [];
  const parts: (readonly Conditional[])[] = [[definition]];
  if (definition.kind === 'enum') parts.push(definition.values);
  if (definition.kind === 'struct') parts.push(members(definition));
  if (definition.kind === 'union') parts.push(members(definition.base), definition.branches);
  if (definition.kind === 'alternate') parts.push(definition.alternatives);
  if (definition.kind === 'command') parts.push(members(definition.arguments));
  if (definition.kind === 'event') parts.push(members(definition.data));
  return parts.flat().flatMap((part) => [part, ...(part.features ?? [])]);
}

interface Conditional {
  readonly condition?: Condition;
  readonly features?: readonly Feature[];
}

/** Formats a condition in C syntax: `CONFIG_LINUX && !CONFIG_X`. */
export function formatCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'defined':
      return condition.name;
    case 'not':
      return `!${formatOperand(condition.operand)}`;
    case 'all':
    case 'any':
      return condition.operands.map(formatOperand).join(condition.kind === 'all' ? ' && ' : ' || ');
  }
}

function formatOperand(condition: Condition): string {
  const text = formatCondition(condition);
  const single =
    (condition.kind === 'defined' && /^\w+$/u.test(text)) || condition.kind === 'not' || !text.includes(' ');
  return single ? text : `(${text})`;
}
