/** MCP servers in the files of every host, what is told of each, and that nothing secret ever is. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mcp } from '../../agent/detect/mcp.js';
import { commandName, servedPackage, urlHost } from '../../agent/detect/mcp-command.js';
import { folderWorld, homesWorld } from '../../agent/detect/world.js';
import { prepareScan, scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { place } from '../worlds/native.js';
import * as made from '../worlds/mcp.js';
import { runs } from '../runs.js';

const catalogue = builtInCatalogue();
let home = '';

beforeEach(() => {
  home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-mcp-')));
});
afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

async function scan(
  world = homesWorld([home], { catalogue, platform: 'linux' }),
): Promise<ScanResult> {
  await prepareScan(world, [mcp]);
  return scanWorld(world, { detectors: [mcp] });
}

const npx = (...args: string[]): object => ({ command: 'npx', args: ['-y', ...args] });

/** What the scan says of each server: host, name, package, state. */
async function told(): Promise<unknown[]> {
  const { components, status } = await scan();
  expect(status).toBe('complete');
  return components.map(({ manager, name, purl, state }) => [manager, name, purl, state]);
}

describe('the hosts', () => {
  test.each([
    ['cursor', '.cursor/mcp.json', 'mcpServers'],
    ['windsurf', '.codeium/windsurf/mcp_config.json', 'mcpServers'],
    ['claude-desktop', '.config/Claude/claude_desktop_config.json', 'mcpServers'],
    ['vscode-copilot', '.config/Code/User/mcp.json', 'servers'],
    ['vscode-copilot', '.config/Code/User/profiles/1a2b3c/mcp.json', 'servers'],
    ['vscode-copilot', '.vscode-server/data/User/mcp.json', 'servers'],
    ['trae', '.config/Trae/User/mcp.json', 'mcpServers'],
    [
      'roo',
      '.config/Cursor/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json',
      'mcpServers',
    ],
    ['gemini-cli', '.gemini/settings.json', 'mcpServers'],
    ['qoder-cli', '.qoder/settings.json', 'mcpServers'],
    ['qoder-ide', '.config/Qoder/SharedClientCache/mcp.json', 'mcpServers'],
    ['kiro', '.kiro/settings/mcp.json', 'mcpServers'],
    ['zed', '.config/zed/settings.json', 'context_servers'],
    ['amp', '.config/amp/settings.json', 'amp.mcpServers'],
    ['copilot-jetbrains', '.config/github-copilot/intellij/mcp.json', 'servers'],
    ['windsurf', '.codeium/mcp_config.json', 'mcpServers'],
    ['iflow-cli', '.iflow/settings.json', 'mcpServers'],
    ['augment', '.augment/settings.json', 'mcpServers'],
    ['rovo-dev', '.rovodev/mcp.json', 'mcpServers'],
    ['kimi-cli', '.kimi/mcp.json', 'mcpServers'],
    ['continue', '.continue/mcpServers/one.json', 'mcpServers'],
    ['gemini-cli', '.gemini/extensions/tickets/gemini-extension.json', 'mcpServers'],
    ['zed', '.var/app/dev.zed.Zed/config/zed/settings.json', 'context_servers'],
  ])('%s keeps them in %s', async (host, file, key) => {
    made.jsonHost(home, file, { tickets: npx('@example/tickets@1.4.0') }, key);
    expect(await told()).toEqual([
      [host, 'tickets', 'pkg:npm/%40example/tickets@1.4.0', 'installed'],
    ]);
  });

  test('an old VS Code keeps them inside its settings', async () => {
    const settings = { 'editor.fontSize': 12, mcp: { servers: { tickets: npx('tickets') } } };
    place(home, '.config/Code/User/settings.json', JSON.stringify(settings));
    expect(await told()).toEqual([['vscode-copilot', 'tickets', 'pkg:npm/tickets', 'installed']]);
  });

  test('OpenCode writes program and arguments as one list and tells the kind of server', async () => {
    const servers = {
      files: { type: 'local', command: ['bunx', 'files-server'], environment: { TOKEN: 'x' } },
      docs: { type: 'remote', url: 'https://docs.example.test/mcp', enabled: false },
    };
    made.jsonHost(home, '.config/opencode/opencode.jsonc', servers, 'mcp');
    expect(await told()).toEqual([
      ['opencode', 'files', 'pkg:npm/files-server', 'installed'],
      ['opencode', 'docs', null, 'disabled'],
    ]);
  });

  test("Claude Code's servers for one project are of that project's scope", async () => {
    const one = { sentry: { type: 'http', url: 'https://mcp.example.test/mcp' } };
    made.claudeJson(home, { files: npx('files-server') }, { '/home/ana/shop': one });
    const { components } = await scan();
    expect(components.map(({ name, scope }) => [name, scope])).toEqual([
      ['files', 'global'],
      ['sentry', 'project'],
    ]);
  });

  test('Codex keeps them as tables, read with less confidence', async () => {
    made.codexToml(home, [
      'model = "gpt-5-codex" # the usual',
      '[mcp_servers.context7]',
      'command = "npx"',
      'args = [',
      '  "-y", # no question',
      "  '@upstash/context7-mcp@1.0.0',",
      ']',
      '[mcp_servers.context7.env]',
      'API_KEY = "CANARY"',
      '[mcp_servers."my docs"]',
      'url = "https://docs.example.test/mcp"',
      'enabled = false',
    ]);
    expect(await told()).toEqual([
      ['codex', 'context7', 'pkg:npm/%40upstash/context7-mcp@1.0.0', 'installed'],
      ['codex', 'my docs', null, 'disabled'],
    ]);
    const { components } = await scan();
    expect(components[0]).toMatchObject({
      confidence: 'medium',
      evidence: ['command npx', 'env API_KEY', 'mcp_servers', 'package @upstash/context7-mcp'],
    });
  });

  test('a Codex file that cannot be followed marks its root and says nothing', async () => {
    made.codexToml(home, ['[mcp_servers.docs]', 'command = "npx', '']);
    const { components, status } = await scan();
    expect([components, status]).toEqual([[], 'partial']);
  });

  test('Continue lists them in YAML, Goose maps them beside what is built in', async () => {
    made.continueYaml(home, [
      'name: Local Agent',
      'mcpServers:',
      '  - name: SQLite # local',
      '    command: uvx',
      '    args: [mcp-server-sqlite==0.6.2, --db-path, CANARY]',
    ]);
    made.gooseYaml(home, [
      'GOOSE_PROVIDER: ollama',
      'extensions:',
      '  developer: { type: builtin, enabled: true, name: developer }',
      '  fetch:',
      '    type: stdio',
      '    enabled: true',
      '    cmd: uvx',
      '    args:',
      '      - mcp-server-fetch',
      '    envs: { TOKEN: CANARY }',
    ]);
    expect(await told()).toEqual([
      ['continue', 'SQLite', 'pkg:pypi/mcp-server-sqlite@0.6.2', 'installed'],
      ['goose', 'fetch', 'pkg:pypi/mcp-server-fetch', 'installed'],
    ]);
    expect(JSON.stringify(await scan())).not.toContain('CANARY');
  });

  test('a YAML file of aliases upon aliases is refused', async () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let n = 1; n < 9; n += 1) {
      const ten = Array(10)
        .fill(`*a${n - 1}`)
        .join(', ');
      lines.push(`a${n}: &a${n} [${ten}]`);
    }
    made.continueYaml(home, [...lines, 'mcpServers: [{ name: x, command: y }]']);
    expect(await scan()).toMatchObject({ status: 'partial', components: [] });
  });

  test('files of the machine belong to nobody, and are left alone in a scan of homes', async () => {
    made.jsonHost(home, 'etc/claude-code/managed-mcp.json', { files: npx('files-server') });
    const { components } = await scan(folderWorld(home, 'linux', { catalogue }));
    expect(components).toMatchObject([
      { name: 'files', owner: null, path: '/etc/claude-code/managed-mcp.json' },
    ]);
    expect((await scan()).components).toEqual([]);
  });

  test('on macOS and Windows the settings lie elsewhere', async () => {
    const servers = { files: npx('files-server') };
    made.jsonHost(
      home,
      'Users/ana/Library/Application Support/Claude/claude_desktop_config.json',
      servers,
    );
    made.jsonHost(home, 'Users/ben/AppData/Roaming/Claude/claude_desktop_config.json', servers);
    const [mac, windows] = await Promise.all([
      scan(folderWorld(home, 'darwin', { catalogue })),
      scan(folderWorld(home, 'win32', { catalogue })),
    ]);
    expect(mac.components.map(({ owner }) => owner)).toEqual(['ana']);
    expect(windows.components.map(({ owner }) => owner)).toEqual(['ben']);
  });

  test("projects' own files are read in a deep scan alone, and the home is no project", async () => {
    made.jsonHost(home, '.cursor/mcp.json', { files: npx('files-server') });
    made.jsonHost(home, 'code/shop/.mcp.json', { db: npx('db-server') });
    made.jsonHost(home, 'code/shop/.vscode/mcp.json', { docs: npx('docs') }, 'servers');
    made.jsonHost(home, 'code/shop/node_modules/x/.mcp.json', { other: npx('other') });
    const all = async (isDeep: boolean): Promise<unknown[]> => {
      const world = homesWorld([home], { catalogue, platform: 'linux', isDeep });
      return (await scan(world)).components.map(({ manager, name, scope }) => [
        manager,
        name,
        scope,
      ]);
    };
    expect(await all(false)).toEqual([['cursor', 'files', 'global']]);
    expect(await all(true)).toEqual([
      ['cursor', 'files', 'global'],
      ['claude-code', 'db', 'project'],
      ['vscode-copilot', 'docs', 'project'],
    ]);
  });

  test('one name in two hosts is two servers, the same one in two projects is one', async () => {
    made.jsonHost(home, '.cursor/mcp.json', { docs: npx('docs') });
    made.claudeJson(home, {}, { '/a': { docs: npx('docs') }, '/b': { docs: npx('docs') } });
    expect((await scan()).components).toHaveLength(2);
  });

  test('a bridge is the tool it is, and tells the host it is a bridge to', async () => {
    const server = npx('mcp-remote@0.1.18', 'https://ana:CANARY@mcp.example.test/sse?k=CANARY');
    made.jsonHost(home, '.cursor/mcp.json', { tickets: server });
    expect((await scan()).components).toMatchObject([
      {
        tool: 'mcp-remote',
        name: 'tickets',
        version: '0.1.18',
        evidence: ['command npx', 'host mcp.example.test', 'mcpServers', 'package mcp-remote'],
      },
    ]);
  });
});

describe('the package that a command runs', () => {
  test.each([
    ['npx', ['-y', '@example/server@1.4.0', '--token', 'x'], 'pkg:npm/%40example/server@1.4.0'],
    ['/home/ana/bin/npx', ['server@latest'], 'pkg:npm/server'],
    ['C:\\Program Files\\nodejs\\npx.cmd', ['-y', 'server@^1.2.0'], 'pkg:npm/server'],
    ['cmd', ['/c', 'npx', '-y', 'server@1.2.3-beta.1'], 'pkg:npm/server@1.2.3-beta.1'],
    ['bash', ['-lc', 'KEY=x npx -y server@1.0.0 --token y'], 'pkg:npm/server@1.0.0'],
    ['env', ['KEY=x', 'npx', '-y', 'server'], 'pkg:npm/server'],
    ['npx', ['--package=@example/server@2.0.0', 'serve'], 'pkg:npm/%40example/server@2.0.0'],
    ['npx', ['--registry', 'https://ana:x@npm.example.test', 'server'], 'pkg:npm/server'],
    ['pnpm', ['dlx', 'server'], 'pkg:npm/server'],
    ['npm', ['exec', '--', 'server@1.0.0'], 'pkg:npm/server@1.0.0'],
    ['uvx', ['mcp_server.fetch==2025.1.14'], 'pkg:pypi/mcp-server-fetch@2025.1.14'],
    ['uvx', ['--from', 'files-server[all]@0.3.1', 'serve'], 'pkg:pypi/files-server@0.3.1'],
    ['uvx', ['server>=1.0'], 'pkg:pypi/server'],
    ['uv', ['tool', 'run', 'server'], 'pkg:pypi/server'],
    ['pipx', ['run', '--spec', 'server==1.0', 'serve'], 'pkg:pypi/server@1.0'],
    [
      'docker',
      ['run', '-i', '--rm', '-e', 'TOKEN=x', '-v', '/a:/b', 'mcp/github:1.2.0', '--key', 'y'],
      'pkg:docker/mcp/github@1.2.0',
    ],
    [
      'podman',
      ['run', '-i', 'ghcr.io/github/github-mcp-server'],
      'pkg:docker/github/github-mcp-server?repository_url=ghcr.io',
    ],
  ])('%s %j', (command, args, purl) => {
    expect(servedPackage(command, args)?.purl).toBe(purl);
  });

  test.each([
    ['node', ['server.js']],
    ['npx', ['./server']],
    ['npx', ['git+https://ana:x@git.example.test/server.git']],
    ['npx', ['--token', 'abc', 'server']],
    ['npm', ['run', 'server']],
    ['uvx', ['--from', 'git+https://x@git.example.test/a', 'serve']],
    ['uvx', ['server.py']],
    ['uvx', ['Sk4CmXq9']],
    ['uv', ['--directory', '/srv', 'run', 'server.py']],
    ['docker', ['compose', 'run', 'server']],
    ['docker', ['run', '--gpus', 'all', 'server']],
    ['constructor', ['server']],
    ['sh', ['-c', 'KEY="a npx server" run']],
    ['bash', ['-c', 'npx -y server; other']],
    ['env', ['A=1']],
    ['cmd', ['/c', 'cmd', '/c', 'npx', 'server']],
  ])('none is told of %s %j', (command, args) => {
    expect(servedPackage(command, args)).toBeNull();
  });

  test.each([
    ['/usr/local/bin/node', 'node'],
    ['C:\\Program Files\\nodejs\\npx.cmd', 'npx'],
    ['"/opt/My Server/run" --key a/b', 'run'],
    ['npx -y server --token a/SECRET', 'npx'],
    ['KEY=SECRET npx', null],
    ['${HOME}', null],
    ['', null],
  ])('the program of %s is %s', (command, name) => {
    expect(commandName(command)).toBe(name);
  });

  test.each([
    ['https://ana:x@MCP.Example.test:8443/sse?token=y#z', 'mcp.example.test'],
    ['http://127.0.0.1:3000/mcp', '127.0.0.1'],
    ['http://localhost/mcp', 'localhost'],
    ['http://[::1]/mcp', '[::1]'],
    ['https://secret/x@mcp.example.test', null],
    ['https://${HOST}/mcp', null],
    ['file:///etc/passwd', null],
    ['npx', null],
  ])('the host of %s is %s', (url, host) => {
    expect(urlHost(url)).toBe(host);
  });
});

describe('nothing secret', () => {
  const secret = fc
    .stringMatching(/^[A-Za-z0-9/+@:?#&=%. -]{0,12}$/)
    .map((salt) => `CANARY${salt}`);
  const url = fc
    .record({ user: secret, key: secret, path: secret, query: secret, fragment: secret })
    .map(({ user, key, path: at, query, fragment }) => {
      const [name, word] = [user, key].map(encodeURIComponent);
      const rest = `${at.replace(/[?#]/g, '')}?k=${query.replaceAll('#', '')}#${fragment}`;
      return `https://${name}:${word}@mcp.example.test/${rest}`;
    });
  const values = fc.dictionary(fc.stringMatching(/^[A-Z_]{1,12}$/), secret, { maxKeys: 4 });
  const program = fc.constantFrom('npx', 'uvx', 'docker', 'node', '/x/run', 'cmd', 'sh', 'env');
  const start = fc.constantFrom(
    [],
    ['-y', 'server@1.0.0'],
    ['run', '-i', '-e'],
    ['/c', 'npx', '--unknown'],
    ['--registry'],
    ['--from=server'],
    ['-c'],
    ['-c', 'K=1 npx -y server --token'],
    ['K=1', 'npx', '-y'],
    ['--', './server'],
  );
  const server = fc.record(
    {
      command: fc.oneof(
        program,
        secret.map((word) => `npx -y server --token ${word}`),
        secret.map((word) => `KEY=${word} npx server`),
      ),
      args: fc.tuple(start, fc.array(secret, { maxLength: 4 })).map((parts) => parts.flat()),
      url,
      httpUrl: url,
      env: values,
      headers: values,
      http_headers: values,
      authProvider: values,
      bearer_token: secret,
    },
    { requiredKeys: [] },
  );
  const servers = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), server, {
    minKeys: 1,
    maxKeys: 4,
  });

  test('no value of a variable, argument, header or address is in a component', async () => {
    await fc.assert(
      fc.asyncProperty(servers, async (all) => {
        made.jsonHost(home, '.cursor/mcp.json', all);
        made.claudeJson(home, all, { '/home/ana/shop': all });
        made.jsonHost(home, '.config/opencode/opencode.json', all, 'mcp');
        // YAML is a superset of JSON, and arrays of tables are JSON's too in all but the equals sign.
        place(home, '.continue/config.yaml', JSON.stringify({ mcpServers: all }));
        const { components, status, readings } = await scan();
        expect(status).toBe('complete');
        expect(components.length).toBeGreaterThanOrEqual(3 * Object.keys(all).length);
        expect(JSON.stringify(components).toLowerCase()).not.toContain('canary');
        expect(JSON.stringify(readings).toLowerCase()).not.toContain('canary');
      }),
      runs(60),
    );
  });
});
