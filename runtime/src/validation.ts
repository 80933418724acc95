/**
 * Validates a connection's messages: rejects invalid arguments before they are sent, and reports invalid results and
 * events.
 */

import { ArgumentsError, CommandError, ResultError } from './errors.js';
import { compiled } from './compile.js';
import { inspect, isFailure, type Direction, type Inspection, type Issue, type Remark } from './inspect.js';
import { toWire, type Json, type Wire } from './json.js';
import type { Log } from './log.js';
import { BuiltinType } from './schema.js';
import type { Settled } from './session.js';
import { shortened } from './text.js';
import type { Type } from './type.js';
import { enumeration, passes, struct, type AnyValidators, type UsedCommand } from './validator.js';
import { codeVersions, type ServerValidators, type Versioned } from './version.js';

/** How to validate arguments, results and events against the schema. */
export interface Validation {
  /** Whether to validate arguments before they are sent; true by default. Invalid arguments cause an ArgumentsError. */
  arguments?: boolean | undefined;
  /**
   * What to do with a result that contradicts the schema. `warn` (the default) returns it and logs a warning, once for
   * each connection and place. `throw` rejects the call with a ResultError, which holds the result. `ignore` disables
   * validation of results and events. Events are always delivered. Unknown members and enum values do not contradict
   * the schema; they are logged at level `info`, for the first result of each command, and the first event of each
   * name, that has any. Doubles that look like integers are always converted to numbers.
   */
  results?: 'throw' | 'warn' | 'ignore' | undefined;
  /**
   * Logs a warning when a call uses a command, argument or enum value that is deprecated, unstable, or only in some
   * builds of QEMU.
   */
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
 * @param base the defaults for missing members
 * @throws TypeError for anything else: silently validating in an unintended way would be worse than failing
 */
export function validationOf(option: boolean | Validation | undefined, base: Validation = on): Validation {
  if (option === undefined) return base;
  if (typeof option === 'boolean') return option ? on : off;
  const issues = isValidation.issues(option);
  if (issues.length > 0) throw new TypeError(listed('validate', issues));
  // Undefined members count as missing.
  const { arguments: args = base.arguments, results = base.results, remarks = base.remarks } = option;
  return { arguments: args, results, remarks };
}

/** The number of issues listed in an error. The others are counted. */
const maxListed = 10;
/** The maximum number of issues logged: a hostile peer can cause any number. */
const maxLogged = 1000;
const maxName = 100;
/** The number of characters by which places are compared. */
const maxPlace = 1000;

/** The part of a protocol that validation depends on. */
interface Validated extends Versioned {
  readonly validators?: AnyValidators;
}

/** The validation of one connection. */
export class Checks {
  readonly #protocol: Validated;
  /** In code for a range of versions, the validators for the server. */
  #ofServer: ServerValidators | undefined;
  /** The server's version, if it is known. */
  #version: string | undefined;
  /** What to add to an issue if the generated code is not for the server's version. */
  #versionHint: string | undefined;
  /** What the server's version should not have, for the error if the server rejects the arguments. */
  #explanations: WeakMap<Wire, string> | undefined;
  readonly #log: Log;
  readonly #options: readonly string[];
  readonly #logged = new Set<string>();
  /**
   * Commands and events that have had unknown members or values. These are ignored from then on: finding them again
   * costs as much as parsing.
   */
  readonly #open = new Set<string>();
  /** Commands and events whose issues have all been logged, as with an older server. They are no longer validated. */
  readonly #known = new Set<string>();
  /** Whether values of a type can contain large doubles that look like integers. */
  readonly #mendable = new Map<Type, boolean>();

  /** @param options the names of a call's options, which programs may pass as arguments by mistake */
  constructor(protocol: Validated, log: Log, options: readonly string[] = []) {
    this.#protocol = protocol;
    this.#log = log;
    this.#options = options;
  }

  /**
   * Judges by the server's version from now on.
   *
   * @param version undefined if it is not known
   */
  judgeBy(version: string | undefined): void {
    const { validators, versions } = this.#protocol;
    const code = codeVersions(this.#protocol);
    const isCovered = !code || version === undefined || code.covers(version);
    this.#versionHint = isCovered ? undefined : `the code is for QEMU ${code.text}, this server is ${version}`;
    if (!versions || !validators || version === this.#version) return;
    this.#version = version;
    this.#ofServer = versions.validators(validators, version);
    // Issues of another version are new.
    this.#known.clear();
    this.#open.clear();
  }

  /** Returns why the server lacks a command, or undefined if every version of a range has it. */
  lack(command: string): string | undefined {
    const absence = this.#absence(command);
    const isOptional = this.#commandOf(command)?.arguments.notes?.in !== undefined;
    if (!isOptional) return undefined;
    return `the server does not have this command${absence === undefined ? '' : ` (it ${absence})`}`;
  }

  /** Returns why the server may reject arguments that were validated. */
  explanationOf(wire: Wire | undefined): string | undefined {
    return wire && this.#explanations?.get(wire);
  }

  #absence(command: string): string | undefined {
    const notes = this.#commandOf(command)?.arguments.notes;
    return notes && this.#protocol.versions?.absence(notes, this.#version);
  }

  /**
   * Validates arguments.
   *
   * @returns the arguments in wire format, or a function that creates the error
   */
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
      // Prefer the validator's issues: a value that is not JSON violates any schema, and they are more precise.
      const failures = validator ? failuresOf(validator.issues(args), 'out') : [];
      const problem = error instanceof Error ? error.message : 'they cannot be read';
      const text = failures.length > 0 ? listed('arguments', failures) : `arguments: ${problem}`;
      return argumentsError(command, text, failures, { cause: error });
    }
    const issues = validator?.issues(wire ? wire.value : {}, { remarks: validation.remarks });
    if (!issues || issues.length === 0) return wire;
    const failures = failuresOf(issues, 'out');
    if (failures.length > 0) {
      return argumentsError(command, `${listed('arguments', failures)}${this.#hint(failures)}`, failures);
    }
    const absences = issues.filter(({ kind }) => kind === 'version');
    if (wire && absences.length > 0) {
      this.#explanations ??= new WeakMap();
      this.#explanations.set(wire, listed('arguments', absences).replaceAll('\n', '; '));
    }
    this.#logAll({ command }, 'arguments', issues);
    return wire;
  }

  #hint(failures: readonly Issue[]): string {
    const misplaced = failures.find(({ kind, path }) => {
      const [name] = path;
      return kind === 'unknown' && path.length === 1 && typeof name === 'string' && this.#options.includes(name);
    });
    return misplaced ? `\n'${misplaced.path[0]}' is an option of the call: pass options after the arguments` : '';
  }

  /**
   * Validates a result.
   *
   * @param explanation why the server may reject the arguments
   * @returns the outcome, possibly changed to a failure
   */
  result(command: string, outcome: Settled, { results = 'warn' }: Validation, explanation?: string): Settled {
    if ('failure' in outcome) return this.#explained(command, outcome, explanation);
    const type = this.#commandOf(command)?.result.type;
    if (!type) return outcome;
    const { value, issues } = this.#inspect(command, type, outcome.result, results);
    const result = value as Json;
    if (issues.length === 0) return { result };
    const failures = results === 'throw' ? failuresOf(issues, 'in') : [];
    this.#logAll(
      { command },
      'result',
      issues.filter((issue) => !failures.includes(issue)),
    );
    if (failures.length === 0) return { result };
    return { failure: resultError(command, result, failures) };
  }

  /** Adds to the error of a command why a server of its version may have rejected it. */
  #explained(command: string, failed: Settled & { failure: () => Error }, explanation?: string): Settled {
    if (this.#versionHint === undefined && !this.#protocol.versions) return failed;
    return {
      failure: () => {
        const error = failed.failure();
        if (!(error instanceof CommandError)) return error;
        const isUnknown = error.errorClass === 'CommandNotFound' && this.#commandOf(command) !== undefined;
        const absence = isUnknown ? this.#absence(command) : undefined;
        const whole = absence === undefined ? isUnknown && this.#versionHint : `the command ${absence}`;
        const reasons = [whole, explanation].filter((reason) => typeof reason === 'string');
        return reasons.length === 0
          ? error
          : new CommandError(command, error.errorClass, error.desc, reasons.join('; '));
      },
    };
  }

  event(name: string, data: Json | undefined, { results = 'warn' }: Validation): void {
    const type = this.#ofServer ? this.#ofServer.event(name) : valueOf(this.#protocol.validators?.events, name)?.type;
    if (!type) return;
    // Event data is an object, so replaced numbers are inside it.
    const { issues } = this.#inspect(name, type, data ?? {}, results);
    this.#logAll({ event: name }, 'data', issues);
  }

  /** Replaces large integers with doubles even if validation is off: the types promise numbers. */
  #inspect(subject: string, type: Type, value: unknown, results: Validation['results']): Inspection {
    const isIgnored = results === 'ignore' || (results === 'warn' && this.#known.has(subject));
    if (isIgnored && !this.#isMendable(type)) return { value, issues: [] };
    const ignoreUnknown = isIgnored || this.#open.has(subject);
    if (passes(compiled(type, ignoreUnknown ? 'open' : 'in'), value, 'in')) return { value, issues: [] };
    const inspection = inspect(type, value, { direction: 'in', mend: true, ignoreUnknown });
    if (isIgnored) return { value: inspection.value, issues: [] };
    if (inspection.issues.some(({ kind }) => kind === 'unknown')) this.#open.add(subject);
    return { ...inspection, issues: inspection.issues.map((issue) => this.#withVersions(issue)) };
  }

  /** Adds the versions to the issue of a missing member. */
  #withVersions(issue: Issue): Issue {
    if (issue.found !== 'nothing' || this.#versionHint === undefined) return issue;
    return { ...issue, message: `${issue.message}; ${this.#versionHint}` };
  }

  #isMendable(type: Type): boolean {
    const isMendable = this.#mendable.get(type) ?? holdsNumbers(type);
    this.#mendable.set(type, isMendable);
    return isMendable;
  }

  #commandOf(name: string): UsedCommand | undefined {
    return this.#ofServer ? this.#ofServer.command(name) : valueOf(this.#protocol.validators?.commands, name);
  }

  #logAll(subject: Subject, root: string, issues: readonly Issue[]): void {
    const news = issues.filter((issue) => this.#logNew(subject, root, issue));
    if (issues.length > 0 && news.length === 0 && root !== 'arguments') this.#known.add(nameOf(subject));
  }

  /**
   * Logs an issue unless a similar one was logged.
   *
   * @returns whether it was new
   */
  #logNew(subject: Subject, root: string, issue: Issue): boolean {
    const { kind, path, message } = issue;
    const name = nameOf(subject);
    // In an array, each element may have the same issue.
    const place = path.map((step) => (typeof step === 'number' ? '[]' : `.${cut(step)}`)).join('');
    const key = shortened(`${name} ${kind} ${root}${place}`, maxPlace);
    // Unknown members and values must leave room for warnings.
    const limit = kind === 'unknown' ? maxLogged / 2 : maxLogged;
    if (this.#logged.has(key) || this.#logged.size >= limit) return false;
    this.#logged.add(key);
    const level = kind === 'unknown' || kind === 'version' ? 'info' : 'warn';
    const isOfCommand = root === 'arguments' && path.length === 0;
    this.#log({ level, message: `${name}: ${isOfCommand ? message : placed(root, issue)}`, issue, ...subject });
    return true;
  }
}

type Subject = { readonly command: string } | { readonly event: string };

function valueOf<V>(values: Readonly<Record<string, V>> | undefined, name: string): V | undefined {
  return values && Object.hasOwn(values, name) ? values[name] : undefined;
}

function nameOf(subject: Subject): string {
  return 'command' in subject ? subject.command : subject.event;
}

/** Returns whether values of the type can contain a `number` at any depth. */
function holdsNumbers(type: Type, seen: Set<Type> = new Set()): boolean {
  if (seen.has(type)) return false;
  seen.add(type);
  const isNumber = type instanceof BuiltinType && type.name === 'number';
  return isNumber || [...type.parts].some((part) => holdsNumbers(part, seen));
}

/** A separate function because a closure in `Checks.arguments` would cost memory on each call, even if it is not created. */
function argumentsError(
  command: string,
  text: string,
  failures: readonly Issue[],
  options?: ErrorOptions,
): () => ArgumentsError {
  return () => new ArgumentsError(command, text, failures, options);
}

/** A separate function for the same reason. */
function resultError(command: string, result: Json, failures: readonly Issue[]): () => ResultError {
  return () => new ResultError(command, listed('result', failures), result, failures);
}

function failuresOf(issues: readonly Issue[], direction: Direction): Issue[] {
  return issues.filter((issue) => isFailure(issue, direction));
}

/** Lists the issues, or the first of many. */
function listed(root: string, issues: readonly Issue[]): string {
  const lines = issues.slice(0, maxListed).map((issue) => placed(root, issue));
  if (issues.length > maxListed) lines.push(`and ${issues.length - maxListed} more`);
  return lines.join('\n');
}

/** Formats an issue: `arguments.file.filename: expected string, found number 5`. */
function placed(root: string, { path, message }: Issue): string {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${cut(step)}`)).join('');
  return `${root}${steps}: ${message}`;
}

/** Names may come from a peer, so they need not be valid QAPI names. */
function cut(name: string): string {
  const short = shortened(name, maxName);
  return /^[\w.-]+$/u.test(short) ? short : JSON.stringify(short);
}
