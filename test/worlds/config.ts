/**
 * Builds what tools leave in a home besides their programs: settings that name a model gateway, start
 * files of shells, state folders.
 */
import { place } from './native.js';

/** Claude Code's settings with a block of variables. */
export function claudeSettings(
  home: string,
  env: Readonly<Record<string, string>>,
  folder = '.claude',
): string {
  return place(home, `${folder}/settings.json`, JSON.stringify({ model: 'opus', env }));
}

/** Codex's settings with one provider of models; `chosen` false leaves it only described. */
export function codexProvider(home: string, address: string, chosen = true): string {
  const lines = [
    ...(chosen ? ['model_provider = "proxy"'] : []),
    '[model_providers.proxy]',
    'name = "Proxy"',
    `base_url = ${JSON.stringify(address)}`,
    'env_key = "PROXY_KEY"',
    'http_headers = { "X-Team" = "CANARY" }',
  ];
  return place(home, '.codex/config.toml', lines.join('\n'));
}

/** A start file of a shell. */
export function startFile(home: string, name: string, ...lines: readonly string[]): string {
  return place(home, name, `# written by hand\n${lines.join('\n')}\n`);
}
