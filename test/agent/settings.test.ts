/** The settings table and its readers: precedence per key, wrong types, the configuration file. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  environmentName,
  machineSettings,
  readSettings,
  settingTable,
} from '../../agent/settings.js';
import { makeFolder } from './store-fixture.js';

const read = (sources: {
  managed?: Record<string, unknown>;
  file?: Record<string, unknown>;
  env?: Record<string, string>;
}) =>
  readSettings({
    managed: sources.managed ?? null,
    file: sources.file ?? null,
    env: sources.env ?? {},
    platform: 'linux',
  });

describe('precedence', () => {
  test('a managed key wins over file and environment, and each key is decided by itself', () => {
    const { values, origins } = read({
      managed: { MaxAction: 'observe' },
      file: { MaxAction: 'block', CheckInMinutes: 15 },
      env: {
        CURFEW_MAX_ACTION: 'remove',
        CURFEW_CHECK_IN_MINUTES: '30',
        CURFEW_LOG_LEVEL: 'debug',
      },
    });
    expect([values.MaxAction, origins.MaxAction]).toEqual(['observe', 'managed']);
    expect([values.CheckInMinutes, origins.CheckInMinutes]).toEqual([15, 'file']);
    expect([values.LogLevel, origins.LogLevel]).toEqual(['debug', 'environment']);
    expect([values.OwnHome, origins.OwnHome]).toEqual([false, 'default']);
  });

  test('a value of the wrong type is said and leaves the key to the next origin', () => {
    const { values, origins, problems } = read({
      managed: { CheckInMinutes: 'often', ProxyBypass: ['a.example'] },
      file: { CheckInMinutes: 20 },
    });
    expect([values.CheckInMinutes, origins.CheckInMinutes]).toEqual([20, 'file']);
    expect(values.ProxyBypass).toEqual(['a.example']);
    expect(problems).toEqual([
      {
        key: 'CheckInMinutes',
        origin: 'managed',
        message: 'must be a whole number from 5 to 1440',
      },
    ]);
  });

  test('an unknown key warns and changes nothing', () => {
    const { problems } = read({ file: { Colour: 'blue' } });
    expect(problems).toEqual([
      { key: 'Colour', origin: 'file', message: 'is no setting of this version' },
    ]);
  });
});

test.each([
  ['https://curfew.example.com', 'https://curfew.example.com'],
  ['http://127.0.0.1:7410', 'http://127.0.0.1:7410'],
  ['http://curfew.example.com', null],
  ['ftp://curfew.example.com', null],
  ['not an address', null],
])('ServerUrl %s is taken as %s', (given, taken) => {
  const { values, problems } = read({ env: { CURFEW_SERVER_URL: given } });
  expect(values.ServerUrl).toBe(taken);
  expect(problems).toHaveLength(taken === null ? 1 : 0);
});

test('a problem never repeats the value, which may be a secret', () => {
  const { problems } = read({ managed: { EnrollToken: ['cfe_CANARY'] } });
  expect(problems).toHaveLength(1);
  expect(JSON.stringify(problems)).not.toContain('CANARY');
});

test('environment names are CURFEW_ and the key in upper snake', () => {
  expect(environmentName('ServerUrl')).toBe('CURFEW_SERVER_URL');
  expect(environmentName('ExtraCaFile')).toBe('CURFEW_EXTRA_CA_FILE');
  const conventions = ['ServerUrl', 'EnrollToken', 'DeviceGroup', 'MaxAction', 'CheckInMinutes']
    .concat(['ProxyUrl', 'ProxyBypass', 'ExtraCaFile', 'LogLevel', 'PromptOrgName'])
    .concat(['PromptContactUrl', 'PolicyKey', 'AssignedUser']);
  expect(settingTable.map(({ key }) => key)).toEqual(expect.arrayContaining(conventions));
  expect(settingTable.filter(({ isSecret }) => isSecret).map(({ key }) => key)).toEqual([
    'EnrollToken',
  ]);
});

test('the file of the data folder is read, and a broken one is said and passed over', () => {
  const folder = makeFolder();
  const env = { CURFEW_DATA_FOLDER: folder };
  fs.writeFileSync(path.join(folder, 'config.json'), '{"CheckInMinutes": 7}');
  expect(machineSettings('linux', env).values.CheckInMinutes).toBe(7);
  fs.writeFileSync(path.join(folder, 'config.json'), '{"CheckInMinutes": 7');
  const broken = machineSettings('linux', env);
  expect(broken.values.CheckInMinutes).toBe(60);
  expect(broken.problems.map(({ message }) => message)).toContain('is not JSON');
});
