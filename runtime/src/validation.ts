/** What a connection does with its validators: refuses arguments before they are sent, and tells what does not fit of what comes. */

import { ArgumentsError, ResultError } from './errors.js';
import type { Issue, Remark } from './inspect.js';
import type { Json } from './json.js';
import type { Log } from './log.js';
import { holdsNumbers, type Type } from './schema.js';
import type { Settled } from './session.js';
import type { AnyValidators, CommandValidators, Validator } from './validator.js';

/** How arguments, results and events are checked against the schema. */
export interface Validation {
  /** Whether arguments are checked before they are sent; true unless told. Those that do not fit are an ArgumentsError. */
  arguments?: boolean | undefined;
  /**
   * What becomes of a result that contradicts the schema. `warn`, unless told: it is returned, and the log gets a warning, once a
   * connection and place. `throw`: the call rejects with a ResultError, which has it. `ignore`: results and events are not checked. Events
   * always arrive. Members and values that the schema does not know contradict nothing: the log is informed of those in the first result
   * of a command, or the first event of a name, that has any.
   */
  results?: 'throw' | 'warn' | 'ignore' | undefined;
  /** Warns of arguments, and of commands, that are deprecated, unstable, or only in some builds of QEMU. */
  remarks?: readonly Remark[] | undefined;
}

const off: Validation = { arguments: false, results: 'ignore' };
const on: Validation = {};

export function validationOf(option: boolean | Validation = on): Validation {
  return typeof option === 'boolean' ? (option ? on : off) : option;
}

/** What is told in an error; the others are counted. */
const maxListed = 10;
/** A hostile peer can think of any number of things to tell. */
const maxTold = 1000;

/** The checks of one connection. */
export class Checks {
  readonly #validators: AnyValidators | undefined;
  readonly #log: Log;
  readonly #told = new Set<string>();
  /** The types of results and events that have had what the schema does not know: to look for it again costs as much as parsing. */
  readonly #open = new Set<Type>();
  /** Results in which large doubles may look like integers, by command. */
  readonly #mendable = new Map<Type, boolean>();

  constructor(validators: AnyValidators | undefined, log: Log) {
    this.#validators = validators;
    this.#log = log;
  }

  /** @returns why they cannot be sent */
  arguments(command: string, args: object | undefined, validation: Validation): (() => ArgumentsError) | undefined {
    const validators = this.#commandOf(command);
    if (!validators || validation.arguments === false) return undefined;
    const issues = validators.arguments.issues(args ?? {}, { remarks: validation.remarks });
    const failures = issues.filter(({ kind }) => kind === 'mismatch' || kind === 'unknown');
    if (failures.length > 0) {
      const message = `${command}: ${listed('arguments', failures)}`;
      return () => new ArgumentsError(message, failures);
    }
    for (const issue of issues) this.#tell({ command }, 'arguments', issue);
    return undefined;
  }

  /** @returns the outcome, or what it becomes */
  result(command: string, outcome: Settled, { results = 'warn' }: Validation): Settled {
    if ('failure' in outcome) return outcome;
    const validator = this.#commandOf(command)?.result;
    if (!validator) return outcome;
    const { result } = outcome;
    const issues = this.#inspect(validator, result, results);
    if (issues.length === 0 || results === 'ignore') return outcome;
    const failures = issues.filter(({ kind }) => kind === 'mismatch');
    if (results === 'throw' && failures.length > 0) {
      const message = `${command}: ${listed('result', failures)}`;
      return { failure: () => new ResultError(message, result, failures) };
    }
    for (const issue of issues) this.#tell({ command }, 'result', issue);
    return outcome;
  }

  event(name: string, data: Json | undefined, { results = 'warn' }: Validation): void {
    const events = this.#validators?.events;
    const validator = events && Object.hasOwn(events, name) ? events[name] : undefined;
    if (!validator) return;
    const issues = this.#inspect(validator, data ?? {}, results);
    if (results === 'ignore') return;
    for (const issue of issues) this.#tell({ event: name }, 'data', issue);
  }

  /** Doubles are mended in any case: the types promise numbers. */
  #inspect(validator: Validator<unknown>, value: unknown, results: Validation['results']): Issue[] {
    const { type } = validator;
    if (results === 'ignore' && !this.#isMendable(type)) return [];
    const issues = validator.issues(value, { mend: true, unknown: !this.#open.has(type) });
    if (issues.some(({ kind }) => kind === 'unknown')) this.#open.add(type);
    return issues;
  }

  #isMendable(type: Type): boolean {
    const isMendable = this.#mendable.get(type) ?? holdsNumbers(type);
    this.#mendable.set(type, isMendable);
    return isMendable;
  }

  #commandOf(name: string): CommandValidators<unknown, unknown> | undefined {
    const commands = this.#validators?.commands;
    return commands && Object.hasOwn(commands, name) ? commands[name] : undefined;
  }

  #tell(subject: { readonly command: string } | { readonly event: string }, root: string, issue: Issue): void {
    const { kind, path, message } = issue;
    const name = 'command' in subject ? subject.command : subject.event;
    // Of a list of a thousand, each element may have the same.
    const place = path.map((step) => (typeof step === 'number' ? '[]' : `.${step}`)).join('');
    const key = `${name} ${root}${place} ${kind}`;
    if (this.#told.has(key) || this.#told.size === maxTold) return;
    this.#told.add(key);
    const level = kind === 'unknown' ? 'info' : 'warn';
    const isOfCommand = root === 'arguments' && path.length === 0;
    this.#log({ level, message: `${name}: ${isOfCommand ? message : placed(root, issue)}`, ...subject });
  }
}

/** All issues, or the first of many. */
function listed(root: string, issues: readonly Issue[]): string {
  const lines = issues.slice(0, maxListed).map((issue) => placed(root, issue));
  if (issues.length > maxListed) lines.push(`and ${issues.length - maxListed} more`);
  return lines.join('\n');
}

/** `arguments.file.filename: expected string, found number 5` */
function placed(root: string, { path, message }: Issue): string {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  return `${root}${steps}: ${message}`;
}
