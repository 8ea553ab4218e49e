/**
 * The catalogue as it is shipped: valid, free of double claims, equal to what its sources generate,
 * and strict about whole names. The pairs of identifier and tool are written out here by hand, from
 * registries and vendors' pages, so that a slip in an entry shows.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generated } from '../../installers/generate.js';
import {
  builtInCatalogue,
  identifierKinds,
  indexCatalogue,
  matchFolder,
  type CatalogueDocument,
  type IdentifierKind,
  type InstallFolder,
} from '../../policies/catalogue.js';
import { findConflicts, parseCatalogue } from '../../policies/catalogue-schema.js';
import { catalogueText } from '../../server/catalogue-text.js';
import { runs } from '../runs.js';

const top = path.resolve(import.meta.dirname, '..', '..');
const catalogue = builtInCatalogue();
const document: CatalogueDocument = {
  format: 1,
  tools: catalogue.tools,
  editors: catalogue.editors,
  advisories: catalogue.advisories,
};
const idOf = (kind: IdentifierKind, name: string): string | null =>
  catalogue.match(kind, name)?.id ?? null;

/** Tool, list, and the names that have to lead to it. */
const known: readonly (readonly [string, IdentifierKind, string])[] = [
  ['claude-code', 'npm', '@anthropic-ai/claude-code'],
  ['claude-code', 'homebrewCask', 'claude-code claude-code@latest'],
  ['claude-code', 'winget', 'Anthropic.ClaudeCode anthropic.claudecode'],
  ['claude-code', 'scoop', 'claude-code'],
  ['claude-code', 'apk', 'claude-code'],
  ['claude-code', 'bundleId', 'com.anthropic.claude-code'],
  ['claude-code', 'command', 'claude'],
  ['codex-cli', 'npm', '@openai/codex'],
  ['codex-cli', 'homebrewCask', 'codex'],
  ['gemini-cli', 'npm', '@google/gemini-cli'],
  ['gemini-cli', 'homebrewFormula', 'gemini-cli'],
  ['opencode', 'npm', 'opencode-ai'],
  ['opencode', 'homebrewFormula', 'opencode'],
  ['github-copilot-cli', 'npm', '@github/copilot'],
  ['github-copilot-cli', 'homebrewCask', 'copilot-cli'],
  ['qwen-code', 'npm', '@qwen-code/qwen-code'],
  ['amp', 'npm', '@ampcode/cli @sourcegraph/amp'],
  ['augment', 'npm', '@augmentcode/auggie'],
  ['aider', 'pypi', 'aider-chat Aider.Chat aider_chat'],
  ['aider', 'homebrewFormula', 'aider'],
  ['goose', 'genericCommand', 'goose'],
  ['crush', 'command', 'crush'],
  ['open-interpreter', 'pypi', 'open-interpreter'],
  ['vllm', 'pypi', 'vllm'],
  ['litellm', 'pypi', 'litellm'],
  ['gpt4all', 'pypi', 'gpt4all'],
  ['ollama', 'homebrewFormula', 'ollama'],
  ['ollama', 'homebrewCask', 'ollama-app'],
  ['ollama', 'bundleId', 'com.electron.ollama'],
  ['ollama', 'command', 'ollama'],
  ['llama-cpp', 'homebrewFormula', 'llama.cpp'],
  ['cursor-agent', 'command', 'cursor-agent'],
  ['cursor-agent', 'genericCommand', 'agent'],
  ['sdk-openai', 'pypi', 'openai openai-agents'],
  ['sdk-openai', 'npm', 'openai'],
  ['sdk-claude-agent', 'pypi', 'claude-agent-sdk claude-code-sdk'],
  ['sdk-claude-agent', 'npm', '@anthropic-ai/claude-agent-sdk'],
  ['claude-code-vscode', 'editorExtension', 'anthropic.claude-code Anthropic.claude-code'],
  ['openai-chatgpt-vscode', 'editorExtension', 'openai.chatgpt'],
  ['claude-code-jetbrains', 'jetbrainsPlugin', 'com.anthropic.code.plugin'],
  ['github-copilot', 'editorExtension', 'github.copilot GitHub.copilot-chat'],
  ['github-copilot', 'jetbrainsPlugin', 'com.github.copilot'],
  ['continue', 'npm', '@continuedev/cli'],
  ['continue', 'editorExtension', 'continue.continue'],
  ['continue', 'jetbrainsPlugin', 'com.github.continuedev.continueintellijextension'],
  ['cline', 'editorExtension', 'saoudrizwan.claude-dev'],
  ['roo-code', 'editorExtension', 'RooVeterinaryInc.roo-cline'],
  ['codeium-plugins', 'editorExtension', 'codeium.codeium'],
  ['codeium-plugins', 'jetbrainsPlugin', 'com.codeium.intellij'],
  ['tabnine', 'editorExtension', 'tabnine.tabnine-vscode'],
  ['tabnine', 'jetbrainsPlugin', 'com.tabnine.TabNine'],
  ['amazon-q', 'editorExtension', 'amazonwebservices.amazon-q-vscode'],
  ['gemini-code-assist', 'editorExtension', 'google.geminicodeassist'],
  ['cody', 'editorExtension', 'sourcegraph.cody-ai'],
  ['cody', 'jetbrainsPlugin', 'com.sourcegraph.jetbrains'],
  ['jetbrains-ai', 'jetbrainsPlugin', 'com.intellij.ml.llm'],
  ['claude-for-chrome', 'browserExtension', 'fcoeoabgfenejglbffodgkkbkcdhcgfn'],
  ['monica', 'browserExtension', 'ofpnmcalabcbjgholdjcjblkibolbppb'],
  ['sider', 'browserExtension', 'difoiogjjojoaoomphldepapgpbgkhkb'],
  ['merlin', 'browserExtension', 'camppjleccjaphfdbohjdohecfnoikec'],
  ['cursor', 'homebrewCask', 'cursor'],
  ['cursor', 'desktopFile', 'cursor'],
  ['cursor', 'bundleId', 'com.todesktop.230313mzl4w4u92'],
  ['claude-desktop', 'bundleId', 'com.anthropic.claudefordesktop'],
  ['claude-desktop', 'homebrewCask', 'claude'],
  ['chatgpt-classic', 'bundleId', 'com.openai.chat'],
  ['lm-studio', 'homebrewCask', 'lm-studio'],
  ['lm-studio', 'desktopFile', 'lm-studio'],
  ['lm-studio', 'bundleId', 'ai.elementlabs.lmstudio'],
  ['windsurf', 'bundleId', 'com.exafunction.windsurf'],
  ['qoder', 'bundleId', 'com.qoder.ide'],
  ['qoder', 'winget', 'Alibaba.Qoder'],
  ['qoder-cli', 'npm', '@qoder-ai/qodercli'],
  ['qoder-cli', 'command', 'qodercli'],
  ['qoder-jetbrains', 'jetbrainsPlugin', 'com.qoder'],
  ['qoder-app', 'bundleId', 'com.qoder.app'],
];

/** Names of other programs and packages, near to a tool's name or equal to it in another ecosystem. */
const unrelated: readonly (readonly [IdentifierKind, string])[] = [
  ['npm', 'claude-code-router oh-my-claudecode codex-activator codex opencode gemini-cli'],
  ['npm', '@anthropic-ai-tools/claude-code @types/claude-code claude-code litellm continue'],
  ['npm', '@ANTHROPIC-AI/claude-code moltbot'],
  ['pypi', 'cline localai goose-ai codex tabby aider-chat-extras aiderchat continue aider'],
  ['homebrewCask', 'gemini cloudflare-warp'],
  ['homebrewFormula', 'continue codex'],
  ['winget', 'Pressly.Goose Amazon.CopilotCLI Cloudflare.Warp kalink0.Crush lencx.ChatGPT'],
  ['scoop', 'warp chatgpt'],
  ['editorExtension', 'anthropic.claude-code-theme continue.continue-extra'],
  ['bundleId', 'com.example.mouse-pointer com.cloudflare.1dot1dot1dot1.macos'],
  ['browserExtension', 'abcdefghijklmnopabcdefghijklmnop'],
  ['desktopFile', 'cursor-theme'],
  ['command', 'agent q i cn copilot goose warp kimi main code node'],
];

describe('the catalogue that is shipped', () => {
  test('is what its sources generate, and so is its page for administrators', async () => {
    const files = ['policies/catalogue.json', 'docs/admin/tools.md'];
    for (const { path: file, content } of await generated(files)) {
      expect(readFileSync(path.join(top, file), 'utf8'), file).toBe(content);
    }
  });

  test('carries the hash of its document', () => {
    const raw = JSON.parse(readFileSync(path.join(top, 'policies/catalogue.json'), 'utf8')) as {
      sha256: string;
      document: unknown;
    };
    const sum = createHash('sha256').update(JSON.stringify(raw.document)).digest('hex');
    expect(raw.sha256).toBe(sum);
    expect(catalogue.sha256).toBe(sum);
  });

  test('leaves out what is empty, in the file and in the text that agents fetch', () => {
    const text = readFileSync(path.join(top, 'policies/catalogue.json'), 'utf8');
    const [tools = ''] = text.split('"editors":[');
    expect(tools).toContain('"claude-code"');
    expect(tools).not.toMatch(/:(\[\]|\{\}|null|false)/);
    const served = catalogueText(catalogue);
    expect(createHash('sha256').update(served).digest('hex')).toBe(catalogue.sha256);
    expect(parseCatalogue(JSON.parse(served))).toEqual({ kind: 'catalogue', document });
  });

  test('passes its own parser unchanged and has no name claimed twice', () => {
    expect(parseCatalogue(document)).toEqual({ kind: 'catalogue', document });
    expect(findConflicts(document)).toEqual([]);
  });

  test('reaches every tool by an identifier or a folder', () => {
    const mute = catalogue.tools.filter(
      (tool) =>
        tool.folders.length === 0 &&
        identifierKinds.every((kind) => kind === 'npmParts' || tool.identifiers[kind].length === 0),
    );
    expect(mute.map(({ id }) => id)).toEqual([]);
  });

  test('finds a tool by its id and by its former ids', () => {
    expect(catalogue.tool('qoder')?.name).toBe('Qoder IDE');
    expect(catalogue.tool('qoder-ide')?.id).toBe('qoder');
    expect(catalogue.tool('clawdbot')?.id).toBe('openclaw');
    expect(catalogue.tool('claude')).toBeNull();
  });

  test('knows all eight platform packages of Claude Code, and none of them as an install', () => {
    for (const os of ['darwin', 'linux', 'win32']) {
      for (const end of os === 'linux' ? ['', '-musl'] : ['']) {
        for (const cpu of ['x64', 'arm64']) {
          const name = `@anthropic-ai/claude-code-${os}-${cpu}${end}`;
          expect(idOf('npmParts', name), name).toBe('claude-code');
          expect(idOf('npm', name), name).toBeNull();
        }
      }
    }
  });

  test.each(known)('%s is known by %s: %s', (tool, kind, names) => {
    for (const name of names.split(' ')) expect(idOf(kind, name), name).toBe(tool);
  });

  test.each(unrelated)('no tool is seen in %s: %s', (kind, names) => {
    for (const name of names.split(' ')) expect(idOf(kind, name), name).toBeNull();
  });
});

/** What the makers of these names have done to them since: the tool that each is today. */
const traps: readonly (readonly [string, IdentifierKind, string, string | null])[] = [
  ['a name of two products says which only by its bundle id', 'windowsApp', 'Qoder', null],
  ['', 'desktopFile', 'qoder', null],
  ['', 'homebrewCask', 'qoder', null],
  ['', 'bundleId', 'com.qoder.ide', 'qoder'],
  ['', 'bundleId', 'com.qoder.app', 'qoder-app'],
  [
    'a bundle id outlives the name: Codex.app became ChatGPT.app',
    'bundleId',
    'com.openai.codex',
    'codex-app',
  ],
  ['Windsurf.app became Devin.app', 'bundleId', 'com.exafunction.windsurf', 'windsurf'],
  ['Lingma became Qoder CN', 'bundleId', 'com.aliyun.lingma.ide', 'qoder-cn'],
  ['Moltbot became OpenClaw', 'bundleId', 'bot.molt.mac', 'openclaw'],
  ['Claude Dev became Cline', 'editorExtension', 'saoudrizwan.claude-dev', 'cline'],
  ['a package is renamed and its old name stays the tool', 'npm', '@sourcegraph/amp', 'amp'],
  ['', 'npm', 'clawdbot', 'openclaw'],
  ['', 'npm', '@factory/cli', 'factory-droid'],
  ['', 'npm', 'droid', 'factory-droid'],
  ['', 'pypi', 'kimi-cli', 'kimi-cli'],
  ['', 'npm', '@moonshot-ai/kimi-code', 'kimi-cli'],
  ['', 'pypi', 'claude-code-sdk', 'sdk-claude-agent'],
  ['', 'homebrewCask', 'ollama-app', 'ollama'],
  ['', 'homebrewCask', 'ollama', 'ollama'],
  ['', 'homebrewCask', 'chatgpt', 'codex-app'],
  ['', 'homebrewCask', 'codex-app', 'codex-app'],
  ['', 'homebrewCask', 'claude-code@latest', 'claude-code'],
  [
    'a platform package of Codex is a part, though its manifest says otherwise',
    'npmParts',
    '@openai/codex-linux-x64',
    'codex-cli',
  ],
];

describe('name traps', () => {
  test.each(traps)('%s (%s %s is %s)', (_, kind, name, tool) => {
    expect(idOf(kind, name)).toBe(tool);
  });

  test('a command that names several programs proves none of them', () => {
    const shared = [
      'q',
      'i',
      'agent',
      'cn',
      'copilot',
      'goose',
      'warp',
      'kimi',
      'cmd',
      'amp',
      'pi',
    ];
    for (const name of shared) {
      expect(idOf('command', name), name).toBeNull();
      expect(idOf('genericCommand', name), name).not.toBeNull();
    }
  });

  test('no code signature is a team alone: vendors sign other programs with the same', () => {
    const signatures = catalogue.tools.flatMap(({ identifiers }) => identifiers.codeSignature);
    for (const signature of signatures) expect(signature).toMatch(/^[A-Z0-9]{10}:.+/);
  });

  test('the harness and its models are two lists: a gateway of Claude Code is a tool of its own', () => {
    expect(catalogue.match('npm', '@musistudio/claude-code-router')?.kind).toBe('gateway');
    expect(catalogue.tool('claude-code')?.provider).toEqual(['anthropic']);
    expect(catalogue.tool('qoder')?.provider).toEqual(['qoder']);
  });
});

describe('matching', () => {
  const claims = catalogue.tools.flatMap((tool) =>
    identifierKinds.flatMap((kind) => tool.identifiers[kind].map((name) => ({ kind, name, tool }))),
  );

  test('every identifier leads back to its own tool', () => {
    const wrong = claims.filter(({ kind, name, tool }) => catalogue.match(kind, name) !== tool);
    expect(wrong).toEqual([]);
  });

  test('a name with anything before or after it is another name', () => {
    const letters = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    fc.assert(
      fc.property(fc.constantFrom(...claims), letters, ({ kind, name, tool }, extra) => {
        for (const other of [`${extra}${name}`, `${name}${extra}`, `${name}-${extra}`]) {
          const found = catalogue.match(kind, other);
          // Two entries may really be that close (kiro and kiro-cli); then the longer one claims it itself.
          if (found !== null) expect(found.identifiers[kind]).toContain(other);
          else expect(found).not.toBe(tool);
        }
      }),
      runs(500),
    );
  });

  test('case counts exactly where the ecosystem says so', () => {
    expect(idOf('jetbrainsPlugin', 'com.tabnine.tabnine')).toBeNull();
    expect(idOf('bundleId', 'com.anthropic.ClaudeForDesktop')).toBeNull();
    expect(idOf('winget', 'OPENAI.CODEX')).toBe('codex-cli');
    expect(idOf('pypi', 'Claude__Agent-.SDK')).toBe('sdk-claude-agent');
  });
});

describe('install folders', () => {
  const home = '/home/ana';
  const windowsHome = 'C:\\Users\\Ana 100% Lima';
  const place = (at: string, inHome: string | null): string | null => {
    for (const tool of catalogue.tools) {
      for (const folder of tool.folders) {
        const found = matchFolder(folder, at, inHome);
        if (found !== null) {
          const bundled = folder.bundled ? ' bundled' : '';
          return `${tool.id} ${folder.manager} ${String(found.version)}${bundled}`;
        }
      }
    }
    return null;
  };

  test.each([
    [`${home}/.local/share/claude/versions/2.1.331`, 'claude-code native 2.1.331'],
    [
      `${home}/.claude/local/node_modules/@anthropic-ai/claude-code/cli.js`,
      'claude-code local null',
    ],
    [
      `${home}/Library/Application Support/Claude/claude-code/2.1.119/claude.app/Contents/MacOS/claude`,
      'claude-code desktop 2.1.119 bundled',
    ],
    [
      `${home}/.vscode-server/extensions/anthropic.claude-code-2.1.120-linux-x64/resources/native-binary/claude`,
      'claude-code editor-extension 2.1.120 bundled',
    ],
    [`${home}/.qoder/bin/qodercli/qodercli-1.1.52`, 'qoder-cli native 1.1.52'],
    [
      `${home}/.codex/packages/standalone/releases/0.141.0-alpha.3-x86_64-unknown-linux-musl/bin/codex`,
      'codex-cli native 0.141.0-alpha.3',
    ],
    [
      `${home}/.local/share/cursor-agent/versions/2025.10.22-f894c20/cursor-agent`,
      'cursor-agent native 2025.10.22-f894c20',
    ],
  ])('%s is %s', (at, answer) => {
    expect(place(at, home)).toBe(answer);
  });

  test('a Windows path matches in either spelling of its letters', () => {
    const at = `${windowsHome}\\appdata\\Roaming\\Claude\\claude-code\\2.1.119\\Claude.exe`;
    expect(place(at, windowsHome)).toBe('claude-code desktop 2.1.119 bundled');
  });

  test.each([
    `${home}/.local/share/claude/versions/2.1.331/extra`,
    `${home}/.local/share/claude/versions/`,
    `${home}/.local/share/claude-code/versions/2.1.331`,
    `/home/ben/.local/share/claude/versions/2.1.331`,
    `${home}/code/.local/share/claude/versions/2.1.331`,
    `${home}2/.local/share/claude/versions/2.1.331`,
  ])('%s is no install folder of ana', (at) => {
    expect(place(at, home)).toBeNull();
  });

  test('a pattern in the home says nothing about a path that belongs to no home', () => {
    expect(place('/.local/share/claude/versions/2.1.331', null)).toBeNull();
  });

  test('characters of a pattern are text, not an expression', () => {
    const folder: InstallFolder = {
      os: ['linux'],
      path: '/opt/a.b+(c)/{version}',
      manager: 'vendor',
      bundled: false,
    };
    expect(matchFolder(folder, '/opt/a.b+(c)/1.0', null)).toEqual({ version: '1.0' });
    expect(matchFolder(folder, '/opt/aXb+(c)/1.0', null)).toBeNull();
  });
});
