/** Values that only JavaScript has: all ways to validate one agree, and what is sent is what was validated. */

import fc from 'fast-check';

import { sendsWhatIsChecked, verdictsAgree } from '../support/verdicts.js';
import { fuzz } from './fuzz.js';

// A smaller seed does not mean a simpler value.
const seeds = fc.noShrink(fc.nat(2 ** 31 - 1));

fuzz(
  'values',
  fc.property(seeds, (seed) => void verdictsAgree(seed)),
  { share: 2 },
);
fuzz(
  'values that change while they are read',
  fc.property(seeds, (seed) => void sendsWhatIsChecked(seed)),
  { share: 2 },
);
