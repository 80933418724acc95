/** What a connection does with its validators: refuses arguments before they are sent, and tells what does not fit of what comes. */

import { ArgumentsError, ResultError } from './errors.js';
import { compiled } from './compile.js';
import { inspect, isFailure, type Inspection, type Issue, type Remark } from './inspect.js';
import type { Json } from './json.js';
import type { Log } from './log.js';
import { holdsNumbers, type Type } from './schema.js';
import type { Settled } from './session.js';
import { passes, type AnyValidators, type CommandValidators } from './validator.js';

/** How arguments, results and events are checked against the schema. */
export interface Validation {
  /** Whether arguments are checked before they are sent; true unless told. Those that do not fit are an ArgumentsError. */
  arguments?: boolean | undefined;
  /**
   * What becomes of a result that contradicts the schema. `warn`, unless told: it is returned, and the log gets a warning, once a
   * connection and place. `throw`: the call rejects with a ResultError, which has it. `ignore`: results and events are not checked. Events
   * always arrive. Members and values that the schema does not know contradict nothing: the log is informed of those in the first result
   * of a command, or event of a name, that has any. Doubles that look like integers are always made numbers.
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
const maxName = 100;

/** The checks of one connection. */
export class Checks {
  readonly #validators: AnyValidators | undefined;
  readonly #log: Log;
  readonly #told = new Set<string>();
  /** The commands and events that have had what the schema does not know: to look for it again costs as much as parsing. */
  readonly #open = new Set<string>();
  /** Whether large doubles in values of a type may look like integers. */
  readonly #mendable = new Map<Type, boolean>();

  constructor(validators: AnyValidators | undefined, log: Log) {
    this.#validators = validators;
    this.#log = log;
  }

  /** Whether arguments of a command are checked. */
  isChecked(command: string, validation: Validation): boolean {
    return validation.arguments !== false && this.#commandOf(command) !== undefined;
  }

  /** @returns why they cannot be sent */
  arguments(command: string, args: object | undefined, { remarks }: Validation): (() => ArgumentsError) | undefined {
    const issues = this.#commandOf(command)?.arguments.issues(args ?? {}, { remarks }) ?? [];
    const failures = issues.filter((issue) => isFailure(issue, 'out'));
    if (failures.length > 0) {
      return () => new ArgumentsError(`${command}: ${listed('arguments', failures)}`, failures);
    }
    for (const issue of issues) this.#tell({ command }, 'arguments', issue);
    return undefined;
  }

  /** @returns the outcome, or what it becomes */
  result(command: string, outcome: Settled, { results = 'warn' }: Validation): Settled {
    const type = this.#commandOf(command)?.result.type;
    if ('failure' in outcome || !type) return outcome;
    const { value, issues } = this.#inspect(command, type, outcome.result, results);
    const result = value as Json;
    const failures = results === 'throw' ? issues.filter((issue) => isFailure(issue, 'in')) : [];
    for (const issue of issues) if (!failures.includes(issue)) this.#tell({ command }, 'result', issue);
    if (failures.length === 0) return { result };
    return { failure: () => new ResultError(`${command}: ${listed('result', failures)}`, result, failures) };
  }

  event(name: string, data: Json | undefined, { results = 'warn' }: Validation): void {
    const events = this.#validators?.events;
    const type = events && Object.hasOwn(events, name) ? events[name]?.type : undefined;
    if (!type) return;
    // Data are an object: what is mended is inside.
    const { issues } = this.#inspect(name, type, data ?? {}, results);
    for (const issue of issues) this.#tell({ event: name }, 'data', issue);
  }

  /** Doubles are mended in any case: the types promise numbers. */
  #inspect(subject: string, type: Type, value: unknown, results: Validation['results']): Inspection {
    const isIgnored = results === 'ignore';
    if (isIgnored && !this.#isMendable(type)) return { value, issues: [] };
    const ignoreUnknown = isIgnored || this.#open.has(subject);
    if (passes(compiled(type, ignoreUnknown ? 'open' : 'in'), value, 'in')) return { value, issues: [] };
    const inspection = inspect(type, value, { direction: 'in', mend: true, ignoreUnknown });
    if (isIgnored) return { value: inspection.value, issues: [] };
    if (inspection.issues.some(({ kind }) => kind === 'unknown')) this.#open.add(subject);
    return inspection;
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
    const place = path.map((step) => (typeof step === 'number' ? '[]' : `.${cut(step)}`)).join('');
    const key = `${name} ${root}${place} ${kind}`;
    // What is unknown leaves room for warnings.
    const limit = kind === 'unknown' ? maxTold / 2 : maxTold;
    if (this.#told.has(key) || this.#told.size >= limit) return;
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
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${cut(step)}`)).join('');
  return `${root}${steps}: ${message}`;
}

/** Names come from a peer, too. */
function cut(name: string): string {
  return name.length > maxName ? `${name.slice(0, maxName)}...` : name;
}
