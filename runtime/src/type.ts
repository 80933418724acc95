/** The interface that all types of a schema share at run time. */

import type { Compilable } from './compile.js';
import type { Inspectable } from './inspect.js';
import type { JsonKind } from './json.js';

/**
 * A type. It is interpreted in two ways, which have to agree: it is compiled to a check, and it inspects values. Each
 * kind of type is a class that does both, so that a bundle contains only the kinds that are used.
 */
export interface Type extends Compilable, Inspectable {
  /** The JSON kind of all values, which selects an alternative; undefined if they differ. */
  readonly jsonKind: JsonKind | undefined;
  /** A description for issues: `integer from 0 to 255`. */
  readonly expectation: string;
  readonly takesNull: boolean;
  /** Whether no value is an object or array into which a check would descend. */
  readonly isScalar: boolean;
  /** The types of members, elements and so on. */
  readonly parts: Iterable<Type>;
}

export const noParts: readonly Type[] = [];
