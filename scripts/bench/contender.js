#!/usr/bin/env node
// Runs one validator in its own process, on behalf of `validate.js`: `contender.js NAME`. Reports its verdicts on the
// values and on variants of them, or its speed.
// @ts-check
import { changed, rows, schema } from './values.js';

/** @typedef {(value: unknown) => boolean} Check */
/** @typedef {{ row: string, change: string, expected: boolean, edge: boolean }} Mistake an unexpected verdict */

/**
 * Functions that return the check of a row. Work that does not depend on the row is done before they return.
 *
 * @type {Record<string, () => Promise<(row: import('./values.js').Row) => Check>>}
 */
const makers = {
  ours: oursOfRow,
  'no code generation': oursOfRow,
  'hand-written': async () => {
    const { handWritten } = await import('./hand-written.js');
    return ({ name }) => handWritten[name] ?? (() => false);
  },
  ajv: () => ajvOfRow(false),
  'ajv, discriminator': () => ajvOfRow(true),
  typebox: async () => {
    const { Compile } = await import('typebox/schema');
    const files = await jsonSchemas();
    return ({ of }) => {
      const { $defs } = files[fileOf(of)];
      const validator = Compile({ $ref: `#/$defs/${of.name}`, $defs });
      return (value) => validator.Check(value);
    };
  },
  zod: async () => {
    const { zodCheck } = await import('./zod-schemas.js');
    return ({ of }) => zodCheck(typeOf(of), of.kind === 'arguments');
  },
};

const [name = ''] = process.argv.slice(2);
const make = await makers[name]?.();
if (!make) throw new Error(`unknown contender '${name}'`);

/** Each check runs on several copies of its value, so that the engine cannot specialize on one object. */
const contests = rows.map((row) => {
  const text = JSON.stringify(row.value);
  const copies = Array.from({ length: 4 }, () => JSON.parse(text));
  const begin = performance.now();
  const check = make(row);
  check(copies[0]);
  return { row, check, copies, start: performance.now() - begin };
});

process.on('message', (/** @type {string | { row: number, milliseconds: number }} */ question) => {
  if (question === 'mistakes') process.send?.(mistakes());
  else if (question === 'starts') process.send?.(contests.map(({ start }) => start));
  else if (typeof question === 'object') process.send?.(rate(question.row, question.milliseconds));
});
process.send?.('ready');

/** @returns {Mistake[]} */
function mistakes() {
  return contests.flatMap(({ row, check }) => {
    const trials = [
      { title: 'the value itself', value: row.value, expected: true, edge: false },
      ...row.bad.map((change) => ({ ...change, value: changed(row.value, change), expected: false, edge: false })),
      ...row.good.map((change) => ({ ...change, value: changed(row.value, change), expected: true, edge: false })),
      ...row.edge.map((change) => ({
        ...change,
        value: changed(row.value, change),
        expected: change.valid,
        edge: true,
      })),
    ];
    return trials
      .filter(({ value, expected }) => check(value) !== expected)
      .map(({ title, expected, edge }) => ({ row: row.name, change: title, expected, edge }));
  });
}

/** Returns the number of checks per second. @param {number} index @param {number} milliseconds the minimum duration */
function rate(index, milliseconds) {
  const { check, copies } = contests[index] ?? { check: () => false, copies: [] };
  for (let count = 1; ; count *= 2) {
    const begin = performance.now();
    for (let run = 0; run < count; run += 1) {
      for (const copy of copies) if (!check(copy)) throw new Error(`${rows[index]?.name} was rejected`);
    }
    const time = performance.now() - begin;
    if (time >= milliseconds) return (count * copies.length * 1000) / time;
  }
}

/** @returns {Promise<(row: import('./values.js').Row) => Check>} */
async function oursOfRow() {
  const { validators } = await import('../../generated/dist/qmp/index.js');
  /** @type {any} */
  const { commands, events } = validators;
  return ({ of }) => (of.kind === 'event' ? events[of.name] : commands[of.name][of.kind]);
}

/** @param {boolean} discriminator whether to use ajv's non-standard keyword for unions */
async function ajvOfRow(discriminator) {
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  const files = await jsonSchemas();
  const ajv = new Ajv2020({ strict: false, discriminator });
  for (const [file, root] of Object.entries(files)) {
    ajv.addSchema(discriminator ? withDiscriminators(root, file === 'arguments') : root, file);
  }
  return (/** @type {import('./values.js').Row} */ { of }) =>
    /** @type {Check} */ (ajv.compile({ $ref: `${fileOf(of)}#/$defs/${of.name}` }));
}

/** Returns the JSON Schemas that the generator emits. */
async function jsonSchemas() {
  const { emitJsonSchemas } = await import('../../generator/dist/emit/json-schema.js');
  const texts = emitJsonSchemas(schema, { origin: 'QEMU', generator: '' });
  return { arguments: parsed('arguments'), results: parsed('results') };

  /** @param {string} file @returns {any} */
  function parsed(file) {
    return JSON.parse(texts.get(`${file}.schema.json`) ?? '');
  }
}

/** @param {import('./values.js').Row['of']} of @returns {'arguments' | 'results'} */
function fileOf({ kind }) {
  return kind === 'arguments' ? kind : 'results';
}

/** @param {import('./values.js').Row['of']} of */
function typeOf({ kind, name: definitionName }) {
  const definition = schema.definitions.get(definitionName);
  /** @type {import('../../generator/dist/model.js').Type | undefined} */
  let type;
  if (definition?.kind === 'event') type = definition.data;
  else if (definition?.kind === 'command') type = kind === 'arguments' ? definition.arguments : definition.returns;
  if (!type) throw new Error(`'${definitionName}' has no ${kind} in the schema`);
  return type;
}

/**
 * Rewrites unions, which are emitted as one condition per branch, to use `discriminator`, with which ajv goes directly
 * to the branch.
 *
 * @param {any} root @param {boolean} strict
 */
function withDiscriminators(root, strict) {
  const definitions = Object.entries(root.$defs).map(([key, definition]) => {
    const { allOf, ...rest } = definition;
    const discriminator = Object.keys(allOf?.[0]?.if.properties ?? {})[0];
    return [key, discriminator === undefined ? definition : { ...rest, ...jump(discriminator, allOf, strict) }];
  });
  return { ...root, $defs: Object.fromEntries(definitions) };
}

/** @param {string} propertyName @param {any[]} conditions @param {boolean} strict */
function jump(propertyName, conditions, strict) {
  const required = [propertyName];
  const discriminator = { propertyName };
  if (strict) return { required, discriminator, oneOf: conditions.map((condition) => condition.then) };
  const branches = conditions.map((condition) => ({ ...condition.if, ...condition.then }));
  const known = conditions.map((condition) => condition.if.properties[propertyName].const);
  return {
    if: { properties: { [propertyName]: { enum: known } } },
    // oxlint-disable-next-line unicorn/no-thenable -- nothing awaits it
    then: { required, discriminator, oneOf: branches },
  };
}
