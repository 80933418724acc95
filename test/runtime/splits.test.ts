/** Replays conversations with the server's bytes cut at every position, and expects the same outcome. */

import { describe, expect, test } from 'vitest';

import type { LogEntry } from '../../runtime/src/index.js';
import type { Protocol } from '../../runtime/src/session.js';
import { agent, connectPeer, failure, monitor, settled, type AnyClient } from '../support/client.js';
import { Peer, type PeerOptions } from '../support/peer.js';

interface Conversation {
  readonly what: string;
  readonly protocol: Protocol;
  readonly messageLimit?: number;
  /** What the server sends first. */
  readonly opening: string;
  /** Its replies by command, with the request's id for `ID`, the id to echo for `ECHO`, and byte 0xFF for U+00FF. */
  readonly answers: Readonly<Record<string, string>>;
}

const conversations: Conversation[] = [
  {
    what: 'a monitor',
    protocol: monitor,
    opening:
      '{"timestamp": {"seconds": 1763683200, "microseconds": 250001}, "event": "EARLY"}\r\n' +
      '{"QMP": {"version": {"qemu": {"micro": 2, "minor": 2, "major": 10}, "package": "v10.2.2-1"}, "capabilities": ["oob"]}}\r\n',
    answers: {
      qmp_capabilities:
        '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "BETWEEN", "data": {}}\r\n{"return": {}, "id": ID}\r\n',
      status: '{"return": {"status": "running", "singlestep": false, "running": true}, "id": ID}\r\n',
      sizes: '{"return": [18446744073709551615, -9223372036854775808, 9007199254740993, 1e3, -0.5], "id": ID}\r\n',
      names: '{"return": {"caf\\u00e9 \\ud83d\\ude00": "café 😀 {\\"}\\\\"}, "id": ID}\r\n',
      fails: '{"id": ID, "error": {"class": "DeviceNotFound", "desc": "there is no \'x\'"}}\r\n',
      garbled: '{"error": {"class": "GenericError", "desc": "cannot read"}}\r\n',
      job: '{"timestamp": {"seconds": 5, "microseconds": 6}, "event": "DONE", "data": {"id": "j1", "offset": 9007199254740993}}\r\n{"return": {}, "id": ID}\r\n',
      stray: '{"return": 1, "id": 4711}\r\n{"return": "late", "id": ID}\r\n{"return": 2, "id": ID}\r\n',
    },
  },
  {
    what: 'a pretty monitor',
    protocol: monitor,
    opening:
      '{\r\n    "QMP": {\r\n        "version": {\r\n            "qemu": {\r\n                "major": 7\r\n            },\r\n            "package": ""\r\n        },\r\n        "capabilities": [\r\n        ]\r\n    }\r\n}\r\n',
    answers: {
      qmp_capabilities: '{\r\n    "return": {\r\n    },\r\n    "id": ID\r\n}\r\n',
      status:
        '{\r\n    "return": {\r\n        "}": "{\\"",\r\n        "é": [\r\n        ]\r\n    },\r\n    "id": ID\r\n}\r\n',
      sizes: '{\r\n    "return": 18446744073709551615,\r\n    "id": ID\r\n}\r\n{"event": "COMPACT"}\r\n',
      fails: '{\r\n    "error": {\r\n        "class": "X",\r\n        "desc": "]}"\r\n    },\r\n    "id": ID\r\n}\r\n',
    },
  },
  {
    what: 'an agent',
    protocol: agent,
    opening: '{"return": "to an earlier connection", "id": 1}\n{"half": "',
    answers: {
      'guest-sync-delimited':
        '{"error": {"class": "GenericError", "desc": "syntax"}}\n\xff{"return": 4711}\n\xff{"return": ECHO}\n',
      status: '{"return": {}}\n',
      sizes: '{"return": 1795210956534873000}\n',
      fails: '{"error": {"class": "GenericError", "desc": "no"}}\n',
      names: '{"return": "\\u00e9", "id": ID}\n',
    },
  },
  {
    what: 'a monitor that loses its mind',
    protocol: monitor,
    opening: '{"QMP": {"version": {}, "capabilities": []}}\r\n',
    answers: {
      qmp_capabilities: '{"return": {}, "id": ID}\r\n',
      status: '{"event": "LAST"}\r\n{"return": true, "id": ID}\r\n',
      sizes: '{"return": 1, "id": ID}\r\n{"return": 2, "id": ID]}\r\n{"event": "TOO_LATE"}\r\n',
    },
  },
  {
    what: 'a monitor that says too much',
    protocol: monitor,
    messageLimit: 100,
    opening: '{"QMP": {"version": {}, "capabilities": []}}\r\n',
    answers: {
      qmp_capabilities: '{"return": {}, "id": ID}\r\n',
      status: `{"return": "${'é'.repeat(30)}", "id": ID}\r\n{"event": "LAST"}\r\n{"return": "${'é'.repeat(60)}", "id": 5}\r\n{"event": "TOO_LATE"}\r\n`,
    },
  },
];

/** Returns everything that a client sees of a conversation, and the number of bytes that the server sent. */
async function replay(
  { protocol, opening, answers, messageLimit }: Conversation,
  cut: NonNullable<PeerOptions['cut']>,
): Promise<{ outcome: unknown; length: number }> {
  let length = 0;
  const counted = (bytes: Uint8Array): readonly Uint8Array[] => {
    length += bytes.length;
    return cut(bytes);
  };
  await using peer = new Peer({ kind: protocol === agent ? 'agent' : 'monitor', greets: false, cut: counted });
  for (const [command, answer] of Object.entries(answers)) {
    peer.on(command, (request) => {
      const echo = String(request.arguments?.['id']).padEnd(16);
      const text = answer.replaceAll('ID', JSON.stringify(request.id) ?? '').replace('ECHO', echo);
      peer.write(
        Buffer.concat(
          text
            .split('\xff')
            .flatMap((part, index) => (index === 0 ? [Buffer.from(part)] : [Buffer.of(0xff), Buffer.from(part)])),
        ),
      );
    });
  }
  const seen: unknown[] = [];
  const log = ({ level, message, content }: LogEntry): void => void seen.push({ level, message, content });
  const connecting = connectPeer(peer, { log, ...(messageLimit !== undefined && { messageLimit }) }, protocol);
  peer.write(opening);
  const vm = await connecting;
  seen.push(vm.greeting);
  vm.on('*', ({ event, data, date }) => void seen.push({ event, data, date }));
  vm.on('disconnected', ({ error }) => void seen.push(String(error)));
  await settled();
  await use(vm, Object.keys(answers), seen);
  return { outcome: seen, length };
}

/** Makes the calls one after another, and then all of them concurrently. */
async function use(vm: AnyClient, commands: readonly string[], seen: unknown[]): Promise<void> {
  const own = commands.filter((command) => !['qmp_capabilities', 'guest-sync-delimited'].includes(command));
  for (const command of own) {
    const until = command === 'job' ? ['DONE'] : [];
    seen.push(await vm.execute(command, {}, { until }).catch(String));
  }
  const together = own.filter((command) => !['garbled', 'stray'].includes(command));
  seen.push(await Promise.all(together.map((command) => vm.execute(command).catch(String))));
  await settled();
  await vm.close();
}

describe.each(conversations)('$what', (conversation) => {
  test('cut in two at every byte, and into single bytes', async () => {
    const { outcome, length } = await replay(conversation, (bytes) => [bytes]);
    expect(outcome).toMatchSnapshot();
    const single = await replay(conversation, (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte)));
    expect(single.outcome).toEqual(outcome);
    for (let at = 1; at < length; at += 1) {
      let position = 0;
      const { outcome: cut } = await replay(conversation, (bytes) => {
        const split = at - position;
        position += bytes.length;
        return split <= 0 || split >= bytes.length ? [bytes] : [bytes.subarray(0, split), bytes.subarray(split)];
      });
      expect(cut, `cut at ${at}`).toEqual(outcome);
    }
  });
});

test('a difference would be detected', async () => {
  const [conversation] = conversations;
  if (!conversation) throw new Error('no conversation');
  const dropped = replay(conversation, (bytes) => [bytes.subarray(1)]);
  expect(await failure(dropped)).toMatchObject({ code: 'ERR_QMP_PROTOCOL' });
});
