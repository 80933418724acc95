/** The names in a schema: built-in types, and definitions. */

import {
  builtinNames,
  isType,
  type ArrayType,
  type BuiltinType,
  type Definition,
  type EnumType,
  type Type,
} from '../../model.js';

export const predefined = {
  module: 'builtin',
  position: { file: '', line: 0, column: 0 },
  features: [],
  implicit: 'predefined',
} as const;

/** QAPI's predefined enum of JSON kinds. */
export const qtype: EnumType = {
  kind: 'enum',
  name: 'QType',
  ...predefined,
  values: ['none', 'qnull', 'qnum', 'qstring', 'qdict', 'qlist', 'qbool'].map((name) => ({ name, features: [] })),
};

export class Scope {
  readonly #predefined = new Map<string, BuiltinType | EnumType>([
    ...builtinNames.map((name): [string, BuiltinType] => [name, { kind: 'builtin', name }]),
    [qtype.name, qtype],
  ]);
  readonly #definitions = new Map<string, Definition>();
  readonly #arrays = new Map<Type, ArrayType>();

  define(definition: Definition): void {
    this.#definitions.set(definition.name, definition);
  }

  definition(name: string): Definition | undefined {
    return this.#definitions.get(name);
  }

  isPredefined(name: string): boolean {
    return this.#predefined.has(name);
  }

  type(name: string): Exclude<Type, ArrayType> | undefined {
    const definition = this.#definitions.get(name);
    return this.#predefined.get(name) ?? (definition && isType(definition) ? definition : undefined);
  }

  /** Returns the type of arrays with this element type: the same object for each call. */
  arrayOf(element: Exclude<Type, ArrayType>): ArrayType {
    const array = this.#arrays.get(element) ?? { kind: 'array', element };
    this.#arrays.set(element, array);
    return array;
  }

  *typeNames(): Generator<string> {
    yield* builtinNames;
    for (const [name, definition] of this.#definitions) if (isType(definition)) yield name;
  }
}
