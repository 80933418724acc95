/** Agents that behave arbitrarily, and slow but correct agents whose replies do not identify their requests. */

import { whateverHappens } from '../support/world.js';
import { slowAgent } from '../support/slow-agent.js';
import { fuzz } from './fuzz.js';

fuzz('an agent', whateverHappens('agent', true), { share: 3 });
fuzz('an agent without ids', whateverHappens('agent', false), { share: 3 });
fuzz('a slow agent without ids', slowAgent(), { share: 3 });
