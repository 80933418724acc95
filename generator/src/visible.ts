/** Text from files and servers, as it may be shown. */

/** Control characters but tabs, what changes the direction of text or has no width, line separators, and lone surrogates. */
const invisible = /(?!\t)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** One line, in which characters that cannot be seen are escapes that can: `\u{001b}`. */
export function visible(text: string): string {
  return text.replaceAll(
    invisible,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}}`,
  );
}
