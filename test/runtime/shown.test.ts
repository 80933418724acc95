/** Text from a peer is escaped in messages, so that it cannot harm a terminal or log. In data, it is unescaped. */

import { afterEach, describe, expect, test, vi } from 'vitest';

import { launch, type LogEntry } from '../../runtime/src/index.js';
import { enumeration, struct, validatorsOf } from '../../runtime/src/validator.js';
import { connectPeer, connectTo, failure, monitor, settled } from '../support/client.js';
import { Peer } from '../support/peer.js';

const evil = 'a\u001B[2J\u009B1m\u202E\n::error::b\r##[error]\u2028c\u200B';
const shown = 'a\\u{001b}[2J\\u{009b}1m\\u{202e}\\u{000a}::error::b\\u{000d}#\\u{0023}[error]\\u{2028}c\\u{200b}';
const unseen = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|^\s*::|##\w*\[/mu;

const protocol = {
  ...monitor,
  validators: validatorsOf(
    { ask: { result: struct(() => ({ value: 'int', choice: isChoice })) } },
    { ASKED: struct(() => ({ value: 'int' })) },
  ),
};
const isChoice = enumeration({ on: 'on', off: 'off' });

afterEach(() => void vi.restoreAllMocks());

describe('in errors', () => {
  test('of commands; the description is unescaped', async () => {
    await using peer = new Peer();
    peer.on('ask', (request) => request.fail(evil, evil));
    const vm = await connectPeer(peer);
    const error = await failure(vm.execute('ask', {}));
    expect(error.message).toBe(`ask: ${shown}`);
    expect(error.stack).toContain(shown);
    expect(error).toMatchObject({ desc: evil, errorClass: evil });
    await vm.close();
  });

  test('of results; the result is unescaped', async () => {
    await using peer = new Peer();
    peer.on('ask', { value: evil, choice: evil, [evil]: 1 });
    const vm = await connectPeer(peer, { validate: { results: 'throw' } }, protocol);
    const error = await failure(vm.execute('ask', {}));
    expect(error.message).toContain("string 'a\\u{001b}");
    expect(error.message).not.toMatch(unseen);
    for (const { message, found } of error['issues'] as { message: string; found: string }[]) {
      expect(`${message}${found}`).not.toMatch(/\n/u);
      expect(`${message}${found}`).not.toMatch(unseen);
    }
    expect(error).toMatchObject({ result: { value: evil, choice: evil, [evil]: 1 } });
    await vm.close();
  });

  test.each([
    ['text that is not JSON', `${evil.replaceAll('[', '(')}\n`],
    ['JSON that is not a message', `${JSON.stringify(evil)}\n`],
  ])('of the protocol: %s', async (_, text) => {
    await using peer = new Peer();
    const entries: LogEntry[] = [];
    const vm = await connectPeer(peer, { log: (entry) => entries.push(entry) });
    const call = failure(vm.execute('ask', {}));
    peer.write(text);
    const error = await call;
    expect(error.message).not.toMatch(unseen);
    expect(entries.filter(({ level }) => level === 'error')).not.toEqual([]);
    for (const { message } of entries) expect(message).not.toMatch(unseen);
    await vm.close();
  });

  test('of launched servers', async () => {
    const script = 'printf "one\\033[2J\\n::error::two\\n" >&2; exit 3';
    const error = await failure(connectTo(launch('sh', ['-c', script])));
    expect(error.message).toBe('sh ended with status 3: one\\u{001b}[2J\n\\u{003a}:error::two');
  });
});

describe('in the log', () => {
  test('messages; other members are unescaped', async () => {
    await using peer = new Peer();
    const entries: LogEntry[] = [];
    peer.on('ask', { value: evil, choice: 'on' });
    const vm = await connectPeer(peer, { log: (entry) => entries.push(entry) }, protocol);
    await vm.execute('ask', {});
    peer.send({ event: 'ASKED', data: { value: evil } });
    peer.send({ error: { class: evil, desc: evil } });
    peer.send({ QMP: { [evil]: evil } });
    await settled();
    expect(entries.map(({ level }) => level)).toEqual(['warn', 'warn', 'warn', 'warn']);
    for (const { message } of entries) expect(message).not.toMatch(unseen);
    const contents = entries.flatMap(({ content }) => (content === undefined ? [] : [content]));
    expect(contents).toEqual([{ class: evil, desc: evil }]);
    await vm.close();
  });

  test('process warnings', async () => {
    await using peer = new Peer();
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    peer.on('ask', { value: evil, choice: 'on' });
    const vm = await connectPeer(peer, { log: undefined }, protocol);
    vm.on('ASKED', ({ data }) => {
      throw new Error(data['value'] as string);
    });
    await vm.execute('ask', {});
    peer.send({ event: 'ASKED', data: { value: evil } });
    await settled();
    expect(warn.mock.calls.length).toBeGreaterThanOrEqual(3);
    for (const [message] of warn.mock.calls) expect(message).not.toMatch(unseen);
    await vm.close();
  });
});
