/**
 * The managed settings that AI tools have themselves: MCP servers that a policy denies, and the versions
 * of Claude Code that may start. Only documented keys, and only those that the policy needs; nothing
 * here switches a tool off, which is what the other targets are for.
 * https://code.claude.com/docs/en/managed-mcp, https://code.claude.com/docs/en/settings,
 * https://developers.openai.com/codex/enterprise/managed-configuration,
 * https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/enterprise.md,
 * https://qwenlm.github.io/qwen-code-docs, https://code.visualstudio.com/docs/enterprise/policies
 */
import { denialsOf, type Denials, type Judged } from './denials.js';
import type { Compiled, CompiledFile, CompileInput, Target } from './index.js';
import { compareTriples, limitsInside, limitsOutside, type VersionLimits } from './limits.js';
import { writeProfile, writeRegistry, type PlistValue } from './markup.js';
import { sparedVersions } from './pins.js';
import { plainRange, type Triple } from './ranges.js';
import { hashedUuid, isMild, unexpressed, usualWarnings } from './words.js';

/** What of a policy reaches into tools. */
interface Wishes {
  /** Names of MCP servers, each once, in order. */
  readonly denied: readonly string[];
  /** Names that a rule approves or allows; they count when all others are denied. */
  readonly permitted: readonly string[];
  /** A rule denies every MCP server that nothing before it allows. */
  readonly isAllDenied: boolean;
  readonly limits: VersionLimits | null;
}

/** The first version of Claude Code that refuses to start outside its limits. */
const limitsKnownSince: Triple = [2, 1, 163];
const claudeCode = 'claude-code';

/** A name as every version of Claude Code takes it; another form could void the whole file. */
const plainName = /^[A-Za-z0-9_-]+$/;

const isBlocking = ({ action }: Judged): boolean => action !== null && !isMild({ action });

/** What one identity of Claude Code would ask for. */
function limitsOf(judged: Judged, input: CompileInput): VersionLimits | null {
  if (judged.tool?.id !== claudeCode || judged.outcome !== 'partly' || !isBlocking(judged)) {
    return null;
  }
  if (judged.versions !== null) {
    const range = plainRange(judged.versions);
    return range === null ? null : limitsOutside(range, limitsKnownSince);
  }
  const spared = sparedVersions(judged, input);
  const range = spared === null ? null : plainRange(spared);
  return range === null ? null : limitsInside(range);
}

/** There is one pair of limits, for every way of installing: one that is judged otherwise forbids them. */
function commonLimits({ identities }: Denials, input: CompileInput): VersionLimits | null {
  const all = identities
    .filter(({ tool }) => tool?.id === claudeCode)
    .map((one) => limitsOf(one, input));
  const [first = null] = all;
  const text = JSON.stringify(first);
  return all.every((one) => JSON.stringify(one) === text) ? first : null;
}

const wholeMcpRules = ({ inForce }: Denials): readonly string[] =>
  inForce
    .filter(({ channels, unseen, action }) => {
      return channels.includes('mcp') && unseen.length === 0 && !isMild({ action });
    })
    .map(({ rule }) => rule);

function wishesOf(denials: Denials, input: CompileInput): Wishes {
  const servers = denials.identities.filter(({ kind }) => kind === 'mcp');
  const namesOf = (judged: readonly Judged[]): string[] =>
    [...new Set(judged.map(({ name }) => name))].sort();
  return {
    denied: namesOf(servers.filter((one) => one.outcome === 'denied' && isBlocking(one))),
    permitted: namesOf(servers.filter(({ isPermitted }) => isPermitted)),
    isAllDenied: wholeMcpRules(denials).length > 0,
    limits: commonLimits(denials, input),
  };
}

const jsonOf = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function profileFile(
  name: string,
  settings: Readonly<Record<string, PlistValue>>,
  { policy, domain, title }: { policy: string; domain: string; title: string },
): CompiledFile {
  const identifier = `curfew.${policy}.${name}`;
  return {
    name: `ai-tools/${name}/curfew.mobileconfig`,
    text: writeProfile({
      ...{ identifier, uuid: hashedUuid(identifier), displayName: `Curfew: ${title}` },
      description: `What policy ${policy} asks of ${title}.`,
      payloads: [
        {
          ...{ domain, settings, identifier: `${identifier}.settings` },
          uuid: hashedUuid(identifier, domain),
        },
      ],
    }),
    purpose: `a profile for the MDM on macOS, instead of the file`,
  };
}

function claudeFiles(wishes: Wishes, policy: string): CompiledFile[] {
  const { permitted, isAllDenied, limits } = wishes;
  const named = (names: readonly string[]) =>
    names.filter((name) => plainName.test(name)).map((serverName) => ({ serverName }));
  const denied = named(wishes.denied);
  const settings = {
    ...(isAllDenied
      ? { allowedMcpServers: named(permitted), allowManagedMcpServersOnly: true }
      : {}),
    ...(denied.length === 0 ? {} : { deniedMcpServers: denied }),
    ...(limits?.minimum == null ? {} : { requiredMinimumVersion: limits.minimum }),
    ...(limits?.maximum == null ? {} : { requiredMaximumVersion: limits.maximum }),
  };
  if (Object.keys(settings).length === 0) return [];
  const values = [{ name: 'Settings', value: JSON.stringify(settings) }];
  return [
    {
      name: 'ai-tools/claude-code/managed-settings.json',
      text: jsonOf(settings),
      purpose:
        'as 50-curfew.json in managed-settings.d beside managed-settings.json, or its keys merged into that file: /etc/claude-code on Linux, /Library/Application Support/ClaudeCode on macOS, C:\\Program Files\\ClaudeCode on Windows; lists are to be joined',
    },
    profileFile('claude-code', settings, {
      ...{ policy, domain: 'com.anthropic.claudecode', title: 'Claude Code' },
    }),
    {
      name: 'ai-tools/claude-code/curfew.reg',
      text: writeRegistry([{ key: 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\ClaudeCode', values }]),
      purpose:
        'for `reg import` on Windows, instead of the file; it is one value: merge with one that is set already',
    },
  ];
}

/** Codex names allowed servers by program or address too, which no policy has: all, or nothing. */
function codexFiles({ isAllDenied, permitted }: Wishes, policy: string): CompiledFile[] {
  if (!isAllDenied || permitted.length > 0) return [];
  const text = '# Made by Curfew. An empty list of MCP servers allows none.\n[mcp_servers]\n';
  return [
    {
      name: 'ai-tools/codex/requirements.toml',
      text,
      purpose:
        '/etc/codex/requirements.toml on Linux and macOS; into a file that is there already goes the table mcp_servers alone, in place of one with entries',
    },
    profileFile(
      'codex',
      { requirements_toml_base64: Buffer.from(text).toString('base64') },
      { policy, domain: 'com.openai.codex', title: 'Codex' },
    ),
  ];
}

/** Gemini CLI and Qwen Code, which was made from it, read the same keys from their own places. */
const geminiLike = [
  {
    id: 'gemini-cli',
    places:
      '/etc/gemini-cli/settings.json on Linux, /Library/Application Support/GeminiCli/settings.json on macOS, C:\\ProgramData\\gemini-cli\\settings.json on Windows',
  },
  {
    id: 'qwen-code',
    places:
      '/etc/qwen-code/settings.json on Linux, /Library/Application Support/QwenCode/settings.json on macOS, C:\\ProgramData\\qwen-code\\settings.json on Windows',
  },
] as const;

function geminiFiles({ denied, permitted, isAllDenied }: Wishes): CompiledFile[] {
  const mcp = {
    // What an empty list would mean is not documented, so none is written.
    ...(isAllDenied && permitted.length > 0 ? { allowed: permitted } : {}),
    ...(denied.length === 0 ? {} : { excluded: denied }),
  };
  if (Object.keys(mcp).length === 0) return [];
  return geminiLike.map(({ id, places }) => ({
    name: `ai-tools/${id}/settings.json`,
    text: jsonOf({ mcp }),
    purpose: `${places}; into a file that is there already go the keys below mcp, lists joined`,
  }));
}

/** VS Code knows all, those of one registry, or none: `ChatMCP`. */
function vscodeFiles({ isAllDenied, permitted }: Wishes, policy: string): CompiledFile[] {
  if (!isAllDenied || permitted.length > 0) return [];
  const settings = { ChatMCP: 'none' };
  const key = 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\VSCode';
  return [
    {
      name: 'ai-tools/vscode/policy.json',
      text: jsonOf(settings),
      purpose: '/etc/vscode/policy.json on Linux: the key beside those that are there already',
    },
    profileFile('vscode', settings, {
      ...{ policy, domain: 'com.microsoft.VSCode', title: 'Visual Studio Code' },
    }),
    {
      name: 'ai-tools/vscode/curfew.reg',
      text: writeRegistry([{ key, values: [{ name: 'ChatMCP', value: 'none' }] }]),
      purpose: 'for `reg import` or a group policy preference on Windows',
    },
  ];
}

function warningsOf({ denied, permitted, isAllDenied, limits }: Wishes): string[] {
  const odd = denied.filter((name) => !plainName.test(name));
  const names = denied.join(', ');
  return [
    ...(denied.length === 0 || isAllDenied
      ? []
      : [
          `Codex and VS Code have no list of denied MCP servers: ${names} can be started there, and in every tool for which no file is written`,
        ]),
    ...(odd.length === 0 ? [] : [`Claude Code takes no such name as ${odd.join(', ')}`]),
    ...(isAllDenied && permitted.length > 0
      ? [
          `Codex and VS Code cannot allow ${permitted.join(', ')} by name alone: nothing is written for them`,
        ]
      : []),
    ...(isAllDenied && permitted.length === 0
      ? [
          'Gemini CLI and Qwen Code have no documented way to allow no MCP server: nothing is written for them',
        ]
      : []),
    ...(denied.length > 0 || isAllDenied
      ? [
          'a server is known by the name that a person gives it, who can give it another; in projects it is denied too',
        ]
      : []),
    ...(limits === null
      ? []
      : [
          `Claude Code before ${limitsKnownSince.join('.')} does not know the limits and starts all the same`,
        ]),
  ];
}

function whyNot(kind: Judged['kind'], { tool, versions, outcome }: Judged): string | null {
  if (tool?.id === claudeCode && versions !== null) {
    const range = plainRange(versions);
    const top = range?.[0]?.find(({ operator }) => operator.startsWith('<'));
    const isOld = top !== undefined && compareTriples(top.numbers, limitsKnownSince) < 0;
    const isSayable = range !== null && limitsOutside(range, limitsKnownSince) !== null;
    if (isSayable)
      return 'Claude Code knows one lowest and highest version, however it was installed';
    return isOld
      ? `versions before ${limitsKnownSince.join('.')} know no limits`
      : `Claude Code knows a lowest and a highest version, which ${versions} is not`;
  }
  if (versions !== null) return `no setting of the tool's own knows the versions ${versions}`;
  if (outcome !== 'denied') return null;
  if (kind === 'mcp') return null;
  return "no setting of the tool's own switches it off for everybody: another target stops it";
}

function compile(input: CompileInput): Compiled {
  const denials = denialsOf(input);
  const wishes = wishesOf(denials, input);
  const { policy } = input.policy;
  const files = [
    ...claudeFiles(wishes, policy),
    ...codexFiles(wishes, policy),
    ...geminiFiles(wishes),
    ...vscodeFiles(wishes, policy),
  ];
  const isWritten = (one: Judged): boolean =>
    one.kind === 'mcp'
      ? one.outcome === 'denied' && wishes.denied.includes(one.name)
      : wishes.limits !== null && one.tool?.id === claudeCode;
  const notExpressible = unexpressed(denials, new Set(denials.identities.filter(isWritten)), {
    product: "a tool's own settings",
    ...{ isBlocking: true, seesVersions: true, whyNot },
    expressedRules: new Set(wholeMcpRules(denials)),
  });
  return {
    files,
    notExpressible,
    warnings: [...usualWarnings(input, denials), ...warningsOf(wishes)],
  };
}

export const aiTools: Target = {
  id: 'ai-tools',
  title: "AI tools' own managed settings",
  canAllowList: false,
  compile,
};
