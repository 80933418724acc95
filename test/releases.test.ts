/** The output for the schemas of QEMU's releases, with documentation, compiles. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { embeddedRoot, embeddedVersions, servers } from '../generator/src/embedded.js';
import { emitPackage } from '../generator/src/emit/package.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import type { Definition, Schema } from '../generator/src/model.js';
import { compile, repository } from './support/compile.js';
import { expectFormatted } from './support/layout.js';
import { qemuSchemas } from './support/qemu.js';

const roots = [...servers.map(({ root }) => root), 'docs/interop/vhost-user.json', 'docs/interop/firmware.json'];

let folder: string;
beforeAll(() => {
  // In the repository, so that the output finds the runtime.
  mkdirSync(join(repository, '.cache'), { recursive: true });
  folder = mkdtempSync(join(repository, '.cache/releases-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(embeddedVersions())('QEMU %s', (version) => {
  const tree = qemuSchemas(version, `generating from QEMU ${version} as released`);

  test.skipIf(!tree)(
    'generates from every schema; the output is formatted, and compiles',
    { timeout: 120_000 },
    async () => {
      // Before 10.0, firmware.json includes a file that is not next to it.
      const present = roots.filter((root) => !root.endsWith('firmware.json') || version.startsWith('10.'));
      for (const [index, root] of present.entries()) {
        const schema = loadSchema(join(tree ?? '', root));
        const files = emitPackage(schema, { origin: `QEMU ${version}`, generator: '0.0.0', docs: true });
        const out = join(folder, version, String(index));
        mkdirSync(out, { recursive: true });
        for (const [file, text] of files) writeFileSync(join(out, file), text);
        await expectFormatted(files);
      }
      expect(await compile({ compiler: '7.0', include: [join(folder, version, '**/*.ts')] })).toBe('');
    },
  );
});

describe('the contents of 10.2.2', () => {
  const count = (schema: Schema, kind: Definition['kind']): number =>
    [...schema.definitions.values()].filter((definition) => definition.kind === kind).length;

  test.each([
    { name: 'qmp', commands: 244, events: 57 },
    { name: 'qga', commands: 44, events: 0 },
    { name: 'qsd', commands: 77, events: 13 },
  ])('$name: $commands commands, $events events, a stub for each', async ({ name, commands, events }) => {
    const server = servers.find((one) => one.name === name);
    if (!server) throw new Error(`no server ${name}`);
    const schema = loadSchema(embeddedRoot('10.2.2', server));
    expect([count(schema, 'command'), count(schema, 'event')]).toEqual([commands, events]);
    const files = emitPackage(schema, { origin: 'QEMU', generator: '0.0.0', docs: false });
    const client = files.get('client.ts') ?? '';
    const called = [...client.matchAll(/return this\.execute\('([^']+)', args, options\);/gu)].map(
      ([, command]) => command,
    );
    const defined = [...schema.definitions.values()]
      .filter(({ kind }) => kind === 'command')
      .map((command) => command.name);
    expect(called).toEqual(defined);
  });
});
