/** The output for a schema that uses every construct. `npm test -- -u` updates the goldens. */

import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import { conditionTest } from '../generator/src/condition.js';
import { emitPackage, hasProse, narrowedBy, provenance } from '../generator/src/emit/package.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import { narrow } from '../generator/src/narrow.js';
import { schemaOf } from './support/schema.js';

const root = fileURLToPath(new URL('golden/documented.json', import.meta.url));
const options = { origin: 'documented.json', generator: '0.0.0', docs: true };

const variants = [
  { name: 'docs', schema: loadSchema(root), options },
  {
    name: 'no-docs',
    schema: loadSchema(root),
    options: {
      ...options,
      qemu: '10.2.2',
      docs: false,
      manual: ({ name }: { name: string }) => `https://example.org/manual#${name}`,
    },
  },
  {
    name: 'narrow',
    schema: narrow(loadSchema(root), conditionTest(['CONFIG_ANONYMOUS'])),
    options: { ...options, docs: false, define: ['CONFIG_ANONYMOUS'] },
  },
];

describe.each(variants)('documented.json with $name', ({ name, schema, options: emitOptions }) => {
  test('matches the golden', async () => {
    const files = emitPackage(schema, emitOptions);
    for (const [file, text] of files) await expect(text).toMatchFileSnapshot(`golden/${name}/${file}`);
  });
});

test('does not depend on earlier runs', () => {
  const first = emitPackage(loadSchema(root), options);
  const second = emitPackage(loadSchema(root), options);
  expect(second).toEqual(first);
});

test.each([
  { define: [], want: '. Do' },
  { define: ['CONFIG_B', 'CONFIG_A', 'CONFIG_B'], want: ', narrowed by -D CONFIG_A -D CONFIG_B. Do' },
  { define: ['A', 'defined(X) && "y"'], want: ', narrowed by -D A -D "defined(X) && \\"y\\"". Do' },
])('the first line lists the conditions that the schema was narrowed by: $define', ({ define, want }) => {
  const header = provenance(loadSchema(root), { ...options, define });
  expect(header).toContain(`${want} not edit.`);
  expect(narrowedBy(header)).toEqual([...new Set(define)].toSorted());
});

test.each([
  { what: 'no comment', comment: '', want: false },
  { what: 'facts', comment: '##\n# @foo:\n#\n# @a: ...  (since 2.4)\n#\n# Since: 1.0\n##\n', want: false },
  { what: 'a body', comment: '##\n# @foo:\n#\n# Does it.\n##\n', want: true },
  { what: 'a member', comment: '##\n# @foo:\n#\n# @a: The name.\n##\n', want: true },
  { what: 'a result', comment: '##\n# @foo:\n#\n# Returns: Something.\n##\n', want: true },
  { what: 'errors', comment: '##\n# @foo:\n#\n# Errors:\n#     - If it fails.\n##\n', want: true },
  { what: 'an example', comment: '##\n# @foo:\n#\n# .. qmp-example::\n#\n#     -> foo\n##\n', want: true },
])('$what is prose: $want', ({ comment, want }) => {
  const schema = schemaOf(
    `${comment}{ 'command': 'foo', 'data': { 'a': 'str' }, 'returns': 'Bar' } { 'struct': 'Bar', 'data': {} }`,
  );
  expect(hasProse(schema)).toBe(want);
});

test.each(variants)('declarations of documented.json with $name have all names, and no code', (variant) => {
  const all = emitPackage(variant.schema, variant.options);
  const declared = emitPackage(variant.schema, { ...variant.options, declarations: true });
  const namesIn = (text = ''): string[] =>
    [...text.matchAll(/^(?:export )?(?:declare )?(?:async )?((?:const|type|interface|class|function) \w+| {2}\w+<)/gmu)]
      .map(([, name = '']) => name)
      .filter((name) => name !== 'const protocol');
  expect([...declared.keys()]).toEqual([...all.keys()]);
  for (const [file, text] of all) expect(namesIn(declared.get(file)).toSorted()).toEqual(namesIn(text).toSorted());
  expect([...declared.values()].join('\n')).not.toMatch(/@__PURE__|this\.execute|=>/u);
});
