/** What the runtime has to tell beside results. */

import type { Issue } from './inspect.js';
import type { Json } from './json.js';
import { visibleLines } from './visible.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogEntry {
  readonly level: LogLevel;
  /** Safe to print: control characters and the like, which a peer may have chosen, are escaped. The other members are exact. */
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

/** Gets the text of each message on the wire, secrets in arguments hidden, without its newline. Else it is exact: not safe to print. */
export type Trace = (direction: 'in' | 'out', text: string) => void;

/** Where nobody listens, only what should not happen is told, as a warning of the process. */
export const defaultLog: Log = ({ level, message, error }) => {
  if (level !== 'warn' && level !== 'error') return;
  const cause = error instanceof Error ? `: ${error.stack ?? error.message}` : '';
  process.emitWarning(visibleLines(`${message}${cause}`), 'QmpWarning');
};

/** A log hook that cannot do harm by throwing, and gets messages that are safe to print. */
export function safe(log: Log): Log {
  const tell = guarded('log', log);
  return (entry) => tell({ ...entry, message: visibleLines(entry.message) });
}

/**
 * Wraps a hook so that an exception, or a promise that rejects, does no harm. Only the first one becomes a warning of the process: a hook is
 * called for every message.
 *
 * @param name the option that holds it, such as `log`
 */
export function guarded<A extends unknown[]>(name: string, hook: (...args: A) => unknown): (...args: A) => void {
  let hasFailed = false;
  const fail = (error: unknown): void => {
    if (hasFailed) return;
    hasFailed = true;
    const problem = `the ${name} hook threw, which is reported once: ${textOf(error)}`;
    process.emitWarning(visibleLines(problem), 'QmpWarning');
  };
  return (...args) => {
    try {
      const returned = hook(...args);
      if (returned instanceof Promise) returned.catch(fail);
    } catch (error) {
      fail(error);
    }
  };
}

/** The message of an error. Never throws, although any value may be thrown, even one that cannot become a string. */
function textOf(error: unknown): string {
  try {
    const text: unknown = error instanceof Error ? error.message : error;
    return String(text);
  } catch {
    return 'a value that has no text';
  }
}

/** Tells once of what a peer may do without end, and counts the rest. */
export class Repeats {
  readonly #log: Log;
  readonly #counts = new Map<string, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param entry its message says what was dropped, and is one of a few */
  tell(entry: LogEntry): void {
    const count = this.#counts.get(entry.message) ?? 0;
    this.#counts.set(entry.message, count + 1);
    if (count === 0) this.#log(entry);
  }

  /** Tells the counts. */
  end(): void {
    for (const [message, count] of this.#counts) {
      if (count > 1) this.#log({ level: 'warn', message: `${message}, and so were ${count - 1} more` });
    }
    this.#counts.clear();
  }
}
