/** Walks a program once and records what it does with generated code. */

import type { ts } from 'ts-morph';

import type { GeneratedCode, Subject } from './code.js';
import type { Compiler } from './compiler.js';
import { Facts, type Access, type MemberFact } from './facts.js';
import { Flow, partsOf } from './flow.js';

/** @param files the program's own files */
export function walk(
  compiler: Compiler,
  program: ts.Program,
  code: GeneratedCode,
  files: readonly ts.SourceFile[],
): Facts {
  const walker = new Walker(compiler, program, code);
  for (const file of files) walker.visit(file);
  return walker.facts;
}

class Walker {
  readonly facts = new Facts();
  readonly #ts: Compiler;
  readonly #program: ts.Program;
  readonly #checker: ts.TypeChecker;
  readonly #code: GeneratedCode;
  readonly #flow: Flow;

  constructor(compiler: Compiler, program: ts.Program, code: GeneratedCode) {
    this.#ts = compiler;
    this.#program = program;
    this.#checker = program.getTypeChecker();
    this.#code = code;
    this.#flow = new Flow(compiler, this.#checker, code, this.facts);
  }

  readonly visit = (node: ts.Node): void => {
    const is = this.#ts;
    if (is.isImportDeclaration(node)) return;
    if (is.isPropertyAccessExpression(node)) {
      this.#use(this.#checker.getSymbolAtLocation(node.name), node.name, node);
    } else if (is.isElementAccessExpression(node)) {
      this.#elementAccess(node);
    } else if (is.isObjectBindingPattern(node)) {
      this.#bindingPattern(node);
    } else if (is.isBinaryExpression(node)) {
      this.#binary(node);
    } else if (is.isCaseClause(node)) {
      this.#compare(node.expression, node.parent.parent.expression);
    } else if (is.isForInStatement(node)) {
      this.#flow.pass(this.#typeOf(node.expression), 'reads', node.expression);
    } else if (is.isIndexedAccessTypeNode(node)) {
      this.#indexedType(node);
    } else if (is.isCallExpression(node) || is.isNewExpression(node)) {
      this.#call(node);
    } else if (is.isPropertyAssignment(node) && is.isIdentifier(node.name) && node.name.text === 'until') {
      this.#until(node);
    } else if (is.isAsExpression(node) || is.isTypeAssertionExpression(node)) {
      this.#assertion(node);
    }
    if (is.isExpression(node)) this.#value(node);
    this.#ts.forEachChild(node, this.visit);
  };

  /** Records the use of a property. */
  #use(symbol: ts.Symbol | undefined, name: ts.Node, access?: ts.Expression): void {
    for (const subject of this.#code.subjectsOf(symbol)) this.#subject(subject, name, access);
    const members = new Set(this.#code.membersOf(symbol));
    const fact = { node: name, name: symbol?.name ?? '', members };
    for (const how of this.#accessesOf(access)) this.facts.addMember({ ...fact, access: how });
    if (access && members.size > 0) this.#assigned(access, fact);
    const method = this.#code.runtimeName(symbol);
    if (method !== undefined && access) this.#useClient(method, access);
  }

  /** Records an assignment such as `job.bitmap = 'b'`. */
  #assigned(access: ts.Expression, fact: Omit<MemberFact, 'access'>): void {
    const { parent } = access;
    if (!this.#ts.isBinaryExpression(parent) || !this.#accessesOf(access).includes('writes')) return;
    const [source, target] = [this.#typeOf(parent.right), this.#checker.getTypeAtLocation(access)];
    this.facts.addMember({ ...fact, access: 'writes', source, target });
    const enums = [...fact.members].flatMap((member) => this.#code.enumsOfMember(member));
    this.#flow.values(source, target, 'writes', fact.node, enums);
  }

  #subject(subject: Subject, node: ts.Node, access?: ts.Expression): void {
    const call = access && this.#callOf(access);
    const [args, options] = call?.arguments ?? [];
    this.#addSubject(subject, node, call, { args, options });
    if (!call || subject.kind !== 'command') return;
    if (!args || this.#isUndefined(args)) this.#bare(subject, node);
  }

  #addSubject(subject: Subject, node: ts.Node, call?: ts.Node, { args, options }: Arguments = {}): void {
    const awaited = call && this.#ts.isAwaitExpression(call.parent) ? call.parent : call;
    const hasResult = !awaited || !this.#ts.isExpressionStatement(awaited.parent);
    const isOob = options !== undefined && this.#typeOf(options).getProperty('oob') !== undefined;
    this.facts.subjects.push({ ...subject, node, hasResult, isOob, ...(args && { args: this.#typeOf(args) }) });
  }

  #bare(subject: Subject, node: ts.Node): void {
    for (const type of this.#code.carried(subject, 'arguments')) this.#flow.empty(type, node);
  }

  /** Records the use of a method that all clients have. */
  #useClient(method: string, access: ts.Expression): void {
    if (!['execute', 'executeRaw', 'events', 'on', 'once', 'off'].includes(method) || !this.#isClient(access)) return;
    const call = this.#callOf(access);
    const [first, second, third] = call?.arguments ?? [];
    if (!call || !first) {
      this.facts.unfollowed.push({ node: access, text: `the method '${method}' of a client is passed as a value` });
      return;
    }
    const kind = method.startsWith('execute') ? 'command' : 'event';
    for (const name of this.#names(first, kind)) {
      const subject = { kind, name } as const;
      this.#addSubject(subject, first, call, kind === 'command' ? { args: second, options: third } : {});
      if (kind === 'event') continue;
      if (!second || this.#isUndefined(second)) this.#bare(subject, first);
      else if (method === 'executeRaw') this.#raw(subject, first, second);
      if (method === 'executeRaw' && this.facts.subjects.at(-1)?.hasResult) {
        for (const type of this.#code.carried(subject, 'result')) this.#flow.pass(type, 'reads', first);
      }
    }
  }

  #raw(subject: Subject, name: ts.Expression, args: ts.Expression): void {
    for (const type of this.#code.carried(subject, 'arguments')) {
      // Nested literals have no contextual type here, so they are not recorded separately. Passing a node other than
      // the literal makes `convert` descend into them.
      const isLiteral = this.#ts.isObjectLiteralExpression(args);
      if (!isLiteral && this.#typeOf(args).getStringIndexType()) this.#flow.pass(type, 'writes', args);
      else this.#flow.convert(this.#typeOf(args), type, isLiteral ? name : args);
    }
  }

  /** Returns the names of commands or events that an expression, or each element of a list, can have. */
  #names(expression: ts.Expression, kind: Subject['kind']): string[] {
    const node = this.#skip(expression);
    if (this.#ts.isArrayLiteralExpression(node)) return node.elements.flatMap((one) => this.#names(one, kind));
    const type = this.#typeOf(this.#ts.isSpreadElement(node) ? node.expression : node);
    const elements = this.#code.elementsOf(type);
    const parts = (elements.length > 0 ? elements : [type]).flatMap(partsOf);
    // For a type parameter, the names are found where the generic function is called.
    if (parts.some(({ flags }) => flags & this.#ts.TypeFlags.TypeParameter)) return [];
    const names = parts.flatMap((part) => (part.isStringLiteral() ? [part.value] : []));
    const isAny = this.#code.kindOfNames(type) === kind;
    if (isAny || names.length < parts.length) {
      this.facts.unfollowed.push({ node, text: `'${shorten(node.getText())}' may be any ${kind} name` });
    } else if (names.includes('*') && kind === 'event') {
      this.facts.unfollowed.push({ node, text: 'a listener receives all events' });
    }
    return isAny ? [] : names;
  }

  #elementAccess(node: ts.ElementAccessExpression): void {
    const [type, index] = [this.#typeOf(node.expression), this.#typeOf(node.argumentExpression)];
    const base = this.#checker.getBaseConstraintOfType(index) ?? index;
    if (partsOf(base).every((part) => part.isStringLiteral())) {
      for (const part of partsOf(base)) {
        const name = (part as ts.StringLiteralType).value;
        this.#use(
          this.#checker.getPropertyOfType(this.#checker.getNonNullableType(type), name),
          node.argumentExpression,
          node,
        );
      }
    } else if (!(base.flags & this.#ts.TypeFlags.NumberLike)) {
      this.#flow.pass(type, this.#accessesOf(node)[0] ?? 'reads', node.argumentExpression);
    }
  }

  #bindingPattern(pattern: ts.ObjectBindingPattern): void {
    const type = this.#typeOf(pattern);
    for (const element of pattern.elements) {
      const name = element.propertyName ?? element.name;
      if (element.dotDotDotToken) continue;
      if (this.#ts.isComputedPropertyName(name)) this.#flow.pass(type, 'reads', name);
      else if (!this.#ts.isObjectBindingPattern(name) && !this.#ts.isArrayBindingPattern(name)) {
        const property = this.#checker.getPropertyOfType(this.#checker.getNonNullableType(type), name.text);
        this.#use(property, name);
      }
    }
  }

  #binary(node: ts.BinaryExpression): void {
    const { SyntaxKind, isObjectLiteralExpression, isStringLiteralLike } = this.#ts;
    const { left, right, operatorToken } = node;
    switch (operatorToken.kind) {
      case SyntaxKind.EqualsEqualsToken:
      case SyntaxKind.EqualsEqualsEqualsToken:
      case SyntaxKind.ExclamationEqualsToken:
      case SyntaxKind.ExclamationEqualsEqualsToken:
        this.#compare(left, right);
        this.#compare(right, left);
        break;
      case SyntaxKind.InKeyword:
        if (isStringLiteralLike(left)) {
          for (const part of partsOf(this.#typeOf(right))) this.#use(part.getProperty(left.text), left);
        }
        break;
      case SyntaxKind.EqualsToken:
        if (isObjectLiteralExpression(left)) this.#assignmentPattern(left);
        break;
      default:
    }
  }

  /** Records a destructuring assignment such as `({ id } = drawing)`. */
  #assignmentPattern(pattern: ts.ObjectLiteralExpression): void {
    const { isPropertyAssignment, isShorthandPropertyAssignment, isIdentifier, isStringLiteral } = this.#ts;
    const type = this.#typeOf(pattern);
    for (const property of pattern.properties) {
      if (!isPropertyAssignment(property) && !isShorthandPropertyAssignment(property)) continue;
      if (!isIdentifier(property.name) && !isStringLiteral(property.name)) continue;
      this.#use(type.getProperty(property.name.text), property.name);
    }
  }

  /** Records the comparison of a string literal to an expression that may have an enum type. */
  #compare(value: ts.Expression, other: ts.Expression): void {
    const type = this.#typeOf(value);
    if (!partsOf(type).some((part) => part.isStringLiteral())) return;
    const target = this.#typeOf(other);
    let enums = this.#code.enumsOf(target);
    if (enums.length === 0) {
      const members = this.#membersAt(other);
      enums = members.flatMap((member) => this.#code.enumsOfMember(member));
    } else if (this.#code.enumsOf(type).length > 0) {
      return;
    }
    this.#flow.values(type, target, 'reads', value, enums);
  }

  /** Returns the members that an expression reads, directly or through a variable. */
  #membersAt(expression: ts.Expression): ts.Declaration[] {
    const is = this.#ts;
    const node = this.#skip(expression);
    if (is.isPropertyAccessExpression(node)) return this.#code.membersOf(this.#checker.getSymbolAtLocation(node.name));
    if (is.isElementAccessExpression(node)) {
      return this.#code.membersOf(this.#checker.getSymbolAtLocation(node.argumentExpression));
    }
    const declaration = is.isIdentifier(node) && this.#checker.getSymbolAtLocation(node)?.valueDeclaration;
    if (!declaration) return [];
    if (is.isVariableDeclaration(declaration)) {
      return declaration.initializer && !declaration.type ? this.#membersAt(declaration.initializer) : [];
    }
    if (!is.isBindingElement(declaration) || !is.isObjectBindingPattern(declaration.parent)) return [];
    const name = declaration.propertyName ?? declaration.name;
    if (!is.isIdentifier(name) && !is.isStringLiteral(name)) return [];
    return this.#code.membersOf(this.#typeOf(declaration.parent).getProperty(name.text));
  }

  /** Records an indexed access type such as `Commands['stop']`. */
  #indexedType({ indexType, objectType }: ts.IndexedAccessTypeNode): void {
    const type = this.#checker.getTypeFromTypeNode(objectType);
    for (const part of partsOf(this.#checker.getTypeFromTypeNode(indexType))) {
      if (!part.isStringLiteral()) continue;
      for (const subject of this.#code.subjectsOf(type.getProperty(part.value))) this.#subject(subject, indexType);
    }
  }

  #call(node: ts.CallExpression | ts.NewExpression): void {
    const declaration = this.#checker.getResolvedSignature(node)?.declaration;
    const file = declaration?.getSourceFile();
    if (!declaration || !file) return;
    if (this.#isOfProgram(file)) {
      this.#namesPassed(node, declaration);
    } else if (!this.#isKnown(file)) {
      for (const argument of node.arguments ?? []) this.#flow.pass(this.#typeOf(argument), 'reads', argument);
    } else if (this.#isValidator(node)) {
      const type = this.#typeOf(node.expression);
      const [checked] = this.#checker.getTypeArguments(type as ts.TypeReference);
      if (checked) this.#flow.pass(checked, 'writes', node);
    }
  }

  /** Returns whether a call is to a validator, whose input comes from untyped code. */
  #isValidator(node: ts.CallExpression | ts.NewExpression): boolean {
    if (this.#code.runtimeName(this.#typeOf(node.expression).getSymbol()) !== 'Validator') return false;
    const [argument] = node.arguments ?? [];
    return argument !== undefined && this.#code.objectsIn(this.#typeOf(argument)).length === 0;
  }

  /** Records a call of the program's own function that takes any name of a command or event, and passes it on. */
  #namesPassed(node: ts.CallExpression | ts.NewExpression, declaration: ts.Node): void {
    const { parameters = [] } = declaration as Partial<ts.SignatureDeclaration>;
    for (const [index, argument] of (node.arguments ?? []).entries()) {
      const parameter = parameters[index];
      if (!parameter || !this.#ts.isStringLiteralLike(argument)) continue;
      const type = this.#typeOf(parameter);
      const kind = this.#code.kindOfNames(this.#checker.getBaseConstraintOfType(type) ?? type);
      if (kind) this.#addSubject({ kind, name: argument.text }, argument, node);
    }
  }

  /** Records the events that a call waits for. */
  #until({ initializer, parent }: ts.PropertyAssignment): void {
    const options = this.#checker.getContextualType(parent);
    const isOfCall = partsOf(options ?? this.#typeOf(parent)).some(
      (part) => this.#code.runtimeName(part.getProperty('until')) === 'until',
    );
    if (!isOfCall) return;
    for (const name of this.#names(initializer, 'event')) this.#addSubject({ kind: 'event', name }, initializer);
  }

  /** Records a type assertion, which may turn an untyped value into a generated type. */
  #assertion(node: ts.AsExpression | ts.TypeAssertion): void {
    const target = this.#typeOf(node);
    if (node.type.getText() === 'const' || this.#ts.isObjectLiteralExpression(this.#skip(node.expression))) return;
    this.#flow.convert(this.#typeOf(node.expression), target, node.expression);
  }

  /** Records the assignment of an expression's value to its contextual type. */
  #value(node: ts.Expression): void {
    const is = this.#ts;
    if (is.isObjectLiteralExpression(node)) {
      if (is.isBinaryExpression(node.parent) && node.parent.left === node) return;
      const target = this.#checker.getContextualType(node) ?? this.#assertedType(node);
      if (target) this.#flow.literal(node, target);
      return;
    }
    if (!isSink(is, node) || is.isArrayLiteralExpression(node) || is.isConditionalExpression(node)) return;
    const target = this.#checker.getContextualType(node);
    if (!target) return;
    if (this.#isRawArgument(node)) return;
    const isAsync = this.#isReturned(node);
    const type = this.#typeOf(node);
    // Values of members are recorded together with their object.
    if (partsOf(type).every((part) => part.isStringLiteral()) && this.#isOfProperty(node)) return;
    const source = isAsync ? (this.#checker.getAwaitedType(type) ?? type) : type;
    this.#flow.convert(source, isAsync ? (this.#checker.getAwaitedType(target) ?? target) : target, node);
  }

  #isOfProperty({ parent }: ts.Expression): boolean {
    const { isPropertyAssignment, isArrayLiteralExpression, isConditionalExpression, isParenthesizedExpression } =
      this.#ts;
    if (isPropertyAssignment(parent)) return true;
    const isPart =
      isArrayLiteralExpression(parent) || isConditionalExpression(parent) || isParenthesizedExpression(parent);
    return isPart && this.#isOfProperty(parent);
  }

  #assertedType({ parent }: ts.Expression): ts.Type | undefined {
    return this.#ts.isAsExpression(parent) ? this.#typeOf(parent) : undefined;
  }

  #isRawArgument({ parent }: ts.Expression): boolean {
    if (!this.#ts.isCallExpression(parent) || !this.#ts.isPropertyAccessExpression(parent.expression)) return false;
    return parent.expression.name.text === 'executeRaw' && this.#isClient(parent.expression);
  }

  /**
   * Returns whether an expression is returned from an async function, which may return either a value or a promise of
   * it.
   */
  #isReturned({ parent }: ts.Expression): boolean {
    const { isReturnStatement, findAncestor, isFunctionLike, getCombinedModifierFlags, ModifierFlags } = this.#ts;
    const returning = isReturnStatement(parent) ? findAncestor(parent, isFunctionLike) : parent;
    if (!returning || !isFunctionLike(returning)) return false;
    return (getCombinedModifierFlags(returning) & ModifierFlags.Async) !== 0;
  }

  #isClient(access: ts.Expression): boolean {
    const { isPropertyAccessExpression, isElementAccessExpression } = this.#ts;
    if (!isPropertyAccessExpression(access) && !isElementAccessExpression(access)) return false;
    const type = this.#checker.getNonNullableType(this.#typeOf(access.expression));
    return [type, this.#checker.getApparentType(type)].some((one) => this.#code.isClient(one));
  }

  /** Returns the call if an accessed method is called immediately. */
  #callOf(access: ts.Expression): ts.CallExpression | undefined {
    const { parent } = access;
    return this.#ts.isCallExpression(parent) && parent.expression === access ? parent : undefined;
  }

  #accessesOf(node: ts.Expression | undefined): readonly Access[] {
    const parent = node?.parent;
    if (!parent || !this.#ts.isBinaryExpression(parent) || parent.left !== node) return ['reads'];
    const { kind } = parent.operatorToken;
    if (kind === this.#ts.SyntaxKind.EqualsToken) return ['writes'];
    const { FirstAssignment, LastAssignment } = this.#ts.SyntaxKind;
    return kind >= FirstAssignment && kind <= LastAssignment ? ['reads', 'writes'] : ['reads'];
  }

  /** Strips parentheses, assertions and other wrappers without effect at run time. */
  #skip(node: ts.Expression): ts.Expression {
    const { isParenthesizedExpression, isNonNullExpression, isSatisfiesExpression, isAsExpression } = this.#ts;
    const isWrapper = isParenthesizedExpression(node) || isNonNullExpression(node) || isSatisfiesExpression(node);
    return isWrapper || isAsExpression(node) ? this.#skip(node.expression) : node;
  }

  #isUndefined(node: ts.Expression): boolean {
    return Boolean(this.#typeOf(node).flags & this.#ts.TypeFlags.Undefined);
  }

  #isOfProgram(file: ts.SourceFile): boolean {
    return !file.isDeclarationFile && !this.#code.has(file) && !this.#program.isSourceFileFromExternalLibrary(file);
  }

  /** Returns whether the functions of a file are known not to leak their arguments. */
  #isKnown(file: ts.SourceFile): boolean {
    return (
      this.#program.isSourceFileDefaultLibrary(file) ||
      this.#code.has(file) ||
      this.#code.isRuntime(file) ||
      file.fileName.includes('/node_modules/@types/node/')
    );
  }

  #typeOf(node: ts.Node): ts.Type {
    return this.#checker.getTypeAtLocation(node);
  }
}

/** The arguments of a call. */
interface Arguments {
  readonly args?: ts.Expression | undefined;
  readonly options?: ts.Expression | undefined;
}

/** Returns whether an expression is in a position that expects a type. */
function isSink(is: Compiler, node: ts.Expression): boolean {
  const { parent } = node;
  const { SyntaxKind } = is;
  // The value is used where the enclosing expression is.
  if (is.isParenthesizedExpression(parent) || is.isArrayLiteralExpression(parent)) return isSink(is, parent);
  if (is.isConditionalExpression(parent)) return parent.condition !== node && isSink(is, parent);
  if (is.isCallExpression(parent) || is.isNewExpression(parent)) return parent.expression !== node;
  if (is.isVariableDeclaration(parent) || is.isParameter(parent) || is.isPropertyDeclaration(parent)) {
    return parent.initializer === node && parent.type !== undefined;
  }
  if (is.isPropertyAssignment(parent)) return parent.initializer === node;
  if (is.isArrowFunction(parent)) return parent.body === node;
  if (is.isTemplateSpan(parent)) return is.isTaggedTemplateExpression(parent.parent.parent);
  if (!is.isBinaryExpression(parent)) {
    const { ReturnStatement, YieldExpression, SatisfiesExpression, JsxExpression, BindingElement, SpreadElement } =
      SyntaxKind;
    const kinds = [ReturnStatement, YieldExpression, SatisfiesExpression, JsxExpression, BindingElement, SpreadElement];
    return kinds.some((kind) => kind === parent.kind);
  }
  const { kind } = parent.operatorToken;
  const choices = [SyntaxKind.QuestionQuestionToken, SyntaxKind.BarBarToken, SyntaxKind.AmpersandAmpersandToken];
  if (choices.some((one) => one === kind)) return isSink(is, parent);
  return kind === SyntaxKind.EqualsToken && parent.right === node && !is.isObjectLiteralExpression(parent.left);
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/gu, ' ');
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}
