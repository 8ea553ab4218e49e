/**
 * Whole machines whose files were mangled: whatever a few of them hold, a scan ends, no detector fails, what
 * it tells keeps the form of what it tells, nothing secret comes out, and installs elsewhere are told as before.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folderWorld } from '../../agent/detect/world.js';
import { prepareScan, scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import {
  channels,
  componentStates,
  confidences,
  scopes,
  type Component,
  type Platform,
} from '../../policies/component.js';
import { mangled } from '../agent/mangled.js';
import { runs } from '../runs.js';
import { menuEntry } from '../worlds/applications.js';
import {
  addon,
  addonEntry,
  firefoxFolder,
  packAddon,
  writeAddons,
  writeProfiles,
} from '../worlds/browsers.js';
import { claudeSettings, codexProvider, startFile } from '../worlds/config.js';
import { claudeJson, codexToml, continueYaml, gooseYaml } from '../worlds/mcp.js';
import { link, place, program } from '../worlds/native.js';
import * as packages from '../worlds/packages.js';
import { rpmSqlite } from '../worlds/rpm.js';
import { makeWindowsMachine } from '../worlds/windows-machine.js';
import { held } from './subjects.js';

const catalogue = builtInCatalogue();
const top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-mangled-world-')));
afterAll(() => fs.rmSync(top, { recursive: true, force: true }));

/** A Linux machine with one person and something for each reader. */
function linuxMachine(root: string): void {
  const home = path.join(root, 'home/ana');
  for (const { install, platform = 'linux' } of held) if (platform === 'linux') install(home);
  const secret = {
    command: 'npx',
    args: ['-y', '@example/docs@1.0.0', '--key', 'CANARY'],
    env: { KEY: 'CANARY' },
  };
  claudeJson(home, { docs: secret });
  codexToml(home, [
    '[mcp_servers.notes]',
    'command = "uvx"',
    'args = ["notes-server==1.2.0"]',
    'env = { KEY = "CANARY" }',
  ]);
  continueYaml(home, [
    'mcpServers:',
    '  - name: a',
    '    command: npx',
    '    args: ["-y", "@example/a"]',
  ]);
  gooseYaml(home, [
    'extensions:',
    '  b:',
    '    type: stdio',
    '    cmd: uvx',
    '    args: [b-server]',
  ]);
  claudeSettings(home, {
    ANTHROPIC_BASE_URL: 'https://llm.example.test/CANARY',
    ANTHROPIC_AUTH_TOKEN: 'CANARY',
  });
  codexProvider(home, 'https://user:CANARY@proxy.example.test/v1');
  startFile(home, '.zshrc', 'export PATH="$HOME/.local/bin:$PATH"', 'export OPENAI_API_KEY=CANARY');
  place(home, '.npmrc', '//registry.example.test/:_authToken=CANARY\nprefix=~/.npm-global\n');
  const profile = path.join(home, firefoxFolder.linux, 'abc.default');
  packAddon(profile, addon);
  writeAddons(profile, [addonEntry(profile, addon)]);
  writeProfiles(path.join(home, firefoxFolder.linux), ['abc.default']);
  menuEntry(
    path.join(home, '.local/share/applications'),
    'cursor',
    `"${home.replace(root, '')}/cursor/cursor" %U`,
  );
  program(home, 'cursor/cursor');
  const state = place(home, '.config/Code/User/globalStorage/state.vscdb', '');
  const db = new Database(state);
  db.exec('CREATE TABLE ItemTable (key TEXT UNIQUE, value BLOB)');
  db.prepare('insert into ItemTable values (?, ?)').run(
    'extensionsIdentifiers/disabled',
    '[{"id":"a.b"}]',
  );
  db.close();
  place(root, 'etc/os-release', 'ID=debian\n');
  packages.dpkgStatus(root, packages.dpkgRecord({ name: 'windsurf', version: '1.12.20-1' }));
  packages.apkInstalled(root, { name: 'claude-code', version: '2.1.120-r0' }, 'claude');
  packages.pacmanLocal(root, { name: 'opencode', version: '1.0.0-1' }, 'opencode');
  packages.snap(root, { name: 'ollama', version: '0.12.0' });
  packages.flatpak(path.join(root, 'var/lib/flatpak'), { name: 'dev.zed.Zed', version: '0.200.0' });
  rpmSqlite(root, [{ name: 'warp-terminal', version: '1', release: '1' }]);
  link(root, 'usr/local/bin/claude', '/home/ana/.local/bin/claude');
}

function filesBelow(folder: string): string[] {
  return fs
    .readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => fs.statSync(file).size > 0)
    .sort();
}

/** Holds that a component says what components say, however odd the files were. */
function expectPlain(one: Component): void {
  const { name, version, channel, state, scope, confidence, path: at, evidence } = one;
  expect(
    [channels, componentStates, scopes, confidences].map((list, index) =>
      (list as readonly string[]).includes([channel, state, scope, confidence][index] ?? ''),
    ),
  ).toEqual([true, true, true, true]);
  expect([name, typeof name === 'string' && name !== '']).toEqual([name, true]);
  expect([version, version === null || (version !== '' && !/\p{Cc}/u.test(version))]).toEqual([
    version,
    true,
  ]);
  expect(at).not.toBe('');
  for (const word of evidence) expect(word).not.toMatch(/\p{Cc}|^$/u);
}

/** The first folders of a path, which hold one program's things. */
const partOf = (at: string): string =>
  at
    .split(/[\\/]/)
    .filter((part) => part !== '' && part !== 'C:')
    .map((part) => part.replace(/:$/, ''))
    .slice(0, 3)
    .join('/');

/** Files that say where other things are, or whose: what they no longer say is missed elsewhere. */
const pointsElsewhere =
  /(^|[\\/])(etc|var|lib|usr|applications|\.zshrc|\.profile|\.npmrc|NTUSER\.DAT|Windows)([\\/]|$)/;

interface Machine {
  readonly platform: Platform;
  readonly build: (root: string) => void;
  readonly tries: number;
}

const machines: readonly Machine[] = [
  { platform: 'linux', build: linuxMachine, tries: 8 },
  {
    platform: 'win32',
    build: (root) => void makeWindowsMachine(root, { seed: 3, scale: 0.002 }),
    tries: 2,
  },
];

describe.each(machines)('a machine of $platform', ({ platform, build, tries }) => {
  const root = path.join(top, platform);
  let before: ScanResult;
  let files: readonly string[];
  const scan = async (): Promise<ScanResult> => {
    const world = folderWorld(root, platform, { catalogue });
    await prepareScan(world);
    return scanWorld(world);
  };

  beforeAll(async () => {
    build(root);
    before = await scan();
    files = filesBelow(root);
  });

  test('is scanned to its end with any of its files mangled', async () => {
    expect(before.components.length).toBeGreaterThan(20);
    const file = fc.nat().map((pick) => files[pick % files.length] ?? '');
    const change = file.chain((at) => fc.tuple(fc.constant(at), mangled(fs.readFileSync(at))));
    const changes = fc.uniqueArray(change, { minLength: 1, maxLength: 4, selector: ([at]) => at });
    await fc.assert(
      fc.asyncProperty(changes, async (odd) => {
        const kept = odd.map(([at]) => [at, fs.readFileSync(at)] as const);
        for (const [at, bytes] of odd) fs.writeFileSync(at, bytes);
        try {
          const { readings, components } = await scan();
          const failed = readings.flatMap(({ problems }) =>
            problems.filter((one) => one.path.endsWith('detector)')),
          );
          expect(failed).toEqual([]);
          components.forEach(expectPlain);
          expect(JSON.stringify(readings)).not.toContain('CANARY');
          const places = odd.map(([at]) => path.relative(root, at));
          if (places.some((at) => pointsElsewhere.test(at))) return;
          const parts = new Set(places.map(partOf));
          const found = new Set(components.map(({ id }) => id));
          // A list elsewhere that cannot be read marks the root, and nothing of it is taken for gone.
          const whole = new Set(
            readings.filter(({ status }) => status === 'complete').map(({ root: { id } }) => id),
          );
          const lost = before.readings
            .filter(({ root: { id } }) => whole.has(id))
            .flatMap((reading) => reading.components)
            .filter(({ id, path: at }) => !parts.has(partOf(at)) && !found.has(id));
          expect(lost.map(({ path: at }) => at)).toEqual([]);
        } finally {
          for (const [at, bytes] of kept) fs.writeFileSync(at, bytes);
        }
      }),
      runs(tries),
    );
    const told = ({ components }: ScanResult): string[] => components.map(({ id }) => id).sort();
    expect(told(await scan())).toEqual(told(before));
  });
});

test('a version that is no line of text is not known, and no URL speaks of it', () => {
  const root = path.join(top, 'damaged');
  packages.apkInstalled(root, { name: 'claude-code', version: '2.1.\u0000120-r0' }, 'claude');
  fs.mkdirSync(path.join(root, 'home/ana'), { recursive: true });
  const world = folderWorld(root, 'linux', { catalogue });
  expect(scanWorld(world).components).toMatchObject([
    { name: 'claude-code', version: null, purl: null },
  ]);
});
