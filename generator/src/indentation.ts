/** Helpers for the indentation of documentation. */

export function indentation(text: string): number {
  return text.length - text.trimStart().length;
}

export function isBlank(text: string): boolean {
  return text.trim() === '';
}

/** Returns whether a line belongs to a block with the given indentation. Blank lines belong to any block. */
export function isWithin(text: string, indent: number): boolean {
  return isBlank(text) || indentation(text) >= indent;
}

export function withoutOuterBlankLines(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => !isBlank(line));
  const last = lines.findLastIndex((line) => !isBlank(line));
  return lines.slice(first, last + 1);
}

/** Removes the indentation that all lines share. */
export function dedent(lines: readonly string[]): string[] {
  let indent = Infinity;
  for (const line of lines) if (!isBlank(line)) indent = Math.min(indent, indentation(line));
  return lines.map((line) => line.slice(indent));
}
