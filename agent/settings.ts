/**
 * The one table of settings: key, type, default, help. From it come the readers here and, in
 * `installers/`, every file an administrator uploads. Each effective value knows where it came from:
 * managed (MDM) > file > environment > default, decided per key. A key of the wrong type is ignored by
 * itself and said; it never takes the others with it.
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { actions, type Action } from '../policies/document.js';
import type { Platform } from '../policies/component.js';
import { readSmall } from './files.js';

export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

export type SettingType =
  | { readonly kind: 'string' }
  | { readonly kind: 'path' }
  | { readonly kind: 'address' }
  | { readonly kind: 'list' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'whole'; readonly min: number; readonly max: number }
  | { readonly kind: 'enum'; readonly values: readonly string[] };

/** The values by key; null is "not set". */
export interface SettingValues {
  readonly ServerUrl: string | null;
  readonly EnrollToken: string | null;
  readonly DeviceGroup: string;
  readonly MaxAction: Action;
  readonly CheckInMinutes: number;
  readonly ProxyUrl: string | null;
  readonly ProxyBypass: readonly string[];
  readonly ExtraCaFile: string | null;
  readonly LogLevel: LogLevel;
  readonly PromptOrgName: string | null;
  readonly PromptContactUrl: string | null;
  readonly PolicyKey: string | null;
  readonly AssignedUser: string | null;
  readonly DataFolder: string;
  readonly HomeOnly: string | null;
  readonly OwnHome: boolean;
  readonly ScanNetworkHomes: boolean;
  readonly DeviceLabel: string | null;
}
export type SettingKey = keyof SettingValues;

export interface Setting {
  readonly key: SettingKey;
  readonly type: SettingType;
  /** null: not set; for DataFolder the platform's place. */
  readonly default: SettingValues[SettingKey];
  readonly help: string;
  readonly isSecret: boolean;
  readonly env: string;
  /** Version of Curfew that knew it first. */
  readonly since: string;
}

/** `CURFEW_` and the key in upper snake: ServerUrl -> CURFEW_SERVER_URL. */
export function environmentName(key: string): string {
  return `CURFEW_${key.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}`;
}

const text: SettingType = { kind: 'string' };
const row = (
  key: SettingKey,
  type: SettingType,
  initial: SettingValues[SettingKey],
  help: string,
): Setting => ({
  key,
  type,
  default: initial,
  help,
  isSecret: key === 'EnrollToken',
  env: environmentName(key),
  since: '0.1.0',
});

/** Every setting, in the order in which administrators see them. */
export const settingTable: readonly Setting[] = [
  row(
    'ServerUrl',
    { kind: 'address' },
    null,
    'Address of the fleet server; https only, except loopback.',
  ),
  row(
    'EnrollToken',
    text,
    null,
    'Joins the fleet once and is not read again after that. Managed settings can be read by every user of the machine.',
  ),
  row('DeviceGroup', text, '', 'Group asked for at enrolment; the server may decide otherwise.'),
  row(
    'MaxAction',
    { kind: 'enum', values: actions },
    'notify',
    'The strongest action on this machine; a policy may be milder, never harsher.',
  ),
  row(
    'CheckInMinutes',
    { kind: 'whole', min: 5, max: 1440 },
    60,
    'Minutes between full scans, give or take ten percent.',
  ),
  row('ProxyUrl', text, null, 'HTTP proxy to the server; wins over HTTPS_PROXY.'),
  row('ProxyBypass', { kind: 'list' }, [], 'Hosts reached without the proxy; wins over NO_PROXY.'),
  row('ExtraCaFile', { kind: 'path' }, null, 'PEM file with further certificate authorities.'),
  row('LogLevel', { kind: 'enum', values: logLevels }, 'info', 'How much the agent logs.'),
  row('PromptOrgName', text, null, 'Name of the organisation, shown to employees.'),
  row('PromptContactUrl', text, null, 'Where employees can ask, shown to them.'),
  row(
    'PolicyKey',
    text,
    null,
    'Thumbprint of the key that signs policies; without it the first key seen is trusted.',
  ),
  row(
    'AssignedUser',
    text,
    null,
    'The person this device belongs to, for example an MDM variable.',
  ),
  row('DataFolder', { kind: 'path' }, '', 'Where the agent keeps its database and identity.'),
  row(
    'HomeOnly',
    { kind: 'path' },
    null,
    'Look at this folder as one home and at nothing else; for trying and developing.',
  ),
  row(
    'OwnHome',
    { kind: 'boolean' },
    false,
    'Look at the home, PATH and processes of whoever starts the agent and at no other person; for trying and developing.',
  ),
  row(
    'ScanNetworkHomes',
    { kind: 'boolean' },
    false,
    'Look into homes that lie on a network or FUSE mount too; a server that does not answer then holds up every scan.',
  ),
  row('DeviceLabel', text, null, 'A label for the console; for made-up devices.'),
];

export const origins = ['managed', 'file', 'environment', 'default'] as const;
export type Origin = (typeof origins)[number];

export interface SettingProblem {
  readonly key: string;
  readonly origin: Origin;
  readonly message: string;
}

export interface Settings {
  readonly values: SettingValues;
  readonly origins: Readonly<Record<SettingKey, Origin>>;
  readonly problems: readonly SettingProblem[];
}

/** The places settings come from, each as plain keys and values; null is "no such place". */
export interface SettingSources {
  readonly managed: Readonly<Record<string, unknown>> | null;
  readonly file: Readonly<Record<string, unknown>> | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: Platform;
}

/** Merges the sources per key. */
export function readSettings({ managed, file, env, platform }: SettingSources): Settings {
  const problems: SettingProblem[] = [];
  const known = new Set<string>(settingTable.map(({ key }) => key));
  for (const [origin, source] of [
    ['managed', managed],
    ['file', file],
  ] as const) {
    for (const key of Object.keys(source ?? {})) {
      if (!known.has(key)) problems.push({ key, origin, message: 'is no setting of this version' });
    }
  }
  const values: Record<string, unknown> = {};
  const from: Record<string, Origin> = {};
  for (const setting of settingTable) {
    const offers: readonly (readonly [Origin, unknown])[] = [
      ['managed', managed?.[setting.key]],
      ['file', file?.[setting.key]],
      ['environment', fromText(setting, env[setting.env])],
    ];
    const initial = setting.key === 'DataFolder' ? places(platform).data : setting.default;
    values[setting.key] = initial;
    from[setting.key] = 'default';
    for (const [origin, value] of offers) {
      if (value === undefined || value === null) continue;
      const fault = faultOf(setting, value);
      if (fault === null) {
        values[setting.key] = value;
        from[setting.key] = origin;
        break;
      }
      problems.push({ key: setting.key, origin, message: fault });
    }
  }
  return {
    values: values as unknown as SettingValues,
    origins: from as Record<SettingKey, Origin>,
    problems,
  };
}

/** The environment has only text: lists are parted by commas, an empty text is "not set". */
function fromText({ type }: Setting, value: string | undefined): unknown {
  if (value === undefined || value === '') return undefined;
  if (type.kind === 'list') return value.split(',').map((part) => part.trim());
  if (type.kind === 'whole' && /^\d+$/.test(value)) return Number(value);
  if (type.kind === 'boolean') {
    if (value === 'true' || value === '1') return true;
    return value === 'false' || value === '0' ? false : value;
  }
  return value;
}

/** What is wrong with a value, or null. The value itself is never repeated: it may be a secret. */
function faultOf({ type }: Setting, value: unknown): string | null {
  switch (type.kind) {
    case 'string':
      return typeof value === 'string' ? null : 'must be text';
    case 'path':
      return typeof value === 'string' && path.isAbsolute(value)
        ? null
        : 'must be an absolute path';
    case 'address':
      return faultOfAddress(value);
    case 'list':
      return Array.isArray(value) && value.every((part) => typeof part === 'string')
        ? null
        : 'must be a list of texts';
    case 'boolean':
      return typeof value === 'boolean' ? null : 'must be true or false';
    case 'whole':
      return Number.isInteger(value) && Number(value) >= type.min && Number(value) <= type.max
        ? null
        : `must be a whole number from ${type.min} to ${type.max}`;
    case 'enum':
      return typeof value === 'string' && type.values.includes(value)
        ? null
        : `must be one of ${type.values.join(', ')}`;
  }
}

function faultOfAddress(value: unknown): string | null {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
  if (url === null) return 'must be an address such as https://curfew.example.com';
  if (url.protocol === 'https:') return null;
  const isLoopback = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  return url.protocol === 'http:' && isLoopback ? null : 'must begin with https://';
}

/** Where a platform keeps the agent's own things. */
export interface Places {
  readonly data: string;
  readonly config: string;
  readonly managed: string;
}

export function places(platform: Platform): Places {
  if (platform === 'win32') {
    const own = 'C:\\ProgramData\\Example\\Curfew';
    return {
      data: own,
      config: `${own}\\config.json`,
      managed: 'HKLM\\SOFTWARE\\Policies\\Example\\Curfew',
    };
  }
  const config = '/etc/curfew/config.json';
  return platform === 'darwin'
    ? {
        data: '/var/db/curfew',
        config,
        managed: '/Library/Managed Preferences/com.example.curfew.plist',
      }
    : { data: '/var/lib/curfew', config, managed: '/etc/curfew/managed.json' };
}

/**
 * The settings of this machine. With CURFEW_DATA_FOLDER the file is `config.json` in that folder, else
 * the platform's. A file that cannot be read counts as none, and is a problem.
 */
export function machineSettings(platform: Platform, env: SettingSources['env']): Settings {
  const own = places(platform);
  const folder = env[environmentName('DataFolder')];
  const config =
    folder === undefined || folder === '' ? own.config : path.join(folder, 'config.json');
  const managed = readPlace('managed', own.managed, () => readManaged(platform, own.managed));
  const file = readPlace('file', config, () => jsonOf(readSmall(config)));
  const settings = readSettings({ managed: managed.keys, file: file.keys, env, platform });
  return { ...settings, problems: [...managed.problems, ...file.problems, ...settings.problems] };
}

interface Place {
  readonly keys: Readonly<Record<string, unknown>> | null;
  readonly problems: readonly SettingProblem[];
}

function readPlace(origin: Origin, key: string, read: () => unknown): Place {
  try {
    const keys = read();
    if (keys === null) return { keys: null, problems: [] };
    if (typeof keys === 'object' && !Array.isArray(keys)) {
      return { keys: keys as Record<string, unknown>, problems: [] };
    }
    return { keys: null, problems: [{ key, origin, message: 'must hold one object of settings' }] };
  } catch (error) {
    const message = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read';
    return { keys: null, problems: [{ key, origin, message }] };
  }
}

const jsonOf = (content: string | null): unknown =>
  content === null ? null : (JSON.parse(content) as unknown);

/** Managed settings: JSON on Linux; on macOS a plist that the system's own tool turns into JSON. */
function readManaged(platform: Platform, place: string): unknown {
  if (platform === 'linux') return jsonOf(readSmall(place));
  // The Windows registry is read once a Windows machine is there to prove it on.
  if (platform === 'win32' || readSmall(place) === null) return null;
  const args = ['-convert', 'json', '-o', '-', place];
  return jsonOf(execFileSync('/usr/bin/plutil', args, { encoding: 'utf8', timeout: 5_000 }));
}
