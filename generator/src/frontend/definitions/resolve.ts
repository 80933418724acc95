/** Builds the model: resolves names to types, and adds implicit types. `check.ts` then checks the semantics. */

import {
  isObjectType,
  type AlternateType,
  type Alternative,
  type Branch,
  type Command,
  type Condition,
  type Definition,
  type EnumType,
  type EnumValue,
  type Event,
  type Member,
  type Mutable,
  type ObjectType,
  type StructType,
  type Type,
  type UnionType,
} from '../../model.js';
import { optional } from '../../optional.js';
import type { Dialect } from '../dialect.js';
import { toDoc } from '../docs/model.js';
import type {
  AlternateSyntax,
  BranchSyntax,
  CommandSyntax,
  DefinitionSyntax,
  EnumSyntax,
  EventSyntax,
  FeatureSyntax,
  MemberSyntax,
  StructSyntax,
  TypeSyntax,
  UnionSyntax,
  ValueSyntax,
} from '../expressions/syntax.js';
import type { Reporter } from '../reporter.js';
import { article, describeType } from './describe.js';
import { implicitStruct, simpleUnion } from './implicit.js';
import { predefined, qtype, Scope } from './scope.js';

/** The maximum length of chains of bases and branches: longer ones could exhaust the stack. */
export const maxNesting = 100;

/** A definition in the model, and its syntax. */
export type ResolvedDefinition =
  | Resolved<EnumSyntax, EnumType>
  | Resolved<StructSyntax, StructType>
  | Resolved<UnionSyntax, UnionType>
  | Resolved<AlternateSyntax, AlternateType>
  | Resolved<CommandSyntax, Command>
  | Resolved<EventSyntax, Event>;

interface Resolved<S extends DefinitionSyntax, D extends Definition> {
  readonly kind: S['meta'];
  readonly syntax: S;
  readonly definition: D;
}

export interface Resolution {
  /** In source order, without definitions whose name is already taken. */
  readonly definitions: readonly ResolvedDefinition[];
  /** The definitions that are incomplete because of an error, which has been reported. */
  readonly broken: ReadonlySet<Definition>;
}

/**
 * Resolves all definitions. Reports names that do not exist, or that refer to the wrong kind of type.
 *
 * @param moduleOf returns the name of a definition's module
 */
export function resolve(
  syntaxes: readonly DefinitionSyntax[],
  moduleOf: (syntax: DefinitionSyntax) => string,
  dialect: Dialect,
  reporter: Reporter,
): Resolution {
  const resolver = new Resolver(moduleOf, dialect, reporter);
  resolver.resolve(syntaxes);
  return resolver;
}

/** A definition whose references may not be resolved yet. */
type Draft<K extends Definition['kind'] = Definition['kind']> = Extract<Drafts, { readonly kind: K }>;
type Drafts =
  | Resolved<EnumSyntax, Mutable<EnumType>>
  | Resolved<StructSyntax, Mutable<StructType>>
  | Resolved<UnionSyntax, Mutable<UnionType>>
  | Resolved<AlternateSyntax, Mutable<AlternateType>>
  | Resolved<CommandSyntax, Mutable<Command>>
  | Resolved<EventSyntax, Mutable<Event>>;

/** The base of a union until it is resolved, and if it has an error. */
const nothing: StructType = { kind: 'struct', name: '', ...predefined, members: [] };

class Resolver implements Resolution {
  readonly definitions: Draft[] = [];
  readonly broken = new Set<Definition>();
  readonly #scope = new Scope();
  readonly #moduleOf: (syntax: DefinitionSyntax) => string;
  readonly #dialect: Dialect;
  readonly #reporter: Reporter;

  constructor(moduleOf: (syntax: DefinitionSyntax) => string, dialect: Dialect, reporter: Reporter) {
    this.#moduleOf = moduleOf;
    this.#dialect = dialect;
    this.#reporter = reporter;
  }

  /** Resolves all definitions in steps. Each step requires the previous one to be complete for all definitions. */
  resolve(syntaxes: readonly DefinitionSyntax[]): void {
    for (const syntax of syntaxes) this.#declare(syntax);
    for (const draft of this.definitions) this.#fill(draft);
    for (const draft of this.definitions) if (draft.kind === 'union') this.#completeUnion(draft);
  }

  // First step: define all names.

  #declare(syntax: DefinitionSyntax): void {
    const { name, nameOffset } = syntax;
    const reportAt = this.#reporter.inDefinition(syntax);
    const previous = this.#scope.definition(name);
    if (previous) {
      const related = { message: `the previous definition of '${name}' is here`, position: previous.position };
      reportAt(nameOffset, `'${name}' is already defined`, related);
    } else if (this.#scope.isPredefined(name)) {
      reportAt(nameOffset, `'${name}' is the name of a built-in type`);
    } else {
      const draft = this.#draft(syntax);
      this.definitions.push(draft);
      this.#scope.define(draft.definition);
      if (syntax.broken) this.broken.add(draft.definition);
    }
  }

  #draft(syntax: DefinitionSyntax): Draft {
    const common = this.#common(syntax);
    const { meta: kind } = syntax;
    switch (kind) {
      case 'enum': {
        const values = syntax.values.map(toValue);
        return { kind, syntax, definition: { kind, ...common, values, ...optional('prefix', syntax.prefix) } };
      }
      case 'struct':
        return { kind, syntax, definition: { kind, ...common, members: [] } };
      case 'union': {
        const discriminator = { name: 'type', type: qtype, optional: false, features: [] };
        return { kind, syntax, definition: { kind, ...common, base: nothing, discriminator, branches: [] } };
      }
      case 'alternate':
        return { kind, syntax, definition: { kind, ...common, alternatives: [] } };
      case 'command':
        return { kind, syntax, definition: { kind, ...common, ...toFlags(syntax) } };
      case 'event':
        return { kind, syntax, definition: { kind, ...common, boxed: syntax.flags.has('boxed') } };
    }
  }

  #common(
    syntax: DefinitionSyntax,
  ): Pick<Definition, 'name' | 'module' | 'position' | 'condition' | 'features' | 'doc'> {
    const { name, source, offset, condition, features, doc } = syntax;
    return {
      name,
      module: this.#moduleOf(syntax),
      position: source.quote(offset),
      ...optional('condition', condition),
      features: features.map(toFeature),
      ...optional('doc', doc && toDoc(doc, source.position(doc.offset))),
    };
  }

  // Second step: resolve references to types.

  #fill(draft: Draft): void {
    switch (draft.kind) {
      case 'enum':
        return;
      case 'struct':
        return this.#fillStruct(draft);
      case 'union':
        return this.#fillUnion(draft);
      case 'alternate':
        return this.#fillAlternate(draft);
      case 'command':
        return this.#fillCommand(draft);
      case 'event':
        return this.#fillEvent(draft);
    }
  }

  #fillStruct(draft: Draft<'struct'>): void {
    const { syntax, definition: struct } = draft;
    struct.members = this.#members(draft, syntax.members);
    const base = syntax.base && this.#baseType(draft, syntax.base);
    if (base) struct.base = base;
    else if (syntax.base) this.broken.add(struct);
  }

  #fillUnion(draft: Draft<'union'>): void {
    const { syntax, definition: union } = draft;
    const branchType = (branch: BranchSyntax): Type | undefined =>
      this.#type(draft, branch.type, `branch '${branch.name}'`);
    if (!syntax.discriminator && !syntax.base) {
      Object.assign(union, simpleUnion(union, syntax.branches, branchType));
      return;
    }
    const base =
      syntax.base && 'members' in syntax.base
        ? implicitStruct(union, 'base', this.#members(draft, syntax.base.members))
        : syntax.base && this.#baseType(draft, syntax.base);
    if (base) union.base = base;
    else this.broken.add(union);
    union.branches = syntax.branches.flatMap((branch) => this.#branch(draft, branch, branchType(branch)));
  }

  #branch(draft: Draft, { name, type: { offset }, condition }: BranchSyntax, type: Type | undefined): Branch[] {
    if (!type) return [];
    const allowsUnions = !this.#dialect.enforces('no-union-branches');
    if (isObjectType(type) && (type.kind === 'struct' || allowsUnions))
      return [{ name, type, ...optional('condition', condition) }];
    const wanted = isObjectType(type) ? 'a struct' : 'a struct or union';
    this.#report(draft, offset, `branch '${name}' must be ${wanted}, not ${describeType(type)}`);
    return [];
  }

  #fillAlternate(draft: Draft<'alternate'>): void {
    const { syntax, definition: alternate } = draft;
    alternate.alternatives = syntax.alternatives.flatMap(({ name, type: reference, condition }): Alternative[] => {
      const title = `alternative '${name}'`;
      const type = this.#type(draft, reference, title);
      if (!type) return [];
      if (type.kind === 'alternate' || (type.kind === 'builtin' && type.name === 'any')) {
        const message = `${title} cannot be ${describeType(type)}: it has no JSON kind of its own`;
        this.#report(draft, reference.offset, message);
        return [];
      }
      return [{ name, type, ...optional('condition', condition) }];
    });
  }

  #fillCommand(draft: Draft<'command'>): void {
    const { syntax, definition: command } = draft;
    const data = this.#data(draft);
    const returns = syntax.returns && this.#type(draft, syntax.returns, "'returns'");
    if (data) command.arguments = data;
    if (returns) command.returns = returns;
  }

  #fillEvent(draft: Draft<'event'>): void {
    const data = this.#data(draft);
    if (data) draft.definition.data = data;
  }

  #data(draft: Draft<'command' | 'event'>): ObjectType | undefined {
    const { data, meta } = draft.syntax;
    if (!data) return undefined;
    if ('members' in data) {
      if (data.members.length === 0) return undefined;
      return implicitStruct(draft.definition, 'arguments', this.#members(draft, data.members));
    }
    const type = this.#type(draft, data, `'data' of the ${meta}`);
    if (!type || isObjectType(type)) return type;
    this.#report(draft, data.offset, `'data' must be a struct or union, not ${describeType(type)}`);
    return undefined;
  }

  #baseType(draft: Draft, reference: TypeSyntax): StructType | undefined {
    const type = this.#type(draft, reference, "'base'");
    if (!type || type.kind === 'struct') return type;
    this.#report(draft, reference.offset, `'base' must be a struct, not ${describeType(type)}`);
    return undefined;
  }

  #members(draft: Draft, members: readonly MemberSyntax[]): Member[] {
    return members.flatMap(({ name, type: reference, optional: isOptional, condition, features }) => {
      const type = this.#type(draft, reference, `member '${name}'`);
      if (!type) return [];
      const rest = { ...optional('condition', condition), features: features.map(toFeature) };
      return [{ name, type, optional: isOptional, ...rest }];
    });
  }

  /**
   * Resolves a reference to a type.
   *
   * @param user the title, in messages, of the part that contains the reference
   */
  #type(draft: Draft, { name, array, offset }: TypeSyntax, user: string): Type | undefined {
    const type = this.#scope.type(name);
    if (type) return array ? this.#scope.arrayOf(type) : type;
    const other = this.#scope.definition(name)?.kind;
    const hint = other ? `; '${name}' is ${article(other)}` : this.#reporter.hint(name, this.#scope.typeNames());
    this.#report(draft, offset, `${user} uses unknown type '${name}'${hint}`);
    this.broken.add(draft.definition);
    return undefined;
  }

  // Third step: find the discriminators, which may be members of a base's base.

  #completeUnion({ syntax, definition: union }: Draft<'union'>): void {
    if (!syntax.discriminator || this.broken.has(union)) return;
    const member = findMember(union.base, syntax.discriminator.name);
    if (member?.type.kind !== 'enum') return;
    union.discriminator = { ...member, type: member.type };
    const written = new Set(syntax.branches.map(({ name }) => name));
    const empty = member.type.values.filter(({ name }) => !written.has(name));
    union.branches = [
      ...union.branches,
      ...empty.map(({ name, condition }) => ({ name, ...optional('condition', condition) })),
    ];
  }

  #report({ syntax }: Draft, offset: number, message: string): void {
    this.#reporter.inDefinition(syntax)(offset, message);
  }
}

/**
 * Returns the member of a struct or of its bases, which take precedence. The bases may still form a cycle or a chain
 * that is too long, because this is checked later.
 */
function findMember(struct: StructType, name: string): Member | undefined {
  let found: Member | undefined;
  let type: StructType | undefined = struct;
  for (let depth = 0; type && depth < maxNesting; depth += 1) {
    found = type.members.find((member) => member.name === name) ?? found;
    type = type.base;
  }
  return found;
}

function toValue({ name, condition, features }: ValueSyntax): EnumValue {
  return { name, ...optional('condition', condition), features: features.map(toFeature) };
}

function toFlags({ flags }: CommandSyntax): Omit<Command, keyof EnumType | 'arguments' | 'returns'> {
  return {
    boxed: flags.has('boxed'),
    gen: !flags.has('gen'),
    successResponse: !flags.has('success-response'),
    allowOob: flags.has('allow-oob'),
    allowPreconfig: flags.has('allow-preconfig'),
    coroutine: flags.has('coroutine'),
  };
}

function toFeature({ name, condition }: FeatureSyntax): { name: string; condition?: Condition } {
  return { name, ...optional('condition', condition) };
}
