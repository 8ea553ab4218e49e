/**
 * Signs that something is an AI tool though no entry of the catalogue and no rule names it: what a
 * package or an extension declares of itself. Pure functions on manifests that others have read. A sign
 * is a guess, so a candidate never gets a tool's id, and libraries without a command have none.
 */
import { normalName, type Catalogue } from '../../policies/catalogue.js';
import type { CandidateReason, Confidence } from '../../policies/component.js';

/** Why something looks like an AI tool, and the known names that say so: they serve as evidence. */
export interface Signs {
  readonly reasons: readonly CandidateReason[];
  readonly names: readonly string[];
}

/** Names of one ecosystem that are no tool by themselves, and what depending on one of them says. */
interface Libraries {
  readonly reasons: ReadonlyMap<string, CandidateReason>;
  /** Families: `@ai-sdk/` in npm, `langchain-` on PyPI; all that begins so is a part of the SDK. */
  readonly families: readonly string[];
}

/** Model vendors' SDKs, and frameworks made of them, that the catalogue has no entry of kind `sdk` for. */
const sdks = {
  npm: [
    '@aws-sdk/client-bedrock-runtime',
    '@azure/openai',
    '@azure-rest/ai-inference',
    '@cerebras/cerebras_cloud_sdk',
    '@github/copilot-sdk',
    '@google-cloud/vertexai',
    '@google/adk',
    '@google/genai',
    '@google/generative-ai',
    '@huggingface/inference',
    '@mastra/core',
    '@mistralai/mistralai',
    '@openai/agents',
    '@openai/codex-sdk',
    '@opencode-ai/sdk',
    '@openrouter/ai-sdk-provider',
    '@openrouter/sdk',
    '@strands-agents/sdk',
    'ai',
    'cohere-ai',
    'groq-sdk',
    'langchain',
    'llamaindex',
    'node-llama-cpp',
    'ollama',
    'openai',
    'replicate',
    'together-ai',
  ],
  pypi: [
    'ag2',
    'agno',
    'anthropic',
    'autogen-agentchat',
    'browser-use',
    'camel-ai',
    'claude-agent-sdk',
    'cohere',
    'dashscope',
    'dspy',
    'google-adk',
    'google-genai',
    'google-generativeai',
    'groq',
    'instructor',
    'langchain',
    'langgraph',
    'litellm',
    'llama-cpp-python',
    'llama-index',
    'llama-index-core',
    'mistralai',
    'ollama',
    'openai',
    'openai-agents',
    'pydantic-ai',
    'pydantic-ai-slim',
    'replicate',
    'smolagents',
    'strands-agents',
    'together',
    'zhipuai',
  ],
} as const;
const families = {
  npm: ['@ai-sdk/', '@langchain/'],
  pypi: ['langchain-', 'llama-index-'],
} as const;
const protocols: Readonly<Record<Ecosystem, Readonly<Record<string, CandidateReason>>>> = {
  npm: {
    '@modelcontextprotocol/client': 'declares-mcp',
    '@modelcontextprotocol/sdk': 'declares-mcp',
    '@modelcontextprotocol/server': 'declares-mcp',
    fastmcp: 'declares-mcp',
    '@agentclientprotocol/sdk': 'speaks-acp',
    '@zed-industries/agent-client-protocol': 'speaks-acp',
  },
  pypi: { mcp: 'declares-mcp', fastmcp: 'declares-mcp', 'agent-client-protocol': 'speaks-acp' },
};

type Ecosystem = 'npm' | 'pypi';

const known = new WeakMap<Catalogue, Readonly<Record<Ecosystem, Libraries>>>();

function librariesOf(ecosystem: Ecosystem, catalogue: Catalogue): Libraries {
  let made = known.get(catalogue);
  if (made === undefined) {
    made = { npm: joined('npm', catalogue), pypi: joined('pypi', catalogue) };
    known.set(catalogue, made);
  }
  return made[ecosystem];
}

function joined(ecosystem: Ecosystem, { tools }: Catalogue): Libraries {
  const reasons = new Map<string, CandidateReason>(sdks[ecosystem].map((name) => [name, reason]));
  for (const { kind, identifiers } of tools) {
    if (kind !== 'sdk') continue;
    for (const name of identifiers[ecosystem]) reasons.set(normalName(ecosystem, name), reason);
  }
  for (const [name, why] of Object.entries(protocols[ecosystem])) reasons.set(name, why);
  return { reasons, families: families[ecosystem] };
}
const reason: CandidateReason = 'depends-on-model-sdk';

const longest = 64;

/** What depending on these says; null when it says nothing, or the package is such a library itself. */
function signsOf(
  name: string | null,
  dependencies: Iterable<string>,
  { reasons, families: begins }: Libraries,
): Signs | null {
  const isOfFamily = (one: string): boolean => begins.some((start) => one.startsWith(start));
  if (name !== null && (reasons.has(name) || isOfFamily(name))) return null;
  const found = new Map<string, CandidateReason>();
  for (const dependency of dependencies) {
    const why = reasons.get(dependency);
    const family = begins.find((start) => dependency.startsWith(start));
    if (why !== undefined) found.set(dependency, why);
    // Of a family only its own name is known, not that of each part.
    else if (family !== undefined) found.set(family.slice(0, -1), reason);
  }
  return made(found);
}

function made(found: ReadonlyMap<string, CandidateReason>): Signs | null {
  if (found.size === 0) return null;
  const names = [...found.keys()].filter((name) => name.length <= longest).sort();
  return { reasons: [...new Set(found.values())].sort(), names };
}

/** How sure a guess can be: two signs that agree, or a protocol that agents alone speak. */
export function confidenceOf({ reasons }: Signs): Confidence {
  return reasons.length > 1 || reasons.includes('speaks-acp') ? 'medium' : 'low';
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** `npm:name@range`: the package behind the name that a manifest gives it. */
const alias = /^npm:((?:@[^/@]+\/)?[^/@]+)/;

/**
 * Of a package.json (https://docs.npmjs.com/cli/configuring-npm/package-json): a command of its own,
 * and what it cannot do without when it is used. What it is built with says nothing, and neither does
 * what it only makes use of where it is there: frameworks and tools of every kind do that.
 */
export function npmSigns(manifest: unknown, catalogue: Catalogue): Signs | null {
  const fields = fieldsOf(manifest);
  if (!hasCommand(fields)) return null;
  const optional = Object.keys(fieldsOf(fields['optionalDependencies']));
  const peers = Object.entries(fieldsOf(fields['peerDependenciesMeta']));
  const spared = new Set([
    ...optional,
    ...peers.flatMap(([name, meta]) => (fieldsOf(meta)['optional'] === true ? [name] : [])),
  ]);
  const dependencies = ['dependencies', 'peerDependencies'].flatMap((field) =>
    Object.entries(fieldsOf(fields[field]))
      .filter(([name]) => !spared.has(name))
      .map(([name, range]) => {
        return (typeof range === 'string' ? alias.exec(range)?.[1] : undefined) ?? name;
      }),
  );
  const { name } = fields;
  const libraries = librariesOf('npm', catalogue);
  return signsOf(typeof name === 'string' ? name : null, dependencies, libraries);
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

function hasCommand({ bin, directories }: Fields): boolean {
  return (
    isText(bin) || Object.values(fieldsOf(bin)).some(isText) || isText(fieldsOf(directories)['bin'])
  );
}

/** Whether an `entry_points.txt` has a command (https://packaging.python.org/en/latest/specifications/entry-points/). */
export function hasConsoleScript(entryPoints: string): boolean {
  let isInside = false;
  for (const line of entryPoints.split('\n', 2000)) {
    const text = line.trim();
    if (text.startsWith('[')) isInside = text === '[console_scripts]';
    else if (isInside && /^[^#;=\s][^=]*=\s*\S/.test(text)) return true;
  }
  return false;
}

/** Header lines read of a record; the longest lists of dependencies are a tenth of that. */
const maxHeaderLines = 5000;

/**
 * The packages that a METADATA header requires in any case, in PyPI's normal form: one that a marker
 * ties to an extra is there only for whoever asked for it.
 */
export function requirementsOf(metadata: string): readonly string[] {
  const found: string[] = [];
  for (const line of metadata.split('\n', maxHeaderLines)) {
    const text = line.trim();
    if (text === '') break;
    const [, requirement = ''] = /^requires-dist:\s*(\S.*)$/i.exec(text) ?? [];
    const [stem = '', marker = ''] = requirement.split(';', 2);
    const [name] = /^[A-Z0-9](?:[A-Z0-9._-]*[A-Z0-9])?/i.exec(stem) ?? [];
    if (name !== undefined && !/\bextra\b/.test(marker)) found.push(normalName('pypi', name));
  }
  return found;
}

/** Of a Python package with a command; `name` in PyPI's normal form. */
export function pypiSigns(name: string, metadata: string, catalogue: Catalogue): Signs | null {
  return signsOf(name, requirementsOf(metadata), librariesOf('pypi', catalogue));
}

/**
 * What an extension of the VS Code family contributes (microsoft/vscode, chatParticipants.ts,
 * languageModels.ts, mcpConfiguration.ts and extensions.ts for the categories). Tools that it offers to
 * somebody else's assistant (`languageModelTools`) make it none: those of plain languages have them.
 */
const contributions: Readonly<Record<string, CandidateReason>> = {
  chatParticipants: 'declares-chat',
  chatSessions: 'declares-chat',
  languageModelChatProviders: 'declares-chat',
  languageModels: 'declares-chat',
  mcpServerDefinitionProviders: 'declares-mcp',
};
const categories: ReadonlySet<unknown> = new Set(['AI', 'Chat']);
const hints = [...Object.keys(contributions), 'AI', 'Chat'].map((word) => `"${word}"`);

/** Whether a manifest's text can have a sign at all; spares reading it as JSON. */
export const mayHaveExtensionSigns = (text: string): boolean =>
  hints.some((hint) => text.includes(hint));

/** Of an extension's package.json. */
export function extensionSigns(manifest: unknown): Signs | null {
  const fields = fieldsOf(manifest);
  const found = new Map<string, CandidateReason>();
  for (const [name, value] of Object.entries(fieldsOf(fields['contributes']))) {
    const why = Object.hasOwn(contributions, name) ? contributions[name] : undefined;
    const isEmpty = Array.isArray(value) && value.length === 0;
    if (why !== undefined && !isEmpty && value !== null) found.set(name, why);
  }
  const listed = fields['categories'];
  const category = Array.isArray(listed) ? listed.find((one) => categories.has(one)) : undefined;
  if (category !== undefined) found.set(`category ${String(category)}`, 'declares-chat');
  return made(found);
}
