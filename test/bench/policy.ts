/**
 * `npm run bench:policy`: evaluations in a second on one core, of a policy with a hundred rules and of
 * longer ones. Beside it one npm range check by the semver package, the least that a rule on a version costs.
 * Prints each figure with its target; exits 1 when one is missed. Nothing is read or written.
 */
import semver from 'semver';
import { builtInCatalogue, type Catalogue } from '../../policies/catalogue.js';
import { channels, componentStates, type Component } from '../../policies/component.js';
import { parsePolicy, type Policy } from '../../policies/document.js';
import { evaluate, type DeviceContext } from '../../policies/evaluate.js';

const catalogue = builtInCatalogue();
const now = Date.parse('2026-08-01T00:00:00Z');
const windowMs = 1_500;
const turns = 5;

const denial =
  '{ decision: deny, severity: high, announce: 2026-07-01, effective: 2026-07-10, after: block, reason: { en: Not here. } }';

/** Rules of every kind that an admin would write, in turn, each on another tool or name. */
function rule(at: number, { tools }: Catalogue): string {
  const id = tools[(at * 7) % tools.length]?.id ?? '';
  const matches = [
    `{ tool: ${id} }`,
    `{ tool: ${id}, version: '>=1.${at}.0 <2.0.0' }`,
    `{ package: { npm: '@corp-${at}/agent', pypi: corp-${at} } }`,
    `{ tool: ${id}, channel: [npm, executable], owner: user-${at} }`,
    `{ vendor: '${tools[(at * 3) % tools.length]?.vendor ?? ''}', gateway: third-party, state: running }`,
    `{ path: ['/opt/corp-${at}/**', '~/tools-${at}/*'] }`,
    `{ publisher: 'Corp ${at} Ltd' }`,
    `{ kind: coding-agent, channel: homebrew, version: '<0.${at}.0' }`,
  ];
  return `  - { id: rule-${at}, match: ${matches[at % matches.length]}, ${denial.slice(2)}`;
}

function policyOf(rules: number): Policy {
  const lines = Array.from({ length: rules }, (_, at) => rule(at, catalogue));
  const yaml = `policy: bench\ntitle: Bench\ntimezone: Asia/Shanghai\ndefault: { decision: review }\nrules:\n${lines.join('\n')}\n`;
  const parsed = parsePolicy(yaml, { catalogue });
  if (parsed.kind === 'policy') return parsed.policy;
  throw new Error(JSON.stringify(parsed.problems.slice(0, 3)));
}

/** What a fleet has: each tool in several channels and versions, with and without a gateway. */
function components(): readonly Component[] {
  return Array.from({ length: 10_000 }, (_, at) => {
    const tool = catalogue.tools[at % catalogue.tools.length];
    const isUnlisted = at % 11 === 0;
    return {
      id: at.toString(16).padStart(32, '0'),
      tool: isUnlisted ? null : (tool?.id ?? null),
      channel: channels[at % channels.length] ?? 'npm',
      manager: null,
      purl: null,
      name: tool?.identifiers.npm[0] ?? `name-${at}`,
      version: at % 13 === 0 ? null : `1.${at % 200}.${at % 7}`,
      path: `/home/user-${at % 50}/.npm-global/lib/node_modules/${tool?.id ?? at}`,
      owner: `user-${at % 50}`,
      scope: at % 9 === 0 ? 'project' : 'global',
      state:
        at % 4 === 0 ? (componentStates[at % componentStates.length] ?? 'installed') : 'installed',
      confidence: 'high',
      evidence: ['package.json'],
      ...(at % 3 === 0 ? { gateway: at % 2 === 0 ? 'openrouter.ai' : null } : {}),
      ...(at % 5 === 0 ? { publisher: `Corp ${at % 100} Ltd` } : {}),
    };
  });
}

const device: DeviceContext = {
  id: 'bench',
  hardwareId: null,
  person: 'ana@bench',
  group: null,
  platform: 'linux',
  zone: 'Europe/Berlin',
  maxAction: 'block',
  home: '/home/user-1',
};

/** Calls in a second, the best of several turns. */
function rate(call: (at: number) => unknown): number {
  let best = 0;
  for (let turn = 0; turn < turns; turn += 1) {
    const startMs = performance.now();
    let calls = 0;
    while (performance.now() - startMs < windowMs) {
      for (let at = 0; at < 10_000; at += 1) call(at);
      calls += 10_000;
    }
    best = Math.max(best, calls / ((performance.now() - startMs) / 1_000));
  }
  return best;
}

const all = components();
const evaluations = (rules: number): number => {
  const policy = policyOf(rules);
  return rate((at) => {
    const component = all[at] as Component;
    return evaluate({ policy, catalogue, exceptions: [], component, device, now }).verdict.status;
  });
};

const versions = all.map(({ version }) => version ?? '0.0.0');
const checks = rate((at) => semver.satisfies(versions[at] ?? '', '>=1.50.0 <2.0.0'));
const target = 1_000_000;
const rows = [10, 100, 1_000].map((rules) => ({ rules, perSecond: evaluations(rules) }));
const cell = (value: number): string => Math.round(value).toLocaleString('en').padStart(12);
const lines = rows.map(({ rules, perSecond }) => {
  const bound = rules === 100 ? cell(target) : ''.padStart(12);
  const ratio = `${(perSecond / checks).toFixed(2)} x`.padStart(12);
  return `${`evaluations, ${rules} rules`.padEnd(30)}${cell(perSecond)}${bound}${ratio}`;
});
process.stdout.write(
  `\n${''.padEnd(30)}${'a second'.padStart(12)}${'target'.padStart(12)}${'of semver'.padStart(12)}\n` +
    `${'range checks by semver'.padEnd(30)}${cell(checks)}\n${lines.join('\n')}\n`,
);
process.exitCode = rows.every(({ rules, perSecond }) => rules !== 100 || perSecond >= target)
  ? 0
  : 1;
