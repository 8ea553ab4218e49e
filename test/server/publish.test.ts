/** Publishing: lint first, one sequence for each change, none for what is live already. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { readOrMakeKeys, type ServerKeys } from '../../server/keys.js';
import { publish, renewCatalogue, type Published } from '../../server/publish.js';
import { verifyAudit } from '../../server/audit.js';
import type { Store } from '../../server/store/index.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { noFloor, verifyBundle } from '../../wire/bundle.js';
import { noon } from './fixture.js';
import { banPolicy } from './policies.js';

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

const send = (yaml: string): Promise<Published> =>
  publish({ store, keys, catalogue: builtInCatalogue(), now: noon }, { yaml, author: 'ana' });

describe('a publish', () => {
  test('takes the next sequence for a change and none for the same text', async () => {
    const first = await send(banPolicy('2026-07-10'));
    expect(first).toMatchObject({ kind: 'published', sequence: 1, policy: 'ai-coding-tools' });
    expect(await send(banPolicy('2026-07-10'))).toMatchObject({ kind: 'same', sequence: 1 });
    expect(await send(banPolicy('2026-08-01'))).toMatchObject({ kind: 'published', sequence: 2 });
    expect(await store.read.policies.latestSequence()).toBe(2);
  });

  test('replaces the policy of its name and keeps the others in their order', async () => {
    const other = banPolicy('2026-07-10').replace('policy: ai-coding-tools', 'policy: second');
    await send(banPolicy('2026-07-10'));
    await send(other);
    await send(banPolicy('2026-08-01'));
    const live = await store.read.policies.latest();
    expect(live?.policies.map(({ policy, sequence }) => [policy, sequence])).toEqual([
      ['ai-coding-tools', 3],
      ['second', 2],
    ]);
    const verified = await verifyBundle(live?.jws ?? '', {
      pinnedKey: keys.policy.x,
      floor: noFloor,
      server: store.serverId,
    });
    expect(verified).toMatchObject({
      kind: 'bundle',
      payload: {
        sequence: 3,
        policies: [
          { priority: 0, yaml: banPolicy('2026-08-01') },
          { priority: 1, yaml: other },
        ],
      },
    });
  });

  test('of a wrong text is refused with line and column, and nothing is live', async () => {
    const outcome = await send(banPolicy('2026-02-30'));
    expect(outcome).toMatchObject({
      kind: 'invalid',
      problems: [{ severity: 'error', line: 14, column: 16 }],
    });
    expect(await store.read.policies.latest()).toBeNull();
  });

  test('that comes twice at once is published once', async () => {
    const both = await Promise.all([send(banPolicy('2026-07-10')), send(banPolicy('2026-07-10'))]);
    expect(both.map(({ kind }) => kind).sort()).toEqual(['published', 'same']);
  });

  test('stands in the audit log, whose chain holds', async () => {
    await send(banPolicy('2026-07-10'));
    await send(banPolicy('2026-08-01'));
    const entries = await store.read.people.audit(0, 10);
    expect(entries.map(({ actor, action, detail }) => [actor, action, detail])).toEqual([
      ['ana', 'policy.publish', 'sequence 1'],
      ['ana', 'policy.publish', 'sequence 2'],
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

describe('a new catalogue', () => {
  test('has the live policies signed anew under its hash, once', async () => {
    const catalogue = builtInCatalogue();
    const renew = (sha256: string) =>
      renewCatalogue({ store, keys, catalogue: { ...catalogue, sha256 }, now: noon });
    expect(await renew('e'.repeat(64))).toBeNull();
    await send(banPolicy('2026-07-10'));
    expect(await renew(catalogue.sha256)).toBeNull();
    expect(await renew('e'.repeat(64))).toBe(2);
    expect(await renew('e'.repeat(64))).toBeNull();
    const live = await store.read.policies.latest();
    const verified = await verifyBundle(live?.jws ?? '', {
      pinnedKey: keys.policy.x,
      floor: noFloor,
    });
    expect(verified).toMatchObject({
      payload: { sequence: 2, catalogue: { sha256: 'e'.repeat(64) } },
    });
    expect(live?.policies).toMatchObject([{ policy: 'ai-coding-tools', sequence: 1 }]);
  });
});

describe('the keys', () => {
  test('are made once, readable by their owner only', async () => {
    const again = await readOrMakeKeys(folder);
    expect(again).toEqual(keys);
    for (const name of ['policy-key.json', 'assignment-key.json']) {
      const file = path.join(folder, name);
      if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ kty: 'OKP' });
    }
    expect(keys.policy.x).not.toBe(keys.online.x);
  });

  test('made by two processes at once are one', async () => {
    const other = mkdtempSync(path.join(tmpdir(), 'curfew-keys-'));
    const [a, b] = await Promise.all([readOrMakeKeys(other), readOrMakeKeys(other)]);
    expect(a).toEqual(b);
    rmSync(other, { recursive: true });
  });
});
