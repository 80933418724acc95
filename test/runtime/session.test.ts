/** One connection: how it begins, and which reply belongs to which command. */

import { describe, expect, test, vi } from 'vitest';

import type { ConnectOptions, LogEntry } from '../../runtime/src/index.js';
import { agent, connectPeer, connectTo, failure, monitor, settled } from '../support/client.js';
import { duplexPair } from '../support/duplex-pair.js';
import { Peer, type PeerOptions, type PeerRequest } from '../support/peer.js';

/** Options that collect what is logged. */
function logging(entries: LogEntry[]): ConnectOptions {
  return { log: (entry) => entries.push(entry) };
}

describe('the handshake', () => {
  test.each<[what: string, options: PeerOptions, args: unknown, capabilities: string[]]>([
    ['without out-of-band execution', {}, undefined, []],
    ['with it', { oob: true }, { enable: ['oob'] }, ['oob']],
  ])('%s', async (_, options, args, capabilities) => {
    await using peer = new Peer(options);
    await using vm = await connectPeer(peer);
    expect(vm.greeting).toEqual({
      version: { qemu: { major: 10, minor: 2, micro: 0 }, package: 'peer' },
      capabilities,
    });
    expect(peer.received).toMatchObject([{ command: 'qmp_capabilities', arguments: args, oob: false }]);
  });

  test('with capabilities of which nobody has heard', async () => {
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

  test('with a late greeting, a byte at a time', async () => {
    await using peer = new Peer({ greets: false, cut: (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte)) });
    const connecting = connectPeer(peer);
    setTimeout(() => peer.greet(), 50);
    await using vm = await connecting;
    expect(vm.greeting?.version.package).toBe('peer');
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
    expect(entries).toMatchObject(
      Array.from({ length: 2 }, () => ({ level: 'warn', message: 'a greeting that nobody expects was dropped' })),
    );
    peer.on('x', 1);
    expect(await vm.execute('x')).toBe(1);
  });

  describe('fails', () => {
    test.each<[what: string, run: (peer: Peer) => void, want: { code: string; message: string | RegExp }]>([
      [
        'without a greeting',
        () => {},
        { code: 'ERR_QMP_CONNECT', message: /: no greeting within 100 ms: the server may have another client$/u },
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
        'with another language',
        (peer) => peer.write('220 mail.example.com ESMTP\r\n'),
        { code: 'ERR_QMP_PROTOCOL', message: 'not JSON: "220 mail.example.com ESMTP"' },
      ],
      [
        'with JSON that is no message',
        (peer) => peer.write('{"hello": "world"}\n'),
        { code: 'ERR_QMP_PROTOCOL', message: String.raw`the server sent what is no message: "{\"hello\": \"world\"}"` },
      ],
      [
        'with an array',
        (peer) => peer.write('[1]\n'),
        { code: 'ERR_QMP_PROTOCOL', message: 'the server sent what is no message: "[1]"' },
      ],
      [
        'with null',
        (peer) => peer.write('null\n'),
        { code: 'ERR_QMP_PROTOCOL', message: 'the server sent what is no message: "null"' },
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
        'when the capabilities are refused',
        (peer) => {
          peer.on('qmp_capabilities', (request) => request.fail('Capability oob is not available'));
          peer.greet();
        },
        { code: 'ERR_QMP_CONNECT', message: /: qmp_capabilities: Capability oob is not available$/u },
      ],
      [
        'when the server goes before it has agreed',
        (peer) => {
          peer.on('qmp_capabilities', () => peer.reset());
          peer.greet();
        },
        { code: 'ERR_QMP_CONNECT', message: /: the server closed the connection$/u },
      ],
      [
        'when the server goes as soon as it has agreed',
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
        'when the server never agrees',
        (peer) => {
          peer.on('qmp_capabilities', () => {});
          peer.greet();
        },
        { code: 'ERR_QMP_CONNECT', message: /: the server greeted, but did not answer within 100 ms$/u },
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

/** How many listeners of which events a stream has, but for those of its own. */
function listenerCounts(stream: NodeJS.EventEmitter): Record<string, number> {
  const names = ['data', 'drain', 'error', 'end', 'close', 'readable'];
  return Object.fromEntries(
    names.map((name) => [name, stream.listenerCount(name)] as const).filter(([, count]) => count > 0),
  );
}

describe('replies', () => {
  test('belong to the command with their id, in whatever order they come', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    const commands = ['a', 'b', 'c', 'd'];
    for (const command of commands) peer.on(command, () => {});
    const results = Promise.all(commands.map((command) => vm.execute(command)));
    await settled();
    for (const request of peer.received.slice(1).toReversed()) request.return(request.command.toUpperCase());
    expect(await results).toEqual(['A', 'B', 'C', 'D']);
  });

  test('to commands that are made together are to commands written together', async () => {
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
    ['an empty text', '""', ''],
  ])('may be %s', async (_, value, want) => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x', (request) => peer.write(`{"return": ${value}, "id": ${JSON.stringify(request.id)}, "more": 1}\r\n`));
    expect(await vm.execute('x')).toEqual(want);
  });

  test.each<[what: string, error: string, want: object]>([
    [
      'as it should be',
      '{"class": "DeviceNotFound", "desc": "no such device"}',
      { errorClass: 'DeviceNotFound', desc: 'no such device' },
    ],
    ['with more', '{"class": "New", "desc": "x", "more": 1}', { errorClass: 'New', desc: 'x' }],
    ['without anything', '{}', { errorClass: 'GenericError', desc: 'the server gave no description' }],
    [
      'of the wrong types',
      '{"class": 1, "desc": {}}',
      { errorClass: 'GenericError', desc: 'the server gave no description' },
    ],
    ['that is none', '"x"', { errorClass: 'GenericError', desc: 'the server gave no description' }],
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

  test('that belong to no command are dropped and told', async () => {
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
    peer.on('y', 'still there');
    expect(await vm.execute('y')).toBe('still there');
    expect(entries.length).toBe(12);
    for (const entry of entries) {
      expect(entry).toMatchObject({ level: 'warn', message: 'a reply that belongs to no command was dropped' });
    }
    expect(entries.slice(0, 5).map(({ content }) => content)).toEqual([
      { id: 2 },
      { id: 2, class: 'GenericError', desc: undefined },
      { id: 99 },
      { id: -1 },
      { id: 1.5 },
    ]);
  });

  describe('without id', () => {
    const parseError = '{"error": {"class": "GenericError", "desc": "JSON parse error"}}\n';

    test('belong to the only command in flight', async () => {
      await using peer = new Peer();
      await using vm = await connectPeer(peer);
      peer.on('x', () => peer.write(parseError));
      expect(await failure(vm.execute('x'))).toMatchObject({
        code: 'ERR_QMP_COMMAND',
        desc: 'JSON parse error',
        command: 'x',
      });
    });

    test('belong to nobody when there are several, or none', async () => {
      await using peer = new Peer({ oob: true });
      const entries: LogEntry[] = [];
      await using vm = await connectPeer(peer, logging(entries));
      peer.write(parseError);
      await settled();
      const requests: PeerRequest[] = [];
      peer.on('x', (request) => void requests.push(request));
      // Who could tell which of them it is, in band or not?
      const results = Promise.all([vm.execute('x'), vm.execute('x', {}, { oob: true })]);
      await settled();
      peer.write(parseError);
      peer.write('{"return": {}}\n');
      for (const request of requests) request.return('fine');
      expect(await results).toEqual(['fine', 'fine']);
      const content = { id: undefined, class: 'GenericError', desc: 'JSON parse error' };
      expect(entries.map((entry) => entry.content)).toEqual([content, content, { id: undefined }]);
    });
  });
});

describe('out-of-band execution', () => {
  test('leaves at most eight others in flight, so that it can overtake', async () => {
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

  test('does not limit how many are out of band', async () => {
    await using peer = new Peer({ oob: true });
    await using vm = await connectPeer(peer);
    peer.on('x', () => {});
    const calls = Array.from({ length: 20 }, () => failure(vm.execute('x', {}, { oob: true })));
    await settled();
    expect(peer.received.length).toBe(21);
    peer.reset();
    expect(new Set((await Promise.all(calls)).map(({ code }) => code))).toEqual(new Set(['ERR_QMP_CONNECTION_LOST']));
  });

  test('is not limited without it', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    peer.on('x', () => {});
    const calls = Array.from({ length: 20 }, () => failure(vm.execute('x')));
    await settled();
    expect(peer.received.length).toBe(21);
    peer.reset();
    await Promise.all(calls);
  });

  test('is refused where the server does not offer it', async () => {
    await using peer = new Peer();
    await using vm = await connectPeer(peer);
    expect(await failure(vm.execute('x', {}, { oob: true }))).toMatchObject({ code: 'ERR_QMP_NOT_SENT' });
    expect(peer.received.length).toBe(1);
  });

  test('goes on when commands in flight are given up, and their late replies come', async () => {
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
  test('gets no more than its stream takes, and the rest when it reads', async () => {
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

  test('knows nothing of what was still queued', async () => {
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

  test('is brought to a known state', async () => {
    await using peer = new Peer({ kind: 'agent' });
    await using ga = await connectAgent(peer);
    expect(ga.greeting).toBe(undefined);
    expect(peer.bytes[0]).toBe(0xff);
    expect(peer.commands).toEqual(['guest-sync-delimited']);
    peer.on('guest-ping', {});
    expect(await ga.execute('guest-ping')).toEqual({});
  });

  test('may have said anything before', async () => {
    await using peer = new Peer({ kind: 'agent' });
    const connecting = connectAgent(peer);
    peer.write('{"return": "to somebody else", "id": 1}\nhalf a mess');
    await using ga = await connecting;
    peer.on('guest-ping', 1);
    expect(await ga.execute('guest-ping')).toBe(1);
  });

  test('may first answer an earlier connection', async () => {
    await using peer = new Peer({ kind: 'agent' });
    peer.on('guest-sync-delimited', (request) => {
      peer.write(Buffer.from('\xff{"return": 4711}\n', 'latin1'));
      setImmediate(() => request.return(request.arguments?.['id'] as number));
    });
    await using ga = await connectAgent(peer);
    peer.on('guest-ping', 1);
    expect(await ga.execute('guest-ping')).toBe(1);
  });

  test('may leave out the ids, and is asked one thing at a time', async () => {
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

  test('that is busy with what was given up answers the next call, and only that', async () => {
    await using peer = new Peer({ kind: 'agent', ids: false });
    await using ga = await connectAgent(peer);
    let finish: (() => void) | undefined;
    // An agent does one thing after another, and reads no more meanwhile.
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

  test('that was started anew is asked again', async () => {
    await using peer = new Peer({ kind: 'agent' });
    await using ga = await connectAgent(peer);
    // What was on its way when the guest was reset is lost.
    peer.on('guest-ping', () => {});
    peer.on('guest-sync-delimited', () => {});
    expect(await failure(ga.execute('guest-ping', {}, { timeout: 20 }))).toMatchObject({ code: 'ERR_QMP_TIMEOUT' });
    peer.on('guest-ping', 'pong');
    expect(await failure(ga.execute('guest-ping', {}, { timeout: 20 }))).toMatchObject({ code: 'ERR_QMP_TIMEOUT' });
    peer.on('guest-sync-delimited', (request) => request.arguments?.['id'] as number);
    expect(await failure(ga.execute('guest-ping', {}, { timeout: 20 }))).toMatchObject({ code: 'ERR_QMP_TIMEOUT' });
    expect(await ga.execute('guest-ping', {}, { timeout: 1000 })).toBe('pong');
  });

  test.each<[what: string, run: (peer: Peer) => void, message: string | RegExp]>([
    ['never answers', () => {}, /: no answer within 100 ms: the agent may not be running$/u],
    [
      'echoes another number',
      (peer) => peer.write(Buffer.from('\xff{"return": 1}\n', 'latin1')),
      /: no answer within 100 ms/u,
    ],
    [
      'answers without the delimiter',
      (peer) =>
        peer.on('guest-sync-delimited', (request) => peer.send({ return: request.arguments?.['id'] as number })),
      /: no answer within/u,
    ],
    ['sends an endless line', (peer) => peer.write('x'.repeat(100_000)), /: no answer within/u],
    [
      'sends an endless line behind the delimiter',
      (peer) => peer.write(Buffer.from(`\xff${'x'.repeat(100_000)}`, 'latin1')),
      'a message of more than 10000 bytes',
    ],
    [
      'greets like a monitor',
      (peer) => {
        peer.write(Buffer.from('\xff', 'latin1'));
        peer.greet();
      },
      /: no answer within/u,
    ],
    ['is not there', (peer) => peer.end(), /: the server closed the connection$/u],
  ])('that %s is no agent', async (_, run, message) => {
    await using peer = new Peer({ kind: 'agent' });
    peer.on('guest-sync-delimited', () => {});
    const connecting = failure(connectAgent(peer, { connectTimeout: 100, messageLimit: 10_000 }));
    run(peer);
    expect((await connecting).message).toMatch(message);
  });

  describe('told to shut down', () => {
    test('succeeds when it is told', async () => {
      await using peer = new Peer({ kind: 'agent' });
      await using ga = await connectAgent(peer);
      peer.on('guest-shutdown', () => {});
      expect(await ga.execute('guest-shutdown', { mode: 'powerdown' })).toEqual({});
      peer.on('guest-ping', 'pong');
      expect(await ga.execute('guest-ping')).toBe('pong');
    });

    test('succeeds when it goes at once', async () => {
      await using peer = new Peer({ kind: 'agent' });
      await using ga = await connectAgent(peer);
      peer.on('guest-shutdown', () => peer.reset());
      expect(await ga.execute('guest-shutdown')).toEqual({});
      expect(await failure(ga.execute('guest-ping'))).toMatchObject({ code: 'ERR_QMP_NOT_SENT' });
    });

    test('is not told twice', async () => {
      await using peer = new Peer({ kind: 'agent' });
      const entries: LogEntry[] = [];
      await using ga = await connectAgent(peer, logging(entries));
      peer.on('guest-shutdown', () => {});
      await ga.execute('guest-shutdown');
      // Too late: what can be told is told to the log.
      (await peer.request('guest-shutdown')).fail('not today');
      await settled();
      expect(entries).toMatchObject([{ level: 'warn', content: { class: 'GenericError' } }]);
    });

    test('is never told when the call is given up before', async () => {
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

test('a protocol violation ends everything, and is told', async () => {
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
