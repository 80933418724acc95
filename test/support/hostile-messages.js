/**
 * A program with a client, and with a server whose messages are as expensive as possible:
 * `node --max-old-space-size=512 hostile-messages.js monitor|agent`. Prints one line with the outcome of each message.
 * Uses the built packages.
 */

// @ts-check
import { Duplex } from 'node:stream';

import { connect as connectAgent } from '@qapi-ts/qemu/qga';
import { connect as connectMonitor } from '@qapi-ts/qemu/qmp';

const isAgent = process.argv[2] === 'agent';
// The defaults of the runtime.
const maxBytes = (isAgent ? 65 : 64) * 1024 * 1024;
const maxValues = isAgent ? 256 * 1024 : 1024 * 1024;
const blockSize = 64 * 1024;

/**
 * A message: its beginning, its repeated part, and its end. The part is repeated until the message reaches the limit on
 * bytes or values. Without an end, it is repeated forever.
 *
 * @typedef {{ begin: string, part: string | ((n: number) => string), end?: string }} Shape
 */

/** With this, the text takes two bytes per character in memory, and the whole message has to be parsed twice. */
const costly = '"\u20ac",9007199254740993';
/** @param {number} n */
const name = (n) => n.toString(36);
/** Returns a name of 42 characters, not all of them in Latin-1. @param {number} n */
const longName = (n) => `"${name(n).padStart(39, 'x')}\u20ac"`;

/** Results. @type {Record<string, Shape>} */
const results = {
  'endless deep arrays': { begin: '', part: '[' },
  'endless deep objects': { begin: '', part: '{"a":' },
  'endless empty arrays': { begin: '[', part: '[],' },
  'endless empty objects': { begin: '[', part: '{},' },
  'endless nested arrays': { begin: '[', part: '[[[[[[[[1]]]]]]]],' },
  'endless numbers': { begin: '[', part: '1,' },
  'endless doubles': { begin: '[', part: '0.5,' },
  'endless large integers': { begin: '[', part: '9007199254740993,' },
  'endless empty strings': { begin: '[', part: '"",' },
  'endless names': { begin: '{', part: (n) => `"${name(n)}":1,` },
  'endless indices': { begin: '{', part: (n) => `"${n * 7}":1,` },
  'endless members with one name': { begin: '{', part: '"a":{},' },
  'endless prototypes': { begin: '[', part: '{"__proto__":{}},' },
  'endless objects of distinct shapes': { begin: '[', part: (n) => `{"${name(n)}":{}},` },
  'endless members over several lines': { begin: '{\n', part: (n) => `    "${name(n)}": [\n        1\n    ],\n` },
  'an endless string': { begin: '"', part: 'x' },
  'an endless string of quotes': { begin: '"', part: '\\"' },
  'a string': { begin: '"', part: 'x', end: '"' },
  'a string of non-Latin characters': { begin: '"', part: '\u20ac', end: '"' },
  'a string of escapes': { begin: '"', part: '\\u0041\\"\\\\', end: '"' },
  'a string of escaped non-Latin characters': { begin: '"', part: '\\u20ac', end: '"' },
  'a number': { begin: '', part: '9', end: '' },
  'a name': { begin: '{"', part: 'x', end: '":9007199254740993}' },
  space: { begin: '[1,', part: ' ', end: `${costly}]` },
  newlines: { begin: '[1,', part: '\n', end: `${costly}]` },
  'many empty arrays': { begin: '[', part: '[],', end: `${costly}]` },
  'many empty objects': { begin: '[', part: '{},', end: `${costly}]` },
  'many nested arrays': { begin: '[', part: `${'['.repeat(500)}${']'.repeat(500)},`, end: `${costly}]` },
  'many doubles': { begin: '[', part: (n) => `${n}.5,`, end: `${costly}]` },
  'many large integers': { begin: '[', part: (n) => `18446744073${`${n}`.padStart(9, '0')},`, end: `${costly}]` },
  'many strings': { begin: '[', part: (n) => `${longName(n)},`, end: `${costly}]` },
  'many names': { begin: '{', part: (n) => `${longName(n)}:1,`, end: `"a":[${costly}]}` },
  'many indices': { begin: '{', part: (n) => `"${n * 7}":1,`, end: `"a":[${costly}]}` },
  'many objects of distinct shapes': { begin: '[', part: (n) => `{"${name(n)}":{"${name(n)}":1}},`, end: `${costly}]` },
  'many prototypes': { begin: '[', part: '{"__proto__":{}},', end: `${costly}]` },
};

/** Descriptions of errors in which everything looks like a secret. @type {Record<string, Shape>} */
const descriptions = {
  'an error of addresses': { begin: '', part: '://a@ ', end: '' },
  'an error of options': { begin: '', part: 'key=a ', end: '' },
  'an error of members': { begin: '', part: '\\"pwd\\":\\"a\\" ', end: '' },
  'an error of words of a secret': { begin: '', part: 'word ', end: '' },
  'an error of backslashes': { begin: '', part: '\\\\', end: '' },
  'an error of escapes': { begin: '', part: '\\u0041', end: '' },
};

/** Lines that cannot be parsed, and that an error quotes. @type {Record<string, Iterable<Buffer>>} */
const unreadable = {
  'a line of members': [Buffer.from(`{${'"pwd":"a" '.repeat(200_000)}}\n`)],
  'a line of options': [Buffer.from(`{${'key=a '.repeat(200_000)}}\n`)],
};

/** Bytes that are not a message. @type {Record<string, Iterable<Buffer>>} */
const garbage = {
  'random bytes': [Buffer.from(Array.from({ length: blockSize }, (_, at) => (at * at * 31) % 251)), Buffer.from('\n')],
  'bytes of 0xFF': Array(maxBytes / blockSize + 1).fill(Buffer.alloc(blockSize, 0xff)),
  'a line of 0xFF': [...Array(maxBytes / blockSize).fill(Buffer.alloc(blockSize, 0xff)), Buffer.from('\n')],
};

/** @param {Shape} shape @param {number} id */
function message({ begin, part, end }, id) {
  return parts({ begin: `{"id": ${id}, "return": ${begin}`, part, end: end === undefined ? end : `${end}}\n` });
}

/** @param {Shape} shape @param {number} id */
function failure({ part }, id) {
  return parts({ begin: `{"id": ${id}, "error": {"class": "GenericError", "desc": "`, part, end: '"}}\n' });
}

/** @param {Shape} shape */
function* parts({ begin, part, end }) {
  const [before, after] = [Buffer.from(begin), Buffer.from(end ?? '')];
  yield before;
  let room = end === undefined ? Infinity : maxBytes - before.length - after.length + 1;
  let places = end === undefined ? Infinity : maxValues - 10;
  for (const { block, size, count } of typeof part === 'string' ? repeated(part) : numbered(part)) {
    // Some of the identical parts may still fit.
    const share = Math.min(room / block.length, count === 0 ? 1 : places / count, 1);
    yield block.subarray(0, share === 1 ? block.length : Math.floor((block.length * share) / size) * size);
    if (share < 1) break;
    room -= block.length;
    places -= count;
  }
  yield after;
}

/** @param {string} part */
function* repeated(part) {
  const times = Math.ceil(blockSize / part.length);
  const size = Buffer.byteLength(part);
  const once = { block: Buffer.from(part.repeat(times)), size, count: countOf(part) * times };
  for (;;) yield once;
}

/** @param {(n: number) => string} part */
function* numbered(part) {
  for (let n = 0; ;) {
    let text = '';
    while (text.length < blockSize) text += part(n++);
    const block = Buffer.from(text);
    yield { block, size: block.length, count: countOf(text) };
  }
}

/** Returns the number of values in text. @param {string} text */
function countOf(text) {
  return text.length - text.replaceAll(/[,[{]/gu, '').length;
}

/** Serves one client, and replies to its first command with the given chunks. */
class Server extends Duplex {
  /** @type {Iterator<Buffer> | undefined} */
  #sending;
  #received = '';
  /** @readonly */
  #answer;

  /** @param {(id: number) => Iterable<Buffer>} answer */
  constructor(answer) {
    super();
    this.#answer = answer;
    const version = '{"qemu": {"major": 10, "minor": 2, "micro": 2}, "package": ""}';
    if (!isAgent) this.push(`{"QMP": {"version": ${version}, "capabilities": []}}\r\n`);
  }

  /** @override */
  _read() {
    for (let isRoom = true; isRoom && this.#sending;) {
      const { done, value } = this.#sending.next();
      isRoom = this.push(done ? null : value);
      if (done) this.#sending = undefined;
    }
  }

  /** @override @param {Buffer} chunk @param {string} _ @param {() => void} done */
  _write(chunk, _, done) {
    this.#received += chunk.toString('latin1').replace('\xff', '');
    const lines = this.#received.split('\n');
    this.#received = lines.pop() ?? '';
    for (const line of lines) this.#receive(JSON.parse(line));
    done();
  }

  /** @param {{ execute: string, id: number, arguments?: { id?: number } }} request */
  #receive({ execute, id, arguments: args }) {
    if (execute === 'qmp_capabilities') this.push(`{"return": {}, "id": ${id}}\r\n`);
    else if (execute === 'guest-sync-delimited')
      this.push(Buffer.from(`\xff{"return": ${Number(args?.id)}}\n`, 'latin1'));
    else {
      this.#sending = this.#answer(id)[Symbol.iterator]();
      // oxlint-disable-next-line no-underscore-dangle -- the name is given by streams
      this._read();
    }
  }
}

/** @param {string} what @param {(id: number) => Iterable<Buffer>} answer @param {boolean} [isSecretive] whether the command has a secret */
async function run(what, answer, isSecretive = false) {
  /** @type {any} */
  const client = await (isAgent ? connectAgent : connectMonitor)(new Server(answer), { log: () => {} });
  const password = 'word battery staple';
  const call = isSecretive
    ? client.executeRaw('set_password', { protocol: 'vnc', password })
    : client.execute(isAgent ? 'guest-get-time' : 'query-status');
  const outcome = await call.then(
    () => 'a result',
    (/** @type {any} */ error) => String(error.cause?.message ?? error).slice(0, 100),
  );
  await client.close();
  console.log(`${what}: ${outcome}`);
}

for (const [what, shape] of Object.entries(results)) await run(what, (id) => message(shape, id));
for (const [what, shape] of Object.entries(descriptions)) await run(what, (id) => failure(shape, id), true);
for (const [what, chunks] of Object.entries({ ...unreadable, ...garbage })) await run(what, () => chunks);
console.log('alive');
