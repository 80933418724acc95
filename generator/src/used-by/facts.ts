/** The result of walking a program. Nodes belong to the program's own files, which both checks share. */

import type { ts } from 'ts-morph';

import type { Subject } from './code.js';

export type Access = 'reads' | 'writes';

/** A member that is read or written. */
export interface MemberFact {
  readonly node: ts.Node;
  readonly access: Access;
  readonly name: string;
  /** The member's declarations. A member of a union has several. */
  readonly members: ReadonlySet<ts.Declaration>;
  /** For writes, the type of the value and the expected type. */
  readonly source?: ts.Type;
  readonly target?: ts.Type;
}

/** A string literal that is passed as an enum value or compared to one. */
interface ValueFact {
  readonly node: ts.Node;
  readonly enums: readonly string[];
  readonly value: string;
  /** Absent if not known yet. */
  readonly access?: Access;
  /** Whether the enum has the value. */
  readonly isKnown: boolean;
}

/** An object that the program creates. */
interface Construction {
  readonly node: ts.Node;
  /** The possible generated types. There are several if the discriminator is not known. */
  readonly candidates: readonly ts.Type[];
  /** The members that the object certainly has. */
  readonly members: ReadonlySet<string>;
}

export interface SubjectFact extends Subject {
  readonly node: ts.Node;
  readonly hasResult: boolean;
  /** The type of the arguments that the command is called with. */
  readonly args?: ts.Type;
  readonly isOob: boolean;
}

/** A value that is passed to or from untyped code. */
interface Passed {
  readonly node: ts.Node;
  readonly type: ts.Type;
  readonly access: Access;
}

interface Unfollowed {
  readonly node: ts.Node;
  /** A sentence without its period. */
  readonly text: string;
}

export class Facts {
  readonly subjects: SubjectFact[] = [];
  readonly values: ValueFact[] = [];
  readonly constructions: Construction[] = [];
  readonly passed: Passed[] = [];
  readonly unfollowed: Unfollowed[] = [];
  readonly #members = new Map<ts.Node, Map<string, MemberFact>>();

  get members(): MemberFact[] {
    return [...this.#members.values()].flatMap((facts) => [...facts.values()]);
  }

  /** Returns the fact about the same member at the same node, in another check of the program. */
  same({ node, access, name }: MemberFact): MemberFact | undefined {
    return this.#members.get(node)?.get(`${access} ${name}`);
  }

  /** Adds a fact. Facts about the same member at the same node are merged. */
  addMember(fact: MemberFact): void {
    if (fact.members.size === 0) return;
    const known = this.same(fact);
    const facts = this.#members.get(fact.node) ?? new Map<string, MemberFact>();
    const members = new Set([...(known?.members ?? []), ...fact.members]);
    this.#members.set(fact.node, facts.set(`${fact.access} ${fact.name}`, { ...known, ...fact, members }));
  }
}
