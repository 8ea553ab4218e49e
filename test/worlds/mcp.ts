/**
 * Builds the files in which AI hosts keep their MCP servers, each in its host's own format, below a
 * home. The hosts and places are those of a Linux machine unless a function says otherwise.
 */
import { place } from './native.js';

export type Servers = Readonly<Record<string, unknown>>;

/** A host whose file is a JSON object with the servers below one key. */
export function jsonHost(home: string, file: string, servers: Servers, key = 'mcpServers'): string {
  return place(home, file, JSON.stringify({ [key]: servers }, null, 2));
}

/** Claude Code: servers for all projects, and those of single projects beside them. */
export function claudeJson(
  home: string,
  servers: Servers,
  projects: Readonly<Record<string, Servers>> = {},
): string {
  const below = Object.entries(projects).map(([folder, own]) => [folder, { mcpServers: own }]);
  const content = { numStartups: 3, mcpServers: servers, projects: Object.fromEntries(below) };
  return place(home, '.claude.json', JSON.stringify(content));
}

/** Codex: TOML, one table for each server and one for its variables. */
export function codexToml(home: string, lines: readonly string[]): string {
  return place(home, '.codex/config.toml', `${lines.join('\n')}\n`);
}

/** Continue: YAML, a list of servers with their names. */
export function continueYaml(home: string, lines: readonly string[]): string {
  return place(home, '.continue/config.yaml', `${lines.join('\n')}\n`);
}

/** Goose: YAML, a map in which what is built in stands beside the servers. */
export function gooseYaml(home: string, lines: readonly string[]): string {
  return place(home, '.config/goose/config.yaml', `${lines.join('\n')}\n`);
}
