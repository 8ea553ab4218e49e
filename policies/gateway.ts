/**
 * Whose a model endpoint is: the vendor's own, a third party's, or none configured. It looks at the
 * host alone. A host that no documentation names as one on which the tool's provider serves its own models
 * is a third party's: clouds that resell them, relays, a proxy on this machine.
 */
import type { Tool } from './catalogue.js';

export type GatewayKind = 'vendor' | 'third-party' | 'none';

/**
 * Domains on which a provider (an id of the catalogue) serves its own models; subdomains too, `*` is any
 * one label. Only those on which nobody else can run a program: aliyuncs.com has functions of customers,
 * google.com their scripts, z.ai and minimax.io what people let an agent build, openai.azure.com deployments.
 *
 * Sources: Claude Code, environment variables, and Claude Platform, "Claude Platform on AWS" (run by Anthropic, unlike
 * Bedrock); OpenAI, data residency (eu.api.openai.com); Gemini API and Vertex AI, endpoints; Alibaba Cloud Model
 * Studio, base URLs, and Qwen Code's sign-in; GitHub Copilot, allowlist; the API references of Mistral, xAI,
 * DeepSeek, Moonshot (platform.kimi.ai), Z.AI and Zhipu (docs.z.ai, docs.bigmodel.cn) and MiniMax.
 */
const domains: Readonly<Record<string, readonly string[]>> = {
  anthropic: ['anthropic.com', 'claude.com', 'claude.ai', 'aws-external-anthropic.*.api.aws'],
  openai: ['openai.com', 'chatgpt.com'],
  google: ['googleapis.com'],
  qoder: ['qoder.com', 'qoder.sh'],
  alibaba: [
    'dashscope.aliyuncs.com',
    'dashscope-intl.aliyuncs.com',
    'dashscope-us.aliyuncs.com',
    'maas.aliyuncs.com',
    'portal.qwen.ai',
  ],
  github: ['githubcopilot.com', 'models.github.ai'],
  mistral: ['api.mistral.ai', 'codestral.mistral.ai'],
  xai: ['api.x.ai'],
  deepseek: ['api.deepseek.com'],
  moonshot: ['api.moonshot.cn', 'api.moonshot.ai', 'api.kimi.com'],
  zhipu: ['open.bigmodel.cn', 'api.z.ai'],
  minimax: ['api.minimax.io', 'api.minimaxi.com'],
};
const labelsOf = (host: string): readonly string[] => host.split('.').reverse();
const known = new Map(Object.entries(domains).map(([id, list]) => [id, list.map(labelsOf)]));

/** The providers that a tool can be set up for, whatever the catalogue says of it. */
export const gatewayProviders: ReadonlySet<string> = new Set(known.keys());

const lies = (labels: readonly string[], domain: readonly string[]): boolean =>
  domain.every((label, at) => (label === '*' ? (labels[at] ?? '') !== '' : label === labels[at]));

/** The provider (an id of the catalogue) whose own models a host serves; null where none is known. */
export function gatewayProvider(gateway: string): string | null {
  const labels = labelsOf(plainHost(gateway));
  const found = [...known].find(([, list]) => list.some((domain) => lies(labels, domain)));
  return found?.[0] ?? null;
}

/** A host as hosts compare: lower case, no dot behind it, other scripts in their ASCII form. */
export function plainHost(text: string): string {
  const host = text.toLowerCase().replace(/\.$/, '');
  if (/^[\x21-\x7e]*$/.test(host)) return host;
  return URL.parse(`http://${host}`)?.hostname ?? host;
}

/**
 * `gateway` is the configured host, null for none. For a tool that talks to any provider the hosts of all
 * of them are the vendor's.
 */
export function gatewayKind(gateway: string | null, tool: Tool | null): GatewayKind {
  if (gateway === null || gateway === '') return 'none';
  const labels = labelsOf(plainHost(gateway));
  const providers = tool?.provider ?? [];
  const own = providers.includes('any')
    ? [...known.values()].flat()
    : providers.flatMap((id) => known.get(id) ?? []);
  return own.some((domain) => lies(labels, domain)) ? 'vendor' : 'third-party';
}
