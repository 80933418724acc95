/** Random changes to the characters, tokens or lines of a schema's text. */

import fc from 'fast-check';

/** Functions that divide text into parts. */
const units: readonly ((text: string) => string[])[] = [
  (text) => Array.from(text),
  // Tokens, the whitespace between them, and lines of comments.
  (text) => text.match(/'[^'\n]*'|#[^\n]*|[{}[\]:,]|\s+|\w+|./gsu) ?? [],
  (text) => text.split(/(?<=\n)/u),
];

/** Parts to insert into text. */
const oddities = [
  `' " \\ # ## { } [ ] : , \t \r\n \0 \u00E9 \u{1F600} \u2028 true false null 1 // * @ __proto__`.split(' '),
  "'constructor' 'if' 'data' 'base' 'union' 'List'".split(' '),
  ["'boxed': true,", "{ 'not': 'X' }", "[ 'str' ]", "{ 'include': 'common.json' }", '# Features:\n', '# @a: b\n'],
  ['# Returns: x\n', '##\n# @a:\n##\n', "{ 'pragma': { 'doc-required': true } }\n"],
].flat();

/** Changes a list of parts at one index, possibly using the part at another. */
const edits: readonly ((parts: string[], at: number, other: number) => void)[] = [
  (parts, at) => parts.splice(at, 1),
  (parts, at) => parts.splice(at, 0, parts[at] ?? ''),
  (parts, at, other) => parts.splice(at, 0, parts[other] ?? ''),
  (parts, at, other) => ([parts[at], parts[other]] = [parts[other] ?? '', parts[at] ?? '']),
  (parts, at, other) => parts.splice(at, 0, oddities[other % oddities.length] ?? ''),
  (parts, at, other) => parts.splice(at, 1, oddities[other % oddities.length] ?? ''),
  (parts, at) => parts.splice(at),
];

export interface Mutation {
  readonly unit: (text: string) => string[];
  readonly edit: (parts: string[], at: number, other: number) => void;
  readonly at: number;
  readonly other: number;
}

/** A position in text, as a fraction of its length. */
const where = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
export const mutations = fc.array(
  fc.record<Mutation>({ unit: fc.constantFrom(...units), edit: fc.constantFrom(...edits), at: where, other: where }),
  { minLength: 1, maxLength: 4 },
);

/** Returns text after a number of changes. */
export function mutate(text: string, changes: readonly Mutation[]): string {
  return changes.reduce((before, { unit, edit, at, other }) => {
    const parts = unit(before);
    edit(parts, Math.floor(at * parts.length), Math.floor(other * parts.length));
    return parts.join('');
  }, text);
}
