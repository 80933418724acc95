/** Validates options and other parameters, so that a mistake throws a TypeError at the call. */

import { describeValue } from './inspect.js';
import { isObject } from './json.js';
import { didYouMean } from './suggest.js';

/** Returns a description of the expected value if the value is invalid. */
export type OptionCheck = (value: unknown) => string | undefined;

/** A check for each option. */
export type OptionChecks<T> = { readonly [N in keyof T]-?: OptionCheck };

/** The longest timeout that Node's timers accept; longer ones fire immediately. */
const longestTimer = 2 ** 31 - 1;

export const aBoolean = /* @__PURE__ */ ofType('boolean');
export const aFunction = /* @__PURE__ */ ofType('function');
export const aString = /* @__PURE__ */ ofType('string');

export const aName: OptionCheck = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'non-empty string';

export const anObject: OptionCheck = (value) => (isObject(value) ? undefined : 'object');

export const strings: OptionCheck = (value) =>
  Array.isArray(value) && value.every((element) => typeof element === 'string') ? undefined : 'array of strings';

/** Accepts any value. For options that are validated elsewhere. */
export const anything: OptionCheck = () => undefined;

/** A time limit; `Infinity` means none. */
export const aDuration: OptionCheck = (value) =>
  typeof value === 'number' && value >= 0 && (value <= longestTimer || value === Infinity)
    ? undefined
    : `milliseconds from 0 to ${longestTimer}, or Infinity`;

/** A delay between attempts, which must not be zero. */
export const aDelay: OptionCheck = (value) =>
  typeof value === 'number' && value >= 1 && value <= longestTimer
    ? undefined
    : `milliseconds from 1 to ${longestTimer}`;

export const anAbortSignal: OptionCheck = (value) => {
  const { aborted, addEventListener, removeEventListener } = (value ?? {}) as Partial<AbortSignal>;
  const isSignal =
    typeof aborted === 'boolean' && typeof addEventListener === 'function' && typeof removeEventListener === 'function';
  return isSignal ? undefined : 'AbortSignal';
};

/* @__NO_SIDE_EFFECTS__ */
export function integer(min: number, max: number): OptionCheck {
  return (value) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? undefined
      : `integer from ${min} to ${max}`;
}

/* @__NO_SIDE_EFFECTS__ */
export function oneOf(...values: readonly string[]): OptionCheck {
  return (value) =>
    values.includes(value as string) ? undefined : `one of ${values.map((one) => `'${one}'`).join(', ')}`;
}

/**
 * Copies the defined options. Reads each once.
 *
 * @param place the prefix for options inside another option, such as `reconnect.`
 * @throws TypeError for an unknown option or an invalid value
 */
export function optionsOf<T extends object>(given: unknown, checks: OptionChecks<T>, place = ''): T {
  const options: Record<string, unknown> = {};
  if (given === undefined) return options as T;
  checkNames(given, checks, place);
  // Iterate over the known options rather than the own properties: options may be inherited, or getters of a class.
  for (const name in checks) {
    const value = given[name];
    if (value === undefined) continue;
    checkParameter(`${place}${name}`, value, checks[name]);
    options[name] = value;
  }
  return options as T;
}

/** @throws TypeError if the options are not an object, or one of them is unknown */
export function checkNames<T extends object>(
  given: unknown,
  checks: OptionChecks<T>,
  place = '',
): asserts given is Readonly<Record<string, unknown>> {
  if (!isObject(given)) throw mistake(place === '' ? 'options' : place.slice(0, -1), 'object', given);
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(checks, name) || given[name] === undefined) continue;
    const known = Object.keys(checks);
    const hint = didYouMean(name, known) || `; known options are ${known.join(', ')}`;
    throw new TypeError(`${place}${name}: unknown option${hint}`);
  }
}

/** @throws TypeError for an invalid value */
export function checkParameter(name: string, value: unknown, check: OptionCheck): void {
  const expected = check(value);
  if (expected !== undefined) throw mistake(name, expected, value);
}

/** Creates an error like `timeout: expected milliseconds, found string '5'`. */
export function mistake(name: string, expected: string, value: unknown, hint = ''): TypeError {
  const error = new TypeError(`${name}: expected ${expected}, found ${describeValue(value)}${hint}`);
  // A stack trace has ten frames. Leave them to the caller.
  Error.captureStackTrace(error, mistake);
  return error;
}

function ofType(type: 'boolean' | 'function' | 'string'): OptionCheck {
  return (value) => (typeof value === type ? undefined : type);
}
