/** A program that was compiled for a range of versions drives servers of several versions. */

import { join } from 'node:path';

import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { embeddedRoot, servers } from '../../generator/src/embedded.js';
import { loadSchema } from '../../generator/src/frontend/load.js';
import { merge } from '../../generator/src/model/merge.js';
import { versionsInRange } from '../../generator/src/sources/range.js';
import { launch, type LogEntry } from '../../runtime/src/index.js';
import { repository } from '../support/compile.js';
import { generatedPackage } from '../support/generated.js';
import { kill, pc, qemus, temporaryFolder, type Qemu } from '../support/servers.js';

/** A client of generated code. `test/range-types.test.ts` compiles the program with its types. */
interface Client extends AsyncDisposable {
  readonly version: string;
  has(name: string): boolean;
}

interface Program {
  show(vm: Client): Promise<string[]>;
  plug(vm: Client): Promise<string>;
  store(vm: Client): Promise<string[]>;
  migrate(from: Client, to: Client, uri: string): Promise<string>;
}

const logged: LogEntry[] = [];
let program: Program;
let start: (qemu: Qemu, ...args: string[]) => Promise<Client>;

beforeAll(async () => {
  const [monitor] = servers;
  if (!monitor) throw new Error('there are no servers');
  const versioned = versionsInRange('7.2..11.1').map((version) => ({
    version,
    schema: loadSchema(embeddedRoot(version, monitor)),
  }));
  const { connect } = await generatedPackage(merge(versioned));
  program = (await import(join(repository, 'test/types-range/program.ts'))) as Program;
  const options = { log: (entry: LogEntry) => logged.push(entry), validate: { results: 'throw' } };
  start = async (qemu, ...args) => {
    const vm = await connect(launch(qemu.program('qemu-system-x86_64'), [...pc, ...args]), options);
    onTestFinished(() => kill(vm.process));
    return vm;
  };
}, 120_000);

describe.each(qemus('a program for a range of versions'))('QEMU $version', (qemu) => {
  test('does what the program wants, and sends no result or event that is warned of', async () => {
    const isSince = (version: string): boolean => qemu.version.localeCompare(version, 'en', { numeric: true }) >= 0;
    await using vm = await start(qemu);
    expect(vm.version.startsWith(`${qemu.version}.`)).toBe(true);
    expect((await program.show(vm)).includes('tcg')).toBe(isSince('10.2'));
    expect(await program.plug(vm)).toBe('keyboard');
    expect(await program.store(vm)).toEqual(['disk']);
    await using target = await start(qemu, '-incoming', 'defer');
    expect(await program.migrate(vm, target, `unix:${join(temporaryFolder(), 'migration')}`)).toBe('completed');
    // Members that the server's version should not have are logged, too.
    expect(logged.filter(({ issue }) => issue).map(({ message }) => message)).toEqual([]);
    expect(logged.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([]);
  });
});
