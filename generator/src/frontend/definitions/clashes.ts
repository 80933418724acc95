/** Finds names that QEMU could not distinguish. */

import type { Member } from '../../model.js';
import type { NameSyntax } from '../expressions/syntax.js';
import type { ReportAt } from '../reporter.js';

/** A member, and what messages call it: `member 'x' of struct 'Base'`. */
export interface TitledMember {
  readonly member: Member;
  readonly title: string;
}

/** The names of some members, for finding collisions. */
export class TakenNames {
  /** By C name. */
  readonly #titles: ReadonlyMap<string, string>;

  constructor(members: readonly TitledMember[]) {
    this.#titles = new Map(members.map(({ member, title }) => [cName(member.name), title]));
  }

  /** Returns what messages call the member with which a name collides. */
  colliding(name: string): string | undefined {
    return this.#titles.get(cName(name));
  }
}

/** Reports names of one kind in one definition that collide with each other. */
export function checkClashes(reportAt: ReportAt, role: string, names: readonly NameSyntax[]): void {
  const seen = new Map<string, string>();
  for (const { name, offset } of names) {
    const other = seen.get(cName(name));
    if (other === undefined) seen.set(cName(name), name);
    else if (other === name) reportAt(offset, `duplicate ${role} '${name}'`);
    else reportAt(offset, `${role} '${name}' collides with ${role} '${other}'`);
  }
}

/** QEMU turns names into C identifiers, so names that differ only in punctuation collide. */
function cName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/gu, '_');
}
