/**
 * Homes that are there in the account list and cannot be looked at: missing, empty, on a disk that is not
 * mounted, encrypted and locked. Each is not scanned, says why, and keeps what was known of it.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { folderWorld, homesWorld, parseAccounts } from '../../agent/detect/world.js';
import { runScan } from '../../agent/scan-command.js';
import { scanWorld } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { claudeNative, link, place, program } from '../worlds/native.js';

const catalogue = builtInCatalogue();
const accounts = parseAccounts([{ name: 'ana', uid: 1000, home: '/home/ana', shell: '/bin/sh' }]);
let top = '';
let home = '';

beforeEach(() => {
  top = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-homes-'));
  home = path.join(top, 'home/ana');
  fs.mkdirSync(home, { recursive: true });
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

/** Each way in which all roots of ana's home were not read, as `status code`. */
function waysUnread(platform: 'linux' | 'darwin' = 'linux'): readonly string[] {
  const { readings } = scanWorld(folderWorld(top, platform, { catalogue, accounts }));
  const ways = readings
    .filter(({ root }) => root.home !== null)
    .map(({ status, problems }) => {
      return `${status} ${problems.map(({ path: at, code }) => `${at} ${code}`).join()}`;
    });
  return [...new Set(ways)];
}

/** What ecryptfs-setup-private leaves in a home whose owner is not signed in. */
function lockedByEcryptfs(): void {
  place(top, 'home/.ecryptfs/ana/.Private/ECRYPTFS_FNEK_ENCRYPTED.FWaaaa', 'x');
  link(home, '.ecryptfs', '/home/.ecryptfs/ana/.ecryptfs');
  link(home, '.Private', '/home/.ecryptfs/ana/.Private');
  link(home, 'README.txt', '/usr/share/ecryptfs-utils/ecryptfs-mount-private.txt');
  link(
    home,
    'Access-Your-Private-Data.desktop',
    '/usr/share/ecryptfs-utils/ecryptfs-mount-private.desktop',
  );
}

describe('C062 a home that cannot be looked at says why', () => {
  test('one that is missing, empty or only a fresh disk is not mounted', () => {
    const away = ['unavailable /home/ana not-mounted'];
    expect(waysUnread()).toEqual(away);
    fs.mkdirSync(path.join(home, 'lost+found'));
    expect(waysUnread()).toEqual(away);
    fs.rmSync(home, { recursive: true });
    expect(waysUnread()).toEqual(away);
    link(top, 'home/ana', '/mnt/disk/ana');
    expect(waysUnread()).toEqual(away);
  });

  test('one that ecryptfs keeps is locked', () => {
    lockedByEcryptfs();
    expect(waysUnread()).toEqual(['unavailable /home/ana locked']);
  });

  test('one with nothing but names without their key is locked', () => {
    for (const name of [
      'Wl3MeW1wGm7Hn8Cz6cMuBQ',
      'sZ8E4gPCTJcPvqKM,yxQAwsZ8E4gPCTJcPvqKM',
      'lost+found',
    ])
      place(home, `${name}/x`, '');
    expect(waysUnread()).toEqual(['unavailable /home/ana locked']);
    place(home, '.profile', '');
    expect(waysUnread()).not.toContain('unavailable /home/ana locked');
  });

  test('one that is the inside of gocryptfs or EncFS is locked', () => {
    place(home, 'gocryptfs.conf', '{}');
    expect(waysUnread()).toEqual(['unavailable /home/ana locked']);
    fs.rmSync(path.join(home, 'gocryptfs.conf'));
    place(home, '.encfs6.xml', '');
    expect(waysUnread()).toEqual(['unavailable /home/ana locked']);
  });

  test('one that macOS keeps in a disk image is locked', () => {
    place(home, 'ana.sparsebundle/Info.plist', '');
    expect(waysUnread('darwin')).toEqual(['unavailable /home/ana locked']);
  });

  test('a home with folders of long names beside its own files is read', () => {
    place(home, '.bashrc', '');
    place(home, 'MyVeryLongProjectNameHere/x', '');
    expect(scanWorld(folderWorld(top, 'linux', { catalogue, accounts })).status).toBe('complete');
    expect(scanWorld(homesWorld([home], { catalogue })).status).toBe('complete');
  });
});

describe('C062 what was known stands while a home cannot be looked at', () => {
  async function look(...flags: readonly string[]): Promise<Record<string, unknown>[]> {
    let text = '';
    const io = { stdout: (part: string) => void (text += part), stderr: () => {} };
    await runScan(['--json', '--state', path.join(top, 'state'), ...flags], io);
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
  const emptied = (): void => {
    fs.rmSync(home, { recursive: true });
    fs.mkdirSync(home);
  };
  const kept = [
    { tool: 'claude-code', version: '2.1.120', owner: 'ana' },
    { record: 'summary', status: 'partial' },
  ];

  test.each([
    ['a folder given as a home', () => ['--home', home]],
    ['a home of a folder without an account list', () => ['--world', top, '--platform', 'linux']],
  ])('%s that held a tool and is empty now is not an empty home', async (_, flags) => {
    claudeNative(home, ['2.1.120'], '2.1.120');
    expect(await look(...flags())).toMatchObject([kept[0], { status: 'complete' }]);
    emptied();
    expect(await look(...flags())).toMatchObject(kept);
    place(home, '.profile', '');
    expect(await look(...flags())).toMatchObject([{ record: 'summary', status: 'complete' }]);
  });

  test('C061 places that only files of the home name keep what they held, with the time it was seen', async () => {
    const flags = ['--world', top, '--platform', 'linux'];
    const who = place(top, 'accounts.json', JSON.stringify(accounts));
    place(home, '.npmrc', 'prefix=${HOME}/own\n');
    place(home, '.profile', 'export PATH="$HOME/tools/bin:$PATH"\n');
    place(
      home,
      'own/lib/node_modules/@openai/codex/package.json',
      '{"name":"@openai/codex","version":"0.50.0"}',
    );
    program(home, 'tools/bin/claude');
    const at = (day: number): string[] => ['--accounts', who, '--at', `2026-07-0${day}T00:00:00Z`];
    const seen = (day: number): object => ({ lastSeen: `2026-07-0${day}T00:00:00.000Z` });
    expect(await look(...flags, ...at(1))).toMatchObject([
      seen(1),
      seen(1),
      { status: 'complete' },
    ]);
    emptied();
    expect(await look(...flags, ...at(2))).toMatchObject([seen(1), seen(1), { status: 'partial' }]);
    fs.writeFileSync(who, '[]');
    expect(await look(...flags, ...at(3))).toMatchObject([{ status: 'complete' }]);
  });

  test.each(['.npmrc', '.profile'])(
    'C061 %s that cannot be read removes nothing behind it',
    async (name) => {
      place(home, '.npmrc', 'prefix=${HOME}/own\n');
      place(home, '.profile', 'export PATH="$HOME/tools/bin:$PATH"\n');
      place(
        home,
        'own/lib/node_modules/@openai/codex/package.json',
        '{"name":"@openai/codex","version":"0.50.0"}',
      );
      program(home, 'tools/bin/claude');
      await look('--home', home);
      fs.rmSync(path.join(home, name));
      fs.mkdirSync(path.join(home, name));
      const after = await look('--home', home);
      expect(after.map(({ tool, status }) => tool ?? status).sort()).toEqual([
        'claude-code',
        'codex-cli',
        'partial',
      ]);
      fs.rmdirSync(path.join(home, name));
      expect(await look('--home', home)).toHaveLength(2);
    },
  );

  test('a home that is locked keeps what it held', async () => {
    claudeNative(home, ['2.1.120'], '2.1.120');
    await look('--home', home);
    emptied();
    lockedByEcryptfs();
    expect(await look('--home', home)).toMatchObject(kept);
  });
});

test('C050 a file that iCloud has taken away leaves its place unread, and what was known of it stands', async () => {
  const flags = [
    '--world',
    top,
    '--platform',
    'darwin',
    '--state',
    path.join(top, 'state'),
    '--json',
  ];
  const look = async (): Promise<string> => {
    let text = '';
    await runScan(flags, { stdout: (part) => void (text += part), stderr: () => {} });
    return text;
  };
  const modules = 'Users/ana/.npm-global/lib/node_modules/@openai/codex';
  place(top, 'Users/ana/.npmrc', 'prefix=${HOME}/.npm-global\n');
  place(top, `${modules}/package.json`, '{"name":"@openai/codex","version":"0.50.0"}');
  place(top, 'Users/ana/.claude/settings.json', '{}');
  expect((await look()).includes('"summary","status":"complete"')).toBe(true);
  for (const file of [`${modules}/package.json`, 'Users/ana/.claude/settings.json']) {
    const at = path.join(top, file);
    fs.renameSync(at, path.join(path.dirname(at), `.${path.basename(at)}.icloud`));
  }
  const after = await look();
  expect(after.includes('"version":"0.50.0"')).toBe(true);
  expect(after.match(/"code":"placeholder"/g)).toHaveLength(2);
  expect(after.includes('"status":"partial"')).toBe(true);
});
