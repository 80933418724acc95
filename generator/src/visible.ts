/** Text from files and servers, as it may be shown: it moves no cursor, hides nothing, and is no command to a CI system. */

/** Control characters but tabs, what changes the direction of text or has no width, line separators, and lone surrogates. */
const invisible = /(?!\t)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** GitHub and others take this for a command wherever it stands on a line: `##[error]`, `##vso[...]`. */
const command = /##(?=\w*\[)/gu;

/** On one line: characters that cannot be seen become escapes that can, such as `\u{001b}`. */
export function visible(text: string): string {
  return text.replaceAll(
    invisible,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}}`,
  );
}

/** As {@link visible}, for what is printed: no command to a CI system either, such as GitHub's `::error::` at the beginning of a line. */
export function printable(text: string): string {
  return visible(text)
    .replace(/^(\s*):(?=:)/u, '$1\\u{003a}')
    .replaceAll(command, '#\\u{0023}');
}

/** As {@link printable}, for text of several lines. No other character than a line feed ends one: a terminal or a log may take it for an end. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** JSON over several lines, with the same escapes as JSON has them, so that it means what it meant. */
export function printableJson(value: unknown): string {
  const escaped = (character: string): string =>
    Array.from({ length: character.length }, (_, at) => {
      return `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
    }).join('');
  return JSON.stringify(value, undefined, 2)
    .replaceAll(invisible, (character) => (character === '\n' ? character : escaped(character)))
    .replaceAll(command, '#\\u0023');
}
