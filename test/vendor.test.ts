import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import JSON5 from 'json5';
import { afterAll, beforeAll, describe, expect, it, test, vi } from 'vitest';

import { embeddedVersions, servers } from '../generator/src/embedded.js';
import { dialectOf } from '../generator/src/frontend/dialect.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import { vendor } from '../generator/src/vendor.js';
import { facts } from './support/facts.js';
import { hasPython, qemuShapes } from './support/qemu-compiler.js';
import { qemuTree } from './support/qemu.js';
import { tarOf, type TarEntry } from './support/tar.js';

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

  test.skipIf(!tree)('matches the output of vendor for the release', async () => {
    await vendor(tree ?? '', version, folder);
    expect(filesOf(join(schemaFolder, version))).toEqual(filesOf(join(folder, version)));
  });

  for (const { root, title } of servers) {
    test.skipIf(!tree)(`equals the original for ${title}, except for prose`, () => {
      const original = facts(loadSchema(join(tree ?? '', root)));
      expect(facts(loadSchema(join(schemaFolder, version, root)))).toEqual(original);
    });

    it(`passes lint for ${title} in its own dialect`, () => {
      expect(() => loadSchema(join(schemaFolder, version, root), { dialect: dialectOf(version) })).not.toThrow();
    });
  }

  const what = `schema/${version} with QEMU's own compiler`;
  test.skipIf(!tree || !hasPython(what))("is accepted by that QEMU's own compiler, and means the same to it", () => {
    for (const { root, title } of servers) {
      const path = join(schemaFolder, version, root);
      // The embedded file may have additional pragmas, but has the same definitions.
      expect(qemuShapes(tree ?? '', path), title).toEqual(qemuShapes(tree ?? '', join(tree ?? '', root)));
    }
  });

  it('contains no prose', () => {
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

/** A small QEMU: three servers that share one module. */
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

  it('keeps the facts', async () => {
    const tree = writeTree(join(folder, 'qemu-9.0.0'), small);
    await vendor(tree, '9.0.0', folder);
    expect(Object.fromEntries(filesOf(join(folder, '9.0.0')))).toEqual(want);
  });

  it('parses each file once, even if several servers include it', async () => {
    const tree = writeTree(join(folder, 'qemu-9.3.0'), small);
    const parse = vi.spyOn(JSON5, 'parse');
    try {
      await vendor(tree, '9.3.0', folder);
      // The only enum.
      expect(parse.mock.calls.filter(([text]) => text.includes("'Undated'"))).toHaveLength(1);
    } finally {
      parse.mockRestore();
    }
  });

  it('supports a tarball', async () => {
    const tree = writeTree(join(folder, 'qemu-9.1.0'), small);
    const tarball = join(folder, 'qemu-9.1.0.tar.gz');
    execFileSync('tar', ['-czf', tarball, '-C', dirname(tree), 'qemu-9.1.0']);
    await vendor(tarball, '9.1.0', folder);
    expect(Object.fromEntries(filesOf(join(folder, '9.1.0')))).toEqual(want);
  });

  it('replaces an earlier version', async () => {
    const tree = writeTree(join(folder, 'qemu-9.2.0'), small);
    writeTree(join(folder, '9.2.0'), { 'qapi/gone.json': '' });
    await vendor(tree, '9.2.0', folder);
    expect([...filesOf(join(folder, '9.2.0')).keys()]).toEqual(Object.keys(want));
  });

  const refused: { title: string; files: Record<string, string>; version: string; want: RegExp }[] = [
    {
      title: 'a directory without schemas',
      files: { README: '' },
      version: '9.0.0',
      want: /not a QEMU source tree: it has no qapi\/qapi-schema\.json/u,
    },
    {
      title: 'a schema with an error',
      files: { ...small, 'qga/qapi-schema.json': '{' },
      version: '9.0.0',
      want: /qga\/qapi-schema\.json:1:2: error/u,
    },
    { title: 'half a version', files: small, version: '9.0', want: /full version such as 10\.2\.2, not '9\.0'/u },
    {
      title: 'an invalid version',
      files: small,
      version: 'new',
      want: /full version such as 10\.2\.2, not 'new'/u,
    },
    {
      title: 'a schema that includes a file outside the tree',
      files: { ...small, 'qga/qapi-schema.json': "{ 'include': '../../elsewhere.json' }", '../elsewhere.json': '' },
      version: '9.0.0',
      want: /qga\/qapi-schema\.json:1:14: error: cannot read include file '.*elsewhere\.json': it is outside '.*', the tree/u,
    },
  ];
  it.each(refused)('rejects $title, and changes nothing', async ({ title, files, version, want: message }) => {
    const target = join(folder, title);
    writeTree(target, { [`${version}/kept`]: 'kept' });
    const tree = writeTree(join(folder, `source of ${title}`), files);
    await expect(vendor(tree, version, target)).rejects.toThrow(message);
    expect(readdirSync(join(target, version))).toEqual(['kept']);
    expect(readdirSync(target)).toEqual([version]);
  });

  const secret = "{ 'enum': 'Secret', 'data': [ 'hunter2' ] }";
  const links: { title: string; path: string; to: string }[] = [
    { title: 'a module', path: 'qapi/common.json', to: 'secret/common.json' },
    { title: 'a root', path: 'qga/qapi-schema.json', to: 'secret/qapi-schema.json' },
    { title: 'a directory', path: 'qga', to: 'secret' },
  ];
  it.each(links)('does not follow a symbolic link in place of $title', async ({ title, path, to }) => {
    const place = mkdtempSync(join(folder, 'links-'));
    writeTree(place, { 'secret/common.json': secret, 'secret/qapi-schema.json': secret });
    const tree = writeTree(join(place, 'tree'), small);
    rmSync(join(tree, path), { recursive: true });
    symlinkSync(join(place, to), join(tree, path));
    await expect(vendor(tree, '9.3.0', place), title).rejects.toThrow(/symbolic link to outside '.*tree'/u);
    expect(readdirSync(place).toSorted()).toEqual(['secret', 'tree']);
  });

  it('follows symbolic links in the tree, and a link to the tree', async () => {
    const place = mkdtempSync(join(folder, 'links-'));
    const tree = writeTree(join(place, 'tree'), { ...small, 'qapi/real.json': small['qapi/common.json'] });
    rmSync(join(tree, 'qapi/common.json'));
    symlinkSync('real.json', join(tree, 'qapi/common.json'));
    symlinkSync('tree', join(place, 'link'));
    await vendor(join(place, 'link'), '9.3.0', place);
    expect(Object.fromEntries(filesOf(join(place, '9.3.0')))).toEqual(want);
  });

  const release: TarEntry[] = Object.entries(small).map(([path, content]) => ({ path: `q/${path}`, content }));
  const inPlaceOf = (path: string, entry: TarEntry): TarEntry[] => [
    ...release.filter((other) => other.path !== path),
    entry,
  ];
  const module = 'q/qapi/common.json';
  const severalReleases = /it contains several releases: '.*' and '.*'/u;
  const hostile: { title: string; entries: TarEntry[]; name?: string; want?: RegExp }[] = [
    {
      title: 'an option that runs a program',
      entries: [...release, { path: '--to-command=id>PWNED;#/qapi/x.json' }],
      want: severalReleases,
    },
    {
      title: 'an option that runs a program, first',
      entries: [{ path: '--to-command=id>PWNED #/qapi/x.json' }, ...release],
      want: severalReleases,
    },
    {
      title: 'an option that changes the directory',
      entries: [...release, { path: '--directory=../qapi/x.json' }],
      want: severalReleases,
    },
    {
      title: 'a checkpoint',
      entries: [...release, { path: '--checkpoint-action=exec=id>PWNED/qapi/x.json' }],
      want: severalReleases,
    },
    {
      title: 'names that are options',
      entries: release.map((entry) => ({ ...entry, path: entry.path.replace(/^q/u, '--to-command=id>PWNED #') })),
    },
    { title: 'the name of a remote host', entries: release, name: 'localhost:q.tar' },
    { title: 'a name like an option', entries: release, name: '--to-command=id>PWNED.tar' },
    {
      title: 'a symbolic link',
      entries: inPlaceOf(module, { path: module, type: '2', link: '/etc/passwd' }),
      want: /'q\/qapi\/common\.json': it is a symbolic link/u,
    },
    {
      title: 'a hard link',
      entries: inPlaceOf(module, { path: module, type: '1', link: '/etc/passwd' }),
      want: /'q\/qapi\/common\.json': it is a hard link/u,
    },
    {
      title: 'a linked directory',
      entries: [{ path: 'q/qapi', type: '2', link: '/etc' }, ...inPlaceOf(module, { path: 'q/qapi/x.json' })],
      want: /cannot read include file 'q\/qapi\/common\.json': no such file/u,
    },
    {
      title: 'an include from outside',
      entries: inPlaceOf(module, { path: module, content: `{ 'include': '../../../../../../etc/passwd' }` }),
      want: /cannot read include file '.*etc\/passwd': no such file/u,
    },
    {
      title: 'an absolute include',
      entries: inPlaceOf(module, { path: module, content: `{ 'include': '/etc/passwd' }` }),
      want: /cannot read include file '\/etc\/passwd': no such file/u,
    },
    {
      title: 'a schema of 5 MB',
      entries: inPlaceOf(module, { path: module, content: '\n'.repeat(5e6) }),
      want: /'q\/qapi\/common\.json': it is larger than 4194304 bytes/u,
    },
    { title: 'two releases', entries: [...release, { path: 'r/qapi/x.json' }], want: /several releases: 'q' and 'r'/u },
    {
      title: 'files that are not a release',
      entries: [{ path: 'q/README' }],
      want: /is not a QEMU release: it has no qapi\/\*\.json/u,
    },
    { title: 'damage', entries: [...release, { path: 'q/x', checksum: 1 }], want: /it is damaged/u },
  ];
  it.each(hostile)(
    'reads a tarball with $title, and leaves nothing else',
    async ({ entries, name = 'q.tar', want: message }) => {
      const place = mkdtempSync(join(folder, 'hostile-'));
      mkdirSync(join(place, 'cwd'));
      mkdirSync(join(place, 'tmp'));
      writeFileSync(join(place, 'cwd', name), tarOf(entries));
      const [cwd, temporary] = [process.cwd(), process.env['TMPDIR']];
      process.chdir(join(place, 'cwd'));
      process.env['TMPDIR'] = join(place, 'tmp');
      try {
        const done = (async () => vendor(name, '9.3.0', join(place, 'schema')))();
        if (message) await expect(done).rejects.toThrow(message);
        else await done;
      } finally {
        process.chdir(cwd);
        if (temporary === undefined) delete process.env['TMPDIR'];
        else process.env['TMPDIR'] = temporary;
      }
      expect(readdirSync(join(place, 'cwd'))).toEqual([name]);
      expect(readdirSync(join(place, 'tmp'))).toEqual([]);
      if (!message) expect(Object.fromEntries(filesOf(join(place, 'schema/9.3.0')))).toEqual(want);
    },
  );
});
