/**
 * Finds secrets in messages, so that they are never logged, traced or included in errors. QAPI does not mark secrets.
 * They are recognized by the names of members, by credentials within strings, and, where neither applies, by a list of
 * commands.
 */

import { hidden, isSecretName, isSecretOption, longestName, mayHoldCredentials } from './credentials.js';
import { parse, stringify, type Json, type JsonObject } from './json.js';
import { Replacement, Secret, withoutSecrets } from './masking.js';

/** Further members that hold a secret, at any depth of the arguments, by command. */
export const secretMembers: ReadonlyMap<string, readonly string[]> = new Map([
  // The password of a display, before QEMU 6.0.
  ['change', ['arg']],
  // Together with `secret`, it is written to the memory of a confidential guest.
  ['sev-inject-launch-secret', ['packet-header']],
  // The data of a secret object, or of any other object.
  ['object-add', ['data']],
  // Programs may receive secrets in any argument or environment variable.
  ['guest-exec', ['env', 'arg']],
  ['migrate', ['args']],
  ['migrate-incoming', ['args']],
  // The options of a key can run a command or set environment variables.
  ['guest-ssh-add-authorized-keys', ['keys']],
  ['guest-ssh-remove-authorized-keys', ['keys']],
  // Keystrokes.
  ['send-key', ['keys']],
  ['input-send-event', ['key']],
  ['ringbuf-write', ['data']],
]);

/** Commands whose results contain data of a device, file or user. */
const secretResults: ReadonlySet<string> = new Set(['ringbuf-read', 'guest-ssh-get-authorized-keys']);

/** QOM properties, and options of human monitor commands, that hold a secret. */
const secretProperties = ['data'];

/**
 * Human monitor commands whose arguments are not secret, except for options with a secret name. Includes `change` only
 * for disks.
 */
const harmlessLine =
  /^\s*(?:info|help|\?|commit|q|quit|s|stop|c|cont|[xpio]|xp|print|sum|log(?:file)?|trace-(?:event|file)|(?:save|load|del)vm|one-insn-per-tb|singlestep|sync-profile|exit_preconfig|system_\w+|gdbserver|g[pv]a2\w+|eject|change(?!\s+(?:vnc|spice))|screendump|block_(?:resize|stream|job_\w+|set_io_throttle)|drive_\w+|device_\w+|netdev_\w+|object_\w+|hostfwd_\w+|chardev-[\w-]+|qom-[lgs][a-z]+|mouse_\w+|wavcapture|stopcapture|p?memsave|boot_set|nmi|ringbuf_read|announce_self|migrate\w*|client_migrate_info|calc_dirty_rate|\w+_vcpu_dirty_limit|dump-?[\w-]*|snapshot_\w+|pcie_aer_inject_error|balloon|set_link|watchdog_action|expire_password|nbd_server_\w+|mce|getfd|closefd|qemu-io|cpu|replay_\w+|x_colo_lost_heartbeat|xen-event-\w+)(?![\w-])/u;
/** `qom-set [-j] PATH PROPERTY VALUE` */
const qomSet = /* @__PURE__ */ qomCommand('qom-set(?:\\s+-j)?', '\\s');
/** `qom-get PATH PROPERTY` */
const qomGet = /* @__PURE__ */ qomCommand('qom-get', '\\s*$');

/** Captures the property. */
function qomCommand(command: string, end: string): RegExp {
  // A quoted string, or anything up to the next space.
  const word = String.raw`"(?:[^"\\]|\\.)*"|[^\s"-]\S*`;
  return new RegExp(String.raw`^\s*${command}\s+(?:${word})\s+(${word})${end}`, 'u');
}

/**
 * The maximum length of a line or address in characters. Longer ones are hidden as a whole: regular expressions
 * overflow the stack on strings of millions of characters.
 */
const longestLine = 2 ** 16;
/** The maximum number of credentials in text. If there are more, it is hidden as a whole: each takes memory. */
const mostSpans = 10_000;
/**
 * The maximum number of places in text where a credential might begin. If there are more, it is hidden as a whole:
 * each takes time.
 */
const mostPlaces = 2 ** 22;

const none: readonly never[] = [];

/** Returns the text of a request with its secrets hidden. */
export function shownRequest(command: string, text: string): string {
  const message = parse(text) as JsonObject;
  const args = message['arguments'];
  const shown = shownArguments(command, args, []);
  return shown === args ? text : stringify({ ...message, arguments: shown });
}

/** Returns the secrets in arguments. */
export function secretsOf(command: string, args: unknown): readonly Secret[] {
  if (args === undefined) return none;
  const found: Secret[] = [];
  shownArguments(command, args as JsonObject, found);
  return found.length === 0 ? none : found;
}

/** Returns the secrets in a QEMU command line, such as the `data` of an `-object secret`. */
export function secretsOfCommandLine(args: readonly string[]): readonly Secret[] {
  const found: Secret[] = [];
  for (const arg of args) shownText(arg, 'line', secretProperties, found);
  return found;
}

/** Returns whether the whole result of a command is secret. */
export function hasSecretResult(command: string, args: unknown): boolean {
  const { property, 'command-line': line } = (args ?? {}) as JsonObject;
  if (command === 'qom-get') return isSecretProperty(property);
  if (command !== 'human-monitor-command') return secretResults.has(command);
  if (typeof line !== 'string') return false;
  if (line.length > longestLine || /^\s*ringbuf_read(?![\w-])/u.test(line)) return true;
  return /^\s*qom-get(?![\w-])/u.test(line) && isSecretWord(qomGet.exec(line)?.[1]);
}

/**
 * Returns the secrets in a result.
 *
 * @param isSecret whether the whole result is secret
 */
export function secretsIn(result: Json | undefined, isSecret: boolean): readonly Secret[] {
  const found: Secret[] = [];
  if (isSecret) collect(result, found);
  else shownValue(result, none, found);
  return found;
}

/**
 * Hides secrets in text from a server: those that were sent, and credentials within the text. The text may be of any
 * length; if searching it would take more than a few seconds, or more than a few times its memory, the result is `***`.
 *
 * @param past secrets of requests that have ended. If there are too many for a long text, their parts are not hidden
 */
export function hideSecrets(text: string, secrets: readonly Secret[], past: readonly Secret[] = []): string {
  return shownText(withoutSecrets(text, secrets, past), 'message');
}

function isSecretProperty(name: unknown): boolean {
  return typeof name === 'string' && (secretProperties.includes(name) || isSecretName(name));
}

/** Returns whether a word of a line names a secret property. A word that cannot be read counts as secret. */
function isSecretWord(written: string | undefined): boolean {
  return written === undefined || written.includes('\\') || isSecretProperty(written.replace(/^"(.*)"$/su, '$1'));
}

function shownArguments(command: string, args: Json | undefined, found: Secret[]): Json | undefined {
  const { 'command-line': line } = (args ?? {}) as JsonObject;
  if (command === 'human-monitor-command' && typeof line === 'string') {
    const shown = shownLine(line, found);
    return shown === line ? args : { ...(args as JsonObject), 'command-line': shown };
  }
  return shownValue(args, secretMembers.get(command) ?? none, found);
}

/** Returns a value with its secrets hidden, or the value itself if it has none. */
function shownValue(value: Json | undefined, names: readonly string[], found: Secret[]): Json | undefined {
  if (typeof value === 'string') return shownText(value, 'value', none, found);
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? shownArray(value, names, found) : shownObject(value, names, found);
}

function shownArray(array: Json[], names: readonly string[], found: Secret[]): Json[] {
  let copy: Json[] | undefined;
  for (let index = 0; index < array.length; index += 1) {
    const element = array[index];
    const shown = shownValue(element, names, found);
    if (shown !== element) (copy ??= [...array])[index] = shown ?? null;
  }
  return copy ?? array;
}

function shownObject(object: JsonObject, names: readonly string[], found: Secret[]): JsonObject {
  let copy: JsonObject | undefined;
  // The arguments of `qom-set`, or a property in the result of `qom-list-get`.
  const hasSecretValue = isSecretProperty(object['name']) || isSecretProperty(object['property']);
  for (const name of Object.keys(object)) {
    const member = object[name];
    const isSecretHere = names.includes(name) || isSecretName(name) || (hasSecretValue && name === 'value');
    const isSecret = member !== undefined && isSecretHere;
    if (isSecret) collect(member, found);
    const shown = isSecret ? hidden : shownValue(member, names, found);
    if (shown !== member) (copy ??= { ...object })[name] = shown;
  }
  return copy ?? object;
}

/** Collects all strings in a secret value. */
function collect(value: Json | undefined, found: Secret[]): void {
  if (typeof value === 'string' && value !== '') {
    found.push(new Secret(value));
    shownText(value, 'value', none, found);
  } else if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) collect(member, found);
  }
}

/**
 * Hides the secrets in a human monitor command. All arguments are secret unless the command is known to be harmless,
 * because the name may be misspelled.
 */
function shownLine(line: string, found: Secret[]): string {
  if (line.length > longestLine) {
    collect(line, found);
    return hidden;
  }
  const property = qomSet.exec(line);
  const isSecretSet = /^\s*qom-set(?![\w-])/u.test(line) && isSecretWord(property?.[1]);
  if (harmlessLine.test(line) && !isSecretSet) return shownText(line, 'line', secretProperties, found);
  const shown = property?.[0] ?? /^\s*[a-z][a-z_-]*\s/u.exec(line)?.[0] ?? '';
  const rest = line.slice(shown.length);
  if (rest.trim() === '' || /^\s*[a-z_-]+\s*$/u.test(line)) return line;
  collect(rest, found);
  return shown + hidden;
}

type Span = readonly [begin: number, end: number];

/**
 * The characters that end the value of an option: in a human monitor command, in another string, and in a message that
 * quotes either.
 */
const optionEnd = { line: /,/gu, value: /[&,;\s]/gu, message: /[&,;\s"'\\]/gu };

/** Values of options that turn something on or off, as in `-vnc :1,password=on`. */
const flag = /^(?:on|off|yes|no|y|n|true|false)$/u;

/**
 * Hides the credentials in text: user information in URLs, options and JSON members with secret names, and private
 * keys.
 *
 * @param names further secret names
 * @param found receives the hidden parts
 */
export function shownText(
  text: string,
  kind: keyof typeof optionEnd,
  names: readonly string[] = none,
  found?: Secret[],
): string {
  if (!mayHoldCredentials.test(text)) return text;
  const spans = credentialsIn(text, kind, names);
  if (spans.length === 0) return text;
  const shown = new Replacement(text);
  for (const [begin, end] of spans) {
    found?.push(new Secret(text.slice(begin, end)));
    shown.hide(begin, end);
  }
  return shown.text();
}

/** Returns the credentials in order, or the whole text if there are too many. */
function credentialsIn(text: string, kind: keyof typeof optionEnd, names: readonly string[]): readonly Span[] {
  const spans: Span[] = [];
  // Numbers in the members of a message itself are QAPI numbers, not secrets.
  const numbersFrom = kind === 'message' && text.startsWith('{') ? 1 : 0;
  for (const search of [
    commandsAndKeys(text),
    userInformation(text),
    options(text, optionEnd[kind], names),
    members(text, names, numbersFrom),
  ]) {
    for (const span of search) {
      if (span[0] === span[1]) continue;
      if (spans.length === mostSpans) return [[0, text.length]];
      spans.push(span);
    }
  }
  return spans.toSorted((a, b) => a[0] - b[0]);
}

/**
 * Finds `https://USER:PASSWORD@host`, even if the password is not escaped as it should be. A user name without a
 * password is hidden, too, except in SSH-like URLs.
 */
function* userInformation(text: string): Iterable<Span> {
  let places = 0;
  for (let scheme = text.indexOf('://'), end = 0; scheme !== -1; scheme = text.indexOf('://', end)) {
    if ((places += 1) > mostPlaces) return yield [0, text.length];
    const begin = scheme + '://'.length;
    end = indexOfAny(/[\s"]/gu, text, begin);
    if (end - begin > longestLine) yield [begin, end];
    else yield* userInformationOf(text.slice(begin, end), begin, text.slice(Math.max(0, scheme - 5), scheme));
  }
}

function* userInformationOf(address: string, begin: number, scheme: string): Iterable<Span> {
  if (!address.includes('@')) return;
  const authority = address.split(/[/?#]/u, 1)[0] ?? '';
  const hasPort = /^(?:\[.*\]|[^:]*)(?::\d*)?$/u.test(authority);
  const at = authority.includes('@') || hasPort ? authority.lastIndexOf('@') : address.lastIndexOf('@');
  const isUser = /(?:ssh|sftp|scp|rsync)$/iu.test(scheme);
  if (at === -1 || (isUser && !address.slice(0, at).includes(':'))) return;
  const colon = address.indexOf(address.slice(0, at).includes(':') ? ':' : '%');
  // A server may quote the password alone.
  yield [begin, begin + at];
  if (colon !== -1 && colon < at) yield [begin + colon + 1, begin + at];
}

/** Finds options such as `password=PASSWORD`. */
function* options(text: string, ends: RegExp, names: readonly string[]): Iterable<Span> {
  let places = 0;
  for (let sign = text.indexOf('='), end = 0; sign !== -1; sign = text.indexOf('=', end)) {
    if ((places += 1) > mostPlaces) return yield [0, text.length];
    end = sign + 1;
    const name = nameBefore(text, sign);
    if (!isSecretOption(name) && !names.includes(name)) continue;
    end = endOfOption(text, sign + 1, ends);
    if (end - sign > 6 || !flag.test(text.slice(sign + 1, end))) yield [sign + 1, end];
  }
}

/** Returns the end of an option's value. Commas within a value are doubled. */
function endOfOption(text: string, begin: number, ends: RegExp): number {
  let end = indexOfAny(ends, text, begin);
  while (text.startsWith(',,', end)) end = indexOfAny(ends, text, end + 2);
  return end;
}

/**
 * Finds members such as `"password": "PASSWORD"` in `json:{...}` file names, even where the JSON is itself quoted.
 *
 * @param numbersFrom the level of quoting from which numbers are secret
 */
function* members(text: string, names: readonly string[], numbersFrom: 0 | 1): Iterable<Span> {
  let places = 0;
  for (let colon = text.indexOf(':'), end = 0; colon !== -1; colon = text.indexOf(':', end)) {
    if ((places += 1) > mostPlaces) return yield [0, text.length];
    end = colon + 1;
    const { name, slashes } = memberBefore(text, colon);
    if (name === '' || (!isSecretName(name) && !names.includes(name))) continue;
    while (isSpace(text[end])) end += 1;
    const value = end;
    while (text[end] === '\\') end += 1;
    const quote = text[end];
    if (quote === '"' || quote === "'") {
      const begin = end + 1;
      end = endOfString(text, begin, end - value, quote);
      yield [begin, end];
    } else if (end === value && slashes >= numbersFrom) {
      while (isNumeral(text[end])) end += 1;
      yield [value, end];
    }
  }
}

/** Returns the name of the member before a colon. The name is empty if there is none. */
function memberBefore(text: string, colon: number): { name: string; slashes: number } {
  let quote = colon - 1;
  while (isSpace(text[quote])) quote -= 1;
  if (!isQuote(text[quote])) return { name: '', slashes: 0 };
  let end = quote;
  while (text[end - 1] === '\\') end -= 1;
  const name = nameBefore(text, end);
  const isMember = name.length === longestName || isQuote(text[end - name.length - 1]);
  return { name: isMember ? name : '', slashes: quote - end };
}

/** Returns the name that ends at an index, or the end of a long name. */
function nameBefore(text: string, end: number): string {
  let begin = end;
  while (end - begin < longestName && isInName(text.charCodeAt(begin - 1))) begin -= 1;
  return text.slice(begin, end);
}

/** Returns whether a character is a letter, a digit, `_`, `-` or `.`. */
function isInName(code: number): boolean {
  const isDigit = code >= 0x30 && code <= 0x39;
  const letter = code | 0x20;
  return isDigit || (letter >= 0x61 && letter <= 0x7a) || code === 0x5f || code === 0x2d || code === 0x2e;
}

function isQuote(character: string | undefined): boolean {
  return character === '"' || character === "'";
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || (character !== undefined && /\s/u.test(character));
}

function isNumeral(character: string | undefined): boolean {
  return character !== undefined && /[-+.\dEe]/u.test(character);
}

/** Returns the index of the first character that matches a global pattern, or the length of the text. */
function indexOfAny(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex - 1 : text.length;
}

/** Returns the end of a string whose quotes are preceded by `slashes` backslashes. */
function endOfString(text: string, begin: number, slashes: number, quote: string): number {
  for (let end = text.indexOf(quote, begin); end !== -1; end = text.indexOf(quote, end + 1)) {
    let count = 0;
    while (text[end - 1 - count] === '\\' && end - count > begin) count += 1;
    if (count % (2 * (slashes + 1)) === slashes) return end - slashes;
  }
  return text.length;
}

/** Finds commands run by a migration, and private keys. */
function* commandsAndKeys(text: string): Iterable<Span> {
  const command = /^(?:\s*migrate\w*(?:\s+-\w)*\s+"?)?exec:/u.exec(text.slice(0, longestLine));
  if (command) yield [command[0].length, text.length];
  const key = /-----BEGIN [A-Z ]{0,64}?PRIVATE KEY(?: BLOCK)?-----/u.exec(text);
  if (key) yield [key.index, text.length];
}
