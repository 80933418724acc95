/** Hides secrets in texts that people see: in the forms, and by the parts, in which a server repeats them. */

import { Buffer, isUtf8 } from 'node:buffer';

/** Stands where a secret was. */
export const hidden = '***';

/** Shorter texts are hidden as words only: within other words they are there by chance. */
const shortest = 4;
/** In characters. Longer texts are files rather than lines: servers do not quote parts of them. */
const longestWithParts = 4096;
/** Of a longer text, its beginning is searched for: the time for that does not grow with what the text repeats. */
const longest = 128;
/** How many characters are searched for one message, counted once for each form that is searched for. */
const searchLimit = 2 ** 28;

/** In characters. Longer secrets are not searched for: a text that is long enough to repeat one is hidden whole. */
const longestSearched = 2 ** 20;
/** A text in which more than that would be replaced is hidden whole: each piece takes memory. */
const mostPieces = 2 ** 18;
/** What it costs to look at a place that may be a secret, in characters compared. */
const placeCost = 16;

/** Parts that tell nobody anything: hiding them would only make logs harder to read. */
const everyday = /* @__PURE__ */ new Set(
  /* @__PURE__ */ [
    'true false none null auto default force keep fail never disconnect connected json base64 this that with from have',
    'return error class desc event data timestamp seconds microseconds execute arguments command been found',
    'password secret qom-type object file driver format protocol value name spice http https echo exec bash root home',
  ].flatMap((line) => line.split(' ')),
);

interface Form {
  readonly text: string;
  /** Whether it is hidden only where it is not a part of a word. */
  readonly isWord: boolean;
}

/** A text that nobody should see. */
export class Secret {
  readonly #text: string;
  /** Made when it is needed, which for most secrets is never. */
  #forms: readonly Form[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  get forms(): readonly Form[] {
    return (this.#forms ??= formsOf(this.#text));
  }

  get isTooLong(): boolean {
    return this.#text.length > longestSearched;
  }

  /** Whether a text may repeat it: not where only the whole counts, and is longer even when nine characters, as in `%E2%82%AC`, become one. */
  mayBeIn(text: string): boolean {
    return this.#text.length <= longestWithParts || this.#text.trim().length <= text.length * 9;
  }
}

/** A text some parts of which are replaced, from its beginning to its end. */
export class Replacement {
  readonly #given: string;
  /** Joined at the end: a string that grows by concatenation takes memory for each piece, and recursion to be read. */
  readonly #pieces: string[] = [];
  #done = 0;

  constructor(given: string) {
    this.#given = given;
  }

  /** Whether there are so many that the text is to be hidden whole. */
  get isTooMuch(): boolean {
    return this.#pieces.length > mostPieces;
  }

  replace(begin: number, end: number, by: string): void {
    this.#pieces.push(this.#given.slice(this.#done, begin), by);
    this.#done = end;
  }

  /** A part that begins within a hidden one makes that longer. */
  hide(begin: number, end: number): void {
    if (begin >= this.#done) this.replace(begin, end, hidden);
    else this.#done = Math.max(this.#done, end);
  }

  text(): string {
    if (this.isTooMuch) return hidden;
    if (this.#pieces.length === 0) return this.#given;
    return this.#pieces.join('') + this.#given.slice(this.#done);
  }
}

/** A text, plain or JSON, without the secrets that it repeats. One that would take too long to search is hidden whole. */
export function withoutSecrets(text: string, secrets: readonly Secret[]): string {
  if (secrets.length === 0) return text;
  const forms = new Map<string, Form>();
  for (const secret of secrets) {
    if (!secret.mayBeIn(text)) continue;
    if (secret.isTooLong) return hidden;
    for (const form of secret.forms) {
      if (forms.get(form.text)?.isWord !== false) forms.set(form.text, form);
    }
    if (forms.size * text.length > searchLimit) return hidden;
  }
  const plain = unescaped(text);
  if (plain === undefined) return hidden;
  // A secret may be a part of another.
  const longestFirst = [...forms.values()].toSorted((a, b) => b.text.length - a.text.length);
  const shown = longestFirst.reduce((rest, { text: form, isWord }) => hide(rest, form, isWord), plain);
  return shown === plain ? text : shown;
}

function formsOf(secret: string): Form[] {
  const decoded = [secret, percentDecoded(secret), base64Decoded(secret)].filter((text) => text !== undefined);
  const wholes = new Set(decoded.flatMap((text) => [text, text.trim()]));
  const parts = new Set([...wholes].flatMap(partsOf));
  const isTelling = (text: string): boolean => /[^*\s]/u.test(text);
  return [
    ...[...parts].filter((part) => part.length >= shortest && isTelling(part) && !everyday.has(part.toLowerCase())),
    ...[...wholes].filter(isTelling),
  ].flatMap((text) => writings(text).map((written) => ({ text: written, isWord: !wholes.has(text) || isShort(text) })));
}

function isShort(text: string): boolean {
  return text.length < shortest;
}

/** As it is, as JSON has it, and as JSON has a text that quotes JSON. One with too many escapes is missing: so is any text that has it. */
function writings(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  return json === text
    ? [text]
    : [text, json, JSON.stringify(json).slice(1, -1)].map(unescaped).filter((one) => one !== undefined);
}

/** What a server may quote alone: words, options, their values. */
function partsOf(text: string): string[] {
  if (text.length > longestWithParts) return [];
  const units = [text, ...text.split(/\s+/u)];
  // QEMU writes a comma within an option as two.
  const options = units.flatMap((unit) => unit.split(/(?<!,),(?!,)/u)).map((one) => one.replaceAll(',,', ','));
  const coarse = [...units, ...options].flatMap((one) => [one, one.slice(one.indexOf('=') + 1)]);
  const fine = text.split(/[\s,;:&|=@"'`<>()]+/u);
  return [...coarse.map(unquoted), ...fine];
}

function unquoted(text: string): string {
  return /^(["']).*\1$/su.test(text) ? text.slice(1, -1) : text;
}

function percentDecoded(text: string): string | undefined {
  if (!/%[\da-f]{2}/iu.test(text)) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** What a server makes of text in base64. */
function base64Decoded(text: string): string | undefined {
  if (text.length < 8 || text.length % 4 > 0) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return isUtf8(bytes) && bytes.toString('base64') === text ? bytes.toString() : undefined;
}

/**
 * A text with characters in place of JSON's `\uXXXX`, also where JSON is quoted within JSON, so that each has one form. Patterns would run
 * out of stack on long runs of backslashes.
 *
 * @returns undefined when there are too many of them
 */
function unescaped(text: string): string | undefined {
  const plain = new Replacement(text);
  for (let begin = text.indexOf('\\'), end = 0; begin !== -1 && !plain.isTooMuch; begin = text.indexOf('\\', end)) {
    end = begin + 1;
    while (text[end] === '\\') end += 1;
    if (text[end] === '/') plain.replace(end - 1, end, '');
    const digits = text[end] === 'u' ? text.slice(end + 1, end + 5) : '';
    if (!/^[\da-f]{4}$/iu.test(digits)) continue;
    // Those before the one or two of the escape are characters themselves.
    const escape = (end - begin) % 2 === 1 ? '\\' : '\\\\';
    plain.replace(end - escape.length, end + 5, unescapedCharacter(Number.parseInt(digits, 16), escape));
    end += 5;
  }
  return plain.isTooMuch ? undefined : plain.text();
}

function unescapedCharacter(code: number, escape: string): string {
  const character = String.fromCharCode(code);
  if (character === '\\') return escape + escape;
  const json = JSON.stringify(character).slice(1, -1);
  const hasToBeEscaped = json !== character && !isSurrogate(code);
  return hasToBeEscaped ? escape + json.slice(1) : character;
}

function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff;
}

/** @param isWord whether it is hidden only where no letter or digit continues it */
function hide(text: string, form: string, isWord: boolean): string {
  const beginning = form.slice(0, longest);
  const shown = new Replacement(text);
  let compared = 0;
  for (let at = text.indexOf(beginning), next = 0; at !== -1; at = text.indexOf(beginning, next)) {
    let end = at + beginning.length;
    next = at + 1;
    while (end - at < form.length && text[end] === form[end - at]) end += 1;
    compared += end - at + placeCost;
    if (compared > searchLimit / 4 || shown.isTooMuch) return hidden;
    if (end - at < form.length || (isWord && isContinued(text, at, end))) continue;
    shown.replace(at, end, hidden);
    next = end;
  }
  return shown.text();
}

function isContinued(text: string, begin: number, end: number): boolean {
  // The letter of an escape, such as that of `\n`, is no part of a word.
  const joinsBefore = isInWord(text[begin]) && isInWord(text[begin - 1]) && text[begin - 2] !== '\\';
  return joinsBefore || (isInWord(text[end - 1]) && isInWord(text[end]));
}

function isInWord(character: string | undefined): boolean {
  return character !== undefined && character !== ' ' && /[\p{L}\p{N}_]/u.test(character);
}
