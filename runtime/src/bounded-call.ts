/** A call that has a signal, a time limit, or events to wait for. */

import { onAbort } from './abort.js';
import { AbortedError, ConnectionLostError, TimeoutError } from './errors.js';
import type { Events, QmpEvent } from './events.js';
import type { Entry, Request, Session, Settled } from './session.js';

/** The bounds of a call. */
export interface CallBounds {
  readonly signal?: AbortSignal | undefined;
  readonly timeout?: number | undefined;
  readonly where?: ((event: never) => boolean) | undefined;
  /** The names of the events to wait for. Any one of them ends the wait. */
  readonly until: readonly string[];
}

/**
 * Settles once: at the first failure, or when the result and, if the call waits for one, an event have arrived, in
 * either order.
 */
export class BoundedCall {
  readonly #session: Session;
  readonly #events: Events;
  readonly #command: string;
  readonly #bounds: CallBounds;
  /** Undefined once the call has settled. */
  #settle: ((outcome: Settled) => void) | undefined;
  /** The request, once it is sent. */
  #entry: Entry | undefined;
  #result: Settled | undefined;
  #event: QmpEvent | undefined;
  /** Remove timers and listeners. */
  readonly #cleanups: (() => void)[] = [];

  /** @param settle receives the outcome */
  constructor(
    session: Session,
    events: Events,
    command: string,
    bounds: CallBounds,
    settle: (outcome: Settled) => void,
  ) {
    this.#session = session;
    this.#events = events;
    this.#command = command;
    this.#bounds = bounds;
    this.#settle = settle;
  }

  /** @param check validates the result */
  start(request: Omit<Request, 'settle'>, check: (outcome: Settled) => Settled): void {
    const { signal, timeout, until } = this.#bounds;
    // Listen before sending: an event may arrive before the reply.
    if (until.length > 0) this.#listen();
    if (timeout !== undefined && timeout !== Infinity) this.#startTimer(timeout);
    try {
      if (signal) this.#cleanups.push(onAbort(signal, () => this.#abort(signal)));
      if (this.#settle) {
        this.#entry = this.#session.send({ ...request, settle: (outcome) => this.#receive(check(outcome)) });
      }
    } catch (error) {
      // A signal that is not Node's own may throw.
      this.#abandon(() => error as Error);
    }
  }

  #listen(): void {
    const { until } = this.#bounds;
    const listener = (event: QmpEvent): void => this.#hear(event);
    for (const name of until) this.#events.add(name, listener);
    const removeEnding = this.#events.whenEnded((error) => {
      const problem = `${this.#command}: the connection ended before ${until.join(' or ')} arrived`;
      this.#finish({ failure: () => new ConnectionLostError(problem, { cause: error }) });
    });
    this.#cleanups.push(removeEnding, () => until.forEach((name) => this.#events.remove(name, listener)));
  }

  #startTimer(timeout: number): void {
    const expire = (): void => {
      const missing = this.#result ? this.#bounds.until.join(' or ') : 'reply';
      if (this.#entry) this.#session.expire(this.#entry);
      this.#finish({
        failure: () => new TimeoutError(`${this.#command}: no ${missing} within ${timeout} ms`),
      });
    };
    const timer = setTimeout(expire, timeout);
    this.#cleanups.push(() => clearTimeout(timer));
  }

  #receive(result: Settled): void {
    this.#result = result;
    if ('failure' in result) this.#finish(result);
    else this.#finishIfComplete();
  }

  #hear(event: QmpEvent): void {
    const { where } = this.#bounds;
    try {
      if (this.#event || (where && !isMatch(where, event))) return;
    } catch (error) {
      this.#abandon(() => error as Error);
      return;
    }
    this.#event = event;
    this.#finishIfComplete();
  }

  #abort(signal: AbortSignal): void {
    this.#abandon(() => new AbortedError(`${this.#command}: the call was aborted`, { cause: signal.reason }));
  }

  #abandon(failure: () => Error): void {
    if (this.#entry) this.#session.abandon(this.#entry);
    this.#finish({ failure });
  }

  #finishIfComplete(): void {
    const result = this.#result;
    if (!result || 'failure' in result) return;
    if (this.#bounds.until.length === 0) this.#finish(result);
    else if (this.#event) this.#finish({ result: { result: result.result, event: this.#event } as never });
  }

  #finish(outcome: Settled): void {
    const settle = this.#settle;
    if (!settle) return;
    this.#settle = undefined;
    settle(outcome);
    for (const cleanUp of this.#cleanups.splice(0)) cleanUp();
  }
}

/** @throws whatever `where` throws */
function isMatch(where: (event: never) => unknown, event: QmpEvent): boolean {
  const answer = where(event as never);
  // A promise is always truthy.
  if (answer instanceof Promise) {
    answer.catch(() => {});
    throw new TypeError('where: expected a function that returns a boolean, but it returned a promise');
  }
  return Boolean(answer);
}
