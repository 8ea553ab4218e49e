/**
 * What a device holds to be signed: through restarts, a lost database and a new policy key, nothing
 * older, foreign or forged takes the place of what it has.
 */
import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readPins, writePins, type Identity } from '../../agent/identity-files.js';
import {
  openDocuments,
  type Documents,
  type RefusedDocument,
} from '../../agent/report/documents.js';
import { databaseName, openStore } from '../../agent/store.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { signAssignment } from '../../wire/assignment.js';
import {
  makePolicyKey,
  noFloor,
  signBundle,
  thumbprint,
  type BundlePayload,
  type SigningKey,
} from '../../wire/bundle.js';
import { temporaryFolder } from './link-fixture.js';

let folder: string;
let identity: Identity;
let policyKey: SigningKey;
let nextKey: SigningKey;
let onlineKey: SigningKey;
let otherOnlineKey: SigningKey;
let refusals: RefusedDocument[];
let resets: number[];
/** Setting `PolicyKey`. */
let namedKey: string | null;

beforeAll(async () => {
  [policyKey, nextKey, onlineKey, otherOnlineKey] = await Promise.all([
    makePolicyKey(),
    makePolicyKey(),
    makePolicyKey(),
    makePolicyKey(),
  ]);
});
beforeEach(async () => {
  folder = temporaryFolder();
  refusals = [];
  resets = [];
  namedKey = null;
  identity = {
    format: 1,
    serverUrl: 'http://127.0.0.1/',
    serverId: 'server-1',
    deviceId: 'device-1',
    key: await makePolicyKey(),
    policyKey: 'unverified',
    enrolledAt: '2026-07-01T00:00:00Z',
  };
  writePins(folder, {
    format: 1,
    serverId: 'server-1',
    deviceId: 'device-1',
    policyKey: policyKey.x,
    bundle: noFloor,
    assignment: noFloor,
  });
});

/** A start of the agent: the database is opened, used and closed. */
async function run<T>(use: (documents: Documents) => Promise<T> | T): Promise<T> {
  const store = openStore(folder);
  try {
    const documents = await openDocuments({
      dataFolder: folder,
      identity,
      store,
      builtIn: builtInCatalogue(),
      now: () => Date.UTC(2026, 6, 2),
      namedKey,
      onResetFloor: (floorMs) => void resets.push(floorMs),
      onRefused: (refusal) => void refusals.push(refusal),
    });
    return await use(documents);
  } finally {
    store.close();
  }
}

const bundle = (
  sequence: number,
  key = policyKey,
  more: Partial<BundlePayload> = {},
): Promise<string> =>
  signBundle(
    {
      format: 1,
      server: 'server-1',
      sequence,
      issuedAt: '2026-07-01T00:00:00Z',
      policies: [{ priority: 0, yaml: `policy: p${sequence}\n` }],
      catalogue: { sha256: builtInCatalogue().sha256 },
      assignmentKeys: [onlineKey.x],
      nextPolicyKey: null,
      ...more,
    },
    key,
  );
const assignment = (sequence: number, key = onlineKey, device = 'device-1'): Promise<string> =>
  signAssignment(
    {
      format: 1,
      server: 'server-1',
      device,
      sequence,
      issuedAt: '2026-07-01T00:00:00Z',
      group: null,
      persons: {},
      exceptions: [],
      pause: false,
      message: null,
      rescanAfter: null,
    },
    key,
  );
const held = (documents: Documents) => documents.current().bundle?.sequence ?? null;
const loseDatabase = (): void => {
  for (const ending of ['', '-wal', '-shm']) {
    rmSync(path.join(folder, databaseName + ending), { force: true });
  }
};

describe('a bundle', () => {
  test('C087: seven stays against five, another seven and a retired key, with a restart between', async () => {
    const seven = await bundle(7, policyKey, { nextPolicyKey: nextKey.x });
    await run((documents) => documents.take('bundle', seven));
    const five = await bundle(5, nextKey);
    const sevenB = await bundle(7, nextKey, { policies: [] });
    const eight = await bundle(8, policyKey);
    await run(async (documents) => {
      expect(held(documents)).toBe(7);
      let changes = 0;
      documents.onChange(() => (changes += 1));
      for (const wrong of [five, sevenB, eight, five]) {
        expect((await documents.take('bundle', wrong)).kind).toBe('refused');
      }
      expect([held(documents), changes]).toEqual([7, 0]);
    });
    // One word each: the second offer of five is not told again.
    expect(refusals.map(({ code }) => code)).toEqual([
      'BUNDLE_SEQUENCE_OLD',
      'BUNDLE_SEQUENCE_OLD',
      'BUNDLE_SIGNATURE_INVALID',
    ]);
    const good = await bundle(8, nextKey);
    await run((documents) => documents.take('bundle', good));
    await run((documents) => expect(held(documents)).toBe(8));
  });

  test('C087: the floor survives the loss of the database, and the same bundle comes back', async () => {
    const seven = await bundle(7);
    await run((documents) => documents.take('bundle', seven));
    loseDatabase();
    const six = await bundle(6);
    await run(async (documents) => {
      expect(held(documents)).toBeNull();
      expect((await documents.take('bundle', six)).kind).toBe('refused');
      expect((await documents.take('bundle', seven)).kind).toBe('taken');
      expect(held(documents)).toBe(7);
    });
  });

  test('from a database that was put back from an older copy is not used', async () => {
    const five = await bundle(5);
    await run((documents) => documents.take('bundle', five));
    const copy = temporaryFolder();
    cpSync(path.join(folder, databaseName), path.join(copy, databaseName));
    const seven = await bundle(7);
    await run((documents) => documents.take('bundle', seven));
    loseDatabase();
    cpSync(path.join(copy, databaseName), path.join(folder, databaseName));
    await run((documents) => expect(held(documents)).toBeNull());
    expect(refusals.map(({ code }) => code)).toEqual(['BUNDLE_SEQUENCE_OLD']);
  });

  test('written just before a crash, its pins not yet, is taken up at the next start', async () => {
    const five = await bundle(5);
    await run((documents) => documents.take('bundle', five));
    const pins = readPins(folder);
    const six = await bundle(6, policyKey, { nextPolicyKey: nextKey.x });
    await run((documents) => documents.take('bundle', six));
    if (pins !== null) writePins(folder, pins);
    await run((documents) => expect(held(documents)).toBe(6));
    expect(readPins(folder)).toMatchObject({ policyKey: nextKey.x, bundle: { sequence: 6 } });
  });
});

describe('a key after a key', () => {
  test('through two rotations is climbed to, and only the newest bundle is gone by', async () => {
    const third = await makePolicyKey();
    await run(async (documents) => {
      await documents.take('bundle', await bundle(1));
      let changes = 0;
      documents.onChange(() => (changes += 1));
      expect(documents.policyKey()).toBe(await thumbprint(policyKey.x));
      const steps = [
        [await bundle(4, policyKey, { nextPolicyKey: nextKey.x }), nextKey],
        [await bundle(7, nextKey, { nextPolicyKey: third.x }), third],
      ] as const;
      for (const [step, trusted] of steps) {
        expect((await documents.take('bundle', step, 9)).kind).toBe('taken');
        expect(documents.policyKey()).toBe(await thumbprint(trusted.x));
        expect([held(documents), changes]).toEqual([1, 0]);
      }
      expect(documents.bundleSequence()).toBe(7);
      await documents.take('bundle', await bundle(9, third), 9);
      expect([held(documents), changes]).toEqual([9, 1]);
    });
    for (const retired of [policyKey, nextKey]) {
      const forged = await bundle(10, retired);
      await run(async (documents) => {
        expect(await documents.take('bundle', forged)).toMatchObject({
          code: 'BUNDLE_SIGNATURE_INVALID',
        });
        expect(held(documents)).toBe(9);
      });
    }
  });

  test('is followed though the machine is switched off on the way', async () => {
    await run(async (documents) => documents.take('bundle', await bundle(1)));
    const step = await bundle(4, policyKey, { nextPolicyKey: nextKey.x });
    await run((documents) => documents.take('bundle', step, 5));
    const newest = await bundle(5, nextKey);
    await run(async (documents) => {
      expect(held(documents)).toBe(4);
      expect((await documents.take('bundle', newest, 5)).kind).toBe('taken');
    });
    await run((documents) => expect(held(documents)).toBe(5));
  });

  test('named by the settings takes over where the old one is lost, and for good', async () => {
    await run(async (documents) => documents.take('bundle', await bundle(7)));
    namedKey = await thumbprint(nextKey.x);
    const eight = await bundle(8);
    // Below the floor, which was the lost key's: whoever found that could have raised it without end.
    const rescue = await bundle(3, nextKey);
    await run(async (documents) => {
      expect([held(documents), documents.awaitsNamedKey()]).toEqual([7, true]);
      expect((await documents.take('bundle', eight)).kind).toBe('refused');
      expect((await documents.take('bundle', rescue)).kind).toBe('taken');
      expect([held(documents), documents.awaitsNamedKey()]).toEqual([3, false]);
      expect((await documents.take('bundle', await bundle(2, nextKey))).kind).toBe('refused');
    });
    // A setting that still, or again, names the retired key brings it back no more.
    namedKey = await thumbprint(policyKey.x);
    await run(async (documents) => {
      expect((await documents.take('bundle', eight)).kind).toBe('refused');
      expect((await documents.take('bundle', await bundle(4, nextKey))).kind).toBe('taken');
    });
  });

  test('named by the settings is not believed of a bundle that only carries it', async () => {
    await run(async (documents) => documents.take('bundle', await bundle(1)));
    namedKey = await thumbprint(nextKey.x);
    const honest = await bundle(2, nextKey);
    const [head = ''] = honest.split('.');
    const [, payload = '', signature = ''] = (await bundle(2, policyKey)).split('.');
    await run(async (documents) => {
      for (const forged of [`${head}.${payload}.${signature}`, await bundle(2, onlineKey)]) {
        expect((await documents.take('bundle', forged)).kind).toBe('refused');
      }
      expect(held(documents)).toBe(1);
    });
  });
});

test('a refused bundle is told once, also after restarts and without the database', async () => {
  await run(async (documents) => documents.take('bundle', await bundle(7)));
  const five = await bundle(5);
  for (let start = 0; start < 3; start += 1) {
    await run((documents) => documents.take('bundle', five));
    loseDatabase();
  }
  expect(refusals.map(({ code }) => code)).toEqual(['BUNDLE_SEQUENCE_OLD']);
});

test('a floor of time is reset once by the bundle that says so, and by none on the way', async () => {
  const resetFloor = '2026-07-01T08:00:00Z';
  const step = { nextPolicyKey: nextKey.x, resetFloor: '2020-01-01T00:00:00Z' };
  await run(async (documents) => {
    await documents.take('bundle', await bundle(2, policyKey, step), 3);
    const three = await bundle(3, nextKey, { resetFloor });
    for (let time = 0; time < 2; time += 1) await documents.take('bundle', three, 3);
  });
  await run((documents) => expect(held(documents)).toBe(3));
  expect(resets).toEqual([Date.UTC(2026, 6, 1, 8)]);
});

describe('an assignment', () => {
  test('without a bundle, for another device or older is refused', async () => {
    const two = await assignment(2);
    await run(async (documents) => {
      expect((await documents.take('assignment', two)).kind).toBe('refused');
      await documents.take('bundle', await bundle(1));
      expect((await documents.take('assignment', two)).kind).toBe('taken');
      for (const wrong of [await assignment(1), await assignment(3, onlineKey, 'device-2')]) {
        expect((await documents.take('assignment', wrong)).kind).toBe('refused');
      }
      expect(documents.current().assignment?.sequence).toBe(2);
    });
    await run((documents) => expect(documents.current().assignment?.sequence).toBe(2));
  });

  test('goes with its key when a new bundle no longer names it', async () => {
    await run(async (documents) => {
      await documents.take('bundle', await bundle(1));
      await documents.take('assignment', await assignment(4));
      const without = { assignmentKeys: [otherOnlineKey.x] };
      await documents.take('bundle', await bundle(2, policyKey, without));
      expect(documents.current().assignment).toBeNull();
    });
    await run((documents) => expect(documents.current().assignment).toBeNull());
  });
});

test('pins that are missing or another device’s stop the agent with a word', async () => {
  identity = { ...identity, deviceId: 'device-2' };
  await expect(run(() => undefined)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
});
