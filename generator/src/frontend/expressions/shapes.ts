/** Checks the form of values in expressions: strings, and objects with certain keys. */

import { didYouMean } from '../../suggest.js';
import type { ObjectNode, ValueNode } from '../ast.js';
import type { Rules } from '../pragmas.js';
import type { ReportAt } from '../reporter.js';

/** The context of reading an expression: the rules, and how to report errors. */
export interface Reading extends Rules {
  readonly reportAt: ReportAt;
}

export interface Keys {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/**
 * Reports missing and unknown keys of an object.
 *
 * @param offset where to report missing keys
 */
export function checkKeys(
  { reportAt }: Reading,
  object: ObjectNode,
  what: string,
  { required, optional }: Keys,
  offset = object.offset,
): void {
  const missing = required.filter((key) => !object.members.has(key));
  if (missing.length > 0) reportAt(offset, `${what} lacks ${keyList(missing)}`);
  const allowed = [...required, ...optional];
  for (const [key, member] of object.members) {
    if (allowed.includes(key)) continue;
    const hint = didYouMean(key, allowed) || `; it can have ${quoteAll(allowed)}`;
    reportAt(member.offset, `${what} has no key '${key}'${hint}`);
  }
}

/** Returns undefined and reports an error if the node is not a string. */
export function readString({ reportAt }: Reading, node: ValueNode, what: string, form: string): string | undefined {
  if (node.kind === 'string') return node.value;
  reportAt(node.offset, `${what} must be ${form}, not ${describe(node)}`);
  return undefined;
}

export function describe(node: ValueNode): string {
  switch (node.kind) {
    case 'object':
      return 'an object';
    case 'array':
      return node.elements.length === 0 ? 'an empty array' : 'an array';
    case 'string':
      return `the string '${node.value}'`;
    case 'boolean':
      return String(node.value);
  }
}

/** Returns text such as `the key 'a'` or `the keys 'a', 'b'`. */
export function keyList(keys: readonly string[]): string {
  return `${keys.length > 1 ? 'the keys' : 'the key'} ${quoteAll(keys)}`;
}

export function quoteAll(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}
