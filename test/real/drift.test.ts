/** `qapi-ts drift` against real servers. */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import type { JsonReport } from '../../generator/src/diff/report.js';
import { query } from '../../generator/src/sources/server.js';
import type { ServerName } from '../../generator/src/embedded.js';
import { embeddedVersions } from '../../generator/src/embedded.js';
import { repository } from '../support/compile.js';
import { bare, installed, qemus, start, temporaryFolder, whenListening } from '../support/servers.js';

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function drift(...args: string[]): Promise<Ended> {
  const bin = join(repository, 'generator/bin/qapi-ts.js');
  return new Promise((resolve) => {
    execFile(process.execPath, [bin, 'drift', ...args], (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** Returns the report of the command. */
async function report(...args: string[]): Promise<JsonReport> {
  const { status, stdout, stderr } = await drift(...args, '--format', 'json', '--fail-on', 'never');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as JsonReport;
}

async function startListening(program: string, args: readonly string[], path: string): Promise<string> {
  start(program, args);
  await whenListening(async () => {
    if (!existsSync(path)) throw new Error('not yet');
  });
  return `unix:${path}`;
}

function startQemu(program = 'qemu-system-x86_64'): Promise<string> {
  const path = join(temporaryFolder(), 'monitor');
  return startListening(program, [...bare, '-qmp', `unix:${path},server=on,wait=off`], path);
}

function startStorageDaemon(program = 'qemu-storage-daemon'): Promise<string> {
  const path = join(temporaryFolder(), 'monitor');
  const socket = `socket,id=c,path=${path},server=on,wait=off`;
  return startListening(program, ['--chardev', socket, '--monitor', 'chardev=c'], path);
}

function startAgent(): Promise<string> {
  const folder = temporaryFolder();
  const path = join(folder, 'agent');
  const args = ['-m', 'unix-listen', '-p', path, '--statedir', folder, '-f', join(folder, 'pid')];
  return startListening('qemu-ga', args, path);
}

/** Compares a server to the current schema and, if it is embedded, to the schema of the server's own version. */
async function expectDrift(address: string, server: ServerName): Promise<JsonReport> {
  const options = ['--connect', address, '--server', server];
  const current = await report(...options);
  const version = current.serverVersion ?? '';
  expect(version).toMatch(/^\d+\.\d+\.\d+$/u);
  expect(current.new).toEqual({ kind: 'server', title: expect.stringContaining(version) });
  expect(current.new.title).toContain(address);

  const minor = version.replace(/\.\d+$/u, '');
  if (!embeddedVersions().some((embedded) => embedded.startsWith(`${minor}.`))) return current;
  const own = await report(...options, '--qemu', minor);
  // Ignore a member that was added in a stable release.
  expect(own.changes.filter(({ place }) => place.member !== 'delay-ns')).toEqual([]);
  expect(own.conditions).toMatchObject({ contradicted: [] });
  return own;
}

const comparable = qemus('drift of further QEMUs').filter(({ version }) =>
  embeddedVersions().some((embedded) => embedded.startsWith(`${version}.`)),
);

test.each(comparable)(
  'QEMU $version does not differ from the embedded schemas of its version',
  { timeout: 60_000 },
  async ({ version, program }) => {
    const monitor = await expectDrift(await startQemu(program('qemu-system-x86_64')), 'qmp');
    const daemon = await expectDrift(await startStorageDaemon(program('qemu-storage-daemon')), 'qsd');
    for (const { old, serverVersion } of [monitor, daemon]) {
      expect(old.title.startsWith(`${version}.`), old.title).toBe(true);
      expect(serverVersion?.startsWith(`${version}.`), serverVersion).toBe(true);
    }
  },
);

describe.runIf(installed(['qemu-system-x86_64'], 'drift of a real QEMU'))('a QEMU', () => {
  test('on a Unix socket', async () => {
    const { conditions } = await expectDrift(await startQemu(), 'qmp');
    expect(conditions?.has).toEqual(expect.arrayContaining(['CONFIG_LINUX', 'CONFIG_POSIX', 'CONFIG_TCG']));
    expect(conditions?.lacks).toContain('CONFIG_COCOA');
  });

  test('on a port', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    start('qemu-system-x86_64', [...bare, '-qmp', `tcp:127.0.0.1:${port},server=on,wait=off`]);
    const { result } = await whenListening(() => query(`tcp:127.0.0.1:${port}`, 'qmp'));
    expect(result).toContainEqual(expect.objectContaining({ name: 'query-status' }));
  });

  test('reports the same live and from a file', async () => {
    const address = await startQemu();
    const { result } = await query(address, 'qmp');
    const file = join(temporaryFolder(), 'reply.json');
    writeFileSync(file, JSON.stringify({ return: result }));
    const live = await report('--connect', address);
    const saved = await report('--introspection', file);
    for (const key of ['changes', 'conditions', 'conditional'] as const) expect(saved[key]).toEqual(live[key]);
  });

  test('is not an agent', async () => {
    const address = await startQemu();
    await expect(query(address, 'qga', 500)).rejects.toThrow(/this is a monitor, not a guest agent: .* --server qmp/u);
    expect(await drift('--connect', address, '--server', 'qsd')).toEqual({
      status: 3,
      stdout: '',
      stderr: expect.stringMatching(/^error: .*this is the monitor, not the storage daemon: use --server qmp\n$/u),
    });
  });
});

describe.runIf(installed(['qemu-storage-daemon'], 'drift of a real storage daemon'))('a storage daemon', () => {
  test('on a Unix socket', async () => {
    const { conditions } = await expectDrift(await startStorageDaemon(), 'qsd');
    expect(conditions?.has).toEqual(expect.arrayContaining(['CONFIG_LINUX', 'CONFIG_POSIX']));
  });

  test('is not a monitor', async () => {
    expect(await drift('--connect', await startStorageDaemon())).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/this is the storage daemon, not the monitor: use --server qsd\n$/u),
    });
  });
});

describe.runIf(installed(['qemu-ga'], 'drift of a real guest agent'))('a guest agent', () => {
  test('on a Unix socket', async () => {
    const { notes } = await expectDrift(await startAgent(), 'qga');
    expect(notes.join('\n')).toMatch(/agents report only the names of their commands/u);
  });

  test('is not a monitor', async () => {
    await expect(query(await startAgent(), 'qmp', 500)).rejects.toThrow(/no greeting within 500 ms: .* --server qga/u);
  });
});

test('an address without a server', async () => {
  const path = join(temporaryFolder(), 'none');
  expect(await drift('--connect', `unix:${path}`)).toEqual({
    status: 3,
    stdout: '',
    stderr: `error: cannot connect to ${path}: connect ENOENT ${path}\n`,
  });
  expect(await drift('--connect', path)).toMatchObject({ status: 2, stderr: expect.stringContaining('unix:PATH') });
});
