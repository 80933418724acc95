/** Tests the peer that other tests use, on its own. */

import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

import { describe, expect, test } from 'vitest';

import { settled } from '../support/client.js';
import { duplexPair } from '../support/duplex-pair.js';
import { Peer, type PeerOptions } from '../support/peer.js';

/** Writes text to a stream, and returns what arrives in response. */
async function say(stream: Duplex, text: string): Promise<string> {
  const chunks: Buffer[] = [];
  const take = (chunk: Buffer): void => void chunks.push(chunk);
  stream.on('data', take);
  stream.write(Buffer.from(text, 'latin1'));
  await settled();
  stream.off('data', take);
  return Buffer.concat(chunks).toString('latin1');
}

const greeting =
  '{"QMP": {"version": {"qemu": {"major": 10, "minor": 2, "micro": 0}, "package": "peer"}, "capabilities": []}}\r\n';

describe('a peer', () => {
  test.each<[what: string, options: PeerOptions, text: string, want: string]>([
    ['greets', {}, '', greeting],
    ['does not greet', { greets: false }, '', ''],
    ['offers out-of-band execution', { oob: true }, '', greeting.replace('[]', '["oob"]')],
    [
      'accepts the negotiation',
      {},
      '{"execute": "qmp_capabilities", "id": "x"}\n',
      `${greeting}{"return": {}, "id": "x"}\r\n`,
    ],
    [
      'answers',
      { greets: false },
      '{"execute": "value", "id": 1}\r\n{"execute": "later"}\n{"execute": "error", "id": null}\n',
      '{"return": [1, {"a": 18446744073709551615}], "id": 1}\r\n' +
        '{"error": {"class": "Bad", "desc": "no"}, "id": null}\r\n{"return": "later"}\r\n',
    ],
    [
      'rejects unknown commands',
      { greets: false },
      '{"execute": "y"}\n',
      '{"error": {"class": "CommandNotFound", "desc": "The command y has not been found"}}\r\n',
    ],
    [
      'rejects what it cannot parse',
      { greets: false },
      '{"execute"\n',
      '{"error": {"class": "GenericError", "desc": "JSON parse error"}}\r\n',
    ],
    [
      'prints messages over several lines',
      { greets: false, pretty: true, newline: '\n' },
      '{"execute": "value", "id": 1}\n',
      '{\n    "return": [\n        1,\n        {\n            "a": 18446744073709551615\n        }\n    ],\n    "id": 1\n}\n',
    ],
    [
      'acts as an agent',
      { kind: 'agent' },
      '{"half\xff{"execute": "guest-sync-delimited", "arguments": {"id": 7}, "id": 1}\n',
      '{"error": {"class": "GenericError", "desc": "JSON parse error"}}\n\xff{"return": 7, "id": 1}\n',
    ],
    [
      'acts as an old agent',
      { kind: 'agent', ids: false },
      '{"execute": "value", "id": 1}\n',
      '{"return": [1, {"a": 18446744073709551615}]}\n',
    ],
  ])('%s', async (_, options, text, want) => {
    await using peer = new Peer(options);
    peer.on('value', [1, { a: 18446744073709551615n, none: undefined }]);
    peer.on('later', () => Promise.resolve('later'));
    peer.on('error', (request) => request.fail('no', 'Bad'));
    expect(await say(peer.stream(), text)).toBe(want);
  });

  test('works the same over sockets', async () => {
    await using peer = new Peer({ greets: false });
    peer.on('x', 1);
    for (const address of [await peer.listenUnix(), await peer.listenTcp()]) {
      const socket = connect(address);
      socket.write('{"execute": "x", "id": 1}\n');
      const [chunk] = await socket.take(1).toArray();
      expect(String(chunk)).toBe('{"return": 1, "id": 1}\r\n');
    }
    expect(peer.connections).toBe(2);
  });

  test('records what it receives', async () => {
    await using peer = new Peer();
    const stream = peer.stream();
    const request = peer.request('b');
    stream.write('{"execute": "a", "id": 1}\n{"exec-oob": "b", "arguments": {"x": 1}, "id": 2}\n');
    expect(await request).toMatchObject({ command: 'b', oob: true, id: 2, arguments: { x: 1 } });
    expect(await peer.request()).toMatchObject({ command: 'a', oob: false, id: 1 });
    expect(peer.commands).toEqual(['a', 'b']);
    expect(peer.received[0]?.text).toBe('{"execute": "a", "id": 1}');
    expect(peer.bytes.length).toBe(76);
  });

  test('cannot send without a connection', () => {
    expect(() => new Peer().event('STOP')).toThrow('the peer has no connection');
  });
});

describe('a pair of streams', () => {
  test('carries data in both directions, and ends', async () => {
    const [a, b] = duplexPair();
    a.end('from a');
    b.end('from b');
    expect(String(Buffer.concat((await a.toArray()) as Buffer[]))).toBe('from b');
    expect(String(Buffer.concat((await b.toArray()) as Buffer[]))).toBe('from a');
    await settled();
    expect([a.closed, b.closed]).toEqual([true, true]);
  });

  test('applies back pressure', async () => {
    const [a, b] = duplexPair();
    while (a.write(Buffer.alloc(1000)));
    await settled();
    expect(a.writableNeedDrain).toBe(true);
    b.resume();
    await settled();
    expect(a.writableLength).toBe(0);
  });

  test('fails writes after the end', async () => {
    const [a, b] = duplexPair();
    b.destroy();
    await settled();
    const errors: Error[] = [];
    a.on('error', (error) => errors.push(error));
    a.write('x');
    await settled();
    expect(errors.map(({ message }) => message)).toEqual(['write EPIPE']);
  });
});
