/**
 * Policy dates: a day in a zone, or an instant with offset, to epoch milliseconds, and the days left
 * until it. Nothing else reads or counts dates. It never asks for the time and never guesses a zone:
 * a text that is neither form has no instant. Calendars and digits of a locale play no part here.
 */
import { Temporal } from 'temporal-polyfill';
import type { Duration, PolicyDate } from './document.js';

const dayForm = /^\d{4}-\d{2}-\d{2}$/;
/** RFC 3339, without the leap second that no clock of ours knows. */
const instantForm =
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

export type CheckedDate =
  | { readonly kind: 'day' }
  | { readonly kind: 'instant' }
  | { readonly kind: 'invalid'; readonly message: string };

/** What a text is as a policy date, or in one clause why it is none. */
export function checkDate(text: string): CheckedDate {
  if (dayForm.test(text)) {
    return isRead(() => Temporal.PlainDate.from(text))
      ? { kind: 'day' }
      : { kind: 'invalid', message: `${text} is not a day of the calendar` };
  }
  if (instantForm.test(text)) {
    return isRead(() => Temporal.Instant.from(text))
      ? { kind: 'instant' }
      : { kind: 'invalid', message: `${text} is not a moment that exists` };
  }
  const message = /^\d{4}-\d{2}-\d{2}[T ]/.test(text)
    ? 'expected an offset after the time, like 2026-07-10T09:00:00+08:00'
    : 'expected a day like 2026-07-10, or an instant with offset like 2026-07-10T09:00:00+08:00';
  return { kind: 'invalid', message };
}

function isRead(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Whether a text names a zone a policy may have: `utc`, `device-local`, or an IANA name. */
export function isZone(text: string): boolean {
  if (text === 'device-local' || text.toLowerCase() === 'utc') return true;
  // A bare offset is no zone: it knows nothing of daylight saving.
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(text)) return false;
  return isRead(() => new Intl.DateTimeFormat('en', { timeZone: text }));
}

/** The IANA zone this machine is in now; UTC where what it is set to is none. */
export function currentZone(): string {
  // Undefined for a TZ that nobody knows, whatever the types say.
  const zone: string | undefined = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return zone !== undefined && zone !== 'Etc/Unknown' ? zone : 'UTC';
}

/** The zone whose days a policy counts in: its own, or the device's for `device-local`. */
export function zoneOf(timezone: string | null, deviceZone: string): string {
  if (timezone === 'device-local') return deviceZone;
  return timezone === null || timezone.toLowerCase() === 'utc' ? 'UTC' : timezone;
}

/**
 * Epoch ms at which a date begins. A day begins at its first instant: where the clocks skip midnight
 * that is later than 00:00, where midnight comes twice it is the first one. Throws RangeError for a
 * text that `checkDate` refuses and for a day without a timezone.
 */
export function resolveDate(date: PolicyDate, timezone: string | null, deviceZone: string): number {
  const checked = checkDate(date);
  switch (checked.kind) {
    case 'instant':
      return Temporal.Instant.from(date).epochMilliseconds;
    case 'day':
      if (timezone === null) throw new RangeError(`${date} is a day and needs a timezone`);
      return Temporal.PlainDate.from(date).toZonedDateTime(zoneOf(timezone, deviceZone))
        .epochMilliseconds;
    case 'invalid':
      throw new RangeError(`${date}: ${checked.message}`);
  }
}

/**
 * Epoch ms so much later. Days are calendar days in `zone` (an IANA name): the same time of day, or the
 * next that exists; hours are hours. Throws RangeError for a text that is no duration.
 */
export function addDuration(fromMs: number, duration: Duration, zone: string): number {
  const [, amount, unit] = /^([1-9]\d{0,3}) (day|hour)s?$/.exec(duration) ?? [];
  if (amount === undefined) throw new RangeError(`${duration}: expected "3 days" or "24 hours"`);
  if (unit === 'hour') return fromMs + Number(amount) * 3_600_000;
  return Temporal.Instant.fromEpochMilliseconds(fromMs)
    .toZonedDateTimeISO(zone)
    .add({ days: Number(amount) }).epochMilliseconds;
}

/** Calendar days in `zone` (an IANA name) from the day of `nowMs` to that of `effectiveMs`; negative after. */
export function daysLeft(nowMs: number, effectiveMs: number, zone: string): number {
  return dayIn(nowMs, zone).until(dayIn(effectiveMs, zone), { largestUnit: 'days' }).days;
}

/** The bounds of the local day that holds an instant, as epoch ms: `from` is in it, `until` no longer. */
export function dayBounds(
  nowMs: number,
  zone: string,
): { readonly from: number; readonly until: number } {
  const today = dayIn(nowMs, zone);
  return {
    from: today.toZonedDateTime(zone).epochMilliseconds,
    until: today.add({ days: 1 }).toZonedDateTime(zone).epochMilliseconds,
  };
}

function dayIn(epochMs: number, zone: string): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(zone).toPlainDate();
}
