/**
 * The rule itself, tried on made-up policies, components and documents from a fixed seed: whatever a
 * stolen online key signs, no verdict is worse than under the same policy of the same bundle without it.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inForce, judge } from '../../agent/rules.js';
import { componentStates, scopes } from '../../policies/component.js';
import { actions } from '../../policies/document.js';
import { evaluate, verdictStatuses, type Verdict } from '../../policies/evaluate.js';
import { verifyAssignment } from '../../wire/assignment.js';
import { makePolicyKey, noFloor } from '../../wire/bundle.js';
import { runs } from '../runs.js';
import { bundlePayload, catalogue, device, empty, found, now, signText } from './thief.js';

const dayMs = 86_400_000;
const iso = (at: number): string => new Date(at).toISOString();

const rules = fc.array(
  fc.record({
    match: fc.constantFrom(
      'tool: claude-code',
      'vendor: Anthropic',
      'channel: npm',
      'kind: coding-agent',
    ),
    decision: fc.constantFrom('approve', 'allow', 'review', 'deny', 'deny', 'deny', 'deny'),
    version: fc.constantFrom('', ', version: "<2.1.100"'),
    day: fc.integer({ min: 1, max: 28 }),
    after: fc.constantFrom(...actions),
  }),
  { minLength: 1, maxLength: 4 },
);
const policies = fc
  .tuple(rules, rules, fc.constantFrom('allow', 'review'))
  .map(([first, second, byDefault]) =>
    [first, second].map((list, at) => {
      const lines = list.map(({ match, decision, version, day, after }, index) => {
        const date = `2026-07-${String(day).padStart(2, '0')}`;
        const denial = `, effective: ${date}, after: ${after}, reason: { en: No. }`;
        return `  - { id: r${index}, match: { ${match}${version} }, decision: ${decision}${decision === 'deny' ? denial : ''} }`;
      });
      const targets = at === 0 ? 'targets: { groups: [lab] }\n' : '';
      return `policy: p${at}\ntitle: P\ntimezone: utc\ndefault: { decision: ${byDefault} }\n${targets}rules:${lines.length === 0 ? ' []' : `\n${lines.join('\n')}`}\n`;
    }),
  );

const near = fc.integer({ min: -40, max: 40 }).map((days) => iso(now + days * dayMs));
const odd = fc.oneof(
  fc.constantFrom('1970-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '2026-07-10T23:59:60Z', 'never'),
  fc.string(),
);
const instants = fc.oneof({ weight: 30, arbitrary: near }, { weight: 1, arbitrary: odd });
const names = fc.oneof(
  fc.constantFrom('ana', 'ana@device-1', 'ben@device-1', 'kim', 'device-1', 'board-1', 'toString'),
  fc.string(),
);
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
const exceptions = fc.record({
  id: fc.constantFrom('x1', 'x2'),
  tool: fc.constantFrom('claude-code', 'claude-code', 'codex', '*', ''),
  person: maybe(fc.constantFrom('ana@device-1', 'kim')),
  device: maybe(fc.constantFrom('device-1', 'device-1', 'device-2')),
  hardwareId: maybe(fc.constantFrom('board-1', 'board-1', 'board-2')),
  reason: fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom('moving', '') },
    { weight: 1, arbitrary: fc.constant('www.evil.example') },
  ),
  author: fc.constant('kim'),
  from: maybe(instants),
  until: instants,
  effective: fc.constant('2000-01-01'),
  decision: fc.constant('deny'),
});
const payloads = fc.record({
  group: fc.oneof(fc.constantFrom('lab', 'sales', null), fc.string()),
  persons: fc.dictionary(names, names, { maxKeys: 3 }),
  exceptions: fc.array(exceptions, { maxLength: 4 }),
  pause: fc.boolean(),
  pauseUntil: fc.option(instants),
  graceUntil: fc.option(instants),
  message: fc.option(fc.dictionary(fc.constantFrom('en', 'zh-CN'), fc.string(), { maxKeys: 2 })),
  rescanAfter: fc.option(instants),
  maxAction: fc.constant('remove'),
  policies: fc.constant([{ priority: -1, yaml: 'policy: evil' }]),
  rules: fc.constant([{ id: 'any', match: {}, decision: 'deny', effective: '2000-01-01' }]),
});
const components = fc
  .record({
    tool: fc.oneof(
      { weight: 5, arbitrary: fc.constant('claude-code') },
      { weight: 1, arbitrary: fc.constantFrom('codex', 'qoder', null) },
    ),
    owner: fc.constantFrom('ana', 'ben', 'toString', null),
    version: fc.constantFrom('2.1.91', '2.1.150', null),
    state: fc.constantFrom('installed', 'installed', 'running', ...componentStates),
    scope: fc.constantFrom('global', 'global', ...scopes),
  })
  .map((rest) => found(rest));
const moments = fc.integer({ min: now - 40 * dayMs, max: now + 40 * dayMs });

const rank = ({ status }: Verdict): number => verdictStatuses.indexOf(status);
const strength = (action: Verdict['action']): number =>
  action === null ? -1 : actions.indexOf(action);

test('whatever a stolen key signs, no verdict gets worse than without it under the same policy', async () => {
  const online = await makePolicyKey();
  const trust = { keys: [online.x], floor: noFloor, device: 'device-1', server: 'server-1' };
  let taken = 0;
  let milder = 0;
  const bundles = policies.map((yamls) => ({
    ...bundlePayload(1, [online.x]),
    policies: yamls.map((yaml, priority) => ({ priority, yaml })),
  }));
  await fc.assert(
    fc.asyncProperty(bundles, payloads, components, moments, async (bundle, signed, one, at) => {
      const jws = await signText(JSON.stringify({ ...empty, ...signed }), online);
      const verified = await verifyAssignment(jws, trust);
      if (verified.kind !== 'assignment') return;
      taken += 1;
      const held = inForce({ bundle, assignment: verified.payload, catalogue }, device);
      expect(held.unreadable).toBe(0);
      expect(['p0', 'p1']).toContain(held.policy?.policy);
      const stored = [{ component: one, firstSeen: now, lastSeen: now }];
      const around = { device, homes: new Map<string, string>(), now: at };
      const verdict = judge(stored, held, around).judged[0]?.verdict;
      if (verdict === undefined) throw new Error('nothing judged');
      const { id, hardwareId, platform, zone, maxAction } = device;
      const plain = evaluate({
        ...{ policy: held.policy, catalogue, exceptions: [], component: one, now: at },
        device: { id, hardwareId, person: null, group: null, platform, zone, maxAction },
      }).verdict;
      expect(rank(verdict)).toBeGreaterThanOrEqual(rank(plain));
      expect(strength(verdict.action)).toBeLessThanOrEqual(strength(plain.action));
      const [done, could] = [strength(verdict.effectiveAction), strength(plain.effectiveAction)];
      expect(done).toBeLessThanOrEqual(could);
      if (rank(verdict) > rank(plain) || done < could) milder += 1;
      if (verdict.effective !== null) {
        expect(verdict.effective).toBeGreaterThanOrEqual(plain.effective ?? Infinity);
      }
      if (verdict.announce !== null) expect(verdict.announce).toBe(plain.announce);
    }),
    runs(300),
  );
  // Or nothing was shown: documents were taken, and some of them did soften.
  expect(taken).toBeGreaterThan(100);
  expect(milder).toBeGreaterThan(10);
});
