/** What one walk of a program finds. Nodes are those of the program's own files, which both of its checks share. */

import type { ts } from 'ts-morph';

import type { Subject } from './code.js';

export type Access = 'reads' | 'writes';

/** A member that is read or written. */
export interface MemberFact {
  readonly node: ts.Node;
  readonly access: Access;
  readonly name: string;
  /** Its declarations: several where the object is of a union. */
  readonly members: ReadonlySet<ts.Declaration>;
  /** Of what is written: the type of the value, and the type that is expected. */
  readonly source?: ts.Type;
  readonly target?: ts.Type;
}

/** An enum value that the program writes in order to pass it or to compare with it. */
interface ValueFact {
  readonly node: ts.Node;
  readonly enums: readonly string[];
  readonly value: string;
  /** Absent where it is not known yet. */
  readonly access?: Access;
  /** Whether the enum has the value. */
  readonly isKnown: boolean;
}

/** An object that the program makes. */
interface Construction {
  readonly node: ts.Node;
  /** Generated types that it may be of: several where the discriminator is not known. */
  readonly candidates: readonly ts.Type[];
  /** What it has in any case. */
  readonly members: ReadonlySet<string>;
}

export interface SubjectFact extends Subject {
  readonly node: ts.Node;
  readonly hasResult: boolean;
  /** Of the arguments that a command is called with. */
  readonly args?: ts.Type;
  readonly isOob: boolean;
}

/** A value that leaves the typed world, or comes from there. */
interface Passed {
  readonly node: ts.Node;
  readonly type: ts.Type;
  readonly access: Access;
}

interface Unfollowed {
  readonly node: ts.Node;
  /** A sentence without its end. */
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

  /** The same member at the same node, of another check of the program. */
  same({ node, access, name }: MemberFact): MemberFact | undefined {
    return this.#members.get(node)?.get(`${access} ${name}`);
  }

  /** A member that is met at one node in several ways is one fact. */
  addMember(fact: MemberFact): void {
    if (fact.members.size === 0) return;
    const known = this.same(fact);
    const facts = this.#members.get(fact.node) ?? new Map<string, MemberFact>();
    const members = new Set([...(known?.members ?? []), ...fact.members]);
    this.#members.set(fact.node, facts.set(`${fact.access} ${fact.name}`, { ...known, ...fact, members }));
  }
}
