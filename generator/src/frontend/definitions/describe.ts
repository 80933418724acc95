/** Describes types for messages. */

import type { Type } from '../../model.js';

/** Returns text such as `'str'`, `the enum 'Foo'` or `an array of 'str'`. */
export function describeType(type: Type): string {
  if (type.kind === 'array') return `an array of '${type.element.name}'`;
  return type.kind === 'builtin' ? `'${type.name}'` : `the ${type.kind} '${type.name}'`;
}

/** Returns a noun with its article: `an event`, `a command`. */
export function article(noun: string): string {
  return /^[aeiou]/u.test(noun) ? `an ${noun}` : `a ${noun}`;
}
