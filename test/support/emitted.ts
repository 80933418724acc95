/** Reads emitted TypeScript as data. Syntax that the generator is not supposed to write is an error. */

import { ts } from 'ts-morph';

/** The value of an initializer. */
export type Value =
  | string
  | boolean
  | undefined
  | readonly Value[]
  | { readonly members: ReadonlyMap<string, Value> }
  | { readonly ref: string }
  | { readonly call: string; readonly args: readonly Value[] }
  | { readonly returns: Value };

export interface Property {
  readonly optional: boolean;
  /** The source text. */
  readonly type: string;
  /** The string literals in the type. */
  readonly literals: readonly string[];
}

export interface Emitted {
  /** The imported names by module specifier. */
  readonly imports: Map<string, string[]>;
  /** The module specifiers of `export ... from`. */
  readonly exports: string[];
  readonly constants: Map<string, Value>;
  readonly interfaces: Map<string, Map<string, Property>>;
  readonly aliases: Map<string, string>;
  /** The commands that the client's methods execute, by method. */
  readonly methods: Map<string, string>;
  /** The text of each comment. */
  readonly comments: string[];
  /** The text of the whole file. */
  readonly text: string;
}

const { SyntaxKind } = ts;

/** The kinds of nodes that types may contain. */
const typeKinds = new Set([
  SyntaxKind.AnyKeyword,
  SyntaxKind.ArrayType,
  SyntaxKind.BooleanKeyword,
  SyntaxKind.ComputedPropertyName,
  SyntaxKind.ExpressionWithTypeArguments,
  SyntaxKind.Identifier,
  SyntaxKind.IndexedAccessType,
  SyntaxKind.IntersectionType,
  SyntaxKind.LiteralType,
  SyntaxKind.NeverKeyword,
  SyntaxKind.NullKeyword,
  SyntaxKind.NumberKeyword,
  SyntaxKind.ParenthesizedType,
  SyntaxKind.PropertySignature,
  SyntaxKind.QuestionToken,
  SyntaxKind.StringKeyword,
  SyntaxKind.StringLiteral,
  SyntaxKind.TrueKeyword,
  SyntaxKind.TypeLiteral,
  SyntaxKind.TypeOperator,
  SyntaxKind.TypeQuery,
  SyntaxKind.TypeReference,
  SyntaxKind.UndefinedKeyword,
  SyntaxKind.UnionType,
  SyntaxKind.VoidKeyword,
]);

const connect = `export async function connect(address: Address, options?: ConnectOptions): Promise<Client> {
return new Client(await Connection.open(address, protocol, options));
}`;

const runtimeFunctions = new Set(['alternate', 'enumeration', 'struct', 'union', 'validatorsOf']);

/** @throws Error for invalid TypeScript, and for syntax that the generator does not write */
export function readEmitted(text: string): Emitted {
  const file = ts.createSourceFile('emitted.ts', text, ts.ScriptTarget.Latest, true);
  return new Reader(file).read();
}

/** Results of parsing that are not in the compiler's public types. */
interface Parsed {
  readonly parseDiagnostics: readonly ts.Diagnostic[];
  readonly commentDirectives?: readonly unknown[];
  readonly pragmas: ReadonlyMap<string, unknown>;
}

class Reader {
  readonly #file: ts.SourceFile;
  readonly #emitted: Omit<Emitted, 'text'> = {
    imports: new Map(),
    exports: [],
    constants: new Map(),
    interfaces: new Map(),
    aliases: new Map(),
    methods: new Map(),
    comments: [],
  };
  /** The names of values and types that are declared or imported, and those that are referenced. */
  readonly #declared = { value: new Set<string>(), type: new Set<string>(['Promise', 'U']) };
  readonly #used = { value: new Set<string>(), type: new Set<string>() };

  constructor(file: ts.SourceFile) {
    this.#file = file;
  }

  read(): Emitted {
    const { parseDiagnostics, commentDirectives = [], pragmas } = this.#file as ts.SourceFile & Parsed;
    const [problem] = parseDiagnostics;
    if (problem) throw new Error(`${ts.flattenDiagnosticMessageText(problem.messageText, '\n')} at ${problem.start}`);
    const { referencedFiles, typeReferenceDirectives, libReferenceDirectives } = this.#file;
    const directives = [...commentDirectives, ...pragmas.keys(), ...referencedFiles];
    if ([...directives, ...typeReferenceDirectives, ...libReferenceDirectives].length > 0) {
      throw new Error('a comment is a directive');
    }
    for (const statement of this.#file.statements) this.#statement(statement);
    for (const space of ['value', 'type'] as const) {
      for (const name of this.#used[space]) {
        if (!this.#declared[space].has(name)) throw new Error(`no ${space} '${name}' is declared or imported`);
      }
    }
    this.#comments();
    return { ...this.#emitted, text: this.#file.text };
  }

  /** @throws Error if the name is already declared: one would silently replace the other */
  #declare(node: ts.Identifier, ...spaces: readonly ('value' | 'type')[]): string {
    for (const space of spaces) {
      if (this.#declared[space].has(node.text)) throw new Error(`'${node.text}' is declared twice`);
      this.#declared[space].add(node.text);
    }
    return node.text;
  }

  #add<T>(map: Map<string, T>, name: string, value: T): void {
    if (map.has(name)) throw new Error(`there are two entries '${name}'`);
    map.set(name, value);
  }

  #map<T>(entries: readonly (readonly [string, T])[]): Map<string, T> {
    const map = new Map<string, T>();
    for (const [name, value] of entries) this.#add(map, name, value);
    return map;
  }

  #statement(node: ts.Statement): void {
    const { exports, interfaces, aliases } = this.#emitted;
    if (ts.isImportDeclaration(node)) this.#import(node);
    else if (ts.isExportDeclaration(node)) exports.push(this.#string(node.moduleSpecifier ?? node));
    else if (ts.isInterfaceDeclaration(node)) interfaces.set(this.#declare(node.name, 'type'), this.#properties(node));
    else if (ts.isTypeAliasDeclaration(node)) aliases.set(this.#declare(node.name, 'type'), this.#type(node.type));
    else if (ts.isVariableStatement(node)) this.#constant(node);
    else if (ts.isClassDeclaration(node) && node.name?.text === 'Client') {
      this.#declare(node.name, 'value', 'type');
      this.#client(node);
    } else if (ts.isFunctionDeclaration(node) && node.getText().replaceAll(/^ +/gmu, '') === connect) {
      if (node.name) this.#declare(node.name, 'value');
      for (const name of ['Connection', 'protocol']) this.#used.value.add(name);
    } else this.#refuse(node);
  }

  #import(node: ts.ImportDeclaration): void {
    const { namedBindings: bindings, name } = node.importClause ?? {};
    if (!bindings || !ts.isNamedImports(bindings) || name) return this.#refuse(node);
    const names = bindings.elements.map(({ name: local, propertyName, isTypeOnly }) => {
      const isType = isTypeOnly || node.importClause?.isTypeOnly === true;
      // A value may be a class, and an enum is both an object and a type.
      this.#declare(local, ...(isType ? (['type'] as const) : (['value', 'type'] as const)));
      return (propertyName ?? local).text;
    });
    this.#add(this.#emitted.imports, this.#string(node.moduleSpecifier), names);
  }

  #client(node: ts.ClassDeclaration): void {
    this.#heritage(node);
    for (const member of node.members) this.#method(member);
  }

  #heritage({ heritageClauses }: ts.ClassDeclaration | ts.InterfaceDeclaration): void {
    for (const { types } of heritageClauses ?? []) for (const type of types) this.#type(type);
  }

  #constant(node: ts.VariableStatement): void {
    const [declaration, ...others] = node.declarationList.declarations;
    const isConst = (node.declarationList.flags & ts.NodeFlags.Const) !== 0;
    if (!declaration?.initializer || !ts.isIdentifier(declaration.name) || others.length > 0 || !isConst) {
      return this.#refuse(node);
    }
    if (declaration.type) this.#type(declaration.type);
    this.#emitted.constants.set(this.#declare(declaration.name, 'value'), this.#value(declaration.initializer));
  }

  /** `name<U>(args, options): Promise<...> { return this.execute('command', args, options); }` */
  #method(node: ts.ClassElement): void {
    if (!ts.isMethodDeclaration(node) || node.modifiers || node.asteriskToken || !node.type) return this.#refuse(node);
    this.#type(node.type);
    for (const parameter of node.parameters) {
      if (!parameter.type || parameter.initializer || !ts.isIdentifier(parameter.name)) this.#refuse(parameter);
      else this.#type(parameter.type);
    }
    const [statement, ...others] = node.body?.statements ?? [];
    const call = statement && ts.isReturnStatement(statement) ? statement.expression : undefined;
    if (!call || !ts.isCallExpression(call) || others.length > 0) return this.#refuse(node);
    this.#add(this.#emitted.methods, this.#name(node.name), this.#executed(call));
  }

  #executed(call: ts.CallExpression): string {
    const [command, ...further] = call.arguments;
    const isKnown = call.expression.getText() === 'this.execute';
    if (!command || !isKnown || further.map((one) => one.getText()).join() !== 'args,options')
      return this.#refuse(call);
    return this.#string(command);
  }

  #value(node: ts.Expression): Value {
    if (ts.isStringLiteral(node)) return node.text;
    if (node.kind === SyntaxKind.TrueKeyword) return true;
    if (ts.isIdentifier(node)) return node.text === 'undefined' ? undefined : this.#reference(node);
    if (ts.isParenthesizedExpression(node)) return this.#value(node.expression);
    if (ts.isAsExpression(node) && node.type.getText() === 'const') return this.#value(node.expression);
    if (ts.isArrayLiteralExpression(node)) return node.elements.map((element) => this.#value(element));
    if (ts.isObjectLiteralExpression(node)) {
      return { members: this.#map(node.properties.map((one) => this.#member(one))) };
    }
    return ts.isArrowFunction(node) ? this.#function(node) : this.#call(node);
  }

  #reference(node: ts.Identifier): Value {
    this.#used.value.add(node.text);
    return { ref: node.text };
  }

  #function(node: ts.ArrowFunction): Value {
    if (node.parameters.length > 0 || node.modifiers || ts.isBlock(node.body)) return this.#refuse(node);
    return { returns: this.#value(node.body) };
  }

  #call(node: ts.Expression): Value {
    const name = ts.isCallExpression(node) && ts.isIdentifier(node.expression) ? node.expression.text : '';
    if (!ts.isCallExpression(node) || !runtimeFunctions.has(name)) return this.#refuse(node);
    this.#used.value.add(name);
    for (const type of node.typeArguments ?? []) this.#type(type);
    return { call: name, args: node.arguments.map((argument) => this.#value(argument)) };
  }

  #member(node: ts.ObjectLiteralElementLike): [string, Value] {
    if (ts.isShorthandPropertyAssignment(node)) return [node.name.text, this.#reference(node.name)];
    if (!ts.isPropertyAssignment(node)) return this.#refuse(node);
    if (!ts.isComputedPropertyName(node.name) && this.#name(node.name) === '__proto__') return this.#refuse(node);
    return [this.#name(node.name), this.#value(node.initializer)];
  }

  #properties(node: ts.InterfaceDeclaration): Map<string, Property> {
    this.#heritage(node);
    const properties = node.members.map((member): [string, Property] => {
      if (!ts.isPropertySignature(member) || !member.type) return this.#refuse(member);
      const literals: string[] = [];
      const type = this.#type(member.type, literals);
      return [this.#name(member.name), { optional: member.questionToken !== undefined, type, literals }];
    });
    return this.#map(properties);
  }

  /** @param literals receives the string literals of the type */
  #type(node: ts.Node, literals: string[] = []): string {
    if (!typeKinds.has(node.kind)) return this.#refuse(node);
    if (ts.isStringLiteral(node)) literals.push(node.text);
    const name = ts.isTypeReferenceNode(node)
      ? node.typeName
      : ts.isExpressionWithTypeArguments(node) && node.expression;
    if (name && ts.isIdentifier(name)) this.#used[isBase(node) ? 'value' : 'type'].add(name.text);
    if (ts.isTypeQueryNode(node) && ts.isIdentifier(node.exprName)) this.#used.value.add(node.exprName.text);
    ts.forEachChild(node, (child) => void this.#type(child, literals));
    return node.getText();
  }

  #name(node: ts.PropertyName): string {
    if (ts.isComputedPropertyName(node)) return this.#string(node.expression);
    return ts.isIdentifier(node) || ts.isStringLiteral(node) || ts.isNumericLiteral(node)
      ? node.text
      : this.#refuse(node);
  }

  #string(node: ts.Node): string {
    return ts.isStringLiteral(node) ? node.text : this.#refuse(node);
  }

  #comments(): void {
    const scanner = ts.createScanner(ts.ScriptTarget.Latest, false, ts.LanguageVariant.Standard, this.#file.text);
    for (let token = scanner.scan(); token !== SyntaxKind.EndOfFileToken; token = scanner.scan()) {
      const isComment = token === SyntaxKind.SingleLineCommentTrivia || token === SyntaxKind.MultiLineCommentTrivia;
      if (isComment) this.#comment(scanner.getTokenText(), scanner.getTokenStart());
    }
  }

  #comment(text: string, start: number): void {
    const isHeader = start === 0 && text.startsWith('// Generated by qapi-ts ');
    const isOurs = isHeader || text.startsWith('/** ') || text.startsWith('/**\n') || text === '/* @__PURE__ */';
    // A comment within the comment, a directive for a debugger, or an invisible character.
    const isOdd = /\/\/[#@]|(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(text) || text.slice(2).includes('/*');
    if (!isOurs || isOdd) throw new Error(`the generator does not write this comment: ${JSON.stringify(text)}`);
    this.#emitted.comments.push(text);
  }

  #refuse(node: ts.Node): never {
    throw new Error(`the generator does not write a ${SyntaxKind[node.kind]}: ${node.getText().slice(0, 200)}`);
  }
}

/** Returns whether a node is the base of a class. */
function isBase(node: ts.Node): boolean {
  return ts.isHeritageClause(node.parent) && ts.isClassDeclaration(node.parent.parent);
}
