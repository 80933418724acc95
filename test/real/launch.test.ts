/** Servers that the client starts. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { connect } from '@qapi-ts/qemu/qmp';
import { ConnectError, launch, type Launch, type LogEntry } from '@qapi-ts/runtime';
import { describe, expect, test } from 'vitest';

import { repository } from '../support/compile.js';
import { failure } from '../support/client.js';
import { bare, installed, launchQemu, temporaryFolder } from '../support/servers.js';

describe.runIf(installed(['qemu-system-x86_64'], 'launching a real QEMU'))('a launched server', () => {
  test('ends when the client is closed', async () => {
    const vm = await launchQemu();
    const { process } = vm;
    await vm.close();
    expect(process).toMatchObject({ exitCode: 0, signalCode: null });
    await vm.close();
  });

  test('is told from the errors of what did not start', async () => {
    const cases: [what: Launch, message: string | RegExp][] = [
      [launch('qemu-system-nothing'), 'cannot start qemu-system-nothing: spawn qemu-system-nothing ENOENT'],
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

  test('does not stay when it does not greet', async () => {
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
    ['is told to end', 'SIGTERM', { level: 'info', message: expect.stringContaining('terminating on signal 15') }],
  ] as const)('that %s is told to the log, with its last words', async (_, signal, want) => {
    const log: LogEntry[] = [];
    const vm = await launchQemu(bare, { log: (entry) => log.push(entry) });
    // Not by the client's means: it would know that it has done that.
    process.kill(vm.process?.pid ?? 0, signal);
    await expect.poll(() => log).toContainEqual(expect.objectContaining(want));
    await vm.close();
  });

  test('writes where the caller wants it', async () => {
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

  test('does not survive the program that forgets it', async () => {
    // QEMU removes the file when it ends.
    const pidFile = join(temporaryFolder(), 'pid');
    const program = `
      import { connect } from '@qapi-ts/qemu/qmp';
      import { launch } from '@qapi-ts/runtime';
      await connect(launch('qemu-system-x86_64', ${JSON.stringify([...bare, '-pidfile', pidFile])}));
      throw new Error('forgotten');`;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: repository,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([1, expect.stringContaining('forgotten')]);
    await expect.poll(() => existsSync(pidFile), { timeout: 10_000 }).toBe(false);
  });
});
