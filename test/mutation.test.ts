/** The front end, given randomly changed schemas and huge ones. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SchemaError, type Diagnostic } from '../generator/src/diagnostic.js';
import { schemaFolder } from '../generator/src/embedded.js';
import { dialectOf, lenient, type Dialect } from '../generator/src/frontend/dialect.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import type { Position } from '../generator/src/model.js';
import { mutate, mutations } from './support/mutations.js';
import { qemuTree } from './support/qemu.js';

/** A schema file. */
interface Sample {
  readonly path: string;
  readonly text: string;
}

/** Returns small modules of QEMU's main schema, and the files that they include. */
function samplesOf(tree: string | undefined): Sample[] {
  if (tree === undefined) return [];
  const folder = join(tree, 'qapi');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(folder, name))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }))
    .filter(({ text }) => text.length < 20_000 && !text.includes('block-core.json'));
}

function proseOf(version: string): Sample[] {
  return samplesOf(qemuTree(version, `changing the documented schemas of ${version} at random`));
}

type Files = ReadonlyMap<string, string>;

/** @throws any error except a SchemaError */
function errorsOf(files: Files, root: string, dialect: Dialect): readonly Diagnostic[] {
  try {
    loadSchema(root, { dialect, read: (path) => Buffer.from(files.get(path) ?? readFileSync(path)) });
    return [];
  } catch (error) {
    if (error instanceof SchemaError) return error.diagnostics;
    throw error;
  }
}

/** Returns the positions of an error that are outside the files. */
function strayPositions(files: Files, { position: main, definition, related, includedFrom }: Diagnostic): Position[] {
  const lineOf = ({ file, line }: Position): string | undefined =>
    (files.get(file) ?? readFileSync(file, 'utf8')).split(/\r\n?|\n/u)[line - 1];
  const others = [definition, related].flatMap((one) => (one ? [one.position] : []));
  return [main, ...others, ...includedFrom].filter((position) => {
    const text = lineOf(position);
    const isShown = position !== main || main.source === undefined || main.source === text;
    return text === undefined || position.column < 1 || position.column > text.length + 1 || !isShown;
  });
}

describe.each([
  { what: 'facts of 10.2.2', samples: samplesOf(join(schemaFolder(), '10.2.2')), dialect: lenient, runs: 1000 },
  { what: 'prose of 10.2.2', samples: proseOf('10.2.2'), dialect: lenient, runs: 500 },
  { what: 'prose of 10.2.2, by its rules', samples: proseOf('10.2.2'), dialect: dialectOf('10.2'), runs: 500 },
  { what: 'prose of 7.2.0, by its rules', samples: proseOf('7.2.0'), dialect: dialectOf('7.2'), runs: 500 },
  { what: 'prose of 5.2.0, by its rules', samples: proseOf('5.2.0'), dialect: dialectOf('5.2'), runs: 500 },
])('$what, changed at random', ({ samples, dialect, runs }) => {
  it.skipIf(samples.length === 0)('is valid, or has errors at positions that exist', () => {
    fc.assert(
      fc.property(fc.constantFrom(...samples), mutations, (sample, changes) => {
        const text = mutate(sample.text, changes);
        // The modules need the pragmas of the whole schema.
        const root = join(dirname(sample.path), 'random.json');
        const includes = `{ 'include': 'pragma.json' }\n{ 'include': '${basename(sample.path)}' }`;
        const files = new Map([
          [root, includes],
          [sample.path, text],
        ]);
        expect(errorsOf(files, root, dialect).flatMap((error) => strayPositions(files, error))).toEqual([]);
      }),
      { numRuns: runs },
    );
  });
});

describe('a schema of 3.8 MB', () => {
  const documented = (index: number): string => `##
# @Type${index}:
#
# What the type is.
#
# @name: its name
#
# @others: all others  (since 2.1)
#
# Since: 1.0
##
{ 'struct': 'Type${index}',
  'data': { 'name': 'str', '*others': [ 'Type${(index * 7) % 1000}' ] } } # end

`;
  const repeat = (count: number, part: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => part(index)).join('');

  /** Returns the total time of some runs in milliseconds. */
  function time(runs: number, text: string): number {
    const bytes = Buffer.from(text);
    const start = performance.now();
    for (let run = 0; run < runs; run += 1) loadSchema('test.json', { read: () => bytes });
    return performance.now() - start;
  }

  it.each([
    { what: 'many definitions', megabytes: (size: number) => repeat(5000 * size, documented) },
    {
      what: 'one enum',
      megabytes: (size: number) =>
        `{ 'enum': 'Foo', 'data': [\n${repeat(70_000 * size, (i) => `'value-${i}',\n`)}'z' ] }`,
    },
  ])('takes less than 12.5 times as long as one of 380 KB: $what', { timeout: 120_000 }, ({ megabytes }) => {
    const small = megabytes(0.38);
    const large = megabytes(3.8);
    expect(small.length).toBeGreaterThan(350_000);
    expect(large.length).toBeGreaterThan(10 * small.length);
    // Use the best of several attempts, because the machine may be busy. Each runs the small one ten times, because a
    // single run may leave its garbage to the next.
    let factor = Infinity;
    for (let attempt = 0; attempt < 6 && factor >= 12.5; attempt += 1) {
      factor = Math.min(factor, (10 * time(1, large)) / time(10, small));
    }
    expect(factor).toBeLessThan(12.5);
  });
});
