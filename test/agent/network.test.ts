/**
 * The sockets to outside: what they refuse to reach, and how little a wrong answer can do. Real servers
 * on loopback that answer as portals, proxies and broken programs do.
 */
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import {
  httpJson,
  networkSettings,
  openSocket,
  serverAddress,
  type NetworkSettings,
} from '../../agent/report/network.js';
import { subprotocol } from '../../wire/messages.js';
import { directNetwork, temporaryFolder } from './link-fixture.js';
import { testCertificate, testKey } from './tls-fixture.js';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) (server as https.Server).closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
const serve = async (answer: RequestListener): Promise<URL> =>
  new URL(`http://127.0.0.1:${await listen(createServer(answer))}/api`);
const options = (network: NetworkSettings = directNetwork, timeoutMs = 10_000) => ({
  network,
  timeoutMs,
});
const ask = (url: URL, network = directNetwork) =>
  httpJson('GET', url, undefined, options(network));

describe('the server’s address', () => {
  test.each([
    'https://curfew.corp.example',
    'https://curfew.corp.example:8443/base/',
    'http://127.0.0.1:8080',
    'http://localhost:8080',
    'http://[::1]:8080',
  ])('%s is taken', (address) => {
    expect(serverAddress(address).href.startsWith(address)).toBe(true);
  });

  test.each([
    'http://curfew.corp.example',
    'http://127.0.0.1.corp.example',
    'http://localhost.corp.example',
    'https://ana:secret@curfew.corp.example',
    'ftp://127.0.0.1',
    'curfew.corp.example',
    '',
  ])('"%s" is refused', (address) => {
    expect(() => serverAddress(address)).toThrow(
      expect.objectContaining({ code: 'SETTING_INVALID' }) as Error,
    );
  });
});

describe('an HTTP exchange', () => {
  test('carries JSON both ways, with the server’s clock', async () => {
    const bodies: string[] = [];
    const url = await serve((request, response) => {
      request.on('data', (bytes: Buffer) => void bodies.push(bytes.toString()));
      request.on('end', () => {
        response.setHeader('content-type', 'application/json');
        response.setHeader('date', 'Fri, 10 Jul 2026 04:00:00 GMT');
        response.end('{"ok":true}');
      });
    });
    const answer = await httpJson('POST', url, { a: '工具' }, options());
    expect(answer).toMatchObject({
      kind: 'answer',
      status: 200,
      value: { ok: true },
      dateMs: Date.UTC(2026, 6, 10, 4),
    });
    expect(bodies).toEqual(['{"a":"工具"}']);
  });

  test('gives the code of a problem and the time to wait', async () => {
    const url = await serve((_, response) => {
      response.writeHead(429, { 'content-type': 'application/problem+json', 'retry-after': '9' });
      response.end('{"code":"REQUEST_TOO_MANY","detail":"slow down"}');
    });
    expect(await ask(url)).toMatchObject({
      status: 429,
      code: 'REQUEST_TOO_MANY',
      detail: 'slow down',
      retryAfterMs: 9000,
    });
  });

  test('C084: a page or a redirect in the server’s place is a captive portal, and is not followed', async () => {
    let followed = 0;
    const elsewhere = await serve((_, response) => {
      followed += 1;
      response.end('{}');
    });
    const page = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end('<h1>Sign in</h1>');
    });
    const redirect = await serve((_, response) => {
      response.writeHead(302, { location: elsewhere.href });
      response.end();
    });
    for (const url of [page, redirect]) {
      expect(await ask(url)).toMatchObject({ kind: 'offline', reason: 'captive-portal' });
    }
    expect(followed).toBe(0);
  });

  test('takes a mebibyte and no more, whatever is sent', async () => {
    let sent = 0;
    const url = await serve((_, response) => {
      response.setHeader('content-type', 'application/json');
      const block = Buffer.alloc(64 * 1024, 0x20);
      const more = (): void => {
        while (!response.destroyed && response.write(block)) sent += block.length;
      };
      response.on('drain', more);
      more();
    });
    expect(await ask(url)).toMatchObject({ kind: 'offline', reason: 'not-curfew' });
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  test('with something that is no JSON is not Curfew', async () => {
    const url = await serve((_, response) => response.end('hello'));
    expect(await ask(url)).toMatchObject({ kind: 'offline', reason: 'not-curfew' });
  });

  test('that nobody answers ends by its time limit, also in the middle of an answer', async () => {
    const silent = await serve(() => undefined);
    const half = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{');
    });
    for (const url of [silent, half]) {
      expect(await httpJson('GET', url, undefined, options(directNetwork, 150))).toMatchObject({
        kind: 'offline',
        reason: 'timeout',
      });
    }
  });

  test('with nobody there is unreachable', async () => {
    const url = await serve(() => undefined);
    const [server] = servers.splice(0);
    await new Promise((resolve) => server?.close(resolve));
    expect(await ask(url)).toMatchObject({ kind: 'offline', reason: 'unreachable' });
  });
});

describe('trust', () => {
  const secure = async (): Promise<URL> => {
    const answer: RequestListener = (_, response) => response.end('{"ok":true}');
    const server = https.createServer({ key: testKey, cert: testCertificate }, answer);
    return new URL(`https://127.0.0.1:${await listen(server)}/api`);
  };
  const authorityFile = (text: string): string => {
    const file = path.join(temporaryFolder(), 'extra.pem');
    writeFileSync(file, text);
    return file;
  };

  test('C082: a private authority is trusted when its file is named, and not without', async () => {
    const url = await secure();
    expect(await ask(url)).toMatchObject({ kind: 'offline', reason: 'untrusted' });
    const network = { ...directNetwork, extraCaFile: authorityFile(testCertificate) };
    expect(await ask(url, network)).toMatchObject({ kind: 'answer', value: { ok: true } });
  });

  test('C082: a WebSocket is held to the same certificates', async () => {
    const url = await secure();
    const socket = { ...options(), headers: {}, subprotocol };
    expect(await openSocket(url, socket)).toMatchObject({ kind: 'offline', reason: 'untrusted' });
  });

  test('a file of authorities that is missing or holds none is named', async () => {
    const url = await secure();
    for (const extraCaFile of ['/nowhere/extra.pem', authorityFile('nothing')]) {
      await expect(ask(url, { ...directNetwork, extraCaFile })).rejects.toMatchObject({
        code: 'SETTING_INVALID',
        message: expect.stringContaining(extraCaFile) as string,
      });
    }
  });
});

describe('a proxy that is set', () => {
  const network = {
    ...directNetwork,
    proxyUrl: 'http://proxy.corp.example:3128',
    proxyBypass: ['.inside.example'],
  };

  test('is never gone round', async () => {
    const url = new URL('https://curfew.corp.example/api');
    await expect(ask(url, network)).rejects.toMatchObject({ code: 'SETTING_INVALID' });
    const socket = { ...options(network), headers: {}, subprotocol };
    await expect(openSocket(url, socket)).rejects.toMatchObject({ code: 'SETTING_INVALID' });
  });

  test('is that of the settings, else that of the environment', () => {
    const none = { ProxyUrl: null, ProxyBypass: [], ExtraCaFile: null };
    const env = { https_proxy: 'http://p:1', NO_PROXY: 'localhost, .corp.example' };
    expect(networkSettings(none, {})).toEqual(directNetwork);
    expect(networkSettings(none, env)).toEqual({
      proxyUrl: 'http://p:1',
      proxyBypass: ['localhost', '.corp.example'],
      extraCaFile: null,
    });
    const own = { ...none, ProxyUrl: 'http://q:2', ProxyBypass: ['.inside.example'] };
    expect(networkSettings(own, env)).toMatchObject({
      proxyUrl: 'http://q:2',
      proxyBypass: ['.inside.example'],
    });
  });

  test('is not used for loopback', async () => {
    const url = await serve((_, response) => response.end('{}'));
    expect(await ask(url, network)).toMatchObject({ kind: 'answer' });
  });
});
