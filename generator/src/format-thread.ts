/**
 * Formatting in a thread of its own: it takes about as long as all the rest, and needs nothing from it but text.
 *
 * This file is both sides.
 */

import { isMainThread, parentPort, Worker } from 'node:worker_threads';

import type { Format } from './emit/format.js';

interface Request {
  readonly id: number;
  readonly text: string;
}

type Reply = { readonly id: number } & ({ readonly text: string } | { readonly error: unknown });

/** Ends with `dispose`, or when nothing else keeps the process alive. */
export class FormatThread {
  readonly #worker = new Worker(new URL(import.meta.url));
  readonly #waiting = new Map<number, { resolve: (text: string) => void; reject: (error: unknown) => void }>();
  #next = 0;
  #broken: { readonly error: unknown } | undefined;

  constructor() {
    this.#worker.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('text' in reply) waiting?.resolve(reply.text);
      else waiting?.reject(reply.error);
    });
    this.#worker.on('error', (error) => {
      this.#broken = { error };
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  readonly format: Format = (text) =>
    new Promise((resolve, reject) => {
      if (this.#broken) {
        reject(this.#broken.error);
        return;
      }
      this.#waiting.set(this.#next, { resolve, reject });
      this.#worker.postMessage({ id: this.#next, text } satisfies Request);
      this.#next += 1;
    });

  async dispose(): Promise<void> {
    await this.#worker.terminate();
  }
}

async function serve(): Promise<void> {
  const { format } = await import('./emit/format.js');
  parentPort?.on('message', ({ id, text }: Request) => {
    format(text).then(
      (formatted) => parentPort?.postMessage({ id, text: formatted } satisfies Reply),
      (error: unknown) => parentPort?.postMessage({ id, error } satisfies Reply),
    );
  });
}

if (!isMainThread) await serve();
