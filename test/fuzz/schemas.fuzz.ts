/** Schemas that were changed at random: each is refused with a reason, or its output is code that holds it as data. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import fc from 'fast-check';

import { SchemaError } from '../../generator/src/diagnostic.js';
import { emitPackage } from '../../generator/src/emit/package.js';
import { schemaOf } from '../support/schema.js';
import { mutate, mutations } from '../support/mutations.js';
import { fuzz } from './fuzz.js';

const folder = fileURLToPath(new URL('../nasty', import.meta.url));
const samples = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.json') && name !== 'nasty.json')
  .map((name) => readFileSync(join(folder, name), 'utf8'));

fuzz(
  'schemas',
  fc.asyncProperty(
    fc.constantFrom(...samples),
    mutations,
    fc.constantFrom(undefined, '5.2', '7.2', '10.2'),
    fc.boolean(),
    async (sample, changes, dialect, docs) => {
      const text = mutate(sample, changes);
      try {
        const schema = schemaOf(text, dialect);
        await emitPackage(schema, { origin: 'a test', generator: '0.0.0', docs }, (code) => Promise.resolve(code));
      } catch (error) {
        if (!(error instanceof SchemaError)) throw error;
      }
    },
  ),
);
