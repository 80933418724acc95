/** Pragma directives, which are settings of the whole schema. */

import { didYouMean } from '../suggest.js';
import type { ValueNode } from './ast.js';
import type { Dialect, Rule } from './dialect.js';
import type { Source } from './source.js';

/** The values of pragmas. If several directives set a pragma, the last one applies. */
export interface Pragmas {
  docRequired: boolean;
  commandNameExceptions: ReadonlySet<string>;
  commandReturnsExceptions: ReadonlySet<string>;
  documentationExceptions: ReadonlySet<string>;
  memberNameExceptions: ReadonlySet<string>;
}

/** The rules that apply to a schema: those of the dialect, with the exceptions from pragmas. */
export interface Rules {
  readonly dialect: Dialect;
  readonly pragmas: Pragmas;
}

type ListPragma = Exclude<keyof Pragmas, 'docRequired'>;

/** The pragmas whose value is a list of names, each with the rule that forbids it. */
const listPragmas: readonly { readonly name: string; readonly key: ListPragma; readonly forbiddenBy: Rule }[] = [
  { name: 'returns-whitelist', key: 'commandReturnsExceptions', forbiddenBy: 'no-whitelist-pragmas' },
  { name: 'name-case-whitelist', key: 'memberNameExceptions', forbiddenBy: 'no-whitelist-pragmas' },
  { name: 'command-name-exceptions', key: 'commandNameExceptions', forbiddenBy: 'no-exceptions-pragmas' },
  { name: 'command-returns-exceptions', key: 'commandReturnsExceptions', forbiddenBy: 'no-exceptions-pragmas' },
  { name: 'member-name-exceptions', key: 'memberNameExceptions', forbiddenBy: 'no-exceptions-pragmas' },
  { name: 'documentation-exceptions', key: 'documentationExceptions', forbiddenBy: 'no-documentation-exceptions' },
];

export function defaultPragmas(): Pragmas {
  return {
    docRequired: false,
    commandNameExceptions: new Set(),
    commandReturnsExceptions: new Set(),
    documentationExceptions: new Set(),
    memberNameExceptions: new Set(),
  };
}

/**
 * Applies a directive.
 *
 * @param node the value of `pragma`
 * @throws SchemaError
 */
export function setPragmas(pragmas: Pragmas, source: Source, node: ValueNode, dialect: Dialect): void {
  if (node.kind !== 'object') return source.fail(node.offset, "'pragma' takes an object");
  const allowed = listPragmas.filter(({ forbiddenBy }) => !dialect.enforces(forbiddenBy));
  for (const [name, { offset, value }] of node.members) {
    const list = allowed.find((pragma) => pragma.name === name);
    if (list) {
      pragmas[list.key] = readNames(source, value, name);
    } else if (name === 'doc-required') {
      if (value.kind !== 'boolean') return source.fail(value.offset, `pragma '${name}' takes true or false`);
      pragmas.docRequired = value.value;
    } else {
      const names = ['doc-required', ...allowed.map((pragma) => pragma.name)];
      source.fail(offset, `unknown pragma '${name}'${didYouMean(name, names)}`);
    }
  }
}

function readNames(source: Source, node: ValueNode, pragma: string): Set<string> {
  const fail = ({ offset }: ValueNode): never => source.fail(offset, `pragma '${pragma}' takes an array of strings`);
  if (node.kind !== 'array') return fail(node);
  return new Set(node.elements.map((element) => (element.kind === 'string' ? element.value : fail(element))));
}
