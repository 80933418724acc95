/** A server on a real socket that disconnects and comes back at any moment, in any way. */

import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';

import { connectTo } from '../support/client.js';
import { Timers } from '../support/world.js';
import { fuzz } from './fuzz.js';

/** The ways in which a connection ends, after some replies. */
const fates = ['silence', 'end', 'reset', 'half', 'garbage', 'greeting only', 'no greeting', 'stay'] as const;

interface Life {
  readonly fate: (typeof fates)[number];
  /** The number of replies that the server sends first. */
  readonly replies: number;
}

const greeting =
  '{"QMP": {"version": {"qemu": {"major": 10, "minor": 2, "micro": 0}, "package": ""}, "capabilities": []}}';

/** The time limit of a call, in milliseconds. */
const timeout = 40;
/** The time after which anything else counts as hanging, in milliseconds. */
const patience = 10_000;

class DyingServer {
  connections = 0;
  readonly #lives: readonly Life[];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(lives: readonly Life[]) {
    this.#lives = lives;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve) => this.#server.listen(path, resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    const life = this.#lives[this.connections] ?? { fate: 'stay', replies: Infinity };
    this.connections += 1;
    this.#sockets.add(socket);
    let replies = 0;
    let text = '';
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
    if (life.fate === 'no greeting') return;
    socket.write(`${greeting}\r\n`);
    if (life.fate === 'greeting only') socket.end();
    socket.on('data', (chunk: Buffer) => {
      const lines = (text + chunk.toString()).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const { id, arguments: args } = JSON.parse(line) as { id: number; arguments?: { call?: number } };
        if (replies === life.replies + 1 && life.fate !== 'stay') {
          die(socket, life.fate, id);
          return;
        }
        replies += 1;
        socket.write(`{"return": {"call": ${args?.call ?? 0}}, "id": ${id}}\r\n`);
      }
    });
  }
}

function die(socket: Socket, fate: Life['fate'], id: number): void {
  if (fate === 'end') socket.end();
  else if (fate === 'reset') socket.destroy();
  else if (fate === 'half') socket.end(`{"return": {"call": 1}, "id": ${id}`);
  else if (fate === 'garbage') socket.write('}{ \0\n');
}

let folder = '';
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'qapi-ts-fuzz-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const lives = fc.array(fc.record({ fate: fc.constantFrom(...fates), replies: fc.nat(6) }), { maxLength: 4 });
const pauses = fc.array(fc.nat(8), { maxLength: 20 });
let sockets = 0;

fuzz('reconnecting', fc.asyncProperty(lives, pauses, reconnects), { batch: 20 });

async function reconnects(taken: readonly Life[], waits: readonly number[]): Promise<void> {
  sockets += 1;
  const path = join(folder, `${sockets}`);
  const server = new DyingServer(taken);
  await server.listen(path);
  const strays: string[] = [];
  using timers = new Timers();
  const vm = await connectTo({ path }, { reconnect: { initialDelay: 1, maxDelay: 5 }, connectTimeout: 30 }).catch(
    () => undefined,
  );
  if (vm) {
    const calls: Promise<unknown>[] = [];
    const start = performance.now();
    for (const [call, pause] of waits.entries()) {
      if (pause > 2) await new Promise((resolve) => setTimeout(resolve, pause));
      const take = (result: unknown): void => {
        if ((result as { call?: number }).call !== call) strays.push(`${call}: ${JSON.stringify(result)}`);
      };
      const fail = (error: { code?: string }): void => expect(error.code).toMatch(/^ERR_QMP_/u);
      calls.push(vm.execute('call', { call }, { timeout }).then(take, fail));
    }
    await inTime(Promise.all(calls), 'settle the calls');
    await inTime(vm.close(), 'close');
    // Each attempt waits at least half of the initial delay.
    expect(server.connections).toBeLessThan(10 + (performance.now() - start) / 0.5);
  }
  expect(await timers.left()).toEqual([]);
  await inTime(server.close(), 'end the server');
  expect(strays).toEqual([]);
}

async function inTime(promise: Promise<unknown>, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took too long to ${what}`)), patience);
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
