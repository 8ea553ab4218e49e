/**
 * What the tests of the policy judge: a small catalogue, components and a device, each with plain
 * defaults that a test changes by name. Policies themselves are written as YAML in the tests.
 */
import {
  indexCatalogue,
  type Catalogue,
  type Identifiers,
  type Tool,
} from '../../policies/catalogue.js';
import { identifierKinds } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import { parsePolicy, type Policy } from '../../policies/document.js';
import {
  evaluate,
  type DeviceContext,
  type Evaluation,
  type Exception,
} from '../../policies/evaluate.js';

const none = Object.fromEntries(
  identifierKinds.map((kind) => [kind, []]),
) as unknown as Identifiers;

function tool(id: string, rest: Partial<Tool>): Tool {
  return {
    id,
    name: id,
    vendor: 'Somebody',
    provider: [],
    kind: 'coding-agent',
    homepage: null,
    aliases: [],
    formerNames: [],
    identifiers: none,
    folders: [],
    config: [],
    install: {},
    uninstall: {},
    ...rest,
  };
}

export const catalogue: Catalogue = indexCatalogue(
  {
    format: 1,
    tools: [
      tool('claude-code', {
        vendor: 'Anthropic',
        provider: ['anthropic'],
        aliases: ['claude-code-cli'],
        identifiers: { ...none, npm: ['@anthropic-ai/claude-code'] },
      }),
      tool('claude-desktop', { vendor: 'Anthropic', provider: ['anthropic'], kind: 'desktop-app' }),
      tool('opencode', { vendor: 'Anomaly', provider: ['openai', 'anthropic'] }),
      tool('bridge', { provider: ['none'], kind: 'gateway' }),
      tool('qoder', { vendor: 'Qoder', provider: ['qoder'], kind: 'ide' }),
      tool('qoder-cli', { vendor: 'Qoder', provider: ['qoder'] }),
    ],
    editors: [],
    advisories: [],
  },
  '0'.repeat(64),
);

export const component = (rest: Partial<Component> = {}): Component => ({
  id: '0'.repeat(32),
  tool: 'claude-code',
  channel: 'npm',
  manager: 'npm',
  purl: null,
  name: '@anthropic-ai/claude-code',
  version: '2.1.100',
  path: '/home/ana/.npm-global/lib/node_modules/@anthropic-ai/claude-code',
  owner: 'ana',
  scope: 'global',
  state: 'installed',
  confidence: 'high',
  evidence: ['package.json'],
  ...rest,
});

export const device = (rest: Partial<DeviceContext> = {}): DeviceContext => ({
  id: 'device-1',
  hardwareId: 'hw-1',
  person: 'ana@device-1',
  group: 'engineering',
  platform: 'linux',
  zone: 'Europe/Berlin',
  maxAction: 'remove',
  ...rest,
});

export const exception = (rest: Partial<Exception> = {}): Exception => ({
  id: 'e1',
  tool: 'claude-code',
  person: 'ana@device-1',
  reason: 'Moves a customer project first.',
  author: 'kim',
  until: Date.parse('2026-09-01T00:00:00Z'),
  ...rest,
});

/** The policy of a YAML text; the test fails with its problems when it is refused. */
export function policyOf(yaml: string): Policy {
  const parsed = parsePolicy(yaml, { catalogue });
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems, null, 1));
  return parsed.policy;
}

export interface Situation {
  readonly component?: Partial<Component>;
  readonly device?: Partial<DeviceContext>;
  readonly exceptions?: readonly Exception[];
  /** RFC 3339. */
  readonly at?: string;
  /** Rule id to RFC 3339: when the device was first told of it. */
  readonly notices?: Readonly<Record<string, string>>;
  /** RFC 3339: until when the assignment gives grace. */
  readonly assignedGrace?: string;
}

/** The evaluation of one situation under a policy in YAML. */
export function judge(policy: string | Policy | null, situation: Situation = {}): Evaluation {
  const notices = Object.entries(situation.notices ?? {});
  return evaluate({
    ...(situation.assignedGrace !== undefined && {
      assignedGrace: Date.parse(situation.assignedGrace),
    }),
    notices: new Map(notices.map(([rule, at]) => [rule, Date.parse(at)])),
    policy: typeof policy === 'string' ? policyOf(policy) : policy,
    catalogue,
    exceptions: situation.exceptions ?? [],
    component: component(situation.component),
    device: device(situation.device),
    now: Date.parse(situation.at ?? '2026-07-15T00:00:00Z'),
  });
}

/** A policy of these rules, in the author's form, counting in UTC. */
export const withRules = (rules: string, decision = 'review'): string => `
policy: case
title: Test policy
timezone: utc
default: { decision: ${decision} }
rules:
${rules}`;

/** A denying rule with this match, in force since 10 July. */
export const deny = (id: string, match: string): string => `
  - id: ${id}
    match: ${match}
    decision: deny
    effective: 2026-07-10
    after: block
    reason: { en: Not approved here. }
`;
