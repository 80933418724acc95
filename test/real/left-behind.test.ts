/** Launched servers never outlive the program that launched them, however it ends. */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';

import { connect } from '@qapi-ts/qemu/qmp';
import { launch, type LaunchOptions } from '@qapi-ts/runtime';
import { describe, expect, onTestFinished, test } from 'vitest';

import { failure } from '../support/client.js';
import { repository } from '../support/compile.js';
import { bare, findProgram, installed, isRunning, kill, qemus, temporaryFolder } from '../support/servers.js';

const program = join(repository, 'test/support/parent.js');

/** The arguments of the program. */
interface Task {
  readonly commands: readonly (readonly string[])[];
  readonly end?: string;
  readonly delay?: number;
  readonly inWorker?: boolean;
  /** The user that the program runs as. */
  readonly user?: number;
  readonly options?: LaunchOptions;
}

interface Parent {
  readonly child: ChildProcess;
  /** The process IDs of the servers. */
  readonly pids: readonly number[];
}

function startParent(task: Task, env: NodeJS.ProcessEnv = process.env): ChildProcess {
  const child = spawn(process.execPath, [program, JSON.stringify(task)], {
    cwd: repository,
    env,
    stdio: ['pipe', 'pipe', task.user === undefined ? 'ignore' : 'pipe'],
  });
  onTestFinished(() => kill(child));
  return child;
}

/** Starts a program, and waits until it has launched its servers. */
async function parentOf(task: Task, env?: NodeJS.ProcessEnv): Promise<Parent> {
  const child = startParent(task, env);
  const [line] = (await once(child.stdout ?? child, 'data')) as [Buffer];
  const pids = JSON.parse(String(line)) as number[];
  expect(pids.map(isRunning)).toEqual(pids.map(() => true));
  onTestFinished(() => {
    for (const pid of pids) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
  return { child, pids };
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function processes(): { pid: number; name: string; parent: number }[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/u.test(entry)) return [];
    try {
      const [, name = '', parent] = /\((.*)\) \S (\d+)/u.exec(readFileSync(`/proc/${entry}/stat`, 'utf8')) ?? [];
      return [{ pid: Number(entry), name, parent: Number(parent) }];
    } catch {
      return [];
    }
  });
}

/** Kills the watcher process. */
function killWatcher({ child }: Parent): void {
  const watchers = processes().filter(({ name, parent }) => parent === child.pid && name === 'sh');
  expect(watchers).toHaveLength(1);
  for (const { pid } of watchers) process.kill(pid, 'SIGKILL');
}

/** Returns an environment without setpriv, as on other systems. */
function withoutSetpriv(): NodeJS.ProcessEnv {
  const folder = temporaryFolder();
  for (const name of ['sh', 'node', 'qemu-system-x86_64']) symlinkSync(findProgram(name) ?? name, join(folder, name));
  return { ...process.env, PATH: folder };
}

const hasSetpriv = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0;
const all = qemus('launched servers after the end of their program');
const servers = all.map(({ program: path }) => [path('qemu-system-x86_64'), ...bare]);

/** The mechanisms that can end the servers. */
const means: Record<string, { env: () => NodeJS.ProcessEnv; prepare: (parent: Parent) => void }> = {
  'the kernel and the watcher': { env: () => process.env, prepare: () => {} },
  'the kernel alone': { env: () => process.env, prepare: killWatcher },
  'the watcher alone': { env: withoutSetpriv, prepare: () => {} },
};
if (!hasSetpriv) delete means['the kernel alone'];

const ends: [name: string, task: Omit<Task, 'commands'>, signal?: NodeJS.Signals][] = [
  ['SIGTERM', {}, 'SIGTERM'],
  ['SIGINT', {}, 'SIGINT'],
  ['SIGHUP', {}, 'SIGHUP'],
  ['SIGQUIT', {}, 'SIGQUIT'],
  ['SIGKILL', {}, 'SIGKILL'],
  ['process.abort()', { end: 'abort' }],
  ['process.exit()', { end: 'exit' }],
  ['an exception', { end: 'exception' }],
  ['the end of all servers', { end: 'quit' }],
  ['close()', { end: 'close' }],
  ['worker.terminate()', { end: 'terminate', inWorker: true }],
  ['process.exit() in a worker', { end: 'exit', inWorker: true }],
  ['an exception in a worker', { end: 'exception', inWorker: true }],
];

/** Processes all items, but only a few at a time, because each starts several servers. */
async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const entries = items.entries();
  const takeAll = async (): Promise<void> => {
    for (const [index, item] of entries) results[index] = await work(item);
  };
  await Promise.all([takeAll(), takeAll(), takeAll(), takeAll()]);
  return results;
}

/** Returns the IDs of the processes that do not end. */
async function survivors(pids: readonly number[]): Promise<number[]> {
  for (let left = 500; left > 0 && pids.some(isRunning); left -= 1) await pause(20);
  return pids.filter(isRunning);
}

describe.runIf(all.length > 0)(`nothing is left of QEMU ${all.map(({ version }) => version).join(', ')}`, () => {
  test.each(Object.entries(means))(
    'with %s',
    async (_, { env, prepare }) => {
      const left = await inParallel(ends, async ([name, task, signal]) => {
        const parent = await parentOf({ commands: servers, ...task }, env());
        const { child, pids } = parent;
        const exited = once(child, 'exit');
        prepare(parent);
        if (signal) child.kill(signal);
        else child.stdin?.write('end\n');
        const outcome = [name, await survivors(pids)];
        await exited;
        return outcome;
      });
      expect(left).toEqual(ends.map(([name]) => [name, []]));
    },
    60_000,
  );
});

const hasQemu = installed(['qemu-system-x86_64'], 'a launched server after the end of its program');

describe.runIf(hasQemu)('nothing is left', () => {
  test('when the program is killed right after the spawn', async () => {
    const folder = temporaryFolder();
    const environments = [process.env, withoutSetpriv()].filter((_, index) => hasSetpriv || index > 0);
    const runs = environments.flatMap((env) => [0, 0, 0, 0, 0, 1, 2, 4, 8, 16].map((delay) => ({ env, delay })));
    const commands = [['qemu-system-x86_64', ...bare, '-name', folder]];
    await inParallel(runs, async ({ env, delay }) => {
      const child = startParent({ commands, end: 'spawned', delay }, env);
      expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    });
    const named = (): number[] =>
      processes()
        .filter(({ pid }) => isRunning(pid) && commandLine(pid).includes(`\0${folder}\0`))
        .map(({ pid }) => pid);
    await expect.poll(named, { timeout: 10_000 }).toEqual([]);
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)('after %s, chosen as parentDeathSignal', async (signal) => {
    for (const { env, prepare } of Object.values(means)) {
      const pidFile = join(temporaryFolder(), 'pid');
      const commands = [['qemu-system-x86_64', ...bare, '-pidfile', pidFile]];
      const parent = await parentOf({ commands, options: { parentDeathSignal: signal } }, env());
      prepare(parent);
      parent.child.kill('SIGKILL');
      expect(await survivors(parent.pids)).toEqual([]);
      // QEMU removes the file only on an orderly exit.
      expect(existsSync(pidFile)).toBe(signal === 'SIGKILL');
    }
  });

  test('when the kernel has cleared the signal, as it does for programs that gain privileges', async () => {
    const commands = [['setpriv', '--pdeathsig', 'clear', 'qemu-system-x86_64', ...bare]];
    const { child, pids } = await parentOf({ commands });
    child.kill('SIGKILL');
    expect(await survivors(pids)).toEqual([]);
  });

  test('of further servers, after one has ended', async () => {
    const parent = await parentOf({ commands: [1, 2, 3].map(() => ['qemu-system-x86_64', ...bare]) }, withoutSetpriv());
    const [first = 0, ...others] = parent.pids;
    process.kill(first, 'SIGKILL');
    expect(await survivors([first])).toEqual([]);
    expect(others.filter(isRunning)).toEqual(others);
    parent.child.kill('SIGKILL');
    expect(await survivors(others)).toEqual([]);
  });
});

/** Wrapper scripts that do not exec the server: the text before and after the command. */
const wrappers: [name: string, before: string, after: string][] = [
  ['waits for the server', '', '; :'],
  ['discards its standard error', '', ' 2>/dev/null; :'],
  ['starts it in the background', '', ' & wait'],
  ['does not wait for it', '', ' & sleep 1'],
  ['cleans up', "trap 'sleep 0.1' TERM; ", '; :'],
  ['leaves a daemon that holds its standard error open', `setsid sleep 60 & echo $! >"$DAEMON"; exec `, ''],
];

describe.runIf(hasQemu)('a wrapper that', () => {
  /** Creates a wrapper. Returns the arguments of the program, and the file with the process ID of QEMU. */
  function wrap(before: string, after: string): { commands: string[][]; env: NodeJS.ProcessEnv; pidFile: string } {
    const folder = temporaryFolder();
    const wrapper = join(folder, 'wrapper');
    const pidFile = join(folder, 'pid');
    const daemon = join(folder, 'daemon');
    writeFileSync(wrapper, `#!/bin/sh\n${before}qemu-system-x86_64 "$@"${after}\n`, { mode: 0o755 });
    onTestFinished(() => {
      for (const file of [pidFile, daemon]) {
        if (existsSync(file) && isRunning(pidIn(file))) process.kill(pidIn(file), 'SIGKILL');
      }
    });
    return { commands: [[wrapper, ...bare, '-pidfile', pidFile]], env: { ...process.env, DAEMON: daemon }, pidFile };
  }

  const pidIn = (file: string): number => Number(readFileSync(file, 'utf8'));

  test.each(wrappers)('%s ends with its client, and the program can end', async (_, before, after) => {
    const { commands, env, pidFile } = wrap(before, after);
    const { child } = await parentOf({ commands, end: 'close', options: { stdout: 'pipe' } }, env);
    const qemu = pidIn(pidFile);
    const exited = once(child, 'exit');
    child.stdin?.write('end\n');
    expect(await exited).toEqual([0, null]);
    expect(isRunning(qemu)).toBe(false);
    // QEMU had time for an orderly exit.
    expect(existsSync(pidFile)).toBe(false);
  });

  test.each(wrappers)('%s ends with the program', async (_, before, after) => {
    const { commands, env, pidFile } = wrap(before, after);
    const { child } = await parentOf({ commands }, env);
    const qemu = pidIn(pidFile);
    child.kill('SIGKILL');
    expect(await survivors([qemu])).toEqual([]);
  });

  test('sends no greeting ends, with all processes that it started', async () => {
    const file = join(temporaryFolder(), 'pid');
    const args = ['-c', `sleep 60 & echo $! >${file}; wait`];
    const error = await failure(connect(launch('sh', args), { connectTimeout: 500 }));
    expect(error).toMatchObject({
      code: 'ERR_QMP_CONNECT',
      message: 'cannot connect to sh: no greeting within 500 ms',
    });
    expect(isRunning(pidIn(file))).toBe(false);
  });
});

// Only root can create a program that another user may start but not signal.
describe.runIf(hasQemu && hasSetpriv && process.getuid?.() === 0)('a server that this user may not signal', () => {
  test('does not keep the program from ending, and is reported', async () => {
    const folder = temporaryFolder();
    const sudo = join(folder, 'sudo');
    copyFileSync(findProgram('setpriv') ?? '', sudo);
    chmodSync(folder, 0o755);
    chmodSync(sudo, 0o4755);
    const commands = [[sudo, '--reuid', '0', 'qemu-system-x86_64', ...bare]];
    const { child, pids } = await parentOf({ commands, end: 'close', user: 65_534 });
    child.stdin?.write('end\n');
    const warning = text(child.stderr ?? Readable.from([]));
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(await warning).toContain(`${sudo} (process ${pids.join()}) could not be stopped: kill EPERM`);
    expect(pids.filter(isRunning)).toEqual(pids);
  });
});
