import { expect, it } from 'vitest';

import { didYouMean } from '../generator/src/suggest.js';

it.each<[string, string[], string]>([
  ['nmae', ['name', 'type'], " (did you mean 'name'?)"],
  ['Strign', ['String', 'Strings'], " (did you mean 'String'?)"],
  ['str', ['str'], ''],
  ['x', ['y'], ''],
  ['ab', ['abc'], " (did you mean 'abc'?)"],
  ['NODE-NAME', ['node-name'], " (did you mean 'node-name'?)"],
  ['something', ['else', 'entirely'], ''],
  ['a', [], ''],
  ['x'.repeat(10_000), ['y'.repeat(10_000)], ''],
])('didYouMean, row %#', (name, candidates, want) => {
  expect(didYouMean(name, candidates)).toBe(want);
});
