/** Settings: which source wins, and what is said about a value that is wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isLoopback, prepareFolder, readSettings } from '../../server/settings.js';
import { CurfewError } from '../../wire/errors.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-settings-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (text: string): void => writeFileSync(path.join(folder, 'server.yaml'), text);
const read = (
  flags: Record<string, string> = {},
  environment: Record<string, string | undefined> = {},
) => readSettings({ flags: { data: folder, ...flags }, environment });
const refused = (work: () => unknown): CurfewError => {
  try {
    work();
  } catch (error) {
    if (error instanceof CurfewError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('sources', () => {
  test('defaults listen on loopback only', () => {
    expect(read()).toMatchObject({
      host: '127.0.0.1',
      port: 7410,
      staleDays: 7,
      isBehindProxy: false,
    });
  });

  test('a flag goes before the environment, that before the file, that before the default', () => {
    file('port: 1111\nstale-days: 3\nretention-days: 30\n');
    const environment = { CURFEW_SERVER_PORT: '2222', CURFEW_SERVER_STALE_DAYS: '4' };
    expect(read({ port: '3333' }, environment)).toMatchObject({
      port: 3333,
      staleDays: 4,
      retentionDays: 30,
      checkInMinutes: 60,
    });
  });

  test('the data folder comes from flag or environment, as an absolute path', () => {
    const environment = { CURFEW_SERVER_DATA: path.relative(process.cwd(), folder) };
    expect(readSettings({ flags: {}, environment }).dataFolder).toBe(folder);
  });
});

describe('what is refused', () => {
  test.each([
    ['port', '65536', 'a whole number from 0 to 65535'],
    ['port', '-1', 'a whole number'],
    ['stale-days', '0', 'a whole number from 1'],
    ['behind-proxy', 'yes', 'true or false'],
    ['public-url', 'curfew.example', 'an http or https address'],
    ['log-level', 'loud', 'one of error, warn'],
  ])('%s %s', (name, value, expected) => {
    const error = refused(() => read({ [name]: value }));
    expect(error.code).toBe('SETTING_INVALID');
    expect(error.message).toContain(`${name} is "${value}" in --${name}`);
    expect(error.message).toContain(expected);
  });

  test('a file with an unknown key, the data folder, a list or broken YAML', () => {
    for (const text of ['colour: red\n', 'data: /elsewhere\n', '- 1\n', 'port: [\n']) {
      file(text);
      expect(refused(() => read()).code).toBe('SETTING_INVALID');
    }
  });
});

describe('the data folder', () => {
  test('that cannot be made is refused with the fix', () => {
    const inTheWay = path.join(folder, 'file');
    writeFileSync(inTheWay, '');
    const error = refused(() => prepareFolder(path.join(inTheWay, 'data')));
    expect(error.code).toBe('FOLDER_NOT_WRITABLE');
    expect(error.hint).toContain('--data');
  });
});

test('loopback is what only this machine reaches', () => {
  expect(['127.0.0.1', '127.8.8.8', '::1', 'localhost'].map(isLoopback)).toEqual(
    Array.from({ length: 4 }, () => true),
  );
  expect(['0.0.0.0', '::', '192.168.0.1', '127.0.0.1.example'].map(isLoopback)).toEqual(
    Array.from({ length: 4 }, () => false),
  );
});
