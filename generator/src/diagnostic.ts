/** Errors in a schema, and how to format them. */

import type { Position } from './model.js';
import { printable, visible } from './visible.js';

/** A position and, if the front end reports the error, the text of its line. */
export interface QuotedPosition extends Position {
  readonly source?: string;
}

export interface Diagnostic {
  readonly message: string;
  readonly position: QuotedPosition;
  /** The definition that contains the error: its title, such as `struct 'Foo'`, and where it begins. */
  readonly definition?: { readonly title: string; readonly position: Position };
  /** A related position, such as that of a previous definition. */
  readonly related?: { readonly message: string; readonly position: Position };
  /** The include directives that led to the file, innermost first. */
  readonly includedFrom: readonly Position[];
}

/** The schema has errors. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
  readonly code = 'ERR_QAPI_SCHEMA';

  constructor(readonly diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join('\n'));
  }
}

/** The escape sequences around the parts of a diagnostic; empty if the output is not a terminal. */
interface Colours {
  readonly bold: string;
  readonly red: string;
  readonly reset: string;
}

const plain: Colours = { bold: '', red: '', reset: '' };
const ansi: Colours = { bold: '\u001B[1m', red: '\u001B[1;31m', reset: '\u001B[0m' };

/** Formats a diagnostic as several lines, without a final newline. */
export function formatDiagnostic(diagnostic: Diagnostic, colour = false): string {
  const { message, position: start, definition, related, includedFrom } = diagnostic;
  const { bold, red, reset } = colour ? ansi : plain;
  const at = ({ file, line }: Position): string => `${printable(file)}:${line}`;
  const lines = [`${bold}${at(start)}:${start.column}: ${red}error:${reset}${bold} ${printable(message)}${reset}`];
  if (start.source !== undefined) {
    const shown = printable(start.source);
    const rest = visible(start.source.slice(start.column - 1));
    lines.push(`  ${shown}`, `  ${blank(shown.slice(0, shown.length - rest.length))}${red}^${reset}`);
  }
  if (definition) lines.push(`${at(definition.position)}: in ${printable(definition.title)}`);
  if (related) lines.push(`${at(related.position)}: ${printable(related.message)}`);
  for (const position of includedFrom) lines.push(`${at(position)}: included from here`);
  return lines.join('\n');
}

/** Matches characters that are two columns wide on a terminal. */
const wide =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303E\uFF01-\uFF60]/gu;

/** Returns whitespace as wide as the text. Tabs are kept, because their width depends on the terminal. */
function blank(text: string): string {
  return text.replaceAll(/\p{M}/gu, '').replaceAll(wide, '  ').replaceAll(/[^\t]/gu, ' ');
}
