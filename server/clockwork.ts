/**
 * What the serving process does by the clock: samples the trend (each minute, and soon after a
 * change), notices what another process published, revoked or changed of assignments, forgets what is older than the retention.
 * A step that fails is logged and tried again at its next time.
 */
import { sampleTrend } from './compliance.js';
import type { ServerContext } from './context.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const pollMs = 1000;
const sampleDelayMs = 1000;
const pruneBatch = 5000;
/** How far back revocations are looked up: more than a poll can be late. */
const revocationSpanMs = 60_000;
/** Devices whose assignments may have changed that are looked at in one go. */
const mostChanges = 5000;

export interface Clockwork {
  /** Something changed that the trend should show. */
  readonly touch: () => void;
  readonly announcePublished: () => Promise<void>;
  /** Looks for changed assignments now instead of within a second. */
  readonly announceAssignments: () => Promise<void>;
  /** Resolves when no step is under way. */
  readonly stop: () => Promise<void>;
}

export async function startClockwork(context: ServerContext): Promise<Clockwork> {
  const { store, agents, live, log } = context;
  let announced = await store.read.policies.latestSequence();
  let isStopped = false;
  const underWay = new Set<Promise<void>>();
  const step = (name: string, work: () => Promise<void>) => (): void => {
    if (isStopped) return;
    const running = work()
      .catch((error: unknown) => log.error({ area: 'clockwork', event: name, err: error }, 'fault'))
      .finally(() => underWay.delete(running));
    underWay.add(running);
  };

  const announcePublished = async (): Promise<void> => {
    const sequence = await store.read.policies.latestSequence();
    if (sequence <= announced) return;
    announced = sequence;
    agents.announce(sequence);
    live.publish({ kind: 'policy', bundleSequence: sequence });
    log.info({ area: 'policy', event: 'published', sequence }, 'published');
  };
  const announceAssignments = await assignmentAnnouncer(context);
  const sample = step('sample', () => sampleTrend(context));
  let soon: NodeJS.Timeout | null = null;
  const touch = (): void => {
    if (isStopped) return;
    soon ??= setTimeout(() => {
      soon = null;
      sample();
    }, sampleDelayMs).unref();
  };
  const timers = [
    setInterval(step('announce', announcePublished), pollMs),
    setInterval(
      step('turn-out', () => turnOut(context)),
      pollMs,
    ),
    setInterval(step('reassign', announceAssignments), pollMs),
    setInterval(sample, minuteMs),
    setInterval(
      step('prune', () => prune(context, () => isStopped)),
      hourMs,
    ),
  ];
  for (const timer of timers) timer.unref();
  sample();
  return {
    touch,
    announcePublished,
    announceAssignments,
    stop: async () => {
      isStopped = true;
      for (const timer of timers) clearInterval(timer);
      if (soon !== null) clearTimeout(soon);
      await Promise.all(underWay);
    },
  };
}

/** Has the devices whose assignments may have changed be served anew; one such look at a time. */
async function assignmentAnnouncer(context: ServerContext): Promise<() => Promise<void>> {
  const { store, agents, live, log } = context;
  let lastChange = await store.read.assignments.lastChange();
  let underWay: Promise<void> | null = null;
  const look = async (): Promise<void> => {
    const changes = await store.read.assignments.changesSince(lastChange, mostChanges);
    if (changes.last === lastChange) return;
    await agents.reassign(changes.isEvery ? null : changes.devices);
    // Only then: what failed is looked at again.
    lastChange = changes.last;
    for (const id of changes.devices) live.publish({ kind: 'device', id });
    log.info({ area: 'assignments', event: 'changed', devices: changes.devices.length }, 'changed');
  };
  return () => (underWay ??= look().finally(() => (underWay = null)));
}

/** Ends the connections of devices that were revoked, by whichever process. */
async function turnOut({ store, agents, clock }: ServerContext): Promise<void> {
  const since = clock() - revocationSpanMs;
  for (const id of await store.read.devices.revokedSince(since)) agents.disconnect(id);
}

/** Forgets what is older than the retention, in batches, so that nobody waits long for the store. */
async function prune(
  { store, settings, clock }: ServerContext,
  isStopped: () => boolean,
): Promise<void> {
  const now = clock();
  const before = now - settings.retentionDays * dayMs;
  await store.write((writing) => writing.people.removeExpired(now));
  for (let removed = 1; removed > 0 && !isStopped();) {
    removed = await store.write((writing) => writing.reports.prune(before, pruneBatch));
  }
}
