/** Texts of documentation that are left out: `qapi-ts vendor` writes so, and what shows texts passes over it. */

export const elision = '...';

/** What is written beside an elision, or all of the text when nothing is left out. */
export function withoutElision(text: string): string {
  return text.replace(/^\.\.\.(?=\s|$)/u, '').trim();
}
