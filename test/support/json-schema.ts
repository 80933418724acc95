/** Validates values with the JSON Schemas of a schema, using ajv. */

import { Ajv2020, type ErrorObject, type Options } from 'ajv/dist/2020.js';

import { emitJsonSchemas } from '../../generator/src/emit/json-schema.js';
import type { Schema } from '../../generator/src/model.js';

export type Direction = 'arguments' | 'results';

export interface JsonSchema {
  readonly $comment: string;
  readonly $schema: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- any keywords
  readonly $defs: Readonly<Record<string, any>>;
}

/** The strictest options. Inherited members such as `constructor` count as absent. */
export const ajvOptions: Options = { strict: true, allErrors: true, ownProperties: true };

export function jsonSchemaTexts(schema: Schema): Record<Direction, string> {
  const texts = emitJsonSchemas(schema, { origin: 'a test', generator: '0.0.0' });
  const text = (direction: Direction): string => texts.get(`${direction}.schema.json`) ?? '';
  return { arguments: text('arguments'), results: text('results') };
}

/**
 * Validates the arguments of commands, and the results of commands and the data of events.
 *
 * Values must be results of `JSON.parse`, because ajv does not support bigints.
 */
export class JsonSchemaValidator {
  readonly #ajv: Record<Direction, Ajv2020>;

  constructor(schema: Schema, options = ajvOptions) {
    const texts = jsonSchemaTexts(schema);
    const ajv = (direction: Direction): Ajv2020 =>
      new Ajv2020(options).addSchema(JSON.parse(texts[direction]), 'schema');
    this.#ajv = { arguments: ajv('arguments'), results: ajv('results') };
  }

  /**
   * @param name the name of a command or, for results, of an event
   * @returns the errors, none if the value is valid
   */
  errors(direction: Direction, name: string, value: unknown): readonly ErrorObject[] {
    const validate = this.#ajv[direction].getSchema(`schema#/$defs/${name}`);
    if (!validate) throw new Error(`no ${direction} of ${name}`);
    return validate(value) === true ? [] : (validate.errors ?? []);
  }
}
