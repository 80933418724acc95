/**
 * Which arguments are secret. QAPI does not say it of a member, so this is a reviewed list, and the only one: nothing in it is ever
 * logged, traced, or put in an error in clear.
 */

import type { JsonObject } from './json.js';

/** By command, the members of its arguments that hold a secret. */
const secretMembers: ReadonlyMap<string, readonly string[]> = new Map([
  // Passwords of displays.
  ['set_password', ['password']],
  ['change-vnc-password', ['password']],
  // Passwords of encrypted images, before QEMU 6.0.
  ['block_passwd', ['password']],
  // What goes into a confidential guest's memory.
  ['sev-inject-launch-secret', ['secret', 'packet-header']],
  // Of a secret object, and any other that holds data of its own.
  ['object-add', ['data']],
  // `guest-exec` may hand over anything.
  ['guest-exec', ['input-data', 'env']],
  ['guest-set-user-password', ['password']],
  ['guest-file-write', ['buf-b64']],
]);

/** Stands where a secret was. */
const hidden = '***';

/** The arguments as they may be shown. */
export function withoutSecrets(command: string, args: object | undefined): object | undefined {
  if (!args) return args;
  const members = secretMembersOf(command, args);
  const shown = members.filter((name) => name in args).map((name) => [name, hidden]);
  return shown.length === 0 ? args : { ...args, ...Object.fromEntries(shown) };
}

/** A text that may quote arguments, such as a server's description of an error, as it may be shown. */
export function hideSecrets(text: string, command: string, args: object | undefined): string {
  if (!args) return text;
  return secretMembersOf(command, args)
    .flatMap((name) => texts((args as JsonObject)[name]))
    .reduce((shown, secret) => shown.replaceAll(secret, hidden), text);
}

function secretMembersOf(command: string, args: object): readonly string[] {
  // A property of a secret object, set later.
  if (command === 'qom-set') return (args as JsonObject)['property'] === 'data' ? ['value'] : [];
  return secretMembers.get(command) ?? [];
}

function texts(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(texts);
  return typeof value === 'string' && value !== '' ? [value] : [];
}
