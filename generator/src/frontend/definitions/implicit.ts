/** Types that a schema does not name: it writes them in place, or they follow from the form of a union. */

import type { Branch, Definition, EnumType, Implicit, Member, StructType, Type, UnionType } from '../../model.js';
import { optional } from '../../optional.js';
import type { BranchSyntax } from '../expressions/syntax.js';

export function implicitStruct(owner: Definition, implicit: Implicit, members: readonly Member[]): StructType {
  return { kind: 'struct', ...fromOwner(owner), features: [], members, implicit };
}

/**
 * The parts of a union without a discriminator. On the wire it is `{ type: BRANCH, data: VALUE }`, and the value can have any type.
 *
 * @param typeOf gives a branch's type, if it exists
 */
export function simpleUnion(
  owner: UnionType,
  branches: readonly BranchSyntax[],
  typeOf: (branch: BranchSyntax) => Type | undefined,
): Pick<UnionType, 'base' | 'discriminator' | 'branches'> {
  const kinds: EnumType = {
    kind: 'enum',
    ...fromOwner(owner),
    name: `${owner.name}Kind`,
    features: [],
    values: branches.map(({ name, condition }) => ({ name, ...optional('condition', condition), features: [] })),
    implicit: 'discriminator',
  };
  const discriminator = { name: 'type', type: kinds, optional: false, features: [] };
  return {
    base: implicitStruct(owner, 'base', [discriminator]),
    discriminator,
    branches: branches.flatMap((branch): Branch[] => {
      const type = typeOf(branch);
      if (!type) return [];
      const data = { name: 'data', type, optional: false, features: [] };
      const wrapper = implicitStruct(owner, 'wrapper', [data]);
      return [{ name: branch.name, type: wrapper, ...optional('condition', branch.condition) }];
    }),
  };
}

function fromOwner({
  name,
  module,
  position,
  condition,
}: Definition): Pick<Definition, 'name' | 'module' | 'position' | 'condition'> {
  return { name, module, position, ...optional('condition', condition) };
}
