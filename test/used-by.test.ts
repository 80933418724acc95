/** The effects of changes on programs: `--used-by`. */

import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

import { Project, ts } from 'ts-morph';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { formatUse, type Change } from '../generator/src/diff/change.js';
import { diff } from '../generator/src/diff/compare.js';
import type { CodeLocation } from '../generator/src/diff/report.js';
import { wireOf, wireOfIntrospection } from '../generator/src/diff/wire.js';
import { emitPackage } from '../generator/src/emit/package.js';
import { FileError, UsageError } from '../generator/src/errors.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import { introspect } from '../generator/src/introspect.js';
import type { Schema } from '../generator/src/model.js';
import { recover } from '../generator/src/model/recover.js';
import { readIntrospection } from '../generator/src/sources/introspection.js';
import { toolchainOf } from '../generator/src/used-by/compiler.js';
import { readConfigurations } from '../generator/src/used-by/program.js';
import { usedBy, type UsedByResult } from '../generator/src/used-by/used-by.js';
import { repository } from './support/compile.js';
import { schemaOf } from './support/schema.js';
import { scratchFolder } from './support/scratch.js';

let folder: string;
beforeAll(() => {
  folder = scratchFolder();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a file and returns its path. */
function write(path: string, content: string | object): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

function writePackage(path: string, schema: Schema, origin = 'a test'): void {
  const options = { origin, generator: '0.0.0', docs: false };
  const files = emitPackage(schema, options);
  for (const [file, text] of files) write(join(path, file), text);
}

function find(tsconfig: string, old: Schema, newer: Schema): Promise<UsedByResult> {
  const [before, after] = [wireOf(old), wireOf(newer)];
  return usedBy({ changes: diff(before, after), commands: new Set(before.commands.keys()), old, new: newer }, tsconfig);
}

const titleOf = ({ kind, uses: [use], place: { value } }: Change): string =>
  `${kind} ${formatUse(use)}${value === undefined ? '' : ` '${value}'`}`;

/** Returns the lines of a result, such as `program.ts:3 breaking: command-removed stop`. */
function describeResult({ usedBy: found, notes }: UsedByResult, place: (at: CodeLocation) => string): string[] {
  return [
    ...[...found.touched].flatMap(([change, at]) =>
      at.map((one) => `${place(one)} ${change.verdict}: ${titleOf(change)}`),
    ),
    ...found.needsEdit.map((one) => `${place(one)} needs an edit: ${one.text}`),
    ...found.passedOn.map((one) => `${place(one)} untyped: ${one.subjects.join(', ')}`),
    ...found.unfollowed.map((one) => `${place(one)} not analyzed: ${one.text}`),
    ...notes,
  ];
}

const compilerOptions = {
  strict: true,
  target: 'ES2022',
  lib: ['ES2022', 'ESNext.Disposable'],
  module: 'ESNext',
  moduleResolution: 'Bundler',
  types: [],
};
const runtime = { '@qapi-ts/runtime': [join(repository, 'runtime/dist/index.d.ts')] };

describe('programs', () => {
  const programs = [
    { name: 'backup', server: 'qmp', root: 'qapi/qapi-schema.json' },
    { name: 'launcher', server: 'qmp', root: 'qapi/qapi-schema.json' },
    { name: 'agent', server: 'qga', root: 'qga/qapi-schema.json' },
  ];
  const loaded = new Map<string, Schema>();
  const load = (version: string, root: string): Schema => {
    const path = join(repository, 'schema', version, root);
    const schema = loaded.get(path) ?? loadSchema(path);
    loaded.set(path, schema);
    return schema;
  };

  // The result depends neither on the version of the generated code, nor on whether it is source or built.
  describe.each(programs)('$name', ({ name, server, root }) => {
    const config = join(repository, 'test/used-by', name, 'tsconfig.json');
    const place = ({ file, line }: CodeLocation): string => `${relative(`test/used-by/${name}`, file)}:${line}`;
    const golden = join(repository, 'test/used-by', name, 'touched.txt');

    test.each(['7.2.0', '10.2.2', 'as built'])(
      'is affected from 7.2 to 10.2 as expected, with the generated code of %s',
      async (version) => {
        const [old, newer] = [load('7.2.0', root), load('10.2.2', root)];
        if (version !== 'as built') writePackage(`${version}/${server}`, load(version, root));
        const paths =
          version === 'as built' ? {} : { ...runtime, '@qapi-ts/qemu/*': [join(folder, version, '*/index.ts')] };
        const include = [join(dirname(config), 'src')];
        const tsconfig = write(`${name}.json`, { extends: config, compilerOptions: { paths }, include });
        const lines = describeResult(await find(tsconfig, old, newer), place);
        await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(golden);
      },
    );
  });

  test('a logged result is untyped, not broken', async () => {
    const [old, newer] = [load('7.2.0', 'qapi/qapi-schema.json'), load('10.2.2', 'qapi/qapi-schema.json')];
    const program = `
      import type { Client } from '@qapi-ts/qemu/qmp';
      export async function log(vm: Client): Promise<void> { console.log(await vm.queryNamedBlockNodes()); }
      export async function name(vm: Client): Promise<void> { console.log((await vm.queryNamedBlockNodes())[0]?.['node-name']); }
      export async function read(vm: Client): Promise<number> {
        const names = (await vm.queryNamedBlockNodes()).map((n) => n.image.snapshots);
        return names.length;
      }
      export async function same(vm: Client): Promise<unknown> {
        const [node] = await vm.queryNamedBlockNodes();
        if (node?.image['format-specific']?.type !== 'vmdk') return 0;
        const { extents: [extent] } = node.image['format-specific'].data;
        return extent?.snapshots?.length;
      }\n`;
    write('logging/program.ts', program);
    const options = { ...compilerOptions, types: ['node'] };
    const found = await find(write('logging/tsconfig.json', { compilerOptions: options }), old, newer);
    const way = 'query-named-block-nodes: result[].image.format-specific(type=vmdk).data.extents[].snapshots';
    expect(describeResult(found, ({ line }) => String(line))).toEqual([
      '4 harmless: member-mandatory query-named-block-nodes: result[].node-name',
      "11 notable: value-added query-named-block-nodes: result[].image.format-specific.type 'file'",
      // A recursive type that changed in one place only: the same member elsewhere did not change.
      `13 breaking: member-removed ${way}`,
      '3 untyped: query-named-block-nodes',
    ]);
  });
});

/** Returns one side of a comparison of many changes. */
const changing = (newer: boolean): string => {
  const pick = (before: string, after: string): string => (newer ? after : before);
  return `
{ 'enum': 'Mode', 'data': ['fast', 'slow', ${pick("'exact'", "'rough'")}] }
{ 'enum': 'Kind', 'data': ['circle', 'square'] }
{ 'struct': 'Point', 'data': { 'x': '${pick('int', 'str')}', 'y': 'int' } }
{ 'struct': 'Circle', 'data': { 'radius': 'int' ${pick('', ", 'colour': 'str'")} } }
{ 'struct': 'Square', 'data': { 'side': 'int'}${pick('', ", 'features': ['round']")} }
{ 'union': 'Shape', 'base': { 'kind': 'Kind' }, 'discriminator': 'kind', 'data': { 'circle': 'Circle', 'square': 'Square' } }
{ 'alternate': 'Ref', 'data': { ${pick("'name': 'str',", '')} 'shape': 'Shape' } }
{ 'struct': 'Drawing', 'data': { 'id': 'str', '${pick('', '*')}at': 'Point', 'mode': 'Mode' ${pick(", 'size': 'int'", ", 'length': 'int'")} } }
{ 'struct': '${pick('Title', 'Heading')}', 'data': { 'text': 'str' ${pick('', ", 'level': 'int'")} } }
{ 'command': 'draw', 'data': { 'shape': 'Shape', '${pick('*', '')}mode': 'Mode', '*at': 'Ref' ${pick(", '*speed': 'int'", ", '*quality': 'int'")} } }
{ 'command': 'query-drawings', 'returns': ['Drawing'] ${pick('', ", 'allow-oob': true")} }
{ 'command': 'query-title', 'returns': '${pick('Title', 'Heading')}' }
{ 'command': 'remove', 'data': { 'id': 'str', '*force': ${pick("'bool'", "{ 'type': 'bool', 'features': ['deprecated'] }")} ${pick('', ", 'why': 'str'")} } }
{ 'command': 'set', 'data': { 'id': 'str' }, 'features': []${pick(", 'gen': false", '')} }
{ 'command': 'count', 'returns': ['${pick('int', 'str')}'] }
{ 'command': 'flip' ${pick('', ", 'data': { 'axis': 'str' }")} }
{ 'command': 'turn', 'data': { 'by': '${pick('int', 'str')}' } }
{ 'command': 'pause' ${pick(", 'allow-oob': true", '')} }
{ 'event': 'TURNED' ${pick('', ", 'if': 'CONFIG_TURN'")} }
${pick("{ 'command': 'clear' }\n{ 'event': 'CLEARED' }\n", "{ 'command': 'x-new' }\n{ 'event': 'NEW' }")}
{ 'pragma': { 'command-returns-exceptions': ['count'] } }
`;
};

/** A program. The comment on each line is the expected result. */
const touched = `
    await vm.clear(); // breaking: command-removed clear
    vm.on('CLEARED', () => {}); // breaking: event-removed CLEARED
    vm.once('TURNED', () => {}); // notable: condition-changed TURNED
    await vm.executeRaw('x-new'); // harmless: command-added x-new
    await vm.pause({}, { oob: true }); // breaking: oob-withdrawn pause
    await vm.pause();
    await vm.remove({ id: 'a' }); // breaking: member-added remove: arguments.why
    const args = { id: 'a', force: true, why: 'new' }; // notable: feature-added remove: arguments.force
    await vm.remove(args);
    await vm.set({ id: 'a' });
    await vm.set({ id: 'a', colour: 'red' }); // breaking: further-arguments-changed set
    await vm.flip(); // breaking: member-added flip: arguments.axis
    await vm.execute('flip', {}); // breaking: member-added flip: arguments.axis
    await vm.turn({ by: 1 }); // breaking: type-changed turn: arguments.by
    const count = await vm.count(); // breaking: type-changed count: result[]
    for (const drawing of await vm.queryDrawings()) {
      if (drawing.mode === 'exact') console.log(count); // notable: value-added query-drawings: result[].mode 'rough' + notable: value-removed query-drawings: result[].mode 'exact' + needs an edit: This comparison appears to be unintentional because the types 'Mode' and '"exact"' have no overlap.
      if (drawing.mode === Mode.exact) console.log(count); // notable: value-added query-drawings: result[].mode 'rough' + notable: value-removed query-drawings: result[].mode 'exact' + needs an edit: Property 'exact' does not exist on type '{ readonly fast: "fast"; readonly slow: "slow"; readonly rough: "rough"; }'.
      if (drawing.mode === Mode['slow']) console.log(count); // notable: value-added query-drawings: result[].mode 'rough'
      console.log(drawing.id, drawing.size); // breaking: member-removed query-drawings: result[].size
      const { at } = drawing; // breaking: member-optional query-drawings: result[].at
      console.log(at.x, at.y); // breaking: type-changed query-drawings: result[].at.x
      show(drawing); // breaking: member-removed query-drawings: result[].size
      console.log(drawing); // untyped: query-drawings
    }
    await vm.draw({ // breaking: member-mandatory draw: arguments.mode
      shape: { kind: 'square', side: 1 }, // harmless: feature-added draw: arguments.at(kind=square)
      speed: 1, // breaking: member-removed draw: arguments.speed
    });
    const circle: Shape = { kind: 'circle', radius: 1 }; // breaking: member-added draw: arguments.at(kind=circle).colour
    await vm.draw({
      shape: circle,
      mode: 'exact', // breaking: value-removed draw: arguments.mode 'exact'
      at: 'a', // breaking: alternative-removed draw: arguments.at
    });
    await vm.draw({ shape: circle, mode: Mode['exact'] }); // breaking: value-removed draw: arguments.mode 'exact'
    await vm.draw({ shape: circle, mode: Mode.fast });
    await vm.draw({ shape: JSON.parse('{}'), mode: 'slow' }); // untyped: draw
    measure((await vm.queryDrawings())[0]!); // breaking: member-removed query-drawings: result[].size
    const title: Title = await vm.queryTitle();
    const fixture: Title = { text: 'a' }; // needs an edit: Property 'level' is missing in type '{ text: string; }' but required in type 'Heading'.
    console.log(title.text, fixture.text);
    // @ts-expect-error -- it is a number
    circle.radius = (await vm.queryDrawings())[0]!.at.x as string; // breaking: type-changed query-drawings: result[].at.x + breaking: member-optional query-drawings: result[].at
    await vm.execute(any, {} as never); // not analyzed: 'any' may be any command name
`;

/** Returns the comments of lines, with line numbers. */
function commented(code: string): string[] {
  return code.split('\n').flatMap((line, index) => {
    const [, comment] = /\S \/\/ (.*)$/u.exec(line) ?? [];
    return comment === undefined ? [] : comment.split(' + ').map((text) => `${index} ${text}`);
  });
}

const header = `import { Client, Mode, type Commands, type Shape, type Title } from 'changing'; declare const vm: Client; declare const any: keyof Commands; function show(drawing: { size: number | bigint }): void { console.log(drawing.size); } function measure<T extends { size: number | bigint }>(it: T): number | bigint { return it.size; }`;
const relativeLine = ({ line }: CodeLocation): string => String(line - 1);

describe('changes', () => {
  const [old, newer] = [false, true].map((isNow) => schemaOf(changing(isNow))) as [Schema, Schema];
  const config = (name: string, program: string, extra: object = {}, file = 'program.ts'): string => {
    write(`${name}/${file}`, `${header}${program}`);
    const paths = { ...runtime, changing: ['../old/index.ts'] };
    return write(`${name}/tsconfig.json`, {
      compilerOptions: { ...compilerOptions, types: ['node'], paths, ...extra },
      files: [file],
    });
  };
  beforeAll(async () => {
    writePackage('old', old);
    writePackage('new', newer);
    const emitted = {
      ...compilerOptions,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'],
    };
    const project = new Project({
      compilerOptions: {
        ...emitted,
        module: ts.ModuleKind.ESNext,
        moduleResolution: ts.ModuleResolutionKind.Bundler,
        declaration: true,
        paths: runtime,
        outDir: join(folder, 'declared'),
      },
    });
    project.addSourceFileAtPath(join(folder, 'old/index.ts'));
    project.emitSync({ emitOnlyDtsFiles: true });
  });

  test.each([
    ['source of the old schema', '../old/index.ts'],
    ['source of the new schema', '../new/index.ts'],
    ['declarations', '../declared/index.d.ts'],
  ])('affect exactly the expected lines, with generated code that is %s', async (_, path) => {
    const tsconfig = config('touched', touched, { paths: { ...runtime, changing: [path] } });
    const lines = describeResult(await find(tsconfig, old, newer), relativeLine);
    expect(lines.toSorted()).toEqual(commented(touched).toSorted());
  });

  test('are found with the introspection of the new side, as far as it shows them', async () => {
    const tsconfig = config('introspected', touched);
    const server = introspect(newer, () => true);
    const { schema } = recover(readIntrospection(server), old);
    const changes = diff(wireOf(old), wireOfIntrospection(server));
    const compared = { changes, commands: new Set(wireOf(old).commands.keys()), old, new: schema };
    const lines = describeResult(await usedBy(compared, tsconfig), relativeLine);
    const shown = commented(touched)
      .filter((line) => !/further-arguments-changed|condition-changed/u.test(line))
      // The new name of a type is not known.
      .map((line) => line.replace("type 'Heading'", "type 'Title'"));
    expect(lines.toSorted()).toEqual(shown.toSorted());
  });

  const loose = `
    const [drawing] = await vm.queryDrawings();
    console.log(drawing?.at.x, \`\${drawing?.at}\`); // breaking: member-optional query-drawings: result[].at + breaking: type-changed query-drawings: result[].at.x
    await vm.remove({ id: 'a' }); // breaking: member-added remove: arguments.why
    const args = { id: 'a', force: true, why: 'new' }; // notable: feature-added remove: arguments.force
    await vm.remove(args);`;

  test('are found without strict checks, with a note', async () => {
    const tsconfig = config('loose', loose, { strict: false });
    const lines = describeResult(await find(tsconfig, old, newer), relativeLine);
    expect(lines.toSorted()).toEqual([
      `'${tsconfig}' is not strict: TypeScript does not report uses of values that may be absent`,
      ...commented(loose).toSorted(),
    ]);
  });

  test('are found in unchecked JavaScript, with a note', async () => {
    const program = loose.replace(
      '\n',
      "\nimport { connect } from 'changing'; const vm = await connect({ path: 'a' });",
    );
    write('script/program.js', program);
    const paths = { ...runtime, changing: ['../old/index.ts'] };
    const options = { ...compilerOptions, types: ['node'], allowJs: true, paths };
    const tsconfig = write('script/tsconfig.json', { compilerOptions: options, files: ['program.js'] });
    const lines = describeResult(await find(tsconfig, old, newer), relativeLine);
    expect(lines.toSorted()).toEqual([
      `'${tsconfig}' does not check 1 JavaScript file ('checkJs'): only uses of known types are found there`,
      ...commented(loose).toSorted(),
    ]);
  });

  test('are found in only one of several packages', async () => {
    writePackage('two/old', old, 'the old one');
    writePackage('two/new', newer, 'the new one');
    writePackage(
      'two/other',
      schemaOf(
        `{ 'command': 'clear' } { 'struct': 'Other', 'data': { 'id': 'str' } } { 'command': 'query-others', 'returns': ['Other'] }`,
      ),
    );
    write(
      'two/program.ts',
      `
      import type { Client as Old } from './old/index.js';
      import type { Client as New } from './new/index.js';
      import type { Client as Other } from './other/index.js';
      export const before = async (vm: Old) => (await vm.queryDrawings())[0]!.at.x;
      export const after = async (vm: New) => (await vm.queryDrawings())[0]!.at?.x;
      export const clear = (vm: Other) => vm.clear();
      export const clearOld = (vm: Old) => vm.clear();`,
    );
    const tsconfig = write('two/tsconfig.json', {
      compilerOptions: { ...compilerOptions, paths: runtime },
      files: ['program.ts'],
    });
    expect(describeResult(await find(tsconfig, old, newer), ({ line }) => String(line)).toSorted()).toEqual([
      '5 breaking: member-optional query-drawings: result[].at',
      '5 breaking: type-changed query-drawings: result[].at.x',
      '8 breaking: command-removed clear',
    ]);
  });

  test('are found in the source of a referenced project, whatever its build output', async () => {
    const paths = { ...runtime, changing: [join(folder, 'old/index.ts')] };
    const composite = { ...compilerOptions, composite: true, rootDir: folder, outDir: 'dist', paths };
    write(
      'many/library/index.ts',
      `import type { Client } from 'changing';\nexport const wipe = (vm: Client) => vm.clear();\n`,
    );
    write('many/library/dist/many/library/index.d.ts', 'export declare const wipe: (vm: string) => void;\n');
    write('many/library/tsconfig.json', { compilerOptions: composite, files: ['index.ts'] });
    write(
      'many/app/app.ts',
      `import { wipe } from '../library/index.js';\nimport type { Client } from 'changing';\nexport const go = (vm: Client) => [wipe(vm), vm.flip()];\n`,
    );
    write('many/app/tsconfig.json', {
      compilerOptions: composite,
      files: ['app.ts'],
      references: [{ path: '../library' }],
    });
    write('many/tsconfig.json', { files: [], references: [{ path: 'app' }, { path: 'library/tsconfig.json' }] });
    const found = await find(join(folder, 'many'), old, newer);
    expect(describeResult(found, ({ file, line }) => `${basename(file)}:${line}`).toSorted()).toEqual([
      'app.ts:3 breaking: member-added flip: arguments.axis',
      'index.ts:2 breaking: command-removed clear',
    ]);
  });

  test.each([
    ['5.4', 'typescript-5.4', '5.4'],
    ['5.9', 'typescript-5.9', '5.9'],
    ['7.0, which has another API', 'typescript', '6.0'],
  ])("by the program's own TypeScript: %s", async (_, name, version) => {
    const home = `own-${name}`;
    const tsconfig = config(home, '\nawait vm.clear();');
    mkdirSync(join(folder, home, 'node_modules'), { recursive: true });
    symlinkSync(join(repository, 'node_modules', name), join(folder, home, 'node_modules/typescript'));
    const { compiler } = await toolchainOf(join(folder, home));
    expect(compiler.version.startsWith(version)).toBe(true);
    const lines = describeResult(await find(tsconfig, old, newer), relativeLine);
    expect(lines).toEqual(['1 breaking: command-removed clear']);
  });

  test.each([
    { name: 'typescript-5.9', want: undefined },
    { name: 'typescript-6.0', want: undefined },
    { name: 'typescript', want: ['*'] },
  ])('include all @types if the bundled compiler stands in for another: $name', async ({ name, want }) => {
    const home = `types-${name}`;
    write(`${home}/main.ts`, 'export {};\n');
    const tsconfig = write(`${home}/tsconfig.json`, { files: ['main.ts'] });
    mkdirSync(join(folder, home, 'node_modules'), { recursive: true });
    symlinkSync(join(repository, 'node_modules', name), join(folder, home, 'node_modules/typescript'));
    const [configured] = await readConfigurations(tsconfig);
    expect(configured?.options.types).toEqual(want);
  });

  test('with options of a newer TypeScript', async () => {
    const tsconfig = config('newer', '\nawait vm.clear();', { target: 'ES2099', someNewOption: true });
    expect((await find(tsconfig, old, newer)).usedBy.touched.size).toBe(1);
  });

  test('do not affect a program without generated code', async () => {
    write('none/main.ts', 'export const one = 1;\n');
    const tsconfig = write('none/tsconfig.json', { compilerOptions });
    const lines = describeResult(await find(tsconfig, old, newer), relativeLine);
    expect(lines).toEqual([`the program of '${tsconfig}' imports no generated code`]);
  });

  test.each<[string, string, string, new (message: string) => Error, string]>([
    ['that does not exist', 'absent/tsconfig.json', '', FileError, "cannot read '"],
    ['that is not JSON', 'bad/tsconfig.json', '{', UsageError, "'}' expected"],
    ['without files', 'empty/tsconfig.json', '{ "include": ["nothing"] }', UsageError, 'No inputs were found'],
    ['that extends a missing file', 'alone/tsconfig.json', '{ "extends": "./absent.json" }', UsageError, 'absent.json'],
    [
      'with an option of the wrong type',
      'wrong/tsconfig.json',
      '{ "compilerOptions": { "strict": 1 } }',
      UsageError,
      "'strict'",
    ],
    [
      'that is a package.json',
      'package/package.json',
      '{ "name": "a", "files": ["dist"] }',
      UsageError,
      'not a TypeScript configuration',
    ],
    ['that is other JSON', 'other/data.json', '{ "points": [] }', UsageError, 'not a TypeScript configuration'],
    ['that is an array', 'list/data.json', '[]', UsageError, 'must be an object'],
  ])('require a valid configuration, not one %s', async (_, path, content, error, message) => {
    const file = content === '' ? join(folder, path) : write(path, content);
    await expect(find(file, old, newer)).rejects.toThrow(error);
    await expect(find(file, old, newer)).rejects.toThrow(message);
    await expect(find(file, old, newer)).rejects.toThrow(file);
  });
});
