/**
 * The settings of the server: one table of keys with type, default and help. Flag > environment > file
 * > default. The file is YAML, `server.yaml` in the data folder. Nothing here touches the network;
 * a value that is wrong is refused with its key and where it came from.
 */
import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { parseDocument } from 'yaml';
import { CurfewError } from '../wire/errors.js';

export interface Settings {
  /** Keys and database; made with mode 0700. */
  readonly dataFolder: string;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** TLS ends before the server: it may listen beyond loopback and marks its cookies Secure. */
  readonly isBehindProxy: boolean;
  /** How people reach the console, if not by host and port. */
  readonly publicUrl: string | null;
  /** Raw reports, history and trend are kept that long. */
  readonly retentionDays: number;
  /** A device whose last complete scan is older is stale. */
  readonly staleDays: number;
  /** How often a quiet agent checks in. */
  readonly checkInMinutes: number;
  readonly enrolmentsPerMinute: number;
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug' | 'silent';
}

type Value = string | number | boolean | null;
interface Row<T extends Value> {
  /** Name of the flag and of the key in the file. */
  readonly name: string;
  readonly help: string;
  readonly initial: T;
  /** The value of a text, or a sentence on what is expected. */
  readonly parse: (text: string) => T | { readonly expected: string };
}

const whole =
  (least: number, most: number) =>
  (text: string): number | { expected: string } => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most
      ? value
      : { expected: `a whole number from ${least} to ${most}` };
  };
const yesNo = (text: string): boolean | { expected: string } =>
  text === 'true' || text === 'false' ? text === 'true' : { expected: 'true or false' };
const someText = (text: string): string | { expected: string } =>
  text !== '' && !text.includes('\0') ? text : { expected: 'a text' };
const webAddress = (text: string): string | null | { expected: string } =>
  URL.canParse(text) && /^https?:/.test(text)
    ? new URL(text).origin
    : { expected: 'an http or https address' };
const levels = ['error', 'warn', 'info', 'debug', 'silent'] as const;
const level = (text: string): Settings['logLevel'] | { expected: string } =>
  levels.find((one) => one === text) ?? { expected: `one of ${levels.join(', ')}` };

type Table = { readonly [Key in keyof Settings]: Row<Settings[Key]> };

/** Every setting there is. The environment's name is `CURFEW_SERVER_` and the flag in upper snake. */
export const settingsTable: Table = {
  dataFolder: {
    name: 'data',
    help: 'folder of keys and database',
    initial: path.join(homedir(), '.curfew-server'),
    parse: someText,
  },
  host: { name: 'host', help: 'address to listen on', initial: '127.0.0.1', parse: someText },
  port: { name: 'port', help: '0: any free port', initial: 7410, parse: whole(0, 65_535) },
  isBehindProxy: {
    name: 'behind-proxy',
    help: 'a reverse proxy ends TLS before this server',
    initial: false,
    parse: yesNo,
  },
  publicUrl: {
    name: 'public-url',
    help: "the console's address, if not host and port",
    initial: null,
    parse: webAddress,
  },
  retentionDays: {
    name: 'retention-days',
    help: 'raw reports, history and trend are kept that long',
    initial: 400,
    parse: whole(1, 36_500),
  },
  staleDays: {
    name: 'stale-days',
    help: 'a device without a complete scan for that long is stale',
    initial: 7,
    parse: whole(1, 365),
  },
  checkInMinutes: {
    name: 'check-in-minutes',
    help: 'how often a quiet agent checks in',
    initial: 60,
    parse: whole(1, 10_080),
  },
  enrolmentsPerMinute: {
    name: 'enrolments-per-minute',
    help: 'from one address',
    initial: 300,
    parse: whole(1, 1_000_000),
  },
  logLevel: { name: 'log-level', help: levels.join(', '), initial: 'info', parse: level },
};

/** Where values come from, strongest first; keys are the names of the table's rows. */
export interface SettingSources {
  readonly flags: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const environmentName = (name: string): string =>
  `CURFEW_SERVER_${name.replaceAll('-', '_').toUpperCase()}`;

/** Settings of flag, environment, file and default. Errors: SETTING_INVALID. */
export function readSettings({ flags, environment }: SettingSources): Settings {
  const outside = (name: string): { text: string; origin: string } | null => {
    const flag = flags[name];
    if (flag !== undefined) return { text: flag, origin: `--${name}` };
    const variable = environment[environmentName(name)];
    return variable === undefined ? null : { text: variable, origin: environmentName(name) };
  };
  const row = settingsTable.dataFolder;
  const folder = path.resolve(outside(row.name)?.text ?? row.initial);
  const file = path.join(folder, 'server.yaml');
  const inFile = readFile(file);
  const settings: Record<string, Value> = {};
  for (const [key, { name, initial, parse }] of Object.entries(settingsTable)) {
    const fromFile = inFile[name];
    const given =
      outside(name) ?? (fromFile === undefined ? null : { text: fromFile, origin: file });
    settings[key] = given === null ? initial : valueOf(name, given, parse);
  }
  return { ...(settings as unknown as Settings), dataFolder: folder };
}

function valueOf(
  name: string,
  { text, origin }: { text: string; origin: string },
  parse: Row<Value>['parse'],
): Value {
  const value = parse(text);
  if (typeof value !== 'object' || value === null) return value;
  throw new CurfewError(
    'SETTING_INVALID',
    `${name} is "${text}" in ${origin}; expected ${value.expected}`,
    { hint: `Correct ${origin} and start again.` },
  );
}

function readFile(file: string): Readonly<Record<string, string>> {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new CurfewError('SETTING_INVALID', `${file} cannot be read`, { cause: error });
  }
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw new CurfewError('SETTING_INVALID', `${file}: ${problem.message}`);
  }
  const tree = document.toJS() as unknown;
  if (tree === null) return {};
  if (typeof tree !== 'object' || Array.isArray(tree)) {
    throw new CurfewError('SETTING_INVALID', `${file} must hold keys and values`);
  }
  const known = new Set<string>(Object.values(settingsTable).map((row) => row.name));
  known.delete(settingsTable.dataFolder.name);
  const unknown = Object.keys(tree).find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new CurfewError('SETTING_INVALID', `${file} has the unknown key "${unknown}"`, {
      hint: `Known are ${[...known].join(', ')}.`,
    });
  }
  return Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, String(value)]));
}

/** The data folder, made if it is not there. Errors: FOLDER_NOT_WRITABLE. */
export function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new CurfewError('FOLDER_NOT_WRITABLE', `${folder} cannot be written`, {
      hint: 'Choose another folder with --data, or give this user the right to write there.',
      cause: error,
    });
  }
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
