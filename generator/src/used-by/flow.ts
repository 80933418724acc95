/**
 * Records what happens when a value of one type is assigned to another: when an object literal gets its type, or an
 * object passes through a variable.
 */

import type { ts } from 'ts-morph';

import { isOfLibrary, type GeneratedCode } from './code.js';
import type { Compiler } from './compiler.js';
import type { Access, Facts } from './facts.js';

/** Pairs of types already visited, because types may be recursive. */
type Seen = Map<ts.Type, Set<ts.Type>>;

export class Flow {
  readonly #ts: Compiler;
  readonly #checker: ts.TypeChecker;
  readonly #code: GeneratedCode;
  readonly #facts: Facts;
  readonly #concerns = new Map<ts.Type, boolean>();

  constructor(compiler: Compiler, checker: ts.TypeChecker, code: GeneratedCode, facts: Facts) {
    this.#ts = compiler;
    this.#checker = checker;
    this.#code = code;
    this.#facts = facts;
  }

  /** Records that a value is assigned to a target type at a node. */
  convert(source: ts.Type, target: ts.Type, node: ts.Node, seen: Seen = new Map()): void {
    if (source === target || !(this.#concernsCode(source) || this.#concernsCode(target))) return;
    const targets = seen.get(source) ?? new Set();
    if (targets.has(target)) return;
    seen.set(source, targets.add(target));
    if (this.#isOpen(target)) return this.pass(source, 'reads', node);
    if (source.flags & (this.#ts.TypeFlags.Any | this.#ts.TypeFlags.Unknown)) return this.pass(target, 'writes', node);
    for (const part of partsOf(source)) this.#convertPart(part, target, node, seen);
  }

  /** Records an object literal. Nested literals are visited separately. */
  literal(literal: ts.ObjectLiteralExpression, target: ts.Type): void {
    const source = this.#checker.getTypeAtLocation(literal);
    if (source.flags & this.#ts.TypeFlags.Any) {
      if (this.#concernsCode(target)) this.pass(target, 'writes', literal);
      return;
    }
    this.#object(source, target, literal, new Map());
  }

  /** Records an object that is implicitly created without members. */
  empty(target: ts.Type, node: ts.Node): void {
    const candidates = this.#objectsOf(target).filter((part) => this.#isGenerated(part));
    if (candidates.length > 0) this.#facts.constructions.push({ node, candidates, members: new Set() });
  }

  /** Records a value that is passed to or from untyped code. */
  pass(type: ts.Type, access: Access, node: ts.Node): void {
    if (!this.#concernsCode(type)) return;
    const isClient = [type, ...partsOf(type)].some((part) => this.#code.isClient(part));
    if (!isClient) this.#facts.passed.push({ node, type, access });
    else if (access === 'reads') this.#facts.unfollowed.push({ node, text: 'a client is passed to untyped code' });
  }

  /** Records string literals that are assigned to an enum or compared to one. */
  values(
    source: ts.Type,
    target: ts.Type,
    access: Access | undefined,
    node: ts.Node,
    enums = this.#code.enumsOf(target),
  ): void {
    if (enums.length === 0) return;
    const known = new Set(this.#strings(target));
    const isAny = partsOf(target).some(({ flags }) => flags & this.#ts.TypeFlags.String);
    for (const value of this.#strings(source)) {
      const isKnown = isAny || known.has(value);
      this.#facts.values.push({ node, enums, value, isKnown, ...(access && { access }) });
    }
  }

  #convertPart(source: ts.Type, target: ts.Type, node: ts.Node, seen: Seen): void {
    const { TypeFlags } = this.#ts;
    if (source.isStringLiteral()) return this.values(source, target, undefined, node);
    if (!(source.flags & (TypeFlags.Object | TypeFlags.Intersection))) return;
    const targets = partsOf(target);
    const open = targets.find((part) => this.#isOpen(part));
    if (open && !targets.includes(source)) return this.pass(source, 'reads', node);
    if (targets.includes(source)) return;
    const elements = this.#code.interfaceOf(source) ? [] : this.#code.elementsOf(source);
    const lists = targets.filter((part) => this.#code.elementsOf(part).length > 0);
    if (elements.length > 0 && lists.length > 0) {
      for (const list of lists) this.#elements(elements, this.#code.elementsOf(list), node, seen);
      return;
    }
    for (const part of targets) this.#function(source, part, node, seen);
    this.#object(source, target, node, seen);
  }

  #elements(from: readonly ts.Type[], to: readonly ts.Type[], node: ts.Node, seen: Seen): void {
    // All elements of a tuple are assigned to the single element type of an array.
    for (let index = 0; index < Math.max(from.length, to.length); index += 1) {
      const [one, other] = [from[Math.min(index, from.length - 1)], to[Math.min(index, to.length - 1)]];
      if (one && other) this.convert(one, other, node, seen);
    }
  }

  #function(source: ts.Type, target: ts.Type, node: ts.Node, seen: Seen): void {
    const [from] = source.getCallSignatures();
    const [to] = target.getCallSignatures();
    if (!from || !to) return;
    // Parameters of a function expression have the given types unless it declares others.
    for (const [index, parameter] of from.parameters.entries()) {
      const given = to.parameters[index];
      if (given) this.convert(this.#typeOf(given), this.#typeOf(parameter), parameter.valueDeclaration ?? node, seen);
    }
    const declaration: ts.Node | undefined = from.getDeclaration();
    const isHere = declaration !== undefined && declaration.pos >= node.pos && declaration.end <= node.end;
    const returned = to.getReturnType();
    // The return value of a function expression is visited at its return statements.
    if (!isHere && !(returned.flags & this.#ts.TypeFlags.Void))
      this.convert(from.getReturnType(), returned, node, seen);
  }

  #object(source: ts.Type, target: ts.Type, node: ts.Node, seen: Seen): void {
    const all = this.#objectsOf(target);
    const fitting = all.filter((part) => this.#mayBe(source, part));
    const candidates = fitting.length > 0 ? fitting : all;
    const generated = candidates.filter((part) => this.#isGenerated(part));
    const properties = source.getProperties();
    if (generated.length > 0 && !this.#isGenerated(source)) {
      const { Optional } = this.#ts.SymbolFlags;
      const members = new Set(properties.filter(({ flags }) => !(flags & Optional)).map(({ name }) => name));
      this.#facts.constructions.push({ node, candidates: generated, members });
    }
    if (this.#isGenerated(source) && candidates.some((part) => part.getStringIndexType()))
      this.pass(source, 'reads', node);
    for (const property of properties) {
      const targets = candidates.flatMap((part) => part.getProperty(property.name) ?? []);
      if (targets.length > 0) this.#member(property, targets, node, seen);
    }
  }

  #member(from: ts.Symbol, targets: readonly ts.Symbol[], node: ts.Node, seen: Seen): void {
    const read = this.#code.membersOf(from);
    const written = targets.flatMap((to) => this.#code.membersOf(to));
    if (written.some((member) => read.includes(member))) return;
    const place = propertyIn(this.#ts, from, this.#code) ?? node;
    const initializer = this.#initializerOf(place);
    const source = initializer ? this.#checker.getTypeAtLocation(initializer) : this.#typeOf(from);
    const [first] = targets;
    const target = first && this.#typeOf(first);
    if (written.length === 0) {
      this.#facts.addMember({ node, access: 'reads', name: from.name, members: new Set(read) });
      for (const to of targets) this.values(source, this.#typeOf(to), undefined, place);
      for (const subject of this.#code.subjectsOf(from)) {
        this.#facts.subjects.push({ ...subject, node, hasResult: true, isOob: false });
      }
    } else {
      const name = this.#nameOf(place);
      const fact = { node: name, access: 'writes', name: from.name, members: new Set(written), source } as const;
      this.#facts.addMember({ ...fact, ...(target && { target }) });
      for (const to of targets) {
        const enums = this.#code.membersOf(to).flatMap((member) => this.#code.enumsOfMember(member));
        const elements = initializer && this.#ts.isArrayLiteralExpression(initializer) ? initializer.elements : [];
        const sources = [source, ...elements.map((element) => this.#checker.getTypeAtLocation(element))];
        for (const one of sources) this.values(one, this.#typeOf(to), 'writes', name, enums);
      }
    }
    if (this.#isText(source)) return;
    // Values written inside the literal are visited separately.
    if (this.#ts.isPropertyAssignment(place) && place.parent === node) return;
    for (const to of targets) this.convert(source, this.#typeOf(to), place, seen);
  }

  #initializerOf(place: ts.Node): ts.Expression | undefined {
    if (this.#ts.isPropertyAssignment(place)) return place.initializer;
    return this.#ts.isShorthandPropertyAssignment(place) ? place.name : undefined;
  }

  #nameOf(place: ts.Node): ts.Node {
    const { isPropertyAssignment, isShorthandPropertyAssignment } = this.#ts;
    return isPropertyAssignment(place) || isShorthandPropertyAssignment(place) ? place.name : place;
  }

  /** Returns whether a source can have the target type, judging by literal members such as a discriminator. */
  #mayBe(source: ts.Type, target: ts.Type): boolean {
    return source.getProperties().every((property) => {
      const to = target.getProperty(property.name);
      const wanted = to && partsOf(this.#typeOf(to)).filter((part) => part.flags & this.#ts.TypeFlags.StringLike);
      if (!wanted || wanted.length === 0 || !wanted.every((part) => part.isStringLiteral())) return true;
      const place = propertyIn(this.#ts, property, this.#code);
      const initializer = place && this.#initializerOf(place);
      const type = initializer ? this.#checker.getTypeAtLocation(initializer) : this.#typeOf(property);
      const given = partsOf(type).filter((part) => part.flags & this.#ts.TypeFlags.StringLike);
      if (given.length === 0 || !given.every((part) => part.isStringLiteral())) return true;
      return given.some((part) => wanted.some((one) => one.value === part.value));
    });
  }

  #objectsOf(type: ts.Type): ts.Type[] {
    const { Object: object, Intersection } = this.#ts.TypeFlags;
    return partsOf(type).filter((part) => part.flags & (object | Intersection));
  }

  #isGenerated(type: ts.Type): boolean {
    const parts = type.isIntersection() ? type.types : [type];
    return parts.some((part) => this.#code.interfaceOf(part) !== undefined);
  }

  /** Returns whether a type consists only of strings, or arrays of strings. */
  #isText(type: ts.Type): boolean {
    return partsOf(type).every((part) => {
      if (part.flags & (this.#ts.TypeFlags.StringLike | this.#ts.TypeFlags.Undefined)) return true;
      const elements = this.#code.interfaceOf(part) ? [] : this.#code.elementsOf(part);
      return elements.length > 0 && elements.every((one) => this.#isText(one));
    });
  }

  /** Returns the string literals in a type, including those of array elements. */
  #strings(type: ts.Type): string[] {
    return partsOf(type).flatMap((part) => {
      if (part.isStringLiteral()) return [part.value];
      return this.#code.interfaceOf(part) ? [] : this.#code.elementsOf(part).flatMap((one) => this.#strings(one));
    });
  }

  /** Returns whether a type contains generated code, or functions that take or return it. */
  #concernsCode(type: ts.Type): boolean {
    let concerns = this.#concerns.get(type);
    if (concerns === undefined) {
      this.#concerns.set(type, false);
      concerns =
        this.#code.enumsOf(type).length > 0 ||
        partsOf(type).some((part) => this.#code.isClient(part)) ||
        this.#code.objectsIn(type).some((part) => this.#objectConcerns(part));
      this.#concerns.set(type, concerns);
    }
    return concerns;
  }

  #objectConcerns(part: ts.Type): boolean {
    if (this.#isGenerated(part) || this.#code.isClient(part)) return true;
    const [signature] = part.getCallSignatures();
    if (signature) {
      return [signature.getReturnType(), ...signature.parameters.map((one) => this.#typeOf(one))].some((one) =>
        this.#concernsCode(one),
      );
    }
    return !isOfLibrary(part) && part.getProperties().some((property) => this.#concernsCode(this.#typeOf(property)));
  }

  /** Returns whether a type says nothing about how a value is used: `any`, `unknown` and the like. */
  #isOpen(type: ts.Type): boolean {
    const { TypeFlags } = this.#ts;
    if (type.flags & (TypeFlags.Any | TypeFlags.Unknown | TypeFlags.NonPrimitive)) return true;
    if (!(type.flags & TypeFlags.Object) || this.#code.interfaceOf(type) || this.#code.elementsOf(type).length > 0)
      return false;
    const isEmpty = type.getProperties().length === 0 && type.getCallSignatures().length === 0;
    return isEmpty && type.getConstructSignatures().length === 0 && !type.isClass();
  }

  #typeOf(symbol: ts.Symbol): ts.Type {
    return this.#checker.getTypeOfSymbol(symbol);
  }
}

export function partsOf(type: ts.Type): readonly ts.Type[] {
  return type.isUnion() ? type.types : [type];
}

/** Returns the declaration of a property in one of the program's object literals. */
function propertyIn(compiler: Compiler, property: ts.Symbol, code: GeneratedCode): ts.Node | undefined {
  const declaration = property.valueDeclaration ?? property.declarations?.[0];
  if (!declaration || code.has(declaration.getSourceFile())) return undefined;
  const isLiteral = compiler.isPropertyAssignment(declaration) || compiler.isShorthandPropertyAssignment(declaration);
  return isLiteral ? declaration : undefined;
}
