/** Checks structs and unions: their bases, members, discriminators and branches. */

import type { Branch, Definition, ObjectType, StructType, UnionType } from '../../model.js';
import { inlineMembers, referenceOffset, type BranchSyntax, type NameSyntax } from '../expressions/syntax.js';
import type { ReportAt, Reporter } from '../reporter.js';
import { checkClashes, TakenNames, type TitledMember } from './clashes.js';
import { describeType } from './describe.js';
import { maxNesting, type Resolution, type ResolvedDefinition } from './resolve.js';

type ResolvedStruct = ResolvedDefinition & { readonly kind: 'struct' };
type ResolvedUnion = ResolvedDefinition & { readonly kind: 'union' };

/**
 * Checks each type once, after its bases and branches. A base or branch that contains the type itself, or is nested too
 * deeply, is reported and then ignored, so that recursion over types ends.
 */
export class ObjectChecker {
  readonly #resolved: ReadonlyMap<ObjectType, ResolvedStruct | ResolvedUnion>;
  readonly #broken: Set<Definition>;
  readonly #reporter: Reporter;
  readonly #running = new Set<ObjectType>();
  /** The checked types, with the number of levels of bases and branches, including the type itself. */
  readonly #depths = new Map<ObjectType, number>();
  /** The types whose base is ignored, and ignored branches. */
  readonly #ignored = new Set<ObjectType | Branch>();

  constructor({ definitions, broken }: Resolution, reporter: Reporter) {
    this.#resolved = new Map(
      definitions
        .filter((resolved) => resolved.kind === 'struct' || resolved.kind === 'union')
        .map((resolved) => [resolved.definition, resolved]),
    );
    this.#broken = new Set(broken);
    this.#reporter = reporter;
  }

  /** Returns whether a definition is incomplete or invalid because of an error, which has been reported. */
  isBroken(definition: Definition): boolean {
    return this.#broken.has(definition);
  }

  check(type: ObjectType): void {
    this.#problemOf(type);
  }

  /** Checks a type. Returns the problem with using it as a base or branch, if any. */
  #problemOf(type: ObjectType): string | undefined {
    if (this.#running.has(type)) return 'contains itself';
    if (!this.#depths.has(type) && this.#running.size < maxNesting) {
      this.#running.add(type);
      const resolved = this.#resolved.get(type);
      if (resolved?.kind === 'struct') this.#checkStruct(resolved);
      if (resolved?.kind === 'union') this.#checkUnion(resolved);
      this.#running.delete(type);
      this.#depths.set(type, this.#depthOf(type));
    }
    const depth = this.#depths.get(type) ?? maxNesting;
    return depth < maxNesting ? undefined : `is in a chain of more than ${maxNesting} bases and branches`;
  }

  /** Returns all members of a type, those of its bases first. A union's are those of its base. */
  members(type: ObjectType): TitledMember[] {
    const base = this.#baseOf(type);
    if (type.kind === 'union') return base ? this.members(base) : [];
    const owner = type.implicit ? `'${type.name}'` : `struct '${type.name}'`;
    const own = type.members.map((member) => ({ member, title: `member '${member.name}' of ${owner}` }));
    return base ? [...this.members(base), ...own] : own;
  }

  #baseOf(type: ObjectType): StructType | undefined {
    return this.#ignored.has(type) ? undefined : type.base;
  }

  *#branchTypes({ branches }: UnionType): Generator<ObjectType> {
    for (const branch of branches) if (branch.type && !this.#ignored.has(branch)) yield branch.type;
  }

  #depthOf(type: ObjectType): number {
    const base = this.#baseOf(type);
    let depth = (base && this.#depths.get(base)) ?? 0;
    if (type.kind === 'union')
      for (const part of this.#branchTypes(type)) depth = Math.max(depth, this.#depths.get(part) ?? 0);
    return 1 + depth;
  }

  #checkStruct(resolved: ResolvedStruct): void {
    const { syntax, definition: struct } = resolved;
    const reportAt = this.#reporter.inDefinition(syntax);
    this.#checkBase(resolved, reportAt);
    const base = this.#baseOf(struct);
    const inherited = new TakenNames(base ? this.members(base) : []);
    for (const { name, offset } of syntax.members) {
      const other = inherited.colliding(name);
      if (other !== undefined) reportAt(offset, `member '${name}' collides with ${other}`);
    }
    checkClashes(reportAt, 'member', syntax.members);
  }

  /** Returns whether the base is usable. */
  #checkBase({ kind, syntax, definition: type }: ResolvedStruct | ResolvedUnion, reportAt: ReportAt): boolean {
    const { base, name } = type;
    const problem = base && this.#problemOf(base);
    if (!base || problem === undefined) return true;
    reportAt(referenceOffset(syntax.base) ?? syntax.offset, `${kind} '${name}' ${problem}: its base is '${base.name}'`);
    this.#ignored.add(type);
    return false;
  }

  #checkUnion(resolved: ResolvedUnion): void {
    const { syntax, definition: union } = resolved;
    const reportAt = this.#reporter.inDefinition(syntax);
    if (!this.#checkBase(resolved, reportAt)) this.#broken.add(union);
    if (this.#broken.has(union)) return;
    if (!syntax.discriminator) {
      checkClashes(reportAt, 'branch', syntax.branches);
    } else {
      checkClashes(reportAt, 'member', inlineMembers(syntax.base));
      if (!this.#checkDiscriminator(resolved, syntax.discriminator, reportAt)) {
        this.#broken.add(union);
        return;
      }
    }
    if (!this.#broken.has(union.discriminator.type)) this.#checkBranches(resolved, reportAt);
  }

  /** @returns whether it is sound */
  #checkDiscriminator({ definition: { base } }: ResolvedUnion, written: NameSyntax, reportAt: ReportAt): boolean {
    const members = this.members(base).map(({ member }) => member);
    const member = members.find(({ name }) => name === written.name);
    // A broken base may lack this member because of an error of its own.
    if (!member && this.#broken.has(base)) return false;
    let problem: string | undefined;
    if (!member) {
      const names = members.map(({ name }) => name);
      const where = base.implicit ? "'base'" : `base '${base.name}'`;
      problem = `is not a member of ${where}${this.#reporter.hint(written.name, names)}`;
    } else if (member.type.kind !== 'enum') {
      problem = `must be of an enum type, not ${describeType(member.type)}`;
    } else if (member.optional) {
      problem = 'must not be optional';
    } else if (member.condition) {
      problem = 'must not be conditional';
    }
    if (problem !== undefined) reportAt(written.offset, `discriminator '${written.name}' ${problem}`);
    return problem === undefined;
  }

  #checkBranches({ syntax, definition: union }: ResolvedUnion, reportAt: ReportAt): void {
    const { values, name: enumName } = union.discriminator.type;
    const names = new Set(values.map(({ name }) => name));
    for (const { name, offset } of syntax.branches) {
      if (names.has(name)) continue;
      reportAt(offset, `branch '${name}' is not a value of enum '${enumName}'${this.#reporter.hint(name, names)}`);
    }
    if (values.length === 0 && syntax.branches.length === 0)
      reportAt(syntax.offset, `union '${union.name}' has no branches`);
    const written = new Map(syntax.branches.map((branch) => [branch.name, branch]));
    const inherited = new TakenNames(this.members(union.base));
    for (const branch of union.branches) {
      const { name, type } = branch;
      const syntaxOfBranch = written.get(name);
      if (!type || !syntaxOfBranch || (type.kind === 'struct' && type.implicit)) continue;
      const problem = this.#problemOf(type);
      if (problem === undefined) {
        this.#checkBranchMembers(syntaxOfBranch, type, inherited, reportAt);
      } else {
        const message = `union '${union.name}' ${problem}: branch '${name}' is '${type.name}'`;
        reportAt(syntaxOfBranch.type.offset, message);
        this.#ignored.add(branch);
      }
    }
  }

  /** Reports members of a branch, and of its own branches, that collide with members of the union's base. */
  #checkBranchMembers(
    { name, offset }: BranchSyntax,
    type: ObjectType,
    inherited: TakenNames,
    reportAt: ReportAt,
  ): void {
    const parts = new Set([type]);
    // Visit each type once: the number of paths can be exponential.
    for (const part of parts) {
      for (const { member, title } of this.members(part)) {
        const other = inherited.colliding(member.name);
        if (other !== undefined) reportAt(offset, `branch '${name}': ${title} collides with ${other}`);
      }
      if (part.kind === 'struct' || this.#broken.has(part)) continue;
      for (const inner of this.#branchTypes(part)) parts.add(inner);
    }
  }
}
