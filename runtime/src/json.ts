/** JSON with exact integers. */

/**
 * An integer of up to 64 bits, as QAPI's `int`, `int64`, `uint64` and `size` have them: a `number` whenever that is exact (a safe
 * integer), and a `bigint` only where a number would lie. So `===`, keys of a Map and printing do what one expects.
 */
export type Int64 = number | bigint;

/** Any JSON value; integers beyond the safe ones are `bigint`. */
export type Json = null | boolean | string | Int64 | Json[] | JsonObject;

export interface JsonObject {
  [name: string]: Json | undefined;
}
