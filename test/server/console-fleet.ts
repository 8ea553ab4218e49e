/**
 * A fleet for the console's test: devices that enrol, report over the real protocol and move from the
 * denied tool to the approved one in the course of a simulated day that ends now. Every state occurs,
 * so the expected counts are known from this file and not from the server.
 */
import type { KindCounts, ReportedComponent } from '../../wire/messages.js';
import {
  completeScan,
  enrolDevice,
  reportedComponent,
  type ReportingDevice,
} from './reporting-device.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** First instant of 2026-07-10 in Asia/Shanghai, which is UTC+8 without daylight saving. */
export const banEffective = '2026-07-09T16:00:00.000Z';
export const pendingDays = 12;

/** The day in Asia/Shanghai that is `days` after the one of `now`, as a policy writes it. */
export function dayInShanghai(now: number, days: number): string {
  return new Date(now + 8 * hourMs + days * dayMs).toISOString().slice(0, 10);
}

/** The policy of the test, as an admin would write it. */
export const policyYaml = (now: number) => `
policy: ai-coding-tools
title: AI coding tools on work devices
timezone: Asia/Shanghai
default: { decision: review }
rules:
  - id: qoder-approved
    match: { tool: [qoder, qoder-cli] }
    decision: approve
  - id: claude-code-ban
    match: { tool: claude-code }
    decision: deny
    severity: high
    announce: 2026-07-04
    effective: 2026-07-10
    before: notify
    after: block
    reason: { en: Back-door risk., zh-CN: 存在后门风险。 }
    replacement: { tool: qoder-cli, guide: https://example.com/migrate }
  - id: codex-ban
    match: { tool: codex-cli }
    decision: deny
    severity: medium
    effective: ${dayInShanghai(now, pendingDays)}
    before: notify
    after: notify
    reason: { en: No contract yet., zh-CN: 尚未签约。 }
    replacement: { tool: qoder-cli, guide: https://example.com/migrate }
`;

const policy = 'ai-coding-tools';
const ban = { policy, rule: 'claude-code-ban', effective: banEffective, replacement: 'qoder-cli' };

/** Claude Code in the home of `account`; in violation unless said otherwise. */
export function claudeCode(
  account: string,
  at: number,
  changed: Partial<ReportedComponent> = {},
): ReportedComponent {
  return {
    ...reportedComponent({
      tool: 'claude-code',
      name: '@anthropic-ai/claude-code',
      version: '2.1.91',
      path: '~/.nvm/versions/node/v22.23.3/lib/node_modules/@anthropic-ai/claude-code',
      account,
      at,
      verdict: { status: 'violation', severity: 'high', action: 'block', ...ban },
    }),
    ...changed,
  };
}

/** What an update of Claude Code leaves behind for a moment; the default leaves it alone. */
export const claudeCodeTrace = (account: string, at: number) => ({
  ...reportedComponent({
    tool: 'claude-code',
    name: '@anthropic-ai/claude-code',
    version: '2.1.90',
    path: '~/.npm-global/lib/node_modules/@anthropic-ai/.claude-code-2DTsDk1V',
    account,
    at,
    verdict: { status: 'allowed', policy, rule: 'default' },
  }),
  state: 'residual' as const,
});

/** The approved tool. */
export const qoder = (account: string, at: number) =>
  reportedComponent({
    tool: 'qoder-cli',
    name: '@qoder-ai/qodercli',
    version: '1.0.34',
    path: '~/.npm-global/lib/node_modules/@qoder-ai/qodercli',
    account,
    at,
    verdict: { status: 'approved', policy, rule: 'qoder-approved' },
  });

const codex = (account: string, at: number, now: number) =>
  reportedComponent({
    tool: 'codex-cli',
    name: '@openai/codex',
    version: '0.98.0',
    path: '~/.bun/install/global/node_modules/@openai/codex',
    account,
    at,
    verdict: {
      status: 'pending',
      policy,
      rule: 'codex-ban',
      severity: 'medium',
      effective: new Date(`${dayInShanghai(now, pendingDays)}T00:00:00+08:00`).toISOString(),
      action: 'notify',
      replacement: 'qoder-cli',
    },
  });

/** What no rule names, from a device that tries to write into the console. */
export const hostileName = 'evil\n\u202egpj.exe<img src=x onerror=alert(1)>';
const hostile = (account: string, at: number) =>
  reportedComponent({
    tool: null,
    name: hostileName,
    version: '1.0.0',
    path: `~/.vscode/extensions/${hostileName}`,
    account,
    at,
    verdict: { status: 'review', policy, rule: 'default' },
  });

/** What only looks like an AI tool, from a device whose policy has such finds reported. */
export const guess = (account: string, at: number): ReportedComponent => ({
  ...reportedComponent({
    tool: null,
    name: 'brand-new-agent',
    version: '0.1.0',
    path: '~/.npm-global/lib/node_modules/brand-new-agent',
    account,
    at,
    verdict: { status: 'review', policy, rule: 'default' },
  }),
  candidateReasons: ['depends-on-model-sdk', 'speaks-acp'],
});

/** What the fleet needs of the test: a server, a token, and a clock that can be set. */
export interface FleetWorld {
  readonly address: string;
  readonly enrolToken: string;
  readonly now: number;
  readonly clock: () => number;
  readonly setClock: (at: number) => void;
  /** Writes the point of the chart for the time the clock shows. */
  readonly sample: () => Promise<void>;
}

/** The device and the account whose day goes on in the test. */
export interface Fleet {
  readonly kim: ReportingDevice;
  readonly ana: ReportingDevice;
  readonly devices: readonly ReportingDevice[];
}

/** Devices by state once the fleet stands; 16 in all. */
export const fleetStates = {
  violation: 2,
  pending: 1,
  unknown: 1,
  partial: 1,
  stale: 1,
  'never-scanned': 1,
  excepted: 1,
  clear: 8,
} as const;

/** Reports all that one person's agent knows; `counts` of kinds that the policy has only counted. */
export async function snapshot(
  device: ReportingDevice,
  account: string,
  at: number,
  { components, counts = {} }: { components: readonly ReportedComponent[]; counts?: KindCounts },
): Promise<void> {
  const report = {
    kind: 'snapshot',
    at: new Date(at).toISOString(),
    part: 1,
    parts: 1,
    bundleSequence: 1,
  } as const;
  await device.report({ ...report, components: [], scan: completeScan(at, 11) });
  await device.report(
    { ...report, components: [...components], counts, scan: completeScan(at, 34) },
    { kind: 'person', account },
  );
}

const movers = 7;

async function enrolAll(world: FleetWorld) {
  const enrol = (hostName: string, label?: string) =>
    enrolDevice({ ...world, hostName, ...(label === undefined ? {} : { label }) });
  const { now, setClock } = world;
  setClock(now - 9 * dayMs);
  const stale = await enrol('ben-tablet');
  await snapshot(stale, 'ben', world.clock(), { components: [claudeCode('ben', world.clock())] });
  stale.close();
  setClock(now - 20 * hourMs);
  return {
    stale,
    ana: await enrol('ana-laptop'),
    ben: await enrol('ben-desktop'),
    kim: await enrol('kim-laptop'),
    pending: await enrol('kim-desktop'),
    unknown: await enrol('ci-runner-2'),
    partial: await enrol('ana-build'),
    excepted: await enrol('ben-research'),
    unscanned: await enrol('new-laptop', 'not set up yet'),
    moving: await Promise.all(Array.from({ length: movers }, (_, n) => enrol(`eng-${n + 11}`))),
  };
}

async function reportOddStates(
  { unknown, partial, excepted, pending }: Awaited<ReturnType<typeof enrolAll>>,
  { now, clock }: FleetWorld,
): Promise<void> {
  const at = clock();
  const claude = claudeCode('ana', at);
  const { verdict } = claude;
  const undecided = { version: null, verdict: { ...verdict, status: 'unknown' } } as const;
  await snapshot(unknown, 'ben', at, { components: [claudeCode('ben', at, undecided)] });
  const kept = { verdict: { ...verdict, status: 'excepted', rule: null } } as const;
  await snapshot(excepted, 'ben', at, {
    components: [claudeCode('ben', at, kept), qoder('ben', at)],
  });
  await snapshot(pending, 'kim', at, { components: [codex('kim', at, now), qoder('kim', at)] });
  await snapshot(partial, 'ana', at, { components: [claude] });
  await partial.report(
    {
      kind: 'changes',
      at: new Date(at).toISOString(),
      present: [],
      removed: [],
      bundleSequence: 1,
      scan: {
        ...completeScan(at, 34),
        status: 'partial',
        notRead: [{ root: '~/.volta/tools', status: 'unreadable' }],
      },
    },
    { kind: 'person', account: 'ana' },
  );
}

/** The machine's own scan once more, one device a minute, so that all were heard of lately. */
async function checkIn(
  devices: readonly ReportingDevice[],
  { now, clock, setClock }: FleetWorld,
): Promise<void> {
  for (const [index, device] of devices.entries()) {
    setClock(now - (devices.length - index) * 60_000);
    await device.report({
      kind: 'changes',
      at: new Date(clock()).toISOString(),
      present: [],
      removed: [],
      bundleSequence: 1,
      scan: completeScan(clock(), 11),
    });
  }
  setClock(now);
}

/** The simulated day: everybody starts with the denied tool, one after the other moves. */
export async function buildFleet(world: FleetWorld): Promise<Fleet> {
  const { now, setClock, sample, clock } = world;
  const all = await enrolAll(world);
  await reportOddStates(all, world);
  await snapshot(all.ana, 'ana', clock(), {
    components: [
      claudeCode('ana', clock(), { gateway: 'llm.example.com' }),
      hostile('ana', clock()),
      guess('ana', clock()),
    ],
    counts: { model: 2, service: 0 },
  });
  await snapshot(all.ben, 'ben', clock(), { components: [claudeCode('ben', clock())] });
  for (const device of [...all.moving, all.kim])
    await snapshot(device, 'kim', clock(), { components: [claudeCode('kim', clock())] });
  await sample();
  const moving = [all.kim, ...all.moving];
  for (let hour = 19; hour >= 0; hour -= 1) {
    setClock(now - hour * hourMs);
    const device = hour % 2 === 0 ? moving.pop() : undefined;
    if (device !== undefined)
      await snapshot(device, 'kim', clock(), { components: [qoder('kim', clock())] });
    await sample();
  }
  const { moving: moved, ...rest } = all;
  const { stale, unscanned, ...awake } = rest;
  await checkIn([...moved, ...Object.values(awake)], world);
  return {
    kim: all.kim,
    ana: all.ana,
    devices: [...moved, ...Object.values(awake), stale, unscanned],
  };
}
