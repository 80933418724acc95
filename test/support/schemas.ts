/** Generates schemas with the most hostile names, conditions and prose that each dialect accepts. */

import { dirname, isAbsolute, join, resolve } from 'node:path';

import fc, { type Arbitrary } from 'fast-check';

import type { Dialect } from '../../generator/src/frontend/dialect.js';
import type { Files } from './schema.js';

/** Text that would do harm if it became code, ended a string or comment, or acted as a directive. */
const evil = [
  '\\',
  '\\\\n',
  '\\u0027',
  '"',
  '`',
  '${PWNED}',
  '*/',
  '/*',
  '//',
  '//# sourceMappingURL=evil.map',
  '/* c8 ignore start',
  '@ts-ignore',
  '@ts-nocheck',
  '/// <reference path="evil" />',
  '{@link evil}',
  'eslint-disable',
  '</script>',
  '<!--',
  '} })); PWNED(); //',
  ')',
  '(',
  '!',
  '&&',
  '||',
  'defined(A)',
  '__proto__',
  '%0A::error::',
  '\t',
];

/** Further text, which only comments may contain. */
const unseen = [
  "'",
  '\0',
  '\u001B[2J',
  '\u0085',
  '\u2028',
  '\u2029',
  '\u202E',
  '\u2066',
  '\u200B',
  '\uFEFF',
  '\u{1F600}',
];

const typeNames = [
  ...[
    'Object',
    'Function',
    'Promise',
    'Client',
    'Events',
    'Commands',
    'BaseClient',
    'Int64',
    'Validator',
    'Json',
    'Array',
  ],
  ...['EmptyObject', 'Symbol', 'Protocol', 'String', 'Infinity', '__org.evil-x_Type', '__a--b..c_x-Type'],
];
/** Names of types in lower case, which are distinct from names of commands. */
const lowerTypeNames = ['default', 'let', 'yield', 'enum', 'undefined', 'connect', 'validators', 'protocol'];
const lowerNames = [
  ...['constructor', 'then', 'class', 'delete', 'get', 'async', 'await', 'new', 'close', 'execute', 'toString'],
  ...['x-evil', '__org.evil-x_member', 'prototype', 'arguments', 'eval', 'hasownproperty', 'valueof', 'static', 'this'],
];
const eventNames = ['CONSTRUCTOR', 'STOP', '__org.evil-x_EVENT', 'PROTO', 'THEN', 'DEFAULT', 'NULL'];
const featureNames = ['deprecated', 'unstable', 'x-odd'];
const builtins = ['str', 'int', 'bool', 'number', 'size', 'uint8', 'any'];

/** Returns names that are distinct in TypeScript, too. */
function names(count: number, from: readonly string[], fresh: (index: number) => string): Arbitrary<string[]> {
  return fc
    .uniqueArray(fc.constantFrom(...from), {
      maxLength: count,
      selector: (name) => name.replaceAll(/\W|_/gu, '').toLowerCase(),
    })
    .map((some) => Array.from({ length: count }, (_, index) => some[index] ?? fresh(index)));
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\')}'`;
}

/** Returns the text of a condition in the form of a dialect. */
function condition(dialect: Dialect): Arbitrary<string> {
  const defined = fc.constantFrom('CONFIG_A', 'CONFIG_B').map(quoted);
  const text = fc
    .array(fc.oneof(fc.constantFrom(...evil), fc.string({ maxLength: 8 })), { minLength: 1, maxLength: 6 })
    .map((parts) => parts.join('').replaceAll(/['\t]/gu, ''))
    .filter((joined) => joined.trim() !== '')
    .map(quoted);
  const structured = fc.letrec<{ any: string }>((tie) => ({
    any: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      defined,
      tie('any').map((one) => `{ 'not': ${one} }`),
      fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map((all) => `{ 'all': [ ${all.join(', ')} ] }`),
      fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map((any) => `{ 'any': [ ${any.join(', ')} ] }`),
    ),
  })).any;
  const forms: Arbitrary<string>[] = [];
  if (!dialect.enforces('no-text-conditions')) {
    forms.push(
      text,
      fc.array(text, { minLength: 1, maxLength: 3 }).map((all) => `[ ${all.join(', ')} ]`),
    );
  }
  if (!dialect.enforces('no-structured-conditions')) forms.push(structured);
  return fc.oneof(...forms);
}

/** Names of files that clash, in some or all file systems, with each other or with files that the generator writes. */
const fileNames = [
  ...['client.json', 'index.json', 'Client.json', 'common.json', 'COMMON.json', 'common', 'a.b.json', 'a-b.json'],
  ...['a_b.json', 'a/common.json', '../common.json', '.json', '__proto__.json', 'constructor', 'x.d.ts', '-rf.json'],
];

/** Paths in a schema consist of printable ASCII. */
function filePath(parts: readonly string[]): Arbitrary<string> {
  const odd = fc
    .array(fc.constantFrom(...parts, 'a'), { minLength: 1, maxLength: 4 })
    .map((joined) => `${joined.join('')}.json`);
  return fc.oneof(fc.constantFrom(...fileNames), odd);
}

const included = evil.filter((part) => !part.includes('\t'));
/** The root, whose name is not in the schema, and the files that it includes. */
const paths = fc
  .tuple(filePath([...evil, ...unseen, '\n']), filePath(included), filePath(included))
  .filter(([root, ...others]) => {
    const distinct = new Set([root, ...others.map((path) => includedPath(root, path))].map((path) => resolve(path)));
    return distinct.size === 3;
  });

function includedPath(root: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(root), path);
}

/** The beginning of prefixes of enums. */
export const prefixMark = 'PwnedPrefix';

export interface SchemaFiles {
  /** The first is the root. */
  readonly files: Files;
  /** The origin of the schema, for the first line of the output. */
  readonly origin: string;
  /** Sentences of the documentation, each of which begins with a unique word. */
  readonly sentences: readonly string[];
}

/** Schemas that use every construct. */
export function schemas(dialect: Dialect): Arbitrary<SchemaFiles> {
  const allowsLower = !dialect.enforces('naming-conventions');
  const allowsUpper = allowsLower && !dialect.enforces('lower-case-members');
  const digits = dialect.enforces('branch-names') ? [] : ['0', '5', '2-5', '10base-t'];
  const isLower = (name: string): boolean => name === name.toLowerCase();
  return fc
    .record({
      types: names(10, allowsLower ? [...typeNames, ...lowerTypeNames] : typeNames, (index) => `Type${index}`),
      members: names(6, allowsUpper ? lowerNames : lowerNames.filter(isLower), (index) => `member-${index}`),
      values: names(4, [...lowerNames.filter(isLower), ...digits], (index) => `value-${index}`),
      commands: names(3, lowerNames.filter(isLower), (index) => `command-${index}`),
      events: names(2, eventNames, (index) => `EVENT_${index}`),
      uses: fc.array(fc.constantFrom(...builtins), { minLength: 8, maxLength: 8 }),
      optional: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      conditions: fc.array(fc.option(condition(dialect), { nil: undefined, freq: 3 }), {
        minLength: 16,
        maxLength: 16,
      }),
      features: fc.array(fc.subarray(featureNames), { minLength: 8, maxLength: 8 }),
      prose: fc.array(
        fc.array(fc.constantFrom(...evil, ...unseen, 'a'), { maxLength: 6 }).map((parts) => parts.join(' ')),
        { minLength: 16, maxLength: 16 },
      ),
      documented: fc.boolean(),
      paths,
      places: fc.array(fc.nat(2), { minLength: 16, maxLength: 16 }),
      prefix: fc.array(fc.constantFrom(...included), { maxLength: 3 }).map((evils) => [prefixMark, ...evils].join(' ')),
      origin: fc.array(fc.constantFrom(...evil, ...unseen, '\n', 'a'), { maxLength: 4 }).map((all) => all.join('')),
    })
    .map((parts) => new Writer(dialect, parts).schema());
}

interface Parts {
  readonly types: readonly string[];
  readonly members: readonly string[];
  readonly values: readonly string[];
  readonly commands: readonly string[];
  readonly events: readonly string[];
  readonly uses: readonly string[];
  readonly optional: readonly boolean[];
  readonly conditions: readonly (string | undefined)[];
  readonly features: readonly (readonly string[])[];
  readonly prose: readonly string[];
  readonly documented: boolean;
  /** The paths of the root and of two files that it includes. */
  readonly paths: readonly [string, string, string];
  /** For each definition, the index of the file that contains it. */
  readonly places: readonly number[];
  readonly prefix: string;
  readonly origin: string;
}

/** Writes a schema. Uses the parts in turn, and starts again after the last. */
class Writer {
  readonly #dialect: Dialect;
  readonly #parts: Parts;
  readonly #sentences: string[] = [];
  readonly #taken = new Map<readonly unknown[], number>();

  constructor(dialect: Dialect, parts: Parts) {
    this.#dialect = dialect;
    this.#parts = parts;
  }

  schema(): SchemaFiles {
    const {
      paths: [root, ...others],
      origin,
    } = this.#parts;
    const texts: string[][] = [others.map((path) => `{ 'include': ${quoted(path)} }`), [], []];
    for (const definition of this.#definitions()) texts[this.#next(this.#parts.places)]?.push(definition);
    const all = [root, ...others.map((path) => includedPath(root, path))];
    const files = Object.fromEntries(all.map((name, index) => [name, (texts[index] ?? []).join('\n')]));
    return { files, origin, sentences: this.#sentences };
  }

  #definitions(): string[] {
    const { types, commands, events, values } = this.#parts;
    const [anEnum, base, struct, other] = types.map(quoted) as readonly string[] as Names;
    const [enumName, baseName, structName, otherName, union, inPlace, simple, alternate, nested] = types as Names;
    const [first, second, third] = commands as Names;
    const [event, otherEvent] = events as Names;
    const [one, two] = values.map(quoted) as readonly string[] as Names;
    const text = [
      this.#define(
        'enum',
        enumName,
        `'prefix': ${quoted(this.#parts.prefix)}, 'data': [ ${values.map((value) => this.#value(value)).join(', ')} ]`,
        values,
      ),
      this.#define('struct', baseName, `'data': { 'base-member': ${anEnum} }`, ['base-member']),
      this.#struct(structName, '', this.#members(3)),
      this.#struct(otherName, base, [
        ['inherits', struct, false],
        ['itself', other, true],
      ]),
      this.#define(
        'union',
        union,
        `'base': { 'tag': ${anEnum}, '*more': ${this.#member("'str'")} }, 'discriminator': 'tag', ` +
          `'data': { ${one}: ${this.#conditional(struct)}, ${two}: ${this.#conditional(other)} }`,
      ),
      this.#define('union', inPlace, `'base': ${base}, 'discriminator': 'base-member', 'data': { ${two}: ${struct} }`),
      this.#define('alternate', alternate, `'data': { 'object': ${this.#conditional(other)}, 'text': 'str' }`),
      this.#command(
        first,
        `, 'data': ${this.#arguments(this.#members(2))}, 'returns': ${struct}`,
        this.#parts.members.slice(0, 2),
      ),
      this.#command(second, `, 'data': ${other}, 'boxed': true, 'gen': false, 'returns': [ ${struct} ]`),
      this.#command(third, ", 'success-response': false, 'allow-oob': true"),
      this.#define('event', event, `'data': ${this.#arguments([['data-member', quoted(alternate), false]])}`, [
        'data-member',
      ]),
      this.#define('event', otherEvent),
    ];
    if (!this.#dialect.enforces('union-needs-discriminator')) {
      text.push(this.#define('union', simple, `'data': { 'text': ${this.#conditional("'str'")}, 'many': [ 'int' ] }`));
    }
    if (!this.#dialect.enforces('no-union-branches')) {
      const inner = `${one}: ${quoted(union)}`;
      text.push(
        this.#define('union', nested, `'base': { 'kind': ${anEnum} }, 'discriminator': 'kind', 'data': { ${inner} }`),
      );
    }
    return text;
  }

  #define(meta: string, name: string, rest = '', documented: readonly string[] = []): string {
    const body = `{ '${meta}': ${quoted(name)}${rest === '' ? '' : `, ${rest}`}${this.#if()} }`;
    return this.#doc(name, documented, body) + body;
  }

  #struct(name: string, base: string, members: readonly MemberText[]): string {
    const texts = members.map(([member, type, optional]) => `${key(member, optional)}: ${this.#member(type)}`);
    const inherited = base === '' ? '' : `'base': ${base}, `;
    return this.#define(
      'struct',
      name,
      `${inherited}'data': { ${texts.join(', ')} }`,
      members.map(([member]) => member),
    );
  }

  #command(name: string, rest: string, documented: readonly string[] = []): string {
    return this.#define('command', name, `${rest.slice(2)}${this.#features()}`, documented);
  }

  #members(count: number): MemberText[] {
    const { members, uses, optional } = this.#parts;
    return members.slice(0, count).map((name) => [name, quoted(this.#next(uses)), this.#next(optional)]);
  }

  #arguments(members: readonly MemberText[]): string {
    const isFree = !this.#dialect.enforces('conditional-arguments-boxed');
    const texts = members.map(
      ([name, type, optional]) => `${key(name, optional)}: ${isFree ? this.#member(type) : type}`,
    );
    return `{ ${texts.join(', ')} }`;
  }

  #member(type: string): string {
    return typed(type, `${this.#if()}${this.#features()}`);
  }

  #conditional(type: string): string {
    return typed(type, this.#if());
  }

  #value(name: string): string {
    const extra = `${this.#if()}${this.#dialect.enforces('no-value-features') ? '' : this.#features()}`;
    return extra === '' ? quoted(name) : `{ 'name': ${quoted(name)}${extra} }`;
  }

  #if(): string {
    const text = this.#next(this.#parts.conditions);
    return text === undefined ? '' : `, 'if': ${text}`;
  }

  #features(): string {
    const features = this.#next(this.#parts.features);
    return features.length === 0 ? '' : `, 'features': [ ${features.map(quoted).join(', ')} ]`;
  }

  #doc(name: string, members: readonly string[], body: string): string {
    // Some versions reject much of this because of its style.
    if (!this.#parts.documented || this.#dialect.version || (members.length === 0 && body.includes("'base'")))
      return '';
    const lines = ['##', `# @${name}:`, '#', `# ${this.#sentence()}`];
    for (const member of members) lines.push('#', `# @${member}: ${this.#sentence()}`);
    const features = featureNames.filter((feature) => body.includes(quoted(feature)));
    if (features.length > 0) lines.push('#', '# Features:');
    // The descriptions of features are not sentences, because not all of them are emitted.
    for (const feature of features) lines.push('#', `# @${feature}: Some reason`);
    return [...lines, '##', ''].join('\n');
  }

  #sentence(): string {
    const sentence = `Word${this.#sentences.length}x: ${this.#next(this.#parts.prose)}`.trimEnd();
    this.#sentences.push(sentence);
    return sentence;
  }

  #next<T>(all: readonly T[]): T {
    const index = this.#taken.get(all) ?? 0;
    this.#taken.set(all, index + 1);
    return all[index % all.length] as T;
  }
}

type Names = readonly [string, string, string, string, string, string, string, string, string];

type MemberText = readonly [name: string, type: string, optional: boolean];

function key(name: string, optional: boolean): string {
  return quoted(`${optional ? '*' : ''}${name}`);
}

function typed(type: string, extra: string): string {
  return extra === '' ? type : `{ 'type': ${type}${extra} }`;
}
