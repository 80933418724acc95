/**
 * Reads `if`. The grammar is that of QEMU's docs/devel/qapi-code-gen.rst, "Configuring the schema".
 *
 *     condition = string | { 'all': [ condition, ... ] } | { 'any': [ condition, ... ] } | { 'not': condition }
 *
 * Before QEMU 6.2, a condition is an expression of the C preprocessor, or a list of such expressions that all must
 * hold.
 */

import type { Condition } from '../../model.js';
import type { ArrayNode, ObjectNode, StringNode, ValueNode } from '../ast.js';
import { checkKeys, describe, readString, type Reading } from './shapes.js';
import { parseTextCondition } from './text-condition.js';

const operators = ['all', 'any', 'not'] as const;

/**
 * @param object an object that may have the key `if`
 * @param what the title of the object in messages
 */
export function readCondition(reading: Reading, object: ObjectNode, what: string): Condition | undefined {
  const node = object.members.get('if')?.value;
  return node && readAny(reading, node, what);
}

function readAny(reading: Reading, node: ValueNode, what: string): Condition | undefined {
  const { dialect, reportAt } = reading;
  const allowsText = !dialect.enforces('no-text-conditions');
  const allowsObjects = !dialect.enforces('no-structured-conditions');
  if (node.kind === 'string') return readText(reading, node, what);
  if (node.kind === 'array' && allowsText) return readTexts(reading, node, what);
  if (node.kind === 'object' && allowsObjects) return readObject(reading, node, what);
  const list = allowsText ? ['a list of strings'] : [];
  const object = allowsObjects ? ["an object with 'all', 'any' or 'not'"] : [];
  const forms = new Intl.ListFormat('en', { type: 'disjunction' }).format(['a string', ...list, ...object]);
  reportAt(node.offset, `'if' of ${what} must be ${forms}, not ${describe(node)}`);
  return undefined;
}

function readText({ dialect, reportAt }: Reading, { value, offset }: StringNode, what: string): Condition | undefined {
  const isIdentifier = /^[A-Z][A-Z0-9_]*$/u.test(value);
  if (isIdentifier && !dialect.enforces('no-structured-conditions')) return { kind: 'defined', name: value };
  if (dialect.enforces('no-text-conditions'))
    reportAt(offset, `'if' of ${what}: '${value}' is not an identifier such as CONFIG_LINUX`);
  else if (value.trim() === '') reportAt(offset, `'if' of ${what} is empty`);
  else return parseTextCondition(value);
  return undefined;
}

function readTexts(reading: Reading, node: ArrayNode, what: string): Condition | undefined {
  return readOperands(reading, 'all', node, what, (element) => {
    const text = readString(reading, element, `an element of 'if' of ${what}`, 'a string');
    return text === undefined ? undefined : readAny(reading, element, what);
  });
}

function readObject(reading: Reading, node: ObjectNode, what: string): Condition | undefined {
  checkKeys(reading, node, `'if' of ${what}`, { required: [], optional: operators });
  const present = operators.filter((key) => node.members.has(key));
  const [operator, second] = present;
  const operand = operator && node.members.get(operator)?.value;
  if (!operator || !operand || second) {
    // Unknown keys have already been reported.
    if (present.length === node.members.size)
      reading.reportAt(node.offset, `'if' of ${what} needs exactly one of 'all', 'any' and 'not'`);
    return undefined;
  }
  if (operator !== 'not')
    return readOperands(reading, operator, operand, what, (element) => readAny(reading, element, what));
  const inner = readAny(reading, operand, what);
  return inner && { kind: 'not', operand: inner };
}

function readOperands(
  { reportAt }: Reading,
  kind: 'all' | 'any',
  node: ValueNode,
  what: string,
  readOperand: (element: ValueNode) => Condition | undefined,
): Condition | undefined {
  if (node.kind !== 'array') {
    reportAt(node.offset, `'${kind}' in 'if' of ${what} must be an array, not ${describe(node)}`);
    return undefined;
  }
  if (node.elements.length === 0) reportAt(node.offset, `'if' of ${what} must not be an empty list`);
  const operands = node.elements.map(readOperand).filter((operand) => operand !== undefined);
  return operands.length > 0 ? { kind, operands } : undefined;
}
