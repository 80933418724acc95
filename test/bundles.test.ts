/** A bundle contains only those parts of the packages that the program uses. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { build, type BuildOptions } from 'esbuild';
import { ts } from 'ts-morph';
import { expect, test } from 'vitest';

import { repository } from './support/compile.js';

/** The annotation of calls without side effects, for bundlers. */
const pure = '/* @__PURE__ */';

/** Returns the text of a bundle, minified by default. */
async function bundle(contents: string, options: BuildOptions = {}): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: repository, loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    logLevel: 'error',
    ...options,
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

test.each([
  { what: 'nothing', program: `import '@qapi-ts/qemu/qmp';`, most: 0 },
  {
    what: 'an enum and isKnown',
    program: `import { isKnown, RunState } from '@qapi-ts/qemu/qmp'; export const f = (x: string) => isKnown(RunState, x);`,
    most: 2000,
  },
  { what: 'stringify', program: `export { stringify } from '@qapi-ts/runtime';`, most: 5000 },
  // A guard includes compilation and inspection, but only for the kinds of types that it uses.
  { what: 'the guard of an enum', program: `export { isRunState } from '@qapi-ts/qemu/qmp';`, most: 7600 },
  { what: 'the guard of a small struct', program: `export { isStatusInfo } from '@qapi-ts/qemu/qmp';`, most: 15_000 },
])('$what takes at most $most bytes', async ({ program, most }) => {
  expect((await bundle(program)).length).toBeLessThanOrEqual(most);
});

test('only a client for a range of versions contains the code for ranges', async () => {
  // Strings of range.ts and joined.ts.
  const strings = ['was removed after QEMU', 'this type'];
  const of = async (program: string): Promise<boolean[]> => {
    const text = await bundle(program);
    return strings.map((string) => text.includes(string));
  };
  expect(await of(`export { connect } from '@qapi-ts/qemu/qmp';`)).toEqual([false, false]);
  expect(await of(`export { joined, versionRange } from '@qapi-ts/runtime';`)).toEqual([true, true]);
});

test.each(['runtime/dist/index.js', 'generated/dist/qmp/index.js'])(
  '%s makes no calls when it is loaded',
  async (file) => {
    // Unless a package declares its files free of side effects, bundlers keep calls that may have any.
    const contents = readFileSync(join(repository, file), 'utf8');
    const left = await bundle(contents.replaceAll(/^export \{[^}]*\};$/gmu, ''), {
      external: ['@qapi-ts/runtime'],
      minify: false,
    });
    const source = ts.createSourceFile('left.js', left, ts.ScriptTarget.Latest, true);
    const calls: string[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isFunctionLike(node)) return;
      const isCall = ts.isCallExpression(node) || ts.isNewExpression(node) || ts.isTaggedTemplateExpression(node);
      const isPure = node.getFullText().trimStart().startsWith(pure);
      if (isCall && !isPure) calls.push(node.getText());
      ts.forEachChild(node, visit);
    };
    visit(source);
    expect(calls).toEqual([]);
  },
);
