/**
 * Finds every violation of a type in a value, where QEMU's input visitor stops at the first. A value to send must match
 * the schema exactly. In a received value, unknown members and enum values are issues of a separate kind, because QMP
 * requires clients to accept them. QEMU's manual: "QEMU Machine Protocol Specification", "Compatibility
 * Considerations".
 */

import { hidden, holdsCredential, isSecretMember } from './credentials.js';
import { classOf, inheritedNames, kindOfObject, limits, maxDepthInMessage, type JsonKind } from './json.js';
import { shortened } from './text.js';
import { visible } from './visible.js';

/** Reasons to warn about the use of a known part of the schema. */
export type Remark = 'deprecated' | 'unstable' | 'conditional';

/** A finding about one place in a value. */
export interface Issue {
  /**
   * `mismatch`: the value contradicts the schema. `unknown`: the member or enum value is not in the schema. `version`:
   * it is in the schema, but not in the server's version of QEMU. The others are remarks: the schema has it, but it is
   * deprecated, unstable, or missing from some builds of QEMU.
   */
  readonly kind: 'mismatch' | 'unknown' | 'version' | Remark;
  /** The path from the value to the place, as member names and array indices: `['file', 'filename']`. */
  readonly path: readonly (string | number)[];
  /** What the schema requires: `string`, `integer from 0 to 255`, `one of 'on', 'off'`. */
  readonly expected: string;
  /** What the value has instead: `number 5`, `array`, `nothing`. Secrets are hidden. */
  readonly found: string;
  /** A human-readable description, safe to print: `expected string, found number 5`. */
  readonly message: string;
}

/** `out`: a value to send. `in`: a received value. */
export type Direction = 'in' | 'out';

/** Facts about a definition, member or enum value other than its type. */
export interface Notes {
  readonly deprecated?: true;
  readonly unstable?: true;
  /** The condition under which a build of QEMU has this part. */
  readonly if?: string;
  /** The versions that have this part, in code for a range of versions: `7.2..9.0, 11.0..`. */
  readonly in?: string;
}

/** A type, as the inspector sees it. */
export interface Inspectable {
  /** @param further whether an object may have members beyond those of the type */
  inspect(inspector: Inspector, value: unknown, further?: boolean): void;
}

export interface InspectOptions {
  readonly direction: Direction;
  /** Whether the object may have members beyond those of its type, like the arguments of some commands. */
  readonly further?: boolean | undefined;
  readonly remarks?: readonly Remark[] | undefined;
  /** Receives the notes on each part of the value that may have some. */
  readonly onNotes?: ((inspector: Inspector, notes: Notes, subject: string) => void) | undefined;
  /** The notes of the command or event itself. */
  readonly notes?: Notes | undefined;
  /** Whether to convert a `bigint` where the type has a `number`: on the wire, large doubles look like integers. */
  readonly mend?: boolean | undefined;
  /** Whether to ignore unknown members and enum values. */
  readonly ignoreUnknown?: boolean | undefined;
}

export interface Inspection {
  readonly issues: Issue[];
  /** The value, or its replacement. */
  readonly value: unknown;
}

/** The maximum number of issues of each kind. */
const maxIssues = 1000;
/** The number of characters of a value that are shown. */
const maxShown = 40;

/** Inspects a value. Never throws. */
export function inspect(type: Inspectable, value: unknown, options: InspectOptions): Inspection {
  const inspector = new Inspector(options, value);
  inspector.inspect(type);
  return inspector;
}

/** Returns whether an issue makes the value invalid. */
export function isFailure({ kind }: Issue, direction: Direction): boolean {
  return kind === 'mismatch' || (kind === 'unknown' && direction === 'out');
}

/**
 * The state of inspecting one value. Each class that implements `Type` inspects the values of its own types. Values
 * nest up to a thousand levels deep, so the recursion avoids callbacks, which would use more stack.
 */
export class Inspector {
  readonly issues: Issue[] = [];
  value: unknown;
  readonly #options: InspectOptions;
  readonly #counts = new Map<Issue['kind'], number>();
  /** The names and indices that lead to the current place. */
  readonly path: (string | number)[] = [];
  /** The objects and arrays on the path, outermost first. */
  readonly #holders: object[] = [];
  /** The number of tokens inspected. Without a limit, repeated objects could add up to any number. */
  #tokens = 1;

  constructor(options: InspectOptions, value: unknown) {
    this.#options = options;
    this.value = value;
  }

  inspect(type: Inspectable): void {
    this.remark(this.#options.notes);
    try {
      type.inspect(this, this.value, this.#options.further);
    } catch (error) {
      // A getter or proxy threw. The path leads to it.
      if (error !== tooMuch) this.add('mismatch', 'a readable value', 'a value that throws when read');
    }
  }

  /** Enters an object or array. Returns false and adds an issue for other kinds, cycles, and excessive depth. */
  enter(kind: 'array', value: unknown): value is readonly unknown[];
  enter(kind: 'object', value: unknown): value is Record<string, unknown>;
  enter(kind: 'array' | 'object', value: unknown): boolean {
    if (kindOf(value) !== kind) this.mismatch(kind, value);
    else if (this.#holders.includes(value as object)) this.add('mismatch', kind, `${kind} that contains itself`);
    else if (this.#holders.length === maxDepthInMessage)
      this.add('mismatch', kind, `${kind} that is nested too deeply`);
    else return this.#holders.push(value as object) > 0;
    return false;
  }

  /** Leaves an object or array. */
  leave(): void {
    this.#holders.pop();
  }

  get mends(): boolean {
    return this.#options.mend === true;
  }

  /** Replaces the current value. */
  replace(value: number): void {
    const step = this.path.at(-1);
    if (step === undefined) this.value = value;
    else (this.#holders.at(-1) as Record<string | number, unknown>)[step] = value;
  }

  /** @throws `tooMuch` when the tokens exceed the limit */
  spend(tokens: number): void {
    const limit = limits[this.#options.direction].tokens;
    this.#tokens += Math.max(tokens, 1);
    if (this.#tokens <= limit) return;
    // Report the issue for the whole value.
    this.path.length = 0;
    const hint = this.isOut ? ', which QEMU does not accept in one message' : '';
    this.add('mismatch', `at most ${limit} tokens of JSON`, 'more', hint);
    throw tooMuch;
  }

  get direction(): Direction {
    return this.#options.direction;
  }

  get isOut(): boolean {
    return this.#options.direction === 'out';
  }

  /** Returns whether to report more issues of a kind. */
  isWanted(kind: Issue['kind']): boolean {
    if (kind === 'unknown' && this.#options.ignoreUnknown) return false;
    return (this.#counts.get(kind) ?? 0) < maxIssues;
  }

  // Reporting

  /** @param hint advice for the author of the value */
  mismatch(expected: string, value: unknown, hint = ''): void {
    // Describing a value takes time.
    if (!this.isWanted('mismatch')) return;
    this.add('mismatch', expected, this.#found(value), this.isOut ? hint : '');
  }

  /** @param subject the part with these notes if it is not a member: `'io_uring' ` */
  remark(notes: Notes = {}, subject = ''): void {
    this.#options.onNotes?.(this, notes, subject);
    for (const remark of this.#options.remarks ?? []) {
      const isConditional = remark === 'conditional';
      if (isConditional ? notes.if === undefined : !notes[remark]) continue;
      const expected = isConditional ? 'something that every build has' : `nothing ${remark}`;
      this.issue(remark, expected, remark, isConditional ? `only where ${notes.if}` : remark);
    }
  }

  add(kind: Issue['kind'], expected: string, found: string, hint = ''): void {
    this.issue(kind, expected, found, `expected ${expected}, found ${found}${hint}`);
  }

  issue(kind: Issue['kind'], expected: string, found: string, message: string): void {
    if (!this.isWanted(kind)) return;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    this.issues.push({ kind, path: [...this.path], expected, found: visible(found), message: visible(message) });
  }

  /** Returns whether the current place is a member with a secret name, or an element of one. */
  #isSecret(): boolean {
    return isSecretMember(this.path.findLast((step) => typeof step === 'string'));
  }

  #found(value: unknown): string {
    const isHidden = typeof value !== 'object' && value !== undefined && this.#isSecret();
    return isHidden ? typeof value : describeValue(value);
  }
}

/** The placeholder for a member that throws when it is read. */
const unreadable = /* @__PURE__ */ new (class {
  readonly [Symbol.toStringTag] = 'a value that throws when read';
})();

/** Thrown to end an inspection. */
const tooMuch = /* @__PURE__ */ new Error('too many tokens');

/** Returns the kind of a value, followed by the value itself if it is a scalar. */
export function describeValue(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  return typeof value === 'object' ? (kindOf(value) ?? nameOf(value)) : display(value);
}

/** Formats a scalar with its type. Hides strings with credentials, and truncates long ones. */
export function display(value: unknown): string {
  if (typeof value === 'function' || typeof value === 'symbol') return typeof value;
  const text = `${value as string | number | boolean | bigint}`;
  const short = holdsCredential(text) ? hidden : shortened(text, maxShown);
  return typeof value === 'string' ? `string '${short}'` : `${typeof value} ${short}`;
}

/** Returns undefined if the value is not JSON. */
export function kindOf(value: unknown): JsonKind | undefined {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value as JsonKind;
    case 'bigint':
      return 'number';
    case 'object':
      return value === null ? 'null' : kindOfObject(value);
    default:
      return undefined;
  }
}

/** Returns the class name of an object that is not JSON. */
function nameOf(value: object): string {
  const name = classOf(value).slice(0, maxShown);
  return name === 'Object' ? 'an object with a misleading Symbol.toStringTag' : name;
}

/** Returns the value of a member, or a placeholder if its getter throws. */
export function read(object: object, name: string): unknown {
  try {
    return (object as Record<string, unknown>)[name];
  } catch {
    return unreadable;
  }
}

export function own(object: object, name: string): unknown {
  return Object.hasOwn(object, name) ? read(object, name) : undefined;
}

/** Returns `object.name`, ignoring members inherited from `Object.prototype`. */
export function readingOf(object: object, name: string): unknown {
  return inheritedNames.has(name) ? own(object, name) : read(object, name);
}
