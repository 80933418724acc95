/**
 * Counts the leaves of unions: the branches that remain when each branch that is itself a union is replaced by its
 * branches. Each leaf becomes an interface and is compared to others, but a few lines of schema can multiply them
 * without bound.
 */

import { SchemaError, type Diagnostic } from './diagnostic.js';
import { isEmpty, type Schema, type UnionType } from './model.js';

/** The limit for one union. QEMU's largest has 49. */
export const maxLeaves = 10_000;

/** The limit for all unions of a schema. QEMU 10.2 has 287, and gains a few each year. */
export const maxAllLeaves = 20_000;

/** @throws SchemaError if the unions of a schema have more leaves than the limits allow */
export function refuseLeaves(schema: Schema): void {
  const known = new Map<UnionType, number>();
  const refusals: Diagnostic[] = [];
  let all = 0;
  const refuse = (union: UnionType, problem: string): void => {
    refusals.push({ message: problem, position: union.position, includedFrom: [] });
  };
  for (const union of schema.definitions.values()) {
    if (union.kind !== 'union') continue;
    const leaves = countLeaves(union, known);
    const flattened = 'branches with nested unions expanded';
    if (leaves > maxLeaves) {
      refuse(union, `union '${union.name}' has ${leaves} ${flattened}, more than the limit of ${maxLeaves}`);
      continue;
    }
    const before = all;
    all += leaves;
    if (before <= maxAllLeaves && all > maxAllLeaves) {
      refuse(
        union,
        `with union '${union.name}', the schema's unions have ${all} ${flattened}, more than the limit of ${maxAllLeaves}`,
      );
    }
  }
  if (refusals.length > 0) throw new SchemaError(refusals);
}

/**
 * Counts leaves without visiting each of them, because nested unions multiply. Branches without members count as one
 * leaf together.
 */
function countLeaves(union: UnionType, known: Map<UnionType, number>): number {
  const before = known.get(union);
  if (before !== undefined) return before;
  let count = union.branches.some(({ type }) => !type || isEmpty(type)) ? 1 : 0;
  for (const { type } of union.branches) {
    if (type && !isEmpty(type)) count += type.kind === 'union' ? countLeaves(type, known) : 1;
  }
  known.set(union, count);
  return count;
}
