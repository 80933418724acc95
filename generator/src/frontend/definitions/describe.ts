/** Describes types for messages. */

import type { Type } from '../../model.js';

/** `'str'`, `the enum 'Foo'`, `an array of 'str'` */
export function describeType(type: Type): string {
  if (type.kind === 'array') return `an array of '${type.element.name}'`;
  return type.kind === 'builtin' ? `'${type.name}'` : `the ${type.kind} '${type.name}'`;
}

/** `an event`, `a command` */
export function article(noun: string): string {
  return /^[aeiou]/u.test(noun) ? `an ${noun}` : `a ${noun}`;
}
