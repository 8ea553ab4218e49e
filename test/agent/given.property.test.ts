/**
 * What a person or an MDM gives the agent: settings from three places, and the lists of accounts and processes
 * of a scan by hand. Each value is taken as it is or refused by name; none that is refused is repeated, as it
 * may be a secret.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { parseAccounts } from '../../agent/detect/world.js';
import { parseScanFlags } from '../../agent/scan-flags.js';
import { readSettings, settingTable } from '../../agent/settings.js';
import { CurfewError } from '../../wire/errors.js';
import { runs } from '../runs.js';
import { mangledText } from './mangled.js';

const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-given-')));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

describe('settings', () => {
  const secret = 'CANARY-0001';
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(
      secret,
      [secret],
      { [secret]: secret },
      'notify',
      15,
      true,
      'https://curfew.example.com',
      '/x',
    ),
  );
  const key = fc.oneof(
    fc.constantFrom(...settingTable.map((setting) => setting.key)),
    fc.string({ maxLength: 8 }),
  );
  const source = fc.option(fc.dictionary(key, value, { maxKeys: 6 }), { nil: null });
  const env = fc.dictionary(
    fc.constantFrom(...settingTable.map((setting) => setting.env)),
    fc.string({ maxLength: 12 }),
    { maxKeys: 6 },
  );

  test('have each a value of their kind, from the strongest place that has one', () => {
    fc.assert(
      fc.property(
        source,
        source,
        env,
        fc.constantFrom('linux' as const, 'darwin' as const, 'win32' as const),
        (managed, file, variables, platform) => {
          const { values, origins, problems } = readSettings({
            managed,
            file,
            env: variables,
            platform,
          });
          for (const { key: name, type, default: initial } of settingTable) {
            const [found, origin] = [values[name], origins[name]];
            if (origin === 'managed') expect(found).toEqual(managed?.[name]);
            if (origin === 'file') expect(found).toEqual(file?.[name]);
            const isRefused = problems.some(
              (problem) => problem.key === name && problem.origin === 'managed',
            );
            if (managed?.[name] != null && !isRefused) expect(origin).toBe('managed');
            if (origin === 'default') {
              if (name !== 'DataFolder') expect(found).toEqual(initial);
              continue;
            }
            if (type.kind === 'boolean') expect(typeof found).toBe('boolean');
            if (type.kind === 'enum') expect(type.values).toContain(found);
            if (type.kind === 'list') expect(Array.isArray(found)).toBe(true);
            if (type.kind === 'path') expect(path.isAbsolute(String(found))).toBe(true);
            if (type.kind === 'address') expect(URL.canParse(String(found))).toBe(true);
            if (type.kind === 'whole')
              expect(Number(found) >= type.min && Number(found) <= type.max).toBe(true);
          }
          for (const { message } of problems) expect(message).not.toContain(secret);
        },
      ),
      runs(60),
    );
  });
});

describe('the lists of a scan by hand', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
  const nullable = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: null });
  const place = fc.stringMatching(/^(\/[a-z0-9 ]{1,6}){1,3}$/);
  const account = fc.record({ name, uid: nullable(fc.nat()), home: place, shell: nullable(place) });
  const started = fc.record({
    pid: fc.nat(),
    uid: nullable(fc.nat()),
    account: nullable(name),
    comm: nullable(name),
    exe: nullable(place),
    cwd: nullable(place),
    argv: nullable(fc.array(fc.string({ maxLength: 10 }), { maxLength: 4 })),
  });
  const write = (file: string, text: string): string => {
    fs.writeFileSync(path.join(folder, file), text);
    return path.join(folder, file);
  };
  const flags = (accounts: string, processes: string) =>
    parseScanFlags([
      '--world',
      folder,
      '--platform',
      'linux',
      '--accounts',
      accounts,
      '--processes',
      processes,
    ]);

  test('are taken as they were written', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(account, { maxLength: 4 }),
        fc.array(started, { maxLength: 4 }),
        async (accounts, processes) => {
          const read = await flags(
            write('a.json', JSON.stringify(accounts)),
            write('p.json', `\ufeff${JSON.stringify(processes)}`),
          );
          expect(read).toMatchObject({ accounts, processes });
        },
      ),
      runs(20),
    );
  });

  test('that are no such lists are refused with a sentence about the file', async () => {
    const sample = JSON.stringify([
      { name: 'ana', uid: 1000, home: '/home/ana', shell: null, pid: 1, argv: ['a'] },
    ]);
    const text = fc.oneof(fc.json({ maxDepth: 3 }), mangledText(sample));
    await fc.assert(
      fc.asyncProperty(text, text, async (accounts, processes) => {
        try {
          await flags(write('a.json', accounts), write('p.json', processes));
        } catch (error) {
          expect(error).toBeInstanceOf(CurfewError);
          expect((error as CurfewError).message).toMatch(/^--(accounts|processes) .*[ap]\.json/);
        }
      }),
      runs(30),
    );
  });

  test('name the entry and the field that is wrong', () => {
    fc.assert(
      fc.property(
        fc.array(account, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        fc.constantFrom('name', 'home', 'uid', 'shell'),
        (list, pick, field) => {
          const at = pick % list.length;
          const wrong = list.map((one, index) =>
            index === at ? { ...one, [field]: { not: 'so' } } : one,
          );
          expect(() => parseAccounts(wrong)).toThrow(`accounts[${at}].${field}`);
        },
      ),
      runs(20),
    );
  });
});
