/**
 * The conductor of a scan: what a failure, a missing home or a slow root costs, and how one install
 * that several roots show becomes one record.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { componentId, makeComponent, packageUrl } from '../../agent/detect/component.js';
import type { Detector, Root, World } from '../../agent/detect/index.js';
import { folderWorld, homesWorld, parseAccounts } from '../../agent/detect/world.js';
import { planRoots, scanWorld, uniteTwo } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import { place } from '../worlds/native.js';
import * as made from '../worlds/npm.js';

const catalogue = builtInCatalogue();
let top = '';
let home = '';

beforeEach(() => {
  top = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-scan-'));
  home = path.join(top, 'home/ana');
  fs.mkdirSync(home, { recursive: true });
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

/** A detector of one root, for what the real ones never do. */
function detector(change: Partial<Detector>, world: World, at = home): Detector {
  const root: Root = {
    id: `mcp:${at}`,
    channel: 'mcp',
    manager: null,
    path: at,
    home: world.homes[0] ?? null,
    boundary: { within: [at] },
    watch: [],
  };
  return { channel: 'mcp', roots: () => [root], read: () => [], ...change };
}

const statuses = (world: World): Record<string, string> =>
  Object.fromEntries(
    scanWorld(world).readings.map(({ root, status }) => [root.home?.account ?? '', status]),
  );

describe('what fails', () => {
  test('a detector that throws while reading costs its root only', () => {
    made.npmGlobal(path.join(home, '.npm-global'), made.codex('0.48.0'));
    const world = homesWorld([home], { catalogue });
    const broken = detector(
      {
        read() {
          throw new Error('broken');
        },
      },
      world,
    );
    const [npm] = [planRoots(world)[0]?.root];
    expect(npm?.channel).toBe('npm');
    const result = scanWorld(world, { detectors: [broken] });
    expect(result.status).toBe('partial');
    expect(result.readings).toMatchObject([
      { status: 'unreadable', problems: [{ code: 'io', isLoss: true }] },
    ]);
    expect(result.readings[0]?.problems[0]?.path).toContain('mcp detector');
  });

  test('a detector that cannot say its roots leaves one unread root per owner', () => {
    const world = homesWorld([home], { catalogue });
    const broken = detector(
      {
        roots() {
          throw new Error('broken');
        },
      },
      world,
    );
    const { readings, status } = scanWorld(world, { detectors: [broken, detector({}, world)] });
    expect(status).toBe('partial');
    expect(readings.map((one) => [one.root.home?.account ?? null, one.status])).toEqual([
      [null, 'unreadable'],
      ['ana', 'unreadable'],
      ['ana', 'complete'],
    ]);
  });

  test('a root whose time is used up is marked and does not hold up the others', () => {
    made.npmGlobal(path.join(home, '.npm-global'), made.codex('0.48.0'));
    const { readings, status, components } = scanWorld(homesWorld([home], { catalogue }), {
      rootTimeMs: -1,
    });
    expect(status).toBe('partial');
    expect(components).toEqual([]);
    const read = readings.filter(({ status: one }) => one === 'timeout');
    expect(read.length).toBeGreaterThan(0);
    expect(read.every(({ problems }) => problems.some(({ code }) => code === 'timeout'))).toBe(
      true,
    );
  });
});

describe('homes', () => {
  const accounts = parseAccounts([
    { name: 'ana', uid: 1000, home: '/home/ana', shell: '/bin/zsh' },
  ]);

  test('C062 a listed home that is missing or empty is unavailable, never clean', () => {
    const world = () => folderWorld(top, 'linux', { catalogue, accounts });
    expect(statuses(world())).toMatchObject({ ana: 'unavailable' });
    fs.rmSync(home, { recursive: true });
    expect(statuses(world())).toMatchObject({ ana: 'unavailable' });
    place(home, '.profile', '');
    expect(scanWorld(world()).status).toBe('complete');
  });

  test('a folder given as a home may be empty, but has to be there', () => {
    expect(scanWorld(homesWorld([home], { catalogue })).status).toBe('complete');
    const missing = scanWorld(homesWorld([path.join(top, 'none')], { catalogue }));
    expect(missing.status).toBe('partial');
    expect(new Set(missing.readings.map(({ status }) => status))).toEqual(new Set(['unavailable']));
  });
});

describe('roots', () => {
  test('only the named roots are read, and ids stay the same from plan to plan', () => {
    made.npmGlobal(path.join(home, '.npm-global'), made.codex('0.48.0'));
    made.nvm(home, 'v22.21.0', made.gemini('0.9.0'));
    const plan = (): string[] =>
      planRoots(homesWorld([home], { catalogue })).map(({ root }) => root.id);
    expect(plan()).toEqual(plan());
    expect(new Set(plan()).size).toBe(plan().length);
    const id = `npm:${path.join(home, '.nvm/versions/node')}`;
    const result = scanWorld(homesWorld([home], { catalogue }), { roots: new Set([id]) });
    expect(result.readings.map(({ root }) => root.id)).toEqual([id]);
    expect(result.components.map(({ tool }) => tool)).toEqual(['gemini-cli']);
  });

  test('a root that is not there is absent, one that is there is complete', () => {
    made.nvm(home, 'v22.21.0', made.gemini('0.9.0'));
    const { readings } = scanWorld(homesWorld([home], { catalogue }));
    const at = (below: string): string | undefined =>
      readings.find(({ root }) => root.path === path.join(home, below))?.status;
    expect(at('.nvm/versions/node')).toBe('complete');
    expect(at('.npm-global/lib/node_modules')).toBe('absent');
  });
});

describe('one install, one record', () => {
  test('a package and its launcher on the PATH are one component', () => {
    made.npmGlobal(path.join(top, 'usr/local'), made.codex('0.48.0'));
    const { components } = scanWorld(folderWorld(top, 'linux', { catalogue }));
    expect(components.map(({ channel, tool }) => [channel, tool])).toEqual([['npm', 'codex-cli']]);
  });

  test('one folder under two names, by a link of the folder above, is one component', () => {
    made.npmGlobal(path.join(home, '.nvm/versions/node/v22.21.0'), made.codex('0.48.0'));
    fs.symlinkSync('.nvm/versions/node/v22.21.0', path.join(home, '.npm-global'));
    const { components, status } = scanWorld(homesWorld([home], { catalogue }));
    expect(status).toBe('complete');
    expect(components).toHaveLength(1);
  });

  test('a home behind a link keeps the spelling it was given', () => {
    made.npmGlobal(path.join(home, '.npm-global'), made.codex('0.48.0'));
    const alias = path.join(top, 'ana');
    fs.symlinkSync(home, alias);
    expect(scanWorld(homesWorld([alias], { catalogue })).components).toMatchObject([
      { owner: 'ana', path: `${alias}/.npm-global/lib/node_modules/@openai/codex` },
    ]);
  });

  test('the surer record stands, with the evidence of both', () => {
    const world = homesWorld([home], { catalogue });
    const found = (change: Partial<Component>): Component => ({
      ...makeComponent(world, {
        tool: 'codex-cli',
        channel: 'npm',
        manager: null,
        name: '@openai/codex',
        version: null,
        path: path.join(home, 'x'),
        state: 'residual',
        confidence: 'low',
        evidence: ['PATH'],
      }),
      ...change,
    });
    const sure = found({
      version: '0.48.0',
      confidence: 'high',
      state: 'installed',
      manager: 'nvm',
      evidence: ['package.json'],
    });
    for (const united of [uniteTwo(found({}), sure), uniteTwo(sure, found({}))]) {
      expect(united).toMatchObject({
        version: '0.48.0',
        confidence: 'high',
        state: 'installed',
        manager: 'nvm',
        evidence: ['PATH', 'package.json'],
      });
    }
  });
});

describe('identity', () => {
  test('an id is equal for one install, and differs by channel, name, path and owner', () => {
    const ids = [
      componentId('npm', 'a', '/x', 'ana'),
      componentId('pypi', 'a', '/x', 'ana'),
      componentId('npm', 'b', '/x', 'ana'),
      componentId('npm', 'a', '/y', 'ana'),
      componentId('npm', 'a', '/x', null),
      componentId('npm', 'a', '/x', 'null'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids[0]).toBe(componentId('npm', 'a', '/x', 'ana'));
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  test('package URLs are written as their specification has them', () => {
    // Examples of https://github.com/package-url/purl-spec, types npm and pypi.
    expect(packageUrl('npm', 'foobar', '12.3.1')).toBe('pkg:npm/foobar@12.3.1');
    expect(packageUrl('npm', '@angular/animation', '12.3.1')).toBe(
      'pkg:npm/%40angular/animation@12.3.1',
    );
    expect(packageUrl('pypi', 'Django_allauth', '12.23')).toBe('pkg:pypi/django-allauth@12.23');
    expect(packageUrl('npm', 'opencode-ai', null)).toBe('pkg:npm/opencode-ai');
    expect(packageUrl('executable', 'claude', '1.0.0')).toBeNull();
  });
});
