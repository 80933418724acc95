/** Delivers events to listeners, iterators and waiting calls. */

import { onAbort } from './abort.js';
import { EventsDroppedError, type QmpError } from './errors.js';
import { isObject, type Json, type JsonObject } from './json.js';
import { Repeats, type Log } from './log.js';
import { aFunction, anAbortSignal, checkParameter, mistake, oneOf, optionsOf, type OptionChecks } from './options.js';
import { Backlog, messageSize, Queue } from './queue.js';
import { didYouMean } from './suggest.js';

/**
 * An event as sent by the server. QEMU's manual: "QEMU Machine Protocol Specification", "Asynchronous events".
 *
 * @typeParam N the event's name
 * @typeParam D the type of its data: an object without members if the event has none
 */
export class QmpEvent<N extends string = string, D extends object = JsonObject> {
  /** The event's name, such as `STOP`. */
  readonly event: N;
  /** The event's data, as sent by the server. */
  readonly data: D;
  /** The time since 1970-01-01 UTC by the server's clock; both are -1 if the server could not read its clock. */
  readonly timestamp: { readonly seconds: number; readonly microseconds: number };

  constructor(name: N, message: JsonObject) {
    this.event = name;
    this.data = (isObject(message['data']) ? message['data'] : {}) as D;
    const timestamp = isObject(message['timestamp']) ? message['timestamp'] : {};
    this.timestamp = { seconds: time(timestamp['seconds']), microseconds: time(timestamp['microseconds']) };
  }

  /** The `timestamp` as a date; undefined if the server could not read its clock. */
  get date(): Date | undefined {
    const { seconds, microseconds } = this.timestamp;
    const date = new Date(seconds * 1000 + microseconds / 1000);
    return seconds < 0 || Number.isNaN(date.getTime()) ? undefined : date;
  }
}

/** Receives an event, or one of the connection's own events. */
export type Listener = (event: never) => void;

/** Options of `events`. */
export interface EventsOptions {
  /** Ends the iteration. */
  signal?: AbortSignal | undefined;
  /**
   * The number of events that can wait to be read, at least 1; 1000 by default. A long event counts once for each 4096
   * characters of its message. `Infinity` means no limit.
   */
  limit?: number | undefined;
  /**
   * What to do when the limit is exceeded. `throw` (the default) drops the newest events; the iteration returns the
   * events before the gap, then throws EventsDroppedError. `drop` drops the oldest events and logs their number.
   */
  overflow?: 'throw' | 'drop' | undefined;
}

const eventsChecks: OptionChecks<EventsOptions> = {
  signal: anAbortSignal,
  limit: (value) =>
    value === Infinity || (Number.isSafeInteger(value) && (value as number) > 0)
      ? undefined
      : 'positive integer or Infinity',
  overflow: oneOf('throw', 'drop'),
};

/** The default number of events that wait to be read. */
export const waitingLimit = 1000;

/** The name that matches any event. */
export const anyEvent = '*';

/** Names that listeners can use in addition to the server's events. They never clash: event names are upper case. */
const reserved: ReadonlySet<string> = new Set([anyEvent, 'disconnected', 'reconnected']);
/** The reserved names that iterators and calls can wait for. */
const eventsOfServer: ReadonlySet<string> = new Set([anyEvent]);

/** The length of an event's message in characters, for long messages only. */
const lengths = new WeakMap<QmpEvent, number>();

/** A listener that was added with `on` or `once`. */
interface Added {
  readonly listener: Listener;
  readonly once: boolean;
}

export class Events {
  /** Listeners by event name. The arrays are replaced rather than changed, so that a listener can remove itself. */
  readonly #listeners = new Map<string, readonly Added[]>();
  /** Called when no more events can arrive. */
  readonly #endings = new Set<(error: QmpError | undefined) => void>();
  /** Listeners that have thrown. Undefined until one does. */
  #faulty: WeakSet<Listener> | undefined;
  readonly #log: Log;
  readonly #known: Readonly<Record<string, unknown>> | undefined;
  readonly #repeats: Repeats;

  /** @param known the events of the schema by name, if there is a schema */
  constructor(log: Log, known?: Readonly<Record<string, unknown>>) {
    this.#log = log;
    this.#known = known;
    this.#repeats = new Repeats(log);
  }

  /** @throws TypeError for an unknown name, or a listener that is not a function */
  checkListener(name: unknown, listener: unknown): void {
    this.checkListenable(name);
    checkParameter('listener', listener, aFunction);
  }

  /** @throws TypeError for an unknown name, which is probably misspelled */
  checkListenable(name: unknown): void {
    this.#checkName('name', name, reserved);
  }

  /**
   * Validates and copies the names of events to wait for.
   *
   * @param place the option or parameter that holds them
   * @throws TypeError if they are not an array, or the schema does not have one of them
   */
  namesOf(names: unknown, place: string): string[] {
    if (!Array.isArray(names)) throw mistake(place, 'array of event names', names);
    const checked: string[] = [];
    for (const name of names as readonly unknown[]) checked.push(this.#checkName(place, name, eventsOfServer));
    return checked;
  }

  #checkName(place: string, name: unknown, others: ReadonlySet<string>): string {
    if (typeof name !== 'string' || name === '') throw mistake(place, 'event name', name);
    if (others.has(name)) return name;
    if (this.#known ? Object.hasOwn(this.#known, name) : !reserved.has(name)) return name;
    const near = didYouMean(name, [...Object.keys(this.#known ?? {}), ...others]);
    const further = reserved.has(name) ? '; only listeners receive it' : `; '${anyEvent}' matches any event`;
    throw new TypeError(`${place}: unknown event '${name}'${near || further}`);
  }

  /** @param once whether to remove the listener after the first event */
  add(name: string, listener: Listener, once = false): void {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), { listener, once }]);
  }

  /** Removes a listener. If it was added several times, removes the first addition. */
  remove(name: string, listener: Listener): void {
    const added = this.#listeners.get(name)?.find((candidate) => candidate.listener === listener);
    if (added) this.#remove(name, added);
  }

  #remove(name: string, added: Added): void {
    const others = (this.#listeners.get(name) ?? []).filter((other) => other !== added);
    if (others.length === 0) this.#listeners.delete(name);
    else this.#listeners.set(name, others);
  }

  /**
   * Calls `callback` when no more events can arrive.
   *
   * @returns a function that removes the callback
   */
  whenEnded(callback: (error: QmpError | undefined) => void): () => void {
    this.#endings.add(callback);
    return () => this.#endings.delete(callback);
  }

  /** @param length the length of the message's text */
  dispatch(name: string, message: JsonObject, length: number): void {
    const named = this.#listeners.get(name);
    const any = this.#listeners.get(anyEvent);
    if (!named && !any) return;
    if (reserved.has(name)) {
      this.#repeats.log({ level: 'warn', message: 'an event with a reserved name was dropped', event: name });
      return;
    }
    const event = new QmpEvent(name, message);
    if (length > messageSize) lengths.set(event, length);
    if (named) this.#call(named, name, event);
    if (any) this.#call(any, anyEvent, event);
  }

  emit(name: string, event: object): void {
    this.#call(this.#listeners.get(name) ?? [], name, event);
  }

  /** Calls listeners. Their exceptions and rejections affect neither other listeners nor the connection. */
  #call(listeners: readonly Added[], name: string, event: object): void {
    for (const added of listeners) {
      const { listener } = added;
      if (added.once) this.#remove(name, added);
      try {
        const returned = (listener as (event: object) => unknown)(event);
        if (returned instanceof Promise) this.#reportRejection(listener, name, returned);
      } catch (error) {
        this.#reportFault(listener, name, error);
      }
    }
  }

  /** A separate method because a closure in `#call` would cost memory on each event, even if it is not created. */
  #reportRejection(listener: Listener, name: string, promise: Promise<unknown>): void {
    promise.catch((error: unknown) => this.#reportFault(listener, name, error));
  }

  /** Logs the first error of each listener: it may throw on every event. */
  #reportFault(listener: Listener, name: string, error: unknown): void {
    this.#faulty ??= new WeakSet();
    if (this.#faulty.has(listener)) return;
    this.#faulty.add(listener);
    this.#log({
      level: 'error',
      message: `a listener of ${name} threw (only the first error is reported)`,
      event: name,
      error,
    });
  }

  end(error: QmpError | undefined): void {
    // Callbacks remove themselves.
    for (const callback of this.#endings) callback(error);
    this.#repeats.end();
  }

  /**
   * Returns a reader of the events with the given names that arrive from now on.
   *
   * @throws TypeError
   */
  reader(names: unknown, options: unknown): EventReader {
    const distinct = new Set(this.namesOf(names, 'names'));
    const { signal, limit = waitingLimit, overflow = 'throw' } = optionsOf(options, eventsChecks);
    const reader = new EventReader(limit, overflow, (count) => {
      this.#log({ level: 'warn', message: `${count} events were dropped because they were not read in time` });
    });
    const listener = (event: QmpEvent): void => reader.put(event);
    for (const name of distinct) this.add(name, listener);
    const removeEnding = this.whenEnded((error) => reader.end(error));
    const removeAbort = signal && onAbort(signal, () => reader.end(undefined));
    reader.onDone = () => {
      for (const name of distinct) this.remove(name, listener);
      removeEnding();
      removeAbort?.();
    };
    if (signal?.aborted) reader.end(undefined);
    return reader;
  }
}

/** A bounded queue of events, for use with `for await`. */
export class EventReader implements AsyncIterableIterator<QmpEvent> {
  onDone: () => void = () => {};
  readonly #overflow: 'throw' | 'drop';
  readonly #onDropped: (count: number) => void;
  readonly #events: Backlog<QmpEvent>;
  #dropped = 0;
  #ended: { readonly error: QmpError | undefined } | undefined;
  /** Pending calls of `next`. */
  readonly #waiting = new Queue<Read>();

  constructor(limit: number, overflow: 'throw' | 'drop', onDropped: (count: number) => void) {
    this.#events = new Backlog(limit);
    this.#overflow = overflow;
    this.#onDropped = onDropped;
  }

  put(event: QmpEvent): void {
    if (this.#ended) return;
    const waiting = this.#waiting.shift();
    if (waiting) {
      waiting.resolve({ value: event, done: false });
    } else if (this.#overflow === 'throw') {
      // Once an event has been dropped, no more are queued, so that there is no gap in the events that are read.
      if (this.#dropped > 0 || !this.#events.push(event, lengths.get(event))) this.#dropped += 1;
    } else {
      while (!this.#events.push(event, lengths.get(event))) {
        this.#dropped += 1;
        if (!this.#events.shift()) break;
      }
    }
  }

  end(error: QmpError | undefined): void {
    if (this.#ended) return;
    this.#ended = { error };
    this.onDone();
    for (const waiting of this.#waiting.takeAll()) this.#settle(waiting);
  }

  next(): Promise<IteratorResult<QmpEvent, undefined>> {
    return new Promise((resolve, reject) => {
      const event = this.#events.shift();
      if (event) {
        this.#reportDropped();
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
    this.#events.takeAll();
    this.#reportDropped();
    this.end(undefined);
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #reportDropped(): void {
    if (this.#overflow !== 'drop' || this.#dropped === 0) return;
    this.#onDropped(this.#dropped);
    this.#dropped = 0;
  }

  /** Reports an error once, and the end of the iteration from then on. */
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

function time(value: Json | undefined): number {
  return typeof value === 'number' ? value : -1;
}
