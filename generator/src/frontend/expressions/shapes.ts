/** The shapes that values of an expression must have: strings, and objects with certain keys. */

import { didYouMean } from '../../suggest.js';
import type { ObjectNode, ValueNode } from '../ast.js';
import type { Rules } from '../pragmas.js';
import type { ReportAt } from '../reporter.js';

/** What the reader of any part of an expression needs: the rules, and where to report errors. */
export interface Reading extends Rules {
  readonly reportAt: ReportAt;
}

export interface Keys {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/**
 * Reports the keys that an object lacks, and those that it cannot have.
 *
 * @param offset where keys are missed
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

/** @returns undefined, after a report, for anything but a string */
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

/** `the key 'a'`, `the keys 'a', 'b'` */
export function keyList(keys: readonly string[]): string {
  return `${keys.length > 1 ? 'the keys' : 'the key'} ${quoteAll(keys)}`;
}

export function quoteAll(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}
