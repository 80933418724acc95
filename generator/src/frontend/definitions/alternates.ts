/** Checks alternates, in which the JSON kind of a value selects the alternative. */

import { kindOfBuiltin, type JsonKind } from '../../builtins.js';
import type { AlternateType, Alternative } from '../../model.js';
import type { AlternateSyntax } from '../expressions/syntax.js';
import type { ReportAt } from '../reporter.js';
import { checkClashes } from './clashes.js';

/** Reports alternatives that a JSON kind, or the text of a command line, does not distinguish. */
export function checkAlternate(reportAt: ReportAt, syntax: AlternateSyntax, alternate: AlternateType): void {
  checkClashes(reportAt, 'alternative', syntax.alternatives);
  const offsets = new Map(syntax.alternatives.map(({ name, offset }) => [name, offset]));
  const taken = new Map<JsonKind, string>();
  for (const { name, type } of alternate.alternatives) {
    const kinds = kindsOf(type);
    const other = kinds.map((kind) => taken.get(kind)).find((title) => title !== undefined);
    if (other !== undefined) {
      const message = `alternative '${name}' cannot be distinguished from '${other}' by its JSON kind`;
      reportAt(offsets.get(name) ?? syntax.offset, message);
    }
    for (const kind of kinds) taken.set(kind, name);
  }
}

/**
 * Returns the JSON kinds that select an alternative. If a value comes from a command line, a string can also be a
 * number or boolean.
 */
function kindsOf(type: Alternative['type']): readonly JsonKind[] {
  switch (type.kind) {
    case 'struct':
    case 'union':
      return ['object'];
    case 'array':
      return ['array'];
    case 'enum': {
      const names = type.values.map(({ name }) => name);
      const kinds: JsonKind[] = ['string'];
      if (names.includes('on') || names.includes('off')) kinds.push('boolean');
      if (names.some((name) => /^[-+0-9.]/u.test(name))) kinds.push('number');
      return kinds;
    }
    case 'builtin':
      return type.name === 'str' ? ['string', 'number', 'boolean'] : [kindOfBuiltin(type.name)];
  }
}
