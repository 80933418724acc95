/** Processes that do not outlive this one. */

import type { ChildProcess, spawn as Spawn } from 'node:child_process';
import type { Socket } from 'node:net';

// A server must not outlive this process, and a process that is killed cannot see to that itself. Two others do:
//
// - On Linux, the kernel signals the server when the thread ends that started it; `setpriv` of util-linux asks for that. The kernel
//   forgets it when a program gains privileges (set-uid, set-gid, file capabilities) or changes its user (`-runas`). It covers only the
//   process that was started, not the children of a wrapper.
// - A watcher, one `sh` for all servers of this thread, waits for the end of a pipe that this thread holds, and then signals their
//   process groups. It works on every Unix and in all of these cases, unless somebody kills the watcher itself.
//
// Whether the first suffices is unknown beforehand (Node cannot read capabilities), so both are always there, as far as possible. What
// can stay is a process that leaves its group, or one that this user may not signal. All of it adds 2 ms to a start; 2 ms more where the
// watcher has to be started, and 3 ms once to try `setpriv`.
//
// There are no signal handlers: they would change how the program ends, or end servers in the middle of its own shutdown.

/** The file descriptor of the watcher's pipe in a server, until that is executed. */
const watcherFd = 4;

/** Registers itself with the watcher, unless the parent has ended in the meantime, and becomes the server. */
const startScript = `[ "$PPID" = "$1" ] || exit; echo "+ $$ $2" >&${watcherFd}; shift 2; exec "$@" ${watcherFd}>&-`;

/** Reads lines of `+ GROUP SIGNAL` and `- GROUP SIGNAL`. A signal to a whole service or terminal must not end it early. */
const watchScript = `
trap '' HUP INT QUIT TERM
groups=
while read -r sign group signal; do
  kept=
  for entry in $groups; do
    [ "$entry" = "$group:$signal" ] || kept="$kept $entry"
  done
  groups=$kept
  [ "$sign" = - ] || groups="$groups $group:$signal"
done
for entry in $groups; do
  kill -s "\${entry#*:}" -- "-\${entry%:*}"
done`;

export interface Spawned {
  /** The leader of a process group. */
  readonly child: ChildProcess;
  readonly pid: number;
  /** To be called when the process group has ended: its number may then be given to another. */
  readonly unwatch: () => void;
}

type Stdio = 'ignore' | 'inherit' | 'pipe';

export interface Spawning {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Of the file descriptors 0 to 3. */
  readonly stdio: readonly [Stdio, Stdio, Stdio, Stdio];
  /** Sent to the process group when this thread ends. */
  readonly deathSignal: 'SIGKILL' | 'SIGTERM';
}

/** Starts a program as the leader of a process group, and sees to its end. @throws Error when it cannot be started */
export async function spawnWatched(command: string, args: readonly string[], options: Spawning): Promise<Spawned> {
  const { cwd, env, stdio, deathSignal } = options;
  const signal = deathSignal.slice('SIG'.length);
  const path = await findProgram(command, cwd, env['PATH']);
  const starter = ['/bin/sh', '-c', startScript, 'sh', String(process.pid), signal];
  const setpriv = await (usableSetpriv ??= findSetpriv());
  const [program = '', ...rest] = [
    ...(setpriv === undefined ? [] : [setpriv, '--pdeathsig', signal]),
    ...starter,
    path,
    ...args,
  ];
  const { spawn } = await import('node:child_process');
  const watcher = (currentWatcher ??= new Watcher(spawn));
  watcher.add();
  try {
    await watcher.started;
    const child = spawn(program, rest, { cwd, env, stdio: [...stdio, watcher.input], detached: true });
    const pid = await pidOf(child);
    return { child, pid, unwatch: () => watcher.remove(`- ${pid} ${signal}\n`) };
  } catch (error) {
    watcher.remove('');
    throw error;
  }
}

/** @throws Error when there is none, because it could not be started */
function pidOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    // A signal that may not be sent is an error event, too.
    child.on('error', reject);
    if (child.pid !== undefined) resolve(child.pid);
  });
}

class Watcher {
  /** Rejects if it could not be started. */
  readonly started: Promise<unknown>;
  /** There once it has started. */
  readonly input: Socket | undefined;
  #servers = 0;

  constructor(spawn: typeof Spawn) {
    const child = spawn('/bin/sh', ['-c', watchScript], {
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
      env: {},
      detached: true,
    });
    this.started = pidOf(child);
    // Without a process there are no streams.
    this.input = child.stdin as Socket | undefined;
    child.once('error', () => this.#retire()).once('exit', () => this.#retire());
    this.input?.on('error', () => {});
    // It is there as long as a server is, and that keeps the program running already.
    child.unref();
    this.input?.unref();
  }

  add(): void {
    this.#servers += 1;
  }

  /** @param line what it should read */
  remove(line: string): void {
    this.#servers -= 1;
    this.input?.write(line);
    if (this.#servers > 0) return;
    this.input?.end();
    this.#retire();
  }

  #retire(): void {
    if (currentWatcher === this) currentWatcher = undefined;
  }
}

let currentWatcher: Watcher | undefined;

/** The file that a shell would execute as this command. @throws Error when there is none */
async function findProgram(command: string, cwd: string, folders = '/usr/bin:/bin'): Promise<string> {
  const { access, constants, stat } = await import('node:fs/promises');
  const path = await import('node:path');
  if (command === '') throw new Error('a command is needed');
  // Otherwise the program would seem to be missing.
  await access(cwd, constants.X_OK);
  const hasFolder = command.includes('/');
  let isDenied = false;
  for (const folder of hasFolder ? [''] : folders.split(':')) {
    const file = path.resolve(cwd, folder, command);
    const found = await stat(file).catch((error: unknown) => {
      if (hasFolder) throw error;
    });
    if (!found) continue;
    isDenied = true;
    const isExecutable = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isExecutable && found.isFile()) return file;
  }
  throw new Error(isDenied ? 'EACCES: it may not be executed' : 'ENOENT: it is not in PATH');
}

/** Whether there is one that knows the option: not before util-linux 2.33, nor in BusyBox. */
let usableSetpriv: Promise<string | undefined> | undefined;

async function findSetpriv(): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    const program = await findProgram('setpriv', '.', process.env['PATH']);
    const { execFile } = await import('node:child_process');
    return await new Promise((resolve) => {
      execFile(program, ['--pdeathsig', 'KILL', '/bin/sh', '-c', ':'], (error) => {
        // What could not be tried now may be there later: a process may have too many files open.
        if (typeof error?.code === 'string') usableSetpriv = undefined;
        resolve(error ? undefined : program);
      });
    });
  } catch {
    return undefined;
  }
}
