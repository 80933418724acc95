/** What real servers report about themselves. */

import { join } from 'node:path';

import { connect as connectAgent } from '@qapi-ts/qemu/qga';
import { connect } from '@qapi-ts/qemu/qmp';
import { connect as connectDaemon } from '@qapi-ts/qemu/qsd';
import { launch, type LogEntry } from '@qapi-ts/runtime';
import { describe, expect, onTestFinished, test } from 'vitest';

import { currentVersion } from '../../generator/src/embedded.js';
import type { Part } from '../../runtime/src/supports.js';
import { failure } from '../support/client.js';
import { bare, installed, kill, launchQemu, qemus, start, temporaryFolder, whenListening } from '../support/servers.js';

/** Expects a warning if the server is of another minor version, and none otherwise. */
function expectWarning(logged: readonly LogEntry[], version: string): void {
  const generated = currentVersion();
  const minorOf = (text: string): string => text.split('.').slice(0, 2).join('.');
  const warning = `the server is QEMU ${version}, but the generated code is for ${generated}: run npx qapi-ts drift to see the differences`;
  const warnings = logged.filter(({ level }) => level === 'warn').map(({ message }) => message);
  expect(warnings).toEqual(minorOf(version) === minorOf(generated) ? [] : [warning]);
}

describe.runIf(installed(['qemu-system-x86_64'], 'what a real monitor supports'))('a monitor', () => {
  // These hold for every QEMU from 7.2 to 10.2.
  test.each<[name: string, part: Part | undefined, want: boolean]>([
    ['blockdev-add', undefined, true],
    ['STOP', undefined, true],
    ['blockdev-ad', undefined, false],
    ['BlockdevOptions', undefined, false],
    ['0', undefined, false],
    ['blockdev-add', { argument: 'driver', value: 'qcow2' }, true],
    ['blockdev-add', { argument: 'driver', value: 'qcow4' }, false],
    ['blockdev-add', { argument: '(driver=file).locking' }, true],
    ['blockdev-add', { argument: '(driver=qcow2).locking' }, false],
    ['blockdev-add', { argument: '(driver=file).x-check-cache-dropped', feature: 'unstable' }, true],
    ['blockdev-add', { argument: '(driver=file)', feature: 'dynamic-auto-read-only' }, true],
    ['blockdev-add', { argument: '(driver=qcow2)', feature: 'dynamic-auto-read-only' }, false],
    ['blockdev-add', { argument: 'file(driver=nbd).server(type=unix).path' }, true],
    ['blockdev-add', { argument: 'file(driver=nbd).server(type=unix).host' }, false],
    ['blockdev-add', { argument: 'file.file.file.filename' }, true],
    ['chardev-add', { argument: 'backend.type', value: 'ringbuf' }, true],
    ['chardev-add', { argument: 'backend(type=ringbuf).data.size' }, true],
    ['transaction', { argument: 'actions.data.node' }, true],
    ['device_add', { argument: 'bus' }, true],
    ['device_add', { argument: 'mac' }, false],
    ['query-block', { result: 'inserted.image.backing-image' }, true],
    ['query-block', { result: '[].inserted.node-name' }, true],
    ['query-cpus-fast', { result: 'target', value: 's390x' }, true],
    ['query-stats', { result: 'stats.value.list' }, false],
    ['BLOCK_IO_ERROR', { data: 'action', value: 'stop' }, true],
    ['BLOCK_IO_ERROR', { data: 'reasons' }, false],
    ['query-cpu-model-expansion', { feature: 'deprecated' }, false],
    ['x-query-roms', { feature: 'unstable' }, true],
  ])('%s %j: %j', async (name, part, want) => {
    await using vm = await launchQemu();
    expect(await vm.supports(name, part)).toBe(want);
  });

  test('is queried once', async () => {
    const sent: string[] = [];
    const trace = (direction: 'in' | 'out', text: string): void => void (direction === 'out' && sent.push(text));
    await using vm = await launchQemu(undefined, { trace });
    const names = (await vm.queryCommands()).map(({ name }) => name);
    expect(names.length).toBeGreaterThan(150);
    expect(await Promise.all(names.map((name) => vm.supports(name)))).toEqual(names.map(() => true));
    expect(sent.filter((text) => text.includes('query-qmp-schema'))).toHaveLength(1);
  });

  test('causes a warning if it is of another version', async () => {
    const logged: LogEntry[] = [];
    await using vm = await launchQemu(undefined, { log: (entry) => logged.push(entry) });
    const { qemu } = await vm.queryVersion();
    expectWarning(logged, `${qemu.major}.${qemu.minor}.${qemu.micro}`);
  });
});

test.each(qemus('commands of other targets'))(
  'QEMU $version lists the commands of other targets since 10.1',
  async ({ version, program }) => {
    await using vm = await connect(launch(program('qemu-system-x86_64'), bare));
    onTestFinished(() => kill(vm.process));
    const isListed = version.localeCompare('10.1', 'en', { numeric: true }) >= 0;
    expect(await vm.supports('dump-skeys')).toBe(isListed);
    await expect(vm.dumpSkeys({ filename: '/dev/null' })).rejects.toMatchObject({
      errorClass: isListed ? 'GenericError' : 'CommandNotFound',
    });
  },
);

describe.runIf(installed(['qemu-storage-daemon'], 'what a real storage daemon supports'))('a storage daemon', () => {
  test('reports its commands and events', async () => {
    const logged: LogEntry[] = [];
    const monitor = launch('qemu-storage-daemon', [], { monitor: '--monitor' });
    await using daemon = await connectDaemon(monitor, { log: (entry) => logged.push(entry) });
    onTestFinished(() => kill(daemon.process));
    expect(await daemon.supports('blockdev-add', { argument: '(driver=file).locking' })).toBe(true);
    expect(await daemon.supports('query-status')).toBe(false);
    const { major, minor, micro } = daemon.greeting?.version.qemu ?? {};
    expectWarning(logged, `${major}.${minor}.${micro}`);
  });
});

describe.runIf(installed(['qemu-ga'], 'what a real guest agent supports'))('a guest agent', () => {
  test('reports its commands', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'agent');
    start('qemu-ga', [
      '-m',
      'unix-listen',
      '-p',
      path,
      '--statedir',
      folder,
      '-f',
      join(folder, 'pid'),
      '-b',
      'guest-exec',
    ]);
    const logged: LogEntry[] = [];
    const options = { log: (entry: LogEntry) => logged.push(entry) };
    await using agent = await whenListening(() => connectAgent({ path }, options));
    expect(await agent.supports('guest-ping')).toBe(true);
    // The command exists, but was disabled with `-b`.
    expect((await agent.guestInfo()).supported_commands.map(({ name }) => name)).toContain('guest-exec');
    expect(await agent.supports('guest-exec')).toBe(false);
    expect(await agent.supports('query-status')).toBe(false);
    expect(await failure(agent.supports('guest-exec', { argument: 'path' }))).toBeInstanceOf(TypeError);
    expectWarning(logged, (await agent.guestInfo()).version);
  });
});
