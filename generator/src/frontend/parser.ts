/**
 * One schema file's text into expressions and documentation comments, each value with its place.
 *
 *     file       = { object | doc comment }
 *     object     = "{" [ member { "," member } ] "}"
 *     member     = string ":" expression
 *     array      = "[" [ expression { "," expression } ] "]"
 *     expression = object | array | string | "true" | "false"
 *
 * This is a subset of JSON5 but for the comments: json5 evaluates the text of each top-level object, after this parser has made
 * sure that it is QAPI.
 */

import JSON5 from 'json5';

import { optional } from '../optional.js';
import type { Dialect } from './dialect.js';
import { parseDocComment, type CommentLine, type DocComment } from './doc.js';
import { endOf, Lexer, lineEnd } from './lexer.js';
import type { Source } from './source.js';

export type Node = ObjectNode | ArrayNode | ScalarNode;

export interface ObjectNode {
  readonly kind: 'object';
  readonly offset: number;
  /** By name, in source order. */
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  /** Offset of the name. */
  readonly offset: number;
  readonly value: Node;
}

interface ArrayNode {
  readonly kind: 'array';
  readonly offset: number;
  readonly elements: readonly Node[];
}

interface ScalarNode {
  readonly kind: 'scalar';
  readonly offset: number;
  readonly value: string | boolean;
}

export type Item =
  /** With the comment before it. */
  | { readonly kind: 'expression'; readonly object: ObjectNode; readonly doc?: DocComment }
  | { readonly kind: 'doc'; readonly doc: DocComment };

/** Deeper nesting than any schema has would exhaust the stack. */
const maxDepth = 100;

/** @throws SchemaError at the first error, after the items before it */
export function* parse(source: Source, dialect: Dialect): Generator<Item, void, undefined> {
  const lexer = new Lexer(source);
  let doc: DocComment | undefined;
  while (lexer.kind !== 'end') {
    if (lexer.kind === 'doc') {
      if (doc) refuseDoc(source, doc);
      doc = docComment(lexer, dialect);
      yield { kind: 'doc', doc };
    } else {
      yield { kind: 'expression', object: new ExpressionParser(lexer).topLevel(), ...optional('doc', doc) };
      doc = undefined;
    }
  }
  if (doc) refuseDoc(source, doc);
}

/** For a comment that stands before no definition: only free-form documentation may. */
export function refuseDoc(source: Source, { symbol, offset }: DocComment): void {
  if (symbol === undefined) return;
  source.fail(offset, `documentation of '${symbol}' without its definition: it must follow at once`);
}

/** A value's place, before json5 has told the value. */
type Shape =
  | {
      readonly kind: 'object';
      readonly offset: number;
      readonly entries: readonly [key: string, offset: number, value: Shape][];
    }
  | { readonly kind: 'array'; readonly offset: number; readonly elements: readonly Shape[] }
  | { readonly kind: 'scalar'; readonly offset: number };

class ExpressionParser {
  readonly #lexer: Lexer;
  readonly #source: Source;
  #depth = 0;

  constructor(lexer: Lexer) {
    this.#lexer = lexer;
    this.#source = lexer.source;
  }

  topLevel(): ObjectNode {
    const { start } = this.#lexer;
    if (this.#lexer.kind !== '{') this.#expected("'{': directives and definitions are objects");
    const shape = this.#expression();
    const text = this.#source.text.slice(start, this.#lastEnd);
    // Only a '#' that stands in no string begins a comment.
    const bare = text.includes('#') ? text.replaceAll(/('[^']*')|#[^\n]*/gu, '$1') : text;
    const node = locate(shape, JSON5.parse<unknown>(bare));
    if (node.kind !== 'object') throw new Error('an object was parsed as something else');
    return node;
  }

  #lastEnd = 0;

  #advance(): void {
    this.#lastEnd = this.#lexer.end;
    this.#lexer.next();
  }

  #expression(): Shape {
    const lexer = this.#lexer;
    const offset = lexer.start;
    switch (lexer.kind) {
      case 'string':
      case 'true':
      case 'false':
        this.#advance();
        return { kind: 'scalar', offset };
      case '{':
        return this.#nested(() => ({ kind: 'object', offset, entries: this.#members() }));
      case '[':
        return this.#nested(() => ({ kind: 'array', offset, elements: this.#elements() }));
      default:
        return this.#expected("'{', '[', a string, 'true' or 'false'");
    }
  }

  #nested(parseInside: () => Shape): Shape {
    this.#depth += 1;
    if (this.#depth > maxDepth)
      this.#source.fail(this.#lexer.start, `this expression nests more than ${maxDepth} levels deep`);
    this.#advance();
    const shape = parseInside();
    this.#depth -= 1;
    return shape;
  }

  #members(): [string, number, Shape][] {
    const lexer = this.#lexer;
    const entries: [string, number, Shape][] = [];
    const seen = new Set<string>();
    if (this.#accept('}')) return entries;
    do {
      if (lexer.kind !== 'string') this.#expected(entries.length === 0 ? "a string or '}'" : 'a string');
      const { start } = lexer;
      const key = this.#source.text.slice(start + 1, lexer.end - 1).replaceAll('\\\\', '\\');
      this.#advance();
      if (!this.#accept(':')) this.#expected("':'");
      if (seen.has(key)) this.#source.fail(start, `duplicate key '${key}'`);
      seen.add(key);
      entries.push([key, start, this.#expression()]);
    } while (this.#accept(','));
    if (!this.#accept('}')) this.#expected("',' or '}'");
    return entries;
  }

  #elements(): Shape[] {
    const elements: Shape[] = [];
    if (this.#accept(']')) return elements;
    do elements.push(this.#expression());
    while (this.#accept(','));
    if (!this.#accept(']')) this.#expected("',' or ']'");
    return elements;
  }

  #accept(kind: ',' | ':' | '}' | ']'): boolean {
    if (this.#lexer.kind !== kind) return false;
    this.#advance();
    return true;
  }

  #expected(what: string): never {
    return this.#source.fail(this.#lexer.start, `expected ${what}, found ${this.#lexer.describe()}`);
  }
}

/** Joins what json5 says of an expression with where it stands. */
function locate(shape: Shape, value: unknown): Node {
  const { kind, offset } = shape;
  if (kind === 'scalar') {
    if (typeof value === 'string' || typeof value === 'boolean') return { kind, offset, value };
  } else if (kind === 'array') {
    if (Array.isArray(value))
      return { kind, offset, elements: shape.elements.map((element, index) => locate(element, value[index])) };
  } else if (typeof value === 'object' && value !== null) {
    const values = new Map(Object.entries(value));
    const entries = new Map(
      shape.entries.map(([key, at, inner]) => [key, { offset: at, value: locate(inner, values.get(key)) }]),
    );
    return { kind, offset, entries };
  }
  throw new Error(`json5 and the parser disagree about a ${kind}`);
}

function docComment(lexer: Lexer, dialect: Dialect): DocComment {
  const { source } = lexer;
  const { text } = source;
  const begin = lexer.start;
  if (lineEnd(text, begin) !== lexer.end) {
    source.fail(lexer.end, "text after '##': a documentation comment begins with a line of its own");
  }
  const lines: CommentLine[] = [];
  const finish = (): DocComment => parseDocComment(source, begin, lines, dialect);
  for (let at = lexer.end; ;) {
    at = skipBlanks(text, at);
    if (text[at] !== '#') {
      finish();
      source.fail(Math.min(at, endOf(text)), "this documentation comment has no end: a line '##'");
    }
    const end = lineEnd(text, at);
    if (text[at + 1] === '#') {
      const doc = finish();
      if (end !== at + 2) source.fail(at + 2, "text after '##': a documentation comment ends with a line of its own");
      lexer.skipTo(end);
      return doc;
    }
    lines.push({ text: text.slice(at, end), offset: at });
    at = end;
  }
}

function skipBlanks(text: string, offset: number): number {
  let at = offset;
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n') at += 1;
  return at;
}
