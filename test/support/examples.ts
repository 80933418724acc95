/**
 * Reads the examples in QEMU's documentation, and validates their messages.
 *
 * Examples are read as a person would read them: `...` may replace any members or elements, so nothing in the object or
 * array around it counts as missing.
 */

import type { Schema } from '../../generator/src/model.js';

interface Issue {
  readonly kind: string;
  readonly path: readonly (string | number)[];
  readonly message: string;
}

interface Validator {
  (value: unknown): boolean;
  issues(value: unknown): readonly Issue[];
}

/** Validators as exported by a generated package. */
export interface Validators {
  readonly commands: Readonly<Record<string, { readonly arguments: Validator; readonly result: Validator }>>;
  readonly events: Readonly<Record<string, Validator>>;
}

type JsonObject = Readonly<Record<string, unknown>>;

export interface Counts {
  readonly examples: number;
  readonly commands: number;
  readonly results: number;
  readonly errors: number;
  readonly events: number;
  /** All other messages. */
  readonly others: number;
}

/** Checks the examples of a schema. */
export class ExampleChecker {
  readonly #counts = { examples: 0, commands: 0, results: 0, errors: 0, events: 0, others: 0 };
  /** The definition that the example belongs to. */
  #definition = '';
  /** The command that a reply belongs to: the last one, or else the definition itself. */
  #command: string | undefined;
  #elided: Example['elided'] = new Set();

  constructor(
    private readonly validators: Validators,
    /** Receives the problems that are found. */
    private readonly problems: Set<string>,
  ) {}

  check({ definitions }: Schema): Counts {
    for (const { name, kind, doc } of definitions.values()) {
      this.#definition = name;
      for (const { text } of doc?.examples ?? []) {
        this.#counts.examples += 1;
        this.#command = kind === 'command' ? name : undefined;
        const { messages, elided, mistakes: syntax } = readExample(text);
        for (const mistake of syntax) this.#problem(mistake);
        this.#elided = elided;
        for (const message of messages) this.#message(message);
      }
    }
    return this.#counts;
  }

  #message({ arrow, value }: ExampleMessage): void {
    const message = value as JsonObject;
    const command = message['execute'] ?? message['exec-oob'];
    if (arrow !== undefined && arrow !== (command === undefined ? '<-' : '->')) this.#problem('an arrow is wrong');
    if (typeof command === 'string') this.#commandMessage(command, message);
    else if (typeof message['event'] === 'string') this.#event(message['event'], message);
    else if (message['return'] !== undefined) this.#result(message);
    else if (message['error'] !== undefined) this.#error(message);
    else {
      this.#counts.others += 1;
      this.#problem('a message is neither a command, nor a reply, nor an event');
    }
  }

  #commandMessage(command: string, message: JsonObject): void {
    this.#counts.commands += 1;
    this.#command = command;
    this.#nothingBut(['execute', 'exec-oob', 'arguments', 'id'], message);
    const { arguments: args = {} } = message;
    this.#validate(`${command}.arguments`, this.validators.commands[command]?.arguments, args, ['mismatch', 'unknown']);
  }

  #result(message: JsonObject): void {
    this.#counts.results += 1;
    this.#nothingBut(['return', 'id'], message);
    const validator = this.validators.commands[this.#command ?? '']?.result;
    this.#validate(`${this.#command}.return`, validator, message['return'], ['mismatch']);
  }

  #error(message: JsonObject): void {
    this.#counts.errors += 1;
    this.#nothingBut(['error', 'id'], message);
    if (!isOf({ class: 'string', desc: 'string' }, message['error'])) this.#problem('an error is invalid');
  }

  #event(event: string, message: JsonObject): void {
    this.#counts.events += 1;
    this.#nothingBut(['event', 'data', 'timestamp'], message);
    const { data = {}, timestamp } = message;
    this.#validate(`${event}.data`, this.validators.events[event], data, ['mismatch']);
    if (!isOf({ seconds: 'number', microseconds: 'number' }, timestamp)) this.#problem('a timestamp is invalid');
  }

  #nothingBut(names: readonly string[], message: JsonObject): void {
    for (const name of Object.keys(message)) if (!names.includes(name)) this.#problem(`a message has '${name}'`);
  }

  /** @param kinds the kinds of issues that make the value invalid */
  #validate(what: string, validator: Validator | undefined, value: unknown, kinds: readonly string[]): void {
    if (!validator) {
      this.#problem('it is not in the schema', what);
      return;
    }
    const issues = validator.issues(value).filter(({ kind }) => kinds.includes(kind));
    if (validator(value) !== (issues.length === 0)) this.#problem('the validator and its issues disagree', what);
    for (const { path, message } of issues) {
      const holder = path.slice(0, -1).reduce((at: unknown, step) => (at as JsonObject)[step], value);
      const last = path.at(-1);
      if (typeof last !== 'string' || Object.hasOwn(holder as object, last)) {
        this.#problem(message, what, path);
      } else if (!this.#elided.has(holder)) {
        this.#problem(`${last} is missing`, what, path.slice(0, -1));
      }
    }
  }

  /** @param what a part of a message */
  #problem(problem: string, what = this.#definition, path: Issue['path'] = []): void {
    const example = what.split('.')[0] === this.#definition ? '' : `${this.#definition}, `;
    // All elements of an array tend to have the same problems.
    const place = path.map((step) => (typeof step === 'number' ? '[]' : `.${step}`)).join('');
    this.problems.add(`${example}${what}${place}: ${problem}`);
  }
}

/** @param types the `typeof` of each member */
function isOf(types: Readonly<Record<string, string>>, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const entries = Object.entries(value);
  return (
    entries.length === Object.keys(types).length && entries.every(([name, member]) => typeof member === types[name])
  );
}

export interface ExampleMessage {
  /** Undefined if the example has no arrow before the message. */
  readonly arrow: '->' | '<-' | undefined;
  /** The value as a client would receive it: an integer that a number cannot represent exactly is a `bigint`. */
  readonly value: unknown;
}

export interface Example {
  readonly messages: readonly ExampleMessage[];
  /** The objects and arrays that contain `...`. */
  readonly elided: ReadonlySet<unknown>;
  /** Violations of JSON's syntax, each kind once. A message is omitted only if its meaning is unclear. */
  readonly mistakes: ReadonlySet<string>;
}

/** Parses an example. Lines between messages are prose, unless they look like part of a message, which is a mistake. */
export function readExample(text: string): Example {
  const reader = new Reader(text);
  const messages: ExampleMessage[] = [];
  while (!reader.isAtEnd) {
    const begin = reader.take(/\s*(?:(->|<-)|(?=\{))/uy);
    if (begin) {
      const arrow = begin[1] as ExampleMessage['arrow'];
      const message = reader.message();
      if (message) messages.push({ arrow, value: message.value });
    } else if (/["{}]|^\s*[\],]/u.test(reader.line())) {
      reader.mistakes.add('part of a message is outside its braces');
    }
  }
  return { messages, elided: reader.elided, mistakes: reader.mistakes };
}

/** Replaces a value that is omitted. */
const elision = Symbol('...');

class Reader {
  readonly elided = new Set<unknown>();
  readonly mistakes = new Set<string>();
  #at = 0;

  constructor(private readonly text: string) {}

  get isAtEnd(): boolean {
    return this.#at === this.text.length;
  }

  /** @param pattern a sticky pattern */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text) ?? undefined;
    this.#at += match?.[0].length ?? 0;
    return match;
  }

  line(): string {
    return this.take(/[^\n]*\n?/uy)?.[0] ?? '';
  }

  /** @returns undefined if the message cannot be parsed, after skipping everything until the next arrow */
  message(): { value: unknown } | undefined {
    try {
      return { value: this.#value() };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.mistakes.add(error.message);
      this.take(/(?:[^\n]*\n(?!\s*(?:->|<-)))*[^\n]*\n?/uy);
      return undefined;
    }
  }

  #value(): unknown {
    if (this.#elides()) return elision;
    if (this.#takes(/\{/uy)) return this.#object();
    if (this.#takes(/\[/uy)) return this.#array();
    const string = this.#string();
    if (string !== undefined) return string;
    const word = this.#takes(/[^\s"{}[\],:]+/uy) ?? this.#fail('a value');
    if (word === 'true' || word === 'false' || word === 'null') return JSON.parse(word);
    if (!/^-?\d+(?:\.\d+)?$/u.test(word)) throw new SyntaxError(`expected a value, found '${word}'`);
    const number = Number(word);
    return Number.isInteger(number) && !Number.isSafeInteger(number) ? BigInt(word) : number;
  }

  #object(): unknown {
    const object: Record<string, unknown> = {};
    this.#entries('}', () => {
      const name = this.#elides() ? elision : (this.#string() ?? this.#fail('the name of a member'));
      if (name !== elision && !this.#takes(/:/uy)) this.#fail(`':' after '${name}'`);
      const value = name === elision ? elision : this.#value();
      if (name === elision || value === elision) this.elided.add(object);
      else object[name] = value;
    });
    return object;
  }

  #array(): unknown {
    const array: unknown[] = [];
    this.#entries(']', () => {
      const value = this.#value();
      // `{...}` and `[...]` also mean further elements.
      const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
      if (value === elision || (isEmpty && this.elided.has(value))) this.elided.add(array);
      else array.push(value);
    });
    return array;
  }

  #entries(end: '}' | ']', readEntry: () => void): void {
    let comma: string | undefined = 'none before the first';
    while (this.#takes(/(?=[}\]]|->|<-|$)/uy) === undefined) {
      if (comma === undefined) this.mistakes.add(`a ',' is missing`);
      readEntry();
      comma = this.#takes(/,/uy);
    }
    if (comma === ',') this.mistakes.add(`there is an extra ','`);
    if (this.#takes(end === '}' ? /\}/uy : /\]/uy) === undefined) this.mistakes.add(`a '${end}' is missing`);
  }

  #elides(): boolean {
    return this.#takes(/\.\.\.(?:[^"{}[\]]*\.\.\.)?/uy) !== undefined;
  }

  #string(): string | undefined {
    const single = this.#takes(/'[^'"\\\n]*'/uy);
    if (single !== undefined) {
      this.mistakes.add(`strings are in single quotes`);
      return single.slice(1, -1);
    }
    const double = this.#takes(/"(?:[^"\\\n]|\\.)*"/uy);
    return double === undefined ? undefined : (JSON.parse(double) as string);
  }

  #takes(pattern: RegExp): string | undefined {
    this.take(/\s*/uy);
    return this.take(pattern)?.[0];
  }

  #fail(expected: string): never {
    const found = this.take(/\S/uy)?.[0];
    throw new SyntaxError(`expected ${expected}, found ${found === undefined ? 'the end' : `'${found}'`}`);
  }
}
