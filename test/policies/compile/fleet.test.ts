/**
 * The Fleet target against osquery's own schema: every compiled query runs in SQLite, finds what is
 * planted in each table that shows the tool, and leaves look-alikes alone.
 */
import type Database from 'better-sqlite3';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { builtInCatalogue } from '../../../policies/catalogue.js';
import { fleet } from '../../../policies/compile/fleet.js';
import type { Compiled } from '../../../policies/compile/index.js';
import { inRange } from '../../../policies/versions.js';
import { compiled } from './policies.js';
import { clear, osqueryTables, plant } from './osquery-tables.js';

const db = osqueryTables();
afterAll(() => db.close());
beforeEach(() => clear(db));

interface Item {
  readonly name: string;
  readonly query: string;
  readonly platform: string;
  readonly critical?: boolean;
  readonly resolution?: string;
}

const itemsOf = (result: Compiled, name: string): readonly Item[] =>
  parse(result.files.find((file) => file.name === `fleet/${name}`)?.text ?? '[]') as Item[];
const policiesOf = (result: Compiled): readonly Item[] => itemsOf(result, 'curfew.policies.yml');

const deny = (match: string, more = ''): string => `
policy: p
title: A policy
timezone: utc
default: { decision: review }
rules:
${more}  - id: ban
    match: ${match}
    decision: deny
    effective: 2026-07-10
    after: block
    reason: { en: "It's \\"banned\\": see C:\\\\x" }
`;

const passes = (one: Item): boolean => db.prepare(one.query).all().length > 0;

function failingPlatforms(result: Compiled): string[] {
  return policiesOf(result)
    .filter((one) => !passes(one))
    .map(({ platform }) => platform)
    .sort();
}

describe('a denied tool is found in each table that shows it, and its look-alikes are not', () => {
  const claude = compiled(fleet, deny('{ tool: claude-code }'));
  const all = ['darwin', 'linux', 'windows'];
  const cases: readonly {
    table: string;
    row: Readonly<Record<string, string>>;
    like: Readonly<Record<string, string>>;
    on: readonly string[];
    of?: Compiled;
  }[] = [
    {
      table: 'npm_packages',
      row: {
        name: '@anthropic-ai/claude-code',
        path: '/usr/lib/node_modules/@anthropic-ai/claude-code',
      },
      like: { name: '@anthropic-ai/claude-code-helper', path: '/usr/lib/node_modules/x' },
      on: all,
    },
    {
      table: 'homebrew_packages',
      row: { name: 'claude-code', path: '/opt/homebrew/Caskroom/claude-code' },
      like: { name: 'claude-code-router', path: '/opt/homebrew/Cellar/claude-code-router' },
      on: ['darwin'],
    },
    {
      table: 'file',
      row: { path: '/home/ana/.local/share/claude/versions/2.1.100', filename: '2.1.100' },
      like: { path: '/home/ana/.local/share/claude-desktop/versions/2', filename: '2' },
      on: ['linux'],
    },
    {
      table: 'processes',
      row: { name: 'claude', path: '/home/ana/.local/bin/claude', cmdline: 'claude' },
      like: {
        name: 'Claude',
        path: '/Applications/Claude.app/Contents/MacOS/Claude',
        cmdline: 'Claude',
      },
      on: ['darwin', 'linux'],
    },
    {
      table: 'processes',
      row: {
        name: 'node',
        path: '/usr/bin/node',
        cmdline: 'node /usr/lib/node_modules/@anthropic-ai/claude-code/cli.js',
      },
      like: {
        name: 'vim',
        path: '/usr/bin/vim',
        cmdline: 'vim /usr/lib/node_modules/@anthropic-ai/claude-code/cli.js',
      },
      on: ['darwin', 'linux'],
    },
    {
      table: 'python_packages',
      row: { name: 'Aider_Chat', version: '0.86.1', path: '/usr/lib/python3/dist-packages' },
      like: { name: 'aider-chat-extra', version: '1', path: '/usr/lib/python3/dist-packages' },
      on: all,
      of: compiled(fleet, deny('{ tool: aider }')),
    },
    {
      table: 'vscode_extensions',
      row: { name: 'GitHub.Copilot', version: '1.388.0', uid: '501' },
      like: { name: 'github.copilot-labs', version: '1.0.0', uid: '501' },
      on: all,
      of: compiled(fleet, deny('{ package: { editor-extension: GitHub.copilot } }')),
    },
    {
      table: 'chrome_extensions',
      row: { identifier: 'fcoeoabgfenejglbffodgkkbkcdhcgfn', uid: '502', name: 'Claude' },
      like: { identifier: 'fcoeoabgfenejglbffodgkkbkcdhcgfm', uid: '502', name: 'Claude' },
      on: all,
      of: compiled(fleet, deny('{ channel: browser-extension, vendor: Anthropic }')),
    },
    {
      table: 'firefox_addons',
      row: { identifier: '{b764208e-0a98-436d-a599-c1baa044f829}', uid: '501', name: 'x' },
      like: { identifier: '{b764208e-0a98-436d-a599-c1baa044f820}', uid: '501', name: 'x' },
      on: all,
      of: compiled(
        fleet,
        deny('{ package: { browser-extension: "{b764208e-0a98-436d-a599-c1baa044f829}" } }'),
      ),
    },
    {
      table: 'apps',
      row: { name: 'Cursor.app', bundle_identifier: 'com.todesktop.230313mzl4w4u92', path: '/A' },
      like: { name: 'Cursor.app', bundle_identifier: 'com.todesktop.230313mzl4w4u93', path: '/A' },
      on: ['darwin'],
      of: compiled(fleet, deny('{ tool: cursor }')),
    },
    {
      table: 'programs',
      row: { name: 'Cursor (User)', version: '2.0.1' },
      like: { name: 'Cursor Editor', version: '2.0.1' },
      on: ['windows'],
      of: compiled(fleet, deny('{ tool: cursor }')),
    },
    {
      table: 'chocolatey_packages',
      row: { name: 'Ollama', version: '0.5', path: 'C:\\ProgramData\\chocolatey\\lib\\ollama' },
      like: { name: 'ollama-ui', version: '0.5', path: 'C:\\x' },
      on: ['windows'],
      of: compiled(fleet, deny('{ tool: ollama }')),
    },
    {
      table: 'deb_packages',
      row: { name: 'claude-desktop', version: '1', status: 'install ok installed' },
      like: { name: 'claude-desktop', version: '1', status: 'deinstall ok config-files' },
      on: ['linux'],
      of: compiled(fleet, deny('{ package: { dpkg: claude-desktop } }')),
    },
    {
      table: 'rpm_packages',
      row: { name: 'warp-terminal', version: '1' },
      like: { name: 'warp-terminal-doc', version: '1' },
      on: ['linux'],
      of: compiled(fleet, deny('{ package: { rpm: warp-terminal } }')),
    },
  ];
  test.each(cases)('$table: $row', ({ table, row, like, on, of = claude }) => {
    expect(failingPlatforms(of), 'an empty machine passes').toEqual([]);
    plant(db, table, like);
    expect(failingPlatforms(of), 'the look-alike alone passes').toEqual([]);
    plant(db, table, row);
    expect(failingPlatforms(of), 'the planted row fails').toEqual(on);
    const found = itemsOf(of, 'curfew.queries.yml')
      .filter(({ platform }) => on.includes(platform))
      .map(({ query }) => db.prepare(query).all() as { channel: string }[]);
    for (const rows of found) expect(rows).toHaveLength(1);
  });
});

test('what a package brings along below itself is not the tool', () => {
  const claude = compiled(fleet, deny('{ tool: claude-code }'));
  plant(db, 'npm_packages', {
    name: '@anthropic-ai/claude-code',
    path: '/usr/lib/node_modules/wrapper/node_modules/@anthropic-ai/claude-code',
  });
  expect(failingPlatforms(claude)).toEqual([]);
});

const versionCases: readonly [string, Readonly<Record<string, boolean>>][] = [
  [
    '>=2.1.91 <=2.1.197',
    {
      ...{ '2.1.90': false, '2.1.91-rc.1': false, '2.1.91': true, '2.1.100': true },
      ...{ '2.1.197-rc.1': true, '2.1.197': true, '2.1.198-rc.1': false, '2.1.198': false },
      ...{ '2.2.0': false, '10.1.100': false },
    },
  ],
  // As in evaluation: a prerelease does not slip past the range that its order puts it in.
  ['<2', { '1.9.9': true, '2.0.0-rc.1': true, '2.0.0': false, '2.0.0+build-5': false }],
  ['3.x', { '2.9.9': false, '3.0.0-rc.1': true, '3.4.5': true, '4.0.0-rc.1': false }],
  ['1.2.3 || 1.2.5', { '1.2.3': true, '1.2.3-rc.1': false, '1.2.4': false, '1.2.5': true }],
];

test.each(versionCases)('a rule about %s finds those versions and no others', (range, versions) => {
  const result = compiled(fleet, deny(`{ tool: claude-code, version: "${range}" }`));
  for (const [version, isDenied] of Object.entries(versions)) {
    clear(db);
    const name = '@anthropic-ai/claude-code';
    plant(db, 'npm_packages', { name, version, path: `/usr/lib/node_modules/${name}` });
    expect(failingPlatforms(result).length > 0, version).toBe(isDenied);
    // The oracle is what a device would say.
    expect(inRange('npm', version, range), version).toBe(isDenied ? 'in' : 'out');
  }
  expect(result.notExpressible.map(({ tool }) => tool)).toContain('claude-code');
});

test('a name with quotes, a comment or a line end in it stays a name', () => {
  const name = `x'); DROP TABLE users; -- "\\n: #`;
  const result = compiled(fleet, deny(`{ package: { npm: ${JSON.stringify(name)} } }`));
  plant(db, 'npm_packages', { name, path: '/usr/lib/node_modules/x' });
  expect(failingPlatforms(result)).toEqual(['darwin', 'linux', 'windows']);
  expect((db.prepare('SELECT count(*) AS n FROM users').get() as { n: number }).n).toBe(2);
});

test('every policy and query of the whole catalogue is valid SQL with a name of its own', () => {
  const result = compiled(
    fleet,
    deny(
      '{ kind: [coding-agent, ide, editor-plugin, desktop-app, browser, browser-extension, personal-agent, model-runner, gateway, sdk, terminal, other] }',
    ),
  );
  const items = [...policiesOf(result), ...itemsOf(result, 'curfew.queries.yml')];
  for (const one of items) expect(() => db.prepare(one.query) as Database.Statement).not.toThrow();
  expect(new Set(items.map(({ name }) => name)).size).toBe(items.length);
  const told = new Set([
    ...items.map(({ name }) => /\[(.+)\]/.exec(name)?.[1]),
    ...result.notExpressible.map(({ tool }) => tool),
  ]);
  const missing = builtInCatalogue().tools.filter(({ id }) => !told.has(id));
  expect(missing.map(({ id }) => id)).toEqual([]);
});

test('only the operating systems of the policy are asked, and an approved tool never', () => {
  const result = compiled(
    fleet,
    `${deny(
      '{ vendor: Anthropic }',
      '  - { id: keep, match: { tool: claude-desktop }, decision: approve }\n',
    )}targets: { os: [darwin] }\n`,
  );
  const platforms = policiesOf(result).map(({ platform }) => platform);
  expect([...new Set(platforms)]).toEqual(['darwin']);
  expect(policiesOf(result).filter(({ name }) => name.includes('[claude-desktop]'))).toEqual([]);
});

test('before the date nothing is written, and the date is told', () => {
  const result = compiled(fleet, deny('{ tool: claude-code }'), { at: '2026-07-09T23:59:59Z' });
  expect(result.files).toEqual([]);
  expect(result.warnings.join()).toContain('2026-07-10T00:00:00.000Z');
});
