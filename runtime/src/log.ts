/** Log entries and hooks. */

import type { Issue } from './inspect.js';
import type { Json } from './json.js';
import { visibleLines } from './visible.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogEntry {
  readonly level: LogLevel;
  /**
   * Safe to print: control and other invisible characters, which may come from the peer, are escaped. The other members
   * are unescaped.
   */
  readonly message: string;
  /** The command or event that the entry is about. */
  readonly command?: string;
  readonly event?: string;
  /** A message to or from the server, with secrets hidden. */
  readonly content?: Json;
  readonly error?: unknown;
  /** The validation issue that the entry reports. */
  readonly issue?: Issue;
}

export type Log = (entry: LogEntry) => void;

/**
 * Receives the text of every message, without its newline and with secrets hidden. The text is otherwise unchanged, so
 * it is not safe to print.
 */
export type Trace = (direction: 'in' | 'out', text: string) => void;

/** Used if there is no log hook: emits errors and warnings as process warnings. */
export const defaultLog: Log = ({ level, message, error }) => {
  if (level !== 'warn' && level !== 'error') return;
  const cause = error instanceof Error ? `: ${error.stack ?? error.message}` : '';
  process.emitWarning(visibleLines(`${message}${cause}`), 'QmpWarning');
};

/** Wraps a log hook: its exceptions are caught, and the messages it receives are safe to print. */
export function safe(log: Log): Log {
  const guardedLog = guarded('log', log);
  return (entry) => guardedLog({ ...entry, message: visibleLines(entry.message) });
}

/**
 * Wraps a hook so that its exceptions and rejections are caught. Only the first is reported, as a process warning,
 * because a hook may be called for every message.
 *
 * @param name the option that holds the hook, such as `log`
 */
export function guarded<A extends unknown[]>(name: string, hook: (...args: A) => unknown): (...args: A) => void {
  let hasFailed = false;
  const fail = (error: unknown): void => {
    if (hasFailed) return;
    hasFailed = true;
    const problem = `the ${name} hook threw (only the first error is reported): ${textOf(error)}`;
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

/**
 * Returns the message of an error. Never throws, although any value can be thrown, even one that cannot be converted to
 * a string.
 */
function textOf(error: unknown): string {
  try {
    const text: unknown = error instanceof Error ? error.message : error;
    return String(text);
  } catch {
    return 'a value that cannot be converted to a string';
  }
}

/** Logs the first occurrence of each message and counts the rest, for conditions that a peer may repeat endlessly. */
export class Repeats {
  readonly #log: Log;
  #counts: Map<string, number> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param entry its message describes what was dropped, and must be one of a fixed set */
  log(entry: LogEntry): void {
    this.#counts ??= new Map();
    const count = this.#counts.get(entry.message) ?? 0;
    this.#counts.set(entry.message, count + 1);
    if (count === 0) this.#log(entry);
  }

  /** Logs the counts. */
  end(): void {
    for (const [message, count] of this.#counts ?? []) {
      if (count > 1) this.#log({ level: 'warn', message: `${message}, and ${count - 1} more like it` });
    }
    this.#counts = undefined;
  }
}
