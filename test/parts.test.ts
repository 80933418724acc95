/** The small parts, each by a table. */

import { describe, expect, it } from 'vitest';

import { conditionTest, formatCondition } from '../generator/src/condition.js';
import { manualAddress, servers } from '../generator/src/embedded.js';
import { Names } from '../generator/src/emit/names.js';
import { UsageError } from '../generator/src/errors.js';
import { parseTextCondition } from '../generator/src/frontend/expressions/text-condition.js';
import { dialectOf, lenient, type Rule } from '../generator/src/frontend/dialect.js';
import type { Condition, Definition } from '../generator/src/model.js';
import { narrow } from '../generator/src/narrow.js';
import { didYouMean } from '../generator/src/suggest.js';
import { schemaOf } from './support/schema.js';

const is = (name: string): Condition => ({ kind: 'defined', name });

describe('conditions of old schemas', () => {
  const cases: [string, Condition, string][] = [
    ['defined(A)', is('A'), 'A'],
    ['defined A', is('A'), 'A'],
    ['!defined(A)', { kind: 'not', operand: is('A') }, '!A'],
    ['defined(A) && defined(B)', { kind: 'all', operands: [is('A'), is('B')] }, 'A && B'],
    ['defined(A) || defined(B) || defined(C)', { kind: 'any', operands: [is('A'), is('B'), is('C')] }, 'A || B || C'],
    [
      'defined(A) && (defined(B) || !defined(C))',
      { kind: 'all', operands: [is('A'), { kind: 'any', operands: [is('B'), { kind: 'not', operand: is('C') }] }] },
      'A && (B || !C)',
    ],
    [
      'defined(A) || defined(B) && defined(C)',
      { kind: 'any', operands: [is('A'), { kind: 'all', operands: [is('B'), is('C')] }] },
      'A || (B && C)',
    ],
    ['!(defined(A))', { kind: 'not', operand: is('A') }, '!A'],
    ['VERSION > 3', is('VERSION > 3'), 'VERSION > 3'],
    ['defined(A', is('defined(A'), 'defined(A'],
    ['defined(A) defined(B)', is('defined(A) defined(B)'), 'defined(A) defined(B)'],
    ['!', is('!'), '!'],
  ];
  it.each(cases)('%s', (text, want, formatted) => {
    expect(parseTextCondition(text)).toEqual(want);
    expect(formatCondition(want)).toBe(formatted);
  });

  const all: Condition = { kind: 'all', operands: [is('A'), { kind: 'not', operand: is('B') }] };
  it.each<[string[], Condition, boolean]>([
    [[], { kind: 'not', operand: is('A') }, true],
    [['A'], all, true],
    [['A', 'B'], all, false],
    [['B'], { kind: 'any', operands: [is('A'), is('B')] }, true],
    [['C'], { kind: 'any', operands: [is('A'), is('B')] }, false],
  ])('-D %j: %j is %s', (defined, condition, want) => {
    expect(conditionTest(defined)(condition)).toBe(want);
  });
});

describe('narrow', () => {
  it('leaves out the branch of a value that is left out', () => {
    const schema = schemaOf(
      `{ 'enum': 'Shape', 'data': [ 'round', { 'name': 'square', 'if': 'CONFIG_SQUARE' } ] }
       { 'struct': 'Round', 'data': { 'radius': 'int' } }
       { 'struct': 'Square', 'data': { 'side': 'int' } }
       { 'union': 'Hole', 'base': { 'shape': 'Shape' }, 'discriminator': 'shape',
         'data': { 'round': 'Round', 'square': 'Square' } }`,
    );
    const hole = narrow(schema, conditionTest(['CONFIG_OTHER'])).definitions.get('Hole');
    expect(hole?.kind === 'union' && hole.branches.map(({ name }) => name)).toEqual(['round']);
  });

  it('takes long chains of types', () => {
    const count = 5_000;
    const links = Array.from({ length: count }, (_, at) => `{ 'struct': 'L${at}x', 'data': { '*n': 'L${at + 1}x' } }`);
    const schema = schemaOf([...links, `{ 'struct': 'L${count}x', 'data': {} }`].join('\n'));
    expect(narrow(schema, () => true).definitions.size).toBe(count + 1);
  });
});

describe('did you mean', () => {
  it.each<[string, string[], string]>([
    ['nmae', ['name', 'type'], " (did you mean 'name'?)"],
    ['Strign', ['String', 'Strings'], " (did you mean 'String'?)"],
    ['str', ['str'], ''],
    ['x', ['y'], ''],
    ['ab', ['abc'], " (did you mean 'abc'?)"],
    ['NODE-NAME', ['node-name'], " (did you mean 'node-name'?)"],
    ['something', ['else', 'entirely'], ''],
    ['a', [], ''],
    ['x'.repeat(10_000), ['y'.repeat(10_000)], ''],
  ])('row %#', (name, candidates, want) => {
    expect(didYouMean(name, candidates)).toBe(want);
  });
});

describe('names of methods and implicit types', () => {
  it.each([
    ['block_resize', 'blockResize', 'BlockResizeArguments'],
    ['x-blockdev-change', 'xBlockdevChange', 'XBlockdevChangeArguments'],
    ['query-acpi-ospm-status', 'queryAcpiOspmStatus', 'QueryAcpiOspmStatusArguments'],
    ['__com.example_do-it', 'comExampleDoIt', 'ComExampleDoItArguments'],
    ['set-2nd', 'set2nd', 'Set2ndArguments'],
    ['then', 'then_', 'ThenArguments'],
  ])('command %s', (name, method, type) => {
    const schema = schemaOf(`{ 'command': '${name}', 'data': { 'a': 'str' } }`);
    const command = schema.definitions.get(name);
    if (command?.kind !== 'command' || command.arguments?.kind !== 'struct') throw new Error('no command');
    const names = new Names(schema);
    expect([names.method(command), names.type(command.arguments)]).toEqual([method, type]);
  });

  it.each([
    ['BLOCK_IO_ERROR', 'BlockIoErrorEvent'],
    ['STOP', 'StopEvent'],
  ])('event %s', (name, type) => {
    const schema = schemaOf(`{ 'event': '${name}', 'data': { 'a': 'str' } }`);
    const event = schema.definitions.get(name);
    if (event?.kind !== 'event' || event.data?.kind !== 'struct') throw new Error('no event');
    expect(new Names(schema).type(event.data)).toBe(type);
  });
});

describe('dialects', () => {
  it.each<[Rule, string[], string[]]>([
    ['kind-suffix', ['5.2', '6.1'], ['6.2', '10.2.2']],
    ['doc-line-length', ['10.2', '10.2.2', '11.0'], ['5.2', '10.1']],
  ])('%s', (rule, yes, no) => {
    for (const version of yes) expect(dialectOf(version).enforces(rule), version).toBe(true);
    for (const version of no) expect(dialectOf(version).enforces(rule), version).toBe(false);
    expect(lenient.enforces(rule)).toBe(false);
  });

  it.each(['', '5.1', '5', 'latest', '10.2-rc1', '1e3.0'])("refuses '%s'", (version) => {
    expect(() => dialectOf(version)).toThrow(UsageError);
  });
});

describe("addresses in QEMU's manual", () => {
  const schema = schemaOf({
    'block-core.json': `{ 'struct': 'Foo', 'data': {} } { 'command': 'add_fd' } { 'event': 'STOP' } { 'enum': 'Bar', 'data': [] }`,
  });
  const base = 'https://www.qemu.org/docs/master/interop/';
  it.each([
    ['qmp', 'Foo', `${base}qemu-qmp-ref.html#object-QMP-block-core.Foo`],
    ['qga', 'add_fd', `${base}qemu-ga-ref.html#command-QGA-block-core.add_fd`],
    ['qsd', 'STOP', `${base}qemu-storage-daemon-qmp-ref.html#event-QSD-block-core.STOP`],
    ['qmp', 'Bar', `${base}qemu-qmp-ref.html#enum-QMP-block-core.Bar`],
  ])('%s: %s', (name, definition, want) => {
    const server = servers.find((one) => one.name === name);
    const found: Definition | undefined = schema.definitions.get(definition);
    expect(server && found && manualAddress(server, found)).toBe(want);
  });
});
