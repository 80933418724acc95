/** Transports to a real monitor. */

import { execFileSync, spawn } from 'node:child_process';
import dns from 'node:dns';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectSocket, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Duplex, PassThrough, pipeline } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createServer, type ConnectionOptions } from 'node:tls';

import { connect, type Client } from '@qapi-ts/qemu/qmp';
import type { Address } from '@qapi-ts/runtime';
import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { repository } from '../support/compile.js';
import { failure } from '../support/client.js';
import { bare, closeWithTest, installed, kill, launchQemu, monitorAt, temporaryFolder } from '../support/servers.js';

const tcp = 'host=127.0.0.1,port=0';

/** Returns the port that the system chose for a monitor. */
async function portOf(vm: Client): Promise<number> {
  const filenames = (await vm.queryChardev()).map(({ filename }) => filename);
  return Number(/127\.0\.0\.1:(\d+)/u.exec(filenames.join(' '))?.[1]);
}

async function expectToWork(vm: Client): Promise<void> {
  expect(await vm.queryStatus()).toMatchObject({ status: 'prelaunch' });
  expect((await vm.queryQmpSchema()).length).toBeGreaterThan(500);
}

describe.runIf(installed(['qemu-system-x86_64'], 'transports to a real QEMU'))('a monitor', () => {
  test('on a Unix socket', async () => {
    const path = join(temporaryFolder(), 'monitor');
    await using _ = await launchQemu([...bare, ...monitorAt(`path=${path}`)]);
    await using vm = await connect({ path });
    await expectToWork(vm);
    expect(vm.process).toBeUndefined();
  });

  test.runIf(process.platform === 'linux')('on an abstract Unix socket', async () => {
    const name = `qapi-ts-test-${process.pid}`;
    // Node 20 always pads such a name with zero bytes, which QEMU calls `tight=off`.
    await using _ = await launchQemu([...bare, ...monitorAt(`path=${name},abstract=on,tight=off`)]);
    await using vm = await connect({ path: `\0${name}`.padEnd(108, '\0') });
    await expectToWork(vm);
  });

  test('over TCP', async () => {
    await using first = await launchQemu([...bare, ...monitorAt(tcp)]);
    const port = await portOf(first);
    for (const host of ['127.0.0.1', 'localhost', undefined]) {
      await using vm = await connect({ host, port });
      await expectToWork(vm);
    }
  });

  test('where no server listens', async () => {
    const lookup = vi.spyOn(dns, 'lookup').mockImplementation(((
      _name: string,
      _options: object,
      callback: (error: null, addresses: dns.LookupAddress[]) => void,
    ) =>
      callback(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 },
      ])) as never);
    onTestFinished(() => lookup.mockRestore());
    const path = join(temporaryFolder(), 'monitor');
    const cases: [address: Address, message: string][] = [
      [{ path }, `cannot connect to ${path}: connect ENOENT ${path}`],
      [{ path: '\0qapi-ts-nothing' }, 'cannot connect to @qapi-ts-nothing: connect ECONNREFUSED @qapi-ts-nothing'],
      [{ fd: 987_654 }, expect.stringContaining('cannot connect to file descriptor 987654: ') as string],
      [new PassThrough().destroy(), 'the stream has already ended'],
      [{ host: '127.0.0.1', port: 1 }, 'cannot connect to 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1'],
      [
        { host: 'two.example', port: 1 },
        'cannot connect to two.example:1: connect ECONNREFUSED 127.0.0.1:1, connect ECONNREFUSED 127.0.0.2:1',
      ],
      [{ port: 1, tls: { cert: 'nonsense' } }, expect.stringContaining('cannot connect to localhost:1: ') as string],
    ];
    for (const [address, message] of cases) {
      expect(await failure(connect(address))).toMatchObject({ code: 'ERR_QMP_CONNECT', message });
    }
  });

  test('as a stream of the caller', async () => {
    const path = join(temporaryFolder(), 'monitor');
    await using _ = await launchQemu([...bare, ...monitorAt(`path=${path}`)]);
    // Streams of some libraries have a `path`.
    const socket = Object.assign(connectSocket(path), { path: '/dev/ttyS0' });
    await using vm = await connect(socket);
    await expectToWork(vm);
    await vm.close();
    expect(socket.destroyed).toBe(true);
  });

  test('on the standard streams of a process', async () => {
    const child = spawn('qemu-system-x86_64', [...bare, '-qmp', 'stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => kill(child));
    await using vm = await connect(Duplex.from({ readable: child.stdout, writable: child.stdin }));
    await expectToWork(vm);
  });

  test('on an inherited socket', async () => {
    await using first = await launchQemu([...bare, ...monitorAt(tcp)]);
    const program = `
      import { connect } from '@qapi-ts/qemu/qmp';
      const vm = await connect({ fd: 3 });
      console.log((await vm.queryStatus()).status);
      await vm.close();`;
    const script = `exec 3<>/dev/tcp/127.0.0.1/${await portOf(first)}; exec "$0" --input-type=module --eval "$1"`;
    const child = spawn('bash', ['-c', script, process.execPath, program], {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => kill(child));
    const exit = once(child, 'exit');
    expect(await text(child.stdout)).toBe('prelaunch\n');
    // Nothing keeps the program running once its client is closed.
    expect(await exit).toEqual([0, null]);
  });
});

/**
 * Creates a certificate authority, and certificates of a server and a client, under the file names that QEMU expects.
 */
function makeCertificates(folder: string): void {
  const make = (name: string, subject: string, extensions: readonly string[], signer: readonly string[]): void => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}-key.pem`];
    const addext = extensions.flatMap((extension) => ['-addext', extension]);
    const args = ['req', '-x509', '-days', '2', '-subj', `/CN=${subject}`, '-out', `${name}-cert.pem`];
    execFileSync('openssl', [...args, ...key, ...addext, ...signer], { cwd: folder, stdio: 'pipe' });
  };
  const signed = ['-CA', 'ca-cert.pem', '-CAkey', 'ca-key.pem'];
  const end = ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature,keyEncipherment'];
  make('ca', 'qapi-ts test authority', ['keyUsage=critical,keyCertSign'], []);
  make(
    'server',
    'server',
    [...end, 'extendedKeyUsage=serverAuth', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    signed,
  );
  make('client', 'client', [...end, 'extendedKeyUsage=clientAuth'], signed);
}

describe.runIf(installed(['qemu-system-x86_64', 'openssl'], 'TLS to a real QEMU'))('a monitor over TLS', () => {
  /** The certificates that a client presents and trusts. */
  const credentials = (folder: string): Record<'ca' | 'cert' | 'key', Buffer> => {
    const file = (name: string): Buffer => readFileSync(join(folder, name));
    return { ca: file('ca-cert.pem'), cert: file('client-cert.pem'), key: file('client-key.pem') };
  };

  test('of QEMU itself, with client certificates', async () => {
    const folder = temporaryFolder();
    makeCertificates(folder);
    const object = `tls-creds-x509,id=tls,dir=${folder},endpoint=server,verify-peer=on`;
    await using first = await launchQemu([...bare, '-object', object, ...monitorAt(`${tcp},tls-creds=tls`)]);
    const port = await portOf(first);
    const { ca, cert, key } = credentials(folder);
    const attempt = async (tls: ConnectionOptions | undefined): Promise<void> => {
      await using vm = await connect({ port, tls }, { connectTimeout: 1000 });
      await expectToWork(vm);
    };
    expect(await failure(attempt({ ca }))).toMatchObject({ code: 'ERR_QMP_CONNECT' });
    expect(await failure(attempt({ cert, key }))).toMatchObject({
      code: 'ERR_QMP_CONNECT',
      message: expect.stringContaining('certificate'),
    });
    expect(await failure(attempt(undefined))).toMatchObject({ message: expect.stringContaining('TLS') });
    if ((first.greeting?.version.qemu.major ?? 0) >= 8) {
      await attempt({ ca, cert, key });
    } else {
      // Before 8.0, a monitor stops reading in the middle of a TLS record.
      const message = `cannot connect to localhost:${port}: the server sent a greeting, but did not reply within 1000 ms`;
      expect(await failure(attempt({ ca, cert, key }))).toMatchObject({ message });
    }
  });

  test('of a proxy, with client certificates', async () => {
    const folder = temporaryFolder();
    makeCertificates(folder);
    const path = join(folder, 'monitor');
    await using _ = await launchQemu([...bare, ...monitorAt(`path=${path}`)]);
    const { ca, ...client } = credentials(folder);
    const [cert, key] = ['server-cert.pem', 'server-key.pem'].map((name) => readFileSync(join(folder, name)));
    const proxy = createServer({ ca, cert, key, requestCert: true }, (socket) => {
      pipeline(socket, connectSocket(path), socket, () => {});
    });
    closeWithTest(proxy);
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const { port } = proxy.address() as AddressInfo;
    await using vm = await connect({ host: 'localhost', port, tls: { ca, ...client } });
    await expectToWork(vm);
  });
});
