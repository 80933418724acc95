/**
 * Which arguments are secret. QAPI does not say it of a member, so this is a reviewed list, and the only one: nothing in it is ever
 * logged, traced, or put in an error in clear.
 */

import { parse, stringify, type Json, type JsonObject } from './json.js';

/** By command, the members of its arguments that hold a secret, at whatever depth they are. */
export const secretMembers: ReadonlyMap<string, readonly string[]> = new Map([
  // Passwords of displays; the second is a display's before QEMU 6.0, as is the third an encrypted image's.
  ['set_password', ['password']],
  ['change-vnc-password', ['password']],
  ['change', ['arg']],
  ['block_passwd', ['password']],
  // What goes into a confidential guest's memory.
  ['sev-inject-launch-secret', ['secret', 'packet-header']],
  // Of a secret object, and any other that holds data of its own.
  ['object-add', ['data']],
  // Of images over HTTP; there is `cookie-secret` for those who care.
  ['blockdev-add', ['cookie']],
  ['blockdev-reopen', ['cookie']],
  // `guest-exec` may hand over anything.
  ['guest-exec', ['input-data', 'env']],
  ['guest-set-user-password', ['password']],
  ['guest-file-write', ['buf-b64']],
]);

/** Lines for the human monitor that set passwords, or make secret objects. */
const secretLine = /passw|secret|cookie/iu;

/** Stands where a secret was. */
const hidden = '***';
const none: readonly string[] = [];

/** The text of a request as it may be shown. */
export function shownRequest(command: string, text: string): string {
  if (!mayHoldSecrets(command)) return text;
  const message = parse(text) as JsonObject;
  const names = secretNames(command, message['arguments']);
  return names.length === 0 ? text : stringify({ ...message, arguments: withoutMembers(message['arguments'], names) });
}

/** The texts among the arguments that are secret. */
export function secretsOf(command: string, args: object | undefined): readonly string[] {
  return mayHoldSecrets(command) ? textsOfMembers(args, secretNames(command, args)) : none;
}

/** A text from a server that may repeat secrets, plainly or as JSON, as it may be shown. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  // A secret may be a part of another.
  const forms = secrets.flatMap(formsOf).toSorted((a, b) => b.length - a.length);
  return forms.reduce((shown, form) => shown.replaceAll(form, hidden), text);
}

const secretNamesAnywhere: ReadonlySet<unknown> = new Set(['command-line', ...[...secretMembers.values()].flat()]);

/** Whether a member of this name is secret in any command. */
export function isSecretMember(name: unknown): boolean {
  return secretNamesAnywhere.has(name);
}

function mayHoldSecrets(command: string): boolean {
  return secretMembers.has(command) || command === 'qom-set' || command === 'human-monitor-command';
}

function secretNames(command: string, args: unknown): readonly string[] {
  const { property, 'command-line': line } = (args ?? {}) as JsonObject;
  // A property of a secret object, set later.
  if (command === 'qom-set') return property === 'data' ? ['value'] : none;
  if (command === 'human-monitor-command')
    return secretLine.test(typeof line === 'string' ? line : '') ? ['command-line'] : none;
  return secretMembers.get(command) ?? none;
}

function withoutMembers(value: Json | undefined, names: readonly string[]): Json | undefined {
  if (Array.isArray(value)) return value.map((element) => withoutMembers(element, names) ?? null);
  if (typeof value !== 'object' || value === null) return value;
  const shown = Object.entries(value).map(([name, member]) => [
    name,
    names.includes(name) ? hidden : withoutMembers(member, names),
  ]);
  return Object.fromEntries(shown) as JsonObject;
}

function textsOfMembers(value: unknown, names: readonly string[]): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    names.includes(name) ? texts(member) : textsOfMembers(member, names),
  );
}

function texts(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [];
}

/** As it is, and as JSON has it: with other than ASCII as it is, or escaped, as QEMU does. */
function formsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const ascii = json.replaceAll(/\\u[\da-f]{4}|[^\x20-\x7e]/gu, (part) =>
    part.startsWith('\\') ? `\\u${part.slice(2).toUpperCase()}` : escaped(part),
  );
  return [...new Set([secret, json, ascii])];
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).toUpperCase().padStart(4, '0')}`).join('');
}
