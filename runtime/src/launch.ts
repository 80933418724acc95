/** A server that this process starts, with its monitor on a socket pair: no path, no race, no stale file. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';

import type { Launch, Opened } from './address.js';
import { ConnectError } from './errors.js';

export interface LaunchOptions {
  /** How the server takes its monitor: QEMU by `-mon`, the storage daemon by `--monitor`. `-mon` unless told. */
  monitor?: '-mon' | '--monitor' | undefined;
  /** The server's working directory and environment; those of this process unless told. */
  cwd?: string | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  /** What becomes of the server's standard output; `ignore` unless told. `pipe` must be read. */
  stdout?: 'ignore' | 'inherit' | 'pipe' | undefined;
}

/** The file descriptor of the monitor in the server. */
const monitorFd = 3;
/** How much of the server's last words is kept. */
const stderrLimit = 16 * 1024;
/** How long a server may take to end before it is killed, in milliseconds. */
const endTimeout = 5000;

/**
 * What to give to `connect` to start a server, such as `connect(launch('qemu-system-x86_64', ['-machine', 'none']))`. The server is ended
 * when the client is closed.
 *
 * @param args without those for a monitor
 */
export function launch(command: string, args: readonly string[] = [], options: LaunchOptions = {}): Launch {
  return { launch: (signal) => start(command, args, options, signal) };
}

async function start(
  command: string,
  args: readonly string[],
  options: LaunchOptions,
  signal: AbortSignal,
): Promise<Opened> {
  const { monitor = '-mon', cwd, env, stdout = 'ignore' } = options;
  const chardev = ['-chardev', `socket,id=qapi-ts,fd=${monitorFd}`];
  const own =
    monitor === '-mon'
      ? [...chardev, '-mon', 'chardev=qapi-ts,mode=control']
      : ['-' + chardev[0], chardev[1] ?? '', monitor, 'chardev=qapi-ts'];
  const child = spawn(command, [...args, ...own], {
    stdio: ['ignore', stdout, 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env }),
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrLimit);
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`cannot start ${command}: ${error.message}`));
    child.once('close', (code, name) =>
      resolve(`${command} ended with ${name === null ? `status ${code}` : name}: ${stderr.trim()}`),
    );
  });
  const stream = child.stdio[monitorFd] as Duplex;
  if (child.pid === undefined) throw new ConnectError(await ended);
  signal.throwIfAborted();
  return {
    stream,
    process: child,
    diagnosis: () => Promise.race([ended, after(1000)]),
    dispose: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), endTimeout);
  await gone;
  clearTimeout(timer);
}

function after(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, undefined).unref());
}
