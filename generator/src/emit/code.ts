/**
 * TypeScript as text. Nothing becomes code by accident: a string in a template of `code` is a literal of the output, and only what is
 * code already goes in as it is.
 */

import { visible } from '../visible.js';

/** A private member, so that nothing else has this type. */
class Fragment {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** A piece of TypeScript. Only the functions of this module make one. */
export type Code = Fragment;

/**
 *     code`if (x === ${text}) ${statements}`
 *
 * Strings become string literals, arrays become lines.
 */
export function code(template: TemplateStringsArray, ...values: readonly (string | Code | readonly Code[])[]): Code {
  const texts = values.map((value) =>
    typeof value === 'string' ? literal(value) : String(value instanceof Fragment ? value : join(value, '\n')),
  );
  return new Fragment(String.raw({ raw: template }, ...texts));
}

export function join(parts: readonly Code[], separator: ', ' | ' & ' | ' | ' | '\n' | '\n\n'): Code {
  return new Fragment(parts.map(String).join(separator));
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
  const inner = text
    .replaceAll(/['\\]/gu, '\\$&')
    .replaceAll(/<(?=[/!])/gu, '\\x3C')
    // By UTF-16 unit: half of a character is text, too.
    .replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `'${inner}'`;
}

/** A comment before a declaration, or nothing. A text of one line stands on one line. */
export function docComment(text: string | undefined): Code {
  if (text === undefined) return code``;
  const lines = text.split('\n').map(commentText);
  const [first = ''] = lines;
  if (lines.length === 1) return new Fragment(`/** ${first} */\n`);
  return new Fragment(`/**\n${lines.map((line) => ` * ${line}`.trimEnd()).join('\n')}\n */\n`);
}

/** A comment of one line. */
export function lineComment(text: string): Code {
  return new Fragment(`// ${commentText(text)}`);
}

/**
 * What neither begins nor ends a comment, and is no directive to a tool that looks for one inside of comments: `//# sourceMappingURL`,
 * `/* c8 ignore`. The backslash is what authors write there, too.
 */
function commentText(line: string): string {
  return visible(line).replaceAll(/\*(?=\/)|\/(?=\*)|\/\/(?=[#@])/gu, '$&\\');
}
