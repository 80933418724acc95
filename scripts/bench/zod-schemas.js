// Zod schemas made from the model.
// @ts-check
import { z } from 'zod';

import { allMembers } from '../../generator/dist/model.js';

/** @typedef {import('../../generator/dist/model.js').Type} ModelType */
/** @typedef {import('../../generator/dist/model.js').Member} Member */
/** @typedef {import('../../generator/dist/model.js').UnionType} UnionType */
/** @typedef {import('../../generator/dist/model.js').ObjectType} ObjectType */

const int64 = /** @type {const} */ ([-(2n ** 63n), 2n ** 63n - 1n]);
// Includes negative integers: QEMU converts them to the unsigned integers with the same bits.
const uint64 = /** @type {const} */ ([-(2n ** 63n), 2n ** 64n - 1n]);

/** Integer types of at most 32 bits, for which bigints are invalid. */
const smallRanges = {
  int8: [-(2 ** 7), 2 ** 7 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint8: [0, 2 ** 8 - 1],
  uint16: [0, 2 ** 16 - 1],
  uint32: [0, 2 ** 32 - 1],
};
const largeRanges = { int: int64, int64, uint64, size: uint64 };

/**
 * @param {ModelType} type @param {boolean} strict whether to reject unknown members and enum values
 * @returns {(value: unknown) => boolean}
 */
export function zodCheck(type, strict) {
  const validator = new ZodSchemas(strict).of(type);
  return (value) => validator.safeParse(value).success;
}

class ZodSchemas {
  /** @type {Map<ModelType, z.ZodType>} @readonly */
  #made = new Map();

  /** @param {boolean} strict */
  constructor(strict) {
    this.strict = strict;
  }

  /** @param {ModelType} type @returns {z.ZodType} */
  of(type) {
    const known = this.#made.get(type);
    if (known) return known;
    // Recursive references resolve to this.
    this.#made.set(
      type,
      z.lazy(() => made),
    );
    const made = this.#make(type);
    this.#made.set(type, made);
    return made;
  }

  /** @param {ModelType} type @returns {z.ZodType} */
  #make(type) {
    switch (type.kind) {
      case 'builtin':
        return zodBuiltin(type.name);
      case 'array':
        return z.array(this.of(type.element));
      case 'enum':
        return this.strict ? z.enum(type.values.map(({ name }) => name)) : z.string();
      case 'alternate': {
        const alternatives = type.alternatives.map((alternative) => this.of(alternative.type));
        return z.union(alternatives);
      }
      case 'struct':
        return this.#object(allMembers(type));
      case 'union':
        return this.#union(type);
    }
  }

  /** @param {UnionType} union */
  #union(union) {
    const { name } = union.discriminator;
    const base = allMembers(union);
    const branches = union.branches.map((branch) =>
      this.#object([...base, ...membersOf(branch.type)], { [name]: z.literal(branch.name) }),
    );
    const known = z.discriminatedUnion(name, /** @type {any} */ (branches));
    if (this.strict) return known;
    const names = new Set(union.branches.map((branch) => branch.name));
    return z.union([known, this.#object(base, { [name]: z.string().refine((value) => !names.has(value)) })]);
  }

  /** @param {readonly Member[]} members @param {Record<string, z.ZodType>} [instead] */
  #object(members, instead) {
    const entries = members.map(({ name, type, optional }) => {
      const schema = this.of(type);
      return [name, optional ? schema.optional() : schema];
    });
    const shape = { ...Object.fromEntries(entries), ...instead };
    return this.strict ? z.strictObject(shape) : z.looseObject(shape);
  }
}

/** @param {import('../../generator/dist/model.js').BuiltinName} name @returns {z.ZodType} */
function zodBuiltin(name) {
  switch (name) {
    case 'str':
      return z.string();
    case 'bool':
      return z.boolean();
    case 'number':
      return z.number();
    case 'any':
      return z.any();
    case 'null':
      return z.null();
    case 'int':
    case 'int64':
    case 'uint64':
    case 'size': {
      const [min, max] = largeRanges[name];
      return z.union([z.int(), z.bigint().min(min).max(max)]);
    }
    default: {
      const [min, max] = smallRanges[name];
      return z.int().min(min).max(max);
    }
  }
}

/** Returns the members of a branch. @param {ObjectType | undefined} type @returns {Member[]} */
function membersOf(type) {
  if (type?.kind === 'union') throw new Error(`a branch that is a union: ${type.name}`);
  return type ? allMembers(type) : [];
}
