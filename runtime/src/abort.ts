/** Helpers for abort signals. */

import { setMaxListeners } from 'node:events';

/**
 * Calls `callback` when the signal aborts.
 *
 * @returns a function that removes the listener
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  // A signal may be shared by any number of calls; Node would report that as a listener leak. Signals that are not
  // Node's own have no such limit.
  if (signal instanceof EventTarget) setMaxListeners(0, signal);
  signal.addEventListener('abort', callback);
  return () => signal.removeEventListener('abort', callback);
}

/** Resolves after a delay in milliseconds, or when the signal aborts. */
export function delayUnlessAborted(delay: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      removeAbort();
      resolve();
    };
    const timer = setTimeout(done, delay);
    const removeAbort = onAbort(signal, done);
    if (signal.aborted) done();
  });
}
