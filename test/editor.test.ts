/** What an editor shows for the published packages, and for code that a user has generated. */

import { cpSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { compilers, repository } from './support/compile.js';
import { Editor, Installed, LanguageServer } from './support/editor.js';

const program = `
import { ChardevBackendKind, connect, RunState, type Commands, type StatusInfo } from '@qapi-ts/qemu/qmp';
import { Speed } from './own/index.js';

const vm = await connect({ path: '/run/vm1.qmp' });
await vm.driveBackup({ device: 'drive0', sync: 'full', target: 'copy' });
await vm.execute('drive-backup', { device: 'drive0', sync: 'full', target: 'copy' });
export type Argument = Commands['drive-backup'];
await vm.blockdevAdd({ driver: 'qcow2', file: 'file0', 'lazy-refcounts': true });
vm.on('BLOCK_IO_ERROR', (failure) => console.log(failure.data.device));
for await (const change of vm.events(['STOP', 'RESUME'])) console.log(change.event);
const { status }: StatusInfo = await vm.queryStatus();
console.log(status === RunState['io-error'], RunState.colo, ChardevBackendKind.memory, ChardevBackendKind.ringbuf, Speed.low);
`;

const mistakes = `
import { connect } from '@qapi-ts/qemu/qmp';

const vm = await connect({ path: '/run/vm1.qmp' });
vm.on('STOPP', () => {});
vm.once('STIP', () => {});
vm.off('TSOP', () => {});
vm.on('block_job_redy', () => {});
vm.on('BLOCK_JOB', () => {});
vm.on('disconected', () => {});
vm.on('', () => {});
vm.events(['STOPP']);
export function listen(name: string): void {
  vm.on(name, () => {});
}
`;

let installed: Installed;
beforeAll(() => {
  installed = new Installed();
  cpSync(join(repository, 'test/golden/docs'), join(installed.folder, 'own'), { recursive: true });
}, 60_000);
afterAll(() => installed[Symbol.dispose]());

const manual = 'https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html';

describe.each(['5.4', '6.0'] as const)('the language server of TypeScript %s', (version) => {
  let server: LanguageServer;
  let editor: Editor;
  let mistaken: Editor;
  beforeAll(() => {
    server = new LanguageServer(compilers[version], installed.folder);
    editor = new Editor(server, installed.folder, 'program.ts', program);
    mistaken = new Editor(server, installed.folder, 'mistakes.ts', mistakes);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('reports no error, and strikes through what is deprecated', { timeout: 60_000 }, async () => {
    expect(await editor.errors()).toEqual([]);
    expect(await editor.deprecated()).toEqual(['driveBackup', `'drive-backup'`, 'memory', 'low']);
  });

  test.each([
    {
      what: 'a method',
      at: 'vm.drive|Backup',
      text: '(method) Client.driveBackup<never>(args: DriveBackup, options?: CallOptions<Events, never> | undefined): Promise<void>',
      tags: ['@deprecated', '@since 1.6'],
    },
    {
      what: 'execute',
      at: 'vm.exe|cute',
      text: '(method) Client<Commands, Events>.execute<"drive-backup", never>(name: "drive-backup", args: DriveBackup, options?: CallOptions<Events, never> | undefined): Promise<void>',
      documentation: 'Executes a command of the schema by its wire name.',
    },
    {
      what: 'an entry of the map of commands',
      at: `Commands['drive|-backup']`,
      text: `(property) Commands['drive-backup']: {\n    arguments: DriveBackup;\n    result: void;\n}`,
      tags: ['@deprecated', '@since 1.6'],
    },
    {
      what: 'an event',
      at: '(fail|ure) =>',
      text: '(parameter) failure: QmpEvent<"BLOCK_IO_ERROR", BlockIoErrorEvent>',
    },
    {
      what: 'the data of an event',
      at: 'failure.da|ta',
      text: '(property) QmpEvent<"BLOCK_IO_ERROR", BlockIoErrorEvent>.data: BlockIoErrorEvent',
      documentation: "The event's data, as sent by the server.",
    },
    {
      what: 'one of several events',
      at: 'const ch|ange of',
      text: 'const change: EventOf<Events, "STOP" | "RESUME">',
    },
    {
      what: 'an enum',
      at: 'console.log(status === Run|State',
      text: 'const RunState: {',
      tags: [`${manual}#enum-QMP-run-state.RunState`],
    },
    { what: 'a value', at: `RunState['io|-error']`, text: `(property) 'io-error': "io-error"` },
    { what: 'a value with a comment', at: 'RunState.co|lo', text: '(property) colo: "colo"', tags: ['@since 2.8'] },
    { what: 'a deprecated value', at: 'ChardevBackendKind.mem|ory', tags: ['@deprecated'] },
    {
      what: 'a value with documentation',
      at: 'Speed.l|ow',
      documentation: 'It turns inaudibly.',
      tags: ['@deprecated Nobody needs `low`.'],
    },
    {
      what: 'a member of a branch',
      at: `'lazy|-refcounts'`,
      text: `(property) BlockdevOptionsQcow2['lazy-refcounts']?: boolean | undefined`,
    },
    { what: 'a discriminator', at: 'dri|ver:', text: '(property) BlockdevOptions_qcow2.driver: "qcow2"' },
  ])('shows $what', async ({ at, text = '', documentation = '', tags = [] }) => {
    const shown = await editor.hover(at);
    expect(shown?.text).toContain(text);
    expect(shown?.documentation).toContain(documentation);
    for (const tag of tags) expect(shown?.tags).toContainEqual(expect.stringContaining(tag));
  });

  test.each([
    { what: 'a method', at: 'vm.drive|Backup', name: 'driveBackup', isDeprecated: true, tags: ['@since 1.6'] },
    { what: 'a command of execute', at: `execute('drive|-backup'`, name: 'blockdev-add' },
    { what: 'a value of an enum', at: `RunState['io|-error']`, name: 'io-error' },
    { what: 'a value with a comment', at: `RunState['io|-error']`, name: 'colo', tags: ['@since 2.8'] },
    {
      what: 'a deprecated value',
      at: 'ChardevBackendKind.ring|buf',
      name: 'memory',
      isDeprecated: true,
      tags: ['@deprecated'],
    },
    { what: 'a member of the branch', at: `'lazy|-refcounts'`, name: 'refcount-cache-size', tags: ['@since 2.2'] },
    { what: 'a discriminator', at: `driver: 'qc|ow2'`, name: 'qcow2' },
  ])('completes $what', async ({ at, name, isDeprecated = false, tags = [] }) => {
    expect((await editor.completions(at)).get(name)).toEqual({ isDeprecated });
    const shown = await editor.completion(at, name);
    for (const tag of tags) expect(shown?.tags).toContain(tag);
  });

  test.each([
    { what: 'a method', at: 'vm.drive|Backup', file: 'qemu/qmp/client.ts', line: 'driveBackup<U extends keyof Events' },
    { what: 'execute', at: 'vm.exe|cute', file: 'runtime/src/client.ts', line: 'execute<N extends' },
    { what: 'a command', at: `Commands['drive|-backup']`, file: 'qemu/qmp/client.ts', line: `'drive-backup': {` },
    { what: 'an event', at: 'failure.da|ta', file: 'runtime/src/events.ts', line: 'readonly data: D;' },
    { what: 'the data', at: 'data.dev|ice', file: 'qemu/qmp/block-core.ts', line: 'device: string;' },
    {
      what: 'an enum',
      at: 'log(status === Run|State',
      file: 'qemu/qmp/run-state.ts',
      line: 'export const RunState = {',
    },
    { what: 'a value', at: `RunState['io|-error']`, file: 'qemu/qmp/run-state.ts', line: `'io-error': 'io-error',` },
    {
      what: 'a member of a branch',
      at: `'lazy|-refcounts'`,
      file: 'qemu/qmp/block-core.ts',
      line: `'lazy-refcounts'?: boolean | undefined;`,
    },
    { what: 'a type', at: ': Status|Info', file: 'qemu/qmp/run-state.ts', line: 'export interface StatusInfo {' },
  ])('leads from $what to its source', async ({ at, file, line }) => {
    const places = await editor.definitions(at);
    expect(places).toContainEqual({ file: `node_modules/@qapi-ts/${file}`, line: expect.stringContaining(line) });
    expect(places.filter((place) => place.file.endsWith('.d.ts'))).toEqual([]);
  });

  test('names the event that a mistyped one may stand for, and completes no hint', async () => {
    const near = (name: string, like?: string): string => {
      const hint = like === undefined ? '' : ` | "did you mean '${like}'?"`;
      return `Argument of type '"${name}"' is not assignable to parameter of type 'Listenable<Events>${hint}'.`;
    };
    expect(await mistaken.errors()).toEqual([
      near('STOPP', 'STOP'),
      near('STIP', 'STOP'),
      near('TSOP', 'STOP'),
      near('block_job_redy', 'BLOCK_JOB_READY'),
      near('BLOCK_JOB'),
      near('disconected', 'disconnected'),
      near(''),
      expect.stringMatching(/Did you mean '"STOP"'\?$/u),
      `Argument of type 'string' is not assignable to parameter of type 'Listenable<Events>'.`,
    ]);
    const completions = [...(await mistaken.completions(`vm.on('|', `)).keys()];
    expect(completions).toEqual(expect.arrayContaining(['STOP', 'BLOCK_IO_ERROR', '*', 'disconnected', 'reconnected']));
    expect(completions.filter((name) => !/^(?:\*|[A-Z\d_]+|(?:dis|re)connected)$/u.test(name))).toEqual([]);
  });
});
