/** The types of one QAPI module as one TypeScript module. */

import { formatCondition } from '../condition.js';
import {
  isEmpty,
  type AlternateType,
  type BuiltinName,
  type Command,
  type Condition,
  type Definition,
  type Doc,
  type EnumType,
  type Event,
  type Feature,
  type Member,
  type Module,
  type NamedType,
  type ObjectType,
  type StructType,
  type Type,
  type UnionType,
} from '../model.js';
import {
  alias,
  array,
  arrayType,
  arrow,
  assignment,
  braces,
  call,
  code,
  docComment,
  generic,
  identifier,
  interfaceHead,
  join,
  object,
  property,
  propertyName,
  pure,
  union as unionType,
  type Code,
} from './code.js';
import type { Comments } from './comment.js';
import type { Names } from './names.js';
import { branchGroups, groupPaths, leafPaths, type BranchGroup } from './union.js';

export interface EmitContext {
  readonly names: Names;
  readonly comments: Comments;
  /** The address of a definition in QEMU's manual, where there is one. */
  readonly manual: (definition: Definition) => string | undefined;
  /** The file name, without extension, of the TypeScript module that has a definition's types. */
  readonly file: (definition: Definition) => string;
}

/** As strings, the names of types of the runtime. */
const builtinTypes: Record<BuiltinName, Code | 'Int64' | 'Json'> = {
  str: code`string`,
  number: code`number`,
  int: 'Int64',
  int8: code`number`,
  int16: code`number`,
  int32: code`number`,
  int64: 'Int64',
  uint8: code`number`,
  uint16: code`number`,
  uint32: code`number`,
  uint64: 'Int64',
  size: 'Int64',
  bool: code`boolean`,
  any: 'Json',
  null: code`null`,
};

export const runtimePackage = '@qapi-ts/runtime';

/** Turns references to types into code, and remembers what they need to be imported from where. */
export class References {
  readonly #context: EmitContext;
  /** The file whose types need no import; none in files that hold no types. */
  readonly #home: string | undefined;
  /** By where they come from, the names, and whether they are needed at run time. */
  readonly #imports = new Map<string, Map<string, boolean>>();

  constructor(context: EmitContext, home?: string) {
    this.#context = context;
    this.#home = home;
  }

  type(type: Type): Code {
    return unionType(this.alternatives(type));
  }

  /** What a type is the union of. */
  alternatives(type: Type): Code[] {
    switch (type.kind) {
      case 'builtin': {
        const builtin = builtinTypes[type.name];
        return [typeof builtin === 'string' ? this.runtime(builtin) : builtin];
      }
      case 'array':
        return [arrayType(this.alternatives(type.element))];
      default:
        if (type.kind === 'enum' && type.implicit === 'predefined') return literals(type.values);
        return [this.#local(this.#context.names.type(type), type)];
    }
  }

  /** The interface of a branch. */
  branch(union: UnionType, path: readonly string[]): Code {
    return this.#local(this.#context.names.branch(union, path), union);
  }

  /** The validator of a type, as the runtime takes it: by name, unless the type has none. */
  validator(type: Type): Code {
    switch (type.kind) {
      case 'builtin':
        return code`${type.name}`;
      case 'array':
        return array([this.validator(type.element)]);
      default: {
        if (type.kind === 'enum' && type.implicit === 'predefined') {
          const values = type.values.map(({ name }) => property(propertyName(name), code`${name}`));
          return call(this.runtime('enumeration', true), [object(values)]);
        }
        if (type.kind === 'struct' && type.implicit === 'wrapper') return this.struct(type);
        return this.#local(this.#context.names.validator(type), type, true);
      }
    }
  }

  /** The description of a struct for the runtime. */
  struct({ members, base }: StructType): Code {
    const described = members.map(({ name, type, optional, ...member }) => {
      const validator = this.validator(type);
      const noted = notes(member);
      const value = noted.length === 0 ? validator : object([property(code`type`, validator), ...noted]);
      // To TypeScript, that of all objects is what is expected of a member of such a name.
      const isLiteral = name in Object.prototype && /^\W/u.test(String(value));
      return property(propertyName(optional ? `${name}?` : name), isLiteral ? code`${value} as const` : value);
    });
    const bases = base ? [arrow(this.validator(base))] : [];
    return call(this.runtime('struct', true), [arrow(object(described)), ...bases]);
  }

  /** @param atRunTime whether it is more than a type */
  runtime(name: string, atRunTime = false): Code {
    return this.#import(name, runtimePackage, atRunTime);
  }

  /**
   * Packages first.
   *
   * @param further goes before the names that come from the runtime
   */
  imports(...further: readonly Code[]): Code {
    const key = (from: string): string => (from.startsWith('.') ? `~${from}` : from);
    const declarations = [...this.#imports]
      .toSorted(([a], [b]) => (key(a) < key(b) ? -1 : 1))
      .map(([from, names]) => {
        const isTypeOnly = ![...names.values()].includes(true);
        const imported = [...names]
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, atRunTime]) => (isTypeOnly || atRunTime ? identifier(name) : code`type ${identifier(name)}`));
        const all = from === runtimePackage ? [...further, ...imported] : imported;
        return code`import ${isTypeOnly ? code`type ` : code``}${braces(all)} from ${from};`;
      });
    return join(declarations, '\n');
  }

  #local(name: string, definition: Definition, atRunTime = false): Code {
    const file = this.#context.file(definition);
    return file === this.#home ? identifier(name) : this.#import(name, `./${file}.js`, atRunTime);
  }

  #import(name: string, from: string, atRunTime: boolean): Code {
    const names = this.#imports.get(from) ?? new Map<string, boolean>();
    this.#imports.set(from, names.set(name, atRunTime || (names.get(name) ?? false)));
    return identifier(name);
  }
}

/** What the runtime is told of a thing beside its type, as members of an object. */
export function notes({ features, condition }: { features: readonly Feature[]; condition?: Condition }): Code[] {
  const has = (name: string): boolean => features.some((feature) => feature.name === name);
  return [
    ...(has('deprecated') ? [code`deprecated: true`] : []),
    ...(has('unstable') ? [code`unstable: true`] : []),
    ...(condition ? [property(code`if`, code`${formatCondition(condition)}`)] : []),
  ];
}

/**
 * @param file the name, without extension, of the file that it is for
 * @returns undefined when the module defines no types
 */
export function emitModule(module: Module, file: string, context: EmitContext): Code | undefined {
  const emitter = new ModuleEmitter(context, new References(context, file));
  const parts = module.definitions.flatMap((definition) => emitter.definition(definition));
  return parts.length === 0 ? undefined : join([emitter.references.imports(), ...parts], '\n\n');
}

/** Its methods return what has a blank line before and behind. */
class ModuleEmitter {
  readonly #context: EmitContext;
  readonly references: References;

  constructor(context: EmitContext, references: References) {
    this.#context = context;
    this.references = references;
  }

  definition(definition: Definition): Code[] {
    switch (definition.kind) {
      case 'enum':
        return [this.#enum(definition, this.#docs(definition))];
      case 'struct':
        return this.#struct(definition, this.#docs(definition), definition.doc);
      case 'union':
        return this.#union(definition);
      case 'alternate':
        return [this.#alternate(definition)];
      case 'command':
        return this.#arguments(definition, definition.arguments, 'Arguments of the command');
      case 'event':
        return this.#arguments(definition, definition.data, 'Data of the event');
    }
  }

  #enum(type: EnumType, docs: Code): Code {
    const { comments } = this.#context;
    const name = this.#nameOf(type);
    const values = type.values.map((value) => {
      const entry = property(propertyName(value.name), code`${value.name}`);
      return code`${docComment(comments.member(value, type.doc))}${entry},`;
    });
    const known = code`(typeof ${name})[keyof typeof ${name}]`;
    const validator = call(this.references.runtime('enumeration', true), [name, ...valueNotes(type)]);
    const table = code`{
      ${values}
      } as const`;
    return code`${docs}${assignment(code`export const ${name}`, table)}
      ${alias(name, [known, this.references.runtime('UnknownEnumValue')])}
      ${
        // Of what it has checked, every value is known.
        this.#validator(type, validator, known)
      }`;
  }

  #struct(struct: StructType, docs: Code, doc: Doc | undefined): Code[] {
    const name = this.#nameOf(struct);
    const validator = this.#validator(struct, this.references.struct(struct));
    if (isEmpty(struct)) {
      const type = alias(name, [this.references.runtime('EmptyObject')]);
      return [code`${docs}${type}\n${validator}`];
    }
    const bases = struct.base ? [struct.base] : [];
    return [this.#interface(name, bases, this.#properties(struct.members, doc), docs), validator];
  }

  /** Whether a value is of the type. */
  #validator(type: NamedType, initializer: Code, checked = this.#nameOf(type)): Code {
    const name = identifier(this.#context.names.validator(type));
    const annotation = generic(this.references.runtime('Validator'), [checked]);
    // So that bundlers leave out what a program does not use.
    return assignment(code`export const ${name}: ${annotation}`, pure(initializer));
  }

  #union(union: UnionType): Code[] {
    const { names } = this.#context;
    const { base, discriminator } = union;
    const parts: Code[] = [];
    if (discriminator.type.implicit === 'discriminator') parts.push(this.#enum(discriminator.type, code``));
    if (base.implicit) {
      const docs = docComment(`What all branches of {@link ${names.type(union)}} have.`);
      parts.push(...this.#struct(base, docs, union.doc));
    }
    const leaves = leafPaths(union).map((path) => identifier(names.branch(union, path)));
    const type = alias(this.#nameOf(union), leaves);
    parts.push(code`${this.#docs(union)}${type}\n${this.#unionValidator(union)}`);
    return [...parts, ...branchGroups(union).flatMap((group) => this.#group(union, group))];
  }

  #unionValidator(union: UnionType): Code {
    const branches = union.branches.flatMap(({ name, type }) =>
      type && !isEmpty(type) ? [property(propertyName(name), this.references.validator(type))] : [],
    );
    const description = arrow(array([this.references.validator(union.base), object(branches)]));
    const callee = this.references.runtime('union', true);
    return this.#validator(union, call(callee, [code`${union.discriminator.name}`, description]));
  }

  #group(union: UnionType, group: BranchGroup): Code[] {
    const { names, comments } = this.#context;
    const { base, discriminator } = union;
    const { type } = group;
    const docs = docComment(comments.branches(group.branches, discriminator.type));
    const tag = code`${propertyName(discriminator.name)}: ${unionType(literals(group.branches))};`;
    const nameOf = (path: readonly string[]): Code => identifier(names.branch(union, path));
    const name = nameOf([group.name]);
    if (type?.kind === 'union') {
      const paths = groupPaths(group);
      const interfaces = paths.map((path) =>
        this.#interface(nameOf(path), [base], [tag], code``, [this.references.branch(type, path.slice(1))]),
      );
      return [code`${docs}${alias(name, paths.map(nameOf))}`, ...interfaces];
    }
    // The `{ data }` around a value, in unions without discriminator, is a type of its own nowhere else either.
    if (type?.implicit === 'wrapper') {
      return [this.#interface(name, [base], [tag, ...this.#properties(type.members, undefined)], docs)];
    }
    return [this.#interface(name, type ? [base, type] : [base], [tag], docs)];
  }

  #alternate(alternate: AlternateType): Code {
    const remark = this.#context.comments.alternatives(alternate.alternatives, alternate.doc);
    const types = alternate.alternatives.flatMap(({ type }) => this.references.alternatives(type));
    const distinct = [...new Map(types.map((type) => [String(type), type])).values()];
    const validators = alternate.alternatives.map(({ type }) => this.references.validator(type));
    const validator = call(this.references.runtime('alternate', true), [arrow(array(validators))]);
    return code`${this.#docs(alternate, remark)}${alias(this.#nameOf(alternate), distinct)}
      ${this.#validator(alternate, validator)}`;
  }

  #arguments(owner: Command | Event, data: ObjectType | undefined, what: string): Code[] {
    if (data?.kind !== 'struct' || data.implicit !== 'arguments') return [];
    return this.#struct(data, docComment(`${what} \`${owner.name}\`.`), owner.doc);
  }

  #interface(
    name: Code,
    bases: readonly ObjectType[],
    properties: readonly Code[],
    docs: Code,
    further: readonly Code[] = [],
  ): Code {
    // An empty type would forbid all members to what extends it.
    const parents = [...bases.filter((base) => !isEmpty(base)).map((base) => this.references.type(base)), ...further];
    return code`${docs}export interface ${interfaceHead(name, parents)} {
      ${properties}
      }`;
  }

  #properties(members: readonly Member[], doc: Doc | undefined): Code[] {
    return members.map((member) => {
      const docs = docComment(this.#context.comments.member(member, doc));
      const types = this.references.alternatives(member.type);
      const name = propertyName(member.name);
      return member.optional
        ? code`${docs}${name}?: ${unionType([...types, code`undefined`])};`
        : code`${docs}${name}: ${unionType(types)};`;
    });
  }

  #docs(definition: Definition, remark?: string): Code {
    return docComment(this.#context.comments.definition(definition, this.#context.manual(definition), remark));
  }

  #nameOf(type: NamedType): Code {
    return identifier(this.#context.names.type(type));
  }
}

/** The values of an enum that there is something to tell of. */
function valueNotes({ values }: EnumType): Code[] {
  const noted = values.flatMap((value) => {
    const told = notes(value);
    return told.length === 0 ? [] : [property(propertyName(value.name), object(told))];
  });
  return noted.length === 0 ? [] : [object(noted)];
}

function literals(values: readonly { readonly name: string }[]): Code[] {
  return values.map(({ name }) => code`${name}`);
}
