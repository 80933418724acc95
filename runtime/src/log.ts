/** What the runtime has to tell beside results. */

import type { Issue } from './inspect.js';
import type { Json } from './json.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
  /** The command that it is about, or the event. */
  readonly command?: string;
  readonly event?: string;
  /** A message from or to the server, secrets hidden. */
  readonly content?: Json;
  readonly error?: unknown;
  /** What does not fit the schema, or is to be remarked. */
  readonly issue?: Issue;
}

export type Log = (entry: LogEntry) => void;

/** Gets the text of each message on the wire, secrets in arguments hidden, without its newline. */
export type Trace = (direction: 'in' | 'out', text: string) => void;

/** Where nobody listens, only what should not happen is told, as a warning of the process. */
export const defaultLog: Log = ({ level, message, error }) => {
  if (level !== 'warn' && level !== 'error') return;
  const cause = error instanceof Error ? `: ${error.stack ?? error.message}` : '';
  process.emitWarning(`${message}${cause}`, 'QmpWarning');
};

/** A hook that cannot do harm by throwing. */
export function guarded<A extends unknown[]>(hook: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    try {
      hook(...args);
    } catch (error) {
      process.emitWarning(`a log or trace hook threw: ${String(error)}`, 'QmpWarning');
    }
  };
}
