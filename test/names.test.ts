import { describe, expect, it } from 'vitest';

import { Names } from '../generator/src/emit/names.js';
import { schemaOf } from './support/schema.js';

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
    if (command?.kind !== 'command' || command.arguments?.kind !== 'struct') throw new Error('not a command');
    const names = new Names(schema);
    expect([names.method(command), names.type(command.arguments)]).toEqual([method, type]);
  });

  it.each([
    ['BLOCK_IO_ERROR', 'BlockIoErrorEvent'],
    ['STOP', 'StopEvent'],
  ])('event %s', (name, type) => {
    const schema = schemaOf(`{ 'event': '${name}', 'data': { 'a': 'str' } }`);
    const event = schema.definitions.get(name);
    if (event?.kind !== 'event' || event.data?.kind !== 'struct') throw new Error('not an event');
    expect(new Names(schema).type(event.data)).toBe(type);
  });
});
