/** A server that this process starts, with its monitor on a socket pair: no path, no race, no stale file. */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

import type { Ending, Launch, Opened } from './address.js';
import { ConnectError, ConnectionLostError } from './errors.js';
import { anObject, aString, checkParameter, oneOf, optionsOf, strings, type OptionChecks } from './options.js';

export interface LaunchOptions {
  /** How the server takes its monitor: QEMU by `-mon`, the storage daemon by `--monitor`. `-mon` unless told. */
  monitor?: '-mon' | '--monitor' | undefined;
  /** The server's working directory and environment; those of this process unless told. */
  cwd?: string | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  /** What becomes of the server's standard output; `ignore` unless told. `pipe` must be read. */
  stdout?: 'ignore' | 'inherit' | 'pipe' | undefined;
}

const launchChecks: OptionChecks<LaunchOptions> = {
  monitor: oneOf('-mon', '--monitor'),
  cwd: aString,
  env: anObject,
  stdout: oneOf('ignore', 'inherit', 'pipe'),
};

/** The file descriptor of the monitor in the server. */
const monitorFd = 3;
/** How much of the server's last words is kept. */
const stderrLimit = 16 * 1024;
/** How long a server may take to end before it is killed, in milliseconds. */
const endTimeout = 5000;

/**
 * What to give to `connect` to start a server, such as `connect(launch('qemu-system-x86_64', ['-machine', 'none']))`. The server is ended
 * when the client is closed, or this process exits.
 *
 * @param args without those for a monitor
 * @throws TypeError for an invalid parameter or option
 */
export function launch(command: string, args: readonly string[] = [], options?: LaunchOptions): Launch {
  checkParameter('command', command, aString);
  checkParameter('args', args, strings);
  const checked = optionsOf(options, launchChecks);
  return { launch: () => start(command, args, checked) };
}

async function start(command: string, args: readonly string[], options: LaunchOptions): Promise<Opened> {
  const { monitor = '-mon', cwd, env, stdout = 'ignore' } = options;
  const chardev = ['-chardev', `socket,id=qapi-ts,fd=${monitorFd}`];
  const own =
    monitor === '-mon'
      ? [...chardev, '-mon', 'chardev=qapi-ts,mode=control']
      : ['-' + chardev[0], chardev[1] ?? '', monitor, 'chardev=qapi-ts'];
  // It takes long to load, and most programs do not need it.
  const { spawn } = await import('node:child_process');
  const child = spawn(command, [...args, ...own], {
    stdio: ['ignore', stdout, 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env }),
  });
  endWithProcess(child);
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrLimit);
  });
  const lastWords = (): string => (stderr.trim() === '' ? '' : `: ${stderr.trim()}`);
  const ended = new Promise<Ending>((resolve) => {
    child.once('error', (error) => resolve({ text: `cannot start ${command}: ${error.message}`, orderly: false }));
    child.once('close', (code, name) => {
      const text = `${command} ended with ${name === null ? `status ${code}` : name}${lastWords()}`;
      resolve({ text, orderly: code === 0 || child.killed });
    });
  });
  if (child.pid === undefined) throw new ConnectError((await ended).text);
  return {
    stream: child.stdio[monitorFd] as Duplex,
    where: command,
    process: child,
    ended,
    dispose: () => end(child),
    fail: async (error) => {
      // Whoever closes the connection is about to end, and the reason for that is worth a wait.
      const ending =
        error instanceof ConnectionLostError
          ? await Promise.race([ended, pause(1000, undefined, { ref: false })])
          : undefined;
      await end(child);
      return ending?.text ?? `cannot connect to ${command}: ${error.message}${lastWords()}`;
    },
  };
}

/** Servers that run. */
const running = new Set<ChildProcess>();

/** Ends a server with this process, when that exits without having closed its clients. */
function endWithProcess(child: ChildProcess): void {
  if (child.pid === undefined) return;
  if (running.size === 0) process.on('exit', endAll);
  running.add(child);
  child.once('exit', () => {
    running.delete(child);
    if (running.size === 0) process.off('exit', endAll);
  });
}

function endAll(): void {
  for (const child of running) child.kill('SIGTERM');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), endTimeout);
  await gone;
  clearTimeout(timer);
}
