/**
 * The address of a model endpoint in the settings files of tools, one reader per form. Each takes one
 * file and hands out addresses as they stand there; the caller keeps the host alone. Keys, tokens and
 * everything else in these files stay unread values.
 * Sources: Claude Code (settings, LLM gateway), Codex (docs/config.md), Gemini CLI and Qwen Code
 * (docs/users/configuration), aider (aider.conf.yml), OpenCode (config, providers), Crush (README),
 * Continue (config.yaml reference).
 */
import type { Reader } from './index.js';
import { assignments } from './shell-path.js';
import { readToml, type TomlTable, type TomlValue } from './toml.js';

const maxBytes = 1024 * 1024;
const maxLineLength = 4096;

/** An address, and the name of what sets it. */
export interface Setting {
  readonly key: string;
  readonly value: string;
}

/** What of several addresses counts comes first; `variables` are those that the tool follows. */
export type ReadSettings = (
  file: string,
  reader: Reader,
  variables: readonly string[],
) => readonly Setting[];

export function fieldOf(value: unknown, name: string): unknown {
  const isRecord = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
  return isRecord ? (value as Record<string, unknown>)[name] : undefined;
}

const settingOf = (key: string, value: unknown): readonly Setting[] =>
  typeof value === 'string' && value.trim() !== '' ? [{ key, value: value.trim() }] : [];

const jsonOf = (file: string, reader: Reader): unknown =>
  reader.facts(file) === null ? undefined : reader.json(file, maxBytes);

/** `{"env": {"NAME": "value"}}` */
export function inEnvBlock(settings: unknown, variables: readonly string[]): readonly Setting[] {
  const env = fieldOf(settings, 'env');
  return variables.flatMap((key) => settingOf(key, fieldOf(env, key)));
}

export const fromEnvBlock: ReadSettings = (file, reader, variables) =>
  inEnvBlock(jsonOf(file, reader), variables);

/** Qwen Code's own keys beside its `env` block. */
export const fromQwen: ReadSettings = (file, reader, variables) => {
  const settings = jsonOf(file, reader);
  const auth = fieldOf(fieldOf(settings, 'security'), 'auth');
  const providers = Object.values((fieldOf(settings, 'modelProviders') ?? {}) as object);
  const models = providers.flatMap((list: unknown) => (Array.isArray(list) ? list : [list]));
  return [
    ...inEnvBlock(settings, variables),
    ...settingOf('security.auth.baseUrl', fieldOf(auth, 'baseUrl')),
    ...models.flatMap((model) => settingOf('modelProviders', fieldOf(model, 'baseUrl'))),
  ];
};

/** `NAME=value`, a line each, the last first. */
export const fromLines: ReadSettings = (file, reader, variables) =>
  (reader.text(file, maxBytes) ?? '')
    .split('\n')
    .filter((line) => line.length <= maxLineLength && !/^\s*#/.test(line))
    .flatMap(assignments)
    .filter(({ name }) => variables.includes(name))
    .flatMap(({ name, value }) => settingOf(name, value))
    .reverse();

/** The provider that is chosen, by the profile if one is, and its address. */
export const fromCodex: ReadSettings = (file, reader) => {
  const text = reader.text(file, maxBytes);
  if (text === null) return [];
  const top = readToml(text);
  if (top === null) {
    reader.note(file, 'malformed');
    return [];
  }
  const profile = tableOf(tableOf(top['profiles'])?.[wordOf(top['profile']) ?? '']);
  const provider = wordOf(profile?.['model_provider']) ?? wordOf(top['model_provider']);
  const chosen = tableOf(tableOf(top['model_providers'])?.[provider ?? '']);
  const isOpenAi = provider === null || provider === 'openai';
  return [
    ...settingOf('model_providers', chosen?.['base_url']),
    ...(isOpenAi ? settingOf('openai_base_url', top['openai_base_url']) : []),
  ].slice(0, 1);
};

const tableOf = (value: TomlValue | undefined): TomlTable | null =>
  typeof value === 'object' && !Array.isArray(value) ? (value as TomlTable) : null;
const wordOf = (value: TomlValue | undefined): string | null =>
  typeof value === 'string' ? value : null;

/** `provider.<id>.options.baseURL`; of several the one that `model` begins with. */
export const fromOpenCode: ReadSettings = (file, reader) => {
  const settings = jsonOf(file, reader);
  const model = fieldOf(settings, 'model');
  const chosen = typeof model === 'string' ? model.split('/')[0] : undefined;
  return Object.entries((fieldOf(settings, 'provider') ?? {}) as object)
    .sort(([one], [two]) => Number(two === chosen) - Number(one === chosen))
    .flatMap(([, provider]) =>
      settingOf('provider', fieldOf(fieldOf(provider, 'options'), 'baseURL')),
    );
};

/** `providers.<id>.base_url` */
export const fromCrush: ReadSettings = (file, reader) =>
  Object.values((fieldOf(jsonOf(file, reader), 'providers') ?? {}) as object).flatMap((provider) =>
    settingOf('providers', fieldOf(provider, 'base_url')),
  );

/** One key of a YAML or JSON file, wherever it stands, by its lines: the library would cost a scan. */
export function fromKey(name: string): ReadSettings {
  const line = new RegExp(
    `^[\\s-]*["']?${name}["']?:\\s*(?:"([^"]*)"|'([^']*)'|([^\\s#,]+))`,
    'gm',
  );
  return (file, reader) =>
    [...(reader.text(file, maxBytes) ?? '').matchAll(line)].flatMap(([, one, two, three]) =>
      settingOf(name, one ?? two ?? three),
    );
}
