/** Publishing: lint first, one sequence for each change, none for what is live already. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { builtInCatalogue, type Catalogue } from '../../policies/catalogue.js';
import { sparseCatalogue } from '../../policies/catalogue-schema.js';
import { readOrMakeKeys, type ServerKeys } from '../../server/keys.js';
import { documentFor } from '../../server/documents.js';
import { movePolicyKey } from '../../server/key-move.js';
import { noChange, type PolicyChange } from '../../server/policy-change.js';
import {
  preparePublish,
  publish,
  renewCatalogue,
  type Published,
  type Publisher,
} from '../../server/publish.js';
import { verifyAudit } from '../../server/audit.js';
import type { Store } from '../../server/store/index.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { noFloor, verifyBundle } from '../../wire/bundle.js';
import { sha256Hex } from '../../wire/digest.js';
import { noon } from './fixture.js';
import { banPolicy } from './policies.js';
import { plan, planAndPublish } from './publishing.js';

let folder: string;
let store: Store;
let keys: ServerKeys;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-publish-'));
  store = openSqliteStore(path.join(folder, 'server.db'));
  keys = await readOrMakeKeys(folder);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const publisher = (): Publisher => ({ store, keys, catalogue: builtInCatalogue(), now: noon });
const put = (...texts: readonly string[]): PolicyChange => ({ ...noChange, texts });
const send = (yaml: string): Promise<Published> =>
  planAndPublish(publisher(), { yaml, author: 'ana' });
const change = async (what: PolicyChange): Promise<Published> => {
  await plan(publisher(), what);
  return publish(publisher(), { change: what, author: 'ana' });
};
const second = banPolicy('2026-07-10').replace('policy: ai-coding-tools', 'policy: second');
const liveIds = async () => (await store.read.policies.latest())?.policies.map((one) => one.policy);

describe('a publish', () => {
  test('takes the next sequence for a change and none for the same text', async () => {
    const first = await send(banPolicy('2026-07-10'));
    expect(first).toMatchObject({
      kind: 'published',
      sequence: 1,
      given: ['ai-coding-tools'],
      changed: ['ai-coding-tools'],
    });
    expect(await send(banPolicy('2026-07-10'))).toMatchObject({ kind: 'same', sequence: 1 });
    expect(await send(banPolicy('2026-08-01'))).toMatchObject({ kind: 'published', sequence: 2 });
    expect(await store.read.policies.latestSequence()).toBe(2);
  });

  test('replaces the policy of its name and keeps the others in their order', async () => {
    await send(banPolicy('2026-07-10'));
    await send(second);
    await send(banPolicy('2026-08-01'));
    const live = await store.read.policies.latest();
    expect(live?.policies.map(({ policy, sequence }) => [policy, sequence])).toEqual([
      ['ai-coding-tools', 3],
      ['second', 2],
    ]);
    const verified = await verifyBundle(live?.jws ?? '', {
      pinnedKey: keys.policyKey,
      floor: noFloor,
      server: store.serverId,
    });
    expect(verified).toMatchObject({
      kind: 'bundle',
      payload: {
        sequence: 3,
        policies: [
          { priority: 0, yaml: banPolicy('2026-08-01') },
          { priority: 1, yaml: second },
        ],
      },
    });
  });

  test('of several texts is one sequence; policies go, and their order is set', async () => {
    await change(put(second, banPolicy('2026-07-10')));
    expect([await store.read.policies.latestSequence(), await liveIds()]).toEqual([
      1,
      ['second', 'ai-coding-tools'],
    ]);
    await change({ ...noChange, order: ['ai-coding-tools'] });
    expect(await liveIds()).toEqual(['ai-coding-tools', 'second']);
    const outcome = await change({ ...noChange, remove: ['ai-coding-tools'] });
    expect(outcome).toMatchObject({ removed: ['ai-coding-tools'], policies: ['second'] });
    expect(await change({ ...noChange, remove: ['second'] })).toMatchObject({ policies: [] });
  });

  test.each([
    ['two texts of one policy', put(second, second.replace('timezone', '# \ntimezone'))],
    ['a policy that is not there', { ...noChange, remove: ['second'] }],
    ['a policy both put and taken out', { ...put(second), remove: ['second'] }],
    ['an order that names what would not be live', { ...noChange, order: ['third'] }],
  ])('with %s is refused', async (_, wrong) => {
    await send(banPolicy('2026-07-10'));
    await expect(publish(publisher(), { change: wrong, author: 'ana' })).rejects.toMatchObject({
      code: 'USAGE',
    });
    expect(await liveIds()).toEqual(['ai-coding-tools']);
  });

  test('without a plan of this very content is refused, and so is one with a plan of the past', async () => {
    const texts = put(banPolicy('2026-07-10'));
    expect(await publish(publisher(), { change: texts, author: 'ana' })).toMatchObject({
      kind: 'unplanned',
      plannedOver: null,
    });
    await plan(publisher(), put(banPolicy('2026-07-11')));
    expect((await publish(publisher(), { change: texts, author: 'ana' })).kind).toBe('unplanned');
    await plan(publisher(), texts);
    await send(banPolicy('2026-09-01'));
    // Over what is live now the same file is another change.
    expect(await publish(publisher(), { change: texts, author: 'ana' })).toMatchObject({
      kind: 'unplanned',
      plannedOver: 0,
      liveSequence: 1,
    });
    expect(await change(texts)).toMatchObject({ kind: 'published', sequence: 2 });
  });

  test('that is only tried changes nothing', async () => {
    const texts = put(banPolicy('2026-07-10'));
    await plan(publisher(), texts);
    const tried = await publish(publisher(), { change: texts, author: 'ana', isDryRun: true });
    expect(tried).toMatchObject({ kind: 'would-publish', sequence: 1 });
    expect(await store.read.policies.latest()).toBeNull();
  });

  test('of a wrong text is refused with line and column, and nothing is live', async () => {
    const outcome = await change(put(second, banPolicy('2026-02-30')));
    expect(outcome).toMatchObject({
      kind: 'invalid',
      faults: [{ index: 1, problems: [{ severity: 'error', line: 14, column: 16 }] }],
    });
    expect(await store.read.policies.latest()).toBeNull();
  });

  test('that would not fit into one message to devices is refused before it is signed or prepared', async () => {
    const long = Array.from(
      { length: 8 },
      (_, n) => `${second.replace('second', `p${n}`)}# ${'x'.repeat(100_000)}\n`,
    );
    await plan(publisher(), put(...long));
    const request = { change: put(...long), author: 'ana' };
    for (const attempt of [publish, preparePublish]) {
      await expect(attempt(publisher(), request)).rejects.toMatchObject({
        code: 'REQUEST_TOO_LARGE',
      });
    }
    expect(await store.read.policies.latest()).toBeNull();
  });

  test('that comes twice at once is published once', async () => {
    const texts = put(banPolicy('2026-07-10'));
    await plan(publisher(), texts);
    const request = { change: texts, author: 'ana' };
    const both = await Promise.all([publish(publisher(), request), publish(publisher(), request)]);
    expect(both.map(({ kind }) => kind).sort()).toEqual(['published', 'same']);
  });

  test('that sets back the clock of devices says so in what is signed', async () => {
    await send(banPolicy('2026-07-10'));
    const resetFloor = '2026-07-09T12:00:00.000Z';
    await plan(publisher(), noChange);
    await publish(publisher(), { change: noChange, author: 'ana', resetFloor });
    const live = await store.read.policies.latest();
    const payload = JSON.parse(
      Buffer.from(live?.jws.split('.')[1] ?? '', 'base64url').toString(),
    ) as { resetFloor: string };
    expect(payload.resetFloor).toBe(resetFloor);
  });

  test('stands in the audit log, whose chain holds', async () => {
    await send(banPolicy('2026-07-10'));
    await change({ ...put(second), remove: ['ai-coding-tools'] });
    const entries = await store.read.people.audit(0, 10);
    expect(
      entries.map(({ actor, action, subject, detail }) => [actor, action, subject, detail]),
    ).toEqual([
      ['ana', 'policy.publish', 'ai-coding-tools', 'sequence 1'],
      ['ana', 'policy.publish', 'second, ai-coding-tools', 'sequence 2; removed ai-coding-tools'],
    ]);
    expect(await verifyAudit(store.read)).toEqual({ kind: 'whole', entries: 2 });
  });

  test('with an entry forged into the audit log is found out', async () => {
    await send(banPolicy('2026-07-10'));
    const [entry] = await store.read.people.audit(0, 1);
    if (entry === undefined) throw new Error('no entry');
    const forged = { ...entry, seq: 2, prev: entry.hash, actor: 'ben' };
    await store.write((writing) => writing.people.addAudit(forged));
    expect(await verifyAudit(store.read)).toEqual({ kind: 'broken', seq: 2 });
  });
});

/** The built-in catalogue without its last tool, as another build would have it. */
function otherCatalogue(): Catalogue {
  const { tools, editors, advisories } = builtInCatalogue();
  const document = { format: 1 as const, tools: tools.slice(0, -1), editors, advisories };
  const text = JSON.stringify(sparseCatalogue(document));
  return { ...builtInCatalogue(), tools: document.tools, sha256: sha256Hex(text) };
}

describe('a new catalogue', () => {
  test('has the live policies signed anew under its hash, once', async () => {
    const other = otherCatalogue();
    const renew = (catalogue: Catalogue) => renewCatalogue({ ...publisher(), catalogue });
    expect(await renew(other)).toBeNull();
    await send(banPolicy('2026-07-10'));
    expect(await renew(builtInCatalogue())).toBeNull();
    expect(await renew(other)).toEqual({ kind: 'renewed', sequence: 2 });
    expect(await renew(other)).toBeNull();
    const live = await store.read.policies.latest();
    const verified = await verifyBundle(live?.jws ?? '', {
      pinnedKey: keys.policyKey,
      floor: noFloor,
    });
    expect(verified).toMatchObject({
      payload: { sequence: 2, catalogue: { sha256: other.sha256 } },
    });
    expect(live?.policies).toMatchObject([{ policy: 'ai-coding-tools', sequence: 1 }]);
  });

  test('waits for the key where that is elsewhere, and the live one’s is still handed out', async () => {
    await send(banPolicy('2026-07-10'));
    const safe = mkdtempSync(path.join(tmpdir(), 'curfew-safe-'));
    const file = path.join(safe, 'policy.key');
    await movePolicyKey(publisher(), { file, author: 'ana', isDryRun: false });
    keys = await readOrMakeKeys(folder);
    const catalogue = otherCatalogue();
    const renewed = await renewCatalogue({ ...publisher(), catalogue });
    expect(renewed).toEqual({ kind: 'offline', catalogueSha256: builtInCatalogue().sha256 });
    const asked = { type: 'get', what: 'catalogue' } as const;
    const text = await documentFor(store.read, asked, { device: 'd1', catalogue });
    expect(sha256Hex(text ?? '')).toBe(builtInCatalogue().sha256);
    rmSync(safe, { recursive: true });
  });
});

describe('the keys', () => {
  test('are made once, readable by their owner only', async () => {
    const again = await readOrMakeKeys(folder);
    expect([again.policyKey, again.online]).toEqual([keys.policyKey, keys.online]);
    for (const name of ['policy-key.json', 'assignment-key.json']) {
      const file = path.join(folder, name);
      if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ kty: 'OKP' });
    }
    expect(keys.policyKey).not.toBe(keys.online.x);
  });

  test('made by two processes at once are one', async () => {
    const other = mkdtempSync(path.join(tmpdir(), 'curfew-keys-'));
    const [a, b] = await Promise.all([readOrMakeKeys(other), readOrMakeKeys(other)]);
    expect([a.policyKey, a.online]).toEqual([b.policyKey, b.online]);
    rmSync(other, { recursive: true });
  });
});
