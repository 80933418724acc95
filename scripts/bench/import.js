#!/usr/bin/env node
// Measures what importing the package costs: time, compared to an empty program, and bytes in a bundle.
// `npm run bench:import`.
// @ts-check
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

import { median, table } from './report.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const rounds = 41;

const qmp = `import '@qapi-ts/qemu/qmp';\n`;
const allOfQmp = `export * from '@qapi-ts/qemu/qmp';\n`;
const allOfRuntime = `export * from '@qapi-ts/runtime';\n`;
/** The target for the time in addition to an empty program's, in milliseconds. */
const aim = 20;

const readme = readFileSync(join(repository, 'README.md'), 'utf8');
const example = /^```ts\n(.*?)^```/msu.exec(readme)?.[1] ?? '';
const bundles = {
  "README's first example": example,
  'connect alone': `export { connect } from '@qapi-ts/qemu/qmp';\n`,
  'one guard, isBlockdevOptions': `export { isBlockdevOptions } from '@qapi-ts/qemu/qmp';\n`,
  'one guard, isStatusInfo': `export { isStatusInfo } from '@qapi-ts/qemu/qmp';\n`,
  everything: allOfQmp,
  'all of the runtime': allOfRuntime,
};

const folder = mkdtempSync(join(tmpdir(), 'qapi-ts-import-'));
try {
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
  await time();
  await size();
} finally {
  rmSync(folder, { recursive: true });
}

async function time() {
  const { output, inputs } = await packed(allOfQmp, false);
  const ofNode = output.imports
    .filter(({ kind }) => kind === 'import-statement')
    .map(({ path }) => `import '${path}';\n`);
  const programs = {
    empty: '',
    "only Node's modules that it uses": ofNode.join(''),
    '@qapi-ts/runtime': `import '@qapi-ts/runtime';\n`,
    '@qapi-ts/qemu/qga': `import '@qapi-ts/qemu/qga';\n`,
    [`@qapi-ts/qemu/qmp, ${inputs} files`]: qmp,
    'the same, bundled into one file': output.text,
  };
  const times = Object.entries(programs).map(([name, text], index) => {
    const file = join(folder, `${index}.mjs`);
    writeFileSync(file, text);
    return { name, file, all: /** @type {number[]} */ ([]) };
  });
  for (let round = -1; round < rounds; round += 1) {
    for (const { file, all } of times) {
      const begin = performance.now();
      execFileSync(process.execPath, [file], { stdio: 'ignore' });
      // The first round is a warm-up that fills the file system cache.
      if (round >= 0) all.push(performance.now() - begin);
    }
  }
  const over = times.map(({ all }) => median(all.map((value, round) => value - (times[0]?.all[round] ?? NaN))));
  const rows = times.map(({ name, all }, index) => [name, median(all).toFixed(1), (over[index] ?? NaN).toFixed(1)]);
  table(
    `ms to run a program that imports the package, Node ${process.version}, median of ${rounds}`,
    ['', 'all', 'over empty'],
    rows,
  );
  const ofQmp = over[Object.values(programs).indexOf(qmp)] ?? NaN;
  console.log(`\ntarget: ${qmp.trim()} less than ${aim} ms slower than empty: ${ofQmp < aim ? 'met' : 'missed'}`);
}

async function size() {
  const rows = [];
  for (const [name, text] of Object.entries(bundles)) {
    const { output } = await packed(text, true);
    rows.push([name, String(output.bytes), String(gzipSync(output.contents, { level: 9 }).length)]);
  }
  table('size of a bundle in bytes', ['', 'minified', 'gzipped'], rows);
}

/** @param {string} text @param {boolean} minify */
async function packed(text, minify) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: text, resolveDir: folder, loader: 'ts' },
    bundle: true,
    minify,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    write: false,
    metafile: true,
  });
  const [file] = outputFiles;
  const [output] = Object.values(metafile.outputs);
  if (!file || !output) throw new Error('esbuild wrote no output');
  // One input is the program itself.
  return {
    output: { ...output, text: file.text, contents: file.contents },
    inputs: Object.keys(metafile.inputs).length - 1,
  };
}
