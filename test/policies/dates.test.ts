/**
 * Policy dates against instants that were worked out elsewhere (`instants.json`), through zones,
 * daylight-saving gaps and folds, and under calendars of other locales.
 */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addDuration,
  checkDate,
  dayBounds,
  daysLeft,
  isZone,
  resolveDate,
} from '../../policies/dates.js';
import { parsePolicy } from '../../policies/document.js';
import expected from './instants.json' with { type: 'json' };
import { runs } from '../runs.js';

const iso = (text: string): number => Date.parse(text);

/** A policy with one denial from a date, in the author's form. */
const policyWith = (date: string, zone: string | null): string => `policy: case
title: Case
${zone === null ? '' : `timezone: ${zone}`}
default: { decision: review }
rules:
  - id: one
    match: { package: { npm: one } }
    decision: deny
    effective: ${date}
    after: block
    reason: { en: Not here. }
`;

describe('C066: an effective date without a time', () => {
  test.each(expected.zones)(
    '%s in %s on a device in %s begins at %s',
    (date, zone, device, instant) => {
      expect(resolveDate(date ?? '', zone, device ?? '')).toBe(iso(instant ?? ''));
    },
  );

  test.each(expected.rejected)('%s with zone %s is refused, not guessed', (date, zone) => {
    const parsed = parsePolicy(policyWith(date ?? '', zone));
    if (parsed.kind !== 'invalid') throw new Error('accepted');
    const problem = parsed.problems[0];
    const isZoneWrong = zone === 'Mars/Olympus';
    expect(problem?.field).toBe(isZoneWrong ? 'timezone' : 'rules[0].effective');
    expect(problem?.line).toBe(isZoneWrong ? 3 : 9);
  });

  test('every form above that is not refused is accepted', () => {
    for (const [date, zone] of expected.zones) {
      expect(parsePolicy(policyWith(date ?? '', zone ?? null)).kind).toBe('policy');
    }
  });
});

describe('C067: a local midnight that does not exist', () => {
  test.each(expected.gaps)('%s in %s begins at its first instant, %s', (date, zone, instant) => {
    expect(resolveDate(date ?? '', zone ?? '', 'UTC')).toBe(iso(instant ?? ''));
  });

  test('where midnight comes twice, the day begins at the first', () => {
    // Cuba sets 01:00 back to 00:00 on 2026-11-01: 00:00 CDT is 04:00Z, 00:00 CST is 05:00Z.
    expect(resolveDate('2026-11-01', 'America/Havana', 'UTC')).toBe(iso('2026-11-01T04:00:00Z'));
  });
});

describe('C073: calendars that are not Gregorian', () => {
  const source = `
    import { resolveDate, daysLeft } from './policies/dates.ts';
    const at = resolveDate('2026-07-10', 'Asia/Bangkok', 'UTC');
    const now = Date.parse('2026-07-01T10:00:00Z');
    const shown = new Intl.DateTimeFormat(undefined, { dateStyle: 'short' }).format(at);
    console.log(JSON.stringify([at, daysLeft(now, at, 'Asia/Bangkok'), shown]));`;
  const under = (locale: string): unknown[] =>
    JSON.parse(
      execFileSync(
        process.execPath,
        ['--experimental-strip-types', '--input-type=module', '-e', source],
        {
          encoding: 'utf8',
          env: { ...process.env, LC_ALL: locale, LANG: locale, NODE_NO_WARNINGS: '1' },
        },
      ),
    ) as unknown[];

  test.each(['th_TH.UTF-8', 'ar_EG.UTF-8', 'fa_IR.UTF-8', 'en_US.UTF-8'])(
    'under %s the instant and the days left are the same',
    (locale) => {
      const [at, left, shown] = under(locale);
      expect(at).toBe(iso('2026-07-09T17:00:00Z'));
      expect(left).toBe(9);
      // The locale is really in force: a Thai calendar shows the year 2569.
      if (locale.startsWith('th')) expect(shown).toContain('69');
    },
  );
});

describe('a duration from an instant', () => {
  test.each([
    // The same time of day, through days of 23, 25 and 23.5 hours.
    ['2026-03-28T12:00:00Z', '1 day', 'Europe/Berlin', '2026-03-29T11:00:00Z'],
    ['2026-10-24T10:00:00Z', '1 day', 'Europe/Berlin', '2026-10-25T11:00:00Z'],
    ['2026-10-03T12:00:00Z', '2 days', 'Australia/Lord_Howe', '2026-10-05T11:30:00Z'],
    // 00:30 does not exist on 6 September in Chile: 01:30 there.
    ['2026-09-05T04:30:00Z', '1 day', 'America/Santiago', '2026-09-06T04:30:00Z'],
    // 01:30 comes twice on 25 October in New York's autumn: the first.
    ['2026-10-31T05:30:00Z', '1 day', 'America/New_York', '2026-11-01T05:30:00Z'],
    // Samoa went from the 29th to the 31st.
    ['2011-12-29T22:00:00Z', '1 day', 'Pacific/Apia', '2011-12-30T22:00:00Z'],
    ['2026-07-20T10:00:00Z', '7 days', 'Asia/Kathmandu', '2026-07-27T10:00:00Z'],
    // Hours are hours.
    ['2026-10-24T10:00:00Z', '24 hours', 'Europe/Berlin', '2026-10-25T10:00:00Z'],
    ['2026-03-28T12:00:00Z', '1 hour', 'Europe/Berlin', '2026-03-28T13:00:00Z'],
  ])('%s and %s in %s is %s', (from, duration, zone, until) => {
    expect(addDuration(iso(from), duration, zone)).toBe(iso(until));
  });

  test.each(['', '3', 'days', '0 days', '-1 day', '1.5 days', '3 weeks', '٣ days', '10000 days'])(
    '"%s" is none',
    (text) => expect(() => addDuration(0, text, 'UTC')).toThrow(RangeError),
  );

  test('is never shorter for a later start, in any zone', () => {
    const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
    const instants = fc.integer({
      min: iso('2000-01-01T00:00:00Z'),
      max: iso('2037-01-01T00:00:00Z'),
    });
    fc.assert(
      fc.property(zones, instants, fc.integer({ min: 1, max: 400 }), (zone, from, days) => {
        const until = addDuration(from, `${days} days`, zone);
        expect(until).toBeGreaterThan(from);
        expect(addDuration(from + 86_400_000, `${days} days`, zone)).toBeGreaterThanOrEqual(until);
        expect(daysLeft(from, until, zone)).toBeGreaterThanOrEqual(days);
      }),
      runs(200),
    );
  });
});

describe('the zone of this machine', () => {
  test.each([
    ['Asia/Kathmandu', ['Asia/Kathmandu', 'Asia/Katmandu']],
    ['America/Santiago', ['America/Santiago']],
    ['Mars/Olympus', ['UTC']],
    ['', ['UTC', 'Etc/UTC', 'GMT']],
  ])('TZ=%s', (zone, names) => {
    const source = `
      import { currentZone, resolveDate } from './policies/dates.ts';
      resolveDate('2026-07-10', 'device-local', currentZone());
      console.log(currentZone());`;
    const said = execFileSync(
      process.execPath,
      ['--experimental-strip-types', '--input-type=module', '-e', source],
      { encoding: 'utf8', env: { ...process.env, TZ: zone, NODE_NO_WARNINGS: '1' } },
    );
    expect(names).toContain(said.trim());
  });
});

describe('days left', () => {
  const effective = resolveDate('2026-07-10', 'Asia/Shanghai', 'UTC');

  test.each([
    ['2026-07-08T15:59:59.999Z', 2],
    ['2026-07-08T16:00:00Z', 1],
    ['2026-07-09T15:59:59.999Z', 1],
    ['2026-07-09T16:00:00Z', 0],
    ['2026-07-10T15:59:59.999Z', 0],
    ['2026-07-10T16:00:00Z', -1],
    ['2026-06-01T00:00:00Z', 39],
  ])('at %s there are %i calendar days in the zone of the policy', (now, days) => {
    expect(daysLeft(iso(now), effective, 'Asia/Shanghai')).toBe(days);
  });

  test('a day of 23 or 25 hours is one day', () => {
    const spring = resolveDate('2026-03-30', 'Europe/Berlin', 'UTC');
    expect(
      daysLeft(resolveDate('2026-03-29', 'Europe/Berlin', 'UTC'), spring, 'Europe/Berlin'),
    ).toBe(1);
    const bounds = dayBounds(iso('2026-10-25T12:00:00Z'), 'Europe/Berlin');
    expect((bounds.until - bounds.from) / 3_600_000).toBe(25);
  });

  test('the bounds of a day hold its instants and no others, in every zone', () => {
    const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
    const instants = fc.integer({
      min: iso('2020-01-01T00:00:00Z'),
      max: iso('2037-12-31T00:00:00Z'),
    });
    fc.assert(
      fc.property(zones, instants, (zone, now) => {
        const { from, until } = dayBounds(now, zone);
        expect(from <= now && now < until).toBe(true);
        expect(daysLeft(from, now, zone)).toBe(0);
        expect(daysLeft(until - 1, now, zone)).toBe(0);
        expect(daysLeft(until, now, zone)).toBeLessThan(0);
        expect(daysLeft(from - 1, now, zone)).toBeGreaterThan(0);
      }),
      runs(200),
    );
  });
});

describe('what is a date', () => {
  test.each(['2026-07-10', '2028-02-29'])('%s is a day', (text) => {
    expect(checkDate(text)).toEqual({ kind: 'day' });
  });

  test.each(['2026-07-10T09:00:00Z', '2026-07-10T09:00-04:00', '2026-07-10T09:00:00.5+05:45'])(
    '%s is an instant',
    (text) => {
      expect(checkDate(text)).toEqual({ kind: 'instant' });
    },
  );

  test.each([
    '',
    '2026-02-30',
    '2026-13-01',
    '2027-02-29',
    '10/07/2026',
    '20260710',
    '2026-7-10',
    '2026-07-10T09:00:00',
    '2026-07-10 09:00:00Z',
    '2026-07-10T25:00:00Z',
    '2026-07-10T23:59:60Z',
    '2026-07-10[u-ca=buddhist]',
    '2026-07-10T09:00:00+08:00[Asia/Shanghai]',
    '+002026-07-10',
    '２０２６-07-10',
    'tomorrow',
  ])('"%s" is neither', (text) => {
    expect(checkDate(text).kind).toBe('invalid');
    expect(() => resolveDate(text, 'utc', 'UTC')).toThrow(RangeError);
  });

  test('a day without a timezone has no instant', () => {
    expect(() => resolveDate('2026-07-10', null, 'Asia/Shanghai')).toThrow('needs a timezone');
  });

  test.each([
    ['Asia/Shanghai', true],
    ['utc', true],
    ['UTC', true],
    ['device-local', true],
    ['Asia/Kathmandu', true],
    ['Mars/Olympus', false],
    ['+08:00', false],
    ['', false],
    ['local', false],
  ])('the zone "%s": %s', (zone, isOne) => {
    expect(isZone(zone)).toBe(isOne);
  });
});
