/**
 * Converts documentation from reStructuredText to Markdown in TSDoc comments.
 *
 * Blocks are parsed by indentation into a tree, their text is converted from inline markup, and the tree is rendered as
 * lines. Editors (TypeScript's comment parser, then Markdown) and TypeDoc treat different characters as markup. Text
 * that is not markup in the source is escaped for all of them.
 */

import { dedent } from '../indentation.js';

/** Returns the target of `{@link}` for a definition: `BlockInfo`, `Client.blockdevAdd`. */
type Links = (name: string) => string | undefined;

type Block =
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'lines'; readonly texts: readonly string[] }
  | { readonly kind: 'code'; readonly language: string; readonly lines: readonly string[] }
  | { readonly kind: 'list'; readonly items: readonly Item[] }
  | { readonly kind: 'quote'; readonly blocks: readonly Block[] };

interface Item {
  /** `-`, or a number with a period. */
  readonly marker: string;
  readonly blocks: readonly Block[];
}

const width = 100;
/** The depth from which nested blocks are shown verbatim. It keeps the work linear, and no author nests this deep. */
const maxDepth = 12;
/** A placeholder for spaces at which lines must not be broken. */
const glue = '\0';

/**
 * Returns text as Markdown, in lines of about 100 columns, without a final newline.
 *
 * @param text reStructuredText in the conventions of QEMU's schemas, old and new, without the comment's `#`
 * @param links returns the targets of `@name`, `` `name` `` and cross-reference roles, or undefined for names that
 * should not be linked, such as members of the definition that the text belongs to
 */
export function toMarkdown(text: string, links: Links): string {
  const lines = text
    .replaceAll(glue, '\uFFFD')
    .replaceAll('\t', '        ')
    .split(/\r\n?|[\n\u2028\u2029]/u)
    .map((line) => line.trimEnd());
  return renderBlocks(parseBlocks(dedent(lines), links, 0), width).join('\n');
}

/**
 * Escapes text that TypeScript would take for a tag, except `{@link ...}`. TypeScript does not recognize code in
 * comments, so text in code is escaped, too, although the backslash is visible there.
 */
export function escapeTags(markdown: string): string {
  return markdown.replaceAll(/(?<![^\s\x85\u200B])@|(?<=\{)@(?!link )/gu, '\\@');
}

// Blocks

const admonitions: ReadonlyMap<string, string> = new Map([
  ['attention', 'Attention'],
  ['caution', 'Caution'],
  ['danger', 'Danger'],
  ['error', 'Error'],
  ['hint', 'Hint'],
  ['important', 'Important'],
  ['note', 'Note'],
  ['seealso', 'See also'],
  ['tip', 'Tip'],
  ['todo', 'To do'],
  ['warning', 'Warning'],
]);

/** Directives whose argument begins with a version. */
const versionNotes: ReadonlyMap<string, string> = new Map([
  ['deprecated', 'Deprecated since'],
  ['versionadded', 'Added in'],
  ['versionchanged', 'Changed in'],
  ['versionremoved', 'Removed in'],
]);

/** Directives with literal content, and its default language. */
const codeDirectives: ReadonlyMap<string, string> = new Map([
  ['code', 'text'],
  ['code-block', 'text'],
  ['math', 'text'],
  ['parsed-literal', 'text'],
  ['qmp-example', 'json'],
  ['sourcecode', 'text'],
]);

const bullet = /^[-*+•] +(?=\S)/u;
const enumerator = /^(?:\(?\d{1,9}[.)]|#\.) +(?=\S)/u;
const field = /^:(\w[^:`]*):(?: +|$)/u;
const option = /^((?:--[\w-]+|[-/]\w)(?:[ =]<?[\w-]+>?)?(?:, (?:--[\w-]+|[-/]\w)(?:[ =]<?[\w-]+>?)?)*) {2,}(?=\S)/u;
const directive = /^\.\. ([\w:+.-]+?) ?::(?: +(.*))?$/u;
const footnote = /^\.\. (\[[\w#*.-]+\])(?: +(.*))?$/u;
const adornment = /^([!-/:-@[-`{-~])\1*$/u;
const tableBorder = /^(?:=+(?: +=+)+|\+-[-+]*\+)$/u;
/** Matches messages to and from a server, which older schemas show without markup. */
const exchange = /^(?:->|<-) *(?:[{[]|\.\.\.)|^\{(?: *["']|$)/u;
const commandLine = /^(?:\$ |-\w+ \S*=)/u;

/** @param lines dedented, without trailing spaces */
function parseBlocks(lines: readonly string[], links: Links, depth: number): Block[] {
  if (depth > maxDepth) return code(lines);
  return new BlockParser(lines, links, depth).parse();
}

/** Parses the lines of one nesting level. */
class BlockParser {
  readonly #lines: readonly string[];
  readonly #links: Links;
  readonly #depth: number;
  readonly #blocks: Block[] = [];
  #at = 0;

  constructor(lines: readonly string[], links: Links, depth: number) {
    this.#lines = lines;
    this.#links = links;
    this.#depth = depth;
  }

  parse(): Block[] {
    while (this.#at < this.#lines.length) this.#block();
    return this.#blocks;
  }

  #block(): void {
    const line = this.#line();
    if (line === '') this.#at++;
    else if (line.startsWith(' ')) this.#quote();
    else if (/^\.\.(?: |$)/u.test(line)) this.#explicit(line);
    else if (tableBorder.test(line)) this.#table(line);
    else if (this.#heading()) return;
    else if (exchange.test(line)) this.#blocks.push(...code(this.#takeExchange()));
    else if (this.#list()) return;
    else if (line.startsWith('| ')) this.#lineBlock();
    else if (this.#beginsDefinition()) this.#definitions();
    else this.#paragraph();
  }

  #line(ahead = 0): string {
    return this.#lines[this.#at + ahead] ?? '';
  }

  /** Consumes indented lines, and the blank lines between them. */
  #takeIndented(): string[] {
    const start = this.#at;
    while (this.#at < this.#lines.length && /^(?: |$)/u.test(this.#line())) this.#at++;
    return dedent(this.#lines.slice(start, this.#at));
  }

  #takeUntilBlank(): string[] {
    const start = this.#at;
    while (this.#line() !== '') this.#at++;
    return this.#lines.slice(start, this.#at);
  }

  /** Consumes messages, with the blank lines in and between them. */
  #takeExchange(): string[] {
    const start = this.#at;
    while (this.#line() !== '' || this.#line(1).startsWith(' ') || exchange.test(this.#line(1))) this.#at++;
    return this.#lines.slice(start, this.#at);
  }

  #nested(lines: readonly string[]): Block[] {
    return parseBlocks(lines, this.#links, this.#depth + 1);
  }

  #inline(text: string): string {
    return new InlineParser(text, this.#links).parse();
  }

  /** Parses indented text as a quotation, except lists and examples, which authors indent only for their appearance. */
  #quote(): void {
    const content = this.#takeIndented();
    const blocks = commandLine.test(content[0] ?? '') ? code(content) : this.#nested(content);
    if (blocks.some(({ kind }) => kind === 'paragraph')) this.#blocks.push({ kind: 'quote', blocks });
    else this.#blocks.push(...blocks);
  }

  /** Parses directives and footnotes. Comments, targets and substitution definitions are dropped. */
  #explicit(line: string): void {
    this.#at++;
    const content = this.#takeIndented();
    const [, name, argument] = directive.exec(line) ?? [];
    const [, label, note = ''] = footnote.exec(line) ?? [];
    if (name !== undefined) this.#directive(name, argument ?? '', content);
    else if (label !== undefined) this.#blocks.push(...this.#nested([`\\${label} ${note}`, ...content]));
  }

  #directive(name: string, argument: string, content: readonly string[]): void {
    const options = content.findIndex((line) => !field.test(line));
    const body = options === -1 ? [] : content.slice(options);
    const annotated = content.includes(':annotated:');
    const language = codeDirectives.get(name);
    const admonition = admonitions.get(name);
    const versionNote = versionNotes.get(name);
    if (language !== undefined && !annotated) {
      const named = /^[\w+#-]+$/u.test(argument) ? argument.toLowerCase() : language;
      this.#blocks.push(...code(body, named === 'qmp' ? 'json' : named));
    } else if (admonition !== undefined) {
      this.#admonition(admonition, [argument, ...body]);
    } else if (versionNote !== undefined) {
      const [, version = '', text = ''] = /^(\S*) *(.*)$/u.exec(argument) ?? [];
      this.#admonition(`${versionNote} ${version}`, [text, ...body]);
    } else if (name === 'admonition') {
      this.#admonition(argument, body);
    } else {
      this.#blocks.push(...lead(bold(this.#inline(argument)), this.#nested(body)));
    }
  }

  #admonition(title: string, content: readonly string[]): void {
    this.#blocks.push({ kind: 'quote', blocks: lead(bold(`${this.#inline(title)}:`), this.#nested(content)) });
  }

  /** Shows a table as code, in which columns stay aligned. */
  #table(border: string): void {
    const start = this.#at++;
    if (border.startsWith('+')) {
      this.#takeUntilBlank();
    } else {
      // Blank lines may separate rows, so the table ends at a border that is followed by a blank line.
      while (this.#at < this.#lines.length && !(tableBorder.test(this.#line()) && this.#line(1) === '')) this.#at++;
      this.#at++;
    }
    this.#blocks.push(...code(this.#lines.slice(start, this.#at), 'text'));
  }

  /** Shows a section title as bold text, because comments have no sections. Horizontal rules are dropped. */
  #heading(): boolean {
    const line = this.#line();
    const equals = /^=+ +(\S.*)$/u.exec(line);
    if (equals) return this.#title(equals[1] ?? '', 1);
    if (adornment.test(line)) {
      if (this.#line(1) !== '' && this.#line(2) === line) return this.#title(this.#line(1).trim(), 3);
      if (line.length < 4 || this.#line(1) !== '') return false;
      this.#at++;
      return true;
    }
    const below = this.#line(1);
    return adornment.test(below) && below.length >= Math.min(4, line.length) && this.#title(line, 2);
  }

  #title(title: string, lines: number): true {
    this.#blocks.push({ kind: 'paragraph', text: bold(this.#inline(title)) });
    this.#at += lines;
    return true;
  }

  #list(): boolean {
    const pattern = [bullet, enumerator, field, option].find((candidate) => this.#beginsItem(candidate));
    if (!pattern) return false;
    const items: Item[] = [];
    while (this.#beginsItem(pattern)) items.push(this.#item(pattern, items.length + 1));
    this.#blocks.push({ kind: 'list', items });
    return true;
  }

  /** Returns false for text that begins like an item, but continues on the next line without indentation. */
  #beginsItem(pattern: RegExp): boolean {
    return pattern.test(this.#line()) && [/^(?: |$)/u, exchange, pattern].some((next) => next.test(this.#line(1)));
  }

  #item(pattern: RegExp, ordinal: number): Item {
    const line = this.#line();
    const [prefix = '', label = ''] = pattern.exec(line) ?? [];
    this.#at++;
    const blocks = this.#nested([line.slice(prefix.length), ...this.#takeIndented()]);
    if (pattern === enumerator) return { marker: `${/\d+/u.exec(prefix)?.[0] ?? ordinal}.`, blocks };
    if (pattern === bullet) return { marker: '-', blocks };
    return {
      marker: '-',
      blocks: lead(`${pattern === option ? glued(codeSpan(label)) : bold(this.#inline(label))}:`, blocks),
    };
  }

  /** Returns false for a line that ends with a colon: it introduces the text below, and is not defined by it. */
  #beginsDefinition(): boolean {
    return !this.#line().endsWith(':') && this.#line(1).startsWith(' ');
  }

  #definitions(): void {
    const items: Item[] = [];
    while (this.#beginsDefinition()) {
      const term = `${bold(this.#inline(this.#line()))}:`;
      this.#at++;
      items.push({ marker: '-', blocks: lead(term, this.#nested(this.#takeIndented())) });
    }
    this.#blocks.push({ kind: 'list', items });
  }

  #lineBlock(): void {
    const texts: string[] = [];
    for (const line of this.#takeUntilBlank()) {
      if (/^\|(?: |$)/u.test(line)) texts.push(line.slice(2));
      else texts.push(`${texts.pop() ?? ''} ${line}`);
    }
    this.#blocks.push({ kind: 'lines', texts: texts.map((text) => this.#inline(text)) });
  }

  /**
   * Parses a paragraph, which ends at a blank or indented line or a message. If it ends with `::`, literal text
   * follows.
   */
  #paragraph(): void {
    const start = this.#at++;
    while (/^[^ ]/u.test(this.#line()) && !exchange.test(this.#line())) this.#at++;
    const source = this.#lines.slice(start, this.#at).join(' ');
    const literal = source.endsWith('::');
    const text = literal ? source.slice(0, -1).replace(/(?:^| ):$/u, '') : source;
    if (text !== '') this.#blocks.push({ kind: 'paragraph', text: this.#inline(text) });
    if (literal) this.#blocks.push(...code(this.#takeIndented()));
  }
}

/** Returns a code block without blank lines around its content, or nothing if all lines are blank. */
function code(lines: readonly string[], language?: string): Block[] {
  const start = lines.findIndex((line) => line !== '');
  let end = lines.length;
  while (lines[end - 1] === '') end--;
  const content = dedent(lines.slice(start, end));
  const [first] = content;
  if (first === undefined) return [];
  return [{ kind: 'code', language: language ?? (/^(?:->|<-|\{)/u.test(first) ? 'json' : 'text'), lines: content }];
}

/** Inserts text before the blocks, in the first paragraph if they begin with one. */
function lead(text: string, blocks: readonly Block[]): readonly Block[] {
  const [first, ...rest] = blocks;
  if (text === '') return blocks;
  if (first?.kind === 'paragraph') return [{ kind: 'paragraph', text: `${text} ${first.text}` }, ...rest];
  return [{ kind: 'paragraph', text }, ...blocks];
}

function bold(markdown: string): string {
  return markdown === '' || markdown.includes('*') ? markdown : `**${markdown}**`;
}

// Inline markup

/** Matches an address, without the punctuation of the surrounding sentence. */
const address = /https?:\/\/\w(?:[\w.~:/?#@!$&'()+,;=%-]*[\w/~#@$&+=%-])?/u;

/** Matches the beginnings of possible markup. A match that turns out not to be markup is text. */
const markup = new RegExp(
  [
    /\\./u, // an escaped character
    /(?<![\w:+.-]):[\w:+.-]+:`/u, // a role
    /``?|\*\*?/u, // a literal, a reference, emphasis
    /(?<!\w)@\w+(?:-+\w+)*/u, // a member or definition
    /(?<![^\s'"([{<])\|\w(?:[\w .-]*\w)?\|(?!\w)/u, // a substitution
    /(?<!\w)\[[\w#*.-]+\]_(?!\w)/u, // a footnote
    new RegExp(`<${address.source}>|${address.source}`, 'u'),
  ]
    .map(({ source }) => source)
    .join('|'),
  'gu',
);

/** Closing delimiters: after text and, for emphasis, not in a word. */
const closers = {
  '``': /(?<=\S)``(?!`)/gu,
  '`': /(?<=[^\s\\`])`(?!`)/gu,
  '**': /(?<=[^\s\\])\*\*(?![\p{L}\p{N}_*])/gu,
  '*': /(?<=[^\s\\*])\*(?![\p{L}\p{N}_*])/gu,
} as const;
type Delimiter = keyof typeof closers;

class InlineParser {
  readonly #source: string;
  readonly #links: Links;
  /** Delimiters that are not closed in the rest of the text, so that it is searched only once. */
  readonly #unclosed = new Set<Delimiter>();
  readonly #parts: string[] = [];
  /** Text not yet escaped, because escaping depends on the characters that follow. */
  #text = '';
  #at = 0;

  constructor(source: string, links: Links) {
    this.#source = source.replaceAll(/\s+/gu, ' ').trim();
    this.#links = links;
  }

  parse(): string {
    for (;;) {
      markup.lastIndex = this.#at;
      const match = markup.exec(this.#source);
      this.#text += this.#source.slice(this.#at, match?.index);
      if (!match) break;
      this.#at = match.index + match[0].length;
      this.#markup(match[0], match.index);
    }
    this.#emit('');
    return this.#parts.join('');
  }

  #emit(markdown: string): void {
    const text = escapeText(this.#text);
    // Adjacent code spans would be joined by their backticks.
    if (text === '' && markdown.startsWith('`') && this.#parts.at(-1)?.endsWith('`')) this.#parts.push(' ');
    this.#parts.push(text, markdown);
    this.#text = '';
  }

  #markup(token: string, start: number): void {
    if (token.startsWith('\\')) this.#text += token.slice(1).trim();
    else if (token.startsWith('@')) this.#reference(token.slice(1));
    else if (token.startsWith('|')) this.#text += token.slice(1, -1);
    else if (token.startsWith('[')) this.#text += token.slice(0, -1);
    else if (/^<?http/u.test(token)) this.#emit(link(token.replaceAll(/[<>]/gu, '')));
    else if (token === '*' || token === '**') this.#emphasis(token, start);
    else if (token === '``') this.#literal();
    else this.#interpreted(token);
  }

  /** Consumes text up to a closing delimiter. Returns undefined if there is none: the opening one is then text. */
  #enclosed(opener: string, delimiter: Delimiter): string | undefined {
    const closer = closers[delimiter];
    closer.lastIndex = this.#at + 1;
    const opens = /\S/u.test(this.#source.charAt(this.#at)) && !this.#unclosed.has(delimiter);
    const match = opens ? closer.exec(this.#source) : undefined;
    if (!match) {
      if (opens) this.#unclosed.add(delimiter);
      this.#text += opener;
      return undefined;
    }
    const content = this.#source.slice(this.#at, match.index);
    this.#at = match.index + delimiter.length;
    return content;
  }

  #emphasis(delimiter: '*' | '**', start: number): void {
    // Stricter than reStructuredText, because glob patterns such as "foo-*" are common.
    const opens =
      /^[\s'"([{<]?$/u.test(this.#source.charAt(start - 1)) &&
      /[\p{L}\p{N}_@(\\`]/u.test(this.#source.charAt(this.#at));
    if (!opens) {
      this.#text += delimiter;
      return;
    }
    const content = this.#enclosed(delimiter, delimiter);
    if (content !== undefined) this.#emit(delimiter + new InlineParser(content, this.#links).parse() + delimiter);
  }

  #literal(): void {
    const content = this.#enclosed('``', '``');
    if (content !== undefined) this.#emit(glued(codeSpan(content)));
  }

  /** Converts a reference to a definition or to something outside the schema, or a hyperlink. */
  #interpreted(opener: string): void {
    const content = this.#enclosed(opener, '`');
    if (content === undefined) return;
    const suffix = /^__?(?!\w)/u.exec(this.#source.slice(this.#at, this.#at + 3))?.[0] ?? '';
    this.#at += suffix.length;
    const [, title, target = content] = /^(.*[^ ]) *<([^<>]+)>$/u.exec(content) ?? [];
    if (title === undefined && suffix === '') this.#reference(target.replace(/^[!~@]/u, ''));
    else if (suffix !== '' && address.exec(target)?.[0] === target) this.#emit(link(target, title));
    else {
      const definition = this.#links(target);
      if (definition === undefined) this.#text += title ?? target;
      else this.#emit(link(definition, title));
    }
  }

  #reference(name: string): void {
    const definition = this.#links(name);
    this.#emit(definition === undefined ? glued(codeSpan(name)) : link(definition));
  }
}

/** @param title shown instead of the target */
function link(target: string, title = ''): string {
  const text = title.replaceAll(/[{}|@`\\<>]/gu, '').trim();
  return glued(text === '' ? `{@link ${target}}` : `{@link ${target} | ${text}}`);
}

export function codeSpan(text: string): string {
  const ticks = '`'.repeat(longestRun(text) + 1);
  // A backtick at either end needs a space, and so does a final backslash, which some parsers treat as an escape.
  // Markdown strips the spaces.
  const space = /^`|[`\\]$/u.test(text) ? ' ' : '';
  return ticks + space + withoutTags(text) + space + ticks;
}

/** Returns the length of the longest run of backticks. */
function longestRun(text: string): number {
  let longest = 0;
  for (const [run] of text.matchAll(/`+/gu)) longest = Math.max(longest, run.length);
  return longest;
}

/** Escapes tags in code, where TypeScript would recognize them. */
function withoutTags(literal: string): string {
  return literal.replaceAll('{@', '{\\@');
}

function glued(markdown: string): string {
  return markdown.replaceAll(' ', glue);
}

/** Escapes characters that Markdown or TSDoc would treat as markup in their context. */
function escapeText(text: string): string {
  return (
    text
      .replaceAll(
        /[\\*<>{}@~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=#?\w+;)|:(?=\/\/\w)|(?<=www)\.|\[(?=\^)|\](?=[(:[])/gu,
        '\\$&',
      )
      // TypeDoc would remove the backslash of an escaped backtick.
      .replaceAll('`', '&#96;')
  );
}

// Lines

function renderBlocks(blocks: readonly Block[], columns: number): string[] {
  return blocks.flatMap((block, index) =>
    index === 0 ? renderBlock(block, columns) : ['', ...renderBlock(block, columns)],
  );
}

function renderBlock(block: Block, columns: number): string[] {
  switch (block.kind) {
    case 'paragraph':
      return wrap(block.text, columns);
    case 'lines':
      return block.texts.flatMap((text, index) => {
        const lines = wrap(text, columns);
        return index < block.texts.length - 1 ? [...lines.slice(0, -1), `${lines.at(-1) ?? ''}\\`] : lines;
      });
    case 'code': {
      const fence = '`'.repeat(Math.max(3, longestRun(block.lines.join('\n')) + 1));
      return [fence + block.language, ...block.lines.map((line) => withoutTags(line)), fence];
    }
    case 'list':
      return renderList(block.items, columns);
    case 'quote':
      return prefixed(renderBlocks(block.blocks, columns - 2), '> ', '> ');
  }
}

function renderList(items: readonly Item[], columns: number): string[] {
  const loose = items.some(({ blocks }) => blocks.length > 1);
  return items.flatMap(({ marker, blocks }, index) => {
    const first = `${marker} `;
    const content = blocks.length === 0 ? [''] : renderBlocks(blocks, columns - first.length);
    const lines = prefixed(content, first, ' '.repeat(first.length));
    return loose && index > 0 ? ['', ...lines] : lines;
  });
}

function prefixed(lines: readonly string[], first: string, others: string): string[] {
  return lines.map((line, index) => ((index === 0 ? first : others) + line).trimEnd());
}

function wrap(markdown: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of markdown.split(' ')) {
    // If a word would have to be escaped at the start of the next line, keep it on this one.
    if (line === '') line = harmlessAtStart(word);
    else if (line.length + 1 + word.length <= columns || harmlessAtStart(word) !== word) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line].map((wrapped) => wrapped.replaceAll(glue, ' '));
}

/** Escapes a word that would begin a list item, heading, underline or table at the start of a line. */
function harmlessAtStart(word: string): string {
  return word.replace(/^(?:[-+=:|]+|#{1,6})$/u, '\\$&').replace(/^(\d{1,9})([.)])$/u, '$1\\$2');
}
