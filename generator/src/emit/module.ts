/** The types of one QAPI module as the structures of one TypeScript module. */

import {
  StructureKind,
  VariableDeclarationKind,
  type ImportDeclarationStructure,
  type ImportSpecifierStructure,
  type InterfaceDeclarationStructure,
  type JSDocStructure,
  type OptionalKind,
  type PropertySignatureStructure,
  type SourceFileStructure,
  type StatementStructures,
} from 'ts-morph';

import { formatCondition } from '../condition.js';
import type {
  AlternateType,
  BuiltinName,
  Command,
  Condition,
  Definition,
  Doc,
  EnumType,
  Event,
  Feature,
  Member,
  Module,
  NamedType,
  ObjectType,
  StructType,
  Type,
  UnionType,
} from '../model.js';
import type { Comments } from './comment.js';
import type { Names } from './names.js';
import { branchGroups, groupPaths, isEmpty, leafPaths, type BranchGroup } from './union.js';

export interface EmitContext {
  readonly names: Names;
  readonly comments: Comments;
  /** The address of a definition in QEMU's manual, where there is one. */
  readonly manual: (definition: Definition) => string | undefined;
  /** The file name, without extension, of the TypeScript module that has a definition's types. */
  readonly file: (definition: Definition) => string;
}

const builtinTypes: Record<BuiltinName, string> = {
  str: 'string',
  number: 'number',
  int: 'Int64',
  int8: 'number',
  int16: 'number',
  int32: 'number',
  int64: 'Int64',
  uint8: 'number',
  uint16: 'number',
  uint32: 'number',
  uint64: 'Int64',
  size: 'Int64',
  bool: 'boolean',
  any: 'Json',
  null: 'null',
};

export const runtimePackage = '@qapi-ts/runtime';

type Import = ImportDeclarationStructure & { namedImports: OptionalKind<ImportSpecifierStructure>[] };

/** Turns references to types into text, and remembers what they need to be imported from where. */
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

  type(type: Type): string {
    switch (type.kind) {
      case 'builtin': {
        const text = builtinTypes[type.name];
        return text === 'Int64' || text === 'Json' ? this.runtime(text) : text;
      }
      case 'array': {
        const element = this.type(type.element);
        return element.includes(' ') ? `(${element})[]` : `${element}[]`;
      }
      default:
        if (type.kind === 'enum' && type.implicit === 'predefined') return literals(type.values);
        return this.#local(this.#context.names.type(type), type);
    }
  }

  /** The interface of a branch. */
  branch(union: UnionType, path: readonly string[]): string {
    return this.#local(this.#context.names.branch(union, path), union);
  }

  /** The validator of a type, as the runtime takes it: by name, unless the type has none. */
  validator(type: Type): string {
    switch (type.kind) {
      case 'builtin':
        return quote(type.name);
      case 'array':
        return `[${this.validator(type.element)}]`;
      default: {
        if (type.kind === 'enum' && type.implicit === 'predefined') {
          return `${this.runtime('enumeration', true)}([${type.values.map(({ name }) => quote(name)).join(', ')}])`;
        }
        if (type.kind === 'struct' && type.implicit === 'wrapper') return this.struct(type);
        return this.#local(this.#context.names.validator(type), type, true);
      }
    }
  }

  /** The description of a struct for the runtime. */
  struct({ members, base }: StructType): string {
    const parts = members.map(({ name, type, optional, ...member }) => {
      const validator = this.validator(type);
      const noted = notes(member);
      const key = optional ? quote(`${name}?`) : propertyName(name);
      const described = noted === '' ? validator : `{ type: ${validator}, ${noted} }`;
      // To TypeScript, that of all objects is what is expected of a member of such a name.
      const isLiteral = name in Object.prototype && /^\W/u.test(described);
      return `${key}: ${described}${isLiteral ? ' as const' : ''}`;
    });
    const text = `() => (${parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`})`;
    return `${this.runtime('struct', true)}(${text}${base ? `, () => ${this.validator(base)}` : ''})`;
  }

  /** @param atRunTime whether it is more than a type */
  runtime(name: string, atRunTime = false): string {
    return this.#import(name, runtimePackage, atRunTime);
  }

  /** Packages first. */
  imports(): Import[] {
    const key = (from: string): string => (from.startsWith('.') ? `~${from}` : from);
    return [...this.#imports]
      .toSorted(([a], [b]) => (key(a) < key(b) ? -1 : 1))
      .map(([from, names]) => {
        const isTypeOnly = ![...names.values()].includes(true);
        const namedImports = [...names]
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, atRunTime]) => ({ name, isTypeOnly: !isTypeOnly && !atRunTime }));
        return { kind: StructureKind.ImportDeclaration, moduleSpecifier: from, isTypeOnly, namedImports };
      });
  }

  #local(name: string, definition: Definition, atRunTime = false): string {
    const file = this.#context.file(definition);
    return file === this.#home ? name : this.#import(name, `./${file}.js`, atRunTime);
  }

  #import(name: string, from: string, atRunTime: boolean): string {
    const names = this.#imports.get(from) ?? new Map<string, boolean>();
    this.#imports.set(from, names.set(name, atRunTime || (names.get(name) ?? false)));
    return name;
  }
}

/** What the runtime is told of a thing beside its type, as members of an object. */
export function notes({ features, condition }: { features: readonly Feature[]; condition?: Condition }): string {
  const has = (name: string): boolean => features.some((feature) => feature.name === name);
  const parts = ['deprecated', 'unstable'].filter(has).map((name) => `${name}: true`);
  if (condition) parts.push(`if: ${quote(formatCondition(condition))}`);
  return parts.join(', ');
}

/**
 * @param file the name, without extension, of the file that it is for
 * @returns undefined when the module defines no types
 */
export function emitModule(module: Module, file: string, context: EmitContext): SourceFileStructure | undefined {
  const emitter = new ModuleEmitter(context, new References(context, file));
  const statements = spaced(module.definitions.flatMap((definition) => emitter.definition(definition)));
  if (statements.length === 0) return undefined;
  return {
    kind: StructureKind.SourceFile,
    statements: [...emitter.references.imports(), ...statements],
  };
}

class ModuleEmitter {
  readonly #context: EmitContext;
  readonly references: References;

  constructor(context: EmitContext, references: References) {
    this.#context = context;
    this.references = references;
  }

  definition(definition: Definition): StatementStructures[] {
    switch (definition.kind) {
      case 'enum':
        return this.#enum(definition, this.#docs(definition));
      case 'struct':
        return this.#struct(definition, this.#docs(definition), definition.doc);
      case 'union':
        return this.#union(definition);
      case 'alternate':
        return this.#alternate(definition);
      case 'command':
        return this.#arguments(definition, definition.arguments, 'Arguments of the command');
      case 'event':
        return this.#arguments(definition, definition.data, 'Data of the event');
    }
  }

  #enum(type: EnumType, docs: OptionalKind<JSDocStructure>[]): StatementStructures[] {
    const name = this.#context.names.type(type);
    const values = type.values.map((value) => {
      const comment = this.#context.comments.member(value, type.doc);
      return `${comment === undefined ? '' : blockComment(comment)}${quote(value.name)},`;
    });
    return [
      {
        kind: StructureKind.VariableStatement,
        isExported: true,
        declarationKind: VariableDeclarationKind.Const,
        declarations: [{ name, initializer: `[\n${values.join('\n')}\n] as const` }],
        docs,
      },
      {
        ...this.#alias(name, [`(typeof ${name})[number]`, this.references.runtime('UnknownEnumValue')], []),
        leadingTrivia: '',
      },
      // Of what it has checked, every value is known.
      this.#validator(
        type,
        `${this.references.runtime('enumeration', true)}(${name}${valueNotes(type)})`,
        `(typeof ${name})[number]`,
      ),
    ];
  }

  #struct(struct: StructType, docs: OptionalKind<JSDocStructure>[], doc: Doc | undefined): StatementStructures[] {
    const name = this.#context.names.type(struct);
    const validator = this.#validator(struct, this.references.struct(struct));
    if (isEmpty(struct)) {
      return [this.#alias(name, [this.references.runtime('EmptyObject')], docs), validator];
    }
    const bases = struct.base ? [struct.base] : [];
    return [this.#interface(name, bases, this.#properties(struct.members, doc), docs), validator];
  }

  /** Whether a value is of the type, right behind it. */
  #validator(
    type: NamedType,
    initializer: string,
    checked: string = this.#context.names.type(type),
  ): StatementStructures {
    const { names } = this.#context;
    const annotation = `${this.references.runtime('Validator')}<${checked}>`;
    return {
      kind: StructureKind.VariableStatement,
      isExported: true,
      declarationKind: VariableDeclarationKind.Const,
      // So that bundlers leave out what a program does not use.
      declarations: [{ name: names.validator(type), type: annotation, initializer: `/* @__PURE__ */ ${initializer}` }],
      leadingTrivia: '',
    };
  }

  #union(union: UnionType): StatementStructures[] {
    const { names } = this.#context;
    const { base, discriminator } = union;
    const statements: StatementStructures[] = [];
    if (discriminator.type.implicit === 'discriminator') statements.push(...this.#enum(discriminator.type, []));
    if (base.implicit) {
      const docs = toDocs(`What all branches of {@link ${names.type(union)}} have.`);
      statements.push(...this.#struct(base, docs, union.doc));
    }
    statements.push(
      this.#alias(
        names.type(union),
        leafPaths(union).map((path) => names.branch(union, path)),
        this.#docs(union),
      ),
    );
    statements.push(this.#unionValidator(union));
    for (const group of branchGroups(union)) statements.push(...this.#group(union, group));
    return statements;
  }

  #unionValidator(union: UnionType): StatementStructures {
    const branches = union.branches.flatMap(({ name, type }) =>
      type && !isEmpty(type) ? [`${propertyName(name)}: ${this.references.validator(type)}`] : [],
    );
    const description = `[${this.references.validator(union.base)}, { ${branches.join(', ')} }]`;
    const text = `${this.references.runtime('union', true)}(${quote(union.discriminator.name)}, () => ${description})`;
    return this.#validator(union, text);
  }

  #group(union: UnionType, group: BranchGroup): StatementStructures[] {
    const { names, comments } = this.#context;
    const { base, discriminator } = union;
    const { type } = group;
    const docs = toDocs(comments.branches(group.branches, discriminator.type));
    const tag = { name: propertyName(discriminator.name), type: literals(group.branches) };
    const name = names.branch(union, [group.name]);
    if (type?.kind === 'union') {
      const paths = groupPaths(group);
      return [
        this.#alias(
          name,
          paths.map((path) => names.branch(union, path)),
          docs,
        ),
        ...paths.map((path) =>
          this.#interface(names.branch(union, path), [base], [tag], [], [this.references.branch(type, path.slice(1))]),
        ),
      ];
    }
    // The `{ data }` around a value, in unions without discriminator, is a type of its own nowhere else either.
    if (type?.implicit === 'wrapper')
      return [this.#interface(name, [base], [tag, ...this.#properties(type.members, undefined)], docs)];
    return [this.#interface(name, type ? [base, type] : [base], [tag], docs)];
  }

  #alternate(alternate: AlternateType): StatementStructures[] {
    const remark = this.#context.comments.alternatives(alternate.alternatives, alternate.doc);
    const types = alternate.alternatives.map(({ type }) => this.references.type(type));
    const validators = alternate.alternatives.map(({ type }) => this.references.validator(type));
    return [
      this.#alias(this.#context.names.type(alternate), [...new Set(types)], this.#docs(alternate, remark)),
      this.#validator(alternate, `${this.references.runtime('alternate', true)}(() => [${validators.join(', ')}])`),
    ];
  }

  #arguments(owner: Command | Event, data: ObjectType | undefined, what: string): StatementStructures[] {
    if (data?.kind !== 'struct' || data.implicit !== 'arguments') return [];
    return this.#struct(data, toDocs(`${what} \`${owner.name}\`.`), owner.doc);
  }

  #alias(name: string, types: readonly string[], docs: OptionalKind<JSDocStructure>[]): StatementStructures {
    // Conditions that do not hold may leave no branch or alternative.
    return { kind: StructureKind.TypeAlias, isExported: true, name, type: types.join(' | ') || 'never', docs };
  }

  #interface(
    name: string,
    bases: readonly ObjectType[],
    properties: OptionalKind<PropertySignatureStructure>[],
    docs: OptionalKind<JSDocStructure>[],
    further: readonly string[] = [],
  ): InterfaceDeclarationStructure {
    // An empty type would forbid all members to what extends it.
    const parents = bases.filter((base) => !isEmpty(base)).map((base) => this.references.type(base));
    return {
      kind: StructureKind.Interface,
      isExported: true,
      name,
      extends: [...parents, ...further],
      properties,
      docs,
    };
  }

  #properties(members: readonly Member[], doc: Doc | undefined): OptionalKind<PropertySignatureStructure>[] {
    return members.map((member) => {
      const comment = this.#context.comments.member(member, doc);
      const type = this.references.type(member.type);
      return {
        name: propertyName(member.name),
        hasQuestionToken: member.optional,
        type: member.optional ? `${type} | undefined` : type,
        docs: toDocs(comment),
      };
    });
  }

  #docs(definition: Definition, remark?: string): OptionalKind<JSDocStructure>[] {
    return toDocs(this.#context.comments.definition(definition, this.#context.manual(definition), remark));
  }
}

/** With a blank line before each statement that does not say otherwise. */
export function spaced(statements: readonly StatementStructures[]): StatementStructures[] {
  return statements.map((statement) => ({ leadingTrivia: '\n', ...statement }));
}

/** A comment of one line stands on one line. */
export function toDocs(comment: string | undefined): OptionalKind<JSDocStructure>[] {
  if (comment === undefined) return [];
  return [{ description: comment.includes('\n') ? `\n${comment}` : comment }];
}

/** The comment before an element of an array literal, for which ts-morph has no structure. */
function blockComment(text: string): string {
  return text.includes('\n')
    ? `/**\n${text.replaceAll(/^/gmu, ' * ').replaceAll(/ +$/gmu, '')}\n */\n`
    : `/** ${text} */\n`;
}

/** The values of an enum that there is something to tell of. */
function valueNotes({ values }: EnumType): string {
  const noted = values.map((value) => [value.name, notes(value)] as const).filter(([, text]) => text !== '');
  return noted.length === 0 ? '' : `, { ${noted.map(([name, text]) => `${quote(name)}: { ${text} }`).join(', ')} }`;
}

function literals(values: readonly { readonly name: string }[]): string {
  return values.map(({ name }) => quote(name)).join(' | ');
}

/** Names are ASCII letters, digits, `-`, `_` and `.`: nothing in them needs an escape. */
export function quote(name: string): string {
  return `'${name}'`;
}

export function propertyName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/u.test(name) ? name : quote(name);
}
