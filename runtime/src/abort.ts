/** Signals that end something. */

import { setMaxListeners } from 'node:events';

/** Calls back when the signal says so. @returns what takes that back */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  // One signal may end any number of calls, and Node would take that for a leak. Signals of other makers have no such limit.
  if (signal instanceof EventTarget) setMaxListeners(0, signal);
  signal.addEventListener('abort', callback);
  return () => signal.removeEventListener('abort', callback);
}
