import { describe, expect, it } from 'vitest';

import { manualAddress, servers } from '../generator/src/embedded.js';
import type { Definition } from '../generator/src/model.js';
import { schemaOf } from './support/schema.js';

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
