/**
 * What the records of Python packages say: which are opened, in which of their forms, what a header
 * means, and which left-overs do not count.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { World } from '../../agent/detect/index.js';
import { parseHeader } from '../../agent/detect/python-records.js';
import { python } from '../../agent/detect/python.js';
import { homesWorld } from '../../agent/detect/world.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { link, place, program } from '../worlds/native.js';
import * as made from '../worlds/python.js';
import { runs } from '../runs.js';

const catalogue = builtInCatalogue();
let top = '';
let home = '';

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-records-')));
  home = path.join(top, 'home/ana');
  fs.mkdirSync(home, { recursive: true });
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

const scan = (world: World): ScanResult => scanWorld(world, { detectors: [python] });
const scanHome = (): ScanResult => scan(homesWorld([home], { catalogue, platform: 'linux' }));

/** What a person would say was found: package, version, state, manager, and where below the home. */
function rows(result: ScanResult): string[] {
  expect(result.status).toBe('complete');
  return result.components.map(({ name, version, state, manager, path: at }) =>
    [name, version, state, manager, at.replace(`${home}/`, '')].join(' '),
  );
}

describe('records', () => {
  const site = (): string => path.join(home, '.local/lib/python3.12/site-packages');

  test('C034 punctuation and case do not tell two names apart, anything more does', () => {
    place(site(), 'Aider_Chat-0.86.1.dist-info/METADATA', 'Name: Aider.Chat\nVersion: 0.86.1\n\n');
    for (const name of ['aider-chat-extras', 'aiderchat', 'cline', 'my-aider-chat']) {
      made.wheelInto(site(), { name, version: '1.0' });
    }
    expect(rows(scanHome())).toEqual([
      'aider-chat 0.86.1 installed pip ' +
        '.local/lib/python3.12/site-packages/Aider_Chat-0.86.1.dist-info',
    ]);
  });

  test('a link to a project stands for a package that somebody works on, its version unknown', () => {
    place(site(), 'aider-chat.egg-link', `${home}/code/aider\n.`);
    fs.mkdirSync(path.join(site(), 'litellm.egg-link'));
    expect(rows(scanHome())).toEqual([
      'aider-chat  installed pip .local/lib/python3.12/site-packages/aider-chat.egg-link',
    ]);
  });

  test('the record says what a package is, not the name of its folder', () => {
    place(site(), 'aider_chat-1.0.dist-info/METADATA', 'Name: something-else\nVersion: 1.0\n');
    expect(rows(scanHome())).toEqual([]);
  });

  test('only packages of wanted names are opened', () => {
    made.wheelInto(site(), made.aider('0.86.1'));
    place(site(), 'numpy-2.0.dist-info/METADATA', 'not a header at all');
    expect(rows(scanHome())).toHaveLength(1);
  });

  test('older forms of the record are read: a file, a folder, an egg', () => {
    const header = 'Metadata-Version: 1.0\nName: litellm\nVersion: 1.0.0\n';
    place(site(), 'litellm-1.0.0-py3.12.egg-info', header);
    const other = path.join(home, '.local/lib/python3.11/site-packages');
    place(other, 'litellm-1.0.1-py3.11.egg-info/PKG-INFO', header.replace('1.0.0', '1.0.1'));
    const third = path.join(home, '.local/lib/python3.10/site-packages');
    place(third, 'litellm-1.0.2-py3.10.egg/EGG-INFO/PKG-INFO', header.replace('1.0.0', '1.0.2'));
    expect(
      scanHome()
        .components.map(({ version }) => version)
        .sort(),
    ).toEqual(['1.0.0', '1.0.1', '1.0.2']);
  });

  test('what pip has set aside while it replaces a package is a trace', () => {
    const header = 'Name: aider-chat\nVersion: 0.85.0\n';
    place(site(), '~ider_chat-0.85.0.dist-info/METADATA', header);
    made.wheelInto(site(), made.aider('0.86.1'));
    expect(
      scanHome()
        .components.map(({ version, state }) => `${version} ${state}`)
        .sort(),
    ).toEqual(['0.85.0 residual', '0.86.1 installed']);
  });

  test('of two records of one package the later is in use', () => {
    const old = made.wheelInto(site(), made.aider('0.9.0'));
    fs.utimesSync(old, 1_700_000_000, 1_700_000_000);
    made.wheelInto(site(), made.aider('0.86.1'));
    expect(
      scanHome()
        .components.map(({ version, state }) => `${version} ${state}`)
        .sort(),
    ).toEqual(['0.86.1 installed', '0.9.0 residual']);
  });

  test('a record folder without its record is a trace without a version', () => {
    fs.mkdirSync(path.join(site(), 'aider_chat-0.86.1.dist-info'), { recursive: true });
    expect(scanHome().components).toMatchObject([
      { state: 'residual', version: null, confidence: 'medium' },
    ]);
  });

  test('thousands of records of one name are cut off, and the root says so', () => {
    for (let count = 0; count < 2100; count += 1) {
      fs.mkdirSync(path.join(site(), `aider_chat-${count}.dist-info`), { recursive: true });
    }
    const result = scanHome();
    expect(result.status).toBe('partial');
    expect(result.components).toHaveLength(2000);
  });

  test('a file of the name of a record folder is none', () => {
    place(site(), 'aider_chat-0.86.1.dist-info', 'Name: aider-chat\nVersion: 0.86.1\n');
    expect(rows(scanHome())).toEqual([]);
  });

  test('a package that a rule names is reported without a tool', () => {
    made.wheelInto(site(), { name: 'Team.Agent', version: '3.1' });
    const named = new Map([['pypi', new Set(['team-agent'])]]);
    const result = scan(homesWorld([home], { catalogue, platform: 'linux', named }));
    expect(result.components).toMatchObject([{ tool: null, name: 'team-agent', version: '3.1' }]);
  });

  test('a rule that takes the channel whole takes every package', () => {
    made.wheelInto(site(), { name: 'numpy', version: '2.0' });
    const world = homesWorld([home], { catalogue, platform: 'linux' });
    const whole = scan({ ...world, wholeChannels: new Set(['pypi'] as const) });
    expect(whole.components).toMatchObject([{ tool: null, name: 'numpy' }]);
  });

  test('a package linked out of the home is not read', () => {
    const theirs = made.wheelInto(path.join(top, 'home/ben/site'), made.aider('0.86.1'));
    link(site(), path.basename(theirs), theirs);
    const result = scanHome();
    expect(result.status).toBe('partial');
    expect(result.components.filter(({ version }) => version !== null)).toEqual([]);
  });

  test('a program beside the records is never a record', () => {
    program(site(), 'aider_chat.egg', 'BIN');
    program(site(), 'aider.py', 'BIN');
    expect(scanHome().components.filter(({ state }) => state === 'installed')).toEqual([]);
  });
});

describe('the header of a record', () => {
  test('ends at the first empty line, and of two fields the first counts', () => {
    const text = 'Name: a\r\nVersion: 1\r\nVersion: 2\r\n\r\nName: b\r\nVersion: 3\r\n';
    expect(parseHeader(text)).toEqual({ name: 'a', version: '1' });
  });

  test('a folded line belongs to the field above it', () => {
    const text = 'Summary: one\n  Name: inner\n\tVersion: 9\nName: a\nVersion: 1\n';
    expect(parseHeader(text)).toEqual({ name: 'a', version: '1' });
  });

  test.each([
    ['nothing', ''],
    ['no name', 'Version: 1\n'],
    ['no version', 'Name: a\n'],
    ['a version cut off', 'Name: a\nVersion: 1.2'],
    ['a name that is none', 'Name: ../a\nVersion: 1\n'],
    ['a name after the header', 'Summary: x\n\nName: a\nVersion: 1\n'],
  ])('with %s says nothing', (_, text) => {
    expect(parseHeader(text)).toBeNull();
  });

  test('whatever the text, there is an answer, and it is one line of a name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, version) => {
        const header = parseHeader(`Name: ${name}\nVersion: ${version}\n\nName: other\n`);
        if (header === null) return;
        expect(header.name).toMatch(/^[\w.-]+$/);
        if (header.version !== null) expect(header.version).toMatch(/^[\w.!+-]+$/);
      }),
      runs(100),
    );
  });
});
