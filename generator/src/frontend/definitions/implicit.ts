/** Creates implicit types: those written inline, and those of unions without a discriminator. */

import type { Branch, Definition, EnumType, Implicit, Member, StructType, Type, UnionType } from '../../model.js';
import { optional } from '../../optional.js';
import type { BranchSyntax } from '../expressions/syntax.js';

export function implicitStruct(owner: Definition, implicit: Implicit, members: readonly Member[]): StructType {
  return { kind: 'struct', ...fromOwner(owner), features: [], members, implicit };
}

/**
 * Creates the parts of a union without a discriminator. On the wire, it is `{ type: BRANCH, data: VALUE }`, where the
 * value can have any type.
 *
 * @param typeOf resolves the type of a branch, or returns undefined if it does not exist
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
      const element = type.kind === 'array' ? type.element : type;
      // In QEMU, a wrapper exists under the same condition as what it contains.
      const condition = element.kind === 'builtin' ? undefined : element.condition;
      const { condition: _, ...unconditional } = implicitStruct(owner, 'wrapper', [data]);
      const wrapper = { ...unconditional, ...optional('condition', condition) };
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
