/** Unions: a base with a discriminator, whose value selects a branch. */

import { lazy, Compiler, type Cell, type Check } from './compile.js';
import { own, type Inspector } from './inspect.js';
import type { EnumType } from './enum.js';
import {
  emptyStruct,
  inspectObject,
  objectOnly,
  reading,
  shapeOf,
  type Member,
  type ObjectType,
  type Selection,
  type Shape,
  type StructType,
  type Typed,
} from './schema.js';
import type { Type } from './type.js';

/** The description of a union in generated code: its base, and its branches by value of the discriminator. */
export type UnionRefs = readonly [base: Typed, branches: Readonly<Record<string, Typed>>];

interface ResolvedUnion {
  readonly base: StructType;
  readonly values: ReadonlySet<string>;
  readonly branches: ReadonlyMap<string, ObjectType>;
}

export class UnionType implements ObjectType {
  readonly jsonKind = 'object';
  readonly expectation = 'object';
  readonly takesNull = false;
  readonly isScalar = false;
  readonly #define: () => UnionRefs;
  #resolved: ResolvedUnion | undefined;
  /** Shapes by the values of the discriminators, outermost first. */
  readonly #shapes = new Map<string, Shape>();

  /** @param discriminator a member of the base */
  constructor(
    readonly discriminator: string,
    define: () => UnionRefs,
  ) {
    this.#define = define;
  }

  get base(): StructType {
    return this.#resolve().base;
  }

  /** All values of the discriminator. */
  get values(): ReadonlySet<string> {
    return this.#resolve().values;
  }

  /** The branches by value of the discriminator. Values without a branch add no members. */
  get branches(): ReadonlyMap<string, ObjectType> {
    return this.#resolve().branches;
  }

  get parts(): Iterable<Type> {
    return [this.base, ...this.branches.values()];
  }

  get ownMembers(): readonly Member[] {
    return this.base.members;
  }

  #resolve(): ResolvedUnion {
    if (!this.#resolved) {
      const [{ type }, refs] = this.#define();
      const base = type as StructType;
      const tag = base.members.find(({ name }) => name === this.discriminator) as Member;
      const branches = Object.entries(refs).map(([value, branch]) => [value, branch.type as ObjectType] as const);
      this.#resolved = { base, values: (tag.type as EnumType).values, branches: new Map(branches) };
    }
    return this.#resolved;
  }

  /** @param outer the members of the enclosing unions */
  compile(compiler: Compiler, outer: readonly Member[] = [], tags: ReadonlySet<Member> = new Set()): Check {
    const { mode } = compiler;
    const { base, branches, discriminator } = this;
    const members = [...outer, ...base.members];
    const tag = members.filter(({ name }) => name === discriminator);
    const cellOfBranch = (branch: ObjectType): Cell =>
      lazy(() => branch.compile(new Compiler(mode), members, new Set([...tags, ...tag])));
    const empty = cellOfBranch(emptyStruct);
    const byValue = new Map(
      [...this.values].map((value) => {
        const branch = branches.get(value);
        return [value, branch ? cellOfBranch(branch) : empty];
      }),
    );
    const other =
      mode === 'open' ? compiler.constant(lazy(() => base.compile(new Compiler(mode), outer))) : 'undefined';
    return compiler.function(`${objectOnly()}
const cell = ${compiler.constant(byValue)}.get(${reading(discriminator)}) ?? ${other};
return cell !== undefined && cell.check(v, d);`);
  }

  inspect(inspector: Inspector, value: unknown, further?: boolean): void {
    inspectObject(inspector, this, value, further);
  }

  shape(find: (name: string) => unknown): Shape {
    const { key, parts, isOpen } = this.select(find);
    const known = this.#shapes.get(key);
    if (known) return known;
    const members = parts.flatMap(({ ownMembers }) => ownMembers);
    const shape = shapeOf(members, isOpen);
    this.#shapes.set(key, shape);
    return shape;
  }

  select(find: (name: string) => unknown): Selection {
    const tag = find(this.discriminator);
    if (typeof tag !== 'string' || !this.values.has(tag)) return { key: '?', parts: [this], isOpen: true };
    const { key, parts, isOpen } = this.branches.get(tag)?.select(find) ?? { key: '', parts: [], isOpen: false };
    return { key: `${tag} ${key}`, parts: [this, ...parts], isOpen };
  }

  /** Describes the other branches that have a member. */
  elsewhere(object: object, name: string): string {
    const tag = own(object, this.discriminator) as string;
    const current = this.branches.get(tag);
    if (current instanceof UnionType) return current.elsewhere(object, name);
    const others = [...this.branches]
      .filter(([, branch]) => branch.ownMembers.some((member) => member.name === name))
      .map(([value]) => `'${value}'`);
    if (others.length === 0) return '';
    const shown = others.length <= 3 ? others.join(', ') : `${others.slice(0, 3).join(', ')} and others`;
    return ` of ${this.discriminator} '${tag}'; ${shown} ${others.length === 1 ? 'has' : 'have'} it`;
  }
}
