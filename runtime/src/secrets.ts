/**
 * What is secret in messages: it is never logged, traced, or put into an error in clear. QAPI does not mark secrets, so the names of
 * members tell, and texts that hold credentials; commands are listed where neither does.
 */

import { parse, stringify, type Json, type JsonObject } from './json.js';
import { hidden, Secret, withoutSecrets } from './masking.js';

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
/** A line whose result is secret; the group is a property. */
const secretLine = /^\s*(?:ringbuf_read|qom-get\s+\S+\s+(\S+))/u;

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
  const match = secretLine.exec(typeof line === 'string' ? line : '');
  return match !== null && (match[1] === undefined || isSecretProperty(match[1]));
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

/** A text from a server, as it may be shown: without secrets that were sent, and credentials that it holds itself. */
export function hideSecrets(text: string, secrets: readonly Secret[]): string {
  return shownText(withoutSecrets(text, secrets), 'message');
}

const namesAnywhere: ReadonlySet<unknown> = new Set(['command-line', ...[...secretMembers.values()].flat()]);

/** Whether a member of this name is secret in any command. */
export function isSecretMember(name: unknown): boolean {
  return namesAnywhere.has(name) || (typeof name === 'string' && isSecretName(name));
}

/** Names come again and again, and a map knows them sooner than a pattern. */
const knownNames = new Map<string, boolean>();

function isSecretName(name: string): boolean {
  let isSecret = knownNames.get(name);
  if (isSecret === undefined) {
    isSecret = secretName.test(name);
    if (knownNames.size < 1000) knownNames.set(name, isSecret);
  }
  return isSecret;
}

function isSecretProperty(name: unknown): boolean {
  return typeof name === 'string' && (secretProperties.includes(name) || isSecretName(name));
}

function shownArguments(command: string, args: Json | undefined, found: Secret[]): Json | undefined {
  const { property, 'command-line': line } = (args ?? {}) as JsonObject;
  if (command === 'human-monitor-command' && typeof line === 'string') {
    const shown = shownLine(line, found);
    return shown === line ? args : { ...(args as JsonObject), 'command-line': shown };
  }
  const isSecretSet = command === 'qom-set' && isSecretProperty(property);
  return shownValue(args, isSecretSet ? ['value'] : (secretMembers.get(command) ?? none), found);
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
  for (const name of Object.keys(object)) {
    const member = object[name];
    const isSecret = member !== undefined && (names.includes(name) || isSecretName(name));
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
  const head = openLine.exec(line)?.[0];
  const property = /^\s*qom-set\s+\S+\s+(\S+)\s/u.exec(line);
  const isOpen = head !== undefined && !(property && isSecretProperty(property[1]));
  if (isOpen) return shownText(line, 'line', secretProperties, found);
  const shown = property?.[0] ?? /^\s*[a-z][a-z_-]*\s/u.exec(line)?.[0] ?? '';
  const rest = line.slice(shown.length);
  if (rest.trim() === '' || /^\s*[a-z_-]+\s*$/u.test(line)) return line;
  collect(rest, found);
  return shown + hidden;
}

type Span = readonly [begin: number, end: number];

/** Most texts are names and paths, and have nothing of it. */
const mayHoldCredentials = /[=:]|-----BEGIN /u;

/** Where the value of an option ends: in a line for the human monitor, in another string, in a message that quotes some. */
const optionValue = {
  line: /[^,]*(?:,,[^,]*)*/uy,
  value: /[^&,;\s]*(?:,,[^&,;\s]*)*/uy,
  message: /[^&,;\s"'\\]*(?:,,[^&,;\s"'\\]*)*/uy,
};

/**
 * A text without the credentials in it: user information in URLs, options and JSON members of a secret's name, private keys.
 *
 * @param names further names of secrets
 * @param found gets what is hidden
 */
export function shownText(
  text: string,
  kind: keyof typeof optionValue,
  names: readonly string[] = none,
  found: Secret[] = [],
): string {
  if (!mayHoldCredentials.test(text)) return text;
  const spans = [...others(text)];
  if (text.includes('://')) spans.push(...userInformation(text));
  if (text.includes('=')) spans.push(...options(text, optionValue[kind], names));
  if (/["']/u.test(text)) spans.push(...members(text, names));
  let shown = '';
  let done = 0;
  for (const [begin, end] of spans.toSorted((a, b) => a[0] - b[0])) {
    if (begin === end) continue;
    found.push(new Secret(text.slice(begin, end)));
    if (begin >= done) shown += text.slice(done, begin) + hidden;
    done = Math.max(done, end);
  }
  return done === 0 ? text : shown + text.slice(done);
}

/** `https://USER:PASSWORD@host`, also with a password that should have been escaped. The user alone is hidden unless it is one of SSH. */
function* userInformation(text: string): Iterable<Span> {
  for (const match of text.matchAll(/:\/\/([^\s"]*)/gu)) {
    const [, address = ''] = match;
    const authority = address.split(/[/?#]/u, 1)[0] ?? '';
    const hasPort = /^(?:\[.*\]|[^:]*)(?::\d*)?$/u.test(authority);
    const at = authority.includes('@') || hasPort ? authority.lastIndexOf('@') : address.lastIndexOf('@');
    const isUser = /(?:ssh|sftp|scp|rsync)$/iu.test(text.slice(Math.max(0, match.index - 5), match.index));
    if (at === -1 || (isUser && !address.slice(0, at).includes(':'))) continue;
    const begin = match.index + '://'.length;
    const colon = address.indexOf(address.slice(0, at).includes(':') ? ':' : '%');
    // A server may quote the password alone.
    yield [begin, begin + at];
    if (colon !== -1 && colon < at) yield [begin + colon + 1, begin + at];
  }
}

/** `password=PASSWORD`, in whatever a text has options for. */
function* options(text: string, value: RegExp, names: readonly string[]): Iterable<Span> {
  const head = /(?<![\w.-])([\w.-]+)=/gu;
  for (let match = head.exec(text); match; match = head.exec(text)) {
    if (!isSecretOption(match[1] ?? '', names)) continue;
    const begin = head.lastIndex;
    value.lastIndex = begin;
    value.test(text);
    head.lastIndex = value.lastIndex;
    yield [begin, value.lastIndex];
  }
}

/** `"password": "PASSWORD"`, as in `json:{...}` file names, also where it is quoted itself. */
function* members(text: string, names: readonly string[]): Iterable<Span> {
  const head = /["']([\w.-]+)\\*["']\s*:\s*(\\*)(["'])/gu;
  for (let match = head.exec(text); match; match = head.exec(text)) {
    const [, name = '', slashes = '', quote = ''] = match;
    if (!isSecretName(name) && !names.includes(name)) continue;
    const begin = head.lastIndex;
    head.lastIndex = endOfString(text, begin, slashes.length, quote);
    yield [begin, head.lastIndex];
  }
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
  const command = /^(?:\s*migrate\w*(?:\s+-\w)*\s+"?)?exec:/u.exec(text);
  if (command) yield [command[0].length, text.length];
  const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----/u.exec(text);
  if (key) yield [key.index, text.length];
}

function isSecretOption(name: string, names: readonly string[]): boolean {
  return isSecretName(name) || secretOption.test(name) || names.includes(name);
}
