/** What `--used-by` sees of programs. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

import { Project, ts } from 'ts-morph';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { formatUse, type Change } from '../generator/src/diff/change.js';
import { diff } from '../generator/src/diff/compare.js';
import { touching, usage, type Location, type Usage } from '../generator/src/diff/used-by.js';
import { wireOf, type WireSchema } from '../generator/src/diff/wire.js';
import { emitPackage } from '../generator/src/emit/package.js';
import { FileError, UsageError } from '../generator/src/errors.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import type { Schema } from '../generator/src/model.js';
import { repository } from './support/compile.js';
import { schemaOf } from './support/schema.js';

let folder: string;
beforeAll(() => {
  mkdirSync(join(repository, '.cache'), { recursive: true });
  folder = mkdtempSync(join(repository, '.cache/used-by-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** @returns the path */
function write(path: string, content: string | object): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

async function writePackage(path: string, schema: Schema): Promise<void> {
  const options = { origin: 'a test', generator: '0.0.0', docs: false };
  const files = await emitPackage(schema, options, (text) => Promise.resolve(text));
  for (const [file, text] of files) write(join(path, file), text);
}

const verbs = { reads: 'compares', writes: 'passes', either: 'names' };

/** What was found, by place, as `backup.ts:12 reads BlockInfo.device`. */
function describeUsage(found: Usage, place: (at: Location) => string): string[] {
  const lines = [
    ...found.commands.map(
      ({ name, at, isBare, isMethod }) =>
        [at, `calls ${name}${isMethod ? ' (a method)' : ''}${isBare ? ' without arguments' : ''}`] as const,
    ),
    ...found.events.map(({ name, at }) => [at, `hears ${name}`] as const),
    ...found.members.map(({ access, member, at }) => [at, `${access} ${member}`] as const),
    ...found.values.map(
      ({ enum: name, value, access, at }) => [at, `${verbs[access ?? 'either']} ${name} ${value}`] as const,
    ),
    ...found.constructions.map(
      ({ keys, at }) => [at, `makes ${keys.map((key) => key.replace(/.*#/u, '')).join(' or ')}`] as const,
    ),
    ...found.unclear.map((one) => [one, `unclear: ${one.text}`] as const),
  ];
  const sorted = lines.toSorted(([a], [b]) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column);
  return [...new Set(sorted.map(([at, text]) => `${place(at)} ${text}`))];
}

describe('programs', () => {
  const programs = [
    { name: 'backup', server: 'qmp', root: 'qapi/qapi-schema.json' },
    { name: 'launcher', server: 'qmp', root: 'qapi/qapi-schema.json' },
    { name: 'agent', server: 'qga', root: 'qga/qapi-schema.json' },
  ];
  const load = (version: string, root: string): Schema => loadSchema(join(repository, 'schema', version, root));

  describe.each(programs)('$name', ({ name, server, root }) => {
    const config = join(repository, 'test/used-by', name, 'tsconfig.json');
    const place = ({ file, line }: Location): string => `${relative(`test/used-by/${name}`, file)}:${line}`;
    const golden = (text: string): string => join(repository, 'test/used-by', name, text);
    let found: Usage;
    beforeAll(() => {
      found = usage(config);
    }, 30_000);

    test('what it uses', async () => {
      const text = `${describeUsage(found, place).join('\n')}\n`;
      await expect(text).toMatchFileSnapshot(golden('usage.txt'));
    });

    test('the packages as they are built make no difference', () => {
      const built = write(`${name}.json`, {
        extends: config,
        compilerOptions: { paths: {} },
        include: [join(dirname(config), 'src')],
      });
      const other = usage(built);
      expect(other.packages).toEqual([join(repository, 'generated/dist', server)]);
      expect(describeUsage(other, place)).toEqual(describeUsage(found, place));
    });

    // Whether a program was made for the one or the other: what the compiler refuses is seen, too.
    test.each(['7.2.0', '10.2.2'])(
      'what touches it, from 7.2 to 10.2, with the generated code of %s',
      async (version) => {
        await writePackage(`${version}/${server}`, load(version, root));
        const paths = { ...runtime, '@qapi-ts/qemu/*': [join(folder, version, '*/index.ts')] };
        const include = [join(dirname(config), 'src')];
        const program = usage(write(`${name}.json`, { extends: config, compilerOptions: { paths }, include }));
        const [old, now] = ['7.2.0', '10.2.2'].map((one) => wireOf(load(one, root))) as [WireSchema, WireSchema];
        const lines = touching(diff(old, now), program).map(({ change, at }) => {
          const { verdict, kind, uses, place: about } = change;
          const what = `${formatUse(uses[0])}${about.value === undefined ? '' : ` '${about.value}'`}`;
          return `${verdict}: ${kind} ${what}: ${at.map(place).join(', ')}`;
        });
        await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(golden('touched.txt'));
      },
    );
  });
});

/** A schema with one thing of each kind. */
const drawing = `
{ 'enum': 'Mode', 'data': ['fast', 'slow', 'exact'] }
{ 'enum': 'Kind', 'data': ['circle', 'square'] }
{ 'struct': 'Point', 'data': { 'x': 'int', 'y': 'int' } }
{ 'struct': 'Circle', 'data': { 'radius': 'int', '*center': 'Point' } }
{ 'struct': 'Square', 'data': { 'side': 'int', '*corner': 'Point' } }
{ 'union': 'Shape', 'base': { 'kind': 'Kind', '*label': 'str' }, 'discriminator': 'kind',
  'data': { 'circle': 'Circle', 'square': 'Square' } }
{ 'alternate': 'Ref', 'data': { 'name': 'str', 'shape': 'Shape' } }
{ 'struct': 'Drawing', 'data': { 'id': 'str', 'mode': 'Mode', '*shape': 'Shape', 'points': ['Point'] } }
{ 'command': 'draw', 'data': { 'shape': 'Shape', '*mode': 'Mode', '*modes': ['Mode'], '*at': 'Ref' }, 'returns': 'Drawing' }
{ 'command': 'draw-all', 'data': 'Drawing', 'boxed': true }
{ 'command': 'query-drawings', 'returns': ['Drawing'] }
{ 'command': 'remove', 'data': { 'id': 'str', '*force': 'bool' } }
{ 'command': 'clear' }
{ 'command': 'set', 'data': { 'id': 'str' }, 'gen': false }
{ 'event': 'DRAWN', 'data': { 'id': 'str', 'mode': 'Mode' } }
{ 'event': 'CLEARED' }
`;

/**
 * Programs, with what is seen of each line behind it. `vm` is the client, `drawing` a `Drawing`, and `unknown` what nobody knows.
 */
const cases: Readonly<Record<string, string>> = {
  'calls by method': `
    await vm.clear(); // calls clear without arguments
    await vm.remove({ id: 'a' }); // calls remove + makes RemoveArguments + writes RemoveArguments.id
    await vm['clear']({}); // calls clear
    await vm?.clear(undefined, { timeout: 1 }); // calls clear without arguments
    const clear = vm.clear.bind(vm); // calls clear
    const { clear: also } = vm; // calls clear
    await vm[unknown as 'clear' | 'queryDrawings'](); // calls clear without arguments + calls query-drawings without arguments
    const key: keyof Client = unknown;
    void vm[key]; // unclear: 'key' may be the name of any method`,
  'calls by name': `
    await vm.execute('clear'); // calls clear without arguments
    await vm.execute('remove', { id: 'a', force: true }); // calls remove + makes RemoveArguments + writes RemoveArguments.id + writes RemoveArguments.force
    for (const name of ['clear', 'query-drawings'] as const) await vm.execute(name); // calls clear without arguments + calls query-drawings without arguments
    const name = 'clear';
    await vm.execute(name); // calls clear without arguments
    const any: keyof Commands = unknown; // unclear: 'any' becomes the name of any command
    await vm.execute(any, {} as never); // unclear: 'never' is passed to 'vm.execute'`,
  'calls by raw name': `
    await vm.executeRaw('clear'); // calls clear without arguments
    await vm.executeRaw('remove', { id: 'a' }); // calls remove + makes RemoveArguments + writes RemoveArguments.id
    const drawings = await vm.executeRaw('query-drawings'); // calls query-drawings without arguments + unclear: the result of 'query-drawings' by 'executeRaw'
    await vm.executeRaw('remove', unknown as JsonObject); // calls remove + makes RemoveArguments + unclear: 'JsonObject' is passed to 'vm.executeRaw'
    await vm.executeRaw('x-new', { a: 1 }); // calls x-new + unclear: the arguments of 'x-new' by 'executeRaw'
    await vm.executeRaw(unknown); // unclear: 'unknown' may be the name of any command
    await vm.execute(unknown, unknown); // unclear: 'unknown' may be the name of any command
    await vm.executeRaw(String(unknown)); // unclear: 'String(unknown)' may be the name of any command`,
  'functions that take any name': `
    async function run<N extends keyof Commands>(name: N, args: Commands[N]['arguments']): Promise<void> {
      await vm.execute(name, ...([args] as never));
    }
    await run('remove', { id: 'a' }); // calls remove + makes RemoveArguments + writes RemoveArguments.id
    await run('clear', {}); // calls clear`,
  'types of commands and events': `
    type Args = Commands['remove']['arguments']; // calls remove
    const args: Args = { id: 'a' }; // makes RemoveArguments + writes RemoveArguments.id
    type Data = Events['DRAWN']['data']; // hears DRAWN`,
  'arguments made elsewhere': `
    const id = 'a';
    const args = { id, force: true }; // makes RemoveArguments + writes RemoveArguments.id + writes RemoveArguments.force
    await vm.remove(args); // calls remove
    const more: { id: string } = args;
    await vm.remove(more); // calls remove + writes RemoveArguments.id + makes RemoveArguments
    await vm.remove({ ...more, force: false }); // calls remove + writes RemoveArguments.id + makes RemoveArguments + writes RemoveArguments.force
    const later: RemoveArguments = { id }; // makes RemoveArguments + writes RemoveArguments.id
    later.force = true; // writes RemoveArguments.force
    await vm.remove(later); // calls remove
    const part: Partial<RemoveArguments> = {};
    part.id = id; // writes RemoveArguments.id
    const rest: Omit<RemoveArguments, 'id'> = { force: true }; // writes RemoveArguments.force
    await vm.remove({ id, ...rest }); // calls remove + makes RemoveArguments + writes RemoveArguments.id
    await vm.remove({ id, ...part }); // calls remove + makes RemoveArguments
    const checked = { id } satisfies RemoveArguments; // makes RemoveArguments + writes RemoveArguments.id
    function make(): RemoveArguments { return { id }; } // makes RemoveArguments + writes RemoveArguments.id`,
  unions: `
    let shape: Shape = { kind: 'circle', radius: 1, center: { x: 1, y: 2 } }; // makes Shape_circle + writes Shape_circle.kind + passes Kind circle + writes Circle.radius + writes Circle.center + makes Point + writes Point.x + writes Point.y
    await vm.draw({ shape, at: { kind: 'square', side: 2 } }); // calls draw + makes DrawArguments + writes DrawArguments.shape + writes DrawArguments.at + makes Shape_square + writes Shape_square.kind + passes Kind square + writes Square.side
    await vm.draw({ shape: Math.random() > 0.5 ? { kind: 'circle', radius: 3 } : shape, at: 'a' }); // calls draw + makes DrawArguments + writes DrawArguments.shape + makes Shape_circle + writes Shape_circle.kind + passes Kind circle + writes Circle.radius + writes DrawArguments.at
    const kind = unknown as 'circle' | 'square';
    const both = { kind, radius: 1, side: 1 }; // makes Shape_circle or Shape_square + writes Shape_circle.kind + writes Shape_square.kind + passes Kind circle + passes Kind square + writes Circle.radius + writes Square.side
    await vm.draw({ shape: both }); // calls draw + makes DrawArguments + writes DrawArguments.shape
    shape = drawing.shape ?? { kind: 'square', side: 1 }; // reads Drawing.shape + makes Shape_square + writes Shape_square.kind + passes Kind square + writes Square.side
    if (shape.kind === 'circle') console.log(shape.radius); // reads Shape_circle.kind + reads Shape_square.kind + compares Kind circle + reads Circle.radius
    else console.log(shape.side); // reads Square.side
    if ('side' in shape) console.log(shape.corner?.x); // reads Square.side + reads Square.corner + reads Point.x`,
  enums: `
    const mode: Mode = 'fast'; // names Mode fast
    await vm.draw({ shape: unknown, mode, modes: ['slow'] }); // calls draw + makes DrawArguments + writes DrawArguments.shape + unclear: 'any' becomes 'Shape' + writes DrawArguments.mode + passes Mode fast + writes DrawArguments.modes + passes Mode slow
    const own = unknown as 'fast' | 'slow';
    await vm.draw({ shape: unknown, mode: own }); // calls draw + makes DrawArguments + writes DrawArguments.shape + unclear: 'any' becomes 'Shape' + writes DrawArguments.mode + passes Mode fast + passes Mode slow
    await vm.draw({ shape: unknown, mode: (own as string) as Mode }); // calls draw + makes DrawArguments + writes DrawArguments.shape + unclear: 'any' becomes 'Shape' + writes DrawArguments.mode + unclear: 'string' becomes a value of 'Mode'
    switch (drawing.mode) { // reads Drawing.mode
      case 'exact': break; // compares Mode exact
      default: break;
    }
    const { mode: found } = drawing; // reads Drawing.mode
    if (found !== 'slow' && found !== 'fast') console.log('exact'); // compares Mode slow + compares Mode fast
    function isFast(what: Mode | undefined): boolean { return what === 'fast'; } // compares Mode fast
    console.log(isFast(mode)); // names Mode fast`,
  reading: `
    const all = await vm.queryDrawings(); // calls query-drawings without arguments
    for (const { id, points: [first] } of all) console.log(id, first?.x); // reads Drawing.id + reads Drawing.points + reads Point.x
    console.log(all.map((one) => one.points.length), all[0]!.shape?.label); // reads Drawing.points + reads Drawing.shape + reads ShapeBase.label
    const { id: a, ...rest } = drawing; // reads Drawing.id
    console.log(rest.mode); // reads Drawing.mode
    let b: string;
    ({ id: b } = drawing); // reads Drawing.id
    console.log(a, b, drawing['id']); // reads Drawing.id
    for (const key of ['id', 'mode'] as const) console.log(drawing[key]); // reads Drawing.id + reads Drawing.mode
    await vm.queryDrawings().then(([one]) => one?.id); // calls query-drawings without arguments + reads Drawing.id
    const byId = new Map(all.map((one) => [one.id, one])); // reads Drawing.id
    console.log(byId.get('a')?.mode); // reads Drawing.mode
    const pick = <K extends 'id' | 'points'>(key: K): Drawing[K] => drawing[key]; // reads Drawing.id + reads Drawing.points
    console.log(pick('id'), { ...drawing }.shape); // unclear: 'Shape | undefined' is passed to 'console.log' + reads Drawing.shape`,
  'types of the program': `
    interface Titled { id: string }
    const show = ({ id }: Titled): void => console.log(id);
    show(drawing); // reads Drawing.id
    const titled: readonly Titled[] = await vm.queryDrawings(); // reads Drawing.id + calls query-drawings without arguments
    const copy: { points: { x: number | bigint }[] } = drawing; // reads Drawing.points + reads Point.x
    interface Board { queryDrawings(): Promise<Titled[]> }
    const board: Board = vm; // calls query-drawings + reads Drawing.id
    class Wall { async queryDrawings(): Promise<Drawing[]> { return vm.queryDrawings(); } } // calls query-drawings without arguments
    const wall: Board = new Wall(); // reads Drawing.id
    console.log(titled, copy, board, wall);`,
  'what cannot be followed': `
    const text = JSON.stringify(drawing); // unclear: 'Drawing' is passed to 'JSON.stringify'
    console.log([drawing]); // unclear: 'Drawing[]' is passed to 'console.log'
    console.log({ drawing }, text); // unclear: '{ drawing: Drawing; }' is passed to 'console.log'
    const any: any = drawing; // unclear: 'Drawing' becomes 'any'
    const other = drawing as unknown as { colour: string }; // unclear: 'Drawing' becomes 'unknown'
    for (const key in drawing) console.log(key); // unclear: the members of 'Drawing' are enumerated
    console.log(Object.keys(drawing.points), any, other); // unclear: 'Point[]' is passed to 'Object.keys' + reads Drawing.points
    const wild: any = vm; // unclear: 'Client' becomes 'any'
    await wild.clear();
    await vm.remove(JSON.parse('{}')); // calls remove + unclear: 'any' is passed to 'vm.remove' as 'RemoveArguments'
    await vm.remove({ id: 'a' } as never); // calls remove + unclear: 'never' is passed to 'vm.remove'
    wild(drawing); // unclear: 'Drawing' is passed to 'wild'
    const loose = vm.queryDrawings as any; // unclear: a function becomes 'any' + calls query-drawings
    class Keeper { constructor(readonly drawing: Drawing, readonly vm: Client) {} }
    console.log(new Keeper(drawing, vm), loose); // unclear: 'Keeper' is passed to 'console.log'
    void drawing[unknown as 'id']; // reads Drawing.id
    void drawing[unknown]; // unclear: 'unknown' may be any member of 'Drawing'
    const { [unknown]: something } = drawing; // unclear: '[unknown]' may be any member of 'Drawing'
    const tag = (texts: readonly string[], ...values: unknown[]): number => texts.length + values.length;
    tag\`a \${drawing} b\`; // unclear: 'Drawing' becomes 'unknown'`,
  'what need not be followed': `
    console.log(drawing.id, String(drawing.points.length)); // reads Drawing.id + reads Drawing.points
    const args: RemoveArguments = { id: 'a' }; // makes RemoveArguments + writes RemoveArguments.id
    console.log(args);
    await vm.remove(args); // calls remove`,
  'generic functions': `
    const retry = async <T>(attempt: () => Promise<T>): Promise<T> => attempt();
    const found = await retry(() => vm.queryDrawings()); // calls query-drawings without arguments
    console.log(found.length);
    function dump<T>(value: T): void { console.log(value); } // unclear: 'T' is passed to 'console.log' as 'any'
    function pass<U>(value: U): void { dump(value); }
    pass(drawing);
    class Box<V> { constructor(value: V) { console.log(value); } } // unclear: 'V' is passed to 'console.log' as 'any'
    new Box(found[0]?.points[0]); // reads Drawing.points
    const named = <W extends { id: string }>(value: W): string => value.id;
    named(drawing); // reads Drawing.id`,
  'functions from elsewhere': `
    send(drawing); // unclear: 'Drawing' is passed to 'send', which is not of the program
    consume(drawing); // unclear: 'Drawing' is passed to 'consume', which is not of the program
    await vm.draw({ shape: anyShape() }); // calls draw + makes DrawArguments + writes DrawArguments.shape + unclear: 'Shape' comes from 'anyShape', which is not of the program`,
  validators: `
    if (isShape(unknown)) await vm.draw({ shape: unknown }); // unclear: a value from elsewhere becomes 'Shape' + calls draw + makes DrawArguments + writes DrawArguments.shape
    const issues = isShape.issues(unknown); // unclear: a value from elsewhere becomes 'Shape'
    const check = isShape; // unclear: 'isShape' is passed on, and may let in any 'Shape'
    const ofArguments = validators.commands['remove'].arguments(unknown); // calls remove + unclear: a value from elsewhere becomes 'RemoveArguments'
    const same = isShape(drawing.shape); // reads Drawing.shape
    await vm.remove({ id: 'a' }); // calls remove + makes RemoveArguments + writes RemoveArguments.id
    function isMine(what: unknown): what is RemoveArguments { return what === issues; } // unclear: a function of the program says what is a 'RemoveArguments'
    console.log(check, ofArguments, same, isMine);`,
  events: `
    vm.on('DRAWN', ({ data }) => console.log(data.id)); // hears DRAWN + reads DrawnEvent.id
    vm.once('CLEARED', (event) => console.log(event.timestamp)); // hears CLEARED
    vm.off('CLEARED', () => {}); // hears CLEARED
    for await (const event of vm.events(['DRAWN', 'CLEARED'])) { // hears DRAWN + hears CLEARED
      if (event.event === 'DRAWN' && event.data.mode === 'slow') break; // reads DrawnEvent.mode + compares Mode slow
    }
    const { event } = await vm.remove({ id: 'a' }, { until: ['CLEARED'] }); // calls remove + makes RemoveArguments + writes RemoveArguments.id + hears CLEARED
    const options = { until: ['DRAWN'], where: ({ data }) => data.id === 'a' } as const satisfies CallOptions<Events, 'DRAWN'>; // hears DRAWN + reads DrawnEvent.id
    vm.on('disconnected', ({ error }) => console.log(error, event, options));
    vm.on('*', (one) => console.log(one.event, one.data)); // unclear: all events are listened to
    vm.on('DRAWN', (one: unknown) => console.log(one)); // hears DRAWN + unclear: an event becomes 'unknown'
    const handle = (one: { data: { id: string } }): void => console.log(one.data.id);
    vm.on('DRAWN', handle); // hears DRAWN + reads DrawnEvent.id`,
  'arguments beyond the schema': `
    await vm.set({ id: 'a', colour: 'red' }); // calls set + makes SetArguments + writes SetArguments.id
    const properties: Record<string, string> = { colour: 'red' };
    await vm.set({ ...properties, id: 'a' }); // calls set + makes SetArguments + unclear: 'Record<string, string>' is a part of 'SetArguments & FurtherArguments' + writes SetArguments.id`,
  'what generated code does not have': `
    await vm.paint({ colour: 'red' }); // calls paint (a method)
    await vm.remove({ id: 'a', why: 'old' }); // calls remove + makes RemoveArguments + writes RemoveArguments.id + writes RemoveArguments.why
    const { colour } = drawing; // reads Drawing.colour
    console.log(drawing.size, drawing['width']); // reads Drawing.size + reads Drawing.width
    if (drawing.mode === 'rough') console.log(colour); // reads Drawing.mode + compares Mode rough`,
  classes: `
    class Board extends Client {
      async wipe(): Promise<void> { await this.clear(); } // calls clear without arguments
    }
    class Holder {
      constructor(private readonly vm: Client) {}
      async ids(): Promise<string[]> { return (await this.vm.queryDrawings()).map(({ id }) => id); } // calls query-drawings without arguments + reads Drawing.id
    }
    console.log(Board, Holder, qemu.Mode);
    const again: qemu.Client = vm;
    await again.clear(); // calls clear without arguments`,
};

/** Of another package, which it takes its types from as the program does. */
const elsewhere = `
import type { Drawing, Shape } from 'drawing';
export declare function send(value: Drawing): void;
export declare function consume<T>(value: T): T;
export declare function anyShape(): Shape;
`;

/** What both sides of the comparison have, of things that change. */
const changing = (now: boolean): string => {
  const pick = (before: string, after: string): string => (now ? after : before);
  return `
{ 'enum': 'Mode', 'data': ['fast', 'slow', ${pick("'exact'", "'rough'")}] }
{ 'enum': 'Kind', 'data': ['circle', 'square'] }
{ 'struct': 'Point', 'data': { 'x': '${pick('int', 'str')}', 'y': 'int' } }
{ 'struct': 'Circle', 'data': { 'radius': 'int' ${pick('', ", 'colour': 'str'")} } }
{ 'struct': 'Square', 'data': { 'side': 'int'}${pick('', ", 'features': ['round']")} }
{ 'union': 'Shape', 'base': { 'kind': 'Kind' }, 'discriminator': 'kind', 'data': { 'circle': 'Circle', 'square': 'Square' } }
{ 'alternate': 'Ref', 'data': { ${pick("'name': 'str',", '')} 'shape': 'Shape' } }
{ 'struct': 'Drawing', 'data': { 'id': 'str', '${pick('', '*')}at': 'Point', 'mode': 'Mode' ${pick(", 'size': 'int'", ", 'length': 'int'")} } }
{ 'command': 'draw', 'data': { 'shape': 'Shape', '${pick('*', '')}mode': 'Mode', '*at': 'Ref' ${pick(", '*speed': 'int'", ", '*quality': 'int'")} } }
{ 'command': 'query-drawings', 'returns': ['Drawing'] ${pick('', ", 'allow-oob': true")} }
{ 'command': 'remove', 'data': { 'id': 'str', '*force': ${pick("'bool'", "{ 'type': 'bool', 'features': ['deprecated'] }")} ${pick('', ", 'why': 'str'")} } }
{ 'command': 'set', 'data': { 'id': 'str' }, 'features': []${pick(", 'gen': false", '')} }
{ 'command': 'count', 'returns': ['${pick('int', 'str')}'] }
{ 'command': 'flip' ${pick('', ", 'data': { 'axis': 'str' }")} }
{ 'command': 'turn', 'data': { 'by': '${pick('int', 'str')}' } }
{ 'event': 'TURNED' ${pick('', ", 'if': 'CONFIG_TURN'")} }
${pick("{ 'command': 'clear' }\n{ 'event': 'CLEARED' }\n", "{ 'command': 'x-new' }\n{ 'event': 'NEW' }")}
{ 'pragma': { 'command-returns-exceptions': ['count'] } }
`;
};

/** A program, with the changes that touch each line behind it. */
const touched = `
    await vm.clear(); // command-removed clear
    vm.on('CLEARED', () => {}); // event-removed CLEARED
    vm.once('TURNED', () => {}); // condition-changed TURNED
    await vm.executeRaw('x-new'); // command-added x-new
    await vm.remove({ id: 'a' }); // member-added remove: arguments.why
    const args = { id: 'a', force: true, why: 'new' }; // feature-added remove: arguments.force
    await vm.remove(args);
    await vm.set({ id: 'a', colour: 'red' }); // further-arguments-changed set
    await vm.flip(); // member-added flip: arguments.axis
    await vm.execute('flip', {}); // member-added flip: arguments.axis
    const count = await vm.count(); // type-changed count: result[]
    for (const drawing of await vm.queryDrawings()) {
      if (drawing.mode === 'exact') console.log(count); // value-removed query-drawings: result[].mode + value-added query-drawings: result[].mode
      console.log(drawing.id, drawing.size); // member-removed query-drawings: result[].size
      const { at } = drawing; // member-optional query-drawings: result[].at
      console.log(at.x, at.y); // type-changed query-drawings: result[].at.x
    }
    await vm.draw({ // member-mandatory draw: arguments.mode
      shape: { kind: 'square', side: 1 }, // feature-added draw: arguments.at(kind=square)
      speed: 1, // member-removed draw: arguments.speed
    });
    const circle: Shape = { kind: 'circle', radius: 1 }; // member-added draw: arguments.at(kind=circle).colour
    await vm.draw({
      shape: circle,
      mode: 'exact', // value-removed draw: arguments.mode
      at: 'a', // alternative-removed draw: arguments.at
    });
    await vm.draw({ shape: JSON.parse('{}'), mode: 'slow' }); // member-added draw: arguments.at(kind=circle).colour
`;

const compilerOptions = {
  strict: true,
  target: 'ES2022',
  lib: ['ES2022', 'ESNext.Disposable'],
  module: 'ESNext',
  moduleResolution: 'Bundler',
};
const runtime = { '@qapi-ts/runtime': [join(repository, 'runtime/dist/index.d.ts')] };
const emitted = {
  ...compilerOptions,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  declaration: true,
  paths: runtime,
};

/** Of each line that has one, the comment. */
function commented(name: string, code: string): string[] {
  return code.split('\n').flatMap((line, index) => {
    const [, comment] = line.split(' // ');
    return comment === undefined ? [] : comment.split(' + ').map((text) => `${name}:${index} ${text}`);
  });
}

describe('cases', () => {
  const header = `
    import { Client, validators, isShape } from 'drawing';
    import type { CallOptions, Commands, Drawing, Events, JsonObject, Mode, RemoveArguments, Shape } from 'drawing';
    import * as qemu from 'drawing';
    import { anyShape, consume, send } from 'elsewhere';
    declare const vm: Client; declare const drawing: Drawing; declare const unknown: any;`;
  const lines = header.split('\n').length;
  const place = ({ file, line }: Location): string => `${basename(file, '.ts')}:${line - lines - 1}`;
  const expected = Object.entries(cases)
    .flatMap(([name, code]) => commented(name, code))
    .toSorted();

  beforeAll(async () => {
    await writePackage('drawing', schemaOf(drawing));
    write('node_modules/elsewhere/package.json', { name: 'elsewhere', types: 'index.d.ts' });
    write('node_modules/elsewhere/index.d.ts', elsewhere);
    for (const [name, code] of Object.entries(cases)) write(`cases/${name}.ts`, `${header}\n${code}`);
  });

  test('generated code that is compiled with the program', () => {
    const paths = { ...runtime, drawing: ['../drawing/index.ts'] };
    const tsconfig = write('cases/sources.json', { compilerOptions: { ...compilerOptions, paths } });
    const found = usage(tsconfig);
    expect(found.packages).toEqual([join(folder, 'drawing')]);
    expect(describeUsage(found, place).toSorted()).toEqual(expected);
  });

  test('generated code of which there are declarations', () => {
    const program = new Project({ compilerOptions: { ...emitted, outDir: join(folder, 'declared') } });
    program.addSourceFileAtPath(join(folder, 'drawing/index.ts'));
    expect(program.emitSync({ emitOnlyDtsFiles: true }).getDiagnostics()).toEqual([]);
    const paths = { ...runtime, drawing: ['../declared/index.d.ts'] };
    const found = usage(write('cases/declared.json', { compilerOptions: { ...compilerOptions, paths } }));
    expect(found.packages).toEqual([join(folder, 'declared')]);
    expect(describeUsage(found, place).toSorted()).toEqual(expected);
  });
});

test.each(['old', 'new'])(
  'changes touch what uses what has changed, with generated code of the %s schema',
  async (side) => {
    const [old, now] = [false, true].map((isNow) => schemaOf(changing(isNow))) as [Schema, Schema];
    await writePackage(side, side === 'old' ? old : now);
    const header = `import { Client, type Shape } from 'changing'; declare const vm: Client;`;
    write('touched/program.ts', `${header}${touched}`);
    const paths = { ...runtime, changing: [`../${side}/index.ts`] };
    const program = usage(write('touched/tsconfig.json', { compilerOptions: { ...compilerOptions, paths } }));
    const changes = diff(wireOf(old), wireOf(now));
    const title = ({ kind, uses: [use] }: Change): string => `${kind} ${formatUse(use)}`;
    const found = touching(changes, program);
    const lines = found.flatMap(({ change, at }) => at.map(({ line }) => `program:${line - 1} ${title(change)}`));
    expect(lines.toSorted()).toEqual(commented('program', touched).toSorted());
    const others = changes.filter((change) => found.every((one) => one.change !== change));
    expect(others.map(title)).toEqual([
      'member-added draw: arguments.quality',
      'value-added draw: arguments.mode',
      'oob-granted query-drawings',
      'member-added query-drawings: result[].length',
      'type-changed turn: arguments.by',
      'event-added NEW',
    ]);
  },
);

describe('configurations', () => {
  const paths = { ...runtime, drawing: [join(repository, 'generated/qga/index.ts')] };
  const text = `import { type Client } from 'drawing'; export const ask = async (vm: Client) => vm.guestPing();\n`;

  test('that refer to others', () => {
    write('many/a/a.ts', text);
    write('many/b/b.ts', text);
    for (const name of ['a', 'b'])
      write(`many/${name}/tsconfig.json`, { compilerOptions: { ...compilerOptions, composite: true, paths } });
    write('many/tsconfig.json', { files: [], references: [{ path: 'a' }, { path: 'b/tsconfig.json' }] });
    const { commands } = usage(join(folder, 'many'));
    expect(commands.map(({ name, at }) => `${name} ${basename(at.file)}`)).toEqual([
      'guest-ping a.ts',
      'guest-ping b.ts',
    ]);
  });

  test('of a program that uses no generated code', () => {
    write('none/main.ts', 'export const one = 1;\n');
    const found = usage(write('none/tsconfig.json', { compilerOptions }));
    expect(found).toMatchObject({ packages: [], commands: [], events: [], members: [], values: [], unclear: [] });
  });

  test('with options of a newer TypeScript', () => {
    write('newer/main.ts', text);
    const options = { ...compilerOptions, target: 'ES2099', someNewOption: true, paths };
    expect(usage(write('newer/tsconfig.json', { compilerOptions: options })).commands).toHaveLength(1);
  });

  test.each<[string, string, new (message: string) => Error, string]>([
    ['that is not there', '', FileError, "cannot read '"],
    ['that is no JSON', '{', UsageError, "'}' expected"],
    ['without files', '{ "include": ["nothing"] }', UsageError, 'No inputs were found'],
    ['that extends what is not there', '{ "extends": "./absent.json" }', UsageError, 'absent.json'],
    ['with an option of the wrong type', '{ "compilerOptions": { "strict": 1 } }', UsageError, "'strict'"],
  ])('%s', (name, content, error, message) => {
    const file = content === '' ? join(folder, 'absent/tsconfig.json') : write(`${name}/tsconfig.json`, content);
    expect(() => usage(file)).toThrow(error);
    expect(() => usage(file)).toThrow(message);
    expect(() => usage(file)).toThrow(file);
  });
});
