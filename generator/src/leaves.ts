/**
 * The leaves of unions: the branches that are left when each branch that is a union is replaced by its branches. Each becomes an interface,
 * and is compared with others, while a few lines of schema can multiply them without end.
 */

import { SchemaError, type Diagnostic } from './diagnostic.js';
import { isEmpty, type Schema, type UnionType } from './model.js';

/** Of one union. The largest of QEMU's has 49. */
export const maxLeaves = 10_000;

/** Of all unions of a schema together. Those of QEMU 10.2 have 287, which grow by a few each year. */
export const maxAllLeaves = 20_000;

/** @throws SchemaError when unions have more leaves */
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
    const flattened = 'branches when those that are unions are replaced by theirs';
    if (leaves > maxLeaves) {
      refuse(union, `union '${union.name}' has ${leaves} ${flattened}: more than ${maxLeaves}`);
      continue;
    }
    const before = all;
    all += leaves;
    if (before <= maxAllLeaves && all > maxAllLeaves) {
      refuse(union, `with union '${union.name}', all unions have ${all} ${flattened}: more than ${maxAllLeaves}`);
    }
  }
  if (refusals.length > 0) throw new SchemaError(refusals);
}

/** Without going through them: unions in unions multiply. Branches without members of their own are one leaf together. */
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
