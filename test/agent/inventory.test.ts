/** What appears, what changes and what is gone: only complete reads remove, and only at the second look. */
import { beforeEach, expect, test } from 'vitest';
import {
  applyReadings,
  attach,
  coverage,
  removalConfirmMs,
  type InventoryChanges,
} from '../../agent/inventory.js';
import type { Reading } from '../../agent/detect/index.js';
import { openStore, type Store } from '../../agent/store.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { RootStatus } from '../../policies/component.js';
import { ben, makeComponent, makeFolder, makeRoot, reading } from './store-fixture.js';

let store: Store;
beforeEach(() => {
  store = openStore(makeFolder());
  return () => store.close();
});

const globals = makeRoot('npm:globals');
const shims = makeRoot('executable:bin');
const codex = makeComponent('codex');
const second = 1000;

function apply(atMs: number, readings: readonly Reading[], isFull = false): InventoryChanges {
  return applyReadings(store, { readings, isFull, atMs });
}
const names = (): string[] => store.components().map(({ component }) => component.name);

test('a component is new once, and its new version is a change and no removal', () => {
  expect(apply(0, [reading(globals, [codex])]).present).toEqual([codex]);
  expect(apply(second, [reading(globals, [codex])]).present).toEqual([]);
  const newer = makeComponent('codex', { version: '2.0.0' });
  const changes = apply(2 * second, [reading(globals, [newer])]);
  expect(changes).toMatchObject({ present: [newer], removed: [] });
  expect(store.components()[0]?.firstSeen).toBe(0);
  expect(store.history(5).map(({ kind, before, after }) => [kind, before, after])).toEqual([
    ['changed', '1.0.0 installed', '2.0.0 installed'],
    ['appeared', null, '1.0.0'],
  ]);
});

test('the gap in the middle of an update, 40 s long, is no removal', () => {
  apply(0, [reading(globals, [codex])]);
  const gap = apply(10 * second, [reading(globals, [])]);
  expect(gap.removed).toEqual([]);
  expect(gap.nextChecks).toEqual([{ root: globals.id, atMs: 10 * second + removalConfirmMs }]);
  expect(apply(30 * second, [reading(globals, [])]).removed).toEqual([]);
  const back = apply(50 * second, [reading(globals, [codex])]);
  expect(back).toMatchObject({ present: [], removed: [], nextChecks: [] });
  expect(store.history(9).map(({ kind }) => kind)).toEqual(['appeared']);
});

test('what a second look 45 s later still lacks is gone, which is within a minute', () => {
  apply(0, [reading(globals, [codex])]);
  const [check] = apply(second, [reading(globals, [])]).nextChecks;
  expect(check?.atMs).toBeLessThanOrEqual(second + 60 * second);
  expect(apply(check?.atMs ?? 0, [reading(globals, [])]).removed).toEqual([codex.id]);
  expect(names()).toEqual([]);
  expect(store.history(1)[0]).toMatchObject({ kind: 'removed', before: '1.0.0' });
});

const keeping: readonly RootStatus[] = ['partial', 'unreadable', 'unavailable', 'timeout'];
test.each(keeping)('a root that is %s removes nothing, however often', (status) => {
  apply(0, [reading(globals, [codex])]);
  for (const minutes of [1, 2, 3]) {
    expect(apply(minutes * 60 * second, [reading(globals, [], status)]).removed).toEqual([]);
  }
  expect(names()).toEqual(['codex']);
  expect(store.root(globals.id)).toMatchObject({ status, lastComplete: 0 });
});

test('a root that is gone removes, after a second look', () => {
  apply(0, [reading(globals, [codex])]);
  apply(60 * second, [reading(globals, [], 'absent')]);
  expect(names()).toEqual(['codex']);
  expect(apply(120 * second, [reading(globals, [], 'absent')]).removed).toEqual([codex.id]);
});

test('an install that another root still shows stays', () => {
  apply(0, [reading(globals, [codex]), reading(shims, [codex])]);
  apply(60 * second, [reading(globals, [])]);
  expect(apply(120 * second, [reading(globals, [])]).removed).toEqual([]);
  expect(store.sharing([shims.id])).toEqual(new Set([shims.id]));
  apply(180 * second, [reading(shims, [])]);
  expect(apply(240 * second, [reading(shims, [])]).removed).toEqual([codex.id]);
});

test('a rescan of one root closes that root’s rows alone', () => {
  const project = makeRoot('npm:project');
  const inProject = makeComponent('opencode', { scope: 'project' });
  apply(0, [reading(globals, [codex]), reading(project, [inProject])], true);
  for (const minutes of [1, 2, 3]) {
    apply(minutes * 60 * second, [reading(globals, [codex])]);
  }
  expect(names().sort()).toEqual(['codex', 'opencode']);
});

test('a root that a full scan no longer lists goes with what it showed', () => {
  const oldNode = makeRoot('npm:v20');
  apply(0, [reading(globals, [codex]), reading(oldNode, [makeComponent('gemini-cli')])], true);
  apply(60 * second, [reading(globals, [codex])], true);
  expect(apply(120 * second, [reading(globals, [codex])], true).removed).toHaveLength(1);
  expect(names()).toEqual(['codex']);
  expect(store.root(oldNode.id)).toBeNull();
});

test('while a home is not mounted, the roots it no longer lists are kept; another’s are not', () => {
  const oldNode = makeRoot('npm:v20');
  const benNode = makeRoot('npm:ben', ben);
  const gemini = makeComponent('gemini-cli', { owner: 'ben' });
  const all = [reading(globals, []), reading(oldNode, [codex]), reading(benNode, [gemini])];
  apply(0, all, true);
  const blind = [reading(globals, [], 'unavailable')];
  apply(60 * second, blind, true);
  apply(120 * second, blind, true);
  expect(names()).toEqual(['codex']);
});

test('running is attached from a process of the same tool and owner, and from no one else’s', () => {
  const live = makeComponent('codex', { state: 'running', channel: 'process', id: 'a'.repeat(32) });
  const ofBen = makeComponent('codex', { owner: 'ben' });
  apply(0, [reading(globals, [codex, ofBen, live])]);
  const running = attach(store, builtInCatalogue()).map(({ component }) => [
    component.owner,
    component.channel,
    component.running,
  ]);
  expect(running).toEqual(
    expect.arrayContaining([
      ['ana', 'npm', true],
      ['ana', 'process', true],
      ['ben', 'npm', false],
    ]),
  );
});

test('coverage is as old as the root that was read to its end longest ago', () => {
  apply(0, [reading(globals, []), reading(shims, [])], true);
  apply(60 * second, [reading(globals, [])]);
  expect(coverage(store.roots(), 'ana')).toMatchObject({ isComplete: true, lastComplete: 0 });
  apply(90 * second, [reading(shims, [], 'timeout')]);
  const after = coverage(store.roots(), 'ana');
  expect(after).toMatchObject({ isComplete: false, lastComplete: 0, roots: 2 });
  expect(after.notRead.map(({ id }) => id)).toEqual([shims.id]);
  expect(coverage(store.roots(), null)).toMatchObject({ roots: 0 });
});
