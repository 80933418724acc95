/** Secrets are never logged, traced, or included in errors. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inspect, promisify } from 'node:util';

import { build } from 'esbuild';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { launch, type Json, type JsonObject, type LogEntry } from '../../runtime/src/index.js';
import { holdsCredential, isSecretMember } from '../../runtime/src/credentials.js';
import { Secret } from '../../runtime/src/masking.js';
import { PastSecrets } from '../../runtime/src/past-secrets.js';
import { hideSecrets, secretMembers, secretsOf, secretsOfCommandLine, shownText } from '../../runtime/src/secrets.js';
import { agent, connectPeer, connectTo, failure, monitor, settled, type AnyClient } from '../support/client.js';
import { Peer } from '../support/peer.js';

/** Contains everything that JSON and QEMU escape: quotes, a backslash, control characters, non-ASCII characters. */
const secret = 's3cr"et\\é\u0001😀';
/** Possible spellings. */
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
  ['guest-exec', { path: '/bin/sh', arg: ['-c', secret] }],
  ['guest-ssh-add-authorized-keys', { username: 'root', keys: [secret] }],
  ['guest-ssh-remove-authorized-keys', { username: 'root', keys: [secret] }],
  ['send-key', { keys: [{ type: 'qcode', data: secret }] }],
  ['input-send-event', { events: [{ type: 'key', data: { down: true, key: { type: 'qcode', data: secret } } }] }],
  ['ringbuf-write', { device: 'ring', data: secret }],
  ['migrate', { channels: [{ 'channel-type': 'main', addr: { transport: 'exec', args: ['sh', '-c', secret] } }] }],
  ['migrate-incoming', { channels: [{ 'channel-type': 'main', addr: { transport: 'exec', args: [secret] } }] }],
  ['migrate', { uri: `exec:sh -c ${secret}` }],
  ['migrate-set-parameters', { mode: 'cpr-exec', 'cpr-exec-command': ['qemu', secret] }],
  // Commands of a fork, misspelled commands, and unknown members.
  ['backup', { 'backup-file': '/x', password: secret, 'key-password': `${secret}1`, keyfile: `${secret}2` }],
  ['set_pasword', { protocol: 'vnc', password: secret }],
  ['set_password', { protocol: 'vnc', pasword: secret }],
  ['device_add', { driver: 'x', 'api-key': secret }],
  ['device_add', { driver: 'x', pin: secret, 'device-pin': `${secret}1`, 'wifi-psk': `${secret}2`, psk: `${secret}3` }],
  ['human-monitor-command', { 'command-line': `qom-set /objects/key0 data ${secret}` }],
  ['human-monitor-command', { 'command-line': `qom-set /objects/key0 "data" ${secret}` }],
  ['human-monitor-command', { 'command-line': `qom-set "/objects/a b" data ${secret}` }],
  ['human-monitor-command', { 'command-line': `qom-set "/objects/a \\" b" "da\\x74a" ${secret}` }],
  ['human-monitor-command', { 'command-line': `qom-set -x /objects/key0 size ${secret}` }],
  ['human-monitor-command', { 'command-line': `set_pasword vnc ${secret}` }],
  ['human-monitor-command', { 'command-line': `change vnc passwd ${secret}` }],
  ['human-monitor-command', { 'command-line': `block_passwd disk0 ${secret}` }],
  ['human-monitor-command', { 'command-line': `ringbuf_write ring ${secret}` }],
  ['human-monitor-command', { 'command-line': `sendkey ${secret}` }],
  ['human-monitor-command', { 'command-line': `drive_add 0 driver=https,cookie=${secret},if=none` }],
  ['human-monitor-command', { 'command-line': `migrate -d "exec:sh -c ${secret}"` }],
];

/** Secrets within strings whose other parts are shown. By default, `hunter2` is the secret. */
const within: [command: string, args: JsonObject, shown: string, part?: string][] = [
  ['migrate', { uri: 'https://me:hunter2@host:1/' }, '"https://***@host:1/"'],
  ['migrate', { uri: 'https://hunter2@host' }, '"https://***@host"'],
  ['migrate', { channels: [{ addr: { transport: 'socket', path: 'nbd://me:hunter2@h' } }] }, '"nbd://***@h"'],
  ['blockdev-add', { driver: 'ftp', url: 'ftp://me:a@hunter2@host/x' }, '"ftp://***@host/x"'],
  ['blockdev-add', { file: { url: 'ssh://me:hunter2@host/x' } }, '"ssh://***@host/x"'],
  ['drive-mirror', { device: 'd', target: 'iscsi://me%hunter2@host/x' }, '"iscsi://***@host/x"'],
  ['drive-backup', { device: 'd', target: 'https://h/x?X-Amz-Signature=hunter2&a=1' }, '?X-Amz-Signature=***&a=1"'],
  ['transaction', { actions: [{ data: { target: 'https://h/?sig=hunter2' } }] }, '"https://h/?sig=***"'],
  ['blockdev-snapshot-sync', { 'snapshot-file': 'json:{"file":{"cookie":"hunter2"}}' }, '{\\"cookie\\":\\"***\\"}'],
  [
    'change-backing-file',
    { 'backing-file': "json:{'file.cookie': 'hunter2', 'x': 1}" },
    "{'file.cookie': '***', 'x': 1}",
  ],
  ['change-backing-file', { 'backing-file': 'json:{"password" : 12345678}' }, '{\\"password\\" : ***}"', '12345678'],
  ['blockdev-change-medium', { filename: 'json:{"a":"json:{\\"password\\":\\"hunter2\\"}"}' }, '***'],
  ['blockdev-add', { filename: 'rbd:pool/x:id=admin:key=hunter2' }, '"rbd:pool/x:id=admin:key=***"'],
  ['blockdev-add', { filename: '-----BEGIN RSA PRIVATE KEY-----\nhunter2' }, '"filename":"***"'],
  [
    'human-monitor-command',
    { 'command-line': 'drive_add 0 file=https://me:hunter2@h/x,if=none' },
    '://***@h/x,if=none"',
  ],
  [
    'human-monitor-command',
    { 'command-line': 'qom-set -j /objects/s0 data "hunter2"' },
    '"qom-set -j /objects/s0 data ***"',
  ],
  ['human-monitor-command', { 'command-line': 'migrate -d https://me:hunter2@host' }, '"migrate -d https://***@host"'],
  [
    'human-monitor-command',
    { 'command-line': 'object_add secret,id=a,data=hunter2,,,format=raw' },
    'data=***,format=raw"',
  ],
  ['human-monitor-command', { 'command-line': 'object_add {"qom-type":"secret","data":"hunter2"}' }, '***'],
];

test('every entry of the list has a test case', () => {
  for (const [command, members] of secretMembers) {
    const args = cases.filter(([name]) => name === command).map(([, given]) => given);
    expect(args, command).not.toEqual([]);
    for (const member of members)
      expect(inspect(args, { depth: null }), command).toMatch(new RegExp(`\\b${member}'?:`, 'u'));
  }
});

test('validators hide members that are secret in some command, and all strings with credentials', () => {
  for (const name of [...secretMembers.values()].flat()) expect(isSecretMember(name), name).toBe(true);
  for (const [, args] of within) {
    for (const text of texts(args, 'hunter2')) {
      if (shownText(text, 'value') !== text) expect(holdsCredential(text), text).toBe(true);
    }
  }
  const pieces = [
    ...['://', '@', '=', ':', '"', "'", '\\', ' ', ',', '%', 'a', '/', 'exec:', '-----BEGIN PRIVATE KEY-----'],
    ...[
      'password',
      'key',
      'x-key',
      'json:',
      'monkey',
      'passwordid',
      'sig',
      '-secret',
      'secret',
      'on',
      '1',
      'ſ',
      '\u212a',
    ],
  ];
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join(''));
  let found = 0;
  const property = fc.property(text, (given) => {
    if (shownText(given, 'value') === given) return;
    found += 1;
    expect(holdsCredential(given)).toBe(true);
  });
  fc.assert(property, { numRuns: 20_000, seed: 1 });
  expect(found).toBeGreaterThan(1000);
  for (const plain of ['pci:0000:00:1f.2', '/x=y', 'fat:rw:/x', 'https://host/x', 'monkey: a', 'passwordid=key0'])
    expect(holdsCredential(plain), plain).toBe(false);
});

/** Returns everything that the runtime reports about a command while a client uses it. */
async function reported(command: string, use: (vm: AnyClient, peer: Peer) => Promise<unknown>): Promise<string> {
  const isGuest = command.startsWith('guest-');
  await using peer = new Peer({ kind: isGuest ? 'agent' : 'monitor' });
  const lines: unknown[] = [];
  const options = {
    log: (entry: LogEntry) => void lines.push(entry),
    trace: (direction: string, line: string) => void lines.push(`${direction} ${line}`),
  };
  const vm = await connectPeer(peer, options, isGuest ? agent : monitor);
  lines.push(await failure(use(vm, peer)));
  await settled();
  await vm.close();
  // Objects are inspected with all causes and properties. Strings are kept, so that JSON escapes are not escaped again.
  return lines
    .map((line) => (typeof line === 'string' ? line : inspect(line, { depth: null, showHidden: true })))
    .join('\n');
}

describe.each(cases)('%s %o', (command, args) => {
  function expectNone(text: string): void {
    for (const form of forms) expect(text).not.toContain(form);
  }

  /** What a server may quote. */
  const quoted = texts(args).join(' and ');

  test('is sent unchanged, and hidden in traces', async () => {
    let received: unknown;
    const text = await reported(command, async (vm, peer) => {
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
    const text = await reported(command, async (vm, peer) => {
      peer.on(command, (request) => request.fail(`what is ${quoted} for?`));
      await vm.execute(command, args);
    });
    expectNone(text);
    expect(text).toMatch(/what is .*\*\*\*.* for\?/u);
  });

  test('is hidden in that error, however it is escaped', async () => {
    const text = await reported(command, async (vm, peer) => {
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

  test('is hidden when the caller wipes the arguments', async () => {
    const text = await reported(command, async (vm, peer) => {
      const own = structuredClone(args);
      peer.on(command, (request) => request.fail(quoted));
      const call = vm.execute(command, own);
      for (const name of Object.keys(own)) own[name] = '';
      await call;
    });
    expectNone(text);
  });

  test('is hidden when the reply is late or missing', async () => {
    expectNone(
      await reported(command, async (vm, peer) => {
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
      await reported(command, async (vm, peer) => {
        // The peer echoes, like a terminal.
        peer.on(command, ({ text }) => peer.write(`${text}\r\n`));
        await vm.execute(command, args);
      }),
    );
    expectNone(
      await reported(command, async (vm, peer) => {
        peer.on(command, ({ text }) => peer.write(`what is ${text.slice(0, -4)}\r\n`));
        await vm.execute(command, args);
      }),
    );
  });

  test('is hidden when the error matches no command', async () => {
    if (command.startsWith('guest-')) return;
    const text = await reported(command, async (vm, peer) => {
      peer.on('query-status', () => {});
      const other = failure(vm.execute('query-status'));
      peer.on(command, () => {
        peer.send({ error: { class: 'GenericError', desc: quoted }, id: 'whose?' });
        peer.send({ error: { class: 'GenericError', desc: quoted } });
      });
      // No command has a reply, so all of them fail with the error without an id.
      peer.on('query-version', {});
      throw new AggregateError(await Promise.all([failure(vm.execute(command, args)), other]));
    });
    expectNone(text);
    expect(text).toContain('matches no command');
    expect(text).toContain('query-status: ');
  });

  test('is hidden when it cannot be sent', async () => {
    expectNone(await reported(command, (vm) => vm.execute(command, { ...args, more: NaN })));
    expectNone(
      await reported(command, (vm) =>
        vm.execute(command, {
          ...args,
          ...Object.fromEntries(Object.keys(args).map((name) => [name, `${secret}\ud800`])),
        }),
      ),
    );
    expectNone(
      await reported(command, async (vm) => {
        await vm.close();
        await vm.execute(command, args);
      }),
    );
    expectNone(await reported(command, (vm) => vm.execute(command, args, { timeout: 1 })));
  });
});

describe.each(within)('%s %o', (command, args, shown, part = 'hunter2') => {
  test('is shown without the secret, and so is an error that quotes it in whole or in part', async () => {
    const [whole = ''] = texts(args, part);
    for (const quoted of [part, whole, JSON.stringify(whole)]) {
      const text = await reported(command, async (vm, peer) => {
        peer.on(command, (request) => request.fail(`Parameter 'x' doesn't take value '${quoted}'`));
        await vm.execute(command, args);
      });
      expect(text).not.toContain(part);
      expect(text).toContain(shown);
      expect(text).toMatch(/doesn't take value '.*\*\*\*/u);
    }
  });
});

describe('parts of secrets in a reply', () => {
  const commandLine = (line: string): [string, JsonObject] => ['human-monitor-command', { 'command-line': line }];
  const quotes: [given: [command: string, args: JsonObject], quoted: string, want: string][] = [
    [commandLine('set_password vnc hunter2'), "Parameter 'time' has no 'hunter2'", "Parameter 'time' has no '***'"],
    [commandLine('set_pasword vnc hunter2 keep'), 'vnc: hunter2, keep, on', 'vnc: ***, keep, on'],
    [commandLine('object_add secret,id=a,data=hun,,ter'), "'hun,ter' or 'hun,,ter'", "'***' or '***'"],
    [commandLine('object_add secret,id=a,data="hunter 2"'), 'a hunter 2', 'a ***'],
    [['guest-exec', { path: 'x', env: ['TOKEN=hunter2', 'MODE=on'] }], 'TOKEN, hunter2, on', '***, ***, on'],
    [
      ['guest-exec', { path: 'x', arg: ['-c', 'login --pw hunter2 | x=y'] }],
      'no hunter2: hunter21',
      'no ***: hunter21',
    ],
    [['guest-exec', { path: 'x', arg: ['https://me:hunt@er2@host/'] }], "no 'hunt@er2'", "no '***'"],
    [['guest-exec', { path: 'x', 'input-data': 'aHVudGVyMgo=' }], 'hunter2 and aHVudGVyMgo=', '*** and ***'],
    [['guest-set-user-password', { password: 'aHVudGVyMg==' }], "bad 'hunter2'", "bad '***'"],
    [['guest-file-write', { 'buf-b64': 'a2V5OiBodW50ZXIy' }], 'hunter2; key: hunter2', '***; ***'],
    [['guest-ssh-add-authorized-keys', { keys: ['command="x" ssh-rsa AAAA me@x'] }], 'ssh-rsa AAAA', '*** ***'],
    [['migrate', { uri: 'https://me:hunt/er2@host/' }], "no 'hunt/er2'", "no '***'"],
    [['migrate', { uri: 'https://me:hunter%402@host/' }], 'me:hunter@2, hunter@2', '***, ***'],
    [['migrate', { uri: 'exec:nc --key hunter2' }], '--key hunter2: no', '*** ***: no'],
    // Short secrets are hidden only as words, empty ones never.
    [['set_password', { password: 'on' }], 'once on, on2 \non', 'once ***, on2 \n***'],
    [['set_password', { password: '' }], 'no', 'no'],
    [['set_password', { password: '*' }], 'no *', 'no *'],
  ];
  test.each(quotes)('%o: %s', async ([command, args], quoted, want) => {
    const isGuest = command.startsWith('guest-');
    await using peer = new Peer({ kind: isGuest ? 'agent' : 'monitor' });
    const traced: string[] = [];
    const vm = await connectPeer(peer, { trace: (_, text) => traced.push(text) }, isGuest ? agent : monitor);
    peer.on(command, (request) => request.fail(quoted));
    expect((await failure(vm.execute(command, args)))['desc']).toBe(want);
    expect(JSON.parse(traced.at(-1) ?? '')).toMatchObject({ error: { desc: want } });
    // However the server escapes it.
    for (const text of [quoted, JSON.stringify(quoted)]) {
      peer.on(command, ({ id }) => {
        const desc = text.replaceAll(/./gsu, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
        peer.write(`{"error": {"class": "GenericError", "desc": "${desc}"}, "id": ${JSON.stringify(id)}}\n`);
      });
      const { desc } = await failure(vm.execute(command, args));
      const shown = text === quoted ? want : JSON.stringify(want);
      expect(desc).toBe(shown);
      expect(JSON.parse(traced.at(-1) ?? '')).toMatchObject({ error: { desc: shown } });
    }
    await vm.close();
  });
});

describe('the secrets of a request that has ended are hidden', () => {
  const quoted = 'why hunter2?';
  const spoken = (entries: readonly unknown[]): string =>
    entries.map((entry) => (typeof entry === 'string' ? entry : inspect(entry, { depth: null }))).join('\n');

  /** Messages that an agent sends after the echo that follows an abandoned command. */
  const lateMessages: [what: string, send: (peer: Peer) => void][] = [
    ['an error without an id', (peer) => peer.send({ error: { class: 'GenericError', desc: quoted } })],
    ['an error with an id', (peer) => peer.send({ error: { class: quoted, desc: quoted }, id: 1 })],
    ['a result', (peer) => peer.send({ return: quoted, id: 1 })],
    ['an event', (peer) => peer.event('X', { text: quoted })],
    ['text that is not a message', (peer) => peer.write(`${quoted}\n`)],
    ['JSON that is not a message', (peer) => peer.send([quoted])],
  ];
  test.each(lateMessages)('if it was abandoned: in %s after the echo', async (_, send) => {
    await using peer = new Peer({ kind: 'agent' });
    const lines: unknown[] = [];
    const note = (...line: unknown[]): void => void lines.push(...line);
    const ga = await connectPeer(peer, { log: note, trace: note }, agent);
    peer.on('guest-set-user-password', () => {});
    await failure(ga.execute('guest-set-user-password', { password: 'hunter2' }, { timeout: 20 }));
    await peer.request('guest-sync-delimited');
    await settled();
    lines.length = 0;
    send(peer);
    await settled();
    await ga.close();
    expect(spoken(lines)).toContain('***');
    expect(spoken(lines)).not.toContain('hunter2');
  });

  test('if it was abandoned: in the error of the next command', async () => {
    await using peer = new Peer({ kind: 'agent' });
    await using ga = await connectPeer(peer, {}, agent);
    peer.on('guest-set-user-password', () => {});
    await failure(ga.execute('guest-set-user-password', { password: 'hunter2' }, { timeout: 20 }));
    peer.on('guest-ping', (request) => request.fail(quoted, quoted));
    const error = await failure(ga.execute('guest-ping'));
    expect(error).toMatchObject({ desc: 'why ***?', errorClass: 'why ***?' });
  });

  const seconds: [what: string, command: string, args: JsonObject, result: Json, again: JsonObject][] = [
    [
      'an argument, in an error',
      'set_password',
      { password: 'hunter2' },
      {},
      { error: { class: quoted, desc: quoted } },
    ],
    ['an argument, in a result', 'set_password', { password: 'hunter2' }, {}, { return: quoted }],
    ['a result', 'qom-get', { path: '/x', property: 'data' }, 'hunter2', { return: 'hunter2' }],
  ];
  test.each(seconds)('in a second reply: %s', async (_, command, args, result, again) => {
    await using peer = new Peer();
    const lines: unknown[] = [];
    const note = (...line: unknown[]): void => void lines.push(...line);
    const vm = await connectPeer(peer, { log: note, trace: note });
    peer.on(command, result);
    await vm.execute(command, args);
    lines.length = 0;
    peer.send({ ...again, id: (await peer.request(command)).id });
    peer.send(again);
    await settled();
    await vm.close();
    expect(spoken(lines)).toContain('***');
    expect(spoken(lines)).not.toContain('hunter2');
  });

  test('for a few seconds, up to a maximum number and length', () => {
    let now = 0;
    const past = new PastSecrets(() => now);
    const held = (): string[] => past.all.map((one) => one.forms[0]?.text ?? '');
    past.add([new Secret('hunter1')], false);
    now += 3000;
    past.add([new Secret('hunter2')], true);
    expect(held()).toEqual(['hunter1', 'hunter2']);
    now += 3000;
    expect(held()).toEqual(['hunter2']);
    expect(past.hasResult).toBe(true);
    now += 3000;
    expect(held()).toEqual([]);
    expect(past.hasResult).toBe(false);
    for (let index = 0; index < 1000; index += 1) past.add([new Secret(`hunter${index}`)], false);
    expect(held().length).toBeLessThan(100);
    expect(held().at(-1)).toBe('hunter999');
    past.add([new Secret('a'.repeat(2 ** 24))], false);
    expect(held().at(-1)).toBe('hunter999');
    for (let index = 0; index < 50; index += 1) past.add([new Secret('b'.repeat(4000))], false);
    expect(held().reduce((sum, { length }) => sum + length, 0)).toBeLessThan(100_000);
  });
});

test('long text is not hidden as a whole because of past secrets', () => {
  const past = Array.from({ length: 64 }, (_, index) => new Secret(`secret,id=sec${index},data=hunter${index}`));
  const text = `${'x '.repeat(500_000)}data`;
  expect(hideSecrets(text, [], past)).toBe(text);
  expect(hideSecrets(`${text} secret,id=sec7,data=hunter7`, [], past)).toBe(`${text} ***`);
});

describe('secret results are hidden', () => {
  const results: [command: string, args: JsonObject, result: Json][] = [
    ['qom-get', { path: '/objects/key0', property: 'data' }, 'hunter2'],
    ['qom-get', { path: '/x', property: 'vnc-password' }, { value: 'hunter2', other: ['hunter2"é'] }],
    ['human-monitor-command', { 'command-line': 'qom-get /objects/key0 data' }, '"hunter2"\r\n'],
    ['human-monitor-command', { 'command-line': 'ringbuf_read ring 10' }, 'hunter2\r\n'],
    ['human-monitor-command', { 'command-line': 'qom-get /objects/key0 "data"' }, '"hunter2"\r\n'],
    ['human-monitor-command', { 'command-line': 'qom-get "/objects/a b" "data"' }, '"hunter2"\r\n'],
    ['human-monitor-command', { 'command-line': 'qom-get -x /objects/key0 data' }, '"hunter2"\r\n'],
    ['qom-list-get', { paths: ['/x'] }, [{ properties: [{ name: 'data', type: 'string', value: 'hunter2' }] }]],
    ['qom-list-get', { paths: ['/x'] }, [{ properties: [{ property: 'password', value: ['hunter2'] }] }]],
    ['ringbuf-read', { device: 'ring', size: 10 }, 'hunter2'],
    ['guest-exec-status', { pid: 1 }, { exited: true, 'out-data': 'hunter2', 'err-data': 'hunter2' }],
    ['guest-file-read', { handle: 1 }, { count: 3, 'buf-b64': 'hunter2' }],
    ['guest-ssh-get-authorized-keys', { username: 'root' }, { keys: ['hunter2'] }],
    ['query-block', {}, [{ file: 'https://me:hunter2@host/x' }, { file: 'json:{"file": {"cookie": "hunter2"}}' }]],
    ['human-monitor-command', { 'command-line': 'info block' }, 'd: json:{"cookie": "hun\\"ter2"} (ro)'],
  ];
  test.each(results)('%s %o: %j', async (command, args, result) => {
    const isGuest = command.startsWith('guest-');
    await using peer = new Peer({ kind: isGuest ? 'agent' : 'monitor', ids: !isGuest });
    const traced: string[] = [];
    const vm = await connectPeer(peer, { trace: (_, text) => traced.push(text) }, isGuest ? agent : monitor);
    peer.on(command, result);
    expect(await vm.execute(command, args)).toEqual(result);
    expect(traced.at(-1)).toContain('***');
    expect(traced.at(-1)).not.toMatch(/hun|ter2/u);
    await vm.close();
  });
});

test('neither a server nor a program can make hiding slow', () => {
  const measure = (args: JsonObject, text: string, command = 'guest-exec'): string => {
    const secrets = secretsOf(command, args);
    const begin = performance.now();
    const shown = hideSecrets(text, secrets);
    expect(performance.now() - begin).toBeLessThan(5000);
    return shown;
  };
  const many = Array.from({ length: 10_000 }, (_, index) => `NAME${index}=hunter${index}=2`);
  expect(measure({ env: many }, "no 'hunter9999=2'")).toBe("no '***'");
  expect(measure({ env: many }, 'hunter1=2 '.repeat(1e6))).toBe('***');
  const huge = 'hunter2 '.repeat(2 ** 17);
  expect(measure({ 'input-data': huge }, `${huge} and ${huge}`)).toBe('*** and ***');
  expect(measure({ 'input-data': 'a'.repeat(2 ** 20) }, `${'a'.repeat(2 ** 20 - 1)}b`.repeat(8))).toBe('***');
  for (const unit of ['://', 'a', '\\', '"', 'a=', '=', ',,', '"a":"', "'", '"x', '-----BEGIN ', '\\u', 'cookie=']) {
    measure({ env: ['A=secret'] }, unit.repeat(2 ** 18 / unit.length));
    measure({ uri: `exec:${unit.repeat(2 ** 18 / unit.length)}` }, 'no', 'migrate');
    measure({ 'command-line': `info ${unit.repeat(2 ** 18 / unit.length)}` }, 'no', 'human-monitor-command');
  }
});

/** Strings to repeat up to the length of the longest message. */
const units = ['://a@ ', '"pwd":"a" ', 'key=a ', 'key=', 'word ', 'a', '"abc":', '\\', '\\/', '\\u0041', '=', ':', ' '];

test('text of any length is hidden quickly, with a heap of 512 MB', { timeout: 300_000 }, async () => {
  const contents = `
    import { hideSecrets, secretsIn, secretsOf, secretsOfCommandLine, shownRequest } from './secrets.js';
    for (const unit of ${JSON.stringify(units)}) {
      const text = Buffer.alloc(2 ** 26, unit).toString('latin1');
      const line = { 'command-line': 'info ' + text };
      const measure = (secrets) => {
        const begin = performance.now();
        hideSecrets(text, secrets);
        console.log(Math.round(performance.now() - begin), JSON.stringify(unit));
      };
      measure([]);
      measure(secretsOf('set_password', { password: 'word battery staple', other: 'a' }));
      measure(secretsOf('set_password', { password: 'a' }));
      measure(secretsOfCommandLine([text]));
      measure(secretsOf('guest-exec', { env: [text], arg: [text.slice(0, 2 ** 20)] }));
      measure(secretsOf('human-monitor-command', line));
      measure(secretsIn({ a: text, property: 'data', value: text }, false));
    }`;
  const resolveDir = fileURLToPath(new URL('../../runtime/src', import.meta.url));
  const { outputFiles } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
  });
  const program = ['--max-old-space-size=512', '--input-type=module', '--eval', outputFiles[0]?.text ?? ''];
  const { stdout } = await promisify(execFile)(process.execPath, program);
  const lines = stdout.trim().split('\n');
  expect(lines.length).toBe(units.length * 7);
  expect(lines.filter((line) => Number.parseInt(line, 10) > 10_000)).toEqual([]);
});

test('switches on a command line are not secret', () => {
  const secrets = secretsOfCommandLine(['-vnc', ':1,password=on', '-x', 'auth=off,key=yes,token=no', '-y', 'pwd=abc']);
  expect(hideSecrets('once on, off, yes, no: abc', secrets)).toBe('once on, off, yes, no: ***');
});

test('the standard error of a server that quotes its arguments is shown without secrets', async () => {
  const script = 'echo "-object $2: bad hunter2, on" >&2; exit 1';
  const args = ['-c', script, 'sh', '-object', 'secret,id=a,data=hunter2,format=raw'];
  const { message } = await failure(connectTo(launch('/bin/sh', args)));
  expect(message).toMatch(/-object secret,id=a,data=\*\*\*,format=raw: bad \*\*\*, on$/u);
});

test('everything else is shown', async () => {
  await using peer = new Peer();
  const lines: string[] = [];
  await using vm = await connectPeer(peer, { trace: (direction, line) => lines.push(`${direction} ${line}`) });
  const shown: [command: string, args: JsonObject | undefined][] = [
    ['qom-set', { path: '/x', property: 'poll-max-ns', value: 9007199254740993n }],
    ['qom-set', undefined],
    ['blockdev-add', { driver: 'qcow2', file: 'password' }],
    ['blockdev-add', { driver: 'https', url: 'https://host:1/a@b?x=1', 'password-secret': 'key0', username: 'me' }],
    ['blockdev-add', { 'file.password-secret': 'key0', 'encrypt.key-secret': 'key0', filename: 'fat:rw:/x' }],
    [
      'blockdev-snapshot-sync',
      { 'snapshot-file': 'json:{"driver":"qcow2","file":{"filename":"/x","password-secret":"a"}}' },
    ],
    ['drive-mirror', { device: 'd', target: 'ssh://me@host/x' }],
    ['drive-mirror', { device: 'd', target: 'nbd:host:10809:exportname=x' }],
    ['object-add', { 'qom-type': 'iothread', id: 'data' }],
    ['object-add', { 'qom-type': 'tls-creds-x509', id: 'tls', dir: '/x', endpoint: 'server', passwordid: 'key0' }],
    ['object-add', { 'qom-type': 'secret', id: 'key0', file: '/x', keyid: 'master', iv: 'AAAA' }],
    ['migrate', { uri: 'tcp:[::1]:4444' }],
    ['migrate', { uri: 'unix:/run/x=y@z' }],
    ['netdev_add', { type: 'user', id: 'n', hostfwd: [{ str: 'tcp:127.0.0.1:2222-:22' }] }],
    ['expire_password', { protocol: 'vnc', time: '+60' }],
    ['device_add', { driver: 'virtio-blk-pci', id: 'd', serial: 'token', wwn: 1 }],
    ...[
      'info block',
      'savevm tag=1',
      'qom-get /machine type',
      'qom-get "/machine" "type"',
      'qom-set /x size 5',
      'qom-set -j "/a b" "size" 5',
      'change ide1-cd0 /x.iso',
      'drive_add 0 if=none,id=d,file=/x.qcow2,file.password-secret=key0',
      'object_add iothread,id=io',
      'migrate -d tcp:host:4444',
      'netdev_add user,id=n,hostfwd=tcp::2222-:22',
      'x/10i $pc',
      'help',
      'mistyped',
    ].map((line): [string, JsonObject] => ['human-monitor-command', { 'command-line': line }]),
  ];
  for (const [command, args] of shown) {
    peer.on(command, (request) => request.fail('why data?'));
    expect((await failure(vm.executeRaw(command, args))).message).toBe(`${command}: why data?`);
    expect(lines.at(-2)).toBe(`out ${peer.received.at(-1)?.text}`);
    expect(lines.at(-2)).not.toContain('***');
  }
});

test('secrets that contain each other are hidden completely', async () => {
  await using peer = new Peer({ kind: 'agent' });
  await using ga = await connectPeer(peer, {}, agent);
  peer.on('guest-exec', (request) => request.fail('A=1 A=12 A=123'));
  const error = await failure(ga.execute('guest-exec', { path: 'x', env: ['A=1', 'A=123', 'A=12'] }));
  expect(error['desc']).toBe('*** *** ***');
});

function texts(value: unknown, part = secret): string[] {
  if (typeof value === 'string') return value.includes(part) ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap((one) => texts(one, part)) : [];
}
