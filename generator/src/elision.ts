/** Replaces documentation text that `qapi-ts vendor` omits. Emitters do not show it. */

export const elision = '...';

/** Returns the text after an elision, or the whole text if there is none. */
export function withoutElision(text: string): string {
  return text.replace(/^\.\.\.(?=\s|$)/u, '').trim();
}
