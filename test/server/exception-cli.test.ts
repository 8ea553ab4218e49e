/** The commands about exceptions and devices, and the routes beside them, on a real data folder. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { run } from '../../server/cli.js';
import { makeSignInLink } from '../../server/people.js';
import type { ExceptionMade, ExceptionPage } from '../../server/views.js';
import { enrolDevice, startServer, type Running } from './fixture.js';

let running: Running;
let device: string;
beforeEach(async () => {
  running = await startServer();
  device = (await enrolDevice(running, 'laptop-1', 'board-1')).id;
});
afterEach(async () => {
  vi.restoreAllMocks();
  await running.stop();
  running.remove();
});

/** A command line on the folder of the running server: exit code and what it wrote. */
async function curfewServer(...words: string[]) {
  const said = { out: '', err: '' };
  const keep = (name: 'out' | 'err') =>
    ((text: string | Uint8Array) => {
      said[name] += String(text);
      return true;
    }) as typeof process.stdout.write;
  vi.spyOn(process.stdout, 'write').mockImplementation(keep('out'));
  vi.spyOn(process.stderr, 'write').mockImplementation(keep('err'));
  const code = await run(['node', 'curfew-server', ...words, '--data', running.folder]);
  vi.restoreAllMocks();
  return { code, ...said };
}
const add = (...more: string[]) =>
  curfewServer(
    ...['exception', 'add', '--tool', 'claude-code', '--until', '2099-08-01'],
    ...[
      '--zone',
      'Asia/Shanghai',
      '--reason',
      'Moves a project first.',
      '--author',
      'kim',
      ...more,
    ],
  );

describe('curfew-server exception', () => {
  test('add, list and end, for people and for programs', async () => {
    const dry = await add('--device', device, '--dry-run', '--json');
    expect(JSON.parse(dry.out)).toMatchObject({
      event: 'would-add',
      tool: 'claude-code',
      devices: 1,
    });
    expect(dry.err).toContain('nothing is changed');
    expect((await curfewServer('exception', 'list', '--json')).out).toBe('');

    const added = await add('--device', device, '--json');
    expect(added.code).toBe(0);
    const record = JSON.parse(added.out) as { id: string };
    expect(record).toMatchObject({
      ...{ event: 'added', tool: 'claude-code', device, person: null, hardwareId: null },
      ...{
        author: 'kim',
        from: null,
        until: '2099-07-31T16:00:00.000Z',
        endedAt: null,
        devices: 1,
      },
    });
    const listed = await curfewServer('exception', 'list', '--tool', 'claude-code');
    expect(listed.out).toContain(record.id);
    expect(listed.out).toContain('Moves a project first.');

    const ended = await curfewServer('exception', 'end', record.id, '--author', 'ben', '--json');
    expect(JSON.parse(ended.out)).toMatchObject({ event: 'ended', endedBy: 'ben' });
    const again = await curfewServer('exception', 'end', record.id, '--json');
    expect(JSON.parse(again.out)).toMatchObject({ event: 'over-already', endedBy: 'ben' });
    expect((await curfewServer('exception', 'list', '--json')).out).toBe('');
    const past = await curfewServer('exception', 'list', '--past', '--json');
    expect(JSON.parse(past.out)).toMatchObject({ id: record.id, endedBy: 'ben' });
  });

  test.each([
    [['--device', 'x', '--tool', 'claud-code'], 'did you mean "claude-code"?'],
    [['--device', 'x', '--until', '2020-01-01'], 'until: 2020-01-01 has passed'],
    [['--device', 'x', '--person', 'ana'], 'names 2 subjects'],
    [[], 'names nobody'],
    [['--device', 'no-such'], 'there is no device no-such'],
    [['--person', 'ana', '--zone', 'Nowhere'], 'zone: "Nowhere" is no zone'],
    [['--person', 'ana', '--reason', ''], 'reason: is empty'],
  ])('add %j is a usage error and adds nothing', async (more, words) => {
    const { code, out, err } = await add(...more);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(words);
    expect((await curfewServer('exception', 'list', '--past', '--json')).out).toBe('');
  });

  test('that reaches nobody yet is added, and says so', async () => {
    const { code, err } = await add('--hardware', 'board-of-next-week');
    expect(code).toBe(0);
    expect(err).toContain('no device that is enrolled now is reached by it');
  });
});

describe('curfew-server device', () => {
  test('set, pause, resume, message and rescan change one device or all', async () => {
    const json = async (...words: string[]): Promise<unknown> => {
      const { code, out, err } = await curfewServer('device', ...words, '--json');
      expect([code, err.replace(/.*dry run\n/, '')]).toEqual([0, '']);
      return JSON.parse(out);
    };
    expect(await json('set', device, '--group', 'lab', '--dry-run')).toMatchObject({
      event: 'would-set',
      group: 'lab',
    });
    expect(await json('set', device, '--group', 'lab')).toMatchObject({
      event: 'set',
      group: 'lab',
    });
    expect(await json('set', device, '--group', 'lab')).toMatchObject({ event: 'same' });
    expect(await json('set', device, '--no-group')).toMatchObject({ group: null });
    expect(await json('set', device, '--account', 'ana', '--person', 'ana@corp')).toMatchObject({
      persons: [{ account: 'ana', person: 'ana@corp' }],
    });
    expect(await json('set', device, '--account', 'ana', '--person', '')).toMatchObject({
      persons: [],
    });
    expect(await json('pause', '--all', '--until', '2099-01-01', '--zone', 'utc')).toMatchObject({
      ...{ event: 'set', device: null, pause: { until: '2099-01-01T00:00:00.000Z' } },
    });
    expect(await json('pause', device)).toMatchObject({ device, pause: { until: null } });
    expect(await json('resume', device)).toMatchObject({ pause: null });
    const texts = ['--text', 'en=Ask the desk = room 3.', '--text', 'zh-CN=请联系服务台。'];
    expect(await json('message', '--all', ...texts)).toMatchObject({
      message: { en: 'Ask the desk = room 3.', 'zh-CN': '请联系服务台。' },
    });
    expect(await json('message', '--all', '--clear')).toMatchObject({ message: null });
    expect(await json('rescan', device)).toMatchObject({
      rescanAfter: expect.any(String) as string,
    });
    expect((await curfewServer('device', 'resume', '--all')).out).toBe(
      'all devices: not paused; no message\n',
    );
  });

  test.each([
    [['pause'], 'name one device or give --all'],
    [['pause', 'x', '--all'], 'name one device or give --all'],
    [['set', 'x'], 'nothing to set'],
    [['set', 'x', '--account', 'ana'], '--account and --person go together'],
    [['message', '--all'], 'give either --text or --clear'],
    [['message', '--all', '--text', 'hello'], 'expected a language'],
    [['message', '--all', '--text', 'en=www.evil.example'], 'names an address'],
    [['pause', 'no-such'], 'there is no device no-such'],
    [['pause', '--all', '--until', '2099-01-01'], 'needs a zone'],
  ])('%j is a usage error', async (words, expected) => {
    const { code, out, err } = await curfewServer('device', ...words);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(expected);
  });

  test('has an example in the help of each verb', async () => {
    const verbs = ['set', 'pause', 'resume', 'message', 'rescan', 'list', 'revoke'];
    for (const words of [
      ...verbs.map((verb) => ['device', verb]),
      ...['add', 'list', 'end'].map((verb) => ['exception', verb]),
    ]) {
      const { code, out } = await curfewServer(...words, '--help');
      expect([code, out]).toEqual([
        0,
        expect.stringContaining(`Example: curfew-server ${words.join(' ')}`),
      ]);
    }
  });
});

describe('the routes', () => {
  const asked = async (role: 'viewer' | 'operator' | 'admin') => {
    const link = await makeSignInLink(running.store, { user: role, role, now: running.clock.now });
    const headers = { 'content-type': 'application/json' };
    const session = await fetch(`${running.url}/api/v1/session`, {
      ...{ method: 'POST', headers, body: JSON.stringify({ link }) },
    });
    const cookie = (session.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    return async (method: string, route: string, body?: unknown) => {
      const answer = await fetch(`${running.url}/api/v1${route}`, {
        method,
        headers: { cookie, ...(body !== undefined && headers) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: (await answer.json()) as unknown };
    };
  };
  const wanted = { tool: 'claude-code', reason: 'moving', until: '2026-08-01T00:00:00Z' };

  test('let operators look and admins change, in their own name', async () => {
    const [viewer, operator, admin] = await Promise.all([
      asked('viewer'),
      asked('operator'),
      asked('admin'),
    ]);
    for (const ask of [viewer, operator]) {
      expect((await ask('POST', '/exceptions', { ...wanted, device })).status).toBe(403);
      expect((await ask('DELETE', '/exceptions/x')).status).toBe(403);
      expect((await ask('PATCH', `/devices/${device}`, { group: 'lab' })).status).toBe(403);
      expect((await ask('PATCH', '/fleet', { pause: {} })).status).toBe(403);
    }
    expect((await viewer('GET', '/exceptions')).status).toBe(403);
    const dry = await admin('POST', '/exceptions', { ...wanted, device, dryRun: true });
    expect(dry.body).toMatchObject({ isMade: false, devices: 1 });
    const made = (await admin('POST', '/exceptions', { ...wanted, device })).body as ExceptionMade;
    expect(made).toMatchObject({
      ...{ isMade: true, devices: 1 },
      exception: { tool: 'claude-code', toolName: 'Claude Code', author: 'admin', holds: true },
    });
    const page = (await operator('GET', '/exceptions?tool=claude-code')).body as ExceptionPage;
    expect(page).toMatchObject({ total: 1, nextCursor: null });
    expect(page.exceptions).toEqual([made.exception]);
    const { id } = made.exception;
    const detail = await operator('GET', `/devices/${device}`);
    expect(detail.body).toMatchObject({ exceptions: [{ id }], pause: null });
    expect((await admin('PATCH', '/fleet', { pause: {} })).body).toMatchObject({
      pause: { until: null },
    });
    expect((await operator('GET', `/devices/${device}`)).body).toMatchObject({
      pause: { until: null },
    });
    const message = { en: 'Hello', 'zh-CN': '你好' };
    expect((await admin('PATCH', '/fleet', { message })).body).toMatchObject({ message });
    expect((await admin('PATCH', `/devices/${device}`, { group: 'lab' })).body).toMatchObject({
      group: 'lab',
    });
    expect((await admin('DELETE', `/exceptions/${id}`)).body).toMatchObject({
      id,
      endedBy: 'admin',
      holds: false,
    });
    expect((await operator('GET', `/devices/${device}`)).body).toMatchObject({ exceptions: [] });
    expect((await running.store.read.people.lastAudit())?.actor).toBe('admin');
  });

  test.each([
    ['POST', '/exceptions', { ...wanted, tool: 'x' }, 400],
    ['POST', '/exceptions', { ...wanted, person: 'ana', colour: 'red' }, 400],
    ['POST', '/exceptions', { ...wanted, device: 'none' }, 404],
    ['DELETE', '/exceptions/none', undefined, 404],
    ['PATCH', '/fleet', { group: 'lab' }, 400],
    ['PATCH', '/devices/none', { group: 'lab' }, 404],
  ] as const)('answer %s %s %j with a problem', async (method, route, body, status) => {
    const admin = await asked('admin');
    const answer = await admin(method, route, body);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ status, code: expect.any(String) as string });
  });
});
