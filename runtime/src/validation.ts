/** What a connection does with its validators: refuses arguments before they are sent, and tells what does not fit of what comes. */

import { ArgumentsError, ResultError } from './errors.js';
import { compiled } from './compile.js';
import { inspect, isFailure, type Direction, type Inspection, type Issue, type Remark } from './inspect.js';
import { toWire, type Json, type Wire } from './json.js';
import type { Log } from './log.js';
import { holdsNumbers, type Type } from './schema.js';
import type { Settled } from './session.js';
import { shortened } from './text.js';
import { enumeration, passes, struct, type AnyValidators, type CommandValidators } from './validator.js';

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
const isValidation = /* @__PURE__ */ struct<Validation>(() => ({
  'arguments?': 'bool',
  'results?': enumeration({ throw: 'throw', warn: 'warn', ignore: 'ignore' }),
  'remarks?': [enumeration({ deprecated: 'deprecated', unstable: 'unstable', conditional: 'conditional' })],
}));

/**
 * @param base what an object leaves out
 * @throws TypeError for what is none of it: to be checked in another way than one thinks is worse than not at all
 */
export function validationOf(option: boolean | Validation | undefined, base: Validation = on): Validation {
  if (option === undefined) return base;
  if (typeof option === 'boolean') return option ? on : off;
  const issues = isValidation.issues(option);
  if (issues.length > 0) throw new TypeError(listed('validate', issues));
  // Undefined members are left out.
  const { arguments: args = base.arguments, results = base.results, remarks = base.remarks } = option;
  return { arguments: args, results, remarks };
}

/** What is told in an error; the others are counted. */
const maxListed = 10;
/** A hostile peer can think of any number of things to tell. */
const maxTold = 1000;
const maxName = 100;
/** Places that are alike in so many characters are told once. */
const maxPlace = 1000;

/** The checks of one connection. */
export class Checks {
  readonly #validators: AnyValidators | undefined;
  readonly #log: Log;
  readonly #options: readonly string[];
  readonly #told = new Set<string>();
  /** The commands and events that have had what the schema does not know: to look for it again costs as much as parsing. */
  readonly #open = new Set<string>();
  /** Those that contradict the schema again and again in what has been told, as an older server's do: they are not looked at any more. */
  readonly #known = new Set<string>();
  /** Whether large doubles in values of a type may look like integers. */
  readonly #mendable = new Map<Type, boolean>();

  /** @param options the names of a call's options, which programs may pass as arguments by mistake */
  constructor(validators: AnyValidators | undefined, log: Log, options: readonly string[] = []) {
    this.#validators = validators;
    this.#log = log;
    this.#options = options;
  }

  /** @returns the arguments as they are sent, after they have been checked; or else why they cannot be sent */
  arguments(
    command: string,
    args: object | undefined,
    validation: Validation,
  ): Wire | undefined | (() => ArgumentsError) {
    const validator = validation.arguments === false ? undefined : this.#commandOf(command)?.arguments;
    let wire: Wire | undefined;
    try {
      wire = args === undefined ? undefined : toWire(args, validator !== undefined);
    } catch (error) {
      // What is no JSON fits no schema either, and a validator says more of it.
      const failures = validator ? failuresOf(validator.issues(args), 'out') : [];
      const problem = error instanceof Error ? error.message : 'they cannot be read';
      const text = failures.length > 0 ? listed('arguments', failures) : `arguments: ${problem}`;
      return () => new ArgumentsError(command, text, failures, { cause: error });
    }
    const issues = validator?.issues(wire ? wire.value : {}, { remarks: validation.remarks }) ?? [];
    const failures = failuresOf(issues, 'out');
    if (failures.length > 0) {
      return () => new ArgumentsError(command, `${listed('arguments', failures)}${this.#hint(failures)}`, failures);
    }
    this.#tellAll({ command }, 'arguments', issues);
    return wire;
  }

  #hint(failures: readonly Issue[]): string {
    const misplaced = failures.find(({ kind, path }) => {
      const [name] = path;
      return kind === 'unknown' && path.length === 1 && typeof name === 'string' && this.#options.includes(name);
    });
    return misplaced ? `\n'${misplaced.path[0]}' is an option of the call: pass options after the arguments` : '';
  }

  /** @returns the outcome, or what it becomes */
  result(command: string, outcome: Settled, { results = 'warn' }: Validation): Settled {
    const type = this.#commandOf(command)?.result.type;
    if ('failure' in outcome || !type) return outcome;
    const { value, issues } = this.#inspect(command, type, outcome.result, results);
    const result = value as Json;
    if (issues.length === 0) return { result };
    const failures = results === 'throw' ? failuresOf(issues, 'in') : [];
    this.#tellAll(
      { command },
      'result',
      issues.filter((issue) => !failures.includes(issue)),
    );
    if (failures.length === 0) return { result };
    return { failure: () => new ResultError(command, listed('result', failures), result, failures) };
  }

  event(name: string, data: Json | undefined, { results = 'warn' }: Validation): void {
    const events = this.#validators?.events;
    const type = events && Object.hasOwn(events, name) ? events[name]?.type : undefined;
    if (!type) return;
    // Data are an object: what is mended is inside.
    const { issues } = this.#inspect(name, type, data ?? {}, results);
    this.#tellAll({ event: name }, 'data', issues);
  }

  /** Doubles are mended in any case: the types promise numbers. */
  #inspect(subject: string, type: Type, value: unknown, results: Validation['results']): Inspection {
    const isIgnored = results === 'ignore' || (results === 'warn' && this.#known.has(subject));
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

  #tellAll(subject: Subject, root: string, issues: readonly Issue[]): void {
    const news = issues.filter((issue) => this.#tell(subject, root, issue));
    if (issues.length > 0 && news.length === 0 && root !== 'arguments') this.#known.add(nameOf(subject));
  }

  /** @returns whether it is new */
  #tell(subject: Subject, root: string, issue: Issue): boolean {
    const { kind, path, message } = issue;
    const name = nameOf(subject);
    // Of a list of a thousand, each element may have the same.
    const place = path.map((step) => (typeof step === 'number' ? '[]' : `.${cut(step)}`)).join('');
    const key = shortened(`${name} ${kind} ${root}${place}`, maxPlace);
    // What is unknown leaves room for warnings.
    const limit = kind === 'unknown' ? maxTold / 2 : maxTold;
    if (this.#told.has(key) || this.#told.size >= limit) return false;
    this.#told.add(key);
    const level = kind === 'unknown' ? 'info' : 'warn';
    const isOfCommand = root === 'arguments' && path.length === 0;
    this.#log({ level, message: `${name}: ${isOfCommand ? message : placed(root, issue)}`, issue, ...subject });
    return true;
  }
}

type Subject = { readonly command: string } | { readonly event: string };

function nameOf(subject: Subject): string {
  return 'command' in subject ? subject.command : subject.event;
}

function failuresOf(issues: readonly Issue[], direction: Direction): Issue[] {
  return issues.filter((issue) => isFailure(issue, direction));
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

/** Names come from a peer, too, and need not be QAPI's. */
function cut(name: string): string {
  const short = shortened(name, maxName);
  return /^[\w.-]+$/u.test(short) ? short : JSON.stringify(short);
}
