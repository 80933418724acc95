/** Compares the values of types. */

import { builtins } from '../builtins.js';
import type { BuiltinName } from '../model.js';
import type { Side } from './change.js';
import { jsonKind, type PlainType } from './wire.js';

/**
 * How the values of a new type relate to those of the old one. `wider`: all old values and more. `narrower`: only some
 * of the old values. `different`: neither. `open`: any string instead of the values of an enum. `unsigned`: wider, but
 * negative numbers are now read as large positive ones. `gone`: no value at all.
 */
export type Fit = 'wider' | 'narrower' | 'different' | 'open' | 'unsigned' | 'gone';

/**
 * Compares two types that are not both objects, enums or arrays. Returns undefined if both have the same values.
 *
 * @param isExact whether the ranges of integers are known on both sides
 */
export function plainFit(old: PlainType, newer: PlainType, side: Side, isExact: boolean): Fit | undefined {
  const [oldKind, newKind] = [jsonKind(old), jsonKind(newer)];
  if (oldKind !== newKind) return newKind === 'any' ? 'wider' : oldKind === 'any' ? 'narrower' : 'different';
  if (old.kind === 'builtin' && newer.kind === 'builtin') {
    return old.name === newer.name ? undefined : numberFit(old.name, newer.name, side, isExact);
  }
  return old.kind === 'enum' ? 'open' : 'narrower';
}

function numberFit(old: BuiltinName, newer: BuiltinName, side: Side, isExact: boolean): Fit | undefined {
  const [oldRange, newRange] = [rangeOf(old, side), rangeOf(newer, side)];
  // `number` includes all integers.
  if (!oldRange || !newRange) return oldRange ? 'wider' : 'narrower';
  if (!isExact) return undefined;
  const fit = fitOf(contains(newRange, oldRange), contains(oldRange, newRange));
  const losesSign = side === 'callers' && oldRange.signed && !newRange.signed;
  return fit === 'wider' && losesSign ? 'unsigned' : fit;
}

/** Returns undefined if both types have the same values. */
export function fitOf(keepsAll: boolean, addsNone: boolean): Fit | undefined {
  if (keepsAll) return addsNone ? undefined : 'wider';
  return addsNone ? 'narrower' : 'different';
}

interface Range {
  readonly min: bigint;
  readonly max: bigint;
  readonly signed: boolean;
}

/** Returns undefined for `number`. */
function rangeOf(name: BuiltinName, side: Side): Range | undefined {
  const { range } = builtins[name];
  if (!range) return undefined;
  const [min, max] = range;
  const signed = min === -max - 1n;
  // A server accepts a negative 64-bit integer as the unsigned one with the same bits, but never sends one.
  return { min: signed || side === 'callers' ? min : 0n, max, signed };
}

function contains(outer: Range, inner: Range): boolean {
  return outer.min <= inner.min && inner.max <= outer.max;
}
