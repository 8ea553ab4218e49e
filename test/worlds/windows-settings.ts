/**
 * Lists of MCP servers in each host's place on Windows, local models, and what tools leave to be
 * started at sign-in: scheduled tasks and entries of the Startup folder.
 */
import type { Machine } from './windows-machine.js';
import { home, kim, local, roaming } from './windows-places.js';

interface Server {
  readonly command?: string;
  readonly args?: readonly string[];
  readonly url?: string;
  readonly type?: string;
  readonly disabled?: boolean;
}

/** Windows starts scripts such as npx through its shell. */
const npx = (name: string): Server => ({ command: 'cmd', args: ['/c', 'npx', '-y', name] });
const uvx = (name: string): Server => ({ command: 'uvx.exe', args: [name] });

export function plantSettings(machine: Machine): void {
  plantServers(machine);
  plantOtherFormats(machine);
  plantModels(machine);
  plantServices(machine);
}

function list(
  machine: Machine,
  [host, at, key]: readonly [host: string, at: string, key: string],
  servers: Record<string, Server>,
): void {
  machine.json(at, { [key]: servers });
  for (const [name, { disabled }] of Object.entries(servers))
    machine.found('mcp', [null, name, null], at, {
      host,
      ...(disabled === true ? { state: 'disabled' } : {}),
    });
}

function plantServers(machine: Machine): void {
  const ana = home('ana');
  const code = `${roaming('ana')}/Code/User`;
  list(machine, ['claude-code', `${ana}/.claude.json`, 'mcpServers'], {
    github: { type: 'http', url: 'https://api.githubcopilot.com/mcp/' },
    filesystem: npx('@modelcontextprotocol/server-filesystem'),
  });
  list(machine, ['cursor', `${ana}/.cursor/mcp.json`, 'mcpServers'], {
    playwright: npx('@playwright/mcp@latest'),
  });
  list(
    machine,
    ['claude-desktop', `${roaming('ana')}/Claude/claude_desktop_config.json`, 'mcpServers'],
    {
      memory: npx('@modelcontextprotocol/server-memory'),
      fetch: uvx('mcp-server-fetch'),
    },
  );
  list(machine, ['vscode-copilot', `${code}/mcp.json`, 'servers'], {
    thinking: npx('@modelcontextprotocol/server-sequential-thinking'),
  });
  list(
    machine,
    [
      'cline',
      `${code}/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json`,
      'mcpServers',
    ],
    {
      git: { ...uvx('mcp-server-git'), disabled: false },
      time: { ...uvx('mcp-server-time'), disabled: true },
    },
  );
  list(
    machine,
    ['vscode-copilot', `${roaming('ben')}/Code/User/profiles/-5ea8d1c3/mcp.json`, 'servers'],
    { docs: { type: 'http', url: 'https://mcp.context7.com/mcp' } },
  );
  list(machine, ['windsurf', `${home(kim)}/.codeium/windsurf/mcp_config.json`, 'mcpServers'], {
    figma: { url: 'https://mcp.figma.com/mcp' },
  });
  list(machine, ['gemini-cli', `${ana}/.gemini/settings.json`, 'mcpServers'], {
    context7: npx('@upstash/context7-mcp'),
  });
  list(machine, ['qoder-ide', `${roaming(kim)}/Qoder/SharedClientCache/mcp.json`, 'mcpServers'], {
    sentry: { url: 'https://mcp.sentry.dev/mcp' },
  });
  list(machine, ['lm-studio', `${home(kim)}/.lmstudio/mcp.json`, 'mcpServers'], {
    hub: { url: 'https://huggingface.co/mcp' },
  });
  list(machine, ['opencode', `${home('ben')}/.config/opencode/opencode.json`, 'mcp'], {
    browser: npx('@playwright/mcp'),
  });
  list(machine, ['zed', `${roaming('ben')}/Zed/settings.json`, 'context_servers'], {
    notes: uvx('mcp-notes'),
  });
  list(machine, ['claude-code', 'Program Files/ClaudeCode/managed-mcp.json', 'mcpServers'], {
    company: { type: 'http', url: 'https://mcp.corp.example/' },
  });
  // A packaged app sees its own copy of AppData\Roaming.
  const packaged = `${local(kim)}/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude`;
  list(machine, ['claude-desktop', `${packaged}/claude_desktop_config.json`, 'mcpServers'], {
    postgres: npx('@modelcontextprotocol/server-postgres'),
  });
  machine.note(
    'Settings of the packaged Claude Desktop: anthropics/claude-code issue 26073 and others that name Claude_pzs8sxrjxfjjc.',
  );
}

function plantOtherFormats(machine: Machine): void {
  const codex = `${home('ben')}/.codex/config.toml`;
  machine.file(
    codex,
    'model = "gpt-5-codex"\r\n\r\n[mcp_servers.context7]\r\ncommand = "npx"\r\nargs = ["-y", "@upstash/context7-mcp"]\r\n',
  );
  machine.found('mcp', [null, 'context7', null], codex, { host: 'codex' });
  const goose = `${roaming('ana')}/Block/goose/config/config.yaml`;
  machine.file(
    goose,
    'GOOSE_PROVIDER: ollama\nextensions:\n  fetch:\n    type: stdio\n    name: fetch\n    enabled: true\n    cmd: uvx\n    args:\n      - mcp-server-fetch\n    timeout: 300\n',
  );
  machine.found('mcp', [null, 'fetch', null], goose, { host: 'goose' });
  const next = `${home('ben')}/.continue/config.yaml`;
  machine.file(
    next,
    'name: Local Agent\nversion: 1.0.0\nschema: v1\nmcpServers:\n  - name: SQLite\n    command: uvx\n    args:\n      - mcp-server-sqlite\n',
  );
  machine.found('mcp', [null, 'SQLite', null], next, { host: 'continue' });
}

function plantModels(machine: Machine): void {
  const manifests = `${home('ana')}/.ollama/models/manifests/registry.ollama.ai/library`;
  machine.json(`${manifests}/llama3.2/3b`, { schemaVersion: 2 });
  machine.found('model', [null, 'llama3.2:3b', null], `${manifests}/llama3.2/3b`);
  const studio = `${home(kim)}/.lmstudio/models/lmstudio-community/Qwen3-8B-GGUF`;
  machine.file(`${studio}/Qwen3-8B-Q4_K_M.GGUF`, 'GGUF');
  machine.found('model', [null, 'lmstudio-community/Qwen3-8B-GGUF', null], studio);
  const hub = `${home('ben')}/.cache/huggingface/hub/models--Qwen--Qwen3-0.6B`;
  machine.json(`${hub}/snapshots/${machine.hex(40)}/config.json`, {});
  machine.found('model', [null, 'Qwen/Qwen3-0.6B', null], hub);
  const all = `${local('ana')}/nomic.ai/GPT4All/Meta-Llama-3-8B-Instruct.Q4_0.gguf`;
  machine.file(all, 'GGUF');
  machine.found('model', [null, 'Meta-Llama-3-8B-Instruct.Q4_0', null], all);
}

/** A task as the Task Scheduler keeps it: XML in UTF-16 with a mark. */
function task(command: string): Buffer {
  const text = `\ufeff<?xml version="1.0" encoding="UTF-16"?>\r\n<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">\r\n  <Actions Context="Author"><Exec><Command>${command}</Command></Exec></Actions>\r\n</Task>\r\n`;
  return Buffer.from(text, 'utf16le');
}

function plantServices(machine: Machine): void {
  const tasks = 'Windows/System32/Tasks';
  machine.file(`${tasks}/OpenClaw Gateway`, task('C:\\Users\\ana\\.openclaw\\gateway.cmd'));
  machine.found('service', ['openclaw', 'OpenClaw Gateway', null], `${tasks}/OpenClaw Gateway`, {
    state: 'residual',
  });
  machine.file(`${tasks}/OpenClaw Gateway Backup Reminder`, task('notepad.exe'));
  machine.decoy(
    "task whose name only begins like the tool's (synthetic)",
    `${tasks}/OpenClaw Gateway Backup Reminder`,
  );
  machine.file(`${tasks}/Microsoft/Windows/Defrag/ScheduledDefrag`, task('defrag.exe'));
  const startup = (account: string): string =>
    `${roaming(account)}/Microsoft/Windows/Start Menu/Programs/Startup`;
  // Where the Task Scheduler refuses, the tool starts itself from here.
  machine.file(
    `${startup('ben')}/OpenClaw Gateway.cmd`,
    '@echo off\r\nstart "" /min cmd.exe /d /c "C:\\Users\\ben\\.openclaw\\gateway.cmd"\r\n',
  );
  machine.found(
    'service',
    ['openclaw', 'OpenClaw Gateway', null],
    `${startup('ben')}/OpenClaw Gateway.cmd`,
    { state: 'residual' },
  );
  machine.file(`${startup('ana')}/Ollama.lnk`, Buffer.from([0x4c, 0, 0, 0]));
  machine.found('service', ['ollama', 'Ollama', null], `${startup('ana')}/Ollama.lnk`, {
    state: 'residual',
  });
  machine.file(`${startup('ana')}/desktop.ini`, '[.ShellClassInfo]\r\n');
  machine.note(
    'Startup entries: openclaw/openclaw (schtasks.ts, issue 97685) and ollama/ollama (app/ollama.iss).',
  );
}
