/** The figures of a plan, on fleets small enough to be counted by hand. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { parsePolicy, type Policy } from '../../policies/document.js';
import { impactOf, type Impact } from '../../server/impact.js';
import type { Store } from '../../server/store/index.js';
import type { StoredException } from '../../server/store/records.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { noon } from './fixture.js';
import { addMember, type FleetMember } from './plan-fleet.js';

let folder: string;
let store: Store;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-impact-'));
  store = openSqliteStore(path.join(folder, 'server.db'));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const policyOf = (yaml: string): Policy => {
  const parsed = parsePolicy(yaml);
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
};

const rules = (text: string, options = '', id = 'tools'): Policy =>
  policyOf(`policy: ${id}
title: Tools
timezone: Asia/Shanghai
default: { decision: allow }
${options}
rules:
${text}`);

const ban = (effective: string, match = '{ tool: claude-code }', more = ''): string => `
  - id: ban
    match: ${match}
    decision: deny
    effective: ${effective}
    after: block
    reason: { en: Because. }
    ${more}
`;

const instant = (text: string): number => Date.parse(text);

async function impact(
  members: readonly FleetMember[],
  sides: { live?: readonly Policy[]; planned: readonly Policy[] },
  options: {
    instants?: readonly number[];
    exceptions?: readonly StoredException[];
    told?: number;
  } = {},
): Promise<Impact> {
  for (const member of members) await addMember(store, member);
  const { instants = [noon], exceptions = [], told = noon } = options;
  const toldFrom = () => told;
  return impactOf({
    fleet: store.read.fleet,
    exceptions,
    catalogue: builtInCatalogue(),
    live: { policies: sides.live ?? [], toldFrom },
    planned: { policies: sides.planned, toldFrom },
    instants,
  });
}

const claude = { tool: 'claude-code', version: '2.1.100' } as const;
const qoder = { tool: 'qoder' } as const;
/** What is not named is 0. */
const counts = (some: Readonly<Record<string, number>>) => ({
  ...{ violation: 0, unforeseen: 0, pending: 0, unknown: 0, excepted: 0, clear: 0 },
  ...some,
});

describe('the impact of a plan', () => {
  test('is counted by device, person and tool, before the date and from it on', async () => {
    const fleet: FleetMember[] = [
      // Two people on one machine, and claude-code on the machine itself.
      {
        id: 'd1',
        has: [
          { ...claude, owner: 'ana' },
          { ...qoder, owner: 'ana' },
          { ...qoder, owner: 'ben' },
          { ...claude, owner: null },
        ],
      },
      { id: 'd2', has: [{ ...claude, owner: 'ana' }] },
      { id: 'd3', has: [{ ...qoder, owner: 'ben' }] },
      { id: 'd4', has: [] },
      { id: 'd5', has: null },
      // A copy that npx left is not reached by the rule.
      { id: 'd6', has: [{ ...claude, state: 'cached' }], isPartial: true },
    ];
    const before = instant('2026-07-09T15:59:59.999Z');
    const found = await impact(
      fleet,
      { live: [rules(ban('2026-07-10'))], planned: [rules(ban('2026-07-06'))] },
      { instants: [instant('2026-07-05T15:59:59.999Z'), before, before + 1] },
    );
    expect(found).toMatchObject({
      ...{ devices: 6, neverScanned: 1, partial: 1, components: 7, people: 5 },
      follows: [{ policy: 'tools', live: 6, planned: 6 }],
      open: [],
    });
    const [early, between, late] = found.at;
    expect(early?.devices).toMatchObject({
      live: counts({ pending: 2, clear: 3 }),
      planned: counts({ pending: 2, clear: 3 }),
      become: counts({}),
    });
    expect(between?.devices).toMatchObject({
      live: counts({ pending: 2, clear: 3 }),
      planned: counts({ violation: 2, clear: 3 }),
      become: counts({ violation: 2 }),
    });
    // ana on d1, ben on d1, ana on d2, ben on d3, ana on d6.
    expect(between?.people).toMatchObject({
      live: counts({ pending: 2, clear: 3 }),
      planned: counts({ violation: 2, clear: 3 }),
      become: counts({ violation: 2 }),
    });
    expect(between?.tools.map(({ tool, figures }) => [tool, figures.planned])).toEqual([
      ['claude-code', counts({ violation: 2, clear: 1 })],
      ['qoder', counts({ clear: 2 })],
    ]);
    expect(late?.devices).toMatchObject({
      live: counts({ violation: 2, clear: 3 }),
      planned: counts({ violation: 2, clear: 3 }),
      become: counts({}),
    });
  });

  test('tells devices without a policy and an unknown version from clear ones', async () => {
    const fleet: FleetMember[] = [
      { id: 'd1', has: [{ ...claude, version: '2.1.100' }] },
      { id: 'd2', has: [{ ...claude, version: null }] },
      { id: 'd3', has: [{ ...claude, version: '2.2.0' }] },
      { id: 'd4', group: 'sales', has: [claude] },
      { id: 'd5', group: 'sales', has: [] },
    ];
    const range = "{ tool: claude-code, version: '>=2.1.91 <=2.1.197' }";
    const planned = rules(ban('2026-07-01', range), 'targets: { groups: [engineering] }');
    const found = await impact(fleet, { planned: [planned] });
    expect(found.at[0]?.devices).toMatchObject({
      live: counts({ unknown: 4, clear: 1 }),
      planned: counts({ violation: 1, unknown: 2, clear: 2 }),
      become: counts({ violation: 1, clear: 1 }),
    });
    expect(found.follows).toEqual([
      { policy: null, live: 5, planned: 2 },
      { policy: 'tools', live: 0, planned: 3 },
    ]);
  });

  test('sends each device to the first policy whose targets include it', async () => {
    const fleet: FleetMember[] = [
      { id: 'd1', group: 'engineering', has: [claude] },
      { id: 'd2', group: 'engineering', platform: 'darwin', has: [claude] },
      { id: 'd3', group: 'sales', platform: 'darwin', has: [claude] },
      { id: 'd4', group: 'sales', assignedUser: 'kim@example.com', has: [claude] },
      { id: 'd5', group: 'sales', has: [claude] },
    ];
    const macs = rules(ban('2026-07-01'), 'targets: { os: darwin }', 'macs');
    const kim = rules(ban('2026-09-01'), 'targets: { users: [kim@example.com] }', 'kim');
    const engineers = rules(ban('2026-08-01'), 'targets: { groups: [engineering] }', 'engineers');
    const found = await impact(fleet, { live: [engineers], planned: [macs, kim, engineers] });
    expect(found.follows).toEqual([
      { policy: 'engineers', live: 2, planned: 1 },
      { policy: 'macs', live: 0, planned: 2 },
      { policy: null, live: 3, planned: 1 },
      { policy: 'kim', live: 0, planned: 1 },
    ]);
    expect(found.at[0]?.devices).toMatchObject({
      live: counts({ pending: 2, unknown: 3 }),
      planned: counts({ violation: 2, pending: 2, unknown: 1 }),
      become: counts({ violation: 2, pending: 1 }),
    });
  });

  test('of device-local dates comes to each zone at its own midnight', async () => {
    const fleet: FleetMember[] = [
      { id: 'd1', zone: 'Pacific/Kiritimati', has: [claude] }, // UTC+14
      { id: 'd2', zone: 'Asia/Shanghai', has: [claude] }, // UTC+8
      { id: 'd3', zone: 'America/Los_Angeles', has: [claude] }, // UTC-7 in July
      { id: 'd4', zone: 'Nowhere/None', has: [claude] }, // UTC is used
    ];
    const local = { ...rules(ban('2026-07-10')), timezone: 'device-local' };
    const found = await impact(
      fleet,
      { planned: [local] },
      {
        instants: [
          '2026-07-09T09:59:59Z',
          '2026-07-09T10:00:00Z',
          '2026-07-09T16:00:00Z',
          '2026-07-10T00:00:00Z',
          '2026-07-10T07:00:00Z',
        ].map(instant),
      },
    );
    expect(found.at.map(({ devices }) => devices.planned.violation)).toEqual([0, 1, 2, 3, 4]);
    expect(found.withoutZone).toBe(1);
  });

  test('of device-local dates stays with the zone that a device has read them in', async () => {
    const was = { rule: 'ban', zone: 'Pacific/Kiritimati' };
    const fleet: FleetMember[] = [
      { id: 'd1', zone: 'America/Los_Angeles', has: [{ ...claude, verdict: was }] },
      { id: 'd2', zone: 'America/Los_Angeles', has: [claude] },
    ];
    const local = { ...rules(ban('2026-07-10')), timezone: 'device-local' };
    const instants = ['2026-07-09T10:00:00Z', '2026-07-10T07:00:00Z'].map(instant);
    const found = await impact(fleet, { live: [local], planned: [local] }, { instants });
    expect(found.at.map(({ devices }) => devices.planned.violation)).toEqual([1, 2]);
  });

  test('counts whom an exception lets keep a tool, as long as it holds', async () => {
    const exception = (
      id: string,
      whom: Partial<Pick<StoredException, 'device' | 'person' | 'hardwareId'>>,
      span: { from?: string; until: string },
    ): StoredException => ({
      ...{ id, tool: 'claude-code', person: null, device: null, hardwareId: null, ...whom },
      ...{ reason: 'needed', author: 'ana', createdAt: noon, endedAt: null, endedBy: null },
      from: span.from === undefined ? null : instant(span.from),
      until: instant(span.until),
    });
    const until = '2026-07-20T00:00:00Z';
    const fleet: FleetMember[] = [
      {
        id: 'd1',
        has: [
          { ...claude, owner: 'ana' },
          { ...qoder, owner: 'ben' },
        ],
      },
      // Only ana is excepted here; ben has it too.
      {
        id: 'd2',
        has: [
          { ...claude, owner: 'ana' },
          { ...claude, owner: 'ben' },
        ],
      },
      { id: 'd3', hardwareId: 'hw-3', has: [claude] },
      { id: 'd4', assignedUser: 'Kim@Example.com', has: [{ ...claude, owner: null }] },
      { id: 'd5', assignedUser: 'kim@example.com', has: [claude] },
      { id: 'd6', has: [claude] },
    ];
    const exceptions = [
      exception('e1', { device: 'd1' }, { until }),
      exception('e2', { person: 'ana@d2' }, { until }),
      exception('e3', { hardwareId: 'hw-3' }, { from: '2026-07-12T00:00:00Z', until }),
      exception('e4', { person: 'kim@example.com' }, { until: '2026-08-01T00:00:00Z' }),
    ];
    const found = await impact(
      fleet,
      { planned: [rules(ban('2026-07-01'))] },
      {
        exceptions,
        instants: ['2026-07-11T00:00:00Z', '2026-07-12T00:00:00Z', until].map(instant),
      },
    );
    expect(found.at.map(({ devices }) => [devices.planned, devices.excepted.planned])).toEqual([
      [counts({ violation: 3, excepted: 3 }), 4], // d1, d4, d5; besides d2
      [counts({ violation: 2, excepted: 4 }), 5], // d3 has begun
      [counts({ violation: 4, excepted: 2 }), 2], // d4 and d5 are kim's
    ]);
    // ana and ben on d1, ana and ben on d2, ana on d3, kim (two devices), ana on d6.
    expect(found.people).toBe(7);
    expect(found.at[0]?.people.planned).toEqual(counts({ violation: 3, excepted: 3, clear: 1 }));
  });

  test('counts what the server cannot foresee, where it matters, and guesses nothing', async () => {
    const fleet: FleetMember[] = [
      // The place of the home is not told, so only a pattern from ~ on can be answered.
      { id: 'd1', has: [{ ...claude, path: '~/.npm-global/lib/node_modules/x' }] },
      { id: 'd2', has: [{ ...claude, path: '/opt/tools/x', owner: null }] },
      { id: 'd3', has: [{ ...claude, path: '~/…/node_modules/x' }] },
      { id: 'd4', has: [{ ...qoder, path: '~/…/node_modules/x' }] },
    ];
    const byPath = '{ tool: claude-code, path: ["/opt/**", "/home/*/.npm-global/**"] }';
    const found = await impact(fleet, { planned: [rules(ban('2026-07-01', byPath))] });
    expect(found.at[0]?.devices.planned).toEqual(counts({ violation: 1, unforeseen: 2, clear: 1 }));
    expect(found.open).toEqual([
      { policy: 'tools', rule: 'ban', fields: ['path'], components: 2, devices: 2 },
    ]);
  });

  test('of a rule by publisher is open only for what the rule could reach', async () => {
    const fleet = [[claude, qoder], [qoder]].map((has, at) => ({ id: `d${at}`, has }));
    const byPublisher = '{ tool: claude-code, publisher: Somebody }';
    const found = await impact(fleet, { planned: [rules(ban('2026-07-01', byPublisher))] });
    expect(found.at[0]?.devices.planned).toEqual(counts({ unforeseen: 1, clear: 1 }));
    // Where a later rule says the same, nothing hangs on the publisher.
    const also = `${ban('2026-07-01', byPublisher)}${ban('2026-06-01').replace('id: ban', 'id: all')}`;
    const certain = await impact([], { planned: [rules(also)] });
    expect(certain.at[0]?.devices.planned).toEqual(counts({ violation: 1, clear: 1 }));
    expect(certain.open).toEqual([]);
  });

  test('answers rules by gateway, owner, package, whole path and running', async () => {
    const fleet: FleetMember[] = [
      { id: 'd1', has: [{ ...claude, gateway: 'relay.example.com' }] },
      { id: 'd2', has: [{ ...claude, gateway: 'api.anthropic.com' }] },
      { id: 'd3', has: [{ ...claude, owner: 'ben' }] },
      { id: 'd4', has: [{ tool: null, name: 'left-pad', channel: 'npm' }] },
      // ana runs it, ben has it and does not.
      {
        id: 'd5',
        has: [
          { ...qoder, owner: 'ana' },
          { ...qoder, owner: 'ana', state: 'running', channel: 'process' },
          { ...qoder, owner: 'ben' },
        ],
      },
      { id: 'd6', has: [{ ...qoder, path: '/opt/qoder/qoder' }] },
    ];
    const of = (match: string) => impact([], { planned: [rules(ban('2026-07-01', match))] });
    await impact(fleet, { planned: [] });
    const violating = async (match: string) => (await of(match)).at[0]?.devices.planned.violation;
    expect(await violating('{ tool: claude-code, gateway: third-party }')).toBe(1);
    expect(await violating('{ tool: claude-code, gateway: [vendor, "*.example.com"] }')).toBe(2);
    expect(await violating('{ tool: claude-code, owner: ben }')).toBe(1);
    expect(await violating('{ package: { npm: left-pad } }')).toBe(1);
    expect(await violating('{ tool: qoder, path: "/opt/**" }')).toBe(1);
    const running = await of('{ tool: qoder, running: true }');
    expect(running.at[0]?.devices.planned.violation).toBe(1);
    expect(running.at[0]?.people.planned.violation).toBe(1);
    // Whether no gateway is set or none was read is not told.
    expect((await of('{ tool: claude-code, gateway: none }')).at[0]?.devices.planned).toEqual(
      counts({ unforeseen: 1, clear: 5 }),
    );
  });

  test('compares accounts as each system does', async () => {
    const fleet: FleetMember[] = [
      { id: 'd1', platform: 'win32', has: [{ ...claude, owner: 'BEN' }] },
      { id: 'd2', platform: 'win32', has: [{ ...claude, owner: 'ÅSA' }] },
      { id: 'd3', has: [{ ...claude, owner: 'BEN' }] },
      { id: 'd4', has: [{ ...claude, owner: 'ben' }] },
    ];
    const match = '{ tool: claude-code, owner: [ben, åsa] }';
    const found = await impact(fleet, { planned: [rules(ban('2026-07-01', match))] });
    expect(found.at[0]?.devices.planned).toEqual(counts({ violation: 3, clear: 1 }));
  });

  test('gives each device its grace from the notice that it has told', async () => {
    const fleet: FleetMember[] = [
      { id: 'd1', has: [{ ...claude, verdict: { rule: 'ban', noticed: '2026-07-01T00:00:00Z' } }] },
      { id: 'd2', has: [claude] },
    ];
    const policy = rules(ban('2026-07-01', '{ tool: claude-code }', 'grace: 10 days'));
    const found = await impact(
      fleet,
      { live: [policy], planned: [policy] },
      {
        told: instant('2026-07-05T00:00:00Z'),
        instants: [
          '2026-07-10T23:59:59Z',
          '2026-07-11T00:00:00Z',
          '2026-07-14T23:59:59Z',
          '2026-07-15T00:00:00Z',
        ].map(instant),
      },
    );
    expect(found.at.map(({ devices }) => devices.planned.violation)).toEqual([0, 1, 1, 2]);
  });

  test('keeps what an admin has given as grace', async () => {
    const fleet = ['d1', 'd2'].map((id) => ({ id, has: [claude] }));
    await impact(fleet, { planned: [] });
    const graceUntil = instant('2026-07-12T00:00:00Z');
    await store.write(async ({ assignments }) =>
      assignments.setTerms('d1', { ...(await assignments.terms('d1')), graceUntil }),
    );
    const options = { instants: [graceUntil - 1, graceUntil] };
    const found = await impact([], { planned: [rules(ban('2026-07-01'))] }, options);
    expect(found.at.map(({ devices }) => devices.planned.violation)).toEqual([1, 2]);
  });

  test('leaves out what a revoked device had', async () => {
    const fleet = ['d1', 'd2'].map((id) => ({ id, has: [claude] }));
    await impact(fleet, { planned: [] });
    await store.write((writing) => writing.devices.revoke('d1', noon));
    const found = await impact([], { planned: [rules(ban('2026-07-01'))] });
    expect(found).toMatchObject({ devices: 1, components: 1, people: 1 });
    expect(found.at[0]?.devices.planned).toEqual(counts({ violation: 1 }));
  });
});
