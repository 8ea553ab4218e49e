/** A plan is of one content over one bundle: it holds for nothing else, and no longer once that is past. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isPlanned, keepPlan, planContent, withChanged } from '../../server/plan.js';
import type { Store } from '../../server/store/index.js';
import type { StoredBundle } from '../../server/store/records.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { noon } from './fixture.js';

let folder: string;
let store: Store;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-plan-'));
  store = openSqliteStore(path.join(folder, 'server.db'));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const catalogueSha256 = 'a'.repeat(64);
const bundle = (sequence: number): StoredBundle => ({
  sequence,
  jws: 'x',
  publishedAt: noon,
  author: 'ana',
  catalogueSha256,
  policies: [],
});
const plan = { author: 'ana', at: noon };

describe('the content of a plan', () => {
  const one = { yaml: 'policy: one' };
  const other = { yaml: 'policy: other' };

  test('differs by text, order, number of policies and catalogue, and by nothing else', () => {
    const contents = [
      planContent([], catalogueSha256),
      planContent([one], catalogueSha256),
      planContent([one, other], catalogueSha256),
      planContent([other, one], catalogueSha256),
      planContent([{ yaml: `${one.yaml}${other.yaml}` }], catalogueSha256),
      planContent([one], 'b'.repeat(64)),
    ];
    expect(new Set(contents).size).toBe(contents.length);
    expect(planContent([{ ...one }], catalogueSha256)).toBe(planContent([one], catalogueSha256));
  });

  test('keeps the place of a changed policy and puts a new one last', () => {
    const text = (policy: string, yaml: string) => ({ policy, yaml });
    const live = [text('a', '1'), text('b', '1')];
    expect(withChanged(live, [text('c', '2'), text('a', '2')])).toEqual([
      text('a', '2'),
      text('b', '1'),
      text('c', '2'),
    ]);
  });
});

describe('a kept plan', () => {
  test('is found by its content until another bundle is live', async () => {
    expect(
      await store.write((writing) => keepPlan(writing, { ...plan, content: 'c', baseSequence: 0 })),
    ).toBe(true);
    expect(await isPlanned(store.read.policies, 'c')).toBe(true);
    expect(await isPlanned(store.read.policies, 'd')).toBe(false);
    await store.write((writing) => writing.policies.addBundle(bundle(1)));
    expect(await isPlanned(store.read.policies, 'c')).toBe(false);
  });

  test('is not kept when something was published since it was begun', async () => {
    await store.write((writing) => writing.policies.addBundle(bundle(1)));
    const late = { ...plan, content: 'c', baseSequence: 0 };
    expect(await store.write((writing) => keepPlan(writing, late))).toBe(false);
    expect(await store.read.policies.plan('c', 0)).toBe(null);
  });

  test('gives way to a thousand newer ones', async () => {
    await store.write(async (writing) => {
      for (let at = 0; at <= 1000; at += 1) {
        await writing.policies.addPlan({ content: String(at), baseSequence: 0, author: 'ana', at });
      }
    });
    expect(await store.read.policies.plan('0', 0)).toBe(null);
    expect(await store.read.policies.plan('1', 0)).toMatchObject({ author: 'ana', at: 1 });
  });
});
