/**
 * Instants shown to people. A policy's date is written in the policy's zone, with the viewer's own
 * on hover; days left are calendar days in the policy's zone, as everywhere in Curfew. Nothing here
 * decides anything: what is in force comes from the server.
 */
import { Tooltip } from '@mantine/core';
import { useEffect, useState } from 'react';
import { Temporal } from 'temporal-polyfill';
import { isZone, zoneOf } from '../../policies/dates.js';
import { useLanguage, type Language } from './language.js';

const tickMs = 30_000;

/** Zone of the person looking. */
export const viewerZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Epoch ms, renewed twice a minute, so that a countdown left open goes on counting. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), tickMs);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** The zone to show a policy's dates in; the viewer's where each device has its own. */
export function shownZone(policyZone: string | null): string {
  const zone = zoneOf(policyZone, viewerZone);
  return isZone(zone) ? zone : 'UTC'; // A zone newer than this browser; the zone named beside it says so.
}

/** A day, and the time too when it is not the first moment of that day. */
export function dateText(at: string, zone: string, language: Language): string {
  const instant = Temporal.Instant.from(at).toZonedDateTimeISO(zone);
  const isDayStart = instant.equals(instant.startOfDay());
  return new Intl.DateTimeFormat(language, {
    timeZone: zone,
    dateStyle: 'medium',
    ...(isDayStart ? {} : { timeStyle: 'short' }),
  }).format(instant.epochMilliseconds);
}

/** Day and time to the second, with the zone's name. */
export function fullText(at: string, zone: string, language: Language): string {
  return new Intl.DateTimeFormat(language, {
    timeZone: zone,
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  }).format(Date.parse(at));
}

const dayMinutes = 24 * 60;

/** A point of the chart in words, as exact as the distance between points asks for. */
export function pointText(at: string | number, bucketMinutes: number, language: Language): string {
  return new Intl.DateTimeFormat(language, {
    month: 'short',
    day: 'numeric',
    ...(bucketMinutes >= dayMinutes
      ? {}
      : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
  }).format(new Date(at));
}

/** A mark on the chart's axis: the time of day, or the day where points are days apart. */
export function tickText(at: number, bucketMinutes: number, language: Language): string {
  return new Intl.DateTimeFormat(
    language,
    bucketMinutes >= dayMinutes
      ? { month: 'short', day: 'numeric' }
      : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  ).format(at);
}

const steps: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** "3 minutes ago", in the largest unit that fits. */
export function agoText(at: string, now: number, language: Language): string {
  const seconds = Math.min(0, (Date.parse(at) - now) / 1000);
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  for (const [unit, size] of steps)
    if (-seconds >= size) return format.format(Math.round(seconds / size), unit);
  return format.format(0, 'second');
}

/** How long ago something was, with the exact instant on hover and on focus. */
export function Ago({ at }: { readonly at: string }) {
  const { language } = useLanguage();
  const now = useNow();
  return (
    <Tooltip
      label={fullText(at, viewerZone, language)}
      events={{ hover: true, focus: true, touch: true }}
    >
      <time dateTime={at}>{agoText(at, now, language)}</time>
    </Tooltip>
  );
}
