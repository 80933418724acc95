/** Finds generated code in a program by its declarations, whether they are in source or declaration files. */

import type { ts } from 'ts-morph';

import type { Use } from '../diff/change.js';
import type { Choice, Step } from '../diff/path.js';
import { optional } from '../optional.js';
import type { Compiler } from './compiler.js';

/** A command or event. */
export interface Subject {
  readonly kind: 'command' | 'event';
  readonly name: string;
}

/** The types of a command's arguments and result, or of an event's data, by role. */
type Carried = Readonly<Partial<Record<string, ts.Type>>>;

/** The target of a change's path. The lists are empty if it is missing from the generated code. */
export interface PathTarget {
  /** Whether the path names no member, so that the target is the root type itself or its elements. */
  readonly isWhole: boolean;
  /** The member at the end of the path; for a branch, the discriminator. */
  readonly members: readonly ts.Declaration[];
  /** The types that have the member, or from which it is missing. */
  readonly owners: readonly ts.Declaration[];
  /** The enums of the member. */
  readonly enums: readonly string[];
  /** The value of the discriminator, if the path ends with a branch. */
  readonly branch?: string;
}

/**
 * Gives each enum a unique marker type, so that its values differ from those of other enums even where TypeScript
 * has lost the enum's name.
 */
export function markEnums(text: string): string {
  return text.replaceAll(
    /^ *export type (\w+) =([^;]*)\bUnknownEnumValue;/gmu,
    (_, name: string, values: string) => `export type ${name} =${values}\`\\0${name}:\${string}\`;`,
  );
}

export class GeneratedCode {
  readonly #ts: Compiler;
  readonly #checker: ts.TypeChecker;
  readonly #folders: ReadonlySet<string>;
  readonly #carried = { command: new Map<string, Carried[]>(), event: new Map<string, Carried[]>() };
  /** Methods of clients, and members of the maps of commands and events. */
  readonly #subjects = new Map<ts.Node, Subject>();
  readonly #clients = new Set<ts.Node>();
  readonly #runtimes = new Set<string>();
  readonly #reach = new Map<ts.Type, ReadonlySet<ts.Declaration>>();
  readonly #targets = new Map<Use, PathTarget>();

  /** @param folders the directories of the packages to compare */
  constructor(compiler: Compiler, program: ts.Program, folders: ReadonlySet<string>) {
    this.#ts = compiler;
    this.#checker = program.getTypeChecker();
    this.#folders = folders;
    for (const file of program.getSourceFiles()) if (this.has(file)) this.#add(file);
  }

  has(file: ts.SourceFile): boolean {
    return this.#folders.has(folderOf(file));
  }

  /** Returns the types that a command or event has in a role, one for each package. */
  carried({ kind, name }: Subject, role: string): ts.Type[] {
    return (this.#carried[kind].get(name) ?? []).flatMap((one) => one[role] ?? []);
  }

  /** Returns the commands or events that a property represents. */
  subjectsOf(symbol: ts.Symbol | undefined): Subject[] {
    return (symbol?.declarations ?? []).flatMap((declaration) => this.#subjects.get(declaration) ?? []);
  }

  /** Returns the name of a property that is declared by the client's runtime. */
  runtimeName(symbol: ts.Symbol | undefined): string | undefined {
    const isDeclared = symbol?.declarations?.some((one) => this.isRuntime(one.getSourceFile()));
    return isDeclared ? symbol?.name : undefined;
  }

  isRuntime(file: ts.SourceFile): boolean {
    return this.#runtimes.has(folderOf(file));
  }

  isClient(type: ts.Type): boolean {
    const parts = type.isUnion() ? type.types : [type];
    return parts.some(
      (part) =>
        part.getSymbol()?.declarations?.some((one) => this.#clients.has(one)) === true ||
        (part.isClassOrInterface() && this.#checker.getBaseTypes(part).some((base) => this.isClient(base))),
    );
  }

  /** Returns 'command' or 'event' if a type is the union of all their names. */
  kindOfNames(type: ts.Type): Subject['kind'] | undefined {
    if (!type.isUnion()) return undefined;
    return (['command', 'event'] as const).find((kind) => {
      const names = this.#carried[kind];
      return (
        names.size > 1 &&
        names.size === type.types.length &&
        type.types.every((part) => part.isStringLiteral() && names.has(part.value))
      );
    });
  }

  /** Returns the declarations of a generated member. A member of a union has several. */
  membersOf(symbol: ts.Symbol | undefined): ts.Declaration[] {
    return (symbol?.declarations ?? []).filter(
      (one) => this.#ts.isPropertySignature(one) && this.#isInterface(one.parent) && !this.#subjects.has(one),
    );
  }

  interfaceOf(type: ts.Type): ts.Declaration | undefined {
    return type.getSymbol()?.declarations?.find((one) => this.#isInterface(one));
  }

  /** Returns the names of a member's enums, including those of array elements and alternatives. */
  enumsOfMember(member: ts.Declaration): string[] {
    const enums = this.enumsOf(this.#checker.getTypeAtLocation(member));
    if (enums.length > 0 || !this.#ts.isInterfaceDeclaration(member.parent)) return enums;
    // A branch redeclares the discriminator with its own values; the base has the enum.
    const name = this.#ts.getNameOfDeclaration(member)?.getText().replaceAll(/['"]/gu, '') ?? '';
    return (member.parent.heritageClauses?.flatMap(({ types }) => types) ?? []).flatMap((base) => {
      const property = this.#checker.getTypeAtLocation(base).getProperty(name);
      return this.membersOf(property).flatMap((one) => this.enumsOfMember(one));
    });
  }

  enumsOf(type: ts.Type): string[] {
    const marks = (one: ts.Type): string[] =>
      (one.isUnion() ? one.types : [one]).flatMap((part) => this.#markOf(part) ?? []);
    const own = marks(type);
    return own.length > 0 ? own : this.elementsOf(type).flatMap(marks);
  }

  /** Returns all interfaces and members that can occur in a value of a type, at any depth. */
  reach(type: ts.Type): ReadonlySet<ts.Declaration> {
    let found = this.#reach.get(type);
    if (!found) {
      const all = new Set<ts.Declaration>();
      this.#walk(type, all, new Set());
      this.#reach.set(type, (found = all));
    }
    return found;
  }

  /** Returns the type arguments of an array, promise or other generic type. */
  elementsOf(type: ts.Type): readonly ts.Type[] {
    if (type.isUnion()) return type.types.flatMap((part) => this.elementsOf(part));
    if (!(type.flags & this.#ts.TypeFlags.Object)) return [];
    const isReference = (type as ts.ObjectType).objectFlags & this.#ts.ObjectFlags.Reference;
    return isReference ? this.#checker.getTypeArguments(type as ts.TypeReference) : [];
  }

  /** Resolves the path of a change. */
  find(use: Use): PathTarget {
    let target = this.#targets.get(use);
    if (!target) this.#targets.set(use, (target = this.#find(use)));
    return target;
  }

  #find({ subject, name, role, path: { steps } }: Use): PathTarget {
    const last = steps.at(-1);
    const branch = last?.kind === 'branch' ? last.choices.at(-1)?.value : undefined;
    const targets = this.carried({ kind: subject, name }, role ?? '').map((root) => this.#follow(root, steps));
    return {
      isWhole: isWhole(steps),
      members: targets.flatMap(({ members }) => members),
      owners: targets.flatMap(({ owners }) => owners),
      enums: targets.flatMap(({ enums }) => enums),
      ...optional('branch', branch),
    };
  }

  #follow(root: ts.Type, steps: readonly Step[]): Pick<PathTarget, 'members' | 'owners' | 'enums'> {
    let types = this.objectsIn(root);
    let members: ts.Declaration[] = [];
    let owners = types;
    for (const step of steps) {
      const { kind } = step;
      if (kind !== 'member' && kind !== 'branch') continue;
      owners = kind === 'branch' ? types.filter((type) => this.#isBranch(type, step.choices)) : types;
      const name = kind === 'branch' ? (step.choices.at(-1)?.discriminator ?? '') : step.name;
      const symbols = owners.flatMap((type) => type.getProperty(name) ?? []);
      members = symbols.flatMap((symbol) => this.membersOf(symbol));
      types =
        kind === 'branch' ? owners : symbols.flatMap((symbol) => this.objectsIn(this.#checker.getTypeOfSymbol(symbol)));
    }
    const enums = isWhole(steps) ? this.enumsOf(root) : members.flatMap((one) => this.enumsOfMember(one));
    return { members, enums, owners: owners.flatMap((type) => this.interfacesOf(type)) };
  }

  #isBranch(type: ts.Type, choices: readonly Choice[]): boolean {
    return choices.every(({ discriminator, value }) => {
      const tag = type.getProperty(discriminator);
      // If only the other side is a union, there is no discriminator, and every branch matches.
      if (!tag) return true;
      const values = this.#checker.getTypeOfSymbol(tag);
      const parts = values.isUnion() ? values.types : [values];
      return parts.some((part) =>
        part.isStringLiteral() ? part.value === value : part.flags & this.#ts.TypeFlags.String,
      );
    });
  }

  #add(file: ts.SourceFile): void {
    const { isInterfaceDeclaration, isClassDeclaration, isMethodDeclaration } = this.#ts;
    const interfaces = file.statements.filter(isInterfaceDeclaration);
    const commands = interfaces.find(({ name }) => name.text === 'Commands');
    const events = interfaces.find(({ name }) => name.text === 'Events');
    const client = file.statements.filter(isClassDeclaration).find(({ name }) => name?.text === 'Client');
    const base = client?.heritageClauses?.[0]?.types[0];
    if (!commands || !events || !client || !base) return;
    const runtime = this.#checker.getTypeAtLocation(base).getProperty('executeRaw')?.valueDeclaration;
    if (runtime) this.#runtimes.add(folderOf(runtime.getSourceFile()));
    this.#clients.add(client);
    const names = this.#map(commands, 'command', ['arguments', 'result']);
    this.#map(events, 'event', ['data']);
    // The method's name differs from the command's only in case and punctuation.
    const byPlainName = new Map<string, string[]>();
    for (const name of names) byPlainName.set(plainName(name), [...(byPlainName.get(plainName(name)) ?? []), name]);
    for (const method of client.members.filter(isMethodDeclaration)) {
      const name = byPlainName.get(plainName(method.name.getText()))?.shift();
      if (name !== undefined) this.#subjects.set(method, { kind: 'command', name });
    }
  }

  /** Returns the wire names. */
  #map(map: ts.InterfaceDeclaration, kind: Subject['kind'], roles: readonly string[]): string[] {
    return this.#checker
      .getTypeAtLocation(map)
      .getProperties()
      .map((property) => {
        const type = this.#checker.getTypeOfSymbol(property);
        const carried = roles.flatMap((role) => {
          const part = type.getProperty(role);
          return part ? [[role, this.#checker.getTypeOfSymbol(part)] as const] : [];
        });
        const { name } = property;
        for (const declaration of property.declarations ?? []) this.#subjects.set(declaration, { kind, name });
        const known = this.#carried[kind].get(name) ?? [];
        this.#carried[kind].set(name, [...known, Object.fromEntries(carried)]);
        return name;
      });
  }

  #isInterface(node: ts.Node): boolean {
    return this.#ts.isInterfaceDeclaration(node) && this.has(node.getSourceFile());
  }

  #markOf(part: ts.Type): string | undefined {
    if (!(part.flags & this.#ts.TypeFlags.TemplateLiteral)) return undefined;
    return /^\0(\w+):/u.exec((part as ts.TemplateLiteralType).texts[0] ?? '')?.[1];
  }

  #walk(type: ts.Type, found: Set<ts.Declaration>, seen: Set<ts.Type>): void {
    if (seen.has(type) || seen.size > maxTypes) return;
    seen.add(type);
    for (const part of this.objectsIn(type)) {
      const owner = this.interfaceOf(part);
      if (owner) found.add(owner);
      else if (part !== type) this.#walk(part, found, seen);
      if (!owner && isOfLibrary(part)) continue;
      for (const property of part.getProperties()) {
        const members = this.membersOf(property);
        for (const member of members) found.add(member);
        if (!owner || members.length > 0) this.#walk(this.#checker.getTypeOfSymbol(property), found, seen);
      }
    }
  }

  /** Returns the object types in a union, array or promise. */
  objectsIn(type: ts.Type, depth = 0): ts.Type[] {
    if (type.isUnion()) return type.types.flatMap((part) => this.objectsIn(part, depth));
    if (this.interfaceOf(type) || type.isIntersection() || depth > 4) return [type];
    const elements = this.elementsOf(type);
    if (elements.length > 0) return elements.flatMap((element) => this.objectsIn(element, depth + 1));
    return type.flags & this.#ts.TypeFlags.Object ? [type] : [];
  }

  interfacesOf(type: ts.Type): ts.Declaration[] {
    return (type.isIntersection() ? type.types : [type]).flatMap((one) => this.interfaceOf(one) ?? []);
  }
}

/** Returns whether a type is declared by a library. Such types contain generated code only as type arguments. */
export function isOfLibrary(type: ts.Type): boolean {
  const declarations = type.getSymbol()?.declarations ?? [];
  return type.isClassOrInterface() && declarations.some((one) => one.getSourceFile().isDeclarationFile);
}

/** A limit above the size of any schema: a program's types may be infinite. */
const maxTypes = 10_000;

export function folderOf({ fileName }: ts.SourceFile): string {
  return fileName.slice(0, fileName.lastIndexOf('/'));
}

/** Returns a name without case and punctuation. */
function plainName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]/gu, '').toLowerCase();
}

/** Returns whether steps lead to no member. Arrays do not count, because `objectsIn` looks into them. */
function isWhole(steps: readonly Step[]): boolean {
  return steps.every(({ kind }) => kind === 'elements');
}
