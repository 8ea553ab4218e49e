/**
 * The registry as scans see it: people's variables and PATH folders from hive files, and what the
 * system's `reg.exe` answers where hives are loaded. The answers are written as Windows writes them.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pathFolders } from '../../agent/detect/shell-path.js';
import { uninstallEntries } from '../../agent/detect/registry-uninstall.js';
import { folderWorld } from '../../agent/detect/world.js';
import { liveRegistry, parseQuery, type Query } from '../../agent/platform/reg-query.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { withKey, writeHive } from '../worlds/hive.js';

const catalogue = builtInCatalogue();
let root = '';

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-registry-')));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

const hive = (file: string): string => path.join(root, ...file.split('/'));

describe("a person's variables", () => {
  test('come from their own hive, expanded for them, and never from ours', () => {
    const values = {
      Path: '%NVM_SYMLINK%;%userprofile%\\tools;%NOWHERE%\\x;D:\\bin;',
      NVM_SYMLINK: '%LOCALAPPDATA%\\node',
      CLAUDE_CONFIG_DIR: '%USERPROFILE%\\.claude-work',
      OPENAI_API_KEY: 'sk-canary',
    };
    writeHive(hive('Users/Ana 100% Lima/NTUSER.DAT'), { keys: { Environment: { values } } });
    fs.mkdirSync(hive('Users/ben'), { recursive: true });
    const world = folderWorld(root, 'win32', { catalogue });
    const [ana, ben] = world.homes;
    expect(ana?.env).toEqual({ CLAUDE_CONFIG_DIR: 'C:\\Users\\Ana 100% Lima\\.claude-work' });
    expect(ben?.env).toEqual({});
    expect(pathFolders(world, ana ?? null).slice(0, 3)).toEqual([
      'C:\\Users\\Ana 100% Lima\\AppData\\Local\\node',
      'C:\\Users\\Ana 100% Lima\\tools',
      'D:\\bin',
    ]);
    expect(JSON.stringify(world.homes)).not.toContain('canary');
  });

  test('of the machine come from the control set that is in use', () => {
    const set = (name: string, Path: string) => ({
      [name]: {
        keys: {
          Control: { keys: { 'Session Manager': { keys: { Environment: { values: { Path } } } } } },
        },
      },
    });
    writeHive(hive('Windows/System32/config/SYSTEM'), {
      keys: {
        Select: { values: { Current: 2 } },
        ...set('ControlSet001', 'C:\\Old'),
        ...set('ControlSet002', '%SystemRoot%\\system32;C:\\Tools'),
      },
    });
    const world = folderWorld(root, 'win32', { catalogue });
    expect(pathFolders(world, null).slice(0, 2)).toEqual(['C:\\Windows\\system32', 'C:\\Tools']);
  });
});

const uninstall = 'Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall';
const answer = [
  '',
  `HKEY_USERS\\S-1-5-21-1-2-3-1001\\${uninstall}\\62625861-8486-5be9-9e46-1da50df5f8ff`,
  '    (Standard)    REG_SZ    ',
  '    DisplayName    REG_SZ    Cursor (User)',
  '    DisplayVersion    REG_SZ    1.7.54',
  '    InstallLocation    REG_EXPAND_SZ    %LOCALAPPDATA%\\Programs\\cursor\\',
  '    EstimatedSize    REG_DWORD    0x7d000',
  '    UninstallString    REG_SZ    C:\\x.exe /S    --token canary',
  '',
  `HKEY_USERS\\S-1-5-21-1-2-3-1001\\${uninstall}\\{A}\\Deeper`,
  '    DisplayName    REG_SZ    Not of the key',
  '',
].join('\r\n');

describe('what reg.exe answers', () => {
  test('is read by type marks that no language changes, and no more than is wanted', () => {
    const asked = `HKU\\S-1-5-21-1-2-3-1001\\${uninstall}`;
    const key = parseQuery(answer, asked, new Set(['displayname', 'estimatedsize']));
    expect([...key.keys]).toEqual([
      [
        '62625861-8486-5be9-9e46-1da50df5f8ff',
        new Map<string, unknown>([
          ['displayname', 'Cursor (User)'],
          ['estimatedsize', 512_000],
        ]),
      ],
    ]);
  });

  const profiles =
    'HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\S-1-5-21-1-2-3-1001\r\n' +
    '    ProfileImagePath    REG_EXPAND_SZ    %SystemDrive%\\Users\\ana\r\n\r\n' +
    'HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\S-1-5-21-1-2-3-1002\r\n' +
    '    ProfileImagePath    REG_EXPAND_SZ    C:\\Users\\ben\r\n';
  const users =
    'HKEY_USERS\\.DEFAULT\r\nHKEY_USERS\\S-1-5-21-1-2-3-1001\r\nHKEY_USERS\\S-1-5-21-1-2-3-1001_Classes\r\n';
  const asked =
    (more: Readonly<Record<string, string | null>>): Query =>
    (key, isDeep) => {
      if (key === 'HKU') return users;
      if (key.endsWith('ProfileList')) return profiles;
      const text = more[key];
      return text === undefined ? (isDeep ? '' : 'HKEY_USERS\\x\r\n') : text;
    };

  test('stands for people who are logged on; for others their file speaks', () => {
    fs.mkdirSync(hive('Users/ana'), { recursive: true });
    writeHive(
      hive('Users/ben/NTUSER.DAT'),
      withKey({}, `${uninstall}\\Zed`, { values: { DisplayName: 'Zed' } }),
    );
    const key = `HKU\\S-1-5-21-1-2-3-1001\\${uninstall}`;
    const head = `HKEY_USERS\\S-1-5-21-1-2-3-1001\\${uninstall}\r\n`;
    const registry = liveRegistry(asked({ [key]: head + answer }));
    const world = { ...folderWorld(root, 'win32', { catalogue }), registry };
    const reader = world.reader({ within: ['C:\\Users'] });
    const names = world.homes.map((home) =>
      uninstallEntries(home, world, reader).map(({ name, location }) => [name, location]),
    );
    expect(names).toEqual([
      [['Cursor (User)', 'C:\\Users\\ana\\AppData\\Local\\Programs\\cursor\\']],
      [['Zed', null]],
    ]);
    expect(reader.problems).toEqual([]);
  });

  test('that does not come is asked of the file, which says when it cannot be read', () => {
    fs.mkdirSync(hive('Users/ana'), { recursive: true });
    fs.writeFileSync(hive('Users/ana/NTUSER.DAT'), 'locked');
    const registry = liveRegistry(asked({ [`HKU\\S-1-5-21-1-2-3-1001\\${uninstall}`]: null }));
    const world = { ...folderWorld(root, 'win32', { catalogue }), registry };
    const reader = world.reader({ within: ['C:\\Users'] });
    expect(uninstallEntries(world.homes[0] ?? null, world, reader)).toEqual([]);
    expect(reader.problems).toMatchObject([{ code: 'malformed', isLoss: true }]);
  });
});
