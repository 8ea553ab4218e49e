/** npm itself against a Verdaccio with the compiled filter: what installs, and what does not. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { npmRegistry } from '../../../policies/compile/registry.js';
import { compiled } from './policies.js';
import { startVerdaccio, type Registry } from './verdaccio.js';

const folder = mkdtempSync(path.join(tmpdir(), 'curfew-npm-client-'));
let registry: Registry;

interface Ended {
  readonly code: number;
  readonly said: string;
}

/** npm in a folder of its own, with no settings but the registry's address. */
function npm(cwd: string, ...words: readonly string[]): Promise<Ended> {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    npm_config_registry: registry.address,
    npm_config_cache: path.join(folder, 'cache'),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    npm_config_fetch_retries: '0',
  };
  return new Promise((resolve) => {
    execFile('npm', words, { cwd, env, timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, said: `${stdout}${stderr}` });
    });
  });
}

function newFolder(name: string): string {
  const made = path.join(folder, name);
  mkdirSync(made, { recursive: true });
  return made;
}

async function publish(name: string, version: string): Promise<void> {
  const source = newFolder(`source-${name.replaceAll('/', '-')}-${version}`);
  writeFileSync(path.join(source, 'package.json'), JSON.stringify({ name, version }));
  expect((await npm(source, 'pack', '--silent')).code).toBe(0);
  const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
  await registry.publish(name, version, readFileSync(path.join(source, file)));
}

beforeAll(async () => {
  registry = await startVerdaccio(
    compiled(
      npmRegistry,
      `
policy: p
title: A policy
timezone: utc
default: { decision: review }
rules:
  - { id: all, match: { tool: opencode }, decision: deny, effective: 2026-07-10, after: block, reason: { en: No. } }
  - id: some
    match: { package: { npm: "@anthropic-ai/claude-code" }, version: ">=2.1.91 <=2.1.197" }
    decision: deny
    effective: 2026-07-10
    after: block
    reason: { en: No. }
`,
    ),
  );
  await publish('opencode-ai', '1.0.0');
  await publish('@anthropic-ai/claude-code', '2.1.90');
  await publish('@anthropic-ai/claude-code', '2.1.100');
});
afterAll(async () => {
  await registry.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a denied package does not install', async () => {
  const ended = await npm(newFolder('denied'), 'install', 'opencode-ai');
  expect(ended.code).not.toBe(0);
  expect(ended.said).toMatch(/E40[134]/);
});

test('a denied version does not install, and a range takes the allowed one', async () => {
  const denied = await npm(newFolder('one'), 'install', '@anthropic-ai/claude-code@2.1.100');
  expect(denied.code).not.toBe(0);
  expect(denied.said).toContain('ETARGET');
  const home = newFolder('range');
  expect((await npm(home, 'install', '@anthropic-ai/claude-code@^2.1.0')).code).toBe(0);
  const installed = path.join(home, 'node_modules/@anthropic-ai/claude-code/package.json');
  expect(JSON.parse(readFileSync(installed, 'utf8'))).toMatchObject({ version: '2.1.90' });
});
