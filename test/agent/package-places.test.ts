/**
 * Package stores that were moved, and databases that are not whole: the first are found where they are,
 * the second remove nothing.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applications } from '../../agent/detect/applications.js';
import { packages } from '../../agent/detect/packages.js';
import { folderWorld } from '../../agent/detect/world.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Platform } from '../../policies/component.js';
import { withKey, writeHive } from '../worlds/hive.js';
import { place } from '../worlds/native.js';
import * as made from '../worlds/packages.js';

const catalogue = builtInCatalogue();
let root = '';

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-stores-')));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

const scan = (platform: Platform): ScanResult =>
  scanWorld(folderWorld(root, platform, { catalogue }), { detectors: [packages, applications] });

const problems = ({ readings }: ScanResult): unknown[] =>
  readings.flatMap(({ status, problems: found }) => found.map(({ code }) => `${status} ${code}`));

describe('C061 a database that is not whole removes nothing', () => {
  test('one of dpkg that was cut off in the middle of a line', () => {
    made.dpkgStatus(root, made.dpkgRecord({ name: 'windsurf', version: '1.12.20' }));
    expect(problems(scan('linux'))).toEqual([]);
    const file = path.join(root, 'var/lib/dpkg/status');
    const text = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, text.slice(0, text.indexOf('windsurf') + 4));
    expect(problems(scan('linux'))).toEqual(['partial malformed']);
  });

  test('one of dpkg that is missing beside what belongs to it', () => {
    place(root, 'var/lib/dpkg/status-old', made.dpkgRecord({ name: 'windsurf', version: '1' }));
    expect(problems(scan('linux'))).toEqual(['partial vanished']);
  });

  test('a folder of dpkg without any database is the tool alone', () => {
    place(root, 'var/lib/dpkg/alternatives/x', '');
    expect(scan('linux')).toMatchObject({ status: 'complete', components: [] });
  });

  test('one of apk that was cut off', () => {
    place(root, 'lib/apk/db/installed', 'C:Q1abc=\nP:musl\nV:1.2.5-r0\n\nC:Q1\nP:claude-c');
    expect(problems(scan('linux'))).toEqual(['partial malformed']);
  });
});

describe('a store of Windows that was moved', () => {
  const manifest = JSON.stringify({ version: '0.12.6' });
  const hive = (file: string, key: string, values: Record<string, string>): void =>
    writeHive(path.join(root, file), withKey({}, key, { values }));
  const machine = 'ControlSet001\\Control\\Session Manager\\Environment';

  test("scoop's, by the person's variable, is theirs", () => {
    hive('Users/ana/NTUSER.DAT', 'Environment', { SCOOP: 'C:\\Tools\\scoop' });
    place(root, 'Tools/scoop/apps/ollama/0.12.6/manifest.json', manifest);
    expect(scan('win32').components).toMatchObject([
      { tool: 'ollama', manager: 'scoop', version: '0.12.6', owner: 'ana' },
    ]);
  });

  test("scoop's, by its settings, also the one for everybody", () => {
    const settings = { root_path: 'C:\\own', global_path: 'C:\\all' };
    place(root, 'Users/ana/.config/scoop/config.json', JSON.stringify(settings));
    place(root, 'own/apps/ollama/0.12.6/manifest.json', manifest);
    place(root, 'all/apps/codex/0.50.0/manifest.json', JSON.stringify({ version: '0.50.0' }));
    const told = scan('win32').components.map(({ tool, owner }) => [tool, owner]);
    expect(told.sort()).toEqual([
      ['codex-cli', null],
      ['ollama', 'ana'],
    ]);
  });

  test("scoop's that is said to lie in somebody else's home is not looked at", () => {
    hive('Users/ana/NTUSER.DAT', 'Environment', { SCOOP: 'C:\\Users\\ben\\own' });
    place(root, 'Users/ben/own/apps/ollama/0.12.6/manifest.json', manifest);
    expect(scan('win32').components).toEqual([]);
  });

  test("Chocolatey's, by the machine's variable", () => {
    hive('Windows/System32/config/SYSTEM', machine, { ChocolateyInstall: 'C:\\choco' });
    place(root, 'choco/lib/ollama/ollama.nuspec', '<version>0.12.6</version>');
    expect(scan('win32').components).toMatchObject([
      { tool: 'ollama', version: '0.12.6', owner: null },
    ]);
  });

  test('an application for another processor is one of its package all the same', () => {
    place(
      root,
      'Program Files/WindowsApps/Claude_0.14.10.0_arm64__pzs8sxrjxfjjc/app/claude.exe',
      'x',
    );
    expect(scan('win32').components).toMatchObject([
      { tool: 'claude-desktop', version: '0.14.10.0' },
    ]);
  });
});

test('C062 a packaged application on a drive that is not there is neither told nor taken for gone', () => {
  const name = 'Claude_0.14.10.0_x64__pzs8sxrjxfjjc';
  const key = `Local Settings\\Software\\Microsoft\\Windows\\CurrentVersion\\AppModel\\Repository\\Packages\\${name}`;
  const values = { PackageRootFolder: `D:\\WindowsApps\\${name}` };
  const classes = 'Users/ana/AppData/Local/Microsoft/Windows/UsrClass.dat';
  writeHive(path.join(root, classes), withKey({}, key, { values }));
  const result = scan('win32');
  expect(result.components).toEqual([]);
  expect(problems(result)).toEqual(['partial not-mounted']);
});

test('a packaged application on another drive is found there', () => {
  const name = 'Claude_0.14.10.0_x64__pzs8sxrjxfjjc';
  const key = `Local Settings\\Software\\Microsoft\\Windows\\CurrentVersion\\AppModel\\Repository\\Packages\\${name}`;
  const values = { PackageRootFolder: `D:\\WindowsApps\\${name}` };
  const classes = 'Users/ana/AppData/Local/Microsoft/Windows/UsrClass.dat';
  writeHive(path.join(root, classes), withKey({}, key, { values }));
  place(root, `D/WindowsApps/${name}/app/claude.exe`, 'x');
  expect(scan('win32').components).toMatchObject([
    {
      tool: 'claude-desktop',
      version: '0.14.10.0',
      path: `D:\\WindowsApps\\${name}\\app\\claude.exe`,
    },
  ]);
});
