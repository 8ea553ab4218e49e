/** MCP servers that are no line of one list: extensions, pieces of a list, switches, moved folders, whole lines. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mcp } from '../../agent/detect/mcp.js';
import { servedPackage } from '../../agent/detect/mcp-command.js';
import { folderWorld } from '../../agent/detect/world.js';
import { prepareScan, scanWorld } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Component, Platform } from '../../policies/component.js';
import { place } from '../worlds/native.js';

const catalogue = builtInCatalogue();
let root = '';

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-mcp-forms-')));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

async function look(platform: Platform): Promise<readonly Component[]> {
  const world = folderWorld(root, platform, { catalogue });
  await prepareScan(world, [mcp]);
  const { components, status } = scanWorld(world, { detectors: [mcp] });
  expect(status).toBe('complete');
  expect(JSON.stringify(components)).not.toContain('CANARY');
  return components;
}

const npx = (...args: string[]): object => ({ command: 'npx', args: ['-y', ...args] });

describe('an extension of Claude Desktop', () => {
  const folder = 'Users/ana/Library/Application Support/Claude';
  const manifest = {
    manifest_version: '0.3',
    name: 'tickets',
    version: '1.4.0',
    server: {
      type: 'node',
      entry_point: 'server/index.js',
      mcp_config: {
        command: 'node',
        args: ['${__dirname}/server/index.js', 'CANARY-argument'],
        env: { TICKETS_KEY: '${user_config.CANARY_key}' },
      },
    },
  };

  test('is a server, with its own version, until it is switched off', async () => {
    const id = 'ant.dir.gh.example.tickets';
    place(root, `${folder}/Claude Extensions/${id}/manifest.json`, JSON.stringify(manifest));
    const settings = { isEnabled: true, userConfig: { CANARY_key: 'CANARY-value' } };
    place(root, `${folder}/Claude Extensions Settings/${id}.json`, JSON.stringify(settings));
    const server = { manager: 'claude-desktop', name: 'tickets', version: '1.4.0', owner: 'ana' };
    const evidence = ['command node', 'env TICKETS_KEY', 'manifest.json'];
    expect(await look('darwin')).toMatchObject([{ ...server, evidence, state: 'installed' }]);
    place(root, `${folder}/Claude Extensions Settings/${id}.json`, '{"isEnabled":false}');
    expect(await look('darwin')).toMatchObject([{ ...server, state: 'disabled' }]);
  });

  test('without a way to be started is none', async () => {
    place(root, `${folder}/Claude Extensions/x/manifest.json`, '{"name":"x","version":"1.0.0"}');
    place(root, `${folder}/Claude Extensions/y/readme.md`, '');
    expect(await look('darwin')).toEqual([]);
  });
});

test('pieces of a list in YAML are read as the list is', async () => {
  const text =
    'name: one\nmcpServers:\n  - name: tickets\n    command: npx\n    args: ["@example/tickets"]\n';
  place(root, 'home/ana/.continue/mcpServers/one.yaml', text);
  place(root, 'home/ana/.continue/mcpServers/notes.md', 'mcpServers:\n  - name: none\n');
  expect(await look('linux')).toMatchObject([
    { manager: 'continue', name: 'tickets', purl: 'pkg:npm/%40example/tickets' },
  ]);
});

test('a list of what is off, or of all that is on, decides', async () => {
  const mcpServers = { a: npx('a'), b: npx('b'), c: npx('c') };
  const file = 'home/ana/.gemini/settings.json';
  const states = async (switches: object): Promise<string[]> => {
    place(root, file, JSON.stringify({ mcpServers, mcp: switches }));
    return (await look('linux')).map(({ name, state }) => `${name} ${state}`);
  };
  expect(await states({ excluded: ['b'] })).toEqual(['a installed', 'b disabled', 'c installed']);
  expect(await states({ allowed: ['b'] })).toEqual(['a disabled', 'b installed', 'c disabled']);
});

test("a host's folder that a person's start file moves is read where it is", async () => {
  place(root, 'home/ana/.zshenv', 'export XDG_CONFIG_HOME="$HOME/.cfg"\n');
  place(root, 'home/ana/.cfg/opencode/opencode.json', JSON.stringify({ mcp: { a: npx('a') } }));
  place(
    root,
    'home/ana/.cfg/Claude/claude_desktop_config.json',
    JSON.stringify({ mcpServers: { b: npx('b') } }),
  );
  const told = (await look('linux')).map(({ manager, name }) => [manager, name]);
  expect(told.sort()).toEqual([
    ['claude-desktop', 'b'],
    ['opencode', 'a'],
  ]);
});

test.each(['servers', 'mcpServers'])(
  'the file of Visual Studio holds them under %s',
  async (key) => {
    place(
      root,
      'Users/ana/.mcp.json',
      JSON.stringify({ [key]: { tickets: npx('@example/tickets') } }),
    );
    expect(await look('win32')).toMatchObject([{ manager: 'visual-studio', name: 'tickets' }]);
  },
);

test('a whole line as the command names its package, and nothing after it', () => {
  const one = servedPackage('npx -y @example/tickets@1.4.0 --key CANARY', []);
  expect(one).toMatchObject({ name: '@example/tickets', version: '1.4.0' });
  expect(servedPackage('npx -y "$(cat key)" @example/tickets', [])).toBeNull();
  expect(servedPackage('C:\\Program Files\\nodejs\\npx.cmd', ['-y', 'a'])).toMatchObject({
    name: 'a',
  });
});

test('C061 YAML that breaks off removes nothing, whatever could be made of it', async () => {
  const at = 'home/ana/.config/goose/config.yaml';
  const whole =
    'extensions:\n  a: { cmd: npx, type: stdio, args: ["a"] }\n  b: { cmd: npx, type: stdio, args: ["b"] }\n';
  place(root, at, whole);
  expect(await look('linux')).toHaveLength(2);
  for (const text of [whole.slice(0, whole.lastIndexOf('npx')), '['.repeat(50_000)]) {
    place(root, at, text);
    const world = folderWorld(root, 'linux', { catalogue });
    await prepareScan(world, [mcp]);
    const { readings } = scanWorld(world, { detectors: [mcp] });
    expect(readings.flatMap(({ problems }) => problems)).toMatchObject([
      { code: 'malformed', isLoss: true },
    ]);
  }
});

test('an editor in a sandbox has lists of its own', async () => {
  const user = 'home/ana/.var/app/com.visualstudio.code/config/Code/User';
  place(
    root,
    'home/ana/.var/app/com.visualstudio.code/data/vscode/extensions/extensions.json',
    '[]',
  );
  place(
    root,
    `${user}/mcp.json`,
    JSON.stringify({ servers: { tickets: npx('@example/tickets') } }),
  );
  expect(await look('linux')).toMatchObject([
    { manager: 'vscode-copilot', name: 'tickets', owner: 'ana' },
  ]);
});

test('one server of many projects is one', async () => {
  const project = { mcpServers: { tickets: npx('@example/tickets') } };
  const projects = Object.fromEntries(
    Array.from({ length: 2_000 }, (_, at) => [`/p/${at}`, project]),
  );
  place(root, 'home/ana/.claude.json', JSON.stringify({ projects }));
  expect(await look('linux')).toMatchObject([{ name: 'tickets', scope: 'project' }]);
});
