/** Plans as people get them: by command, over REST and in words; the same figures everywhere. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Target } from '../../policies/compile/index.js';
import { run } from '../../server/cli.js';
import { verifyAudit } from '../../server/audit.js';
import { addException } from '../../server/exceptions.js';
import { makeSignInLink } from '../../server/people.js';
import { planText } from '../../server/plan-text.js';
import { makePlan } from '../../server/planning.js';
import type { PlanAnswer, PlanView } from '../../server/plan-views.js';
import { noChange, type PolicyChange } from '../../server/policy-change.js';
import type { Store } from '../../server/store/index.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { noon, startServer, type Running } from './fixture.js';
import { addMember, type FleetMember } from './plan-fleet.js';
import { banPolicy } from './policies.js';

let running: Running;
let store: Store;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-planning-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

/** For the tests of a group: a store alone, or a server with its own. */
function withStore(): void {
  beforeEach(() => {
    store = openSqliteStore(path.join(folder, 'server.db'));
  });
  afterEach(() => store.close());
}
function withServer(): void {
  beforeEach(async () => {
    running = await startServer();
    ({ store } = running);
  });
  afterEach(async () => {
    await running.stop();
    running.remove();
  });
}

const claude = { tool: 'claude-code', version: '2.1.100' } as const;
const fleet: readonly FleetMember[] = [
  { id: 'd1', has: [claude] },
  { id: 'd2', zone: 'Europe/Berlin', has: [claude, { ...claude, owner: 'ben' }] },
  { id: 'd3', zone: 'Europe/Berlin', has: [{ tool: 'qoder' }] },
  { id: 'd4', group: 'sales', zone: 'America/New_York', has: [{ ...claude, owner: 'kim' }] },
];
const addFleet = async (): Promise<void> => {
  for (const member of fleet) await addMember(store, member);
};

async function planOf(
  change: Partial<PolicyChange>,
  options: { at?: readonly string[]; targets?: readonly Target[]; now?: number } = {},
): Promise<PlanView> {
  const { at = [], targets = [], now = noon } = options;
  const planner = { store, catalogue: builtInCatalogue(), now, targets };
  const answer = await makePlan(planner, { change: { ...noChange, ...change }, at, author: 'ana' });
  if (answer.kind === 'invalid') throw new Error(JSON.stringify(answer.problems));
  return answer.plan;
}

const post = async (route: string, body: unknown, cookie?: string): Promise<Response> =>
  fetch(`${running.url}/api/v1${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie: cookie ?? (await running.signIn()) },
    body: JSON.stringify(body),
  });

/** A command line's exit code and what it wrote. */
async function curfewServer(...words: string[]) {
  let out = '';
  let err = '';
  const keep = (add: (text: string) => void) =>
    ((text: string | Uint8Array) => {
      add(String(text));
      return true;
    }) as typeof process.stdout.write;
  vi.spyOn(process.stdout, 'write').mockImplementation(keep((text) => (out += text)));
  vi.spyOn(process.stderr, 'write').mockImplementation(keep((text) => (err += text)));
  const code = await run(['node', 'curfew-server', ...words]);
  vi.restoreAllMocks();
  return { code, out, err };
}

const fileOf = (name: string, text: string): string => {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
};

describe('a plan', () => {
  withStore();

  test('judges the fleet now, at each date to come and as asked, in the order of time', async () => {
    await addFleet();
    const plan = await planOf(
      { texts: [banPolicy('2026-07-10')] },
      { at: ['2026-07-12', '2026-07-01T00:00:00Z'] },
    );
    // noon is 2026-07-09T12:00Z, so the prompts of 2026-07-04 have begun.
    expect(plan.impact.at.map(({ at, reasons }) => [at, reasons.map(({ kind }) => kind)])).toEqual([
      ['2026-07-01T00:00:00.000Z', ['asked']],
      ['2026-07-09T12:00:00.000Z', ['now']],
      ['2026-07-09T16:00:00.000Z', ['effective']],
      ['2026-07-11T16:00:00.000Z', ['asked']],
    ]);
    expect(plan.impact.at.map(({ devices }) => devices.planned.pending)).toEqual([2, 2, 0, 0]);
    expect(plan.impact.at.map(({ devices }) => devices.become.violation)).toEqual([0, 0, 2, 2]);
    expect(plan.impact.at[2]?.people.planned).toMatchObject({ violation: 3, clear: 1, unknown: 1 });
  });

  test('writes each date in every zone the fleet lives in', async () => {
    await addFleet();
    const { dates } = await planOf({ texts: [banPolicy('2026-07-10')] });
    expect(dates[1]).toEqual({
      ...{ policy: 'ai-coding-tools', rule: 'claude-code-ban', event: 'effective' },
      ...{ date: '2026-07-10', timezone: 'Asia/Shanghai' },
      instants: [
        {
          at: '2026-07-09T16:00:00.000Z',
          zones: [
            { zone: 'Europe/Berlin', devices: 2, local: '2026-07-09T18:00+02:00' },
            { zone: 'America/New_York', devices: 1, local: '2026-07-09T12:00-04:00' },
            { zone: 'Asia/Shanghai', devices: 1, local: '2026-07-10T00:00+08:00' },
          ],
        },
      ],
    });
    const local = banPolicy('2026-07-10').replace('Asia/Shanghai', 'device-local');
    const plan = await planOf({ texts: [local] });
    expect(plan.dates[1]?.instants.map(({ at, zones }) => [at, zones[0]?.local])).toEqual([
      ['2026-07-09T16:00:00.000Z', '2026-07-10T00:00+08:00'],
      ['2026-07-09T22:00:00.000Z', '2026-07-10T00:00+02:00'],
      ['2026-07-10T04:00:00.000Z', '2026-07-10T00:00-04:00'],
    ]);
  });

  test('of two policies follows their targets, and says what changed in each', async () => {
    await addFleet();
    const sales = banPolicy('2026-08-01')
      .replace('ai-coding-tools', 'sales')
      .replace('[engineering]', '[sales]');
    const plan = await planOf({ texts: [banPolicy('2026-07-10'), sales] });
    expect(plan.policies).toEqual([
      { policy: 'ai-coding-tools', title: 'AI coding tools on work devices', state: 'new' },
      { policy: 'sales', title: 'AI coding tools on work devices', state: 'new' },
    ]);
    expect(plan.impact.follows).toEqual([
      { policy: null, live: 4, planned: 0 },
      { policy: 'ai-coding-tools', live: 0, planned: 3 },
      { policy: 'sales', live: 0, planned: 1 },
    ]);
    expect(plan.impact.at.map(({ devices }) => devices.planned.violation)).toEqual([0, 2, 3]);
  });

  test('names a policy that no device follows, as one that comes after a policy for all', async () => {
    await addFleet();
    const all = banPolicy('2026-08-01').replace('ai-coding-tools', 'all');
    const everyone = all.replace(/^targets:.*$/m, '');
    const plan = await planOf({ texts: [everyone, banPolicy('2026-07-10')] });
    expect(plan.impact.follows).toEqual([
      { policy: null, live: 4, planned: 0 },
      { policy: 'all', live: 0, planned: 4 },
      { policy: 'ai-coding-tools', live: 0, planned: 0 },
    ]);
  });

  test('tells an exception’s end from the dates around it', async () => {
    await addFleet();
    const request = {
      ...{ tool: 'claude-code', person: null, device: 'd1', hardwareId: null, from: null },
      ...{ reason: 'a release', author: 'ana', until: '2026-07-20', zone: 'utc' },
    };
    await addException({ store, catalogue: builtInCatalogue(), now: noon }, request, 'ana');
    const plan = await planOf(
      { texts: [banPolicy('2026-07-10')] },
      { at: ['2026-07-19T23:59:59Z', '2026-07-20T00:00:00Z'] },
    );
    const states = plan.impact.at.map(({ devices: { planned } }) => [
      planned.violation,
      planned.excepted,
    ]);
    expect(states).toEqual([
      [0, 1],
      [1, 1],
      [1, 1],
      [2, 0],
    ]);
  });

  test('says what its files for other enforcers come to, and when', async () => {
    // A target whose file says nothing but which denials are in force.
    const target: Target = {
      ...{ id: 'list', title: 'List', canAllowList: false },
      compile: ({ policy, at }) => {
        const inForce = policy.rules.filter(
          ({ denial }) => denial !== null && Date.parse(`${denial.effective}T00:00+08:00`) <= at,
        );
        const text = inForce.map(({ id }) => id).join();
        const files = text === '' ? [] : [{ name: 'list.txt', text, purpose: 'x' }];
        return { files, notExpressible: [], warnings: [] };
      },
    };
    const { targets } = await planOf(
      { texts: [banPolicy('2026-07-10')] },
      { targets: [target], at: ['2026-07-01'] },
    );
    expect(targets).toEqual([
      {
        ...{ target: 'list', title: 'List', policy: 'ai-coding-tools' },
        changes: [{ at: '2026-07-09T16:00:00.000Z', files: [{ name: 'list.txt', change: 'new' }] }],
      },
    ]);
  });

  test('says which rules name what devices do not report yet', async () => {
    const rule = `  - id: no-left-pad
    match: { package: { npm: [left-pad, '@anthropic-ai/claude-code'] } }
    decision: deny
    effective: 2026-08-01
    after: notify
    reason: { en: None. }
  - id: no-models
    match: { channel: model }
    decision: deny
    effective: 2026-08-01
    after: notify
    reason: { en: None. }
targets:`;
    const { impact } = await planOf({ texts: [banPolicy('2026-07-10').replace('targets:', rule)] });
    expect(impact.unreported).toEqual([
      { policy: 'ai-coding-tools', rule: 'no-left-pad', channels: [], packages: ['npm left-pad'] },
      { policy: 'ai-coding-tools', rule: 'no-models', channels: ['model'], packages: [] },
    ]);
  });

  test('is kept, with an entry in the audit log', async () => {
    const { content, baseSequence } = await planOf({ texts: [banPolicy('2026-07-10')] });
    const { policies, people } = store.read;
    expect(await policies.plan(content, baseSequence)).toMatchObject({ author: 'ana', at: noon });
    const entries = await people.audit(0, 100);
    expect(entries.at(-1)).toMatchObject({
      ...{ actor: 'ana', action: 'policy.plan', subject: 'ai-coding-tools' },
      detail: `content ${content} over sequence 0`,
    });
    expect((await verifyAudit(store.read)).kind).toBe('whole');
  });

  test('in words has the figures of the plan', async () => {
    await addFleet();
    const plan = await planOf({ texts: [banPolicy('2026-07-10')] });
    const text = planText(plan, 'en');
    expect(text).toContain('4 devices, 5 people, 5 components; live -> planned');
    expect(text).toContain('ai-coding-tools: followed by 0 -> 3');
    expect(text).toContain('2026-07-09T18:00+02:00  Europe/Berlin, 2 devices');
    expect(planText(plan, 'zh-CN')).toContain('自 2026-07-10（Asia/Shanghai） 起禁用');
  });
});

describe('the same plan', () => {
  withServer();

  test('by command and over REST has the same figures', async () => {
    running.clock.now = Date.now();
    await addFleet();
    const file = fileOf('ban.yaml', banPolicy('2030-07-10'));
    const at = ['2030-07-09', '2030-08-01T00:00:00Z'];
    const asked = at.flatMap((one) => ['--at', one]);
    const data = ['--data', running.folder];
    const out = path.join(folder, 'plan.json');
    const command = await curfewServer(
      'policy',
      'plan',
      file,
      ...data,
      ...asked,
      '--json',
      '--out',
      out,
    );
    expect(command.code).toBe(0);
    expect(readFileSync(out, 'utf8')).toBe(command.out);
    const byCommand = JSON.parse(command.out) as PlanAnswer;
    const answer = await post('/policies/plan', { texts: [readFileSync(file, 'utf8')], at });
    expect(answer.status).toBe(200);
    const byRest = (await answer.json()) as PlanAnswer;
    // Both are of this moment, a second apart.
    const withoutNow = (one: PlanAnswer) =>
      JSON.parse(JSON.stringify(one), (key, value: unknown) =>
        key === 'at' && typeof value === 'string' && Date.parse(value) < Date.now() + 60_000
          ? 'now'
          : value,
      ) as unknown;
    expect(withoutNow(byRest)).toEqual(withoutNow(byCommand));
    const figures = (byCommand as Extract<PlanAnswer, { kind: 'plan' }>).plan.impact.at;
    expect(figures.map(({ devices }) => devices.planned.violation)).toEqual([0, 0, 2, 2]);
    const people = await curfewServer('policy', 'plan', file, ...data);
    expect(people.out).toContain('4 devices, 5 people, 5 components');
  });

  test('is published over REST, and only as it was planned and while nothing else is live', async () => {
    const yaml = banPolicy('2030-07-10');
    const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;
    expect(await codeOf(await post('/policies/publish', { texts: [yaml] }))).toBe('PLAN_MISSING');
    await post('/policies/plan', { texts: [yaml] });
    const other = await post('/policies/publish', { texts: [`${yaml}# more\n`] });
    expect([other.status, await codeOf(other)]).toEqual([409, 'PLAN_MISSING']);
    const published = await post('/policies/publish', { texts: [yaml] });
    expect(await published.json()).toEqual({
      ...{ isPublished: true, sequence: 1, changed: ['ai-coding-tools'], removed: [] },
      policies: ['ai-coding-tools'],
    });
    // Two plans over sequence 1; the first publish makes the second one stale.
    const later = banPolicy('2030-08-10');
    const third = banPolicy('2030-09-10');
    await post('/policies/plan', { texts: [later] });
    await post('/policies/plan', { texts: [third] });
    expect((await post('/policies/publish', { texts: [later] })).status).toBe(200);
    expect(await codeOf(await post('/policies/publish', { texts: [third] }))).toBe('PLAN_STALE');
    const again = await post('/policies/publish', { texts: [later] });
    expect(await again.json()).toMatchObject({ isPublished: false, sequence: 2 });
    const deeds = (await running.store.read.people.audit(0, 100)).map(({ action }) => action);
    expect(deeds.filter((action) => action.startsWith('policy.'))).toEqual([
      ...['policy.plan', 'policy.publish', 'policy.plan', 'policy.plan', 'policy.publish'],
    ]);
  });
});

describe('what is not planned', () => {
  withServer();

  test('a policy with errors stops the plan, with file, line and column', async () => {
    const file = fileOf('wrong.yaml', banPolicy('soon'));
    const { code, out, err } = await curfewServer('policy', 'plan', file, '--data', running.folder);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(`${file}:14:16: error: rules[1].effective: expected a day`);
    const answer = await post('/policies/plan', { texts: [banPolicy('soon')] });
    expect(await answer.json()).toMatchObject({
      kind: 'invalid',
      problems: [{ text: 0, severity: 'error', line: 14, column: 16, field: 'rules[1].effective' }],
    });
  });

  test('needs something to plan, and dates that are dates', async () => {
    const data = ['--data', running.folder];
    expect((await curfewServer('policy', 'plan', ...data)).code).toBe(2);
    const file = fileOf('ban.yaml', banPolicy('2030-07-10'));
    const odd = await curfewServer('policy', 'plan', file, ...data, '--at', 'tomorrow');
    expect([odd.code, odd.err]).toEqual([2, expect.stringContaining('--at is "tomorrow"')]);
    const tongue = await curfewServer('policy', 'plan', file, ...data, '--language', 'tlh');
    expect(tongue.err).toContain('there are en, zh-CN');
    const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;
    expect(await codeOf(await post('/policies/plan', {}))).toBe('REQUEST_INVALID');
    const many = { texts: ['x'], at: Array.from({ length: 21 }, () => '2026-07-10') };
    expect(await codeOf(await post('/policies/plan', many))).toBe('REQUEST_INVALID');
    expect(await codeOf(await post('/policies/plan', { texts: ['x'], color: 'red' }))).toBe(
      'REQUEST_INVALID',
    );
  });

  test('is not for viewers and operators', async () => {
    for (const role of ['viewer', 'operator'] as const) {
      const link = await makeSignInLink(running.store, {
        ...{ user: role, role, now: running.clock.now },
      });
      const signedIn = await post('/session', { link }, 'none=1');
      const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
      for (const route of ['/policies/plan', '/policies/publish']) {
        expect((await post(route, { texts: ['x'] }, cookie)).status).toBe(403);
      }
    }
  });
});
