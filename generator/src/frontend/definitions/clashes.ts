/** Finds names that clash in the C code that QEMU's compiler generates. */

import type { Member } from '../../model.js';
import type { NameSyntax } from '../expressions/syntax.js';
import type { ReportAt } from '../reporter.js';

/** A member, and its title in messages: `member 'x' of struct 'Base'`. */
export interface TitledMember {
  readonly member: Member;
  readonly title: string;
}

/** The names of members, for finding collisions. */
export class TakenNames {
  /** The titles of the members by C name. */
  readonly #titles: ReadonlyMap<string, string>;

  constructor(members: readonly TitledMember[]) {
    this.#titles = new Map(members.map(({ member, title }) => [cName(member.name), title]));
  }

  /** Returns the title of the member that a name collides with. */
  colliding(name: string): string | undefined {
    return this.#titles.get(cName(name));
  }
}

/** Reports collisions between names of the same kind in a definition. */
export function checkClashes(reportAt: ReportAt, role: string, names: readonly NameSyntax[]): void {
  const seen = new Map<string, string>();
  for (const { name, offset } of names) {
    const other = seen.get(cName(name));
    if (other === undefined) seen.set(cName(name), name);
    else if (other === name) reportAt(offset, `duplicate ${role} '${name}'`);
    else reportAt(offset, `${role} '${name}' collides with ${role} '${other}'`);
  }
}

/** Returns the C identifier for a name. Names that differ only in punctuation have the same one. */
function cName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/gu, '_');
}
