/** A monitor that behaves arbitrarily. */

import { whateverHappens, whateverOpens } from '../support/world.js';
import { fuzz } from './fuzz.js';

fuzz('a monitor', whateverHappens('monitor', true), { share: 4 / 3 });
fuzz('the first messages of a monitor or an agent', whateverOpens(), { share: 4 });
