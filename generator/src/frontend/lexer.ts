/**
 * Divides the text of a schema file into tokens.
 *
 *     token  = "{" | "}" | "[" | "]" | ":" | "," | string | "true" | "false" | doc
 *     string = "'" { printable ASCII except "'" and "\" | "\\" } "'"
 *     doc    = "##", which begins a documentation comment
 *
 * Spaces, tabs, newlines and other comments (from `#` to the end of the line) can separate tokens.
 */

import type { Source } from './source.js';

type TokenKind = '{' | '}' | '[' | ']' | ':' | ',' | 'string' | 'true' | 'false' | 'doc' | 'end';

export class Lexer {
  /** The kind of the current token; `end` after the last one. */
  kind: TokenKind = 'end';
  /** The offset of the token's first character. */
  start = 0;
  /** The offset after the token's last character. */
  end = 0;

  constructor(readonly source: Source) {
    this.next();
  }

  /**
   * Moves to the next token.
   *
   * @throws SchemaError at text that is not a token
   */
  next(): void {
    const { text } = this.source;
    let at = this.end;
    for (;;) {
      this.start = at;
      const char = text[at];
      switch (char) {
        case undefined:
          this.start = endOf(text);
          return this.#take('end', at);
        case ' ':
        case '\n':
        case '\t':
          at += 1;
          break;
        case '#':
          if (text[at + 1] === '#') return this.#take('doc', at + 2);
          at = lineEnd(text, at);
          break;
        case '{':
        case '}':
        case '[':
        case ']':
        case ':':
        case ',':
          return this.#take(char, at + 1);
        case "'":
          return this.#take('string', this.#stringEnd(at));
        default:
          if (text.startsWith('true', at)) return this.#take('true', at + 4);
          if (text.startsWith('false', at)) return this.#take('false', at + 5);
          return this.#stray(at);
      }
    }
  }

  /** Moves to the first token after an offset: documentation comments are not made of tokens. */
  skipTo(offset: number): void {
    this.end = offset;
    this.next();
  }

  /** Names the current token for a message. */
  describe(): string {
    if (this.kind === 'end') return 'the end of the file';
    if (this.kind === 'doc') return 'a documentation comment';
    return this.kind === 'string' ? this.source.text.slice(this.start, this.end) : `'${this.kind}'`;
  }

  #take(kind: TokenKind, end: number): void {
    this.kind = kind;
    this.end = end;
  }

  #stringEnd(start: number): number {
    const { source } = this;
    const { text } = source;
    for (let at = start + 1; at < text.length && text[at] !== '\n'; at += 1) {
      const code = text.charCodeAt(at);
      if (code === 0x27) return at + 1;
      if (code < 0x20 || code > 0x7e)
        source.fail(at, `${printable(text, at)} in a string: only printable ASCII is allowed`);
      if (code === 0x5c) {
        at += 1;
        const isEnd = at === text.length || text[at] === '\n';
        if (isEnd) break;
        if (text[at] !== '\\') source.fail(at - 1, `unknown escape: the only one is '\\\\'`);
      }
    }
    return source.fail(start, `this string has no closing "'" on its line`);
  }

  #stray(at: number): never {
    const { source } = this;
    const { text } = source;
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e) return source.fail(at, `${printable(text, at)} outside of a comment`);
    let end = at + 1;
    while (end < at + 40 && /[!-~]/u.test(text[end] ?? '') && !/[[\]{}:,']/u.test(text[end] ?? '')) end += 1;
    const word = text.slice(at, end);
    return source.fail(at, `stray '${word}'${hint(word)}`);
  }
}

/** Returns the offset of the newline that ends the line, or of the end of the text. */
export function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end;
}

/** Returns the offset of the end of the text as an editor shows it: on the last line, before its newline. */
export function endOf(text: string): number {
  return text.endsWith('\n') ? text.length - 1 : text.length;
}

function hint(word: string): string {
  if (word.startsWith('"')) return ': strings need single quotes';
  if (/^[-+.]?\d/u.test(word)) return ': the schema language has no numbers';
  if (word.startsWith('null')) return ": the schema language has no null; the type is 'null', in quotes";
  if (word.startsWith('//') || word.startsWith('/*')) return ": comments begin with '#'";
  return /^[\w`]/u.test(word) ? ': names need single quotes' : '';
}

/** Describes a character for a message: visible characters are shown with their code. */
function printable(text: string, offset: number): string {
  const point = text.codePointAt(offset) ?? 0;
  const code = `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
  if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return `control character ${code}`;
  const char = String.fromCodePoint(point);
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(char) ? `character '${char}' (${code})` : `character ${code}`;
}
