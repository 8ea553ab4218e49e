/** Enrolment over HTTP: tokens, repeated requests, hardware seen before, bad input. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeEnrolToken } from '../../server/enrol.js';
import type { ProblemJson } from '../../server/views.js';
import { makeDeviceKey } from '../../wire/identity.js';
import type { EnrollAnswer } from '../../wire/messages.js';
import { thumbprint } from '../../wire/bundle.js';
import { enrolDevice, facts, postEnrol, startServer, type Running } from './fixture.js';

let running: Running;

beforeEach(async () => {
  running = await startServer();
});
afterEach(async () => {
  await running.stop();
  running.remove();
});

const token = (options: { uses?: number | null; group?: string | null } = {}): Promise<string> =>
  makeEnrolToken(running.store, {
    group: options.group ?? null,
    label: null,
    lifeMs: 3_600_000,
    uses: options.uses ?? null,
    actor: 'test',
    now: running.clock.now,
  });

async function request(secret: string): Promise<Record<string, unknown>> {
  const key = await makeDeviceKey();
  return { token: secret, publicKey: key.x, facts: facts('laptop-1'), group: 'field', label: null };
}

async function refusedWith(body: unknown): Promise<[number, string, string | null]> {
  const response = await postEnrol(running.url, body);
  const problem = (await response.json()) as ProblemJson;
  return [response.status, problem.code, response.headers.get('content-type')];
}
const problemJson = 'application/problem+json; charset=utf-8';

describe('a token', () => {
  test('is exchanged for an identity that names the policy key and its thumbprint', async () => {
    const secret = await token();
    expect(secret).toMatch(/^cfe_[A-Za-z0-9_-]{43}$/);
    const response = await postEnrol(running.url, await request(secret));
    expect(response.status).toBe(200);
    const answer = (await response.json()) as EnrollAnswer;
    expect(answer.serverId).toBe(running.store.serverId);
    expect(answer.policyKeyThumbprint).toBe(await thumbprint(answer.policyKey));
    expect(answer.time).toBe('2026-07-09T12:00:00.000Z');
    const device = await running.store.read.devices.get(answer.deviceId);
    expect(device).toMatchObject({ group: 'field', mayReplace: null, revokedAt: null });
  });

  test('puts its own group before the one the device asks for', async () => {
    const response = await postEnrol(running.url, await request(await token({ group: 'finance' })));
    const { deviceId } = (await response.json()) as EnrollAnswer;
    expect((await running.store.read.devices.get(deviceId))?.group).toBe('finance');
  });

  test('is unknown, expired, used up or revoked, each by its code', async () => {
    expect(await refusedWith(await request('cfe_unknown'))).toEqual([
      401,
      'ENROLL_TOKEN_UNKNOWN',
      problemJson,
    ]);
    const once = await token({ uses: 1 });
    expect((await postEnrol(running.url, await request(once))).status).toBe(200);
    expect((await refusedWith(await request(once)))[1]).toBe('ENROLL_TOKEN_USED_UP');
    const revoked = await token();
    await running.store.write((writing) => writing.tokens.revoke(2));
    expect((await refusedWith(await request(revoked)))[1]).toBe('ENROLL_TOKEN_EXPIRED');
    const old = await token();
    running.clock.now += 3_600_000;
    expect((await refusedWith(await request(old)))[1]).toBe('ENROLL_TOKEN_EXPIRED');
  });

  test('answers the same key with the same device, without another use', async () => {
    const body = await request(await token({ uses: 1 }));
    const first = (await (await postEnrol(running.url, body)).json()) as EnrollAnswer;
    const second = (await (await postEnrol(running.url, body)).json()) as EnrollAnswer;
    expect(second.deviceId).toBe(first.deviceId);
  });

  test('never stands in the database', async () => {
    const secret = await token();
    const { readFileSync, readdirSync } = await import('node:fs');
    for (const file of readdirSync(running.folder)) {
      expect(readFileSync(`${running.folder}/${file}`).includes(secret)).toBe(false);
    }
  });
});

describe('hardware', () => {
  test('that was seen before makes a new device that may replace the old one', async () => {
    const old = await enrolDevice(running, 'laptop-1', 'board-7');
    const renewed = await enrolDevice(running, 'laptop-1', 'board-7');
    expect(renewed.id).not.toBe(old.id);
    expect((await running.store.read.devices.get(renewed.id))?.mayReplace).toBe(old.id);
  });

  test('without an id matches nothing', async () => {
    await enrolDevice(running, 'laptop-1', null);
    const other = await enrolDevice(running, 'laptop-1', null);
    expect((await running.store.read.devices.get(other.id))?.mayReplace).toBeNull();
  });
});

describe('bad input', () => {
  test('is a problem that names the field', async () => {
    const body = { ...(await request(await token())), publicKey: 'short' };
    const response = await postEnrol(running.url, body);
    const problem = (await response.json()) as ProblemJson;
    expect([response.status, problem.code]).toEqual([400, 'REQUEST_INVALID']);
    expect(problem.detail).toContain('/publicKey');
  });

  test('with unknown fields, no JSON or too many bytes has its code', async () => {
    const extra = { ...(await request(await token())), admin: true };
    expect((await refusedWith(extra)).slice(0, 2)).toEqual([400, 'REQUEST_INVALID']);
    const long = { ...(await request(await token())), label: 'x'.repeat(100_000) };
    expect(await refusedWith(long)).toEqual([413, 'REQUEST_TOO_LARGE', problemJson]);
    const response = await fetch(`${running.url}/api/v1/enroll`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"token":',
    });
    expect(((await response.json()) as ProblemJson).code).toBe('REQUEST_INVALID');
  });

  test('in floods is slowed down', async () => {
    const slow = await startServer({ flags: { 'enrolments-per-minute': '3' } });
    const statuses: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      statuses.push((await postEnrol(slow.url, {})).status);
    }
    expect(statuses).toEqual([400, 400, 400, 429]);
    await slow.stop();
    slow.remove();
  });
});
