/**
 * The npm registry target against a real Verdaccio: the compiled entries are put into its
 * configuration, packages are published to it, and it is asked as a client asks.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Compiled } from '../../../policies/compile/index.js';
import { npmRegistry } from '../../../policies/compile/registry.js';
import { compiled } from './policies.js';
import { startVerdaccio, type Registry } from './verdaccio.js';

const policy = `
policy: p
title: A policy
timezone: utc
default: { decision: review }
rules:
  - id: fixed-codex
    match: { tool: codex, version: ">=0.200.0" }
    decision: allow
  - id: ban
    match: { tool: [opencode, codex] }
    decision: deny
    effective: 2026-07-10
    after: block
    reason: { en: Not here. }
  - id: range
    match: { package: { npm: "@anthropic-ai/claude-code" }, version: ">=2.1.91 <=2.1.197" }
    decision: deny
    effective: 2026-07-10
    after: block
    reason: { en: Not here. }
  - id: told-only
    match: { package: { npm: merely-told } }
    decision: deny
    effective: 2026-07-10
    after: notify
    reason: { en: Not here. }
`;
const result = compiled(npmRegistry, policy);

const published = {
  'opencode-ai': ['1.0.0'],
  'opencode-ai-plugin': ['1.0.0'],
  '@openai/codex': ['0.199.9', '0.200.0'],
  '@anthropic-ai/claude-code': ['2.1.90', '2.1.91', '2.1.197', '2.1.198'],
  '@anthropic-ai/sdk': ['1.0.0'],
  'merely-told': ['1.0.0'],
};

function parsed(of: Compiled, name: string): unknown {
  return parse(of.files.find((file) => file.name === `registry/${name}`)?.text ?? '{}');
}

describe('a real Verdaccio', () => {
  let registry: Registry;

  async function versionsOf(name: string): Promise<string[]> {
    const reply = await registry.ask(name);
    expect(reply.status).toBe(200);
    return Object.keys(((await reply.json()) as { versions: object }).versions).sort();
  }

  beforeAll(async () => {
    registry = await startVerdaccio(result);
    for (const [name, versions] of Object.entries(published)) {
      for (const version of versions) await registry.publish(name, version);
    }
  });
  afterAll(() => registry.close());

  test('a denied package is refused, its file too, and one with a longer name is served', async () => {
    expect((await registry.ask('opencode-ai')).status).toBeGreaterThanOrEqual(401);
    const file = await fetch(`${registry.address}/opencode-ai/-/opencode-ai-1.0.0.tgz`);
    expect(file.status).toBeGreaterThanOrEqual(401);
    expect(await versionsOf('opencode-ai-plugin')).toEqual(['1.0.0']);
    const served = await fetch(
      `${registry.address}/opencode-ai-plugin/-/opencode-ai-plugin-1.0.0.tgz`,
    );
    expect(await served.text()).toBe('opencode-ai-plugin 1.0.0');
  });

  test('of a range, the versions in it are gone and those on either side are served', async () => {
    expect(await versionsOf('@anthropic-ai/claude-code')).toEqual(['2.1.198', '2.1.90']);
  });

  test('a version that an earlier rule allows is served, and the others are not', async () => {
    expect(await versionsOf('@openai/codex')).toEqual(['0.200.0']);
  });

  test('neither the scope of a denied package nor what people are only told about is stopped', async () => {
    expect(await versionsOf('@anthropic-ai/sdk')).toEqual(['1.0.0']);
    expect(await versionsOf('merely-told')).toEqual(['1.0.0']);
  });
});

test('the filter alone hides every version of a denied package', async () => {
  const filter = result.files.filter(({ name }) => name.endsWith('verdaccio-filter.yaml'));
  const registry = await startVerdaccio({ ...result, files: filter });
  try {
    await registry.publish('opencode-ai', '1.0.0');
    const reply = await registry.ask('opencode-ai');
    const { versions = {} } = (await reply.json()) as { versions?: object };
    expect(Object.keys(versions)).toEqual([]);
  } finally {
    await registry.close();
  }
});

test('what a registry cannot say is listed with its rule', () => {
  const { notExpressible } = result;
  expect(notExpressible).toContainEqual({
    rule: 'told-only',
    tool: null,
    reason: 'the rule asks to notify only, and an npm registry can only block',
  });
});

test('patterns and overrides name whole packages, and no scope', () => {
  const patterns = result.files.find(({ name }) => name.endsWith('exclude-patterns.txt'))?.text;
  expect(patterns?.split('\n')).toContain('opencode-ai/**');
  expect(patterns).not.toMatch(/^@[^/]+\/\*\*$/m);
  expect(patterns).not.toContain('codex/**'); // some of its versions are allowed
  const { overrides } = parsed(result, 'pnpm-workspace.yaml') as {
    overrides: Record<string, string>;
  };
  expect(overrides['opencode-ai']).toBe('-');
  expect(overrides['@anthropic-ai/claude-code@>=2.1.91 <=2.1.197']).toBe('-');
});

test('a policy that denies no package writes nothing', () => {
  const none = compiled(npmRegistry, policy, { at: '2026-07-01T00:00:00Z' });
  expect(none.files).toEqual([]);
});

test('libraries that approved tools need are served, unless a rule names them', () => {
  const refusedBy = (match: string): string => {
    const rule = `decision: deny, effective: 2026-07-10, after: block, reason: { en: No. }`;
    const found = compiled(
      npmRegistry,
      `policy: p
title: T
timezone: utc
default: { decision: deny, effective: 2026-07-10, after: block }
rules:
  - { id: ok, match: { tool: gemini-cli }, decision: approve }
  - { id: ban, match: ${match}, ${rule} }
`,
    );
    return JSON.stringify([found.files, found.notExpressible]);
  };
  for (const match of ['{ vendor: Google }', '{ tool: opencode }']) {
    const written = refusedBy(match);
    expect(written).not.toMatch(/(block|access|package).*'@google\/genai'/);
    expect(written).toContain('@google/genai is a library that other programs need');
  }
  expect(refusedBy('{ tool: sdk-google-genai }')).toContain("'@google/genai':");
  expect(refusedBy('{ vendor: Google, scope: [global, project] }')).toContain("'@google/genai':");
});
