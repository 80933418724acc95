/** Finds where a change affects a program, by comparing the facts of both checks at the same node. */

import type { ts } from 'ts-morph';

import type { Change, Use } from '../diff/change.js';
import type { GeneratedCode, PathTarget } from './code.js';
import type { Compiler } from './compiler.js';
import type { Access, Facts, MemberFact, SubjectFact } from './facts.js';
import { partsOf } from './flow.js';

/** A program checked with the types of one side. */
export interface View {
  readonly compiler: Compiler;
  readonly program: ts.Program;
  readonly code: GeneratedCode;
  readonly facts: Facts;
}

/** Kinds of changes that add something that no existing program can have used. */
const grants: ReadonlySet<Change['kind']> = new Set(['oob-granted', 'preconfig-granted']);

/** Returns the places where a change affects a program. */
export function affectedBy(change: Change, old: View, newer: View): ts.Node[] {
  if (grants.has(change.kind)) return [];
  return [...new Set(change.uses.flatMap((use) => new ChangeUse(change, use, old, newer).nodes()))];
}

/** One use of a change in the schemas, and where the program has it. */
class ChangeUse {
  constructor(
    readonly change: Change,
    readonly use: Use,
    readonly old: View,
    readonly newer: View,
  ) {}

  get #target(): PathTarget {
    return this.old.code.find(this.use);
  }

  get #newTarget(): PathTarget {
    return this.newer.code.find(this.use);
  }

  nodes(): ts.Node[] {
    const { change, use, old } = this;
    const subjects = old.facts.subjects.filter(({ kind, name }) => kind === use.subject && name === use.name);
    if (subjects.length === 0) return [];
    if (use.role === undefined) return this.#ofSubject(subjects);
    const isLacking = change.kind === 'member-added' || change.kind === 'member-mandatory';
    if (use.role === 'arguments' && isLacking && change.verdict === 'breaking') return this.#lacking();
    // Code that reads an enum may receive any value, including a new one.
    const isAnyValue = change.kind === 'value-added' && use.role !== 'arguments';
    const value = isAnyValue ? undefined : (change.place.value ?? this.#target.branch);
    if (value !== undefined) return this.#ofValue(value);
    if (this.#target.isWhole) return subjects.filter(({ hasResult }) => use.role !== 'result' || hasResult).map(nodeOf);
    return old.facts.members.filter((fact) => this.#isOfMember(fact)).map(nodeOf);
  }

  get #access(): Access {
    return this.use.role === 'arguments' ? 'writes' : 'reads';
  }

  #ofSubject(subjects: readonly SubjectFact[]): ts.Node[] {
    switch (this.change.kind) {
      case 'oob-withdrawn':
        return subjects.filter(({ isOob }) => isOob).map(nodeOf);
      case 'reply-changed':
        return subjects.filter(({ hasResult }) => hasResult).map(nodeOf);
      case 'further-arguments-changed':
        return this.#furtherArguments(subjects);
      default:
        return subjects.map(nodeOf);
    }
  }

  /** Returns the places where arguments have members that are not in the schema. */
  #furtherArguments(subjects: readonly SubjectFact[]): ts.Node[] {
    const { code, facts } = this.old;
    const known = code.carried({ kind: 'command', name: this.use.name }, 'arguments');
    const isFurther = (name: string): boolean => known.every((type) => !type.getProperty(name));
    const owners = new Set(known.flatMap((type) => code.interfacesOf(type)));
    const made = facts.constructions.filter(
      ({ candidates, members }) =>
        [...members].some(isFurther) && candidates.some((type) => intersects(code.interfacesOf(type), owners)),
    );
    const called = subjects.filter(({ args }) => args?.getProperties().some(({ name }) => isFurther(name)));
    return [...called, ...made].map(nodeOf);
  }

  #ofValue(value: string): ts.Node[] {
    const enums = new Set(this.#target.enums);
    const isGone = this.change.kind === 'value-removed';
    return this.old.facts.values
      .filter((fact) => fact.value === value && intersects(fact.enums, enums))
      .filter(({ access }) => (access ?? this.#access) === this.#access)
      .filter(({ node }) => {
        const same = this.newer.facts.values.filter((fact) => fact.node === node && fact.value === value);
        return !isGone || !same.some(({ isKnown }) => isKnown);
      })
      .map(nodeOf);
  }

  #isOfMember(fact: MemberFact): boolean {
    const { access, members } = fact;
    if (access !== this.#access || !intersects(members, new Set(this.#target.members))) return false;
    // The same type may also be reached by another path, where it did not change.
    const same = this.newer.facts.same(fact);
    if (this.#newTarget.members.length === 0) return !same;
    if (!same || !intersects(same.members, new Set(this.#newTarget.members))) return false;
    const { kind } = this.change;
    return access === 'reads' || !(kind === 'type-changed' || kind === 'alternative-removed') || !this.#isTaken(same);
  }

  /** Returns whether the new side accepts the written value. */
  #isTaken({ source, target }: MemberFact): boolean {
    if (!source || !target) return false;
    const { compiler, program } = this.newer;
    const isNumber = partsOf(target).some(({ flags }) => flags & compiler.TypeFlags.NumberLike);
    if (!isNumber) return program.getTypeChecker().isTypeAssignableTo(source, target);
    // TypeScript types do not express integer ranges. All integer types include 0 to 127; notable changes affect only
    // negative numbers.
    const most = this.change.verdict === 'notable' ? Infinity : 127;
    return source.isNumberLiteral() && source.value >= 0 && source.value <= most;
  }

  /** Returns the places where the arguments, or an object within them, are created without a member. */
  #lacking(): ts.Node[] {
    const member = this.change.place.member ?? '';
    const { code, facts } = this.newer;
    const wanted = new Set(this.#newTarget.members);
    const isWanted = (type: ts.Type): boolean => intersects(code.membersOf(type.getProperty(member)), wanted);
    return facts.constructions
      .filter(({ candidates, members }) => !members.has(member) && candidates.every(isWanted))
      .map(nodeOf);
  }
}

export function intersects<T>(some: Iterable<T>, others: ReadonlySet<T>): boolean {
  for (const one of some) if (others.has(one)) return true;
  return false;
}

function nodeOf({ node }: { readonly node: ts.Node }): ts.Node {
  return node;
}
