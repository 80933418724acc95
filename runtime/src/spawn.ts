/** Spawns processes that do not outlive this one. */

import type { ChildProcess, spawn as Spawn } from 'node:child_process';
import type { Socket } from 'node:net';

// A server must not outlive this process, but a process cannot clean up when it is killed. Two mechanisms do it
// instead:
//
// - On Linux, the kernel signals the server when the thread that started it ends; `setpriv` of util-linux requests
//   this. The kernel clears the request when a program gains privileges (set-uid, set-gid, file capabilities) or
//   changes its user (`-runas`). It covers only the process itself, not the children of a wrapper.
// - A watcher, one `sh` for all servers of this thread, waits for the end of a pipe that this thread holds, and then
//   signals the servers' process groups. It works on every Unix and in all of these cases, unless the watcher itself is
//   killed.
//
// It is not known in advance whether the first mechanism suffices (Node cannot read capabilities), so both are used
// where available. A process survives only if it leaves its process group or this user may not signal it. Both
// mechanisms together add 2 ms to a launch, another 2 ms if the watcher has to be started, and 3 ms once to try
// `setpriv`.
//
// There are no signal handlers: they would change how the program ends, or stop servers in the middle of the program's
// own shutdown.

/**
 * Registers the process group with the watcher, unless the parent has already ended, and executes the server. File
 * descriptor 4 is the watcher's pipe.
 */
const startScript = `[ "$PPID" = "$1" ] || exit; echo "+ $$ $2" >&4; shift 2; exec "$@" 4>&-`;

/**
 * Reads lines of `+ GROUP SIGNAL` and `- GROUP SIGNAL`. Ignores signals that are sent to a whole service or terminal,
 * so that the watcher does not end early.
 */
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
  /** Call this when the process group has ended: its ID may then be reused. */
  readonly unwatch: () => void;
}

type Stdio = 'ignore' | 'inherit' | 'pipe';

export interface Spawning {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** For file descriptors 0 to 3. */
  readonly stdio: readonly [Stdio, Stdio, Stdio, Stdio];
  /** Sent to the process group when this thread ends. */
  readonly deathSignal: 'SIGKILL' | 'SIGTERM';
}

/**
 * Spawns a program as the leader of a process group that ends with this thread.
 *
 * @throws Error if it cannot be started
 */
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

/** @throws Error if the process could not be started */
function pidOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    // A signal that cannot be sent also causes an error event.
    child.on('error', reject);
    if (child.pid !== undefined) resolve(child.pid);
  });
}

class Watcher {
  /** Rejects if the watcher could not be started. */
  readonly started: Promise<unknown>;
  /** Undefined if the watcher could not be started. */
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
    // The watcher need not keep this program running: servers do.
    child.unref();
    this.input?.unref();
  }

  add(): void {
    this.#servers += 1;
  }

  /** @param line the line to send to the watcher */
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

/**
 * Returns the file that a shell would execute for a command.
 *
 * @throws Error if there is none
 */
async function findProgram(command: string, cwd: string, folders = '/usr/bin:/bin'): Promise<string> {
  const { access, constants, stat } = await import('node:fs/promises');
  const path = await import('node:path');
  if (command === '') throw new Error('the command is empty');
  // Otherwise, a missing working directory would be reported as a missing program.
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
  throw new Error(isDenied ? 'EACCES: permission denied' : 'ENOENT: not found in PATH');
}

/** The path of a `setpriv` that knows the option, if there is one: util-linux 2.33 and later do, BusyBox does not. */
let usableSetpriv: Promise<string | undefined> | undefined;

async function findSetpriv(): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    const program = await findProgram('setpriv', '.', process.env['PATH']);
    const { execFile } = await import('node:child_process');
    return await new Promise((resolve) => {
      execFile(program, ['--pdeathsig', 'KILL', '/bin/sh', '-c', ':'], (error) => {
        // Try again next time: the failure may be temporary, such as too many open files.
        if (typeof error?.code === 'string') usableSetpriv = undefined;
        resolve(error ? undefined : program);
      });
    });
  } catch {
    return undefined;
  }
}
