/** The syntax of definitions, whose names are not resolved yet. Offsets refer to the definition's source. */

import type { Condition } from '../../model.js';
import type { DocComment } from '../docs/comment.js';
import type { Source } from '../source.js';

export type DefinitionSyntax = EnumSyntax | StructSyntax | UnionSyntax | AlternateSyntax | CommandSyntax | EventSyntax;
export type Meta = DefinitionSyntax['meta'];

interface Common {
  readonly source: Source;
  readonly name: string;
  readonly nameOffset: number;
  /** The offset of the whole expression. */
  readonly offset: number;
  readonly condition?: Condition;
  readonly features: readonly FeatureSyntax[];
  readonly doc?: DocComment;
  /** Set if parts may be missing because of errors, which have been reported. */
  readonly broken?: boolean;
}

export interface EnumSyntax extends Common {
  readonly meta: 'enum';
  readonly values: readonly ValueSyntax[];
  readonly prefix?: string;
}

export interface StructSyntax extends Common {
  readonly meta: 'struct';
  readonly base?: TypeSyntax;
  readonly members: readonly MemberSyntax[];
}

export interface UnionSyntax extends Common {
  readonly meta: 'union';
  /** Absent, like the discriminator, in the simple unions of QEMU before 6.2. */
  readonly base?: TypeSyntax | MembersSyntax;
  readonly discriminator?: NameSyntax;
  readonly branches: readonly BranchSyntax[];
}

export interface AlternateSyntax extends Common {
  readonly meta: 'alternate';
  readonly alternatives: readonly BranchSyntax[];
}

export interface CommandSyntax extends Common {
  readonly meta: 'command';
  readonly data?: TypeSyntax | MembersSyntax;
  readonly returns?: TypeSyntax;
  readonly flags: ReadonlySet<CommandFlag>;
}

export interface EventSyntax extends Common {
  readonly meta: 'event';
  readonly data?: TypeSyntax | MembersSyntax;
  readonly flags: ReadonlySet<'boxed'>;
}

/** The flags of commands. Each has only one valid value, so only its presence matters. */
export type CommandFlag = 'boxed' | 'gen' | 'success-response' | 'allow-oob' | 'allow-preconfig' | 'coroutine';

/** A name, and its offset. */
export interface NameSyntax {
  readonly name: string;
  readonly offset: number;
}

/** A reference to a type, or to an array of it. */
export interface TypeSyntax extends NameSyntax {
  readonly array: boolean;
}

/** The members of an implicit type, which are written in place of a type's name. */
export interface MembersSyntax {
  readonly members: readonly MemberSyntax[];
}

export interface MemberSyntax extends NameSyntax {
  readonly optional: boolean;
  readonly type: TypeSyntax;
  readonly condition?: Condition;
  readonly features: readonly FeatureSyntax[];
}

/** A union's branch or an alternate's alternative. */
export interface BranchSyntax extends NameSyntax {
  readonly type: TypeSyntax;
  readonly condition?: Condition;
}

export interface ValueSyntax extends NameSyntax {
  readonly condition?: Condition;
  readonly features: readonly FeatureSyntax[];
}

export interface FeatureSyntax extends NameSyntax {
  readonly condition?: Condition;
}

/** Returns members that are written in place of a type's name. */
export function inlineMembers(data: TypeSyntax | MembersSyntax | undefined): readonly MemberSyntax[] {
  return data && 'members' in data ? data.members : [];
}

/** Returns the members, values or alternatives that a definition's comment describes with `@name:`. */
export function documentedMembers(
  syntax: DefinitionSyntax,
): readonly (NameSyntax & { readonly features?: readonly FeatureSyntax[] })[] {
  switch (syntax.meta) {
    case 'enum':
      return syntax.values;
    case 'struct':
      return syntax.members;
    case 'alternate':
      return syntax.alternatives;
    case 'union':
      return syntax.base ? inlineMembers(syntax.base) : [{ name: 'type', offset: syntax.offset }];
    case 'command':
    case 'event':
      return inlineMembers(syntax.data);
  }
}

/** Returns the features of a definition, its members and its values. */
export function allFeatures(syntax: DefinitionSyntax): FeatureSyntax[] {
  return [...syntax.features, ...documentedMembers(syntax).flatMap(({ features }) => features ?? [])];
}

/** Returns the offset of a type's name, or undefined if members are written in its place. */
export function referenceOffset(data: TypeSyntax | MembersSyntax | undefined): number | undefined {
  return data && 'offset' in data ? data.offset : undefined;
}
