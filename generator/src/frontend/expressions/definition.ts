/**
 * Reads an expression as a definition, and reports all errors that can be found without other definitions: in keys,
 * JSON kinds of values, and names. The grammar is that of QEMU's docs/devel/qapi-code-gen.rst, "Schema syntax".
 */

import { optional } from '../../optional.js';
import { didYouMean } from '../../suggest.js';
import type { LocatedExpression, ObjectNode, ValueNode } from '../ast.js';
import { checkSections } from '../docs/check.js';
import type { Rules } from '../pragmas.js';
import type { Reporter } from '../reporter.js';
import { readCondition } from './conditions.js';
import { checkDefinitionName } from './names.js';
import {
  readBranches,
  readFeatures,
  readMembers,
  readType,
  readTypeOrArray,
  readTypeOrMembers,
  readValues,
} from './parts.js';
import { checkKeys, keyList, quoteAll, readString, type Keys, type Reading } from './shapes.js';
import type {
  BranchSyntax,
  CommandFlag,
  DefinitionSyntax,
  MembersSyntax,
  Meta,
  TypeSyntax,
  UnionSyntax,
} from './syntax.js';

const metas = ['enum', 'struct', 'union', 'alternate', 'command', 'event'] as const satisfies readonly Meta[];

const keys: Record<Meta, Keys> = {
  enum: { required: ['enum', 'data'], optional: ['if', 'features', 'prefix'] },
  struct: { required: ['struct', 'data'], optional: ['base', 'if', 'features'] },
  // Some dialects require 'base' and 'discriminator'.
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

/** The only valid value of each flag. The other value is the default. */
const flagValues: Record<CommandFlag, boolean> = {
  gen: false,
  'success-response': false,
  boxed: true,
  'allow-oob': true,
  'allow-preconfig': true,
  coroutine: true,
};

/**
 * Reads a definition, without the parts that have errors, which are reported. Returns undefined if it has no name.
 */
export function readDefinition(
  { source, object, doc }: LocatedExpression,
  rules: Rules,
  reporter: Reporter,
): DefinitionSyntax | undefined {
  const { offset } = object;
  const nameless: Reading = { ...rules, reportAt: reporter.in({ source, offset }) };
  const meta = readMeta(nameless, object);
  const nameNode = meta && object.members.get(meta)?.value;
  const name = nameNode && readString(nameless, nameNode, `'${meta}'`, 'a name');
  if (!nameNode || name === undefined) return undefined;

  const title = `${meta} '${name}'`;
  const reading: Reading = { ...rules, reportAt: reporter.in({ source, offset, title }) };
  checkDefinitionName(reading, meta, name, nameNode.offset);
  checkSections(reading, { meta, name, object, ...optional('doc', doc) });
  const errors = reporter.count;
  checkKeys(reading, object, title, keys[meta]);
  const common = {
    source,
    name,
    nameOffset: nameNode.offset,
    offset,
    ...optional('condition', readCondition(reading, object, title)),
    features: readFeatures(reading, object),
    ...optional('doc', doc),
  };
  const syntax = readBody(reading, object, meta, common);
  return reporter.count > errors ? { ...syntax, broken: true } : syntax;
}

/** Returns the key that determines the kind of definition. */
function readMeta({ reportAt }: Reading, { members, offset }: ObjectNode): Meta | undefined {
  const [meta, second] = metas.filter((key) => members.has(key));
  if (meta === undefined) {
    const hints = [...members.keys()].map((key) => didYouMean(key, [...metas, 'include', 'pragma']));
    const hint = hints.find((text) => text !== '') ?? '';
    reportAt(offset, `this is not a definition: it needs one of the keys ${quoteAll(metas)}${hint}`);
  } else if (second !== undefined) {
    const message = `a definition has only one of the keys ${quoteAll(metas)}, but this one has '${meta}' and '${second}'`;
    reportAt(members.get(second)?.offset ?? offset, message);
    return undefined;
  }
  return meta;
}

/** The fields of all kinds of definitions. */
type CommonSyntax = Pick<
  DefinitionSyntax,
  'source' | 'name' | 'nameOffset' | 'offset' | 'condition' | 'features' | 'doc'
>;

function readBody(reading: Reading, object: ObjectNode, meta: Meta, common: CommonSyntax): DefinitionSyntax {
  const { name } = common;
  /** Reads the value of a key, if the object has it. */
  const read = <T>(key: string, reader: (node: ValueNode) => T): T | undefined => {
    const node = object.members.get(key)?.value;
    return node && reader(node);
  };
  switch (meta) {
    case 'enum': {
      const values = read('data', (node) => readValues(reading, node, name)) ?? [];
      const prefix = read('prefix', (node) => readString(reading, node, "'prefix'", 'a string'));
      return { ...common, meta, values, ...optional('prefix', prefix) };
    }
    case 'struct': {
      const base = read('base', (node) => readType(reading, node, "'base'"));
      const members = read('data', (node) => readMembers(reading, node, "'data'", name)) ?? [];
      return { ...common, meta, ...optional('base', base), members };
    }
    case 'union':
      return { ...common, meta, ...readUnion(reading, object, name) };
    case 'alternate':
      return { ...common, meta, alternatives: read('data', (node) => readAlternatives(reading, node)) ?? [] };
    case 'command': {
      const returns = read('returns', (node) => readTypeOrArray(reading, node, "'returns'"));
      const data = readData(reading, object);
      return {
        ...common,
        meta,
        ...optional('data', data),
        ...optional('returns', returns),
        flags: readFlags(reading, object),
      };
    }
    case 'event': {
      const flags = readFlags(reading, object) as ReadonlySet<'boxed'>;
      return { ...common, meta, ...optional('data', readData(reading, object)), flags };
    }
  }
}

function readUnion(
  reading: Reading,
  { members, offset }: ObjectNode,
  owner: string,
): Pick<UnionSyntax, 'base' | 'discriminator' | 'branches'> {
  const { dialect, reportAt } = reading;
  const baseNode = members.get('base')?.value;
  const discriminatorNode = members.get('discriminator')?.value;
  const isSimple = !baseNode && !discriminatorNode;
  if (isSimple ? dialect.enforces('union-needs-discriminator') : !baseNode || !discriminatorNode) {
    const missing = ['base', 'discriminator'].filter((key) => !members.has(key));
    reportAt(offset, `union '${owner}' lacks ${keyList(missing)}`);
  }
  const base = baseNode && readTypeOrMembers(reading, baseNode, "'base'", owner);
  const name = discriminatorNode && readString(reading, discriminatorNode, "'discriminator'", "a member's name");
  const data = members.get('data')?.value;
  const rules = {
    role: 'branch',
    allowsArrays: isSimple,
    hasCheckedNames: isSimple || dialect.enforces('branch-names'),
  } as const;
  return {
    ...optional('base', base),
    ...(discriminatorNode && name !== undefined && { discriminator: { name, offset: discriminatorNode.offset } }),
    branches: data ? readBranches(reading, data, rules) : [],
  };
}

function readAlternatives(reading: Reading, node: ValueNode): BranchSyntax[] {
  if (node.kind === 'object' && node.members.size === 0)
    reading.reportAt(node.offset, 'an alternate needs at least one alternative');
  const allowsArrays = !reading.dialect.enforces('no-array-alternatives');
  return readBranches(reading, node, { role: 'alternative', allowsArrays, hasCheckedNames: true });
}

/** Reads `data` of a command or event. */
function readData(reading: Reading, { members }: ObjectNode): TypeSyntax | MembersSyntax | undefined {
  const data = members.get('data')?.value;
  const boxed = members.get('boxed');
  if (!boxed) return data && readTypeOrMembers(reading, data, "'data'");
  if (!data) reading.reportAt(boxed.offset, "'boxed' requires 'data'");
  else if (data.kind !== 'object') return readType(reading, data, "'data'");
  else reading.reportAt(data.offset, "'data' must be the name of a type when 'boxed' is true");
  return undefined;
}

function readFlags({ reportAt }: Reading, { members, offset }: ObjectNode): Set<CommandFlag> {
  const flags = new Set<CommandFlag>();
  for (const [flag, allowed] of Object.entries(flagValues) as [CommandFlag, boolean][]) {
    const node = members.get(flag)?.value;
    if (!node) continue;
    if (node.kind === 'boolean' && node.value === allowed) flags.add(flag);
    else reportAt(node.offset, `'${flag}' can only be ${allowed}; omit it for the default`);
  }
  if (flags.has('allow-oob') && flags.has('coroutine'))
    reportAt(members.get('coroutine')?.offset ?? offset, "a command cannot have both 'allow-oob' and 'coroutine'");
  return flags;
}
