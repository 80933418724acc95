/** Randomly changed introspections: each is either compared, or rejected with a reason. */

import fc from 'fast-check';
import { expect } from 'vitest';

import { diff } from '../../generator/src/diff/compare.js';
import { driftOf } from '../../generator/src/diff/drift.js';
import { formatReport, formats } from '../../generator/src/diff/report.js';
import { wireOf, wireOfIntrospection } from '../../generator/src/diff/wire.js';
import { SchemaError } from '../../generator/src/diagnostic.js';
import { emitPackage } from '../../generator/src/emit/package.js';
import { FileError } from '../../generator/src/errors.js';
import { introspect } from '../../generator/src/introspect.js';
import type { Schema } from '../../generator/src/model.js';
import { recover } from '../../generator/src/model/recover.js';
import { readIntrospection } from '../../generator/src/sources/introspection.js';
import { parseIntrospection } from '../../generator/src/sources/reply.js';
import { readEmitted } from '../support/emitted.js';
import { renumbered } from '../support/introspections.js';
import { schemaOf } from '../support/schema.js';
import { fuzz } from './fuzz.js';

const schema = schemaOf(`
{ 'enum': 'Mode', 'data': [ 'on', { 'name': 'off', 'if': 'CONFIG_A', 'features': [ 'deprecated' ] } ] }
{ 'struct': 'Base', 'data': { 'mode': 'Mode', '*size': 'uint64' } }
{ 'struct': 'On', 'data': { 'list': [ 'Tree' ], 'any': 'any' } }
{ 'struct': 'Tree', 'data': { '*left': 'Tree', '*right': 'TreeOrNull' } }
{ 'alternate': 'TreeOrNull', 'data': { 'tree': 'Tree', 'nothing': 'null', 'name': 'str' } }
{ 'union': 'Options', 'base': 'Base', 'discriminator': 'mode', 'data': { 'on': 'On' } }
{ 'command': 'set', 'data': 'Options', 'boxed': true, 'returns': [ 'Options' ], 'features': [ 'unstable' ] }
{ 'command': 'stop', 'allow-oob': true, 'if': { 'all': [ 'CONFIG_A', { 'not': 'CONFIG_B' } ] } }
{ 'event': 'STOPPED', 'data': { 'tree': 'Tree', 'why': { 'type': 'str', 'if': 'CONFIG_B' } } }
`);
const wire = wireOf(schema);
const infos = JSON.parse(JSON.stringify(introspect(schema, () => true))) as unknown[];
const values = [null, true, 0, -1, 1e300, '', '0', '1', '__proto__', 'constructor', 'str', 'object', [], {}, [[]]];

interface Edit {
  /** Which member or element to step into. */
  readonly steps: readonly number[];
  readonly edit: number;
  readonly other: number;
}

/** Replaces, removes, duplicates or moves a part, which numbers select. */
function change(value: unknown, { steps, edit, other }: Edit): void {
  let place = value;
  let parent: Record<string, unknown> = { value };
  let key = 'value';
  for (const step of steps) {
    if (typeof place !== 'object' || place === null) break;
    const keys = Object.keys(place);
    const chosen = keys[step % Math.max(keys.length, 1)];
    if (chosen === undefined) break;
    parent = place as Record<string, unknown>;
    key = chosen;
    place = parent[key];
  }
  const put = edit % 3 === 0 ? infos[other % infos.length] : values[other % values.length];
  if (edit % 5 === 0) Reflect.deleteProperty(parent, key);
  else if (edit % 5 === 1 && Array.isArray(parent)) parent.push(structuredClone(place));
  else if (edit % 5 === 2) define(parent, ['name', 'type', 'members', 'arg-type', '__proto__'][other % 5] ?? '', place);
  else define(parent, key, structuredClone(put));
}

/** Sets a member like `JSON.parse`, which treats `__proto__` like any other name. */
function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

const edits = fc.array(
  fc.record({ steps: fc.array(fc.nat(500), { minLength: 1, maxLength: 5 }), edit: fc.nat(29), other: fc.nat(999) }),
  { minLength: 1, maxLength: 4 },
);
const cut = fc.oneof(
  { weight: 20, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
);

fuzz('introspections', fc.property(edits, cut, isComparedOrRejected));

function isComparedOrRejected(taken: readonly Edit[], end: number | undefined): void {
  const changed = structuredClone(infos);
  for (const edit of taken) change(changed, edit);
  const text = JSON.stringify(changed);
  try {
    const found = parseIntrospection('saved.json', end === undefined ? text : text.slice(0, end * text.length));
    isRecovered(found);
    const server = wireOfIntrospection(found);
    const { changes, ...drift } = driftOf(schema, server);
    const side = { title: 'a', kind: 'schema' } as const;
    for (const report of [
      { old: side, new: side, changes, ...drift, notes: [] },
      { old: side, new: side, changes: diff(server, wire), notes: [] },
    ]) {
      for (const format of formats) expect(formatReport(report, format, { colour: false })).toBeTypeOf('string');
    }
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    expect(error.message).not.toContain('undefined');
  }
}

/** Types are found for anything that can be compared. */
function isRecovered(found: unknown[]): void {
  const server = readIntrospection(found);
  const recovered = recover(server, schema).schema;
  const introspected = (one: Schema): unknown[] => renumbered(introspect(one, () => true));
  expect(introspected(recovered)).toEqual(introspected(server));
  try {
    for (const text of emitPackage(recovered, { origin: '', generator: '', docs: true }).values()) readEmitted(text);
  } catch (error) {
    // Names may clash in TypeScript.
    if (!(error instanceof SchemaError)) throw error;
  }
}
