/** Truncates text from a peer. */

/**
 * Truncates a string that may be as long as a message.
 *
 * @param limit the maximum length in characters
 * @returns a copy if the string is longer: a slice would keep the whole string alive
 */
export function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${Buffer.from(text.slice(0, limit), 'utf16le').toString('utf16le')}...`;
}
