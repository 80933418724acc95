/** One connection: its handshake, and matching replies to commands. */

import { Duplex } from 'node:stream';
import { inspect } from 'node:util';

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { ConnectOptions, LogEntry } from '../../runtime/src/index.js';
import { agent, connectPeer, connectTo, failure, monitor, settled } from '../support/client.js';
import { duplexPair } from '../support/duplex-pair.js';
import { Peer, type PeerOptions, type PeerRequest } from '../support/peer.js';

/** Returns options that collect log entries. */
function logging(entries: LogEntry[]): ConnectOptions {
  return { log: (entry) => entries.push(entry) };
}

describe('the handshake', () => {
  test.each<[what: string, options: PeerOptions, args: unknown, capabilities: string[]]>([
    ['without out-of-band execution', {}, undefined, []],
    ['with out-of-band execution', { oob: true }, { enable: ['oob'] }, ['oob']],
  ])('%s', async (_, options, args, capabilities) => {
    await using peer = new Peer(options);
    await using vm = await connectPeer(peer);
    expect(vm.greeting).toEqual({
      version: { qemu: { major: 10, minor: 2, micro: 0 }, package: 'peer' },
      capabilities,
    });
    expect(peer.received).toMatchObject([{ command: 'qmp_capabilities', arguments: args, oob: false }]);
  });

  test('with unknown capabilities', async () => {
    await using peer = new Peer({ greets: false });
    const connecting = connectPeer(peer);
    peer.greet({ QMP: { version: { qemu: {}, package: '' }, capabilities: ['telepathy', 1, { a: 1 }], more: true } });
    await using vm = await connecting;
    expect(vm.greeting?.capabilities).toEqual(['telepathy']);
    expect(peer.received[0]?.arguments).toBe(undefined);
  });

  test('with events before the greeting, and before the reply', async () => {
    await using peer = new Peer({ greets: false });
    peer.on('qmp_capabilities', () => {
      peer.event('RESUME');
      return {};
    });
    const connecting = connectPeer(peer);
    peer.event('STOP');
    await settled();
    peer.greet();
    await using vm = await connecting;
    const heard: string[] = [];
    vm.on('*', ({ event }) => heard.push(event));
    expect(heard).toEqual([]);
    await settled();
    expect(heard).toEqual(['STOP', 'RESUME']);
  });

  test('with a late greeting, one byte at a time', async () => {
    await using peer = new Peer({ greets: false, cut: (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte)) });
    const connecting = connectPeer(peer);
    setTimeout(() => peer.greet(), 50);
    await using vm = await connecting;
    expect(vm.greeting?.version.package).toBe('peer');
  });

  test('with a greeting that is so late that the client asks whether the server is an agent', async () => {
    await using peer = new Peer({ greets: false, oob: true });
    const entries: LogEntry[] = [];
    peer.on('guest-ping', (request) => {
      peer.greet();
      request.fail("Expecting capabilities negotiation with 'qmp_capabilities'", 'CommandNotFound');
    });
    await using vm = await connectPeer(peer, logging(entries));
    expect(vm.greeting?.capabilities).toEqual(['oob']);
    expect(peer.commands).toEqual(['guest-ping', 'qmp_capabilities']);
    peer.on('x', 1);
    expect(await vm.execute('x')).toBe(1);
    expect(entries).toEqual([]);
  });

  test('a monitor that greets in time is not asked whether it is an agent', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(vm.greeting).toBeDefined();
    expect(peer.commands).toEqual(['qmp_capabilities']);
  });

  test.each<[what: string, options: PeerOptions, script?: (peer: Peer) => void]>([
    ['an agent', { kind: 'agent' }, (peer) => peer.on('guest-ping', {})],
    ['an old agent, without ids', { kind: 'agent', ids: false }, (peer) => peer.on('guest-ping', {})],
    ['an agent that may not be pinged', { kind: 'agent' }],
  ])('%s is recognized quickly', async (_, options, script) => {
    await using peer = new Peer(options);
    script?.(peer);
    const begin = performance.now();
    expect(await failure(connectPeer(peer, { connectTimeout: 10_000 }))).toMatchObject({
      code: 'ERR_QMP_CONNECT',
      message: expect.stringMatching(/^cannot connect to .*: this is a guest agent, not a monitor: .*qemu\/qga'$/u),
    });
    expect(performance.now() - begin).toBeLessThan(5000);
    expect(peer.commands).toEqual(['guest-ping']);
  });

  test('a monitor whose greeting was already read is not taken for an agent', async () => {
    await using peer = new Peer({ greets: false });
    peer.on('guest-ping', () => {
      // A reply to the program that read the greeting.
      peer.send({ return: {}, id: 'other' });
      const desc = "Expecting capabilities negotiation with 'qmp_capabilities'";
      peer.send({ id: 'qapi-ts: is this an agent?', error: { class: 'CommandNotFound', desc } });
    });
    expect(await failure(connectPeer(peer, { connectTimeout: 10_000 }))).toMatchObject({
      code: 'ERR_QMP_CONNECT',
      message: expect.stringMatching(/: this is a monitor whose greeting is missing: /u),
    });
  });

  test('a stream whose write throws causes an error', async () => {
    const stream = new Duplex({
      read() {},
      write() {
        throw new Error('no');
      },
    });
    expect(await failure(connectTo(stream))).toMatchObject({
      code: 'ERR_QMP_CONNECT',
      message: expect.stringMatching(/the stream cannot be written to/u),
    });
  });

  test('a monitor that sends an event before its greeting is not taken for an agent', async () => {
    await using peer = new Peer({ greets: false });
    peer.on('guest-ping', () => {
      peer.event('STOP');
      peer.greet();
    });
    await using vm = await connectPeer(peer);
    expect(vm.greeting).toBeDefined();
  });

  test.each([
    { given: 'a port', want: /: the server closed the connection; it may expect TLS$/u },
    { given: 'a path', want: /: the server closed the connection$/u },
  ])('a server that disconnects when it is asked causes an error: $given', async ({ given, want }) => {
    await using peer = new Peer({ greets: false });
    peer.on('guest-ping', () => peer.end());
    const address = given === 'a port' ? await peer.listenTcp() : await peer.listenUnix();
    expect(await failure(connectTo(address))).toMatchObject({
      code: 'ERR_QMP_CONNECT',
      message: expect.stringMatching(want),
    });
  });

  test('a second greeting is dropped', async () => {
    await using peer = new Peer();
    const entries: LogEntry[] = [];
    peer.on('qmp_capabilities', () => {
      peer.greet();
      return {};
    });
    await using vm = await connectPeer(peer, logging(entries));
    peer.greet({ QMP: { version: {}, capabilities: ['oob'] } });
    await settled();
    expect(vm.greeting?.version.package).toBe('peer');
    peer.on('x', 1);
    expect(await vm.execute('x')).toBe(1);
    await vm.close();
    expect(entries.map(({ message }) => message)).toEqual([
      'an unexpected greeting was dropped',
      'an unexpected greeting was dropped, and 1 more like it',
    ]);
  });

  describe('fails', () => {
    test.each<[what: string, run: (peer: Peer) => void, want: { code: string; message: string | RegExp }]>([
      [
        'without a greeting',
        () => {},
        {
          code: 'ERR_QMP_CONNECT',
          message: /: no greeting within 100 ms: the server may have another client, or may not be a monitor$/u,
        },
      ],
      [
        'when the server closes',
        (peer) => peer.end(),
        { code: 'ERR_QMP_CONNECT', message: /: the server closed the connection$/u },
      ],
      [
        'when the server closes in the middle of the greeting',
        (peer) => {
          peer.write('{"QMP": {"ver');
          peer.end();
        },
        { code: 'ERR_QMP_CONNECT', message: /: the server closed the connection$/u },
      ],
      [
        'with another protocol',
        (peer) => peer.write('220 mail.example.com ESMTP\r\n'),
        { code: 'ERR_QMP_PROTOCOL', message: 'not JSON: "220 mail.example.com ESMTP"' },
      ],
      [
        'with JSON that is not a message',
        (peer) => peer.write('{"hello": "world"}\n'),
        { code: 'ERR_QMP_PROTOCOL', message: String.raw`the server sent an invalid message: "{\"hello\": \"world\"}"` },
      ],
      [
        'with an array',
        (peer) => peer.write('[1]\n'),
        { code: 'ERR_QMP_PROTOCOL', message: 'the server sent an invalid message: "[1]"' },
      ],
      [
        'with null',
        (peer) => peer.write('null\n'),
        { code: 'ERR_QMP_PROTOCOL', message: 'the server sent an invalid message: "null"' },
      ],
      ...[
        null,
        1,
        [],
        {},
        { version: {} },
        { version: null, capabilities: [] },
        { version: {}, capabilities: 'oob' },
      ].map((greeting): [string, (peer: Peer) => void, { code: string; message: string }] => [
        `with the greeting ${JSON.stringify(greeting)}`,
        (peer) => peer.greet({ QMP: greeting }),
        { code: 'ERR_QMP_PROTOCOL', message: 'the greeting has no version or no capabilities' },
      ]),
      [
        'with a greeting that is too long',
        (peer) => peer.greet({ QMP: { version: {}, capabilities: ['x'.repeat(70_000)] } }),
        { code: 'ERR_QMP_PROTOCOL', message: 'a greeting of more than 65536 characters' },
      ],
      [
        'when the server rejects the capabilities',
        (peer) => {
          peer.on('qmp_capabilities', (request) => request.fail('Capability oob is not available'));
          peer.greet();
        },
        { code: 'ERR_QMP_CONNECT', message: /: qmp_capabilities: Capability oob is not available$/u },
      ],
      [
        'when the server disconnects before it replies to the negotiation',
        (peer) => {
          peer.on('qmp_capabilities', () => peer.reset());
          peer.greet();
        },
        { code: 'ERR_QMP_CONNECT', message: /: the server closed the connection$/u },
      ],
      [
        'when the server violates the protocol right after the negotiation',
        (peer) => {
          peer.on('qmp_capabilities', (request) => {
            request.return();
            peer.write('garbage\n');
          });
          peer.greet();
        },
        { code: 'ERR_QMP_CONNECT', message: /the server closed the connection$/u },
      ],
      [
        'when the server never replies to the negotiation',
        (peer) => {
          peer.on('qmp_capabilities', () => {});
          peer.greet();
        },
        { code: 'ERR_QMP_CONNECT', message: /: the server sent a greeting, but did not reply within 100 ms$/u },
      ],
    ])('%s', async (_, run, { code, message }) => {
      await using peer = new Peer({ greets: false });
      const stream = peer.stream();
      const connecting = failure(connectTo(stream, { connectTimeout: 100 }));
      run(peer);
      const error = await connecting;
      expect(error).toMatchObject({
        code,
        message: typeof message === 'string' ? message : expect.stringMatching(message),
      });
      expect(error.stack).toContain('session.test.ts');
      expect(stream.destroyed).toBe(true);
      await settled();
      expect(listenerCounts(stream)).toEqual({});
    });

    test('on a stream that is closed', async () => {
      const [ended, destroyed, halfClosed] = [duplexPair(), duplexPair(), duplexPair()].map(([stream]) => stream);
      destroyed?.destroy();
      ended?.push(null);
      ended?.resume();
      halfClosed?.end();
      await settled();
      for (const stream of [ended, destroyed, halfClosed]) {
        if (!stream) throw new Error('no stream');
        const begin = performance.now();
        expect(await failure(connectTo(stream, { connectTimeout: 500 }))).toMatchObject({ code: 'ERR_QMP_CONNECT' });
        expect(performance.now() - begin).toBeLessThan(400);
      }
    });
  });
});

/** Returns the number of listeners on a stream by event, if there are any. */
function listenerCounts(stream: NodeJS.EventEmitter): Record<string, number> {
  const names = ['data', 'drain', 'error', 'end', 'close', 'readable'];
  return Object.fromEntries(
    names.map((name) => [name, stream.listenerCount(name)] as const).filter(([, count]) => count > 0),
  );
}

describe('replies', () => {
  test('belong to the command with their id, in any order', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    const commands = ['a', 'b', 'c', 'd'];
    for (const command of commands) peer.on(command, () => {});
    const results = Promise.all(commands.map((command) => vm.execute(command)));
    await settled();
    for (const request of peer.received.slice(1).toReversed()) request.return(request.command.toUpperCase());
    expect(await results).toEqual(['A', 'B', 'C', 'D']);
  });

  test('to concurrent calls follow a single write', async () => {
    await using peer = new Peer();
    const stream = peer.stream();
    await using vm = await connectTo(stream);
    peer.on('x', {});
    const write = vi.spyOn(stream, 'write');
    await Promise.all(Array.from({ length: 100 }, () => vm.execute('x')));
    expect(write).toHaveBeenCalledTimes(1);
  });

  test.each<[what: string, value: string, want: unknown]>([
    ['nothing', '{}', {}],
    ['null', 'null', null],
    ['false', 'false', false],
    ['a 64-bit integer', '18446744073709551615', 18446744073709551615n],
    ['an empty string', '""', ''],
  ])('may be %s', async (_, value, want) => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x', (request) => peer.write(`{"return": ${value}, "id": ${JSON.stringify(request.id)}, "more": 1}\r\n`));
    expect(await vm.execute('x')).toEqual(want);
  });

  test.each<[what: string, error: string, want: object]>([
    [
      'with a class and a description',
      '{"class": "DeviceNotFound", "desc": "no such device"}',
      { errorClass: 'DeviceNotFound', desc: 'no such device' },
    ],
    ['with further members', '{"class": "New", "desc": "x", "more": 1}', { errorClass: 'New', desc: 'x' }],
    ['without members', '{}', { errorClass: 'GenericError', desc: 'the server gave no description' }],
    [
      'of the wrong types',
      '{"class": 1, "desc": {}}',
      { errorClass: 'GenericError', desc: 'the server gave no description' },
    ],
    ['that is a string', '"x"', { errorClass: 'GenericError', desc: 'the server gave no description' }],
    ['that is null', 'null', { errorClass: 'GenericError', desc: 'the server gave no description' }],
  ])('may be an error %s', async (_, error, want) => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x', (request) => peer.write(`{"error": ${error}, "id": ${JSON.stringify(request.id)}}\r\n`));
    expect(await failure(vm.execute('x'))).toMatchObject({
      ...want,
      code: 'ERR_QMP_COMMAND',
      name: 'CommandError',
      command: 'x',
    });
  });

  test('that match no command are dropped, logged once, and counted at the end', async () => {
    await using peer = new Peer();
    const entries: LogEntry[] = [];
    await using vm = await connectPeer(peer, logging(entries));
    peer.on('x', (request) => {
      request.return(1);
      request.return(2);
      request.fail('again');
    });
    expect(await vm.execute('x')).toBe(1);
    for (const id of ['99', '-1', '1.5', '"1"', 'null', '{}', '[2]', '1e400', '9007199254740993', '"__proto__"']) {
      peer.write(`{"return": "secret", "id": ${id}}\n`);
    }
    peer.write('{"return": 1}\n'.repeat(100_000));
    peer.on('y', 'still there');
    expect(await vm.execute('y')).toBe('still there');
    const entry = { level: 'warn', message: 'a reply that matches no command was dropped' };
    expect(entries).toEqual([{ ...entry, content: { id: 2 } }]);
    await vm.close();
    expect(entries.slice(1)).toEqual([{ ...entry, message: `${entry.message}, and 100011 more like it` }]);
  });

  test('keep only the beginning of long text', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x', (request) => request.fail('x'.repeat(1_000_000), 'y'.repeat(1_000_000)));
    const error = await failure(vm.execute('x'));
    expect(error).toMatchObject({ desc: `${'x'.repeat(16_384)}...`, errorClass: `${'y'.repeat(16_384)}...` });
    // Secrets are hidden before truncation, so that none is cut in two.
    const password = 'secret'.repeat(10);
    peer.on('set_password', (request) => request.fail(`${'x'.repeat(16_380)}${password}`));
    expect((await failure(vm.execute('set_password', { password })))['desc']).toBe(`${'x'.repeat(16_380)}***`);
  });

  describe('without id', () => {
    const parseError = '{"error": {"class": "GenericError", "desc": "JSON parse error"}}\n';
    const result = '{"return": "to nobody"}\n';

    /** Makes a peer send the given replies, in order, like QEMU. */
    function inOrder(peer: Peer, answers: Readonly<Record<string, string>>): void {
      for (const [command, answer] of Object.entries(answers)) {
        peer.on(command, ({ id }) => peer.write(answer.replaceAll('ID', JSON.stringify(id) ?? '')));
      }
      peer.on('query-version', {});
    }

    test('are never results', async () => {
      await using peer = new Peer();
      const entries: LogEntry[] = [];
      await using vm = await connectPeer(peer, logging(entries));
      inOrder(peer, { x: `${result}{"return": "fine", "id": ID}\n${result}` });
      expect(await vm.execute('x')).toBe('fine');
      expect(entries.map(({ content }) => content)).toEqual([{ id: undefined }]);
    });

    test.each<[what: string, answers: Record<string, string>, commands: string[], failed: string[]]>([
      ['the only command', { bad: parseError }, ['bad'], ['bad']],
      ['a command that causes many errors', { bad: parseError.repeat(1000) }, ['bad'], ['bad']],
      ['the first of several', { bad: parseError, x: '{"return": 1, "id": ID}\n' }, ['bad', 'x', 'x'], ['bad']],
      ['the last of several', { bad: parseError, x: '{"return": 1, "id": ID}\n' }, ['x', 'x', 'bad'], ['bad']],
      [
        'two among others',
        { bad: parseError, x: '{"return": 1, "id": ID}\n' },
        ['x', 'bad', 'bad', 'x'],
        ['bad', 'bad'],
      ],
    ])('are errors of %s that could not be parsed', async (_, answers, commands, failed) => {
      for (const oob of [false, true]) {
        await using peer = new Peer({ oob });
        await using vm = await connectPeer(peer);
        inOrder(peer, answers);
        for (let round = 0; round < 3; round += 1) {
          const calls = await Promise.allSettled(commands.map((command) => vm.execute(command)));
          const errors = calls.flatMap((call) => (call.status === 'rejected' ? [call.reason as Error] : []));
          expect(errors).toMatchObject(failed.map((command) => ({ command, desc: 'JSON parse error' })));
        }
      }
    });

    test('identify commands that prevent others from being sent', async () => {
      await using peer = new Peer({ oob: true });
      await using vm = await connectPeer(peer);
      inOrder(peer, { bad: parseError, x: '{"return": 1, "id": ID}\n' });
      const bad = Promise.allSettled(Array.from({ length: 8 }, () => vm.execute('bad')));
      expect(await vm.execute('x')).toBe(1);
      expect((await bad).map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 'rejected'));
    });

    test('are not errors of a later command', async () => {
      await using peer = new Peer();
      await using vm = await connectPeer(peer);
      inOrder(peer, { x: '{"return": 1, "id": ID}\n' });
      peer.on('bad', () => {
        peer.write(parseError);
        setImmediate(() => peer.write(parseError.repeat(2)));
      });
      // A monitor replies only after everything before it.
      peer.on('query-version', async () => {
        await settled();
        return {};
      });
      const bad = failure(vm.execute('bad'));
      await settled();
      expect(await vm.execute('x')).toBe(1);
      expect(await bad).toMatchObject({ command: 'bad' });
    });

    test('are logged when they match no command', async () => {
      await using peer = new Peer();
      const entries: LogEntry[] = [];
      await using vm = await connectPeer(peer, logging(entries));
      peer.write(parseError);
      await settled();
      inOrder(peer, { x: `${parseError}{"return": 1, "id": ID}\n` });
      expect(await vm.execute('x')).toBe(1);
      await settled();
      await vm.close();
      const message = 'a reply that matches no command was dropped';
      const content = { id: undefined, class: 'GenericError', desc: 'JSON parse error' };
      expect(entries).toEqual([
        { level: 'warn', message, content },
        { level: 'warn', message: `${message}, and 1 more like it` },
      ]);
    });

    test('leave nothing behind when the connection ends in the meantime', async () => {
      await using peer = new Peer();
      await using vm = await connectPeer(peer);
      peer.on('bad', () => peer.write(parseError));
      peer.on('query-version', () => peer.reset());
      expect(await failure(vm.execute('bad'))).toMatchObject({ code: 'ERR_QMP_CONNECTION_LOST' });
    });
  });
});

describe('out-of-band execution', () => {
  test('leaves at most eight other commands in flight, so that it can overtake them', async () => {
    await using peer = new Peer({ oob: true });
    await using vm = await connectPeer(peer);
    const waiting: PeerRequest[] = [];
    peer.on('slow', (request) => void waiting.push(request));
    peer.on('quick', 'at once');
    const calls = Array.from({ length: 20 }, (_, n) => vm.execute('slow', { n }));
    await settled();
    expect(waiting.length).toBe(8);
    expect(await vm.execute('quick', {}, { oob: true })).toBe('at once');
    expect(peer.received.at(-1)).toMatchObject({ command: 'quick', oob: true });
    expect(waiting.length).toBe(8);
    for (let n = 0; n < 20; n += 1) {
      waiting[n]?.return(n);
      await settled();
      expect(waiting.length).toBe(Math.min(n + 9, 20));
    }
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(waiting.map((request) => request.arguments?.['n'])).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  test('does not limit the number of out-of-band commands', async () => {
    await using peer = new Peer({ oob: true });
    await using vm = await connectPeer(peer);
    peer.on('x', () => {});
    const calls = Array.from({ length: 20 }, () => failure(vm.execute('x', {}, { oob: true })));
    await settled();
    expect(peer.received.length).toBe(21);
    peer.reset();
    expect(new Set((await Promise.all(calls)).map(({ code }) => code))).toEqual(new Set(['ERR_QMP_CONNECTION_LOST']));
  });

  test('is not limited to eight commands without it', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x', () => {});
    const calls = Array.from({ length: 20 }, () => failure(vm.execute('x')));
    await settled();
    expect(peer.received.length).toBe(21);
    peer.reset();
    await Promise.all(calls);
  });

  test('is rejected if the server does not offer it', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    expect(await failure(vm.execute('x', {}, { oob: true }))).toMatchObject({ code: 'ERR_QMP_NOT_SENT' });
    expect(peer.received.length).toBe(1);
  });

  test('continues when commands in flight are aborted, and their late replies arrive', async () => {
    await using peer = new Peer({ oob: true });
    await using vm = await connectPeer(peer);
    const waiting: PeerRequest[] = [];
    peer.on('slow', (request) => void waiting.push(request));
    const abort = new AbortController();
    const calls = Array.from({ length: 8 }, () => failure(vm.execute('slow', {}, { signal: abort.signal })));
    const next = vm.execute('slow');
    await settled();
    abort.abort();
    await Promise.all(calls);
    await settled();
    // The server still has them.
    expect(waiting.length).toBe(8);
    waiting[3]?.return();
    await settled();
    waiting[8]?.return('next');
    expect(await next).toBe('next');
  });

  test('queues in linear time', { retry: 2 }, async () => {
    const time = async (count: number): Promise<number> => {
      await using peer = new Peer({ oob: true });
      await using vm = await connectPeer(peer);
      peer.on('x', {});
      const begin = performance.now();
      await Promise.all(Array.from({ length: count }, () => vm.execute('x')));
      return performance.now() - begin;
    };
    await time(1000);
    const once = await time(5000);
    expect((await time(20_000)) / once).toBeLessThan(10);
  });
});

describe('a server that does not read', () => {
  test('is sent no more than its stream accepts, and the rest when it reads', async () => {
    await using peer = new Peer();
    const stream = peer.stream();
    await using vm = await connectTo(stream);
    peer.on('x', {});
    peer.socket.pause();
    const text = 'x'.repeat(1000);
    const calls = Array.from({ length: 1000 }, () => vm.execute('x', { text }));
    await settled();
    expect(stream.writableLength).toBeLessThan(200_000);
    peer.socket.resume();
    await Promise.all(calls);
    expect(peer.received.length).toBe(1001);
  });

  test('does not receive calls that were still queued', async () => {
    await using peer = new Peer();
    const stream = peer.stream();
    await using vm = await connectTo(stream);
    peer.socket.pause();
    const text = 'x'.repeat(1000);
    const calls = Array.from({ length: 1000 }, () => failure(vm.execute('x', { text })));
    await settled();
    peer.reset();
    const codes = (await Promise.all(calls)).map(({ code }) => code);
    expect(new Set(codes)).toEqual(new Set(['ERR_QMP_CONNECTION_LOST', 'ERR_QMP_NOT_SENT']));
    // In order.
    expect(codes.lastIndexOf('ERR_QMP_CONNECTION_LOST')).toBeLessThan(codes.indexOf('ERR_QMP_NOT_SENT'));
  });
});

describe('an agent', () => {
  const connectAgent = (peer: Peer, options?: ConnectOptions): ReturnType<typeof connectPeer> =>
    connectPeer(peer, options, agent);

  test('is resynchronized', async () => {
    await using peer = new Peer({ kind: 'agent' });
    await using ga = await connectAgent(peer);
    expect(ga.greeting).toBe(undefined);
    expect(peer.bytes[0]).toBe(0xff);
    expect(peer.commands).toEqual(['guest-sync-delimited']);
    peer.on('guest-ping', {});
    expect(await ga.execute('guest-ping')).toEqual({});
  });

  test('may have sent anything beforehand', async () => {
    await using peer = new Peer({ kind: 'agent' });
    const connecting = connectAgent(peer);
    peer.write('{"return": "to somebody else", "id": 1}\nhalf a mess');
    await using ga = await connecting;
    peer.on('guest-ping', 1);
    expect(await ga.execute('guest-ping')).toBe(1);
  });

  test('may first reply to an earlier connection', async () => {
    await using peer = new Peer({ kind: 'agent' });
    peer.on('guest-sync-delimited', (request) => {
      peer.write(Buffer.from('\xff{"return": 4711}\n', 'latin1'));
      setImmediate(() => request.return(request.arguments?.['id'] as number));
    });
    await using ga = await connectAgent(peer);
    peer.on('guest-ping', 1);
    expect(await ga.execute('guest-ping')).toBe(1);
  });

  test('may omit ids, and is sent one command at a time', async () => {
    await using peer = new Peer({ kind: 'agent', ids: false });
    await using ga = await connectAgent(peer);
    const waiting: PeerRequest[] = [];
    peer.on('guest-info', (request) => void waiting.push(request));
    const calls = Promise.allSettled([0, 1, 2].map((n) => ga.execute('guest-info', { n })));
    for (const n of [0, 1, 2]) {
      await settled();
      expect(waiting.length).toBe(n + 1);
      if (n === 1) waiting[n]?.fail('not now');
      else waiting[n]?.return(n);
    }
    expect((await calls).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('that is busy with an aborted command replies to the next call, and only that', async () => {
    await using peer = new Peer({ kind: 'agent', ids: false });
    await using ga = await connectAgent(peer);
    let finish: (() => void) | undefined;
    // An agent executes one command at a time, and does not read in the meantime.
    peer.on('guest-fsfreeze-freeze', (request) => {
      peer.socket.pause();
      finish = () => {
        request.return('late');
        peer.socket.resume();
      };
    });
    peer.on('guest-ping', 'pong');
    expect(await failure(ga.execute('guest-fsfreeze-freeze', {}, { timeout: 20 }))).toMatchObject({
      code: 'ERR_QMP_TIMEOUT',
    });
    const impatient = await failure(ga.execute('guest-ping', {}, { timeout: 20 }));
    expect(impatient).toMatchObject({ code: 'ERR_QMP_TIMEOUT' });
    const calls = [ga.execute('guest-ping'), ga.execute('guest-ping')];
    await settled();
    finish?.();
    expect(await Promise.all(calls)).toEqual(['pong', 'pong']);
    expect(peer.commands.filter((command) => command === 'guest-ping').length).toBe(2);
  });

  test('does not reveal the secrets of an aborted command', async () => {
    for (const late of [
      '{"error": {"desc": "QUOTED"}}\n',
      '{"return": "QUOTED"}\n',
      '{"event": "QUOTED"}\n',
      'QUOTED\n',
    ]) {
      await using peer = new Peer({ kind: 'agent' });
      const seen: string[] = [];
      const log = (entry: LogEntry): void => void seen.push(inspect(entry, { depth: 9 }));
      const trace = (_: string, text: string): void => void seen.push(text);
      await using ga = await connectAgent(peer, { log, trace });
      peer.on('guest-set-user-password', () => {});
      peer.on('guest-sync-delimited', () => {});
      const error = await failure(ga.execute('guest-set-user-password', { password: 'hunter2' }, { timeout: 20 }));
      expect(error).toMatchObject({ code: 'ERR_QMP_TIMEOUT' });
      peer.write(Buffer.from(`\xff${late.replace('QUOTED', "what is 'hunter2'?")}`, 'latin1'));
      await settled();
      expect(seen.join('\n')).toContain("what is '***'?");
      expect(seen.join('\n')).not.toContain('hunter2');
    }
  });

  test.each([true, false])('does not reveal a secret result that arrives too late, with ids: %s', async (ids) => {
    await using peer = new Peer({ kind: 'agent', ids });
    const seen: string[] = [];
    await using ga = await connectAgent(peer, { trace: (_, text) => void seen.push(text) });
    peer.on('guest-file-read', () => {});
    peer.on('guest-sync-delimited', () => {});
    const error = await failure(ga.execute('guest-file-read', { handle: 1 }, { timeout: 20 }));
    expect(error).toMatchObject({ code: 'ERR_QMP_TIMEOUT' });
    const id = ids ? ', "id": 1' : '';
    peer.write(Buffer.from(`\xff{"return": {"count": 7, "buf-b64": "aHVudGVyMg==", "eof": true}${id}}\n`, 'latin1'));
    await settled();
    expect(seen.join('\n')).toContain('***');
    expect(seen.join('\n')).not.toContain('aHVudGVyMg==');
  });

  test('that was restarted is resynchronized', async () => {
    await using peer = new Peer({ kind: 'agent' });
    await using ga = await connectAgent(peer);
    // Data in transit when the guest was reset is lost.
    peer.on('guest-ping', () => {});
    peer.on('guest-sync-delimited', () => {});
    expect(await failure(ga.execute('guest-ping', {}, { timeout: 20 }))).toMatchObject({ code: 'ERR_QMP_TIMEOUT' });
    peer.on('guest-ping', 'pong');
    expect(await failure(ga.execute('guest-ping', {}, { timeout: 20 }))).toMatchObject({ code: 'ERR_QMP_TIMEOUT' });
    peer.on('guest-sync-delimited', (request) => request.arguments?.['id'] as number);
    expect(await failure(ga.execute('guest-ping', {}, { timeout: 20 }))).toMatchObject({ code: 'ERR_QMP_TIMEOUT' });
    expect(await ga.execute('guest-ping', {}, { timeout: 1000 })).toBe('pong');
  });

  test.each<[what: string, options: PeerOptions]>([
    ['a monitor', {}],
    ['a monitor that indents', { pretty: true }],
    ['a monitor that sends one byte at a time', { cut: (bytes) => [...bytes].map((byte) => Uint8Array.of(byte)) }],
  ])('that is actually a monitor is recognized quickly: %s', async (_, options) => {
    await using peer = new Peer(options);
    const begin = performance.now();
    expect(await failure(connectAgent(peer, { connectTimeout: 10_000 }))).toMatchObject({
      code: 'ERR_QMP_CONNECT',
      message: expect.stringMatching(
        /^cannot connect to .*: this is a monitor, not a guest agent: .*qmp', or '.*qsd' for/u,
      ),
    });
    expect(performance.now() - begin).toBeLessThan(5000);
  });

  test('is not taken for a monitor because of what an earlier connection left', async () => {
    await using peer = new Peer({ kind: 'agent' });
    const connecting = connectAgent(peer);
    peer.write('{"return": "{\\"QMP\\": {}}"}\n');
    await using ga = await connecting;
    peer.on('guest-ping', 'pong');
    expect(await ga.execute('guest-ping')).toBe('pong');
  });

  test('that is slow is not taken for a monitor', async () => {
    await using peer = new Peer({ kind: 'agent' });
    peer.on('guest-sync-delimited', async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 800));
      return request.arguments?.['id'] as number;
    });
    await using ga = await connectAgent(peer);
    peer.on('guest-ping', 'pong');
    expect(await ga.execute('guest-ping')).toBe('pong');
  });

  test.each<[what: string, run: (peer: Peer) => void, message: string | RegExp]>([
    ['never replies', () => {}, /: no reply within 100 ms: the agent may not be running$/u],
    [
      'echoes another number',
      (peer) => peer.write(Buffer.from('\xff{"return": 1}\n', 'latin1')),
      /: no reply within 100 ms/u,
    ],
    [
      'replies without the delimiter',
      (peer) =>
        peer.on('guest-sync-delimited', (request) => peer.send({ return: request.arguments?.['id'] as number })),
      /: no reply within/u,
    ],
    ['sends an endless line', (peer) => peer.write('x'.repeat(100_000)), /: no reply within/u],
    [
      'sends an endless line after the delimiter',
      (peer) => peer.write(Buffer.from(`\xff${'x'.repeat(100_000)}`, 'latin1')),
      'a message of more than 10000 bytes',
    ],
    [
      'greets like a monitor',
      (peer) => {
        peer.write(Buffer.from('\xff', 'latin1'));
        peer.greet();
      },
      /: no reply within/u,
    ],
    ['disconnects', (peer) => peer.end(), /: the server closed the connection$/u],
  ])('that %s is rejected', async (_, run, message) => {
    await using peer = new Peer({ kind: 'agent' });
    peer.on('guest-sync-delimited', () => {});
    const connecting = failure(connectAgent(peer, { connectTimeout: 100, messageLimit: 10_000 }));
    run(peer);
    expect((await connecting).message).toMatch(message);
  });

  describe('a command without a reply', () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
    afterEach(() => {
      const count = vi.getTimerCount();
      vi.useRealTimers();
      if (count > 0) throw new Error(`${count} timers are left`);
    });

    /** Advances the time and waits for the effects. */
    async function pass(milliseconds: number): Promise<void> {
      await settled();
      await vi.advanceTimersByTimeAsync(milliseconds);
      await settled();
    }

    test.each([true, false])('succeeds if the agent sends nothing for a second; ids: %s', async (ids) => {
      await using peer = new Peer({ kind: 'agent', ids });
      await using ga = await connectAgent(peer);
      peer.on('guest-shutdown', () => {});
      peer.on('guest-ping', 'pong');
      const ends: string[] = [];
      const shutdown = ga
        .execute('guest-shutdown', { mode: 'powerdown' })
        .then((result) => ends.push(JSON.stringify(result)));
      const ping = ga.execute('guest-ping').then((result) => ends.push(JSON.stringify(result)));
      await pass(999);
      expect([ends, peer.commands.slice(1)]).toEqual([[], ['guest-shutdown']]);
      await pass(1);
      await Promise.all([shutdown, ping]);
      expect(ends).toEqual(['{}', '"pong"']);
      // The next command resynchronizes first.
      expect(peer.commands.slice(1)).toEqual(['guest-shutdown', 'guest-sync-delimited', 'guest-ping']);
    });

    test.each([true, false])('fails if the agent reports an error, and no other command does; ids: %s', async (ids) => {
      await using peer = new Peer({ kind: 'agent', ids });
      await using ga = await connectAgent(peer);
      peer.on('guest-shutdown', (request) => void setImmediate(() => request.fail('not today')));
      peer.on('guest-ping', 'pong');
      const calls = Promise.allSettled([
        ga.execute('guest-shutdown'),
        ga.execute('guest-ping'),
        ga.execute('guest-ping'),
      ]);
      expect(await calls).toMatchObject([
        { reason: { command: 'guest-shutdown', desc: 'not today' } },
        { value: 'pong' },
        { value: 'pong' },
      ]);
      expect(peer.commands.lastIndexOf('guest-sync-delimited')).toBe(0);
    });

    test.each([true, false])("that fails too late does not affect the next command's reply; ids: %s", async (ids) => {
      await using peer = new Peer({ kind: 'agent', ids });
      const entries: LogEntry[] = [];
      await using ga = await connectAgent(peer, logging(entries));
      peer.on('guest-shutdown', () => {});
      peer.on('guest-ping', (request) => {
        request.return('pong');
      });
      const shutdown = ga.execute('guest-shutdown');
      await pass(1000);
      expect(await shutdown).toEqual({});
      const request = await peer.request('guest-shutdown');
      // Whether or not another command has been called since.
      request.fail('not today');
      await settled();
      expect(entries).toMatchObject([{ level: 'warn', content: { class: 'GenericError' } }]);
      const calls = Promise.all([ga.execute('guest-ping'), ga.execute('guest-ping')]);
      request.fail('not today');
      expect(await calls).toEqual(['pong', 'pong']);
    });

    test('has secrets that are hidden as long as they may be repeated', async () => {
      await using peer = new Peer({ kind: 'agent', ids: false });
      const seen: string[] = [];
      const protocol = { handshake: 'sync', withoutReply: ['guest-set-user-password'] } as const;
      const log = (entry: LogEntry): void => void seen.push(inspect(entry));
      const trace = (_: string, text: string): void => void seen.push(text);
      await using ga = await connectPeer(peer, { log, trace }, protocol);
      peer.on('guest-set-user-password', () => {});
      const call = ga.execute('guest-set-user-password', { password: 'hunter2' });
      await pass(1000);
      await call;
      (await peer.request('guest-set-user-password')).fail("'hunter2' is too short");
      await settled();
      expect(seen.join('\n')).toContain("'***' is too short");
      expect(seen.join('\n')).not.toContain('hunter2');
    });

    test('succeeds when the connection ends', async () => {
      for (const end of ['end', 'reset'] as const) {
        await using peer = new Peer({ kind: 'agent' });
        await using ga = await connectAgent(peer);
        peer.on('guest-shutdown', () => void setImmediate(() => peer[end]()));
        const ping = failure(ga.execute('guest-shutdown').then(() => ga.execute('guest-ping')));
        expect(await ping).toMatchObject({ code: 'ERR_QMP_NOT_SENT' });
      }
    });

    test('fails when the connection ends before the agent has read it', async () => {
      await using peer = new Peer({ kind: 'agent' });
      await using ga = await connectAgent(peer);
      peer.socket.pause();
      const calls = [ga.execute('guest-set-time', { text: 'x'.repeat(100_000) }), ga.execute('guest-shutdown')].map(
        failure,
      );
      await settled();
      peer.reset();
      expect((await Promise.all(calls)).map(({ code }) => code)).toEqual([
        'ERR_QMP_CONNECTION_LOST',
        'ERR_QMP_NOT_SENT',
      ]);
    });

    test('succeeds when its own timeout expires first', async () => {
      await using peer = new Peer({ kind: 'agent', ids: false });
      await using ga = await connectAgent(peer);
      peer.on('guest-shutdown', () => {});
      peer.on('guest-ping', 'pong');
      const call = ga.execute('guest-shutdown', {}, { timeout: 100 });
      await pass(100);
      expect(await call).toEqual({});
      expect(await ga.execute('guest-ping')).toBe('pong');
    });

    test('can be aborted', async () => {
      await using peer = new Peer({ kind: 'agent', ids: false });
      await using ga = await connectAgent(peer);
      peer.on('guest-shutdown', () => {});
      peer.on('guest-ping', 'pong');
      const abort = new AbortController();
      const call = failure(ga.execute('guest-shutdown', {}, { signal: abort.signal }));
      await settled();
      abort.abort();
      expect(await call).toMatchObject({ code: 'ERR_QMP_ABORTED' });
      (await peer.request('guest-shutdown')).fail('not today');
      expect(await ga.execute('guest-ping')).toBe('pong');
    });

    test('is waited for by close', async () => {
      await using peer = new Peer({ kind: 'agent' });
      const ga = await connectAgent(peer);
      peer.on('guest-shutdown', () => {});
      const call = ga.execute('guest-shutdown');
      const closing = ga.close();
      await pass(1000);
      expect(await call).toEqual({});
      await closing;
      expect(peer.client.destroyed).toBe(true);
    });

    test('does not delay other commands of a monitor', async () => {
      await using peer = new Peer();
      await using vm = await connectPeer(peer, {}, { handshake: 'greeting', withoutReply: ['silent'] });
      peer.on('silent', () => {});
      peer.on('x', 1);
      const calls = Promise.all([vm.execute('silent'), failure(vm.execute('silent'))]);
      expect(await vm.execute('x')).toBe(1);
      peer.received[2]?.fail('no');
      await pass(1000);
      expect(await calls).toMatchObject([{}, { desc: 'no' }]);
    });

    test('is never sent if the call is aborted first', async () => {
      await using peer = new Peer({ kind: 'agent' });
      await using ga = await connectAgent(peer);
      peer.on('guest-info', () => {});
      const info = failure(ga.execute('guest-info'));
      const abort = new AbortController();
      const shutdown = failure(ga.execute('guest-shutdown', {}, { signal: abort.signal }));
      await settled();
      abort.abort();
      expect(await shutdown).toMatchObject({ code: 'ERR_QMP_ABORTED' });
      (await peer.request('guest-info')).fail('no info');
      await info;
      await settled();
      expect(peer.commands).not.toContain('guest-shutdown');
    });
  });
});

test('a protocol violation ends the connection, and is logged', async () => {
  await using peer = new Peer();
  const entries: LogEntry[] = [];
  const vm = await connectPeer(peer, logging(entries), monitor);
  const lost = new Promise<{ error: Error }>((resolve) => vm.once('disconnected', resolve));
  peer.on('x', () => peer.write('<html>\n'));
  const error = await failure(vm.execute('x'));
  expect(error).toMatchObject({
    code: 'ERR_QMP_CONNECTION_LOST',
    message: 'x: not JSON: "<html>"; whether it was executed is unknown',
    cause: { code: 'ERR_QMP_PROTOCOL', message: 'not JSON: "<html>"' },
  });
  expect((await lost).error).toBe(error.cause);
  expect(entries[0]).toMatchObject({ level: 'error', message: 'the connection is closed: not JSON: "<html>"' });
  expect(peer.socket.readableEnded || peer.socket.destroyed).toBe(true);
});
