/** Reads the files of a program for what they use of generated code. */

import { ts } from 'ts-morph';

import type { Use } from '../change.js';
import type { Findings } from './findings.js';
import { Flow, shorten } from './flow.js';
import { elementsOf, isList, type GeneratedCode, type Member, type Subject } from './generated.js';
import type { Access } from './usage.js';

export function scan(program: ts.Program, code: GeneratedCode, findings: Findings): void {
  const isOfProgram = (file: ts.SourceFile): boolean =>
    !file.isDeclarationFile &&
    !file.fileName.includes('/node_modules/') &&
    !program.isSourceFileFromExternalLibrary(file) &&
    !code.has(file) &&
    !code.isRuntime(file);
  const flow = new Flow(program.getTypeChecker(), code, findings, isOfProgram);
  const scanner = new Scanner(program, code, findings, flow, isOfProgram);
  for (const file of program.getSourceFiles()) if (isOfProgram(file)) scanner.scan(file);
  flow.finish();
}

class Scanner {
  readonly #program: ts.Program;
  readonly #checker: ts.TypeChecker;
  readonly #code: GeneratedCode;
  readonly #findings: Findings;
  readonly #flow: Flow;
  readonly #isOfProgram: (file: ts.SourceFile) => boolean;

  constructor(
    program: ts.Program,
    code: GeneratedCode,
    findings: Findings,
    flow: Flow,
    isOfProgram: (file: ts.SourceFile) => boolean,
  ) {
    this.#program = program;
    this.#checker = program.getTypeChecker();
    this.#code = code;
    this.#findings = findings;
    this.#flow = flow;
    this.#isOfProgram = isOfProgram;
  }

  scan(node: ts.Node): void {
    this.#visit(node);
    if (ts.isExpression(node)) this.#visitValue(node);
    ts.forEachChild(node, (child) => this.scan(child));
  }

  #visit(node: ts.Node): void {
    if (ts.isPropertyAccessExpression(node)) this.#visitAccess(node, node.name);
    else if (ts.isElementAccessExpression(node)) this.#visitElementAccess(node);
    else if (ts.isObjectBindingPattern(node)) this.#visitPattern(node);
    else if (ts.isBinaryExpression(node)) this.#visitBinary(node);
    else if (ts.isCaseClause(node)) this.#visitComparison(node.expression, node.parent.parent.expression);
    else if (ts.isForInStatement(node)) this.#visitForIn(node);
    else if (ts.isSpreadAssignment(node)) this.#visitSpread(node);
    else if (ts.isCallExpression(node) || ts.isNewExpression(node)) this.#visitCall(node);
    else if (ts.isIndexedAccessTypeNode(node)) this.#visitIndexedType(node);
    else if (ts.isTypePredicateNode(node)) this.#visitPredicate(node);
    else if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name) && node.name.text === 'until') {
      this.#visitUntil(node);
    }
  }

  /** `value.member` */
  #visitAccess(node: ts.PropertyAccessExpression, name: ts.MemberName): void {
    const symbol = this.#checker.getSymbolAtLocation(name);
    if (symbol) this.#use(symbol, name, node);
    else this.#useMissing(this.#typeOf(node.expression), name.text, name, node);
  }

  #visitElementAccess(node: ts.ElementAccessExpression): void {
    const { argumentExpression: name, expression } = node;
    if (ts.isStringLiteralLike(name)) {
      this.#useNamed(this.#typeOf(expression), name.text, name, node);
      return;
    }
    const type = this.#typeOf(expression);
    const index = this.#typeOf(name);
    const names = this.#checker.getBaseConstraintOfType(index) ?? index;
    const values = (names.isUnion() ? names.types : [names]).flatMap((part) =>
      part.isStringLiteral() ? [part.value] : [],
    );
    const symbols = values.flatMap((value) => type.getProperty(value) ?? []);
    // Either it is not known, or it is of all that a client has.
    const isAny = values.length === 0 || values.includes('executeRaw');
    if (isAny && this.#code.isClient(type)) {
      this.#findings.unclear(`'${shorten(name.getText())}' may be the name of any method`, {}, name);
      return;
    }
    // Any of those that it may be.
    for (const symbol of symbols) this.#use(symbol, name, node);
    if (values.length === 0 && !(index.flags & ts.TypeFlags.NumberLike)) this.#loseMember(type, name);
  }

  /** `const { member } = value` */
  #visitPattern(pattern: ts.ObjectBindingPattern): void {
    for (const { name, propertyName, dotDotDotToken: rest } of pattern.elements) {
      const key = propertyName ?? name;
      const text = ts.isIdentifier(key) || ts.isStringLiteral(key) ? key.text : undefined;
      const type = this.#typeOf(pattern);
      if (text === undefined && propertyName) this.#loseMember(type, propertyName);
      else if (!rest && text !== undefined) this.#useNamed(type, text, key);
    }
  }

  #loseMember(type: ts.Type, name: ts.Node): void {
    this.#flow.lose(type, `'${shorten(name.getText())}' may be any member of ${this.#flow.title(type)}`, name);
  }

  #visitBinary({ left, right, operatorToken }: ts.BinaryExpression): void {
    const { kind } = operatorToken;
    if (comparisons.has(kind)) {
      this.#visitComparison(left, right);
      this.#visitComparison(right, left);
    } else if (kind === ts.SyntaxKind.InKeyword) {
      if (ts.isStringLiteral(left)) this.#visitIn(left, this.#typeOf(right));
    } else if (kind === ts.SyntaxKind.EqualsToken) {
      if (ts.isObjectLiteralExpression(left)) this.#visitAssignedPattern(left);
      const enums = this.#membersAt(left).flatMap((member) => this.#code.enumsOfMember(member));
      this.#flow.values(right, enums, 'writes');
    }
  }

  #visitIn(name: ts.StringLiteral, type: ts.Type): void {
    for (const part of type.isUnion() ? type.types : [type]) this.#use(part.getProperty(name.text), name);
  }

  /** `({ member: variable } = value)` */
  #visitAssignedPattern({ properties }: ts.ObjectLiteralExpression): void {
    for (const { name } of properties) {
      if (!name || !ts.isIdentifier(name)) continue;
      this.#use(this.#checker.getPropertySymbolOfDestructuringAssignment(name), name);
    }
  }

  /** A known text beside a value of an enum. */
  #visitComparison(literal: ts.Expression, value: ts.Expression): void {
    if (!ts.isStringLiteralLike(literal)) return;
    const members = this.#membersAt(value);
    const enums =
      members.length > 0
        ? members.flatMap((member) => this.#code.enumsOfMember(member))
        : this.#code.enumsOfType(this.#declaredTypeOf(value));
    this.#flow.values(literal, enums, 'reads');
  }

  /** The generated members that an expression has its value from. */
  #membersAt(expression: ts.Expression): Member[] {
    const node = skip(expression);
    const symbol = this.#checker.getSymbolAtLocation(
      ts.isElementAccessExpression(node) ? node.argumentExpression : node,
    );
    const declaration = symbol?.valueDeclaration;
    if (declaration && ts.isBindingElement(declaration) && ts.isObjectBindingPattern(declaration.parent)) {
      const key = declaration.propertyName ?? declaration.name;
      const text = ts.isIdentifier(key) || ts.isStringLiteral(key) ? key.text : '';
      return this.#code.membersOf(this.#typeOf(declaration.parent).getProperty(text));
    }
    if (declaration && ts.isVariableDeclaration(declaration) && declaration.initializer && !declaration.type) {
      return this.#membersAt(declaration.initializer);
    }
    return this.#code.membersOf(symbol);
  }

  /** Before any narrowing, after which TypeScript forgets the name of a type. */
  #declaredTypeOf(expression: ts.Expression): ts.Type {
    const symbol = ts.isIdentifier(expression) ? this.#checker.getSymbolAtLocation(expression) : undefined;
    return symbol?.valueDeclaration ? this.#checker.getTypeOfSymbol(symbol) : this.#typeOf(expression);
  }

  #visitCall(node: ts.CallExpression | ts.NewExpression): void {
    const signature = this.#checker.getResolvedSignature(node);
    const declaration = signature?.declaration;
    if (!signature || !declaration || ts.isJSDocSignature(declaration)) return;
    for (const [index, name] of (node.arguments ?? []).entries()) {
      if (ts.isStringLiteral(name)) this.#visitName(name, signature, index);
    }
    const file = declaration.getSourceFile();
    if (this.#code.has(file) || this.#code.isRuntime(file)) return;
    if (this.#isOfProgram(file)) this.#visitTypeParameters(node, signature);
    else if (!this.#isStandard(file)) this.#visitForeignCall(node, declaration);
  }

  #visitForIn({ expression }: ts.ForInStatement): void {
    const type = this.#typeOf(expression);
    this.#flow.lose(type, `the members of ${this.#flow.title(type)} are enumerated`, expression);
  }

  /** Members of any name, which TypeScript forgets in a literal. */
  #visitSpread({ expression, parent }: ts.SpreadAssignment): void {
    const type = this.#typeOf(expression);
    const target = this.#checker.getContextualType(parent);
    if (!target || this.#checker.getIndexInfosOfType(type).length === 0) return;
    this.#flow.appear(target, `${this.#flow.title(type)} is a part of ${this.#flow.title(target)}`, expression);
  }

  /** A function of the program that takes the name of any command passes it on, and does not know which it is. */
  #visitName(name: ts.StringLiteral, signature: ts.Signature, index: number): void {
    const declared = signature.declaration?.parameters[index];
    if (!declared || !this.#isOfProgram(declared.getSourceFile())) return;
    const type = this.#typeOf(declared);
    const kind = this.#code.kindOfNames(this.#checker.getBaseConstraintOfType(type) ?? type);
    if (kind) this.#findings.subject({ kind, name: name.text }, name);
  }

  /** What goes through a generic function keeps its type, but not within it. */
  #visitTypeParameters(node: ts.CallExpression | ts.NewExpression, signature: ts.Signature): void {
    const given = this.#checker.getTypeArgumentsForResolvedSignature(signature) ?? [];
    const { declaration } = signature;
    if (!declaration) return;
    const declared = ts.isConstructorDeclaration(declaration) ? declaration.parent : declaration;
    for (const [index, parameter] of ts.getEffectiveTypeParameterDeclarations(declared).entries()) {
      const type = given[index];
      const symbol = this.#checker.getSymbolAtLocation(parameter.name);
      if (!type || !symbol) continue;
      this.#flow.instantiate(symbol, type);
      if (parameter.constraint) this.#flow.convert(type, this.#checker.getTypeFromTypeNode(parameter.constraint), node);
    }
  }

  /** A function of neither the program nor the standard library: whatever it does with what it is given is not seen. */
  #visitForeignCall(node: ts.CallExpression | ts.NewExpression, declaration: ts.SignatureDeclaration): void {
    const callee = `'${shorten(node.expression.getText())}', which is not of the program`;
    for (const argument of node.arguments ?? []) {
      const type = this.#typeOf(argument);
      this.#flow.lose(type, `${this.#flow.title(type)} is passed to ${callee}`, argument);
    }
    const returned = this.#checker.getSignatureFromDeclaration(declaration)?.getReturnType();
    if (returned) this.#flow.appear(returned, `${this.#flow.title(returned)} comes from ${callee}`, node);
  }

  #isStandard(file: ts.SourceFile): boolean {
    return this.#program.isSourceFileDefaultLibrary(file) || file.fileName.includes('/node_modules/@types/node/');
  }

  /** `Commands['stop']` */
  #visitIndexedType({ indexType, objectType }: ts.IndexedAccessTypeNode): void {
    const index = this.#checker.getTypeFromTypeNode(indexType);
    const type = this.#checker.getTypeFromTypeNode(objectType);
    for (const part of index.isUnion() ? index.types : [index]) {
      if (!part.isStringLiteral()) continue;
      for (const subject of this.#code.subjectsOf(type.getProperty(part.value)))
        this.#findings.subject(subject, indexType);
    }
  }

  #visitPredicate({ type }: ts.TypePredicateNode): void {
    if (!type) return;
    const text = `a function of the program says what is a '${shorten(type.getText())}'`;
    this.#flow.appear(this.#checker.getTypeFromTypeNode(type), text, type);
  }

  /** The events that a call waits for. */
  #visitUntil({ initializer, parent }: ts.PropertyAssignment): void {
    const options = this.#checker.getContextualType(parent);
    const parts = options?.isUnion() ? options.types : options ? [options] : [];
    if (parts.some((part) => this.#code.runtimeName(part.getProperty('until')) === 'until')) {
      this.#visitNames(initializer, 'event');
    }
  }

  #useNamed(type: ts.Type, name: string, node: ts.Node, access?: ts.Expression): void {
    const symbol = type.getProperty(name);
    if (symbol) this.#use(symbol, node, access);
    else this.#useMissing(type, name, node, access);
  }

  /** What a program for another version uses: the compiler refuses it, and a comparison tells why. */
  #useMissing(type: ts.Type, name: string, node: ts.Node, access: ts.Expression | undefined): void {
    for (const part of type.isUnion() ? type.types : [type]) {
      if (this.#code.isClient(part)) this.#useSubject({ kind: 'command', name, isMethod: true }, node, access);
      const member = this.#code.missingMember(part, name);
      for (const how of member ? accessesOf(access) : []) if (member) this.#findings.member(member, how, node);
    }
  }

  /** A property of a name was found. */
  #use(symbol: ts.Symbol | undefined, name: ts.Node, access?: ts.Expression): void {
    for (const subject of this.#code.subjectsOf(symbol)) this.#useSubject(subject, name, access);
    for (const member of this.#code.membersOf(symbol)) {
      for (const how of accessesOf(access)) this.#findings.member(member, how, name);
    }
    const method = this.#code.runtimeName(symbol);
    if (method !== undefined && access && this.#isClient(access)) this.#useClient(method, access);
  }

  #useSubject(subject: Subject, name: ts.Node, access: ts.Expression | undefined): void {
    const call = access && callOf(access);
    this.#findings.subject(subject, name, call && (call.arguments[0]?.getText() ?? 'undefined') === 'undefined');
  }

  #isClient(access: ts.Expression): boolean {
    const type =
      ts.isPropertyAccessExpression(access) || ts.isElementAccessExpression(access)
        ? this.#typeOf(access.expression)
        : undefined;
    const parts = type ? [type, ...(type.isUnion() ? type.types : []), this.#checker.getApparentType(type)] : [];
    return parts.some((part) => this.#code.isClient(part));
  }

  /** A method that all clients have. */
  #useClient(method: string, access: ts.Expression): void {
    const call = callOf(access);
    const [first, second] = call?.arguments ?? [];
    switch (method) {
      case 'execute':
      case 'executeRaw':
      case 'events':
      case 'on':
      case 'once':
      case 'off':
        break;
      default:
        return;
    }
    if (!call || !first) this.#findings.unclear(`'${method}' of a client is passed on`, {}, access);
    else if (method === 'executeRaw') this.#useRaw(call, first, second);
    else this.#visitNames(first, method === 'execute' ? 'command' : 'event', method === 'execute' && !second);
  }

  /** A command whose arguments and result are any JSON. */
  #useRaw(call: ts.CallExpression, name: ts.Expression, args: ts.Expression | undefined): void {
    for (const command of this.#visitNames(name, 'command', !args)) {
      const roles: Use['role'][] = [];
      if (args) {
        const types = this.#code.carried({ kind: 'command', name: command }, 'arguments');
        for (const type of types) this.#flow.use(args, type);
        if (types.length === 0) roles.push('arguments');
      }
      const used = ts.isAwaitExpression(call.parent) ? call.parent : call;
      if (!ts.isExpressionStatement(used.parent)) roles.push('result');
      const whats = roles.join(' and ');
      if (roles.length > 0)
        this.#findings.unclear(`the ${whats} of '${command}' by 'executeRaw'`, { command, roles }, name);
    }
  }

  /** @returns the names that were found */
  #visitNames(expression: ts.Expression, kind: Subject['kind'], isBare = false): string[] {
    const node = skip(expression);
    if (ts.isArrayLiteralExpression(node)) return node.elements.flatMap((element) => this.#visitNames(element, kind));
    const type = this.#typeOf(ts.isSpreadElement(node) ? node.expression : node);
    const values = isList(this.#checker, type) ? elementsOf(this.#checker, type) : [type];
    const parts = values.flatMap((value) => (value.isUnion() ? value.types : [value]));
    const names = parts.flatMap((part) => (part.isStringLiteral() ? [part.value] : []));
    // Where a name of the right type comes from, it was seen.
    const isAny = values.some((value) => this.#code.kindOfNames(value) === kind);
    if (isAny || parts.some((part) => part.flags & ts.TypeFlags.TypeParameter)) return [];
    if (names.length < parts.length) {
      this.#findings.unclear(`'${shorten(node.getText())}' may be the name of any ${kind}`, {}, node);
    } else if (names.includes('*') && kind === 'event') {
      this.#findings.unclear('all events are listened to', {}, node);
    }
    const found = names.filter((name) => kind === 'command' || !ofConnection.has(name));
    for (const name of found) this.#findings.subject({ kind, name }, node, isBare);
    return found;
  }

  /** An expression whose value becomes one of another type. */
  #visitValue(node: ts.Expression): void {
    const { parent } = node;
    if (isPassedOn(node)) {
      const checked = this.#checkedType(node);
      if (checked)
        this.#flow.appear(
          checked,
          `'${shorten(node.getText())}' is passed on, and may let in any ${this.#flow.title(checked)}`,
          node,
        );
    }
    if (!isSink(node)) return;
    if ((ts.isCallExpression(parent) || ts.isNewExpression(parent)) && parent.expression !== node) {
      this.#visitArgument(node, parent);
      return;
    }
    const target = this.#checker.getContextualType(node);
    if (target) this.#flow.use(node, target, isReturned(node));
  }

  #visitArgument(node: ts.Expression, call: ts.CallExpression | ts.NewExpression): void {
    const callee = this.#typeOf(call.expression);
    if (callee.flags & ts.TypeFlags.Any) {
      this.#flow.use(node, callee);
      return;
    }
    const checked = this.#checkedType(call.expression);
    if (checked) {
      const type = this.#typeOf(node);
      if (!this.#flow.concerns(type)) {
        this.#flow.appear(checked, `a value from elsewhere becomes ${this.#flow.title(checked)}`, node);
      }
      return;
    }
    const method = ts.isPropertyAccessExpression(call.expression) ? call.expression : undefined;
    if (method && (this.#isRaw(method) || this.#isReceiver(method, node, call))) return;
    const target = this.#checker.getContextualType(node);
    if (target) this.#flow.use(node, target);
  }

  #isRaw(method: ts.PropertyAccessExpression): boolean {
    return method.name.text === 'executeRaw' && this.#isClient(method);
  }

  /** `vm` in `vm.stop.bind(vm)` */
  #isReceiver(
    method: ts.PropertyAccessExpression,
    node: ts.Expression,
    { arguments: args }: ts.CallExpression | ts.NewExpression,
  ): boolean {
    const subjects = this.#code.subjectsOf(this.#checker.getSymbolAtLocation(method.expression));
    return subjects.length > 0 && args?.[0] === node;
  }

  /** What a validator, called or asked for issues, is of. */
  #checkedType(callee: ts.Expression): ts.Type | undefined {
    const isIssues = ts.isPropertyAccessExpression(callee) && callee.name.text === 'issues';
    const type = this.#typeOf(isIssues ? callee.expression : callee);
    if (this.#code.runtimeName(type.getSymbol()) !== 'Validator') return undefined;
    return this.#checker.getTypeArguments(type as ts.TypeReference)[0];
  }

  #typeOf(node: ts.Node): ts.Type {
    return this.#checker.getTypeAtLocation(node);
  }
}

const comparisons: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
]);

/** What clients tell beside events of the schema. */
const ofConnection = new Set(['*', 'disconnected', 'reconnected']);

/** Of a validator that is not called here: those of types are called as the types, those of commands by what they are of. */
function isPassedOn(node: ts.Expression): boolean {
  const { parent } = node;
  const isNamedSo = ts.isPropertyAccessExpression(node)
    ? /^(?:arguments|result|is[A-Z].*)$/u.test(node.name.text)
    : ts.isIdentifier(node) && /^is[A-Z]/u.test(node.text);
  if (!isNamedSo || ts.isPropertyAccessExpression(parent) || ts.isImportSpecifier(parent)) return false;
  return !(ts.isCallExpression(parent) && parent.expression === node);
}

/** Where a value is taken as it is. What is within a literal or a condition is seen with the whole. */
function isSink(node: ts.Expression): boolean {
  const { parent } = node;
  switch (parent.kind) {
    case ts.SyntaxKind.CallExpression:
    case ts.SyntaxKind.NewExpression:
      return (parent as ts.CallExpression).expression !== node;
    case ts.SyntaxKind.VariableDeclaration:
    case ts.SyntaxKind.Parameter:
    case ts.SyntaxKind.PropertyDeclaration: {
      // A pattern asks for what it names, and is seen by itself.
      const { initializer, type } = parent as ts.VariableDeclaration;
      return initializer === node && type !== undefined;
    }
    case ts.SyntaxKind.BindingElement:
      return (parent as ts.BindingElement).initializer === node;
    case ts.SyntaxKind.BinaryExpression: {
      const { operatorToken, right } = parent as ts.BinaryExpression;
      return right === node && isAssignment(operatorToken.kind);
    }
    case ts.SyntaxKind.ReturnStatement:
    case ts.SyntaxKind.YieldExpression:
    case ts.SyntaxKind.AsExpression:
    case ts.SyntaxKind.TypeAssertionExpression:
    case ts.SyntaxKind.SatisfiesExpression:
    case ts.SyntaxKind.JsxExpression:
      return true;
    case ts.SyntaxKind.TemplateSpan:
      return ts.isTaggedTemplateExpression(parent.parent.parent);
    case ts.SyntaxKind.ArrowFunction:
      return (parent as ts.ArrowFunction).body === node;
    default:
      return false;
  }
}

/** By an asynchronous function, which may return a promise of what it promises. */
function isReturned({ parent }: ts.Expression): boolean {
  const returning = ts.isReturnStatement(parent) ? ts.findAncestor(parent, ts.isFunctionLike) : parent;
  const isFunction = returning !== undefined && ts.isFunctionLike(returning);
  return isFunction && (ts.getCombinedModifierFlags(returning) & ts.ModifierFlags.Async) !== 0;
}

function isAssignment(kind: ts.SyntaxKind): boolean {
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}

/** The call of a method, if it is called at once. */
function callOf(access: ts.Expression): ts.CallExpression | undefined {
  const { parent } = access;
  return ts.isCallExpression(parent) && parent.expression === access ? parent : undefined;
}

/** What is done with a member; where it is not accessed by an expression, it is read. */
function accessesOf(node: ts.Expression | undefined): readonly Access[] {
  const parent = node?.parent;
  if (!parent || !ts.isBinaryExpression(parent) || parent.left !== node) return ['reads'];
  const { kind } = parent.operatorToken;
  if (kind === ts.SyntaxKind.EqualsToken) return ['writes'];
  return isAssignment(kind) ? ['reads', 'writes'] : ['reads'];
}

/** Without parentheses, and what only TypeScript sees. */
function skip(node: ts.Expression): ts.Expression {
  if (ts.isParenthesizedExpression(node) || ts.isNonNullExpression(node) || ts.isSatisfiesExpression(node)) {
    return skip(node.expression);
  }
  return ts.isAsExpression(node) && node.type.getText() === 'const' ? skip(node.expression) : node;
}
