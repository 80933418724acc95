import { format, type Options } from 'prettier';
import { expect } from 'vitest';

import packageJson from '../../package.json' with { type: 'json' };

/** The output does not depend on the parser. This one is the fastest. */
const options: Options = { ...(packageJson.prettier as Options), parser: 'babel-ts' };

/** Expects that prettier would not change the files. */
export async function expectFormatted(files: ReadonlyMap<string, string>): Promise<void> {
  for (const [file, text] of files) expect(text, file).toBe(await format(text, options));
}
