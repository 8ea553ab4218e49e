/**
 * Whose a model endpoint is: the vendor's own, a third party's, or none configured. It looks at the
 * host alone. A host that is on no list of the tool's vendor is a third party's.
 */
import type { Tool } from './catalogue.js';

export type GatewayKind = 'vendor' | 'third-party' | 'none';

/** Domains on which a provider (an id of the catalogue) serves its own models; subdomains too. */
const domains: Readonly<Record<string, readonly string[]>> = {
  anthropic: ['anthropic.com', 'claude.com', 'claude.ai'],
  openai: ['openai.com', 'chatgpt.com'],
  google: ['googleapis.com', 'google.com'],
  qoder: ['qoder.com', 'qoder.sh'],
  alibaba: ['aliyuncs.com', 'aliyun.com'],
  github: ['githubcopilot.com', 'github.com'],
  mistral: ['mistral.ai'],
  xai: ['x.ai'],
  deepseek: ['deepseek.com'],
  moonshot: ['moonshot.cn', 'moonshot.ai', 'kimi.com'],
};

/** `gateway` is the configured host, null for none; a word of `GatewayKind` stands for itself. */
export function gatewayKind(gateway: string | null, tool: Tool | null): GatewayKind {
  if (gateway === null || gateway === '' || gateway === 'none') return 'none';
  if (gateway === 'vendor' || gateway === 'third-party') return gateway;
  const host = gateway.toLowerCase();
  const own = (tool?.provider ?? []).flatMap((id) => domains[id] ?? []);
  const isOwn = own.some((domain) => host === domain || host.endsWith(`.${domain}`));
  return isOwn ? 'vendor' : 'third-party';
}
