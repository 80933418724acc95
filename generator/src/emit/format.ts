/** The form of generated code, wherever it lands. */

import { format as prettier, type Options } from 'prettier';

/** The parser makes no difference to the text; this one is the faster. */
const style: Options = { parser: 'babel-ts', singleQuote: true, printWidth: 120 };

/** Formats the text of a TypeScript module. */
export type Format = (text: string) => Promise<string>;

export const format: Format = (text) => prettier(text, style);
