/** Launches a server with its monitor on a socket pair, so there is no path, no race and no stale socket file. */

import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

import type { Ending, Launch, Opened } from './address.js';
import { ConnectError, ConnectionLostError } from './errors.js';
import { anObject, aString, checkParameter, oneOf, optionsOf, strings, type OptionChecks } from './options.js';
import { hideSecrets, secretsOfCommandLine } from './secrets.js';
import { spawnWatched, type Spawned } from './spawn.js';

export interface LaunchOptions {
  /** The server's option for its monitor: `-qmp` for QEMU (the default), or `--monitor` for the storage daemon. */
  monitor?: '-qmp' | '--monitor' | undefined;
  /** The server's working directory and environment; by default, those of this process. */
  cwd?: string | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  /**
   * What to do with the server's standard output; `ignore` by default. If it is `pipe`, the program must read
   * `process.stdout` of the client.
   */
  stdout?: 'ignore' | 'inherit' | 'pipe' | undefined;
  /**
   * The signal sent to the server if the thread that launched it ends before the client is closed, for whatever reason.
   * The default is `SIGKILL`, which cannot be delayed; like a power failure, it loses data that the guest has not
   * flushed. On `SIGTERM`, QEMU closes its disk images first, but a QEMU that hangs keeps running.
   */
  parentDeathSignal?: 'SIGKILL' | 'SIGTERM' | undefined;
}

const launchChecks: OptionChecks<LaunchOptions> = {
  monitor: oneOf('-qmp', '--monitor'),
  cwd: aString,
  env: anObject,
  stdout: oneOf('ignore', 'inherit', 'pipe'),
  parentDeathSignal: oneOf('SIGKILL', 'SIGTERM'),
};

/** The server's file descriptor for the monitor. */
const monitorFd = 3;
/** The number of characters of standard error that are kept. */
const stderrLimit = 16 * 1024;
/** How long the server may take to end before it is killed, in milliseconds. */
const endTimeout = 5000;
/** How long to wait for something that should happen immediately, in milliseconds. */
const grace = 1000;
/** The interval for polling a process group, in milliseconds. */
const pollInterval = 20;

/**
 * Returns an address that makes `connect` start a server:
 * `connect(launch('qemu-system-x86_64', ['-machine', 'none']))`. The server is stopped when the client is closed, or
 * when the thread that launched it ends.
 *
 * @param args the server's arguments, without a monitor
 * @throws TypeError for an invalid parameter or option
 */
export function launch(command: string, args: readonly string[] = [], options?: LaunchOptions): Launch {
  checkParameter('command', command, aString);
  checkParameter('args', args, strings);
  const checked = optionsOf(options, launchChecks);
  return { launch: () => start(command, args, checked) };
}

async function start(command: string, args: readonly string[], options: LaunchOptions): Promise<Opened> {
  try {
    const server = new Server(command, args, await spawn(command, args, options));
    return {
      stream: server.stream,
      where: command,
      process: server.child,
      ended: server.ended,
      dispose: () => server.end(),
      fail: (error) => server.fail(error),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // Do not pass on the error itself: Node's errors contain all arguments, including secrets.
    throw new ConnectError(`cannot start ${command === '' ? '""' : command}: ${reason}`);
  }
}

function spawn(command: string, args: readonly string[], options: LaunchOptions): Promise<Spawned> {
  const { monitor = '-qmp', cwd = '.', env = process.env, stdout = 'ignore', parentDeathSignal = 'SIGKILL' } = options;
  if (process.platform === 'win32')
    throw new Error('launch requires a Unix system; connect to a path or a port instead');
  // Check here, because Node's error would quote the argument, including secrets.
  const hasNul = [command, ...args, cwd, ...Object.values(env)].some((text) => String(text).includes('\0'));
  if (hasNul) throw new Error('the command, its arguments, cwd and env must not contain null bytes');
  const daemonize = args.find((arg) => /^--?daemonize(?:=|$)/u.test(arg));
  if (daemonize !== undefined) {
    throw new Error(
      `${daemonize} would detach the server: remove that argument, or start the server yourself and connect to it`,
    );
  }
  const chardev = `socket,id=qapi-ts,fd=${monitorFd}`;
  // QEMU also supports `-mon`, but that has been deprecated since 11.1.
  const own =
    monitor === '-qmp'
      ? ['-chardev', chardev, '-qmp', 'chardev:qapi-ts']
      : ['--chardev', chardev, monitor, 'chardev=qapi-ts'];
  const stdio = ['ignore', stdout, 'pipe', 'pipe'] as const;
  return spawnWatched(command, [...args, ...own], { cwd, env, stdio, deathSignal: parentDeathSignal });
}

class Server {
  readonly child: ChildProcess;
  readonly stream: Duplex;
  /**
   * Resolves when the process group has ended and its handles are released, or when the attempt to stop it has failed.
   */
  readonly ended: Promise<Ending>;
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #spawned: Spawned;
  /** Resolves to the exit status or signal of the process group's leader. */
  readonly #exited: Promise<string>;
  #resolveEnded: (ending: Ending) => void = () => {};
  #isEnding = false;
  readonly #stderr: Readable;
  #errorText = '';

  constructor(command: string, args: readonly string[], spawned: Spawned) {
    const { child } = spawned;
    this.#command = command;
    this.#args = args;
    this.#spawned = spawned;
    this.child = child;
    this.stream = child.stdio[monitorFd] as Duplex;
    this.#stderr = child.stderr as Readable;
    this.#stderr.setEncoding('utf8').on('error', () => {});
    this.#stderr.on('data', (text: string) => {
      const whole = this.#errorText + text;
      // Drop the truncated first word: a secret cut in two would not be recognized.
      this.#errorText = whole.length <= stderrLimit ? whole : whole.slice(-stderrLimit).replace(/^\S*/u, '');
    });
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, name) => resolve(name ?? `status ${code}`));
    });
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    void this.#exited.then((how) => this.#finish(how));
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    this.#signal('SIGTERM');
    if ((await within(endTimeout, this.#exited)) === undefined) {
      const problem = this.#signal('SIGKILL') ?? 'it is still running after SIGKILL';
      if ((await within(grace, this.#exited)) === undefined) this.#abandon(problem);
    }
    await this.ended;
  }

  /** Returns a description of the error, including how the server ended. */
  async fail(error: Error): Promise<string> {
    // If the server closed the connection because it is exiting, wait for it to exit: its last output explains why.
    const isOver = error instanceof ConnectionLostError && (await within(grace, this.#exited)) !== undefined;
    await this.end();
    return isOver
      ? (await this.ended).text
      : `cannot connect to ${this.#command}: ${error.message}${this.#lastWords()}`;
  }

  #signal(signal: NodeJS.Signals): string | undefined {
    // Once the leader has ended, its process group ID may belong to another process.
    const { exitCode, signalCode } = this.child;
    return exitCode === null && signalCode === null ? signalGroup(this.#spawned.pid, signal) : undefined;
  }

  async #finish(how: string): Promise<void> {
    // The children of a wrapper script must end with the wrapper.
    await endRest(this.#spawned.pid);
    this.#spawned.unwatch();
    await within(grace, Promise.all([this.stream, this.#stderr].map(closed)));
    this.#release();
    const orderly = how === 'status 0' || this.#isEnding || this.child.killed;
    this.#resolveEnded({ text: `${this.#command} ended with ${how}${this.#lastWords()}`, orderly });
  }

  #abandon(problem: string): void {
    this.child.unref();
    this.#release();
    const text = `${this.#command} (process ${this.#spawned.pid}) could not be stopped: ${problem}${this.#lastWords()}`;
    this.#resolveEnded({ text, orderly: false });
  }

  /**
   * Closes this side of the streams. Otherwise, a process outside the group that holds the other ends would keep this
   * program running.
   */
  #release(): void {
    this.stream.destroy();
    this.#stderr.destroy();
    // The caller may be reading it.
    (this.child.stdout as Socket | null)?.unref();
  }

  #lastWords(): string {
    const text = this.#errorText.trim();
    return text === '' ? '' : `: ${hideSecrets(text, secretsOfCommandLine(this.#args))}`;
  }
}

/**
 * Signals a process group.
 *
 * @returns the reason why this failed
 */
function signalGroup(group: number, signal: NodeJS.Signals | 0): string | undefined {
  try {
    process.kill(-group, signal);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Ends the rest of a process group just after its leader has ended, before the group ID can be reused. */
async function endRest(group: number): Promise<void> {
  if (signalGroup(group, 'SIGTERM') !== undefined) return;
  for (const end = performance.now() + endTimeout; performance.now() < end; await pause(pollInterval)) {
    if (!(await hasRunning(group))) return;
  }
  signalGroup(group, 'SIGKILL');
}

/**
 * Returns whether a process of the group is running. Zombies do not count: the init process of a container often leaves
 * them unreaped.
 */
async function hasRunning(group: number): Promise<boolean> {
  if (signalGroup(group, 0) !== undefined) return false;
  if (process.platform !== 'linux') return true;
  const { readdir, readFile } = await import('node:fs/promises');
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/u.test(name)) continue;
    // The process name is arbitrary text, so parse only what follows it. See proc_pid_stat(5).
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const [state = '', , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (processGroup === String(group) && state !== 'Z') return true;
  }
  return false;
}

function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) resolve();
    else stream.once('close', resolve);
  });
}

/** Resolves to undefined if the promise takes longer. */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
