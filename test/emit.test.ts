/** What is generated from a schema that has a bit of everything. `npm test -- -u` writes the goldens anew. */

import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import { conditionTest } from '../generator/src/condition.js';
import { format } from '../generator/src/emit/format.js';
import { emitPackage } from '../generator/src/emit/package.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import { narrow } from '../generator/src/narrow.js';

const root = fileURLToPath(new URL('golden/documented.json', import.meta.url));
const options = { origin: 'documented.json', generator: '0.0.0', docs: true };

const variants = [
  { name: 'docs', schema: loadSchema(root), options },
  {
    name: 'no-docs',
    schema: loadSchema(root),
    options: { ...options, docs: false, manual: ({ name }: { name: string }) => `https://example.org/manual#${name}` },
  },
  {
    name: 'narrow',
    schema: narrow(loadSchema(root), conditionTest(['CONFIG_ANONYMOUS'])),
    options: { ...options, docs: false },
  },
];

describe.each(variants)('documented.json with $name', ({ name, schema, options: emitOptions }) => {
  test('is as the golden says', async () => {
    const files = await emitPackage(schema, emitOptions, format);
    for (const [file, text] of files) await expect(text).toMatchFileSnapshot(`golden/${name}/${file}`);
  });
});

test('files do not depend on what was generated before', async () => {
  const first = await emitPackage(loadSchema(root), options, format);
  const second = await emitPackage(loadSchema(root), options, format);
  expect(second).toEqual(first);
});
