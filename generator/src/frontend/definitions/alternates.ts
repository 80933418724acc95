/** Alternates: the JSON kind of a value selects the alternative. */

import type { AlternateType, Alternative, BuiltinName } from '../../model.js';
import type { AlternateSyntax } from '../expressions/syntax.js';
import type { ReportAt } from '../reporter.js';
import { checkClashes } from './clashes.js';

/** Reports alternatives of one JSON kind, and those that are the same as text of a command line. */
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

type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

/** All built-in types that are not here are numbers. */
const builtinKinds: Partial<Record<BuiltinName, readonly JsonKind[]>> = {
  str: ['string', 'number', 'boolean'],
  bool: ['boolean'],
  null: ['null'],
};

/** The JSON kinds that select an alternative. A string on a command line can spell a number or a boolean, too. */
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
      return builtinKinds[type.name] ?? ['number'];
  }
}
