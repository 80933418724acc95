/** What the command line writes, and how it ends when that goes wrong: files in the way, full disks, readers that leave, faults. */

import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, win32 } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { loadSchema } from '../generator/src/frontend/load.js';
import { isWithin, relativePath } from '../generator/src/paths.js';

const repository = fileURLToPath(new URL('..', import.meta.url));
const bin = join(repository, 'generator/bin/qapi-ts.js');
const fault = join(repository, 'test/support/fault.mjs');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'qapi-ts-output-'));
  writeFileSync(
    join(folder, 'good.json'),
    `{ 'command': 'c', 'data': { 'a': 'Aa' } }\n{ 'struct': 'Aa', 'data': {} }\n`,
  );
  writeFileSync(join(folder, 'bad.json'), `{ 'command': 'c', 'data': 'Bb' }\n`);
  mkdirSync(join(folder, 'changed'));
  writeFileSync(
    join(folder, 'changed/good.json'),
    `{ 'include': 'more.json' }\n{ 'command': 'c', 'data': { 'a': 'str' } }\n`,
  );
  writeFileSync(join(folder, 'changed/more.json'), `{ 'struct': 'Cc', 'data': {} }\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that hangs is ended, which makes its status null. */
function run(args: readonly string[], { cwd = folder, env = {}, program = [bin], timeout = 25_000 } = {}): Ended {
  const options = { cwd, env: { ...process.env, ...env }, encoding: 'utf8', timeout } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [...program, ...args], options);
  return { status, stdout, stderr };
}

function shell(script: string, ...args: string[]): Ended {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, bin, ...args], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 25_000,
  });
  return { status, stdout, stderr };
}

function filesIn(root: string): Record<string, string> {
  return Object.fromEntries(readdirSync(root).map((name) => [name, readFileSync(join(root, name), 'utf8')]));
}

describe('--out', () => {
  const cases: { title: string; out: string; make?: (path: string) => void; status: number; stderr: RegExp }[] = [
    {
      title: 'an empty one',
      out: '',
      status: 2,
      stderr: /^error: --out takes the path of a folder, not an empty one$/mu,
    },
    {
      title: 'a file',
      out: 'package.json',
      make: (path) => writeFileSync(path, '{}'),
      status: 3,
      stderr:
        /^error: 'package\.json' is a file, not a folder: delete it, or let the output go elsewhere with --out$/mu,
    },
    {
      title: 'a path through a file',
      out: 'good.json/out',
      status: 3,
      stderr: /^error: 'good\.json' is a file, not a folder: delete it, or let the output go elsewhere with --out$/mu,
    },
    {
      title: 'a link that leads nowhere',
      out: 'dangling',
      make: (path) => symlinkSync('nowhere', path),
      status: 3,
      stderr: /^error: 'dangling' is a symbolic link, not a folder/mu,
    },
    { title: 'a device', out: '/dev/null', status: 3, stderr: /^error: '\/dev\/null' is a device, not a folder/mu },
    {
      title: 'a folder that takes no files',
      out: '/sys/qapi-ts-output',
      status: 3,
      stderr:
        /^error: cannot create the directory '\/sys\/qapi-ts-output': (?:not permitted|permission denied|the file system is read-only)$/mu,
    },
  ];
  // Elsewhere it is a place like any other.
  if (process.platform === 'linux') {
    cases.push({
      title: 'a place that has no folders',
      out: '/proc/qapi-ts-output',
      status: 3,
      stderr: /^error: cannot create the directory '\/proc\/qapi-ts-output': no such file$/mu,
    });
  }
  it.each(cases)('$title', ({ out, make, status, stderr }) => {
    make?.(join(folder, out));
    const result = run(['generate', '--schema', 'good.json', '--out', out]);
    expect(result).toMatchObject({ status, stdout: '' });
    expect(result.stderr).toMatch(stderr);
    expect(result.stderr).not.toMatch(/^\s+at /mu);
  });

  it('a link to a folder', () => {
    mkdirSync(join(folder, 'real'));
    symlinkSync('real', join(folder, 'link'));
    expect(run(['generate', '--schema', 'good.json', '--out', 'link'])).toMatchObject({ status: 0 });
    expect(readdirSync(join(folder, 'real'))).toEqual(['client.ts', 'good.ts', 'index.ts']);
    expect(run(['check', '--schema', 'good.json', '--out', 'link'])).toMatchObject({ status: 0 });
  });
});

describe('what is not a file, under the name of one', () => {
  const things: { title: string; make: (path: string) => unknown }[] = [
    { title: 'a FIFO', make: (path) => execFileSync('mkfifo', [path]) },
    { title: 'a folder', make: (path) => mkdirSync(path) },
    { title: 'a symbolic link', make: (path) => symlinkSync('/dev/zero', path) },
    {
      title: 'a socket',
      make: async (path) =>
        new Promise((resolve) =>
          createServer()
            .listen(path, () => resolve(0))
            .unref(),
        ),
    },
  ];
  const options = (out: string): string[] => ['--schema', 'good.json', '--out', out];
  it.each(things)('$title is told by check, and refused by generate', async ({ title, make }) => {
    const out = title;
    run(['generate', ...options(out)]);
    rmSync(join(folder, out, 'good.ts'));
    await make(join(folder, out, 'good.ts'));
    expect(run(['check', ...options(out)])).toMatchObject({
      status: 1,
      stdout: `${out}/good.ts: ${title}, not a file\n`,
    });
    expect(run(['generate', ...options(out)])).toMatchObject({
      status: 3,
      stderr: `error: '${out}/good.ts' is ${title}, not a generated file: delete it, or let the output go elsewhere with --out\n`,
    });
    expect(readdirSync(join(folder, out))).toEqual(['client.ts', 'good.ts', 'index.ts']);
  });

  it('beside generated files, it is left alone', () => {
    run(['generate', ...options('beside')]);
    execFileSync('mkfifo', [join(folder, 'beside/pipe.ts')]);
    symlinkSync('/dev/zero', join(folder, 'beside/zero.ts'));
    expect(run(['check', ...options('beside')])).toMatchObject({ status: 0, stdout: '' });
    expect(run(['generate', ...options('beside')])).toMatchObject({ status: 0 });
    expect(readdirSync(join(folder, 'beside'))).toContain('pipe.ts');
  });
});

describe('stdout and stderr', () => {
  const full = 'error: cannot write to stdout: no space left on the device\n';
  const cases: { title: string; script: string; status: number; stdout?: string; stderr?: string }[] = [
    {
      title: 'introspect on a full disk',
      script: '"$0" "$1" introspect good.json > /dev/full',
      status: 3,
      stderr: full,
    },
    {
      title: 'diff on a full disk',
      script: '"$0" "$1" diff good.json changed/good.json > /dev/full',
      status: 3,
      stderr: full,
    },
    { title: '--help on a full disk', script: '"$0" "$1" --help > /dev/full', status: 3, stderr: full },
    {
      title: 'no reader',
      script: '"$0" "$1" introspect good.json | true; exit ${PIPESTATUS[0]}',
      status: 0,
      stderr: '',
    },
    // It says what was found, whoever reads that.
    {
      title: 'a verdict without a reader',
      script: '"$0" "$1" diff good.json changed/good.json | true; exit ${PIPESTATUS[0]}',
      status: 1,
      stderr: '',
    },
    { title: 'errors on a full disk', script: '"$0" "$1" lint bad.json 2> /dev/full', status: 1, stdout: '' },
    {
      title: 'errors without a reader',
      script: '"$0" "$1" lint bad.json 2>&1 >&- | true; exit ${PIPESTATUS[0]}',
      status: 1,
    },
    { title: 'a closed stderr', script: '"$0" "$1" lint bad.json 2>&-', status: 1 },
    { title: 'a closed stdout', script: '"$0" "$1" introspect good.json >&-', status: 0, stderr: '' },
  ];
  it.each(cases)('$title', ({ script, status, stdout, stderr }) => {
    const result = shell(script);
    expect(result).toMatchObject({ status, stdout: stdout ?? result.stdout, stderr: stderr ?? result.stderr });
  });
});

describe('an unforeseen error', () => {
  const preload = (code: string): Ended => {
    const file = join(folder, 'preload.mjs');
    writeFileSync(file, code);
    return run(['introspect', 'good.json'], { program: ['--import', file, bin] });
  };
  const cases = [
    { title: 'in a command', code: `JSON.stringify = () => { throw new TypeError('unforeseen'); };` },
    {
      title: 'in a callback',
      code: `JSON.stringify = () => { setTimeout(() => { throw new TypeError('unforeseen'); }); return ''; };`,
    },
    {
      title: 'in a promise',
      code: `JSON.stringify = () => { Promise.reject(new TypeError('unforeseen')); return ''; };`,
    },
  ];
  it.each(cases)('$title is no verdict, and asks to be reported', ({ code }) => {
    const result = preload(code);
    expect(result).toMatchObject({ status: 70 });
    expect(result.stderr).toMatch(
      /^error: this is a bug in qapi-ts \d+\.\d+\.\d+\. Please report it .*\nTypeError: unforeseen\n {4}at /u,
    );
  });
});

describe('an installation', () => {
  const cases = [
    {
      title: 'without its dependencies',
      damage: (base: string) => rmSync(join(base, 'node_modules'), { recursive: true }),
      status: 3,
      stderr: /^error: a dependency of qapi-ts is missing: reinstall qapi-ts \(Cannot find package '.*\)\n$/u,
    },
    {
      title: 'without its code',
      damage: (base: string) => rmSync(join(base, 'generator/dist'), { recursive: true }),
      status: 3,
      stderr: /^error: qapi-ts is not built: .*\n$/u,
    },
    {
      title: 'with other code',
      damage: (base: string) => writeFileSync(join(base, 'generator/dist/cli.js'), 'let let;'),
      status: 70,
      stderr: /^error: qapi-ts cannot be loaded: .*\n$/u,
    },
  ];
  it.each(cases)('$title says so on one line', ({ damage, status, stderr }) => {
    const { base, program } = makePackage();
    damage(base);
    const result = run(['--version'], { program: [program] });
    expect(result).toMatchObject({ status, stdout: '' });
    expect(result.stderr).toMatch(stderr);
  });
});

it('check prints what it has found when the schema is bad', () => {
  const stage = '.qapi-ts-00000000-1-1-Ab3xYz';
  mkdirSync(join(folder, 'found', stage), { recursive: true });
  execFileSync('touch', ['-d', '2001-01-01', join(folder, 'found', stage)]);
  expect(run(['check', '--schema', 'bad.json', '--out', 'found'])).toMatchObject({
    status: 1,
    stdout: `found/${stage}: left behind by an interrupted run of generate\n`,
    stderr: expect.stringContaining('bad.json:'),
  });
});

describe('an interrupted run', () => {
  const options = ['--schema', 'good.json', '--out', '../out'];

  it('leaves old files or new ones, whatever the step, and the next run mends it', { timeout: 180_000 }, async () => {
    const base = mkdtempSync(join(folder, 'loop-'));
    for (const name of ['old', 'new']) mkdirSync(join(base, name));
    cpSync(join(folder, 'good.json'), join(base, 'old/good.json'));
    cpSync(join(folder, 'changed'), join(base, 'new'), { recursive: true });
    const generate = (label: string, env = {}): Ended =>
      run(['generate', ...options], { cwd: join(base, label), env, program: ['--import', fault, bin] });
    const snapshot = (label: string): Record<string, string> => {
      generate(label);
      return filesIn(join(base, 'out'));
    };
    const fresh = snapshot('new');
    generate('old');
    cpSync(join(base, 'out'), join(base, 'saved'), { recursive: true });
    const count = join(base, 'count');
    generate('new', { QAPI_TS_FAULT: 'SIGNONE:0', QAPI_TS_FAULT_COUNT: count });
    const steps = Number(readFileSync(count, 'utf8'));
    expect(steps).toBeGreaterThan(20);
    const told = new Set<string>();
    // Every step of the mechanism itself is in staged-write.test.ts.
    for (let step = 1; step <= steps; step += 5) {
      rmSync(join(base, 'out'), { recursive: true });
      cpSync(join(base, 'saved'), join(base, 'out'), { recursive: true });
      expect(generate('new', { QAPI_TS_FAULT: `SIGKILL:${step}` })).toMatchObject({ status: null });
      const isLeft = readdirSync(join(base, 'out')).some((name) => name.startsWith('.qapi-ts-'));
      const check = run(['check', ...options], { cwd: join(base, 'new') });
      if (isLeft) {
        const [, state] =
          /^A run of generate was interrupted: (.*)\. To fix this, run: npx qapi-ts generate --schema good\.json --out \.\.\/out$/mu.exec(
            check.stderr,
          ) ?? [];
        expect(check).toMatchObject({
          status: 1,
          stdout: expect.stringMatching(/^\.\.\/out\/\.qapi-ts-.*: left behind by an interrupted run of generate$/mu),
        });
        told.add(state ?? check.stderr);
      }
      expect(generate('new')).toMatchObject({ status: 0 });
      expect(filesIn(join(base, 'out')), `step ${step}`).toEqual(fresh);
    }
    expect(told).toEqual(new Set(['it had not changed anything yet', 'its output may be incomplete']));
  });

  it('ends by the signal that came while it wrote, with all files new', () => {
    const out = join(folder, 'signalled');
    run(['generate', '--schema', 'good.json', '--out', out]);
    const args = ['generate', '--schema', 'changed/good.json', '--out', out];
    const script = `"$0" --import "$2" "$1" ${args.map((arg) => `'${arg}'`).join(' ')}; echo $?`;
    const env = { QAPI_TS_FAULT: 'SIGTERM:3:renameSync' };
    const result = spawnSync('bash', ['-c', script, process.execPath, bin, fault], {
      cwd: folder,
      env: { ...process.env, ...env },
      encoding: 'utf8',
    });
    expect(result.stdout).toBe('143\n');
    expect(run(['check', ...args.slice(1)])).toMatchObject({ status: 0 });
  });

  it('of vendor or of a bump is told by check, too', { timeout: 60_000 }, () => {
    const { base, program } = makePackage();
    const vendor = (tree: string, env = {}): Ended =>
      run(['vendor', tree, '--version', '9.0.0'], { cwd: base, env, program: ['--import', fault, program] });
    const check = (): Ended => run(['check'], { cwd: base, program: [program] });
    const schemas = join(base, 'schema');
    expect(vendor('tree')).toMatchObject({ status: 0 });
    expect(run(['generate'], { cwd: base, program: [program] })).toMatchObject({ status: 0 });
    expect(check()).toMatchObject({ status: 0, stdout: '' });
    // The schemas are in the stage, and not yet in their place.
    expect(vendor('tree', { QAPI_TS_FAULT: 'SIGKILL:3:renameSync' })).toMatchObject({ status: null });
    expect(existsSync(join(schemas, '9.0.0'))).toBe(false);
    expect(check()).toMatchObject({
      status: 1,
      stderr:
        'A run of vendor was interrupted: its output may be incomplete. ' +
        'To fix this, run: npx qapi-ts vendor SOURCE --version VERSION\n',
    });
    expect(vendor('tree')).toMatchObject({ status: 0 });
    expect(readdirSync(schemas)).toEqual(['9.0.0', 'current']);
    expect(check()).toMatchObject({ status: 0, stdout: '' });
    mkdirSync(join(base, '.qapi-ts-00000000-1-1-Ab3xYz'));
    execFileSync('touch', ['-d', '2001-01-01', join(base, '.qapi-ts-00000000-1-1-Ab3xYz')]);
    // A published package has no such script, and nothing of a bump beside its schemas.
    expect(check()).toMatchObject({ status: 0, stdout: '', stderr: '' });
    mkdirSync(join(base, 'scripts'));
    writeFileSync(join(base, 'scripts/bump-qemu'), '');
    expect(check()).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('To fix this, run: scripts/bump-qemu VERSION\n'),
    });
  });
});

/** A copy of the package with schemas of its own, and the tree of a small QEMU. */
function makePackage(): { base: string; program: string } {
  const base = mkdtempSync(join(folder, 'package-'));
  for (const name of ['bin', 'dist', 'package.json']) {
    cpSync(join(repository, 'generator', name), join(base, 'generator', name), { recursive: true });
  }
  mkdirSync(join(base, 'node_modules/@qapi-ts'), { recursive: true });
  for (const name of ['@qapi-ts/runtime', 'commander', 'json5', 'prettier', 'ts-morph']) {
    symlinkSync(join(repository, 'node_modules', name), join(base, 'node_modules', name));
  }
  mkdirSync(join(base, 'schema'));
  writeFileSync(join(base, 'schema/current'), '9.0.0\n');
  writeTree(join(base, 'tree'), 'query-x');
  return { base, program: join(base, 'generator/bin/qapi-ts.js') };
}

/** A QEMU in small, whose servers have one command. */
function writeTree(tree: string, command: string): void {
  for (const path of ['qapi', 'qga', 'storage-daemon/qapi']) {
    mkdirSync(join(tree, path), { recursive: true });
    writeFileSync(join(tree, path, 'qapi-schema.json'), `{ 'command': '${command}' }\n`);
  }
}

it('an interrupted bump is told by check, and goes on when it is run again', { timeout: 120_000 }, () => {
  const { base, program } = makePackage();
  const script = (path: string, text: string): void => {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  };
  script('scripts/install', 'true');
  script('scripts/fetch-qemu', 'echo tree-9.1.0');
  script(
    'bin/npx',
    `case $1 in qapi-ts) program=${program};; *) program=${join(repository, 'node_modules/prettier/bin/prettier.cjs')};; esac; shift; exec '${process.execPath}' "$program" "$@"`,
  );
  cpSync(join(repository, 'scripts/bump-qemu'), join(base, 'scripts/bump-qemu'));
  writeTree(join(base, 'tree-9.1.0'), 'query-y');
  writeFileSync(join(base, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(base, 'schema/pins.json'), '{}');
  writeFileSync(join(base, 'README.md'), 'its output for QEMU 9.0\n');
  writeFileSync(join(base, 'CHANGELOG.md'), '# Changelog\n\n## Unreleased\n\n- What there was.\n');
  const path = `${join(base, 'bin')}:${process.env['PATH'] ?? ''}`;
  const bump = (env = {}): Ended =>
    run(['9.1.0'], {
      cwd: base,
      env: { PATH: path, ...env },
      program: ['--import', fault, join(base, 'scripts/bump-qemu')],
      timeout: 60_000,
    });
  const check = (): Ended => run(['check'], { cwd: base, program: [program] });
  run(['vendor', 'tree', '--version', '9.0.0'], { cwd: base, program: [program] });

  // The changelog is in its place, and schema/current is not.
  expect(bump({ QAPI_TS_FAULT: 'SIGKILL:5:renameSync' })).toMatchObject({ status: null });
  expect(readFileSync(join(base, 'CHANGELOG.md'), 'utf8')).toContain('### QEMU 9.0.0 to 9.1.0\n');
  expect(readFileSync(join(base, 'schema/current'), 'utf8')).toBe('9.0.0\n');
  expect(check()).toMatchObject({
    status: 1,
    stderr:
      'A run of bump-qemu was interrupted: its output may be incomplete. ' +
      'To fix this, run: scripts/bump-qemu VERSION\n',
  });

  for (const time of ['first', 'second']) {
    const again = bump();
    expect(again, time).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Bump QEMU from 9\.0\.0 to 9\.1\.0\n/u),
    });
    expect(readFileSync(join(base, 'CHANGELOG.md'), 'utf8').match(/9\.0\.0 to 9\.1\.0/gu)).toHaveLength(1);
    expect(readFileSync(join(base, 'README.md'), 'utf8')).toBe('its output for QEMU 9.1\n');
    expect(readFileSync(join(base, 'schema/current'), 'utf8')).toBe('9.1.0\n');
    expect(readdirSync(base).filter((name) => name.startsWith('.'))).toEqual([]);
  }
  expect(check()).toMatchObject({ status: 0, stdout: '', stderr: '' });
});

describe('a full disk', () => {
  const script = `
    set -e
    mount -t tmpfs -o size=64k none "$2"
    "$0" "$1" generate --schema good.json --out "$2/out" 2> "$2/../before"
    cp -r "$2/out" "$2/../saved"
    # What is left is too little for the new files beside the old ones.
    dd if=/dev/zero of="$2/rest" 2> /dev/null || true
    truncate -s -8192 "$2/rest"
    set +e
    "$0" "$1" generate --schema changed/good.json --out "$2/out"
    echo "status $?"
    diff -r "$2/out" "$2/../saved" && ls -A "$2/out"
    rm "$2/rest"
    "$0" "$1" generate --schema changed/good.json --out "$2/out" 2> "$2/../after"
    echo "status $?"
    ls -A "$2/out"
  `;

  it('changes nothing', { timeout: 60_000 }, () => {
    const disk = join(mkdtempSync(join(folder, 'disk-')), 'disk');
    mkdirSync(disk);
    const namespace = ['--map-root-user', '--mount'];
    if (spawnSync('unshare', [...namespace, 'mount', '-t', 'tmpfs', 'none', disk]).status !== 0) {
      console.warn(
        'LEFT OUT, for want of the right to mount (unshare --map-root-user --mount): a disk that is full indeed',
      );
      return;
    }
    const { stdout, stderr } = spawnSync('unshare', [...namespace, 'bash', '-c', script, process.execPath, bin, disk], {
      cwd: folder,
      encoding: 'utf8',
    });
    const names = (...files: string[]): string => files.map((file) => `${file}\n`).join('');
    expect(stdout).toBe(
      `status 3\n${names('client.ts', 'good.ts', 'index.ts')}status 0\n${names('client.ts', 'good.ts', 'index.ts', 'more.ts')}`,
    );
    expect(stderr).toMatch(/^error: cannot write '.*': no space left on the device\n$/u);
  });
});

describe('paths', () => {
  const relatives: { folder: string; file: string; want: string }[] = [
    { folder: 'C:\\qemu\\qapi', file: 'C:\\qemu\\qapi\\block.json', want: 'block.json' },
    { folder: 'C:\\qemu\\qga', file: 'C:\\qemu\\qapi\\block.json', want: '../qapi/block.json' },
    { folder: 'C:\\qemu', file: 'C:/qemu/qapi\\sub/x.json', want: 'qapi/sub/x.json' },
  ];
  it.each(relatives)('from $folder to $file, on Windows', ({ folder: from, file, want }) => {
    expect(relativePath(from, file, win32)).toBe(want);
  });

  const within: { folder: string; file: string; system?: typeof win32; want: boolean }[] = [
    { folder: '/qemu', file: '/qemu/qapi/x.json', want: true },
    { folder: '/qemu', file: '/qemu/..qapi/x.json', want: true },
    { folder: '/qemu', file: '/qemu', want: false },
    { folder: '/qemu', file: '/', want: false },
    { folder: '/qemu', file: '/qemu2/x.json', want: false },
    { folder: 'C:\\qemu', file: 'C:\\qemu\\qapi\\x.json', system: win32, want: true },
    { folder: 'C:\\qemu', file: 'C:\\other\\x.json', system: win32, want: false },
    { folder: 'C:\\qemu', file: 'D:\\qemu\\x.json', system: win32, want: false },
  ];
  it.each(within)('whether $file is in $folder: $want', ({ folder: of, file, system, want }) => {
    expect(isWithin(of, file, system)).toBe(want);
  });

  it('are hashed with / wherever a schema includes from', () => {
    const root = join(folder, 'tree/qga/root.json');
    mkdirSync(dirname(root), { recursive: true });
    writeFileSync(root, `{ 'include': '../other.json' }`);
    writeFileSync(join(folder, 'tree/other.json'), `{ 'event': 'E' }`);
    const schema = loadSchema(root, { read: (path) => readFileSync(path) });
    expect(schema.modules.map(({ path }) => path)).toEqual(['root.json', '../other.json']);
  });
});

describe('unions in unions', () => {
  /** Unions of ten branches, each of which is the next union. */
  const nested = (levels: number, tag: string): string => {
    const list = (text: (value: string) => string): string =>
      Array.from({ length: 10 }, (_, value) => text(`${tag}${value}`)).join(', ');
    const unions = Array.from({ length: levels }, (_, level) => {
      const inner = level === levels - 1 ? 'Leaf' : `Union${level + 1}`;
      const discriminator = `${tag}${'x'.repeat(level + 1)}`;
      return `{ 'enum': 'Enum${level}', 'data': [ ${list((value) => `'${value}'`)} ] }
        { 'union': 'Union${level}', 'base': { '${discriminator}': 'Enum${level}' }, 'discriminator': '${discriminator}',
          'data': { ${list((value) => `'${value}': '${inner}'`)} } }`;
    });
    return `{ 'struct': 'Leaf', 'data': { 'm': 'int' } }\n${unions.join('\n')}\n{ 'command': 'c', 'boxed': true, 'data': 'Union0' }\n`;
  };
  /** As many unions with 10,000 branches. */
  const many = (count: number): string => {
    const union = (_: unknown, at: number): string =>
      `{ 'union': 'Many${at}', 'base': { 'many': 'Enum0' }, 'discriminator': 'many',
        'data': { ${Array.from({ length: 10 }, (_value, value) => `'a${value}': 'Union0'`).join(', ')} } }`;
    return `${nested(3, 'a')}${Array.from({ length: count }, union).join('\n')}`;
  };
  const refusal = /error: union 'Union0' has 100000 branches with nested unions expanded: more than 10000/u;
  const cases: { title: string; old: string; now: string; status: number; stderr: RegExp }[] = [
    { title: 'few enough', old: nested(3, 'a'), now: nested(3, 'a'), status: 0, stderr: /^$/u },
    { title: 'too many', old: nested(5, 'a'), now: nested(3, 'a'), status: 1, stderr: refusal },
    {
      title: 'too many in several unions',
      old: many(20),
      now: many(1),
      status: 1,
      stderr:
        /: error: with union 'Many1', the schema's unions have 21110 branches with nested unions expanded: more than 20000$/mu,
    },
    { title: 'too many on the new side', old: nested(3, 'a'), now: nested(5, 'a'), status: 1, stderr: refusal },
    {
      title: 'very many',
      old: nested(60, 'a'),
      now: nested(60, 'a'),
      status: 1,
      stderr: /union 'Union0' has [\d.]+e\+60 branches/u,
    },
    {
      title: 'too many when combined',
      old: nested(3, 'a'),
      now: nested(3, 'b'),
      status: 3,
      stderr:
        /^error: cannot compare union 'Union0' to union 'Union0': their branches have more than 10000 combinations$/mu,
    },
  ];
  it.each(cases)('are compared as far as they are emitted: $title', ({ old, now, status, stderr }) => {
    writeFileSync(join(folder, 'nested old.json'), old);
    writeFileSync(join(folder, 'nested new.json'), now);
    const begin = performance.now();
    const result = run(['diff', 'nested old.json', 'nested new.json']);
    expect(result).toMatchObject({ status });
    expect(result.stderr).toMatch(stderr);
    expect(performance.now() - begin).toBeLessThan(20_000);
  });
});

it('the generator leaves the messages of a thread that imports it alone', async () => {
  const generate = new URL('../generator/dist/generate.js', import.meta.url).href;
  const code = `
    const { parentPort } = require('node:worker_threads');
    import('${generate}').then(() => {
      parentPort.once('message', (message) => parentPort.postMessage({ echo: message }));
      parentPort.postMessage('ready');
    });`;
  const worker = new Worker(code, { eval: true });
  const messages: unknown[] = [];
  worker.on('message', (message) => {
    messages.push(message);
    if (message === 'ready') worker.postMessage({ id: 1, text: 'const  a=1' });
  });
  // It ends by itself: nothing else listens.
  expect(await new Promise((resolve) => worker.once('exit', resolve))).toBe(0);
  expect(messages).toEqual(['ready', { echo: { id: 1, text: 'const  a=1' } }]);
});
