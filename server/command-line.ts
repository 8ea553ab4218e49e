/**
 * What every command of `curfew-server` is made of: flags of the settings table, the store and its keys
 * for one piece of work, where words go. Results go to stdout, all else to stderr. No command is here.
 */
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Option, type Command } from 'commander';
import { builtInCatalogue } from '../policies/catalogue.js';
import type { PolicyProblem } from '../policies/document.js';
import { decodeSource, maxSourceBytes } from '../policies/source.js';
import { CurfewError } from '../wire/errors.js';
import { readBounded } from './bounded-file.js';
import type { Publisher } from './bundles.js';
import { readOrMakeKeys, type ServerKeys } from './keys.js';
import { prepareFolder, readSettings, settingsTable, type Settings } from './settings.js';
import { maxSignFileBytes } from './sign-files.js';
import { openSqliteStore } from './store/sqlite.js';
import type { Store } from './store/index.js';

export const dayMs = 86_400_000;
const maxPolicyBytes = 1024 * 1024;

export const databaseFile = (dataFolder: string): string => path.join(dataFolder, 'server.db');

export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const say = (text: string): void => void process.stderr.write(`curfew-server: ${text}\n`);

export type Options = Readonly<Record<string, string | boolean | undefined>>;
export type SetExitCode = (code: number) => void;

/** The flags of the settings table; values stay texts, the table parses them. */
export function withSettings(command: Command, names?: readonly string[]): Command {
  for (const { name, help, initial } of Object.values(settingsTable)) {
    if (names !== undefined && !names.includes(name)) continue;
    const flag = typeof initial === 'boolean' ? `--${name}` : `--${name} <value>`;
    command.addOption(new Option(flag, `${help} (default: ${String(initial ?? 'none')})`));
  }
  return command;
}

/** The settings: flag, then environment, then default. Errors: SETTING_INVALID. */
export function settingsOf(command: Command): Settings {
  const flags: Record<string, string> = {};
  for (const { name } of Object.values(settingsTable)) {
    const key = name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    const value = (command.opts() as Options)[key];
    if (value !== undefined) flags[name] = String(value);
  }
  return readSettings({ flags, environment: process.env });
}

/** The store and its keys for one piece of work. Errors: SETTING_INVALID where there is no folder. */
export async function withStore<T>(
  settings: Settings,
  work: (store: Store, keys: ServerKeys) => Promise<T>,
): Promise<T> {
  if (existsSync(settings.dataFolder)) return withNewStore(settings, work);
  // A folder that was mistyped would become another server, with keys that no device trusts.
  throw new CurfewError('SETTING_INVALID', `there is no folder ${settings.dataFolder}`, {
    hint: `Give the server's folder with --data, or make one: curfew-server init --data ${settings.dataFolder}`,
  });
}

/** The same for a folder that need not be there yet: it becomes a server of its own. */
export async function withNewStore<T>(
  settings: Settings,
  work: (store: Store, keys: ServerKeys) => Promise<T>,
): Promise<T> {
  prepareFolder(settings.dataFolder);
  const keys = await readOrMakeKeys(settings.dataFolder);
  const store = openSqliteStore(databaseFile(settings.dataFolder));
  try {
    return await work(store, keys);
  } finally {
    await store.close();
  }
}

/** A whole number of a flag. Errors: USAGE. */
export function wholeNumber(text: string, flag: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new CurfewError('USAGE', `${flag} is "${text}"; expected a whole number from 1`);
}

/** The text of a flag; null where it was not given. */
export const textOf = (value: string | boolean | undefined): string | null =>
  typeof value === 'string' ? value : null;

/** The text of a policy file. Errors: USAGE when it cannot be read, POLICY_INVALID when it is too large or no UTF-8. */
export function readPolicy(file: string): string {
  const bytes = readBounded(file, maxPolicyBytes);
  // As lint does: else what is signed would hold other signs than the author's.
  const decoded = bytes.byteLength <= maxSourceBytes ? decodeSource(bytes) : null;
  const [wrong] = decoded?.kind === 'invalid' ? decoded.problems : [];
  if (wrong !== undefined) {
    const { line, column, message } = wrong;
    throw new CurfewError('POLICY_INVALID', `${file}:${line}:${column}: ${message}`);
  }
  if (bytes.byteLength <= maxPolicyBytes) return bytes.toString('utf8');
  throw new CurfewError('POLICY_INVALID', `${file} is larger than ${maxPolicyBytes} bytes`);
}

/** The text of a file that --prepare or `policy sign` wrote. Errors: USAGE, SIGNED_FILE_INVALID. */
export function readSignFile(file: string): string {
  const bytes = readBounded(file, maxSignFileBytes);
  if (bytes.byteLength <= maxSignFileBytes) return bytes.toString('utf8');
  throw new CurfewError('SIGNED_FILE_INVALID', `${file} is larger than ${maxSignFileBytes} bytes`);
}

/** Writes what a command makes, for its owner only. Errors: USAGE. */
export function writeResult(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o600 });
  } catch (error) {
    throw new CurfewError('USAGE', `${file} cannot be written`, {
      hint: 'Give a path in a folder that this account may write to.',
      cause: error,
    });
  }
}

/** A flag's list: `a,b`. */
export const listOf = (value: string | boolean | undefined): readonly string[] =>
  typeof value === 'string'
    ? value
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== '')
    : [];

/** What a command that publishes works with. */
export function withPublisher<T>(
  command: Command,
  work: (publisher: Publisher) => Promise<T>,
): Promise<T> {
  return withStore(settingsOf(command), (store, keys) =>
    work({ store, keys, catalogue: builtInCatalogue(), now: Date.now() }),
  );
}

/** Problems as `file:line:column: severity: field: message`, to stderr. */
export function tellProblems(file: string, problems: readonly PolicyProblem[]): void {
  for (const { severity, line, column, field, message } of problems) {
    const at = field === '' ? '' : `${field}: `;
    process.stderr.write(`${file}:${line}:${column}: ${severity}: ${at}${message}\n`);
  }
}
