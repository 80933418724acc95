/** Escapes text from a peer for logs and terminals. The generator has its own copy: the packages share no code. */

/**
 * Control characters except tabs, bidirectional marks, characters without width, line separators, and lone surrogates.
 */
const invisible = /(?!\t)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Escapes text for display on one line. Invisible characters become escapes such as `\u{001b}`. Commands to CI
 * systems, such as GitHub's `::error::` at the beginning of a line, are escaped, too.
 */
export function visible(text: string): string {
  return text
    .replaceAll(invisible, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}}`)
    .replace(/^(\s*):(?=:)/u, '$1\\u{003a}')
    .replaceAll(/##(?=\w*\[)/gu, '#\\u{0023}');
}

/** Like {@link visible}, but keeps line breaks. */
export function visibleLines(text: string): string {
  return text.includes('\n') ? text.split('\n').map(visible).join('\n') : visible(text);
}
