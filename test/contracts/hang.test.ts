/**
 * A folder that hangs, for every detector: a real FUSE mount that nobody answers. No scan touches it,
 * each says what it left out, and nothing known behind it is removed. Scans run in processes of their
 * own, because one that does touch it can only be killed.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { claudeNative, link } from '../worlds/native.js';
import { buildAgent } from '../worlds/built-agent.js';
import { hangAt, type Hang } from '../worlds/hang.js';
import { codex, npmGlobal } from '../worlds/npm.js';
import { held } from './subjects.js';

let program = '';
let top = '';
let home = '';
const hangs: Hang[] = [];

/** Whether this system lets us make such a mount at all; else nothing here can be told. */
const canHang = ((): boolean => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-hang-'));
  const hang = hangAt(folder);
  hang?.release();
  fs.rmSync(folder, { recursive: true, force: true });
  return hang !== null;
})();

beforeAll(async () => {
  if (!canHang) return () => {};
  const built = await buildAgent('hang');
  program = built.program;
  return () => built.remove();
});

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-hang-')));
  home = path.join(top, 'ana');
  fs.mkdirSync(home);
});

afterEach(() => {
  for (const hang of hangs.splice(0)) hang.release();
  fs.rmSync(top, { recursive: true, force: true });
});

function hang(folder: string): void {
  fs.mkdirSync(folder, { recursive: true });
  const made = hangAt(folder);
  if (made === null) throw new Error(`${folder} could not be mounted`);
  hangs.push(made);
}

interface RootRecord {
  readonly root: string;
  readonly status: string;
  readonly problems?: readonly { readonly path: string; readonly code: string }[];
}

interface Scanned {
  readonly exit: number | null;
  readonly stderr: string;
  readonly tools: readonly unknown[];
  readonly roots: readonly RootRecord[];
}

/** A scan as a program runs it; killed, and so without an answer, when it hangs. */
function scan(...flags: string[]): Scanned {
  const done = spawnSync(process.execPath, [program, 'scan', '--json', ...flags], {
    encoding: 'utf8',
    timeout: 10_000,
    killSignal: 'SIGKILL',
    env: { TZ: 'UTC' },
  });
  expect(done.signal, 'the scan hung and had to be killed').toBeNull();
  const records = done.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return {
    exit: done.status,
    stderr: done.stderr,
    tools: records.filter(({ record }) => record === 'component').map(({ tool }) => tool),
    roots: (records.at(-1)?.['roots'] ?? []) as RootRecord[],
  };
}

const refusedIn = ({ roots }: Scanned): RootRecord[] =>
  roots.filter(({ problems }) => problems?.some(({ code }) => code === 'network-mount') === true);

test.runIf(canHang)('the folder of these tests does hang whoever touches it', () => {
  const folder = path.join(top, 'share');
  hang(folder);
  const touched = spawnSync('stat', [folder], { timeout: 500, killSignal: 'SIGKILL' });
  expect(touched.signal).toBe('SIGKILL');
});

describe.runIf(canHang)('a scan ends and says what it left out when', () => {
  test.each(held.map(({ name, ...subject }) => ({ name, subject })))(
    'the folder of $name hangs',
    ({ subject }) => {
      const folder = subject.install(home);
      fs.rmSync(folder, { recursive: true });
      hang(folder);
      const { platform = 'linux' } = subject;
      const result = scan('--home', home, '--platform', platform);
      const refused = refusedIn(result).map(({ status }) => status);
      expect(refused.length).toBeGreaterThan(0);
      expect(new Set([...refused, 'partial', 'unreadable'])).toEqual(
        new Set(['partial', 'unreadable']),
      );
      expect(result.exit).toBe(3);
    },
  );

  test.each(held.map(({ name, ...subject }) => ({ name, subject })))(
    'the folder of $name is a link to one that hangs',
    ({ subject }) => {
      const folder = subject.install(home);
      fs.rmSync(folder, { recursive: true });
      hang(path.join(top, 'my share'));
      fs.symlinkSync(path.join(top, 'my share', 'deep'), folder);
      const { platform = 'linux' } = subject;
      const result = scan('--home', home, '--platform', platform);
      expect(refusedIn(result).length).toBeGreaterThan(0);
      expect(result.exit).toBe(3);
    },
  );

  test('every folder that a person may have hangs, one after the other', () => {
    claudeNative(home, ['2.1.120'], '2.1.120');
    for (const name of ['.config', '.npm-global', '.nvm', '.vscode', '.cache', '.ollama']) {
      hang(path.join(home, name));
    }
    const result = scan('--home', home);
    expect(result.tools).toEqual(['claude-code']);
    expect(refusedIn(result).length).toBeGreaterThan(6);
  });

  test('the home itself hangs: it is unavailable, with the reason in words', () => {
    hang(home);
    const result = scan('--home', home);
    expect(new Set(result.roots.map(({ status }) => status))).toEqual(new Set(['unavailable']));
    const table = spawnSync(process.execPath, [program, 'scan', '--home', home], {
      encoding: 'utf8',
      timeout: 10_000,
      killSignal: 'SIGKILL',
    });
    expect(table.stderr).toContain(`${home}: on a network or FUSE mount, which is not looked into`);
    expect(table.stderr.split('\n').length).toBeLessThan(6);
  });

  test("a machine's folder hangs, and another person's home", () => {
    npmGlobal(path.join(top, 'usr/local'), codex('0.48.0'));
    hang(path.join(top, 'home/ben'));
    hang(path.join(top, 'opt'));
    fs.mkdirSync(path.join(top, 'home/kim'));
    const result = scan('--world', top, '--platform', 'linux');
    expect(result.tools).toEqual(['codex-cli']);
    const ofBen = result.roots.filter(({ root }) => root.includes('/home/ben'));
    expect(new Set(ofBen.map(({ status }) => status))).toEqual(new Set(['unavailable']));
    const ofKim = result.roots.filter(({ root }) => root.includes('/home/kim'));
    expect(ofKim.some(({ status }) => status === 'complete' || status === 'absent')).toBe(true);
  });

  test('the folder that stands for a machine hangs: it is refused', () => {
    hang(path.join(top, 'machine'));
    const result = scan('--world', path.join(top, 'machine'), '--platform', 'linux');
    expect(result.exit).toBe(2);
    expect(result.stderr).toContain('it lies on a network or FUSE mount');
  });
});

describe.runIf(canHang)('what was known stays when', () => {
  const known = (): string => path.join(top, 'history');
  const at = (hour: number): readonly string[] => {
    const time = `2026-07-01T${String(hour).padStart(2, '0')}:00:00Z`;
    return ['--state', known(), '--at', time, '--home', home];
  };

  test.each([
    ['its folder', '.npm-global/lib/node_modules'],
    ['a folder above it', '.npm-global'],
    ['the home', ''],
  ])('%s begins to hang', (_, part) => {
    npmGlobal(path.join(home, '.npm-global'), codex('0.48.0'));
    link(home, '.keep', '.npm-global');
    expect(scan(...at(1)).tools).toEqual(['codex-cli']);
    hang(path.join(home, part));
    expect(scan(...at(2)).tools).toEqual(['codex-cli']);
    expect(scan(...at(3)).tools).toEqual(['codex-cli']);
  });
});
