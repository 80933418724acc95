/**
 * Parses a schema file into its top-level objects. The grammar is that of QEMU's docs/devel/qapi-code-gen.rst, "Schema
 * syntax". Except for comments, it is a subset of JSON5.
 */

import JSON5 from 'json5';

import { optional } from '../optional.js';
import type { ArrayNode, Expression, MemberNode, ObjectNode, ValueNode } from './ast.js';
import type { Dialect } from './dialect.js';
import { parseDocComment, type CommentLine, type DocComment } from './docs/comment.js';
import { endOf, Lexer, lineEnd } from './lexer.js';
import type { Source } from './source.js';

/** The maximum nesting of objects and arrays: deeper nesting could exhaust the stack. */
const maxDepth = 100;

/** Yields the expressions of a file. At the first error, throws a SchemaError. */
export function parse(source: Source, dialect: Dialect): Generator<Expression, void, undefined> {
  return new Parser(source, dialect).file();
}

/** Fails for a comment that documents a definition, because no definition follows it. */
export function refuseDoc(source: Source, { symbol, offset }: DocComment): void {
  if (symbol === undefined) return;
  source.fail(offset, `the definition of '${symbol}' must follow its documentation immediately`);
}

class Parser {
  readonly #source: Source;
  readonly #dialect: Dialect;
  readonly #lexer: Lexer;
  #depth = 0;

  constructor(source: Source, dialect: Dialect) {
    this.#source = source;
    this.#dialect = dialect;
    this.#lexer = new Lexer(source);
  }

  /**
   *     file = { docComment | object }
   */
  *file(): Generator<Expression, void, undefined> {
    let doc: DocComment | undefined;
    while (this.#lexer.kind !== 'end') {
      if (this.#lexer.kind === 'doc') {
        if (doc) refuseDoc(this.#source, doc);
        doc = this.#docComment();
      } else {
        if (this.#lexer.kind !== '{') this.#expected("'{' at the beginning of a directive or definition");
        yield { object: this.#object(), ...optional('doc', doc) };
        doc = undefined;
      }
    }
    if (doc) refuseDoc(this.#source, doc);
  }

  /**
   *     value = object | array | string | "true" | "false"
   */
  #value(): ValueNode {
    const { kind, start: offset } = this.#lexer;
    switch (kind) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case 'string':
        return { kind, offset, value: this.#string() };
      case 'true':
      case 'false':
        this.#lexer.next();
        return { kind: 'boolean', offset, value: kind === 'true' };
      default:
        return this.#expected("'{', '[', a string, 'true' or 'false'");
    }
  }

  /**
   *     object = "{" [ member { "," member } ] "}"
   */
  #object(): ObjectNode {
    const offset = this.#lexer.start;
    const members = new Map<string, MemberNode>();
    this.#list('}', () => this.#member(members));
    return { kind: 'object', offset, members };
  }

  /**
   *     member = string ":" value
   */
  #member(members: Map<string, MemberNode>): void {
    const { kind, start: offset } = this.#lexer;
    if (kind !== 'string') this.#expected(members.size === 0 ? "a string or '}'" : 'a string');
    const name = this.#string();
    if (!this.#accept(':')) this.#expected("':'");
    if (members.has(name)) this.#source.fail(offset, `duplicate key '${name}'`);
    members.set(name, { offset, value: this.#value() });
  }

  /**
   *     array = "[" [ value { "," value } ] "]"
   */
  #array(): ArrayNode {
    const offset = this.#lexer.start;
    const elements: ValueNode[] = [];
    this.#list(']', () => elements.push(this.#value()));
    return { kind: 'array', offset, elements };
  }

  /** Parses the items of an object or array, and its brackets. */
  #list(close: '}' | ']', parseItem: () => void): void {
    this.#depth += 1;
    if (this.#depth > maxDepth)
      this.#source.fail(this.#lexer.start, `this expression is nested more than ${maxDepth} levels deep`);
    this.#lexer.next();
    if (!this.#accept(close)) {
      do parseItem();
      while (this.#accept(','));
      if (!this.#accept(close)) this.#expected(`',' or '${close}'`);
    }
    this.#depth -= 1;
  }

  /** Consumes a string. The lexer accepts only strings with the same meaning in JSON5. */
  #string(): string {
    const { start, end } = this.#lexer;
    this.#lexer.next();
    return JSON5.parse<string>(this.#source.text.slice(start, end));
  }

  /**
   *     docComment = "##" newline { comment line } "##" newline
   */
  #docComment(): DocComment {
    const source = this.#source;
    const { text } = source;
    const { start, end } = this.#lexer;
    if (lineEnd(text, start) !== end)
      source.fail(end, "unexpected text after '##', which begins a documentation comment");
    const lines: CommentLine[] = [];
    const finish = (): DocComment => parseDocComment(source, start, lines, this.#dialect);
    for (let at = end; ;) {
      at = skipBlanks(text, at);
      if (text[at] !== '#') {
        // Report errors in the comment first.
        finish();
        source.fail(Math.min(at, endOf(text)), "this documentation comment must end with a line '##'");
      }
      const next = lineEnd(text, at);
      if (text[at + 1] === '#') {
        const doc = finish();
        if (next !== at + 2) source.fail(at + 2, "unexpected text after '##', which ends a documentation comment");
        this.#lexer.skipTo(next);
        return doc;
      }
      lines.push({ text: text.slice(at, next), offset: at });
      at = next;
    }
  }

  #accept(kind: ',' | ':' | '}' | ']'): boolean {
    if (this.#lexer.kind !== kind) return false;
    this.#lexer.next();
    return true;
  }

  #expected(what: string): never {
    return this.#source.fail(this.#lexer.start, `expected ${what}, found ${this.#lexer.describe()}`);
  }
}

function skipBlanks(text: string, offset: number): number {
  let at = offset;
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n') at += 1;
  return at;
}
