/** Enums at run time: objects that map each value to itself. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { emitPackage } from '../generator/src/emit/package.js';
import { isType, type Definition, type EnumType, type Schema } from '../generator/src/model.js';
import { compile, repository } from './support/compile.js';
import { generatedPackage } from './support/generated.js';
import { schemaOf } from './support/schema.js';

const schema = schemaOf(`
  { 'enum': 'Speed', 'data': [ '2_5', '10', '5', { 'name': 'io-error', 'features': [ 'deprecated' ] }, '16' ] }
  { 'enum': 'Nothing', 'data': [] }
  { 'struct': 'S', 'data': { 'speed': 'Speed', '*nothing': 'Nothing' } }`);

/** No schema can have a value with this name, but the code must be correct anyway. */
const withProto = renamed(schema, 'io-error', '__proto__');

function renamed(of: Schema, from: string, to: string): Schema {
  const change = (definition: Definition): Definition => {
    if (!isType(definition) || definition.kind !== 'enum') return definition;
    const values = definition.values.map((value) => (value.name === from ? { ...value, name: to } : value));
    return { ...definition, values } satisfies EnumType;
  };
  const definitions = new Map([...of.definitions].map(([name, definition]) => [name, change(definition)]));
  const modules = of.modules.map((module) => ({ ...module, definitions: module.definitions.map(change) }));
  return { ...of, definitions, modules };
}

test.each([
  { value: '2_5', want: true },
  { value: '5', want: true },
  { value: '10', want: true },
  { value: 'io-error', want: true },
  { value: '6', want: false },
  { value: '', want: false },
  { value: '0', want: false },
  { value: 'length', want: false },
  { value: 'constructor', want: false },
  { value: 'toString', want: false },
  { value: '__proto__', want: false },
])('$value is known: $want', async ({ value, want }) => {
  const { isKnown, Speed, isSpeed, isS } = await generatedPackage(schema);
  expect(isKnown(Speed, value)).toBe(want);
  expect(isSpeed(value)).toBe(want);
  expect(isS({ speed: value })).toBe(want);
});

test('each value is mapped to itself', async () => {
  const { Speed, isSpeed, Nothing } = await generatedPackage(schema);
  expect(Speed).toStrictEqual({ '2_5': '2_5', '5': '5', '10': '10', '16': '16', 'io-error': 'io-error' });
  expect(isSpeed.issues('io-error', { remarks: ['deprecated'] })).toMatchObject([{ kind: 'deprecated' }]);
  expect(isSpeed.issues('5', { remarks: ['deprecated'] })).toEqual([]);
  expect(isSpeed.issues('io-eror')).toMatchObject([
    { message: expect.stringMatching(/; did you mean 'io-error'\?$/u) },
  ]);
  expect(Nothing).toStrictEqual({});
});

test('an enum without values is empty', async () => {
  const { isKnown, Nothing, isNothing, isS } = await generatedPackage(schema);
  expect([isKnown(Nothing, ''), isKnown(Nothing, 'toString'), isNothing(''), isNothing(undefined)]).not.toContain(true);
  expect(isS({ speed: '5', nothing: 'a' })).toBe(false);
  expect(isS({ speed: '5' })).toBe(true);
});

test("a value's name may be one that would set the prototype", async () => {
  const { isKnown, Speed, isSpeed, isS } = await generatedPackage(withProto);
  expect(Object.getPrototypeOf(Speed)).toBe(Object.prototype);
  expect(Object.keys(Speed)).toEqual(['5', '10', '16', '2_5', '__proto__']);
  expect([isKnown(Speed, '__proto__'), isSpeed('__proto__'), isS({ speed: '__proto__' })]).toEqual([true, true, true]);
  expect(isSpeed.issues('__proto__', { remarks: ['deprecated'] })).toMatchObject([{ kind: 'deprecated' }]);
});

test('declarations can be emitted for a single file', { timeout: 60_000 }, async () => {
  const options = { origin: 'a test', generator: '0.0.0', docs: false };
  const files = emitPackage(withProto, options);
  const folder = mkdtempSync(join(tmpdir(), 'qapi-ts-enums-'));
  try {
    for (const [file, text] of files) writeFileSync(join(folder, file), text);
    const use = `import { isKnown, type Speed } from './index.js';
      import { Speed as values } from './index.js';
      export function f(speed: Speed): '__proto__' | '5' | '2_5' | '10' | '16' | undefined {
        return isKnown(values, speed) ? speed : undefined;
      }`;
    writeFileSync(join(folder, 'use.ts'), use);
    const paths = { '@qapi-ts/runtime': [join(repository, 'runtime/dist/index.d.ts')] };
    const isolated = { declaration: true, isolatedDeclarations: true };
    const bundler = { module: 'ESNext', moduleResolution: 'Bundler' };
    expect(await compile({ compiler: '7.0', include: [folder], options: { paths, ...isolated, ...bundler } })).toBe('');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
