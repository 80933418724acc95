/** Reads emitted TypeScript as data. Any syntax but that which the generator is meant to write is an error. */

import { ts } from 'ts-morph';

/** What an initialiser says. */
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
  /** As written. */
  readonly type: string;
  /** The string literals in the type. */
  readonly literals: readonly string[];
}

export interface Emitted {
  /** The names in `import`, by where they come from. */
  readonly imports: Map<string, string[]>;
  /** Where `export ... from` takes names from. */
  readonly exports: string[];
  readonly constants: Map<string, Value>;
  readonly interfaces: Map<string, Map<string, Property>>;
  readonly aliases: Map<string, string>;
  /** The commands that the methods of the client execute. */
  readonly methods: Map<string, string>;
  /** The texts of all comments. */
  readonly comments: string[];
}

const { SyntaxKind } = ts;

/** What a type may consist of. */
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

/** @throws for what is not TypeScript, or not of the kinds that the generator writes */
export function readEmitted(text: string): Emitted {
  const file = ts.createSourceFile('emitted.ts', text, ts.ScriptTarget.Latest, true);
  return new Reader(file).read();
}

/** What the compiler finds in a file while it parses it, and does not show in its public types. */
interface Parsed {
  readonly parseDiagnostics: readonly ts.Diagnostic[];
  readonly commentDirectives?: readonly unknown[];
  readonly pragmas: ReadonlyMap<string, unknown>;
}

class Reader {
  readonly #file: ts.SourceFile;
  readonly #emitted: Emitted = {
    imports: new Map(),
    exports: [],
    constants: new Map(),
    interfaces: new Map(),
    aliases: new Map(),
    methods: new Map(),
    comments: [],
  };

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
    this.#comments();
    return this.#emitted;
  }

  #statement(node: ts.Statement): void {
    const { exports, interfaces, aliases } = this.#emitted;
    if (ts.isImportDeclaration(node)) this.#import(node);
    else if (ts.isExportDeclaration(node)) exports.push(this.#string(node.moduleSpecifier ?? node));
    else if (ts.isInterfaceDeclaration(node)) interfaces.set(node.name.text, this.#properties(node));
    else if (ts.isTypeAliasDeclaration(node)) aliases.set(node.name.text, this.#type(node.type));
    else if (ts.isVariableStatement(node)) this.#constant(node);
    else if (ts.isClassDeclaration(node) && node.name?.text === 'Client') this.#client(node);
    else if (!ts.isFunctionDeclaration(node) || node.getText().replaceAll(/^ +/gmu, '') !== connect) this.#refuse(node);
  }

  #import(node: ts.ImportDeclaration): void {
    const { namedBindings: bindings, name } = node.importClause ?? {};
    if (!bindings || !ts.isNamedImports(bindings) || name) return this.#refuse(node);
    const names = bindings.elements.map((element) => element.name.text);
    this.#emitted.imports.set(this.#string(node.moduleSpecifier), names);
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
    this.#emitted.constants.set(declaration.name.text, this.#value(declaration.initializer));
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
    this.#emitted.methods.set(this.#name(node.name), this.#executed(call));
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
    if (ts.isIdentifier(node)) return node.text === 'undefined' ? undefined : { ref: node.text };
    if (ts.isParenthesizedExpression(node)) return this.#value(node.expression);
    if (ts.isAsExpression(node) && node.type.getText() === 'const') return this.#value(node.expression);
    if (ts.isArrayLiteralExpression(node)) return node.elements.map((element) => this.#value(element));
    if (ts.isObjectLiteralExpression(node)) {
      return { members: new Map(node.properties.map((one) => this.#member(one))) };
    }
    return ts.isArrowFunction(node) ? this.#function(node) : this.#call(node);
  }

  #function(node: ts.ArrowFunction): Value {
    if (node.parameters.length > 0 || node.modifiers || ts.isBlock(node.body)) return this.#refuse(node);
    return { returns: this.#value(node.body) };
  }

  #call(node: ts.Expression): Value {
    const name = ts.isCallExpression(node) && ts.isIdentifier(node.expression) ? node.expression.text : '';
    if (!ts.isCallExpression(node) || !runtimeFunctions.has(name)) return this.#refuse(node);
    for (const type of node.typeArguments ?? []) this.#type(type);
    return { call: name, args: node.arguments.map((argument) => this.#value(argument)) };
  }

  #member(node: ts.ObjectLiteralElementLike): [string, Value] {
    if (ts.isShorthandPropertyAssignment(node)) return [node.name.text, { ref: node.name.text }];
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
    return new Map(properties);
  }

  /** @param literals gets the string literals in it */
  #type(node: ts.Node, literals: string[] = []): string {
    if (!typeKinds.has(node.kind)) return this.#refuse(node);
    if (ts.isStringLiteral(node)) literals.push(node.text);
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
    // A comment within a comment, a directive to a debugger, and what nobody sees.
    const isOdd = /\/\/[#@]|(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(text) || text.slice(2).includes('/*');
    if (!isOurs || isOdd) throw new Error(`this comment is not the generator's: ${JSON.stringify(text)}`);
    this.#emitted.comments.push(text);
  }

  #refuse(node: ts.Node): never {
    throw new Error(`the generator writes no ${SyntaxKind[node.kind]}: ${node.getText().slice(0, 200)}`);
  }
}
