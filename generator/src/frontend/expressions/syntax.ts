/** Definitions as they are written: well formed, names not yet resolved. Offsets are those of the definition's source. */

import type { Condition } from '../../model.js';
import type { DocComment } from '../docs/comment.js';
import type { Source } from '../source.js';

export type DefinitionSyntax = EnumSyntax | StructSyntax | UnionSyntax | AlternateSyntax | CommandSyntax | EventSyntax;
export type Meta = DefinitionSyntax['meta'];

interface Common {
  readonly source: Source;
  readonly name: string;
  /** Of the name. */
  readonly nameOffset: number;
  /** Of the whole expression. */
  readonly offset: number;
  readonly condition?: Condition;
  readonly features: readonly FeatureSyntax[];
  readonly doc?: DocComment;
  /** It has errors, which are told, so parts may be missing. */
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
  /** Absent, like the discriminator, in unions of the form before QEMU 6.2. */
  readonly base?: TypeSyntax | MembersSyntax;
  readonly discriminator?: { readonly name: string; readonly offset: number };
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

/** The flags that were written; each has one value that may be. */
export type CommandFlag = 'boxed' | 'gen' | 'success-response' | 'allow-oob' | 'allow-preconfig' | 'coroutine';

export interface TypeSyntax {
  readonly name: string;
  readonly array: boolean;
  readonly offset: number;
}

/** A type that is written in place. */
export interface MembersSyntax {
  readonly members: readonly MemberSyntax[];
}

export interface MemberSyntax {
  readonly name: string;
  readonly optional: boolean;
  readonly type: TypeSyntax;
  readonly condition?: Condition;
  readonly features: readonly FeatureSyntax[];
  readonly offset: number;
}

/** A union's branch or an alternate's alternative. */
export interface BranchSyntax {
  readonly name: string;
  readonly type: TypeSyntax;
  readonly condition?: Condition;
  readonly offset: number;
}

export interface ValueSyntax {
  readonly name: string;
  readonly condition?: Condition;
  readonly features: readonly FeatureSyntax[];
  readonly offset: number;
}

export interface FeatureSyntax {
  readonly name: string;
  readonly condition?: Condition;
  readonly offset: number;
}

/** The members of a type that is written in place. */
export function inlineMembers(data: TypeSyntax | MembersSyntax | undefined): readonly MemberSyntax[] {
  return data && 'members' in data ? data.members : [];
}

/** What the comment of a definition describes with `@name:`. */
export function documentedMembers(
  syntax: DefinitionSyntax,
): readonly { readonly name: string; readonly offset: number; readonly features?: readonly FeatureSyntax[] }[] {
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

/** The features of a definition, its members and its values. */
export function allFeatures(syntax: DefinitionSyntax): FeatureSyntax[] {
  return [...syntax.features, ...documentedMembers(syntax).flatMap(({ features }) => features ?? [])];
}

/** The place of a reference to a type; undefined for members. */
export function referenceOffset(data: TypeSyntax | MembersSyntax | undefined): number | undefined {
  return data && 'offset' in data ? data.offset : undefined;
}
