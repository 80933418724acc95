/** Conditions of builds: whether they hold, and how they read. */

import type { Condition, Definition, Feature, Member, ObjectType, Schema } from './model.js';

/** @param defined the names given with `-D`; none at all means that every condition holds */
export function conditionTest(defined: readonly string[]): (condition: Condition) => boolean {
  if (defined.length === 0) return () => true;
  const names = new Set(defined);
  const holds = (condition: Condition): boolean => {
    switch (condition.kind) {
      case 'defined':
        return names.has(condition.name);
      case 'not':
        return !holds(condition.operand);
      case 'all':
        return condition.operands.every(holds);
      case 'any':
        return condition.operands.some(holds);
    }
  };
  return holds;
}

/** The names in all conditions of a schema. */
export function conditionNames(schema: Schema): Set<string> {
  const names = new Set<string>();
  const collect = ({ condition }: { readonly condition?: Condition }): void => {
    if (condition) collectNames(condition, names);
  };
  for (const definition of schema.definitions.values()) for (const part of conditionalParts(definition)) collect(part);
  return names;
}

function collectNames(condition: Condition, names: Set<string>): void {
  if (condition.kind === 'defined') names.add(condition.name);
  else if (condition.kind === 'not') collectNames(condition.operand, names);
  else for (const operand of condition.operands) collectNames(operand, names);
}

/** A definition and what in it can have a condition. */
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

/** As an expression of C's logic: `CONFIG_LINUX && !CONFIG_X`. */
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
