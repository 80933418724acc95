/** Emits the types of a QAPI module as a TypeScript module. */

import {
  allMembers,
  isEmpty,
  isType,
  type AlternateType,
  type Command,
  type Definition,
  type Doc,
  type EnumType,
  type Event,
  type Member,
  type Module,
  type NamedType,
  type ObjectType,
  type StructType,
  type Type,
  type UnionType,
  type Variant,
} from '../model.js';
import { asUnion, isJoined, structOrUnion, type StructOrUnion } from '../model/variants.js';
import type { Versions } from '../model/versions.js';
import {
  alias,
  array,
  arrow,
  assignment,
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
import { literals, References, type EmitContext } from './references.js';
import { branchGroups, groupPaths, leafPaths, type BranchGroup } from './union.js';

/**
 * Returns the content of a module, or undefined if it defines no types.
 *
 * @param file the name of the module's file, without extension
 */
export function emitModule(module: Module, file: string, context: EmitContext): Code | undefined {
  const emitter = new ModuleEmitter(context, new References(context, file));
  const parts = module.definitions.flatMap((definition) => emitter.definition(definition));
  return parts.length === 0 ? undefined : join([emitter.references.imports(), ...parts], '\n\n');
}

class ModuleEmitter {
  readonly #context: EmitContext;
  readonly references: References;

  constructor(context: EmitContext, references: References) {
    this.#context = context;
    this.references = references;
  }

  /** Returns the code for a definition, in parts to be separated by blank lines. */
  definition(definition: Definition): Code[] {
    if (isType(definition) && definition.variants) return this.#mixed(definition, definition.variants);
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
      return code`${docComment(comments.member(value, type.doc, type.in))}${entry},`;
    });
    const known = code`(typeof ${name})[keyof typeof ${name}]`;
    const validator = (): Code =>
      call(this.references.runtime('enumeration', true), [name, ...this.references.valueNotes(type)]);
    const table = code`{
      ${values}
      } as const`;
    return code`${docs}${assignment(code`export const ${name}`, table)}
      ${alias(name, [known, this.references.runtime('UnknownEnumValue')])}
      ${
        // The validator accepts only known values.
        this.#validator(type, validator, known)
      }`;
  }

  #struct(struct: StructType, docs: Code, doc: Doc | undefined): Code[] {
    const name = this.#nameOf(struct);
    const validator = this.#validator(struct, () => this.references.struct(struct));
    if (isEmpty(struct)) {
      const type = alias(name, [this.references.runtime('EmptyObject')]);
      return [code`${docs}${type}\n${validator}`];
    }
    const bases = struct.base ? [struct.base] : [];
    return [this.#interface(name, bases, this.#properties(struct.members, doc, struct.in), docs), validator];
  }

  #validator(type: NamedType, initializer: () => Code, checked = this.#nameOf(type)): Code {
    const name = identifier(this.#context.names.validator(type));
    const annotation = generic(this.references.runtime('Validator'), [checked]);
    if (this.#context.declarations) return code`export declare const ${name}: ${annotation};`;
    return assignment(code`export const ${name}: ${annotation}`, pure(initializer()));
  }

  #union(union: UnionType): Code[] {
    const { names } = this.#context;
    const { base, discriminator } = union;
    const parts: Code[] = [];
    if (discriminator.type.implicit === 'discriminator') parts.push(this.#enum(discriminator.type, code``));
    if (base.implicit === 'base') {
      const docs = docComment(`Members shared by all branches of {@link ${names.type(union)}}.`);
      parts.push(...this.#struct(base, docs, union.doc));
    }
    const leaves = leafPaths(union).map((path) => identifier(names.branch(union, path)));
    const type = alias(this.#nameOf(union), leaves);
    parts.push(code`${this.#docs(union)}${type}\n${this.#unionValidator(union)}`);
    return [...parts, ...branchGroups(union).flatMap((group) => this.#group(union, group))];
  }

  #unionValidator(union: UnionType): Code {
    return this.#validator(union, () => this.#unionDescription(union, this.references.validator(union.base)));
  }

  #unionDescription(union: UnionType, base: Code): Code {
    const branches = branchGroups(union).flatMap(({ branches: [{ name }], type }) => {
      if (!type) return [];
      const isInline = type.kind === 'struct' && isJoined(type);
      return [property(propertyName(name), isInline ? this.references.struct(type) : this.references.validator(type))];
    });
    const description = arrow(array([base, object(branches)]));
    return call(this.references.runtime('union', true), [code`${union.discriminator.name}`, description]);
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
    // The `{ data }` wrappers of unions without a discriminator are inlined, because they have no name. So are branches whose
    // type differs between versions: as one interface, they are narrowed by one tag.
    if (type?.implicit === 'wrapper' || type?.implicit === 'joined') {
      return [this.#interface(name, [base], [tag, ...this.#properties(type.members, undefined)], docs)];
    }
    return [this.#interface(name, type ? [base, type] : [base], [tag], docs)];
  }

  #alternate(alternate: AlternateType): Code {
    const remark = this.#context.comments.alternatives(alternate.alternatives, alternate.doc);
    const types = alternate.alternatives.flatMap(({ type }) => this.references.alternatives(type));
    const distinct = [...new Map(types.map((type) => [String(type), type])).values()];
    const validator = (): Code => {
      const validators = alternate.alternatives.map(({ type }) => this.references.validator(type));
      return call(this.references.runtime('alternate', true), [arrow(array(validators))]);
    };
    return code`${this.#docs(alternate, remark)}${alias(this.#nameOf(alternate), distinct)}
      ${this.#validator(alternate, validator)}`;
  }

  #arguments(owner: Command | Event, data: ObjectType | undefined, what: string): Code[] {
    const types = data && isJoined(data) ? data.variants.map(({ type }) => type) : [data];
    return types.flatMap((type) => {
      if (type?.kind !== 'struct' || type.implicit !== 'arguments') return [];
      return this.#struct(type, docComment(`${what} \`${owner.name}\`.`), owner.doc);
    });
  }

  /** Returns a type that is a struct in some versions, and a union in others, or unions by different discriminators. */
  #mixed(type: NamedType, variants: readonly Variant[]): Code[] {
    const described = variants.map((variant) => ({ ref: this.#description(variant.type), in: variant.in }));
    const validator = this.#validator(type, () => this.references.joined(described));
    const forms = structOrUnion(type);
    if (forms) return this.#structOrUnion(type, forms, validator);
    const members = type.kind === 'struct' ? type.members : [];
    const properties = this.#properties(members, type.doc, type.in);
    return [this.#interface(this.#nameOf(type), [], properties, this.#docs(type)), validator];
  }

  #structOrUnion(type: NamedType, forms: StructOrUnion, validator: Code): Code[] {
    const { names, comments } = this.#context;
    const both = asUnion(forms);
    const union = both ?? forms.union.type;
    const leaves = leafPaths(union).map((path) => identifier(names.branch(union, path)));
    const parts: Code[] = [];
    if (union.base.implicit) {
      const docs = docComment(`Members shared by all branches of {@link ${names.type(type)}}.`);
      const properties = this.#properties(union.base.members, union.doc);
      parts.push(this.#interface(this.#nameOf(union.base), [], properties, docs));
    }
    parts.push(...branchGroups(union).flatMap((group) => this.#group(union, group)));
    if (!both) {
      const { type: struct, in: versions } = forms.struct;
      const untagged = identifier(names.untagged(type));
      // The absent discriminator narrows the type to this interface.
      const absent = code`${propertyName(union.discriminator.name)}?: undefined;`;
      const properties = [absent, ...this.#properties(allMembers(struct), struct.doc)];
      leaves.push(untagged);
      parts.push(this.#interface(untagged, [], properties, docComment(comments.form(versions))));
    }
    return [code`${this.#docs(type)}${alias(this.#nameOf(type), leaves)}\n${validator}`, ...parts];
  }

  /** Returns the runtime description of a type without a name of its own. */
  #description(type: Type): Code {
    if (type.kind === 'struct') return this.references.struct(type);
    if (type.kind !== 'union') return this.references.validator(type);
    const { base } = type;
    return this.#unionDescription(type, base.implicit ? this.references.struct(base) : this.references.validator(base));
  }

  #interface(
    name: Code,
    bases: readonly ObjectType[],
    properties: readonly Code[],
    docs: Code,
    further: readonly Code[] = [],
  ): Code {
    // Omit empty bases: `EmptyObject` would forbid all members.
    const parents = [...bases.filter((base) => !isEmpty(base)).map((base) => this.references.type(base)), ...further];
    return code`${docs}export interface ${interfaceHead(name, parents)} {
      ${properties}
      }`;
  }

  /** @param owner the versions of a range that have the members' type, if not all have it */
  #properties(members: readonly Member[], doc: Doc | undefined, owner?: Versions): Code[] {
    return members.map((member) => {
      const docs = docComment(this.#context.comments.member(member, doc, owner));
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
