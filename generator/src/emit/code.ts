/**
 * TypeScript, laid out. Nothing becomes code by accident: a string in a template of `code` is a literal of the output, and only what is
 * code already goes in as it is.
 *
 * Code is a document of prettier, which its printer breaks into lines. To print text and have prettier parse it again would take several
 * times as long. So each function here lays out its construct as prettier does, and `test/layout.test.ts` has prettier check the output.
 */

import { builders, printer } from 'prettier/doc';

import { visible } from '../visible.js';

const { align, conditionalGroup, group, hardline, ifBreak, indent, indentIfBreak, line, lineSuffixBoundary, softline } =
  builders;
type Doc = builders.Doc;

/** The style of the repository. */
const style: printer.Options = { printWidth: 120, tabWidth: 2 };

/** What the layout around a piece of code depends on. */
type Form = 'object' | 'array' | 'arrow' | 'short call';

/** A private member, so that nothing else has this type. */
class Fragment {
  readonly #doc: Doc;
  readonly form: Form | undefined;

  constructor(doc: Doc, form?: Form) {
    this.#doc = doc;
    this.form = form;
  }

  get doc(): Doc {
    return this.#doc;
  }

  toString(): string {
    return printer.printDocToString(this.#doc, style).formatted;
  }
}

/** A piece of TypeScript. Only the functions of this module make one. */
export type Code = Fragment;

/**
 *     code`if (x === ${text}) {
 *       ${statements}
 *     }`
 *
 * Strings become string literals, arrays become lines. What stands between a bracket at the end of a line and the bracket that begins
 * another is indented; when that is nothing, the brackets stand together.
 */
export function code(template: TemplateStringsArray, ...values: readonly (string | Code | readonly Code[])[]): Code {
  let current: Doc[] = [];
  const around: Doc[][] = [];
  for (const [index, chunk] of template.entries()) {
    const [first = '', ...lines] = chunk.split('\n');
    current.push(first);
    let before = first;
    for (const text of lines.map((untrimmed) => untrimmed.trimStart())) {
      const opens = /[{[(]$/u.test(before);
      const closes = /^[}\])]/u.test(text);
      if (opens) {
        around.push(current);
        current = [];
      }
      if (closes) {
        const block = current;
        current = around.pop() ?? [];
        if (!block.every(isBlank)) current.push(indent([hardline, ...block]), hardline);
      }
      if (!opens && !closes) current.push(hardline);
      current.push(text);
      before = text;
    }
    const value = values[index];
    if (value instanceof Fragment) current.push(value.doc);
    else if (typeof value === 'string') current.push(literal(value));
    else if (value) current.push(join(value, '\n').doc);
  }
  const parts = current.filter((part) => part !== '');
  const [only = ''] = parts;
  return new Fragment(parts.length > 1 ? parts : only);
}

function isBlank(doc: Doc): boolean {
  return doc === '' || (Array.isArray(doc) && doc.every(isBlank));
}

/** Puts newlines between. */
export function join(parts: readonly Code[], separator: '\n' | '\n\n'): Code {
  return new Fragment(separated(docsOf(parts), separator === '\n' ? hardline : [hardline, hardline]));
}

function separated(docs: readonly Doc[], separator: Doc): Doc[] {
  return docs.flatMap((doc, index) => (index === 0 ? [doc] : [separator, doc]));
}

function docsOf(parts: readonly Code[]): Doc[] {
  return parts.map(({ doc }) => doc);
}

/** Words that cannot name a thing in a module. */
export const reservedWords: ReadonlySet<string> = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for ' +
    'function if implements import in instanceof interface let new null package private protected public return static super switch ' +
    'this throw true try typeof var void while with yield'
  ).split(' '),
);

const identifierForm = /^[A-Za-z_$][\w$]*$/u;

/** @throws when the text is not one */
export function identifier(name: string): Code {
  if (!identifierForm.test(name) || reservedWords.has(name)) throw new Error(`not an identifier: ${visible(name)}`);
  return new Fragment(name);
}

/** The name of a member, in types, object literals and classes. */
export function propertyName(name: string): Code {
  // In an object literal, this name would set the prototype.
  if (name === '__proto__') return code`[${name}]`;
  return identifierForm.test(name) ? new Fragment(name) : code`${name}`;
}

/** All but printable ASCII is escaped, and so is what ends a script, or begins a comment, in HTML. */
function literal(text: string): string {
  // The quotes that need fewer escapes.
  const quote = text.includes("'") && occurrences(text, "'") > occurrences(text, '"') ? '"' : "'";
  const inner = text
    .replaceAll(/['"\\]/gu, (character) => (character === quote || character === '\\' ? `\\${character}` : character))
    .replaceAll(/<(?=[/!])/gu, '\\x3C')
    // By UTF-16 unit: half of a character is text, too.
    .replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return quote + inner + quote;
}

function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}

/** A comment before a declaration, or nothing. A text of one line stands on one line. */
export function docComment(comment: string | undefined): Code {
  if (comment === undefined) return code``;
  const lines = comment.split('\n').map(commentText);
  const [first = ''] = lines;
  if (lines.length === 1) return new Fragment([`/** ${first} */`, hardline]);
  const inner = lines.map((text) => ` * ${text}`.trimEnd());
  return new Fragment([...separated(['/**', ...inner, ' */'], hardline), hardline]);
}

/** A comment of one line. */
export function lineComment(text: string): Code {
  return new Fragment(`// ${commentText(text)}`);
}

/**
 * What neither begins nor ends a comment, and is no directive to a tool that looks for one inside of comments: `//# sourceMappingURL`,
 * `/* c8 ignore`. The backslash is what authors write there, too.
 */
function commentText(text: string): string {
  return visible(text).replaceAll(/\*(?=\/)|\/(?=\*)|\/\/(?=[#@])/gu, '$&\\');
}

// The layouts of constructs

/** `{ a, b }`, as in object literals, imports and exports. */
export function braces(parts: readonly Code[]): Code {
  if (parts.length === 0) return new Fragment('{}');
  return new Fragment(group(list('{', line, docsOf(parts), '}')));
}

/** `{ a: string; b: string }` as a type. */
export function typeLiteral(members: readonly Code[]): Code {
  return new Fragment(group(['{', indent([line, separated(docsOf(members), [';', line])]), ifBreak(';'), line, '}']));
}

export function object(members: readonly Code[]): Code {
  return new Fragment(braces(members).doc, 'object');
}

export function array(elements: readonly Code[]): Code {
  return new Fragment(elements.length === 0 ? '[]' : group(list('[', softline, docsOf(elements), ']')), 'array');
}

/** A member of an object. */
export function property(name: Code, value: Code): Code {
  // On the next line, the value would stand no further to the left.
  const isShort = typeof name.doc === 'string' && name.doc.length < style.tabWidth + 3;
  if (isShort && typeof value.doc === 'string') return code`${name}: ${value}`;
  return new Fragment(group([name.doc, ':', assigned(value)]));
}

/** `left = right;` */
export function assignment(left: Code, right: Code): Code {
  return new Fragment([group([group(left.doc), ' =', assigned(right)]), ';']);
}

/** `export type Name = A | B;` */
export function alias(name: Code, types: readonly Code[]): Code {
  // Conditions that do not hold may leave no branch or alternative.
  const [first = code`never`] = types;
  const right = types.length > 1 ? onNextLine(alternatives(types)) : assigned(first);
  return new Fragment(['export type ', group([name.doc, ' =', right]), ';']);
}

/** What follows `=` or `:`. It moves to the next line where it does not fit, unless it can be broken into lines itself. */
function assigned({ doc, form }: Code): Doc {
  const isLiteral = typeof doc === 'string' && /^['"]/u.test(doc);
  if (isLiteral || form === 'short call') return onNextLine(doc);
  const groupId = Symbol('right');
  return [group(indent(line), { id: groupId }), lineSuffixBoundary, indentIfBreak(doc, { groupId })];
}

function onNextLine(doc: Doc): Doc {
  return group(indent([line, doc]));
}

function alternatives(types: readonly Code[]): Doc {
  const aligned = docsOf(types).map((type) => align(2, type));
  return group([ifBreak('| '), separated(aligned, [line, '| '])]);
}

/** `A | B`, after a colon. */
export function union(types: readonly Code[]): Code {
  const [first] = types;
  if (first && types.length === 1) return first;
  return new Fragment(group(indent([softline, alternatives(types)])));
}

export function arrayType(elements: readonly Code[]): Code {
  const [first] = elements;
  if (first && elements.length === 1) return code`${first}[]`;
  return new Fragment(['(', group([indent([softline, alternatives(elements)]), softline]), ')[]']);
}

export function intersection(first: Code, second: Code): Code {
  return new Fragment(group([first.doc, indent([' &', line, second.doc])]));
}

/** `Name<A, B>` */
export function generic(name: Code, parameters: readonly Code[]): Code {
  const [first] = parameters;
  // A name is not worth lines of its own.
  if (parameters.length === 1 && typeof first?.doc === 'string') return code`${name}<${first}>`;
  const inner = separated(docsOf(parameters), [',', line]);
  return new Fragment([name.doc, group(['<', indent([softline, inner]), softline, '>'])]);
}

/** `name<typeParameter>(parameters): type` */
export function signature(name: Code, typeParameter: Code, parameters: readonly Code[], type: Code): Code {
  const generics = group(list('<', softline, [typeParameter.doc], '>'));
  return new Fragment([name.doc, generics, group([...list('(', softline, docsOf(parameters), ')'), ': ', type.doc])]);
}

/** What goes between `interface` and the body. */
export function interfaceHead(name: Code, parents: readonly Code[]): Code {
  const [first] = parents;
  if (!first) return name;
  if (parents.length === 1) return code`${name} extends ${first}`;
  const heritage = [line, 'extends', group(indent([line, separated(docsOf(parents), [',', line])]))];
  return new Fragment(group([name.doc, indent(heritage)]));
}

/** `() => value` */
export function arrow(value: Code): Code {
  const body =
    value.form === 'object'
      ? group([' (', value.doc, ')'])
      : value.form === 'array'
        ? group([' ', value.doc])
        : onNextLine(value.doc);
  return new Fragment(group(['() =>', body]), 'arrow');
}

/** The same call, which bundlers may leave out. */
export function pure({ doc, form }: Code): Code {
  return new Fragment(['/* @__PURE__ */ ', doc], form);
}

export function call(callee: Code, args: readonly Code[]): Code {
  const [first] = args;
  const isShort = args.length === 1 && typeof first?.doc === 'string' && first.doc.length <= style.printWidth / 4;
  return new Fragment([callee.doc, lineSuffixBoundary, callArguments(args)], isShort ? 'short call' : undefined);
}

function callArguments(args: readonly Code[]): Doc {
  const docs = docsOf(args);
  const [last, beforeLast] = args.toReversed();
  const broken = group(list('(', line, docs, ')'), { shouldBreak: true });
  if (args.filter(({ form }) => form === 'arrow').length > 1) return broken;
  if (!last?.form || last.form === beforeLast?.form) return group(list('(', softline, docs, ')'));
  // The last one is broken alone, if that is enough.
  const others = docs.slice(0, -1).flatMap((doc) => [doc, ',', line]);
  return conditionalGroup([
    ['(', ...others, last.doc, ')'],
    ['(', ...others, group(last.doc, { shouldBreak: true }), ')'],
    broken,
  ]);
}

function list(open: string, space: Doc, docs: readonly Doc[], close: string): Doc[] {
  return [open, indent([space, separated(docs, [',', line])]), ifBreak(','), space, close];
}
