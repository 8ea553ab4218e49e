/**
 * A home full of secrets: all cases of `test/cases` laid over each other, and every kind of place in which
 * tools keep keys, addresses with passwords and tokens in arguments, whole and broken. Each secret holds
 * the word CANARY; what may be told stands beside it. Asserts nothing.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readCases, buildRun } from '../agent/case.js';
import { place, program } from '../worlds/native.js';
import { codex, npmGlobal } from '../worlds/npm.js';
import { aider, pipx } from '../worlds/python.js';

/** Folders of people in what a case builds. */
function homesIn(root: string): readonly string[] {
  return ['home', 'Users', 'data/homes'].flatMap((parent) => {
    const folder = path.join(root, parent);
    return fs.existsSync(folder)
      ? fs.readdirSync(folder).map((name) => path.join(folder, name))
      : [];
  });
}

/** Lays one tree over another: what is there stays, and what does not fit on it stays away. */
function overlay(from: string, to: string): void {
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    const there = fs.lstatSync(target, { throwIfNoEntry: false });
    if (entry.isDirectory() && (there === undefined || there.isDirectory())) {
      fs.mkdirSync(target, { recursive: true });
      overlay(source, target);
    } else if (there === undefined && entry.isSymbolicLink()) {
      fs.symlinkSync(fs.readlinkSync(source), target);
    } else if (there === undefined) fs.copyFileSync(source, target);
  }
}

/** All cases with an answer, their homes below what is there and on top of each other. */
export function overlayCases(cases: string, home: string): void {
  for (const each of readCases(cases)) {
    for (const run of each.runs) {
      const root = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-overlay-'));
      buildRun(root, each, run);
      for (const one of homesIn(root)) overlay(one, home);
      fs.rmSync(root, { recursive: true, force: true });
    }
  }
}

const servers = {
  tickets: {
    command: 'npx',
    args: [
      '-y',
      '@example/tickets-server@1.4.0',
      '--token',
      'CANARY-a1',
      '--key=CANARY-a2',
      'CANARY-a3',
    ],
    env: { TICKETS_TOKEN: 'CANARY-e1' },
  },
  remote: {
    type: 'http',
    url: 'https://ana:CANARY-u1@mcp.example.test/CANARY-u2/sse?token=CANARY-u3#CANARY-u4',
    headers: { Authorization: 'Bearer CANARY-h1', 'x-key': 'CANARY-h2' },
  },
  boxed: { command: 'docker', args: ['run', '-e', 'KEY=CANARY-d1', '--rm', 'example/boxed:2.0'] },
  shelled: {
    command: 'sh',
    args: ['-c', 'TOKEN=CANARY-s1 npx -y @example/shelled --key CANARY-s2'],
  },
  proxied: {
    command: 'npx',
    args: [
      'mcp-remote',
      'https://x.example.test/CANARY-p1?key=CANARY-p2',
      '--header',
      'X:CANARY-p3',
    ],
  },
  inPlace: { command: '/opt/tools/run --password=CANARY-c1' },
  passworded: {
    command: 'uvx',
    args: ['--index-url', 'https://u:CANARY-i1@pypi.example.test/simple', 'example-server'],
  },
};

function writeServers(home: string): void {
  const json = JSON.stringify({ mcpServers: servers, servers, context_servers: servers }, null, 1);
  for (const file of [
    '.cursor/mcp.json',
    '.gemini/settings.json',
    '.codeium/windsurf/mcp_config.json',
    '.config/Code/User/mcp.json',
    '.config/zed/settings.json',
    '.kiro/settings/mcp.json',
    '.qwen/settings.json',
    '.qoder/mcp.json',
  ])
    place(home, file, json);
  const projects = { '/home/ana/CANARY-project': { mcpServers: servers } };
  place(
    home,
    '.claude.json',
    JSON.stringify({ oauthAccount: 'CANARY-o1', mcpServers: servers, projects }),
  );
  place(
    home,
    '.codex/config.toml',
    [
      'model_provider = "mine"',
      '[model_providers.mine]',
      'base_url = "https://ana:CANARY-g1@gw.example.test/v1?key=CANARY-g2"',
      'env_key = "CANARY_G3"',
      '[mcp_servers.toml]',
      'command = "npx"',
      'args = ["-y", "@example/toml-server", "CANARY-t1"]',
      '[mcp_servers.toml.env]',
      'KEY = "CANARY-t2"',
      '',
    ].join('\n'),
  );
  place(
    home,
    '.continue/config.yaml',
    [
      'models:',
      '  - apiKey: CANARY-y1',
      'mcpServers:',
      '  - name: yaml',
      '    command: npx',
      '    args: ["-y", "@example/yaml-server", "CANARY-y2"]',
      '    env: { KEY: CANARY-y3 }',
      '',
    ].join('\n'),
  );
}

function writeGateways(home: string): void {
  const address = 'https://ana:CANARY-b1@gateway.example.test/CANARY-b2?key=CANARY-b3';
  const env = { ANTHROPIC_BASE_URL: address, ANTHROPIC_AUTH_TOKEN: 'CANARY-b4' };
  place(home, '.claude/settings.json', JSON.stringify({ env, apiKeyHelper: 'echo CANARY-b5' }));
  place(home, '.gemini/.env', `GEMINI_API_KEY=CANARY-b6\nGOOGLE_GEMINI_BASE_URL=${address}\n`);
  place(
    home,
    '.zshrc',
    [
      `export OPENAI_BASE_URL="${address}"`,
      'export OPENAI_API_KEY=CANARY-b7',
      "alias claude='ANTHROPIC_API_KEY=CANARY-b8 claude --token CANARY-b9'",
      '',
    ].join('\n'),
  );
}

function writeInstalls(home: string): void {
  npmGlobal(path.join(home, '.npm-global'), codex('0.48.0'));
  const manifest = path.join(home, '.npm-global/lib/node_modules/@openai/codex/package.json');
  const record = JSON.parse(fs.readFileSync(manifest, 'utf8')) as object;
  const resolved = {
    _resolved: 'https://r.example.test/x.tgz?token=CANARY-n1',
    author: 'CANARY-n2',
  };
  fs.writeFileSync(manifest, JSON.stringify({ ...record, ...resolved }));
  fs.appendFileSync(
    path.join(home, '.npmrc'),
    '\n//r.example.test/:_authToken=CANARY-n3\n_auth=CANARY-n4\nprefix=${HOME}/.npm-global\n',
  );
  pipx(home, aider('0.86.1'));
  place(
    home,
    '.config/pip/pip.conf',
    '[global]\nindex-url = https://u:CANARY-q1@pypi.example.test/\n',
  );
  place(home, '.config/uv/uv.toml', 'index-url = "https://u:CANARY-q2@pypi.example.test/"\n');
  place(
    home,
    '.local/share/uv/tools/aider-chat/uv-receipt.toml',
    '[tool]\nrequirements = [{ name = "aider-chat", url = "https://u:CANARY-q3@pypi.example.test/a.whl" }]\n',
  );
  program(home, 'Applications/Cursor-1.7.0.AppImage');
  place(
    home,
    '.local/share/applications/cursor.desktop',
    '[Desktop Entry]\nType=Application\nName=CANARY-l1\nExec=env KEY=CANARY-l2 Cursor.AppImage --token CANARY-l3\n',
  );
  place(
    home,
    '.config/systemd/user/openclaw-gateway.service',
    '[Service]\nEnvironment=TOKEN=CANARY-l4\nExecStart=/x --key CANARY-l5\n',
  );
  place(
    home,
    '.ollama/models/manifests/registry.ollama.ai/library/llama3.2/3b',
    '{"key": "CANARY-l6"}',
  );
}

/** Files that no parser can finish, so that what it says of them is seen too. */
function writeBroken(home: string): void {
  place(home, '.lmstudio/mcp.json', '{"mcpServers": {"a": {"env": {"K": "CANARY-x1" ');
  place(home, '.roo/mcp.json', 'CANARY-x2');
  place(home, '.config/goose/config.yaml', 'extensions:\n  a: &CANARY-x3\n - CANARY-x4: [\n');
  place(home, '.config/crush/crush.json', '{"mcp": {"CANARY" : CANARY-x5}}');
  place(home, '.vscode/extensions/extensions.json', '[{"identifier": {"id": "CANARY-x6"}');
  place(home, '.config/google-chrome/Default/Preferences', '{"extensions": {"CANARY-x7": ');
  place(
    home,
    '.config/Code/User/settings.json',
    '{"claudeCode.environmentVariables": [{"name": "K", "value": "CANARY-x8"}',
  );
}

/** Everything above in one home. */
export function writeSecrets(home: string): void {
  for (const write of [writeServers, writeGateways, writeInstalls, writeBroken]) write(home);
}

const encodings: readonly Buffer[] = [
  Buffer.from('CANARY'),
  Buffer.from('CANARY', 'utf16le'),
  // Three ways in which it may lie in base64.
  ...['CANARY', '\0CANARY', '\0\0CANARY'].map((text) => {
    const cut = text.length - 6;
    const coded = Buffer.from(text).toString('base64');
    return Buffer.from(coded.slice(cut === 0 ? 0 : cut + 1, cut === 0 ? 8 : coded.length - 4));
  }),
];

/** Where the word stands in some bytes, with what is around it; empty when nowhere. */
export function canariesIn(bytes: Buffer): readonly string[] {
  return encodings.flatMap((word) => {
    const at = bytes.indexOf(word);
    return at === -1 ? [] : [bytes.subarray(Math.max(0, at - 80), at + 60).toString('latin1')];
  });
}
