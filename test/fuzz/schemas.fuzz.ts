/** Schemas with arbitrary and hostile text: each is either rejected with a reason, or emitted as data. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import fc from 'fast-check';

import { SchemaError } from '../../generator/src/diagnostic.js';
import { dialects, holdsAsData, schemasAreData } from '../support/as-data.js';
import { mutate, mutations, type Mutation } from '../support/mutations.js';
import { schemaOf } from '../support/schema.js';
import { fuzz } from './fuzz.js';

const folder = fileURLToPath(new URL('../nasty', import.meta.url));
const samples = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.json') && name !== 'nasty.json')
  .map((name) => readFileSync(join(folder, name), 'utf8'));

fuzz('schemas', schemasAreData(dialects), { share: 2, batch: 20 });

fuzz(
  'randomly changed schemas',
  fc.property(
    fc.constantFrom(...samples),
    mutations,
    fc.constantFrom(undefined, '5.2', '7.2', '10.2', '11.1'),
    isDataOrRejected,
  ),
  { share: 2 },
);

function isDataOrRejected(sample: string, changes: readonly Mutation[], dialect?: string): void {
  try {
    holdsAsData(schemaOf(mutate(sample, changes), dialect), sample.slice(0, 20));
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
  }
}
