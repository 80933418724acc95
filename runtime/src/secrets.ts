/**
 * What is secret in messages: it is never logged, traced, or put into an error in clear. QAPI does not mark secrets, so the names of
 * members tell, and texts that hold credentials; commands are listed where neither does.
 */

import { parse, stringify, type Json, type JsonObject } from './json.js';
import { hidden, Replacement, Secret, withoutSecrets } from './masking.js';

/**
 * Members of a secret's name hold one in the arguments of any command, and in results. One that ends in `-secret`, or is a `passwordid`,
 * names an object.
 */
const secretName =
  /(?:pas+w[a-z]*(?<!id)|passphrase|passcode|pwd|(?<![a-z])pass|(?<!-)secret|credentials?|cookies?|tokens?|(?:private|secret|access|api|auth|session|encryption)[-_]?key|key-?file|exec-command|-b64|(?:in|out|err)(?:put)?-data)$/iu;
/** The same for options within a text, such as the query of a URL, where a key is a secret one. */
const secretOption = /(?<![a-z])(?:key|auth|sig|signature|credential)$/iu;

/** By command, further members of its arguments that hold a secret, at any depth. */
export const secretMembers: ReadonlyMap<string, readonly string[]> = new Map([
  // The password of a display before QEMU 6.0.
  ['change', ['arg']],
  // What goes into a confidential guest's memory, with `secret`.
  ['sev-inject-launch-secret', ['packet-header']],
  // Of a secret object, and any other that holds data of its own.
  ['object-add', ['data']],
  // A program may get anything.
  ['guest-exec', ['env', 'arg']],
  ['migrate', ['args']],
  ['migrate-incoming', ['args']],
  // The options of a key may run a command, or set its environment.
  ['guest-ssh-add-authorized-keys', ['keys']],
  ['guest-ssh-remove-authorized-keys', ['keys']],
  // What somebody types.
  ['send-key', ['keys']],
  ['input-send-event', ['key']],
  ['ringbuf-write', ['data']],
]);

/** Commands whose result is what a device, a file or a user has. */
const secretResults: ReadonlySet<string> = new Set(['ringbuf-read', 'guest-ssh-get-authorized-keys']);

/** Properties of QOM objects that hold a secret, and members of these names in lines for the human monitor. */
const secretProperties = ['data'];

/** Commands of the human monitor whose arguments are not secret, but for options of a secret's name. `change` is one for disks only. */
const openLine =
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

/** In characters. Longer lines and addresses are hidden whole: patterns run out of stack on strings of millions of characters. */
const longestLine = 2 ** 16;
/** Names of secrets are known by their ends: of a longer name, so many characters are looked at. */
const longestName = 64;
/** A text with more credentials than that is hidden whole: each takes memory. */
const mostSpans = 10_000;
/** A text with more places than that where a credential might begin is hidden whole: each takes time. */
const mostPlaces = 2 ** 22;

const none: readonly never[] = [];

/** The text of a request as it may be shown. */
export function shownRequest(command: string, text: string): string {
  const message = parse(text) as JsonObject;
  const args = message['arguments'];
  const shown = shownArguments(command, args, []);
  return shown === args ? text : stringify({ ...message, arguments: shown });
}

/** The texts among the arguments that are secret. */
export function secretsOf(command: string, args: unknown): readonly Secret[] {
  if (args === undefined) return none;
  const found: Secret[] = [];
  shownArguments(command, args as JsonObject, found);
  return found.length === 0 ? none : found;
}

/** The secrets on a command line of QEMU, such as the `data` of an `-object secret`. */
export function secretsOfCommandLine(args: readonly string[]): readonly Secret[] {
  const found: Secret[] = [];
  for (const arg of args) shownText(arg, 'line', secretProperties, found);
  return found;
}

/** Whether all texts in the result of a command are secret. */
export function hasSecretResult(command: string, args: unknown): boolean {
  const { property, 'command-line': line } = (args ?? {}) as JsonObject;
  if (command === 'qom-get') return isSecretProperty(property);
  if (command !== 'human-monitor-command') return secretResults.has(command);
  if (typeof line !== 'string') return false;
  if (line.length > longestLine || /^\s*ringbuf_read(?![\w-])/u.test(line)) return true;
  return /^\s*qom-get(?![\w-])/u.test(line) && isSecretWord(qomGet.exec(line)?.[1]);
}

/**
 * The texts in a result that are secret.
 *
 * @param isSecret whether all of it is
 */
export function secretsIn(result: Json | undefined, isSecret: boolean): readonly Secret[] {
  const found: Secret[] = [];
  if (isSecret) collect(result, found);
  else shownValue(result, none, found);
  return found;
}

/**
 * A text from a server, as it may be shown: without secrets that were sent, and credentials that it holds itself. The text may be of any
 * length: where searching it would take more than a few seconds, or more than a few times its memory, the result is `***`.
 */
export function hideSecrets(text: string, secrets: readonly Secret[]): string {
  return shownText(withoutSecrets(text, secrets), 'message');
}

const namesAnywhere: ReadonlySet<unknown> = /* @__PURE__ */ new Set(
  /* @__PURE__ */ [['command-line'], ...secretMembers.values()].flat(),
);

/** Whether a member of this name is secret in any command. */
export function isSecretMember(name: unknown): boolean {
  return namesAnywhere.has(name) || (typeof name === 'string' && isSecretName(name));
}

function isSecretName(name: string): boolean {
  return secretName.test(name.length > longestName ? name.slice(-longestName) : name);
}

function isSecretProperty(name: unknown): boolean {
  return typeof name === 'string' && (secretProperties.includes(name) || isSecretName(name));
}

/** Whether a word of a line is a secret property; one that could not be read may be. */
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

/** The value itself when it has no secrets. */
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
  // Of `qom-set`, and of each property that `qom-list-get` lists.
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

/** Adds all texts of a secret value. */
function collect(value: Json | undefined, found: Secret[]): void {
  if (typeof value === 'string' && value !== '') {
    found.push(new Secret(value));
    shownText(value, 'value', none, found);
  } else if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) collect(member, found);
  }
}

/** A line for the human monitor. The arguments of a command that is not known to be harmless, such as a mistyped one, are secret. */
function shownLine(line: string, found: Secret[]): string {
  if (line.length > longestLine) {
    collect(line, found);
    return hidden;
  }
  const property = qomSet.exec(line);
  const isSecretSet = /^\s*qom-set(?![\w-])/u.test(line) && isSecretWord(property?.[1]);
  if (openLine.test(line) && !isSecretSet) return shownText(line, 'line', secretProperties, found);
  const shown = property?.[0] ?? /^\s*[a-z][a-z_-]*\s/u.exec(line)?.[0] ?? '';
  const rest = line.slice(shown.length);
  if (rest.trim() === '' || /^\s*[a-z_-]+\s*$/u.test(line)) return line;
  collect(rest, found);
  return shown + hidden;
}

type Span = readonly [begin: number, end: number];

/** Most texts are names and paths, and have nothing of it. */
const mayHoldCredentials = /[=:]|-----BEGIN /u;

/** What ends the value of an option: in a line for the human monitor, in another string, in a message that quotes some. */
const optionEnd = { line: /,/gu, value: /[&,;\s]/gu, message: /[&,;\s"'\\]/gu };

/** Values of options that turn something on or off, as in `-vnc :1,password=on`. */
const flag = /^(?:on|off|yes|no|y|n|true|false)$/u;

/**
 * A text without the credentials in it: user information in URLs, options and JSON members of a secret's name, private keys.
 *
 * @param names further names of secrets
 * @param found gets what is hidden
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

/** In their order; all of the text when there are too many. */
function credentialsIn(text: string, kind: keyof typeof optionEnd, names: readonly string[]): readonly Span[] {
  const spans: Span[] = [];
  // What a message itself has as a number, QAPI calls one.
  const numbersFrom = kind === 'message' && text.startsWith('{') ? 1 : 0;
  for (const search of [
    others(text),
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

/** `https://USER:PASSWORD@host`, also with a password that should have been escaped. The user alone is hidden unless it is one of SSH. */
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

/** `password=PASSWORD`, in whatever a text has options for. */
function* options(text: string, ends: RegExp, names: readonly string[]): Iterable<Span> {
  let places = 0;
  for (let sign = text.indexOf('='), end = 0; sign !== -1; sign = text.indexOf('=', end)) {
    if ((places += 1) > mostPlaces) return yield [0, text.length];
    end = sign + 1;
    if (!isSecretOption(nameBefore(text, sign), names)) continue;
    end = endOfOption(text, sign + 1, ends);
    if (end - sign > 6 || !flag.test(text.slice(sign + 1, end))) yield [sign + 1, end];
  }
}

/** A comma within a value is written as two. */
function endOfOption(text: string, begin: number, ends: RegExp): number {
  let end = indexOfAny(ends, text, begin);
  while (text.startsWith(',,', end)) end = indexOfAny(ends, text, end + 2);
  return end;
}

/**
 * `"password": "PASSWORD"`, as in `json:{...}` file names, also where it is quoted itself.
 *
 * @param numbersFrom how many times it has to be quoted for numbers to be secret
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

/** The name of the member whose colon it is; empty when it is not one. */
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

/** The name, or its last characters, that ends at a place. */
function nameBefore(text: string, end: number): string {
  let begin = end;
  while (end - begin < longestName && isInName(text.charCodeAt(begin - 1))) begin -= 1;
  return text.slice(begin, end);
}

/** Letters, digits, and `_`, `-`, `.`. */
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

/** Where the first character that matches a global pattern is, or the text ends. */
function indexOfAny(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex - 1 : text.length;
}

/** The end of a string whose quotes follow so many backslashes. */
function endOfString(text: string, begin: number, slashes: number, quote: string): number {
  for (let end = text.indexOf(quote, begin); end !== -1; end = text.indexOf(quote, end + 1)) {
    let count = 0;
    while (text[end - 1 - count] === '\\' && end - count > begin) count += 1;
    if (count % (2 * (slashes + 1)) === slashes) return end - slashes;
  }
  return text.length;
}

/** Commands that a migration runs, and private keys. */
function* others(text: string): Iterable<Span> {
  const command = /^(?:\s*migrate\w*(?:\s+-\w)*\s+"?)?exec:/u.exec(text.slice(0, longestLine));
  if (command) yield [command[0].length, text.length];
  const key = /-----BEGIN [A-Z ]{0,64}?PRIVATE KEY(?: BLOCK)?-----/u.exec(text);
  if (key) yield [key.index, text.length];
}

function isSecretOption(name: string, names: readonly string[]): boolean {
  return isSecretName(name) || secretOption.test(name) || names.includes(name);
}
