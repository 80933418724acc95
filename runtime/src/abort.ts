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
