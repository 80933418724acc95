/** Compiles the expectations in `test/types` with every supported compiler. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ts } from 'ts-morph';
import { expect, test } from 'vitest';

import { compile, compilers, repository, type CompilerVersion, type Program } from './support/compile.js';

/** The setup of a user who generates code and compiles it with the rest of the program. */
const sources: Omit<Program, 'compiler'> = {
  include: ['test/types', 'generated/qmp', 'generated/qga', 'generated/qsd'],
  options: { paths: { '@qapi-ts/qemu/*': [`${repository}generated/*/index.ts`] } },
};

const bundled = { module: 'ESNext', moduleResolution: 'Bundler', lib: ['ES2022', 'ESNext.Disposable', 'DOM'] };

/** The setup of a user who installs the packages. */
const packages: Omit<Program, 'compiler'> = { include: ['test/types'] };

/** Requires that declarations can be emitted from each file alone, in compilers that support it. */
const isolated = { declaration: true, isolatedDeclarations: true };

const versions = Object.keys(compilers) as CompilerVersion[];
const rows = [
  ...versions.flatMap((compiler) => [
    {
      compiler,
      setting: 'generated code, resolved as by Node, without lib.dom',
      ...sources,
      options: { ...sources.options, ...(compiler !== '5.4' && isolated) },
    },
    {
      compiler,
      setting: 'generated code, resolved as by a bundler, with lib.dom',
      ...sources,
      options: { ...sources.options, ...bundled },
    },
  ]),
  // Their declarations are emitted by the newest compiler, and the oldest must understand them.
  { compiler: '5.4' as const, setting: 'the built packages', ...packages },
];

/** Limits the tests to two compilers at a time: each takes a processor and hundreds of megabytes. */
const lanes = [Promise.resolve(''), Promise.resolve('')];

for (const [index, { setting, ...program }] of rows.entries()) {
  test.concurrent(`TypeScript ${program.compiler}: ${setting}`, { timeout: 120_000 }, async () => {
    const lane = index % lanes.length;
    const result = lanes[lane]?.then(() => compile(program));
    if (result) lanes[lane] = result;
    expect(await result).toBe('');
  });
}

test.each(['qmp', 'qga', 'qsd'])("generated/%s does not contain 'any'", (server) => {
  const folder = join(repository, 'generated', server);
  expect(readdirSync(folder).filter((file) => hasAny(readFileSync(join(folder, file), 'utf8')))).toEqual([]);
});

function hasAny(text: string): boolean {
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, true);
  scanner.setText(text);
  let kind = scanner.scan();
  while (kind !== ts.SyntaxKind.EndOfFileToken && kind !== ts.SyntaxKind.AnyKeyword) kind = scanner.scan();
  return kind === ts.SyntaxKind.AnyKeyword;
}
