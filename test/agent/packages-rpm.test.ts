/**
 * What rpm's database says is installed, in each of its forms. Versions and package URLs are expected as
 * rpm and the purl specification write them.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { executables } from '../../agent/detect/executables.js';
import type { World } from '../../agent/detect/index.js';
import { packages } from '../../agent/detect/packages.js';
import { readRpmHeader } from '../../agent/detect/rpm-header.js';
import { folderWorld } from '../../agent/detect/world.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { link, place, program } from '../worlds/native.js';
import { rpmHeader, rpmNdb, rpmSqlite } from '../worlds/rpm.js';
import { runs } from '../runs.js';

const catalogue = builtInCatalogue();
const warp = {
  name: 'warp-terminal',
  version: '0.2026.06.01',
  release: '1',
  epoch: 2,
  files: ['/opt/warp/warp', '/usr/bin/warp-terminal', '/usr/share/doc/warp/readme'],
};
let root = '';

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-rpm-')));
  fs.mkdirSync(path.join(root, 'home/ana'), { recursive: true });
  place(root, 'etc/os-release', 'NAME="Fedora Linux"\nID=fedora\n');
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function scan(change: Partial<World> = {}): ScanResult {
  const world = { ...folderWorld(root, 'linux', { catalogue }), ...change };
  return scanWorld(world, { detectors: [packages, executables] });
}

const problems = (result: ScanResult): unknown[] =>
  result.readings.flatMap(({ status, problems: each }) =>
    each.map(({ code, path: at }) => `${status} ${code} ${at}`),
  );

const told = {
  tool: 'warp',
  channel: 'package',
  manager: 'rpm',
  name: 'warp-terminal',
  version: '2:0.2026.06.01-1',
  purl: 'pkg:rpm/fedora/warp-terminal@0.2026.06.01-1?arch=x86_64&epoch=2',
  owner: null,
  state: 'installed',
};

describe.each([
  ['SQLite', rpmSqlite, 200],
  ['ndb', rpmNdb, 100],
] as const)('a database in %s', (_, write, others) => {
  test('tells a wanted package among hundreds, and no name that only begins alike', () => {
    write(root, [{ name: 'warp-terminal-data', version: '1', release: '1' }, warp]);
    const result = scan();
    expect(problems(result)).toEqual([]);
    expect(result.components).toMatchObject([told]);
  });

  test('without an epoch the version is version and release', () => {
    const { epoch: _epoch, ...plain } = warp;
    write(root, [plain]);
    expect(scan().components).toMatchObject([
      {
        version: '0.2026.06.01-1',
        purl: 'pkg:rpm/fedora/warp-terminal@0.2026.06.01-1?arch=x86_64',
      },
    ]);
  });

  test('its two folders are one where one leads to the other', () => {
    write(root, [warp]);
    link(root, 'var/lib/rpm', '../../usr/lib/sysimage/rpm');
    expect(scan().components).toMatchObject([told]);
  });

  test('a program that the package has put there is no install of its own', () => {
    write(root, [warp]);
    program(root, 'usr/bin/warp-terminal');
    expect(scan().components).toMatchObject([told]);
    program(root, 'usr/local/bin/warp-terminal');
    const places = scan().components.map(({ channel }) => channel);
    expect(places).toEqual(['package', 'executable']);
  });

  test('a package that only a rule names has no tool; under a rule of the channel all are told', () => {
    write(root, [warp, { name: 'gpg-pubkey', version: '1', release: '1' }]);
    const named = new Map([['rpm', new Set(['other-7'])]]);
    expect(scan({ named }).components).toMatchObject([
      { tool: null, name: 'other-7', version: '7-1.fc43' },
      { tool: 'warp' },
    ]);
    const all = scan({ wholeChannels: new Set(['package']) }).components;
    expect(all).toHaveLength(others + 1);
  });

  test('a database cut short is never complete, and gives no version made up', () => {
    const file = write(root, [warp]);
    for (const share of [0.9, 0.5, 0.01, 0]) {
      fs.truncateSync(file, Math.floor(fs.statSync(file).size * share));
      const result = scan();
      expect(result.status).toBe('partial');
      for (const { version } of result.components) expect(version).toBe(told.version);
    }
  });

  test('bytes changed at will neither throw nor run on', () => {
    const file = write(root, [warp]);
    const whole = fs.readFileSync(file);
    const change = fc.record({
      at: fc.oneof(fc.nat(whole.length - 1), fc.nat(5000)),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = Buffer.from(whole);
        for (const { at, bytes: those } of changes) Buffer.from(those).copy(bytes, at);
        fs.writeFileSync(file, bytes);
        expect(['complete', 'partial']).toContain(scan().status);
      }),
      runs(20),
    );
  });
});

test('a row that SQLite has deleted is no package', () => {
  const db = new Database(rpmSqlite(root, [warp]));
  db.pragma('foreign_keys = off');
  db.exec("delete from Packages where hnum = (select hnum from Name where key = 'warp-terminal')");
  db.exec("delete from Name where key = 'warp-terminal'");
  db.close();
  expect(scan()).toMatchObject({ status: 'complete', components: [] });
});

test('a Berkeley database is not read, and its root says so', () => {
  place(root, 'var/lib/rpm/Packages', '\0'.repeat(4096));
  const result = scan();
  expect(result.components).toEqual([]);
  expect(problems(result)).toEqual(['partial unsupported /var/lib/rpm/Packages']);
  expect(result.status).toBe('partial');
});

test('a header gives all its files, whatever is cut off gives fewer', () => {
  const whole = rpmHeader(warp);
  expect(readRpmHeader(whole)?.files()).toEqual(warp.files);
  for (let length = 0; length < whole.length; length += 1) {
    const header = readRpmHeader(whole.subarray(0, length));
    for (const file of header?.files() ?? []) expect(warp.files).toContain(file);
    if (header !== null) expect(header.name).toBe('warp-terminal');
  }
});
