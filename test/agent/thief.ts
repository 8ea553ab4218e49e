/**
 * A device with a bundle, and a thief who has the online key that the bundle names and signs what they
 * like with it. What the device makes of it is for the tests to say.
 */
import { CompactSign, importJWK } from 'jose';
import { writeIdentity, writePins, type Identity } from '../../agent/identity-files.js';
import { openDocuments, type Documents, type TakenDocument } from '../../agent/report/documents.js';
import { inForce, judge, type Device } from '../../agent/rules.js';
import { openStore } from '../../agent/store.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import type { Verdict } from '../../policies/evaluate.js';
import type { AssignmentPayload } from '../../wire/assignment.js';
import {
  makePolicyKey,
  noFloor,
  signBundle,
  thumbprint,
  type BundlePayload,
  type SigningKey,
} from '../../wire/bundle.js';
import { temporaryFolder } from './link-fixture.js';

export const catalogue = builtInCatalogue();
/** Two days before the usual policy's ban takes effect. */
export const now = Date.UTC(2026, 6, 8);

const rule = (id: string, tool: string, effective: string, after: string): string => `
  - id: ${id}
    match: { tool: ${tool} }
    decision: deny
    effective: ${effective}
    after: ${after}
    reason: { en: Not here. }`;
const policy = (id: string, rules: string, rest = ''): string =>
  `policy: ${id}\ntitle: ${id}\ntimezone: utc\ndefault: { decision: review }\nrules:${rules}\n${rest}`;
export const strict = policy(
  'strict',
  rule('ban', 'claude-code', '2026-07-01', 'remove') +
    rule('ban-codex', 'codex', '2026-07-20', 'block'),
  'targets: { groups: [lab] }\n',
);
const usual = policy('usual', rule('ban', 'claude-code', '2026-07-10', 'block'));

export const bundlePayload = (sequence: number, assignmentKeys: string[]): BundlePayload => ({
  format: 1,
  server: 'server-1',
  sequence,
  issuedAt: '2026-07-01T00:00:00Z',
  policies: [strict, usual].map((yaml, priority) => ({ priority, yaml })),
  catalogue: { sha256: catalogue.sha256 },
  assignmentKeys,
  nextPolicyKey: null,
});

export const empty: AssignmentPayload = {
  format: 1,
  server: 'server-1',
  device: 'device-1',
  sequence: 1,
  issuedAt: '2026-07-02T00:00:00Z',
  group: null,
  persons: {},
  exceptions: [],
  pause: false,
  message: null,
  rescanAfter: null,
};
export const excepted = {
  id: 'x1',
  tool: 'claude-code',
  device: 'device-1',
  reason: 'moving',
  author: 'kim',
  until: '2027-01-01T00:00:00Z',
};

/** Signs any text, as our own functions would not. */
export async function signText(
  text: string,
  key: SigningKey,
  header: object = {},
): Promise<string> {
  const typ = 'curfew-assignment+jws';
  return new CompactSign(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: 'EdDSA', typ, kid: await thumbprint(key.x), ...header })
    .sign(await importJWK({ ...key }, 'EdDSA'));
}

export const device: Device = {
  id: 'device-1',
  hardwareId: 'board-1',
  platform: 'linux',
  zone: 'UTC',
  maxAction: 'block',
  assignedUser: null,
  group: null,
};
export const found = (rest: Partial<Component> = {}): Component => ({
  id: 'a'.repeat(32),
  tool: 'claude-code',
  channel: 'npm',
  manager: 'npm',
  purl: null,
  name: '@anthropic-ai/claude-code',
  version: '2.1.91',
  path: '/home/ana/.npm-global/lib/node_modules/@anthropic-ai/claude-code',
  owner: 'ana',
  scope: 'global',
  state: 'installed',
  confidence: 'high',
  evidence: ['package.json'],
  ...rest,
});

export interface Victim {
  readonly folder: string;
  readonly policyKey: SigningKey;
  /** The one that was stolen. */
  readonly online: SigningKey;
  readonly fresh: SigningKey;
  readonly documents: Documents;
  /** What the device has told of. */
  readonly refusals: readonly string[];
  /** By the policy key. */
  bundle(sequence: number, keys: string[]): Promise<TakenDocument>;
  /** By the stolen key, unless another is given. */
  take(payload: object, key?: SigningKey): Promise<TakenDocument>;
  verdict(component?: Component, at?: number): Verdict;
  close(): void;
}

/** An enrolled device that holds bundle 1. */
export async function makeVictim(): Promise<Victim> {
  const [policyKey, online, fresh, key] = (await Promise.all(
    [1, 2, 3, 4].map(() => makePolicyKey()),
  )) as [SigningKey, SigningKey, SigningKey, SigningKey];
  const folder = temporaryFolder();
  const refusals: string[] = [];
  const identity: Identity = {
    format: 1,
    serverUrl: 'http://127.0.0.1/',
    serverId: 'server-1',
    deviceId: 'device-1',
    key,
    policyKey: 'unverified',
    enrolledAt: '2026-07-01T00:00:00Z',
  };
  const pins = { serverId: 'server-1', deviceId: 'device-1', policyKey: policyKey.x };
  writeIdentity(folder, identity);
  writePins(folder, { format: 1, ...pins, bundle: noFloor, assignment: noFloor });
  const store = openStore(folder);
  const documents = await openDocuments({
    ...{ dataFolder: folder, identity, store, builtIn: catalogue },
    now: () => now,
    onRefused: ({ message }) => void refusals.push(message),
  });
  const victim: Victim = {
    ...{ folder, policyKey, online, fresh, documents, refusals },
    bundle: async (sequence, keys) =>
      documents.take('bundle', await signBundle(bundlePayload(sequence, keys), policyKey)),
    take: async (payload, by = online) =>
      documents.take('assignment', await signText(JSON.stringify({ ...empty, ...payload }), by)),
    verdict(component = found(), at = now) {
      const rules = inForce(documents.current(), device);
      const stored = [{ component, firstSeen: now, lastSeen: now }];
      const [one] = judge(stored, rules, { device, homes: new Map(), now: at }).judged;
      if (one === undefined) throw new Error('nothing judged');
      return one.verdict;
    },
    close: () => store.close(),
  };
  await victim.bundle(1, [online.x]);
  return victim;
}
