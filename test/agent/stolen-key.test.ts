/**
 * Somebody has stolen the online key and signs what they like with it. A device that gets it may be
 * softened and may follow another policy of its bundle; nothing gets stricter, nothing runs wild, and
 * a bundle with another key puts an end to it (docs/developer/wire.md).
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AssignmentPayload, maxSequenceStep } from '../../wire/assignment.js';
import { signBundle, thumbprint } from '../../wire/bundle.js';
import {
  bundlePayload,
  empty,
  excepted,
  makeVictim,
  signText,
  strict,
  type Victim,
} from './thief.js';

let victim: Victim;
beforeEach(async () => {
  victim = await makeVictim();
});
afterEach(() => victim.close());

describe('with a stolen online key', () => {
  test('what an assignment has no field for goes nowhere', async () => {
    await victim.take({ sequence: 1 });
    const before = victim.verdict();
    expect(before).toMatchObject({ status: 'pending', action: 'notify', policy: 'usual' });
    const taken = await victim.take({
      sequence: 2,
      rules: [
        { id: 'mine', match: { channel: ['npm'] }, decision: 'deny', effective: '2020-01-01' },
      ],
      policies: [{ priority: -1, yaml: strict.replace('targets: { groups: [lab] }', '') }],
      default: { decision: 'deny', effective: '2020-01-01', after: 'remove' },
      ...{ effective: '2020-01-01', announce: '2020-01-01', after: 'remove', maxAction: 'remove' },
      ...{ action: 'remove', effectiveAction: 'remove', status: 'violation', severity: 'critical' },
      ...{ notices: { ban: 0 }, resetFloor: '2030-01-01T00:00:00Z', now: '2030-01-01T00:00:00Z' },
      ...{
        catalogue: { sha256: '0'.repeat(64) },
        assignmentKeys: [victim.fresh.x],
        nextPolicyKey: victim.fresh.x,
      },
      exceptions: [
        {
          ...excepted,
          tool: 'codex',
          status: 'violation',
          rule: 'ban',
          effective: 0,
          action: 'remove',
        },
      ],
    });
    expect(taken.kind).toBe('taken');
    expect(victim.verdict()).toEqual(before);
    const { assignment } = victim.documents.current();
    expect(Object.keys(assignment ?? {}).sort()).toEqual(
      Object.keys(AssignmentPayload.properties).sort(),
    );
    expect(Object.keys(assignment?.exceptions[0] ?? {}).sort()).toEqual(
      ['author', 'device', 'id', 'reason', 'tool', 'until'].sort(),
    );
    expect(victim.documents.policyKey()).toBe(await thumbprint(victim.policyKey.x));
  });

  test('another policy of the bundle may be chosen, and no policy from elsewhere', async () => {
    await victim.take({ sequence: 1, group: 'lab' });
    expect(victim.verdict()).toMatchObject({
      status: 'violation',
      policy: 'strict',
      action: 'remove',
    });
    // The ceiling of the machine's settings is nothing that an assignment speaks of.
    expect(victim.verdict().effectiveAction).toBe('block');
    await victim.take({ sequence: 2, group: 'no-such-group' });
    expect(victim.verdict().policy).toBe('usual');
  });

  test('no bundle can be signed', async () => {
    const payload = {
      ...bundlePayload(9, [victim.online.x]),
      policies: [{ priority: 0, yaml: strict }],
    };
    const typ = 'curfew-bundle+jws';
    for (const jws of [
      await signBundle(payload, victim.online),
      await signText(JSON.stringify(payload), victim.online, { typ }),
      await signText(JSON.stringify(payload), victim.online, {
        typ,
        kid: await thumbprint(victim.policyKey.x),
      }),
    ]) {
      expect(await victim.documents.take('bundle', jws)).toMatchObject({
        code: 'BUNDLE_SIGNATURE_INVALID',
      });
    }
    expect(victim.documents.current().bundle?.sequence).toBe(1);
    // Nor is a bundle's text an assignment.
    const jws = await signBundle(payload, victim.online);
    expect((await victim.documents.take('assignment', jws)).kind).toBe('refused');
  });

  test('what was signed for another device or server, or numbered as before, is refused', async () => {
    await victim.take({ sequence: 5 });
    for (const payload of [
      { sequence: 6, device: 'device-2' },
      { sequence: 6, server: 'server-2' },
      { sequence: 5, group: 'lab' },
      { sequence: 4, group: 'lab' },
      { sequence: 6, format: 2 },
    ]) {
      expect(await victim.take(payload)).toMatchObject({ code: 'ASSIGNMENT_INVALID' });
    }
    expect(await victim.take({ sequence: 6 }, victim.fresh)).toMatchObject({
      code: 'ASSIGNMENT_INVALID',
    });
    expect(victim.documents.current().assignment?.sequence).toBe(5);
  });

  test.each([
    ['the highest number there is', String(Number.MAX_SAFE_INTEGER)],
    ['one above it', '9007199254740993'],
    ['a number beyond all', '1e300'],
    ['a fraction', '6.5'],
    ['none', '0'],
    ['a negative one', '-1'],
    ['a text', '"7"'],
    ['a step too far', String(5 + maxSequenceStep + 1)],
  ])('the numbers are not used up by %s', async (_, number) => {
    await victim.take({ sequence: 5 });
    const text = JSON.stringify({ ...empty, sequence: 777 }).replace('777', number);
    expect(
      await victim.documents.take('assignment', await signText(text, victim.online)),
    ).toMatchObject({
      code: 'ASSIGNMENT_INVALID',
    });
    expect((await victim.take({ sequence: 6 })).kind).toBe('taken');
  });

  test('a bundle that names another key ends it, whatever number the thief has reached', async () => {
    await victim.take({ sequence: 5, exceptions: [excepted] });
    await victim.take({ sequence: 5 + maxSequenceStep, group: 'lab' });
    expect(victim.documents.assignmentSequence()).toBe(5 + maxSequenceStep);
    await victim.bundle(2, [victim.fresh.x]);
    expect(victim.documents.current().assignment).toBeNull();
    expect(victim.verdict()).toMatchObject({ policy: 'usual', effectiveAction: 'observe' });
    expect(await victim.take({ sequence: 2e6, group: 'lab' })).toMatchObject({
      code: 'ASSIGNMENT_INVALID',
    });
    expect((await victim.take({ sequence: 6, exceptions: [excepted] }, victim.fresh)).kind).toBe(
      'taken',
    );
    expect(victim.verdict().status).toBe('excepted');
  });

  test('a key that stays keeps its numbers while another comes and goes', async () => {
    await victim.bundle(2, [victim.online.x, victim.fresh.x]);
    await victim.take({ sequence: 7 }, victim.fresh);
    await victim.take({ sequence: 8 }, victim.online);
    expect((await victim.take({ sequence: 8, group: 'lab' }, victim.fresh)).kind).toBe('refused');
    await victim.bundle(3, [victim.fresh.x]);
    expect((await victim.take({ sequence: 7, group: 'lab' }, victim.fresh)).kind).toBe('refused');
    expect((await victim.take({ sequence: 8 }, victim.fresh)).kind).toBe('taken');
    await victim.bundle(4, [victim.online.x]);
    expect((await victim.take({ sequence: 8, group: 'lab' }, victim.online)).kind).toBe('refused');
  });

  test('an exception taken away leads back to the bundle and no further', async () => {
    await victim.take({ sequence: 1 });
    const before = victim.verdict();
    await victim.take({ sequence: 2, exceptions: [excepted] });
    expect(victim.verdict().status).toBe('excepted');
    await victim.take({
      sequence: 3,
      exceptions: [{ ...excepted, until: '1970-01-01T00:00:00Z' }],
    });
    expect(victim.verdict()).toEqual(before);
  });

  test.each([
    ['an address', { message: { en: 'Renew at https://evil.example/login' } }],
    ['an address of another kind', { message: { en: 'Call tel:+10' } }],
    ['an address without a scheme', { message: { 'zh-CN': '请访问 www.evil.example' } }],
    ['an escape sequence', { message: { en: '\u001b[2J' } }],
    ['a line turned around', { message: { en: 'safe \u202Egpj.exe' } }],
    ['a language that is none', { message: { constructor: 'Hello' } }],
    ['more text than anybody reads', { message: { en: 'x'.repeat(1001) } }],
    [
      'an address as a reason',
      { exceptions: [{ ...excepted, reason: 'see javascript:alert(1)' }] },
    ],
    ['two lines as a reason', { exceptions: [{ ...excepted, reason: 'a\nCurfew: all clear' }] }],
    ['an author in control characters', { exceptions: [{ ...excepted, author: '\u009b31m' }] }],
    ['an end that is no time', { exceptions: [{ ...excepted, until: 'never' }] }],
    [
      'an end in a second that is none',
      { exceptions: [{ ...excepted, until: '2026-07-10T23:59:60Z' }] },
    ],
    ['a pause to a day that is none', { pause: true, pauseUntil: '2026-02-30T00:00:00Z' }],
    ['more exceptions than fit', { exceptions: Array.from({ length: 1001 }, () => excepted) }],
    ['a pause that is a word', { pause: 'yes' }],
    ['a group with a line break', { group: 'lab\n' }],
  ])('%s is refused whole', async (_, payload) => {
    await victim.take({ sequence: 1 });
    expect(await victim.take({ sequence: 2, ...payload })).toMatchObject({
      code: 'ASSIGNMENT_INVALID',
    });
    expect(victim.documents.current().assignment?.sequence).toBe(1);
  });

  test('texts too large, too deep or with the key of prototypes are refused, and in good time', async () => {
    const deep = `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`;
    for (const [key, value] of [
      ['persons', deep],
      ['note', deep],
      ['persons', '{"__proto__":{"polluted":true}}'],
      ['note', '{"x":{"__proto__":1}}'],
      ['note', JSON.stringify('x'.repeat(1024 * 1024))],
    ]) {
      const text = JSON.stringify(empty).replace(/}$/, `,"${key}":${value}}`);
      const begun = performance.now();
      expect(
        await victim.documents.take('assignment', await signText(text, victim.online)),
      ).toMatchObject({
        code: 'ASSIGNMENT_INVALID',
      });
      expect(performance.now() - begun).toBeLessThan(1000);
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('headers that ask for another algorithm or for extensions are refused', async () => {
    const payload = Buffer.from(JSON.stringify(empty)).toString('base64url');
    const typ = 'curfew-assignment+jws';
    const kid = await thumbprint(victim.online.x);
    for (const header of [
      { alg: 'none', typ, kid },
      { alg: 'HS256', typ, kid },
    ]) {
      const jws = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.AAAA`;
      expect((await victim.documents.take('assignment', jws)).kind).toBe('refused');
    }
    const critical = await signText(JSON.stringify(empty), victim.online, {
      crit: ['b64'],
      b64: true,
    });
    expect((await victim.documents.take('assignment', critical)).kind).toBe('refused');
  });

  test('a refused text is told of once', async () => {
    await victim.take({ sequence: 3 });
    const jws = await signText(JSON.stringify({ ...empty, sequence: 2 }), victim.online);
    for (let times = 0; times < 5; times += 1) await victim.documents.take('assignment', jws);
    expect(victim.refusals).toEqual(['sequence 2; 3 was seen']);
  });
});
