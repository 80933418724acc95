/** All malformed schemas. */

import { alternates } from './alternates.js';
import type { Table } from './case.js';
import { commands } from './commands.js';
import { conditions } from './conditions.js';
import { definitions } from './definitions.js';
import { directives } from './directives.js';
import { documentation } from './documentation.js';
import { features } from './features.js';
import { lexical } from './lexical.js';
import { names } from './names.js';
import { syntax } from './syntax.js';
import { unions } from './unions.js';

export const tables: Table = {
  ...lexical,
  ...syntax,
  ...directives,
  ...definitions,
  ...names,
  ...unions,
  ...alternates,
  ...commands,
  ...features,
  ...conditions,
  ...documentation,
};
