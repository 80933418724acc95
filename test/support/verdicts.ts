/** Compares compiled checks, inspections, and the text that is sent to a server. */

import { expect } from 'vitest';

import { compiled } from '../../runtime/src/compile.js';
import { inspect, isFailure, type Direction } from '../../runtime/src/inspect.js';
import { parse, stringify, toWire, type Wire } from '../../runtime/src/json.js';
import { passes, type Validator } from '../../runtime/src/validator.js';
import { OddValues, oddTypes, randomOf, validators, type OddType } from './odd.js';

function fits({ type }: Validator<unknown>, value: unknown, direction: Direction): boolean {
  return !inspect(type, value, { direction }).issues.some((issue) => isFailure(issue, direction));
}

function wireOf(value: unknown): Wire | undefined {
  try {
    return toWire(value, true);
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return undefined;
  }
}

/** @returns what is sent, after verifying that it is what was validated; undefined if nothing is sent */
function sentOf(validator: Validator<unknown>, value: unknown): { wire: Wire; isFit: boolean } | undefined {
  const wire = wireOf(value);
  if (!wire) return undefined;
  const isFit = validator(wire.value);
  expect(fits(validator, wire.value, 'out')).toBe(isFit);
  expect(stringify(wire.value)).toBe(wire.text);
  const received = parse(wire.text);
  expect(stringify(received)).toBe(wire.text);
  if (isFit) expect(validator(received)).toBe(true);
  return { wire, isFit };
}

function lacksMembersOnly(validator: Validator<unknown>, value: unknown): boolean {
  const failures = validator.issues(value).filter((issue) => isFailure(issue, 'out'));
  return failures.length > 0 && failures.every(({ found }) => found === 'nothing');
}

function typeOf(seed: number): OddType {
  return oddTypes[seed % oddTypes.length] as OddType;
}

/** Verifies that all ways to validate the value of a seed agree, and agree with a server that receives what is sent. */
export function verdictsAgree(seed: number): { isFit: boolean; isFast: boolean } {
  const name = typeOf(seed);
  const value = (): unknown => new OddValues(randomOf(seed), true).value(name);
  const counted = { isFit: false, isFast: false };
  for (const [part, direction] of [['arguments', 'out'] as const, ['result', 'in'] as const]) {
    const title = `QAPI_TS_SEED=${seed}, a ${name}, ${direction}`;
    const validator: Validator<unknown> = validators[name][part];
    const isFit = fits(validator, value(), direction);
    expect(validator(value()), title).toBe(isFit);
    const { issues } = inspect(validator.type, value(), { direction });
    expect(validator.issues(value()), title).toEqual(issues);
    expect(validator['~standard'].validate(value()).issues === undefined, title).toBe(isFit);
    const isFast = passes(compiled(validator.type, direction === 'out' ? 'out' : 'open'), value(), direction);
    if (isFast) expect(isFit, `${title}: the compiled check`).toBe(true);
    if (direction === 'in') continue;
    const sent = sentOf(validator, value());
    // A guard also finds members that are not enumerable, which are not sent.
    const isHidden = isFit && sent !== undefined && lacksMembersOnly(validator, sent.wire.value);
    expect(sent?.isFit ?? false, `${title}: what is sent`).toBe(isFit && !isHidden);
    Object.assign(counted, { isFit, isFast });
  }
  return counted;
}

/**
 * Verifies that a value that changes while it is read is sent as it was validated.
 *
 * @returns whether it was sent
 */
export function sendsWhatIsChecked(seed: number): boolean {
  const name = typeOf(seed);
  const value = new OddValues(randomOf(seed), false).value(name);
  const { arguments: validator, result } = validators[name];
  for (const one of [validator, result]) one['~standard'].validate(value);
  return sentOf(validator, value)?.isFit ?? false;
}
