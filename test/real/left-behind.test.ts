/** What is left of launched servers when the program that launched them ends: nothing, however it ends. */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';

import type { LaunchOptions } from '@qapi-ts/runtime';
import { describe, expect, onTestFinished, test } from 'vitest';

import { repository } from '../support/compile.js';
import { bare, findProgram, installed, isRunning, kill, qemus, temporaryFolder } from '../support/servers.js';

const program = join(repository, 'test/support/parent.js');

/** What the program is told; see there. */
interface Task {
  readonly commands: readonly (readonly string[])[];
  readonly end?: string;
  readonly inWorker?: boolean;
  readonly options?: LaunchOptions;
}

interface Parent {
  readonly child: ChildProcess;
  /** Of the servers. */
  readonly pids: readonly number[];
}

function startParent(task: Task, env: NodeJS.ProcessEnv = process.env): ChildProcess {
  const child = spawn(process.execPath, [program, JSON.stringify(task)], {
    cwd: repository,
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  onTestFinished(() => kill(child));
  return child;
}

/** A program that has launched its servers, and waits. */
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

/** Kills the process that waits for the end of the program. */
function killWatcher({ child }: Parent): void {
  const watchers = processes().filter(({ name, parent }) => parent === child.pid && name === 'sh');
  expect(watchers).toHaveLength(1);
  for (const { pid } of watchers) process.kill(pid, 'SIGKILL');
}

/** An environment without setpriv, as on other systems. */
function withoutSetpriv(): NodeJS.ProcessEnv {
  const folder = temporaryFolder();
  for (const name of ['sh', 'node', 'qemu-system-x86_64']) symlinkSync(findProgram(name) ?? name, join(folder, name));
  return { ...process.env, PATH: folder };
}

const hasSetpriv = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0;
const all = qemus('what is left of launched servers');
const servers = all.map(({ program: path }) => [path('qemu-system-x86_64'), ...bare]);

/** Which of the two that end servers does it. */
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

/** Works on all items, some at a time: the machine has to start many servers. */
async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const entries = items.entries();
  const takeAll = async (): Promise<void> => {
    for (const [index, item] of entries) results[index] = await work(item);
  };
  await Promise.all([takeAll(), takeAll(), takeAll(), takeAll()]);
  return results;
}

/** The pids of those that do not end. */
async function survivors(pids: readonly number[]): Promise<number[]> {
  for (let left = 500; left > 0 && pids.some(isRunning); left -= 1) await pause(20);
  return pids.filter(isRunning);
}

describe.runIf(all.length > 0)(`of QEMU ${all.map(({ version }) => version).join(', ')}, nothing is left`, () => {
  test.each(Object.entries(means))('by %s', async (_, { env, prepare }) => {
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
  }, 60_000);
});
