import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it, test } from 'vitest';

import { conditionNames, conditionTest } from '../generator/src/condition.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import { introspect, type SchemaInfo } from '../generator/src/introspect.js';
import type { Schema } from '../generator/src/model.js';
import { schemaOf } from './support/schema.js';
import { sharedFile } from './support/shared.js';

function embedded(path: string): Schema {
  return loadSchema(fileURLToPath(new URL(`../schema/${path}/qapi-schema.json`, import.meta.url)));
}

function byName(infos: readonly SchemaInfo[]): Map<string, SchemaInfo> {
  return new Map(infos.map((info) => [`${info['meta-type']} ${info.name}`, info]));
}

/** The conditions that Debian's builds for x86 do not meet. They meet all others. */
const foreignTargets = ['TARGET_ARM', 'TARGET_S390X'];
const foreignHosts = ['CONFIG_COCOA', 'CONFIG_VMNET'];
const otherAudio = ['CONFIG_AUDIO_COREAUDIO', 'CONFIG_AUDIO_DSOUND', 'CONFIG_AUDIO_SNDIO'];
const accelerators = ['CONFIG_QATZIP', 'CONFIG_QPL', 'CONFIG_UADK'];
const replies = [
  { reply: 'qmp-7.2', schema: '7.2.0/qapi', lacks: ['CONFIG_BLKIO', ...foreignTargets, ...foreignHosts] },
  { reply: 'qsd-7.2', schema: '7.2.0/storage-daemon/qapi', lacks: ['CONFIG_BLKIO'] },
  {
    reply: 'qmp-10.0',
    schema: '10.0.13/qapi',
    lacks: [
      'CONFIG_BLKIO',
      'CONFIG_AF_XDP',
      'CONFIG_WIN32',
      ...foreignTargets,
      ...foreignHosts,
      ...otherAudio,
      ...accelerators,
    ],
  },
  { reply: 'qsd-10.0', schema: '10.0.13/storage-daemon/qapi', lacks: ['CONFIG_BLKIO', 'CONFIG_WIN32'] },
];

describe('replies of real servers', () => {
  for (const { reply, schema: path, lacks } of replies) {
    const file = sharedFile(`introspection/${reply}.json`, `introspect against the reply of a real ${reply}`);
    test.skipIf(!file)(`${reply} has everything in the schema except ${lacks.join(', ')}`, () => {
      const real = byName(JSON.parse(readFileSync(file ?? '', 'utf8')) as SchemaInfo[]);
      const schema = embedded(path);
      const names = conditionNames(schema);
      expect([...names]).toEqual(expect.arrayContaining(lacks));
      const has = [...names].filter((name) => !lacks.includes(name));
      // Even the numbers that mask type names are equal.
      expect(byName(introspect(schema, conditionTest(has)))).toEqual(withoutBackports(real, reply));
    });
  }

  test.skipIf(!sharedFile('introspection/qmp-10.0.json', 'the version difference'))(
    'a backported member is a difference',
    () => {
      const schema = embedded('10.0.13/qapi');
      const member = introspect(schema, () => true).flatMap((info) =>
        info['meta-type'] === 'object' ? info.members.filter(({ name }) => name === 'delay-ns') : [],
      );
      expect(member).toEqual([{ name: 'delay-ns', type: 'int', default: null }]);
    },
  );
});

/** Adds to a reply of 10.0.2 what the schema's version, 10.0.13, has in addition: `delay-ns` for blkdebug. */
function withoutBackports(real: Map<string, SchemaInfo>, reply: string): Map<string, SchemaInfo> {
  if (!reply.endsWith('10.0')) return real;
  const patched = [...real].filter(
    ([, info]) =>
      info['meta-type'] === 'object' &&
      info.members.some(({ name }) => name === 'immediately') &&
      info.members.some(({ name }) => name === 'iotype'),
  );
  expect(patched).toHaveLength(1);
  const [[key, info] = ['', undefined]] = patched;
  if (info?.['meta-type'] !== 'object') throw new Error('BlkdebugInjectErrorOptions is gone');
  const at = info.members.findIndex(({ name }) => name === 'sector');
  const members = info.members.toSpliced(at, 0, { name: 'delay-ns', type: 'int', default: null });
  return new Map(real).set(key, { ...info, members });
}

describe('rules', () => {
  const cases: { title: string; schema: string; define?: string[]; want: unknown[] }[] = [
    {
      title: 'only what commands and events reach',
      schema: `{ 'struct': 'Unused', 'data': { 'a': 'str' } } { 'event': 'E' }`,
      want: [
        { name: 'E', 'meta-type': 'event', 'arg-type': '0' },
        { name: '0', 'meta-type': 'object', members: [] },
      ],
    },
    {
      title: 'integers of any width are int, also in arrays',
      schema: `{ 'command': 'c', 'data': { 'a': 'uint8', '*b': ['size'] } }`,
      want: [
        { name: 'c', 'meta-type': 'command', 'arg-type': '0', 'ret-type': '1' },
        {
          name: '0',
          'meta-type': 'object',
          members: [
            { name: 'a', type: 'int' },
            { name: 'b', type: '[int]', default: null },
          ],
        },
        { name: '1', 'meta-type': 'object', members: [] },
        { name: 'int', 'meta-type': 'builtin', 'json-type': 'int' },
        { name: '[int]', 'meta-type': 'array', 'element-type': 'int' },
      ],
    },
    {
      title: 'values without a branch are variants, features and conditions count',
      schema: `
        { 'enum': 'Kind', 'data': [ 'a', { 'name': 'b', 'features': [ 'deprecated' ] }, { 'name': 'c', 'if': 'CONFIG_C' } ] }
        { 'struct': 'A', 'data': { 'x': { 'type': 'int', 'if': 'CONFIG_X' } } }
        { 'union': 'U', 'base': { 'kind': 'Kind' }, 'discriminator': 'kind', 'data': { 'a': 'A' } }
        { 'command': 'c', 'data': 'U', 'boxed': true, 'allow-oob': true,
          'features': [ 'f', { 'name': 'g', 'if': { 'not': 'CONFIG_X' } } ] }`,
      define: ['CONFIG_C'],
      want: [
        {
          name: 'c',
          'meta-type': 'command',
          'arg-type': '0',
          'ret-type': '1',
          'allow-oob': true,
          features: ['f', 'g'],
        },
        {
          name: '0',
          'meta-type': 'object',
          members: [{ name: 'kind', type: '2' }],
          tag: 'kind',
          variants: [
            { case: 'a', type: '3' },
            { case: 'b', type: '1' },
            { case: 'c', type: '1' },
          ],
        },
        { name: '1', 'meta-type': 'object', members: [] },
        {
          name: '2',
          'meta-type': 'enum',
          members: [{ name: 'a' }, { name: 'b', features: ['deprecated'] }, { name: 'c' }],
          values: ['a', 'b', 'c'],
        },
        { name: '3', 'meta-type': 'object', members: [] },
        { name: 'int', 'meta-type': 'builtin', 'json-type': 'int' },
      ],
    },
    {
      title: 'members of bases come first, alternates list types',
      schema: `
        { 'struct': 'B', 'data': { 'b': 'bool' } }
        { 'struct': 'D', 'base': 'B', 'data': { 'd': 'Alt' } }
        { 'alternate': 'Alt', 'data': { 's': 'str', 'n': 'null' } }
        { 'event': 'E', 'data': 'D' }`,
      want: [
        { name: 'E', 'meta-type': 'event', 'arg-type': '0' },
        {
          name: '0',
          'meta-type': 'object',
          members: [
            { name: 'b', type: 'bool' },
            { name: 'd', type: '1' },
          ],
        },
        { name: 'bool', 'meta-type': 'builtin', 'json-type': 'boolean' },
        { name: '1', 'meta-type': 'alternate', members: [{ type: 'str' }, { type: 'null' }] },
        { name: 'str', 'meta-type': 'builtin', 'json-type': 'string' },
        { name: 'null', 'meta-type': 'builtin', 'json-type': 'null' },
      ],
    },
  ];
  it('removes the branches of simple unions with the types in them', () => {
    const text = `{ 'struct': 'A', 'data': { 'x': 'int' }, 'if': 'defined(X)' }
      { 'union': 'U', 'data': { 'a': { 'type': 'A', 'if': 'defined(X)' }, 'b': 'str' } } { 'command': 'c', 'returns': 'U' }`;
    const infos = introspect(schemaOf(text, '5.2'), () => false);
    const objects = infos.filter((info) => info['meta-type'] === 'object');
    // The union, the wrapper of the string, and the absent arguments.
    expect(objects).toHaveLength(3);
  });

  it.each(cases)('$title', ({ schema, define = [], want }) => {
    expect(introspect(schemaOf(schema), conditionTest(define))).toEqual(want);
  });
});
