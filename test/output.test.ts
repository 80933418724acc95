/** Writing output, and how the command ends if that fails: obstacles, full disks, closed pipes, unexpected errors. */

import { execFileSync } from 'node:child_process';
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
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  bin,
  fault,
  filesIn,
  installCopy,
  runNode,
  runProgram,
  runShell,
  temporaryFolder,
  writeIn,
  writeQemu,
  type Ended,
} from './support/command.js';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder('output');
  writeIn(folder, 'good.json', `{ 'command': 'c', 'data': { 'a': 'Aa' } }\n{ 'struct': 'Aa', 'data': {} }\n`);
  writeIn(folder, 'bad.json', `{ 'command': 'c', 'data': 'Bb' }\n`);
  writeIn(folder, 'changed/good.json', `{ 'include': 'more.json' }\n{ 'command': 'c', 'data': { 'a': 'str' } }\n`);
  writeIn(folder, 'changed/more.json', `{ 'struct': 'Cc', 'data': {} }\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(args: readonly string[], { program = [bin], cwd = folder, ...options }: OutputOptions = {}): Ended {
  return runNode([...program, ...args], { cwd, ...options });
}

interface OutputOptions {
  /** The program, and options of Node before it. */
  readonly program?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeout?: number;
}

describe('--out', () => {
  const cases: { title: string; out: string; make?: (path: string) => void; status: number; stderr: RegExp }[] = [
    {
      title: 'an empty one',
      out: '',
      status: 2,
      stderr: /^error: --out requires the path of a directory$/mu,
    },
    {
      title: 'a file',
      out: 'package.json',
      make: (path) => writeFileSync(path, '{}'),
      status: 3,
      stderr:
        /^error: 'package\.json' is a file, not a directory: delete it, or choose another directory with --out$/mu,
    },
    {
      title: 'a path through a file',
      out: 'good.json/out',
      status: 3,
      stderr: /^error: 'good\.json' is a file, not a directory: delete it, or choose another directory with --out$/mu,
    },
    {
      title: 'a link that leads nowhere',
      out: 'dangling',
      make: (path) => symlinkSync('nowhere', path),
      status: 3,
      stderr: /^error: 'dangling' is a symbolic link, not a directory/mu,
    },
    { title: 'a device', out: '/dev/null', status: 3, stderr: /^error: '\/dev\/null' is a device, not a directory/mu },
    {
      title: 'a directory in which no files can be created',
      out: '/sys/qapi-ts-output',
      status: 3,
      stderr:
        /^error: cannot create the directory '\/sys\/qapi-ts-output': (?:not permitted|permission denied|the file system is read-only)$/mu,
    },
  ];
  // On other systems, this is a path like any other.
  if (process.platform === 'linux') {
    cases.push({
      title: 'a place where directories cannot be created',
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

  it('a link to a directory', () => {
    mkdirSync(join(folder, 'real'));
    symlinkSync('real', join(folder, 'link'));
    expect(run(['generate', '--schema', 'good.json', '--out', 'link'])).toMatchObject({ status: 0 });
    expect(readdirSync(join(folder, 'real'))).toEqual(['client.ts', 'good.ts', 'index.ts']);
    expect(run(['check', '--schema', 'good.json', '--out', 'link'])).toMatchObject({ status: 0 });
  });
});

describe('something else in place of a generated file', () => {
  const things: { title: string; make: (path: string) => unknown }[] = [
    { title: 'a FIFO', make: (path) => execFileSync('mkfifo', [path]) },
    { title: 'a directory', make: (path) => mkdirSync(path) },
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
  it.each(things)('$title: check reports it, generate refuses to replace it', async ({ title, make }) => {
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
      stderr: `error: '${out}/good.ts' is ${title}, not a generated file: delete it, or choose another directory with --out\n`,
    });
    expect(readdirSync(join(folder, out))).toEqual(['client.ts', 'good.ts', 'index.ts']);
  });

  it('is left alone next to generated files', () => {
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
    const result = runShell(script, { cwd: folder });
    expect(result).toMatchObject({ status, stdout: stdout ?? result.stdout, stderr: stderr ?? result.stderr });
  });
});

describe('an unexpected error', () => {
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
  it.each(cases)('$title is reported as a bug, and exits with 70', ({ code }) => {
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
      title: 'with broken code',
      damage: (base: string) => writeFileSync(join(base, 'generator/dist/cli.js'), 'let let;'),
      status: 70,
      stderr: /^error: qapi-ts cannot be loaded: .*\n$/u,
    },
  ];
  it.each(cases)('$title is reported on one line', ({ damage, status, stderr }) => {
    const { base, program } = makePackage();
    damage(base);
    const result = run(['--version'], { program: [program] });
    expect(result).toMatchObject({ status, stdout: '' });
    expect(result.stderr).toMatch(stderr);
  });
});

it('check prints what it found before an error in the schema', () => {
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

  it('leaves old or new files at any step, and the next run completes it', { timeout: 180_000 }, async () => {
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
    const states = new Set<string>();
    // staged-write.test.ts tests each step of the mechanism.
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
        states.add(state ?? check.stderr);
      }
      expect(generate('new')).toMatchObject({ status: 0 });
      expect(filesIn(join(base, 'out')), `step ${step}`).toEqual(fresh);
    }
    expect(states).toEqual(new Set(['it had not changed anything yet', 'its output may be incomplete']));
  });

  it('ends by the signal that arrived during writing, with all files replaced', () => {
    const out = join(folder, 'signalled');
    run(['generate', '--schema', 'good.json', '--out', out]);
    const args = ['generate', '--schema', 'changed/good.json', '--out', out];
    const script = `"$0" --import "$2" "$1" ${args.map((arg) => `'${arg}'`).join(' ')}; echo $?`;
    const env = { QAPI_TS_FAULT: 'SIGTERM:3:renameSync' };
    const result = runShell(script, { cwd: folder, env }, fault);
    expect(result.stdout).toBe('143\n');
    expect(run(['check', ...args.slice(1)])).toMatchObject({ status: 0 });
  });

  it('of vendor or bump-qemu is reported by check, too', { timeout: 60_000 }, () => {
    const { base, program } = makePackage();
    const vendor = (tree: string, env = {}): Ended =>
      run(['vendor', tree, '--version', '9.0.0'], { cwd: base, env, program: ['--import', fault, program] });
    const check = (): Ended => run(['check'], { cwd: base, program: [program] });
    const schemas = join(base, 'schema');
    expect(vendor('tree')).toMatchObject({ status: 0 });
    expect(run(['generate'], { cwd: base, program: [program] })).toMatchObject({ status: 0 });
    expect(check()).toMatchObject({ status: 0, stdout: '' });
    // The schemas are in the stage, but not yet moved.
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
    // Without the script, as in a published package, this directory is not checked.
    expect(check()).toMatchObject({ status: 0, stdout: '', stderr: '' });
    mkdirSync(join(base, 'scripts'));
    writeFileSync(join(base, 'scripts/bump-qemu'), '');
    expect(check()).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('To fix this, run: scripts/bump-qemu VERSION\n'),
    });
  });
});

/** Installs a copy of the generator with its own schemas, and the source tree of a small QEMU. */
function makePackage(): { base: string; program: string } {
  const base = mkdtempSync(join(folder, 'package-'));
  writeIn(base, 'schema/current', '9.0.0\n');
  writeQemu(join(base, 'tree'), `{ 'command': 'query-x' }`);
  return { base, program: installCopy(base) };
}

describe('a full disk', () => {
  const script = `
    set -e
    mount -t tmpfs -o size=64k none "$2"
    "$0" "$1" generate --schema good.json --out "$2/out" 2> "$2/../before"
    cp -r "$2/out" "$2/../saved"
    # Leave too little space for both the new and the old files.
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
    const isMounted = runProgram('unshare', [...namespace, 'mount', '-t', 'tmpfs', 'none', disk], { cwd: folder });
    if (isMounted.status !== 0) {
      console.warn('SKIPPED, no permission to mount (unshare --map-root-user --mount): a disk that is really full');
      return;
    }
    const args = [...namespace, 'bash', '-c', script, process.execPath, bin, disk];
    const { stdout, stderr } = runProgram('unshare', args, { cwd: folder });
    const names = (...files: string[]): string => files.map((file) => `${file}\n`).join('');
    expect(stdout).toBe(
      `status 3\n${names('client.ts', 'good.ts', 'index.ts')}status 0\n${names('client.ts', 'good.ts', 'index.ts', 'more.ts')}`,
    );
    expect(stderr).toMatch(/^error: cannot write '.*': no space left on the device\n$/u);
  });
});

it('importing the generator does not affect the messages of a thread', async () => {
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
  // The thread ends by itself, because nothing else listens to its messages.
  expect(await new Promise((resolve) => worker.once('exit', resolve))).toBe(0);
  expect(messages).toEqual(['ready', { echo: { id: 1, text: 'const  a=1' } }]);
});
