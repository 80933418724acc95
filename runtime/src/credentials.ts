/**
 * Recognizes secrets by the names of members and the form of strings. This is a separate, small module for validators:
 * `secrets.ts`, which finds the exact place of a secret in a message, is much larger.
 */

/** Replaces a secret. */
export const hidden = '***';

/**
 * The names of members that hold a secret, in the arguments of any command and in results. A name that ends in
 * `-secret`, or `passwordid`, refers to a secret object and is not secret itself.
 */
const secretName =
  /(?:pas+w[a-z]*(?<!id)|passphrase|passcode|pwd|psk|(?<![a-z])(?:pass|pin)|(?<!-)secret|credentials?|cookies?|tokens?|(?:private|secret|access|api|auth|session|encryption)[-_]?key|key-?file|exec-command|-b64|(?:in|out|err)(?:put)?-data)$/iu;
/** Further names of secret options within a string, such as the query of a URL, where `key` is secret. */
const secretOption = /(?<![a-z])(?:key|auth|sig|signature|credential)$/iu;

/** Names of members that are secret in some command (`secretMembers`). */
const secretInSome = /^(?:command-line|args?|packet-header|data|env|keys?)$/u;

/** The number of characters at the end of a name that are examined. */
export const longestName = 64;
/** The maximum length of a string that is examined, in characters. Longer strings count as credentials. */
const longestExamined = 4096;

/** Most strings are names and paths, which cannot contain credentials. */
export const mayHoldCredentials = /[=:]|-----BEGIN /u;

/** Returns whether a member with this name is secret in every command. */
export function isSecretName(name: string): boolean {
  return secretName.test(name.length > longestName ? name.slice(-longestName) : name);
}

/** Returns whether a member with this name is secret in at least one command. */
export function isSecretMember(name: unknown): boolean {
  return typeof name === 'string' && (secretInSome.test(name) || isSecretName(name));
}

/** Returns whether the value of an option with this name, within a string, is secret. */
export function isSecretOption(name: string): boolean {
  return isSecretName(name) || secretOption.test(name);
}

/**
 * Returns whether a string looks as if it contains a credential: user information in a URL, an option or a JSON member
 * with a secret name, a private key, or a command. `shownText` finds the exact places. It finds none in a string for
 * which this returns false.
 */
export function holdsCredential(text: string): boolean {
  if (!mayHoldCredentials.test(text)) return false;
  const authority = text.indexOf('://');
  const isUrl = authority !== -1 && text.includes('@', authority);
  if (isUrl || text.length > longestExamined || /exec:|-----BEGIN /u.test(text)) return true;
  // The lookbehind keeps the time linear: without it, each suffix of a name would be tried.
  const names = text.matchAll(/(?<![\w.-])[\w.-]+(?=[\\\s"']*[=:])/gu);
  return [...names].some(([name]) => isSecretOption(name));
}
