/** Does a definition's comment fit the definition? */

import type { Dialect } from './dialect.js';
import type { DocSection } from './doc.js';
import { contextOf, type Reporter } from './reporter.js';
import { allFeatures, documentedMembers, type DefinitionSyntax, type Meta, type Pragmas } from './syntax.js';

/** What a comment calls members, where it is not `member`. */
const roles: Partial<Record<Meta, string>> = { enum: 'value', alternate: 'alternative' };

/** Every member and feature must be documented, and nothing else as one. */
export function checkDoc(syntax: DefinitionSyntax, pragmas: Pragmas, dialect: Dialect, reporter: Reporter): void {
  const { doc } = syntax;
  if (!doc) return;
  const report = (offset: number, message: string): void => reporter.report(contextOf(syntax), offset, message);
  const described = (kind: DocSection['kind']): Map<string, number> =>
    new Map(doc.sections.filter((section) => section.kind === kind).map(({ name, offset }) => [name ?? '', offset]));
  const members = {
    role: roles[syntax.meta] ?? 'member',
    written: documentedMembers(syntax),
    described: described('member'),
    how: 'in its comment',
  };
  const features = {
    role: 'feature',
    written: allFeatures(syntax),
    described: described('feature'),
    how: "under 'Features:'",
  };
  const undocumentedMembers =
    !dialect.enforces('members-documented') || pragmas.documentationExceptions.has(syntax.name);
  for (const kind of [members, features]) {
    const { role, written, described: texts, how } = kind;
    for (const { name, offset } of kind === members && undocumentedMembers ? [] : written) {
      if (!texts.has(name)) report(offset, `${role} '${name}' lacks documentation: '@${name}:' ${how}`);
    }
    const names = new Set(written.map(({ name }) => name));
    for (const [name, offset] of texts) {
      if (!names.has(name)) report(offset, `documented ${role} '${name}' does not exist${reporter.hint(name, names)}`);
    }
  }
}
