/** Conditions of builds: whether they hold, and how they read. */

import type { Condition } from './model.js';

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
