/**
 * The contract of detectors: every detector of the list against what a hostile or broken disk may
 * hold in the places it reads. It ends within bounds, never throws, marks the root it could not read,
 * and goes on finding what is honest elsewhere.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { detectors, type Detector, type Root, type World } from '../../agent/detect/index.js';
import { homesWorld } from '../../agent/detect/world.js';
import { thisPlatform } from '../../agent/platform/index.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { ComponentState, Platform } from '../../policies/component.js';
import { bundle } from '../worlds/applications.js';
import { formula } from '../worlds/homebrew.js';
import { claudeNative, link, place } from '../worlds/native.js';
import { chromeFolder, claudeExtension, preference, writePreferences } from '../worlds/browsers.js';
import { installed } from '../worlds/editors.js';
import { claudePlugin, pluginsFolder, unpackPlugin } from '../worlds/jetbrains.js';
import * as made from '../worlds/npm.js';
import { scoop } from '../worlds/packages.js';
import { aider, pipx } from '../worlds/python.js';

const catalogue = builtInCatalogue();
const isRoot = process.getuid?.() === 0;
let top = '';
let home = '';

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-contract-')));
  fs.chmodSync(top, 0o755);
  home = path.join(top, 'ana');
  fs.mkdirSync(home);
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

/** An honest install per channel, and the one file its detector cannot do without. */
interface Subject {
  readonly detector: Detector;
  /** Puts the install into the home; answers the folder of its root. */
  readonly install: (at: string) => string;
  /** The file that the detector reads, below that folder; null: it reads names and links alone. */
  readonly record: string | null;
  /** What such a find is where it is no install. */
  readonly state?: ComponentState;
  /** Set where that file is no JSON, so that other JSON and comments say nothing about it. */
  readonly isJson?: false;
  /** Set where such installs are found on another platform than the one the tests run on. */
  readonly platform?: Platform;
}

const extension = { id: 'anthropic.claude-code', version: '2.1.120' };
const cursor = { id: 'com.todesktop.230313mzl4w4u92', version: '3.12.10' };
const subjects: Readonly<Record<string, Omit<Subject, 'detector'>>> = {
  model: {
    install(at) {
      place(at, '.ollama/models/manifests/registry.ollama.ai/library/llama3.2/3b', '{}');
      return path.join(at, '.ollama/models/manifests');
    },
    record: null,
  },
  service: {
    install(at) {
      place(at, '.config/systemd/user/openclaw-gateway.service', '[Unit]');
      return path.join(at, '.config/systemd/user');
    },
    record: null,
    state: 'residual',
    platform: 'linux',
  },
  config: {
    install(at) {
      place(at, '.factory/AGENTS.md', '# notes');
      return path.join(at, '.factory');
    },
    record: null,
    state: 'residual',
  },
  mcp: {
    install(at) {
      const tickets = { command: 'npx', args: ['-y', '@example/tickets-server@1.4.0'] };
      place(at, '.cursor/mcp.json', JSON.stringify({ mcpServers: { tickets } }));
      return path.join(at, '.cursor');
    },
    record: 'mcp.json',
  },
  npm: {
    install(at) {
      made.npmGlobal(path.join(at, '.npm-global'), made.codex('0.48.0'));
      return path.join(at, '.npm-global/lib/node_modules');
    },
    record: '@openai/codex/package.json',
  },
  'editor-extension': {
    install(at) {
      installed(path.join(at, '.vscode/extensions'), extension);
      return path.join(at, '.vscode/extensions');
    },
    record: 'extensions.json',
  },
  pypi: {
    install(at) {
      pipx(at, aider('0.86.1'));
      return path.join(at, '.local/share/pipx/venvs');
    },
    record: 'aider-chat/lib/python3.12/site-packages/aider_chat-0.86.1.dist-info/METADATA',
    isJson: false,
  },
  application: {
    install(at) {
      bundle(path.join(at, 'Applications'), 'Cursor', cursor);
      return path.join(at, 'Applications');
    },
    record: 'Cursor.app/Contents/Info.plist',
    isJson: false,
    platform: 'darwin',
  },
  package: {
    install(at) {
      scoop(at, { name: 'claude-code', version: '2.1.120' }, { command: 'claude' });
      return path.join(at, 'scoop/apps');
    },
    record: 'claude-code/current/manifest.json',
    platform: 'win32',
  },
  // Its record lies in an archive, which has tests of its own.
  'jetbrains-plugin': {
    install(at) {
      unpackPlugin(path.join(at, pluginsFolder.linux('WebStorm2025.2')), claudePlugin);
      return path.join(at, '.local/share/JetBrains');
    },
    record: null,
  },
  homebrew: {
    install(at) {
      formula(path.join(at, '.linuxbrew'), { name: 'aider', version: '0.86.1' });
      return path.join(at, '.linuxbrew/Cellar');
    },
    record: null,
  },
  // The preferences alone: beside the extension's own folder they would not be all there is to read.
  'browser-extension': {
    install(at) {
      const chrome = path.join(at, chromeFolder.linux);
      writePreferences(path.join(chrome, 'Default'), [preference(claudeExtension)]);
      return chrome;
    },
    record: 'Default/Preferences',
  },
  executable: {
    install(at) {
      claudeNative(at, ['2.1.120'], '2.1.120');
      return path.join(at, '.local/bin');
    },
    record: null,
  },
};

/** Processes are no place on the disk: that detector is held by tests of its own. */
const held: readonly (Subject & { readonly name: string })[] = detectors
  .filter(({ channel }) => channel !== 'process')
  .map((detector) => {
    const subject = subjects[detector.channel];
    if (subject === undefined) {
      throw new Error(`the contract has no subject for the detector of ${detector.channel}`);
    }
    return { ...subject, detector, name: detector.channel };
  });

function worldOf({ platform = thisPlatform() }: Subject, at = home): World {
  return homesWorld([at], { catalogue, platform });
}

function scan(subject: Subject, at = home): ScanResult {
  const { detector } = subject;
  return scanWorld(worldOf(subject, at), { detectors: [detector], rootTimeMs: 20_000 });
}

const statusAt = (result: ScanResult, folder: string): string | undefined =>
  result.readings.find(({ root }) => root.path === folder)?.status;

const codesAt = (result: ScanResult, folder: string): string[] =>
  result.readings
    .filter(({ root }) => root.path === folder)
    .flatMap(({ problems }) => problems.map(({ code }) => code));

/** Its folder is a link to the same folder in another person's home. */
function linkedOut(subject: Subject): { result: ScanResult; folder: string } {
  const other = path.join(top, 'ben');
  const theirs = subject.install(other);
  const folder = path.join(home, path.relative(other, theirs));
  link(home, path.relative(home, folder), theirs);
  return { result: scan(subject), folder };
}

/** As somebody without rights, where these tests run as root. */
function unprivileged<T>(work: () => T): T {
  if (!isRoot) return work();
  process.seteuid?.(65_534);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
  }
}

describe.each(held)('$name', (subject) => {
  test('finds its honest install, with a complete root', () => {
    const folder = subject.install(home);
    const result = scan(subject);
    expect(result.status).toBe('complete');
    expect(statusAt(result, folder)).toBe('complete');
    expect(result.components).toMatchObject([
      { state: subject.state ?? 'installed', owner: 'ana' },
    ]);
  });

  test('says the same roots each time, every id once, and never reads outside a boundary', () => {
    subject.install(home);
    const roots = (): readonly Root[] => subject.detector.roots(worldOf(subject));
    expect(roots()).toEqual(roots());
    const ids = roots().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { boundary } of roots()) {
      for (const folder of boundary.within) expect(folder.startsWith(home)).toBe(true);
    }
  });

  test('a home with nothing in it is complete and empty', () => {
    expect(scan(subject)).toMatchObject({ status: 'complete', components: [] });
  });

  test('a link loop in place of its folder is marked', () => {
    const folder = subject.install(home);
    fs.rmSync(folder, { recursive: true });
    fs.symlinkSync(`${folder}-b`, folder);
    fs.symlinkSync(folder, `${folder}-b`);
    const result = scan(subject);
    expect(result.components.filter(({ path: at }) => at.startsWith(folder))).toEqual([]);
    expect(statusAt(result, folder)).toBe('unreadable');
  });

  test("a link into someone else's home is not followed", () => {
    expect(linkedOut(subject).result.components).toEqual([]);
  });

  test('links to the folder above do not multiply what is found', () => {
    const folder = subject.install(home);
    link(folder, 'self', '.');
    link(folder, 'up', '..');
    expect(scan(subject).components).toHaveLength(1);
  });

  test('a FIFO in place of its folder blocks nothing', () => {
    const folder = subject.install(home);
    fs.rmSync(folder, { recursive: true });
    execFileSync('mkfifo', [folder]);
    expect(scan(subject).components.filter(({ path: at }) => at.startsWith(folder))).toEqual([]);
  });

  test('FIFOs, devices by name, odd and endless names among its entries harm nothing', () => {
    const folder = subject.install(home);
    execFileSync('mkfifo', [path.join(folder, 'pipe'), path.join(folder, 'codex')]);
    for (const name of ['new\nline', '\u{1b}[2K', '\u{202e}gpj.exe', 'x'.repeat(255)]) {
      fs.mkdirSync(path.join(folder, name));
    }
    fs.mkdirSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe])]));
    const wanted = subject.state ?? 'installed';
    const found = scan(subject).components.filter(({ state }) => state === wanted);
    expect(found).toHaveLength(1);
  });

  test('twenty thousand other entries do not hide its own', () => {
    const folder = subject.install(home);
    // Hard links cost a directory entry and nothing else.
    const first = place(folder, 'other-0', '');
    for (let count = 1; count < 20_000; count += 1) {
      fs.linkSync(first, path.join(folder, `other-${count}`));
    }
    const result = scan(subject);
    expect(result.components).toHaveLength(1);
    expect(statusAt(result, folder)).toBe('complete');
  });

  test('a folder that vanishes while it is read costs nothing but itself', () => {
    const folder = subject.install(home);
    const world = worldOf(subject);
    const vanishing: World = {
      ...world,
      reader(boundary, deadlineMs) {
        const reader = world.reader(boundary, deadlineMs);
        const list = reader.list.bind(reader);
        reader.list = (at) => {
          const entries = list(at);
          if (at === folder) fs.rmSync(folder, { recursive: true, force: true });
          return entries;
        };
        return reader;
      },
    };
    const result = scanWorld(vanishing, { detectors: [subject.detector] });
    const thrown = result.readings.flatMap(({ problems }) => problems);
    expect(thrown.filter(({ code }) => code === 'io')).toEqual([]);
    expect(result.readings.length).toBe(scan(subject).readings.length);
  });

  test('folders nested deeply below it are not entered', () => {
    const folder = subject.install(home);
    fs.mkdirSync(path.join(folder, ...Array<string>(400).fill('d')), { recursive: true });
    expect(scan(subject)).toMatchObject({ status: 'complete', components: [{}] });
  });

  test('a folder without permission is marked, never clean', () => {
    const folder = subject.install(home);
    fs.chmodSync(folder, 0o000);
    const result = unprivileged(() => scan(subject));
    fs.chmodSync(folder, 0o755);
    expect(statusAt(result, folder)).toBe('unreadable');
    expect(codesAt(result, folder)).toContain('denied');
  });

  test('a home without permission is unreadable in every root', () => {
    subject.install(home);
    fs.chmodSync(home, 0o000);
    const result = unprivileged(() => scan(subject));
    fs.chmodSync(home, 0o755);
    expect(result.status).toBe('partial');
    expect(result.components).toEqual([]);
    expect(new Set(result.readings.map(({ status }) => status))).toEqual(new Set(['unreadable']));
  });
});

const readers = held.filter(
  (subject): subject is (typeof held)[number] & { record: string } => subject.record !== null,
);

describe.each(readers)('$name and its record', (subject) => {
  const broken = (change: (file: string) => void): ScanResult => {
    const folder = subject.install(home);
    change(path.join(folder, subject.record));
    const result = scan(subject);
    expect(result.components.filter(({ confidence }) => confidence === 'high')).toEqual([]);
    expect(['partial', 'unreadable']).toContain(statusAt(result, folder));
    return result;
  };

  test("a folder linked into someone else's home marks its root", () => {
    const { result, folder } = linkedOut(subject);
    expect(['unreadable', 'partial']).toContain(statusAt(result, folder));
    expect(codesAt(result, folder)).toContain('outside');
  });

  test('a half-written record marks its root', () => {
    broken((file) => fs.truncateSync(file, fs.statSync(file).size - 3));
  });

  test('an empty file marks its root', () => {
    broken((file) => fs.truncateSync(file, 0));
  });

  test('200 MB are not read', () => {
    broken((file) => fs.truncateSync(file, 200 * 1024 * 1024));
  });

  test('a FIFO in its place is not opened', () => {
    broken((file) => {
      fs.rmSync(file);
      execFileSync('mkfifo', [file]);
    });
  });

  test('a link out of the home in its place is not read', () => {
    broken((file) => {
      fs.renameSync(file, path.join(top, 'record'));
      fs.symlinkSync(path.join(top, 'record'), file);
    });
  });

  test('a link loop in its place is marked', () => {
    broken((file) => {
      fs.rmSync(file);
      fs.symlinkSync(path.basename(file), file);
    });
  });

  test('no permission for it marks its root', () => {
    const folder = subject.install(home);
    fs.chmodSync(path.join(folder, subject.record), 0o000);
    const result = unprivileged(() => scan(subject));
    expect(['partial', 'unreadable']).toContain(statusAt(result, folder));
    expect(codesAt(result, folder)).toContain('denied');
  });

  const isJson = subject.isJson !== false;

  test
    .runIf(isJson)
    .each(['[]', '{}', 'null', '7', '"text"', '[[[[]]]]', '{"name":{"name":[]},"version":[1]}'])(
    'JSON of another shape is no install by its name alone with a version: %s',
    (text) => {
      const folder = subject.install(home);
      fs.writeFileSync(path.join(folder, subject.record), text);
      for (const { version } of scan(subject).components) expect(version).toBeNull();
    },
  );

  test.runIf(isJson)('a byte-order mark and comments are read as the tools read them', () => {
    const folder = subject.install(home);
    const file = path.join(folder, subject.record);
    const text = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, `\u{feff}// written by hand\n${text}\n/* end */\n`);
    expect(scan(subject)).toMatchObject({ status: 'complete', components: [{}] });
  });

  test('names like those of the language itself are only names', () => {
    const folder = subject.install(home);
    const file = path.join(folder, subject.record);
    fs.writeFileSync(file, '{"__proto__": {"name": "x"}, "constructor": 1, "toString": null}');
    scan(subject);
    expect(({} as Record<string, unknown>)['name']).toBeUndefined();
  });
});
