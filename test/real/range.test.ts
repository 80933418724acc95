/** One client for several versions, against real servers. */

import { join } from 'node:path';

import { launch, type JsonObject } from '@qapi-ts/runtime';
import { describe, expect, onTestFinished, test } from 'vitest';

import {
  Connection,
  enumeration,
  RangeClient,
  struct,
  validatorsOf,
  versionRange,
  type ConnectOptions,
} from '../../runtime/src/index.js';
import type { Address } from '../../runtime/src/address.js';
import type { Protocol } from '../../runtime/src/session.js';
import { failure } from '../support/client.js';
import { bare, kill, monitorAt, pc, qemus, temporaryFolder, whenListening, type Qemu } from '../support/servers.js';

interface Commands {
  'query-status': { arguments: {}; result: JsonObject };
  'query-cpus-fast': { arguments: {}; result: JsonObject[] };
  netdev_add: { arguments: JsonObject; result: void };
  'block-job-change': { arguments: JsonObject; result: void };
  'query-accelerators': { arguments: {}; result: JsonObject };
}

type Optional = 'block-job-change' | 'query-accelerators';

/** Parts of QEMU's schemas, which these versions have differently. */
const protocol: Protocol = {
  handshake: 'greeting',
  withoutReply: [],
  versions: versionRange(['7.2.0', '10.0.13', '11.1.1']),
  validators: validatorsOf<Commands, {}>(
    {
      'query-status': {
        result: struct(() => ({
          running: 'bool',
          'singlestep?': { type: 'bool', in: '..7.2', mandatoryIn: '..7.2' },
          status: 'str',
        })),
      },
      'query-cpus-fast': {
        result: [
          struct(() => ({
            'cpu-index': 'int',
            'qom-path': 'str',
            'thread-id': 'int',
            'props?': 'any',
            target: 'str',
            'qom-type?': { type: 'str', in: '11.1..', mandatoryIn: '11.1..' },
          })),
        ],
      },
      netdev_add: {
        arguments: struct(() => ({
          type: enumeration({ user: 'user', stream: 'stream', passt: 'passt' }, { passt: { in: '11.1..' } }),
          id: 'str',
          'addr?': 'any',
          'server?': 'bool',
          'reconnect-ms?': { type: 'int', in: '10.0..' },
        })),
      },
      'block-job-change': { arguments: struct(() => ({ id: 'str', type: 'str' })), in: '10.0..' },
      'query-accelerators': { result: struct(() => ({ enabled: 'str', present: ['str'] })), in: '11.1..' },
    },
    {},
  ),
};

async function connect(address: Address, options?: ConnectOptions): Promise<RangeClient<Commands, {}, Optional>> {
  return new RangeClient<Commands, {}, Optional>(await Connection.open(address, protocol, options));
}

/** Returns whether a QEMU is of a version or newer. */
function isSince({ version }: Qemu, since: string): boolean {
  return version.localeCompare(since, 'en', { numeric: true }) >= 0;
}

const servers = qemus('a client of several versions').toSorted((a, b) => (isSince(a, b.version) ? 1 : -1));

describe.each(servers)('QEMU $version', (qemu) => {
  async function launchQemu(
    args: readonly string[],
    options: ConnectOptions,
  ): Promise<RangeClient<Commands, {}, Optional>> {
    const vm = await connect(launch(qemu.program('qemu-system-x86_64'), args), options);
    onTestFinished(() => kill(vm.process));
    return vm;
  }

  test('has what its version has, and sends no result that is warned of', async () => {
    const logged: string[] = [];
    await using vm = await launchQemu(pc, {
      log: ({ message }) => void logged.push(message),
      validate: { results: 'throw' },
    });
    expect(vm.version?.startsWith(`${qemu.version}.`)).toBe(true);
    await vm.execute('query-status');
    await vm.execute('query-cpus-fast');
    const hasAccelerators = vm.has('query-accelerators');
    expect([hasAccelerators, vm.has('block-job-change')]).toEqual([isSince(qemu, '10.2'), isSince(qemu, '8.2')]);
    if (vm.has('query-accelerators')) expect((await vm.execute('query-accelerators')).present).toContain('tcg');
    else {
      const error = await failure(
        (vm as never as { execute(name: string): Promise<unknown> }).execute('query-accelerators'),
      );
      expect(error).toMatchObject({
        code: 'ERR_QMP_NOT_SENT',
        message: expect.stringContaining('it came with QEMU 11.1'),
      });
    }
    expect(logged).toEqual([]);
  });

  test('explains what it refuses', async () => {
    const logged: string[] = [];
    await using vm = await launchQemu(bare, { log: ({ message }) => void logged.push(message) });
    const addr = { type: 'unix', path: '/nowhere' };
    const adding = vm.execute('netdev_add', { type: 'stream', id: 'n', addr, server: false, 'reconnect-ms': 100 });
    if (isSince(qemu, '9.2')) {
      await adding;
      expect(logged).toEqual([]);
      return;
    }
    const explanation = `arguments.reconnect-ms: came with QEMU 10.0, this server is ${qemu.version}`;
    // Between two versions of the code, what either has is accepted.
    const isKnown = qemu.version === '7.2';
    expect(await failure(adding)).toMatchObject({
      errorClass: 'GenericError',
      message: `netdev_add: Parameter 'reconnect-ms' is unexpected${isKnown ? ` (${explanation})` : ''}`,
    });
    expect(logged).toEqual(isKnown ? [`netdev_add: ${explanation}`] : []);
  });
});

test.runIf(servers.length > 1)('a client knows the version that it reconnects to', async () => {
  const path = join(temporaryFolder(), 'monitor');
  const logged: string[] = [];
  const start = async ({ program }: Qemu): Promise<RangeClient<Commands, {}, Optional>> => {
    const server = await connect(launch(program('qemu-system-x86_64'), [...bare, ...monitorAt(`path=${path}`)]));
    onTestFinished(() => kill(server.process));
    return server;
  };
  const [oldest, newest] = [servers[0], servers.at(-1)] as [Qemu, Qemu];
  const first = await start(oldest);
  const options = {
    reconnect: { initialDelay: 10, maxDelay: 50 },
    log: ({ message }: { message: string }) => void logged.push(message),
  };
  await using vm = await whenListening(() => connect({ path }, options));
  const seen = [[vm.version, vm.has('query-accelerators')]];
  await vm.execute('query-status');
  const reconnected = new Promise((resolve) => vm.once('reconnected', resolve));
  await first.close();
  await using second = await start(newest);
  await reconnected;
  await vm.execute('query-status');
  seen.push([vm.version, vm.has('query-accelerators')]);
  expect(seen).toEqual([
    [expect.stringContaining(`${oldest.version}.`), isSince(oldest, '10.2')],
    [second.version, isSince(newest, '10.2')],
  ]);
  expect(logged.filter((message) => message.includes('result'))).toEqual([]);
});
