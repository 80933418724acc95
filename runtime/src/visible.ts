/** Text that a peer has chosen, as it may be shown in logs and on terminals. The generator has the same, and shares no code. */

/** Control characters but tabs, what changes the direction of text or has no width, line separators, and lone surrogates. */
const invisible = /(?!\t)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * On one line: characters that cannot be seen become escapes that can, such as `\u{001b}`, and so does what is a command to a CI
 * system, such as GitHub's `::error::` at the beginning of a line.
 */
export function visible(text: string): string {
  return text
    .replaceAll(invisible, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}}`)
    .replace(/^(\s*):(?=:)/u, '$1\\u{003a}')
    .replaceAll(/##(?=\w*\[)/gu, '#\\u{0023}');
}

/** As {@link visible}, for a text that has lines of its own. */
export function visibleLines(text: string): string {
  return text.includes('\n') ? text.split('\n').map(visible).join('\n') : visible(text);
}
