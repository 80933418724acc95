/** Servers launched by the client. */

import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { inspect, promisify } from 'node:util';

import { connect } from '@qapi-ts/qemu/qmp';
import { ConnectError, launch, type Launch, type LaunchOptions, type LogEntry } from '@qapi-ts/runtime';
import { describe, expect, test } from 'vitest';

import { failure } from '../support/client.js';
import { repository } from '../support/compile.js';
import { bare, installed, launchQemu, qemus, temporaryFolder } from '../support/servers.js';

describe.runIf(installed(['qemu-system-x86_64'], 'launching a real QEMU'))('a launched server', () => {
  test('ends when the client is closed', async () => {
    const vm = await launchQemu();
    const { process } = vm;
    await vm.close();
    expect(process).toMatchObject({ exitCode: 0, signalCode: null });
    await vm.close();
  });

  test('that does not start is reported in the error', async () => {
    const cases: [what: Launch, message: string | RegExp][] = [
      [launch('qemu-system-nothing'), 'cannot start qemu-system-nothing: ENOENT: not found in PATH'],
      [launch('/nothing/qemu'), /^cannot start \/nothing\/qemu: ENOENT: no such file/u],
      [launch('/etc/passwd'), 'cannot start /etc/passwd: EACCES: permission denied'],
      [launch('/etc'), 'cannot start /etc: EACCES: permission denied'],
      [launch(''), 'cannot start "": the command is empty'],
      [launch('q\0mu'), /^cannot start q\\u\{0000\}mu: .*null bytes$/u],
      [launch('sh', ['a\0b']), /^cannot start sh: .*null bytes/u],
      [launch('sh', [], { env: { A: '\0' } }), /^cannot start sh: .*null bytes/u],
      [launch('sh', ['x'.repeat(200_000)]), 'cannot start sh: spawn E2BIG'],
      [launch('sh', [], { cwd: '/nothing' }), /^cannot start sh: ENOENT: .*'\/nothing'$/u],
      [
        launch('qemu-system-x86_64', ['-no-such-option']),
        /^qemu-system-x86_64 ended with status 1: .*-no-such-option: invalid option$/u,
      ],
      [launch('qemu-system-x86_64', [...bare, '-device', 'nothing']), /'nothing' is not a valid device/u],
      [launch('qemu-system-x86_64', ['-version']), 'qemu-system-x86_64 ended with status 0'],
      [launch('sh', ['-c', 'echo "not today" >&2; kill -9 $$']), 'sh ended with SIGKILL: not today'],
    ];
    for (const [what, message] of cases) {
      const error = await failure(connect(what));
      expect(error).toBeInstanceOf(ConnectError);
      expect(error).toMatchObject({ message: typeof message === 'string' ? message : expect.stringMatching(message) });
    }
  });

  test('that does not start is reported without secrets', async () => {
    for (const secret of ['secret,id=s0,data=hunter2\0', `secret,id=s0,data=hunter2,${'x'.repeat(200_000)}`]) {
      const error = await failure(connect(launch('sh', ['-object', secret])));
      expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
    }
  });

  test('that cannot be started for lack of file descriptors causes an ordinary error', async () => {
    const script = `
      import { openSync } from 'node:fs';
      import { Connection, launch } from '@qapi-ts/runtime';
      const start = () => Connection.open(launch('true'), { handshake: 'greeting', withoutReply: [] });
      const print = ({ name }) => console.log(name);
      await start().catch(print);
      try { for (;;) openSync('/dev/null'); } catch {}
      await start().catch(print);`;
    const command = 'ulimit -n 60; exec "$0" --input-type=module --eval "$1"';
    const { stdout } = await promisify(execFile)('sh', ['-c', command, process.execPath, script], { cwd: repository });
    expect(stdout).toBe('ConnectError\nConnectError\n');
  });

  test('is stopped when it sends no greeting', async () => {
    const error = await failure(connect(launch('sh', ['-c', 'echo $$ >&2; exec sleep 60']), { connectTimeout: 200 }));
    expect(error).toMatchObject({
      code: 'ERR_QMP_CONNECT',
      message: expect.stringMatching(/^cannot connect to sh: no greeting within 200 ms: \d+$/u),
    });
    const pid = Number(/\d+$/u.exec((error as Error).message)?.[0]);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  test('that is killed ends the calls', async () => {
    const vm = await launchQemu();
    const calls = [vm.queryQmpSchema(), vm.queryStatus()].map(failure);
    vm.process?.kill('SIGKILL');
    for (const error of await Promise.all(calls)) expect(error).toMatchObject({ code: 'ERR_QMP_CONNECTION_LOST' });
    await vm.close();
  });

  test.each([
    ['crashes', 'SIGABRT', { level: 'warn', message: 'qemu-system-x86_64 ended with SIGABRT' }],
    ['is terminated', 'SIGTERM', { level: 'info', message: expect.stringContaining('terminating on signal 15') }],
  ] as const)('that %s is logged, with its last output', async (_, signal, want) => {
    const log: LogEntry[] = [];
    const vm = await launchQemu(bare, { log: (entry) => log.push(entry) });
    // Do not use `vm.process.kill`: the client would then expect the end.
    process.kill(vm.process?.pid ?? 0, signal);
    await expect.poll(() => log).toContainEqual(expect.objectContaining(want));
    await vm.close();
  });

  test('writes to the chosen stdout', async () => {
    const args = [...bare, '-serial', 'stdio'];
    await using vm = await connect(
      launch('qemu-system-x86_64', args, { stdout: 'pipe', env: { LC_ALL: 'C' }, cwd: '/' }),
    );
    const { process } = vm;
    expect(process?.stdout).not.toBe(null);
    const written = process?.stdout && text(process.stdout);
    await vm.quit();
    expect(await written).toBe('');
  });

  test('receives exactly its arguments', async () => {
    const args = ['', '-x', 'a b', 'two\nlines', '$HOME', "'", '--'];
    const folder = temporaryFolder();
    const script = '#!/bin/sh\nfor arg; do printf "[%s]" "$arg"; done >&2; echo " $OWN $(pwd)" >&2\n';
    for (const name of ['server', '-server']) writeFileSync(join(folder, name), script, { mode: 0o755 });
    const own = '[-chardev][socket,id=qapi-ts,fd=3][-qmp][chardev:qapi-ts]';
    const given = args.map((arg) => `[${arg}]`).join('');
    // Without a PATH, the shell has a default, which the server does not inherit.
    const env = { OWN: 'value' };
    const cases: [command: string, options: LaunchOptions][] = [
      [join(folder, 'server'), { env, cwd: folder }],
      ['./server', { env, cwd: folder }],
      ['./-server', { env, cwd: folder }],
      [relative(process.cwd(), join(folder, 'server')), { env, cwd: '.' }],
      ['server', { env: { ...env, PATH: folder }, cwd: folder }],
      ['-server', { env: { ...env, PATH: `/nothing:${folder}` }, cwd: folder }],
      ['server', { env: { ...env, PATH: '' }, cwd: folder }],
      ['sub/../server', { env, cwd: folder }],
    ];
    mkdirSync(join(folder, 'sub'));
    for (const [command, options] of cases) {
      const cwd = options.cwd === '.' ? process.cwd() : folder;
      const message = `${command} ended with status 0: ${given}${own} value ${cwd}`;
      expect(await failure(connect(launch(command, args, options)))).toMatchObject({ message });
    }
  });

  test('reports its own exit status and process ID', async () => {
    const cases: [script: string, message: string][] = [
      ['exit 126', 'sh ended with status 126'],
      ['exit 255', 'sh ended with status 255'],
      ['kill -SEGV $$', 'sh ended with SIGSEGV'],
    ];
    for (const [script, message] of cases) {
      expect(await failure(connect(launch('sh', ['-c', script])))).toMatchObject({ message });
    }
    const pidFile = join(temporaryFolder(), 'pid');
    await using vm = await launchQemu([...bare, '-pidfile', pidFile]);
    expect(vm.process?.pid).toBe(Number(readFileSync(pidFile, 'utf8')));
  });

  test('may be closed concurrently', async () => {
    const vm = await launchQemu();
    await Promise.all([vm.close(), vm.close(), vm.quit().catch(() => {}), vm.close()]);
    expect(vm.process).toMatchObject({ exitCode: 0, signalCode: null });
  });

  test('leaves no handles, whether it starts or not', async () => {
    const cases: Launch[] = [
      launch('qemu-system-nothing'),
      launch('sh', ['-c', 'exit 1']),
      launch('sh', ['-c', 'exec sleep 60']),
      launch('sh', ['a\0b']),
      launch('sh', ['x'.repeat(200_000)]),
      launch('qemu-system-x86_64', bare),
    ];
    const attempts = async (): Promise<void> => {
      for (const what of cases) {
        const vm = await connect(what, { connectTimeout: 1000 }).catch(() => undefined);
        await vm?.close();
      }
    };
    const count = (): Map<string, number> => {
      const counts = new Map<string, number>();
      for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1);
      return counts;
    };
    const before = count();
    for (let run = 0; run < 3; run += 1) await attempts();
    // Handles of other tests may close in the meantime.
    const more = (): string[] => [...count()].flatMap(([name, now]) => (now > (before.get(name) ?? 0) ? [name] : []));
    await expect.poll(more).toEqual([]);
  });
});

const all = qemus('launching several QEMUs');

describe.runIf(all.length > 0)('the monitor option causes no warning', () => {
  test.each(all)('from QEMU $version', async ({ program }) => {
    const servers: [command: string, args: readonly string[], options: LaunchOptions][] = [
      ['qemu-system-x86_64', bare, {}],
      ['qemu-storage-daemon', [], { monitor: '--monitor' }],
    ];
    for (const [name, args, options] of servers) {
      const log: LogEntry[] = [];
      const command = program(name);
      const vm = await connect(launch(command, args, options), { log: (entry) => log.push(entry) });
      await vm.quit();
      await expect.poll(() => log).toContainEqual({ level: 'info', message: `${command} ended with status 0` });
      await vm.close();
    }
  });
});

test('a server that would detach itself is rejected', async () => {
  for (const option of ['-daemonize', '--daemonize', '-daemonize=on']) {
    expect(await failure(connect(launch('qemu-system-x86_64', ['-S', option])))).toMatchObject({
      code: 'ERR_QMP_CONNECT',
      message: expect.stringMatching(/^cannot start qemu-system-x86_64: .*daemonize.* would/u),
    });
  }
});
