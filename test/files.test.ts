import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join, relative, resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

import { SchemaError } from '../generator/src/diagnostic.js';
import { embeddedRoot, embeddedVersions, servers } from '../generator/src/embedded.js';
import { FileError } from '../generator/src/errors.js';
import { loadSchema, parseSchema } from '../generator/src/frontend/load.js';
import { maxInputSize, type Read } from '../generator/src/sources/files.js';
import { bin, runNode, runShell, temporaryFolder, writeIn, type Ended } from './support/command.js';
import { qemuSchemas } from './support/qemu.js';

let folder: string;
let socket: Server;
beforeAll(async () => {
  folder = temporaryFolder('files');
  write('secret', 'hunter2\n');
  write('outside.json', 'hunter2\n');
  write('outside/inside.json', 'hunter2\n');
  write('tree/good.json', "{ 'include': 'sub/a.json' }");
  write('tree/sub/a.json', "{ 'include': '../b.json' }");
  write('tree/b.json', "{ 'command': 'c' }");
  symlinkSync('b.json', join(folder, 'tree/link.json'));
  symlinkSync('../outside.json', join(folder, 'tree/out.json'));
  symlinkSync('../outside', join(folder, 'tree/out'));
  symlinkSync('loop', join(folder, 'tree/loop'));
  symlinkSync('tree', join(folder, 'link'));
  symlinkSync('good.json', join(folder, 'tree/root.json'));
  spawnSync('mkfifo', [join(folder, 'tree/fifo')]);
  write('tree/huge', '');
  truncateSync(join(folder, 'tree/huge'), 600e6);
  write('tree/half.json', `{ 'include': 'other-half.json' }${'\n'.repeat(maxInputSize / 2)}`);
  write('tree/other-half.json', '\n'.repeat(maxInputSize / 2));
  socket = createServer();
  await once(socket.listen(join(folder, 'tree/socket')), 'listening');
});
afterAll(() => {
  socket.close();
  rmSync(folder, { recursive: true });
});

function write(path: string, text: string): void {
  writeIn(folder, path, text);
}

/** Runs the command in a heap of 512 MB. */
function run(args: readonly string[]): Ended {
  return runNode(['--max-old-space-size=512', bin, ...args], { cwd: join(folder, 'tree') });
}

describe('a file that the user names', () => {
  const reasons: [file: string, reason: string][] = [
    ['fifo', 'it is a FIFO, but only regular files can be read'],
    ['socket', 'it is a socket, but only regular files can be read'],
    ['/dev/zero', 'it is a device, but only regular files can be read'],
    ['.', 'it is a directory'],
    ['huge', 'it is larger than 4 MiB'],
    ['missing', 'no such file'],
  ];
  const commands: [name: string, args: (file: string) => string[]][] = [
    ['lint', (file) => ['lint', file]],
    ['introspect', (file) => ['introspect', file]],
    ['generate', (file) => ['generate', '--schema', file]],
    ['diff', (file) => ['diff', file, '10.0']],
    ['drift --introspection', (file) => ['drift', '--introspection', file]],
  ];
  const cases = commands.flatMap(([name, args]) => ['fifo', 'huge'].map((file) => ({ name, file, args: args(file) })));
  it.each(cases)('$name exits with 3: $file', ({ args, file }) => {
    const stderr = `error: cannot read '${file}': ${new Map(reasons).get(file)}\n`;
    expect(run(args)).toEqual({ status: 3, stdout: '', stderr });
  });

  it.each(reasons)('must be regular and not too large: %s', (file, reason) => {
    const path = resolve(folder, 'tree', file);
    expect(() => loadSchema(path)).toThrow(new FileError(`cannot read '${path}': ${reason}`));
  });

  it('may be a tsconfig.json', () => {
    const { status, stderr } = run(['diff', '10.0', '10.0', '--used-by', 'fifo']);
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: expect.stringMatching(/cannot read '.*fifo': it is a FIFO/u),
    });
  });

  it('may be an inherited pipe, if it is not endless', () => {
    const sh = (script: string): Ended => runShell(script, { cwd: join(folder, 'tree') });
    const drift = `"$0" "$1" diff <("$0" "$1" introspect b.json) b.json`;
    expect(sh(drift)).toMatchObject({ status: 0, stdout: expect.stringMatching(/no changes/u) });
    for (const endless of [`yes | "$0" "$1" lint /dev/stdin`, `"$0" "$1" lint <(yes)`]) {
      expect(sh(endless)).toMatchObject({ status: 3, stderr: expect.stringMatching(/: it is larger than 4 MiB\n$/u) });
    }
    expect(sh(`"$0" "$1" lint /dev/stdin < /dev/zero`)).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/: it is a device, but only regular files can be read\n$/u),
    });
  });

  const large: [what: string, args: string[], text: () => string, status: number][] = [
    ['a schema', ['lint', 'large'], () => `{ 'enum': 'Large', 'data': [ ${repeat((i) => `'a${i}', `)}'z' ] }`, 0],
    ['nested JSON', ['diff', 'large', 'b.json'], () => repeat(() => '['), 3],
    ['JSON of empty objects', ['diff', 'large', 'b.json'], () => `[${repeat(() => '{},')}{}]`, 3],
  ];
  it.each(large)('may have 4 MiB: %s', (_, args, text, status) => {
    write('tree/large', text());
    const result = run(args);
    expect({ status: result.status, stack: /^ +at /mu.test(result.stderr) }).toEqual({ status, stack: false });
  });
});

/** Repeats text up to almost the size limit. */
function repeat(text: (i: number) => string): string {
  const texts: string[] = [];
  for (let i = 0, length = 0; ; i++) {
    const next = text(i);
    length += next.length;
    if (length > maxInputSize - 100) return texts.join('');
    texts.push(next);
  }
}

describe('an include', () => {
  const refused: [include: string, reason: RegExp][] = [
    ['/dev/zero', /it is outside '.*tree', the tree of this schema/u],
    ['/etc/passwd', /it is outside '.*tree'/u],
    ['../secret', /it is outside '.*tree'/u],
    ['sub/../../secret', /it is outside '.*tree'/u],
    ['../tree', /it is outside '.*tree'/u],
    ['../tree-2/a.json', /it is outside '.*tree'/u],
    ['out.json', /it is a symbolic link to outside '.*tree'/u],
    ['out/inside.json', /it is a symbolic link to outside '.*tree'/u],
    ['loop', /symbolic links form a loop/u],
    ['fifo', /it is a FIFO, but only regular files can be read/u],
    ['socket', /it is a socket, but only regular files can be read/u],
    ['sub', /it is a directory/u],
    ['huge', /it is larger than 4 MiB/u],
    ['half.json', /the schema is larger than 4 MiB/u],
    ['missing.json', /no such file/u],
  ];
  it.each(refused)('of %s is a diagnostic', (include, reason) => {
    write('tree/include.json', `{ 'include': '${include}' }`);
    const message = diagnosisOf(join(folder, 'tree/include.json'));
    expect(message).toMatch(/(?:include|half)\.json:1:14: error: cannot read include file '/u);
    expect(message).toMatch(reason);
    expect(message).not.toMatch(/hunter2|root:/u);
  });

  it('that is rejected causes exit code 1, and does not show the file', () => {
    write('tree/include.json', "{ 'include': '../secret' }");
    const { status, stdout, stderr } = run(['lint', 'include.json']);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^include\.json:1:14: error: cannot read include file '\.\.\/secret': it is outside/u);
    expect(stderr).not.toMatch(/hunter2/u);
  });

  const accepted = ['good.json', 'sub/a.json', 'link.json', '../tree/b.json', '../tree/good.json'];
  it.each(accepted)('of %s is read', (include) => {
    write('tree/include.json', `{ 'include': '${include}' }`);
    expect(() => loadSchema(join(folder, 'tree/include.json'))).not.toThrow();
  });

  it('is read if the root or its directory is a symbolic link', () => {
    expect(() => loadSchema(join(folder, 'tree/root.json'))).not.toThrow();
    expect(() => loadSchema(join(folder, 'link/good.json'))).not.toThrow();
    expect(() => loadSchema(relative('', join(folder, 'link/good.json')))).not.toThrow();
  });

  describe('in a QEMU source tree', () => {
    const common = "{ 'include': '../qapi/common.json' }";
    const tree = { 'qapi/qapi-schema.json': '', 'qapi/common.json': '', 'qga/qapi-schema.json': common };
    const farther = "{ 'include': '../../qapi/common.json' }";
    const daemon = 'storage-daemon/qapi/qapi-schema.json';
    const cases: { title: string; files: Record<string, string>; root: string; refused?: RegExp }[] = [
      { title: 'of the guest agent', files: tree, root: 'qga/qapi-schema.json' },
      {
        title: 'of the storage daemon',
        files: { 'qapi/qapi-schema.json': '', 'qapi/common.json': '', [daemon]: farther },
        root: daemon,
      },
      { title: 'of anything else', files: { ...tree, 'docs/x/y.json': farther }, root: 'docs/x/y.json' },
      {
        title: 'out of it',
        files: { ...tree, 'qga/qapi-schema.json': "{ 'include': '../../secret' }" },
        root: 'qga/qapi-schema.json',
        refused: /outside '.*qemu-4'/u,
      },
      {
        title: 'that is not one',
        files: { 'qapi/common.json': '', 'qga/qapi-schema.json': common },
        root: 'qga/qapi-schema.json',
        refused: /outside '.*qga'/u,
      },
      {
        title: 'that has only a storage daemon',
        files: { 'qapi/common.json': '', [daemon]: farther },
        root: daemon,
        refused: /outside '.*qapi'/u,
      },
    ];
    it.each(cases.map((row, i) => ({ ...row, i: i + 1 })))('$title', ({ files, root, refused: reason, i }) => {
      for (const [path, text] of Object.entries(files)) write(`qemu-${i}/${path}`, text);
      const load = (): unknown => loadSchema(join(folder, `qemu-${i}`, root));
      if (reason) expect(load).toThrow(reason);
      else expect(load).not.toThrow();
    });
  });
});

/** Returns the errors of a schema. */
function diagnosisOf(root: string): string {
  try {
    loadSchema(root);
    return 'nothing';
  } catch (error) {
    expect(error).toBeInstanceOf(SchemaError);
    return (error as SchemaError).message;
  }
}

/** Returns the files of a schema, or its error. By default, includes are limited to the root's tree. */
function filesOf(root: string, read?: Read): string[] | string {
  try {
    return parseSchema(root, read && { read }).files.map(({ source }) => source.file);
  } catch (error) {
    return String(error);
  }
}

describe("QEMU's schemas include the same files as without the limit", () => {
  it.each(embeddedVersions())('embedded: %s', (version) => {
    for (const server of servers) {
      const root = embeddedRoot(version, server);
      expect(filesOf(root)).toEqual(filesOf(root, readFileSync));
      expect(filesOf(root)).toBeInstanceOf(Array);
    }
  });

  for (const version of embeddedVersions()) {
    const tree = qemuSchemas(version, 'what its schemas include');
    test.skipIf(!tree)(`original: ${version}`, () => {
      const top = tree ?? '';
      for (const { root } of servers) expect(filesOf(join(top, root))).toBeInstanceOf(Array);
      const paths = readdirSync(top, { recursive: true, encoding: 'utf8' }).filter((path) =>
        /^(?!qapi\/).*\.json$|^qapi\/qapi-schema/u.test(path),
      );
      for (const path of paths) expect(filesOf(join(top, path)), path).toEqual(filesOf(join(top, path), readFileSync));
    });
  }
});
