/** A pair of streams, each of which reads what is written to the other: a connection within one process. */

import { Duplex } from 'node:stream';

/** As with a socket, data never arrives before the current operation of the writer has completed. */
export function duplexPair(): [Duplex, Duplex] {
  const a = new Side();
  const b = new Side();
  a.other = b;
  b.other = a;
  return [a, b];
}

type Done = (error?: Error | null) => void;

class Side extends Duplex {
  other: Side = this;
  /** Completes a write of the other side, which waits until this side reads. */
  #waiting: Done | undefined;
  #hasEnded = false;

  override _read(): void {
    this.#release();
  }

  override _write(chunk: Uint8Array, _: BufferEncoding, done: Done): void {
    process.nextTick(() => this.other.#receive(chunk, done));
  }

  override _final(done: Done): void {
    process.nextTick(() => {
      this.other.#receiveEnd();
      done();
    });
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#hasEnded = true;
    this.#release(new Error('write EPIPE'));
    process.nextTick(() => this.other.#receiveEnd());
    done(error);
  }

  #receive(chunk: Uint8Array, done: Done): void {
    if (this.destroyed) done(new Error('write EPIPE'));
    else if (this.#hasEnded || this.push(chunk)) done();
    else this.#waiting = done;
  }

  #receiveEnd(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.push(null);
  }

  #release(error?: Error): void {
    const done = this.#waiting;
    this.#waiting = undefined;
    done?.(error);
  }
}
