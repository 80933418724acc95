/** What is secret is never logged, traced, or put into an error in clear. */

import { inspect } from 'node:util';

import { describe, expect, test } from 'vitest';

import type { JsonObject, LogEntry } from '../../runtime/src/index.js';
import { secretMembers } from '../../runtime/src/secrets.js';
import { agent, connectPeer, failure, monitor, settled, type AnyClient } from '../support/client.js';
import { Peer } from '../support/peer.js';

/** With all that JSON escapes, and what QEMU does: quotes, a backslash, control characters, other than ASCII. */
const secret = 's3cr"et\\é\u0001😀';
/** As it may be written. */
const forms = [secret, 's3cr\\"et', 's3cr', '\\u00e9', '\\u00E9', '😀', '\\uD83D', '\\ud83d'];

const cases: [command: string, args: JsonObject][] = [
  ['set_password', { protocol: 'vnc', password: secret }],
  ['change-vnc-password', { password: secret }],
  ['change', { device: 'vnc', target: 'password', arg: secret }],
  ['block_passwd', { device: 'disk0', password: secret }],
  ['sev-inject-launch-secret', { 'packet-header': `${secret}1`, secret: `${secret}2`, gpa: 1 }],
  ['object-add', { 'qom-type': 'secret', id: 'key0', data: secret }],
  ['object-add', { 'qom-type': 'secret', id: 'key0', props: { data: secret, format: 'raw' } }],
  ['blockdev-add', { driver: 'raw', file: { driver: 'https', url: 'https://example.com', cookie: secret } }],
  ['blockdev-reopen', { options: [{ driver: 'https', cookie: secret }] }],
  ['qom-set', { path: '/objects/key0', property: 'data', value: secret }],
  ['human-monitor-command', { 'command-line': `set_password vnc ${secret}` }],
  ['human-monitor-command', { 'command-line': `object_add secret,id=key0,data=${secret}` }],
  ['guest-exec', { path: '/bin/sh', 'input-data': secret, env: ['A=1', `PASSWORD=${secret}`], arg: ['-c', 'x'] }],
  ['guest-set-user-password', { username: 'root', password: secret, crypted: false }],
  ['guest-file-write', { handle: 1, 'buf-b64': secret }],
];

test('every entry of the list has its case', () => {
  for (const [command, members] of secretMembers) {
    const args = cases.filter(([name]) => name === command).map(([, given]) => given);
    expect(args, command).not.toEqual([]);
    for (const member of members)
      expect(inspect(args, { depth: null }), command).toMatch(new RegExp(`\\b${member}'?:`, 'u'));
  }
});

describe.each(cases)('%s %o', (command, args) => {
  /** All that the runtime tells, while a client does something. */
  async function told(use: (vm: AnyClient, peer: Peer) => Promise<unknown>, oob = false): Promise<string> {
    const isGuest = command.startsWith('guest-');
    await using peer = new Peer({ kind: isGuest ? 'agent' : 'monitor', oob });
    const lines: unknown[] = [];
    const options = {
      log: (entry: LogEntry) => void lines.push(entry),
      trace: (direction: string, line: string) => void lines.push(`${direction} ${line}`),
    };
    const vm = await connectPeer(peer, options, isGuest ? agent : monitor);
    lines.push(await failure(use(vm, peer)));
    await settled();
    await vm.close();
    // Inspected with all causes and properties; JSON's escapes are not escaped once more.
    return lines
      .map((line) => (typeof line === 'string' ? line : inspect(line, { depth: null, showHidden: true })))
      .join('\n');
  }

  function expectNone(text: string): void {
    for (const form of forms) expect(text).not.toContain(form);
  }

  /** What a server may quote. */
  const quoted = texts(args).join(' and ');

  test('is sent as it is, and traced without', async () => {
    let received: unknown;
    const text = await told(async (vm, peer) => {
      peer.on(command, (request) => {
        received = request.arguments;
        request.fail('no');
      });
      await vm.execute(command, args);
    });
    expect(received).toEqual(args);
    expectNone(text);
    expect(text).toContain(`out {"execute":"${command}","arguments":{`);
    expect(text).toContain('***');
  });

  test('is hidden in the error that quotes it', async () => {
    const text = await told(async (vm, peer) => {
      peer.on(command, (request) => request.fail(`what is ${quoted} for?`));
      await vm.execute(command, args);
    });
    expectNone(text);
    expect(text).toMatch(/what is .*\*\*\*.* for\?/u);
  });

  test('is hidden in that error however it is escaped', async () => {
    const text = await told(async (vm, peer) => {
      const ascii = JSON.stringify(quoted).replaceAll(/[^ -~]/gu, (character) =>
        Array.from(
          { length: character.length },
          (_, at) => `\\u${character.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0')}`,
        ).join(''),
      );
      const error = ascii.replace('\\u0001', '\\u0001');
      peer.on(command, ({ id }) =>
        peer.write(`{"error": {"class": "GenericError", "desc": ${error}}, "id": ${JSON.stringify(id)}}\n`),
      );
      await vm.execute(command, args);
    });
    expectNone(text);
  });

  test('is hidden when its owner wipes the arguments', async () => {
    const text = await told(async (vm, peer) => {
      const own = structuredClone(args);
      peer.on(command, (request) => request.fail(quoted));
      const call = vm.execute(command, own);
      for (const name of Object.keys(own)) own[name] = '';
      await call;
    });
    expectNone(text);
  });

  test('is hidden when the reply comes late, or is none', async () => {
    expectNone(
      await told(async (vm, peer) => {
        peer.on(command, () => {});
        const abort = new AbortController();
        const call = vm.execute(command, args, { signal: abort.signal });
        const request = await peer.request(command);
        abort.abort();
        request.fail(quoted);
        request.fail('twice');
        await call;
      }),
    );
    expectNone(
      await told(async (vm, peer) => {
        // A terminal that echoes.
        peer.on(command, ({ text }) => peer.write(`${text}\r\n`));
        await vm.execute(command, args);
      }),
    );
    expectNone(
      await told(async (vm, peer) => {
        peer.on(command, ({ text }) => peer.write(`what is ${text.slice(0, -4)}\r\n`));
        await vm.execute(command, args);
      }),
    );
  });

  test('is hidden when nobody knows whose error it is', async () => {
    if (command.startsWith('guest-')) return;
    const text = await told(async (vm, peer) => {
      peer.on('query-status', () => {});
      const other = failure(vm.execute('query-status'));
      peer.on(command, () => {
        peer.send({ error: { class: 'GenericError', desc: quoted } });
        peer.send({ error: { class: 'GenericError', desc: quoted }, id: 'whose?' });
        peer.reset();
      });
      await Promise.all([vm.execute(command, args), other]);
    });
    expectNone(text);
    expect(text).toContain('belongs to no command');
  });

  test('is hidden when it cannot be sent', async () => {
    expectNone(await told((vm) => vm.execute(command, { ...args, more: NaN })));
    expectNone(
      await told((vm) =>
        vm.execute(command, {
          ...args,
          ...Object.fromEntries(Object.keys(args).map((name) => [name, `${secret}\ud800`])),
        }),
      ),
    );
    expectNone(
      await told(async (vm) => {
        await vm.close();
        await vm.execute(command, args);
      }),
    );
    expectNone(await told((vm) => vm.execute(command, args, { timeout: 1 })));
  });
});

test('what is no secret is shown', async () => {
  await using peer = new Peer();
  const lines: string[] = [];
  await using vm = await connectPeer(peer, { trace: (direction, line) => lines.push(`${direction} ${line}`) });
  const shown: [command: string, args: JsonObject | undefined, text: string][] = [
    ['qom-set', { path: '/x', property: 'poll-max-ns', value: 9007199254740993n }, '"value":9007199254740993'],
    ['qom-set', undefined, '{"execute":"qom-set","id":3}'],
    ['human-monitor-command', { 'command-line': 'info block' }, '"command-line":"info block"'],
    ['blockdev-add', { driver: 'qcow2', file: 'password' }, '"file":"password"'],
    ['set_password', { protocol: 'vnc', password: '' }, '"protocol":"vnc"'],
    ['object-add', { 'qom-type': 'iothread', id: 'data' }, '"id":"data"'],
    ['query-status', { password: 'x' }, '"password":"x"'],
  ];
  for (const [command, args, text] of shown) {
    peer.on(command, (request) => request.fail('why data?'));
    expect((await failure(vm.executeRaw(command, args))).message).toBe(`${command}: why data?`);
    expect(lines.at(-2)).toContain(text);
  }
});

test('secrets that hold each other are hidden whole', async () => {
  await using peer = new Peer({ kind: 'agent' });
  await using ga = await connectPeer(peer, {}, agent);
  peer.on('guest-exec', (request) => request.fail('A=1 A=12 A=123'));
  const error = await failure(ga.execute('guest-exec', { path: 'x', env: ['A=1', 'A=123', 'A=12'] }));
  expect(error['desc']).toBe('*** *** ***');
});

function texts(value: unknown): string[] {
  if (typeof value === 'string') return value.includes(secret) ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [];
}
