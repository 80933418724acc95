/** The types of one QAPI module as the structures of one TypeScript module. */

import {
  StructureKind,
  VariableDeclarationKind,
  type ImportDeclarationStructure,
  type InterfaceDeclarationStructure,
  type JSDocStructure,
  type OptionalKind,
  type PropertySignatureStructure,
  type SourceFileStructure,
  type StatementStructures,
} from 'ts-morph';

import type {
  AlternateType,
  BuiltinName,
  Command,
  Definition,
  Doc,
  EnumType,
  Event,
  Member,
  Module,
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

/** Turns references to types into text, and remembers what they need to be imported from where. */
export class References {
  readonly #context: EmitContext;
  /** The file whose types need no import; none in files that hold no types. */
  readonly #home: string | undefined;
  readonly #imports = new Map<string, Set<string>>();

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

  runtime(name: string): string {
    return this.#import(name, runtimePackage);
  }

  /** Packages first. */
  imports(): Import[] {
    return [...this.#imports]
      .map(([from, names]) => ({ from, names: [...names].toSorted() }))
      .toSorted((a, b) => (importKey(a) < importKey(b) ? -1 : 1));
  }

  #local(name: string, definition: Definition): string {
    const file = this.#context.file(definition);
    return file === this.#home ? name : this.#import(name, `./${file}.js`);
  }

  #import(name: string, from: string): string {
    const names = this.#imports.get(from) ?? new Set();
    this.#imports.set(from, names.add(name));
    return name;
  }
}

interface Import {
  readonly from: string;
  readonly names: readonly string[];
}

function importKey({ from }: Import): string {
  return from.startsWith('.') ? `~${from}` : from;
}

export function typeImport({ from, names }: Import): ImportDeclarationStructure {
  return {
    kind: StructureKind.ImportDeclaration,
    moduleSpecifier: from,
    isTypeOnly: true,
    namedImports: names.map((name) => ({ name })),
  };
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
    statements: [...emitter.references.imports().map(typeImport), ...statements],
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
        return [this.#alternate(definition)];
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
    ];
  }

  #struct(struct: StructType, docs: OptionalKind<JSDocStructure>[], doc: Doc | undefined): StatementStructures[] {
    const name = this.#context.names.type(struct);
    if (isEmpty(struct)) {
      return [this.#alias(name, [this.references.runtime('EmptyObject')], docs)];
    }
    return [this.#interface(name, struct.base ? [struct.base] : [], this.#properties(struct.members, doc), docs)];
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
    for (const group of branchGroups(union)) statements.push(...this.#group(union, group));
    return statements;
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

  #alternate(alternate: AlternateType): StatementStructures {
    const remark = this.#context.comments.alternatives(alternate.alternatives, alternate.doc);
    const types = alternate.alternatives.map(({ type }) => this.references.type(type));
    return this.#alias(this.#context.names.type(alternate), [...new Set(types)], this.#docs(alternate, remark));
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

function literals(values: readonly { readonly name: string }[]): string {
  return values.map(({ name }) => quote(name)).join(' | ');
}

/** Names are ASCII letters, digits, `-`, `_` and `.`: nothing in them needs an escape. */
export function quote(name: string): string {
  return `'${name}'`;
}

function propertyName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/u.test(name) ? name : quote(name);
}
