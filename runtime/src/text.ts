/** Texts that a peer has sent. */

/**
 * A text that may be as long as a message, or the beginning of it.
 *
 * @param limit in characters
 * @returns a copy where it is longer: a slice would keep all of the text alive
 */
export function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${Buffer.from(text.slice(0, limit), 'utf16le').toString('utf16le')}...`;
}
