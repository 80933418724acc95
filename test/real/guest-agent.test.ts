/** A real guest agent on the host itself, with harmless commands only. */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { connect } from '@qapi-ts/qemu/qga';
import { connect as connectMonitor } from '@qapi-ts/qemu/qmp';
import { toNumber } from '@qapi-ts/runtime';
import { describe, expect, test } from 'vitest';

import { failure } from '../support/client.js';
import { installed, start, temporaryFolder, whenListening } from '../support/servers.js';

/** Starts an agent. @returns the path of its socket */
async function startAgent(): Promise<string> {
  const folder = temporaryFolder();
  const path = join(folder, 'agent');
  start('qemu-ga', ['-m', 'unix-listen', '-p', path, '--statedir', folder, '-f', join(folder, 'pid')]);
  await whenListening(async () => {
    const socket = connectSocket(path);
    await once(socket, 'connect');
    socket.destroy();
  });
  return path;
}

describe.runIf(installed(['qemu-ga'], 'a real guest agent'))('a guest agent', () => {
  test('is resynchronized, and replies', async () => {
    await using agent = await connect({ path: await startAgent() });
    expect(agent.greeting).toBeUndefined();
    expect(await agent.guestPing()).toEqual({});
    const info = await agent.guestInfo();
    expect(info.supported_commands).toContainEqual({ name: 'guest-ping', enabled: true, 'success-response': true });
  });

  test('is distinguished from a monitor', async () => {
    const path = await startAgent();
    const begin = performance.now();
    expect(await failure(connectMonitor({ path }))).toMatchObject({
      code: 'ERR_QMP_CONNECT',
      message: expect.stringContaining('this is a guest agent, not a monitor'),
    });
    expect(performance.now() - begin).toBeLessThan(5000);
    await using agent = await connect({ path });
    expect(await agent.guestPing()).toEqual({});
  });

  test('returns the time in nanoseconds', async () => {
    await using agent = await connect({ path: await startAgent() });
    const time = await agent.guestGetTime();
    expect(time).toBeTypeOf('bigint');
    expect(Math.abs(toNumber(BigInt(time) / 1_000_000n) - Date.now())).toBeLessThan(60_000);
  });

  test('runs a program', async (context) => {
    await using agent = await connect({ path: await startAgent() });
    const { supported_commands: commands } = await agent.guestInfo();
    context.skip(!commands.some(({ name, enabled }) => name === 'guest-exec' && enabled), 'guest-exec is not enabled');
    const { pid } = await agent.guestExec({ path: '/bin/true' });
    let status = await agent.guestExecStatus({ pid });
    for (; !status.exited; status = await agent.guestExecStatus({ pid })) await pause(10);
    expect(status).toEqual({ exited: true, exitcode: 0 });
    // An agent reports the end of a program only once.
    expect(await failure(agent.guestExecStatus({ pid }))).toMatchObject({ code: 'ERR_QMP_COMMAND' });
  });

  test('reads as much of a file as an agent returns in one reply', async (context) => {
    await using agent = await connect({ path: await startAgent() });
    const { supported_commands: commands } = await agent.guestInfo();
    context.skip(
      !commands.some(({ name, enabled }) => name === 'guest-file-read' && enabled),
      'guest-file-read is not enabled',
    );
    const path = join(temporaryFolder(), 'file');
    const count = 48 * 1024 * 1024;
    writeFileSync(path, Buffer.alloc(count + 1, 0xab));
    const handle = await agent.guestFileOpen({ path });
    const read = await agent.guestFileRead({ handle, count });
    expect([read.count, read['buf-b64'].length]).toEqual([count, 64 * 1024 * 1024]);
    await agent.guestFileClose({ handle });
  });

  test('replies in order', async () => {
    await using agent = await connect({ path: await startAgent() });
    const order: number[] = [];
    await Promise.all(Array.from({ length: 20 }, (_, index) => agent.guestPing().then(() => order.push(index))));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(await failure(agent.executeRaw('query-status'))).toMatchObject({ errorClass: 'CommandNotFound' });
    expect(await failure(agent.executeRaw('guest-ping', {}, { oob: true }))).toMatchObject({
      code: 'ERR_QMP_NOT_SENT',
    });
  });

  test.each([
    ['a truncated command', '{"execute": "guest-ping", "arguments": {"a'],
    ['half a string', '{"execute": "guest-'],
    ['a request whose reply was not read', '{"execute": "guest-info"}\n'],
    ['garbage', '\u0000]]}{"'],
  ])('works after %s from an earlier connection', async (_, left) => {
    const path = await startAgent();
    const earlier = connectSocket(path);
    await once(earlier, 'connect');
    await new Promise((resolve) => earlier.end(left, () => resolve(undefined)));
    await using agent = await connect({ path });
    expect(await agent.guestPing()).toEqual({});
    expect(await agent.guestInfo()).toMatchObject({ version: expect.any(String) });
  });
});
