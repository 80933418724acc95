/** Generated code as one program sees it, found by what it declares; whether that is source or declaration files makes no difference. */

import type { ts } from 'ts-morph';

import type { Use } from '../diff/change.js';
import { optional } from '../optional.js';
import type { Compiler } from './compiler.js';

/** A command or an event. */
export interface Subject {
  readonly kind: 'command' | 'event';
  readonly name: string;
}

/** What commands and events carry, by role. */
type Carried = Readonly<Partial<Record<string, ts.Type>>>;

/** Where the path of a change leads. Every list is empty where this generated code has no such thing. */
export interface End {
  /** The type at the root of the path itself, or the elements of it: there is no member on the way. */
  readonly isWhole: boolean;
  /** The member at its end; that of a branch is its discriminator. */
  readonly members: readonly ts.Declaration[];
  /** The types that have the member, or would have it. */
  readonly owners: readonly ts.Declaration[];
  /** The enums of the member. */
  readonly enums: readonly string[];
  /** The value of the discriminator, where the path ends with a branch. */
  readonly branch?: string;
}

/** The values of `RunState` are told from those of other enums by this, even where TypeScript has lost the name. */
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
  readonly #ends = new Map<Use, End>();

  /** @param folders of the packages that the comparison is about */
  constructor(compiler: Compiler, program: ts.Program, folders: ReadonlySet<string>) {
    this.#ts = compiler;
    this.#checker = program.getTypeChecker();
    this.#folders = folders;
    for (const file of program.getSourceFiles()) if (this.has(file)) this.#add(file);
  }

  has(file: ts.SourceFile): boolean {
    return this.#folders.has(folderOf(file));
  }

  /** The types of what a command or event carries, one for each package that has it. */
  carried({ kind, name }: Subject, role: string): ts.Type[] {
    return (this.#carried[kind].get(name) ?? []).flatMap((one) => one[role] ?? []);
  }

  /** The command or event that a property stands for. */
  subjectsOf(symbol: ts.Symbol | undefined): Subject[] {
    return (symbol?.declarations ?? []).flatMap((declaration) => this.#subjects.get(declaration) ?? []);
  }

  /** The name of a property that the client's runtime declares. */
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

  /** Whether a type is a union of the names of all commands or events. */
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

  /** The generated members that a property is: several where it is that of a union. */
  membersOf(symbol: ts.Symbol | undefined): ts.Declaration[] {
    return (symbol?.declarations ?? []).filter(
      (one) => this.#ts.isPropertySignature(one) && this.#isInterface(one.parent) && !this.#subjects.has(one),
    );
  }

  interfaceOf(type: ts.Type): ts.Declaration | undefined {
    return type.getSymbol()?.declarations?.find((one) => this.#isInterface(one));
  }

  /** The names of the enums that a member has: itself, in an array, or as an alternative. */
  enumsOfMember(member: ts.Declaration): string[] {
    const enums = this.enumsOf(this.#checker.getTypeAtLocation(member));
    if (enums.length > 0 || !this.#ts.isInterfaceDeclaration(member.parent)) return enums;
    // A branch has the values that choose it, and its base has the enum.
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

  /** All interfaces that a value of a type may have within it, and their members. */
  reach(type: ts.Type): ReadonlySet<ts.Declaration> {
    let found = this.#reach.get(type);
    if (!found) {
      const all = new Set<ts.Declaration>();
      this.#walk(type, all, new Set());
      this.#reach.set(type, (found = all));
    }
    return found;
  }

  /** What an array, a promise or the like is made of. */
  elementsOf(type: ts.Type): readonly ts.Type[] {
    if (type.isUnion()) return type.types.flatMap((part) => this.elementsOf(part));
    if (!(type.flags & this.#ts.TypeFlags.Object)) return [];
    const isReference = (type as ts.ObjectType).objectFlags & this.#ts.ObjectFlags.Reference;
    return isReference ? this.#checker.getTypeArguments(type as ts.TypeReference) : [];
  }

  /** Follows the path of a change. */
  find(use: Use): End {
    let end = this.#ends.get(use);
    if (!end) this.#ends.set(use, (end = this.#find(use)));
    return end;
  }

  #find({ subject, name, role, path }: Use): End {
    const steps = stepsOf(path);
    const last = steps.at(-1);
    const branch = last?.member === undefined ? [...(last?.guards?.values() ?? [])].at(-1) : undefined;
    const ends = this.carried({ kind: subject, name }, role ?? '').map((root) => this.#follow(root, steps));
    return {
      isWhole: steps.length === 0,
      members: ends.flatMap(({ members }) => members),
      owners: ends.flatMap(({ owners }) => owners),
      enums: ends.flatMap(({ enums }) => enums),
      ...optional('branch', branch),
    };
  }

  #follow(root: ts.Type, steps: readonly Step[]): Pick<End, 'members' | 'owners' | 'enums'> {
    let types = this.objectsIn(root);
    let members: ts.Declaration[] = [];
    let owners = types;
    for (const { member, guards } of steps) {
      owners = guards ? types.filter((type) => this.#isBranch(type, guards)) : types;
      const names = member === undefined ? [...(guards?.keys() ?? [])].slice(-1) : [member];
      const symbols = names.flatMap((name) => owners.flatMap((type) => type.getProperty(name) ?? []));
      members = symbols.flatMap((symbol) => this.membersOf(symbol));
      types =
        member === undefined
          ? owners
          : symbols.flatMap((symbol) => this.objectsIn(this.#checker.getTypeOfSymbol(symbol)));
    }
    const enums = steps.length === 0 ? this.enumsOf(root) : members.flatMap((one) => this.enumsOfMember(one));
    return { members, enums, owners: owners.flatMap((type) => this.interfacesOf(type)) };
  }

  #isBranch(type: ts.Type, guards: ReadonlyMap<string, string>): boolean {
    return [...guards].every(([name, value]) => {
      const discriminator = type.getProperty(name);
      // What is a union on the other side only has no discriminator, and is met in every branch.
      if (!discriminator) return true;
      const values = this.#checker.getTypeOfSymbol(discriminator);
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
    // A method is called as its command is, but for case and punctuation.
    const byPlainName = new Map<string, string[]>();
    for (const name of names) byPlainName.set(plainName(name), [...(byPlainName.get(plainName(name)) ?? []), name]);
    for (const method of client.members.filter(isMethodDeclaration)) {
      const name = byPlainName.get(plainName(method.name.getText()))?.shift();
      if (name !== undefined) this.#subjects.set(method, { kind: 'command', name });
    }
  }

  /** @returns the names on the wire */
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

  /** The objects in a type: of a union, an array, a promise, all. */
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

/** Interfaces and classes of libraries hold generated code only as their type arguments. */
export function isOfLibrary(type: ts.Type): boolean {
  const declarations = type.getSymbol()?.declarations ?? [];
  return type.isClassOrInterface() && declarations.some((one) => one.getSourceFile().isDeclarationFile);
}

/** More than a schema has: types of programs may go on for ever. */
const maxTypes = 10_000;

export function folderOf({ fileName }: ts.SourceFile): string {
  return fileName.slice(0, fileName.lastIndexOf('/'));
}

/** Names that differ only in case and punctuation become one. */
function plainName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]/gu, '').toLowerCase();
}

/** To a member, or into a branch. */
interface Step {
  readonly member?: string;
  readonly guards?: ReadonlyMap<string, string>;
}

/** A name has a period only in the prefix of a vendor: `__com.redhat_name`. */
const namePattern = String.raw`(?:__[A-Za-z0-9.-]+_)?[A-Za-z0-9][\w-]*`;
const stepPattern = new RegExp(String.raw`(?:\((?<guards>[^)]*)\))?(?:\.(?<member>${namePattern}))?`, 'gu');

/** The steps of `.file(driver=nbd).server`; arrays need none. */
function stepsOf(path: string): Step[] {
  return [...path.matchAll(stepPattern)].flatMap(({ groups = {} }) => {
    const { member, guards } = groups;
    const parsed = guards === undefined ? [] : guards.split(',').map((guard) => guard.split('=') as [string, string]);
    if (member === undefined && guards === undefined) return [];
    return [
      { ...optional('member', member), ...optional('guards', guards === undefined ? undefined : new Map(parsed)) },
    ];
  });
}
