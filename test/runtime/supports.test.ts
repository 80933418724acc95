/** What a client reports about its server: its commands and events, and its version. */

import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { conditionTest } from '../../generator/src/condition.js';
import { currentVersion, embeddedRoot, servers } from '../../generator/src/embedded.js';
import { loadSchema } from '../../generator/src/frontend/load.js';
import { introspect, type SchemaInfo } from '../../generator/src/introspect.js';
import { allMembers, isType, type Type } from '../../generator/src/model.js';
import { struct, validatorsOf, type ConnectOptions, type LogEntry } from '../../runtime/src/index.js';
import type { Protocol } from '../../runtime/src/session.js';
import { Inventory, type Part } from '../../runtime/src/supports.js';
import { agent, connectPeer, connectTo, failure, monitor, settled, type AnyClient } from '../support/client.js';
import { Peer, type PeerValue } from '../support/peer.js';
import { schemaOf } from '../support/schema.js';
import { sharedFile } from '../support/shared.js';

/** A schema with every kind of type in arguments, results and data. */
const schema = schemaOf(`
  { 'pragma': { 'command-returns-exceptions': [ 'count' ] } }
  { 'enum': 'Driver', 'data': [ 'file', 'nbd', 'null', 'cluster', { 'name': 'absent', 'if': 'CONFIG_ABSENT' } ] }
  { 'enum': 'Aio', 'data': [ 'threads', { 'name': 'io_uring', 'features': [ 'unstable' ] }, '2-way' ],
    'features': [ 'of-aio' ] }
  { 'enum': 'Family', 'data': [ 'inet', 'unix' ] }
  { 'struct': 'Base', 'data': { 'base-member': 'str' } }
  { 'struct': 'File', 'base': 'Base', 'features': [ 'of-file' ],
    'data': { 'filename': 'str', '*aio': 'Aio', '*locking': { 'type': 'bool', 'features': [ 'deprecated' ] } } }
  { 'struct': 'Inet', 'data': { 'host': 'str', 'port': 'uint16' } }
  { 'struct': 'Unix', 'data': { 'path': 'str' } }
  { 'union': 'Address', 'base': { 'family': 'Family', 'keep-alive': 'bool' }, 'discriminator': 'family',
    'data': { 'inet': 'Inet', 'unix': 'Unix' } }
  { 'struct': 'Nbd', 'data': { 'server': 'Address', '*backing': 'Ref' } }
  { 'union': 'Options', 'base': { 'driver': 'Driver', '*node-name': 'str', '*child': 'Ref', '*spare': [ 'Spare' ] },
    'discriminator': 'driver', 'features': [ 'of-options' ],
    'data': { 'file': 'File', 'nbd': 'Nbd', 'cluster': 'Address', 'absent': { 'type': 'Unix', 'if': 'CONFIG_ABSENT' } } }
  { 'alternate': 'Ref', 'data': { 'definition': 'Options', 'reference': 'str' }, 'features': [ 'of-ref' ] }
  { 'alternate': 'Spare', 'data': { 'known': 'Family', 'count': 'int', 'more': [ 'Inet' ] } }
  { 'command': 'add', 'data': 'Options', 'boxed': true, 'features': [ 'of-add' ] }
  { 'command': 'list', 'returns': [ 'Listed' ] }
  { 'struct': 'Listed', 'data': { 'device': 'str', '*inserted': 'Options', 'modes': [ 'Family' ],
    '__com.example.qemu_extra': { 'type': 'Inet', 'features': [ 'of-extra' ] } } }
  { 'command': '__com.example_do', 'data': { '__com.example.qemu_how': 'Inet' } }
  { 'command': 'count', 'returns': 'int' }
  { 'command': 'nothing' }
  { 'command': 'gone', 'if': 'CONFIG_ABSENT' }
  { 'event': 'DONE', 'data': { 'reason': 'Family', '*what': 'Options' }, 'features': [ 'of-done' ] }
  { 'event': 'IDLE' }
  { 'event': 'GONE', 'if': 'CONFIG_ABSENT' }
`);
const infos = introspect(schema, conditionTest(['CONFIG_PRESENT'])) as unknown as PeerValue;

async function withMonitor(use: (vm: AnyClient, peer: Peer) => Promise<void>, reply: PeerValue = infos): Promise<void> {
  await using peer = new Peer();
  peer.on('query-qmp-schema', reply);
  await using vm = await connectPeer(peer);
  await use(vm, peer);
}

/** Returns the number of queries to a server. */
function timesAsked(peer: Peer, command = 'query-qmp-schema'): number {
  return peer.commands.filter((name) => name === command).length;
}

type Row = [name: string, part: Part | undefined, want: boolean];

const rows: Row[] = [
  // Commands and events
  ['add', undefined, true],
  ['add', {}, true],
  ['DONE', undefined, true],
  ['nothing', undefined, true],
  ['__com.example_do', undefined, true],
  ['missing', undefined, false],
  ['done', undefined, false],
  ['gone', undefined, false],
  ['GONE', undefined, false],
  ['', undefined, false],
  // Types, masked or not
  ['0', undefined, false],
  ['[1]', undefined, false],
  ['str', undefined, false],
  ['Options', undefined, false],
  ['__proto__', undefined, false],
  // Arguments
  ['add', { argument: 'driver' }, true],
  ['add', { argument: 'node-name' }, true],
  ['add', { argument: 'node' }, false],
  ['add', { argument: 'node-name-2' }, false],
  ['add', { argument: '' }, true],
  ['missing', { argument: 'driver' }, false],
  ['nothing', { argument: 'driver' }, false],
  ['count', { argument: 'driver' }, false],
  ['__com.example_do', { argument: '__com.example.qemu_how.host' }, true],
  ['__com.example_do', { argument: 'qemu_how.host' }, false],
  // Members of any branch, of one, of a branch's base, and of a branch that is itself a union
  ['add', { argument: 'filename' }, true],
  ['add', { argument: 'server' }, true],
  ['add', { argument: 'base-member' }, true],
  ['add', { argument: 'host' }, true],
  ['add', { argument: 'path' }, true],
  ['add', { argument: '(driver=file).filename' }, true],
  ['add', { argument: '(driver=file)filename' }, true],
  ['add', { argument: '(driver=file).base-member' }, true],
  ['add', { argument: '(driver=file).node-name' }, true],
  ['add', { argument: '(driver=file).driver' }, true],
  ['add', { argument: '(driver=nbd).filename' }, false],
  ['add', { argument: '(driver=null).node-name' }, true],
  ['add', { argument: '(driver=null).filename' }, false],
  ['add', { argument: '(driver=null)' }, true],
  ['add', { argument: '(driver=missing)' }, false],
  ['add', { argument: '(driver=absent)' }, false],
  ['add', { argument: '(node-name=file)' }, false],
  ['add', { argument: '(family=inet)' }, false],
  ['add', { argument: '(driver=cluster).host' }, true],
  ['add', { argument: '(driver=cluster)(family=inet).host' }, true],
  ['add', { argument: '(driver=cluster)(family=inet).path' }, false],
  ['add', { argument: '(driver=cluster)(family=unix).path' }, true],
  ['add', { argument: '(driver=cluster,family=unix).path' }, true],
  ['add', { argument: '(driver=cluster,family=unix).host' }, false],
  ['add', { argument: '(driver=nbd,family=unix).path' }, false],
  ['add', { argument: '(driver=cluster)(family=unix).keep-alive' }, true],
  ['add', { argument: '(driver=cluster)(family=unix).node-name' }, true],
  ['add', { argument: '(driver=file)(driver=file)' }, false],
  // Members within members: objects, alternates, arrays, and recursive types
  ['add', { argument: 'server.keep-alive' }, true],
  ['add', { argument: 'server.host' }, true],
  ['add', { argument: '(driver=nbd).server(family=unix).path' }, true],
  ['add', { argument: '.server(family=unix).path' }, true],
  ['add', { argument: 'server(family=inet).path' }, false],
  ['add', { argument: 'child.filename' }, true],
  ['add', { argument: 'child(driver=nbd).server.port' }, true],
  ['add', { argument: 'child(driver=nbd).backing(driver=file).filename' }, true],
  ['add', { argument: 'child(driver=nbd).backing(driver=file).server' }, false],
  ['add', { argument: 'child.child.child.child.backing.backing.node-name' }, true],
  ['add', { argument: 'spare.host' }, true],
  ['add', { argument: 'spare[].port' }, true],
  ['add', { argument: 'spare[][].port' }, true],
  ['add', { argument: 'spare.path' }, false],
  ['add', { argument: 'driver.file' }, false],
  ['add', { argument: 'node-name.length' }, false],
  // Values
  ['add', { argument: 'driver', value: 'nbd' }, true],
  ['add', { argument: 'driver', value: 'absent' }, false],
  ['add', { argument: 'driver', value: 'missing' }, false],
  ['add', { argument: 'aio', value: 'io_uring' }, true],
  ['add', { argument: 'aio', value: '2-way' }, true],
  ['add', { argument: '(driver=file).aio', value: 'native' }, false],
  ['add', { argument: '(driver=nbd).aio', value: 'io_uring' }, false],
  ['add', { argument: 'server.family', value: 'unix' }, true],
  ['add', { argument: 'spare', value: 'unix' }, true],
  ['add', { argument: 'node-name', value: 'nbd' }, false],
  ['add', { argument: 'server', value: 'family' }, false],
  ['add', { argument: 'missing', value: 'nbd' }, false],
  ['add', { value: 'add' }, false],
  // Results
  ['list', { result: 'device' }, true],
  ['list', { result: '[].device' }, true],
  ['list', { result: 'inserted(driver=file).filename' }, true],
  ['list', { result: 'inserted.filename' }, true],
  ['list', { result: 'modes', value: 'unix' }, true],
  ['list', { result: 'modes', value: 'file' }, false],
  ['list', { result: '__com.example.qemu_extra' }, true],
  ['list', { result: '__com.example.qemu_extra.port' }, true],
  ['list', { result: '__com.example.qemu_extra.path' }, false],
  ['list', { result: 'port' }, false],
  ['list', { argument: 'device' }, false],
  ['list', { data: 'device' }, false],
  ['add', { result: 'driver' }, false],
  ['count', { result: 'driver' }, false],
  // Data
  ['DONE', { data: 'reason' }, true],
  ['DONE', { data: 'reason', value: 'unix' }, true],
  ['DONE', { data: 'what(driver=nbd).server' }, true],
  ['DONE', { data: 'missing' }, false],
  ['DONE', { argument: 'reason' }, false],
  ['DONE', { result: 'reason' }, false],
  ['IDLE', { data: 'reason' }, false],
  // Features of commands and events, members and their types, branches, and values
  ['add', { feature: 'of-add' }, true],
  ['add', { feature: 'of-options' }, false],
  ['add', { feature: 'deprecated' }, false],
  ['DONE', { feature: 'of-done' }, true],
  ['missing', { feature: 'of-add' }, false],
  ['add', { argument: '', feature: 'of-options' }, true],
  ['add', { argument: 'locking', feature: 'deprecated' }, true],
  ['add', { argument: 'filename', feature: 'deprecated' }, false],
  ['add', { argument: 'aio', feature: 'of-aio' }, true],
  ['add', { argument: 'aio', feature: 'unstable' }, false],
  ['add', { argument: 'aio', value: 'io_uring', feature: 'unstable' }, true],
  ['add', { argument: 'aio', value: 'threads', feature: 'unstable' }, false],
  ['add', { argument: 'aio', value: 'threads', feature: 'of-aio' }, false],
  ['add', { argument: 'child', feature: 'of-ref' }, true],
  ['add', { argument: 'child', feature: 'of-options' }, true],
  ['add', { argument: 'child.driver', feature: 'of-options' }, false],
  ['add', { argument: '(driver=file)', feature: 'of-file' }, true],
  ['add', { argument: '(driver=nbd)', feature: 'of-file' }, false],
  ['add', { argument: 'child(driver=file)', feature: 'of-options' }, false],
  ['list', { result: '__com.example.qemu_extra', feature: 'of-extra' }, true],
];

test.each(rows)('%s %j: %j', (name, part, want) =>
  withMonitor(async (vm) => expect(await vm.supports(name, part as never)).toBe(want)),
);

/** Generates every path into a type, with each value if it leads to an enum. */
function* waysInto(type: Type, path: string, depth: number): Generator<readonly [path: string, value?: string]> {
  if (type.kind === 'array') yield* waysInto(type.element, `${path}[]`, depth);
  if (type.kind === 'alternate') for (const one of type.alternatives) yield* waysInto(one.type, path, depth);
  if (type.kind === 'enum') for (const { name } of type.values) yield [path, name];
  if (depth === 0 || (type.kind !== 'struct' && type.kind !== 'union')) return;
  for (const member of allMembers(type)) {
    yield [`${path}.${member.name}`];
    yield* waysInto(member.type, `${path}.${member.name}`, depth - 1);
  }
  if (type.kind === 'struct') return;
  for (const branch of type.branches) {
    const into = `${path}(${type.discriminator.name}=${branch.name})`;
    yield [into];
    if (branch.type) yield* waysInto(branch.type, into, depth - 1);
  }
}

test.each(servers.filter(({ name }) => name !== 'qga'))('every member and value of $title is found', async (server) => {
  const whole = loadSchema(embeddedRoot(currentVersion(), server));
  const reply = introspect(whole, () => true);
  const inventory = new Inventory(false, () => Promise.resolve(reply));
  const ways = [...whole.definitions.values()].flatMap((definition) => {
    if (isType(definition)) return [];
    const types: [keyof Part, Type | undefined][] =
      definition.kind === 'event'
        ? [['data', definition.data]]
        : [
            ['argument', definition.arguments],
            ['result', definition.returns],
          ];
    return types.flatMap(([role, type]) =>
      [...(type ? waysInto(type, '', 3) : [])].map(([path, value]) => ({ name: definition.name, role, path, value })),
    );
  });
  const wrong: unknown[] = [];
  for (const way of ways) {
    const { name, role, path, value } = way;
    if (!(await inventory.has(name, { [role]: path, value }))) wrong.push(way);
    if (await inventory.has(name, { [role]: `${path}.no-such-member` })) wrong.push({ ...way, path: 'no-such-member' });
    if (await inventory.has(name, { [role]: path, value: 'no-such-value' }))
      wrong.push({ ...way, value: 'no-such-value' });
  }
  expect(ways.length).toBeGreaterThan(1000);
  expect(wrong).toEqual([]);
});

test('values that are plain names, as before QEMU 6.2, are found', () => {
  const reply = (infos as unknown as SchemaInfo[]).map((info) => {
    if (info['meta-type'] !== 'enum') return info;
    const { members: _, ...older } = info;
    return older;
  });
  return withMonitor(
    async (vm) => {
      expect(await vm.supports('add', { argument: 'aio', value: 'io_uring' })).toBe(true);
      expect(await vm.supports('add', { argument: 'aio', value: 'native' })).toBe(false);
      expect(await vm.supports('add', { argument: 'aio', value: 'io_uring', feature: 'unstable' })).toBe(false);
    },
    reply as unknown as PeerValue,
  );
});

test.each([
  'file/driver',
  'file..driver',
  'file.',
  'a b',
  '(driver)',
  '(driver=file',
  'file[0]',
  'ä',
  '-x',
  '(=file)',
  '(driver=file,)',
  '(a=b=c)',
  '()',
  'file)',
])("'%s' is not a path", (path) =>
  withMonitor(async (vm) => {
    const error = await failure(vm.supports('add', { argument: path }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe(`'${path}' is not a path to a member: expected a path like file(driver=nbd).server`);
    expect(await failure(vm.supports('missing', { result: path }))).toBeInstanceOf(TypeError);
  }),
);

describe('a monitor', () => {
  test('is queried on first use, and only once', () =>
    withMonitor(async (vm, peer) => {
      await settled();
      expect(timesAsked(peer)).toBe(0);
      const answers = await Promise.all(['add', 'missing', 'DONE'].map((name) => vm.supports(name)));
      expect(answers).toEqual([true, false, true]);
      expect(await vm.supports('list', { result: 'device' })).toBe(true);
      expect(timesAsked(peer)).toBe(1);
    }));

  test('is not trusted when it contradicts the schema', async () => {
    await using peer = new Peer().on('query-qmp-schema', [{ name: 'add' }]);
    const isInfo = struct(() => ({ name: 'str', 'meta-type': 'str' }));
    const commands = { 'query-qmp-schema': { result: [isInfo] as const } };
    const validators = validatorsOf<
      Record<string, { arguments: object; result: unknown }>,
      Record<string, { data: object }>
    >(commands, {});
    const log: string[] = [];
    const options = { validate: { results: 'warn' as const }, log: ({ message }: LogEntry) => log.push(message) };
    await using vm = await connectPeer(peer, options, { ...monitor, validators });
    expect(await failure(vm.supports('add'))).toMatchObject({ code: 'ERR_QMP_RESULT' });
    expect(log).toEqual([]);
  });

  test('may send types that contain themselves', () =>
    withMonitor(
      async (vm) => expect(await vm.supports('add', { argument: 'x' })).toBe(false),
      [
        { name: 'add', 'meta-type': 'command', 'arg-type': '1', 'ret-type': '1' },
        { name: '1', 'meta-type': 'array', 'element-type': '2' },
        { name: '2', 'meta-type': 'alternate', members: [{ type: '1' }, { type: '3' }] },
        { name: '3', 'meta-type': 'object', members: [], tag: 'y', variants: [{ case: 'z', type: '3' }] },
      ],
    ));

  test('may have types with endless nesting', () => {
    const arrays = Array.from({ length: 100_000 }, (_, index) => ({
      name: `${index}`,
      'meta-type': 'array',
      'element-type': `${index + 1}`,
    }));
    const command = { name: 'add', 'meta-type': 'command', 'arg-type': '0', 'ret-type': '0' };
    const ask = async (vm: AnyClient): Promise<void> =>
      expect(await vm.supports('add', { argument: 'driver' })).toBe(false);
    return withMonitor(ask, [command, ...arrays]);
  });

  test('is queried again after a failure', () =>
    withMonitor(async (vm, peer) => {
      peer.on('query-qmp-schema', (request) => request.fail('not now'));
      const errors = await Promise.all([failure(vm.supports('add')), failure(vm.supports('list'))]);
      for (const error of errors) expect(error).toMatchObject({ message: 'query-qmp-schema: not now' });
      expect(timesAsked(peer)).toBe(1);
      expect((await failure(vm.supports('add'))).stack).toContain('supports.test.ts');
      peer.on('query-qmp-schema', infos);
      expect(await vm.supports('add')).toBe(true);
      expect(timesAsked(peer)).toBe(3);
    }));

  test('is queried separately by calls with a timeout, which do not affect others', () =>
    withMonitor(async (vm, peer) => {
      peer.on('query-qmp-schema', () => {});
      const patient = vm.supports('add');
      const slow = await peer.request('query-qmp-schema');
      expect(await failure(vm.supports('add', undefined, { timeout: 5 }))).toMatchObject({ code: 'ERR_QMP_TIMEOUT' });
      const signal = AbortSignal.abort();
      expect(await failure(vm.supports('add', undefined, { signal }))).toMatchObject({ code: 'ERR_QMP_ABORTED' });
      slow.return(infos);
      expect(await patient).toBe(true);
      // It is cached now.
      expect(await vm.supports('add', undefined, { timeout: 5 })).toBe(true);
      expect(timesAsked(peer)).toBe(2);
    }));

  test('that was queried with a timeout is cached for others', () =>
    withMonitor(async (vm, peer) => {
      expect(await vm.supports('add', undefined, { timeout: 5000 })).toBe(true);
      expect(await vm.supports('list')).toBe(true);
      expect(timesAsked(peer)).toBe(1);
    }));

  test('that has disconnected causes an error', () =>
    withMonitor(async (vm, peer) => {
      expect(await vm.supports('add')).toBe(true);
      peer.reset();
      await settled();
      expect(await failure(vm.supports('add'))).toMatchObject({ code: 'ERR_QMP_NOT_SENT' });
    }));

  test('that disconnects right after its reply is not cached', async () => {
    await using peer = new Peer().on('query-qmp-schema', () => {});
    await using vm = await connectTo(await peer.listenUnix(), { reconnect: { initialDelay: 1 } });
    const answer = vm.supports('add');
    const reconnected = new Promise((resolve) => vm.once('reconnected', resolve));
    const { id } = await peer.request('query-qmp-schema');
    peer.write(`${JSON.stringify({ return: infos, id })}\nno JSON\n`);
    expect(await answer).toBe(true);
    await reconnected;
    peer.on('query-qmp-schema', []);
    expect(await vm.supports('add')).toBe(false);
  });

  test('is queried again after a reconnect', async () => {
    await using peer = new Peer();
    peer.on('query-qmp-schema', infos);
    await using vm = await connectTo(await peer.listenUnix(), { reconnect: { initialDelay: 1 } });
    expect(await vm.supports('add')).toBe(true);
    const reconnected = new Promise((resolve) => vm.once('reconnected', resolve));
    peer.on('query-qmp-schema', []);
    peer.reset();
    await reconnected;
    expect(await vm.supports('add')).toBe(false);
    expect(timesAsked(peer)).toBe(2);
  });

  test.each(['7.2', '10.0'])('with the schema of QEMU %s is searched quickly', async (version) => {
    const file = sharedFile(`introspection/qmp-${version}.json`);
    if (file === undefined) return;
    await withMonitor(
      async (vm) => {
        expect(await vm.supports('blockdev-add', { argument: '(driver=file).aio', value: 'io_uring' })).toBe(true);
        const begin = performance.now();
        for (let round = 0; round < 100; round += 1) {
          expect(await vm.supports('blockdev-add', { argument: 'file.file.file.file.file.nothing' })).toBe(false);
        }
        expect(performance.now() - begin).toBeLessThan(1000);
      },
      JSON.parse(readFileSync(file, 'utf8')) as PeerValue,
    );
  });
});

const agentInfo = {
  version: '10.2.2',
  supported_commands: [
    { name: 'guest-ping', enabled: true, 'success-response': true },
    { name: 'guest-exec', enabled: false, 'success-response': true },
  ],
};

async function withAgent(use: (vm: AnyClient, peer: Peer) => Promise<void>): Promise<void> {
  await using peer = new Peer({ kind: 'agent' });
  peer.on('guest-info', agentInfo);
  await using vm = await connectPeer(peer, {}, agent);
  await use(vm, peer);
}

describe('an agent', () => {
  test.each([
    ['guest-ping', true],
    ['guest-exec', false],
    ['missing', false],
  ])('has %s: %j', (name, want) => withAgent(async (vm) => expect(await vm.supports(name)).toBe(want)));

  test('is queried each time, because it may be another one', () =>
    withAgent(async (vm, peer) => {
      expect(await vm.supports('guest-ping')).toBe(true);
      peer.on('guest-info', { ...agentInfo, supported_commands: [] });
      expect(await vm.supports('guest-ping', undefined, { timeout: 5000 })).toBe(false);
      expect(timesAsked(peer, 'guest-info')).toBe(2);
    }));

  test.each<Part>([{ argument: 'path' }, { result: 'pid' }, { feature: 'deprecated' }])(
    'cannot be queried for %j',
    (part) =>
      withAgent(async (vm, peer) => {
        const error = await failure(vm.supports('guest-exec', part as never));
        expect(error).toBeInstanceOf(TypeError);
        expect(error.message).toBe(
          'guest-exec: an agent reports only the names of its commands, without arguments, results or features',
        );
        expect(timesAsked(peer, 'guest-info')).toBe(0);
      }),
  );

  test('that does not reply causes a timeout', () =>
    withAgent(async (vm, peer) => {
      peer.on('guest-info', () => {});
      expect(await failure(vm.supports('guest-ping', undefined, { timeout: 5 }))).toMatchObject({
        code: 'ERR_QMP_TIMEOUT',
      });
    }));
});

describe('checkVersion', () => {
  const mismatch =
    'the server is QEMU 10.2.0, but the generated code is for 9.1.3: run npx qapi-ts drift to see the differences';

  /** Returns the warnings logged while a client connects to a peer, by default a monitor of QEMU 10.2.0. */
  async function warnings(protocol: Protocol, options: ConnectOptions, peer = new Peer()): Promise<string[]> {
    await using _ = peer;
    const logged: string[] = [];
    const log = ({ level, message }: LogEntry): void => void (level === 'warn' && logged.push(message));
    await using vm = await connectPeer(peer, { log, ...options }, protocol);
    await vm.execute('x').catch(() => {});
    await settled();
    return logged;
  }

  test.each<[qemu: string | undefined, checkVersion: boolean | undefined, want: string[]]>([
    ['9.1.3', true, [mismatch]],
    ['9.1.3', false, []],
    ['9.1.3', undefined, [mismatch]],
    ['10.2.2', true, []],
    ['10.2.0', true, []],
    ['10.20.0', true, [mismatch.replace('9.1.3', '10.20.0')]],
    ['11.2.0', true, [mismatch.replace('9.1.3', '11.2.0')]],
    [undefined, true, []],
    [undefined, undefined, []],
  ])('code of %s, %j', async (qemu, checkVersion, want) => {
    const protocol = { ...monitor, ...(qemu !== undefined && { qemu }) };
    expect(await warnings(protocol, { checkVersion })).toEqual(want);
  });

  test('sends a monitor nothing, and warns before connect resolves', async () => {
    await using peer = new Peer();
    const logged: string[] = [];
    const log = ({ message }: LogEntry): void => void logged.push(message);
    await using _ = await connectPeer(peer, { log }, { ...monitor, qemu: '9.1.3' });
    expect(logged).toEqual([mismatch]);
    expect(peer.commands).toEqual(['qmp_capabilities']);
  });

  test('warns again after a reconnect only if the version has changed', async () => {
    await using peer = new Peer();
    const logged: LogEntry[] = [];
    const log = (entry: LogEntry): void => void logged.push(entry);
    const options = { log, reconnect: { initialDelay: 1, maxDelay: 1 } };
    await using vm = await connectTo(await peer.listenUnix(), options, { ...monitor, qemu: '9.1.3' });
    const versions = [vm.version];
    for (const version of ['10.2.0', '9.1.0', '8.2.7']) {
      const reconnected = new Promise((resolve) => vm.once('reconnected', resolve));
      peer.version = version;
      peer.reset();
      await reconnected;
      versions.push(vm.version);
    }
    expect(versions).toEqual(['10.2.0', '10.2.0', '9.1.0', '8.2.7']);
    const warned = logged.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(warned).toEqual([mismatch, mismatch.replace('10.2.0', '8.2.7')]);
  });

  test.each<[version: PeerValue, want: string | undefined]>([
    [{ qemu: { major: 10, minor: 2, micro: 0 }, package: '' }, '10.2.0'],
    [{}, undefined],
    [{ qemu: null }, undefined],
    [{ qemu: { major: '10', minor: 2, micro: 0 } }, undefined],
    [{ qemu: { major: 10, minor: 2 } }, undefined],
    [{ qemu: { major: { toString: 1 }, minor: {}, micro: [] } }, undefined],
  ])('the version of a greeting with %j is %s', async (version, want) => {
    await using peer = new Peer({ greets: false });
    const stream = peer.stream();
    peer.send({ QMP: { version, capabilities: [] } });
    await using vm = await connectTo(stream, {}, { ...monitor, qemu: '10.2.2' });
    expect(vm.version).toBe(want);
  });

  const ofAgent = { ...agent, qemu: '10.2.2' };

  test.each<[what: string, reply: PeerValue, want: string[]]>([
    ['the same version', agentInfo, []],
    [
      'an older version',
      { ...agentInfo, version: '7.2.22' },
      [mismatch.replace('10.2.0', '7.2.22').replace('9.1.3', '10.2.2')],
    ],
    ['no version', {}, []],
    ['an invalid version', { version: '\u001b[31m' }, []],
    ['a version within other text', { version: 'about 10.2.2' }, []],
    ['a version that is not a string', { version: { toString: 1 } }, []],
    ['null', null, []],
  ])('an agent reports %s', async (_, reply, want) => {
    const peer = new Peer({ kind: 'agent' }).on('guest-info', reply);
    expect(await warnings(ofAgent, {}, peer)).toEqual(want);
  });

  test('an agent is asked once, after the first call, and its version is known then', async () => {
    await using peer = new Peer({ kind: 'agent' }).on('guest-info', agentInfo).on('guest-ping', {});
    await using vm = await connectPeer(peer, {}, ofAgent);
    expect(vm.version).toBeUndefined();
    await vm.execute('guest-ping');
    await settled();
    expect(vm.version).toBe('10.2.2');
    expect(peer.commands).toEqual(['guest-sync-delimited', 'guest-ping', 'guest-info']);
  });

  test.each<[what: string, protocol: Protocol, options: ConnectOptions]>([
    ['its version is not checked', ofAgent, { checkVersion: false }],
    ['the version of the code is unknown', agent, {}],
  ])('an agent is not asked if %s', async (_, protocol, options) => {
    await using peer = new Peer({ kind: 'agent' }).on('guest-info', agentInfo);
    await using vm = await connectPeer(peer, options, protocol);
    await settled();
    expect(vm.version).toBeUndefined();
    expect(peer.commands).toEqual(['guest-sync-delimited']);
  });

  test('an agent without the command causes no warning', async () => {
    expect(await warnings(ofAgent, {}, new Peer({ kind: 'agent' }))).toEqual([]);
  });

  test('an agent that never replies delays neither calls beyond the time limit nor the end', async () => {
    await using peer = new Peer({ kind: 'agent' }).on('guest-info', () => {}).on('guest-ping', {});
    const begin = performance.now();
    const vm = await connectPeer(peer, { connectTimeout: 50 }, ofAgent);
    await peer.request('guest-info');
    await vm.execute('guest-ping');
    await vm.close();
    const other = await connectPeer(peer, {}, ofAgent);
    await peer.request('guest-info');
    await other.close();
    expect(performance.now() - begin).toBeLessThan(1500);
  });

  test('an agent that is disconnected immediately causes no warning', async () => {
    await using peer = new Peer({ kind: 'agent' }).on('guest-info', () => peer.reset());
    const logged: LogEntry[] = [];
    const vm = await connectPeer(peer, { log: (entry) => logged.push(entry) }, ofAgent);
    await settled();
    await vm.close();
    expect(logged.map(({ level }) => level)).toEqual(['info']);
  });
});
