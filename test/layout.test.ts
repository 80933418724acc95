/** Formatting generated code with prettier changes nothing. */

import { fileURLToPath } from 'node:url';

import fc from 'fast-check';
import { test } from 'vitest';

import { embeddedRoot, embeddedVersions, servers } from '../generator/src/embedded.js';
import { emitPackage } from '../generator/src/emit/package.js';
import { lenient } from '../generator/src/frontend/dialect.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import type { Schema } from '../generator/src/model.js';
import { merge } from '../generator/src/model/merge.js';
import { expectFormatted } from './support/layout.js';
import { schemaOf } from './support/schema.js';
import { schemas as hostileSchemas } from './support/schemas.js';

function emit(schema: Schema): Map<string, string> {
  return emitPackage(schema, { origin: 'a schema', qemu: '10.2.2', generator: '0.0.0', docs: true });
}

// releases.test.ts checks the schemas of QEMU's releases, and `npm run format:check` the committed output.

test.each(['golden/documented.json', 'nasty/nasty.json'])('%s', async (path) => {
  await expectFormatted(emit(loadSchema(fileURLToPath(new URL(path, import.meta.url)))));
});

test('schemas with hostile text', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(hostileSchemas(lenient), async ({ files }) => expectFormatted(emit(schemaOf(files)))),
    { numRuns: 15 },
  );
});

/** Lengths up to more than a line, especially those at which a construct no longer fits. */
const length = fc.oneof(fc.integer({ min: 1, max: 130 }), fc.integer({ min: 20, max: 60 }));

/** Names are distinct, because each consists of its own letter. */
function name(letter: string): fc.Arbitrary<string> {
  return fc.tuple(length, fc.boolean()).map(([size, isOdd]) => {
    const text = letter.repeat(size);
    return isOdd && size > 2 ? `${text.slice(0, -2)}-${letter}` : text;
  });
}

function typeName(letter: string): fc.Arbitrary<string> {
  return length.map((size) => letter.toUpperCase() + letter.repeat(size));
}

const schemas = fc
  .record({
    a: name('a'),
    b: name('b'),
    c: name('c'),
    d: name('d'),
    e: name('e'),
    f: name('f'),
    g: name('g'),
    enumeration: typeName('h'),
    struct: typeName('i'),
    base: typeName('j'),
    union: typeName('k'),
    alternate: typeName('l'),
    branch: typeName('m'),
    empty: typeName('n'),
    derived: typeName('o'),
    flags: typeName('p'),
    values: fc.integer({ min: 1, max: 12 }),
    hasCommands: fc.boolean(),
    hasEvents: fc.boolean(),
  })
  .map(
    ({ a, b, c, d, e, f, g, enumeration, struct, base, union, alternate, branch, empty, derived, flags, ...rest }) => {
      const features = `'features': ['deprecated', 'unstable']`;
      const many = Array.from({ length: rest.values }, (_, index) => `'v${index}-${a}'`);
      const text = `
      { 'enum': '${enumeration}', 'data': [${many.join(', ')}] }
      { 'enum': '${flags}', 'data': ['${b}', { 'name': '${c}', 'if': '${'X'.repeat(c.length)}', ${features} }] }
      { 'struct': '${struct}', 'data': { '${a}': 'str', '*${b}': '${enumeration}', '${c}': ['${flags}'], '*${d}': ['int'],
        '${e}': { 'type': '${enumeration}', 'if': 'CONFIG', ${features} }, '${f}': 'any', '*${g}': 'QType', 'types': ['QType'] } }
      { 'struct': '${base}', 'data': { 'tag': '${flags}' } }
      { 'struct': '${empty}', 'data': {} }
      { 'struct': '${derived}', 'base': '${struct}', 'data': { 'more': 'bool', '*toString': 'bool', 'constructor': 'str' } }
      { 'struct': '${branch}', 'base': '${empty}', 'data': { '*${a}': ['${struct}'] } }
      { 'union': '${union}', 'base': '${base}', 'discriminator': 'tag',
        'data': { '${b}': '${branch}', '${c}': '${derived}' } }
      { 'alternate': '${alternate}', 'data': { 'a': '${enumeration}', 'b': '${struct}', 'c': 'bool', 'd': ['${flags}'], 'e': 'null' } }
      ${
        rest.hasCommands
          ? `{ 'command': '${a}', 'data': { '${b}': '${alternate}' }, 'returns': ['${union}'], 'allow-oob': true, ${features} }
             { 'command': '${b}', 'data': '${struct}', 'gen': false, 'success-response': false }
             { 'command': '${c}', 'boxed': true, 'data': '${union}', 'returns': '${derived}' }
             { 'command': '${d}' }`
          : ''
      }
      ${
        rest.hasEvents
          ? `{ 'event': '${e.toUpperCase()}', 'data': { '*${f}': '${union}' } }
             { 'event': '${g.toUpperCase()}', 'boxed': true, 'data': '${derived}' }
             { 'event': '${a.toUpperCase()}' }`
          : ''
      }`;
      return text;
    },
  );

test('schemas with names of all lengths', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(schemas, async (text) => expectFormatted(emit(schemaOf(text)))),
    { numRuns: 50 },
  );
});

test('ranges of two schemas with names of all lengths', { timeout: 60_000 }, async () => {
  const range = fc.tuple(schemas, schemas).map((texts) => {
    return merge(texts.map((text, index) => ({ version: `${index + 1}.0.0`, schema: schemaOf(text) })));
  });
  await fc.assert(
    fc.asyncProperty(range, async (schema) => expectFormatted(emit(schema))),
    { numRuns: 30 },
  );
});

test('the range of all embedded versions', { timeout: 120_000 }, async () => {
  const [server] = servers;
  if (!server) throw new Error('there are no servers');
  const versioned = embeddedVersions().map((version) => ({
    version,
    schema: loadSchema(embeddedRoot(version, server)),
  }));
  await expectFormatted(emit(merge(versioned)));
});
