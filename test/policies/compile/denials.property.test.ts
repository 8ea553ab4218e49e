/**
 * Evaluation is the only judge: what a policy denies in an enforcer's terms is asked of evaluation too, for
 * made-up policies, and for components of every version, owner, place and gateway. Denied means a violation
 * whatever those are; spared means a violation for none of them; partly means that it depends.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { builtInCatalogue } from '../../../policies/catalogue.js';
import { denialsOf, type Judged } from '../../../policies/compile/denials.js';
import type { Channel, Component } from '../../../policies/component.js';
import { parsePolicy, type Policy } from '../../../policies/document.js';
import { evaluate, type DeviceContext, type Verdict } from '../../../policies/evaluate.js';
import { runs } from '../../runs.js';

const catalogue = builtInCatalogue();
const at = Date.parse('2026-07-15T00:00:00Z');

const matches = [
  { tool: 'claude-code' },
  { tool: ['cursor', 'github-copilot'] },
  { vendor: 'Anthropic' },
  { kind: 'coding-agent' },
  { kind: ['ide', 'editor-plugin'] },
  { provider: 'openai' },
  { channel: 'npm' },
  { channel: ['editor-extension', 'homebrew'] },
  { package: { npm: ['@anthropic-ai/claude-code', 'left-one'] } },
  { package: { 'editor-extension': 'github.copilot', homebrew: 'gemini-cli' } },
];
const conditions = [
  {},
  {},
  {},
  { version: '<2.0.0' },
  { owner: 'ben' },
  { path: '/opt/**' },
  { gateway: 'third-party' },
  { running: true },
  { state: ['residual', 'disabled'] },
];
const decisions = ['approve', 'allow', 'review', 'deny', 'deny', 'deny'] as const;

const rule = fc.record({
  match: fc.constantFrom(...matches),
  condition: fc.constantFrom(...conditions),
  decision: fc.constantFrom(...decisions),
  day: fc.integer({ min: 10, max: 20 }),
  after: fc.constantFrom('observe', 'notify', 'block', 'remove'),
});

const policies: fc.Arbitrary<Policy> = fc
  .tuple(fc.array(rule, { minLength: 1, maxLength: 5 }), fc.constantFrom('allow', 'review', 'deny'))
  .map(([rules, byDefault]) => {
    const denial = { effective: '2026-07-12', after: 'block' };
    const document = {
      ...{ policy: 'p', title: 'P', timezone: 'utc' },
      default: { decision: byDefault, ...(byDefault === 'deny' ? denial : {}) },
      rules: rules.map(({ match, condition, decision, day, after }, place) => ({
        ...{ id: `r${place}`, match: { ...match, ...condition }, decision },
        ...(decision === 'deny'
          ? { effective: `2026-07-${day}`, after, reason: { en: 'No.' } }
          : {}),
      })),
    };
    const parsed = parsePolicy(JSON.stringify(document, null, 1));
    if (parsed.kind === 'policy') return parsed.policy;
    throw new Error(JSON.stringify(parsed.problems));
  });

/** Kinds whose names are those of one channel's components. */
const channels: Readonly<Record<string, Channel>> = {
  npm: 'npm',
  pypi: 'pypi',
  homebrewFormula: 'homebrew',
  homebrewCask: 'homebrew',
  editorExtension: 'editor-extension',
  jetbrainsPlugin: 'jetbrains-plugin',
  browserExtension: 'browser-extension',
  dpkg: 'package',
  winget: 'package',
};

/** Devices' differences that no enforcer sees. */
const known = { gateway: null, running: false };
const places: readonly Partial<Component>[] = [
  { ...known, version: '1.0.0', owner: 'ana', path: '/usr/lib/x' },
  { ...known, version: '3.0.0', owner: 'ben', path: '/opt/x', gateway: 'gateway.example.com' },
  { ...known, version: '1.0.0', owner: 'ben', path: '/usr/lib/x', running: true },
  { ...known, version: '3.0.0', owner: null, path: '/usr/lib/x' },
];

function verdictsOf({ tool, kind, name }: Judged, policy: Policy): Verdict[] {
  const channel = channels[kind];
  if (channel === undefined) throw new Error(kind);
  const device: DeviceContext = {
    ...{ id: 'd', hardwareId: null, person: null, group: null, zone: 'UTC' },
    ...{ platform: 'linux', maxAction: 'remove' },
  };
  return places.map((place) => {
    const component: Component = {
      ...{ id: 'c', tool: tool?.id ?? null, channel, purl: null, name, version: null, path: '/x' },
      ...{ owner: null, scope: 'global', state: 'installed', confidence: 'high', evidence: [] },
      manager: channel === 'package' ? kind : null,
      ...place,
    };
    return evaluate({ policy, catalogue, exceptions: [], component, device, now: at }).verdict;
  });
}

test('what is denied, spared or denied partly is so by evaluation', () => {
  fc.assert(
    fc.property(policies, (policy) => {
      const { identities } = denialsOf({ policy, catalogue, at, zone: 'UTC', isAllowList: false });
      for (const one of identities.filter(({ kind }) => kind in channels)) {
        const verdicts = verdictsOf(one, policy);
        const isViolation = verdicts.map(({ status }) => status === 'violation');
        const what = `${one.kind} ${one.name}: ${one.outcome} by ${one.rule}`;
        if (one.outcome === 'denied') {
          expect(isViolation, what).toEqual(places.map(() => true));
          const strength = ['observe', 'notify', 'block', 'remove'];
          const asked = verdicts.map(({ action }) => strength.indexOf(action ?? 'observe'));
          expect(Math.min(...asked), what).toBeGreaterThanOrEqual(
            strength.indexOf(one.action ?? ''),
          );
        }
        if (one.outcome === 'spared') expect(isViolation, what).toEqual(places.map(() => false));
        if (one.isPermitted) {
          expect(
            verdicts.every(({ status }) => /^(approved|allowed)$/.test(status)),
            what,
          ).toBe(true);
        }
      }
    }),
    runs(15),
  );
});
