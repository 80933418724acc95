/** Replacing files by real processes that are killed, interrupted, fail, or run at the same time. */

import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { leftoversIn, replaceWhole } from '../generator/src/staged-write.js';
import { fault, filesIn, repository, temporaryFolder, type Ended } from './support/command.js';

const writeSet = join(repository, 'test/support/write-set.mjs');

let folder: string;
let next = 0;
beforeAll(() => {
  folder = temporaryFolder('staged');
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Killed extends Ended {
  readonly signal: string | null;
}

interface FaultOptions {
  readonly fault?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function run(
  args: readonly string[],
  { fault: text, cwd = folder, env = {} }: FaultOptions = {},
): Promise<Killed> {
  return new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, ...env, ...(text !== undefined && { QAPI_TS_FAULT: text }) } };
    const child = execFile(process.execPath, ['--import', fault, ...args], options, (_error, stdout, stderr) => {
      resolve({ status: child.exitCode, signal: child.signalCode, stdout, stderr });
    });
  });
}

/** Returns the number of calls of a program that change the file system. */
async function countCalls(args: readonly string[], cwd = folder): Promise<number> {
  const file = join(folder, `count ${(next += 1)}`);
  const ended = await run(args, { fault: 'SIGNONE:0', cwd, env: { QAPI_TS_FAULT_COUNT: file } });
  expect(ended).toMatchObject({ status: 0 });
  return Number(readFileSync(file, 'utf8'));
}

/** Runs an action for each number from 1 to a count, two at a time. */
async function each(count: number, action: (n: number) => Promise<void>): Promise<void> {
  let n = 0;
  const work = async (): Promise<void> => {
    while (n < count) await action((n += 1));
  };
  await Promise.all([work(), work()]);
}

/** Returns the files that are not in a stage. */
function withoutStages(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).filter(([path]) => !path.includes('.qapi-ts-')));
}

/** Returns the files that write-set.mjs writes. */
function written(label: 'old' | 'new'): Record<string, string> {
  const paths = ['a/one', 'b/two', `only-${label}`, 'tree/inner/file'];
  return Object.fromEntries(paths.map((path) => [path, label]));
}

/** Creates a directory with old files. */
async function oldSet(): Promise<string> {
  const root = join(folder, `set ${(next += 1)}`);
  expect(await run([writeSet, root, 'old'])).toMatchObject({ status: 0, stderr: '' });
  return root;
}

function copyOf(root: string): string {
  const copy = join(folder, `set ${(next += 1)}`);
  // Stages keep their names, and so their dead owners.
  cpSync(root, copy, { recursive: true, preserveTimestamps: true });
  return copy;
}

/** Completes earlier runs, without writing anything else, and returns the files. */
async function recovered(root: string): Promise<Record<string, string>> {
  let files: Record<string, string> = {};
  await replaceWhole({
    root,
    folders: [join(root, 'a'), join(root, 'b')],
    plan: () => {
      files = withoutStages(filesIn(root));
      return new Map();
    },
    verify: () => {},
  });
  expect(filesIn(root)).toEqual(files);
  return files;
}

describe('a set of files', () => {
  let old: string;
  let count: number;
  /** A call in the middle of the moves. The first call renames the journal. */
  const middle = '5:renameSync';
  beforeAll(async () => {
    old = await oldSet();
    count = await countCalls([writeSet, copyOf(old), 'new']);
  });

  it('is old or new after SIGKILL at any step and the next run', { timeout: 120_000 }, async () => {
    const states = { old: 0, new: 0, mixed: 0 };
    await each(count, async (n) => {
      const root = copyOf(old);
      expect(await run([writeSet, root, 'new'], { fault: `SIGKILL:${n}` })).toMatchObject({ signal: 'SIGKILL' });
      const left = leftoversIn(root);
      const files = JSON.stringify(withoutStages(filesIn(root)));
      const state = (['old', 'new'] as const).find((label) => files === JSON.stringify(written(label))) ?? 'mixed';
      states[state] += 1;
      // Nothing changes before there is a journal.
      if (state === 'mixed') expect(left, `step ${n}`).toMatchObject([{ isBegun: true }]);
      const isBegun = left.some((one) => one.isBegun);
      expect(await recovered(root), `step ${n}`).toEqual(written(isBegun || state === 'new' ? 'new' : 'old'));
    });
    // The loop has seen all states.
    for (const times of Object.values(states)) expect(times).toBeGreaterThan(1);
    expect(count).toBeGreaterThan(25);
  });

  it('is completed if the run that completes it is killed, too', { timeout: 120_000 }, async () => {
    const half = copyOf(old);
    // In the middle of the moves.
    await run([writeSet, half, 'new'], { fault: `SIGKILL:${middle}` });
    expect(withoutStages(filesIn(half))).not.toEqual(written('old'));
    expect(leftoversIn(half)).toMatchObject([{ isBegun: true }]);
    const again = await countCalls([writeSet, copyOf(half), 'old']);
    // After these steps, everything is completed.
    await each(again - count + 5, async (n) => {
      const root = copyOf(half);
      expect(await run([writeSet, root, 'old'], { fault: `SIGKILL:${n}` })).toMatchObject({ signal: 'SIGKILL' });
      const files = JSON.stringify(await recovered(root));
      expect([written('old'), written('new')].map((want) => JSON.stringify(want))).toContain(files);
    });
  });

  it('is old or new after a signal at any step, without another run', { timeout: 120_000 }, async () => {
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    const ends = new Set<string>();
    await each(count, async (n) => {
      const root = copyOf(old);
      const signal = signals[n % 3] ?? '';
      const ended = await run([writeSet, root, 'new'], { fault: `${signal}:${n}` });
      expect(ended, `step ${n}`).toMatchObject({ status: null, signal, stderr: '' });
      const files = filesIn(root);
      const label = 'only-new' in files ? 'new' : 'old';
      expect(files, `step ${n}`).toEqual(written(label));
      ends.add(label);
    });
    expect(ends).toEqual(new Set(['old', 'new']));
  });

  it('is unchanged if the disk is full at any step', { timeout: 120_000 }, async () => {
    let full = 0;
    await each(count, async (n) => {
      const root = copyOf(old);
      const ended = await run([writeSet, root, 'new'], { fault: `ENOSPC:${n}` });
      // Removals need no space, so there are fewer steps.
      if (ended.status === 0) return;
      full += 1;
      expect(ended).toMatchObject({ status: 3, stderr: expect.stringMatching(/^ENOSPC: \w+\n$/u) });
      expect(filesIn(root), `step ${n}`).toEqual(written('old'));
      expect(readdirSync(root).filter((name) => name.startsWith('.'))).toEqual([]);
    });
    expect(full).toBeGreaterThan(count / 2);
  });

  it('leaves no new directory if it fails', async () => {
    const root = join(folder, 'not there', 'before');
    expect(await run([writeSet, root, 'new'], { fault: `ENOSPC:${middle}` })).toMatchObject({ status: 3 });
    expect(existsSync(join(folder, 'not there'))).toBe(false);
  });

  it('is from a single run if several write at the same time', { timeout: 60_000 }, async () => {
    const root = copyOf(old);
    const labels = ['old', 'new', 'old', 'new', 'new', 'old'];
    const runs = await Promise.all(labels.map(async (label) => run([writeSet, root, label])));
    for (const ended of runs) expect(ended).toMatchObject({ status: 0, stderr: '' });
    const files = filesIn(root);
    expect(files).toEqual(written('only-new' in files ? 'new' : 'old'));
  });

  it('is not touched while another run is stopped', { timeout: 60_000 }, async () => {
    const root = copyOf(old);
    const stopped = execFile(process.execPath, ['--import', fault, writeSet, root, 'new'], {
      env: { ...process.env, QAPI_TS_FAULT: `SIGSTOP:${middle}` },
    });
    const isStopped = (): boolean => /^\d+ \(.*\) T /u.test(readFileSync(`/proc/${stopped.pid}/stat`, 'utf8'));
    while (!isStopped()) await new Promise((resolve) => setTimeout(resolve, 10));
    const before = filesIn(root);
    expect(Object.keys(before)).toContainEqual(expect.stringContaining('journal.json'));
    // The process is still live.
    expect(leftoversIn(root)).toEqual([]);
    const waiting = run([writeSet, root, 'old']);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(withoutStages(filesIn(root))).toEqual(withoutStages(before));
    stopped.kill('SIGCONT');
    expect(await waiting).toMatchObject({ status: 0 });
    expect(filesIn(root)).toEqual(written('old'));
  });
});

describe('two sets of files, one inside the other', () => {
  interface Stopped {
    readonly root: string;
    readonly go: () => void;
  }

  /** Starts a run that stops in the middle of its moves. */
  async function stop(root: string): Promise<Stopped> {
    const child = execFile(process.execPath, ['--import', fault, writeSet, root, 'new'], {
      env: { ...process.env, QAPI_TS_FAULT: 'SIGSTOP:5:renameSync' },
    });
    const isStopped = (): boolean => /^\d+ \(.*\) T /u.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8'));
    while (!isStopped()) await new Promise((resolve) => setTimeout(resolve, 10));
    return { root, go: () => child.kill('SIGCONT') };
  }

  // a and b are the directories of write-set.mjs.
  it.each([
    { title: 'inner', first: 'a', second: '.' },
    { title: 'outer', first: '.', second: 'b' },
  ])('are not written at the same time: the $title one first', { timeout: 30_000 }, async ({ first, second }) => {
    const root = await oldSet();
    const stopped = await stop(join(root, first));
    const before = filesIn(root);
    const waiting = run([writeSet, join(root, second), 'old']);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(withoutStages(filesIn(root))).toEqual(withoutStages(before));
    stopped.go();
    expect(await waiting).toMatchObject({ status: 0, stderr: '' });
    expect(filesIn(join(root, second))).toMatchObject(written('old'));
    expect(Object.keys(filesIn(root)).filter((path) => path.includes('.qapi-ts-'))).toEqual([]);
  });
});

it('a stage is removed after the removal of its journal is flushed to disk', async () => {
  const root = await oldSet();
  const trace = join(folder, 'trace.mjs');
  writeFileSync(
    trace,
    `import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const opened = new Map();
    const { openSync } = fs;
    const steps = [];
    fs.openSync = (path, ...others) => {
      const descriptor = openSync(path, ...others);
      opened.set(descriptor, path);
      return descriptor;
    };
    for (const name of ['fsyncSync', 'rmSync']) {
      const original = fs[name];
      fs[name] = (what, ...others) => {
        const path = typeof what === 'number' ? opened.get(what) : what;
        steps.push(name + ' ' + String(path).replace(/.*\\.qapi-ts-[^/]*/u, 'stage'));
        return original(what, ...others);
      };
    }
    syncBuiltinESMExports();
    process.on('exit', () => fs.writeSync(1, JSON.stringify(steps)));`,
  );
  const { stdout } = await run(['--import', trace, writeSet, root, 'new']);
  expect((JSON.parse(stdout) as string[]).slice(-3)).toEqual([
    'rmSync stage/journal.json',
    'fsyncSync stage',
    'rmSync stage',
  ]);
});

describe('a stage found in a directory', () => {
  const longAgo = new Date(Date.now() - 3_600_000);

  interface Stage {
    readonly name?: string;
    readonly journal?: string;
    /** The texts of the stage's files. */
    readonly files?: Readonly<Record<string, string>>;
    /** The targets of the stage's symbolic links. */
    readonly links?: Readonly<Record<string, string>>;
    readonly isFresh?: boolean;
  }

  /** Creates a directory `root` with a stage, and next to it a file `outside/precious.ts`. */
  function place({
    name = '.qapi-ts-Ab3xYz',
    journal,
    links = {},
    files = { 'new/0': 'evil' },
    isFresh = false,
  }: Stage): string {
    const base = join(folder, `place ${(next += 1)}`);
    const stage = join(base, 'root', name);
    for (const path of ['outside', 'root/sub', `root/${name}/new`, `root/${name}/old`]) {
      mkdirSync(join(base, path), { recursive: true });
    }
    writeFileSync(join(base, 'outside/precious.ts'), 'precious');
    writeFileSync(join(base, 'root/mine.ts'), 'mine');
    symlinkSync('../outside', join(base, 'root/link'));
    for (const [path, text] of Object.entries(files)) writeFileSync(join(stage, path), text);
    for (const [path, target] of Object.entries(links)) {
      mkdirSync(dirname(join(stage, path)), { recursive: true });
      symlinkSync(target, join(stage, path));
    }
    if (journal !== undefined) writeFileSync(join(stage, 'journal.json'), journal);
    if (!isFresh) utimesSync(stage, longAgo, longAgo);
    return base;
  }

  const write = async (root: string): Promise<void> =>
    replaceWhole({
      root,
      plan: () => new Map([['fresh.ts', 'fresh']]),
      verify: (path) => {
        if (readFileSync(path, 'utf8') === 'mine') throw new Error('it is mine');
      },
    });

  const moves = (...paths: string[]): string =>
    JSON.stringify({ moves: paths.map((path) => ({ path, isRemoval: false })) });
  const removals = (...paths: string[]): string =>
    JSON.stringify({ moves: paths.map((path) => ({ path, isRemoval: true })) });
  const notOurs = /is not a valid qapi-ts journal: inspect .*, then delete it/u;
  const hostile: { title: string; stage: Stage; want: RegExp }[] = [
    { title: 'a path to the parent', stage: { journal: moves('../outside/precious.ts') }, want: notOurs },
    { title: 'a removal in the parent', stage: { journal: removals('../outside/precious.ts') }, want: notOurs },
    {
      title: 'a path to the parent in the middle',
      stage: { journal: moves('sub/../../outside/precious.ts') },
      want: notOurs,
    },
    { title: 'an absolute path', stage: { journal: moves('/etc/passwd') }, want: notOurs },
    { title: 'a Windows path', stage: { journal: moves('..\\outside\\precious.ts') }, want: notOurs },
    { title: 'a drive', stage: { journal: moves('C:x') }, want: notOurs },
    { title: 'a hidden name', stage: { journal: moves('.git') }, want: notOurs },
    {
      title: 'a path through a symbolic link',
      stage: { journal: moves('link/precious.ts') },
      want: /link' is not a directory/u,
    },
    {
      title: 'a removal through a link',
      stage: { journal: removals('link/precious.ts') },
      want: /link' is not a directory/u,
    },
    { title: "a user's own file", stage: { journal: removals('mine.ts') }, want: /it is mine/u },
    {
      title: 'a link as new content',
      stage: { journal: moves('sub/a'), files: {}, links: { 'new/0': '/etc/passwd' } },
      want: /new\/0' is neither a file nor a directory: inspect .*, then delete it/u,
    },
    {
      title: 'a link in a new directory',
      stage: { journal: moves('sub/a'), files: {}, links: { 'new/0/inner/x': '../outside' } },
      want: /new\/0\/inner\/x' is neither a file nor a directory/u,
    },
    { title: 'other JSON', stage: { journal: '{ "moves": 1 }' }, want: notOurs },
    { title: 'a move without a path', stage: { journal: '{ "moves": [{}] }' }, want: notOurs },
    { title: 'text that is not JSON', stage: { journal: 'x' }, want: notOurs },
  ];
  it.each(hostile)('is rejected: a journal with $title', async ({ stage, want }) => {
    const base = place(stage);
    const before = filesIn(base);
    await expect(write(join(base, 'root'))).rejects.toThrow(want);
    expect(filesIn(base)).toEqual(before);
    expect(readdirSync(join(base, 'root/sub'))).toEqual([]);
  });

  it('is rejected: a stage whose directories are links', async () => {
    const base = place({ journal: moves('sub/a'), files: {} });
    const stage = join(base, 'root/.qapi-ts-Ab3xYz');
    rmSync(join(stage, 'new'), { recursive: true });
    symlinkSync('../../outside', join(stage, 'new'));
    utimesSync(stage, longAgo, longAgo);
    await expect(write(join(base, 'root'))).rejects.toThrow(notOurs);
    expect(readFileSync(join(base, 'outside/precious.ts'), 'utf8')).toBe('precious');
  });

  const folders: { title: string; stage: Stage; isGone: boolean }[] = [
    { title: 'left by an older generator', stage: {}, isGone: true },
    { title: 'left by another host long ago', stage: { name: '.qapi-ts-00000000-1-1-Ab3xYz' }, isGone: true },
    { title: "a user's directory", stage: { name: '.qapi-ts-mine' }, isGone: false },
    { title: "a user's directory with a name of the same length", stage: { name: '.qapi-tsAb3xYz' }, isGone: false },
  ];
  it.each(folders)('$title: removed: $isGone', async ({ stage, isGone }) => {
    const base = place(stage);
    await write(join(base, 'root'));
    expect(existsSync(join(base, 'root', stage.name ?? '.qapi-ts-Ab3xYz'))).toBe(!isGone);
    expect(filesIn(join(base, 'root'))).toMatchObject({ 'fresh.ts': 'fresh', 'mine.ts': 'mine' });
  });

  it('is kept while another host may still use it', () => {
    const base = place({ name: '.qapi-ts-00000000-1-1-Ab3xYz', isFresh: true });
    expect(leftoversIn(join(base, 'root'))).toEqual([]);
  });
});
