/** Real servers for tests. Each ends with the test that started it, even if the test fails. */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { connect, type Client } from '@qapi-ts/qemu/qmp';
import { launch, type ConnectOptions } from '@qapi-ts/runtime';
import { onTestFinished, vi } from 'vitest';

import { repository } from './compile.js';

/** Folders of system programs, which may be missing from a user's PATH. */
const furtherFolders = ['/usr/sbin', '/usr/local/sbin'];

/** Returns the path of a program, or undefined if it is not installed. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...furtherFolders];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Returns whether programs that tests need are installed. If not, prints a warning or, in CI, throws an error. */
export function installed(names: readonly string[], leftOut: string): boolean {
  const missing = names.filter((name) => !findProgram(name));
  if (missing.length > 0) leaveOut(`${missing.join(', ')} (scripts/install-qemu)`, leftOut);
  return missing.length === 0;
}

function leaveOut(missing: string, leftOut: string): void {
  const problem = `SKIPPED, missing ${missing}: ${leftOut}`;
  if (process.env['CI']) throw new Error(problem);
  console.warn(problem);
}

/** A QEMU that tests can start. */
export interface Qemu {
  /** Its major and minor version, such as `7.2`. */
  readonly version: string;
  /** The path of one of its programs: `qemu-system-x86_64`, `qemu-storage-daemon` or `qemu-img`. */
  readonly program: (name: string) => string;
}

/** Returns the available QEMUs: the installed one, and those of scripts/install-qemus. Reports missing ones. */
export function qemus(leftOut: string): Qemu[] {
  const found: Qemu[] = [];
  const add = (program: Qemu['program'], from: string): void => {
    const { stdout } = spawnSync(program('qemu-system-x86_64'), ['--version'], { encoding: 'utf8' });
    const version = /version (\d+\.\d+)/u.exec(stdout ?? '')?.[1];
    if (version === undefined) leaveOut(from, leftOut);
    else found.push({ version, program });
  };
  add((name) => findProgram(name) ?? name, 'QEMU (scripts/install-qemu)');
  for (const suite of ['trixie', 'trixie-backports']) {
    add((name) => join(repository, '.cache/servers', suite, name), `the QEMU of ${suite} (scripts/install-qemus)`);
  }
  return found;
}

/** Returns whether a process is running. Zombies are not; the init process of a container may leave them unreaped. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /u.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

const paused = ['-accel', 'tcg', '-nodefaults', '-display', 'none', '-S'];
/** The arguments of a minimal server, enough for a working monitor. */
export const bare = ['-machine', 'none', ...paused];
/** The arguments of a machine with devices, and with a bus that unplugs without the guest. */
export const pc = ['-machine', 'pc', '-m', '64', ...paused, '-device', 'qemu-xhci'];

/** Launches a QEMU. */
export async function launchQemu(args: readonly string[] = bare, options?: ConnectOptions): Promise<Client> {
  const vm = await connect(launch('qemu-system-x86_64', args), options);
  onTestFinished(() => kill(vm.process));
  return vm;
}

/**
 * Returns the arguments for another monitor, which listens on a socket once the first has sent its greeting.
 *
 * @param address the socket's address, in the form of character device options
 * @param monitor further options of the monitor
 */
export function monitorAt(address: string, monitor: readonly string[] = []): string[] {
  const chardev = `socket,id=more,${address},server=on,wait=off`;
  return ['-chardev', chardev, '-mon', ['chardev=more', 'mode=control', ...monitor].join(',')];
}

/** Starts a program that runs until the test ends. */
export function start(name: string, args: readonly string[]): ChildProcess {
  const child = spawn(findProgram(name) ?? name, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  onTestFinished(() => kill(child));
  return child;
}

/** Kills a process, and waits until it has ended. */
export async function kill(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Closes a server within this process, and its connections, at the end of the test. */
export function closeWithTest(server: Server): void {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
}

/** Creates a folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'qapi-ts-real-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Retries until a server listens. */
export function whenListening<T>(attempt: () => Promise<T>): Promise<T> {
  return vi.waitFor(attempt, { interval: 10, timeout: 10_000 });
}
