import { describe, expect, it } from 'vitest';

import { conditionTest } from '../generator/src/condition.js';
import { narrow } from '../generator/src/narrow.js';
import { schemaOf } from './support/schema.js';

describe('narrow', () => {
  it('removes the branch of a value that it removes', () => {
    const schema = schemaOf(
      `{ 'enum': 'Shape', 'data': [ 'round', { 'name': 'square', 'if': 'CONFIG_SQUARE' } ] }
       { 'struct': 'Round', 'data': { 'radius': 'int' } }
       { 'struct': 'Square', 'data': { 'side': 'int' } }
       { 'union': 'Hole', 'base': { 'shape': 'Shape' }, 'discriminator': 'shape',
         'data': { 'round': 'Round', 'square': 'Square' } }`,
    );
    const hole = narrow(schema, conditionTest(['CONFIG_OTHER'])).definitions.get('Hole');
    expect(hole?.kind === 'union' && hole.branches.map(({ name }) => name)).toEqual(['round']);
  });

  it('supports long chains of types', () => {
    const count = 5_000;
    const links = Array.from({ length: count }, (_, at) => `{ 'struct': 'L${at}x', 'data': { '*n': 'L${at + 1}x' } }`);
    const schema = schemaOf([...links, `{ 'struct': 'L${count}x', 'data': {} }`].join('\n'));
    expect(narrow(schema, () => true).definitions.size).toBe(count + 1);
  });
});
