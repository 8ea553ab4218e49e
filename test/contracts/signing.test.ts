/** What a store keeps of signing: bundles found by sequence and by signer, ways back, catalogues. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Store } from '../../server/store/index.js';
import { openSqliteStore } from '../../server/store/sqlite.js';

let folder: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-signing-'));
  store = openSqliteStore(path.join(folder, 'server.db'));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const bundle = (sequence: number) => ({
  sequence,
  jws: `jws-${sequence}`,
  publishedAt: sequence,
  author: 'ana',
  catalogueSha256: `catalogue-${sequence}`,
  policies: [],
});
const ready = (sequence: number) => ({
  sequence,
  ofSequence: 1,
  jws: `ready-${sequence}`,
  author: 'ana',
  keptAt: 5,
});

test('bundles are found by sequence, over gaps, and by the key that they retire', async () => {
  await store.write(async (writing) => {
    for (const sequence of [1, 2, 9]) await writing.policies.addBundle(bundle(sequence));
    await writing.signing.addRotation(1, 'first-key');
    await writing.signing.addRotation(9, 'second-key');
  });
  const { policies, signing } = store.read;
  expect((await policies.bundle(2))?.jws).toBe('jws-2');
  expect(await policies.bundle(3)).toBeNull();
  expect((await policies.bundleBefore(9))?.sequence).toBe(2);
  expect(await policies.bundleBefore(1)).toBeNull();
  expect(await signing.rotationBy('first-key')).toBe('jws-1');
  expect(await signing.rotationBy('second-key')).toBe('jws-9');
  expect(await signing.rotationBy('third-key')).toBeNull();
  expect([await signing.hasSigned('first-key'), await signing.hasSigned('third-key')]).toEqual([
    true,
    false,
  ]);
});

test('the key of the next bundle is the last one that was set', async () => {
  expect(await store.read.signing.policyKey()).toBeNull();
  for (const x of ['one', 'two']) {
    await store.write((writing) => writing.signing.setPolicyKey(x));
  }
  expect(await store.read.signing.policyKey()).toBe('two');
});

test('ways back are kept until a higher sequence is live', async () => {
  await store.write(async (writing) => {
    for (const sequence of [7, 12, 9]) await writing.signing.addReady(ready(sequence));
  });
  expect(await store.read.signing.ready()).toEqual([ready(12), ready(9), ready(7)]);
  await store.write((writing) => writing.signing.dropReady(9));
  expect((await store.read.signing.ready()).map(({ sequence }) => sequence)).toEqual([12]);
});

test('a plan is found over the bundle it was made for, and over any', async () => {
  const plan = (baseSequence: number) => ({ content: 'c', baseSequence, author: 'ana', at: 1 });
  await store.write(async (writing) => {
    for (const base of [3, 5]) await writing.policies.addPlan(plan(base));
  });
  expect(await store.read.policies.plan('c', 4)).toBeNull();
  expect((await store.read.policies.planOf('c'))?.baseSequence).toBe(5);
  expect(await store.read.policies.planOf('d')).toBeNull();
});

test('a catalogue that the live bundle names stays, however many come after it', async () => {
  await store.write(async (writing) => {
    await writing.policies.addBundle(bundle(1));
    for (let at = 1; at <= 20; at += 1) {
      await writing.signing.putCatalogue(`catalogue-${at}`, `text ${at}`);
    }
  });
  const { signing } = store.read;
  expect(await signing.catalogue('catalogue-1')).toBe('text 1');
  expect(await signing.catalogue('catalogue-2')).toBeNull();
  expect(await signing.catalogue('catalogue-20')).toBe('text 20');
});
