/** Hides known secrets in text. A server may quote a secret in part, or in another encoding. */

import { Buffer, isUtf8 } from 'node:buffer';

import { hidden } from './credentials.js';

/** Shorter secrets are hidden only as whole words: within other words, they occur by chance. */
const shortest = 4;
/**
 * The maximum length of a secret whose parts are hidden, too, in characters. Longer ones are file contents, and servers
 * do not quote parts of those.
 */
const longestWithParts = 4096;
/**
 * The number of characters of a secret passed to the native search. The rest is compared separately, so that the time
 * does not depend on how repetitive the text is.
 */
const longest = 128;
/** The number of characters that may be searched for one message, counted once for each form of each secret. */
const searchLimit = 2 ** 28;

/**
 * The maximum length of a secret that is searched for, in characters. Text that is long enough to contain a longer
 * secret is hidden as a whole.
 */
const longestSearched = 2 ** 20;
/**
 * The maximum number of pieces that text is split into. With more, it is hidden as a whole: each piece takes memory.
 */
const mostPieces = 2 ** 18;
/** The cost of examining a possible match, in characters compared. */
const placeCost = 16;

/** Parts that reveal nothing. Hiding them would only make logs harder to read. */
const commonWords = /* @__PURE__ */ new Set(
  /* @__PURE__ */ [
    'true false none null auto default force keep fail never disconnect connected json base64 this that with from have',
    'return error class desc event data timestamp seconds microseconds execute arguments command been found',
    'password secret qom-type object file driver format protocol value name spice http https echo exec bash root home',
  ].flatMap((line) => line.split(' ')),
);

interface Form {
  readonly text: string;
  /** Whether it is only a part of the secret. */
  readonly isPart: boolean;
  /** Whether to hide only whole words. */
  readonly isWord: boolean;
}

/** A string to hide. */
export class Secret {
  readonly #text: string;
  /** Computed on first use: most secrets are never searched for. */
  #forms: readonly Form[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  get forms(): readonly Form[] {
    return (this.#forms ??= formsOf(this.#text));
  }

  get length(): number {
    return this.#text.length;
  }

  get isTooLong(): boolean {
    return this.#text.length > longestSearched;
  }

  /**
   * Returns whether text is long enough to contain the secret. Decoding can shorten a secret by up to a factor of
   * nine: `%E2%82%AC` is one character.
   */
  mayBeIn(text: string): boolean {
    return this.#text.length <= longestWithParts || this.#text.trim().length <= text.length * 9;
  }
}

/** Replaces parts of a string, in order. */
export class Replacement {
  readonly #given: string;
  /** Joined at the end: a string that grows by concatenation takes memory for each piece, and recursion to flatten. */
  readonly #pieces: string[] = [];
  #done = 0;

  constructor(given: string) {
    this.#given = given;
  }

  /** Whether there are so many pieces that the text has to be hidden as a whole. */
  get hasTooManyPieces(): boolean {
    return this.#pieces.length > mostPieces;
  }

  replace(begin: number, end: number, by: string): void {
    this.#pieces.push(this.#given.slice(this.#done, begin), by);
    this.#done = end;
  }

  /** Hides a part. If it begins inside a hidden part, extends that one. */
  hide(begin: number, end: number): void {
    if (begin >= this.#done) this.replace(begin, end, hidden);
    else this.#done = Math.max(this.#done, end);
  }

  text(): string {
    if (this.hasTooManyPieces) return hidden;
    if (this.#pieces.length === 0) return this.#given;
    return this.#pieces.join('') + this.#given.slice(this.#done);
  }
}

/**
 * Hides secrets in plain text or JSON. If searching the text would take too long, hides it as a whole.
 *
 * @param past secrets of requests that have ended. If there are too many for a long text, their parts are not hidden
 */
export function withoutSecrets(text: string, secrets: readonly Secret[], past: readonly Secret[] = []): string {
  if (secrets.length + past.length === 0) return text;
  const forms = new Map<string, Form>();
  const add = (form: Form): void => {
    if (forms.get(form.text)?.isWord !== false) forms.set(form.text, form);
  };
  for (const secret of secrets) {
    if (!secret.mayBeIn(text)) continue;
    if (secret.isTooLong) return hidden;
    secret.forms.forEach(add);
    if (forms.size * text.length > searchLimit) return hidden;
  }
  const pastForms = past.filter((secret) => secret.mayBeIn(text)).flatMap((secret) => secret.forms);
  const withParts = (forms.size + pastForms.length) * text.length <= searchLimit;
  pastForms.filter(({ isPart }) => withParts || !isPart).forEach(add);
  if (forms.size * text.length > searchLimit) return hidden;
  const plain = unescaped(text);
  if (plain === undefined) return hidden;
  // Longest first, because a secret may be part of another.
  const longestFirst = [...forms.values()].toSorted((a, b) => b.text.length - a.text.length);
  const shown = longestFirst.reduce((rest, { text: form, isWord }) => hide(rest, form, isWord), plain);
  return shown === plain ? text : shown;
}

function formsOf(secret: string): Form[] {
  const decoded = [secret, percentDecoded(secret), base64Decoded(secret)].filter((text) => text !== undefined);
  const wholes = new Set(decoded.flatMap((text) => [text, text.trim()]));
  const parts = new Set([...wholes].flatMap(partsOf));
  const isVisible = (text: string): boolean => /[^*\s]/u.test(text);
  return [
    ...[...parts].filter((part) => part.length >= shortest && isVisible(part) && !commonWords.has(part.toLowerCase())),
    ...[...wholes].filter(isVisible),
  ].flatMap((text) =>
    spellingsOf(text).map((spelling) => {
      const isPart = !wholes.has(text);
      return { text: spelling, isPart, isWord: isPart || isShort(text) };
    }),
  );
}

function isShort(text: string): boolean {
  return text.length < shortest;
}

/**
 * Returns the spellings of a string: plain, as in JSON, and as in JSON quoted within JSON. Spellings with too many
 * escapes are omitted: text that contains one is hidden as a whole anyway.
 */
function spellingsOf(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  return json === text
    ? [text]
    : [text, json, JSON.stringify(json).slice(1, -1)].map(unescaped).filter((one) => one !== undefined);
}

/** Returns the parts that a server may quote alone: words, options, and values of options. */
function partsOf(text: string): string[] {
  if (text.length > longestWithParts) return [];
  const units = [text, ...text.split(/\s+/u)];
  // QEMU doubles commas within an option.
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

/** Returns the text that a server decodes from base64. */
function base64Decoded(text: string): string | undefined {
  if (text.length < 8 || text.length % 4 > 0) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return isUtf8(bytes) && bytes.toString('base64') === text ? bytes.toString() : undefined;
}

/**
 * Replaces JSON's `\uXXXX` escapes with the characters, even where JSON is quoted within JSON, so that each character
 * has one spelling. Written without regular expressions, which overflow the stack on long runs of backslashes.
 *
 * @returns undefined if there are too many escapes
 */
function unescaped(text: string): string | undefined {
  const plain = new Replacement(text);
  for (
    let begin = text.indexOf('\\'), end = 0;
    begin !== -1 && !plain.hasTooManyPieces;
    begin = text.indexOf('\\', end)
  ) {
    end = begin + 1;
    while (text[end] === '\\') end += 1;
    if (text[end] === '/') plain.replace(end - 1, end, '');
    const digits = text[end] === 'u' ? text.slice(end + 1, end + 5) : '';
    if (!/^[\da-f]{4}$/iu.test(digits)) continue;
    // All backslashes except the last one or two are literal.
    const escape = (end - begin) % 2 === 1 ? '\\' : '\\\\';
    plain.replace(end - escape.length, end + 5, unescapedCharacter(Number.parseInt(digits, 16), escape));
    end += 5;
  }
  return plain.hasTooManyPieces ? undefined : plain.text();
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

/** @param isWord whether to hide only whole words */
function hide(text: string, form: string, isWord: boolean): string {
  const beginning = form.slice(0, longest);
  const shown = new Replacement(text);
  let compared = 0;
  for (let at = text.indexOf(beginning), next = 0; at !== -1; at = text.indexOf(beginning, next)) {
    let end = at + beginning.length;
    next = at + 1;
    while (end - at < form.length && text[end] === form[end - at]) end += 1;
    compared += end - at + placeCost;
    if (compared > searchLimit / 4 || shown.hasTooManyPieces) return hidden;
    if (end - at < form.length || (isWord && isContinued(text, at, end))) continue;
    shown.replace(at, end, hidden);
    next = end;
  }
  return shown.text();
}

function isContinued(text: string, begin: number, end: number): boolean {
  // The letter of an escape such as `\n` is not part of a word.
  const joinsBefore = isInWord(text[begin]) && isInWord(text[begin - 1]) && text[begin - 2] !== '\\';
  return joinsBefore || (isInWord(text[end - 1]) && isInWord(text[end]));
}

function isInWord(character: string | undefined): boolean {
  return character !== undefined && character !== ' ' && /[\p{L}\p{N}_]/u.test(character);
}
