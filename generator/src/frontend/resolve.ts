/**
 * Do the definitions make sense together? Names become references, implicit types come to be, and what QEMU's manual demands of
 * types (docs/devel/qapi-code-gen.rst, "Schema syntax") is checked. Gives the model.
 */

import {
  allMembers,
  builtinNames,
  isObjectType,
  isType,
  type AlternateType,
  type Alternative,
  type ArrayType,
  type Branch,
  type BuiltinName,
  type BuiltinType,
  type Command,
  type Condition,
  type Definition,
  type EnumType,
  type EnumValue,
  type Event,
  type Implicit,
  type Member,
  type ObjectType,
  type StructType,
  type Type,
  type UnionType,
} from '../model.js';
import { optional } from '../optional.js';
import type { Dialect } from './dialect.js';
import { checkDoc } from './check-doc.js';
import { toDoc } from './doc.js';
import { contextOf, type Reporter } from './reporter.js';
import { allFeatures, inlineMembers } from './syntax.js';
import type {
  AlternateSyntax,
  CommandSyntax,
  DefinitionSyntax,
  EventSyntax,
  FeatureSyntax,
  MembersSyntax,
  MemberSyntax,
  Pragmas,
  StructSyntax,
  TypeSyntax,
  UnionSyntax,
  ValueSyntax,
} from './syntax.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Features whose meaning QEMU itself knows. */
const specialFeatures = ['deprecated', 'unstable'];
const maxFeatures = 64;
/** More bases and branches in each other than any schema has would exhaust the stack. */
const maxNesting = 100;

/** @returns the definitions in the order of the syntax; meaningless when the reporter has errors */
export function resolve(
  syntaxes: readonly DefinitionSyntax[],
  moduleOf: (syntax: DefinitionSyntax) => string,
  pragmas: Pragmas,
  dialect: Dialect,
  reporter: Reporter,
): Definition[] {
  return new Resolver(syntaxes, moduleOf, pragmas, dialect, reporter).resolve();
}

const predefined = {
  module: 'builtin',
  position: { file: '', line: 0, column: 0 },
  features: [],
  implicit: 'predefined',
} as const;

/** QAPI's own enum of JSON kinds, which a schema may use. */
const qtype: EnumType = {
  kind: 'enum',
  name: 'QType',
  ...predefined,
  values: ['none', 'qnull', 'qnum', 'qstring', 'qdict', 'qlist', 'qbool'].map((name) => ({ name, features: [] })),
};

/** Stands for the base of a union until the schema's is known; nobody outside sees a union whose base has an error. */
const nothing: StructType = { kind: 'struct', name: '', ...predefined, members: [] };

/** A definition on its way into the model. */
interface Entry {
  readonly definition: Definition;
  /** Turns the names in it into references; all names are known then. */
  readonly fill: () => void;
  /** Checks it; bases and branches may be checked before their turn. */
  readonly check: () => void;
}

/** A member, and how messages call it: `member 'x' of struct 'Base'`. */
interface Seen {
  readonly member: Member;
  readonly title: string;
}

class Resolver {
  readonly #syntaxes: readonly DefinitionSyntax[];
  readonly #moduleOf: (syntax: DefinitionSyntax) => string;
  readonly #pragmas: Pragmas;
  readonly #dialect: Dialect;
  readonly #reporter: Reporter;
  readonly #entries = new Map<string, Entry>();
  readonly #builtins = new Map<string, BuiltinType>(builtinNames.map((name) => [name, { kind: 'builtin', name }]));
  readonly #arrays = new Map<Type, ArrayType>();
  readonly #objectChecks = new Map<ObjectType, () => void>();
  readonly #running = new Set<ObjectType>();
  /** How many levels of bases and branches the types have whose check is done. */
  readonly #depths = new Map<ObjectType, number>();
  /** Types that are not as written, because of an error told before: nothing more is said of them. */
  readonly #broken = new Set<Definition>();

  constructor(
    syntaxes: readonly DefinitionSyntax[],
    moduleOf: (syntax: DefinitionSyntax) => string,
    pragmas: Pragmas,
    dialect: Dialect,
    reporter: Reporter,
  ) {
    this.#syntaxes = syntaxes;
    this.#moduleOf = moduleOf;
    this.#pragmas = pragmas;
    this.#dialect = dialect;
    this.#reporter = reporter;
  }

  resolve(): Definition[] {
    for (const syntax of this.#syntaxes) this.#declare(syntax);
    const entries = [...this.#entries.values()];
    for (const { fill } of entries) fill();
    for (const { check } of entries) check();
    this.#checkFeatureCount();
    return entries.map(({ definition }) => definition);
  }

  #declare(syntax: DefinitionSyntax): void {
    const { name, nameOffset } = syntax;
    const previous = this.#entries.get(name);
    if (previous) {
      const related = { message: `'${name}' was defined here before`, position: previous.definition.position };
      this.#reporter.report(contextOf(syntax), nameOffset, `'${name}' is already defined`, related);
    } else if (this.#builtins.has(name) || name === qtype.name) {
      this.#error(syntax, nameOffset, `'${name}' is the name of a built-in type`);
    } else {
      const entry = this.#entry(syntax);
      const check = (): void => {
        this.#checkClashes(syntax, 'feature', syntax.features);
        if (isType(entry.definition)) this.#checkTypeFeatures(syntax);
        entry.check();
        if (!this.#broken.has(entry.definition)) {
          checkDoc(syntax, this.#pragmas, this.#dialect, this.#reporter);
        }
      };
      this.#entries.set(name, { ...entry, check });
      if (syntax.broken) this.#broken.add(entry.definition);
    }
  }

  #entry(syntax: DefinitionSyntax): Entry {
    const common = this.#common(syntax);
    switch (syntax.meta) {
      case 'enum': {
        const values = syntax.values.map(toValue);
        const definition: EnumType = { kind: 'enum', ...common, values, ...optional('prefix', syntax.prefix) };
        return { definition, fill: () => {}, check: () => this.#checkClashes(syntax, 'value', syntax.values) };
      }
      case 'struct': {
        const definition: Mutable<StructType> = { kind: 'struct', ...common, members: [] };
        this.#objectChecks.set(definition, () => this.#checkStruct(syntax, definition));
        return {
          definition,
          fill: () => this.#fillStruct(syntax, definition),
          check: () => void this.#checkObject(definition),
        };
      }
      case 'union': {
        const discriminator = { name: 'type', type: qtype, optional: false, features: [] };
        const definition: Mutable<UnionType> = { kind: 'union', ...common, base: nothing, discriminator, branches: [] };
        this.#objectChecks.set(definition, () => this.#checkUnion(syntax, definition));
        return {
          definition,
          fill: () => this.#fillUnion(syntax, definition),
          check: () => void this.#checkObject(definition),
        };
      }
      case 'alternate': {
        const definition: Mutable<AlternateType> = { kind: 'alternate', ...common, alternatives: [] };
        const fill = (): void => this.#fillAlternate(syntax, definition);
        return { definition, fill, check: () => this.#checkAlternate(syntax, definition) };
      }
      case 'command': {
        const definition: Mutable<Command> = { kind: 'command', ...common, ...toFlags(syntax) };
        const fill = (): void => this.#fillCommand(syntax, definition);
        return { definition, fill, check: () => this.#checkData(syntax, definition.arguments) };
      }
      case 'event': {
        const definition: Mutable<Event> = { kind: 'event', ...common, boxed: syntax.flags.has('boxed') };
        return {
          definition,
          fill: () => this.#fillEvent(syntax, definition),
          check: () => this.#checkData(syntax, definition.data),
        };
      }
    }
  }

  #common(
    syntax: DefinitionSyntax,
  ): Pick<Definition, 'name' | 'module' | 'position' | 'condition' | 'features' | 'doc'> {
    const { name, source, offset, condition, features, doc } = syntax;
    return {
      name,
      module: this.#moduleOf(syntax),
      position: source.place(offset),
      ...optional('condition', condition),
      features: features.map(toFeature),
      ...optional('doc', doc && toDoc(doc, source.position(doc.offset))),
    };
  }

  // Names into references.

  #fillStruct(syntax: StructSyntax, struct: Mutable<StructType>): void {
    struct.members = this.#members(syntax, syntax.members);
    const base = syntax.base && this.#baseType(syntax, syntax.base);
    if (base) struct.base = base;
    else if (syntax.base) this.#broken.add(struct);
  }

  #fillUnion(syntax: UnionSyntax, union: Mutable<UnionType>): void {
    if (!syntax.discriminator && !syntax.base) return this.#fillSimpleUnion(syntax, union);
    const base =
      syntax.base && 'members' in syntax.base
        ? implicitStruct(union, 'base', this.#members(syntax, syntax.base.members))
        : syntax.base && this.#baseType(syntax, syntax.base);
    if (base) union.base = base;
    else this.#broken.add(union);
    union.branches = syntax.branches.flatMap((branch) => {
      const type = this.#type(syntax, branch.type, `branch '${branch.name}'`);
      if (!type) return [];
      if (!isObjectType(type)) {
        this.#error(
          syntax,
          branch.type.offset,
          `branch '${branch.name}' must be a struct or union, not ${describeType(type)}`,
        );
        return [];
      }
      if (type.kind === 'union' && this.#dialect.enforces('no-union-branches')) {
        this.#error(syntax, branch.type.offset, `branch '${branch.name}' must be a struct, not ${describeType(type)}`);
        return [];
      }
      return [{ name: branch.name, type, ...optional('condition', branch.condition) }];
    });
  }

  /** The form without a discriminator: `{ type: BRANCH, data: VALUE }` on the wire, whatever type the value has. */
  #fillSimpleUnion(syntax: UnionSyntax, union: Mutable<UnionType>): void {
    const { name, module, position } = union;
    const kinds: EnumType = {
      kind: 'enum',
      name: `${name}Kind`,
      module,
      position,
      ...optional('condition', union.condition),
      features: [],
      values: syntax.branches.map((branch) => ({
        name: branch.name,
        ...optional('condition', branch.condition),
        features: [],
      })),
      implicit: 'discriminator',
    };
    const discriminator = { name: 'type', type: kinds, optional: false, features: [] };
    union.discriminator = discriminator;
    union.base = implicitStruct(union, 'base', [discriminator]);
    union.branches = syntax.branches.flatMap((branch) => {
      const type = this.#type(syntax, branch.type, `branch '${branch.name}'`);
      if (!type) return [];
      const data = { name: 'data', type, optional: false, features: [] };
      return [
        {
          name: branch.name,
          type: implicitStruct(union, 'wrapper', [data]),
          ...optional('condition', branch.condition),
        },
      ];
    });
  }

  #fillAlternate(syntax: AlternateSyntax, alternate: Mutable<AlternateType>): void {
    alternate.alternatives = syntax.alternatives.flatMap((alternative): Alternative[] => {
      const title = `alternative '${alternative.name}'`;
      const type = this.#type(syntax, alternative.type, title);
      if (!type) return [];
      if (type.kind === 'alternate' || (type.kind === 'builtin' && type.name === 'any')) {
        this.#error(
          syntax,
          alternative.type.offset,
          `${title} cannot be ${describeType(type)}: its JSON kind would not tell it apart`,
        );
        return [];
      }
      return [{ name: alternative.name, type, ...optional('condition', alternative.condition) }];
    });
  }

  #fillCommand(syntax: CommandSyntax, command: Mutable<Command>): void {
    const data = this.#data(syntax, command);
    if (data) command.arguments = data;
    const returns = syntax.returns && this.#type(syntax, syntax.returns, "'returns'");
    if (!returns || !syntax.returns) return;
    command.returns = returns;
    const item = returns.kind === 'array' ? returns.element : returns;
    if (!isObjectType(item) && !this.#pragmas.commandReturnsExceptions.has(syntax.name)) {
      const message = `a command returns an object or an array of objects, not ${describeType(returns)}`;
      this.#error(syntax, syntax.returns.offset, `${message} (pragma 'command-returns-exceptions' allows it)`);
    }
  }

  #fillEvent(syntax: EventSyntax, event: Mutable<Event>): void {
    const data = this.#data(syntax, event);
    if (data) event.data = data;
  }

  #data(syntax: CommandSyntax | EventSyntax, owner: Definition): ObjectType | undefined {
    const { data } = syntax;
    if (!data) return undefined;
    if ('members' in data) {
      return data.members.length === 0
        ? undefined
        : implicitStruct(owner, 'arguments', this.#members(syntax, data.members));
    }
    const type = this.#type(syntax, data, `'data' of the ${syntax.meta}`);
    if (!type) return undefined;
    if (!isObjectType(type)) {
      this.#error(syntax, data.offset, `'data' must be a struct or union, not ${describeType(type)}`);
      return undefined;
    }
    if (type.kind === 'union' && !syntax.flags.has('boxed')) {
      this.#error(syntax, data.offset, `'data' can be ${describeType(type)} only with 'boxed': true`);
    }
    return type;
  }

  #baseType(syntax: StructSyntax | UnionSyntax, reference: TypeSyntax): StructType | undefined {
    const type = this.#type(syntax, reference, "'base'");
    if (!type || type.kind === 'struct') return type;
    this.#error(syntax, reference.offset, `'base' must be a struct, not ${describeType(type)}`);
    return undefined;
  }

  #members(syntax: DefinitionSyntax, members: readonly MemberSyntax[]): Member[] {
    return members.flatMap((member) => {
      const type = this.#type(syntax, member.type, `member '${member.name}'`);
      this.#checkClashes(syntax, 'feature', member.features);
      if (!type) return [];
      const { name, optional: isOptional, condition } = member;
      return [
        {
          name,
          type,
          optional: isOptional,
          ...optional('condition', condition),
          features: member.features.map(toFeature),
        },
      ];
    });
  }

  #type(syntax: DefinitionSyntax, reference: TypeSyntax, user: string): Type | undefined {
    const type = this.#lookUp(reference.name);
    if (type) return reference.array ? this.#arrayOf(type) : type;
    const other = this.#entries.get(reference.name)?.definition.kind;
    const hint = other
      ? `; '${reference.name}' is ${article(other)}`
      : this.#reporter.hint(reference.name, this.#typeNames());
    this.#error(syntax, reference.offset, `${user} uses unknown type '${reference.name}'${hint}`);
    this.#markBroken(syntax);
    return undefined;
  }

  *#typeNames(): Generator<string> {
    yield* this.#builtins.keys();
    for (const [name, { definition }] of this.#entries) if (isType(definition)) yield name;
  }

  #markBroken(syntax: DefinitionSyntax): void {
    const entry = this.#entries.get(syntax.name);
    if (entry) this.#broken.add(entry.definition);
  }

  #lookUp(name: string): Exclude<Type, ArrayType> | undefined {
    const builtin = this.#builtins.get(name);
    if (builtin) return builtin;
    if (name === qtype.name) return qtype;
    const definition = this.#entries.get(name)?.definition;
    return definition && isType(definition) ? definition : undefined;
  }

  #arrayOf(element: Exclude<Type, ArrayType>): ArrayType {
    let array = this.#arrays.get(element);
    if (!array) this.#arrays.set(element, (array = { kind: 'array', element }));
    return array;
  }

  // Checks.

  #checkData(syntax: CommandSyntax | EventSyntax, data: ObjectType | undefined): void {
    if (!data) return;
    if (inlineMembers(syntax.data).length > 0) this.#checkMembers(syntax, [], inlineMembers(syntax.data));
    else this.#checkObject(data);
    if (!this.#dialect.enforces('conditional-arguments-boxed') || syntax.flags.has('boxed')) return;
    const conditional = allMembers(data).find(({ condition }) => condition);
    if (conditional) {
      const written = inlineMembers(syntax.data).find(({ name }) => name === conditional.name);
      const at = written?.offset ?? offsetOf(syntax.data) ?? syntax.offset;
      this.#error(syntax, at, `member '${conditional.name}' is conditional: that requires 'boxed': true`);
    }
  }

  /** @returns why the type being checked, if any, cannot have this one as its base or in a branch */
  #checkObject(type: ObjectType): string | undefined {
    if (this.#running.has(type)) return 'contains itself';
    if (!this.#depths.has(type) && this.#running.size < maxNesting) {
      this.#running.add(type);
      this.#objectChecks.get(type)?.();
      this.#running.delete(type);
      this.#depths.set(type, this.#depthOf(type));
    }
    const depth = this.#depths.get(type) ?? maxNesting;
    return depth < maxNesting ? undefined : `is in a chain of more than ${maxNesting} bases and branches`;
  }

  #depthOf(type: ObjectType): number {
    const parts = type.kind === 'union' ? [type.base, ...type.branches.map((branch) => branch.type)] : [type.base];
    return 1 + parts.reduce((depth, part) => Math.max(depth, (part && this.#depths.get(part)) ?? 0), 0);
  }

  #checkStruct(syntax: StructSyntax, struct: Mutable<StructType>): void {
    const { base } = struct;
    const problem = base && this.#checkObject(base);
    if (base && problem !== undefined) {
      const offset = offsetOf(syntax.base) ?? syntax.offset;
      this.#error(syntax, offset, `struct '${struct.name}' ${problem}: its base is '${base.name}'`);
      delete struct.base;
    }
    const inherited = struct.base ? seenMembers(struct.base) : [];
    this.#checkMembers(syntax, inherited, syntax.members);
  }

  /** Members must not clash with each other, nor with those that come from elsewhere. */
  #checkMembers(syntax: DefinitionSyntax, inherited: readonly Seen[], members: readonly MemberSyntax[]): void {
    const titles = titlesOf(inherited);
    for (const { name, offset } of members) {
      const other = titles.get(wireKey(name));
      if (other !== undefined) this.#error(syntax, offset, `member '${name}' collides with ${other}`);
    }
    this.#checkClashes(syntax, 'member', members);
  }

  #checkUnion(syntax: UnionSyntax, union: Mutable<UnionType>): void {
    const problem = this.#checkObject(union.base);
    if (problem !== undefined) {
      const offset = offsetOf(syntax.base) ?? syntax.offset;
      this.#error(syntax, offset, `union '${union.name}' ${problem}: its base is '${union.base.name}'`);
      union.base = nothing;
      this.#broken.add(union);
    }
    if (this.#broken.has(union)) return;
    if (syntax.discriminator) {
      this.#checkMembers(syntax, [], inlineMembers(syntax.base));
      if (!this.#setDiscriminator(syntax, union)) {
        this.#broken.add(union);
        return;
      }
    } else {
      this.#checkClashes(syntax, 'branch', syntax.branches);
    }
    this.#checkBranches(syntax, union);
  }

  #setDiscriminator(syntax: UnionSyntax, union: Mutable<UnionType>): boolean {
    const { name, offset } = syntax.discriminator ?? { name: 'type', offset: syntax.offset };
    const where = union.base.implicit ? "'base'" : `base '${union.base.name}'`;
    const fail = (problem: string): false => {
      this.#error(syntax, offset, `discriminator '${name}' ${problem}`);
      return false;
    };
    const candidates = allMembers(union.base);
    const member = candidates.find((candidate) => candidate.name === name);
    if (!member) {
      const names = candidates.map((candidate) => candidate.name);
      return this.#broken.has(union.base)
        ? false
        : fail(`is not a member of ${where}${this.#reporter.hint(name, names)}`);
    }
    if (member.type.kind !== 'enum') return fail(`must be of an enum type, not ${describeType(member.type)}`);
    if (member.optional) return fail('must not be optional');
    if (member.condition) return fail('must not be conditional');
    union.discriminator = { ...member, type: member.type };
    return true;
  }

  #checkBranches(syntax: UnionSyntax, union: Mutable<UnionType>): void {
    const { values, name: enumName } = union.discriminator.type;
    if (this.#broken.has(union.discriminator.type)) return;
    const names = new Set(values.map(({ name }) => name));
    const written = new Map(syntax.branches.map((branch) => [branch.name, branch]));
    for (const [name, { offset }] of written) {
      if (names.has(name)) continue;
      this.#error(
        syntax,
        offset,
        `branch '${name}' is no value of enum '${enumName}'${this.#reporter.hint(name, names)}`,
      );
    }
    const empty: Branch[] = values
      .filter(({ name }) => !written.has(name))
      .map(({ name, condition }) => ({ name, ...optional('condition', condition) }));
    const inherited = titlesOf(seenMembers(union.base));
    const sound = union.branches.filter(({ name, type }) => {
      const branch = written.get(name);
      if (!type || !branch || (type.kind === 'struct' && type.implicit)) return true;
      const problem = this.#checkObject(type);
      if (problem === undefined) {
        this.#checkBranchClash(syntax, branch, inherited, type);
        return true;
      }
      const message = `union '${union.name}' ${problem}: branch '${name}' is '${type.name}'`;
      this.#error(syntax, branch.type.offset, message);
      return false;
    });
    union.branches = [...sound, ...empty];
    if (union.branches.length === 0) this.#error(syntax, syntax.offset, `union '${union.name}' has no branches`);
  }

  /** A branch's members must not clash with the base's, nor must those of a branch in the branch. */
  #checkBranchClash(
    syntax: UnionSyntax,
    branch: { name: string; offset: number },
    inherited: ReadonlyMap<string, string>,
    type: ObjectType,
  ): void {
    const parts = new Set([type]);
    // Each part once: going down every path would take exponential time.
    for (const part of parts) {
      for (const { member, title } of seenMembers(part)) {
        const other = inherited.get(wireKey(member.name));
        if (other !== undefined)
          this.#error(syntax, branch.offset, `branch '${branch.name}': ${title} collides with ${other}`);
      }
      if (part.kind === 'struct' || this.#broken.has(part)) continue;
      for (const inner of part.branches) if (inner.type) parts.add(inner.type);
    }
  }

  /** The JSON kind of a value decides for an alternative, so no two may have the same, nor be alike as text of a key-value list. */
  #checkAlternate(syntax: AlternateSyntax, alternate: AlternateType): void {
    this.#checkClashes(syntax, 'alternative', syntax.alternatives);
    const offsets = new Map(syntax.alternatives.map(({ name, offset }) => [name, offset]));
    const taken = new Map<string, string>();
    for (const { name, type } of alternate.alternatives) {
      const offset = offsets.get(name) ?? syntax.offset;
      const kinds = alternativeKinds(type);
      const other = kinds.map((kind) => taken.get(kind)).find((title) => title !== undefined);
      if (other !== undefined)
        this.#error(syntax, offset, `alternative '${name}' cannot be told apart from '${other}' by its JSON kind`);
      for (const kind of kinds) taken.set(kind, name);
    }
  }

  #checkClashes(
    syntax: DefinitionSyntax,
    role: string,
    named: readonly { readonly name: string; readonly offset: number }[],
  ): void {
    const seen = new Map<string, string>();
    for (const { name, offset } of named) {
      const key = wireKey(name);
      const other = seen.get(key);
      if (other === undefined) seen.set(key, name);
      else if (other === name) this.#error(syntax, offset, `duplicate ${role} '${name}'`);
      else this.#error(syntax, offset, `${role} '${name}' collides with ${role} '${other}'`);
    }
  }

  #checkTypeFeatures(syntax: DefinitionSyntax): void {
    for (const { name, offset } of syntax.features) {
      if (name === 'deprecated' || (name === 'unstable' && this.#dialect.enforces('no-unstable-types'))) {
        this.#error(syntax, offset, `types cannot have the feature '${name}'`);
      }
    }
  }

  #checkFeatureCount(): void {
    if (!this.#dialect.enforces('feature-limit')) return;
    const names = new Set(specialFeatures);
    for (const syntax of this.#syntaxes) {
      for (const { name, offset } of allFeatures(syntax)) {
        if (names.has(name)) continue;
        names.add(name);
        if (names.size === maxFeatures + 1)
          this.#error(syntax, offset, `a schema has at most ${maxFeatures} different features`);
      }
    }
  }

  #error(syntax: DefinitionSyntax, offset: number, message: string): void {
    this.#reporter.report(contextOf(syntax), offset, message);
  }
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

function implicitStruct(owner: Definition, implicit: Implicit, members: readonly Member[]): StructType {
  const { name, module, position, condition } = owner;
  return {
    kind: 'struct',
    name,
    module,
    position,
    ...optional('condition', condition),
    features: [],
    members,
    implicit,
  };
}

function seenMembers(type: ObjectType): Seen[] {
  if (type.kind === 'union') return seenMembers(type.base);
  const owner = type.implicit ? `'${type.name}'` : `struct '${type.name}'`;
  const own = type.members.map((member) => ({ member, title: `member '${member.name}' of ${owner}` }));
  return type.base ? [...seenMembers(type.base), ...own] : own;
}

/** By wire key. */
function titlesOf(members: readonly Seen[]): Map<string, string> {
  return new Map(members.map(({ member, title }) => [wireKey(member.name), title]));
}

/** The kinds of JSON value that select an alternative; a string also reads as what it spells, where it comes from a command line. */
function alternativeKinds(type: Alternative['type']): string[] {
  switch (type.kind) {
    case 'struct':
    case 'union':
      return ['object'];
    case 'array':
      return ['array'];
    case 'enum': {
      const names = type.values.map(({ name }) => name);
      const kinds = ['string'];
      if (names.includes('on') || names.includes('off')) kinds.push('boolean');
      if (names.some((name) => /^[-+0-9.]/u.test(name))) kinds.push('number');
      return kinds;
    }
    case 'builtin':
      return builtinKinds(type.name);
    default:
      return [];
  }
}

function builtinKinds(name: BuiltinName): string[] {
  if (name === 'str') return ['string', 'number', 'boolean'];
  if (name === 'bool') return ['boolean'];
  return name === 'null' ? ['null'] : ['number'];
}

/** QEMU turns names into C identifiers, so names that differ only in punctuation clash. */
function wireKey(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/gu, '_');
}

function offsetOf(data: TypeSyntax | MembersSyntax | undefined): number | undefined {
  return data && 'offset' in data ? data.offset : undefined;
}

function toFeature({ name, condition }: FeatureSyntax): { name: string; condition?: Condition } {
  return { name, ...optional('condition', condition) };
}

function describeType(type: Type): string {
  if (type.kind === 'array') return `an array of '${type.element.name}'`;
  return type.kind === 'builtin' ? `'${type.name}'` : `the ${type.kind} '${type.name}'`;
}

function article(meta: string): string {
  return /^[aeiou]/u.test(meta) ? `an ${meta}` : `a ${meta}`;
}
