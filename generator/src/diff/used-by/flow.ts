/**
 * What happens where a value of one type becomes one of another. As long as generated code says what a value is, its members are seen where
 * they are read or written; where it gives way to types of the program's own, those say which members are, and beyond `any` nothing does.
 */

import { ts } from 'ts-morph';

import type { Findings } from './findings.js';
import { elementsOf, isAnonymous, isList, isUnknownValue, type Enum, type GeneratedCode } from './generated.js';
import type { Access, Key } from './usage.js';

/** Something in a type that is of interest. */
interface Carrier {
  readonly kind: 'data' | 'client' | 'parameter';
  readonly type: ts.Type;
}

/** A value of a type parameter that was lost sight of: what it is, calls tell. */
interface Pending {
  readonly parameter: ts.Symbol;
  readonly text: string;
  readonly node: ts.Node;
}

export class Flow {
  readonly #checker: ts.TypeChecker;
  readonly #code: GeneratedCode;
  readonly #findings: Findings;
  readonly #isOfProgram: (file: ts.SourceFile) => boolean;
  readonly #carriers = new Map<ts.Type, readonly Carrier[]>();
  readonly #concerns = new Map<ts.Type, boolean>();
  readonly #pending: Pending[] = [];
  /** What type parameters of the program stand for. */
  readonly #instances = new Map<ts.Symbol, Set<ts.Type>>();

  constructor(
    checker: ts.TypeChecker,
    code: GeneratedCode,
    findings: Findings,
    isOfProgram: (file: ts.SourceFile) => boolean,
  ) {
    this.#checker = checker;
    this.#code = code;
    this.#findings = findings;
    this.#isOfProgram = isOfProgram;
  }

  /** A type stands for another one. */
  convert(source: ts.Type, target: ts.Type, node: ts.Node): void {
    this.#convert(source, target, node, new Map());
  }

  /**
   * An expression is used as a value of a type.
   *
   * @param isAwaited what is used is what it promises
   */
  use(expression: ts.Expression, target: ts.Type, isAwaited = false): void {
    this.#use(expression, target, new Map(), isAwaited);
  }

  /** An expression, or each of several, becomes a value of an enum, or a list of such. */
  values(expression: ts.Expression, enums: readonly Enum[], access: Access): void {
    for (const one of choicesOf(expression)) {
      const elements = ts.isArrayLiteralExpression(one) ? one.elements : undefined;
      if (elements) for (const element of elements) this.values(element, enums, access);
      else if (ts.isSpreadElement(one)) this.values(one.expression, enums, access);
      else this.#values(this.#checker.getTypeAtLocation(one), enums, access, one);
    }
  }

  /** Whether a type has generated code in it, or functions that take or return such. */
  concerns(type: ts.Type): boolean {
    let concerns = this.#concerns.get(type);
    if (concerns === undefined) {
      const isOfInterest = (part: ts.Type): boolean =>
        this.#carrierOf(part) !== undefined ||
        this.#code.enumsOfType(part).length > 0 ||
        this.#code.kindOfNames(part) !== undefined;
      concerns = this.#within(type, true).some(isOfInterest);
      this.#concerns.set(type, concerns);
    }
    return concerns;
  }

  instantiate(parameter: ts.Symbol, type: ts.Type): void {
    if (this.#carriersOf(type).length === 0) return;
    const types = this.#instances.get(parameter) ?? new Set();
    this.#instances.set(parameter, types.add(type));
  }

  /** Values of a type go where they cannot be seen. */
  lose(type: ts.Type, text: string, node: ts.Node): void {
    const reads = new Set<Key>();
    let isLost = false;
    for (const carrier of this.#carriersOf(type)) {
      if (carrier.kind === 'parameter') {
        const parameter = carrier.type.getSymbol();
        if (parameter) this.#pending.push({ parameter, text, node });
        continue;
      }
      isLost ||= carrier.kind === 'client';
      for (const key of this.#code.reach(carrier.type)) reads.add(key);
    }
    if (isLost || reads.size > 0) this.#findings.unclear(text, isLost ? {} : { reads }, node);
  }

  /** Values of a type come from where they cannot be seen. */
  appear(type: ts.Type, text: string, node: ts.Node): void {
    const writes = new Set<Key>();
    for (const { key } of this.#code.enumsOfType(type)) writes.add(key);
    for (const carrier of this.#carriersOf(type)) {
      if (carrier.kind === 'data') for (const key of this.#code.reach(carrier.type)) writes.add(key);
    }
    if (writes.size > 0) this.#findings.unclear(text, { writes }, node);
  }

  /** When all calls have been seen. */
  finish(): void {
    for (const { parameter, text, node } of this.#pending) {
      for (const type of this.#instancesOf(parameter, new Set())) this.lose(type, text, node);
    }
  }

  #instancesOf(parameter: ts.Symbol, seen: Set<ts.Symbol>): ts.Type[] {
    if (seen.has(parameter)) return [];
    seen.add(parameter);
    return [...(this.#instances.get(parameter) ?? [])].flatMap((type) =>
      this.#carriersOf(type).flatMap((carrier) => {
        const symbol = carrier.type.getSymbol();
        if (carrier.kind !== 'parameter' || !symbol) return [carrier.type];
        return this.#instancesOf(symbol, seen);
      }),
    );
  }

  /** One after the other: the type of the whole may have forgotten what is like another, or less. */
  #use(expression: ts.Expression, target: ts.Type, seen: Seen, isAwaited = false): void {
    for (const one of choicesOf(expression)) {
      const lists = this.#alternatives(target).filter((part) => isList(this.#checker, part));
      if (ts.isArrayLiteralExpression(one) && lists.length > 0) {
        for (const list of lists) this.#useElements(one.elements, list, seen);
        continue;
      }
      const type = this.#checker.getTypeAtLocation(one);
      const source = isAwaited ? this.#checker.getAwaitedType(type) : type;
      if (source) this.#convert(source, target, one, seen);
    }
  }

  #useElements(elements: readonly ts.Expression[], list: ts.Type, seen: Seen): void {
    const types = elementsOf(this.#checker, list);
    for (const [index, element] of elements.entries()) {
      const target = types[Math.min(index, types.length - 1)];
      if (ts.isSpreadElement(element)) this.#use(element.expression, list, seen);
      else if (target) this.#use(element, target, seen);
    }
  }

  #convert(source: ts.Type, target: ts.Type, node: ts.Node, seen: Seen): void {
    if (source === target || (!this.concerns(source) && !this.concerns(target))) return;
    // Types go in circles, values do not.
    const targets = seen.get(source) ?? new Set();
    if (targets.has(target) && source.flags & ts.TypeFlags.Object) return;
    seen.set(source, targets.add(target));
    if (this.#isOpen(target)) this.lose(source, this.#sentence(source, target, node), node);
    else if (source.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown) || isTop(source, node)) {
      this.appear(target, this.#sentence(source, target, node), node);
      this.#name(source, target, node);
    } else {
      const parts = this.#alternatives(source);
      // What is of an enum already was seen where it became that.
      const isEnum = parts.some(isUnknownValue);
      const news = isEnum ? parts.filter((part) => !part.isStringLiteral()) : parts;
      for (const part of news) this.#convertPart(part, target, node, seen);
    }
  }

  #convertPart(source: ts.Type, target: ts.Type, node: ts.Node, seen: Seen): void {
    const targets = this.#alternatives(target);
    if (source.isStringLiteral()) {
      this.#values(source, this.#code.enumsOfType(target), undefined, node);
      this.#name(source, target, node);
      return;
    }
    if (
      targets.includes(source) ||
      source.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Null | ts.TypeFlags.Void | ts.TypeFlags.Never)
    )
      return;
    if (!(source.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection | ts.TypeFlags.TypeParameter))) {
      this.#values(source, this.#code.enumsOfType(target), undefined, node);
      this.#name(source, target, node);
      return;
    }
    const open = targets.find((part) => this.#isOpen(part));
    if (open) {
      this.lose(source, this.#sentence(source, open, node), node);
      return;
    }
    const objects = targets.filter((part) => part.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection));
    if (elementsOf(this.#checker, source).length > 0 && this.#code.interfaceKey(source) === undefined) {
      const related = objects.filter((part) => elementsOf(this.#checker, part).length > 0);
      for (const part of related) this.#convertElements(source, part, node, seen);
      if (related.length > 0) return;
    }
    for (const part of objects) {
      if (part.getCallSignatures().length > 0) this.#convertFunction(source, part, node, seen);
    }
    const candidates = objects.filter((part) => this.#mayBe(source, part));
    this.#construct(source, candidates, node);
    this.#findMissing(source, candidates);
    for (const part of candidates) this.#convertMembers(source, part, node, seen);
  }

  /** Of arrays, promises and the like. */
  #convertElements(source: ts.Type, target: ts.Type, node: ts.Node, seen: Seen): void {
    const isTuple = [source, target].some((type) => this.#checker.isTupleType(type));
    // All elements of a tuple are paired with the only one of an array.
    const [from, to] = [source, target].map((type) =>
      isTuple && !this.#checker.isTupleType(type)
        ? elementsOf(this.#checker, type).slice(0, 1)
        : elementsOf(this.#checker, type),
    ) as [readonly ts.Type[], readonly ts.Type[]];
    const count = isTuple ? Math.max(from.length, to.length) : Math.min(from.length, to.length);
    for (let index = 0; index < count; index += 1) {
      const one = from[Math.min(index, from.length - 1)];
      const other = to[Math.min(index, to.length - 1)];
      if (one && other) this.#convert(one, other, node, seen);
    }
  }

  #convertFunction(source: ts.Type, target: ts.Type, node: ts.Node, seen: Seen): void {
    const [from] = source.getCallSignatures();
    const [to] = target.getCallSignatures();
    if (!from || !to) return;
    for (const [index, parameter] of from.parameters.entries()) {
      const given = to.parameters[index];
      if (given) this.#convert(this.#typeOf(given), this.#typeOf(parameter), node, seen);
    }
    // What a function that is written here returns is seen there.
    const declaration: ts.Node | undefined = from.getDeclaration();
    if (declaration && declaration.pos >= node.pos && declaration.end <= node.end) return;
    const returned = to.getReturnType();
    if (!(returned.flags & ts.TypeFlags.Void)) this.#convert(from.getReturnType(), returned, node, seen);
  }

  #convertMembers(source: ts.Type, target: ts.Type, node: ts.Node, seen: Seen): void {
    if (this.#checker.getIndexInfosOfType(target).length > 0 && this.#code.interfaceKey(source) !== undefined) {
      this.lose(source, this.#sentence(source, target, node), node);
    }
    if (this.#checker.getIndexInfosOfType(source).length > 0) {
      this.appear(target, this.#sentence(source, target, node), node);
    }
    for (const to of target.getProperties()) {
      const from = source.getProperty(to.name);
      if (!from) continue;
      const type = this.#typeOf(from);
      const place = this.#placeOf(from) ?? node;
      const initializer = initializerOf(place);
      const read = this.#code.membersOf(from);
      const written = this.#code.membersOf(to);
      const keys = new Set(read.map(({ key }) => key));
      if (written.some(({ key }) => keys.has(key))) continue;
      for (const subject of this.#code.subjectsOf(from)) {
        if (this.#code.subjectsOf(to).length === 0) this.#findings.subject(subject, node);
      }
      if (written.length === 0) for (const member of read) this.#findings.member(member, 'reads', node);
      for (const member of written) {
        this.#findings.member(member, 'writes', place);
        const enums = this.#code.enumsOfMember(member);
        if (initializer) this.values(initializer, enums, 'writes');
        else this.#values(type, enums, 'writes', place);
      }
      // Texts were seen as values of the member.
      if (written.length > 0 && this.#isText(type)) continue;
      if (initializer) this.#use(initializer, this.#typeOf(to), seen);
      else this.#convert(type, this.#typeOf(to), place, seen);
    }
  }

  /** What is written in a literal, and no type that it may be of has. */
  #findMissing(source: ts.Type, targets: readonly ts.Type[]): void {
    const literal = source.getSymbol()?.valueDeclaration;
    if (!literal || !ts.isObjectLiteralExpression(literal)) return;
    for (const property of source.getProperties()) {
      const place = this.#placeOf(property);
      const missing = targets.map((target) => this.#code.missingMember(target, property.name));
      if (!place || missing.includes(undefined)) continue;
      for (const member of missing) if (member) this.#findings.member(member, 'writes', place);
    }
  }

  /** A value becomes the name of any command or event. */
  #name(source: ts.Type, target: ts.Type, node: ts.Node): void {
    const kind = this.#code.kindOfNames(target);
    if (kind === undefined) return;
    if (source.isStringLiteral()) this.#findings.subject({ kind, name: source.value }, node);
    else this.#findings.unclear(`${this.title(source)} becomes the name of any ${kind}`, {}, node);
  }

  /** A value becomes one of an enum. */
  #values(source: ts.Type, enums: readonly Enum[], access: Access | undefined, node: ts.Node): void {
    if (enums.length === 0) return;
    const parts = this.#strings(source);
    // It is of an enum already.
    if (parts.some(isUnknownValue)) return;
    for (const part of parts) {
      if (part.isStringLiteral()) {
        for (const one of enums) this.#findings.value(one, part.value, access, node);
      } else {
        const names = enums.map(({ name }) => `'${name}'`).join(', ');
        const text = `${this.title(part)} becomes a value of ${names}`;
        this.#findings.unclear(text, { writes: new Set(enums.map(({ key }) => key)) }, node);
      }
    }
  }

  /** The strings in a type, its elements included. */
  #strings(type: ts.Type): ts.Type[] {
    return this.#alternatives(type).flatMap((part) => {
      if (part.flags & (ts.TypeFlags.StringLike | ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return [part];
      return isList(this.#checker, part) ? elementsOf(this.#checker, part).flatMap((one) => this.#strings(one)) : [];
    });
  }

  /** Whether there is nothing but strings in a type. */
  #isText(type: ts.Type): boolean {
    return this.#alternatives(type).every((part) => {
      if (part.flags & (ts.TypeFlags.StringLike | ts.TypeFlags.Undefined)) return true;
      return isList(this.#checker, part) && elementsOf(this.#checker, part).every((one) => this.#isText(one));
    });
  }

  /** What is not generated becomes an object that is. */
  #construct(source: ts.Type, targets: readonly ts.Type[], node: ts.Node): void {
    if (this.#code.interfaceKey(source) !== undefined) return;
    const keys = targets
      .flatMap((target) => (target.isIntersection() ? target.types : [target]))
      .flatMap((target) => this.#code.interfaceKey(target) ?? []);
    if (keys.length === 0) return;
    const members = source.getProperties().filter((property) => !(property.flags & ts.SymbolFlags.Optional));
    const literal = source.getSymbol()?.valueDeclaration;
    const place = literal && ts.isObjectLiteralExpression(literal) && this.#isOfProgram(literal.getSourceFile());
    this.#findings.construction(
      [...new Set(keys)],
      members.map(({ name }) => name),
      place ? literal : node,
    );
  }

  /** Whether no member that tells branches apart says otherwise. */
  #mayBe(source: ts.Type, target: ts.Type): boolean {
    return target.getProperties().every((property) => {
      const own = source.getProperty(property.name);
      const wanted = own ? literalsOf(this.#typeOf(property)) : undefined;
      const given = own && wanted ? literalsOf(this.#typeOf(own)) : undefined;
      return !wanted || !given || given.some((value) => wanted.includes(value));
    });
  }

  /** As it is written, where that is in a literal: where nothing asks for its exact type, TypeScript makes a string of it. */
  #typeOf(symbol: ts.Symbol): ts.Type {
    const initializer = symbol.valueDeclaration && initializerOf(symbol.valueDeclaration);
    if (initializer && ts.isStringLiteralLike(initializer)) return this.#checker.getTypeAtLocation(initializer);
    return this.#checker.getTypeOfSymbol(symbol);
  }

  /** Where the program writes a property. */
  #placeOf({ valueDeclaration }: ts.Symbol): ts.Node | undefined {
    if (!valueDeclaration || !this.#isOfProgram(valueDeclaration.getSourceFile())) return undefined;
    const isWritten = ts.isPropertyAssignment(valueDeclaration) || ts.isShorthandPropertyAssignment(valueDeclaration);
    return isWritten ? valueDeclaration : undefined;
  }

  /** Whether a type tells nothing of the members of its values. */
  #isOpen(type: ts.Type): boolean {
    const { Any, Unknown, NonPrimitive, TypeParameter } = ts.TypeFlags;
    if (type.flags & (Any | Unknown | NonPrimitive | TypeParameter)) return true;
    if (!isAnonymous(type) || type.isIntersection()) return false;
    const signatures = type.getCallSignatures().length + type.getConstructSignatures().length;
    return signatures + type.getProperties().length + this.#checker.getIndexInfosOfType(type).length === 0;
  }

  #carriersOf(type: ts.Type): readonly Carrier[] {
    let carriers = this.#carriers.get(type);
    if (!carriers) {
      carriers = this.#within(type, false).flatMap((part) => this.#carrierOf(part) ?? []);
      this.#carriers.set(type, carriers);
    }
    return carriers;
  }

  #carrierOf(type: ts.Type): Carrier | undefined {
    if (type.flags & ts.TypeFlags.TypeParameter) {
      return this.#isDeclared(type) ? { kind: 'parameter', type } : undefined;
    }
    if (this.#code.interfaceKey(type) !== undefined) return { kind: 'data', type };
    if (this.#code.isClient(type)) return { kind: 'client', type };
    const hasMembers = this.#membersWithin(type).some((member) => this.#code.membersOf(member).length > 0);
    return hasMembers ? { kind: 'data', type } : undefined;
  }

  /**
   * A type, and what it is made of, as far as that may be of interest.
   *
   * @param withCalls whether what functions take, and methods, are a part of it
   */
  #within(type: ts.Type, withCalls: boolean): ts.Type[] {
    const found = new Set([type]);
    let level = [type];
    // Types may go on for ever: those that are made of what they are made of.
    for (let depth = 0; depth < maxDepth && level.length > 0 && found.size < maxTypes; depth += 1) {
      const parts = level.filter((part) => !this.#carrierOf(part)).flatMap((part) => this.#partsOf(part, withCalls));
      level = [...new Set(parts)].filter((part) => !found.has(part));
      for (const part of level) found.add(part);
    }
    return [...found];
  }

  #partsOf(type: ts.Type, withCalls: boolean): ts.Type[] {
    const alternatives = this.#alternatives(type);
    if (alternatives[0] !== type) return [...alternatives];
    if (this.#code.runtimeName(type.getSymbol()) === 'Validator') return [];
    const calls = type.getCallSignatures();
    const taken = withCalls ? calls.flatMap(({ parameters }) => parameters) : [];
    const members = this.#membersWithin(type).filter(({ flags }) => withCalls || !isMethod(type, flags));
    const types = [...taken, ...members].map((symbol) => this.#checker.getTypeOfSymbol(symbol));
    // An object that holds a client is not a client.
    const inside = type.isClass() ? types.filter((part) => !this.#code.isClient(part)) : types;
    return [...elementsOf(this.#checker, type), ...calls.map((call) => call.getReturnType()), ...inside];
  }

  /** Those of types that the program or the runtime declares, or that have no name. */
  #membersWithin(type: ts.Type): ts.Symbol[] {
    const declarations = type.getSymbol()?.declarations ?? [];
    const isOwn = (file: ts.SourceFile): boolean =>
      this.#isOfProgram(file) || this.#code.has(file) || this.#code.isRuntime(file);
    if (isAnonymous(type)) {
      const isData = type.getConstructSignatures().length === 0 && !declarations.some(ts.isSourceFile);
      // `Partial` and the like are of the standard library.
      const isMapped = declarations.every(ts.isMappedTypeNode);
      const isNear = isMapped || declarations.some((one) => isOwn(one.getSourceFile()));
      return isData && isNear ? type.getProperties() : [];
    }
    return type.isClassOrInterface() && this.#isDeclared(type) ? type.getProperties() : [];
  }

  /** Whether the program declares a type itself. */
  #isDeclared(type: ts.Type): boolean {
    return type.getSymbol()?.declarations?.some((one) => this.#isOfProgram(one.getSourceFile())) ?? false;
  }

  /** What a call comes to may depend on a type parameter: whether it waits for an event. */
  #alternatives(type: ts.Type): readonly ts.Type[] {
    const either = type.flags & ts.TypeFlags.Conditional ? this.#checker.getBaseConstraintOfType(type) : type;
    return partsOf(either ?? type);
  }

  #sentence(source: ts.Type, target: ts.Type, node: ts.Node): string {
    const { parent } = node;
    const whole = this.#checker.getTypeAtLocation(node);
    const isWhole = whole === source || this.#alternatives(whole).includes(source);
    if (isWhole && (ts.isCallExpression(parent) || ts.isNewExpression(parent)) && parent.expression !== node) {
      const callee = shorten(parent.expression.getText());
      const as = this.#isOpen(source) ? ` as ${this.title(target)}` : '';
      return `${this.title(source)} is passed to '${callee}'${as}`;
    }
    return `${this.title(source)} becomes ${this.title(target)}`;
  }

  /** What messages call it. */
  title(type: ts.Type): string {
    // What it is made of says nothing to anyone.
    if (this.#code.runtimeName(type.getProperty('event')) === 'event') return 'an event';
    if (this.#alternatives(type).every((part) => part.getCallSignatures().length > 0)) return 'a function';
    return `'${shorten(this.#checker.typeToString(type))}'`;
  }
}

/** How far types are looked into: further than programs go, and not for ever. */
const maxDepth = 4;
const maxTypes = 100;

function isMethod(type: ts.Type, flags: ts.SymbolFlags): boolean {
  return type.isClass() && (flags & ts.SymbolFlags.Method) !== 0;
}

/** Which conversions were seen, so that types that contain themselves come to an end. */
type Seen = Map<ts.Type, Set<ts.Type>>;

/** The expressions that one has its value from. */
function choicesOf(node: ts.Expression): ts.Expression[] {
  if (ts.isParenthesizedExpression(node)) return choicesOf(node.expression);
  if (ts.isConditionalExpression(node)) return [...choicesOf(node.whenTrue), ...choicesOf(node.whenFalse)];
  if (!ts.isBinaryExpression(node)) return [node];
  const { left, right, operatorToken } = node;
  switch (operatorToken.kind) {
    case ts.SyntaxKind.BarBarToken:
    case ts.SyntaxKind.QuestionQuestionToken:
      return [...choicesOf(left), ...choicesOf(right)];
    case ts.SyntaxKind.AmpersandAmpersandToken:
      return choicesOf(right);
    default:
      return [node];
  }
}

/** Of a value that the program calls `never`, to be left alone by the compiler. */
function isTop(type: ts.Type, node: ts.Node): boolean {
  return Boolean(type.flags & ts.TypeFlags.Never) && ts.isAsExpression(node);
}

function partsOf(type: ts.Type): readonly ts.Type[] {
  return type.isUnion() ? type.types : [type];
}

/** The strings that a type consists of, if it does. */
function literalsOf(type: ts.Type): string[] | undefined {
  const parts = partsOf(type).filter((part) => !(part.flags & ts.TypeFlags.Undefined));
  const values = parts.flatMap((part) => (part.isStringLiteral() ? [part.value] : []));
  return values.length === parts.length ? values : undefined;
}

function initializerOf(node: ts.Node): ts.Expression | undefined {
  return ts.isPropertyAssignment(node) ? node.initializer : undefined;
}

export function shorten(text: string): string {
  const line = text.replaceAll(/\s+/gu, ' ');
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}
