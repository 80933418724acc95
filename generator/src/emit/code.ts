/**
 * Writes TypeScript. Nothing becomes code by accident: a string in a `code` template becomes a string literal, and only
 * the output of this module is inserted verbatim.
 *
 * A piece of code is a prettier document, which prettier's printer breaks into lines. Formatting printed text would
 * take several times as long, because prettier would have to parse it. Instead, each function here lays out its
 * construct as prettier would, and `test/layout.test.ts` verifies that prettier has nothing to change.
 */

import { builders, printer, utils } from 'prettier/doc';

import { visible } from '../visible.js';

const {
  align,
  breakParent,
  conditionalGroup,
  group,
  hardline,
  ifBreak,
  indent,
  indentIfBreak,
  line,
  lineSuffixBoundary,
  softline,
} = builders;
type Doc = builders.Doc;

/** The style of generated files, which is that of the repository. */
export const style: printer.Options = { printWidth: 120, tabWidth: 2 };

/** The properties of a piece of code that affect the layout around it. */
type Form = 'object' | 'array' | 'arrow' | 'short call';

class Fragment {
  /** Private, so that no other object has this type. */
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

/** A piece of TypeScript. Only the functions of this module create one. */
export type Code = Fragment;

/**
 * Creates code from a template:
 *
 *     code`if (x === ${text}) {
 *       ${statements}
 *     }`
 *
 * Strings become string literals, and the elements of arrays become lines. The lines between a bracket at the end of a
 * line and its closing bracket at the beginning of another are indented. If they are empty, the brackets are joined.
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

export function join(parts: readonly Code[], separator: '\n' | '\n\n'): Code {
  return new Fragment(separated(docsOf(parts), separator === '\n' ? hardline : [hardline, hardline]));
}

function separated(docs: readonly Doc[], separator: Doc): Doc[] {
  return docs.flatMap((doc, index) => (index === 0 ? [doc] : [separator, doc]));
}

function docsOf(parts: readonly Code[]): Doc[] {
  return parts.map(({ doc }) => doc);
}

/** Words that cannot be used as identifiers in a module. */
export const reservedWords: ReadonlySet<string> = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for ' +
    'function if implements import in instanceof interface let new null package private protected public return static super switch ' +
    'this throw true try typeof var void while with yield'
  ).split(' '),
);

const identifierForm = /^[A-Za-z_$][\w$]*$/u;

/** @throws Error if the name is not an identifier */
export function identifier(name: string): Code {
  if (!identifierForm.test(name) || reservedWords.has(name)) throw new Error(`not an identifier: ${visible(name)}`);
  return new Fragment(name);
}

/** Returns the name of a property or method, quoted if necessary. */
export function propertyName(name: string): Code {
  // In an object literal, this name would set the prototype unless it is computed.
  if (name === '__proto__') return code`[${name}]`;
  return identifierForm.test(name) ? new Fragment(name) : code`${name}`;
}

/**
 * Returns a string literal. Escapes everything except printable ASCII, and also `</` and `<!`, which would end a script
 * or begin a comment in HTML.
 */
function literal(text: string): string {
  // Use the quotes that need fewer escapes.
  const quote = text.includes("'") && occurrences(text, "'") > occurrences(text, '"') ? '"' : "'";
  const inner = text
    .replaceAll(/['"\\]/gu, (character) => (character === quote || character === '\\' ? `\\${character}` : character))
    .replaceAll(/<(?=[/!])/gu, '\\x3C')
    // Without the `u` flag, to escape each UTF-16 code unit: strings may contain lone surrogates.
    .replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return quote + inner + quote;
}

function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}

/** Returns a documentation comment and a newline, or empty code if there is no text. */
export function docComment(comment: string | undefined): Code {
  if (comment === undefined) return code``;
  const lines = comment.split('\n').map(commentText);
  const [first = ''] = lines;
  if (lines.length === 1) return new Fragment([`/** ${first} */`, hardline]);
  const inner = lines.map((text) => ` * ${text}`.trimEnd());
  return new Fragment([...separated(['/**', ...inner, ' */'], hardline), hardline]);
}

export function lineComment(text: string): Code {
  return new Fragment(`// ${commentText(text)}`);
}

/**
 * Escapes the beginnings and ends of comments, and directives that tools recognize inside comments, such as
 * `//# sourceMappingURL` and `/* c8 ignore`.
 */
function commentText(text: string): string {
  return visible(text).replaceAll(/\*(?=\/)|\/(?=\*)|\/\/(?=[#@])/gu, '$&\\');
}

// Layouts

/** Returns `{ a, b }`, as in object literals, imports and exports. */
export function braces(parts: readonly Code[]): Code {
  if (parts.length === 0) return new Fragment('{}');
  return new Fragment(group(list('{', line, docsOf(parts), '}')));
}

/** Returns the type `{ a: string; b: string }`. */
export function typeLiteral(members: readonly Code[]): Code {
  return new Fragment(group(['{', indent([line, separated(docsOf(members), [';', line])]), ifBreak(';'), line, '}']));
}

export function object(members: readonly Code[]): Code {
  return new Fragment(braces(members).doc, 'object');
}

export function array(elements: readonly Code[]): Code {
  return new Fragment(elements.length === 0 ? '[]' : group(list('[', softline, docsOf(elements), ']')), 'array');
}

/** Returns an array of pairs, each of which gets a line of its own. */
export function pairs(elements: readonly (readonly [Code, Code])[]): Code {
  const docs = elements.map((pair) => array(pair).doc);
  return new Fragment(group(list('[', softline, docs, ']'), { shouldBreak: elements.length > 1 }), 'array');
}

/** Returns `name: value`, as in an object literal. */
export function property(name: Code, value: Code): Code {
  // Moving the value to the next line would not save space.
  const isShort = typeof name.doc === 'string' && name.doc.length < style.tabWidth + 3;
  if (isShort && typeof value.doc === 'string') return code`${name}: ${value}`;
  return new Fragment(group([name.doc, ':', assigned(value)]));
}

/** Returns `left = right;`. */
export function assignment(left: Code, right: Code): Code {
  return new Fragment([group([group(left.doc), ' =', assigned(right)]), ';']);
}

/** Returns `export type Name = A | B;`. */
export function alias(name: Code, types: readonly Code[]): Code {
  // Narrowing may leave no branches or alternatives.
  const [first = code`never`] = types;
  const right = types.length > 1 ? onNextLine(alternatives(types)) : assigned(first);
  return new Fragment(['export type ', group([name.doc, ' =', right]), ';']);
}

/** Returns the code after `=` or `:`. Code that does not fit moves to the next line, unless it can be broken itself. */
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

/** Returns `A | B`, as after a colon. */
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

/** Returns `Name<A, B>`. */
export function generic(name: Code, parameters: readonly Code[]): Code {
  const [first] = parameters;
  // A single name is never moved to its own line.
  if (parameters.length === 1 && typeof first?.doc === 'string') return code`${name}<${first}>`;
  const inner = separated(docsOf(parameters), [',', line]);
  return new Fragment([name.doc, group(['<', indent([softline, inner]), softline, '>'])]);
}

/** Returns `name<typeParameter>(parameters): type`. */
export function signature(name: Code, typeParameter: Code, parameters: readonly Code[], type: Code): Code {
  const generics = group(list('<', softline, [typeParameter.doc], '>'));
  return new Fragment([name.doc, generics, group([...list('(', softline, docsOf(parameters), ')'), ': ', type.doc])]);
}

/** Returns the code between `interface` and the body. */
export function interfaceHead(name: Code, parents: readonly Code[]): Code {
  const [first] = parents;
  if (!first) return name;
  if (parents.length === 1) return code`${name} extends ${first}`;
  const heritage = [line, 'extends', group(indent([line, separated(docsOf(parents), [',', line])]))];
  return new Fragment(group([name.doc, indent(heritage)]));
}

/** Returns `() => value`. */
export function arrow(value: Code): Code {
  const body =
    value.form === 'object'
      ? group([' (', value.doc, ')'])
      : value.form === 'array'
        ? group([' ', value.doc])
        : onNextLine(value.doc);
  return new Fragment(group(['() =>', body]), 'arrow');
}

/** Annotates a call, so that bundlers remove it if its result is unused. */
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
  // Prefer breaking only the last argument.
  const others = docs.slice(0, -1).flatMap((doc) => [doc, ',', line]);
  const states = conditionalGroup([
    ['(', ...others, last.doc, ')'],
    ['(', ...others, group(last.doc, { shouldBreak: true }), ')'],
    broken,
  ]);
  // Conditional groups do not pass on breaks to what contains them.
  return utils.willBreak(last.doc) ? [breakParent, states] : states;
}

function list(open: string, space: Doc, docs: readonly Doc[], close: string): Doc[] {
  return [open, indent([space, separated(docs, [',', line])]), ifBreak(','), space, close];
}
