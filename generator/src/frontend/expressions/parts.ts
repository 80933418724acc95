/** Reads the parts of definitions: types, members, branches, values and features. */

import type { Condition } from '../../model.js';
import { optional } from '../../optional.js';
import type { MemberNode, ObjectNode, ValueNode } from '../ast.js';
import { readCondition } from './conditions.js';
import { checkMemberName } from './names.js';
import { checkKeys, describe, readString, type Reading } from './shapes.js';
import type { BranchSyntax, FeatureSyntax, MembersSyntax, MemberSyntax, TypeSyntax, ValueSyntax } from './syntax.js';

/**
 *     type = string
 */
export function readType(reading: Reading, node: ValueNode, what: string, orElse = ''): TypeSyntax | undefined {
  if (node.kind === 'string') return { name: node.value, array: false, offset: node.offset };
  reading.reportAt(node.offset, `${what} must be the name of a type${orElse}, not ${describe(node)}`);
  return undefined;
}

/**
 *     typeOrArray = type | [ type ]
 */
export function readTypeOrArray(reading: Reading, node: ValueNode, what: string): TypeSyntax | undefined {
  if (node.kind !== 'array') return readType(reading, node, what, " or an array such as [ 'str' ]");
  const [element, ...others] = node.elements;
  if (element?.kind !== 'string' || others.length > 0) {
    reading.reportAt((others[0] ?? element ?? node).offset, `${what} must be an array that holds the name of one type`);
    return undefined;
  }
  return { name: element.value, array: true, offset: element.offset };
}

/**
 *     typeOrMembers = type | members
 *
 * @param owner the definition that contains the members, if a pragma can exempt it from the rules for their names
 */
export function readTypeOrMembers(
  reading: Reading,
  node: ValueNode,
  what: string,
  owner?: string,
): TypeSyntax | MembersSyntax | undefined {
  if (node.kind === 'object') return { members: readMembers(reading, node, what, owner) };
  return readType(reading, node, what, ' or an object of members');
}

/**
 *     members = { string: member, ... }
 *     member = typeOrArray | { 'type': typeOrArray, 'if'?: condition, 'features'?: features }
 */
export function readMembers(reading: Reading, node: ValueNode, what: string, owner?: string): MemberSyntax[] {
  const { dialect, pragmas, reportAt } = reading;
  if (node.kind !== 'object') {
    reportAt(node.offset, `${what} must be an object of members, not ${describe(node)}`);
    return [];
  }
  const isException = owner !== undefined && pragmas.memberNameExceptions.has(owner);
  return [...node.members].flatMap(([key, member]) => {
    const { offset, value } = member;
    const isOptional = key.startsWith('*');
    const name = isOptional ? key.slice(1) : key;
    checkMemberName(reading, name, `member name '${name}'`, offset, isException);
    const isReserved = /^(?:u$|has[^A-Za-z0-9])/u.test(name);
    if (isReserved && (!isOptional || dialect.enforces('reserved-optional-names')))
      reportAt(offset, `member name '${name}' is reserved`);
    const parts = readTyped(reading, member, `member '${name}'`, ['if', 'features']);
    const type = parts && readTypeOrArray(reading, parts.type, `the type of member '${name}'`);
    if (!type) return [];
    const features = value.kind === 'object' ? readFeatures(reading, value) : [];
    return [{ name, optional: isOptional, type, ...optional('condition', parts.condition), features, offset }];
  });
}

interface BranchRules {
  /** The term in messages. */
  readonly role: 'branch' | 'alternative';
  readonly allowsArrays: boolean;
  readonly hasCheckedNames: boolean;
}

/**
 *     branches = { string: branch, ... }
 *     branch = typeOrArray | { 'type': typeOrArray, 'if'?: condition }
 */
export function readBranches(reading: Reading, node: ValueNode, rules: BranchRules): BranchSyntax[] {
  const { role, allowsArrays, hasCheckedNames } = rules;
  if (node.kind !== 'object') {
    const form = `an object with one member for each ${role}`;
    reading.reportAt(node.offset, `'data' must be ${form}, not ${describe(node)}`);
    return [];
  }
  return [...node.members].flatMap(([name, member]) => {
    const { offset } = member;
    const what = `${role} '${name}'`;
    if (hasCheckedNames) checkMemberName(reading, name, what, offset);
    const parts = readTyped(reading, member, what, ['if']);
    if (!parts) return [];
    const type = (allowsArrays ? readTypeOrArray : readType)(reading, parts.type, `the type of ${what}`);
    return type ? [{ name, type, ...optional('condition', parts.condition), offset }] : [];
  });
}

/**
 *     values = [ value, ... ]
 *     value = string | { 'name': string, 'if'?: condition, 'features'?: features }
 *
 * @param owner the name of the enum
 */
export function readValues(reading: Reading, node: ValueNode, owner: string): ValueSyntax[] {
  const { dialect, pragmas, reportAt } = reading;
  if (node.kind !== 'array') {
    reportAt(node.offset, `'data' of an enum must be an array of values, not ${describe(node)}`);
    return [];
  }
  const isException = pragmas.memberNameExceptions.has(owner);
  const optionalKeys = dialect.enforces('no-value-features') ? ['if'] : ['if', 'features'];
  return node.elements.flatMap((element) => {
    const value = readNamed(reading, element, 'value', optionalKeys);
    if (!value) return [];
    // Unlike other names, a value may begin with a digit.
    const name = value.name.replace(/^(?=\d)/u, 'd');
    checkMemberName(reading, name, `value '${value.name}'`, value.offset, isException);
    return [{ ...value, features: element.kind === 'object' ? readFeatures(reading, element) : [] }];
  });
}

/**
 *     features = [ feature, ... ]
 *     feature = string | { 'name': string, 'if'?: condition }
 *
 * @param object an object that may have the key `features`
 */
export function readFeatures(reading: Reading, object: ObjectNode): FeatureSyntax[] {
  const node = object.members.get('features')?.value;
  if (!node) return [];
  if (node.kind !== 'array') {
    reading.reportAt(node.offset, `'features' must be an array, not ${describe(node)}`);
    return [];
  }
  return node.elements.flatMap((element) => {
    const feature = readNamed(reading, element, 'feature', ['if']);
    if (!feature) return [];
    checkMemberName(reading, feature.name, `feature '${feature.name}'`, feature.offset);
    return [feature];
  });
}

/** Reads a type, or an object with a type and other keys. */
function readTyped(
  reading: Reading,
  { offset, value }: MemberNode,
  what: string,
  optionalKeys: readonly string[],
): { type: ValueNode; condition?: Condition } | undefined {
  if (value.kind !== 'object') return { type: value };
  checkKeys(reading, value, what, { required: ['type'], optional: optionalKeys }, offset);
  const condition = readCondition(reading, value, what);
  const type = value.members.get('type')?.value;
  return type && { type, ...optional('condition', condition) };
}

/** Reads a name, or an object with a name and other keys. */
function readNamed(
  reading: Reading,
  node: ValueNode,
  role: string,
  optionalKeys: readonly string[],
): { name: string; condition?: Condition; offset: number } | undefined {
  if (node.kind !== 'object') {
    const name = readString(reading, node, `a ${role}`, 'a string, or an object with a name');
    return name === undefined ? undefined : { name, offset: node.offset };
  }
  checkKeys(reading, node, `this ${role}`, { required: ['name'], optional: optionalKeys });
  const nameNode = node.members.get('name')?.value;
  const name = nameNode && readString(reading, nameNode, `the name of a ${role}`, 'a string');
  if (nameNode === undefined || name === undefined) return undefined;
  const condition = readCondition(reading, node, `${role} '${name}'`);
  return { name, ...optional('condition', condition), offset: nameNode.offset };
}
