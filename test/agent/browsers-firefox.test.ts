/**
 * Which add-ons of Firefox and its forks count: the list of each profile decides, and a path that it
 * names is never followed.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { browsers } from '../../agent/detect/browsers.js';
import { homesWorld } from '../../agent/detect/world.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Platform } from '../../policies/component.js';
import * as made from '../worlds/browsers.js';
import { place } from '../worlds/native.js';

const catalogue = builtInCatalogue();
const { addon } = made;
let top: string;
let home: string;

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-firefox-')));
  home = path.join(top, 'home/ana');
  fs.mkdirSync(home, { recursive: true });
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

const scan = (platform: Platform = 'linux'): ScanResult =>
  scanWorld(homesWorld([home], { catalogue, platform }), { detectors: [browsers] });

function rows({ components }: ScanResult): string[] {
  return components
    .map(({ tool, version, state, confidence, manager }) =>
      [tool, version, state, confidence, manager].join(' '),
    )
    .sort();
}

const codes = ({ readings }: ScanResult): string[] =>
  readings.flatMap(({ problems }) => problems.map(({ code, isLoss }) => `${code} ${isLoss}`));

describe('an add-on of Firefox', () => {
  const box = 'chatgptbox 2.5.9 installed high firefox';
  const firefox = (platform: Platform = 'linux'): string =>
    path.join(home, made.firefoxFolder[platform]);

  function install(at: string, change: Readonly<Record<string, unknown>> = {}): void {
    made.writeAddons(at, [made.addonEntry(at, addon, change)]);
    made.packAddon(at, addon);
  }

  test.each(['linux', 'darwin', 'win32'] as const)('is found where %s keeps it', (platform) => {
    const name = platform === 'linux' ? 'k2x9.default' : 'Profiles/k2x9.default';
    const at = path.join(firefox(platform), name);
    made.writeProfiles(firefox(platform), [name]);
    install(at);
    const result = scan(platform);
    expect(result.status).toBe('complete');
    expect(result.components).toMatchObject([
      {
        tool: 'chatgptbox',
        manager: 'firefox',
        name: addon.id,
        version: '2.5.9',
        path: path.join(at, `extensions/${addon.id}.xpi`),
        owner: 'ana',
        state: 'installed',
        confidence: 'high',
        evidence: ['extensions.json', 'profile:k2x9.default'],
      },
    ]);
  });

  test.each([
    'snap/firefox/common/.mozilla/firefox',
    '.var/app/org.mozilla.firefox/.mozilla/firefox',
    '.config/mozilla/firefox',
  ])('is found in %s', (folder) => {
    const at = path.join(home, folder);
    made.writeProfiles(at, ['a.default-esr', 'b.dev-edition-default']);
    install(path.join(at, 'a.default-esr'));
    install(path.join(at, 'b.dev-edition-default'));
    expect(rows(scan())).toEqual([box, box]);
  });

  test('of a fork is found with the name of the fork', () => {
    made.writeProfiles(path.join(home, '.zen'), ['a.default']);
    install(path.join(home, '.zen/a.default'));
    expect(rows(scan())).toEqual(['chatgptbox 2.5.9 installed high zen']);
  });

  test.each([
    ['off', { active: false }, 'disabled'],
    ['switched off by its owner', { userDisabled: true, active: false }, 'disabled'],
    ['refused by the browser', { appDisabled: true }, 'disabled'],
    ['brought along', { location: 'app-builtin' }, 'bundled'],
  ])('that is %s says so', (_, change, state) => {
    install(path.join(firefox(), 'a'), change);
    expect(scan().components).toMatchObject([{ state }]);
  });

  test('of another kind, or hidden by another copy, is none', () => {
    const at = path.join(firefox(), 'a');
    const entry = (change: Readonly<Record<string, unknown>>): unknown =>
      made.addonEntry(at, addon, change);
    made.writeAddons(at, [entry({ type: 'theme' }), entry({ visible: false }), null, 7, {}]);
    expect(scan()).toMatchObject({ status: 'complete', components: [] });
  });

  test('is never looked for where its path says', () => {
    const at = path.join(firefox(), 'a');
    made.writeAddons(at, [made.addonEntry(at, addon, { path: '/etc/passwd' })]);
    expect(scan().components).toMatchObject([{ path: '/etc/passwd', confidence: 'medium' }]);
    const up = { ...addon, id: '../../../etc@passwd' };
    made.writeAddons(at, [made.addonEntry(at, up)]);
    const world = homesWorld([home], { catalogue });
    const all = { ...world, wholeChannels: new Set(['browser-extension'] as const) };
    expect(scanWorld(all, { detectors: [browsers] }).components).toEqual([]);
  });

  test('in a profile outside the folder is found in the home and refused elsewhere', () => {
    made.writeProfiles(firefox(), [path.join(home, 'profiles/mine'), path.join(top, 'theirs')]);
    install(path.join(home, 'profiles/mine'));
    install(path.join(top, 'theirs'));
    const result = scan();
    expect(rows(result)).toEqual([box]);
    expect(codes(result)).toEqual(['refused-entry false']);
  });

  test('in a profile that was given up is a trace, unless profiles are kept in groups', () => {
    install(path.join(firefox(), 'old'));
    expect(rows(scan())).toEqual([box]);
    made.writeProfiles(firefox(), ['new']);
    expect(rows(scan())).toEqual(['chatgptbox 2.5.9 residual medium firefox']);
    made.writeProfiles(firefox(), ['new'], ['StoreID=a1b2c3']);
    expect(rows(scan())).toEqual([box]);
  });

  test('whose list cannot be read is known by its file, with less confidence', () => {
    const at = path.join(firefox(), 'a');
    install(at);
    made.writeProfiles(firefox(), ['a']);
    place(at, 'extensions.json', '{"addons": [{');
    const broken = scan();
    expect(rows(broken)).toEqual(['chatgptbox 2.5.9 installed low firefox']);
    expect(broken.status).toBe('partial');
    fs.rmSync(path.join(at, 'extensions.json'));
    expect(rows(scan())).toEqual(['chatgptbox 2.5.9 installed medium firefox']);
    made.writeAddons(at, []);
    expect(rows(scan())).toEqual(['chatgptbox 2.5.9 residual low firefox']);
  });
});
