/**
 * Is an expression well formed? What can be said of one expression alone: its keys, the JSON kinds of its values, its names.
 * QEMU's manual has the grammar in docs/devel/qapi-code-gen.rst, "Schema syntax".
 */

import type { Condition } from '../model.js';
import { optional } from '../optional.js';
import { didYouMean } from '../suggest.js';
import { parseTextCondition } from './condition.js';
import type { Dialect } from './dialect.js';
import type { DocComment } from './doc.js';
import type { Entry, Node, ObjectNode } from './parser.js';
import type { Context, Reporter } from './reporter.js';
import type { Source } from './source.js';
import type {
  BranchSyntax,
  CommandFlag,
  DefinitionSyntax,
  FeatureSyntax,
  MembersSyntax,
  MemberSyntax,
  Meta,
  Pragmas,
  TypeSyntax,
  ValueSyntax,
} from './syntax.js';

/** A top-level object that is no directive, and the comment before it. */
export interface Expression {
  readonly source: Source;
  readonly object: ObjectNode;
  readonly doc?: DocComment;
}

const metas = ['enum', 'struct', 'union', 'alternate', 'command', 'event'] as const satisfies readonly Meta[];

const keys: Record<Meta, { required: readonly string[]; optional: readonly string[] }> = {
  enum: { required: ['enum', 'data'], optional: ['if', 'features', 'prefix'] },
  struct: { required: ['struct', 'data'], optional: ['base', 'if', 'features'] },
  // 'base' and 'discriminator' are required where the dialect knows no unions without them.
  union: { required: ['union', 'data'], optional: ['base', 'discriminator', 'if', 'features'] },
  alternate: { required: ['alternate', 'data'], optional: ['if', 'features'] },
  command: {
    required: ['command'],
    optional: [
      'data',
      'returns',
      'boxed',
      'if',
      'features',
      'gen',
      'success-response',
      'allow-oob',
      'allow-preconfig',
      'coroutine',
    ],
  },
  event: { required: ['event'], optional: ['data', 'boxed', 'if', 'features'] },
};

/** The one value that each flag may have. */
const flagValues: Record<CommandFlag, boolean> = {
  gen: false,
  'success-response': false,
  boxed: true,
  'allow-oob': true,
  'allow-preconfig': true,
  coroutine: true,
};

/**
 * Reports every error in the expression.
 *
 * @returns what could be understood; undefined when the definition has no name
 */
export function checkExpression(
  expression: Expression,
  pragmas: Pragmas,
  dialect: Dialect,
  reporter: Reporter,
): DefinitionSyntax | undefined {
  return new Checker(expression, pragmas, dialect, reporter).definition();
}

class Checker {
  readonly #expression: Expression;
  readonly #object: ObjectNode;
  readonly #pragmas: Pragmas;
  readonly #dialect: Dialect;
  readonly #reporter: Reporter;
  #context: Context;

  constructor(expression: Expression, pragmas: Pragmas, dialect: Dialect, reporter: Reporter) {
    this.#expression = expression;
    this.#object = expression.object;
    this.#pragmas = pragmas;
    this.#dialect = dialect;
    this.#reporter = reporter;
    this.#context = { source: expression.source, offset: expression.object.offset };
  }

  definition(): DefinitionSyntax | undefined {
    const { entries } = this.#object;
    const present = metas.filter((meta) => entries.has(meta));
    const [meta] = present;
    if (meta === undefined) {
      const hints = [...entries.keys()].map((key) => didYouMean(key, [...metas, 'include', 'pragma']));
      const hint = hints.find((text) => text !== '') ?? '';
      this.#error(this.#object.offset, `this is no definition: it needs one of the keys ${quoteAll(metas)}${hint}`);
      return undefined;
    }
    const second = present[1];
    if (second !== undefined) {
      this.#error(
        this.#entryOffset(second),
        `a definition has one of the keys ${quoteAll(metas)}; this has '${meta}' and '${second}'`,
      );
      return undefined;
    }
    const nameNode = this.#value(meta);
    const name = nameNode && this.#string(nameNode, `'${meta}'`, 'a name');
    if (nameNode === undefined || name === undefined) return undefined;
    this.#context = { ...this.#context, title: `${meta} '${name}'` };
    this.#checkDefinitionName(meta, name, nameNode.offset);
    this.#checkDoc(meta, name);
    const errors = this.#reporter.count;
    const syntax = this.#parts(meta, name, nameNode.offset);
    return this.#reporter.count > errors ? { ...syntax, broken: true } : syntax;
  }

  #parts(meta: Meta, name: string, nameOffset: number): DefinitionSyntax {
    this.#checkKeys(this.#object, `${meta} '${name}'`, keys[meta].required, keys[meta].optional, this.#object.offset);
    const common = {
      source: this.#expression.source,
      name,
      nameOffset,
      offset: this.#object.offset,
      ...optional('condition', this.#condition(this.#object, `${meta} '${name}'`)),
      features: this.#features(this.#object),
      ...optional('doc', this.#expression.doc),
    };
    switch (meta) {
      case 'enum':
        return { ...common, meta, values: this.#enumValues(name), ...optional('prefix', this.#prefix()) };
      case 'struct':
        return { ...common, meta, ...optional('base', this.#typeName('base')), members: this.#structMembers(name) };
      case 'union':
        return { ...common, meta, ...this.#union(name) };
      case 'alternate':
        return { ...common, meta, alternatives: this.#alternatives() };
      case 'command':
        return { ...common, meta, ...this.#data(), ...optional('returns', this.#returns()), flags: this.#flags() };
      case 'event':
        return { ...common, meta, ...this.#data(), flags: this.#flags() as ReadonlySet<'boxed'> };
    }
  }

  #checkDoc(meta: Meta, name: string): void {
    const { doc } = this.#expression;
    if (!doc) {
      if (this.#pragmas.docRequired) {
        this.#error(this.#object.offset, `${meta} '${name}' needs a documentation comment (pragma 'doc-required')`);
      }
      return;
    }
    if (doc.symbol !== name)
      this.#error(doc.offset, `this documentation comment is for '${doc.symbol}', the definition is '${name}'`);
    for (const { kind, offset } of doc.sections) {
      if (kind === 'returns' && meta !== 'command') this.#error(offset, "only commands have a 'Returns:' section");
      else if (kind === 'returns' && !this.#object.entries.has('returns') && this.#dialect.enforces('doc-sections')) {
        this.#error(offset, "'Returns:' is documented, but the command returns nothing");
      }
      if (kind === 'errors' && meta !== 'command' && this.#dialect.enforces('doc-sections'))
        this.#error(offset, "only commands have an 'Errors:' section");
    }
  }

  // Names

  #checkDefinitionName(meta: Meta, name: string, offset: number): void {
    const conventions = this.#dialect.enforces('naming-conventions');
    const isType = meta !== 'command' && meta !== 'event';
    const stem = this.#checkName(name, `${meta} name '${name}'`, offset);
    if (stem === undefined) return;
    if (conventions) {
      if (meta === 'event') {
        if (/[a-z-]/u.test(stem))
          this.#error(offset, `event name '${name}' must be upper case, with '_' between words`);
      } else if (meta === 'command') {
        this.#checkLower(stem, `command name '${name}'`, offset, {
          underscore: this.#pragmas.commandNameExceptions.has(name),
        });
      } else if (!/^[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*$/u.test(stem)) {
        this.#error(offset, `${meta} name '${name}' must be CamelCase`);
      }
    }
    if (name.endsWith('List') && (isType || this.#dialect.enforces('list-suffix-on-all'))) {
      this.#error(offset, `${meta} name '${name}' must not end in 'List', which is reserved for arrays`);
    }
    if (name.endsWith('Kind') && this.#dialect.enforces('kind-suffix')) {
      this.#error(offset, `${meta} name '${name}' must not end in 'Kind', which is reserved for implicit enums`);
    }
  }

  /** The rules for every name; gives the name without the prefixes of downstream (`__rfqdn_`) and experimental (`x-`) names. */
  #checkName(name: string, what: string, offset: number): string | undefined {
    const match = /^(?:__[a-z0-9.-]+_)?(?:x-)?([a-z][a-z0-9_-]*)$/iu.exec(name);
    if (!match) {
      this.#error(
        offset,
        `${what} is invalid: letters, digits, '-' and '_' after a letter, or the same after a '__RFQDN_' prefix`,
      );
      return undefined;
    }
    if (/^q[^A-Za-z0-9]/u.test(name)) {
      this.#error(offset, `${what} is invalid: names that begin with 'q_' or 'q-' are reserved`);
      return undefined;
    }
    return match[1];
  }

  /** Names of members, values, features and alternatives. */
  #checkMemberName(name: string, what: string, offset: number, permissive = false): void {
    const stem = this.#checkName(name, what, offset);
    if (stem === undefined || permissive) return;
    if (this.#dialect.enforces('naming-conventions')) this.#checkLower(stem, what, offset);
    else if (this.#dialect.enforces('lower-case-members') && name.toLowerCase() !== name) {
      this.#error(offset, `${what} must be lower case`);
    }
  }

  #checkLower(
    stem: string,
    what: string,
    offset: number,
    permit: { underscore: boolean } = { underscore: false },
  ): void {
    if (/[A-Z]/u.test(stem)) this.#error(offset, `${what} must be lower case`);
    else if (stem.includes('_') && !permit.underscore)
      this.#error(offset, `${what} must not use '_'; words are joined by '-'`);
  }

  // Definitions

  #enumValues(owner: string): ValueSyntax[] {
    const data = this.#value('data');
    if (!data) return [];
    if (data.kind !== 'array') {
      this.#error(data.offset, `'data' of an enum must be an array of values, not ${describe(data)}`);
      return [];
    }
    const permissive = this.#pragmas.memberNameExceptions.has(owner);
    return data.elements.flatMap((element) => {
      const optionalKeys = this.#dialect.enforces('no-value-features') ? ['if'] : ['if', 'features'];
      const named = this.#named(element, 'value', optionalKeys);
      if (!named) return [];
      // A value may begin with a digit.
      const checked = named.name.replace(/^(?=\d)/u, 'd');
      this.#checkMemberName(checked, `value '${named.name}'`, named.offset, permissive);
      return [{ ...named, features: element.kind === 'object' ? this.#features(element) : [] }];
    });
  }

  #prefix(): string | undefined {
    const node = this.#value('prefix');
    return node && this.#string(node, "'prefix'", 'a string');
  }

  #structMembers(owner: string): MemberSyntax[] {
    const data = this.#value('data');
    return data ? this.#members(data, "'data'", owner) : [];
  }

  #union(owner: string): Pick<DefinitionSyntax & { meta: 'union' }, 'base' | 'discriminator' | 'branches'> {
    const baseNode = this.#value('base');
    const discriminatorNode = this.#value('discriminator');
    const simple = !baseNode && !discriminatorNode;
    if (simple ? this.#dialect.enforces('union-needs-discriminator') : !baseNode || !discriminatorNode) {
      const missing = ['base', 'discriminator'].filter((key) => !this.#value(key));
      this.#error(
        this.#object.offset,
        `union '${owner}' misses ${missing.length > 1 ? 'the keys' : 'the key'} ${quoteAll(missing)}`,
      );
    }
    const base = baseNode && this.#typeNameOrMembers(baseNode, "'base'", owner);
    const name = discriminatorNode && this.#string(discriminatorNode, "'discriminator'", "a member's name");
    return {
      ...optional('base', base),
      ...(discriminatorNode && name !== undefined && { discriminator: { name, offset: discriminatorNode.offset } }),
      branches: this.#branches('branch', simple, (branch) => {
        if (simple || this.#dialect.enforces('branch-names'))
          this.#checkMemberName(branch.name, `branch '${branch.name}'`, branch.offset);
      }),
    };
  }

  #alternatives(): BranchSyntax[] {
    const alternatives = this.#branches(
      'alternative',
      !this.#dialect.enforces('no-array-alternatives'),
      ({ name, offset }) => {
        this.#checkMemberName(name, `alternative '${name}'`, offset);
      },
    );
    const data = this.#value('data');
    if (data?.kind === 'object' && data.entries.size === 0)
      this.#error(data.offset, 'an alternate needs at least one alternative');
    return alternatives;
  }

  #branches(
    role: string,
    arrays: boolean,
    checkName: (branch: { name: string; offset: number }) => void,
  ): BranchSyntax[] {
    const data = this.#value('data');
    if (!data) return [];
    if (data.kind !== 'object') {
      this.#error(data.offset, `'data' must be an object with one member for each ${role}, not ${describe(data)}`);
      return [];
    }
    return [...data.entries].flatMap(([name, entry]) => {
      checkName({ name, offset: entry.offset });
      const parts = this.#typed(entry, `${role} '${name}'`, ['if']);
      if (!parts) return [];
      const type = arrays
        ? this.#typeOrArray(parts.type, `the type of ${role} '${name}'`)
        : this.#type(parts.type, `the type of ${role} '${name}'`);
      return type ? [{ name, type, ...optional('condition', parts.condition), offset: entry.offset }] : [];
    });
  }

  #data(): { data?: TypeSyntax | MembersSyntax } {
    const node = this.#value('data');
    if (!this.#object.entries.has('boxed'))
      return node ? optional('data', this.#typeNameOrMembers(node, "'data'")) : {};
    if (!node) {
      this.#error(this.#entryOffset('boxed'), "'boxed' requires 'data'");
      return {};
    }
    if (node.kind === 'object') {
      this.#error(node.offset, "'data' must be the name of a type where 'boxed' is true");
      return {};
    }
    return optional('data', this.#type(node, "'data'"));
  }

  #returns(): TypeSyntax | undefined {
    const node = this.#value('returns');
    return node && this.#typeOrArray(node, "'returns'");
  }

  #flags(): Set<CommandFlag> {
    const flags = new Set<CommandFlag>();
    for (const [flag, allowed] of Object.entries(flagValues) as [CommandFlag, boolean][]) {
      const node = this.#value(flag);
      if (!node) continue;
      if (node.kind === 'scalar' && node.value === allowed) flags.add(flag);
      else this.#error(node.offset, `'${flag}' can only be ${allowed}; leave it out for the default`);
    }
    if (flags.has('allow-oob') && flags.has('coroutine')) {
      this.#error(this.#entryOffset('coroutine'), "'allow-oob' and 'coroutine' exclude each other");
    }
    return flags;
  }

  // Parts of definitions

  #members(node: Node, what: string, owner?: string): MemberSyntax[] {
    if (node.kind !== 'object') {
      this.#error(node.offset, `${what} must be an object of members, not ${describe(node)}`);
      return [];
    }
    const permissive = owner !== undefined && this.#pragmas.memberNameExceptions.has(owner);
    return [...node.entries].flatMap(([key, entry]) => {
      const isOptional = key.startsWith('*');
      const name = isOptional ? key.slice(1) : key;
      this.#checkMemberName(name, `member name '${name}'`, entry.offset, permissive);
      const reserved = /^(?:u$|has[^A-Za-z0-9])/u.test(name);
      if (reserved && (!isOptional || this.#dialect.enforces('reserved-optional-names'))) {
        this.#error(entry.offset, `member name '${name}' is reserved`);
      }
      const parts = this.#typed(entry, `member '${name}'`, ['if', 'features']);
      const type = parts && this.#typeOrArray(parts.type, `the type of member '${name}'`);
      if (!type) return [];
      const features = entry.value.kind === 'object' ? this.#features(entry.value) : [];
      return [
        { name, optional: isOptional, type, ...optional('condition', parts.condition), features, offset: entry.offset },
      ];
    });
  }

  #typeNameOrMembers(node: Node, what: string, owner?: string): TypeSyntax | MembersSyntax | undefined {
    if (node.kind === 'object') return { members: this.#members(node, what, owner) };
    return this.#type(node, what, ' or an object of members');
  }

  /** What a member or branch is written with: a type, or an object with the type and more. */
  #typed(
    entry: Entry,
    what: string,
    optionalKeys: readonly string[],
  ): { type: Node; condition?: Condition } | undefined {
    const node = entry.value;
    if (node.kind !== 'object') return { type: node };
    this.#checkKeys(node, what, ['type'], optionalKeys, entry.offset);
    const condition = this.#condition(node, what);
    const type = node.entries.get('type')?.value;
    return type && { type, ...optional('condition', condition) };
  }

  /** What an enum value or feature is written with: its name, or an object with the name and more. */
  #named(
    node: Node,
    role: string,
    optionalKeys: readonly string[],
  ): { name: string; condition?: Condition; offset: number } | undefined {
    if (node.kind !== 'object') {
      const name = this.#string(node, `a ${role}`, 'a string, or an object with a name');
      return name === undefined ? undefined : { name, offset: node.offset };
    }
    this.#checkKeys(node, `this ${role}`, ['name'], optionalKeys, node.offset);
    const nameNode = node.entries.get('name')?.value;
    const name = nameNode && this.#string(nameNode, `the name of a ${role}`, 'a string');
    if (nameNode === undefined || name === undefined) return undefined;
    return { name, ...optional('condition', this.#condition(node, `${role} '${name}'`)), offset: nameNode.offset };
  }

  #features(object: ObjectNode): FeatureSyntax[] {
    const node = object.entries.get('features')?.value;
    if (!node) return [];
    if (node.kind !== 'array') {
      this.#error(node.offset, `'features' must be an array, not ${describe(node)}`);
      return [];
    }
    return node.elements.flatMap((element) => {
      const feature = this.#named(element, 'feature', ['if']);
      if (!feature) return [];
      this.#checkMemberName(feature.name, `feature '${feature.name}'`, feature.offset);
      return [feature];
    });
  }

  #typeName(key: string): TypeSyntax | undefined {
    const node = this.#value(key);
    return node && this.#type(node, `'${key}'`);
  }

  #type(node: Node, what: string, orElse = ''): TypeSyntax | undefined {
    if (node.kind === 'scalar' && typeof node.value === 'string')
      return { name: node.value, array: false, offset: node.offset };
    this.#error(node.offset, `${what} must be the name of a type${orElse}, not ${describe(node)}`);
    return undefined;
  }

  #typeOrArray(node: Node, what: string): TypeSyntax | undefined {
    if (node.kind !== 'array') return this.#type(node, what, " or an array such as [ 'str' ]");
    const [element, ...others] = node.elements;
    if (element?.kind !== 'scalar' || typeof element.value !== 'string' || others.length > 0) {
      this.#error((others[0] ?? element ?? node).offset, `${what}: an array holds the name of one type`);
      return undefined;
    }
    return { name: element.value, array: true, offset: element.offset };
  }

  #condition(object: ObjectNode, what: string): Condition | undefined {
    const node = object.entries.get('if')?.value;
    return node && this.#conditionNode(node, what);
  }

  #conditionNode(node: Node, what: string): Condition | undefined {
    const noText = this.#dialect.enforces('no-text-conditions');
    const noObjects = this.#dialect.enforces('no-structured-conditions');
    if (node.kind === 'scalar' && typeof node.value === 'string') {
      const text = node.value;
      if (/^[A-Z][A-Z0-9_]*$/u.test(text) && !noObjects) return { kind: 'defined', name: text };
      if (noText) {
        this.#error(node.offset, `'if' of ${what}: '${text}' is not an identifier such as CONFIG_LINUX`);
      } else if (text.trim() === '') {
        this.#error(node.offset, `'if' of ${what} is empty`);
      } else {
        return parseTextCondition(text);
      }
    } else if (node.kind === 'array' && !noText) {
      return this.#conditionList('all', node, what, (element) => {
        const text = this.#string(element, `a part of 'if' of ${what}`, 'a string');
        return text === undefined ? undefined : this.#conditionNode(element, what);
      });
    } else if (node.kind === 'object' && !noObjects) {
      return this.#conditionObject(node, what);
    } else {
      const object = noObjects ? '' : " or an object with 'all', 'any' or 'not'";
      const form = `a string${noText ? '' : ' or a list of strings'}${object}`;
      this.#error(node.offset, `'if' of ${what} must be ${form}, not ${describe(node)}`);
    }
    return undefined;
  }

  #conditionObject(node: ObjectNode, what: string): Condition | undefined {
    this.#checkKeys(node, `'if' of ${what}`, [], ['all', 'any', 'not'], node.offset);
    const operators = (['all', 'any', 'not'] as const).filter((key) => node.entries.has(key));
    const [operator] = operators;
    const operand = operator && node.entries.get(operator)?.value;
    if (operator === undefined || operand === undefined || operators.length > 1) {
      if (operators.length === node.entries.size)
        this.#error(node.offset, `'if' of ${what} needs exactly one of 'all', 'any' and 'not'`);
      return undefined;
    }
    if (operator === 'not') {
      const inner = this.#conditionNode(operand, what);
      return inner && { kind: 'not', operand: inner };
    }
    return this.#conditionList(operator, operand, what, (element) => this.#conditionNode(element, what));
  }

  #conditionList(
    kind: 'all' | 'any',
    node: Node,
    what: string,
    parseOperand: (element: Node) => Condition | undefined,
  ): Condition | undefined {
    if (node.kind !== 'array') {
      this.#error(node.offset, `'${kind}' in 'if' of ${what} must be an array, not ${describe(node)}`);
      return undefined;
    }
    if (node.elements.length === 0) this.#error(node.offset, `'if' of ${what}: an empty list has no meaning`);
    const operands = node.elements.map(parseOperand).filter((operand) => operand !== undefined);
    return operands.length > 0 ? { kind, operands } : undefined;
  }

  // Small things

  #checkKeys(
    object: ObjectNode,
    what: string,
    required: readonly string[],
    optionalKeys: readonly string[],
    offset: number,
  ): void {
    const missing = required.filter((key) => !object.entries.has(key));
    if (missing.length > 0)
      this.#error(offset, `${what} misses ${missing.length > 1 ? 'the keys' : 'the key'} ${quoteAll(missing)}`);
    const allowed = [...required, ...optionalKeys];
    for (const [key, entry] of object.entries) {
      if (!allowed.includes(key)) {
        this.#error(
          entry.offset,
          `${what} has no key '${key}'${didYouMean(key, allowed) || `; it can have ${quoteAll(allowed)}`}`,
        );
      }
    }
  }

  #string(node: Node, what: string, form: string): string | undefined {
    if (node.kind === 'scalar' && typeof node.value === 'string') return node.value;
    this.#error(node.offset, `${what} must be ${form}, not ${describe(node)}`);
    return undefined;
  }

  #value(key: string): Node | undefined {
    return this.#object.entries.get(key)?.value;
  }

  #entryOffset(key: string): number {
    return this.#object.entries.get(key)?.offset ?? this.#object.offset;
  }

  #error(offset: number, message: string): void {
    this.#reporter.report(this.#context, offset, message);
  }
}

function describe(node: Node): string {
  if (node.kind === 'object') return 'an object';
  if (node.kind === 'array') return node.elements.length === 0 ? 'an empty array' : 'an array';
  return typeof node.value === 'string' ? `the string '${node.value}'` : `${node.value}`;
}

function quoteAll(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}
