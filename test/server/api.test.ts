/** The REST API: sessions, problems, paging, live events, the OpenAPI file, the console's files. */
import { get, type IncomingMessage } from 'node:http';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openApiText } from '../../server/openapi.js';
import { makeSignInLink } from '../../server/people.js';
import type {
  AdvisoryList,
  DevicePage,
  FindingPage,
  LiveEvent,
  PolicyList,
  ProblemJson,
} from '../../server/views.js';
import { planAndPublish } from './publishing.js';
import {
  changes,
  component,
  connect,
  enrolDevice,
  noon,
  snapshot,
  startServer,
  TestStream,
  type Running,
} from './fixture.js';
import { banPolicy } from './policies.js';

let running: Running;

beforeEach(async () => {
  running = await startServer();
});
afterEach(async () => {
  await running.stop();
  running.remove();
});

const post = (route: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${running.url}/api/v1${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const makeLink = (role: 'viewer' | 'admin' = 'admin') =>
  makeSignInLink(running.store, { user: 'ana', role, now: running.clock.now });
const codeOf = async (response: Response): Promise<string> => {
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  const problem = (await response.json()) as ProblemJson;
  expect(problem.status).toBe(response.status);
  return problem.code;
};

describe('sessions', () => {
  test('a link gives one session, in a cookie no script reads, and never a second', async () => {
    const link = await makeLink();
    const first = await post('/session', { link });
    expect(await first.json()).toEqual({ user: 'ana', role: 'admin' });
    const cookie = first.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Strict/);
    const second = await post('/session', { link });
    expect(second.status).toBe(401);
    expect(await codeOf(second)).toBe('AUTH_LINK_INVALID');
  });

  test('a link is good for 15 minutes and a session for 12 hours', async () => {
    const link = await makeLink();
    running.clock.now += 15 * 60_000;
    expect(await codeOf(await post('/session', { link }))).toBe('AUTH_LINK_INVALID');
    const cookie = await running.signIn();
    running.clock.now += 12 * 3_600_000 - 1;
    expect((await running.get('/session', cookie)).status).toBe(200);
    running.clock.now += 1;
    expect(await codeOf(await running.get('/session', cookie))).toBe('AUTH_REQUIRED');
  });

  test('signing out ends the session on the server, and what it listens to', async () => {
    const cookie = await running.signIn();
    const live = await running.get('/live', cookie);
    const answer = await fetch(`${running.url}/api/v1/session`, {
      method: 'DELETE',
      headers: { cookie },
    });
    expect(answer.status).toBe(204);
    expect(await live.text()).toBe('retry: 2000\n\n');
    expect(await codeOf(await running.get('/session', cookie))).toBe('AUTH_REQUIRED');
  });

  test.each([
    '/session',
    '/compliance',
    '/compliance/trend',
    '/devices',
    '/devices/x',
    '/findings',
    '/policies',
    '/live',
  ])('%s needs a session', async (route) => {
    const response = await running.get(route, 'curfew_session=guess');
    expect(response.status).toBe(401);
    expect(await codeOf(response)).toBe('AUTH_REQUIRED');
  });

  test('a write from a page of another origin is refused', async () => {
    const link = await makeLink();
    const foreign = await post('/session', { link }, { origin: 'https://elsewhere.example' });
    expect(await codeOf(foreign)).toBe('AUTH_FORBIDDEN');
    expect((await post('/session', { link }, { origin: running.url })).status).toBe(200);
  });

  test('a viewer sees counts and devices, not owners and paths', async () => {
    const answer = await post('/session', { link: await makeLink('viewer') });
    const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    expect((await running.get('/compliance', cookie)).status).toBe(200);
    expect((await running.get('/devices', cookie)).status).toBe(200);
    expect(await codeOf(await running.get('/findings', cookie))).toBe('AUTH_FORBIDDEN');
  });
});

describe('problems', () => {
  test('what is not there, not allowed or not valid has a code and a status', async () => {
    expect(await codeOf(await running.get('/nothing'))).toBe('NOT_FOUND');
    expect(await codeOf(await running.get('/devices/nobody'))).toBe('NOT_FOUND');
    expect(await codeOf(await running.get('/devices?state=happy'))).toBe('REQUEST_INVALID');
    expect(await codeOf(await running.get('/devices?limit=0'))).toBe('REQUEST_INVALID');
    expect(await codeOf(await running.get('/devices?colour=red'))).toBe('REQUEST_INVALID');
    expect(await codeOf(await running.get('/devices?cursor=%22'))).toBe('REQUEST_INVALID');
    expect(await codeOf(await running.get('/findings?verdict=bad'))).toBe('REQUEST_INVALID');
  });
});

describe('requests of other clients', () => {
  test('that offer HTTP/2 in the clear get a plain answer', async () => {
    const { statusCode } = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { connection: 'upgrade, http2-settings', upgrade: 'h2c' };
      get(`${running.url}/api/v1/openapi.json`, { headers }, resolve).on('error', reject);
    });
    expect(statusCode).toBe(200);
  });
});

describe('lists', () => {
  test('devices page by host name without a gap or a repetition', async () => {
    for (const name of ['kilo', 'Alpha', 'mike', 'bravo', 'alpha']) {
      await enrolDevice(running, name);
    }
    const names: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = (await (await running.get(`/devices?limit=2${query}`)).json()) as DevicePage;
      expect(page.total).toBe(5);
      names.push(...page.devices.map(({ hostName }) => hostName));
      cursor = page.nextCursor;
    }
    expect(names.map((name) => name.toLowerCase())).toEqual([
      'alpha',
      'alpha',
      'bravo',
      'kilo',
      'mike',
    ]);
    expect(new Set(names).size).toBe(5);
  });

  test('devices are found by state and by part of a name, which is no pattern', async () => {
    const device = await enrolDevice(running, 'laptop_1');
    await enrolDevice(running, 'laptopX1');
    const agent = await connect(running, device);
    agent.send(new TestStream().next(snapshot([component('a')])));
    await agent.next();
    const list = async (query: string) =>
      ((await (await running.get(`/devices?${query}`)).json()) as DevicePage).devices.map(
        ({ hostName }) => hostName,
      );
    // The hello of the fixture names the host laptop-1.
    expect(await list('state=pending')).toEqual(['laptop-1']);
    expect(await list('state=never-scanned')).toEqual(['laptopX1']);
    expect(await list('search=TOPX')).toEqual(['laptopX1']);
    expect(await list('search=laptop_')).toEqual([]);
  });

  test('findings come worst first and by tool, verdict or device', async () => {
    const device = await enrolDevice(running);
    const agent = await connect(running, device);
    agent.send(
      new TestStream().next(
        snapshot([
          component('a', { status: 'approved', tool: 'qoder' }),
          component('b', { status: 'violation' }),
          component('c', { status: 'allowed' }),
          component('d', { status: 'review', tool: null }),
        ]),
      ),
    );
    await agent.next();
    const list = async (query: string) =>
      ((await (await running.get(`/findings?${query}`)).json()) as FindingPage).findings.map(
        ({ tool, verdict, components }) => [tool, verdict, components.length],
      );
    expect(await list('')).toEqual([
      ['claude-code', 'violation', 2],
      [null, 'review', 1],
      ['qoder', 'approved', 1],
    ]);
    expect(await list('tool=qoder')).toEqual([['qoder', 'approved', 1]]);
    expect(await list('verdict=review')).toEqual([[null, 'review', 1]]);
    expect(await list(`device=${device.id}`)).toHaveLength(3);
    expect(await list('device=nobody')).toEqual([]);
  });

  test('a finding names the advisories of its versions, and those that it may have', async () => {
    const device = await enrolDevice(running);
    const agent = await connect(running, device);
    const allowed = component('a', { status: 'allowed' });
    const versions = ['2.1.150', '2.1.331', null];
    agent.send(
      new TestStream().next(
        snapshot([
          ...versions.map((version, at) => ({ ...allowed, id: `${at}`.repeat(32), version })),
          { ...allowed, id: 'f'.repeat(32), tool: 'qoder', name: 'qoder', version: null },
        ]),
      ),
    );
    await agent.next();
    const page = (await (await running.get('/findings')).json()) as FindingPage;
    const told = new Map(page.findings.map((finding) => [finding.tool, finding]));
    expect(told.get('claude-code')?.advisories).toEqual(['claude-code-covert-prompt-marker']);
    expect(told.get('claude-code')?.possibleAdvisories).toContain('CVE-2025-59536');
    expect(told.get('qoder')).toMatchObject({ advisories: [], possibleAdvisories: [] });
    const all = (await (await running.get('/advisories')).json()) as AdvisoryList;
    expect(all.advisories.find(({ id }) => id === 'claude-code-covert-prompt-marker')).toEqual({
      id: 'claude-code-covert-prompt-marker',
      title:
        'Covert check of time zone and proxy host, hidden in the date line of the system prompt',
      severity: 'high',
      fixed: 'Claude Code 2.1.198, Agent SDK 0.3.198 on npm',
      sources: [
        'https://github.com/anthropics/claude-code/issues/72518',
        'https://thereallo.dev/blog/claude-code-prompt-steganography',
      ],
    });
  });

  test('policies show the instants that their dates mean', async () => {
    const { store } = running;
    const { keys, catalogue } = running.server.context;
    await planAndPublish(
      { store, keys, catalogue, now: noon },
      { yaml: banPolicy('2026-07-10'), author: 'ana' },
    );
    const list = (await (await running.get('/policies')).json()) as PolicyList;
    expect(list.bundleSequence).toBe(1);
    expect(list.policies[0]).toMatchObject({ policy: 'ai-coding-tools', sequence: 1 });
    expect(list.policies[0]?.denials).toMatchObject([
      {
        rule: 'claude-code-ban',
        tools: ['claude-code'],
        // Also while no device has the tool.
        toolNames: ['Claude Code'],
        // Shanghai is eight hours ahead of UTC.
        announce: '2026-07-03T16:00:00.000Z',
        effective: '2026-07-09T16:00:00.000Z',
        effectiveText: '2026-07-10',
        replacement: 'qoder',
        reason: { en: 'Back-door risk.' },
      },
    ]);
  });
});

describe('live events', () => {
  test('a report and a publish are heard by an open console', async () => {
    const device = await enrolDevice(running);
    const agent = await connect(running, device);
    const response = await running.get('/live');
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toContain("script-src 'self'");
    const events = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const next = async (): Promise<LiveEvent> => {
      for (;;) {
        const chunk = await events?.read();
        if (chunk === undefined || chunk.done) throw new Error('the server ended the events');
        const found = /^data: (.+)$/m.exec(chunk.value)?.[1];
        if (found !== undefined) return JSON.parse(found) as LiveEvent;
      }
    };
    agent.send(new TestStream().next(changes([])));
    expect((await agent.next()).type).toBe('resync');
    agent.send(new TestStream().next(snapshot([])));
    expect(await next()).toEqual({ kind: 'device', id: device.id });
    const { store } = running;
    const { keys, catalogue } = running.server.context;
    await planAndPublish(
      { store, keys, catalogue, now: noon },
      { yaml: banPolicy('2026-07-10'), author: 'ana' },
    );
    expect(await next()).toEqual({ kind: 'policy', bundleSequence: 1 });
    await events?.cancel();
  });
});

describe('the OpenAPI document', () => {
  test('is the committed file and what a server answers', async () => {
    const committed = readFileSync(
      path.resolve(import.meta.dirname, '../../server/openapi.json'),
      'utf8',
    );
    expect(committed).toBe(await openApiText());
    const answer: unknown = await (await fetch(`${running.url}/api/v1/openapi.json`)).json();
    expect(answer).toEqual(JSON.parse(committed));
    expect(answer).toMatchObject({ openapi: '3.1.0' });
    expect(Object.keys((answer as { paths: object }).paths).sort()).toEqual([
      '/api/v1/advisories',
      '/api/v1/compliance',
      '/api/v1/compliance/trend',
      '/api/v1/devices',
      '/api/v1/devices/{id}',
      '/api/v1/devices/{id}/components/{component}/explain',
      '/api/v1/enroll',
      '/api/v1/exceptions',
      '/api/v1/exceptions/{id}',
      '/api/v1/findings',
      '/api/v1/fleet',
      '/api/v1/live',
      '/api/v1/openapi.json',
      '/api/v1/policies',
      '/api/v1/policies/plan',
      '/api/v1/policies/publish',
      '/api/v1/policies/{policy}/compiled/{target}',
      '/api/v1/session',
    ]);
  });
});

describe("the console's files", () => {
  test('pages are the one page, assets are kept, and nothing below /api is a page', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'curfew-console-'));
    mkdirSync(path.join(folder, 'assets'));
    writeFileSync(path.join(folder, 'index.html'), '<!doctype html><title>Curfew</title>');
    writeFileSync(path.join(folder, 'assets', 'main-1a2b.js'), 'export {};');
    const served = await startServer({ consoleFolder: folder });
    const page = await fetch(`${served.url}/devices/x`);
    expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-cache']);
    expect(await page.text()).toContain('<title>Curfew</title>');
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self';");
    const asset = await fetch(`${served.url}/assets/main-1a2b.js`);
    expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(await codeOf(await fetch(`${served.url}/api/v2/devices`))).toBe('NOT_FOUND');
    expect(await codeOf(await fetch(`${served.url}/assets/gone.js`))).toBe('NOT_FOUND');
    await served.stop();
    served.remove();
    rmSync(folder, { recursive: true });
  });

  test('without a built console a page says how to build it', async () => {
    const response = await fetch(`${running.url}/`);
    expect(response.status).toBe(404);
    expect(((await response.json()) as ProblemJson).detail).toContain('npm run build');
  });
});
