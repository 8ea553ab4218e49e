/**
 * Settings of Claude Code that a company puts on a machine, which stand above a person's own: a file and
 * the pieces beside it, macOS' managed preferences, a policy in the registry. Of all of them only the
 * address of the model gateway is taken.
 * Source: Claude Code, settings ("settings files", "settings precedence").
 */
import type { Component, Platform } from '../../policies/component.js';
import { fromEnvBlock, inEnvBlock } from './gateway-files.js';
import { managedRecord, managedVariables, type Placed } from './gateways.js';
import type { Home, Reader, World } from './index.js';
import { parsePlist } from './plist.js';
import { readRegistry } from './registry.js';

const fileName = 'managed-settings.json';
const pieces = 'managed-settings.d';
const preferences = 'com.anthropic.claudecode.plist';
const maxPieces = 100;
const maxPlistBytes = 1024 * 1024;

/** Where each kind lies; the second of Windows is that of earlier versions. */
export const managedFolders: Readonly<Record<Platform, readonly string[]>> = {
  linux: ['/etc/claude-code'],
  darwin: ['/Library/Application Support/ClaudeCode', '/Library/Managed Preferences'],
  win32: ['C:\\Program Files\\ClaudeCode', 'C:\\ProgramData\\ClaudeCode'],
};

/** What one of those folders sets for everybody, or on macOS for one person. */
export function managedIn(folder: string, world: World, reader: Reader): readonly Component[] {
  const { join } = world.path;
  if (folder.endsWith('Managed Preferences')) {
    const people = world.homes.map(({ account }) => account);
    return [null, ...people].flatMap((account) =>
      managedRecord(
        preferencesIn(join(folder, account ?? '', preferences), reader),
        world,
        account,
      ),
    );
  }
  // Of the pieces a later one counts, and all of them before the file.
  const later = reader
    .list(join(folder, pieces))
    .filter(({ name, kind }) => kind === 'file' && name.endsWith('.json') && !name.startsWith('.'))
    .slice(0, maxPieces)
    .map(({ name }) => join(folder, pieces, name))
    .reverse();
  const settings = [...later, join(folder, fileName)].flatMap((file) =>
    fromEnvBlock(file, reader, managedVariables).map((setting) => ({ ...setting, file })),
  );
  return managedRecord(settings, world);
}

function preferencesIn(file: string, reader: Reader): readonly Placed[] {
  const bytes = reader.bytes(file, maxPlistBytes);
  if (bytes === null) return [];
  const record = parsePlist(bytes);
  if (!(record instanceof Map)) {
    reader.note(file, 'malformed');
    return [];
  }
  const env: unknown = record.get('env');
  const settings = { env: env instanceof Map ? Object.fromEntries(env) : null };
  return inEnvBlock(settings, managedVariables).map((setting) => ({ ...setting, file }));
}

const policyKey = 'Policies\\ClaudeCode';

/** `Settings` below the policies of the machine, or of one person: JSON as in the file. */
export function managedPolicy(
  home: Home | null,
  world: World,
  reader: Reader,
): readonly Component[] {
  if (world.platform !== 'win32') return [];
  const key = home === null ? policyKey : `Software\\${policyKey}`;
  const hive = home === null ? 'software' : 'user';
  const wanted = new Set(['settings']);
  const text = readRegistry({ hive, home, key, wanted }, world, reader)?.values.get('settings');
  const file = `${home === null ? 'HKEY_LOCAL_MACHINE\\SOFTWARE' : 'HKEY_CURRENT_USER'}\\${key}`;
  const settings = inEnvBlock(parsed(text), managedVariables);
  const placed = settings.map((setting) => ({ ...setting, file }));
  return managedRecord(placed, world, home?.account ?? null);
}

function parsed(text: unknown): unknown {
  try {
    return typeof text === 'string' ? (JSON.parse(text) as unknown) : null;
  } catch {
    return null;
  }
}
