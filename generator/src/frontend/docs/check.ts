/** Checks that a documentation comment matches its definition. */

import type { ObjectNode } from '../ast.js';
import type { Reading } from '../expressions/shapes.js';
import {
  allFeatures,
  documentedMembers,
  type DefinitionSyntax,
  type Meta,
  type NameSyntax,
} from '../expressions/syntax.js';
import type { Rules } from '../pragmas.js';
import type { ReportAt, Reporter } from '../reporter.js';
import type { DocComment, DocSection } from './comment.js';

/** Reports a missing comment, a comment for another definition, and sections that a definition cannot have. */
export function checkSections(
  { dialect, pragmas, reportAt }: Reading,
  definition: { readonly meta: Meta; readonly name: string; readonly object: ObjectNode; readonly doc?: DocComment },
): void {
  const { meta, name, object, doc } = definition;
  if (!doc) {
    if (pragmas.docRequired)
      reportAt(object.offset, `${meta} '${name}' needs a documentation comment (pragma 'doc-required')`);
    return;
  }
  if (doc.symbol !== name)
    reportAt(doc.offset, `this documentation comment is for '${doc.symbol}', but the definition is '${name}'`);
  const isStrict = dialect.enforces('doc-sections');
  for (const { kind, offset } of doc.sections) {
    if (kind === 'returns' && meta !== 'command') reportAt(offset, "only commands can have a 'Returns:' section");
    else if (kind === 'returns' && isStrict && !object.members.has('returns'))
      reportAt(offset, "'Returns:' is documented, but the command returns nothing");
    else if (kind === 'errors' && isStrict && meta !== 'command')
      reportAt(offset, "only commands can have an 'Errors:' section");
  }
}

/** The members or features of a definition, and the sections that describe them. */
interface Described {
  readonly role: string;
  readonly defined: readonly NameSyntax[];
  readonly sections: readonly DocSection[];
  /** Where to add a missing section, for messages. */
  readonly where: string;
  readonly canBeUndocumented: boolean;
}

/** The terms for a member in messages. */
const memberRoles: Partial<Record<Meta, string>> = { enum: 'value', alternate: 'alternative' };

/** Reports members and features without a description, and descriptions of ones that do not exist. */
export function checkDescriptions(
  syntax: DefinitionSyntax,
  { dialect, pragmas }: Rules,
  reportAt: ReportAt,
  reporter: Reporter,
): void {
  const { doc, meta, name } = syntax;
  if (!doc) return;
  const sectionsOf = (kind: DocSection['kind']): DocSection[] =>
    doc.sections.filter((section) => section.kind === kind);
  const members: Described = {
    role: memberRoles[meta] ?? 'member',
    defined: documentedMembers(syntax),
    sections: sectionsOf('member'),
    where: 'to the comment',
    canBeUndocumented: !dialect.enforces('members-documented') || pragmas.documentationExceptions.has(name),
  };
  const features: Described = {
    role: 'feature',
    defined: allFeatures(syntax),
    sections: sectionsOf('feature'),
    where: "under 'Features:'",
    canBeUndocumented: false,
  };
  for (const described of [members, features]) checkDescribed(described, reportAt, reporter);
}

function checkDescribed(
  { role, defined, sections, where, canBeUndocumented }: Described,
  reportAt: ReportAt,
  reporter: Reporter,
): void {
  const described = new Map(sections.map(({ name = '', offset }) => [name, offset]));
  for (const { name, offset } of canBeUndocumented ? [] : defined) {
    if (!described.has(name)) reportAt(offset, `${role} '${name}' is not documented: add '@${name}:' ${where}`);
  }
  const names = new Set(defined.map(({ name }) => name));
  for (const [name, offset] of described) {
    if (!names.has(name)) reportAt(offset, `documented ${role} '${name}' does not exist${reporter.hint(name, names)}`);
  }
}
