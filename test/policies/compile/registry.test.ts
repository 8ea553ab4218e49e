/**
 * The npm registry target against a real Verdaccio: the compiled entries are put into its
 * configuration, packages are published to it, and it is asked as a client asks.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runServer } from 'verdaccio';
import { parse } from 'yaml';
import type { Compiled } from '../../../policies/compile/index.js';
import { npmRegistry } from '../../../policies/compile/registry.js';
import { compiled } from './policies.js';

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

function parsed(of: Compiled, name: string): unknown {
  return parse(of.files.find((file) => file.name === `registry/${name}`)?.text ?? '{}');
}

describe('a real Verdaccio', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'curfew-verdaccio-'));
  let server: Server;
  let address: string;

  /** `filter` and `access` as an admin would take them over into config.yaml. */
  async function start(): Promise<void> {
    const { filters } = parsed(result, 'verdaccio-filter.yaml') as { filters: object };
    const { packages } = parsed(result, 'verdaccio-packages.yaml') as { packages: object };
    const open = { access: '$all', publish: '$all', unpublish: '$all' };
    const configuration = {
      ...{ storage: folder, self_path: path.join(folder, 'config.yaml') },
      configPath: path.join(folder, 'config.yaml'),
      security: { api: { legacy: true } },
      auth: {},
      uplinks: {},
      log: { type: 'stdout', format: 'pretty', level: 'fatal' },
      web: { enable: false },
      filters,
      packages: {
        ...Object.fromEntries(
          Object.entries(packages).map(([name, rule]) => [name, { ...open, ...(rule as object) }]),
        ),
        '**': open,
      },
    };
    server = (await runServer(configuration as unknown as string)) as Server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function publish(name: string, versions: readonly string[]): Promise<void> {
    for (const version of versions) {
      const data = Buffer.from(`${name} ${version}`);
      const file = `${name.replace(/^.*\//, '')}-${version}.tgz`;
      const body = {
        ...{ _id: name, name, 'dist-tags': { latest: version } },
        versions: {
          [version]: {
            ...{ name, version, _id: `${name}@${version}` },
            dist: {
              shasum: createHash('sha1').update(data).digest('hex'),
              tarball: `${address}/${name}/-/${file}`,
            },
          },
        },
        _attachments: {
          [file]: {
            content_type: 'application/octet-stream',
            data: data.toString('base64'),
            length: data.length,
          },
        },
      };
      const reply = await fetch(`${address}/${name.replace('/', '%2f')}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(reply.status, `${name}@${version}: ${await reply.text()}`).toBe(201);
    }
  }

  const ask = (name: string): Promise<Response> => fetch(`${address}/${name.replace('/', '%2f')}`);
  async function versionsOf(name: string): Promise<string[]> {
    const reply = await ask(name);
    expect(reply.status).toBe(200);
    return Object.keys(((await reply.json()) as { versions: object }).versions).sort();
  }

  beforeAll(async () => {
    await start();
    await publish('opencode-ai', ['1.0.0']);
    await publish('opencode-ai-plugin', ['1.0.0']);
    await publish('@openai/codex', ['0.199.9', '0.200.0']);
    await publish('@anthropic-ai/claude-code', ['2.1.90', '2.1.91', '2.1.197', '2.1.198']);
    await publish('@anthropic-ai/sdk', ['1.0.0']);
    await publish('merely-told', ['1.0.0']);
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  test('a denied package is refused, its file too, and one with a longer name is served', async () => {
    expect((await ask('opencode-ai')).status).toBeGreaterThanOrEqual(401);
    const file = await fetch(`${address}/opencode-ai/-/opencode-ai-1.0.0.tgz`);
    expect(file.status).toBeGreaterThanOrEqual(401);
    expect(await versionsOf('opencode-ai-plugin')).toEqual(['1.0.0']);
    const served = await fetch(`${address}/opencode-ai-plugin/-/opencode-ai-plugin-1.0.0.tgz`);
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
