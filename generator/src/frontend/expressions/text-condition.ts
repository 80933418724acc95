/** Parses conditions of QEMU before 6.2, which are expressions of the C preprocessor. */

import type { Condition } from '../../model.js';

/** The maximum nesting of operators: deeper nesting could exhaust the stack. */
const maxDepth = 100;

/**
 *     any  = all { "||" all }
 *     all  = not { "&&" not }
 *     not  = "!" not | "(" any ")" | "defined" "(" name ")" | "defined" name
 *
 * Text in any other form becomes a single name.
 */
export function parseTextCondition(text: string): Condition {
  const tokens = text.match(/\|\||&&|[!()]|\w+|\S/gu) ?? [];
  let at = 0;
  let depth = 0;
  const accept = (token: string): boolean => {
    if (tokens[at] !== token) return false;
    at += 1;
    return true;
  };
  const list = (kind: 'any' | 'all', operator: string, operand: () => Condition | undefined): Condition | undefined => {
    const operands: Condition[] = [];
    do {
      const next = operand();
      if (!next) return undefined;
      operands.push(next);
    } while (accept(operator));
    return operands.length === 1 ? operands[0] : { kind, operands };
  };
  const any = (): Condition | undefined => list('any', '||', () => list('all', '&&', not));
  const not = (): Condition | undefined => {
    depth += 1;
    const operand = depth > maxDepth ? undefined : unary();
    depth -= 1;
    return operand;
  };
  const unary = (): Condition | undefined => {
    if (accept('!')) {
      const operand = not();
      return operand && { kind: 'not', operand };
    }
    if (accept('(')) {
      const inner = any();
      return accept(')') ? inner : undefined;
    }
    if (!accept('defined')) return undefined;
    const open = accept('(');
    const name = tokens[at];
    if (name === undefined || !/^[A-Za-z_]\w*$/u.test(name)) return undefined;
    at += 1;
    return !open || accept(')') ? { kind: 'defined', name } : undefined;
  };
  const condition = any();
  return condition && at === tokens.length ? condition : { kind: 'defined', name: text.trim() };
}
