/** Imports generated packages, compiled and bundled as for a program. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { build } from 'esbuild';

import { emitPackage } from '../../generator/src/emit/package.js';
import type { Schema } from '../../generator/src/model.js';
import { repository } from './compile.js';

/**
 * Returns the exports of the package generated from a schema, bundled with the runtime.
 *
 * @param modules modules of the runtime whose exports are added
 */
// oxlint-disable-next-line typescript/no-explicit-any -- the exports depend on the schema
export async function generatedPackage(schema: Schema, modules: readonly string[] = []): Promise<any> {
  const options = { origin: 'a test', generator: '0.0.0', docs: false };
  const files = emitPackage(schema, options);
  const folder = await mkdtemp(join(tmpdir(), 'qapi-ts-generated-'));
  try {
    await Promise.all([...files].map(([file, text]) => writeFile(join(folder, file), text)));
    const further = modules.map(
      (name) => `export * from ${JSON.stringify(join(repository, 'runtime/src', `${name}.ts`))};`,
    );
    await writeFile(join(folder, 'all.ts'), [`export * from './index.js';`, ...further].join('\n'));
    const outfile = join(folder, 'bundle.mjs');
    await build({
      entryPoints: [join(folder, 'all.ts')],
      alias: { '@qapi-ts/runtime': join(repository, 'runtime/src/index.ts') },
      bundle: true,
      outfile,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
      logLevel: 'silent',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(folder, { recursive: true });
  }
}
