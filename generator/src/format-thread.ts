/** Formatting in a thread of its own: it takes about as long as all the rest, and needs nothing from it but text. */

import { Worker } from 'node:worker_threads';

import type { Format } from './emit/format.js';

/** What the thread is asked; see format-worker.ts. */
export interface FormatRequest {
  readonly id: number;
  readonly text: string;
}

export type FormatReply = { readonly id: number } & ({ readonly text: string } | { readonly error: unknown });

/** Ends with `dispose`, or when nothing else keeps the process alive. */
export class FormatThread {
  readonly #worker = new Worker(new URL('format-worker.js', import.meta.url));
  readonly #waiting = new Map<number, { resolve: (text: string) => void; reject: (error: unknown) => void }>();
  #next = 0;
  #broken: { readonly error: unknown } | undefined;

  constructor() {
    this.#worker.on('message', (reply: FormatReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('text' in reply) waiting?.resolve(reply.text);
      else waiting?.reject(reply.error);
    });
    this.#worker.on('error', (error) => this.#break(error));
    this.#worker.on('exit', () => this.#break(new Error('the thread that formats has ended')));
  }

  readonly format: Format = (text) =>
    new Promise((resolve, reject) => {
      if (this.#broken) {
        reject(this.#broken.error);
        return;
      }
      this.#waiting.set(this.#next, { resolve, reject });
      this.#worker.postMessage({ id: this.#next, text } satisfies FormatRequest);
      this.#next += 1;
    });

  async dispose(): Promise<void> {
    await this.#worker.terminate();
  }

  #break(error: unknown): void {
    this.#broken ??= { error };
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
