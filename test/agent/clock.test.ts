/** Trusted time: nothing a person does to the wall clock moves it, and it never goes back. */
import path from 'node:path';
import { expect, test } from 'vitest';
import {
  beginClock,
  confirmClock,
  lookAtClock,
  openClock,
  type ClockReading,
} from '../../agent/clock.js';
import { makeFolder } from './store-fixture.js';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = Date.UTC(2026, 6, 8, 12);

const at = (wallMs: number, monotonicMs: number, bootId = 'boot-1'): ClockReading => ({
  wallMs,
  monotonicMs,
  bootId,
});

/** Confirmed at `start`, with one hour of uptime. */
function confirmed() {
  const begun = beginClock(null, at(start, hour));
  return confirmClock(begun.state, at(start, hour), start).state;
}

test('a wall clock set back by a month changes nothing and is said once', () => {
  const step = lookAtClock(confirmed(), at(start - 30 * day, 2 * hour));
  expect(step.now).toBe(start + hour);
  expect(step.suspicions).toEqual(['wall-jump']);
  const next = lookAtClock(step.state, at(start - 30 * day + minute, 2 * hour + minute));
  expect(next.now).toBe(start + hour + minute);
  expect(next.suspicions).toEqual([]);
});

test('a wall clock set forward does not bring a date nearer', () => {
  const step = lookAtClock(confirmed(), at(start + 365 * day, hour + minute));
  expect(step.now).toBe(start + minute);
  expect(step.state.floorMs).toBe(start + minute);
  expect(step.suspicions).toEqual(['wall-jump']);
});

test('drift of a second an hour is no jump, though it adds up to a quarter of an hour', () => {
  let state = confirmed();
  for (let n = 1; n <= 1000; n += 1) {
    const step = lookAtClock(state, at(start + n * hour + n * 1000, hour + n * hour));
    expect(step.suspicions).toEqual([]);
    state = step.state;
  }
});

test('time goes on over a restart of the agent within one boot, whatever the wall says', () => {
  const step = beginClock(confirmed(), at(start - 10 * day, 3 * hour));
  expect(step.now).toBe(start + 2 * hour);
  expect(step.state.isConfirmed).toBe(true);
});

test('after a reboot the wall clock counts, unconfirmed, if it is not behind the floor', () => {
  const step = beginClock(confirmed(), at(start + 2 * day, minute, 'boot-2'));
  expect(step.now).toBe(start + 2 * day);
  expect(step.state).toMatchObject({ isConfirmed: false, floorMs: start });
  expect(step.suspicions).toEqual([]);
});

test('after a reboot with the clock set back, time begins at the floor and goes on from there', () => {
  const step = beginClock(confirmed(), at(start - 60 * day, minute, 'boot-2'));
  expect(step.now).toBe(start);
  expect(step.suspicions).toEqual(['behind-floor']);
  const later = lookAtClock(step.state, at(start - 60 * day + hour, minute + hour, 'boot-2'));
  expect(later.now).toBe(start + hour);
  expect(later.state.floorMs).toBe(start + hour);
});

test('unconfirmed time ahead of the floor never raises it', () => {
  const ahead = beginClock(confirmed(), at(start + 300 * day, minute, 'boot-2'));
  const later = lookAtClock(ahead.state, at(start + 300 * day + hour, minute + hour, 'boot-2'));
  expect(later.state.floorMs).toBe(start + hour);
  const rebooted = beginClock(later.state, at(start + 2 * hour, minute, 'boot-3'));
  expect(rebooted.now).toBe(start + 2 * hour);
  expect(rebooted.suspicions).toEqual([]);
});

test('server time within ten minutes confirms, and time does not go back for it', () => {
  const state = confirmed();
  const behind = confirmClock(state, at(start + hour, 2 * hour), start + hour - 9 * minute);
  expect(behind).toMatchObject({ isAccepted: true, now: start + hour });
  const ahead = confirmClock(state, at(start + hour, 2 * hour), start + hour + 9 * minute);
  expect(ahead).toMatchObject({ isAccepted: true, now: start + hour + 9 * minute });
});

test('server time that is further off is refused and said', () => {
  const step = confirmClock(confirmed(), at(start + hour, 2 * hour), start + hour + 11 * minute);
  expect(step).toMatchObject({ isAccepted: false, now: start + hour });
  expect(step.suspicions).toEqual(['server-differs']);
});

test('after a boot the server confirms the device’s clock, also when that was set right meanwhile', () => {
  const booted = beginClock(confirmed(), at(start + 40 * day, minute, 'boot-2'));
  const mended = at(start + day, minute + hour, 'boot-2');
  const step = confirmClock(booted.state, mended, start + day + minute);
  expect(step).toMatchObject({ isAccepted: true, now: start + day + minute });
  expect(step.state.isConfirmed).toBe(true);
});

test('a server that says a time before the floor is refused, even where the wall agrees', () => {
  const booted = beginClock(confirmed(), at(start - 5 * day, minute, 'boot-2'));
  const step = confirmClock(booted.state, at(start - 5 * day, minute, 'boot-2'), start - 5 * day);
  expect(step.isAccepted).toBe(false);
  expect(step.suspicions).toEqual(['server-behind-floor']);
});

test('sleep counts', () => {
  const asleep = 5 * day;
  expect(lookAtClock(confirmed(), at(start + asleep, hour + asleep)).now).toBe(start + asleep);
});

test('the floor outlives the process, in a file of its own', () => {
  const file = path.join(makeFolder(), 'clock.json');
  let now = at(start, hour);
  const said: string[] = [];
  const open = () => openClock({ file, read: () => now, onSuspicion: (why) => said.push(why) });
  const first = open();
  first.confirm(start);
  now = at(start + hour, 2 * hour);
  first.save();
  now = at(start - 30 * day, minute, 'boot-2');
  const second = open();
  expect(second.now()).toBe(start + hour);
  expect(second.isConfirmed).toBe(false);
});

test('a server that keeps differing is said once', () => {
  const said: string[] = [];
  const clock = openClock({
    file: path.join(makeFolder(), 'clock.json'),
    read: () => at(start, hour),
    onSuspicion: (why) => said.push(why),
  });
  clock.confirm(start);
  for (let n = 0; n < 5; n += 1) clock.confirm(start + day);
  expect(said).toEqual(['server-differs']);
});
