/**
 * Escapes text from files and servers for display, so that it cannot move the cursor, hide text, or act as a command to
 * a CI system.
 */

/**
 * Control characters except tabs, bidirectional marks, characters without width, line separators, and lone surrogates.
 */
const invisible = /(?!\t)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** GitHub and others interpret these anywhere on a line: `##[error]`, `##vso[...]`. */
const command = /##(?=\w*\[)/gu;

/** Escapes text for display on one line. Invisible characters become escapes such as `\u{001b}`. */
export function visible(text: string): string {
  return text.replaceAll(
    invisible,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}}`,
  );
}

/**
 * Escapes text like {@link visible}, and also commands to CI systems, such as GitHub's `::error::` at the beginning of
 * a line.
 */
export function printable(text: string): string {
  return visible(text)
    .replace(/^(\s*):(?=:)/u, '$1\\u{003a}')
    .replaceAll(command, '#\\u{0023}');
}

/**
 * Escapes text like {@link printable}, but keeps line feeds. Other line separators are escaped, because not all
 * terminals and logs treat them as such.
 */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** Formats JSON over several lines. Invisible characters become JSON escapes, so the value is unchanged. */
export function printableJson(value: unknown): string {
  const escaped = (character: string): string =>
    Array.from({ length: character.length }, (_, at) => {
      return `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
    }).join('');
  return JSON.stringify(value, undefined, 2)
    .replaceAll(invisible, (character) => (character === '\n' ? character : escaped(character)))
    .replaceAll(command, '#\\u0023');
}
