/** The syntax tree of a schema file. Offsets refer to the file's text. */

import type { DocComment } from './docs/comment.js';
import type { Source } from './source.js';

/** A top-level object, and the documentation comment before it. */
export interface Expression {
  readonly object: ObjectNode;
  readonly doc?: DocComment;
}

/** An expression, and the file that contains it. */
export interface LocatedExpression extends Expression {
  readonly source: Source;
}

export type ValueNode = ObjectNode | ArrayNode | StringNode | BooleanNode;

export interface ObjectNode {
  readonly kind: 'object';
  readonly offset: number;
  /** By name, in source order. */
  readonly members: ReadonlyMap<string, MemberNode>;
}

/** A member of an object. */
export interface MemberNode {
  /** Offset of the name. */
  readonly offset: number;
  readonly value: ValueNode;
}

export interface ArrayNode {
  readonly kind: 'array';
  readonly offset: number;
  readonly elements: readonly ValueNode[];
}

export interface StringNode {
  readonly kind: 'string';
  readonly offset: number;
  readonly value: string;
}

interface BooleanNode {
  readonly kind: 'boolean';
  readonly offset: number;
  readonly value: boolean;
}
