/**
 * Windows uninstall keys, of the machine and of people who are logged off: what they add to what files
 * show, and what a name in them does not prove. Keys are written as installers write them.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applications } from '../../agent/detect/applications.js';
import { toolNamed } from '../../agent/detect/applications-uninstall.js';
import { executables } from '../../agent/detect/executables.js';
import type { World } from '../../agent/detect/index.js';
import { packages } from '../../agent/detect/packages.js';
import { folderWorld } from '../../agent/detect/world.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { unpackedEditor } from '../worlds/applications.js';
import { withKey, writeHive, type HiveKey } from '../worlds/hive.js';
import { place } from '../worlds/native.js';

const catalogue = builtInCatalogue();
const uninstall = 'Microsoft\\Windows\\CurrentVersion\\Uninstall';
let root = '';

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-uninstall-')));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

type Values = Readonly<Record<string, string | number>>;

const asKeys = (keys: Readonly<Record<string, Values>>): Readonly<Record<string, HiveKey>> =>
  Object.fromEntries(Object.entries(keys).map(([id, values]) => [id, { values }]));

/** A person with these uninstall keys in the hive of their profile. */
function person(account: string, keys: Readonly<Record<string, Values>> = {}): void {
  const tree = withKey({}, `Software\\${uninstall}`, { keys: asKeys(keys) });
  writeHive(path.join(root, 'Users', account, 'NTUSER.DAT'), tree);
}

function machine(keys: Readonly<Record<string, Values>>, view = ''): void {
  const tree = withKey({}, `${view}${uninstall}`, { keys: asKeys(keys) });
  writeHive(path.join(root, 'Windows/System32/config/SOFTWARE'), tree);
}

function scan(change: Partial<World> = {}): ScanResult {
  const world = { ...folderWorld(root, 'win32', { catalogue }), ...change };
  return scanWorld(world, { detectors: [packages, applications, executables] });
}

const short = ({ components }: ScanResult): string[] =>
  components
    .map(
      ({ tool, state, version, owner, path: at }) => `${tool} ${state} ${version} ${owner} ${at}`,
    )
    .sort();

const cursor: Values = {
  DisplayName: 'Cursor (User)',
  DisplayVersion: '1.7.54',
  Publisher: 'Anysphere',
};

describe('C043: an install of somebody who is logged off', () => {
  test('is one install, seen by its files and in the hive, and is theirs', () => {
    const folder = 'Users/ben/AppData/Local/Programs/cursor';
    unpackedEditor(path.join(root, folder), 'Cursor.exe', '1.7.54');
    person('ana');
    // Windows compares without regard to case.
    person('ben', {
      x_is1: { ...cursor, InstallLocation: 'c:\\users\\BEN\\AppData\\Local\\Programs\\Cursor\\' },
    });
    const result = scan();
    expect(result.status).toBe('complete');
    expect(result.components).toMatchObject([
      {
        tool: 'cursor',
        channel: 'application',
        owner: 'ben',
        state: 'installed',
        path: 'C:\\Users\\ben\\AppData\\Local\\Programs\\cursor\\Cursor.exe',
        evidence: ['install folder', 'package.json', 'uninstall key'],
        publisher: 'Anysphere',
      },
    ]);
  });

  test.each([
    ['half a hive', (bytes: Buffer) => bytes.subarray(0, 5000)],
    ['no hive at all', () => Buffer.from('not a hive')],
    ['nothing', () => Buffer.alloc(0)],
  ])('is not called absent when the hive is %s', (_, damage) => {
    person('ana');
    person('ben', { x_is1: cursor });
    const hive = path.join(root, 'Users/ben/NTUSER.DAT');
    fs.writeFileSync(hive, damage(fs.readFileSync(hive)));
    const result = scan();
    expect(result.status).toBe('partial');
    const own = result.readings.filter(({ root: { path: at } }) => at.endsWith('NTUSER.DAT'));
    expect(own.map(({ status, root: { home } }) => [home?.account, status])).toEqual([
      ['ana', 'complete'],
      ['ben', 'unreadable'],
    ]);
  });

  test.runIf(process.getuid?.() !== 0)('is not called absent when the profile is closed', () => {
    person('ben', { x_is1: cursor });
    fs.chmodSync(path.join(root, 'Users/ben'), 0);
    const result = scan();
    fs.chmodSync(path.join(root, 'Users/ben'), 0o700);
    expect(result.status).toBe('partial');
  });
});

describe('an uninstall key', () => {
  test('finds a program outside the folders that its vendor chooses', () => {
    unpackedEditor(path.join(root, 'D/Tools/cursor'), 'Cursor.exe', '1.7.54');
    unpackedEditor(path.join(root, 'Program Files (x86)/Windsurf'), 'Windsurf.exe', '1.12.20');
    machine({
      '{A}_is1': { ...cursor, DisplayName: 'Cursor', InstallLocation: 'D:\\Tools\\Cursor' },
    });
    expect(short(scan())).toEqual(['cursor installed 1.7.54 null D:\\Tools\\cursor\\Cursor.exe']);
    const values = {
      DisplayName: 'Windsurf',
      DisplayIcon: '"C:\\Program Files (x86)\\Windsurf\\Windsurf.exe",0',
    };
    machine({ w: values }, 'WOW6432Node\\');
    expect(short(scan())).toEqual([
      'windsurf installed 1.12.20 null C:\\Program Files (x86)\\Windsurf\\Windsurf.exe',
    ]);
  });

  test('makes the launchers in its folder parts of the program', () => {
    unpackedEditor(path.join(root, 'D/Tools/kiro'), 'Kiro.exe', '0.4.25');
    place(root, 'D/Tools/kiro/bin/kiro.exe', 'MZ');
    person('ana', { k: { DisplayName: 'Kiro (User)', InstallLocation: 'D:\\Tools\\kiro' } });
    const homePath = new Map([['ana', ['D:\\Tools\\kiro\\bin']]]);
    expect(short(scan({ homePath }))).toEqual([
      'kiro installed 0.4.25 null D:\\Tools\\kiro\\Kiro.exe',
    ]);
  });

  test('whose program is gone is a trace', () => {
    const gone = 'C:\\Users\\ana\\AppData\\Local\\Programs\\cursor';
    person('ana', {
      x_is1: { ...cursor, InstallLocation: gone, DisplayIcon: `${gone}\\Cursor.exe` },
    });
    expect(short(scan())).toEqual([
      `cursor residual 1.7.54 ana HKEY_CURRENT_USER\\Software\\${uninstall}\\x_is1`,
    ]);
  });

  test('that says no place is believed for its publisher only', () => {
    person('ana', {
      a: { DisplayName: 'Claude', DisplayVersion: '1.0.9', Publisher: 'Anthropic, PBC' },
      b: { DisplayName: 'Cursor', DisplayVersion: '2', Publisher: 'Example Pointer Tools Ltd' },
      c: { DisplayName: 'Cursor', DisplayVersion: '2' },
    });
    expect(short(scan())).toEqual([
      `claude-desktop installed 1.0.9 ana HKEY_CURRENT_USER\\Software\\${uninstall}\\a`,
    ]);
  });

  test('of another product with the same name is nobody of ours', () => {
    place(root, 'Program Files/Pointer Tools/Cursor/PointerSettings.exe', 'MZ');
    unpackedEditor(path.join(root, 'Program Files/Pointers'), 'Cursor.exe', '2.0');
    machine({
      Pointers: {
        DisplayName: 'Cursor',
        Publisher: 'Example Pointers',
        InstallLocation: 'C:\\Program Files\\Pointers',
      },
      PointerTools: {
        DisplayName: 'Cursor',
        Publisher: 'Example Pointer Tools Ltd',
        InstallLocation: 'C:\\Program Files\\Pointer Tools\\Cursor',
      },
      Themes: { DisplayName: 'Cursor Themes', Publisher: 'Anysphere' },
    });
    expect(short(scan())).toEqual([]);
  });

  test("leads into no other person's home", () => {
    unpackedEditor(path.join(root, 'Users/ben/Apps/cursor'), 'Cursor.exe', '1.7.54');
    person('ben');
    person('ana', { x_is1: { ...cursor, InstallLocation: 'C:\\Users\\ben\\Apps\\cursor' } });
    const result = scan();
    expect(result.components).toEqual([]);
    expect(result.status).toBe('complete');
  });

  test("tells the editor's own version where the record keeps that of VS Code", () => {
    const folder = 'Users/ana/AppData/Local/Programs/Qoder IDE';
    unpackedEditor(path.join(root, folder), 'Qoder IDE.exe', '1.106.3');
    place(root, `${folder}/resources/app/product.json`, '{"productVersion":"0.2.19"}');
    person('ana', {
      q: {
        DisplayName: 'Qoder IDE (User)',
        DisplayVersion: '1.106.3',
        InstallLocation: `C:\\${folder.replaceAll('/', '\\')}\\`,
      },
    });
    const { components } = scan();
    expect(components.map(({ tool, version }) => [tool, version])).toEqual([['qoder', '0.2.19']]);
  });

  test('of a portable winget package gives its version, also where winget was told another place', () => {
    const source = '_Microsoft.Winget.Source_8wekyb3d8bbwe';
    const folder = `Users/ana/AppData/Local/Microsoft/WinGet/Packages/OpenAI.Codex${source}`;
    place(root, `${folder}/codex.exe`, 'MZ');
    place(root, 'D/portable/claude/claude.exe', 'MZ');
    const key = (id: string, version: string, at: string): Values => ({
      DisplayName: id,
      DisplayVersion: version,
      InstallLocation: at,
      WinGetPackageIdentifier: id,
    });
    person('ana', {
      [`OpenAI.Codex${source}`]: key(
        'OpenAI.Codex',
        '0.140.0',
        `C:\\${folder.replaceAll('/', '\\')}`,
      ),
      [`Anthropic.ClaudeCode${source}`]: key(
        'Anthropic.ClaudeCode',
        '2.1.110',
        'D:\\portable\\claude',
      ),
    });
    const found = scan().components.map(
      ({ tool, manager, version }) => `${tool} ${manager} ${version}`,
    );
    expect(found.sort()).toEqual(['claude-code winget 2.1.110', 'codex-cli winget 0.140.0']);
  });

  test('holds nothing that is told but name, version, publisher and place', () => {
    person('ana', {
      x: {
        ...cursor,
        UninstallString: 'C:\\x.exe --token sk-canary-1',
        QuietUninstallString: 'sk-canary-2',
        Comments: 'sk-canary-3',
      },
    });
    expect(JSON.stringify(scan())).not.toContain('canary');
  });
});

test('thousands of keys that claim to be a tool mark their root, and the rest is read', () => {
  const claim = (n: number): [string, Values] => [
    `k${n}`,
    { DisplayName: 'Cursor', InstallLocation: `C:\\Windows\\x${n}`, Publisher: 'Anysphere' },
  ];
  person('ana', Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => claim(n))));
  person('ben', { z: { ...cursor } });
  const result = scan();
  const statuses = result.readings
    .filter(({ root: { path: at } }) => at.endsWith('NTUSER.DAT'))
    .map(({ status, components }) => [status, components.length]);
  expect(statuses).toEqual([
    ['unreadable', 200],
    ['complete', 1],
  ]);
});

describe('a display name', () => {
  const world = (): World => folderWorld(root, 'win32', { catalogue });

  test.each([
    ['Cursor', 'cursor'],
    ['Cursor (User)', 'cursor'],
    ['Windsurf 1.2.3 (x64)', 'windsurf'],
    ['Ollama version 0.12.6', 'ollama'],
    ['Claude 1.0.9', 'claude-desktop'],
    ['Cursor (x64 en-US)', 'cursor'],
    ['Cursor Themes', null],
    ['My Cursor', null],
    ['Cursor(User) Pack 2', null],
    ['Windsurfing 3.0', null],
    ['1.2.3', null],
    ['', null],
  ])('%j is of %s', (name, tool) => {
    expect(toolNamed(name, world())?.id ?? null).toBe(tool);
  });
});

test('a packaged app is found by its registration, once', () => {
  const full = 'OpenAI.Codex_26.820.7780.0_x64__2p2nqsd0c76g0';
  place(root, `Program Files/WindowsApps/${full}/app/Codex.exe`, 'MZ');
  person('ana');
  const packagesKey =
    'Local Settings\\Software\\Microsoft\\Windows\\CurrentVersion\\AppModel\\Repository\\Packages';
  const names = [
    full,
    'OpenAI.CodexBeta_1.0.0.0_x64__2p2nqsd0c76g0',
    'Claude_9.9.0.0_x64__h8qv1k3z9d0xa',
  ];
  const tree = names.reduce<HiveKey>(
    (known, name) => withKey(known, `${packagesKey}\\${name}`, {}),
    {},
  );
  writeHive(path.join(root, 'Users/ana/AppData/Local/Microsoft/Windows/UsrClass.dat'), tree);
  const { components } = scan();
  expect(components).toMatchObject([
    {
      tool: 'codex-app',
      version: '26.820.7780.0',
      owner: null,
      evidence: ['install folder', 'package registration'],
    },
  ]);
});

describe('C062 on a drive that is not there', () => {
  const away = { ...cursor, DisplayName: 'Cursor', InstallLocation: 'D:\\Apps\\cursor\\' };

  test('a tool that a key names is neither told nor taken for gone', () => {
    machine({ x_is1: away });
    const { status, components, readings } = scan();
    expect([status, components]).toEqual(['partial', []]);
    expect(readings.flatMap(({ problems }) => problems)).toMatchObject([
      {
        path: `HKEY_LOCAL_MACHINE\\SOFTWARE\\${uninstall}\\x_is1`,
        code: 'not-mounted',
        isLoss: true,
      },
    ]);
  });

  test('other software there marks nothing, and a folder that is gone from a drive is a trace', () => {
    machine({
      other: { DisplayName: 'Other', Publisher: 'Other', InstallLocation: 'E:\\Other' },
      x_is1: { ...away, InstallLocation: 'C:\\Apps\\cursor' },
    });
    fs.mkdirSync(path.join(root, 'Apps'));
    expect(scan()).toMatchObject({ status: 'complete', components: [{ state: 'residual' }] });
  });
});

test.each([
  ['Jan', 'Jan', 'Jan.exe', 'jan'],
  ['OpenCode 1.15.11', 'OpenCode', 'OpenCode.exe', 'opencode'],
  ['Void (User)', 'Void', 'Void.exe', 'void'],
  ['Perplexity 1.7.0', 'Perplexity', 'Perplexity.exe', 'perplexity-desktop'],
  ['Msty 1.9.2', 'CloudStack, LLC', 'Msty.exe', 'msty'],
])(
  '%s of %s is found where its key says, and one of somebody else is not',
  (name, publisher, file, tool) => {
    place(root, `Apps/${tool}/${file}`, 'x');
    const key = { DisplayName: name, DisplayVersion: '1.0', InstallLocation: `C:\\Apps\\${tool}` };
    person('ana', { x: { ...key, Publisher: publisher } });
    expect(scan().components).toMatchObject([{ tool, state: 'installed', version: '1.0' }]);
    person('ana', { x: { ...key, Publisher: 'Somebody Else' } });
    expect(scan().components).toEqual([]);
  },
);
