/** How definitions are called in TypeScript: every exported name of a generated package, each with one meaning. */

import { SchemaError, type Diagnostic } from '../diagnostic.js';
import {
  isType,
  type Command,
  type Definition,
  type EnumType,
  type ObjectType,
  type Schema,
  type StructType,
  type UnionType,
} from '../model.js';
import { branchGroups, groupPaths } from './union.js';

const words = (text: string): string[] => text.trim().split(/\s+/u);

/** Names that generated modules use, and words that cannot name a type: a type of that name gets a `_` at its end. */
const reservedTypes = new Set(
  words(`
    Client Commands Events BaseClient Connection Protocol CallOptions OobCallOptions connect
    Int64 Json JsonObject UnknownEnumValue EmptyObject FurtherArguments Outcome Promise
    any bigint boolean never null number object string symbol undefined unknown void
    arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for
    function if implements import in instanceof interface let new package private protected public return static super switch this
    throw true try typeof var while with yield`),
);

/** Members that a client has beside the commands, or that JavaScript gives a meaning: a method of that name gets a `_` at its end. */
const reservedMethods = new Set(
  words(`
    execute executeRaw on off once events close connection greeting version supports
    constructor then catch finally toString toJSON valueOf hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString __proto__`),
);

/** The names of one schema. */
export class Names {
  /** Who has which exported name. */
  readonly #exports = new Map<
    string,
    { readonly owner: object; readonly title: string; readonly definition: Definition }
  >();
  readonly #methods = new Map<string, Command>();
  readonly #diagnostics: Diagnostic[] = [];

  /** @throws SchemaError when two definitions get the same name */
  constructor(schema: Schema) {
    for (const definition of schema.definitions.values()) this.#claimAll(definition);
    if (this.#diagnostics.length > 0) throw new SchemaError(this.#diagnostics);
  }

  /** The name of a type, implicit ones included. */
  type(type: Exclude<Definition, { kind: 'command' | 'event' }>): string {
    const { implicit } = type as StructType | EnumType;
    if (implicit === 'base') return `${identifier(type.name)}Base`;
    if (implicit === 'arguments') {
      // QAPI names events in upper case, and nothing else.
      return `${pascalCase(type.name)}${type.name === type.name.toUpperCase() ? 'Event' : 'Arguments'}`;
    }
    return typeName(type.name);
  }

  /** The interface of a union's branch: `SetPasswordOptions_vnc`. */
  branch(union: UnionType, path: readonly string[]): string {
    return [typeName(union.name), ...path.map(identifier)].join('_');
  }

  /** The client's method for a command: `blockdevAdd`. */
  method(command: Command): string {
    return methodName(command.name);
  }

  #claimAll(definition: Definition): void {
    const title = `${definition.kind} '${definition.name}'`;
    if (isType(definition)) {
      this.#claim(this.type(definition), definition, title, definition);
      if (definition.kind !== 'union') return;
      if (definition.base.implicit)
        this.#claim(this.type(definition.base), definition.base, `the base of ${title}`, definition);
      if (definition.discriminator.type.implicit === 'discriminator') {
        this.#claim(
          this.type(definition.discriminator.type),
          definition.discriminator.type,
          `the branches of ${title}`,
          definition,
        );
      }
      for (const group of branchGroups(definition)) {
        const paths = group.type?.kind === 'union' ? [[group.name], ...groupPaths(group)] : [[group.name]];
        for (const path of paths)
          this.#claim(this.branch(definition, path), group, `branch '${path.join('.')}' of ${title}`, definition);
      }
      return;
    }
    const data: ObjectType | undefined = definition.kind === 'command' ? definition.arguments : definition.data;
    if (data && isImplicit(data)) this.#claim(this.type(data), data, `the arguments of ${title}`, definition);
    if (definition.kind === 'command') this.#claimMethod(definition);
  }

  #claim(name: string, owner: object, title: string, definition: Definition): void {
    const other = this.#exports.get(name);
    if (!other) this.#exports.set(name, { owner, title, definition });
    else this.#clash(definition, `${title} and ${other.title} both become '${name}' in TypeScript`, other.definition);
  }

  #claimMethod(command: Command): void {
    const name = methodName(command.name);
    const other = this.#methods.get(name);
    if (!other) this.#methods.set(name, command);
    else
      this.#clash(
        command,
        `command '${command.name}' and command '${other.name}' both become the method '${name}'`,
        other,
      );
  }

  #clash(definition: Definition, problem: string, other: Definition): void {
    this.#diagnostics.push({
      message: `${problem}: rename one of them in the schema`,
      place: definition.position,
      definition: { title: `${definition.kind} '${definition.name}'`, position: definition.position },
      related: { message: `the other is defined here`, position: other.position },
      includedFrom: [],
    });
  }
}

function isImplicit(type: ObjectType): type is StructType {
  return type.kind === 'struct' && type.implicit !== undefined;
}

function typeName(name: string): string {
  const word = identifier(name);
  return reservedTypes.has(word) ? `${word}_` : /^\d/u.test(word) ? `_${word}` : word;
}

function methodName(name: string): string {
  const word = pascalCase(name);
  const method = word.charAt(0).toLowerCase() + word.slice(1);
  return reservedMethods.has(method) ? `${method}_` : method;
}

function identifier(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/gu, '_');
}

/** `block_resize` and `BLOCK_RESIZE` become `BlockResize`. */
export function pascalCase(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/u).filter((word) => word !== '');
  return words
    .map(
      (word) =>
        word.charAt(0).toUpperCase() + (word === word.toUpperCase() ? word.slice(1).toLowerCase() : word.slice(1)),
    )
    .join('');
}
