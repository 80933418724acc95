/** The README's examples, run against a real QEMU. */

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { Client, StatusInfo } from '@qapi-ts/qemu/qmp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { compile, repository } from '../support/compile.js';
import { bare, installed, launchQemu, monitorAt, pc, temporaryFolder } from '../support/servers.js';

/** The exports of the examples. */
interface Examples {
  countStops(vm: Client, signal: AbortSignal): Promise<number>;
  removeDevice(vm: Client, id: string): Promise<void>;
  limitMigration(vm: Client): Promise<string>;
  toDisk(input: unknown): object;
  isResize(input: unknown): boolean;
  explain(vm: Client): Promise<string>;
  follow(path: string, show: (status: StatusInfo) => void): Promise<AsyncDisposable>;
}

describe.runIf(installed(['qemu-system-x86_64'], "the README's examples"))("the README's examples", () => {
  let folder: string;
  let examples: Examples;
  beforeAll(async () => {
    // In the repository, so that the packages are found.
    mkdirSync(join(repository, '.cache'), { recursive: true });
    folder = mkdtempSync(join(repository, '.cache/readme-'));
    const texts = [...readFileSync(join(repository, 'README.md'), 'utf8').matchAll(/```ts\n([^]*?)```/gu)];
    const names = texts.map((_, index) => `example${index}`);
    for (const [index, [, text = '']] of texts.entries()) writeFileSync(join(folder, `example${index}.ts`), text);
    const outDir = join(folder, 'out');
    const problems = await compile({
      compiler: '7.0',
      include: [folder],
      options: { noEmit: false, outDir, rootDir: folder },
    });
    if (problems !== '') throw new Error(problems);
    // The first example is a program.
    const modules = await Promise.all(
      names.slice(1).map((name) => import(join(outDir, `${name}.js`)) as Promise<object>),
    );
    examples = Object.assign({}, ...modules) as Examples;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('the first one runs', async () => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(folder, 'out/example0.js')]);
    // The installed QEMU may be of another version.
    const warning = /^\(node:\d+\) QmpWarning: the server is QEMU .*\n\(Use `node --trace-warnings.*\n/u;
    expect(stderr.replace(warning, '')).toBe('');
    expect(stdout).toMatch(/^stopped at \d{4}-\d\d-\d\dT[\d:.]+Z\nDEVICE_DELETED\n$/u);
  });

  test('events are counted', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    await using vm = await launchQemu(pc);
    const controller = new AbortController();
    const stops = examples.countStops(vm, controller.signal);
    for (let round = 0; round < 3; round += 1) {
      await vm.cont();
      await vm.stop();
    }
    await vm.systemPowerdown({}, { until: ['POWERDOWN'] });
    controller.abort();
    expect(await stops).toBe(3);
    expect(log).toHaveBeenLastCalledWith('POWERDOWN', {});
    log.mockRestore();
  });

  test('a device is removed, unless it is already gone', async () => {
    await using vm = await launchQemu(pc);
    await vm.deviceAdd({ driver: 'usb-kbd', id: 'keyboard' });
    const deleted = vm.events(['DEVICE_DELETED']).next();
    await examples.removeDevice(vm, 'keyboard');
    expect(await deleted).toMatchObject({ value: { data: { device: 'keyboard' } } });
    await examples.removeDevice(vm, 'keyboard');
    await vm.close();
    await expect(examples.removeDevice(vm, 'keyboard')).rejects.toMatchObject({ code: 'ERR_QMP_NOT_SENT' });
  });

  test('invalid arguments are explained', async () => {
    await using vm = await launchQemu();
    const shown = await examples.explain(vm);
    const readme = readFileSync(join(repository, 'README.md'), 'utf8');
    expect(readme).toContain(shown.replaceAll(/^/gmu, '    '));
    expect(examples.toDisk({ driver: 'null-co' })).toEqual({ driver: 'null-co' });
    expect(() => examples.toDisk({ driver: 'file' })).toThrow('filename: missing, expected string');
    expect([{ size: 1 }, {}].map((input) => examples.isResize(input))).toEqual([true, false]);
  });

  test('migration is limited', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    await using vm = await launchQemu();
    expect(await examples.limitMigration(vm)).toContain('"max-bandwidth":1073741824');
    expect(log).toHaveBeenCalledWith('1024 MiB/s');
    log.mockRestore();
  });

  test('a state is followed beyond the end of its server', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    const path = join(temporaryFolder(), 'monitor');
    const first = await launchQemu([...pc, ...monitorAt(`path=${path}`)]);
    const states: string[] = [];
    await using _ = await examples.follow(path, ({ status }) => states.push(status));
    await expect.poll(() => states).toEqual(['prelaunch']);
    await first.cont();
    await expect.poll(() => states).toEqual(['prelaunch', 'running']);
    await first.close();
    await launchQemu([...bare, ...monitorAt(`path=${path}`)]);
    await expect.poll(() => states, { timeout: 10_000 }).toEqual(['prelaunch', 'running', 'prelaunch']);
    log.mockRestore();
  });
});
