/** Generated code in a program, found by what it declares; whether that is sources or declaration files makes no difference. */

import { dirname } from 'node:path';

import { ts } from 'ts-morph';

import { optional } from '../../optional.js';
import type { Use } from '../change.js';
import type { Found, Key } from './usage.js';

/** A member that no generated interface has. */
export interface Missing {
  readonly key: Key;
  /** `BlockInfo.device` */
  readonly title: string;
}

/** A member of a generated interface. */
export interface Member extends Missing {
  readonly declaration: ts.PropertySignature;
}

/** What commands and events carry, by role. */
type Carried = Readonly<Partial<Record<string, ts.Type>>>;

/** The output for one schema. */
interface Package {
  readonly folder: string;
  readonly commands: ReadonlyMap<string, Carried>;
  readonly events: ReadonlyMap<string, Carried>;
  readonly enums: readonly Enum[];
}

export interface Enum {
  readonly key: Key;
  readonly name: string;
  readonly values: ReadonlySet<string>;
}

/** A thing that has a name on the wire. */
export interface Subject {
  readonly kind: 'command' | 'event';
  readonly name: string;
  /** The name is only that of a method. */
  readonly isMethod?: boolean;
}

/** All generated code of a program. */
export class GeneratedCode {
  readonly #checker: ts.TypeChecker;
  readonly #packages: Package[] = [];
  readonly #packageOf = new Map<ts.SourceFile, Package>();
  /** Methods of clients, and members of the maps of commands and events. */
  readonly #subjects = new Map<ts.Node, Subject>();
  readonly #enums = new Map<ts.Node, Enum>();
  readonly #clients = new Set<ts.Node>();
  /** The folders of the client's runtime. */
  readonly #runtimes = new Set<string>();
  readonly #reach = new Map<ts.Type, ReadonlySet<Key>>();

  constructor(program: ts.Program) {
    this.#checker = program.getTypeChecker();
    for (const file of program.getSourceFiles()) {
      const found = program.isSourceFileDefaultLibrary(file) ? undefined : this.#declarationsIn(file);
      if (found) this.#add(file, found);
    }
  }

  get folders(): string[] {
    return this.#packages.map(({ folder }) => folder);
  }

  has(file: ts.SourceFile): boolean {
    return this.#packageOf.has(file);
  }

  isRuntime(file: ts.SourceFile): boolean {
    return this.#runtimes.has(dirname(file.fileName));
  }

  /** Of a type that has the names of all commands or events. */
  kindOfNames(type: ts.Type): Subject['kind'] | undefined {
    if (!type.isUnion()) return undefined;
    const isAll = (names: ReadonlyMap<string, unknown>): boolean =>
      names.size === type.types.length && type.types.every((part) => part.isStringLiteral() && names.has(part.value));
    if (this.#packages.some(({ commands }) => isAll(commands))) return 'command';
    return this.#packages.some(({ events }) => isAll(events)) ? 'event' : undefined;
  }

  /** Of a client, or of a class of the program that extends it. */
  isClient(type: ts.Type): boolean {
    if (type.getSymbol()?.declarations?.some((declaration) => this.#clients.has(declaration))) return true;
    return type.isClassOrInterface() && this.#checker.getBaseTypes(type).some((base) => this.isClient(base));
  }

  /** The type of what a command or event carries, in each package that has it. */
  carried({ kind, name }: Subject, role: string): ts.Type[] {
    return this.#packages.flatMap((one) => {
      const type = (kind === 'command' ? one.commands : one.events).get(name)?.[role];
      return type ? [type] : [];
    });
  }

  /** The command or event that a property stands for. */
  subjectsOf(symbol: ts.Symbol | undefined): Subject[] {
    return (symbol?.declarations ?? []).flatMap((declaration) => this.#subjects.get(declaration) ?? []);
  }

  /** The name of a property that the runtime declares. */
  runtimeName(symbol: ts.Symbol | undefined): string | undefined {
    const isDeclared = symbol?.declarations?.some((declaration) => this.isRuntime(declaration.getSourceFile()));
    return isDeclared ? symbol?.name : undefined;
  }

  /** The generated members that a property is: several where it is that of a union. */
  membersOf(symbol: ts.Symbol | undefined): Member[] {
    return (symbol?.declarations ?? []).flatMap((declaration) => {
      if (!ts.isPropertySignature(declaration) || !ts.isInterfaceDeclaration(declaration.parent)) return [];
      const key = this.#keyOf(declaration.parent);
      const name = nameOf(declaration);
      if (key === undefined || name === undefined || this.#subjects.has(declaration)) return [];
      return [{ key: memberKey(key, name), title: `${declaration.parent.name.text}.${name}`, declaration }];
    });
  }

  /** What a member would be that the generated code does not have, be it too new or too old. */
  missingMember(type: ts.Type, name: string): Missing | undefined {
    const key = this.interfaceKey(type);
    const title = type.getSymbol()?.name;
    const isMissing = key !== undefined && !type.getProperty(name) && !type.getStringIndexType();
    return isMissing ? { key: memberKey(key, name), title: `${title}.${name}` } : undefined;
  }

  /** The key of a generated interface. */
  interfaceKey(type: ts.Type): Key | undefined {
    const declaration = type.getSymbol()?.declarations?.find(ts.isInterfaceDeclaration);
    return declaration && this.#keyOf(declaration);
  }

  /** The enums that a member is of: by itself, in an array, or as an alternative. */
  enumsOfMember({ declaration }: Member): Enum[] {
    const enums = declaration.type ? this.#enumsIn(declaration.type, new Set()) : [];
    if (enums.length > 0 || !ts.isInterfaceDeclaration(declaration.parent)) return enums;
    // A branch says which values of the discriminator are its own, and the base has the enum.
    const bases = declaration.parent.heritageClauses?.flatMap(({ types }) => types) ?? [];
    const name = nameOf(declaration) ?? '';
    return bases.flatMap((base) => {
      const property = this.#checker.getTypeAtLocation(base).getProperty(name);
      return this.membersOf(property).flatMap((member) => this.enumsOfMember(member));
    });
  }

  /** The enums of a type that no member tells of; where TypeScript has lost the name, those that have just these values. */
  enumsOfType(type: ts.Type, withElements = true): Enum[] {
    const found = type.aliasSymbol?.declarations?.flatMap((declaration) => this.#enums.get(declaration) ?? []) ?? [];
    if (found.length > 0) return found;
    const parts = type.isUnion() ? type.types : [type];
    const lists = withElements ? parts.filter((part) => isList(this.#checker, part)) : [];
    const elements = lists.flatMap((part) => elementsOf(this.#checker, part));
    const ofElements = elements.flatMap((element) => this.enumsOfType(element, false));
    return parts.some(isUnknownValue) ? [...ofElements, ...this.#enumsLike(parts)] : ofElements;
  }

  #enumsLike(parts: readonly ts.Type[]): Enum[] {
    const values = parts.flatMap((part) => (part.isStringLiteral() ? [part.value] : []));
    const alike = this.#packages
      .flatMap(({ enums }) => enums)
      .filter((one) => values.every((value) => one.values.has(value)));
    const same = alike.filter((one) => one.values.size === values.length);
    return same.length > 0 ? same : alike;
  }

  /** All members, interfaces and enums that a value of a type may have within it. */
  reach(type: ts.Type): ReadonlySet<Key> {
    let keys = this.#reach.get(type);
    if (!keys) {
      const found = new Set<Key>();
      this.#walk(type, found, new Set());
      this.#reach.set(type, (keys = found));
    }
    return keys;
  }

  /** Where the path of a change leads; nothing in packages that have no such command or event. */
  find({ subject, name, role, path }: Use): Found {
    const steps = stepsOf(path);
    const members = new Set<Key>();
    const owners = new Set<Key>();
    const enums = new Set<Key>();
    for (const root of this.carried({ kind: subject, name }, role ?? '')) {
      const end = this.#follow(root, steps);
      for (const type of end.owners) for (const key of this.#interfaceKeys(type)) owners.add(key);
      for (const { key } of end.members) members.add(key);
      const { member } = steps.at(-1) ?? {};
      // Whoever uses it all the same uses what is not there.
      if (member !== undefined && end.members.length === 0)
        for (const key of owners) members.add(memberKey(key, member));
      const ofEnd = steps.length === 0 ? this.enumsOfType(root) : end.tags.flatMap((one) => this.enumsOfMember(one));
      for (const { key } of ofEnd) enums.add(key);
    }
    const [branch] = [...(steps.at(-1)?.guards?.values() ?? [])].slice(-1);
    return { isWhole: steps.length === 0, members, owners, enums, ...optional('branch', branch) };
  }

  #follow(root: ts.Type, steps: readonly Step[]): End {
    let types = this.#objects(root);
    let end: End = { owners: types, members: [], tags: [] };
    for (const { member, guards } of steps) {
      const owners = guards ? types.filter((type) => this.#isBranch(type, guards)) : types;
      const names = member === undefined ? [...(guards?.keys() ?? [])].slice(-1) : [member];
      const symbols = names.flatMap((name) => owners.flatMap((type) => type.getProperty(name) ?? []));
      const members = symbols.flatMap((symbol) => this.membersOf(symbol));
      end = { owners, members: member === undefined ? [] : members, tags: members };
      types =
        member === undefined
          ? owners
          : symbols.flatMap((symbol) => this.#objects(this.#checker.getTypeOfSymbol(symbol)));
    }
    return end;
  }

  #declarationsIn(file: ts.SourceFile): Declarations | undefined {
    const interfaces = file.statements.filter(ts.isInterfaceDeclaration);
    const commands = interfaces.find(({ name }) => name.text === 'Commands');
    const events = interfaces.find(({ name }) => name.text === 'Events');
    const client = file.statements.filter(ts.isClassDeclaration).find(({ name }) => name?.text === 'Client');
    const base = client?.heritageClauses?.[0]?.types[0];
    if (!commands || !events || !client || !base) return undefined;
    const runtime = this.#checker.getTypeAtLocation(base).getProperty('executeRaw')?.valueDeclaration;
    return runtime && { commands, events, client, runtime: runtime.getSourceFile() };
  }

  #add(file: ts.SourceFile, { commands, events, client, runtime }: Declarations): void {
    this.#clients.add(client);
    this.#runtimes.add(dirname(runtime.fileName));
    const enums: Enum[] = [];
    const found: Package = {
      folder: dirname(file.fileName),
      commands: this.#map(commands, 'command', ['arguments', 'result']),
      events: this.#map(events, 'event', ['data']),
      enums,
    };
    this.#packages.push(found);
    this.#addFile(file, found);
    for (const one of this.#packageOf.keys()) {
      if (this.#packageOf.get(one) === found) enums.push(...this.#enumsOfFile(one));
    }
    this.#nameMethods(client, [...found.commands.keys()]);
  }

  /** The file, and those of the same folder that it imports. */
  #addFile(file: ts.SourceFile, to: Package): void {
    if (this.#packageOf.has(file) || dirname(file.fileName) !== to.folder) return;
    this.#packageOf.set(file, to);
    for (const statement of file.statements) {
      if (!ts.isImportDeclaration(statement)) continue;
      const imported = this.#checker.getSymbolAtLocation(statement.moduleSpecifier)?.valueDeclaration;
      if (imported && ts.isSourceFile(imported)) this.#addFile(imported, to);
    }
  }

  #map(map: ts.InterfaceDeclaration, kind: Subject['kind'], roles: readonly string[]): Map<string, Carried> {
    const found = new Map<string, Carried>();
    for (const property of map.members) {
      const name = nameOf(property);
      if (name === undefined || !ts.isPropertySignature(property) || !property.type) continue;
      this.#subjects.set(property, { kind, name });
      const type = this.#checker.getTypeFromTypeNode(property.type);
      const carried = roles.flatMap((role) => {
        const part = type.getProperty(role);
        return part ? [[role, this.#checker.getTypeOfSymbol(part)] as const] : [];
      });
      found.set(name, Object.fromEntries(carried));
    }
    return found;
  }

  /**
   * A method is called as its command, but for case, and what is no letter or digit. Where that does not tell two apart, their order does: it
   * is the same in the client and in the map. So names need not have been made by the rules of this version.
   */
  #nameMethods(client: ts.ClassDeclaration, commands: readonly string[]): void {
    const names = new Map<string, string[]>();
    for (const command of commands) names.set(plainName(command), [...(names.get(plainName(command)) ?? []), command]);
    for (const method of client.members.filter(ts.isMethodDeclaration)) {
      const name = names.get(plainName(nameOf(method) ?? ''))?.shift();
      if (name !== undefined) this.#subjects.set(method, { kind: 'command', name });
    }
  }

  #enumsOfFile(file: ts.SourceFile): Enum[] {
    return file.statements.flatMap((statement) => {
      if (!ts.isTypeAliasDeclaration(statement) || !ts.isUnionTypeNode(statement.type)) return [];
      const name = statement.name.text;
      // (typeof RunState)[number] | UnknownEnumValue
      const isEnum = statement.type.types.some(
        (part) => ts.isIndexedAccessTypeNode(part) && isTypeOf(part.objectType, name),
      );
      const key = this.#keyOf(statement);
      if (!isEnum || key === undefined) return [];
      const type = this.#checker.getTypeFromTypeNode(statement.type);
      const parts = type.isUnion() ? type.types : [type];
      const values = new Set(parts.flatMap((part) => (part.isStringLiteral() ? [part.value] : [])));
      const found = { key, name, values };
      this.#enums.set(statement, found);
      return [found];
    });
  }

  #keyOf(declaration: ts.InterfaceDeclaration | ts.TypeAliasDeclaration): Key | undefined {
    const folder = this.#packageOf.get(declaration.getSourceFile())?.folder;
    return folder === undefined ? undefined : `${folder}#${declaration.name.text}`;
  }

  #enumsIn(node: ts.Node, seen: Set<ts.Node>): Enum[] {
    if (ts.isTypeReferenceNode(node)) {
      const alias = this.#symbolOf(node.typeName)?.declarations?.find(ts.isTypeAliasDeclaration);
      if (!alias || seen.has(alias)) return [];
      seen.add(alias);
      const found = this.#enums.get(alias);
      if (found) return [found];
      return this.#packageOf.has(alias.getSourceFile()) ? this.#enumsIn(alias.type, seen) : [];
    }
    const found: Enum[] = [];
    ts.forEachChild(node, (child) => void found.push(...this.#enumsIn(child, seen)));
    return found;
  }

  #symbolOf(name: ts.EntityName): ts.Symbol | undefined {
    const symbol = this.#checker.getSymbolAtLocation(name);
    return symbol && symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
  }

  #walk(type: ts.Type, keys: Set<Key>, seen: Set<ts.Type>): void {
    if (seen.has(type) || seen.size > maxTypes) return;
    seen.add(type);
    for (const { key } of this.enumsOfType(type)) keys.add(key);
    for (const part of this.#objects(type)) {
      const key = this.interfaceKey(part);
      if (key === undefined && part !== type) this.#walk(part, keys, seen);
      if (key !== undefined) keys.add(key);
      // Other interfaces and classes have no generated code within them, but through what they are made of.
      if (key === undefined && !isAnonymous(part)) continue;
      for (const property of part.getProperties()) {
        const members = this.membersOf(property);
        for (const member of members) {
          keys.add(member.key);
          for (const one of this.enumsOfMember(member)) keys.add(one.key);
        }
        if (key === undefined || members.length > 0) this.#walk(this.#checker.getTypeOfSymbol(property), keys, seen);
      }
    }
  }

  /** The objects in a type: of a union, an array, a promise, all. */
  #objects(type: ts.Type, depth = 0): ts.Type[] {
    if (type.isUnion()) return type.types.flatMap((part) => this.#objects(part, depth));
    if (this.interfaceKey(type) !== undefined || type.isIntersection() || depth > 4) return [type];
    const elements = elementsOf(this.#checker, type);
    if (elements.length > 0) return elements.flatMap((element) => this.#objects(element, depth + 1));
    return type.flags & ts.TypeFlags.Object ? [type] : [];
  }

  #interfaceKeys(type: ts.Type): Key[] {
    return (type.isIntersection() ? type.types : [type]).flatMap((one) => this.interfaceKey(one) ?? []);
  }

  #isBranch(type: ts.Type, guards: ReadonlyMap<string, string>): boolean {
    return [...guards].every(([name, value]) => {
      const discriminator = type.getProperty(name);
      if (!discriminator) return false;
      const values = this.#checker.getTypeOfSymbol(discriminator);
      const parts = values.isUnion() ? values.types : [values];
      return parts.some((part) => part.isStringLiteral() && part.value === value);
    });
  }
}

function memberKey(owner: Key, name: string): Key {
  return `${owner}.${name}`;
}

/** Names that are the same but for case, and what is no letter or digit, become one. */
export function plainName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]/gu, '').toLowerCase();
}

/** The end of a path. */
interface End {
  readonly owners: readonly ts.Type[];
  readonly members: readonly Member[];
  /** The same, or the discriminator of the branch at the end. */
  readonly tags: readonly Member[];
}

interface Declarations {
  readonly commands: ts.InterfaceDeclaration;
  readonly events: ts.InterfaceDeclaration;
  readonly client: ts.ClassDeclaration;
  readonly runtime: ts.SourceFile;
}

export function nameOf({ name }: { readonly name?: ts.Node }): string | undefined {
  return name && (ts.isIdentifier(name) || ts.isStringLiteral(name)) ? name.text : undefined;
}

/** More than a schema has: types of programs may go on for ever. */
const maxTypes = 10_000;

/** What an array, a promise or the like is made of. */
export function elementsOf(checker: ts.TypeChecker, type: ts.Type): readonly ts.Type[] {
  if (!(type.flags & ts.TypeFlags.Object)) return [];
  const isReference = (type as ts.ObjectType).objectFlags & ts.ObjectFlags.Reference;
  return isReference ? checker.getTypeArguments(type as ts.TypeReference) : [];
}

/** To TypeScript, `any` is like an array, too. */
export function isList(checker: ts.TypeChecker, type: ts.Type): boolean {
  return checker.isArrayLikeType(type) && elementsOf(checker, type).length > 0;
}

/** The one value of generated enums that stands for all others begins with U+0000, and nothing else does. */
export function isUnknownValue(type: ts.Type): boolean {
  return Boolean(type.flags & ts.TypeFlags.TemplateLiteral) && (type as ts.TemplateLiteralType).texts[0] === '\0';
}

/** An object type that is written in place, or made of others. */
export function isAnonymous(type: ts.Type): boolean {
  if (type.isIntersection()) return true;
  if (!(type.flags & ts.TypeFlags.Object)) return false;
  return Boolean((type as ts.ObjectType).objectFlags & (ts.ObjectFlags.Anonymous | ts.ObjectFlags.Mapped));
}

function isTypeOf(node: ts.TypeNode, name: string): boolean {
  const inner = ts.isParenthesizedTypeNode(node) ? node.type : node;
  return ts.isTypeQueryNode(inner) && ts.isIdentifier(inner.exprName) && inner.exprName.text === name;
}

/** To a member, or into a branch. */
interface Step {
  readonly member?: string;
  readonly guards?: ReadonlyMap<string, string>;
}

/** A name has a period only in the prefix of a vendor: `__com.redhat_name`. */
const namePattern = String.raw`(?:__[A-Za-z0-9.-]+_)?[A-Za-z0-9][\w-]*`;
const stepPattern = new RegExp(String.raw`\.(?<member>${namePattern})|\((?<guards>[^)]*)\)`, 'gu');

/** The steps of `.file(driver=nbd).server`. Elements of arrays are stepped into by themselves. */
function stepsOf(path: string): Step[] {
  return [...path.matchAll(stepPattern)].map(({ groups = {} }) => {
    const { member, guards } = groups;
    if (member !== undefined) return { member };
    return { guards: new Map((guards ?? '').split(',').map((guard) => guard.split('=') as [string, string])) };
  });
}
