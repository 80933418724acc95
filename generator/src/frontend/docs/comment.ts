/**
 * Parses documentation comments into sections.
 *
 * A comment whose first line is `# @name:` documents the definition of that name. Any other comment is free-form. QEMU
 * has had three grammars for the sections of a definition's comment, each of which accepts comments that others reject:
 *
 * - Before 8.1, any line can begin a section, and the next lines are indented like the text after the tag:
 *
 *       # @size: the size in
 *       #        bytes
 *       # Since: 2.4
 *
 * - In 8.1 and 8.2, the second line of a section sets the indentation.
 *
 * - Since 9.0, a section begins after a blank line or after indented text, and its other lines are indented:
 *
 *       # @size: the size in
 *       #     bytes
 *       #
 *       # Since: 2.4
 *
 *   Since 11.1, this also applies to an introduction below the line that names the definition.
 */

import { SchemaError } from '../../diagnostic.js';
import type { Dialect, Rule } from '../dialect.js';
import type { Source } from '../source.js';
import { indentation, isBlank, isWithin, withoutOuterBlankLines } from '../../indentation.js';

/** A documentation comment, with its sections in the order of the text. */
export interface DocComment {
  /** The offset of the opening `##`. */
  readonly offset: number;
  /** The name of the documented definition. Absent in free-form documentation. */
  readonly symbol?: string;
  readonly sections: readonly DocSection[];
}

export interface DocSection {
  readonly kind: 'plain' | 'member' | 'feature' | 'returns' | 'errors' | 'since' | 'note' | 'example' | 'todo';
  /** The name of the member or feature. */
  readonly name?: string;
  /** The offset of the tag, or of the text if the section has no tag. */
  readonly offset: number;
  /** The text, without the tag and the section's indentation. */
  readonly text: string;
}

/** A line of a comment, beginning with its `#`, and the offset of the `#`. */
export interface CommentLine {
  readonly text: string;
  readonly offset: number;
}

/**
 * @param offset the offset of the opening `##`
 * @param lines the lines between the opening and the closing `##`
 * @throws SchemaError at the first error
 */
export function parseDocComment(
  source: Source,
  offset: number,
  lines: readonly CommentLine[],
  dialect: Dialect,
): DocComment {
  const parse = (grammar: Grammar): DocComment => grammar.parser(source, lines, dialect).parse(offset);
  const enforced = grammars.find(({ rule }) => dialect.enforces(rule));
  return enforced ? parse(enforced) : best(parse);
}

interface Grammar {
  /** Dialects that enforce this rule have only this grammar. */
  readonly rule: Rule;
  parser(source: Source, lines: readonly CommentLine[], dialect: Dialect): DocParser;
}

/** The grammars, newest first. */
const grammars: readonly Grammar[] = [
  { rule: 'doc-sections', parser: (...comment) => new ParagraphParser(...comment) },
  { rule: 'doc-indent-as-second-line', parser: (...comment) => new LineParser(...comment, 'second') },
  { rule: 'doc-indent-as-first-line', parser: (...comment) => new LineParser(...comment, 'first') },
];

/**
 * Parses a comment with the grammar that its author probably used: the one that finds the most sections, because a tag
 * in one grammar is text in another. If all grammars reject the comment, throws the error of the one that gets
 * furthest.
 */
function best(parse: (grammar: Grammar) => DocComment): DocComment {
  let comment: DocComment | undefined;
  let error: SchemaError | undefined;
  for (const grammar of grammars) {
    try {
      const other = parse(grammar);
      if (!comment || countTags(other) > countTags(comment)) comment = other;
    } catch (other) {
      if (!(other instanceof SchemaError)) throw other;
      if (!error || lineOf(other) > lineOf(error)) error = other;
    }
  }
  if (comment) return comment;
  throw error;
}

function countTags(comment: DocComment): number {
  return comment.sections.filter(({ kind }) => kind !== 'plain').length;
}

function lineOf(error: SchemaError): number {
  return error.diagnostics[0]?.position.line ?? 0;
}

type SectionKind = DocSection['kind'];

const tagKinds: ReadonlyMap<string, SectionKind> = new Map([
  ['Returns:', 'returns'],
  ['Errors:', 'errors'],
  ['Since:', 'since'],
  ['Note:', 'note'],
  ['Notes:', 'note'],
  ['Example:', 'example'],
  ['Examples:', 'example'],
  ['TODO:', 'todo'],
]);

/** The directives that replaced sections. */
const directives: ReadonlyMap<SectionKind, string> = new Map([
  ['note', '.. note::'],
  ['example', '.. qmp-example::'],
]);

/** Kinds that can have only one section, or one for each name. */
const uniqueKinds: ReadonlySet<SectionKind> = new Set(['member', 'feature', 'returns', 'errors', 'since']);

/** A line without its `# `, and the offset of its text. */
interface Line {
  readonly text: string;
  readonly offset: number;
}

/** The beginning of a section. */
interface Tag {
  readonly kind: SectionKind;
  /** The text, such as `@name:` or `Since:`. */
  readonly text: string;
  readonly offset: number;
}

/** Matches `@name:` and the spaces after it. */
const nameTag = /^@[^:]*: */u;
/** Matches `Since:` and the spaces after it. `Note::` is reStructuredText, not a tag. */
const sectionTag = /^(?:Returns|Errors|Since|Notes?|Examples?|TODO):(?!:) */u;
/** Match the same tags in the grammars before QEMU 8.1. */
const oldNameTag = /^@[^ ]*:(?= |$)\s*/u;
const oldSectionTag = /^(?:Returns|Since|Notes?|Examples?|TODO):(?= |$)\s*/u;

const nameMessage = `expected a name between '@' and ':'`;
const membersFirstMessage = 'expected descriptions of members before all other sections';
const headingMessage = `unexpected '=': a heading belongs in free-form documentation`;
const freeFormMessage = (name: string): string =>
  `unexpected '${name}' in free-form documentation: a definition is named in the first line of its comment`;
const indentMessage = (indent: number): string =>
  `expected this line to be indented by at least ${indent} spaces, like those above`;

/** An incomplete section. */
interface Draft {
  /** Absent in plain text. */
  readonly tag?: Tag;
  readonly lines: Line[];
}

/** The common part of all grammars. */
abstract class DocParser {
  /** The current section. */
  protected draft: Draft = { lines: [] };
  readonly #drafts = [this.draft];
  readonly #unique = new Set<string>();
  #next = 0;

  constructor(
    private readonly source: Source,
    private readonly lines: readonly CommentLine[],
    protected readonly dialect: Dialect,
  ) {}

  parse(offset: number): DocComment {
    const first = this.next();
    if (!first?.text.startsWith('@')) {
      this.#freeForm(first);
      return { offset, sections: this.#finish() };
    }
    const symbol = this.#symbol(first);
    this.parseSections();
    return { offset, symbol, sections: this.#finish() };
  }

  /** Parses the lines after the one that names the definition. */
  protected abstract parseSections(): void;
  protected abstract checkFreeForm(line: Line, isFirst: boolean): void;

  /** Adds a line to the current section, without the section's indentation. */
  protected append({ text, offset }: Line, indent = 0): void {
    this.draft.lines.push({ text: text.slice(indent).trimEnd(), offset: offset + indent });
  }

  /** Consumes the next line. Returns undefined at the end of the comment. */
  protected next(): Line | undefined {
    const line = this.lines[this.#next];
    if (!line) return undefined;
    this.#next += 1;
    if (line.text !== '#' && !line.text.startsWith('# ')) this.fail(line.offset + 1, `expected a space after '#'`);
    return { text: line.text.slice(2), offset: line.offset + 2 };
  }

  protected fail(offset: number, message: string): never {
    return this.source.fail(offset, message);
  }

  /**
   * Begins a section.
   *
   * @param tag absent for plain text
   */
  protected begin(tag?: Tag): void {
    this.#checkText();
    if (tag) this.#checkTag(tag);
    this.draft = { ...(tag && { tag }), lines: [] };
    this.#drafts.push(this.draft);
  }

  /** Divides the first line of a section into its tag and the rest. */
  protected split(kind: SectionKind, pattern: RegExp, { text, offset }: Line): { tag: Tag; rest: Line } {
    const match = pattern.exec(text)?.[0] ?? '';
    let tag = match.trimEnd();
    if (!this.dialect.enforces('doc-colon-after-name')) tag = `${tag.slice(0, -1).trimEnd()}:`;
    return {
      tag: { kind, text: tag, offset },
      rest: { text: text.slice(match.length), offset: offset + match.length },
    };
  }

  #symbol({ text, offset }: Line): string {
    if (!text.endsWith(':'))
      this.fail(offset + text.length, `expected ':' at the end of the line that names the definition`);
    if (text === '@:') this.fail(offset + 1, nameMessage);
    return text.slice(1, -1);
  }

  #freeForm(first: Line | undefined): void {
    for (let line = first; line; line = this.next()) {
      this.checkFreeForm(line, line === first);
      this.append(line);
    }
  }

  #checkTag({ kind, text, offset }: Tag): void {
    if (text === '@:') this.fail(offset + 1, nameMessage);
    // QEMU reports this as a member that does not exist.
    const space = text.search(/\s/u);
    if (space !== -1) this.fail(offset + space, `unexpected space in '${text}'`);
    if (!uniqueKinds.has(kind)) return;
    const key = `${kind} ${text}`;
    if (this.#unique.has(key)) this.fail(offset, `duplicate '${text}'`);
    this.#unique.add(key);
  }

  #checkText(): void {
    const { tag, lines } = this.draft;
    if (tag && lines.every(({ text }) => isBlank(text))) this.fail(tag.offset, `expected text after '${tag.text}'`);
  }

  #finish(): DocSection[] {
    this.#checkText();
    return this.#drafts.flatMap(({ tag, lines }) => {
      const first = lines.find(({ text }) => !isBlank(text));
      if (!first) return [];
      const kind = tag?.kind ?? 'plain';
      const named = tag && (kind === 'member' || kind === 'feature') ? { name: tag.text.slice(1, -1) } : {};
      const offset = tag?.offset ?? first.offset + indentation(first.text);
      return [{ kind, ...named, offset, text: withoutOuterBlankLines(lines.map(({ text }) => text)).join('\n') }];
    });
  }
}

/** The grammar since QEMU 9.0. */
class ParagraphParser extends DocParser {
  /** The next line to parse. */
  #line: Line | undefined;
  #membersDone = false;
  #featuresDone = false;
  /** The indentation of the current literal block: 0 before its first line, undefined outside a literal block. */
  #literal: number | undefined;

  protected override parseSections(): void {
    // An introduction may be indented below the name, as of QEMU 11.1.
    this.#indentedLines(this.dialect.enforces('doc-introduction-indent'));
    for (let line = this.#skipBlankLines(); line; line = this.#skipBlankLines()) this.#section(line);
  }

  protected override checkFreeForm({ text, offset }: Line, isFirst: boolean): void {
    const name = nameTag.exec(text)?.[0].trimEnd();
    if (name !== undefined) this.fail(offset, freeFormMessage(name));
    if (text.startsWith('=') && !isFirst && this.dialect.enforces('doc-equals-headings')) {
      this.fail(offset, `unexpected '=': a heading is the first line of its comment`);
    }
  }

  protected override next(): Line | undefined {
    const line = super.next();
    if (!line) return undefined;
    const trimmed = { ...line, text: line.text.trimEnd() };
    this.#checkFormat(trimmed);
    return trimmed;
  }

  #advance(): Line | undefined {
    this.#line = this.next();
    return this.#line;
  }

  #skipBlankLines(): Line | undefined {
    while (this.#line?.text === '') this.#advance();
    return this.#line;
  }

  #section(line: Line): void {
    const { text, offset } = line;
    if (text === 'Features:') {
      this.#features(offset);
    } else if (nameTag.test(text)) {
      if (this.#membersDone) this.fail(offset, membersFirstMessage);
      this.#descriptions('member');
    } else if (sectionTag.test(text)) {
      this.#tagAndText(kindOf(text), sectionTag, line);
    } else {
      if (text.startsWith('=') && this.dialect.enforces('doc-equals-headings')) this.fail(offset, headingMessage);
      this.#paragraph(line);
      return;
    }
    this.#membersDone = true;
  }

  #features(offset: number): void {
    if (this.#featuresDone) this.fail(offset, `duplicate 'Features:'`);
    this.#featuresDone = true;
    this.#advance();
    const line = this.#skipBlankLines();
    if (!line || !nameTag.test(line.text)) this.fail(offset, `expected '@name:' and a description after 'Features:'`);
    this.#descriptions('feature');
  }

  #descriptions(kind: 'member' | 'feature'): void {
    for (let line = this.#line; line && nameTag.test(line.text); line = this.#line)
      this.#tagAndText(kind, nameTag, line);
  }

  #tagAndText(kind: SectionKind, pattern: RegExp, line: Line): void {
    const { tag, rest } = this.split(kind, pattern, line);
    const directive = directives.get(kind);
    if (directive !== undefined && this.dialect.enforces('doc-no-notes')) {
      this.fail(tag.offset, `QEMU 9.1 removed the section '${tag.text}': write '${directive}' instead`);
    }
    this.begin(tag);
    this.append(rest);
    this.#indentedLines();
  }

  /**
   * Consumes the lines that continue the section that begins on the current line.
   *
   * @param isStrict whether the second of them must not be indented less than the first
   */
  #indentedLines(isStrict = true): void {
    let line = this.#advance();
    for (; line?.text === ''; line = this.#advance()) this.append(line);
    const indent = line ? indentation(line.text) : 0;
    if (!line || indent === 0) return;
    this.append(line, indent);
    line = this.#advance();
    // QEMU requires only this line to be indented. A later line with less indentation ends the section.
    if (isStrict && line && !isWithin(line.text, indent) && !nameTag.test(line.text)) {
      this.fail(line.offset + indentation(line.text), indentMessage(indent));
    }
    for (; line && isWithin(line.text, indent); line = this.#advance()) this.append(line, indent);
  }

  #paragraph(first: Line): void {
    if (this.draft.tag) this.begin();
    else if (this.draft.lines.at(-1)?.text !== '') this.append({ text: '', offset: first.offset });
    for (let line: Line | undefined = first; line && line.text !== ''; line = this.#advance()) this.append(line);
  }

  /** Reports style errors, except in the forms of literal blocks that QEMU's compiler recognizes. */
  #checkFormat({ text, offset }: Line): void {
    if (/^(?:\.\. +qmp-example)? *::$/u.test(text)) {
      this.#literal = 0;
    } else if (this.#literal !== undefined && text !== '') {
      if (this.#literal === 0) this.#literal = indentation(text);
      else if (indentation(text) < this.#literal) this.#literal = undefined;
    }
    if (this.#literal !== undefined) return;
    if (this.dialect.enforces('doc-line-length')) this.#checkLength(text, offset);
    if (this.dialect.enforces('doc-sentence-spacing')) this.#checkSpacing(text, offset);
  }

  #checkLength(text: string, offset: number): void {
    const allowed = /^.{68}(?=.)/su.exec(text)?.[0];
    if (allowed === undefined || /^ *(?:https?|ftp):\/\/[^ ]*$/u.test(text)) return;
    this.fail(offset + allowed.length, 'expected at most 70 characters on a line of documentation');
  }

  #checkSpacing(text: string, offset: number): void {
    for (const match of text.matchAll(/(?:\be\.g\.|^ *\d\.|(?<end>[.!?])) [A-Z0-9(]/gu)) {
      if (match.groups?.['end']) this.fail(offset + match.index + 1, 'expected two spaces between sentences');
    }
  }
}

/** The grammars before QEMU 9.0. */
class LineParser extends DocParser {
  #part: 'body' | 'members' | 'features' | 'sections' = 'body';
  /** The indentation of the current section's text, or undefined until a line sets it. */
  #indent: number | undefined = 0;

  constructor(
    source: Source,
    lines: readonly CommentLine[],
    dialect: Dialect,
    /** The line of a section that sets its indentation. */
    private readonly indentedBy: 'first' | 'second',
  ) {
    super(source, lines, dialect);
  }

  protected override parseSections(): void {
    for (let line = this.next(); line; line = this.next()) this.#line(line);
  }

  protected override checkFreeForm({ text, offset }: Line): void {
    const name = /^@\S+:/u.exec(text)?.[0];
    if (name !== undefined) this.fail(offset, freeFormMessage(name));
  }

  #line(line: Line): void {
    const { text, offset } = line;
    const [name, section] = this.indentedBy === 'first' ? [oldNameTag, oldSectionTag] : [nameTag, sectionTag];
    if (text.startsWith('=') && this.dialect.enforces('doc-equals-headings')) this.fail(offset, headingMessage);
    if (name.test(text)) {
      if (this.#part === 'sections') this.fail(offset, membersFirstMessage);
      if (this.#part === 'body') this.#part = 'members';
      this.#tagAndText(this.#part === 'members' ? 'member' : 'feature', name, line);
    } else if (section.test(text) && !text.startsWith('Errors:')) {
      this.#part = 'sections';
      this.#tagAndText(kindOf(text), section, line);
    } else if (
      text === 'Features:' &&
      (this.#part === 'body' || (this.#part === 'members' && this.#isAfterBlankLine()))
    ) {
      this.#part = 'features';
    } else {
      if (this.#endsDescriptions(text)) {
        this.#part = 'sections';
        this.#indent = 0;
        this.begin();
      }
      this.#text(line);
    }
  }

  #tagAndText(kind: SectionKind, pattern: RegExp, line: Line): void {
    const { tag, rest } = this.split(kind, pattern, line);
    this.begin(tag);
    if (this.indentedBy === 'second') {
      this.#indent = undefined;
      this.#text(rest);
    } else {
      this.#indent = rest.text === '' ? 0 : rest.offset - line.offset;
      this.append(rest);
    }
  }

  #text({ text, offset }: Line): void {
    if (/^@\S+:/u.test(text)) this.fail(offset, `expected '@name:' at the beginning of a line and a space after it`);
    // Before 8.1, lines of spaces had to be indented, too.
    if (this.indentedBy === 'first' ? text !== '' : !isBlank(text)) {
      const indent = indentation(text);
      if (this.draft.lines.length > 0) this.#indent ??= indent;
      if (indent < (this.#indent ?? 0)) this.fail(offset + indent, indentMessage(this.#indent ?? 0));
    }
    this.append({ text, offset }, this.#indent);
  }

  #isAfterBlankLine(): boolean {
    const { lines } = this.draft;
    return lines.length > 1 && lines.at(-1)?.text === '';
  }

  #endsDescriptions(text: string): boolean {
    return (this.#part === 'members' || this.#part === 'features') && /^\S/u.test(text) && this.#isAfterBlankLine();
  }
}

function kindOf(text: string): SectionKind {
  return tagKinds.get(text.slice(0, text.indexOf(':') + 1)) ?? 'plain';
}
