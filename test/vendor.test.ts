import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

import { embeddedVersions, servers } from '../generator/src/embedded.js';
import { dialectOf } from '../generator/src/frontend/dialect.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import { vendor } from '../generator/src/vendor.js';
import { facts } from './support/facts.js';
import { qemuTree } from './support/qemu.js';

const schemaFolder = fileURLToPath(new URL('../schema/', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'qapi-ts-vendor-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function filesOf(path: string): Map<string, string> {
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
  return new Map(names.toSorted().map((name) => [name, readFileSync(join(path, name), 'utf8')]));
}

describe.each(embeddedVersions())('schema/%s', (version) => {
  const tree = qemuTree(version, `schema/${version} against the QEMU it came from`);

  test.skipIf(!tree)('is what vendor makes of the release', async () => {
    await vendor(tree ?? '', version, folder);
    expect(filesOf(join(schemaFolder, version))).toEqual(filesOf(join(folder, version)));
  });

  for (const { root, title } of servers) {
    test.skipIf(!tree)(`says of ${title} what the original says, prose aside`, () => {
      const original = facts(loadSchema(join(tree ?? '', root)));
      expect(facts(loadSchema(join(schemaFolder, version, root)))).toEqual(original);
    });

    it(`passes lint for ${title} in its own dialect`, () => {
      expect(() => loadSchema(join(schemaFolder, version, root), { dialect: dialectOf(version) })).not.toThrow();
    });
  }

  it('holds no sentence', () => {
    for (const [name, text] of filesOf(join(schemaFolder, version))) {
      const lines = text.split('\n').filter((line) => line.startsWith('#'));
      const fact = /^#(?:#| @[\w.-]+:| @[\w.-]+: \.\.\.(?: {2}\(since [\d.]+\))?| Features:| Since: [\d.]+| \.\.\.|)$/u;
      expect(
        lines.filter((line) => !fact.test(line)),
        name,
      ).toEqual([]);
    }
  });
});

/** A QEMU in small: three servers, one module that all share. */
const small = {
  'qapi/qapi-schema.json': `{ 'pragma': { 'doc-required': true, 'documentation-exceptions': [ 'Shared', 'a_b' ],
    'command-name-exceptions': [ 'a_b' ] } }
##
# = A title
##
{ 'include': 'common.json' }
##
# @a_b:
#
# Some words.
#
# Since: 1.2
##
{ 'command': 'a_b', 'data': { 's': 'Shared' } }
`,
  'qapi/common.json': `##
# @Shared:
#
# @old: what was there always
#
# @new: what came (since 2.10)
#
# Features:
#
# @deprecated: use something else
#
# Since: 1.0
##
{ 'struct': 'Shared', 'data': { 'old': 'int', '*new': { 'type': ['str'], 'features': [ 'deprecated' ] } }, 'if': { 'all': [ 'CONFIG_A', { 'not': 'CONFIG_B' } ] } }
##
# @Undated:
#
# @x: a thing
##
{ 'enum': 'Undated', 'data': [ 'x' ] }
`,
  'qga/qapi-schema.json': `{ 'command': 'guest-x', 'gen': false }\n`,
  'storage-daemon/qapi/qapi-schema.json': `{ 'include': '../../qapi/common.json' }\n`,
};

function writeTree(path: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

describe('vendor', () => {
  const want = {
    'qapi/common.json': `##
# @Shared:
#
# @new: ...  (since 2.10)
#
# Features:
#
# @deprecated: ...
#
# Since: 1.0
##
{
  'struct': 'Shared',
  'data': {
    'old': 'int',
    '*new': { 'type': [ 'str' ], 'features': [ 'deprecated' ] }
  },
  'if': { 'all': [ 'CONFIG_A', { 'not': 'CONFIG_B' } ] }
}

{ 'enum': 'Undated', 'data': [ 'x' ] }
`,
    'qapi/qapi-schema.json': `{ 'pragma': { 'command-name-exceptions': [ 'a_b' ] } }

{ 'include': 'common.json' }

##
# @a_b:
#
# Since: 1.2
##
{ 'command': 'a_b', 'data': { 's': 'Shared' } }

{ 'pragma': {
    'documentation-exceptions': [
        'Shared',
        'a_b' ] } }
`,
    'qga/qapi-schema.json': `{ 'command': 'guest-x', 'gen': false }
`,
    'storage-daemon/qapi/qapi-schema.json': `{ 'include': '../../qapi/common.json' }

{ 'pragma': {
    'documentation-exceptions': [
        'Shared' ] } }
`,
  };

  it('keeps facts', async () => {
    const tree = writeTree(join(folder, 'qemu-9.0.0'), small);
    await vendor(tree, '9.0.0', folder);
    expect(Object.fromEntries(filesOf(join(folder, '9.0.0')))).toEqual(want);
  });

  it('takes a tarball', async () => {
    const tree = writeTree(join(folder, 'qemu-9.1.0'), small);
    const tarball = join(folder, 'qemu-9.1.0.tar.gz');
    execFileSync('tar', ['-czf', tarball, '-C', dirname(tree), 'qemu-9.1.0']);
    await vendor(tarball, '9.1.0', folder);
    expect(Object.fromEntries(filesOf(join(folder, '9.1.0')))).toEqual(want);
  });

  it('replaces what was there', async () => {
    const tree = writeTree(join(folder, 'qemu-9.2.0'), small);
    writeTree(join(folder, '9.2.0'), { 'qapi/gone.json': '' });
    await vendor(tree, '9.2.0', folder);
    expect([...filesOf(join(folder, '9.2.0')).keys()]).toEqual(Object.keys(want));
  });

  const refused: { title: string; files: Record<string, string>; version: string; want: RegExp }[] = [
    {
      title: 'a folder without schemas',
      files: { README: '' },
      version: '9.0.0',
      want: /no QEMU source tree: it has no qapi\/qapi-schema\.json/u,
    },
    {
      title: 'a schema with an error',
      files: { ...small, 'qga/qapi-schema.json': '{' },
      version: '9.0.0',
      want: /qga\/qapi-schema\.json:1:2: error/u,
    },
    { title: 'half a version', files: small, version: '9.0', want: /full version, such as 10\.2\.2, not '9\.0'/u },
    {
      title: 'a version that is none',
      files: small,
      version: 'new',
      want: /full version, such as 10\.2\.2, not 'new'/u,
    },
    {
      title: 'a schema that goes on elsewhere',
      files: { ...small, 'qga/qapi-schema.json': "{ 'include': '../../elsewhere.json' }", '../elsewhere.json': '' },
      version: '9.0.0',
      want: /qga\/qapi-schema\.json includes .*elsewhere\.json/u,
    },
  ];
  it.each(refused)('refuses $title, and leaves what was there', async ({ title, files, version, want: message }) => {
    const target = join(folder, title);
    writeTree(target, { [`${version}/kept`]: 'kept' });
    const tree = writeTree(join(folder, `source of ${title}`), files);
    await expect(vendor(tree, version, target)).rejects.toThrow(message);
    expect(readdirSync(join(target, version))).toEqual(['kept']);
    expect(readdirSync(target)).toEqual([version]);
  });
});
