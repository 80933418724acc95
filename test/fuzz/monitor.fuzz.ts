/** A monitor that does whatever it likes. */

import { whateverHappens, whateverOpens } from '../support/world.js';
import { fuzz } from './fuzz.js';

fuzz('a monitor', whateverHappens('monitor', true), { share: 4 / 3 });
fuzz('how a monitor or an agent begins', whateverOpens(), { share: 4 });
