/**
 * Linux distributions seen from Windows: what WSL 1 keeps in a folder is found as a Linux machine's and
 * belongs to its person; the image of WSL 2 is never opened and keeps the machine from being clear; and
 * nobody gets another person's folder looked at by naming it.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createContentsCache } from '../../agent/detect/contents-cache.js';
import { folderWorld } from '../../agent/detect/world.js';
import { relate, rootStates } from '../../agent/related.js';
import { prepareScan, scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { writeHive, type HiveKey } from '../worlds/hive.js';
import { claudeNative, link, place } from '../worlds/native.js';
import { codex, npmrcPrefix } from '../worlds/npm.js';
import { goProgram } from '../worlds/programs.js';

const catalogue = builtInCatalogue();
const ubuntu =
  'Users/ana/AppData/Local/Packages/CanonicalGroupLimited.Ubuntu_79rhkp1fndgsc/LocalState';
let top = '';

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-wsl-')));
  for (const account of ['ana', 'ben']) place(top, `Users/${account}/Desktop/notes.txt`, '');
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

async function scan(): Promise<ScanResult> {
  const world = folderWorld(top, 'win32', { catalogue });
  await prepareScan(world);
  return scanWorld(world);
}

/** Registers distributions by name with the folder each lies in, as Windows spells it. */
function register(account: string, folders: Readonly<Record<string, string>>): void {
  const keys = Object.entries(folders).map(([name, BasePath], at): [string, HiveKey] => [
    `{00000000-0000-4000-8000-00000000000${at}}`,
    { values: { DistributionName: name, BasePath, Version: 1, State: 1 } },
  ]);
  const lxss = { keys: Object.fromEntries(keys) };
  const below = (name: string, key: HiveKey): HiveKey => ({ keys: { [name]: key } });
  const names = ['Software', 'Microsoft', 'Windows', 'CurrentVersion', 'Lxss'];
  const tree = names.reduceRight<HiveKey>((key, name) => below(name, key), lxss);
  writeHive(path.join(top, `Users/${account}/NTUSER.DAT`), tree);
}

/** A distribution with Claude Code's own installer and Codex from npm. */
function unpackLinux(at: string): string {
  const rootfs = path.join(top, at, 'rootfs');
  const home = path.join(rootfs, 'home/dev');
  place(
    rootfs,
    'etc/passwd',
    'root:x:0:0::/root:/bin/bash\ndev:x:1000:1000::/home/dev:/bin/bash\n',
  );
  claudeNative(home, ['2.1.117'], '2.1.117');
  npmrcPrefix(home, '${HOME}/.npm-global');
  npmrcPrefix(home, path.join(home, '.npm-global'), codex('0.138.0'));
  place(home, '.npmrc', 'prefix=${HOME}/.npm-global\n');
  return rootfs;
}

const told = ({ components }: ScanResult): unknown[] =>
  components.map(({ tool, version, owner, path: at }) => [tool, version, owner, at]);

const installs = (folder: string): unknown[] => [
  [
    'codex-cli',
    '0.138.0',
    'ana',
    `${folder}\\rootfs\\home\\dev\\.npm-global\\lib\\node_modules\\@openai\\codex`,
  ],
  [
    'claude-code',
    '2.1.117',
    'ana',
    `${folder}\\rootfs\\home\\dev\\.local\\share\\claude\\versions\\2.1.117`,
  ],
];

const windows = (at: string): string => `C:\\${at.replaceAll('/', '\\')}`;

test('the folder of WSL 1 is a Linux machine of its person', async () => {
  unpackLinux(ubuntu);
  register('ana', { Ubuntu: `\\\\?\\${windows(ubuntu)}` });
  const result = await scan();
  expect(told(result)).toEqual(installs(windows(ubuntu)));
  expect(result.components.every(({ evidence }) => evidence.includes('WSL'))).toBe(true);
  expect(result.status).toBe('complete');
  const again = await scan();
  expect(again.components).toEqual(result.components);
  expect(again.readings.map(({ root }) => root.id)).toEqual(
    result.readings.map(({ root }) => root.id),
  );
});

test('it is found where it usually lies without the registry, and elsewhere by it', async () => {
  unpackLinux(ubuntu);
  expect(told(await scan())).toEqual(installs(windows(ubuntu)));
  fs.rmSync(path.join(top, 'Users/ana/AppData'), { recursive: true });
  unpackLinux('D/wsl/work');
  expect(told(await scan())).toEqual([]);
  register('ana', { work: 'D:\\wsl\\work' });
  expect(told(await scan())).toEqual(installs('D:\\wsl\\work'));
});

test('the image of WSL 2 is not scanned, which is no answer', async () => {
  const image = place(top, `Users/ana/AppData/Local/wsl/{1b7}/ext4.vhdx`, 'CANARY');
  const before = fs.statSync(image).atimeMs;
  const { readings, status, components } = await scan();
  expect(status).toBe('partial');
  expect(components).toEqual([]);
  const losses = readings.filter(({ problems }) => problems.length > 0);
  const at = 'C:\\Users\\ana\\AppData\\Local\\wsl\\{1b7}\\ext4.vhdx';
  expect(losses).toMatchObject([
    {
      root: { path: at, home: { account: 'ana' } },
      status: 'unreadable',
      problems: [{ path: at, code: 'unsupported', isLoss: true }],
    },
  ]);
  expect(fs.statSync(image).atimeMs).toBe(before);
});

test('one of each kind: the image hides nothing of the folder', async () => {
  unpackLinux(ubuntu);
  const debian =
    'Users/ana/AppData/Local/Packages/TheDebianProject.DebianGNULinux_76v4gfsz19hv4/LocalState';
  place(top, `${debian}/ext4.vhdx`, '');
  register('ana', { Ubuntu: windows(ubuntu), Debian: windows(debian) });
  const result = await scan();
  expect(told(result)).toEqual(installs(windows(ubuntu)));
  expect(result.status).toBe('partial');
});

test("a person who names another's folder does not get it looked at", async () => {
  unpackLinux('Users/ben/private');
  register('ana', { mine: 'C:\\Users\\ben\\private' });
  link(top, 'Users/ana/AppData/Local/wsl/y', path.join(top, 'Users/ben/private'));
  expect(told(await scan())).toEqual([]);
});

test('no link leads out of a distribution', async () => {
  const rootfs = unpackLinux(ubuntu);
  claudeNative(path.join(top, 'Users/ben/elsewhere'), ['2.1.90'], null);
  fs.rmSync(path.join(rootfs, 'home/dev/.local'), { recursive: true });
  link(rootfs, 'home/dev/.local', '../../../../../../../../../../../ben/elsewhere/.local');
  link(rootfs, 'opt', '/Users/ben');
  const found = await scan();
  expect(told(found)).toEqual(installs(windows(ubuntu)).slice(0, 1));
});

test('the folders that the first WSL kept apart are not scanned', async () => {
  const lxss = 'Users/ana/AppData/Local/lxss';
  place(top, `${lxss}/rootfs/etc/passwd`, 'root:x:0:0::/root:/bin/bash\n');
  place(top, `${lxss}/home/dev/.bashrc`, '');
  const { readings, status } = await scan();
  expect(status).toBe('partial');
  const lost = readings.filter(({ problems }) => problems.length > 0).map(({ root }) => root.path);
  expect(lost).toEqual([`${windows(lxss)}\\home`]);
});

test("a gateway that is set inside belongs to the person's installs", async () => {
  const rootfs = unpackLinux(ubuntu);
  const settings = { env: { ANTHROPIC_BASE_URL: 'https://gateway.example.test/v1' } };
  place(rootfs, 'home/dev/.claude/settings.json', JSON.stringify(settings));
  const { components, readings } = await scan();
  const related = relate(components, { catalogue, roots: rootStates(readings) });
  const claude = related.find(({ tool }) => tool === 'claude-code');
  expect(claude).toMatchObject({ gateway: 'gateway.example.test', owner: 'ana' });
});

test('what a program in a distribution is by its contents is remembered with the rest', async () => {
  const rootfs = unpackLinux(ubuntu);
  const program = path.join(rootfs, 'home/dev/.local/bin/helper');
  fs.writeFileSync(program, goProgram('github.com/ollama/ollama', 'v0.12.6'), { mode: 0o755 });
  const contents = createContentsCache(catalogue.sha256);
  const look = async (contentBudgetBytes: number): Promise<unknown> => {
    const world = { ...folderWorld(top, 'win32', { catalogue }), contents, contentBudgetBytes };
    await prepareScan(world);
    return scanWorld(world).components.find(({ tool }) => tool === 'ollama')?.version;
  };
  expect(await look(64 * 1024 * 1024)).toBe('0.12.6');
  expect(await look(0)).toBe('0.12.6');
  const folder = ubuntu.replaceAll('/', '\\');
  expect(contents.entries().files.map(({ path: at }) => at)).toContain(
    `C:\\${folder}\\rootfs\\home\\dev\\.local\\bin\\helper`,
  );
  fs.appendFileSync(program, 'changed');
  expect(await look(0)).toBe('0.12.6');
  expect(contents.pending).toBeGreaterThan(0);
});
