/** Versions made visible, and clients of code for a range of versions. */

import { describe, expect, test } from 'vitest';

import {
  Connection,
  enumeration,
  joined,
  RangeClient,
  struct,
  validatorsOf,
  versionRange,
  type ConnectOptions,
  type JsonObject,
  type LogEntry,
} from '../../runtime/src/index.js';
import type { Address } from '../../runtime/src/address.js';
import type { Protocol } from '../../runtime/src/session.js';
import { agent, connectPeer, failure, monitor, settled } from '../support/client.js';
import { Peer, type PeerValue } from '../support/peer.js';

interface Commands {
  'query-status': { arguments: {}; result: JsonObject };
  netdev_add: { arguments: JsonObject; result: void };
  'object-add': { arguments: JsonObject; result: void };
  'query-accelerators': { arguments: JsonObject; result: JsonObject };
  'query-removed': { arguments: {}; result: JsonObject };
}

interface Events {
  STOP: { data: {} };
  MEMORY: { data: JsonObject };
}

const isType = enumeration({ user: 'user', stream: 'stream' }, { stream: { in: '9.0..' } });

const validators = validatorsOf<Commands, Events>(
  {
    'query-status': {
      result: struct(() => ({
        running: 'bool',
        'singlestep?': { type: 'bool', in: '..7.2', mandatoryIn: '..7.2' },
        'qom-type?': { type: 'str', in: '10.0..', mandatoryIn: '10.0..' },
      })),
    },
    netdev_add: {
      arguments: struct(() => ({
        type: isType,
        'id?': { type: 'str', mandatoryIn: '..7.2' },
        'reconnect-ms?': { type: 'int', in: '10.0..', deprecated: true },
        'flags?': joined(() => [
          ['uint8', '..9.0'],
          ['uint16', '10.0..'],
        ]),
      })),
    },
    'object-add': {
      arguments: joined(() => [
        [struct(() => ({})), '..7.2'],
        [struct(() => ({ id: 'str' })), '9.0..'],
      ]),
      further: '..7.2',
    },
    'query-accelerators': {
      arguments: struct(() => ({ 'x?': 'int' })),
      result: struct(() => ({ a: 'str' })),
      in: '10.0..',
    },
    'query-removed': { in: '..7.2' },
  },
  {
    STOP: undefined,
    MEMORY: { in: '9.0..', data: struct(() => ({ 'size?': { type: 'int', in: '10.0..', mandatoryIn: '10.0..' } })) },
  },
);

const range: Protocol = {
  ...monitor,
  versions: versionRange(['7.2.0', '9.0.4', '10.0.13']),
  validators,
};

/** A client that the compiler lets call everything. */
type Granted = RangeClient<Commands, Events, 'query-accelerators' | 'query-removed'> & {
  readonly execute: (name: keyof Commands, ...parameters: object[]) => Promise<unknown>;
};

async function connectRange(
  address: Address,
  { protocol = range, ...options }: ConnectOptions & { protocol?: Protocol } = {},
): Promise<Granted> {
  const connection = await Connection.open(address, protocol, { log: () => {}, connectTimeout: 2000, ...options });
  return new RangeClient(connection) as unknown as Granted;
}

function serverOf(version: string, commands: readonly string[] = Object.keys(validators.commands)): Peer {
  const names = commands.map((name) => ({ name }));
  return new Peer({ version }).on('query-commands', names).on('netdev_add', {}).on('object-add', {});
}

/** Returns the messages that a call logs, and that of the error that it throws. */
async function outcome(
  server: string,
  name: keyof Commands,
  args: object,
  reply?: PeerValue,
): Promise<{ logged: string[]; error: string | undefined; sent: boolean }> {
  await using peer = serverOf(server);
  if (reply !== undefined) peer.on(name, reply);
  const logged: string[] = [];
  const log = ({ level, message }: LogEntry): void => void logged.push(`${level}: ${message}`);
  await using vm = await connectRange(peer.stream(), { log });
  const outcomes = [];
  for (let call = 0; call < 2; call += 1)
    outcomes.push(
      await vm.execute(name, args).then(
        () => undefined,
        (error: Error) => error.message,
      ),
    );
  expect(outcomes[1]).toEqual(outcomes[0]);
  return { logged, error: outcomes[0], sent: peer.commands.includes(name) };
}

const tooNew =
  'warn: the server is QEMU 11.0.0, but the generated code is for 7.2.0 to 10.0.13: run npx qapi-ts drift to see the differences';

describe('arguments for a range', () => {
  test.each<[what: string, server: string, args: object, logged: string[], error?: string]>([
    ['what every version has', '7.2.0', { type: 'user', id: 'a' }, []],
    ['a value in time', '9.0.1', { type: 'stream' }, []],
    [
      'a value that came later',
      '7.2.22',
      { type: 'stream', id: 'a' },
      ["info: netdev_add: arguments.type: 'stream' came with QEMU 9.0, this server is 7.2"],
    ],
    [
      'a member that came later',
      '9.0.4',
      { type: 'user', 'reconnect-ms': 5 },
      ['info: netdev_add: arguments.reconnect-ms: came with QEMU 10.0, this server is 9.0'],
    ],
    ['what one of two neighbours has', '9.2.0', { type: 'user', 'reconnect-ms': 5, flags: 256 }, []],
    ['what the newest has, for a newer server', '11.0.0', { type: 'user', 'reconnect-ms': 5 }, [tooNew]],
    [
      'a type that came later',
      '9.0.4',
      { type: 'user', flags: 256 },
      ['info: netdev_add: arguments.flags: this type came with QEMU 10.0, this server is 9.0'],
    ],
    ['a type that both have', '9.0.4', { type: 'user', flags: 255 }, []],
    [
      'a member that the server requires',
      '7.2.0',
      { type: 'user' },
      [],
      'netdev_add: arguments.id: missing, expected string, which QEMU 7.2 requires',
    ],
    ['a member that the server does not require', '9.0.4', { type: 'user' }, []],
    [
      'what no version has',
      '10.0.0',
      { type: 'user', tap: 1, id: 5 },
      [],
      'netdev_add: arguments.tap: unknown member\narguments.id: expected string, found number 5',
    ],
  ])('%s', async (_, server, args, logged, error) => {
    const sent = error === undefined;
    expect(await outcome(server, 'netdev_add', args)).toEqual({ logged, error, sent });
  });

  test.each<[server: string, args: object, logged: string[], error?: string]>([
    ['7.2.0', { 'any-property': 1 }, []],
    ['9.0.4', { id: 'a' }, []],
    ['9.0.4', { id: 'a', x: 1 }, ['info: object-add: arguments.x: QEMU 9.0 does not accept it: unknown member']],
    ['9.0.4', { x: 1 }, [], 'object-add: arguments.id: missing, expected string, which QEMU 9.0 requires'],
  ])('further arguments of some versions, for %s: %j', async (server, args, logged, error) => {
    expect(await outcome(server, 'object-add', args)).toEqual({ logged, error, sent: error === undefined });
  });

  test('remarks are still logged on request', async () => {
    await using peer = serverOf('10.0.0');
    const logged: string[] = [];
    const log = ({ message }: LogEntry): void => void logged.push(message);
    await using vm = await connectRange(peer.stream(), { log, validate: { remarks: ['deprecated'] } });
    await vm.execute('netdev_add', { type: 'user', 'reconnect-ms': 5 });
    expect(logged).toEqual(['netdev_add: arguments.reconnect-ms: deprecated']);
  });
});

describe('a refusal is explained', () => {
  test.each<[what: string, options: object]>([
    ['an unbounded call', {}],
    ['a call with a timeout', { timeout: 2000 }],
    ['a call with validation of its own', { validate: { results: 'throw' } }],
  ])('by the versions of the arguments, for %s', async (_, options) => {
    await using peer = serverOf('7.2.22').on('netdev_add', (request) =>
      request.fail("Parameter 'type' does not accept value 'stream'"),
    );
    await using vm = await connectRange(peer.stream());
    const error = await failure(vm.execute('netdev_add', { type: 'stream', id: 'a', 'reconnect-ms': 5 }, options));
    expect(error).toMatchObject({
      errorClass: 'GenericError',
      desc: "Parameter 'type' does not accept value 'stream'",
      message:
        "netdev_add: Parameter 'type' does not accept value 'stream' (arguments.type: 'stream' came with QEMU 9.0, this server is 7.2; " +
        'arguments.reconnect-ms: came with QEMU 10.0, this server is 7.2)',
    });
    // Other calls are not affected.
    const other = await failure(vm.execute('netdev_add', { type: 'user', id: 'a' }));
    expect(other.message).toBe("netdev_add: Parameter 'type' does not accept value 'stream'");
  });

  test.each<[what: string, server: string, name: string, want: string]>([
    [
      'a command that came later',
      '9.0.4',
      'query-accelerators',
      ' (the command came with QEMU 10.0, this server is 9.0)',
    ],
    [
      'a command that was removed',
      '10.0.1',
      'query-removed',
      ' (the command was removed after QEMU 7.2, this server is 10.0)',
    ],
    ['a command of the server’s version', '10.0.1', 'query-accelerators', ''],
    [
      'a server that is too old',
      '6.2.0',
      'query-status',
      ' (the code is for QEMU 7.2.0 to 10.0.13, this server is 6.2.0)',
    ],
    [
      'a server that is too new',
      '11.0.0',
      'query-status',
      ' (the code is for QEMU 7.2.0 to 10.0.13, this server is 11.0.0)',
    ],
    ['a server in between', '8.2.0', 'query-status', ''],
    ['a command that is not in the schema', '6.2.0', 'no-such-command', ''],
  ])('by the versions of the command: %s', async (_, server, name, want) => {
    await using peer = serverOf(server);
    await using vm = await connectRange(peer.stream());
    expect((await failure(vm.executeRaw(name))).message).toBe(`${name}: The command ${name} has not been found${want}`);
  });

  test.each<[server: string, qemu: string | undefined, want: string]>([
    ['7.2.0', '10.2.2', ' (the code is for QEMU 10.2.2, this server is 7.2.0)'],
    ['10.2.0', '10.2.2', ''],
    ['7.2.0', undefined, ''],
  ])('by the version of the code: a server of %s, code of %s', async (version, qemu, want) => {
    await using peer = new Peer({ version });
    const protocol = { ...monitor, validators, ...(qemu !== undefined && { qemu }) };
    await using vm = await connectPeer(peer, {}, protocol);
    const error = await failure(vm.execute('query-accelerators'));
    expect(error.message).toBe(`query-accelerators: The command query-accelerators has not been found${want}`);
  });
});

describe('results and events', () => {
  const isSuspicious = 'warn: query-status: result.';

  test.each<[server: string, result: PeerValue, logged: string[]]>([
    ['7.2.0', { running: true, singlestep: false }, []],
    ['7.2.0', { running: true }, [`${isSuspicious}singlestep: missing, expected boolean`]],
    ['9.0.4', { running: true }, []],
    ['9.0.4', { running: true, 'qom-type': 'x' }, ['info: query-status: result.qom-type: unknown member']],
    ['10.0.2', { running: true, 'qom-type': 'x' }, []],
    ['10.0.2', { running: true }, [`${isSuspicious}qom-type: missing, expected string`]],
    ['9.2.0', { running: true }, []],
    ['9.2.0', { running: true, 'qom-type': 'x' }, []],
    [
      '11.0.0',
      { running: true },
      [
        tooNew,
        `${isSuspicious}qom-type: missing, expected string; the code is for QEMU 7.2.0 to 10.0.13, this server is 11.0.0`,
      ],
    ],
  ])('a result of %s: %j', async (server, result, logged) => {
    expect((await outcome(server, 'query-status', {}, result)).logged).toEqual(logged);
  });

  test('a result that a single version of the code contradicts', async () => {
    await using peer = new Peer({ version: '7.2.0' }).on('query-accelerators', {});
    await using vm = await connectPeer(
      peer,
      { validate: { results: 'throw' } },
      { ...monitor, validators, qemu: '10.2.2' },
    );
    const error = await failure(vm.execute('query-accelerators'));
    expect(error.message).toBe(
      'query-accelerators: result.a: missing, expected string; the code is for QEMU 10.2.2, this server is 7.2.0',
    );
  });

  test.each<[server: string, data: PeerValue, logged: string[]]>([
    ['9.0.4', {}, []],
    ['10.0.2', {}, ['MEMORY: data.size: missing, expected 64-bit signed integer']],
    ['10.0.2', { size: 1 }, []],
    // A server that has the event although its version lacks it may send what any version has.
    ['7.2.0', {}, []],
    ['7.2.0', { size: 1 }, []],
  ])('an event of %s: %j', async (server, data, logged) => {
    await using peer = serverOf(server);
    const messages: string[] = [];
    await using vm = await connectRange(peer.stream(), { log: ({ message }) => void messages.push(message) });
    const heard: unknown[] = [];
    vm.on('MEMORY', (event) => heard.push(event.data));
    await settled();
    peer.event('MEMORY', data);
    await settled();
    expect(messages).toEqual(logged);
    expect(heard).toEqual([data]);
  });
});

describe('has', () => {
  test('answers from the server’s own list, which is queried while connecting', async () => {
    await using peer = serverOf('9.0.4', ['query-accelerators', 'query-status']);
    await using vm = await connectRange(peer.stream());
    expect(peer.commands).toEqual(['qmp_capabilities', 'query-commands']);
    // Distributions backport, so the version does not matter.
    expect([vm.has('query-accelerators'), vm.has('query-removed')]).toEqual([true, false]);
  });

  test('a command that the server lacks is rejected before it is sent', async () => {
    await using peer = serverOf('9.0.4', ['query-status']).on('query-status', { running: true });
    await using vm = await connectRange(peer.stream());
    expect(await failure(vm.execute('query-accelerators'))).toMatchObject({
      code: 'ERR_QMP_NOT_SENT',
      message: 'query-accelerators: the server does not have this command (it came with QEMU 10.0, this server is 9.0)',
    });
    // Those that every version has are sent in any case, and so is everything that is raw.
    await vm.execute('query-status');
    await vm.execute('netdev_add', { type: 'user' });
    await failure(vm.executeRaw('query-accelerators'));
    expect(peer.commands.slice(2)).toEqual(['query-status', 'netdev_add', 'query-accelerators']);
  });

  test('answers from the list of the new server after a reconnect', async () => {
    await using peer = serverOf('10.0.2').on('query-accelerators', { a: 'x' }).on('query-status', { running: true });
    const logged: string[] = [];
    const log = ({ level, message }: LogEntry): void => void (level === 'warn' && logged.push(message));
    const reconnect = { initialDelay: 1, maxDelay: 1 };
    await using vm = await connectRange(await peer.listenUnix(), { reconnect, log });
    expect(vm.has('query-accelerators')).toBe(true);
    await vm.execute('query-accelerators');
    await vm.execute('query-status');
    expect(logged).toEqual(['query-status: result.qom-type: missing, expected string']);

    peer.version = '9.0.4';
    peer.on('query-commands', [{ name: 'query-status' }]);
    const reconnected = new Promise<void>((resolve) => {
      vm.once('reconnected', () => {
        expect(vm.has('query-accelerators')).toBe(false);
        resolve();
      });
    });
    peer.reset();
    await reconnected;
    expect(await failure(vm.execute('query-accelerators'))).toMatchObject({ code: 'ERR_QMP_NOT_SENT' });
    // Results are those of the new version, too.
    await vm.execute('query-status');
    expect(logged).toHaveLength(1);
    expect(vm.version).toBe('9.0.4');
  });

  test('is answered by guest-info for an agent, with the version, and includes disabled commands', async () => {
    const commands = [
      { name: 'query-accelerators', enabled: false },
      { name: 'query-status', enabled: true },
    ];
    await using peer = new Peer({ kind: 'agent' }).on('guest-info', {
      version: '10.0.5',
      supported_commands: commands,
    });
    await using vm = await connectRange(peer.stream(), { protocol: { ...range, ...agent } });
    expect([vm.has('query-accelerators'), vm.has('query-removed'), vm.version]).toEqual([true, false, '10.0.5']);
    await settled();
    expect(peer.commands).toEqual(['guest-sync-delimited', 'guest-info']);
  });

  test.each<[what: string, protocol: Protocol, command: string]>([
    ['a monitor', range, 'query-commands'],
    ['an agent', { ...range, ...agent }, 'guest-info'],
  ])('is false if the policy of %s forbids the query, which is logged', async (_, protocol, command) => {
    await using peer = new Peer({ kind: protocol.handshake === 'sync' ? 'agent' : 'monitor' });
    peer.on(command, (request) => request.fail('it has been disabled', 'CommandNotFound'));
    const logged: string[] = [];
    await using vm = await connectRange(peer.stream(), { protocol, log: ({ message }) => void logged.push(message) });
    expect(vm.has('query-accelerators')).toBe(false);
    expect(logged).toContain('the server does not report its commands, so has() always returns false');
    // It is unknown whether the server has it.
    expect(await failure(vm.execute('query-accelerators'))).toMatchObject({ code: 'ERR_QMP_COMMAND' });
  });

  test.each<[reply: PeerValue]>([[null], [{}], [[]], [5], [[null, 1, {}, { name: { toString: 1 } }]]])(
    'is false for anything after the reply %j',
    async (reply) => {
      await using peer = new Peer().on('query-commands', reply);
      await using vm = await connectRange(peer.stream());
      expect([vm.has('query-accelerators'), vm.has('toString' as never)]).toEqual([false, false]);
    },
  );

  test('fails the connection in time if the server does not reply', async () => {
    await using peer = new Peer().on('query-commands', () => {});
    expect(await failure(connectRange(peer.stream(), { connectTimeout: 30 }))).toMatchObject({
      code: 'ERR_QMP_CONNECT',
      message: expect.stringContaining('the server sent a greeting, but did not reply within 30 ms'),
    });
  });

  test('fails the connection if the server ends it', async () => {
    await using peer = new Peer().on('query-commands', () => peer.end());
    expect(await failure(connectRange(peer.stream()))).toMatchObject({ code: 'ERR_QMP_CONNECT' });
  });

  test('is available to clients of one version on request', async () => {
    await using peer = new Peer().on('query-commands', [{ name: 'x' }]);
    await using vm = await connectPeer(peer, { queryCommands: true });
    expect([vm.has('x'), vm.has('y')]).toEqual([true, false]);
    await using other = await connectPeer(new Peer());
    expect(() => other.has('x')).toThrow(new TypeError('has: connect with the option queryCommands, and it can tell'));
    expect(() => vm.has(5 as never)).toThrow(new TypeError('name: expected string, found number 5'));
  });
});
