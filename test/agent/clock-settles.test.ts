/**
 * A simulated machine without a server: reboots, sleep, jumps of the wall clock, a year of it. When an
 * instant counts as passed beyond doubt, and how a signed document sets a wrong floor right.
 */
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openClock, type Clock } from '../../agent/clock.js';
import { runs } from '../runs.js';
import { makeFolder } from './store-fixture.js';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = Date.UTC(2026, 6, 8);

/** A machine whose true time, wall clock and boots a test drives; the agent starts with each boot. */
function machineAt(trueMs: number) {
  const file = path.join(makeFolder(), 'clock.json');
  let [now, wallOffset, bootedAt, boot] = [trueMs, 0, trueMs - hour, 1];
  const said: string[] = [];
  const open = (): Clock =>
    openClock({
      file,
      read: () => ({
        wallMs: now + wallOffset,
        monotonicMs: now - bootedAt,
        bootId: `boot-${boot}`,
      }),
      onSuspicion: (why) => void said.push(why),
    });
  let clock = open();
  return {
    said,
    get clock() {
      return clock;
    },
    trueNow: () => now,
    /** Awake or asleep: both count. */
    run(ms: number): void {
      now += ms;
      clock.save();
    },
    setWall: (offsetMs: number) => void (wallOffset = offsetMs),
    /** Off for so long; what was not saved is lost. */
    reboot(offMs: number): void {
      now += offMs;
      [bootedAt, boot] = [now, boot + 1];
      clock = open();
    },
    online: () => clock.confirm(now),
  };
}

/** Whether an instant has passed so that something may be stopped for it. */
const isSettled = ({ clock }: { readonly clock: Clock }, at: number): boolean =>
  clock.now() >= at && at <= clock.settledUntil();

describe('block and remove begin', () => {
  test('at the instant itself while time is confirmed', () => {
    const machine = machineAt(start);
    machine.online();
    machine.run(day);
    expect([isSettled(machine, start + day), isSettled(machine, start + day + 1)]).toEqual([
      true,
      false,
    ]);
  });

  test('after a reboot without a server 24 h of uptime past it, or when the server confirms', () => {
    const machine = machineAt(start);
    machine.online();
    machine.run(hour);
    machine.reboot(3 * day);
    const effective = start + 2 * day;
    expect(machine.clock.now()).toBe(start + 3 * day + hour);
    expect(isSettled(machine, effective)).toBe(false);
    machine.run(day - 1);
    expect(isSettled(machine, effective)).toBe(false);
    machine.run(1);
    expect(isSettled(machine, effective)).toBe(true);
    machine.reboot(hour);
    expect(isSettled(machine, effective)).toBe(true);
    const other = machineAt(start);
    other.reboot(3 * day);
    expect(isSettled(other, effective)).toBe(false);
    other.online();
    expect(isSettled(other, effective)).toBe(true);
  });

  test('uptime before the instant does not count for it', () => {
    const machine = machineAt(start);
    machine.reboot(hour);
    const effective = start + 3 * day;
    machine.run(3 * day);
    expect(machine.clock.now()).toBeGreaterThanOrEqual(effective);
    expect(isSettled(machine, effective)).toBe(false);
    machine.run(22 * hour);
    expect(isSettled(machine, effective)).toBe(false);
    machine.run(2 * hour);
    expect(isSettled(machine, effective)).toBe(true);
  });

  test('a machine that is shut down each evening gets there in three days', () => {
    const machine = machineAt(start);
    machine.online();
    const effective = start + hour;
    const evenings = [1, 2, 3].map(() => {
      machine.reboot(15 * hour);
      machine.run(9 * hour);
      return isSettled(machine, effective);
    });
    expect(evenings).toEqual([false, false, true]);
  });

  test('a wall clock set far ahead at boot stops nothing before a day has been counted', () => {
    const machine = machineAt(start);
    machine.online();
    machine.setWall(300 * day);
    machine.reboot(hour);
    const effective = start + 10 * day;
    expect(machine.clock.now()).toBeGreaterThan(effective);
    expect(isSettled(machine, effective)).toBe(false);
    machine.online();
    // The server agrees with neither clock: still nothing.
    expect([machine.clock.isConfirmed, isSettled(machine, effective)]).toEqual([false, false]);
    machine.setWall(0);
    machine.online();
    expect([machine.clock.isConfirmed, isSettled(machine, effective)]).toEqual([true, false]);
    expect(machine.clock.now()).toBeLessThan(effective);
  });
});

describe('jumps of the wall clock within a boot', () => {
  test.each([30 * day, -30 * day, hour, -hour])(
    'of %d ms change nothing and are said once',
    (jump) => {
      const machine = machineAt(start);
      machine.online();
      machine.run(hour);
      machine.setWall(jump);
      machine.run(hour);
      machine.run(hour);
      expect(machine.clock.now()).toBe(machine.trueNow());
      expect(machine.clock.isConfirmed).toBe(true);
      expect(machine.said).toEqual(['wall-jump']);
    },
  );
});

test('a year without a server, off more than half of it, with a clock that drifts and one that is set back', () => {
  const machine = machineAt(start);
  machine.online();
  for (let turn = 1; turn <= 122; turn += 1) {
    machine.run(27 * hour);
    machine.setWall(turn === 60 ? -100 * day : turn * 1000);
    machine.reboot(45 * hour);
    const now = machine.clock.now();
    // Never before what was confirmed and counted, whatever the wall says.
    expect(now).toBeGreaterThanOrEqual(start + turn * 27 * hour);
    if (turn !== 60) expect(Math.abs(now - machine.trueNow())).toBeLessThan(hour);
  }
  expect(machine.clock.isConfirmed).toBe(false);
  expect(machine.said.filter((why) => why === 'behind-floor').length).toBeLessThanOrEqual(1);
  expect(isSettled(machine, start + 300 * day)).toBe(true);
  expect(isSettled(machine, machine.clock.now())).toBe(false);
  machine.setWall(0);
  machine.online();
  expect([machine.clock.isConfirmed, machine.clock.now()]).toEqual([true, machine.trueNow()]);
});

describe('a floor that is wrong', () => {
  /** A server with a wrong clock has confirmed a time ten years ahead. */
  function fooled() {
    const machine = machineAt(start);
    machine.setWall(3650 * day);
    machine.reboot(hour);
    machine.clock.confirm(machine.trueNow() + 3650 * day);
    expect(machine.clock.isConfirmed).toBe(true);
    machine.setWall(0);
    machine.run(hour);
    return machine;
  }

  test('keeps right time out, until a signed document resets it', () => {
    const machine = fooled();
    machine.online();
    expect(machine.clock.now()).toBeGreaterThan(start + 3000 * day);
    machine.reboot(hour);
    machine.online();
    expect([machine.clock.isConfirmed, machine.said.at(-1)]).toEqual([
      false,
      'server-behind-floor',
    ]);
    machine.clock.reset(start);
    expect([machine.clock.isConfirmed, machine.clock.now()]).toEqual([false, machine.trueNow()]);
    machine.online();
    expect([machine.clock.isConfirmed, machine.clock.now()]).toEqual([true, machine.trueNow()]);
  });

  test('the reset outlives a crash, and is itself a floor', () => {
    const machine = fooled();
    machine.clock.reset(start);
    machine.reboot(hour);
    expect(machine.clock.now()).toBe(machine.trueNow());
    machine.setWall(-30 * day);
    machine.reboot(hour);
    expect(machine.clock.now()).toBeGreaterThanOrEqual(start);
  });
});

test('whatever happens, nothing is settled that has not had its day, and what is stays so', () => {
  const events = fc.array(
    fc.record({
      runMs: fc.integer({ min: 0, max: 20 * hour }),
      offMs: fc.option(fc.integer({ min: 0, max: 3 * day })),
      wallMs: fc.integer({ min: -5 * day, max: 5 * day }),
    }),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(events, fc.integer({ min: 0, max: 10 * day }), (list, ahead) => {
      const machine = machineAt(start);
      machine.online();
      machine.reboot(hour);
      const effective = start + ahead;
      let [counted, wasSettled] = [0, false];
      for (const { runMs, offMs, wallMs } of list) {
        const before = machine.clock.now();
        machine.run(runMs);
        counted += Math.min(runMs, Math.max(0, before + runMs - effective));
        const isNow = effective <= machine.clock.settledUntil();
        expect(isNow).toBe(counted >= day);
        if (wasSettled) expect(isNow).toBe(true);
        wasSettled = isNow;
        machine.setWall(wallMs);
        if (offMs !== null) machine.reboot(offMs);
      }
    }),
    runs(40),
  );
});
