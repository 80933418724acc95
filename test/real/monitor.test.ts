/** A real monitor: handshake, calls, events, and the end of the connection. */

import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { connect as connectAgent } from '@qapi-ts/qemu/qga';
import { connect, RunState } from '@qapi-ts/qemu/qmp';
import { CommandError, ConnectError, NotSentError, QmpError, type LogEntry } from '@qapi-ts/runtime';
import { describe, expect, test } from 'vitest';

import { failure } from '../support/client.js';
import { bare, installed, launchQemu, monitorAt, pc, temporaryFolder, whenListening } from '../support/servers.js';

describe.runIf(installed(['qemu-system-x86_64'], 'a real monitor'))('a real monitor', () => {
  test('sends a greeting, and negotiates out-of-band execution', async () => {
    await using vm = await launchQemu();
    expect(vm.greeting).toEqual({
      version: {
        qemu: { major: expect.any(Number), minor: expect.any(Number), micro: expect.any(Number) },
        package: expect.any(String),
      },
      capabilities: ['oob'],
    });
    expect(await vm.queryVersion()).toEqual(vm.greeting?.version);
    // A monitor rejects this if it was not negotiated.
    expect(await vm.queryYank({}, { oob: true })).toMatchObject([{ type: 'chardev' }]);
  });

  test('answers queries', async () => {
    await using vm = await launchQemu([...pc, '-drive', 'if=none,id=cd,media=cdrom', '-smp', '2']);
    const { status, running } = await vm.queryStatus();
    expect([status, running]).toEqual(['prelaunch', false]);
    expect(Object.keys(RunState)).toContain(status);
    expect(await vm.queryBlock()).toMatchObject([{ device: 'cd', locked: false, removable: true }]);
    expect(await vm.queryCpusFast()).toMatchObject([
      { 'cpu-index': 0, target: 'x86_64' },
      { 'cpu-index': 1, target: 'x86_64' },
    ]);
    const schema = await vm.queryQmpSchema();
    expect(schema.length).toBeGreaterThan(500);
    expect(schema.find(({ name }) => name === 'query-status')).toMatchObject({ 'meta-type': 'command' });
  });

  test('sends an error without an id for what it cannot parse, which no call receives', async () => {
    const path = join(temporaryFolder(), 'monitor');
    await using _ = await launchQemu([...bare, ...monitorAt(`path=${path}`)]);
    const socket = await whenListening(async () => {
      const candidate = connectSocket(path);
      await once(candidate, 'connect');
      return candidate;
    });
    const traced: string[] = [];
    await using vm = await connect(socket, { trace: (_direction, text) => traced.push(text), log: () => {} });
    for (let round = 0; round < 5; round += 1) {
      socket.write('}\n');
      expect(await vm.queryStatus()).toMatchObject({ running: false });
    }
    expect(traced.filter((text) => text.startsWith('{"error"') && !text.includes('"id"')).length).toBeGreaterThan(0);
  });

  test('reports the error of a command', async () => {
    await using vm = await launchQemu();
    const error = await failure(vm.deviceDel({ id: 'nothing' }));
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({
      code: 'ERR_QMP_COMMAND',
      command: 'device_del',
      errorClass: 'DeviceNotFound',
      message: "device_del: Device 'nothing' not found",
      stack: expect.stringContaining('monitor.test.ts'),
    });
    expect(await failure(vm.executeRaw('no-such-command'))).toMatchObject({ errorClass: 'CommandNotFound' });
  });

  test('sends events to an iterator and to listeners', async () => {
    await using vm = await launchQemu(pc);
    const heard: string[] = [];
    vm.on('STOP', ({ event }) => heard.push(event));
    vm.once('RESUME', ({ event }) => heard.push(event));
    const events = vm.events(['STOP', 'RESUME']);
    for (let round = 0; round < 2; round += 1) {
      await vm.cont();
      await vm.stop();
    }
    const read: string[] = [];
    for await (const { event, date } of events) {
      expect(Math.abs(Number(date) - Date.now())).toBeLessThan(60_000);
      if (read.push(event) === 4) break;
    }
    expect(read).toEqual(['RESUME', 'STOP', 'RESUME', 'STOP']);
    expect(heard).toEqual(['RESUME', 'STOP', 'STOP']);
  });

  test('resets', async () => {
    await using vm = await launchQemu(pc);
    const { event } = await vm.systemReset({}, { until: ['RESET'], timeout: 10_000 });
    expect(event.data).toEqual({ guest: false, reason: 'host-qmp-system-reset' });
  });

  test('ends iterators when the connection ends', async () => {
    const vm = await launchQemu();
    const early = vm.events(['STOP']);
    await vm.close();
    expect(await early.next()).toEqual({ done: true, value: undefined });
    expect(await vm.events(['STOP']).next()).toEqual({ done: true, value: undefined });

    const killed = await launchQemu();
    const lost = killed.events(['STOP']).next();
    killed.process?.kill('SIGKILL');
    expect(await failure(lost)).toMatchObject({ code: 'ERR_QMP_CONNECTION_LOST' });
    expect(await failure(killed.events(['STOP']).next())).toMatchObject({ code: 'ERR_QMP_CONNECTION_LOST' });
  });

  test('supports the options of a call', async () => {
    await using vm = await launchQemu(pc);
    expect(await vm.queryStatus({}, { timeout: Infinity })).toMatchObject({ status: 'prelaunch' });
    const mistake = new Error('a mistake of the caller');
    const where = (): never => {
      throw mistake;
    };
    expect(await failure(vm.cont({}, { until: ['RESUME'], where }))).toBe(mistake);
    // The call is aborted, but the command is executed nevertheless. The next call receives its own reply.
    const controller = new AbortController();
    const stop = vm.stop({}, { signal: controller.signal });
    const stopped = vm.events(['STOP']).next();
    await Promise.resolve();
    controller.abort(new Error('changed my mind'));
    expect(await failure(stop)).toMatchObject({
      code: 'ERR_QMP_ABORTED',
      name: 'AbortError',
      cause: { message: 'changed my mind' },
    });
    await stopped;
    expect(await vm.queryStatus()).toMatchObject({ status: 'paused' });
  });

  test('quits, with a reply and an orderly exit', async () => {
    const vm = await launchQemu();
    const { process } = vm;
    const exit = process && once(process, 'exit');
    const disconnected = new Promise((resolve) => vm.on('disconnected', resolve));
    const { event } = await vm.quit({}, { until: ['SHUTDOWN'] });
    expect(event.data).toEqual({ guest: false, reason: 'host-qmp-quit' });
    expect(await disconnected).toMatchObject({ error: { code: 'ERR_QMP_CONNECTION_LOST' } });
    expect(await exit).toEqual([0, null]);
    expect(await failure(vm.queryStatus())).toBeInstanceOf(NotSentError);
    await vm.close();
  });

  test('is killed in the middle of 100 calls, and each of them settles', async () => {
    await using vm = await launchQemu();
    let settled = 0;
    const calls = Array.from({ length: 100 }, async () => {
      const outcome = await vm.queryQmpSchema().catch((error: unknown) => error);
      settled += 1;
      if (settled === 10) vm.process?.kill('SIGKILL');
      return outcome;
    });
    const kinds = (await Promise.all(calls)).map((outcome) => {
      if (Array.isArray(outcome)) return 'result';
      return outcome instanceof QmpError ? outcome.code : outcome;
    });
    expect(new Set(kinds)).toEqual(new Set(['result', 'ERR_QMP_CONNECTION_LOST', 'ERR_QMP_NOT_SENT']));
    // With out-of-band execution, no more than eight commands are in flight.
    expect(kinds.filter((kind) => kind === 'ERR_QMP_CONNECTION_LOST').length).toBeLessThanOrEqual(8);
    expect(await failure(vm.queryStatus())).toBeInstanceOf(NotSentError);
  });

  test('serves one client at a time', async () => {
    const path = join(temporaryFolder(), 'monitor');
    await using _ = await launchQemu([...bare, ...monitorAt(`path=${path}`)]);
    const first = await connect({ path });
    const error = await failure(connect({ path }, { connectTimeout: 200 }));
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({
      message: expect.stringContaining('no greeting within 200 ms: the server may have another client'),
    });
    expect(await first.queryStatus()).toMatchObject({ status: 'prelaunch' });
    const waiting = connect({ path });
    await first.close();
    await using second = await waiting;
    expect(await second.queryStatus()).toMatchObject({ status: 'prelaunch' });
  });

  test('with another client is not taken for an agent', async () => {
    const path = join(temporaryFolder(), 'monitor');
    await using _ = await launchQemu([...bare, ...monitorAt(`path=${path}`)]);
    const first = await connect({ path });
    // After 500 ms, the server is asked whether it is an agent.
    expect(await failure(connect({ path }, { connectTimeout: 800 }))).toMatchObject({
      message: expect.stringContaining('no greeting within 800 ms: the server may have another client'),
    });
    const logged: LogEntry[] = [];
    const waiting = connect({ path }, { checkVersion: false, log: (entry) => logged.push(entry) });
    await pause(800);
    await first.close();
    await using second = await waiting;
    expect(second.greeting?.capabilities).toEqual(['oob']);
    expect(await second.queryYank({}, { oob: true })).toMatchObject([{ type: 'chardev' }, { type: 'chardev' }]);
    expect(await second.queryStatus()).toMatchObject({ status: 'prelaunch' });
    expect(logged.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test.each(['', 'pretty=on'])('is distinguished from an agent %s', async (option) => {
    const path = join(temporaryFolder(), 'monitor');
    await using vm = await launchQemu([...bare, ...monitorAt(`path=${path}`, option === '' ? [] : [option])]);
    const begin = performance.now();
    expect(await failure(connectAgent({ path }))).toMatchObject({
      code: 'ERR_QMP_CONNECT',
      message: expect.stringContaining('this is a monitor, not a guest agent'),
    });
    expect(performance.now() - begin).toBeLessThan(5000);
    await vm.queryStatus();
  });

  test('may have more waiting clients than its backlog holds', async () => {
    const path = join(temporaryFolder(), 'monitor');
    await using _ = await launchQemu([...bare, ...monitorAt(`path=${path}`)]);
    const clients = Array.from({ length: 5 }, async () => {
      await using vm = await connect({ path });
      return vm.queryStatus();
    });
    expect((await Promise.all(clients)).map(({ status }) => status)).toEqual(clients.map(() => 'prelaunch'));
  });

  test('may format its replies over several lines', async () => {
    const path = join(temporaryFolder(), 'monitor');
    await using _ = await launchQemu([...bare, ...monitorAt(`path=${path}`, ['pretty=on'])]);
    const received: string[] = [];
    await using vm = await connect({ path }, { trace: (direction, text) => direction === 'in' && received.push(text) });
    expect((await vm.queryQmpSchema()).length).toBeGreaterThan(500);
    expect(await vm.queryStatus()).toMatchObject({ status: 'prelaunch' });
    expect(received.every((text) => text.includes('\n'))).toBe(true);
  });
});
