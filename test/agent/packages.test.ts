/**
 * What the records of package systems say is installed, and that a program which a package has put on
 * the machine is told once. Expected package URLs are written as the purl specification has them.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { executables } from '../../agent/detect/executables.js';
import type { World } from '../../agent/detect/index.js';
import { packages } from '../../agent/detect/packages.js';
import { folderWorld } from '../../agent/detect/world.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Component, Platform } from '../../policies/component.js';
import { place, link, program } from '../worlds/native.js';
import * as made from '../worlds/packages.js';

const catalogue = builtInCatalogue();
const windsurf = { name: 'windsurf', version: '1.12.20-1760000000' };
const claude = { name: 'claude-code', version: '2.1.120-r0' };
let root = '';
let home = '';

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-packages-')));
  home = path.join(root, 'home/ana');
  fs.mkdirSync(home, { recursive: true });
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function scan(platform: Platform, change: Partial<World> = {}): ScanResult {
  const world = { ...folderWorld(root, platform, { catalogue }), ...change };
  return scanWorld(world, { detectors: [packages, executables] });
}

const look = (platform: Platform): readonly Component[] => scan(platform).components;

/** As under a rule that names packages the catalogue does not know. */
const lookFor = (platform: Platform, system: string, ...names: readonly string[]) =>
  scan(platform, { named: new Map([[system, new Set(names)]]) }).components;

const problems = (result: ScanResult): unknown[] =>
  result.readings.flatMap(({ status, problems }) =>
    problems.map(({ code }) => `${status} ${code}`),
  );

describe('dpkg', () => {
  test('an installed package is told with its version and the name of the distribution', () => {
    place(root, 'usr/lib/os-release', 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n');
    link(root, 'etc/os-release', '../usr/lib/os-release');
    made.dpkgStatus(
      root,
      made.dpkgRecord(windsurf),
      made.dpkgRecord({ name: 'curl', version: '8' }),
    );
    const result = scan('linux');
    expect(problems(result)).toEqual([]);
    expect(result.components).toMatchObject([
      {
        tool: 'windsurf',
        channel: 'package',
        manager: 'dpkg',
        name: 'windsurf',
        version: '1.12.20-1760000000',
        purl: 'pkg:deb/ubuntu/windsurf@1.12.20-1760000000?arch=amd64',
        owner: null,
        state: 'installed',
        confidence: 'high',
      },
    ]);
  });

  test.each([
    ['deinstall ok config-files', 'residual'],
    ['hold ok installed', 'installed'],
    ['install reinstreq half-installed', 'installed'],
  ])('"%s" is %s', (status, state) => {
    made.dpkgStatus(root, made.dpkgRecord(windsurf, status));
    expect(look('linux')).toMatchObject([{ tool: 'windsurf', state }]);
  });

  test('names that only begin or end alike, and text of a description, are no packages', () => {
    const others = ['windsurf-data', 'libwindsurf', 'Windsurf'];
    made.dpkgStatus(root, ...others.map((name) => made.dpkgRecord({ name, version: '1' })));
    fs.appendFileSync(
      path.join(root, 'var/lib/dpkg/status'),
      '\nPackage: x\nStatus: install ok installed\nDescription: says\n Package: windsurf\n',
    );
    expect(look('linux')).toEqual([]);
  });

  test('a package that is purged is none', () => {
    made.dpkgStatus(root, made.dpkgRecord(windsurf, 'purge ok not-installed'));
    expect(look('linux')).toEqual([]);
  });

  test('an image without dpkg keeps a file a package', () => {
    const record = made.dpkgRecord(windsurf).replace(/^Status:.*\n/m, '');
    place(root, 'var/lib/dpkg/status.d/windsurf', record);
    place(root, 'var/lib/dpkg/status.d/tzdata', made.dpkgRecord({ name: 'tzdata', version: '1' }));
    expect(look('linux')).toMatchObject([{ tool: 'windsurf', evidence: ['status.d'] }]);
  });

  test('a package that a rule names is told without a tool, and all are under a rule of the channel', () => {
    made.dpkgStatus(root, made.dpkgRecord({ name: 'ours', version: '1' }));
    expect(lookFor('linux', 'dpkg', 'ours')).toMatchObject([{ tool: null, name: 'ours' }]);
    const all = scan('linux', { wholeChannels: new Set(['package']) }).components;
    expect(all.map(({ name }) => name)).toEqual(['base-files', 'ours']);
  });

  test('a database of another shape marks its root', () => {
    place(root, 'var/lib/dpkg/status', 'SQLite format 3\0');
    expect(problems(scan('linux'))).toEqual(['partial malformed']);
  });
});

describe('apk and pacman', () => {
  test('an apk package and its program are one install', () => {
    made.apkInstalled(root, claude, 'claude');
    program(root, 'usr/bin/claude');
    expect(look('linux')).toMatchObject([
      {
        tool: 'claude-code',
        channel: 'package',
        manager: 'apk',
        version: '2.1.120-r0',
        purl: 'pkg:apk/alpine/claude-code@2.1.120-r0?arch=x86_64',
      },
    ]);
  });

  test('a program of the same name that no package owns is told by itself', () => {
    made.apkInstalled(root, claude, 'claude');
    program(root, 'usr/local/bin/claude');
    expect(look('linux')).toMatchObject([
      { channel: 'package' },
      { channel: 'executable', path: '/usr/local/bin/claude', confidence: 'low' },
    ]);
  });

  test('a pacman package and its program are one install, whatever else begins alike', () => {
    made.pacmanLocal(root, { name: 'claude-code', version: '2.1.120-1' }, 'claude');
    made.pacmanLocal(root, { name: 'claude-code-extras', version: '9-1' }, 'extras');
    program(root, 'usr/bin/claude');
    expect(look('linux')).toMatchObject([
      {
        tool: 'claude-code',
        manager: 'pacman',
        version: '2.1.120-1',
        purl: 'pkg:alpm/arch/claude-code@2.1.120-1?arch=x86_64',
      },
    ]);
  });

  test('a record that names another package is none', () => {
    const at = made.pacmanLocal(root, { name: 'claude-code', version: '2.1.120-1' }, 'claude');
    fs.writeFileSync(path.join(at, 'desc'), '%NAME%\nother\n\n%VERSION%\n1-1\n');
    const result = scan('linux');
    expect(result.components).toEqual([]);
    expect(problems(result)).toEqual(['partial malformed']);
  });
});

describe('snap and flatpak', () => {
  test('a snap is the revision in use; one that is switched off is disabled', () => {
    made.snap(root, { name: 'ours', version: '1.2+git3' });
    made.snap(root, { name: 'theirs', version: '2' }, false);
    fs.mkdirSync(path.join(root, 'snap/bin'));
    expect(lookFor('linux', 'snap', 'ours', 'theirs', 'bin')).toMatchObject([
      { manager: 'snap', name: 'ours', version: '1.2+git3', state: 'installed', purl: null },
      { manager: 'snap', name: 'theirs', version: null, state: 'disabled' },
    ]);
  });

  test('two spellings of the folder of snaps are one root', () => {
    made.snap(root, { name: 'ours', version: '1' });
    fs.renameSync(path.join(root, 'snap'), path.join(root, 'var/lib/snapd/snap'));
    link(root, 'snap', '/var/lib/snapd/snap');
    expect(lookFor('linux', 'snap', 'ours')).toMatchObject([{ name: 'ours', version: '1' }]);
  });

  test('flatpaks of the machine and of a person are two installs with their owners', () => {
    made.flatpak(path.join(root, 'var/lib/flatpak'), { name: 'dev.zed.Zed', version: '0.200.1' });
    const own = path.join(home, '.local/share/flatpak');
    made.flatpak(own, { name: 'dev.zed.Zed', version: '0.199.0' });
    made.flatpak(own, { name: 'org.gnome.Maps', version: '47' });
    expect(look('linux')).toMatchObject([
      { tool: 'zed', manager: 'flatpak', version: '0.200.1', owner: null, state: 'installed' },
      { tool: 'zed', manager: 'flatpak', version: '0.199.0', owner: 'ana', state: 'installed' },
    ]);
  });

  test('a flatpak of which no deployment is left is a trace', () => {
    const app = made.flatpak(path.join(root, 'var/lib/flatpak'), {
      name: 'dev.zed.Zed',
      version: '1',
    });
    fs.rmSync(path.join(app, 'x86_64'), { recursive: true });
    expect(look('linux')).toMatchObject([{ tool: 'zed', version: null, state: 'residual' }]);
  });
});

describe('on Windows', () => {
  const own = (): string => path.join(root, 'Users/ana');
  const app = { name: 'claude-code', version: '2.1.120' };

  test('a scoop app, its versions and its shim are one install', () => {
    made.scoop(own(), { ...app, version: '2.1.91' }, { command: 'claude' });
    fs.rmSync(path.join(own(), 'scoop/apps/claude-code/current'));
    made.scoop(own(), app, { command: 'claude', shim: true });
    expect(look('win32')).toMatchObject([
      {
        tool: 'claude-code',
        channel: 'package',
        manager: 'scoop',
        version: '2.1.120',
        path: 'C:\\Users\\ana\\scoop\\apps\\claude-code',
        owner: 'ana',
      },
    ]);
  });

  test('scoop without a folder in use takes its newest version; without any it is a trace', () => {
    const at = made.scoop(own(), { ...app, version: '2.1.91' }, { command: 'claude' });
    fs.rmSync(path.join(at, 'current'));
    made.scoop(own(), app, { command: 'claude' });
    fs.rmSync(path.join(at, 'current'));
    expect(look('win32')).toMatchObject([{ version: '2.1.120', state: 'installed' }]);
    for (const version of ['2.1.91', '2.1.120'])
      fs.rmSync(path.join(at, version), { recursive: true });
    expect(look('win32')).toMatchObject([{ version: null, state: 'residual' }]);
  });

  test('a shim that starts another app is not the tool’s package', () => {
    made.scoop(own(), { name: 'other', version: '1' }, { command: 'claude', shim: true });
    expect(look('win32')).toMatchObject([{ channel: 'executable', confidence: 'low' }]);
  });

  test('a portable package of winget and its link are one install', () => {
    made.winget(own(), 'Anthropic.ClaudeCode', 'claude');
    made.winget(own(), 'Anthropic.ClaudeCodeExtras', 'extras');
    expect(look('win32')).toMatchObject([
      { tool: 'claude-code', manager: 'winget', name: 'Anthropic.ClaudeCode', owner: 'ana' },
    ]);
  });

  test('chocolatey’s record gives the version, in any case of the id', () => {
    made.chocolatey(root, { name: 'OurTool', version: '3.1.0' });
    expect(lookFor('win32', 'chocolatey', 'ourtool')).toMatchObject([
      { manager: 'chocolatey', version: '3.1.0', owner: null, state: 'installed' },
    ]);
  });
});

test('a link out of a store is not followed', () => {
  const outside = path.join(root, 'srv/x');
  place(outside, 'metadata', '[Application]\nname=dev.zed.Zed\n');
  link(root, 'var/lib/flatpak/app/dev.zed.Zed/current/active', '/srv/x');
  const result = scan('linux');
  expect(problems(result)).toContain('partial outside');
  expect(result.components.filter(({ confidence }) => confidence === 'high')).toEqual([]);
});

describe('what is hostile', () => {
  const database = (): string => path.join(root, 'var/lib/dpkg/status');

  test('a database without end, a FIFO and a link to nowhere are not read', () => {
    made.dpkgStatus(root, made.dpkgRecord(windsurf));
    fs.truncateSync(database(), 200 * 1024 * 1024);
    expect(problems(scan('linux'))).toEqual(['partial too-large']);
    fs.rmSync(database());
    execFileSync('mkfifo', [database()]);
    expect(problems(scan('linux'))).toEqual(['partial not-regular']);
    fs.rmSync(database());
    link(root, 'var/lib/dpkg/status', 'status');
    expect(problems(scan('linux'))).toEqual(['partial loop']);
  });

  test('a database that leads out of its folder is not read', () => {
    made.dpkgStatus(root, made.dpkgRecord(windsurf));
    fs.renameSync(database(), path.join(root, 'srv'));
    link(root, 'var/lib/dpkg/status', '/srv');
    const result = scan('linux');
    expect(result.components).toEqual([]);
    expect(problems(result)).toEqual(['partial outside']);
  });

  test('names that are odd, and bytes that are no text, harm nothing', () => {
    made.dpkgStatus(root, made.dpkgRecord(windsurf));
    const junk = Buffer.concat([Buffer.from('\nPackage: '), Buffer.from([0xff, 0, 0x1b, 0x0a])]);
    fs.appendFileSync(database(), junk);
    const store = path.join(root, 'var/lib/flatpak/app');
    for (const name of ['new\nline', '\u{202e}gpj', '__proto__', 'constructor']) {
      fs.mkdirSync(path.join(store, name), { recursive: true });
      place(root, `var/lib/pacman/local/${name}-1-1/desc`, '%NAME%\nx\n');
    }
    expect(look('linux')).toMatchObject([{ tool: 'windsurf', state: 'installed' }]);
  });

  test('a record cut short has no version made up', () => {
    made.dpkgStatus(root, 'Package: windsurf\nStatus: install ok installed\nVer');
    expect(look('linux')).toMatchObject([{ tool: 'windsurf', version: null }]);
  });
});
