/** What `test/types` expects of the generated code, by every compiler that a user may have. */

import { expect, test } from 'vitest';

import { compile, compilers, repository, type CompilerVersion, type Program } from './support/compile.js';

/** What a user has who generates code of their own: it is compiled with the rest of their program. */
const sources: Omit<Program, 'compiler'> = {
  include: ['test/types', 'generated/qmp', 'generated/qga', 'generated/qsd'],
  options: { paths: { '@qapi-ts/qemu/*': [`${repository}generated/*/index.ts`] } },
};

const bundled = { module: 'ESNext', moduleResolution: 'Bundler', lib: ['ES2022', 'ESNext.Disposable', 'DOM'] };

/** What a user has who installs the packages. */
const packages: Omit<Program, 'compiler'> = { include: ['test/types'] };

const versions = Object.keys(compilers) as CompilerVersion[];
const rows = [
  ...versions.flatMap((compiler) => [
    { compiler, setting: 'generated code, resolved as by Node, without lib.dom', ...sources },
    {
      compiler,
      setting: 'generated code, resolved as by a bundler, with lib.dom',
      ...sources,
      options: { ...sources.options, ...bundled },
    },
  ]),
  // The newest compiler has made their declarations; the oldest has to understand them.
  ...versions.slice(0, 1).map((compiler) => ({ compiler, setting: 'the packages as they are built', ...packages })),
];

/** Two at once: each takes a processor and hundreds of megabytes. */
const lanes = [Promise.resolve(''), Promise.resolve('')];
const results = rows.map((row, index) => {
  const lane = index % lanes.length;
  const result = (lanes[lane] ?? Promise.resolve('')).then(() => compile(row));
  lanes[lane] = result;
  return { ...row, result };
});

for (const { compiler, setting, result } of results) {
  test(`TypeScript ${compiler}: ${setting}`, { timeout: 120_000 }, async () => {
    expect(await result).toBe('');
  });
}
