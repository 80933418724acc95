/** Events from the server to listeners, iterators and waiting calls. */

import { EventsDroppedError, type QmpError } from './errors.js';
import type { JsonObject } from './json.js';
import type { Log } from './log.js';

/** An event as the server sent it. */
export class QmpEvent {
  /** Its name, such as `STOP`. */
  readonly event: string;
  readonly data: JsonObject;
  /** Since 1970; both are -1 when the server has no time. */
  readonly timestamp: { readonly seconds: number; readonly microseconds: number };

  constructor(name: string, message: JsonObject) {
    this.event = name;
    this.data = isObject(message['data']) ? message['data'] : {};
    const timestamp = isObject(message['timestamp']) ? message['timestamp'] : {};
    this.timestamp = {
      seconds: Number(timestamp['seconds'] ?? -1),
      microseconds: Number(timestamp['microseconds'] ?? -1),
    };
  }

  /** When it happened, by the server's clock; undefined when the server has no time. */
  get date(): Date | undefined {
    const { seconds, microseconds } = this.timestamp;
    return seconds < 0 ? undefined : new Date(seconds * 1000 + microseconds / 1000);
  }
}

/** Gets an event; what happens to the connection itself has a form of its own. */
export type Listener = (event: never) => void;

/** How a reader of events is served. */
export interface EventsOptions {
  /** Ends the iteration. */
  signal?: AbortSignal | undefined;
  /** How many events may wait to be read; 1000 unless told. */
  limit?: number | undefined;
  /**
   * What happens to more: `throw` drops the newer ones, and the iteration throws EventsDroppedError after those that it kept; `drop` drops
   * the oldest, and tells the log how many.
   */
  overflow?: 'throw' | 'drop' | undefined;
}

/** Stands for events of any name. */
export const anyEvent = '*';

export class Events {
  /** By event name. Lists are replaced, not changed, so that a listener may remove itself. */
  readonly #listeners = new Map<string, readonly Listener[]>();
  /** Told when no more events can come. */
  readonly #endings = new Set<(error: QmpError | undefined) => void>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  add(name: string, listener: Listener): void {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
  }

  /** Removes a listener that was added once, or one of its additions. */
  remove(name: string, listener: Listener): void {
    const listeners = this.#listeners.get(name) ?? [];
    const at = listeners.indexOf(listener);
    if (at === -1) return;
    if (listeners.length === 1) this.#listeners.delete(name);
    else this.#listeners.set(name, listeners.toSpliced(at, 1));
  }

  /** Calls back when no more events can come. @returns what takes that back */
  whenEnded(callback: (error: QmpError | undefined) => void): () => void {
    this.#endings.add(callback);
    return () => this.#endings.delete(callback);
  }

  dispatch(name: string, message: JsonObject): void {
    if (!this.#listeners.has(name) && !this.#listeners.has(anyEvent)) return;
    const event = new QmpEvent(name, message);
    this.emit(name, event);
    this.emit(anyEvent, event);
  }

  /** A listener that throws harms no other, nor whoever emits. */
  emit(name: string, event: object): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(event as never);
      } catch (error) {
        this.#log({ level: 'error', message: `a listener of ${name} threw`, event: name, error });
      }
    }
  }

  end(error: QmpError | undefined): void {
    // What is called takes itself out.
    for (const callback of this.#endings) callback(error);
  }

  /** Reads events of some names, from now on. */
  reader(names: readonly string[], { signal, limit = 1000, overflow = 'throw' }: EventsOptions): EventReader {
    const reader = new EventReader(limit, overflow, (count) => {
      this.#log({ level: 'warn', message: `${count} events were dropped because they were not read in time` });
    });
    const listener = (event: QmpEvent): void => reader.put(event);
    for (const name of names) this.add(name, listener);
    const removeEnding = this.whenEnded((error) => reader.end(error));
    const abort = (): void => reader.end(undefined);
    signal?.addEventListener('abort', abort);
    reader.onDone = () => {
      for (const name of names) this.remove(name, listener);
      removeEnding();
      signal?.removeEventListener('abort', abort);
    };
    if (signal?.aborted) reader.end(undefined);
    return reader;
  }
}

/** A bounded queue of events, read with `for await`. */
export class EventReader implements AsyncIterableIterator<QmpEvent> {
  onDone: () => void = () => {};
  readonly #limit: number;
  readonly #overflow: 'throw' | 'drop';
  readonly #onDropped: (count: number) => void;
  #events: QmpEvent[] = [];
  #dropped = 0;
  #ended: { readonly error: QmpError | undefined } | undefined;
  /** Reads that wait for an event. */
  readonly #waiting: Read[] = [];

  constructor(limit: number, overflow: 'throw' | 'drop', onDropped: (count: number) => void) {
    this.#limit = limit;
    this.#overflow = overflow;
    this.#onDropped = onDropped;
  }

  put(event: QmpEvent): void {
    const waiting = this.#waiting.shift();
    if (waiting) {
      waiting.resolve({ value: event, done: false });
    } else if (this.#events.length < this.#limit && (this.#overflow === 'drop' || this.#dropped === 0)) {
      this.#events.push(event);
    } else {
      this.#dropped += 1;
      if (this.#overflow === 'throw') return;
      this.#events.shift();
      this.#events.push(event);
    }
  }

  end(error: QmpError | undefined): void {
    if (this.#ended) return;
    this.#ended = { error };
    this.onDone();
    for (const waiting of this.#waiting.splice(0)) this.#settle(waiting);
  }

  next(): Promise<IteratorResult<QmpEvent, undefined>> {
    return new Promise((resolve, reject) => {
      const event = this.#events.shift();
      if (event) {
        this.#tellDropped();
        resolve({ value: event, done: false });
      } else if (this.#dropped > 0 && this.#overflow === 'throw') {
        const error = new EventsDroppedError(this.#dropped);
        this.#dropped = 0;
        this.end(undefined);
        reject(error);
      } else if (this.#ended) {
        this.#settle({ resolve, reject });
      } else {
        this.#waiting.push({ resolve, reject });
      }
    });
  }

  return(): Promise<IteratorResult<QmpEvent, undefined>> {
    this.#events = [];
    this.end(undefined);
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #tellDropped(): void {
    if (this.#overflow !== 'drop' || this.#dropped === 0) return;
    this.#onDropped(this.#dropped);
    this.#dropped = 0;
  }

  /** An error is told once, and the end after it. */
  #settle(read: Read): void {
    const error = this.#ended?.error;
    this.#ended = { error: undefined };
    if (error) read.reject(error);
    else read.resolve({ value: undefined, done: true });
  }
}

interface Read {
  readonly resolve: (result: IteratorResult<QmpEvent, undefined>) => void;
  readonly reject: (error: QmpError) => void;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
