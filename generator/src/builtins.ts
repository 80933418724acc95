/** Facts about QAPI's built-in types on the wire. */

import type { BuiltinName, BuiltinType } from './model.js';

interface Builtin {
  /** The `json-type` in introspection. */
  readonly jsonType: 'string' | 'number' | 'int' | 'boolean' | 'null' | 'value';
  /** The smallest and largest integer. */
  readonly range?: readonly [min: bigint, max: bigint];
}

const signed = (bits: bigint): Builtin => ({
  jsonType: 'int',
  range: [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n],
});
const unsigned = (bits: bigint): Builtin => ({ jsonType: 'int', range: [0n, 2n ** bits - 1n] });
/** Includes negative integers: QEMU converts them to the unsigned integers with the same bits. */
const unsigned64: Builtin = { jsonType: 'int', range: [-(2n ** 63n), 2n ** 64n - 1n] };

export const builtins: Readonly<Record<BuiltinName, Builtin>> = {
  str: { jsonType: 'string' },
  number: { jsonType: 'number' },
  int: signed(64n),
  int8: signed(8n),
  int16: signed(16n),
  int32: signed(32n),
  int64: signed(64n),
  uint8: unsigned(8n),
  uint16: unsigned(16n),
  uint32: unsigned(32n),
  uint64: unsigned64,
  size: unsigned64,
  bool: { jsonType: 'boolean' },
  any: { jsonType: 'value' },
  null: { jsonType: 'null' },
};

/** Returns the type that values are validated by. */
export function validatedAs({ name, borrowed }: BuiltinType): BuiltinName {
  // Of all integer types, this one has the most values.
  return borrowed ? 'uint64' : name;
}

/** The kind of a JSON value, which selects the alternative of an alternate. */
export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null' | 'any';

/** Returns the JSON kind of the values of a built-in type. */
export function kindOfBuiltin(name: BuiltinName): JsonKind {
  const { jsonType } = builtins[name];
  if (jsonType === 'int') return 'number';
  return jsonType === 'value' ? 'any' : jsonType;
}
