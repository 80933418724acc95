/** Downloads from servers that are slow, broken or hostile, directly and through proxies. */

import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';

import { ServerError, UsageError } from '../generator/src/errors.js';
import { download, downloadLimits, proxyFor, type DownloadLimits } from '../generator/src/sources/download.js';
import { repository, temporaryFolder } from './support/command.js';
import { runAsync } from './support/run.js';
import { installed } from './support/servers.js';
import {
  closedPort,
  redirecting,
  sending,
  serve,
  serveProxy,
  silentPort,
  type Certificate,
  type Serve,
  type Web,
} from './support/web.js';

let web: Web;
beforeAll(async () => {
  web = await serve();
});
beforeEach(() => {
  web.served.clear();
  web.requests.length = 0;
});

const content = Buffer.alloc(300_000, 'kettle ');

interface Options {
  readonly env?: NodeJS.ProcessEnv;
  readonly limits?: Partial<DownloadLimits>;
  readonly onProgress?: (received: number, total?: number) => void;
}

async function get(address: string, { env = {}, limits = {}, ...others }: Options = {}): Promise<Buffer> {
  return await download(
    new URL(address),
    async (chunks) => {
      const all: Buffer[] = [];
      for await (const chunk of chunks) all.push(chunk);
      return Buffer.concat(all);
    },
    { env, limits: { ...downloadLimits, ...limits }, ...others },
  );
}

/** Sends some of a file, then something else happens. */
function beginning(then: Serve, headers = { 'content-length': String(content.length) }): Serve {
  return (request, response) => {
    response.writeHead(200, headers).write(content.subarray(0, 100_000));
    then(request, response);
  };
}

const trickle: Serve = (_, response) => {
  response.writeHead(200);
  const timer = setInterval(() => response.write('x'), 20);
  response.on('close', () => clearInterval(timer));
};

describe('a file arrives', () => {
  test.each<[what: string, serve: Serve]>([
    ['with its length', sending(content, { 'content-length': content.length })],
    ['without its length', sending(content, { 'transfer-encoding': 'chunked' })],
    [
      'until the connection closes',
      (_, response) => void response.writeHead(200, { connection: 'close' }).end(content),
    ],
    [
      'slowly',
      (_, response) => {
        const pieces = Array.from({ length: 10 }, (__, at) => content.subarray(at * 30_000, (at + 1) * 30_000));
        void (async () => {
          for (const piece of pieces) {
            response.write(piece);
            await sleep(30);
          }
          response.end();
        })();
      },
    ],
  ])('%s', async (_, one) => {
    web.served.set('/file', one);
    // In total, the slow server takes longer than it may be silent.
    expect((await get(`${web.address}file`, { limits: { silence: 250 } })).equals(content)).toBe(true);
  });

  it('with its progress', async () => {
    web.served.set('/file', sending(content, { 'content-length': content.length }));
    const seen: (number | undefined)[][] = [];
    await get(`${web.address}file`, { onProgress: (...numbers) => seen.push(numbers) });
    expect(seen.at(-1)).toEqual([content.length, content.length]);
  });

  it('with the user name and password of its address, which go to no other host', async () => {
    const other = await serve();
    const authorizations: (string | undefined)[] = [];
    const note = (then: Serve): Serve => {
      return (request, response) => {
        authorizations.push(request.headers.authorization);
        then(request, response);
      };
    };
    other.served.set('/file', note(sending(content)));
    web.served.set('/file', note(redirecting(`${other.address}file`)));
    await get(web.address.replace('//', '//me:p%40ss@').concat('file'));
    expect(authorizations).toEqual([`Basic ${Buffer.from('me:p@ss').toString('base64')}`, undefined]);
  });

  it.each([301, 302, 303, 307, 308])('through a redirect %d, also a relative one', async (status) => {
    web.served.set('/file', redirecting('/a/b', status));
    web.served.set('/a/b', redirecting('c', status));
    web.served.set('/a/c', sending(content));
    expect((await get(`${web.address}file`)).length).toBe(content.length);
  });
});

describe('a download fails', () => {
  const large = { 'content-length': String(2 ** 40) };
  test.each<[what: string, serve: Serve, limits: Partial<DownloadLimits>, want: RegExp]>([
    ['404', (_, response) => void response.writeHead(404).end(), {}, /the server responded 404 Not Found$/u],
    ['500', (_, response) => void response.writeHead(500).end('oops'), {}, /the server responded 500 Internal/u],
    ['206', (_, response) => void response.writeHead(206).end('part'), {}, /the server responded 206 Partial/u],
    [
      'a redirect to nowhere',
      (_, response) => void response.writeHead(302).end(),
      {},
      /the server responded 302 Found$/u,
    ],
    ['a redirect to a file', redirecting('file:///etc/passwd'), {}, /something other than an HTTP address$/u],
    ['a malformed redirect', redirecting('http://['), {}, /something other than an HTTP address$/u],
    ['a redirect loop', redirecting('/file'), {}, /the server redirected more than 5 times$/u],
    ['no answer', () => {}, { silence: 150 }, /the server sent nothing for 0\.15 s$/u],
    ['a stall', beginning(() => {}), { silence: 150 }, /the server sent nothing for 0\.15 s$/u],
    ['a trickle', trickle, { time: 300, silence: 200 }, /it took longer than 0\.3 s$/u],
    [
      'a cut',
      beginning((_, response) => void setTimeout(() => response.destroy(), 20)),
      {},
      /was closed after \d+ bytes$/u,
    ],
    [
      'a cut chunk',
      beginning((_, { socket }) => void setTimeout(() => socket?.destroy(), 20), {} as never),
      {},
      /was closed after \d+ bytes$/u,
    ],
    [
      'another protocol',
      (_, response) => void response.writeHead(101, { connection: 'upgrade', upgrade: 'kettle' }).end(),
      {},
      /the connection was closed without a response$/u,
    ],
    ['no HTTP', (_, { socket }) => void socket?.end('SSH-2.0-kettle\r\n'), {}, /Parse Error/u],
    ['too large', sending(content), { size: 200_000 }, /it is larger than 200000 bytes$/u],
    ['too large, as announced', beginning(() => {}, large), {}, /it is larger than 536870912 bytes$/u],
  ])('%s', async (_, one, limits, want) => {
    web.served.set('/file', one);
    const error = await get(web.address.replace('//', '//me:secret@').concat('file'), { limits }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ServerError);
    expect((error as Error).message).toMatch(want);
    expect((error as Error).message).toContain(`cannot download ${web.address}file: `);
  });

  it('if nothing listens', async () => {
    const port = await closedPort();
    await expect(get(`http://127.0.0.1:${port}/`)).rejects.toThrow(
      `cannot download http://127.0.0.1:${port}/: connect ECONNREFUSED 127.0.0.1:${port}`,
    );
  });

  it('with the error of the function that uses it, and then closes the connection', async () => {
    let isClosed: Promise<unknown> = Promise.resolve();
    web.served.set(
      '/file',
      beginning((_, response) => {
        isClosed = new Promise((resolve) => response.on('close', resolve));
      }),
    );
    const bug = new Error('bug');
    const used = download(new URL(`${web.address}file`), () => Promise.reject(bug), { env: {} });
    await expect(used).rejects.toBe(bug);
    await isClosed;
  });
});

describe('the proxy', () => {
  const proxy = 'http://p.example:3128/';
  test.each<[env: NodeJS.ProcessEnv, address: string, want: string | undefined]>([
    [{}, 'https://a.example/', undefined],
    [{ HTTPS_PROXY: proxy }, 'https://a.example/', proxy],
    [{ HTTPS_PROXY: proxy }, 'http://a.example/', undefined],
    [{ HTTP_PROXY: proxy }, 'http://a.example/', proxy],
    [{ HTTP_PROXY: proxy }, 'https://a.example/', undefined],
    [{ https_proxy: proxy, HTTPS_PROXY: 'http://other' }, 'https://a.example/', proxy],
    [{ https_proxy: '', HTTPS_PROXY: proxy }, 'https://a.example/', undefined],
    [{ HTTPS_PROXY: 'p.example:3128' }, 'https://a.example/', proxy],
    [{ HTTPS_PROXY: 'https://p.example' }, 'https://a.example/', 'https://p.example/'],
    [{ HTTPS_PROXY: proxy, NO_PROXY: '*' }, 'https://a.example/', undefined],
    [{ HTTPS_PROXY: proxy, NO_PROXY: 'b.example,a.example' }, 'https://a.example/', undefined],
    [{ HTTPS_PROXY: proxy, NO_PROXY: 'b.example A.example' }, 'https://a.example/', undefined],
    [{ HTTPS_PROXY: proxy, no_proxy: '.example' }, 'https://a.example/', undefined],
    [{ HTTPS_PROXY: proxy, no_proxy: '*.example' }, 'https://a.example/', undefined],
    [{ HTTPS_PROXY: proxy, no_proxy: 'example' }, 'https://a.example/', undefined],
    [{ HTTPS_PROXY: proxy, no_proxy: 'ample' }, 'https://a.example/', proxy],
    [{ HTTPS_PROXY: proxy, no_proxy: '' }, 'https://a.example/', proxy],
    [{ HTTPS_PROXY: proxy, no_proxy: 'a.example:443' }, 'https://a.example/', undefined],
    [{ HTTPS_PROXY: proxy, no_proxy: 'a.example:444' }, 'https://a.example/', proxy],
    [{ HTTPS_PROXY: proxy, no_proxy: 'a.example:444' }, 'https://a.example:444/', undefined],
    [{ HTTP_PROXY: proxy, no_proxy: '127.0.0.1,::1' }, 'http://[::1]:8080/', undefined],
    [{ HTTP_PROXY: proxy, no_proxy: '[::1]:8080' }, 'http://[::1]:8080/', undefined],
    [{ HTTP_PROXY: proxy, no_proxy: '[::1]:80' }, 'http://[::1]:8080/', proxy],
  ])('by %j of %s is %s', (env, address, want) => {
    expect(proxyFor(new URL(address), env)?.href).toBe(want);
  });

  test.each(['socks5://p.example', 'http://', '://'])(
    '%s is a usage error, before anything is sent',
    async (HTTP_PROXY) => {
      const error = await get(`${web.address}file`, { env: { HTTP_PROXY } }).catch((reason: unknown) => reason);
      expect(error).toEqual(new UsageError('the environment variable HTTP_PROXY is not the address of an HTTP proxy'));
      expect(web.requests).toEqual([]);
    },
  );

  it('gets plain requests, with its own user name and password only', async () => {
    const { address, headers, requests } = await serveProxy();
    web.served.set('/file', sending(content));
    const env = { http_proxy: address.replace('//', '//me:pass@') };
    expect((await get(`${web.address}file#part`, { env })).length).toBe(content.length);
    expect(requests).toEqual([`GET ${web.address}file`]);
    expect(web.requests).toEqual(['GET /file']);
    expect(headers).toMatchObject([
      { host: `127.0.0.1:${web.port}`, 'proxy-authorization': `Basic ${Buffer.from('me:pass').toString('base64')}` },
    ]);
    expect(headers[0]).not.toHaveProperty('authorization');
  });

  test.each<[what: string, proxyAddress: () => Promise<string>, want: RegExp]>([
    ['refuses', async () => (await serveProxy({ answer: 407 })).address, /the proxy responded 407 Refused$/u],
    ['does not listen', async () => `http://127.0.0.1:${await closedPort()}/`, /connect ECONNREFUSED/u],
    ['does not know tunnels', async () => (await serve()).address, /socket hang up$/u],
    ['never answers', async () => `http://127.0.0.1:${await silentPort()}/`, /the server sent nothing for 0\.5 s$/u],
  ])('is named if it %s', async (_, proxyAddress, want) => {
    const address = await proxyAddress();
    const env = { https_proxy: address };
    const error = await get('https://a.example/file', { env, limits: { silence: 500 } }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ServerError);
    expect((error as Error).message).toContain(`cannot download https://a.example/file through the proxy ${address}: `);
    expect((error as Error).message).toMatch(want);
  });
});

describe.runIf(installed(['openssl'], 'downloads over TLS'))('over TLS', () => {
  const folder = temporaryFolder('tls');
  afterAll(() => rmSync(folder, { recursive: true }));
  let secure: Web;
  let certificate: Certificate;
  beforeAll(async () => {
    const subject = ['-subj', '/CN=qapi-ts test', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem'];
    execFileSync('openssl', ['req', '-x509', '-days', '2', ...subject, ...key, '-out', 'cert.pem'], {
      cwd: folder,
      stdio: 'pipe',
    });
    certificate = {
      key: readFileSync(join(folder, 'key.pem'), 'utf8'),
      cert: readFileSync(join(folder, 'cert.pem'), 'utf8'),
    };
    secure = await serve(certificate);
    secure.served.set('/file', sending(content));
    secure.served.set('/down', redirecting(`${web.address}file`));
  });

  /** Downloads in a process that trusts the certificate, and returns the length of the file or the error. */
  async function lengthAt(address: string, env: Record<string, string> = {}): Promise<string> {
    const module = JSON.stringify(join(repository, 'generator/dist/sources/download.js'));
    const code = `
      import { download } from ${module};
      const length = async (chunks) => { let sum = 0; for await (const { length } of chunks) sum += length; return sum; };
      console.log(await download(new URL(process.argv[1]), length).catch(({ message }) => message));`;
    const args = ['--input-type=module', '-e', code, address];
    const { stdout } = await runAsync(process.execPath, args, {
      NODE_EXTRA_CA_CERTS: join(folder, 'cert.pem'),
      no_proxy: '',
      ...env,
    });
    return stdout.trim();
  }

  it('verifies the certificate', async () => {
    await expect(get(`${secure.address}file`)).rejects.toThrow(/self[- ]signed certificate/u);
    expect(await lengthAt(`${secure.address}file`)).toBe(String(content.length));
  });

  it('verifies the certificate of the server behind a proxy', async () => {
    const { address, requests, headers } = await serveProxy();
    const env = { https_proxy: address.replace('//', '//me:pass@') };
    await expect(get(`${secure.address}file`, { env })).rejects.toThrow(/self[- ]signed certificate/u);
    for (const host of ['127.0.0.1', 'localhost']) {
      expect(await lengthAt(`https://${host}:${secure.port}/file`, env)).toBe(String(content.length));
      expect(requests.at(-1)).toBe(`CONNECT ${host}:${secure.port}`);
    }
    expect(headers.at(-1)).toMatchObject({
      'proxy-authorization': `Basic ${Buffer.from('me:pass').toString('base64')}`,
    });
  });

  it('also to the proxy', async () => {
    const { address, requests } = await serveProxy({ certificate });
    const env = { https_proxy: address, http_proxy: address };
    web.served.set('/file', sending(content));
    expect(await lengthAt(`${secure.address}file`, env)).toBe(String(content.length));
    expect(await lengthAt(`${web.address}file`, env)).toBe(String(content.length));
    expect(requests).toEqual([`CONNECT 127.0.0.1:${secure.port}`, `GET ${web.address}file`]);
  });

  it('is not given up by a redirect', async () => {
    web.served.set('/file', sending(content));
    expect(await lengthAt(`${secure.address}down`)).toBe(
      `cannot download ${secure.address}down: the server redirected to ${web.address}file, which is not encrypted`,
    );
    web.served.set('/up', redirecting(`${secure.address}file`));
    expect(await lengthAt(`${web.address}up`)).toBe(String(content.length));
  });
});
