/** The names of definitions in TypeScript. Each exported name of a generated package is unique. */

import { SchemaError, type Diagnostic } from '../diagnostic.js';
import { refuseLeaves } from '../leaves.js';
import {
  isType,
  type Command,
  type Definition,
  type EnumType,
  type NamedType,
  type ObjectType,
  type Schema,
  type StructType,
  type Type,
  type UnionType,
} from '../model.js';
import { pascalCase } from '../pascal-case.js';
import { reservedWords } from './code.js';
import { isJoined, structOrUnion, type StructOrUnion } from '../model/variants.js';
import { branchGroups, groupPaths } from './union.js';

const words = (text: string): string[] => text.trim().split(/\s+/u);

/** Values of the runtime that the index of a generated package re-exports. */
export const runtimeExports = words(`
  launch isKnown stringify toNumber
  AbortedError ArgumentsError CommandError ConnectError ConnectionLostError EventsDroppedError NotSentError ProtocolError QmpError ResultError TimeoutError`);

/** Types of the runtime that the index of a generated package re-exports. */
export const runtimeTypes = words(`
  Address CallOptions CommandValidators ConnectOptions EmptyObject EventOf Int64 Issue IssuesOptions Json JsonObject Launch Log LogEntry
  LogLevel OobCallOptions Outcome QmpEvent Remark Trace Validation Validator`);

/** Names that generated modules use, and words that cannot name a type. A type with such a name gets a trailing `_`. */
const reservedTypes = new Set([
  ...runtimeExports,
  ...runtimeTypes,
  ...words(`
    Client Commands Events BaseClient Connection Protocol connect UnknownEnumValue FurtherArguments Validators Promise U protocol
    ClientWith OptionalCommands RangeClient alternate enumeration joined struct union validators validatorsOf versionRange
    any as bigint boolean infer intrinsic keyof module never number object readonly string symbol undefined unique unknown`),
  ...reservedWords,
]);

/** The client's own members, and names with a meaning in JavaScript. A method with such a name gets a trailing `_`. */
const reservedMethods = new Set(
  words(`
    execute executeRaw on off once events close greeting process supports has version
    constructor then catch finally toString toJSON valueOf hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString __proto__`),
);

/** The names of a schema's definitions. */
export class Names {
  readonly #definitions: Schema['definitions'];
  /** The owners of exported names. */
  readonly #exports = new Map<string, { readonly title: string; readonly definition: Definition }>();
  readonly #methods = new Map<string, Command>();
  readonly #diagnostics: Diagnostic[] = [];

  /** @throws SchemaError if two definitions get the same name, or a union has too many leaves */
  constructor(schema: Schema) {
    refuseLeaves(schema);
    this.#definitions = schema.definitions;
    for (const definition of schema.definitions.values()) this.#claimAll(definition);
    if (this.#diagnostics.length > 0) throw new SchemaError(this.#diagnostics);
  }

  /** Returns the name of a type. Implicit types are named after their owner. */
  type(type: NamedType): string {
    const { implicit } = type as StructType | EnumType;
    if (implicit === 'base') return `${identifier(type.name)}Base`;
    if (implicit === 'arguments') {
      const ofEvent = this.#definitions.get(type.name)?.kind === 'event';
      return `${pascalCase(type.name)}${ofEvent ? 'Event' : 'Arguments'}`;
    }
    return typeName(type.name);
  }

  /** Returns the name of a type's validator: `isBlockdevOptions`. */
  validator(type: NamedType): string {
    return `is${this.type(type)}`;
  }

  /** Returns the name of the interface of a branch: `SetPasswordOptions_vnc`. */
  branch(union: UnionType, path: readonly string[]): string {
    return [typeName(union.name), ...path.map(identifier)].join('_');
  }

  /** Returns the name of the interface of the versions in which a type is a struct, and a union in others. */
  untagged(type: NamedType): string {
    return `${typeName(type.name)}_untagged`;
  }

  /** Returns the name of a command's method: `blockdevAdd`. */
  method(command: Command): string {
    return methodName(command.name);
  }

  #claimAll(definition: Definition): void {
    const title = `${definition.kind} '${definition.name}'`;
    if (isType(definition)) {
      this.#claimType(definition, title, definition);
      if (definition.kind === 'union') this.#claimParts(definition, title);
      const forms = structOrUnion(definition);
      if (forms) this.#claimForms(forms, definition, title);
      return;
    }
    const data: ObjectType | undefined = definition.kind === 'command' ? definition.arguments : definition.data;
    const role = definition.kind === 'command' ? 'arguments' : 'data';
    for (const type of data && isJoined(data) ? data.variants.map((variant) => variant.type) : [data]) {
      if (isNamedByOwner(type)) this.#claimType(type, `the ${role} of ${title}`, definition);
    }
    if (definition.kind === 'command') this.#claimMethod(definition);
  }

  #claimParts(union: UnionType, title: string): void {
    const { base, discriminator } = union;
    if (base.implicit) this.#claimType(base, `the base of ${title}`, union);
    if (discriminator.type.implicit === 'discriminator') {
      this.#claimType(discriminator.type, `the branches of ${title}`, union);
    }
    for (const group of branchGroups(union)) {
      const paths = group.type?.kind === 'union' ? [[group.name], ...groupPaths(group)] : [[group.name]];
      for (const path of paths) this.#claim(this.branch(union, path), `branch '${path.join('.')}' of ${title}`, union);
    }
  }

  #claimForms({ union: { type: union } }: StructOrUnion, definition: NamedType, title: string): void {
    this.#claimParts({ ...union, base: { ...union.base, name: union.name, implicit: 'base' } }, title);
    this.#claim(this.untagged(definition), `the struct of ${title}`, definition);
  }

  #claimType(type: NamedType, title: string, definition: Definition): void {
    this.#claim(this.type(type), title, definition);
    this.#claim(this.validator(type), `the validator of ${title}`, definition);
  }

  #claim(name: string, title: string, definition: Definition): void {
    const other = this.#exports.get(name);
    if (!other) {
      this.#exports.set(name, { title, definition });
      return;
    }
    const problem = `${title} and ${other.title} both become '${name}' in TypeScript`;
    const remedy = 'rename one of them in the schema, preferably a type, because types have no wire name';
    this.#clash(definition, `${problem}: ${remedy}`, other.definition);
  }

  #claimMethod(command: Command): void {
    const name = methodName(command.name);
    const other = this.#methods.get(name);
    if (!other) this.#methods.set(name, command);
    else {
      const problem = `command '${command.name}' and command '${other.name}' both become the method '${name}'`;
      this.#clash(command, `${problem}: rename one of them in the schema`, other);
    }
  }

  #clash(definition: Definition, message: string, other: Definition): void {
    this.#diagnostics.push({
      message,
      position: definition.position,
      definition: { title: `${definition.kind} '${definition.name}'`, position: definition.position },
      related: { message: 'the other definition is here', position: other.position },
      includedFrom: [],
    });
  }
}

/** Returns whether a type is written in place, as arguments of a command or data of an event. */
function isNamedByOwner(type: Type | undefined): type is StructType {
  return type?.kind === 'struct' && type.implicit === 'arguments';
}

function typeName(name: string): string {
  const word = identifier(name);
  return reservedTypes.has(word) || reservedTypes.has(`is${word}`) ? `${word}_` : word;
}

function methodName(name: string): string {
  const word = pascalCase(name);
  const method = word.charAt(0).toLowerCase() + word.slice(1);
  return reservedMethods.has(method) ? `${method}_` : method;
}

function identifier(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/gu, '_');
}
