/**
 * What a policy has reported, over the whole path: one real home with a find of each kind, real agent
 * and server, and three policies one after the other, in which each kind meets each choice. Names and
 * secrets are searched for in all that the server has stored.
 */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReportBody } from '../../wire/messages.js';
import { npmLauncher, place } from '../worlds/native.js';
import { makeFleet, until, type Api, type Fleet } from './machines.js';

type Choice = 'off' | 'count' | 'report';
type Choices = Readonly<Record<'mcp' | 'model' | 'service' | 'candidate', Choice>>;

const finds = {
  mcp: 'zebra-server',
  model: 'zebra-model',
  service: 'openclaw-gateway-zebra',
  candidate: 'zebra-agent',
} as const;
const phases: readonly Choices[] = [
  { mcp: 'report', model: 'off', service: 'count', candidate: 'report' },
  { mcp: 'off', model: 'count', service: 'report', candidate: 'off' },
  { mcp: 'count', model: 'report', service: 'off', candidate: 'count' },
];
const secrets = ['zebra-user', 'zebra-password', 'zebra-path', 'example.com:8443', 'zebra-key'];

let fleet: Fleet;
let api: Api;

function furnish(home: string): void {
  const gateway = 'https://zebra-user:zebra-password@llm.example.com:8443/zebra-path';
  npmLauncher(path.join(home, '.nvm/versions/node/v22.22.0'), {
    name: '@anthropic-ai/claude-code',
    version: '2.1.150',
    command: 'claude',
  });
  place(home, '.claude/settings.json', JSON.stringify({ env: { ANTHROPIC_BASE_URL: gateway } }));
  const server = { command: 'npx', args: ['-y', 'zebra-server-package'], env: { K: 'zebra-key' } };
  place(home, '.cursor/mcp.json', JSON.stringify({ mcpServers: { [finds.mcp]: server } }));
  place(home, `.ollama/models/manifests/registry.ollama.ai/library/${finds.model}/latest`, '{}');
  place(home, `.config/systemd/user/${finds.service}.service`, '[Service]\n');
  const manifest = {
    name: finds.candidate,
    version: '0.1.0',
    bin: { run: 'cli.js' },
    dependencies: { openai: '^5.0.0' },
  };
  const folder = `.npm-global/lib/node_modules/${finds.candidate}`;
  place(home, `${folder}/package.json`, JSON.stringify(manifest));
}

function publish(choices: Choices): void {
  const file = path.join(fleet.folder, 'policy.yaml');
  const report = JSON.stringify(choices);
  const yaml = `policy: p\ntitle: T\ndefault: { decision: review }\nrules: []\nreport: ${report}\n`;
  writeFileSync(file, yaml);
  fleet.publish(file);
}

/** The bodies that the server has stored of reports made under a bundle. */
function storedUnder(sequence: number): readonly ReportBody[] {
  const file = path.join(fleet.folder, 'server', 'server.db');
  const database = new Database(file, { readonly: true });
  const rows = database.prepare<[], { body: string }>('SELECT body FROM reports').all();
  database.close();
  return rows
    .map(({ body }) => JSON.parse(body) as ReportBody)
    .filter((body) => 'bundleSequence' in body && body.bundleSequence === sequence);
}

beforeAll(async () => {
  fleet = await makeFleet();
  const home = path.join(fleet.folder, 'home', 'ana');
  mkdirSync(home, { recursive: true });
  furnish(home);
  await fleet.startServer();
  publish(phases[0] as Choices);
  fleet.enrol('ws-1');
  fleet.startAgent('ws-1', home);
  api = await fleet.signIn();
});
afterAll(() => fleet.close());

test(
  'each choice holds for each kind, one policy after the other',
  { timeout: 60_000 },
  async () => {
    for (const [index, choices] of phases.entries()) {
      const sequence = index + 1;
      if (index > 0) publish(choices);
      // The machine's stream and the person's.
      await until(
        () => (storedUnder(sequence).length >= 2 ? true : null),
        15_000,
        `reports ${sequence}`,
      );
      const [row] = (await api.devices()).devices;
      const { findings, scans, history } = await api.device(row?.id ?? '');
      const text = JSON.stringify(storedUnder(sequence));
      const shown = JSON.stringify(findings);
      const counts = scans.find(({ subject }) => subject === 'ana')?.counts;
      for (const kind of ['mcp', 'model', 'service', 'candidate'] as const) {
        const choice = choices[kind];
        const seen = [
          kind,
          choice,
          text.includes(finds[kind]),
          shown.includes(finds[kind]),
          counts?.[kind],
        ];
        const isTold = choice === 'report';
        expect(seen).toEqual([kind, choice, isTold, isTold, choice === 'count' ? 1 : undefined]);
      }
      expect(history.map(({ kind }) => kind)).not.toContain('removed');
      const tool = findings.find((finding) => finding.tool === 'claude-code');
      expect(tool?.components.map(({ gateway }) => gateway)).toContain('llm.example.com');
    }
  },
);

test('of a gateway the host alone is anywhere on the server', () => {
  const folder = path.join(fleet.folder, 'server');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) =>
    one.isFile(),
  );
  const all = files
    .map((one) => readFileSync(path.join(one.parentPath, one.name), 'latin1'))
    .join('');
  expect(all).toContain('llm.example.com');
  for (const secret of secrets) expect([secret, all.includes(secret)]).toEqual([secret, false]);
});
