/**
 * Which browser extensions count: the id alone says what it is, the browser's own records which
 * version is active and whether it is on, in every profile; and nothing private comes out.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { browsers } from '../../agent/detect/browsers.js';
import { folderWorld, homesWorld } from '../../agent/detect/world.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Platform } from '../../policies/component.js';
import * as made from '../worlds/browsers.js';
import { link, place } from '../worlds/native.js';

const catalogue = builtInCatalogue();
const { claudeExtension: claude } = made;
const other = { id: 'nngceckbapebfimnlniiiahkandclblb', version: '2025.10.0' };
let top: string;
let home: string;
let chrome: string;

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-browsers-')));
  home = path.join(top, 'home/ana');
  fs.mkdirSync(home, { recursive: true });
  chrome = path.join(home, made.chromeFolder.linux);
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

function scan(platform: Platform = 'linux'): ScanResult {
  const result = scanWorld(homesWorld([home], { catalogue, platform }), { detectors: [browsers] });
  expect(JSON.stringify(result)).not.toContain('CANARY');
  return result;
}

function rows({ components }: ScanResult): string[] {
  return components
    .map(({ tool, version, state, confidence, manager }) =>
      [tool, version, state, confidence, manager].join(' '),
    )
    .sort();
}

const codes = ({ readings }: ScanResult): string[] =>
  readings.flatMap(({ problems }) => problems.map(({ code, isLoss }) => `${code} ${isLoss}`));

const profile = (name = 'Default'): string => path.join(chrome, name);
const sure = 'claude-for-chrome 1.0.33 installed high chrome';

describe('an extension of Chrome', () => {
  test.each(['linux', 'darwin', 'win32'] as const)('is found where %s keeps it', (platform) => {
    const at = path.join(home, made.chromeFolder[platform], 'Default');
    const folder = made.installExtension(at, claude);
    made.unpackExtension(at, other);
    const result = scan(platform);
    expect(result.status).toBe('complete');
    expect(result.components).toMatchObject([
      {
        tool: 'claude-for-chrome',
        channel: 'browser-extension',
        manager: 'chrome',
        name: claude.id,
        version: '1.0.33',
        path: folder,
        owner: 'ana',
        scope: 'global',
        state: 'installed',
        confidence: 'high',
        evidence: ['Preferences', 'manifest.json', 'profile:Default'],
      },
    ]);
  });

  test('is found on a machine of Windows in its own paths', () => {
    const at = path.join(top, 'Users/ana', made.chromeFolder.win32, 'Default');
    made.unpackExtension(at, claude);
    const preference = made.preference(claude, { path: `${claude.id}\\1.0.33_0` });
    made.writePreferences(at, [preference], 'Secure Preferences');
    const world = folderWorld(top, 'win32', { catalogue });
    const folder = 'C:\\Users\\ana\\AppData\\Local\\Google\\Chrome\\User Data\\Default\\Extensions';
    expect(scanWorld(world, { detectors: [browsers] }).components).toMatchObject([
      { path: `${folder}\\${claude.id}\\1.0.33_0`, owner: 'ana', confidence: 'high' },
    ]);
  });

  test('is known by its id and never by its name', () => {
    made.installExtension(profile(), { id: 'abcdefghijklmnopabcdefghijklmnop', version: '1.0.33' });
    expect(scan().components).toEqual([]);
  });

  test('is found in every profile, whatever the profile is called, once in each', () => {
    for (const name of ['Default', 'Profile 7', 'Guest Profile', 'Work']) {
      made.installExtension(profile(name), claude);
    }
    place(chrome, 'Crashpad/settings.dat', '');
    place(top, 'tmp/org.chromium.Chromium.x/Preferences', '');
    link(chrome, 'SingletonSocket', path.join(top, 'tmp/org.chromium.Chromium.x'));
    link(chrome, 'SingletonLock', 'host-4711');
    const result = scan();
    expect(result.status).toBe('complete');
    expect(rows(result)).toEqual([sure, sure, sure, sure]);
    expect(result.components.flatMap(({ evidence }) => evidence.slice(-1))).toEqual([
      'profile:Default',
      'profile:Guest Profile',
      'profile:Profile 7',
      'profile:Work',
    ]);
  });

  test.each([
    ['linux', '.config/BraveSoftware/Brave-Browser', 'brave'],
    ['linux', '.config/microsoft-edge-dev', 'edge-dev'],
    ['linux', 'snap/chromium/common/chromium', 'chromium'],
    ['linux', '.var/app/com.google.Chrome/config/google-chrome', 'chrome'],
    ['linux', '.config/new-browser', 'unknown:new-browser'],
    ['darwin', 'Library/Application Support/Arc/User Data', 'arc'],
    ['darwin', 'Library/Application Support/Comet', 'comet'],
    ['darwin', 'Library/Application Support/Dia/User Data', 'dia'],
    ['darwin', 'Library/Application Support/New/User Data', 'unknown:New'],
    ['win32', 'AppData/Local/Microsoft/Edge/User Data', 'edge'],
    ['win32', 'AppData/Local/Perplexity/Comet/User Data', 'comet'],
  ] as const)('of another browser is found too: %s, %s', (platform, folder, manager) => {
    made.installExtension(path.join(home, folder, 'Default'), claude);
    expect(rows(scan(platform))).toEqual([`claude-for-chrome 1.0.33 installed high ${manager}`]);
  });

  test('of Opera is found where the folder is itself the profile, and in its own list', () => {
    const opera = path.join(home, 'Library/Application Support/com.operasoftware.Opera');
    made.unpackExtension(opera, claude);
    const settings = Object.fromEntries([made.preference(claude)]);
    place(opera, 'Secure Preferences', JSON.stringify({ extensions: { opsettings: settings } }));
    expect(rows(scan('darwin'))).toEqual(['claude-for-chrome 1.0.33 installed high opera']);
  });

  test('that no entry claims is reported where a rule names it or takes the channel', () => {
    made.installExtension(profile(), other);
    expect(scan().components).toEqual([]);
    const world = homesWorld([home], { catalogue });
    const named = new Map([['browser-extension', new Set([other.id])]]);
    const wholeChannels = new Set(['browser-extension'] as const);
    for (const each of [
      { ...world, named },
      { ...world, wholeChannels },
    ]) {
      expect(scanWorld(each, { detectors: [browsers] }).components).toMatchObject([
        { name: other.id, tool: null, version: other.version },
      ]);
    }
  });
});

describe('the preferences', () => {
  test('C015: name the active one of two versions', () => {
    made.unpackExtension(profile(), { ...claude, version: '1.0.40' });
    made.installExtension(profile(), claude);
    expect(rows(scan())).toEqual([sure]);
  });

  test('C015: that cannot be read leave the highest version as a number, with low confidence', () => {
    for (const version of ['1.0.9', '1.0.33', '0.99']) {
      made.unpackExtension(profile(), { ...claude, version });
    }
    place(profile(), 'Preferences', '{"extensions": {"settings"');
    const result = scan();
    expect(rows(result)).toEqual(['claude-for-chrome 1.0.33 installed low chrome']);
    expect(result.status).toBe('partial');
    expect(codes(result)).toEqual(['malformed true']);
  });

  test('that are not there at all leave the folders, with medium confidence', () => {
    made.unpackExtension(profile(), claude);
    expect(rows(scan())).toEqual(['claude-for-chrome 1.0.33 installed medium chrome']);
  });

  test.each([
    ['a list of reasons', { disable_reasons: [1] }, 'disabled high'],
    ['an empty list', { disable_reasons: [] }, 'installed high'],
    ['an empty list beside an older mark', { disable_reasons: [], state: 0 }, 'installed high'],
    ['a list beside an older mark', { disable_reasons: [8192], state: 1 }, 'disabled high'],
    ['a number of reasons', { disable_reasons: 1, state: 0 }, 'disabled high'],
    ['the old mark for off', { disable_reasons: undefined, state: 0 }, 'disabled high'],
    ['the old mark for on', { disable_reasons: undefined, state: 1 }, 'installed high'],
    ['no mark, which is no sign of off', { disable_reasons: undefined }, 'installed medium'],
    ['a mark of another kind', { disable_reasons: 'x', state: 'y' }, 'installed medium'],
  ])('C016: with %s', (_, change, wanted) => {
    made.unpackExtension(profile(), claude);
    made.writePreferences(profile(), [made.preference(claude, change)]);
    expect(rows(scan())).toEqual([`claude-for-chrome 1.0.33 ${wanted} chrome`]);
  });

  test('protected ones say more than the others', () => {
    made.unpackExtension(profile(), claude);
    made.writePreferences(profile(), [made.preference(claude)]);
    const off = made.preference(claude, { disable_reasons: [1] });
    made.writePreferences(profile(), [off], 'Secure Preferences');
    expect(rows(scan())).toEqual(['claude-for-chrome 1.0.33 disabled high chrome']);
  });

  test('that name an extension whose files are gone keep it, with less confidence', () => {
    made.writePreferences(profile(), [made.preference(claude)]);
    expect(rows(scan())).toEqual(['claude-for-chrome 1.0.33 installed medium chrome']);
  });

  test('that name an extension without its place have the highest version folder', () => {
    made.unpackExtension(profile(), claude);
    made.unpackExtension(profile(), { ...claude, version: '1.0.4' });
    made.writePreferences(profile(), [[claude.id, { state: 1 }]]);
    expect(rows(scan())).toEqual(['claude-for-chrome 1.0.33 installed medium chrome']);
    made.writePreferences(profile(), [[claude.id, { disable_reasons: [1] }]]);
    expect(rows(scan())).toEqual(['claude-for-chrome 1.0.33 disabled medium chrome']);
  });

  test('that do not name a folder make it a trace, but not one they cannot know yet', () => {
    made.writePreferences(profile(), [made.preference(other)]);
    const folder = made.unpackExtension(profile(), claude);
    expect(rows(scan())).toEqual(['claude-for-chrome 1.0.33 residual low chrome']);
    const later = new Date(Date.now() + 60_000);
    fs.utimesSync(folder, later, later);
    expect(rows(scan())).toEqual(['claude-for-chrome 1.0.33 installed medium chrome']);
  });

  test('of an extension that its owner removed leave a trace at most', () => {
    made.writePreferences(profile(), [made.preference(claude, { state: 2 })]);
    expect(rows(scan())).toEqual([]);
    made.unpackExtension(profile(), claude);
    expect(rows(scan())).toEqual(['claude-for-chrome 1.0.33 residual low chrome']);
  });

  test('that lead to a folder of the home have it read: an unpacked extension', () => {
    const folder = path.join(home, 'src/extension');
    place(folder, 'manifest.json', '{"version": "9.9", "name": "CANARY"}');
    const change = { path: folder, location: 4, manifest: undefined };
    made.writePreferences(profile(), [made.preference(claude, change)]);
    const result = scan();
    expect(rows(result)).toEqual(['claude-for-chrome 9.9 installed high chrome']);
    expect(result.components).toMatchObject([{ path: folder, owner: 'ana' }]);
    expect(result.components[0]?.evidence).toContain('unpacked');
  });

  test.each([
    ['elsewhere', 4],
    ['../../../../../elsewhere', 1],
  ])('that lead out of the home have nothing read there: %s', (to, location) => {
    place(top, 'elsewhere/manifest.json', '{"version": "6.6.6"}');
    const at = location === 4 ? path.join(top, to) : path.join('../../../../', to);
    const change = { path: at, location, manifest: undefined };
    made.writePreferences(profile(), [made.preference(claude, change)]);
    const result = scan();
    expect(rows(result)).toEqual(['claude-for-chrome  installed medium chrome']);
    expect(codes(result)).toEqual(['refused-entry false']);
  });

  test('name what the browser brings along itself', () => {
    const change = { path: '/opt/google/chrome/resources/x', location: 5 };
    made.writePreferences(profile(), [made.preference(claude, change)]);
    expect(scan().components).toMatchObject([{ state: 'bundled', tool: 'claude-for-chrome' }]);
  });

  test('of another shape harm nothing', () => {
    const odd = [null, 7, [], { path: 7 }, { path: '' }, { path: 'a\0b' }];
    for (const [count, value] of odd.entries()) {
      made.writePreferences(profile(`Profile ${count}`), [[claude.id, value]]);
    }
    place(profile('Profile 90'), 'Preferences', '[]');
    place(profile('Profile 91'), 'Preferences', '{"extensions": {"settings": []}}');
    const result = scan();
    expect(rows(result)).toEqual([]);
    expect(codes(result)).toEqual(['malformed true']);
  });

  test('of any JSON at all give an answer and no error', () => {
    made.unpackExtension(profile(), claude);
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 3 }), (whole, entry) => {
        place(profile(), 'Secure Preferences', JSON.stringify(whole));
        made.writePreferences(profile(), [[claude.id, entry]]);
        place(home, '.mozilla/firefox/a/extensions.json', JSON.stringify({ addons: entry, whole }));
        const { components, readings } = scan();
        expect(components.length).toBeLessThanOrEqual(1);
        expect(readings.flatMap(({ problems }) => problems.map(({ code }) => code))).not.toContain(
          'io',
        );
      }),
      { numRuns: 60 },
    );
  });

  test('larger than any browser writes are not read', () => {
    made.installExtension(profile(), claude);
    fs.truncateSync(path.join(profile(), 'Preferences'), 33 * 1024 * 1024);
    const result = scan();
    expect(rows(result)).toEqual(['claude-for-chrome 1.0.33 installed low chrome']);
    expect(codes(result)).toEqual(['too-large true']);
  });
});

describe('a place that cannot be looked at', () => {
  test('marks its roots and is no absence', () => {
    made.installExtension(profile(), claude);
    fs.rmSync(path.join(home, '.config'), { recursive: true });
    link(home, '.config', '.config');
    const result = scan();
    expect(result.status).toBe('partial');
    const marked = result.readings.filter(({ status }) => status === 'unreadable');
    expect(marked.map(({ root }) => root.manager)).toEqual(
      expect.arrayContaining(['chrome', 'edge', 'brave']),
    );
  });
});
